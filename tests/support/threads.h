/* Threads for tests. */
#ifndef TESTS_SUPPORT_THREADS_H
#define TESTS_SUPPORT_THREADS_H

#include <pthread.h>

/* Runs it on a thread of its own, and waits for its end. */
void run_on_thread(void (*function)(void *), void *argument);

/* Runs it on `count` threads at once, with &arguments[i * bytes] each, and waits for all. */
void run_on_threads(void (*function)(void *), int count, void *arguments, size_t bytes);

#endif
