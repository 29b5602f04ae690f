#include "cost_service.h"

#include "loopback.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Knows of no request: its parent is the operation that its thread is attached to. */
static bool look_up_price(const char *model, double *price)
{
    static const struct {
        const char *model;
        double per_million_tokens;
    } prices[] = { { "gpt-4o", 2.5 }, { "claude-sonnet", 3 }, { "gemini-flash", 0.3 } };
    bool found = false;
    step_logger_t *op = step_logger_new("Look up price", 1);
    step_logger_start(op, step_kv("model", model));
    step_logger_step(op, 1, "Searching the price list", step_kv("model", model));
    for (size_t i = 0; i < sizeof(prices) / sizeof(prices[0]) && !found; i++) {
        *price = prices[i].per_million_tokens;
        found = strcmp(prices[i].model, model) == 0;
    }
    if (found)
        step_logger_success(op, step_kv("per_million", *price));
    else
        step_logger_failure(op, "no such model", step_kv("model", model));
    step_logger_complete(op, step_kv("model", model));
    step_logger_free(op);
    return found;
}

static bool failed(step_logger_t *op, const char *id, const char *error)
{
    step_logger_failure(op, error, step_kv("request", id));
    return false;
}

bool cost_service_answer(step_logger_t *op, const char *id, int connection)
{
    char line[128], model[64];
    long tokens;
    double price;

    step_logger_step(op, 2, "Reading the request", step_kv("request", id));
    const ssize_t bytes = loopback_read_line(connection, line, sizeof(line));
    if (bytes <= 0)
        return failed(op, id, bytes == 0 ? "client closed the connection" : strerror(errno));
    step_logger_success(op, step_kv("request", id), step_kv("bytes", bytes));

    step_logger_step(op, 3, "Calculating the cost", step_kv("request", id));
    if (sscanf(line, "cost %ld %63s", &tokens, model) != 2)
        return failed(op, id, "request is not `cost TOKENS MODEL`");
    if (!look_up_price(model, &price))
        return failed(op, id, "no price");
    const double cost = price * (double)tokens / 1e6;
    step_logger_success(op, step_kv("request", id), step_kv("model", model), step_fixed("cost", cost, 4));

    step_logger_step(op, 4, "Answering", step_kv("request", id));
    snprintf(line, sizeof(line), "%.4f\n", cost);
    if (!loopback_send(connection, line))
        return failed(op, id, strerror(errno));
    step_logger_success(op, step_kv("request", id));
    return true;
}

static bool ask(int connection, int client)
{
    static const char *const requests[] = { "cost 1200 gpt-4o\n", "cost 98000 claude-sonnet\n", "cost 500 gemini-flash\n" };
    if (client % 10 == 9)
        return shutdown(connection, SHUT_WR) == 0;
    return loopback_send(connection, requests[client % 3]);
}

int cost_service_clients(int port, int count)
{
    enum { AT_ONCE = 8 };
    int connections[AT_ONCE];
    int answered = 0;
    for (int first = 0; first < count; first += AT_ONCE) {
        const int clients = count - first < AT_ONCE ? count - first : AT_ONCE;
        for (int i = 0; i < clients; i++) {
            connections[i] = loopback_connect(port);
            if (connections[i] >= 0)
                ask(connections[i], first + i);
        }
        for (int i = 0; i < clients; i++) {
            char line[32];
            answered += connections[i] >= 0 && loopback_read_line(connections[i], line, sizeof(line)) > 0;
            close(connections[i]);
        }
    }
    return answered;
}
