/* One output of a log: {format, sink, level}, the block of lines that is being filled, and for sinks that may block a writer
 * thread behind a bounded queue of blocks.
 *
 *     records ─> render ─> block ──────────────────────────> sink     regular files, memory, SYNC mode
 *                           └──> queue of full blocks ──────> sink    pipes, terminals, sockets, custom: writer thread
 *
 * A block remembers which record each of its lines is, so that when the sink takes only a part, exactly the rest is counted
 * as lost. Lost lines are not written again: what could be a duplicate is worse than what is counted. Every block tries the sink
 * again; the first one that gets through begins with a line that says how many records are missing before it. */
#ifndef STEPI_CORE_OUTPUT_H
#define STEPI_CORE_OUTPUT_H

#include "core/ledger.h"
#include "format/format.h"
#include "record/line.h"
#include "sink/sink.h"

#include <stdatomic.h>

enum { STEPI_BLOCK_LINES = 4096 };

typedef struct stepi_block {
    char *bytes;
    size_t used, capacity;
    uint32_t lines;
    uint32_t own_lines_lost_with_it; /* records that its drop report speaks of */
    uint64_t base;                   /* record number that `index` counts from */
    uint64_t through;                /* everything below it went into this block or was filtered */
    struct stepi_block *next;
    uint32_t index[STEPI_BLOCK_LINES]; /* of each line's record; UINT32_MAX: a line of our own */
} stepi_block_t;

typedef struct stepi_queue stepi_queue_t;

typedef struct stepi_output {
    step_log_t *log;
    step_sink_t *sink;
    step_format_t *format;
    int level;
    int slot; /* in the ledger */
    stepi_block_t *block;
    stepi_queue_t *queue; /* NULL: written directly */
    _Atomic uint64_t unreported; /* records lost since the last line that said so */
    _Atomic int error;           /* errno of the latest loss */
    _Atomic uint32_t failed;     /* since the previous flush */
} stepi_output_t;

/* Takes sink and format; frees them on failure, too. NULL without memory. */
stepi_output_t *stepi_output_new(step_log_t *log, step_sink_t *sink, step_format_t *format, int level);

/* Drains at most so long without progress; false if something was left, which is then counted as lost, and a writer
 * thread that hangs in its sink is left behind with what it uses. */
bool stepi_output_free(stepi_output_t *output, int64_t patience_ns);

/* Renders a record, number `index`, or one of our own with STEPI_OWN_LINE. */
#define STEPI_OWN_LINE UINT64_MAX
void stepi_output_line(stepi_output_t *output, const stepi_line_t *line, uint64_t index);

/* Hands the block to the sink or its queue. Everything below `through` was offered to this output. */
void stepi_output_write(stepi_output_t *output, uint64_t through);

/* Waits until the queue is empty and the sink flushed, until the deadline (monotonic ns). STEP_OK, _ETIMEOUT, _EIO. */
int stepi_output_flush(stepi_output_t *output, int64_t deadline_ns);
int stepi_output_reopen(stepi_output_t *output);

/* Writes a whole block to the sink and settles it in the ledger; used by the queue's thread, too. */
void stepi_output_deliver(stepi_output_t *output, stepi_block_t *block);

/* Counts a block's lines from `first` on as lost. */
void stepi_output_lose(stepi_output_t *output, stepi_block_t *block, uint32_t first, int error);

stepi_block_t *stepi_block_new(size_t capacity);
void stepi_block_free(stepi_block_t *block);

/* In a forked child: nothing pending is ours to write, and the writer thread is gone. */
void stepi_output_reset_in_child(stepi_output_t *output);

#endif
