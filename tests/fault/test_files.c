/* Files that others delete, rename, truncate or swap for something else, directories that go away or may not be written to, no
 * descriptors left: the log goes on, in the old file where there is no new one, and a later reopen() finds its place again. */
#include "fault.h"

enum { NOBODY = 65534 };

static const char *file_in(void *place)
{
    return ((place_t *)place)->file;
}

static atomic_int told;

static void count_telling(void *ctx, int code, const char *text)
{
    (void)ctx, (void)code, (void)text;
    atomic_fetch_add(&told, 1);
}

static step_log_t *open_quiet_log(const char *path)
{
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    options.diagnose = count_telling;
    step_log_t *log = open_log(&options);
    add_output(log, step_sink_file(path), step_format_text());
    return log;
}

/* A hundred records under a number of their own, which reach the file without an error. */
static void put_hundred(step_log_t *log, int writer)
{
    for (long i = 0; i < 100; i++)
        put_record(log, writer, i);
    CHECK(step_log_flush(log, FLUSH_MS) == STEP_OK);
}

static void end(step_log_t *log)
{
    const step_stats_t stats = check_oracle(log);
    CHECK(stats.dropped == 0);
    CHECK(step_log_close(log) == STEP_OK);
}

/* The file holds the whole hundreds of these writers and nothing else. */
static void check_holds(const char *path, int first, int last)
{
    const tally_t tally = tally_file(path);
    for (int i = first; i <= last; i++)
        CHECK(tally.of[i] == 100);
    CHECK(tally.total == 100 * (last - first + 1));
    CHECK(tally.disorder + tally.strange == 0 && !tally.torn_end);
}

static void check_refuses(step_log_t *log)
{
    const int descriptors = open_descriptors();
    CHECK(step_log_reopen(log) == STEP_EIO);
    CHECK(open_descriptors() == descriptors);
}

/* ---- No descriptors ---- */

static void reopen_without_descriptors(void *place)
{
    struct rlimit limit;
    step_log_t *log = open_quiet_log(file_in(place));
    put_hundred(log, 0);
    CHECK(rename(file_in(place), in_place(place, "old.log")) == 0);
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    const struct rlimit none = { .rlim_cur = 0, .rlim_max = limit.rlim_max };
    CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
    CHECK(step_log_reopen(log) == STEP_EIO);
    CHECK(atomic_load(&told) == 1);
    put_hundred(log, 1);
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHECK(access(file_in(place), F_OK) != 0);
    check_holds(in_place(place, "old.log"), 0, 1);
    CHECK(step_log_reopen(log) == STEP_OK);
    put_hundred(log, 2);
    end(log);
    check_holds(file_in(place), 2, 2);
    check_holds(in_place(place, "old.log"), 0, 1);
}

static void without_descriptors_the_old_file_goes_on(void **state)
{
    assert_survives(reopen_without_descriptors, *state);
}

/* ---- Deleted, renamed, truncated ---- */

static void delete_and_rename(void *place)
{
    step_log_t *log = open_quiet_log(file_in(place));
    put_hundred(log, 0);
    CHECK(unlink(file_in(place)) == 0);
    put_hundred(log, 1); /* where nobody finds it */
    CHECK(step_log_reopen(log) == STEP_OK);
    put_hundred(log, 2);
    CHECK(rename(file_in(place), in_place(place, "old.log")) == 0);
    put_hundred(log, 3);
    CHECK(step_log_reopen(log) == STEP_OK);
    put_hundred(log, 4);
    end(log);
    check_holds(in_place(place, "old.log"), 2, 3);
    check_holds(file_in(place), 4, 4);
}

static void a_file_that_was_deleted_or_renamed_is_made_again(void **state)
{
    assert_survives(delete_and_rename, *state);
}

static void truncate_often(void *place)
{
    step_log_t *log = open_quiet_log(file_in(place));
    put_hundred(log, 0);
    CHECK(truncate(file_in(place), 0) == 0); /* as copytruncate does */
    put_hundred(log, 1);
    check_holds(file_in(place), 1, 1);
    CHECK(truncate(file_in(place), 0) == 0);
    CHECK(step_log_reopen(log) == STEP_OK);
    put_hundred(log, 2);
    check_holds(file_in(place), 2, 2);
    CHECK(truncate(file_in(place), 10) == 0); /* inside a line */
    CHECK(step_log_reopen(log) == STEP_OK);
    put_hundred(log, 3);
    end(log);
}

