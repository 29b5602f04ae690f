#include "format/members.h"

#include "base/hex.h"
#include "base/number.h"
#include "base/options.h"
#include "base/time.h"
#include "format/format.h"
#include "format/keys.h"
#include "format/names.h"
#include "record/shape.h"

#include <errno.h>
#include <stdlib.h>

typedef struct members_format {
    step_format_t format;
    const stepi_dialect_t *dialect;
    stepi_time_text_t time;
    stepi_keys_t keys;
} members_format_t;

/* A line that is being written. */
typedef struct writer {
    stepi_out_t *out;
    const stepi_dialect_t *dialect;
} writer_t;

static inline void put_piece(stepi_out_t *out, const stepi_piece_t *piece)
{
    stepi_put_padded(out, piece->bytes, piece->length);
}

static inline void put_text(writer_t w, stepi_member_t member, const stepi_text_t *text)
{
    put_piece(w.out, &w.dialect->names[member]);
    w.dialect->string(w.out, text);
}

static inline void put_unsigned(writer_t w, stepi_member_t member, uint64_t number)
{
    put_piece(w.out, &w.dialect->names[member]);
    stepi_put_u64(w.out, number);
}

static inline void put_signed(writer_t w, stepi_member_t member, int64_t number)
{
    put_piece(w.out, &w.dialect->names[member]);
    stepi_put_i64(w.out, number);
}

/* ---- What the line is about ---- */

static void put_step(writer_t w, const stepi_line_t *line)
{
    put_signed(w, STEPI_MEMBER_STEP, line->step);
    if (line->total > 0)
        put_signed(w, STEPI_MEMBER_TOTAL_STEPS, line->total);
    put_text(w, STEPI_MEMBER_DESCRIPTION, &line->description);
    if (line->attempt > 1)
        put_unsigned(w, STEPI_MEMBER_ATTEMPT, line->attempt);
}

static stepi_member_t member_of_text(stepi_kind_t kind)
{
    if (kind == STEPI_STEP_FAILURE)
        return STEPI_MEMBER_ERROR;
    return kind == STEPI_STEP_SKIP ? STEPI_MEMBER_REASON : STEPI_MEMBER_MESSAGE;
}

static void put_duration(writer_t w, const stepi_line_t *line)
{
    const bool is_end = line->kind == STEPI_OPERATION_COMPLETE || line->kind == STEPI_OPERATION_INCOMPLETE;
    put_piece(w.out, &w.dialect->names[is_end ? STEPI_MEMBER_TOTAL_DURATION_MS : STEPI_MEMBER_DURATION_MS]);
    stepi_put_ms_exact(w.out, line->elapsed_ns);
}

static void put_counts(writer_t w, const stepi_line_t *line)
{
    if (line->kind == STEPI_DROPPED)
        put_unsigned(w, STEPI_MEMBER_DROPPED_RECORDS, line->done);
    if (line->kind != STEPI_PROGRESS)
        return;
    put_unsigned(w, STEPI_MEMBER_PROGRESS_DONE, line->done);
    if (line->goal > 0)
        put_unsigned(w, STEPI_MEMBER_PROGRESS_TOTAL, line->goal);
}

/* Where its call stands in the source: NULL if that is unknown. */
static const stepi_shape_t *place_of(const stepi_line_t *line)
{
    const stepi_shape_t *place = line->place != NULL ? line->place : line->fields.shape;
    return place != NULL && place->file != NULL ? place : NULL;
}

static void put_place(writer_t w, const stepi_shape_t *place)
{
    const stepi_text_t file = { .bytes = place->file, .length = place->file_bytes, .original = place->file_bytes };
    put_text(w, STEPI_MEMBER_FILE, &file);
    put_unsigned(w, STEPI_MEMBER_LINE, place->line);
}

/* ---- Trace context ---- */

static inline void put_hex_16(stepi_out_t *out, uint64_t v)
{
    if (stepi_room(out, 16) != NULL)
        out->at = stepi_write_hex_16(out->at, v);
}

static inline void put_span(writer_t w, stepi_member_t member, uint64_t span)
{
    put_piece(w.out, &w.dialect->names[member]);
    put_hex_16(w.out, span);
}

static void put_ids(writer_t w, const stepi_line_t *line)
{
    const stepi_trace_t *trace = line->trace;
    const bool is_of_step = line->step_span != 0;
    const uint64_t parent = is_of_step ? trace->span : trace->parent_span;
    put_span(w, STEPI_MEMBER_TRACE_ID, trace->high);
    put_hex_16(w.out, trace->low);
    put_span(w, STEPI_MEMBER_SPAN_ID, is_of_step ? line->step_span : trace->span);
    if (parent != 0)
        put_span(w, STEPI_MEMBER_PARENT_SPAN_ID, parent);
    put_piece(w.out, &w.dialect->names[STEPI_MEMBER_TRACE_FLAGS]);
    if (stepi_room(w.out, 2) != NULL)
        w.out->at = stepi_write_hex_2(w.out->at, (uint32_t)trace->flags);
    put_piece(w.out, &w.dialect->behind_ids);
}

/* ---- All of the line's own ---- */

