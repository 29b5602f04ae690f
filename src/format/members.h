/* Formats that write a line as members with names, JSON and logfmt: which members a line has, their names and their
 * order, and the user's fields behind them, are the same in all. They differ in how a member is written, and in that alone:
 *
 *     {"ts":"2026-…Z","level":"INFO","event":"step_success","operation":"Sync",…,"seq":3,"rows":7}
 *     ts=2026-…Z level=INFO event=step_success operation=Sync … seq=3 rows=7
 *
 * A format is a dialect: pieces of text that stand around names and values, and what writes a string. */
#ifndef STEPI_FORMAT_MEMBERS_H
#define STEPI_FORMAT_MEMBERS_H

#include "base/out.h"
#include "record/line.h"

#include <step_logger.h>

/* A text of at most STEPI_PADDING bytes, copied as a whole block. */
typedef struct stepi_piece {
    uint32_t length;
    char bytes[STEPI_PADDING];
} stepi_piece_t;

#define STEPI_PIECE(text)                                                                                              \
    {                                                                                                                  \
        sizeof(text) - 1, "" text ""                                                                                   \
    }

/* Members that lines have of their own, behind time, level and event. */
typedef enum stepi_member {
    STEPI_MEMBER_OPERATION,
    STEPI_MEMBER_STEP,
    STEPI_MEMBER_TOTAL_STEPS,
    STEPI_MEMBER_DESCRIPTION,
    STEPI_MEMBER_ATTEMPT,
    STEPI_MEMBER_ERROR,
    STEPI_MEMBER_REASON,
    STEPI_MEMBER_MESSAGE,
    STEPI_MEMBER_DROPPED_RECORDS,
    STEPI_MEMBER_PROGRESS_DONE,
    STEPI_MEMBER_PROGRESS_TOTAL,
    STEPI_MEMBER_DURATION_MS,
    STEPI_MEMBER_TOTAL_DURATION_MS,
    STEPI_MEMBER_ERRNO,
    STEPI_MEMBER_FILE,
    STEPI_MEMBER_LINE,
    STEPI_MEMBER_SLOW,
    STEPI_MEMBER_SAMPLE_RATE,
    STEPI_MEMBER_FLIGHT_RECORDER,
    STEPI_MEMBER_RECOVERED,
    STEPI_MEMBER_DEPTH,
    STEPI_MEMBER_TRACE_ID,
    STEPI_MEMBER_SPAN_ID,
    STEPI_MEMBER_PARENT_SPAN_ID,
    STEPI_MEMBER_TRACE_FLAGS,
    STEPI_MEMBER_PID,
    STEPI_MEMBER_TID,
    STEPI_MEMBER_SEQ,
    STEPI_MEMBER_FIELDS_OMITTED,
    STEPI_MEMBER_COUNT
} stepi_member_t;

/* clang-format off */
/* The tables of a dialect, from what it writes around names. Whatever is here is reserved in keys.c or, where only some
 * lines have it, noted as taken: so a user's key can never be taken for ours, and `attempt` stays the user's in all other
 * lines. The ids stand between `quote`s, which go with the names: each id is followed by a name, or by the dialect's
 * behind_ids. */
