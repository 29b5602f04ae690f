/* The record: what travels from a call to the backend.
 *
 *     0      4          8     16      24          32    33     34      36      38       40
 *     ┌──────┬──────────┬─────┬───────┬───────────┬─────┬──────┬───────┬───────┬────────┬─────────┬────────┬───┐
 *     │bytes │ checksum │ seq │ stamp │ operation │kind │level │ parts │ depth │ fields │ parts … │ fields…│pad│
 *     └──────┴──────────┴─────┴───────┴───────────┴─────┴──────┴───────┴───────┴────────┴─────────┴────────┴───┘
 *
 * Self-contained and file-ready: lengths and copies only, no pointers; a multiple of 8 bytes, host byte order. `parts` says
 * which optional parts follow, in the order of the enum. Names travel once: with start() and step(); later records carry
 * the operation's number, and names again only where the reader may have missed them. Keys and types of a call site travel once,
 * too, if they are always the same (record/shape.h).
 *
 * Encoding writes straight into the ring and gives up when something is too long or finds no room; the caller then takes
 * the slow way, where texts are cut to a cap (on a code point's boundary, with their original length) until the record
 * fits. A record is never dropped for its size. Decoding checks every length: a damaged record is refused, not believed. */
#ifndef STEPI_RECORD_RECORD_H
#define STEPI_RECORD_RECORD_H

#include "record/bound.h"
#include "record/line.h"

#include <step_logger.h>

#include <string.h>

typedef struct stepi_record {
    uint32_t bytes;
    uint32_t checksum; /* 0: none; see record/seal.h */
    uint64_t seq;      /* of the thread's records, lost ones included */
    uint64_t stamp;    /* orders records across threads: ticks, or the injected clock's nanoseconds */
    uint64_t operation;
    uint8_t kind;
    uint8_t level;
    uint16_t parts;
    uint16_t depth;
    uint16_t fields;
} stepi_record_t;

enum {
    STEPI_PART_CLOCK = 1,       /* int64 wall_ns, uint64 ticks: there is an injected clock. Without it stamp is ticks */
    STEPI_PART_ELAPSED = 2,     /* int64: ticks, or nanoseconds with STEPI_PART_CLOCK */
    STEPI_PART_STEP = 4,        /* int32 step, int32 total */
    STEPI_PART_ATTEMPT = 8,     /* uint32 attempt, int32 errno */
    STEPI_PART_PROGRESS = 16,   /* uint64 done, uint64 goal */
    STEPI_PART_OMITTED = 32,    /* uint64: fields that found no room */
    STEPI_PART_OPERATION = 64,  /* text */
    STEPI_PART_DESCRIPTION = 128,
    STEPI_PART_TEXT = 256,
    STEPI_FLAG_QUIET = 512,     /* its line is off: the record only keeps the backend's picture of the operation right */
    STEPI_FLAG_DETACHED = 1024, /* names in it are the record's own, not the operation's (quick functions) */
    STEPI_PART_TRACE = 4096,    /* stepi_trace_t: with the operation's name */
    STEPI_PART_SPAN = 8192,     /* uint64: of the step, with its description */
    STEPI_PART_PLACE = 16384,   /* uint32 number, uint32 0: of the shape that knows the call's file and line */
    STEPI_PART_BOUND = 32768,   /* uint32 bytes, uint32 count, and as many fields: with the operation's name */
    STEPI_PART_SHAPE = 2048     /* uint32 number, uint32 0: the fields are a shape's. Then uint64 values, then the texts whose
                                   lengths stand among the values */
};
enum { STEPI_TEXT_NULL = 0x7FFFFFFF /* the length of a NULL text */ };

#define STEPI_RECORD_MIN sizeof(stepi_record_t)

/* The last word of a header. */
static inline uint64_t stepi_record_word(stepi_kind_t kind, int level, uint32_t parts, uint32_t depth, uint32_t fields)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return (uint64_t)kind | (uint64_t)(uint8_t)level << 8 | (uint64_t)(uint16_t)parts << 16 |
           (uint64_t)(uint16_t)depth << 32 | (uint64_t)(uint16_t)fields << 48;
#else
    return (uint64_t)kind << 56 | (uint64_t)(uint8_t)level << 48 | (uint64_t)(uint16_t)parts << 32 |
           (uint64_t)(uint16_t)depth << 16 | (uint64_t)(uint16_t)fields;
#endif
}

/* The header of a record. Member by member: as a block it would be copied to memory first. The checksum is not looked at. */
static inline stepi_record_t stepi_record_header(const uint8_t *bytes)
{
    stepi_record_t header = { .checksum = 0 };
#define STEPI_READ(member) memcpy(&header.member, bytes + offsetof(stepi_record_t, member), sizeof(header.member))
    STEPI_READ(bytes);
    STEPI_READ(seq);
    STEPI_READ(stamp);
    STEPI_READ(operation);
    STEPI_READ(kind);
    STEPI_READ(level);
    STEPI_READ(parts);
    STEPI_READ(depth);
    STEPI_READ(fields);
#undef STEPI_READ
    return header;
}

/* What a call wants recorded. Texts with bytes == NULL and length 0 are NULL; `parts` says which members count. */
typedef struct stepi_draft {
    uint8_t kind;
    uint8_t level;
    uint16_t parts;
    uint32_t depth;
    uint64_t operation;
    uint64_t seq, stamp;
    int64_t wall_ns;
    uint64_t ticks;
    int64_t elapsed;
    int32_t step, total;
    uint32_t attempt;
    int32_t error_number;
    uint64_t done, goal;
    stepi_text_t operation_name, description, text;
    stepi_trace_t trace;
    uint64_t span;
    uint32_t place; /* a shape's number */
    const struct stepi_bound *bound;
    const char *redact; /* patterns of keys whose values are secret; NULL: none */
    const step_field_t *fields;
    size_t field_count;
} stepi_draft_t;

/* Encodes into to[0..room). Returns the record's bytes, or 0 when it does not fit or a text is longer than text_cap. */
size_t stepi_record_encode(const stepi_draft_t *draft, uint8_t *to, size_t room, size_t text_cap);

/* The slow way: always fits if room >= 512. Texts are cut, and if need be fields left out and counted. */
size_t stepi_record_encode_cut(const stepi_draft_t *draft, uint8_t *to, size_t room);

/* One field, as records hold them; texts longer than text_cap are cut. Returns its bytes, 0 when it does not fit. */
size_t stepi_field_encode(const step_field_t *field, const char *redact, size_t text_cap, uint8_t *to, size_t room);

/* Text of a C string; NULL stays NULL. */
stepi_text_t stepi_text_of(const char *text);

/* What a record says. `line` lacks only what the backend knows: names that travelled before, times, pid and tid. */
typedef struct stepi_decoded {
    uint64_t operation;
    uint64_t stamp;
    uint64_t ticks; /* when, by the machine */
    int64_t elapsed;
    uint16_t parts;
    stepi_trace_t trace; /* with STEPI_PART_TRACE */
    uint64_t span;       /* with STEPI_PART_SPAN */
    stepi_fields_t bound; /* with STEPI_PART_BOUND */
    stepi_line_t line;
} stepi_decoded_t;

/* Decodes the record at bytes[0..size). False when it is damaged; *out is then undefined. */
bool stepi_record_decode(const uint8_t *bytes, size_t size, stepi_decoded_t *out);

/* The same for a record of another process, whose shapes are these. */
struct stepi_shapes;
bool stepi_record_decode_foreign(const uint8_t *bytes, size_t size, const struct stepi_shapes *shapes, stepi_decoded_t *out);

#endif
