/* A capture: a log, its time, and what came out of it.
 *
 *     logging thread ──▶ text  ┐ under their locks     looking thread ──▶ lines, read from json when somebody asks
 *                    ──▶ json  ┘
 *
 * Both outputs get every line, so line i of the text is line i of the JSON, as long as nothing was lost. */
#ifndef STEPI_TESTING_CAPTURE_H
#define STEPI_TESTING_CAPTURE_H

#include "testing/strbuf.h"

#include <step_logger/testing.h>

#include <pthread.h>
#include <stdatomic.h>

/* Lines as a sink gets them. */
typedef struct stepi_kept {
    pthread_mutex_t lock;
    stepi_strbuf_t lines;
    stepi_strbuf_t shown; /* of the looking thread: the copy that it gave out */
    bool has_lost;
} stepi_kept_t;

struct step_capture {
    step_log_t *log;
    step_log_t *previous; /* default log */
    bool is_default;
    _Atomic int64_t wall_ns, monotonic_ns;
    stepi_kept_t text, json;
    uint64_t lost_before; /* records that were lost before the last clear */
    step_captured_t **lines;
    size_t count, capacity;
    size_t read_bytes; /* of json: they are in `lines` */
    bool is_unread;    /* a line could not be read */
    stepi_strbuf_t report;
};

/* Brings `lines` up to date. NULL, or why the capture does not hold all that was logged. */
const char *stepi_capture_update(step_capture_t *capture);

#endif
