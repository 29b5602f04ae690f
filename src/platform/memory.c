#include "platform/memory.h"

#include "platform/system.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_BYTES = 1024 * 1024,
    CHUNKS_MAX = 8, /* each twice the one before */
    CHUNK_MAX = FIRST_BYTES << (CHUNKS_MAX - 1)
};

typedef struct chunk {
    uint8_t *at;
    size_t bytes;
} chunk_t;

_Thread_local bool stepi_is_crashing __attribute__((tls_model("initial-exec")));

static chunk_t chunks[CHUNKS_MAX];
static _Atomic uint32_t chunk_count; /* 0: there is no crash handler */
static size_t used;                  /* of the last chunk; only one thread at a time runs the handler's work */

/* What the handler would have freed, to be freed by the next who may. Each begins with a pointer to the next. */
static _Atomic(void *) put_off;

/* mmap() takes no lock of the C library's, so the handler may call it. */
static bool add_chunk(size_t at_least)
{
    const uint32_t count = atomic_load_explicit(&chunk_count, memory_order_relaxed);
    size_t bytes = (size_t)FIRST_BYTES << count;
    if (count == CHUNKS_MAX || at_least > CHUNK_MAX)
        return false;
    while (bytes < at_least)
        bytes *= 2;
    uint8_t *at = count == 0 ? stepi_pages_map(bytes) : stepi_pages_reserve(bytes);
    if (at == NULL)
        return false;
    chunks[count] = (chunk_t){ .at = at, .bytes = bytes };
    used = 0;
    /* release: who sees the count sees the chunk */
    atomic_store_explicit(&chunk_count, count + 1, memory_order_release);
    return true;
}

bool stepi_reserve_make(void)
{
    return atomic_load_explicit(&chunk_count, memory_order_relaxed) > 0 || add_chunk(0);
}

static bool is_of_reserve(const void *memory)
{
    const uint32_t count = atomic_load_explicit(&chunk_count, memory_order_acquire);
    for (uint32_t i = 0; i < count; i++)
        if ((uintptr_t)memory - (uintptr_t)chunks[i].at < chunks[i].bytes)
            return true;
    return false;
}

static void *take(size_t bytes)
{
    if (bytes > CHUNK_MAX)
        return NULL;
    bytes = (bytes + 15) & ~(size_t)15;
    uint32_t count = atomic_load_explicit(&chunk_count, memory_order_relaxed);
    if (count == 0 || chunks[count - 1].bytes - used < bytes) {
        if (!add_chunk(bytes))
            return NULL;
        count++;
    }
    used += bytes;
    return chunks[count - 1].at + (used - bytes);
}

/* All have room for a pointer. */
static size_t enough(size_t bytes)
{
    return bytes > sizeof(void *) ? bytes : sizeof(void *);
}

void *stepi_alloc(size_t bytes)
{
    return stepi_is_crashing ? take(bytes) : malloc(enough(bytes));
}

void *stepi_alloc_zeroed(size_t bytes)
{
    return stepi_is_crashing ? take(bytes) : calloc(1, enough(bytes)); /* pages come zeroed */
}

void *stepi_resize(void *memory, size_t old_bytes, size_t bytes)
{
    if (!stepi_is_crashing && !is_of_reserve(memory))
        return realloc(memory, enough(bytes));
    void *larger = stepi_alloc(bytes);
    if (larger == NULL)
        return NULL;
    if (old_bytes > 0)
        memcpy(larger, memory, old_bytes < bytes ? old_bytes : bytes);
    stepi_free(memory);
    return larger;
}

static void put_off_free(void *memory)
{
    void *next = atomic_load_explicit(&put_off, memory_order_relaxed);
    do
        memcpy(memory, &next, sizeof(next));
    /* release: who takes the list finds it linked */
    while (!atomic_compare_exchange_weak_explicit(&put_off, &next, memory, memory_order_release, memory_order_relaxed));
}

static void free_what_was_put_off(void)
{
    void *next;
    void *memory = atomic_exchange_explicit(&put_off, NULL, memory_order_acquire);
    for (; memory != NULL; memory = next) {
        memcpy(&next, memory, sizeof(next));
        free(memory);
    }
}

void stepi_free(void *memory)
{
    if (memory == NULL || is_of_reserve(memory))
        return;
    if (stepi_is_crashing) {
        put_off_free(memory);
        return;
    }
    free(memory);
    if (atomic_load_explicit(&put_off, memory_order_relaxed) != NULL)
        free_what_was_put_off();
}
