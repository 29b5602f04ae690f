/* A list is found from the end of the line: the last ` (` from which everything parses. That takes time in proportion to the
 * line, whatever is in it. An attempt that goes on past the next ` (` holds it in quotes; the attempt that begins there sees
 * quotes where the first one sees none, and the other way round, so that at the ` (` after next one of the two has
 * ended. No two of them are long. */
#include "reader/text_list.h"

/* By byte: what ends a bare key or value. */
static const bool ends_bare[256] = {
    [0] = true,   [1] = true,   [2] = true,   [3] = true,   [4] = true,   [5] = true,   [6] = true,    [7] = true,
    [8] = true,   [9] = true,   [10] = true,  [11] = true,  [12] = true,  [13] = true,  [14] = true,   [15] = true,
    [16] = true,  [17] = true,  [18] = true,  [19] = true,  [20] = true,  [21] = true,  [22] = true,   [23] = true,
    [24] = true,  [25] = true,  [26] = true,  [27] = true,  [28] = true,  [29] = true,  [30] = true,   [31] = true,
    [' '] = true, ['='] = true, ['"'] = true, ['('] = true, [')'] = true, [','] = true, ['\\'] = true,
};

static bool take_quoted(stepi_span_t *s, stepi_span_t *raw)
{
    raw->at = s->at;
    while (s->at < s->end && *s->at != '"')
        s->at += *s->at == '\\' && s->at + 1 < s->end ? 2 : 1;
    raw->end = s->at;
    return stepi_take_char(s, '"');
}

static bool take_bare(stepi_span_t *s, stepi_span_t *raw)
{
    raw->at = s->at;
    while (s->at < s->end && !ends_bare[(unsigned char)*s->at])
        s->at++;
    raw->end = s->at;
    return raw->end > raw->at;
}

/* A bare or a quoted text. */
static bool take_item(stepi_span_t *s, stepi_span_t *raw, bool *is_quoted)
{
    *is_quoted = stepi_take_char(s, '"');
    return *is_quoted ? take_quoted(s, raw) : take_bare(s, raw);
}

static bool skip_field(stepi_span_t *s)
{
    stepi_span_t raw;
    bool is_quoted;
    return take_item(s, &raw, &is_quoted) && stepi_take_char(s, '=') && take_item(s, &raw, &is_quoted);
}

/* The last `c` in at[..end), or NULL. It is near the end: no call is worth it. */
static const char *find_last(const char *at, const char *end, char c)
{
    while (end > at)
        if (*--end == c)
            return end;
    return NULL;
}

/* Whether everything from behind the parenthesis on is a list. */
static bool is_list(stepi_span_t s)
{
    do {
        if (!skip_field(&s))
            return false;
    } while (STEPI_TAKE(&s, ", "));
    return s.at + 1 == s.end && *s.at == ')';
}

bool stepi_take_list(stepi_span_t *line, stepi_span_t *list)
{
    if (stepi_span_bytes(*line) < 6 || line->end[-1] != ')')
        return false;
    for (const char *at = line->end - 1; at - 1 > line->at;) {
        at = find_last(line->at + 1, at, '(');
        if (at == NULL)
            return false;
        if (at[-1] != ' ' || !is_list((stepi_span_t){ at + 1, line->end }))
            continue;
        *list = (stepi_span_t){ at + 1, line->end - 1 };
        line->end = at - 1;
        return true;
    }
    return false;
}

static stepi_value_t bare_value(stepi_span_t raw)
{
    return stepi_value_of(raw, stepi_bare_type(raw), STEPI_SPELLED_PLAIN);
}

bool stepi_next_in_list(stepi_span_t *list, stepi_value_t *key, stepi_value_t *value)
{
    stepi_span_t raw_key, raw_value;
    bool key_quoted, value_quoted;
    if (!take_item(list, &raw_key, &key_quoted) || !stepi_take_char(list, '=') ||
        !take_item(list, &raw_value, &value_quoted))
        return false;
    STEPI_TAKE(list, ", ");
    *key = stepi_value_of(raw_key, STEPI_VALUE_STRING, key_quoted ? STEPI_SPELLED_TEXT : STEPI_SPELLED_PLAIN);
    *value = value_quoted ? stepi_value_of(raw_value, STEPI_VALUE_STRING, STEPI_SPELLED_TEXT) : bare_value(raw_value);
    return true;
}

/* ---- The line's own members ---- */

/* Whether the field that begins at `start` is all of the rest. */
static bool is_last_from(const char *start, stepi_span_t list, stepi_value_t *value)
{
    stepi_span_t rest = { start, list.end };
    stepi_value_t key;
    if (start != list.at && (start - list.at < 2 || start[-1] != ' ' || start[-2] != ','))
        return false;
    return stepi_next_in_list(&rest, &key, value) && rest.at == rest.end;
}

