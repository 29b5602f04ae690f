#include "record/ring.h"

#include "platform/futex.h"
#include "platform/system.h"
#include "record/seal.h"

#include <string.h>

#define PAGE_OF(member) (offsetof(stepi_ring_t, member) / STEPI_RING_PAGE)
_Static_assert(PAGE_OF(is_sealed) == 0 && PAGE_OF(waiting) == 1 && PAGE_OF(file) == 1 && PAGE_OF(mark) == 2,
               "each part of a ring has its page");
_Static_assert(sizeof(stepi_ring_t) == 3 * STEPI_RING_PAGE, "the data begin where the file says that they do");

enum { SCRATCH_MAX = 64 * 1024, SCRATCH_SHARE = 4, RESERVE_SHARE = 16 };
/* The two sides change or read these with each record: on a line of the other side's they would wait for each other. */
_Static_assert(offsetof(stepi_ring_t, busy) < STEPI_CACHE_LINE, "the caller's line");
_Static_assert(offsetof(stepi_ring_t, tail) % STEPI_CACHE_LINE == 0 &&
                   offsetof(stepi_ring_t, read) < offsetof(stepi_ring_t, tail) + STEPI_CACHE_LINE,
               "the backend's line");

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

/* The file in place of what is shared and the data. */
static bool put_file(stepi_ring_t *ring, int fd, size_t bytes)
{
    return stepi_pages_map_file_over(ring->mark, fd, 0, stepi_ring_file_bytes(bytes));
}

stepi_ring_t *stepi_ring_new(size_t bytes, int fd)
{
    const size_t page = stepi_page_bytes();
    const size_t scratch = bytes / SCRATCH_SHARE < SCRATCH_MAX ? bytes / SCRATCH_SHARE : SCRATCH_MAX;
    const size_t control = round_up(sizeof(stepi_ring_t), page);
    const size_t mapped = control + round_up(bytes, page) + round_up(scratch, page);
    stepi_ring_t *ring = stepi_pages_map(mapped);
    if (ring == NULL)
        return NULL;
    if (fd >= 0 && !put_file(ring, fd, bytes)) {
        stepi_pages_unmap(ring, mapped);
        return NULL;
    }
    if (page <= STEPI_RING_PAGE) /* with larger pages the others would be wiped, too: atfork alone has to do */
        stepi_pages_wipe_on_fork(ring, page);
    ring->mapped = mapped;
    ring->bytes = bytes;
    ring->data = (uint8_t *)ring + control;
    ring->read_data = ring->data;
    ring->mask = ring->read_mask = bytes - 1;
    ring->reserve = bytes / RESERVE_SHARE;
    ring->limit = bytes - ring->reserve;
    ring->scratch = ring->data + round_up(bytes, page);
    ring->scratch_bytes = scratch;
    ring->ignored_head = UINT64_MAX;
    ring->alive = 1;
    ring->is_sealed = fd >= 0;
    return ring;
}

void stepi_ring_free(stepi_ring_t *ring)
{
    if (ring != NULL)
        stepi_pages_unmap(ring, ring->mapped);
}

void stepi_ring_leave_file(stepi_ring_t *ring, bool is_read)
{
    if (ring->file != 0)
        stepi_pages_leave_file(ring->mark, stepi_ring_file_bytes(ring->bytes), is_read ? STEPI_PAGES_COPY : STEPI_PAGES_ZEROS);
}

static uint64_t lap_end(const stepi_ring_t *ring, uint64_t position)
{
    return position - (position & ring->mask) + ring->bytes;
}

static void put_wrap_mark(stepi_ring_t *ring)
{
    /* records are multiples of 8 bytes: there is always room for it */
    const uint32_t mark = STEPI_WRAP_MARK;
    memcpy(stepi_ring_at(ring, ring->position), &mark, sizeof(mark));
}

/* The mark is published with the record behind it. */
bool stepi_ring_make_ready(stepi_ring_t *ring)
{
    if (!ring->takes_short)
        return false;
    /* acquire: the reader is done with the bytes before it moved the tail */
    ring->limit = atomic_load_explicit(&ring->tail, memory_order_acquire) + ring->bytes - ring->reserve;
    uint64_t end = lap_end(ring, ring->position);
    if (end - ring->position < STEPI_SHORT_BYTES && end + STEPI_SHORT_BYTES <= ring->limit) {
        put_wrap_mark(ring);
        ring->position = end;
        end += ring->bytes;
    }
    end = end < ring->limit ? end : ring->limit;
    ring->short_limit = end > STEPI_SHORT_BYTES ? end - STEPI_SHORT_BYTES : 0;
    return ring->position < ring->short_limit;
}

bool stepi_ring_push(stepi_ring_t *ring, size_t bytes, const stepi_draft_t *draft, bool urgent)
{
    /* acquire: the reader is done with the bytes before it moved the tail */
    const uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    ring->limit = tail + ring->bytes - ring->reserve;
    const uint64_t limit = tail + ring->bytes - (urgent ? 0 : ring->reserve);
    const uint64_t end = lap_end(ring, ring->position);
    const uint64_t at = bytes <= end - ring->position ? ring->position : end;
    if (at + bytes > limit)
        return false;
    if (at != ring->position)
        put_wrap_mark(ring);
    memcpy(stepi_ring_at(ring, at), ring->scratch, bytes);
    if (ring->is_sealed)
        stepi_record_seal(stepi_ring_at(ring, at), bytes);
    stepi_ring_publish(ring, at + bytes, draft->stamp, draft->ticks);
    return true;
}

void stepi_ring_release(stepi_ring_t *ring)
{
    /* release: our reads of these bytes come before the producer's writes.
     * seq_cst: this store and the producer's `waiting` must not pass each other, or it sleeps beside a free ring. */
    atomic_store_explicit(&ring->tail, ring->read, memory_order_seq_cst);
    if (atomic_load_explicit(&ring->waiting, memory_order_seq_cst) == 0)
        return;
    const uint64_t used = atomic_load_explicit(&ring->head, memory_order_relaxed) - ring->read;
    if (used <= ring->bytes / 2) {
        atomic_store_explicit(&ring->waiting, 0, memory_order_relaxed);
        atomic_fetch_add_explicit(&ring->space, 1, memory_order_release);
        stepi_futex_wake(&ring->space, 1);
    }
}
