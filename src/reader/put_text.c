/* A line of text: our formatter writes all up to the field list, which holds numbers as they were written and therefore is
 * put together here. */
#include "reader/putter.h"

#include "base/number.h"
#include "format/text_escape.h"
#include "format/text_fields.h"

#include <step_logger.h>

/* ---- The beginning ---- */

static stepi_text_t text_of(stepi_reader_t *reader, const stepi_entry_t *entry, stepi_own_t member)
{
    const stepi_value_t *value = stepi_own(entry, member);
    return value != NULL ? stepi_decode(reader, value) : (stepi_text_t){ .bytes = NULL };
}

static stepi_own_t member_of_text(stepi_kind_t kind)
{
    if (kind == STEPI_STEP_FAILURE)
        return STEPI_OWN_ERROR;
    return kind == STEPI_STEP_SKIP ? STEPI_OWN_REASON : STEPI_OWN_MESSAGE;
}

static bool shows_step(stepi_kind_t kind)
{
    return kind == STEPI_STEP_START || kind == STEPI_STEP_SUCCESS || kind == STEPI_STEP_FAILURE ||
           kind == STEPI_STEP_SKIP || kind == STEPI_PROGRESS;
}

static uint64_t count_of(const stepi_entry_t *entry, stepi_own_t member)
{
    uint64_t count;
    return stepi_own_unsigned(entry, member, &count) ? count : 0;
}

static void set_step(stepi_reader_t *reader, const stepi_entry_t *entry, stepi_line_t *line)
{
    int64_t step, total;
    line->has_step = shows_step(line->kind) && stepi_own_integer(entry, STEPI_OWN_STEP, &step);
    if (!line->has_step)
        return;
    line->step = (int32_t)step;
    if (stepi_own_integer(entry, STEPI_OWN_TOTAL_STEPS, &total))
        line->total = (int32_t)total;
    line->description = text_of(reader, entry, STEPI_OWN_DESCRIPTION);
}

/* The line as our formatter wants it, without what stands in the list. */
static stepi_line_t line_of(stepi_reader_t *reader, const stepi_entry_t *entry)
{
    stepi_line_t line = { .kind = entry->kind, .level = entry->level, .depth = entry->depth };
    set_step(reader, entry, &line);
    line.operation = text_of(reader, entry, STEPI_OWN_OPERATION);
    line.text = text_of(reader, entry, member_of_text(entry->kind));
    line.done = count_of(entry, entry->kind == STEPI_DROPPED ? STEPI_OWN_DROPPED_RECORDS : STEPI_OWN_PROGRESS_DONE);
    line.goal = count_of(entry, STEPI_OWN_PROGRESS_TOTAL);
    return line;
}

static void put_beginning(stepi_putter_t *putter, stepi_reader_t *reader, const stepi_entry_t *entry, stepi_out_t *out)
{
    stepi_line_t line = line_of(reader, entry);
    const bool has_time = !putter->options.without_times && stepi_entry_time(entry, &line.wall_ns);
    step_format_t *format = putter->text[has_time ? 1 : 0];
    format->render(format, &line, out);
    if (!out->overflow)
        out->at--; /* the line goes on */
}

/* ---- The list ---- */

static bool key_is(const stepi_text_t *key, const char *name)
{
    return key->length == strlen(name) && memcmp(key->bytes, name, key->length) == 0;
}

/* A line's ids are shown where they were shown before: lines of JSON and logfmt have trace_flags, too. */
static bool shows_ids(const stepi_entry_t *entry)
{
    const stepi_value_t *trace = stepi_own(entry, STEPI_OWN_TRACE_ID), *span = stepi_own(entry, STEPI_OWN_SPAN_ID);
    return trace != NULL && span != NULL && stepi_own(entry, STEPI_OWN_TRACE_FLAGS) == NULL &&
           stepi_is_id(STEPI_OWN_TRACE_ID, trace) && stepi_is_id(STEPI_OWN_SPAN_ID, span);
}

static bool has_last_step(stepi_kind_t kind)
{
    return kind == STEPI_OPERATION_INCOMPLETE || kind == STEPI_OPERATION_STUCK;
}

static bool has_slow(stepi_kind_t kind)
{
    return kind == STEPI_OPERATION_COMPLETE || kind == STEPI_OPERATION_INCOMPLETE;
}

static bool has_sample_rate(stepi_kind_t kind)
{
    return kind == STEPI_OPERATION_COMPLETE || kind == STEPI_OPERATION_START;
}

/* Whether a user's key would be read as one of the line's own. */
static bool is_own_key(const stepi_text_t *key, const stepi_entry_t *entry)
{
    switch (key->length) {
    case 4:
        return has_slow(entry->kind) && key_is(key, "slow");
    case 7:
        return key_is(key, "span_id") && shows_ids(entry);
    case 8:
        return key_is(key, "trace_id") && shows_ids(entry);
    case 9:
        return (has_last_step(entry->kind) && key_is(key, "last_step")) || key_is(key, "recovered");
    case 11:
        return (has_last_step(entry->kind) && key_is(key, "description")) ||
               (has_sample_rate(entry->kind) && key_is(key, "sample_rate"));
    case 14:
        return key_is(key, "fields_omitted");
    case 15:
        return key_is(key, "flight_recorder");
    default:
        return false;
    }
}

