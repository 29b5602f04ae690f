/* Operations that run for too long, and the list of all that run. */
#include "support/plain_format.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static void open_watching(test_log_t *t, uint32_t stuck_ms, unsigned shown)
{
    step_log_options_t options = test_log_options(t);
    options.stuck_ms = stuck_ms;
    plain_log_open(t, &options, shown);
}

static step_logger_t *started(const char *name, int total_steps)
{
    step_logger_t *op = step_logger_new(name, total_steps);
    step_logger_start(op);
    return op;
}

static void flush(test_log_t *t)
{
    assert_int_equal(step_log_flush(t->log, TEST_FLUSH_MS), STEP_OK);
}

/* Lets time pass in the backend's presence. */
static void pass(test_log_t *t, int64_t ms)
{
    flush(t);
    pass_ms(t, ms);
    flush(t);
}

/* ---- Stuck operations ---- */

static void once_per_doubling(void **state)
{
    test_log_t *t = *state;
    open_watching(t, 100, PLAIN_ELAPSED);
    step_logger_t *op = started("A", 3);
    pass(t, 99);
    expect_text(t, "INFO start A\n");
    pass(t, 1);
    flush(t);
    expect_text(t, "WARNING stuck A ms=100\n");
    step_logger_step(op, 2, "Fetching");
    step_logger_bind(op, step_kv("a", 1));
    pass(t, 99);
    expect_text(t, "INFO step A/2\n");
    pass(t, 2);
    expect_text(t, "WARNING stuck A/2 | a=1 ms=201\n");
    pass(t, 1400); /* 400 and 800 and 1600 went by: one report */
    expect_text(t, "WARNING stuck A/2 | a=1 ms=1601\n");
    pass(t, 1598);
    expect_text(t, "");
    step_logger_success(op);
    pass(t, 1);
    expect_text(t, "INFO success A/2 | a=1 ms=3099\nWARNING stuck A | a=1 ms=3200\n");
    finish(op);
    expect_text(t, "INFO complete A | a=1 ms=3200\n");
    const step_stats_t stats = balanced_stats(t->log);
    assert_int_equal(stats.recorded, 5); /* the library's own lines are not counted */
}

static void only_what_runs(void **state)
{
    test_log_t *t = *state;
    open_watching(t, 100, 0);
    step_logger_t *made = step_logger_new("Made", 1);
    step_logger_message(made, STEP_LEVEL_INFO, "early");
    step_logger_t *done = started("Done", 1);
    step_logger_complete(done);
    step_logger_t *freed = started("Freed", 1);
    step_logger_free(freed);
    step_logger_t *failed = started("Failed", 1);
    step_logger_failure(failed, "no");
    step_logger_t *outer = started("Outer", 1);
    step_logger_t *inner = started("Inner", 1);
    new_text(t);
    pass(t, 1000);
    const char *text = new_text(t);
    assert_null(strstr(text, "Made"));
    assert_null(strstr(text, "Done"));
    assert_null(strstr(text, "Freed"));
    assert_non_null(strstr(text, "WARNING stuck Failed\n")); /* it has not ended yet */
    assert_non_null(strstr(text, "WARNING stuck Outer\n"));
    assert_non_null(strstr(text, "WARNING stuck Inner\n"));
    finish(inner);
    finish(outer);
    step_logger_free(failed);
    step_logger_free(done);
    step_logger_free(made);
    new_text(t);
    pass(t, 100000);
    expect_text(t, "");
}

static void levels_of_reports(void **state)
{
    test_log_t *t = *state;
    step_log_options_t options = test_log_options(t);
    options.stuck_ms = 10;
    options.level = STEP_LEVEL_ERROR;
    options.level_rules = "Loud=warning";
    options.flight_recorder_bytes = 4096;
    plain_log_open(t, &options, 0);
    step_logger_t *quiet = started("Quiet", 1);
    step_logger_t *loud = started("Loud", 1);
    pass(t, 10);
    expect_text(t, "WARNING stuck Loud\n");
    finish(loud);
    finish(quiet);
}

/* A clock that jumps to its end, and one that goes back. */
static void hostile_clocks(void **state)
{
    test_log_t *t = *state;
    open_watching(t, 1, 0);
    t->monotonic_ns = 0;
    step_logger_t *op = started("A", 1);
    flush(t);
    t->monotonic_ns = INT64_MAX;
    flush(t);
    flush(t);
    expect_text(t, "INFO start A\nWARNING stuck A\n");
    t->monotonic_ns = INT64_MIN;
    flush(t);
    t->monotonic_ns = 0;
    flush(t);
    t->monotonic_ns = INT64_MAX;
    flush(t);
    expect_text(t, "");
    finish(op);
}

