#include "crash/intent.h"

#include <string.h>

void stepi_intent_begin(stepi_intent_t *intent, const stepi_place_t *place, const stepi_block_view_t *block)
{
    const size_t bytes = block->used < STEPI_INTENT_BYTES ? block->used : STEPI_INTENT_BYTES;
    intent->device = place->device;
    intent->inode = place->inode;
    intent->size = place->size;
    intent->length = block->used;
    intent->lines = block->lines;
    intent->base = block->base;
    intent->through = block->through;
    memcpy(intent->index, block->index, block->lines * sizeof(block->index[0]));
    memcpy(intent->bytes, block->bytes, bytes);
    /* release: it holds from here on */
    atomic_store_explicit(&intent->active, 1, memory_order_release);
    atomic_signal_fence(memory_order_seq_cst);
}

void stepi_intent_end(stepi_intent_t *intent)
{
    atomic_store_explicit(&intent->active, 0, memory_order_release);
    atomic_signal_fence(memory_order_seq_cst); /* before the next one is noted */
}
