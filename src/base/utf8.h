/* What a byte sequence holds: code points, errors, and which of them may not reach an output as
 * they are. */
#ifndef STEPI_BASE_UTF8_H
#define STEPI_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes the code point at the start of text[0..bytes), bytes > 0. Returns its length 1-4 and sets
 * *code; for what is not well-formed UTF-8 (RFC 3629: overlong, surrogate, above U+10FFFF, cut,
 * lone continuation) returns 0. */
int stepi_utf8_decode(const char *text, size_t bytes, uint32_t *code);

/* The largest n <= limit such that text[0..n) does not end inside a code point; limit <= bytes.
 * Ill-formed bytes count as one each. */
size_t stepi_utf8_cut(const char *text, size_t bytes, size_t limit);

/* Printable ASCII characters that need attention, at most seven, each sixteen times: so many bytes are compared at once. */
typedef struct stepi_stops {
    int count;
    unsigned char rows[7][16];
} stepi_stops_t;

#define STEPI_STOP(c) { c, c, c, c, c, c, c, c, c, c, c, c, c, c, c, c }

static inline bool stepi_is_stop(const stepi_stops_t *stops, char c)
{
    bool is_stop = false;
    for (int i = 0; i < stops->count; i++)
        is_stop |= stops->rows[i][0] == (unsigned char)c;
    return is_stop;
}

/* C0, DEL, C1, U+2028, U+2029, bidirectional controls (U+061C, U+200E-F, U+202A-E, U+2066-9),
 * zero-width U+200B and U+FEFF: nothing that steers a terminal or hides text. (U+200C-D are kept:
 * emoji and scripts need them.) */
bool stepi_must_escape(uint32_t code);

#endif
