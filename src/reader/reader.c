#include "reader/reader.h"

#include "reader/decode.h"
#include "reader/members.h"
#include "reader/names.h"
#include "reader/text.h"
#include "reader/text_list.h"

#include <stdlib.h>

/* Room for what of a line is decoded. It grows with the lines, up to what the longest one needs. */
struct stepi_reader {
    char *room;
    size_t size, used;
    size_t base; /* where what is decoded begins: the line without its colours lies before it */
    stepi_names_t names;
};

enum { ROOM_FIRST = 64 * 1024 };

stepi_reader_t *stepi_reader_new(void)
{
    return calloc(1, sizeof(stepi_reader_t));
}

void stepi_reader_free(stepi_reader_t *reader)
{
    if (reader == NULL)
        return;
    free(reader->room);
    stepi_names_free(&reader->names);
    free(reader);
}

/* Everything of a line without its colours, without escapes, and names in the spelling that they are compared in, twice. */
static bool make_room(stepi_reader_t *reader, size_t line)
{
    const size_t wanted = 4 * line + 1;
    reader->used = 0;
    reader->base = 0;
    if (wanted <= reader->size)
        return true;
    size_t size = reader->size > 0 ? reader->size : ROOM_FIRST;
    while (size < wanted)
        size *= 2;
    free(reader->room);
    reader->room = malloc(size);
    reader->size = reader->room != NULL ? size : 0;
    return reader->room != NULL;
}

/* ---- Lines ---- */

/* The line without `ESC [ ... letter`. */
static stepi_span_t without_colors(stepi_reader_t *reader, stepi_span_t line)
{
    char *to = reader->room + reader->used;
    const stepi_span_t plain = { to, to };
    while (line.at < line.end) {
        if (line.end - line.at >= 2 && line.at[0] == '\033' && line.at[1] == '[') {
            line.at += 2;
            while (line.at < line.end && (stepi_is_digit(*line.at) || *line.at == ';'))
                line.at++;
            line.at += line.at < line.end ? 1 : 0;
            continue;
        }
        *to++ = *line.at++;
    }
    reader->used += (size_t)(to - plain.at);
    reader->base = reader->used;
    return (stepi_span_t){ plain.at, to };
}

/* Whether a line of text is coloured: then its time is, or its level. */
static bool is_colored(stepi_span_t s)
{
    while (s.at < s.end && *s.at == ' ')
        s.at++;
    stepi_take_char(&s, '[');
    return s.at < s.end && *s.at == '\033';
}

static bool read_any(stepi_reader_t *reader, stepi_span_t line, stepi_entry_t *entry)
{
    if (*line.at == '{')
        return stepi_read_members(STEPI_FORM_JSON, (stepi_span_t){ line.at + 1, line.end }, entry);
    if (*line.at >= 'a' && *line.at <= 'z')
        return stepi_read_members(STEPI_FORM_LOGFMT, line, entry);
    if (is_colored(line))
        line = without_colors(reader, line);
    return stepi_read_text(line, entry);
}

bool stepi_read_line(stepi_reader_t *reader, stepi_span_t line, stepi_entry_t *entry)
{
    entry->form = STEPI_FORM_FOREIGN;
    stepi_take_last(&line, "\n", 1);
    stepi_take_last(&line, "\r", 1);
    if (line.at == line.end || stepi_span_bytes(line) > STEPI_LINE_MAX || !make_room(reader, stepi_span_bytes(line)))
        return false;
    return read_any(reader, line, entry);
}

stepi_text_t stepi_decode(stepi_reader_t *reader, const stepi_value_t *value)
{
    if (reader->size - reader->used < value->bytes) /* the same things were decoded again and again */
        reader->used = reader->base;
    char *to = reader->room + reader->used;
    const stepi_text_t text = stepi_decode_into(to, value);
    if (text.bytes == to)
        reader->used += text.length;
    return text;
}

