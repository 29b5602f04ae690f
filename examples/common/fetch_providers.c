#include "fetch_providers.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { JOBS_MAX = 16 };

typedef struct work {
    const char *url;
    provider_job_t *job;
    step_logger_t *parent;
} work_t;

/* The lines of several providers mix: each names its own. */
static bool ask(step_logger_t *op, provider_job_t *job, const char *endpoint)
{
    char header[STEP_TRACEPARENT_HEADER_BYTES];
    const char *key = getenv("PROVIDER_API_KEY");
    provider_request_t request = { .endpoint = endpoint, .api_key = key != NULL ? key : "", .timeout_s = 30 };
    step_logger_step(op, 1, "Fetching models from API", step_kv("provider", job->provider));
    if (step_logger_traceparent_header(op, header) == STEP_OK)
        request.header = header;
    if (!provider_ask(&request, &job->reply)) {
        step_logger_failure(op, job->reply.error, step_kv("provider", job->provider));
        return false;
    }
    step_logger_success(op, step_kv("provider", job->provider), step_kv("raw_count", json_array_size(job->reply.models)),
                        step_kv("status_code", job->reply.status_code));
    return true;
}

static void filter(step_logger_t *op, provider_job_t *job)
{
    step_logger_step(op, 2, "Processing and filtering models", step_kv("provider", job->provider));
    const size_t removed = provider_remove_unpriced(job->reply.models);
    step_logger_success(op, step_kv("provider", job->provider), step_kv("final_count", json_array_size(job->reply.models)),
                        step_kv("filtered_out", removed));
}

/* A thread. It is told its parent: what is current on the thread that started it is not current here. */
static void *fetch(void *argument)
{
    const work_t *work = argument;
    provider_job_t *job = work->job;
    char endpoint[256];
    snprintf(endpoint, sizeof(endpoint), "%s/%s/v1/models", work->url, job->provider);

    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.parent = work->parent;
    options.total_steps = 2;
    step_logger_t *op = step_logger_new_with(job->operation, &options);
    step_logger_start(op, step_kv("provider", job->provider), step_kv("endpoint", endpoint));
    if (ask(op, job, endpoint)) {
        filter(op, job);
        step_logger_complete(op, step_kv("total_models", json_array_size(job->reply.models)),
                             step_kv("provider", job->provider));
    }
    step_logger_free(op);
    return NULL;
}

/* Where there is no thread to be had, this one does the work. */
size_t fetch_providers(const char *url, provider_job_t *jobs, size_t count, step_logger_t *parent)
{
    pthread_t threads[JOBS_MAX];
    work_t works[JOBS_MAX];
    bool is_started[JOBS_MAX];
    size_t answered = 0;
    count = count < JOBS_MAX ? count : JOBS_MAX;
    for (size_t i = 0; i < count; i++) {
        works[i] = (work_t){ .url = url, .job = &jobs[i], .parent = parent };
        is_started[i] = pthread_create(&threads[i], NULL, fetch, &works[i]) == 0;
        if (!is_started[i])
            fetch(&works[i]);
    }
    for (size_t i = 0; i < count; i++) {
        if (is_started[i])
            pthread_join(threads[i], NULL);
        answered += jobs[i].reply.models != NULL;
    }
    return answered;
}