/* A number of JSON or logfmt: with an `E` it is a percentage. */
static void put_number(stepi_out_t *out, const stepi_value_t *value)
{
    stepi_span_t digits = stepi_value_span(value);
    const char *mark = memchr(digits.at, 'E', value->bytes);
    if (mark == NULL) {
        stepi_put(out, digits.at, value->bytes);
        return;
    }
    stepi_put(out, digits.at, (size_t)(mark - digits.at));
    digits.at = mark + 1;
    if (!STEPI_SPAN_IS(digits, "0")) {
        stepi_put_char(out, 'e');
        stepi_put(out, digits.at, stepi_span_bytes(digits));
    }
    stepi_put_char(out, '%');
}

static void put_value(stepi_reader_t *reader, const stepi_entry_t *entry, const stepi_value_t *value, stepi_out_t *out)
{
    if (value->type == STEPI_VALUE_NUMBER && entry->form != STEPI_FORM_TEXT) {
        put_number(out, value);
    } else if (value->type == STEPI_VALUE_STRING || value->type == STEPI_VALUE_NESTED) {
        const stepi_text_t text = stepi_decode(reader, value);
        stepi_text_value(out, &text);
    } else {
        stepi_put(out, value->at, value->bytes);
    }
}

static void put_user_fields(stepi_text_list_t *list, stepi_reader_t *reader, const stepi_entry_t *entry)
{
    stepi_field_walk_t walk = stepi_fields_of(reader, entry);
    stepi_field_t field;
    while (stepi_next_field(&walk, &field)) {
        const stepi_text_t key = stepi_decode(reader, &field.key);
        stepi_text_list_next(list);
        stepi_text_key(list->out, &key, is_own_key(&key, entry));
        stepi_put_char(list->out, '=');
        put_value(reader, entry, &field.value, list->out);
    }
}

static void begin_own(stepi_text_list_t *list, const char *name)
{
    stepi_text_list_next(list);
    stepi_put(list->out, name, strlen(name));
    stepi_put_char(list->out, '=');
}

/* An own member as it was written. */
static bool put_own(stepi_text_list_t *list, const stepi_entry_t *entry, stepi_own_t member, const char *name)
{
    const stepi_value_t *value = stepi_own(entry, member);
    if (value == NULL || (value->type != STEPI_VALUE_NUMBER && value->type != STEPI_VALUE_TRUE))
        return false;
    begin_own(list, name);
    stepi_put(list->out, value->at, value->bytes);
    return true;
}

static bool has_one_decimal(const stepi_value_t *value)
{
    stepi_span_t s = stepi_value_span(value), digits;
    return stepi_take_digits(&s, &digits) && stepi_take_char(&s, '.') && stepi_span_bytes(s) == 1 &&
           stepi_is_digit(*s.at);
}

/* Text shows one decimal of the six that the other formats have. */
static void put_duration(stepi_text_list_t *list, const stepi_entry_t *entry, stepi_own_t member)
{
    const stepi_value_t *value = stepi_own(entry, member);
    double ms;
    if (value == NULL || !stepi_own_double(entry, member, &ms))
        return;
    if (has_one_decimal(value)) {
        put_own(list, entry, member, stepi_own_name(member));
        return;
    }
    begin_own(list, stepi_own_name(member));
    stepi_put_fixed(list->out, ms > 0 ? ms : 0, 1);
}

static void put_last_step(stepi_text_list_t *list, stepi_reader_t *reader, const stepi_entry_t *entry)
{
    if (!put_own(list, entry, STEPI_OWN_STEP, "last_step"))
        return;
    const stepi_text_t description = text_of(reader, entry, STEPI_OWN_DESCRIPTION);
    stepi_put_literal(list->out, ", description=");
    stepi_text_value(list->out, &description);
}

/* One that the entry has. */
static void put_id(stepi_text_list_t *list, const stepi_entry_t *entry, stepi_own_t member)
{
    const stepi_value_t *id = &entry->own[member];
    begin_own(list, stepi_own_name(member));
    stepi_put(list->out, id->at, id->bytes);
}

static void put_list(stepi_putter_t *putter, stepi_reader_t *reader, const stepi_entry_t *entry, stepi_out_t *out)
{
    stepi_text_list_t list = { .out = out, .color = putter->options.color };
    put_user_fields(&list, reader, entry);
    put_own(&list, entry, STEPI_OWN_FIELDS_OMITTED, "fields_omitted");
    if (has_last_step(entry->kind))
        put_last_step(&list, reader, entry);
    if (has_sample_rate(entry->kind))
        put_own(&list, entry, STEPI_OWN_SAMPLE_RATE, "sample_rate");
    if (has_slow(entry->kind))
        put_own(&list, entry, STEPI_OWN_SLOW, "slow");
    put_own(&list, entry, STEPI_OWN_FLIGHT_RECORDER, "flight_recorder");
    put_own(&list, entry, STEPI_OWN_RECOVERED, "recovered");
    if (shows_ids(entry)) {
        put_id(&list, entry, STEPI_OWN_TRACE_ID);
        put_id(&list, entry, STEPI_OWN_SPAN_ID);
    }
    if (entry->kind == STEPI_STEP_SUCCESS || entry->kind == STEPI_STEP_FAILURE)
        put_duration(&list, entry, STEPI_OWN_DURATION_MS);
    put_duration(&list, entry, STEPI_OWN_TOTAL_DURATION_MS);
    stepi_text_list_close(&list);
}

void stepi_put_as_text(stepi_putter_t *putter, stepi_reader_t *reader, const stepi_entry_t *entry, stepi_out_t *out)
{
    put_beginning(putter, reader, entry, out);
    put_list(putter, reader, entry, out);
    stepi_put_char(out, '\n');
}
