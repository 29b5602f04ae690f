/* Shortest doubles: that they read back, that nothing shorter does, and that nothing as short is
 * closer, with the C library's strtod and printf as judges; the layout; and the table, by long
 * arithmetic. */
#include "base/number.h"
#include "base/shortest_table.h"

#include <float.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { TEXT_MAX = 128, LIMBS = 48 };

typedef struct decimal {
    uint64_t digits; /* not a multiple of ten */
    int exponent;
    int length;
} decimal_t;

static uint64_t random_state = 0x9E3779B97F4A7C15U;

static uint64_t random_bits(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static uint64_t random_count(void)
{
    const char *text = getenv("STEP_LOGGER_TEST_VALUES");
    return text != NULL ? strtoull(text, NULL, 10) : 1000000;
}

static double double_of(uint64_t bits)
{
    double v;
    memcpy(&v, &bits, sizeof(v));
    return v;
}

static uint64_t bits_of(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof(bits));
    return bits;
}

static void shortest(char text[TEXT_MAX], double v)
{
    stepi_out_t out = stepi_out_over(text, TEXT_MAX - 1);
    stepi_put_shortest(&out, v);
    assert_false(out.overflow);
    *out.at = 0;
}

/* Zeros wait until a digit follows: 21 digits do not fit, but their last ones are zeros. */
static decimal_t decimal_of(const char *text)
{
    decimal_t d = { 0, 0, 0 };
    int zeros = 0;
    bool has_point = false;
    text += *text == '-';
    for (; *text != 0 && *text != 'e'; text++) {
        if (*text == '.') {
            has_point = true;
            continue;
        }
        d.exponent -= has_point;
        zeros++;
        if (*text == '0')
            continue;
        for (; zeros > 0; zeros--)
            d.digits *= 10;
        d.digits += (uint64_t)(*text - '0');
    }
    d.exponent += zeros;
    if (*text == 'e')
        d.exponent += (int)strtol(text + 1, NULL, 10);
    for (uint64_t rest = d.digits; rest != 0; rest /= 10)
        d.length++;
    return d;
}

static double rounded_to(double v, int length, decimal_t *d)
{
    char text[TEXT_MAX];
    snprintf(text, sizeof(text), "%.*e", length - 1, v);
    *d = decimal_of(text);
    return strtod(text, NULL);
}

/* Around a power of two the closest decimal may miss where one farther away, on the wide side, does
 * not. */
static void check_neighbours_miss(double v, const decimal_t *closest, int length)
{
    char text[TEXT_MAX];
    decimal_t d = *closest;
    for (; d.length < length; d.length++) {
        d.digits *= 10;
        d.exponent--;
    }
    snprintf(text, sizeof(text), "%" PRIu64 "e%d", d.digits + 1, d.exponent);
    assert_true(bits_of(strtod(text, NULL)) != bits_of(v));
    snprintf(text, sizeof(text), "%" PRIu64 "e%d", d.digits - 1, d.exponent);
    assert_true(bits_of(strtod(text, NULL)) != bits_of(v));
}

/* v > 0 */
static void check_digits(double v, const char *text)
{
    const decimal_t got = decimal_of(text);
    decimal_t other;
    if (bits_of(strtod(text, NULL)) != bits_of(v))
        fail_msg("%s does not read back as %.17g", text, v);
    if (got.length > 17)
        fail_msg("%s is too long", text);
    if (got.length > 1) {
        if (bits_of(rounded_to(v, got.length - 1, &other)) == bits_of(v))
            fail_msg("%s is not the shortest of %.17g", text, v);
        if ((bits_of(v) & ((UINT64_C(1) << 52) - 1)) == 0)
            check_neighbours_miss(v, &other, got.length - 1);
    }
    const double closest = rounded_to(v, got.length, &other);
    const bool is_same = other.digits == got.digits && other.exponent == got.exponent;
    if (!is_same && bits_of(closest) == bits_of(v))
        fail_msg("%s is not the closest to %.17g", text, v);
}

/* Number::toString of ECMA-262, word for word. */
static void ecmascript(char *to, const decimal_t *d)
{
    char digits[32];
    const int k = snprintf(digits, sizeof(digits), "%" PRIu64, d->digits);
    const int n = k + d->exponent;
    if (k <= n && n <= 21) {
        to += sprintf(to, "%s", digits);
        for (int i = k; i < n; i++)
            *to++ = '0';
        *to = 0;
    } else if (0 < n && n <= 21) {
        sprintf(to, "%.*s.%s", n, digits, digits + n);
    } else if (-6 < n && n <= 0) {
        to += sprintf(to, "0.");
        for (int i = n; i < 0; i++)
            *to++ = '0';
        sprintf(to, "%s", digits);
    } else if (k == 1) {
        sprintf(to, "%se%+d", digits, n - 1);
    } else {
        sprintf(to, "%c.%se%+d", digits[0], digits + 1, n - 1);
    }
}

