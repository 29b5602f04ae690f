/* A sink of the test's own, through step_sink_custom(): keeps what it got beyond the end of its log, and can be made slow, hang
 * or fail. */
#ifndef TESTS_SUPPORT_CAPTURE_H
#define TESTS_SUPPORT_CAPTURE_H

#include <step_logger.h>

#include <pthread.h>

typedef struct capture {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char *text; /* NUL-terminated */
    size_t used, capacity;
    bool held;    /* write() waits */
    int waiting;  /* so many writes do */
    int slow_us;  /* each write takes so long */
    int error;    /* writes fail with this errno value; 0: they do not */
    int flush_error;
    int writes, flushes, closes;
} capture_t;

capture_t *capture_new(void);
void capture_free(capture_t *c); /* after its log was closed */
step_sink_t *capture_sink(capture_t *c);

/* What was written so far; valid until the next write, so call it when the log is flushed or closed. */
const char *capture_text(capture_t *c);

void capture_hold(capture_t *c);
void capture_wait_for_write(capture_t *c); /* until one is held; aborts after a minute */
void capture_let_go(capture_t *c);
void capture_fail(capture_t *c, int error);
int capture_closes(capture_t *c);
int capture_flushes(capture_t *c);
int capture_writes(capture_t *c);

#endif
