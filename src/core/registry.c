#include "core/registry.h"

#include "core/lifecycle.h"
#include "platform/copy.h"
#include "platform/system.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { SPARE_RINGS = 4 };

_Thread_local stepi_thread_t *stepi_self __attribute__((tls_model("initial-exec")));
step_log_t *stepi_logs;
bool stepi_needs_fences;
int32_t stepi_gate;
_Atomic(step_log_t *) stepi_default_log;

static stepi_lock_t registry_lock;
static _Thread_local volatile bool holds_lock __attribute__((tls_model("initial-exec")));
static stepi_thread_t *unused_threads;
static pthread_key_t thread_key;
static bool has_thread_key;
static _Atomic int default_state;
static bool takes_short; /* rings take short records */
stepi_lock_t stepi_default_making;
static uint32_t *fork_witness; /* 1 in the process that made it, 0 in a forked child */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Atomic bool is_initialized;

/* ---- Once ---- */

static void thread_ended(void *argument);

static void init_once(void)
{
    stepi_clock_init();
    stepi_needs_fences = !stepi_barrier_init();
    takes_short = stepi_ticks_are_tsc && !stepi_needs_fences && stepi_may_over_read();
    has_thread_key = pthread_key_create(&thread_key, thread_ended) == 0;
    fork_witness = stepi_pages_map(stepi_page_bytes());
    if (fork_witness != NULL) {
        stepi_pages_wipe_on_fork(fork_witness, stepi_page_bytes());
        *fork_witness = 1;
    }
    stepi_lifecycle_init();
    /* release: who sees it finds all of the above */
    atomic_store_explicit(&is_initialized, true, memory_order_release);
}

void stepi_library_init(void)
{
    /* A signal handler that comes in the middle of it and logs would wait for this thread. */
    if (atomic_load_explicit(&is_initialized, memory_order_acquire))
        return;
    sigset_t all, before;
    const int cancellation = stepi_cancellation_hold();
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_once(&once, init_once);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    stepi_cancellation_release(cancellation);
}

void stepi_fork_check(void)
{
    if (fork_witness != NULL && *fork_witness == 0)
        stepi_fork_child();
}

void stepi_registry_take(void)
{
    holds_lock = true; /* first: a signal handler that comes now must not wait for this thread */
    stepi_lock_take(&registry_lock);
}

bool stepi_registry_take_within(int64_t timeout_ns)
{
    if (holds_lock)
        return false;
    holds_lock = true;
    if (!stepi_lock_take_within(&registry_lock, timeout_ns))
        holds_lock = false;
    return holds_lock;
}

void stepi_registry_release(void)
{
    stepi_lock_release(&registry_lock);
    holds_lock = false;
}

bool stepi_registry_is_held_here(void)
{
    return holds_lock;
}

/* ---- Logs, the gate, the default ---- */

step_log_t *stepi_log_take(void)
{
    stepi_registry_take();
    step_log_t *log = stepi_logs;
    /* acquire: whoever closed it has cleared it */
    while (log != NULL && atomic_load_explicit(&log->state, memory_order_acquire) != STEPI_LOG_FREE)
        log = log->next;
    if (log == NULL) {
        log = aligned_alloc(STEPI_CACHE_LINE, sizeof(*log) + (STEPI_CACHE_LINE - sizeof(*log) % STEPI_CACHE_LINE));
        if (log != NULL) {
            memset(log, 0, sizeof(*log));
            log->next = stepi_logs;
            __atomic_store_n(&stepi_logs, log, __ATOMIC_RELEASE); /* the crash handler has no lock */
        }
    }
    if (log != NULL) /* claimed: not open yet, but nobody else's either */
        atomic_store_explicit(&log->state, STEPI_LOG_CLOSING, memory_order_relaxed);
    stepi_registry_release();
    return log;
}

/* Under the lock. */
static void update_gate(void)
{
    const step_log_t *log = atomic_load_explicit(&stepi_default_log, memory_order_relaxed);
    int32_t gate = INT32_MAX;
    if (atomic_load_explicit(&default_state, memory_order_relaxed) == STEPI_DEFAULT_UNMADE)
        gate = 0; /* the first message of any level makes the default log */
    else if (log != NULL && atomic_load_explicit(&log->state, memory_order_relaxed) == STEPI_LOG_OPEN)
        gate = stepi_levels_vary(log) ? 0 : stepi_level_of(log); /* 0: each message asks */
    __atomic_store_n(&stepi_gate, gate, __ATOMIC_RELAXED); /* relaxed: only a hint, the log decides */
}

void stepi_gate_update(void)
{
    stepi_registry_take();
    update_gate();
    stepi_registry_release();
}

step_log_t *stepi_default_get(stepi_default_state_t *state)
{
    /* acquire: whoever sees the log sees it complete */
    *state = (stepi_default_state_t)atomic_load_explicit(&default_state, memory_order_acquire);
    return atomic_load_explicit(&stepi_default_log, memory_order_acquire);
}

