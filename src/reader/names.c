/* A name is a renamed key if a prefix before one of the `_N` at its end is reserved, or a name that came before. All
 * prefixes are hashed in one walk, so that a name costs its length however many `_N` it ends with. */
#include "reader/names.h"

#include "reader/members.h"

#include <stdlib.h>

enum { FIRST_SIZE = 64, NAMES_MAX = 1 << 16 /* no record has as many fields */ };

/* FNV-1a: the hash of a prefix is a step on the way to that of the whole. */
static uint32_t hash_on(uint32_t hash, const char *at, const char *end)
{
    for (; at < end; at++)
        hash = (hash ^ (unsigned char)*at) * UINT32_C(16777619);
    return hash;
}

enum { HASH_START = 0x1A47E90B };

void stepi_names_free(stepi_names_t *names)
{
    free(names->slots);
    *names = (stepi_names_t){ .slots = NULL };
}

void stepi_names_clear(stepi_names_t *names)
{
    if (names->count > 0)
        memset(names->slots, 0, names->size * sizeof(*names->slots));
    names->count = 0;
}

/* The slot of a name, or the free one where it belongs. FNV's low bits are its good ones after a multiplication. */
static stepi_name_t *find(const stepi_names_t *names, const char *at, size_t bytes, uint32_t hash)
{
    const size_t mask = names->size - 1;
    for (size_t i = (size_t)((hash * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & mask;; i = (i + 1) & mask) {
        stepi_name_t *slot = &names->slots[i];
        if (slot->at == NULL || (slot->hash == hash && slot->bytes == bytes && memcmp(slot->at, at, bytes) == 0))
            return slot;
    }
}

static bool grow(stepi_names_t *names)
{
    const stepi_names_t old = *names;
    names->size = old.size > 0 ? old.size * 2 : FIRST_SIZE;
    names->slots = calloc(names->size, sizeof(*names->slots));
    if (names->slots == NULL) {
        *names = old;
        return false;
    }
    for (size_t i = 0; i < old.size; i++)
        if (old.slots[i].at != NULL)
            *find(names, old.slots[i].at, old.slots[i].bytes, old.slots[i].hash) = old.slots[i];
    free(old.slots);
    return true;
}

bool stepi_names_add(stepi_names_t *names, stepi_span_t name)
{
    if (names->count == NAMES_MAX || (names->count * 2 >= names->size && !grow(names)))
        return false;
    const uint32_t hash = hash_on(HASH_START, name.at, name.end);
    stepi_name_t *slot = find(names, name.at, stepi_span_bytes(name), hash);
    if (slot->at == NULL) {
        *slot = (stepi_name_t){ .at = name.at, .bytes = (uint32_t)stepi_span_bytes(name), .hash = hash };
        names->count++;
    }
    return true;
}

/* Where the `_N` that ends at[0..end) begins; `end` if there is none. */
static const char *suffix_start(const char *start, const char *end)
{
    const char *at = end;
    while (at > start && stepi_is_digit(at[-1]))
        at--;
    if (at == start || at == end || *at == '0' || at[-1] != '_')
        return end;
    return at - 1;
}

bool stepi_has_suffix(stepi_span_t name)
{
    return suffix_start(name.at, name.end) < name.end;
}

static bool is_known(const stepi_names_t *names, stepi_span_t name, uint32_t hash)
{
    if (stepi_own_is_reserved(stepi_own_named(name)))
        return true;
    return names->size > 0 && find(names, name.at, stepi_span_bytes(name), hash)->at != NULL;
}

bool stepi_names_undo(const stepi_names_t *names, stepi_span_t name, stepi_span_t *key)
{
    const char *last = suffix_start(name.at, name.end);
    const char *first = last;
    if (last == name.end)
        return false;
    for (const char *at = suffix_start(name.at, first); at < first; at = suffix_start(name.at, first))
        first = at;
    uint32_t hash = HASH_START;
    const char *hashed = name.at;
    for (const char *at = first; at <= last; at++) {
        if (*at != '_')
            continue;
        hash = hash_on(hash, hashed, at);
        hashed = at;
        if (is_known(names, (stepi_span_t){ name.at, at }, hash)) {
            *key = (stepi_span_t){ name.at, last };
            return true;
        }
    }
    return false;
}
