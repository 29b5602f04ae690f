/* Who is there: logs, threads, and the ring of each thread in each log.
 *
 *     thread ──> ring (log A) ──> ring (log B)          log A ──> ring (thread 1) ──> ring (thread 2)
 *
 * A ring is in two lists: its thread's, which only the thread walks, and its log's. When the thread ends the ring is
 * `released`: the next thread that needs one takes it over once it is drained, an idle backend gives spare ones back to the system.
 * When the log is closed the ring stays with a live thread (its pointer may be in use this very moment) until that thread
 * comes the slow way again or ends.
 *
 * Thread structures are pages of their own and never unmapped, only reused. Nothing here allocates from the heap, so a first
 * call in a signal handler is safe. */
#ifndef STEPI_CORE_REGISTRY_H
#define STEPI_CORE_REGISTRY_H

#include "core/log.h"
#include "platform/fault.h"

enum { STEPI_THREAD_OPERATIONS = 200 };

/* An operation that is current on a thread, with all that joining it takes: meanwhile another thread may be at work on the
 * operation itself. `id` tells whether it is still the one that was put here. */
typedef struct stepi_current {
    step_logger_t *op; /* NULL: a barrier, set by step_logger_attach(NULL) */
    uint64_t id;
    step_log_t *log;
    const int32_t *threshold; /* of its lines */
    uint64_t serial;          /* of the log */
    uint32_t depth;
    uint8_t trace_flags;
    uint64_t trace_high, trace_low;
    uint64_t span; /* as it was when this was filled: see stepi_current_refresh() */
} stepi_current_t;

typedef struct stepi_thread stepi_thread_t;
struct stepi_thread {
    /* the ring that was used last */
    stepi_ring_t *ring;
    step_log_t *log;
    uint64_t serial;
    uint64_t identity; /* the ring's */
    step_log_t *short_log;  /* log, for calls that have a short way; NULL where records are sealed, */
    step_log_t *sealed_log; /* as they are here; else NULL */

    stepi_ring_t *rings;
    stepi_thread_t *next; /* in the list of unused ones */
    uint32_t tid;
    stepi_fault_stack_t fault_stack; /* with a crash handler */
    int depth;                    /* of `current`; what is nested deeper is not remembered */
    stepi_current_t current[STEPI_THREAD_OPERATIONS];
};

/* This thread's structure; NULL before its first call. Initial-exec: found with one instruction, also in a plugin. */
extern _Thread_local stepi_thread_t *stepi_self __attribute__((tls_model("initial-exec")));

/* Makes it. NULL without memory. */
stepi_thread_t *stepi_thread_self_slow(void);
static inline stepi_thread_t *stepi_thread_self(void)
{
    return stepi_self != NULL ? stepi_self : stepi_thread_self_slow();
}

/* This thread's ring in an open log, made if need be; NULL without memory or when the log is not open. Also notices that the
 * process is a forked child. */
stepi_ring_t *stepi_ring_for(step_log_t *log);

/* The registry's lock. While a thread holds it, logging calls of its signal handlers are dropped instead of waiting. */
void stepi_registry_take(void);
bool stepi_registry_take_within(int64_t timeout_ns); /* false: not in time, or it is held here already */
void stepi_registry_release(void);
bool stepi_registry_is_held_here(void);
extern step_log_t *stepi_logs; /* all that are or were open; walked under the lock */

/* Library-wide set-up, once: clock, barrier, fork and exit handlers. */
void stepi_library_init(void);
extern bool stepi_needs_fences; /* no membarrier here */

/* A log structure, new or used before, in state FREE; NULL without memory. */
step_log_t *stepi_log_take(void);

/* Recomputes the gate that messages look at first: after the default log, its level or its state changed. Takes the lock. */
void stepi_gate_update(void);

/* Gives up the rings of a closed log; counts of what they hold go to the log. Takes the lock. */
void stepi_rings_close(step_log_t *log);

/* Gives rings of ended threads back to the system but for a few. Under the log's pump lock; takes the lock. */
void stepi_rings_trim(step_log_t *log);

/* The default log, without making one. */
typedef enum stepi_default_state { STEPI_DEFAULT_UNMADE, STEPI_DEFAULT_SET, STEPI_DEFAULT_NONE } stepi_default_state_t;
extern _Atomic(step_log_t *) stepi_default_log;
step_log_t *stepi_default_get(stepi_default_state_t *state);

/* Makes it the default; NULL: there is none. _set: false when it is not open. _offer: false when somebody was faster. _drop:
 * there is none any more, if it was this one. They take the lock. */
bool stepi_default_set(step_log_t *log);
bool stepi_default_offer(step_log_t *log);
void stepi_default_drop(const step_log_t *log);

/* Held by the thread that makes the default log. */
extern stepi_lock_t stepi_default_making;

/* In a forked child: forgets threads that are not there and rings that are the parent's. */
void stepi_registry_reset_in_child(void);

/* True once per fork in the child, also where no atfork handler ran (_Fork, clone); resets everything then. */
void stepi_fork_check(void);

#endif
