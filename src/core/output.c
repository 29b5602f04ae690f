#include "core/output.h"

#include "core/log.h"
#include "core/misuse.h"
#include "core/queue.h"
#include "platform/memory.h"

#include <errno.h>
#include <string.h>

enum { DIRECT_BYTES = 256 * 1024, QUEUED_BYTES = 64 * 1024 };

_Thread_local const step_log_t *stepi_inside_log __attribute__((tls_model("initial-exec")));
static _Thread_local const stepi_output_t *delivering __attribute__((tls_model("initial-exec"))); /* whose sink runs here */

/* ---- Making and freeing ---- */

stepi_output_t *stepi_output_new(step_log_t *log, step_sink_t *sink, step_format_t *format, int level)
{
    stepi_output_t *output = stepi_alloc_zeroed(sizeof(*output));
    if (output == NULL) {
        sink->close(sink);
        format->free(format);
        return NULL;
    }
    output->log = log;
    output->sink = sink;
    output->format = format;
    output->level = level;
    output->slot = -1;
    output->is_direct = !sink->may_block;
    return output;
}

/* The first block, and with it the queue, when there is something to write: in a forked child anew. */
static bool begin(stepi_output_t *output)
{
    if (output->block != NULL)
        return true;
    const uint32_t synchronous = atomic_load_explicit(&output->log->synchronous, memory_order_relaxed);
    const bool queued = !output->is_direct && synchronous != STEPI_SYNC_ALWAYS && !stepi_is_crashing;
    output->block = stepi_block_new(queued ? QUEUED_BYTES : DIRECT_BYTES);
    if (output->block != NULL && queued && output->queue == NULL)
        output->queue = stepi_queue_new(output, QUEUED_BYTES); /* NULL: written directly */
    return output->block != NULL;
}

/* NULL: written directly. */
static stepi_queue_t *queue_of(stepi_output_t *output)
{
    return output->is_direct ? NULL : output->queue;
}

static void report(stepi_output_t *output);
static bool write_now(stepi_output_t *output, uint64_t through, int64_t patience_ns);
static void flush_directly(stepi_output_t *output);

/* False when patience was in vain. */
static bool write_rest(stepi_output_t *output, int64_t patience_ns)
{
    return output->block == NULL || output->block->lines == 0 ||
           write_now(output, output->log->backend.processed, patience_ns);
}

/* Everything, and then what has to be said about that. */
static bool write_all(stepi_output_t *output, int64_t patience_ns)
{
    report(output);
    if (!write_rest(output, patience_ns))
        return false;
    report(output);
    return write_rest(output, patience_ns);
}

static void leave_behind(stepi_output_t *output)
{
    output->is_left_behind = true;
    output->level = STEP_LEVEL_OFF; /* nothing passes any more */
}

bool stepi_output_is_hit(stepi_output_t *output)
{
    const bool is_hit = delivering == output || (output->queue != NULL && stepi_queue_is_here(output->queue));
    if (is_hit)
        leave_behind(output);
    return is_hit;
}

void stepi_output_drain(stepi_output_t *output, int64_t patience_ns)
{
    if (output->is_left_behind)
        return;
    if (!write_all(output, patience_ns))
        patience_ns = 0; /* it was in vain already */
    if (queue_of(output) == NULL)
        flush_directly(output);
    else if (!stepi_queue_drain(queue_of(output), patience_ns))
        leave_behind(output);
}

void stepi_output_finish(stepi_output_t *output, int64_t patience_ns)
{
    if (output->is_left_behind)
        return;
    if (!write_all(output, patience_ns))
        patience_ns = 0;
    if (queue_of(output) == NULL)
        flush_directly(output);
    else if (!stepi_queue_end(queue_of(output), patience_ns))
        leave_behind(output);
    output->is_direct = true;
}

bool stepi_output_free(stepi_output_t *output)
{
    if (output->is_left_behind)
        return false;
    stepi_queue_free(output->queue);
    output->sink->close(output->sink);
    output->format->free(output->format);
    stepi_block_free(output->block);
    stepi_free(output);
    return true;
}

void stepi_output_reset_in_child(stepi_output_t *output, bool is_whole)
{
    if (is_whole)
        stepi_block_free(output->block);
    output->block = NULL;
    if (output->queue != NULL)
        stepi_queue_forget_in_child(output->queue);
    output->queue = NULL;
    atomic_store_explicit(&output->unreported, 0, memory_order_relaxed);
    atomic_store_explicit(&output->failed, 0, memory_order_relaxed);
}

/* ---- Losses ---- */

static void lose_run(stepi_output_t *output, const stepi_block_t *block, uint32_t first, uint32_t last)
{
    stepi_ledger_lose(&output->log->backend.ledger, block->base + block->index[first], block->base + block->index[last] + 1);
}

