/* step_logger/testing.h: what is expected of a log, when it is met, and what is said when it is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <step_logger/testing.h>

#include "support/child.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static step_capture_t *capture;

static int start(void **state)
{
    (void)state;
    capture = step_capture_new(NULL);
    return capture == NULL;
}

static int end(void **state)
{
    (void)state;
    step_capture_free(capture);
    return 0;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, end)
#define MEETS(expectation) step_assert(capture, expectation)
#define MISSES(expectation) assert_false(step_capture_meets(capture, expectation))

/* What is said begins so. */
static void says(step_expectation_t expectation, const char *beginning)
{
    const char *text = step_capture_check(capture, expectation);
    assert_non_null(text);
    if (strncmp(text, beginning, strlen(beginning)) != 0)
        assert_string_equal(text, beginning);
}

/* The specification's first flow, with a retry. */
static void provider_fetch(void)
{
    step_logger_t *op = step_logger_new("Provider Fetch", 4);
    step_logger_start(op, step_kv("provider", "openrouter"));
    step_logger_step(op, 1, "Validating API key");
    step_logger_success(op, step_bool("is_set", true));
    step_logger_step(op, 2, "Fetching models from API", step_kv("timeout_s", 30));
    step_capture_advance_ms(capture, 250);
    step_logger_failure(op, "HTTP 503: Service is being upgraded", step_kv("status", 503));
    step_message(STEP_LEVEL_WARNING, "Trying again");
    step_logger_step(op, 2, "Fetching models from API", step_kv("timeout_s", 30));
    step_logger_success(op, step_kv("status", 200), step_fixed("cost", 0.125, 2), step_kv("share", 0.5),
                        step_secret("key", "hunter2"), step_str("none", NULL));
    step_logger_step(op, 3, "Caching models");
    step_logger_skip(op, "nothing has changed");
    step_logger_complete(op, step_kv("models", 2756));
    step_logger_free(op);
}

static step_logger_t *left_open(const char *name)
{
    step_logger_t *op = step_logger_new(name, 3);
    step_logger_start(op);
    step_logger_step(op, 1, "One");
    step_logger_success(op);
    step_logger_step(op, 2, "Two");
    return op;
}

/* ---- Lines ---- */

static void what_happened_is_met(void **state)
{
    (void)state;
    provider_fetch();
    MEETS(step_started("Provider Fetch"));
    MEETS(step_completed("Provider Fetch"));
    MEETS(step_began("Provider Fetch", 3));
    MEETS(step_succeeded("Provider Fetch", 1));
    MEETS(step_succeeded("Provider Fetch", 2));
    MEETS(step_failed("Provider Fetch", 2, "HTTP 503: Service is being upgraded"));
    MEETS(step_failed("Provider Fetch", 2, "HTTP 503*"));
    MEETS(step_failed("*", STEP_ANY_STEP, "*upgraded"));
    MEETS(step_failed(NULL, 2, NULL));
    MEETS(step_skipped("Provider Fetch", 3, "nothing has changed"));
    MEETS(step_logged(STEP_LEVEL_WARNING, "Trying again"));
    MEETS(step_logged(STEP_LEVEL_WARNING + 2, "Trying again"));
    MEETS(step_logged(0, "Trying*"));
    MEETS(step_retried("Provider Fetch", 2, 1));
    MEETS(step_retried("Provider Fetch", 1, 0));
    MEETS(step_nothing_from(STEP_LEVEL_CRITICAL));
}

