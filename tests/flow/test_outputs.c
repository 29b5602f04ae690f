/* Outputs: several formats, levels and sinks of one log; when they are added; memory's bound; files that move. */
#include "support/scratch.h"
#include "support/test_log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static step_sink_t *add_memory(test_log_t *t, step_format_t *format, step_level_t level)
{
    step_sink_t *sink = step_sink_memory(1 << 16);
    assert_int_equal(step_log_add_output(t->log, sink, format, level), STEP_OK);
    return sink;
}

static step_format_t *text_with(uint32_t timestamps, uint32_t ascii, uint32_t color)
{
    const step_text_options_t options = {
        .size = sizeof(options), .timestamps = timestamps, .ascii = ascii, .color = color
    };
    return step_format_text_with(&options);
}

static void several_formats(void **state)
{
    test_log_t *t = *state;
    step_sink_t *timed = add_memory(t, text_with(1, 0, 0), 0);
    step_sink_t *ascii = add_memory(t, text_with(0, 1, 0), 0);
    step_sink_t *color = add_memory(t, text_with(0, 0, 1), 0);
    step_sink_t *errors = add_memory(t, step_format_json(), STEP_LEVEL_ERROR);
    step_logger_t *op = step_logger_new("Sync", 1);
    step_logger_start(op);
    pass_ns(t, 1234567);
    step_logger_step(op, 1, "Reading", step_kv("rows", 3));
    step_logger_failure(op, "no");
    step_logger_free(op);
    expect_text(t, "[INFO] 🚀 START: Sync\n"
                   "[INFO] ▶️  [1/1] Reading (rows=3)\n"
                   "[ERROR] ❌ [1/1] Reading - FAILED: no (duration_ms=0.0)\n");
    assert_string_equal(step_sink_memory_text(timed),
                        "2026-02-04T09:30:00.000000Z [INFO] 🚀 START: Sync\n"
                        "2026-02-04T09:30:00.001234Z [INFO] ▶️  [1/1] Reading (rows=3)\n"
                        "2026-02-04T09:30:00.001234Z [ERROR] ❌ [1/1] Reading - FAILED: no (duration_ms=0.0)\n");
    assert_string_equal(step_sink_memory_text(ascii), "[INFO] START: Sync\n"
                                                      "[INFO] [1/1] Reading (rows=3)\n"
                                                      "[ERROR] [1/1] Reading - FAILED: no (duration_ms=0.0)\n");
    assert_non_null(strstr(step_sink_memory_text(color), "[\033[31mERROR\033[0m] ❌ [1/1] Reading - \033[31mFAILED: no"));
    const char *json = step_sink_memory_text(errors);
    assert_ptr_equal(strstr(json, "{\"ts\":\"2026-02-04T09:30:00.001234567Z\",\"level\":\"ERROR\","), json);
    assert_ptr_equal(strchr(json, '\n'), json + strlen(json) - 1);
}

/* What was logged before an output was added is not for it. Names and times are right all the same. */
static void added_in_the_middle(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = step_logger_new("Sync", 2);
    step_logger_start(op);
    step_logger_step(op, 1, "Reading");
    pass_ms(t, 7);
    step_sink_t *late = add_memory(t, step_format_text(), 0);
    step_logger_success(op);
    step_logger_complete(op);
    step_logger_free(op);
    assert_int_equal(step_log_flush(t->log, TEST_FLUSH_MS), STEP_OK);
    assert_string_equal(step_sink_memory_text(late), "[INFO] ✅ [1/2] Reading - SUCCESS (duration_ms=7.0)\n"
                                                     "[INFO] 🏁 COMPLETE: Sync (total_duration_ms=7.0)\n");
    assert_int_equal(balanced_stats(t->log).dropped, 0);
}

/* Without an output a log works, and nothing is lost that anybody wanted. */
static void none_at_all(void **state)
{
    test_log_t *t = *state;
    step_log_options_t options = test_log_options(t);
    step_log_t *log = NULL;
    assert_int_equal(step_log_open(&options, &log), STEP_OK);
    for (int i = 0; i < 1000; i++)
        step_log_message(log, STEP_LEVEL_INFO, "to nobody");
    const step_stats_t stats = balanced_stats(log);
    assert_int_equal(stats.recorded, 1000);
    assert_int_equal(stats.written, 1000);
    assert_int_equal(step_log_close(log), STEP_OK);
}

static void as_many_as_there_may_be(void **state)
{
    enum { MAX = 32, ALREADY = 2 };
    test_log_t *t = *state;
    step_sink_t *sinks[MAX];
    for (int i = ALREADY; i < MAX; i++)
        sinks[i] = add_memory(t, step_format_text(), 0);
    expect_told(t, "");
    assert_int_equal(step_log_add_output(t->log, step_sink_memory(1), step_format_text(), 0), STEP_EINVAL);
    expect_told(t, "-1: step_log_add_output(): a log has at most 32 outputs\n");
    step_info("to all");
    expect_text(t, "[INFO] to all\n");
    for (int i = ALREADY; i < MAX; i++)
        assert_string_equal(step_sink_memory_text(sinks[i]), "[INFO] to all\n");
    assert_int_equal(balanced_stats(t->log).written, 1);
}

