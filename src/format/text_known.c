#include "format/text_known.h"

#include <string.h>

static bool key_of_step(const stepi_line_t *line, stepi_known_key_t *key)
{
    if (!line->has_step)
        return false;
    key->step = (uint64_t)(uint32_t)line->step | (uint64_t)(uint32_t)line->total << 32;
    key->text = &line->description;
    return true;
}

bool stepi_known_key(const stepi_line_t *line, stepi_known_key_t *key)
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

stepi_known_t *stepi_known_place(stepi_known_t places[STEPI_KNOWN_PLACES], const stepi_known_key_t *key, uint32_t *hash)
{
    const stepi_text_t *text = key->text;
    uint64_t first, last;
    memcpy(&first, text->bytes, sizeof(first));
    memcpy(&last, text->bytes + text->length - sizeof(last), sizeof(last));
    uint64_t mixed = (first ^ key->what << 32 ^ text->length) * UINT64_C(0x9E3779B97F4A7C15);
    mixed = (mixed ^ mixed >> 32 ^ last ^ key->step) * UINT64_C(0xD6E8FEB86659FD93);
    *hash = (uint32_t)(mixed >> 32);
    return &places[*hash % STEPI_KNOWN_PLACES];
}

bool stepi_known_is(const stepi_known_t *place, const stepi_known_key_t *key)
{
    return place->bytes != 0 && place->what == key->what && place->step == key->step &&
           place->text_bytes == key->text->length && memcmp(place->text, key->text->bytes, place->text_bytes) == 0;
}

void stepi_known_keep(stepi_known_t *place, const stepi_known_key_t *key, uint32_t hash, const char *beginning, size_t bytes)
{
    const bool again = place->hash == hash;
    place->hash = hash;
    if (!again || bytes > STEPI_KNOWN_BYTES)
        return;
    place->what = key->what;
    place->step = key->step;
    place->text_bytes = key->text->length;
    place->bytes = (uint32_t)bytes;
    memcpy(place->text, key->text->bytes, key->text->length);
    memcpy(place->beginning, beginning, bytes);
}