static void put_own(writer_t w, const stepi_line_t *line, const stepi_shape_t *place)
{
    if (line->has_operation)
        put_text(w, STEPI_MEMBER_OPERATION, &line->operation);
    if (line->has_step)
        put_step(w, line);
    if (line->has_text)
        put_text(w, member_of_text(line->kind), &line->text);
    put_counts(w, line);
    if (line->has_elapsed)
        put_duration(w, line);
    if (line->error_number != 0)
        put_signed(w, STEPI_MEMBER_ERRNO, line->error_number);
    if (place != NULL)
        put_place(w, place);
    put_unsigned(w, STEPI_MEMBER_DEPTH, line->depth);
    if (line->trace != NULL)
        put_ids(w, line);
    put_unsigned(w, STEPI_MEMBER_PID, line->pid);
    put_unsigned(w, STEPI_MEMBER_TID, line->tid);
    put_unsigned(w, STEPI_MEMBER_SEQ, line->seq);
}

/* ---- The user's fields ---- */

static bool is_finite(double v)
{
    return v - v == 0; /* infinities and NaN give NaN */
}

static void put_double(writer_t w, const stepi_field_view_t *field)
{
    const double v = field->number.f64;
    if (!is_finite(v))
        w.dialect->not_finite(w.out, v);
    else if (field->type == STEP_FIELD_FIXED)
        stepi_put_fixed(w.out, v, field->decimals);
    else
        stepi_put_shortest(w.out, v);
}

static void put_value(writer_t w, const stepi_field_view_t *field)
{
    switch (field->type) {
    case STEP_FIELD_I64:
        stepi_put_i64(w.out, field->number.i64);
        break;
    case STEP_FIELD_U64:
        stepi_put_u64(w.out, field->number.u64);
        break;
    case STEP_FIELD_F64:
    case STEP_FIELD_FIXED:
    case STEP_FIELD_PERCENT:
        put_double(w, field);
        break;
    case STEP_FIELD_BOOL:
        stepi_put(w.out, field->number.u64 != 0 ? "true" : "false", field->number.u64 != 0 ? 4 : 5);
        break;
    case STEP_FIELD_SECRET:
        put_piece(w.out, &w.dialect->secret);
        break;
    default:
        w.dialect->string(w.out, &field->text);
        break;
    }
}

enum { NAMES_OF_SOME_LINES = 5 };

static size_t begin_names(stepi_keys_t *keys, const stepi_line_t *line, bool has_place)
{
    const size_t room = stepi_keys_begin(keys, line->fields.left + NAMES_OF_SOME_LINES);
    if (line->has_step && line->attempt > 1)
        stepi_keys_note(keys, "attempt", sizeof("attempt") - 1);
    if (line->kind == STEPI_STEP_SKIP)
        stepi_keys_note(keys, "reason", sizeof("reason") - 1);
    if (line->error_number != 0)
        stepi_keys_note(keys, "errno", sizeof("errno") - 1);
    if (has_place) {
        stepi_keys_note(keys, "file", sizeof("file") - 1);
        stepi_keys_note(keys, "line", sizeof("line") - 1);
    }
    return room - NAMES_OF_SOME_LINES;
}

static void put_fields(writer_t w, stepi_keys_t *keys, const stepi_line_t *line, bool has_place)
{
    stepi_fields_t fields = line->fields;
    stepi_field_view_t field;
    uint64_t omitted = line->omitted;
    const size_t room = fields.left > 0 ? begin_names(keys, line, has_place) : 0;
    if (room < fields.left) {
        omitted += fields.left - room;
        fields.left = (uint32_t)room;
    }
    while (stepi_fields_next(&fields, &field)) {
        put_piece(w.out, &w.dialect->before_key);
        const char *name = w.out->at;
        w.dialect->key(w.out, &field.key);
        stepi_keys_claim(keys, w.out, (size_t)(w.out->at - name));
        put_piece(w.out, &w.dialect->behind_key);
        put_value(w, &field);
    }
    if (omitted > 0)
        put_unsigned(w, STEPI_MEMBER_FIELDS_OMITTED, omitted);
}

/* ---- The format ---- */

static void render(step_format_t *format, const stepi_line_t *line, stepi_out_t *out)
{
    members_format_t *self = (members_format_t *)format;
    const writer_t w = { .out = out, .dialect = self->dialect };
    put_piece(out, &w.dialect->begin);
    stepi_put_time(out, &self->time, line->wall_ns, 9);
    put_piece(out, &w.dialect->levels[stepi_level_index(line->level)]);
    put_piece(out, &w.dialect->events[line->kind]);
    const stepi_shape_t *place = format->shows_places ? place_of(line) : NULL;
    put_own(w, line, place);
    put_fields(w, &self->keys, line, place != NULL);
    put_piece(out, &w.dialect->end);
}

static void free_format(step_format_t *format)
{
    members_format_t *self = (members_format_t *)format;
    stepi_keys_free(&self->keys);
    free(self);
}

step_format_t *stepi_members_format(const stepi_dialect_t *dialect, const step_json_options_t *options)
{
    step_json_options_t chosen = { .size = 0 };
    if (options != NULL &&
        (!stepi_options_copy(&chosen, sizeof(chosen), options, options->size) || chosen.reserved != 0)) {
        errno = EINVAL;
        return NULL;
    }
    members_format_t *self = calloc(1, sizeof(*self));
    if (self == NULL)
        return NULL;
    self->format = (step_format_t){ .render = render, .free = free_format, .shows_places = chosen.source != 0 };
    self->dialect = dialect;
    return &self->format;
}
