/* Products of two 64-bit numbers, as two words so that nothing else needs a 128-bit type. */
#ifndef STEPI_BASE_WIDE_H
#define STEPI_BASE_WIDE_H

#include <stdint.h>

typedef struct stepi_wide {
    uint64_t high;
    uint64_t low;
} stepi_wide_t;

#ifdef __SIZEOF_INT128__

__extension__ typedef unsigned __int128 stepi_uint128_t;

static inline stepi_wide_t stepi_multiply(uint64_t a, uint64_t b)
{
    const stepi_uint128_t product = (stepi_uint128_t)a * b;
    return (stepi_wide_t){ .high = (uint64_t)(product >> 64), .low = (uint64_t)product };
}

#else

static inline stepi_wide_t stepi_multiply(uint64_t a, uint64_t b)
{
    const uint64_t a_high = a >> 32;
    const uint64_t a_low = a & UINT32_MAX;
    const uint64_t b_high = b >> 32;
    const uint64_t b_low = b & UINT32_MAX;
    /* Neither sum can wrap: (2^32 - 1)^2 + 2 (2^32 - 1) = 2^64 - 1. */
    const uint64_t first = a_high * b_low + ((a_low * b_low) >> 32);
    const uint64_t second = a_low * b_high + (first & UINT32_MAX);
    return (stepi_wide_t){ .high = a_high * b_high + (first >> 32) + (second >> 32), .low = a * b };
}

#endif

static inline stepi_wide_t stepi_wide_add(stepi_wide_t a, stepi_wide_t b)
{
    const uint64_t low = a.low + b.low;
    return (stepi_wide_t){ .high = a.high + b.high + (low < a.low), .low = low };
}

/* The low word of v >> bits, for 1 <= bits <= 127. */
static inline uint64_t stepi_wide_shift_right(stepi_wide_t v, int bits)
{
    if (bits >= 64)
        return v.high >> (bits - 64);
    return (v.high << (64 - bits)) | (v.low >> bits);
}

#endif
