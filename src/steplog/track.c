#include "steplog/track.h"

#include <stdlib.h>

enum { OPEN_MAX = 64 * 1024, STREAM_OPEN_MAX = 64, BUCKETS = 1 << 14 };

/* The operations that are open in one trace or thread. */
typedef struct stepi_stream {
    struct stepi_stream *next; /* in its bucket; of the free ones */
    uint64_t key;
    stepi_op_t *newest;
    uint32_t open;
} stepi_stream_t;

struct stepi_tracker {
    stepi_watcher_t watcher;
    stepi_stream_t *buckets[BUCKETS];
    stepi_stream_t *free_streams;
    stepi_op_t *first, *last; /* by their beginning */
    stepi_op_t *free_ops;     /* linked by `later` */
    size_t open;
};

/* ---- Kept texts ---- */

bool stepi_keep(stepi_kept_t *kept, const stepi_text_t *text)
{
    if (text->length > kept->capacity) {
        const uint32_t capacity = text->length < 64 ? 64 : text->length;
        char *larger = realloc(kept->bytes, capacity);
        if (larger == NULL)
            return false;
        kept->bytes = larger;
        kept->capacity = capacity;
    }
    if (text->length > 0)
        memcpy(kept->bytes, text->bytes, text->length);
    kept->length = text->length;
    return true;
}

void stepi_kept_free(stepi_kept_t *kept)
{
    free(kept->bytes);
    *kept = (stepi_kept_t){ .bytes = NULL };
}

/* ---- Streams ---- */

static stepi_stream_t **bucket_of(stepi_tracker_t *tracker, uint64_t key)
{
    return &tracker->buckets[(key * UINT64_C(0x9E3779B97F4A7C15)) >> 50];
}

static stepi_stream_t *find_stream(stepi_tracker_t *tracker, uint64_t key)
{
    stepi_stream_t *stream = *bucket_of(tracker, key);
    while (stream != NULL && stream->key != key)
        stream = stream->next;
    return stream;
}

static stepi_stream_t *make_stream(stepi_tracker_t *tracker, uint64_t key)
{
    stepi_stream_t **bucket = bucket_of(tracker, key);
    stepi_stream_t *stream = tracker->free_streams;
    if (stream != NULL)
        tracker->free_streams = stream->next;
    else
        stream = malloc(sizeof(*stream));
    if (stream == NULL)
        return NULL;
    *stream = (stepi_stream_t){ .next = *bucket, .key = key };
    *bucket = stream;
    return stream;
}

static void drop_stream(stepi_tracker_t *tracker, stepi_stream_t *stream)
{
    stepi_stream_t **link = bucket_of(tracker, stream->key);
    while (*link != stream)
        link = &(*link)->next;
    *link = stream->next;
    stream->next = tracker->free_streams;
    tracker->free_streams = stream;
}

/* ---- Operations ---- */

static void unlink_op(stepi_tracker_t *tracker, stepi_op_t *op)
{
    stepi_stream_t *stream = op->stream;
    if (op->newer_in_stream != NULL)
        op->newer_in_stream->older_in_stream = op->older_in_stream;
    else
        stream->newest = op->older_in_stream;
    if (op->older_in_stream != NULL)
        op->older_in_stream->newer_in_stream = op->newer_in_stream;
    if (op->earlier != NULL)
        op->earlier->later = op->later;
    else
        tracker->first = op->later;
    if (op->later != NULL)
        op->later->earlier = op->earlier;
    else
        tracker->last = op->earlier;
    tracker->open--;
    if (--stream->open == 0)
        drop_stream(tracker, stream);
}

/* Its children that are still open become roots. Only the later ones can be. */
static void orphan_children(stepi_op_t *op)
{
    for (stepi_op_t *child = op->later; child != NULL && op->children > 0; child = child->later)
        if (child->parent == op) {
            child->parent = NULL;
            op->children--;
        }
}

static void end_op(stepi_tracker_t *tracker, stepi_op_t *op, stepi_ending_t ending, const stepi_event_t *event,
                   stepi_place_t place)
{
    if (tracker->watcher.ended != NULL)
        tracker->watcher.ended(tracker->watcher.context, op, ending, event, place);
    orphan_children(op);
    if (op->parent != NULL)
        op->parent->children--;
    unlink_op(tracker, op);
    op->later = tracker->free_ops;
    tracker->free_ops = op;
}

