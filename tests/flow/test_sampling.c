/* Sampling: which trees of operations are written, and that they are written whole. Trace ids are given, so the choice is known. */
#include "core/log.h"
#include "support/child.h"
#include "support/plain_format.h"

#include <unistd.h>

/* Low 56 bits at the upper and the lower end: chosen at any rate, and at none but 1. */
#define CHOSEN "00-0af7651916cd43dd84ffffffffffffff-b7ad6b7169203331-03"
#define NOT_CHOSEN "00-0af7651916cd43dd84000000000000ff-b7ad6b7169203331-03"

static step_log_options_t sampling(test_log_t *t, double rate)
{
    step_log_options_t options = test_log_options(t);
    options.level = STEP_LEVEL_INFO;
    options.sample_rate = rate;
    return options;
}

static void open_sampling(test_log_t *t, double rate)
{
    const step_log_options_t options = sampling(t, rate);
    plain_log_open(t, &options, 0);
}

static step_logger_t *started(const char *name, const char *traceparent, step_logger_t *parent)
{
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.traceparent = traceparent;
    options.parent = parent;
    return started_with(name, &options);
}

static void expect_stats(test_log_t *t, uint64_t recorded, uint64_t sampled_out, uint64_t held)
{
    const step_stats_t stats = balanced_stats(t->log);
    assert_int_equal(stats.recorded, recorded);
    assert_int_equal(stats.sampled_out, sampled_out);
    assert_int_equal(stats.held, held);
}

/* ---- What is kept ---- */

static void success_is_sampled(void **state)
{
    test_log_t *t = *state;
    open_sampling(t, 0.5);
    step_logger_t *op = started("A", NOT_CHOSEN, NULL);
    finish(started("Child", NULL, NULL));
    step_warning("only a warning");
    finish(op);
    expect_text(t, "");
    expect_stats(t, 5, 5, 0);
    op = started("B", CHOSEN, NULL);
    finish(started("Child", NULL, NULL));
    expect_text(t, "");
    expect_stats(t, 8, 5, 3);
    finish(op);
    expect_text(t, "INFO start B ~0.5\nINFO start Child ~0.5\nINFO complete Child ~0.5\nINFO complete B ~0.5\n");
    expect_stats(t, 9, 5, 0);
}

static void rates_nought_and_one(void **state)
{
    test_log_t *t = *state;
    open_sampling(t, 0.0);
    finish(started("A", CHOSEN, NULL));
    finish(started("A", NULL, NULL));
    expect_text(t, "");
    expect_stats(t, 4, 4, 0);
    step_logger_t *op = started("B", CHOSEN, NULL);
    step_logger_failure(op, "no");
    finish(op);
    expect_text(t, "INFO start B\nERROR failure B \"no\"\nINFO complete B\n");
    open_sampling(t, 1.0);
    op = started("C", NOT_CHOSEN, NULL);
    expect_text(t, "INFO start C\n"); /* at once, and unmarked */
    finish(op);
    expect_text(t, "INFO complete C\n");
}

static void failures_are_whole(void **state)
{
    test_log_t *t = *state;
    open_sampling(t, 0.5);
    step_logger_t *op = started("A", NOT_CHOSEN, NULL);
    step_logger_step(op, 1, "one");
    step_logger_t *child = started("Child", NULL, NULL);
    step_logger_step(child, 1, "try");
    step_logger_failure(child, "reset");
    step_logger_step(child, 1, "try");
    step_logger_success(child);
    finish(child);
    step_logger_success(op);
    expect_text(t, "");
    finish(op);
    expect_text(t, "INFO start A\nINFO step A/1\nINFO start Child\nINFO step Child/1\nERROR failure Child/1 \"reset\"\n"
                   "INFO step Child/1\nINFO success Child/1\nINFO complete Child\nINFO success A/1\nINFO complete A\n");
    expect_stats(t, 10, 0, 0);
}

static void failures_that_are_just_freed(void **state)
{
    test_log_t *t = *state;
    open_sampling(t, 0.5);
    step_logger_t *op = started("A", NOT_CHOSEN, NULL);
    step_logger_failure(op, "no");
    expect_text(t, "");
    step_logger_free(op);
    expect_text(t, "INFO start A\nERROR failure A \"no\"\n");
    expect_stats(t, 3, 0, 0); /* a quiet record tells its end */
}

