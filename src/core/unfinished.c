/* The end of a log, or of a process: operations that are open are reported as incomplete. */
#include "core/log.h"

#include "core/operation.h"
#include "platform/memory.h"

static bool is_newer(const stepi_open_operation_t *a, const stepi_open_operation_t *b)
{
    return a->start_ticks != b->start_ticks ? a->start_ticks > b->start_ticks : a->depth > b->depth;
}

/* Of a heap that has its newest operations at the end: the one at `at` goes down to where it belongs. */
static void sift_down(stepi_open_operation_t **heap, size_t at, size_t count)
{
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && is_newer(heap[child], heap[child + 1]))
            child++;
        if (!is_newer(heap[at], heap[child]))
            return;
        stepi_open_operation_t *older = heap[child];
        heap[child] = heap[at];
        heap[at] = older;
    }
}

/* qsort() allocates, which the crash handler must not. */
static void sort_newest_first(stepi_open_operation_t **operations, size_t count)
{
    for (size_t at = count / 2; at-- > 0;)
        sift_down(operations, at, count);
    while (count-- > 1) {
        stepi_open_operation_t *oldest = operations[0];
        operations[0] = operations[count];
        operations[count] = oldest;
        sift_down(operations, 0, count);
    }
}

static bool is_incomplete(const stepi_backend_t *b, const stepi_open_operation_t *operation)
{
    return operation->started && !operation->ended && !operation->failed &&
           (stepi_backend_is_foreign(b) || stepi_operation_is_open(operation->id));
}

/* The latest first, so that a child stands before its parent; in any order where there is no memory to sort them. */
void stepi_backend_report_open(step_log_t *log)
{
    stepi_optable_t *table = &log->backend.operations;
    stepi_open_operation_t **sorted = stepi_alloc(table->count * sizeof(stepi_open_operation_t *));
    stepi_open_operation_t *operation;
    size_t at = 0, count = 0;
    if (!stepi_backend_is_foreign(&log->backend))
        stepi_timebase_refresh(&log->backend.time);
    while ((operation = stepi_optable_next(table, &at)) != NULL) {
        if (!is_incomplete(&log->backend, operation))
            continue;
        operation->ended = true; /* said once */
        if (sorted != NULL)
            sorted[count++] = operation;
        else
            stepi_backend_report(log, operation, STEPI_OPERATION_INCOMPLETE);
    }
    if (count > 1)
        sort_newest_first(sorted, count);
    for (size_t i = 0; i < count; i++)
        stepi_backend_report(log, sorted[i], STEPI_OPERATION_INCOMPLETE);
    stepi_free(sorted);
}
