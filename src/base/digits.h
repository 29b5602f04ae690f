/* Decimal digits of integers, two at a time: a table of pairs halves the divisions. Eight digits
 * are worked out in 32 bits, so that only one 64-bit division by a constant stands between one
 * group of eight and the next. */
#ifndef STEPI_BASE_DIGITS_H
#define STEPI_BASE_DIGITS_H

#include "base/out.h"

#include <stdint.h>

extern const char stepi_digit_pairs[201];      /* "000102...99" */
extern const uint64_t stepi_powers_of_ten[20]; /* up to 10^19 */

static inline void stepi_write_pair(char *to, uint32_t v)
{
    memcpy(to, stepi_digit_pairs + 2 * (size_t)v, 2);
}

static inline void stepi_write_8_digits(char *to, uint32_t v)
{
    const uint32_t upper = v / 10000;
    const uint32_t lower = v % 10000;
    stepi_write_pair(to, upper / 100);
    stepi_write_pair(to + 2, upper % 100);
    stepi_write_pair(to + 4, lower / 100);
    stepi_write_pair(to + 6, lower % 100);
}

/* Exactly n digits, with zeros in front; v < 10^n. */
static inline void stepi_write_digits(char *to, uint64_t v, int n)
{
    while (n >= 8) {
        n -= 8;
        stepi_write_8_digits(to + n, (uint32_t)(v % 100000000));
        v /= 100000000;
    }
    uint32_t rest = (uint32_t)v;
    while (n >= 2) {
        n -= 2;
        stepi_write_pair(to + n, rest % 100);
        rest /= 100;
    }
    if (n > 0)
        *to = (char)('0' + rest);
}

/* 1 for 0. The power compared with is chosen by the bit length: 1233 / 4096 is log10(2), closely
 * enough for 64 bits. */
static inline int stepi_count_digits(uint64_t v)
{
    const int bits = 64 - __builtin_clzll(v | 1);
    const int guess = (bits * 1233) >> 12;
    return guess + ((v | 1) >= stepi_powers_of_ten[guess]);
}

/* Returns the end of what it wrote. */
static inline char *stepi_write_u64(char *to, uint64_t v)
{
    const int n = stepi_count_digits(v);
    stepi_write_digits(to, v, n);
    return to + n;
}

/* Where to build a text of at most n bytes: in place when there is room for the worst case, else in
 * `local`, from where stepi_scratch_end() copies what proves to fit. */
static inline char *stepi_scratch(const stepi_out_t *out, char *local, size_t n)
{
    return (size_t)(out->end - out->at) >= n ? out->at : local;
}

static inline void stepi_scratch_end(stepi_out_t *out, const char *begin, char *end)
{
    if (begin == out->at)
        out->at = end;
    else
        stepi_put(out, begin, (size_t)(end - begin));
}

#endif
