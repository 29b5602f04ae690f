/* One output of a log: {format, sink, level}, the block of lines that is being filled, and for sinks that may block a writer
 * thread behind a bounded queue of blocks.
 *
 *     records ─> render ─> block ──────────────────────────> sink     regular files, memory, SYNC mode
 *                           └──> queue of full blocks ──────> sink    pipes, terminals, sockets, custom: writer thread
 *
 * A block remembers which record each of its lines is, so that when the sink takes only a part, exactly the rest is counted
 * as lost. Lost lines are not written again: what could be a duplicate is worse than what is counted. Every block tries the sink
 * again; the first one that gets through begins with a line that says how many records are missing before it.
 *
 * Everything here is called under the log's pump lock, but for stepi_output_wait() and, on the writer's thread,
 * stepi_output_deliver(). */
#ifndef STEPI_CORE_OUTPUT_H
#define STEPI_CORE_OUTPUT_H

#include "core/ledger.h"
#include "format/format.h"
#include "record/line.h"
#include "sink/sink.h"

#include <stdatomic.h>

enum { STEPI_BLOCK_LINES = 4096, STEPI_BLOCK_TOLD = 4, STEPI_ERROR_QUEUE_FULL = -1 };

/* Line number `line` of a block speaks of so many lost records: should it get lost itself, they are to be told again. */
typedef struct stepi_told {
    uint32_t line;
    uint64_t records;
} stepi_told_t;

typedef struct stepi_block stepi_block_t;
struct stepi_block {
    char *bytes;
    size_t used, capacity;
    uint32_t lines;
    stepi_told_t told[STEPI_BLOCK_TOLD]; /* lines of ours that speak of lost records */
    uint32_t told_count;
    uint64_t base;    /* record number that `index` counts from */
    uint64_t through; /* everything below it went into this block or an earlier one, or was filtered */
    struct stepi_block *next;
    uint32_t index[STEPI_BLOCK_LINES]; /* of each line's record; UINT32_MAX: a line of our own */
};

typedef struct stepi_queue stepi_queue_t;

typedef struct stepi_output stepi_output_t;
struct stepi_output {
    step_log_t *log;
    step_sink_t *sink;
    step_format_t *format;
    int level;
    int slot; /* in the ledger */
    stepi_block_t *block;
    _Atomic(stepi_queue_t *) queue; /* made with the first line, for a sink that may block; never NULL again */
    bool is_direct;                 /* the queue is not used, or no more */
    bool is_left_behind;         /* with a writer that hangs in its sink, at the end */
    _Atomic uint64_t unreported; /* records lost since the last line that said so */
    _Atomic int error;           /* errno of the latest loss, or STEPI_ERROR_QUEUE_FULL */
    _Atomic uint32_t failed;     /* since the previous flush */
};

/* The log whose sink runs on this thread. */
extern _Thread_local const step_log_t *stepi_inside_log __attribute__((tls_model("initial-exec")));

/* Takes sink and format; frees them on failure, too. NULL without memory. */
stepi_output_t *stepi_output_new(step_log_t *log, step_sink_t *sink, step_format_t *format, int level);

/* At the end of the process: drains as long as there is progress within patience_ns and flushes the sink. A writer that hangs in
 * its sink is left behind with what it uses, what was left is lost, and nothing more is offered to it. */
void stepi_output_drain(stepi_output_t *output, int64_t patience_ns);

/* At the end of a log: the same, and the writer's thread ends. */
void stepi_output_finish(stepi_output_t *output, int64_t patience_ns);

/* In the crash handler: whether this thread was hit in the output's sink, so that nobody is left to write; leaves it behind then. */
bool stepi_output_is_hit(stepi_output_t *output);

/* Closes the sink. The output has no queue: it is new, or finished. False: it was left behind, and stays. */
bool stepi_output_free(stepi_output_t *output);

/* Renders a record, number `index`, or one of our own with STEPI_OWN_LINE. */
#define STEPI_OWN_LINE UINT64_MAX
void stepi_output_line(stepi_output_t *output, const stepi_line_t *line, uint64_t index);

/* Most lines go into the block that holds others already. */
static inline bool stepi_block_has_begun(const stepi_block_t *block, uint64_t index)
{
    return block != NULL && block->lines > 0 && block->lines < STEPI_BLOCK_LINES && index - block->base < UINT32_MAX;
}

/* The same for a brief, where nothing stands in the way. False: nothing was done, the record has to come as a line. */
static inline bool stepi_output_brief(stepi_output_t *output, const stepi_brief_t *brief, uint64_t index)
{
    stepi_block_t *block = output->block;
    if (!stepi_block_has_begun(block, index))
        return false;
    stepi_out_t out = stepi_out_over(block->bytes + block->used, block->capacity - block->used);
    if (!output->format->render_brief(output->format, brief, &out))
        return false;
    block->used = (size_t)(out.at - block->bytes);
    block->index[block->lines++] = (uint32_t)(index - block->base);
    return true;
}

/* Hands the block to the sink or its queue. Everything below `through` was offered to this output. False: the queue is
 * full, and the lines stay in the block. */
bool stepi_output_write(stepi_output_t *output, uint64_t through);

/* Tries to report what was lost; flushes a sink that is written directly. */
void stepi_output_flush(stepi_output_t *output);

/* Waits until the queue has settled what it was given and the sink is flushed, until the deadline (monotonic ns).
 * STEP_OK; STEP_ETIMEOUT; STEP_EIO when something was lost since the previous call. */
int stepi_output_wait(stepi_output_t *output, int64_t deadline_ns);

/* 0 or an errno value. */
int stepi_output_reopen(stepi_output_t *output, int64_t deadline_ns);

/* Writes a whole block to the sink; returns how many of its lines it took, and the errno value that stopped it. */
uint32_t stepi_output_deliver(stepi_output_t *output, const stepi_block_t *block, int *error);

/* Counts a block's lines from `taken` on as lost, and empties it. It is not resolved yet. Returns how many lost records are
 * to be told of, for stepi_output_tell(), which calls the user back and so is called without a lock but the pump. */
uint64_t stepi_output_settle(stepi_output_t *output, stepi_block_t *block, uint32_t taken, int error);
void stepi_output_tell(stepi_output_t *output, uint64_t lost, int error);

/* It is done with everything below `through`. */
void stepi_output_resolve(stepi_output_t *output, uint64_t through);

stepi_block_t *stepi_block_new(size_t capacity);
void stepi_block_free(stepi_block_t *block);

/* Room for a line that is longer than an empty block. False: it is at its maximum, or there is no memory. */
bool stepi_block_grow(stepi_block_t *block);

/* The line that comes next speaks of lost records. Where there are more than a block remembers, the last place stands for the
 * rest. Then: of how many lines [from, lines) speak. */
void stepi_block_note_told(stepi_block_t *block, uint64_t records);
uint64_t stepi_block_told_from(const stepi_block_t *block, uint32_t from);

/* In a forked child: nothing pending is ours to write, and the writer thread is gone. `is_whole`: no other thread was at work
 * on the output at that moment; otherwise its block is left alone. */
void stepi_output_reset_in_child(stepi_output_t *output, bool is_whole);

#endif
