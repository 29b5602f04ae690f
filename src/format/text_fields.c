/* The user's fields come first, the line's own last, in this order:
 *
 *     fields_omitted=N    last_step=N, description=...    sample_rate=N  slow=true  flight_recorder=true  recovered=true
 *     trace_id=..., span_id=...    duration_ms=N.N or total_duration_ms=N.N
 *
 * Own keys are never quoted. A user's key of a rarer such name is, wherever a reader that takes own fields from the end of
 * the list could meet it. The durations are not: whoever gives a quick function a duration_ms means just that. */
#include "format/text_fields.h"

#include "base/hex.h"
#include "base/number.h"
#include "format/text_escape.h"
#include "record/shape.h"

#include <step_logger.h>

typedef enum own_duration { NO_DURATION, STEP_DURATION, TOTAL_DURATION } own_duration_t;

/* Which duration lines of a kind may end with. */
static const uint8_t durations[STEPI_KINDS] = {
    [STEPI_STEP_SUCCESS] = STEP_DURATION,        [STEPI_STEP_FAILURE] = STEP_DURATION,
    [STEPI_OPERATION_COMPLETE] = TOTAL_DURATION, [STEPI_OPERATION_INCOMPLETE] = TOTAL_DURATION,
    [STEPI_OPERATION_STUCK] = TOTAL_DURATION,
};

/* Own keys that only some lines may have, durations aside. */
enum { HAS_LAST_STEP = 1, HAS_SAMPLE_RATE = 2, HAS_SLOW = 4, HAS_IDS = 8, HAS_ALL = 15 };

static const uint8_t own_keys[STEPI_KINDS] = {
    [STEPI_OPERATION_START] = HAS_SAMPLE_RATE,
    [STEPI_OPERATION_COMPLETE] = HAS_SAMPLE_RATE | HAS_SLOW,
    [STEPI_OPERATION_INCOMPLETE] = HAS_LAST_STEP | HAS_SLOW,
    [STEPI_OPERATION_STUCK] = HAS_LAST_STEP,
};

static unsigned own_keys_of(const stepi_line_t *line, bool shows_ids)
{
    return own_keys[line->kind] | (shows_ids && line->trace != NULL ? HAS_IDS : 0u);
}

static bool key_is(const stepi_text_t *key, const char *name)
{
    return memcmp(key->bytes, name, key->length) == 0;
}

/* Whether a user's key would be read as one of the line's own. */
static bool is_own_key(const stepi_text_t *key, unsigned own)
{
    switch (key->length) {
    case 4:
        return (own & HAS_SLOW) != 0 && key_is(key, "slow");
    case 7:
        return (own & HAS_IDS) != 0 && key_is(key, "span_id");
    case 8:
        return (own & HAS_IDS) != 0 && key_is(key, "trace_id");
    case 9:
        return ((own & HAS_LAST_STEP) != 0 && key_is(key, "last_step")) || key_is(key, "recovered");
    case 11:
        return ((own & HAS_LAST_STEP) != 0 && key_is(key, "description")) ||
               ((own & HAS_SAMPLE_RATE) != 0 && key_is(key, "sample_rate"));
    case 14:
        return key_is(key, "fields_omitted");
    case 15:
        return key_is(key, "flight_recorder");
    default:
        return false;
    }
}

/* Whether that depends on the line. */
static bool is_sometimes_own(const stepi_text_t *key)
{
    return is_own_key(key, HAS_ALL) != is_own_key(key, 0);
}

static void put_key(stepi_text_list_t *list, const stepi_text_t *key, unsigned own)
{
    stepi_text_list_next(list);
    stepi_text_key(list->out, key, is_own_key(key, own));
    stepi_put_char(list->out, '=');
}

static void put_bool(stepi_out_t *out, bool v)
{
    if (v)
        stepi_put_literal(out, "true");
    else
        stepi_put_literal(out, "false");
}

