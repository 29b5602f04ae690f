/* The short way of the most frequent calls, once their site is known: values come in registers, keys and types stay where they
 * were learned (record/shape.h).
 *
 * It is the common case alone: this thread's ring for this log is at hand, it has room, no other call is in progress on this
 * thread, the operation's names have travelled, texts are short. Whatever else is the case goes the long way, with the
 * fields put together again; that way does everything that this one does, and counts and waits and explains.
 *
 *     busy ─> limit, log still open? ─> stamp ─> header, parts, values, texts ─> publish ─> no longer busy
 *
 * A thread whose ring is sealed (record/ring.h) is refused by the first check; what is then the long way tries once more, sealing.
 *
 * Nothing that is checked before `busy` is set may change in a signal handler between the two: a ring's position and
 * limit may, so they are looked at behind it. */
#include "core/operation.h"
#include "platform/clock.h"
#include "platform/copy.h"
#include "record/seal.h"
#include "record/shape.h"

#include <string.h>

enum {
    TEXT_MAX = 256,
    AHEAD = 512, /* some five records */
    /* header, elapsed, step, attempt, shape, values, and five texts with what is copied beyond their ends */
    BOUND = sizeof(stepi_record_t) + 32 + 8 * STEPI_SHAPE_FIELDS + 5 * (8 + TEXT_MAX + STEPI_COPY_AHEAD),
};
_Static_assert((size_t)BOUND <= (size_t)STEPI_SHORT_BYTES, "the ring keeps too little room for a short record");

typedef struct draft {
    stepi_ring_t *ring;
    uint8_t *start; /* of the record */
    uint8_t *at;    /* what comes next */
    uint64_t ticks;
    uint64_t identity; /* the ring's */
} draft_t;

static inline void give_up(const draft_t *d)
{
    atomic_store_explicit(&d->ring->busy, 0, memory_order_release);
}

/* Which rings: each way is compiled by itself, so that the one without seals does not pay for the other. */
typedef enum way { UNSEALED, SEALED } way_t;
#define EACH_WAY static inline __attribute__((always_inline))

/* As stepi_enter(), for what is likely. False: the long way. */
EACH_WAY bool begin(draft_t *d, const step_log_t *log, uint64_t serial, way_t way)
{
    const stepi_thread_t *self = stepi_self;
    if (__builtin_expect(self == NULL || (way == SEALED ? self->sealed_log : self->short_log) != log || self->serial != serial, 0))
        return false;
    stepi_ring_t *ring = d->ring = self->ring;
    if (__builtin_expect(atomic_load_explicit(&ring->busy, memory_order_relaxed) != 0, 0))
        return false;
    atomic_store_explicit(&ring->busy, (uintptr_t)__builtin_frame_address(0), memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst); /* as in stepi_enter() */
    if (__builtin_expect(ring->position >= ring->short_limit, 0) && !stepi_ring_make_ready(ring)) {
        give_up(d);
        return false;
    }
    if (__builtin_expect(atomic_load_explicit(&log->serial, memory_order_relaxed) != serial, 0)) {
        give_up(d);
        return false;
    }
    const uint64_t now = stepi_tsc();
    d->ticks = now > ring->last_stamp ? now : ring->last_stamp;
    d->identity = self->identity;
    d->start = stepi_ring_at(ring, ring->position);
    stepi_prefetch_to_write(stepi_ring_at(ring, ring->position + AHEAD)); /* the reader's core has these lines */
    stepi_prefetch_to_write(stepi_ring_at(ring, ring->position + AHEAD + STEPI_CACHE_LINE));
    d->at = d->start + sizeof(stepi_record_t);
    return true;
}

static inline void put_64(draft_t *d, uint64_t value)
{
    memcpy(d->at, &value, sizeof(value));
    d->at += sizeof(value);
}

/* A text part: its length, then its bytes. False: too long. */
static inline bool put_text(draft_t *d, const char *text)
{
    uint32_t length = STEPI_TEXT_NULL;
    size_t n = 0;
    if (__builtin_expect(text != NULL, 1)) {
        n = stepi_copy_text((char *)d->at + sizeof(length), text, TEXT_MAX);
        length = (uint32_t)n;
    }
    memcpy(d->at, &length, sizeof(length));
    d->at += sizeof(length) + n;
    return n <= TEXT_MAX;
}

typedef struct values {
    uint64_t v[STEPI_SHAPE_FIELDS];
} values_t;

