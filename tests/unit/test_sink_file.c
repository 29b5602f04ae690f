/* step_sink_file(): what it opens, what it refuses, what it opens again. */
#include "sink_support.h"

#include <sys/socket.h>
#include <sys/un.h>

#define NOBODY 65534

static step_sink_t *must_open(const char *path)
{
    step_sink_t *sink = step_sink_file(path);
    assert_non_null(sink);
    return sink;
}

static void assert_refused(const char *path, int expected)
{
    const int before = open_descriptors();
    errno = 0;
    assert_null(step_sink_file(path));
    assert_int_equal(errno, expected);
    assert_int_equal(open_descriptors(), before);
}

static void assert_sink_appends(const char *path, const char *expected)
{
    step_sink_t *sink = must_open(path);
    assert_int_equal(put(sink, "line\n", NULL), 0);
    sink->close(sink);
    assert_file_holds(path, expected);
}

/* ---- Opening --------------------------------------------------------------------------------------------------------*/
static void a_file_is_made_0640_less_umask(void **state)
{
    const place_t *place = *state;
    struct stat status;
    const mode_t before = umask(0);
    step_sink_t *sink = must_open(place->file);
    sink->close(sink);
    umask(077);
    sink = must_open(in_place(place, "tight.log"));
    sink->close(sink);
    umask(before);
    assert_int_equal(stat(place->file, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    assert_int_equal(stat(in_place(place, "tight.log"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
}

static void lines_are_appended(void **state)
{
    const place_t *place = *state;
    spit(place->file, "old\n");
    errno = ESTALE;
    step_sink_t *sink = must_open(place->file);
    assert_int_equal(errno, ESTALE);
    assert_false(sink->may_block);
    assert_null(sink->flush);
    size_t taken;
    assert_int_equal(put(sink, "one\ntwo\n", &taken), 0);
    assert_int_equal(put(sink, "", &taken), 0);
    assert_int_equal(truncate(place->file, 0), 0); /* copytruncate */
    assert_int_equal(put(sink, "three\n", &taken), 0);
    sink->close(sink);
    assert_file_holds(place->file, "three\n");
}

/* The one descriptor that opening `path` leaves behind. */
static void assert_descriptor_is_ordinary(const char *path)
{
    bool before[64];
    int found = 0;
    for (int fd = 0; fd < 64; fd++)
        before[fd] = fcntl(fd, F_GETFD) >= 0;
    step_sink_t *sink = must_open(path);
    for (int fd = 0; fd < 64; fd++) {
        if (before[fd] || fcntl(fd, F_GETFD) < 0)
            continue;
        found++;
        assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
        assert_int_equal(fcntl(fd, F_GETFL) & (O_APPEND | O_NONBLOCK | O_ACCMODE), O_APPEND | O_WRONLY);
    }
    assert_int_equal(found, 1);
    sink->close(sink);
}

static void a_sink_holds_one_descriptor(void **state)
{
    const place_t *place = *state;
    assert_descriptor_is_ordinary(place->file);
    assert_descriptor_is_ordinary("/dev/null");
}

static void no_path_is_refused(void **state)
{
    const place_t *place = *state;
    char name[5000];
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_refused(NULL, EINVAL);
    assert_refused("", ENOENT);
    assert_refused("/", EISDIR);
    assert_refused(place->directory, EISDIR);
    assert_refused(".", EISDIR);
    assert_refused(in_place(place, "new/"), EISDIR);
    assert_refused(in_place(place, "missing/app.log"), ENOENT);
    assert_refused(name, ENAMETOOLONG);
    memset(name, '/', sizeof(name) - 1);
    assert_refused(name, ENAMETOOLONG);
    spit(place->file, "");
    assert_refused(in_place(place, "app.log/inside"), ENOTDIR);
}

static void fifos_and_sockets_are_refused(void **state)
{
    const place_t *place = *state;
    assert_int_equal(mkfifo(place->file, 0600), 0);
    assert_refused(place->file, EINVAL); /* and does not hang */
    const int reader = open(place->file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_refused(place->file, EINVAL);
    close(reader);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", place->directory);
    const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_refused(address.sun_path, EINVAL);
    close(listener);
}

static void devices_are_fine(void **state)
{
    (void)state;
    size_t taken;
    step_sink_t *sink = must_open("/dev/null");
    assert_false(sink->may_block);
    assert_int_equal(put(sink, "gone\n", &taken), 0);
    assert_int_equal(sink->reopen(sink), 0);
    sink->close(sink);
    sink = must_open("/dev/full");
    assert_false(sink->may_block);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(put(sink, "lost\n", &taken), ENOSPC);
        assert_int_equal(taken, 0);
    }
    sink->close(sink);
    const int outer = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (outer >= 0 && grantpt(outer) == 0 && unlockpt(outer) == 0) {
        sink = must_open(ptsname(outer));
        assert_true(sink->may_block);
        assert_int_equal(put(sink, "seen\n", NULL), 0);
        sink->close(sink);
    }
    close(outer);
}

static void write_to_dev_stderr(void *argument)
{
    const place_t *place = argument;
    const int report = dup(2);
    const int file = open(place->file, O_WRONLY | O_CREAT | O_APPEND, 0600);
    CHILD_CHECK(dup2(file, 2) == 2);
    step_sink_t *sink = step_sink_file("/dev/stderr");
    dup2(report, 2);
    CHILD_CHECK(sink != NULL);
    CHILD_CHECK(put(sink, "to stderr\n", NULL) == 0);
    sink->close(sink);
    int ends[2];
    CHILD_CHECK(pipe(ends) == 0 && dup2(ends[1], 2) == 2);
    errno = 0;
    sink = step_sink_file("/dev/stderr");
    const int error = errno;
    dup2(report, 2);
    CHILD_CHECK(sink == NULL && error == EINVAL);
    CHILD_CHECK(dup2(open("/dev/null", O_WRONLY), 2) == 2);
    sink = step_sink_file("/dev/stderr");
    dup2(report, 2);
    CHILD_CHECK(sink != NULL && !sink->may_block);
    sink->close(sink);
}

static void dev_stderr_is_followed_to_files_and_devices(void **state)
{
    place_t *place = *state;
    assert_int_equal(in_child(write_to_dev_stderr, place), 0);
    assert_file_holds(place->file, "to stderr\n");
}

static void open_without_standard_descriptors(void *argument)
{
    const place_t *place = argument;
    const int report = dup(2);
    close(0);
    close(1);
    close(2);
    step_sink_t *sink = step_sink_file(place->file);
    const bool free_still = fcntl(0, F_GETFD) < 0 && fcntl(1, F_GETFD) < 0 && fcntl(2, F_GETFD) < 0;
    dup2(report, 2);
    CHILD_CHECK(sink != NULL && free_still);
    sink->close(sink);
}

static void it_never_becomes_stderr(void **state)
{
    assert_int_equal(in_child(open_without_standard_descriptors, *state), 0);
}

/* ---- Links, owners, shared directories ------------------------------------------------------------------------------*/
static void links_are_followed_where_only_we_may_make_them(void **state)
{
    const place_t *place = *state;
    assert_int_equal(symlink("app.log", in_place(place, "relative")), 0);
    assert_int_equal(symlink(place->file, in_place(place, "absolute")), 0);
    assert_int_equal(symlink("relative", in_place(place, "second")), 0);
    assert_sink_appends(in_place(place, "relative"), "line\n"); /* dangling so far */
    assert_sink_appends(in_place(place, "absolute"), "line\nline\n");
    assert_sink_appends(in_place(place, "second"), "line\nline\nline\n");
    assert_int_equal(mkdir(in_place(place, "deep"), 0700), 0);
    assert_int_equal(symlink("../app.log", in_place(place, "deep/up")), 0);
    assert_int_equal(symlink("deep", in_place(place, "also-deep")), 0);
    assert_sink_appends(in_place(place, "also-deep/up"), "line\nline\nline\nline\n");
    assert_int_equal(symlink("loop", in_place(place, "loop")), 0);
    assert_refused(in_place(place, "loop"), ELOOP);
    assert_int_equal(symlink("deep", in_place(place, "to-directory")), 0);
    assert_refused(in_place(place, "to-directory"), EISDIR);
}

static void shared_directories_are_guarded(void **state)
{
    const place_t *place = *state;
    const mode_t modes[] = { 01777, 01700, 0777 };
    const char *shared = in_place(place, "shared");
    assert_int_equal(mkdir(shared, 0700), 0);
    spit(place->file, "safe\n");
    assert_int_equal(symlink(place->file, in_place(place, "shared/link")), 0);
    assert_int_equal(symlink("shared/link", in_place(place, "way-in")), 0);
    assert_int_equal(symlink("shared/file", in_place(place, "way-to-file")), 0);
    assert_int_equal(symlink(in_place(place, "nowhere"), in_place(place, "shared/dangling")), 0);
    spit(in_place(place, "shared/twice"), "");
    assert_int_equal(link(in_place(place, "shared/twice"), in_place(place, "shared/other")), 0);
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        char file[128];
        snprintf(file, sizeof(file), "%s/shared/file", place->directory);
        assert_int_equal(chmod(in_place(place, "shared"), modes[i]), 0);
        assert_sink_appends(file, "line\n"); /* made by us */
        assert_sink_appends(file, "line\nline\n");
        step_sink_t *sink = must_open(in_place(place, "way-to-file"));
        sink->close(sink);
        assert_refused(in_place(place, "shared/link"), ELOOP);
        assert_refused(in_place(place, "shared/dangling"), ELOOP);
        assert_refused(in_place(place, "way-in"), ELOOP);
        assert_refused(in_place(place, "shared/twice"), EPERM);
        if (geteuid() == 0) {
            assert_int_equal(chown(file, NOBODY, NOBODY), 0);
            assert_refused(file, EPERM);
            assert_refused(in_place(place, "way-to-file"), EPERM);
        }
        assert_int_equal(unlink(file), 0);
    }
    assert_int_equal(access(in_place(place, "nowhere"), F_OK), -1);
    assert_file_holds(place->file, "safe\n");
}

/* ---- Reopening ------------------------------------------------------------------------------------------------------*/
static void reopening_follows_the_name(void **state)
{
    const place_t *place = *state;
    step_sink_t *sink = must_open(place->file);
    assert_int_equal(put(sink, "first\n", NULL), 0);
    assert_int_equal(rename(place->file, in_place(place, "app.log.1")), 0);
    assert_int_equal(put(sink, "still first\n", NULL), 0);
    assert_int_equal(sink->reopen(sink), 0);
    assert_int_equal(put(sink, "second\n", NULL), 0);
    assert_file_holds(in_place(place, "app.log.1"), "first\nstill first\n");
    assert_file_holds(place->file, "second\n");
    assert_int_equal(unlink(place->file), 0);
    assert_int_equal(put(sink, "into the void\n", NULL), 0);
    const int before = open_descriptors();
    for (int i = 0; i < 1000; i++)
        assert_int_equal(sink->reopen(sink), 0);
    assert_int_equal(open_descriptors(), before);
    assert_int_equal(put(sink, "third\n", NULL), 0);
    sink->close(sink);
    assert_file_holds(place->file, "third\n");
}

static void changing_directory_changes_nothing(void **state)
{
    const place_t *place = *state;
    assert_int_equal(mkdir(in_place(place, "logs"), 0700), 0);
    assert_int_equal(chdir(place->directory), 0);
    step_sink_t *plain = must_open("app.log");
    step_sink_t *deep = must_open("logs/../logs/deep.log");
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rename(place->file, in_place(place, "app.log.1")), 0);
    assert_int_equal(unlink(in_place(place, "logs/deep.log")), 0);
    assert_int_equal(plain->reopen(plain), 0);
    assert_int_equal(deep->reopen(deep), 0);
    assert_int_equal(put(plain, "here\n", NULL), 0);
    assert_int_equal(put(deep, "there\n", NULL), 0);
    plain->close(plain);
    deep->close(deep);
    assert_file_holds(place->file, "here\n");
    assert_file_holds(in_place(place, "logs/deep.log"), "there\n");
    assert_file_holds(in_place(place, "app.log.1"), "");
}

static void what_cannot_be_reopened_is_kept(void **state)
{
    const place_t *place = *state;
    assert_int_equal(mkdir(in_place(place, "logs"), 0700), 0);
    char path[128];
    snprintf(path, sizeof(path), "%s/logs/app.log", place->directory);
    step_sink_t *sink = must_open(path);
    assert_int_equal(rename(path, in_place(place, "old")), 0);
    const int before = open_descriptors();
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(sink->reopen(sink), EISDIR);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(sink->reopen(sink), EINVAL);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(in_place(place, "logs")), 0);
    assert_int_equal(sink->reopen(sink), ENOENT);
    assert_int_equal(put(sink, "to the old one\n", NULL), 0);
    assert_int_equal(open_descriptors(), before);
    assert_int_equal(mkdir(in_place(place, "logs"), 0700), 0);
    assert_int_equal(sink->reopen(sink), 0);
    assert_int_equal(put(sink, "to the new one\n", NULL), 0);
    sink->close(sink);
    assert_file_holds(in_place(place, "old"), "to the old one\n");
    assert_file_holds(path, "to the new one\n");
}

static void reopen_where_nothing_is_allowed(void *argument)
{
    const place_t *place = argument;
    step_sink_t *sink = step_sink_file(place->file);
    CHILD_CHECK(sink != NULL);
    struct rlimit limit;
    CHILD_CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    const rlim_t enough = limit.rlim_cur;
    limit.rlim_cur = 3;
    CHILD_CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHILD_CHECK(sink->reopen(sink) == EMFILE);
    CHILD_CHECK(put(sink, "no descriptors\n", NULL) == 0);
    limit.rlim_cur = enough;
    CHILD_CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    if (geteuid() == 0)
        CHILD_CHECK(setegid(NOBODY) == 0 && seteuid(NOBODY) == 0);
    else
        CHILD_CHECK(chmod(place->directory, 0) == 0);
    CHILD_CHECK(sink->reopen(sink) == EACCES);
    CHILD_CHECK(put(sink, "no permission\n", NULL) == 0);
    sink->close(sink);
}

static void without_descriptors_or_permission_the_old_file_is_kept(void **state)
{
    place_t *place = *state;
    assert_int_equal(in_child(reopen_where_nothing_is_allowed, place), 0);
    assert_int_equal(chmod(place->directory, 0700), 0);
    assert_file_holds(place->file, "no descriptors\nno permission\n");
}

#define PLACED(test) cmocka_unit_test_setup_teardown(test, place_make, place_remove)

int main(void)
{
    alarm(30);
    const struct CMUnitTest tests[] = {
        PLACED(a_file_is_made_0640_less_umask),
        PLACED(lines_are_appended),
        PLACED(a_sink_holds_one_descriptor),
        PLACED(no_path_is_refused),
        PLACED(fifos_and_sockets_are_refused),
        PLACED(devices_are_fine),
        PLACED(dev_stderr_is_followed_to_files_and_devices),
        PLACED(it_never_becomes_stderr),
        PLACED(links_are_followed_where_only_we_may_make_them),
        PLACED(shared_directories_are_guarded),
        PLACED(reopening_follows_the_name),
        PLACED(changing_directory_changes_nothing),
        PLACED(what_cannot_be_reopened_is_kept),
        PLACED(without_descriptors_or_permission_the_old_file_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
