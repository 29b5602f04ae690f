/* Sinks of the application's own: what they are called with and when, how they fail and recover, what they may do. */
#include "support/capture.h"
#include "support/test_log.h"

#include <errno.h>

static capture_t *add_capture(test_log_t *t, step_format_t *format)
{
    capture_t *c = capture_new();
    assert_int_equal(step_log_add_output(t->log, capture_sink(c), format, 0), STEP_OK);
    return c;
}

static void lines_flush_and_close(void **state)
{
    test_log_t *t = *state;
    capture_t *c = add_capture(t, step_format_text());
    step_info("one");
    step_info("two");
    assert_int_equal(step_log_flush(t->log, TEST_FLUSH_MS), STEP_OK);
    assert_string_equal(capture_text(c), "[INFO] one\n[INFO] two\n");
    assert_true(capture_flushes(c) >= 1);
    assert_int_equal(capture_closes(c), 0);
    step_info("three");
    test_log_close(t);
    assert_string_equal(capture_text(c), "[INFO] one\n[INFO] two\n[INFO] three\n");
    assert_int_equal(capture_closes(c), 1);
    capture_free(c);
}

/* What it did not take is counted and not written again; the next line that gets through says how many are missing. */
static void fails_and_recovers(void **state)
{
    test_log_t *t = *state;
    capture_t *c = add_capture(t, step_format_text());
    capture_t *json = add_capture(t, step_format_json());
    step_info("before");
    assert_int_equal(step_log_flush(t->log, TEST_FLUSH_MS), STEP_OK);
    capture_fail(c, EIO);
    capture_fail(json, ENOSPC);
    for (int i = 0; i < 3; i++)
        step_info("lost");
    assert_int_equal(step_log_flush(t->log, TEST_FLUSH_MS), STEP_EIO);
    assert_int_equal(balanced_stats(t->log).dropped_sink, 3); /* by two outputs, but three records */
    capture_fail(c, 0);
    capture_fail(json, 0);
    step_info("after");
    step_log_flush(t->log, TEST_FLUSH_MS);
    assert_int_equal(step_log_flush(t->log, TEST_FLUSH_MS), STEP_OK);
    assert_string_equal(capture_text(c), "[INFO] before\n"
                                         "[WARNING] 3 records dropped: Input/output error\n"
                                         "[INFO] after\n");
    const char *report = strstr(capture_text(json), "\"level\":\"WARNING\",\"event\":\"dropped\",\"message\":\"No space "
                                                    "left on device\",\"dropped_records\":3,\"depth\":0,");
    assert_non_null(report);
    assert_non_null(strstr(report, "\"message\":\"after\""));
    assert_non_null(strstr(report, "\"tid\":0,\"seq\":"));
    const step_stats_t stats = balanced_stats(t->log);
    assert_int_equal(stats.recorded, 5);
    assert_int_equal(stats.written, 2);
    expect_text(t, "[INFO] before\n[INFO] lost\n[INFO] lost\n[INFO] lost\n[INFO] after\n");
    test_log_close(t);
    capture_free(c);
    capture_free(json);
}

/* A single lost record is "1 record", and a recovery without any further line is reported by flush. */
static void flush_reports_what_was_lost(void **state)
{
    test_log_t *t = *state;
    capture_t *c = add_capture(t, step_format_text());
    capture_fail(c, EAGAIN);
    step_info("lost");
    assert_int_equal(step_log_flush(t->log, TEST_FLUSH_MS), STEP_EIO);
    capture_fail(c, 0);
    step_log_flush(t->log, TEST_FLUSH_MS);
    step_log_flush(t->log, TEST_FLUSH_MS);
    assert_string_equal(capture_text(c), "[WARNING] 1 record dropped: Resource temporarily unavailable\n");
    test_log_close(t);
    capture_free(c);
}

static int fail_silently(void *ctx, const char *bytes, size_t len)
{
    (void)ctx;
    (void)bytes;
    (void)len;
    errno = 0;
    return -1;
}

static void failure_without_errno(void **state)
{
    test_log_t *t = *state;
    const step_sink_ops_t ops = { .size = sizeof(ops), .write = fail_silently };
    assert_int_equal(step_log_add_output(t->log, step_sink_custom(&ops, NULL), step_format_text(), 0), STEP_OK);
    step_info("x");
    assert_int_equal(step_log_flush(t->log, TEST_FLUSH_MS), STEP_EIO);
    expect_told(t, "-3: an output could not be written: Input/output error; 1 records lost so far\n");
}

static void flush_that_fails(void **state)
{
    test_log_t *t = *state;
    capture_t *c = add_capture(t, step_format_text());
    c->flush_error = EIO;
    step_info("x");
    assert_int_equal(step_log_flush(t->log, TEST_FLUSH_MS), STEP_EIO);
    assert_int_equal(balanced_stats(t->log).dropped, 0); /* it took the line */
    test_log_close(t);
    capture_free(c);
}

