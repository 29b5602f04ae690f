/* A line's members are its own up to `seq`, and behind it where their names are reserved; the rest are the user's fields, whose
 * names may be renamed keys (docs/formats.md, "Names").
 *
 *     one block:  step_captured_t │ members │ fields │ strings
 */
#include "testing/record.h"

#include "testing/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Names ---- */

static const char *const reserved[] = {
    "ts",
    "level",
    "event",
    "operation",
    "step",
    "total_steps",
    "description",
    "error",
    "message",
    "duration_ms",
    "dropped_records",
    "progress_done",
    "depth",
    "pid",
    "tid",
    "seq",
    "progress_total",
    "total_duration_ms",
    "trace_id",
    "span_id",
    "parent_span_id",
    "trace_flags",
    "fields_omitted",
};

static bool is_name(const char *text, const char *name, size_t length)
{
    return strncmp(text, name, length) == 0 && text[length] == '\0';
}

bool stepi_name_is_reserved(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
        if (is_name(reserved[i], name, length))
            return true;
    return false;
}

/* Where the `_N` that ends a name begins; `length` if it does not end so. */
static size_t suffix_start(const char *name, size_t length)
{
    size_t at = length;
    while (at > 0 && name[at - 1] >= '0' && name[at - 1] <= '9')
        at--;
    return at > 0 && at < length && name[at] != '0' && name[at - 1] == '_' ? at - 1 : length;
}

static bool is_known(const step_field_t *earlier, size_t count, const char *name, size_t length)
{
    for (size_t i = 0; i < count; i++)
        if (is_name(earlier[i].key, name, length))
            return true;
    return stepi_name_is_reserved(name, length);
}

/* Whether what is left of a name, before one of the `_N` that end it, is reserved or the name of an earlier member. */
static bool is_renaming(const step_field_t *earlier, size_t count, const char *name, size_t length)
{
    for (size_t rest = suffix_start(name, length); rest < length; rest = suffix_start(name, length)) {
        if (is_known(earlier, count, name, rest))
            return true;
        length = rest;
    }
    return false;
}

/* The key that a name stands for, in its place. Last ones first: earlier names have to be as they were written. */
static void restore_key(char *strings, const step_field_t *members, size_t index)
{
    const char *name = members[index].key;
    const size_t length = strlen(name);
    if (is_renaming(members, index, name, length))
        strings[(size_t)(name - strings) + suffix_start(name, length)] = '\0';
}

/* ---- The line's own members ---- */

static const step_field_t *own(const step_captured_t *line, const char *name)
{
    for (size_t i = 0; i < line->member_count; i++)
        if (strcmp(line->members[i].key, name) == 0)
            return &line->members[i];
    return NULL;
}

static const char *own_text(const step_captured_t *line, const char *name)
{
    const step_field_t *member = own(line, name);
    return member != NULL && member->type == STEP_FIELD_TEXT_N ? member->value.text : NULL;
}

static int own_number(const step_captured_t *line, const char *name, int otherwise)
{
    const step_field_t *member = own(line, name);
    return member != NULL && member->type == STEP_FIELD_I64 ? (int)member->value.i64 : otherwise;
}

static double own_duration(const step_captured_t *line)
{
    const step_field_t *member = own(line, "duration_ms");
    if (member == NULL)
        member = own(line, "total_duration_ms");
    if (member == NULL)
        return -1.0;
    return member->type == STEP_FIELD_F64 ? member->value.f64 : (double)member->value.i64;
}

static step_level_t level_of(const char *name)
{
    static const struct {
        const char *name;
        step_level_t level;
    } levels[] = { { "DEBUG", STEP_LEVEL_DEBUG },
                   { "INFO", STEP_LEVEL_INFO },
                   { "WARNING", STEP_LEVEL_WARNING },
                   { "ERROR", STEP_LEVEL_ERROR },
                   { "CRITICAL", STEP_LEVEL_CRITICAL } };
    for (size_t i = 0; name != NULL && i < sizeof(levels) / sizeof(levels[0]); i++)
        if (strcmp(levels[i].name, name) == 0)
            return levels[i].level;
    return 0;
}

