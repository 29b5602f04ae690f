/* Operations that were begun and not ended: what free and close say of them, and of which they say nothing. */
#include "support/capture.h"
#include "support/test_log.h"

static void freed_without_complete(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = step_logger_new("Sync", 3);
    step_logger_start(op);
    step_logger_step(op, 1, "Reading");
    step_logger_success(op);
    step_logger_step(op, 2, "Storing rows");
    pass_ms(t, 12);
    step_logger_free(op);
    step_info("in none");
    expect_text(t, "[INFO] 🚀 START: Sync\n"
                   "[INFO] ▶️  [1/3] Reading\n"
                   "[INFO] ✅ [1/3] Reading - SUCCESS (duration_ms=0.0)\n"
                   "[INFO] ▶️  [2/3] Storing rows\n"
                   "[WARNING] ⚠️  INCOMPLETE: Sync (last_step=2, description=\"Storing rows\", total_duration_ms=12.0)\n"
                   "[INFO] in none\n");
    assert_non_null(strstr(new_json(t), "\"level\":\"WARNING\",\"event\":\"operation_incomplete\",\"operation\":\"Sync\","
                                        "\"step\":2,\"total_steps\":3,\"description\":\"Storing rows\","
                                        "\"total_duration_ms\":12,\"depth\":0,"));
    const step_stats_t stats = balanced_stats(t->log);
    assert_int_equal(stats.recorded, 6);
    assert_int_equal(stats.misused, 0); /* the line says it all */
}

static void between_steps(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = step_logger_new("Sync", 3);
    step_logger_start(op);
    step_logger_step(op, 1, "Reading");
    step_logger_success(op);
    step_logger_free(op);
    op = step_logger_new("Sync", 3);
    step_logger_start(op);
    step_logger_free(op);
    expect_text(t, "[INFO] 🚀 START: Sync\n"
                   "[INFO] ▶️  [1/3] Reading\n"
                   "[INFO] ✅ [1/3] Reading - SUCCESS (duration_ms=0.0)\n"
                   "[WARNING] ⚠️  INCOMPLETE: Sync (total_duration_ms=0.0)\n"
                   "[INFO] 🚀 START: Sync\n"
                   "[WARNING] ⚠️  INCOMPLETE: Sync (total_duration_ms=0.0)\n");
}

/* A failure is an end, too, unless another step began after it. */
static void after_a_failure(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = step_logger_new("Sync", 2);
    step_logger_start(op);
    step_logger_step(op, 1, "Reading");
    step_logger_failure(op, "no");
    step_logger_free(op);
    op = step_logger_new("Again", 2);
    step_logger_start(op);
    step_logger_step(op, 1, "Reading");
    step_logger_failure(op, "no");
    step_logger_step(op, 1, "Reading");
    step_logger_free(op);
    expect_text(t, "[INFO] 🚀 START: Sync\n"
                   "[INFO] ▶️  [1/2] Reading\n"
                   "[ERROR] ❌ [1/2] Reading - FAILED: no (duration_ms=0.0)\n"
                   "[INFO] 🚀 START: Again\n"
                   "[INFO] ▶️  [1/2] Reading\n"
                   "[ERROR] ❌ [1/2] Reading - FAILED: no (duration_ms=0.0)\n"
                   "[INFO] ▶️  [1/2] Reading\n"
                   "[WARNING] ⚠️  INCOMPLETE: Again (last_step=1, description=Reading, total_duration_ms=0.0)\n");
}

/* WARNING at least, more where the operation's level is higher, and said wherever warnings are. */
static void level_of_incomplete(void **state)
{
    test_log_t *t = *state;
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    assert_int_equal(step_log_set_level(t->log, STEP_LEVEL_WARNING), STEP_OK);
    step_logger_t *op = step_logger_new("Sync", 2);
    step_logger_start(op);
    step_logger_step(op, 1, "Unseen so far");
    step_logger_free(op);
    options.level = STEP_LEVEL_CRITICAL;
    op = step_logger_new_with("Launch", &options);
    step_logger_start(op);
    step_logger_free(op);
    expect_text(t, "[WARNING] ⚠️  INCOMPLETE: Sync (last_step=1, description=\"Unseen so far\", total_duration_ms=0.0)\n"
                   "[CRITICAL] 🚀 START: Launch\n"
                   "[CRITICAL] ⚠️  INCOMPLETE: Launch (total_duration_ms=0.0)\n");
    assert_int_equal(step_log_set_level(t->log, STEP_LEVEL_ERROR), STEP_OK);
    op = step_logger_new("Sync", 2);
    step_logger_start(op);
    step_logger_free(op);
    expect_text(t, "");
}