/* ---- What a sink may do ---- */

typedef struct busybody {
    step_log_t *log;
    int writes, levels, stats;
    int results[4];
    pthread_t threads[2]; /* of the first and of the latest write */
    char text[4096];
} busybody_t;

static int write_and_log(void *ctx, const char *bytes, size_t len)
{
    busybody_t *self = ctx;
    step_stats_t stats = { .size = sizeof(stats) };
    strncat(self->text, bytes, len);
    self->threads[self->writes > 0] = pthread_self();
    if (self->writes++ >= 3)
        return 0;
    step_log_message(self->log, STEP_LEVEL_INFO, "from within the sink", step_kv("write", self->writes));
    step_logger_t *op = operation_in(self->log, "Of the sink", 0);
    step_logger_start(op);
    step_logger_complete(op);
    step_logger_free(op);
    self->results[0] = step_log_flush(self->log, 1000);
    self->results[1] = step_log_close(self->log);
    self->results[2] = step_log_reopen(self->log);
    self->results[3] = step_log_add_output(self->log, step_sink_memory(1), step_format_text(), 0);
    self->levels += step_log_set_level(self->log, STEP_LEVEL_DEBUG) == STEP_OK;
    self->stats += step_log_stats(self->log, &stats) == STEP_OK;
    return 0;
}

static void sink_that_logs(void **state)
{
    test_log_t *t = *state;
    busybody_t self = { .log = t->log };
    const step_sink_ops_t ops = { .size = sizeof(ops), .write = write_and_log };
    assert_int_equal(step_log_add_output(t->log, step_sink_custom(&ops, &self), step_format_text(), 0), STEP_OK);
    for (int i = 0; i < 6; i++) {
        step_info("from outside");
        assert_int_equal(step_log_flush(t->log, TEST_FLUSH_MS), STEP_OK);
    }
    const step_stats_t stats = balanced_stats(t->log);
    assert_int_equal(stats.recorded, 6 + 3 * 3);
    assert_int_equal(stats.dropped, 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(self.results[i], STEP_EINVAL);
    assert_int_equal(self.levels, 3);
    assert_int_equal(self.stats, 3);
    for (int i = 1; i <= 3; i++) {
        char expected[64];
        snprintf(expected, sizeof(expected), "[INFO] from within the sink (write=%d)\n", i);
        assert_non_null(strstr(self.text, expected));
    }
    test_log_close(t);
}

/* One library thread; in STEP_MODE_SYNC the one that logs. */
static void thread_of_the_sink(void **state)
{
    test_log_t *t = *state;
    busybody_t self = { .log = t->log, .writes = 3 };
    const step_sink_ops_t ops = { .size = sizeof(ops), .write = write_and_log };
    assert_int_equal(step_log_add_output(t->log, step_sink_custom(&ops, &self), step_format_text(), 0), STEP_OK);
    step_info("one");
    assert_int_equal(step_log_flush(t->log, TEST_FLUSH_MS), STEP_OK);
    const pthread_t first = self.threads[1];
    step_info("two");
    assert_int_equal(step_log_flush(t->log, TEST_FLUSH_MS), STEP_OK);
    assert_int_equal(pthread_equal(first, self.threads[1]), 1);
    assert_int_equal(pthread_equal(first, pthread_self()) != 0, test_mode == STEP_MODE_SYNC);
    test_log_close(t);
}

/* ---- Making one ---- */

static void operations_that_cannot_be(void **state)
{
    (void)state;
    const step_sink_ops_t no_write = { .size = sizeof(no_write) };
    step_sink_ops_t ops = { .size = 0, .write = fail_silently };
    errno = 0;
    assert_null(step_sink_custom(NULL, NULL));
    assert_int_equal(errno, EINVAL);
    errno = 0;
    assert_null(step_sink_custom(&no_write, NULL));
    assert_int_equal(errno, EINVAL);
    errno = 0;
    assert_null(step_sink_custom(&ops, NULL)); /* the size was forgotten */
    assert_int_equal(errno, EINVAL);
    ops.size = sizeof(size_t);
    assert_null(step_sink_custom(&ops, NULL));
    ops.size = SIZE_MAX;
    assert_null(step_sink_custom(&ops, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_flush_and_close),
        TEST(fails_and_recovers),
        TEST(flush_reports_what_was_lost),
        TEST(failure_without_errno),
        TEST(flush_that_fails),
        TEST(sink_that_logs),
        TEST(thread_of_the_sink),
        TEST(operations_that_cannot_be),
    };
    return test_in_both_modes(tests);
}
