/* Doubles with a fixed number of decimals, rounded from the exact binary value, ties to even.
 *
 * Only values below 10^21 come here, and that makes exactness cheap. With |v| = c / 2^n, the part
 * after the point is f / 2^n with f < 2^53, and 10^17 < 2^57: f * 10^decimals fits in 110 bits, so
 * one product and one shift give every digit and the remainder. No tables, no loops, no big
 * integers; some 100 bytes of stack. */
#include "base/digits.h"
#include "base/double.h"
#include "base/number.h"
#include "base/wide.h"

enum {
    DECIMALS_MAX = 17, /* with them a number has a sign, 21 digits, a point, and 17 digits */
    FEW_DECIMALS = 3,
    FEW_SHIFT_MAX = 62,
};

/* round(fraction * 10^decimals / 2^shift) for shift >= 1; `is_odd` is the parity of the digit
 * before the point, to which a tie looks when there are no decimals. */
static uint64_t round_fraction(uint64_t fraction, int shift, int decimals, bool is_odd)
{
    if (shift > 127)
        return 0; /* the product is below 2^110, less than half a unit */
    const stepi_wide_t product = stepi_multiply(fraction, stepi_powers_of_ten[decimals]);
    if (decimals > 0)
        is_odd = stepi_wide_shift_right(product, shift) % 2 != 0;
    /* Just under a half pushes everything above a half over the edge; one more does so for a tie
     * below an odd digit. */
    const stepi_wide_t half = {
        .high = shift > 64 ? UINT64_C(1) << (shift - 65) : 0,
        .low = shift > 64 ? 0 : UINT64_C(1) << (shift - 1),
    };
    const stepi_wide_t under_half = { .high = half.high - (half.low == 0), .low = half.low - 1 };
    const stepi_wide_t odd = { .high = 0, .low = is_odd };
    return stepi_wide_shift_right(stepi_wide_add(stepi_wide_add(product, under_half), odd), shift);
}

/* mantissa * 2^exponent below 10^21, which may need more than 64 bits: in two parts around 10^9. */
static char *write_integer(char *to, uint64_t mantissa, int exponent)
{
    enum { FITS = 11 };
    const uint64_t billion = 1000000000;
    if (exponent <= FITS)
        return stepi_write_u64(to, mantissa << exponent);
    const uint64_t lower = (mantissa % billion) << exponent;
    to = stepi_write_u64(to, ((mantissa / billion) << exponent) + lower / billion);
    stepi_write_digits(to, lower % billion, 9);
    return to + 9;
}

static char *write_fixed(char *to, const stepi_double_t *v, int decimals)
{
    uint64_t fraction = 0;
    if (v->exponent >= 0) {
        to = write_integer(to, v->mantissa, v->exponent);
    } else {
        const int shift = -v->exponent;
        uint64_t integer = shift < 64 ? v->mantissa >> shift : 0;
        fraction = v->mantissa - (shift < 64 ? integer << shift : 0);
        fraction = round_fraction(fraction, shift, decimals, integer % 2 != 0);
        if (fraction == stepi_powers_of_ten[decimals]) {
            fraction = 0;
            integer++;
        }
        to = stepi_write_u64(to, integer);
    }
    if (decimals == 0)
        return to;
    *to++ = '.';
    stepi_write_digits(to, fraction, decimals);
    return to + decimals;
}

/* Most numbers are of this kind: mantissa * 10^decimals < 2^63 is a multiple of the last place's 2^shift-th part. */
static inline bool round_few(const stepi_double_t *v, int decimals, uint64_t *rounded)
{
    const int shift = -v->exponent;
    if (decimals < 1 || decimals > FEW_DECIMALS || shift < 1 || shift > FEW_SHIFT_MAX)
        return false;
    const uint64_t product = v->mantissa * stepi_powers_of_ten[decimals];
    const uint64_t is_odd = product >> shift & 1; /* to which a tie looks */
    *rounded = (product + (UINT64_C(1) << (shift - 1)) - 1 + is_odd) >> shift;
    return *rounded < STEPI_HUNDRED_MILLION;
}

/* Apart, so that the short way has no registers to save. */
__attribute__((noinline)) static char *write_any(char *to, double v, int decimals)
{
    const stepi_double_t parts = stepi_double_split(v);
    if (!(v > -1e21 && v < 1e21)) /* NaN too */
        return stepi_write_shortest(to, v);
    if (decimals < 0)
        decimals = 0;
    if (decimals > DECIMALS_MAX)
        decimals = DECIMALS_MAX;
    *to = '-';
    return write_fixed(to + parts.is_negative, &parts, decimals);
}

char *stepi_write_fixed(char *to, double v, int decimals)
{
    const stepi_double_t parts = stepi_double_split(v);
    uint64_t rounded;
    if (!round_few(&parts, decimals, &rounded))
        return write_any(to, v, decimals);
    *to = '-';
    to += parts.is_negative;
    return decimals == 1 ? stepi_write_tenths(to, (uint32_t)rounded)
                         : stepi_write_scaled(to, (uint32_t)rounded, (unsigned)decimals);
}

void stepi_put_fixed(stepi_out_t *out, double v, int decimals)
{
    char local[STEPI_DOUBLE_BYTES];
    char *begin = stepi_scratch(out, local, sizeof(local));
    stepi_scratch_end(out, begin, stepi_write_fixed(begin, v, decimals));
}
