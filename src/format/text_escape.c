/* Escapes are chosen so that a reader needs no memory of what it has read:
 *
 *     ` (` begins a field list    in prose, a `(` after a space that `key=` or a quote follows is written `\(`
 *     ` - FAILED: ` and such      in prose, the `-` is written `\-`
 *     `\`                         never stands for itself: a reader turns `\` and what follows into one character
 *     `…[70000 bytes]`            the mark of a cut text; a user's is written `\…[`
 *
 * so the structure of a line can be found by plain search, before anything is unescaped. A place where prose begins
 * counts as "after a space": there is one in the line. Every rule looks ahead only as far as the next character that
 * it cannot skip, so the whole is linear. */
#include "format/text_escape.h"

#include "base/plain.h"
#include "format/marker.h"
#include "format/text_guess.h"

static const stepi_stops_t prose_stops = { .count = 3, .rows = { STEPI_STOP('\\'), STEPI_STOP('('), STEPI_STOP('-') } };
static const stepi_stops_t quoted_stops = { .count = 2, .rows = { STEPI_STOP('\\'), STEPI_STOP('"') } };
static const stepi_stops_t bare_stops = { .count = 7, .rows = { STEPI_STOP(' '), STEPI_STOP('='), STEPI_STOP('"'), STEPI_STOP('('), STEPI_STOP(')'), STEPI_STOP(','), STEPI_STOP('\\') } };

static const char hex_digits[] = "0123456789abcdef";

static void put_code(stepi_out_t *out, uint32_t code)
{
    char *at = stepi_room(out, 6);
    if (at == NULL)
        return;
    at[0] = '\\';
    at[1] = 'u';
    for (int i = 0; i < 4; i++)
        at[2 + i] = hex_digits[code >> (12 - 4 * i) & 15];
    out->at += 6;
}

static void put_byte(stepi_out_t *out, unsigned char byte)
{
    const char text[4] = { '\\', 'x', hex_digits[byte >> 4], hex_digits[byte & 15] };
    stepi_put(out, text, sizeof(text));
}

static void put_escaped(stepi_out_t *out, char c)
{
    const char text[2] = { '\\', c };
    stepi_put(out, text, sizeof(text));
}

static void put_control(stepi_out_t *out, uint32_t code)
{
    if (code == '\n')
        put_escaped(out, 'n');
    else if (code == '\r')
        put_escaped(out, 'r');
    else if (code == '\t')
        put_escaped(out, 't');
    else
        put_code(out, code);
}

/* Writes what cannot simply be copied: the code point or bad byte at the start of bytes[0..left). Returns how many
 * bytes of it are done. */
static size_t put_special(stepi_out_t *out, const char *bytes, size_t left)
{
    uint32_t code;
    const int n = stepi_utf8_decode(bytes, left, &code);
    if (n == 0) {
        put_byte(out, (unsigned char)bytes[0]);
        return 1;
    }
    if (stepi_must_escape(code)) {
        put_control(out, code);
        return (size_t)n;
    }
    if (code == '\\' || code == '"' || stepi_starts_like_marker(bytes, left))
        stepi_put_char(out, '\\');
    stepi_put(out, bytes, (size_t)n);
    return (size_t)n;
}

/* ---- Prose ---- */

static bool after_space(const stepi_text_t *text, size_t at)
{
    return at == 0 || text->bytes[at - 1] == ' ';
}

/* Whether the `(` at `at` is followed by what could be a field list: a quote, or a bare key and `=`. */
static bool opens_list(const stepi_text_t *text, size_t at)
{
    size_t i = at + 1;
    if (i < text->length && text->bytes[i] == '"')
        return true;
    while (i < text->length && ((text->bytes[i] & 0x80) != 0 || !stepi_is_stop(&bare_stops, text->bytes[i])))
        i++;
    return i > at + 1 && i < text->length && text->bytes[i] == '=';
}

static bool separates(const stepi_text_t *text, size_t at)
{
    return stepi_is_separator(text->bytes + at, text->length - at);
}

/* The same for prose, where `(` and `-` matter too. */
static size_t put_special_prose(stepi_out_t *out, const stepi_text_t *text, size_t at)
{
    const char c = text->bytes[at];
    if (c != '(' && c != '-')
        return put_special(out, text->bytes + at, text->length - at);
    const bool structural = after_space(text, at) && (c == '(' ? opens_list(text, at) : separates(text, at));
    if (structural)
        put_escaped(out, c);
    else
        stepi_put_char(out, c);
    return 1;
}

