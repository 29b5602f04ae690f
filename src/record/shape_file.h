/* Shapes in a file, for whoever reads records after their process has died.
 *
 *     mark │ bytes │ sum │ number │ line │ count │ texts │ types │ decimals │ lengths │ file │ keys │ pad │ bytes │ …
 *
 * Only appended to. Where a number comes twice the last one counts. */
#ifndef STEPI_RECORD_SHAPE_FILE_H
#define STEPI_RECORD_SHAPE_FILE_H

#include "record/shape.h"

enum { STEPI_SHAPE_FILE_MARK = 16, STEPI_SHAPE_FILE_MAX = 16 * 1024 /* bytes of one shape at most */ };

/* Into to[0..STEPI_SHAPE_FILE_MAX); its bytes. */
size_t stepi_shape_store(const stepi_shape_t *shape, uint8_t *to);

/* Another process's shapes by their numbers, owned. */
typedef struct stepi_shapes {
    stepi_shape_t **by_number;
    uint32_t count;
} stepi_shapes_t;

/* What the bytes behind the mark hold, as far as they are whole; how many bytes are not is added to *damaged. The bytes are referred to.
 * False without memory. */
bool stepi_shapes_load(stepi_shapes_t *shapes, const uint8_t *bytes, size_t size, uint64_t *damaged);
void stepi_shapes_free(stepi_shapes_t *shapes);

/* NULL: the process's own. NULL if there is none of that number. */
static inline const stepi_shape_t *stepi_shapes_find(const stepi_shapes_t *shapes, uint32_t number)
{
    if (shapes == NULL)
        return stepi_shape_find(number);
    return number < shapes->count ? shapes->by_number[number] : NULL;
}

#endif
