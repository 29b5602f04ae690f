/* Text lines: the field list, ` (key=value, ..., duration_ms=1.5)`. */
#ifndef STEPI_FORMAT_TEXT_FIELDS_H
#define STEPI_FORMAT_TEXT_FIELDS_H

#include "base/out.h"
#include "format/plans.h"
#include "format/text_template.h"
#include "record/line.h"

/* A list that is being written: its parentheses come with its first field, if it has any. */
typedef struct stepi_text_list {
    stepi_out_t *out;
    bool color; /* dimmed */
    bool is_open;
} stepi_text_list_t;

/* Before each field. */
static inline void stepi_text_list_next(stepi_text_list_t *list)
{
    if (list->is_open) {
        stepi_put_literal(list->out, ", ");
        return;
    }
    list->is_open = true;
    if (list->color)
        stepi_put_literal(list->out, " \033[2m(");
    else
        stepi_put_literal(list->out, " (");
}

static inline void stepi_text_list_close(const stepi_text_list_t *list)
{
    if (!list->is_open)
        return;
    stepi_put_char(list->out, ')');
    if (list->color)
        stepi_put_literal(list->out, "\033[0m");
}

/* How the keys of a shape read, worked out once: " (key=" for the first of its fields, ", key=" for the others. */
typedef struct stepi_text_plans {
    stepi_plans_t plans;
    bool shows_ids; /* lines of operations show ids. Set once, before the first line */
} stepi_text_plans_t;

/* Appends the user's fields, bound ones behind those of the call, then the line's own; nothing when there are none. `color`:
 * dimmed. */
void stepi_text_fields(stepi_out_t *out, const stepi_line_t *line, stepi_text_plans_t *plans, bool color);

/* A value alone. */
void stepi_text_field_value(stepi_out_t *out, const stepi_field_view_t *field);

/* Of a template whose beginning was appended, for lines without keys of their own but for the step's duration: the pieces
 * around the fields of a shape (NULL: none) and the duration, and the end of the line. */
void stepi_text_template_fields(stepi_template_t *template, stepi_out_t *out, const stepi_shape_t *shape, bool has_elapsed,
                                bool color);

#endif
