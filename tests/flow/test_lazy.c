/* What a call evaluates: operation, numbers and texts once, always; fields once, and only if the line is wanted; a message
 * that is off nothing. */
#include "support/test_log.h"

static int evaluated; /* how often something() was */

static int something(int value)
{
    evaluated++;
    return value;
}

static const char *text_of(const char *text)
{
    evaluated++;
    return text;
}

static step_logger_t *same(step_logger_t *op)
{
    evaluated++;
    return op;
}

/* Runs the statement and checks how many of its expressions were evaluated. */
#define EXPECT_EVALUATED(times, statement)                                                                             \
    do {                                                                                                               \
        evaluated = 0;                                                                                                 \
        statement;                                                                                                     \
        assert_int_equal(evaluated, (times));                                                                          \
    } while (0)

#define FIELDS step_kv("a", something(1)), step_str(text_of("b"), text_of("two"))
enum { IN_FIELDS = 3 };

/* `more`: what is evaluated of the fields. */
static void all_operation_calls(step_logger_t *op, int more, int more_if_error)
{
    EXPECT_EVALUATED(1 + more, step_logger_start(same(op), FIELDS));
    EXPECT_EVALUATED(1, step_logger_success(same(op)));
    EXPECT_EVALUATED(3, step_logger_step(same(op), something(1), text_of("One")));
    EXPECT_EVALUATED(3 + more, step_logger_step(same(op), something(1), text_of("One"), FIELDS));
    EXPECT_EVALUATED(3, step_logger_progress(same(op), (uint64_t)something(1), (uint64_t)something(2)));
    EXPECT_EVALUATED(3 + more, step_logger_progress(same(op), (uint64_t)something(1), (uint64_t)something(2), FIELDS));
    EXPECT_EVALUATED(1 + more, step_logger_success(same(op), FIELDS));
    EXPECT_EVALUATED(2, step_logger_skip(same(op), text_of("why")));
    EXPECT_EVALUATED(2 + more, step_logger_skip(same(op), text_of("why"), FIELDS));
    EXPECT_EVALUATED(2, step_logger_failure(same(op), text_of("why")));
    EXPECT_EVALUATED(2 + more_if_error, step_logger_failure(same(op), text_of("why"), FIELDS));
    EXPECT_EVALUATED(2, step_logger_failure_errno(same(op), something(1)));
    EXPECT_EVALUATED(2 + more_if_error, step_logger_failure_errno(same(op), something(1), FIELDS));
    EXPECT_EVALUATED(1, step_logger_complete(same(op)));
    EXPECT_EVALUATED(1 + more, step_logger_complete(same(op), FIELDS));
}

static void calls_on_an_operation(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = step_logger_new("Sync", 0);
    all_operation_calls(op, IN_FIELDS, IN_FIELDS);
    step_logger_free(op);
    op = step_logger_new("Sync", 0);
    assert_int_equal(step_log_set_level(t->log, STEP_LEVEL_ERROR), STEP_OK);
    all_operation_calls(op, 0, IN_FIELDS);
    step_logger_free(op);
    op = step_logger_new("Sync", 0);
    assert_int_equal(step_log_set_level(t->log, STEP_LEVEL_CRITICAL), STEP_OK);
    all_operation_calls(op, 0, 0);
    step_logger_free(op);
    all_operation_calls(NULL, 0, 0);
    all_operation_calls(op, 0, 0); /* freed */
}

/* A failure has the operation's level where that is higher; a message only its own. */
static void critical_operation(void **state)
{
    test_log_t *t = *state;
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.level = STEP_LEVEL_CRITICAL;
    assert_int_equal(step_log_set_level(t->log, STEP_LEVEL_CRITICAL), STEP_OK);
    step_logger_t *op = step_logger_new_with("Launch", &options);
    all_operation_calls(op, IN_FIELDS, IN_FIELDS);
    new_text(t);
    EXPECT_EVALUATED(1, step_logger_message(same(op), STEP_LEVEL_ERROR, text_of("x"), FIELDS));
    expect_text(t, "");
    step_logger_free(op);
}

