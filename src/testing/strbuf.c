#include "testing/strbuf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BYTES = 256 };

stepi_strbuf_t stepi_strbuf(size_t max)
{
    return (stepi_strbuf_t){ .max = max < STEPI_STRBUF_MAX ? max : STEPI_STRBUF_MAX };
}

/* Room for so many bytes more, and a NUL. */
static bool make_room(stepi_strbuf_t *b, size_t length)
{
    if (length >= b->max - b->used) {
        errno = ENOSPC;
        return false;
    }
    size_t capacity = b->capacity > 0 ? b->capacity : FIRST_BYTES;
    while (capacity <= b->used + length)
        capacity *= 2;
    if (capacity == b->capacity)
        return true;
    char *bytes = realloc(b->bytes, capacity);
    if (bytes == NULL)
        return false;
    b->bytes = bytes;
    b->capacity = capacity;
    return true;
}

bool stepi_strbuf_put(stepi_strbuf_t *b, const char *bytes, size_t length)
{
    if (!make_room(b, length)) {
        b->failed = true;
        return false;
    }
    if (length > 0)
        memcpy(b->bytes + b->used, bytes, length);
    b->used += length;
    b->bytes[b->used] = '\0';
    return true;
}

void stepi_strbuf_text(stepi_strbuf_t *b, const char *text)
{
    stepi_strbuf_put(b, text, strlen(text));
}

void stepi_strbuf_format(stepi_strbuf_t *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0 || !make_room(b, (size_t)length)) {
        b->failed = true;
        return;
    }
    va_start(args, format);
    vsnprintf(b->bytes + b->used, (size_t)length + 1, format, args);
    va_end(args);
    b->used += (size_t)length;
}

const char *stepi_strbuf_get(const stepi_strbuf_t *b)
{
    return b->bytes != NULL ? b->bytes : "";
}

void stepi_strbuf_clear(stepi_strbuf_t *b)
{
    b->used = 0;
    b->failed = false;
    if (b->bytes != NULL)
        b->bytes[0] = '\0';
}

void stepi_strbuf_free(stepi_strbuf_t *b)
{
    free(b->bytes);
    *b = stepi_strbuf(b->max);
}
