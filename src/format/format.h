/* The formatter interface: one record in, one line out. */
#ifndef STEPI_FORMAT_FORMAT_H
#define STEPI_FORMAT_FORMAT_H

#include "base/out.h"
#include "record/brief.h"
#include "record/line.h"

#include <step_logger.h>

/* A format is used by one thread at a time: the one that renders its output. Subtypes embed it first. */
struct step_format {
    /* Appends exactly one line, '\n' included. On overflow what was appended is void and the caller tries again with
     * more room. The line is not changed. */
    void (*render)(step_format_t *format, const stepi_line_t *line, stepi_out_t *out);

    /* The same bytes for a brief, at less cost. False: what was appended is void, and the record has to come as a line. NULL:
     * there is no such way. */
    bool (*render_brief)(step_format_t *format, const stepi_brief_t *brief, stepi_out_t *out);
    void (*free)(step_format_t *format);
    bool wants_steps; /* it shows what became of an operation's steps */
    bool shows_places; /* it wants to know file and line of the calls */
};

#endif
