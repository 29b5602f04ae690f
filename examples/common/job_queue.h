/* What an accepting thread hands to workers. Whoever puts into a full queue waits; whoever takes from an empty one, too. */
#ifndef EXAMPLES_JOB_QUEUE_H
#define EXAMPLES_JOB_QUEUE_H

#include <step_logger.h>

#include <pthread.h>

typedef struct job {
    int connection;
    step_logger_t *op; /* belongs to whoever has the job */
    char id[24];
} job_t;

enum { JOB_QUEUE_ROOM = 16 };

typedef struct job_queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    job_t jobs[JOB_QUEUE_ROOM];
    size_t first, count;
    bool is_closed;
} job_queue_t;

#define JOB_QUEUE_INIT { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER }

/* Returns how many are waiting now. */
size_t job_queue_put(job_queue_t *queue, const job_t *job);

/* False when the queue is empty and closed. */
bool job_queue_take(job_queue_t *queue, job_t *job);

void job_queue_close(job_queue_t *queue);

#endif
