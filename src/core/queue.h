/* A bounded queue of blocks in front of a sink that may block, and the thread that empties it. */
#ifndef STEPI_CORE_QUEUE_H
#define STEPI_CORE_QUEUE_H

#include "core/output.h"

/* Starts the writer thread. NULL when there is no thread or memory to be had: the caller then writes directly. */
stepi_queue_t *stepi_queue_new(stepi_output_t *output, size_t block_bytes);

/* Gives a full block and gets an empty one; NULL when the queue is full, and the block is still the caller's. With
 * `patience_ns` waits so long for progress; once that was in vain, it does not wait again before there is some. */
stepi_block_t *stepi_queue_exchange(stepi_queue_t *queue, stepi_block_t *full, int64_t patience_ns);

/* True when everything that was given has been settled. */
bool stepi_queue_is_idle(stepi_queue_t *queue);

/* Waits for that, and for the sink's flush, until the deadline. */
bool stepi_queue_flush(stepi_queue_t *queue, int64_t deadline_ns);

/* Runs the sink's reopen on the writer thread; an errno value, ETIMEDOUT when it hangs. */
int stepi_queue_reopen(stepi_queue_t *queue, int64_t deadline_ns);

/* Drains, as long as there is progress within patience_ns, and ends the thread. False: it hangs in its sink, and keeps the
 * queue and its blocks; what was not written is settled as lost. The sink is closed by the thread, or never. */
bool stepi_queue_free(stepi_queue_t *queue, int64_t patience_ns);

#endif
