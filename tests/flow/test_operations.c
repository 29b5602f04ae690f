/* What an operation's calls print: totals, outcomes, retries, its level, texts that are NULL or change after the call. */
#include "support/test_log.h"

#include <errno.h>

static void unknown_total(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = step_logger_new("Sync", 0);
    step_logger_start(op);
    step_logger_step(op, 1, "Listing", step_kv("bucket", "logs"));
    pass_ms(t, 5);
    step_logger_success(op, step_kv("objects", 3));
    step_logger_step(op, 2, "Copying");
    step_logger_failure(op, "disk full");
    step_logger_step(op, 3, "Cleaning");
    step_logger_skip(op, "nothing was copied");
    step_logger_complete(op);
    step_logger_free(op);
    expect_text(t, "[INFO] 🚀 START: Sync\n"
                   "[INFO] ▶️  [Step 1] Listing (bucket=logs)\n"
                   "[INFO] ✅ [Step 1] Listing - SUCCESS (objects=3, duration_ms=5.0)\n"
                   "[INFO] ▶️  [Step 2] Copying\n"
                   "[ERROR] ❌ [Step 2] Copying - FAILED: disk full (duration_ms=0.0)\n"
                   "[INFO] ▶️  [Step 3] Cleaning\n"
                   "[INFO] ⏭️  [Step 3] Cleaning - SKIPPED: nothing was copied\n"
                   "[INFO] 🏁 COMPLETE: Sync (total_duration_ms=5.0)\n");
    const char *json = new_json(t);
    assert_non_null(strstr(json, "\"step\":1,\"description\":\"Listing\","));
    assert_null(strstr(json, "total_steps"));
    assert_int_equal(balanced_stats(t->log).misused, 0);
}

static void negative_total_is_unknown(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = step_logger_new("Sync", -3);
    step_logger_start(op);
    step_logger_step(op, 7, "Listing");
    step_logger_success(op);
    step_logger_complete(op);
    step_logger_free(op);
    expect_text(t, "[INFO] 🚀 START: Sync\n"
                   "[INFO] ▶️  [Step 7] Listing\n"
                   "[INFO] ✅ [Step 7] Listing - SUCCESS (duration_ms=0.0)\n"
                   "[INFO] 🏁 COMPLETE: Sync (total_duration_ms=0.0)\n");
}

static void skip_keeps_reason_and_fields(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = step_logger_new("Sync", 2);
    step_logger_start(op);
    step_logger_step(op, 1, "Warming the cache");
    pass_ms(t, 5);
    step_logger_skip(op, "cache is warm", step_kv("age_s", 12));
    step_logger_step(op, 2, "Reporting");
    step_logger_skip(op, NULL);
    step_logger_complete(op);
    step_logger_free(op);
    expect_text(t, "[INFO] 🚀 START: Sync\n"
                   "[INFO] ▶️  [1/2] Warming the cache\n"
                   "[INFO] ⏭️  [1/2] Warming the cache - SKIPPED: cache is warm (age_s=12)\n"
                   "[INFO] ▶️  [2/2] Reporting\n"
                   "[INFO] ⏭️  [2/2] Reporting - SKIPPED: null\n"
                   "[INFO] 🏁 COMPLETE: Sync (total_duration_ms=5.0)\n");
    const char *json = new_json(t);
    assert_non_null(strstr(json, "\"event\":\"step_skip\",\"operation\":\"Sync\",\"step\":1,\"total_steps\":2,"
                                 "\"description\":\"Warming the cache\",\"reason\":\"cache is warm\","
                                 "\"duration_ms\":5,"));
    assert_non_null(strstr(json, "\"reason\":null,"));
}

/* A failure is the open step's; without one it is the operation's, with the operation's duration. */
static void failure_with_and_without_a_step(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = step_logger_new("Sync", 1);
    step_logger_start(op);
    pass_ms(t, 10);
    step_logger_step(op, 1, "Storing");
    pass_ms(t, 20);
    step_logger_failure(op, "constraint violated", step_kv("row", 17));
    pass_ms(t, 30);
    step_logger_failure(op, "gave up");
    step_logger_free(op);
    expect_text(t, "[INFO] 🚀 START: Sync\n"
                   "[INFO] ▶️  [1/1] Storing\n"
                   "[ERROR] ❌ [1/1] Storing - FAILED: constraint violated (row=17, duration_ms=20.0)\n"
                   "[ERROR] ❌ Sync - FAILED: gave up (duration_ms=60.0)\n");
    const char *json = new_json(t);
    assert_non_null(strstr(json, "\"event\":\"step_failure\",\"operation\":\"Sync\",\"error\":\"gave up\","
                                 "\"duration_ms\":60,\"depth\":0,"));
    assert_int_equal(balanced_stats(t->log).misused, 0);
}

