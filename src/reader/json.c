/* JSON lines: one object a line. Ours are flat; what others put in between (a collector's `"kubernetes":{...}`) is stepped over
 * by counting brackets, so that its depth costs no memory. White space between tokens is allowed, which ours do not have. */
#include "reader/members.h"

static void skip_space(stepi_span_t *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\r'))
        s->at++;
}

/* A string; `inner` is what stands in the quotes. The next quote is looked for again only when an escape owned it. */
static bool take_string(stepi_span_t *s, stepi_span_t *inner)
{
    const char *quote = NULL;
    if (!stepi_take_char(s, '"'))
        return false;
    inner->at = s->at;
    for (;;) {
        if (quote == NULL || quote < s->at)
            quote = memchr(s->at, '"', stepi_span_bytes(*s));
        if (quote == NULL)
            return false;
        const char *backslash = memchr(s->at, '\\', (size_t)(quote - s->at));
        if (backslash == NULL)
            break;
        s->at = backslash + 2; /* at most behind the quote */
    }
    inner->end = quote;
    s->at = quote + 1;
    return true;
}

static bool take_word(stepi_span_t *s, stepi_value_t *value)
{
    stepi_span_t word = { s->at, s->at };
    while (word.end < s->end && memchr(",} \t\r", *word.end, 5) == NULL)
        word.end++;
    s->at = word.end;
    stepi_value_type_t type = STEPI_VALUE_NUMBER;
    if (STEPI_SPAN_IS(word, "true"))
        type = STEPI_VALUE_TRUE;
    else if (STEPI_SPAN_IS(word, "false"))
        type = STEPI_VALUE_FALSE;
    else if (STEPI_SPAN_IS(word, "null"))
        type = STEPI_VALUE_NULL;
    else if (!stepi_span_is_json_number(word))
        return false;
    *value = stepi_value_of(word, type, STEPI_SPELLED_PLAIN);
    return true;
}

static bool take_nested(stepi_span_t *s, stepi_value_t *value)
{
    const char *start = s->at;
    size_t open = 0;
    do {
        stepi_span_t inner;
        if (s->at == s->end)
            return false;
        if (*s->at == '"') {
            if (!take_string(s, &inner))
                return false;
            continue;
        }
        open += *s->at == '{' || *s->at == '[' ? 1 : 0;
        open -= *s->at == '}' || *s->at == ']' ? 1 : 0;
        s->at++;
    } while (open > 0);
    *value = stepi_value_of((stepi_span_t){ start, s->at }, STEPI_VALUE_NESTED, STEPI_SPELLED_PLAIN);
    return true;
}

static bool take_value(stepi_span_t *s, stepi_value_t *value)
{
    stepi_span_t inner;
    if (s->at == s->end)
        return false;
    if (*s->at == '{' || *s->at == '[')
        return take_nested(s, value);
    if (*s->at != '"')
        return take_word(s, value);
    if (!take_string(s, &inner))
        return false;
    /* The mark of cut text is no escape, and is looked for when the text is decoded. */
    *value = stepi_value_of(inner, STEPI_VALUE_STRING, STEPI_SPELLED_JSON);
    return true;
}

/* The end of the object, and nothing behind it. */
static stepi_more_t take_end(stepi_span_t *s)
{
    if (!stepi_take_char(s, '}'))
        return STEPI_MORE_BAD;
    skip_space(s);
    return s->at == s->end ? STEPI_MORE_END : STEPI_MORE_BAD;
}

stepi_more_t stepi_next_json(stepi_span_t *rest, stepi_member_view_t *member)
{
    skip_space(rest);
    if (rest->at < rest->end && *rest->at == '}')
        return take_end(rest);
    if (!take_string(rest, &member->name))
        return STEPI_MORE_BAD;
    skip_space(rest);
    if (!stepi_take_char(rest, ':'))
        return STEPI_MORE_BAD;
    skip_space(rest);
    if (!take_value(rest, &member->value))
        return STEPI_MORE_BAD;
    skip_space(rest);
    if (!stepi_take_char(rest, ',') && (rest->at == rest->end || *rest->at != '}'))
        return STEPI_MORE_BAD;
    return STEPI_MORE_MEMBER;
}
