/* STEP_LOGGER_COMPILED_LEVEL: messages and quick functions below it are gone from the program, whatever the log's level is;
 * operations stay, since a failure has to name its step. */
#define STEP_LOGGER_COMPILED_LEVEL STEP_LEVEL_WARNING
#include "support/test_log.h"

static int evaluated;

static const char *text_of(const char *text)
{
    evaluated++;
    return text;
}

static void below_it_nothing_is_left(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = step_logger_new("Sync", 2);
    evaluated = 0;
    step_debug(text_of("x"));
    step_debug(text_of("x"), step_kv("a", text_of("b")));
    step_info(text_of("x"));
    step_info(text_of("x"), step_kv("a", text_of("b")));
    step_message(STEP_LEVEL_INFO, text_of("x"));
    step_log_message(t->log, STEP_LEVEL_INFO, text_of("x"), step_kv("a", text_of("b")));
    step_logger_message(op, STEP_LEVEL_INFO, text_of("x"), step_kv("a", text_of("b")));
    step_logger_messagef(op, STEP_LEVEL_INFO, "%s", text_of("x"));
    step_quick_step(1, text_of("x"), text_of("y"), 2);
    step_quick_step(1, text_of("x"), text_of("y"), 2, step_kv("a", text_of("b")));
    step_quick_success(1, text_of("x"), 2);
    step_quick_success(1, text_of("x"), 2, step_kv("a", text_of("b")));
    assert_int_equal(evaluated, 0);
    expect_text(t, "");
    assert_int_equal(balanced_stats(t->log).recorded, 0);
    step_logger_free(op);
}

static void at_it_and_above_all_is_there(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = step_logger_new("Sync", 1);
    step_warning("w");
    step_error("e", step_kv("a", 1));
    step_critical("c");
    step_quick_failure(1, "Reading", "gone", 2);
    step_quick_failure(1, "Reading", "gone", 2, step_kv("a", 1));
    step_logger_message(op, STEP_LEVEL_WARNING, "m");
    step_logger_messagef(op, STEP_LEVEL_ERROR, "%d", 1);
    step_logger_start(op);
    step_logger_step(op, 1, "One", step_kv("a", 1));
    step_logger_success(op);
    step_logger_complete(op);
    step_logger_free(op);
    expect_text(t, "[WARNING] w\n"
                   "[ERROR] e (a=1)\n"
                   "[CRITICAL] c\n"
                   "[ERROR] ❌ [1/2] Reading - FAILED: gone\n"
                   "[ERROR] ❌ [1/2] Reading - FAILED: gone (a=1)\n"
                   "[WARNING] m\n"
                   "[ERROR] 1\n"
                   "[INFO] 🚀 START: Sync\n"
                   "[INFO] ▶️  [1/1] One (a=1)\n"
                   "[INFO] ✅ [1/1] One - SUCCESS (duration_ms=0.0)\n"
                   "[INFO] 🏁 COMPLETE: Sync (total_duration_ms=0.0)\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(below_it_nothing_is_left),
        TEST(at_it_and_above_all_is_there),
    };
    return test_in_both_modes(tests);
}
