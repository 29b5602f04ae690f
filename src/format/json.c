/* JSON lines: one flat object a record, RFC 8259, no white space outside strings. docs/formats.md lists the members.
 *
 * Whatever we add is reserved in json_keys.c or, where only some lines have it, noted as taken: so that a user's key
 * can never be taken for ours, and `attempt` or `reason` stay the user's in all other lines. */
#include "base/number.h"
#include "base/time.h"
#include "format/format.h"
#include "format/json_escape.h"
#include "format/json_keys.h"
#include "format/names.h"

#include <stdlib.h>

typedef struct json_format {
    step_format_t format;
    stepi_time_text_t time;
    stepi_json_keys_t keys;
} json_format_t;

/* `"level":"...","event":"`, by stepi_level_index(), with the quote that ends the time. */
static const stepi_literal_text_t levels[5] = {
    STEPI_LITERAL("\",\"level\":\"DEBUG\",\"event\":\""),    STEPI_LITERAL("\",\"level\":\"INFO\",\"event\":\""),
    STEPI_LITERAL("\",\"level\":\"WARNING\",\"event\":\""),  STEPI_LITERAL("\",\"level\":\"ERROR\",\"event\":\""),
    STEPI_LITERAL("\",\"level\":\"CRITICAL\",\"event\":\""),
};

static const stepi_literal_text_t events[] = {
    [STEPI_OPERATION_START] = STEPI_LITERAL("operation_start\""),
    [STEPI_STEP_START] = STEPI_LITERAL("step_start\""),
    [STEPI_STEP_SUCCESS] = STEPI_LITERAL("step_success\""),
    [STEPI_STEP_FAILURE] = STEPI_LITERAL("step_failure\""),
    [STEPI_STEP_SKIP] = STEPI_LITERAL("step_skip\""),
    [STEPI_OPERATION_COMPLETE] = STEPI_LITERAL("operation_complete\""),
    [STEPI_MESSAGE] = STEPI_LITERAL("message\""),
    [STEPI_PROGRESS] = STEPI_LITERAL("progress\""),
    [STEPI_OPERATION_INCOMPLETE] = STEPI_LITERAL("operation_incomplete\""),
    [STEPI_DROPPED] = STEPI_LITERAL("dropped\""),
};

#define PUT_NAME(out, name) stepi_put_literal(out, ",\"" name "\":")

#define PUT_TEXT(out, name, text) (PUT_NAME(out, name), stepi_json_string(out, text))
#define PUT_UNSIGNED(out, name, number) (PUT_NAME(out, name), stepi_put_u64(out, number))
#define PUT_SIGNED(out, name, number) (PUT_NAME(out, name), stepi_put_i64(out, number))

/* ---- What the line is about ---- */

static void put_step(stepi_out_t *out, const stepi_line_t *line)
{
    PUT_SIGNED(out, "step", line->step);
    if (line->total > 0)
        PUT_SIGNED(out, "total_steps", line->total);
    PUT_TEXT(out, "description", &line->description);
    if (line->attempt > 1)
        PUT_UNSIGNED(out, "attempt", line->attempt);
}

static void put_text(stepi_out_t *out, const stepi_line_t *line)
{
    if (line->kind == STEPI_STEP_FAILURE)
        PUT_TEXT(out, "error", &line->text);
    else if (line->kind == STEPI_STEP_SKIP)
        PUT_TEXT(out, "reason", &line->text);
    else
        PUT_TEXT(out, "message", &line->text);
}

static void put_duration(stepi_out_t *out, const stepi_line_t *line)
{
    if (line->kind == STEPI_OPERATION_COMPLETE || line->kind == STEPI_OPERATION_INCOMPLETE)
        PUT_NAME(out, "total_duration_ms");
    else
        PUT_NAME(out, "duration_ms");
    stepi_put_ms_exact(out, line->elapsed_ns);
}

static void put_counts(stepi_out_t *out, const stepi_line_t *line)
{
    if (line->kind == STEPI_DROPPED)
        PUT_UNSIGNED(out, "dropped_records", line->done);
    if (line->kind != STEPI_PROGRESS)
        return;
    PUT_UNSIGNED(out, "progress_done", line->done);
    if (line->goal > 0)
        PUT_UNSIGNED(out, "progress_total", line->goal);
}

