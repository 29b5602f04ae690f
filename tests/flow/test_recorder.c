/* The flight recorder: what is below the level comes out when its operation goes wrong, and only then. */
#include "core/log.h"
#include "support/child.h"
#include "support/plain_format.h"

#include <unistd.h>

enum { RECORDER_BYTES = 16384 };

static step_log_options_t recording(test_log_t *t, step_level_t level)
{
    step_log_options_t options = test_log_options(t);
    options.level = level;
    options.flight_recorder_bytes = RECORDER_BYTES;
    return options;
}

static void open_recording(test_log_t *t, step_level_t level, unsigned shown)
{
    const step_log_options_t options = recording(t, level);
    plain_log_open(t, &options, shown);
}

static step_logger_t *made(const char *name, step_level_t level, step_logger_t *parent)
{
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.level = level;
    options.parent = parent;
    return operation_with(name, &options);
}

static step_logger_t *started(const char *name)
{
    step_logger_t *op = made(name, STEP_LEVEL_INFO, NULL);
    step_logger_start(op);
    return op;
}

static void expect_stats(test_log_t *t, uint64_t recorded, uint64_t discarded, uint64_t held)
{
    const step_stats_t stats = balanced_stats(t->log);
    assert_int_equal(stats.recorded, recorded);
    assert_int_equal(stats.recorder_discarded, discarded);
    assert_int_equal(stats.held, held);
    assert_int_equal(stats.written, recorded - held);
    assert_int_equal(stats.sampled_out, 0);
}

/* ---- When it is shown ---- */

static void nothing_without_failure(void **state)
{
    test_log_t *t = *state;
    open_recording(t, STEP_LEVEL_INFO, 0);
    step_debug("of none");
    step_logger_t *op = started("A");
    step_debug("joins", step_kv("n", 1));
    step_logger_message(op, STEP_LEVEL_DEBUG, "given");
    expect_stats(t, 3, 0, 2);
    finish(op);
    expect_text(t, "INFO start A\nINFO complete A\n");
    expect_stats(t, 4, 2, 0);
    step_debug("of none");
    expect_stats(t, 4, 2, 0); /* what no operation holds is not recorded */
}

static void all_of_it_just_before_the_failure(void **state)
{
    test_log_t *t = *state;
    open_recording(t, STEP_LEVEL_INFO, PLAIN_ORDER);
    step_logger_t *op = started("A");
    pass_ms(t, 1);
    step_debug("first", step_kv("n", 1), step_kv("text", "x"));
    pass_ms(t, 1);
    step_logger_step(op, 1, "one");
    step_logger_messagef(op, STEP_LEVEL_DEBUG, "%d", 2);
    pass_ms(t, 1);
    expect_text(t, "INFO start A seq=0 at=0\nINFO step A/1 seq=2 at=2\n");
    step_logger_failure(op, "no");
    expect_text(t, "DEBUG message A \"first\" n=1 text=x seq=1 at=1 recorder\n"
                   "DEBUG message A/1 \"2\" seq=3 at=2 recorder\n"
                   "ERROR failure A/1 \"no\" seq=4 at=3\n");
    step_debug("behind it");
    finish(op);
    expect_text(t, "DEBUG message A \"behind it\" seq=5 at=3 recorder\nINFO complete A seq=6 at=3\n");
    expect_stats(t, 7, 0, 0);
}

static int evaluated;

static int value(void)
{
    return ++evaluated;
}

static void operations_below_the_level(void **state)
{
    test_log_t *t = *state;
    open_recording(t, STEP_LEVEL_INFO, 0);
    for (int fails = 0; fails < 2; fails++) {
        evaluated = 0;
        step_logger_t *op = made("A", STEP_LEVEL_DEBUG, NULL);
        assert_true(step_logger_wants(op, 0));
        step_logger_start(op, step_kv("v", value()));
        step_logger_step(op, 1, "one", step_kv("v", value()));
        step_logger_success(op, step_kv("v", value()));
        step_logger_step(op, 2, "two", step_kv("v", value()));
        if (fails)
            step_logger_failure(op, "no", step_kv("v", value()));
        else
            step_logger_skip(op, "no need", step_kv("v", value()));
        step_logger_complete(op, step_kv("v", value()));
        step_logger_free(op);
        assert_int_equal(evaluated, 6);
        expect_text(t, !fails ? ""
                              : "DEBUG start A v=1 recorder\nDEBUG step A/1 v=2 recorder\nDEBUG success A/1 v=3 recorder\n"
                                "DEBUG step A/2 v=4 recorder\nERROR failure A/2 \"no\" v=5\nDEBUG complete A v=6 recorder\n");
    }
}

