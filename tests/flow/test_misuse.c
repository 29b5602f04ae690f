/* Calls in the wrong order: each keeps its data, says what was wrong, is counted, and keeps its place. */
#include "support/test_log.h"

#include <limits.h>

static void expect_misused(test_log_t *t, uint64_t times)
{
    const step_stats_t stats = balanced_stats(t->log);
    assert_int_equal(stats.misused, times);
    assert_int_equal(stats.dropped, 0);
}

/* An operation that was started, its START line read. */
static step_logger_t *started(test_log_t *t, const char *name, int total_steps)
{
    step_logger_t *op = step_logger_new(name, total_steps);
    step_logger_start(op);
    new_text(t);
    return op;
}

static void outcomes_without_a_step(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = started(t, "Sync", 3);
    step_logger_success(op, step_kv("rows", 3), step_percent("rate", 2.5));
    step_logger_skip(op, "not needed", step_kv("rows", 0));
    step_logger_skip(op, NULL);
    step_logger_step(op, 1, "Reading");
    step_logger_success(op);
    step_logger_success(op, step_kv("again", "yes"));
    step_logger_complete(op);
    step_logger_free(op);
    expect_text(t, "[WARNING] success() without step() in operation \"Sync\" (rows=3, rate=2.5%)\n"
                   "[WARNING] skip() without step() in operation \"Sync\": not needed (rows=0)\n"
                   "[WARNING] skip() without step() in operation \"Sync\"\n"
                   "[INFO] ▶️  [1/3] Reading\n"
                   "[INFO] ✅ [1/3] Reading - SUCCESS (duration_ms=0.0)\n"
                   "[WARNING] success() without step() in operation \"Sync\" (again=yes)\n"
                   "[INFO] 🏁 COMPLETE: Sync (total_duration_ms=0.0)\n");
    assert_non_null(strstr(new_json(t), "\"level\":\"WARNING\",\"event\":\"message\",\"operation\":\"Sync\","
                                        "\"message\":\"success() without step() in operation \\\"Sync\\\"\","));
    expect_misused(t, 4);
}

/* A failure without a step is the operation's: no misuse. */
static void failure_without_a_step(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = started(t, "Sync", 3);
    step_logger_failure(op, "cannot begin");
    step_logger_failure(op, "really");
    step_logger_free(op);
    expect_text(t, "[ERROR] ❌ Sync - FAILED: cannot begin (duration_ms=0.0)\n"
                   "[ERROR] ❌ Sync - FAILED: really (duration_ms=0.0)\n");
    expect_misused(t, 0);
}

static void step_number_out_of_range(void **state)
{
    static const int numbers[] = { 0, -1, 4, INT_MAX, INT_MIN };
    test_log_t *t = *state;
    step_logger_t *op = started(t, "Sync", 3);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        char expected[512];
        step_logger_step(op, numbers[i], "Odd", step_bool("kept", true));
        step_logger_success(op, step_kv("rows", 1));
        snprintf(expected, sizeof(expected),
                 "[INFO] ▶️  [%d/3] Odd (kept=true)\n"
                 "[WARNING] step %d of 3 is out of range in operation \"Sync\"\n"
                 "[INFO] ✅ [%d/3] Odd - SUCCESS (rows=1, duration_ms=0.0)\n",
                 numbers[i], numbers[i], numbers[i]);
        expect_text(t, expected);
        expect_misused(t, i + 1);
    }
    step_logger_step(op, 3, "Last");
    step_logger_step(op, 1, "First"); /* any order is fine */
    step_logger_complete(op);
    step_logger_free(op);
    expect_misused(t, 5);
}

