/* The crash handler: what was logged before a fault is written before the process ends of it.
 *
 * It does what the end of a process does (core/lifecycle.c), log by log, on the thread that was hit, as the backend: takes the pump
 * lock, for which it waits half a second, and drains rings, what retention holds, blocks, and queues, whose writers are alive. Code
 * that runs here therefore
 *
 *     - allocates by platform/memory.h: the heap may be in any state
 *     - calls nothing of the user's: no diagnostics, no clock, no sink of the user's but on its own writer's thread
 *     - waits for nobody without a bound
 *
 * which stepi_is_crashing tells it. A log with a crash ring needs none of it: its records are in files. A thread that was hit while it was the backend itself finds its work half done: then only
 * whole lines that were ready are written. */
#include "core/log.h"

#include "core/registry.h"
#include "platform/fault.h"
#include "platform/memory.h"

static void drain(step_log_t *log)
{
    if (stepi_crash_is_on(&log->crash) || !stepi_log_visit(log))
        return;
    stepi_backend_drain_in_crash(log);
    stepi_log_leave(log);
}

/* The list only grows, at its beginning: no lock. */
static void drain_all(void)
{
    for (step_log_t *log = __atomic_load_n(&stepi_logs, __ATOMIC_ACQUIRE); log != NULL; log = log->next)
        drain(log);
}

int step_log_install_crash_handler(void)
{
    stepi_library_init();
    stepi_fork_check();
    stepi_thread_t *self = stepi_thread_self();
    if (self == NULL)
        return STEP_ENOMEM;
    stepi_registry_take();
    const bool has_memory = stepi_reserve_make() && stepi_fault_stack_enter(&self->fault_stack);
    const bool done = has_memory && stepi_faults_catch(drain_all);
    stepi_registry_release();
    if (!has_memory)
        return STEP_ENOMEM;
    return done ? STEP_OK : STEP_ENOTSUP;
}
