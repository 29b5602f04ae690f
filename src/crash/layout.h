/* The files in which a log's records outlive their process.
 *
 *     DIR/4711-3f9c2a.../     one log of one process; 0700, its files 0600
 *         owner     who; locked as long as the process lives. What each output has taken
 *         shapes    call sites that records refer to (record/shape_file.h)
 *         ring-N    a ring: its shared page and its data (record/ring.h)
 *         store     records that have left their ring and are not yet in every output, and names (crash/store.h)
 *         write-N   what output N is writing to its file at this moment (crash/intent.h)
 *
 * Numbers and offsets, no pointers; host byte order, and a mark that says which. What a killed process has stored the kernel
 * keeps, in the order of the program: so every change is made such that it may be the last one. */
#ifndef STEPI_CRASH_LAYOUT_H
#define STEPI_CRASH_LAYOUT_H

#include "platform/clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each file begins with a mark: its kind, then version and byte order. */
#define STEPI_MARK_OWNER UINT64_C(0x72656e776f504553)
#define STEPI_MARK_SHAPES UINT64_C(0x6570616873504553)
#define STEPI_MARK_RING UINT64_C(0x676e697230504553)
#define STEPI_MARK_STORE UINT64_C(0x65726f7473504553)
#define STEPI_MARK_INTENT UINT64_C(0x6574697277504553)
#define STEPI_MARK_FORM (UINT64_C(1) << 32 | UINT64_C(0x01020304))
#define STEPI_MARK_FORM_SWAPPED UINT64_C(0x0403020101000000)

enum { STEPI_CRASH_OUTPUTS = 32, STEPI_CRASH_NAME = 48 };

/* What an output has: every record whose number is below. Written twice: half a change shows, and counts for the lower one. */
typedef struct stepi_owner_output {
    uint32_t is_file; /* of this process alone, as far as it knows: what is there need not be said again */
    int32_t level;
    _Atomic uint64_t resolved;
    _Atomic uint64_t resolved_not; /* ~resolved */
} stepi_owner_output_t;

typedef struct stepi_owner {
    uint64_t mark[2];
    uint32_t pid;
    uint32_t clocked;     /* stamps are an injected clock's */
    int32_t level;        /* of the log */
    uint32_t records_all; /* there is a flight recorder: what is below the level is written as if it had it */
    _Atomic uint32_t time_at; /* which of `time` is whole */
    _Atomic uint32_t outputs;
    stepi_timebase_t time[2];
    stepi_owner_output_t output[STEPI_CRASH_OUTPUTS];
} stepi_owner_t;

/* What `number` says of a record that left its ring, apart from a number in the order of writing. */
#define STEPI_NUMBER_HELD UINT64_MAX        /* its operation has not ended: nothing is decided */
#define STEPI_NUMBER_NAMES (UINT64_MAX - 1) /* kept for the names in it alone */

/* Before each record in the store. */
typedef struct stepi_kept {
    _Atomic uint32_t bytes; /* of the record; 0: there is none */
    uint32_t sum;           /* of what follows, and of `bytes` */
    uint64_t number;
    uint64_t ring; /* identity of its ring */
    uint32_t tid;
    uint32_t unused;
} stepi_kept_t;

enum { STEPI_EXTENT_BYTES = 256 * 1024, STEPI_EXTENT_HEAD = 64 };

/* Far from each other: a bit that is flipped makes none of them another. */
typedef enum stepi_extent_kind {
    STEPI_EXTENT_FREE = 0,
    STEPI_EXTENT_SLOTS = 0x746F6C73,
    STEPI_EXTENT_FLIGHT = 0x676C6679
} stepi_extent_kind_t;

typedef struct stepi_extent {
    uint64_t mark[2];
    _Atomic uint32_t kind;
    uint32_t slot_bytes;   /* _SLOTS: each begins with a stepi_kept_t */
    _Atomic uint64_t used; /* _FLIGHT: so many bytes behind the head are records in a row */
} stepi_extent_t;

/* Lines [0, lines) of a block are about to be written behind `size` bytes. */
enum { STEPI_INTENT_LINES = 4096, STEPI_INTENT_PATH = 4096, STEPI_INTENT_BYTES = 256 * 1024 };

typedef struct stepi_intent {
    uint64_t mark[2];
    _Atomic uint32_t active;
    uint32_t lines;
    uint64_t device, inode, size;
    uint64_t length;        /* of the block */
    uint64_t base, through; /* everything below `through` is in this block or was before */
    uint32_t index[STEPI_INTENT_LINES]; /* each line's record, from `base`; UINT32_MAX: a line of the library's own */
    char path[STEPI_INTENT_PATH];
    char bytes[STEPI_INTENT_BYTES]; /* the block, or its beginning */
} stepi_intent_t;

#endif
