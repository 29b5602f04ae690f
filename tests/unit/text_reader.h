/* A reader of text lines, written from docs/formats.md alone: it shares nothing with the writer that it tests. */
#ifndef TESTS_UNIT_TEXT_READER_H
#define TESTS_UNIT_TEXT_READER_H

#include "format_support.h"

enum { READ_FIELDS_MAX = 64, READ_ARENA_BYTES = 32 << 20 };

/* A text without its escapes. */
typedef struct read_text {
    char *bytes;
    size_t length;
    bool was_cut;
    uint64_t original;
} read_text_t;

typedef struct read_field {
    read_text_t key, value;
    bool key_quoted, value_quoted;
} read_field_t;

typedef struct read_line {
    size_t depth;
    char time[28];
    char level[9];
    int kind; /* stepi_kind_t */
    bool has_symbol, has_tag, has_total;
    long step, total;
    read_text_t operation, description, text;
    uint64_t done, goal;
    bool has_goal;
    read_field_t fields[READ_FIELDS_MAX]; /* the user's */
    size_t field_count;
    /* own fields; bytes NULL: missing */
    read_text_t omitted, last_step, last_description, sample_rate, slow, from_recorder, trace_id, span_id, elapsed;
} read_line_t;

/* The rest of the line that is not yet read. */
typedef struct span {
    const char *at;
    const char *end;
} span_t;

static char *read_arena;
static size_t read_arena_used;

static bool take(span_t *s, const char *text)
{
    const size_t n = strlen(text);
    if ((size_t)(s->end - s->at) < n || memcmp(s->at, text, n) != 0)
        return false;
    s->at += n;
    return true;
}

static bool take_number(span_t *s, bool may_be_negative, uint64_t *number, bool *negative)
{
    const char *start = s->at;
    *negative = may_be_negative && take(s, "-");
    *number = 0;
    const char *digits = s->at;
    for (; s->at < s->end && *s->at >= '0' && *s->at <= '9'; s->at++)
        *number = *number * 10 + (uint64_t)(*s->at - '0');
    if (s->at > digits)
        return true;
    s->at = start;
    return false;
}

/* ---- Escapes ---- */

