#include "reader/members.h"

#include <step_logger.h>

typedef struct known_name {
    const char *name;
    uint8_t length;
    bool is_reserved;
} known_name_t;

static const known_name_t own_names[STEPI_OWN_COUNT] = {
#define OWN_NAME(id, text, reserved) { text, sizeof(text) - 1, reserved },
    STEPI_OWN_MEMBERS(OWN_NAME)
#undef OWN_NAME
};

const char *stepi_own_name(stepi_own_t member)
{
    return own_names[member].name;
}

bool stepi_own_is_reserved(stepi_own_t member)
{
    return member < STEPI_OWN_COUNT && own_names[member].is_reserved;
}

/* Names have at most 17 characters, and hardly two begin and end alike. */
stepi_own_t stepi_own_named(stepi_span_t name)
{
    const size_t bytes = stepi_span_bytes(name);
    if (bytes < 2 || bytes > 17)
        return STEPI_OWN_COUNT;
    for (unsigned i = 0; i < STEPI_OWN_COUNT; i++)
        if (own_names[i].length == bytes && own_names[i].name[0] == *name.at &&
            memcmp(own_names[i].name, name.at, bytes) == 0)
            return (stepi_own_t)i;
    return STEPI_OWN_COUNT;
}

bool stepi_is_own(stepi_own_t member, uint64_t before)
{
    if (member == STEPI_OWN_COUNT || (before >> member & 1) != 0)
        return false;
    return own_names[member].is_reserved || (before >> STEPI_OWN_DEPTH & 1) == 0;
}

/* ---- What makes a line ours ---- */

static bool read_level(stepi_span_t s, int *level)
{
    if (STEPI_SPAN_IS(s, "INFO"))
        *level = STEP_LEVEL_INFO;
    else if (STEPI_SPAN_IS(s, "DEBUG"))
        *level = STEP_LEVEL_DEBUG;
    else if (STEPI_SPAN_IS(s, "WARNING"))
        *level = STEP_LEVEL_WARNING;
    else if (STEPI_SPAN_IS(s, "ERROR"))
        *level = STEP_LEVEL_ERROR;
    else if (STEPI_SPAN_IS(s, "CRITICAL"))
        *level = STEP_LEVEL_CRITICAL;
    else
        return false;
    return true;
}

static const char *const events[STEPI_KINDS] = {
    [STEPI_OPERATION_START] = "operation_start",
    [STEPI_STEP_START] = "step_start",
    [STEPI_STEP_SUCCESS] = "step_success",
    [STEPI_STEP_FAILURE] = "step_failure",
    [STEPI_STEP_SKIP] = "step_skip",
    [STEPI_OPERATION_COMPLETE] = "operation_complete",
    [STEPI_MESSAGE] = "message",
    [STEPI_PROGRESS] = "progress",
    [STEPI_OPERATION_INCOMPLETE] = "operation_incomplete",
    [STEPI_DROPPED] = "dropped",
    [STEPI_OPERATION_STUCK] = "operation_stuck",
};

const char *stepi_event_name(stepi_kind_t kind)
{
    return events[kind];
}

static bool read_event(stepi_span_t s, stepi_kind_t *kind)
{
    for (int i = STEPI_OPERATION_START; i < STEPI_KINDS; i++)
        if (stepi_span_is(s, events[i], strlen(events[i]))) {
            *kind = (stepi_kind_t)i;
            return true;
        }
    return false;
}

static bool is_ours(stepi_entry_t *entry)
{
    const stepi_value_t *level = stepi_own(entry, STEPI_OWN_LEVEL);
    const stepi_value_t *event = stepi_own(entry, STEPI_OWN_EVENT);
    return level != NULL && event != NULL && level->type == STEPI_VALUE_STRING && event->type == STEPI_VALUE_STRING &&
           read_level(stepi_value_span(level), &entry->level) && read_event(stepi_value_span(event), &entry->kind);
}

static void read_depth(stepi_entry_t *entry)
{
    int64_t depth;
    entry->depth = 0;
    if (stepi_own_integer(entry, STEPI_OWN_DEPTH, &depth) && depth > 0)
        entry->depth = depth < INT32_MAX ? (uint32_t)depth : INT32_MAX;
}

bool stepi_read_members(stepi_form_t form, stepi_span_t line, stepi_entry_t *entry)
{
    stepi_span_t rest = line;
    stepi_member_view_t member;
    stepi_more_t more;
    entry->form = STEPI_FORM_FOREIGN;
    entry->has = 0;
    while ((more = stepi_next_member(form, &rest, &member)) == STEPI_MORE_MEMBER) {
        const stepi_own_t own = stepi_own_named(member.name);
        if (!stepi_is_own(own, entry->has))
            continue;
        if (stepi_is_id_member(own) && form == STEPI_FORM_LOGFMT && stepi_is_id(own, &member.value))
            member.value.type = STEPI_VALUE_STRING;
        stepi_set_own(entry, own, member.value);
    }
    if (more != STEPI_MORE_END || !is_ours(entry) || !stepi_entry_is_sound(entry))
        return false;
    entry->form = form;
    entry->fields = line;
    read_depth(entry);
    return true;
}
