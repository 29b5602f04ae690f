/* Strings with backslash escapes, as JSON and logfmt have them. */
#ifndef STEPI_FORMAT_ESCAPE_H
#define STEPI_FORMAT_ESCAPE_H

#include "base/out.h"
#include "base/plain.h"
#include "record/line.h"

/* What stands for what in one kind of string. */
typedef struct stepi_escapes {
    stepi_stops_t stops; /* printable ASCII that does not stand for itself */
    char letters[128];   /* by character, what follows the backslash; 0: u and four hexadecimal digits */
    bool tells_marks;    /* a look-alike of the mark of cut text is told from the mark */
    bool escapes_fffd;   /* U+FFFD is escaped, too: readers of logfmt refuse it in keys */
} stepi_escapes_t;

/* Appends the text, which is not NULL, and the mark if it was cut. Only DEL, controls and what hides or turns text
 * are escaped besides the stops; one U+FFFD stands for a run of bytes that are not UTF-8. text[0..plain) is known to need
 * nothing. */
void stepi_put_escaped_from(stepi_out_t *out, const stepi_text_t *text, size_t plain, const stepi_escapes_t *escapes);

/* The same. Inline, because most texts are plain, and a caller whose escapes are known finds that out without a loop over stops. */
static inline void stepi_put_escaped(stepi_out_t *out, const stepi_text_t *text, const stepi_escapes_t *escapes)
{
    const size_t plain = stepi_plain_prefix(text->bytes, text->length, &escapes->stops);
    if (plain == text->length && text->original == plain)
        stepi_put(out, text->bytes, plain);
    else
        stepi_put_escaped_from(out, text, plain, escapes);
}

#endif
