/* Fields that later lines carry: an operation's travel to the backend with its names, once; the backend adds them to its lines and to
 * those of its children. A log's are the backend's alone. */
#include "core/misuse.h"
#include "core/operation.h"
#include "core/registry.h"

#include <errno.h>
#include <stdlib.h>

static int refuse(step_log_t *log, const char *function, size_t most)
{
    if (errno == ENOMEM) {
        stepi_diagnose(log, STEPI_TROUBLE_MEMORY, STEP_ENOMEM, "%s: no memory; nothing is bound", function);
        return STEP_ENOMEM;
    }
    stepi_count_misuse(log);
    stepi_diagnose(log, STEPI_TROUBLE_MISUSE, STEP_EINVAL, "%s: more than %zu bytes of keys and values; nothing is bound",
                   function, most);
    return STEP_EINVAL;
}

/* What was bound before, but for keys that come again, and what is new. NULL and errno. */
static stepi_bound_t *with(const stepi_bound_t *before, const stepi_bound_t *fields, size_t most)
{
    stepi_bound_t *joined = stepi_bound_join(before, fields, STEPI_SECOND_WINS);
    if (joined != NULL && joined->bytes > most) {
        free(joined);
        errno = E2BIG;
        return NULL;
    }
    return joined;
}

/* ---- To an operation ---- */

/* Names travel again, and what is bound with them: children that start before the next line carry it, too. */
static void tell_backend(step_logger_t *op, step_site_t *site)
{
    stepi_entry_t entry = { .site = site };
    op->described_in = 0;
    if (atomic_load_explicit(&op->state, memory_order_relaxed) == STEPI_MADE || !stepi_operation_enter(&entry, op))
        return;
    if (atomic_load_explicit(&op->state, memory_order_relaxed) == STEPI_ENDED)
        stepi_check_started(&entry, op, "bind()");
    stepi_draft_t draft = stepi_operation_draft(&entry, op, STEPI_MESSAGE, op->gate.level);
    draft.parts |= STEPI_FLAG_QUIET;
    stepi_operation_write(&entry, op, &draft);
    stepi_leave(&entry);
}

static size_t most_of(const step_log_t *log)
{
    return log->ring_bytes / STEPI_BOUND_SHARE < STEPI_BOUND_MAX ? log->ring_bytes / STEPI_BOUND_SHARE : STEPI_BOUND_MAX;
}

void step_logger_bind_fields(step_logger_t *op, step_site_t *site, const step_field_t *fields, size_t count)
{
    const int saved = errno;
    if (op == NULL || op == step_logger_no_parent() || fields == NULL || count == 0)
        return;
    if (atomic_load_explicit(&op->state, memory_order_relaxed) == STEPI_UNUSED) {
        stepi_misuse_freed(op);
        return;
    }
    if (!stepi_log_is_open(op->log, op->serial))
        return;
    stepi_bound_t *given = stepi_bound_new(fields, count, op->log->redact);
    stepi_bound_t *bound = given != NULL ? with(op->bound, given, most_of(op->log)) : NULL;
    if (bound == NULL) {
        refuse(op->log, "step_logger_bind()", most_of(op->log));
    } else {
        free(op->bound);
        op->bound = bound;
        tell_backend(op, site);
    }
    free(given);
    errno = saved;
}

/* ---- To a log ---- */

typedef struct bind_job {
    const stepi_bound_t *given;
    int error; /* errno */
} bind_job_t;

static void bind_work(step_log_t *log, void *argument)
{
    stepi_backend_t *b = &log->backend;
    bind_job_t *job = argument;
    stepi_bound_t *bound = with(b->bound, job->given, STEPI_BOUND_MAX);
    if (bound == NULL) {
        job->error = errno;
        return;
    }
    stepi_bound_t *before = b->bound;
    b->bound = bound; /* whole at any moment: a forked child goes on with it */
    b->bound_at = ++b->binds;
    stepi_crash_bound_changed(log);
    free(before);
}

static int bind_given(step_log_t *log, const stepi_bound_t *given)
{
    bind_job_t job = { .given = given, .error = errno };
    if (given != NULL) {
        job.error = 0;
        if (!stepi_backend_run(log, STEPI_PATIENCE_NS, bind_work, &job))
            return STEP_ETIMEOUT;
    }
    errno = job.error;
    return job.error == 0 ? STEP_OK : refuse(log, "step_log_bind()", STEPI_BOUND_MAX);
}

int step_log_bind_fields(step_log_t *log, const step_field_t *fields, size_t count)
{
    const int saved = errno;
    log = stepi_log_of(log);
    if (log == NULL || (fields == NULL && count > 0) || stepi_backend_is_here(log) || !stepi_log_visit(log))
        return STEP_EINVAL;
    stepi_bound_t *given = stepi_bound_new(fields, count, log->redact);
    const int result = bind_given(log, given);
    free(given);
    stepi_log_leave(log);
    errno = saved;
    return result;
}
