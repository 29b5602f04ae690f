/* Structs of options, which callers compiled against another version of the header pass with their size. */
#ifndef STEPI_BASE_OPTIONS_H
#define STEPI_BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

/* Copies options of `given` bytes over defaults of `known` bytes: an older caller's are shorter; a newer one's are longer
 * and accepted if what we do not know is zero. The first member is the size. */
bool stepi_options_copy(void *to, size_t known, const void *from, size_t given);

#endif