/* A log with a sink that outlives it. */
static capture_t *open_captured(test_log_t *t)
{
    test_log_close(t);
    const step_log_options_t options = test_log_options(t);
    test_log_open(t, &options);
    capture_t *c = capture_new();
    assert_int_equal(step_log_add_output(t->log, capture_sink(c), step_format_text(), 0), STEP_OK);
    return c;
}

/* Closing the log reports what is open, the latest first: a child stands before its parent, as when they are freed. */
static void open_at_close(void **state)
{
    test_log_t *t = *state;
    capture_t *c = open_captured(t);
    step_logger_t *outer = step_logger_new("Outer", 2);
    step_logger_start(outer);
    step_logger_step(outer, 1, "First");
    pass_ms(t, 5);
    step_logger_t *inner = step_logger_new("Inner", 0);
    step_logger_start(inner);
    step_logger_t *done = step_logger_new("Done", 0);
    step_logger_start(done);
    step_logger_complete(done);
    step_logger_t *failed = step_logger_new("Failed", 0);
    step_logger_start(failed);
    step_logger_failure(failed, "no");
    step_logger_t *made = step_logger_new("Made", 0);
    pass_ms(t, 5);
    test_log_close(t);
    step_logger_start(made); /* inert from here on, but to be freed */
    step_logger_step(outer, 2, "Second", step_kv("a", 1));
    step_logger_failure(inner, "no");
    step_logger_complete(outer);
    assert_false(step_logger_wants(outer, STEP_LEVEL_CRITICAL));
    step_logger_free(made);
    step_logger_free(failed);
    step_logger_free(done);
    step_logger_free(inner);
    step_logger_free(outer);
    assert_string_equal(capture_text(c),
                        "[INFO] 🚀 START: Outer\n"
                        "[INFO] ▶️  [1/2] First\n"
                        "    [INFO] 🚀 START: Inner\n"
                        "        [INFO] 🚀 START: Done\n"
                        "        [INFO] 🏁 COMPLETE: Done (total_duration_ms=0.0)\n"
                        "        [INFO] 🚀 START: Failed\n"
                        "        [ERROR] ❌ Failed - FAILED: no (duration_ms=0.0)\n"
                        "    [WARNING] ⚠️  INCOMPLETE: Inner (total_duration_ms=5.0)\n"
                        "[WARNING] ⚠️  INCOMPLETE: Outer (last_step=1, description=First, total_duration_ms=10.0)\n");
    capture_free(c);
}

static void many_open_at_close(void **state)
{
    enum { MANY = 1000 };
    test_log_t *t = *state;
    capture_t *c = open_captured(t);
    step_logger_t *ops[MANY];
    for (int i = 0; i < MANY; i++) {
        char name[32];
        step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
        options.parent = step_logger_no_parent();
        snprintf(name, sizeof(name), "Operation %d", i);
        ops[i] = step_logger_new_with(name, &options);
        step_logger_start(ops[i]);
    }
    for (int i = 0; i < MANY; i += 2)
        step_logger_complete(ops[i]);
    test_log_close(t);
    const char *at = strstr(capture_text(c), "INCOMPLETE: ");
    for (int i = MANY - 1; i > 0; i -= 2) {
        char expected[64];
        const int n = snprintf(expected, sizeof(expected), "INCOMPLETE: Operation %d (", i);
        assert_non_null(at);
        assert_int_equal(strncmp(at, expected, (size_t)n), 0);
        at = strstr(at + 1, "INCOMPLETE: ");
    }
    assert_null(at);
    for (int i = 0; i < MANY; i++)
        step_logger_free(ops[i]);
    capture_free(c);
}

/* The next log in the same place does not know the operations of the one before. */
static void next_log_knows_nothing_of_them(void **state)
{
    test_log_t *t = *state;
    capture_t *first = open_captured(t);
    step_logger_t *old = step_logger_new("Old", 0);
    step_logger_start(old);
    capture_t *second = open_captured(t);
    step_info("in none");
    step_logger_message(old, STEP_LEVEL_ERROR, "x");
    step_logger_t *op = step_logger_new("New", 0);
    step_logger_start(op);
    step_logger_complete(old);
    step_logger_free(old);
    step_logger_complete(op);
    step_logger_free(op);
    test_log_close(t);
    assert_string_equal(capture_text(first), "[INFO] 🚀 START: Old\n"
                                             "[WARNING] ⚠️  INCOMPLETE: Old (total_duration_ms=0.0)\n");
    assert_string_equal(capture_text(second), "[INFO] in none\n"
                                              "[INFO] 🚀 START: New\n"
                                              "[INFO] 🏁 COMPLETE: New (total_duration_ms=0.0)\n");
    capture_free(first);
    capture_free(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(freed_without_complete), TEST(between_steps),      TEST(after_a_failure),
        TEST(level_of_incomplete),    TEST(open_at_close),      TEST(many_open_at_close),
        TEST(next_log_knows_nothing_of_them),
    };
    return test_in_both_modes(tests);
}