/* The records of lines [from, lines), in runs of neighbouring numbers. */
static uint64_t lose_lines(stepi_output_t *output, const stepi_block_t *block, uint32_t from)
{
    uint64_t lost = 0;
    uint32_t first = from;
    for (uint32_t i = from; i < block->lines; i++) {
        const bool own = block->index[i] == UINT32_MAX;
        const bool last = i + 1 == block->lines || block->index[i + 1] != block->index[i] + 1;
        if (!own && last)
            lose_run(output, block, first, i);
        if (own || last)
            first = i + 1;
        lost += own ? 0 : 1;
    }
    return lost;
}

static const char *reason_of(int error, char *buffer, size_t bytes)
{
    return error == STEPI_ERROR_QUEUE_FULL ? "the sink is too slow, its queue is full" : stepi_error_text(error, buffer, bytes);
}

/* Returns how many there are that no line has told of yet. */
static uint64_t count_lost(stepi_output_t *output, uint64_t lost, int error)
{
    atomic_store_explicit(&output->error, error, memory_order_relaxed);
    atomic_store_explicit(&output->failed, 1, memory_order_relaxed);
    return atomic_fetch_add_explicit(&output->unreported, lost, memory_order_relaxed) + lost;
}

void stepi_output_tell(stepi_output_t *output, uint64_t lost, int error)
{
    char buffer[128];
    if (lost > 0)
        stepi_diagnose(output->log, STEPI_TROUBLE_SINK, STEP_EIO,
                       "an output could not be written: %s; %llu records lost so far",
                       reason_of(error, buffer, sizeof(buffer)), (unsigned long long)lost);
}

uint64_t stepi_output_settle(stepi_output_t *output, stepi_block_t *block, uint32_t taken, int error)
{
    uint64_t lost = 0;
    if (taken < block->lines)
        lost = count_lost(output, lose_lines(output, block, taken) + stepi_block_told_from(block, taken), error);
    block->used = 0;
    block->lines = 0;
    block->told_count = 0;
    return lost;
}

/* ---- Lines ---- */

static bool render(stepi_output_t *output, const stepi_line_t *line)
{
    stepi_block_t *block = output->block;
    stepi_out_t out = stepi_out_over(block->bytes + block->used, block->capacity - block->used);
    output->format->render(output->format, line, &out);
    if (out.overflow)
        return false;
    block->used = (size_t)(out.at - block->bytes);
    return true;
}

/* A block begins with what is missing before it. */
static void report(stepi_output_t *output)
{
    const uint64_t lost = atomic_load_explicit(&output->unreported, memory_order_relaxed);
    char buffer[128];
    if (lost == 0 || !begin(output) || output->block->lines != 0)
        return;
    stepi_block_t *block = output->block;
    const int error = atomic_load_explicit(&output->error, memory_order_relaxed);
    stepi_line_t line = stepi_backend_own_line(output->log, STEPI_DROPPED, STEP_LEVEL_WARNING);
    line.done = lost;
    line.has_text = true;
    line.text = stepi_text_of(reason_of(error, buffer, sizeof(buffer)));
    if (!render(output, &line))
        return;
    stepi_block_note_told(block, lost);
    block->index[block->lines++] = UINT32_MAX;
    atomic_fetch_sub_explicit(&output->unreported, lost, memory_order_relaxed);
}

static bool has_room_for(const stepi_block_t *block, uint64_t index)
{
    return block->lines < STEPI_BLOCK_LINES &&
           (index == STEPI_OWN_LINE || block->lines == 0 || index - block->base < UINT32_MAX);
}

static void lose_one(stepi_output_t *output, const stepi_line_t *line, uint64_t index)
{
    if (index != STEPI_OWN_LINE) {
        stepi_ledger_lose(&output->log->backend.ledger, index, index + 1);
        stepi_output_tell(output, count_lost(output, 1, ENOMEM), ENOMEM);
    } else if (line->kind == STEPI_DROPPED) {
        atomic_fetch_add_explicit(&output->unreported, line->done, memory_order_relaxed);
    }
}

static int64_t patience_with(const step_log_t *log)
{
    if (stepi_is_crashing)
        return STEPI_CRASH_PATIENCE_NS;
    return log->drop_when_full ? 0 : STEPI_PATIENCE_NS;
}

/* Whatever stands in the way: there is no block, it is full, or something has to be said first. */
__attribute__((noinline)) static void place_line(stepi_output_t *output, const stepi_line_t *line, uint64_t index)
{
    const uint64_t through = index != STEPI_OWN_LINE ? index : output->log->backend.processed;
    if (!begin(output)) {
        lose_one(output, line, index);
        return;
    }
    const int64_t patience_ns = patience_with(output->log);
    if (!has_room_for(output->block, index))
        write_now(output, through, patience_ns);
    if (output->block->lines == 0) {
        output->block->base = through;
        report(output);
    }
    while (!render(output, line)) {
        if (output->block->lines > 0) {
            write_now(output, through, patience_ns);
            output->block->base = through;
        } else if (!stepi_block_grow(output->block)) {
            lose_one(output, line, index);
            return;
        }
    }
    stepi_block_t *block = output->block;
    if (index == STEPI_OWN_LINE && line->kind == STEPI_DROPPED)
        stepi_block_note_told(block, line->done);
    block->index[block->lines++] = index == STEPI_OWN_LINE ? UINT32_MAX : (uint32_t)(index - block->base);
}

