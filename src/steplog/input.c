#include "steplog/input.h"

#include "reader/reader.h"
#include "steplog/print.h"
#include "steplog/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct log_file {
    const char *name;
    int fd;
    uint64_t size; /* of a regular file that is not packed; what is appended meanwhile is not read */
    bool is_seekable;
    size_t holders; /* blocks of it that are in somebody's hands: they may still read */
    bool was_left;  /* its last block was handed out */
    bool was_reported;
} log_file_t;

struct stepi_input {
    pthread_mutex_t lock;
    log_file_t *logs;
    size_t count;
    size_t failures;

    /* Where the next block comes from, under the lock. */
    size_t current; /* the open log; count: all were read */
    bool is_open;
    uint64_t position, blocks, done, total;
    stepi_unpacker_t *unpacker; /* NULL: bytes as they are */
    char *carry;                /* streams: the beginning of a line whose end was not read yet */
    size_t carried, carry_capacity;
    bool skips_line; /* streams: the line that is too long goes on */
    bool at_end;
};

void stepi_init_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
#ifdef __GLIBC__ /* what is held so briefly is worth a moment's spinning, where that can be had */
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ADAPTIVE_NP);
#endif
    pthread_mutex_init(lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
}

/* ---- Opening ---- */

/* Under the lock. A disk that fails does so in many blocks. */
static void report(stepi_input_t *input, log_file_t *log, const char *why)
{
    if (log->was_reported)
        return;
    log->was_reported = true;
    stepi_complain(log->name, why);
    input->failures++;
}

static int open_named(const char *name)
{
    if (strcmp(name, "-") == 0)
        return STDIN_FILENO;
    return open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
}

/* With many logs descriptors would run out. */
static void close_if_done(log_file_t *log)
{
    if (!log->was_left || log->holders > 0)
        return;
    if (log->fd > STDIN_FILENO)
        close(log->fd);
    log->fd = -1;
}

/* False: it was reported, and is left out. */
static bool open_log(stepi_input_t *input, log_file_t *log)
{
    struct stat status;
    log->fd = open_named(log->name);
    if (log->fd < 0 || fstat(log->fd, &status) != 0) {
        report(input, log, strerror(errno));
        return false;
    }
    if (S_ISDIR(status.st_mode)) {
        report(input, log, "is a directory");
        return false;
    }
    const char *why = stepi_unpacker_make(log->fd, &input->unpacker);
    if (why != NULL) {
        report(input, log, why);
        return false;
    }
    /* What says that it is empty may not be: the kernel's own files. */
    log->is_seekable =
        S_ISREG(status.st_mode) && status.st_size > 0 && input->unpacker == NULL && lseek(log->fd, 0, SEEK_CUR) >= 0;
    log->size = log->is_seekable ? (uint64_t)status.st_size : 0;
    input->position = log->is_seekable ? (uint64_t)lseek(log->fd, 0, SEEK_CUR) : 0;
    input->carried = 0;
    input->skips_line = false;
    input->at_end = false;
    return true;
}

stepi_input_t *stepi_input_open(const char *const *names, size_t count)
{
    static const char *const standard[] = { "-" };
    stepi_input_t *input = calloc(1, sizeof(*input));
    if (input == NULL)
        return NULL;
    input->count = count > 0 ? count : 1;
    input->logs = calloc(input->count, sizeof(*input->logs));
    if (input->logs == NULL) {
        free(input);
        return NULL;
    }
    stepi_init_lock(&input->lock);
    for (size_t i = 0; i < input->count; i++) {
        struct stat status;
        input->logs[i] = (log_file_t){ .name = count > 0 ? names[i] : standard[i], .fd = -1 };
        if (stat(input->logs[i].name, &status) == 0 && S_ISREG(status.st_mode))
            input->total += (uint64_t)status.st_size;
    }
    return input;
}

void stepi_input_close(stepi_input_t *input)
{
    if (input == NULL)
        return;
    for (size_t i = 0; i < input->count; i++)
        if (input->logs[i].fd > STDIN_FILENO)
            close(input->logs[i].fd);
    stepi_unpacker_free(input->unpacker);
    pthread_mutex_destroy(&input->lock);
    free(input->carry);
    free(input->logs);
    free(input);
}

/* ---- Blocks ---- */

