/* Lines that differ in their values alone.
 *
 *     [INFO] ✅ [2/4] Fetching models from API - SUCCESS (raw_count=│2834│, status_code=│200│, provider=│openrouter│)⏎
 *     └──────────────────────── piece ─────────────────────────────┘    └─── piece ────┘   └── piece ──┘          └ end
 *
 * A call site writes the same line again and again. So all that stands around the values is kept, by what the record of
 * such a line has in common with others: its kind, level, depth, step, text and call site. Then a line is a lookup, and
 * piece, value, piece, value. The pieces are written by the same functions as those of any line, and so are the values.
 *
 * A table with one place for each hash, as for beginnings (format/text_known.h), and with the same rule for who moves in. */
#ifndef STEPI_FORMAT_TEXT_TEMPLATE_H
#define STEPI_FORMAT_TEXT_TEMPLATE_H

#include "format/plans.h"
#include "record/brief.h"

enum {
    STEPI_TEMPLATES = 128,
    STEPI_TEMPLATE_PIECES = STEPI_SHAPE_FIELDS + 2,
    STEPI_TEMPLATE_TEXT = 64,
    STEPI_TEMPLATE_BYTES = 344,
};

typedef struct stepi_template {
    uint64_t what, step;
    uint32_t shape;
    uint32_t text_bytes;
    uint32_t hash; /* of what was met here last */
    uint32_t room; /* for a line, its longer texts aside; 0: nobody lives here */
    uint32_t fields;
    /* one before each field, one before the step's duration, if there is one, and one that ends the line */
    stepi_plan_piece_t pieces[STEPI_TEMPLATE_PIECES];
    char text[STEPI_TEMPLATE_TEXT];
    char bytes[STEPI_TEMPLATE_BYTES + STEPI_PADDING]; /* of the pieces, one behind the other */
} stepi_template_t;

/* `out` lies over the template's bytes: what was appended to it since the last time is piece number `i`, and stands before
 * a value of that type. */
void stepi_template_add(stepi_template_t *template, uint32_t i, const stepi_out_t *out, uint8_t type, uint8_t decimals);

#endif
