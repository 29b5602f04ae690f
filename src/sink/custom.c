/* The application's own sink. What it does is not ours to judge: it may take long, so it gets a thread of its own. */
#include "sink/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* No version of the struct will ever be longer; a longer size is garbage, and reading that far would be a crash. */
#define OPS_BYTES_MAX ((size_t)4096)

typedef struct custom_sink {
    step_sink_t sink;
    step_sink_ops_t ops;
    void *ctx;
} custom_sink_t;

static int error_of(int result)
{
    if (result == 0)
        return 0;
    return errno > 0 ? errno : EIO;
}

static int custom_write(step_sink_t *sink, const char *bytes, size_t len, size_t *taken)
{
    const custom_sink_t *self = (const custom_sink_t *)sink;
    errno = 0; /* so that we can tell whether the callback has set it */
    const int error = len == 0 ? 0 : error_of(self->ops.write(self->ctx, bytes, len));
    *taken = error == 0 ? len : 0;
    return error;
}

static int custom_flush(step_sink_t *sink)
{
    const custom_sink_t *self = (const custom_sink_t *)sink;
    errno = 0;
    return error_of(self->ops.flush(self->ctx));
}

static void custom_close(step_sink_t *sink)
{
    custom_sink_t *self = (custom_sink_t *)sink;
    if (self->ops.close != NULL)
        self->ops.close(self->ctx);
    free(self);
}

/* Copies as many members as the caller's header had; a newer caller may have more, as long as it does not use them. */
static bool copy_ops(step_sink_ops_t *to, const step_sink_ops_t *from)
{
    const size_t size = from->size;
    if (size < offsetof(step_sink_ops_t, flush) || size > OPS_BYTES_MAX)
        return false;
    const unsigned char *bytes = (const unsigned char *)from;
    for (size_t i = sizeof(*to); i < size; i++) {
        if (bytes[i] != 0)
            return false;
    }
    *to = (step_sink_ops_t){ .size = sizeof(*to), .write = from->write };
    if (size >= offsetof(step_sink_ops_t, close))
        to->flush = from->flush;
    if (size >= sizeof(*to))
        to->close = from->close;
    return to->write != NULL;
}

step_sink_t *step_sink_custom(const step_sink_ops_t *ops, void *ctx)
{
    step_sink_ops_t copied;
    if (ops == NULL || !copy_ops(&copied, ops)) {
        errno = EINVAL;
        return NULL;
    }
    custom_sink_t *self = calloc(1, sizeof(*self));
    if (self == NULL)
        return NULL;
    self->sink.write = custom_write;
    self->sink.flush = copied.flush == NULL ? NULL : custom_flush;
    self->sink.close = custom_close;
    self->sink.may_block = true;
    self->sink.calls_user = true;
    self->ops = copied;
    self->ctx = ctx;
    return &self->sink;
}
