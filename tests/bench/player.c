/* The disciplines:
 *
 *     hot PLAYER CALLS          nanoseconds of each call, as binary floats; bursts that fit a ring, with a flush between
 *     rested PLAYER CALLS       the same after a pause of 1 ms before each
 *     pair PLAYER CALLS         the same while a second thread does likewise
 *     loop PLAYER CALLS         nanoseconds of a call in a loop that is not interrupted
 *     file PLAYER PATH THREADS LINES
 *                               seconds until the file is closed, seconds of CPU, those of the busiest thread (callers are alike, and all
 *                               the rest is taken for one thread), peak memory in KiB
 *     idle PLAYER SECONDS       context switches and microseconds of CPU while it has nothing to do, peak memory in KiB
 *
 * A call is timed by two readings of the time stamp counter: their own cost is in every figure. */
#include "player.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { BURST = 400, WARM_UP = 2000, THREADS_MAX = 16 };

static uint64_t ticks(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#else
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
#endif
}

static double seconds_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double ns_per_tick(void)
{
    const double from = seconds_of(CLOCK_MONOTONIC);
    const uint64_t start = ticks();
    while (seconds_of(CLOCK_MONOTONIC) - from < 0.02)
        ;
    return (seconds_of(CLOCK_MONOTONIC) - from) * 1e9 / (double)(ticks() - start);
}

static void do_nothing(void)
{
}

static void open_nothing(const char *path)
{
    (void)path;
}

static void before_nothing(int i)
{
    (void)i;
}

/* ---- Processors ---- */

static void put_on(pid_t thread, int processor)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    sched_setaffinity(thread, sizeof(set), &set);
}

/* The caller on the first processor that we may use, the threads that the player made on the second. Where they sleep and are woken often,
 * kernels, those of virtual machines above all, put both on one and leave the other idle. */
static void keep_apart(void)
{
    cpu_set_t allowed;
    int processors[2], found = 0;
    if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
        return;
    for (int i = 0; i < CPU_SETSIZE && found < 2; i++)
        if (CPU_ISSET(i, &allowed))
            processors[found++] = i;
    DIR *threads = found == 2 ? opendir("/proc/self/task") : NULL;
    if (threads == NULL)
        return;
    for (const struct dirent *entry; (entry = readdir(threads)) != NULL;)
        if (entry->d_name[0] != '.')
            put_on(atoi(entry->d_name), processors[atoi(entry->d_name) == getpid() ? 0 : 1]);
    closedir(threads);
}

/* ---- Latency ---- */

typedef struct job {
    const player_t *player;
    int calls, pause_us;
    float *times;
} job_t;

static void measure(const job_t *job, int from, int to, double tick)
{
    const player_t *player = job->player;
    for (int i = from; i < to; i++) {
        player->before(i);
        if (job->pause_us > 0)
            usleep((useconds_t)job->pause_us);
        const uint64_t before = ticks();
        player->call(i);
        const uint64_t after = ticks();
        if (job->times != NULL)
            job->times[i] = (float)((double)(after - before) * tick);
        if (i % BURST == BURST - 1)
            player->flush();
    }
}

static void *measure_all(void *argument)
{
    const job_t *job = argument;
    const double tick = ns_per_tick();
    const job_t warm_up = { .player = job->player, .calls = WARM_UP };
    measure(&warm_up, 0, job->pause_us > 0 ? 10 : WARM_UP, tick);
    measure(job, 0, job->calls, tick);
    return NULL;
}

static int latency(const player_t *player, int calls, int pause_us, int threads)
{
    job_t jobs[2];
    pthread_t thread;
    for (int i = 0; i < threads; i++) {
        jobs[i] = (job_t){ .player = player, .calls = calls, .pause_us = pause_us };
        jobs[i].times = malloc((size_t)calls * sizeof(float));
        if (jobs[i].times == NULL)
            return 1;
    }
    player->open("/dev/null");
    if (threads == 1)
        keep_apart();
    if (threads > 1 && pthread_create(&thread, NULL, measure_all, &jobs[1]) != 0)
        return 1;
    measure_all(&jobs[0]);
    if (threads > 1)
        pthread_join(thread, NULL);
    player->close();
    for (int i = 0; i < threads; i++)
        fwrite(jobs[i].times, sizeof(float), (size_t)calls, stdout);
    return 0;
}

