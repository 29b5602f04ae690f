#include "steplog/pool.h"

#include "steplog/print.h"
#include "steplog/progress.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

enum { WORKERS_MAX = 8, SLOTS_MAX = 2 * WORKERS_MAX + 2, CHUNK = 16 * 1024 };

typedef enum slot_state { SLOT_FREE, SLOT_TAKEN, SLOT_DONE } slot_state_t;

typedef struct slot {
    slot_state_t state;
    stepi_block_t block;
    stepi_result_t result;
} slot_t;

typedef struct pool {
    stepi_input_t *input;
    const stepi_job_t *job;
    stepi_counts_t *counts;
    stepi_progress_t progress;
    pthread_mutex_t lock;
    pthread_cond_t slot_is_free;
    slot_t slots[SLOTS_MAX];
    size_t slot_count, waiting;
    uint64_t next; /* number of the block to merge */
    uint64_t line; /* of its first line */
    bool is_merging, has_ended, is_stopped, has_no_memory;
} pool_t;

/* ---- Results ---- */

struct stepi_chunk {
    struct stepi_chunk *next;
    size_t used, size;
    char bytes[];
};

char *stepi_result_room(stepi_result_t *result, size_t bytes)
{
    if (result->capacity - result->used < bytes) {
        size_t capacity = result->capacity > 0 ? result->capacity * 2 : CHUNK;
        while (capacity - result->used < bytes)
            capacity *= 2;
        char *larger = realloc(result->room, capacity);
        if (larger == NULL) {
            result->has_no_memory = true;
            return NULL;
        }
        result->room = larger;
        result->capacity = capacity;
    }
    return result->room + result->used;
}

const char *stepi_result_keep(stepi_result_t *result, const char *bytes, size_t length)
{
    struct stepi_chunk *chunk = result->chunks;
    if (chunk == NULL || chunk->size - chunk->used < length) {
        const size_t size = length > CHUNK ? length : CHUNK;
        chunk = malloc(sizeof(*chunk) + size);
        if (chunk == NULL) {
            result->has_no_memory = true;
            return NULL;
        }
        *chunk = (struct stepi_chunk){ .next = result->chunks, .size = size };
        result->chunks = chunk;
    }
    char *to = chunk->bytes + chunk->used;
    memcpy(to, bytes, length);
    chunk->used += length;
    return to;
}

static void free_chunks(stepi_result_t *result)
{
    while (result->chunks != NULL) {
        struct stepi_chunk *next = result->chunks->next;
        free(result->chunks);
        result->chunks = next;
    }
}

static void clear_result(stepi_result_t *result)
{
    free_chunks(result);
    result->used = 0;
    result->counts = (stepi_counts_t){ .lines = 0 };
    result->is_unsure = false;
}

/* ---- Merging, under the lock ---- */

static slot_t *finished(pool_t *pool)
{
    for (size_t i = 0; i < pool->slot_count; i++)
        if (pool->slots[i].state == SLOT_DONE && pool->slots[i].block.number == pool->next)
            return &pool->slots[i];
    return NULL;
}

static void add_counts(stepi_counts_t *to, const stepi_counts_t *from, uint64_t overlong)
{
    to->lines += from->lines;
    to->entries += from->entries;
    to->foreign += from->foreign + overlong;
    to->overlong += overlong;
    to->untimed += from->untimed;
}

static bool merge_one(pool_t *pool, slot_t *slot)
{
    if (slot->block.begins_log)
        pool->line = 1;
    const bool goes_on = pool->job->merge(pool->job->context, &slot->block, &slot->result, pool->line);
    pool->line += slot->result.counts.lines + slot->block.overlong;
    add_counts(pool->counts, &slot->result.counts, slot->block.overlong);
    stepi_progress_step(&pool->progress, pool->input);
    return goes_on;
}

