#include "fault/fault.h"

#include <dirent.h>
#include <time.h>

/* ---- Scenarios ---- */

double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void sleep_ms(long ms)
{
    struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

/* It is not reaped yet: its number, and that of its group, are still its own. */
static bool ends_within(pid_t child, int seconds)
{
    const double give_up = seconds_now() + seconds;
    for (;;) {
        siginfo_t ended = { .si_pid = 0 };
        if (waitid(P_PID, (id_t)child, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 && errno != EINTR)
            return false;
        if (ended.si_pid == child)
            return true;
        if (seconds_now() > give_up)
            return false;
        sleep_ms(2);
    }
}

static int reap(pid_t child)
{
    int status = HANGS;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

int wait_within(pid_t child, int seconds)
{
    if (ends_within(child, seconds))
        return reap(child);
    kill(child, SIGKILL);
    reap(child);
    return HANGS;
}

pid_t fork_child(void)
{
#ifdef STEP_LOGGER_SANITIZED
    sleep_ms(100); /* whose heap does not survive a fork while another thread is in it: backends are at rest by then */
#endif
    const pid_t child = fork();
    CHECK(child >= 0);
    return child;
}

int run_scenario(scenario_t scenario, void *argument)
{
    fflush(NULL); /* the child's exit() must not write what is the parent's */
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setpgid(0, 0);
        scenario(argument);
        exit(0);
    }
    const bool ended = ends_within(child, SCENARIO_SECONDS);
    kill(-child, SIGKILL); /* its children, and itself if it goes on */
    const int reaped = reap(child);
    const int status = ended ? reaped : HANGS;
    if (status == HANGS)
        print_error("the scenario did not end within %d s\n", SCENARIO_SECONDS);
    else if (WIFSIGNALED(status))
        print_error("the scenario was killed by signal %d\n", WTERMSIG(status));
    return status;
}

/* ---- Logs ---- */

step_log_t *open_log(const step_log_options_t *options)
{
    step_log_t *log = NULL;
    CHECK(step_log_open(options, &log) == STEP_OK);
    return log;
}

void add_output(step_log_t *log, step_sink_t *sink, step_format_t *format)
{
    CHECK(sink != NULL && format != NULL);
    CHECK(step_log_add_output(log, sink, format, 0) == STEP_OK);
}

step_log_t *open_file_log(const char *path)
{
    step_log_t *log = open_log(NULL);
    add_output(log, step_sink_file(path), step_format_text());
    return log;
}

step_stats_t check_oracle(step_log_t *log)
{
    step_stats_t stats = { .size = sizeof(stats) };
    CHECK(step_log_stats(log, &stats) == STEP_OK);
    if (stats.recorded != stats.written + stats.sampled_out + stats.dropped + stats.held)
        dprintf(2, "recorded %llu, written %llu, sampled out %llu, dropped %llu, held %llu\n", (unsigned long long)stats.recorded,
                (unsigned long long)stats.written, (unsigned long long)stats.sampled_out,
                (unsigned long long)stats.dropped, (unsigned long long)stats.held);
    CHECK(stats.recorded == stats.written + stats.sampled_out + stats.dropped + stats.held);
    CHECK(stats.dropped == stats.dropped_full + stats.dropped_nested + stats.dropped_memory + stats.dropped_sink);
    return stats;
}

/* ---- Records and what became of them ---- */

/* Of a record's line. */
static bool is_end(const char *text)
{
    return strcmp(text, ")") == 0 || strcmp(text, ", recovered=true)") == 0;
}

static void tally_line(tally_t *tally, const char *text, size_t length)
{
    int writer = 0, end = 0;
    long number = 0;
    char line[200]; /* sscanf() measures all that follows, each time */
    snprintf(line, sizeof(line), "%.*s", (int)length, text);
    if (sscanf(line, "[INFO] w (t=%d, n=%ld%n", &writer, &number, &end) == 2 && is_end(line + end) && writer >= 0 &&
        writer < WRITERS_MAX) {
        tally->disorder += tally->of[writer] > 0 && number <= tally->last[writer];
        tally->last[writer] = number;
        tally->of[writer]++;
        tally->total++;
    } else if (sscanf(line, "[WARNING] %ld record%*[s] dropped: %n", &number, &end) == 1 && end > 0) {
        tally->dropped += number;
    } else if (strncmp(line, "[WARNING] 1 record dropped: ", 28) == 0) {
        tally->dropped++;
    } else if (tally->strange++ == 0) {
        print_error("a strange line: %s\n", line);
    }
}

tally_t tally_text(const char *text)
{
    tally_t tally = { .total = 0 };
    for (const char *end; (end = strchr(text, '\n')) != NULL; text = end + 1)
        tally_line(&tally, text, (size_t)(end - text));
    tally.torn_end = *text != '\0';
    return tally;
}

tally_t tally_file(const char *path)
{
    size_t bytes;
    char *text = slurp(path, &bytes);
    const tally_t tally = tally_text(text);
    assert_int_equal(strlen(text), bytes); /* no NUL */
    free(text);
    return tally;
}

static void *write_records(void *argument)
{
    writers_t *writers = argument;
    const int me = atomic_fetch_add(&writers->next, 1);
    for (long i = 0; writers->each == 0 || i < writers->each; i++) {
        if (atomic_load_explicit(&writers->stop, memory_order_relaxed))
            break;
        put_record(writers->log, writers->first + me, i);
        atomic_fetch_add_explicit(&writers->made, 1, memory_order_relaxed);
        if (writers->burst != 0 && i % writers->burst == 0)
            sleep_ms(1);
    }
    return NULL;
}

void start_writers(writers_t *writers)
{
    for (int i = 0; i < writers->count; i++)
        CHECK(pthread_create(&writers->threads[i], NULL, write_records, writers) == 0);
}

void join_writers(writers_t *writers)
{
    for (int i = 0; i < writers->count; i++)
        CHECK(pthread_join(writers->threads[i], NULL) == 0);
}

/* ---- The process as the kernel sees it ---- */

long long status_number(const char *path, const char *name, int base)
{
    char text[8192] = "";
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    const ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    const char *at = n > 0 ? strstr(text, name) : NULL;
    return at != NULL ? (long long)strtoull(at + strlen(name), NULL, base) : -1;
}

pid_t thread_named(const char *name)
{
    char path[64], found[32];
    pid_t thread = 0;
    DIR *tasks = opendir("/proc/self/task");
    CHECK(tasks != NULL);
    for (const struct dirent *entry; thread == 0 && (entry = readdir(tasks)) != NULL;) {
        snprintf(path, sizeof(path), "/proc/self/task/%.16s/comm", entry->d_name);
        const int fd = open(path, O_RDONLY | O_CLOEXEC);
        const ssize_t n = fd >= 0 ? read(fd, found, sizeof(found)) : 0;
        if (fd >= 0)
            close(fd);
        if (n > 0 && (size_t)n == strlen(name) + 1 && memcmp(found, name, strlen(name)) == 0)
            thread = (pid_t)atoi(entry->d_name);
    }
    closedir(tasks);
    return thread;
}

long count_mappings(void)
{
    char some[4096];
    long lines = 0;
    const int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    for (ssize_t n; (n = read(fd, some, sizeof(some))) > 0;)
        for (ssize_t i = 0; i < n; i++)
            lines += some[i] == '\n';
    close(fd);
    return lines;
}
