/* Sampling and flight recorder with many operations, threads, logs, processes, and sinks that lose lines. */
#include "core/log.h"
#include "support/child.h"
#include "support/plain_format.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef STEP_LOGGER_SANITIZED
enum { OPERATIONS = 20000, CHOSEN_MIN = 80, CHOSEN_MAX = 120, ROUNDS = 20 }; /* per mille */
#else
enum { OPERATIONS = 100000, CHOSEN_MIN = 95, CHOSEN_MAX = 105, ROUNDS = 100 };
#endif

enum { FAIL_EVERY = 100, THREADS = 8, RECORDER_BYTES = 8192 };

static step_log_options_t retaining(test_log_t *t, double rate, uint32_t recorder_bytes)
{
    step_log_options_t options = test_log_options(t);
    options.clock = NULL;
    options.level = STEP_LEVEL_INFO;
    options.sample_rate = rate;
    options.flight_recorder_bytes = recorder_bytes;
    return options;
}

/* ---- One operation in a hundred fails ---- */

static void run_operation(step_log_t *log, int number, bool fails, const char *traceparent)
{
    char name[32];
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    snprintf(name, sizeof(name), "Op %d", number);
    options.log = log;
    options.parent = step_logger_no_parent();
    options.traceparent = traceparent;
    step_logger_t *op = step_logger_new_with(name, &options);
    step_logger_start(op, step_kv("n", number));
    step_logger_step(op, 1, "work");
    step_logger_message(op, STEP_LEVEL_DEBUG, "detail");
    options.parent = op;
    options.traceparent = NULL;
    step_logger_t *child = step_logger_new_with("Child", &options);
    step_logger_start(child);
    step_logger_message(child, STEP_LEVEL_DEBUG, "inner", step_kv("n", number));
    step_logger_complete(child);
    step_logger_free(child);
    if (fails)
        step_logger_failure(op, "no");
    else
        step_logger_success(op, step_kv("n", number));
    step_logger_complete(op);
    step_logger_free(op);
}

enum { RECORDS = 8, LINES = 6 }; /* of an operation; of one that ended well */

/* What such an operation leaves, when it is whole. */
static int expected_lines(char *to, size_t bytes, int n, bool fails, const char *mark)
{
    if (fails)
        return snprintf(to, bytes,
                        "INFO start Op %d n=%d\nINFO step Op %d/1\nDEBUG message Op %d/1 \"detail\" recorder\nINFO start Child\n"
                        "DEBUG message Child \"inner\" n=%d recorder\nINFO complete Child\nERROR failure Op %d/1 \"no\"\n"
                        "INFO complete Op %d\n",
                        n, n, n, n, n, n, n);
    return snprintf(to, bytes,
                    "INFO start Op %d n=%d%s\nINFO step Op %d/1%s\nINFO start Child%s\nINFO complete Child%s\n"
                    "INFO success Op %d/1 n=%d%s\nINFO complete Op %d%s\n",
                    n, n, mark, n, mark, mark, mark, n, n, mark, n, mark);
}

/* Each operation in it is whole, its lines together, no failure is missing; how many others there are. */
static int check_whole(const char *text, int operations, const char *mark)
{
    static bool seen[OPERATIONS];
    int others = 0, failures = 0;
    memset(seen, 0, sizeof(seen));
    while (*text != '\0') {
        char expected[1024];
        int n = -1;
        assert_int_equal(sscanf(text, "INFO start Op %d", &n), 1);
        assert_in_range(n, 0, operations - 1);
        assert_false(seen[n]);
        seen[n] = true;
        const bool fails = n % FAIL_EVERY == 0;
        const int bytes = expected_lines(expected, sizeof(expected), n, fails, mark);
        if (strncmp(text, expected, (size_t)bytes) != 0)
            fail_msg("expected\n%sfound\n%.*s", expected, bytes, text);
        text += bytes;
        others += !fails;
        failures += fails;
    }
    assert_int_equal(failures, (operations + FAIL_EVERY - 1) / FAIL_EVERY);
    return others;
}

static void check_share(int chosen, int of)
{
    assert_in_range((int64_t)chosen * 1000, (int64_t)of * CHOSEN_MIN, (int64_t)of * CHOSEN_MAX);
}

