/* kill -9 with every kind of output and mode, with long records, threads that come and go, and files that are reopened. */
#include "fault/killed.h"

#include <sys/time.h>

enum { THREADS = 4, ROUNDS = 60 / SLOWER };

static void write_for_ever(victim_t *victim, step_log_t *log, int thread)
{
    for (long n = 0;; n++) {
        put_record(log, thread, n);
        atomic_store(&victim->words->inner[thread], n + 1);
    }
}

static void run_with_file(victim_t *victim)
{
    step_log_t *log = victim_log(victim);
    add_output(log, step_sink_file(victim->place->file), step_format_text());
    victim_run(victim, log);
}

/* Each record of each thread, once. */
static void check_tally(const victim_t *victim, const tally_t *tally)
{
    assert_int_equal(tally->disorder, 0);
    for (int i = 0; i < victim->threads; i++) {
        const long returned = atomic_load(&victim->words->inner[i]);
        assert_in_range(tally->of[i], returned, returned + 1);
        if (tally->of[i] > 0)
            assert_int_equal(tally->last[i], tally->of[i] - 1);
    }
}

static void kill_many_times(victim_t *victim, void (*run)(victim_t *victim))
{
    for (int round = 0; round < ROUNDS; round++) {
        unlink(victim->place->file);
        victim_die(victim, run, rand() % 15000);
        const step_recovery_t recovery = recover_into(victim, victim->place->file, 0);
        assert_int_equal(recovery.damaged, 0);
        const tally_t tally = tally_file(victim->place->file);
        check_tally(victim, &tally);
        assert_true(rings_are_gone(victim));
    }
}

/* ---- Modes ---- */

static void synchronous(void **state)
{
    victim_t *victim = *state;
    victim->options.mode = STEP_MODE_SYNC;
    victim->threads = THREADS;
    victim->work = write_for_ever;
    kill_many_times(victim, run_with_file);
}

static void the_smallest_rings(void **state)
{
    victim_t *victim = *state;
    victim->options.ring_bytes = 4096;
    victim->threads = THREADS;
    victim->work = write_for_ever;
    kill_many_times(victim, run_with_file);
}

/* ---- Two outputs ---- */

static char second_file[128];

static void run_with_two_files(victim_t *victim)
{
    step_log_t *log = victim_log(victim);
    add_output(log, step_sink_file(victim->place->file), step_format_text());
    add_output(log, step_sink_file(second_file), step_format_text());
    victim_run(victim, log);
}

/* What one of them lacks is recovered: it may then be in the other one, too, but it is missing in neither. */
static void two_files(void **state)
{
    victim_t *victim = *state;
    victim->threads = THREADS;
    victim->work = write_for_ever;
    snprintf(second_file, sizeof(second_file), "%s/second.log", victim->place->directory);
    for (int round = 0; round < ROUNDS; round++) {
        const char *recovered = in_place(victim->place, "recovered.log");
        unlink(victim->place->file);
        unlink(second_file);
        unlink(recovered);
        victim_die(victim, run_with_two_files, rand() % 15000);
        const long first = tally_file(victim->place->file).total, second = tally_file(second_file).total;
        recover_into(victim, recovered, 0);
        const tally_t rest = tally_file(recovered);
        assert_int_equal(rest.disorder, 0);
        long all = 0;
        for (int i = 0; i < THREADS; i++) {
            all += atomic_load(&victim->words->inner[i]);
            if (rest.of[i] > 0) /* it ends with the last one, without a hole */
                assert_in_range(rest.last[i], atomic_load(&victim->words->inner[i]) - 1,
                                atomic_load(&victim->words->inner[i]));
        }
        const long less = first < second ? first : second;
        const long least = all > less ? all - less - 1 : 0; /* a line may have lacked its end alone */
        assert_in_range(rest.total, least, all - less + THREADS);
    }
}

static void run_with_pipe(victim_t *victim)
{
    int ends[2];
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    step_log_t *log = victim_log(victim);
    add_output(log, step_sink_fd(ends[1]), step_format_text());
    add_output(log, step_sink_file(victim->place->file), step_format_text());
    victim_run(victim, log);
}

/* Nobody reads the pipe: what it lacks is in the file, and does not come again. */
static void a_file_and_a_pipe(void **state)
{
    victim_t *victim = *state;
    victim->options.when_full = STEP_FULL_BLOCK;
    victim->threads = 1;
    victim->work = write_for_ever;
    for (int round = 0; round < ROUNDS / 4 + 1; round++) {
        unlink(victim->place->file);
        victim_die(victim, run_with_pipe, rand() % 15000);
        recover_into(victim, victim->place->file, 0);
        const tally_t tally = tally_file(victim->place->file);
        assert_int_equal(tally.disorder, 0);
        const long returned = atomic_load(&victim->words->inner[0]);
        assert_in_range(tally.of[0], returned - (long)tally.dropped, returned + 1);
    }
}

/* ---- Long records, and threads that come and go ---- */

