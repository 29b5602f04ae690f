/* Which lines are written: the log's level, an output's level, changes while operations are open. */
#include "support/test_log.h"

static void set_level(test_log_t *t, step_level_t level)
{
    assert_int_equal(step_log_set_level(t->log, level), STEP_OK);
}

static void a_whole_operation(test_log_t *t)
{
    step_logger_t *op = step_logger_new("Sync", 2);
    step_logger_start(op, step_kv("a", 1));
    step_logger_step(op, 1, "Reading", step_kv("b", 2));
    step_debug("a detail");
    step_logger_progress(op, 1, 2);
    pass_ms(t, 3);
    step_logger_success(op, step_kv("c", 3));
    step_warning("a doubt");
    step_logger_step(op, 2, "Writing");
    pass_ms(t, 4);
    step_logger_failure(op, "disk full", step_kv("d", 4));
    step_critical("the end is near");
    step_logger_complete(op);
    step_logger_free(op);
}

#define LINE_FAILED "[ERROR] ❌ [2/2] Writing - FAILED: disk full (d=4, duration_ms=4.0)\n"
#define LINE_CRITICAL "[CRITICAL] the end is near\n"

/* Structure and times are recorded at every level: the failure names its step and knows its duration. */
static void level_of_the_log(void **state)
{
    test_log_t *t = *state;
    a_whole_operation(t);
    expect_text(t, "[INFO] 🚀 START: Sync (a=1)\n"
                   "[INFO] ▶️  [1/2] Reading (b=2)\n"
                   "[DEBUG] a detail\n"
                   "[INFO] ⏳ [1/2] Reading - PROGRESS: 1/2\n"
                   "[INFO] ✅ [1/2] Reading - SUCCESS (c=3, duration_ms=3.0)\n"
                   "[WARNING] a doubt\n"
                   "[INFO] ▶️  [2/2] Writing\n" LINE_FAILED LINE_CRITICAL
                   "[INFO] 🏁 COMPLETE: Sync (total_duration_ms=7.0)\n");
    set_level(t, STEP_LEVEL_INFO);
    a_whole_operation(t);
    assert_null(strstr(new_text(t), "DEBUG"));
    set_level(t, STEP_LEVEL_WARNING);
    a_whole_operation(t);
    expect_text(t, "[WARNING] a doubt\n" LINE_FAILED LINE_CRITICAL);
    set_level(t, STEP_LEVEL_ERROR);
    a_whole_operation(t);
    expect_text(t, LINE_FAILED LINE_CRITICAL);
    set_level(t, STEP_LEVEL_CRITICAL);
    a_whole_operation(t);
    expect_text(t, LINE_CRITICAL);
    set_level(t, STEP_LEVEL_OFF);
    a_whole_operation(t);
    expect_text(t, "");
    const step_stats_t stats = balanced_stats(t->log);
    assert_int_equal(stats.dropped, 0);
    assert_int_equal(stats.misused, 0);
}

/* As JSON, too, a lone failure says all about itself. */
static void a_lone_failure_in_json(void **state)
{
    test_log_t *t = *state;
    set_level(t, STEP_LEVEL_ERROR);
    a_whole_operation(t);
    const char *json = new_json(t);
    assert_non_null(strstr(json, "\"level\":\"ERROR\",\"event\":\"step_failure\",\"operation\":\"Sync\",\"step\":2,"
                                 "\"total_steps\":2,\"description\":\"Writing\",\"error\":\"disk full\","
                                 "\"duration_ms\":4,\"depth\":0,"));
    assert_non_null(strstr(json, "\"event\":\"message\",\"operation\":\"Sync\",\"message\":\"the end is near\","));
}

static void level_of_an_output(void **state)
{
    test_log_t *t = *state;
    step_sink_t *errors = step_sink_memory(1 << 16);
    step_sink_t *nothing = step_sink_memory(1 << 16);
    step_sink_t *all = step_sink_memory(1 << 16);
    assert_int_equal(step_log_add_output(t->log, errors, step_format_text(), STEP_LEVEL_ERROR), STEP_OK);
    assert_int_equal(step_log_add_output(t->log, nothing, step_format_text(), STEP_LEVEL_OFF), STEP_OK);
    assert_int_equal(step_log_add_output(t->log, all, step_format_text(), 0), STEP_OK);
    a_whole_operation(t);
    const char *text = new_text(t);
    assert_non_null(strstr(text, "a detail"));
    assert_string_equal(step_sink_memory_text(errors), LINE_FAILED LINE_CRITICAL);
    assert_string_equal(step_sink_memory_text(nothing), "");
    assert_string_equal(step_sink_memory_text(all), text);
    const step_stats_t stats = balanced_stats(t->log); /* filtered is written */
    assert_int_equal(stats.recorded, 10);
    assert_int_equal(stats.written, 10);
}

static void changed_while_running(void **state)
{
    test_log_t *t = *state;
    set_level(t, STEP_LEVEL_ERROR);
    step_logger_t *op = step_logger_new("Sync", 3);
    step_logger_start(op);
    step_logger_step(op, 1, "Begun while off");
    pass_ms(t, 5);
    set_level(t, STEP_LEVEL_INFO);
    step_logger_success(op, step_kv("rows", 1));
    step_logger_step(op, 2, "Begun while on");
    set_level(t, STEP_LEVEL_OFF);
    step_logger_success(op);
    step_logger_step(op, 3, "Not seen");
    step_logger_success(op);
    set_level(t, STEP_LEVEL_DEBUG);
    pass_ms(t, 5);
    step_logger_complete(op);
    step_logger_free(op);
    expect_text(t, "[INFO] ✅ [1/3] Begun while off - SUCCESS (rows=1, duration_ms=5.0)\n"
                   "[INFO] ▶️  [2/3] Begun while on\n"
                   "[INFO] 🏁 COMPLETE: Sync (total_duration_ms=10.0)\n");
}

