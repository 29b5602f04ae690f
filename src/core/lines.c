/* From a record to lines: what the record does not say, because it travelled before, is added here. */
#include "core/log.h"

#include "core/lifecycle.h"
#include "core/operation.h"
#include "platform/memory.h"

#include <string.h>

enum { TELL_EVERY_NS = 1000000000, SMOOTHED_NS = 1000000 };

/* ---- Time ---- */

int64_t stepi_backend_wall_ns(const stepi_backend_t *b, uint64_t ticks)
{
    const int64_t wall = stepi_timebase_wall_ns(&b->time, ticks);
    const bool small_step_back = wall < b->last_wall_ns && (uint64_t)b->last_wall_ns - (uint64_t)wall < SMOOTHED_NS;
    if (small_step_back && ticks >= b->last_ticks)
        return b->last_wall_ns; /* two readings of the clocks differ by some nanoseconds */
    return wall;
}

int64_t stepi_backend_elapsed_ns(const stepi_backend_t *b, int64_t ticks)
{
    const int64_t ns = ticks > 0 ? stepi_timebase_span_ns(&b->time, ticks) : 0;
    return ns > 0 ? ns : 0;
}

static int64_t elapsed_of(const stepi_backend_t *b, const stepi_decoded_t *record)
{
    if ((record->parts & STEPI_PART_CLOCK) != 0)
        return record->elapsed > 0 ? record->elapsed : 0;
    return stepi_backend_elapsed_ns(b, record->elapsed);
}

/* ---- Operations ---- */

static void replace_bound(stepi_backend_t *b, stepi_open_operation_t *operation, const stepi_fields_t *fields)
{
    stepi_bound_t *copy = stepi_bound_copy(fields);
    if (copy == NULL)
        return;
    stepi_free(operation->own_bound);
    operation->own_bound = copy;
    operation->own_bound_at = ++b->binds;
}

/* What travels with names. */
static void introduce(step_log_t *log, stepi_open_operation_t *operation, const stepi_decoded_t *record)
{
    stepi_backend_t *b = &log->backend;
    stepi_optable_name(operation, &record->line.operation);
    if (log->rules.count > 0)
        operation->threshold = stepi_rules_level(&log->rules, &record->line.operation);
    if (record->parts & STEPI_PART_TRACE) {
        operation->has_trace = record->trace.span != 0; /* 0: it was not started yet */
        operation->trace = record->trace;
        if (operation->has_trace)
            stepi_optable_link(&b->operations, operation, record->trace.parent_operation);
    }
    if (record->parts & STEPI_PART_BOUND)
        replace_bound(b, operation, &record->bound);
}

/* Brings the picture of the record's operation up to date; NULL when it has none, or there is no memory. */
static stepi_open_operation_t *update_operation(step_log_t *log, const stepi_decoded_t *record)
{
    stepi_backend_t *b = &log->backend;
    const stepi_line_t *line = &record->line;
    if (record->operation == 0)
        return NULL;
    stepi_open_operation_t *operation = stepi_optable_get(&b->operations, record->operation);
    if (operation == NULL)
        return NULL;
    if (record->parts & STEPI_PART_OPERATION)
        introduce(log, operation, record);
    if (record->parts & STEPI_PART_SPAN)
        operation->step_span = record->span;
    if (record->parts & STEPI_PART_DESCRIPTION)
        stepi_optable_describe(operation, line->step, line->total, &line->description);
    if (line->kind == STEPI_OPERATION_START && !operation->started) {
        operation->started = true;
        operation->depth = line->depth;
        operation->level = line->level;
        operation->start_ticks = record->ticks;
        operation->start_ns = (int64_t)record->stamp;
        stepi_retention_begin(log, operation);
    }
    if (line->kind == STEPI_STEP_START)
        operation->failed = false;
    if (stepi_crash_is_on(&log->crash))
        stepi_crash_keep_names(log, operation, record);
    return operation;
}

static void end_operation(step_log_t *log, stepi_open_operation_t *operation, const stepi_line_t *line)
{
    if (line->is_slow || line->kind == STEPI_OPERATION_INCOMPLETE)
        stepi_retention_keep(log, operation);
    operation->step_known = false;
    if (operation->ended)
        return;
    operation->ended = true;
    stepi_retention_end(log, operation);
    stepi_crash_operation_ended(log, operation);
}

