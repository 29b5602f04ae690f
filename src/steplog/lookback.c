#include "steplog/lookback.h"

#include <stdlib.h>

enum { BEFORE_BYTES = 64 * 1024 };

stepi_lookback_t *stepi_lookback_new(void)
{
    return calloc(1, sizeof(stepi_lookback_t));
}

void stepi_lookback_free(stepi_lookback_t *lookback)
{
    if (lookback == NULL)
        return;
    free(lookback->before);
    free(lookback);
}

void stepi_lookback_begin(stepi_lookback_t *lookback, stepi_input_t *input, const stepi_block_t *block)
{
    lookback->input = input;
    lookback->before_block = 0;
    lookback->budget = 2 * (block->end - block->start) + BEFORE_BYTES;
}

/* ---- Going back ---- */

/* What is known of the way so far. */
typedef struct way {
    const stepi_event_t *step; /* from where it began */
    bool began;                /* its own beginning was passed */
    bool wants_start;          /* the end of an earlier step was passed, its beginning has to come */
    int32_t number, total;
    stepi_kept_t description; /* of that earlier step */
} way_t;

typedef enum verdict { GO_ON, FOUND, NOT_SURE } verdict_t;

static stepi_text_t description_of(stepi_reader_t *reader, const stepi_entry_t *entry)
{
    const stepi_value_t *value = stepi_own(entry, STEPI_OWN_DESCRIPTION);
    return value != NULL ? stepi_decode(reader, value) : (stepi_text_t){ .bytes = NULL };
}

static bool is_it(stepi_reader_t *reader, const stepi_entry_t *entry, const stepi_text_t *description)
{
    const stepi_text_t text = description_of(reader, entry);
    return text.bytes != NULL && text.length == description->length &&
           (text.length == 0 || memcmp(text.bytes, description->bytes, text.length) == 0);
}

/* A line of a step at the same depth. */
static verdict_t pass_step(way_t *way, stepi_reader_t *reader, const stepi_entry_t *entry)
{
    int64_t number, total = 0;
    const bool is_start = entry->kind == STEPI_STEP_START;
    if (!stepi_own_integer(entry, STEPI_OWN_STEP, &number) || stepi_own(entry, STEPI_OWN_OPERATION) != NULL)
        return NOT_SURE;
    stepi_own_integer(entry, STEPI_OWN_TOTAL_STEPS, &total);
    if (total != way->total || number > way->number)
        return NOT_SURE;
    if (!way->began) {
        way->began = is_start && number == way->number && is_it(reader, entry, &way->step->description);
        return way->began ? GO_ON : NOT_SURE;
    }
    if (is_start != way->wants_start)
        return NOT_SURE;
    if (is_start) {
        const stepi_text_t wanted = stepi_kept_text(&way->description);
        way->wants_start = false;
        return number == way->number && is_it(reader, entry, &wanted) ? GO_ON : NOT_SURE;
    }
    const stepi_text_t text = description_of(reader, entry);
    way->number = (int32_t)number;
    way->wants_start = true;
    return text.bytes != NULL && stepi_keep(&way->description, &text) ? GO_ON : NOT_SURE;
}

static verdict_t pass(way_t *way, stepi_reader_t *reader, const stepi_entry_t *entry)
{
    if (entry->depth != way->step->depth ||
        stepi_stream_of(entry) != 0) /* one that says where it belongs is elsewhere */
        return GO_ON;
    if (stepi_own(entry, STEPI_OWN_SPAN_ID) != NULL)
        return NOT_SURE;
    if (stepi_is_step_kind(entry->kind))
        return pass_step(way, reader, entry);
    if (entry->kind == STEPI_OPERATION_START)
        return way->began && !way->wants_start ? FOUND : NOT_SURE;
    const bool is_end = entry->kind == STEPI_OPERATION_COMPLETE || entry->kind == STEPI_OPERATION_INCOMPLETE;
    return is_end ? NOT_SURE : GO_ON;
}

/* Goes back through the lines of at[start..end). GO_ON: all of them were passed. */
static verdict_t pass_lines(way_t *way, stepi_lookback_t *lookback, stepi_reader_t *reader, stepi_span_t lines,
                            stepi_entry_t *entry)
{
    while (lines.at < lines.end) {
        const char *end = lines.end[-1] == '\n' ? lines.end - 1 : lines.end;
        const char *feed = end > lines.at ? memrchr(lines.at, '\n', (size_t)(end - lines.at)) : NULL;
        const stepi_span_t line = { feed != NULL ? feed + 1 : lines.at, end };
        const size_t bytes = (size_t)(lines.end - line.at);
        if (bytes > lookback->budget)
            return NOT_SURE;
        lookback->budget -= bytes;
        lines.end = line.at;
        if (!stepi_read_line(reader, line, entry))
            continue;
        const verdict_t verdict = pass(way, reader, entry);
        if (verdict != GO_ON)
            return verdict;
    }
    return GO_ON;
}

/* The whole lines that end where the block begins. */
static stepi_span_t lines_before(stepi_lookback_t *lookback, const stepi_block_t *block)
{
    const stepi_span_t none = { NULL, NULL };
    if (!stepi_input_can_look_back(lookback->input, block->log))
        return none;
    if (lookback->before == NULL)
        lookback->before = malloc(BEFORE_BYTES);
    if (lookback->before == NULL)
        return none;
    if (lookback->before_block != block->number + 1) {
        lookback->before_bytes =
            stepi_input_before(lookback->input, block->log, block->offset, lookback->before, BEFORE_BYTES);
        lookback->before_block = block->number + 1;
    }
    stepi_span_t lines = { lookback->before, lookback->before + lookback->before_bytes };
    if (lookback->before_bytes == BEFORE_BYTES) { /* the first one may have begun earlier */
        const char *feed = memchr(lines.at, '\n', BEFORE_BYTES);
        lines.at = feed != NULL ? feed + 1 : lines.end;
    }
    return lines;
}

static bool take_operation(stepi_reader_t *reader, const stepi_entry_t *start, stepi_result_t *result,
                           stepi_event_t *event)
{
    const stepi_text_t name = stepi_decode(reader, stepi_own(start, STEPI_OWN_OPERATION));
    event->operation = name;
    if (name.length > 0)
        event->operation.bytes = stepi_result_keep(result, name.bytes, name.length);
    return event->operation.bytes != NULL;
}

bool stepi_look_back(stepi_lookback_t *lookback, stepi_reader_t *reader, const stepi_block_t *block, const char *line,
                     stepi_result_t *result, stepi_event_t *event)
{
    stepi_entry_t entry;
    if (event->operation.bytes != NULL)
        return true;
    if (event->stream != 0 || event->span != 0 || !event->has_step)
        return false;
    way_t way = { .step = event, .number = event->step, .total = event->total };
    verdict_t verdict = pass_lines(&way, lookback, reader, (stepi_span_t){ block->bytes + block->start, line }, &entry);
    if (verdict == GO_ON)
        verdict = pass_lines(&way, lookback, reader, lines_before(lookback, block), &entry);
    stepi_kept_free(&way.description);
    return verdict == FOUND && take_operation(reader, &entry, result, event);
}
