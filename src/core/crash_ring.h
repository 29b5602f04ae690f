/* A log whose records outlive their process (crash/layout.h): what the engine does for it along the way.
 *
 *     call ──sealed──> ring file ──taken──> store ──number──> block ──intent──> file
 *
 * At each moment a record that was logged is in its ring behind `read`, or in the store, or in the file, or it was decided that nobody
 * wants it. Off, all of it costs the backend a branch for each line and the call nothing.
 *
 * Under the pump lock, but for making a ring and the end, which take the registry's, and stepi_crash_resolved(), which is for
 * whoever resolves. */
#ifndef STEPI_CORE_CRASH_RING_H
#define STEPI_CORE_CRASH_RING_H

#include "crash/files.h"
#include "crash/intent.h"
#include "crash/store.h"
#include "record/ring.h"

#include <step_logger.h>

typedef struct stepi_output stepi_output_t;
typedef struct stepi_block stepi_block_t;
typedef struct stepi_open_operation stepi_open_operation_t;
typedef struct stepi_held_line stepi_held_line_t;

typedef struct stepi_crash_ring {
    _Atomic bool is_on;
    char *path;    /* of DIR, absolute; NULL: not asked for */
    bool has_ended; /* nothing is made any more */
    bool is_new;    /* outputs and what is bound are not noted yet; changes under the pump lock, once it is on */
    _Atomic int untold; /* errno of a ring that found no room */
    int shapes;    /* descriptor */
    stepi_crash_files_t files;
    stepi_store_t store;
    stepi_intent_t *intents[STEPI_CRASH_OUTPUTS];
    stepi_kept_t *bound; /* what was bound to the log */
    uint64_t binds;
    const stepi_ring_t *ring; /* of the record that is in hand */
    const uint8_t *record;
    const stepi_open_operation_t *operation; /* its */
} stepi_crash_ring_t;

static inline bool stepi_crash_is_on(const stepi_crash_ring_t *crash)
{
    /* acquire: what it consists of is there */
    return __builtin_expect(atomic_load_explicit(&crash->is_on, memory_order_acquire), 0);
}

/* Makes the files in `directory`. STEP_OK, STEP_ENOMEM, STEP_ENOTSUP, or STEP_EIO after telling why. */
int stepi_crash_open(step_log_t *log, const step_log_options_t *options);

/* A ring for a thread, in a file if the log has a crash ring; in memory if there is no room for one. NULL without memory. In a forked
 * child it first makes the files. Under the registry's lock: what there is to say stepi_crash_tell() says without it. */
stepi_ring_t *stepi_crash_ring_new(step_log_t *log);
void stepi_crash_tell(step_log_t *log);
void stepi_crash_ring_gone(step_log_t *log, const stepi_ring_t *ring);

void stepi_crash_output_added(step_log_t *log, const stepi_output_t *output);
void stepi_crash_level_changed(step_log_t *log);
void stepi_crash_bound_changed(step_log_t *log);

/* Before records are taken from the rings. */
void stepi_crash_keep_up(step_log_t *log);

/* The record that the backend has in hand: it is decided later, or gets its number. What is kept may be NULL: there was no room. */
static inline void stepi_crash_take(stepi_crash_ring_t *crash, const stepi_ring_t *ring, const uint8_t *record)
{
    crash->ring = ring;
    crash->record = record;
    crash->operation = NULL;
}
void stepi_crash_hold(step_log_t *log, stepi_held_line_t *held);
void stepi_crash_number(step_log_t *log, uint64_t number);

/* One that was held: it gets its number, or is left out. */
void stepi_crash_number_held(step_log_t *log, stepi_held_line_t *held, uint64_t number);
void stepi_crash_leave_out(step_log_t *log, stepi_held_line_t *held);

/* Names that the record in hand, which is the operation's, brought, and names that no later record needs. */
void stepi_crash_keep_names(step_log_t *log, stepi_open_operation_t *operation, const stepi_decoded_t *record);
void stepi_crash_step_ended(step_log_t *log, stepi_open_operation_t *operation);
void stepi_crash_operation_ended(step_log_t *log, stepi_open_operation_t *operation);

/* Before and after a block is written to a file. */
void stepi_crash_write_begins(step_log_t *log, const stepi_output_t *output, const stepi_block_t *block);
void stepi_crash_write_ended(step_log_t *log, const stepi_output_t *output);

/* An output is done with everything below `through`. */
void stepi_crash_resolved(step_log_t *log, int slot, uint64_t through);

/* Nothing is left that could get lost: the files go. */
void stepi_crash_finish(step_log_t *log);

/* The log is gone. */
void stepi_crash_clear(stepi_crash_ring_t *crash);
void stepi_crash_reset_in_child(stepi_crash_ring_t *crash);

/* Of crash_ring.c and crash_records.c: every output is past it; there was no room, so `what` would be lost; what is bound to the log is
 * kept. */
uint64_t stepi_crash_settled(const step_log_t *log);
void stepi_crash_tell_no_room(step_log_t *log, const char *what, int error);
void stepi_crash_keep_bound(step_log_t *log);

#endif
