#include "crash/store.h"

#include "platform/io.h"
#include "platform/memory.h"
#include "platform/system.h"
#include "record/record.h"
#include "record/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define NOBODY UINT32_MAX

enum { SLOT_MIN = 128, LATE_FIRST = 64, LATE_MAX = 65536 /* more names than lines that can be on their way */ };

_Static_assert((STEPI_EXTENT_BYTES - STEPI_EXTENT_HEAD) / SLOT_MIN <= STEPI_SLOTS_MAX, "free slots have their places");
_Static_assert(sizeof(stepi_extent_t) <= STEPI_EXTENT_HEAD && sizeof(stepi_kept_t) % 8 == 0, "records are aligned");

/* ---- The file ---- */

bool stepi_store_open(stepi_store_t *store, int fd)
{
    *store = (stepi_store_t){ .fd = fd, .flight_first = NOBODY, .flight_last = NOBODY };
    for (int class = 0; class < STEPI_SLOT_CLASSES; class ++)
        store->with_room[class] = NOBODY;
    store->base = stepi_pages_reserve((size_t)STEPI_EXTENTS_MAX * STEPI_EXTENT_BYTES);
    store->extents = stepi_pages_reserve(STEPI_EXTENTS_MAX * sizeof(*store->extents));
    if (store->base != NULL && store->extents != NULL)
        return true;
    stepi_store_close(store);
    errno = ENOMEM;
    return false;
}

static void unmap(stepi_store_t *store)
{
    if (store->base != NULL)
        stepi_pages_unmap(store->base, (size_t)STEPI_EXTENTS_MAX * STEPI_EXTENT_BYTES);
    if (store->extents != NULL)
        stepi_pages_unmap(store->extents, STEPI_EXTENTS_MAX * sizeof(*store->extents));
    close(store->fd);
}

void stepi_store_close(stepi_store_t *store)
{
    unmap(store);
    stepi_free(store->late);
    *store = (stepi_store_t){ .fd = -1 };
}

void stepi_store_forget_in_child(stepi_store_t *store)
{
    unmap(store); /* the list is not freed: its thread may have been in the middle of growing it */
    *store = (stepi_store_t){ .fd = -1 };
}

static stepi_extent_t *extent_at(const stepi_store_t *store, uint32_t at)
{
    return (stepi_extent_t *)(void *)(store->base + (size_t)at * STEPI_EXTENT_BYTES);
}

/* One more at the end of the file; NOBODY without room. */
static uint32_t add_extent(stepi_store_t *store)
{
    const size_t offset = (size_t)store->count * STEPI_EXTENT_BYTES;
    if (store->count == STEPI_EXTENTS_MAX || stepi_allocate(store->fd, (off_t)offset, STEPI_EXTENT_BYTES) != 0 ||
        !stepi_pages_map_file_over(store->base + offset, store->fd, offset, STEPI_EXTENT_BYTES))
        return NOBODY;
    stepi_extent_t *extent = extent_at(store, store->count);
    extent->mark[0] = STEPI_MARK_STORE;
    extent->mark[1] = STEPI_MARK_FORM;
    return store->count++;
}

/* ---- A record's head ---- */

uint32_t stepi_kept_sum(const stepi_kept_t *kept, uint32_t bytes)
{
    const uint64_t words[] = { bytes, kept->number, kept->ring, kept->tid };
    return stepi_seal_sum(0, (const uint8_t *)words, sizeof(words));
}

static uint32_t bytes_of(const uint8_t *record)
{
    uint32_t bytes;
    memcpy(&bytes, record, sizeof(bytes));
    return bytes;
}

static void put(stepi_kept_t *kept, stepi_kept_as_t as, const uint8_t *record, uint32_t bytes)
{
    kept->number = as.number;
    kept->ring = as.ring;
    kept->tid = as.tid;
    kept->unused = 0;
    kept->sum = stepi_kept_sum(kept, bytes);
    memcpy(kept + 1, record, bytes);
    /* release: it is there when it is whole */
    atomic_store_explicit(&kept->bytes, bytes, memory_order_release);
}

/* ---- Slots ---- */

static int class_of(size_t bytes)
{
    int class = 0;
    while (((size_t)SLOT_MIN << class) < bytes)
        class ++;
    return class;
}

static uint32_t add_slots(stepi_store_t *store, int class)
{
    const uint32_t at = add_extent(store);
    if (at == NOBODY)
        return at;
    const uint32_t slot_bytes = (uint32_t)SLOT_MIN << class;
    stepi_store_extent_t *state = &store->extents[at];
    const uint32_t slots = (STEPI_EXTENT_BYTES - STEPI_EXTENT_HEAD) / slot_bytes;
    while (state->free_count < slots) {
        state->free[state->free_count] = (uint16_t)(slots - 1 - state->free_count);
        state->free_count++;
    }
    extent_at(store, at)->slot_bytes = slot_bytes;
    atomic_store_explicit(&extent_at(store, at)->kind, STEPI_EXTENT_SLOTS, memory_order_release);
    state->next = store->with_room[class];
    store->with_room[class] = at;
    return at;
}

