/* worker_pool: a server of several processes, forked beforehand, each a thread that accepts and a pool of threads that answer.
 *
 *     worker_pool [--processes N] [--workers N] [--requests N]
 *
 * A request is an operation that begins on the accepting thread and ends on a worker: its first step, the wait in the queue, is
 * begun by the one and ended by the other. The clients are here, too, every tenth without a word, so it ends by itself. All
 * processes write to one log; into a file (STEP_LOGGER_OUTPUT=file:PATH) each appends whole lines of its own. */
#include "cost_service.h"
#include "job_queue.h"
#include "loopback.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_WORKERS = 64 };

typedef struct settings {
    int processes, workers, requests;
} settings_t;

typedef struct pool {
    int number;
    int listener, stop; /* stop: the end of a pipe, closed when the pool should end */
    int accepted;
    atomic_int answered;
    step_logger_t *op;
    job_queue_t queue;
} pool_t;

static void *work(void *of_pool)
{
    pool_t *pool = of_pool;
    job_t job;
    while (job_queue_take(&pool->queue, &job)) {
        step_logger_attach(job.op); /* what starts on this thread is its child, until it ends */
        step_logger_success(job.op, step_kv("request", job.id));
        const bool ok = cost_service_answer(job.op, job.id, job.connection);
        step_logger_complete(job.op, step_kv("request", job.id), step_kv("status", ok ? "answered" : "failed"));
        step_logger_free(job.op);
        close(job.connection);
        pool->answered += ok;
    }
    return NULL;
}

static void accept_request(pool_t *pool)
{
    job_t job = { .connection = accept(pool->listener, NULL, NULL) };
    if (job.connection < 0)
        return; /* another process was faster */
    snprintf(job.id, sizeof(job.id), "%d-%d", pool->number, ++pool->accepted);
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.parent = pool->op;
    options.total_steps = 4;
    job.op = step_logger_new_with("Request", &options);
    step_logger_start(job.op, step_kv("request", job.id));
    step_logger_step(job.op, 1, "Waiting for a worker", step_kv("request", job.id));
    step_logger_attach(pool->op); /* starting it made it current on this thread, which has nothing more to do with it */
    const size_t waiting = job_queue_put(&pool->queue, &job);
    step_debug("Queued", step_kv("pool", pool->number), step_kv("waiting", waiting)); /* the pool's, not the request's */
}

/* One forked process. Its operation is a child of the one in which it was forked. */
static int run_pool(pool_t *pool, int workers)
{
    pthread_t threads[MAX_WORKERS];
    int started = 0;
    int error = 0;
    pool->op = step_logger_new("Worker pool", 0);
    step_logger_start(pool->op, step_kv("pool", pool->number), step_kv("workers", workers));
    while (started < workers && error == 0) {
        error = pthread_create(&threads[started], NULL, work, pool);
        started += error == 0;
    }
    if (error != 0) /* with fewer workers, then, or none */
        step_logger_failure_errno(pool->op, error, step_kv("pool", pool->number), step_kv("started", started));

    struct pollfd events[] = { { .fd = pool->listener, .events = POLLIN }, { .fd = pool->stop, .events = POLLIN } };
    while (started > 0 && events[1].revents == 0)
        if (poll(events, 2, -1) > 0 && events[0].revents != 0)
            accept_request(pool);

    job_queue_close(&pool->queue);
    while (started > 0)
        pthread_join(threads[--started], NULL);
    step_logger_complete(pool->op, step_kv("pool", pool->number), step_kv("accepted", pool->accepted),
                         step_kv("answered", (int)pool->answered));
    step_logger_free(pool->op);
    return error == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static bool fork_step(step_logger_t *op, const settings_t *settings, int listener, const int stop[2])
{
    step_logger_step(op, 1, "Forking the pools", step_kv("processes", settings->processes));
    for (int i = 0; i < settings->processes; i++) {
        const pid_t pid = fork();
        if (pid < 0) {
            step_logger_failure_errno(op, errno, step_kv("forked", i));
            return false;
        }
        if (pid == 0) {
            pool_t pool = { .number = i + 1, .listener = listener, .stop = stop[0], .queue = JOB_QUEUE_INIT };
            close(stop[1]);
            exit(run_pool(&pool, settings->workers)); /* not _exit(): the log is written at exit */
        }
    }
    step_logger_success(op, step_kv("forked", settings->processes));
    return true;
}

static void ask_step(step_logger_t *op, int port, int requests)
{
    step_logger_step(op, 2, "Sending requests", step_kv("requests", requests));
    const int answered = cost_service_clients(port, requests);
    step_logger_success(op, step_kv("answered", answered), step_kv("silent", requests / 10));
}

static bool stop_step(step_logger_t *op, int stop)
{
    int stopped = 0;
    int failures = 0;
    int status;
    step_logger_step(op, 3, "Stopping the pools");
    close(stop);
    while (wait(&status) > 0) {
        stopped++;
        failures += status != 0;
    }
    if (failures > 0)
        step_logger_failure(op, "a pool failed", step_kv("stopped", stopped), step_kv("failed", failures));
    else
        step_logger_success(op, step_kv("stopped", stopped));
    return failures == 0;
}

static bool serve(const settings_t *settings)
{
    int stop[2];
    int port = 0;
    bool ok = false;
    step_logger_t *op = step_logger_new("Pre-forked server", 3);
    step_logger_start(op, step_kv("processes", settings->processes), step_kv("workers", settings->workers));
    const int listener = loopback_listen(&port);
    if (listener < 0 || pipe(stop) != 0) {
        step_logger_failure_errno(op, errno);
        close(listener);
    } else {
        ok = fork_step(op, settings, listener, stop);
        close(listener); /* the pools have them */
        close(stop[0]);
        if (ok)
            ask_step(op, port, settings->requests);
        ok &= stop_step(op, stop[1]);
        step_logger_complete(op, step_kv("status", ok ? "stopped" : "failed"));
    }
    step_logger_free(op);
    return ok;
}

static bool read_arguments(int argc, char **argv, settings_t *settings)
{
    static const struct option options[] = { { "processes", required_argument, NULL, 'p' },
                                             { "workers", required_argument, NULL, 'w' },
                                             { "requests", required_argument, NULL, 'r' },
                                             { NULL, 0, NULL, 0 } };
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option != 'p' && option != 'w' && option != 'r')
            return false;
        *(option == 'p' ? &settings->processes : option == 'w' ? &settings->workers : &settings->requests) = atoi(optarg);
    }
    return optind == argc && settings->processes > 0 && settings->workers > 0 && settings->workers <= MAX_WORKERS;
}

int main(int argc, char **argv)
{
    settings_t settings = { .processes = 2, .workers = 3, .requests = 10 };
    if (!read_arguments(argc, argv, &settings)) {
        fprintf(stderr, "usage: %s [--processes N] [--workers N] [--requests N]\n", argv[0]);
        return 2;
    }
    return serve(&settings) ? EXIT_SUCCESS : EXIT_FAILURE;
}
