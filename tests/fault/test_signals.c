/* Signal handlers that log, at any moment and on top of any call; jumps out of calls that they interrupted. Whatever was made is
 * written or counted, what comes after a jump is recorded from an outer frame on, and the program's signals stay as it set them. */
#include "fault.h"

#include <dirent.h>
#include <setjmp.h>
#include <sys/time.h>

enum { SIGNALS = 20000 / SLOWER, JUMPS = 1000 / SLOWER, OURS_IN_HANDLER = 4711 };

static const char *file_in(void *place)
{
    return ((place_t *)place)->file;
}

static step_log_t *signal_log;

/* ---- Somebody who interrupts ---- */

typedef struct interrupter {
    pthread_t thread, victim;
    atomic_bool stop;
} interrupter_t;

static void *interrupt(void *argument)
{
    interrupter_t *self = argument;
    for (unsigned i = 0; !atomic_load(&self->stop); i++) {
        pthread_kill(self->victim, i % 2 == 0 ? SIGALRM : SIGPROF);
        const double until = seconds_now() + (i % 16) * 1e-6; /* at changing moments */
        while (seconds_now() < until)
            ;
        if (i % 64 == 0)
            sleep_ms(1);
    }
    return NULL;
}

static void mask(int how)
{
    sigset_t both;
    sigemptyset(&both);
    sigaddset(&both, SIGALRM);
    sigaddset(&both, SIGPROF);
    CHECK(pthread_sigmask(how, &both, NULL) == 0);
}

/* The calling thread will be interrupted; the interrupter itself is not. */
static void start_interrupter(interrupter_t *self, void (*handler)(int))
{
    const struct sigaction action = { .sa_handler = handler }; /* without SA_RESTART */
    CHECK(sigaction(SIGALRM, &action, NULL) == 0 && sigaction(SIGPROF, &action, NULL) == 0);
    self->victim = pthread_self();
    mask(SIG_BLOCK);
    CHECK(pthread_create(&self->thread, NULL, interrupt, self) == 0);
    mask(SIG_UNBLOCK);
}

/* TSan of GCC 12 leaves all signals blocked when it delivers one from within the handler of another. */
static void unblock_after_sanitizer(void)
{
#ifdef __SANITIZE_THREAD__
    mask(SIG_UNBLOCK);
#endif
}

static void stop_interrupter(interrupter_t *self)
{
    atomic_store(&self->stop, true);
    pthread_join(self->thread, NULL);
}

/* ---- Handlers that log ---- */

static atomic_long handled;
static atomic_bool changed_errno;

static void log_in_handler(int number)
{
    (void)number;
    const int saved = errno;
    errno = OURS_IN_HANDLER;
    const long n = atomic_fetch_add(&handled, 1);
    put_record(signal_log, 1 + (n & 1), n);
    if (errno != OURS_IN_HANDLER)
        atomic_store(&changed_errno, true);
    errno = saved;
}

/* Calls of both ways, the short one and the long one, and of an operation; how many records they made. */
static long log_some(step_log_t *log, long n)
{
    errno = (int)n;
    put_record(log, 0, n);
    step_info("w", step_kv("t", 3), step_kv("n", n));
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.log = log;
    step_logger_t *op = step_logger_new_with("Work", &options);
    step_logger_start(op);
    step_logger_step(op, 1, "one");
    step_logger_success(op, step_kv("n", n));
    step_logger_complete(op);
    step_logger_free(op);
    CHECK(errno == (int)n);
    return 6;
}

static void log_under_signals(void *place)
{
    interrupter_t interrupter = { .stop = false };
    long made = 0;
    signal_log = open_file_log(file_in(place));
    CHECK(step_log_set_default(signal_log) == STEP_OK);
    start_interrupter(&interrupter, log_in_handler);
    for (long n = 1; atomic_load(&handled) < SIGNALS; n++) {
        made += log_some(signal_log, n);
        unblock_after_sanitizer();
    }
    stop_interrupter(&interrupter);
    CHECK(!atomic_load(&changed_errno));
    CHECK(step_log_flush(signal_log, FLUSH_MS) == STEP_OK);
    const step_stats_t stats = check_oracle(signal_log);
    CHECK(stats.recorded == (uint64_t)(made + atomic_load(&handled)));
    CHECK(stats.dropped == stats.dropped_nested);
    CHECK(stats.misused == 0);
#ifndef __SANITIZE_THREAD__ /* which delivers signals between calls */
    CHECK(stats.dropped_nested > 0);
#endif
    CHECK(step_log_close(signal_log) == STEP_OK);
}

