/* Logs as blocks of whole lines.
 *
 *     file     |--- block 0 ---|--- block 1 ---|---  a line belongs to the block in which it begins
 *     stream   read, read ...  → the same blocks, what is left of a line goes before the next read
 *
 * Regular files are read with pread() by whichever thread wants the next block, without a lock: no page of them is mapped, so that a
 * file that shrinks meanwhile is a short read and no signal, and memory is a few blocks whatever the size. Pipes, and what zlib
 * unpacks, are read one after the other under the lock. A line that is longer than STEPI_LINE_MAX is stepped over and counted. */
#ifndef STEPI_STEPLOG_INPUT_H
#define STEPI_STEPLOG_INPUT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STEPI_BLOCK_BYTES = 512 * 1024 };

typedef struct stepi_block {
    char *bytes;
    size_t capacity;
    size_t start, end; /* bytes[start..end) are whole lines; the last one of a log may lack its line feed */
    uint64_t number;   /* from 0, over all logs */
    uint32_t log;      /* index of the log */
    uint64_t offset;   /* regular files: where bytes[start] lies */
    uint64_t overlong; /* lines that were stepped over */
    int error;         /* 0, or the errno of what could not be read, or held */
    bool begins_log;   /* it is the first of its log */
    bool holds_log;    /* the log stays open until the block is filled again */
} stepi_block_t;

typedef struct stepi_input stepi_input_t;

/* `-` is standard input; no names at all, too. Returns NULL without memory. */
stepi_input_t *stepi_input_open(const char *const *names, size_t count);
void stepi_input_close(stepi_input_t *input);

/* The next block; false at the end of all logs. Any thread may ask. Logs that cannot be read are reported on stderr, once, and
 * counted. */
bool stepi_input_next(stepi_input_t *input, stepi_block_t *block);
void stepi_input_block_free(stepi_block_t *block);

/* Reads bytes that lie before a block of a regular file: at most to[0..bytes), those that end at `offset`. Returns how many. */
size_t stepi_input_before(stepi_input_t *input, uint32_t log, uint64_t offset, char *to, size_t bytes);
bool stepi_input_can_look_back(stepi_input_t *input, uint32_t log);

size_t stepi_input_failures(const stepi_input_t *input);

/* A lock that is held for moments alone: who finds it taken looks again before he sleeps. */
void stepi_init_lock(pthread_mutex_t *lock);

/* How far it is: bytes of all regular files, and how many of them were handed out. 0: not known. */
void stepi_input_progress(stepi_input_t *input, uint64_t *done, uint64_t *total);

#endif
