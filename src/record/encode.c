/* From a call's arguments to a record, in one pass.
 *
 * The writer's room is checked before each piece, so that the common call touches every byte once and needs no
 * measuring pass. */
#include "record/record.h"

#include "base/utf8.h"
#include "record/redact.h"

#include <string.h>

typedef struct writer {
    uint8_t *at;
    uint8_t *end;
    size_t bound_cap; /* longer bound fields are left out, where texts are cut */
    size_t text_cap; /* longer texts: */
    bool cut;        /* cut them; otherwise give up */
    bool failed;
    const char *redact; /* patterns of keys whose values are secret; NULL: none */
} writer_t;

enum { KEY_MAX = 0xFFFF };
#define TEXT_CUT 0x80000000u
#define FIELD_KEY_CUT 0x80u

stepi_text_t stepi_text_of(const char *text)
{
    if (text == NULL)
        return (stepi_text_t){ 0 };
    const size_t length = strlen(text);
    return (stepi_text_t){ .bytes = text,
                           .length = length < STEPI_TEXT_NULL ? (uint32_t)length : STEPI_TEXT_NULL - 1,
                           .original = length };
}

static bool has_room(writer_t *w, size_t n)
{
    if ((size_t)(w->end - w->at) < n)
        w->failed = true;
    return !w->failed;
}

static void put_64(writer_t *w, const void *value)
{
    if (has_room(w, 8)) {
        memcpy(w->at, value, 8);
        w->at += 8;
    }
}

static void put_bytes(writer_t *w, const void *bytes, size_t n)
{
    if (has_room(w, n)) {
        memcpy(w->at, bytes, n);
        w->at += n;
    }
}

static void put_32_32(writer_t *w, uint32_t first, uint32_t second)
{
    if (has_room(w, 8)) {
        memcpy(w->at, &first, 4);
        memcpy(w->at + 4, &second, 4);
        w->at += 8;
    }
}

/* How much of a text goes in; fails the writer when it is too long and may not be cut. */
static uint32_t admitted(writer_t *w, const stepi_text_t *text, size_t cap)
{
    if (text->length <= cap)
        return text->length;
    if (!w->cut)
        w->failed = true;
    return (uint32_t)stepi_utf8_cut(text->bytes, text->length, cap);
}

static void put_text(writer_t *w, const stepi_text_t *text)
{
    const uint32_t n = text->bytes == NULL ? 0 : admitted(w, text, w->text_cap);
    const bool is_cut = text->bytes != NULL && n < text->original;
    const uint32_t head = text->bytes == NULL ? STEPI_TEXT_NULL : is_cut ? n | TEXT_CUT : n;
    if (!has_room(w, 4 + (is_cut ? 8u : 0u) + n))
        return;
    memcpy(w->at, &head, 4);
    w->at += 4;
    if (is_cut)
        put_64(w, &text->original);
    if (n > 0)
        memcpy(w->at, text->bytes, n);
    w->at += n;
}

static stepi_text_t key_of(const step_field_t *field)
{
    return stepi_text_of(field->key != NULL ? field->key : "null");
}

/* The type in the record, and the key. */
static void put_key(writer_t *w, const step_field_t *field, uint8_t type)
{
    const stepi_text_t key = key_of(field);
    const size_t cap = w->text_cap < KEY_MAX ? w->text_cap : KEY_MAX;
    const uint32_t n = admitted(w, &key, cap);
    const bool is_cut = n < key.original;
    if (!has_room(w, 4 + (is_cut ? 8u : 0u) + n))
        return;
    const uint16_t n16 = (uint16_t)n;
    w->at[0] = (uint8_t)(type | (is_cut ? FIELD_KEY_CUT : 0u));
    w->at[1] = type == STEP_FIELD_FIXED ? (uint8_t)field->bytes : 0;
    memcpy(w->at + 2, &n16, 2);
    w->at += 4;
    if (is_cut)
        put_64(w, &key.original);
    memcpy(w->at, key.bytes, n);
    w->at += n;
}

static stepi_text_t value_text(const step_field_t *field)
{
    if ((field->type & 0xFF) != STEP_FIELD_TEXT_N || field->value.text == NULL)
        return stepi_text_of(field->value.text);
    const uint32_t n = field->bytes < STEPI_TEXT_NULL ? field->bytes : STEPI_TEXT_NULL - 1;
    return (stepi_text_t){ .bytes = field->value.text, .length = n, .original = field->bytes };
}

static uint8_t type_of(const writer_t *w, const step_field_t *field)
{
    if (__builtin_expect(w->redact != NULL, 0)) {
        const stepi_text_t key = key_of(field);
        if (stepi_redacts(w->redact, (stepi_slice_t){ .bytes = key.bytes, .length = key.original }))
            return STEP_FIELD_SECRET;
    }
    return (uint8_t)(field->type & 0xFF);
}

