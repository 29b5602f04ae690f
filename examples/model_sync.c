/* model_sync: a job that takes over the models of several providers, the specification's fourth use.
 *
 *     model_sync [--url URL] [--database LOCATION] [--redis URL]
 *
 * The providers are asked at the same time; one of them is out of order, and the others are stored all the same. URL (PROVIDER_URL)
 * is where servers/models_server listens, LOCATION is as in database_fetch (sync.db), Redis (REDIS_URL, else it is left out) holds
 * a catalog that is out of date afterwards. The counts go to model_sync.prom, for Prometheus' node exporter. */
#include "catalog.h"
#include "database.h"
#include "fetch_providers.h"
#include "redis_cache.h"

#include <step_logger.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define LOCK "model_sync.lock"
#define METRICS "model_sync.prom"

typedef struct sync {
    const char *url, *database, *redis;
    int lock;
    size_t answered; /* providers */
    size_t stored;   /* models */
    bool is_degraded;
} sync_t;

static provider_job_t jobs[] = { { .provider = "openrouter", .operation = "OpenRouter Model Fetch" },
                                 { .provider = "together", .operation = "Together Model Fetch" },
                                 { .provider = "groq", .operation = "Groq Model Fetch" },
                                 { .provider = "deepinfra", .operation = "DeepInfra Model Fetch" },
                                 { .provider = "fireworks", .operation = "Fireworks Model Fetch" } };
enum { PROVIDERS = sizeof(jobs) / sizeof(jobs[0]) };

