/* From a record to what it says, believing no length before it was checked. */
#include "record/record.h"
#include "record/shape.h"

#include <string.h>

typedef struct reader {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
} reader_t;

#define TEXT_CUT 0x80000000u
#define FIELD_KEY_CUT 0x80u

static const uint8_t *take(reader_t *r, size_t n)
{
    if (r->failed || (size_t)(r->end - r->at) < n) {
        r->failed = true;
        return NULL;
    }
    const uint8_t *at = r->at;
    r->at += n;
    return at;
}

static void take_into(reader_t *r, void *value, size_t n)
{
    const uint8_t *from = take(r, n);
    if (from != NULL)
        memcpy(value, from, n);
}

static stepi_text_t take_bytes(reader_t *r, uint32_t length, uint64_t original)
{
    const uint8_t *bytes = take(r, length);
    if (bytes == NULL)
        return (stepi_text_t){ 0 };
    return (stepi_text_t){ .bytes = (const char *)bytes, .length = length, .original = original };
}

static stepi_text_t take_text(reader_t *r)
{
    uint32_t head = STEPI_TEXT_NULL;
    take_into(r, &head, 4);
    if (head == STEPI_TEXT_NULL)
        return (stepi_text_t){ 0 };
    const uint32_t length = head & ~TEXT_CUT;
    uint64_t original = length;
    if (head & TEXT_CUT)
        take_into(r, &original, 8);
    return take_bytes(r, length, original);
}

static void take_parts(reader_t *r, stepi_decoded_t *out)
{
    stepi_line_t *line = &out->line;
    const uint16_t parts = out->parts;
    if (parts & STEPI_PART_CLOCK) {
        take_into(r, &line->wall_ns, 8);
        take_into(r, &out->ticks, 8);
    }
    if (parts & STEPI_PART_ELAPSED)
        take_into(r, &out->elapsed, 8);
    if (parts & STEPI_PART_STEP) {
        take_into(r, &line->step, 4);
        take_into(r, &line->total, 4);
    }
    if (parts & STEPI_PART_ATTEMPT) {
        take_into(r, &line->attempt, 4);
        take_into(r, &line->error_number, 4);
    }
    if (parts & STEPI_PART_PROGRESS) {
        take_into(r, &line->done, 8);
        take_into(r, &line->goal, 8);
    }
    if (parts & STEPI_PART_OMITTED) {
        uint64_t omitted = 0;
        take_into(r, &omitted, 8);
        line->omitted = omitted < UINT32_MAX ? (uint32_t)omitted : UINT32_MAX;
    }
    if (parts & STEPI_PART_OPERATION)
        line->operation = take_text(r);
    if (parts & STEPI_PART_DESCRIPTION)
        line->description = take_text(r);
    if (parts & STEPI_PART_TEXT)
        line->text = take_text(r);
}

/* The values stand first, so that the texts behind them are found by their lengths. */
static void take_shape(reader_t *r, uint32_t count, stepi_fields_t *fields)
{
    uint32_t number = 0, unused = 0;
    take_into(r, &number, 4);
    take_into(r, &unused, 4);
    fields->shape = stepi_shape_find(number);
    if (fields->shape == NULL || fields->shape->count != count) {
        r->failed = true;
        return;
    }
    fields->at = take(r, count * sizeof(uint64_t));
    fields->texts = r->at;
}

bool stepi_record_decode(const uint8_t *bytes, size_t size, stepi_decoded_t *out)
{
    stepi_record_t header;
    if (size < sizeof(header))
        return false;
    memcpy(&header, bytes, sizeof(header));
    if (header.bytes < sizeof(header) || header.bytes > size || header.bytes % 8 != 0)
        return false;
    if (header.kind < STEPI_OPERATION_START || header.kind > STEPI_DROPPED)
        return false;
    *out = (stepi_decoded_t){
        .operation = header.operation,
        .stamp = header.stamp,
        .ticks = header.stamp,
        .parts = header.parts,
        .line = { .kind = (stepi_kind_t)header.kind,
                  .level = header.level,
                  .depth = header.depth,
                  .seq = header.seq,
                  .attempt = 1 },
    };
    reader_t r = { .at = bytes + sizeof(header), .end = bytes + header.bytes };
    take_parts(&r, out);
    out->line.has_operation = (header.parts & STEPI_PART_OPERATION) != 0;
    out->line.has_step = (header.parts & STEPI_PART_STEP) != 0;
    out->line.has_elapsed = (header.parts & STEPI_PART_ELAPSED) != 0;
    out->line.has_text = (header.parts & STEPI_PART_TEXT) != 0;
    out->line.fields = (stepi_fields_t){ .at = r.at, .end = r.end, .left = header.fields };
    if (header.parts & STEPI_PART_SHAPE)
        take_shape(&r, header.fields, &out->line.fields);
    return !r.failed;
}

static void take_value(reader_t *r, stepi_field_view_t *out)
{
    switch (out->type) {
    case STEP_FIELD_I64:
    case STEP_FIELD_U64:
    case STEP_FIELD_F64:
    case STEP_FIELD_BOOL:
    case STEP_FIELD_FIXED:
    case STEP_FIELD_PERCENT:
        take_into(r, &out->number, 8);
        break;
    case STEP_FIELD_TEXT:
        out->text = take_text(r);
        break;
    case STEP_FIELD_SECRET:
        break;
    default:
        r->failed = true;
    }
}

static bool next_of_shape(stepi_fields_t *fields, stepi_field_view_t *out)
{
    const stepi_shape_t *shape = fields->shape;
    const uint32_t i = fields->index++;
    const uint32_t key_bytes = shape->key_bytes[i];
    *out = (stepi_field_view_t){ .type = shape->types[i],
                                 .decimals = shape->decimals[i],
                                 .key = { .bytes = shape->keys[i], .length = key_bytes, .original = key_bytes } };
    memcpy(&out->number, fields->at + i * sizeof(uint64_t), sizeof(uint64_t));
    fields->left--;
    if ((shape->texts >> i & 1) == 0 || out->number.u64 == STEPI_TEXT_NULL)
        return true;
    if (out->number.u64 > (size_t)(fields->end - fields->texts)) {
        fields->left = 0;
        return false;
    }
    const uint32_t length = (uint32_t)out->number.u64;
    out->text = (stepi_text_t){ .bytes = (const char *)fields->texts, .length = length, .original = length };
    fields->texts += length;
    return true;
}

bool stepi_fields_next(stepi_fields_t *fields, stepi_field_view_t *out)
{
    if (fields->left == 0)
        return false;
    if (fields->shape != NULL)
        return next_of_shape(fields, out);
    reader_t r = { .at = fields->at, .end = fields->end };
    uint8_t head[2] = { 0, 0 };
    uint16_t key_length = 0;
    take_into(&r, head, 2);
    take_into(&r, &key_length, 2);
    uint64_t key_original = key_length;
    if (head[0] & FIELD_KEY_CUT)
        take_into(&r, &key_original, 8);
    *out = (stepi_field_view_t){ .type = (uint8_t)(head[0] & ~FIELD_KEY_CUT), .decimals = head[1] };
    out->key = take_bytes(&r, key_length, key_original);
    take_value(&r, out);
    fields->at = r.at;
    fields->left = r.failed ? 0 : fields->left - 1;
    return !r.failed;
}