/* What others than the handlers made is there, whatever interrupted it. */
static void handlers_log_on_top_of_calls(void **state)
{
    assert_survives(log_under_signals, *state);
    size_t bytes;
    char *text = slurp(file_in(*state), &bytes);
    long numbers[4] = { 0 };
    for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
        int writer;
        long number;
        char start[64]; /* sscanf() measures all that follows, each time */
        snprintf(start, sizeof(start), "%.*s", 60, line);
        if (sscanf(start, "[INFO] w (t=%d, n=%ld)\n", &writer, &number) != 2)
            continue;
        assert_in_range(writer, 0, 3);
        if (writer == 0 || writer == 3)
            assert_int_equal(number, numbers[writer] + 1);
        else
            assert_true(numbers[writer] == 0 || number > numbers[writer]);
        numbers[writer] = number;
    }
    free(text);
    assert_true(numbers[0] > 0);
    assert_int_equal(numbers[0], numbers[3]);
}

/* ---- What is interrupted and knows nothing of logging ---- */

static void do_nothing(int number)
{
    (void)number;
    atomic_fetch_add(&handled, 1);
}

static void *read_all(void *fd)
{
    char some[4096];
    for (int i = 0; read(*(int *)fd, some, sizeof(some)) > 0; i++)
        if (i % 8 == 0)
            sleep_ms(1);
    return NULL;
}

/* The interrupted thread itself writes to a pipe that is full most of the time, and waits for a ring that is. */
static void write_under_signals(void *place)
{
    (void)place;
    for (uint32_t mode = STEP_MODE_ASYNC; mode <= STEP_MODE_SYNC; mode++) {
        interrupter_t interrupter = { .stop = false };
        int ends[2];
        pthread_t reader;
        step_log_options_t options = STEP_LOG_OPTIONS_INIT;
        options.mode = mode;
        options.ring_bytes = 4096;
        CHECK(pipe(ends) == 0 && pthread_create(&reader, NULL, read_all, &ends[0]) == 0);
        step_log_t *log = open_log(&options);
        add_output(log, step_sink_fd(ends[1]), step_format_text());
        start_interrupter(&interrupter, do_nothing);
        for (long i = 0; i < SIGNALS; i++) {
            errno = 7;
            put_record(log, 0, i);
            CHECK(errno == 7);
        }
        CHECK(step_log_flush(log, FLUSH_MS) == STEP_OK);
        stop_interrupter(&interrupter);
        const step_stats_t stats = check_oracle(log);
        if (stats.written != SIGNALS)
            dprintf(2, "%d records, %llu written, dropped: %llu full, %llu nested, %llu sink\n", SIGNALS,
                    (unsigned long long)stats.written, (unsigned long long)stats.dropped_full,
                    (unsigned long long)stats.dropped_nested, (unsigned long long)stats.dropped_sink);
        CHECK(stats.written == SIGNALS);
        CHECK(step_log_close(log) == STEP_OK);
        close(ends[1]);
        pthread_join(reader, NULL);
        close(ends[0]);
    }
    CHECK(atomic_load(&handled) > 0);
}

static void interrupted_writes_and_waits_lose_nothing(void **state)
{
    assert_survives(write_under_signals, *state);
}

/* ---- Dispositions and masks ---- */

enum { SIGNALS_MAX = 65 };

typedef struct dispositions {
    struct sigaction actions[SIGNALS_MAX];
    sigset_t mask;
} dispositions_t;

