/* fork() in the worst moments: while other threads log, hang in a sink or make the default log, out of a sink, out of a signal
 * handler. The child never waits for a thread that it does not have. */
/* wrap: secure_getenv */
#include "fault.h"

#ifdef STEP_LOGGER_SANITIZED /* see main() */
#pragma GCC diagnostic ignored "-Wunused-function"
#endif

#include <sys/time.h>

enum { FORKS = 200 / SLOWER, OF_CHILD = 5, FIRST_CHILD = 16 };

static const char *file_in(void *place)
{
    return ((place_t *)place)->file;
}

static void check_tally(const char *path, int writer, long lines)
{
    const tally_t tally = tally_file(path);
    if (tally.of[writer] != lines || tally.disorder + tally.strange + tally.dropped + tally.torn_end != 0)
        dprintf(2, "writer %d: %ld lines of %ld; disorder %ld, strange %ld, dropped %ld, torn %d\n", writer,
                tally.of[writer], lines, tally.disorder, tally.strange, tally.dropped, tally.torn_end);
    CHECK(tally.of[writer] == lines);
    CHECK(tally.disorder + tally.strange + tally.dropped + tally.torn_end == 0);
}

static void log_some(step_log_t *log, int number)
{
    for (long i = 0; i < OF_CHILD; i++)
        put_record(log, FIRST_CHILD + number, i);
}

static void log_and_flush(step_log_t *log, int number)
{
    log_some(log, number);
    CHECK(step_log_flush(log, FLUSH_MS) == STEP_OK);
    CHECK(check_oracle(log).written == OF_CHILD);
    _exit(0);
}

/* What a child does: every other one relies on exit(). */
static void log_and_leave(step_log_t *log, int number)
{
    if (number % 2 == 1)
        log_and_flush(log, number);
    log_some(log, number);
    exit(0);
}

/* ---- While four threads log ---- */

#ifdef STEP_LOGGER_SANITIZED /* see fork_child(), for which there is no time here */
enum { CHILDREN_LOG = 0 };
#else
enum { CHILDREN_LOG = 1 };
#endif

static void fork_under_writers(void *place)
{
    /* with rests: how many lines there are to look at must not depend on how long the forks take */
    writers_t busy = { .log = open_file_log(file_in(place)), .count = 4, .burst = 500 };
    start_writers(&busy);
    for (int i = 0; i < FORKS; i++) {
        const pid_t child = fork_child();
        if (child == 0 && CHILDREN_LOG)
            log_and_leave(busy.log, i);
        if (child == 0)
            _exit(0);
        CHECK(wait_within(child, 20) == 0);
    }
    atomic_store(&busy.stop, true);
    join_writers(&busy);
    CHECK(step_log_flush(busy.log, FLUSH_MS) == STEP_OK);
    CHECK(check_oracle(busy.log).written == (uint64_t)atomic_load(&busy.made));
    const tally_t tally = tally_file(file_in(place));
    CHECK(tally.of[0] + tally.of[1] + tally.of[2] + tally.of[3] == atomic_load(&busy.made));
    CHECK(tally.disorder + tally.strange + tally.dropped + tally.torn_end == 0);
    for (int i = 0; i < FORKS; i++)
        CHECK(tally.of[FIRST_CHILD + i] == OF_CHILD * CHILDREN_LOG);
}

static void nothing_is_lost_twice_or_torn(void **state)
{
    assert_survives(fork_under_writers, *state);
}

/* ---- Out of a sink ---- */

typedef struct forking_sink {
    step_log_t *log;
    pid_t parent;
    int forks;
    bool returns; /* the child goes on as if nothing had happened */
} forking_sink_t;

static int fork_in_write(void *ctx, const char *bytes, size_t length)
{
    forking_sink_t *sink = ctx;
    (void)bytes;
    (void)length;
    if (getpid() != sink->parent || sink->forks == 4)
        return 0;
    const pid_t child = fork_child();
    if (child == 0 && sink->returns)
        return 0;
    if (child == 0)
        log_and_leave(sink->log, sink->forks);
    CHECK(wait_within(child, 20) == 0);
    sink->forks++;
    return 0;
}

static void fork_out_of_a_sink(const char *path, uint32_t mode, bool returns)
{
    static const step_sink_ops_t ops = { .size = sizeof(ops), .write = fork_in_write };
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    options.mode = mode;
    forking_sink_t sink = { .log = open_log(&options), .parent = getpid(), .returns = returns };
    add_output(sink.log, step_sink_file(path), step_format_text());
    add_output(sink.log, step_sink_custom(&ops, &sink), step_format_text());
    for (long i = 0; i < 6; i++) {
        put_record(sink.log, 0, i);
        CHECK(step_log_flush(sink.log, FLUSH_MS) == STEP_OK);
    }
    CHECK(sink.forks == 4);
    CHECK(check_oracle(sink.log).written == 6);
    check_tally(path, 0, 6);
    for (int i = 0; i < 4; i++)
        check_tally(path, FIRST_CHILD + i, returns ? 0 : OF_CHILD);
}

static void fork_out_of_a_queued_sink(void *place)
{
    fork_out_of_a_sink(file_in(place), STEP_MODE_ASYNC, false);
}

static void fork_out_of_a_direct_sink(void *place)
{
    fork_out_of_a_sink(file_in(place), STEP_MODE_SYNC, false);
}

/* The child has no thread but the writer's, and ends with it. */
static void return_from_a_queued_sink(void *place)
{
    fork_out_of_a_sink(file_in(place), STEP_MODE_ASYNC, true);
}

