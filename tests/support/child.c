#include "support/child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { VARIABLES_MAX = 32, LIFE_MS = 60000 };

extern char **environ;

void child_main(int argc, char **argv, const child_program_t *programs, size_t count)
{
    if (argc < 3 || strcmp(argv[1], "--child") != 0)
        return;
    for (size_t i = 0; i < count; i++)
        if (strcmp(argv[2], programs[i].name) == 0)
            exit(programs[i].run());
    fprintf(stderr, "there is no child program %s\n", argv[2]);
    exit(125);
}

static void die(const char *what)
{
    perror(what);
    abort();
}

static void build_environment(const char *const *variables, char *to[VARIABLES_MAX])
{
    static const char *const kept[] = { "ASAN_OPTIONS=", "UBSAN_OPTIONS=", "LSAN_OPTIONS=", "TSAN_OPTIONS=" };
    int count = 0;
    for (char **at = environ; *at != NULL; at++)
        for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
            if (strncmp(*at, kept[i], strlen(kept[i])) == 0)
                to[count++] = *at;
    while (*variables != NULL && count < VARIABLES_MAX - 1)
        to[count++] = strdup(*variables++); /* execve() wants them writable; the process ends or becomes another */
    to[count] = NULL;
}

const char *child_program(void)
{
    static char path[4096];
    const ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
    path[length > 0 ? length : 0] = '\0';
    return path;
}

static void become_child(const char *name, const char *const *variables, void (*prepare)(void), int out, int err)
{
    char *environment[VARIABLES_MAX];
    char *arguments[] = { strdup("child"), strdup("--child"), strdup(name), NULL };
    build_environment(variables, environment);
    if (dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0)
        _exit(126);
    if (prepare != NULL)
        prepare();
    execve(child_program(), arguments, environment);
    _exit(127);
}

/* Reads what is there; false at the end. */
static int read_some(int fd, char *to, size_t capacity)
{
    const size_t used = strlen(to);
    char spare[4096];
    const size_t room = capacity - 1 - used;
    const ssize_t n = room > 0 ? read(fd, to + used, room) : read(fd, spare, sizeof(spare));
    if (n > 0 && room > 0)
        to[used + (size_t)n] = '\0';
    return n > 0 || (n < 0 && errno == EINTR);
}

static void read_both(int out, int err, child_result_t *result, pid_t pid)
{
    struct pollfd fds[2] = { { .fd = out, .events = POLLIN }, { .fd = err, .events = POLLIN } };
    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        if (poll(fds, 2, LIFE_MS) == 0) {
            fprintf(stderr, "a child process hangs; it wrote:\n%s%s", result->out, result->err);
            kill(pid, SIGKILL);
            return;
        }
        if (fds[0].fd >= 0 && fds[0].revents != 0 && !read_some(out, result->out, sizeof(result->out)))
            fds[0].fd = -1;
        if (fds[1].fd >= 0 && fds[1].revents != 0 && !read_some(err, result->err, sizeof(result->err)))
            fds[1].fd = -1;
    }
}

void child_run(const char *name, const char *const *variables, void (*prepare)(void), child_result_t *result)
{
    int out[2], err[2], status = 0;
    result->out[0] = result->err[0] = '\0';
    if (pipe(out) != 0 || pipe(err) != 0)
        die("pipe");
    const pid_t pid = fork();
    if (pid < 0)
        die("fork");
    if (pid == 0) {
        close(out[0]);
        close(err[0]);
        become_child(name, variables, prepare, out[1], err[1]);
    }
    close(out[1]);
    close(err[1]);
    read_both(out[0], err[0], result, pid);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    close(out[0]);
    close(err[0]);
    result->status = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}
