/* Functions that set things up: NULL everywhere, logs that are closed, errors that say what they are, outputs untouched. */
#include "support/test_log.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static void error_texts(void **state)
{
    static const int codes[] = { STEP_OK,    STEP_EINVAL,   STEP_ENOMEM, STEP_EIO,
                                 STEP_ETIMEOUT, STEP_ESINK, STEP_ENOTSUP };
    (void)state;
    assert_string_equal(step_error_text(STEP_OK), "no error");
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        assert_int_equal(codes[i], -(int)i);
        assert_true(strlen(step_error_text(codes[i])) > 5);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(step_error_text(codes[i]), step_error_text(codes[j]));
    }
    assert_string_equal(step_error_text(1), step_error_text(-1000));
    assert_string_not_equal(step_error_text(1), "");
}

static void open_with_null(void **state)
{
    test_log_t *t = *state;
    step_log_t *log = NULL;
    assert_int_equal(step_log_open(NULL, NULL), STEP_EINVAL);
    const step_log_options_t options = test_log_options(t);
    assert_int_equal(step_log_open(&options, NULL), STEP_EINVAL);
    assert_int_equal(step_log_open(NULL, &log), STEP_OK);
    assert_non_null(log);
    assert_false(step_log_wants(log, STEP_LEVEL_DEBUG)); /* the defaults: INFO */
    assert_true(step_log_wants(log, STEP_LEVEL_INFO));
    assert_int_equal(step_log_close(log), STEP_OK);
    assert_int_equal(step_log_close(NULL), STEP_OK);
}

/* A NULL log is the default one. */
static void null_is_the_default(void **state)
{
    test_log_t *t = *state;
    step_stats_t stats = { .size = sizeof(stats) };
    assert_ptr_equal(step_log_default(), t->log);
    assert_int_equal(step_log_set_level(NULL, STEP_LEVEL_ERROR), STEP_OK);
    assert_false(step_log_wants(t->log, STEP_LEVEL_INFO));
    assert_int_equal(step_log_add_output(NULL, step_sink_memory(1), step_format_text(), STEP_LEVEL_OFF), STEP_OK);
    step_log_message(NULL, STEP_LEVEL_ERROR, "x");
    assert_int_equal(step_log_flush(NULL, TEST_FLUSH_MS), STEP_OK);
    assert_int_equal(step_log_reopen(NULL), STEP_OK);
    assert_int_equal(step_log_stats(NULL, &stats), STEP_OK);
    assert_int_equal(stats.recorded, 1);
    expect_text(t, "[ERROR] x\n");
    assert_int_equal(step_log_set_default(NULL), STEP_OK);
    assert_null(step_log_default());
    step_log_message(NULL, STEP_LEVEL_ERROR, "to nobody");
    step_error("to nobody");
    assert_int_equal(step_log_set_level(NULL, STEP_LEVEL_ERROR), STEP_EINVAL);
    assert_int_equal(step_log_flush(NULL, 1), STEP_EINVAL);
    assert_int_equal(step_log_reopen(NULL), STEP_EINVAL);
    assert_int_equal(step_log_stats(NULL, &stats), STEP_EINVAL);
    expect_text(t, "");
    assert_int_equal(step_log_set_default(t->log), STEP_OK);
    step_error("back");
    expect_text(t, "[ERROR] back\n");
}

/* The sink's error is errno's, and it is still there; what was not NULL is freed (leaks are ASan's to find). */
static void outputs_of_null(void **state)
{
    test_log_t *t = *state;
    errno = 0;
    assert_int_equal(step_log_add_output(t->log, step_sink_file("/nonexistent/directory/log"), step_format_text(), 0),
                     STEP_ESINK);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(step_log_add_output(t->log, NULL, NULL, 0), STEP_ESINK);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(step_log_add_output(t->log, step_sink_memory(1), NULL, 0), STEP_ENOMEM);
    assert_int_equal(step_log_add_output(t->log, step_sink_memory(1), step_format_json(), -5), STEP_EINVAL);
    step_info("on");
    expect_text(t, "[INFO] on\n");
}

static void sinks_that_cannot_be(void **state)
{
    (void)state;
    errno = 0;
    assert_null(step_sink_fd(-1));
    assert_int_equal(errno, EBADF);
    errno = 0;
    assert_null(step_sink_fd(987654));
    assert_int_equal(errno, EBADF);
    errno = 0;
    assert_null(step_sink_file(NULL));
    assert_int_equal(errno, EINVAL);
    errno = 0;
    assert_null(step_sink_file(""));
    assert_int_equal(errno, ENOENT);
    errno = 0;
    assert_null(step_sink_file("/"));
    assert_int_equal(errno, EISDIR);
    errno = 0;
    assert_null(step_sink_file("/dev/null/x"));
    assert_int_equal(errno, ENOTDIR);
    unlink("setup.fifo");
    assert_int_equal(mkfifo("setup.fifo", 0600), 0);
    errno = 0;
    assert_null(step_sink_file("setup.fifo")); /* a reader may never come */
    assert_int_equal(errno, EINVAL);
    unlink("setup.fifo");
    assert_string_equal(step_sink_memory_text(NULL), "");
}

