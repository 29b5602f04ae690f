#include "core/held.h"

#include "platform/memory.h"

#include <string.h>

enum { RECORD_BYTES = 64 }; /* of a record without text and fields */

/* ---- Copies ---- */

static size_t field_bytes(const stepi_fields_t *fields)
{
    return fields->left > 0 ? (size_t)(fields->end - fields->at) : 0;
}

static size_t step_bytes(const stepi_line_t *line)
{
    size_t bytes = line->step_count * sizeof(*line->steps);
    for (uint32_t i = 0; i < line->step_count; i++)
        bytes += line->steps[i].description.length;
    return bytes;
}

static size_t bytes_of(const stepi_line_t *line)
{
    return sizeof(stepi_held_line_t) + step_bytes(line) + field_bytes(&line->fields) + field_bytes(&line->bound) +
           line->operation.length + line->description.length + line->text.length;
}

static void *copy_bytes(uint8_t **to, const void *from, size_t bytes)
{
    void *at = *to;
    if (bytes > 0)
        memcpy(at, from, bytes);
    *to += bytes;
    return at;
}

static void copy_text(uint8_t **to, stepi_text_t *text)
{
    if (text->bytes != NULL)
        text->bytes = copy_bytes(to, text->bytes, text->length);
}

static void copy_fields(uint8_t **to, stepi_fields_t *fields)
{
    const size_t bytes = field_bytes(fields);
    if (bytes == 0)
        return;
    const size_t texts = fields->shape != NULL ? (size_t)(fields->texts - fields->at) : 0;
    fields->at = copy_bytes(to, fields->at, bytes);
    fields->end = fields->at + bytes;
    if (fields->shape != NULL)
        fields->texts = fields->at + texts;
}

static void copy_steps(uint8_t **to, stepi_line_t *line)
{
    stepi_step_summary_t *steps = copy_bytes(to, line->steps, line->step_count * sizeof(*steps));
    for (uint32_t i = 0; i < line->step_count; i++)
        copy_text(to, &steps[i].description);
    line->steps = steps;
}

stepi_held_line_t *stepi_held_copy(const stepi_line_t *line)
{
    const size_t bytes = bytes_of(line);
    stepi_held_line_t *held = stepi_alloc(bytes);
    if (held == NULL)
        return NULL;
    uint8_t *to = (uint8_t *)(held + 1);
    held->next = NULL;
    held->kept = NULL;
    memset(held->names, 0, sizeof(held->names));
    held->bytes = bytes;
    held->record = RECORD_BYTES + field_bytes(&line->fields) + line->text.length;
    held->line = *line;
    if (line->step_count > 0) /* first: the others need no alignment */
        copy_steps(&to, &held->line);
    if (line->trace != NULL) {
        held->trace = *line->trace;
        held->line.trace = &held->trace;
    }
    copy_fields(&to, &held->line.fields);
    copy_fields(&to, &held->line.bound);
    copy_text(&to, &held->line.operation);
    copy_text(&to, &held->line.description);
    copy_text(&to, &held->line.text);
    return held;
}

/* ---- Lists ---- */

void stepi_held_append(stepi_held_lines_t *list, stepi_held_line_t *line)
{
    line->next = NULL;
    if (list->last != NULL)
        list->last->next = line;
    else
        list->first = line;
    list->last = line;
    list->records += line->record;
    list->count++;
}

stepi_held_line_t *stepi_held_take(stepi_held_lines_t *list)
{
    stepi_held_line_t *line = list->first;
    if (line == NULL)
        return NULL;
    list->first = line->next;
    if (list->first == NULL)
        list->last = NULL;
    list->records -= line->record;
    list->count--;
    return line;
}

bool stepi_held_is_before(const stepi_held_lines_t *list, const stepi_held_lines_t *other)
{
    if (list->first == NULL || other->first == NULL)
        return list->first != NULL;
    return list->first->arrival < other->first->arrival;
}

void stepi_held_merge(stepi_held_lines_t *to, stepi_held_lines_t *from)
{
    stepi_held_lines_t merged = { .first = NULL };
    stepi_held_line_t *line;
    while ((line = stepi_held_take(stepi_held_is_before(from, to) ? from : to)) != NULL)
        stepi_held_append(&merged, line);
    *to = merged;
}

void stepi_held_free(stepi_held_lines_t *list)
{
    stepi_held_line_t *line;
    while ((line = stepi_held_take(list)) != NULL)
        stepi_free(line);
}
