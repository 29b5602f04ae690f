/* What a call costs, beside its floors, in one run.
 *
 *     bench [ROUNDS]      default 30
 *
 * Latency: each call is timed by two TSC readings (their own cost is in every figure, and shown). Throughput: lines of a file,
 * from the first call until the log is closed. Rounds of all contestants are interleaved, so that what the machine
 * does meanwhile hits them alike; only ratios within one run mean something. */
#include <step_logger.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { CALLS = 4000, FILE_LINES = 500000, FLOOR_RING = 1 << 18 };

typedef struct contestant {
    const char *name;
    void (*call)(int i);
    uint64_t *times;
    size_t count;
} contestant_t;

static step_log_t *bench_log;
static step_logger_t *operation;
static unsigned char *floor_ring;
static uint64_t floor_at;
static FILE *plain;

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

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* ---- Contestants ---- */

static void nothing(int i)
{
    (void)i;
}

/* One time stamp and a copy of 128 bytes into a ring of the same size as ours. */
static void floor_copy(int i)
{
    unsigned char record[128];
    const uint64_t now = ticks();
    memset(record, i, sizeof(record));
    memcpy(record, &now, sizeof(now));
    memcpy(floor_ring + (floor_at & (FLOOR_RING - 1)), record, sizeof(record));
    __atomic_store_n(&floor_at, floor_at + sizeof(record), __ATOMIC_RELEASE);
}

static void open_step(int i)
{
    (void)i;
    step_logger_step(operation, 2, "Fetching models from API");
}

static void success(int i)
{
    step_logger_success(operation, step_kv("raw_count", i), step_kv("status_code", 200),
                        step_kv("provider", "openrouter"), step_fixed("cost", 1523.7, 1));
}

static void quick(int i)
{
    step_quick_success(2, "Fetching models from API", 4, step_kv("raw_count", i), step_kv("status_code", 200),
                       step_kv("provider", "openrouter"), step_fixed("duration_ms", 1523.7, 1));
}

static void message(int i)
{
    step_info("Fetched batch", step_kv("batch", i));
}

static void off(int i)
{
    step_debug("Fetched batch", step_kv("batch", i));
}

static void print(int i)
{
    fprintf(plain, "[INFO] ✅ [%d/%d] %s - SUCCESS (raw_count=%d, status_code=%d, provider=%s, duration_ms=%.1f)\n", 2, 4,
            "Fetching models from API", i, 200, "openrouter", 1523.7);
}

/* ---- Latency ---- */

static contestant_t contestants[] = {
    { .name = "nothing (timer)", .call = nothing },
    { .name = "floor: TSC + 128 B copy", .call = floor_copy },
    { .name = "success(), 4 fields", .call = success },
    { .name = "quick success, 4 fields", .call = quick },
    { .name = "message, 1 field", .call = message },
    { .name = "message, level off", .call = off },
    { .name = "fprintf, buffered", .call = print },
};
enum { CONTESTANTS = sizeof(contestants) / sizeof(contestants[0]) };

