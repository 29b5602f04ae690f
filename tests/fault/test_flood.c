/* A sink that hangs, a disk that is full and a pipe that is read slowly, flooded at once: calls do not wait, memory stays what it
 * was when the flood began, and of each output it is known how many records it lacks. */
#include "fault.h"

#include "support/capture.h"

#include <sched.h>

enum { FLOODERS = 4, LATER = 10, LATER_RECORDS = 100, FLOOD_SECONDS = 2, LONGEST_S = 5 };

/* A line has some 25 bytes: the flood is hundreds of times what rings and queues hold. */
enum { MEMORY_BYTES = 4 << 20 };

/* ---- A pipe that is read slowly ---- */

typedef struct slow_pipe {
    int ends[2];
    pthread_t reader;
    atomic_bool hurry;
    char *text;
    size_t used, capacity;
} slow_pipe_t;

static void *read_slowly(void *argument)
{
    slow_pipe_t *pipe = argument;
    for (;;) {
        const size_t room = pipe->capacity - 1 - pipe->used;
        const ssize_t n = read(pipe->ends[0], pipe->text + pipe->used, room < 4096 ? room : 4096);
        if (n <= 0)
            return NULL;
        pipe->used += (size_t)n;
        if (!atomic_load(&pipe->hurry))
            sleep_ms(1);
    }
}

static void open_slow_pipe(slow_pipe_t *p)
{
    p->capacity = 64 << 20; /* some ten times what it reads in the time of a test; pages are there when they are touched */
    p->text = calloc(1, p->capacity);
    CHECK(p->text != NULL && pipe(p->ends) == 0);
    CHECK(pthread_create(&p->reader, NULL, read_slowly, p) == 0);
}

/* After the log was closed. */
static tally_t close_slow_pipe(slow_pipe_t *p)
{
    close(p->ends[1]);
    pthread_join(p->reader, NULL);
    close(p->ends[0]);
    return tally_text(p->text);
}

/* ---- The flood ---- */

typedef struct flood {
    step_log_t *log;
    pthread_barrier_t gate;
    capture_t *hangs;
    slow_pipe_t slow;
    const char *file;
    atomic_long made;
} flood_t;

typedef struct flooder {
    pthread_t thread;
    flood_t *flood;
    int number;
    double longest; /* call, in seconds */
    long waits;
} flooder_t;

static atomic_int lacks_memory;

static void note_memory(void *ctx, int code, const char *text)
{
    (void)ctx, (void)text;
    atomic_fetch_add(&lacks_memory, code == STEP_ENOMEM);
}

/* How often this thread gave its processor away of itself. */
static long count_waits(void)
{
    struct rusage usage;
    CHECK(getrusage(RUSAGE_THREAD, &usage) == 0);
    return usage.ru_nvcsw;
}

static void *flood_it(void *argument)
{
    flooder_t *self = argument;
    flood_t *flood = self->flood;
    long made = 0;
    put_record(flood->log, self->number, made++); /* the ring is there from now on */
    pthread_barrier_wait(&flood->gate);
    pthread_barrier_wait(&flood->gate);
    const long waits = count_waits();
    const double until = seconds_now() + FLOOD_SECONDS;
    for (double start; (start = seconds_now()) < until;) {
        put_record(flood->log, self->number, made++);
        const double took = seconds_now() - start;
        self->longest = took > self->longest ? took : self->longest;
    }
    self->waits = count_waits() - waits;
    atomic_fetch_add(&flood->made, made);
    return NULL;
}

static void open_flooded_log(flood_t *flood, uint32_t when_full)
{
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    options.when_full = when_full;
    options.ring_bytes = 65536;
    options.diagnose = note_memory;
    flood->log = open_log(&options);
    flood->hangs = capture_new();
    open_slow_pipe(&flood->slow);
    add_output(flood->log, capture_sink(flood->hangs), step_format_text());
    add_output(flood->log, step_sink_file(flood->file), step_format_text());
    add_output(flood->log, step_sink_fd(flood->slow.ends[1]), step_format_text());
}

/* What is mapped may grow by so much and no more. A sanitizer maps as it likes. */
static void limit_memory(rlim_t bytes)
{
#ifdef STEP_LOGGER_SANITIZED
    (void)bytes;
#else
    const long long mapped = status_number("/proc/self/status", "VmSize:", 10);
    CHECK(mapped > 0);
    const struct rlimit limit = { .rlim_cur = bytes == RLIM_INFINITY ? bytes : (rlim_t)mapped * 1024 + bytes,
                                  .rlim_max = RLIM_INFINITY };
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
#endif
}

/* Everything that is made once is made, then all goes wrong, and the flood comes. */
static void run_flood(flood_t *flood, flooder_t flooders[FLOODERS])
{
    CHECK(pthread_barrier_init(&flood->gate, NULL, FLOODERS + 1) == 0);
    for (int i = 0; i < FLOODERS; i++) {
        flooders[i] = (flooder_t){ .flood = flood, .number = i };
        CHECK(pthread_create(&flooders[i].thread, NULL, flood_it, &flooders[i]) == 0);
    }
    pthread_barrier_wait(&flood->gate);
    step_log_flush(flood->log, FLUSH_MS);
    capture_hold(flood->hangs);
    limit_memory(MEMORY_BYTES);
    pthread_barrier_wait(&flood->gate);
    for (int i = 0; i < FLOODERS; i++)
        CHECK(pthread_join(flooders[i].thread, NULL) == 0);
    limit_memory(RLIM_INFINITY);
}

