/* The backend's thread, and pumping on others' threads.
 *
 *     traffic      pass after pass, some microseconds behind the callers
 *     dry          naps, from 50 µs doubling to 20 ms: a call in this time needs no system call
 *     dry 0.5 s    parks until a record wakes it: at rest it costs nothing
 *
 * Parking must not miss a record. The thread sets `parked`, makes every other thread pass a barrier, looks at the rings once
 * more, and sleeps. A producer publishes and then reads `parked`. Whichever comes first, the other sees it; without
 * membarrier the producers have a fence between the two. */
#include "core/log.h"

#include "core/registry.h"
#include "core/watch.h"
#include "platform/memory.h"
#include "platform/system.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

enum {
    NAP_MIN_NS = 50000,
    NAP_WRITER_NS = 1000000,
    NAP_MAX_NS = 20000000,
    PARK_AFTER_NS = 500000000,
    LOCK_SLICE_NS = 100000000,
    DWELL_NS = 5000,
    LITTLE_SHARE = 8 /* of a ring */
};

/* The log that this thread pumps. */
static _Thread_local const step_log_t *pumping __attribute__((tls_model("initial-exec")));
static _Thread_local const step_log_t *holding __attribute__((tls_model("initial-exec"))); /* the same, once it has the lock */

bool stepi_backend_is_here(const step_log_t *log)
{
    return pumping == log || stepi_inside_log == log;
}

void stepi_backend_wake(step_log_t *log)
{
    atomic_store_explicit(&log->parked, 0, memory_order_relaxed);
    atomic_fetch_add_explicit(&log->wake, 1, memory_order_release);
    stepi_futex_wake(&log->wake, 1);
}

bool stepi_backend_write(step_log_t *log)
{
    stepi_backend_t *b = &log->backend;
    bool all = true;
    stepi_ledger_process(&b->ledger, b->processed);
    for (int i = 0; i < b->output_count; i++)
        all &= stepi_output_write(b->outputs[i], b->processed);
    return all;
}

/* ---- The thread ---- */

/* There is more, but little: a caller is at work this very moment. */
static bool is_close_behind(const stepi_backend_t *b)
{
    bool more = false;
    for (size_t i = 0; i < b->source_count; i++) {
        const stepi_ring_t *ring = b->sources[i].ring;
        const uint64_t left = atomic_load_explicit(&ring->head, memory_order_relaxed) - ring->read;
        more |= left > 0;
        if (left > ring->bytes / LITTLE_SHARE)
            return false;
    }
    return more;
}

/* One round; what it found. Blocks are written when the rings are dry, or when they are full by themselves. */
static stepi_pass_t one_round(step_log_t *log)
{
    stepi_lock_take(&log->pump);
    pumping = holding = log;
    stepi_pass_t found = stepi_backend_pass(log);
    stepi_backend_report_losses(log, false);
    stepi_watch(log);
    if (found != STEPI_PASS_TOOK || stepi_backend_is_dry(log))
        stepi_backend_write(log); /* where a queue is full the lines stay, and its writer wakes us when there is room */
    const bool dwells = found == STEPI_PASS_TOOK && is_close_behind(&log->backend);
    pumping = holding = NULL;
    stepi_lock_release(&log->pump);
    if (dwells) /* at the caller's heels each would wait for the other's cache lines, record by record */
        stepi_dwell(DWELL_NS);
    return found;
}

static bool rings_are_dry(step_log_t *log)
{
    stepi_lock_take(&log->pump);
    const bool dry = stepi_backend_is_dry(log);
    stepi_lock_release(&log->pump);
    return dry;
}

/* Sleeps until there is a record, or an operation has been running for too long. True: it was a record, or may have been. */
static bool park(step_log_t *log, uint32_t wake)
{
    stepi_lock_take(&log->pump);
    stepi_rings_trim(log);
    const int64_t pause = stepi_watch_pause(log);
    stepi_lock_release(&log->pump);
    atomic_store_explicit(&log->parked, 1, memory_order_seq_cst);
    if (stepi_needs_fences)
        stepi_fence();
    else
        stepi_barrier();
    if (rings_are_dry(log) && atomic_load_explicit(&log->stop, memory_order_acquire) == 0)
        stepi_futex_wait(&log->wake, wake, pause);
    atomic_store_explicit(&log->parked, 0, memory_order_relaxed);
    return atomic_load_explicit(&log->wake, memory_order_relaxed) != wake;
}

