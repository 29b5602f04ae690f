/* Forked processes and the crash ring: each has rings of its own; who dies is recovered, who lives is left alone, and no child touches what
 * is its parent's. */
#include "fault/killed.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>

enum { ROUNDS = 60 / SLOWER, WRITERS = 3, NUMBERS = 4 << 20 };

/* ---- Records with numbers, by writers that are told by theirs ---- */

static void write_for_ever(victim_t *victim, step_log_t *log, int writer)
{
    for (long n = 0; n < NUMBERS - 1; n++) {
        put_record(log, writer, n);
        atomic_store(&victim->words->inner[writer], n + 1);
    }
    pause();
}

/* A file that several processes write to may hold a record twice, and a line behind one that was torn by a death is glued to it: what counts
 * is that each record is there. */
typedef struct marks {
    uint8_t *is_there[WRITERS];
    long of[WRITERS], twice;
} marks_t;

static void note_records(const char *line, void *argument)
{
    marks_t *marks = argument;
    int writer;
    long n;
    for (const char *at = line; (at = strstr(at, "[INFO] w (t=")) != NULL; at++) {
        int length = 0;
        if (sscanf(at, "[INFO] w (t=%d, n=%ld%n", &writer, &n, &length) != 2 ||
            (at[length] != ')' && at[length] != ',') || writer < 0 || writer >= WRITERS || n < 0 || n >= NUMBERS)
            continue;
        marks->twice += marks->is_there[writer][n];
        marks->of[writer] += marks->is_there[writer][n] == 0;
        marks->is_there[writer][n] = 1;
    }
}

static marks_t read_marks(const victim_t *victim)
{
    marks_t marks = { .twice = 0 };
    for (int i = 0; i < WRITERS; i++)
        assert_non_null(marks.is_there[i] = calloc(1, NUMBERS));
    for_each_line(victim->place->file, note_records, &marks);
    for (int i = 0; i < WRITERS; i++)
        free(marks.is_there[i]);
    return marks;
}

static void check_writer(const victim_t *victim, const marks_t *marks, int writer)
{
    const long returned = atomic_load(&victim->words->inner[writer]);
    assert_in_range(returned, 1, NUMBERS - 1);
    assert_in_range(marks->of[writer], returned, returned + 1);
    assert_in_range(marks->twice, 0, 4096); /* at most a block */
}

/* The parent is writer 0, its child writer 1. */
static void be_two(victim_t *victim)
{
    step_log_t *log = victim_log_with_file(victim);
    put_record(log, 2, 0); /* there is a ring before the fork */
    const pid_t child = fork_child();
    if (child == 0) {
        alarm(2 * VICTIM_SECONDS);
        write_for_ever(victim, log, 1);
    }
    atomic_store(&victim->words->pids[1], child);
    for (long n = 0; n < NUMBERS - 1; n++) {
        put_record(log, 0, n);
        atomic_store(&victim->words->inner[0], n + 1);
        if (atomic_load(&victim->words->inner[1]) > 0)
            atomic_store(&victim->words->ready, 1);
    }
    pause();
}

