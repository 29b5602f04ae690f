#include "core/watch.h"

#include "base/number.h"
#include "core/log.h"
#include "core/operation.h"
#include "core/registry.h"
#include "format/text_escape.h"
#include "platform/clock.h"
#include "platform/io.h"
#include "platform/system.h"

#include <errno.h>
#include <stdlib.h>

enum { LOOK_EVERY_NS = 10000000, LOOKS_SHARE = 100, FIRST_BYTES = 4096, BYTES_MAX = 64 * 1024 * 1024, INDENT_MAX = 32 };

#define DOUBLINGS_MAX 62

static bool is_running(const stepi_open_operation_t *operation)
{
    return operation->started && !operation->ended && stepi_operation_is_open(operation->id);
}

/* ---- Operations that run for too long ---- */

/* How long it may run before the next report. */
static int64_t patience_with(const stepi_backend_t *b, const stepi_open_operation_t *operation)
{
    const uint32_t doublings = operation->stuck_reports;
    return doublings < DOUBLINGS_MAX && b->stuck_ns <= INT64_MAX >> doublings ? b->stuck_ns << doublings : INT64_MAX;
}

static bool is_due(const stepi_backend_t *b, const stepi_open_operation_t *operation, int64_t running_ns)
{
    return operation->stuck_reports < DOUBLINGS_MAX && running_ns >= patience_with(b, operation);
}

static void look(step_log_t *log)
{
    stepi_backend_t *b = &log->backend;
    stepi_open_operation_t *operation;
    size_t at = 0;
    while ((operation = stepi_optable_next(&b->operations, &at)) != NULL) {
        if (!is_running(operation))
            continue;
        const int64_t running_ns = stepi_backend_running_ns(log, operation);
        if (!is_due(b, operation, running_ns))
            continue;
        stepi_backend_report(log, operation, STEPI_OPERATION_STUCK);
        stepi_retention_keep(log, operation); /* what was reported is not left out */
        while (is_due(b, operation, running_ns)) /* one report, however many doublings went by unseen */
            operation->stuck_reports++;
    }
}

/* With a million operations a look takes a while: then there are fewer of them. */
void stepi_watch(step_log_t *log)
{
    stepi_backend_t *b = &log->backend;
    if (b->stuck_ns == 0)
        return;
    const int64_t begin = stepi_monotonic_ns();
    if (begin < b->watch_at_ns && !log->clocked) /* an injected clock may be anywhere */
        return;
    look(log);
    const int64_t end = stepi_monotonic_ns();
    const int64_t rest = (end - begin) * LOOKS_SHARE;
    b->watch_at_ns = end + (rest > LOOK_EVERY_NS ? rest : LOOK_EVERY_NS);
}

int64_t stepi_watch_pause(step_log_t *log)
{
    stepi_backend_t *b = &log->backend;
    stepi_open_operation_t *operation;
    size_t at = 0;
    int64_t pause = STEPI_FOREVER;
    if (b->stuck_ns == 0)
        return pause;
    while ((operation = stepi_optable_next(&b->operations, &at)) != NULL) {
        if (!is_running(operation))
            continue;
        const int64_t left = patience_with(b, operation) - stepi_backend_running_ns(log, operation);
        const int64_t wait = left > LOOK_EVERY_NS ? left : LOOK_EVERY_NS;
        pause = pause == STEPI_FOREVER || wait < pause ? wait : pause;
    }
    return pause;
}

/* ---- All that is running ---- */

typedef struct list {
    char *bytes;
    size_t used, capacity;
    int failed; /* a STEP_E... code */
} list_t;

static void put_step(stepi_out_t *out, const stepi_open_operation_t *operation)
{
    stepi_put_literal(out, ": [");
    if (operation->total == 0)
        stepi_put_literal(out, "Step ");
    stepi_put_i64(out, operation->step);
    if (operation->total > 0) {
        stepi_put_char(out, '/');
        stepi_put_i64(out, operation->total);
    }
    stepi_put_literal(out, "] ");
    stepi_text_prose(out, &operation->description_text, false);
}

