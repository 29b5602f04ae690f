/* What the sink tests share: a directory of their own, children that report, whole files. */
#ifndef TESTS_UNIT_SINK_SUPPORT_H
#define TESTS_UNIT_SINK_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sink/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define UNUSED __attribute__((unused)) /* not every test uses everything */

/* cmocka's assertions jump into the parent's test runner: in a forked child only this one is good. */
#define CHILD_CHECK(condition)                                                                                         \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            dprintf(2, "%s:%d: in child: %s (errno %d)\n", __FILE__, __LINE__, #condition, errno);                     \
            _exit(1);                                                                                                  \
        }                                                                                                              \
    } while (0)

/* Runs `body` in a child and returns its wait status: 0 when all its checks held. */
UNUSED static int in_child(void (*body)(void *argument), void *argument)
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(10);
        body(argument);
        _exit(0);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

typedef struct place {
    char directory[64];
    char file[128]; /* not made */
    int before;     /* the working directory of the test */
} place_t;

UNUSED static int place_make(void **state)
{
    place_t *place = calloc(1, sizeof(*place));
    if (place == NULL)
        return -1;
    strcpy(place->directory, "/tmp/step_sink_XXXXXX");
    if (mkdtemp(place->directory) == NULL)
        return -1;
    snprintf(place->file, sizeof(place->file), "%s/app.log", place->directory);
    place->before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *state = place;
    return place->before < 0 ? -1 : 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status;
    (void)type;
    (void)where;
    return remove(path);
}

UNUSED static int place_remove(void **state)
{
    place_t *place = *state;
    if (fchdir(place->before) != 0)
        return -1;
    close(place->before);
    nftw(place->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(place);
    return 0;
}

/* A path in the test's directory; good until the fourth call from now. */
UNUSED static const char *in_place(const place_t *place, const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", place->directory, name);
    return path;
}

UNUSED static void spit(const char *path, const char *text)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

/* The file's text, NUL-terminated, to be freed. */
UNUSED static char *slurp(const char *path, size_t *bytes)
{
    struct stat status;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &status), 0);
    char *text = calloc(1, (size_t)status.st_size + 1);
    assert_non_null(text);
    assert_int_equal(read(fd, text, (size_t)status.st_size), status.st_size);
    close(fd);
    if (bytes != NULL)
        *bytes = (size_t)status.st_size;
    return text;
}

#define assert_file_holds(path, expected)                                                                              \
    do {                                                                                                               \
        char *text_ = slurp(path, NULL);                                                                               \
        assert_string_equal(text_, expected);                                                                          \
        free(text_);                                                                                                   \
    } while (0)

/* Writes all of `text`; whatever the result, *taken is between 0 and its length. */
UNUSED static int put(step_sink_t *sink, const char *text, size_t *taken)
{
    size_t ignored = 0;
    if (taken == NULL)
        taken = &ignored;
    *taken = SIZE_MAX;
    const int error = sink->write(sink, text, strlen(text), taken);
    if (*taken > strlen(text) || (error == 0) != (*taken == strlen(text)))
        abort();
    return error;
}

UNUSED static int open_descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

UNUSED static int limit_file_size(rlim_t bytes)
{
    const struct rlimit limit = { .rlim_cur = bytes, .rlim_max = RLIM_INFINITY };
    return setrlimit(RLIMIT_FSIZE, &limit);
}

#endif
