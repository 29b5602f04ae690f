/* A program as a user would write it, compiled as C and as C++ against the installed library (contract.sh): every public
 * call once, with an injected clock, so that its output is known byte for byte (contract.txt).
 *
 * Usage: contract FILE. What the sinks received goes to stdout, what is wrong to stderr; the exit code says which. */
#include <step_logger.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef __cplusplus
#define nullptr NULL
#endif

static int failures;

static void expect(bool holds, int line, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "contract.c:%d: expected %s\n", line, what);
    failures++;
}
#define EXPECT(condition) expect((condition), __LINE__, #condition)

/* ---- Time that passes when we say so */
static int64_t now_ns = 1000;

static int64_t wall_ns(void *ctx)
{
    const int64_t *now = (const int64_t *)ctx;
    return INT64_C(1770163200000000000) + *now; /* 2026-02-04T00:00:00Z */
}

static int64_t monotonic_ns(void *ctx)
{
    const int64_t *now = (const int64_t *)ctx;
    return *now;
}

static void pass_us(int64_t us)
{
    now_ns += us * 1000;
}

/* ---- A sink of our own */
static char taken[4096];
static size_t taken_bytes;
static int flushes, closes;

static int take(void *ctx, const char *bytes, size_t len)
{
    (void)ctx;
    if (taken_bytes + len >= sizeof(taken)) {
        errno = ENOSPC;
        return -1;
    }
    memcpy(taken + taken_bytes, bytes, len);
    taken_bytes += len;
    return 0;
}

static int count_flush(void *ctx)
{
    (void)ctx;
    flushes++;
    return 0;
}

static void count_close(void *ctx)
{
    (void)ctx;
    closes++;
}

static int diagnosed;

static void diagnose(void *ctx, int code, const char *text)
{
    (void)ctx;
    (void)code;
    EXPECT(text != nullptr && text[0] != '\0');
    diagnosed++;
}

/* ---- The parts */

static step_sink_t *text_memory;
static step_sink_t *json_memory;
static step_sink_t *timed_memory;

static step_log_t *open_log(const char *path)
{
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    step_clock_t clock;
    step_sink_ops_t ops;
    step_text_options_t timed;
    step_log_t *log = nullptr;

    clock.wall_ns = wall_ns;
    clock.monotonic_ns = monotonic_ns;
    clock.ctx = &now_ns;
    options.clock = &clock;
    options.level = STEP_LEVEL_DEBUG;
    options.diagnose = diagnose;
    EXPECT(step_log_open(&options, &log) == STEP_OK);
    EXPECT(log != nullptr);

    memset(&ops, 0, sizeof(ops));
    ops.size = sizeof(ops);
    ops.write = take;
    ops.flush = count_flush;
    ops.close = count_close;
    memset(&timed, 0, sizeof(timed));
    timed.size = sizeof(timed);
    timed.timestamps = 1;
    timed.ascii = 1;

    text_memory = step_sink_memory(65536);
    json_memory = step_sink_memory(65536);
    timed_memory = step_sink_memory(65536);
    EXPECT(step_log_add_output(log, text_memory, step_format_text(), STEP_LEVEL_DEBUG) == STEP_OK);
    EXPECT(step_log_add_output(log, json_memory, step_format_json(), STEP_LEVEL_DEBUG) == STEP_OK);
    EXPECT(step_log_add_output(log, timed_memory, step_format_text_with(&timed), STEP_LEVEL_INFO) == STEP_OK);
    EXPECT(step_log_add_output(log, step_sink_file(path), step_format_text(), STEP_LEVEL_ERROR) == STEP_OK);
    EXPECT(step_log_add_output(log, step_sink_custom(&ops, nullptr), step_format_text(), STEP_LEVEL_CRITICAL) == STEP_OK);
    EXPECT(step_log_add_output(log, step_sink_fd(1), step_format_text(), STEP_LEVEL_CRITICAL) == STEP_OK);

    errno = 0;
    EXPECT(step_log_add_output(log, step_sink_file("/nonexistent/directory/file"), step_format_text(),
                               STEP_LEVEL_INFO) == STEP_ESINK);
    EXPECT(errno == ENOENT);
    EXPECT(step_log_set_default(log) == STEP_OK);
    EXPECT(step_log_default() == log);
    return log;
}

/* The specification's second example. */
static void database_fetch(void)
{
    static const int models[] = { 1000, 1000, 1000, 1000, 432 };
    int total = 0, batches = 0;
    step_logger_t *op = step_logger_new("Database: Fetch All Models", 2);

    step_logger_start(op, step_kv("table", "models"), step_bool("include_inactive", false));
    step_logger_step(op, 1, "Connecting to database", step_kv("table", "models"), step_kv("replica", "read"));
    pass_us(15200);
    step_logger_success(op, step_kv("connection", "ready"), step_kv("page_size", 1000));
    step_logger_step(op, 2, "Fetching models (paginated)", step_kv("table", "models"));
    for (; batches < 5; batches++) {
        total += models[batches];
        step_logger_messagef(op, STEP_LEVEL_DEBUG, "Fetched batch %d: %d models", batches + 1, models[batches]);
    }
    pass_us(2341800);
    step_logger_success(op, step_kv("total_models", total), step_kv("batches", batches), step_kv("page_size", 1000));
    step_logger_complete(op, step_kv("total_models", total), step_kv("table", "models"),
                         step_bool("include_inactive", false));
    step_logger_free(op);
}