static void end_of_record(step_log_t *log, stepi_open_operation_t *operation, const stepi_decoded_t *record)
{
    stepi_backend_t *b = &log->backend;
    switch (record->line.kind) {
    case STEPI_STEP_FAILURE:
        operation->failed = true;
        operation->step_known = false;
        stepi_retention_keep(log, operation);
        stepi_crash_step_ended(log, operation);
        break;
    case STEPI_STEP_SUCCESS:
    case STEPI_STEP_SKIP:
        operation->step_known = false;
        stepi_crash_step_ended(log, operation);
        break;
    case STEPI_OPERATION_COMPLETE:
        end_operation(log, operation, &record->line);
        break;
    case STEPI_OPERATION_INCOMPLETE:
        end_operation(log, operation, &record->line);
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
    const bool is_of_step = line->has_step && line->kind != STEPI_OPERATION_INCOMPLETE && operation->step_known;
    line->step_span = is_of_step ? operation->step_span : 0;
}

/* ---- What was bound ---- */

/* When something was bound last that the operation's lines carry. */
static uint64_t bound_at(const stepi_backend_t *b, const stepi_open_operation_t *operation)
{
    uint64_t at = b->bound_at;
    for (; operation != NULL; operation = operation->parent)
        at = operation->own_bound_at > at ? operation->own_bound_at : at;
    return at;
}

/* Of the operation and of all around it, inner ones before outer ones. Made anew when something was bound since. */
static const stepi_bound_t *bound_of(const stepi_backend_t *b, stepi_open_operation_t *operation)
{
    if (operation == NULL)
        return b->bound;
    const uint64_t at = bound_at(b, operation);
    if (at == operation->bound_as_of)
        return operation->bound;
    stepi_bound_t *bound = stepi_bound_join(operation->own_bound, bound_of(b, operation->parent), STEPI_FIRST_WINS);
    if (bound != NULL) {
        stepi_free(operation->bound);
        operation->bound = bound;
        operation->bound_as_of = at;
    }
    return operation->bound;
}

static void set_bound(const stepi_backend_t *b, stepi_line_t *line, stepi_open_operation_t *operation)
{
    if (__builtin_expect(b->binds > 0, 0))
        line->bound = stepi_bound_fields(bound_of(b, operation));
}

/* ---- Steps ---- */

static bool is_end(const stepi_line_t *line)
{
    return line->kind == STEPI_OPERATION_COMPLETE || line->kind == STEPI_OPERATION_INCOMPLETE;
}

static int64_t span_ns(const step_log_t *log, uint64_t from, uint64_t to)
{
    const int64_t span = (int64_t)(to - from);
    const int64_t ns = log->clocked ? span : stepi_timebase_span_ns(&log->backend.time, span);
    return ns > 0 ? ns : 0;
}

static void summarize(const step_log_t *log, stepi_open_operation_t *operation, stepi_line_t *line, uint64_t now)
{
    stepi_summary_t *summary = &operation->summary;
    if (line->kind == STEPI_STEP_START)
        stepi_summary_begin(summary, line, now);
    else if (line->kind == STEPI_STEP_SUCCESS || line->kind == STEPI_STEP_FAILURE || line->kind == STEPI_STEP_SKIP)
        stepi_summary_end(summary, line);
    else if (is_end(line))
        stepi_summary_show(summary, line, span_ns(log, summary->opened_at, now));
}

/* ---- Lines ---- */

void stepi_backend_offer(stepi_backend_t *b, const stepi_line_t *line, uint64_t index)
{
    const int level = line->from_recorder ? line->admitted_as : line->level;
    for (int i = 0; i < b->output_count; i++)
        if (level >= b->outputs[i]->level)
            stepi_output_line(b->outputs[i], line, index);
}

/* The picture of its operation and the times of its line; the operation, or NULL. */
static inline stepi_open_operation_t *understand(step_log_t *log, stepi_decoded_t *record)
{
    stepi_backend_t *b = &log->backend;
    stepi_line_t *line = &record->line;
    stepi_open_operation_t *operation = update_operation(log, record);
    if ((record->parts & STEPI_PART_CLOCK) == 0)
        line->wall_ns = stepi_backend_wall_ns(b, record->ticks);
    b->last_wall_ns = line->wall_ns;
    b->last_ticks = record->ticks;
    b->last_stamp = record->stamp;
    line->elapsed_ns = elapsed_of(b, record);
    line->is_slow = b->retention.slow_ns > 0 && is_end(line) && line->elapsed_ns > b->retention.slow_ns;
    if (b->wants_steps && operation != NULL)
        summarize(log, operation, line, log->clocked ? record->stamp : record->ticks);
    return operation;
}

static inline void complete_line(const stepi_backend_t *b, stepi_line_t *line, stepi_open_operation_t *operation)
{
    if (operation != NULL)
        complete_names(line, operation);
    set_bound(b, line, operation);
}

void stepi_backend_record(step_log_t *log, const stepi_ring_t *ring, const uint8_t *bytes)
{
    stepi_backend_t *b = &log->backend;
    stepi_decoded_t record;
    if (stepi_crash_is_on(&log->crash))
        stepi_crash_take(&log->crash, ring, bytes);
    if (!stepi_record_decode(bytes, ring->bytes, &record)) {
        const uint64_t index = b->processed++;
        stepi_ledger_lose(&b->ledger, index, index + 1);
        return;
    }
    stepi_line_t *line = &record.line;
    stepi_open_operation_t *operation = understand(log, &record);
    if ((record.parts & STEPI_FLAG_QUIET) != 0) {
        b->processed++;
    } else {
        line->pid = stepi_process_id();
        line->tid = ring->tid;
        complete_line(b, line, operation);
        stepi_retention_line(log, operation, line);
    }
    if (operation != NULL)
        end_of_record(log, operation, &record);
}

static void bind_to_log(stepi_backend_t *b, const stepi_fields_t *fields)
{
    stepi_bound_t *bound = stepi_bound_copy(fields);
    if (bound == NULL)
        return;
    stepi_free(b->bound);
    b->bound = bound;
    b->bound_at = ++b->binds;
}

void stepi_backend_replay(step_log_t *log, stepi_decoded_t *record, const stepi_replayed_t *as)
{
    stepi_backend_t *b = &log->backend;
    stepi_line_t *line = &record->line;
    if (record->operation == 0 && (record->parts & STEPI_PART_BOUND) != 0) {
        bind_to_log(b, &record->bound);
        return;
    }
    stepi_open_operation_t *operation = understand(log, record);
    if (as->is_shown && (record->parts & STEPI_FLAG_QUIET) == 0) {
        line->pid = as->pid;
        line->tid = as->tid;
        line->is_recovered = true;
        line->from_recorder = line->level < as->level;
        line->admitted_as = as->level;
        complete_line(b, line, operation);
        stepi_backend_offer(b, line, STEPI_OWN_LINE);
    }
    if (operation != NULL)
        end_of_record(log, operation, record);
}

stepi_line_t stepi_backend_own_line(step_log_t *log, stepi_kind_t kind, int level)
{
    stepi_backend_t *b = &log->backend;
    return (stepi_line_t){ .kind = kind,
                           .level = level,
                           .wall_ns = log->clocked || stepi_backend_is_foreign(b) ? b->last_wall_ns : stepi_wall_ns(),
                           .seq = b->own_seq++,
                           .pid = stepi_backend_is_foreign(b) ? b->foreign_pid : stepi_process_id(),
                           .is_recovered = stepi_backend_is_foreign(b),
                           .tid = 0, /* no thread's: its numbers are not in their sequences */
                           .attempt = 1,
                           .bound = stepi_bound_fields(b->bound) };
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
        stepi_backend_offer(b, &line, STEPI_OWN_LINE);
    }
}