static void *run(void *argument)
{
    step_log_t *log = argument;
    stepi_thread_set_name("step_logger");
    int64_t nap = NAP_MIN_NS;
    int64_t last_traffic = stepi_monotonic_ns();
    while (atomic_load_explicit(&log->stop, memory_order_acquire) == 0) {
        /* acquire, and before the rings are read: a wake after this is not slept through */
        const uint32_t wake = atomic_load_explicit(&log->wake, memory_order_acquire);
        const stepi_pass_t found = one_round(log);
        if (found == STEPI_PASS_TOOK) {
            nap = nap / 4 > NAP_MIN_NS ? nap / 4 : NAP_MIN_NS;
            last_traffic = stepi_monotonic_ns();
        } else if (found == STEPI_PASS_HELD) {
            stepi_futex_wait(&log->wake, wake, NAP_MIN_NS);
            last_traffic = stepi_monotonic_ns();
        } else if (stepi_monotonic_ns() - last_traffic < PARK_AFTER_NS) {
            stepi_futex_wait(&log->wake, wake, nap);
            nap = nap * 2 < NAP_MAX_NS ? nap * 2 : NAP_MAX_NS;
        } else {
            if (park(log, wake))
                last_traffic = stepi_monotonic_ns();
        }
    }
    /* release: who sees us stopped sees what we did */
    atomic_store_explicit(&log->stopped, 1, memory_order_release);
    stepi_futex_wake(&log->stopped, 1);
    return NULL;
}

void stepi_backend_ensure(step_log_t *log)
{
    uint32_t none = 0;
    if (atomic_load_explicit(&log->synchronous, memory_order_relaxed) != 0 ||
        !atomic_compare_exchange_strong(&log->has_thread, &none, 1))
        return;
    atomic_store_explicit(&log->stop, 0, memory_order_relaxed);
    atomic_store_explicit(&log->stopped, 0, memory_order_relaxed);
    const int failed = stepi_thread_start(&log->thread, run, log);
    if (failed != 0) {
        atomic_store_explicit(&log->has_thread, 0, memory_order_relaxed);
        atomic_store_explicit(&log->synchronous, STEPI_SYNC_ALWAYS, memory_order_relaxed);
        stepi_diagnose(log, STEPI_TROUBLE_THREAD, STEP_ENOMEM,
                       "no thread for the backend (%s): calls write their lines themselves", strerror(failed));
    }
}

bool stepi_backend_stop(step_log_t *log, int64_t timeout_ns)
{
    if (atomic_load_explicit(&log->has_thread, memory_order_relaxed) == 0)
        return true;
    atomic_store_explicit(&log->stop, 1, memory_order_release);
    stepi_backend_wake(log);
    const int64_t give_up = stepi_monotonic_ns() + timeout_ns;
    while (atomic_load_explicit(&log->stopped, memory_order_acquire) == 0) {
        const int64_t left = give_up - stepi_monotonic_ns();
        if (left <= 0)
            return false;
        stepi_futex_wait(&log->stopped, 0, left < LOCK_SLICE_NS ? left : LOCK_SLICE_NS);
    }
    if (pthread_equal(log->thread, pthread_self()) == 0)
        pthread_join(log->thread, NULL);
    atomic_store_explicit(&log->has_thread, 0, memory_order_relaxed);
    return true;
}

/* ---- Pumping on a caller's thread ---- */

static void set_targets(stepi_backend_t *b)
{
    for (size_t i = 0; i < b->source_count; i++)
        b->sources[i].target = atomic_load_explicit(&b->sources[i].ring->head, memory_order_acquire);
}

static bool is_at_targets(const stepi_backend_t *b)
{
    for (size_t i = 0; i < b->source_count; i++)
        if (b->sources[i].ring->read < b->sources[i].target)
            return false;
    return true;
}