static void read_dispositions(dispositions_t *d)
{
    memset(d, 0, sizeof(*d));
    for (int i = 1; i < SIGNALS_MAX; i++)
        sigaction(i, NULL, &d->actions[i]); /* two are libc's own: refused */
    CHECK(pthread_sigmask(SIG_SETMASK, NULL, &d->mask) == 0);
}

static void check_same(const dispositions_t *before)
{
    dispositions_t now;
    read_dispositions(&now);
    for (int i = 1; i < SIGNALS_MAX; i++) {
        CHECK(now.actions[i].sa_handler == before->actions[i].sa_handler);
        CHECK(now.actions[i].sa_flags == before->actions[i].sa_flags);
        CHECK(sigismember(&now.mask, i) == sigismember(&before->mask, i));
    }
}

/* How many threads of the library there are; each blocks all signals but those of faults of its own. */
static int check_threads(void)
{
    static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE };
    unsigned long long never = 1ULL << (SIGKILL - 1) | 1ULL << (SIGSTOP - 1) | 3ULL << 31; /* and libc's own */
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        never |= 1ULL << (faults[i] - 1);
    int count = 0;
    DIR *tasks = opendir("/proc/self/task");
    CHECK(tasks != NULL);
    for (const struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
        char path[64], name[32] = "";
        snprintf(path, sizeof(path), "/proc/self/task/%.16s/comm", entry->d_name);
        const int fd = open(path, O_RDONLY | O_CLOEXEC);
        const ssize_t n = fd >= 0 ? read(fd, name, sizeof(name) - 1) : 0;
        close(fd);
        if (n <= 0 || strncmp(name, "step_logger", 11) != 0)
            continue;
        snprintf(path, sizeof(path), "/proc/self/task/%.16s/status", entry->d_name);
        const unsigned long long blocked = (unsigned long long)status_number(path, "SigBlk:", 16);
        CHECK((blocked | never) == ~0ULL);
        count++;
    }
    closedir(tasks);
    return count;
}

static void log_and_look_at_signals(void *place)
{
    int ends[2];
    dispositions_t before;
    const struct sigaction action = { .sa_handler = do_nothing, .sa_flags = SA_RESTART };
    CHECK(sigaction(SIGUSR2, &action, NULL) == 0 && signal(SIGHUP, SIG_IGN) != SIG_ERR);
    read_dispositions(&before);
    CHECK(pipe(ends) == 0);
    signal_log = open_file_log(file_in(place));
    add_output(signal_log, step_sink_fd(ends[1]), step_format_text()); /* with a thread of its own */
    CHECK(step_log_set_default(signal_log) == STEP_OK);
    log_some(signal_log, 1);
    CHECK(step_log_flush(signal_log, FLUSH_MS) == STEP_OK && step_log_reopen(signal_log) == STEP_OK);
    CHECK_SOON(check_threads() == 2); /* a thread takes its name when it runs */
    check_same(&before);
    close(ends[0]); /* SIGPIPE, if it were not held */
    log_some(signal_log, 2);
    step_log_flush(signal_log, FLUSH_MS);
    check_same(&before);
    CHECK(step_log_close(signal_log) == STEP_OK);
    check_same(&before);
}

static void dispositions_and_masks_stay(void **state)
{
    assert_survives(log_and_look_at_signals, *state);
}

/* ---- Jumps ---- */

static sigjmp_buf way_out;
static atomic_bool may_jump;

static void jump_out(int number)
{
    (void)number;
    if (atomic_exchange(&may_jump, false))
        siglongjmp(way_out, 1);
}

/* Until it is interrupted for good; by turns the ways that calls take. Its calls lie below those of log_outside(). */
static __attribute__((noinline)) void log_until_jump(long round)
{
    char below[4096];
    snprintf(below, sizeof(below), "%ld", round);
    atomic_store(&may_jump, true);
    for (long i = 0; below[0] != '\0'; i++) {
        unblock_after_sanitizer();
        if (round % 3 != 1)
            step_info("short", step_kv("i", i));
        if (round % 3 != 0)
            step_log_message(signal_log, STEP_LEVEL_INFO, "long", step_kv("i", i));
    }
}

enum { OUTSIDE, STILL_INSIDE, INSIDE_AGAIN, OTHER_THREAD };

