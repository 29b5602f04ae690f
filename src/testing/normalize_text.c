/* Text lines, read back as docs/formats.md tells:
 *
 *     2026-…Z [INFO] ✅ [1/2] Connecting - SUCCESS (rows=7, duration_ms=15.2, trace_id=…)
 *     └ time  └ level └ body                         └ user's    └ own fields, at the end of the list
 */
#include "testing/normalize.h"

#include <string.h>

typedef struct span {
    const char *at, *end;
} span_t;

static bool take(span_t *s, const char *text)
{
    const size_t length = strlen(text);
    if ((size_t)(s->end - s->at) < length || memcmp(s->at, text, length) != 0)
        return false;
    s->at += length;
    return true;
}

/* As many characters as `shape` has: 0 stands for a digit, everything else for itself. */
static bool take_shape(span_t *s, const char *shape)
{
    const size_t length = strlen(shape);
    if ((size_t)(s->end - s->at) < length)
        return false;
    for (size_t i = 0; i < length; i++)
        if (shape[i] == '0' ? s->at[i] < '0' || s->at[i] > '9' : s->at[i] != shape[i])
            return false;
    s->at += length;
    return true;
}

static bool take_level(span_t *s)
{
    return take(s, "[DEBUG] ") || take(s, "[INFO] ") || take(s, "[WARNING] ") || take(s, "[ERROR] ") ||
           take(s, "[CRITICAL] ");
}

/* ---- Fields ---- */

enum { LAST_FIELDS = 16 }; /* more than a line has of its own */

typedef struct field {
    span_t key, value;
} field_t;

/* The last ones of a list: number n is in last[n % LAST_FIELDS]. */
typedef struct list {
    field_t last[LAST_FIELDS];
    size_t count;
} list_t;

static bool take_quoted(span_t *s)
{
    if (!take(s, "\""))
        return false;
    while (s->at < s->end && *s->at != '"')
        s->at += *s->at == '\\' && s->end - s->at > 1 ? 2 : 1;
    return take(s, "\"");
}

static bool take_bare(span_t *s)
{
    const char *start = s->at;
    while (s->at < s->end && strchr(" =\"(),\\", *s->at) == NULL)
        s->at++;
    return s->at > start;
}

static bool take_word(span_t *s, span_t *word)
{
    word->at = s->at;
    const bool is_there = s->at < s->end && *s->at == '"' ? take_quoted(s) : take_bare(s);
    word->end = s->at;
    return is_there;
}

/* Everything is fields, and the `)` behind them. */
static bool read_list(span_t s, list_t *list)
{
    list->count = 0;
    do {
        field_t *field = &list->last[list->count++ % LAST_FIELDS];
        if (!take_word(&s, &field->key) || !take(&s, "=") || !take_word(&s, &field->value))
            return false;
    } while (take(&s, ", "));
    return take(&s, ")") && s.at == s.end;
}

/* Cuts the field list off the body. Without one, list->count is 0. */
static void split(span_t *body, list_t *list)
{
    const char *end = body->end;
    if (body->end > body->at && body->end[-1] == ')')
        for (const char *at = body->end - 1; at-- > body->at;)
            if (at[0] == ' ' && at[1] == '(' && read_list((span_t){ at + 2, end }, list)) {
                body->end = at;
                return;
            }
    list->count = 0;
}

/* ---- Which duration a body of this kind ends with ---- */

static bool contains(span_t s, const char *text)
{
    return memmem(s.at, (size_t)(s.end - s.at), text, strlen(text)) != NULL;
}

static bool ends_with(span_t s, const char *text)
{
    const size_t length = strlen(text);
    return (size_t)(s.end - s.at) >= length && memcmp(s.end - length, text, length) == 0;
}

static const char *duration_of(span_t body)
{
    if (!take(&body, "🏁 ") && !take(&body, "⚠️  "))
        take(&body, "⌛ ");
    if (take(&body, "COMPLETE: ") || take(&body, "INCOMPLETE: ") || take(&body, "STUCK: "))
        return "total_duration_ms";
    return ends_with(body, " - SUCCESS") || contains(body, " - FAILED: ") ? "duration_ms" : "";
}

