/* Which operations are open, line after line, and to which of them a line belongs.
 *
 * A line that names its operation (JSON, logfmt; START and COMPLETE in text) belongs to the one of that name, in its trace, else in
 * its process and thread. A line of text names none; it belongs to an operation at its own indentation: the one whose
 * open step it ends, else the latest that it can continue.
 *
 *     START A            A
 *     ▶️ [1/2] a         A: the latest
 *     START B            B
 *     ▶️ [1/4] b         B: the latest
 *     ✅ [1/2] a         A: its open step
 *     ▶️ [2/2] c         A: B has four steps
 *
 * Memory is bounded: when too many operations are open, those that began first are taken for abandoned. */
#ifndef STEPI_STEPLOG_TRACK_H
#define STEPI_STEPLOG_TRACK_H

#include "steplog/event.h"

/* A text that is kept, in memory that is used again. */
typedef struct stepi_kept {
    char *bytes;
    uint32_t length, capacity;
} stepi_kept_t;

bool stepi_keep(stepi_kept_t *kept, const stepi_text_t *text);
void stepi_kept_free(stepi_kept_t *kept);

static inline stepi_text_t stepi_kept_text(const stepi_kept_t *kept)
{
    return (stepi_text_t){ .bytes = kept->bytes != NULL ? kept->bytes : "",
                           .length = kept->length,
                           .original = kept->length };
}

static inline bool stepi_kept_is(const stepi_kept_t *kept, const stepi_text_t *text)
{
    return kept->length == text->length && (text->length == 0 || memcmp(kept->bytes, text->bytes, text->length) == 0);
}

typedef struct stepi_op {
    struct stepi_op *older_in_stream, *newer_in_stream;
    struct stepi_op *earlier, *later; /* of all that are open */
    struct stepi_stream *stream;
    struct stepi_op *parent; /* NULL: a root, or it has ended before */
    uint32_t children;       /* open ones */
    uint64_t span, step_span;
    uint32_t depth;

    stepi_kept_t name;
    uint32_t log;
    uint64_t line; /* of its START */
    double weight; /* for how many operations it stands */

    bool has_step, step_is_open, has_failed; /* has_failed: what came last was a failure */
    int32_t step, total;
    stepi_kept_t description, error; /* of the last step; of the last failure */
    void *data;                      /* the command's */
} stepi_op_t;

typedef enum stepi_ending { STEPI_ENDED, STEPI_ENDED_INCOMPLETE, STEPI_ENDED_NEVER } stepi_ending_t;

/* Where a line stands. */
typedef struct stepi_place {
    uint32_t log;
    uint64_t line;
} stepi_place_t;

/* What a command wants to know; what is NULL is not called. */
typedef struct stepi_watcher {
    void *context;
    void (*started)(void *context, stepi_op_t *op, const stepi_event_t *event);
    /* A line of a step, or a failure of the operation itself. op NULL: it belongs to none that is open. */
    void (*step)(void *context, stepi_op_t *op, const stepi_event_t *event, stepi_place_t place);
    /* event NULL: it never ended. op NULL: its start was not seen. */
    void (*ended)(void *context, stepi_op_t *op, stepi_ending_t ending, const stepi_event_t *event,
                  stepi_place_t place);
} stepi_watcher_t;

typedef struct stepi_tracker stepi_tracker_t;

stepi_tracker_t *stepi_tracker_new(const stepi_watcher_t *watcher); /* NULL without memory */
void stepi_tracker_feed(stepi_tracker_t *tracker, const stepi_event_t *event, stepi_place_t place);
void stepi_tracker_end(stepi_tracker_t *tracker); /* reports what is open */
void stepi_tracker_free(stepi_tracker_t *tracker);

/* For how many lines the event's stands: in text only the first and the last line of an operation say so. */
static inline double stepi_weight_in(const stepi_op_t *op, const stepi_event_t *event)
{
    return event->form == STEPI_FORM_TEXT && op != NULL ? op->weight : event->weight;
}

/* Whether the operation, which did not complete, is one that failed. */
static inline bool stepi_op_failed(const stepi_op_t *op)
{
    return op->has_failed;
}

#endif