/* ---- Fields ---- */

stepi_field_walk_t stepi_fields_of(stepi_reader_t *reader, const stepi_entry_t *entry)
{
    return (stepi_field_walk_t){ .reader = reader, .entry = entry, .rest = entry->fields };
}

/* The name in the spelling that names are compared in: `…` may be written \u2026, so that a text that looks cut is told from
 * one that was. */
static stepi_span_t comparable(stepi_reader_t *reader, stepi_span_t name)
{
    static const char spelled[] = "\\u2026";
    if (memmem(name.at, stepi_span_bytes(name), spelled, 6) == NULL ||
        reader->size - reader->used < stepi_span_bytes(name))
        return name;
    char *to = reader->room + reader->used;
    const char *start = to;
    while (name.at < name.end) {
        if (*name.at == '\\' && stepi_take(&name, spelled, 6)) {
            memcpy(to, "\xE2\x80\xA6", 3);
            to += 3;
            continue;
        }
        if (*name.at == '\\' && name.end - name.at >= 2)
            *to++ = *name.at++;
        *to++ = *name.at++;
    }
    reader->used += (size_t)(to - start);
    return (stepi_span_t){ start, to };
}

/* The table gets the names that came before, once there is a name for which it matters. */
static void learn_names(stepi_field_walk_t *walk, const char *before)
{
    stepi_span_t rest = walk->entry->fields;
    stepi_member_view_t member;
    stepi_names_clear(&walk->reader->names);
    while (stepi_next_member(walk->entry->form, &rest, &member) == STEPI_MORE_MEMBER && member.name.at < before)
        stepi_names_add(&walk->reader->names, comparable(walk->reader, member.name));
    walk->knows_names = true;
}

/* The key that a member's name stands for, as it is written. */
static stepi_span_t key_of(stepi_field_walk_t *walk, stepi_span_t name)
{
    const bool has_suffix = stepi_has_suffix(name);
    stepi_span_t key;
    if (!has_suffix && !walk->knows_names)
        return name;
    if (!walk->knows_names)
        learn_names(walk, name.at);
    const stepi_span_t compared = comparable(walk->reader, name);
    const bool is_renamed = has_suffix && stepi_names_undo(&walk->reader->names, compared, &key);
    stepi_names_add(&walk->reader->names, compared);
    return is_renamed ? (stepi_span_t){ name.at, name.end - (compared.end - key.end) } : name;
}

/* What stands there is none of the user's. */
static bool stands_before_depth(const stepi_field_walk_t *walk)
{
    return (walk->seen >> STEPI_OWN_DEPTH & 1) == 0 && stepi_own(walk->entry, STEPI_OWN_DEPTH) != NULL;
}

static bool next_member(stepi_field_walk_t *walk, stepi_field_t *field)
{
    stepi_member_view_t member;
    while (stepi_next_member(walk->entry->form, &walk->rest, &member) == STEPI_MORE_MEMBER) {
        const stepi_own_t own = stepi_own_named(member.name);
        if (stepi_is_own(own, walk->seen)) {
            walk->seen |= UINT64_C(1) << own;
            if (walk->knows_names)
                stepi_names_add(&walk->reader->names, member.name);
            continue;
        }
        const bool is_json = walk->entry->form == STEPI_FORM_JSON;
        field->is_own = stands_before_depth(walk);
        field->key = stepi_value_of(field->is_own ? member.name : key_of(walk, member.name), STEPI_VALUE_STRING,
                                    is_json ? STEPI_SPELLED_JSON : STEPI_SPELLED_KEY);
        field->value = member.value;
        return true;
    }
    return false;
}

bool stepi_next_field(stepi_field_walk_t *walk, stepi_field_t *field)
{
    field->is_own = false;
    if (walk->entry->form == STEPI_FORM_TEXT)
        return stepi_next_in_list(&walk->rest, &field->key, &field->value);
    return next_member(walk, field);
}