static void errors_in_messages_keep_their_tree(void **state)
{
    test_log_t *t = *state;
    open_sampling(t, 0.5);
    step_logger_t *op = started("A", NOT_CHOSEN, NULL);
    step_logger_t *child = started("Child", NULL, NULL);
    step_error("bad");
    finish(child);
    finish(op);
    expect_text(t, "INFO start A\nINFO start Child\nERROR message Child \"bad\"\nINFO complete Child\nINFO complete A\n");
}

static void slow_ones_are_kept(void **state)
{
    test_log_t *t = *state;
    step_log_options_t options = sampling(t, 0.5);
    options.slow_ms = 100;
    plain_log_open(t, &options, 0);
    step_logger_t *op = started("A", NOT_CHOSEN, NULL);
    pass_ms(t, 100);
    finish(op);
    expect_text(t, ""); /* not more than slow_ms */
    op = started("B", NOT_CHOSEN, NULL);
    step_logger_t *child = started("Child", NULL, NULL);
    pass_ms(t, 101);
    finish(child);
    finish(op);
    expect_text(t, "INFO start B\nINFO start Child\nINFO complete Child slow\nINFO complete B slow\n");
}

static void stuck_ones_are_kept(void **state)
{
    test_log_t *t = *state;
    step_log_options_t options = sampling(t, 0.5);
    options.stuck_ms = 100;
    plain_log_open(t, &options, 0);
    step_logger_t *op = started("A", NOT_CHOSEN, NULL);
    step_log_flush(t->log, TEST_FLUSH_MS);
    pass_ms(t, 100);
    expect_text(t, "WARNING stuck A\n");
    finish(op);
    expect_text(t, "INFO start A\nINFO complete A\n");
}

static void incomplete_ones_are_kept(void **state)
{
    test_log_t *t = *state;
    open_sampling(t, 0.5);
    step_logger_t *op = started("A", NOT_CHOSEN, NULL);
    step_logger_free(started("Child", NULL, NULL));
    finish(op);
    expect_text(t, "INFO start A\nINFO start Child\nWARNING incomplete Child\nINFO complete A\n");
}

/* Where the failure's own line is off it keeps its tree all the same. */
static void failures_below_the_level(void **state)
{
    test_log_t *t = *state;
    step_log_options_t options = sampling(t, 0.5);
    options.level = STEP_LEVEL_CRITICAL;
    plain_log_open(t, &options, 0);
    step_logger_t *op = started("A", NOT_CHOSEN, NULL);
    step_critical("seen");
    step_logger_failure(op, "unseen");
    finish(op);
    op = started("B", NOT_CHOSEN, NULL);
    step_logger_failure(op, "unseen");
    finish(op);
    expect_text(t, "CRITICAL message A \"seen\"\n");
    expect_stats(t, 7, 0, 0);
}

/* ---- When it is decided ---- */

static void a_child_outlives_its_root(void **state)
{
    test_log_t *t = *state;
    open_sampling(t, 0.5);
    step_logger_t *op = started("A", NOT_CHOSEN, NULL);
    step_logger_t *child = started("Child", NULL, NULL);
    finish(op);
    expect_text(t, "");
    expect_stats(t, 3, 0, 3);
    step_logger_failure(child, "late");
    finish(child);
    expect_text(t, "INFO start A\nINFO start Child\nINFO complete A\nERROR failure Child \"late\"\nINFO complete Child\n");
}

/* One that begins when its tree was decided already is a tree of its own, with the same choice. */
static void a_child_begins_late(void **state)
{
    test_log_t *t = *state;
    open_sampling(t, 0.5);
    step_logger_t *op = started("A", NOT_CHOSEN, NULL);
    step_logger_complete(op);
    step_logger_t *child = started("Late", NULL, op);
    step_logger_step(child, 1, "one");
    step_logger_failure(child, "no");
    finish(child);
    expect_text(t, "INFO start Late\nINFO step Late/1\nERROR failure Late/1 \"no\"\nINFO complete Late\n");
    finish(started("Later", NULL, op));
    expect_text(t, "");
    step_logger_free(op);
    expect_stats(t, 8, 4, 0);
    op = started("B", CHOSEN, NULL);
    step_logger_complete(op);
    child = started("Late", NULL, op);
    expect_text(t, "INFO start B ~0.5\nINFO complete B ~0.5\n");
    finish(child);
    expect_text(t, "INFO start Late ~0.5\nINFO complete Late ~0.5\n");
    step_logger_free(op);
}

