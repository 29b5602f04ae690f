/* logfmt: `key=value` and a space, the members of JSON lines under the same names. docs/formats.md has the grammar.
 *
 * There is no standard. What all readers agree on: a bare word ends at a space, and may hold neither `=` nor `"`; a value
 * in quotes is unescaped as a JSON string is; a key is never in quotes. So a key cannot say what a value can: what a bare
 * word may not hold is escaped in it with the same escapes, and an empty key is a single backslash, which is
 * otherwise never alone. */
#include "format/logfmt.h"

#include "base/number.h"
#include "base/plain.h"
#include "format/escape.h"
#include "format/marker.h"
#include "format/members.h"
#include "format/text_guess.h"

#define EMPTY_KEY "\\"

static const stepi_stops_t bare_stops = { .count = 3, .rows = { STEPI_STOP(' '), STEPI_STOP('='), STEPI_STOP('"') } };

static const stepi_escapes_t in_quotes = {
    .stops = { .count = 2, .rows = { STEPI_STOP('"'), STEPI_STOP('\\') } },
    .letters = { ['"'] = '"', ['\\'] = '\\', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't' },
    .tells_marks = true,
};

static const stepi_escapes_t in_keys = {
    .stops = { .count = 4, .rows = { STEPI_STOP(' '), STEPI_STOP('='), STEPI_STOP('"'), STEPI_STOP('\\') } },
    .letters = { ['\\'] = '\\', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't' },
    .escapes_fffd = true,
};

bool stepi_logfmt_is_bare(const stepi_text_t *text)
{
    if (text->length == 0 || stepi_is_cut(text))
        return false;
    size_t at = 0;
    for (;;) {
        uint32_t code;
        at += stepi_plain_prefix(text->bytes + at, text->length - at, &bare_stops);
        if (at == text->length)
            return !stepi_reads_as_literal(text->bytes, text->length);
        const int n = stepi_utf8_decode(text->bytes + at, text->length - at, &code);
        if (n <= 1 || stepi_must_escape(code))
            return false;
        at += (size_t)n;
    }
}

static void put_string(stepi_out_t *out, const stepi_text_t *text)
{
    if (text->bytes == NULL) {
        stepi_put_literal(out, "null");
    } else if (stepi_logfmt_is_bare(text)) {
        stepi_put(out, text->bytes, text->length);
    } else {
        stepi_put_char(out, '"');
        stepi_put_escaped(out, text, &in_quotes);
        stepi_put_char(out, '"');
    }
}

/* The mark of a cut key has a space in it. */
static void put_key_mark(stepi_out_t *out, const stepi_text_t *key)
{
    char bytes[64];
    stepi_out_t local = stepi_out_over(bytes, sizeof(bytes));
    stepi_put_marker(&local, key);
    const uint32_t length = (uint32_t)(local.at - bytes);
    const stepi_text_t mark = { .bytes = bytes, .length = length, .original = length };
    stepi_put_escaped(out, &mark, &in_keys);
}

static void put_key(stepi_out_t *out, const stepi_text_t *key)
{
    const stepi_text_t whole = { .bytes = key->bytes, .length = key->length, .original = key->length };
    stepi_put_escaped(out, &whole, &in_keys);
    if (stepi_is_cut(key))
        put_key_mark(out, key);
    else if (key->length == 0)
        stepi_put_literal(out, EMPTY_KEY);
}

static const stepi_dialect_t logfmt = {
    .begin = STEPI_PIECE("ts="),
    .levels = STEPI_MEMBER_LEVELS(" level=", " event="),
    .events = STEPI_MEMBER_EVENTS(""),
    .names = STEPI_MEMBER_NAMES(" ", "=", ""),
    .behind_ids = STEPI_PIECE(""),
    .before_key = STEPI_PIECE(" "),
    .behind_key = STEPI_PIECE("="),
    .secret = STEPI_PIECE("***"),
    .end = STEPI_PIECE("\n"),
    .string = put_string,
    .key = put_key,
    .not_finite = stepi_put_shortest,
};

step_format_t *step_format_logfmt_with(const step_logfmt_options_t *options)
{
    return stepi_members_format(&logfmt, options);
}

step_format_t *step_format_logfmt(void)
{
    return step_format_logfmt_with(NULL);
}
