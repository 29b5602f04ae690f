/* A strict reader of one flat JSON object a line, RFC 8259 to the letter and without white space. */
#ifndef TESTS_UNIT_JSON_READER_H
#define TESTS_UNIT_JSON_READER_H

#include "format_support.h"

typedef enum json_type { JSON_STRING, JSON_NUMBER, JSON_TRUE, JSON_FALSE, JSON_NULL } json_type_t;

typedef struct json_string {
    char *bytes; /* decoded */
    size_t length;
} json_string_t;

typedef struct json_member {
    json_string_t name;
    json_type_t type;
    json_string_t string; /* of JSON_STRING; of the others as written */
} json_member_t;

enum { JSON_MEMBERS_MAX = 70000, JSON_ARENA_BYTES = 32 << 20 };

typedef struct json_object {
    json_member_t members[JSON_MEMBERS_MAX];
    size_t count;
} json_object_t;

typedef struct json_cursor {
    const char *at;
    const char *end;
} json_cursor_t;

static char *json_arena;
static size_t json_arena_used;

static bool json_take(json_cursor_t *c, const char *text)
{
    const size_t n = strlen(text);
    if ((size_t)(c->end - c->at) < n || memcmp(c->at, text, n) != 0)
        return false;
    c->at += n;
    return true;
}

/* ---- Strings ---- */

static bool json_hex(json_cursor_t *c, unsigned *code)
{
    *code = 0;
    for (int i = 0; i < 4; i++, c->at++) {
        if (c->at == c->end)
            return false;
        const char *digit = *c->at != '\0' ? strchr("0123456789abcdef", *c->at) : NULL;
        if (digit == NULL)
            return false;
        *code = *code * 16 + (unsigned)(digit - "0123456789abcdef") % 16;
    }
    return *code < 0xD800 || *code > 0xDFFF; /* nothing that we escape needs a pair */
}

static void json_put_code(json_string_t *to, unsigned code)
{
    if (code < 0x80) {
        to->bytes[to->length++] = (char)code;
        return;
    }
    if (code < 0x800) {
        to->bytes[to->length++] = (char)(0xC0 | code >> 6);
    } else {
        to->bytes[to->length++] = (char)(0xE0 | code >> 12);
        to->bytes[to->length++] = (char)(0x80 | (code >> 6 & 0x3F));
    }
    to->bytes[to->length++] = (char)(0x80 | (code & 0x3F));
}

static bool json_escape(json_cursor_t *c, json_string_t *to)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meant[] = "\"\\/\b\f\n\r\t";
    unsigned code;
    if (c->at == c->end)
        return false;
    const char letter = *c->at++;
    if (letter == 'u') {
        if (!json_hex(c, &code))
            return false;
        json_put_code(to, code);
        return true;
    }
    const char *found = letter != '\0' ? strchr(letters, letter) : NULL;
    if (found == NULL)
        return false;
    to->bytes[to->length++] = meant[found - letters];
    return true;
}

static bool json_string(json_cursor_t *c, json_string_t *to)
{
    if (json_arena == NULL)
        json_arena = malloc(JSON_ARENA_BYTES);
    if (json_arena == NULL || !json_take(c, "\""))
        return false;
    *to = (json_string_t){ .bytes = json_arena + json_arena_used };
    while (c->at < c->end && *c->at != '"') {
        if (json_arena_used + to->length + 8 > JSON_ARENA_BYTES || (unsigned char)*c->at < 0x20)
            return false;
        if (*c->at != '\\')
            to->bytes[to->length++] = *c->at++;
        else if (c->at++, !json_escape(c, to))
            return false;
    }
    to->bytes[to->length] = '\0';
    json_arena_used += to->length + 1;
    return json_take(c, "\"");
}

/* ---- Numbers ---- */

static size_t json_digits(json_cursor_t *c)
{
    const char *start = c->at;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9')
        c->at++;
    return (size_t)(c->at - start);
}

static bool json_number(json_cursor_t *c)
{
    json_take(c, "-");
    if (!json_take(c, "0") && json_digits(c) == 0)
        return false;
    if (json_take(c, ".") && json_digits(c) == 0)
        return false;
    if (json_take(c, "e") || json_take(c, "E")) {
        if (!json_take(c, "+"))
            json_take(c, "-");
        return json_digits(c) > 0;
    }
    return true;
}

static bool json_value(json_cursor_t *c, json_member_t *member)
{
    const char *start = c->at;
    if (c->at < c->end && *c->at == '"') {
        member->type = JSON_STRING;
        return json_string(c, &member->string);
    }
    if (json_take(c, "true"))
        member->type = JSON_TRUE;
    else if (json_take(c, "false"))
        member->type = JSON_FALSE;
    else if (json_take(c, "null"))
        member->type = JSON_NULL;
    else if (json_number(c))
        member->type = JSON_NUMBER;
    else
        return false;
    member->string = (json_string_t){ .bytes = json_arena + json_arena_used, .length = (size_t)(c->at - start) };
    memcpy(member->string.bytes, start, member->string.length);
    member->string.bytes[member->string.length] = '\0';
    json_arena_used += member->string.length + 1;
    return true;
}

UNUSED static bool read_json_line(const char *bytes, size_t length, json_object_t *object)
{
    json_cursor_t c = { bytes, bytes + length };
    json_arena_used = 0;
    object->count = 0;
    if (!json_take(&c, "{"))
        return false;
    do {
        if (object->count == JSON_MEMBERS_MAX)
            return false;
        json_member_t *member = &object->members[object->count++];
        if (!json_string(&c, &member->name) || !json_take(&c, ":") || !json_value(&c, member))
            return false;
    } while (json_take(&c, ","));
    return json_take(&c, "}\n") && c.at == c.end;
}

UNUSED static const json_member_t *json_find(const json_object_t *object, const char *name)
{
    for (size_t i = 0; i < object->count; i++)
        if (strcmp(object->members[i].name.bytes, name) == 0)
            return &object->members[i];
    return NULL;
}

/* ---- What a string reads as in JSON: one U+FFFD for each run of bad bytes ---- */

static size_t json_code_length(const char *bytes, size_t left)
{
    for (size_t n = 1; n <= 4 && n <= left; n++)
        if (is_well_formed((const unsigned char *)bytes, n))
            return n;
    return 0;
}

/* `to` has room for 3 * length + 1. */
UNUSED static json_string_t json_repaired(const char *bytes, size_t length, char *to)
{
    json_string_t r = { .bytes = to };
    bool in_bad_run = false;
    for (size_t at = 0; at < length;) {
        const size_t n = json_code_length(bytes + at, length - at);
        if (n == 0 && !in_bad_run) {
            memcpy(to + r.length, "\xEF\xBF\xBD", 3);
            r.length += 3;
        }
        memcpy(to + r.length, bytes + at, n);
        r.length += n;
        at += n > 0 ? n : 1;
        in_bad_run = n == 0;
    }
    to[r.length] = '\0';
    return r;
}

#endif
