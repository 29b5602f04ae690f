/* Many places are looked at together: where both the first and the last byte are right, the rest is compared. */
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

#if defined(__x86_64__)
#include <immintrin.h>

/* The same loops for 16 and for 32 bytes at once: which of them runs, the processor says. Of "fail" the f and the i are looked
 * for: `f.i` is rarer than `f..l`, which is in every `full`. */

static inline __attribute__((always_inline)) __m128i load_16(const char *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

static const char *find_16(const stepi_finder_t *finder, const char *at, const char *end)
{
    const size_t n = finder->bytes;
    const __m128i first = _mm_set1_epi8(finder->text[0]), last = _mm_set1_epi8(finder->text[n - 1]);
    for (; (size_t)(end - at) >= n + 15; at += 16) {
        const __m128i hits =
            _mm_and_si128(_mm_cmpeq_epi8(load_16(at), first), _mm_cmpeq_epi8(load_16(at + n - 1), last));
        for (unsigned mask = (unsigned)_mm_movemask_epi8(hits); mask != 0; mask &= mask - 1) {
            const char *candidate = at + __builtin_ctz(mask);
            if (memcmp(candidate, finder->text, n) == 0)
                return candidate;
        }
    }
    return memmem(at, (size_t)(end - at), finder->text, n);
}

static const char *find_fail_16(const char *at, const char *end, uint64_t *feeds)
{
    const __m128i lower = _mm_set1_epi8(0x20), f = _mm_set1_epi8('f'), i = _mm_set1_epi8('i'),
                  feed = _mm_set1_epi8('\n');
    for (; end - at >= 16 + FAIL; at += 16) {
        const __m128i bytes = load_16(at);
        const __m128i hits = _mm_and_si128(_mm_cmpeq_epi8(_mm_or_si128(bytes, lower), f),
                                           _mm_cmpeq_epi8(_mm_or_si128(load_16(at + 2), lower), i));
        const unsigned here = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, feed));
        unsigned mask = (unsigned)_mm_movemask_epi8(hits);
        while (mask != 0 && !is_fail(at + __builtin_ctz(mask)))
            mask &= mask - 1;
        if (mask != 0) {
            *feeds += (uint64_t)__builtin_popcount(here & ((mask & -mask) - 1));
            return at + __builtin_ctz(mask);
        }
        *feeds += (uint64_t)__builtin_popcount(here);
    }
    return find_fail_slowly(at, end, feeds);
}

__attribute__((target("avx2"))) static const char *find_32(const stepi_finder_t *finder, const char *at,
                                                           const char *end)
{
    const size_t n = finder->bytes;
    const __m256i first = _mm256_set1_epi8(finder->text[0]), last = _mm256_set1_epi8(finder->text[n - 1]);
    for (; (size_t)(end - at) >= n + 31; at += 32) {
        const __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)at);
        const __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(at + n - 1));
        const __m256i hits = _mm256_and_si256(_mm256_cmpeq_epi8(a, first), _mm256_cmpeq_epi8(b, last));
        for (unsigned mask = (unsigned)_mm256_movemask_epi8(hits); mask != 0; mask &= mask - 1) {
            const char *candidate = at + __builtin_ctz(mask);
            if (memcmp(candidate, finder->text, n) == 0)
                return candidate;
        }
    }
    return find_16(finder, at, end);
}

__attribute__((target("avx2,popcnt"))) static const char *find_fail_32(const char *at, const char *end, uint64_t *feeds)
{
    const __m256i lower = _mm256_set1_epi8(0x20), f = _mm256_set1_epi8('f'), i = _mm256_set1_epi8('i');
    const __m256i feed = _mm256_set1_epi8('\n');
    uint64_t counted = 0;
    for (; end - at >= 32 + FAIL; at += 32) {
        const __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)at);
        const __m256i later = _mm256_loadu_si256((const __m256i *)(const void *)(at + 2));
        const __m256i hits = _mm256_and_si256(_mm256_cmpeq_epi8(_mm256_or_si256(bytes, lower), f),
                                              _mm256_cmpeq_epi8(_mm256_or_si256(later, lower), i));
        const unsigned here = (unsigned)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, feed));
        unsigned mask = (unsigned)_mm256_movemask_epi8(hits);
        while (mask != 0 && !is_fail(at + __builtin_ctz(mask)))
            mask &= mask - 1;
        if (mask != 0) {
            *feeds += counted + (uint64_t)__builtin_popcount(here & ((mask & -mask) - 1));
            return at + __builtin_ctz(mask);
        }
        counted += (uint64_t)__builtin_popcount(here);
    }
    *feeds += counted;
    return find_fail_16(at, end, feeds);
}

const char *stepi_find(const stepi_finder_t *finder, const char *at, const char *end)
{
    return __builtin_cpu_supports("avx2") ? find_32(finder, at, end) : find_16(finder, at, end);
}

const char *stepi_find_fail(const char *at, const char *end, uint64_t *feeds)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt") ? find_fail_32(at, end, feeds)
                                                                              : find_fail_16(at, end, feeds);
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
