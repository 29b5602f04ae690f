/* JSON lines and logfmt: the line's own members are those up to `seq`. */
#include "testing/json.h"
#include "testing/normalize.h"

#include <stdlib.h>
#include <string.h>

static bool begins_with(const char *line, size_t length, const char *text)
{
    const size_t bytes = strlen(text);
    return length >= bytes && memcmp(line, text, bytes) == 0;
}

/* ---- JSON ---- */

/* The whole line parses, and has a `seq`. */
static bool is_json_line(const char *line, size_t length, char *scratch)
{
    stepi_json_t json = stepi_json(line, length, scratch);
    stepi_json_member_t member;
    bool has_seq = false;
    int got;
    while ((got = stepi_json_next(&json, &member)) == 1)
        has_seq = has_seq || strcmp(member.field.key, "seq") == 0;
    return got == 0 && has_seq;
}

static void put_json(stepi_strbuf_t *out, const char *line, size_t length, uint32_t what, char *scratch)
{
    stepi_json_t json = stepi_json(line, length, scratch);
    stepi_json_member_t member;
    const char *copied = line;
    while (stepi_json_next(&json, &member) == 1) {
        const char *key = member.field.key;
        const char *placeholder = stepi_placeholder(key, strlen(key), what);
        if (placeholder != NULL) {
            stepi_strbuf_put(out, copied, (size_t)(member.value_at - copied));
            stepi_strbuf_format(out, "\"%s\"", placeholder);
            copied = member.value_end;
        }
        if (strcmp(key, "seq") == 0)
            break;
    }
    stepi_strbuf_put(out, copied, (size_t)(line + length - copied));
}

bool stepi_normalize_json(stepi_strbuf_t *out, const char *line, size_t length, uint32_t what)
{
    if (!begins_with(line, length, "{\"ts\":"))
        return false;
    char *scratch = malloc(length);
    if (scratch == NULL) {
        out->failed = true;
        return false;
    }
    const bool is_ours = is_json_line(line, length, scratch);
    if (is_ours)
        put_json(out, line, length, what, scratch);
    free(scratch);
    return is_ours;
}

/* ---- logfmt ---- */

/* The end of the value that begins here; NULL when it is none: quotes are left open, or something follows them. */
static const char *value_end(const char *at, const char *end)
{
    if (at == end || *at != '"') {
        while (at < end && *at != ' ')
            at++;
        return at;
    }
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\' && at + 1 < end)
            at++;
    return at < end && (at + 1 == end || at[1] == ' ') ? at + 1 : NULL;
}

/* Goes through the line's own members: true when it gets to `seq`. Writes, when there is an `out`. */
static bool pass_logfmt(stepi_strbuf_t *out, const char *line, size_t length, uint32_t what)
{
    const char *end = line + length;
    const char *copied = line;
    bool has_seq = false;
    for (const char *at = line; at < end && !has_seq; at++) {
        const char *equals = memchr(at, '=', (size_t)(end - at));
        const char *behind = equals != NULL ? value_end(equals + 1, end) : NULL;
        if (behind == NULL || memchr(at, ' ', (size_t)(equals - at)) != NULL)
            return false;
        const char *placeholder = stepi_placeholder(at, (size_t)(equals - at), what);
        if (out != NULL && placeholder != NULL) {
            stepi_strbuf_put(out, copied, (size_t)(equals + 1 - copied));
            stepi_strbuf_text(out, placeholder);
            copied = behind;
        }
        has_seq = begins_with(at, length - (size_t)(at - line), "seq=");
        at = behind;
    }
    if (out != NULL)
        stepi_strbuf_put(out, copied, (size_t)(end - copied));
    return has_seq;
}

bool stepi_normalize_logfmt(stepi_strbuf_t *out, const char *line, size_t length, uint32_t what)
{
    return begins_with(line, length, "ts=") && pass_logfmt(NULL, line, length, what) &&
           pass_logfmt(out, line, length, what);
}
