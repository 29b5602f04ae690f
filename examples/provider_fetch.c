/* provider_fetch: a provider's models over HTTP, the specification's first example.
 *
 *     provider_fetch [--url URL] [--bad-key | --timeout | --refused | --malformed]
 *
 * Validates the key (PROVIDER_API_KEY), fetches, filters, caches (openrouter_models.json). URL, or PROVIDER_URL, is where
 * servers/models_server listens. The options make it fail: the server refuses another key, does not answer within two seconds,
 * does not listen at all, breaks off in the middle of its answer. */
#include "provider.h"

#include <step_logger.h>

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CACHE "openrouter_models.json"
#define NOBODY "http://127.0.0.1:1"

typedef struct fetch {
    char endpoint[256];
    const char *api_key;
    long timeout_s;
    provider_reply_t reply;
} fetch_t;

/* Each step that fails says so twice: in its own line, and with the provider's name for who reads errors alone. */
static bool failed(step_logger_t *op, const char *trouble, const char *error)
{
    step_logger_failure(op, error);
    step_logger_messagef(op, STEP_LEVEL_ERROR, "OpenRouter %s error: %s", trouble, error);
    return false;
}

static bool validate_key(step_logger_t *op, const fetch_t *fetch)
{
    step_logger_step(op, 1, "Validating API key", step_kv("provider", "openrouter"));
    if (fetch->api_key == NULL || fetch->api_key[0] == '\0')
        return failed(op, "configuration", "PROVIDER_API_KEY is not set");
    step_logger_success(op, step_kv("status", "configured"));
    return true;
}

/* The request carries the step's traceparent: what the provider logs can be found by it. */
static bool fetch_models(step_logger_t *op, fetch_t *fetch)
{
    char header[STEP_TRACEPARENT_HEADER_BYTES];
    provider_request_t request = { fetch->endpoint, fetch->api_key, NULL, fetch->timeout_s };
    step_logger_step(op, 2, "Fetching models from API", step_kv("provider", "openrouter"));
    if (step_logger_traceparent_header(op, header) == STEP_OK)
        request.header = header;
    if (!provider_ask(&request, &fetch->reply))
        return failed(op, fetch->reply.trouble, fetch->reply.error);
    step_logger_success(op, step_kv("raw_count", json_array_size(fetch->reply.models)),
                        step_kv("status_code", fetch->reply.status_code));
    return true;
}

static bool filter_models(step_logger_t *op, json_t *models)
{
    step_logger_step(op, 3, "Processing and filtering models", step_kv("provider", "openrouter"));
    const size_t before = json_array_size(models);
    const size_t removed = provider_remove_unpriced(models);
    step_logger_success(op, step_kv("final_count", json_array_size(models)), step_kv("filtered_out", removed),
                        step_percent("filter_rate", before > 0 ? 100.0 * (double)removed / (double)before : 0.0));
    return true;
}

/* Whoever reads the cache meanwhile finds the old one or the new one, never a half. */
static bool write_cache(const json_t *models)
{
    FILE *file = fopen(CACHE ".new", "w");
    if (file == NULL)
        return false;
    const bool is_written = json_dumpf(models, file, JSON_COMPACT) == 0;
    return fclose(file) == 0 && is_written && rename(CACHE ".new", CACHE) == 0;
}

static bool cache_models(step_logger_t *op, const json_t *models)
{
    step_logger_step(op, 4, "Caching models", step_kv("provider", "openrouter"));
    if (!write_cache(models))
        return failed(op, "cache", strerror(errno));
    step_logger_success(op, step_kv("cached_count", json_array_size(models)), step_kv("cache_status", "updated"));
    return true;
}

static bool provider_fetch(fetch_t *fetch)
{
    step_logger_t *op = step_logger_new("OpenRouter Model Fetch", 4);
    step_logger_start(op, step_kv("provider", "openrouter"), step_kv("endpoint", fetch->endpoint));

    const bool ok = validate_key(op, fetch) && fetch_models(op, fetch) && filter_models(op, fetch->reply.models) &&
                    cache_models(op, fetch->reply.models);
    if (ok)
        step_logger_complete(op, step_kv("total_models", json_array_size(fetch->reply.models)),
                             step_kv("provider", "openrouter"));
    provider_reply_free(&fetch->reply);
    step_logger_free(op);
    return ok;
}

static bool read_arguments(int argc, char **argv, fetch_t *fetch)
{
    static const struct option options[] = { { "url", required_argument, NULL, 'u' },
                                             { "bad-key", no_argument, NULL, 'b' },
                                             { "timeout", no_argument, NULL, 't' },
                                             { "refused", no_argument, NULL, 'r' },
                                             { "malformed", no_argument, NULL, 'm' },
                                             { NULL, 0, NULL, 0 } };
    const char *url = getenv("PROVIDER_URL");
    const char *query = "";
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'u') {
            url = optarg;
        } else if (option == 'b') {
            fetch->api_key = "not-the-key";
        } else if (option == 't') {
            query = "?fault=silence";
            fetch->timeout_s = 2;
        } else if (option == 'r') {
            url = NOBODY;
        } else if (option == 'm') {
            query = "?fault=malformed";
        } else {
            return false;
        }
    }
    snprintf(fetch->endpoint, sizeof(fetch->endpoint), "%s/openrouter/v1/models%s", url != NULL ? url : NOBODY, query);
    return optind == argc;
}

int main(int argc, char **argv)
{
    fetch_t fetch = { .api_key = getenv("PROVIDER_API_KEY"), .timeout_s = 30 };
    if (!read_arguments(argc, argv, &fetch)) {
        fprintf(stderr, "usage: %s [--url URL] [--bad-key | --timeout | --refused | --malformed]\n", argv[0]);
        return 2;
    }
    provider_setup();
    return provider_fetch(&fetch) ? EXIT_SUCCESS : EXIT_FAILURE;
}