/* The fields: all values as they came, then each text, whose length takes the place of its pointer. False: one is too long. */
static inline bool put_values(draft_t *d, const stepi_shape_t *shape, const values_t *values)
{
    uint8_t *const slots = d->at;
    for (size_t i = 0; i < STEPI_SHAPE_FIELDS; i++) { /* those that are not there are written over */
        const uint64_t value = stepi_by_itself(values->v[i]);
        memcpy(slots + i * sizeof(value), &value, sizeof(value));
    }
    d->at += shape->count * sizeof(uint64_t);
    for (uint32_t texts = shape->texts; texts != 0; texts &= texts - 1) {
        uint8_t *const slot = slots + (size_t)__builtin_ctz(texts) * sizeof(uint64_t);
        const char *text;
        uint64_t length = STEPI_TEXT_NULL;
        memcpy(&text, slot, sizeof(text));
        if (__builtin_expect(text != NULL, 1)) {
            length = stepi_copy_text((char *)d->at, text, TEXT_MAX);
            if (__builtin_expect(length > TEXT_MAX, 0))
                return false;
            d->at += length;
        }
        memcpy(slot, &length, sizeof(length));
    }
    return true;
}

static inline void put_32_32(draft_t *d, uint32_t first, uint32_t second)
{
    memcpy(d->at, &first, sizeof(first));
    memcpy(d->at + sizeof(first), &second, sizeof(second));
    d->at += sizeof(first) + sizeof(second);
}

/* The shape's number and the fields. */
static inline bool put_fields(draft_t *d, const stepi_shape_t *shape, const values_t *values)
{
    put_32_32(d, shape->number, 0);
    return put_values(d, shape, values);
}

/* Number, time and length of the record, publication, and no longer busy. */
EACH_WAY void finish(draft_t *d, step_log_t *log, uint64_t operation, uint64_t what, way_t way)
{
    stepi_ring_t *ring = d->ring;
    const uint64_t bytes = ((uint64_t)(d->at - d->start) + 7) & ~UINT64_C(7);
    if (way == SEALED) /* what was copied from behind a text's end is nobody's business */
        memset(d->at, 0, STEPI_COPY_AHEAD);
    const uint64_t seq = atomic_load_explicit(&ring->seq, memory_order_relaxed);
    d->at = d->start;
    put_32_32(d, (uint32_t)bytes, 0);
    put_64(d, seq);
    put_64(d, d->ticks);
    put_64(d, operation);
    put_64(d, what);
    if (way == SEALED)
        stepi_record_seal(d->start, bytes);
    atomic_store_explicit(&ring->seq, seq + 1, memory_order_relaxed);
    stepi_ring_publish(ring, ring->position + bytes, d->ticks, d->ticks);
    atomic_store_explicit(&ring->busy, 0, memory_order_release); /* as in stepi_leave() */
    stepi_wake_backend(log);
}

/* ---- success() ---- */

/* `shape` is NULL for a call without fields; its place then goes the long way, where an output shows places. */
EACH_WAY bool success(step_logger_t *op, const stepi_shape_t *shape, const values_t *values, way_t way)
{
    draft_t d;
    if (__builtin_expect(op == NULL || op->gate.step == 0 || (shape != NULL && !stepi_shape_is_ours(shape)), 0) ||
        !begin(&d, op->log, op->serial, way))
        return false;
    const int64_t elapsed = (int64_t)d.ticks - op->step_at;
    put_64(&d, elapsed > 0 ? (uint64_t)elapsed : 0);
    put_32_32(&d, (uint32_t)op->step, (uint32_t)op->total);
    uint32_t parts = STEPI_PART_ELAPSED | STEPI_PART_STEP | (shape != NULL ? STEPI_PART_SHAPE : 0);
    if ((op->gate.step & STEPI_GATE_REPEATED) != 0) {
        parts |= STEPI_PART_ATTEMPT;
        put_32_32(&d, op->attempt, 0);
    }
    if (__builtin_expect(op->described_in != d.identity ||
                             (shape != NULL ? !put_fields(&d, shape, values)
                                            : atomic_load_explicit(&op->log->shows_places, memory_order_relaxed)),
                         0)) {
        give_up(&d);
        return false;
    }
    const uint64_t what = stepi_record_word(STEPI_STEP_SUCCESS, op->gate.level, parts,
                                            op->gate.step & STEPI_GATE_DEPTH, shape != NULL ? shape->count : 0);
    op->step_open = false;
    op->gate.step = 0;
    atomic_store_explicit(&op->span_now, op->span, memory_order_relaxed); /* as in stepi_trace_step_end() */
    finish(&d, op->log, atomic_load_explicit(&op->id, memory_order_relaxed), what, way);
    return true;
}

__attribute__((noinline)) static void success_the_long_way(step_logger_t *op, step_site_t *site,
                                                                 const values_t *values)
{
    step_field_t fields[STEPI_SHAPE_FIELDS];
    const stepi_shape_t *shape = stepi_shape_of_site(site);
    if (success(op, shape, values, SEALED))
        return;
    stepi_shape_fields(shape, values->v, fields);
    step_logger_success_fields(op, site, fields, shape->count);
}

void stepi_success_values(step_logger_t *op, step_site_t *site, uint64_t v0, uint64_t v1, uint64_t v2, uint64_t v3)
{
    const values_t values = { { v0, v1, v2, v3 } };
    if (__builtin_expect(!success(op, stepi_shape_of_site(site), &values, UNSEALED), 0)) {
        const values_t copy = values; /* the address of a copy: the values themselves stay in registers */
        success_the_long_way(op, site, &copy);
    }
}

