/* Environment variables about what is kept, redacted and reported; for bad values, what is allowed, and the default. */
#include "support/child.h"

#include <step_logger.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static child_result_t result;

/* ---- The programs ---- */

static void run_operation(const char *name, bool fails)
{
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.parent = step_logger_no_parent();
    step_logger_t *op = step_logger_new_with(name, &options);
    step_logger_start(op, step_kv("api_token", "hush"));
    step_logger_message(op, STEP_LEVEL_DEBUG, "detail", step_kv("n", 1));
    if (fails)
        step_logger_failure(op, "no");
    step_logger_free(op);
}

static int two_operations(void)
{
    step_logger_t *op = step_logger_new("Good", 1);
    step_logger_start(op);
    step_logger_message(op, STEP_LEVEL_DEBUG, "detail");
    step_logger_complete(op, step_kv("n", 1));
    step_logger_free(op);
    run_operation("Bad", true);
    return 0;
}

static int never_ends(void)
{
    step_logger_t *op = step_logger_new("Long", 1);
    step_logger_start(op);
    usleep(300000);
    step_logger_complete(op);
    step_logger_free(op);
    step_logger_t *open = step_logger_new("Open", 1);
    step_logger_start(open);
    usleep(100000);
    return 0;
}

static int by_rule(void)
{
    run_operation("Database: Fetch", false);
    run_operation("Other", false);
    return 0;
}

static const child_program_t programs[] = {
    { "two_operations", two_operations }, { "never_ends", never_ends }, { "by_rule", by_rule }
};

#define RUN(name, ...) run(name, (const char *const[]){ __VA_ARGS__, NULL })

static void run(const char *name, const char *const *variables)
{
    child_run(name, variables, NULL, &result);
    if (result.status != 0)
        fail_msg("%s: status %d, stderr: %s", name, result.status, result.err);
    assert_string_equal(result.out, "");
}

static bool says(const char *what)
{
    return strstr(result.err, what) != NULL;
}

/* ---- Good values ---- */

static void sample_rate(void **state)
{
    static const char *const none[] = { "0", "0.0", ".0", "0.", "0.00000000000000" };
    static const char *const all[] = { "1", "1.0", "1.", "1.00000000000000", "" };
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        char variable[64];
        snprintf(variable, sizeof(variable), "STEP_LOGGER_SAMPLE_RATE=%s", none[i]);
        RUN("two_operations", variable);
        assert_false(says("Good"));
        assert_true(says("START: Bad"));
        assert_false(says("not understood"));
        snprintf(variable, sizeof(variable), "STEP_LOGGER_SAMPLE_RATE=%s", all[i]);
        RUN("two_operations", variable);
        assert_true(says("START: Good"));
        assert_false(says("not understood"));
    }
    RUN("two_operations", "STEP_LOGGER_SAMPLE_RATE=0.999999", "STEP_LOGGER_FORMAT=json"); /* one in a million fails here */
    assert_true(says("\"sample_rate\":0.999999"));
}

static void flight_recorder(void **state)
{
    (void)state;
    RUN("two_operations", "STEP_LOGGER_FLIGHT_RECORDER_BYTES=4096");
    assert_true(says("[DEBUG] detail (n=1, flight_recorder=true)\n[ERROR]"));
    const char *first = strstr(result.err, "detail");
    assert_null(strstr(first + 1, "detail"));
    RUN("two_operations", "STEP_LOGGER_FLIGHT_RECORDER_BYTES=4096", "LOG_LEVEL=off");
    assert_string_equal(result.err, "");
    RUN("two_operations", "STEP_LOGGER_FLIGHT_RECORDER_BYTES=0");
    assert_false(says("detail"));
}

static void redacted(void **state)
{
    (void)state;
    RUN("two_operations", "X=1");
    assert_true(says("api_token=hush"));
    RUN("two_operations", "STEP_LOGGER_REDACT_KEYS=password, *_TOKEN");
    assert_true(says("api_token=***"));
    assert_false(says("hush"));
    char variable[2048] = "STEP_LOGGER_REDACT_KEYS=";
    memset(variable + strlen(variable), 'x', 1024);
    RUN("two_operations", variable); /* rather too much than too little */
    assert_true(says("is not understood: use at most 1023 bytes; the value of every key is redacted\n"));
    assert_true(says("api_token=***"));
    assert_true(says("(n=***, total_duration_ms="));
    variable[strlen("STEP_LOGGER_REDACT_KEYS=") + 1023] = '\0';
    RUN("two_operations", variable);
    assert_false(says("not understood"));
    assert_true(says("api_token=hush"));
}

static void slow_and_stuck(void **state)
{
    (void)state;
    RUN("never_ends", "STEP_LOGGER_SLOW_MS=200", "STEP_LOGGER_STUCK_MS=50");
    assert_true(says("COMPLETE: Long (slow=true, total_duration_ms="));
    assert_true(says("STUCK: Open (")); /* at the latest at the end of the process */
    assert_true(says("INCOMPLETE: Open ("));
    RUN("never_ends", "STEP_LOGGER_SLOW_MS=0", "STEP_LOGGER_STUCK_MS=0");
    assert_false(says("slow"));
    assert_false(says("STUCK"));
}

static void levels_by_operation(void **state)
{
    (void)state;
    RUN("by_rule", "LOG_LEVEL=off, Database*=debug");
    assert_true(says("START: Database: Fetch"));
    assert_true(says("[DEBUG] detail"));
    assert_false(says("Other"));
}

/* ---- Bad ones ---- */

static void bad_values(void **state)
{
    static const char *const numbers[] = { "-1", "+1", "1x", " 1", "1 ", "0x10", "4294967296", "99999999999999999999", "1.5", "ten" };
    static const char *const shares[] = { "-0.1", "1.1", "2", "1e-1", "0,1", ".", "..1", "0.1.", "x", "nan", "inf",
                                          "0.1000000000000000", "10000000000000000000000000" };
    static const struct {
        const char *name, *allowed;
    } variables[] = {
        { "STEP_LOGGER_FLIGHT_RECORDER_BYTES", "use a number of bytes; there is no flight recorder" },
        { "STEP_LOGGER_SLOW_MS", "use a number of milliseconds; no operation counts as slow" },
        { "STEP_LOGGER_STUCK_MS", "use a number of milliseconds; none is reported as stuck" },
    };
    char variable[128], expected[512];
    (void)state;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        const size_t which = i % 3;
        snprintf(variable, sizeof(variable), "%s=%s", variables[which].name, numbers[i]);
        snprintf(expected, sizeof(expected), "step_logger: %s is not understood: %s\n[INFO]", variable, variables[which].allowed);
        RUN("two_operations", variable);
        assert_int_equal(strncmp(result.err, expected, strlen(expected)), 0);
        assert_false(says("detail"));
    }
    for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
        snprintf(variable, sizeof(variable), "STEP_LOGGER_SAMPLE_RATE=%s", shares[i]);
        snprintf(expected, sizeof(expected),
                 "step_logger: %s is not understood: use a number from 0 to 1, such as 0.1; 1 is used\n[INFO]", variable);
        RUN("two_operations", variable);
        assert_int_equal(strncmp(result.err, expected, strlen(expected)), 0);
        assert_true(says("COMPLETE: Good"));
    }
}

int main(int argc, char **argv)
{
    child_main(argc, argv, programs, sizeof(programs) / sizeof(programs[0]));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sample_rate),    cmocka_unit_test(flight_recorder),     cmocka_unit_test(redacted),
        cmocka_unit_test(slow_and_stuck), cmocka_unit_test(levels_by_operation), cmocka_unit_test(bad_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
