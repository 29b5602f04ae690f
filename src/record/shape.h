/* What never changes about a call site: where it is, and, where the keys are literals, keys and types of its fields. Known
 * once, they need not travel with each record: a record carries the shape's number and the values.
 *
 *     record: … │ shape 7 │ value │ value │ length │ value │ text │
 *     shape 7:    fetch.c:42 · raw_count i64 · status_code i64 · provider text · rate f64
 *
 * The fields are of use for the calls that have a short way (core/short.c), the place for outputs that show it: other calls
 * then carry the number of a shape for its place alone.
 *
 * Shapes are copies: the code that logged may be unloaded. They are never freed, equal ones are kept once, and there are
 * at most STEPI_SHAPES_MAX: a program that has more call sites sends the keys along from the others, and their places are unknown.
 * Nothing here allocates from the heap, and waits for a lock are short, so a signal handler may be the first to come by. */
#ifndef STEPI_RECORD_SHAPE_H
#define STEPI_RECORD_SHAPE_H

#include "record/record.h"

#include <step_logger.h>

#include <string.h>

enum { STEPI_SHAPE_FIELDS = 4, STEPI_SHAPES_MAX = 16384 };

typedef struct stepi_shape stepi_shape_t;
struct stepi_shape {
    const void *owner; /* which copy of the library gave the number, should there be several in the process */
    uint32_t number;
    uint8_t count;
    uint8_t texts; /* bit i: field i is a STEP_FIELD_TEXT */
    uint8_t types[STEPI_SHAPE_FIELDS];
    uint8_t decimals[STEPI_SHAPE_FIELDS];
    uint32_t hash;
    const char *keys[STEPI_SHAPE_FIELDS]; /* NUL-terminated */
    uint32_t key_bytes[STEPI_SHAPE_FIELDS];
    const char *file; /* of the call site; NULL: unknown */
    uint32_t file_bytes;
    uint32_t line;
    const stepi_shape_t *next; /* of the same hash */
};

/* Remembers the fields of a site whose keys are literals, if there are at most four: from then on its state holds
 * their types and the shape. */
void stepi_shape_learn(step_site_t *site, const step_field_t *fields, size_t count);

/* The number of a shape that knows the site's place, its fields aside; 0: there is none. */
uint32_t stepi_shape_place(step_site_t *site);

/* The shape of a site that has learned one. */
static inline const stepi_shape_t *stepi_shape_of_site(const step_site_t *site)
{
    return (const stepi_shape_t *)(uintptr_t)site->state[2];
}

/* Whether its number means something to this copy of the library. */
extern const char stepi_shapes_owner;
static inline bool stepi_shape_is_ours(const stepi_shape_t *shape)
{
    return __atomic_load_n(&shape->owner, __ATOMIC_RELAXED) == &stepi_shapes_owner;
}

/* From now on no site that has a key of these patterns is known: those that were are forgotten. */
void stepi_shapes_redact(const char *patterns);

/* The shape of that number; NULL if there is none. */
const stepi_shape_t *stepi_shape_find(uint32_t number);

/* The fields as they were given. */
void stepi_shape_fields(const stepi_shape_t *shape, const uint64_t values[STEPI_SHAPE_FIELDS],
                        step_field_t fields[STEPI_SHAPE_FIELDS]);

static inline stepi_text_t stepi_shape_key(const stepi_shape_t *shape, int field)
{
    return (stepi_text_t){ .bytes = shape->keys[field], .length = shape->key_bytes[field], .original = shape->key_bytes[field] };
}

/* The value of the next field of a record with a shape; there is one. */
static inline uint64_t stepi_shape_value(stepi_fields_t *fields)
{
    uint64_t value;
    memcpy(&value, fields->at + fields->index++ * sizeof(value), sizeof(value));
    fields->left--;
    return value;
}

/* Where the value just taken is that of a text, the text. False where the bytes are damaged. */
static inline bool stepi_shape_text(stepi_fields_t *fields, uint64_t value, stepi_text_t *out)
{
    *out = (stepi_text_t){ .bytes = NULL };
    if (value == STEPI_TEXT_NULL)
        return true;
    if (value > (size_t)(fields->end - fields->texts)) {
        fields->left = 0;
        return false;
    }
    const uint32_t length = (uint32_t)value;
    *out = (stepi_text_t){ .bytes = (const char *)fields->texts, .length = length, .original = length };
    fields->texts += length;
    return true;
}

/* The next field of a record with a shape, but for its key; there is one. False where the bytes are damaged. */
static inline bool stepi_shape_next(stepi_fields_t *fields, stepi_field_view_t *out)
{
    const stepi_shape_t *shape = fields->shape;
    const uint32_t i = fields->index;
    out->type = shape->types[i];
    out->decimals = shape->decimals[i];
    out->number.u64 = stepi_shape_value(fields);
    if ((shape->texts >> i & 1) != 0)
        return stepi_shape_text(fields, out->number.u64, &out->text);
    out->text = (stepi_text_t){ .bytes = NULL };
    return true;
}

/* From now on every shape also goes to this file, which has nothing but its mark yet, before its number can be in any record: those
 * that are there at once. False: see errno, or (ENFILE) there are too many such files. */
bool stepi_shapes_write_to(int fd);
void stepi_shapes_write_no_more(int fd);

/* In a forked child: files are the parent's. */
void stepi_shapes_reset_in_child(void);

#endif
