#include "reader/members.h"

static bool take_bare(stepi_span_t *s, stepi_span_t *bare)
{
    bare->at = s->at;
    while (s->at < s->end && (unsigned char)*s->at > ' ' && *s->at != '=' && *s->at != '"')
        s->at++;
    bare->end = s->at;
    return bare->at < bare->end;
}

/* Up to the next quote that no escape owns. */
static bool take_quoted(stepi_span_t *s, stepi_span_t *inner)
{
    inner->at = s->at;
    while (s->at < s->end && *s->at != '"')
        s->at += *s->at == '\\' && s->at + 1 < s->end ? 2 : 1;
    inner->end = s->at;
    return stepi_take_char(s, '"');
}

/* Others leave the value of an empty text out; ours is in quotes. */
static bool take_value(stepi_span_t *s, stepi_value_t *value)
{
    stepi_span_t text;
    if (stepi_take_char(s, '"')) {
        if (!take_quoted(s, &text))
            return false;
        *value = stepi_value_of(text, STEPI_VALUE_STRING, STEPI_SPELLED_JSON);
        return true;
    }
    take_bare(s, &text);
    *value = stepi_value_of(text, stepi_bare_type(text), STEPI_SPELLED_PLAIN);
    return true;
}

stepi_more_t stepi_next_logfmt(stepi_span_t *rest, stepi_member_view_t *member)
{
    if (rest->at == rest->end)
        return STEPI_MORE_END;
    if (!take_bare(rest, &member->name) || !stepi_take_char(rest, '=') || !take_value(rest, &member->value))
        return STEPI_MORE_BAD;
    if (rest->at < rest->end && !stepi_take_char(rest, ' '))
        return STEPI_MORE_BAD;
    return STEPI_MORE_MEMBER;
}
