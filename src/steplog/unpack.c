#include "steplog/unpack.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef STEPI_HAVE_ZLIB
#include <zlib.h>
#endif

/* A pipe cannot be looked at without taking from it. So the first bytes are kept, and handed out first. */
enum { HEAD = 6, PACKED = 64 * 1024 };

struct stepi_unpacker {
    int fd;
    char head[HEAD];
    size_t head_bytes, head_used;
    bool is_packed;
#ifdef STEPI_HAVE_ZLIB
    z_stream stream;
    bool in_member; /* begun, not ended */
    bool is_broken;
    unsigned char packed[PACKED];
#endif
};

static size_t read_head(int fd, char *head)
{
    size_t done = 0;
    while (done < HEAD) {
        const ssize_t n = read(fd, head + done, HEAD - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    return done;
}

static const char *refusal(const char *head, size_t bytes)
{
    if (bytes >= 4 && memcmp(head, "\x28\xB5\x2F\xFD", 4) == 0)
        return "is packed with zstd: unpack it first (zstdcat FILE | steplog ...)";
    if (bytes >= 6 && memcmp(head,
                             "\xFD"
                             "7zXZ",
                             6) == 0)
        return "is packed with xz: unpack it first (xzcat FILE | steplog ...)";
    if (bytes >= 3 && memcmp(head, "BZh", 3) == 0)
        return "is packed with bzip2: unpack it first (bzcat FILE | steplog ...)";
#ifndef STEPI_HAVE_ZLIB
    if (bytes >= 2 && memcmp(head, "\x1F\x8B", 2) == 0)
        return "is packed with gzip, and this steplog was built without zlib (zcat FILE | steplog ...)";
#endif
    return NULL;
}

const char *stepi_unpacker_make(int fd, stepi_unpacker_t **out)
{
    char head[HEAD];
    const off_t start = lseek(fd, 0, SEEK_CUR);
    errno = 0;
    const size_t bytes = read_head(fd, head);
    if (bytes == 0 && errno != 0)
        return strerror(errno);
    const char *why = refusal(head, bytes);
    const bool is_gzip = bytes >= 2 && memcmp(head, "\x1F\x8B", 2) == 0;
    const bool is_back = start >= 0 && lseek(fd, start, SEEK_SET) == start;
    *out = NULL;
    if (why != NULL || (is_back && !is_gzip))
        return why;
    stepi_unpacker_t *unpacker = calloc(1, sizeof(*unpacker));
    if (unpacker == NULL)
        return "no memory";
    unpacker->fd = fd;
    unpacker->is_packed = is_gzip;
    if (!is_back) {
        memcpy(unpacker->head, head, bytes);
        unpacker->head_bytes = bytes;
    }
    *out = unpacker;
#ifdef STEPI_HAVE_ZLIB
    if (is_gzip && inflateInit2(&unpacker->stream, 15 + 16) != Z_OK) {
        free(unpacker);
        *out = NULL;
        return "no memory";
    }
    unpacker->in_member = is_gzip;
#endif
    return NULL;
}

void stepi_unpacker_free(stepi_unpacker_t *unpacker)
{
#ifdef STEPI_HAVE_ZLIB
    if (unpacker != NULL && unpacker->is_packed)
        inflateEnd(&unpacker->stream);
#endif
    free(unpacker);
}

static ssize_t read_raw(stepi_unpacker_t *u, void *to, size_t bytes)
{
    const size_t left = u->head_bytes - u->head_used;
    if (left == 0)
        return read(u->fd, to, bytes);
    const size_t n = left < bytes ? left : bytes;
    memcpy(to, u->head + u->head_used, n);
    u->head_used += n;
    return (ssize_t)n;
}

#ifdef STEPI_HAVE_ZLIB
/* Fills the packed side. 0 at the end of the file, -1 with errno. */
static ssize_t refill(stepi_unpacker_t *u)
{
    ssize_t n;
    do
        n = read_raw(u, u->packed, sizeof(u->packed));
    while (n < 0 && errno == EINTR);
    if (n > 0) {
        u->stream.next_in = u->packed;
        u->stream.avail_in = (uInt)n;
    }
    return n;
}

/* gzip files may be several, one behind the other. What follows the last and is no gzip is padding. */
static bool begin_next_member(stepi_unpacker_t *u)
{
    if (u->stream.next_in[0] != 0x1F || inflateReset(&u->stream) != Z_OK)
        return false;
    u->in_member = true;
    return true;
}

/* Something to unpack is there. False: no more; *failed if the file could not be read. */
static bool has_packed(stepi_unpacker_t *u, const char **why, bool *failed)
{
    const ssize_t n = u->stream.avail_in > 0 ? 1 : refill(u);
    *failed = n < 0;
    if (n == 0 && u->in_member)
        *why = "the gzip file ends too early; read up to there";
    return n > 0 && (u->in_member || begin_next_member(u));
}

static bool inflate_some(stepi_unpacker_t *u, const char **why)
{
    const int result = inflate(&u->stream, Z_NO_FLUSH);
    if (result == Z_STREAM_END)
        u->in_member = false;
    else if (result != Z_OK && result != Z_BUF_ERROR)
        *why = "the gzip file is damaged; read up to there";
    return *why == NULL;
}

static ssize_t unpack_gzip(stepi_unpacker_t *u, char *to, size_t bytes, const char **why)
{
    bool failed = false;
    u->stream.next_out = (unsigned char *)to;
    u->stream.avail_out = (uInt)(bytes < UINT32_MAX ? bytes : UINT32_MAX);
    const uInt wanted = u->stream.avail_out;
    while (u->stream.avail_out > 0 && !u->is_broken)
        u->is_broken = !has_packed(u, why, &failed) || !inflate_some(u, why);
    return failed ? -1 : (ssize_t)(wanted - u->stream.avail_out);
}
#endif

ssize_t stepi_unpack(stepi_unpacker_t *unpacker, char *to, size_t bytes, const char **why)
{
#ifdef STEPI_HAVE_ZLIB
    if (unpacker->is_packed)
        return unpack_gzip(unpacker, to, bytes, why);
#else
    (void)why;
#endif
    return read_raw(unpacker, to, bytes);
}
