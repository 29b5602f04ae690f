/* Trace context: every operation a span, every step a child span of it.
 *
 *     trace 4bf9…  ├─ operation   span a
 *                  │  ├─ step    span b, parent a
 *                  │  └─ step    span c, parent a
 *                  │     └─ operation that started meanwhile   span d, parent c
 *
 * start() decides an operation's trace: that of a given traceparent, else its parent's, else the one the process was
 * started in, else a new one. Ids are random; each ring has a generator that the kernel seeded, in the page that a forked
 * child finds wiped. */
#ifndef STEPI_CORE_TRACE_H
#define STEPI_CORE_TRACE_H

#include "core/operation.h"

/* Gives a started operation its ids. `parent`: what it joins, or NULL. */
void stepi_trace_start(step_logger_t *op, stepi_ring_t *ring, const stepi_current_t *parent);

/* A step begins; it ends. */
void stepi_trace_step(step_logger_t *op, stepi_ring_t *ring);
void stepi_trace_step_end(step_logger_t *op);

/* The trace that roots of this process continue, from the environment; NULL: none. */
void stepi_trace_set_inherited(step_log_t *log, const stepi_trace_context_t *context);

#endif
