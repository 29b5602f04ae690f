/* kill -9 while sampling and a flight recorder hold records back: what is kept of operations that failed, or had not ended, is all there,
 * once; what had been left out does not come back. */
#include "fault/killed.h"

enum { THREADS = 4, ROUNDS = 60 / SLOWER, OPERATIONS_MAX = 8000, MESSAGES = 3, FAILS_EVERY = 3, FLUSH_EVERY = 8 };

/* ---- What the victims do ---- */

/* Is `n` an operation that fails? */
static bool fails(long n)
{
    return n % FAILS_EVERY == 0;
}

static void say(victim_t *victim, step_log_t *log, int thread, long n, int i)
{
    step_log_message(log, STEP_LEVEL_DEBUG, "below", step_kv("t", thread), step_kv("n", n), step_kv("i", i));
    step_log_message(log, STEP_LEVEL_INFO, "above", step_kv("t", thread), step_kv("n", n), step_kv("i", i));
    atomic_store(&victim->words->inner[thread], n * MESSAGES + i + 1);
}

static void run_operations(victim_t *victim, step_log_t *log, int thread)
{
    char name[32];
    snprintf(name, sizeof(name), "Job %d", thread);
    for (long n = 0; n < OPERATIONS_MAX; n++) {
        step_logger_t *op = step_logger_new(name, 1);
        step_logger_start(op);
        step_logger_step(op, 1, "Fetching");
        for (int i = 0; i < MESSAGES; i++)
            say(victim, log, thread, n, i);
        if (fails(n))
            step_logger_failure(op, "refused", step_kv("t", thread), step_kv("n", n));
        else
            step_logger_success(op, step_kv("t", thread), step_kv("n", n));
        step_logger_complete(op);
        step_logger_free(op);
        atomic_store(&victim->words->returned[thread], n + 1);
        if (n % FLUSH_EVERY == FLUSH_EVERY - 1 && step_log_flush(log, FLUSH_MS) == STEP_OK)
            atomic_store(&victim->words->flushed[thread], n + 1);
    }
    for (;;)
        pause();
}

static void run_victim(victim_t *victim)
{
    step_log_t *log = victim_log(victim);
    add_output(log, step_sink_file(victim->place->file), step_format_text());
    victim_run(victim, log);
}

/* ---- What has to be there ---- */

typedef struct seen {
    uint8_t below[THREADS][OPERATIONS_MAX][MESSAGES];
    uint8_t above[THREADS][OPERATIONS_MAX][MESSAGES];
    uint8_t failed[THREADS][OPERATIONS_MAX];
    uint8_t succeeded[THREADS][OPERATIONS_MAX];
} seen_t;

static bool is_within(int thread, long n, int i)
{
    return thread >= 0 && thread < THREADS && n >= 0 && n < OPERATIONS_MAX && i >= 0 && i < MESSAGES;
}

static void note_line(const char *line, void *argument)
{
    seen_t *seen = argument;
    int thread = -1, i = 0;
    long n = -1;
    const char *mark = strstr(line, "❌");                /* behind an indentation, within another operation */
    const bool is_whole = line[strlen(line) - 1] == ')'; /* a write that was cut off leaves a beginning */
    if (sscanf(line, "[DEBUG] below (t=%d, n=%ld, i=%d", &thread, &n, &i) == 3 && is_whole && is_within(thread, n, i))
        seen->below[thread][n][i]++;
    else if (sscanf(line, "[INFO] above (t=%d, n=%ld, i=%d", &thread, &n, &i) == 3 && is_whole &&
             is_within(thread, n, i))
        seen->above[thread][n][i]++;
    else if (mark != NULL && sscanf(mark, "❌ [1/1] Fetching - FAILED: refused (t=%d, n=%ld", &thread, &n) == 2 &&
             is_whole && is_within(thread, n, 0))
        seen->failed[thread][n]++;
    else if (sscanf(line, "[INFO] ✅ [1/1] Fetching - SUCCESS (t=%d, n=%ld", &thread, &n) == 2 && is_whole &&
             is_within(thread, n, 0))
        seen->succeeded[thread][n]++;
    else if (is_whole && n < 0 && (strstr(line, "FAILED") != NULL || strstr(line, "SUCCESS") != NULL))
        fail_msg("without its names: %s", line);
}