static void step_number_with_unknown_total(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = started(t, "Sync", 0);
    step_logger_step(op, INT_MAX, "Large");
    step_logger_step(op, 0, "Zero");
    step_logger_step(op, -1, "Less");
    step_logger_complete(op);
    step_logger_free(op);
    expect_text(t, "[INFO] ▶️  [Step 2147483647] Large\n"
                   "[INFO] ▶️  [Step 0] Zero\n"
                   "[WARNING] step 0 is out of range in operation \"Sync\"\n"
                   "[INFO] ▶️  [Step -1] Less\n"
                   "[WARNING] step -1 is out of range in operation \"Sync\"\n"
                   "[INFO] 🏁 COMPLETE: Sync (total_duration_ms=0.0)\n");
    expect_misused(t, 2);
}

/* The first start counts: parent, time and place. */
static void start_twice(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = started(t, "Sync", 1);
    pass_ms(t, 10);
    step_logger_start(op, step_kv("user", "ann"));
    pass_ms(t, 10);
    step_logger_complete(op);
    step_logger_free(op);
    step_info("in none");
    expect_text(t, "[WARNING] start() called again in operation \"Sync\" (user=ann)\n"
                   "[INFO] 🏁 COMPLETE: Sync (total_duration_ms=20.0)\n"
                   "[INFO] in none\n");
    expect_misused(t, 1);
}

static void complete_twice(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = started(t, "Sync", 1);
    step_logger_complete(op, step_kv("rows", 1));
    step_logger_complete(op, step_kv("rows", 2));
    step_logger_complete(op, step_kv("rows", 3));
    step_logger_free(op);
    expect_text(t, "[INFO] 🏁 COMPLETE: Sync (rows=1, total_duration_ms=0.0)\n"
                   "[WARNING] complete() called again in operation \"Sync\" (rows=2)\n"
                   "[WARNING] complete() called again in operation \"Sync\" (rows=3)\n");
    expect_misused(t, 2);
}

/* That it comes late is said once; the calls go on, and each is counted. */
static void calls_after_complete(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = started(t, "Sync", 2);
    step_logger_complete(op);
    step_logger_step(op, 1, "Late", step_kv("a", 1));
    step_logger_progress(op, 1, 2);
    pass_ms(t, 5);
    step_logger_success(op, step_kv("b", 2));
    step_logger_failure(op, "late too", step_kv("c", 3));
    step_logger_message(op, STEP_LEVEL_INFO, "a message", step_kv("d", 4));
    step_logger_start(op, step_kv("e", 5));
    step_info("in none");
    step_logger_free(op);
    expect_text(t, "[INFO] 🏁 COMPLETE: Sync (total_duration_ms=0.0)\n"
                   "[WARNING] step() after complete() in operation \"Sync\"\n"
                   "[INFO] ▶️  [1/2] Late (a=1)\n"
                   "[INFO] ⏳ [1/2] Late - PROGRESS: 1/2\n"
                   "[INFO] ✅ [1/2] Late - SUCCESS (b=2, duration_ms=5.0)\n"
                   "[ERROR] ❌ Sync - FAILED: late too (c=3, duration_ms=5.0)\n"
                   "[INFO] a message (d=4)\n"
                   "[WARNING] start() after complete() in operation \"Sync\" (e=5)\n"
                   "[INFO] in none\n");
    expect_misused(t, 5); /* step, progress, failure, message, start: success had its step */
}

static void each_first_call_after_complete(void **state)
{
    test_log_t *t = *state;
    for (int call = 0; call < 4; call++) {
        static const char *const expected[] = {
            "[WARNING] success() without step() in operation \"Sync\" (a=1)\n",
            "[WARNING] failure() after complete() in operation \"Sync\"\n"
            "[ERROR] ❌ Sync - FAILED: late (a=1, duration_ms=0.0)\n",
            "[WARNING] progress() after complete() in operation \"Sync\"\n"
            "[INFO] ⏳ Sync - PROGRESS: 1/2 (a=1)\n",
            "[WARNING] message() after complete() in operation \"Sync\"\n"
            "[WARNING] late (a=1)\n",
        };
        step_logger_t *op = started(t, "Sync", 1);
        step_logger_complete(op);
        new_text(t);
        if (call == 0)
            step_logger_success(op, step_kv("a", 1));
        else if (call == 1)
            step_logger_failure(op, "late", step_kv("a", 1));
        else if (call == 2)
            step_logger_progress(op, 1, 2, step_kv("a", 1));
        else
            step_logger_message(op, STEP_LEVEL_WARNING, "late", step_kv("a", 1));
        step_logger_free(op); /* completed once: not incomplete */
        expect_text(t, expected[call]);
        expect_misused(t, (uint64_t)call + 1);
    }
}

