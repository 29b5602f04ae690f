/* Decimal digits of integers. Eight of them are worked out at once, each in a byte of a word: three multiplications take
 * it apart into two numbers of four digits, four of two, and eight of one. The zeros in front are then the word's trailing
 * zero bits, and one store writes a number of any length up to eight. */
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

/* v < 10^8. The first digit is in the lowest byte. The factors are the reciprocals of 100 and 10, rounded up: exact for
 * all that can stand in the lanes, and no lane reaches into the next. */
static inline uint64_t stepi_eight_digits(uint32_t v)
{
    const uint64_t fours = v / 10000 | (uint64_t)(v % 10000) << 32;
    const uint64_t hundreds = (fours * 10486 >> 20) & UINT64_C(0x0000007F0000007F);
    const uint64_t twos = hundreds | (fours - hundreds * 100) << 16;
    const uint64_t tens = (twos * 103 >> 10) & UINT64_C(0x000F000F000F000F);
    return tens | (twos - tens * 10) << 8;
}

/* The text of v < 10^4, with zeros in front; the first digit is in the lowest byte. Two pairs from the table are there sooner than
 * what takes three multiplications one after the other. */
static inline uint32_t stepi_four_characters(uint32_t v)
{
    const uint32_t hundreds = v * 5243 >> 19;
    uint16_t first, last;
    memcpy(&first, stepi_digit_pairs + 2 * (size_t)hundreds, sizeof(first));
    memcpy(&last, stepi_digit_pairs + 2 * (size_t)(v - hundreds * 100), sizeof(last));
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    first = __builtin_bswap16(first);
    last = __builtin_bswap16(last);
#endif
    return first | (uint32_t)last << 16;
}

#define STEPI_ASCII_ZEROS UINT64_C(0x3030303030303030)

/* The lowest byte comes first. */
static inline void stepi_store_8(char *to, uint64_t bytes)
{
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    bytes = __builtin_bswap64(bytes);
#endif
    memcpy(to, &bytes, sizeof(bytes));
}

static inline void stepi_write_8_digits(char *to, uint32_t v)
{
    stepi_store_8(to, stepi_eight_digits(v) | STEPI_ASCII_ZEROS);
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

/* v < 10^8, without zeros in front; 8 bytes are written. Returns the end of the number. */
static inline char *stepi_write_small(char *to, uint32_t v)
{
    if (v < 10) {
        *to = (char)('0' + v);
        return to + 1;
    }
    if (v < 10000) {
        const unsigned length = 2u + (v >= 100) + (v >= 1000);
        stepi_store_8(to, (uint64_t)stepi_four_characters(v) >> 8 * (4 - length));
        return to + length;
    }
    const uint32_t upper = v / 10000;
    const uint64_t text = stepi_four_characters(upper) | (uint64_t)stepi_four_characters(v - upper * 10000) << 32;
    const unsigned length = 5u + (v >= 100000) + (v >= 1000000) + (v >= 10000000);
    stepi_store_8(to, text >> 8 * (8 - length));
    return to + length;
}

/* v / 10^decimals, for 1 to 7 decimals and v < 10^8; 16 bytes are written at most. */
static inline char *stepi_write_scaled(char *to, uint32_t v, unsigned decimals)
{
    const uint64_t digits = stepi_eight_digits(v);
    const uint64_t last_whole = UINT64_C(1) << 8 * (7 - decimals); /* there is a digit before the point, be it 0 */
    const unsigned zeros = (unsigned)__builtin_ctzll(digits | last_whole) / 8;
    const uint64_t text = (digits | STEPI_ASCII_ZEROS) >> 8 * zeros;
    const unsigned whole = 8 - zeros - decimals;
    stepi_store_8(to, text);
    stepi_store_8(to + whole + 1, text >> 8 * whole);
    to[whole] = '.';
    return to + whole + 1 + decimals;
}

/* v / 10 with one decimal, for v < 10^8, as durations have; 10 bytes are written at most. */
static inline char *stepi_write_tenths(char *to, uint32_t v)
{
    const uint32_t whole = v / 10;
    to = stepi_write_small(to, whole);
    to[0] = '.';
    to[1] = (char)('0' + (v - whole * 10));
    return to + 2;
}

enum { STEPI_HUNDRED_MILLION = 100000000 };

/* v >= 10^8. */
char *stepi_write_large(char *to, uint64_t v);

/* At `to`, where there is room for 20 bytes; returns the end of the number. */
static inline char *stepi_write_u64(char *to, uint64_t v)
{
    return v < STEPI_HUNDRED_MILLION ? stepi_write_small(to, (uint32_t)v) : stepi_write_large(to, v);
}

/* The same with a sign: 21 bytes. */
static inline char *stepi_write_i64(char *to, int64_t v)
{
    *to = '-';
    /* Unsigned, because INT64_MIN has no negative. */
    return stepi_write_u64(to + (v < 0), v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
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
