/* Texts without their escapes. */
#ifndef STEPI_READER_DECODE_H
#define STEPI_READER_DECODE_H

#include "reader/entry.h"

/* The text that a value is: in the line itself where it has no escapes, else in to[0..value->bytes], where there is always room,
 * because no escape is shorter than what it stands for. */
stepi_text_t stepi_decode_into(char *to, const stepi_value_t *value);

#endif