static void what_did_not_happen_is_not(void **state)
{
    (void)state;
    provider_fetch();
    MISSES(step_started("Provider"));
    MISSES(step_completed("Provider Fetch "));
    MISSES(step_left_incomplete("Provider Fetch"));
    MISSES(step_began("Provider Fetch", 4));
    MISSES(step_succeeded("Provider Fetch", 3));
    MISSES(step_failed("Provider Fetch", 1, NULL));
    MISSES(step_failed("Provider Fetch", STEP_NO_STEP, NULL));
    MISSES(step_failed("Provider Fetch", 2, "HTTP 503"));
    MISSES(step_failed("Provider Fetch", 2, "http 503*"));
    MISSES(step_skipped("Provider Fetch", 3, "nothing"));
    MISSES(step_skipped("Provider Fetch", 2, NULL));
    MISSES(step_logged(STEP_LEVEL_INFO, "Trying again"));
    MISSES(step_logged(0, "Trying"));
    MISSES(step_retried("Provider Fetch", 2, 0));
    MISSES(step_retried("Provider Fetch", 2, 2));
    MISSES(step_retried("Provider Fetch", 4, 0));
    MISSES(step_retried("Provider Fetch", 4, -1));
    MISSES(step_nothing_from(STEP_LEVEL_ERROR));
    MISSES(step_nothing_from(STEP_LEVEL_DEBUG));
}

static void operations_fail_as_a_whole_and_are_left(void **state)
{
    (void)state;
    step_logger_t *op = step_logger_new("Sync", 0);
    step_logger_start(op);
    step_logger_failure(op, "quota exceeded");
    step_logger_free(op);
    step_logger_free(left_open("Left"));
    MEETS(step_failed("Sync", STEP_NO_STEP, "quota exceeded"));
    MEETS(step_failed("Sync", STEP_ANY_STEP, "quota*"));
    MISSES(step_failed("Sync", 1, NULL));
    MEETS(step_left_incomplete("Left"));
    MISSES(step_left_incomplete("Sync"));
}

static void how_often_counts(void **state)
{
    (void)state;
    provider_fetch();
    provider_fetch();
    MEETS(step_times(step_failed("Provider Fetch", 2, NULL), 2));
    MISSES(step_times(step_failed("Provider Fetch", 2, NULL), 1));
    MISSES(step_times(step_failed("Provider Fetch", 2, NULL), 3));
    MEETS(step_never(step_failed("Provider Fetch", 1, NULL)));
    MISSES(step_never(step_failed("Provider Fetch", 2, NULL)));
    MEETS(step_times(step_failed("Provider Fetch", 1, NULL), -1)); /* fewer than none is none */
    MEETS(step_never(step_is_open("Provider Fetch")));
    MEETS(step_never(step_nothing_from(STEP_LEVEL_ERROR)));
    MEETS(step_never(step_retried("Provider Fetch", 2, 7)));
    MISSES(step_never(step_retried("Provider Fetch", 2, 1)));
    MEETS(step_never(step_course("Provider Fetch", "nothing")));
}

/* ---- Fields ---- */

static step_expectation_t success_with(step_field_t field)
{
    return step_with(step_succeeded("Provider Fetch", 2), field);
}

static void fields_are_compared_by_value(void **state)
{
    (void)state;
    provider_fetch();
    MEETS(success_with(step_kv("status", 200)));
    MEETS(success_with(step_kv("status", 200u)));
    MEETS(success_with(step_kv("status", 200.0)));
    MEETS(success_with(step_kv("share", 0.5)));
    MEETS(success_with(step_fixed("cost", 0.125, 2)));
    MEETS(success_with(step_fixed("share", 0.5, 1)));
    MEETS(success_with(step_percent("share", 0.5)));
    MEETS(success_with(step_secret("key", "whatever")));
    MEETS(success_with(step_kv("key", "***")));
    MEETS(success_with(step_str("none", NULL)));
    MEETS(step_with(success_with(step_kv("status", 200)), step_kv("share", 0.5)));
    MEETS(step_with(step_succeeded("Provider Fetch", 1), step_bool("is_set", true)));
    MEETS(step_with(step_succeeded("Provider Fetch", 1), step_kv("is_set", 1)));
    MEETS(step_with(step_started("Provider Fetch"), step_strn("provider", "openrouter!", 10)));

    MISSES(success_with(step_kv("status", 503)));
    MISSES(success_with(step_kv("status", "200")));
    MISSES(success_with(step_bool("status", true)));
    MISSES(success_with(step_kv("Status", 200)));
    MISSES(success_with(step_fixed("share", 0.56, 1)));
    MISSES(success_with(step_kv("share", 0.5000001)));
    MISSES(success_with(step_kv("none", "null")));
    MISSES(success_with(step_kv("none", 0)));
    MISSES(success_with(step_secret("share", "x")));
    MISSES(step_with(success_with(step_kv("status", 200)), step_kv("share", 0.25)));
    MISSES(step_with(step_succeeded("Provider Fetch", 1), step_kv("is_set", 2)));
    MISSES(step_with(step_succeeded("Provider Fetch", 1), step_bool("is_set", false)));
    MISSES(step_with(step_started("Provider Fetch"), step_strn("provider", "openrouter", 4)));
}

