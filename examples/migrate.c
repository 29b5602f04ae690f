/* migrate: the same function with the lines of an old logger, and as an operation with steps.
 *
 * The work and the counts are the same. What the steps add: which of how many, how long each took, what failed, and fields
 * that a program can read. */
#include <step_logger.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- The work: a provider's answer is parsed, and its names are kept */

static const char answer[] = "gpt-4o,claude-3-opus,gemini-1.5-pro,llama-3-70b,mixtral-8x7b";

typedef struct models {
    char names[8][32];
    size_t count;
} models_t;

static models_t cache;

static size_t fetch_models(models_t *models)
{
    const char *at = answer;
    int length;
    models->count = 0;
    while (models->count < 8 && sscanf(at, "%31[^,]%n", models->names[models->count], &length) == 1) {
        models->count++;
        at += length;
        at += *at == ',';
    }
    return models->count;
}

static size_t cache_models(const models_t *models)
{
    cache = *models;
    return cache.count;
}

/* ---- Before: lines */

__attribute__((format(printf, 1, 2))) static void old_log(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("[INFO] ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

static void sync_models_before(void)
{
    models_t models;

    old_log("Fetching models from OpenRouter");
    fetch_models(&models);
    old_log("Fetched %zu models", models.count);

    old_log("Caching models");
    cache_models(&models);

    old_log("Done");
}

/* ---- After: steps */

static void sync_models_after(void)
{
    models_t models;
    step_logger_t *op = step_logger_new("OpenRouter Fetch", 2);
    step_logger_start(op, step_kv("provider", "openrouter"));

    step_logger_step(op, 1, "Fetching models from API", step_kv("provider", "openrouter"));
    fetch_models(&models);
    step_logger_success(op, step_kv("count", models.count));

    step_logger_step(op, 2, "Caching models");
    const size_t cached = cache_models(&models);
    step_logger_success(op, step_kv("cached_count", cached));

    step_logger_complete(op, step_kv("total_models", models.count));
    step_logger_free(op);
}

int main(void)
{
    sync_models_before();
    sync_models_after();
    return EXIT_SUCCESS;
}
