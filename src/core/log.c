/* Logs: opening, outputs, flushing, closing, statistics. */
#include "core/log.h"

#include "core/misuse.h"
#include "core/registry.h"
#include "platform/clock.h"
#include "platform/system.h"
#include "record/shape.h"

#include <stdlib.h>
#include <string.h>

enum { NAP_NS = 100000, CALL_NS = 500000000, MS_NS = 1000000 };

const char *step_error_text(int code)
{
    switch (code) {
#define ERROR_CASE(name, value, text)                                                                                  \
    case name:                                                                                                         \
        return text;
        STEP_ERRORS(ERROR_CASE)
#undef ERROR_CASE
    default:
        return "unknown error code";
    }
}

step_log_t *stepi_log_of(step_log_t *log)
{
    stepi_default_state_t state;
    if (log == NULL) {
        log = stepi_default_get(&state);
        if (__builtin_expect(state == STEPI_DEFAULT_UNMADE, 0))
            log = step_log_default();
    }
    if (log == NULL || atomic_load_explicit(&log->state, memory_order_relaxed) != STEPI_LOG_OPEN)
        return NULL;
    return log;
}

bool stepi_log_visit(step_log_t *log)
{
    stepi_fork_check();
    atomic_fetch_add_explicit(&log->visitors, 1, memory_order_seq_cst); /* seq_cst: close() sees it, or we see close() */
    if (atomic_load_explicit(&log->state, memory_order_seq_cst) == STEPI_LOG_OPEN)
        return true;
    stepi_log_leave(log);
    return false;
}

void stepi_log_leave(step_log_t *log)
{
    /* release: close() comes after what we did */
    atomic_fetch_sub_explicit(&log->visitors, 1, memory_order_release);
}

int step_log_set_default(step_log_t *log)
{
    stepi_library_init();
    return stepi_default_set(log) ? STEP_OK : STEP_EINVAL;
}

/* ---- Open ---- */

static void set_up_redaction(step_log_t *log, const char *keys)
{
    log->redact = NULL;
    if (keys == NULL || keys[0] == '\0')
        return;
    memcpy(log->redact_text, keys, strlen(keys) + 1);
    log->redact = log->redact_text;
    stepi_shapes_redact(log->redact_text);
}

static void set_up_levels(step_log_t *log, const step_log_options_t *options)
{
    stepi_slice_t bad;
    stepi_rules_read(&log->rules, options->level_rules, &bad);
    const bool all = options->flight_recorder_bytes > 0;
    atomic_store_explicit(&log->records_all, all, memory_order_relaxed);
    atomic_store_explicit(&log->levels_vary, all || log->rules.count > 0, memory_order_relaxed);
    __atomic_store_n(&log->level, options->level, __ATOMIC_RELAXED);
}

static void set_up(step_log_t *log, const step_log_options_t *options)
{
    log->clocked = options->clock != NULL;
    atomic_store_explicit(&log->shows_places, false, memory_order_relaxed);
    if (options->clock != NULL)
        log->clock = *options->clock;
    log->inherited = (stepi_trace_context_t){ .span = 0 };
    log->drop_when_full = options->when_full == STEP_FULL_DROP;
    log->ring_bytes = options->ring_bytes;
    log->diagnose = options->diagnose;
    log->diagnose_ctx = options->diagnose_ctx;
    set_up_levels(log, options);
    set_up_redaction(log, options->redact_keys);
    stepi_retention_start(&log->backend.retention, options);
    log->backend.stuck_ns = (int64_t)options->stuck_ms * MS_NS;
    atomic_store_explicit(&log->synchronous, options->mode == STEP_MODE_SYNC ? STEPI_SYNC_ALWAYS : STEPI_SYNC_NEVER,
                          memory_order_relaxed);
    atomic_store_explicit(&log->parked, 0, memory_order_relaxed);
    atomic_store_explicit(&log->stalled, 0, memory_order_relaxed);
    stepi_log_reset_counters(log);
    for (int i = 0; i < STEPI_TROUBLES; i++)
        atomic_store_explicit(&log->told_at[i], 0, memory_order_relaxed);
    stepi_timebase_start(&log->backend.time);
    log->backend.operations.store = &log->crash.store;
}

