#include "sink/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static bool find(int fd, stepi_sink_place_t *out)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        return false;
    const bool appends = (fcntl(fd, F_GETFL) & O_APPEND) != 0;
    const off_t offset = appends ? status.st_size : lseek(fd, 0, SEEK_CUR);
    *out = (stepi_sink_place_t){
        .fd = fd, .device = (uint64_t)status.st_dev, .inode = (uint64_t)status.st_ino, .offset = (uint64_t)offset
    };
    return offset >= 0;
}

bool stepi_place_of(int fd, stepi_sink_place_t *out)
{
    const int saved = errno;
    const bool found = find(fd, out);
    errno = saved;
    return found;
}