/* text[at..end), where the rules may look at all of the text. */
static void put_prose(stepi_out_t *out, const stepi_text_t *text, size_t at, size_t end)
{
    while (at < end) {
        const size_t plain = stepi_plain_prefix(text->bytes + at, end - at, &prose_stops);
        stepi_put(out, text->bytes + at, plain);
        at += plain;
        if (at < end)
            at += put_special_prose(out, text, at);
    }
}

#define PUT_SPACE(out) stepi_put_literal(out, "\\u0020")

void stepi_text_prose(stepi_out_t *out, const stepi_text_t *text, bool leads)
{
    if (text->bytes == NULL) {
        stepi_put_literal(out, "null");
        return;
    }
    const size_t length = text->length;
    const size_t first = length > 0 && text->bytes[0] == ' ' ? 1 : 0;
    const size_t last = length > first && text->bytes[length - 1] == ' ' ? 1 : 0;
    if (first > 0)
        PUT_SPACE(out);
    if (leads && stepi_reads_as_structure(text->bytes, length))
        stepi_put_char(out, '\\');
    put_prose(out, text, first, length - last);
    if (last > 0)
        PUT_SPACE(out);
    if (stepi_is_cut(text))
        stepi_put_marker(out, text);
}

/* ---- Keys and values ---- */

static void put_quoted(stepi_out_t *out, const stepi_text_t *text)
{
    stepi_put_char(out, '"');
    for (size_t at = 0; at < text->length;) {
        const size_t plain = stepi_plain_prefix(text->bytes + at, text->length - at, &quoted_stops);
        stepi_put(out, text->bytes + at, plain);
        at += plain;
        if (at < text->length)
            at += put_special(out, text->bytes + at, text->length - at);
    }
    if (stepi_is_cut(text))
        stepi_put_marker(out, text);
    stepi_put_char(out, '"');
}

/* Whether the text from `at` on, a place where a plain prefix ended, may stand without quotes. */
static bool is_bare_from(const stepi_text_t *text, size_t at)
{
    while (at < text->length) {
        uint32_t code;
        const char *bytes = text->bytes + at;
        const size_t left = text->length - at;
        const int n = stepi_utf8_decode(bytes, left, &code);
        if (n <= 1 || stepi_must_escape(code) || stepi_starts_like_marker(bytes, left))
            return false;
        at += (size_t)n;
        at += stepi_plain_prefix(text->bytes + at, text->length - at, &bare_stops);
    }
    return true;
}

static bool is_bare(const stepi_text_t *text)
{
    if (text->length == 0 || stepi_is_cut(text))
        return false;
    const size_t plain = stepi_plain_prefix(text->bytes, text->length, &bare_stops);
    return plain == text->length || is_bare_from(text, plain);
}

void stepi_text_key(stepi_out_t *out, const stepi_text_t *key, bool quote)
{
    if (!quote && is_bare(key))
        stepi_put(out, key->bytes, key->length);
    else
        put_quoted(out, key);
}

char *stepi_text_short_value(char *to, const char *bytes, size_t length)
{
    const bool is_short = length - 1 < STEPI_SHORT_VALUE; /* and not empty */
    if (!is_short || !stepi_copy_plain(to, bytes, length, &bare_stops))
        return NULL;
    if (__builtin_expect(stepi_may_be_literal(bytes[0]), 0) && stepi_reads_as_literal(bytes, length))
        return NULL;
    return to + length;
}

static inline bool put_short(stepi_out_t *out, const stepi_text_t *value)
{
    if (stepi_is_cut(value) || out->end - out->at < STEPI_SHORT_VALUE)
        return false;
    char *const end = stepi_text_short_value(out->at, value->bytes, value->length);
    out->at = end != NULL ? end : out->at;
    return end != NULL;
}

void stepi_text_value(stepi_out_t *out, const stepi_text_t *value)
{
    if (value->bytes == NULL)
        stepi_put_literal(out, "null");
    else if (put_short(out, value))
        return;
    else if (is_bare(value) && !stepi_reads_as_literal(value->bytes, value->length))
        stepi_put(out, value->bytes, value->length);
    else
        put_quoted(out, value);
}
