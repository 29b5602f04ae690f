/* Progress: how far the open step is. A loop may call it for every row; what is written is bounded here. */
#include "core/misuse.h"
#include "core/operation.h"
#include "platform/clock.h"

enum { PROGRESS_EVERY_NS = 1000000000 };

/* At most one line a second, but always the first and the last of a step. In nanoseconds: ticks have no length here. */
static bool progress_is_due(const stepi_entry_t *entry, step_logger_t *op, uint64_t done, uint64_t total)
{
    const int64_t now = entry->log->clocked ? entry->now : stepi_monotonic_ns();
    const bool last = total > 0 && done >= total;
    /* a clock that went back must not silence it until it is there again: then the difference is huge */
    if (op->progressed && !last && (uint64_t)now - (uint64_t)op->progress_at < PROGRESS_EVERY_NS)
        return false;
    op->progressed = true;
    op->progress_at = now;
    return true;
}

void step_logger_progress_fields(step_logger_t *op, step_site_t *site, uint64_t done, uint64_t total,
                                 const step_field_t *fields, size_t count)
{
    stepi_entry_t entry;
    entry.site = site;
    if (!stepi_operation_enter(&entry, op))
        return;
    stepi_check_started(&entry, op, "progress()");
    if (atomic_load_explicit(&op->state, memory_order_relaxed) == STEPI_MADE)
        stepi_operation_start(&entry, op, NULL, 0);
    if (progress_is_due(&entry, op, done, total)) {
        stepi_draft_t draft = stepi_operation_draft(&entry, op, STEPI_PROGRESS, op->gate.level);
        draft.parts |= STEPI_PART_PROGRESS;
        draft.done = done;
        draft.goal = total;
        if (op->step_open)
            stepi_draft_step(&draft, op);
        stepi_draft_fields(&draft, fields, count);
        stepi_operation_write(&entry, op, &draft);
    }
    stepi_leave(&entry);
}
