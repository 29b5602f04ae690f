/* Plain search at the speed of memory. */
#ifndef STEPI_STEPLOG_FIND_H
#define STEPI_STEPLOG_FIND_H

#include <stddef.h>
#include <stdint.h>

/* A text to look for, of at least one byte. It must outlive the finder. */
typedef struct stepi_finder {
    const char *text;
    size_t bytes;
} stepi_finder_t;

static inline stepi_finder_t stepi_finder_of(const char *text, size_t bytes)
{
    return (stepi_finder_t){ text, bytes };
}

/* Where it stands first in at[..end); NULL if nowhere. */
const char *stepi_find(const stepi_finder_t *finder, const char *at, const char *end);

/* The first "fail" in at[..end), whatever its case: FAILED of text, step_failure of the other formats. Line feeds before it
 * (or before end) are counted. */
const char *stepi_find_fail(const char *at, const char *end, uint64_t *feeds);

#endif
