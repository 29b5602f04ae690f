#include "core/rules.h"

#include <string.h>
#include <strings.h>

step_level_t stepi_level_named(stepi_slice_t name)
{
    static const struct {
        const char *name;
        step_level_t level;
    } levels[] = { { "debug", STEP_LEVEL_DEBUG },     { "info", STEP_LEVEL_INFO },   { "warning", STEP_LEVEL_WARNING },
                   { "warn", STEP_LEVEL_WARNING },    { "error", STEP_LEVEL_ERROR }, { "critical", STEP_LEVEL_CRITICAL },
                   { "off", STEP_LEVEL_OFF } };
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
        if (strlen(levels[i].name) == name.length && strncasecmp(levels[i].name, name.bytes, name.length) == 0)
            return levels[i].level;
    return 0;
}

/* Without the blanks around it, as in a list. */
static stepi_slice_t trimmed(const char *bytes, size_t length)
{
    while (length > 0 && (bytes[length - 1] == ' ' || bytes[length - 1] == '\t'))
        length--;
    while (length > 0 && (*bytes == ' ' || *bytes == '\t')) {
        bytes++;
        length--;
    }
    return (stepi_slice_t){ .bytes = bytes, .length = length };
}

/* PATTERN=LEVEL: a name may have a `=` in it, a level has none. */
static bool read_rule(stepi_rules_t *rules, stepi_slice_t rule)
{
    const char *sign = memrchr(rule.bytes, '=', rule.length);
    if (sign == NULL)
        return false;
    const size_t before = (size_t)(sign - rule.bytes);
    const stepi_slice_t pattern = trimmed(rule.bytes, before);
    const stepi_slice_t name = trimmed(sign + 1, rule.length - before - 1);
    const step_level_t level = stepi_level_named(name);
    if (pattern.length == 0 || level == 0)
        return false;
    rules->patterns[rules->count] = pattern;
    rules->levels[rules->count] = level;
    rules->count++;
    return true;
}

bool stepi_rules_read(stepi_rules_t *rules, const char *text, stepi_slice_t *bad)
{
    rules->count = 0;
    *bad = (stepi_slice_t){ .bytes = "" };
    if (text == NULL)
        return true;
    const size_t length = strlen(text);
    if (length >= sizeof(rules->text))
        return false;
    memcpy(rules->text, text, length + 1);
    const char *list = rules->text;
    stepi_slice_t rule;
    while (stepi_list_next(&list, &rule)) {
        if (rule.length == 0)
            continue;
        const bool has_room = rules->count < STEPI_RULES_MAX;
        if (has_room && read_rule(rules, rule))
            continue;
        rules->count = 0;
        if (has_room)
            *bad = rule;
        return false;
    }
    return true;
}

const int32_t *stepi_rules_level(const stepi_rules_t *rules, const stepi_text_t *name)
{
    const stepi_slice_t text = { .bytes = name->bytes != NULL ? name->bytes : "null",
                                 .length = name->bytes != NULL ? name->length : 4 };
    for (uint32_t i = rules->count; i > 0; i--)
        if (stepi_glob_matches(rules->patterns[i - 1], text, false))
            return &rules->levels[i - 1];
    return NULL;
}