static void put_members(stepi_out_t *out, const stepi_line_t *line)
{
    if (line->has_operation)
        PUT_TEXT(out, "operation", &line->operation);
    if (line->has_step)
        put_step(out, line);
    if (line->has_text)
        put_text(out, line);
    put_counts(out, line);
    if (line->has_elapsed)
        put_duration(out, line);
    if (line->error_number != 0)
        PUT_SIGNED(out, "errno", line->error_number);
    PUT_UNSIGNED(out, "depth", line->depth);
    PUT_UNSIGNED(out, "pid", line->pid);
    PUT_UNSIGNED(out, "tid", line->tid);
    PUT_UNSIGNED(out, "seq", line->seq);
}

/* ---- The user's fields ---- */

static bool is_finite(double v)
{
    return v - v == 0; /* infinities and NaN give NaN */
}

static void put_double(stepi_out_t *out, const stepi_field_view_t *field)
{
    const double v = field->number.f64;
    if (!is_finite(v))
        stepi_put_literal(out, "null");
    else if (field->type == STEP_FIELD_FIXED)
        stepi_put_fixed(out, v, field->decimals);
    else
        stepi_put_shortest(out, v);
}

static void put_value(stepi_out_t *out, const stepi_field_view_t *field)
{
    switch (field->type) {
    case STEP_FIELD_I64:
        stepi_put_i64(out, field->number.i64);
        break;
    case STEP_FIELD_U64:
        stepi_put_u64(out, field->number.u64);
        break;
    case STEP_FIELD_F64:
    case STEP_FIELD_FIXED:
    case STEP_FIELD_PERCENT:
        put_double(out, field);
        break;
    case STEP_FIELD_BOOL:
        stepi_put(out, field->number.u64 != 0 ? "true" : "false", field->number.u64 != 0 ? 4 : 5);
        break;
    case STEP_FIELD_SECRET:
        stepi_put_literal(out, "\"***\"");
        break;
    default:
        stepi_json_string(out, &field->text);
        break;
    }
}

enum { NAMES_OF_SOME_LINES = 3 };

static size_t begin_names(stepi_json_keys_t *keys, const stepi_line_t *line)
{
    const size_t room = stepi_json_keys_begin(keys, line->fields.left + NAMES_OF_SOME_LINES);
    if (line->has_step && line->attempt > 1)
        stepi_json_keys_note(keys, "attempt", sizeof("attempt") - 1);
    if (line->kind == STEPI_STEP_SKIP)
        stepi_json_keys_note(keys, "reason", sizeof("reason") - 1);
    if (line->error_number != 0)
        stepi_json_keys_note(keys, "errno", sizeof("errno") - 1);
    return room - NAMES_OF_SOME_LINES;
}

static void put_fields(json_format_t *self, stepi_out_t *out, const stepi_line_t *line)
{
    stepi_fields_t fields = line->fields;
    stepi_field_view_t field;
    uint64_t omitted = line->omitted;
    const size_t room = fields.left > 0 ? begin_names(&self->keys, line) : 0;
    if (room < fields.left) {
        omitted += fields.left - room;
        fields.left = (uint32_t)room;
    }
    while (stepi_fields_next(&fields, &field)) {
        stepi_put_literal(out, ",\"");
        const char *name = out->at;
        stepi_json_name(out, &field.key);
        stepi_json_keys_claim(&self->keys, out, (size_t)(out->at - name));
        stepi_put_literal(out, "\":");
        put_value(out, &field);
    }
    if (omitted > 0)
        PUT_UNSIGNED(out, "fields_omitted", omitted);
}

static void render(step_format_t *format, const stepi_line_t *line, stepi_out_t *out)
{
    json_format_t *self = (json_format_t *)format;
    const stepi_literal_text_t *level = &levels[stepi_level_index(line->level)];
    const stepi_literal_text_t *event = &events[line->kind];
    stepi_put_literal(out, "{\"ts\":\"");
    stepi_put_time(out, &self->time, line->wall_ns, 9);
    stepi_put(out, level->bytes, level->length);
    stepi_put(out, event->bytes, event->length);
    put_members(out, line);
    put_fields(self, out, line);
    stepi_put_literal(out, "}\n");
}

static void free_format(step_format_t *format)
{
    json_format_t *self = (json_format_t *)format;
    stepi_json_keys_free(&self->keys);
    free(self);
}

step_format_t *step_format_json(void)
{
    json_format_t *self = calloc(1, sizeof(*self));
    if (self == NULL)
        return NULL;
    self->format = (step_format_t){ .render = render, .free = free_format };
    return &self->format;
}