static void a_file_that_was_truncated_has_no_holes(void **state)
{
    assert_survives(truncate_often, *state);
    const tally_t tally = tally_file(file_in(*state)); /* it has no NULs */
    assert_int_equal(tally.of[3], 100); /* the first of them not glued to what was left */
    assert_int_equal(tally.strange, 1);
    assert_int_equal(tally.total, 100);
}

static void truncate_under_writers(void *place)
{
    writers_t writers = { .log = open_quiet_log(file_in(place)), .count = 3, .burst = 20 };
    start_writers(&writers);
    for (int i = 0; i < 200 / SLOWER; i++) {
        sleep_ms(1);
        CHECK(i % 2 == 0 ? truncate(file_in(place), 0) == 0 : step_log_reopen(writers.log) == STEP_OK);
    }
    atomic_store(&writers.stop, true);
    join_writers(&writers);
    CHECK(step_log_flush(writers.log, FLUSH_MS) == STEP_OK);
    CHECK(check_oracle(writers.log).written == (uint64_t)atomic_load(&writers.made));
    put_hundred(writers.log, 10);
    end(writers.log);
}

static void truncation_under_writers_leaves_whole_lines(void **state)
{
    assert_survives(truncate_under_writers, *state);
    size_t bytes;
    char *text = slurp(file_in(*state), &bytes);
    assert_int_equal(strlen(text), bytes);
    const tally_t tally = tally_text(text);
    free(text);
    assert_int_equal(tally.of[10], 100);
    assert_int_equal(tally.disorder, 0);
    assert_int_equal(tally.strange, 0);
}

/* ---- The directory ---- */

static void lose_the_directory(void *place)
{
    char directory[128], path[160];
    snprintf(directory, sizeof(directory), "%s", in_place(place, "logs"));
    snprintf(path, sizeof(path), "%s/app.log", directory);
    CHECK(mkdir(directory, 0750) == 0);
    step_log_t *log = open_quiet_log(path);
    put_hundred(log, 0);
    CHECK(rename(directory, in_place(place, "gone")) == 0);
    check_refuses(log);
    put_hundred(log, 1);
    check_holds(in_place(place, "gone/app.log"), 0, 1);
    CHECK(mkdir(directory, 0750) == 0);
    CHECK(step_log_reopen(log) == STEP_OK);
    put_hundred(log, 2);
    CHECK(unlink(path) == 0 && rmdir(directory) == 0);
    check_refuses(log);
    put_hundred(log, 3);
    CHECK(mkdir(directory, 0750) == 0 && mkdir(path, 0750) == 0); /* a directory where the file was */
    check_refuses(log);
    CHECK(rmdir(path) == 0 && step_log_reopen(log) == STEP_OK);
    put_hundred(log, 4);
    end(log);
    check_holds(path, 4, 4);
}

static void a_directory_that_goes_and_comes_back(void **state)
{
    assert_survives(lose_the_directory, *state);
}

/* Permissions mean nothing to root. */
static void become_nobody(const char *directory)
{
    if (geteuid() != 0)
        return;
    CHECK(chown(directory, NOBODY, NOBODY) == 0);
    CHECK(setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0);
}

static void lose_permissions(void *place)
{
    const char *directory = ((place_t *)place)->directory;
    become_nobody(directory);
    step_log_t *log = open_quiet_log(file_in(place));
    put_hundred(log, 0);
    CHECK(rename(file_in(place), in_place(place, "old.log")) == 0);
    CHECK(chmod(directory, 0500) == 0); /* nothing new in it */
    check_refuses(log);
    put_hundred(log, 1);
    CHECK(chmod(directory, 0) == 0);
    check_refuses(log);
    put_hundred(log, 2);
    CHECK(chmod(directory, 0700) == 0 && step_log_reopen(log) == STEP_OK);
    put_hundred(log, 3);
    CHECK(chmod(file_in(place), 0) == 0);
    check_refuses(log);
    put_hundred(log, 4);
    CHECK(chmod(file_in(place), 0200) == 0); /* to be written to, not to be read */
    CHECK(step_log_reopen(log) == STEP_OK);
    put_hundred(log, 5);
    CHECK(chmod(file_in(place), 0600) == 0);
    end(log);
    check_holds(in_place(place, "old.log"), 0, 2);
    check_holds(file_in(place), 3, 5);
}

static void permissions_that_go_and_come_back(void **state)
{
    assert_survives(lose_permissions, *state);
}

/* ---- Modes, places ---- */

