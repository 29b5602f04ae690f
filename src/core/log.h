/* The log: what calls read, and what the backend and the registry keep.
 *
 * Log structures are never given back to the allocator: a stale handle meets a closed log, not freed memory. `serial` tells one
 * life of a structure from the next.
 *
 * Locks, in the order in which they may be taken: pump (of one log), registry, ledger. No lock is held while a user's
 * callback runs, except the pump, which fork() does not wait for. */
#ifndef STEPI_CORE_LOG_H
#define STEPI_CORE_LOG_H

#include "base/traceparent.h"
#include "core/backend.h"
#include "core/crash_ring.h"
#include "core/rules.h"
#include "platform/futex.h"
#include "record/redact.h"
#include "record/ring.h"

#include <step_logger.h>

#include <pthread.h>

#define STEPI_PATIENCE_NS 2000000000 /* nothing of ours waits longer than this without progress */
#define STEPI_CRASH_PATIENCE_NS 500000000 /* and in the crash handler no longer than this */

typedef enum stepi_synchronous {
    STEPI_SYNC_NEVER,
    STEPI_SYNC_ALWAYS, /* and to the sinks directly, also to those that may block */
    STEPI_SYNC_AT_END  /* the process ends: writer threads go on, and each call waits for them, with patience */
} stepi_synchronous_t;

enum { STEPI_LOG_FREE, STEPI_LOG_OPEN, STEPI_LOG_CLOSING };

/* The library's own troubles: each kind is told at most once a second. */
typedef enum stepi_trouble {
    STEPI_TROUBLE_OPTION,
    STEPI_TROUBLE_SINK,
    STEPI_TROUBLE_FULL,
    STEPI_TROUBLE_MEMORY,
    STEPI_TROUBLE_THREAD,
    STEPI_TROUBLE_TRACE,
    STEPI_TROUBLE_MISUSE,
    STEPI_TROUBLES
} stepi_trouble_t;

struct step_log {
    /* Read by every call, written rarely. */
    _Atomic uint32_t state;
    int32_t level; /* for calls and their sites: by __atomic_load_n() */
    _Atomic uint64_t serial;
    _Atomic uint32_t parked;      /* the backend sleeps: the next record wakes it */
    _Atomic uint32_t synchronous; /* stepi_synchronous_t: calls format and write themselves */
    stepi_trace_context_t inherited; /* what roots continue; span 0: nothing */
    _Atomic bool shows_places;    /* some output shows file and line of calls */
    bool clocked;
    bool drop_when_full;
    _Atomic bool records_all; /* there is a flight recorder: the backend decides what is below the level */
    _Atomic bool levels_vary; /* by operation: a message asks the one that it joins */
    int32_t admits_all; /* 0: the threshold of operations then */
    const char *redact; /* patterns of keys whose values are secret; NULL: none */
    step_clock_t clock;
    stepi_rules_t rules;
    char redact_text[STEPI_REDACT_BYTES];

    /* Between producers and the backend. */
    _Alignas(STEPI_CACHE_LINE) _Atomic uint32_t wake; /* futex: the backend naps and parks on it */
    _Atomic uint32_t stalled;                         /* nothing drained for 2 s: drop until it does */
    _Atomic uint64_t drained;                         /* grows with every batch that was read or written */

    /* Counters of calls that no ring counted. */
    _Atomic uint64_t misused;
    _Atomic uint64_t dropped_memory;
    _Atomic uint64_t dropped_nested;
    _Atomic uint64_t retired_seq; /* of rings that are gone */
    _Atomic uint64_t retired_full;
    _Atomic uint64_t retired_nested;

    uint32_t ring_bytes;
    void (*diagnose)(void *ctx, int code, const char *text);
    void *diagnose_ctx;
    _Atomic int64_t told_at[STEPI_TROUBLES];

    /* Under the registry's lock. */
    stepi_ring_t *rings;
    _Atomic uint32_t rings_version;
    step_log_t *next;
    _Atomic uint32_t has_thread;
    pthread_t thread;
    _Atomic uint32_t stop;
    _Atomic uint32_t stopped;

    _Atomic uint32_t visitors; /* calls that use more of it than their ring: close() waits for them */
    stepi_lock_t pump;         /* whoever holds it is the backend */
    stepi_backend_t backend;
    stepi_crash_ring_t crash;
};

/* The options that were given, over the defaults. STEP_OK, or what step_log_open() returns. (options.c) */
int stepi_log_options_read(const step_log_options_t *given, step_log_options_t *options);

/* NULL: the default log, made if need be. NULL when there is none, or it is closed. */
step_log_t *stepi_log_of(step_log_t *log);

static inline int32_t stepi_level_of(const step_log_t *log)
{
    return __atomic_load_n(&log->level, __ATOMIC_RELAXED);
}

static inline bool stepi_records_all(const step_log_t *log)
{
    return atomic_load_explicit(&log->records_all, memory_order_relaxed);
}

static inline bool stepi_levels_vary(const step_log_t *log)
{
    return atomic_load_explicit(&log->levels_vary, memory_order_relaxed);
}

static inline bool stepi_log_is_open(const step_log_t *log, uint64_t serial)
{
    return atomic_load_explicit(&log->state, memory_order_relaxed) == STEPI_LOG_OPEN &&
           atomic_load_explicit(&log->serial, memory_order_relaxed) == serial;
}

/* Until stepi_log_leave() close() leaves the log as it is. False: it is not open. */
bool stepi_log_visit(step_log_t *log);
void stepi_log_leave(step_log_t *log);

/* At the end of the process: everything out, from now on synchronously. */
void stepi_log_finish(step_log_t *log);

/* In a synchronous log: writes what is in the rings. False when it could not. */
bool stepi_log_write_now(step_log_t *log);
void stepi_log_reset_counters(step_log_t *log);

/* Tells log's owner, or stderr; log may be NULL. Rate-limited by kind. Preserves errno. */
void stepi_diagnose(step_log_t *log, stepi_trouble_t kind, int code, const char *format, ...) STEPI_PRINTF(4, 5);

/* The same before there is a log. */
void stepi_diagnose_options(const step_log_options_t *options, int code, const char *format, ...)
    STEPI_PRINTF(3, 4);

#endif