/* Up to what was there at the beginning: others may go on logging for ever. */
static void pump_locked(step_log_t *log, stepi_pump_end_t end)
{
    stepi_backend_t *b = &log->backend;
    uint32_t version;
    stepi_backend_is_dry(log); /* refreshes the list */
    set_targets(b);
    do {
        version = b->rings_version;
        if (stepi_backend_pass(log) == STEPI_PASS_HELD)
            stepi_futex_wait(&log->wake, atomic_load_explicit(&log->wake, memory_order_relaxed), NAP_MIN_NS);
        if (version != b->rings_version) /* positions in the list have changed */
            set_targets(b);
    } while (!is_at_targets(b));
    stepi_backend_report_losses(log, true);
    if (!stepi_is_crashing)
        stepi_watch(log);
    if (end == STEPI_PUMP_LAST || end == STEPI_PUMP_EXIT) {
        stepi_backend_report_open(log);
        stepi_retention_finish(log);
    }
    stepi_backend_write(log);
}

/* Runs `work` under the pump lock, as the backend, on the calling thread. */
static bool as_backend(step_log_t *log, int64_t timeout_ns, void (*work)(step_log_t *log, void *argument),
                       void *argument)
{
    const step_log_t *outer = pumping, *held = holding;
    const int cancellation = stepi_cancellation_hold();
    pumping = log; /* before the lock: a signal handler that logs must not wait for this thread */
    const bool locked = stepi_lock_take_within(&log->pump, timeout_ns);
    if (locked) {
        holding = log;
        work(log, argument);
        holding = held;
        stepi_lock_release(&log->pump);
    }
    pumping = outer;
    stepi_cancellation_release(cancellation);
    return locked;
}

typedef struct pump_job {
    stepi_pump_end_t end;
    int64_t deadline_ns;
    bool all_handed_over;
} pump_job_t;

/* For flush also what a full queue did not take: with patience, while its writer makes progress. */
static bool hand_over_all(step_log_t *log, int64_t deadline_ns)
{
    while (!stepi_backend_write(log)) {
        if (stepi_monotonic_ns() >= deadline_ns)
            return false;
        stepi_futex_wait(&log->wake, atomic_load_explicit(&log->wake, memory_order_relaxed), NAP_WRITER_NS);
    }
    return true;
}

static void pump_work(step_log_t *log, void *argument)
{
    stepi_backend_t *b = &log->backend;
    pump_job_t *job = argument;
    pump_locked(log, job->end);
    if (job->end == STEPI_PUMP_ON)
        return;
    if (job->end == STEPI_PUMP_FLUSH)
        job->all_handed_over = hand_over_all(log, job->deadline_ns);
    for (int i = 0; i < b->output_count; i++) {
        if (job->end == STEPI_PUMP_LAST)
            stepi_output_finish(b->outputs[i], STEPI_PATIENCE_NS);
        else if (job->end == STEPI_PUMP_EXIT || job->end == STEPI_PUMP_LATE)
            stepi_output_drain(b->outputs[i], STEPI_PATIENCE_NS);
        else
            stepi_output_flush(b->outputs[i]);
    }
    if (job->end == STEPI_PUMP_LAST || job->end == STEPI_PUMP_EXIT)
        stepi_crash_finish(log);
}

bool stepi_backend_pump(step_log_t *log, int64_t timeout_ns, stepi_pump_end_t end)
{
    if (stepi_backend_is_here(log) || stepi_registry_is_held_here())
        return false;
    pump_job_t job = { .end = end, .deadline_ns = stepi_monotonic_ns() + timeout_ns, .all_handed_over = true };
    return as_backend(log, timeout_ns, pump_work, &job) && job.all_handed_over;
}

/* Of an output whose sink runs on this thread nobody is left who could write. */
static void drain_outputs(step_log_t *log)
{
    stepi_backend_t *b = &log->backend;
    for (int i = 0; i < b->output_count; i++)
        if (!stepi_output_is_hit(b->outputs[i]))
            stepi_output_drain(b->outputs[i], STEPI_CRASH_PATIENCE_NS);
}

static void crash_work(step_log_t *log, void *argument)
{
    (void)argument;
    for (int i = 0; i < log->backend.output_count; i++)
        stepi_output_is_hit(log->backend.outputs[i]);
    pump_locked(log, STEPI_PUMP_EXIT);
    drain_outputs(log);
}

void stepi_backend_drain_in_crash(step_log_t *log)
{
    if (holding == log) /* its rings and operations are half way between two states */
        drain_outputs(log);
    else
        as_backend(log, STEPI_CRASH_PATIENCE_NS, crash_work, NULL);
}

