/* Many rings, one order.
 *
 * Records are taken in the order of their stamps. A record can be stamped and not yet readable, so a pass first agrees with itself up
 * to which moment it can know everything:
 *
 *     1. cut-off = the latest publication in any ring, by the machine's ticks
 *     2. a short pause, so that a `busy` that was set before that moment is visible
 *     3. for each ring: busy, then head. A call that begins after this is later than the cut-off. A call in progress may be
 *        as old as its ring's latest publication, and pulls the cut-off there.
 *     4. merge what lies before the heads and the cut-off, by (stamp, ticks)
 *
 * A thread that is preempted in the middle of a call would hold everybody back: after 10 ms, or when a ring that drops is
 * half full, nobody waits for it any more, and its record appears late, with its own time.
 *
 * Stamps are the injected clock's where there is one. Such a clock may stand still or jump; ticks tell the order then. */
#include "core/registry.h"

#include "platform/clock.h"
#include "platform/memory.h"
#include "platform/system.h"

#include <string.h>

enum {
    SETTLE_NS = 1000,
    HOLD_NS = 10000000,
    RELEASE_EVERY_BYTES = 16 * 1024,
    CRASH_LOCK_NS = 100000000
};

/* ---- The list of rings ---- */

static bool grow(stepi_backend_t *b, size_t count)
{
    if (count <= b->source_capacity)
        return true;
    const size_t capacity = count * 2;
    stepi_source_t *sources = stepi_resize(b->sources, b->source_count * sizeof(*sources), capacity * sizeof(*sources));
    if (sources == NULL)
        return false;
    b->sources = sources;
    b->source_capacity = capacity;
    return true;
}

static uint64_t head_of(const stepi_ring_t *ring)
{
    /* acquire: the bytes of what was published */
    return atomic_load_explicit(&ring->head, memory_order_acquire);
}

static void begin_epoch(stepi_backend_t *b)
{
    for (size_t i = 0; i < b->source_count; i++)
        b->sources[i].mark = head_of(b->sources[i].ring);
}

/* The table of operations forgets what is dead once all that was in the rings then has been taken. */
static void end_epoch(stepi_backend_t *b)
{
    for (size_t i = 0; i < b->source_count; i++)
        if (b->sources[i].ring->read < b->sources[i].mark)
            return;
    b->operations.epoch++;
    begin_epoch(b);
}

/* A thread that was hit may hold the lock itself: then the list stays as it is known. */
static bool take_registry(void)
{
    if (stepi_is_crashing)
        return stepi_registry_take_within(CRASH_LOCK_NS);
    stepi_registry_take();
    return true;
}

static void refresh_rings(step_log_t *log)
{
    stepi_backend_t *b = &log->backend;
    /* acquire: the list as it was at that version, or newer */
    const uint32_t version = atomic_load_explicit(&log->rings_version, memory_order_acquire);
    if (version == b->rings_version || !take_registry())
        return;
    size_t count = 0;
    for (const stepi_ring_t *ring = log->rings; ring != NULL; ring = ring->next_in_log)
        count++;
    b->source_count = 0;
    const bool has_memory = grow(b, count);
    atomic_store_explicit(&b->lacks_memory, !has_memory, memory_order_relaxed);
    if (has_memory) {
        for (stepi_ring_t *ring = log->rings; ring != NULL; ring = ring->next_in_log)
            b->sources[b->source_count++] = (stepi_source_t){ .ring = ring };
        b->rings_version = atomic_load_explicit(&log->rings_version, memory_order_relaxed);
    } /* else: without memory the records wait in their rings until the next pass */
    stepi_registry_release();
    begin_epoch(b);
}

bool stepi_backend_is_dry(step_log_t *log)
{
    const stepi_backend_t *b = &log->backend;
    refresh_rings(log);
    for (size_t i = 0; i < b->source_count; i++)
        if (head_of(b->sources[i].ring) != b->sources[i].ring->read)
            return false;
    return true;
}

/* ---- The cut-off ---- */

/* The latest publication that was not taken yet; false when the rings are dry. */
static bool find_latest(const stepi_backend_t *b, uint64_t *latest)
{
    bool found = false;
    *latest = 0;
    for (size_t i = 0; i < b->source_count; i++) {
        const stepi_ring_t *ring = b->sources[i].ring;
        if (head_of(ring) == ring->read) /* acquire: head_ticks is at least that of this head */
            continue;
        const uint64_t ticks = atomic_load_explicit(&ring->head_ticks, memory_order_relaxed);
        *latest = ticks > *latest ? ticks : *latest;
        found = true;
    }
    return found;
}

/* A store that was made before the cut-off sits in its core's buffer for some hundred cycles at most. */
static void let_stores_arrive(const stepi_backend_t *b)
{
    if (b->source_count < 2)
        return;
    stepi_dwell(SETTLE_NS);
    stepi_fence(); /* the reads below come after the pause */
}

static bool holds_back(const step_log_t *log, const stepi_ring_t *ring)
{
    /* acquire: a ring that is not busy shows what it published */
    return atomic_load_explicit(&ring->busy, memory_order_acquire) != 0 &&
           atomic_load_explicit(&ring->waiting, memory_order_relaxed) == 0 &&
           head_of(ring) != ring->ignored_head &&
           !(stepi_self != NULL && stepi_self->ring == ring && stepi_self->log == log); /* our own: we pump for it */
}

