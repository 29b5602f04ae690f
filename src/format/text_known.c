#include "format/text_known.h"

#include <string.h>

void stepi_known_keep(stepi_known_t places[STEPI_KNOWN_PLACES], const stepi_known_key_t *key, const char *beginning,
                      size_t bytes)
{
    stepi_known_t *place = &places[key->hash % STEPI_KNOWN_PLACES];
    const bool again = place->hash == key->hash;
    place->hash = key->hash;
    if (!again || bytes > STEPI_KNOWN_BYTES)
        return;
    place->what = key->what;
    place->step = key->step;
    place->text_bytes = key->text_bytes;
    place->bytes = (uint32_t)bytes;
    memcpy(place->text, key->text, key->text_bytes);
    memcpy(place->beginning, beginning, bytes);
}
