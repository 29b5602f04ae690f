/* The heap, and what stands in for it while a process dies.
 *
 * A thread in the crash handler may have been inside malloc() when it was hit, with the heap's lock in its hand. So whatever
 * the handler may run allocates here: on such a thread from pages of our own, which are handed out from front to back and
 * never taken back, while what is freed waits for somebody who may. Everybody else gets malloc() and free(). What was taken
 * from the pages may be given to stepi_free() and stepi_resize() by anybody, should the process live on; what comes from
 * malloc() directly may, too, if it has room for a pointer. */
#ifndef STEPI_PLATFORM_MEMORY_H
#define STEPI_PLATFORM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* This thread runs the crash handler: no heap, no callbacks of the user's, no waiting without a bound. */
extern _Thread_local bool stepi_is_crashing __attribute__((tls_model("initial-exec")));

/* The first pages, populated. Again does nothing. False without memory. */
bool stepi_reserve_make(void);

/* NULL without memory. */
void *stepi_alloc(size_t bytes);
void *stepi_alloc_zeroed(size_t bytes);

/* As realloc(): on failure the old memory is as it was. */
void *stepi_resize(void *memory, size_t old_bytes, size_t bytes);
void stepi_free(void *memory);

#endif
