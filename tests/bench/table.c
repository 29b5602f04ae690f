/* Lets the players play, round by round, each in a process of its own, and prints what they measured.
 *
 *     table [ROUNDS]      default 7
 *
 * Rounds of all contestants are interleaved, so that what the machine does meanwhile hits them alike; only ratios within one run
 * mean something. Shown are medians over the rounds, and the least and the most where there is room for them. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS_MAX = 99, SAMPLES_MAX = 40000, HOT_CALLS = 20000, RESTED_CALLS = 300, PATIENCE_S = 120, FILE_LINES = 1000000 };

static const char *directory; /* of the programs */
static bool has_spdlog;
static int rounds = 7;
static float samples[SAMPLES_MAX];
static char scratch[] = "/tmp/step_logger_bench_XXXXXX";

static int by_size(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

static float median(const float *values, int count)
{
    float sorted[ROUNDS_MAX];
    memcpy(sorted, values, (size_t)count * sizeof(float));
    qsort(sorted, (size_t)count, sizeof(float), by_size);
    return sorted[count / 2];
}

static float least(const float *values, int count)
{
    float found = values[0];
    for (int i = 1; i < count; i++)
        found = values[i] < found ? values[i] : found;
    return found;
}

static float most(const float *values, int count)
{
    float found = values[0];
    for (int i = 1; i < count; i++)
        found = values[i] > found ? values[i] : found;
    return found;
}

/* ---- A player at work ---- */

typedef struct play {
    const char *discipline, *player;
    const char *arguments[4]; /* up to the first NULL */
} play_t;

static void become(const play_t *play, int output)
{
    char program[4096];
    const bool is_neighbour = strncmp(play->player, "spdlog", 6) == 0;
    snprintf(program, sizeof(program), "%s/%s", directory, is_neighbour ? "players_spdlog" : "players");
    dup2(output, STDOUT_FILENO);
    alarm(PATIENCE_S);
    execl(program, program, play->discipline, play->player, play->arguments[0], play->arguments[1], play->arguments[2],
          (char *)NULL);
    _exit(127);
}

static void give_up(const play_t *play)
{
    fprintf(stderr, "bench: %s %s failed\n", play->discipline, play->player);
    unlink(scratch);
    exit(1);
}

/* What it measured goes to `samples`; returns how many there are. */
static size_t run(const play_t *play)
{
    int ends[2], status;
    size_t got = 0;
    if (pipe(ends) != 0)
        give_up(play);
    const pid_t child = fork();
    if (child == 0)
        become(play, ends[1]);
    close(ends[1]);
    for (ssize_t n = 1; n > 0 && got < sizeof(samples); got += n > 0 ? (size_t)n : 0)
        n = read(ends[0], (char *)samples + got, sizeof(samples) - got);
    close(ends[0]);
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0 ||
        got < sizeof(float))
        give_up(play);
    return got / sizeof(float);
}

/* ---- Latency ---- */

enum { PERCENTILES = 5 };
static const double percentiles[PERCENTILES - 1] = { 0.5, 0.9, 0.99, 0.999 }; /* and the most */

typedef struct contestant {
    const char *player, *title;
    float measured[PERCENTILES][ROUNDS_MAX];
} contestant_t;

static void keep_percentiles(contestant_t *c, int round, size_t count)
{
    qsort(samples, count, sizeof(float), by_size);
    for (int p = 0; p < PERCENTILES - 1; p++)
        c->measured[p][round] = samples[(size_t)((double)(count - 1) * percentiles[p])];
    c->measured[PERCENTILES - 1][round] = samples[count - 1];
}

static bool is_here(const contestant_t *c)
{
    return has_spdlog || strncmp(c->player, "spdlog", 6) != 0;
}

