/* Bound fields: a list of encoded fields that outlives its call. Immutable once made. */
#ifndef STEPI_RECORD_BOUND_H
#define STEPI_RECORD_BOUND_H

#include "record/line.h"

#include <step_logger.h>

enum {
    STEPI_BOUND_MAX = 4096, /* bytes of one list that was bound */
    STEPI_BOUND_SHARE = 8   /* and of a ring, for one that travels: with the longest texts it still fits into a record */
};

typedef struct stepi_bound {
    uint32_t bytes;
    uint32_t count;
    uint8_t at[]; /* fields as in a record */
} stepi_bound_t;

/* Of what a caller gives; where a key comes twice the later one counts. NULL without memory (ENOMEM), and when it is more than
 * STEPI_BOUND_MAX (E2BIG). `redact`: see stepi_draft_t. */
stepi_bound_t *stepi_bound_new(const step_field_t *fields, size_t count, const char *redact);

/* The fields of `first`, then those of `second`; of a key that both have the one of the winner. Either may be NULL. NULL
 * without memory. */
typedef enum stepi_bound_winner { STEPI_FIRST_WINS, STEPI_SECOND_WINS } stepi_bound_winner_t;
stepi_bound_t *stepi_bound_join(const stepi_bound_t *first, const stepi_bound_t *second, stepi_bound_winner_t winner);

/* A copy of what a record holds. NULL without memory. */
stepi_bound_t *stepi_bound_copy(const stepi_fields_t *fields);

/* To be iterated; of NULL: none. */
static inline stepi_fields_t stepi_bound_fields(const stepi_bound_t *bound)
{
    if (bound == NULL)
        return (stepi_fields_t){ .left = 0 };
    return (stepi_fields_t){ .at = bound->at, .end = bound->at + bound->bytes, .left = bound->count };
}

#endif
