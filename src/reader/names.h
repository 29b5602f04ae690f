/* The names of one line, so that renamed keys can be told from others: docs/formats.md says when a reader strips `_N`. */
#ifndef STEPI_READER_NAMES_H
#define STEPI_READER_NAMES_H

#include "reader/span.h"

typedef struct stepi_name {
    const char *at; /* NULL: a free slot */
    uint32_t bytes;
    uint32_t hash;
} stepi_name_t;

typedef struct stepi_names {
    stepi_name_t *slots; /* a hash table, its size a power of two; NULL at first */
    size_t size, count;
} stepi_names_t;

void stepi_names_free(stepi_names_t *names);
void stepi_names_clear(stepi_names_t *names);

/* Names hold as long as their line. False without memory: the name is then not known. */
bool stepi_names_add(stepi_names_t *names, stepi_span_t name);

/* Whether a name ends in _N at all: the others are not worth a table. */
bool stepi_has_suffix(stepi_span_t name);

/* Whether the name is a renamed key, given the names that came before it in the line. If so, *key is what it was. */
bool stepi_names_undo(const stepi_names_t *names, stepi_span_t name, stepi_span_t *key);

#endif
