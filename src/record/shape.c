#include "record/shape.h"

#include "platform/futex.h"
#include "platform/io.h"
#include "platform/system.h"
#include "record/redact.h"
#include "record/shape_file.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

enum { BUCKETS = 1024, FILES_MAX = 32, ARENA_BYTES = 64 * 1024, KEY_MAX = 1024, FILE_MAX = 4096 };

#define PLACE_WAIT_NS 1000000 /* a signal handler may have interrupted whoever has the lock */

const char stepi_shapes_owner = 0;
static const char withdrawn = 0; /* the owner of shapes that may not be used any more, though their numbers still hold */

/* Of sites that came too late to get a number: they do not ask again. */
static const stepi_shape_t nowhere = { .owner = &stepi_shapes_owner };

static stepi_lock_t lock;
static stepi_shape_t *_Atomic shapes[STEPI_SHAPES_MAX]; /* number 0 is none */
static uint32_t shape_count = 1;
static const stepi_shape_t *buckets[BUCKETS];
static uint8_t *arena;
static size_t arena_left;
static const char *last_file; /* that was kept: the next site is likely in the same */
static char secrets[4 * STEPI_REDACT_BYTES]; /* what the logs of this process redact, with a comma behind each list */
static bool too_many_secrets;
static int files[FILES_MAX]; /* that all shapes go to, with their descriptors plus 1 */

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

static uint32_t mix(uint32_t hash, uint32_t value)
{
    return (hash ^ value) * 16777619u;
}

/* Everything but fields, number, next and the copies of what it points to. */
static stepi_shape_t shape_of_place(const step_site_t *site)
{
    stepi_shape_t shape = { .owner = &stepi_shapes_owner, .line = site->line };
    shape.file = site->file;
    shape.file_bytes = site->file != NULL ? (uint32_t)strnlen(site->file, FILE_MAX) : 0;
    shape.hash = mix(2166136261u, site->line);
    return shape;
}

/* The fields. False: these have no fixed shape. */
static bool describe(const step_field_t *fields, size_t count, stepi_shape_t *shape)
{
    uint32_t hash = shape->hash;
    shape->count = (uint8_t)count;
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
            hash = mix(hash, (uint8_t)fields[i].key[k]);
        hash = mix(hash, type);
    }
    shape->hash = hash;
    return true;
}

static bool is_same_place(const stepi_shape_t *a, const stepi_shape_t *b)
{
    return a->line == b->line && (a->file == NULL) == (b->file == NULL) && a->file_bytes == b->file_bytes &&
           (a->file_bytes == 0 || memcmp(a->file, b->file, a->file_bytes) == 0);
}

