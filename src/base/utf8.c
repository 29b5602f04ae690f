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

#if defined(__SSE2__)
#include <emmintrin.h>

/* Up to sixteen bytes as two little-endian numbers; reads nothing beyond them. */
typedef struct sixteen {
    uint64_t low, high;
} sixteen_t;

static inline uint64_t load_4(const char *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

static inline uint64_t load_8(const char *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

/* Two overlapping loads for 4 to 7 bytes, three single ones below. */
static inline uint64_t load_below_8(const char *at, size_t n)
{
    if (n >= 4)
        return load_4(at) | load_4(at + n - 4) << 8 * (n - 4);
    if (n == 0)
        return 0;
    return (uint64_t)(unsigned char)at[0] | (uint64_t)(unsigned char)at[n / 2] << 8 * (n / 2) |
           (uint64_t)(unsigned char)at[n - 1] << 8 * (n - 1);
}

static inline sixteen_t load_below_16(const char *at, size_t n)
{
    if (n <= 8)
        return (sixteen_t){ .low = n == 8 ? load_8(at) : load_below_8(at, n) };
    return (sixteen_t){ .low = load_8(at), .high = load_8(at + n - 8) >> 8 * (16 - n) };
}


/* A bit for each byte that is not plain. As signed numbers, bytes from 80 on are below 20, too. */
static inline uint32_t marks_of(__m128i bytes, const stepi_stops_t *stops)
{
    __m128i found = _mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)), _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F)));
    for (int i = 0; i < stops->count; i++)
        found = _mm_or_si128(found, _mm_cmpeq_epi8(bytes, _mm_loadu_si128((const __m128i *)(const void *)stops->rows[i])));
    return (uint32_t)_mm_movemask_epi8(found);
}

size_t stepi_plain_prefix(const char *text, size_t bytes, const stepi_stops_t *stops)
{
    size_t n = 0;
    for (; bytes - n >= 16; n += 16) {
        const uint32_t marks = marks_of(_mm_loadu_si128((const __m128i *)(const void *)(text + n)), stops);
        if (marks != 0)
            return n + (size_t)__builtin_ctz(marks);
    }
    const sixteen_t rest = load_below_16(text + n, bytes - n);
    const __m128i last = _mm_set_epi64x((long long)rest.high, (long long)rest.low);
    const uint32_t marks = marks_of(last, stops) | 1u << (bytes - n); /* the end is the last stop */
    return n + (size_t)__builtin_ctz(marks);
}

#else

static bool is_plain(char c, const stepi_stops_t *stops)
{
    return (unsigned char)c >= 0x20 && (unsigned char)c <= 0x7E && !stepi_is_stop(stops, c);
}

/* Whether any of eight bytes is outside 20..7E. A byte of 7F or above gets its high bit from adding
 * 1 or has it already; one below 20 loses a borrow to it. Carries between bytes happen only beside
 * such a byte, so they never hide one. */
static bool has_unprintable(uint64_t eight)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    return (((eight + each) | eight | (eight - each * 0x20)) & (each * 0x80)) != 0;
}

static bool has_stop(uint64_t eight, const stepi_stops_t *stops)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t found = 0;
    for (int i = 0; i < stops->count; i++) {
        const uint64_t differing = eight ^ each * stops->rows[i][0]; /* a byte of 0 is a stop */
        found |= (differing - each) & ~differing;
    }
    return (found & (each * 0x80)) != 0;
}

size_t stepi_plain_prefix(const char *text, size_t bytes, const stepi_stops_t *stops)
{
    size_t n = 0;
    for (; bytes - n >= 8; n += 8) {
        uint64_t eight;
        memcpy(&eight, text + n, 8);
        if (has_unprintable(eight) || has_stop(eight, stops))
            break;
    }
    while (n < bytes && is_plain(text[n], stops))
        n++;
    return n;
}

#endif

bool stepi_must_escape(uint32_t code)
{
    if (code < 0x61C)
        return code < 0x20 || (code >= 0x7F && code <= 0x9F);
    if (code < 0x2000 || code > 0x2069)
        return code == 0x61C || code == 0xFEFF;
    return code == 0x200B || code == 0x200E || code == 0x200F ||
           (code >= 0x2028 && code <= 0x202E) || code >= 0x2066;
}
