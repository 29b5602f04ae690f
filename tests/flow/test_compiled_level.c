/* What STEP_LOGGER_COMPILED_LEVEL removes from the program evaluates nothing and logs nothing; the rest is as ever. */
#define STEP_LOGGER_COMPILED_LEVEL STEP_LEVEL_WARNING
#include <step_logger.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int evaluated;

static const char *count(const char *text)
{
    evaluated++;
    return text;
}

static void removed_calls_leave_no_trace(void **state)
{
    step_log_t *log = NULL;
    step_sink_t *memory = step_sink_memory(1 << 20);
    (void)state;
    assert_int_equal(step_log_open(NULL, &log), STEP_OK);
    assert_int_equal(step_log_add_output(log, memory, step_format_text(), 0), STEP_OK);
    assert_int_equal(step_log_set_default(log), STEP_OK);
    step_logger_t *op = step_logger_new("Sync", 1);
    step_logger_start(op);

    step_info(count("removed"));
    step_info(count("removed"), step_kv("key", count("value")));
    step_log_message(log, STEP_LEVEL_INFO, count("removed"), step_kv("key", count("value")));
    step_logger_message(op, STEP_LEVEL_INFO, count("removed"), step_kv("key", count("value")));
    step_logger_messagef(op, STEP_LEVEL_INFO, "%s", count("removed"));
    step_quick_step(1, count("removed"), "Sync", 2);
    step_quick_step(1, count("removed"), "Sync", 2, step_kv("key", count("value")));
    step_quick_success(1, count("removed"), 2);
    step_quick_success(1, count("removed"), 2, step_kv("key", count("value")));
    step_quick_success(1, count("removed"), 2, step_kv("a", 1), step_kv("b", 2), step_kv("c", 3), step_kv("d", 4),
                       step_kv("e", count("value")));
    assert_int_equal(evaluated, 0);

    step_warning(count("kept"), step_kv("key", count("value")));
    step_quick_failure(2, count("kept"), "error", 2, step_kv("key", count("value")));
    assert_int_equal(evaluated, 4);

    step_logger_complete(op); /* operations are not removed: a failure must know its step and its time */
    step_logger_free(op);
    assert_int_equal(step_log_flush(log, 10000), STEP_OK);
    const char *text = step_sink_memory_text(memory);
    const char kept[] = "[INFO] 🚀 START: Sync\n"
                        "[WARNING] kept (key=value)\n"
                        "[ERROR] ❌ [2/2] kept - FAILED: error (key=value)\n"
                        "[INFO] 🏁 COMPLETE: Sync (total_duration_ms=";
    assert_int_equal(strncmp(text, kept, sizeof(kept) - 1), 0);
    assert_int_equal(step_log_close(log), STEP_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(removed_calls_leave_no_trace) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