/* What is said before start() is in no trace yet, so it is not held; nor does it spoil the choice. */
static void messages_before_start(void **state)
{
    test_log_t *t = *state;
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    open_sampling(t, 0.5);
    for (int i = 0; i < 2; i++) {
        options.traceparent = i == 0 ? CHOSEN : NOT_CHOSEN;
        step_logger_t *op = step_logger_new_with("A", &options);
        step_logger_message(op, STEP_LEVEL_INFO, "early");
        expect_text(t, "INFO message A \"early\"\n");
        step_logger_start(op);
        finish(op);
        expect_text(t, i == 0 ? "INFO start A ~0.5\nINFO complete A ~0.5\n" : "");
    }
}

/* Nor does what the operation's place held before: a child of another one. */
static void places_are_used_again(void **state)
{
    test_log_t *t = *state;
    step_logger_options_t detached = STEP_LOGGER_OPTIONS_INIT;
    detached.parent = step_logger_no_parent();
    open_sampling(t, 0.5);
    step_logger_t *outer = started("Outer", NOT_CHOSEN, NULL);
    for (int i = 0; i < 300; i++) /* more than there are places in a chunk: they come round */
        finish(started("Child", NULL, NULL));
    for (int i = 0; i < 300; i++) {
        detached.traceparent = CHOSEN;
        step_logger_t *op = step_logger_new_with("B", &detached);
        step_logger_message(op, STEP_LEVEL_DEBUG, "unseen");
        step_logger_message(op, STEP_LEVEL_INFO, "early");
        step_logger_start(op);
        finish(op);
        expect_text(t, "INFO message B \"early\"\nINFO start B ~0.5\nINFO complete B ~0.5\n");
    }
    finish(outer);
    expect_text(t, "");
}

typedef struct worker {
    step_logger_t *parent;
    bool fails;
} worker_t;

static void *work(void *argument)
{
    const worker_t *worker = argument;
    step_logger_t *op = started("Worker", NULL, worker->parent);
    if (worker->fails)
        step_logger_failure(op, "no");
    finish(op);
    return NULL;
}

