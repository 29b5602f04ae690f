/* Text lines: the field list, ` (key=value, ..., duration_ms=1.5)`. */
#ifndef STEPI_FORMAT_TEXT_FIELDS_H
#define STEPI_FORMAT_TEXT_FIELDS_H

#include "base/out.h"
#include "record/line.h"

/* Appends the user's fields, then the line's own; nothing when there are none. `color`: dimmed. */
void stepi_text_fields(stepi_out_t *out, const stepi_line_t *line, bool color);

#endif
