#include "core/queue.h"

#include "core/log.h"
#include "platform/clock.h"
#include "platform/futex.h"
#include "platform/memory.h"
#include "platform/system.h"

#include <errno.h>
#include <limits.h>

enum { BLOCKS = 8, WAIT_SLICE_NS = 100000000 };

/* Something that the writer is asked to do to its sink, and its answer. */
typedef struct request {
    uint64_t asked, done; /* counts; equal: nothing to do */
    uint64_t taken_up;    /* what was asked when the writer began */
    uint64_t after;       /* not before so many blocks are settled */
    int result;
} request_t;

struct stepi_queue {
    stepi_output_t *output;
    step_sink_t *sink;
    pthread_t thread;
    size_t block_bytes;
    _Atomic uint32_t work;    /* futex: the writer sleeps on it */
    _Atomic uint32_t news;    /* futex: others wait here for the writer */
    _Atomic uint32_t stopped; /* the writer is done */

    stepi_lock_t lock; /* what follows */
    stepi_block_t *first, *last;
    stepi_block_t *spare;
    stepi_block_t *in_flight; /* the writer's */
    int blocks; /* made so far, without the one that the output fills */
    uint64_t given, settled;
    uint64_t through; /* to be resolved when all is settled */
    request_t flush, reopen;
    bool stop, abandoned;
    bool stalled;         /* patience was in vain; until the next block is settled */
    bool backend_waiting; /* wake it when there is room */
};

static void signal_word(_Atomic uint32_t *word)
{
    /* release: who reads the new value sees what was done before */
    atomic_fetch_add_explicit(word, 1, memory_order_release);
    stepi_futex_wake(word, INT_MAX);
}

/* ---- The writer ---- */

static stepi_block_t *pop(stepi_queue_t *queue)
{
    stepi_block_t *block = queue->first;
    if (block != NULL) {
        queue->first = block->next;
        if (queue->first == NULL)
            queue->last = NULL;
        block->next = NULL;
    }
    queue->in_flight = block;
    return block;
}

/* Under the lock: the block is done, the ledger learns it. Returns what stepi_output_settle() does. */
static uint64_t settle(stepi_queue_t *queue, stepi_block_t *block, uint32_t taken, int error)
{
    stepi_output_t *output = queue->output;
    uint64_t through = block->through;
    const uint64_t lost = stepi_output_settle(output, block, taken, error);
    queue->settled++;
    queue->stalled = false;
    if (queue->settled == queue->given && queue->through > through)
        through = queue->through;
    stepi_output_resolve(output, through);
    atomic_fetch_add_explicit(&output->log->drained, 1, memory_order_relaxed);
    block->next = queue->spare;
    queue->spare = block;
    queue->in_flight = NULL;
    return lost;
}

static void write_block(stepi_queue_t *queue, stepi_block_t *block)
{
    int error;
    const uint32_t taken = stepi_output_deliver(queue->output, block, &error);
    stepi_lock_take(&queue->lock);
    bool wake = false;
    uint64_t lost = 0;
    if (!queue->abandoned) {
        lost = settle(queue, block, taken, error);
        wake = queue->backend_waiting;
        queue->backend_waiting = false;
    }
    stepi_lock_release(&queue->lock);
    if (wake)
        stepi_backend_wake(queue->output->log);
    signal_word(&queue->news);
    stepi_output_tell(queue->output, lost, error);
}

/* Whoever asks from now on asks again: blocks of theirs may not be settled yet. */
static bool take_up(const stepi_queue_t *queue, request_t *request)
{
    request->taken_up = request->asked;
    return request->asked != request->done && queue->settled >= request->after;
}

static int call_sink(int (*call)(step_sink_t *sink), stepi_queue_t *queue)
{
    return call != NULL ? call(queue->sink) : 0;
}

static void answer(stepi_queue_t *queue, request_t *request, int (*call)(step_sink_t *sink))
{
    const int result = call_sink(call, queue);
    stepi_lock_take(&queue->lock);
    request->done = request->taken_up;
    request->result = result;
    stepi_lock_release(&queue->lock);
    signal_word(&queue->news);
}

typedef enum task { TASK_WRITE, TASK_FLUSH, TASK_REOPEN, TASK_STOP, TASK_NONE } task_t;

static task_t next_task(stepi_queue_t *queue, stepi_block_t **block)
{
    stepi_lock_take(&queue->lock);
    task_t task = TASK_NONE;
    if (queue->abandoned)
        task = TASK_STOP;
    else if (take_up(queue, &queue->flush))
        task = TASK_FLUSH;
    else if (take_up(queue, &queue->reopen))
        task = TASK_REOPEN;
    else if ((*block = pop(queue)) != NULL)
        task = TASK_WRITE;
    else if (queue->stop)
        task = TASK_STOP;
    stepi_lock_release(&queue->lock);
    return task;
}

