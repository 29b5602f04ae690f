/* JSON strings. */
#ifndef STEPI_FORMAT_JSON_ESCAPE_H
#define STEPI_FORMAT_JSON_ESCAPE_H

#include "base/out.h"
#include "record/line.h"

/* A value: a string in quotes, with the mark of a cut text; NULL is null. */
void stepi_json_string(stepi_out_t *out, const stepi_text_t *text);

/* The same without quotes, for a member's name. Equal names are equal bytes: every code point has one spelling. */
void stepi_json_name(stepi_out_t *out, const stepi_text_t *text);

#endif
