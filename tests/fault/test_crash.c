/* With the crash handler a fault costs no line: what was logged before it is in the file, and the process ends as it would have. */
/* wrap: write malloc */
#include "fault.h"

#include <setjmp.h>
#include <sys/mman.h>

enum { RECORDS = 1000, FOUR = 4, BOUND_SECONDS = 10 };

/* ---- The library's calls of these come here ---- */

ssize_t __real_write(int fd, const void *bytes, size_t count);
void *__real_malloc(size_t bytes);
ssize_t __wrap_write(int fd, const void *bytes, size_t count);
void *__wrap_malloc(size_t bytes);

static void die_of_segv(void);

typedef enum mischief { NONE, WRITE_FAULTS, WRITE_HANGS, MALLOC_FAULTS } mischief_t;
static _Atomic mischief_t mischief;
static _Thread_local bool is_armed; /* mischief with write() is done to the thread alone that dies */
static atomic_bool is_hit; /* the fault in malloc() has come: from now on each malloc() hangs, as with its lock taken */

ssize_t __wrap_write(int fd, const void *bytes, size_t count)
{
    if (is_armed && atomic_load(&mischief) == WRITE_FAULTS)
        die_of_segv();
    while (is_armed && atomic_load(&mischief) == WRITE_HANGS)
        sleep_ms(1);
    return __real_write(fd, bytes, count);
}

void *__wrap_malloc(size_t bytes)
{
    while (atomic_load(&is_hit))
        sleep_ms(1);
    if (atomic_load(&mischief) == MALLOC_FAULTS) {
        atomic_store(&is_hit, true);
        die_of_segv();
    }
    return __real_malloc(bytes);
}

/* ---- Ways to die ---- */

static void *volatile nowhere = (void *)(uintptr_t)16;
static volatile int zero;

static void die_of_segv(void)
{
    *(volatile int *)nowhere = 1;
}

static void die_of_abort(void)
{
    abort();
}

/* Each frame needs the one below it, and the address of something in it. */
__attribute__((noinline, noclone)) static int overflow(const volatile char *above)
{
    volatile char frame[256];
    if (above[0] != 0) /* never */
        return 0;
    frame[0] = above[0];
    frame[1] = (char)(overflow(frame) + 1);
    return frame[1];
}

static void die_of_overflow(void)
{
    const volatile char first = 0;
    overflow(&first);
}

static void die_of_bus(void)
{
    char path[] = "/tmp/step_crash_XXXXXX";
    const int fd = mkstemp(path);
    CHECK(fd >= 0 && unlink(path) == 0 && ftruncate(fd, 4096) == 0);
    volatile char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(page != MAP_FAILED && ftruncate(fd, 0) == 0);
    page[0] = 1;
}

static void die_of_ill(void)
{
    __builtin_trap();
}

/* Not by a division: a sanitizer, and some processors, have their own mind about it. */
static void die_of_fpe(void)
{
    raise(SIGFPE);
}

static void die_of_a_signal_from_outside(void)
{
    kill(getpid(), SIGSEGV);
    sleep_ms(20000);
}

/* ---- What all have in common ---- */

static const int the_five[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };

/* As without sanitizers, which handle these signals themselves. */
static void install(void)
{
    for (size_t i = 0; i < sizeof(the_five) / sizeof(the_five[0]); i++)
        signal(the_five[i], SIG_DFL);
    CHECK(step_log_install_crash_handler() == STEP_OK);
}

typedef struct death {
    const place_t *place;
    void (*die)(void);
    int signal; /* that ends it */
    int writers;
    bool on_a_thread; /* the last writer dies, not main() */
} death_t;

static void *log_and_die(void *argument)
{
    const death_t *death = argument;
    for (long i = 0; i < RECORDS; i++)
        put_record(NULL, death->writers - 1, i);
    death->die();
    return NULL;
}

