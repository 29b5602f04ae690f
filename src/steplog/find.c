/* Sixteen places are looked at together: where both the first and the last byte are right, the rest is compared. */
#include "steplog/find.h"

#include <stdbool.h>
#include <string.h>

static bool is_fail(const char *at)
{
    return (at[0] | 0x20) == 'f' && (at[1] | 0x20) == 'a' && (at[2] | 0x20) == 'i' && (at[3] | 0x20) == 'l';
}

enum { FAIL = 4 };

/* Byte by byte: the ends of blocks. */
static const char *find_fail_slowly(const char *at, const char *end, uint64_t *feeds)
{
    for (; at < end; at++) {
        if (end - at >= FAIL && is_fail(at))
            return at;
        *feeds += *at == '\n' ? 1 : 0;
    }
    return NULL;
}

#if defined(__SSE2__)
#include <emmintrin.h>

static inline __m128i load(const char *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

const char *stepi_find(const stepi_finder_t *finder, const char *at, const char *end)
{
    const size_t n = finder->bytes;
    const __m128i first = _mm_set1_epi8(finder->text[0]), last = _mm_set1_epi8(finder->text[n - 1]);
    for (; (size_t)(end - at) >= n + 15; at += 16) {
        const __m128i hits = _mm_and_si128(_mm_cmpeq_epi8(load(at), first), _mm_cmpeq_epi8(load(at + n - 1), last));
        for (unsigned mask = (unsigned)_mm_movemask_epi8(hits); mask != 0; mask &= mask - 1) {
            const char *candidate = at + __builtin_ctz(mask);
            if (memcmp(candidate, finder->text, n) == 0)
                return candidate;
        }
    }
    return memmem(at, (size_t)(end - at), finder->text, n);
}

/* Of the places in a word, those before `bit`. */
static uint64_t count_before(unsigned mask, int bit)
{
    return (uint64_t)__builtin_popcount(mask & ((1u << bit) - 1));
}

const char *stepi_find_fail(const char *at, const char *end, uint64_t *feeds)
{
    const __m128i lower = _mm_set1_epi8(0x20), f = _mm_set1_epi8('f'), l = _mm_set1_epi8('l'), feed = _mm_set1_epi8('\n');
    const __m128i zero = _mm_setzero_si128();
    while (end - at >= 16 * 64 + FAIL) {
        __m128i counts = zero; /* of line feeds, a byte for each lane, which 64 rounds do not fill */
        const char *const stop = at + 16 * 64;
        for (; at < stop; at += 16) {
            const __m128i bytes = load(at);
            const __m128i hits = _mm_and_si128(_mm_cmpeq_epi8(_mm_or_si128(bytes, lower), f),
                                               _mm_cmpeq_epi8(_mm_or_si128(load(at + 3), lower), l));
            unsigned mask = (unsigned)_mm_movemask_epi8(hits);
            for (; mask != 0 && !is_fail(at + __builtin_ctz(mask)); mask &= mask - 1)
                continue;
            const __m128i feeds_here = _mm_cmpeq_epi8(bytes, feed);
            if (mask != 0) {
                const int bit = __builtin_ctz(mask);
                const __m128i sums = _mm_sad_epu8(counts, zero);
                *feeds += (uint64_t)_mm_cvtsi128_si64(sums) + (uint64_t)_mm_cvtsi128_si64(_mm_srli_si128(sums, 8)) +
                          count_before((unsigned)_mm_movemask_epi8(feeds_here), bit);
                return at + bit;
            }
            counts = _mm_sub_epi8(counts, feeds_here);
        }
        const __m128i sums = _mm_sad_epu8(counts, zero);
        *feeds += (uint64_t)_mm_cvtsi128_si64(sums) + (uint64_t)_mm_cvtsi128_si64(_mm_srli_si128(sums, 8));
    }
    return find_fail_slowly(at, end, feeds);
}

#else

const char *stepi_find(const stepi_finder_t *finder, const char *at, const char *end)
{
    return memmem(at, (size_t)(end - at), finder->text, finder->bytes);
}

const char *stepi_find_fail(const char *at, const char *end, uint64_t *feeds)
{
    return find_fail_slowly(at, end, feeds);
}

#endif
