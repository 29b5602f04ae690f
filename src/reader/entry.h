/* An entry: one line of a log that was read, whichever format it is in.
 *
 *     [INFO] ✅ [2/4] Fetching models from API - SUCCESS (raw_count=2834, duration_ms=1523.7)
 *      level     step  description              event     the user's      own member
 *              total_steps                                fields
 *
 * Members have the names and the order that JSON lines give them. A value is the place in the line where it stands, and how it
 * is spelled there: nothing is copied or unescaped until somebody asks (stepi_decode()). So an entry holds as long as its line.
 * A number is kept as it is written, digit for digit. */
#ifndef STEPI_READER_ENTRY_H
#define STEPI_READER_ENTRY_H

#include "reader/span.h"
#include "record/line.h"

typedef enum stepi_form {
    STEPI_FORM_FOREIGN, /* a line that is none of ours */
    STEPI_FORM_TEXT,
    STEPI_FORM_JSON,
    STEPI_FORM_LOGFMT
} stepi_form_t;

typedef enum stepi_value_type {
    STEPI_VALUE_NULL,
    STEPI_VALUE_FALSE,
    STEPI_VALUE_TRUE,
    STEPI_VALUE_NUMBER,
    STEPI_VALUE_SECRET, /* *** */
    STEPI_VALUE_STRING,
    STEPI_VALUE_NESTED /* an array or object of JSON: none of ours */
} stepi_value_type_t;

typedef enum stepi_spelling {
    STEPI_SPELLED_PLAIN, /* the bytes are the text */
    STEPI_SPELLED_TEXT,  /* with the escapes of text lines, and a mark if it was cut */
    STEPI_SPELLED_JSON,  /* with those of JSON strings, and the mark */
    STEPI_SPELLED_KEY    /* a key of logfmt */
} stepi_spelling_t;

typedef struct stepi_value {
    const char *at;
    uint32_t bytes;
    uint8_t type;     /* stepi_value_type_t */
    uint8_t spelling; /* stepi_spelling_t, of strings */
} stepi_value_t;

/* X(id, name, is_reserved): what a line has of its own. A name that is not reserved is the user's, too, in lines that have
 * none of their own. */
#define STEPI_OWN_MEMBERS(X)                                                                                           \
    X(TS, "ts", true)                                                                                                  \
    X(LEVEL, "level", true)                                                                                            \
    X(EVENT, "event", true)                                                                                            \
    X(OPERATION, "operation", true)                                                                                    \
    X(STEP, "step", true)                                                                                              \
    X(TOTAL_STEPS, "total_steps", true)                                                                                \
    X(DESCRIPTION, "description", true)                                                                                \
    X(ATTEMPT, "attempt", false)                                                                                       \
    X(ERROR, "error", true)                                                                                            \
    X(REASON, "reason", false)                                                                                         \
    X(MESSAGE, "message", true)                                                                                        \
    X(DROPPED_RECORDS, "dropped_records", true)                                                                        \
    X(PROGRESS_DONE, "progress_done", true)                                                                            \
    X(PROGRESS_TOTAL, "progress_total", true)                                                                          \
    X(DURATION_MS, "duration_ms", true)                                                                                \
    X(TOTAL_DURATION_MS, "total_duration_ms", true)                                                                    \
    X(ERRNO, "errno", false)                                                                                           \
    X(FILE, "file", false)                                                                                             \
    X(LINE, "line", false)                                                                                             \
    X(SLOW, "slow", false)                                                                                             \
    X(SAMPLE_RATE, "sample_rate", false)                                                                               \
    X(FLIGHT_RECORDER, "flight_recorder", false)                                                                       \
    X(RECOVERED, "recovered", false)                                                                                   \
    X(DEPTH, "depth", true)                                                                                            \
    X(TRACE_ID, "trace_id", true)                                                                                      \
    X(SPAN_ID, "span_id", true)                                                                                        \
    X(PARENT_SPAN_ID, "parent_span_id", true)                                                                          \
    X(TRACE_FLAGS, "trace_flags", true)                                                                                \
    X(PID, "pid", true)                                                                                                \
    X(TID, "tid", true)                                                                                                \
    X(SEQ, "seq", true)                                                                                                \
    X(FIELDS_OMITTED, "fields_omitted", true)

