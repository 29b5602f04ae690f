/* RFC 8259, and besides what it asks for: DEL, C1, line separators, bidirectional and zero-width controls as \uXXXX, so
 * that a terminal may show a log; one U+FFFD for each run of bytes that are not UTF-8.
 *
 * JSON has no spelling for "this text was cut" that is not itself text. So the mark is written with the character `…`,
 * and where a user's text reads like the mark, its `…` is written \u2026: the same string to every reader of JSON, and
 * still told apart by those that look at the bytes. Names do without: two spellings of a name would be two members. */
#include "format/json_escape.h"

#include "base/utf8.h"
#include "format/marker.h"

static const stepi_stops_t stops = { .count = 2, .rows = { STEPI_STOP('"'), STEPI_STOP('\\') } };

static void put_code(stepi_out_t *out, uint32_t code)
{
    static const char digits[] = "0123456789abcdef";
    const char text[6] = {
        '\\', 'u', digits[code >> 12 & 15], digits[code >> 8 & 15], digits[code >> 4 & 15], digits[code & 15]
    };
    stepi_put(out, text, sizeof(text));
}

/* What must not stand in a string as it is. */
static void put_escape(stepi_out_t *out, uint32_t code)
{
    static const char letters[128] = {
        ['"'] = '"', ['\\'] = '\\', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't', ['\b'] = 'b', ['\f'] = 'f'
    };
    if (code >= 128 || letters[code] == '\0') {
        put_code(out, code);
        return;
    }
    const char text[2] = { '\\', letters[code] };
    stepi_put(out, text, sizeof(text));
}

/* One U+FFFD for all bytes up to the next good one. Returns how many there were. */
static size_t put_bad_run(stepi_out_t *out, const char *bytes, size_t left)
{
    uint32_t code;
    size_t n = 1;
    while (n < left && stepi_utf8_decode(bytes + n, left - n, &code) == 0)
        n++;
    stepi_put_literal(out, "\xEF\xBF\xBD");
    return n;
}

/* The code point or the bad run at the start of bytes[0..left). Returns its length. */
static size_t put_special(stepi_out_t *out, const char *bytes, size_t left)
{
    uint32_t code;
    const int n = stepi_utf8_decode(bytes, left, &code);
    if (n == 0)
        return put_bad_run(out, bytes, left);
    if (code == '"' || code == '\\' || stepi_must_escape(code))
        put_escape(out, code);
    else
        stepi_put(out, bytes, (size_t)n);
    return (size_t)n;
}

static void put_special_text(stepi_out_t *out, const stepi_text_t *text, size_t at, bool is_name)
{
    size_t n = 0;
    for (; at < text->length; at += n) {
        const char *bytes = text->bytes + at;
        const size_t left = text->length - at;
        n = stepi_plain_prefix(bytes, left, &stops);
        stepi_put(out, bytes, n);
        if (n > 0)
            continue;
        if (!is_name && stepi_starts_like_marker(bytes, left)) {
            put_code(out, 0x2026);
            n = sizeof(STEPI_ELLIPSIS) - 1;
            continue;
        }
        n = put_special(out, bytes, left);
    }
}

static void put_text(stepi_out_t *out, const stepi_text_t *text, bool is_name)
{
    const size_t plain = stepi_plain_prefix(text->bytes, text->length, &stops);
    stepi_put(out, text->bytes, plain);
    if (plain < text->length)
        put_special_text(out, text, plain, is_name);
    if (stepi_is_cut(text))
        stepi_put_marker(out, text);
}

void stepi_json_string(stepi_out_t *out, const stepi_text_t *text)
{
    if (text->bytes == NULL) {
        stepi_put_literal(out, "null");
        return;
    }
    stepi_put_char(out, '"');
    put_text(out, text, false);
    stepi_put_char(out, '"');
}

void stepi_json_name(stepi_out_t *out, const stepi_text_t *text)
{
    put_text(out, text, true);
}
