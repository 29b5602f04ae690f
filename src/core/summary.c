#include "core/summary.h"

#include "platform/memory.h"

#include <string.h>

enum { FIRST_CAPACITY = 8 };

static bool grow(stepi_summary_t *summary)
{
    if (summary->count < summary->capacity)
        return true;
    if (summary->count == STEPI_SUMMARY_STEPS)
        return false;
    const uint32_t capacity = summary->capacity > 0 ? summary->capacity * 2 : FIRST_CAPACITY;
    stepi_step_summary_t *steps = stepi_resize(summary->steps, summary->capacity * sizeof(*steps), capacity * sizeof(*steps));
    if (steps == NULL)
        return false;
    summary->steps = steps;
    summary->capacity = capacity;
    return true;
}

static stepi_text_t copy(const stepi_text_t *text)
{
    char *bytes = text->bytes != NULL ? stepi_alloc(text->length + 1u) : NULL;
    if (bytes == NULL)
        return (stepi_text_t){ .bytes = NULL };
    memcpy(bytes, text->bytes, text->length);
    return (stepi_text_t){ .bytes = bytes, .length = text->length, .original = text->original };
}

void stepi_summary_begin(stepi_summary_t *summary, const stepi_line_t *line, uint64_t now)
{
    stepi_step_summary_t *last = summary->count > 0 ? &summary->steps[summary->count - 1] : NULL;
    summary->is_open = false;
    if (line->attempt > 1 && summary->is_omitted)
        return; /* again */
    if (line->attempt <= 1 || last == NULL || last->step != line->step) {
        summary->is_omitted = !grow(summary);
        if (summary->is_omitted) {
            summary->omitted++;
            return;
        }
        last = &summary->steps[summary->count++];
        *last = (stepi_step_summary_t){ .step = line->step, .description = copy(&line->description) };
    }
    last->end = STEPI_STEP_START;
    last->attempts = line->attempt;
    last->elapsed_ns = 0;
    summary->is_open = true;
    summary->opened_at = now;
}

void stepi_summary_end(stepi_summary_t *summary, const stepi_line_t *line)
{
    if (!summary->is_open)
        return;
    summary->is_open = false;
    summary->steps[summary->count - 1].end = line->kind;
    summary->steps[summary->count - 1].elapsed_ns = line->elapsed_ns;
}

void stepi_summary_show(stepi_summary_t *summary, stepi_line_t *line, int64_t open_ns)
{
    if (summary->is_open)
        summary->steps[summary->count - 1].elapsed_ns = open_ns;
    line->steps = summary->steps;
    line->step_count = summary->count;
    line->steps_omitted = summary->omitted;
}

void stepi_summary_free(stepi_summary_t *summary)
{
    for (uint32_t i = 0; i < summary->count; i++) {
        union {
            const char *shown;
            char *owned;
        } bytes = { .shown = summary->steps[i].description.bytes };
        stepi_free(bytes.owned);
    }
    stepi_free(summary->steps);
    *summary = (stepi_summary_t){ .count = 0 };
}