static void when_it_is_slow(void **state)
{
    test_log_t *t = *state;
    step_log_options_t options = recording(t, STEP_LEVEL_INFO);
    options.slow_ms = 10;
    plain_log_open(t, &options, 0);
    for (int late = 0; late < 2; late++) {
        step_logger_t *op = started("A");
        step_debug("detail");
        pass_ms(t, 10 + late);
        finish(op);
        expect_text(t, late ? "INFO start A\nDEBUG message A \"detail\" recorder\nINFO complete A slow\n"
                            : "INFO start A\nINFO complete A\n");
    }
}

static void when_it_never_ends(void **state)
{
    test_log_t *t = *state;
    open_recording(t, STEP_LEVEL_INFO, 0);
    step_logger_t *op = started("A");
    step_debug("detail");
    step_logger_free(op);
    expect_text(t, "INFO start A\nDEBUG message A \"detail\" recorder\nWARNING incomplete A\n");
    expect_stats(t, 3, 0, 0);
}

static void open_at_close(void **state)
{
    test_log_t *t = *state;
    const step_log_options_t options = recording(t, STEP_LEVEL_INFO);
    capture_t *c = plain_log_open_captured(t, &options, 0);
    step_logger_t *op = started("A");
    step_debug("outer");
    step_logger_t *child = started("Child");
    step_debug("inner");
    step_logger_t *unstarted = step_logger_new("Made", 1);
    step_logger_message(unstarted, STEP_LEVEL_DEBUG, "of one that was not started");
    step_logger_t *done = started("Done");
    step_debug("good");
    step_logger_complete(done);
    test_log_close(t);
    assert_string_equal(capture_text(c), "INFO start A\nINFO start Child\nINFO start Done\nINFO complete Done\n"
                                         "DEBUG message Child \"inner\" recorder\nDEBUG message Done \"good\" recorder\n"
                                         "WARNING incomplete Child\nDEBUG message A \"outer\" recorder\n"
                                         "WARNING incomplete A\n");
    step_logger_free(done);
    step_logger_free(unstarted);
    step_logger_free(child);
    step_logger_free(op);
    capture_free(c);
}

static int leave_open(void)
{
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    step_log_t *log;
    options.flight_recorder_bytes = RECORDER_BYTES;
    if (step_log_open(&options, &log) != STEP_OK || step_log_set_default(log) != STEP_OK ||
        step_log_add_output(log, step_sink_fd(STDOUT_FILENO), plain_format(0), 0) != STEP_OK)
        return 1;
    started("A");
    step_debug("detail");
    return 0;
}

static const child_program_t programs[] = { { "leave_open", leave_open } };

static void open_at_exit(void **state)
{
    static child_result_t result;
    (void)state;
    child_run("leave_open", (const char *const[]){ NULL }, NULL, &result);
    assert_int_equal(result.status, 0);
    assert_string_equal(result.out, "INFO start A\nDEBUG message A \"detail\" recorder\nWARNING incomplete A\n");
}

/* ---- Parents and children ---- */

static void what_a_child_leaves_to_its_parent(void **state)
{
    test_log_t *t = *state;
    open_recording(t, STEP_LEVEL_INFO, PLAIN_ORDER);
    step_logger_t *op = started("A");
    step_debug("before");
    step_logger_t *child = started("Child");
    step_debug("in child");
    step_logger_message(op, STEP_LEVEL_DEBUG, "of the parent meanwhile");
    step_debug("in child again");
    finish(child);
    step_debug("after");
    new_text(t);
    step_logger_failure(op, "no");
    finish(op);
    expect_text(t, "DEBUG message A \"before\" seq=1 at=0 recorder\n"
                   "DEBUG message Child \"in child\" seq=3 at=0 recorder\n"
                   "DEBUG message A \"of the parent meanwhile\" seq=4 at=0 recorder\n"
                   "DEBUG message Child \"in child again\" seq=5 at=0 recorder\n"
                   "DEBUG message A \"after\" seq=7 at=0 recorder\n"
                   "ERROR failure A \"no\" seq=8 at=0\nINFO complete A seq=9 at=0\n");
}

