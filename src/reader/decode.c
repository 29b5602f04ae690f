#include "reader/decode.h"

#include "format/marker.h"

enum { REPLACEMENT = 0xFFFD };

/* A text that is being decoded. */
typedef struct decoder {
    stepi_span_t from;
    char *to;
} decoder_t;

static void put_code(decoder_t *d, uint32_t code)
{
    if (code < 0x80) {
        *d->to++ = (char)code;
        return;
    }
    if (code < 0x800) {
        *d->to++ = (char)(0xC0 | code >> 6);
    } else {
        if (code < 0x10000) {
            *d->to++ = (char)(0xE0 | code >> 12);
        } else {
            *d->to++ = (char)(0xF0 | code >> 18);
            *d->to++ = (char)(0x80 | (code >> 12 & 0x3F));
        }
        *d->to++ = (char)(0x80 | (code >> 6 & 0x3F));
    }
    *d->to++ = (char)(0x80 | (code & 0x3F));
}

static bool take_hex(stepi_span_t *s, int digits, uint32_t *code)
{
    if (stepi_span_bytes(*s) < (size_t)digits)
        return false;
    *code = 0;
    for (int i = 0; i < digits; i++) {
        const char c = s->at[i], lower = (char)(c | 0x20);
        if (stepi_is_digit(c))
            *code = *code * 16 + (uint32_t)(c - '0');
        else if (lower >= 'a' && lower <= 'f')
            *code = *code * 16 + (uint32_t)(lower - 'a' + 10);
        else
            return false;
    }
    s->at += digits;
    return true;
}

/* ---- Text lines ---- */

static char meant_by(char letter)
{
    static const char letters[] = "nrt", meant[] = "\n\r\t";
    const char *found = memchr(letters, letter, sizeof(letters) - 1);
    return found != NULL ? meant[found - letters] : letter;
}

/* What follows a backslash. */
static void decode_text_escape(decoder_t *d)
{
    uint32_t code;
    if (d->from.at == d->from.end) {
        *d->to++ = '\\';
        return;
    }
    const char c = *d->from.at;
    stepi_span_t rest = { d->from.at + 1, d->from.end };
    if (c == 'x' && take_hex(&rest, 2, &code))
        *d->to++ = (char)code;
    else if (c == 'u' && take_hex(&rest, 4, &code))
        put_code(d, code >= 0xD800 && code <= 0xDFFF ? REPLACEMENT : code);
    else
        *d->to++ = meant_by(c);
    d->from.at = rest.at;
}

/* ---- JSON strings ---- */

/* Four digits behind \u, and those of a second half. A half alone is a replacement character. */
static bool decode_unicode(decoder_t *d, stepi_span_t rest)
{
    uint32_t code, low;
    if (!take_hex(&rest, 4, &code))
        return false;
    d->from.at = rest.at;
    if (code >= 0xD800 && code <= 0xDBFF && STEPI_TAKE(&rest, "\\u") && take_hex(&rest, 4, &low) && low >= 0xDC00 &&
        low <= 0xDFFF) {
        d->from.at = rest.at;
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else if (code >= 0xD800 && code <= 0xDFFF) {
        code = REPLACEMENT;
    }
    put_code(d, code);
    return true;
}

static void decode_json_escape(decoder_t *d)
{
    static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
    if (d->from.at == d->from.end) {
        *d->to++ = '\\';
        return;
    }
    const char c = *d->from.at;
    if (c == 'u' && decode_unicode(d, (stepi_span_t){ d->from.at + 1, d->from.end }))
        return;
    const char *letter = memchr(letters, c, sizeof(letters) - 1);
    *d->to++ = letter != NULL ? meant[letter - letters] : c;
    d->from.at++;
}

/* ---- Cut text ---- */

/* The mark that ends the text, if there is one: its `…` has no backslash of its own. */
static const char *find_mark(stepi_span_t s, uint64_t *original)
{
    stepi_span_t t = s;
    if (!STEPI_TAKE_LAST(&t, " bytes]"))
        return NULL;
    const char *digits = t.end;
    while (digits > t.at && stepi_is_digit(digits[-1]) && t.end - digits < 19)
        digits--;
    *original = 0;
    for (const char *at = digits; at < t.end; at++)
        *original = *original * 10 + (uint64_t)(*at - '0');
    if (digits == t.end)
        return NULL;
    t.end = digits;
    if (!STEPI_TAKE_LAST(&t, STEPI_ELLIPSIS "["))
        return NULL;
    const char *backslash = t.end;
    while (backslash > t.at && backslash[-1] == '\\')
        backslash--;
    return (t.end - backslash) % 2 == 0 ? t.end : NULL;
}

/* Keys of logfmt have no spaces. */
static const char *find_key_mark(stepi_span_t s, uint64_t *original)
{
    char copy[64];
    stepi_span_t t = s;
    if (!STEPI_TAKE_LAST(&t, "\\u0020bytes]"))
        return NULL;
    const size_t bytes = stepi_span_bytes(t) < 32 ? stepi_span_bytes(t) : 32;
    memcpy(copy, t.end - bytes, bytes);
    memcpy(copy + bytes, " bytes]", 7);
    const char *found = find_mark((stepi_span_t){ copy, copy + bytes + 7 }, original);
    return found != NULL ? t.end - bytes + (found - copy) : NULL;
}

static void decode_all(decoder_t *d, stepi_spelling_t spelling)
{
    while (d->from.at < d->from.end) {
        const char *backslash = memchr(d->from.at, '\\', stepi_span_bytes(d->from));
        const size_t plain = (size_t)((backslash != NULL ? backslash : d->from.end) - d->from.at);
        memcpy(d->to, d->from.at, plain);
        d->to += plain;
        d->from.at += plain;
        if (backslash == NULL)
            return;
        d->from.at++;
        if (spelling == STEPI_SPELLED_TEXT)
            decode_text_escape(d);
        else
            decode_json_escape(d);
    }
}

stepi_text_t stepi_decode_into(char *to, const stepi_value_t *value)
{
    decoder_t d = { .from = stepi_value_span(value), .to = to };
    uint64_t original = 0;
    if (value->type == STEPI_VALUE_NULL)
        return (stepi_text_t){ .bytes = NULL };
    if (value->type != STEPI_VALUE_STRING || value->spelling == STEPI_SPELLED_PLAIN)
        return (stepi_text_t){ .bytes = value->at, .length = value->bytes, .original = value->bytes };
    if (value->spelling == STEPI_SPELLED_KEY && value->bytes == 1 && *value->at == '\\')
        return (stepi_text_t){ .bytes = to, .length = 0, .original = 0 };
    const char *mark =
        value->spelling == STEPI_SPELLED_KEY ? find_key_mark(d.from, &original) : find_mark(d.from, &original);
    if (mark == NULL && memchr(value->at, '\\', value->bytes) == NULL)
        return (stepi_text_t){ .bytes = value->at, .length = value->bytes, .original = value->bytes };
    if (mark != NULL)
        d.from.end = mark;
    decode_all(&d, (stepi_spelling_t)value->spelling);
    const size_t length = (size_t)(d.to - to);
    if (mark != NULL && original <= length) { /* no text was ever cut so: somebody's own words */
        d.from = (stepi_span_t){ mark, value->at + value->bytes };
        decode_all(&d, (stepi_spelling_t)value->spelling);
    }
    const size_t bytes = (size_t)(d.to - to);
    return (stepi_text_t){ .bytes = to,
                           .length = (uint32_t)bytes,
                           .original = mark != NULL && original > length ? original : bytes };
}
