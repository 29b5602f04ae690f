/* Patterns for names: `*` is any run of characters, `?` is one byte, all else is itself. */
#ifndef STEPI_BASE_GLOB_H
#define STEPI_BASE_GLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct stepi_slice {
    const char *bytes;
    size_t length;
} stepi_slice_t;

/* Whether the pattern is all of the text; `fold`: ASCII letters in any case. */
bool stepi_glob_matches(stepi_slice_t pattern, stepi_slice_t text, bool fold);

/* The next entry of a list that is separated by commas, without the blanks around it; *list moves behind it. False at the end. */
bool stepi_list_next(const char **list, stepi_slice_t *entry);

#endif