static void abandon(stepi_tracker_t *tracker, stepi_op_t *op)
{
    end_op(tracker, op, STEPI_ENDED_NEVER, NULL, (stepi_place_t){ op->log, op->line });
}

static stepi_op_t *oldest_of(const stepi_stream_t *stream)
{
    stepi_op_t *op = stream->newest;
    while (op->older_in_stream != NULL)
        op = op->older_in_stream;
    return op;
}

static void make_way(stepi_tracker_t *tracker, uint64_t key)
{
    stepi_stream_t *stream = find_stream(tracker, key);
    if (stream != NULL && stream->open >= STREAM_OPEN_MAX)
        abandon(tracker, oldest_of(stream));
    if (tracker->open >= OPEN_MAX)
        abandon(tracker, tracker->first);
}

static stepi_op_t *new_op(stepi_tracker_t *tracker)
{
    stepi_op_t *op = tracker->free_ops;
    if (op == NULL)
        return calloc(1, sizeof(*op));
    tracker->free_ops = op->later;
    const stepi_op_t empty = { .name = op->name, .description = op->description, .error = op->error };
    *op = empty;
    op->description.length = op->error.length = 0;
    return op;
}

static bool encloses(const stepi_op_t *op, const stepi_event_t *event)
{
    if (event->parent_span != 0 && (op->span == event->parent_span || op->step_span == event->parent_span))
        return true;
    return event->parent_span == 0 && op->depth + 1 == event->depth;
}

static void start_op(stepi_tracker_t *tracker, const stepi_event_t *event, stepi_place_t place)
{
    make_way(tracker, event->stream);
    stepi_stream_t *stream = find_stream(tracker, event->stream);
    if (stream == NULL)
        stream = make_stream(tracker, event->stream);
    stepi_op_t *op = stream != NULL ? new_op(tracker) : NULL;
    if (op == NULL)
        return;
    for (op->parent = event->depth > 0 ? stream->newest : NULL; op->parent != NULL && !encloses(op->parent, event);)
        op->parent = op->parent->older_in_stream;
    if (op->parent != NULL)
        op->parent->children++;
    stepi_keep(&op->name, &event->operation);
    op->stream = stream;
    op->span = event->span;
    op->depth = event->depth;
    op->log = place.log;
    op->line = place.line;
    op->weight = event->weight;
    op->older_in_stream = stream->newest;
    if (stream->newest != NULL)
        stream->newest->newer_in_stream = op;
    stream->newest = op;
    stream->open++;
    op->earlier = tracker->last;
    if (tracker->last != NULL)
        tracker->last->later = op;
    else
        tracker->first = op;
    tracker->last = op;
    tracker->open++;
    if (tracker->watcher.started != NULL)
        tracker->watcher.started(tracker->watcher.context, op, event);
}

/* ---- To whom a line belongs ---- */

static bool is_open_step(const stepi_op_t *op, const stepi_event_t *event)
{
    return op->step_is_open && event->has_step && op->step == event->step &&
           stepi_kept_is(&op->description, &event->description);
}

/* Whether a step may begin in the operation next: of as many, and after a failure the same again or a later one. */
static bool may_begin(const stepi_op_t *op, const stepi_event_t *event)
{
    if (op->has_step && op->total != event->total)
        return false;
    return !op->has_failed || event->step >= op->step;
}

/* How well a line fits: the best that fits it is it, the latest of these. */
enum { FITS_NOT, FITS_IF_NEED_BE, FITS, FITS_CERTAINLY, IS_IT };

static int fit_of_start(const stepi_op_t *op, const stepi_event_t *event)
{
    if (!may_begin(op, event))
        return FITS_NOT;
    return op->step_is_open ? FITS : FITS_CERTAINLY;
}

/* The end of a step whose beginning is not the last that is known of the operation: a quick function's, or it got lost. */
static int fit_of_stray_end(const stepi_op_t *op, const stepi_event_t *event)
{
    if (event->operation.bytes != NULL)
        return FITS_IF_NEED_BE;
    return !op->has_failed && (!op->has_step || op->total == event->total) ? FITS_IF_NEED_BE : FITS_NOT;
}