/* Beside the second contestant, the floor. */
static void show_latency(const char *title, contestant_t *all, size_t count)
{
    printf("\n%-34s %8s %15s %8s %8s %8s %9s %8s\n", title, "p50", "min–max ", "p90", "p99", "p99.9", "max", "× floor");
    const float floor_p50 = median(all[1].measured[0], rounds);
    for (size_t i = 0; i < count; i++) {
        if (!is_here(&all[i]))
            continue;
        char range[32];
        const float p50 = median(all[i].measured[0], rounds);
        snprintf(range, sizeof(range), "%.0f–%.0f", (double)least(all[i].measured[0], rounds),
                 (double)most(all[i].measured[0], rounds));
        printf("%-34s %8.0f %15s", all[i].title, (double)p50, range);
        for (int p = 1; p < PERCENTILES; p++)
            printf(" %*.0f", p == PERCENTILES - 1 ? 9 : 8, (double)median(all[i].measured[p], rounds));
        printf(" %8.2f\n", (double)(p50 / floor_p50));
    }
    fflush(stdout);
}

static void latency(const char *title, const char *discipline, contestant_t *all, size_t count, const char *calls)
{
    for (int round = 0; round < rounds; round++)
        for (size_t i = 0; i < count; i++) {
            const play_t play = { discipline, all[i].player, { calls } };
            if (is_here(&all[i]))
                keep_percentiles(&all[i], round, run(&play));
        }
    show_latency(title, all, count);
}

#define LATENCY(title, discipline, all, calls) latency(title, discipline, all, sizeof(all) / sizeof(all[0]), calls)

static void all_latencies(void)
{
    contestant_t hot[] = { { .player = "nothing", .title = "nothing (the timer)" },
                           { .player = "copy", .title = "floor: TSC + 128 B copy" },
                           { .player = "success", .title = "success(), 4 fields" },
                           { .player = "quick", .title = "quick success, 4 fields" },
                           { .player = "message", .title = "message, 1 field" },
                           { .player = "off", .title = "message, level off" },
                           { .player = "fprintf", .title = "fprintf, buffered" },
                           { .player = "spdlog_async", .title = "spdlog async" },
                           { .player = "spdlog_sync", .title = "spdlog sync" } };
    contestant_t rested[] = { hot[0], hot[1], hot[2], hot[3], hot[6], hot[7], hot[8] };
    contestant_t pair[] = { hot[0], hot[1], hot[2], hot[3], hot[7], hot[8] };
    contestant_t rhythm[] = { hot[0], hot[1],
                              { .player = "rhythm_0", .title = "step + success, no fields" },
                              { .player = "rhythm_4", .title = "step + success, 4 fields" },
                              { .player = "rhythm_12", .title = "step + success, 12 fields" },
                              { .player = "rhythm_10_bytes", .title = "step + success, 4 texts of 10 B" },
                              { .player = "rhythm_200_bytes", .title = "step + success, 4 texts of 200 B" },
                              { .player = "rhythm_nested", .title = "nested operation of one step" } };
    LATENCY("one call, ns", "hot", hot, "20000");
    LATENCY("after 1 ms of sleep, ns", "rested", rested, "300");
    LATENCY("2 producers, ns", "pair", pair, "20000");
    LATENCY("rhythm of an operation, ns", "hot", rhythm, "20000");
}

/* A loop of calls, less the same loop of nothing. */
static void disabled_level(void)
{
    float nothing[ROUNDS_MAX], off[ROUNDS_MAX];
    for (int round = 0; round < rounds; round++) {
        run(&(play_t){ "loop", "nothing", { "20000000" } });
        nothing[round] = samples[0];
        run(&(play_t){ "loop", "off", { "20000000" } });
        off[round] = samples[0];
    }
    printf("\na message that is off: %.2f ns a call in a loop, %.2f ns for a call of nothing\n", (double)median(off, rounds),
           (double)median(nothing, rounds));
}

/* ---- Throughput ---- */

typedef struct race {
    const char *player, *title, *threads;
    float rate[ROUNDS_MAX], cpu_ns[ROUNDS_MAX], busiest_ns[ROUNDS_MAX], peak_kib[ROUNDS_MAX];
} race_t;

static long lines_of(const char *path)
{
    static char buffer[1 << 16];
    long lines = 0;
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return -1;
    for (size_t n; (n = fread(buffer, 1, sizeof(buffer), file)) > 0;)
        for (size_t i = 0; i < n; i++)
            lines += buffer[i] == '\n';
    fclose(file);
    return lines;
}

