/* What becomes of an operation's steps, as the lines that end it tell it: statuses, durations, retries, bounds. */
#include "support/plain_format.h"

enum { STEPS_MAX = 64 };

static int setup(void **state)
{
    test_log_t *t = test_log_new();
    const step_log_options_t options = test_log_options(t);
    plain_log_open(t, &options, PLAIN_STEPS);
    *state = t;
    return 0;
}

static step_logger_t *started(const char *name, int total_steps)
{
    step_logger_t *op = step_logger_new(name, total_steps);
    step_logger_start(op);
    return op;
}

/* Of the lines since the last time, the last. */
static const char *last_line(test_log_t *t)
{
    const char *text = new_text(t), *line = text;
    for (const char *at = text; (at = strchr(at, '\n')) != NULL && at[1] != '\0'; at++)
        line = at + 1;
    return line;
}

static void statuses(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = started("A", 4);
    step_logger_step(op, 1, "Connecting");
    pass_ms(t, 5);
    step_logger_success(op);
    step_logger_step(op, 2, "Looking");
    pass_ms(t, 7);
    step_logger_skip(op, "known");
    step_logger_step(op, 3, "Storing");
    pass_ms(t, 11);
    step_logger_failure(op, "no");
    step_logger_step(op, 4, "Left open");
    pass_ms(t, 13);
    step_logger_complete(op);
    assert_string_equal(last_line(t), "INFO complete A [1 success x1 5ms \"Connecting\", 2 skip x1 7ms \"Looking\", "
                                      "3 failure x1 11ms \"Storing\", 4 open x1 13ms \"Left open\"]\n");
    step_logger_free(op);
}

static void retries(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = started("A", 2);
    for (int i = 1; i <= 3; i++) {
        step_logger_step(op, 1, i < 3 ? "Trying" : "Trying harder");
        pass_ms(t, i);
        if (i < 3)
            step_logger_failure(op, "no");
        else
            step_logger_success(op);
    }
    step_logger_step(op, 2, "Then");
    step_logger_success(op);
    step_logger_step(op, 1, "Again"); /* not a retry: another run of it */
    step_logger_success(op);
    step_logger_complete(op);
    assert_string_equal(last_line(t), "INFO complete A [1 success x3 3ms \"Trying\", 2 success x1 0ms \"Then\", "
                                      "1 success x1 0ms \"Again\"]\n");
    step_logger_free(op);
}

/* A step that is left for the next one has no end. */
static void left_open(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = started("A", 0);
    step_logger_step(op, 1, "First");
    pass_ms(t, 5);
    step_logger_step(op, 2, NULL);
    pass_ms(t, 5);
    step_logger_free(op);
    assert_string_equal(last_line(t), "WARNING incomplete A/2 [1 open x1 0ms \"First\", 2 open x1 5ms \"null\"]\n");
}

static void without_steps(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = started("A", 0);
    step_logger_failure(op, "no");
    step_logger_success(op); /* misuse */
    step_logger_complete(op);
    assert_string_equal(last_line(t), "INFO complete A\n");
    step_logger_free(op);
}

/* Of those that find no room each counts once, however often it is tried. */
static void many_steps(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = started("A", 0);
    for (int i = 1; i <= STEPS_MAX + 10; i++) {
        step_logger_step(op, i, "x");
        step_logger_step(op, i, "x");
        step_logger_success(op);
    }
    step_logger_complete(op);
    const char *line = last_line(t);
    assert_non_null(strstr(line, "[1 success x2 0ms \"x\", "));
    assert_non_null(strstr(line, ", 64 success x2 0ms \"x\" +10]\n"));
    step_logger_free(op);
}

static void below_the_level(void **state)
{
    test_log_t *t = *state;
    assert_int_equal(step_log_set_level(t->log, STEP_LEVEL_WARNING), STEP_OK);
    step_logger_t *op = started("A", 1);
    step_logger_step(op, 1, "Unseen");
    pass_ms(t, 3);
    step_logger_success(op);
    step_logger_free(op);
    expect_text(t, "WARNING incomplete A [1 success x1 3ms \"Unseen\"]\n");
}

static void places_are_used_again(void **state)
{
    test_log_t *t = *state;
    for (int i = 0; i < 600; i++) {
        step_logger_t *op = started("A", 1);
        step_logger_step(op, 1, "one");
        step_logger_success(op);
        step_logger_complete(op);
        assert_string_equal(last_line(t), "INFO complete A [1 success x1 0ms \"one\"]\n");
        step_logger_free(op);
    }
}