#define STEPI_MEMBER_NAMES(before, behind, quote)                                                                             \
    {                                                                                                                  \
        [STEPI_MEMBER_OPERATION] = STEPI_PIECE(before "operation" behind),                                             \
        [STEPI_MEMBER_STEP] = STEPI_PIECE(before "step" behind),                                                       \
        [STEPI_MEMBER_TOTAL_STEPS] = STEPI_PIECE(before "total_steps" behind),                                         \
        [STEPI_MEMBER_DESCRIPTION] = STEPI_PIECE(before "description" behind),                                         \
        [STEPI_MEMBER_ATTEMPT] = STEPI_PIECE(before "attempt" behind),                                                 \
        [STEPI_MEMBER_ERROR] = STEPI_PIECE(before "error" behind),                                                     \
        [STEPI_MEMBER_REASON] = STEPI_PIECE(before "reason" behind),                                                   \
        [STEPI_MEMBER_MESSAGE] = STEPI_PIECE(before "message" behind),                                                 \
        [STEPI_MEMBER_DROPPED_RECORDS] = STEPI_PIECE(before "dropped_records" behind),                                 \
        [STEPI_MEMBER_PROGRESS_DONE] = STEPI_PIECE(before "progress_done" behind),                                     \
        [STEPI_MEMBER_PROGRESS_TOTAL] = STEPI_PIECE(before "progress_total" behind),                                   \
        [STEPI_MEMBER_DURATION_MS] = STEPI_PIECE(before "duration_ms" behind),                                         \
        [STEPI_MEMBER_TOTAL_DURATION_MS] = STEPI_PIECE(before "total_duration_ms" behind),                             \
        [STEPI_MEMBER_ERRNO] = STEPI_PIECE(before "errno" behind),                                                     \
        [STEPI_MEMBER_FILE] = STEPI_PIECE(before "file" behind),                                                       \
        [STEPI_MEMBER_LINE] = STEPI_PIECE(before "line" behind),                                                       \
        [STEPI_MEMBER_SLOW] = STEPI_PIECE(before "slow" behind),                                                       \
        [STEPI_MEMBER_SAMPLE_RATE] = STEPI_PIECE(before "sample_rate" behind),                                         \
        [STEPI_MEMBER_FLIGHT_RECORDER] = STEPI_PIECE(before "flight_recorder" behind),                                 \
        [STEPI_MEMBER_RECOVERED] = STEPI_PIECE(before "recovered" behind),                                             \
        [STEPI_MEMBER_DEPTH] = STEPI_PIECE(before "depth" behind),                                                     \
        [STEPI_MEMBER_TRACE_ID] = STEPI_PIECE(before "trace_id" behind quote),                                         \
        [STEPI_MEMBER_SPAN_ID] = STEPI_PIECE(quote before "span_id" behind quote),                                     \
        [STEPI_MEMBER_PARENT_SPAN_ID] = STEPI_PIECE(quote before "parent_span_id" behind quote),                       \
        [STEPI_MEMBER_TRACE_FLAGS] = STEPI_PIECE(quote before "trace_flags" behind quote),                             \
        [STEPI_MEMBER_PID] = STEPI_PIECE(before "pid" behind),                                                         \
        [STEPI_MEMBER_TID] = STEPI_PIECE(before "tid" behind),                                                         \
        [STEPI_MEMBER_SEQ] = STEPI_PIECE(before "seq" behind),                                                         \
        [STEPI_MEMBER_FIELDS_OMITTED] = STEPI_PIECE(before "fields_omitted" behind),                                   \
    }

/* From the end of the time to the name of the event; by stepi_level_index(). */
#define STEPI_MEMBER_LEVELS(before, behind)                                                                            \
    {                                                                                                                  \
        STEPI_PIECE(before "DEBUG" behind), STEPI_PIECE(before "INFO" behind), STEPI_PIECE(before "WARNING" behind),   \
            STEPI_PIECE(before "ERROR" behind), STEPI_PIECE(before "CRITICAL" behind),                                 \
    }

#define STEPI_MEMBER_EVENTS(behind)                                                                                    \
    {                                                                                                                  \
        [STEPI_OPERATION_START] = STEPI_PIECE("operation_start" behind),                                               \
        [STEPI_STEP_START] = STEPI_PIECE("step_start" behind),                                                         \
        [STEPI_STEP_SUCCESS] = STEPI_PIECE("step_success" behind),                                                     \
        [STEPI_STEP_FAILURE] = STEPI_PIECE("step_failure" behind),                                                     \
        [STEPI_STEP_SKIP] = STEPI_PIECE("step_skip" behind),                                                           \
        [STEPI_OPERATION_COMPLETE] = STEPI_PIECE("operation_complete" behind),                                         \
        [STEPI_MESSAGE] = STEPI_PIECE("message" behind),                                                               \
        [STEPI_PROGRESS] = STEPI_PIECE("progress" behind),                                                             \
        [STEPI_OPERATION_INCOMPLETE] = STEPI_PIECE("operation_incomplete" behind),                                     \
        [STEPI_DROPPED] = STEPI_PIECE("dropped" behind),                                                               \
        [STEPI_OPERATION_STUCK] = STEPI_PIECE("operation_stuck" behind),                                               \
    }
/* clang-format on */

typedef struct stepi_dialect {
    stepi_piece_t begin; /* of a line: all before the time */
    stepi_piece_t levels[5];
    stepi_piece_t events[STEPI_KINDS];
    stepi_piece_t names[STEPI_MEMBER_COUNT];
    stepi_piece_t behind_ids;
    stepi_piece_t before_key, behind_key; /* the user's */
    stepi_piece_t secret;
    stepi_piece_t end; /* of a line, the line feed too */

    void (*string)(stepi_out_t *out, const stepi_text_t *text); /* a value; NULL is null */

    /* A user's key. Keys that read the same are the same bytes, and no `_` is part of an escape: see keys.c. */
    void (*key)(stepi_out_t *out, const stepi_text_t *key);
    void (*not_finite)(stepi_out_t *out, double v); /* infinities and NaN */
} stepi_dialect_t;

/* A format that writes this dialect. NULL without memory, and with EINVAL for options that it does not know. */
step_format_t *stepi_members_format(const stepi_dialect_t *dialect, const step_json_options_t *options);

#endif
