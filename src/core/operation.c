/* Operations: starting, steps, completing. (Making and freeing them is in lifetime.c.)
 *
 *     MADE ── start ──> STARTED ── complete ──> ENDED
 *
 * Every call records something, whatever the level: a line that is off still travels as a quiet record, so that the backend knows
 * names and times when a failure comes. Calls in the wrong order go to misuse.c and keep their data. */
#include "core/operation.h"

#include "core/misuse.h"
#include "core/trace.h"
#include "platform/clock.h"
#include "record/shape.h"

#include <string.h>

/* ---- Recording ---- */

bool stepi_operation_enter(stepi_entry_t *entry, step_logger_t *op)
{
    if (__builtin_expect(op == NULL || op == step_logger_no_parent(), 0))
        return false;
    if (__builtin_expect(atomic_load_explicit(&op->state, memory_order_relaxed) == STEPI_UNUSED, 0)) {
        stepi_misuse_freed(op);
        return false;
    }
    return stepi_log_is_open(op->log, op->serial) && stepi_enter(entry, op->log);
}

static bool wants(const step_logger_t *op, int level)
{
    return level >= __atomic_load_n(op->gate.threshold, __ATOMIC_RELAXED);
}

static void set_trace(stepi_draft_t *draft, const step_logger_t *op)
{
    draft->parts |= STEPI_PART_TRACE;
    draft->trace = (stepi_trace_t){ .high = atomic_load_explicit(&op->trace_high, memory_order_relaxed),
                                    .low = atomic_load_explicit(&op->trace_low, memory_order_relaxed),
                                    .span = op->span,
                                    .parent_span = op->parent_span,
                                    .parent_operation = op->parent_operation,
                                    .flags = atomic_load_explicit(&op->trace_flags, memory_order_relaxed) };
}

stepi_draft_t stepi_operation_draft(const stepi_entry_t *entry, const step_logger_t *op, stepi_kind_t kind, int level)
{
    stepi_draft_t draft = {
        .kind = (uint8_t)kind,
        .level = (uint8_t)level,
        .depth = atomic_load_explicit(&op->depth, memory_order_relaxed),
        .operation = atomic_load_explicit(&op->id, memory_order_relaxed),
        .parts = wants(op, level) ? 0 : STEPI_FLAG_QUIET,
    };
    /* an inherited ring: its names are in the parent's log, and this record will go to a new one */
    if (op->described_in != entry->ring->identity || entry->ring->alive == 0) {
        draft.parts |= STEPI_PART_OPERATION;
        draft.operation_name = stepi_name_text(&op->name);
        set_trace(&draft, op);
        if (op->bound != NULL) {
            draft.parts |= STEPI_PART_BOUND;
            draft.bound = op->bound;
        }
        if (op->step_open) {
            draft.parts |= STEPI_PART_STEP | STEPI_PART_DESCRIPTION | STEPI_PART_SPAN;
            draft.span = atomic_load_explicit(&op->span_now, memory_order_relaxed);
            draft.step = op->step;
            draft.total = op->total;
            draft.description = stepi_name_text(&op->description);
        }
    }
    return draft;
}

void stepi_operation_write(stepi_entry_t *entry, step_logger_t *op, stepi_draft_t *draft)
{
    const bool written = stepi_write(entry, draft);
    if (!written)
        op->described_in = 0; /* it may have been the one with the names */
    else if (draft->parts & STEPI_PART_OPERATION)
        op->described_in = entry->ring->identity;
}

void stepi_draft_fields(stepi_draft_t *draft, const step_field_t *fields, size_t count)
{
    if ((draft->parts & STEPI_FLAG_QUIET) == 0 && fields != NULL) {
        draft->fields = fields;
        draft->field_count = count;
    }
}

void stepi_draft_step(stepi_draft_t *draft, const step_logger_t *op)
{
    draft->parts |= STEPI_PART_STEP;
    draft->step = op->step;
    draft->total = op->total;
    if (op->attempt > 1) {
        draft->parts |= STEPI_PART_ATTEMPT;
        draft->attempt = op->attempt;
    }
}

/* ---- Start ---- */

/* What an operation is at this moment, unless it was freed meanwhile, which another thread may do at any moment: of the
 * operation only what is atomic is read. */
static bool refresh(stepi_current_t *known)
{
    const step_logger_t *op = known->op;
    if (op == NULL || known->id == 0)
        return false;
    known->trace_high = atomic_load_explicit(&op->trace_high, memory_order_relaxed);
    known->trace_low = atomic_load_explicit(&op->trace_low, memory_order_relaxed);
    known->trace_flags = atomic_load_explicit(&op->trace_flags, memory_order_relaxed);
    known->span = atomic_load_explicit(&op->span_now, memory_order_relaxed);
    /* acquire, with release where it is set: a depth of the next one in this place comes with the next number */
    known->depth = atomic_load_explicit(&op->depth, memory_order_acquire);
    return atomic_load_explicit(&op->id, memory_order_relaxed) == known->id;
}