static void put_operation(stepi_out_t *out, const step_log_t *log, const stepi_open_operation_t *operation)
{
    for (uint32_t i = 0; i < operation->depth && i < INDENT_MAX; i++)
        stepi_put_literal(out, "    ");
    stepi_text_prose(out, &operation->name_text, true);
    if (operation->step_known)
        put_step(out, operation);
    stepi_put_literal(out, " (running_ms=");
    stepi_put_ms_1(out, stepi_backend_running_ns(log, operation));
    stepi_put_literal(out, ")\n");
}

static bool grow(list_t *list)
{
    const size_t capacity = list->capacity > 0 ? list->capacity * 2 : FIRST_BYTES;
    char *bytes = capacity <= BYTES_MAX ? realloc(list->bytes, capacity) : NULL;
    if (bytes == NULL) {
        list->failed = STEP_ENOMEM;
        return false;
    }
    list->bytes = bytes;
    list->capacity = capacity;
    return true;
}

static void append(list_t *list, const step_log_t *log, const stepi_open_operation_t *operation)
{
    for (;;) {
        stepi_out_t out = stepi_out_over(list->bytes + list->used, list->capacity - list->used);
        if (list->bytes != NULL)
            put_operation(&out, log, operation);
        if (list->bytes != NULL && !out.overflow) {
            list->used = (size_t)(out.at - list->bytes);
            return;
        }
        if (!grow(list))
            return;
    }
}

static uint32_t generation_of(const stepi_open_operation_t *operation)
{
    uint32_t generation = 0;
    for (; operation->parent != NULL; operation = operation->parent)
        generation++;
    return generation;
}

/* Each behind what it runs in, siblings by their start. */
static int by_tree(const void *a, const void *b)
{
    const stepi_open_operation_t *first = *(stepi_open_operation_t *const *)a;
    const stepi_open_operation_t *second = *(stepi_open_operation_t *const *)b;
    uint32_t first_generation = generation_of(first), second_generation = generation_of(second);
    const int deeper = first_generation > second_generation ? 1 : first_generation < second_generation ? -1 : 0;
    for (; first_generation > second_generation; first_generation--)
        first = first->parent;
    for (; second_generation > first_generation; second_generation--)
        second = second->parent;
    if (first == second)
        return deeper;
    while (first->parent != second->parent) {
        first = first->parent;
        second = second->parent;
    }
    if (first->start_ticks != second->start_ticks)
        return first->start_ticks < second->start_ticks ? -1 : 1;
    return first->id < second->id ? -1 : 1;
}

static void list_work(step_log_t *log, void *argument)
{
    list_t *list = argument;
    stepi_optable_t *table = &log->backend.operations;
    stepi_open_operation_t **sorted = malloc((table->count + 1) * sizeof(stepi_open_operation_t *));
    stepi_open_operation_t *operation;
    size_t at = 0, count = 0;
    if (sorted == NULL) {
        list->failed = STEP_ENOMEM;
        return;
    }
    stepi_timebase_refresh(&log->backend.time);
    while ((operation = stepi_optable_next(table, &at)) != NULL)
        if (is_running(operation))
            sorted[count++] = operation;
    qsort(sorted, count, sizeof(stepi_open_operation_t *), by_tree);
    for (size_t i = 0; i < count && list->failed == STEP_OK; i++)
        append(list, log, sorted[i]);
    free(sorted);
}

static int write_list(const list_t *list, int fd)
{
    stepi_signals_t signals;
    size_t taken;
    stepi_signals_hold(&signals);
    const int error = stepi_write_all(fd, list->bytes, list->used, &taken);
    stepi_signals_release(&signals, error);
    return error == 0 ? STEP_OK : STEP_EIO;
}

int step_log_dump_active(step_log_t *log, int fd)
{
    list_t list = { .bytes = NULL, .failed = STEP_OK };
    const int saved = errno;
    log = stepi_log_of(log);
    if (log == NULL || stepi_backend_is_here(log) || !stepi_log_visit(log))
        return STEP_EINVAL;
    if (!stepi_backend_run(log, STEPI_PATIENCE_NS, list_work, &list))
        list.failed = STEP_ETIMEOUT;
    stepi_log_leave(log);
    if (list.failed == STEP_OK && list.used > 0)
        list.failed = write_list(&list, fd);
    free(list.bytes);
    errno = saved;
    return list.failed;
}
