#define _GNU_SOURCE
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* In a process group of its own, so that command_kill() reaches whatever it starts. */
int command_start(command_t *command, const char *text)
{
    int ends[2];
    *command = (command_t){ .output = -1, .end = -1 };
    if (pipe2(ends, O_CLOEXEC) != 0)
        return errno;
    command->pid = fork();
    if (command->pid == 0) {
        setpgid(0, 0);
        dup2(ends[1], STDOUT_FILENO);
        execl("/bin/sh", "sh", "-c", text, (char *)NULL);
        _exit(127);
    }
    int error = command->pid < 0 ? errno : 0;
    close(ends[1]);
    command->output = ends[0];
    if (error == 0) {
        setpgid(command->pid, command->pid); /* by whoever comes first */
        command->end = (int)syscall(SYS_pidfd_open, command->pid, 0);
        error = command->end < 0 ? errno : 0;
    }
    if (error == 0)
        return 0;
    command_close_output(command);
    if (command->pid > 0) {
        command_kill(command);
        command_wait(command);
    }
    return error;
}

void command_close_output(command_t *command)
{
    close(command->output);
    command->output = -1;
}

void command_kill(const command_t *command)
{
    kill(-command->pid, SIGKILL);
}

int command_wait(command_t *command)
{
    int status = 0;
    while (waitpid(command->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    close(command->end);
    command->end = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