static void a_failing_child_of_a_good_parent(void **state)
{
    test_log_t *t = *state;
    open_recording(t, STEP_LEVEL_INFO, 0);
    step_logger_t *op = started("A");
    step_debug("outer");
    step_logger_t *sibling = started("Good");
    step_debug("of a sibling");
    finish(sibling);
    step_logger_t *child = started("Bad");
    step_debug("inner");
    step_logger_failure(child, "no");
    finish(child);
    finish(op);
    expect_text(t, "INFO start A\nINFO start Good\nINFO complete Good\nINFO start Bad\n"
                   "DEBUG message Bad \"inner\" recorder\nERROR failure Bad \"no\"\nINFO complete Bad\nINFO complete A\n");
    expect_stats(t, 10, 2, 0);
}

/* A child that ends well when its parent is over leaves its lines to nobody. */
static void a_child_outlives_its_parent(void **state)
{
    test_log_t *t = *state;
    open_recording(t, STEP_LEVEL_INFO, 0);
    step_logger_t *op = started("A");
    step_logger_t *child = started("Child");
    step_debug("inner");
    finish(op);
    finish(child);
    expect_text(t, "INFO start A\nINFO start Child\nINFO complete A\nINFO complete Child\n");
    expect_stats(t, 5, 1, 0);
}

/* ---- Levels ---- */

static const char *since(step_sink_t *sink, size_t *seen)
{
    const char *text = step_sink_memory_text(sink) + *seen;
    *seen += strlen(text);
    return text;
}

/* What a recorder shows counts as a line at the log's level. */
static void levels_of_outputs(void **state)
{
    static const step_level_t levels[] = { 0, STEP_LEVEL_DEBUG, STEP_LEVEL_INFO, STEP_LEVEL_INFO + 1, STEP_LEVEL_ERROR };
    enum { OUTPUTS = sizeof(levels) / sizeof(levels[0]) };
    test_log_t *t = *state;
    step_sink_t *sinks[OUTPUTS];
    size_t seen[OUTPUTS] = { 0 };
    open_recording(t, STEP_LEVEL_INFO, 0);
    for (int i = 0; i < OUTPUTS; i++) {
        sinks[i] = step_sink_memory(1 << 16);
        assert_int_equal(step_log_add_output(t->log, sinks[i], plain_format(0), levels[i]), STEP_OK);
    }
    step_logger_t *op = started("A");
    step_debug("detail");
    step_logger_failure(op, "no");
    finish(op);
    step_log_flush(t->log, TEST_FLUSH_MS);
    for (int i = 0; i < OUTPUTS; i++)
        assert_string_equal(since(sinks[i], &seen[i]),
                            levels[i] <= STEP_LEVEL_INFO
                                ? "INFO start A\nDEBUG message A \"detail\" recorder\nERROR failure A \"no\"\nINFO complete A\n"
                                : "ERROR failure A \"no\"\n");
    assert_int_equal(step_log_set_level(t->log, STEP_LEVEL_ERROR), STEP_OK);
    op = started("B");
    step_debug("detail");
    step_logger_failure(op, "no");
    finish(op);
    step_log_flush(t->log, TEST_FLUSH_MS);
    for (int i = 0; i < OUTPUTS; i++)
        assert_string_equal(since(sinks[i], &seen[i]), "INFO start B recorder\nDEBUG message B \"detail\" recorder\n"
                                                       "ERROR failure B \"no\"\nINFO complete B recorder\n");
}

static void one_that_goes_wrong(test_log_t *t, int how)
{
    step_logger_t *op = started("A");
    step_debug("detail");
    if (how == 0)
        step_logger_failure(op, "no");
    if (how == 1)
        pass_ms(t, 11);
    if (how != 2)
        step_logger_complete(op);
    step_logger_free(op);
}

static void off_is_off(void **state)
{
    test_log_t *t = *state;
    for (int sampled = 0; sampled < 2; sampled++) {
        step_log_options_t options = recording(t, STEP_LEVEL_OFF);
        options.slow_ms = 10;
        options.sample_rate = sampled ? 0.5 : 1;
        capture_t *c = plain_log_open_captured(t, &options, 0);
        for (int how = 0; how < 3; how++)
            one_that_goes_wrong(t, how);
        const step_stats_t stats = balanced_stats(t->log);
        assert_int_equal(stats.recorded, 10);
        assert_int_equal(stats.held + stats.recorder_discarded, 0);
        step_logger_t *open = started("Open");
        step_debug("detail");
        test_log_close(t);
        assert_string_equal(capture_text(c), "");
        step_logger_free(open);
        capture_free(c);
    }
}