static int fit(const stepi_op_t *op, const stepi_event_t *event)
{
    if (op->depth != event->depth)
        return FITS_NOT;
    if (event->span != 0 && op->span != 0 && (op->span == event->span || op->span == event->parent_span))
        return IS_IT;
    if (event->operation.bytes != NULL && !stepi_kept_is(&op->name, &event->operation))
        return FITS_NOT;
    if (event->kind == STEPI_OPERATION_COMPLETE || event->kind == STEPI_OPERATION_INCOMPLETE || !event->has_step)
        return FITS_CERTAINLY;
    if (event->kind == STEPI_STEP_START)
        return fit_of_start(op, event);
    return is_open_step(op, event) ? FITS_CERTAINLY : fit_of_stray_end(op, event);
}

static stepi_op_t *owner_of(stepi_tracker_t *tracker, const stepi_event_t *event)
{
    const stepi_stream_t *stream = find_stream(tracker, event->stream);
    const int certain = event->span != 0 ? IS_IT : FITS_CERTAINLY;
    stepi_op_t *best = NULL;
    int best_fit = FITS_NOT;
    for (stepi_op_t *op = stream != NULL ? stream->newest : NULL; op != NULL && best_fit < certain;
         op = op->older_in_stream) {
        const int f = fit(op, event);
        if (f > best_fit) {
            best = op;
            best_fit = f;
        }
    }
    return best;
}

/* ---- Lines ---- */

static void note_step(stepi_op_t *op, const stepi_event_t *event)
{
    if (event->has_step) {
        op->has_step = true;
        op->step = event->step;
        op->total = event->total;
        stepi_keep(&op->description, &event->description);
    }
    op->step_is_open = event->kind == STEPI_STEP_START;
    if (op->step_is_open)
        op->step_span = event->span;
    op->has_failed = event->kind == STEPI_STEP_FAILURE;
    if (op->has_failed)
        stepi_keep(&op->error, &event->text);
}

static void feed_step(stepi_tracker_t *tracker, const stepi_event_t *event, stepi_place_t place)
{
    stepi_op_t *op = owner_of(tracker, event);
    if (op != NULL)
        note_step(op, event);
    if (tracker->watcher.step != NULL)
        tracker->watcher.step(tracker->watcher.context, op, event, place);
}

static void feed_end(stepi_tracker_t *tracker, const stepi_event_t *event, stepi_place_t place)
{
    const stepi_ending_t ending = event->kind == STEPI_OPERATION_COMPLETE ? STEPI_ENDED : STEPI_ENDED_INCOMPLETE;
    stepi_op_t *op = owner_of(tracker, event);
    if (op != NULL)
        end_op(tracker, op, ending, event, place);
    else if (tracker->watcher.ended != NULL)
        tracker->watcher.ended(tracker->watcher.context, NULL, ending, event, place);
}

void stepi_tracker_feed(stepi_tracker_t *tracker, const stepi_event_t *event, stepi_place_t place)
{
    switch (event->kind) {
    case STEPI_OPERATION_START:
        start_op(tracker, event, place);
        break;
    case STEPI_OPERATION_COMPLETE:
    case STEPI_OPERATION_INCOMPLETE:
        feed_end(tracker, event, place);
        break;
    case STEPI_STEP_START:
    case STEPI_STEP_SUCCESS:
    case STEPI_STEP_FAILURE:
    case STEPI_STEP_SKIP:
        feed_step(tracker, event, place);
        break;
    default:
        break;
    }
}

/* ---- Lives ---- */

stepi_tracker_t *stepi_tracker_new(const stepi_watcher_t *watcher)
{
    stepi_tracker_t *tracker = calloc(1, sizeof(*tracker));
    if (tracker != NULL)
        tracker->watcher = *watcher;
    return tracker;
}

void stepi_tracker_end(stepi_tracker_t *tracker)
{
    while (tracker->first != NULL)
        abandon(tracker, tracker->first);
}

void stepi_tracker_free(stepi_tracker_t *tracker)
{
    if (tracker == NULL)
        return;
    tracker->watcher = (stepi_watcher_t){ .context = NULL };
    stepi_tracker_end(tracker);
    while (tracker->free_ops != NULL) {
        stepi_op_t *op = tracker->free_ops;
        tracker->free_ops = op->later;
        stepi_kept_free(&op->name);
        stepi_kept_free(&op->description);
        stepi_kept_free(&op->error);
        free(op);
    }
    while (tracker->free_streams != NULL) {
        stepi_stream_t *next = tracker->free_streams->next;
        free(tracker->free_streams);
        tracker->free_streams = next;
    }
    free(tracker);
}
