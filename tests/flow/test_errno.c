/* Every logging call leaves errno alone: on its first call in a thread, with full rings, failing sinks, odd clocks. */
#include "support/test_log.h"
#include "support/threads.h"

#include <errno.h>

enum { MARK = 12345 };

#define UNTOUCHED(statement)                                                                                           \
    do {                                                                                                               \
        errno = MARK;                                                                                                  \
        statement;                                                                                                     \
        assert_int_equal(errno, MARK);                                                                                 \
    } while (0)

static int64_t now_with_errno(void *ctx)
{
    errno = EDOM;
    return atomic_fetch_add((_Atomic int64_t *)ctx, 1000);
}

static int write_with_errno(void *ctx, const char *bytes, size_t len)
{
    (void)ctx;
    (void)bytes;
    (void)len;
    errno = ENOSPC;
    return -1;
}

static void diagnose_with_errno(void *ctx, int code, const char *text)
{
    (void)ctx;
    (void)code;
    (void)text;
    errno = ERANGE;
}

/* A log with everything that sets errno. */
static void open_odd_log(test_log_t *t)
{
    static _Atomic int64_t time_ns = 1000;
    static const step_clock_t clock = { .wall_ns = now_with_errno, .monotonic_ns = now_with_errno, .ctx = &time_ns };
    static const step_sink_ops_t ops = { .size = sizeof(ops), .write = write_with_errno };
    step_log_options_t options = test_log_options(t);
    options.clock = &clock;
    options.diagnose = diagnose_with_errno;
    options.ring_bytes = 4096;
    test_log_close(t);
    test_log_open(t, &options);
    assert_int_equal(step_log_add_output(t->log, step_sink_custom(&ops, NULL), step_format_json(), 0), STEP_OK);
    assert_int_equal(step_log_add_output(t->log, step_sink_file("/dev/full"), step_format_text(), 0), STEP_OK);
}

static void every_call(void *unused)
{
    static char long_text[5000];
    step_logger_t *op = NULL;
    (void)unused;
    memset(long_text, 'x', sizeof(long_text) - 1);
    UNTOUCHED(step_info("the first call of this thread", step_kv("a", 1)));
    for (int i = 0; i < 3; i++) {
        UNTOUCHED(op = step_logger_new("Sync", 2));
        UNTOUCHED(step_logger_step(op, 9, "Misuse"));
        UNTOUCHED(step_logger_start(op));
        UNTOUCHED(step_logger_start(op, step_kv("a", 1)));
        UNTOUCHED(step_logger_step(op, 1, long_text, step_kv("a", 2.5), step_kv("b", long_text)));
        UNTOUCHED(step_logger_progress(op, 1, 2));
        UNTOUCHED(step_logger_success(op));
        UNTOUCHED(step_logger_success(op));
        UNTOUCHED(step_logger_skip(op, "x"));
        UNTOUCHED(step_logger_failure(op, "x"));
        UNTOUCHED(step_logger_failure_errno(op, EIO, step_kv("a", 1)));
        UNTOUCHED(step_logger_failure_errno(op, 99999));
        UNTOUCHED(step_logger_message(op, STEP_LEVEL_INFO, "x"));
        UNTOUCHED(step_logger_messagef(op, STEP_LEVEL_INFO, "%s%s", long_text, "x"));
        UNTOUCHED(step_logger_attach(NULL));
        UNTOUCHED(step_logger_attach(op));
        UNTOUCHED(step_logger_wants(op, 0));
        UNTOUCHED(step_log_wants(NULL, STEP_LEVEL_INFO));
        UNTOUCHED(step_quick_step(1, "x", "y", 2));
        UNTOUCHED(step_quick_success(1, "x", 2, step_kv("a", 1)));
        UNTOUCHED(step_quick_failure(1, "x", "y", 2));
        UNTOUCHED(step_log_message(NULL, STEP_LEVEL_ERROR, "x"));
        UNTOUCHED(if (i > 0) step_logger_complete(op));
        UNTOUCHED(step_logger_free(op));
        UNTOUCHED(step_logger_free(op));
    }
    for (int i = 0; i < 500; i++)
        UNTOUCHED(step_info("to make the ring full", step_kv("text", "some more bytes, so that it takes fewer")));
    step_stats_t stats = { .size = sizeof(stats) };
    UNTOUCHED(step_log_flush(NULL, TEST_FLUSH_MS));
    UNTOUCHED(step_log_stats(NULL, &stats));
}

static void on_a_thread_of_its_own(void **state)
{
    test_log_t *t = *state;
    open_odd_log(t);
    run_on_thread(every_call, NULL);
    every_call(NULL);
    UNTOUCHED(step_log_close(t->log));
    t->log = NULL;
    UNTOUCHED(step_info("to nobody"));
}

/* errno as an argument is the one from before the call. */
static void as_an_argument(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = step_logger_new("Sync", 1);
    step_logger_start(op);
    errno = ENOENT;
    step_logger_failure_errno(op, errno, step_kv("again", errno));
    step_logger_messagef(op, STEP_LEVEL_INFO, "errno is %d", errno);
    step_logger_free(op);
    expect_text(t, "[INFO] 🚀 START: Sync\n"
                   "[ERROR] ❌ Sync - FAILED: No such file or directory (again=2, duration_ms=0.0)\n"
                   "[INFO] errno is 2\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(on_a_thread_of_its_own),
        TEST(as_an_argument),
    };
    return test_in_both_modes(tests);
}
