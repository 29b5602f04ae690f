/* A ring of records: one thread writes, the backend reads.
 *
 *     page 0   producer's own: position, limit, sequence, busy.  Wiped in a forked child: limit 0 sends it the slow way.
 *     page 1   the process's: who owns it, who waits
 *     page 2   shared: head (producer) │ tail (backend)          these and the data may be a file: see below
 *     page 3…  data, a power of two bytes; then room for one record to be put together in
 *
 *     tail ──────────── records ──────────── head ─── being written ─── position … limit
 *
 * A record lies in one piece; where it would not fit before the end, a mark sends the reader back to the start. The
 * producer looks at the tail only when it reaches `limit`, publishes with one release store, and is `busy` from before its
 * time stamp until after the publication: the mark of a nested signal handler, of a record that has its stamp but
 * cannot be read yet, and of a thread that close() must wait for.
 *
 * Positions only grow; they index the data modulo its size. 2^64 bytes are never reached.
 *
 * A part of the ring is kept for errors: a flood of information cannot take it (`reserve`).
 *
 * Where pages from page 2 on are those of a file, the kernel keeps what was published when the process is killed. Such a ring is
 * `sealed`: each record has its checksum. There is no pointer in the file. */
#ifndef STEPI_RECORD_RING_H
#define STEPI_RECORD_RING_H

#include "record/record.h"

#include <stdatomic.h>

enum { STEPI_CACHE_LINE = 64, STEPI_RING_PAGE = 4096 };

typedef struct stepi_ring stepi_ring_t;
struct stepi_ring {
    /* page 0: what a forked child must not believe */
    uint64_t position; /* of the next record */
    uint64_t limit;    /* the producer may write up to here without looking at the tail */
    uint64_t last_stamp;
    uint8_t *data;
    uint64_t mask;
    uint64_t short_limit;   /* a short record may begin below this: see stepi_ring_make_ready(); 0: none may */
    _Atomic uint64_t seq;   /* of the next record; written by the producer, read for statistics */
    _Atomic uintptr_t busy; /* the frame address of the call in progress; 0: none. So much for the first cache line */
    uint64_t reserve;
    uint32_t alive;   /* 1, and 0 in a forked child */
    bool takes_short; /* calls may write short records */
    uint64_t random[2]; /* the state of this thread's generator of ids; 0: to be seeded */

    bool is_sealed;

    /* page 1: owned by the registry, see core/registry.h */
    _Alignas(STEPI_RING_PAGE) _Atomic uint32_t waiting; /* the producer sleeps on `space` */
    _Atomic uint32_t space;                             /* bumped when half the ring is free */
    _Atomic uint64_t dropped_full;
    _Atomic uint64_t dropped_nested;
    _Alignas(STEPI_CACHE_LINE) _Atomic uint32_t released; /* the thread is gone, or uses another ring: recycle once drained */
    const uint8_t *read_data; /* the backend's: data and mask, on a line that the producer does not write to */
    uint64_t read_mask;
    uint64_t ignored_head; /* the backend's: a call that is busy with this head was so for too long; UINT64_MAX: none */
    size_t mapped;
    uint8_t *scratch;
    size_t scratch_bytes;
    stepi_ring_t *next_in_log;
    stepi_ring_t *next_in_thread;
    _Atomic(void *) log; /* NULL: closed, the thread frees the ring */
    uint64_t log_serial;
    uint32_t file; /* number of its file; 0: it has none */

    /* page 2 */
    _Alignas(STEPI_RING_PAGE) uint64_t mark[2]; /* what tells the file from others: see crash/layout.h */
    uint64_t bytes;                             /* of data */
    uint64_t identity;                          /* of this use of the ring: differs for each thread that had it */
    uint32_t tid;
    _Alignas(STEPI_CACHE_LINE) _Atomic uint64_t head; /* published up to here */
    _Atomic uint64_t head_ticks;                      /* when, by the machine, the last published record was made */
    _Alignas(STEPI_CACHE_LINE) _Atomic uint64_t tail;
    uint64_t read; /* the backend's position, ahead of tail while it works */
};