typedef enum stepi_own {
#define STEPI_OWN_ID(id, name, is_reserved) STEPI_OWN_##id,
    STEPI_OWN_MEMBERS(STEPI_OWN_ID)
#undef STEPI_OWN_ID
        STEPI_OWN_COUNT
} stepi_own_t;

typedef struct stepi_entry {
    stepi_form_t form;
    stepi_kind_t kind;
    int level; /* a severity number */
    uint32_t depth;
    uint64_t has;                       /* 1 << stepi_own_t for each own member */
    stepi_value_t own[STEPI_OWN_COUNT]; /* only those of `has` */
    stepi_span_t fields;                /* text: the user's list; JSON and logfmt: all members */
} stepi_entry_t;

/* The value of an own member, or NULL if the line has none. */
static inline const stepi_value_t *stepi_own(const stepi_entry_t *entry, stepi_own_t member)
{
    return (entry->has >> member & 1) != 0 ? &entry->own[member] : NULL;
}

static inline void stepi_set_own(stepi_entry_t *entry, stepi_own_t member, stepi_value_t value)
{
    entry->own[member] = value;
    entry->has |= UINT64_C(1) << member;
}

static inline stepi_value_t stepi_value_of(stepi_span_t s, stepi_value_type_t type, stepi_spelling_t spelling)
{
    return (stepi_value_t){
        .at = s.at, .bytes = (uint32_t)stepi_span_bytes(s), .type = (uint8_t)type, .spelling = (uint8_t)spelling
    };
}

static inline stepi_span_t stepi_value_span(const stepi_value_t *value)
{
    return (stepi_span_t){ value->at, value->at + value->bytes };
}

/* What a member of an entry means as a number; false if it has none, or if that is none. Durations are in milliseconds in
 * every format. */
bool stepi_own_unsigned(const stepi_entry_t *entry, stepi_own_t member, uint64_t *number);
bool stepi_own_integer(const stepi_entry_t *entry, stepi_own_t member, int64_t *number);
bool stepi_own_double(const stepi_entry_t *entry, stepi_own_t member, double *number);

/* Whether an own member is one of the trace context's: a string, whatever its digits read as; and one as it has to be. */
bool stepi_is_id_member(stepi_own_t member);
bool stepi_is_id(stepi_own_t member, const stepi_value_t *value);

/* Whether the line has what lines of its kind have, and its numbers are such as ours: somebody else may use our words. */
bool stepi_entry_is_sound(const stepi_entry_t *entry);

/* When it was logged, in nanoseconds since the Unix epoch; false if the line does not say. */
bool stepi_entry_time(const stepi_entry_t *entry, int64_t *wall_ns);

/* What a value without quotes is, in text and in logfmt. */
stepi_value_type_t stepi_bare_type(stepi_span_t bare);

/* A decimal number, as RFC 8259 or any C library writes it; false for anything else. */
bool stepi_span_double(stepi_span_t s, double *number);

/* Whether all of it is a number as RFC 8259 has it. */
bool stepi_span_is_json_number(stepi_span_t s);

/* A time as RFC 3339 has it, in UTC or with an offset, with up to nine digits of fraction. */
bool stepi_span_time(stepi_span_t s, int64_t *wall_ns);

/* The name of an own member, and whether a user's key of that name is always renamed. */
const char *stepi_own_name(stepi_own_t member);
bool stepi_own_is_reserved(stepi_own_t member);

/* The value of `event` for a kind of line. */
const char *stepi_event_name(stepi_kind_t kind);

#endif
