/* What of the records of a log with a crash ring is kept between their ring and their outputs: those that wait, those that are on their
 * way, and those whose names others need. */
#include "core/crash_ring.h"

#include "core/held.h"
#include "core/log.h"
#include "platform/memory.h"
#include "record/seal.h"

#include <errno.h>
#include <string.h>

/* What an output is past. Where it has no line in hand, it is past all that was processed; it says so in its file when it writes next. */
static uint64_t passed_by(const step_log_t *log, const stepi_output_t *output)
{
    if (output->is_direct && (output->block == NULL || output->block->lines == 0))
        return log->backend.processed;
    return atomic_load_explicit(&log->crash.files.owner->output[output->slot].resolved, memory_order_relaxed);
}

uint64_t stepi_crash_settled(const step_log_t *log)
{
    const stepi_backend_t *b = &log->backend;
    uint64_t lowest = b->processed;
    for (int i = 0; i < b->output_count; i++) {
        const uint64_t passed = passed_by(log, b->outputs[i]);
        lowest = passed < lowest ? passed : lowest;
    }
    return lowest;
}

/* ---- Records ---- */

static void tell_store_full(step_log_t *log)
{
    stepi_crash_tell_no_room(log, "some of what is not written yet", ENOSPC);
}

static stepi_kept_t *keep_in_hand(step_log_t *log, uint64_t number)
{
    stepi_crash_ring_t *crash = &log->crash;
    const stepi_kept_as_t as = { .number = number, .ring = crash->ring->identity, .tid = crash->ring->tid };
    stepi_kept_t *kept = stepi_store_keep(&crash->store, as, crash->record);
    if (kept == NULL)
        tell_store_full(log);
    return kept;
}

/* Of a record that is no line nobody holds a copy. */
static bool is_quiet(const stepi_kept_t *kept)
{
    uint16_t parts;
    memcpy(&parts, stepi_kept_record(kept) + offsetof(stepi_record_t, parts), sizeof(parts));
    return (parts & STEPI_FLAG_QUIET) != 0;
}

/* The operation may be done with its names long before there is a verdict on the line. */
static void hold_names(step_log_t *log, const stepi_open_operation_t *operation, stepi_held_line_t *held)
{
    for (int i = 0; i < STEPI_KEPT; i++) {
        const stepi_kept_t *kept = operation->kept[i];
        if (kept == NULL || !is_quiet(kept))
            continue;
        const stepi_kept_as_t as = { .number = STEPI_NUMBER_NAMES, .ring = kept->ring, .tid = kept->tid };
        held->names[i] = stepi_store_keep(&log->crash.store, as, stepi_kept_record(kept));
    }
}

void stepi_crash_hold(step_log_t *log, stepi_held_line_t *held)
{
    if (!stepi_crash_is_on(&log->crash))
        return;
    held->kept = keep_in_hand(log, STEPI_NUMBER_HELD);
    if (log->crash.operation != NULL)
        hold_names(log, log->crash.operation, held);
}

static void fly(step_log_t *log, stepi_kept_as_t as, const uint8_t *record)
{
    const uint64_t done = stepi_crash_settled(log);
    stepi_store_settle(&log->crash.store, done);
    if (!stepi_store_fly(&log->crash.store, as, record, done))
        tell_store_full(log);
}

void stepi_crash_number(step_log_t *log, uint64_t number)
{
    const stepi_crash_ring_t *crash = &log->crash;
    fly(log, (stepi_kept_as_t){ .number = number, .ring = crash->ring->identity, .tid = crash->ring->tid },
        crash->record);
}

void stepi_crash_number_held(step_log_t *log, stepi_held_line_t *held, uint64_t number)
{
    const stepi_kept_t *kept = held->kept;
    if (kept == NULL)
        return;
    fly(log, (stepi_kept_as_t){ .number = number, .ring = kept->ring, .tid = kept->tid }, stepi_kept_record(kept));
    for (int i = 0; i < STEPI_KEPT; i++) {
        stepi_store_free_behind(&log->crash.store, held->names[i], number + 1);
        held->names[i] = NULL;
    }
    stepi_crash_leave_out(log, held);
}

