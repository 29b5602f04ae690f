/* The shortest decimal that reads back as the same double, and of those the closest to it. After R.
 * Giulietti's Schubfach.
 *
 * Every real number in the rounding interval of v = c * 2^q reads back as v. The interval is 2^q
 * wide (three quarters of that at a power of two, where the lower neighbour is nearer). Take the k
 * with 10^k <= width < 10^(k+1):
 *
 *      sp10        s   v  t           tp10      multiples of 10^k; s = floor(v / 10^k), t = s + 1
 *   ----|----|----(|---*--|---)|----|----|----
 *
 *  - at most one multiple of 10^(k+1) is inside, and if so it is next to v: nothing shorter or as
 *    short is;
 *  - otherwise s or t is inside, because the interval is at least as wide as their distance; if
 *    both, the closer wins, and on a tie the even one.
 *
 * So v and both ends, in quarters of 10^k, are compared with even integers. For that their integer
 * part is enough, with the last bit set if there is a fraction: one 64 by 128 bit product each. The
 * table's power of ten is rounded up, so a product is too large by less than 2^59 / 2^128, while
 * every fraction that is not zero is at least 2^60 / 2^128 and at least 2^59 / 2^128 short of one.
 * shortest_table.py proves this for all doubles, and the formulas for the logarithms below too.
 * Hence the result is exact without a slow path. It costs six multiplications, and 10 KiB of table
 * of which the numbers of one log touch a few lines. */
#include "base/digits.h"
#include "base/double.h"
#include "base/number.h"
#include "base/shortest_table.h"
#include "base/wide.h"

enum {
    MANTISSA_BITS = 53,
    EXACT_BITS = 60,
};

/* digits * 10^exponent */
typedef struct decimal {
    uint64_t digits;
    int exponent;
} decimal_t;

/* Right shifts of negative numbers round down, as every compiler we support has it. */
static int floor_log10_pow2(int q)
{
    return (q * 1262611) >> 22;
}

static int floor_log10_three_quarters_pow2(int q)
{
    return (q * 1262611 - 524031) >> 22;
}

static int floor_log2_pow10(int e)
{
    return (e * 1741647) >> 19;
}

/* The integer part of x * power / 2^128, its last bit set if there is a fraction. */
static inline uint64_t scale(uint64_t x, stepi_wide_t power)
{
    const stepi_wide_t high = stepi_multiply(x, power.high);
    const stepi_wide_t low = stepi_multiply(x, power.low);
    const uint64_t middle = high.low + low.high;
    const uint64_t integer = high.high + (middle < low.high);
    return integer | ((middle | low.low >> EXACT_BITS) != 0);
}

/* Inline, for a division by a constant. Returns whether there were n zeros. */
static inline bool drop_zeros(decimal_t *d, uint64_t power, int n)
{
    const uint64_t shorter = d->digits / power;
    if (d->digits != shorter * power)
        return false;
    d->digits = shorter;
    d->exponent += n;
    return true;
}

static decimal_t without_trailing_zeros(decimal_t d)
{
    while (drop_zeros(&d, 100000000, 8))
        ;
    drop_zeros(&d, 10000, 4);
    drop_zeros(&d, 100, 2);
    drop_zeros(&d, 10, 1);
    return d;
}

/* v > 0 */
static decimal_t shortest_of(const stepi_double_t *v)
{
    const uint64_t c = v->mantissa;
    const int q = v->exponent;
    const bool is_irregular = c == UINT64_C(1) << (MANTISSA_BITS - 1) && q > STEPI_EXPONENT_MIN;
    const int k = is_irregular ? floor_log10_three_quarters_pow2(q) : floor_log10_pow2(q);
    const int h = q + floor_log2_pow10(-k) + 1;
    const stepi_wide_t power = stepi_powers[-k - STEPI_POWER_MIN];

    const uint64_t middle = scale((4 * c) << h, power);
    /* The ends themselves read back as v when c is even; otherwise the limits move inwards past
     * them. */
    const uint64_t lower = scale((4 * c - 2 + is_irregular) << h, power) + c % 2;
    const uint64_t upper = scale((4 * c + 2) << h, power) - c % 2;

    const uint64_t s = middle / 4;
    const uint64_t tens = s / 10;
    const bool has_sp10 = lower <= 40 * tens; /* never for tens == 0: lower > 0 */
    const bool has_tp10 = 40 * tens + 40 <= upper;
    /* Below 10 this prefers 10 to 9, equally short: only for 2 * 2^-1074, and 10 is closer. */
    if (has_sp10 || has_tp10)
        return without_trailing_zeros((decimal_t){ .digits = tens + has_tp10, .exponent = k + 1 });

    const bool has_s = lower <= 4 * s;
    const bool has_t = 4 * s + 4 <= upper;
    const uint64_t half = 4 * s + 2;
    const bool is_t_closer = middle > half || (middle == half && s % 2 != 0);
    return (decimal_t){ .digits = s + (has_s && has_t ? is_t_closer : has_t), .exponent = k };
}

