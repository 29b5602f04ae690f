/* event_loop: an agent that runs many commands at once, on one thread, each with a deadline, and parses what they print.
 *
 *     event_loop [--timeout-ms N] [COMMAND...]
 *
 * Each command is an operation. They begin, go on and end in any order, so none is current by itself (step_logger_no_parent()):
 * the loop attaches the one whose event it handles. A command prints metrics, KEY=VALUE a line, and exits with 0. */
#include "command.h"

#include <step_logger.h>

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MAX_CHECKS = 64 };

typedef struct check {
    int number;
    step_logger_t *op;
    command_t command;
    int64_t deadline_ms; /* INT64_MAX: none */
    const char *status;  /* how it ends */
    char text[4096];     /* what the command prints; the rest is cut */
    size_t bytes;
} check_t;

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Knows of no check: its parent is the operation to which the thread is attached. */
static bool parse_metrics(char *text)
{
    int metrics = 0;
    bool ok = true;
    step_logger_t *op = step_logger_new("Parse metrics", 1);
    step_logger_start(op);
    step_logger_step(op, 1, "Parsing lines");
    for (char *line; ok && (line = strsep(&text, "\n")) != NULL && *line != '\0'; metrics += ok) {
        const char *equals = strchr(line, '=');
        ok = equals != NULL;
        if (ok)
            step_debug("Metric", step_strn("name", line, (size_t)(equals - line)), step_kv("value", equals + 1));
        else
            step_logger_failure(op, "not KEY=VALUE", step_kv("line", line));
    }
    if (ok)
        step_logger_success(op, step_kv("metrics", metrics));
    step_logger_complete(op);
    step_logger_free(op);
    return ok;
}

static void complete(check_t *check)
{
    step_logger_complete(check->op, step_kv("check", check->number), step_kv("status", check->status));
    step_logger_free(check->op);
    check->op = NULL;
}

/* Steps of many checks mingle in the log: a field says whose they are. */
static void start(check_t *check, const char *command, int timeout_ms)
{
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.parent = step_logger_no_parent();
    options.total_steps = 4;
    check->op = step_logger_new_with("Check", &options);
    step_logger_start(check->op, step_kv("check", check->number), step_kv("command", command));
    step_logger_step(check->op, 1, "Starting the command", step_kv("check", check->number));
    const int error = command_start(&check->command, command);
    if (error != 0) {
        step_logger_failure_errno(check->op, error, step_kv("check", check->number));
        check->status = "not started";
        complete(check);
        return;
    }
    step_logger_success(check->op, step_kv("check", check->number), step_kv("pid", check->command.pid));
    step_logger_step(check->op, 2, "Reading its output", step_kv("check", check->number));
    check->deadline_ms = now_ms() + timeout_ms;
}

static void wait_for_end(check_t *check)
{
    command_close_output(&check->command);
    step_logger_step(check->op, 3, "Waiting for its end", step_kv("check", check->number));
}

static void on_output(check_t *check)
{
    const size_t room = sizeof(check->text) - 1 - check->bytes;
    const ssize_t got = read(check->command.output, check->text + check->bytes, room);
    if (got > 0) {
        check->bytes += (size_t)got;
        return;
    }
    step_logger_success(check->op, step_kv("check", check->number), step_kv("bytes", check->bytes));
    wait_for_end(check);
}

static void on_deadline(check_t *check)
{
    step_logger_failure(check->op, "deadline exceeded", step_kv("check", check->number));
    command_kill(&check->command);
    check->deadline_ms = INT64_MAX;
    wait_for_end(check);
}

static void on_end(check_t *check)
{
    const int code = command_wait(&check->command);
    if (code == 0)
        step_logger_success(check->op, step_kv("check", check->number));
    else
        step_logger_failure(check->op, "the command failed", step_kv("check", check->number), step_kv("exit_code", code));

    step_logger_step(check->op, 4, "Parsing its output", step_kv("check", check->number), step_kv("bytes", check->bytes));
    check->status = "failed";
    if (code != 0) {
        step_logger_skip(check->op, "the command failed", step_kv("check", check->number));
    } else if (parse_metrics(check->text)) {
        step_logger_success(check->op, step_kv("check", check->number));
        check->status = "ok";
    } else {
        step_logger_failure(check->op, "output is not metrics", step_kv("check", check->number));
    }
    complete(check);
}

/* What is logged meanwhile belongs to that check, and to nobody afterwards. */
static void handle(check_t *check, void (*event)(check_t *check))
{
    step_logger_t *previous = step_logger_attach(check->op);
    event(check);
    step_logger_attach(previous);
}

/* One turn of the loop. Returns false when all have ended. */
static bool turn(check_t *checks, int count)
{
    struct pollfd events[MAX_CHECKS];
    int64_t deadline_ms = INT64_MAX;
    int open = 0;
    for (int i = 0; i < count; i++) {
        const command_t *command = &checks[i].command;
        events[i] = (struct pollfd){ .fd = command->output >= 0 ? command->output : command->end, .events = POLLIN };
        if (checks[i].op != NULL && checks[i].deadline_ms < deadline_ms)
            deadline_ms = checks[i].deadline_ms;
        open += checks[i].op != NULL;
    }
    const int64_t left_ms = deadline_ms - now_ms();
    const int timeout_ms = deadline_ms == INT64_MAX ? -1 : left_ms < 0 ? 0 : left_ms < 60000 ? (int)left_ms : 60000;
    if (open == 0 || poll(events, (nfds_t)count, timeout_ms) < 0)
        return open > 0;
    for (int i = 0; i < count; i++) {
        check_t *check = &checks[i];
        if (events[i].revents != 0)
            handle(check, events[i].fd == check->command.output ? on_output : on_end);
        else if (check->op != NULL && now_ms() >= check->deadline_ms)
            handle(check, on_deadline);
    }
    return true;
}

int main(int argc, char **argv)
{
    static const char *const samples[] = {
        "echo uptime_s=$(cut -d' ' -f1 /proc/uptime)",
        "sleep 0.1; echo load_1m=$(cut -d' ' -f1 /proc/loadavg); sleep 0.1; echo processes=$(ls -d /proc/[0-9]* | wc -l)",
        "sleep 0.05; echo all is well",
        "exit 3",
        "echo started=1; sleep 60",
    };
    static check_t checks[MAX_CHECKS];
    static const struct option options[] = { { "timeout-ms", required_argument, NULL, 't' }, { NULL, 0, NULL, 0 } };
    int timeout_ms = 500;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) == 't')
        timeout_ms = atoi(optarg);
    if (option != -1 || argc - optind > MAX_CHECKS) {
        fprintf(stderr, "usage: %s [--timeout-ms N] [COMMAND...]\n", argv[0]);
        return 2;
    }
    const char *const *commands = optind < argc ? (const char *const *)argv + optind : samples;
    const int count = optind < argc ? argc - optind : (int)(sizeof(samples) / sizeof(samples[0]));
    for (int i = 0; i < count; i++) {
        checks[i].number = i + 1;
        start(&checks[i], commands[i], timeout_ms);
    }
    while (turn(checks, count))
        continue;
    return EXIT_SUCCESS;
}
