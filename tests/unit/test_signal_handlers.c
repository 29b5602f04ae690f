/* Signal handlers that log, at any moment of a thread's first calls: every record is written or counted, a thread has one
 * ring in a log, and it is given back. */
#include "core_support.h"

#include <signal.h>
#include <unistd.h>

#ifdef STEP_LOGGER_SANITIZED
enum { BELOW = 10000, HANDLED = 20 }; /* where threads run one at a time signals are seldom sent */
#else
enum { BELOW = 100000, HANDLED = 1000 };
#endif
enum { THREADS = 400, CALLS = 20 };

static step_log_t *main_log, *other_log;
static _Atomic int handled, running;
static _Atomic bool interrupted; /* the thread of this round */

static void log_something(int number)
{
    (void)number;
    const int saved = errno;
    step_log_message(main_log, STEP_LEVEL_INFO, "from a handler");
    step_log_message(other_log, STEP_LEVEL_INFO, "from a handler");
    handled++;
    interrupted = true;
    errno = saved;
}

/* TSan of GCC 12 leaves all signals blocked when it delivers one from within the handler of another. */
static void unblock_after_sanitizer(void)
{
#ifdef __SANITIZE_THREAD__
    sigset_t ours;
    sigemptyset(&ours);
    sigaddset(&ours, SIGUSR1);
    pthread_sigmask(SIG_UNBLOCK, &ours, NULL);
#endif
}

static void *log_some(void *argument)
{
    (void)argument;
    running = 1;
    for (int i = 0; i < CALLS || !interrupted; i++) {
        unblock_after_sanitizer();
        step_log_message(main_log, STEP_LEVEL_INFO, "from a thread");
    }
    running = 2;
    while (running != 3)
        sched_yield();
    return NULL;
}

/* Interrupts a thread from its first instruction on. */
static void run_interrupted(void)
{
    pthread_t thread;
    running = 0;
    interrupted = false;
    assert_int_equal(pthread_create(&thread, NULL, log_some, NULL), 0);
    while (running < 2)
        pthread_kill(thread, SIGUSR1);
    running = 3;
    pthread_join(thread, NULL);
}

static int count_rings(step_log_t *log, int *released)
{
    int count = 0;
    *released = 0;
    stepi_registry_take();
    for (stepi_ring_t *ring = log->rings; ring != NULL; ring = ring->next_in_log) {
        count++;
        *released += ring->released != 0;
    }
    stepi_registry_release();
    return count;
}

static void check(step_log_t *log)
{
    step_stats_t stats = { .size = sizeof(stats) };
    int released;
    assert_int_equal(step_log_flush(log, 30000), STEP_OK);
    assert_int_equal(step_log_stats(log, &stats), STEP_OK);
    assert_int_equal(stats.recorded, stats.written + stats.dropped);
    assert_int_equal(stats.dropped, stats.dropped_nested);
    const int rings = count_rings(log, &released);
    assert_int_equal(released, rings);
    /* one thread at a time; the backend had not always emptied the ring of the last one when the next one came */
    assert_in_range(rings, 0, 50);
    assert_int_equal(step_log_close(log), STEP_OK);
}

static void first_calls_may_be_interrupted(void **state)
{
    (void)state;
    const struct sigaction action = { .sa_handler = log_something };
    assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
    main_log = must_open(STEP_MODE_ASYNC, STEP_FULL_BLOCK);
    other_log = must_open(STEP_MODE_ASYNC, STEP_FULL_BLOCK);
    for (int i = 0; i < THREADS; i++)
        run_interrupted();
    assert_true(handled >= THREADS);
    check(main_log);
    check(other_log);
}

static _Atomic int stop;

static void *interrupt_for_ever(void *thread)
{
    while (stop == 0) {
        pthread_kill(*(pthread_t *)thread, SIGUSR1);
        stepi_sleep(20000);
    }
    return NULL;
}

/* The handler becomes the backend on top of whatever it interrupted. */
static void synchronous_logs_do_not_wait_for_themselves(void **state)
{
    (void)state;
    static fake_sink_t sink;
    pthread_t self = pthread_self(), helper;
    main_log = must_open(STEP_MODE_SYNC, STEP_FULL_BLOCK);
    fake_make(&sink, false);
    assert_int_equal(step_log_add_output(main_log, &sink.sink, &word_format, 0), STEP_OK);
    other_log = main_log;
    sigset_t ours;
    sigemptyset(&ours);
    sigaddset(&ours, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &ours, NULL); /* the helper's */
    stop = handled = 0;
    assert_int_equal(pthread_create(&helper, NULL, interrupt_for_ever, &self), 0);
    pthread_sigmask(SIG_UNBLOCK, &ours, NULL);
    alarm(50);
    for (int i = 0; i < BELOW || handled < HANDLED; i++) {
        unblock_after_sanitizer();
        step_stats_t stats = { .size = sizeof(stats) };
        step_log_stats(main_log, &stats);
        step_log_message(main_log, STEP_LEVEL_INFO, "from below");
    }
    alarm(0);
    stop = 1;
    pthread_join(helper, NULL);
    assert_int_equal(step_log_flush(main_log, 10000), STEP_OK);
    step_stats_t stats = { .size = sizeof(stats) };
    assert_int_equal(step_log_stats(main_log, &stats), STEP_OK);
    assert_int_equal(stats.recorded, stats.written + stats.dropped);
    assert_int_equal(step_log_close(main_log), STEP_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_calls_may_be_interrupted),
        cmocka_unit_test(synchronous_logs_do_not_wait_for_themselves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