void stepi_text_field_value(stepi_out_t *out, const stepi_field_view_t *field)
{
    switch (field->type) {
    case STEP_FIELD_I64:
        stepi_put_i64(out, field->number.i64);
        break;
    case STEP_FIELD_U64:
        stepi_put_u64(out, field->number.u64);
        break;
    case STEP_FIELD_F64:
        stepi_put_shortest(out, field->number.f64);
        break;
    case STEP_FIELD_BOOL:
        put_bool(out, field->number.u64 != 0);
        break;
    case STEP_FIELD_FIXED:
        stepi_put_fixed(out, field->number.f64, field->decimals);
        break;
    case STEP_FIELD_PERCENT:
        stepi_put_fixed(out, field->number.f64, 1);
        stepi_put_char(out, '%');
        break;
    case STEP_FIELD_SECRET:
        stepi_put_literal(out, "***");
        break;
    default:
        stepi_text_value(out, &field->text);
        break;
    }
}

/* ---- Plans ---- */

/* In a plan's `what`: for all lines; otherwise for those with these keys of their own. */
#define FOR_ALL_LINES UINT32_MAX

static const stepi_plan_t *make_plan(stepi_text_plans_t *plans, const stepi_line_t *line, bool color)
{
    const stepi_shape_t *shape = line->fields.shape;
    const unsigned own = own_keys_of(line, plans->shows_ids);
    stepi_plan_draft_t draft = { .head = { .what = FOR_ALL_LINES } };
    stepi_out_t out = stepi_out_over(draft.bytes, sizeof(draft.bytes));
    stepi_text_list_t list = { .out = &out, .color = color };
    for (int i = 0; i < shape->count; i++) {
        const stepi_text_t key = stepi_shape_key(shape, i);
        put_key(&list, &key, own);
        stepi_plan_add(&draft, shape, &out);
        if (is_sometimes_own(&key))
            draft.head.what = own;
    }
    return stepi_plans_keep(&plans->plans, shape, &draft, &out);
}

/* Where a key is quoted in some lines alone, the plan is for the kind of lines that came first. */
static inline const stepi_plan_t *plan_of(stepi_text_plans_t *plans, const stepi_line_t *line, bool color)
{
    const stepi_shape_t *shape = line->fields.shape;
    if (shape == NULL)
        return NULL;
    const stepi_plan_t *plan = stepi_plan_of(&plans->plans, shape);
    if (plan == NULL)
        plan = make_plan(plans, line, color);
    const bool suits =
        plan != NULL && (plan->head.what == FOR_ALL_LINES || plan->head.what == own_keys_of(line, plans->shows_ids));
    return suits ? plan : NULL;
}

/* ---- The list ---- */

static void put_other(stepi_out_t *out, const void *context, const stepi_field_view_t *field)
{
    (void)context;
    stepi_text_field_value(out, field);
}

static inline void put_planned_fields(stepi_text_list_t *list, const stepi_line_t *line, const stepi_plan_t *plan)
{
    static const stepi_plan_writers_t writers = { .text = stepi_text_value, .other = put_other };
    list->is_open = plan->head.count > 0;
    stepi_plan_put(list->out, plan, &line->fields, &writers);
}

__attribute__((noinline)) static void put_user_fields(stepi_text_list_t *list, const stepi_fields_t *fields,
                                                      unsigned own)
{
    stepi_fields_t left = *fields;
    stepi_field_view_t field;
    while (stepi_fields_next(&left, &field)) {
        put_key(list, &field.key, own);
        stepi_text_field_value(list->out, &field);
    }
}

/* ---- The line's own ---- */

static void put_omitted(stepi_text_list_t *list, uint32_t omitted)
{
    stepi_text_list_next(list);
    stepi_put_literal(list->out, "fields_omitted=");
    stepi_put_u64(list->out, omitted);
}

static void put_last_step(stepi_text_list_t *list, const stepi_line_t *line)
{
    stepi_text_list_next(list);
    stepi_put_literal(list->out, "last_step=");
    stepi_put_i64(list->out, line->step);
    stepi_put_literal(list->out, ", description=");
    stepi_text_value(list->out, &line->description);
}