static void last_flush(stepi_queue_t *queue)
{
    stepi_lock_take(&queue->lock);
    const bool abandoned = queue->abandoned;
    stepi_lock_release(&queue->lock);
    if (!abandoned && call_sink(queue->sink->flush, queue) != 0)
        atomic_store_explicit(&queue->output->failed, 1, memory_order_relaxed);
}

static void *run(void *argument)
{
    stepi_queue_t *queue = argument;
    stepi_thread_set_name("step_logger_out");
    stepi_inside_log = queue->output->log; /* whatever runs here must not wait for this thread */
    for (;;) {
        /* acquire, and before the look: work that comes after it is not slept through */
        const uint32_t work = atomic_load_explicit(&queue->work, memory_order_acquire);
        stepi_block_t *block = NULL;
        switch (next_task(queue, &block)) {
        case TASK_WRITE:
            write_block(queue, block);
            break;
        case TASK_FLUSH:
            answer(queue, &queue->flush, queue->sink->flush);
            break;
        case TASK_REOPEN:
            answer(queue, &queue->reopen, queue->sink->reopen);
            break;
        case TASK_NONE:
            stepi_futex_wait(&queue->work, work, STEPI_FOREVER);
            break;
        case TASK_STOP:
            last_flush(queue);
            atomic_store_explicit(&queue->stopped, 1, memory_order_release);
            signal_word(&queue->news);
            return NULL;
        }
    }
}

stepi_queue_t *stepi_queue_new(stepi_output_t *output, size_t block_bytes)
{
    stepi_queue_t *queue = stepi_alloc_zeroed(sizeof(*queue));
    if (queue == NULL)
        return NULL;
    queue->output = output;
    queue->sink = output->sink;
    queue->block_bytes = block_bytes;
    if (stepi_thread_start(&queue->thread, run, queue) != 0) {
        stepi_free(queue);
        return NULL;
    }
    return queue;
}

/* ---- Waiting for the writer ---- */

/* Sleeps until the writer has news or the deadline; false at the deadline. */
static bool wait_for_news(stepi_queue_t *queue, uint32_t seen, int64_t deadline_ns)
{
    const int64_t left = deadline_ns - stepi_monotonic_ns();
    if (left <= 0)
        return false;
    stepi_futex_wait(&queue->news, seen, left < WAIT_SLICE_NS ? left : WAIT_SLICE_NS);
    return true;
}

/* An empty block, or NULL: all are in the queue. Under the lock. */
static stepi_block_t *take_spare(stepi_queue_t *queue)
{
    stepi_block_t *block = queue->spare;
    if (block != NULL)
        queue->spare = block->next;
    else if (queue->blocks < BLOCKS && (block = stepi_block_new(queue->block_bytes)) != NULL)
        queue->blocks++;
    if (block != NULL)
        block->next = NULL;
    return block;
}

static void push(stepi_queue_t *queue, stepi_block_t *block)
{
    block->next = NULL;
    if (queue->last != NULL)
        queue->last->next = block;
    else
        queue->first = block;
    queue->last = block;
    queue->given++;
}

static stepi_block_t *try_exchange(stepi_queue_t *queue, stepi_block_t *full, bool patient, bool *stalled)
{
    stepi_lock_take(&queue->lock);
    stepi_block_t *empty = take_spare(queue);
    if (empty != NULL)
        push(queue, full);
    else if (!patient)
        queue->backend_waiting = true;
    *stalled = queue->stalled;
    stepi_lock_release(&queue->lock);
    if (empty != NULL)
        signal_word(&queue->work);
    return empty;
}

stepi_block_t *stepi_queue_exchange(stepi_queue_t *queue, stepi_block_t *full, int64_t patience_ns)
{
    const int64_t deadline = stepi_monotonic_ns() + patience_ns;
    for (;;) {
        bool stalled;
        const uint32_t seen = atomic_load_explicit(&queue->news, memory_order_acquire);
        stepi_block_t *empty = try_exchange(queue, full, patience_ns > 0, &stalled);
        if (empty != NULL || patience_ns == 0 || stalled)
            return empty;
        if (wait_for_news(queue, seen, deadline))
            continue;
        stepi_lock_take(&queue->lock);
        queue->stalled = true;
        stepi_lock_release(&queue->lock);
        return NULL;
    }
}

void stepi_queue_resolve(stepi_queue_t *queue, uint64_t through)
{
    stepi_lock_take(&queue->lock);
    if (through > queue->through)
        queue->through = through;
    if (queue->settled == queue->given)
        stepi_output_resolve(queue->output, queue->through);
    stepi_lock_release(&queue->lock);
}

/* ---- Requests ---- */

