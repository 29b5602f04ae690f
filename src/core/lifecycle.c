/* Fork and exit.
 *
 * Fork. The parent's locks that guard lists are held for the moment of fork(), so the child finds whole lists; never the pump,
 * under which users' code runs. The child writes nothing of what was pending: that is the parent's. It starts with empty
 * rings, counters at zero and no threads, and gets its own backend with its first record. A child that came by _Fork() or
 * clone() finds out by itself: a page that the kernel wipes (stepi_fork_check()).
 *
 * Exit. After main() or in exit() whatever is in the rings is written, open operations are reported, and from then on
 * every call writes its line itself: other libraries' exit handlers may still log. */
#include "core/lifecycle.h"

#include "core/operation.h"
#include "platform/fault.h"
#include "record/shape.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static _Atomic uint32_t process_id;
static _Thread_local bool holds_for_fork __attribute__((tls_model("initial-exec")));

uint32_t stepi_process_id(void)
{
    uint32_t id = atomic_load_explicit(&process_id, memory_order_relaxed);
    if (id == 0) {
        id = (uint32_t)getpid();
        atomic_store_explicit(&process_id, id, memory_order_relaxed);
    }
    return id;
}

static void reset_log(step_log_t *log)
{
    if (atomic_load_explicit(&log->state, memory_order_relaxed) != STEPI_LOG_OPEN)
        return; /* free, or in the hands of a thread that is not here */
    stepi_log_reset_counters(log);
    stepi_backend_reset_in_child(log);
    atomic_store_explicit(&log->visitors, 0, memory_order_relaxed);
}

void stepi_fork_child(void)
{
    atomic_store_explicit(&process_id, 0, memory_order_relaxed);
    holds_for_fork = false;
    stepi_registry_reset_in_child();
    stepi_operations_reset_in_child();
    stepi_shapes_reset_in_child();
    stepi_faults_reset_in_child();
    for (step_log_t *log = stepi_logs; log != NULL; log = log->next)
        reset_log(log);
}

static void before_fork(void)
{
    if (stepi_registry_is_held_here())
        return; /* fork() in a signal handler on top of us: the child takes what it finds */
    stepi_registry_take();
    stepi_operations_hold();
    holds_for_fork = true;
}

static void after_fork_in_parent(void)
{
    if (!holds_for_fork)
        return;
    holds_for_fork = false;
    stepi_operations_release();
    stepi_registry_release();
}

static step_log_t *next_open(step_log_t *after)
{
    stepi_registry_take();
    step_log_t *log = after == NULL ? stepi_logs : after->next;
    while (log != NULL && atomic_load_explicit(&log->state, memory_order_relaxed) != STEPI_LOG_OPEN)
        log = log->next;
    stepi_registry_release();
    return log;
}

/* As a destructor of the library it runs after the handlers that the application registered with atexit(). */
static void finish_all(void)
{
    stepi_fork_check();
    if (stepi_registry_is_held_here())
        return;
    for (step_log_t *log = next_open(NULL); log != NULL; log = next_open(log))
        stepi_log_finish(log);
}

__attribute__((destructor)) static void at_end(void)
{
    finish_all();
}

void stepi_lifecycle_init(void)
{
    pthread_atfork(before_fork, after_fork_in_parent, stepi_fork_child);
    at_quick_exit(finish_all);
}
