/* How far it is, on a terminal, when a log is long. */
#ifndef STEPI_STEPLOG_PROGRESS_H
#define STEPI_STEPLOG_PROGRESS_H

#include "steplog/input.h"

typedef struct stepi_progress {
    bool is_on, is_shown;
    int64_t next_ns; /* when to say something again */
} stepi_progress_t;

/* Nothing is shown unless stderr is a terminal and `wanted`. */
stepi_progress_t stepi_progress_begin(bool wanted);
void stepi_progress_step(stepi_progress_t *progress, stepi_input_t *input);
void stepi_progress_end(stepi_progress_t *progress);

#endif
