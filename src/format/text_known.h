/* Beginnings of lines that were written before.
 *
 *     [INFO] ✅ [2/4] Fetching models from API - SUCCESS (raw_count=2834)
 *     └───────────── the beginning ────────────┘
 *
 * Most lines of a program come from a few dozen places and begin the same each time, but looking for what has to be escaped
 * in a text costs more than all the rest of a line. So what a text of some kind, level and step became is kept, and
 * copied when the same bytes come again. A small table, one place for each hash; a beginning moves in when it is met twice in
 * a row there, so that texts which never come again cost a comparison and evict nobody. */
#ifndef STEPI_FORMAT_TEXT_KNOWN_H
#define STEPI_FORMAT_TEXT_KNOWN_H

#include "base/out.h"
#include "record/line.h"

enum { STEPI_KNOWN_PLACES = 128, STEPI_KNOWN_TEXT = 64, STEPI_KNOWN_BYTES = 160 };

typedef struct stepi_known {
    uint64_t what, step;
    uint32_t hash;      /* of what was met here last */
    uint32_t text_bytes;
    uint32_t bytes;     /* of `beginning`; 0: nobody lives here */
    char text[STEPI_KNOWN_TEXT];
    char beginning[STEPI_KNOWN_BYTES + STEPI_PADDING];
} stepi_known_t;

/* What a beginning depends on, besides the format itself. */
typedef struct stepi_known_key {
    uint64_t what; /* kind and level */
    uint64_t step; /* step and total; 0 without */
    const char *text;
    uint32_t text_bytes;
    uint32_t hash;
} stepi_known_key_t;

/* Texts that are worth knowing. Longer ones are not, and an empty one is written as fast as it is found. */
static inline bool stepi_known_is_worth(uint32_t text_bytes)
{
    return text_bytes - 1 < STEPI_KNOWN_TEXT;
}

/* Both ends of a text, which overlap in a short one. */
typedef struct stepi_known_ends {
    uint64_t first, last;
} stepi_known_ends_t;

static inline stepi_known_ends_t stepi_known_ends(const char *text, size_t n)
{
    stepi_known_ends_t ends = { 0, 0 };
    if (n < sizeof(ends.first)) {
        stepi_copy((char *)&ends.first, text, n);
        return ends;
    }
    memcpy(&ends.first, text, sizeof(ends.first));
    memcpy(&ends.last, text + n - sizeof(ends.last), sizeof(ends.last));
    return ends;
}

/* For a text that is worth it. `step` and `total` are 0 for lines without a step. */
static inline stepi_known_key_t stepi_known_key(stepi_kind_t kind, int level, int32_t step, int32_t total, const char *text,
                                                uint32_t text_bytes)
{
    const stepi_known_ends_t ends = stepi_known_ends(text, text_bytes);
    stepi_known_key_t key = { .what = (uint64_t)kind | (uint64_t)(uint32_t)level << 8,
                              .step = (uint64_t)(uint32_t)step | (uint64_t)(uint32_t)total << 32,
                              .text = text,
                              .text_bytes = text_bytes };
    uint64_t mixed = (ends.first ^ key.what << 32 ^ text_bytes) * UINT64_C(0x9E3779B97F4A7C15);
    mixed = (mixed ^ mixed >> 32 ^ ends.last ^ key.step) * UINT64_C(0xD6E8FEB86659FD93);
    key.hash = (uint32_t)(mixed >> 32);
    return key;
}

/* Whether texts of the same length, 1 or more, are the same. */
static inline bool stepi_known_is_same_text(const char *a, const char *b, size_t n)
{
    uint64_t of_a, of_b;
    if (n < sizeof(of_a))
        return stepi_known_ends(a, n).first == stepi_known_ends(b, n).first;
    for (size_t i = 0; i + sizeof(of_a) < n; i += sizeof(of_a)) {
        memcpy(&of_a, a + i, sizeof(of_a));
        memcpy(&of_b, b + i, sizeof(of_b));
        if (of_a != of_b)
            return false;
    }
    memcpy(&of_a, a + n - sizeof(of_a), sizeof(of_a)); /* may overlap those before */
    memcpy(&of_b, b + n - sizeof(of_b), sizeof(of_b));
    return of_a == of_b;
}

/* NULL: the beginning is not known. */
static inline const stepi_known_t *stepi_known_find(stepi_known_t places[STEPI_KNOWN_PLACES], const stepi_known_key_t *key)
{
    stepi_known_t *place = &places[key->hash % STEPI_KNOWN_PLACES];
    const bool is_it = place->bytes != 0 && place->what == key->what && place->step == key->step &&
                       place->text_bytes == key->text_bytes &&
                       stepi_known_is_same_text(place->text, key->text, key->text_bytes);
    if (!is_it)
        return NULL;
    place->hash = key->hash;
    return place;
}

/* A line that was not known began like this. */
void stepi_known_keep(stepi_known_t places[STEPI_KNOWN_PLACES], const stepi_known_key_t *key, const char *beginning,
                      size_t bytes);

#endif
