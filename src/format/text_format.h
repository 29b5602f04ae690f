/* The text format's own: what text.c and text_template.c share. */
#ifndef STEPI_FORMAT_TEXT_FORMAT_H
#define STEPI_FORMAT_TEXT_FORMAT_H

#include "base/time.h"
#include "format/format.h"
#include "format/text_fields.h"
#include "format/text_known.h"
#include "format/text_template.h"

/* A line's level and symbol: "[INFO] ✅ ". */
typedef struct stepi_opening {
    char bytes[40 + STEPI_PADDING];
    size_t length;
} stepi_opening_t;

typedef struct stepi_text_format {
    step_format_t format;
    bool timestamps, ascii, color;
    stepi_time_text_t time;
    stepi_text_plans_t plans;
    stepi_opening_t openings[5][STEPI_KINDS]; /* by stepi_level_index() and kind */
    stepi_known_t known[STEPI_KNOWN_PLACES];
    stepi_template_t templates[STEPI_TEMPLATES];
} stepi_text_format_t;

/* The parts of a line, in order; behind them come the fields. (text.c) */
void stepi_text_indent(stepi_out_t *out, uint32_t depth);
void stepi_text_time(stepi_text_format_t *self, int64_t wall_ns, stepi_out_t *out);
void stepi_text_beginning(const stepi_text_format_t *self, const stepi_line_t *line, stepi_out_t *out);

/* For the formats whose lines have nothing that differs from operation to operation. (text_template.c) */
bool stepi_text_render_brief(step_format_t *format, const stepi_brief_t *brief, stepi_out_t *out);

#endif
