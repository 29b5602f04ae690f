/* Fork: what was pending is the parent's and comes once; the child logs on its own; nobody waits for a thread that is not there. */
#include "fault.h"

#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BEFORE = 20000 / SLOWER, AFTER = 1000, OF_A_CHILD = 100, FORKS = 100 / SLOWER };

static const char *file_in(void *place)
{
    return ((place_t *)place)->file;
}

static void put_many(step_log_t *log, int writer, long from, long count)
{
    for (long i = from; i < from + count; i++)
        put_record(log, writer, i);
}

/* The parent's records before and after it, the child between them. */
static void fork_in_between(void *place, void (*child)(step_log_t *log))
{
    step_log_t *log = open_file_log(file_in(place));
    put_many(log, 0, 0, BEFORE);
    const pid_t pid = fork_child();
    if (pid == 0)
        child(log);
    put_many(log, 0, BEFORE, AFTER);
    CHECK(wait_within(pid, 30) == 0);
    CHECK(step_log_close(log) == STEP_OK);
}

/* TSan ends a child of a process with threads as soon as it starts one. */
static void check_file(void **state, scenario_t scenario, long of_parent, long of_child)
{
#ifdef __SANITIZE_THREAD__
    (void)scenario;
    skip();
#endif
    assert_survives(scenario, *state);
    const tally_t tally = tally_file(file_in(*state));
    assert_int_equal(tally.of[0], of_parent);
    assert_int_equal(tally.of[1], of_child);
    assert_int_equal(tally.total, of_parent + of_child);
    assert_int_equal(tally.disorder + tally.strange + tally.torn_end + tally.dropped, 0);
}

/* A child leaves alone what another thread of its parent was at work on: that is no leak of a process that goes on. */
#ifdef __SANITIZE_ADDRESS__
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
    return 1;
}
#endif

/* ---- A child that does nothing ---- */

static void leave(step_log_t *log)
{
    (void)log;
    _exit(0);
}

static void leave_by_exit(step_log_t *log)
{
    (void)log;
    exit(0);
}

static void become_another_program(step_log_t *log)
{
    (void)log;
    execl("/bin/true", "true", (char *)NULL);
    _exit(1);
}

static void close_and_leave(step_log_t *log)
{
    _exit(step_log_close(log) == STEP_OK ? 0 : 1);
}

static void with_a_child_that_leaves(void *place)
{
    fork_in_between(place, leave);
}

static void with_a_child_that_exits(void *place)
{
    fork_in_between(place, leave_by_exit);
}

static void with_a_child_that_executes(void *place)
{
    fork_in_between(place, become_another_program);
}

static void with_a_child_that_closes(void *place)
{
    fork_in_between(place, close_and_leave);
}

static void pending_lines_come_once(void **state)
{
    check_file(state, with_a_child_that_leaves, BEFORE + AFTER, 0);
}

static void also_when_the_child_exits(void **state)
{
    check_file(state, with_a_child_that_exits, BEFORE + AFTER, 0);
}

static void also_when_the_child_executes(void **state)
{
    check_file(state, with_a_child_that_executes, BEFORE + AFTER, 0);
}

static void also_when_the_child_closes(void **state)
{
    check_file(state, with_a_child_that_closes, BEFORE + AFTER, 0);
}

/* ---- A child that logs ---- */

static void log_in_child(step_log_t *log)
{
    put_many(log, 1, 0, OF_A_CHILD);
    exit(0);
}

static void with_a_child_that_logs(void *place)
{
    fork_in_between(place, log_in_child);
}

static void a_child_logs_by_itself(void **state)
{
    check_file(state, with_a_child_that_logs, BEFORE + AFTER, OF_A_CHILD);
}

static void log_in_grandchild(step_log_t *log)
{
    put_many(log, 1, 0, OF_A_CHILD / 2);
    const pid_t pid = fork_child();
    if (pid == 0) {
        put_many(log, 2, 0, OF_A_CHILD);
        exit(0);
    }
    CHECK(wait_within(pid, 30) == 0);
    put_many(log, 1, OF_A_CHILD / 2, OF_A_CHILD / 2);
    exit(0);
}

