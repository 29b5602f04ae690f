#include "support/threads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct job {
    pthread_t thread;
    void (*function)(void *);
    void *argument;
} job_t;

static void *run(void *argument)
{
    const job_t *job = argument;
    job->function(job->argument);
    return NULL;
}

void run_on_threads(void (*function)(void *), int count, void *arguments, size_t bytes)
{
    job_t *jobs = calloc((size_t)count, sizeof(*jobs));
    if (jobs == NULL)
        abort();
    for (int i = 0; i < count; i++) {
        jobs[i].function = function;
        jobs[i].argument = (char *)arguments + (size_t)i * bytes;
        const int failed = pthread_create(&jobs[i].thread, NULL, run, &jobs[i]);
        if (failed != 0) {
            fprintf(stderr, "no thread: %s\n", strerror(failed));
            abort();
        }
    }
    for (int i = 0; i < count; i++)
        pthread_join(jobs[i].thread, NULL);
    free(jobs);
}

void run_on_thread(void (*function)(void *), void *argument)
{
    run_on_threads(function, 1, argument, 0);
}
