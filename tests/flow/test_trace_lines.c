/* The ids in lines are those that step_logger_traceparent() gives out while the line is made, and lead from each line to what it
 * belongs to: in JSON and in logfmt. */
#include "support/test_log.h"

#define REMOTE_TRACE "0af7651916cd43dd8448eb211c80319c"
#define REMOTE_SPAN "b7ad6b7169203331"

typedef struct ids {
    char trace[33], span[17], flags[3];
} ids_t;

static test_log_t *t;
static step_sink_t *logfmt;
static size_t logfmt_seen;

static int setup(void **state)
{
    const int result = test_log_setup(state);
    t = *state;
    logfmt = step_sink_memory(1 << 20);
    logfmt_seen = 0;
    return result != 0 || step_log_add_output(t->log, logfmt, step_format_logfmt(), 0) != STEP_OK;
}

static ids_t ids_of(const step_logger_t *op)
{
    char text[56];
    ids_t ids = { .trace = "" };
    assert_int_equal(step_logger_traceparent(op, text), STEP_OK);
    assert_int_equal(sscanf(text, "00-%32[0-9a-f]-%16[0-9a-f]-%2[0-9a-f]", ids.trace, ids.span, ids.flags), 3);
    return ids;
}

static const char *new_logfmt(void)
{
    const char *text = step_sink_memory_text(logfmt) + logfmt_seen;
    logfmt_seen += strlen(text);
    return text;
}

/* All lines since the last look, of which there must be one: each has these ids, and that parent; NULL: none. */
static void expect_ids(const char *event, const ids_t *ids, const char *parent)
{
    char expected[256], member[64];
    const char *json = new_json(t);
    const char *pairs = new_logfmt();
    assert_ptr_equal(strchr(json, '\n') + 1, json + strlen(json));
    snprintf(member, sizeof(member), "\"event\":\"%s\"", event);
    assert_non_null(strstr(json, member));
    snprintf(expected, sizeof(expected), ",\"trace_id\":\"%s\",\"span_id\":\"%s\",%s%s%s\"trace_flags\":\"%s\",\"pid\":", ids->trace,
             ids->span, parent != NULL ? "\"parent_span_id\":\"" : "", parent != NULL ? parent : "",
             parent != NULL ? "\"," : "", ids->flags);
    if (strstr(json, expected) == NULL)
        fail_msg("expected %s in %s", expected, json);
    snprintf(expected, sizeof(expected), " trace_id=%s span_id=%s%s%s trace_flags=%s pid=", ids->trace, ids->span,
             parent != NULL ? " parent_span_id=" : "", parent != NULL ? parent : "", ids->flags);
    if (strstr(pairs, expected) == NULL)
        fail_msg("expected %s in %s", expected, pairs);
}

static void expect_no_ids(void)
{
    const char *json = new_json(t);
    const char *pairs = new_logfmt();
    assert_non_null(strstr(json, "\"event\":"));
    assert_null(strstr(json, "span"));
    assert_null(strstr(json, "trace"));
    assert_non_null(strstr(pairs, " event="));
    assert_null(strstr(pairs, "span"));
    assert_null(strstr(pairs, "trace"));
}

/* The lines that are no test's matter. */
static void overlook(void)
{
    new_json(t);
    new_logfmt();
}

static step_logger_t *started(const char *name, const step_logger_options_t *options)
{
    step_logger_t *op = step_logger_new_with(name, options);
    step_logger_start(op);
    return op;
}

static void an_operation_and_its_steps(void **state)
{
    (void)state;
    step_logger_t *op = started("Sync", NULL);
    const ids_t own = ids_of(op);
    expect_ids("operation_start", &own, NULL);
    for (int i = 1; i <= 3; i++) {
        step_logger_step(op, i, "one of three", step_kv("i", i));
        const ids_t step = ids_of(op);
        assert_string_not_equal(step.span, own.span);
        expect_ids("step_start", &step, own.span);
        step_info("during it");
        expect_ids("message", &step, own.span);
        step_logger_progress(op, 1, 2);
        expect_ids("progress", &step, own.span);
        if (i == 1)
            step_logger_success(op, step_kv("rows", 7));
        else if (i == 2)
            step_logger_skip(op, "nothing to do");
        else
            step_logger_failure(op, "no");
        expect_ids(i == 1 ? "step_success" : i == 2 ? "step_skip" : "step_failure", &step, own.span);
        step_info("between them");
        expect_ids("message", &own, NULL);
    }
    step_logger_failure(op, "all of it");
    expect_ids("step_failure", &own, NULL);
    step_logger_complete(op);
    expect_ids("operation_complete", &own, NULL);
    step_logger_free(op);
}

