/* The end of a process whose sinks have a writer thread: what is slow is waited for as long as it goes on, what hangs is not,
 * and what is logged after the end waits for its line. */
#include "fault.h"

enum { BLOCKS_WORTH = 30000, SLOW_MS = 400 }; /* so many records are ten blocks, of which a queue holds eight */

static const char *file_in(void *place)
{
    return ((place_t *)place)->file;
}

/* ---- Sinks that write to a file, later or never ---- */

typedef struct slow_sink {
    int fd;
    long pause_ms;
    atomic_int closed, flushed;
} slow_sink_t;

static int write_late(void *ctx, const char *bytes, size_t length)
{
    const slow_sink_t *sink = ctx;
    sleep_ms(sink->pause_ms);
    return write(sink->fd, bytes, length) == (ssize_t)length ? 0 : -1;
}

static int count_flush(void *ctx)
{
    atomic_fetch_add(&((slow_sink_t *)ctx)->flushed, 1);
    return 0;
}

static void count_close(void *ctx)
{
    atomic_fetch_add(&((slow_sink_t *)ctx)->closed, 1);
}

static int hang(void *ctx, const char *bytes, size_t length)
{
    (void)ctx;
    (void)length;
    while (bytes != NULL)
        sleep_ms(1000);
    return 0;
}

static slow_sink_t slow;

static step_log_t *open_slow_log(const char *path, long pause_ms, const step_log_options_t *options)
{
    static const step_sink_ops_t ops = {
        .size = sizeof(ops), .write = write_late, .flush = count_flush, .close = count_close
    };
    step_log_t *log = open_log(options);
    slow.fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    slow.pause_ms = pause_ms;
    CHECK(slow.fd >= 0);
    add_output(log, step_sink_custom(&ops, &slow), step_format_text());
    return log;
}

static step_log_t *open_hanging_log(const char *path)
{
    static const step_sink_ops_t ops = { .size = sizeof(ops), .write = hang };
    step_log_t *log = open_file_log(path);
    add_output(log, step_sink_custom(&ops, NULL), step_format_text());
    return log;
}

/* ---- exit() ---- */

static void exit_before_a_slow_sink_is_done(void *place)
{
    step_log_t *log = open_slow_log(file_in(place), SLOW_MS, NULL);
    for (long i = 0; i < BLOCKS_WORTH; i++)
        put_record(log, 0, i);
}

static void a_slow_sink_gets_all_before_the_end(void **state)
{
    assert_survives(exit_before_a_slow_sink_is_done, *state);
    const tally_t tally = tally_file(file_in(*state));
    assert_int_equal(tally.of[0], BLOCKS_WORTH);
    assert_int_equal(tally.disorder + tally.strange + tally.dropped, 0);
}

static void exit_while_a_sink_hangs(void *place)
{
    step_log_t *log = open_hanging_log(file_in(place));
    for (long i = 0; i < 10; i++)
        put_record(log, 0, i);
}

/* The same with a backend that has handed over to it already. */
static void exit_long_after_a_sink_hangs(void *place)
{
    exit_while_a_sink_hangs(place);
    sleep_ms(100);
}

static void the_end_does_not_wait_for_a_sink_that_hangs(void **state)
{
    const double start = seconds_now();
    assert_survives(exit_while_a_sink_hangs, *state);
    assert_survives(exit_long_after_a_sink_hangs, *state);
    assert_true(seconds_now() - start < 30);
    assert_int_equal(tally_file(file_in(*state)).of[0], 20);
}

/* ---- After exit() ---- */

static step_log_t *late_log;

/* The last destructor of the program: nobody would wait for the writer thread any more. */
__attribute__((destructor(101))) static void log_in_destructor(void)
{
    step_stats_t stats = { .size = sizeof(stats) };
    if (late_log == NULL)
        return;
    for (long i = 0; i < 3; i++)
        put_record(late_log, 2, i);
    if (step_log_stats(late_log, &stats) != STEP_OK || stats.recorded != stats.written + stats.dropped)
        _exit(9);
}

static void log_late(void *place)
{
    late_log = open_slow_log(file_in(place), 20, NULL);
    put_record(late_log, 1, 0);
    CHECK(step_log_flush(late_log, FLUSH_MS) == STEP_OK);
}

static void log_late_for_the_first_time(void *place)
{
    late_log = open_slow_log(file_in(place), 20, NULL);
}

static void what_is_logged_after_the_end_is_waited_for(void **state)
{
    assert_survives(log_late, *state);
    assert_survives(log_late_for_the_first_time, *state);
    const tally_t tally = tally_file(file_in(*state));
    assert_int_equal(tally.of[1], 1);
    assert_int_equal(tally.of[2], 6);
}

static void log_late_to_a_sink_that_hangs(void *place)
{
    late_log = open_hanging_log(file_in(place));
    put_record(late_log, 1, 0);
}

/* Not even a patience for each call. */
static void what_is_logged_after_the_end_does_not_wait_for_ever(void **state)
{
    const double start = seconds_now();
    const int status = run_scenario(log_late_to_a_sink_that_hangs, *state);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 9); /* the hanging sink's lines are not settled */
    assert_true(seconds_now() - start < 20);
    assert_int_equal(tally_file(file_in(*state)).of[2], 3);
}

/* ---- close() ---- */

static void close_a_slow_log_that_drops(void *place)
{
    const step_log_options_t drops = { .size = sizeof(drops), .level = STEP_LEVEL_INFO, .when_full = STEP_FULL_DROP,
                                       .ring_bytes = STEP_LOG_RING_BYTES, .sample_rate = 1.0 };
    step_log_t *log = open_slow_log(file_in(place), SLOW_MS, &drops);
    for (long i = 0; i < BLOCKS_WORTH; i++) {
        put_record(log, 0, i);
        if (i % 1000 == 0)
            sleep_ms(1); /* the backend keeps up, the sink does not */
    }
    CHECK(step_log_close(log) == STEP_OK);
    CHECK(atomic_load(&slow.closed) == 1);
}

/* What may be dropped is a matter of while it runs: what was accepted is written, and the rest is spoken of. */
static void close_waits_for_a_slow_sink_also_when_the_log_drops(void **state)
{
    assert_survives(close_a_slow_log_that_drops, *state);
    const tally_t tally = tally_file(file_in(*state));
    assert_int_equal(tally.disorder + tally.strange, 0);
    assert_int_equal(tally.of[0] + tally.dropped, BLOCKS_WORTH);
}

static void close_a_hanging_log(void *place)
{
    step_log_t *log = open_hanging_log(file_in(place));
    for (long i = 0; i < 10; i++)
        put_record(log, 0, i);
    const double start = seconds_now();
    CHECK(step_log_close(log) == STEP_ETIMEOUT);
    CHECK(seconds_now() - start < 15);
    CHECK(tally_file(file_in(place)).of[0] == 10);
}

static void close_leaves_a_sink_that_hangs_alone(void **state)
{
    assert_survives(close_a_hanging_log, *state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(a_slow_sink_gets_all_before_the_end),
        PLACE_TEST(the_end_does_not_wait_for_a_sink_that_hangs),
        PLACE_TEST(what_is_logged_after_the_end_is_waited_for),
        PLACE_TEST(what_is_logged_after_the_end_does_not_wait_for_ever),
        PLACE_TEST(close_waits_for_a_slow_sink_also_when_the_log_drops),
        PLACE_TEST(close_leaves_a_sink_that_hangs_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