/* With real time: the backend sleeps until a report may be due, and for ever when nothing runs. */
static void a_parked_backend(void **state)
{
    test_log_t *t = *state;
    step_log_options_t options = test_log_options(t);
    if (test_mode == STEP_MODE_SYNC)
        return; /* nobody is there to look */
    options.clock = NULL;
    options.stuck_ms = 1500;
    plain_log_open(t, &options, 0);
    step_logger_t *op = started("A", 1);
    for (int i = 0; i < 600 && strstr(step_sink_memory_text(t->text), "stuck") == NULL; i++)
        usleep(50000);
    assert_non_null(strstr(step_sink_memory_text(t->text), "WARNING stuck A\n"));
    finish(op);
    flush(t);
    assert_int_equal(balanced_stats(t->log).recorded, 2);
}

/* ---- The list ---- */

static char list[1 << 16];

static int dump(test_log_t *t)
{
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    errno = 4711;
    const int result = step_log_dump_active(t->log, pipes[1]);
    assert_int_equal(errno, 4711);
    close(pipes[1]);
    const ssize_t n = read(pipes[0], list, sizeof(list) - 1);
    close(pipes[0]);
    assert_in_range(n, 0, sizeof(list) - 1);
    list[n] = '\0';
    return result;
}

static const char *dumped(test_log_t *t)
{
    assert_int_equal(dump(t), STEP_OK);
    return list;
}

static void what_is_running(void **state)
{
    test_log_t *t = *state;
    assert_string_equal(dumped(t), "");
    step_logger_t *a = started("A", 3);
    pass_ms(t, 5);
    step_logger_t *made = step_logger_new("Made", 1);
    step_logger_message(made, STEP_LEVEL_INFO, "early");
    step_logger_t *child = started("Child", 0);
    step_logger_step(child, 7, "Seventh");
    pass_ms(t, 5);
    step_logger_options_t detached = STEP_LOGGER_OPTIONS_INIT;
    detached.parent = step_logger_no_parent();
    step_logger_t *b = step_logger_new_with("B", &detached);
    step_logger_start(b);
    step_logger_step(a, 2, "Fetching");
    step_logger_options_t given = STEP_LOGGER_OPTIONS_INIT;
    given.parent = a;
    step_logger_t *late = step_logger_new_with("Late", &given);
    step_logger_start(late);
    finish(started("Done", 1));
    assert_string_equal(dumped(t), "A: [2/3] Fetching (running_ms=10.0)\n"
                                   "    Child: [Step 7] Seventh (running_ms=5.0)\n"
                                   "    Late (running_ms=0.0)\n"
                                   "B (running_ms=0.0)\n");
    step_logger_success(a);
    finish(child);
    finish(late);
    assert_string_equal(dumped(t), "A (running_ms=10.0)\nB (running_ms=0.0)\n");
    step_logger_complete(a);
    assert_string_equal(dumped(t), "B (running_ms=0.0)\n");
    step_logger_free(made);
    step_logger_free(a);
    finish(b);
    assert_string_equal(dumped(t), "");
}

/* A child whose parent has ended stands by itself; a grandchild still below it. */
static void parents_that_are_over(void **state)
{
    test_log_t *t = *state;
    step_logger_t *a = started("A", 0);
    step_logger_t *b = started("B", 0);
    step_logger_t *c = started("C", 0);
    step_logger_complete(a);
    step_logger_free(a);
    assert_string_equal(dumped(t), "    B (running_ms=0.0)\n        C (running_ms=0.0)\n");
    finish(c);
    finish(b);
}

static void hostile_names(void **state)
{
    test_log_t *t = *state;
    char name[3001];
    memset(name, 'n', 3000);
    name[3000] = '\0';
    step_logger_t *ops[4] = { started("a\nb\x1b[2J", 1), started(NULL, 1), started("", 1), started(name, 1) };
    step_logger_step(ops[0], -5, NULL);
    step_logger_step(ops[3], 2147483647, "x\r\n\xff");
    const char *text = dumped(t);
    int lines = 0;
    for (const char *at = text; *at != '\0'; at++) {
        assert_true((unsigned char)*at >= ' ' || *at == '\n');
        lines += *at == '\n';
    }
    assert_int_equal(lines, 4);
    assert_int_equal(strncmp(text, "a\\nb", 4), 0);
    assert_non_null(strstr(text, "[-5/1] null (running_ms="));
    assert_non_null(strstr(text, "    null (running_ms="));
    for (int i = 3; i >= 0; i--)
        finish(ops[i]);
}

