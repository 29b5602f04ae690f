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
#include <strings.h>
#include <unistd.h>

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

/* ---- LOG_LEVEL ---- */

static step_level_t level_named(const char *name, size_t length)
{
    static const struct {
        const char *name;
        step_level_t level;
    } levels[] = { { "debug", STEP_LEVEL_DEBUG },     { "info", STEP_LEVEL_INFO },   { "warning", STEP_LEVEL_WARNING },
                   { "warn", STEP_LEVEL_WARNING },    { "error", STEP_LEVEL_ERROR }, { "critical", STEP_LEVEL_CRITICAL },
                   { "off", STEP_LEVEL_OFF } };
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
        if (strlen(levels[i].name) == length && strncasecmp(levels[i].name, name, length) == 0)
            return levels[i].level;
    return 0;
}

static step_level_t read_level(void)
{
    const char *value = variable("LOG_LEVEL");
    if (value == NULL)
        return STEP_LEVEL_INFO;
    const size_t length = strcspn(value, ",");
    if (value[length] == ',')
        complain("LOG_LEVEL", value, "rules by operation are not built yet; the level before the comma is used for all");
    const step_level_t level = level_named(value, length);
    if (level == 0)
        complain("LOG_LEVEL", value, "use debug, info, warning, error, critical or off; info is used");
    return level != 0 ? level : STEP_LEVEL_INFO;
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
    const step_json_options_t members = { .size = sizeof(members), .source = read_switch("STEP_LOGGER_SOURCE", 0) };
    if (value != NULL && strcmp(value, "json") == 0)
        return step_format_json_with(&members);
    if (value != NULL && strcmp(value, "logfmt") == 0)
        return step_format_logfmt_with(&members);
    if (value != NULL && strcmp(value, "text") != 0)
        complain("STEP_LOGGER_FORMAT", value, "use text, json or logfmt; text is used");
    const step_text_options_t options = { .size = sizeof(options),
                                          .timestamps = read_switch("STEP_LOGGER_TIMESTAMPS", 0),
                                          .ascii = read_switch("STEP_LOGGER_EMOJI", 1) == 0,
                                          .color = wants_color(fd) };
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
    options.level = read_level();
    const int failed = step_log_open(&options, &log);
    if (failed != STEP_OK) {
        stepi_diagnose(NULL, STEPI_TROUBLE_OPTION, failed, "there is no default log: %s", step_error_text(failed));
        return NULL;
    }
    inherit_trace(log);
    const output_choice_t output = open_output();
    const int added = step_log_add_output(log, output.sink, make_format(output.fd), 0);
    if (added != STEP_OK) /* a program without stderr, say: it runs on, and its records are counted */
        stepi_diagnose(NULL, STEPI_TROUBLE_OPTION, added, "the default log has no output: %s", step_error_text(added));
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
