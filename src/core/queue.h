/* A bounded queue of blocks in front of a sink that may block, and the writer thread that empties it.
 *
 *     output ── full block ──> [ ][ ][ ][ ] ── writer ──> sink
 *            <── empty block ── spare ones  <──┘
 *
 * At most BLOCKS of them exist, made as they are needed. The writer alone touches the sink, so flush and reopen are
 * requests to it. It sleeps on a futex and costs nothing at rest. A writer that hangs in its sink is abandoned: from
 * then on it touches nothing that is not its own. */
#ifndef STEPI_CORE_QUEUE_H
#define STEPI_CORE_QUEUE_H

#include "core/output.h"

/* Starts the writer thread. NULL when there is no thread or memory to be had: the caller then writes directly. */
stepi_queue_t *stepi_queue_new(stepi_output_t *output, size_t block_bytes);

/* Gives a full block and gets an empty one; NULL when the queue is full, and the block is still the caller's. With
 * `patience_ns` it waits so long for progress; once that was in vain, it does not wait again before there is some. Without, the
 * backend is woken when there is room. */
stepi_block_t *stepi_queue_exchange(stepi_queue_t *queue, stepi_block_t *full, int64_t patience_ns);

/* Nothing below `through` is still to come: the ledger learns it when what was given before is settled. */
void stepi_queue_resolve(stepi_queue_t *queue, uint64_t through);

/* Waits until what was given before is settled and the sink flushed; false at the deadline. Any thread. */
bool stepi_queue_flush(stepi_queue_t *queue, int64_t deadline_ns);

/* Reopens the sink on the writer's thread; an errno value, ETIMEDOUT at the deadline. */
int stepi_queue_reopen(stepi_queue_t *queue, int64_t deadline_ns);

/* Drains as long as there is progress within patience_ns, flushes the sink and ends the thread. False: it hangs, and keeps
 * the queue, its blocks and the output. */
bool stepi_queue_end(stepi_queue_t *queue, int64_t patience_ns);

/* The same, but the thread goes on: for the end of a process, where there may be more to come. */
bool stepi_queue_drain(stepi_queue_t *queue, int64_t patience_ns);

/* Whether this thread is its writer. */
bool stepi_queue_is_here(const stepi_queue_t *queue);

/* After its end; NULL is fine. */
void stepi_queue_free(stepi_queue_t *queue);

/* In a forked child, where the thread is not: frees what no other thread was at work on. A writer that forked itself, in its sink,
 * keeps the queue, and should it come back from there it ends. */
void stepi_queue_forget_in_child(stepi_queue_t *queue);

#endif
