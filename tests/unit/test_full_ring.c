/* A thread whose ring is full: it waits as long as there is progress, and not much longer. */
#include "core_support.h"

#include <signal.h>
#include <sys/time.h>

static step_stats_t stats_of(step_log_t *log)
{
    step_stats_t stats = { .size = sizeof(stats) };
    assert_int_equal(step_log_stats(log, &stats), STEP_OK);
    return stats;
}

/* The backend hangs in the sink, and the next record finds the ring full. */
static void fill(step_log_t *log, fake_sink_t *sink)
{
    sink->hang = 1;
    step_log_message(log, STEP_LEVEL_INFO, "the backend takes this one, and hangs");
    wait_until(sink->hanging);
    stepi_ring_t *ring = log->rings;
    while (stepi_ring_room(ring, false) >= 128)
        step_log_message(log, STEP_LEVEL_INFO, "these stay in the ring");
}

static void *let_go_after_a_second(void *argument)
{
    fake_sink_t *sink = argument;
    stepi_sleep(SECOND_NS);
    sink->hang = 0;
    return NULL;
}

static _Atomic int alarms;

static void count_alarm(int number)
{
    (void)number;
    alarms++;
}

/* Every millisecond from now on; without SA_RESTART. 0: no more. */
static void set_alarms(long microseconds)
{
    const struct sigaction action = { .sa_handler = count_alarm };
    const struct itimerval every = { .it_interval.tv_usec = microseconds, .it_value.tv_usec = microseconds };
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &every, NULL), 0);
}

static void signals_do_not_wear_out_its_patience(void **state)
{
    (void)state;
    static fake_sink_t sink;
    sigset_t alarm_only;
    pthread_t helper;
    step_log_t *log = must_open(STEP_MODE_ASYNC, STEP_FULL_BLOCK);
    fake_make(&sink, false);
    assert_int_equal(step_log_add_output(log, &sink.sink, &word_format, 0), STEP_OK);
    fill(log, &sink);
    sigemptyset(&alarm_only);
    sigaddset(&alarm_only, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &alarm_only, NULL); /* the helper's */
    assert_int_equal(pthread_create(&helper, NULL, let_go_after_a_second, &sink), 0);
    pthread_sigmask(SIG_UNBLOCK, &alarm_only, NULL);
    set_alarms(1000);
    for (int i = 0; i < 100; i++)
        step_log_message(log, STEP_LEVEL_INFO, "these wait for room");
    set_alarms(0);
    pthread_join(helper, NULL);
    assert_in_range(alarms, 100, INT32_MAX);
    assert_int_equal(step_log_flush(log, 10000), STEP_OK);
    assert_int_equal(stats_of(log).dropped, 0);
    assert_int_equal(step_log_close(log), STEP_OK);
}

static void errors_find_room_behind_a_flood(void **state)
{
    (void)state;
    static fake_sink_t sink;
    step_log_t *log = must_open(STEP_MODE_ASYNC, STEP_FULL_DROP);
    fake_make(&sink, false);
    assert_int_equal(step_log_add_output(log, &sink.sink, &word_format, 0), STEP_OK);
    fill(log, &sink);
    for (int i = 0; i < 50; i++)
        step_log_message(log, STEP_LEVEL_WARNING, "a flood");
    const uint64_t dropped = stats_of(log).dropped_full;
    assert_in_range(dropped, 45, 50);
    step_log_message(log, STEP_LEVEL_ERROR, "the one that counts");
    assert_int_equal(stats_of(log).dropped_full, dropped);
    step_log_message(log, STEP_LEVEL_WARNING, "still no room");
    assert_int_equal(stats_of(log).dropped_full, dropped + 1);
    sink.hang = 0;
    assert_int_equal(step_log_flush(log, 10000), STEP_OK);
    char *text = fake_text(&sink);
    assert_non_null(strstr(text, "the one that counts\n"));
    assert_null(strstr(text, "still no room"));
    free(text);
    const step_stats_t stats = stats_of(log);
    assert_int_equal(stats.recorded, stats.written + stats.dropped);
    assert_int_equal(step_log_close(log), STEP_OK);
}

static int64_t time_of_a_call(step_log_t *log)
{
    const int64_t since = stepi_monotonic_ns();
    step_log_message(log, STEP_LEVEL_INFO, "this one waits for room, or is dropped");
    return stepi_monotonic_ns() - since;
}

static void a_backend_that_hangs_is_waited_for_once(void **state)
{
    (void)state;
    static fake_sink_t sink;
    step_log_t *log = must_open(STEP_MODE_ASYNC, STEP_FULL_BLOCK);
    fake_make(&sink, false);
    assert_int_equal(step_log_add_output(log, &sink.sink, &word_format, 0), STEP_OK);
    fill(log, &sink);
    while (stats_of(log).dropped_full == 0)
        assert_in_range(time_of_a_call(log), 0, 20 * SECOND_NS);
    const int64_t since = stepi_monotonic_ns();
    for (int i = 0; i < 100; i++)
        time_of_a_call(log);
    assert_in_range(stepi_monotonic_ns() - since, 0, SECOND_NS); /* not 200 s */
    assert_int_equal(stats_of(log).dropped_full, 101);
    sink.hang = 0;
    assert_int_equal(step_log_flush(log, 10000), STEP_OK);
    for (int i = 0; i < 100; i++)
        time_of_a_call(log);
    assert_int_equal(step_log_flush(log, 10000), STEP_OK);
    const step_stats_t stats = stats_of(log);
    assert_int_equal(stats.dropped, 101);
    assert_int_equal(stats.recorded, stats.written + stats.dropped);
    assert_int_equal(step_log_close(log), STEP_OK);
    char *text = fake_text(&sink);
    assert_non_null(strstr(text, "\ndropped 101: ring full\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_find_room_behind_a_flood),
        cmocka_unit_test(a_backend_that_hangs_is_waited_for_once),
        cmocka_unit_test(signals_do_not_wear_out_its_patience),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