static void describe(step_captured_t *line)
{
    line->event = own_text(line, "event");
    line->time = own_text(line, "ts");
    line->level = level_of(own_text(line, "level"));
    line->operation = own_text(line, "operation");
    line->description = own_text(line, "description");
    line->error = own_text(line, "error");
    line->reason = own_text(line, "reason");
    line->message = own_text(line, "message");
    line->trace_id = own_text(line, "trace_id");
    line->span_id = own_text(line, "span_id");
    line->parent_span_id = own_text(line, "parent_span_id");
    line->duration_ms = own_duration(line);
    line->step = own_number(line, "step", STEP_NO_STEP);
    line->total_steps = own_number(line, "total_steps", 0);
    line->attempt = own_number(line, "attempt", 1);
    line->errnum = own_number(line, "errno", 0);
    line->depth = own_number(line, "depth", 0);
}

/* ---- A line ---- */

/* How many members it has; 0 when it is no line of ours. */
static size_t count_members(const char *line, size_t length, char *strings)
{
    stepi_json_t json = stepi_json(line, length, strings);
    stepi_json_member_t member;
    size_t count = 0;
    int got;
    while ((got = stepi_json_next(&json, &member)) == 1)
        count++;
    return got == 0 ? count : 0;
}

/* All of them in their order; the first own_count are surely the line's own. */
typedef struct members {
    step_field_t *at;
    size_t count, own_count;
} members_t;

static void read_members(members_t *m, const char *line, size_t length, char *strings)
{
    stepi_json_t json = stepi_json(line, length, strings);
    stepi_json_member_t member;
    m->count = m->own_count = 0;
    while (stepi_json_next(&json, &member) == 1) {
        m->at[m->count++] = member.field;
        if (m->own_count == 0 && strcmp(member.field.key, "seq") == 0)
            m->own_count = m->count;
    }
}

static bool is_own(const members_t *m, size_t index)
{
    return index < m->own_count || stepi_name_is_reserved(m->at[index].key, strlen(m->at[index].key));
}

/* Into the line's members and fields, both in their order. */
static void sort(step_captured_t *line, const members_t *m, char *strings)
{
    step_field_t *to = (step_field_t *)(line + 1);
    line->members = to;
    for (size_t i = 0; i < m->count; i++)
        if (is_own(m, i))
            *to++ = m->at[i];
    line->member_count = (size_t)(to - line->members);
    line->fields = to;
    line->field_count = m->count - line->member_count;
    for (size_t i = m->own_count; i < m->count; i++)
        if (!is_own(m, i))
            *to++ = m->at[i];
    for (size_t i = m->count; i > m->own_count; i--)
        restore_key(strings, m->at, i - 1);
}

step_captured_t *stepi_captured_read(const char *line, size_t length)
{
    step_captured_t *read = NULL;
    char *scratch = malloc(length + 1);
    const size_t count = scratch != NULL ? count_members(line, length, scratch) : 0;
    members_t members = { .at = count > 0 ? malloc(count * sizeof(step_field_t)) : NULL };
    if (members.at != NULL)
        read = malloc(sizeof(*read) + count * sizeof(step_field_t) + length + 1);
    if (read != NULL) {
        char *strings = (char *)(read + 1) + count * sizeof(step_field_t);
        *read = (step_captured_t){ .event = NULL };
        read_members(&members, line, length, strings);
        sort(read, &members, strings);
        describe(read);
    }
    if (read != NULL && (read->event == NULL || read->level == 0)) {
        free(read);
        read = NULL;
        errno = EBADMSG;
    } else if (scratch != NULL && count == 0) {
        errno = EBADMSG;
    }
    free(members.at);
    free(scratch);
    return read;
}

const step_field_t *step_captured_field(const step_captured_t *line, const char *key)
{
    if (line == NULL || key == NULL)
        return NULL;
    for (size_t i = 0; i < line->field_count; i++)
        if (strcmp(line->fields[i].key, key) == 0)
            return &line->fields[i];
    return own(line, key);
}
