/* A bounded place to write text into.
 *
 * Appends that do not fit write nothing and set `overflow`; the caller looks once, at the end, and
 * starts the line again in a larger or emptier buffer. So formatters have no error paths. */
#ifndef STEPI_BASE_OUT_H
#define STEPI_BASE_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct stepi_out {
    char *at;      /* the next byte goes here */
    char *end;     /* one past the last */
    bool overflow; /* something did not fit: what was written is of no use */
} stepi_out_t;

static inline stepi_out_t stepi_out_over(char *buffer, size_t bytes)
{
    return (stepi_out_t){ .at = buffer, .end = buffer + bytes, .overflow = false };
}

/* Room for n bytes at out->at, or NULL and overflow. */
static inline char *stepi_room(stepi_out_t *out, size_t n)
{
    if ((size_t)(out->end - out->at) < n) {
        out->overflow = true;
        return NULL;
    }
    return out->at;
}

static inline void stepi_put(stepi_out_t *out, const char *bytes, size_t n)
{
    if (stepi_room(out, n) != NULL) {
        memcpy(out->at, bytes, n);
        out->at += n;
    }
}

static inline void stepi_put_char(stepi_out_t *out, char c)
{
    if (stepi_room(out, 1) != NULL)
        *out->at++ = c;
}

/* A string literal. */
#define stepi_put_literal(out, text) stepi_put(out, "" text "", sizeof(text) - 1)

#endif
