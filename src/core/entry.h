/* A call's way into the ring: enter, write any number of records, leave.
 *
 *     enter   find this thread's ring, mark it busy, take the time stamp
 *     write   encode into the ring, publish
 *     leave   no longer busy; wake the backend if it sleeps
 *
 * Between enter and leave nothing of the user's runs but an injected clock, and no lock is taken. */
#ifndef STEPI_CORE_ENTRY_H
#define STEPI_CORE_ENTRY_H

#include "core/registry.h"

#define STEPI_FAST_TEXT_MAX 1024

typedef struct stepi_entry {
    step_site_t *site; /* of the call, NULL: unknown. Set before it enters */
    step_log_t *log;
    stepi_ring_t *ring;
    uint64_t stamp;  /* orders records */
    uint64_t ticks;  /* when, by the machine */
    int64_t wall_ns; /* with an injected clock: when, by it */
    int64_t now;     /* what durations are made of: ticks, or the injected monotonic nanoseconds */
    uint32_t place;  /* a shape that knows file and line, if an output of the log shows them; else 0 */
} stepi_entry_t;

/* False when nothing can be recorded; it was counted then. */
bool stepi_enter(stepi_entry_t *entry, step_log_t *log);

/* Records a draft; fills in its stamp and number. False: lost, and counted. */
bool stepi_write(stepi_entry_t *entry, stepi_draft_t *draft);

void stepi_leave(stepi_entry_t *entry);

/* After a publication: wakes the backend if it sleeps, is the backend in STEP_MODE_SYNC. */
void stepi_wake_backend_slowly(step_log_t *log);
static inline void stepi_wake_backend(step_log_t *log)
{
    atomic_signal_fence(memory_order_seq_cst); /* no instruction: the compiler reads `parked` after the publication */
    if (__builtin_expect(atomic_load_explicit(&log->parked, memory_order_relaxed) |
                             atomic_load_explicit(&log->synchronous, memory_order_relaxed),
                         0))
        stepi_wake_backend_slowly(log);
}

#endif