static uint64_t read_heads(const step_log_t *log, uint64_t cutoff, bool *half_full)
{
    const stepi_backend_t *b = &log->backend;
    for (size_t i = 0; i < b->source_count; i++) {
        const stepi_ring_t *ring = b->sources[i].ring;
        const bool busy = b->source_count > 1 && holds_back(log, ring);
        b->sources[i].head = head_of(ring);
        if (busy) {
            const uint64_t ticks = atomic_load_explicit(&ring->head_ticks, memory_order_relaxed);
            cutoff = ticks < cutoff ? ticks : cutoff;
        }
        *half_full |= b->sources[i].head - ring->read > ring->bytes / 2;
    }
    return cutoff;
}

/* Nobody waits any longer for the calls that are in progress now. */
static void stop_waiting(stepi_backend_t *b)
{
    for (size_t i = 0; i < b->source_count; i++) {
        stepi_ring_t *ring = b->sources[i].ring;
        const uint64_t head = head_of(ring); /* first: should the call end now, this is not the next one's */
        if (atomic_load_explicit(&ring->busy, memory_order_relaxed) != 0)
            ring->ignored_head = head;
    }
    b->held_since_ns = 0;
}

/* ---- The merge ---- */

typedef struct key {
    uint64_t stamp, ticks;
} stepi_key_t;

static bool is_before(stepi_key_t a, stepi_key_t b)
{
    return a.stamp != b.stamp ? a.stamp < b.stamp : a.ticks < b.ticks;
}

static stepi_key_t key_of(const uint8_t *bytes)
{
    uint64_t stamp;
    uint16_t parts;
    memcpy(&stamp, bytes + offsetof(stepi_record_t, stamp), sizeof(stamp));
    memcpy(&parts, bytes + offsetof(stepi_record_t, parts), sizeof(parts));
    stepi_key_t key = { .stamp = stamp, .ticks = stamp };
    if ((parts & STEPI_PART_CLOCK) != 0) /* int64 wall_ns, uint64 ticks come first */
        memcpy(&key.ticks, bytes + sizeof(stepi_record_t) + sizeof(int64_t), sizeof(key.ticks));
    return key;
}

typedef struct choice {
    stepi_ring_t *ring; /* NULL: nothing is left */
    const uint8_t *record;
    uint64_t head;
    stepi_key_t runner_up; /* this ring may go on until there */
} stepi_choice_t;

static stepi_choice_t choose(const stepi_backend_t *b, uint64_t cutoff)
{
    const stepi_key_t never = { .stamp = UINT64_MAX, .ticks = UINT64_MAX };
    stepi_choice_t best = { .runner_up = never };
    stepi_key_t best_key = never;
    for (size_t i = 0; i < b->source_count; i++) {
        const stepi_source_t *source = &b->sources[i];
        const uint8_t *record = stepi_ring_peek(source->ring, source->head);
        if (record == NULL)
            continue;
        const stepi_key_t key = key_of(record);
        if (key.ticks > cutoff)
            continue;
        if (best.ring == NULL || is_before(key, best_key)) {
            best = (stepi_choice_t){
                .ring = source->ring, .record = record, .head = source->head, .runner_up = best_key
            };
            best_key = key;
        } else if (is_before(key, best.runner_up)) {
            best.runner_up = key;
        }
    }
    return best;
}

/* Takes records of the chosen ring as long as they come before the others'. */
static void take_run(step_log_t *log, const stepi_choice_t *choice, uint64_t cutoff)
{
    stepi_ring_t *ring = choice->ring;
    const uint8_t *record = choice->record;
    uint64_t released = ring->read;
    do {
        if (!stepi_backend_brief(log, ring, record))
            stepi_backend_record(log, ring, record);
        stepi_ring_skip(ring, record);
        if (ring->read - released >= RELEASE_EVERY_BYTES) {
            stepi_ring_release(ring);
            released = ring->read;
        }
        record = stepi_ring_peek(ring, choice->head);
    } while (record != NULL && key_of(record).ticks <= cutoff && !is_before(choice->runner_up, key_of(record)));
    stepi_ring_release(ring);
}

static bool merge(step_log_t *log, uint64_t cutoff)
{
    bool took = false;
    for (;;) {
        const stepi_choice_t choice = choose(&log->backend, cutoff);
        if (choice.ring == NULL)
            return took;
        take_run(log, &choice, cutoff);
        took = true;
    }
}

stepi_pass_t stepi_backend_pass(step_log_t *log)
{
    stepi_backend_t *b = &log->backend;
    bool half_full = false;
    uint64_t latest;
    refresh_rings(log);
    if (!find_latest(b, &latest))
        return STEPI_PASS_DRY;
    stepi_timebase_refresh(&b->time);
    refresh_rings(log); /* a ring that was new meanwhile may hold what comes before the latest publication */
    if (stepi_crash_is_on(&log->crash))
        stepi_crash_keep_up(log);
    let_stores_arrive(b);
    const uint64_t cutoff = read_heads(log, latest, &half_full);
    const bool took = merge(log, cutoff);
    if (took) {
        end_epoch(b);
        stepi_retention_sweep(log);
        b->held_since_ns = 0;
        atomic_fetch_add_explicit(&log->drained, 1, memory_order_relaxed);
        atomic_store_explicit(&log->stalled, 0, memory_order_relaxed);
        return STEPI_PASS_TOOK;
    }
    if (b->held_since_ns == 0)
        b->held_since_ns = b->time.ns;
    if (b->time.ns - b->held_since_ns > HOLD_NS || (half_full && log->drop_when_full))
        stop_waiting(b);
    return STEPI_PASS_HELD;
}
