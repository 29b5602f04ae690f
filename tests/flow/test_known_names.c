/* JSON lines of a call site that is known: names are worked out once, and only where nothing else in the line changes them. */
#include <step_logger.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 4 };

static step_log_t *log_under_test;
static step_sink_t *plain, *with_places;

static int open_log(void **state)
{
    step_json_options_t options = { .size = sizeof(options), .source = true };
    (void)state;
    plain = step_sink_memory(1 << 20);
    with_places = step_sink_memory(1 << 20);
    return step_log_open(NULL, &log_under_test) != STEP_OK ||
           step_log_add_output(log_under_test, plain, step_format_json(), 0) != STEP_OK ||
           step_log_add_output(log_under_test, with_places, step_format_json_with(&options), 0) != STEP_OK ||
           step_log_set_default(log_under_test) != STEP_OK;
}

static int close_log(void **state)
{
    (void)state;
    return step_log_close(log_under_test) != STEP_OK;
}

/* The last line of a sink ends with these members. */
static void assert_ends(const step_sink_t *sink, const char *members)
{
    char expected[512];
    assert_int_equal(step_log_flush(log_under_test, 10000), STEP_OK);
    const char *text = step_sink_memory_text((step_sink_t *)(uintptr_t)sink);
    snprintf(expected, sizeof(expected), ",%s}\n", members);
    const size_t length = strlen(text), n = strlen(expected);
    assert_true(length >= n);
    assert_string_equal(text + length - n, expected);
}

static void assert_both_end(const char *members)
{
    assert_ends(plain, members);
    assert_ends(with_places, members);
}

static void names_that_are_taken(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        step_info("m", step_kv("seq", 5), step_kv("a", 1), step_kv("a", 2), step_kv("seq_1", 0));
        assert_both_end("\"seq_1\":5,\"a\":1,\"a_1\":2,\"seq_1_1\":0");
    }
}

static void names_that_places_take(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        step_info("m", step_kv("file", "x"), step_kv("line", 1), step_kv("reason", "r"));
        assert_ends(plain, "\"file\":\"x\",\"line\":1,\"reason\":\"r\"");
        assert_ends(with_places, "\"file_1\":\"x\",\"line_1\":1,\"reason\":\"r\"");
    }
}

/* `attempt` is the user's in a first attempt, and ours in others: of one call site. */
static void names_that_some_lines_take(void **state)
{
    (void)state;
    for (int i = 0; i < 2 * ROUNDS; i++) {
        const bool again = i % 2 != 0;
        step_logger_t *op = step_logger_new("Sync", 1);
        step_logger_start(op);
        step_logger_step(op, 1, "one");
        if (again) {
            step_logger_failure(op, "no");
            step_logger_step(op, 1, "one");
        }
        step_logger_success(op, step_kv("attempt", 7));
        assert_both_end(again ? "\"attempt_1\":7" : "\"attempt\":7");
        step_logger_complete(op);
        step_logger_free(op);
    }
}

static void values_of_every_kind(void **state)
{
    (void)state;
    const double doubles[ROUNDS] = { 1.5, (double)NAN, -(double)INFINITY, 1e300 };
    const char *const shown[ROUNDS] = { "1.5", "null", "null", "1e+300" };
    const char *const fixed[ROUNDS] = { "1.50", "null", "null", "1e+300" };
    char expected[256];
    for (int i = 0; i < ROUNDS; i++) {
        step_info("m", step_kv("v", doubles[i]), step_fixed("f", doubles[i], 2), step_percent("p", 12.5), step_bool("b", i));
        snprintf(expected, sizeof(expected), "\"v\":%s,\"f\":%s,\"p\":12.5,\"b\":%s", shown[i], fixed[i], i != 0 ? "true" : "false");
        assert_both_end(expected);
        step_info("m", step_kv("n", (const char *)NULL), step_kv("q", "a \"b\""), step_u64("u", UINT64_MAX), step_secret("s", "x"));
        assert_both_end("\"n\":null,\"q\":\"a \\\"b\\\"\",\"u\":18446744073709551615,\"s\":\"***\"");
    }
}

/* What is bound comes behind the call's own and gives way. */
static void names_that_are_bound(void **state)
{
    (void)state;
    step_logger_t *op = step_logger_new("Sync", 1);
    step_logger_start(op);
    for (int i = 0; i < ROUNDS; i++) {
        if (i == 2)
            step_logger_bind(op, step_kv("b", "bound"));
        step_logger_message(op, STEP_LEVEL_INFO, "m", step_kv("seq", i));
        step_info("m", step_kv("seq", 1));
        assert_both_end(i < 2 ? "\"seq_1\":1" : "\"seq_1\":1,\"b\":\"bound\"");
    }
    step_logger_complete(op);
    step_logger_free(op);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_that_are_taken, open_log, close_log),
        cmocka_unit_test_setup_teardown(names_that_places_take, open_log, close_log),
        cmocka_unit_test_setup_teardown(names_that_some_lines_take, open_log, close_log),
        cmocka_unit_test_setup_teardown(values_of_every_kind, open_log, close_log),
        cmocka_unit_test_setup_teardown(names_that_are_bound, open_log, close_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
