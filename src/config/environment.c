/* The default log, made from the environment at first use. A value that is not understood says what is allowed, and the default
 * stands. Under setuid the environment is somebody else's: it is not read then. */
#include <step_logger.h>

#include "core/registry.h"
#include "core/trace.h"
#include "platform/futex.h"
#include "platform/system.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHARE_DIGITS = 15 };

typedef struct output_choice {
    step_sink_t *sink;
    int fd; /* -1: a file */
} output_choice_t;

/* Empty means unset. */
static const char *variable(const char *name)
{
    const char *value = secure_getenv(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

static void complain(const char *name, const char *value, const char *allowed)
{
    stepi_diagnose(NULL, STEPI_TROUBLE_OPTION, STEP_EINVAL, "%s=%.100s is not understood: %s", name, value, allowed);
}

static uint32_t read_switch(const char *name, uint32_t unset)
{
    const char *value = variable(name);
    if (value == NULL)
        return unset;
    if (strcmp(value, "0") == 0 || strcmp(value, "1") == 0)
        return value[0] == '1';
    complain(name, value, unset != 0 ? "use 0 or 1; 1 is used" : "use 0 or 1; 0 is used");
    return unset;
}

/* ---- LOG_LEVEL: a level, rules by operation behind it ---- */

static void read_level(step_log_options_t *options)
{
    const char *const value = variable("LOG_LEVEL");
    const char *rest = value;
    stepi_slice_t first, bad;
    stepi_rules_t rules;
    if (value == NULL)
        return;
    const char *list = value;
    stepi_list_next(&list, &first);
    const bool begins_with_rule = memchr(first.bytes, '=', first.length) != NULL;
    if (!begins_with_rule) {
        const step_level_t level = stepi_level_named(first);
        if (level != 0)
            options->level = level;
        else
            complain("LOG_LEVEL", value, "use debug, info, warning, error, critical or off; info is used");
        rest = list;
    }
    if (stepi_rules_read(&rules, rest, &bad))
        options->level_rules = rest;
    else
        complain("LOG_LEVEL", value, "behind the level use rules such as Database*=debug, with commas between them; none is used");
}

/* ---- What is kept: numbers ---- */

/* Decimal digits alone. */
static uint32_t read_number(const char *name, const char *allowed)
{
    const char *value = variable(name);
    uint64_t number = 0;
    size_t digits = 0;
    if (value == NULL)
        return 0;
    for (; value[digits] >= '0' && value[digits] <= '9' && number <= UINT32_MAX; digits++)
        number = number * 10 + (uint64_t)(value[digits] - '0');
    if (value[digits] == '\0' && number <= UINT32_MAX)
        return (uint32_t)number;
    complain(name, value, allowed);
    return 0;
}

/* A decimal from 0 to 1, whatever the locale's decimal point is; beyond 15 digits it would not be exact. */
static double read_share(const char *name, double unset)
{
    const char *value = variable(name);
    uint64_t number = 0, scale = 1;
    bool behind_point = false;
    size_t digits = 0, at = 0;
    if (value == NULL)
        return unset;
    for (; value[at] != '\0' && digits <= SHARE_DIGITS; at++) {
        if (value[at] == '.' && !behind_point) {
            behind_point = true;
            continue;
        }
        if (value[at] < '0' || value[at] > '9')
            break;
        number = number * 10 + (uint64_t)(value[at] - '0');
        scale *= behind_point ? 10 : 1;
        digits++;
    }
    if (value[at] == '\0' && digits > 0 && digits <= SHARE_DIGITS && number <= scale)
        return (double)number / (double)scale;
    complain(name, value, "use a number from 0 to 1, such as 0.1; 1 is used");
    return unset;
}

static void read_retention(step_log_options_t *options)
{
    options->sample_rate = read_share("STEP_LOGGER_SAMPLE_RATE", 1.0);
    options->flight_recorder_bytes =
        read_number("STEP_LOGGER_FLIGHT_RECORDER_BYTES", "use a number of bytes; there is no flight recorder");
    options->slow_ms = read_number("STEP_LOGGER_SLOW_MS", "use a number of milliseconds; no operation counts as slow");
    options->stuck_ms = read_number("STEP_LOGGER_STUCK_MS", "use a number of milliseconds; none is reported as stuck");
    options->redact_keys = variable("STEP_LOGGER_REDACT_KEYS");
    if (options->redact_keys != NULL && strlen(options->redact_keys) >= STEPI_REDACT_BYTES) {
        complain("STEP_LOGGER_REDACT_KEYS", options->redact_keys, "use at most 1023 bytes; the value of every key is redacted");
        options->redact_keys = "*";
    }
}

/* ---- STEP_LOGGER_CRASH_DIR ---- */

/* With a directory that is not to be had there is a log all the same. */
static int open_log(step_log_options_t *options, step_log_t **log)
{
    options->crash_ring_dir = variable("STEP_LOGGER_CRASH_DIR");
    const int failed = step_log_open(options, log);
    if (options->crash_ring_dir == NULL || (failed != STEP_EIO && failed != STEP_ENOTSUP))
        return failed;
    stepi_diagnose(NULL, STEPI_TROUBLE_OPTION, failed, "STEP_LOGGER_CRASH_DIR=%.200s cannot be used: what is pending when this process is "
                   "killed is lost", options->crash_ring_dir);
    options->crash_ring_dir = NULL;
    return step_log_open(options, log);
}

/* What those before this process left. */
static void recover(step_log_t *log, const step_log_options_t *options)
{
    if (options->crash_ring_dir == NULL || read_switch("STEP_LOGGER_CRASH_RECOVER", 0) == 0)
        return;
    const int failed = step_log_recover(log, options->crash_ring_dir, STEP_RECOVER_REPORT, NULL);
    if (failed != STEP_OK)
        stepi_diagnose(NULL, STEPI_TROUBLE_OPTION, failed, "STEP_LOGGER_CRASH_RECOVER: %s; what is left in %.200s stays there",
                       step_error_text(failed), options->crash_ring_dir);
}

/* ---- STEP_LOGGER_OUTPUT ---- */

static output_choice_t open_output(void)
{
    static const char file[] = "file:";
    const char *value = variable("STEP_LOGGER_OUTPUT");
    if (value != NULL && strcmp(value, "stdout") == 0)
        return (output_choice_t){ .sink = step_sink_fd(STDOUT_FILENO), .fd = STDOUT_FILENO };
    if (value != NULL && strncmp(value, file, sizeof(file) - 1) == 0) {
        step_sink_t *sink = step_sink_file(value + sizeof(file) - 1);
        if (sink != NULL)
            return (output_choice_t){ .sink = sink, .fd = -1 };
        stepi_diagnose(NULL, STEPI_TROUBLE_OPTION, STEP_ESINK, "STEP_LOGGER_OUTPUT=%.200s cannot be opened: %s; stderr is used",
                       value, strerror(errno));
    } else if (value != NULL && (strcmp(value, "syslog") == 0 || strcmp(value, "journald") == 0)) {
        complain("STEP_LOGGER_OUTPUT", value, "it is not built yet; stderr is used");
    } else if (value != NULL && strcmp(value, "stderr") != 0) {
        complain("STEP_LOGGER_OUTPUT", value, "use stderr, stdout or file:PATH; stderr is used");
    }
    return (output_choice_t){ .sink = step_sink_fd(STDERR_FILENO), .fd = STDERR_FILENO };
}

/* ---- STEP_LOGGER_FORMAT and the look of text ---- */

/* NO_COLOR beats CLICOLOR_FORCE and FORCE_COLOR beat a terminal that can. */
static bool wants_color(int fd)
{
    const char *force = variable("CLICOLOR_FORCE");
    const char *term = variable("TERM");
    if (force == NULL)
        force = variable("FORCE_COLOR");
    if (fd < 0 || variable("NO_COLOR") != NULL)
        return false;
    if (force != NULL && strcmp(force, "0") != 0)
        return true;
    return term != NULL && strcmp(term, "dumb") != 0 && isatty(fd) == 1;
}

static step_format_t *make_format(int fd)
{
    const char *value = variable("STEP_LOGGER_FORMAT");
    const step_json_options_t members = { .size = sizeof(members),
                                          .source = read_switch("STEP_LOGGER_SOURCE", 0),
                                          .canonical = read_switch("STEP_LOGGER_CANONICAL", 0) };
    if (value != NULL && strcmp(value, "json") == 0)
        return step_format_json_with(&members);
    if (value != NULL && strcmp(value, "logfmt") == 0)
        return step_format_logfmt_with(&members);
    if (value != NULL && strcmp(value, "text") != 0)
        complain("STEP_LOGGER_FORMAT", value, "use text, json or logfmt; text is used");
    const step_text_options_t options = { .size = sizeof(options),
                                          .timestamps = read_switch("STEP_LOGGER_TIMESTAMPS", 0),
                                          .ascii = read_switch("STEP_LOGGER_EMOJI", 1) == 0,
                                          .color = wants_color(fd),
                                          .ids = read_switch("STEP_LOGGER_IDS", 0) };
    return step_format_text_with(&options);
}

/* ---- TRACEPARENT ---- */

/* Whoever started this process may have named the trace that it works for. */
static void inherit_trace(step_log_t *log)
{
    const char *value = variable("TRACEPARENT");
    stepi_trace_context_t context;
    if (value == NULL)
        return;
    if (stepi_traceparent_parse(value, &context))
        stepi_trace_set_inherited(log, &context);
    else
        complain("TRACEPARENT", value, "it is no W3C traceparent (00-<32 hex>-<16 hex>-<2 hex>); new traces are started");
}

/* ---- The default log ---- */

static step_log_t *make(void)
{
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    step_log_t *log = NULL;
    read_level(&options);
    read_retention(&options);
    const int failed = open_log(&options, &log);
    if (failed != STEP_OK) {
        stepi_diagnose(NULL, STEPI_TROUBLE_OPTION, failed, "there is no default log: %s", step_error_text(failed));
        return NULL;
    }
    inherit_trace(log);
    const output_choice_t output = open_output();
    const int added = step_log_add_output(log, output.sink, make_format(output.fd), 0);
    if (added != STEP_OK) /* a program without stderr, say: it runs on, and its records are counted */
        stepi_diagnose(NULL, STEPI_TROUBLE_OPTION, added, "the default log has no output: %s", step_error_text(added));
    recover(log, &options);
    return log;
}

step_log_t *step_log_default(void)
{
    static _Thread_local bool making __attribute__((tls_model("initial-exec")));
    stepi_default_state_t state;
    step_log_t *log = stepi_default_get(&state);
    if (state != STEPI_DEFAULT_UNMADE || making)
        return log;
    const int saved = errno;
    making = true; /* before the lock: a signal handler that logs must not wait for this thread */
    const int cancellation = stepi_cancellation_hold();
    stepi_library_init(); /* before the lock: a forked child has to set it free */
    stepi_lock_take(&stepi_default_making);
    log = stepi_default_get(&state);
    if (state == STEPI_DEFAULT_UNMADE) {
        log = make();
        if (!stepi_default_offer(log)) { /* the program has set its own meanwhile */
            step_log_close(log);
            log = stepi_default_get(&state);
        }
    }
    stepi_lock_release(&stepi_default_making);
    stepi_cancellation_release(cancellation);
    making = false;
    errno = saved;
    return log;
}
