/* Threads that end: their last records are written, their rings serve the next ones, memory stays flat. */
#include "support/test_log.h"
#include "support/threads.h"

#include <time.h>
#include <unistd.h>

#ifdef STEP_LOGGER_SANITIZED
enum { THREADS = 300 };
#else
enum { THREADS = 2000 };
#endif
enum { AT_ONCE = 20, RECORDS = 10 };

typedef struct writer {
    int number;
} writer_t;

static void write_some(void *argument)
{
    const writer_t *writer = argument;
    step_logger_t *op = step_logger_new("Short", 1);
    step_logger_start(op, step_kv("thread", writer->number));
    for (int i = 0; i < RECORDS; i++)
        step_info("message", step_kv("thread", writer->number), step_kv("i", i));
    step_logger_complete(op);
    step_logger_free(op);
}

/* [Number of pages, of which resident] */
static void read_memory(long pages[2])
{
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld %ld", &pages[0], &pages[1]), 2);
    fclose(file);
}

static int count_mappings(void)
{
    FILE *file = fopen("/proc/self/maps", "r");
    int lines = 0, byte;
    assert_non_null(file);
    while ((byte = fgetc(file)) != EOF)
        lines += byte == '\n';
    fclose(file);
    return lines;
}

static void run_threads(int from, int count)
{
    writer_t writers[AT_ONCE];
    for (int i = 0; i < count; i++)
        writers[i].number = from + i;
    run_on_threads(write_some, count, writers, sizeof(writers[0]));
}

/* Each thread's records, once and in order; whichever rings they came through. */
static void check(const char *text)
{
    int next[THREADS + AT_ONCE] = { 0 };
    int threads = 0;
    const char *at = text;
    for (; (at = strstr(at, "message (thread=")) != NULL; at++) {
        const int thread = (int)strtol(at + strlen("message (thread="), NULL, 10);
        const char *i = strstr(at, "i=");
        assert_true(thread >= 0 && thread < THREADS + AT_ONCE);
        assert_int_equal(strtol(i + 2, NULL, 10), next[thread]++);
    }
    for (int i = 0; i < THREADS + AT_ONCE; i++) {
        assert_true(next[i] == RECORDS || next[i] == 0);
        threads += next[i] == RECORDS;
    }
    assert_int_equal(threads, THREADS);
}

/* Runs all threads in groups of so many, and flushes often: then at most a few groups' rings are not drained yet, however slow
 * the backend is, and the rings of the groups before serve the next ones. Without that each thread would take a mapping, of
 * which there would be THREADS. */
static void run_all(test_log_t *t, int at_once)
{
    long before[2] = { 0 }, after[2];
    int mappings = 0;
    for (int i = 0; i < THREADS; i += at_once) {
        if (i == THREADS / 5) {
            mappings = count_mappings();
            read_memory(before);
        }
        run_threads(i, at_once);
        if (i % (2 * AT_ONCE) == 0)
            assert_int_equal(step_log_flush(t->log, TEST_FLUSH_MS), STEP_OK);
    }
    read_memory(after);
#ifndef STEP_LOGGER_SANITIZED /* their own bookkeeping of threads grows */
    assert_in_range(count_mappings(), 0, mappings + 8 * AT_ONCE);
    assert_in_range(after[1], 0, before[1] + (40 << 20) / sysconf(_SC_PAGESIZE)); /* the text itself is a part of it */
#endif
    (void)mappings;
    check(new_text(t));
    assert_int_equal(balanced_stats(t->log).recorded, THREADS * (RECORDS + 2));
}

static void one_after_another(void **state)
{
    run_all(*state, 1);
}

static void some_at_once(void **state)
{
    run_all(*state, AT_ONCE);
}

#ifndef STEP_LOGGER_SANITIZED
enum { CROWD = 64 };

static pthread_barrier_t all_there;

static void be_there(void *unused)
{
    (void)unused;
    step_info("here");
    pthread_barrier_wait(&all_there);
}

