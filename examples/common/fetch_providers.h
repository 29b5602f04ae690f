/* The operations "NAME Model Fetch" of several providers at the same time, a thread each: what one of them meets is no concern of
 * the others. */
#ifndef EXAMPLES_FETCH_PROVIDERS_H
#define EXAMPLES_FETCH_PROVIDERS_H

#include "provider.h"

#include <step_logger.h>

typedef struct provider_job {
    const char *provider;   /* as in URL/PROVIDER/v1/models */
    const char *operation;  /* the operation's name */
    provider_reply_t reply; /* the result: to be freed, whether there are models in it or not */
} provider_job_t;

/* The operations become children of `parent`. Returns how many providers have answered with models. */
size_t fetch_providers(const char *url, provider_job_t *jobs, size_t count, step_logger_t *parent);

#endif