static void open_with_umask(void *place)
{
    struct stat status;
    umask(0);
    step_log_t *log = open_quiet_log(file_in(place));
    put_hundred(log, 0);
    CHECK(stat(file_in(place), &status) == 0 && (status.st_mode & 07777) == 0640);
    CHECK(unlink(file_in(place)) == 0 && step_log_reopen(log) == STEP_OK);
    put_hundred(log, 1);
    CHECK(stat(file_in(place), &status) == 0 && (status.st_mode & 07777) == 0640);
    umask(077);
    CHECK(unlink(file_in(place)) == 0 && step_log_reopen(log) == STEP_OK);
    CHECK(stat(file_in(place), &status) == 0 && (status.st_mode & 07777) == 0600);
    end(log);
    CHECK(umask(0) == 077); /* it did not touch it */
}

static void files_are_0640_at_most(void **state)
{
    assert_survives(open_with_umask, *state);
}

/* As daemon(3) does it, with the log open before. */
static void daemonise(void *place)
{
    CHECK(chdir(((place_t *)place)->directory) == 0);
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
#ifdef __SANITIZE_THREAD__ /* which ends a child of a process with threads as soon as it starts one */
    options.mode = STEP_MODE_SYNC;
#endif
    step_log_t *log = open_log(&options);
    add_output(log, step_sink_file("app.log"), step_format_text());
    put_hundred(log, 0);
    const pid_t daemon = fork_child();
    if (daemon != 0) {
        CHECK(wait_within(daemon, 20) == 0);
        _exit(0);
    }
    CHECK(setsid() >= 0 && chdir("/") == 0);
    put_hundred(log, 1);
    CHECK(rename(file_in(place), in_place(place, "old.log")) == 0);
    CHECK(step_log_reopen(log) == STEP_OK);
    put_hundred(log, 2);
    CHECK(step_log_close(log) == STEP_OK);
}

static void look_where_it_wrote(void *place)
{
    check_holds(in_place(place, "old.log"), 0, 1);
    check_holds(file_in(place), 2, 2);
    CHECK(access("/app.log", F_OK) != 0);
}

static void a_daemon_reopens_where_it_began(void **state)
{
    assert_survives(daemonise, *state);
    assert_survives(look_where_it_wrote, *state);
}

/* ---- Traps in a directory that others may write to ---- */

static void check_no_sink(const char *path, int error)
{
    const int before = open_descriptors();
    errno = 0;
    CHECK(step_sink_file(path) == NULL);
    CHECK(errno == error);
    CHECK(open_descriptors() == before);
}

static void set_traps(void *place)
{
    char sticky[128], path[160], victim[128];
    snprintf(sticky, sizeof(sticky), "%s", in_place(place, "sticky"));
    snprintf(path, sizeof(path), "%s/app.log", sticky);
    snprintf(victim, sizeof(victim), "%s", in_place(place, "victim"));
    CHECK(mkdir(sticky, 0700) == 0 && chmod(sticky, 01777) == 0);
    spit(victim, "precious\n");

    CHECK(symlink(victim, path) == 0);
    check_no_sink(path, ELOOP);
    CHECK(unlink(path) == 0 && symlink("nowhere", path) == 0);
    check_no_sink(path, ELOOP);
    CHECK(unlink(path) == 0 && link(victim, path) == 0);
    check_no_sink(path, EPERM);
    CHECK(unlink(path) == 0 && mkfifo(path, 0666) == 0);
    check_no_sink(path, EINVAL); /* without a reader, whom open() would wait for */
    const int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    check_no_sink(path, EINVAL);
    close(reader);
    CHECK(unlink(path) == 0);

    step_log_t *log = open_quiet_log(path); /* and the same when it is opened again */
    put_hundred(log, 0);
    CHECK(rename(path, file_in(place)) == 0 && symlink(victim, path) == 0);
    check_refuses(log);
    CHECK(unlink(path) == 0 && mkfifo(path, 0666) == 0);
    check_refuses(log);
    put_hundred(log, 1);
    end(log);
    check_holds(file_in(place), 0, 1);
    assert_file_holds(victim, "precious\n");
}

static void traps_in_sticky_directories_are_refused(void **state)
{
    assert_survives(set_traps, *state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(without_descriptors_the_old_file_goes_on),
        PLACE_TEST(a_file_that_was_deleted_or_renamed_is_made_again),
        PLACE_TEST(a_file_that_was_truncated_has_no_holes),
        PLACE_TEST(truncation_under_writers_leaves_whole_lines),
        PLACE_TEST(a_directory_that_goes_and_comes_back),
        PLACE_TEST(permissions_that_go_and_come_back),
        PLACE_TEST(files_are_0640_at_most),
        PLACE_TEST(a_daemon_reopens_where_it_began),
        PLACE_TEST(traps_in_sticky_directories_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