static void many(void **state)
{
    enum { MANY = 3000 };
    static step_logger_t *ops[MANY];
    test_log_t *t = *state;
    int pipes[2], lines = 0;
    char text[4096];
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.parent = step_logger_no_parent();
    for (int i = 0; i < MANY; i++) {
        ops[i] = step_logger_new_with("An operation", &options);
        step_logger_start(ops[i]);
    }
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(step_log_dump_active(t->log, fileno(file)), STEP_OK);
    rewind(file);
    while (fgets(text, sizeof(text), file) != NULL) {
        assert_string_equal(text, "An operation (running_ms=0.0)\n");
        lines++;
    }
    fclose(file);
    assert_int_equal(lines, MANY);
    /* more than a pipe holds, and nobody reads: with patience, then no more */
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(fcntl(pipes[1], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(step_log_dump_active(t->log, pipes[1]), STEP_EIO);
    close(pipes[0]);
    assert_int_equal(step_log_dump_active(t->log, pipes[1]), STEP_EIO); /* and no SIGPIPE */
    close(pipes[1]);
    for (int i = 0; i < MANY; i++)
        finish(ops[i]);
}

static void bad_arguments(void **state)
{
    test_log_t *t = *state;
    assert_int_equal(step_log_dump_active(t->log, -1), STEP_OK); /* nothing to write */
    step_logger_t *op = started("A", 1);
    errno = 4711;
    assert_int_equal(step_log_dump_active(t->log, -1), STEP_EIO);
    assert_int_equal(step_log_dump_active(NULL, -1), STEP_EIO); /* the default log */
    assert_int_equal(errno, 4711);
    const int null = open("/dev/null", O_RDONLY);
    assert_int_equal(step_log_dump_active(t->log, null), STEP_EIO);
    close(null);
    step_logger_free(op);
    step_log_t *log = t->log;
    test_log_close(t);
    assert_int_equal(step_log_dump_active(log, STDERR_FILENO), STEP_EINVAL);
    assert_int_equal(step_log_dump_active(NULL, STDERR_FILENO), STEP_EINVAL);
}

static int dump_in_sink(void *ctx, const char *bytes, size_t length)
{
    (void)bytes, (void)length;
    assert_int_equal(step_log_dump_active(*(step_log_t **)ctx, STDERR_FILENO), STEP_EINVAL);
    return 0;
}

static void not_from_inside_a_sink(void **state)
{
    static const step_sink_ops_t ops = { .size = sizeof(ops), .write = dump_in_sink };
    test_log_t *t = *state;
    assert_int_equal(step_log_add_output(t->log, step_sink_custom(&ops, &t->log), step_format_text(), 0), STEP_OK);
    step_info("x");
    flush(t);
}

static atomic_bool stop;

static void *keep_busy(void *argument)
{
    (void)argument;
    while (!atomic_load(&stop)) {
        step_logger_t *op = started("Busy", 2);
        step_logger_t *child = started("Child", 0);
        step_logger_step(op, 1, "one");
        finish(child);
        finish(op);
    }
    return NULL;
}

static void while_others_log(void **state)
{
    test_log_t *t = *state;
    pthread_t threads[3];
    open_watching(t, 1, 0);
    atomic_store(&stop, false);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, keep_busy, NULL), 0);
    for (int i = 0; i < 50; i++) {
        const int result = dump(t);
        const char *text = list;
        assert_true(result == STEP_OK || result == STEP_ETIMEOUT); /* on a machine that is busy with other things, too */
        pass_ms(t, 1);
        while (*text != '\0') {
            text += strspn(text, " ");
            assert_true(strncmp(text, "Busy", 4) == 0 || strncmp(text, "Child", 5) == 0);
            text = strchr(text, '\n') + 1;
        }
    }
    atomic_store(&stop, true);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    balanced_stats(t->log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(once_per_doubling), TEST(only_what_runs), TEST(levels_of_reports),    TEST(hostile_clocks),
        TEST(a_parked_backend),  TEST(what_is_running), TEST(parents_that_are_over), TEST(hostile_names),
        TEST(many),              TEST(bad_arguments),  TEST(not_from_inside_a_sink), TEST(while_others_log),
    };
    return test_in_both_modes(tests);
}