/* A crowd's rings go back to the system once they are gone and the backend is at rest. (In STEP_MODE_SYNC there is none: they
 * stay for the next threads.) */
static void rings_are_given_back(void **state)
{
    test_log_t *t = *state;
    char nothing[CROWD];
    long before[2], with_crowd[2], after[2];
    const long ring_pages = STEP_LOG_RING_BYTES / sysconf(_SC_PAGESIZE);
    read_memory(before);
    pthread_barrier_init(&all_there, NULL, CROWD);
    run_on_threads(be_there, CROWD, nothing, 1);
    pthread_barrier_destroy(&all_there);
    read_memory(with_crowd);
    assert_true(with_crowd[1] > before[1] + CROWD * ring_pages);
    for (int tries = 0; tries < 300; tries++) { /* half a second is what it takes */
        usleep(100000);
        read_memory(after);
        if (after[1] < before[1] + CROWD / 4 * ring_pages)
            break;
    }
    assert_true(after[1] < before[1] + CROWD / 4 * ring_pages);
    assert_int_equal(balanced_stats(t->log).written, CROWD); /* what they had counted is not gone with them */
}
#endif

/* An operation that is left open by its thread lives on, and another one ends it. */
static step_logger_t *left;

static void leave_open(void *unused)
{
    (void)unused;
    left = step_logger_new("Left", 1);
    step_logger_start(left);
    step_logger_step(left, 1, "Begun elsewhere");
}

static void operation_survives_its_thread(void **state)
{
    test_log_t *t = *state;
    run_on_thread(leave_open, NULL);
    step_info("in none");
    pass_ms(t, 3);
    step_logger_success(left);
    step_logger_complete(left);
    step_logger_free(left);
    expect_text(t, "[INFO] 🚀 START: Left\n"
                   "[INFO] ▶️  [1/1] Begun elsewhere\n"
                   "[INFO] in none\n"
                   "[INFO] ✅ [1/1] Begun elsewhere - SUCCESS (duration_ms=3.0)\n"
                   "[INFO] 🏁 COMPLETE: Left (total_duration_ms=3.0)\n");
}

/* A destructor of thread-local data may log, also after ours has run. */
static pthread_key_t late_key;

static void log_late(void *value)
{
    int *rounds = value;
    step_info("from a destructor", step_kv("round", *rounds));
    if (--*rounds > 0)
        pthread_setspecific(late_key, rounds);
}

static void has_late_destructor(void *value)
{
    step_info("begins");
    pthread_setspecific(late_key, value);
}

static void records_of_destructors(void **state)
{
    test_log_t *t = *state;
#ifdef STEP_LOGGER_SANITIZED
    int rounds = 1; /* ThreadSanitizer's own destructor is not the last, and nothing may come after it */
#else
    int rounds = 3;
#endif
    const int all = rounds;
    assert_int_equal(pthread_key_create(&late_key, log_late), 0);
    run_on_thread(has_late_destructor, &rounds);
    const char *text = new_text(t);
    assert_int_equal(strncmp(text, "[INFO] begins\n", 14), 0);
    text += 14;
    for (int i = all; i > 0; i--) {
        char expected[64];
        const int n = snprintf(expected, sizeof(expected), "[INFO] from a destructor (round=%d)\n", i);
        assert_int_equal(strncmp(text, expected, (size_t)n), 0);
        text += n;
    }
    assert_string_equal(text, "");
    pthread_key_delete(late_key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_after_another),
        TEST(some_at_once),
        TEST(operation_survives_its_thread),
        TEST(records_of_destructors),
    };
    int failed = test_in_both_modes(tests);
#ifndef STEP_LOGGER_SANITIZED
    const struct CMUnitTest asynchronous[] = { TEST(rings_are_given_back) };
    test_mode = STEP_MODE_ASYNC;
    failed += cmocka_run_group_tests(asynchronous, NULL, NULL);
#endif
    return failed;
}