static void failure_errno_names_the_error(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = step_logger_new("Sync", 2);
    step_logger_start(op);
    step_logger_step(op, 1, "Opening");
    step_logger_failure_errno(op, ENOENT, step_kv("path", "/etc/none"));
    step_logger_step(op, 2, "Opening");
    step_logger_failure_errno(op, 0);
    step_logger_free(op);
    expect_text(t, "[INFO] 🚀 START: Sync\n"
                   "[INFO] ▶️  [1/2] Opening\n"
                   "[ERROR] ❌ [1/2] Opening - FAILED: No such file or directory (path=/etc/none, duration_ms=0.0)\n"
                   "[INFO] ▶️  [2/2] Opening\n"
                   "[ERROR] ❌ [2/2] Opening - FAILED: Success (duration_ms=0.0)\n");
    const char *json = new_json(t);
    const char *first = strstr(json, "\"errno\":");
    assert_non_null(first);
    assert_int_equal(strncmp(first, "\"errno\":2,\"depth\"", 17), 0);
    assert_null(strstr(first + 1, "\"errno\":")); /* 0 is no error */
}

static void repeating_a_step_is_a_retry(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = step_logger_new("Sync", 2);
    step_logger_start(op);
    step_logger_step(op, 1, "Connecting");
    step_logger_failure(op, "refused");
    pass_ms(t, 100);
    step_logger_step(op, 1, "Connecting");
    pass_ms(t, 3);
    step_logger_failure(op, "refused");
    step_logger_step(op, 1, "Connecting again"); /* it is the number that makes it the same step */
    pass_ms(t, 4);
    step_logger_success(op);
    step_logger_step(op, 2, "Reading");
    step_logger_success(op);
    step_logger_complete(op);
    step_logger_free(op);
    expect_text(t, "[INFO] 🚀 START: Sync\n"
                   "[INFO] ▶️  [1/2] Connecting\n"
                   "[ERROR] ❌ [1/2] Connecting - FAILED: refused (duration_ms=0.0)\n"
                   "[INFO] ▶️  [1/2] Connecting\n"
                   "[ERROR] ❌ [1/2] Connecting - FAILED: refused (duration_ms=3.0)\n"
                   "[INFO] ▶️  [1/2] Connecting again\n"
                   "[INFO] ✅ [1/2] Connecting again - SUCCESS (duration_ms=4.0)\n"
                   "[INFO] ▶️  [2/2] Reading\n"
                   "[INFO] ✅ [2/2] Reading - SUCCESS (duration_ms=0.0)\n"
                   "[INFO] 🏁 COMPLETE: Sync (total_duration_ms=107.0)\n");
    const char *at = new_json(t);
    static const char *const attempts[] = { "", "", "", "2", "2", "3", "3", "", "", "" };
    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
        const char *end = strchr(at, '\n');
        const char *attempt = strstr(at, "\"attempt\":");
        const bool has = attempt != NULL && attempt < end;
        assert_int_equal(has, attempts[i][0] != '\0');
        if (has)
            assert_int_equal(attempt[sizeof("\"attempt\":") - 1], attempts[i][0]);
        at = end + 1;
    }
    assert_int_equal(balanced_stats(t->log).misused, 0);
}

/* WARNING as the base level: all lines are WARNING, but failures stay ERROR; and higher levels hold for failures, too. */
static void level_of_an_operation(void **state)
{
    test_log_t *t = *state;
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.total_steps = 3;
    options.level = STEP_LEVEL_WARNING;
    step_logger_t *op = step_logger_new_with("Critical Op", &options);
    step_logger_start(op);
    step_logger_step(op, 1, "One");
    step_logger_progress(op, 1, 2);
    step_logger_success(op);
    step_logger_step(op, 2, "Two");
    step_logger_skip(op, "no need");
    step_logger_step(op, 3, "Three");
    step_logger_failure(op, "bad");
    step_logger_complete(op);
    step_logger_free(op);
    options.level = STEP_LEVEL_CRITICAL;
    op = step_logger_new_with("Launch", &options);
    step_logger_start(op);
    step_logger_failure(op, "abort");
    step_logger_free(op);
    expect_text(t, "[WARNING] 🚀 START: Critical Op\n"
                   "[WARNING] ▶️  [1/3] One\n"
                   "[WARNING] ⏳ [1/3] One - PROGRESS: 1/2\n"
                   "[WARNING] ✅ [1/3] One - SUCCESS (duration_ms=0.0)\n"
                   "[WARNING] ▶️  [2/3] Two\n"
                   "[WARNING] ⏭️  [2/3] Two - SKIPPED: no need\n"
                   "[WARNING] ▶️  [3/3] Three\n"
                   "[ERROR] ❌ [3/3] Three - FAILED: bad (duration_ms=0.0)\n"
                   "[WARNING] 🏁 COMPLETE: Critical Op (total_duration_ms=0.0)\n"
                   "[CRITICAL] 🚀 START: Launch\n"
                   "[CRITICAL] ❌ Launch - FAILED: abort (duration_ms=0.0)\n");
}