/* Its parent is dead, and so it is ours. */
static void kill_grandchild(const victim_t *victim)
{
    const pid_t child = (pid_t)atomic_load(&victim->words->pids[1]);
    assert_true(child > 0);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void parent_and_child_are_killed(void **state)
{
    victim_t *victim = *state;
    for (int round = 0; round < ROUNDS; round++) {
        unlink(victim->place->file);
        const pid_t parent = victim_start(victim, be_two);
        victim_kill(victim, parent, rand() % 5000);
        kill_grandchild(victim);
        const step_recovery_t recovery = recover_into(victim, victim->place->file, 0);
        assert_int_equal(recovery.processes, 2);
        assert_int_equal(recovery.live, 0);
        const marks_t marks = read_marks(victim);
        check_writer(victim, &marks, 0);
        check_writer(victim, &marks, 1);
        assert_true(rings_are_gone(victim));
    }
}

static void a_child_that_lives_on_is_left_alone(void **state)
{
    victim_t *victim = *state;
    unlink(victim->place->file);
    const pid_t parent = victim_start(victim, be_two);
    victim_kill(victim, parent, 2000);
    const step_recovery_t first = recover_into(victim, victim->place->file, 0);
    assert_int_equal(first.processes, 1);
    assert_int_equal(first.live, 1);
    const marks_t between = read_marks(victim);
    check_writer(victim, &between, 0);
    const long then = atomic_load(&victim->words->inner[1]);
    for (int i = 0; i < 10000 && atomic_load(&victim->words->inner[1]) < then + 1000; i++)
        sleep_ms(1);
    kill_grandchild(victim);
    const step_recovery_t second = recover_into(victim, victim->place->file, 0);
    assert_int_equal(second.processes, 1);
    const marks_t marks = read_marks(victim);
    check_writer(victim, &marks, 0);
    check_writer(victim, &marks, 1);
    assert_true(rings_are_gone(victim));
}

static void a_parent_that_lives_on_is_left_alone(void **state)
{
    victim_t *victim = *state;
    const pid_t parent = victim_start(victim, be_two);
    for (int i = 0; i < 20000 && atomic_load(&victim->words->ready) == 0; i++)
        sleep_ms(1);
    kill((pid_t)atomic_load(&victim->words->pids[1]), SIGKILL); /* its parent, which is busy, lets it lie */
    step_recovery_t first = { .processes = 0 };
    for (int i = 0; i < 1000 && first.processes == 0; i++) {
        sleep_ms(1);
        first = recover_into(victim, victim->place->file, 0);
    }
    assert_int_equal(first.processes, 1);
    assert_int_equal(first.live, 1);
    victim_kill(victim, parent, 1000);
    const step_recovery_t second = recover_into(victim, victim->place->file, 0);
    assert_int_equal(second.processes, 1);
    const marks_t marks = read_marks(victim);
    check_writer(victim, &marks, 0);
    check_writer(victim, &marks, 1);
}

/* ---- What a child must not do to its parent's files ---- */

static void count_named(const char *line, void *argument)
{
    int *named = argument;
    if (strstr(line, "✅ [1/1] Fetching - SUCCESS (") != NULL && strstr(line, "who=parent") != NULL)
        (*named)++;
    else if (strstr(line, "SUCCESS") != NULL)
        print_error("without its names: %s\n", line);
}

static atomic_bool is_shut; /* from now on nothing is written */

static int take_all(void *ctx, const char *bytes, size_t len)
{
    (void)ctx;
    (void)bytes;
    (void)len;
    while (atomic_load(&is_shut))
        sleep_ms(1);
    return 0;
}

#ifdef __SANITIZE_THREAD__
enum { WAYS = 1 }; /* it knows of no child but fork()'s */
#else
enum { WAYS = 3 };
#endif

/* Names are kept in the store, behind records that are long written; then there are children, by every way. */
static void have_children_in_a_step(victim_t *victim)
{
    const step_sink_ops_t ops = { .size = sizeof(ops), .write = take_all };
    step_log_t *log = victim_log(victim);
    add_output(log, step_sink_custom(&ops, NULL), step_format_text());
    step_log_bind(log, step_kv("who", "parent"));
    step_logger_t *op = step_logger_new("Job", 1);
    step_logger_start(op);
    step_logger_step(op, 1, "Fetching");
    CHECK(step_log_flush(log, FLUSH_MS) == STEP_OK);
    for (int way = 0; way < WAYS; way++) {
        const pid_t child = way == 0   ? fork()
                            : way == 1 ? _Fork()
                                       : (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
        CHECK(child >= 0);
        if (child == 0) {
            put_record(log, 1, way);
            step_log_flush(log, FLUSH_MS);
            _exit(0);
        }
        CHECK(wait_within(child, VICTIM_SECONDS) == 0);
    }
    step_logger_attach(NULL);
    for (long n = 0; n < 20000; n++) /* in flight, names are soon written over */
        put_record(log, 0, n);
    CHECK(step_log_flush(log, FLUSH_MS) == STEP_OK);
    atomic_store(&is_shut, true);
    step_logger_success(op);
    atomic_store(&victim->words->ready, 1);
    for (;;)
        pause();
}

static void a_child_leaves_its_parents_names_alone(void **state)
{
    victim_t *victim = *state;
    int named = 0;
    victim_die(victim, have_children_in_a_step, 0);
    recover_into(victim, victim->place->file, 0);
    for_each_line(victim->place->file, count_named, &named);
    assert_int_equal(named, 1);
}

/* ---- fork() in a signal handler, on top of whatever the thread was doing ---- */

static volatile sig_atomic_t is_child;
static volatile sig_atomic_t children;
enum { CHILDREN = 20 }; /* where all is slow they would pile up */

static void fork_here(int signal_number)
{
    (void)signal_number;
    if (is_child || children >= CHILDREN)
        return;
    const int saved = errno;
    const pid_t child = fork();
    if (child == 0)
        is_child = 1;
    else if (child > 0)
        children++;
    errno = saved;
}

static void fork_in_handlers(victim_t *victim)
{
    step_log_t *log = victim_log_with_file(victim);
    const struct itimerval often = { { 0, 3000 }, { 0, 3000 } };
    signal(SIGCHLD, SIG_IGN);
    CHECK(signal(SIGALRM, fork_here) != SIG_ERR && setitimer(ITIMER_REAL, &often, NULL) == 0);
    for (long n = 0;; n++) {
        put_record(log, 0, n);
        if (is_child)
            _exit(0); /* the call in whose middle it was born has ended */
        atomic_store(&victim->words->inner[0], n + 1);
        if (n % 2000 == 0) /* a child that waits for room in a ring that nobody reads is patient */
            usleep(200);
        if (children >= CHILDREN)
            atomic_store(&victim->words->ready, 1);
    }
}

/* A child ends the call in whose middle it was born, and may well say the same once more: nothing may be missing. */
static void a_fork_on_top_of_a_call(void **state)
{
    victim_t *victim = *state;
    for (int round = 0; round < 3; round++) {
        unlink(victim->place->file);
        victim_die(victim, fork_in_handlers, 1000);
        sleep_ms(50); /* a child may be about to end */
        const step_recovery_t recovery = recover_into(victim, victim->place->file, 0);
        assert_true(recovery.processes >= 1);
        assert_int_equal(recovery.damaged, 0);
        const marks_t marks = read_marks(victim);
        const long returned = atomic_load(&victim->words->inner[0]);
        assert_in_range(marks.of[0], returned, returned + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        VICTIM_TEST(parent_and_child_are_killed),
        VICTIM_TEST(a_child_that_lives_on_is_left_alone),
        VICTIM_TEST(a_parent_that_lives_on_is_left_alone),
        VICTIM_TEST(a_child_leaves_its_parents_names_alone),
        VICTIM_TEST(a_fork_on_top_of_a_call),
    };
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
