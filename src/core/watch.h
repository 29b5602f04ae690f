/* What is running now: reports of operations that run for too long, and a list of all. */
#ifndef STEPI_CORE_WATCH_H
#define STEPI_CORE_WATCH_H

#include <step_logger.h>

/* Reports operations that have been running for stuck_ms, for twice as long, four times, ... Looks at them when it is time
 * to, so it may be called at any time. Under the pump lock. */
void stepi_watch(step_log_t *log);

/* How long until there may be something to report, in nanoseconds; STEPI_FOREVER when nothing is running. Under the pump
 * lock. */
int64_t stepi_watch_pause(step_log_t *log);

#endif
