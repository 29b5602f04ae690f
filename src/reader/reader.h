/* Reads lines: text as docs/formats.md has it, JSON lines, logfmt, each line for itself, and says of any other line that it is
 * foreign. Whatever the bytes are, a line costs time in proportion to its length, and memory that does not depend on what is
 * in it. One reader is used by one thread. */
#ifndef STEPI_READER_READER_H
#define STEPI_READER_READER_H

#include "reader/entry.h"

/* A longer line is foreign: no record of ours becomes so long, and somebody has to hold it in memory. */
enum { STEPI_LINE_MAX = 16 << 20 };

typedef struct stepi_reader stepi_reader_t;

stepi_reader_t *stepi_reader_new(void); /* NULL without memory */
void stepi_reader_free(stepi_reader_t *reader);

/* Reads one line, with or without the line feed at its end. False: it is foreign, entry->form says so, and nothing else of
 * the entry holds. What was decoded from the entry before is gone. */
bool stepi_read_line(stepi_reader_t *reader, stepi_span_t line, stepi_entry_t *entry);

/* What a string says, without its escapes; NULL is bytes == NULL, other types read as they are written. In memory of the
 * reader, until the next line. */
stepi_text_t stepi_decode(stepi_reader_t *reader, const stepi_value_t *value);

/* ---- The user's fields of an entry ---- */

typedef struct stepi_field {
    stepi_value_t key, value;
    bool is_own; /* the line's, under a name that stands in no table: of a step of a canonical line */
} stepi_field_t;

typedef struct stepi_field_walk {
    stepi_reader_t *reader;
    const stepi_entry_t *entry;
    stepi_span_t rest;
    uint64_t seen;    /* own members that came, as in stepi_entry_t.has */
    bool knows_names; /* the reader's table holds the names of this line up to here */
} stepi_field_walk_t;

/* One walk at a time. Keys are as they were logged: renamings are undone. */
stepi_field_walk_t stepi_fields_of(stepi_reader_t *reader, const stepi_entry_t *entry);
bool stepi_next_field(stepi_field_walk_t *walk, stepi_field_t *field);

#endif