int step_log_open(const step_log_options_t *given, step_log_t **out)
{
    step_log_options_t options;
    const int saved = errno;
    if (out == NULL)
        return STEP_EINVAL;
    stepi_library_init();
    stepi_fork_check();
    const int bad = stepi_log_options_read(given, &options);
    if (bad != STEP_OK)
        return bad;
    step_log_t *log = stepi_log_take();
    if (log == NULL)
        return STEP_ENOMEM;
    set_up(log, &options);
    const int no_crash_ring = stepi_crash_open(log, &options);
    if (no_crash_ring != STEP_OK) {
        stepi_backend_clear(log);
        atomic_store_explicit(&log->state, STEPI_LOG_FREE, memory_order_release);
        return no_crash_ring; /* errno says why */
    }
    atomic_fetch_add_explicit(&log->serial, 1, memory_order_relaxed);
    /* release: who sees the log open sees it set up */
    atomic_store_explicit(&log->state, STEPI_LOG_OPEN, memory_order_release);
    stepi_backend_ensure(log);
    stepi_gate_update();
    *out = log;
    errno = saved;
    return STEP_OK;
}

/* ---- Outputs, level ---- */

/* A sink and a format that come to nothing are freed. */
static int discard(step_sink_t *sink, step_format_t *format, int result)
{
    const int saved = errno;
    if (sink != NULL)
        sink->close(sink);
    if (format != NULL)
        format->free(format);
    errno = saved;
    return result;
}

static int add_output(step_log_t *log, stepi_output_t *output)
{
    if (!stepi_log_visit(log))
        return STEP_EINVAL;
    const int result = stepi_backend_add(log, output, STEPI_PATIENCE_NS);
    if (result == STEP_EINVAL)
        stepi_diagnose(log, STEPI_TROUBLE_OPTION, STEP_EINVAL, "step_log_add_output(): a log has at most %d outputs",
                       STEPI_OUTPUTS_MAX);
    stepi_log_leave(log);
    return result;
}

int step_log_add_output(step_log_t *log, step_sink_t *sink, step_format_t *format, step_level_t level)
{
    if (sink == NULL)
        return discard(NULL, format, STEP_ESINK);
    if (format == NULL)
        return discard(sink, NULL, STEP_ENOMEM);
    log = stepi_log_of(log);
    if (log == NULL || level < 0 || level > STEP_LEVEL_OFF || stepi_backend_is_here(log))
        return discard(sink, format, STEP_EINVAL);
    stepi_output_t *output = stepi_output_new(log, sink, format, level);
    if (output == NULL)
        return STEP_ENOMEM;
    const int result = add_output(log, output);
    if (result != STEP_OK)
        stepi_output_free(output);
    return result;
}

static void set_level(step_log_t *log, void *argument)
{
    const step_level_t *level = argument;
    __atomic_store_n(&log->level, *level, __ATOMIC_RELAXED);
    stepi_crash_level_changed(log);
    stepi_gate_update();
}

/* Where the backend decides what is below the level, it first does so for what was logged before. */
static int set_level_behind(step_log_t *log, step_level_t level)
{
    if (stepi_backend_is_here(log) || !stepi_log_visit(log))
        return STEP_EINVAL;
    const bool done = stepi_backend_run(log, STEPI_PATIENCE_NS, set_level, &level);
    stepi_log_leave(log);
    return done ? STEP_OK : STEP_ETIMEOUT;
}

int step_log_set_level(step_log_t *log, step_level_t level)
{
    log = stepi_log_of(log);
    if (log == NULL || level < 1 || level > STEP_LEVEL_OFF)
        return STEP_EINVAL;
    if (stepi_records_all(log))
        return set_level_behind(log, level);
    set_level(log, &level);
    return STEP_OK;
}

int step_log_reopen(step_log_t *log)
{
    log = stepi_log_of(log);
    if (log == NULL || stepi_backend_is_here(log) || !stepi_log_visit(log))
        return STEP_EINVAL;
    const int result = stepi_backend_reopen(log, STEPI_PATIENCE_NS);
    stepi_log_leave(log);
    return result;
}

