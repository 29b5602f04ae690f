/* Where operations live.
 *
 *     id:  | generation (32 bits) | slot + 1 (32 bits) |        chunks[slot / 256][slot % 256]
 *
 * Chunks are made as needed and stay. The list of unused slots is first in, first out. */
#include "core/operation.h"

#include "base/utf8.h"
#include "platform/futex.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK = 256, CHUNKS_MAX = 4096 };

const int32_t stepi_above_all = INT32_MAX;

static stepi_lock_t pool_lock;
static step_logger_t *_Atomic chunks[CHUNKS_MAX];
static uint32_t chunk_count;
static step_logger_t *unused_first, *unused_last;

static void append_unused(step_logger_t *op)
{
    op->next_unused = NULL;
    if (unused_last != NULL)
        unused_last->next_unused = op;
    else
        unused_first = op;
    unused_last = op;
}

static bool add_chunk(void)
{
    if (chunk_count == CHUNKS_MAX)
        return false;
    step_logger_t *chunk = aligned_alloc(_Alignof(step_logger_t), CHUNK * sizeof(*chunk));
    if (chunk == NULL)
        return false;
    memset(chunk, 0, CHUNK * sizeof(*chunk));
    for (uint32_t i = 0; i < CHUNK; i++) {
        chunk[i].gate.threshold = &stepi_above_all;
        chunk[i].serial = chunk_count * CHUNK + i + 1; /* while unused: the last id; generation 0 */
        append_unused(&chunk[i]);
    }
    /* release: who finds the chunk finds it zeroed */
    atomic_store_explicit(&chunks[chunk_count++], chunk, memory_order_release);
    return true;
}

step_logger_t *stepi_operation_take(void)
{
    stepi_lock_take(&pool_lock);
    step_logger_t *op = NULL;
    if (unused_first != NULL || add_chunk()) {
        op = unused_first;
        unused_first = op->next_unused;
        if (unused_first == NULL)
            unused_last = NULL;
    }
    stepi_lock_release(&pool_lock);
    if (op != NULL) /* the next generation */
        atomic_store_explicit(&op->id, op->serial + ((uint64_t)1 << 32), memory_order_relaxed);
    return op;
}

void stepi_operation_give_back(step_logger_t *op)
{
    const uint64_t id = atomic_load_explicit(&op->id, memory_order_relaxed);
    atomic_store_explicit(&op->state, STEPI_UNUSED, memory_order_relaxed);
    atomic_store_explicit(&op->id, 0, memory_order_relaxed);
    op->gate.threshold = &stepi_above_all;
    op->gate.step = 0;
    free(op->bound);
    op->bound = NULL;
    op->serial = id;
    stepi_lock_take(&pool_lock);
    append_unused(op);
    stepi_lock_release(&pool_lock);
}

static const step_logger_t *operation_of(uint64_t id)
{
    const uint32_t slot = (uint32_t)id - 1;
    if ((uint32_t)id == 0 || slot / CHUNK >= CHUNKS_MAX)
        return NULL;
    const step_logger_t *chunk = atomic_load_explicit(&chunks[slot / CHUNK], memory_order_acquire);
    return chunk != NULL ? &chunk[slot % CHUNK] : NULL;
}

bool stepi_operation_is_alive(uint64_t id)
{
    const step_logger_t *op = operation_of(id);
    return op != NULL && atomic_load_explicit(&op->id, memory_order_relaxed) == id;
}

bool stepi_operation_is_open(uint64_t id)
{
    const step_logger_t *op = operation_of(id);
    return op != NULL && atomic_load_explicit(&op->state, memory_order_relaxed) == STEPI_STARTED &&
           atomic_load_explicit(&op->id, memory_order_relaxed) == id;
}

void stepi_operations_hold(void)
{
    stepi_lock_take(&pool_lock);
}

void stepi_operations_release(void)
{
    stepi_lock_release(&pool_lock);
}

void stepi_operations_reset_in_child(void)
{
    pool_lock = (stepi_lock_t){ 0 };
}

/* ---- Names ---- */

void stepi_name_set(stepi_name_t *name, const char *text)
{
    name->bytes = NULL;
    name->length = 0;
    name->original = 0;
    if (text == NULL)
        return;
    const size_t original = strlen(text);
    size_t length = original <= STEPI_NAME_MAX ? original : stepi_utf8_cut(text, original, STEPI_NAME_MAX);
    name->bytes = name->inline_bytes;
    if (length > STEPI_NAME_INLINE && name->capacity < length) {
        free(name->heap);
        name->heap = malloc(STEPI_NAME_MAX);
        name->capacity = name->heap != NULL ? STEPI_NAME_MAX : 0;
    }
    if (length > STEPI_NAME_INLINE) {
        if (name->capacity >= length)
            name->bytes = name->heap;
        else
            length = stepi_utf8_cut(text, original, STEPI_NAME_INLINE);
    }
    memcpy(name->bytes, text, length);
    name->length = (uint32_t)length;
    name->original = original;
}

stepi_text_t stepi_name_text(const stepi_name_t *name)
{
    return (stepi_text_t){ .bytes = name->bytes, .length = name->length, .original = name->original };
}
