/* What most records say, and no more: a step that ended well, or a message, without fields or with those of a known call site.
 *
 *     success()         header │ elapsed │ step, total │ (shape │ values │ texts)
 *     quick success     header │ step, total │ description │ (shape │ values │ texts)
 *     message           header │ text │ (shape │ values │ texts)
 *
 * A line (record/line.h) has room for all that any record can say, and has to be cleared before it is filled; that costs as much as
 * the text. A brief is where things stand in the record. What says anything else, or is damaged, is none: it is decoded. */
#ifndef STEPI_RECORD_BRIEF_H
#define STEPI_RECORD_BRIEF_H

#include "record/record.h"

typedef struct stepi_brief {
    const uint8_t *record;
    const uint8_t *end; /* of the record */
    uint64_t what;      /* the header's last word: kind, level, parts, depth, and how many fields there are */
    uint64_t step;      /* step and total, as they lie in the record; 0: it is a message */
    const char *text;   /* the step's description, or the message: whole, and not NULL */
    uint32_t text_bytes;
    uint32_t shape;        /* its number, which nobody has looked up yet; 0: there are no fields */
    const uint8_t *values; /* nor has anybody looked whether all of them lie within the record, as the number does */
    bool is_message;
    bool has_elapsed;   /* it is success(), and its description is for the one who knows the operation */
    uint64_t operation; /* its number; 0: none */
    uint64_t stamp;
    int64_t elapsed; /* ticks */

    /* What the backend knows. */
    int64_t wall_ns, elapsed_ns;
} stepi_brief_t;

/* The parts of such records, the shape aside. Shorter than _MIN are none: so whatever is of fixed length and stands before the shape lies
 * within the record. */
enum {
    STEPI_BRIEF_MIN = 56,
    STEPI_BRIEF_SUCCESS = STEPI_PART_ELAPSED | STEPI_PART_STEP,
    STEPI_BRIEF_QUICK = STEPI_FLAG_DETACHED | STEPI_PART_STEP | STEPI_PART_DESCRIPTION,
    STEPI_BRIEF_MESSAGE = STEPI_PART_TEXT,
};

/* What lies behind the text at `at`; NULL where it is cut, NULL itself, or does not end within the record. */
static inline const uint8_t *stepi_brief_text(stepi_brief_t *brief, const uint8_t *at)
{
    uint32_t length; /* that of a cut text, and of NULL, is longer than any record */
    memcpy(&length, at, sizeof(length));
    at += sizeof(length);
    if (length > (size_t)(brief->end - at))
        return NULL;
    brief->text = (const char *)at;
    brief->text_bytes = length;
    return at + length;
}

static inline const uint8_t *stepi_brief_step(stepi_brief_t *brief, const uint8_t *at)
{
    memcpy(&brief->step, at, sizeof(brief->step));
    return at + sizeof(brief->step);
}

/* The parts before the shape, at `at`; what lies behind them, or NULL. */
static inline const uint8_t *stepi_brief_parts(stepi_brief_t *brief, const stepi_record_t *header, const uint8_t *at)
{
    const int parts = header->parts & ~STEPI_PART_SHAPE;
    brief->is_message = header->kind == STEPI_MESSAGE && parts == STEPI_BRIEF_MESSAGE;
    brief->has_elapsed = header->kind == STEPI_STEP_SUCCESS && parts == STEPI_BRIEF_SUCCESS;
    brief->step = 0;
    if (header->kind == STEPI_STEP_SUCCESS && parts == STEPI_BRIEF_QUICK)
        return stepi_brief_text(brief, stepi_brief_step(brief, at));
    if (brief->is_message)
        return stepi_brief_text(brief, at);
    if (!brief->has_elapsed)
        return NULL;
    memcpy(&brief->elapsed, at, sizeof(brief->elapsed));
    return stepi_brief_step(brief, at + sizeof(brief->elapsed));
}

/* The shape and the values, at `at`. False: fields bring their keys along, or they do not begin within the record. */
static inline bool stepi_brief_fields(stepi_brief_t *brief, const stepi_record_t *header, const uint8_t *at)
{
    const size_t shape_bytes = 2 * sizeof(brief->shape);
    brief->shape = 0;
    brief->values = at;
    if ((header->parts & STEPI_PART_SHAPE) == 0)
        return header->fields == 0;
    if ((size_t)(brief->end - at) < shape_bytes)
        return false;
    memcpy(&brief->shape, at, sizeof(brief->shape));
    brief->values = at + shape_bytes;
    return brief->shape != 0;
}

/* False: the record at bytes[0..size) is no such one. */
static inline bool stepi_brief_read(const uint8_t *bytes, size_t size, stepi_brief_t *brief)
{
    const stepi_record_t header = stepi_record_header(bytes);
    if (header.bytes < STEPI_BRIEF_MIN || header.bytes > size || header.bytes % 8 != 0)
        return false;
    brief->record = bytes;
    brief->end = bytes + header.bytes;
    const uint8_t *at = stepi_brief_parts(brief, &header, bytes + sizeof(header));
    if (at == NULL || !stepi_brief_fields(brief, &header, at))
        return false;
    memcpy(&brief->what, bytes + offsetof(stepi_record_t, kind), sizeof(brief->what));
    brief->operation = header.operation;
    brief->stamp = header.stamp;
    return true;
}

#endif
