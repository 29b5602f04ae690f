#include "core/retention.h"

#include "core/held.h"
#include "core/log.h"
#include "core/operation.h"
#include "platform/clock.h"
#include "platform/memory.h"

enum { SWEEP_EVERY_NS = 1000000000 };

#define TRACE_ID_RANDOM_BITS 56 /* W3C Trace Context level 2: so many are random for sure */

static void count(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

void stepi_retention_start(stepi_retention_t *r, const step_log_options_t *options)
{
    const double scale = (double)(UINT64_C(1) << TRACE_ID_RANDOM_BITS);
    r->sample_rate = options->sample_rate;
    r->sample_threshold = (uint64_t)((1.0 - options->sample_rate) * scale);
    r->recorder_bytes = options->flight_recorder_bytes;
    r->slow_ns = (int64_t)options->slow_ms * 1000000;
    r->is_on = r->sample_threshold > 0 || r->recorder_bytes > 0;
}

/* ---- Writing and dropping ---- */

/* The line of the record that the backend has in hand. */
static void write_line(step_log_t *log, const stepi_line_t *line)
{
    const uint64_t number = log->backend.processed++;
    if (stepi_crash_is_on(&log->crash))
        stepi_crash_number(log, number);
    stepi_backend_offer(&log->backend, line, number);
}

static void write_held(step_log_t *log, stepi_held_line_t *held)
{
    const uint64_t number = log->backend.processed++;
    stepi_crash_number_held(log, held, number);
    stepi_backend_offer(&log->backend, &held->line, number);
}

/* It was written or will not be. */
static void free_held(step_log_t *log, stepi_held_line_t *held)
{
    stepi_crash_leave_out(log, held);
    stepi_free(held);
}

static void link_hold(stepi_retention_t *r, stepi_hold_t *hold)
{
    hold->older = r->newest;
    hold->newer = NULL;
    if (r->newest != NULL)
        r->newest->newer = hold;
    else
        r->oldest = hold;
    r->newest = hold;
}

static void unlink_hold(stepi_retention_t *r, stepi_hold_t *hold)
{
    if (hold->older != NULL)
        hold->older->newer = hold->newer;
    else
        r->oldest = hold->newer;
    if (hold->newer != NULL)
        hold->newer->older = hold->older;
    else
        r->newest = hold->older;
}

/* The first of both lists, by arrival, without its list. NULL: they are empty. */
static stepi_held_line_t *take_first(stepi_retention_t *r, stepi_hold_t *hold)
{
    stepi_held_lines_t *const from =
        stepi_held_is_before(&hold->recorder, &hold->lines) ? &hold->recorder : &hold->lines;
    stepi_held_line_t *line = stepi_held_take(from);
    if (line == NULL)
        return NULL;
    r->bytes -= line->bytes;
    atomic_fetch_sub_explicit(&r->held, 1, memory_order_relaxed);
    if (stepi_hold_is_empty(hold))
        unlink_hold(r, hold);
    return line;
}

static void write_all(step_log_t *log, stepi_hold_t *hold)
{
    stepi_held_line_t *held;
    while ((held = take_first(&log->backend.retention, hold)) != NULL) {
        write_held(log, held);
        free_held(log, held);
    }
}

/* Those of the recorder are discarded; the others written for many, or left out. */
static void write_or_leave_out(step_log_t *log, stepi_hold_t *hold)
{
    stepi_retention_t *r = &log->backend.retention;
    stepi_held_line_t *held;
    while ((held = take_first(r, hold)) != NULL) {
        held->line.sample_rate = r->sample_rate;
        if (held->line.from_recorder) {
            count(&r->recorder_discarded, 1);
            log->backend.processed++; /* filtered by its level */
        } else if (hold->verdict == STEPI_WRITTEN_SAMPLED) {
            write_held(log, held);
        } else {
            count(&r->sampled_out, 1);
        }
        free_held(log, held);
    }
}

static void discard_oldest(step_log_t *log, stepi_hold_t *hold)
{
    stepi_retention_t *r = &log->backend.retention;
    stepi_held_line_t *held = stepi_held_take(&hold->recorder);
    r->bytes -= held->bytes;
    atomic_fetch_sub_explicit(&r->held, 1, memory_order_relaxed);
    count(&r->recorder_discarded, 1);
    log->backend.processed++;
    free_held(log, held);
    if (stepi_hold_is_empty(hold))
        unlink_hold(r, hold);
}

static void discard_recorder(step_log_t *log, stepi_hold_t *hold, size_t keep_bytes)
{
    while (hold->recorder.records > keep_bytes)
        discard_oldest(log, hold);
}

static void decide(step_log_t *log, stepi_hold_t *hold)
{
    const stepi_retention_t *r = &log->backend.retention;
    const uint64_t random = hold->trace_low & ((UINT64_C(1) << TRACE_ID_RANDOM_BITS) - 1);
    if (hold->must_keep) {
        hold->verdict = STEPI_WRITTEN_WHOLE;
        write_all(log, hold);
    } else {
        hold->verdict = random >= r->sample_threshold ? STEPI_WRITTEN_SAMPLED : STEPI_LEFT_OUT;
        write_or_leave_out(log, hold);
    }
}

/* ---- Holding ---- */

static void keep_within_bounds(step_log_t *log)
{
    stepi_retention_t *r = &log->backend.retention;
    while (r->bytes > STEPI_HOLDS_MAX) {
        stepi_hold_t *oldest = r->oldest;
        if (r->sample_threshold == 0) {
            discard_oldest(log, oldest);
            continue;
        }
        oldest->must_keep = true;
        decide(log, oldest);
    }
}

/* False without memory. */
static bool hold_line(step_log_t *log, stepi_hold_t *hold, stepi_held_lines_t *list, const stepi_line_t *line)
{
    stepi_retention_t *r = &log->backend.retention;
    stepi_held_line_t *held = stepi_held_copy(line);
    if (held == NULL)
        return false;
    held->arrival = r->arrivals++;
    stepi_crash_hold(log, held);
    if (stepi_hold_is_empty(hold))
        link_hold(r, hold);
    stepi_held_append(list, held);
    r->bytes += held->bytes;
    count(&r->held, 1);
    return true;
}

/* One of the recorder. Without memory it is discarded, as the oldest would be without room. */
static void hold_below(step_log_t *log, stepi_hold_t *hold, const stepi_line_t *line)
{
    stepi_retention_t *r = &log->backend.retention;
    if (hold_line(log, hold, &hold->recorder, line)) {
        discard_recorder(log, hold, r->recorder_bytes);
        keep_within_bounds(log);
        return;
    }
    count(&r->recorder_discarded, 1);
    log->backend.processed++;
}

static void hold_for_verdict(step_log_t *log, stepi_hold_t *hold, const stepi_line_t *line)
{
    if (!hold_line(log, hold, &hold->lines, line)) {
        hold->must_keep = true;
        decide(log, hold);
        write_line(log, line);
    } else if (hold->lines.records > STEPI_HOLD_MAX) {
        hold->must_keep = true;
        decide(log, hold);
    } else {
        keep_within_bounds(log);
    }
}

/* ---- Lines ---- */

static int level_of(const step_log_t *log, const stepi_open_operation_t *operation)
{
    return operation != NULL && operation->threshold != NULL ? __atomic_load_n(operation->threshold, __ATOMIC_RELAXED)
                                                             : stepi_level_of(log);
}

bool stepi_retention_admits(const step_log_t *log, const stepi_open_operation_t *operation, stepi_line_t *line)
{
    const int level = level_of(log, operation);
    line->from_recorder = line->level < level;
    line->admitted_as = level;
    return !line->from_recorder || (stepi_records_all(log) && level < STEP_LEVEL_OFF && line->kind != STEPI_OPERATION_STUCK);
}

static bool is_bad_end(const stepi_line_t *line)
{
    return line->kind == STEPI_STEP_FAILURE || line->kind == STEPI_OPERATION_INCOMPLETE || line->is_slow;
}

static void sampled_line(step_log_t *log, stepi_hold_t *hold, stepi_line_t *line)
{
    stepi_retention_t *r = &log->backend.retention;
    const bool below = line->from_recorder;
    if (is_bad_end(line) || (!below && line->level >= STEP_LEVEL_ERROR))
        hold->must_keep = true;
    if (hold->verdict == STEPI_UNDECIDED && below) {
        hold_below(log, hold, line);
    } else if (hold->verdict == STEPI_UNDECIDED) {
        hold_for_verdict(log, hold, line);
    } else if (below && hold->verdict != STEPI_WRITTEN_WHOLE) {
        count(&r->recorder_discarded, 1);
        log->backend.processed++;
    } else if (hold->verdict == STEPI_LEFT_OUT && line->level < STEP_LEVEL_ERROR) {
        count(&r->sampled_out, 1);
    } else {
        line->sample_rate = hold->verdict == STEPI_WRITTEN_SAMPLED ? r->sample_rate : 0;
        write_line(log, line);
    }
}

static void recorded_line(step_log_t *log, stepi_hold_t *hold, stepi_line_t *line)
{
    if (is_bad_end(line)) {
        hold->verdict = STEPI_WRITTEN_WHOLE;
        write_all(log, hold);
    }
    if (line->from_recorder && hold->verdict == STEPI_UNDECIDED)
        hold_below(log, hold, line);
    else
        write_line(log, line);
}

/* Of a tree that was decided a late child is no part, unless all of it is written: it may still fail. */
static bool can_be_joined(const stepi_hold_t *hold)
{
    return hold != NULL && (hold->verdict == STEPI_UNDECIDED || hold->verdict == STEPI_WRITTEN_WHOLE);
}

/* NULL for an operation that was not started, so that its trace is not known, or has ended, and without memory. */
static stepi_hold_t *hold_of(const stepi_retention_t *r, stepi_open_operation_t *operation)
{
    if (operation->hold != NULL || operation->ended || !operation->has_trace)
        return operation->hold;
    const stepi_open_operation_t *parent = operation->parent;
    if (r->sample_threshold > 0 && parent != NULL && can_be_joined(parent->hold)) {
        operation->hold = parent->hold;
    } else {
        operation->hold = stepi_alloc_zeroed(sizeof(*operation->hold));
        if (operation->hold == NULL)
            return NULL;
        operation->hold->trace_low = operation->trace.low;
    }
    operation->hold->users++;
    operation->hold->open++;
    return operation->hold;
}

void stepi_retention_line(step_log_t *log, stepi_open_operation_t *operation, stepi_line_t *line)
{
    stepi_retention_t *r = &log->backend.retention;
    stepi_hold_t *hold = operation != NULL && r->is_on ? hold_of(r, operation) : NULL;
    /* without a recorder the call has looked at the level */
    const bool admitted = !stepi_records_all(log) || stepi_retention_admits(log, operation, line);
    if (!admitted || (hold == NULL && line->from_recorder))
        log->backend.processed++; /* filtered */
    else if (hold == NULL)
        write_line(log, line);
    else if (r->sample_threshold > 0)
        sampled_line(log, hold, line);
    else
        recorded_line(log, hold, line);
}

/* ---- Operations ---- */

void stepi_retention_begin(step_log_t *log, stepi_open_operation_t *operation)
{
    stepi_retention_t *r = &log->backend.retention;
    if (r->is_on)
        hold_of(r, operation);
}

void stepi_retention_keep(step_log_t *log, stepi_open_operation_t *operation)
{
    stepi_retention_t *r = &log->backend.retention;
    stepi_hold_t *hold = r->is_on ? hold_of(r, operation) : NULL;
    if (hold != NULL)
        hold->must_keep = true;
}

/* What an operation that ended well held back goes to the one around it, or nowhere. */
static void pass_on(step_log_t *log, stepi_open_operation_t *operation)
{
    stepi_retention_t *r = &log->backend.retention;
    stepi_open_operation_t *parent = operation->parent;
    stepi_hold_t *hold = operation->hold;
    if (hold->recorder.count == 0)
        return;
    stepi_hold_t *outer = parent != NULL && !parent->ended ? hold_of(r, parent) : NULL;
    if (outer == NULL || outer->verdict != STEPI_UNDECIDED) {
        discard_recorder(log, hold, 0);
        return;
    }
    unlink_hold(r, hold);
    if (stepi_hold_is_empty(outer))
        link_hold(r, outer);
    stepi_held_merge(&outer->recorder, &hold->recorder);
    discard_recorder(log, outer, r->recorder_bytes);
}

void stepi_retention_end(step_log_t *log, stepi_open_operation_t *operation)
{
    const stepi_retention_t *r = &log->backend.retention;
    stepi_hold_t *hold = operation->hold;
    if (hold == NULL)
        return;
    hold->open--;
    if (r->sample_threshold == 0)
        pass_on(log, operation);
    else if (hold->open == 0 && hold->verdict == STEPI_UNDECIDED)
        decide(log, hold);
}

static void write_whole(step_log_t *log, stepi_hold_t *hold)
{
    hold->must_keep = true;
    if (hold->verdict == STEPI_UNDECIDED)
        decide(log, hold);
}

void stepi_retention_give_up(step_log_t *log, stepi_open_operation_t *operation)
{
    if (log->backend.retention.is_on && operation->hold != NULL)
        write_whole(log, operation->hold);
}

void stepi_retention_finish(step_log_t *log)
{
    stepi_retention_t *r = &log->backend.retention;
    while (r->oldest != NULL)
        write_whole(log, r->oldest);
    r->is_on = false;
}

void stepi_retention_reset_in_child(stepi_retention_t *r)
{
    r->is_on = r->sample_threshold > 0 || r->recorder_bytes > 0;
    r->bytes = 0;
    r->oldest = r->newest = NULL;
    atomic_store_explicit(&r->held, 0, memory_order_relaxed);
    atomic_store_explicit(&r->sampled_out, 0, memory_order_relaxed);
    atomic_store_explicit(&r->recorder_discarded, 0, memory_order_relaxed);
}

void stepi_hold_leave(stepi_hold_t *hold)
{
    if (--hold->users > 0)
        return;
    stepi_held_free(&hold->lines);
    stepi_held_free(&hold->recorder);
    stepi_free(hold);
}

/* The end of an operation that is not there any more was lost: as far as is known, it is incomplete. */
static void end_lost(step_log_t *log, stepi_open_operation_t *operation)
{
    operation->hold->must_keep = true;
    operation->ended = true;
    if (log->backend.retention.sample_threshold == 0)
        write_whole(log, operation->hold);
    stepi_retention_end(log, operation);
}

void stepi_retention_sweep(step_log_t *log)
{
    stepi_backend_t *b = &log->backend;
    stepi_open_operation_t *operation;
    size_t at = 0;
    if (b->retention.oldest == NULL || b->time.ns - b->retention.swept_ns < SWEEP_EVERY_NS)
        return;
    b->retention.swept_ns = b->time.ns;
    while ((operation = stepi_optable_next(&b->operations, &at)) != NULL)
        if (!operation->ended && operation->hold != NULL && stepi_optable_is_gone(&b->operations, operation))
            end_lost(log, operation);
}
