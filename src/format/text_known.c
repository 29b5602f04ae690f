#include "format/text_known.h"

#include <string.h>

static inline bool key_of_step(const stepi_line_t *line, stepi_known_key_t *key)
{
    if (!line->has_step)
        return false;
    key->step = (uint64_t)(uint32_t)line->step | (uint64_t)(uint32_t)line->total << 32;
    key->text = &line->description;
    return true;
}

/* False for kinds, and for texts, whose beginning is not worth knowing. */
static inline bool describe(const stepi_line_t *line, stepi_known_key_t *key)
{
    key->what = (uint64_t)line->kind | (uint64_t)(uint32_t)line->level << 8;
    key->step = 0;
    switch (line->kind) {
    case STEPI_STEP_START:
    case STEPI_STEP_SUCCESS:
        if (!key_of_step(line, key))
            return false;
        break;
    case STEPI_MESSAGE:
        key->text = &line->text;
        break;
    case STEPI_OPERATION_START:
    case STEPI_OPERATION_COMPLETE:
        key->text = &line->operation;
        break;
    default:
        return false;
    }
    /* whole, and long enough for the hash to look at both ends */
    return key->text->length >= 8 && key->text->length <= STEPI_KNOWN_TEXT && key->text->original == key->text->length;
}

static inline uint32_t hash_of(const stepi_known_key_t *key)
{
    const stepi_text_t *text = key->text;
    uint64_t first, last;
    memcpy(&first, text->bytes, sizeof(first));
    memcpy(&last, text->bytes + text->length - sizeof(last), sizeof(last));
    uint64_t mixed = (first ^ key->what << 32 ^ text->length) * UINT64_C(0x9E3779B97F4A7C15);
    mixed = (mixed ^ mixed >> 32 ^ last ^ key->step) * UINT64_C(0xD6E8FEB86659FD93);
    return (uint32_t)(mixed >> 32);
}

/* Of at least eight bytes; the last eight may overlap those before. */
static inline bool is_same(const char *a, const char *b, size_t n)
{
    uint64_t first, second;
    for (size_t i = 0; i + sizeof(first) < n; i += sizeof(first)) {
        memcpy(&first, a + i, sizeof(first));
        memcpy(&second, b + i, sizeof(second));
        if (first != second)
            return false;
    }
    memcpy(&first, a + n - sizeof(first), sizeof(first));
    memcpy(&second, b + n - sizeof(second), sizeof(second));
    return first == second;
}

bool stepi_known_find(stepi_known_t places[STEPI_KNOWN_PLACES], const stepi_line_t *line, stepi_known_key_t *key)
{
    key->place = NULL;
    if (!describe(line, key))
        return false;
    key->hash = hash_of(key);
    const stepi_known_t *place = key->place = &places[key->hash % STEPI_KNOWN_PLACES];
    return place->bytes != 0 && place->what == key->what && place->step == key->step &&
           place->text_bytes == key->text->length && is_same(place->text, key->text->bytes, place->text_bytes);
}

void stepi_known_keep(const stepi_known_key_t *key, const char *beginning, size_t bytes)
{
    stepi_known_t *place = key->place;
    if (place == NULL)
        return;
    const bool again = place->hash == key->hash;
    place->hash = key->hash;
    if (!again || bytes > STEPI_KNOWN_BYTES)
        return;
    place->what = key->what;
    place->step = key->step;
    place->text_bytes = key->text->length;
    place->bytes = (uint32_t)bytes;
    memcpy(place->text, key->text->bytes, key->text->length);
    memcpy(place->beginning, beginning, bytes);
}
