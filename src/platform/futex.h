/* Waiting without spinning: the Linux futex, and the lock we build on it.
 *
 * Why not pthread mutexes: after fork() a child may not destroy or re-initialise a mutex that another thread held; a futex
 * lock is a word that the child sets to 0. And it can be waited for with a bound on the monotonic clock. */
#ifndef STEPI_PLATFORM_FUTEX_H
#define STEPI_PLATFORM_FUTEX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define STEPI_FOREVER INT64_MAX

/* Sleeps while *word == expected, at most so long. May return early for no reason. Preserves errno. */
void stepi_futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t timeout_ns);
void stepi_futex_wake(_Atomic uint32_t *word, int waiters);
void stepi_sleep(int64_t ns);

/* Zero is unlocked. Not recursive. */
typedef struct stepi_lock {
    _Atomic uint32_t word; /* 0 free, 1 taken, 2 taken and somebody sleeps */
} stepi_lock_t;

void stepi_lock_take(stepi_lock_t *lock);
bool stepi_lock_take_within(stepi_lock_t *lock, int64_t timeout_ns);
void stepi_lock_release(stepi_lock_t *lock);

#endif
