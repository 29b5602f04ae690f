/* Text kept in memory, for tests and for hosts that show their own log.
 *
 *     chunks   [0] 4 KiB  [1] 8 KiB  [2] 16 KiB ...  as many as it takes, together never more than max_bytes
 *               └──────────── used ────────┘
 *
 * One thread writes, another may read at the same time. Text is only ever appended and never moves: the writer fills bytes
 * behind `used` and then publishes them by moving it, the reader copies what lies before it. No lock stands between them,
 * so that a reader never holds up the log, and a fork() in the middle of a write leaves the child no lock that nobody will
 * release. Never write before `used`; never free a chunk before close. */
#include "sink/sink.h"

#include "platform/futex.h"
#include "platform/memory.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES ((size_t)4096)
#define CHUNKS_MAX 52 /* doubling from FIRST_BYTES, they hold any MAX_BYTES */
#define MAX_BYTES ((size_t)PTRDIFF_MAX)

typedef struct memory_sink {
    step_sink_t sink;
    size_t max_bytes;
    char *chunks[CHUNKS_MAX];
    _Atomic size_t used;
    stepi_lock_t readers; /* guards what follows: two threads may ask at once */
    char *copy;           /* what the last one got, NUL-terminated */
    size_t copied;
} memory_sink_t;

/* Where in the text a chunk begins; the end of the text for those that max_bytes does not allow. */
static size_t chunk_start(const memory_sink_t *self, size_t index)
{
    size_t start = 0;
    for (size_t bytes = FIRST_BYTES; index > 0 && start < self->max_bytes; index--) {
        start = bytes < self->max_bytes - start ? start + bytes : self->max_bytes;
        bytes *= 2;
    }
    return start;
}

/* The bytes [from, to) of the text, as far as they lie in one chunk. */
typedef struct span {
    char *at;
    size_t bytes;
} span_t;

static span_t span_at(const memory_sink_t *self, size_t from, size_t to)
{
    size_t index = 0;
    size_t start = 0;
    size_t end = chunk_start(self, 1);
    while (end <= from) {
        start = end;
        index++;
        end = chunk_start(self, index + 1);
    }
    return (span_t){ .at = self->chunks[index] + (from - start), .bytes = (end < to ? end : to) - from };
}

static bool make_room(memory_sink_t *self, size_t end)
{
    size_t start = 0;
    for (size_t index = 0; start < end; index++) {
        const size_t next = chunk_start(self, index + 1);
        if (self->chunks[index] == NULL)
            self->chunks[index] = stepi_alloc(next - start);
        if (self->chunks[index] == NULL)
            return false;
        start = next;
    }
    return true;
}

static size_t whole_lines(const char *bytes, size_t len)
{
    const char *last = len == 0 ? NULL : memrchr(bytes, '\n', len);
    return last == NULL ? 0 : (size_t)(last - bytes) + 1;
}

static int memory_write(step_sink_t *sink, const char *bytes, size_t len, size_t *taken)
{
    memory_sink_t *self = (memory_sink_t *)sink;
    /* relaxed: only we, the one writer, move it */
    const size_t used = atomic_load_explicit(&self->used, memory_order_relaxed);
    const size_t room = self->max_bytes - used;
    const size_t fitting = len <= room ? len : whole_lines(bytes, room);
    *taken = 0;
    if (!make_room(self, used + fitting))
        return ENOMEM;
    for (size_t done = 0; done < fitting;) {
        const span_t span = span_at(self, used + done, used + fitting);
        memcpy(span.at, bytes + done, span.bytes);
        done += span.bytes;
    }
    /* release: who sees the new length sees the bytes and the chunks that hold them */
    atomic_store_explicit(&self->used, used + fitting, memory_order_release);
    *taken = fitting;
    return fitting < len ? ENOSPC : 0;
}

static void memory_close(step_sink_t *sink)
{
    memory_sink_t *self = (memory_sink_t *)sink;
    for (size_t i = 0; i < CHUNKS_MAX; i++)
        stepi_free(self->chunks[i]);
    free(self->copy);
    free(self);
}

step_sink_t *step_sink_memory(size_t max_bytes)
{
    memory_sink_t *self = calloc(1, sizeof(*self));
    if (self == NULL)
        return NULL;
    self->sink.write = memory_write;
    self->sink.close = memory_close;
    self->max_bytes = max_bytes < MAX_BYTES ? max_bytes : MAX_BYTES;
    return &self->sink;
}

/* The text grows at its end only, so a copy is brought up to date by what is new. */
static const char *bring_up_to_date(memory_sink_t *self)
{
    /* acquire: the bytes before it, and their chunks, are there to read */
    const size_t used = atomic_load_explicit(&self->used, memory_order_acquire);
    if (used == self->copied)
        return self->copy == NULL ? "" : self->copy;
    char *copy = realloc(self->copy, used + 1);
    if (copy == NULL)
        return "";
    self->copy = copy;
    while (self->copied < used) {
        const span_t span = span_at(self, self->copied, used);
        memcpy(copy + self->copied, span.at, span.bytes);
        self->copied += span.bytes;
    }
    copy[used] = '\0';
    return copy;
}

const char *step_sink_memory_text(step_sink_t *memory)
{
    if (memory == NULL || memory->write != memory_write)
        return "";
    memory_sink_t *self = (memory_sink_t *)memory;
    stepi_lock_take(&self->readers);
    const char *text = bring_up_to_date(self);
    stepi_lock_release(&self->readers);
    return text;
}
