/* A strict reader of logfmt lines, written from docs/formats.md alone. What it reads has the form that json_reader.h gives to
 * JSON lines, names as they are written: keys are unescaped last. */
#ifndef TESTS_UNIT_LOGFMT_READER_H
#define TESTS_UNIT_LOGFMT_READER_H

#include "json_reader.h"

/* One character that stands for itself in a bare word or in quotes. */
static bool logfmt_take_plain(json_cursor_t *c, json_string_t *to, const char *refused)
{
    if ((unsigned char)*c->at < 0x20 || strchr(refused, *c->at) != NULL)
        return false;
    to->bytes[to->length++] = *c->at++;
    return true;
}

static bool logfmt_begin(json_string_t *to, size_t room)
{
    if (json_arena == NULL)
        json_arena = malloc(JSON_ARENA_BYTES);
    if (json_arena == NULL || json_arena_used + room + 1 > JSON_ARENA_BYTES)
        return false;
    *to = (json_string_t){ .bytes = json_arena + json_arena_used };
    return true;
}

static void logfmt_end(json_string_t *to)
{
    to->bytes[to->length] = '\0';
    json_arena_used += to->length + 1;
}

/* Up to what may not stand in it; false if that is nothing. */
static bool logfmt_bare(json_cursor_t *c, json_string_t *to)
{
    if (!logfmt_begin(to, (size_t)(c->end - c->at)))
        return false;
    while (c->at < c->end && logfmt_take_plain(c, to, " =\""))
        continue;
    logfmt_end(to);
    return to->length > 0;
}

/* What follows the backslash: the escapes of JSON that logfmt has. */
static bool logfmt_escape(json_cursor_t *c, json_string_t *to)
{
    return c->at < c->end && *c->at != '\0' && strchr("\\\"nrtu", *c->at) != NULL && json_escape(c, to);
}

static bool logfmt_quoted(json_cursor_t *c, json_string_t *to)
{
    if (!json_take(c, "\"") || !logfmt_begin(to, (size_t)(c->end - c->at)))
        return false;
    while (c->at < c->end && *c->at != '"') {
        if (json_take(c, "\\") ? !logfmt_escape(c, to) : !logfmt_take_plain(c, to, "\""))
            return false;
    }
    logfmt_end(to);
    return json_take(c, "\"");
}

/* ---- What a bare value is ---- */

static bool logfmt_take_word(const char **at, const char *word)
{
    if (strncasecmp(*at, word, strlen(word)) != 0)
        return false;
    *at += strlen(word);
    return true;
}

static bool logfmt_is_number(const char *at)
{
    at += *at == '+' || *at == '-';
    if (logfmt_take_word(&at, "0x"))
        return true;
    if (logfmt_take_word(&at, "nan") || logfmt_take_word(&at, "infinity") || logfmt_take_word(&at, "inf"))
        return *at == '\0' || strcmp(at, "%") == 0;
    const size_t whole = strspn(at, "0123456789");
    at += whole;
    size_t part = 0;
    if (*at == '.')
        part = strspn(at + 1, "0123456789"), at += 1 + part;
    if (whole + part == 0)
        return false;
    if (*at == 'e' || *at == 'E') {
        const char *digits = at + 1 + (at[1] == '+' || at[1] == '-');
        const size_t n = strspn(digits, "0123456789");
        at = n > 0 ? digits + n : at;
    }
    return *at == '\0' || strcmp(at, "%") == 0;
}

static json_type_t logfmt_type_of_bare(const json_string_t *text)
{
    if (strlen(text->bytes) != text->length)
        return JSON_STRING;
    if (strcmp(text->bytes, "true") == 0)
        return JSON_TRUE;
    if (strcmp(text->bytes, "false") == 0)
        return JSON_FALSE;
    if (strcmp(text->bytes, "null") == 0)
        return JSON_NULL;
    return logfmt_is_number(text->bytes) ? JSON_NUMBER : JSON_STRING;
}

/* ---- Lines ---- */

static bool logfmt_member(json_cursor_t *c, json_member_t *member)
{
    if (!logfmt_bare(c, &member->name) || !json_take(c, "="))
        return false;
    member->type = JSON_STRING;
    if (c->at < c->end && *c->at == '"')
        return logfmt_quoted(c, &member->string);
    if (!logfmt_bare(c, &member->string))
        return false;
    member->type = logfmt_type_of_bare(&member->string);
    return true;
}

UNUSED static bool read_logfmt_line(const char *bytes, size_t length, json_object_t *object)
{
    json_cursor_t c = { bytes, bytes + length };
    json_arena_used = 0;
    object->count = 0;
    do {
        if (object->count == JSON_MEMBERS_MAX || !logfmt_member(&c, &object->members[object->count]))
            return false;
        object->count++;
    } while (json_take(&c, " "));
    return json_take(&c, "\n") && c.at == c.end;
}

/* The key that a name, freed of a _N, stands for. */
UNUSED static bool logfmt_key(const char *bytes, size_t length, json_string_t *key)
{
    json_cursor_t c = { bytes, bytes + length };
    if (!logfmt_begin(key, length))
        return false;
    const bool is_empty = length == 1 && bytes[0] == '\\';
    while (!is_empty && c.at < c.end) {
        if (json_take(&c, "\\") ? !logfmt_escape(&c, key) : !logfmt_take_plain(&c, key, " =\""))
            return false;
    }
    logfmt_end(key);
    return true;
}

#endif