static void free_kept(step_log_t *log, stepi_kept_t **kept)
{
    if (*kept != NULL)
        stepi_store_free(&log->crash.store, *kept);
    *kept = NULL;
}

void stepi_crash_leave_out(step_log_t *log, stepi_held_line_t *held)
{
    free_kept(log, &held->kept);
    for (int i = 0; i < STEPI_KEPT; i++)
        free_kept(log, &held->names[i]);
}

/* ---- Names ---- */

static void replace(step_log_t *log, stepi_kept_t **kept, stepi_kept_t *with)
{
    if (*kept != NULL) { /* also where no record gets a number: what waits to be freed must not grow for ever */
        stepi_store_settle(&log->crash.store, stepi_crash_settled(log));
        stepi_store_free_behind(&log->crash.store, *kept, log->backend.processed);
    }
    *kept = with;
}

void stepi_crash_keep_names(step_log_t *log, stepi_open_operation_t *operation, const stepi_decoded_t *record)
{
    log->crash.operation = operation;
    if (record->line.kind == STEPI_OPERATION_START)
        replace(log, &operation->kept[STEPI_KEPT_START], keep_in_hand(log, STEPI_NUMBER_NAMES));
    else if (record->parts & STEPI_PART_OPERATION)
        replace(log, &operation->kept[STEPI_KEPT_NAME], keep_in_hand(log, STEPI_NUMBER_NAMES));
    if (record->parts & STEPI_PART_DESCRIPTION)
        replace(log, &operation->kept[STEPI_KEPT_STEP], keep_in_hand(log, STEPI_NUMBER_NAMES));
}

/* Behind what is in flight and may still need it. */
void stepi_crash_step_ended(step_log_t *log, stepi_open_operation_t *operation)
{
    if (stepi_crash_is_on(&log->crash))
        replace(log, &operation->kept[STEPI_KEPT_STEP], NULL);
}

void stepi_crash_operation_ended(step_log_t *log, stepi_open_operation_t *operation)
{
    if (!stepi_crash_is_on(&log->crash))
        return;
    for (int i = 0; i < STEPI_KEPT; i++)
        replace(log, &operation->kept[i], NULL);
}

/* As a record of no operation and no time: it comes before all others, but for what was bound earlier. */
void stepi_crash_keep_bound(step_log_t *log)
{
    stepi_crash_ring_t *crash = &log->crash;
    const stepi_bound_t *bound = log->backend.bound;
    const size_t room = sizeof(stepi_record_t) + 2 * sizeof(uint64_t) + bound->bytes;
    uint8_t *record = stepi_alloc_zeroed(room);
    const stepi_draft_t draft = { .kind = STEPI_MESSAGE,
                                  .level = STEP_LEVEL_INFO,
                                  .parts = STEPI_PART_BOUND | STEPI_FLAG_QUIET,
                                  .seq = ++crash->binds,
                                  .bound = bound };
    const size_t bytes = record != NULL ? stepi_record_encode(&draft, record, room, room) : 0;
    stepi_kept_t *kept = NULL;
    if (bytes > 0) {
        stepi_record_seal(record, bytes);
        kept = stepi_store_keep(&crash->store, (stepi_kept_as_t){ .number = STEPI_NUMBER_NAMES }, record);
    }
    stepi_free(record);
    if (kept == NULL)
        stepi_crash_tell_no_room(log, "what is bound to the log", ENOSPC);
    replace(log, &crash->bound, kept);
}

void stepi_crash_bound_changed(step_log_t *log)
{
    if (stepi_crash_is_on(&log->crash) && !log->crash.is_new)
        stepi_crash_keep_bound(log);
}
