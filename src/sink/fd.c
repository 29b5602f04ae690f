/* A descriptor that belongs to the application: borrowed, its flags never changed (other processes may share the open
 * file), never closed. O_NONBLOCK, if someone set it, is lived with. */
#include "sink/sink.h"

#include "platform/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct fd_sink {
    step_sink_t sink;
    int fd;
    bool torn; /* what we wrote last ends inside a line */
} fd_sink_t;

static int fd_write(step_sink_t *sink, const char *bytes, size_t len, size_t *taken)
{
    fd_sink_t *self = (fd_sink_t *)sink;
    stepi_signals_t held;
    stepi_signals_hold(&held);
    const int error = stepi_write_lines(self->fd, bytes, len, taken, &self->torn);
    stepi_signals_release(&held, error);
    return error;
}

static bool fd_place(const step_sink_t *sink, stepi_sink_place_t *out)
{
    return stepi_place_of(((const fd_sink_t *)sink)->fd, out);
}

static void fd_close(step_sink_t *sink)
{
    free(sink);
}

/* What cannot be told counts as blocking: a thread too many costs less than a backend that hangs. */
static bool may_block(int fd)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return true;
    if (S_ISCHR(status.st_mode))
        return isatty(fd) == 1;
    return !S_ISREG(status.st_mode);
}

step_sink_t *step_sink_fd(int fd)
{
    const int flags = fcntl(fd, F_GETFL);
    if (flags < 0)
        return NULL;
    if ((flags & O_ACCMODE) == O_RDONLY || (flags & O_PATH) != 0) {
        errno = EBADF; /* what each write would say */
        return NULL;
    }
    fd_sink_t *self = calloc(1, sizeof(*self));
    if (self == NULL)
        return NULL;
    const int saved = errno;
    self->sink.write = fd_write;
    self->sink.close = fd_close;
    self->sink.place = fd_place;
    self->sink.may_block = may_block(fd);
    self->fd = fd;
    errno = saved; /* isatty() says no through it */
    return &self->sink;
}
