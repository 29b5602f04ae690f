/* An operation as its caller's thread sees it.
 *
 * Operation structures live in chunks that are never freed; `id` = generation and slot. So a pointer to a freed operation can be
 * told, whether it comes from a caller's double free, from a thread's stack of current operations, or from the backend's
 * table. A slot that was freed is reused last, to keep it tellable for long. */
#ifndef STEPI_CORE_OPERATION_H
#define STEPI_CORE_OPERATION_H

#include "base/traceparent.h"
#include "core/entry.h"

enum { STEPI_NAME_MAX = 1024, STEPI_NAME_INLINE = 96 };

enum { STEPI_GATE_DEPTH = 0xFFFF, STEPI_GATE_OPEN = 0x10000, STEPI_GATE_REPEATED = 0x20000 };

/* A copy of a name: cut at STEPI_NAME_MAX; its memory is kept for the next one. */
typedef struct stepi_name {
    char *bytes; /* NULL: the text was NULL */
    char *heap;  /* owned */
    uint32_t length;
    uint32_t capacity; /* of heap */
    uint64_t original;
    char inline_bytes[STEPI_NAME_INLINE];
} stepi_name_t;

typedef enum stepi_operation_state { STEPI_UNUSED, STEPI_MADE, STEPI_STARTED, STEPI_ENDED } stepi_operation_state_t;

enum { /* what was said once already */
    STEPI_SAID_AFTER_COMPLETE = 1,
};

struct step_logger {
    /* The first cache line is all that success() needs. */
    _Alignas(STEPI_CACHE_LINE) stepi_operation_gate_t gate; /* its `step`: 0 while none is open, else as below */
    _Atomic uint64_t id; /* 0: unused */
    step_log_t *log;
    uint64_t serial;       /* of the log */
    uint64_t described_in; /* identity of the ring that has the names; 0: none */
    int64_t step_at;       /* in the units of stepi_entry_t.now */
    int32_t step, total;

    _Atomic uint32_t state;
    bool failed;         /* its latest step failed: freeing it now is an end, too */
    bool detached;       /* started under step_logger_no_parent(): does not become current */
    bool step_open;
    bool progressed;     /* a progress line of this step was written, at progress_at */
    uint8_t said;
    _Atomic uint32_t depth; /* set by start(); others ask it when a child starts */
    uint32_t attempt;
    stepi_current_t parent; /* as given; depth is not known before start() */
    int64_t started_at;  /* in the units of stepi_entry_t.now */
    int64_t progress_at; /* nanoseconds */
    stepi_trace_context_t given_trace;      /* by options.traceparent; span 0: none */
    _Atomic uint64_t trace_high, trace_low; /* from start() on; others read them when a child starts */
    _Atomic uint64_t span_now;              /* of the open step, else the operation's */
    _Atomic uint8_t trace_flags;
    stepi_bound_t *bound;       /* owned; NULL: nothing is bound */
    uint64_t span, parent_span; /* parent_span 0: none */
    uint64_t parent_operation;  /* number of the parent in this process; 0: none */
    stepi_name_t name;
    stepi_name_t description;
    step_logger_t *next_unused;
};

/* The threshold of operations that nobody has. */
extern const int32_t stepi_above_all;

/* From the pool; NULL without memory. */
step_logger_t *stepi_operation_take(void);
void stepi_operation_give_back(step_logger_t *op);

/* Whether the operation of that number is still there; and whether it is started and not ended. Any thread. */
bool stepi_operation_is_alive(uint64_t id);
bool stepi_operation_is_open(uint64_t id);

void stepi_name_set(stepi_name_t *name, const char *text);
stepi_text_t stepi_name_text(const stepi_name_t *name);

/* What is current on this thread; NULL when nothing is. Forgets what has ended. Another thread may complete and free the
 * operation at any moment: whoever only joins it uses what the entry says, and not the operation. */
const stepi_current_t *stepi_current(void);
stepi_current_t stepi_current_of(step_logger_t *op);
void stepi_current_push(step_logger_t *op);

/* Around fork: the pool whole, and its lock free in the child. */
void stepi_operations_hold(void);
void stepi_operations_release(void);
void stepi_operations_reset_in_child(void);

/* ---- Recording on an operation ---- */

/* An injected clock may go back, or jump further than 63 bits can say: never negative, and never undefined. */
static inline int64_t stepi_since(const stepi_entry_t *entry, int64_t then)
{
    return entry->now > then ? (int64_t)((uint64_t)entry->now - (uint64_t)then) : 0;
}

static inline int stepi_higher(int level, int other)
{
    return level > other ? level : other;
}

/* Starts an operation that was made, with the fields of its start line. */
void stepi_operation_start(stepi_entry_t *entry, step_logger_t *op, const step_field_t *fields, size_t count);

/* Enters op's log. False for NULL, an operation that was freed, a closed log: nothing happens then. */
bool stepi_operation_enter(stepi_entry_t *entry, step_logger_t *op);

/* success() without fields, by the short way (short.c). False: the long way. */
bool stepi_success_without_fields(step_logger_t *op);

/* A draft with the operation's number, depth, and, where the reader may lack them, names. */
stepi_draft_t stepi_operation_draft(const stepi_entry_t *entry, const step_logger_t *op, stepi_kind_t kind, int level);

/* The open step, and the caller's fields unless the line is off, in a draft. */
void stepi_draft_step(stepi_draft_t *draft, const step_logger_t *op);
void stepi_draft_fields(stepi_draft_t *draft, const step_field_t *fields, size_t count);

/* Writes a draft; a lost one makes the next carry names. */
void stepi_operation_write(stepi_entry_t *entry, step_logger_t *op, stepi_draft_t *draft);

/* A WARNING line that says what was wrong, with the caller's fields; counted as misused. */
void stepi_misuse(stepi_entry_t *entry, step_logger_t *op, const char *what, const step_field_t *fields, size_t count);

#endif