static void large_numbers_are_not_confused(void **state)
{
    (void)state;
    step_info("large", step_kv("a", UINT64_MAX), step_kv("b", -1), step_kv("c", INT64_MAX), step_f64("d", -INFINITY));
    MEETS(step_with(step_logged(0, "large"), step_kv("a", UINT64_MAX)));
    MISSES(step_with(step_logged(0, "large"), step_kv("a", -1)));
    MISSES(step_with(step_logged(0, "large"), step_kv("b", UINT64_MAX)));
    MISSES(step_with(step_logged(0, "large"), step_kv("c", INT64_MAX - 1)));
    MEETS(step_with(step_logged(0, "large"), step_u64("c", INT64_MAX)));
    MEETS(step_with(step_logged(0, "large"), step_f64("d", (double)NAN))); /* JSON has neither */
    MISSES(step_with(step_logged(0, "large"), step_f64("c", INFINITY)));
}

static void members_of_the_lines_own_are_fields_too(void **state)
{
    (void)state;
    provider_fetch();
    MEETS(step_with(step_failed("Provider Fetch", 2, NULL), step_kv("duration_ms", 250)));
    MEETS(step_with(step_succeeded("Provider Fetch", 2), step_kv("attempt", 2)));
    MEETS(step_with(step_completed("Provider Fetch"), step_kv("total_duration_ms", 250)));
    MEETS(step_with(step_logged(0, "Trying again"), step_kv("operation", "Provider Fetch")));
    MISSES(step_with(step_failed("Provider Fetch", 2, NULL), step_kv("duration_ms", 251)));
    step_info("own", step_kv("pid", 1), step_kv("pid", 2));
    MEETS(step_with(step_logged(0, "own"), step_kv("pid", 1)));
    MEETS(step_with(step_logged(0, "own"), step_kv("pid", 2))); /* a key that is there twice */
    MISSES(step_with(step_logged(0, "own"), step_kv("pid", getpid())));
    MEETS(step_with(step_logged(0, "Trying again"), step_kv("pid", getpid())));
}

static void fields_are_like_patterns(void **state)
{
    (void)state;
    step_info("path", step_kv("path", "/srv/export.csv"), step_kv("rows", 12), step_str("none", NULL));
    const step_expectation_t logged = step_logged(0, "path");
    MEETS(step_with_like(logged, "path", "/srv/*.csv"));
    MISSES(step_with_like(logged, "path", "/srv/*.json"));
    MISSES(step_with(logged, step_kv("path", "/srv/*.csv")));
    MEETS(step_with_like(logged, "rows", NULL));
    MEETS(step_with_like(logged, "none", NULL));
    MISSES(step_with_like(logged, "none", "*"));
    MISSES(step_with_like(logged, "rows", "*"));
    MISSES(step_with_like(logged, "columns", NULL));
    MISSES(step_with_like(logged, NULL, NULL));
}