/* The sink goes on, the disk has room, the pipe is read: every record is accounted for, and what comes now is written. */
static void recover(flood_t *flood)
{
    const uint64_t made = (uint64_t)atomic_load(&flood->made);
    CHECK(unlink(flood->file) == 0 && step_log_reopen(flood->log) == STEP_OK);
    capture_let_go(flood->hangs);
    atomic_store(&flood->slow.hurry, true);
    step_log_flush(flood->log, FLUSH_MS);
    const step_stats_t flooded = check_oracle(flood->log);
    CHECK(flooded.recorded == made && flooded.dropped_nested + flooded.dropped_memory + flooded.held == 0);
    for (long i = 0; i < LATER_RECORDS; i++)
        put_record(flood->log, LATER, i);
    CHECK(step_log_flush(flood->log, FLUSH_MS) == STEP_OK);
    const step_stats_t after = check_oracle(flood->log);
    CHECK(after.recorded == made + LATER_RECORDS && after.written == flooded.written + LATER_RECORDS);
    CHECK(step_log_close(flood->log) == STEP_OK);
}

/* What is there, and what the output itself says that is missing, make the sum. */
static void check_output(const char *name, const tally_t *tally, long made)
{
    if (tally->total + tally->dropped != made + LATER_RECORDS || tally->disorder + tally->strange != 0)
        dprintf(2, "%s: %ld made; %ld there, %ld told, disorder %ld, strange %ld\n", name, made + LATER_RECORDS, tally->total,
                tally->dropped, tally->disorder, tally->strange);
    CHECK(tally->total + tally->dropped == made + LATER_RECORDS);
    CHECK(tally->disorder + tally->strange == 0 && !tally->torn_end);
    CHECK(tally->of[LATER] == LATER_RECORDS);
}

static void check_outputs(flood_t *flood)
{
    const long made = atomic_load(&flood->made);
    const tally_t hung = tally_text(capture_text(flood->hangs)), disk = tally_file(flood->file);
    const tally_t slow = close_slow_pipe(&flood->slow);
    check_output("the sink that hung", &hung, made);
    check_output("the disk that was full", &disk, made);
    check_output("the slow pipe", &slow, made);
    CHECK(hung.dropped > 0 && disk.total == LATER_RECORDS);
    capture_free(flood->hangs);
    free(flood->slow.text);
}

/* ---- What nobody waits for ---- */

static void flood_and_drop(void *place)
{
    flood_t flood = { .file = ((place_t *)place)->file };
    flooder_t flooders[FLOODERS];
    CHECK(symlink("/dev/full", flood.file) == 0);
    open_flooded_log(&flood, STEP_FULL_DROP);
    run_flood(&flood, flooders);
    CHECK(step_log_flush(flood.log, 100) == STEP_ETIMEOUT); /* it hangs */
    CHECK(atomic_load(&lacks_memory) == 0);
    for (int i = 0; i < FLOODERS; i++) {
        CHECK(flooders[i].longest < LONGEST_S);
#ifndef STEP_LOGGER_SANITIZED /* whose own locks are waited for */
        CHECK(flooders[i].waits < 100); /* the kernel's, for memory; of some million calls */
#endif
    }
    CHECK(atomic_load(&flood.made) > MEMORY_BYTES / 25 / SLOWER);
    recover(&flood);
    check_outputs(&flood);
}

static void calls_do_not_wait(void **state)
{
    assert_survives(flood_and_drop, *state);
}

static void flood_one_processor(void *place)
{
    cpu_set_t all, one;
    CHECK(sched_getaffinity(0, sizeof(all), &all) == 0);
    size_t first = 0;
    while (!CPU_ISSET(first, &all))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    CHECK(sched_setaffinity(0, sizeof(one), &one) == 0);
    flood_and_drop(place);
}

static void calls_do_not_wait_on_one_processor(void **state)
{
    assert_survives(flood_one_processor, *state);
}

/* ---- What is waited for ---- */

/* A full ring waits as long as anything is written, for a sink that hangs two seconds. */
static void flood_and_wait(void *place)
{
    flood_t flood = { .file = ((place_t *)place)->file };
    flooder_t flooders[FLOODERS];
    CHECK(symlink("/dev/full", flood.file) == 0);
    open_flooded_log(&flood, STEP_FULL_BLOCK);
    run_flood(&flood, flooders);
    for (int i = 0; i < FLOODERS; i++)
        CHECK(flooders[i].longest < 2 + LONGEST_S);
    recover(&flood);
    check_outputs(&flood);
}

static void calls_that_wait_do_not_wait_for_ever(void **state)
{
    assert_survives(flood_and_wait, *state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(calls_do_not_wait),
        PLACE_TEST(calls_do_not_wait_on_one_processor),
        PLACE_TEST(calls_that_wait_do_not_wait_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
