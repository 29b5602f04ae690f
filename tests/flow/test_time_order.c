/* Lines of many threads stand in the order of time.
 *
 * The exception that is meant: a thread that is preempted inside a call, with its time stamp taken and its record not yet
 * published, is waited for 10 ms; then its line comes late, with its own time. Which lines those are can be told: the
 * thread's next line is at least those 10 ms younger, or there is none. Any other line out of order is an error. */
#include "support/test_log.h"
#include "support/threads.h"

#include <time.h>

#ifdef STEP_LOGGER_SANITIZED
enum { RECORDS = 10000, ROUNDS = 5 };
#else
enum { RECORDS = 20000, ROUNDS = 20 };
#endif
enum { THREADS = 6, WAITED_NS = 9000000, LINES_MAX = THREADS * RECORDS };

typedef struct line {
    int64_t ns;
    int thread;
    int i;
} line_t;

static line_t lines[LINES_MAX];

typedef struct writer {
    int number;
    int records;
} writer_t;

static void write_messages(void *argument)
{
    const writer_t *writer = argument;
    for (int i = 0; i < writer->records; i++)
        step_info("message", step_kv("thread", writer->number), step_kv("i", i));
}

static void run_writers(int records)
{
    writer_t writers[THREADS];
    for (int i = 0; i < THREADS; i++)
        writers[i] = (writer_t){ .number = i, .records = records };
    run_on_threads(write_messages, THREADS, writers, sizeof(writers[0]));
}

static const char *expect(const char *at, const char *what)
{
    if (strncmp(at, what, strlen(what)) != 0)
        fail_msg("%s expected: %.200s", what, at);
    return at + strlen(what);
}

static line_t parse(const char *text, size_t length)
{
    char at[512]; /* of its own, or sscanf would go through all that follows to find its end */
    line_t line;
    struct tm tm = { 0 };
    int ns;
    assert_true(length < sizeof(at));
    memcpy(at, text, length);
    at[length] = '\0';
    if (sscanf(expect(at, "{\"ts\":\""), "%d-%d-%dT%d:%d:%d.%9dZ", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
               &tm.tm_min, &tm.tm_sec, &ns) != 7)
        fail_msg("no time: %.100s", at);
    tm.tm_year -= 1900;
    tm.tm_mon--;
    line.ns = (int64_t)timegm(&tm) * 1000000000 + ns;
    const char *fields = strstr(at, "\"thread\":");
    if (fields == NULL || sscanf(fields, "\"thread\":%d,\"i\":%d}", &line.thread, &line.i) != 2)
        fail_msg("no fields: %.200s", at);
    return line;
}

static int parse_all(const char *text)
{
    int count = 0;
    for (const char *at = text; *at != '\0'; at = strchr(at, '\n') + 1) {
        assert_true(count < LINES_MAX);
        lines[count++] = parse(at, (size_t)(strchr(at, '\n') - at));
    }
    return count;
}

/* The time of the thread's next line; INT64_MAX when there is none. */
static int64_t next_of(int count, int from)
{
    for (int i = from + 1; i < count; i++)
        if (lines[i].thread == lines[from].thread)
            return lines[i].ns;
    return INT64_MAX;
}

static void check_order(int count)
{
    int64_t latest = INT64_MIN;
    int next[THREADS] = { 0 };
    int late = 0;
    for (int i = 0; i < count; i++) {
        const line_t *line = &lines[i];
        assert_int_equal(line->i, next[line->thread]++);
        if (line->ns >= latest) {
            latest = line->ns;
            continue;
        }
        late++;
        const int64_t next_ns = next_of(count, i);
        if (next_ns != INT64_MAX && next_ns - line->ns < WAITED_NS)
            fail_msg("line %d, thread %d: %lld ns before what stands above it, and the thread's next line is only "
                     "%lld ns younger",
                     i, line->thread, (long long)(latest - line->ns), (long long)(next_ns - line->ns));
    }
    assert_true(late <= count / 100 + THREADS); /* it is the exception */
}

/* A log with the system's clock, and JSON lines in memory: nanoseconds. */
static step_sink_t *open_log(step_log_t **log)
{
    assert_int_equal(step_log_open(NULL, log), STEP_OK);
    assert_int_equal(step_log_set_default(*log), STEP_OK);
    step_sink_t *sink = step_sink_memory((size_t)LINES_MAX * 400);
    assert_int_equal(step_log_add_output(*log, sink, step_format_json(), 0), STEP_OK);
    return sink;
}

static void many_threads(void **state)
{
    step_log_t *log = NULL;
    (void)state;
    step_sink_t *sink = open_log(&log);
    run_writers(RECORDS);
    assert_int_equal(step_log_flush(log, TEST_FLUSH_MS), STEP_OK);
    const int count = parse_all(step_sink_memory_text(sink));
    assert_int_equal(count, LINES_MAX);
    check_order(count);
    assert_int_equal(step_log_close(log), STEP_OK);
}

/* Threads that come and go, each with few records: their rings are new, or were others' just now. */
static void threads_that_come_and_go(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        step_log_t *log = NULL;
        step_sink_t *sink = open_log(&log);
        for (int i = 0; i < 10; i++) {
            run_writers(20);
            assert_int_equal(step_log_flush(log, TEST_FLUSH_MS), STEP_OK);
        }
        const int count = parse_all(step_sink_memory_text(sink));
        assert_int_equal(count, 10 * THREADS * 20);
        for (int i = 0; i < count; i++) /* each group of threads counts from 0 */
            lines[i].i += i / (THREADS * 20) * 20;
        check_order(count);
        assert_int_equal(step_log_close(log), STEP_OK);
    }
}

/* Handing over: what happened before, in whatever thread, stands before. */
typedef struct baton {
    pthread_mutex_t lock;
    pthread_cond_t passed;
    int holder;
    int laps;
} baton_t;

static baton_t baton = { .lock = PTHREAD_MUTEX_INITIALIZER, .passed = PTHREAD_COND_INITIALIZER };

static void run_relay(void *argument)
{
    const writer_t *writer = argument;
    pthread_mutex_lock(&baton.lock);
    for (int done = 0; done < writer->records; done++) {
        while (baton.holder != writer->number)
            pthread_cond_wait(&baton.passed, &baton.lock);
        step_info("lap", step_kv("n", baton.laps++));
        baton.holder = (baton.holder + 1) % THREADS;
        pthread_cond_broadcast(&baton.passed);
    }
    pthread_mutex_unlock(&baton.lock);
}

static void cause_before_effect(void **state)
{
    step_log_t *log = NULL;
    writer_t writers[THREADS];
    (void)state;
    step_sink_t *sink = open_log(&log);
    for (int i = 0; i < THREADS; i++)
        writers[i] = (writer_t){ .number = i, .records = RECORDS / 50 };
    run_on_threads(run_relay, THREADS, writers, sizeof(writers[0]));
    assert_int_equal(step_log_flush(log, TEST_FLUSH_MS), STEP_OK);
    const char *at = step_sink_memory_text(sink);
    for (int i = 0; i < baton.laps; i++) { /* who called had returned before the next one called: none is late */
        char expected[32];
        snprintf(expected, sizeof(expected), ",\"n\":%d}\n", i);
        const char *end = strchr(at, '\n') + 1;
        assert_int_equal(strncmp(end - strlen(expected), expected, strlen(expected)), 0);
        at = end;
    }
    assert_string_equal(at, "");
    assert_int_equal(step_log_close(log), STEP_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_threads),
        cmocka_unit_test(threads_that_come_and_go),
        cmocka_unit_test(cause_before_effect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
