#include "base/utf8.h"

#include <string.h>

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

/* The length that a lead byte announces, 0 for what cannot lead. C0, C1 and F5-FF lead only to
 * overlong forms or beyond U+10FFFF. */
static int announced_length(unsigned lead)
{
    if (lead < 0x80)
        return 1;
    if (lead < 0xC2 || lead > 0xF4)
        return 0;
    return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

int stepi_utf8_decode(const char *text, size_t bytes, uint32_t *code)
{
    static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
    const unsigned lead = (unsigned char)text[0];
    const int length = announced_length(lead);
    if (length == 1) {
        *code = lead;
        return 1;
    }
    if (length == 0 || (size_t)length > bytes)
        return 0;
    uint32_t value = lead & (0x7FU >> length);
    for (int i = 1; i < length; i++) {
        if (!is_continuation(text[i]))
            return 0;
        value = value << 6 | ((unsigned char)text[i] & 0x3FU);
    }
    if (value < least[length] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
        return 0;
    *code = value;
    return length;
}

/* A lead byte is never inside another well-formed code point. So whatever well-formed code point
 * covers the limit is found by looking back, at most three bytes, without reading the text from its
 * start. */
size_t stepi_utf8_cut(const char *text, size_t bytes, size_t limit)
{
    if (limit >= bytes)
        return bytes;
    size_t lead = limit;
    while (lead > 0 && limit - lead < 3 && is_continuation(text[lead]))
        lead--;
    uint32_t code;
    const int length = stepi_utf8_decode(text + lead, bytes - lead, &code);
    return (size_t)length > limit - lead ? lead : limit;
}

bool stepi_must_escape(uint32_t code)
{
    if (code < 0x61C)
        return code < 0x20 || (code >= 0x7F && code <= 0x9F);
    if (code < 0x2000 || code > 0x2069)
        return code == 0x61C || code == 0xFEFF;
    return code == 0x200B || code == 0x200E || code == 0x200F ||
           (code >= 0x2028 && code <= 0x202E) || code >= 0x2066;
}