static void a_child_of_a_sink_may_log(void **state)
{
    assert_survives(fork_out_of_a_queued_sink, *state);
    unlink(file_in(*state));
    assert_survives(fork_out_of_a_direct_sink, *state);
}

static void a_child_of_a_sink_may_return_from_it(void **state)
{
    assert_survives(return_from_a_queued_sink, *state);
}

/* ---- While another thread hangs in a sink ---- */

static int hang_in_parent(void *ctx, const char *bytes, size_t length)
{
    const pid_t parent = *(const pid_t *)ctx;
    (void)bytes;
    (void)length;
    while (getpid() == parent)
        sleep_ms(100);
    return 0;
}

static void *log_one(void *log)
{
    put_record(log, 0, 0);
    return NULL;
}

static void fork_under_a_hanging_sink(void *place)
{
    static const step_sink_ops_t ops = { .size = sizeof(ops), .write = hang_in_parent };
    pid_t me = getpid();
    pthread_t thread;
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    options.mode = STEP_MODE_SYNC;
    step_log_t *log = open_log(&options);
    add_output(log, step_sink_file(file_in(place)), step_format_text());
    add_output(log, step_sink_custom(&ops, &me), step_format_text());
    CHECK(pthread_create(&thread, NULL, log_one, log) == 0);
    sleep_ms(100);
    for (int i = 0; i < 4; i++) {
        const pid_t child = fork_child();
        if (child == 0)
            log_and_leave(log, i);
        CHECK(wait_within(child, 20) == 0);
        check_tally(file_in(place), FIRST_CHILD + i, OF_CHILD);
    }
    _exit(0);
}

static void a_hanging_sink_holds_up_no_fork(void **state)
{
    assert_survives(fork_under_a_hanging_sink, *state);
}

/* ---- While another thread makes the default log ---- */

char *__real_secure_getenv(const char *name);
char *__wrap_secure_getenv(const char *name);

static atomic_int holding; /* 1: the next one to read the environment waits, 2: it does */
static pid_t held_process;

char *__wrap_secure_getenv(const char *name)
{
    int wanted = 1;
    if (getpid() == held_process && atomic_compare_exchange_strong(&holding, &wanted, 2))
        while (atomic_load(&holding) == 2)
            sleep_ms(1);
    return __real_secure_getenv(name);
}

static void *make_default(void *argument)
{
    step_info("w", step_kv("t", 0), step_kv("n", 0));
    return argument;
}

static void fork_while_the_default_log_is_made(void *place)
{
    char variable[256];
    pthread_t thread;
    snprintf(variable, sizeof(variable), "file:%s", file_in(place));
    setenv("STEP_LOGGER_OUTPUT", variable, 1);
    unsetenv("LOG_LEVEL");
    held_process = getpid();
    atomic_store(&holding, 1);
    CHECK(pthread_create(&thread, NULL, make_default, NULL) == 0);
    CHECK_SOON(atomic_load(&holding) == 2);
    const pid_t child = fork_child();
    if (child == 0) {
        step_info("w", step_kv("t", 1), step_kv("n", 0));
        exit(0);
    }
    CHECK(wait_within(child, 20) == 0);
    atomic_store(&holding, 0);
    pthread_join(thread, NULL);
    CHECK(step_log_flush(NULL, FLUSH_MS) == STEP_OK);
    check_tally(file_in(place), 0, 1);
    check_tally(file_in(place), 1, 1);
}

static void a_child_makes_a_default_log_of_its_own(void **state)
{
    assert_survives(fork_while_the_default_log_is_made, *state);
}

/* ---- Out of a signal handler ---- */

enum { HANDLER_FORKS = 50 };

static step_log_t *forking_log;
static volatile sig_atomic_t handled;
static pid_t children[HANDLER_FORKS];

static void fork_in_handler(int number)
{
    const int saved = errno;
    (void)number;
    if (handled < HANDLER_FORKS) {
        children[handled] = fork();
        if (children[handled] == 0)
            log_and_flush(forking_log, handled);
        handled = handled + 1;
    }
    errno = saved;
}

static void fork_out_of_a_handler(void *place)
{
    const struct itimerval often = { .it_interval.tv_usec = 2000, .it_value.tv_usec = 2000 };
    const struct itimerval never = { .it_value = { 0 } };
    const struct sigaction action = { .sa_handler = fork_in_handler, .sa_flags = SA_RESTART };
    forking_log = open_file_log(file_in(place));
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    setitimer(ITIMER_REAL, &often, NULL);
    long made = 0;
    while (handled < HANDLER_FORKS)
        put_record(forking_log, 0, made++);
    setitimer(ITIMER_REAL, &never, NULL);
    for (int i = 0; i < HANDLER_FORKS; i++)
        CHECK(children[i] > 0 && wait_within(children[i], 20) == 0);
    CHECK(step_log_flush(forking_log, FLUSH_MS) == STEP_OK);
    check_oracle(forking_log);
    check_tally(file_in(place), 0, made);
}

static void a_handler_may_fork(void **state)
{
    assert_survives(fork_out_of_a_handler, *state);
}

#ifdef STEP_LOGGER_SANITIZED

/* TSan ends a child that starts a thread, and what these do is a matter of moments that sanitizers change. */
static void forks_of_busy_processes(void **state)
{
    (void)state;
    skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(forks_of_busy_processes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(nothing_is_lost_twice_or_torn),
        PLACE_TEST(a_child_of_a_sink_may_log),
        PLACE_TEST(a_child_of_a_sink_may_return_from_it),
        PLACE_TEST(a_hanging_sink_holds_up_no_fork),
        PLACE_TEST(a_child_makes_a_default_log_of_its_own),
        PLACE_TEST(a_handler_may_fork),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