static void too_many_fields_are_not_forgotten(void **state)
{
    (void)state;
    step_info("many", step_kv("k", 1));
    step_expectation_t e = step_logged(0, "many");
    for (int i = 0; i < STEP_EXPECTED_FIELDS; i++)
        e = step_with(e, step_kv("k", 1));
    MEETS(e);
    MISSES(step_with(e, step_kv("k", 1)));
    says(step_with(e, step_kv("k", 1)), "expected: a message \"many\", k=1, k=1, k=1, k=1, k=1, k=1, k=1, k=1\n"
                                        "found:    more fields are expected than STEP_EXPECTED_FIELDS\n");
    MISSES(step_never(step_with(e, step_kv("k", 1)))); /* nor is its contrary met */
}

static void senseless_expectations_are_never_met(void **state)
{
    (void)state;
    const step_expectation_t none = { .kind = 0 };
    provider_fetch();
    MISSES(none);
    MISSES(step_never(none));
    MISSES(step_with(step_nothing_from(STEP_LEVEL_CRITICAL), step_kv("k", 1)));
    MISSES(step_with(step_course("Provider Fetch", "*"), step_kv("k", 1)));
    assert_null(step_capture_find(capture, none));
}

/* ---- Courses ---- */

static void the_course_is_the_order_of_steps(void **state)
{
    (void)state;
    provider_fetch();
    MEETS(step_course("Provider Fetch", "1 succeeded, 2 failed, 2 succeeded, 3 skipped, completed"));
    MEETS(step_course("Provider Fetch", "1 succeeded, *, completed"));
    MEETS(step_course("Provider Fetch", NULL));
    MISSES(step_course("Provider Fetch", "1 succeeded, 2 succeeded, 3 skipped, completed"));
    MISSES(step_course("Sync", NULL));
    says(step_course("Provider Fetch", "1 succeeded, 2 succeeded*"),
         "expected: \"Provider Fetch\" took the course \"1 succeeded, 2 succeeded*\"\n"
         "found:    it has ended, after the course \"1 succeeded, 2 failed, 2 succeeded, 3 skipped, completed\"\n"
         "the log:\n"
         "    [INFO] 🚀 START: Provider Fetch (provider=openrouter)\n");
    says(step_course("Sync", "*"), "expected: \"Sync\" took the course \"*\"\nfound:    it never started\n");
}

static void retries_are_those_of_the_latest_run(void **state)
{
    (void)state;
    provider_fetch();
    MEETS(step_retried(NULL, STEP_ANY_STEP, 1));
    step_logger_t *op = left_open("Provider Fetch");
    MEETS(step_retried("Provider Fetch", 2, 0));
    MISSES(step_retried("Provider Fetch", 2, 1));
    for (int i = 0; i < 3; i++)
        step_logger_step(op, 2, "Two");
    step_logger_step(op, 3, "Three");
    MEETS(step_retried("Provider Fetch", 2, 3));
    MEETS(step_retried("Provider Fetch", STEP_ANY_STEP, 3)); /* the one that was begun most often */
    step_logger_free(op);
}

static void the_latest_run_is_looked_at(void **state)
{
    (void)state;
    provider_fetch();
    step_logger_t *op = left_open("Provider Fetch");
    MEETS(step_course("Provider Fetch", "1 succeeded, 2 open"));
    MEETS(step_is_open("Provider Fetch"));
    says(step_never(step_is_open("Provider Fetch")), "expected: \"Provider Fetch\" is open, never\n"
                                                     "found:    it is open, after the course \"1 succeeded, 2 open\"\n");
    step_logger_step(op, 3, "Three"); /* the second one is left open: misuse, and said so */
    MEETS(step_course("Provider Fetch", "1 succeeded, 2 open, 3 open"));
    step_logger_free(op);
    MEETS(step_course("Provider Fetch", "1 succeeded, 2 open, 3 open, incomplete"));
    MEETS(step_never(step_is_open("Provider Fetch")));
    MISSES(step_is_open("Provider Fetch"));
}

