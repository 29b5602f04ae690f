/* Text that grows, up to a maximum it is born with. What finds no room or no memory is left out whole, and `failed` says so. */
#ifndef STEPI_TESTING_STRBUF_H
#define STEPI_TESTING_STRBUF_H

#include <step_logger.h>

typedef struct stepi_strbuf {
    char *bytes; /* NUL-terminated, once something was put */
    size_t used, capacity, max;
    bool failed;
} stepi_strbuf_t;

/* Empty, for at most `max` bytes. */
stepi_strbuf_t stepi_strbuf(size_t max);

/* For what has no limit but memory. */
#define STEPI_STRBUF_MAX ((size_t)PTRDIFF_MAX)

/* False, with ENOSPC or ENOMEM, when it found no place. */
bool stepi_strbuf_put(stepi_strbuf_t *b, const char *bytes, size_t length);
void stepi_strbuf_text(stepi_strbuf_t *b, const char *text);
void stepi_strbuf_format(stepi_strbuf_t *b, const char *format, ...) STEPI_PRINTF(2, 3);

/* Never NULL. */
const char *stepi_strbuf_get(const stepi_strbuf_t *b);

void stepi_strbuf_clear(stepi_strbuf_t *b); /* keeps its memory */
void stepi_strbuf_free(stepi_strbuf_t *b);  /* it can be put into again */

#endif