static void every_kind_of_line(step_log_t *log)
{
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    step_logger_t *op, *child, *root;

    options.log = log;
    options.total_steps = 3;
    op = step_logger_new_with("Provider Fetch", &options);
    step_logger_start(op);
    EXPECT(step_logger_wants(op, STEP_LEVEL_DEBUG));
    step_logger_step(op, 1, "Validating");
    pass_us(200);
    step_logger_skip(op, "configured", step_kv("status", "configured"));
    step_logger_step(op, 2, "Fetching");
    step_logger_progress(op, 50, 100, step_kv("page", 1u));
    pass_us(1500);

    /* An operation that starts meanwhile is a child, unless told otherwise. */
    child = step_logger_new("Cache", 0);
    step_logger_start(child);
    step_logger_step(child, 1, "Writing", step_kv("entry", "models:all"));
    pass_us(100);
    errno = EACCES;
    step_logger_failure_errno(child, ENOSPC);
    EXPECT(errno == EACCES);
    step_logger_complete(child);
    step_logger_free(child);

    options.total_steps = 0;
    options.parent = step_logger_no_parent();
    root = step_logger_new_with("Elsewhere", &options);
    step_logger_start(root);
    EXPECT(step_logger_attach(root) == op);
    step_info("joins Elsewhere");
    EXPECT(step_logger_attach(op) == root);
    step_logger_complete(root);
    step_logger_free(root);

    step_logger_failure(op, "timed out", step_kv("attempt", 2), step_kv("timeout_s", 30.5));
    step_logger_complete(op);
    step_logger_free(op);
}

static void every_kind_of_message(step_log_t *log)
{
    step_debug("debug");
    step_info("info", step_kv("k", 1));
    step_warning("warning");
    step_error("error", step_kv("k", "v"));
    step_critical("critical", step_kv("k", 'c' + 0), step_kv("l", true ? "yes" : "no"));
    step_message(STEP_LEVEL_INFO, "at a level");
    step_log_message(log, STEP_LEVEL_WARNING, "in a log", step_kv("k", 1));
    step_logger_message(nullptr, STEP_LEVEL_ERROR, "nowhere");
    EXPECT(step_log_wants(log, STEP_LEVEL_DEBUG));
}

static void every_field(void)
{
    step_info("fields", step_i64("i64", INT64_MIN), step_u64("u64", UINT64_MAX), step_f64("f64", 0.1),
              step_bool("bool", true), step_str("str", "two words"), step_str("null", nullptr),
              step_strn("strn", "abcdef", 3), step_fixed("fixed", 2.0, 2), step_percent("filter_rate", 2.752),
              step_secret("api_key", "hunter2"));
}

static void quick_functions(void)
{
    step_quick_step(1, "Connecting", "Database", 2, step_kv("table", "models"));
    step_quick_success(1, "Connecting", 2, step_kv("connection", "ready"));
    step_quick_failure(2, "Fetching", "connection refused", 2, step_kv("port", 5432));
    step_quick_step(3, "Without fields", "Database", 0);
    step_quick_success(3, "Without fields", 0);
    step_quick_failure(3, "Without fields", "no", 0);
}

static void counters_and_levels(step_log_t *log)
{
    step_stats_t stats;
    memset(&stats, 0, sizeof(stats));
    stats.size = sizeof(stats);

    EXPECT(step_log_set_level(log, STEP_LEVEL_ERROR) == STEP_OK);
    step_warning("not wanted");
    EXPECT(!step_log_wants(log, STEP_LEVEL_WARNING));
    EXPECT(step_log_set_level(log, STEP_LEVEL_DEBUG) == STEP_OK);

    EXPECT(step_log_flush(log, 5000) == STEP_OK);
    EXPECT(step_log_reopen(log) == STEP_OK);
    EXPECT(step_log_stats(log, &stats) == STEP_OK);
    EXPECT(stats.recorded > 0);
    EXPECT(stats.recorded == stats.written + stats.sampled_out + stats.dropped);
    EXPECT(stats.dropped == 0);
    EXPECT(stats.misused == 0);
    EXPECT(flushes > 0);
    EXPECT(diagnosed == 0);
}

static void errors(void)
{
    EXPECT(strcmp(step_error_text(STEP_OK), "") != 0);
    EXPECT(step_error_text(12345) != nullptr);
    EXPECT(step_log_open(nullptr, nullptr) == STEP_EINVAL);
    EXPECT(step_log_stats(nullptr, nullptr) == STEP_EINVAL);
    EXPECT(step_log_close(nullptr) == STEP_OK);
    step_logger_free(nullptr);
    step_logger_start(nullptr, step_kv("k", 1));
}

int main(int argc, char **argv)
{
    step_log_t *log;

    if (argc != 2) {
        fprintf(stderr, "usage: %s FILE\n", argv[0]);
        return 2;
    }
    log = open_log(argv[1]);
    database_fetch();
    every_kind_of_line(log);
    every_kind_of_message(log);
    every_field();
    quick_functions();
    counters_and_levels(log);
    errors();
    EXPECT(strstr(step_sink_memory_text(json_memory), "\"event\":\"step_success\"") != nullptr);
    EXPECT(strstr(step_sink_memory_text(json_memory), "hunter2") == nullptr);
    EXPECT(strncmp(step_sink_memory_text(timed_memory), "2026-02-04T00:00:00.000001Z [INFO] START: Database", 50) == 0);
    printf("%s", step_sink_memory_text(text_memory));
    taken[taken_bytes] = '\0';
    printf("-- custom\n%s", taken);

    EXPECT(step_log_close(log) == STEP_OK);
    EXPECT(closes == 1);
    EXPECT(step_log_default() == nullptr);
    step_info("nowhere to go");
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