static void other_operations_do_not_belong_to_it(void **state)
{
    (void)state;
    step_logger_t *outer = left_open("Outer");
    provider_fetch();
    MEETS(step_course("Outer", "1 succeeded, 2 open"));
    step_logger_failure(outer, "no");
    MEETS(step_never(step_is_open("Outer"))); /* it may be freed now, in silence */
    step_logger_failure(outer, "for good");
    MEETS(step_course("Outer", "1 succeeded, 2 failed, failed"));
    step_logger_complete(outer);
    MEETS(step_course("Outer", "1 succeeded, 2 failed, failed, completed"));
    step_logger_free(outer);
}

static step_logger_t *started_apart(const char *name)
{
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.parent = step_logger_no_parent();
    step_logger_t *op = step_logger_new_with(name, &options);
    step_logger_start(op);
    return op;
}

/* As in an event loop: their lines are mixed, and have the same names. */
static void operations_of_one_name_are_told_apart(void **state)
{
    (void)state;
    step_logger_t *first = started_apart("Request");
    step_logger_t *second = started_apart("Request");
    step_logger_step(first, 1, "Reading");
    step_logger_step(second, 1, "Reading");
    step_logger_failure(first, "reset by peer");
    step_logger_success(second);
    step_logger_step(first, 1, "Reading");
    step_logger_success(first);
    step_logger_complete(first);
    step_logger_step(second, 2, "Answering");
    MEETS(step_retried("Request", 1, 0));
    MEETS(step_course("Request", "1 succeeded, 2 open"));
    MEETS(step_is_open("Request"));
    step_logger_skip(second, "nobody listens");
    step_logger_complete(second);
    MEETS(step_course("Request", "1 succeeded, 2 skipped, completed"));
    step_logger_free(first);
    step_logger_free(second);
}

/* ---- What is found ---- */

static void find_gives_the_first_line(void **state)
{
    (void)state;
    provider_fetch();
    provider_fetch();
    const step_captured_t *line = step_capture_find(capture, step_failed("Provider Fetch", 2, NULL));
    assert_ptr_equal(line, step_capture_at(capture, 4));
    assert_int_equal(step_captured_field(line, "status")->value.i64, 503);
    assert_null(step_capture_find(capture, step_failed("Provider Fetch", 1, NULL)));
    assert_null(step_capture_find(capture, step_course("Provider Fetch", NULL)));
    assert_ptr_equal(step_capture_find(capture, step_nothing_from(STEP_LEVEL_WARNING)), line);
}

static void an_unmet_expectation_shows_the_log(void **state)
{
    (void)state;
    provider_fetch();
    assert_string_equal(
        step_capture_check(capture, step_with(step_failed("Provider Fetch", 2, "timeout*"), step_kv("status", 504))),
        "expected: \"Provider Fetch\" failed at step 2 with \"timeout*\", status=504\n"
        "found:    no such line; the nearest one, marked below, is not the same: its text is "
        "\"HTTP 503: Service is being upgraded\", its status is 503\n"
        "the log:\n"
        "    [INFO] 🚀 START: Provider Fetch (provider=openrouter)\n"
        "    [INFO] ▶️  [1/4] Validating API key\n"
        "    [INFO] ✅ [1/4] Validating API key - SUCCESS (is_set=true, duration_ms=0.0)\n"
        "    [INFO] ▶️  [2/4] Fetching models from API (timeout_s=30)\n"
        "  > [ERROR] ❌ [2/4] Fetching models from API - FAILED: HTTP 503: Service is being upgraded (status=503, duration_ms=250.0)\n"
        "    [WARNING] Trying again\n"
        "    [INFO] ▶️  [2/4] Fetching models from API (timeout_s=30)\n"
        "    [INFO] ✅ [2/4] Fetching models from API - SUCCESS (status=200, cost=0.12, share=0.5, key=***, none=null, duration_ms=0.0)\n"
        "    [INFO] ▶️  [3/4] Caching models\n"
        "    [INFO] ⏭️  [3/4] Caching models - SKIPPED: nothing has changed\n"
        "    [INFO] 🏁 COMPLETE: Provider Fetch (models=2756, total_duration_ms=250.0)\n");
}

