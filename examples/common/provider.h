/* The models that a provider offers: asked for over HTTP, read from JSON. Nothing here logs; any thread may call it. */
#ifndef EXAMPLES_PROVIDER_H
#define EXAMPLES_PROVIDER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct provider_request {
    const char *endpoint;
    const char *api_key;
    const char *header; /* "name: value", one more; NULL: none */
    long timeout_s;     /* for all of it */
} provider_request_t;

typedef struct provider_reply {
    json_t *models;      /* an array of objects; NULL when there are none, for the reason below */
    long status_code;    /* 0: there was no answer */
    const char *trouble; /* whose fault it is: "timeout", "connection", "HTTP" (the provider refused), "response" */
    char error[256];
} provider_reply_t;

/* Once, before the first thread starts. */
void provider_setup(void);

/* False when there are no models. Either way free the reply with provider_reply_free(). */
bool provider_ask(const provider_request_t *request, provider_reply_t *reply);

void provider_reply_free(provider_reply_t *reply);

/* Takes out the models without a price of their own (routers, which cost what they pick costs): how many. */
size_t provider_remove_unpriced(json_t *models);

#endif