stepi_kept_t *stepi_store_keep(stepi_store_t *store, stepi_kept_as_t as, const uint8_t *record)
{
    const uint32_t bytes = bytes_of(record);
    const int class = class_of(sizeof(stepi_kept_t) + bytes);
    if (class >= STEPI_SLOT_CLASSES)
        return NULL;
    uint32_t at = store->with_room[class];
    if (at == NOBODY && (at = add_slots(store, class)) == NOBODY)
        return NULL;
    stepi_store_extent_t *state = &store->extents[at];
    const size_t slot = state->free[--state->free_count];
    if (state->free_count == 0)
        store->with_room[class] = state->next;
    uint8_t *extent = (uint8_t *)extent_at(store, at);
    stepi_kept_t *kept = (stepi_kept_t *)(void *)(extent + STEPI_EXTENT_HEAD + slot * ((size_t)SLOT_MIN << class));
    put(kept, as, record, bytes);
    return kept;
}

void stepi_store_free(stepi_store_t *store, stepi_kept_t *kept)
{
    const size_t offset = (size_t)((uint8_t *)kept - store->base);
    const uint32_t at = (uint32_t)(offset / STEPI_EXTENT_BYTES);
    const uint32_t slot_bytes = extent_at(store, at)->slot_bytes;
    stepi_store_extent_t *state = &store->extents[at];
    atomic_store_explicit(&kept->bytes, 0, memory_order_release);
    if (state->free_count == 0) {
        const int class = class_of(slot_bytes);
        state->next = store->with_room[class];
        store->with_room[class] = at;
    }
    state->free[state->free_count++] = (uint16_t)((offset % STEPI_EXTENT_BYTES - STEPI_EXTENT_HEAD) / slot_bytes);
}

/* ---- Slots that are freed late ---- */

static bool grow_late(stepi_store_t *store)
{
    const size_t capacity = store->late_capacity == 0 ? LATE_FIRST : store->late_capacity * 2;
    stepi_store_late_t *late = stepi_alloc(capacity * sizeof(*late));
    if (late == NULL)
        return false;
    for (size_t i = 0; i < store->late_count; i++)
        late[i] = store->late[(store->late_from + i) % store->late_capacity];
    stepi_free(store->late);
    store->late = late;
    store->late_from = 0;
    store->late_capacity = capacity;
    return true;
}

static void free_first_late(stepi_store_t *store)
{
    stepi_store_free(store, store->late[store->late_from].slot);
    store->late_from = (store->late_from + 1) % store->late_capacity;
    store->late_count--;
}

void stepi_store_free_behind(stepi_store_t *store, stepi_kept_t *kept, uint64_t number)
{
    if (kept == NULL)
        return;
    if (store->late_count == LATE_MAX)
        free_first_late(store);
    if (store->late_count == store->late_capacity && !grow_late(store)) {
        stepi_store_free(store, kept); /* at worst a line lacks its name */
        return;
    }
    const size_t at = (store->late_from + store->late_count++) % store->late_capacity;
    store->late[at] = (stepi_store_late_t){ .slot = kept, .number = number };
}

void stepi_store_settle(stepi_store_t *store, uint64_t settled)
{
    while (store->late_count > 0 && store->late[store->late_from].number <= settled)
        free_first_late(store);
}

/* ---- Flight ---- */

/* The oldest extent, if that behind it is settled, too; NOBODY: it is still needed. */
static uint32_t take_settled(stepi_store_t *store, uint64_t settled)
{
    const uint32_t first = store->flight_first;
    if (first == NOBODY || first == store->flight_last)
        return NOBODY;
    const uint32_t second = store->extents[first].next;
    if (second == store->flight_last || store->extents[second].last >= settled)
        return NOBODY;
    store->flight_first = second;
    return first;
}

static uint32_t next_flight(stepi_store_t *store, uint64_t settled)
{
    uint32_t at = take_settled(store, settled);
    if (at == NOBODY && (at = add_extent(store)) == NOBODY)
        return NOBODY;
    stepi_extent_t *extent = extent_at(store, at);
    atomic_store_explicit(&extent->used, 0, memory_order_release);
    atomic_store_explicit(&extent->kind, STEPI_EXTENT_FLIGHT, memory_order_release);
    store->extents[at].next = NOBODY;
    if (store->flight_last != NOBODY)
        store->extents[store->flight_last].next = at;
    else
        store->flight_first = at;
    store->flight_last = at;
    return at;
}

static bool has_room(const stepi_store_t *store, uint32_t at, size_t bytes)
{
    return at != NOBODY && extent_at(store, at)->used + bytes <= STEPI_EXTENT_BYTES - STEPI_EXTENT_HEAD;
}

bool stepi_store_fly(stepi_store_t *store, stepi_kept_as_t as, const uint8_t *record, uint64_t settled)
{
    const uint32_t bytes = bytes_of(record);
    const size_t all = sizeof(stepi_kept_t) + bytes;
    uint32_t at = store->flight_last;
    if (!has_room(store, at, all)) {
        at = next_flight(store, settled);
        if (!has_room(store, at, all))
            return false;
    }
    stepi_extent_t *extent = extent_at(store, at);
    const uint64_t used = atomic_load_explicit(&extent->used, memory_order_relaxed);
    put((stepi_kept_t *)(void *)((uint8_t *)extent + STEPI_EXTENT_HEAD + used), as, record, bytes);
    store->extents[at].last = as.number;
    /* release: the record is whole before it is among those in use */
    atomic_store_explicit(&extent->used, used + all, memory_order_release);
    return true;
}