static void check(double v)
{
    char text[TEXT_MAX];
    char negative[TEXT_MAX];
    char wanted[TEXT_MAX];
    if (isnan(v) || isinf(v) || v == 0)
        return;
    v = fabs(v);
    shortest(text, v);
    check_digits(v, text);
    const decimal_t d = decimal_of(text);
    ecmascript(wanted, &d);
    if (strcmp(text, wanted) != 0)
        fail_msg("%s should read %s", text, wanted);
    shortest(negative, -v);
    if (negative[0] != '-' || strcmp(negative + 1, text) != 0)
        fail_msg("%s should read -%s", negative, text);
}

static void check_around(double v)
{
    for (uint64_t near = 0; near <= 6; near++)
        check(double_of(bits_of(v) + near - 3));
}

static void expect(double v, const char *wanted)
{
    char text[TEXT_MAX];
    shortest(text, v);
    assert_string_equal(text, wanted);
}

static void known_numbers_have_known_texts(void **state)
{
    (void)state;
    expect(0.0, "0");
    expect(-0.0, "-0");
    expect((double)NAN, "nan");
    expect(-(double)NAN, "nan");
    expect(double_of(UINT64_C(0x7FF0000000000001)), "nan");
    expect((double)INFINITY, "inf");
    expect(-(double)INFINITY, "-inf");
    expect(1, "1");
    expect(-1, "-1");
    expect(0.1, "0.1");
    expect(0.1 + 0.2, "0.30000000000000004");
    expect(100, "100");
    expect(12.5, "12.5");
    expect(1.0 / 3, "0.3333333333333333");
    expect(9007199254740991.0, "9007199254740991");
    expect(9007199254740992.0, "9007199254740992");
    expect(9007199254740994.0, "9007199254740994");
    expect(1152921504606846976.0, "1152921504606847000");
    expect(18446744073709551616.0, "18446744073709552000");
    expect(123456789012345680000.0, "123456789012345680000");
    expect(999999999999999900000.0, "999999999999999900000");
    expect(1e20, "100000000000000000000");
    expect(1e21, "1e+21");
    expect(-1.5e21, "-1.5e+21");
    expect(1e22, "1e+22");
    expect(1e23, "1e+23");
    expect(0.000001, "0.000001");
    expect(0.0000012345, "0.0000012345");
    expect(-0.0000012345678901234567, "-0.0000012345678901234567");
    expect(1e-7, "1e-7");
    expect(9.999e-7, "9.999e-7");
    expect(1e100, "1e+100");
    expect(DBL_MAX, "1.7976931348623157e+308");
    expect(-DBL_MAX, "-1.7976931348623157e+308");
    expect(DBL_MIN, "2.2250738585072014e-308");
    expect(double_of(UINT64_C(0x000FFFFFFFFFFFFF)), "2.225073858507201e-308");
    expect(double_of(1), "5e-324");
    expect(double_of(2), "1e-323");
    expect(double_of(3), "1.5e-323");
    expect(5.684341886080802e-14,
           "5.684341886080802e-14"); /* 2^-44: ...801e-14 is nearer the next below */
    expect(2.98023223876953125e-8,
           "2.9802322387695312e-8"); /* 2^-25: half way between ...12 and ...13 */
    expect(9.5367431640625e-7, "9.5367431640625e-7");
    expect(6.802601037806062e215, "6.802601037806062e+215"); /* of all, scales nearest to whole */
}

static void edges_are_exact_and_shortest(void **state)
{
    (void)state;
    for (uint64_t fraction = 1; fraction < 3000; fraction++)
        check(double_of(fraction));
    for (int e = -1074; e <= 1023; e++)
        check_around(ldexp(1, e));
    for (int e = -323; e <= 308; e++) {
        char text[TEXT_MAX];
        snprintf(text, sizeof(text), "1e%d", e);
        check_around(strtod(text, NULL));
    }
    for (int bit = 1; bit < 64; bit++)
        check_around((double)((UINT64_C(1) << bit) - 1));
    for (int i = 0; i < 2000; i++) {
        check(i + 0.5);
        check(i / 10.0);
        check(i / 1000.0);
        check(4503599627370496.0 + i + 0.5); /* halves end here */
        check(9007199254740992.0 - i);
    }
    check_around(DBL_MIN);
    check_around(double_of(bits_of(DBL_MAX) - 3));
}

static void random_bit_patterns_are_exact_and_shortest(void **state)
{
    (void)state;
    const uint64_t count = random_count();
    for (uint64_t i = 0; i < count; i++)
        check(double_of(random_bits()));
}

/* A decimal of at most 15 digits survives a double, so the shortest text of the double must be
 * it. */
