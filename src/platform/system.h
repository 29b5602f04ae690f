/* What else we need from the system: pages, threads, and the barrier that lets producers go without fences. */
#ifndef STEPI_PLATFORM_SYSTEM_H
#define STEPI_PLATFORM_SYSTEM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed pages, populated; NULL without memory. */
void *stepi_pages_map(size_t bytes);
void *stepi_pages_reserve(size_t bytes); /* not populated */
void stepi_pages_unmap(void *pages, size_t bytes);

/* A file's first `bytes` from `offset` on, shared with it: anywhere, or in place of the pages at `at`. NULL and false: see errno. */
void *stepi_pages_map_file(int fd, size_t bytes);
bool stepi_pages_map_file_over(void *at, int fd, size_t offset, size_t bytes);

/* Pages of our own in place of a file's: zeros, or what the file holds. False: they are the file's still. */
typedef enum stepi_pages_hold { STEPI_PAGES_ZEROS, STEPI_PAGES_COPY } stepi_pages_hold_t;
bool stepi_pages_leave_file(void *at, size_t bytes, stepi_pages_hold_t what);

/* In a forked child the first `bytes` of these pages read as zeros: the sign that the child inherited them. Where the
 * kernel cannot (before 4.14), only pthread_atfork() notices forks. */
void stepi_pages_wipe_on_fork(void *pages, size_t bytes);

size_t stepi_page_bytes(void);

/* A thread with every signal blocked but those of faults, which are its own. 0, or an errno value. */
int stepi_thread_start(pthread_t *thread, void *(*run)(void *), void *argument);
void stepi_thread_set_name(const char *name); /* of this thread */

/* Until stepi_cancellation_release() this thread is not cancelled: it may hold what nobody else would give back. */
static inline int stepi_cancellation_hold(void)
{
    int before;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    return before;
}

static inline void stepi_cancellation_release(int before)
{
    int ours;
    pthread_setcancelstate(before, &ours);
}

uint32_t stepi_thread_id(void);

/* Two numbers that nobody else has: the kernel's, or where it has none to give yet, what tells processes apart. Not both 0. */
void stepi_random_seed(uint64_t seed[2]);

/* A full memory barrier on this thread. */
static inline void stepi_fence(void)
{
#if defined(__SANITIZE_THREAD__) /* GCC's ThreadSanitizer knows no fences */
    static _Atomic int word;
    atomic_fetch_add_explicit(&word, 1, memory_order_seq_cst);
#else
    atomic_thread_fence(memory_order_seq_cst);
#endif
}

/* Registers for stepi_barrier(); false where the kernel has no private expedited membarrier: then every publication needs a
 * fence of its own. Again after fork. */
bool stepi_barrier_init(void);

/* After this call every other running thread has executed a full memory barrier: what it published before is visible, what it
 * reads later is new. */
void stepi_barrier(void);

#endif