/* ---- Operations that are still open ---- */

/* Of a process that is dead: until it was heard of last. */
static uint64_t now_ticks(const stepi_backend_t *b)
{
    return stepi_backend_is_foreign(b) ? b->last_ticks : stepi_ticks();
}

int64_t stepi_backend_running_ns(const step_log_t *log, const stepi_open_operation_t *operation)
{
    if (!log->clocked)
        return span_ns(log, operation->start_ticks, now_ticks(&log->backend));
    if (stepi_is_crashing || stepi_backend_is_foreign(&log->backend)) /* the clock is the user's */
        return span_ns(log, (uint64_t)operation->start_ns, log->backend.last_stamp);
    return span_ns(log, (uint64_t)operation->start_ns, (uint64_t)log->clock.monotonic_ns(log->clock.ctx));
}

void stepi_backend_report(step_log_t *log, stepi_open_operation_t *operation, stepi_kind_t kind)
{
    stepi_backend_t *b = &log->backend;
    const int level = operation->level > STEP_LEVEL_WARNING ? operation->level : STEP_LEVEL_WARNING;
    stepi_line_t line = stepi_backend_own_line(log, kind, level);
    if (!stepi_retention_admits(log, operation, &line))
        return;
    if (kind == STEPI_OPERATION_INCOMPLETE)
        stepi_retention_give_up(log, operation);
    line.depth = operation->depth;
    line.has_operation = operation->has_name;
    line.operation = operation->name_text;
    line.has_elapsed = true;
    line.elapsed_ns = stepi_backend_running_ns(log, operation);
    line.has_step = operation->step_known;
    line.step = operation->step;
    line.total = operation->total;
    line.description = operation->description_text;
    line.trace = operation->has_trace ? &operation->trace : NULL;
    line.is_slow = is_end(&line) && b->retention.slow_ns > 0 && line.elapsed_ns > b->retention.slow_ns;
    set_bound(b, &line, operation);
    if (b->wants_steps)
        summarize(log, operation, &line, log->clocked ? (uint64_t)operation->start_ns + (uint64_t)line.elapsed_ns : now_ticks(b));
    stepi_backend_offer(b, &line, STEPI_OWN_LINE);
}