/* `leaves_out`: the messages of operations that end well are not written. */
static void check_messages(const victim_t *victim, uint8_t (*counts)[OPERATIONS_MAX][MESSAGES], bool leaves_out)
{
    for (int t = 0; t < THREADS; t++) {
        const long inner = atomic_load(&victim->words->inner[t]);
        const long returned = atomic_load(&victim->words->returned[t]);
        const long flushed = atomic_load(&victim->words->flushed[t]);
        for (long n = 0; n < OPERATIONS_MAX; n++) {
            for (int i = 0; i < MESSAGES; i++) {
                const bool has_returned = n * MESSAGES + i < inner;
                const bool is_decided = n < flushed && !fails(n) && leaves_out;
                const bool may_be_left_out =
                    n <= returned && !fails(n) && leaves_out && n < returned + (inner >= (n + 1) * MESSAGES);
                if (counts[t][n][i] > 1)
                    fail_msg("twice: t=%d, n=%ld, i=%d", t, n, i);
                if (is_decided && counts[t][n][i] != 0)
                    fail_msg("was left out and is there: t=%d, n=%ld, i=%d", t, n, i);
                if (has_returned && !may_be_left_out && counts[t][n][i] == 0)
                    fail_msg("missing: t=%d, n=%ld, i=%d of %ld", t, n, i, inner);
                if (n * MESSAGES + i > inner && counts[t][n][i] != 0)
                    fail_msg("was never logged: t=%d, n=%ld, i=%d", t, n, i);
            }
        }
    }
}

static void check_failures(const victim_t *victim, const seen_t *seen)
{
    for (int t = 0; t < THREADS; t++)
        for (long n = 0; n < atomic_load(&victim->words->returned[t]); n++)
            if (seen->failed[t][n] != (fails(n) ? 1 : 0))
                fail_msg("%d failures: t=%d, n=%ld", seen->failed[t][n], t, n);
}

static void kill_many_times(victim_t *victim, bool samples, bool records)
{
    seen_t *seen = malloc(sizeof(*seen));
    assert_non_null(seen);
    victim->threads = THREADS;
    victim->work = run_operations;
    for (int round = 0; round < ROUNDS; round++) {
        memset(seen, 0, sizeof(*seen));
        unlink(victim->place->file);
        victim_die(victim, run_victim, rand() % 20000);
        const step_recovery_t recovery = recover_into(victim, victim->place->file, 0);
        assert_int_equal(recovery.damaged, 0);
        assert_int_equal(recovery.processes, 1);
        for_each_line(victim->place->file, note_line, seen);
        check_messages(victim, seen->above, samples);
        check_failures(victim, seen);
        if (records)
            check_messages(victim, seen->below, true);
        assert_true(rings_are_gone(victim));
    }
    free(seen);
}

/* ---- The tests ---- */

static void sampling(void **state)
{
    victim_t *victim = *state;
    victim->options.sample_rate = 0;
    kill_many_times(victim, true, false);
}

static void a_flight_recorder(void **state)
{
    victim_t *victim = *state;
    victim->options.flight_recorder_bytes = 64 * 1024;
    kill_many_times(victim, false, true);
}

static void both(void **state)
{
    victim_t *victim = *state;
    victim->options.sample_rate = 0;
    victim->options.flight_recorder_bytes = 64 * 1024;
    kill_many_times(victim, true, true);
}

/* ---- Names that came with records which are no lines ---- */

/* Only errors are lines; they are held back until the operation around them ends, which it never does. */
static void fail_within_what_never_ends(victim_t *victim, step_log_t *log, int thread)
{
    step_logger_t *around = step_logger_new("Around", 1);
    step_logger_start(around);
    for (int n = 0; n < 10; n++) {
        step_logger_t *op = step_logger_new("Within", 1);
        step_logger_start(op);
        step_logger_step(op, 1, "Fetching");
        step_logger_failure(op, "refused", step_kv("t", thread), step_kv("n", n));
        step_logger_free(op);
    }
    step_logger_attach(NULL);
    for (int i = 0; i < 2; i++) { /* by then what no line needs is forgotten */
        step_log_flush(log, FLUSH_MS);
        step_log_message(log, STEP_LEVEL_ERROR, "later");
    }
    step_log_flush(log, FLUSH_MS);
    atomic_store(&victim->words->inner[thread], 1);
    for (;;)
        pause();
}

static void names_outlive_the_records_that_brought_them(void **state)
{
    victim_t *victim = *state;
    victim->options.level = STEP_LEVEL_ERROR;
    victim->options.sample_rate = 0;
    victim->threads = 1;
    victim->work = fail_within_what_never_ends;
    seen_t *seen = calloc(1, sizeof(*seen));
    assert_non_null(seen);
    victim_die(victim, run_victim, 0);
    recover_into(victim, victim->place->file, 0);
    for_each_line(victim->place->file, note_line, seen);
    for (int n = 0; n < 10; n++)
        assert_int_equal(seen->failed[0][n], 1);
    free(seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        VICTIM_TEST(sampling),
        VICTIM_TEST(a_flight_recorder),
        VICTIM_TEST(both),
        VICTIM_TEST(names_outlive_the_records_that_brought_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