/* The last field of the list if its key is `name`, unquoted. It is looked for from the end. A look-alike within a quoted value is
 * not taken for it: inside and outside of quotes trade places there, so that nothing that begins in it ends with the list. */
static bool last_field(stepi_span_t list, const char *name, size_t bytes, stepi_span_t *before, stepi_value_t *value)
{
    for (stepi_span_t s = list; stepi_span_bytes(s) > bytes;) {
        const char *found = find_last(s.at, s.end - bytes, name[0]);
        if (found == NULL)
            return false;
        if (memcmp(found, name, bytes) == 0 && found[bytes] == '=' && is_last_from(found, list, value)) {
            *before = (stepi_span_t){ list.at, found == list.at ? found : found - 2 };
            return true;
        }
        s.end = found + bytes;
    }
    return false;
}

/* A plain number with one decimal, as it is written. */
static bool is_duration(const stepi_value_t *value)
{
    stepi_span_t s = stepi_value_span(value), digits;
    return value->type == STEPI_VALUE_NUMBER && stepi_take_digits(&s, &digits) &&
           (*digits.at != '0' || stepi_span_bytes(digits) == 1) && stepi_take_char(&s, '.') &&
           stepi_span_bytes(s) == 1 && stepi_is_digit(*s.at);
}

static void take_own(stepi_span_t *list, stepi_entry_t *entry, stepi_own_t member, const char *name)
{
    stepi_span_t before;
    stepi_value_t value;
    const bool is_time = member == STEPI_OWN_DURATION_MS || member == STEPI_OWN_TOTAL_DURATION_MS;
    if (!last_field(*list, name, strlen(name), &before, &value) || (is_time && !is_duration(&value)))
        return;
    stepi_set_own(entry, member, value);
    *list = before;
}

static bool is_bare_id(stepi_own_t member, const stepi_value_t *value)
{
    return value->spelling == STEPI_SPELLED_PLAIN && stepi_is_id(member, value);
}

/* Both or none. They are strings, whatever their digits read as. */
static void take_ids(stepi_span_t *list, stepi_entry_t *entry)
{
    stepi_span_t before, before_both;
    stepi_value_t trace, span;
    if (!last_field(*list, "span_id", 7, &before, &span) || !is_bare_id(STEPI_OWN_SPAN_ID, &span) ||
        !last_field(before, "trace_id", 8, &before_both, &trace) || !is_bare_id(STEPI_OWN_TRACE_ID, &trace))
        return;
    trace.type = span.type = STEPI_VALUE_STRING;
    stepi_set_own(entry, STEPI_OWN_TRACE_ID, trace);
    stepi_set_own(entry, STEPI_OWN_SPAN_ID, span);
    *list = before_both;
}

static void take_marks(stepi_span_t *list, stepi_entry_t *entry)
{
    take_own(list, entry, STEPI_OWN_RECOVERED, "recovered");
    take_own(list, entry, STEPI_OWN_FLIGHT_RECORDER, "flight_recorder");
    if (entry->kind == STEPI_OPERATION_COMPLETE || entry->kind == STEPI_OPERATION_INCOMPLETE)
        take_own(list, entry, STEPI_OWN_SLOW, "slow");
    if (entry->kind == STEPI_OPERATION_COMPLETE || entry->kind == STEPI_OPERATION_START)
        take_own(list, entry, STEPI_OWN_SAMPLE_RATE, "sample_rate");
}

void stepi_take_own_fields(stepi_span_t *list, stepi_entry_t *entry)
{
    const bool is_incomplete = entry->kind == STEPI_OPERATION_INCOMPLETE || entry->kind == STEPI_OPERATION_STUCK;
    if (entry->kind == STEPI_STEP_SUCCESS || entry->kind == STEPI_STEP_FAILURE)
        take_own(list, entry, STEPI_OWN_DURATION_MS, "duration_ms");
    if (is_incomplete || entry->kind == STEPI_OPERATION_COMPLETE)
        take_own(list, entry, STEPI_OWN_TOTAL_DURATION_MS, "total_duration_ms");
    take_ids(list, entry);
    take_marks(list, entry);
    if (is_incomplete) {
        take_own(list, entry, STEPI_OWN_DESCRIPTION, "description");
        take_own(list, entry, STEPI_OWN_STEP, "last_step");
    }
    take_own(list, entry, STEPI_OWN_FIELDS_OMITTED, "fields_omitted");
}
