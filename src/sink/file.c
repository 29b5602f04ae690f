/* A file to append to, by itself or together with other processes.
 *
 * Every block is one write of whole lines to an O_APPEND descriptor, so that lines of several processes never mix. The one
 * thing that mixes them is a torn line: a full disk or a killed predecessor left a beginning, and the next line would be
 * glued to it. So the sink remembers that the file ends inside a line, and how long it was then: if it still is, the next
 * write begins with '\n'; if not, somebody else has gone on, and an empty line would help nobody.
 *
 * Never truncated, never synced: rotation and durability are not this sink's. */
#include "sink/sink.h"

#include "platform/io.h"
#include "sink/open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOKS_MAX 8

typedef struct file_sink {
    step_sink_t sink;
    char *path; /* absolute: a later chdir() changes nothing */
    int fd;
    bool is_regular;
    bool torn;
    off_t torn_bytes; /* with torn, of a regular file: its length then */
} file_sink_t;

static off_t length_of(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 ? status.st_size : -1;
}

/* The file's length if it ends inside a line, else -1. A last byte that cannot be read counts as torn: an empty line too
 * many is better than two lines in one. */
static off_t torn_length(int reader)
{
    const off_t length = length_of(reader);
    char last = '\0';
    if (length <= 0)
        return -1;
    const ssize_t n = pread(reader, &last, 1, length - 1);
    return n == 0 || last == '\n' ? -1 : length;
}

/* Where the file ends inside a line, or -1. A look may fall into the middle of another process's write. Seeking for data
 * takes the file's lock (reading does not, on most file systems), and so waits until that write is through; only if the
 * file did not grow meanwhile, the line is torn. */
static off_t find_tear(int reader)
{
    for (int looks = 0; looks < LOOKS_MAX; looks++) {
        const off_t length = torn_length(reader);
        if (length < 0)
            return -1;
        lseek(reader, length - 1, SEEK_DATA); /* whatever it answers */
        if (torn_length(reader) == length)
            return length;
    }
    return -1; /* others are writing all the time: whatever it was is long behind */
}

/* We may append to files that we may not read: then there is no telling, and false. */
static bool look_for_tear(const char *path, const struct stat *status, off_t *tear)
{
    struct stat seen;
    const int reader = stepi_open_at(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0);
    if (reader < 0)
        return false;
    const bool same = fstat(reader, &seen) == 0 && seen.st_dev == status->st_dev && seen.st_ino == status->st_ino;
    if (same)
        *tear = find_tear(reader);
    close(reader);
    return same;
}

static int file_write(step_sink_t *sink, const char *bytes, size_t len, size_t *taken)
{
    file_sink_t *self = (file_sink_t *)sink;
    if (self->torn && self->is_regular && length_of(self->fd) != self->torn_bytes)
        self->torn = false;
    stepi_signals_t held;
    stepi_signals_hold(&held);
    const int error = stepi_write_lines(self->fd, bytes, len, taken, &self->torn);
    stepi_signals_release(&held, error);
    if (self->torn)
        self->torn_bytes = length_of(self->fd);
    return error;
}

static bool is_same_file(int fd, const struct stat *status)
{
    struct stat old;
    return fd >= 0 && fstat(fd, &old) == 0 && old.st_dev == status->st_dev && old.st_ino == status->st_ino;
}

/* Opens the path and puts it in place of the present descriptor, if there is one; an errno value, and nothing changed. */
static int open_again(file_sink_t *self)
{
    struct stat status;
    const int fd = stepi_open_append(self->path, &status);
    if (fd < 0)
        return errno;
    const bool may_block = S_ISCHR(status.st_mode) && isatty(fd) == 1;
    if (may_block && self->fd >= 0 && !self->sink.may_block) {
        close(fd); /* whoever writes here cannot wait for a terminal */
        return EINVAL;
    }
    off_t tear = -1;
    const bool is_regular = S_ISREG(status.st_mode);
    if (is_regular && status.st_size > 0 && look_for_tear(self->path, &status, &tear)) {
        self->torn = tear >= 0;
        self->torn_bytes = tear;
    } else if (!is_same_file(self->fd, &status)) {
        self->torn = false;
    }
    if (self->fd >= 0)
        close(self->fd);
    else
        self->sink.may_block = may_block;
    self->fd = fd;
    self->is_regular = is_regular;
    return 0;
}

static int file_reopen(step_sink_t *sink)
{
    return open_again((file_sink_t *)sink);
}

static bool file_place(const step_sink_t *sink, stepi_sink_place_t *out)
{
    return stepi_place_of(((const file_sink_t *)sink)->fd, out);
}

static void file_close(step_sink_t *sink)
{
    file_sink_t *self = (file_sink_t *)sink;
    if (self->fd >= 0)
        close(self->fd);
    free(self->path);
    free(self);
}

step_sink_t *step_sink_file(const char *path)
{
    if (path == NULL || path[0] == '\0') {
        errno = path == NULL ? EINVAL : ENOENT;
        return NULL;
    }
    file_sink_t *self = calloc(1, sizeof(*self));
    if (self == NULL)
        return NULL;
    const int saved = errno;
    self->fd = -1;
    self->sink.write = file_write;
    self->sink.reopen = file_reopen;
    self->sink.place = file_place;
    self->sink.close = file_close;
    self->path = stepi_path_absolute(path);
    const int error = self->path == NULL ? errno : open_again(self);
    errno = saved;
    if (error == 0)
        return &self->sink;
    file_close(&self->sink);
    errno = error;
    return NULL;
}