static void text_options(void **state)
{
    test_log_t *t = *state;
    step_text_options_t options = { .size = 0 };
    errno = 0;
    assert_null(step_format_text_with(&options));
    assert_int_equal(errno, EINVAL);
    options = (step_text_options_t){ .size = offsetof(step_text_options_t, ascii), .timestamps = 0, .ascii = 1 };
    step_sink_t *sink = step_sink_memory(4096); /* an older caller's: ascii is beyond what it knows */
    assert_int_equal(step_log_add_output(t->log, sink, step_format_text_with(&options), 0), STEP_OK);
    step_quick_step(1, "Reading", "Sync", 2);
    expect_text(t, "[INFO] ▶️  [1/2] Reading\n");
    assert_string_equal(step_sink_memory_text(sink), "[INFO] ▶️  [1/2] Reading\n");
    assert_int_equal(step_log_add_output(t->log, step_sink_memory(4096), step_format_text_with(NULL), 0), STEP_OK);
}

static void statistics_of_null(void **state)
{
    test_log_t *t = *state;
    step_stats_t stats = { .size = 0 };
    assert_int_equal(step_log_stats(t->log, NULL), STEP_EINVAL);
    assert_int_equal(step_log_stats(t->log, &stats), STEP_EINVAL);
    stats.size = sizeof(size_t) - 1;
    assert_int_equal(step_log_stats(t->log, &stats), STEP_EINVAL);
}

/* A closed log's handle is good for nothing, but it does no harm. */
static void closed_log(void **state)
{
    test_log_t *t = *state;
    step_stats_t stats = { .size = sizeof(stats) };
    step_log_t *log = t->log;
    step_logger_t *op = operation_in(log, "Sync", 1);
    test_log_close(t);
    assert_null(step_log_default());
    assert_int_equal(step_log_close(log), STEP_EINVAL);
    assert_int_equal(step_log_flush(log, 1000), STEP_EINVAL);
    assert_int_equal(step_log_reopen(log), STEP_EINVAL);
    assert_int_equal(step_log_set_level(log, STEP_LEVEL_ERROR), STEP_EINVAL);
    assert_int_equal(step_log_set_default(log), STEP_EINVAL);
    assert_int_equal(step_log_stats(log, &stats), STEP_EINVAL);
    assert_int_equal(step_log_add_output(log, step_sink_memory(1), step_format_text(), 0), STEP_EINVAL);
    assert_false(step_log_wants(log, STEP_LEVEL_CRITICAL));
    step_log_message(log, STEP_LEVEL_CRITICAL, "to nobody", step_kv("a", 1));
    step_logger_start(op, step_kv("a", 1));
    step_logger_step(op, 1, "x");
    step_logger_free(op);
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.log = log;
    assert_null(step_logger_new_with("Sync", &options));
}

static void open_and_close_often(void **state)
{
    test_log_t *t = *state;
    const step_log_options_t options = test_log_options(t);
    test_log_close(t);
    for (int i = 0; i < 300; i++) {
        test_log_open(t, &options);
        step_sink_t *sink = step_sink_memory(4096);
        assert_int_equal(step_log_add_output(t->log, sink, step_format_text(), 0), STEP_OK);
        step_info("x", step_kv("i", i));
        const step_stats_t stats = balanced_stats(t->log);
        assert_int_equal(stats.recorded, 1); /* nothing of the log before */
        char expected[32];
        snprintf(expected, sizeof(expected), "[INFO] x (i=%d)\n", i);
        assert_string_equal(step_sink_memory_text(sink), expected);
        test_log_close(t);
    }
}

/* A log of another thread's, the default exchanged under it: messages go where they went when they were made. */
static void several_logs(void **state)
{
    test_log_t *t = *state;
    const step_log_options_t options = test_log_options(t);
    step_log_t *other = NULL;
    assert_int_equal(step_log_open(&options, &other), STEP_OK);
    step_sink_t *text = step_sink_memory(4096);
    assert_int_equal(step_log_add_output(other, text, step_format_text(), 0), STEP_OK);
    step_info("one");
    assert_int_equal(step_log_set_default(other), STEP_OK);
    step_info("two");
    step_log_message(t->log, STEP_LEVEL_INFO, "three");
    assert_int_equal(step_log_set_default(t->log), STEP_OK);
    step_info("four");
    expect_text(t, "[INFO] one\n[INFO] three\n[INFO] four\n");
    assert_int_equal(step_log_flush(other, TEST_FLUSH_MS), STEP_OK);
    assert_string_equal(step_sink_memory_text(text), "[INFO] two\n");
    assert_int_equal(balanced_stats(other).recorded, 1);
    assert_int_equal(step_log_close(other), STEP_OK);
    step_info("five");
    expect_text(t, "[INFO] five\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(error_texts),  TEST(open_with_null),     TEST(null_is_the_default), TEST(outputs_of_null),
        TEST(sinks_that_cannot_be), TEST(text_options), TEST(statistics_of_null), TEST(closed_log),
        TEST(open_and_close_often), TEST(several_logs),
    };
    return test_in_both_modes(tests);
}
