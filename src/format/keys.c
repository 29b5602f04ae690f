/* A user's key K is written as it is, or as K_1, K_2, ... when a reader could take K for something else:
 *
 *     K is reserved, or a name that this line already has, or K looks like a renaming:
 *     K = P_N, where N is 1, 2, ... and P is reserved, a name of this line, or itself looks like a renaming.
 *
 * A reader goes through the names in the same order and asks the same question: it strips one _N exactly where what
 * remains is reserved, an earlier name, or looks like a renaming. So the keys come back whatever they were.
 *
 * Names are compared as they stand in the output, escaped: each code point has one spelling, and no escape has a `_` in it.
 *
 * The table holds the keys of the line as they were logged, each once, and the N that comes next for it, so that a key
 * that comes a thousand times does not try every N again. Names with an _N of ours need no entry: K is known, so
 * whatever equals K_N looks like a renaming. Each key costs its length: its prefixes P are hashed in one walk. */
#include "format/keys.h"

#include "base/number.h"
#include "platform/memory.h"

enum { SLOTS_PER_FIELD = 2 };

/* ---- Reserved names, by length ---- */

enum { RESERVED_LENGTH_MAX = 17, RESERVED_OF_ONE_LENGTH = 4 };

static const char *const reserved_names[RESERVED_LENGTH_MAX + 1][RESERVED_OF_ONE_LENGTH + 1] = {
    [2] = { "ts" },
    [3] = { "pid", "tid", "seq" },
    [4] = { "step" },
    [5] = { "level", "event", "error", "depth" },
    [7] = { "message", "span_id" },
    [8] = { "trace_id" },
    [9] = { "operation" },
    [11] = { "total_steps", "description", "duration_ms", "trace_flags" },
    [13] = { "progress_done" },
    [14] = { "parent_span_id", "progress_total", "fields_omitted" },
    [15] = { "dropped_records" },
    [17] = { "total_duration_ms" },
};

static bool is_reserved(const char *name, size_t length)
{
    if (length > RESERVED_LENGTH_MAX)
        return false;
    for (const char *const *reserved = reserved_names[length]; *reserved != NULL; reserved++)
        if (memcmp(name, *reserved, length) == 0)
            return true;
    return false;
}

/* ---- The table ---- */

/* The hash of a name's prefixes, of one after the other without reading anything twice. */
typedef struct hasher {
    const char *name;
    size_t done; /* whole blocks of 8 */
    uint64_t state;
} hasher_t;

static uint64_t mix(uint64_t state, uint64_t value)
{
    state = (state ^ value) * UINT64_C(0x9E3779B97F4A7C15);
    return state ^ state >> 32;
}

/* Of name[0..length); lengths must not fall from call to call. */
static size_t hash_prefix(hasher_t *h, size_t length)
{
    for (; h->done + 8 <= length; h->done += 8) {
        uint64_t block;
        memcpy(&block, h->name + h->done, 8);
        h->state = mix(h->state, block);
    }
    uint64_t tail = length;
    for (size_t i = h->done; i < length; i++)
        tail = tail << 8 | (unsigned char)h->name[i];
    return (size_t)mix(h->state, tail);
}

/* The entry of name[0..length), or the free slot where it belongs. */
static stepi_key_t *find(const stepi_keys_t *keys, const char *name, size_t length, size_t hash)
{
    for (size_t i = hash & keys->mask;; i = (i + 1) & keys->mask) {
        stepi_key_t *slot = &keys->slots[i];
        if (slot->key == NULL || (slot->length == length && memcmp(slot->key, name, length) == 0))
            return slot;
    }
}

static stepi_key_t *find_name(const stepi_keys_t *keys, const char *name, size_t length)
{
    hasher_t h = { .name = name };
    return find(keys, name, length, hash_prefix(&h, length));
}

static size_t slots_for(size_t fields)
{
    size_t slots = 8;
    while (slots < fields * SLOTS_PER_FIELD)
        slots *= 2;
    return slots;
}

void stepi_keys_free(stepi_keys_t *keys)
{
    stepi_free(keys->more);
}

static bool grow(stepi_keys_t *keys, size_t slots)
{
    if (slots <= keys->more_slots)
        return true;
    stepi_free(keys->more);
    keys->more = stepi_alloc(slots * sizeof(*keys->more));
    keys->more_slots = keys->more != NULL ? slots : 0;
    return keys->more != NULL;
}

size_t stepi_keys_begin(stepi_keys_t *keys, size_t fields)
{
    size_t slots = slots_for(fields);
    keys->slots = keys->few;
    if (slots > STEPI_KEYS_INLINE && grow(keys, slots)) {
        keys->slots = keys->more;
    } else if (slots > STEPI_KEYS_INLINE) {
        slots = STEPI_KEYS_INLINE;
        fields = STEPI_KEYS_INLINE / SLOTS_PER_FIELD;
    }
    keys->mask = slots - 1;
    memset(keys->slots, 0, slots * sizeof(*keys->slots));
    return fields;
}

void stepi_keys_note(stepi_keys_t *keys, const char *name, size_t length)
{
    stepi_key_t *slot = find_name(keys, name, length);
    *slot = (stepi_key_t){ .key = name, .length = (uint32_t)length, .is_name = 1, .next = 1 };
}

/* ---- Renaming ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Where the `_N` that ends name[0..length) begins; `length` if it does not end so. */
static size_t suffix_start(const char *name, size_t length)
{
    size_t at = length;
    while (at > 0 && is_digit(name[at - 1]))
        at--;
    if (at == 0 || at == length || name[at] == '0' || name[at - 1] != '_')
        return length;
    return at - 1;
}

static bool is_known(const stepi_keys_t *keys, hasher_t *h, size_t length)
{
    return is_reserved(h->name, length) || find(keys, h->name, length, hash_prefix(h, length))->key != NULL;
}

/* Whether a prefix before one of the `_N` that end the name is reserved or a key of this line. */
static bool looks_renamed(const stepi_keys_t *keys, const char *name, size_t length)
{
    size_t first = suffix_start(name, length);
    if (first == length)
        return false;
    for (size_t at = suffix_start(name, first); at < first; at = suffix_start(name, first))
        first = at;
    hasher_t h = { .name = name };
    for (size_t at = first; at < length; at++)
        if (name[at] == '_' && is_known(keys, &h, at))
            return true;
    return false;
}

/* Appends _N to the key name[0..key->length), with the first N that makes a new name. */
static void rename_key(stepi_keys_t *keys, stepi_out_t *out, char *name, stepi_key_t *key)
{
    do {
        out->at = name + key->length;
        stepi_put_char(out, '_');
        stepi_put_u64(out, key->next);
        key->next++;
    } while (!out->overflow && find_name(keys, name, (size_t)(out->at - name))->is_name);
}

void stepi_keys_claim(stepi_keys_t *keys, stepi_out_t *out, size_t length)
{
    if (out->overflow)
        return;
    char *name = out->at - length;
    stepi_key_t *slot = find_name(keys, name, length);
    if (slot->key == NULL) {
        const bool is_misread = is_reserved(name, length) || looks_renamed(keys, name, length);
        *slot = (stepi_key_t){ .key = name, .length = (uint32_t)length, .is_name = !is_misread, .next = 1 };
        if (!is_misread)
            return;
    }
    rename_key(keys, out, name, slot);
}