/* The lock is left while a block is merged. */
static void merge_finished(pool_t *pool)
{
    slot_t *slot;
    if (pool->is_merging)
        return;
    pool->is_merging = true;
    while (!pool->is_stopped && (slot = finished(pool)) != NULL) {
        pthread_mutex_unlock(&pool->lock);
        const bool goes_on = merge_one(pool, slot);
        pthread_mutex_lock(&pool->lock);
        slot->state = SLOT_FREE;
        pool->next++;
        pool->is_stopped |= !goes_on;
        if (pool->waiting > 0)
            pthread_cond_signal(&pool->slot_is_free);
    }
    pool->is_merging = false;
}

/* ---- Threads ---- */

static slot_t *take_slot(pool_t *pool)
{
    for (;;) {
        if (pool->has_ended || pool->is_stopped)
            return NULL;
        for (size_t i = 0; i < pool->slot_count; i++)
            if (pool->slots[i].state == SLOT_FREE) {
                pool->slots[i].state = SLOT_TAKEN;
                return &pool->slots[i];
            }
        pool->waiting++;
        pthread_cond_wait(&pool->slot_is_free, &pool->lock);
        pool->waiting--;
    }
}

static void scan_all(pool_t *pool, stepi_reader_t *reader, void *own)
{
    slot_t *slot;
    pthread_mutex_lock(&pool->lock);
    while ((slot = take_slot(pool)) != NULL) {
        pthread_mutex_unlock(&pool->lock);
        clear_result(&slot->result);
        slot->result.own = own;
        const bool is_block = stepi_input_next(pool->input, &slot->block);
        if (is_block)
            pool->job->scan(pool->job->context, reader, &slot->block, &slot->result);
        pthread_mutex_lock(&pool->lock);
        slot->state = is_block ? SLOT_DONE : SLOT_FREE;
        pool->has_ended |= !is_block;
        pool->has_no_memory |= slot->result.has_no_memory;
        pool->is_stopped |= pool->has_no_memory;
        merge_finished(pool);
    }
    pthread_cond_broadcast(&pool->slot_is_free);
    pthread_mutex_unlock(&pool->lock);
}

static void *work(void *argument)
{
    pool_t *pool = argument;
    stepi_reader_t *reader = stepi_reader_new();
    void *own = pool->job->begin != NULL ? pool->job->begin(pool->job->context) : NULL;
    if (reader != NULL && (own != NULL || pool->job->begin == NULL)) {
        scan_all(pool, reader, own);
    } else {
        pthread_mutex_lock(&pool->lock);
        pool->has_no_memory = true;
        pthread_mutex_unlock(&pool->lock);
    }
    if (own != NULL)
        pool->job->end(own);
    stepi_reader_free(reader);
    return NULL;
}

static size_t cores(void)
{
    cpu_set_t set;
    const int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
    return count < 1 ? 1 : count > WORKERS_MAX ? WORKERS_MAX : (size_t)count;
}

static void free_slots(pool_t *pool)
{
    for (size_t i = 0; i < pool->slot_count; i++) {
        free_chunks(&pool->slots[i].result);
        free(pool->slots[i].result.room);
        stepi_input_block_free(&pool->slots[i].block);
    }
}

bool stepi_pool_run(stepi_input_t *input, const stepi_job_t *job, stepi_counts_t *counts)
{
    pthread_t threads[WORKERS_MAX];
    const size_t wanted = cores();
    pool_t *pool = calloc(1, sizeof(*pool));
    if (pool == NULL)
        return false;
    *counts = (stepi_counts_t){ .lines = 0 };
    pool->input = input;
    pool->job = job;
    pool->counts = counts;
    pool->progress = stepi_progress_begin(job->shows_progress);
    pool->slot_count = 2 * wanted + 2;
    stepi_init_lock(&pool->lock);
    pthread_cond_init(&pool->slot_is_free, NULL);
    size_t started = 0;
    while (started + 1 < wanted && pthread_create(&threads[started], NULL, work, pool) == 0)
        started++;
    work(pool); /* this thread, too: it may be the only one */
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    stepi_progress_end(&pool->progress);
    const bool is_done = !pool->has_no_memory;
    free_slots(pool);
    pthread_cond_destroy(&pool->slot_is_free);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
    return is_done;
}