static void add_work(step_log_t *log, void *argument)
{
    stepi_backend_t *b = &log->backend;
    stepi_output_t *output = argument;
    pump_locked(log, STEPI_PUMP_ON); /* what was logged before is not for this output */
    output->slot = b->output_count < STEPI_OUTPUTS_MAX ? stepi_ledger_add(&b->ledger) : -1;
    if (output->slot < 0)
        return;
    stepi_crash_output_added(log, output);
    const int at = atomic_load_explicit(&b->output_count, memory_order_relaxed);
    b->outputs[at] = output;
    /* release: a flush waits for outputs without the pump lock */
    atomic_store_explicit(&b->output_count, at + 1, memory_order_release);
    if (output->format->shows_places)
        atomic_store_explicit(&log->shows_places, true, memory_order_relaxed);
    b->wants_steps |= output->format->wants_steps;
}

int stepi_backend_add(step_log_t *log, stepi_output_t *output, int64_t timeout_ns)
{
    output->slot = -1;
    if (!as_backend(log, timeout_ns, add_work, output))
        return STEP_ETIMEOUT;
    return output->slot >= 0 ? STEP_OK : STEP_EINVAL;
}

typedef struct run_job {
    void (*work)(step_log_t *log, void *argument);
    void *argument;
} run_job_t;

static void run_work(step_log_t *log, void *argument)
{
    const run_job_t *job = argument;
    pump_locked(log, STEPI_PUMP_ON);
    job->work(log, job->argument);
}

bool stepi_backend_run(step_log_t *log, int64_t timeout_ns, void (*work)(step_log_t *log, void *argument), void *argument)
{
    run_job_t job = { .work = work, .argument = argument };
    return as_backend(log, timeout_ns, run_work, &job);
}

static void reopen_work(step_log_t *log, void *argument)
{
    stepi_backend_t *b = &log->backend;
    int *result = argument;
    pump_locked(log, STEPI_PUMP_ON); /* what was logged before belongs to the old file */
    *result = STEP_OK;
    for (int i = 0; i < b->output_count; i++) {
        const int failed = stepi_output_reopen(b->outputs[i], stepi_monotonic_ns() + STEPI_PATIENCE_NS);
        if (failed == 0)
            continue;
        *result = STEP_EIO;
        stepi_diagnose(log, STEPI_TROUBLE_SINK, STEP_EIO, "a sink could not be reopened and goes on as it was: %s",
                       strerror(failed));
    }
}

int stepi_backend_reopen(step_log_t *log, int64_t timeout_ns)
{
    int result = STEP_ETIMEOUT;
    as_backend(log, timeout_ns, reopen_work, &result);
    return result;
}

/* ---- Ends ---- */

void stepi_backend_clear(step_log_t *log)
{
    stepi_backend_t *b = &log->backend;
    stepi_free(b->sources);
    stepi_free(b->bound);
    stepi_optable_clear(&b->operations);
    stepi_ledger_clear(&b->ledger);
    memset(b, 0, sizeof(*b));
}

void stepi_backend_reset_in_child(step_log_t *log)
{
    stepi_backend_t *b = &log->backend;
    /* When another thread held the pump at the moment of the fork its work is half done: it is left as it is. */
    const bool is_whole = atomic_load_explicit(&log->pump.word, memory_order_relaxed) == 0;
    pumping = holding = NULL;
    stepi_inside_log = NULL; /* a child of a sink's is a process like any other */
    log->pump = (stepi_lock_t){ 0 };
    atomic_store_explicit(&log->has_thread, 0, memory_order_relaxed);
    atomic_store_explicit(&log->parked, 0, memory_order_relaxed);
    atomic_store_explicit(&log->stalled, 0, memory_order_relaxed);
    stepi_crash_reset_in_child(&log->crash); /* first: names in the store are the parent's */
    if (is_whole) {
        stepi_free(b->sources);
        stepi_optable_clear(&b->operations);
    }
    b->sources = NULL;
    b->source_count = b->source_capacity = 0;
    b->held_since_ns = 0;
    b->processed = 0;
    memset(b->losses_told, 0, sizeof(b->losses_told));
    stepi_optable_reset_in_child(&b->operations);
    stepi_retention_reset_in_child(&b->retention);
    stepi_ledger_reset_in_child(&b->ledger);
    for (int i = 0; i < b->output_count; i++)
        stepi_output_reset_in_child(b->outputs[i], is_whole);
}
