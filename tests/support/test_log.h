/* A log to look at: its clock is the test's, its lines lie in memory as text and as JSON, its diagnostics are collected. All
 * through the public API. It is the default log while it is open. */
#ifndef TESTS_SUPPORT_TEST_LOG_H
#define TESTS_SUPPORT_TEST_LOG_H

#include <step_logger.h>

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <cmocka.h>

#define TEST_WALL_NS 1770197400000000000 /* 2026-02-04T09:30:00Z */
#define TEST_MONOTONIC_NS 7000000001
#define TEST_FLUSH_MS 30000

typedef struct test_log {
    step_log_t *log;
    step_sink_t *text, *json; /* memory */
    size_t text_seen, json_seen;
    _Atomic int64_t wall_ns, monotonic_ns;
    pthread_mutex_t lock;
    char told[8192]; /* under the lock: diagnostics, a line each, "CODE: text" */
} test_log_t;

/* Which mode test_log_options() gives: set by test_in_both_modes(). */
extern uint32_t test_mode;

/* As cmocka wants them: *state is a test_log_t, open at level DEBUG, with a text and a JSON output. */
int test_log_setup(void **state);
int test_log_teardown(void **state);
#define TEST(function) cmocka_unit_test_setup_teardown(function, test_log_setup, test_log_teardown)

/* Runs them in STEP_MODE_ASYNC, then in STEP_MODE_SYNC; how many failed. */
#define test_in_both_modes(tests) test_in_modes(tests, sizeof(tests) / sizeof((tests)[0]))
int test_in_modes(const struct CMUnitTest *tests, size_t count);

/* For tests that open their own: options with clock, diagnostics, mode and level DEBUG; then the log, without outputs. */
test_log_t *test_log_new(void);
step_log_options_t test_log_options(test_log_t *t);
void test_log_open(test_log_t *t, const step_log_options_t *options);
void test_log_add_outputs(test_log_t *t);
void test_log_close(test_log_t *t); /* asserts STEP_OK; fine when closed already */
void test_log_free(test_log_t *t);

void pass_ns(test_log_t *t, int64_t ns);
void pass_ms(test_log_t *t, int64_t ms);

/* What came out since the last such call, flushed. */
const char *new_text(test_log_t *t);
const char *new_json(test_log_t *t);

/* In a text of JSON lines, in place: each trace id and each span id becomes the number of its first appearance, as wide as it was.
 * So lines can be compared, and still say what belongs to what. */
void number_ids(char *json);

#define expect_text(t, expected) _assert_string_equal(new_text(t), (expected), __FILE__, __LINE__)

/* What was diagnosed since the last such call. */
void told_since(test_log_t *t, char out[8192]);
#define expect_told(t, expected)                                                                                       \
    do {                                                                                                               \
        char told_[8192];                                                                                              \
        told_since(t, told_);                                                                                          \
        _assert_string_equal(told_, (expected), __FILE__, __LINE__);                                                   \
    } while (0)

/* Flushed, and the sums right: recorded = written + sampled_out + dropped + held, dropped = its parts. */
step_stats_t balanced_stats(step_log_t *log);

/* fork(), when the log's own thread has written all that was logged, without a flush: a thread that is still being started may hold a
 * lock of a sanitizer's heap, which its child would wait for. */
pid_t fork_when_written(step_log_t *log);

/* An operation with these options; the same, started; one of that log; and the end of one. */
step_logger_t *operation_with(const char *name, const step_logger_options_t *options);
step_logger_t *started_with(const char *name, const step_logger_options_t *options);
step_logger_t *operation_in(step_log_t *log, const char *name, int total_steps);
void finish(step_logger_t *op);

#endif
