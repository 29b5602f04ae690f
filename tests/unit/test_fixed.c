/* Doubles with a fixed number of decimals, compared with printf, which is exact too. */
#include "base/number.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { TEXT_MAX = 128, DECIMALS_MAX = 17 };

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

/* With an exponent drawn so that printf and we both have something to do: 2^-70 to 2^70. */
static double random_double(void)
{
    const uint64_t exponent = 1023 - 70 + random_bits() % 140;
    return double_of((random_bits() & UINT64_C(0x800FFFFFFFFFFFFF)) | exponent << 52);
}

static void fixed(char text[TEXT_MAX], double v, int decimals)
{
    stepi_out_t out = stepi_out_over(text, TEXT_MAX - 1);
    stepi_put_fixed(&out, v, decimals);
    assert_false(out.overflow);
    *out.at = 0;
}

static void check(double v, int decimals)
{
    char got[TEXT_MAX];
    char wanted[TEXT_MAX];
    if (!(fabs(v) < 1e21))
        return;
    fixed(got, v, decimals);
    snprintf(wanted, sizeof(wanted), "%.*f", decimals, v);
    if (strcmp(got, wanted) != 0)
        fail_msg("%.17g with %d decimals is %s, not %s", v, decimals, wanted, got);
}

static void check_all(double v)
{
    for (int decimals = 0; decimals <= DECIMALS_MAX; decimals++) {
        check(v, decimals);
        check(-v, decimals);
    }
}

static void expect(double v, int decimals, const char *wanted)
{
    char text[TEXT_MAX];
    fixed(text, v, decimals);
    assert_string_equal(text, wanted);
}

static void known_numbers_have_known_texts(void **state)
{
    (void)state;
    expect(0.0, 0, "0");
    expect(0.0, 3, "0.000");
    expect(-0.0, 1, "-0.0");
    expect(-0.04, 1, "-0.0");
    expect(0.5, 0, "0");
    expect(1.5, 0, "2");
    expect(2.5, 0, "2");
    expect(0.25, 1, "0.2");
    expect(0.75, 1, "0.8");
    expect(0.35, 1, "0.3");
    expect(9.95, 1, "9.9");
    expect(9.96, 1, "10.0");
    expect(99.999, 2, "100.00");
    expect(999.99999999999989, 0, "1000");
    expect(0.1, 17, "0.10000000000000001");
    expect(5e-324, 17, "0.00000000000000000");
    expect(18446744073709551616.0, 0, "18446744073709551616");
    expect(999999999999999868928.0, 17, "999999999999999868928.00000000000000000");
    expect(-999999999999999868928.0, 1, "-999999999999999868928.0");
}

static void what_is_huge_or_no_number_takes_the_shortest_form(void **state)
{
    (void)state;
    expect(1e21, 2, "1e+21");
    expect(-1e21, 2, "-1e+21");
    expect(DBL_MAX, 17, "1.7976931348623157e+308");
    expect((double)INFINITY, 2, "inf");
    expect(-(double)INFINITY, 2, "-inf");
    expect((double)NAN, 2, "nan");
}

static void decimals_out_of_range_are_clamped(void **state)
{
    (void)state;
    expect(1.25, -1, "1");
    expect(1.25, INT32_MIN, "1");
    expect(1.25, 18, "1.25000000000000000");
    expect(1.25, INT32_MAX, "1.25000000000000000");
}

static void edges_read_as_printf_writes_them(void **state)
{
    (void)state;
    for (int e = -150; e <= 70; e++)
        for (uint64_t near = 0; near <= 4; near++)
            check_all(double_of(bits_of(ldexp(1, e)) + near - 2));
    for (int e = -25; e <= 21; e++)
        for (uint64_t near = 0; near <= 4; near++)
            check_all(double_of(bits_of(pow(10, e)) + near - 2));
    const double others[] = { DBL_MIN,
                              5e-324,
                              1e-300,
                              1e-30,
                              4503599627370497.5,
                              9007199254740993.0,
                              9007199254740991.0,
                              18446744073709551615.0,
                              999999999999999868928.0 };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        check_all(others[i]);
}

/* Odd multiples of 2^-n are ties for n - 1 decimals: what comes after is a single 5. */
static void ties_go_to_the_even_digit(void **state)
{
    (void)state;
    for (int n = 1; n <= 18; n++)
        for (int i = 0; i < 400; i++) {
            check(ldexp(2 * i + 1, -n), n - 1);
            check(ldexp((double)(random_bits() >> 12 | 1), -n), n - 1);
        }
}

static void random_numbers_read_as_printf_writes_them(void **state)
{
    (void)state;
    const uint64_t count = random_count();
    for (uint64_t i = 0; i < count; i++)
        check(random_double(), (int)(random_bits() % (DECIMALS_MAX + 1)));
    for (uint64_t i = 0; i < count / 8; i++)
        check(double_of(random_bits()), (int)(random_bits() % (DECIMALS_MAX + 1)));
}

static void the_locale_does_not_matter(void **state)
{
    (void)state;
    if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL && setlocale(LC_ALL, "fr_FR.UTF-8") == NULL)
        skip();
    expect(1234.5, 2, "1234.50");
    setlocale(LC_ALL, "C");
}

static void what_does_not_fit_writes_nothing(void **state)
{
    (void)state;
    const double values[] = { 0, -1.5, 0.1, -999999999999999868928.0 };
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        for (int decimals = 0; decimals <= DECIMALS_MAX; decimals++) {
            char text[TEXT_MAX];
            fixed(text, values[i], decimals);
            for (size_t room = 0; room < 48; room++) {
                char *buffer = malloc(room + (room == 0));
                assert_non_null(buffer);
                stepi_out_t out = stepi_out_over(buffer, room);
                stepi_put_fixed(&out, values[i], decimals);
                assert_int_equal(out.overflow, room < strlen(text));
                assert_int_equal(out.at - buffer, room < strlen(text) ? 0 : strlen(text));
                assert_memory_equal(buffer, text, (size_t)(out.at - buffer));
                free(buffer);
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_numbers_have_known_texts),
        cmocka_unit_test(what_is_huge_or_no_number_takes_the_shortest_form),
        cmocka_unit_test(decimals_out_of_range_are_clamped),
        cmocka_unit_test(edges_read_as_printf_writes_them),
        cmocka_unit_test(ties_go_to_the_even_digit),
        cmocka_unit_test(random_numbers_read_as_printf_writes_them),
        cmocka_unit_test(the_locale_does_not_matter),
        cmocka_unit_test(what_does_not_fit_writes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
