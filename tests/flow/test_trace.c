/* Trace context: who belongs to whom, across operations, threads and processes. */
#include "support/test_log.h"

#include <sys/wait.h>
#include <unistd.h>

#define REMOTE "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

typedef struct ids {
    char trace[33], span[17], flags[3];
} ids_t;

static step_log_t *log_under_test;

static int open_log(void **state)
{
    (void)state;
    return step_log_open(NULL, &log_under_test) != STEP_OK ||
           step_log_add_output(log_under_test, step_sink_memory(1 << 20), step_format_json(), 0) != STEP_OK ||
           step_log_set_default(log_under_test) != STEP_OK;
}

static int close_log(void **state)
{
    (void)state;
    return step_log_close(log_under_test) != STEP_OK;
}

static ids_t ids_of(const step_logger_t *op)
{
    char text[56];
    ids_t ids = { .trace = "" };
    assert_int_equal(step_logger_traceparent(op, text), STEP_OK);
    assert_int_equal(strlen(text), 55);
    assert_int_equal(sscanf(text, "00-%32[0-9a-f]-%16[0-9a-f]-%2[0-9a-f]", ids.trace, ids.span, ids.flags), 3);
    return ids;
}

static uint64_t misused(void)
{
    step_stats_t stats = { .size = sizeof(stats) };
    assert_int_equal(step_log_stats(log_under_test, &stats), STEP_OK);
    return stats.misused;
}

static void roots_start_traces(void **state)
{
    (void)state;
    step_logger_t *first = started_with("first", NULL);
    const ids_t a = ids_of(first);
    assert_string_equal(a.flags, "03"); /* its events are kept, its id is random */
    finish(first);
    step_logger_t *second = started_with("second", NULL);
    assert_string_not_equal(ids_of(second).trace, a.trace);
    finish(second);
}

static void steps_and_children_are_spans(void **state)
{
    (void)state;
    step_logger_t *op = started_with("parent", NULL);
    const ids_t own = ids_of(op);
    step_logger_step(op, 1, "one");
    const ids_t one = ids_of(op);
    step_logger_t *child = started_with("child", NULL);
    const ids_t of_child = ids_of(child);
    finish(child);
    step_logger_success(op);
    assert_string_equal(ids_of(op).span, own.span); /* between steps it is the operation's again */
    step_logger_step(op, 1, "one");
    const ids_t again = ids_of(op);
    step_logger_success(op, step_kv("k", 1));
    step_logger_step(op, 2, "two");
    step_logger_failure(op, "no");
    assert_string_equal(ids_of(op).span, own.span);
    finish(op);
    assert_string_equal(one.trace, own.trace);
    assert_string_equal(of_child.trace, own.trace);
    assert_string_not_equal(one.span, own.span);
    assert_string_not_equal(again.span, one.span);
    assert_string_not_equal(of_child.span, one.span);
}

static void a_given_traceparent_is_continued(void **state)
{
    (void)state;
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.traceparent = REMOTE;
    step_logger_t *op = started_with("continued", &options);
    ids_t ids = ids_of(op);
    assert_string_equal(ids.trace, "0af7651916cd43dd8448eb211c80319c");
    assert_string_not_equal(ids.span, "b7ad6b7169203331");
    assert_string_equal(ids.flags, "01");
    step_logger_t *child = started_with("child", NULL);
    assert_string_equal(ids_of(child).trace, ids.trace);
    finish(child);
    finish(op);
    options.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
    op = started_with("not sampled there", &options);
    assert_string_equal(ids_of(op).flags, "00");
    finish(op);
}

static int diagnosed;

static void count_diagnosis(void *ctx, int code, const char *text)
{
    (void)ctx;
    assert_int_equal(code, STEP_EINVAL);
    assert_non_null(strstr(text, "traceparent"));
    diagnosed++;
}

static void a_bad_traceparent_is_ignored_and_counted(void **state)
{
    (void)state;
    step_log_options_t log_options = STEP_LOG_OPTIONS_INIT;
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    log_options.diagnose = count_diagnosis;
    assert_int_equal(step_log_open(&log_options, &options.log), STEP_OK);
    options.traceparent = "00-0AF7-nonsense";
    step_logger_t *op = started_with("anew", &options);
    assert_string_equal(ids_of(op).flags, "03");
    finish(op);
    step_stats_t stats = { .size = sizeof(stats) };
    assert_int_equal(step_log_stats(options.log, &stats), STEP_OK);
    assert_int_equal(stats.misused, 1);
    assert_int_equal(diagnosed, 1);
    assert_int_equal(step_log_close(options.log), STEP_OK);
}

static void *start_a_child(void *argument)
{
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    ids_t *ids = malloc(sizeof(*ids));
    options.parent = argument;
    step_logger_t *child = started_with("elsewhere", &options);
    *ids = ids_of(child);
    finish(child);
    return ids;
}

