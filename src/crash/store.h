/* Where records are between their ring and their outputs.
 *
 * Two kinds of extents in one file:
 *
 *     flight   records with a number, in a row. Nobody looks at them again while the process lives: an extent is used anew once every
 *              output is past its last number (and past the extent behind it: names are found there, too).
 *     slots    records that wait for a verdict, and records whose names are still needed. Slots are powers of two; each
 *              extent has one size, and keeps it.
 *
 * A slot's owner frees it. What is freed may still be needed by a record in flight: stepi_store_free_behind(); so many may wait for that, the
 * oldest go then. Nothing here allocates from
 * the heap but the list of those. One thread at a time: the backend, under the pump lock. */
#ifndef STEPI_CRASH_STORE_H
#define STEPI_CRASH_STORE_H

#include "crash/layout.h"

enum { STEPI_EXTENTS_MAX = 1024, STEPI_SLOT_CLASSES = 11, STEPI_SLOTS_MAX = 2048 };

typedef struct stepi_store_extent {
    uint32_t next; /* in its list */
    uint32_t free_count;
    uint64_t last; /* of flight: the highest number */
    uint16_t free[STEPI_SLOTS_MAX];
} stepi_store_extent_t;

/* A slot to be freed once every output is past a number. */
typedef struct stepi_store_late {
    stepi_kept_t *slot;
    uint64_t number;
} stepi_store_late_t;

typedef struct stepi_store {
    int fd;
    uint8_t *base; /* addresses for all extents; NULL: there is no store */
    stepi_store_extent_t *extents;
    uint32_t count;
    uint32_t with_room[STEPI_SLOT_CLASSES]; /* lists; NOBODY at their end */
    uint32_t flight_first, flight_last;
    stepi_store_late_t *late; /* a ring */
    size_t late_from, late_count, late_capacity;
} stepi_store_t;

/* What a record is kept with. */
typedef struct stepi_kept_as {
    uint64_t number;
    uint64_t ring;
    uint32_t tid;
} stepi_kept_as_t;

/* fd: an empty file, owned from now on. False: see errno; it is closed. */
bool stepi_store_open(stepi_store_t *store, int fd);
void stepi_store_close(stepi_store_t *store);

/* In a forked child: it is the parent's. */
void stepi_store_forget_in_child(stepi_store_t *store);

/* A copy of the record in a slot of its own; NULL where the file has no room. */
stepi_kept_t *stepi_store_keep(stepi_store_t *store, stepi_kept_as_t as, const uint8_t *record);
void stepi_store_free(stepi_store_t *store, stepi_kept_t *slot);

/* Frees a slot, which may be NULL, once every output is past `number`; stepi_store_settle() says how far they are. */
void stepi_store_free_behind(stepi_store_t *store, stepi_kept_t *slot, uint64_t number);
void stepi_store_settle(stepi_store_t *store, uint64_t settled);

/* A copy of the record in flight. False where there is no room. */
bool stepi_store_fly(stepi_store_t *store, stepi_kept_as_t as, const uint8_t *record, uint64_t settled);

static inline const uint8_t *stepi_kept_record(const stepi_kept_t *kept)
{
    return (const uint8_t *)(kept + 1);
}

uint32_t stepi_kept_sum(const stepi_kept_t *kept, uint32_t bytes);

#endif