/* Under the lock. */
static void set_default(step_log_t *log)
{
    atomic_store_explicit(&stepi_default_log, log, memory_order_release);
    atomic_store_explicit(&default_state, log != NULL ? STEPI_DEFAULT_SET : STEPI_DEFAULT_NONE, memory_order_release);
}

bool stepi_default_set(step_log_t *log)
{
    stepi_registry_take();
    /* either we see that it is being closed, or stepi_default_drop() sees that it is the default */
    const bool possible = log == NULL || atomic_load_explicit(&log->state, memory_order_relaxed) == STEPI_LOG_OPEN;
    if (possible)
        set_default(log);
    update_gate();
    stepi_registry_release();
    return possible;
}

bool stepi_default_offer(step_log_t *log)
{
    stepi_registry_take();
    const bool first = atomic_load_explicit(&default_state, memory_order_relaxed) == STEPI_DEFAULT_UNMADE;
    if (first)
        set_default(log);
    update_gate();
    stepi_registry_release();
    return first;
}

void stepi_default_drop(const step_log_t *log)
{
    stepi_registry_take();
    if (atomic_load_explicit(&stepi_default_log, memory_order_relaxed) == log)
        set_default(NULL);
    update_gate();
    stepi_registry_release();
}

/* ---- Threads ---- */

/* Under the lock. */
static void make_self(void)
{
    stepi_thread_t *self = unused_threads;
    if (self != NULL)
        unused_threads = self->next;
    else
        self = stepi_pages_map(sizeof(*self));
    if (self == NULL)
        return;
    self->tid = stepi_thread_id();
    stepi_self = self;
    if (stepi_faults_are_caught())
        stepi_fault_stack_enter(&self->fault_stack); /* without memory it does without */
    if (has_thread_key) /* again after an earlier destructor ran: then it runs once more */
        pthread_setspecific(thread_key, self);
}

stepi_thread_t *stepi_thread_self_slow(void)
{
    stepi_library_init();
    if (holds_lock)
        return NULL;
    stepi_registry_take(); /* until it is known: a signal handler that logs must not make a second one */
    if (stepi_self == NULL)
        make_self();
    stepi_registry_release();
    return stepi_self;
}

static void count_retired(step_log_t *log, const stepi_ring_t *ring)
{
    atomic_fetch_add_explicit(&log->retired_seq, atomic_load_explicit(&ring->seq, memory_order_relaxed),
                              memory_order_relaxed);
    atomic_fetch_add_explicit(&log->retired_full, atomic_load_explicit(&ring->dropped_full, memory_order_relaxed),
                              memory_order_relaxed);
    atomic_fetch_add_explicit(&log->retired_nested, atomic_load_explicit(&ring->dropped_nested, memory_order_relaxed),
                              memory_order_relaxed);
}

static void release(stepi_ring_t *ring)
{
    atomic_store_explicit(&ring->busy, 0, memory_order_relaxed); /* a cancelled thread left its call half way */
    /* release: what this thread wrote comes before the next owner */
    atomic_store_explicit(&ring->released, 1, memory_order_release);
}

static void forget_ring(stepi_thread_t *self)
{
    self->ring = NULL;
    self->log = self->short_log = self->sealed_log = NULL;
    self->identity = 0;
}

/* Takes a thread's rings from it: those of open logs are released to their log, the others freed. Under the lock. */
static void let_go(stepi_thread_t *self, bool only_closed)
{
    stepi_ring_t **link = &self->rings;
    while (*link != NULL) {
        stepi_ring_t *ring = *link;
        if (ring->log != NULL && only_closed) {
            link = &ring->next_in_thread;
            continue;
        }
        *link = ring->next_in_thread;
        if (ring->log == NULL)
            stepi_ring_free(ring);
        else
            release(ring);
    }
    forget_ring(self);
}

static void thread_ended(void *argument)
{
    stepi_thread_t *self = argument;
    stepi_registry_take();
    stepi_self = NULL; /* a later destructor that logs starts afresh */
    stepi_fault_stack_leave(&self->fault_stack);
    let_go(self, false);
    self->depth = 0;
    self->next = unused_threads;
    unused_threads = self;
    stepi_registry_release();
}

/* ---- Rings ---- */

static bool is_drained(const stepi_ring_t *ring)
{
    /* acquire: the backend is done with it, the previous owner too */
    return atomic_load_explicit(&ring->released, memory_order_acquire) != 0 &&
           atomic_load_explicit(&ring->tail, memory_order_acquire) ==
               atomic_load_explicit(&ring->head, memory_order_acquire);
}

/* A ring of an ended thread, or a new one, in the log's list. Where threads end faster than a napping backend drains what they
 * leave, it is woken: otherwise each would get a ring of its own. Under the lock. */