static int hex_value(span_t *s, int digits)
{
    int value = 0;
    for (; digits > 0; digits--, s->at++) {
        if (s->at == s->end)
            return -1;
        const char c = *s->at;
        if (c >= '0' && c <= '9')
            value = value * 16 + (c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value * 16 + (c - 'a' + 10);
        else
            return -1;
    }
    return value;
}

static void put_utf8(read_text_t *to, int code)
{
    if (code < 0x80) {
        to->bytes[to->length++] = (char)code;
    } else if (code < 0x800) {
        to->bytes[to->length++] = (char)(0xC0 | code >> 6);
        to->bytes[to->length++] = (char)(0x80 | (code & 0x3F));
    } else {
        to->bytes[to->length++] = (char)(0xE0 | code >> 12);
        to->bytes[to->length++] = (char)(0x80 | (code >> 6 & 0x3F));
        to->bytes[to->length++] = (char)(0x80 | (code & 0x3F));
    }
}

/* What follows a backslash. */
static bool unescape_one(span_t *s, read_text_t *to)
{
    if (s->at == s->end)
        return false;
    const char c = *s->at++;
    const char *letters = "nrt";
    const char *letter = c != '\0' ? strchr(letters, c) : NULL;
    if (letter != NULL) {
        to->bytes[to->length++] = "\n\r\t"[letter - letters];
    } else if (c == 'x' || c == 'u') {
        const int value = hex_value(s, c == 'x' ? 2 : 4);
        if (value < 0)
            return false;
        if (c == 'x')
            to->bytes[to->length++] = (char)value;
        else
            put_utf8(to, value);
    } else {
        to->bytes[to->length++] = c;
    }
    return true;
}

/* The mark of a cut text that is all of the rest. */
static bool is_mark(span_t s, uint64_t *original)
{
    bool negative;
    return take(&s, "\xE2\x80\xA6[") && take_number(&s, false, original, &negative) && take(&s, " bytes]") &&
           s.at == s.end;
}

static bool unescape(span_t s, read_text_t *to)
{
    const size_t room = (size_t)(s.end - s.at) + 1;
    if (read_arena == NULL)
        read_arena = malloc(READ_ARENA_BYTES);
    if (read_arena == NULL || read_arena_used + room > READ_ARENA_BYTES)
        return false;
    *to = (read_text_t){ .bytes = read_arena + read_arena_used };
    read_arena_used += room;
    while (s.at < s.end) {
        if (is_mark(s, &to->original)) {
            to->was_cut = true;
            return true;
        }
        if (*s.at != '\\')
            to->bytes[to->length++] = *s.at++;
        else if (s.at++, !unescape_one(&s, to))
            return false;
    }
    to->original = to->length;
    return true;
}

/* ---- Fields ---- */

static bool is_bare_char(char c)
{
    return (unsigned char)c > ' ' && strchr("=\"(),\\", c) == NULL;
}

/* A bare or a quoted text; `raw` is what it holds, escapes and all. */
static bool take_item(span_t *s, span_t *raw, bool *quoted)
{
    *quoted = take(s, "\"");
    raw->at = s->at;
    if (*quoted) {
        while (s->at < s->end && *s->at != '"')
            s->at += *s->at == '\\' && s->at + 1 < s->end ? 2 : 1;
        raw->end = s->at;
        return take(s, "\"");
    }
    while (s->at < s->end && is_bare_char(*s->at))
        s->at++;
    raw->end = s->at;
    return raw->end > raw->at;
}

static bool take_field(span_t *s, read_field_t *field)
{
    span_t key, value;
    return take_item(s, &key, &field->key_quoted) && take(s, "=") && take_item(s, &value, &field->value_quoted) &&
           unescape(key, &field->key) && unescape(value, &field->value);
}

/* Everything from s on, which begins with ` (`. */
static bool take_fields(span_t s, read_line_t *line)
{
    line->field_count = 0;
    take(&s, " (");
    do {
        if (line->field_count == READ_FIELDS_MAX || !take_field(&s, &line->fields[line->field_count]))
            return false;
        line->field_count++;
    } while (take(&s, ", "));
    return take(&s, ")") && s.at == s.end;
}

static void take_off_fields(span_t *s, read_line_t *line)
{
    if (s->end == s->at || s->end[-1] != ')')
        return;
    for (const char *at = s->end - 1; at-- > s->at;) {
        const size_t used = read_arena_used;
        if (at[0] != ' ' || at[1] != '(')
            continue;
        if (take_fields((span_t){ at, s->end }, line)) {
            s->end = at;
            return;
        }
        read_arena_used = used;
    }
    line->field_count = 0;
}

/* The last field, if it is an own one of this name. */
static void take_own(read_line_t *line, const char *name, read_text_t *value)
{
    if (line->field_count == 0)
        return;
    const read_field_t *last = &line->fields[line->field_count - 1];
    if (last->key_quoted || last->key.length != strlen(name) || memcmp(last->key.bytes, name, strlen(name)) != 0)
        return;
    *value = last->value;
    line->field_count--;
}

/* The last field, if it can be the line's duration: a plain number with one decimal. */
static void take_duration(read_line_t *line, const char *name)
{
    if (line->field_count == 0)
        return;
    const read_field_t *last = &line->fields[line->field_count - 1];
    const read_text_t *v = &last->value;
    size_t digits = 0;
    while (digits < v->length && v->bytes[digits] >= '0' && v->bytes[digits] <= '9')
        digits++;
    if (!last->value_quoted && digits > 0 && digits + 2 == v->length && v->bytes[digits] == '.')
        take_own(line, name, &line->elapsed);
}

static bool is_hex(const read_field_t *field, const char *name, size_t digits)
{
    return !field->key_quoted && field->key.length == strlen(name) && memcmp(field->key.bytes, name, strlen(name)) == 0 &&
           !field->value_quoted && field->value.length == digits && strspn(field->value.bytes, "0123456789abcdef") >= digits;
}

/* Both or none. */
static void take_ids(read_line_t *line)
{
    const size_t n = line->field_count;
    if (n < 2 || !is_hex(&line->fields[n - 1], "span_id", 16) || !is_hex(&line->fields[n - 2], "trace_id", 32))
        return;
    take_own(line, "span_id", &line->span_id);
    take_own(line, "trace_id", &line->trace_id);
}

static void take_marks(read_line_t *line)
{
    const bool completes = line->kind == STEPI_OPERATION_COMPLETE;
    take_own(line, "flight_recorder", &line->from_recorder);
    if (completes || line->kind == STEPI_OPERATION_INCOMPLETE)
        take_own(line, "slow", &line->slow);
    if (completes || line->kind == STEPI_OPERATION_START)
        take_own(line, "sample_rate", &line->sample_rate);
}

static void take_own_fields(read_line_t *line)
{
    const bool is_open = line->kind == STEPI_OPERATION_INCOMPLETE || line->kind == STEPI_OPERATION_STUCK;
    if (line->kind == STEPI_STEP_SUCCESS || line->kind == STEPI_STEP_FAILURE)
        take_duration(line, "duration_ms");
    if (line->kind == STEPI_OPERATION_COMPLETE || is_open)
        take_duration(line, "total_duration_ms");
    take_ids(line);
    take_marks(line);
    if (is_open) {
        take_own(line, "description", &line->last_description);
        take_own(line, "last_step", &line->last_step);
    }
    take_own(line, "fields_omitted", &line->omitted);
}

/* ---- The line ---- */

static int take_symbol(span_t *s)
{
    static const char *const symbols[] = { "", "🚀 ", "▶️  ", "✅ ", "❌ ", "⏭️  ", "🏁 ", NULL, "⏳ ", "⚠️  ", NULL, "⌛ " };
    for (int kind = 1; kind < (int)COUNT(symbols); kind++)
        if (symbols[kind] != NULL && take(s, symbols[kind]))
            return kind;
    return 0;
}

static bool take_tag(span_t *s, read_line_t *line)
{
    span_t t = *s;
    uint64_t number, total = 0;
    bool negative, unused;
    const bool unknown = take(&t, "[Step ");
    if (!unknown && !take(&t, "["))
        return false;
    if (!take_number(&t, true, &number, &negative))
        return false;
    if (!unknown && !(take(&t, "/") && take_number(&t, false, &total, &unused)))
        return false;
    if (!take(&t, "] "))
        return false;
    line->has_tag = true;
    line->has_total = !unknown;
    line->step = negative ? -(long)number : (long)number;
    line->total = (long)total;
    *s = t;
    return true;
}

static bool read_progress(span_t s, read_line_t *line)
{
    bool negative;
    if (!take_number(&s, false, &line->done, &negative))
        return false;
    line->has_goal = take(&s, "/");
    if (line->has_goal && !take_number(&s, false, &line->goal, &negative))
        return false;
    return s.at == s.end;
}

static bool read_outcome(span_t s, read_line_t *line, read_text_t *subject)
{
    static const struct {
        const char *text;
        int kind;
    } separators[] = { { " - FAILED: ", STEPI_STEP_FAILURE },
                       { " - SKIPPED: ", STEPI_STEP_SKIP },
                       { " - PROGRESS: ", STEPI_PROGRESS } };
    const size_t left = (size_t)(s.end - s.at);
    for (size_t i = 0; i < COUNT(separators); i++) {
        const size_t n = strlen(separators[i].text);
        const char *at = memmem(s.at, left, separators[i].text, n);
        if (at == NULL)
            continue;
        line->kind = separators[i].kind;
        const span_t rest = { at + n, s.end };
        return unescape((span_t){ s.at, at }, subject) &&
               (line->kind == STEPI_PROGRESS ? read_progress(rest, line) : unescape(rest, &line->text));
    }
    if (left >= 10 && memcmp(s.end - 10, " - SUCCESS", 10) == 0) {
        line->kind = STEPI_STEP_SUCCESS;
        return unescape((span_t){ s.at, s.end - 10 }, subject);
    }
    line->kind = line->has_tag ? STEPI_STEP_START : STEPI_MESSAGE;
    return unescape(s, line->has_tag ? subject : &line->text);
}

static bool read_loss(span_t s, read_line_t *line)
{
    bool negative;
    if (!take_number(&s, false, &line->done, &negative))
        return false;
    if (!take(&s, line->done == 1 ? " record dropped: " : " records dropped: "))
        return false;
    line->kind = STEPI_DROPPED;
    return unescape(s, &line->text);
}

static bool read_body(span_t s, read_line_t *line)
{
    const int symbol = take_symbol(&s);
    line->has_symbol = symbol != 0;
    if (take(&s, "START: "))
        line->kind = STEPI_OPERATION_START;
    else if (take(&s, "COMPLETE: "))
        line->kind = STEPI_OPERATION_COMPLETE;
    else if (take(&s, "INCOMPLETE: "))
        line->kind = STEPI_OPERATION_INCOMPLETE;
    else if (take(&s, "STUCK: "))
        line->kind = STEPI_OPERATION_STUCK;
    if (line->kind != 0)
        return (symbol == 0 || symbol == line->kind) && unescape(s, &line->operation);
    if (symbol == 0 && read_loss(s, line))
        return true;
    take_tag(&s, line);
    return read_outcome(s, line, line->has_tag ? &line->description : &line->operation) &&
           (symbol == 0 || symbol == line->kind);
}

static bool take_level(span_t *s, read_line_t *line)
{
    const char *start = s->at + 1;
    if (!take(s, "["))
        return false;
    while (s->at < s->end && *s->at >= 'A' && *s->at <= 'Z')
        s->at++;
    const size_t n = (size_t)(s->at - start);
    if (n >= sizeof(line->level) || !take(s, "] "))
        return false;
    memcpy(line->level, start, n);
    return true;
}

UNUSED static bool read_text_line(const char *bytes, size_t length, read_line_t *line)
{
    span_t s = { bytes, bytes + length };
    read_arena_used = 0;
    memset(line, 0, sizeof(*line));
    if (length == 0 || *--s.end != '\n' || memchr(bytes, '\n', length) != s.end)
        return false;
    while (take(&s, "    "))
        line->depth++;
    if (s.end - s.at > 28 && s.at[0] >= '0' && s.at[0] <= '9') {
        memcpy(line->time, s.at, 27);
        s.at += 27;
        if (line->time[26] != 'Z' || !take(&s, " "))
            return false;
    }
    if (!take_level(&s, line))
        return false;
    take_off_fields(&s, line);
    if (!read_body(s, line))
        return false;
    take_own_fields(line);
    return true;
}

#endif
