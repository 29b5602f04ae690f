/* What the options of a log cost: the same operation with each of them, beside a log without any.
 *
 *     features [ROUNDS]      default 9
 *
 * An operation of four steps: ten records at INFO, four fields in each success; a message at DEBUG in each step. The time of the
 * caller, and the CPU time of all threads until the log is closed, for one operation; medians of rounds that are interleaved.
 * Lines go to /dev/null. */
#include <step_logger.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { OPERATIONS = 4000, BATCH = 40, ROUNDS_MAX = 99 };

typedef struct contestant {
    const char *name;
    void (*prepare)(step_log_options_t *options);
    step_format_t *(*format)(void);
    bool binds, fails;
    double call[ROUNDS_MAX], cpu[ROUNDS_MAX];
} contestant_t;

static void plain(step_log_options_t *options)
{
    (void)options;
}

static void debug(step_log_options_t *options)
{
    options->level = STEP_LEVEL_DEBUG;
}

static void recorder(step_log_options_t *options)
{
    options->flight_recorder_bytes = 16384;
}

static void sampling(step_log_options_t *options)
{
    options->sample_rate = 0.1;
}

static void sampling_and_recorder(step_log_options_t *options)
{
    sampling(options);
    recorder(options);
}

static void redaction(step_log_options_t *options)
{
    options->redact_keys = "password,*_token,authorization";
}

static void secret_status(step_log_options_t *options)
{
    options->redact_keys = "status_code";
}

#define CRASH_RINGS "/dev/shm/step_logger_bench"

static void crash_ring(step_log_options_t *options)
{
    options->crash_ring_dir = CRASH_RINGS;
}

static void crash_ring_and_sampling(step_log_options_t *options)
{
    crash_ring(options);
    sampling(options);
}

static void rules(step_log_options_t *options)
{
    options->level_rules = "Database*=debug,Cache*=error,Health*=off";
}

static void watch(step_log_options_t *options)
{
    options->stuck_ms = 60000;
    options->slow_ms = 1000;
}

static contestant_t contestants[] = {
    { .name = "none", .prepare = plain, .format = step_format_text },
    { .name = "stuck_ms, slow_ms", .prepare = watch, .format = step_format_text },
    { .name = "level_rules, three", .prepare = rules, .format = step_format_text },
    { .name = "two bound fields", .prepare = plain, .format = step_format_text, .binds = true },
    { .name = "sample_rate 0.1", .prepare = sampling, .format = step_format_text },
    { .name = "flight recorder, all end well", .prepare = recorder, .format = step_format_text },
    { .name = "flight recorder, all fail", .prepare = recorder, .format = step_format_text, .fails = true },
    { .name = "sampling and flight recorder", .prepare = sampling_and_recorder, .format = step_format_text },
    { .name = "crash ring", .prepare = crash_ring, .format = step_format_text },
    { .name = "crash ring and sampling", .prepare = crash_ring_and_sampling, .format = step_format_text },
    { .name = "level DEBUG instead", .prepare = debug, .format = step_format_text },
    { .name = "JSON lines", .prepare = plain, .format = step_format_json },
    { .name = "logfmt", .prepare = plain, .format = step_format_logfmt },
    /* last: a site that has a redacted key is slower from then on, in all logs of the process */
    { .name = "redact_keys, no such key", .prepare = redaction, .format = step_format_text },
    { .name = "redact_keys, one of four keys", .prepare = secret_status, .format = step_format_text },
};

enum { CONTESTANTS = sizeof(contestants) / sizeof(contestants[0]) };

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void operate(step_log_t *log, const contestant_t *c, int i)
{
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.log = log;
    options.total_steps = 4;
    step_logger_t *op = step_logger_new_with("Provider: Fetch Models", &options);
    if (c->binds)
        step_logger_bind(op, step_kv("request_id", i), step_kv("tenant", "acme"));
    step_logger_start(op);
    for (int step = 1; step <= 4; step++) {
        step_logger_step(op, step, "Fetching models from API");
        step_debug("Batch", step_kv("offset", i));
        if (c->fails && step == 4)
            step_logger_failure(op, "connection reset", step_kv("raw_count", i));
        else
            step_logger_success(op, step_kv("raw_count", i), step_kv("status_code", 200),
                                step_kv("provider", "openrouter"), step_kv("rate", 2.5));
    }
    step_logger_complete(op);
    step_logger_free(op);
}

static void run(contestant_t *c, int round)
{
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    step_log_t *log;
    c->prepare(&options);
    if (step_log_open(&options, &log) != STEP_OK ||
        step_log_add_output(log, step_sink_file("/dev/null"), c->format(), 0) != STEP_OK)
        abort();
    step_log_set_default(log);
    operate(log, c, 0);
    step_log_flush(log, 10000);
    const double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    double call = 0;
    for (int done = 0; done < OPERATIONS; done += BATCH) { /* which do not fill the ring: a call's cost, not a wait */
        const double start = seconds(CLOCK_MONOTONIC);
        for (int i = 0; i < BATCH; i++)
            operate(log, c, i);
        call += seconds(CLOCK_MONOTONIC) - start;
        step_log_flush(log, 10000);
    }
    step_log_close(log);
    c->call[round] = call / OPERATIONS * 1e9;
    c->cpu[round] = (seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu) / OPERATIONS * 1e9;
}

static int by_size(const void *a, const void *b)
{
    const double first = *(const double *)a, second = *(const double *)b;
    return first < second ? -1 : first > second;
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof(values[0]), by_size);
    return values[count / 2];
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 9;
    rounds = rounds < 1 ? 1 : rounds > ROUNDS_MAX ? ROUNDS_MAX : rounds;
    for (int round = 0; round < rounds; round++)
        for (size_t i = 0; i + 1 < CONTESTANTS; i++)
            run(&contestants[i], round);
    for (int round = 0; round < rounds; round++)
        run(&contestants[CONTESTANTS - 1], round);
    printf("one operation of four steps          calls, ns    × none     CPU, ns    × none\n");
    double none_call = 0, none_cpu = 0;
    for (size_t i = 0; i < CONTESTANTS; i++) {
        const double call = median(contestants[i].call, rounds), cpu = median(contestants[i].cpu, rounds);
        none_call = i == 0 ? call : none_call;
        none_cpu = i == 0 ? cpu : none_cpu;
        printf("%-34s %11.0f %9.2f %11.0f %9.2f\n", contestants[i].name, call, call / none_call, cpu, cpu / none_cpu);
    }
    rmdir(CRASH_RINGS);
    return 0;
}
