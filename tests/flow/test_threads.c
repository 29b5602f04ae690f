/* Many threads, one file: every record exactly once, each thread's in its own order. */
#include "support/scratch.h"
#include "support/test_log.h"
#include "support/threads.h"

#ifdef STEP_LOGGER_SANITIZED
enum { RECORDS = 20000 };
#else
enum { RECORDS = 100000 };
#endif
enum { THREADS = 8 };

typedef struct writer {
    int number;
} writer_t;

static void write_messages(void *argument)
{
    const writer_t *writer = argument;
    for (int i = 0; i < RECORDS; i++)
        step_info("message", step_kv("thread", writer->number), step_kv("i", i));
}

/* An operation per 100 records: START, 49 times a step and its success, COMPLETE. */
static void write_operations(void *argument)
{
    const writer_t *writer = argument;
    for (int i = 0; i < RECORDS; i++) {
        step_logger_t *op = step_logger_new("Work", 49);
        step_logger_start(op, step_kv("thread", writer->number), step_kv("i", i++));
        for (int step = 1; step <= 49; step++) {
            step_logger_step(op, step, "A step of the work", step_kv("thread", writer->number), step_kv("i", i++));
            step_logger_success(op, step_kv("thread", writer->number), step_kv("i", i++));
        }
        step_logger_complete(op, step_kv("thread", writer->number), step_kv("i", i));
        step_logger_free(op);
    }
}

static void run_writers(void (*function)(void *))
{
    writer_t writers[THREADS];
    for (int i = 0; i < THREADS; i++)
        writers[i].number = i;
    run_on_threads(function, THREADS, writers, sizeof(writers[0]));
}

/* Of each thread 0, 1, 2, ... in this order, and no other line. */
static void check_file(const char *path)
{
    int next[THREADS] = { 0 };
    char *const text = scratch_read(path, NULL);
    assert_non_null(text);
    for (char *at = text, *end; *at != '\0'; at = end + 1) {
        int thread, i;
        end = strchr(at, '\n');
        assert_non_null(end);
        *end = '\0'; /* or sscanf would go through all that is left to find its end */
        const char *fields = strstr(at, "(thread=");
        if (fields == NULL || sscanf(fields, "(thread=%d, i=%d", &thread, &i) != 2 || thread < 0 || thread >= THREADS)
            fail_msg("what is this: %.100s", at);
        if (i != next[thread]++)
            fail_msg("thread %d: %d where %d should be: %.100s", thread, i, next[thread] - 1, at);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(next[i], RECORDS);
    free(text);
}

static void into_a_file(uint32_t mode, uint32_t ring_bytes, void (*function)(void *))
{
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    step_log_t *log = NULL;
    options.mode = mode;
    options.ring_bytes = ring_bytes;
    assert_int_equal(step_log_open(&options, &log), STEP_OK);
    assert_int_equal(step_log_set_default(log), STEP_OK);
    assert_int_equal(step_log_add_output(log, step_sink_file(scratch_path("log")), step_format_text(), 0), STEP_OK);
    run_writers(function);
    const step_stats_t stats = balanced_stats(log);
    assert_int_equal(stats.recorded, (uint64_t)THREADS * RECORDS);
    assert_int_equal(stats.dropped, 0);
    assert_int_equal(step_log_close(log), STEP_OK);
    check_file(scratch_path("log"));
    remove(scratch_path("log"));
}

static void messages(void **state)
{
    (void)state;
    into_a_file(STEP_MODE_ASYNC, STEP_LOG_RING_BYTES, write_messages);
}

static void operations(void **state)
{
    (void)state;
    into_a_file(STEP_MODE_ASYNC, STEP_LOG_RING_BYTES, write_operations);
}

static void through_the_smallest_rings(void **state)
{
    (void)state;
    into_a_file(STEP_MODE_ASYNC, 4096, write_operations);
}

static void synchronously(void **state)
{
    (void)state;
    into_a_file(STEP_MODE_SYNC, STEP_LOG_RING_BYTES, write_messages);
}

/* Without a flush: close alone has to bring out everything. */
static void close_drains(void **state)
{
    step_log_t *log = NULL;
    (void)state;
    assert_int_equal(step_log_open(NULL, &log), STEP_OK);
    assert_int_equal(step_log_set_default(log), STEP_OK);
    assert_int_equal(step_log_add_output(log, step_sink_file(scratch_path("log")), step_format_text(), 0), STEP_OK);
    run_writers(write_messages);
    assert_int_equal(step_log_close(log), STEP_OK);
    check_file(scratch_path("log"));
    remove(scratch_path("log"));
}

static int make_scratch(void **state)
{
    (void)state;
    scratch_make();
    return 0;
}

static int remove_scratch(void **state)
{
    (void)state;
    scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages),      cmocka_unit_test(operations),   cmocka_unit_test(through_the_smallest_rings),
        cmocka_unit_test(synchronously), cmocka_unit_test(close_drains),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