static bool reserve(stepi_block_t *block, size_t capacity)
{
    if (capacity <= block->capacity)
        return true;
    char *larger = realloc(block->bytes, capacity);
    if (larger == NULL)
        return false;
    block->bytes = larger;
    block->capacity = capacity;
    return true;
}

void stepi_input_block_free(stepi_block_t *block)
{
    free(block->bytes);
    *block = (stepi_block_t){ .bytes = NULL };
}

/* As many bytes as there are. *error is set only when it fails. */
static size_t read_at(int fd, char *to, size_t bytes, uint64_t offset, int *error)
{
    size_t done = 0;
    while (done < bytes) {
        const ssize_t n = pread(fd, to + done, bytes - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            *error = errno;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    return done;
}

/* ---- Regular files ---- */

/* Reads on until the last line of the block is whole, or too long. */
static void finish_line(const log_file_t *log, stepi_block_t *block, uint64_t end_offset)
{
    enum { PIECE = 64 * 1024 };
    const char *last = memrchr(block->bytes + block->start, '\n', block->end - block->start);
    const size_t line = last != NULL ? (size_t)(last + 1 - block->bytes) : block->start;
    while (block->end > line && block->end - line <= STEPI_LINE_MAX) {
        if (!reserve(block, block->end + PIECE))
            break;
        const size_t n = read_at(log->fd, block->bytes + block->end, PIECE, end_offset, &block->error);
        const char *found = memchr(block->bytes + block->end, '\n', n);
        if (found != NULL) {
            block->end = (size_t)(found + 1 - block->bytes);
            return;
        }
        block->end += n;
        end_offset += n;
        if (n == 0)
            return;
    }
    if (block->end > line) {
        block->end = line;
        block->overlong++;
    }
}

/* The lines that begin in the block's part of the file: a line that began before it is that block's. */
static void read_part(const log_file_t *log, stepi_block_t *block, uint64_t from, uint64_t to)
{
    const uint64_t begin = from > 0 ? from - 1 : 0; /* whether a line begins at `from`, the byte before says */
    block->start = block->end = 0;
    block->offset = begin;
    if (!reserve(block, STEPI_BLOCK_BYTES + 1)) {
        block->error = ENOMEM;
        return;
    }
    block->end = read_at(log->fd, block->bytes, (size_t)(to - begin), begin, &block->error);
    if (from > 0) {
        const char *first = memchr(block->bytes, '\n', block->end);
        block->start = first != NULL ? (size_t)(first + 1 - block->bytes) : block->end;
    }
    block->offset = begin + block->start;
    if (block->start < block->end && block->bytes[block->end - 1] != '\n')
        finish_line(log, block, begin + block->end);
}

/* ---- Streams ---- */

static size_t read_stream(stepi_input_t *input, char *to, size_t bytes)
{
    log_file_t *log = &input->logs[input->current];
    for (;;) {
        const char *why = NULL;
        const ssize_t n =
            input->unpacker != NULL ? stepi_unpack(input->unpacker, to, bytes, &why) : read(log->fd, to, bytes);
        if (n >= 0 && why == NULL)
            return (size_t)n;
        if (why == NULL && errno == EINTR)
            continue;
        report(input, log, why != NULL ? why : strerror(errno));
        return n > 0 ? (size_t)n : 0;
    }
}

/* What of a line was read goes before the next block. */
static bool keep_carry(stepi_input_t *input, const stepi_block_t *block, size_t from)
{
    const size_t bytes = block->end - from;
    if (bytes > input->carry_capacity) {
        free(input->carry);
        input->carry = malloc(bytes);
        input->carry_capacity = input->carry != NULL ? bytes : 0;
    }
    if (input->carry_capacity < bytes)
        return false;
    if (bytes > 0)
        memcpy(input->carry, block->bytes + from, bytes);
    input->carried = bytes;
    return true;
}

/* The rest of a line that was too long: up to its end, or all that there is. */
static void skip_line(stepi_input_t *input, stepi_block_t *block)
{
    const char *end = memchr(block->bytes, '\n', block->end);
    if (end != NULL || input->at_end)
        input->skips_line = false;
    block->start = end != NULL ? (size_t)(end + 1 - block->bytes) : block->end;
}

/* Fills the block up to the end of a line. */
static void read_lines(stepi_input_t *input, stepi_block_t *block)
{
    block->start = 0;
    block->end = input->carried;
    block->offset = 0;
    if (!reserve(block, input->carried + STEPI_BLOCK_BYTES)) {
        report(input, &input->logs[input->current], strerror(ENOMEM));
        input->at_end = true;
        return;
    }
    if (input->carried > 0)
        memcpy(block->bytes, input->carry, input->carried);
    input->carried = 0;
    const size_t n = read_stream(input, block->bytes + block->end, STEPI_BLOCK_BYTES);
    input->at_end = n == 0;
    block->end += n;
    if (input->skips_line)
        skip_line(input, block);
    if (input->at_end || block->start == block->end)
        return;
    const char *last = memrchr(block->bytes + block->start, '\n', block->end - block->start);
    const size_t whole = last != NULL ? (size_t)(last + 1 - block->bytes) : block->start;
    if (block->end - whole > STEPI_LINE_MAX || !keep_carry(input, block, whole)) {
        input->skips_line = true;
        block->overlong++;
    }
    block->end = whole;
}

/* ---- The next one ---- */

static bool has_more(const stepi_input_t *input)
{
    const log_file_t *log = &input->logs[input->current];
    return log->is_seekable ? input->position < log->size : !input->at_end;
}

static void leave_log(stepi_input_t *input)
{
    log_file_t *log = &input->logs[input->current];
    stepi_unpacker_free(input->unpacker);
    input->unpacker = NULL;
    input->is_open = false;
    input->current++;
    log->was_left = true;
    close_if_done(log);
}

/* Under the lock: which log the next block is of; an empty one has one block, too. False: there is none. */
static bool advance(stepi_input_t *input)
{
    if (input->is_open && has_more(input))
        return true;
    if (input->is_open)
        leave_log(input);
    while (input->current < input->count) {
        input->is_open = open_log(input, &input->logs[input->current]);
        if (input->is_open)
            return true;
        leave_log(input);
    }
    return false;
}

/* Under the lock: the block is of this log now (NULL: of none), no more of the one before. */
static void hold_log(stepi_input_t *input, stepi_block_t *block, log_file_t *log)
{
    if (block->holds_log) {
        log_file_t *before = &input->logs[block->log];
        before->holders--;
        close_if_done(before);
    }
    block->holds_log = log != NULL;
    if (log != NULL)
        log->holders++;
}

bool stepi_input_next(stepi_input_t *input, stepi_block_t *block)
{
    pthread_mutex_lock(&input->lock);
    const bool was_open = input->is_open;
    const size_t before = input->current;
    const bool has_block = advance(input);
    hold_log(input, block, has_block ? &input->logs[input->current] : NULL);
    if (!has_block) {
        pthread_mutex_unlock(&input->lock);
        return false;
    }
    const log_file_t log = input->logs[input->current];
    const uint64_t from = input->position;
    const uint64_t to = log.size - from > STEPI_BLOCK_BYTES ? from + STEPI_BLOCK_BYTES : log.size;
    block->number = input->blocks++;
    block->log = (uint32_t)input->current;
    block->begins_log = !was_open || input->current != before;
    block->overlong = 0;
    block->error = 0;
    if (log.is_seekable) {
        input->position = to;
        input->done += to - from;
    } else {
        read_lines(input, block);
    }
    pthread_mutex_unlock(&input->lock);
    if (log.is_seekable)
        read_part(&log, block, from, to);
    if (block->error != 0) {
        pthread_mutex_lock(&input->lock);
        report(input, &input->logs[block->log], strerror(block->error));
        pthread_mutex_unlock(&input->lock);
    }
    return true;
}

/* ---- Looking back ---- */

size_t stepi_input_before(stepi_input_t *input, uint32_t log, uint64_t offset, char *to, size_t bytes)
{
    int error;
    const size_t wanted = offset < bytes ? (size_t)offset : bytes;
    return read_at(input->logs[log].fd, to, wanted, offset - wanted, &error) == wanted ? wanted : 0;
}

bool stepi_input_can_look_back(stepi_input_t *input, uint32_t log)
{
    return input->logs[log].is_seekable;
}

size_t stepi_input_failures(const stepi_input_t *input)
{
    return input->failures;
}

void stepi_input_progress(stepi_input_t *input, uint64_t *done, uint64_t *total)
{
    pthread_mutex_lock(&input->lock);
    *done = input->done;
    *total = input->total;
    pthread_mutex_unlock(&input->lock);
}
