/* Opening a file to append to, in a world where others can make files and links, too. */
#ifndef STEPI_SINK_OPEN_H
#define STEPI_SINK_OPEN_H

#include <sys/stat.h>

/* `path` as seen from the working directory of now; no link is resolved. The caller frees it. NULL and errno:
 * ENAMETOOLONG, ENOMEM, or what getcwd() says. */
char *stepi_path_absolute(const char *path);

/* A descriptor of our own, above the standard three, close-on-exec, that appends to the regular file or character device
 * at `path`; a missing file is made with mode 0640 less umask. *status is what fstat() says of it. -1 and errno, and nothing
 * was opened for writing:
 *   EISDIR   a directory            EINVAL  a FIFO, socket or block device
 *   ELOOP    a symbolic link in a directory that is sticky or that everybody may write to, or too many links
 *   EPERM    a file in such a directory that is not ours or has more than one link
 * and whatever open() says. Never waits for a peer. */
int stepi_open_append(const char *path, struct stat *status);

#endif
