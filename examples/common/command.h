/* A shell command that runs beside us, seen through descriptors that poll() takes. */
#ifndef EXAMPLES_COMMAND_H
#define EXAMPLES_COMMAND_H

#include <sys/types.h>

typedef struct command {
    pid_t pid;
    int output; /* what it prints; -1 once it is closed */
    int end;    /* readable when it has ended; -1 once it was waited for */
} command_t;

/* 0 or an error number. */
int command_start(command_t *command, const char *text);

void command_close_output(command_t *command);

/* Ends it, and what it has started; wait for it all the same. */
void command_kill(const command_t *command);

/* Its exit code, or as the shell has it, 128 and the signal that ended it. */
int command_wait(command_t *command);

#endif
