/* From a record to what it says, believing no length before it was checked. */
#include "record/record.h"
#include "record/shape_file.h"

#include <string.h>

typedef struct reader {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
} reader_t;

#define TEXT_CUT 0x80000000u
#define FIELD_KEY_CUT 0x80u
#define FIELD_LEAST 4u /* bytes: type, decimals, the key's length */

/* After a failure there is nothing left. */
static inline const uint8_t *take(reader_t *r, size_t n)
{
    if (__builtin_expect((size_t)(r->end - r->at) < n, 0)) {
        r->failed = true;
        r->end = r->at;
        return NULL;
    }
    const uint8_t *at = r->at;
    r->at += n;
    return at;
}

static inline void take_into(reader_t *r, void *value, size_t n)
{
    const uint8_t *from = take(r, n);
    if (from != NULL)
        memcpy(value, from, n);
}

static inline stepi_text_t take_bytes(reader_t *r, uint32_t length, uint64_t original)
{
    const uint8_t *bytes = take(r, length);
    if (bytes == NULL)
        return (stepi_text_t){ 0 };
    return (stepi_text_t){ .bytes = (const char *)bytes, .length = length, .original = original };
}

static inline stepi_text_t take_text(reader_t *r)
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

/* What lies behind the value at `at`, and the value. */
static inline const uint8_t *read_64(const uint8_t *at, void *value)
{
    memcpy(value, at, 8);
    return at + 8;
}

static inline const uint8_t *read_32(const uint8_t *at, void *value)
{
    memcpy(value, at, 4);
    return at + 4;
}

/* How long a part without texts is; 0 where the record has none. */
static inline size_t part_bytes(uint16_t parts, uint16_t part, size_t bytes)
{
    return (parts & part) != 0 ? bytes : 0;
}

/* Behind the step, in order: what few records have. */
enum {
    RARE_PARTS = STEPI_PART_ATTEMPT | STEPI_PART_PROGRESS | STEPI_PART_OMITTED | STEPI_PART_TRACE | STEPI_PART_SPAN |
                 STEPI_PART_PLACE | STEPI_PART_BOUND
};

static size_t rare_bytes(uint16_t parts)
{
    return part_bytes(parts, STEPI_PART_ATTEMPT, 8) + part_bytes(parts, STEPI_PART_PROGRESS, 16) +
           part_bytes(parts, STEPI_PART_OMITTED, 8) + part_bytes(parts, STEPI_PART_TRACE, sizeof(stepi_trace_t)) +
           part_bytes(parts, STEPI_PART_SPAN, 8) + part_bytes(parts, STEPI_PART_PLACE, 8);
}

static void read_rare(const uint8_t *at, const stepi_shapes_t *shapes, stepi_decoded_t *out)
{
    stepi_line_t *line = &out->line;
    const uint16_t parts = out->parts;
    if (parts & STEPI_PART_ATTEMPT)
        at = read_32(read_32(at, &line->attempt), &line->error_number);
    if (parts & STEPI_PART_PROGRESS)
        at = read_64(read_64(at, &line->done), &line->goal);
    if (parts & STEPI_PART_OMITTED) {
        uint64_t omitted;
        at = read_64(at, &omitted);
        line->omitted = omitted < UINT32_MAX ? (uint32_t)omitted : UINT32_MAX;
    }
    if (parts & STEPI_PART_TRACE) {
        memcpy(&out->trace, at, sizeof(out->trace));
        at += sizeof(out->trace);
    }
    if (parts & STEPI_PART_SPAN)
        at = read_64(at, &out->span);
    if (parts & STEPI_PART_PLACE) {
        uint32_t number;
        read_32(at, &number);
        line->place = stepi_shapes_find(shapes, number);
    }
}

static inline void take_bound(reader_t *r, stepi_fields_t *bound)
{
    uint32_t bytes = 0, count = 0;
    take_into(r, &bytes, 4);
    take_into(r, &count, 4);
    r->failed |= count > bytes / FIELD_LEAST; /* formats make room for as many as there are said to be */
    *bound = (stepi_fields_t){ .at = take(r, bytes), .left = count };
    bound->end = r->at;
}

static bool take_rare(reader_t *r, const stepi_shapes_t *shapes, stepi_decoded_t *out)
{
    const uint8_t *at = take(r, rare_bytes(out->parts));
    if (at == NULL)
        return false;
    read_rare(at, shapes, out);
    if (out->parts & STEPI_PART_BOUND)
        take_bound(r, &out->bound);
    return !r->failed;
}

/* Through copies: a reader whose address is known to others would live in memory. */
__attribute__((noinline)) static bool take_rare_parts(const reader_t *from, const stepi_shapes_t *shapes, stepi_decoded_t *out, const uint8_t **end)
{
    reader_t r = *from;
    const bool taken = take_rare(&r, shapes, out);
    *end = r.at;
    return taken;
}