static void die_after_logging(void *argument)
{
    const death_t *death = argument;
    pthread_t last;
    install();
    step_log_t *log = open_file_log(death->place->file);
    CHECK(step_log_set_default(log) == STEP_OK);
    writers_t others = { .log = log, .count = death->writers - 1, .each = RECORDS };
    start_writers(&others);
    join_writers(&others);
    if (!death->on_a_thread)
        log_and_die(argument);
    CHECK(pthread_create(&last, NULL, log_and_die, argument) == 0);
    pthread_join(last, NULL);
    CHECK(false);
}

/* The wait status of a scenario that must end soon. */
static int run_within_bound(scenario_t scenario, void *argument)
{
    const double begin = seconds_now();
    const int status = run_scenario(scenario, argument);
    assert_true(seconds_now() - begin < BOUND_SECONDS);
    return status;
}

static void assert_ends_by(int signal_number, int status)
{
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), signal_number);
}

static void assert_whole(const char *file, int writers, long each)
{
    const tally_t tally = tally_file(file);
    for (int i = 0; i < writers; i++)
        assert_int_equal(tally.of[i], each);
    assert_int_equal(tally.total, writers * each);
    assert_int_equal(tally.disorder + tally.strange + tally.torn_end + tally.dropped, 0);
}

static void dies(void **state, void (*die)(void), int signal_number)
{
    const place_t *place = *state;
    for (int writers = 1; writers <= FOUR; writers += FOUR - 1)
        for (int thread = 0; thread < 2; thread++) {
            death_t death = { .place = place, .die = die, .writers = writers, .on_a_thread = thread };
            unlink(place->file);
            assert_ends_by(signal_number, run_within_bound(die_after_logging, &death));
            assert_whole(place->file, writers, RECORDS);
        }
}

