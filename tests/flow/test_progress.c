/* Progress: at most one line a second, and always the first and the last; whose progress it is; times by the injected clock. */
#include "support/test_log.h"

static void one_line_a_second(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = step_logger_new("Copy", 1);
    step_logger_start(op);
    step_logger_step(op, 1, "Copying");
    for (uint64_t done = 1; done <= 45; done++) { /* at 0.0, 0.1, 0.2 ... s */
        step_logger_progress(op, done, 100, step_kv("rate", 10));
        pass_ms(t, 100);
    }
    step_logger_success(op);
    step_logger_free(op);
    expect_text(t, "[INFO] 🚀 START: Copy\n"
                   "[INFO] ▶️  [1/1] Copying\n"
                   "[INFO] ⏳ [1/1] Copying - PROGRESS: 1/100 (rate=10)\n"
                   "[INFO] ⏳ [1/1] Copying - PROGRESS: 11/100 (rate=10)\n"
                   "[INFO] ⏳ [1/1] Copying - PROGRESS: 21/100 (rate=10)\n"
                   "[INFO] ⏳ [1/1] Copying - PROGRESS: 31/100 (rate=10)\n"
                   "[INFO] ⏳ [1/1] Copying - PROGRESS: 41/100 (rate=10)\n"
                   "[INFO] ✅ [1/1] Copying - SUCCESS (duration_ms=4500.0)\n"
                   "[WARNING] ⚠️  INCOMPLETE: Copy (total_duration_ms=4500.0)\n");
    assert_int_equal(balanced_stats(t->log).recorded, 9); /* what the limit leaves out is no record */
}

static void exactly_a_second(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = step_logger_new("Copy", 1);
    step_logger_start(op);
    step_logger_step(op, 1, "Copying");
    step_logger_progress(op, 1, 9);
    pass_ns(t, 999999999);
    step_logger_progress(op, 2, 9);
    pass_ns(t, 1);
    step_logger_progress(op, 3, 9);
    step_logger_complete(op);
    step_logger_free(op);
    expect_text(t, "[INFO] 🚀 START: Copy\n"
                   "[INFO] ▶️  [1/1] Copying\n"
                   "[INFO] ⏳ [1/1] Copying - PROGRESS: 1/9\n"
                   "[INFO] ⏳ [1/1] Copying - PROGRESS: 3/9\n"
                   "[INFO] 🏁 COMPLETE: Copy (total_duration_ms=1000.0)\n");
}

/* The last one always comes, so do the first of each step and of each attempt. */
static void first_and_last_always(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = step_logger_new("Copy", 2);
    step_logger_start(op);
    step_logger_step(op, 1, "Copying");
    step_logger_progress(op, 0, 2);
    step_logger_progress(op, 1, 2);
    step_logger_progress(op, 2, 2);
    step_logger_success(op);
    step_logger_step(op, 2, "Checking");
    step_logger_progress(op, 1, 3);
    step_logger_progress(op, 2, 3);
    step_logger_failure(op, "mismatch");
    step_logger_step(op, 2, "Checking");
    step_logger_progress(op, 1, 3);
    step_logger_progress(op, 4, 3); /* more than there should be */
    step_logger_success(op);
    step_logger_complete(op);
    step_logger_free(op);
    expect_text(t, "[INFO] 🚀 START: Copy\n"
                   "[INFO] ▶️  [1/2] Copying\n"
                   "[INFO] ⏳ [1/2] Copying - PROGRESS: 0/2\n"
                   "[INFO] ⏳ [1/2] Copying - PROGRESS: 2/2\n"
                   "[INFO] ✅ [1/2] Copying - SUCCESS (duration_ms=0.0)\n"
                   "[INFO] ▶️  [2/2] Checking\n"
                   "[INFO] ⏳ [2/2] Checking - PROGRESS: 1/3\n"
                   "[ERROR] ❌ [2/2] Checking - FAILED: mismatch (duration_ms=0.0)\n"
                   "[INFO] ▶️  [2/2] Checking\n"
                   "[INFO] ⏳ [2/2] Checking - PROGRESS: 1/3\n"
                   "[INFO] ⏳ [2/2] Checking - PROGRESS: 4/3\n"
                   "[INFO] ✅ [2/2] Checking - SUCCESS (duration_ms=0.0)\n"
                   "[INFO] 🏁 COMPLETE: Copy (total_duration_ms=0.0)\n");
}

