/* The providers that the examples ask: an HTTP server on a free port of the loopback that lists models as JSON.
 *
 *     PROVIDER_API_KEY=... models_server
 *
 * The first line on stdout is its URL. It logs its requests, and ends on SIGTERM or SIGINT.
 *
 *     GET /PROVIDER/v1/models     {"data": [{"id": ..., "context_length": ..., "pricing": {...}}, ...]}, for who has the key
 *     ...?fault=silence           never answers
 *     ...?fault=malformed         breaks off in the middle of a model */
#include <step_logger.h>

#include <arpa/inet.h>
#include <jansson.h>
#include <microhttpd.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct provider {
    const char *name;
    int models;
    useconds_t latency_us;
    char *body; /* NULL: it is out of order */
} provider_t;

static provider_t providers[] = { { "openrouter", 2834, 40000, NULL },
                                  { "together", 430, 120000, NULL },
                                  { "groq", 120, 20000, NULL },
                                  { "deepinfra", 310, 80000, NULL },
                                  { "fireworks", 0, 60000, NULL } };
enum { PROVIDERS = sizeof(providers) / sizeof(providers[0]) };

static char expected_authorization[256];
static sem_t ending; /* who keeps silent waits for it */

/* ---- Models */

/* Every 36th is a router: its price, that of whatever it picks, is -1. */
static json_t *make_model(const char *provider, int number)
{
    static const char *const families[] = { "gpt", "claude", "gemini", "llama", "mixtral", "qwen", "deepseek" };
    const char *family = families[number % 7];
    const bool is_router = number % 36 == 35;
    json_t *id = json_sprintf("%s/%s-%d%s", provider, family, number / 7, is_router ? "-auto" : "");
    return json_pack("{s:o, s:s, s:i, s:{s:s, s:s}}", "id", id, "family", family, "context_length", 4096 << number % 6,
                     "pricing", "prompt", is_router ? "-1" : "0.0000008", "completion", is_router ? "-1" : "0.0000024");
}

static char *make_body(const provider_t *provider)
{
    json_t *models = json_array();
    for (int i = 0; i < provider->models; i++)
        json_array_append_new(models, make_model(provider->name, i));
    json_t *root = json_pack("{s:o}", "data", models);
    char *body = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    return body;
}

static const provider_t *find_provider(const char *path)
{
    for (size_t i = 0; i < PROVIDERS; i++) {
        char known[64];
        snprintf(known, sizeof(known), "/%s/v1/models", providers[i].name);
        if (strcmp(path, known) == 0)
            return &providers[i];
    }
    return NULL;
}

/* ---- Requests */

/* "401 Unauthorized", say, with the body that OpenRouter would send. */
static unsigned refuse(unsigned status, const char *why, char *body, size_t room)
{
    snprintf(body, room, "{\"error\":{\"message\":\"%s\",\"code\":%u}}", why, status);
    return status;
}

static bool has_key(struct MHD_Connection *connection)
{
    const char *given = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
    return given != NULL && strcmp(given, expected_authorization) == 0;
}

static enum MHD_Result send_json(struct MHD_Connection *connection, unsigned status, const char *body, size_t bytes)
{
    union {
        const char *text;
        void *any; /* MHD copies it, although it asks for a pointer to what may be changed */
    } source = { body };
    struct MHD_Response *response = MHD_create_response_from_buffer(bytes, source.any, MHD_RESPMEM_MUST_COPY);
    if (response == NULL)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", "application/json");
    const enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

/* A traceparent would make this request a part of the client's operation; here it is shown. */
static void log_answer(struct MHD_Connection *connection, const char *path, unsigned status, size_t bytes)
{
    const char *traceparent = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "traceparent");
    step_info("Answered", step_kv("path", path), step_kv("status", status), step_kv("bytes", bytes),
              step_kv("traceparent", traceparent != NULL ? traceparent : "none"));
}

/* A thread for each connection calls it. */
static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_bytes, void **of_request)
{
    (void)context, (void)version, (void)upload, (void)upload_bytes, (void)of_request;
    const provider_t *provider = find_provider(url);
    const char *fault = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "fault");
    char refusal[128];
    const char *body = refusal;
    unsigned status = 200;

    if (provider == NULL || strcmp(method, "GET") != 0) {
        status = refuse(404, "Not found", refusal, sizeof(refusal));
    } else if (!has_key(connection)) {
        status = refuse(401, "Invalid API key", refusal, sizeof(refusal));
    } else if (fault != NULL && strcmp(fault, "silence") == 0) {
        step_info("Keeping silent", step_kv("path", url));
        sem_wait(&ending);
        sem_post(&ending); /* for the next one */
        return MHD_NO;
    } else {
        usleep(provider->latency_us);
        if (provider->body == NULL)
            status = refuse(503, "Service is being upgraded", refusal, sizeof(refusal));
        else
            body = provider->body;
    }

    const size_t bytes = fault != NULL && strcmp(fault, "malformed") == 0 ? strlen(body) / 2 : strlen(body);
    log_answer(connection, url, status, bytes);
    return send_json(connection, status, body, bytes);
}

/* ---- Server */

static struct MHD_Daemon *start_server(void)
{
    struct sockaddr_in loopback = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) }; /* any free port */
    return MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION, 0, NULL, NULL, answer, NULL,
                            MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&loopback, MHD_OPTION_END);
}

int main(void)
{
    const char *key = getenv("PROVIDER_API_KEY");
    if (key == NULL || key[0] == '\0') {
        fputs("models_server: PROVIDER_API_KEY is not set\n", stderr);
        return 2;
    }
    snprintf(expected_authorization, sizeof(expected_authorization), "Bearer %s", key);
    for (size_t i = 0; i < PROVIDERS; i++)
        if (providers[i].models > 0)
            providers[i].body = make_body(&providers[i]);
    sem_init(&ending, 0, 0);

    sigset_t signals; /* blocked in every thread, taken by this one */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);

    struct MHD_Daemon *server = start_server();
    if (server == NULL) {
        perror("models_server");
        return 1;
    }
    printf("http://127.0.0.1:%u\n", (unsigned)MHD_get_daemon_info(server, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);

    int signal_number = 0;
    sigwait(&signals, &signal_number);
    sem_post(&ending);
    MHD_stop_daemon(server);
    for (size_t i = 0; i < PROVIDERS; i++)
        free(providers[i].body);
    return 0;
}
