/* Processes that are killed with kill -9, at any moment, whatever they were doing. With a crash ring nothing that a call had returned
 * for is missing from the log file and what is recovered, together, and nothing stands there twice. */
#include "fault/killed.h"

enum { ROUNDS = 200 / SLOWER, MOMENTS_US = 20000 };

static void run(victim_t *victim)
{
    victim_run(victim, victim_log_with_file(victim));
}

/* ---- Messages ---- */

static void write_messages(victim_t *victim, step_log_t *log, int thread)
{
    for (long n = 0;; n++) {
        put_record(log, thread, n);
        atomic_store(&victim->words->inner[thread], n + 1);
    }
}

static void check_all_there(const victim_t *victim, const tally_t *tally)
{
    assert_int_equal(tally->disorder, 0);
    for (int i = 0; i < victim->threads; i++) {
        const long returned = atomic_load(&victim->words->inner[i]);
        /* one more may have been logged, whose call had not returned */
        assert_in_range(tally->of[i], returned, returned + 1);
        if (tally->of[i] > 0)
            assert_int_equal(tally->last[i], tally->of[i] - 1); /* without disorder: each once */
    }
}

static void kill_many_times(victim_t *victim, int threads, int rounds)
{
    victim->threads = threads;
    victim->work = write_messages;
    for (int round = 0; round < rounds; round++) {
        unlink(victim->place->file);
        victim_die(victim, run, rand() % MOMENTS_US);
        const tally_t before = tally_file(victim->place->file);
        const step_recovery_t recovery = recover_into(victim, victim->place->file, 0);
        const tally_t tally = tally_file(victim->place->file);
        const long added = tally.total - before.total;
        check_all_there(victim, &tally);
        assert_in_range(tally.strange, 0, before.torn_end);                       /* by the killed process, not by us */
        assert_in_range(recovery.records + before.torn_end, added, added + before.torn_end); /* it may lack its end alone */
        assert_int_equal(recovery.processes, 1);
        assert_int_equal(recovery.damaged, 0);
        assert_true(rings_are_gone(victim));
    }
}

static void nothing_is_lost_of_one_thread(void **state)
{
    kill_many_times(*state, 1, ROUNDS);
}

static void nothing_is_lost_of_four_threads(void **state)
{
    kill_many_times(*state, 4, ROUNDS);
}

static void nothing_is_lost_of_eight_threads(void **state)
{
    kill_many_times(*state, 8, ROUNDS / 3);
}

/* ---- What a record says by way of an earlier one ---- */

/* Operations of two steps, in which other operations are at work meanwhile: names have long been written when it dies. */
static void run_operations(victim_t *victim, step_log_t *log, int thread)
{
    for (long n = 0;; n++) {
        step_logger_t *op = step_logger_new("Job", 2);
        step_logger_start(op);
        step_logger_step(op, 1, "Fetching");
        for (int i = 0; i < (int)(n % 7) * 50; i++)
            step_log_message(log, STEP_LEVEL_INFO, "fetched", step_kv("i", i));
        step_logger_success(op, step_kv("t", thread), step_kv("n", n));
        step_logger_step(op, 2, "Storing");
        step_logger_success(op, step_kv("t", thread), step_kv("n", n));
        step_logger_complete(op);
        step_logger_free(op);
        atomic_store(&victim->words->inner[thread], n + 1);
    }
}

/* How often each thread has come so far. */
typedef struct progress {
    long fetched[VICTIM_THREADS], stored[VICTIM_THREADS];
} progress_t;

/* Each success has all its names, and is the next of its thread: [INFO] ✅ [1/2] Fetching - SUCCESS (t=3, n=7, duration_ms=…) */
static void check_step(const char *line, void *argument)
{
    progress_t *progress = argument;
    int thread;
    long n;
    if (sscanf(line, "[INFO] ✅ [1/2] Fetching - SUCCESS (t=%1d, n=%ld,", &thread, &n) == 2)
        assert_int_equal(n, progress->fetched[thread]++);
    else if (sscanf(line, "[INFO] ✅ [2/2] Storing - SUCCESS (t=%1d, n=%ld,", &thread, &n) == 2)
        assert_int_equal(n, progress->stored[thread]++);
    else if (strstr(line, "duration_ms=") != NULL) /* whole */
        assert_null(strstr(line, "- SUCCESS"));
}

static void names_are_there(void **state)
{
    victim_t *victim = *state;
    victim->threads = 4;
    victim->work = run_operations;
    for (int round = 0; round < ROUNDS / 4; round++) {
        progress_t progress = { .fetched = { 0 } };
        unlink(victim->place->file);
        victim_die(victim, run, rand() % MOMENTS_US);
        assert_int_equal(recover_into(victim, victim->place->file, STEP_RECOVER_REPORT).damaged, 0);
        for_each_line(victim->place->file, check_step, &progress);
        for (int i = 0; i < victim->threads; i++) {
            const long returned = atomic_load(&victim->words->inner[i]);
            assert_in_range(progress.stored[i], returned, returned + 1);
            assert_in_range(progress.fetched[i], progress.stored[i], returned + 1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        VICTIM_TEST(nothing_is_lost_of_one_thread),
        VICTIM_TEST(nothing_is_lost_of_four_threads),
        VICTIM_TEST(nothing_is_lost_of_eight_threads),
        VICTIM_TEST(names_are_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