/* The parts with which records begin; they lie within the record. */
static inline void take_first_parts(reader_t *r, stepi_decoded_t *out)
{
    const uint16_t parts = out->parts;
    const uint8_t *at = take(r, part_bytes(parts, STEPI_PART_CLOCK, 16) + part_bytes(parts, STEPI_PART_ELAPSED, 8) +
                                    part_bytes(parts, STEPI_PART_STEP, 8));
    if (at == NULL)
        return;
    if (parts & STEPI_PART_CLOCK)
        at = read_64(read_64(at, &out->line.wall_ns), &out->ticks);
    if (parts & STEPI_PART_ELAPSED)
        at = read_64(at, &out->elapsed);
    if (parts & STEPI_PART_STEP)
        read_32(read_32(at, &out->line.step), &out->line.total);
}

static inline void take_parts(reader_t *r, const stepi_shapes_t *shapes, stepi_decoded_t *out)
{
    stepi_line_t *line = &out->line;
    take_first_parts(r, out);
    if (__builtin_expect((out->parts & RARE_PARTS) != 0, 0)) {
        const reader_t rest = *r;
        const uint8_t *end;
        r->failed |= !take_rare_parts(&rest, shapes, out, &end);
        r->at = end;
    }
    if (out->parts & STEPI_PART_OPERATION)
        line->operation = take_text(r);
    if (out->parts & STEPI_PART_DESCRIPTION)
        line->description = take_text(r);
    if (out->parts & STEPI_PART_TEXT)
        line->text = take_text(r);
}

/* The values stand first, so that the texts behind them are found by their lengths. */
static inline void take_shape(reader_t *r, uint32_t count, const stepi_shapes_t *shapes, stepi_fields_t *fields)
{
    uint32_t number = 0, unused = 0;
    take_into(r, &number, 4);
    take_into(r, &unused, 4);
    fields->shape = stepi_shapes_find(shapes, number);
    if (fields->shape == NULL || fields->shape->count != count) {
        r->failed = true;
        return;
    }
    fields->at = take(r, count * sizeof(uint64_t));
    fields->texts = r->at;
}

/* What few lines have, in blocks that compilers clear with plain stores: anything larger becomes a call or a slow instruction. */
static inline void clear_rare(stepi_line_t *line)
{
    enum {
        FROM = offsetof(stepi_line_t, elapsed_ns),
        BLOCK = 64,
        REST = offsetof(stepi_line_t, bound) - FROM - 2 * BLOCK,
    };
    _Static_assert(REST <= BLOCK, "one block more is needed");
    uint8_t *at = (uint8_t *)line + FROM;
    memset(at, 0, BLOCK);
    memset(at + BLOCK, 0, BLOCK);
    memset(at + 2 * BLOCK, 0, REST);
}

static inline void begin(stepi_decoded_t *out, const stepi_record_t *header)
{
    stepi_line_t *line = &out->line;
    clear_rare(line);
    line->bound.left = 0;
    line->attempt = 1;
    out->operation = header->operation;
    out->stamp = header->stamp;
    out->ticks = header->stamp;
    out->elapsed = 0;
    out->parts = header->parts;
    line->kind = (stepi_kind_t)header->kind;
    line->level = header->level;
    line->depth = header->depth;
    line->pid = line->tid = 0;
    line->has_operation = (header->parts & STEPI_PART_OPERATION) != 0;
    line->has_step = (header->parts & STEPI_PART_STEP) != 0;
    line->has_elapsed = (header->parts & STEPI_PART_ELAPSED) != 0;
    line->has_text = (header->parts & STEPI_PART_TEXT) != 0;
    line->wall_ns = 0;
    line->seq = header->seq;
}

/* shapes: NULL where they are this process's. */
static inline bool decode(const uint8_t *bytes, size_t size, const stepi_shapes_t *shapes, stepi_decoded_t *out)
{
    if (size < sizeof(stepi_record_t))
        return false;
    const stepi_record_t header = stepi_record_header(bytes);
    if (header.bytes < sizeof(header) || header.bytes > size || header.bytes % 8 != 0)
        return false;
    if (header.kind < STEPI_OPERATION_START || header.kind > STEPI_DROPPED)
        return false;
    begin(out, &header);
    reader_t r = { .at = bytes + sizeof(header), .end = bytes + header.bytes };
    take_parts(&r, shapes, out);
    stepi_fields_t *fields = &out->line.fields;
    fields->at = r.at;
    fields->end = r.end;
    fields->left = header.fields;
    fields->index = 0;
    fields->shape = NULL;
    if (out->parts & STEPI_PART_SHAPE)
        take_shape(&r, header.fields, shapes, fields);
    return !r.failed;
}

bool stepi_record_decode(const uint8_t *bytes, size_t size, stepi_decoded_t *out)
{
    return decode(bytes, size, NULL, out);
}

bool stepi_record_decode_foreign(const uint8_t *bytes, size_t size, const stepi_shapes_t *shapes, stepi_decoded_t *out)
{
    return decode(bytes, size, shapes, out);
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

bool stepi_fields_next(stepi_fields_t *fields, stepi_field_view_t *out)
{
    if (fields->left == 0)
        return false;
    if (fields->shape != NULL) {
        const uint32_t i = fields->index;
        const uint32_t bytes = fields->shape->key_bytes[i];
        out->key = (stepi_text_t){ .bytes = fields->shape->keys[i], .length = bytes, .original = bytes };
        return stepi_shape_next(fields, out);
    }
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
