/* Our players. Each thread has an operation of its own, as in a program. */
#include "players.h"

#include <step_logger.h>

#include <stdlib.h>

static step_log_t *the_log;
static _Thread_local step_logger_t *operation;

static void open_log(const char *path)
{
    if (step_log_open(NULL, &the_log) != STEP_OK ||
        step_log_add_output(the_log, step_sink_file(path), step_format_text(), 0) != STEP_OK)
        exit(1);
    step_log_set_default(the_log);
}

static void flush_log(void)
{
    step_log_flush(the_log, 10000);
}

static void close_log(void)
{
    step_logger_free(operation);
    step_log_close(the_log);
}

static void open_operation(void)
{
    if (operation != NULL)
        return;
    operation = step_logger_new("Provider: Fetch Models", BENCH_STEPS);
    step_logger_start(operation);
}

static void open_step(int i)
{
    (void)i;
    open_operation();
    step_logger_step(operation, BENCH_STEP, BENCH_DESCRIPTION);
}

/* ---- The line ---- */

static void success(int i)
{
    step_logger_success(operation, step_kv("raw_count", i), step_kv("status_code", BENCH_STATUS),
                        step_kv("provider", BENCH_PROVIDER), step_fixed("cost", BENCH_DURATION, 1));
}

static void quick(int i)
{
    step_quick_success(BENCH_STEP, BENCH_DESCRIPTION, BENCH_STEPS, step_kv("raw_count", i), step_kv("status_code", BENCH_STATUS),
                       step_kv("provider", BENCH_PROVIDER), step_fixed("duration_ms", BENCH_DURATION, 1));
}

static void message(int i)
{
    step_info("Fetched batch", step_kv("batch", i));
}

static void off(int i)
{
    step_debug("Fetched batch", step_kv("batch", i));
}

/* ---- The rhythm of an operation: step and success ---- */

#define STEP() step_logger_step(operation, BENCH_STEP, BENCH_DESCRIPTION)
#define FOUR(i)                                                                                                       \
    step_kv("raw_count", i), step_kv("status_code", BENCH_STATUS), step_kv("provider", BENCH_PROVIDER),               \
        step_fixed("cost", BENCH_DURATION, 1)
#define TEXTS(text) step_kv("model", text), step_kv("region", text), step_kv("tenant", text), step_kv("account", text)
#define TEN "openrouter"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static void before_rhythm(int i)
{
    (void)i;
    open_operation();
}

static void rhythm_0(int i)
{
    (void)i;
    STEP();
    step_logger_success(operation);
}

static void rhythm_4(int i)
{
    STEP();
    step_logger_success(operation, FOUR(i));
}

static void rhythm_12(int i)
{
    STEP();
    step_logger_success(operation, FOUR(i), step_kv("pages", i), step_kv("retries", 0), step_kv("cached", false),
                        step_kv("ratio", 0.25), step_kv("region", "eu-west-1"), step_kv("bytes", 81920),
                        step_kv("models", 412), step_kv("filtered", 17));
}

static void rhythm_10_bytes(int i)
{
    (void)i;
    STEP();
    step_logger_success(operation, TEXTS(TEN));
}

static void rhythm_200_bytes(int i)
{
    (void)i;
    STEP();
    step_logger_success(operation, TEXTS(HUNDRED HUNDRED));
}

/* A child from its beginning to its end, with one step. */
static void rhythm_nested(int i)
{
    step_logger_t *child = step_logger_new("Provider: Fetch Page", 1);
    step_logger_start(child);
    step_logger_step(child, 1, BENCH_DESCRIPTION);
    step_logger_success(child, FOUR(i));
    step_logger_complete(child);
    step_logger_free(child);
}

#define OURS(variable, title, begin, what)                                                                            \
    const player_t variable = {                                                                                       \
        .name = title, .open = open_log, .before = begin, .call = what, .flush = flush_log, .close = close_log        \
    }

OURS(ours_success, "success", open_step, success);
OURS(ours_quick, "quick", NULL, quick);
OURS(ours_message, "message", NULL, message);
OURS(ours_off, "off", NULL, off);
OURS(ours_rhythm_0, "rhythm_0", before_rhythm, rhythm_0);
OURS(ours_rhythm_4, "rhythm_4", before_rhythm, rhythm_4);
OURS(ours_rhythm_12, "rhythm_12", before_rhythm, rhythm_12);
OURS(ours_rhythm_10_bytes, "rhythm_10_bytes", before_rhythm, rhythm_10_bytes);
OURS(ours_rhythm_200_bytes, "rhythm_200_bytes", before_rhythm, rhythm_200_bytes);
OURS(ours_rhythm_nested, "rhythm_nested", before_rhythm, rhythm_nested);
