/* The fast path of every escaper: how much of a text may be copied as it is.
 *
 * In a header, because with stops that the compiler knows each becomes one comparison of sixteen bytes with a constant. */
#ifndef STEPI_BASE_PLAIN_H
#define STEPI_BASE_PLAIN_H

#include "base/utf8.h"

#include <string.h>

#if defined(__SSE2__)

#include <emmintrin.h>

/* Up to sixteen bytes as two little-endian numbers; reads nothing beyond them. */
typedef struct stepi_sixteen {
    uint64_t low, high;
} stepi_sixteen_t;

static inline uint64_t stepi_load_4(const char *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

static inline uint64_t stepi_load_8(const char *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

/* Two overlapping loads for 4 to 7 bytes, three single ones below. */
static inline uint64_t stepi_load_below_8(const char *at, size_t n)
{
    if (n >= 4)
        return stepi_load_4(at) | stepi_load_4(at + n - 4) << 8 * (n - 4);
    if (n == 0)
        return 0;
    return (uint64_t)(unsigned char)at[0] | (uint64_t)(unsigned char)at[n / 2] << 8 * (n / 2) |
           (uint64_t)(unsigned char)at[n - 1] << 8 * (n - 1);
}

static inline stepi_sixteen_t stepi_load_below_16(const char *at, size_t n)
{
    if (n <= 8)
        return (stepi_sixteen_t){ .low = n == 8 ? stepi_load_8(at) : stepi_load_below_8(at, n) };
    return (stepi_sixteen_t){ .low = stepi_load_8(at), .high = stepi_load_8(at + n - 8) >> 8 * (16 - n) };
}

/* A bit for each byte that is not plain. As signed numbers, bytes from 80 on are below 20, too. */
static inline uint32_t stepi_marks_of(__m128i bytes, const stepi_stops_t *stops)
{
    __m128i found = _mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)), _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F)));
#pragma GCC unroll 8
    for (int i = 0; i < stops->count; i++)
        found = _mm_or_si128(found, _mm_cmpeq_epi8(bytes, _mm_loadu_si128((const __m128i *)(const void *)stops->rows[i])));
    return (uint32_t)_mm_movemask_epi8(found);
}

/* The length of the prefix that is printable ASCII without any of `stops`. */
static inline size_t stepi_plain_prefix(const char *text, size_t bytes, const stepi_stops_t *stops)
{
    size_t n = 0;
    for (; bytes - n >= 16; n += 16) {
        const uint32_t marks = stepi_marks_of(_mm_loadu_si128((const __m128i *)(const void *)(text + n)), stops);
        if (marks != 0)
            return n + (size_t)__builtin_ctz(marks);
    }
    const stepi_sixteen_t rest = stepi_load_below_16(text + n, bytes - n);
    const __m128i last = _mm_set_epi64x((long long)rest.high, (long long)rest.low);
    const uint32_t marks = stepi_marks_of(last, stops) | 1u << (bytes - n); /* the end is the last stop */
    return n + (size_t)__builtin_ctz(marks);
}

/* Copies a text of 1 to 16 bytes to where there is room for 16, if all of it is plain. */
static inline bool stepi_copy_plain(char *to, const char *text, size_t bytes, const stepi_stops_t *stops)
{
    const stepi_sixteen_t all = bytes < 16 ? stepi_load_below_16(text, bytes)
                                           : (stepi_sixteen_t){ .low = stepi_load_8(text), .high = stepi_load_8(text + 8) };
    const __m128i sixteen = _mm_set_epi64x((long long)all.high, (long long)all.low);
    _mm_storeu_si128((__m128i *)(void *)to, sixteen);
    const uint32_t behind = ~0u << bytes;
    return (stepi_marks_of(sixteen, stops) & ~behind) == 0;
}

#else

static inline bool stepi_is_plain(char c, const stepi_stops_t *stops)
{
    return (unsigned char)c >= 0x20 && (unsigned char)c <= 0x7E && !stepi_is_stop(stops, c);
}

/* Whether any of eight bytes is outside 20..7E. A byte of 7F or above gets its high bit from adding
 * 1 or has it already; one below 20 loses a borrow to it. Carries between bytes happen only beside
 * such a byte, so they never hide one. */
static inline bool stepi_has_unprintable(uint64_t eight)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    return (((eight + each) | eight | (eight - each * 0x20)) & (each * 0x80)) != 0;
}

static inline bool stepi_has_stop(uint64_t eight, const stepi_stops_t *stops)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t found = 0;
    for (int i = 0; i < stops->count; i++) {
        const uint64_t differing = eight ^ each * stops->rows[i][0]; /* a byte of 0 is a stop */
        found |= (differing - each) & ~differing;
    }
    return (found & (each * 0x80)) != 0;
}

static inline size_t stepi_plain_prefix(const char *text, size_t bytes, const stepi_stops_t *stops)
{
    size_t n = 0;
    for (; bytes - n >= 8; n += 8) {
        uint64_t eight;
        memcpy(&eight, text + n, 8);
        if (stepi_has_unprintable(eight) || stepi_has_stop(eight, stops))
            break;
    }
    while (n < bytes && stepi_is_plain(text[n], stops))
        n++;
    return n;
}

static inline bool stepi_copy_plain(char *to, const char *text, size_t bytes, const stepi_stops_t *stops)
{
    if (stepi_plain_prefix(text, bytes, stops) < bytes)
        return false;
    memcpy(to, text, bytes);
    return true;
}

#endif

#endif