/* The explicit parent, else what is current on this thread; both only in the same log. False: the operation is a root. */
static bool decide_parent(step_logger_t *op, stepi_current_t *parent)
{
    const stepi_current_t *current = op->parent.op == NULL && !op->detached ? stepi_current() : NULL;
    *parent = current != NULL ? *current : op->parent;
    const bool has_parent = refresh(parent) && parent->log == op->log && parent->serial == op->serial;
    atomic_store_explicit(&op->depth, has_parent ? parent->depth + 1 : 0, memory_order_release);
    return has_parent;
}

void stepi_operation_start(stepi_entry_t *entry, step_logger_t *op, const step_field_t *fields, size_t count)
{
    stepi_current_t parent;
    const bool has_parent = decide_parent(op, &parent);
    stepi_trace_start(op, entry->ring, has_parent ? &parent : NULL);
    op->started_at = entry->now;
    op->described_in = 0;
    stepi_draft_t draft = stepi_operation_draft(entry, op, STEPI_OPERATION_START, op->gate.level);
    stepi_draft_fields(&draft, fields, count);
    stepi_operation_write(entry, op, &draft);
    atomic_store_explicit(&op->state, STEPI_STARTED, memory_order_relaxed);
    if (!op->detached)
        stepi_current_push(op);
}

void step_logger_start_fields(step_logger_t *op, step_site_t *site, const step_field_t *fields, size_t count)
{
    stepi_entry_t entry;
    entry.site = site;
    if (!stepi_operation_enter(&entry, op))
        return;
    const uint32_t state = atomic_load_explicit(&op->state, memory_order_relaxed);
    if (state == STEPI_MADE)
        stepi_operation_start(&entry, op, fields, count);
    else
        stepi_misuse(&entry, op, state == STEPI_ENDED ? "start() after complete()" : "start() called again", fields,
                     count);
    stepi_leave(&entry);
}

/* ---- Steps ---- */

static uint32_t recorded_depth(const step_logger_t *op)
{
    const uint32_t depth = atomic_load_explicit(&op->depth, memory_order_relaxed);
    return depth < STEPI_GATE_DEPTH ? depth : STEPI_GATE_DEPTH;
}

void step_logger_step_fields(step_logger_t *op, step_site_t *site, int number, const char *description,
                             const step_field_t *fields, size_t count)
{
    stepi_entry_t entry;
    entry.site = site;
    if (!stepi_operation_enter(&entry, op))
        return;
    stepi_check_started(&entry, op, "step()");
    if (atomic_load_explicit(&op->state, memory_order_relaxed) == STEPI_MADE)
        stepi_operation_start(&entry, op, NULL, 0);
    op->attempt = number == op->step && op->attempt > 0 && op->attempt < UINT32_MAX ? op->attempt + 1 : 1;
    op->progressed = false;
    op->step = number;
    op->step_at = entry.now;
    op->step_open = true;
    stepi_trace_step(op, entry.ring);
    op->gate.step = STEPI_GATE_OPEN | (op->attempt > 1 ? STEPI_GATE_REPEATED : 0) | recorded_depth(op);
    op->failed = false;
    stepi_name_set(&op->description, description);
    stepi_draft_t draft = stepi_operation_draft(&entry, op, STEPI_STEP_START, op->gate.level);
    stepi_draft_step(&draft, op);
    draft.parts |= STEPI_PART_DESCRIPTION | STEPI_PART_SPAN;
    draft.description = stepi_name_text(&op->description);
    draft.span = atomic_load_explicit(&op->span_now, memory_order_relaxed);
    stepi_draft_fields(&draft, fields, count);
    stepi_operation_write(&entry, op, &draft);
    if (number < 1 || (op->total > 0 && number > op->total))
        stepi_misuse_number(&entry, op);
    stepi_leave(&entry);
}

/* The open step ends, with its duration. Without one only failure comes here: it is the operation's, and so is the duration. */
static stepi_draft_t end_step(stepi_entry_t *entry, step_logger_t *op, stepi_kind_t kind, int level)
{
    stepi_draft_t draft = stepi_operation_draft(entry, op, kind, level);
    draft.parts |= STEPI_PART_ELAPSED;
    draft.elapsed = stepi_since(entry, op->step_open ? op->step_at : op->started_at);
    if (op->step_open) {
        stepi_draft_step(&draft, op);
        op->step_open = false;
        op->gate.step = 0;
        stepi_trace_step_end(op);
    }
    return draft;
}

