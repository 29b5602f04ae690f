/* Opening with care.
 *
 * A log is opened by name, again and again, often by a privileged process. Where others may make files, the name can be
 * made to mean another file: a link to one that only we may write, a second name of it, a FIFO that blocks us. So:
 *
 *     /var/log/app/current.log ──link──> /tmp/app.log
 *     └── directory ─┘└ name ┘           └ directory, name: the same questions again
 *
 * Links in the last component are followed by us, one at a time, never by the kernel: each directory on the way is held
 * open while we ask whether others may write to it, and the name is then opened relative to that very directory. Types are
 * asked before opening (opening a FIFO wakes its reader, opening a tape rewinds it) and again of what was opened: only the
 * second answer is trusted. */
#include "sink/open.h"

#include "platform/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as the kernel's own */
#define MODE 0640

/* O_NONBLOCK: should a FIFO or a line without carrier get past the first check, open() must not wait for it. */
#define FLAGS (O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

char *stepi_path_absolute(const char *path)
{
    if (path[0] == '/') {
        if (strlen(path) < PATH_MAX)
            return strdup(path);
        errno = ENAMETOOLONG;
        return NULL;
    }
    char *directory = getcwd(NULL, 0);
    if (directory == NULL)
        return NULL;
    const size_t before = strlen(directory);
    const size_t after = strlen(path);
    char *joined = NULL;
    int error = ENAMETOOLONG;
    if (before + 1 + after < PATH_MAX) {
        joined = malloc(before + 1 + after + 1);
        error = ENOMEM;
    }
    if (joined != NULL) {
        memcpy(joined, directory, before);
        joined[before] = '/';
        memcpy(joined + before + 1, path, after + 1);
    }
    free(directory);
    if (joined == NULL)
        errno = error;
    return joined;
}

/* For error paths: cleaning up must not hide the reason. */
static void close_quietly(int fd)
{
    const int saved = errno;
    if (fd >= 0)
        close(fd);
    errno = saved;
}

static void free_quietly(char *text)
{
    const int saved = errno;
    free(text);
    errno = saved;
}

/* The directory that holds path's last component, and that component. */
static int open_holder(int base, const char *path, const char **name)
{
    const char *slash = strrchr(path, '/');
    *name = slash == NULL ? path : slash + 1;
    if (**name == '\0') {
        errno = EISDIR;
        return -1;
    }
    char *holder = NULL;
    if (slash == NULL)
        holder = strdup(".");
    else
        holder = strndup(path, slash == path ? 1 : (size_t)(slash - path));
    if (holder == NULL)
        return -1;
    const int fd = stepi_open_at(base, holder, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    free_quietly(holder);
    return fd;
}

static char *read_link(int dir, const char *name)
{
    char *target = malloc(PATH_MAX);
    if (target == NULL)
        return NULL;
    const ssize_t n = readlinkat(dir, name, target, PATH_MAX);
    if (n > 0 && n < PATH_MAX) {
        target[n] = '\0';
        return target;
    }
    if (n >= 0)
        errno = ENAMETOOLONG;
    free_quietly(target);
    return NULL;
}

/* 0, or why this is nothing to append to. `shared`: others may write to its directory. */
static int objection(const struct stat *status, bool shared)
{
    if (S_ISDIR(status->st_mode))
        return EISDIR;
    if (S_ISCHR(status->st_mode))
        return 0;
    if (!S_ISREG(status->st_mode))
        return EINVAL;
    const bool ours = status->st_uid == geteuid() && status->st_nlink == 1;
    return shared && !ours ? EPERM : 0;
}

/* Links in /proc (/dev/stderr leads there) name open files, not paths: only the kernel can follow them. */
static bool is_procfs(int dir)
{
    struct statfs system;
    return fstatfs(dir, &system) == 0 && (unsigned long)system.f_type == PROC_SUPER_MAGIC;
}

/* Somebody may have closed 0, 1 or 2; what others then print to stdout or stderr must not land in the log. */
static int above_standard(int fd)
{
    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    const int higher = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    close_quietly(fd);
    return higher;
}

static int open_checked(int dir, const char *name, int flags, bool shared, struct stat *status)
{
    const int fd = above_standard(stepi_open_at(dir, name, flags, MODE));
    if (fd < 0)
        return -1;
    struct stat opened;
    const int error = fstat(fd, &opened) != 0 ? errno : objection(&opened, shared);
    if (error != 0) {
        close(fd);
        errno = error;
        return -1;
    }
    const int now = fcntl(fd, F_GETFL);
    if (now >= 0)
        fcntl(fd, F_SETFL, now & ~O_NONBLOCK); /* the open file is ours alone; if it fails, EAGAIN is waited out */
    *status = opened;
    return fd;
}

/* Opens `name` in `dir`. -1 with *target set: it is a link to there, which the caller frees. -1 without: see errno. */
static int open_in(int dir, const char *name, char **target, struct stat *status)
{
    struct stat holder, found;
    if (fstat(dir, &holder) != 0)
        return -1;
    const bool shared = (holder.st_mode & (S_ISVTX | S_IWOTH)) != 0;
    const bool magic = is_procfs(dir);
    if (fstatat(dir, name, &found, magic ? 0 : AT_SYMLINK_NOFOLLOW) == 0) {
        if (S_ISLNK(found.st_mode)) {
            if (shared)
                errno = ELOOP;
            else
                *target = read_link(dir, name);
            return -1;
        }
        const int error = objection(&found, shared);
        if (error != 0) {
            errno = error;
            return -1;
        }
    }
    return open_checked(dir, name, FLAGS | (magic ? 0 : O_NOFOLLOW), shared, status);
}

int stepi_open_append(const char *path, struct stat *status)
{
    char *link = NULL; /* the latest one's target */
    int base = AT_FDCWD;
    for (int links = 0; links < LINKS_MAX; links++) {
        const char *name = NULL;
        char *target = NULL;
        const int dir = open_holder(base, link == NULL ? path : link, &name);
        const int fd = dir < 0 ? -1 : open_in(dir, name, &target, status);
        free_quietly(link);
        close_quietly(base);
        if (target == NULL) {
            close_quietly(dir);
            return fd;
        }
        link = target;
        base = dir;
    }
    free(link);
    close_quietly(base);
    errno = ELOOP;
    return -1;
}
