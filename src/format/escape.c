/* Besides what a format asks for, DEL, C1, line separators, bidirectional and zero-width controls are written \uXXXX, so
 * that a terminal may show a log.
 *
 * Neither JSON nor logfmt has a spelling for "this text was cut" that is not itself text. So the mark is written with the
 * character `…`, and where a user's text reads like the mark, its `…` is written \u2026: the same string to every
 * reader, and still told apart by those that look at the bytes. Names do without: two spellings of a name would be
 * two members. */
#include "format/escape.h"

#include "format/marker.h"

enum { REPLACEMENT = 0xFFFD, ELLIPSIS = 0x2026 };

static void put_code(stepi_out_t *out, uint32_t code)
{
    static const char digits[] = "0123456789abcdef";
    const char text[6] = {
        '\\', 'u', digits[code >> 12 & 15], digits[code >> 8 & 15], digits[code >> 4 & 15], digits[code & 15]
    };
    stepi_put(out, text, sizeof(text));
}

/* What must not stand in a string as it is. */
static void put_escape(stepi_out_t *out, uint32_t code, const stepi_escapes_t *escapes)
{
    if (code >= 128 || escapes->letters[code] == '\0') {
        put_code(out, code);
        return;
    }
    const char text[2] = { '\\', escapes->letters[code] };
    stepi_put(out, text, sizeof(text));
}

static bool stands_for_itself(uint32_t code, const stepi_escapes_t *escapes)
{
    if (code < 128 && stepi_is_stop(&escapes->stops, (char)code))
        return false;
    return !stepi_must_escape(code) && !(escapes->escapes_fffd && code == REPLACEMENT);
}

/* How many bytes at the start are no UTF-8, up to the next good one. */
static size_t bad_run(const char *bytes, size_t left)
{
    uint32_t code;
    size_t n = 1;
    while (n < left && stepi_utf8_decode(bytes + n, left - n, &code) == 0)
        n++;
    return n;
}

/* The code point or the bad run at the start of bytes[0..left). Returns its length. */
static size_t put_special(stepi_out_t *out, const char *bytes, size_t left, const stepi_escapes_t *escapes)
{
    static const char replacement[] = "\xEF\xBF\xBD";
    uint32_t code;
    size_t n = (size_t)stepi_utf8_decode(bytes, left, &code);
    const bool is_bad = n == 0;
    if (is_bad) {
        n = bad_run(bytes, left);
        code = REPLACEMENT;
    }
    if (escapes->tells_marks && stepi_starts_like_marker(bytes, left))
        put_code(out, ELLIPSIS);
    else if (stands_for_itself(code, escapes))
        stepi_put(out, is_bad ? replacement : bytes, is_bad ? sizeof(replacement) - 1 : n);
    else
        put_escape(out, code, escapes);
    return n;
}

void stepi_put_escaped_from(stepi_out_t *out, const stepi_text_t *text, size_t plain, const stepi_escapes_t *escapes)
{
    size_t at = plain;
    stepi_put(out, text->bytes, plain);
    while (at < text->length) {
        at += put_special(out, text->bytes + at, text->length - at, escapes);
        const size_t more = stepi_plain_prefix(text->bytes + at, text->length - at, &escapes->stops);
        stepi_put(out, text->bytes + at, more);
        at += more;
    }
    if (stepi_is_cut(text))
        stepi_put_marker(out, text);
}