/* What people write has few decimals: n / 10^k for the smallest k that will do. Both are integers of at most 15 digits, and no
 * two such decimals read back as the same double, so what reads back as v is the shortest. It does if |n / 10^k - v|
 * is less than half the distance to the next double, 2^q: in units of 2^q / 10^k that is an integer compared with 10^k / 2.
 * c * 10^3 < 2^63. False: there is none, or v is a power of two, where the lower neighbour is nearer. */
static inline bool few_decimals(const stepi_double_t *v, decimal_t *found)
{
    enum { MOST = 3 };
    const int shift = -v->exponent;
    if (shift <= 0 || shift > 62 || v->mantissa == UINT64_C(1) << (MANTISSA_BITS - 1))
        return false;
    uint64_t scaled = v->mantissa;
    for (int k = 1; k <= MOST; k++) {
        scaled *= 10;
        const uint64_t n = (scaled + (UINT64_C(1) << (shift - 1))) >> shift;
        const int64_t rest = (int64_t)(scaled - (n << shift));
        const uint64_t distance = (uint64_t)(rest < 0 ? -rest : rest);
        if (distance * 2 < stepi_powers_of_ten[k]) {
            *found = (decimal_t){ .digits = n, .exponent = -k };
            return n > 0 && n < stepi_powers_of_ten[15];
        }
    }
    return false;
}

/* d.ddde-7; `point` is where the decimal point would stand, counted from the first digit. */
static char *write_exponent_form(char *to, uint64_t digits, int length, int point)
{
    stepi_write_digits(to + 1, digits, length);
    to[0] = to[1];
    to[1] = '.';
    to += length > 1 ? length + 1 : 1;
    int exponent = point - 1;
    *to++ = 'e';
    *to++ = exponent < 0 ? '-' : '+';
    if (exponent < 0)
        exponent = -exponent;
    return stepi_write_u64(to, (uint64_t)exponent);
}

static char *write_decimal(char *to, decimal_t d)
{
    const int length = stepi_count_digits(d.digits);
    const int point = length + d.exponent;
    if (point > 21 || point < -5)
        return write_exponent_form(to, d.digits, length, point);
    if (point <= 0) {
        memcpy(to, "0.00000", 7);
        stepi_write_digits(to + 2 - point, d.digits, length);
        return to + 2 - point + length;
    }
    stepi_write_digits(to, d.digits, length);
    if (d.exponent >= 0) {
        memset(to + length, '0', (size_t)d.exponent);
        return to + point;
    }
    memmove(to + point + 1, to + point, 16); /* at most 16 digits follow the point */
    to[point] = '.';
    return to + length + 1;
}

/* Below 2^53, and whole: all digits are the shortest ones. */
static bool is_small_integer(const stepi_double_t *v)
{
    if (v->exponent > 0 || v->exponent <= -MANTISSA_BITS)
        return v->mantissa == 0;
    return (v->mantissa & ((UINT64_C(1) << -v->exponent) - 1)) == 0;
}

static char *write_not_finite(char *to, const stepi_double_t *v)
{
    const char *text = v->is_negative ? "-inf" : "inf";
    if (v->mantissa != UINT64_C(1) << (MANTISSA_BITS - 1))
        text = "nan";
    const size_t length = strlen(text);
    memcpy(to, text, length);
    return to + length;
}

char *stepi_write_shortest(char *to, double v)
{
    const stepi_double_t parts = stepi_double_split(v);
    if (parts.exponent > STEPI_EXPONENT_MAX)
        return write_not_finite(to, &parts);
    decimal_t decimal;
    *to = '-';
    to += parts.is_negative;
    if (is_small_integer(&parts))
        return stepi_write_u64(to, parts.mantissa != 0 ? parts.mantissa >> -parts.exponent : 0);
    if (!few_decimals(&parts, &decimal))
        return write_decimal(to, shortest_of(&parts));
    if (decimal.digits < STEPI_HUNDRED_MILLION)
        return stepi_write_scaled(to, (uint32_t)decimal.digits, (unsigned)-decimal.exponent);
    return write_decimal(to, decimal);
}

/* 25 bytes are needed; there is room for more because blocks of fixed size are moved. */
void stepi_put_shortest(stepi_out_t *out, double v)
{
    char local[STEPI_DOUBLE_BYTES];
    char *begin = stepi_scratch(out, local, sizeof(local));
    stepi_scratch_end(out, begin, stepi_write_shortest(begin, v));
}
