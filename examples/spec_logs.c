/* spec_logs: the six logs of the specification, under a replayed clock.
 *
 *     spec_logs [N]
 *
 * The calls are those of real code; only the time that the work takes passes on an injected clock instead. */
#include "replay.h"

#include <step_logger.h>

#include <stdio.h>
#include <stdlib.h>

/* ---- Provider: up to the answer of the API */

static step_logger_t *ask_provider(double validating_ms)
{
    step_logger_t *op = step_logger_new("OpenRouter Model Fetch", 4);
    step_logger_start(op, step_kv("provider", "openrouter"),
                      step_kv("endpoint", "https://openrouter.ai/api/v1/models"));
    step_logger_step(op, 1, "Validating API key", step_kv("provider", "openrouter"));
    takes(validating_ms);
    step_logger_success(op, step_kv("status", "configured"));
    step_logger_step(op, 2, "Fetching models from API", step_kv("provider", "openrouter"));
    return op;
}

static void provider_fetch(void)
{
    const int raw = 2834, filtered = 78, final = raw - filtered;
    step_logger_t *op = ask_provider(0.2);
    takes(1523.7);
    step_logger_success(op, step_kv("raw_count", raw), step_kv("status_code", 200));
    step_logger_step(op, 3, "Processing and filtering models", step_kv("provider", "openrouter"));
    takes(234.5);
    step_logger_success(op, step_kv("final_count", final), step_kv("filtered_out", filtered),
                        step_percent("filter_rate", 100.0 * filtered / raw));
    step_logger_step(op, 4, "Caching models", step_kv("provider", "openrouter"));
    takes(12.3);
    step_logger_success(op, step_kv("cached_count", final), step_kv("cache_status", "updated"));
    step_logger_complete(op, step_kv("total_models", final), step_kv("provider", "openrouter"));
    step_logger_free(op);
}

static void provider_fetch_timeout(void)
{
    const char *error = "Request timeout after 30s";
    step_logger_t *op = ask_provider(0.1);
    takes(30001.2);
    step_logger_failure(op, error);
    step_logger_messagef(op, STEP_LEVEL_ERROR, "OpenRouter timeout error: %s", error);
    step_logger_free(op);
}

/* ---- Database */

static step_logger_t *connect_database(void)
{
    step_logger_t *op = step_logger_new("Database: Fetch All Models", 2);
    step_logger_start(op, step_kv("table", "models"), step_bool("include_inactive", false));
    step_logger_step(op, 1, "Connecting to database", step_kv("table", "models"), step_kv("replica", "read"));
    return op;
}

static void log_batch(step_logger_t *op, int batch, int offset, int rows)
{
    char text[64];
    snprintf(text, sizeof(text), "Fetched batch %d: %d models", batch, rows);
    step_logger_message(op, STEP_LEVEL_DEBUG, text, step_kv("offset", offset), step_kv("total", offset + rows));
}

static void fetch_pages(step_logger_t *op, int models, double ms, bool show_batches)
{
    const int page = 1000;
    int batches = 0;
    step_logger_success(op, step_kv("connection", "ready"), step_kv("page_size", page));
    step_logger_step(op, 2, "Fetching models (paginated)", step_kv("table", "models"));
    for (int offset = 0; offset < models; offset += page) {
        batches++;
        if (show_batches)
            log_batch(op, batches, offset, models - offset < page ? models - offset : page);
    }
    takes(ms);
    step_logger_success(op, step_kv("total_models", models), step_kv("batches", batches), step_kv("page_size", page));
}

static void database_fetch(void)
{
    step_logger_t *op = connect_database();
    takes(15.2);
    fetch_pages(op, 4432, 2341.8, true);
    step_logger_complete(op, step_kv("total_models", 4432), step_kv("table", "models"), step_bool("include_inactive", false));
    step_logger_free(op);
}

static void database_refused(void)
{
    const char *error = "Connection refused";
    step_logger_t *op = connect_database();
    takes(5000.0);
    step_logger_failure(op, error, step_kv("table", "models"));
    step_logger_messagef(op, STEP_LEVEL_ERROR, "Error fetching all models for catalog: %s", error);
    step_logger_free(op);
}

/* ---- Cache */

static step_logger_t *check_redis(const char *result, double ms)
{
    step_logger_t *op = step_logger_new("Cache: Fetch Full Catalog", 5);
    step_logger_start(op, step_kv("cache_type", "full_catalog"));
    step_logger_step(op, 1, "Checking Redis cache", step_kv("cache_layer", "redis"));
    step_logger_messagef(op, STEP_LEVEL_DEBUG, "Cache %s: Full model catalog", result);
    takes(ms);
    return op;
}

static void cache_hit(void)
{
    step_logger_t *op = check_redis("HIT", 2.3);
    step_logger_success(op, step_kv("result", "HIT"), step_kv("count", 11432));
    takes(0.2);
    step_logger_complete(op, step_kv("source", "redis"), step_kv("models", 11432));
    step_logger_free(op);
}

static void database_fetch_nested(int models) /* the operation that is open on this thread is its parent */
{
    step_logger_t *op = connect_database();
    takes(12.1);
    fetch_pages(op, models, 3456.2, false);
    step_logger_complete(op, step_kv("total_models", models), step_kv("table", "models"));
    step_logger_free(op);
}

static void cache_cold_start(void)
{
    const int models = 11432, ttl = 900;
    step_logger_t *op = check_redis("MISS", 3.2);
    step_logger_success(op, step_kv("result", "MISS"));
    step_logger_step(op, 2, "Checking local memory cache", step_kv("cache_layer", "local_memory"));
    takes(0.1);
    step_logger_success(op, step_kv("result", "MISS"));
    step_logger_step(op, 3, "Fetching from database", step_kv("cache_layer", "database"));
    database_fetch_nested(models);
    takes(0.2);
    step_logger_success(op, step_kv("db_models", models));
    step_logger_step(op, 4, "Transforming models to API format", step_kv("count", models));
    takes(523.1);
    step_logger_success(op, step_kv("api_models", models));
    step_logger_step(op, 5, "Populating caches", step_kv("targets", "redis+local"));
    step_logger_messagef(op, STEP_LEVEL_DEBUG, "Cache SET: Full model catalog (%d models, TTL: %ds)", models, ttl);
    takes(45.2);
    step_logger_success(op, step_kv("redis", "updated"), step_kv("local", "updated"), step_kv("ttl", ttl));
    step_logger_complete(op, step_kv("source", "database"), step_kv("models", models), step_kv("cache_status", "populated"));
    step_logger_free(op);
}

int main(int argc, char **argv)
{
    void (*const examples[])(void) = { provider_fetch, database_fetch,         cache_cold_start,
                                       cache_hit,      provider_fetch_timeout, database_refused };
    const int count = sizeof(examples) / sizeof(examples[0]);
    const int only = argc > 1 ? atoi(argv[1]) : 0;
    if (argc > 2 || only < 0 || only > count || (argc > 1 && only == 0)) {
        fprintf(stderr, "usage: %s [1..%d]\n", argv[0], count);
        return 2;
    }

    int result = replay_open();
    if (result == STEP_OK) {
        for (int i = 0; i < count; i++)
            if (only == 0 || only == i + 1)
                examples[i]();
        result = replay_close();
    }
    if (result != STEP_OK)
        fprintf(stderr, "%s: %s\n", argv[0], step_error_text(result));
    return result == STEP_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
