#include "support/test_log.h"

#include <unistd.h>

enum { MEMORY_BYTES = 1 << 24 };

uint32_t test_mode = STEP_MODE_ASYNC;

static int64_t read_wall(void *ctx)
{
    return atomic_load(&((test_log_t *)ctx)->wall_ns);
}

static int64_t read_monotonic(void *ctx)
{
    return atomic_load(&((test_log_t *)ctx)->monotonic_ns);
}

static void diagnosed(void *ctx, int code, const char *text)
{
    test_log_t *t = ctx;
    pthread_mutex_lock(&t->lock);
    const size_t used = strlen(t->told);
    snprintf(t->told + used, sizeof(t->told) - used, "%d: %s\n", code, text);
    pthread_mutex_unlock(&t->lock);
}

void told_since(test_log_t *t, char out[8192])
{
    pthread_mutex_lock(&t->lock);
    memcpy(out, t->told, sizeof(t->told));
    t->told[0] = '\0';
    pthread_mutex_unlock(&t->lock);
}

/* ---- Opening and closing ---- */

test_log_t *test_log_new(void)
{
    test_log_t *t = calloc(1, sizeof(*t));
    assert_non_null(t);
    pthread_mutex_init(&t->lock, NULL);
    atomic_init(&t->wall_ns, TEST_WALL_NS);
    atomic_init(&t->monotonic_ns, TEST_MONOTONIC_NS);
    return t;
}

step_log_options_t test_log_options(test_log_t *t)
{
    static step_clock_t clock; /* copied by step_log_open() */
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    clock = (step_clock_t){ .wall_ns = read_wall, .monotonic_ns = read_monotonic, .ctx = t };
    options.clock = &clock;
    options.level = STEP_LEVEL_DEBUG;
    options.mode = test_mode;
    options.diagnose = diagnosed;
    options.diagnose_ctx = t;
    return options;
}

void test_log_open(test_log_t *t, const step_log_options_t *options)
{
    assert_int_equal(step_log_open(options, &t->log), STEP_OK);
    assert_int_equal(step_log_set_default(t->log), STEP_OK);
}

void test_log_add_outputs(test_log_t *t)
{
    t->text = step_sink_memory(MEMORY_BYTES);
    t->json = step_sink_memory(MEMORY_BYTES);
    assert_int_equal(step_log_add_output(t->log, t->text, step_format_text(), 0), STEP_OK);
    assert_int_equal(step_log_add_output(t->log, t->json, step_format_json(), 0), STEP_OK);
}

void test_log_close(test_log_t *t)
{
    if (t->log != NULL)
        assert_int_equal(step_log_close(t->log), STEP_OK);
    t->log = NULL;
    t->text = t->json = NULL;
}

void test_log_free(test_log_t *t)
{
    test_log_close(t);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

int test_log_setup(void **state)
{
    test_log_t *t = test_log_new();
    const step_log_options_t options = test_log_options(t);
    test_log_open(t, &options);
    test_log_add_outputs(t);
    *state = t;
    return 0;
}

int test_log_teardown(void **state)
{
    test_log_free(*state);
    return 0;
}

int test_in_modes(const struct CMUnitTest *tests, size_t count)
{
    int failed = 0;
    test_mode = STEP_MODE_ASYNC;
    failed += _cmocka_run_group_tests("asynchronous", tests, count, NULL, NULL);
    test_mode = STEP_MODE_SYNC;
    failed += _cmocka_run_group_tests("synchronous", tests, count, NULL, NULL);
    return failed;
}

/* ---- Looking ---- */

void pass_ns(test_log_t *t, int64_t ns)
{
    atomic_fetch_add(&t->wall_ns, ns);
    atomic_fetch_add(&t->monotonic_ns, ns);
}

void pass_ms(test_log_t *t, int64_t ms)
{
    pass_ns(t, ms * 1000000);
}

static const char *new_in(test_log_t *t, step_sink_t *sink, size_t *seen)
{
    assert_int_equal(step_log_flush(t->log, TEST_FLUSH_MS), STEP_OK);
    const char *text = step_sink_memory_text(sink) + *seen;
    *seen += strlen(text);
    return text;
}

const char *new_text(test_log_t *t)
{
    return new_in(t, t->text, &t->text_seen);
}

const char *new_json(test_log_t *t)
{
    return new_in(t, t->json, &t->json_seen);
}

typedef struct seen_ids {
    size_t count, length; /* digits of one */
    char at[64][33];
} seen_ids_t;

static void number_id(seen_ids_t *seen, char *id)
{
    size_t i = 0;
    assert_int_equal(strspn(id, "0123456789abcdef"), seen->length);
    while (i < seen->count && memcmp(seen->at[i], id, seen->length) != 0)
        i++;
    assert_true(i < sizeof(seen->at) / sizeof(seen->at[0]));
    if (i == seen->count)
        memcpy(seen->at[seen->count++], id, seen->length);
    char number[40];
    snprintf(number, sizeof(number), "%0*zu", (int)seen->length, i + 1);
    memcpy(id, number, seen->length);
}

void number_ids(char *json)
{
    static const char ending[] = "_id\":\"";
    seen_ids_t traces = { .length = 32 }, spans = { .length = 16 };
    for (char *at = strstr(json, ending); at != NULL; at = strstr(at, ending)) {
        const bool is_trace = at - json > 6 && memcmp(at - 6, "\"trace", 6) == 0;
        const bool is_span = at - json > 5 && memcmp(at - 4, "span", 4) == 0;
        at += sizeof(ending) - 1;
        if (is_trace || is_span)
            number_id(is_trace ? &traces : &spans, at);
    }
}

step_stats_t balanced_stats(step_log_t *log)
{
    step_stats_t stats = { .size = sizeof(stats) };
    step_log_flush(log, TEST_FLUSH_MS); /* STEP_EIO when something was lost: the sums must be right all the same */
    assert_int_equal(step_log_stats(log, &stats), STEP_OK);
    assert_int_equal(stats.recorded, stats.written + stats.sampled_out + stats.dropped + stats.held);
    assert_int_equal(stats.dropped,
                     stats.dropped_full + stats.dropped_nested + stats.dropped_memory + stats.dropped_sink);
    return stats;
}

pid_t fork_when_written(step_log_t *log)
{
    step_stats_t stats = { .size = sizeof(stats) };
    for (;;) {
        assert_int_equal(step_log_stats(log, &stats), STEP_OK);
        if (stats.recorded == stats.written + stats.sampled_out + stats.dropped + stats.held)
            break;
        usleep(1000);
    }
    const pid_t child = fork();
    assert_true(child >= 0);
    return child;
}

step_logger_t *operation_with(const char *name, const step_logger_options_t *options)
{
    step_logger_t *op = step_logger_new_with(name, options);
    assert_non_null(op);
    return op;
}

step_logger_t *started_with(const char *name, const step_logger_options_t *options)
{
    step_logger_t *op = operation_with(name, options);
    step_logger_start(op);
    return op;
}

step_logger_t *operation_in(step_log_t *log, const char *name, int total_steps)
{
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.log = log;
    options.total_steps = total_steps;
    return operation_with(name, &options);
}

void finish(step_logger_t *op)
{
    step_logger_complete(op);
    step_logger_free(op);
}