#define DEATH(name, signal_number)                                                                                     \
    static void all_lines_are_there_after_##name(void **state)                                                         \
    {                                                                                                                  \
        dies(state, die_of_##name, signal_number);                                                                     \
    }

DEATH(segv, SIGSEGV)
DEATH(abort, SIGABRT)
DEATH(overflow, SIGSEGV)
DEATH(bus, SIGBUS)
DEATH(ill, SIGILL)
DEATH(fpe, SIGFPE)
DEATH(a_signal_from_outside, SIGSEGV)

/* ---- At any moment: what had returned is there, nothing is there twice ---- */

typedef struct moment {
    const place_t *place;
    long pause_us;
    atomic_long *returned; /* of each writer: shared with the test */
} moment_t;

typedef struct endless {
    step_log_t *log;
    int me;
    atomic_long *returned;
} endless_t;

static void *log_for_ever(void *argument)
{
    endless_t *writer = argument;
    for (long i = 0;; i++) {
        put_record(writer->log, writer->me, i);
        atomic_store_explicit(writer->returned, i + 1, memory_order_release);
    }
    return NULL;
}

/* The others go on while one dies: only what they logged before it counts. */
static void die_meanwhile(void *argument)
{
    static endless_t writers[FOUR];
    moment_t *moment = argument;
    pthread_t thread;
    install();
    step_log_t *log = open_file_log(moment->place->file);
    for (int i = 0; i < FOUR; i++) {
        writers[i] = (endless_t){ .log = log, .me = i, .returned = &moment->returned[i] };
        CHECK(pthread_create(&thread, NULL, log_for_ever, &writers[i]) == 0);
    }
    usleep((useconds_t)moment->pause_us);
    for (int i = 0; i < FOUR; i++)
        moment->returned[FOUR + i] = moment->returned[i];
    die_of_segv();
}

static void what_had_returned_is_there(void **state)
{
    const place_t *place = *state;
    moment_t moment = { .place = place };
    moment.returned = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(moment.returned != MAP_FAILED);
    for (int round = 0; round < 20; round++) {
        moment.pause_us = round * 1700 % 20000;
        unlink(place->file);
        memset(moment.returned, 0, 4096);
        assert_ends_by(SIGSEGV, run_within_bound(die_meanwhile, &moment));
        const tally_t tally = tally_file(place->file);
        for (int i = 0; i < FOUR; i++) {
            assert_true(tally.of[i] >= moment.returned[FOUR + i]);
            assert_true(tally.of[i] == 0 || tally.last[i] == tally.of[i] - 1);
        }
        assert_int_equal(tally.disorder + tally.strange, 0);
    }
    munmap(moment.returned, 4096);
}

/* ---- Two at once ---- */

static pthread_barrier_t together;

static void *die_together(void *die)
{
    pthread_barrier_wait(&together);
    ((void (*)(void))(uintptr_t)die)();
    return NULL;
}

static void die_twice(void *place)
{
    pthread_t first, second;
    install();
    step_log_t *log = open_file_log(((place_t *)place)->file);
    for (long i = 0; i < RECORDS; i++)
        put_record(log, 0, i);
    CHECK(pthread_barrier_init(&together, NULL, 2) == 0);
    CHECK(pthread_create(&first, NULL, die_together, (void *)(uintptr_t)die_of_segv) == 0);
    CHECK(pthread_create(&second, NULL, die_together, (void *)(uintptr_t)die_of_ill) == 0);
    pthread_join(first, NULL);
    CHECK(false);
}

static void two_faults_at_once_write_once(void **state)
{
    const place_t *place = *state;
    for (int round = 0; round < 10; round++) {
        unlink(place->file);
        const int status = run_within_bound(die_twice, *state);
        assert_true(WIFSIGNALED(status) && (WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGILL));
        assert_whole(place->file, 1, RECORDS);
    }
}

/* ---- Faults where they hurt ---- */

static atomic_bool may_fault;

static int fault_in_callback(void *ctx, const char *bytes, size_t length)
{
    (void)ctx, (void)bytes, (void)length;
    while (!atomic_load(&may_fault))
        ;
    die_of_segv();
    return 0;
}

static const step_sink_ops_t faulty = { .size = sizeof(faulty), .write = fault_in_callback };

static void die_in_a_sink(void *place)
{
    install();
    step_log_t *log = open_log(NULL);
    add_output(log, step_sink_custom(&faulty, NULL), step_format_text());
    add_output(log, step_sink_file(((place_t *)place)->file), step_format_text());
    for (long i = 0; i < RECORDS; i++)
        put_record(log, 0, i);
    atomic_store(&may_fault, true);
    sleep_ms(20000);
}

/* The other output has what was logged before. */
static void a_fault_in_a_sink_ends_it(void **state)
{
    const place_t *place = *state;
    assert_ends_by(SIGSEGV, run_within_bound(die_in_a_sink, *state));
    assert_whole(place->file, 1, RECORDS);
}

/* Here the thread that logs is the backend, with its lock taken. */
static void die_in_a_sink_of_our_own(void *place)
{
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    options.mode = STEP_MODE_SYNC;
    install();
    step_log_t *log = open_log(&options);
    add_output(log, step_sink_custom(&faulty, NULL), step_format_text());
    add_output(log, step_sink_file(((place_t *)place)->file), step_format_text());
    atomic_store(&may_fault, true);
    put_record(log, 0, 0);
}

static void a_fault_in_the_backend_ends_it(void **state)
{
    const place_t *place = *state;
    assert_ends_by(SIGSEGV, run_within_bound(die_in_a_sink_of_our_own, *state));
    assert_whole(place->file, 1, 1); /* the line was ready */
}

/* Messages alone: the backend needs no memory once it has seen one. */
static void die_in_malloc(void *place)
{
    install();
    step_log_t *log = open_file_log(((place_t *)place)->file);
    put_record(log, 0, 0);
    CHECK(step_log_flush(log, FLUSH_MS) == STEP_OK);
    for (long i = 1; i < RECORDS; i++)
        put_record(log, 0, i);
    atomic_store(&mischief, MALLOC_FAULTS);
    free(__wrap_malloc(1));
}

static void a_fault_in_malloc_costs_nothing(void **state)
{
    const place_t *place = *state;
    assert_ends_by(SIGSEGV, run_within_bound(die_in_malloc, *state));
    assert_whole(place->file, 1, RECORDS);
}

/* The backend naps, so that it is the handler who writes what comes now. */
static void die_with(void *place, mischief_t what)
{
    install();
    step_log_t *log = open_file_log(((place_t *)place)->file);
    put_record(log, 0, 0);
    CHECK(step_log_flush(log, FLUSH_MS) == STEP_OK);
    sleep_ms(100);
    is_armed = true;
    atomic_store(&mischief, what);
    put_record(log, 0, 1);
    die_of_abort();
}

static void die_with_a_fault_in_the_handler(void *place)
{
    die_with(place, WRITE_FAULTS);
}

static void die_with_a_handler_that_hangs(void *place)
{
    die_with(place, WRITE_HANGS);
}

static void a_fault_in_the_handler_ends_it(void **state)
{
    assert_ends_by(SIGABRT, run_within_bound(die_with_a_fault_in_the_handler, *state));
}

static void a_handler_that_hangs_ends(void **state)
{
    assert_ends_by(SIGABRT, run_within_bound(die_with_a_handler_that_hangs, *state));
}

/* ---- An output that takes nothing does not cost the others theirs ---- */

static void die_beside_a_full_pipe(void *place)
{
    int ends[2];
    CHECK(pipe(ends) == 0);
    install();
    step_log_t *log = open_log(NULL);
    add_output(log, step_sink_fd(ends[1]), step_format_text());
    add_output(log, step_sink_file(((place_t *)place)->file), step_format_text());
    for (long i = 0; i < 8 * RECORDS; i++) /* several times what the pipe takes */
        put_record(log, 0, i);
    die_of_segv();
}

static void a_pipe_that_nobody_reads_does_not_matter(void **state)
{
    const place_t *place = *state;
    assert_ends_by(SIGSEGV, run_within_bound(die_beside_a_full_pipe, *state));
    assert_whole(place->file, 1, 8 * RECORDS);
}

/* One that is read gets all, and so does a function of the application, on its own thread. */
static int pass_to_pipe(void *ctx, const char *bytes, size_t length)
{
    return __real_write(*(int *)ctx, bytes, length) == (ssize_t)length ? 0 : -1;
}

static void *drain_into_file(void *argument)
{
    const int *ends = argument;
    char some[4096];
    for (ssize_t n; (n = read(ends[0], some, sizeof(some))) > 0;)
        CHECK(__real_write(ends[1], some, (size_t)n) == n);
    return NULL;
}

static void die_with_a_writer_thread(int *ends, bool custom)
{
    static const step_sink_ops_t ops = { .size = sizeof(ops), .write = pass_to_pipe };
    install();
    step_log_t *log = open_log(NULL);
    add_output(log, custom ? step_sink_custom(&ops, &ends[1]) : step_sink_fd(ends[1]), step_format_text());
    put_record(log, 0, 0);
    CHECK(step_log_flush(log, FLUSH_MS) == STEP_OK);
    for (long i = 1; i < RECORDS; i++)
        put_record(log, 0, i);
    die_of_segv();
}

static void writers_go_on(void **state)
{
    const place_t *place = *state;
    for (int custom = 0; custom < 2; custom++) {
        int ends[2], status = 0;
        pthread_t reader;
        unlink(place->file);
        assert_int_equal(pipe(ends), 0);
        int files[2] = { ends[0], open(place->file, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600) };
        const pid_t child = fork();
        if (child == 0)
            die_with_a_writer_thread(ends, custom);
        close(ends[1]);
        assert_int_equal(pthread_create(&reader, NULL, drain_into_file, files), 0);
        status = wait_within(child, BOUND_SECONDS);
        pthread_join(reader, NULL);
        close(files[0]);
        close(files[1]);
        assert_ends_by(SIGSEGV, status);
        assert_whole(place->file, 1, RECORDS);
    }
}

/* ---- Whoever was there before ---- */

static siginfo_t seen;

static void see_and_exit(int signal_number, siginfo_t *info, void *context)
{
    (void)context;
    seen = *info;
    const bool is_right = signal_number == SIGSEGV && seen.si_addr == nowhere && seen.si_code == SEGV_MAPERR;
    _exit(is_right ? 42 : 43);
}

static void log_all(step_log_t *log)
{
    for (long i = 0; i < RECORDS; i++)
        put_record(log, 0, i);
}

static void handle(int signal_number, void (*handler)(int, siginfo_t *, void *))
{
    struct sigaction action = { .sa_flags = SA_SIGINFO };
    action.sa_sigaction = handler;
    CHECK(sigaction(signal_number, &action, NULL) == 0);
}

static void die_with_an_earlier_handler(void *place)
{
    signal(SIGSEGV, SIG_DFL);
    handle(SIGSEGV, see_and_exit);
    CHECK(step_log_install_crash_handler() == STEP_OK);
    CHECK(step_log_install_crash_handler() == STEP_OK);
    log_all(open_file_log(((place_t *)place)->file));
    die_of_segv();
}

static void an_earlier_handler_is_called(void **state)
{
    const place_t *place = *state;
    const int status = run_within_bound(die_with_an_earlier_handler, *state);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
    assert_whole(place->file, 1, RECORDS);
}

static sigjmp_buf back;
static atomic_int jumps;

static void jump_back(int signal_number)
{
#ifndef STEP_LOGGER_SANITIZED /* TSan blocks all signals in all handlers */
    sigset_t mask;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    CHECK(sigismember(&mask, signal_number) == 1 && sigismember(&mask, SIGUSR1) == 0);
#endif
    (void)signal_number;
    siglongjmp(back, 1);
}

static void *volatile operations[2];

/* A host that lives on: logging does, too, memory that the handler took included. */
static void jump_out_of_faults(void *place)
{
    signal(SIGSEGV, jump_back);
    CHECK(step_log_install_crash_handler() == STEP_OK);
    step_log_t *log = open_file_log(((place_t *)place)->file);
    const step_logger_options_t options = { .size = sizeof(options), .log = log, .level = STEP_LEVEL_DEBUG };
    for (long i = 0; i < RECORDS; i++) {
        put_record(log, 0, i);
        step_logger_t *op = step_logger_new_with("below the level", &options);
        operations[0] = op;
        step_logger_start(op);
        step_logger_step(op, 1, "a step whose description is of some length");
        if (i % 100 == 0 && sigsetjmp(back, 1) == 0) {
            atomic_fetch_add(&jumps, 1);
            die_of_segv();
        }
        step_logger_complete(operations[0]);
        step_logger_free(operations[0]);
    }
    CHECK(atomic_load(&jumps) == RECORDS / 100);
    CHECK(step_log_close(log) == STEP_OK);
}

static void a_process_may_live_on(void **state)
{
    const place_t *place = *state;
    assert_int_equal(run_within_bound(jump_out_of_faults, *state), 0);
    const tally_t tally = tally_file(place->file);
    assert_int_equal(tally.of[0], RECORDS);
    assert_int_equal(tally.disorder + tally.torn_end + tally.dropped, 0);
}

static void abort_is_ignored(void *place)
{
    signal(SIGABRT, SIG_IGN);
    CHECK(step_log_install_crash_handler() == STEP_OK);
    step_log_t *log = open_file_log(((place_t *)place)->file);
    put_record(log, 0, 0);
    kill(getpid(), SIGABRT);
    put_record(log, 0, 1);
}

static void what_was_ignored_stays_ignored(void **state)
{
    assert_int_equal(run_within_bound(abort_is_ignored, *state), 0);
    assert_whole(((place_t *)*state)->file, 1, 2);
}

static void ask_for_dispositions(void *place)
{
    struct sigaction action;
    stack_t before, after;
    for (size_t i = 0; i < sizeof(the_five) / sizeof(the_five[0]); i++)
        signal(the_five[i], SIG_DFL);
    CHECK(sigaltstack(NULL, &before) == 0);
    log_all(open_file_log(((place_t *)place)->file));
    for (int i = 1; i < NSIG; i++)
        CHECK(sigaction(i, NULL, &action) != 0 || action.sa_handler == SIG_DFL || (i != SIGSEGV && i != SIGABRT));
    CHECK(sigaltstack(NULL, &after) == 0 && after.ss_sp == before.ss_sp && after.ss_flags == before.ss_flags);
}

static void nobody_gets_it_who_did_not_ask(void **state)
{
    assert_survives(ask_for_dispositions, *state);
}

/* ---- What was held back ---- */

static void die_with_held_lines(void *place)
{
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    options.sample_rate = 0.0;
    options.flight_recorder_bytes = 64 * 1024;
    install();
    step_log_t *log = open_log(&options);
    add_output(log, step_sink_file(((place_t *)place)->file), step_format_text());
    const step_logger_options_t of_log = { .size = sizeof(of_log), .log = log, .total_steps = 1, .level = STEP_LEVEL_INFO };
    step_logger_t *op = step_logger_new_with("Held", &of_log);
    step_logger_start(op);
    step_logger_step(op, 1, "Trying");
    for (int i = 0; i < 100; i++)
        step_logger_message(op, STEP_LEVEL_DEBUG, "detail", step_kv("i", i));
    die_of_segv();
}

static void held_lines_come_out(void **state)
{
    const place_t *place = *state;
    assert_ends_by(SIGSEGV, run_within_bound(die_with_held_lines, *state));
    char *text = slurp(place->file, NULL);
    assert_non_null(strstr(text, "START: Held"));
    assert_non_null(strstr(text, "[1/1] Trying"));
    assert_non_null(strstr(text, "detail (i=0"));
    assert_non_null(strstr(text, "detail (i=99"));
    assert_non_null(strstr(text, "INCOMPLETE: Held (last_step=1, description=Trying, total_duration_ms="));
    free(text);
}

/* ---- Children ---- */

static void die_in_a_child(void *place)
{
    install();
    step_log_t *log = open_file_log(((place_t *)place)->file);
    put_record(log, 1, 0);
    const pid_t child = fork_child();
    if (child == 0) {
        log_all(log);
        die_of_abort();
    }
    const int status = wait_within(child, BOUND_SECONDS);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void a_forked_child_has_it_too(void **state)
{
    assert_survives(die_in_a_child, *state);
    const tally_t tally = tally_file(((place_t *)*state)->file);
    assert_int_equal(tally.of[0], RECORDS);
    assert_int_equal(tally.of[1], 1);
    assert_int_equal(tally.disorder + tally.strange + tally.torn_end, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(all_lines_are_there_after_segv),
        PLACE_TEST(all_lines_are_there_after_abort),
        PLACE_TEST(all_lines_are_there_after_overflow),
        PLACE_TEST(all_lines_are_there_after_bus),
        PLACE_TEST(all_lines_are_there_after_ill),
        PLACE_TEST(all_lines_are_there_after_fpe),
        PLACE_TEST(all_lines_are_there_after_a_signal_from_outside),
        PLACE_TEST(what_had_returned_is_there),
        PLACE_TEST(two_faults_at_once_write_once),
        PLACE_TEST(a_fault_in_a_sink_ends_it),
        PLACE_TEST(a_fault_in_the_backend_ends_it),
        PLACE_TEST(a_fault_in_malloc_costs_nothing),
        PLACE_TEST(a_fault_in_the_handler_ends_it),
        PLACE_TEST(a_handler_that_hangs_ends),
        PLACE_TEST(a_pipe_that_nobody_reads_does_not_matter),
        PLACE_TEST(writers_go_on),
        PLACE_TEST(an_earlier_handler_is_called),
        PLACE_TEST(a_process_may_live_on),
        PLACE_TEST(what_was_ignored_stays_ignored),
        PLACE_TEST(nobody_gets_it_who_did_not_ask),
        PLACE_TEST(held_lines_come_out),
        PLACE_TEST(a_forked_child_has_it_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
