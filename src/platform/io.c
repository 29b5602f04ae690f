#include "platform/io.h"

#include "platform/clock.h"
#include "platform/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_NS INT64_C(2000000000)
#define WAIT_MS 100
#define WAITS_MAX 20 /* as long as PATIENCE_NS, for hosts whose clock stands still */
#define INTERRUPTIONS_MAX 100
#define CRASH_WAIT_MS 200

void stepi_signals_hold(stepi_signals_t *held)
{
    sigset_t ours, pending;
    sigemptyset(&ours);
    sigaddset(&ours, SIGPIPE);
    sigaddset(&ours, SIGXFSZ);
    if (pthread_sigmask(SIG_BLOCK, &ours, &held->before) != 0)
        sigfillset(&held->before); /* then there is nothing to restore */
    held->pipe_was_pending = false;
    held->size_was_pending = false;
    /* A signal that was not blocked cannot have been pending for this thread: spare the question. */
    if (sigismember(&held->before, SIGPIPE) != 1 && sigismember(&held->before, SIGXFSZ) != 1)
        return;
    sigemptyset(&pending);
    sigpending(&pending); /* cannot fail */
    held->pipe_was_pending = sigismember(&pending, SIGPIPE) == 1;
    held->size_was_pending = sigismember(&pending, SIGXFSZ) == 1;
}

/* The kernel sends both signals to the thread that wrote, and sigtimedwait() takes a thread's own first: a SIGPIPE that
 * someone sends to the process meanwhile stays for whom it is meant. */
static void consume(int signal_number)
{
    const int saved = errno;
    const struct timespec now = { 0 };
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, signal_number);
    while (sigtimedwait(&one, NULL, &now) < 0 && errno == EINTR)
        ;
    errno = saved;
}

void stepi_signals_release(const stepi_signals_t *held, int error)
{
    if (error == EPIPE && !held->pipe_was_pending)
        consume(SIGPIPE);
    if (error == EFBIG && !held->size_was_pending)
        consume(SIGXFSZ);
    if (sigismember(&held->before, SIGPIPE) != 1 || sigismember(&held->before, SIGXFSZ) != 1)
        pthread_sigmask(SIG_SETMASK, &held->before, NULL);
}

/* How long a descriptor has not taken a byte. All zero: it just did. */
typedef struct stall {
    int64_t since_ns;
    unsigned tries;
    unsigned refusals; /* it said it was ready and took nothing */
    unsigned waits;    /* that ended with nothing ready */
} stall_t;

/* Waits until another try makes sense; false when none does. */
static bool may_try_again(int fd, int error, stall_t *stall)
{
    if (error != EINTR && error != EAGAIN)
        return false;
    const int64_t now = stepi_monotonic_ns();
    if (stall->tries++ == 0)
        stall->since_ns = now;
    if (now - stall->since_ns >= PATIENCE_NS || stall->waits >= WAITS_MAX)
        return false;
    if (error == EINTR)
        return true;
    struct pollfd room = { .fd = fd, .events = POLLOUT };
    const int ready = poll(&room, 1, WAIT_MS);
    if (ready == 0)
        stall->waits++;
    else if (ready > 0 && stall->refusals++ > 0)
        poll(NULL, 0, 1); /* some sockets do that for long: do not spin */
    return true;
}

/* How much may be written at once. In the crash handler, which waits for nobody, a pipe gets what it certainly takes, and 0 is what
 * takes nothing. */
static size_t write_limit(int fd, size_t len)
{
    struct stat status;
    struct pollfd room = { .fd = fd, .events = POLLOUT };
    if (!stepi_is_crashing || (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)))
        return len;
    if (poll(&room, 1, CRASH_WAIT_MS) <= 0)
        return 0;
    return len < PIPE_BUF ? len : PIPE_BUF;
}

static ssize_t write_after_newline(int fd, const char *bytes, size_t len)
{
    char newline = '\n';
    const struct iovec parts[2] = {
        { .iov_base = &newline, .iov_len = 1 },
        { .iov_base = (void *)(uintptr_t)bytes, .iov_len = len }, /* only read */
    };
    return writev(fd, parts, 2);
}

int stepi_write_lines(int fd, const char *bytes, size_t len, size_t *taken, bool *torn)
{
    bool newline = *torn && len > 0;
    size_t done = 0;
    int error = 0;
    stall_t stall = { 0 };
    while (done < len) {
        const size_t limit = write_limit(fd, len - done);
        if (limit == 0) {
            error = ETIMEDOUT;
            break;
        }
        const ssize_t n = newline ? write_after_newline(fd, bytes, limit) : write(fd, bytes + done, limit);
        if (n > 0) {
            done += (size_t)n - (newline ? 1 : 0);
            *torn = false;
            newline = false;
            stall = (stall_t){ 0 };
            continue;
        }
        error = n == 0 ? EIO : errno; /* 0 of more than 0 bytes is no answer that repeating would improve */
        if (!may_try_again(fd, error, &stall))
            break;
    }
    if (done > 0)
        *torn = bytes[done - 1] != '\n';
    *taken = done;
    return done < len ? error : 0;
}

int stepi_write_all(int fd, const char *bytes, size_t len, size_t *taken)
{
    bool torn = false;
    return stepi_write_lines(fd, bytes, len, taken, &torn);
}

bool stepi_write_small(int fd, const void *bytes, size_t len)
{
    size_t taken;
    stepi_signals_t held;
    stepi_signals_hold(&held);
    const int error = stepi_write_all(fd, bytes, len, &taken);
    stepi_signals_release(&held, error);
    if (error != 0)
        errno = error;
    return error == 0;
}

int stepi_allocate(int fd, off_t offset, size_t bytes)
{
    int error;
    int tries = 0;
    stepi_signals_t held;
    stepi_signals_hold(&held);
    do
        error = posix_fallocate(fd, offset, (off_t)bytes);
    while (error == EINTR && ++tries < INTERRUPTIONS_MAX);
    stepi_signals_release(&held, error);
    return error;
}

int stepi_open_at(int dir, const char *path, int flags, mode_t mode)
{
    int fd = -1;
    int tries = 0;
    do
        fd = openat(dir, path, flags, mode);
    while (fd < 0 && errno == EINTR && ++tries < INTERRUPTIONS_MAX);
    return fd;
}
