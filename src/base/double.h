/* The parts of an IEEE 754 binary64: |v| = mantissa * 2^exponent. */
#ifndef STEPI_BASE_DOUBLE_H
#define STEPI_BASE_DOUBLE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { STEPI_EXPONENT_MIN = -1074, STEPI_EXPONENT_MAX = 971 };

typedef struct stepi_double {
    uint64_t mantissa; /* < 2^53; for what is not finite, 2^52 or, for a NaN, more */
    int exponent;      /* above STEPI_EXPONENT_MAX: not finite */
    bool is_negative;
} stepi_double_t;

static inline stepi_double_t stepi_double_split(double v)
{
    const uint64_t hidden = UINT64_C(1) << 52;
    uint64_t bits;
    _Static_assert(sizeof(bits) == sizeof(v), "double is binary64");
    memcpy(&bits, &v, sizeof(bits));
    const int biased = (int)(bits >> 52) & 0x7FF;
    const uint64_t fraction = bits & (hidden - 1);
    return (stepi_double_t){
        .mantissa = biased != 0 ? fraction | hidden : fraction,
        .exponent = STEPI_EXPONENT_MIN - 1 + (biased != 0 ? biased : 1),
        .is_negative = bits >> 63 != 0,
    };
}

#endif