static void each_expectation_has_its_words(void **state)
{
    (void)state;
    const char *nothing = "found:    no such line\nthe log is empty\n";
    char text[256];
#define SAYS(expectation, words)                                                                                       \
    do {                                                                                                               \
        snprintf(text, sizeof(text), "expected: %s\n%s", words, nothing);                                              \
        says(expectation, text);                                                                                       \
    } while (0)
    SAYS(step_started("X"), "\"X\" started");
    SAYS(step_started(NULL), "any operation started");
    SAYS(step_completed("X"), "\"X\" completed");
    SAYS(step_left_incomplete("X"), "\"X\" was left incomplete");
    SAYS(step_began("X", 2), "\"X\" began step 2");
    SAYS(step_succeeded("X", STEP_ANY_STEP), "\"X\" succeeded at any step");
    SAYS(step_failed("X", STEP_NO_STEP, "a\n\"b\"\x01"), "\"X\" failed outside of its steps with \"a\\n\\\"b\\\"\\x01\"");
    SAYS(step_failed("X", 2, NULL), "\"X\" failed at step 2");
    SAYS(step_skipped("X", 3, "cached"), "\"X\" skipped step 3: \"cached\"");
    SAYS(step_logged(STEP_LEVEL_WARNING, "Page was short"), "a message at WARNING \"Page was short\"");
    SAYS(step_times(step_logged(0, NULL), 2), "a message, exactly 2 times");
    SAYS(step_with_like(step_logged(0, NULL), "path", "/*"), "a message, path like \"/*\"");
    SAYS(step_with_like(step_logged(0, NULL), "path", NULL), "a message, path like anything");
    SAYS(step_with(step_logged(0, NULL), step_f64("f", 0.25)), "a message, f=0.25");
    SAYS(step_with(step_logged(0, NULL), step_u64("u", UINT64_MAX)), "a message, u=18446744073709551615");
    SAYS(step_with(step_logged(0, NULL), step_fixed("f", 1, 2)), "a message, f=1.00");
    SAYS(step_with(step_logged(0, NULL), step_bool("b", false)), "a message, b=false");
    SAYS(step_with(step_logged(0, NULL), step_secret("s", "hunter2")), "a message, s=***");
    SAYS(step_with(step_logged(0, NULL), step_strn("s", "abc", 2)), "a message, s=\"ab\"");
    SAYS(step_with(step_logged(0, NULL), step_str(NULL, NULL)), "a message, null=null");
    nothing = "found:    the step never began\n";
    SAYS(step_retried("X", 2, 1), "\"X\" retried step 2 exactly once");
    nothing = "found:    it never started\n";
    SAYS(step_is_open("X"), "\"X\" is open");
#undef SAYS
}

static void what_was_found_is_told(void **state)
{
    (void)state;
    provider_fetch();
    says(step_succeeded("Provider Fetch", 3), "expected: \"Provider Fetch\" succeeded at step 3\n"
                                              "found:    no such line; the nearest one, marked below, is not the same: "
                                              "it is a step_skip\n");
    says(step_failed("Provider Fetch", 3, "x"), "expected: \"Provider Fetch\" failed at step 3 with \"x\"\n"
                                                "found:    no such line; the nearest one, marked below, is not the same: "
                                                "it is a step_skip\n");
    says(step_skipped("Provider Fetch", 4, NULL), "expected: \"Provider Fetch\" skipped step 4\n"
                                                  "found:    no such line; the nearest one, marked below, is not the same: "
                                                  "its step is 3\n");
    says(step_logged(STEP_LEVEL_ERROR, "Trying again"), "expected: a message at ERROR \"Trying again\"\n"
                                                        "found:    no such line; the nearest one, marked below, is not "
                                                        "the same: its level is WARNING\n");
    says(success_with(step_kv("pages", 3)), "expected: \"Provider Fetch\" succeeded at step 2, pages=3\n"
                                            "found:    no such line; the nearest one, marked below, is not the same: "
                                            "it has no pages\n");
    says(step_retried("Provider Fetch", 2, 3), "expected: \"Provider Fetch\" retried step 2 exactly 3 times\n"
                                               "found:    it was retried once\n");
    says(step_nothing_from(STEP_LEVEL_WARNING), "expected: nothing at WARNING or above\n"
                                                "found:    2 such lines, marked below\n");
    assert_non_null(strstr(step_capture_check(capture, step_nothing_from(STEP_LEVEL_WARNING)), "  > [WARNING] Trying again\n"));
    says(step_never(step_completed("*")), "expected: \"*\" completed, never\nfound:    1 such line, marked below\n");
}

