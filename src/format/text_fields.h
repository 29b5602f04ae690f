/* Text lines: the field list, ` (key=value, ..., duration_ms=1.5)`. */
#ifndef STEPI_FORMAT_TEXT_FIELDS_H
#define STEPI_FORMAT_TEXT_FIELDS_H

#include "base/out.h"
#include "format/plans.h"
#include "record/line.h"

/* How the keys of a shape read, worked out once: " (key=" for the first of its fields, ", key=" for the others. */
typedef struct stepi_text_plans {
    stepi_plans_t plans;
    bool shows_ids; /* lines of operations show ids. Set once, before the first line */
} stepi_text_plans_t;

/* Appends the user's fields, bound ones behind those of the call, then the line's own; nothing when there are none. `color`:
 * dimmed. */
void stepi_text_fields(stepi_out_t *out, const stepi_line_t *line, stepi_text_plans_t *plans, bool color);

#endif
