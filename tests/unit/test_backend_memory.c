/* The backend's memory: what is over is forgotten, however the log is pumped. */
#include "core_support.h"

enum { OPERATIONS = 20000, REMEMBERED_MAX = 256 };

static void run_operations(step_log_t *log, int count)
{
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.log = log;
    for (int i = 0; i < count; i++) {
        step_logger_t *op = step_logger_new_with("many of them", &options);
        assert_non_null(op);
        step_logger_start(op);
        step_logger_complete(op);
        step_logger_free(op);
    }
}

static size_t remembered(step_log_t *log)
{
    stepi_lock_take(&log->pump);
    const size_t count = log->backend.operations.count;
    stepi_lock_release(&log->pump);
    return count;
}

static void synchronous_logs_forget(void **state)
{
    (void)state;
    step_log_t *log = must_open(STEP_MODE_SYNC, STEP_FULL_BLOCK);
    run_operations(log, OPERATIONS);
    assert_in_range(remembered(log), 0, REMEMBERED_MAX);
    assert_int_equal(step_log_close(log), STEP_OK);
}

static void logs_that_are_flushed_forget(void **state)
{
    (void)state;
    step_log_t *log = must_open(STEP_MODE_ASYNC, STEP_FULL_BLOCK);
    for (int i = 0; i < OPERATIONS / 10; i++) {
        run_operations(log, 10);
        assert_int_equal(step_log_flush(log, 10000), STEP_OK);
    }
    assert_in_range(remembered(log), 0, REMEMBERED_MAX);
    assert_int_equal(step_log_close(log), STEP_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(synchronous_logs_forget),
        cmocka_unit_test(logs_that_are_flushed_forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
