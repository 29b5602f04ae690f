#include "platform/copy.h"

#include <stdlib.h>

bool stepi_may_over_read(void)
{
    /* valgrind tells its tool only to those who use its headers, and to the dynamic linker */
    const char *preloaded = getenv("LD_PRELOAD");
    return preloaded == NULL || strstr(preloaded, "vgpreload_memcheck") == NULL;
}