static bool is_same(const stepi_shape_t *a, const stepi_shape_t *b)
{
    if (a->hash != b->hash || a->count != b->count || memcmp(a->types, b->types, sizeof(a->types)) != 0 ||
        memcmp(a->decimals, b->decimals, sizeof(a->decimals)) != 0 || !is_same_place(a, b))
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

/* A copy with a NUL; NULL without memory. */
static const char *keep_text(const char *text, size_t length)
{
    char *copy = take_bytes(length + 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

static const char *keep_file(const char *file, size_t length)
{
    if (last_file == NULL || strncmp(last_file, file, length) != 0 || last_file[length] != '\0')
        last_file = keep_text(file, length);
    return last_file;
}

/* ---- Files ---- */

/* In one write: whoever is killed in it has not used the shape yet. */
static bool write_shape(int fd, const stepi_shape_t *shape)
{
    static uint8_t bytes[STEPI_SHAPE_FILE_MAX]; /* under the lock; stacks may be small */
    return stepi_write_small(fd, bytes, stepi_shape_store(shape, bytes));
}

/* To every file. */
static bool tell_files(const stepi_shape_t *shape)
{
    const int saved = errno; /* it is a logging call's */
    bool all = true;
    for (int i = 0; i < FILES_MAX; i++)
        all &= files[i] == 0 || write_shape(files[i] - 1, shape);
    errno = saved;
    return all;
}

static bool write_all_to(int fd)
{
    for (uint32_t number = 1; number < shape_count; number++) {
        const stepi_shape_t *shape = atomic_load_explicit(&shapes[number], memory_order_relaxed);
        if (shape != NULL && !write_shape(fd, shape))
            return false;
    }
    return true;
}

static bool add_file(int fd)
{
    int at = 0;
    while (at < FILES_MAX && files[at] != 0)
        at++;
    if (at == FILES_MAX) {
        errno = ENFILE;
        return false;
    }
    if (!write_all_to(fd))
        return false;
    files[at] = fd + 1;
    return true;
}

bool stepi_shapes_write_to(int fd)
{
    stepi_lock_take(&lock);
    const bool added = add_file(fd);
    stepi_lock_release(&lock);
    return added;
}

void stepi_shapes_write_no_more(int fd)
{
    stepi_lock_take(&lock);
    for (int i = 0; i < FILES_MAX; i++)
        if (files[i] == fd + 1)
            files[i] = 0;
    stepi_lock_release(&lock);
}

/* ---- Keeping ---- */

/* Under the lock. NULL without memory or numbers, or where a file has no room: the keys then travel with each record. */
static const stepi_shape_t *keep(const stepi_shape_t *wanted)
{
    stepi_shape_t *shape = shape_count < STEPI_SHAPES_MAX ? take_bytes(sizeof(*shape)) : NULL;
    if (shape == NULL)
        return NULL;
    *shape = *wanted;
    for (int i = 0; i < shape->count; i++)
        if ((shape->keys[i] = keep_text(wanted->keys[i], wanted->key_bytes[i])) == NULL)
            return NULL;
    if (wanted->file != NULL && (shape->file = keep_file(wanted->file, wanted->file_bytes)) == NULL)
        return NULL;
    shape->number = shape_count++;
    if (!tell_files(shape)) {
        shape_count = STEPI_SHAPES_MAX; /* nobody tries again, call after call */
        return NULL;
    }
    shape->next = buckets[shape->hash % BUCKETS];
    buckets[shape->hash % BUCKETS] = shape;
    /* release: who meets the number in a record finds the shape whole */
    atomic_store_explicit(&shapes[shape->number], shape, memory_order_release);
    return shape;
}

/* Under the lock: the one that is equal, or a new one. */
static const stepi_shape_t *find_or_keep(const stepi_shape_t *wanted)
{
    const stepi_shape_t *shape = find(wanted);
    return shape != NULL ? shape : keep(wanted);
}

/* ---- Redaction: sites that have a secret go the long way, where each key is looked at ---- */

static bool has_secret(const stepi_shape_t *shape)
{
    for (int i = 0; i < shape->count; i++)
        if (stepi_redacts(secrets, (stepi_slice_t){ .bytes = shape->keys[i], .length = shape->key_bytes[i] }))
            return true;
    return too_many_secrets && shape->count > 0;
}

static bool knows_secrets(const char *patterns, size_t length)
{
    for (const char *at = secrets; (at = strstr(at, patterns)) != NULL; at++)
        if ((at == secrets || at[-1] == ',') && at[length] == ',')
            return true;
    return false;
}

static void add_secrets(const char *patterns)
{
    const size_t used = strlen(secrets);
    const size_t length = strlen(patterns);
    if (knows_secrets(patterns, length))
        return;
    if (used + length + 2 > sizeof(secrets)) {
        too_many_secrets = true;
        return;
    }
    memcpy(secrets + used, patterns, length);
    memcpy(secrets + used + length, ",", 2);
}

void stepi_shapes_redact(const char *patterns)
{
    stepi_lock_take(&lock);
    add_secrets(patterns);
    for (uint32_t number = 1; number < shape_count; number++) {
        stepi_shape_t *shape = atomic_load_explicit(&shapes[number], memory_order_relaxed);
        if (shape != NULL && has_secret(shape)) /* relaxed: whoever may use the log that redacts saw it opened */
            __atomic_store_n(&shape->owner, &withdrawn, __ATOMIC_RELAXED);
    }
    stepi_lock_release(&lock);
}

/* state[2] is a shape that knows the site's place; once state[0] is set, it is the one of the site's fields for good. */
static void set_shape(step_site_t *site, const stepi_shape_t *shape)
{
    /* release: who sees it, finds it whole */
    __atomic_store_n(&site->state[2], (uint64_t)(uintptr_t)shape, __ATOMIC_RELEASE);
}

void stepi_shape_learn(step_site_t *site, const step_field_t *fields, size_t count)
{
    if (site == NULL || fields == NULL || count - 1 >= STEPI_SHAPE_FIELDS ||
        __atomic_load_n(&site->state[0], __ATOMIC_RELAXED) != 0)
        return;
    stepi_shape_t wanted = shape_of_place(site);
    if (!describe(fields, count, &wanted) || !stepi_lock_take_within(&lock, 0))
        return; /* if the lock was taken: the next call is time enough */
    const stepi_shape_t *shape = has_secret(&wanted) ? NULL : find_or_keep(&wanted);
    if (shape != NULL && site->state[0] == 0) {
        uint64_t types[STEPI_SHAPE_FIELDS] = { 0 };
        for (size_t i = 0; i < count; i++)
            types[i] = fields[i].type;
        set_shape(site, shape);
        site->state[1] = types[2] | types[3] << 32;
        /* release: who sees the first types sees the rest */
        __atomic_store_n(&site->state[0], types[0] | types[1] << 32, __ATOMIC_RELEASE);
    }
    stepi_lock_release(&lock);
}

static void learn_place(step_site_t *site)
{
    const stepi_shape_t wanted = shape_of_place(site);
    const int saved = errno;
    if (stepi_lock_take_within(&lock, PLACE_WAIT_NS)) {
        const stepi_shape_t *shape = find_or_keep(&wanted);
        if (site->state[2] == 0)
            set_shape(site, shape != NULL ? shape : &nowhere);
        stepi_lock_release(&lock);
    }
    errno = saved;
}

uint32_t stepi_shape_place(step_site_t *site)
{
    if (site == NULL || site->file == NULL)
        return 0;
    uint64_t known = __atomic_load_n(&site->state[2], __ATOMIC_ACQUIRE);
    if (known == 0) {
        learn_place(site);
        known = __atomic_load_n(&site->state[2], __ATOMIC_ACQUIRE);
    }
    const stepi_shape_t *shape = (const stepi_shape_t *)(uintptr_t)known;
    return shape != NULL && (stepi_shape_is_ours(shape) || shape->owner == &withdrawn) ? shape->number : 0;
}

const stepi_shape_t *stepi_shape_find(uint32_t number)
{
    return number < STEPI_SHAPES_MAX ? atomic_load_explicit(&shapes[number], memory_order_acquire) : NULL;
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
    memset(files, 0, sizeof(files));
}
