/* Opening and closing again and again, at once, twice, and under the hands of those who log. */
#include "fault.h"

enum { ROUNDS = 1000 / SLOWER, WARM_UP = 20 };

static const char *file_in(void *place)
{
    return ((place_t *)place)->file;
}

typedef struct holdings {
    int descriptors;
    long mappings;
    long long kilobytes;
} holdings_t;

static holdings_t holdings(void)
{
#ifndef STEP_LOGGER_SANITIZED /* which has a thread of its own */
    /* threads that were joined may still be leaving, as the kernel sees it */
    CHECK_SOON(status_number("/proc/self/status", "Threads:", 10) == 1);
#endif
    return (holdings_t){ .descriptors = open_descriptors(),
                         .mappings = count_mappings(),
                         .kilobytes = status_number("/proc/self/status", "VmRSS:", 10) };
}

/* ---- Leaks ---- */

static void open_log_close(void *place)
{
    step_log_t *log = open_log(NULL);
    add_output(log, step_sink_file(file_in(place)), step_format_text());
    add_output(log, step_sink_memory(4096), step_format_json());
    put_record(log, 0, 0);
    CHECK(step_log_flush(log, FLUSH_MS) == STEP_OK);
    CHECK(step_log_close(log) == STEP_OK);
}

static void *open_log_close_here(void *place)
{
    open_log_close(place);
    return NULL;
}

static void on_a_thread(void *place)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, open_log_close_here, place) == 0);
    pthread_join(thread, NULL);
}

static void open_and_close_often(void *place)
{
    holdings_t before = { .descriptors = 0 };
    for (int i = 0; i < ROUNDS; i++) {
        if (i == WARM_UP)
            before = holdings();
        open_log_close(place);
        on_a_thread(place);
    }
    const holdings_t after = holdings();
    CHECK(after.descriptors == before.descriptors);
#ifndef STEP_LOGGER_SANITIZED /* a sanitizer's heap grows by itself */
    CHECK(after.mappings <= before.mappings + 20); /* malloc's arenas come late */
    CHECK(after.kilobytes <= before.kilobytes + 1024);
#endif
}

static void a_thousand_logs_leave_nothing_behind(void **state)
{
    assert_survives(open_and_close_often, *state);
}

static void reopen_often(void *place)
{
    step_log_t *log = open_file_log(file_in(place));
    int before = 0;
    for (int i = 0; i < ROUNDS; i++) {
        put_record(log, 0, i);
        CHECK(step_log_reopen(log) == STEP_OK);
        if (i == WARM_UP)
            before = open_descriptors();
    }
    CHECK(open_descriptors() == before);
    CHECK(step_log_close(log) == STEP_OK);
}

static void a_thousand_reopenings_lose_nothing(void **state)
{
    assert_survives(reopen_often, *state);
    assert_int_equal(tally_file(file_in(*state)).of[0], ROUNDS);
}

/* ---- At once ---- */

static atomic_int closed;

static void *close_it(void *log)
{
    const int result = step_log_close(log);
    CHECK(result == STEP_OK || result == STEP_EINVAL);
    atomic_fetch_add(&closed, result == STEP_OK);
    return NULL;
}

/* One of them closes it; the others are told that there is nothing to close. */
static void close_at_once(void *place)
{
    for (int round = 0; round < 200 / SLOWER; round++) {
        pthread_t threads[4];
        step_log_t *log = open_file_log(file_in(place));
        put_record(log, 0, round);
        atomic_store(&closed, 0);
        for (int i = 0; i < 4; i++)
            CHECK(pthread_create(&threads[i], NULL, close_it, log) == 0);
        for (int i = 0; i < 4; i++)
            pthread_join(threads[i], NULL);
        CHECK(atomic_load(&closed) == 1);
        CHECK(step_log_close(log) == STEP_EINVAL);
    }
}

static void closing_at_once_closes_once(void **state)
{
    assert_survives(close_at_once, *state);
    const tally_t tally = tally_file(file_in(*state));
    assert_int_equal(tally.of[0], 200 / SLOWER);
    assert_int_equal(tally.disorder + tally.strange, 0);
}

/* ---- Under those who log ---- */

