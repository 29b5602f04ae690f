#include "record/bound.h"

#include "platform/memory.h"
#include "record/record.h"

#include <errno.h>
#include <string.h>

enum { TEXT_MAX = 1024 };

static bool is_same_key(const stepi_text_t *a, const stepi_text_t *b)
{
    return a->length == b->length && a->original == b->original && memcmp(a->bytes, b->bytes, a->length) == 0;
}

static bool has_key(const stepi_bound_t *list, const stepi_text_t *key)
{
    stepi_fields_t fields = stepi_bound_fields(list);
    stepi_field_view_t field;
    while (stepi_fields_next(&fields, &field))
        if (is_same_key(&field.key, key))
            return true;
    return false;
}

/* Those whose keys the other list does not have, or all. */
static void append(stepi_bound_t *to, const stepi_bound_t *from, const stepi_bound_t *except)
{
    stepi_fields_t fields = stepi_bound_fields(from);
    stepi_field_view_t field;
    const uint8_t *start = fields.at;
    while (stepi_fields_next(&fields, &field)) {
        const size_t bytes = (size_t)(fields.at - start);
        if (except == NULL || !has_key(except, &field.key)) {
            memcpy(to->at + to->bytes, start, bytes);
            to->bytes += (uint32_t)bytes;
            to->count++;
        }
        start = fields.at;
    }
}

static stepi_bound_t *new_list(size_t bytes)
{
    stepi_bound_t *list = stepi_alloc(sizeof(*list) + bytes);
    if (list != NULL)
        *list = (stepi_bound_t){ .bytes = 0 };
    return list;
}

stepi_bound_t *stepi_bound_join(const stepi_bound_t *first, const stepi_bound_t *second, stepi_bound_winner_t winner)
{
    const size_t bytes = (first != NULL ? first->bytes : 0u) + (size_t)(second != NULL ? second->bytes : 0u);
    stepi_bound_t *list = new_list(bytes);
    if (list == NULL)
        return NULL;
    append(list, first, winner == STEPI_SECOND_WINS ? second : NULL);
    append(list, second, winner == STEPI_FIRST_WINS ? first : NULL);
    return list;
}

stepi_bound_t *stepi_bound_copy(const stepi_fields_t *fields)
{
    const size_t bytes = (size_t)(fields->end - fields->at);
    stepi_bound_t *list = new_list(bytes);
    if (list == NULL)
        return NULL;
    list->bytes = (uint32_t)bytes;
    list->count = fields->left;
    if (bytes > 0)
        memcpy(list->at, fields->at, bytes);
    return list;
}

static bool comes_again(const step_field_t *fields, size_t count, size_t at)
{
    const char *key = fields[at].key != NULL ? fields[at].key : "null";
    for (size_t i = at + 1; i < count; i++)
        if (strcmp(fields[i].key != NULL ? fields[i].key : "null", key) == 0)
            return true;
    return false;
}

stepi_bound_t *stepi_bound_new(const step_field_t *fields, size_t count, const char *redact)
{
    stepi_bound_t *list = new_list(STEPI_BOUND_MAX);
    if (list == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        if (comes_again(fields, count, i))
            continue;
        const size_t bytes =
            stepi_field_encode(&fields[i], redact, TEXT_MAX, list->at + list->bytes, STEPI_BOUND_MAX - list->bytes);
        if (bytes == 0) {
            stepi_free(list);
            errno = E2BIG;
            return NULL;
        }
        list->bytes += (uint32_t)bytes;
        list->count++;
    }
    stepi_bound_t *fitting = stepi_resize(list, sizeof(*list) + list->bytes, sizeof(*list) + list->bytes);
    return fitting != NULL ? fitting : list;
}