/* One at a time, whoever starts it. The lock ends with the process. */
static bool start_job(step_logger_t *op, sync_t *sync)
{
    step_logger_step(op, 1, "Starting sync job", step_kv("lock", LOCK));
    sync->lock = open(LOCK, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (sync->lock < 0 || flock(sync->lock, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            step_logger_failure(op, "another sync is at work", step_kv("lock", LOCK));
        else
            step_logger_failure_errno(op, errno, step_kv("lock", LOCK));
        return false;
    }
    step_logger_success(op);
    return true;
}

static bool fetch_all(step_logger_t *op, sync_t *sync)
{
    size_t models = 0;
    step_logger_step(op, 2, "Fetching from all providers", step_kv("providers", PROVIDERS));
    sync->answered = fetch_providers(sync->url, jobs, PROVIDERS, op);
    if (sync->answered == 0) {
        step_logger_failure(op, "no provider has answered", step_kv("providers", PROVIDERS));
        return false;
    }
    for (size_t i = 0; i < PROVIDERS; i++)
        models += json_array_size(jobs[i].reply.models);
    step_logger_success(op, step_kv("models", models), step_kv("succeeded", sync->answered),
                        step_kv("failed", PROVIDERS - sync->answered));
    return true;
}

/* The id is made from the name, so that a model keeps it from one sync to the next. */
static void read_model(model_t *model, const json_t *json, const char *provider)
{
    const char *name = json_string_value(json_object_get(json, "id"));
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (const char *c = name != NULL ? name : ""; *c != '\0'; c++)
        hash = (hash ^ (unsigned char)*c) * UINT64_C(1099511628211);
    *model = (model_t){ .id = (int64_t)(hash >> 1),
                        .context_length = json_integer_value(json_object_get(json, "context_length")),
                        .is_active = true };
    snprintf(model->name, sizeof(model->name), "%s", name != NULL ? name : "");
    snprintf(model->provider, sizeof(model->provider), "%s", provider);
}

static int store_provider(database_t *database, const provider_job_t *job)
{
    const size_t count = json_array_size(job->reply.models);
    model_t *models = calloc(count + 1, sizeof(*models));
    if (models == NULL)
        return -1;
    for (size_t i = 0; i < count; i++)
        read_model(&models[i], json_array_get(job->reply.models, i), job->provider);
    const int stored = database_replace_models(database, job->provider, models, count);
    free(models);
    return stored;
}

/* Of a provider that did not answer, the models of the last time stay. */
static bool store(step_logger_t *op, sync_t *sync)
{
    int stored = 0;
    step_logger_step(op, 3, "Storing in database", step_kv("table", "models"));
    database_t *database = database_open(sync->database, DATABASE_CREATE);
    database_create_models(database, 0);
    for (size_t i = 0; i < PROVIDERS && stored >= 0; i++) {
        if (jobs[i].reply.models == NULL)
            continue;
        stored = store_provider(database, &jobs[i]);
        sync->stored += stored > 0 ? (size_t)stored : 0;
    }
    const char *error = database_error(database);
    if (stored < 0)
        step_logger_failure(op, error != NULL ? error : "out of memory", step_kv("stored", sync->stored));
    else
        step_logger_success(op, step_kv("stored", sync->stored));
    database_close(database);
    return stored >= 0;
}

/* What fails from here on does not undo the sync. */
static void invalidate_caches(step_logger_t *op, sync_t *sync)
{
    bool was_there = false;
    step_logger_step(op, 4, "Invalidating caches", step_kv("targets", "redis"));
    if (sync->redis == NULL) {
        step_logger_skip(op, "no Redis is configured");
        return;
    }
    redis_cache_t *redis = redis_cache_open(sync->redis);
    if (redis_cache_delete(redis, CATALOG_KEY, &was_there)) {
        step_logger_success(op, step_kv("redis", was_there ? "invalidated" : "empty"));
    } else {
        step_logger_failure(op, redis_cache_error(redis), step_kv("targets", "redis"));
        sync->is_degraded = true;
    }
    redis_cache_close(redis);
}

static bool write_metrics(const sync_t *sync)
{
    FILE *file = fopen(METRICS ".new", "w");
    if (file == NULL)
        return false;
    fprintf(file, "# TYPE model_sync_models gauge\n");
    for (size_t i = 0; i < PROVIDERS; i++)
        if (jobs[i].reply.models != NULL)
            fprintf(file, "model_sync_models{provider=\"%s\"} %zu\n", jobs[i].provider, json_array_size(jobs[i].reply.models));
    fprintf(file, "# TYPE model_sync_failed_providers gauge\nmodel_sync_failed_providers %zu\n", PROVIDERS - sync->answered);
    return fclose(file) == 0 && rename(METRICS ".new", METRICS) == 0;
}

static void update_metrics(step_logger_t *op, sync_t *sync)
{
    step_logger_step(op, 5, "Updating metrics", step_kv("path", METRICS));
    if (write_metrics(sync)) {
        step_logger_success(op, step_kv("series", sync->answered + 1));
    } else {
        step_logger_failure_errno(op, errno, step_kv("path", METRICS));
        sync->is_degraded = true;
    }
}

static const char *status_of(const sync_t *sync, bool is_stored)
{
    if (!is_stored)
        return "failed";
    if (sync->is_degraded)
        return "degraded";
    return sync->answered < PROVIDERS ? "partial" : "success";
}

static bool model_sync(sync_t *sync)
{
    step_logger_t *op = step_logger_new("Scheduled Model Sync", 5);
    step_logger_start(op, step_kv("providers", PROVIDERS));
    const bool ok = start_job(op, sync) && fetch_all(op, sync) && store(op, sync);
    if (ok) {
        invalidate_caches(op, sync);
        update_metrics(op, sync);
    }
    step_logger_complete(op, step_kv("status", status_of(sync, ok)), step_kv("models", sync->stored),
                         step_kv("providers", sync->answered), step_kv("failed_providers", PROVIDERS - sync->answered));
    for (size_t i = 0; i < PROVIDERS; i++)
        provider_reply_free(&jobs[i].reply);
    if (sync->lock >= 0)
        close(sync->lock);
    step_logger_free(op);
    return ok;
}

static bool read_arguments(int argc, char **argv, sync_t *sync)
{
    static const struct option options[] = { { "url", required_argument, NULL, 'u' },
                                             { "database", required_argument, NULL, 'd' },
                                             { "redis", required_argument, NULL, 'r' },
                                             { NULL, 0, NULL, 0 } };
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'u')
            sync->url = optarg;
        else if (option == 'd')
            sync->database = optarg;
        else if (option == 'r')
            sync->redis = optarg;
        else
            return false;
    }
    return optind == argc;
}

int main(int argc, char **argv)
{
    sync_t sync = { .url = getenv("PROVIDER_URL"), .database = "sync.db", .redis = getenv("REDIS_URL"), .lock = -1 };
    if (!read_arguments(argc, argv, &sync) || sync.url == NULL) {
        fprintf(stderr, "usage: %s --url URL [--database LOCATION] [--redis URL]\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN); /* a server that is gone is an error like others */
    provider_setup();
    return model_sync(&sync) ? EXIT_SUCCESS : EXIT_FAILURE;
}