static void short_decimals_come_back_as_they_were(void **state)
{
    (void)state;
    const uint64_t count = random_count() / 4;
    for (uint64_t i = 0; i < count; i++) {
        char text[TEXT_MAX];
        char wanted[TEXT_MAX];
        uint64_t digits = random_bits() % 1000000000000000;
        for (uint64_t drop = random_bits() % 15; drop > 0; drop--)
            digits /= 10;
        const int exponent = (int)(random_bits() % 40) - 25;
        snprintf(text, sizeof(text), "%" PRIu64 "e%d", digits + 1, exponent);
        const decimal_t d = decimal_of(text);
        ecmascript(wanted, &d);
        shortest(text, strtod(text, NULL));
        if (strcmp(text, wanted) != 0)
            fail_msg("%s should read %s", text, wanted);
    }
}

static void the_locale_does_not_matter(void **state)
{
    (void)state;
    if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL && setlocale(LC_ALL, "fr_FR.UTF-8") == NULL)
        skip();
    expect(0.5, "0.5");
    expect(1.25e-9, "1.25e-9");
    setlocale(LC_ALL, "C");
}

static void what_does_not_fit_writes_nothing(void **state)
{
    (void)state;
    const double values[] = {
        0, -1, 0.1, -0.0000012345678901234567, -1.7976931348623157e+308, 1e20, 5e-324, 123.456
    };
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        char text[TEXT_MAX];
        shortest(text, values[i]);
        for (size_t room = 0; room < 64; room++) {
            char *buffer = malloc(room + (room == 0));
            assert_non_null(buffer);
            stepi_out_t out = stepi_out_over(buffer, room);
            stepi_put_shortest(&out, values[i]);
            assert_int_equal(out.overflow, room < strlen(text));
            assert_int_equal(out.at - buffer, room < strlen(text) ? 0 : strlen(text));
            assert_memory_equal(buffer, text, (size_t)(out.at - buffer));
            free(buffer);
        }
    }
}

/* ---- The table, from nothing: a number of LIMBS * 32 bits, lowest limb first ---- */

static void multiply_by_10(uint32_t *number)
{
    uint64_t carry = 0;
    for (int i = 0; i < LIMBS; i++) {
        carry += (uint64_t)number[i] * 10;
        number[i] = (uint32_t)carry;
        carry >>= 32;
    }
    assert_int_equal(carry, 0);
}

/* Rounds down; returns whether something was lost. */
static bool divide_by_10(uint32_t *number)
{
    uint64_t rest = 0;
    for (int i = LIMBS - 1; i >= 0; i--) {
        rest = rest << 32 | number[i];
        number[i] = (uint32_t)(rest / 10);
        rest %= 10;
    }
    return rest != 0;
}

static bool bit_at(const uint32_t *number, int bit)
{
    return bit >= 0 && (number[bit / 32] >> bit % 32 & 1) != 0;
}

/* The first 128 bits, rounded up. */
static stepi_wide_t leading_bits(const uint32_t *number, bool has_more)
{
    stepi_wide_t v = { 0, 0 };
    int top = LIMBS * 32 - 1;
    while (!bit_at(number, top))
        top--;
    for (int i = 0; i < 128; i++) {
        v.high = v.high << 1 | v.low >> 63;
        v.low = v.low << 1 | bit_at(number, top - i);
    }
    for (int bit = top - 128; bit >= 0; bit--)
        has_more = has_more || bit_at(number, bit);
    return stepi_wide_add(v, (stepi_wide_t){ 0, has_more });
}

static void check_power(int e, const uint32_t *number, bool has_more)
{
    const stepi_wide_t wanted = leading_bits(number, has_more);
    const stepi_wide_t got = stepi_powers[e - STEPI_POWER_MIN];
    if (got.high != wanted.high || got.low != wanted.low)
        fail_msg("10^%d is wrong", e);
}

static void the_table_holds_powers_of_ten(void **state)
{
    (void)state;
    uint32_t number[LIMBS] = { 1 };
    bool has_more = false;
    for (int e = 0; e <= STEPI_POWER_MAX; e++, multiply_by_10(number))
        check_power(e, number, false);
    memset(number, 0, sizeof(number));
    number[LIMBS - 1] = UINT32_C(1) << 31;
    for (int e = 0; e >= STEPI_POWER_MIN; e--) {
        check_power(e, number, has_more);
        has_more = divide_by_10(number) || has_more;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_numbers_have_known_texts),
        cmocka_unit_test(edges_are_exact_and_shortest),
        cmocka_unit_test(random_bit_patterns_are_exact_and_shortest),
        cmocka_unit_test(short_decimals_come_back_as_they_were),
        cmocka_unit_test(the_locale_does_not_matter),
        cmocka_unit_test(what_does_not_fit_writes_nothing),
        cmocka_unit_test(the_table_holds_powers_of_ten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
