/* step_log_close() against everything else, and who makes the default log. */
#include "core_support.h"

#include <sys/wait.h>
#include <unistd.h>

/* ---- Close against calls of all kinds on the same log ---- */

#if defined(STEP_LOGGER_SANITIZED) && !defined(__SANITIZE_THREAD__) /* under valgrind too, where a life takes seconds */
enum { LIVES = 30 };
#else
enum { LIVES = 150 };
#endif

static step_log_t *_Atomic current_log; /* its structure is used again in each life */
static _Atomic int over;

static void *add_outputs(void *argument)
{
    (void)argument;
    while (over == 0)
        step_log_add_output(current_log, step_sink_memory(1000), step_format_text(), 0);
    return NULL;
}

static void *reopen_and_flush(void *argument)
{
    (void)argument;
    while (over == 0) {
        step_log_reopen(current_log);
        step_log_flush(current_log, 1000);
    }
    return NULL;
}

static void *count(void *argument)
{
    (void)argument;
    while (over == 0) {
        step_stats_t stats = { .size = sizeof(stats) };
        step_log_stats(current_log, &stats);
        step_log_set_level(current_log, STEP_LEVEL_INFO);
    }
    return NULL;
}

static void *log_once(void *argument)
{
    (void)argument;
    step_log_message(current_log, STEP_LEVEL_INFO, "a thread's first");
    return NULL;
}

static void *log_from_new_threads(void *argument)
{
    while (over == 0) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, log_once, NULL) == 0)
            pthread_join(thread, NULL);
    }
    return argument;
}

static void *set_default(void *argument)
{
    while (over == 0)
        step_log_set_default(current_log);
    return argument;
}

static void close_waits_for_whoever_uses_the_log(void **state)
{
    (void)state;
    void *(*const bodies[])(void *) = { add_outputs, reopen_and_flush, count, log_from_new_threads, set_default };
    pthread_t threads[COUNT(bodies)];
    over = 0;
    step_log_t *log = must_open(STEP_MODE_ASYNC, STEP_FULL_BLOCK);
    current_log = log;
    for (size_t i = 0; i < COUNT(bodies); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, bodies[i], NULL), 0);
    for (int life = 0; life < LIVES; life++) {
        step_stats_t stats = { .size = sizeof(stats) };
        stepi_sleep(300000);
        assert_int_equal(step_log_stats(log, &stats), STEP_OK);
        assert_int_equal(stats.dropped_memory, 0); /* calls that came between two lives were for a closed log */
        assert_int_equal(step_log_close(log), STEP_OK);
        assert_int_equal(log->has_thread, 0);
        assert_int_equal(log->backend.output_count, 0);
        log = must_open(STEP_MODE_ASYNC, STEP_FULL_BLOCK);
        current_log = log;
    }
    over = 1;
    for (size_t i = 0; i < COUNT(bodies); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(step_log_close(log), STEP_OK);
    stepi_default_state_t default_state;
    assert_null(stepi_default_get(&default_state));
}

/* ---- The default log ---- */

static void only_open_logs_become_the_default(void **state)
{
    (void)state;
    stepi_default_state_t default_state;
    step_log_t *log = must_open(STEP_MODE_SYNC, STEP_FULL_BLOCK);
    step_log_t *other = must_open(STEP_MODE_SYNC, STEP_FULL_BLOCK);
    assert_int_equal(step_log_set_default(log), STEP_OK);
    assert_ptr_equal(step_log_default(), log);
    assert_int_equal(step_log_set_default(other), STEP_OK);
    assert_int_equal(step_log_close(log), STEP_OK);
    assert_ptr_equal(step_log_default(), other);
    assert_int_equal(step_log_set_default(log), STEP_EINVAL);
    assert_ptr_equal(step_log_default(), other);
    assert_false(stepi_default_offer(NULL)); /* whoever makes one from the environment comes too late */
    assert_ptr_equal(step_log_default(), other);
    assert_int_equal(step_log_close(other), STEP_OK);
    assert_null(stepi_default_get(&default_state));
    assert_int_equal(default_state, STEPI_DEFAULT_NONE);
}

static void *make_default_for_ever(void *argument)
{
    stepi_lock_take(&stepi_default_making);
    ++*(_Atomic int *)argument;
    for (;;)
        stepi_sleep(SECOND_NS);
    return NULL;
}

static void log_in_grandchild(void)
{
    alarm(10);
    step_info("the child makes its own");
    _exit(step_log_flush(NULL, 5000) == STEP_OK ? 0 : 1);
}

/* A process in which one thread makes the default log while another one forks. */
static void fork_meanwhile(void)
{
    static _Atomic int begun;
    pthread_t thread;
    int status = -1;
    setenv("STEP_LOGGER_OUTPUT", "file:/dev/null", 1);
    stepi_library_init();
    if (pthread_create(&thread, NULL, make_default_for_ever, &begun) != 0)
        _exit(2);
    while (begun == 0)
        stepi_sleep(100000);
    const pid_t pid = fork();
    if (pid == 0)
        log_in_grandchild();
    _exit(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 3);
}

static void a_child_does_not_wait_for_a_thread_that_it_does_not_have(void **state)
{
    (void)state;
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        fork_meanwhile();
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_does_not_wait_for_a_thread_that_it_does_not_have), /* while there is no default yet */
        cmocka_unit_test(close_waits_for_whoever_uses_the_log),
        cmocka_unit_test(only_open_logs_become_the_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