void step_logger_success_fields(step_logger_t *op, step_site_t *site, const step_field_t *fields, size_t count)
{
    stepi_entry_t entry;
    if (count == 0 && stepi_success_without_fields(op))
        return;
    stepi_shape_learn(site, fields, count);
    entry.site = site;
    if (!stepi_operation_enter(&entry, op))
        return;
    if (__builtin_expect(op->step_open, 1)) {
        stepi_draft_t draft = end_step(&entry, op, STEPI_STEP_SUCCESS, op->gate.level);
        stepi_draft_fields(&draft, fields, count);
        stepi_operation_write(&entry, op, &draft);
    } else {
        stepi_misuse(&entry, op, "success() without step()", fields, count);
    }
    stepi_leave(&entry);
}

void step_logger_skip_fields(step_logger_t *op, step_site_t *site, const char *reason, const step_field_t *fields,
                             size_t count)
{
    stepi_entry_t entry;
    entry.site = site;
    if (!stepi_operation_enter(&entry, op))
        return;
    if (op->step_open) {
        stepi_draft_t draft = end_step(&entry, op, STEPI_STEP_SKIP, op->gate.level);
        draft.parts |= STEPI_PART_TEXT;
        draft.text = stepi_text_of(reason);
        stepi_draft_fields(&draft, fields, count);
        stepi_operation_write(&entry, op, &draft);
    } else {
        stepi_misuse_text(&entry, op, "skip() without step()", reason, fields, count);
    }
    stepi_leave(&entry);
}

static void fail(step_logger_t *op, step_site_t *site, int error_number, const char *error, const step_field_t *fields,
                 size_t count)
{
    stepi_entry_t entry;
    entry.site = site;
    if (!stepi_operation_enter(&entry, op))
        return;
    stepi_check_started(&entry, op, "failure()");
    if (atomic_load_explicit(&op->state, memory_order_relaxed) == STEPI_MADE)
        stepi_operation_start(&entry, op, NULL, 0);
    stepi_draft_t draft = end_step(&entry, op, STEPI_STEP_FAILURE, stepi_higher(op->gate.level, STEP_LEVEL_ERROR));
    draft.parts |= STEPI_PART_TEXT;
    draft.text = stepi_text_of(error);
    if (error_number != 0) {
        draft.parts |= STEPI_PART_ATTEMPT;
        draft.attempt = op->attempt > 0 ? op->attempt : 1;
        draft.error_number = error_number;
    }
    stepi_draft_fields(&draft, fields, count);
    stepi_operation_write(&entry, op, &draft);
    op->failed = true;
    stepi_leave(&entry);
}

void step_logger_failure_fields(step_logger_t *op, step_site_t *site, const char *error, const step_field_t *fields,
                                size_t count)
{
    fail(op, site, 0, error, fields, count);
}

void step_logger_failure_errno_fields(step_logger_t *op, step_site_t *site, int errnum, const step_field_t *fields,
                                      size_t count)
{
    char text[128];
    const int saved = errno;
    fail(op, site, errnum, stepi_error_text(errnum, text, sizeof(text)), fields, count);
    errno = saved;
}

/* ---- Complete ---- */

void step_logger_complete_fields(step_logger_t *op, step_site_t *site, const step_field_t *fields, size_t count)
{
    stepi_entry_t entry;
    entry.site = site;
    if (!stepi_operation_enter(&entry, op))
        return;
    const uint32_t state = atomic_load_explicit(&op->state, memory_order_relaxed);
    if (state == STEPI_ENDED) {
        stepi_misuse(&entry, op, "complete() called again", fields, count);
        stepi_leave(&entry);
        return;
    }
    stepi_check_started(&entry, op, "complete()");
    if (state == STEPI_MADE)
        stepi_operation_start(&entry, op, NULL, 0);
    stepi_draft_t draft = stepi_operation_draft(&entry, op, STEPI_OPERATION_COMPLETE, op->gate.level);
    draft.parts |= STEPI_PART_ELAPSED;
    draft.elapsed = stepi_since(&entry, op->started_at);
    stepi_draft_fields(&draft, fields, count);
    stepi_operation_write(&entry, op, &draft);
    op->step_open = false;
    op->gate.step = 0;
    stepi_trace_step_end(op);
    atomic_store_explicit(&op->state, STEPI_ENDED, memory_order_relaxed);
    stepi_leave(&entry);
}

bool step_logger_wants(const step_logger_t *op, step_level_t level)
{
    if (op == NULL || op == step_logger_no_parent() || atomic_load_explicit(&op->state, memory_order_relaxed) == STEPI_UNUSED)
        return false;
    const int at = level == 0 ? op->gate.level : stepi_below_off(level);
    return stepi_log_is_open(op->log, op->serial) && wants(op, at);
}