static void a_hundred_thousand(void **state)
{
    const int operations = test_mode == STEP_MODE_SYNC ? OPERATIONS / 5 : OPERATIONS;
    test_log_t *t = *state;
    const step_log_options_t options = retaining(t, 0.1, RECORDER_BYTES);
    plain_log_open(t, &options, 0);
    for (int i = 0; i < operations; i++)
        run_operation(t->log, i, i % FAIL_EVERY == 0, NULL);
    const step_stats_t stats = balanced_stats(t->log);
    const int chosen = check_whole(new_text(t), operations, " ~0.1");
    const int good = operations - operations / FAIL_EVERY;
    if (test_mode == STEP_MODE_ASYNC)
        check_share(chosen, good);
    assert_int_equal(stats.recorded, (uint64_t)operations * RECORDS);
    assert_int_equal(stats.sampled_out, (uint64_t)(good - chosen) * LINES);
    assert_int_equal(stats.recorder_discarded, (uint64_t)good * 2);
    assert_int_equal(stats.held, 0);
    assert_int_equal(stats.dropped, 0);
    assert_int_equal(t->log->backend.retention.bytes, 0);
}

/* ---- Threads ---- */

typedef struct crew {
    step_log_t *log;
    int first, count;
    step_logger_t *parent;
} crew_t;

static void *run_many(void *argument)
{
    const crew_t *crew = argument;
    for (int i = crew->first; i < crew->first + crew->count; i++)
        run_operation(crew->log, i, i % FAIL_EVERY == 0, NULL);
    return NULL;
}

static void *run_children(void *argument)
{
    const crew_t *crew = argument;
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.log = crew->log;
    options.parent = crew->parent;
    for (int i = 0; i < crew->count; i++) {
        step_logger_t *child = step_logger_new_with("Child", &options);
        step_logger_start(child, step_kv("n", i));
        step_logger_message(child, STEP_LEVEL_DEBUG, "detail");
        if (i == crew->count / 2)
            step_logger_failure(child, "no");
        step_logger_complete(child);
        step_logger_free(child);
    }
    return NULL;
}

static void start_all(pthread_t threads[THREADS], crew_t crews[THREADS], void *(*run)(void *))
{
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run, &crews[i]), 0);
}