/* The call says so, starts the operation, and goes on: what comes later is as it should be. */
static void calls_before_start(void **state)
{
    test_log_t *t = *state;
    for (int call = 0; call < 5; call++) {
        static const char *const expected[] = {
            "[WARNING] step() before start() in operation \"Sync\"\n"
            "[INFO] 🚀 START: Sync\n"
            "[INFO] ▶️  [1/1] Early (a=1)\n",
            "[WARNING] failure() before start() in operation \"Sync\"\n"
            "[INFO] 🚀 START: Sync\n"
            "[ERROR] ❌ Sync - FAILED: early (a=1, duration_ms=0.0)\n",
            "[WARNING] progress() before start() in operation \"Sync\"\n"
            "[INFO] 🚀 START: Sync\n"
            "[INFO] ⏳ Sync - PROGRESS: 1/2 (a=1)\n",
            "[WARNING] success() without step() in operation \"Sync\" (a=1)\n"
            "[INFO] 🚀 START: Sync\n",
            "[WARNING] complete() before start() in operation \"Sync\"\n"
            "[INFO] 🚀 START: Sync\n",
        };
        step_logger_t *op = step_logger_new("Sync", 1);
        if (call == 0)
            step_logger_step(op, 1, "Early", step_kv("a", 1));
        else if (call == 1)
            step_logger_failure(op, "early", step_kv("a", 1));
        else if (call == 2)
            step_logger_progress(op, 1, 2, step_kv("a", 1));
        else if (call == 3)
            step_logger_success(op, step_kv("a", 1));
        if (call == 3)
            step_logger_start(op);
        step_logger_complete(op);
        step_logger_free(op);
        char text[1024];
        snprintf(text, sizeof(text), "%s[INFO] 🏁 COMPLETE: Sync (total_duration_ms=0.0)\n", expected[call]);
        expect_text(t, text);
        expect_misused(t, (uint64_t)call + 1);
    }
}

/* A message may come before start(): it stands where a root would. An operation that was never started leaves no trace. */
static void made_but_not_started(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = step_logger_new("Sync", 1);
    step_logger_message(op, STEP_LEVEL_INFO, "about to begin");
    step_logger_free(op);
    expect_text(t, "[INFO] about to begin\n");
    expect_misused(t, 0);
}

/* Used after it was freed: nothing happens, the log's owner is told, and the log counts it; also where it is not the default. */
static void freed_operation(void **state)
{
    test_log_t *t = *state;
    assert_int_equal(step_log_set_default(NULL), STEP_OK);
    step_logger_t *op = operation_in(t->log, "Sync", 1);
    step_logger_start(op);
    step_logger_complete(op);
    step_logger_free(op);
    step_logger_t *other = operation_in(t->log, "Other", 1); /* takes another place, for long */
    step_logger_start(other);
    new_text(t);
    step_logger_free(op);
    expect_told(t, "-1: an operation was used after it was freed: such a call does nothing\n");
    step_logger_free(op);
    step_logger_start(op, step_kv("a", 1));
    step_logger_step(op, 1, "x");
    step_logger_success(op);
    step_logger_failure(op, "x");
    step_logger_skip(op, "x");
    step_logger_progress(op, 1, 2);
    step_logger_complete(op);
    step_logger_message(op, STEP_LEVEL_ERROR, "x");
    assert_false(step_logger_wants(op, STEP_LEVEL_CRITICAL));
    step_logger_complete(other);
    step_logger_free(other);
    expect_text(t, "[INFO] 🏁 COMPLETE: Other (total_duration_ms=0.0)\n");
    expect_misused(t, 9); /* a message evaluates nothing on an operation that does not want it */
}

