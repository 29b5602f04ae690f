/* A line of JSON or logfmt: the own members that the entry has, in their order, then the user's fields with names that are
 * never double. What a line does not say (a text line's process, its time) is left out, not invented. */
#include "reader/putter.h"

#include "base/number.h"
#include "base/plain.h"
#include "format/escape.h"
#include "format/logfmt.h"
#include "format/marker.h"

#include <stdlib.h>

/* clang-format off */
#define JSON_STOPS { .count = 2, .rows = { STEPI_STOP('"'), STEPI_STOP('\\') } }
#define JSON_LETTERS { ['"'] = '"', ['\\'] = '\\', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't', ['\b'] = 'b', ['\f'] = 'f' }
#define KEY_STOPS { .count = 4, .rows = { STEPI_STOP(' '), STEPI_STOP('='), STEPI_STOP('"'), STEPI_STOP('\\') } }
#define KEY_LETTERS { ['\\'] = '\\', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't' }
/* clang-format on */

static const stepi_escapes_t in_json = { .stops = JSON_STOPS, .letters = JSON_LETTERS, .tells_marks = true };
static const stepi_escapes_t in_json_names = { .stops = JSON_STOPS, .letters = JSON_LETTERS };
static const stepi_escapes_t in_logfmt = {
    .stops = JSON_STOPS,
    .letters = { ['"'] = '"', ['\\'] = '\\', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't' },
    .tells_marks = true
};
static const stepi_escapes_t in_logfmt_names = { .stops = KEY_STOPS, .letters = KEY_LETTERS, .escapes_fffd = true };

/* A line that is being written. */
typedef struct writer {
    stepi_putter_t *putter;
    stepi_reader_t *reader;
    const stepi_entry_t *entry;
    stepi_out_t *out;
    bool is_json, is_begun;
} writer_t;

/* ---- Values ---- */

static void put_string(writer_t *w, const stepi_text_t *text)
{
    if (text->bytes == NULL) {
        stepi_put_literal(w->out, "null");
    } else if (!w->is_json && stepi_logfmt_is_bare(text)) {
        stepi_put(w->out, text->bytes, text->length);
    } else {
        stepi_put_char(w->out, '"');
        stepi_put_escaped(w->out, text, w->is_json ? &in_json : &in_logfmt);
        stepi_put_char(w->out, '"');
    }
}

static void put_quoted(writer_t *w, const stepi_value_t *value)
{
    const stepi_text_t text = { .bytes = value->at, .length = value->bytes, .original = value->bytes };
    put_string(w, &text);
}

/* A percentage has an `E`, and no other number has. */
static void put_text_number(writer_t *w, stepi_span_t number, bool is_percent)
{
    bool has_exponent = false;
    for (const char *at = number.at; at < number.end; at++) {
        const bool is_mark = *at == 'e' || *at == 'E';
        has_exponent |= is_mark;
        stepi_put_char(w->out, !is_mark ? *at : is_percent ? 'E' : 'e');
    }
    if (is_percent && !has_exponent)
        stepi_put_literal(w->out, "E0");
}

static void put_number(writer_t *w, const stepi_value_t *value)
{
    stepi_span_t s = stepi_value_span(value);
    const bool is_finite = value->bytes > 0 && stepi_is_digit(s.at[*s.at == '-' && value->bytes > 1 ? 1 : 0]);
    const bool is_text = w->entry->form == STEPI_FORM_TEXT;
    const bool is_percent = is_text && is_finite && STEPI_TAKE_LAST(&s, "%");
    if (stepi_span_is_json_number(s))
        is_text ? put_text_number(w, s, is_percent) : stepi_put(w->out, s.at, stepi_span_bytes(s));
    else if (!w->is_json)
        stepi_put(w->out, value->at, value->bytes);
    else if (STEPI_SPAN_IS(s, "nan") || STEPI_SPAN_IS(s, "inf") || STEPI_SPAN_IS(s, "-inf") ||
             STEPI_SPAN_IS(s, "nan%") || STEPI_SPAN_IS(s, "inf%") || STEPI_SPAN_IS(s, "-inf%"))
        stepi_put_literal(w->out, "null");
    else
        put_quoted(w, value);
}

/* Whether somebody's nested value may be passed on as it is: what must be escaped in strings must not stand there bare. */
static bool is_presentable(const stepi_value_t *value)
{
    static const stepi_stops_t none = { .count = 0 };
    for (size_t at = 0;;) {
        uint32_t code;
        at += stepi_plain_prefix(value->at + at, value->bytes - at, &none);
        if (at == value->bytes)
            return true;
        const int n = stepi_utf8_decode(value->at + at, value->bytes - at, &code);
        if (n == 0 || stepi_must_escape(code))
            return false;
        at += (size_t)n;
    }
}