static void a_long_log_is_shown_in_part(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++)
        step_info(i == 500 ? "the one" : "another", step_kv("i", i));
    const char *text = step_capture_check(capture, step_never(step_logged(0, "the one")));
    assert_non_null(strstr(text, "    [INFO] another (i=19)\n    ... 480 more lines ...\n  > [INFO] the one (i=500)\n"
                                 "    ... 399 more lines ...\n    [INFO] another (i=900)\n"));
    assert_non_null(strstr(text, "    [INFO] another (i=999)\n"));
}

/* ---- Failing ---- */

static void failing_test(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++)
        step_info("a line that makes the text longer than a kilobyte", step_kv("i", i));
    step_assert(capture, step_completed("Provider Fetch"));
}

static int fail_in_cmocka(void)
{
    const struct CMUnitTest tests[] = { TEST(failing_test) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

static int fail_without_a_framework(void)
{
    stepi_fail("file.c", 12, "expected: this\n");
    return 0;
}

static const child_program_t programs[] = {
    { "cmocka", fail_in_cmocka },
    { "none", fail_without_a_framework },
};

static child_result_t result;

static void in_cmocka_the_whole_text_is_shown(void **state)
{
    (void)state;
    child_run("cmocka", (const char *const[]){ NULL }, NULL, &result);
    assert_int_equal(result.status, 1);
    assert_non_null(strstr(result.err, "expected: \"Provider Fetch\" completed\n"));
    assert_non_null(strstr(result.err, "    [INFO] a line that makes the text longer than a kilobyte (i=0)\n"));
    assert_non_null(strstr(result.err, "    [INFO] a line that makes the text longer than a kilobyte (i=49)\n"));
    assert_non_null(strstr(result.err, "test_expectations.c:"));
}

static void without_a_framework_the_process_is_aborted(void **state)
{
    (void)state;
    child_run("none", (const char *const[]){ NULL }, NULL, &result);
    assert_int_equal(result.status, 1000 + SIGABRT);
    assert_string_equal(result.err, "file.c:12: expected: this\n");
}

int main(int argc, char **argv)
{
    child_main(argc, argv, programs, sizeof(programs) / sizeof(programs[0]));
    const struct CMUnitTest tests[] = {
        TEST(what_happened_is_met),
        TEST(what_did_not_happen_is_not),
        TEST(operations_fail_as_a_whole_and_are_left),
        TEST(how_often_counts),
        TEST(fields_are_compared_by_value),
        TEST(large_numbers_are_not_confused),
        TEST(members_of_the_lines_own_are_fields_too),
        TEST(fields_are_like_patterns),
        TEST(too_many_fields_are_not_forgotten),
        TEST(senseless_expectations_are_never_met),
        TEST(the_course_is_the_order_of_steps),
        TEST(retries_are_those_of_the_latest_run),
        TEST(the_latest_run_is_looked_at),
        TEST(other_operations_do_not_belong_to_it),
        TEST(operations_of_one_name_are_told_apart),
        TEST(find_gives_the_first_line),
        TEST(an_unmet_expectation_shows_the_log),
        TEST(each_expectation_has_its_words),
        TEST(what_was_found_is_told),
        TEST(a_long_log_is_shown_in_part),
        TEST(in_cmocka_the_whole_text_is_shown),
        TEST(without_a_framework_the_process_is_aborted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