static void messages(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = step_logger_new("Sync", 0);
    step_logger_start(op);
    for (int on = 1; on >= 0; on--) {
        const int all = on ? IN_FIELDS : 0;
        assert_int_equal(step_log_set_level(t->log, on ? STEP_LEVEL_DEBUG : STEP_LEVEL_OFF), STEP_OK);
        EXPECT_EVALUATED(on, step_debug(text_of("x")));
        EXPECT_EVALUATED(on + all, step_debug(text_of("x"), FIELDS));
        EXPECT_EVALUATED(on + all, step_info(text_of("x"), FIELDS));
        EXPECT_EVALUATED(on + all, step_warning(text_of("x"), FIELDS));
        EXPECT_EVALUATED(on + all, step_error(text_of("x"), FIELDS));
        EXPECT_EVALUATED(on + all, step_critical(text_of("x"), FIELDS));
        /* the level has to be known */
        EXPECT_EVALUATED(1 + on + all, step_message(something(STEP_LEVEL_INFO), text_of("x"), FIELDS));
        EXPECT_EVALUATED(1 + on + all, step_log_message(t->log, something(STEP_LEVEL_INFO), text_of("x"), FIELDS));
        EXPECT_EVALUATED(2 + on + all,
                         step_logger_message(same(op), something(STEP_LEVEL_INFO), text_of("x"), FIELDS));
        EXPECT_EVALUATED(2 + 2 * on,
                         step_logger_messagef(same(op), something(STEP_LEVEL_INFO), "%s %d", text_of("x"), something(1)));
    }
    step_logger_free(op);
    EXPECT_EVALUATED(2, step_logger_message(same(NULL), something(STEP_LEVEL_INFO), text_of("x"), FIELDS));
    EXPECT_EVALUATED(2, step_logger_messagef(same(NULL), something(STEP_LEVEL_INFO), "%s", text_of("x")));
}

static void quick_functions(void **state)
{
    test_log_t *t = *state;
    for (int on = 1; on >= 0; on--) {
        const int all = on ? IN_FIELDS : 0;
        assert_int_equal(step_log_set_level(t->log, on ? STEP_LEVEL_DEBUG : STEP_LEVEL_OFF), STEP_OK);
        EXPECT_EVALUATED(4 + all, step_quick_step(something(1), text_of("x"), text_of("y"), something(2), FIELDS));
        EXPECT_EVALUATED(4, step_quick_step(something(1), text_of("x"), text_of("y"), something(2)));
        EXPECT_EVALUATED(3 + all, step_quick_success(something(1), text_of("x"), something(2), FIELDS));
        EXPECT_EVALUATED(3, step_quick_success(something(1), text_of("x"), something(2)));
        EXPECT_EVALUATED(4 + all, step_quick_failure(something(1), text_of("x"), text_of("y"), something(2), FIELDS));
        EXPECT_EVALUATED(4, step_quick_failure(something(1), text_of("x"), text_of("y"), something(2)));
    }
    assert_int_equal(step_log_set_level(t->log, STEP_LEVEL_ERROR), STEP_OK);
    new_text(t);
    step_quick_step(1, "Reading", "Sync", 2, step_kv("a", 1));
    step_quick_success(1, "Reading", 2, step_kv("a", 1));
    step_quick_failure(2, "Writing", "disk full", 2, step_kv("a", 1));
    expect_text(t, "[ERROR] ❌ [2/2] Writing - FAILED: disk full (a=1)\n");
}

static void without_a_log(void **state)
{
    test_log_t *t = *state;
    test_log_close(t); /* it was the default: now there is none */
    EXPECT_EVALUATED(0, step_critical(text_of("x"), FIELDS));
    EXPECT_EVALUATED(3, step_quick_success(something(1), text_of("x"), something(2), FIELDS));
    EXPECT_EVALUATED(1, step_log_message(NULL, something(STEP_LEVEL_INFO), text_of("x"), FIELDS));
    assert_null(step_logger_new("Sync", 1));
    assert_false(step_log_wants(NULL, STEP_LEVEL_CRITICAL));
}

/* A field may log: it is evaluated before anything is reserved. */
static int logs_itself(void)
{
    step_info("from within a field");
    step_logger_t *op = step_logger_new("Inner", 0);
    step_logger_start(op);
    step_logger_complete(op);
    step_logger_free(op);
    return 7;
}

static void fields_that_log(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = step_logger_new("Outer", 1);
    step_logger_start(op, step_kv("seven", logs_itself()));
    step_logger_step(op, 1, "One", step_kv("seven", logs_itself()));
    step_logger_success(op);
    step_logger_complete(op);
    step_logger_free(op);
    expect_text(t, "[INFO] from within a field\n"
                   "[INFO] 🚀 START: Inner\n"
                   "[INFO] 🏁 COMPLETE: Inner (total_duration_ms=0.0)\n"
                   "[INFO] 🚀 START: Outer (seven=7)\n"
                   "[INFO] from within a field\n"
                   "    [INFO] 🚀 START: Inner\n"
                   "    [INFO] 🏁 COMPLETE: Inner (total_duration_ms=0.0)\n"
                   "[INFO] ▶️  [1/1] One (seven=7)\n"
                   "[INFO] ✅ [1/1] One - SUCCESS (duration_ms=0.0)\n"
                   "[INFO] 🏁 COMPLETE: Outer (total_duration_ms=0.0)\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(calls_on_an_operation), TEST(critical_operation), TEST(messages),
        TEST(quick_functions),       TEST(without_a_log),      TEST(fields_that_log),
    };
    return test_in_both_modes(tests);
}
