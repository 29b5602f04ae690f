#include "record/shape_file.h"

#include "record/seal.h"

#include <stdlib.h>

/* The bytes are those of a record in one respect: length and sum come first. */
typedef struct stored {
    uint32_t bytes; /* a multiple of 8 */
    uint32_t sum;
    uint32_t number;
    uint32_t line;
    uint8_t count, texts;
    uint8_t types[STEPI_SHAPE_FIELDS];
    uint8_t decimals[STEPI_SHAPE_FIELDS];
    uint8_t has_file;
    uint8_t unused;
    uint32_t file_bytes;
    uint32_t key_bytes[STEPI_SHAPE_FIELDS];
} stored_t;

_Static_assert(sizeof(stored_t) % 8 == 0 && offsetof(stored_t, sum) == STEPI_SEAL_AT, "it is sealed as records are");

static uint8_t *put_text(uint8_t *at, const char *text, size_t length)
{
    if (length > 0)
        memcpy(at, text, length);
    at[length] = '\0';
    return at + length + 1;
}

size_t stepi_shape_store(const stepi_shape_t *shape, uint8_t *to)
{
    stored_t stored = { .number = shape->number,
                        .line = shape->line,
                        .count = shape->count,
                        .texts = shape->texts,
                        .has_file = shape->file != NULL,
                        .file_bytes = shape->file_bytes };
    memcpy(stored.types, shape->types, sizeof(stored.types));
    memcpy(stored.decimals, shape->decimals, sizeof(stored.decimals));
    uint8_t *at = put_text(to + sizeof(stored), shape->file, shape->file_bytes);
    for (int i = 0; i < shape->count; i++) {
        stored.key_bytes[i] = shape->key_bytes[i];
        at = put_text(at, shape->keys[i], shape->key_bytes[i]);
    }
    while ((size_t)(at - to) % 8 != 0)
        *at++ = 0;
    stored.bytes = (uint32_t)(at - to);
    memcpy(to, &stored, sizeof(stored));
    stepi_record_seal(to, stored.bytes);
    return stored.bytes;
}

/* ---- Reading ---- */

static bool take_text(const uint8_t **at, size_t *left, size_t length, const char **text)
{
    if (length >= *left || (*at)[length] != '\0')
        return false;
    *text = (const char *)*at;
    *at += length + 1;
    *left -= length + 1;
    return true;
}

static bool read_shape(const stored_t *stored, const uint8_t *bytes, stepi_shape_t *shape)
{
    *shape = (stepi_shape_t){ .number = stored->number, .line = stored->line, .count = stored->count, .texts = stored->texts };
    if (stored->count > STEPI_SHAPE_FIELDS || stored->number >= STEPI_SHAPES_MAX)
        return false;
    memcpy(shape->types, stored->types, sizeof(shape->types));
    memcpy(shape->decimals, stored->decimals, sizeof(shape->decimals));
    const uint8_t *at = bytes + sizeof(*stored);
    size_t left = stored->bytes - sizeof(*stored);
    const char *file;
    if (!take_text(&at, &left, stored->file_bytes, &file))
        return false;
    shape->file = stored->has_file != 0 ? file : NULL;
    shape->file_bytes = stored->file_bytes;
    for (int i = 0; i < shape->count; i++) {
        if (!take_text(&at, &left, stored->key_bytes[i], &shape->keys[i]))
            return false;
        shape->key_bytes[i] = stored->key_bytes[i];
    }
    return true;
}

static bool add(stepi_shapes_t *shapes, const stepi_shape_t *shape)
{
    if (shapes->by_number == NULL) {
        shapes->by_number = calloc(STEPI_SHAPES_MAX, sizeof(*shapes->by_number));
        shapes->count = STEPI_SHAPES_MAX;
    }
    stepi_shape_t *copy = shapes->by_number != NULL ? malloc(sizeof(*copy)) : NULL;
    if (copy == NULL)
        return false;
    *copy = *shape;
    copy->number = UINT32_MAX; /* here the number means another shape, or none: no format remembers anything by it */
    free(shapes->by_number[shape->number]);
    shapes->by_number[shape->number] = copy;
    return true;
}

bool stepi_shapes_load(stepi_shapes_t *shapes, const uint8_t *bytes, size_t size, uint64_t *damaged)
{
    *shapes = (stepi_shapes_t){ .count = 0 };
    size_t at = 0;
    while (at < size) {
        stored_t stored = { .bytes = 0 };
        stepi_shape_t shape;
        if (size - at >= sizeof(stored))
            memcpy(&stored, bytes + at, sizeof(stored));
        if (stored.bytes < sizeof(stored) || stored.bytes > size - at || stored.bytes % 8 != 0 ||
            !stepi_record_is_whole(bytes + at, stored.bytes) || !read_shape(&stored, bytes + at, &shape)) {
            const size_t step = size - at < 8 ? size - at : 8; /* the next one may be whole */
            *damaged += step;
            at += step;
            continue;
        }
        if (!add(shapes, &shape))
            return false;
        at += stored.bytes;
    }
    return true;
}

void stepi_shapes_free(stepi_shapes_t *shapes)
{
    for (uint32_t i = 0; i < shapes->count && shapes->by_number != NULL; i++)
        free(shapes->by_number[i]);
    free(shapes->by_number);
    *shapes = (stepi_shapes_t){ .count = 0 };
}
