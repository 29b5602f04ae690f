/* The backend: takes records from the rings in the order of time, keeps the picture of open operations, renders each
 * record for each output, and writes blocks.
 *
 * It is a state under the log's pump lock, not a thread: its own thread pumps in STEP_MODE_ASYNC, the calling thread in
 * STEP_MODE_SYNC, flush and close pump on their caller's thread. So there is one way through which a line is made. */
#ifndef STEPI_CORE_BACKEND_H
#define STEPI_CORE_BACKEND_H

#include "core/ledger.h"
#include "core/optable.h"
#include "core/output.h"
#include "core/retention.h"
#include "platform/clock.h"
#include "record/ring.h"

/* Records that were lost before the backend saw them, by reason. */
typedef enum stepi_loss { STEPI_LOSS_FULL, STEPI_LOSS_NESTED, STEPI_LOSS_MEMORY, STEPI_LOSSES } stepi_loss_t;

/* A ring as the backend reads it. */
typedef struct stepi_source {
    stepi_ring_t *ring;
    uint64_t head;   /* of this pass */
    uint64_t target; /* of the pump: how far to go */
    uint64_t mark;   /* its head when the epoch of `operations` began */
} stepi_source_t;

typedef struct stepi_backend {
    stepi_timebase_t time;
    uint64_t last_ticks;  /* of the latest record */
    uint64_t last_stamp;
    int64_t last_wall_ns; /* of the latest record: where lines of our own stand */
    stepi_source_t *sources; /* the log's list of rings, copied under the registry's lock */
    size_t source_count, source_capacity;
    uint32_t rings_version;
    _Atomic bool lacks_memory; /* for the list of rings: what is in them waits */
    int64_t held_since_ns; /* a busy ring holds the others back since then; 0: none */
    uint64_t losses_told[STEPI_LOSSES];
    int64_t losses_told_ns;
    uint64_t own_seq; /* of the library's own records */
    uint32_t foreign_pid; /* it replays what another process left; 0: it does not */
    uint64_t processed;
    stepi_optable_t operations;
    stepi_retention_t retention;
    stepi_bound_t *bound; /* to the log */
    uint64_t bound_at;    /* when, by `binds` */
    uint64_t binds;       /* how often something was bound; 0: never */
    bool wants_steps;     /* some output shows what became of an operation's steps */
    int64_t stuck_ns;     /* operations that run longer are reported; 0: none */
    int64_t watch_at_ns;  /* when they are looked at next */
    stepi_output_t *outputs[STEPI_OUTPUTS_MAX];
    _Atomic int output_count; /* grows under the pump lock */
    stepi_ledger_t ledger;
} stepi_backend_t;

static inline bool stepi_backend_is_foreign(const stepi_backend_t *b)
{
    return b->foreign_pid != 0;
}

/* What a pass found. */
typedef enum stepi_pass {
    STEPI_PASS_DRY,  /* nothing to take */
    STEPI_PASS_HELD, /* there is something, but a record that is stamped and not yet published may belong before it */
    STEPI_PASS_TOOK
} stepi_pass_t;

/* Takes what the rings hold now, in the order of time. Under the pump lock. (merge.c) */
stepi_pass_t stepi_backend_pass(step_log_t *log);

/* Whether there is something in the rings. Under the pump lock. (merge.c) */
bool stepi_backend_is_dry(step_log_t *log);

/* Takes what is in the rings, then does `work`, as the backend on the calling thread. False: no lock in time. */
bool stepi_backend_run(step_log_t *log, int64_t timeout_ns, void (*work)(step_log_t *log, void *argument), void *argument);

/* A line, record number `index`, goes to the outputs whose level it has. (lines.c) */
void stepi_backend_offer(stepi_backend_t *backend, const stepi_line_t *line, uint64_t index);

/* One record becomes lines; a damaged one is counted as lost. Under the pump lock. (lines.c) */
void stepi_backend_record(step_log_t *log, const stepi_ring_t *ring, const uint8_t *record);

