/* However a process ends, what it logged is there: all of it after exit(), whole lines after _exit(). */
#include "fault.h"

#include <sys/syscall.h>

enum { RECORDS = 100000 / SLOWER };

static const char *file_in(void *place)
{
    return ((place_t *)place)->file;
}

/* ---- The end of main ---- */

static void log_and_return(void *place)
{
    step_log_t *log = open_file_log(file_in(place));
    for (long i = 0; i < RECORDS; i++)
        put_record(log, 0, i);
}

static void everything_is_there_after_main(void **state)
{
    assert_survives(log_and_return, *state);
    const tally_t tally = tally_file(file_in(*state));
    assert_int_equal(tally.of[0], RECORDS);
    assert_int_equal(tally.total, RECORDS);
    assert_int_equal(tally.disorder + tally.strange + tally.torn_end, 0);
}

static void *call_exit(void *log)
{
    for (long i = 0; i < RECORDS; i++)
        put_record(log, 100, i);
    exit(0);
}

/* exit() on a worker's thread, while others log and main() waits. */
static void exit_from_a_worker(void *place)
{
    pthread_t worker;
    writers_t others = { .log = open_file_log(file_in(place)), .count = 3 };
    start_writers(&others);
    CHECK(pthread_create(&worker, NULL, call_exit, others.log) == 0);
    pthread_join(worker, NULL);
    CHECK(false);
}

static void exit_from_a_worker_does_not_hang(void **state)
{
    assert_survives(exit_from_a_worker, *state);
    const tally_t tally = tally_file(file_in(*state));
    assert_int_equal(tally.of[100], RECORDS);
    assert_int_equal(tally.disorder + tally.strange + tally.torn_end, 0);
}

/* ---- quick_exit, _exit ---- */

static void log_and_quick_exit(void *place)
{
    log_and_return(place);
    quick_exit(0);
}

static void quick_exit_writes_all(void **state)
{
    assert_survives(log_and_quick_exit, *state);
    assert_int_equal(tally_file(file_in(*state)).of[0], RECORDS);
}

static void log_and_leave_at_once(void *place)
{
    step_log_t *log = open_file_log(file_in(place));
    put_record(log, 1, 0);
    CHECK(step_log_flush(log, FLUSH_MS) == STEP_OK);
    for (long i = 0; i < RECORDS; i++)
        put_record(log, 0, i);
    _exit(0);
}

/* What was in the ring is lost, from its end; what is there is whole, but for the line that the kernel was writing. */
static void _exit_loses_only_what_was_in_the_ring(void **state)
{
    assert_survives(log_and_leave_at_once, *state);
    const tally_t tally = tally_file(file_in(*state));
    assert_int_equal(tally.of[1], 1);
    assert_int_equal(tally.disorder + tally.strange, 0);
    const long lost = RECORDS - tally.of[0];
    assert_true(tally.of[0] == 0 || tally.last[0] == tally.of[0] - 1);
    /* a record has 40 bytes at least, and so many more lines are rendered but not written */
    assert_in_range(lost, 0, STEP_LOG_RING_BYTES / 40 + 256 * 1024 / 20);
}

static void log_and_be_killed(void *place)
{
    log_and_return(place);
    kill(getpid(), SIGKILL);
    sleep_ms(10000);
}

static void log_one(void *place)
{
    put_record(open_file_log(file_in(place)), 1, 0);
}

/* Of one that was killed in the middle of a write the last line may be a part; who goes on begins a line of his own. */
static void a_killed_process_leaves_whole_lines(void **state)
{
    assert_int_equal(run_scenario(log_and_be_killed, *state), SIGKILL);
    const tally_t killed = tally_file(file_in(*state));
    assert_int_equal(killed.disorder + killed.strange, 0);
    assert_true(killed.of[0] == 0 || killed.last[0] == killed.of[0] - 1);
    assert_survives(log_one, *state);
    const tally_t next = tally_file(file_in(*state));
    assert_int_equal(next.of[0], killed.of[0]);
    assert_int_equal(next.of[1], 1);
    assert_int_equal(next.strange, killed.torn_end);
    assert_false(next.torn_end);
}

/* ---- After the library's own end ---- */

static step_log_t *late_log;

static void log_in_handler(void)
{
    put_record(late_log, 2, 0);
}

/* The destructors of a program run in the order of their priorities, lower ones later: this is the last. */
__attribute__((destructor(101))) static void log_in_destructor(void)
{
    step_stats_t stats = { .size = sizeof(stats) };
    if (late_log == NULL)
        return;
    put_record(late_log, 3, 0);
    if (step_log_stats(late_log, &stats) != STEP_OK || stats.recorded != 3 || stats.written != 3)
        _exit(9);
}

static void log_late(void *place)
{
    atexit(log_in_handler);
    late_log = open_file_log(file_in(place));
    put_record(late_log, 1, 0);
}

/* Each of them writes its line itself: nobody comes after it who would. */
static void handlers_and_destructors_log(void **state)
{
    assert_survives(log_late, *state);
    const tally_t tally = tally_file(file_in(*state));
    assert_int_equal(tally.of[1], 1);
    assert_int_equal(tally.of[2], 1);
    assert_int_equal(tally.of[3], 1);
}

static void leave_an_operation_open(void *place)
{
    const step_logger_options_t options = { .size = sizeof(options), .log = open_file_log(file_in(place)) };
    step_logger_t *op = step_logger_new_with("Sync", &options);
    step_logger_start(op);
    step_logger_step(op, 1, "Reading");
}

static void open_operations_are_reported(void **state)
{
    assert_survives(leave_an_operation_open, *state);
    char *text = slurp(file_in(*state), NULL);
    assert_non_null(strstr(text, "INCOMPLETE: Sync (last_step=1, description=Reading, total_duration_ms="));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(everything_is_there_after_main),
        PLACE_TEST(exit_from_a_worker_does_not_hang),
        PLACE_TEST(quick_exit_writes_all),
        PLACE_TEST(_exit_loses_only_what_was_in_the_ring),
        PLACE_TEST(a_killed_process_leaves_whole_lines),
        PLACE_TEST(handlers_and_destructors_log),
        PLACE_TEST(open_operations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
