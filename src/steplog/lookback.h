/* To which operation a step belongs whose line does not say it, found from the step itself: by going back to its START. Where a
 * question is about few lines of a long log, this saves reading all the others.
 *
 *     🚀 START: Fetch            <- the answer
 *     ▶️  [1/2] Connecting
 *     ✅ [1/2] Connecting ...    steps that began and ended, one after the other
 *     ▶️  [2/2] Reading
 *     ❌ [2/2] Reading ...       <- from here
 *
 * It answers only where nothing between START and the step could belong to anything else, so that the answer is the one that a
 * tracker (track.h) gives, which has read everything from the beginning. Otherwise it says that it is not sure, and somebody
 * has to ask the tracker. */
#ifndef STEPI_STEPLOG_LOOKBACK_H
#define STEPI_STEPLOG_LOOKBACK_H

#include "steplog/event.h"
#include "steplog/track.h"

typedef struct stepi_lookback {
    stepi_input_t *input;
    char *before; /* what lies before the block; NULL until it is needed */
    size_t before_bytes;
    uint64_t before_block; /* 1 + the number of the block that `before` lies before */
    size_t budget;         /* how many bytes may still be gone back over in this block */
} stepi_lookback_t;

/* For each thread; the input may be set later. */
stepi_lookback_t *stepi_lookback_new(void);
void stepi_lookback_free(stepi_lookback_t *lookback);

/* Before the first question about a block. */
void stepi_lookback_begin(stepi_lookback_t *lookback, stepi_input_t *input, const stepi_block_t *block);

/* The event is of the line that begins at `line` in the block; its operation is filled in. False: not sure. */
bool stepi_look_back(stepi_lookback_t *lookback, stepi_reader_t *reader, const stepi_block_t *block, const char *line,
                     stepi_result_t *result, stepi_event_t *event);

#endif
