/* cache_catalog: a catalog of models from Redis, else from this process's memory, else from the database, which fills both.
 *
 *     cache_catalog [--redis URL] [--database LOCATION] [--models N] [--requests N]
 *
 * URL is redis://HOST:PORT (REDIS_URL, else port 6379 here), LOCATION as in database_fetch (DATABASE_URL, else catalog.db, made
 * with 11,432 models at the first run). Run it twice: the second run finds the catalog in Redis. Without Redis the step fails
 * and the request goes on; the second of --requests 2 then finds it in memory. LOG_LEVEL=debug says more about the caches. */
#include "catalog.h"
#include "fetch_models.h"
#include "redis_cache.h"

#include <step_logger.h>

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TTL_S = 900 };

typedef struct caches {
    const char *redis_url;
    catalog_t local;
    time_t local_until_s; /* of the monotonic clock */
    model_query_t query;  /* what is asked when they are empty */
} caches_t;

static time_t now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* A cache that fails is no reason for the request to fail: it costs a slower answer. */
static bool check_redis(step_logger_t *op, const char *url, redis_cache_t **redis, catalog_t *catalog)
{
    char *json;
    size_t bytes;
    step_logger_step(op, 1, "Checking Redis cache", step_kv("cache_layer", "redis"));
    *redis = redis_cache_open(url);
    if (!redis_cache_get(*redis, CATALOG_KEY, &json, &bytes)) {
        step_logger_failure(op, redis_cache_error(*redis), step_kv("cache_layer", "redis"));
        return false;
    }
    if (json == NULL || !catalog_from_json(catalog, json, bytes)) {
        step_logger_message(op, STEP_LEVEL_DEBUG, "Cache MISS: Full model catalog");
        step_logger_success(op, step_kv("result", "MISS"));
        return false;
    }
    step_logger_message(op, STEP_LEVEL_DEBUG, "Cache HIT: Full model catalog");
    step_logger_success(op, step_kv("result", "HIT"), step_kv("count", catalog->count));
    return true;
}

static bool check_memory(step_logger_t *op, const caches_t *caches, catalog_t *catalog)
{
    step_logger_step(op, 2, "Checking local memory cache", step_kv("cache_layer", "local_memory"));
    if (caches->local.json == NULL || now_s() >= caches->local_until_s || !catalog_copy(catalog, &caches->local)) {
        step_logger_success(op, step_kv("result", "MISS"));
        return false;
    }
    step_logger_success(op, step_kv("result", "HIT"), step_kv("count", catalog->count));
    return true;
}

/* The fetch is an operation of its own: it finds its parent by itself. */
static bool fetch_from_database(step_logger_t *op, const model_query_t *query, model_list_t *models)
{
    step_logger_step(op, 3, "Fetching from database", step_kv("cache_layer", "database"));
    if (!fetch_all_models(query, models)) {
        step_logger_failure(op, models->error, step_kv("cache_layer", "database"));
        return false;
    }
    step_logger_success(op, step_kv("db_models", models->count));
    return true;
}

static bool transform(step_logger_t *op, const model_list_t *models, catalog_t *catalog)
{
    step_logger_step(op, 4, "Transforming models to API format", step_kv("count", models->count));
    if (!catalog_from_models(catalog, models->models, models->count)) {
        step_logger_failure(op, "out of memory");
        return false;
    }
    step_logger_success(op, step_kv("api_models", catalog->count));
    return true;
}

static bool populate_memory(caches_t *caches, const catalog_t *catalog)
{
    catalog_free(&caches->local);
    caches->local_until_s = now_s() + TTL_S;
    return catalog_copy(&caches->local, catalog);
}

/* Returns whether both are filled. */
static bool populate(step_logger_t *op, caches_t *caches, redis_cache_t *redis, const catalog_t *catalog)
{
    const bool has_redis = redis_cache_is_connected(redis);
    step_logger_step(op, 5, "Populating caches", step_kv("targets", has_redis ? "redis+local" : "local"));
    const bool has_local = populate_memory(caches, catalog);
    const char *local = has_local ? "updated" : "failed";
    if (has_redis && !redis_cache_set(redis, CATALOG_KEY, catalog->json, catalog->bytes, TTL_S)) {
        step_logger_failure(op, redis_cache_error(redis), step_kv("redis", "failed"), step_kv("local", local));
        return false;
    }
    step_logger_messagef(op, STEP_LEVEL_DEBUG, "Cache SET: Full model catalog (%zu models, TTL: %ds)", catalog->count, TTL_S);
    step_logger_success(op, step_kv("redis", has_redis ? "updated" : "unavailable"), step_kv("local", local),
                        step_kv("ttl", TTL_S));
    return has_redis && has_local;
}

/* Every way out completes the operation: what starts has an end in the log. */
static bool fetch_catalog(caches_t *caches, catalog_t *catalog)
{
    redis_cache_t *redis = NULL;
    model_list_t models = { .models = NULL };
    bool ok = true;
    step_logger_t *op = step_logger_new("Cache: Fetch Full Catalog", 5);
    step_logger_start(op, step_kv("cache_type", "full_catalog"));

    if (check_redis(op, caches->redis_url, &redis, catalog)) {
        step_logger_complete(op, step_kv("source", "redis"), step_kv("models", catalog->count));
    } else if (check_memory(op, caches, catalog)) {
        step_logger_complete(op, step_kv("source", "local_memory"), step_kv("models", catalog->count));
    } else if (fetch_from_database(op, &caches->query, &models) && transform(op, &models, catalog)) {
        const bool is_populated = populate(op, caches, redis, catalog);
        step_logger_complete(op, step_kv("source", "database"), step_kv("models", catalog->count),
                             step_kv("cache_status", is_populated ? "populated" : "degraded"));
    } else {
        ok = false;
        step_logger_complete(op, step_kv("status", "failed"));
    }
    model_list_free(&models);
    redis_cache_close(redis);
    step_logger_free(op);
    return ok;
}

static bool read_arguments(int argc, char **argv, caches_t *caches, int *models, int *requests)
{
    static const struct option options[] = { { "redis", required_argument, NULL, 'c' },
                                             { "database", required_argument, NULL, 'd' },
                                             { "models", required_argument, NULL, 'm' },
                                             { "requests", required_argument, NULL, 'r' },
                                             { NULL, 0, NULL, 0 } };
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'c')
            caches->redis_url = optarg;
        else if (option == 'd')
            caches->query.location = optarg;
        else if (option == 'm')
            *models = atoi(optarg);
        else if (option == 'r')
            *requests = atoi(optarg);
        else
            return false;
    }
    return optind == argc && *models > 0 && *requests > 0;
}

int main(int argc, char **argv)
{
    const char *redis = getenv("REDIS_URL");
    const char *database = getenv("DATABASE_URL");
    caches_t caches = { .redis_url = redis != NULL ? redis : "redis://127.0.0.1:6379",
                        .query = { .location = database != NULL ? database : "catalog.db", .page_size = 1000 } };
    int models = 11432;
    int requests = 1;
    if (!read_arguments(argc, argv, &caches, &models, &requests)) {
        fprintf(stderr, "usage: %s [--redis URL] [--database LOCATION] [--models N] [--requests N]\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN); /* a server that is gone is an error like others */
    create_models_at_first_run(caches.query.location, models);
    bool ok = true;
    for (int i = 0; i < requests; i++) {
        catalog_t catalog = { .json = NULL };
        ok &= fetch_catalog(&caches, &catalog);
        catalog_free(&catalog);
    }
    catalog_free(&caches.local);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
