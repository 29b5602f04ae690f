#include "replay.h"

#include <unistd.h>

static int64_t now_ns;

static int64_t replayed_ns(void *ctx)
{
    (void)ctx;
    return now_ns;
}

void takes(double ms)
{
    now_ns += (int64_t)(ms * 1e6 + 0.5);
}

int replay_open(void)
{
    const step_clock_t clock = { .wall_ns = replayed_ns, .monotonic_ns = replayed_ns };
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    step_log_t *log = NULL;
    options.clock = &clock;
    options.level = STEP_LEVEL_DEBUG;
    int result = step_log_open(&options, &log);
    if (result == STEP_OK)
        result = step_log_add_output(log, step_sink_fd(STDOUT_FILENO), step_format_text(), STEP_LEVEL_DEBUG);
    if (result == STEP_OK)
        result = step_log_set_default(log);
    if (result != STEP_OK)
        step_log_close(log);
    return result;
}

int replay_close(void)
{
    step_log_t *log = step_log_default();
    const int flushed = step_log_flush(log, 5000); /* it knows of lines that could not be written */
    const int closed = step_log_close(log);
    return flushed != STEP_OK ? flushed : closed;
}