/* Levels between the named ones take the name of the one below; OFF and beyond are thresholds, not severities. */
static void levels_in_between(void **state)
{
    static const struct {
        step_level_t level;
        const char *name;
    } levels[] = { { 5, "DEBUG" },     { 8, "DEBUG" },     { 9, "INFO" },      { 12, "INFO" },    { 13, "WARNING" },
                   { 16, "WARNING" },  { 17, "ERROR" },    { 20, "ERROR" },    { 21, "CRITICAL" }, { 24, "CRITICAL" },
                   { 25, "CRITICAL" }, { 255, "CRITICAL" }, { 1000, "CRITICAL" } };
    test_log_t *t = *state;
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        char expected[128];
        step_message(levels[i].level, "text");
        snprintf(expected, sizeof(expected), "[%s] text\n", levels[i].name);
        expect_text(t, expected);
    }
    step_message(4, "below DEBUG");
    step_message(0, "none");
    step_message(-1, "none");
    expect_text(t, "");
    set_level(t, 1);
    step_message(1, "lowest");
    step_message(0, "none");
    step_message(-1, "none");
    expect_text(t, "[DEBUG] lowest\n");
}

static void off_is_off(void **state)
{
    test_log_t *t = *state;
    set_level(t, STEP_LEVEL_OFF);
    step_message(STEP_LEVEL_OFF, "x");
    step_message(1000, "x");
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.level = 1000;
    step_logger_t *op = step_logger_new_with("Important", &options);
    step_logger_start(op);
    step_logger_message(op, 1000, "x");
    step_logger_failure(op, "x");
    assert_false(step_logger_wants(op, 0));
    assert_false(step_logger_wants(op, 1000));
    step_quick_failure(1, "x", "x", 1);
    expect_text(t, "");
    set_level(t, STEP_LEVEL_CRITICAL);
    step_logger_failure(op, "now");
    step_logger_free(op);
    expect_text(t, "[CRITICAL] ❌ Important - FAILED: now (duration_ms=0.0)\n");
}

static void operation_above_and_below_the_log(void **state)
{
    test_log_t *t = *state;
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.level = STEP_LEVEL_DEBUG;
    set_level(t, STEP_LEVEL_INFO);
    step_logger_t *quiet = step_logger_new_with("Quiet", &options);
    options.level = STEP_LEVEL_WARNING;
    step_logger_t *loud = step_logger_new_with("Loud", &options);
    step_logger_start(quiet);
    step_logger_start(loud);
    step_logger_step(quiet, 1, "One");
    step_logger_failure(quiet, "no");
    step_logger_complete(loud);
    step_logger_complete(quiet);
    step_logger_free(loud);
    step_logger_free(quiet);
    expect_text(t, "    [WARNING] 🚀 START: Loud\n"
                   "[ERROR] ❌ [Step 1] One - FAILED: no (duration_ms=0.0)\n"
                   "    [WARNING] 🏁 COMPLETE: Loud (total_duration_ms=0.0)\n");
}

static void wants_agrees_with_what_is_written(void **state)
{
    static const step_level_t levels[] = { STEP_LEVEL_DEBUG, STEP_LEVEL_INFO,     STEP_LEVEL_WARNING,
                                           STEP_LEVEL_ERROR, STEP_LEVEL_CRITICAL, STEP_LEVEL_OFF };
    test_log_t *t = *state;
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    for (int log = 0; log < 6; log++)
        for (int own = 0; own < 5; own++)
            for (int message = 0; message < 5; message++) {
                set_level(t, levels[log]);
                options.level = levels[own];
                step_logger_t *op = step_logger_new_with("Sync", &options);
                const bool wants_own = step_logger_wants(op, 0);
                step_logger_start(op);
                assert_int_equal(new_text(t)[0] != '\0', wants_own);
                const bool wants = step_logger_wants(op, levels[message]);
                assert_int_equal(step_log_wants(t->log, levels[message]), wants);
                assert_int_equal(step_log_wants(NULL, levels[message]), wants);
                step_logger_message(op, levels[message], "text");
                assert_int_equal(new_text(t)[0] != '\0', wants);
                step_logger_complete(op);
                step_logger_free(op);
                new_text(t);
            }
}

static void levels_that_do_not_exist(void **state)
{
    static const step_level_t bad[] = { 0, -1, STEP_LEVEL_OFF + 1, 1000 };
    test_log_t *t = *state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        step_log_options_t options = test_log_options(t);
        step_log_t *log = NULL;
        options.level = bad[i];
        assert_int_equal(step_log_set_level(t->log, bad[i]), STEP_EINVAL);
        assert_int_equal(step_log_open(&options, &log), STEP_EINVAL);
        assert_null(log);
        expect_told(t, "-1: step_log_open(): level is not one of STEP_LEVEL_DEBUG to STEP_LEVEL_OFF\n");
    }
    assert_int_equal(step_log_add_output(t->log, step_sink_memory(1), step_format_text(), -1), STEP_EINVAL);
    assert_int_equal(step_log_add_output(t->log, step_sink_memory(1), step_format_text(), STEP_LEVEL_OFF + 1),
                     STEP_EINVAL);
    step_debug("as before");
    expect_text(t, "[DEBUG] as before\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(level_of_the_log),
        TEST(a_lone_failure_in_json),
        TEST(level_of_an_output),
        TEST(changed_while_running),
        TEST(levels_in_between),
        TEST(off_is_off),
        TEST(operation_above_and_below_the_log),
        TEST(wants_agrees_with_what_is_written),
        TEST(levels_that_do_not_exist),
    };
    return test_in_both_modes(tests);
}
