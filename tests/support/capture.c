#include "support/capture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_CAPACITY = 1 << 16, PATIENCE_S = 60 };

static void append(capture_t *c, const char *bytes, size_t len)
{
    while (c->used + len + 1 > c->capacity) {
        c->capacity *= 2;
        c->text = realloc(c->text, c->capacity);
        if (c->text == NULL)
            abort();
    }
    memcpy(c->text + c->used, bytes, len);
    c->used += len;
    c->text[c->used] = '\0';
}

static int capture_write(void *ctx, const char *bytes, size_t len)
{
    capture_t *c = ctx;
    pthread_mutex_lock(&c->lock);
    c->writes++;
    c->waiting++;
    pthread_cond_broadcast(&c->changed);
    while (c->held)
        pthread_cond_wait(&c->changed, &c->lock);
    c->waiting--;
    const int slow_us = c->slow_us;
    const int error = c->error;
    if (error == 0)
        append(c, bytes, len);
    pthread_mutex_unlock(&c->lock);
    if (slow_us > 0)
        usleep((useconds_t)slow_us);
    errno = error;
    return error == 0 ? 0 : -1;
}

static int capture_flush(void *ctx)
{
    capture_t *c = ctx;
    pthread_mutex_lock(&c->lock);
    c->flushes++;
    const int error = c->flush_error;
    pthread_mutex_unlock(&c->lock);
    errno = error;
    return error == 0 ? 0 : -1;
}

static void capture_close(void *ctx)
{
    capture_t *c = ctx;
    pthread_mutex_lock(&c->lock);
    c->closes++;
    pthread_mutex_unlock(&c->lock);
}

capture_t *capture_new(void)
{
    capture_t *c = calloc(1, sizeof(*c));
    if (c == NULL || (c->text = calloc(1, FIRST_CAPACITY)) == NULL)
        abort();
    c->capacity = FIRST_CAPACITY;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, NULL);
    return c;
}

void capture_free(capture_t *c)
{
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->lock);
    free(c->text);
    free(c);
}

step_sink_t *capture_sink(capture_t *c)
{
    static const step_sink_ops_t ops = {
        .size = sizeof(ops), .write = capture_write, .flush = capture_flush, .close = capture_close
    };
    return step_sink_custom(&ops, c);
}

const char *capture_text(capture_t *c)
{
    pthread_mutex_lock(&c->lock);
    const char *text = c->text;
    pthread_mutex_unlock(&c->lock);
    return text;
}

static void set_held(capture_t *c, bool held)
{
    pthread_mutex_lock(&c->lock);
    c->held = held;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

void capture_hold(capture_t *c)
{
    set_held(c, true);
}

void capture_let_go(capture_t *c)
{
    set_held(c, false);
}

void capture_wait_for_write(capture_t *c)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    pthread_mutex_lock(&c->lock);
    while (c->waiting == 0)
        if (pthread_cond_timedwait(&c->changed, &c->lock, &until) == ETIMEDOUT) {
            fprintf(stderr, "capture: nothing was written for %d s\n", PATIENCE_S);
            abort();
        }
    pthread_mutex_unlock(&c->lock);
}

void capture_fail(capture_t *c, int error)
{
    pthread_mutex_lock(&c->lock);
    c->error = error;
    pthread_mutex_unlock(&c->lock);
}

static int read_int(capture_t *c, const int *value)
{
    pthread_mutex_lock(&c->lock);
    const int is = *value;
    pthread_mutex_unlock(&c->lock);
    return is;
}

int capture_closes(capture_t *c)
{
    return read_int(c, &c->closes);
}

int capture_flushes(capture_t *c)
{
    return read_int(c, &c->flushes);
}

int capture_writes(capture_t *c)
{
    return read_int(c, &c->writes);
}
