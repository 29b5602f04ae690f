/* What a killed process left, read back.
 *
 * The bytes may be anything: damaged, cut off, written by somebody who means harm, of a machine with another byte order. Every length is
 * checked, every record has its checksum; what does not hold is skipped in steps of eight bytes and counted.
 *
 * Bytes that are given are referred to until stepi_remains_free(). Order: owner first, records last. */
#ifndef STEPI_CRASH_REMAINS_H
#define STEPI_CRASH_REMAINS_H

#include "crash/layout.h"
#include "record/shape_file.h"

enum { STEPI_RING_BYTES_MAX = 1 << 30 }; /* of data */

typedef enum stepi_source_kind { STEPI_FROM_FLIGHT, STEPI_FROM_ELSEWHERE } stepi_source_kind_t;

typedef struct stepi_remain {
    uint64_t stamp, ticks; /* the order of time */
    uint64_t ring, seq;    /* which record it is; ring 0: none that a caller made */
    const uint8_t *record;
    uint32_t bytes;
    uint32_t tid;
    stepi_source_kind_t source;
    bool is_missing; /* some output that wants it does not have it */
} stepi_remain_t;

typedef struct stepi_remains {
    stepi_owner_t owner;
    uint64_t has[STEPI_CRASH_OUTPUTS]; /* each output has what is below */
    stepi_shapes_t shapes;
    stepi_remain_t *records;
    size_t count, capacity;
    uint64_t damaged; /* bytes */
    bool lacks_memory;
} stepi_remains_t;

typedef enum stepi_remains_state {
    STEPI_REMAINS_GOOD,
    STEPI_REMAINS_FOREIGN,    /* of another byte order or version */
    STEPI_REMAINS_UNREADABLE, /* no owner file of ours */
} stepi_remains_state_t;

stepi_remains_state_t stepi_remains_begin(stepi_remains_t *remains, const uint8_t *owner, size_t size);
void stepi_remains_shapes(stepi_remains_t *remains, const uint8_t *bytes, size_t size);

/* file: what the file of the intent holds from its size on. */
void stepi_remains_intent(stepi_remains_t *remains, uint32_t output, const stepi_intent_t *intent, const char *file,
                          size_t file_bytes);
void stepi_remains_ring(stepi_remains_t *remains, const uint8_t *bytes, size_t size);
void stepi_remains_store(stepi_remains_t *remains, const uint8_t *bytes, size_t size);

/* Each record once, in the order of time. */
void stepi_remains_sort(stepi_remains_t *remains);
void stepi_remains_free(stepi_remains_t *remains);

#endif
