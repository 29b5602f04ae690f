/* The floors: the least that a call can do, the least that a line of text can cost, and what programs do today. */
#include "players.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void nothing(int i)
{
    (void)i;
}

/* ---- One time stamp and a copy of 128 bytes into a ring of the size of ours ---- */

static unsigned char ring[BENCH_RING + 4096];
static uint64_t ring_at;

static uint64_t ticks(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#else
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_nsec;
#endif
}

static void copy(int i)
{
    unsigned char record[128];
    const uint64_t now = ticks();
    memset(record, i, sizeof(record));
    memcpy(record, &now, sizeof(now));
    memcpy(ring + (ring_at & (BENCH_RING - 1)), record, sizeof(record));
    __atomic_store_n(&ring_at, ring_at + sizeof(record), __ATOMIC_RELEASE);
}

/* ---- The line by hand: this line alone, nothing escaped, into a block that write(2) takes when it is full ---- */

enum { BLOCK = 256 * 1024, LINE_MAX = 256 };

static char block[BLOCK + LINE_MAX];
static size_t used;
static int fd = -1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void open_fd(const char *path)
{
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0)
        exit(1);
}

static void write_block(void)
{
    if (write(fd, block, used) != (ssize_t)used)
        exit(1);
    used = 0;
}

static char *put_text(char *to, const char *text)
{
    const size_t n = strlen(text);
    memcpy(to, text, n);
    return to + n;
}

static char *put_number(char *to, unsigned v)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
                                "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
                                "8081828384858687888990919293949596979899";
    char digits[12];
    char *at = digits + sizeof(digits);
    for (; v >= 100; v /= 100)
        memcpy(at -= 2, pairs + 2 * (v % 100), 2);
    if (v >= 10)
        memcpy(at -= 2, pairs + 2 * v, 2);
    else
        *--at = (char)('0' + v);
    const size_t n = (size_t)(digits + sizeof(digits) - at);
    memcpy(to, at, n);
    return to + n;
}

/* The tenths are right for durations of this size; ours are for all. */
static char *put_tenths(char *to, double v)
{
    const unsigned tenths = (unsigned)(v * 10 + 0.5);
    to = put_number(to, tenths / 10);
    *to++ = '.';
    *to++ = (char)('0' + tenths % 10);
    return to;
}

static void text(int i)
{
    char *to = block + used;
    to = put_text(to, "[INFO] ✅ [");
    to = put_number(to, BENCH_STEP);
    *to++ = '/';
    to = put_number(to, BENCH_STEPS);
    to = put_text(to, "] " BENCH_DESCRIPTION " - SUCCESS (raw_count=");
    to = put_number(to, (unsigned)i);
    to = put_text(to, ", status_code=");
    to = put_number(to, BENCH_STATUS);
    to = put_text(to, ", provider=" BENCH_PROVIDER ", duration_ms=");
    to = put_tenths(to, BENCH_DURATION);
    to = put_text(to, ")\n");
    used = (size_t)(to - block);
    if (used >= BLOCK)
        write_block();
}

/* For several threads. */
static void locked_text(int i)
{
    pthread_mutex_lock(&lock);
    text(i);
    pthread_mutex_unlock(&lock);
}

static void close_fd(void)
{
    write_block();
    close(fd);
}

/* ---- fprintf into a buffer of 256 KiB ---- */

static FILE *stream;

static void open_stream(const char *path)
{
    stream = fopen(path, "w");
    if (stream == NULL)
        exit(1);
    setvbuf(stream, NULL, _IOFBF, BLOCK);
}

static void print(int i)
{
    fprintf(stream, "[INFO] ✅ [%d/%d] %s - SUCCESS (raw_count=%d, status_code=%d, provider=%s, duration_ms=%.1f)\n", BENCH_STEP,
            BENCH_STEPS, BENCH_DESCRIPTION, i, BENCH_STATUS, BENCH_PROVIDER, BENCH_DURATION);
}

static void close_stream(void)
{
    fclose(stream);
}

const player_t floor_nothing = { .name = "nothing", .call = nothing };
const player_t floor_copy = { .name = "copy", .call = copy };
const player_t floor_text = { .name = "text", .open = open_fd, .call = text, .close = close_fd };
const player_t floor_locked_text = { .name = "locked_text", .open = open_fd, .call = locked_text, .close = close_fd };
const player_t floor_fprintf = { .name = "fprintf", .open = open_stream, .call = print, .close = close_stream };