/* ---- Flush ---- */

static int worse(int result, int other)
{
    return result != STEP_OK ? result : other;
}

static int flush_outputs(step_log_t *log, int64_t deadline_ns)
{
    const stepi_backend_t *b = &log->backend;
    const int count = atomic_load_explicit(&b->output_count, memory_order_acquire);
    int result = STEP_OK;
    for (int i = 0; i < count; i++)
        result = worse(result, stepi_output_wait(b->outputs[i], deadline_ns));
    return result;
}

static int flush(step_log_t *log, int64_t timeout_ns)
{
    const int64_t deadline = stepi_monotonic_ns() + timeout_ns;
    if (!stepi_backend_pump(log, timeout_ns, STEPI_PUMP_FLUSH))
        return STEP_ETIMEOUT;
    if (atomic_load_explicit(&log->backend.lacks_memory, memory_order_relaxed))
        return STEP_ENOMEM;
    return flush_outputs(log, deadline);
}

int step_log_flush(step_log_t *log, uint32_t timeout_ms)
{
    const int saved = errno;
    log = stepi_log_of(log);
    if (log == NULL || stepi_backend_is_here(log) || !stepi_log_visit(log))
        return STEP_EINVAL;
    const int result = flush(log, (int64_t)timeout_ms * MS_NS);
    stepi_log_leave(log);
    errno = saved;
    return result;
}

/* ---- Close ---- */

static bool has_calls(const step_log_t *log)
{
    bool busy = false;
    stepi_registry_take();
    for (const stepi_ring_t *ring = log->rings; ring != NULL; ring = ring->next_in_log)
        /* acquire: a call that has left has published */
        busy |= atomic_load_explicit(&ring->busy, memory_order_acquire) != 0;
    stepi_registry_release();
    return busy;
}

/* Waits for logging calls in progress: none begins any more. One that was left by a jump, or whose thread is stopped, is
 * waited for only so long: its ring stays with its thread, so all that can happen is that its record is lost. */
static void wait_for_calls(const step_log_t *log)
{
    stepi_barrier();
    const int64_t give_up = stepi_monotonic_ns() + CALL_NS;
    while (has_calls(log) && stepi_monotonic_ns() < give_up)
        stepi_sleep(NAP_NS);
}

static bool wait_for_visitors(step_log_t *log)
{
    const int64_t give_up = stepi_monotonic_ns() + STEPI_PATIENCE_NS;
    while (atomic_load_explicit(&log->visitors, memory_order_seq_cst) != 0) {
        if (stepi_monotonic_ns() > give_up)
            return false;
        stepi_sleep(NAP_NS);
    }
    return true;
}

static bool free_outputs(step_log_t *log)
{
    stepi_backend_t *b = &log->backend;
    bool all = true;
    for (int i = 0; i < b->output_count; i++)
        all &= stepi_output_free(b->outputs[i]);
    b->output_count = 0;
    return all;
}

static bool claim_for_close(step_log_t *log)
{
    uint32_t open = STEPI_LOG_OPEN;
    if (!atomic_compare_exchange_strong(&log->state, &open, STEPI_LOG_CLOSING))
        return false;
    atomic_fetch_add_explicit(&log->serial, 1, memory_order_relaxed); /* what belongs to this life of it ends here */
    stepi_default_drop(log);
    return true;
}

/* A claimed log. */
static int take_apart(step_log_t *log)
{
    wait_for_calls(log);
    const bool drained = wait_for_visitors(log) && stepi_backend_stop(log, STEPI_PATIENCE_NS) &&
                         stepi_backend_pump(log, STEPI_PATIENCE_NS, STEPI_PUMP_LAST);
    if (!drained) { /* somebody still uses it: it stays as it is, closed to all calls */
        stepi_diagnose(log, STEPI_TROUBLE_FULL, STEP_ETIMEOUT,
                       "step_log_close(): no progress for 2 s; what was pending is lost");
        return STEP_ETIMEOUT;
    }
    const bool all = free_outputs(log);
    stepi_rings_close(log);
    stepi_backend_clear(log);
    stepi_crash_clear(&log->crash);
    /* release: the next owner finds it cleared */
    atomic_store_explicit(&log->state, STEPI_LOG_FREE, memory_order_release);
    return all ? STEP_OK : STEP_ETIMEOUT;
}