__attribute__((noinline)) static bool success_without_fields_sealed(step_logger_t *op)
{
    return success(op, NULL, NULL, SEALED);
}

bool stepi_success_without_fields(step_logger_t *op)
{
    return success(op, NULL, NULL, UNSEALED) || success_without_fields_sealed(op);
}

/* ---- Messages ---- */

EACH_WAY bool message(step_level_t level, const char *text, const stepi_shape_t *shape, const values_t *values, way_t way)
{
    draft_t d;
    step_log_t *log = atomic_load_explicit(&stepi_default_log, memory_order_acquire);
    if (__builtin_expect(log == NULL || level < 1 || level >= STEP_LEVEL_OFF || !stepi_shape_is_ours(shape), 0))
        return false;
    const uint64_t serial = atomic_load_explicit(&log->serial, memory_order_relaxed);
    const stepi_current_t *current = stepi_current();
    if (current != NULL && current->log != log)
        current = NULL;
    if (!begin(&d, log, serial, way))
        return false;
    if (__builtin_expect(!put_text(&d, text) || !put_fields(&d, shape, values), 0)) {
        give_up(&d);
        return false;
    }
    finish(&d, log, current != NULL ? current->id : 0,
           stepi_record_word(STEPI_MESSAGE, level, STEPI_PART_TEXT | STEPI_PART_SHAPE,
                             current != NULL ? current->depth : 0, shape->count),
           way);
    return true;
}

__attribute__((noinline)) static void message_the_long_way(step_site_t *site, step_level_t level,
                                                                 const char *text, const values_t *values)
{
    step_field_t fields[STEPI_SHAPE_FIELDS];
    const stepi_shape_t *shape = stepi_shape_of_site(site);
    if (message(level, text, shape, values, SEALED))
        return;
    stepi_shape_fields(shape, values->v, fields);
    step_message_fields(site, level, text, fields, shape->count);
}

void stepi_message_values(step_site_t *site, step_level_t level, const char *text, uint64_t v0, uint64_t v1, uint64_t v2,
                          uint64_t v3)
{
    const values_t values = { { v0, v1, v2, v3 } };
    if (__builtin_expect(!message(level, text, stepi_shape_of_site(site), &values, UNSEALED), 0)) {
        const values_t copy = values;
        message_the_long_way(site, level, text, &copy);
    }
}

/* ---- Quick success ---- */

typedef struct quick {
    int number, total;
    const char *description;
} quick_t;

EACH_WAY bool quick_success(const quick_t *quick, const stepi_shape_t *shape, const values_t *values, way_t way)
{
    draft_t d;
    step_log_t *log = atomic_load_explicit(&stepi_default_log, memory_order_acquire);
    if (__builtin_expect(log == NULL || !stepi_shape_is_ours(shape), 0))
        return false;
    const stepi_current_t *current = stepi_current();
    if (!begin(&d, log, atomic_load_explicit(&log->serial, memory_order_relaxed), way))
        return false;
    put_32_32(&d, (uint32_t)quick->number, quick->total > 0 ? (uint32_t)quick->total : 0);
    if (__builtin_expect(!put_text(&d, quick->description) || !put_fields(&d, shape, values), 0)) {
        give_up(&d);
        return false;
    }
    finish(&d, log, 0,
           stepi_record_word(STEPI_STEP_SUCCESS, STEP_LEVEL_INFO,
                             STEPI_FLAG_DETACHED | STEPI_PART_STEP | STEPI_PART_DESCRIPTION | STEPI_PART_SHAPE,
                             current != NULL && current->log == log ? current->depth : 0, shape->count),
           way);
    return true;
}

__attribute__((noinline)) static void quick_success_the_long_way(step_site_t *site, const quick_t *quick,
                                                                       const values_t *values)
{
    step_field_t fields[STEPI_SHAPE_FIELDS];
    const stepi_shape_t *shape = stepi_shape_of_site(site);
    if (quick_success(quick, shape, values, SEALED))
        return;
    stepi_shape_fields(shape, values->v, fields);
    step_quick_success_fields(site, quick->number, quick->description, quick->total, fields, shape->count);
}

void stepi_quick_success_values(step_site_t *site, int number, const char *description, int total_steps, uint64_t v0,
                                uint64_t v1, uint64_t v2, uint64_t v3)
{
    const values_t values = { { v0, v1, v2, v3 } };
    const quick_t quick = { .number = number, .total = total_steps, .description = description };
    if (__builtin_expect(!quick_success(&quick, stepi_shape_of_site(site), &values, UNSEALED), 0)) {
        const quick_t same = quick;
        const values_t copy = values;
        quick_success_the_long_way(site, &same, &copy);
    }
}
