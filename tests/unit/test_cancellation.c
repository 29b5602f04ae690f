/* Threads that are cancelled while they set the library up, log or close: nobody else is held up by what they would leave
 * behind. Each scene is a process of its own, with a library that is not set up yet. */
#include "core_support.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void in_child(void (*scene)(void))
{
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        alarm(20);
        scene();
        _exit(0);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            dprintf(2, "in a child: %s\n", #condition);                                                                \
            _exit(1);                                                                                                  \
        }                                                                                                              \
    } while (0)

static void run_cancelled(void *(*body)(void *), void *argument)
{
    pthread_t thread;
    void *result = NULL;
    CHECK(pthread_create(&thread, NULL, body, argument) == 0);
    CHECK(pthread_join(thread, &result) == 0);
    CHECK(result == PTHREAD_CANCELED);
}

static void *log_for_the_first_time(void *argument)
{
    (void)argument;
    pthread_cancel(pthread_self());
    step_info("cancelled");
    pthread_testcancel();
    return NULL;
}

static void make_the_default_log(void)
{
    setenv("STEP_LOGGER_OUTPUT", "file:/dev/null", 1);
    setenv("LOG_LEVEL", "nonsense", 1); /* something to tell */
    CHECK(close(2) == 0 && dup(1) == 2);
    run_cancelled(log_for_the_first_time, NULL);
    step_info("not cancelled");
    CHECK(step_log_flush(NULL, 10000) == STEP_OK);
    step_stats_t stats = { .size = sizeof(stats) };
    CHECK(step_log_stats(NULL, &stats) == STEP_OK);
    CHECK(stats.written == 2);
}

static void default_log(void **state)
{
    (void)state;
    in_child(make_the_default_log);
}

static step_log_t *log_to(fake_sink_t *sink, bool may_block)
{
    step_log_t *log = NULL;
    fake_make(sink, may_block);
    CHECK(step_log_open(NULL, &log) == STEP_OK);
    CHECK(step_log_add_output(log, &sink->sink, &word_format, 0) == STEP_OK);
    return log;
}

static int close_result = 1;

static void *close_it(void *argument)
{
    pthread_cancel(pthread_self());
    close_result = step_log_close(argument);
    pthread_testcancel();
    return NULL;
}

static void close_cancelled(void)
{
    static fake_sink_t sink;
    for (int round = 0; round < 100; round++) {
        step_log_t *log = log_to(&sink, true);
        for (int i = 0; i < 100; i++)
            step_log_message(log, STEP_LEVEL_INFO, "x");
        close_result = 1;
        run_cancelled(close_it, log);
        CHECK(close_result == STEP_OK);
        CHECK(sink.used == 200);
        CHECK(sink.closed == 1);
        CHECK(log->state == STEPI_LOG_FREE);
    }
}

static void closing(void **state)
{
    (void)state;
    in_child(close_cancelled);
}

static void *log_into_a_full_ring(void *argument)
{
    step_log_t *log = argument;
    pthread_cancel(pthread_self());
    for (int i = 0; i < 10000; i++) /* the first that waits in vain tells it, on stderr */
        step_log_message(log, STEP_LEVEL_INFO, "a record that finds no room, and has its number already");
    pthread_testcancel();
    return NULL;
}

static void full_ring_cancelled(void)
{
    static fake_sink_t sink;
    step_log_t *log = log_to(&sink, false);
    sink.hang = 1;
    run_cancelled(log_into_a_full_ring, log);
    sink.hang = 0;
    CHECK(step_log_flush(log, 10000) == STEP_OK);
    step_stats_t stats = { .size = sizeof(stats) };
    CHECK(step_log_stats(log, &stats) == STEP_OK);
    CHECK(stats.recorded == 10000);
    CHECK(stats.recorded == stats.written + stats.dropped);
    CHECK(step_log_close(log) == STEP_OK);
}

static void a_full_ring(void **state)
{
    (void)state;
    in_child(full_ring_cancelled);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_log),
        cmocka_unit_test(closing),
        cmocka_unit_test(a_full_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
