#include "job_queue.h"

size_t job_queue_put(job_queue_t *queue, const job_t *job)
{
    pthread_mutex_lock(&queue->lock);
    while (queue->count == JOB_QUEUE_ROOM)
        pthread_cond_wait(&queue->changed, &queue->lock);
    queue->jobs[(queue->first + queue->count++) % JOB_QUEUE_ROOM] = *job;
    const size_t waiting = queue->count;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
    return waiting;
}

bool job_queue_take(job_queue_t *queue, job_t *job)
{
    pthread_mutex_lock(&queue->lock);
    while (queue->count == 0 && !queue->is_closed)
        pthread_cond_wait(&queue->changed, &queue->lock);
    const bool has_job = queue->count > 0;
    if (has_job) {
        *job = queue->jobs[queue->first];
        queue->first = (queue->first + 1) % JOB_QUEUE_ROOM;
        queue->count--;
        pthread_cond_broadcast(&queue->changed);
    }
    pthread_mutex_unlock(&queue->lock);
    return has_job;
}

void job_queue_close(job_queue_t *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->is_closed = true;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}
