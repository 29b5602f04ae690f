/* The grammar of text lines, as docs/formats.md has it. */
#ifndef STEPI_READER_TEXT_H
#define STEPI_READER_TEXT_H

#include "reader/entry.h"

/* Reads a line without colours and without its line feed. False: foreign. */
bool stepi_read_text(stepi_span_t line, stepi_entry_t *entry);

#endif
