/* The flight recorder together with sampling, and what it holds at most. */
#include "core/log.h"
#include "support/plain_format.h"

enum { RECORDER_BYTES = 16384 };

static step_log_options_t recording(test_log_t *t, double rate, uint32_t bytes)
{
    step_log_options_t options = test_log_options(t);
    options.level = STEP_LEVEL_INFO;
    options.sample_rate = rate;
    options.flight_recorder_bytes = bytes;
    return options;
}

/* ---- With sampling ---- */

static void trees_are_in_the_order_of_time(void **state)
{
    test_log_t *t = *state;
    const step_log_options_t options = recording(t, 0, RECORDER_BYTES);
    plain_log_open(t, &options, 0);
    for (int fails = 0; fails < 2; fails++) {
        step_logger_t *op = started_with("A", NULL);
        step_debug("outer");
        step_logger_t *child = started_with("Child", NULL);
        step_debug("inner");
        if (fails)
            step_logger_failure(child, "no");
        finish(child);
        step_debug("behind");
        finish(op);
        expect_text(t, !fails
                           ? ""
                           : "INFO start A\nDEBUG message A \"outer\" recorder\nINFO start Child\n"
                             "DEBUG message Child \"inner\" recorder\nERROR failure Child \"no\"\nINFO complete Child\n"
                             "DEBUG message A \"behind\" recorder\nINFO complete A\n");
    }
    const step_stats_t stats = balanced_stats(t->log);
    assert_int_equal(stats.recorded, 15);
    assert_int_equal(stats.sampled_out, 4);
    assert_int_equal(stats.recorder_discarded, 3);
    assert_int_equal(stats.held, 0);
}

/* Those that are chosen are not those that went wrong: without detail. */
static void chosen_ones_are_without_detail(void **state)
{
    test_log_t *t = *state;
    const step_log_options_t options = recording(t, 0.01, RECORDER_BYTES);
    plain_log_open(t, &options, 0);
    step_logger_options_t chosen = STEP_LOGGER_OPTIONS_INIT;
    chosen.traceparent = "00-0af7651916cd43dd84ffffffffffffff-b7ad6b7169203331-03";
    step_logger_t *op = started_with("A", &chosen);
    step_debug("detail");
    finish(op);
    expect_text(t, "INFO start A ~0.01\nINFO complete A ~0.01\n");
}

/* ---- The recorder's bounds ---- */

static void the_oldest_give_way(void **state)
{
    enum { MESSAGES = 500 };
    test_log_t *t = *state;
    const step_log_options_t options = recording(t, 1, 4096);
    plain_log_open(t, &options, 0);
    step_logger_t *op = operation_in(t->log, "A", 1);
    step_logger_start(op);
    for (int i = 0; i < MESSAGES; i++)
        step_debug("detail", step_kv("n", i));
    new_text(t);
    step_logger_failure(op, "no");
    const char *at = new_text(t);
    int first = -1, next = -1;
    for (int n; sscanf(at, "DEBUG message A \"detail\" n=%d recorder\n", &n) == 1; at = strchr(at, '\n') + 1) {
        first = first < 0 ? n : first;
        assert_true(next < 0 || n == next);
        next = n + 1;
    }
    assert_string_equal(at, "ERROR failure A \"no\"\n");
    assert_int_equal(next, MESSAGES);
    assert_in_range(MESSAGES - first, 20, 68); /* some 100 bytes each */
    step_logger_free(op);
    assert_int_equal(balanced_stats(t->log).recorder_discarded, first);
}

/* All recorders together. */
static void memory_of_recorders(void **state)
{
    enum { RECORDERS = 200, MESSAGES = 300 };
    static step_logger_t *ops[RECORDERS];
    test_log_t *t = *state;
    step_logger_options_t detached = STEP_LOGGER_OPTIONS_INIT;
    detached.parent = step_logger_no_parent();
    const step_log_options_t options = recording(t, 1, 1 << 24);
    plain_log_open(t, &options, 0);
    for (int i = 0; i < RECORDERS; i++) {
        ops[i] = started_with("A", &detached);
        for (int j = 0; j < MESSAGES; j++)
            step_logger_message(ops[i], STEP_LEVEL_DEBUG, "detail of some length, so that it takes some memory, too");
    }
    const step_stats_t stats = balanced_stats(t->log);
    assert_true(t->log->backend.retention.bytes <= STEPI_HOLDS_MAX);
    assert_in_range(stats.recorder_discarded, 1000, RECORDERS * MESSAGES - 1000);
    assert_int_equal(stats.held, RECORDERS * MESSAGES - stats.recorder_discarded);
    for (int i = 0; i < RECORDERS; i++) {
        finish(ops[i]);
    }
    assert_int_equal(balanced_stats(t->log).held, 0);
    assert_int_equal(t->log->backend.retention.bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(trees_are_in_the_order_of_time),
        TEST(chosen_ones_are_without_detail),
        TEST(the_oldest_give_way),
        TEST(memory_of_recorders),
    };
    return test_in_both_modes(tests);
}
