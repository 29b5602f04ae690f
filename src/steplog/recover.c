/* steplog recover: what killed processes left in their crash rings, as JSON lines. The library knows how; it writes to standard output
 * by itself. */
#include "steplog/command.h"

#include <step_logger.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* NULL after a complaint. */
static step_log_t *open_output(void)
{
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    step_log_t *log = NULL;
    options.mode = STEP_MODE_SYNC;
    options.level = STEP_LEVEL_DEBUG;
    int failed = step_log_open(&options, &log);
    if (failed == STEP_OK)
        failed = step_log_add_output(log, step_sink_fd(STDOUT_FILENO), step_format_json(), STEP_LEVEL_DEBUG);
    if (failed == STEP_OK)
        return log;
    stepi_complain("standard output", failed == STEP_ESINK ? strerror(errno) : step_error_text(failed));
    step_log_close(log);
    return NULL;
}

static void tell(const step_recovery_t *r)
{
    char text[256];
    int n = snprintf(text, sizeof(text), "%" PRIu64 " record%s of %" PRIu32 " process%s", r->records,
                     r->records == 1 ? "" : "s", r->processes, r->processes == 1 ? "" : "es");
    if (r->live > 0)
        n += snprintf(text + n, sizeof(text) - (size_t)n, "; %" PRIu32 " still running", r->live);
    if (r->foreign > 0)
        n +=
            snprintf(text + n, sizeof(text) - (size_t)n, "; %" PRIu32 " cannot be read here and were left", r->foreign);
    if (r->damaged > 0)
        snprintf(text + n, sizeof(text) - (size_t)n, "; %" PRIu64 " bytes are damaged", r->damaged);
    stepi_complain("recovered", text);
}

static int64_t recover(const stepi_cli_t *cli, step_log_t *log, size_t *unreadable)
{
    const uint32_t flags = (cli->keep ? STEP_RECOVER_KEEP : 0u) | (cli->report ? STEP_RECOVER_REPORT : 0u);
    step_recovery_t recovery = { .size = sizeof(recovery) };
    const int failed = step_log_recover(log, cli->key, flags, &recovery);
    if (failed != STEP_OK) {
        *unreadable += 1;
        stepi_complain(cli->key, failed == STEP_EIO && errno != 0 ? strerror(errno) : step_error_text(failed));
    }
    if (failed == STEP_OK || recovery.processes > 0)
        tell(&recovery);
    return (int64_t)recovery.records;
}

int64_t stepi_recover(stepi_cli_t *cli, size_t *unreadable)
{
    if (cli->name_count > 0 || cli->filter.has_since || cli->filter.has_until) {
        stepi_complain("recover", "takes one DIR, and no times (see steplog recover --help)");
        return -1;
    }
    step_log_t *log = open_output();
    if (log == NULL)
        return -1;
    errno = 0;
    const int64_t found = recover(cli, log, unreadable);
    if (step_log_close(log) == STEP_OK)
        return found;
    stepi_complain("standard output", "could not be written");
    return -1;
}