static __attribute__((noinline)) void log_outside(long round)
{
    put_record(signal_log, OUTSIDE, 2 * round);
    step_info("w", step_kv("t", (int)OUTSIDE), step_kv("n", 2 * round + 1));
}

/* Deeper than any call that was interrupted. */
static __attribute__((noinline)) void log_deep_inside(int writer, long round)
{
    char below[16384];
    snprintf(below, sizeof(below), "%ld", round);
    put_record(signal_log, writer, 2 * round);
    step_info("w", step_kv("t", writer), step_kv("n", 2 * round + (below[0] != '\0')));
}

static void log_around_jumps(writers_t *other)
{
    interrupter_t interrupter = { .stop = false };
    log_outside(0); /* a thread's first call holds locks: no jump out of that one */
    start_writers(other); /* whose records have to be merged with those of the thread that jumps */
    start_interrupter(&interrupter, jump_out);
    for (volatile long round = 1; round < JUMPS; round++) {
        if (sigsetjmp(way_out, 1) == 0)
            log_until_jump(round);
        log_deep_inside(STILL_INSIDE, round);
        log_outside(round);
        log_deep_inside(INSIDE_AGAIN, round);
    }
    stop_interrupter(&interrupter);
}

static void jump_out_of_calls(void *place)
{
    writers_t other = { .count = 1, .first = OTHER_THREAD, .burst = 10 };
    other.log = signal_log = open_file_log(file_in(place));
    CHECK(step_log_set_default(signal_log) == STEP_OK);
    log_around_jumps(&other);
    const double start = seconds_now();
    CHECK(step_log_flush(signal_log, FLUSH_MS) == STEP_OK);
    CHECK(seconds_now() - start < 10);
    atomic_store(&other.stop, true);
    join_writers(&other);
    CHECK(step_log_flush(signal_log, FLUSH_MS) == STEP_OK);
    step_stats_t stats = { .size = sizeof(stats) };
    CHECK(step_log_stats(signal_log, &stats) == STEP_OK);
    CHECK(stats.dropped == stats.dropped_nested && stats.dropped_nested <= 2ULL * JUMPS);
    /* a call that was left may have taken its number and never writes */
    CHECK(stats.recorded - stats.written - stats.dropped <= (uint64_t)JUMPS);
    CHECK(step_log_close(signal_log) == STEP_OK);
}

typedef struct seen {
    long count, disorder;
    long last;
} seen_t;

static void see_line(seen_t seen[OTHER_THREAD + 1], const char *line)
{
    int writer;
    long number;
    char start[64]; /* sscanf() measures all that follows, each time */
    snprintf(start, sizeof(start), "%.*s", 60, line);
    if (sscanf(start, "[INFO] w (t=%d, n=%ld)\n", &writer, &number) != 2)
        return;
    assert_in_range(writer, 0, OTHER_THREAD);
    seen_t *of = &seen[writer];
    of->disorder += of->count > 0 && number <= of->last;
    of->last = number;
    of->count++;
}

static void calls_outside_of_a_jump_are_recorded(void **state)
{
    assert_survives(jump_out_of_calls, *state);
    seen_t seen[OTHER_THREAD + 1] = { { .count = 0 } };
    size_t bytes;
    char *text = slurp(file_in(*state), &bytes);
    for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1)
        see_line(seen, line);
    free(text);
    assert_int_equal(seen[OUTSIDE].count, 2 * JUMPS);
    assert_int_equal(seen[INSIDE_AGAIN].count, 2 * (JUMPS - 1));
    assert_in_range(seen[STILL_INSIDE].count, 0, 2 * (JUMPS - 1));
    assert_true(seen[OTHER_THREAD].count > 0);
    for (int writer = 0; writer <= OTHER_THREAD; writer++)
        assert_int_equal(seen[writer].disorder, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(handlers_log_on_top_of_calls),
        PLACE_TEST(interrupted_writes_and_waits_lose_nothing),
        PLACE_TEST(dispositions_and_masks_stay),
        PLACE_TEST(calls_outside_of_a_jump_are_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
