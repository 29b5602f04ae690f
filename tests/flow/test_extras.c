/* What an operation's lines carry besides, through the whole library: bound fields, keys that equal marks, the steps of canonical lines. */
#include "support/test_log.h"

static test_log_t *t;
static step_sink_t *canonical;
static size_t canonical_seen;

static int setup(void **state)
{
    const step_json_options_t options = { .size = sizeof(options), .canonical = 1 };
    const int result = test_log_setup(state);
    t = *state;
    canonical = step_sink_memory(1 << 20);
    canonical_seen = 0;
    return result != 0 || step_log_add_output(t->log, canonical, step_format_json_with(&options), 0) != STEP_OK;
}

/* The last line of the canonical output, from its duration to its depth: where its steps stand. */
static void expect_steps(const char *expected)
{
    char text[4096];
    new_json(t); /* flushes */
    const char *line = step_sink_memory_text(canonical) + canonical_seen;
    canonical_seen += strlen(line);
    const char *start = strstr(line, "\"step_1\"");
    const char *end = start != NULL ? strstr(start, ",\"depth\":") : NULL;
    if (end == NULL) {
        fail_msg("no steps in %s", line);
        return;
    }
    snprintf(text, sizeof(text), "%.*s", (int)(end - start), start);
    assert_string_equal(text, expected);
}

static void expect_user_fields(const char *json, const char *expected)
{
    const char *seq = strstr(json, "\"seq\":");
    assert_non_null(seq);
    const char *fields = seq + strcspn(seq, ",");
    assert_int_equal(strncmp(fields, expected, strlen(expected)), 0);
    assert_string_equal(fields + strlen(expected), "}\n");
}

static void bound_fields_of_all(void **state)
{
    (void)state;
    step_log_bind(t->log, step_kv("service", "catalog"), step_kv("host", "a b"));
    step_logger_t *op = operation_in(t->log, "Sync", 1);
    step_logger_bind(op, step_kv("request", 17));
    step_logger_start(op, step_kv("rows", 1), step_kv("host", "mine"));
    expect_text(t, "[INFO] 🚀 START: Sync (rows=1, host=mine, request=17, service=catalog, host=\"a b\")\n");
    expect_user_fields(new_json(t), ",\"rows\":1,\"host\":\"mine\",\"request\":17,\"service\":\"catalog\",\"host_1\":\"a b\"");
    step_logger_step(op, 1, "Reading");
    expect_text(t, "[INFO] ▶️  [1/1] Reading (request=17, service=catalog, host=\"a b\")\n");
    expect_user_fields(new_json(t), ",\"request\":17,\"service\":\"catalog\",\"host\":\"a b\"");
    pass_ms(t, 5);
    step_logger_success(op);
    expect_text(t, "[INFO] ✅ [1/1] Reading - SUCCESS (request=17, service=catalog, host=\"a b\", duration_ms=5.0)\n");
    step_logger_free(op);
    new_text(t);
    step_info("outside");
    expect_text(t, "[INFO] outside (service=catalog, host=\"a b\")\n");
}

/* The same keys in lines in which they are ours and in lines in which they are not. */
static void log_at(step_logger_t *op, int which)
{
    switch (which) {
    case 0:
        step_logger_start(op, step_kv("slow", 1), step_kv("sample_rate", 2));
        break;
    case 1:
        step_logger_message(op, STEP_LEVEL_INFO, "between", step_kv("slow", 1), step_kv("sample_rate", 2));
        break;
    default:
        step_logger_complete(op, step_kv("slow", 1), step_kv("sample_rate", 2));
        break;
    }
}

static void keys_that_are_marks_elsewhere(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        step_logger_t *op = operation_in(t->log, "Sync", 1);
        log_at(op, 0);
        expect_text(t, "[INFO] 🚀 START: Sync (slow=1, \"sample_rate\"=2)\n");
        log_at(op, 1);
        expect_text(t, "[INFO] between (slow=1, sample_rate=2)\n");
        log_at(op, 2);
        expect_text(t, "[INFO] 🏁 COMPLETE: Sync (\"slow\"=1, \"sample_rate\"=2, total_duration_ms=0.0)\n");
        step_logger_free(op);
    }
}

/* The same with ids, which some lines of a call site show and others do not. By the system's clock: lines of a call site that is
 * known take the short way then, whose keys are remembered. */