/* What does not fit is lost whole and counted, once for each record however many outputs lost it; others have it. */
static void bound_of_memory(void **state)
{
    test_log_t *t = *state;
    step_sink_t *small = step_sink_memory(45);
    step_sink_t *smaller = step_sink_memory(20);
    assert_int_equal(step_log_add_output(t->log, small, step_format_text(), 0), STEP_OK);
    assert_int_equal(step_log_add_output(t->log, smaller, step_format_text(), 0), STEP_OK);
    step_info("12345");
    step_info("67890");
    assert_int_equal(step_log_flush(t->log, TEST_FLUSH_MS), STEP_EIO);
    step_info("abcde");
    step_info("too long for what is left");
    assert_int_equal(step_log_flush(t->log, TEST_FLUSH_MS), STEP_EIO);
    assert_string_equal(step_sink_memory_text(small), "[INFO] 12345\n[INFO] 67890\n[INFO] abcde\n");
    assert_string_equal(step_sink_memory_text(smaller), "[INFO] 12345\n");
    char told[8192];
    told_since(t, told);
    assert_int_equal(strncmp(told, "-3: an output could not be written: No space left on device; 1 records lost so far\n",
                             strlen("-3: an output could not be written: No space left on device; 1 ")),
                     0);
    const step_stats_t stats = balanced_stats(t->log);
    assert_int_equal(stats.recorded, 4);
    assert_int_equal(stats.dropped_sink, 3);
}

/* ---- Files ---- */

static void expect_file(const char *path, const char *expected)
{
    char *text = scratch_read(path, NULL);
    assert_non_null(text);
    assert_string_equal(text, expected);
    free(text);
}

/* logrotate: rename, then reopen. What was logged before is in the old file, all later lines in the new one. */
static void moved_file(void **state)
{
    test_log_t *t = *state;
    char here[4096];
    scratch_make();
    assert_int_equal(step_log_add_output(t->log, step_sink_file(scratch_path("log")), step_format_text(), 0), STEP_OK);
    step_info("one");
    assert_int_equal(rename(scratch_path("log"), scratch_path("log.1")), 0);
    step_info("two"); /* still to the file that was opened */
    assert_int_equal(step_log_reopen(t->log), STEP_OK);
    step_info("three");
    assert_non_null(getcwd(here, sizeof(here)));
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(step_log_reopen(t->log), STEP_OK); /* the same file again: it goes on */
    assert_int_equal(chdir(here), 0);
    step_info("four");
    assert_int_equal(step_log_flush(t->log, TEST_FLUSH_MS), STEP_OK);
    expect_file(scratch_path("log.1"), "[INFO] one\n[INFO] two\n");
    expect_file(scratch_path("log"), "[INFO] three\n[INFO] four\n");
    scratch_remove();
}

static void file_that_cannot_be_reopened(void **state)
{
    test_log_t *t = *state;
    scratch_make();
    assert_int_equal(step_log_add_output(t->log, step_sink_file(scratch_path("log")), step_format_text(), 0), STEP_OK);
    step_info("one");
    assert_int_equal(step_log_flush(t->log, TEST_FLUSH_MS), STEP_OK);
    assert_int_equal(rename(scratch_path("log"), scratch_path("log.1")), 0);
    assert_int_equal(mkdir(scratch_path("log"), 0755), 0);
    assert_int_equal(step_log_reopen(t->log), STEP_EIO);
    expect_told(t, "-3: a sink could not be reopened and goes on as it was: Is a directory\n");
    step_info("two");
    assert_int_equal(step_log_flush(t->log, TEST_FLUSH_MS), STEP_OK);
    expect_file(scratch_path("log.1"), "[INFO] one\n[INFO] two\n");
    assert_int_equal(rmdir(scratch_path("log")), 0);
    assert_int_equal(step_log_reopen(t->log), STEP_OK);
    step_info("three");
    assert_int_equal(step_log_flush(t->log, TEST_FLUSH_MS), STEP_OK);
    expect_file(scratch_path("log"), "[INFO] three\n");
    scratch_remove();
}

static void descriptor(void **state)
{
    test_log_t *t = *state;
    int ends[2];
    char text[256];
    assert_int_equal(pipe(ends), 0);
    const int flags = fcntl(ends[1], F_GETFL);
    assert_int_equal(step_log_add_output(t->log, step_sink_fd(ends[1]), step_format_text(), 0), STEP_OK);
    step_info("through a pipe");
    test_log_close(t);
    const ssize_t n = read(ends[0], text, sizeof(text) - 1);
    assert_true(n > 0);
    text[n] = '\0';
    assert_string_equal(text, "[INFO] through a pipe\n");
    assert_int_equal(fcntl(ends[1], F_GETFL), flags); /* borrowed: open still, and as it was */
    close(ends[0]);
    close(ends[1]);
}

/* A full disk: counted, told, and the program goes on; the other output has everything. */
static void full_disk(void **state)
{
    test_log_t *t = *state;
    assert_int_equal(step_log_add_output(t->log, step_sink_file("/dev/full"), step_format_text(), 0), STEP_OK);
    for (int i = 0; i < 10; i++)
        step_info("x");
    assert_int_equal(step_log_flush(t->log, TEST_FLUSH_MS), STEP_EIO);
    const step_stats_t stats = balanced_stats(t->log);
    assert_int_equal(stats.recorded, 10);
    assert_int_equal(stats.dropped_sink, 10);
    char told[8192];
    told_since(t, told);
    assert_non_null(strstr(told, "-3: an output could not be written: No space left on device; "));
    const char *text = step_sink_memory_text(t->text);
    assert_int_equal(strlen(text), 10 * strlen("[INFO] x\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(several_formats), TEST(added_in_the_middle), TEST(none_at_all), TEST(as_many_as_there_may_be),
        TEST(bound_of_memory), TEST(moved_file),          TEST(file_that_cannot_be_reopened),
        TEST(descriptor),      TEST(full_disk),
    };
    return test_in_both_modes(tests);
}