static void a_retry_is_a_span_of_its_own(void **state)
{
    (void)state;
    step_logger_t *op = started("Sync", NULL);
    const ids_t own = ids_of(op);
    step_logger_step(op, 1, "again and again");
    const ids_t first = ids_of(op);
    step_logger_failure(op, "no");
    overlook();
    step_logger_step(op, 1, "again and again");
    const ids_t second = ids_of(op);
    assert_string_not_equal(first.span, second.span);
    expect_ids("step_start", &second, own.span);
    step_logger_success(op);
    expect_ids("step_success", &second, own.span);
    step_logger_complete(op);
    step_logger_free(op);
}

static void children_belong_to_steps(void **state)
{
    (void)state;
    step_logger_t *op = started("outer", NULL);
    const ids_t own = ids_of(op);
    step_logger_step(op, 1, "calls another");
    const ids_t step = ids_of(op);
    overlook();
    step_logger_t *child = started("inner", NULL);
    const ids_t of_child = ids_of(child);
    assert_string_equal(of_child.trace, own.trace);
    expect_ids("operation_start", &of_child, step.span);
    step_logger_step(child, 1, "deeper");
    const ids_t of_child_step = ids_of(child);
    expect_ids("step_start", &of_child_step, of_child.span);
    step_logger_success(child);
    expect_ids("step_success", &of_child_step, of_child.span);
    step_logger_complete(child);
    expect_ids("operation_complete", &of_child, step.span);
    step_logger_success(op);
    expect_ids("step_success", &step, own.span);
    step_logger_t *between = started("between steps", NULL);
    const ids_t of_between = ids_of(between);
    expect_ids("operation_start", &of_between, own.span);
    step_logger_free(child);
    step_logger_free(between);
    step_logger_free(op);
}

static void *start_and_complete(void *parent)
{
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.parent = parent;
    step_logger_t *op = started("elsewhere", &options);
    step_logger_complete(op);
    step_logger_free(op);
    return NULL;
}

static void explicit_parents(void **state)
{
    (void)state;
    pthread_t thread;
    char member[64];
    step_logger_t *op = started("here", NULL);
    step_logger_step(op, 1, "asks another thread");
    const ids_t step = ids_of(op);
    overlook();
    assert_int_equal(pthread_create(&thread, NULL, start_and_complete, op), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    const char *json = new_json(t);
    new_logfmt();
    snprintf(member, sizeof(member), "\"trace_id\":\"%s\"", step.trace);
    assert_non_null(strstr(json, member));
    assert_non_null(strstr(strchr(json, '\n'), member));
    snprintf(member, sizeof(member), "\"parent_span_id\":\"%s\"", step.span);
    assert_non_null(strstr(json, member));
    assert_non_null(strstr(strchr(json, '\n'), member));

    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.parent = step_logger_no_parent();
    step_logger_t *root = started("nobody's", &options);
    const ids_t of_root = ids_of(root);
    assert_string_not_equal(of_root.trace, step.trace);
    expect_ids("operation_start", &of_root, NULL);
    step_logger_free(root);
    step_logger_free(op);
}

static void a_given_traceparent(void **state)
{
    (void)state;
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.traceparent = "00-" REMOTE_TRACE "-" REMOTE_SPAN "-00";
    step_logger_t *op = started("continued", &options);
    const ids_t own = ids_of(op);
    assert_string_equal(own.trace, REMOTE_TRACE);
    assert_string_equal(own.flags, "00");
    expect_ids("operation_start", &own, REMOTE_SPAN);
    step_logger_step(op, 1, "step");
    const ids_t step = ids_of(op);
    expect_ids("step_start", &step, own.span);
    step_logger_success(op);
    expect_ids("step_success", &step, own.span);
    step_logger_complete(op);
    expect_ids("operation_complete", &own, REMOTE_SPAN);
    step_logger_free(op);
}

/* Its step is told in it, but the line is the operation's: freed, and found open when the log is closed. */
static void incomplete_operations(void **state)
{
    (void)state;
    step_logger_t *op = started("given up", NULL);
    ids_t own = ids_of(op);
    step_logger_step(op, 1, "open");
    overlook();
    step_logger_free(op);
    expect_ids("operation_incomplete", &own, NULL);
}

static void what_is_no_operations_has_none(void **state)
{
    (void)state;
    step_info("alone");
    expect_no_ids();
    step_quick_success(1, "quick", 2);
    expect_no_ids();
    step_logger_t *op = step_logger_new("not started", 0);
    step_logger_message(op, STEP_LEVEL_INFO, "too early");
    const char *json = new_json(t);
    new_logfmt();
    assert_null(strstr(json, "span"));
    step_logger_free(op);
}

#undef TEST
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, test_log_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_operation_and_its_steps), TEST(a_retry_is_a_span_of_its_own), TEST(children_belong_to_steps),
        TEST(explicit_parents),           TEST(a_given_traceparent),          TEST(incomplete_operations),
        TEST(what_is_no_operations_has_none),
    };
    return test_in_both_modes(tests);
}