enum { LENGTHS = 7 };
static const int lengths[LENGTHS] = { 0, 10, 300, 3000, 1000, 20000, 63000 };

/* A text of so many bytes in the middle, and its length behind it. */
static void write_long_ones(victim_t *victim, step_log_t *log, int thread)
{
    char *text = malloc(65536);
    CHECK(text != NULL);
    memset(text, 'x', 65535);
    text[65535] = '\0';
    for (long n = 0;; n++) {
        const int length = lengths[n % LENGTHS];
        step_log_message(log, STEP_LEVEL_INFO, "long", step_kv("t", thread), step_kv("n", n),
                         step_str("text", text + 65535 - length), step_kv("length", length));
        atomic_store(&victim->words->inner[thread], n + 1);
    }
}

typedef struct long_ones {
    long next[THREADS];
} long_ones_t;

static void note_long_one(const char *line, void *argument)
{
    long_ones_t *seen = argument;
    int thread, length;
    long n;
    const char *last = strstr(line, ", length=");
    if (sscanf(line, "[INFO] long (t=%d, n=%ld", &thread, &n) != 2 || last == NULL || line[strlen(line) - 1] != ')' ||
        sscanf(last, ", length=%d", &length) != 1)
        return; /* torn */
    assert_in_range(thread, 0, THREADS - 1);
    assert_int_equal(n, seen->next[thread]); /* each once, in order */
    assert_int_equal(length, lengths[n % LENGTHS]);
    assert_in_range(strspn(strstr(line, "text=") + 5 + (strstr(line, "text=")[5] == '"'), "x"), length, length);
    seen->next[thread]++;
}

static void long_records(void **state)
{
    victim_t *victim = *state;
    victim->threads = THREADS;
    victim->work = write_long_ones;
    for (int round = 0; round < ROUNDS / 2; round++) {
        long_ones_t seen = { { 0 } };
        unlink(victim->place->file);
        victim_die(victim, run_with_file, rand() % 15000);
        recover_into(victim, victim->place->file, 0);
        for_each_line(victim->place->file, note_long_one, &seen);
        for (int i = 0; i < THREADS; i++)
            assert_in_range(seen.next[i], atomic_load(&victim->words->inner[i]),
                            atomic_load(&victim->words->inner[i]) + 1);
    }
}

typedef struct brief_life {
    victim_t *victim;
    step_log_t *log;
    int thread;
    long from;
} brief_life_t;

enum { OF_A_LIFE = 20 };

static void *live_briefly(void *argument)
{
    const brief_life_t *life = argument;
    for (long n = life->from; n < life->from + OF_A_LIFE; n++) {
        put_record(life->log, life->thread, n);
        atomic_store(&life->victim->words->inner[life->thread], n + 1);
    }
    return NULL;
}

/* Ring after ring, or one ring again and again. */
static void raise_threads(victim_t *victim, step_log_t *log, int thread)
{
    for (long n = 0;; n += OF_A_LIFE) {
        brief_life_t life = { .victim = victim, .log = log, .thread = thread, .from = n };
        pthread_t one;
        CHECK(pthread_create(&one, NULL, live_briefly, &life) == 0);
        CHECK(pthread_join(one, NULL) == 0);
    }
}

static void threads_that_come_and_go(void **state)
{
    victim_t *victim = *state;
    victim->threads = THREADS;
    victim->work = raise_threads;
    kill_many_times(victim, run_with_file);
}

/* ---- Reopening ---- */

/* The last thread renames the file and has it reopened, again and again. */
static void write_or_rotate(victim_t *victim, step_log_t *log, int thread)
{
    char old[160];
    if (thread < THREADS - 1)
        write_for_ever(victim, log, thread);
    for (int i = 0;; i++) {
        snprintf(old, sizeof(old), "%s.%06d", victim->place->file, i);
        sleep_ms(1);
        if (rename(victim->place->file, old) == 0)
            CHECK(step_log_reopen(log) == STEP_OK);
        atomic_store(&victim->words->pids[0], i + 1);
    }
}

typedef struct rotated {
    long of[THREADS], twice;
    uint8_t *is_there[THREADS];
} rotated_t;

static void note_rotated(const char *line, void *argument)
{
    rotated_t *all = argument;
    int thread, length = 0;
    long n;
    if (sscanf(line, "[INFO] w (t=%d, n=%ld%n", &thread, &n, &length) != 2 ||
        (line[length] != ')' && line[length] != ',') || line[strlen(line) - 1] != ')')
        return;
    assert_in_range(thread, 0, THREADS - 1);
    assert_in_range(n, 0, (1 << 20) - 1);
    all->twice += all->is_there[thread][n];
    all->of[thread] += all->is_there[thread][n] == 0;
    all->is_there[thread][n] = 1;
}

