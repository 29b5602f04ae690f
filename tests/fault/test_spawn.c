/* Programs that are started, in every way there is, while threads log and files are opened again: they inherit no descriptor of
 * the library's, and no line is lost or written twice. */
#include "fault.h"

#include "support/child.h"

#include <spawn.h>

enum { ROUNDS = 40 / SLOWER, WRITERS = 4, STARTED = 20, STARTED_RECORDS = 5 };

/* ---- What is started ---- */

/* Says by its exit status how many descriptors it has beyond the standard ones. */
static int count_descriptors(void)
{
    int count = 0;
    for (int fd = STDERR_FILENO + 1; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* Logs to the same file. */
static int log_here(const char *path, int number)
{
    step_log_t *log = open_file_log(path);
    for (long i = 0; i < STARTED_RECORDS; i++)
        put_record(log, STARTED + number, i);
    CHECK(step_log_close(log) == STEP_OK);
    return count_descriptors();
}

/* ---- Ways to start it ---- */

typedef struct start {
    char path[4096], file[256], number[16];
} start_t;

static int status_of(pid_t child)
{
    CHECK(child > 0);
    const int status = wait_within(child, 30);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int by_posix_spawn(start_t *start)
{
    pid_t child = 0;
    char *const arguments[] = { start->path, start->file, start->number, NULL };
    CHECK(posix_spawn(&child, start->path, NULL, NULL, arguments, environ) == 0);
    return status_of(child);
}

static int by_vfork(start_t *start)
{
    char *const arguments[] = { start->path, start->file, start->number, NULL };
    const pid_t child = vfork();
    if (child == 0) {
        execv(start->path, arguments);
        _exit(127);
    }
    return status_of(child);
}

static int by_fork(start_t *start)
{
    char *const arguments[] = { start->path, start->file, start->number, NULL };
    const pid_t child = fork();
    if (child == 0) {
        execv(start->path, arguments);
        _exit(127);
    }
    return status_of(child);
}

static const char *command_of(const start_t *start)
{
    static char command[5000];
    snprintf(command, sizeof(command), "exec '%s' '%s' %s", start->path, start->file, start->number);
    return command;
}

static int by_system(start_t *start)
{
    const int status = system(command_of(start));
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int by_popen(start_t *start)
{
    FILE *stream = popen(command_of(start), "r");
    CHECK(stream != NULL);
    const int status = pclose(stream);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int (*const ways[])(start_t *start) = { by_posix_spawn, by_vfork, by_fork, by_system, by_popen };
enum { WAYS = sizeof(ways) / sizeof(ways[0]) };
_Static_assert(STARTED + ROUNDS * WAYS <= WRITERS_MAX, "each has a number of its own");

/* ---- Under load ---- */

typedef struct churner {
    step_log_t *log;
    const char *other;
    atomic_bool stop;
    atomic_long rounds;
} churner_t;

/* Opens descriptors at any moment. */
static void *churn(void *argument)
{
    churner_t *churner = argument;
    while (!atomic_load(&churner->stop)) {
        const int reopened = step_log_reopen(churner->log);
        CHECK(reopened == STEP_OK || reopened == STEP_ETIMEOUT); /* whoever pumps may keep it from that on a busy machine */
        step_log_t *log = open_file_log(churner->other);
        put_record(log, 0, atomic_load(&churner->rounds));
        CHECK(step_log_close(log) == STEP_OK);
        atomic_fetch_add(&churner->rounds, 1);
    }
    return NULL;
}

static void start_in_all_ways(start_t *start, int expected)
{
    for (int round = 0; round < ROUNDS; round++)
        for (int way = 0; way < WAYS; way++) {
            snprintf(start->number, sizeof(start->number), "%d", round * WAYS + way);
            const int found = ways[way](start);
            if (found != expected)
                dprintf(2, "way %d, round %d: %d descriptors, not %d\n", way, round, found, expected);
            CHECK(found == expected);
        }
}

static void start_under_load(void *place)
{
    pthread_t thread;
    start_t start = { .number = "-1" };
    snprintf(start.path, sizeof(start.path), "%s", child_program());
    snprintf(start.file, sizeof(start.file), "%s", ((place_t *)place)->file);
    const int inherited = by_posix_spawn(&start); /* what is not ours to count */
    writers_t busy = { .log = open_file_log(start.file), .count = WRITERS, .burst = 200 };
    churner_t churner = { .log = busy.log, .other = in_place(place, "other.log") };
    start_writers(&busy);
    CHECK(pthread_create(&thread, NULL, churn, &churner) == 0);
    CHECK_SOON(atomic_load(&churner.rounds) > 0);
    start_in_all_ways(&start, inherited);
    atomic_store(&churner.stop, true);
    pthread_join(thread, NULL);
    atomic_store(&busy.stop, true);
    join_writers(&busy);
    CHECK(step_log_flush(busy.log, FLUSH_MS) == STEP_OK);
    CHECK(check_oracle(busy.log).written == (uint64_t)atomic_load(&busy.made));
    CHECK(step_log_close(busy.log) == STEP_OK);
    const tally_t tally = tally_file(start.file), other = tally_file(churner.other);
    CHECK(tally.of[0] + tally.of[1] + tally.of[2] + tally.of[3] == atomic_load(&busy.made));
    CHECK(tally.disorder + tally.strange + tally.dropped + tally.torn_end == 0);
    for (int i = 0; i < ROUNDS * WAYS; i++)
        CHECK(tally.of[STARTED + i] == STARTED_RECORDS);
    CHECK(other.total == atomic_load(&churner.rounds));
}

static void programs_inherit_nothing_and_lose_nothing(void **state)
{
    assert_survives(start_under_load, *state);
}

int main(int argc, char **argv)
{
    if (argc == 3)
        return atoi(argv[2]) < 0 ? count_descriptors() : log_here(argv[1], atoi(argv[2]));
    const struct CMUnitTest tests[] = { PLACE_TEST(programs_inherit_nothing_and_lose_nothing) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