static void null_and_empty_texts(void **state)
{
    test_log_t *t = *state;
    step_logger_t *op = step_logger_new(NULL, 1);
    step_logger_start(op, step_kv("name", (const char *)NULL), step_kv("empty", ""));
    step_logger_step(op, 1, NULL);
    step_logger_failure(op, NULL);
    step_logger_message(op, STEP_LEVEL_INFO, NULL);
    step_logger_complete(op);
    step_logger_free(op);
    op = step_logger_new("", 1);
    step_logger_start(op);
    step_logger_step(op, 1, "");
    step_logger_success(op);
    step_logger_complete(op);
    step_logger_free(op);
    expect_text(t, "[INFO] 🚀 START: null (name=null, empty=\"\")\n"
                   "[INFO] ▶️  [1/1] null\n"
                   "[ERROR] ❌ [1/1] null - FAILED: null (duration_ms=0.0)\n"
                   "[INFO] null\n"
                   "[INFO] 🏁 COMPLETE: null (total_duration_ms=0.0)\n"
                   "[INFO] 🚀 START: \n"
                   "[INFO] ▶️  [1/1] \n"
                   "[INFO] ✅ [1/1]  - SUCCESS (duration_ms=0.0)\n"
                   "[INFO] 🏁 COMPLETE:  (total_duration_ms=0.0)\n");
}

/* Nothing of the caller's is read after a call returned. */
static void texts_are_copied(void **state)
{
    test_log_t *t = *state;
    char text[] = "Copy A";
    char key[] = "key_a";
    char value[] = "value_a";
#define NEXT_LETTER() (text[5]++, key[4]++, value[6]++)
    step_logger_t *op = step_logger_new(text, 1);
    NEXT_LETTER();
    step_logger_start(op, step_str(key, value));
    NEXT_LETTER();
    step_logger_step(op, 1, text, step_strn(key, value, 7));
    NEXT_LETTER();
    step_logger_progress(op, 1, 2, step_str(key, value));
    NEXT_LETTER();
    step_logger_failure(op, text, step_str(key, value));
    NEXT_LETTER();
    step_logger_message(op, STEP_LEVEL_INFO, text, step_str(key, value));
    NEXT_LETTER();
    step_logger_complete(op, step_str(key, value));
    NEXT_LETTER();
    step_logger_free(op);
    expect_text(t, "[INFO] 🚀 START: Copy A (key_b=value_b)\n"
                   "[INFO] ▶️  [1/1] Copy C (key_c=value_c)\n"
                   "[INFO] ⏳ [1/1] Copy C - PROGRESS: 1/2 (key_d=value_d)\n"
                   "[ERROR] ❌ [1/1] Copy C - FAILED: Copy E (key_e=value_e, duration_ms=0.0)\n"
                   "[INFO] Copy F (key_f=value_f)\n"
                   "[INFO] 🏁 COMPLETE: Copy A (key_g=value_g, total_duration_ms=0.0)\n");
#undef NEXT_LETTER
}

/* Names longer than the backend would ever be sent in one piece come with every line of theirs, cut and marked alike. */
static void long_names(void **state)
{
    test_log_t *t = *state;
    char name[3001], expected[8192];
    memset(name, 'n', 3000);
    name[3000] = '\0';
    step_logger_t *op = step_logger_new(name, 1);
    step_logger_start(op);
    step_logger_step(op, 1, name);
    step_logger_success(op);
    step_logger_complete(op);
    step_logger_free(op);
    snprintf(expected, sizeof(expected),
             "[INFO] 🚀 START: %.1024s…[3000 bytes]\n"
             "[INFO] ▶️  [1/1] %.1024s…[3000 bytes]\n"
             "[INFO] ✅ [1/1] %.1024s…[3000 bytes] - SUCCESS (duration_ms=0.0)\n"
             "[INFO] 🏁 COMPLETE: %.1024s…[3000 bytes] (total_duration_ms=0.0)\n",
             name, name, name, name);
    expect_text(t, expected);
}

static void null_operation_does_nothing(void **state)
{
    test_log_t *t = *state;
    step_logger_t *const none[] = { NULL, step_logger_no_parent() };
    for (int i = 0; i < 2; i++) {
        step_logger_start(none[i], step_kv("a", 1));
        step_logger_step(none[i], 1, "x");
        step_logger_success(none[i]);
        step_logger_failure(none[i], "x");
        step_logger_failure_errno(none[i], EIO);
        step_logger_skip(none[i], "x");
        step_logger_progress(none[i], 1, 2);
        step_logger_message(none[i], STEP_LEVEL_ERROR, "x");
        step_logger_messagef(none[i], STEP_LEVEL_ERROR, "%d", 1);
        step_logger_complete(none[i]);
        assert_false(step_logger_wants(none[i], STEP_LEVEL_CRITICAL));
        assert_null(step_logger_attach(none[i]));
        step_logger_free(none[i]);
    }
    expect_text(t, "");
    const step_stats_t stats = balanced_stats(t->log);
    assert_int_equal(stats.recorded, 0);
    assert_int_equal(stats.misused, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(unknown_total),
        TEST(negative_total_is_unknown),
        TEST(skip_keeps_reason_and_fields),
        TEST(failure_with_and_without_a_step),
        TEST(failure_errno_names_the_error),
        TEST(repeating_a_step_is_a_retry),
        TEST(level_of_an_operation),
        TEST(null_and_empty_texts),
        TEST(texts_are_copied),
        TEST(long_names),
        TEST(null_operation_does_nothing),
    };
    return test_in_both_modes(tests);
}
