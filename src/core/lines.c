/* From a record to lines: what the record does not say, because it travelled before, is added here. */
#include "core/log.h"

#include "core/lifecycle.h"
#include "core/operation.h"

#include <stdlib.h>
#include <string.h>

enum { TELL_EVERY_NS = 1000000000, SMOOTHED_NS = 1000000 };

/* ---- Time ---- */

static int64_t wall_of(stepi_backend_t *b, const stepi_decoded_t *record)
{
    if (record->parts & STEPI_PART_CLOCK)
        return record->line.wall_ns;
    int64_t wall = stepi_timebase_wall_ns(&b->time, record->ticks);
    const bool small_step_back = wall < b->last_wall_ns && b->last_wall_ns - wall < SMOOTHED_NS;
    if (small_step_back && record->ticks >= b->last_ticks)
        wall = b->last_wall_ns; /* two readings of the clocks differ by some nanoseconds */
    return wall;
}

static int64_t elapsed_of(const stepi_backend_t *b, const stepi_decoded_t *record)
{
    const int64_t ns = (record->parts & STEPI_PART_CLOCK) != 0
                           ? record->elapsed
                           : stepi_timebase_span_ns(&b->time, record->elapsed);
    return ns > 0 ? ns : 0;
}

/* ---- Operations ---- */

/* Brings the picture of the record's operation up to date; NULL when it has none, or there is no memory. */
static stepi_open_operation_t *update_operation(stepi_backend_t *b, const stepi_decoded_t *record)
{
    const stepi_line_t *line = &record->line;
    if (record->operation == 0)
        return NULL;
    stepi_open_operation_t *operation = stepi_optable_get(&b->operations, record->operation);
    if (operation == NULL)
        return NULL;
    if (record->parts & STEPI_PART_OPERATION)
        stepi_optable_name(operation, &line->operation);
    if (record->parts & STEPI_PART_TRACE) {
        operation->has_trace = true;
        operation->trace = record->trace;
    }
    if (record->parts & STEPI_PART_SPAN)
        operation->step_span = record->span;
    if (record->parts & STEPI_PART_DESCRIPTION)
        stepi_optable_describe(operation, line->step, line->total, &line->description);
    if (line->kind == STEPI_OPERATION_START) {
        operation->started = true;
        operation->depth = line->depth;
        operation->level = line->level;
        operation->start_ticks = record->ticks;
        operation->start_ns = (int64_t)record->stamp;
    }
    if (line->kind == STEPI_STEP_START)
        operation->failed = false;
    return operation;
}

static void end_of_record(stepi_backend_t *b, stepi_open_operation_t *operation, const stepi_decoded_t *record)
{
    switch (record->line.kind) {
    case STEPI_STEP_FAILURE:
        operation->failed = true;
        operation->step_known = false;
        break;
    case STEPI_STEP_SUCCESS:
    case STEPI_STEP_SKIP:
        operation->step_known = false;
        break;
    case STEPI_OPERATION_COMPLETE:
        operation->ended = true;
        operation->step_known = false;
        break;
    case STEPI_OPERATION_INCOMPLETE:
        stepi_optable_remove(&b->operations, record->operation);
        break;
    default:
        break;
    }
}

/* Names that the record leaves to us. */
static void complete_names(stepi_line_t *line, const stepi_open_operation_t *operation)
{
    if (!line->has_operation && operation->has_name) {
        line->has_operation = true;
        line->operation = operation->name_text;
    }
    switch (line->kind) {
    case STEPI_OPERATION_START:
    case STEPI_OPERATION_COMPLETE:
        line->has_step = false;
        break;
    case STEPI_MESSAGE: /* a machine wants to know during which step it was */
        if (!line->has_step && operation->step_known) {
            line->has_step = true;
            line->step = operation->step;
            line->total = operation->total;
        }
        break;
    default:
        break;
    }
    if (line->has_step && line->description.bytes == NULL && operation->step == line->step)
        line->description = operation->description_text;
    line->trace = operation->has_trace ? &operation->trace : NULL;
    line->step_span = line->has_step && operation->step_known ? operation->step_span : 0;
}

/* ---- Lines ---- */

static void offer(stepi_backend_t *b, const stepi_line_t *line, uint64_t index)
{
    for (int i = 0; i < b->output_count; i++)
        if (line->level >= b->outputs[i]->level)
            stepi_output_line(b->outputs[i], line, index);
}

void stepi_backend_record(step_log_t *log, const stepi_ring_t *ring, const uint8_t *bytes)
{
    stepi_backend_t *b = &log->backend;
    stepi_decoded_t record;
    const uint64_t index = b->processed++;
    if (!stepi_record_decode(bytes, ring->bytes, &record)) {
        stepi_ledger_lose(&b->ledger, index, index + 1);
        return;
    }
    stepi_line_t *line = &record.line;
    stepi_open_operation_t *operation = update_operation(b, &record);
    line->wall_ns = wall_of(b, &record);
    b->last_wall_ns = line->wall_ns;
    b->last_ticks = record.ticks;
    if ((record.parts & STEPI_FLAG_QUIET) == 0) {
        line->elapsed_ns = elapsed_of(b, &record);
        line->pid = stepi_process_id();
        line->tid = ring->tid;
        if (operation != NULL)
            complete_names(line, operation);
        offer(b, line, index);
    }
    if (operation != NULL)
        end_of_record(b, operation, &record);
}