static void keys_that_are_ids_elsewhere(void **state)
{
    (void)state;
    const step_text_options_t text = { .size = sizeof(text), .ids = 1 };
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    step_log_t *log;
    step_sink_t *sink = step_sink_memory(1 << 16);
    options.mode = test_mode;
    assert_int_equal(step_log_open(&options, &log), STEP_OK);
    assert_int_equal(step_log_add_output(log, sink, step_format_text_with(&text), 0), STEP_OK);
    assert_int_equal(step_log_set_default(log), STEP_OK);
    step_logger_t *op = operation_in(log, "Sync", 1);
    for (int i = 0; i < 6; i++) {
        const bool in_operation = i == 2 || i == 3;
        if (i == 2)
            step_logger_start(op);
        if (i == 4)
            step_logger_complete(op);
        assert_int_equal(step_log_flush(log, TEST_FLUSH_MS), STEP_OK);
        const size_t seen = strlen(step_sink_memory_text(sink));
        step_info("asked", step_kv("trace_id", 1), step_kv("span_id", 2));
        assert_int_equal(step_log_flush(log, TEST_FLUSH_MS), STEP_OK);
        const char *line = step_sink_memory_text(sink) + seen;
        const char *expected = in_operation ? "[INFO] asked (\"trace_id\"=1, \"span_id\"=2, trace_id="
                                            : "[INFO] asked (trace_id=1, span_id=2)\n";
        if (strncmp(line, expected, strlen(expected)) != 0)
            fail_msg("expected %s is %s", expected, line);
    }
    step_logger_free(op);
    assert_int_equal(step_log_set_default(t->log), STEP_OK);
    assert_int_equal(step_log_close(log), STEP_OK);
}

static void one_step(step_logger_t *op, int number, const char *description, int64_t ms)
{
    step_logger_step(op, number, description);
    pass_ms(t, ms);
}

static void canonical_lines(void **state)
{
    (void)state;
    step_logger_t *op = operation_in(t->log, "Sync", 3);
    step_logger_start(op);
    one_step(op, 1, "Reading", 10);
    step_logger_success(op);
    one_step(op, 2, "Storing", 20);
    step_logger_failure(op, "lock");
    one_step(op, 2, "Storing", 30);
    step_logger_success(op);
    one_step(op, 1, "Reading more", 40);
    step_logger_skip(op, "nothing there");
    step_logger_complete(op);
    step_logger_free(op);
    expect_steps("\"step_1\":\"success\",\"step_1_description\":\"Reading\",\"step_1_duration_ms\":10,"
                 "\"step_2\":\"success\",\"step_2_description\":\"Storing\",\"step_2_duration_ms\":30,\"step_2_attempts\":2,"
                 "\"step_1_2\":\"skip\",\"step_1_2_description\":\"Reading more\",\"step_1_2_duration_ms\":40");
    op = operation_in(t->log, "Sync", 3);
    step_logger_start(op);
    one_step(op, 1, "Reading", 7);
    step_logger_free(op);
    expect_steps("\"step_1\":\"open\",\"step_1_description\":\"Reading\",\"step_1_duration_ms\":7");
}

static void more_steps_than_are_told(void **state)
{
    (void)state;
    step_logger_t *op = operation_in(t->log, "Sync", 0);
    step_logger_start(op);
    for (int i = 1; i <= 70; i++) {
        one_step(op, i, "Page", 0);
        step_logger_success(op);
    }
    step_logger_complete(op, step_kv("step_64", 1), step_kv("step_65", 2), step_kv("steps_omitted", 3));
    step_logger_free(op);
    new_json(t);
    const char *text = step_sink_memory_text(canonical);
    assert_non_null(strstr(text, "\"step_64\":\"success\",\"step_64_description\":\"Page\",\"step_64_duration_ms\":0,\"steps_omitted\":6,"));
    /* step_65 looks like a renaming of the reserved name `step` */
    assert_non_null(strstr(text, ",\"step_64_1\":1,\"step_65_1\":2,\"steps_omitted_1\":3}"));
}

#undef TEST
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, test_log_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bound_fields_of_all),
        TEST(keys_that_are_marks_elsewhere),
        TEST(keys_that_are_ids_elsewhere),
        TEST(canonical_lines),
        TEST(more_steps_than_are_told),
    };
    return test_in_both_modes(tests);
}
