/* From names to keys, as docs/formats.md tells a reader of JSON lines and of logfmt: which names are renamed keys. */
#ifndef TESTS_UNIT_NAMES_READER_H
#define TESTS_UNIT_NAMES_READER_H

#include "json_reader.h"

static const char *const reserved[] = { "ts",
                                        "level",
                                        "event",
                                        "operation",
                                        "step",
                                        "total_steps",
                                        "description",
                                        "error",
                                        "message",
                                        "dropped_records",
                                        "progress_done",
                                        "progress_total",
                                        "duration_ms",
                                        "total_duration_ms",
                                        "depth",
                                        "pid",
                                        "tid",
                                        "seq",
                                        "fields_omitted",
                                        "trace_id",
                                        "span_id",
                                        "parent_span_id",
                                        "trace_flags" };

/* Whether name[0..length) is reserved, or the name of one of the members before that one. */
static bool is_earlier(const json_object_t *object, const char *name, size_t length, size_t before)
{
    for (size_t i = 0; i < COUNT(reserved); i++)
        if (strlen(reserved[i]) == length && memcmp(reserved[i], name, length) == 0)
            return true;
    for (size_t i = 0; i < before; i++) {
        const json_string_t *earlier = &object->members[i].name;
        if (earlier->length == length && memcmp(earlier->bytes, name, length) == 0)
            return true;
    }
    return false;
}

/* The length without a last _N; the same if there is none. */
static size_t stripped(const char *name, size_t length)
{
    size_t at = length;
    while (at > 0 && name[at - 1] >= '0' && name[at - 1] <= '9')
        at--;
    return at > 0 && at < length && name[at] != '0' && name[at - 1] == '_' ? at - 1 : length;
}

static bool is_renaming(const json_object_t *object, const char *name, size_t length, size_t before)
{
    const size_t rest = stripped(name, length);
    return rest < length && (is_earlier(object, name, rest, before) || is_renaming(object, name, rest, before));
}

/* The key that a member's name stands for. */
UNUSED static json_string_t key_of_member(const json_object_t *object, size_t member)
{
    const json_string_t *name = &object->members[member].name;
    const bool renamed = is_renaming(object, name->bytes, name->length, member);
    return (json_string_t){ .bytes = name->bytes, .length = renamed ? stripped(name->bytes, name->length) : name->length };
}

#endif
