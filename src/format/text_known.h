/* Beginnings of lines that were written before.
 *
 *     [INFO] ✅ [2/4] Fetching models from API - SUCCESS (raw_count=2834)
 *     └───────────── the beginning ────────────┘
 *
 * Most lines of a program come from a few dozen places and begin the same each time, but looking for what has to be escaped
 * in a text costs more than all the rest of a line. So what a text of some kind, level and step became is kept, and
 * copied when the same bytes come again. A small table, one place for each hash; a beginning moves in when it is met twice in
 * a row there, so that texts which never come again cost a comparison and evict nobody. */
#ifndef STEPI_FORMAT_TEXT_KNOWN_H
#define STEPI_FORMAT_TEXT_KNOWN_H

#include "base/out.h"
#include "record/line.h"

enum { STEPI_KNOWN_PLACES = 128, STEPI_KNOWN_TEXT = 64, STEPI_KNOWN_BYTES = 160 };

typedef struct stepi_known {
    uint64_t what, step;
    uint32_t hash;      /* of what was met here last */
    uint32_t text_bytes;
    uint32_t bytes;     /* of `beginning`; 0: nobody lives here */
    char text[STEPI_KNOWN_TEXT];
    char beginning[STEPI_KNOWN_BYTES + STEPI_PADDING];
} stepi_known_t;

/* What a beginning depends on, besides the format itself, and where it lives or would live. */
typedef struct stepi_known_key {
    uint64_t what; /* kind and level */
    uint64_t step; /* step and total */
    const stepi_text_t *text;
    uint32_t hash;
    stepi_known_t *place; /* NULL: not worth knowing, because of its kind or its length */
} stepi_known_key_t;

/* Whether the line's beginning is known: then it is key->place->beginning. */
bool stepi_known_find(stepi_known_t places[STEPI_KNOWN_PLACES], const stepi_line_t *line, stepi_known_key_t *key);

/* A line that was not known began like this. */
void stepi_known_keep(const stepi_known_key_t *key, const char *beginning, size_t bytes);

#endif
