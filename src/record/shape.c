#include "record/shape.h"

#include "platform/futex.h"
#include "platform/system.h"

#include <stdatomic.h>
#include <string.h>

enum { SHAPES_MAX = 16384, BUCKETS = 1024, ARENA_BYTES = 64 * 1024, KEY_MAX = 1024 };

const char stepi_shapes_owner = 0;

static stepi_lock_t lock;
static const stepi_shape_t *_Atomic shapes[SHAPES_MAX]; /* number 0 is none */
static uint32_t shape_count = 1;
static const stepi_shape_t *buckets[BUCKETS];
static uint8_t *arena;
static size_t arena_left;

static void *take_bytes(size_t n)
{
    n = (n + 7) & ~(size_t)7;
    if (arena_left < n) {
        uint8_t *pages = stepi_pages_map(ARENA_BYTES);
        if (pages == NULL)
            return NULL;
        arena = pages;
        atomic_signal_fence(memory_order_seq_cst); /* the order matters to a forked child: see the reset */
        arena_left = ARENA_BYTES;
    }
    uint8_t *at = arena;
    arena_left -= n;
    atomic_signal_fence(memory_order_seq_cst);
    arena += n;
    return at;
}

/* Everything but number, next and the copies of the keys. False: these fields have no fixed shape. */
static bool describe(const step_field_t *fields, size_t count, stepi_shape_t *shape)
{
    *shape = (stepi_shape_t){ .owner = &stepi_shapes_owner, .count = (uint8_t)count };
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < count; i++) {
        const uint8_t type = (uint8_t)fields[i].type;
        if (fields[i].type >> 8 == 0 || fields[i].key == NULL || type == STEP_FIELD_TEXT_N)
            return false;
        const size_t length = strnlen(fields[i].key, KEY_MAX + 1);
        if (length > KEY_MAX)
            return false;
        shape->types[i] = type;
        shape->decimals[i] = type == STEP_FIELD_FIXED ? (uint8_t)fields[i].bytes : 0;
        shape->texts |= (uint8_t)((type == STEP_FIELD_TEXT) << i);
        shape->keys[i] = fields[i].key;
        shape->key_bytes[i] = (uint32_t)length;
        for (size_t k = 0; k < length; k++)
            hash = (hash ^ (uint8_t)fields[i].key[k]) * 16777619u;
        hash = (hash ^ type) * 16777619u;
    }
    shape->hash = hash;
    return true;
}

static bool is_same(const stepi_shape_t *a, const stepi_shape_t *b)
{
    if (a->hash != b->hash || a->count != b->count || memcmp(a->types, b->types, sizeof(a->types)) != 0 ||
        memcmp(a->decimals, b->decimals, sizeof(a->decimals)) != 0)
        return false;
    for (int i = 0; i < a->count; i++)
        if (a->key_bytes[i] != b->key_bytes[i] || memcmp(a->keys[i], b->keys[i], a->key_bytes[i]) != 0)
            return false;
    return true;
}

static const stepi_shape_t *find(const stepi_shape_t *wanted)
{
    const stepi_shape_t *shape = buckets[wanted->hash % BUCKETS];
    while (shape != NULL && !is_same(shape, wanted))
        shape = shape->next;
    return shape;
}

/* Under the lock. NULL without memory or numbers. */
static const stepi_shape_t *keep(const stepi_shape_t *wanted)
{
    stepi_shape_t *shape = shape_count < SHAPES_MAX ? take_bytes(sizeof(*shape)) : NULL;
    if (shape == NULL)
        return NULL;
    *shape = *wanted;
    for (int i = 0; i < shape->count; i++) {
        char *key = take_bytes(wanted->key_bytes[i] + 1u);
        if (key == NULL)
            return NULL;
        memcpy(key, wanted->keys[i], wanted->key_bytes[i] + 1u);
        shape->keys[i] = key;
    }
    shape->number = shape_count++;
    shape->next = buckets[shape->hash % BUCKETS];
    buckets[shape->hash % BUCKETS] = shape;
    /* release: who meets the number in a record finds the shape whole */
    atomic_store_explicit(&shapes[shape->number], shape, memory_order_release);
    return shape;
}

void stepi_shape_learn(step_site_t *site, const step_field_t *fields, size_t count)
{
    stepi_shape_t wanted;
    if (site == NULL || fields == NULL || count - 1 >= STEPI_SHAPE_FIELDS ||
        __atomic_load_n(&site->state[0], __ATOMIC_RELAXED) != 0 || !describe(fields, count, &wanted) ||
        !stepi_lock_take_within(&lock, 0))
        return; /* if the lock was taken: the next call is time enough */
    const stepi_shape_t *shape = find(&wanted);
    if (shape == NULL)
        shape = keep(&wanted);
    if (shape != NULL && site->state[0] == 0) {
        uint64_t types[STEPI_SHAPE_FIELDS] = { 0 };
        for (size_t i = 0; i < count; i++)
            types[i] = fields[i].type;
        site->state[2] = (uint64_t)(uintptr_t)shape;
        site->state[1] = types[2] | types[3] << 32;
        /* release: who sees the first types sees the rest */
        __atomic_store_n(&site->state[0], types[0] | types[1] << 32, __ATOMIC_RELEASE);
    }
    stepi_lock_release(&lock);
}

const stepi_shape_t *stepi_shape_find(uint32_t number)
{
    return number < SHAPES_MAX ? atomic_load_explicit(&shapes[number], memory_order_acquire) : NULL;
}

void stepi_shape_fields(const stepi_shape_t *shape, const uint64_t values[STEPI_SHAPE_FIELDS],
                        step_field_t fields[STEPI_SHAPE_FIELDS])
{
    for (int i = 0; i < shape->count; i++) {
        fields[i].key = shape->keys[i];
        fields[i].value.u64 = values[i];
        fields[i].bytes = shape->decimals[i];
        fields[i].type = shape->types[i];
    }
}

/* Another thread may have been in the middle of keep(): nothing it did not finish is linked, and the arena never claims
 * more than it has. */
void stepi_shapes_reset_in_child(void)
{
    lock = (stepi_lock_t){ 0 };
}