static stepi_ring_t *take_ring(step_log_t *log, uint64_t serial)
{
    int undrained = 0;
    for (stepi_ring_t *ring = log->rings; ring != NULL; ring = ring->next_in_log) {
        if (is_drained(ring))
            return ring;
        undrained += atomic_load_explicit(&ring->released, memory_order_relaxed) != 0;
    }
    stepi_ring_t *ring = stepi_crash_ring_new(log);
    if (ring == NULL)
        return NULL;
    if (undrained >= SPARE_RINGS)
        stepi_backend_wake(log);
    ring->log = log;
    ring->log_serial = serial;
    ring->next_in_log = log->rings;
    log->rings = ring;
    /* release: the backend that sees the version sees the list */
    atomic_fetch_add_explicit(&log->rings_version, 1, memory_order_release);
    return ring;
}

static stepi_ring_t *find_ring(const stepi_thread_t *self, const step_log_t *log, uint64_t serial)
{
    for (stepi_ring_t *ring = self->rings; ring != NULL; ring = ring->next_in_thread)
        if (ring->log == log && ring->log_serial == serial)
            return ring;
    return NULL;
}

static stepi_ring_t *adopt_ring(stepi_thread_t *self, step_log_t *log, uint64_t serial)
{
    static _Atomic uint64_t identities;
    stepi_registry_take();
    let_go(self, true);
    stepi_ring_t *ring = find_ring(self, log, serial); /* a signal handler may have been here meanwhile */
    /* acquire: what step_log_open() set up, should this be the first that the thread sees of it */
    const bool is_open = atomic_load_explicit(&log->state, memory_order_acquire) == STEPI_LOG_OPEN &&
                         stepi_log_is_open(log, serial);
    const bool adopts = ring == NULL && is_open && (ring = take_ring(log, serial)) != NULL;
    if (adopts) {
        ring->tid = self->tid;
        ring->identity = atomic_fetch_add_explicit(&identities, 1, memory_order_relaxed) + 1;
        ring->takes_short = takes_short && !log->clocked;
        ring->next_in_thread = self->rings;
        self->rings = ring;
        atomic_store_explicit(&ring->released, 0, memory_order_relaxed);
    }
    stepi_registry_release();
    if (ring != NULL && stepi_log_visit(log)) {
        stepi_crash_tell(log);
        stepi_backend_ensure(log);
        stepi_log_leave(log);
    }
    return ring;
}

stepi_ring_t *stepi_ring_for(step_log_t *log)
{
    stepi_fork_check();
    stepi_thread_t *self = holds_lock ? NULL : stepi_thread_self();
    if (self == NULL)
        return NULL;
    const uint64_t serial = atomic_load_explicit(&log->serial, memory_order_relaxed);
    stepi_ring_t *ring = find_ring(self, log, serial);
    if (ring == NULL)
        ring = adopt_ring(self, log, serial);
    if (ring == NULL) {
        forget_ring(self);
        return NULL;
    }
    self->ring = ring;
    self->log = log;
    self->short_log = ring->is_sealed ? NULL : log;
    self->sealed_log = ring->is_sealed ? log : NULL;
    self->serial = serial;
    self->identity = ring->identity;
    return ring;
}

void stepi_rings_close(step_log_t *log)
{
    stepi_registry_take();
    for (stepi_ring_t *ring = log->rings, *next; ring != NULL; ring = next) {
        next = ring->next_in_log;
        count_retired(log, ring);
        if (atomic_load_explicit(&ring->released, memory_order_acquire) != 0)
            stepi_ring_free(ring);
        else
            ring->log = NULL; /* its thread frees it */
    }
    log->rings = NULL;
    atomic_fetch_add_explicit(&log->rings_version, 1, memory_order_release);
    stepi_registry_release();
}

void stepi_rings_trim(step_log_t *log)
{
    stepi_registry_take();
    int spare = 0;
    bool trimmed = false;
    stepi_ring_t **link = &log->rings;
    while (*link != NULL) {
        stepi_ring_t *ring = *link;
        if (!is_drained(ring) || ++spare <= SPARE_RINGS) {
            link = &ring->next_in_log;
            continue;
        }
        *link = ring->next_in_log;
        count_retired(log, ring);
        stepi_crash_ring_gone(log, ring);
        stepi_ring_free(ring);
        trimmed = true;
    }
    if (trimmed)
        atomic_fetch_add_explicit(&log->rings_version, 1, memory_order_release);
    stepi_registry_release();
}

/* ---- Fork ---- */

void stepi_registry_reset_in_child(void)
{
    registry_lock = (stepi_lock_t){ 0 };
    stepi_default_making = (stepi_lock_t){ 0 };
    holds_lock = false;
    stepi_needs_fences = !stepi_barrier_init();
    if (fork_witness != NULL)
        *fork_witness = 1;
    stepi_thread_t *self = stepi_self;
    if (self != NULL) {
        self->rings = NULL;
        forget_ring(self);
        self->tid = stepi_thread_id();
    }
    for (step_log_t *log = stepi_logs; log != NULL; log = log->next) {
        for (stepi_ring_t *ring = log->rings; ring != NULL; ring = ring->next_in_log)
            stepi_ring_leave_file(ring, stepi_backend_is_here(log));
        log->rings = NULL; /* mapped still: their records are the parent's to write */
        atomic_fetch_add_explicit(&log->rings_version, 1, memory_order_relaxed);
    }
}
