/* The test program again, as a process of its own, with an environment of its own: for what is read or written once in the life
 * of a process. A test program that has children calls child_main() first in main(). */
#ifndef TESTS_SUPPORT_CHILD_H
#define TESTS_SUPPORT_CHILD_H

#include <stddef.h>

typedef struct child_program {
    const char *name;
    int (*run)(void); /* its result is the exit status */
} child_program_t;

typedef struct child_result {
    int status; /* exit status; 1000 + the signal's number when one ended it */
    char out[65536], err[65536]; /* what it wrote, NUL-terminated */
} child_result_t;

/* Runs the program that argv asks for and exits; returns when it asks for none. */
void child_main(int argc, char **argv, const child_program_t *programs, size_t count);

/* The path of this program. Not /proc/self/exe, which is the emulator's own where one runs us: then the child runs without it. */
const char *child_program(void);

/* Runs a program with these variables ("NAME=value", NULL at the end) and no others, but for those of sanitizers.
 * `prepare`, if not NULL, runs in the child before it: to close descriptors and the like. It is killed after a minute. */
void child_run(const char *name, const char *const *variables, void (*prepare)(void), child_result_t *result);

#endif
