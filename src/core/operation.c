/* Operations: making, starting, steps, completing.
 *
 *     MADE ── start ──> STARTED ── complete ──> ENDED
 *
 * Every call records something, whatever the level: a line that is off still travels as a quiet record, so that the backend knows
 * names and times when a failure comes. Calls in the wrong order go to misuse.c and keep their data. */
#include "core/operation.h"

#include "base/options.h"
#include "core/misuse.h"
#include "core/trace.h"
#include "platform/clock.h"
#include "record/shape.h"

#include <string.h>

/* ---- Making and freeing ---- */

static step_logger_t no_parent = { .gate = { .threshold = &stepi_above_all } };

step_logger_t *step_logger_no_parent(void)
{
    return &no_parent;
}

/* Options as this library knows them, from a caller that may know fewer or more. */
static bool read_options(const step_logger_options_t *from, step_logger_options_t *to)
{
    const step_logger_options_t defaults = STEP_LOGGER_OPTIONS_INIT;
    *to = defaults;
    if (from == NULL)
        return true;
    if (!stepi_options_copy(to, sizeof(*to), from, from->size))
        return false;
    to->size = sizeof(*to);
    return true;
}

static void set_parent(step_logger_t *op, step_logger_t *parent)
{
    op->detached = parent == &no_parent;
    op->parent = (stepi_current_t){ 0 };
    if (parent != NULL && parent != &no_parent)
        op->parent = stepi_current_of(parent);
}

static const int32_t *threshold_for(const step_log_t *log, const step_logger_t *op)
{
    if (log->records_all)
        return &log->admits_all;
    const stepi_text_t name = stepi_name_text(&op->name);
    const int32_t *rule = log->rules.count > 0 ? stepi_rules_level(&log->rules, &name) : NULL;
    return rule != NULL ? rule : &log->level;
}

step_logger_t *step_logger_new_with(const char *operation, const step_logger_options_t *given)
{
    step_logger_options_t options;
    const int saved = errno;
    if (!read_options(given, &options)) {
        stepi_diagnose(NULL, STEPI_TROUBLE_OPTION, STEP_EINVAL,
                       "step_logger_new_with(): options.size is not one this library knows; "
                       "start from STEP_LOGGER_OPTIONS_INIT");
        return NULL;
    }
    step_log_t *log = stepi_log_of(options.log);
    step_logger_t *op = log != NULL ? stepi_operation_take() : NULL;
    errno = saved;
    if (op == NULL)
        return NULL;
    op->log = log;
    op->serial = atomic_load_explicit(&log->serial, memory_order_relaxed);
    stepi_name_set(&op->name, operation);
    op->gate.threshold = threshold_for(log, op);
    op->gate.level = options.level > 0 ? stepi_below_off(options.level) : STEP_LEVEL_INFO;
    op->total = options.total_steps > 0 ? options.total_steps : 0;
    op->failed = op->step_open = false;
    op->gate.step = 0;
    op->said = 0;
    atomic_store_explicit(&op->depth, 0, memory_order_release);
    op->step = 0;
    op->attempt = 0;
    op->progressed = false;
    op->described_in = 0;
    set_parent(op, options.parent);
    stepi_name_set(&op->description, NULL);
    op->span = 0;
    atomic_store_explicit(&op->span_now, 0, memory_order_relaxed);
    op->given_trace = (stepi_trace_context_t){ .span = 0 };
    if (options.traceparent != NULL && !stepi_traceparent_parse(options.traceparent, &op->given_trace))
        stepi_refuse_traceparent(log);
    atomic_store_explicit(&op->state, STEPI_MADE, memory_order_relaxed);
    return op;
}

step_logger_t *step_logger_new(const char *operation, int total_steps)
{
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.total_steps = total_steps;
    return step_logger_new_with(operation, &options);
}

/* An injected clock may go back, or jump further than 63 bits can say: never negative, and never undefined. */
static int64_t since(const stepi_entry_t *entry, int64_t then)
{
    return entry->now > then ? (int64_t)((uint64_t)entry->now - (uint64_t)then) : 0;
}

static int higher(int level, int other)
{
    return level > other ? level : other;
}

/* Freed without complete(). After a failure that is an end like any other, of which only the backend has to know. */
static void write_end(stepi_entry_t *entry, step_logger_t *op)
{
    const int level = higher(op->gate.level, STEP_LEVEL_WARNING);
    stepi_draft_t draft =
        stepi_operation_draft(entry, op, op->failed ? STEPI_OPERATION_COMPLETE : STEPI_OPERATION_INCOMPLETE, level);
    draft.parts |= STEPI_PART_ELAPSED | (op->failed ? STEPI_FLAG_QUIET : 0);
    draft.elapsed = since(entry, op->started_at);
    if (op->step_open)
        stepi_draft_step(&draft, op);
    stepi_operation_write(entry, op, &draft);
}

void step_logger_free(step_logger_t *op)
{
    stepi_entry_t entry;
    const int saved = errno;
    if (op == NULL || op == &no_parent)
        return;
    const uint32_t state = atomic_load_explicit(&op->state, memory_order_relaxed);
    if (state == STEPI_UNUSED) {
        stepi_misuse_freed(op);
        return;
    }
    entry.site = NULL;
    if (state == STEPI_STARTED && stepi_operation_enter(&entry, op)) {
        write_end(&entry, op);
        stepi_leave(&entry);
    }
    stepi_operation_give_back(op);
    errno = saved;
}

/* ---- Recording ---- */

bool stepi_operation_enter(stepi_entry_t *entry, step_logger_t *op)
{
    if (__builtin_expect(op == NULL || op == &no_parent, 0))
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
    draft.elapsed = since(entry, op->step_open ? op->step_at : op->started_at);
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
    stepi_draft_t draft = end_step(&entry, op, STEPI_STEP_FAILURE, higher(op->gate.level, STEP_LEVEL_ERROR));
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
    draft.elapsed = since(&entry, op->started_at);
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
    if (op == NULL || op == &no_parent || atomic_load_explicit(&op->state, memory_order_relaxed) == STEPI_UNUSED)
        return false;
    const int at = level == 0 ? op->gate.level : stepi_below_off(level);
    return stepi_log_is_open(op->log, op->serial) && wants(op, at);
}