static void put_field(writer_t *w, const step_field_t *field)
{
    const uint8_t type = type_of(w, field);
    switch (type) {
    case STEP_FIELD_I64:
    case STEP_FIELD_U64:
    case STEP_FIELD_F64:
    case STEP_FIELD_BOOL:
    case STEP_FIELD_FIXED:
    case STEP_FIELD_PERCENT:
        put_key(w, field, type);
        put_64(w, &field->value);
        break;
    case STEP_FIELD_SECRET:
        put_key(w, field, type);
        break;
    case STEP_FIELD_TEXT:
    case STEP_FIELD_TEXT_N: {
        const stepi_text_t text = value_text(field);
        put_key(w, field, STEP_FIELD_TEXT);
        put_text(w, &text);
        break;
    }
    default: { /* a binding's mistake: the key is kept */
        const stepi_text_t none = { 0 };
        put_key(w, field, STEP_FIELD_TEXT);
        put_text(w, &none);
        break;
    }
    }
}

/* They take half of the room at most: see STEPI_BOUND_SHARE. */
static void put_bound(writer_t *w, const stepi_bound_t *bound)
{
    const bool fits = !w->cut || bound->bytes <= w->bound_cap;
    put_32_32(w, fits ? bound->bytes : 0, fits ? bound->count : 0);
    if (fits)
        put_bytes(w, bound->at, bound->bytes);
}

/* The optional parts, names last. */
static void put_parts(writer_t *w, const stepi_draft_t *draft, uint16_t parts, uint64_t omitted)
{
    if (parts & STEPI_PART_CLOCK) {
        put_64(w, &draft->wall_ns);
        put_64(w, &draft->ticks);
    }
    if (parts & STEPI_PART_ELAPSED)
        put_64(w, &draft->elapsed);
    if (parts & STEPI_PART_STEP)
        put_32_32(w, (uint32_t)draft->step, (uint32_t)draft->total);
    if (parts & STEPI_PART_ATTEMPT)
        put_32_32(w, draft->attempt, (uint32_t)draft->error_number);
    if (parts & STEPI_PART_PROGRESS) {
        put_64(w, &draft->done);
        put_64(w, &draft->goal);
    }
    if (parts & STEPI_PART_OMITTED)
        put_64(w, &omitted);
    if (parts & STEPI_PART_TRACE)
        put_bytes(w, &draft->trace, sizeof(draft->trace));
    if (parts & STEPI_PART_SPAN)
        put_64(w, &draft->span);
    if (parts & STEPI_PART_PLACE)
        put_32_32(w, draft->place, 0);
    if (parts & STEPI_PART_BOUND)
        put_bound(w, draft->bound);
    if (parts & STEPI_PART_OPERATION)
        put_text(w, &draft->operation_name);
    if (parts & STEPI_PART_DESCRIPTION)
        put_text(w, &draft->description);
    if (parts & STEPI_PART_TEXT)
        put_text(w, &draft->text);
}

static size_t encode(const stepi_draft_t *draft, writer_t *w, size_t fields)
{
    uint8_t *const start = w->at;
    const uint16_t parts = (uint16_t)(draft->parts | (fields < draft->field_count ? STEPI_PART_OMITTED : 0));
    if (!has_room(w, sizeof(stepi_record_t)))
        return 0;
    w->at += sizeof(stepi_record_t);
    put_parts(w, draft, parts, draft->field_count - fields);
    for (size_t i = 0; i < fields && !w->failed; i++)
        put_field(w, &draft->fields[i]);
    const size_t padding = (size_t)(start - w->at) & 7;
    if (!has_room(w, padding))
        return 0;
    memset(w->at, 0, padding);
    w->at += padding;
    const stepi_record_t header = {
        .bytes = (uint32_t)(w->at - start),
        .seq = draft->seq,
        .stamp = draft->stamp,
        .operation = draft->operation,
        .kind = draft->kind,
        .level = draft->level,
        .parts = parts,
        .depth = (uint16_t)(draft->depth < UINT16_MAX ? draft->depth : UINT16_MAX),
        .fields = (uint16_t)fields,
    };
    memcpy(start, &header, sizeof(header));
    return header.bytes;
}

size_t stepi_record_encode(const stepi_draft_t *draft, uint8_t *to, size_t room, size_t text_cap)
{
    writer_t w = { .at = to, .end = to + room, .text_cap = text_cap, .redact = draft->redact };
    return draft->field_count <= UINT16_MAX ? encode(draft, &w, draft->field_count) : 0;
}

size_t stepi_record_encode_cut(const stepi_draft_t *draft, uint8_t *to, size_t room)
{
    size_t fields = draft->field_count < UINT16_MAX ? draft->field_count : UINT16_MAX;
    size_t cap = room;
    for (;;) {
        writer_t w = { .at = to, .end = to + room, .bound_cap = room / 2, .text_cap = cap, .cut = true, .redact = draft->redact };
        const size_t bytes = encode(draft, &w, fields);
        if (bytes > 0)
            return bytes;
        if (cap > 32)
            cap -= cap / 4; /* the longest texts give way first */
        else
            fields /= 2;
    }
}

size_t stepi_field_encode(const step_field_t *field, const char *redact, size_t text_cap, uint8_t *to, size_t room)
{
    writer_t w = { .at = to, .end = to + room, .text_cap = text_cap, .cut = true, .redact = redact };
    put_field(&w, field);
    return w.failed ? 0 : (size_t)(w.at - to);
}
