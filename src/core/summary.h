/* What became of an operation's steps: for formats that tell the whole of it in its last line. */
#ifndef STEPI_CORE_SUMMARY_H
#define STEPI_CORE_SUMMARY_H

#include "record/line.h"

enum { STEPI_SUMMARY_STEPS = 64 };

typedef struct stepi_summary {
    stepi_step_summary_t *steps; /* owned, with their descriptions */
    uint32_t count, capacity;
    uint32_t omitted; /* steps beyond STEPI_SUMMARY_STEPS, or without memory */
    bool is_open;     /* the last of them */
    bool is_omitted;  /* the step that began last */
    uint64_t opened_at; /* in ticks, or the injected clock's nanoseconds */
} stepi_summary_t;

/* A step begins, described; attempt above 1: the last one again. */
void stepi_summary_begin(stepi_summary_t *summary, const stepi_line_t *line, uint64_t now);

/* It ended as the line says. */
void stepi_summary_end(stepi_summary_t *summary, const stepi_line_t *line);

/* Puts them into the operation's last line. `open_ns`: how long the open step has taken. */
void stepi_summary_show(stepi_summary_t *summary, stepi_line_t *line, int64_t open_ns);

void stepi_summary_free(stepi_summary_t *summary);

#endif