/* A block that was being written to a file which has another name by now may come again, but nothing is missing. */
static void files_that_are_reopened(void **state)
{
    victim_t *victim = *state;
    victim->threads = THREADS;
    victim->work = write_or_rotate;
    for (int round = 0; round < ROUNDS / 4 + 1; round++) {
        rotated_t all = { .twice = 0 };
        char old[160];
        unlink(victim->place->file);
        for (int i = 0; i < THREADS; i++)
            assert_non_null(all.is_there[i] = calloc(1, 1 << 20));
        victim_die(victim, run_with_file, rand() % 15000);
        recover_into(victim, victim->place->file, 0);
        for (int i = 0; i <= atomic_load(&victim->words->pids[0]) + 1; i++) {
            snprintf(old, sizeof(old), "%s.%06d", victim->place->file, i);
            for_each_line(old, note_rotated, &all);
            unlink(old);
        }
        for_each_line(victim->place->file, note_rotated, &all);
        for (int i = 0; i < THREADS - 1; i++)
            assert_in_range(all.of[i], atomic_load(&victim->words->inner[i]),
                            atomic_load(&victim->words->inner[i]) + 1);
        assert_in_range(all.twice, 0, 4096);
        for (int i = 0; i < THREADS; i++)
            free(all.is_there[i]);
    }
}

/* ---- Signal handlers ---- */

static victim_t *handled_victim;
static step_log_t *handled_log;
static _Atomic long handled;

static void log_in_handler(int number)
{
    const int saved = errno;
    (void)number;
    const long n = atomic_load(&handled);
    put_record(handled_log, 1, n);
    atomic_store(&handled, n + 1);
    errno = saved;
}

/* Threads whose first call is a signal handler's: it makes their ring. */
static void *be_interrupted(void *argument)
{
    const long before = atomic_load(&handled);
    pthread_kill(pthread_self(), SIGUSR1);
    while (atomic_load(&handled) == before)
        sleep_ms(1);
    atomic_store(&handled_victim->words->inner[1], before + 1);
    return argument;
}

static void interrupt_threads(victim_t *victim, step_log_t *log, int thread)
{
    if (thread == 0)
        write_for_ever(victim, log, 0);
    handled_victim = victim;
    handled_log = log;
    CHECK(signal(SIGUSR1, log_in_handler) != SIG_ERR);
    for (;;) {
        pthread_t one;
        CHECK(pthread_create(&one, NULL, be_interrupted, NULL) == 0);
        CHECK(pthread_join(one, NULL) == 0);
    }
}

static void first_calls_in_signal_handlers(void **state)
{
    victim_t *victim = *state;
    victim->threads = 2;
    victim->work = interrupt_threads;
    kill_many_times(victim, run_with_file);
}

/* ---- The store does not grow for ever ---- */

enum { OPERATIONS = 300000 / SLOWER, STORE_MOST = 12 << 20 };

static long long store_bytes(const victim_t *victim)
{
    char command[256];
    long long bytes = -1;
    snprintf(command, sizeof(command), "stat -c %%s %s/*/store", victim->rings);
    FILE *out = popen(command, "re");
    CHECK(out != NULL && fscanf(out, "%lld", &bytes) == 1);
    pclose(out);
    return bytes;
}

/* No line is ever written, or one in a thousand operations; the names of all travel to the backend. */
static void log_below_the_level(void *argument)
{
    victim_t *victim = argument;
    for (int lines = 0; lines < 2; lines++) {
        victim->options.level = STEP_LEVEL_ERROR;
        step_log_t *log = victim_log(victim);
        add_output(log, step_sink_file(victim->place->file), step_format_text());
        step_logger_t *around = step_logger_new("An operation of many steps", 0);
        step_logger_start(around);
        for (int n = 0; n < OPERATIONS; n++) {
            step_logger_step(around, n, "One of very many steps");
            step_logger_success(around);
            step_logger_t *op = step_logger_new("An operation of which nobody hears", 1);
            step_logger_start(op);
            step_logger_step(op, 1, "A step of which nobody hears");
            step_logger_success(op);
            step_logger_complete(op);
            step_logger_free(op);
            if (lines != 0 && n % 1000 == 0)
                step_log_message(log, STEP_LEVEL_ERROR, "heard");
        }
        CHECK(step_log_flush(log, FLUSH_MS) == STEP_OK);
        CHECK(store_bytes(victim) <= STORE_MOST);
        step_logger_free(around);
        CHECK(step_log_close(log) == STEP_OK);
    }
}

static void names_that_nobody_needs_any_more_take_no_room(void **state)
{
    assert_survives(log_below_the_level, *state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        VICTIM_TEST(synchronous),
        VICTIM_TEST(the_smallest_rings),
        VICTIM_TEST(two_files),
        VICTIM_TEST(a_file_and_a_pipe),
        VICTIM_TEST(long_records),
        VICTIM_TEST(threads_that_come_and_go),
        VICTIM_TEST(files_that_are_reopened),
        VICTIM_TEST(first_calls_in_signal_handlers),
        VICTIM_TEST(names_that_nobody_needs_any_more_take_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
