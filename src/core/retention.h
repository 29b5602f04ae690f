/* What becomes of a line before an output sees it: written at once, or held back until its operation has ended.
 *
 *     sampling          All lines of a root operation and of its children wait together until the last of them has ended. Then they
 *                       are written, or left out: those that failed, never ended, were slow or had an error are written whole,
 *                       the others if their trace id says so.
 *     flight recorder   Lines below the level wait, each operation's by themselves, and those of its children that ended well with
 *                       them. They are written just before the line that says that the operation failed, never ended or was
 *                       slow; otherwise they are discarded. With sampling they wait in their tree, and are written with it
 *                       when it is written whole.
 *
 * Memory is bounded: the recorder of one operation by the option, where the oldest lines give way; what waits for sampling by
 * STEPI_HOLD_MAX a tree, and all together by STEPI_HOLDS_MAX: what outgrows it is written, not lost. Waiting lines are
 * copies; they get their number in the ledger when they are written. All under the pump lock. */
#ifndef STEPI_CORE_RETENTION_H
#define STEPI_CORE_RETENTION_H

#include "record/line.h"

#include <step_logger.h>

#include <stdatomic.h>

enum {
    STEPI_HOLD_MAX = 128 * 1024,       /* bytes of records; in memory they are some five times as much */
    STEPI_HOLDS_MAX = 16 * 1024 * 1024 /* bytes of memory */
};

typedef struct stepi_open_operation stepi_open_operation_t;
typedef struct stepi_held_line stepi_held_line_t;

typedef struct stepi_held_lines {
    stepi_held_line_t *first, *last;
    size_t records; /* bytes that their records took */
    uint64_t count;
} stepi_held_lines_t;

typedef enum stepi_verdict {
    STEPI_UNDECIDED,
    STEPI_WRITTEN_WHOLE,   /* with all that was held */
    STEPI_WRITTEN_SAMPLED, /* for others, too, that were left out */
    STEPI_LEFT_OUT
} stepi_verdict_t;

/* What waits for one decision: with sampling a tree of operations, without a single one. */
typedef struct stepi_hold {
    uint32_t users; /* operations that point here */
    uint32_t open;  /* those of them that were started and have not ended */
    stepi_verdict_t verdict;
    bool must_keep;
    uint64_t trace_low;
    stepi_held_lines_t lines;    /* wait for the verdict */
    stepi_held_lines_t recorder; /* below the level */
    struct stepi_hold *older, *newer; /* among those that hold something */
} stepi_hold_t;

typedef struct stepi_retention {
    bool is_on;
    uint64_t sample_threshold; /* trace ids whose low 56 bits are below it are left out; 0: there is no sampling */
    double sample_rate;
    size_t recorder_bytes; /* of the records of one operation; 0: there is none */
    int64_t slow_ns;       /* operations that take longer are slow; 0: none is */
    uint64_t arrivals;
    size_t bytes; /* of memory, of all that is held */
    stepi_hold_t *oldest, *newest;
    int64_t swept_ns;
    _Atomic uint64_t held; /* lines that wait for the verdict of sampling, and in recorders */
    _Atomic uint64_t sampled_out;
    _Atomic uint64_t recorder_discarded;
} stepi_retention_t;

void stepi_retention_start(stepi_retention_t *retention, const step_log_options_t *options);

/* An operation begins; it must not be left out; it has ended. */
void stepi_retention_begin(step_log_t *log, stepi_open_operation_t *operation);
void stepi_retention_keep(step_log_t *log, stepi_open_operation_t *operation);
void stepi_retention_end(step_log_t *log, stepi_open_operation_t *operation);

/* A line of an operation, or of none (NULL). */
void stepi_retention_line(step_log_t *log, stepi_open_operation_t *operation, stepi_line_t *line);

/* The log or the process ends, and the operation has not: what was held of it is written. */
void stepi_retention_give_up(step_log_t *log, stepi_open_operation_t *operation);

/* From now on nothing is held; what was is written. */
void stepi_retention_finish(step_log_t *log);

/* Now and then: ends the waiting of operations that are gone and whose end was lost. */
void stepi_retention_sweep(step_log_t *log);

/* In a forked child: what is held is the parent's. */
void stepi_retention_reset_in_child(stepi_retention_t *retention);

/* An operation is forgotten. */
void stepi_hold_leave(stepi_hold_t *hold);

/* Whether a line of the operation, or of none (NULL), is written, or is one for the recorder: then it is marked. */
bool stepi_retention_admits(const step_log_t *log, const stepi_open_operation_t *operation, stepi_line_t *line);

static inline bool stepi_hold_is_empty(const stepi_hold_t *hold)
{
    return hold->lines.count == 0 && hold->recorder.count == 0;
}

#endif