static int loop(const player_t *player, int calls)
{
    player->open("/dev/null");
    player->call(0);
    const double start = seconds_of(CLOCK_MONOTONIC);
    for (int i = 0; i < calls; i++) {
        player->call(i);
        __asm__ volatile("" ::: "memory");
    }
    const float ns = (float)((seconds_of(CLOCK_MONOTONIC) - start) * 1e9 / calls);
    player->close();
    fwrite(&ns, sizeof(ns), 1, stdout);
    return 0;
}

/* ---- Throughput ---- */

static void *produce(void *argument)
{
    const job_t *job = argument;
    for (int i = 0; i < job->calls; i++) {
        job->player->before(i);
        job->player->call(i);
    }
    return NULL;
}

static float peak_kib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (float)usage.ru_maxrss;
}

static int file(const player_t *player, const char *path, int threads, int lines)
{
    const job_t job = { .player = player, .calls = lines / threads };
    pthread_t thread[THREADS_MAX];
    player->open(path);
    if (threads == 1)
        keep_apart();
    const double start = seconds_of(CLOCK_MONOTONIC), cpu_before = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    const double caller_before = seconds_of(CLOCK_THREAD_CPUTIME_ID);
    for (int i = 1; i < threads; i++)
        if (pthread_create(&thread[i], NULL, produce, (void *)&job) != 0)
            return 1;
    produce((void *)&job);
    for (int i = 1; i < threads; i++)
        pthread_join(thread[i], NULL);
    player->close();
    const double wall = seconds_of(CLOCK_MONOTONIC) - start, cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu_before;
    const double caller = seconds_of(CLOCK_THREAD_CPUTIME_ID) - caller_before, others = cpu - threads * caller;
    const float measured[4] = { (float)wall, (float)cpu, (float)(caller > others ? caller : others), peak_kib() };
    fwrite(measured, sizeof(float), 4, stdout);
    return 0;
}

/* ---- Rest ---- */

static float cpu_us(const struct rusage *usage)
{
    return (float)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1e6f +
           (float)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
}

static int idle(const player_t *player, int seconds)
{
    struct rusage before, after;
    player->open("/dev/null");
    player->before(0);
    player->call(0);
    sleep(2); /* a second after the last line it rests */
    getrusage(RUSAGE_SELF, &before);
    sleep((unsigned)seconds);
    getrusage(RUSAGE_SELF, &after);
    const float measured[3] = { (float)(after.ru_nvcsw - before.ru_nvcsw) - 1, /* this thread's sleep */
                                cpu_us(&after) - cpu_us(&before), (float)after.ru_maxrss };
    player->close();
    fwrite(measured, sizeof(float), 3, stdout);
    return 0;
}

/* ---- The program ---- */

static const player_t *find(const player_t *const *players, const char *name, player_t *whole)
{
    for (; *players != NULL; players++) {
        if (strcmp((*players)->name, name) != 0)
            continue;
        *whole = **players;
        whole->open = whole->open != NULL ? whole->open : open_nothing;
        whole->before = whole->before != NULL ? whole->before : before_nothing;
        whole->flush = whole->flush != NULL ? whole->flush : do_nothing;
        whole->close = whole->close != NULL ? whole->close : do_nothing;
        return whole;
    }
    return NULL;
}

int bench_play(const player_t *const *players, int argc, char **argv)
{
    player_t whole;
    const player_t *player = argc < 4 ? NULL : find(players, argv[2], &whole);
    if (player == NULL)
        return 2;
    const char *discipline = argv[1];
    if (strcmp(discipline, "hot") == 0)
        return latency(player, atoi(argv[3]), 0, 1);
    if (strcmp(discipline, "rested") == 0)
        return latency(player, atoi(argv[3]), 1000, 1);
    if (strcmp(discipline, "pair") == 0)
        return latency(player, atoi(argv[3]), 0, 2);
    if (strcmp(discipline, "loop") == 0)
        return loop(player, atoi(argv[3]));
    if (strcmp(discipline, "file") == 0 && argc == 6)
        return file(player, argv[3], atoi(argv[4]), atoi(argv[5]));
    if (strcmp(discipline, "idle") == 0)
        return idle(player, atoi(argv[3]));
    return 2;
}