static void close_under_producers(void *place)
{
    for (int round = 0; round < 30; round++) {
        const step_log_options_t options = { .size = sizeof(options), .level = STEP_LEVEL_INFO,
                                             .mode = round % 2 == 0 ? STEP_MODE_ASYNC : STEP_MODE_SYNC,
                                             .ring_bytes = 4096, .sample_rate = 1.0 };
        writers_t endless = { .log = open_log(&options), .count = 4, .first = round * 4 };
        add_output(endless.log, step_sink_file(file_in(place)), step_format_text());
        start_writers(&endless);
        CHECK_SOON(atomic_load(&endless.made) > 100);
        const double start = seconds_now();
        CHECK(step_log_close(endless.log) == STEP_OK);
        CHECK(seconds_now() - start < 10);
        /* they go on, to nowhere */
        const long made = atomic_load(&endless.made);
        CHECK_SOON(atomic_load(&endless.made) > made + 100);
        atomic_store(&endless.stop, true);
        join_writers(&endless);
    }
}

/* What was logged before is a prefix of each thread's; nobody hangs, whoever wrote in the very call. */
static void close_under_endless_producers_is_bounded(void **state)
{
    assert_survives(close_under_producers, *state);
    const tally_t tally = tally_file(file_in(*state));
    assert_int_equal(tally.disorder + tally.strange, 0);
    for (int i = 0; i < 120; i++)
        assert_true(tally.of[i] == 0 || tally.last[i] == tally.of[i] - 1);
    assert_true(tally.total > 100);
}

static atomic_bool stop_flushing;

static void *flush_for_ever(void *log)
{
    while (!atomic_load(&stop_flushing)) {
        const int result = step_log_flush(log, FLUSH_MS);
        CHECK(result == STEP_OK || result == STEP_EINVAL);
        const int reopened = step_log_reopen(log);
        CHECK(reopened == STEP_OK || reopened == STEP_EINVAL);
    }
    return NULL;
}

/* flush(), reopen() and add_output() that fall into a close() find the log or do not find it. */
static void close_under_flushes(void *place)
{
    for (int round = 0; round < 30; round++) {
        pthread_t flusher;
        writers_t endless = { .log = open_file_log(file_in(place)), .count = 2, .first = round * 2 };
        atomic_store(&stop_flushing, false);
        start_writers(&endless);
        CHECK(pthread_create(&flusher, NULL, flush_for_ever, endless.log) == 0);
        sleep_ms(3);
        CHECK(step_log_close(endless.log) == STEP_OK);
        const int added = step_log_add_output(endless.log, step_sink_memory(100), step_format_text(), 0);
        CHECK(added == STEP_EINVAL);
        atomic_store(&stop_flushing, true);
        atomic_store(&endless.stop, true);
        pthread_join(flusher, NULL);
        join_writers(&endless);
    }
}

static void close_under_flushes_is_bounded(void **state)
{
    assert_survives(close_under_flushes, *state);
    const tally_t tally = tally_file(file_in(*state));
    assert_int_equal(tally.disorder + tally.strange, 0);
}

/* Eight that flush while four log: each is through soon, though the records never end. */
static void *flush_some(void *log)
{
    for (int i = 0; i < 20; i++)
        CHECK(step_log_flush(log, FLUSH_MS) == STEP_OK);
    return NULL;
}

static void flush_under_producers(void *place)
{
    pthread_t flushers[8];
    writers_t endless = { .log = open_file_log(file_in(place)), .count = 4 };
    start_writers(&endless);
    for (int i = 0; i < 8; i++)
        CHECK(pthread_create(&flushers[i], NULL, flush_some, endless.log) == 0);
    for (int i = 0; i < 8; i++)
        pthread_join(flushers[i], NULL);
    atomic_store(&endless.stop, true);
    join_writers(&endless);
    CHECK(step_log_flush(endless.log, FLUSH_MS) == STEP_OK);
    CHECK(check_oracle(endless.log).written == (uint64_t)atomic_load(&endless.made));
}

static void flushes_end_under_endless_producers(void **state)
{
    assert_survives(flush_under_producers, *state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(a_thousand_logs_leave_nothing_behind), PLACE_TEST(a_thousand_reopenings_lose_nothing),
        PLACE_TEST(closing_at_once_closes_once),          PLACE_TEST(close_under_endless_producers_is_bounded),
        PLACE_TEST(close_under_flushes_is_bounded),       PLACE_TEST(flushes_end_under_endless_producers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
