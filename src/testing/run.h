/* What the lines say together about one operation. */
#ifndef STEPI_TESTING_RUN_H
#define STEPI_TESTING_RUN_H

#include "testing/capture.h"

/* The latest run of an operation whose name fits. */
typedef struct stepi_run {
    bool has_started, is_open;
    stepi_strbuf_t course; /* "1 succeeded, 2 open": for stepi_strbuf_free() */
} stepi_run_t;

stepi_run_t stepi_latest_run(const step_capture_t *capture, const char *operation);

/* How often the step was begun in the latest run; of any step, the one that was begun most often. 0: never. */
int stepi_count_attempts(const step_capture_t *capture, const char *operation, int step);

#endif
