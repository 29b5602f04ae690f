/* Lines made of members with names: JSON and logfmt. They differ in how a member is written, and in that alone. */
#ifndef STEPI_READER_MEMBERS_H
#define STEPI_READER_MEMBERS_H

#include "reader/entry.h"

typedef struct stepi_member_view {
    stepi_span_t name; /* as it is written */
    stepi_value_t value;
} stepi_member_view_t;

typedef enum stepi_more { STEPI_MORE_BAD, STEPI_MORE_END, STEPI_MORE_MEMBER } stepi_more_t;

/* The member at the start of the rest of a line, which is shortened by it. A line of JSON begins behind its `{`. */
stepi_more_t stepi_next_json(stepi_span_t *rest, stepi_member_view_t *member);
stepi_more_t stepi_next_logfmt(stepi_span_t *rest, stepi_member_view_t *member);

static inline stepi_more_t stepi_next_member(stepi_form_t form, stepi_span_t *rest, stepi_member_view_t *member)
{
    return form == STEPI_FORM_JSON ? stepi_next_json(rest, member) : stepi_next_logfmt(rest, member);
}

/* Reads all of a line's own members. False: foreign. */
bool stepi_read_members(stepi_form_t form, stepi_span_t line, stepi_entry_t *entry);

/* The own member of that name; STEPI_OWN_COUNT if there is none. */
stepi_own_t stepi_own_named(stepi_span_t name);

/* Whether a member is the line's own, given which own members came before it. */
bool stepi_is_own(stepi_own_t member, uint64_t before);

#endif