static int by_size(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static double ns_per_tick(void)
{
    const double from = seconds();
    const uint64_t start = ticks();
    while (seconds() - from < 0.05)
        ;
    return (seconds() - from) * 1e9 / (double)(ticks() - start);
}

/* Bursts that fit the ring, with a flush between: what is measured is the call, not the disk. */
static void run_round(contestant_t *c, size_t room)
{
    for (int i = 0; i < CALLS && c->count < room; i++) {
        if (c->call == success)
            open_step(i);
        const uint64_t before = ticks();
        c->call(i);
        c->times[c->count++] = ticks() - before;
        if (i % 500 == 499)
            step_log_flush(bench_log, 1000);
    }
}

static void show_latency(double tick)
{
    static const double at[] = { 0.5, 0.9, 0.99, 0.999 };
    qsort(contestants[1].times, contestants[1].count, sizeof(uint64_t), by_size);
    const double floor_p50 = (double)contestants[1].times[contestants[1].count / 2] * tick;
    printf("%-26s %9s %9s %9s %9s %10s %9s\n", "call, ns", "p50", "p90", "p99", "p99.9", "max", "× floor");
    for (size_t c = 0; c < CONTESTANTS; c++) {
        contestant_t *one = &contestants[c];
        qsort(one->times, one->count, sizeof(uint64_t), by_size);
        printf("%-26s", one->name);
        for (size_t p = 0; p < sizeof(at) / sizeof(at[0]); p++)
            printf(" %9.0f", (double)one->times[(size_t)((double)(one->count - 1) * at[p])] * tick);
        const double p50 = (double)one->times[one->count / 2] * tick;
        printf(" %10.0f %9.2f\n", (double)one->times[one->count - 1] * tick, p50 / floor_p50);
    }
}

static void latency(int rounds)
{
    const size_t room = (size_t)rounds * CALLS;
    for (size_t c = 0; c < CONTESTANTS; c++)
        if ((contestants[c].times = malloc(room * sizeof(uint64_t))) == NULL)
            exit(1);
    for (int round = 0; round < rounds; round++)
        for (size_t c = 0; c < CONTESTANTS; c++)
            run_round(&contestants[c], room);
    show_latency(ns_per_tick());
}

/* ---- Throughput ---- */

typedef struct producer {
    step_log_t *log;
    int lines;
} producer_t;

static void *produce(void *argument)
{
    const producer_t *p = argument;
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.log = p->log;
    options.total_steps = 4;
    step_logger_t *op = step_logger_new_with("Fetch", &options);
    for (int i = 0; i < p->lines; i++)
        step_logger_message(op, STEP_LEVEL_INFO, "Fetching models from API", step_kv("raw_count", i),
                            step_kv("status_code", 200), step_kv("provider", "openrouter"),
                            step_fixed("duration_ms", 1523.7, 1));
    step_logger_free(op);
    return NULL;
}

static void ours(const char *path, int threads)
{
    producer_t p = { .lines = FILE_LINES / threads };
    pthread_t thread[8];
    step_log_open(NULL, &p.log);
    step_log_add_output(p.log, step_sink_file(path), step_format_text(), 0);
    for (int i = 0; i < threads; i++)
        pthread_create(&thread[i], NULL, produce, &p);
    for (int i = 0; i < threads; i++)
        pthread_join(thread[i], NULL);
    step_log_close(p.log);
}

static void stdio(const char *path, int threads)
{
    (void)threads;
    plain = fopen(path, "w");
    if (plain == NULL)
        exit(1);
    setvbuf(plain, NULL, _IOFBF, 1 << 18);
    for (int i = 0; i < FILE_LINES; i++)
        print(i);
    fclose(plain);
}

typedef struct race {
    const char *name;
    void (*run)(const char *path, int threads);
    int threads;
    double best, cpu;
} race_t;

static void throughput(const char *path)
{
    race_t races[] = { { "fprintf, 256 KiB buffer", stdio, 1, 0, 0 },
                       { "step_logger, 1 thread", ours, 1, 0, 0 },
                       { "step_logger, 4 threads", ours, 4, 0, 0 } };
    enum { RACES = sizeof(races) / sizeof(races[0]), ROUNDS = 5 };
    for (int round = 0; round < ROUNDS; round++)
        for (size_t r = 0; r < RACES; r++) {
            const double start = seconds(), cpu = cpu_seconds();
            unlink(path);
            races[r].run(path, races[r].threads);
            const double rate = FILE_LINES / (seconds() - start) / 1e6;
            if (rate > races[r].best) {
                races[r].best = rate;
                races[r].cpu = (cpu_seconds() - cpu) * 1e9 / FILE_LINES;
            }
        }
    printf("\n%-26s %14s %14s\n", "to a file, best of 5", "million/s", "CPU ns/line");
    for (size_t r = 0; r < RACES; r++)
        printf("%-26s %14.2f %14.0f\n", races[r].name, races[r].best, races[r].cpu);
    unlink(path);
}

static void idle(void)
{
    struct rusage before, after;
    step_info("the last line before the rest");
    sleep(2); /* naps end after half a second */
    getrusage(RUSAGE_SELF, &before);
    sleep(5);
    getrusage(RUSAGE_SELF, &after);
    printf("\nat rest for 5 s: %ld context switches (this thread's sleep is one), %.0f µs of CPU; peak memory %ld KiB\n",
           after.ru_nvcsw - before.ru_nvcsw,
           (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec + after.ru_stime.tv_usec - before.ru_stime.tv_usec),
           after.ru_maxrss);
}

int main(int argc, char **argv)
{
    char path[] = "/tmp/step_logger_bench_XXXXXX";
    const int rounds = argc > 1 ? atoi(argv[1]) : 30;
    const int fd = mkstemp(path);
    floor_ring = calloc(1, FLOOR_RING + 4096);
    plain = fopen("/dev/null", "w");
    if (fd < 0 || floor_ring == NULL || plain == NULL || rounds < 1 || step_log_open(NULL, &bench_log) != STEP_OK)
        return 1;
    step_log_add_output(bench_log, step_sink_file("/dev/null"), step_format_text(), 0);
    step_log_set_default(bench_log);
    operation = step_logger_new("Fetch", 4);
    step_logger_start(operation);
    latency(rounds);
    fclose(plain);
    idle();
    throughput(path);
    step_logger_complete(operation);
    step_logger_free(operation);
    step_log_close(bench_log);
    close(fd);
    return 0;
}