/* Children have their own; lines that wait keep theirs. */
static void held_lines(void **state)
{
    test_log_t *t = *state;
    step_log_options_t options = test_log_options(t);
    options.sample_rate = 0;
    plain_log_open(t, &options, PLAIN_STEPS);
    step_logger_t *op = started("A", 2);
    step_logger_step(op, 1, "outer");
    step_logger_t *child = started("Child", 1);
    step_logger_step(child, 1, "inner");
    step_logger_failure(child, "no");
    finish(child);
    pass_ms(t, 4);
    step_logger_success(op);
    step_logger_step(op, 2, "open");
    finish(op);
    expect_text(t, "INFO start A\nINFO step A/1\nINFO start Child\nINFO step Child/1\nERROR failure Child/1 \"no\"\n"
                   "INFO complete Child [1 failure x1 0ms \"inner\"]\nINFO success A/1\nINFO step A/2\n"
                   "INFO complete A [1 success x1 4ms \"outer\", 2 open x1 0ms \"open\"]\n");
}

static void open_at_close(void **state)
{
    test_log_t *t = *state;
    const step_log_options_t options = test_log_options(t);
    capture_t *c = plain_log_open_captured(t, &options, PLAIN_STEPS);
    step_logger_t *op = started("A", 2);
    step_logger_step(op, 1, "one");
    pass_ms(t, 6);
    test_log_close(t);
    assert_string_equal(capture_text(c), "INFO start A\nINFO step A/1\nWARNING incomplete A/1 [1 open x1 6ms \"one\"]\n");
    step_logger_free(op);
    capture_free(c);
}

/* An output that asks later knows of what began since. */
static void asked_late(void **state)
{
    test_log_t *t = *state;
    const step_log_options_t options = test_log_options(t);
    plain_log_open(t, &options, 0);
    step_logger_t *op = started("A", 2);
    step_logger_step(op, 1, "one");
    step_sink_t *sink = step_sink_memory(1 << 16);
    assert_int_equal(step_log_add_output(t->log, sink, plain_format(PLAIN_STEPS), 0), STEP_OK);
    step_logger_success(op);
    step_logger_step(op, 2, "two");
    step_logger_success(op);
    finish(op);
    assert_int_equal(step_log_flush(t->log, TEST_FLUSH_MS), STEP_OK);
    assert_string_equal(step_sink_memory_text(sink), "INFO success A/1\nINFO step A/2\nINFO success A/2\n"
                                                     "INFO complete A [2 success x1 0ms \"two\"]\n");
}

/* As JSON has it. */
static void in_json(void **state)
{
    test_log_t *t = *state;
    const step_json_options_t canonical = { .size = sizeof(canonical), .canonical = 1 };
    step_sink_t *sink = step_sink_memory(1 << 16);
    assert_int_equal(step_log_add_output(t->log, sink, step_format_json_with(&canonical), 0), STEP_OK);
    step_logger_t *op = started("A", 2);
    step_logger_step(op, 1, "one");
    pass_ms(t, 2);
    step_logger_success(op);
    step_logger_step(op, 2, "two");
    step_logger_failure(op, "no");
    finish(op);
    assert_int_equal(step_log_flush(t->log, TEST_FLUSH_MS), STEP_OK);
    const char *line = strstr(step_sink_memory_text(sink), "\"event\":\"operation_complete\"");
    assert_non_null(line);
    assert_non_null(strstr(line, "\"step_1\":\"success\",\"step_1_description\":\"one\",\"step_1_duration_ms\":2"));
    assert_non_null(strstr(line, "\"step_2\":\"failure\",\"step_2_description\":\"two\",\"step_2_duration_ms\":0"));
}

#define STEPS_TEST(function) cmocka_unit_test_setup_teardown(function, setup, test_log_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STEPS_TEST(statuses),        STEPS_TEST(retries),       STEPS_TEST(left_open),
        STEPS_TEST(without_steps),   STEPS_TEST(many_steps),    STEPS_TEST(below_the_level),
        STEPS_TEST(places_are_used_again), STEPS_TEST(held_lines), STEPS_TEST(open_at_close),
        STEPS_TEST(asked_late),      STEPS_TEST(in_json),
    };
    return test_in_both_modes(tests);
}
