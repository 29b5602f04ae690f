#include "core/entry.h"

#include "core/lifecycle.h"
#include "platform/clock.h"
#include "platform/futex.h"
#include "platform/system.h"
#include "record/seal.h"
#include "record/shape.h"

#include <errno.h>
#include <signal.h>

enum { WAIT_SLICE_NS = 100000000 };

/* ---- Enter ---- */

/* A ring that is busy when a call begins: either this call is a signal handler's, on top of the one that is busy, or that one was
 * left by a jump out of a handler and will never end. Stacks grow downwards: a handler's frame lies below the one that it
 * interrupted, unless it runs on its own stack. */
static bool is_nested(const stepi_ring_t *ring, uintptr_t frame)
{
    if (frame < atomic_load_explicit(&ring->busy, memory_order_relaxed))
        return true;
    stack_t alternate;
    return sigaltstack(NULL, &alternate) == 0 && (alternate.ss_flags & SS_ONSTACK) != 0;
}

static bool refuse_nested(stepi_ring_t *ring, uintptr_t frame)
{
    const int saved = errno;
    const bool nested = is_nested(ring, frame);
    errno = saved;
    if (nested) /* its number in the sequence is not taken: the interrupted call is about to use it */
        atomic_fetch_add_explicit(&ring->dropped_nested, 1, memory_order_relaxed);
    return nested;
}

/* Counted in the life of the log, `serial`, that the call was made in: in the next one there may be memory. */
static void report_no_ring(step_log_t *log, uint64_t serial)
{
    if (!stepi_log_visit(log))
        return;
    if (atomic_load_explicit(&log->serial, memory_order_relaxed) == serial) {
        atomic_fetch_add_explicit(&log->dropped_memory, 1, memory_order_relaxed);
        stepi_diagnose(log, STEPI_TROUBLE_MEMORY, STEP_ENOMEM,
                       "no memory for this thread's ring of %u bytes: its records are dropped and counted",
                       (unsigned)log->ring_bytes);
    }
    stepi_log_leave(log);
}

static stepi_ring_t *ring_the_slow_way(step_log_t *log)
{
    const int saved = errno;
    /* acquire: the serial before the state. A log that is open after both, and at the end has the same serial, was open in between. */
    const uint64_t serial = atomic_load_explicit(&log->serial, memory_order_acquire);
    const bool was_open = atomic_load_explicit(&log->state, memory_order_relaxed) == STEPI_LOG_OPEN;
    stepi_ring_t *ring = stepi_ring_for(log);
    if (ring == NULL && stepi_registry_is_held_here())
        atomic_fetch_add_explicit(&log->dropped_nested, 1, memory_order_relaxed);
    else if (ring == NULL && was_open)
        report_no_ring(log, serial);
    errno = saved;
    return ring;
}

static inline uint64_t not_before(uint64_t stamp, uint64_t last)
{
    return stamp > last ? stamp : last;
}

static void read_time(stepi_entry_t *entry)
{
    const step_log_t *log = entry->log;
    const uint64_t last = atomic_load_explicit(&entry->ring->head_ticks, memory_order_relaxed); /* our own store */
    entry->ticks = entry->stamp = not_before(stepi_ticks(), last);
    if (!log->clocked) {
        entry->now = (int64_t)entry->ticks;
        return;
    }
    const int saved = errno;
    entry->now = log->clock.monotonic_ns(log->clock.ctx);
    entry->wall_ns = log->clock.wall_ns(log->clock.ctx);
    errno = saved;
    entry->stamp = not_before(entry->now > 0 ? (uint64_t)entry->now : 0, entry->ring->last_stamp);
}

