/* Text lines: the field list at the end, ` (key=value, ..., duration_ms=1.5)`. */
#ifndef STEPI_READER_TEXT_LIST_H
#define STEPI_READER_TEXT_LIST_H

#include "reader/entry.h"

/* Takes the list off the end of the line, if there is one. `list` is what stands between the parentheses. */
bool stepi_take_list(stepi_span_t *line, stepi_span_t *list);

/* The next field; false at the end of the list, and where it is none. */
bool stepi_next_in_list(stepi_span_t *list, stepi_value_t *key, stepi_value_t *value);

/* Takes the own members that lines of this kind have off the end of the list, into the entry. */
void stepi_take_own_fields(stepi_span_t *list, stepi_entry_t *entry);

#endif
