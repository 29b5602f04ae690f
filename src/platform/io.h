/* Opening files, and writing to descriptors without dying of it. No stdio: its buffers lie about what was written. */
#ifndef STEPI_PLATFORM_IO_H
#define STEPI_PLATFORM_IO_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* SIGPIPE and SIGXFSZ kept away from this thread during a batch of writes. The application's dispositions are never
 * touched: they are its own, and process-wide. */
typedef struct stepi_signals {
    sigset_t before;
    bool pipe_was_pending;
    bool size_was_pending;
} stepi_signals_t;

/* Two system calls per pair, three after an error. `error` is the one errno value that the batch met, or 0: the signal
 * that the kernel sent along with it is consumed, unless one was already pending before. Both preserve errno. */
void stepi_signals_hold(stepi_signals_t *held);
void stepi_signals_release(const stepi_signals_t *held, int error);

/* Writes bytes[0..len) with as few writes as the descriptor allows; *taken is how many it has, whatever the result.
 * 0, or an errno value. EINTR, short writes and a full O_NONBLOCK descriptor are waited out, up to 2 s without progress.
 * Call it with the signals held. */
int stepi_write_all(int fd, const char *bytes, size_t len, size_t *taken);

/* The same for whole lines. *torn says that the destination ends inside a line: then a '\n' goes first, in the same write,
 * and is counted nowhere. Afterwards *torn says how the destination ends now. Whoever goes on after a partial write goes on
 * with the beginning of a line. */
int stepi_write_lines(int fd, const char *bytes, size_t len, size_t *taken, bool *torn);

/* The same for a few bytes at once, with the signals held meanwhile. False: see errno. */
bool stepi_write_small(int fd, const void *bytes, size_t len);

/* Room for bytes [offset, offset + bytes) of a file, which read as zeros. 0, or an errno value. No signal comes of it. */
int stepi_allocate(int fd, off_t offset, size_t bytes);

/* openat() that does not give up at the first EINTR (network and user-space file systems). -1 and errno. */
int stepi_open_at(int dir, const char *path, int flags, mode_t mode);

#endif
