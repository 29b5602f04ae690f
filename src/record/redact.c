#include "record/redact.h"

bool stepi_redacts(const char *patterns, stepi_slice_t key)
{
    stepi_slice_t pattern;
    while (stepi_list_next(&patterns, &pattern))
        if (pattern.length > 0 && stepi_glob_matches(pattern, key, true))
            return true;
    return false;
}