/* ---- Own fields ---- */

static bool is(span_t word, const char *text)
{
    return take(&word, text) && word.at == word.end;
}

static bool is_duration(span_t s)
{
    if (is(s, "<duration>"))
        return true;
    const char *start = s.at;
    while (take_shape(&s, "0"))
        ;
    return s.at > start && take_shape(&s, ".0") && s.at == s.end;
}

static bool is_id(span_t s, const char *placeholder, size_t digits)
{
    size_t hex = 0;
    while (s.at + hex < s.end && memchr("0123456789abcdef", s.at[hex], 16) != NULL)
        hex++;
    return is(s, placeholder) || (hex == digits && s.at + hex == s.end);
}

/* Fields that a line may have of its own, in the order in which they end the list, before the duration. */
static const struct own_field {
    const char *key, *placeholder;
    size_t digits; /* 0: any value */
} own_fields[] = {
    { "fields_omitted", NULL, 0 },
    { "last_step", NULL, 0 },
    { "description", NULL, 0 },
    { "sample_rate", NULL, 0 },
    { "slow", NULL, 0 },
    { "flight_recorder", NULL, 0 },
    { "recovered", NULL, 0 },
    { "trace_id", "<trace_id>", 32 },
    { "span_id", "<span_id>", 16 },
};

enum { OWN_FIELDS = sizeof(own_fields) / sizeof(own_fields[0]), NOT_OWN = -1 };

/* Its place in that order; OWN_FIELDS for the duration. */
static int own_place(const field_t *field, const char *duration)
{
    if (is(field->key, duration))
        return is_duration(field->value) ? OWN_FIELDS : NOT_OWN;
    for (int i = 0; i < OWN_FIELDS; i++) {
        const struct own_field *own = &own_fields[i];
        if (is(field->key, own->key))
            return own->digits == 0 || is_id(field->value, own->placeholder, own->digits) ? i : NOT_OWN;
    }
    return NOT_OWN;
}

/* From the end of the list on, as long as they are in order: what is not is the user's. */
static size_t count_own(const list_t *list, const char *duration)
{
    int before = OWN_FIELDS + 1;
    size_t own = 0;
    for (; own < list->count && own < LAST_FIELDS; own++) {
        const int place = own_place(&list->last[(list->count - 1 - own) % LAST_FIELDS], duration);
        if (place == NOT_OWN || place >= before)
            break;
        before = place;
    }
    return own;
}

bool stepi_normalize_text(stepi_strbuf_t *out, const char *line, size_t length, uint32_t what)
{
    span_t s = { line, line + length };
    list_t list = { .count = 0 };
    while (take(&s, "    "))
        ;
    const char *time = s.at;
    const bool has_time = take_shape(&s, "0000-00-00T00:00:00.000000Z ") || take(&s, "<time> ");
    const char *copied = line;
    const char *behind_time = s.at;
    if (!take_level(&s))
        return false;
    const char *placeholder = has_time ? stepi_placeholder("ts", 2, what) : NULL;
    if (placeholder != NULL) {
        stepi_strbuf_put(out, line, (size_t)(time - line));
        stepi_strbuf_text(out, placeholder);
        copied = behind_time - 1;
    }
    split(&s, &list);
    for (size_t own = count_own(&list, duration_of(s)); own > 0; own--) {
        const field_t *field = &list.last[(list.count - own) % LAST_FIELDS];
        placeholder = stepi_placeholder(field->key.at, (size_t)(field->key.end - field->key.at), what);
        if (placeholder == NULL)
            continue;
        stepi_strbuf_put(out, copied, (size_t)(field->value.at - copied));
        stepi_strbuf_text(out, placeholder);
        copied = field->value.end;
    }
    stepi_strbuf_put(out, copied, (size_t)(line + length - copied));
    return true;
}