stepi_line_t stepi_backend_own_line(step_log_t *log, stepi_kind_t kind, int level)
{
    stepi_backend_t *b = &log->backend;
    return (stepi_line_t){ .kind = kind,
                           .level = level,
                           .wall_ns = log->clocked ? b->last_wall_ns : stepi_wall_ns(),
                           .seq = b->own_seq++,
                           .pid = stepi_process_id(),
                           .tid = 0, /* no thread's: its numbers are not in their sequences */
                           .attempt = 1 };
}

uint64_t stepi_backend_losses(step_log_t *log, stepi_loss_t reason)
{
    const stepi_backend_t *b = &log->backend;
    if (reason == STEPI_LOSS_MEMORY)
        return atomic_load_explicit(&log->dropped_memory, memory_order_relaxed);
    const bool full = reason == STEPI_LOSS_FULL;
    uint64_t losses = atomic_load_explicit(full ? &log->retired_full : &log->retired_nested, memory_order_relaxed);
    if (!full)
        losses += atomic_load_explicit(&log->dropped_nested, memory_order_relaxed);
    for (size_t i = 0; i < b->source_count; i++) {
        const stepi_ring_t *ring = b->sources[i].ring;
        losses += atomic_load_explicit(full ? &ring->dropped_full : &ring->dropped_nested, memory_order_relaxed);
    }
    return losses;
}

void stepi_backend_report_losses(step_log_t *log, bool now)
{
    static const char *const reasons[STEPI_LOSSES] = {
        [STEPI_LOSS_FULL] = "ring full",
        [STEPI_LOSS_NESTED] = "made in a signal handler on top of another logging call",
        [STEPI_LOSS_MEMORY] = "no memory for a ring",
    };
    stepi_backend_t *b = &log->backend;
    if (!now && stepi_monotonic_ns() - b->losses_told_ns < TELL_EVERY_NS)
        return;
    for (int reason = 0; reason < STEPI_LOSSES; reason++) {
        const uint64_t losses = stepi_backend_losses(log, (stepi_loss_t)reason);
        if (losses <= b->losses_told[reason])
            continue;
        stepi_line_t line = stepi_backend_own_line(log, STEPI_DROPPED, STEP_LEVEL_WARNING);
        line.done = losses - b->losses_told[reason];
        line.has_text = true;
        line.text = stepi_text_of(reasons[reason]);
        b->losses_told[reason] = losses;
        b->losses_told_ns = stepi_monotonic_ns();
        offer(b, &line, STEPI_OWN_LINE);
    }
}

static void report_open(step_log_t *log, const stepi_open_operation_t *operation)
{
    stepi_backend_t *b = &log->backend;
    const int level = operation->level > STEP_LEVEL_WARNING ? operation->level : STEP_LEVEL_WARNING;
    if (level < stepi_level_of(log))
        return;
    stepi_line_t line = stepi_backend_own_line(log, STEPI_OPERATION_INCOMPLETE, level);
    line.depth = operation->depth;
    line.has_operation = operation->has_name;
    line.operation = operation->name_text;
    line.has_elapsed = true;
    line.elapsed_ns = log->clocked ? log->clock.monotonic_ns(log->clock.ctx) - operation->start_ns
                                   : stepi_timebase_span_ns(&b->time, (int64_t)(stepi_ticks() - operation->start_ticks));
    if (line.elapsed_ns < 0)
        line.elapsed_ns = 0;
    line.has_step = operation->step_known;
    line.step = operation->step;
    line.total = operation->total;
    line.description = operation->description_text;
    line.trace = operation->has_trace ? &operation->trace : NULL;
    offer(b, &line, STEPI_OWN_LINE);
}

static int newest_first(const void *a, const void *b)
{
    const stepi_open_operation_t *first = *(stepi_open_operation_t *const *)a;
    const stepi_open_operation_t *second = *(stepi_open_operation_t *const *)b;
    if (first->start_ticks != second->start_ticks)
        return first->start_ticks > second->start_ticks ? -1 : 1;
    return first->depth > second->depth ? -1 : first->depth < second->depth;
}

static bool is_incomplete(const stepi_open_operation_t *operation)
{
    return operation->started && !operation->ended && !operation->failed && stepi_operation_is_open(operation->id);
}

/* The latest first, so that a child stands before its parent; in any order where there is no memory to sort them. */
void stepi_backend_report_open(step_log_t *log)
{
    stepi_optable_t *table = &log->backend.operations;
    stepi_open_operation_t **sorted = malloc(table->count * sizeof(stepi_open_operation_t *));
    stepi_open_operation_t *operation;
    size_t at = 0, count = 0;
    stepi_timebase_refresh(&log->backend.time);
    while ((operation = stepi_optable_next(table, &at)) != NULL) {
        if (!is_incomplete(operation))
            continue;
        operation->ended = true; /* said once */
        if (sorted != NULL)
            sorted[count++] = operation;
        else
            report_open(log, operation);
    }
    if (count > 1)
        qsort(sorted, count, sizeof(stepi_open_operation_t *), newest_first);
    for (size_t i = 0; i < count; i++)
        report_open(log, sorted[i]);
    free(sorted);
}