static void run_race(race_t *race, int round)
{
    char lines[16];
    snprintf(lines, sizeof(lines), "%d", FILE_LINES);
    const play_t play = { "file", race->player, { scratch, race->threads, lines } };
    unlink(scratch);
    if (run(&play) != 4 || lines_of(scratch) != FILE_LINES)
        give_up(&play);
    race->rate[round] = FILE_LINES / samples[0] / 1e6f;
    race->cpu_ns[round] = samples[1] * 1e9f / FILE_LINES;
    race->busiest_ns[round] = samples[2] * 1e9f / FILE_LINES;
    race->peak_kib[round] = samples[3];
}

static void throughput(void)
{
    race_t races[] = { { .player = "text", .title = "floor: text by hand", .threads = "1" },
                       { .player = "quick", .title = "step_logger", .threads = "1" },
                       { .player = "fprintf", .title = "fprintf, 256 KiB buffer", .threads = "1" },
                       { .player = "spdlog_sync", .title = "spdlog sync", .threads = "1" },
                       { .player = "spdlog_async", .title = "spdlog async", .threads = "1" },
                       { .player = "locked_text", .title = "floor: text by hand, a lock", .threads = "4" },
                       { .player = "quick", .title = "step_logger", .threads = "4" },
                       { .player = "fprintf", .title = "fprintf, 256 KiB buffer", .threads = "4" },
                       { .player = "spdlog_sync", .title = "spdlog sync", .threads = "4" },
                       { .player = "spdlog_async", .title = "spdlog async", .threads = "4" } };
    enum { RACES = sizeof(races) / sizeof(races[0]) };
    for (int round = 0; round < rounds; round++)
        for (size_t i = 0; i < RACES; i++)
            if (has_spdlog || strncmp(races[i].player, "spdlog", 6) != 0)
                run_race(&races[i], round);
    printf("\n%-28s %8s %10s %14s %12s %10s %9s\n", "a million lines to a file", "threads", "million/s", "min–max ", "CPU ns/line",
           "busiest", "peak KiB");
    for (size_t i = 0; i < RACES; i++) {
        char range[32];
        if (!has_spdlog && strncmp(races[i].player, "spdlog", 6) == 0)
            continue;
        snprintf(range, sizeof(range), "%.2f–%.2f", (double)least(races[i].rate, rounds), (double)most(races[i].rate, rounds));
        printf("%-28s %8s %10.2f %14s %12.0f %10.0f %9.0f\n", races[i].title, races[i].threads,
               (double)median(races[i].rate, rounds), range, (double)median(races[i].cpu_ns, rounds),
               (double)median(races[i].busiest_ns, rounds), (double)median(races[i].peak_kib, rounds));
    }
}

static void idle(void)
{
    const play_t ours = { "idle", "quick", { "10" } }, neighbour = { "idle", "spdlog_async", { "10" } };
    run(&ours);
    printf("\nat rest for 10 s: %.0f wake-ups, %.0f µs of CPU\n", (double)samples[0], (double)samples[1]);
    if (!has_spdlog)
        return;
    run(&neighbour);
    printf("spdlog async:     %.0f wake-ups, %.0f µs of CPU\n", (double)samples[0], (double)samples[1]);
}

int main(int argc, char **argv)
{
    char neighbour[4096];
    rounds = argc > 1 ? atoi(argv[1]) : rounds;
    directory = argc > 2 ? argv[2] : ".";
    snprintf(neighbour, sizeof(neighbour), "%s/players_spdlog", directory);
    has_spdlog = access(neighbour, X_OK) == 0;
    const int fd = mkstemp(scratch);
    if (fd < 0 || rounds < 1 || rounds > ROUNDS_MAX)
        return 2;
    close(fd);
    printf("medians of %d rounds\n", rounds);
    all_latencies();
    disabled_level();
    throughput();
    idle();
    unlink(scratch);
    return 0;
}