static bool ask(stepi_queue_t *queue, request_t *request, int64_t deadline_ns, int *result)
{
    stepi_lock_take(&queue->lock);
    const uint64_t mine = ++request->asked;
    request->after = queue->given;
    stepi_lock_release(&queue->lock);
    signal_word(&queue->work);
    for (;;) {
        const uint32_t seen = atomic_load_explicit(&queue->news, memory_order_acquire);
        stepi_lock_take(&queue->lock);
        const bool ended = atomic_load_explicit(&queue->stopped, memory_order_acquire) != 0 && !queue->abandoned;
        const bool done = request->done >= mine || ended; /* at its end the writer has flushed */
        *result = request->result;
        stepi_lock_release(&queue->lock);
        if (done || !wait_for_news(queue, seen, deadline_ns))
            return done;
    }
}

bool stepi_queue_flush(stepi_queue_t *queue, int64_t deadline_ns)
{
    int result;
    if (!ask(queue, &queue->flush, deadline_ns, &result))
        return false;
    if (result != 0)
        atomic_store_explicit(&queue->output->failed, 1, memory_order_relaxed);
    return true;
}

int stepi_queue_reopen(stepi_queue_t *queue, int64_t deadline_ns)
{
    int result;
    return ask(queue, &queue->reopen, deadline_ns, &result) ? result : ETIMEDOUT;
}

/* ---- The end ---- */

static uint64_t progress_of(stepi_queue_t *queue)
{
    stepi_lock_take(&queue->lock);
    const uint64_t settled = queue->settled;
    stepi_lock_release(&queue->lock);
    return settled;
}

static bool has_stopped(stepi_queue_t *queue)
{
    return atomic_load_explicit(&queue->stopped, memory_order_acquire) != 0;
}

bool stepi_queue_is_here(const stepi_queue_t *queue)
{
    return pthread_equal(queue->thread, pthread_self()) != 0;
}

static bool has_settled_all(stepi_queue_t *queue)
{
    stepi_lock_take(&queue->lock);
    const bool all = queue->settled == queue->given;
    stepi_lock_release(&queue->lock);
    return all;
}

/* With patience: as long as there is progress. */
static bool wait_until(bool (*reached)(stepi_queue_t *queue), stepi_queue_t *queue, int64_t patience_ns)
{
    uint64_t progress = progress_of(queue);
    int64_t deadline = stepi_monotonic_ns() + patience_ns;
    for (;;) {
        const uint32_t seen = atomic_load_explicit(&queue->news, memory_order_acquire);
        if (reached(queue))
            return true;
        const uint64_t now = progress_of(queue);
        if (now != progress)
            deadline = stepi_monotonic_ns() + patience_ns;
        progress = now;
        if (!wait_for_news(queue, seen, deadline))
            return false;
    }
}

/* What the writer did not get to is lost; from now on it leaves everything alone. */
static bool abandon(stepi_queue_t *queue)
{
    uint64_t lines = 0;
    stepi_lock_take(&queue->lock);
    const bool hangs = atomic_load_explicit(&queue->stopped, memory_order_acquire) == 0;
    queue->abandoned = hangs;
    for (const stepi_block_t *block = queue->first; block != NULL; block = block->next)
        lines += block->lines;
    stepi_lock_release(&queue->lock);
    if (hangs)
        stepi_diagnose(queue->output->log, STEPI_TROUBLE_SINK, STEP_ETIMEOUT,
                       "a sink hangs: it is left alone, with %llu lines behind the one it hangs in", (unsigned long long)lines);
    return hangs;
}

static void free_blocks(stepi_block_t *block)
{
    while (block != NULL) {
        stepi_block_t *next = block->next;
        stepi_block_free(block);
        block = next;
    }
}

void stepi_queue_free(stepi_queue_t *queue)
{
    if (queue == NULL)
        return;
    free_blocks(queue->first);
    free_blocks(queue->spare);
    free_blocks(queue->in_flight);
    stepi_free(queue);
}

bool stepi_queue_end(stepi_queue_t *queue, int64_t patience_ns)
{
    stepi_lock_take(&queue->lock);
    queue->stop = true;
    stepi_lock_release(&queue->lock);
    signal_word(&queue->work);
    if (!wait_until(has_stopped, queue, patience_ns) && abandon(queue))
        return false;
    pthread_join(queue->thread, NULL);
    return true;
}

bool stepi_queue_drain(stepi_queue_t *queue, int64_t patience_ns)
{
    if (!wait_until(has_settled_all, queue, patience_ns)) {
        abandon(queue);
        return false;
    }
    stepi_queue_flush(queue, stepi_monotonic_ns() + patience_ns);
    return true;
}

void stepi_queue_forget_in_child(stepi_queue_t *queue)
{
    if (stepi_queue_is_here(queue)) {
        queue->lock = (stepi_lock_t){ 0 };
        queue->abandoned = true;
        return;
    }
    if (atomic_load_explicit(&queue->lock.word, memory_order_relaxed) == 0)
        stepi_queue_free(queue);
}