/* Whatever the level is, short of OFF, what goes wrong is shown. */
static void also_where_the_end_is_below_the_level(void **state)
{
    static const char *const expected[] = {
        "INFO start A recorder\nDEBUG message A \"detail\" recorder\nERROR failure A \"no\" recorder\nINFO complete A recorder\n",
        "INFO start A recorder\nDEBUG message A \"detail\" recorder\nINFO complete A recorder slow\n",
        "INFO start A recorder\nDEBUG message A \"detail\" recorder\nWARNING incomplete A recorder\n",
    };
    test_log_t *t = *state;
    for (int sampled = 0; sampled < 2; sampled++) {
        step_log_options_t options = recording(t, STEP_LEVEL_CRITICAL);
        options.slow_ms = 10;
        options.sample_rate = sampled ? 0 : 1;
        plain_log_open(t, &options, 0);
        for (int how = 0; how < 3; how++) {
            one_that_goes_wrong(t, how);
            expect_text(t, expected[how]);
        }
        capture_t *c = plain_log_open_captured(t, &options, 0);
        step_logger_t *open = started("A");
        step_debug("detail");
        test_log_close(t);
        assert_string_equal(capture_text(c), expected[2]);
        step_logger_free(open);
        capture_free(c);
    }
}

static void set_level_in_the_middle(void **state)
{
    test_log_t *t = *state;
    open_recording(t, STEP_LEVEL_INFO, 0);
    step_logger_t *op = started("A");
    step_debug("at info");
    assert_int_equal(step_log_set_level(t->log, STEP_LEVEL_DEBUG), STEP_OK);
    step_debug("at debug");
    assert_int_equal(step_log_set_level(t->log, STEP_LEVEL_WARNING), STEP_OK);
    step_info("at warning");
    expect_text(t, "INFO start A\nDEBUG message A \"at debug\"\n");
    step_logger_failure(op, "no");
    finish(op);
    expect_text(t, "DEBUG message A \"at info\" recorder\nINFO message A \"at warning\" recorder\n"
                   "ERROR failure A \"no\"\nINFO complete A recorder\n");
    assert_int_equal(step_log_set_level(t->log, STEP_LEVEL_OFF), STEP_OK);
    step_info("of none");
    expect_text(t, "");
    expect_stats(t, 6, 0, 0);
}

/* A rule's level instead of the log's. */
static void rules(void **state)
{
    test_log_t *t = *state;
    step_log_options_t options = recording(t, STEP_LEVEL_WARNING);
    options.level_rules = "Loud=debug,Quiet=off,Info=info";
    plain_log_open(t, &options, 0);
    step_logger_t *op = started("Loud");
    step_debug("detail");
    finish(op);
    expect_text(t, "INFO start Loud\nDEBUG message Loud \"detail\"\nINFO complete Loud\n");
    op = started("Quiet");
    step_error("detail");
    step_logger_failure(op, "no");
    finish(op);
    expect_text(t, "");
    op = started("Info");
    step_debug("detail");
    step_logger_failure(op, "no");
    finish(op);
    expect_text(t, "INFO start Info\nDEBUG message Info \"detail\" recorder\nERROR failure Info \"no\"\nINFO complete Info\n");
    step_info("of none");
    step_quick_success(1, "quick", 2, step_kv("n", 1));
    expect_text(t, "");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_without_failure),
        TEST(all_of_it_just_before_the_failure),
        TEST(operations_below_the_level),
        TEST(when_it_is_slow),
        TEST(when_it_never_ends),
        TEST(open_at_close),
        TEST(open_at_exit),
        TEST(what_a_child_leaves_to_its_parent),
        TEST(a_failing_child_of_a_good_parent),
        TEST(a_child_outlives_its_parent),
        TEST(levels_of_outputs),
        TEST(off_is_off),
        TEST(also_where_the_end_is_below_the_level),
        TEST(set_level_in_the_middle),
        TEST(rules),
    };
    child_main(argc, argv, programs, sizeof(programs) / sizeof(programs[0]));
    return test_in_both_modes(tests);
}
