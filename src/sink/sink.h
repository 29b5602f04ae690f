/* The sink interface: where blocks of whole lines go. */
#ifndef STEPI_SINK_SINK_H
#define STEPI_SINK_SINK_H

#include <step_logger.h>

/* Where the next write to a regular file begins. */
typedef struct stepi_sink_place {
    int fd;
    uint64_t device, inode, offset;
} stepi_sink_place_t;

/* A sink is used by one thread at a time: the backend or, where it may block, its own writer thread. Subtypes embed it
 * first. Errors are errno values, positive. */
struct step_sink {
    /* Writes bytes[0..len) and sets *taken to how many the destination has: len and 0 on success, less and an errno value
     * otherwise. Retries EINTR, short writes and EAGAIN (poll) by itself. What it did not take goes on at the beginning of a
     * line, if at all: a line of which a part was taken is torn, and the sink ends it before whatever it writes next. */
    int (*write)(step_sink_t *sink, const char *bytes, size_t len, size_t *taken);
    int (*flush)(step_sink_t *sink);  /* NULL: nothing to do */
    int (*reopen)(step_sink_t *sink); /* NULL: nothing to do */
    void (*close)(step_sink_t *sink); /* frees it, too */
    bool (*place)(const step_sink_t *sink, stepi_sink_place_t *out); /* false: it is no regular file; NULL: never */
    bool may_block;                   /* a pipe, terminal, socket or user code: needs a thread of its own */
    bool calls_user;                  /* its code is the user's */
};

/* The place of a descriptor, if it is a regular file. Preserves errno. */
bool stepi_place_of(int fd, stepi_sink_place_t *out);

#endif
