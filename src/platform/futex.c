#include "platform/futex.h"

#include "platform/clock.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void stepi_futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t timeout_ns)
{
    const int saved = errno;
    const struct timespec timeout = { .tv_sec = (time_t)(timeout_ns / 1000000000),
                                      .tv_nsec = (long)(timeout_ns % 1000000000) };
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, timeout_ns == STEPI_FOREVER ? NULL : &timeout, NULL, 0);
    errno = saved;
}

void stepi_futex_wake(_Atomic uint32_t *word, int waiters)
{
    const int saved = errno;
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, waiters, NULL, NULL, 0);
    errno = saved;
}

void stepi_sleep(int64_t ns)
{
    _Atomic uint32_t nobody_wakes = 0;
    stepi_futex_wait(&nobody_wakes, 0, ns);
}

bool stepi_lock_take_within(stepi_lock_t *lock, int64_t timeout_ns)
{
    uint32_t found = 0;
    if (atomic_compare_exchange_strong_explicit(&lock->word, &found, 1, memory_order_acquire, memory_order_relaxed))
        return true; /* acquire: what the previous holder wrote is ours to read */
    const int64_t give_up = timeout_ns == STEPI_FOREVER ? STEPI_FOREVER : stepi_monotonic_ns() + timeout_ns;
    while (atomic_exchange_explicit(&lock->word, 2, memory_order_acquire) != 0) {
        const int64_t left = give_up == STEPI_FOREVER ? STEPI_FOREVER : give_up - stepi_monotonic_ns();
        if (left <= 0)
            return false;
        stepi_futex_wait(&lock->word, 2, left);
    }
    return true;
}

void stepi_lock_take(stepi_lock_t *lock)
{
    stepi_lock_take_within(lock, STEPI_FOREVER);
}

void stepi_lock_release(stepi_lock_t *lock)
{
    /* release: the next holder sees what we wrote */
    if (atomic_exchange_explicit(&lock->word, 0, memory_order_release) == 2)
        stepi_futex_wake(&lock->word, 1);
}
