/* Operations: making and freeing them. */
#include "base/options.h"
#include "core/misuse.h"
#include "core/operation.h"

#include <errno.h>
#include <stdlib.h>

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
    if (stepi_records_all(log))
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

/* Freed without complete(). After a failure that is an end like any other, of which only the backend has to know. */
static void write_end(stepi_entry_t *entry, step_logger_t *op)
{
    const int level = stepi_higher(op->gate.level, STEP_LEVEL_WARNING);
    stepi_draft_t draft =
        stepi_operation_draft(entry, op, op->failed ? STEPI_OPERATION_COMPLETE : STEPI_OPERATION_INCOMPLETE, level);
    draft.parts |= STEPI_PART_ELAPSED | (op->failed ? STEPI_FLAG_QUIET : 0);
    draft.elapsed = stepi_since(entry, op->started_at);
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