static void explicit_parents_cross_threads(void **state)
{
    (void)state;
    pthread_t thread;
    void *result;
    step_logger_t *op = started_with("here", NULL);
    assert_int_equal(pthread_create(&thread, NULL, start_a_child, op), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    const ids_t *ids = result;
    assert_string_equal(ids->trace, ids_of(op).trace);
    free(result);
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.parent = step_logger_no_parent();
    step_logger_t *root = started_with("nobody's", &options);
    assert_string_not_equal(ids_of(root).trace, ids_of(op).trace);
    finish(root);
    finish(op);
}

static void not_started_has_no_context(void **state)
{
    (void)state;
    char text[56] = "untouched";
    step_logger_t *op = step_logger_new("made", 0);
    const uint64_t before = misused();
    assert_int_equal(step_logger_traceparent(op, text), STEP_EINVAL);
    assert_int_equal(step_logger_traceparent(NULL, text), STEP_EINVAL);
    assert_int_equal(step_logger_traceparent(step_logger_no_parent(), text), STEP_EINVAL);
    assert_int_equal(step_logger_traceparent(op, NULL), STEP_EINVAL);
    assert_string_equal(text, "untouched");
    assert_int_equal(misused(), before);
    /* and it is nobody's parent in a trace, but still a parent */
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.parent = op;
    step_logger_t *child = started_with("child", &options);
    ids_of(child);
    finish(child);
    step_logger_free(op);
}

static void headers_and_environments(void **state)
{
    (void)state;
    char *const environment[] = { (char[]){ "PATH=/bin" }, (char[]){ "TRACEPARENT=" REMOTE }, (char[]){ "TRACESTATE=a=b" },
                                  (char[]){ "TRACEPARENT_OF_MINE=x" }, NULL };
    char text[56], header[STEP_TRACEPARENT_HEADER_BYTES], expected[128];
    step_logger_t *op = started_with("caller", NULL);
    assert_int_equal(step_logger_traceparent(op, text), STEP_OK);
    assert_int_equal(step_logger_traceparent_header(op, header), STEP_OK);
    snprintf(expected, sizeof(expected), "traceparent: %s", text);
    assert_string_equal(header, expected);
    char **copy = step_logger_environment(op, environment);
    assert_non_null(copy);
    snprintf(expected, sizeof(expected), "TRACEPARENT=%s", text);
    assert_ptr_equal(copy[0], environment[0]);
    assert_ptr_equal(copy[1], environment[3]);
    assert_string_equal(copy[2], expected);
    assert_null(copy[3]);
    free(copy);
    copy = step_logger_environment(NULL, environment);
    for (size_t i = 0; i < 5; i++)
        assert_ptr_equal(copy[i], environment[i]);
    free(copy);
    copy = step_logger_environment(op, NULL);
    assert_string_equal(copy[0], expected);
    assert_null(copy[1]);
    free(copy);
    finish(op);
}

static void the_state_goes_on_with_its_trace(void **state)
{
    (void)state;
    char *const environment[] = { (char[]){ "TRACESTATE=a=b" }, (char[]){ "TRACEPARENT=" REMOTE }, NULL };
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.traceparent = REMOTE;
    step_logger_t *op = started_with("continues", &options);
    char **copy = step_logger_environment(op, environment);
    assert_ptr_equal(copy[0], environment[0]);
    assert_memory_equal(copy[1], "TRACEPARENT=" REMOTE, sizeof("TRACEPARENT=00-") - 1 + 32);
    assert_null(copy[2]);
    free(copy);
    finish(op);
}

static int by_text(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(ids_t));
}

static void ids_are_unique_also_after_fork(void **state)
{
    (void)state;
    enum { CHILDREN = 4, EACH = 500, ALL = (CHILDREN + 1) * EACH };
    static ids_t all[ALL];
    int pipes[2];
#ifdef __SANITIZE_THREAD__
    skip(); /* it ends a child that starts a thread */
#endif
    assert_int_equal(pipe(pipes), 0);
    for (int i = 0; i < EACH; i++) {
        step_logger_t *op = started_with("parent", NULL);
        all[i] = ids_of(op);
        finish(op);
    }
    for (int child = 0; child < CHILDREN; child++)
        if (fork_when_written(log_under_test) == 0) {
            for (int i = 0; i < EACH; i++) {
                step_logger_t *op = started_with("child", NULL);
                const ids_t ids = ids_of(op);
                if (write(pipes[1], &ids, sizeof(ids)) != (ssize_t)sizeof(ids))
                    _exit(1);
                finish(op);
            }
            _exit(0);
        }
    close(pipes[1]);
    size_t bytes = EACH * sizeof(ids_t);
    ssize_t n;
    while ((n = read(pipes[0], (char *)all + bytes, sizeof(all) - bytes)) > 0)
        bytes += (size_t)n;
    close(pipes[0]);
    while (wait(NULL) > 0)
        ;
    assert_int_equal(bytes, sizeof(all));
    qsort(all, ALL, sizeof(all[0]), by_text);
    for (int i = 1; i < ALL; i++)
        assert_string_not_equal(all[i].trace, all[i - 1].trace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roots_start_traces),
        cmocka_unit_test(steps_and_children_are_spans),
        cmocka_unit_test(a_given_traceparent_is_continued),
        cmocka_unit_test(a_bad_traceparent_is_ignored_and_counted),
        cmocka_unit_test(explicit_parents_cross_threads),
        cmocka_unit_test(not_started_has_no_context),
        cmocka_unit_test(headers_and_environments),
        cmocka_unit_test(the_state_goes_on_with_its_trace),
        cmocka_unit_test(ids_are_unique_also_after_fork),
    };
    return cmocka_run_group_tests(tests, open_log, close_log);
}
