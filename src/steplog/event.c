#include "steplog/event.h"

bool stepi_filter_takes(const stepi_filter_t *filter, const stepi_entry_t *entry, stepi_counts_t *counts)
{
    int64_t wall_ns;
    if (!filter->has_since && !filter->has_until)
        return true;
    if (!stepi_entry_time(entry, &wall_ns)) {
        counts->untimed++;
        return false;
    }
    return (!filter->has_since || wall_ns >= filter->since_ns) && (!filter->has_until || wall_ns < filter->until_ns);
}

/* ---- Where a line belongs ---- */

static uint64_t mix(uint64_t state, uint64_t value)
{
    state = (state ^ value) * UINT64_C(0x9E3779B97F4A7C15);
    return state ^ state >> 32;
}

static uint64_t number_of(const stepi_entry_t *entry, stepi_own_t member, uint64_t salt)
{
    const stepi_value_t *value = stepi_own(entry, member);
    uint64_t state = salt;
    if (value == NULL || value->type == STEPI_VALUE_NULL)
        return 0;
    for (uint32_t i = 0; i < value->bytes; i++)
        state = mix(state, (unsigned char)value->at[i]);
    return state | 1;
}

uint64_t stepi_stream_of(const stepi_entry_t *entry)
{
    const uint64_t trace = number_of(entry, STEPI_OWN_TRACE_ID, 1);
    if (trace != 0)
        return trace;
    const uint64_t process = number_of(entry, STEPI_OWN_PID, 2);
    const uint64_t thread = number_of(entry, STEPI_OWN_TID, 3);
    return process == 0 && thread == 0 ? 0 : mix(process, thread) | 1;
}

/* ---- Texts ---- */

static stepi_text_t text_of(stepi_reader_t *reader, const stepi_value_t *value, const stepi_block_t *block,
                            stepi_result_t *result)
{
    stepi_text_t text = stepi_decode(reader, value);
    const bool is_in_block = text.bytes >= block->bytes + block->start && text.bytes < block->bytes + block->end;
    if (text.bytes == NULL)
        return (stepi_text_t){ .bytes = "null", .length = 4, .original = 4 };
    if (!is_in_block && text.length > 0) {
        text.bytes = stepi_result_keep(result, text.bytes, text.length);
        if (text.bytes == NULL)
            return (stepi_text_t){ .bytes = "", .length = 0, .original = text.original };
    }
    return text;
}

static stepi_text_t own_text(stepi_reader_t *reader, const stepi_entry_t *entry, stepi_own_t member,
                             const stepi_block_t *block, stepi_result_t *result)
{
    const stepi_value_t *value = stepi_own(entry, member);
    return value != NULL ? text_of(reader, value, block, result) : (stepi_text_t){ .bytes = NULL };
}

static void set_step(const stepi_entry_t *entry, stepi_event_t *event)
{
    int64_t step, total;
    event->has_step = stepi_own_integer(entry, STEPI_OWN_STEP, &step);
    event->step = event->has_step ? (int32_t)step : 0;
    event->total = stepi_own_integer(entry, STEPI_OWN_TOTAL_STEPS, &total) ? (int32_t)total : 0;
}

static void set_duration(const stepi_entry_t *entry, stepi_event_t *event)
{
    const bool is_end = event->kind == STEPI_OPERATION_COMPLETE || event->kind == STEPI_OPERATION_INCOMPLETE;
    event->has_ms = stepi_own_double(entry, is_end ? STEPI_OWN_TOTAL_DURATION_MS : STEPI_OWN_DURATION_MS, &event->ms);
}

double stepi_weight_of(const stepi_entry_t *entry)
{
    double rate;
    return stepi_own_double(entry, STEPI_OWN_SAMPLE_RATE, &rate) && rate > 0 && rate < 1 ? 1 / rate : 1;
}

void stepi_event_of(stepi_reader_t *reader, const stepi_entry_t *entry, const stepi_block_t *block,
                    stepi_result_t *result, stepi_event_t *event)
{
    const bool has_reason = entry->kind == STEPI_STEP_SKIP;
    event->kind = entry->kind;
    event->form = entry->form;
    event->depth = entry->depth;
    event->weight = stepi_weight_of(entry);
    event->stream = stepi_stream_of(entry);
    event->span = number_of(entry, STEPI_OWN_SPAN_ID, 4);
    event->parent_span = number_of(entry, STEPI_OWN_PARENT_SPAN_ID, 4);
    set_step(entry, event);
    set_duration(entry, event);
    event->operation = own_text(reader, entry, STEPI_OWN_OPERATION, block, result);
    event->description = own_text(reader, entry, STEPI_OWN_DESCRIPTION, block, result);
    event->text = own_text(reader, entry, has_reason ? STEPI_OWN_REASON : STEPI_OWN_ERROR, block, result);
}

/* ---- Blocks ---- */

static bool is_event(stepi_kind_t kind)
{
    return kind != STEPI_MESSAGE && kind != STEPI_PROGRESS && kind != STEPI_DROPPED;
}

void stepi_scan_events(const stepi_filter_t *filter, stepi_reader_t *reader, const stepi_block_t *block,
                       stepi_result_t *result)
{
    const char *at = block->bytes + block->start, *end = block->bytes + block->end;
    stepi_counts_t *counts = &result->counts;
    stepi_entry_t entry;
    while (at < end) {
        const stepi_span_t line = stepi_next_line(&at, end);
        const uint64_t number = counts->lines++;
        if (!stepi_read_line(reader, line, &entry)) {
            counts->foreign += line.at < line.end ? 1 : 0;
            continue;
        }
        counts->entries++;
        if (!is_event(entry.kind) || !stepi_filter_takes(filter, &entry, counts))
            continue;
        char *room = stepi_result_room(result, sizeof(stepi_event_t));
        if (room == NULL)
            return;
        stepi_event_t *event = (stepi_event_t *)(void *)room;
        event->line = (uint32_t)number;
        stepi_event_of(reader, &entry, block, result, event);
        result->used += sizeof(*event);
    }
}