static void put_marks(stepi_text_list_t *list, const stepi_line_t *line, unsigned own)
{
    if ((own & HAS_SAMPLE_RATE) != 0 && line->sample_rate != 0) {
        stepi_text_list_next(list);
        stepi_put_literal(list->out, "sample_rate=");
        stepi_put_shortest(list->out, line->sample_rate);
    }
    if ((own & HAS_SLOW) != 0 && line->is_slow) {
        stepi_text_list_next(list);
        stepi_put_literal(list->out, "slow=true");
    }
    if (line->from_recorder) {
        stepi_text_list_next(list);
        stepi_put_literal(list->out, "flight_recorder=true");
    }
    if (line->is_recovered) {
        stepi_text_list_next(list);
        stepi_put_literal(list->out, "recovered=true");
    }
}

static void put_ids(stepi_text_list_t *list, const stepi_line_t *line)
{
    char trace[32], span[16];
    stepi_write_hex_16(stepi_write_hex_16(trace, line->trace->high), line->trace->low);
    stepi_write_hex_16(span, line->step_span != 0 ? line->step_span : line->trace->span);
    stepi_text_list_next(list);
    stepi_put_literal(list->out, "trace_id=");
    stepi_put(list->out, trace, sizeof(trace));
    stepi_put_literal(list->out, ", span_id=");
    stepi_put(list->out, span, sizeof(span));
}

/* Own fields but for durations. Lines in the middle of an operation seldom have any. */
__attribute__((noinline)) static void put_rare_fields(stepi_text_list_t *list, const stepi_line_t *line, bool shows_ids)
{
    const unsigned own = own_keys_of(line, shows_ids);
    if (line->omitted > 0)
        put_omitted(list, line->omitted);
    if ((own & HAS_LAST_STEP) != 0 && line->has_step)
        put_last_step(list, line);
    put_marks(list, line, own);
    if ((own & HAS_IDS) != 0)
        put_ids(list, line);
}

static bool may_have_rare_fields(const stepi_line_t *line, bool shows_ids)
{
    return own_keys[line->kind] != 0 || (line->omitted != 0) | line->from_recorder | line->is_recovered | shows_ids;
}

static void put_duration_key(stepi_text_list_t *list, own_duration_t duration)
{
    stepi_text_list_next(list);
    if (duration == TOTAL_DURATION)
        stepi_put_literal(list->out, "total_");
    stepi_put_literal(list->out, "duration_ms=");
}

static void put_duration(stepi_text_list_t *list, const stepi_line_t *line)
{
    const own_duration_t duration = durations[line->kind];
    if (!line->has_elapsed || duration == NO_DURATION)
        return;
    put_duration_key(list, duration);
    stepi_put_ms_1(list->out, line->elapsed_ns);
}

void stepi_text_fields(stepi_out_t *out, const stepi_line_t *line, stepi_text_plans_t *plans, bool color)
{
    stepi_text_list_t list = { .out = out, .color = color };
    const stepi_plan_t *plan = plan_of(plans, line, color);
    if (plan != NULL)
        put_planned_fields(&list, line, plan);
    else if (line->fields.left > 0)
        put_user_fields(&list, &line->fields, own_keys_of(line, plans->shows_ids));
    if (line->bound.left > 0)
        put_user_fields(&list, &line->bound, own_keys_of(line, plans->shows_ids));
    if (may_have_rare_fields(line, plans->shows_ids))
        put_rare_fields(&list, line, plans->shows_ids);
    put_duration(&list, line);
    stepi_text_list_close(&list);
}

/* ---- Templates ---- */

void stepi_text_template_fields(stepi_template_t *template, stepi_out_t *out, const stepi_shape_t *shape, bool has_elapsed,
                                bool color)
{
    stepi_text_list_t list = { .out = out, .color = color };
    const uint32_t count = shape != NULL ? shape->count : 0;
    uint32_t i = 0;
    for (; i < count; i++) {
        const stepi_text_t key = stepi_shape_key(shape, (int)i);
        put_key(&list, &key, 0);
        stepi_template_add(template, i, out, shape->types[i], shape->decimals[i]);
    }
    if (has_elapsed) {
        put_duration_key(&list, STEP_DURATION);
        stepi_template_add(template, i++, out, 0, 0);
    }
    stepi_text_list_close(&list);
    stepi_put_char(out, '\n');
    stepi_template_add(template, i, out, 0, 0);
}
