/* Integers and durations. */
#include "base/number.h"

#include "base/digits.h"

enum { MS_EXACT_MAX = 24 /* 13 digits, point, 6 digits */, NUMBER_MAX = 24 /* sign, 20 digits */ };

#define ROW(tens)                                                                                  \
    tens "0" tens "1" tens "2" tens "3" tens "4" tens "5" tens "6" tens "7" tens "8" tens "9"

const char stepi_digit_pairs[201] =
    ROW("0") ROW("1") ROW("2") ROW("3") ROW("4") ROW("5") ROW("6") ROW("7") ROW("8") ROW("9");

const uint64_t stepi_powers_of_ten[20] = {
    1U,
    10U,
    100U,
    1000U,
    10000U,
    100000U,
    1000000U,
    10000000U,
    100000000U,
    1000000000U,
    10000000000U,
    100000000000U,
    1000000000000U,
    10000000000000U,
    100000000000000U,
    1000000000000000U,
    10000000000000000U,
    100000000000000000U,
    1000000000000000000U,
    10000000000000000000U,
};

char *stepi_write_large(char *to, uint64_t v)
{
    const uint64_t upper = v / STEPI_HUNDRED_MILLION;
    to = stepi_write_u64(to, upper);
    stepi_write_8_digits(to, (uint32_t)(v - upper * STEPI_HUNDRED_MILLION));
    return to + 8;
}

void stepi_put_u64(stepi_out_t *out, uint64_t v)
{
    char local[NUMBER_MAX];
    char *begin = stepi_scratch(out, local, sizeof(local));
    stepi_scratch_end(out, begin, stepi_write_u64(begin, v));
}

void stepi_put_i64(stepi_out_t *out, int64_t v)
{
    char local[NUMBER_MAX];
    char *begin = stepi_scratch(out, local, sizeof(local));
    stepi_scratch_end(out, begin, stepi_write_i64(begin, v));
}

/* The quotient ns / 1e6 is off by at most 2^-53 of itself. For ns < 2^53 that is less than one
 * nanosecond, the distance between a tie and the nearest integer that is not one: such a quotient
 * lies on the tie's same side as ns does, and integers decide. On a tie, the quotient's own
 * rounding decides. */
char *stepi_write_ms_1(char *to, int64_t ns)
{
    enum { TENTH_NS = 100000, HALF_NS = TENTH_NS / 2 };
    if (ns < 0)
        ns = 0;
    if (ns >= INT64_C(1) << 53 || ns % TENTH_NS == HALF_NS)
        return stepi_write_fixed(to, (double)ns / 1e6, 1);
    const uint64_t tenths = ((uint64_t)ns + HALF_NS) / TENTH_NS;
    if (tenths < STEPI_HUNDRED_MILLION)
        return stepi_write_tenths(to, (uint32_t)tenths);
    to = stepi_write_u64(to, tenths / 10);
    *to++ = '.';
    *to++ = (char)('0' + tenths % 10);
    return to;
}

void stepi_put_ms_1(stepi_out_t *out, int64_t ns)
{
    char local[STEPI_DOUBLE_BYTES];
    char *begin = stepi_scratch(out, local, sizeof(local));
    stepi_scratch_end(out, begin, stepi_write_ms_1(begin, ns));
}

void stepi_put_ms_exact(stepi_out_t *out, int64_t ns)
{
    char local[MS_EXACT_MAX];
    char *begin = stepi_scratch(out, local, sizeof(local));
    const uint64_t all = ns > 0 ? (uint64_t)ns : 0;
    const uint64_t fraction = all % 1000000;
    char *end = stepi_write_u64(begin, all / 1000000);
    if (fraction != 0) {
        *end++ = '.';
        stepi_write_digits(end, fraction, 6);
        end += 6;
        while (end[-1] == '0')
            end--;
    }
    stepi_scratch_end(out, begin, end);
}