/* What of a ring lies in its file, and where the data begin in there. */
enum { STEPI_RING_DATA = STEPI_RING_PAGE };
static inline size_t stepi_ring_file_bytes(size_t bytes)
{
    return STEPI_RING_DATA + bytes;
}

/* bytes: a power of two, at least 4096. fd: a file of stepi_ring_file_bytes() zeros, for a ring that outlives its process; -1:
 * memory. NULL without memory. */
stepi_ring_t *stepi_ring_new(size_t bytes, int fd);
void stepi_ring_free(stepi_ring_t *ring);

/* In a forked child: from now on what it does to a ring that it inherited is not done to its parent's file. A call that fork() came
 * upon, in a signal handler, may go on here; with `is_read` also a reader. */
void stepi_ring_leave_file(stepi_ring_t *ring, bool is_read);

/* The record was encoded at the position and ends before `end`: now the backend may see it. */
static inline void stepi_ring_publish(stepi_ring_t *ring, uint64_t end, uint64_t stamp, uint64_t ticks)
{
    ring->position = end;
    ring->last_stamp = stamp;
    atomic_store_explicit(&ring->head_ticks, ticks, memory_order_relaxed); /* read after head, which orders it */
    atomic_store_explicit(&ring->head, end, memory_order_release);         /* the record's bytes come before it */
}

/* Contiguous bytes at the position that may be written without looking at the tail. */
static inline size_t stepi_ring_room(const stepi_ring_t *ring, bool urgent)
{
    const uint64_t limit = ring->limit + (urgent ? ring->reserve : 0);
    const uint64_t free_bytes = limit > ring->position ? limit - ring->position : 0;
    const uint64_t to_end = ring->mask + 1 - (ring->position & ring->mask);
    return (size_t)(free_bytes < to_end ? free_bytes : to_end);
}

static inline uint8_t *stepi_ring_at(const stepi_ring_t *ring, uint64_t position)
{
    return ring->data + (position & ring->mask);
}

/* What the short way writes without looking (core/short.c): so many bytes at the position, beside anything. */
enum { STEPI_SHORT_BYTES = 2048 };

/* Makes room for short records, if need be on the next lap. False: there is none, or they may not be written. */
bool stepi_ring_make_ready(stepi_ring_t *ring);

/* The slow way: looks at the tail and, when `bytes` more fit, copies the record from the scratch and publishes it.
 * False: the ring is full. */
bool stepi_ring_push(stepi_ring_t *ring, size_t bytes, const stepi_draft_t *draft, bool urgent);

#define STEPI_WRAP_MARK UINT32_MAX /* in place of a record's length: the next one is at the start */

static inline uint32_t stepi_ring_length_at(const uint8_t *record)
{
    uint32_t bytes;
    memcpy(&bytes, record, sizeof(bytes));
    return bytes;
}

/* The reader: the next record before `head` (a value of ring->head read with acquire), or NULL. Its stamp is
 * ((const stepi_record_t *)it)->stamp. */
static inline const uint8_t *stepi_ring_peek(stepi_ring_t *ring, uint64_t head)
{
    if (ring->read == head)
        return NULL;
    const uint8_t *record = ring->read_data + (ring->read & ring->read_mask);
    if (__builtin_expect(stepi_ring_length_at(record) == STEPI_WRAP_MARK, 0)) {
        ring->read += ring->read_mask + 1 - (ring->read & ring->read_mask);
        record = ring->read_data;
    }
    return record;
}

/* Steps over the record that peek returned; its bytes stay valid until stepi_ring_release(). */
static inline void stepi_ring_skip(stepi_ring_t *ring, const uint8_t *record)
{
    const uint32_t bytes = stepi_ring_length_at(record);
    atomic_signal_fence(memory_order_release); /* what was done with it comes first: the process may be killed here */
    ring->read += bytes;
}

/* Gives what was read back to the producer, and wakes it when it waits and half the ring is free. */
void stepi_ring_release(stepi_ring_t *ring);

#endif