/* A record of another process, in the order of time. Its line is not among the records of this process. (lines.c) */
typedef struct stepi_replayed {
    bool is_shown;
    uint32_t pid, tid;
    int level; /* lower ones are shown because of a flight recorder, as if they had it; 0: there was none */
} stepi_replayed_t;
void stepi_backend_replay(step_log_t *log, stepi_decoded_t *record, const stepi_replayed_t *as);

/* The same without going through a line, for what can. False: nothing was done. (brief.c) */
bool stepi_backend_brief(step_log_t *log, const stepi_ring_t *ring, const uint8_t *record);

/* When a record of these ticks was made; readings of the clocks do not make a thread's time run backwards. (lines.c) */
int64_t stepi_backend_wall_ns(const stepi_backend_t *backend, uint64_t ticks);
int64_t stepi_backend_elapsed_ns(const stepi_backend_t *backend, int64_t ticks); /* 0 for what is negative */

/* Says in the stream how many records were lost before they came here; at most once a second, unless `now`. (lines.c) */
void stepi_backend_report_losses(step_log_t *log, bool now);
uint64_t stepi_backend_losses(step_log_t *log, stepi_loss_t reason);

/* Pumps until everything that was in the rings at the call is out, then writes what was formatted. _FLUSH also waits until
 * the queues took it and flushes sinks that are written directly; _LAST, at the end of a log, reports what is still open and
 * finishes the outputs; _EXIT, at the end of the process, drains them instead, and so does _LATE after it. False when the
 * time did not suffice for the pump lock or the queues, and on a thread that pumps already, runs a sink of this log, or
 * holds the registry (below a signal handler): there it does nothing. */
typedef enum stepi_pump_end {
    STEPI_PUMP_ON,
    STEPI_PUMP_FLUSH,
    STEPI_PUMP_LAST,
    STEPI_PUMP_EXIT,
    STEPI_PUMP_LATE
} stepi_pump_end_t;
bool stepi_backend_pump(step_log_t *log, int64_t timeout_ns, stepi_pump_end_t end);

/* In the crash handler: writes what can be written, in bounded time. */
void stepi_backend_drain_in_crash(step_log_t *log);

/* Adds an output for records from now on. STEP_ETIMEOUT: no lock in time; STEP_EINVAL: there are too many. */
int stepi_backend_add(step_log_t *log, stepi_output_t *output, int64_t timeout_ns);
int stepi_backend_reopen(step_log_t *log, int64_t timeout_ns);

/* A line of the library's own, with the next number of its sequence. Under the pump lock. (lines.c) */
stepi_line_t stepi_backend_own_line(step_log_t *log, stepi_kind_t kind, int level);

/* How long an operation has been running; a line of ours that reports it. Under the pump lock. (lines.c) */
int64_t stepi_backend_running_ns(const step_log_t *log, const stepi_open_operation_t *operation);
void stepi_backend_report(step_log_t *log, stepi_open_operation_t *operation, stepi_kind_t kind);

/* Reports open operations as incomplete. Under the pump lock. (unfinished.c) */
void stepi_backend_report_open(step_log_t *log);

/* Writes blocks; true if all could be handed over. Under the pump lock. */
bool stepi_backend_write(step_log_t *log);

/* Starts the backend's thread, if it is not there; without one the log becomes synchronous. */
void stepi_backend_ensure(step_log_t *log);

/* Asks the thread to stop and waits for it, at most so long; false if it did not. */
bool stepi_backend_stop(step_log_t *log, int64_t timeout_ns);

/* Wakes the thread from nap or sleep. */
void stepi_backend_wake(step_log_t *log);

/* What a forked child keeps of it: the outputs. Nothing is freed: another thread may have been in the middle of it. */
void stepi_backend_reset_in_child(step_log_t *log);
void stepi_backend_clear(step_log_t *log);

/* True where this thread runs a sink or formatter of the log, or pumps it. */
bool stepi_backend_is_here(const step_log_t *log);

#endif
