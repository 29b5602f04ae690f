/* The backend's thread: it sleeps when there is nothing to do, and lets others be the backend when there is much. */
#include "fault.h"

/* ---- Rest ---- */

enum { PARKS_AFTER_MS = 500, WATCHED_MS = 2000, WAKES_AT_MOST = 3 };

static long switches_of(pid_t thread)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/task/%d/status", (int)thread);
    const long long voluntary = status_number(path, "\nvoluntary_ctxt_switches:", 10);
    CHECK(voluntary >= 0);
    return (long)voluntary;
}

/* Until it has not run for a while; how often it does from then on. */
static long watch_at_rest(pid_t thread)
{
    const double until = seconds_now() + 20;
    long before = -1, now;
    while ((now = switches_of(thread)) != before && seconds_now() < until) {
        before = now;
        sleep_ms(2 * PARKS_AFTER_MS);
    }
    CHECK(now == before);
    sleep_ms(WATCHED_MS);
    return switches_of(thread) - now;
}

static void leave_it_alone(void *place)
{
    int ends[2];
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    options.stuck_ms = 60000; /* something to watch, if anything were open */
    options.flight_recorder_bytes = 4096;
    step_log_t *log = open_log(&options);
    CHECK(pipe(ends) == 0);
    add_output(log, step_sink_file(((place_t *)place)->file), step_format_text());
    add_output(log, step_sink_fd(ends[1]), step_format_text());
    for (long i = 0; i < 100; i++)
        put_record(log, 0, i);
    CHECK(step_log_flush(log, FLUSH_MS) == STEP_OK);
    CHECK_SOON(thread_named("step_logger") > 0 && thread_named("step_logger_out") > 0);
    CHECK(watch_at_rest(thread_named("step_logger")) <= WAKES_AT_MOST);
    CHECK(watch_at_rest(thread_named("step_logger_out")) <= WAKES_AT_MOST);
    put_record(log, 1, 0); /* without anybody who flushes */
    CHECK_SOON(tally_file(((place_t *)place)->file).of[1] == 1);
    CHECK(step_log_close(log) == STEP_OK);
}

static void with_nothing_open_it_sleeps(void **state)
{
    assert_survives(leave_it_alone, *state);
}

/* ---- Turns ---- */

enum { TURNS_SECONDS = 2, LONGEST_TURN_S = 10 };

static void take_turns(void *place)
{
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    writers_t busy = { .log = open_file_log(((place_t *)place)->file), .count = 4 };
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.log = busy.log;
    step_logger_t *op = step_logger_new_with("Work", &options);
    step_logger_start(op);
    start_writers(&busy);
    CHECK_SOON(atomic_load(&busy.made) > 10000);
    long turns = 0;
    const double until = seconds_now() + TURNS_SECONDS;
    while (seconds_now() < until || turns == 0) {
        const double start = seconds_now();
        const int dumped = step_log_dump_active(busy.log, null);
        CHECK(dumped == STEP_OK || dumped == STEP_ETIMEOUT); /* on a machine that is busy elsewhere */
        CHECK(seconds_now() - start < LONGEST_TURN_S);
        turns += dumped == STEP_OK;
    }
    atomic_store(&busy.stop, true);
    join_writers(&busy);
    step_logger_free(op);
    CHECK(step_log_close(busy.log) == STEP_OK);
    close(null);
}

static void under_load_others_get_their_turn(void **state)
{
    assert_survives(take_turns, *state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(with_nothing_open_it_sleeps),
        PLACE_TEST(under_load_others_get_their_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
