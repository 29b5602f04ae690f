/* Signals that end a process, caught so that something can be done first.
 *
 *     fault ─> the thread's own signal stack ─> the first? ── yes ─> work() ─┬─> whoever handled the signal before
 *                                                  └── no: waits for it ─────┘   or the signal again, which ends the process
 *
 * Once the work is done everything goes on as if nobody had been here: a handler that was there before gets the same arguments and
 * mask; where there was none the same signal, with all that is known of it, is pending when the handler returns, so that
 * the wait status and a core file are those of the fault, at its place.
 *
 * The work ends in bounded time whatever becomes of it: a timer sends the signal again, and both that and a fault in the work
 * itself leave it where it is and go on with the rest. Two threads that are hit at once do the work once. */
#ifndef STEPI_PLATFORM_FAULT_H
#define STEPI_PLATFORM_FAULT_H

#include <signal.h>
#include <stdbool.h>

/* From now on `work` runs when SIGSEGV, SIGBUS, SIGILL, SIGFPE or SIGABRT comes, on the thread that got it, with stepi_is_crashing
 * set. Once in the life of a process; not by two threads at once. False when the kernel refuses. */
bool stepi_faults_catch(void (*work)(void));
bool stepi_faults_are_caught(void);

/* A stack for signal handlers, for this thread: without one its stack's overflow cannot be handled. */
typedef struct stepi_fault_stack {
    char *pages;    /* NULL: none. Kept for the next thread that comes with this structure */
    stack_t before; /* what the thread had */
} stepi_fault_stack_t;

/* Unless the thread has one that is large enough. False without memory. */
bool stepi_fault_stack_enter(stepi_fault_stack_t *stack);

/* The thread ends: it gets back what it had. */
void stepi_fault_stack_leave(stepi_fault_stack_t *stack);

/* The thread that was at work is not in this process. */
void stepi_faults_reset_in_child(void);

#endif
