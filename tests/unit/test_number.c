/* Integers and durations as text, compared with printf. */
#include "base/number.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { TEXT_MAX = 128 };

static uint64_t random_state = 0x9E3779B97F4A7C15U;

static uint64_t random_bits(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* Numbers of all lengths, not mostly long ones. */
static uint64_t random_number(void)
{
    const uint64_t bits = random_bits();
    return bits >> (random_bits() >> 16) % 64;
}

static uint64_t random_count(void)
{
    const char *text = getenv("STEP_LOGGER_TEST_VALUES");
    return text != NULL ? strtoull(text, NULL, 10) : 1000000;
}

static void expect(const char *got, const stepi_out_t *out, const char *wanted)
{
    if (!out->overflow && (size_t)(out->at - got) == strlen(wanted) &&
        memcmp(got, wanted, strlen(wanted)) == 0)
        return;
    fail_msg("got %.*s, wanted %s", (int)(out->at - got), got, wanted);
}

static void check_u64(uint64_t v)
{
    char got[TEXT_MAX];
    char wanted[TEXT_MAX];
    stepi_out_t out = stepi_out_over(got, sizeof(got));
    stepi_put_u64(&out, v);
    snprintf(wanted, sizeof(wanted), "%" PRIu64, v);
    expect(got, &out, wanted);
}

static void check_i64(int64_t v)
{
    char got[TEXT_MAX];
    char wanted[TEXT_MAX];
    stepi_out_t out = stepi_out_over(got, sizeof(got));
    stepi_put_i64(&out, v);
    snprintf(wanted, sizeof(wanted), "%" PRId64, v);
    expect(got, &out, wanted);
}

static void check_ms_1(int64_t ns)
{
    char got[TEXT_MAX];
    char wanted[TEXT_MAX];
    stepi_out_t out = stepi_out_over(got, sizeof(got));
    stepi_put_ms_1(&out, ns);
    snprintf(wanted, sizeof(wanted), "%.1f", (double)(ns > 0 ? ns : 0) / 1e6);
    expect(got, &out, wanted);
}

static void check_ms_exact(int64_t ns)
{
    char got[TEXT_MAX];
    char wanted[TEXT_MAX];
    stepi_out_t out = stepi_out_over(got, sizeof(got));
    stepi_put_ms_exact(&out, ns);
    const int64_t shown = ns > 0 ? ns : 0;
    int n = snprintf(wanted, sizeof(wanted), "%" PRId64 ".%06" PRId64, shown / 1000000,
                     shown % 1000000);
    while (wanted[n - 1] == '0')
        wanted[--n] = 0;
    if (wanted[n - 1] == '.')
        wanted[--n] = 0;
    expect(got, &out, wanted);
}

static void check_all(uint64_t v)
{
    check_u64(v);
    check_i64((int64_t)v);
    check_ms_1((int64_t)v);
    check_ms_exact((int64_t)v);
}

static void edges_read_as_printf_writes_them(void **state)
{
    (void)state;
    for (uint64_t v = 0; v <= 100000; v++)
        check_all(v);
    for (int bit = 0; bit < 64; bit++)
        for (uint64_t near = 0; near <= 4; near++)
            check_all((UINT64_C(1) << bit) + near - 2);
    uint64_t power = 1;
    for (int n = 0; n < 20; n++, power *= 10)
        for (uint64_t near = 0; near <= 4; near++)
            check_all(power + near - 2);
    check_all(UINT64_MAX);
    check_all((uint64_t)INT64_MAX);
    check_all((uint64_t)INT64_MIN);
}

static void random_numbers_read_as_printf_writes_them(void **state)
{
    (void)state;
    const uint64_t count = random_count() / 4;
    for (uint64_t i = 0; i < count; i++)
        check_all(random_number());
}

/* Ties of the tenth are where the quotient's own rounding shows; beyond 2^53 ns, the integer's does
 * too. */
static void durations_agree_with_printf_around_ties(void **state)
{
    (void)state;
    const int64_t tenth = 100000;
    const uint64_t count = random_count() / 8;
    for (uint64_t i = 0; i < count; i++) {
        const int64_t ns = (int64_t)(random_number() >> 1) / tenth * tenth + tenth / 2;
        check_ms_1(ns);
        check_ms_1(ns - 1);
        check_ms_1(ns + 1);
    }
    const int64_t limits[] = { INT64_C(1) << 52, INT64_C(1) << 53 };
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        for (int64_t tie = limits[i] / tenth - 1000; tie < limits[i] / tenth + 1000; tie++)
            for (int64_t near = -2; near <= 2; near++)
                check_ms_1(tie * tenth + tenth / 2 + near);
}

static void negative_durations_are_zero(void **state)
{
    (void)state;
    char text[TEXT_MAX];
    const int64_t values[] = { -1, -50000, -1000000, INT64_MIN };
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        stepi_out_t out = stepi_out_over(text, sizeof(text));
        stepi_put_ms_1(&out, values[i]);
        expect(text, &out, "0.0");
        out = stepi_out_over(text, sizeof(text));
        stepi_put_ms_exact(&out, values[i]);
        expect(text, &out, "0");
    }
}

static void put_one(stepi_out_t *out, int which)
{
    switch (which) {
    case 0:
        stepi_put_u64(out, UINT64_MAX);
        break;
    case 1:
        stepi_put_i64(out, INT64_MIN);
        break;
    case 2:
        stepi_put_ms_1(out, 1234567890);
        break;
    case 3:
        stepi_put_ms_1(out, INT64_MAX);
        break;
    case 4:
        stepi_put_ms_exact(out, INT64_MAX);
        break;
    default:
        stepi_put_ms_exact(out, 7);
        break;
    }
}

/* Each buffer is its own block, so that a sanitizer sees a byte too many. */
static void what_does_not_fit_writes_nothing(void **state)
{
    (void)state;
    for (int which = 0; which < 6; which++) {
        char text[TEXT_MAX];
        stepi_out_t whole = stepi_out_over(text, sizeof(text));
        put_one(&whole, which);
        const size_t length = (size_t)(whole.at - text);
        for (size_t room = 0; room < 64; room++) {
            char *buffer = malloc(room + (room == 0));
            assert_non_null(buffer);
            stepi_out_t out = stepi_out_over(buffer, room);
            put_one(&out, which);
            assert_int_equal(out.overflow, room < length);
            assert_int_equal(out.at - buffer, room < length ? 0 : length);
            assert_memory_equal(buffer, text, (size_t)(out.at - buffer));
            free(buffer);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edges_read_as_printf_writes_them),
        cmocka_unit_test(random_numbers_read_as_printf_writes_them),
        cmocka_unit_test(durations_agree_with_printf_around_ties),
        cmocka_unit_test(negative_durations_are_zero),
        cmocka_unit_test(what_does_not_fit_writes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