static void each_operation_has_its_own_second(void **state)
{
    test_log_t *t = *state;
    step_logger_t *a = step_logger_new("A", 0);
    step_logger_t *b = step_logger_new("B", 0);
    step_logger_start(a);
    step_logger_start(b);
    step_logger_progress(a, 1, 0);
    step_logger_progress(b, 2, 0);
    step_logger_progress(a, 3, 0);
    step_logger_progress(b, 4, 0);
    step_logger_complete(b);
    step_logger_complete(a);
    step_logger_free(b);
    step_logger_free(a);
    expect_text(t, "[INFO] 🚀 START: A\n"
                   "    [INFO] 🚀 START: B\n"
                   "[INFO] ⏳ A - PROGRESS: 1\n"
                   "    [INFO] ⏳ B - PROGRESS: 2\n"
                   "    [INFO] 🏁 COMPLETE: B (total_duration_ms=0.0)\n"
                   "[INFO] 🏁 COMPLETE: A (total_duration_ms=0.0)\n");
}

static void numbers_are_exact_in_json(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = step_logger_new("Copy", 1);
    step_logger_start(op);
    step_logger_step(op, 1, "Copying");
    step_logger_progress(op, UINT64_MAX - 1, UINT64_MAX);
    step_logger_progress(op, UINT64_MAX, UINT64_MAX);
    step_logger_step(op, 1, "Copying");
    step_logger_progress(op, 7, 0); /* how many there will be is not known */
    step_logger_complete(op);
    step_logger_free(op);
    const char *json = new_json(t);
    assert_non_null(strstr(json, "\"event\":\"progress\",\"operation\":\"Copy\",\"step\":1,\"total_steps\":1,"
                                 "\"description\":\"Copying\",\"progress_done\":18446744073709551614,"
                                 "\"progress_total\":18446744073709551615,\"depth\":0,"));
    assert_non_null(strstr(json, "\"progress_done\":18446744073709551615,\"progress_total\":18446744073709551615,"));
    assert_non_null(strstr(json, "\"attempt\":2,\"progress_done\":7,\"depth\":0,"));
}

/* A clock that goes back must not silence it for as long as it went. */
static void clock_that_goes_back(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = step_logger_new("Copy", 1);
    step_logger_start(op);
    step_logger_step(op, 1, "Copying");
    step_logger_progress(op, 1, 9);
    pass_ms(t, -3000);
    step_logger_progress(op, 2, 9);
    pass_ms(t, 1000);
    step_logger_progress(op, 3, 9);
    step_logger_success(op); /* 2 s before it began: no negative duration */
    step_logger_complete(op);
    step_logger_free(op);
    expect_text(t, "[INFO] 🚀 START: Copy\n"
                   "[INFO] ▶️  [1/1] Copying\n"
                   "[INFO] ⏳ [1/1] Copying - PROGRESS: 1/9\n"
                   "[INFO] ⏳ [1/1] Copying - PROGRESS: 2/9\n"
                   "[INFO] ⏳ [1/1] Copying - PROGRESS: 3/9\n"
                   "[INFO] ✅ [1/1] Copying - SUCCESS (duration_ms=0.0)\n"
                   "[INFO] 🏁 COMPLETE: Copy (total_duration_ms=0.0)\n");
}

/* By the real clock, too: a loop that takes less than a second gives the first and the last line. */
static void real_clock(void **state)
{
    test_log_t *t = *state;
    step_log_options_t options = test_log_options(t);
    step_log_t *log = NULL;
    options.clock = NULL;
    assert_int_equal(step_log_open(&options, &log), STEP_OK);
    step_sink_t *text = step_sink_memory(1 << 20);
    assert_int_equal(step_log_add_output(log, text, step_format_text(), 0), STEP_OK);
    step_logger_t *op = operation_in(log, "Copy", 1);
    step_logger_start(op);
    step_logger_step(op, 1, "Copying");
    for (uint64_t done = 1; done <= 1000; done++)
        step_logger_progress(op, done, 1000);
    assert_int_equal(step_log_flush(log, TEST_FLUSH_MS), STEP_OK);
    const char *lines = step_sink_memory_text(text);
    assert_non_null(strstr(lines, " - PROGRESS: 1/1000\n"));
    assert_non_null(strstr(lines, " - PROGRESS: 1000/1000\n"));
    int count = 0;
    for (const char *at = lines; (at = strstr(at, "PROGRESS")) != NULL; at++)
        count++;
    assert_in_range(count, 2, 100); /* one a second, on however slow a machine */
    step_logger_complete(op);
    step_logger_free(op);
    assert_int_equal(step_log_close(log), STEP_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_line_a_second),
        TEST(exactly_a_second),
        TEST(first_and_last_always),
        TEST(each_operation_has_its_own_second),
        TEST(numbers_are_exact_in_json),
        TEST(clock_that_goes_back),
        TEST(real_clock),
    };
    return test_in_both_modes(tests);
}
