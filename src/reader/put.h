/* An entry as a line again, in any of the three formats. What the target can hold, it gets: a number digit for digit, a text
 * with the escapes of the target, a cut text with its mark. Text, JSON, text again is the same line, whatever our formatter
 * wrote, but for bytes that are not UTF-8 and for numbers that are not finite.
 *
 * Two things have no spelling of their own in JSON and logfmt, and get one that every reader takes for the same value:
 *
 *     a percentage, 2.8%                  2.8E0, a number with an `E` (ours have an `e`)
 *     a key that looks like cut text      \u2026[5 bytes] for …[5 bytes], as it is in values */
#ifndef STEPI_READER_PUT_H
#define STEPI_READER_PUT_H

#include "base/out.h"
#include "reader/reader.h"

typedef struct stepi_put_options {
    stepi_form_t form;
    bool without_times; /* text: as the specification has it */
    bool ascii, color;  /* text, as in step_text_options_t */
} stepi_put_options_t;

typedef struct stepi_putter stepi_putter_t;

stepi_putter_t *stepi_putter_new(const stepi_put_options_t *options); /* NULL without memory */
void stepi_putter_free(stepi_putter_t *putter);

/* Appends one line, '\n' included. On overflow what was appended is void, and the caller tries again with more room. */
void stepi_put_entry(stepi_putter_t *putter, stepi_reader_t *reader, const stepi_entry_t *entry, stepi_out_t *out);

#endif
