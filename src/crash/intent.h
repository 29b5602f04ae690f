/* What an output is writing to its file, noted before it does: a process may be killed in the middle of write(), when part of a
 * block is in the file and nobody has said so. Whoever recovers looks at the file: what is there, behind the size that it
 * had, and is the block's text, has been written. */
#ifndef STEPI_CRASH_INTENT_H
#define STEPI_CRASH_INTENT_H

#include "crash/layout.h"

/* Where a sink appends. */
typedef struct stepi_place {
    uint64_t device, inode, size;
} stepi_place_t;

typedef struct stepi_block_view {
    const char *bytes;
    size_t used;
    uint32_t lines;
    uint64_t base, through;
    const uint32_t *index;
} stepi_block_view_t;

void stepi_intent_begin(stepi_intent_t *intent, const stepi_place_t *place, const stepi_block_view_t *block);

/* The output has said what became of it. */
void stepi_intent_end(stepi_intent_t *intent);

#endif