static void with_a_grandchild(void *place)
{
    fork_in_between(place, log_in_grandchild);
}

static void grandchildren_log_by_themselves(void **state)
{
#ifdef __SANITIZE_THREAD__
    skip();
#endif
    assert_survives(with_a_grandchild, *state);
    const tally_t tally = tally_file(file_in(*state));
    assert_int_equal(tally.of[0], BEFORE + AFTER);
    assert_int_equal(tally.of[1], OF_A_CHILD);
    assert_int_equal(tally.of[2], OF_A_CHILD);
    assert_int_equal(tally.disorder + tally.strange + tally.torn_end + tally.dropped, 0);
}

/* ---- A fork that no handler hears of ---- */

static void with_a_raw_clone(void *place)
{
    step_log_t *log = open_file_log(file_in(place));
    put_many(log, 0, 0, BEFORE);
    const pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0) {
        put_many(log, 1, 0, OF_A_CHILD);
        _exit(step_log_flush(log, FLUSH_MS) == STEP_OK ? 0 : 1);
    }
    put_many(log, 0, BEFORE, AFTER);
    CHECK(wait_within(pid, 30) == 0);
    CHECK(step_log_close(log) == STEP_OK);
}

static void a_raw_clone_is_noticed(void **state)
{
    check_file(state, with_a_raw_clone, BEFORE + AFTER, OF_A_CHILD);
}

/* ---- Forks while others log ---- */

static void fork_under_load(void *place)
{
    writers_t writers = { .log = open_file_log(file_in(place)), .first = 10, .count = 4, .burst = 500 };
    start_writers(&writers);
    for (int i = 0; i < FORKS; i++) {
        const pid_t pid = fork_child();
        if (pid == 0) {
            put_many(writers.log, 100 + i, 0, OF_A_CHILD);
            exit(0);
        }
        CHECK(wait_within(pid, 30) == 0);
    }
    atomic_store(&writers.stop, true);
    join_writers(&writers);
    CHECK(step_log_flush(writers.log, FLUSH_MS) == STEP_OK);
    check_oracle(writers.log);
    CHECK(tally_file(file_in(place)).total == atomic_load(&writers.made) + (long)FORKS * OF_A_CHILD);
    CHECK(step_log_close(writers.log) == STEP_OK);
}

static void forks_under_load(void **state)
{
#ifdef __SANITIZE_THREAD__
    skip();
#endif
    assert_survives(fork_under_load, *state);
    const tally_t tally = tally_file(file_in(*state));
    for (int i = 0; i < FORKS; i++)
        assert_int_equal(tally.of[100 + i], OF_A_CHILD);
    assert_int_equal(tally.disorder + tally.strange + tally.torn_end + tally.dropped, 0);
}

/* ---- A fork in a sink ---- */

static int fork_and_write(void *ctx, const char *bytes, size_t length)
{
    const pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    (void)bytes, (void)length;
    if (pid < 0 || wait_within(pid, 30) != 0)
        return -1;
    (*(atomic_int *)ctx)++;
    return 0;
}

static void fork_in_a_sink(void *place)
{
    static atomic_int written;
    static const step_sink_ops_t ops = { .size = sizeof(ops), .write = fork_and_write };
    step_log_t *log = open_file_log(file_in(place));
    add_output(log, step_sink_custom(&ops, &written), step_format_text());
    for (long i = 0; i < 20; i++) {
        put_record(log, 0, i);
        CHECK(step_log_flush(log, FLUSH_MS) == STEP_OK);
    }
    CHECK(atomic_load(&written) == 20);
    CHECK(step_log_close(log) == STEP_OK);
}

static void a_sink_may_fork(void **state)
{
    check_file(state, fork_in_a_sink, 20, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(pending_lines_come_once),
        PLACE_TEST(also_when_the_child_exits),
        PLACE_TEST(also_when_the_child_executes),
        PLACE_TEST(also_when_the_child_closes),
        PLACE_TEST(a_child_logs_by_itself),
        PLACE_TEST(grandchildren_log_by_themselves),
        PLACE_TEST(a_raw_clone_is_noticed),
        PLACE_TEST(forks_under_load),
        PLACE_TEST(a_sink_may_fork),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