void stepi_output_line(stepi_output_t *output, const stepi_line_t *line, uint64_t index)
{
    stepi_block_t *block = output->block;
    if (__builtin_expect(stepi_block_has_begun(block, index) && render(output, line), 1))
        block->index[block->lines++] = (uint32_t)(index - block->base);
    else
        place_line(output, line, index);
}

/* ---- Writing ---- */

typedef struct inside {
    const step_log_t *log;
    const stepi_output_t *output;
} inside_t;

static inside_t enter_sink(const stepi_output_t *output)
{
    const inside_t outer = { .log = stepi_inside_log, .output = delivering };
    stepi_inside_log = output->log;
    delivering = output;
    return outer;
}

static void leave_sink(inside_t outer)
{
    stepi_inside_log = outer.log;
    delivering = outer.output;
}

/* In the crash handler nothing of the user's runs. */
static bool may_call(const step_sink_t *sink)
{
    return !stepi_is_crashing || !sink->calls_user;
}

uint32_t stepi_output_deliver(stepi_output_t *output, const stepi_block_t *block, int *error)
{
    const inside_t outer = enter_sink(output);
    size_t taken = 0;
    *error = may_call(output->sink) ? output->sink->write(output->sink, block->bytes, block->used, &taken) : ECANCELED;
    leave_sink(outer);
    if (*error == 0)
        return block->lines;
    uint32_t lines = 0; /* every line has one newline: its end */
    for (size_t i = 0; i < taken; i++)
        lines += block->bytes[i] == '\n';
    return lines;
}

void stepi_output_resolve(stepi_output_t *output, uint64_t through)
{
    stepi_ledger_resolve(&output->log->backend.ledger, output->slot, through);
    stepi_crash_resolved(output->log, output->slot, through);
}

static void write_directly(stepi_output_t *output)
{
    int error;
    stepi_crash_write_begins(output->log, output, output->block);
    const uint32_t taken = stepi_output_deliver(output, output->block, &error);
    stepi_output_tell(output, stepi_output_settle(output, output->block, taken, error), error);
    stepi_output_resolve(output, output->block->through);
    stepi_crash_write_ended(output->log, output);
    atomic_fetch_add_explicit(&output->log->drained, 1, memory_order_relaxed);
}

static bool hand_over(stepi_output_t *output, int64_t patience_ns)
{
    if (queue_of(output) == NULL) {
        write_directly(output);
        return true;
    }
    stepi_block_t *empty = stepi_queue_exchange(queue_of(output), output->block, patience_ns);
    if (empty == NULL)
        return false;
    output->block = empty;
    return true;
}

/* The block has to go now: after patience was in vain its lines are lost. */
static bool write_now(stepi_output_t *output, uint64_t through, int64_t patience_ns)
{
    output->block->through = through;
    if (hand_over(output, patience_ns))
        return true;
    const uint64_t lost = stepi_output_settle(output, output->block, 0, STEPI_ERROR_QUEUE_FULL);
    stepi_output_tell(output, lost, STEPI_ERROR_QUEUE_FULL);
    stepi_queue_resolve(queue_of(output), through);
    return false;
}

bool stepi_output_write(stepi_output_t *output, uint64_t through)
{
    if (output->block != NULL && output->block->lines > 0) {
        output->block->through = through;
        return hand_over(output, 0);
    }
    if (queue_of(output) != NULL)
        stepi_queue_resolve(queue_of(output), through);
    else
        stepi_output_resolve(output, through);
    return true;
}

static void flush_directly(stepi_output_t *output)
{
    const inside_t outer = enter_sink(output);
    if (output->sink->flush != NULL && may_call(output->sink) && output->sink->flush(output->sink) != 0)
        atomic_store_explicit(&output->failed, 1, memory_order_relaxed);
    leave_sink(outer);
}

void stepi_output_flush(stepi_output_t *output)
{
    report(output);
    stepi_output_write(output, output->log->backend.processed);
    if (queue_of(output) == NULL)
        flush_directly(output);
}

int stepi_output_wait(stepi_output_t *output, int64_t deadline_ns)
{
    stepi_queue_t *const queue = output->queue;
    if (queue != NULL && !stepi_queue_flush(queue, deadline_ns))
        return STEP_ETIMEOUT;
    return atomic_exchange_explicit(&output->failed, 0, memory_order_relaxed) != 0 ? STEP_EIO : STEP_OK;
}

int stepi_output_reopen(stepi_output_t *output, int64_t deadline_ns)
{
    if (output->sink->reopen == NULL)
        return 0;
    if (queue_of(output) != NULL)
        return stepi_queue_reopen(queue_of(output), deadline_ns);
    return output->sink->reopen(output->sink);
}
