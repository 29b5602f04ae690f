#include "platform/system.h"

#include "platform/clock.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

static void *map(size_t bytes, int flags)
{
    void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    return pages == MAP_FAILED ? NULL : pages;
}

void *stepi_pages_map(size_t bytes)
{
    return map(bytes, MAP_POPULATE);
}

void *stepi_pages_reserve(size_t bytes)
{
    return map(bytes, MAP_NORESERVE);
}

void *stepi_pages_map_file(int fd, size_t bytes)
{
    void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    return pages == MAP_FAILED ? NULL : pages;
}

bool stepi_pages_map_file_over(void *at, int fd, size_t offset, size_t bytes)
{
    return mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE | MAP_FIXED, fd, (off_t)offset) != MAP_FAILED;
}

bool stepi_pages_leave_file(void *at, size_t bytes, stepi_pages_hold_t what)
{
    void *pages = map(bytes, MAP_NORESERVE);
    if (pages == NULL)
        return false;
    if (what == STEPI_PAGES_COPY)
        memcpy(pages, at, bytes);
    return mremap(pages, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, at) != MAP_FAILED;
}

void stepi_pages_unmap(void *pages, size_t bytes)
{
    munmap(pages, bytes);
}

void stepi_pages_wipe_on_fork(void *pages, size_t bytes)
{
    const int saved = errno;
    madvise(pages, bytes, MADV_WIPEONFORK);
    errno = saved;
}

size_t stepi_page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

int stepi_thread_start(pthread_t *thread, void *(*run)(void *), void *argument)
{
    static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE };
    sigset_t all, before;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        sigdelset(&all, faults[i]); /* blocked, a fault would end the process past all handlers */
    pthread_sigmask(SIG_SETMASK, &all, &before); /* inherited: there is no moment in which a signal could land there */
    const int failed = pthread_create(thread, NULL, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

/* Of another thread it would open a file in /proc, which a program that is started meanwhile would inherit. */
void stepi_thread_set_name(const char *name)
{
    pthread_setname_np(pthread_self(), name);
}

uint32_t stepi_thread_id(void)
{
    return (uint32_t)syscall(SYS_gettid);
}

bool stepi_barrier_init(void)
{
    const int saved = errno;
    const long result = syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
    errno = saved;
    return result == 0;
}

void stepi_barrier(void)
{
    const int saved = errno;
    syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
    errno = saved;
}

void stepi_random_seed(uint64_t seed[2])
{
    const int saved = errno;
    if (getrandom(seed, 2 * sizeof(uint64_t), GRND_NONBLOCK) != (ssize_t)(2 * sizeof(uint64_t))) {
        seed[0] = (uint64_t)stepi_wall_ns() * UINT64_C(0x9E3779B97F4A7C15);
        seed[1] = (uint64_t)stepi_monotonic_ns() ^ (uint64_t)(uintptr_t)seed ^ (uint64_t)stepi_thread_id() << 32;
    }
    seed[1] |= (seed[0] | seed[1]) == 0;
    errno = saved;
}
