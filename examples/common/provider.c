#include "provider.h"

#include <curl/curl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_BYTES_MAX = 16 * 1024 * 1024 };

typedef struct body {
    char *bytes;
    size_t count;
} body_t;

/* Returns false. */
__attribute__((format(printf, 3, 4))) static bool fail(provider_reply_t *reply, const char *trouble, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reply->error, sizeof(reply->error), format, arguments);
    va_end(arguments);
    reply->trouble = trouble;
    return false;
}

/* ---- HTTP */

/* Anything but `size` makes curl give up. */
static size_t take_bytes(char *bytes, size_t one, size_t size, void *of_body)
{
    (void)one; /* always 1 */
    body_t *body = of_body;
    if (size > BODY_BYTES_MAX - body->count)
        return 0;
    char *grown = realloc(body->bytes, body->count + size);
    if (grown == NULL)
        return 0;
    memcpy(grown + body->count, bytes, size);
    body->bytes = grown;
    body->count += size;
    return size;
}

static struct curl_slist *make_headers(const provider_request_t *request)
{
    char authorization[512];
    snprintf(authorization, sizeof(authorization), "Authorization: Bearer %s", request->api_key);
    struct curl_slist *headers = curl_slist_append(NULL, authorization);
    return request->header != NULL ? curl_slist_append(headers, request->header) : headers;
}

/* `details` is what curl adds, if anything. */
static bool explain(provider_reply_t *reply, CURL *curl, CURLcode result, long timeout_s, const char *details)
{
    long system_error = 0;
    if (result == CURLE_OPERATION_TIMEDOUT)
        return fail(reply, "timeout", "Request timeout after %lds", timeout_s);
    if (result == CURLE_WRITE_ERROR)
        return fail(reply, "response", "More than %d bytes, or out of memory", BODY_BYTES_MAX);
    curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &system_error);
    if (result == CURLE_COULDNT_CONNECT && system_error != 0)
        return fail(reply, "connection", "%s", strerror((int)system_error));
    return fail(reply, "connection", "%s", details[0] != '\0' ? details : curl_easy_strerror(result));
}

static bool get(const provider_request_t *request, provider_reply_t *reply, body_t *body)
{
    char details[CURL_ERROR_SIZE] = "";
    CURL *curl = curl_easy_init();
    if (curl == NULL)
        return fail(reply, "connection", "out of memory");
    struct curl_slist *headers = make_headers(request);
    curl_easy_setopt(curl, CURLOPT_URL, request->endpoint);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, request->timeout_s);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);         /* for threads */
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "127.0.0.1"); /* whatever the environment says */
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, details);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    const CURLcode result = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply->status_code);
    const bool ok = result == CURLE_OK || explain(reply, curl, result, request->timeout_s, details);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return ok;
}

/* ---- JSON */

/* The provider's own words, if it has some: {"error": {"message": ...}} */
static bool read_refusal(provider_reply_t *reply, const json_t *root)
{
    const char *message = json_string_value(json_object_get(json_object_get(root, "error"), "message"));
    if (message == NULL)
        return fail(reply, "HTTP", "HTTP %ld", reply->status_code);
    return fail(reply, "HTTP", "HTTP %ld: %s", reply->status_code, message);
}

static bool read_models(provider_reply_t *reply, const body_t *body)
{
    json_error_t where;
    json_t *root = json_loadb(body->bytes != NULL ? body->bytes : "", body->count, 0, &where);
    if (reply->status_code != 200)
        read_refusal(reply, root);
    else if (root == NULL)
        fail(reply, "response", "Malformed JSON at byte %d: %s", where.position, where.text);
    else if (!json_is_array(json_object_get(root, "data")))
        fail(reply, "response", "No list of models in the response");
    else
        reply->models = json_incref(json_object_get(root, "data"));
    json_decref(root);
    return reply->models != NULL;
}

/* ---- Calls */

void provider_setup(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

bool provider_ask(const provider_request_t *request, provider_reply_t *reply)
{
    body_t body = { NULL, 0 };
    *reply = (provider_reply_t){ .models = NULL };
    const bool ok = get(request, reply, &body) && read_models(reply, &body);
    free(body.bytes);
    return ok;
}

void provider_reply_free(provider_reply_t *reply)
{
    json_decref(reply->models);
    *reply = (provider_reply_t){ .models = NULL };
}

size_t provider_remove_unpriced(json_t *models)
{
    const size_t before = json_array_size(models);
    for (size_t i = before; i > 0; i--) {
        const char *price = json_string_value(json_object_get(json_object_get(json_array_get(models, i - 1), "pricing"), "prompt"));
        if (price == NULL || atof(price) < 0)
            json_array_remove(models, i - 1);
    }
    return before - json_array_size(models);
}
