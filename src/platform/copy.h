/* Length and copy of a C string in one pass.
 *
 * Most strings of a log are short. The first 32 bytes from a string's beginning are loaded at once, whatever lies behind its
 * end, unless they reach into the next page, which may not be there. Only the bytes before the terminator count, but all
 * 32 are stored: the destination has room for them.
 *
 * Tools that watch each byte take offence at what lies behind the end; under those it is strnlen() and memcpy(). */
#ifndef STEPI_PLATFORM_COPY_H
#define STEPI_PLATFORM_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define STEPI_COPY_PLAINLY 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__SSE2__)
#define STEPI_COPY_PLAINLY 1
#endif

enum { STEPI_COPY_AHEAD = 32, STEPI_COPY_PAGE = 4096 };

/* Asks for a cache line before it is written to. */
static inline void stepi_prefetch_to_write(const void *line)
{
#if defined(__x86_64__)
    __asm__ volatile("prefetchw %0" : : "m"(*(const char *)line)); /* the builtin is a plain prefetch without -mprfchw */
#else
    __builtin_prefetch(line, 1);
#endif
}

/* A value that is in a register stays there until it is stored, by itself. Compilers like to put two together for one wide
 * store, by way of the stack; but so wide a load has to wait until both narrow stores have left the core, and they stand in
 * line behind all stores to memory that another core has. */
static inline uint64_t stepi_by_itself(uint64_t value)
{
    __asm__("" : "+r"(value));
    return value;
}

/* False under valgrind's memcheck. */
bool stepi_may_over_read(void);

static inline size_t stepi_copy_plainly(char *to, const char *from, size_t max)
{
    const size_t length = strnlen(from, max + 1);
    if (length <= max)
        memcpy(to, from, length);
    return length;
}

#ifdef STEPI_COPY_PLAINLY

static inline size_t stepi_copy_text(char *to, const char *from, size_t max)
{
    return stepi_copy_plainly(to, from, max);
}

#else

#include <emmintrin.h>

/* Copies a string of at most max bytes without its terminator, and returns its length; longer: returns more than max, and
 * what was written means nothing. `to` has room for max + STEPI_COPY_AHEAD bytes. */
static inline size_t stepi_copy_text(char *to, const char *from, size_t max)
{
    if (__builtin_expect(((uintptr_t)from & (STEPI_COPY_PAGE - 1)) > STEPI_COPY_PAGE - STEPI_COPY_AHEAD, 0))
        return stepi_copy_plainly(to, from, max);
    const __m128i first = _mm_loadu_si128((const __m128i *)(const void *)from);
    const __m128i second = _mm_loadu_si128((const __m128i *)(const void *)(from + 16));
    const __m128i zero = _mm_setzero_si128();
    const uint32_t ends = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(first, zero)) |
                          (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(second, zero)) << 16;
    _mm_storeu_si128((__m128i *)(void *)to, first);
    _mm_storeu_si128((__m128i *)(void *)(to + 16), second);
    if (__builtin_expect(ends != 0, 1))
        return (size_t)__builtin_ctz(ends);
    return STEPI_COPY_AHEAD + stepi_copy_plainly(to + STEPI_COPY_AHEAD, from + STEPI_COPY_AHEAD, max - STEPI_COPY_AHEAD);
}

#endif
#endif
