/* A decoded record: what formatters see. Pointers go into the record or into the backend's table of operations, and hold
 * until the next record. */
#ifndef STEPI_RECORD_LINE_H
#define STEPI_RECORD_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order of the JSON event names; stored in records: append only. */
typedef enum stepi_kind {
    STEPI_OPERATION_START = 1,
    STEPI_STEP_START,
    STEPI_STEP_SUCCESS,
    STEPI_STEP_FAILURE, /* without a step (step_known false): the operation failed */
    STEPI_STEP_SKIP,
    STEPI_OPERATION_COMPLETE,
    STEPI_MESSAGE,
    STEPI_PROGRESS,
    STEPI_OPERATION_INCOMPLETE,
    STEPI_DROPPED,        /* done: how many; text: why */
    STEPI_OPERATION_STUCK /* still running, for longer than it should */
} stepi_kind_t;

enum { STEPI_KINDS = STEPI_OPERATION_STUCK + 1 };

/* Text that may be NULL (bytes == NULL) or cut (original > length). Not terminated. */
typedef struct stepi_text {
    const char *bytes;
    uint32_t length;
    uint64_t original; /* length before it was cut */
} stepi_text_t;

/* Where an operation stands in its trace, as W3C and OpenTelemetry have it. */
typedef struct stepi_trace {
    uint64_t high, low; /* the trace id, most significant half first */
    uint64_t span;
    uint64_t parent_span;      /* 0: none */
    uint64_t parent_operation; /* number of the parent in this process; 0: none */
    uint64_t flags;
} stepi_trace_t;

/* The encoded fields of a record; iterate with stepi_fields_next(). */
typedef struct stepi_fields {
    const uint8_t *at;
    const uint8_t *end;
    uint32_t left; /* how many are still to come */
    uint32_t index;
    const struct stepi_shape *shape; /* NULL: each field brings its key and type */
    const uint8_t *texts;            /* with a shape: the next text */
} stepi_fields_t;

typedef struct stepi_field_view {
    stepi_text_t key;
    uint8_t type;     /* STEP_FIELD_I64, _U64, _F64, _BOOL, _TEXT, _FIXED, _PERCENT or _SECRET */
    uint8_t decimals; /* of _FIXED */
    union {
        int64_t i64;
        uint64_t u64; /* also _BOOL: 0 or 1 */
        double f64;
    } number;
    stepi_text_t text; /* of _TEXT */
} stepi_field_view_t;

/* A step of an operation that has ended, for those who want the whole of it in one line. */
typedef struct stepi_step_summary {
    stepi_kind_t end; /* STEPI_STEP_SUCCESS, _FAILURE or _SKIP; STEPI_STEP_START: it was left open */
    int32_t step;
    uint32_t attempts;  /* 1, or more where it was repeated */
    int64_t elapsed_ns; /* of the last attempt; until the operation's end where it was left open */
    stepi_text_t description;
} stepi_step_summary_t;

/* In the order of use: what most lines have lies together, and what few have can be cleared as a block. */
typedef struct stepi_line {
    stepi_kind_t kind;
    int level;       /* a severity number */
    uint32_t depth;  /* of nesting: 0 is a root */
    uint32_t pid, tid;
    bool has_operation; /* `operation` is known (NULL text is possible) */
    bool has_step;      /* `step`, `total` and `description` are */
    bool has_elapsed;   /* `elapsed_ns` is: of the step, of the operation for complete, incomplete and stuck */
    bool has_text;      /* `text` is: error, reason, message; why records were dropped */
    int64_t wall_ns; /* since the Unix epoch */
    uint64_t seq;    /* of this record in its thread; unique with pid and tid */
    stepi_fields_t fields;

    int64_t elapsed_ns;
    int32_t step, total; /* total 0: unknown */
    stepi_text_t operation, description, text;

    const stepi_trace_t *trace; /* of its operation; NULL: unknown, or there is none */
    uint64_t step_span;         /* the line is of a step, and this is its span; 0: it is the operation's */
    const struct stepi_shape *place; /* knows file and line of the call; NULL: unknown, or not asked for */
    double sample_rate;     /* it stands for 1/sample_rate lines, most of which were left out; 0: for itself */
    uint64_t done, goal; /* progress (goal 0: unknown); done also counts STEPI_DROPPED */
    uint32_t attempt;    /* of this step: 1, 2 for the first retry, ... */
    int32_t error_number; /* errno of failure_errno(); 0: none */
    uint32_t omitted;     /* fields that found no room in the record */
    bool is_slow;           /* complete and incomplete: the operation took longer than step_log_options_t.slow_ms */
    bool is_recovered;      /* of a process that was killed */
    bool from_recorder;     /* below the level: it was held back, and is shown because its operation failed */
    int admitted_as;        /* with from_recorder: the level that it was below, as which outputs let it pass */
    uint32_t step_count;
    uint32_t steps_omitted; /* how many more there were */
    const stepi_step_summary_t *steps; /* complete and incomplete, where an output wants them; in the order of their beginning */
    stepi_fields_t bound; /* of its operation, of those around it, and of the log; no key twice */
} stepi_line_t;

/* The next field, or false at the end (or where the bytes are damaged). */
bool stepi_fields_next(stepi_fields_t *fields, stepi_field_view_t *out);

#endif
