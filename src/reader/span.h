/* A piece of a line that is being read, from its start to its end; nothing in it is ever copied. */
#ifndef STEPI_READER_SPAN_H
#define STEPI_READER_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct stepi_span {
    const char *at;
    const char *end;
} stepi_span_t;

static inline size_t stepi_span_bytes(stepi_span_t s)
{
    return (size_t)(s.end - s.at);
}

static inline bool stepi_span_is(stepi_span_t s, const char *text, size_t bytes)
{
    return stepi_span_bytes(s) == bytes && memcmp(s.at, text, bytes) == 0;
}

static inline bool stepi_take(stepi_span_t *s, const char *text, size_t bytes)
{
    if (stepi_span_bytes(*s) < bytes || memcmp(s->at, text, bytes) != 0)
        return false;
    s->at += bytes;
    return true;
}

static inline bool stepi_take_last(stepi_span_t *s, const char *text, size_t bytes)
{
    if (stepi_span_bytes(*s) < bytes || memcmp(s->end - bytes, text, bytes) != 0)
        return false;
    s->end -= bytes;
    return true;
}

static inline bool stepi_take_char(stepi_span_t *s, char c)
{
    if (s->at == s->end || *s->at != c)
        return false;
    s->at++;
    return true;
}

/* With a literal. */
#define STEPI_TAKE(s, text) stepi_take(s, "" text "", sizeof(text) - 1)
#define STEPI_TAKE_LAST(s, text) stepi_take_last(s, "" text "", sizeof(text) - 1)
#define STEPI_SPAN_IS(s, text) stepi_span_is(s, "" text "", sizeof(text) - 1)

static inline bool stepi_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Takes the digits at the start; false if there are none. */
static inline bool stepi_take_digits(stepi_span_t *s, stepi_span_t *digits)
{
    digits->at = s->at;
    while (s->at < s->end && stepi_is_digit(*s->at))
        s->at++;
    digits->end = s->at;
    return digits->at < digits->end;
}

/* Exactly `count` digits, as a number. */
static inline bool stepi_take_fixed(stepi_span_t *s, int count, int *number)
{
    if (stepi_span_bytes(*s) < (size_t)count)
        return false;
    *number = 0;
    for (int i = 0; i < count; i++) {
        if (!stepi_is_digit(s->at[i]))
            return false;
        *number = *number * 10 + (s->at[i] - '0');
    }
    s->at += count;
    return true;
}

#endif
