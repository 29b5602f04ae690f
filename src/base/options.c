#include "base/options.h"

#include <string.h>

enum { FUTURE_MAX = 1024 }; /* more than that is no newer struct, but an uninitialised size */

bool stepi_options_copy(void *to, size_t known, const void *from, size_t given)
{
    const unsigned char *bytes = from;
    if (given < sizeof(size_t) || given > known + FUTURE_MAX)
        return false;
    for (size_t i = known; i < given; i++)
        if (bytes[i] != 0)
            return false;
    memcpy(to, from, given < known ? given : known);
    return true;
}
