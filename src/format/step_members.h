/* The members that tell what became of an operation's steps, in its last line: docs/formats.md, "Canonical lines".
 *
 *     "step_1":"success","step_1_description":"Connecting","step_1_duration_ms":15.2,"step_2":"failure",...,"step_2_attempts":3
 *
 * A step whose number another one had before is step_1_2, step_1_3, ...: no name comes twice. */
#ifndef STEPI_FORMAT_STEP_MEMBERS_H
#define STEPI_FORMAT_STEP_MEMBERS_H

#include "format/keys.h"
#include "format/members.h"

/* How many names that will be, at most. */
size_t stepi_step_members_count(const stepi_line_t *line);

/* Appends them. Their names are noted in `keys`, where they must have room; NULL: nobody asks for them. */
void stepi_step_members_put(stepi_out_t *out, const stepi_dialect_t *dialect, const stepi_line_t *line, stepi_keys_t *keys);

#endif
