/* Lines that wait: copies with all that they point to, in lists in the order of their arrival. */
#ifndef STEPI_CORE_HELD_H
#define STEPI_CORE_HELD_H

#include "core/optable.h"
#include "crash/layout.h"

struct stepi_held_line {
    stepi_held_line_t *next;
    uint64_t arrival;
    size_t bytes;  /* of memory, this structure included */
    size_t record; /* about what its record took in a ring */
    stepi_kept_t *kept; /* its record, with a crash ring; NULL: there is none */
    stepi_kept_t *names[STEPI_KEPT]; /* its own copies of records that brought its names and were no lines; NULL: it needs none */
    stepi_line_t line;
    stepi_trace_t trace;
};

/* NULL without memory. */
stepi_held_line_t *stepi_held_copy(const stepi_line_t *line);

void stepi_held_append(stepi_held_lines_t *list, stepi_held_line_t *line);

/* The first, taken out; NULL when there is none. */
stepi_held_line_t *stepi_held_take(stepi_held_lines_t *list);

/* Whether the first of `list` arrived before that of `other`; an empty list comes last. */
bool stepi_held_is_before(const stepi_held_lines_t *list, const stepi_held_lines_t *other);

/* Moves all of `from` to where they belong in `to`. */
void stepi_held_merge(stepi_held_lines_t *to, stepi_held_lines_t *from);

void stepi_held_free(stepi_held_lines_t *list);

#endif