static void parents_across_threads(void **state)
{
    test_log_t *t = *state;
    open_sampling(t, 0.5);
    for (int fails = 0; fails < 2; fails++) {
        pthread_t thread;
        worker_t worker = { .parent = started("A", NOT_CHOSEN, NULL), .fails = fails != 0 };
        assert_int_equal(pthread_create(&thread, NULL, work, &worker), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        expect_text(t, "");
        finish(worker.parent);
        expect_text(t, fails ? "INFO start A\nINFO start Worker\nERROR failure Worker \"no\"\nINFO complete Worker\n"
                               "INFO complete A\n"
                             : "");
    }
}

/* ---- What is not sampled ---- */

static void what_is_in_no_operation(void **state)
{
    test_log_t *t = *state;
    open_sampling(t, 0.0);
    step_info("message");
    step_logger_t *op = started("A", NOT_CHOSEN, NULL);
    step_quick_step(1, "quick", "Q", 2);
    step_quick_success(1, "quick", 2, step_kv("n", 1));
    step_quick_success(1, "quick", 2, step_kv("n", 2));
    finish(op);
    step_log_bind(t->log, step_kv("a", 1));
    expect_text(t, "INFO message \"message\"\nINFO step Q/1\nINFO success/1 n=1\nINFO success/1 n=2\n");
    expect_stats(t, 6, 2, 0);
}

/* ---- Ends of logs and processes ---- */

static void open_at_close(void **state)
{
    test_log_t *t = *state;
    const step_log_options_t options = sampling(t, 0.5);
    capture_t *c = plain_log_open_captured(t, &options, 0);
    step_logger_t *op = started("A", NOT_CHOSEN, NULL);
    step_logger_t *child = started("Child", NULL, NULL);
    step_logger_t *failed = started("B", NOT_CHOSEN, step_logger_no_parent());
    step_logger_failure(failed, "no");
    step_logger_t *decided = started("C", NOT_CHOSEN, step_logger_no_parent());
    finish(decided);
    test_log_close(t);
    assert_string_equal(capture_text(c), "INFO start A\nINFO start Child\nWARNING incomplete Child\nWARNING incomplete A\n"
                                         "INFO start B\nERROR failure B \"no\"\n");
    step_logger_free(failed);
    step_logger_free(child);
    step_logger_free(op);
    capture_free(c);
}

static int leave_open(void)
{
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    step_log_t *log;
    options.sample_rate = 0.0;
    if (step_log_open(&options, &log) != STEP_OK || step_log_set_default(log) != STEP_OK ||
        step_log_add_output(log, step_sink_fd(STDOUT_FILENO), plain_format(0), 0) != STEP_OK)
        return 1;
    finish(started("Done", NULL, NULL));
    step_logger_t *op = started("A", NULL, NULL);
    finish(started("Child", NULL, NULL));
    step_logger_step(op, 1, "for ever");
    return 0;
}

static const child_program_t programs[] = { { "leave_open", leave_open } };

static void open_at_exit(void **state)
{
    static child_result_t result;
    (void)state;
    child_run("leave_open", (const char *const[]){ NULL }, NULL, &result);
    assert_string_equal(result.err, "");
    assert_int_equal(result.status, 0);
    assert_string_equal(result.out, "INFO start A\nINFO start Child\nINFO complete Child\nINFO step A/1\n"
                                    "WARNING incomplete A/1\n");
}

/* ---- Bounds ---- */

static void outgrown_trees_are_written(void **state)
{
    enum { MESSAGES = STEPI_HOLD_MAX / 1000 + 10 };
    test_log_t *t = *state;
    char text[1001];
    memset(text, 'x', 1000);
    text[1000] = '\0';
    open_sampling(t, 0.0);
    step_logger_t *op = started("A", NULL, NULL);
    for (int i = 0; i < MESSAGES; i++)
        step_logger_message(op, STEP_LEVEL_INFO, text);
    finish(started("Child", NULL, NULL));
    expect_stats(t, MESSAGES + 3, 0, 0);
    finish(op);
    const char *at = new_text(t);
    int lines = 0;
    for (; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    assert_int_equal(lines, MESSAGES + 4);
    expect_stats(t, MESSAGES + 4, 0, 0);
}

static void all_together_are_bounded(void **state)
{
    enum { OPERATIONS = 3000, MESSAGES = 8 };
    static step_logger_t *ops[OPERATIONS];
    test_log_t *t = *state;
    char text[901];
    memset(text, 'x', 900);
    text[900] = '\0';
    open_sampling(t, 0.0);
    for (int i = 0; i < OPERATIONS; i++) {
        ops[i] = started("A", NULL, step_logger_no_parent());
        for (int j = 0; j < MESSAGES; j++)
            step_logger_message(ops[i], STEP_LEVEL_INFO, text);
        if (i % 100 == 0)
            step_log_flush(t->log, TEST_FLUSH_MS);
        assert_true(test_mode == STEP_MODE_ASYNC || t->log->backend.retention.bytes <= STEPI_HOLDS_MAX);
    }
    const step_stats_t stats = balanced_stats(t->log);
    assert_true(t->log->backend.retention.bytes <= STEPI_HOLDS_MAX);
    assert_in_range(stats.held, 2000, OPERATIONS * (MESSAGES + 1) - 1);
    const int first_open = (int)(stats.written / (MESSAGES + 1)); /* the oldest were written, whole */
    assert_in_range(first_open, 10, OPERATIONS - 10);
    for (int i = 0; i < OPERATIONS; i++)
        finish(ops[i]);
    expect_stats(t, OPERATIONS * (MESSAGES + 2), (uint64_t)(OPERATIONS - first_open) * (MESSAGES + 2), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(success_is_sampled),
        TEST(rates_nought_and_one),
        TEST(failures_are_whole),
        TEST(failures_that_are_just_freed),
        TEST(errors_in_messages_keep_their_tree),
        TEST(slow_ones_are_kept),
        TEST(stuck_ones_are_kept),
        TEST(incomplete_ones_are_kept),
        TEST(failures_below_the_level),
        TEST(a_child_outlives_its_root),
        TEST(a_child_begins_late),
        TEST(messages_before_start),
        TEST(places_are_used_again),
        TEST(parents_across_threads),
        TEST(what_is_in_no_operation),
        TEST(open_at_close),
        TEST(open_at_exit),
        TEST(outgrown_trees_are_written),
        TEST(all_together_are_bounded),
    };
    child_main(argc, argv, programs, sizeof(programs) / sizeof(programs[0]));
    return test_in_both_modes(tests);
}
