/* What a format writes before each value of a call site's fields, worked out once: keys, and all that stands around them.
 *
 *     shape 7:   raw_count i64 · provider text
 *     text:       (raw_count=│, provider=│            JSON:   ,"raw_count":│,"provider":│
 *
 * Fields whose keys are known (record/shape.h) are then written piece, value, piece, value: no key is looked at again. */
#ifndef STEPI_FORMAT_PLANS_H
#define STEPI_FORMAT_PLANS_H

#include "base/digits.h"
#include "base/number.h"
#include "record/shape.h"

enum { STEPI_PLAN_BYTES = 512 };

typedef struct stepi_plan_piece {
    uint16_t from, length; /* in `bytes` */
    uint8_t type, decimals;
} stepi_plan_piece_t;

typedef struct stepi_plan_head {
    uint32_t what; /* the format's own: which lines the plan is for */
    uint32_t count;
    stepi_plan_piece_t pieces[STEPI_SHAPE_FIELDS];
} stepi_plan_head_t;

typedef struct stepi_plan {
    stepi_plan_head_t head;
    char bytes[]; /* of all pieces, and STEPI_PADDING more */
} stepi_plan_t;

/* A plan in the making. */
typedef struct stepi_plan_draft {
    stepi_plan_head_t head;
    char bytes[STEPI_PLAN_BYTES];
} stepi_plan_draft_t;

/* Of one format; zero at first. */
typedef struct stepi_plans {
    stepi_plan_t **plans; /* by the shape's number */
    size_t capacity;
} stepi_plans_t;

void stepi_plans_free(stepi_plans_t *plans);

static inline const stepi_plan_t *stepi_plan_of(const stepi_plans_t *plans, const stepi_shape_t *shape)
{
    return shape->number < plans->capacity ? plans->plans[shape->number] : NULL;
}

/* The piece before the shape's next field was appended to `out`, which lies over draft->bytes. */
void stepi_plan_add(stepi_plan_draft_t *draft, const stepi_shape_t *shape, const stepi_out_t *out);

/* Keeps a plan for lines of a kind; NULL without memory, or when it is too long to be worth it. */
const stepi_plan_t *stepi_plans_keep(stepi_plans_t *plans, const stepi_shape_t *shape, const stepi_plan_draft_t *draft,
                                     const stepi_out_t *out);

/* ---- Writing ---- */

static inline bool stepi_is_finite_bits(uint64_t bits)
{
    return (bits >> 52 & 0x7FF) != 0x7FF;
}

/* A number, where there is room for STEPI_DOUBLE_BYTES; returns its end. NULL: it is none, or formats differ in how they
 * write it. */
static inline char *stepi_plan_write_number(char *to, const stepi_plan_piece_t *piece, uint64_t value)
{
    double number;
    memcpy(&number, &value, sizeof(number));
    if (piece->type == STEP_FIELD_I64)
        return stepi_write_i64(to, (int64_t)value);
    if (piece->type == STEP_FIELD_U64)
        return stepi_write_u64(to, value);
    if (piece->type == STEP_FIELD_FIXED && stepi_is_finite_bits(value))
        return stepi_write_fixed(to, number, piece->decimals);
    if (piece->type == STEP_FIELD_F64 && stepi_is_finite_bits(value))
        return stepi_write_shortest(to, number);
    return NULL;
}

/* A number behind its piece, where there is room for the longest. False: there is not, or it is not written so. */
static inline bool stepi_plan_put_number(stepi_out_t *out, const stepi_plan_t *plan, const stepi_plan_piece_t *piece,
                                         uint64_t value)
{
    const stepi_plan_piece_t p = *piece; /* before anything is written, which may be anywhere for all a compiler knows */
    if ((size_t)(out->end - out->at) < (size_t)p.length + STEPI_PADDING + STEPI_DOUBLE_BYTES)
        return false;
    stepi_copy_padded(out->at, plan->bytes + p.from, p.length);
    char *const end = stepi_plan_write_number(out->at + p.length, &p, value);
    if (end == NULL)
        return false;
    out->at = end;
    return true;
}

/* How a format writes what is no number. */
typedef struct stepi_plan_writers {
    void (*text)(stepi_out_t *out, const stepi_text_t *text);
    void (*other)(stepi_out_t *out, const void *context, const stepi_field_view_t *field);
    const void *context;
} stepi_plan_writers_t;

static inline void stepi_plan_put_text(stepi_out_t *out, stepi_fields_t *fields, uint64_t value,
                                       const stepi_plan_writers_t *writers)
{
    stepi_text_t text;
    if (stepi_shape_text(fields, value, &text))
        writers->text(out, &text);
}

static inline void stepi_plan_put_other(stepi_out_t *out, const stepi_plan_piece_t *piece, uint64_t value,
                                        const stepi_plan_writers_t *writers)
{
    stepi_field_view_t field = { .type = piece->type, .decimals = piece->decimals };
    field.number.u64 = value;
    writers->other(out, writers->context, &field);
}

static inline void stepi_plan_put(stepi_out_t *out, const stepi_plan_t *plan, const stepi_fields_t *all,
                                  const stepi_plan_writers_t *writers)
{
    stepi_fields_t fields = *all;
    for (const stepi_plan_piece_t *piece = plan->head.pieces; fields.left > 0; piece++) {
        const uint64_t value = stepi_shape_value(&fields);
        if (piece->type != STEP_FIELD_TEXT && stepi_plan_put_number(out, plan, piece, value))
            continue;
        stepi_put_padded(out, plan->bytes + piece->from, piece->length);
        if (piece->type == STEP_FIELD_TEXT)
            stepi_plan_put_text(out, &fields, value, writers);
        else
            stepi_plan_put_other(out, piece, value, writers);
    }
}

#endif
