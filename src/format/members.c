#include "format/members.h"

#include "base/hex.h"
#include "base/number.h"
#include "base/options.h"
#include "base/time.h"
#include "format/format.h"
#include "format/keys.h"
#include "format/names.h"
#include "format/plans.h"
#include "format/step_members.h"
#include "record/shape.h"

#include <errno.h>
#include <stdlib.h>

typedef struct members_format {
    step_format_t format;
    const stepi_dialect_t *dialect;
    stepi_time_text_t time;
    stepi_keys_t keys;
    stepi_plans_t plans;
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
    const bool is_total = line->kind == STEPI_OPERATION_COMPLETE || line->kind == STEPI_OPERATION_INCOMPLETE ||
                          line->kind == STEPI_OPERATION_STUCK;
    put_piece(w.out, &w.dialect->names[is_total ? STEPI_MEMBER_TOTAL_DURATION_MS : STEPI_MEMBER_DURATION_MS]);
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

__attribute__((noinline)) static void put_place(writer_t w, const stepi_shape_t *place)
{
    const stepi_text_t file = { .bytes = place->file, .length = place->file_bytes, .original = place->file_bytes };
    put_text(w, STEPI_MEMBER_FILE, &file);
    put_unsigned(w, STEPI_MEMBER_LINE, place->line);
}

static void put_true(writer_t w, stepi_member_t member)
{
    put_piece(w.out, &w.dialect->names[member]);
    stepi_put_literal(w.out, "true");
}

/* Why the line is there, although it might not be, and how many it stands for. */
__attribute__((noinline)) static void put_marks(writer_t w, const stepi_line_t *line)
{
    if (line->is_slow)
        put_true(w, STEPI_MEMBER_SLOW);
    if (line->sample_rate != 0) {
        put_piece(w.out, &w.dialect->names[STEPI_MEMBER_SAMPLE_RATE]);
        stepi_put_shortest(w.out, line->sample_rate);
    }
    if (line->from_recorder)
        put_true(w, STEPI_MEMBER_FLIGHT_RECORDER);
    if (line->is_recovered)
        put_true(w, STEPI_MEMBER_RECOVERED);
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

__attribute__((noinline)) static void put_ids(writer_t w, const stepi_line_t *line)
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

static void put_story(writer_t w, const stepi_line_t *line)
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
}

static void put_numbers(writer_t w, const stepi_line_t *line)
{
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

/* Those of the call, then those that were bound; as many as the table of keys has room for. Returns how many it has not. */
static size_t put_fields(writer_t w, stepi_keys_t *keys, const stepi_line_t *line, size_t room)
{
    stepi_fields_t fields = line->fields;
    stepi_field_view_t field;
    if (fields.left > room)
        fields.left = (uint32_t)room;
    const size_t left = room - fields.left;
    size_t bound = line->bound.left < left ? line->bound.left : left;
    const size_t shown = fields.left + bound;
    for (;;) {
        while (stepi_fields_next(&fields, &field)) {
            put_piece(w.out, &w.dialect->before_key);
            const char *name = w.out->at;
            w.dialect->key(w.out, &field.key);
            stepi_keys_claim(keys, w.out, (size_t)(w.out->at - name));
            put_piece(w.out, &w.dialect->behind_key);
            put_value(w, &field);
        }
        if (bound == 0)
            break;
        fields = line->bound;
        fields.left = (uint32_t)bound;
        bound = 0;
    }
    return (size_t)line->fields.left + line->bound.left - shown;
}

/* ---- Names ---- */

/* Ours where a line has them, and the user's in all other lines: a bit for each, in this order. */
static const stepi_literal_text_t names_of_some[] = {
    STEPI_LITERAL("attempt"), STEPI_LITERAL("reason"), STEPI_LITERAL("errno"),       STEPI_LITERAL("file"),
    STEPI_LITERAL("line"),    STEPI_LITERAL("slow"),   STEPI_LITERAL("sample_rate"), STEPI_LITERAL("flight_recorder"),
    STEPI_LITERAL("recovered"),
};

/* Besides those of the place. */
static bool has_some(const stepi_line_t *line, bool is_marked)
{
    return line->attempt > 1 || line->kind == STEPI_STEP_SKIP || line->error_number != 0 || is_marked;
}

__attribute__((noinline)) static uint32_t some_names(const stepi_line_t *line, const stepi_shape_t *place)
{
    return (uint32_t)(line->has_step && line->attempt > 1) | (uint32_t)(line->kind == STEPI_STEP_SKIP) << 1 |
           (uint32_t)(line->error_number != 0) << 2 | (place != NULL ? 3u : 0u) << 3 | (uint32_t)line->is_slow << 5 |
           (uint32_t)(line->sample_rate != 0) << 6 | (uint32_t)line->from_recorder << 7 |
           (uint32_t)line->is_recovered << 8;
}

/* Before anything of the line is written. Returns how many of the user's fields there is room for; 0 means that none of our
 * names need be noted either. */
static size_t begin_names(stepi_keys_t *keys, const stepi_line_t *line, uint32_t some, size_t steps)
{
    const size_t fields = (size_t)line->fields.left + line->bound.left;
    const size_t own = steps + (some != 0 ? (size_t)__builtin_popcount(some) : 0);
    const size_t room = stepi_keys_begin(keys, fields + own);
    if (room <= own)
        return 0;
    for (const stepi_literal_text_t *name = names_of_some; some != 0; name++, some >>= 1)
        if (some & 1)
            stepi_keys_note(keys, name->bytes, name->length);
    return room - own;
}

/* ---- Plans: of fields whose names depend on nothing else in the line ---- */

/* Lines that show the place of their call have two names more. */
static const stepi_plan_t *make_plan(members_format_t *self, const stepi_shape_t *shape, bool has_place)
{
    enum { PLACE = 1 << 3 | 1 << 4 }; /* in names_of_some */
    stepi_plan_draft_t draft = { .head = { .what = has_place } };
    stepi_out_t out = stepi_out_over(draft.bytes, sizeof(draft.bytes));
    const stepi_line_t line = { .fields = { .left = shape->count } };
    begin_names(&self->keys, &line, has_place ? PLACE : 0, 0);
    for (int i = 0; i < shape->count; i++) {
        const stepi_text_t key = stepi_shape_key(shape, i);
        put_piece(&out, &self->dialect->before_key);
        const char *name = out.at;
        self->dialect->key(&out, &key);
        stepi_keys_claim(&self->keys, &out, (size_t)(out.at - name));
        put_piece(&out, &self->dialect->behind_key);
        stepi_plan_add(&draft, shape, &out);
    }
    return stepi_plans_keep(&self->plans, shape, &draft, &out);
}

/* NULL: the line's names have to be looked at. */
static const stepi_plan_t *plan_of(members_format_t *self, const stepi_line_t *line, bool has_place)
{
    const stepi_shape_t *shape = line->fields.shape;
    if (shape == NULL || line->bound.left > 0)
        return NULL;
    const stepi_plan_t *plan = stepi_plan_of(&self->plans, shape);
    if (plan == NULL)
        plan = make_plan(self, shape, has_place);
    return plan != NULL && plan->head.what == has_place ? plan : NULL;
}

static void put_other(stepi_out_t *out, const void *dialect, const stepi_field_view_t *field)
{
    put_value((writer_t){ .out = out, .dialect = dialect }, field);
}

static void put_planned_fields(writer_t w, const stepi_line_t *line, const stepi_plan_t *plan)
{
    const stepi_plan_writers_t writers = { .text = w.dialect->string, .other = put_other, .context = w.dialect };
    stepi_plan_put(w.out, plan, &line->fields, &writers);
}

/* ---- The format ---- */

static void put_head(members_format_t *self, writer_t w, const stepi_line_t *line)
{
    put_piece(w.out, &w.dialect->begin);
    stepi_put_time(w.out, &self->time, line->wall_ns, 9);
    put_piece(w.out, &w.dialect->levels[stepi_level_index(line->level)]);
    put_piece(w.out, &w.dialect->events[line->kind]);
}

static void render(step_format_t *format, const stepi_line_t *line, stepi_out_t *out)
{
    members_format_t *self = (members_format_t *)format;
    const writer_t w = { .out = out, .dialect = self->dialect };
    const stepi_shape_t *place = format->shows_places ? place_of(line) : NULL;
    const size_t steps = format->wants_steps ? stepi_step_members_count(line) : 0;
    const bool is_marked = line->is_slow | line->from_recorder | line->is_recovered | (line->sample_rate != 0);
    const bool has_some_names = has_some(line, is_marked);
    const stepi_plan_t *plan = has_some_names || steps > 0 ? NULL : plan_of(self, line, place != NULL);
    const bool has_fields = plan == NULL && (line->fields.left | line->bound.left) != 0;
    size_t room = 0;
    uint64_t omitted = line->omitted;
    if (has_fields)
        room = begin_names(&self->keys, line, has_some_names || place != NULL ? some_names(line, place) : 0, steps);
    put_head(self, w, line);
    put_story(w, line);
    if (steps > 0)
        stepi_step_members_put(out, w.dialect, line, room > 0 ? &self->keys : NULL);
    if (place != NULL)
        put_place(w, place);
    if (is_marked)
        put_marks(w, line);
    put_numbers(w, line);
    if (plan != NULL)
        put_planned_fields(w, line, plan);
    if (has_fields)
        omitted += put_fields(w, &self->keys, line, room);
    if (omitted > 0)
        put_unsigned(w, STEPI_MEMBER_FIELDS_OMITTED, omitted);
    put_piece(out, &w.dialect->end);
}

static void free_format(step_format_t *format)
{
    members_format_t *self = (members_format_t *)format;
    stepi_keys_free(&self->keys);
    stepi_plans_free(&self->plans);
    free(self);
}

step_format_t *stepi_members_format(const stepi_dialect_t *dialect, const step_json_options_t *options)
{
    step_json_options_t chosen = { .size = 0 };
    if (options != NULL && !stepi_options_copy(&chosen, sizeof(chosen), options, options->size)) {
        errno = EINVAL;
        return NULL;
    }
    members_format_t *self = calloc(1, sizeof(*self));
    if (self == NULL)
        return NULL;
    self->format = (step_format_t){ .render = render,
                                    .free = free_format,
                                    .wants_steps = chosen.canonical != 0,
                                    .shows_places = chosen.source != 0 };
    self->dialect = dialect;
    return &self->format;
}
