/* What most records say, and no more: a step that began or ended well, or a message, without fields or with those of a known
 * call site.
 *
 *     step()            header │ step, total │ (attempt) │ span │ description
 *     success()         header │ elapsed │ step, total │ (attempt) │ (shape │ values │ texts)
 *     quick success     header │ step, total │ description │ (shape │ values │ texts)
 *     message           header │ text │ (shape │ values │ texts)
 *
 * A line (record/line.h) has room for all that any record can say, and has to be cleared before it is filled; that costs as
 * much as the text. A brief is where things stand in the record. What says anything else, or is damaged, is none: it is
 * decoded. */
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
    int parts;             /* which of the four it is: STEPI_BRIEF_STEP, … */
    uint64_t operation;    /* its number; 0: none */
    uint64_t stamp;
    uint64_t span;   /* of step() */
    int64_t elapsed; /* of success(), in ticks. The description is then for the one who knows the operation */

    /* What the backend knows. */
    int64_t wall_ns, elapsed_ns;
} stepi_brief_t;

/* The parts of such records, aside from the shape, and from the attempt, which no format that takes briefs shows. Shorter than
 * _MIN are none: so elapsed and step lie within the record. */
enum {
    STEPI_BRIEF_MIN = 56,
    STEPI_BRIEF_ASIDE = STEPI_PART_SHAPE | STEPI_PART_ATTEMPT,
    STEPI_BRIEF_STEP = STEPI_PART_STEP | STEPI_PART_SPAN | STEPI_PART_DESCRIPTION,
    STEPI_BRIEF_SUCCESS = STEPI_PART_ELAPSED | STEPI_PART_STEP,
    STEPI_BRIEF_QUICK = STEPI_FLAG_DETACHED | STEPI_PART_STEP | STEPI_PART_DESCRIPTION,
    STEPI_BRIEF_MESSAGE = STEPI_PART_TEXT,
};

/* What lies behind the text at `at`; NULL where it is cut, NULL itself, or does not end within the record. */
static inline const uint8_t *stepi_brief_text(stepi_brief_t *brief, const uint8_t *at)
{
    uint32_t length;                                 /* that of a cut text, and of NULL, is longer than any record */
    if (brief->end - at < (ptrdiff_t)sizeof(length)) /* it may lie behind the end */
        return NULL;
    memcpy(&length, at, sizeof(length));
    at += sizeof(length);
    if (length > (size_t)(brief->end - at))
        return NULL;
    brief->text = (const char *)at;
    brief->text_bytes = length;
    return at + length;
}

static inline const uint8_t *stepi_brief_word(void *word, const uint8_t *at)
{
    memcpy(word, at, sizeof(uint64_t));
    return at + sizeof(uint64_t);
}

static inline const uint8_t *stepi_brief_span(stepi_brief_t *brief, const uint8_t *at)
{
    return brief->end - at >= (ptrdiff_t)sizeof(brief->span) ? stepi_brief_word(&brief->span, at) : NULL;
}

/* The parts before the shape, at `at`, of which the attempt takes so many bytes; what lies behind them, or NULL. */
static inline const uint8_t *stepi_brief_parts(stepi_brief_t *brief, int kind, const uint8_t *at, size_t attempt)
{
    brief->step = 0;
    switch (brief->parts) {
    case STEPI_BRIEF_QUICK:
        at = stepi_brief_word(&brief->step, at) + attempt;
        return kind == STEPI_STEP_SUCCESS ? stepi_brief_text(brief, at) : NULL;
    case STEPI_BRIEF_SUCCESS:
        at = stepi_brief_word(&brief->elapsed, at);
        return kind == STEPI_STEP_SUCCESS ? stepi_brief_word(&brief->step, at) + attempt : NULL;
    case STEPI_BRIEF_STEP:
        at = stepi_brief_span(brief, stepi_brief_word(&brief->step, at) + attempt);
        return kind == STEPI_STEP_START && at != NULL ? stepi_brief_text(brief, at) : NULL;
    case STEPI_BRIEF_MESSAGE:
        return kind == STEPI_MESSAGE ? stepi_brief_text(brief, at + attempt) : NULL;
    default:
        return NULL;
    }
}

/* The shape and the values, at `at`. False: fields bring their keys along, or they do not begin within the record. */
static inline bool stepi_brief_fields(stepi_brief_t *brief, const stepi_record_t *header, const uint8_t *at)
{
    const size_t shape_bytes = 2 * sizeof(brief->shape);
    brief->shape = 0;
    brief->values = at;
    if ((header->parts & STEPI_PART_SHAPE) == 0)
        return header->fields == 0;
    if (brief->end - at < (ptrdiff_t)shape_bytes)
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
    const size_t attempt = (header.parts & STEPI_PART_ATTEMPT) != 0 ? 2 * sizeof(uint32_t) : 0;
    brief->parts = header.parts & ~STEPI_BRIEF_ASIDE;
    const uint8_t *at = stepi_brief_parts(brief, header.kind, bytes + sizeof(header), attempt);
    if (at == NULL || at > brief->end || !stepi_brief_fields(brief, &header, at))
        return false;
    memcpy(&brief->what, bytes + offsetof(stepi_record_t, kind), sizeof(brief->what));
    brief->operation = header.operation;
    brief->stamp = header.stamp;
    return true;
}

#endif
