/* Time stamps, compared with the C library's calendar. */
#define _POSIX_C_SOURCE 200809L

#include "base/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

enum { TEXT_MAX = 64 };

static const int64_t ns_per_second = 1000000000;

static uint64_t random_state = 0x9E3779B97F4A7C15U;

static uint64_t random_bits(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static void show(char text[TEXT_MAX], stepi_time_text_t *cache, int64_t ns, int digits)
{
    stepi_out_t out = stepi_out_over(text, TEXT_MAX - 1);
    stepi_put_time(&out, cache, ns, digits);
    assert_false(out.overflow);
    *out.at = 0;
}

static void check(stepi_time_text_t *cache, int64_t ns)
{
    char got[TEXT_MAX];
    char wanted[TEXT_MAX];
    int64_t fraction = ns % ns_per_second;
    time_t second = (time_t)(ns / ns_per_second);
    struct tm parts;
    if (fraction < 0) {
        fraction += ns_per_second;
        second--;
    }
    assert_non_null(gmtime_r(&second, &parts));
    const size_t n = strftime(wanted, sizeof(wanted), "%Y-%m-%dT%H:%M:%S.", &parts);
    snprintf(wanted + n, sizeof(wanted) - n, "%09dZ", (int)fraction);
    show(got, cache, ns, 9);
    if (strcmp(got, wanted) != 0)
        fail_msg("%s, not %s", wanted, got);
    snprintf(wanted + n, sizeof(wanted) - n, "%06dZ", (int)(fraction / 1000));
    show(got, cache, ns, 6);
    if (strcmp(got, wanted) != 0)
        fail_msg("%s, not %s", wanted, got);
}

static void expect(int64_t ns, int digits, const char *wanted)
{
    stepi_time_text_t cache = { 0, { 0 } };
    char text[TEXT_MAX];
    show(text, &cache, ns, digits);
    assert_string_equal(text, wanted);
}

static void known_times_have_known_texts(void **state)
{
    (void)state;
    expect(0, 9, "1970-01-01T00:00:00.000000000Z");
    expect(0, 6, "1970-01-01T00:00:00.000000Z");
    expect(-1, 9, "1969-12-31T23:59:59.999999999Z");
    expect(-1, 6, "1969-12-31T23:59:59.999999Z");
    expect(999999999, 6, "1970-01-01T00:00:00.999999Z");
    expect(951782400 * ns_per_second, 6, "2000-02-29T00:00:00.000000Z");
    expect(INT64_C(4107542400) * ns_per_second - 1, 9, "2100-02-28T23:59:59.999999999Z");
    expect(INT64_C(4107542400) * ns_per_second, 9, "2100-03-01T00:00:00.000000000Z");
    expect(INT64_C(1770197400) * ns_per_second, 9, "2026-02-04T09:30:00.000000000Z");
    expect(INT64_MAX, 9, "2262-04-11T23:47:16.854775807Z");
    expect(INT64_MIN, 9, "1677-09-21T00:12:43.145224192Z");
}

static void every_day_is_right_from_its_first_to_its_last_nanosecond(void **state)
{
    (void)state;
    stepi_time_text_t cache = { 0, { 0 } };
    const int64_t ns_per_day = 86400 * ns_per_second;
    for (int64_t day = INT64_MIN / ns_per_day; day <= INT64_MAX / ns_per_day; day++) {
        check(&cache, day * ns_per_day);
        if (day > INT64_MIN / ns_per_day)
            check(&cache, day * ns_per_day - 1);
    }
}

static void every_second_of_a_day_is_right(void **state)
{
    (void)state;
    stepi_time_text_t cache = { 0, { 0 } };
    for (int64_t second = -3; second < 86403; second++)
        check(&cache, (INT64_C(1770163200) + second) * ns_per_second + second * 10007);
}

static void random_times_are_right(void **state)
{
    (void)state;
    stepi_time_text_t cache = { 0, { 0 } };
    for (int i = 0; i < 200000; i++)
        check(&cache, (int64_t)random_bits());
}

/* Forth and back within and across seconds, the epoch's own too, which an empty cache must not be
 * taken for. */
static void the_cached_second_is_never_stale(void **state)
{
    (void)state;
    stepi_time_text_t cache = { 0, { 0 } };
    check(&cache, 5);
    for (int i = 0; i < 20000; i++)
        check(&cache, (int64_t)(random_bits() % 4000000000U) - 2 * ns_per_second);
}

static void what_does_not_fit_writes_nothing(void **state)
{
    (void)state;
    stepi_time_text_t cache = { 0, { 0 } };
    for (int digits = 6; digits <= 9; digits += 3) {
        const size_t length = 21 + (size_t)digits;
        for (size_t room = 0; room < 40; room++) {
            char *buffer = malloc(room + (room == 0));
            assert_non_null(buffer);
            stepi_out_t out = stepi_out_over(buffer, room);
            stepi_put_time(&out, &cache, (int64_t)room * ns_per_second, digits);
            assert_int_equal(out.overflow, room < length);
            assert_int_equal(out.at - buffer, room < length ? 0 : length);
            free(buffer);
            check(&cache, (int64_t)room * ns_per_second + 1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_times_have_known_texts),
        cmocka_unit_test(every_day_is_right_from_its_first_to_its_last_nanosecond),
        cmocka_unit_test(every_second_of_a_day_is_right),
        cmocka_unit_test(random_times_are_right),
        cmocka_unit_test(the_cached_second_is_never_stale),
        cmocka_unit_test(what_does_not_fit_writes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
