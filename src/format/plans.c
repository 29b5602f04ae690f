#include "format/plans.h"

#include "platform/memory.h"

#include <string.h>

enum { FIRST_PLANS = 64 };

void stepi_plans_free(stepi_plans_t *plans)
{
    for (size_t i = 0; i < plans->capacity; i++)
        stepi_free(plans->plans[i]);
    stepi_free(plans->plans);
}

static bool make_room(stepi_plans_t *plans, size_t number)
{
    size_t capacity = plans->capacity == 0 ? FIRST_PLANS : plans->capacity;
    while (capacity <= number)
        capacity *= 2;
    if (capacity == plans->capacity)
        return true;
    stepi_plan_t **larger = stepi_resize(plans->plans, plans->capacity * sizeof(stepi_plan_t *), capacity * sizeof(stepi_plan_t *));
    if (larger == NULL)
        return false;
    memset(larger + plans->capacity, 0, (capacity - plans->capacity) * sizeof(stepi_plan_t *));
    plans->plans = larger;
    plans->capacity = capacity;
    return true;
}

void stepi_plan_add(stepi_plan_draft_t *draft, const stepi_shape_t *shape, const stepi_out_t *out)
{
    stepi_plan_head_t *head = &draft->head;
    const uint32_t i = head->count++;
    const uint32_t from = i > 0 ? (uint32_t)head->pieces[i - 1].from + head->pieces[i - 1].length : 0;
    head->pieces[i] = (stepi_plan_piece_t){ .from = (uint16_t)from,
                                                  .length = (uint16_t)((size_t)(out->at - draft->bytes) - from),
                                                  .type = shape->types[i],
                                                  .decimals = shape->decimals[i] };
}

const stepi_plan_t *stepi_plans_keep(stepi_plans_t *plans, const stepi_shape_t *shape, const stepi_plan_draft_t *draft,
                                     const stepi_out_t *out)
{
    const size_t length = (size_t)(out->at - draft->bytes);
    stepi_plan_t *kept = NULL;
    if (!out->overflow && shape->number < STEPI_SHAPES_MAX && make_room(plans, shape->number))
        kept = stepi_alloc(sizeof(*kept) + length + STEPI_PADDING);
    if (kept == NULL)
        return NULL;
    kept->head = draft->head;
    memcpy(kept->bytes, draft->bytes, length);
    memset(kept->bytes + length, 0, STEPI_PADDING);
    plans->plans[shape->number] = kept;
    return kept;
}
