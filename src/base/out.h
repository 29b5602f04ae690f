/* A bounded place to write text into.
 *
 * Appends that do not fit write nothing and set `overflow`; the caller looks once, at the end, and
 * starts the line again in a larger or emptier buffer. So formatters have no error paths. */
#ifndef STEPI_BASE_OUT_H
#define STEPI_BASE_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
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

/* memcpy() for pieces of a line, which are short: a call costs more than the copy. Two blocks that may overlap are every
 * length from one block to two. */
static inline void stepi_copy(char *to, const char *from, size_t n)
{
    if (__builtin_constant_p(n) || n > 32) {
        memcpy(to, from, n);
    } else if (n >= 16) {
        char first[16], last[16];
        memcpy(first, from, 16);
        memcpy(last, from + n - 16, 16);
        memcpy(to, first, 16);
        memcpy(to + n - 16, last, 16);
    } else if (n >= 8) {
        uint64_t first, last;
        memcpy(&first, from, 8);
        memcpy(&last, from + n - 8, 8);
        memcpy(to, &first, 8);
        memcpy(to + n - 8, &last, 8);
    } else if (n >= 4) {
        uint32_t first, last;
        memcpy(&first, from, 4);
        memcpy(&last, from + n - 4, 4);
        memcpy(to, &first, 4);
        memcpy(to + n - 4, &last, 4);
    } else {
        for (size_t i = 0; i < n; i++)
            to[i] = from[i];
    }
}

static inline void stepi_put(stepi_out_t *out, const char *bytes, size_t n)
{
    if (stepi_room(out, n) != NULL) {
        stepi_copy(out->at, bytes, n);
        out->at += n;
    }
}

/* The same from memory that goes on for PADDING bytes behind the text: copied in blocks without asking where it ends, to
 * where there is room for as much. */
enum { STEPI_PADDING = 32 };
static inline void stepi_copy_padded(char *to, const char *from, size_t n)
{
    memcpy(to, from, STEPI_PADDING);
    for (size_t done = STEPI_PADDING; done < n; done += STEPI_PADDING)
        memcpy(to + done, from + done, STEPI_PADDING);
}

static inline void stepi_put_padded(stepi_out_t *out, const char *bytes, size_t n)
{
    if ((size_t)(out->end - out->at) < n + STEPI_PADDING) {
        stepi_put(out, bytes, n);
        return;
    }
    stepi_copy_padded(out->at, bytes, n);
    out->at += n;
}

static inline void stepi_put_char(stepi_out_t *out, char c)
{
    if (stepi_room(out, 1) != NULL)
        *out->at++ = c;
}

/* A string literal. */
#define stepi_put_literal(out, text) stepi_put(out, "" text "", sizeof(text) - 1)

#endif
