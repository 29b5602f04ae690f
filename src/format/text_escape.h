/* Text lines: how prose, keys and values are written so that nothing in them can be mistaken for structure. The rules
 * are those of docs/formats.md. */
#ifndef STEPI_FORMAT_TEXT_ESCAPE_H
#define STEPI_FORMAT_TEXT_ESCAPE_H

#include "base/out.h"
#include "record/line.h"

/* Prose: names of operations and steps, errors, reasons, messages; NULL is `null`. `leads` says that it is the first
 * thing after the level (and symbol), where it must not look like what else may stand there. */
void stepi_text_prose(stepi_out_t *out, const stepi_text_t *text, bool leads);

/* A key; `quote` it even when it could stand bare. */
void stepi_text_key(stepi_out_t *out, const stepi_text_t *key, bool quote);

/* A string value; NULL is `null`. */
void stepi_text_value(stepi_out_t *out, const stepi_text_t *value);

/* Most values: a short text, not cut, that may stand as it is; where there is room for STEPI_SHORT_VALUE bytes. Returns its
 * end. NULL: it is not one of these, and what stands at `to` means nothing. */
enum { STEPI_SHORT_VALUE = 16 };
char *stepi_text_short_value(char *to, const char *bytes, size_t length);

#endif