static void put_value(writer_t *w, const stepi_value_t *value)
{
    switch ((stepi_value_type_t)value->type) {
    case STEPI_VALUE_NULL:
        stepi_put_literal(w->out, "null");
        break;
    case STEPI_VALUE_TRUE:
    case STEPI_VALUE_FALSE:
        stepi_put(w->out, value->at, value->bytes);
        break;
    case STEPI_VALUE_NUMBER:
        put_number(w, value);
        break;
    case STEPI_VALUE_SECRET:
        w->is_json ? put_quoted(w, value) : stepi_put(w->out, value->at, value->bytes);
        break;
    case STEPI_VALUE_NESTED:
        w->is_json &&is_presentable(value) ? stepi_put(w->out, value->at, value->bytes) : put_quoted(w, value);
        break;
    case STEPI_VALUE_STRING: {
        const stepi_text_t text = stepi_decode(w->reader, value);
        put_string(w, &text);
        break;
    }
    }
}

/* ---- Own members ---- */

static void begin_member(writer_t *w)
{
    if (w->is_begun)
        stepi_put_char(w->out, w->is_json ? ',' : ' ');
    w->is_begun = true;
    if (w->is_json)
        stepi_put_char(w->out, '"');
}

static void end_name(writer_t *w)
{
    if (w->is_json)
        stepi_put_literal(w->out, "\":");
    else
        stepi_put_char(w->out, '=');
}

static void begin_own(writer_t *w, stepi_own_t member)
{
    begin_member(w);
    stepi_put(w->out, stepi_own_name(member), strlen(stepi_own_name(member)));
    end_name(w);
}

static void put_word(writer_t *w, stepi_own_t member, const char *word)
{
    const stepi_text_t text = { .bytes = word, .length = (uint32_t)strlen(word), .original = strlen(word) };
    begin_own(w, member);
    put_string(w, &text);
}

/* Those whose names stand in no table. */
static void put_other_own(writer_t *w)
{
    stepi_field_walk_t walk = stepi_fields_of(w->reader, w->entry);
    stepi_field_t field;
    while (stepi_next_field(&walk, &field) && field.is_own) {
        const stepi_text_t name = stepi_decode(w->reader, &field.key);
        begin_member(w);
        stepi_put_escaped(w->out, &name, w->is_json ? &in_json_names : &in_logfmt_names);
        end_name(w);
        put_value(w, &field.value);
    }
}

static void put_own(writer_t *w)
{
    for (unsigned i = 0; i < STEPI_OWN_COUNT; i++) {
        const stepi_own_t member = (stepi_own_t)i;
        const stepi_value_t *value = stepi_own(w->entry, member);
        if (member == STEPI_OWN_EVENT) {
            put_word(w, member, stepi_event_name(w->entry->kind));
        } else if (member == STEPI_OWN_DEPTH) {
            put_other_own(w);
            begin_own(w, member);
            stepi_put_u64(w->out, w->entry->depth);
        } else if (value != NULL && member != STEPI_OWN_FIELDS_OMITTED) {
            begin_own(w, member);
            if (!w->is_json && stepi_is_id_member(member) && stepi_is_id(member, value))
                stepi_put(w->out, value->at, value->bytes); /* never in quotes */
            else
                put_value(w, value);
        }
    }
}

/* ---- The user's fields ---- */

/* How many there are, and room for so many names. */
static size_t begin_names(writer_t *w)
{
    stepi_field_walk_t walk = stepi_fields_of(w->reader, w->entry);
    stepi_field_t field;
    size_t fields = 0, own = STEPI_OWN_COUNT;
    while (stepi_next_field(&walk, &field))
        field.is_own ? own++ : fields++;
    const size_t room = fields > 0 ? stepi_keys_begin(&w->putter->keys, fields + own) : 0;
    if (room <= own)
        return 0;
    for (unsigned i = 0; i < STEPI_OWN_COUNT; i++) {
        const stepi_own_t member = (stepi_own_t)i;
        if (stepi_own(w->entry, member) != NULL && !stepi_own_is_reserved(member))
            stepi_keys_note(&w->putter->keys, stepi_own_name(member), strlen(stepi_own_name(member)));
    }
    return room - own < fields ? room - own : fields;
}