int step_log_close(step_log_t *log)
{
    const int saved = errno;
    if (log == NULL)
        return STEP_OK;
    stepi_fork_check();
    if (stepi_backend_is_here(log) || !claim_for_close(log))
        return STEP_EINVAL;
    const int cancellation = stepi_cancellation_hold(); /* half closed it would be lost, with all that is pending */
    const int result = take_apart(log);
    stepi_cancellation_release(cancellation);
    errno = saved;
    return result;
}

bool stepi_log_write_now(step_log_t *log)
{
    const bool at_end = atomic_load_explicit(&log->synchronous, memory_order_relaxed) == STEPI_SYNC_AT_END;
    if (!stepi_log_visit(log))
        return false;
    const bool written = stepi_backend_pump(log, STEPI_PATIENCE_NS, at_end ? STEPI_PUMP_LATE : STEPI_PUMP_ON);
    stepi_log_leave(log);
    return written;
}

void stepi_log_finish(step_log_t *log)
{
    uint32_t never = STEPI_SYNC_NEVER;
    if (stepi_backend_is_here(log) || !stepi_log_visit(log))
        return; /* exit() from a sink: nothing more can be done on this thread */
    atomic_compare_exchange_strong(&log->synchronous, &never, STEPI_SYNC_AT_END);
    stepi_backend_pump(log, STEPI_PATIENCE_NS, STEPI_PUMP_EXIT);
    stepi_log_leave(log);
}

/* ---- Statistics ---- */

void stepi_log_reset_counters(step_log_t *log)
{
    _Atomic uint64_t *const counters[] = { &log->misused,     &log->dropped_memory, &log->dropped_nested,
                                           &log->retired_seq, &log->retired_full,   &log->retired_nested };
    for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
        atomic_store_explicit(counters[i], 0, memory_order_relaxed);
}

static uint64_t read_counter(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void collect(step_log_t *log, step_stats_t *stats)
{
    stepi_registry_take();
    uint64_t seq = read_counter(&log->retired_seq);
    stats->dropped_full = read_counter(&log->retired_full);
    stats->dropped_nested = read_counter(&log->retired_nested) + read_counter(&log->dropped_nested);
    for (const stepi_ring_t *ring = log->rings; ring != NULL; ring = ring->next_in_log) {
        seq += read_counter(&ring->seq);
        stats->dropped_full += read_counter(&ring->dropped_full);
        stats->dropped_nested += read_counter(&ring->dropped_nested);
    }
    /* while we hold the registry, so that no call of a signal handler wants the ledger */
    stepi_ledger_read(&log->backend.ledger, &stats->written, &stats->dropped_sink);
    stepi_registry_release();
    const stepi_retention_t *retention = &log->backend.retention;
    stats->sampled_out = read_counter(&retention->sampled_out);
    stats->recorder_discarded = read_counter(&retention->recorder_discarded);
    stats->held = read_counter(&retention->held);
    stats->dropped_memory = read_counter(&log->dropped_memory);
    stats->misused = read_counter(&log->misused);
    stats->recorded = seq + stats->dropped_nested + stats->dropped_memory; /* those took no number */
    stats->dropped =
        stats->dropped_full + stats->dropped_nested + stats->dropped_memory + stats->dropped_sink;
}

int step_log_stats(step_log_t *log, step_stats_t *out)
{
    log = stepi_log_of(log);
    if (log == NULL || out == NULL || out->size < sizeof(out->size) || !stepi_log_visit(log))
        return STEP_EINVAL;
    step_stats_t stats = { .size = out->size };
    collect(log, &stats);
    stepi_log_leave(log);
    memcpy(out, &stats, out->size < sizeof(stats) ? out->size : sizeof(stats));
    return STEP_OK;
}
