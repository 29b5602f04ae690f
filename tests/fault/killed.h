/* Processes that are killed, and what a recovery finds of them.
 *
 * A victim is a child that logs for ever, with a crash ring, and says in shared memory how far it is: a number is raised when the call
 * has returned. It is killed with SIGKILL; what its files hold and what is recovered, together, is checked against those numbers. */
#ifndef TESTS_FAULT_KILLED_H
#define TESTS_FAULT_KILLED_H

#include "fault.h"

enum { VICTIM_THREADS = 8, VICTIM_SECONDS = 20 };

/* What it has to say. */
typedef struct victim_words {
    _Atomic long ready;                    /* kill it from now on */
    _Atomic long returned[VICTIM_THREADS]; /* rounds that each thread is through with */
    _Atomic long flushed[VICTIM_THREADS];  /* rounds whose records a flush has behind it */
    _Atomic long inner[VICTIM_THREADS];    /* calls that have returned, whatever the test counts */
    _Atomic long pids[VICTIM_THREADS];     /* of processes that it made */
} victim_words_t;

typedef struct victim victim_t;
struct victim {
    place_t *place;
    char rings[96];
    victim_words_t *words;
    step_log_options_t options; /* with crash_ring_dir */
    int threads;
    void (*work)(victim_t *victim, step_log_t *log, int thread); /* for ever */
};

int victim_make(void **state); /* the state is a victim_t */
int victim_remove(void **state);
#define VICTIM_TEST(function) cmocka_unit_test_setup_teardown(function, victim_make, victim_remove)

/* A log with the victim's options, as the default; without outputs. */
step_log_t *victim_log(victim_t *victim);
step_log_t *victim_log_with_file(victim_t *victim); /* and text in its place's file */

/* Runs `work` in so many threads, says that it is ready, and does not return. */
__attribute__((noreturn)) void victim_run(victim_t *victim, step_log_t *log);

/* The child; `run` must not return. Then the wait status of one that was killed so many microseconds after it was ready. */
pid_t victim_start(victim_t *victim, void (*run)(victim_t *victim));
void victim_kill(const victim_t *victim, pid_t child, long us);
void victim_die(victim_t *victim, void (*run)(victim_t *victim), long us);

/* Recovers into a file of its own. The sink is a text file's. */
step_recovery_t recover_into(const victim_t *victim, const char *path, uint32_t flags);
bool rings_are_gone(const victim_t *victim); /* no directory of a log is left */
int count_directories(const victim_t *victim);

/* Calls `check` with each whole line of a file, without its newline. A file that is not there has none. */
void for_each_line(const char *path, void (*check)(const char *line, void *argument), void *argument);

#endif
