/* Calls in the wrong order: their data is kept, a WARNING line says what was wrong, and they are counted. */
#ifndef STEPI_CORE_MISUSE_H
#define STEPI_CORE_MISUSE_H

#include "core/operation.h"

#include <errno.h>

void stepi_count_misuse(step_log_t *log); /* NULL: nowhere to count */

/* A call on an operation that was freed: counted by its log, which tells its owner; there is nothing to log it in. */
void stepi_misuse_freed(const step_logger_t *op);

/* `skip() without step() in operation "X": <text>` */
void stepi_misuse_text(stepi_entry_t *entry, step_logger_t *op, const char *what, const char *text,
                       const step_field_t *fields, size_t count);

/* `step 5 of 3 is out of range in operation "X"` */
void stepi_misuse_number(stepi_entry_t *entry, step_logger_t *op);

/* Before start() or after complete(): says so, once for each operation; the call then goes on. */
void stepi_check_started(stepi_entry_t *entry, step_logger_t *op, const char *call);

void stepi_refuse_traceparent(step_log_t *log);

/* strerror, for threads. */
const char *stepi_error_text(int errnum, char *buffer, size_t bytes);

#endif