static void freed_parent(void **state)
{
    test_log_t *t = *state;
    step_logger_t *parent = started(t, "Parent", 0);
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.parent = parent;
    step_logger_t *before = step_logger_new_with("Before", &options);
    step_logger_complete(parent);
    step_logger_free(parent);
    step_logger_t *after = step_logger_new_with("After", &options); /* the pointer dangles already */
    new_text(t);
    step_logger_start(before);
    step_logger_complete(before);
    step_logger_start(after);
    step_logger_complete(after);
    step_logger_free(before);
    step_logger_free(after);
    expect_text(t, "[INFO] 🚀 START: Before\n"
                   "[INFO] 🏁 COMPLETE: Before (total_duration_ms=0.0)\n"
                   "[INFO] 🚀 START: After\n"
                   "[INFO] 🏁 COMPLETE: After (total_duration_ms=0.0)\n");
}

/* Nothing is thrown away silently: what is too long is cut on a code point's boundary, and marked. */
static void long_texts(void **state)
{
    test_log_t *t = *state;
    char name[901], reason[3001];
    for (size_t i = 0; i < 900; i += 3)
        memcpy(name + i, "€", 3);
    name[900] = '\0';
    for (size_t i = 0; i < 3000; i += 3)
        memcpy(reason + i, "…", 3);
    reason[3000] = '\0';
    step_logger_t *op = started(t, name, 1);
    step_logger_skip(op, reason);
    const char *line = new_text(t);
    static const char head[] = "[WARNING] skip() without step() in operation \"";
    assert_int_equal(strncmp(line, head, sizeof(head) - 1), 0);
    const char *after_name = line + sizeof(head) - 1 + 66 * 3; /* of at most 200 bytes */
    assert_int_equal(strncmp(after_name, "…\": ", 6), 0);
    assert_null(strstr(line, "\\x"));
    char mark[64];
    const size_t whole = sizeof("skip() without step() in operation \"") - 1 + 66 * 3 + 3 + 3 + 3000;
    snprintf(mark, sizeof(mark), "…[%zu bytes]\n", whole);
    assert_string_equal(line + strlen(line) - strlen(mark), mark);
    step_logger_free(op);
    op = started(t, NULL, 1);
    step_logger_success(op);
    expect_text(t, "[WARNING] success() without step() in operation \"null\"\n");
    step_logger_free(op);
}

/* With warnings off nothing is said, but all is counted, and steps keep their times. */
static void counted_when_off(void **state)
{
    test_log_t *t = *state;
    assert_int_equal(step_log_set_level(t->log, STEP_LEVEL_ERROR), STEP_OK);
    step_logger_t *op = step_logger_new("Sync", 1);
    step_logger_step(op, 9, "Reading");
    step_logger_success(op);
    step_logger_success(op);
    step_logger_complete(op);
    step_logger_complete(op);
    step_logger_free(op);
    expect_text(t, "");
    expect_misused(t, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(outcomes_without_a_step),
        TEST(failure_without_a_step),
        TEST(step_number_out_of_range),
        TEST(step_number_with_unknown_total),
        TEST(start_twice),
        TEST(complete_twice),
        TEST(calls_after_complete),
        TEST(each_first_call_after_complete),
        TEST(calls_before_start),
        TEST(made_but_not_started),
        TEST(freed_operation),
        TEST(freed_parent),
        TEST(long_texts),
        TEST(counted_when_off),
    };
    return test_in_both_modes(tests);
}
