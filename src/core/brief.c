/* Records that become a line at once.
 *
 *     record ─> brief ─> what its operation adds ─> text in the block         instead of
 *     record ─> line ─> names, bound fields, trace ─> retention ─> outputs ─> text in the block
 *
 * Of a log that holds nothing back and has nothing to add, most records are for one output, and what they say is known but
 * for the values: the beginning of the line was written before, and so was the list of this call site's fields. Then the
 * way through a line, which has room for everything, costs more than the text. Whatever is not so is found out before
 * anything has changed, and the record takes that way. A test holds that both write the same bytes. */
#include "core/log.h"

#include <string.h>

/* The one output that shows lines of this level, if it writes briefs. NULL: there is none, or several. */
static inline stepi_output_t *only_output(const stepi_backend_t *b, int level)
{
    stepi_output_t *only = NULL;
    for (int i = 0; i < b->output_count; i++) {
        if (level < b->outputs[i]->level)
            continue;
        if (only != NULL)
            return NULL;
        only = b->outputs[i];
    }
    return only != NULL && only->format->render_brief != NULL ? only : NULL;
}

/* Nobody wants more of a record than its line, or has anything to add to it. */
static inline bool is_simple(const step_log_t *log)
{
    const stepi_backend_t *b = &log->backend;
    return !(b->retention.is_on | b->wants_steps | (b->binds != 0) | stepi_records_all(log) | stepi_crash_is_on(&log->crash));
}

/* The description that the record leaves to us. False: that takes a closer look. */
static inline bool describe(stepi_brief_t *brief, const stepi_open_operation_t *operation)
{
    const stepi_text_t *description = &operation->description_text;
    brief->text = description->bytes;
    brief->text_bytes = description->length;
    return memcmp(&brief->step, &operation->step, sizeof(operation->step)) == 0 && description->bytes != NULL &&
           description->original == description->length;
}

/* Finds its operation, and what that knows. False: that takes a closer look. */
static inline bool complete(stepi_backend_t *b, stepi_brief_t *brief, stepi_open_operation_t **operation)
{
    *operation = NULL;
    if (brief->operation == 0)
        return brief->parts == STEPI_BRIEF_QUICK || brief->parts == STEPI_BRIEF_MESSAGE;
    *operation = stepi_optable_find(&b->operations, brief->operation);
    if (*operation == NULL || brief->parts == STEPI_BRIEF_QUICK)
        return false;
    return brief->parts != STEPI_BRIEF_SUCCESS || describe(brief, *operation);
}

/* As update_operation() and end_of_record() in lines.c do for these records. */
static inline void update(stepi_open_operation_t *operation, const stepi_brief_t *brief)
{
    if (brief->parts == STEPI_BRIEF_SUCCESS) {
        operation->step_known = false;
    } else if (brief->parts == STEPI_BRIEF_STEP) {
        const stepi_text_t text = { .bytes = brief->text, .length = brief->text_bytes, .original = brief->text_bytes };
        int32_t step[2]; /* and total */
        memcpy(step, &brief->step, sizeof(step));
        operation->step_span = brief->span;
        operation->failed = false;
        stepi_optable_describe(operation, step[0], step[1], &text);
    }
}

bool stepi_backend_brief(step_log_t *log, const stepi_ring_t *ring, const uint8_t *bytes)
{
    stepi_backend_t *b = &log->backend;
    stepi_brief_t brief;
    stepi_open_operation_t *operation;
    stepi_output_t *output = is_simple(log) ? only_output(b, bytes[offsetof(stepi_record_t, level)]) : NULL;
    if (output == NULL || !stepi_brief_read(bytes, ring->bytes, &brief) || !complete(b, &brief, &operation))
        return false;
    brief.wall_ns = stepi_backend_wall_ns(b, brief.stamp);
    brief.elapsed_ns = brief.parts == STEPI_BRIEF_SUCCESS ? stepi_backend_elapsed_ns(b, brief.elapsed) : 0;
    if (!stepi_output_brief(output, &brief, b->processed))
        return false;
    b->processed++;
    b->last_wall_ns = brief.wall_ns;
    b->last_ticks = b->last_stamp = brief.stamp;
    update(operation, &brief);
    return true;
}