/* The key as a name that is spelled as in other lines, for those that compare names. */
static void put_comparable(writer_t *w, const stepi_text_t *key, stepi_out_t *names)
{
    const stepi_text_t whole = { .bytes = key->bytes, .length = key->length, .original = key->length };
    stepi_put_escaped(names, w->is_json ? key : &whole, w->is_json ? &in_json_names : &in_logfmt_names);
    if (!w->is_json && key->length == 0 && !stepi_is_cut(key))
        stepi_put_char(names, '\\');
    if (w->is_json || !stepi_is_cut(key))
        return;
    stepi_put_literal(names, STEPI_ELLIPSIS "[");
    stepi_put_u64(names, key->original);
    stepi_put_literal(names, "\\u0020bytes]");
}

/* The same on the line, where what only looks cut is told from what was. `cut` bytes at its end are the mark and what makes the
 * name the only one. */
static void put_name(writer_t *w, stepi_span_t name, const char *mark)
{
    while (name.at < mark) {
        const char *found = memmem(name.at, (size_t)(mark - name.at), STEPI_ELLIPSIS "[", 4);
        const char *end = found != NULL ? found : mark;
        stepi_put(w->out, name.at, (size_t)(end - name.at));
        name.at = end;
        if (found != NULL) {
            stepi_put_literal(w->out, "\\u2026");
            name.at += 3;
        }
    }
    stepi_put(w->out, name.at, stepi_span_bytes(name));
}

/* A name of the line's own that a user's key must not get. */
static void note_name(writer_t *w, const stepi_field_t *field, stepi_out_t *names)
{
    const stepi_text_t name = stepi_decode(w->reader, &field->key);
    const char *start = names->at;
    put_comparable(w, &name, names);
    if (!names->overflow)
        stepi_keys_note(&w->putter->keys, start, (size_t)(names->at - start));
}

static void put_field(writer_t *w, const stepi_field_t *field, stepi_out_t *names)
{
    const stepi_text_t key = stepi_decode(w->reader, &field->key);
    const stepi_text_t kept = { .bytes = key.bytes, .length = key.length, .original = key.length };
    const char *start = names->at;
    put_comparable(w, &key, names);
    stepi_out_t unmarked = stepi_out_over(names->at, (size_t)(names->end - names->at));
    const char *mark = names->at;
    if (stepi_is_cut(&key)) { /* how long the name is without its mark */
        put_comparable(w, &kept, &unmarked);
        mark = start + (unmarked.at - names->at);
    }
    stepi_keys_claim(&w->putter->keys, names, (size_t)(names->at - start));
    w->out->overflow |= unmarked.overflow || names->overflow;
    if (w->out->overflow)
        return;
    begin_member(w);
    put_name(w, (stepi_span_t){ start, names->at }, mark);
    end_name(w);
    put_value(w, &field->value);
}

/* Names need as much as all of a line may, which has no more room than the line: too little is an overflow like any. */
static bool make_names(writer_t *w, stepi_out_t *names)
{
    const size_t wanted = (size_t)(w->out->end - w->out->at) + 64;
    if (wanted > w->putter->names_size) {
        free(w->putter->names);
        w->putter->names = malloc(wanted);
        w->putter->names_size = w->putter->names != NULL ? wanted : 0;
    }
    *names = stepi_out_over(w->putter->names, w->putter->names_size);
    return w->putter->names != NULL;
}

static void put_fields(writer_t *w)
{
    stepi_out_t names;
    size_t left = begin_names(w);
    stepi_field_walk_t walk = stepi_fields_of(w->reader, w->entry);
    stepi_field_t field;
    if (left == 0)
        return;
    if (!make_names(w, &names)) {
        w->out->overflow = true;
        return;
    }
    while (left > 0 && stepi_next_field(&walk, &field)) {
        if (field.is_own) {
            note_name(w, &field, &names);
            continue;
        }
        put_field(w, &field, &names);
        left--;
    }
}

void stepi_put_as_members(stepi_putter_t *putter, stepi_reader_t *reader, const stepi_entry_t *entry, stepi_out_t *out)
{
    writer_t w = { .putter = putter,
                   .reader = reader,
                   .entry = entry,
                   .out = out,
                   .is_json = putter->options.form == STEPI_FORM_JSON };
    if (w.is_json)
        stepi_put_char(out, '{');
    put_own(&w);
    put_fields(&w);
    const stepi_value_t *omitted = stepi_own(entry, STEPI_OWN_FIELDS_OMITTED);
    if (omitted != NULL) {
        begin_own(&w, STEPI_OWN_FIELDS_OMITTED);
        put_value(&w, omitted);
    }
    if (w.is_json)
        stepi_put_char(out, '}');
    stepi_put_char(out, '\n');
}