bool stepi_enter(stepi_entry_t *entry, step_log_t *log)
{
    const uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    const stepi_thread_t *self = stepi_self;
    stepi_ring_t *ring;
    entry->place = 0;
    if (__builtin_expect(atomic_load_explicit(&log->shows_places, memory_order_relaxed), 0))
        entry->place = stepi_shape_place(entry->site);
    if (__builtin_expect(self != NULL && self->log == log &&
                             self->serial == atomic_load_explicit(&log->serial, memory_order_relaxed),
                         1))
        ring = self->ring;
    else if ((ring = ring_the_slow_way(log)) == NULL)
        return false;
    if (__builtin_expect(atomic_load_explicit(&ring->busy, memory_order_relaxed) != 0, 0) && refuse_nested(ring, frame))
        return false;
    /* Before the state and the clock are read: close() and the merge rely on seeing it. On this thread a compiler barrier
     * keeps the order, on others stepi_barrier() in close() makes it seen, or the fence where there is none. */
    atomic_store_explicit(&ring->busy, frame, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    if (__builtin_expect(stepi_needs_fences, 0))
        stepi_fence();
    /* The serial tells a log that was closed and opened again meanwhile. acquire: should this be a new life of it, after all of its
     * set-up. */
    if (__builtin_expect(atomic_load_explicit(&log->state, memory_order_acquire) != STEPI_LOG_OPEN ||
                             atomic_load_explicit(&log->serial, memory_order_relaxed) != ring->log_serial,
                         0)) {
        atomic_store_explicit(&ring->busy, 0, memory_order_release);
        return false;
    }
    entry->log = log;
    entry->ring = ring;
    read_time(entry);
    return true;
}

/* ---- Write ---- */

/* Sleeps a while; how long it was: signals may end it early. */
static int64_t wait_for_space(stepi_ring_t *ring, uint32_t space)
{
    const int64_t since = stepi_monotonic_ns();
    stepi_futex_wait(&ring->space, space, WAIT_SLICE_NS);
    const int64_t waited = stepi_monotonic_ns() - since;
    return waited > 0 ? waited : WAIT_SLICE_NS; /* the clock stands still */
}

/* Waits for room; false when the record has to be dropped. */
static bool wait_for_room(stepi_entry_t *entry)
{
    step_log_t *log = entry->log;
    stepi_ring_t *ring = entry->ring;
    const uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    if (atomic_load_explicit(&log->synchronous, memory_order_relaxed) != 0)
        return stepi_log_write_now(log) &&
               atomic_load_explicit(&ring->tail, memory_order_relaxed) != tail;
    if (log->drop_when_full || stepi_backend_is_here(log) ||
        atomic_load_explicit(&log->stalled, memory_order_relaxed) != 0)
        return false;
    uint64_t drained = atomic_load_explicit(&log->drained, memory_order_relaxed);
    int64_t patience = STEPI_PATIENCE_NS;
    for (;;) {
        const uint32_t space = atomic_load_explicit(&ring->space, memory_order_acquire);
        /* seq_cst, as in stepi_ring_release(): either it sees that we wait, or we see that the tail moved */
        atomic_store_explicit(&ring->waiting, 1, memory_order_seq_cst);
        if (atomic_load_explicit(&ring->tail, memory_order_seq_cst) != tail)
            break;
        stepi_backend_wake(log);
        const int64_t waited = wait_for_space(ring, space);
        const uint64_t drained_now = atomic_load_explicit(&log->drained, memory_order_relaxed);
        patience = drained_now != drained ? STEPI_PATIENCE_NS : patience - waited;
        drained = drained_now;
        if (patience <= 0) {
            atomic_store_explicit(&log->stalled, 1, memory_order_relaxed); /* the backend clears it */
            stepi_diagnose(log, STEPI_TROUBLE_FULL, STEP_ETIMEOUT,
                           "no output took anything for 2 s and the ring is full: records are dropped and counted");
            break;
        }
    }
    atomic_store_explicit(&ring->waiting, 0, memory_order_relaxed);
    return patience > 0;
}

static void take_number(stepi_draft_t *draft, stepi_ring_t *ring)
{
    draft->seq = atomic_load_explicit(&ring->seq, memory_order_relaxed);
    atomic_store_explicit(&ring->seq, draft->seq + 1, memory_order_relaxed); /* relaxed: a statistic */
}

/* A forked child that no atfork handler told: the ring is the parent's, and reads as zeros. */
static bool leave_inherited_ring(stepi_entry_t *entry, stepi_draft_t *draft)
{
    stepi_ring_t *ring = ring_the_slow_way(entry->log);
    if (ring == NULL || ring->alive == 0)
        return false;
    atomic_store_explicit(&ring->busy, (uintptr_t)__builtin_frame_address(0), memory_order_relaxed);
    entry->ring = ring;
    take_number(draft, ring);
    return true;
}

static void set_time(stepi_draft_t *draft, const stepi_entry_t *entry)
{
    draft->stamp = entry->stamp;
    draft->ticks = entry->ticks;
    draft->wall_ns = entry->wall_ns;
}

/* Puts the record together in the ring's scratch, cut to what can ever fit, and waits for room. */
static bool write_slowly(stepi_entry_t *entry, stepi_draft_t *draft)
{
    if (entry->ring->alive == 0 && !leave_inherited_ring(entry, draft))
        return false;
    stepi_ring_t *ring = entry->ring;
    const bool urgent = draft->level >= STEP_LEVEL_ERROR;
    for (;;) {
        const size_t bytes = stepi_record_encode_cut(draft, ring->scratch, ring->scratch_bytes);
        if (stepi_ring_push(ring, bytes, draft, urgent))
            return true;
        if (!wait_for_room(entry))
            break;
        entry->ticks = not_before(stepi_ticks(), entry->ticks); /* others were published meanwhile */
        if (!entry->log->clocked)
            entry->stamp = entry->ticks;
        set_time(draft, entry);
    }
    atomic_fetch_add_explicit(&ring->dropped_full, 1, memory_order_relaxed);
    return false;
}

bool stepi_write(stepi_entry_t *entry, stepi_draft_t *draft)
{
    stepi_ring_t *ring = entry->ring;
    take_number(draft, ring);
    set_time(draft, entry);
    draft->redact = entry->log->redact;
    if (entry->log->clocked)
        draft->parts |= STEPI_PART_CLOCK;
    if (__builtin_expect(entry->place != 0, 0) && (draft->parts & STEPI_FLAG_QUIET) == 0) {
        draft->parts |= STEPI_PART_PLACE;
        draft->place = entry->place;
    }
    const size_t room = stepi_ring_room(ring, draft->level >= STEP_LEVEL_ERROR);
    const size_t bytes =
        stepi_record_encode(draft, stepi_ring_at(ring, ring->position), room, STEPI_FAST_TEXT_MAX);
    if (__builtin_expect(bytes == 0, 0)) {
        const int saved = errno;
        const bool written = write_slowly(entry, draft);
        errno = saved;
        return written;
    }
    if (__builtin_expect(ring->is_sealed, 0))
        stepi_record_seal(stepi_ring_at(ring, ring->position), bytes);
    stepi_ring_publish(ring, ring->position + bytes, draft->stamp, draft->ticks);
    return true;
}

/* ---- Leave ---- */

void stepi_wake_backend_slowly(step_log_t *log)
{
    const int saved = errno;
    if (atomic_load_explicit(&log->parked, memory_order_relaxed) != 0)
        stepi_backend_wake(log);
    if (atomic_load_explicit(&log->synchronous, memory_order_relaxed) != 0)
        stepi_log_write_now(log);
    errno = saved;
}

void stepi_leave(stepi_entry_t *entry)
{
    step_log_t *log = entry->log;
    /* release: who sees us idle sees what we published */
    atomic_store_explicit(&entry->ring->busy, 0, memory_order_release);
    if (__builtin_expect(stepi_needs_fences, 0)) /* the head before `parked`: see the backend's sleep */
        stepi_fence();
    stepi_wake_backend(log);
}
