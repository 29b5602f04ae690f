/* What fault tests share.
 *
 * A scenario runs in a child of its own, so that it may exit, be killed or hang without taking the test along. It logs records
 * that carry who made them and their number; afterwards a tally of the output tells which of them are there, twice, out of
 * order or torn, and the log's statistics have to add up. */
#ifndef TESTS_FAULT_FAULT_H
#define TESTS_FAULT_FAULT_H

#include "unit/sink_support.h"

#include <step_logger.h>

#include <pthread.h>
#include <stdatomic.h>

#ifdef STEP_LOGGER_SANITIZED
enum { SLOWER = 10 }; /* what counts are divided by */
#else
enum { SLOWER = 1 };
#endif

enum { FLUSH_MS = 30000 };

/* In a scenario instead of cmocka's assertions, which would jump into the parent's runner. */
#define CHECK CHILD_CHECK

/* ---- Scenarios ---- */

typedef void (*scenario_t)(void *argument);
enum { SCENARIO_SECONDS = 40, HANGS = -1 };

/* Runs the scenario in a child, which ends with exit(0), and returns its wait status; HANGS if it did not end in time: then it
 * was killed, with its children. */
int run_scenario(scenario_t scenario, void *argument);
#define assert_survives(scenario, argument) assert_int_equal(run_scenario(scenario, argument), 0)

/* fork() for a scenario's own children; then the wait status of one, HANGS after so many seconds. */
pid_t fork_child(void);
int wait_within(pid_t child, int seconds);

double seconds_now(void); /* monotonic */
void sleep_ms(long ms);

/* Waits until the condition holds; a scenario in which it does not within ten seconds fails. */
#define CHECK_SOON(condition)                                                                                          \
    do {                                                                                                               \
        const double check_until_ = seconds_now() + 10;                                                                \
        while (!(condition) && seconds_now() < check_until_)                                                           \
            sleep_ms(1);                                                                                               \
        CHECK(condition);                                                                                              \
    } while (0)

#define PLACE_TEST(function) cmocka_unit_test_setup_teardown(function, place_make, place_remove)

/* ---- Logs ---- */

step_log_t *open_log(const step_log_options_t *options);
void add_output(step_log_t *log, step_sink_t *sink, step_format_t *format);

/* A log with a text file. */
step_log_t *open_file_log(const char *path);

/* recorded = written + sampled_out + dropped + held, and the reasons make the sum. */
step_stats_t check_oracle(step_log_t *log);

/* ---- Records and what became of them ---- */

/* The line: [INFO] w (t=WRITER, n=NUMBER) */
#define put_record(log, writer, number)                                                                                \
    step_log_message(log, STEP_LEVEL_INFO, "w", step_kv("t", (int)(writer)), step_kv("n", (long)(number)))

enum { WRITERS_MAX = 256 };

typedef struct tally {
    long of[WRITERS_MAX]; /* lines of each writer */
    long total;
    long disorder; /* not after the writer's previous one: twice, or out of order */
    long strange;  /* neither a record nor a line of the library's own: torn */
    bool torn_end; /* the last line has no end; it counts nowhere else */
    long dropped;  /* as lines of the library's own say */
    long last[WRITERS_MAX];
} tally_t;

tally_t tally_text(const char *text);
tally_t tally_file(const char *path);

/* Threads that log, each under a number of its own from `first` on. */
typedef struct writers {
    step_log_t *log;
    int first, count;
    long each;  /* 0: until `stop` */
    long burst; /* so many at a stretch, then a millisecond of rest; 0: without rest */
    atomic_bool stop;
    atomic_long made; /* records, by all of them */
    atomic_int next;
    pthread_t threads[16];
} writers_t;

void start_writers(writers_t *writers);
void join_writers(writers_t *writers);

/* ---- The process as the kernel sees it ---- */

/* The number after `name` in /proc/self/status or another such file; -1 without. */
long long status_number(const char *path, const char *name, int base);

/* The thread of that name, from /proc/self/task; 0 when there is none. */
pid_t thread_named(const char *name);
long count_mappings(void);

#endif