static void join_all(const pthread_t threads[THREADS])
{
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void eight_threads(void **state)
{
    enum { EACH = 1000 };
    test_log_t *t = *state;
    pthread_t threads[THREADS];
    crew_t crews[THREADS];
    const step_log_options_t options = retaining(t, 0.1, RECORDER_BYTES);
    plain_log_open(t, &options, 0);
    for (int i = 0; i < THREADS; i++)
        crews[i] = (crew_t){ .log = t->log, .first = i * EACH, .count = EACH };
    start_all(threads, crews, run_many);
    for (int i = 0; i < 20; i++) { /* meanwhile others look and change things */
        step_log_bind(t->log, step_kv("unused", i));
        step_log_flush(t->log, TEST_FLUSH_MS);
        step_stats_t stats = { .size = sizeof(stats) };
        assert_int_equal(step_log_stats(t->log, &stats), STEP_OK);
    }
    join_all(threads);
    const step_stats_t stats = balanced_stats(t->log);
    assert_int_equal(stats.recorded, (uint64_t)THREADS * EACH * RECORDS);
    assert_int_equal(stats.held, 0);
    assert_int_equal(stats.dropped, 0);
}

/* One tree by many threads: together it outgrows its bound, and nothing of it is lost. */
static void one_tree_by_eight_threads(void **state)
{
    enum { EACH = 500 };
    test_log_t *t = *state;
    pthread_t threads[THREADS];
    crew_t crews[THREADS];
    step_logger_options_t root = STEP_LOGGER_OPTIONS_INIT;
    const step_log_options_t options = retaining(t, 0, 0);
    plain_log_open(t, &options, 0);
    step_logger_t *op = step_logger_new_with("Root", &root);
    step_logger_start(op);
    for (int i = 0; i < THREADS; i++)
        crews[i] = (crew_t){ .log = t->log, .count = EACH, .parent = op };
    start_all(threads, crews, run_children);
    join_all(threads);
    step_logger_complete(op);
    step_logger_free(op);
    const step_stats_t stats = balanced_stats(t->log);
    assert_int_equal(stats.sampled_out + stats.held + stats.dropped, 0);
    int lines = 0;
    for (const char *at = new_text(t); (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    assert_int_equal(lines, THREADS * (EACH * 2 + 1) + 2);
}

/* ---- Processes that share trace ids ---- */

enum { SHARED = 400 };

static int log_shared_traces(double rate, uint32_t recorder_bytes, uint32_t mode)
{
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    step_log_t *log;
    uint64_t state = 4711;
    options.sample_rate = rate;
    options.mode = mode;
    options.flight_recorder_bytes = recorder_bytes;
    if (step_log_open(&options, &log) != STEP_OK ||
        step_log_add_output(log, step_sink_fd(STDOUT_FILENO), plain_format(0), 0) != STEP_OK)
        return 1;
    for (int i = 1; i < SHARED; i++) {
        char traceparent[64];
        state = state * 6364136223846793005u + 1442695040888963407u;
        snprintf(traceparent, sizeof(traceparent), "00-0af7651916cd43dd%016" PRIx64 "-b7ad6b7169203331-03",
                 state ^ state >> 29);
        run_operation(log, i, false, traceparent);
    }
    return step_log_close(log) == STEP_OK ? 0 : 1;
}

static int first_service(void)
{
    return log_shared_traces(0.25, 0, STEP_MODE_ASYNC);
}

static int second_service(void)
{
    return log_shared_traces(0.25, RECORDER_BYTES, STEP_MODE_SYNC);
}

static int choosy_service(void)
{
    return log_shared_traces(0.05, 0, STEP_MODE_ASYNC);
}

static const child_program_t programs[] = {
    { "first", first_service }, { "second", second_service }, { "choosy", choosy_service }
};

static void processes_keep_the_same_traces(void **state)
{
    static child_result_t first, second, choosy;
    (void)state;
    child_run("first", (const char *const[]){ NULL }, NULL, &first);
    child_run("second", (const char *const[]){ NULL }, NULL, &second);
    child_run("choosy", (const char *const[]){ NULL }, NULL, &choosy);
    assert_int_equal(first.status + second.status + choosy.status, 0);
    assert_string_equal(first.out, second.out);
    int kept = 0, fewer = 0;
    for (const char *at = first.out; (at = strstr(at, "start Op ")) != NULL; at++)
        kept++;
    assert_in_range(kept, SHARED / 8, SHARED / 2);
    for (const char *at = choosy.out; (at = strstr(at, "start Op ")) != NULL; at++) {
        char name[64];
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, "~"), at);
        assert_non_null(strstr(first.out, name)); /* whoever keeps fewer keeps none that others do not */
        fewer++;
    }
    assert_in_range(fewer, 1, kept - 1);
}

/* ---- Sinks that lose lines ---- */

static void lossy_sinks(void **state)
{
    test_log_t *t = *state;
    const step_log_options_t options = retaining(t, 0.5, RECORDER_BYTES);
    capture_t *good = plain_log_open_captured(t, &options, 0);
    capture_t *bad = capture_new();
    assert_int_equal(step_log_add_output(t->log, capture_sink(bad), step_format_json(), 0), STEP_OK);
    assert_int_equal(step_log_add_output(t->log, step_sink_memory(10000), step_format_text(), STEP_LEVEL_ERROR), STEP_OK);
    for (int i = 0; i < 2000; i++) {
        if (i % 50 == 0) {
            capture_fail(bad, i % 100 == 0 ? EIO : 0);
            balanced_stats(t->log);
        }
        run_operation(t->log, i, i % FAIL_EVERY == 0, NULL);
    }
    const step_stats_t stats = balanced_stats(t->log);
    assert_int_equal(stats.recorded, 2000 * RECORDS);
    assert_in_range(stats.dropped_sink, 1, stats.recorded);
    test_log_close(t);
    check_whole(capture_text(good), 2000, " ~0.5");
    capture_free(good);
    capture_free(bad);
}

/* Rings that drop lose beginnings and ends as well: what waits for an end that never comes is let go when its operation is not
 * there any more. */
static void ends_that_were_lost(void **state)
{
    enum { EACH = 1000 };
    test_log_t *t = *state;
    pthread_t threads[THREADS];
    crew_t crews[THREADS];
    step_log_options_t options = retaining(t, 0.1, RECORDER_BYTES);
    options.when_full = STEP_FULL_DROP;
    options.ring_bytes = 4096;
    plain_log_open(t, &options, 0);
    for (int i = 0; i < THREADS; i++)
        crews[i] = (crew_t){ .log = t->log, .first = i * EACH, .count = EACH };
    start_all(threads, crews, run_many);
    join_all(threads);
    step_stats_t stats = balanced_stats(t->log);
    for (int i = 0; i < 600 && stats.held > 0; i++) {
        usleep(50000);
        step_info("traffic");
        stats = balanced_stats(t->log);
    }
    assert_int_equal(stats.held, 0);
    assert_int_equal(t->log->backend.retention.bytes, 0);
}

/* ---- Again and again ---- */

/* Closed while things are held and open: nothing leaks (the sanitizer's part), and the next log knows nothing of it. */
static void closed_and_opened_again(void **state)
{
    test_log_t *t = *state;
    for (int round = 0; round < ROUNDS; round++) {
        const step_log_options_t options = retaining(t, round % 2 == 0 ? 0 : 1, RECORDER_BYTES);
        capture_t *c = plain_log_open_captured(t, &options, 0);
        step_logger_t *op = operation_in(t->log, "A", 1);
        step_logger_t *child = operation_in(t->log, "Child", 1);
        step_logger_start(op);
        step_logger_bind(op, step_kv("round", round));
        step_logger_start(child);
        step_debug("detail");
        run_operation(t->log, 1, false, NULL);
        test_log_close(t);
        assert_int_equal(strncmp(capture_text(c), "INFO start A\nINFO start Child | round=", 38), 0);
        assert_non_null(strstr(capture_text(c), "recorder\nWARNING incomplete Child | round="));
        assert_non_null(strstr(capture_text(c), "WARNING incomplete A | round="));
        step_logger_free(child);
        step_logger_free(op);
        capture_free(c);
    }
}

/* ---- Fork ---- */

static int in_child(step_log_t *log, step_logger_t *op)
{
    step_stats_t stats = { .size = sizeof(stats) };
    run_operation(log, 1, false, NULL);
    step_logger_message(op, STEP_LEVEL_DEBUG, "in the child");
    step_logger_failure(op, "in the child");
    if (step_log_flush(log, TEST_FLUSH_MS) != STEP_OK || step_log_stats(log, &stats) != STEP_OK)
        return 1;
    if (stats.recorded != RECORDS + 2 || stats.recorded != stats.written + stats.sampled_out + stats.held)
        return 2;
    step_logger_free(op);
    return step_log_close(log) == STEP_OK ? 0 : 3;
}

static void fork_while_something_is_held(void **state)
{
    test_log_t *t = *state;
    int pipes[2], status;
    char text[PLAIN_PIPED_BYTES];
#ifdef __SANITIZE_THREAD__
    skip(); /* it ends a child that starts a thread */
#endif
    const step_log_options_t options = retaining(t, 0, RECORDER_BYTES);
    plain_log_open_piped(t, &options, pipes);
    step_logger_t *op = operation_in(t->log, "A", 1);
    step_logger_start(op);
    step_debug("in the parent");
    const pid_t pid = fork_when_written(t->log);
    if (pid == 0)
        _exit(in_child(t->log, op));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    step_logger_failure(op, "in the parent");
    step_logger_complete(op);
    step_logger_free(op);
    const step_stats_t stats = balanced_stats(t->log);
    assert_int_equal(stats.recorded, 4);
    plain_log_close_piped(t, pipes, text);
    assert_string_equal(text, "DEBUG message A \"in the child\" recorder\nERROR failure A \"in the child\"\n"
                              "INFO start A\nDEBUG message A \"in the parent\" recorder\nERROR failure A \"in the parent\"\n"
                              "INFO complete A\n");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(a_hundred_thousand),
        TEST(eight_threads),
        TEST(one_tree_by_eight_threads),
        TEST(processes_keep_the_same_traces),
        TEST(lossy_sinks),
        TEST(ends_that_were_lost),
        TEST(closed_and_opened_again),
        TEST(fork_while_something_is_held),
    };
    child_main(argc, argv, programs, sizeof(programs) / sizeof(programs[0]));
    return test_in_both_modes(tests);
}
