/* step_log_flush() from several threads: what a thread logged before its call has reached the sink when it returns. */
#include "core_support.h"

enum { THREADS = 8, ROUNDS = 3000 };

static _Atomic uint64_t reached[THREADS]; /* the latest round of each thread that the sink has got */

static int count_lines(void *ctx, const char *bytes, size_t len)
{
    (void)ctx;
    for (const char *line = bytes; line < bytes + len; line = strchr(line, '\n') + 1) {
        unsigned long thread = 0, round = 0;
        if (sscanf(line, "[INFO] %lu %lu", &thread, &round) == 2 && thread < THREADS)
            reached[thread] = round;
    }
    return 0;
}

typedef struct flusher {
    step_log_t *log;
    unsigned thread;
    unsigned early, failed;
} flusher_t;

static void *log_and_flush(void *argument)
{
    flusher_t *flusher = argument;
    for (unsigned round = 1; round <= ROUNDS; round++) {
        char text[64];
        snprintf(text, sizeof(text), "%u %u", flusher->thread, round);
        step_log_message(flusher->log, STEP_LEVEL_INFO, text);
        flusher->failed += step_log_flush(flusher->log, 30000) != STEP_OK;
        flusher->early += reached[flusher->thread] != round;
    }
    return NULL;
}

static void flush_is_never_early(void **state)
{
    (void)state;
    const step_sink_ops_t ops = { .size = sizeof(ops), .write = count_lines };
    step_log_t *log = must_open(STEP_MODE_ASYNC, STEP_FULL_BLOCK);
    pthread_t threads[THREADS];
    flusher_t flushers[THREADS];
    assert_int_equal(step_log_add_output(log, step_sink_custom(&ops, NULL), step_format_text(), 0), STEP_OK);
    for (unsigned i = 0; i < THREADS; i++) {
        flushers[i] = (flusher_t){ .log = log, .thread = i };
        assert_int_equal(pthread_create(&threads[i], NULL, log_and_flush, &flushers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(flushers[i].failed, 0);
        assert_int_equal(flushers[i].early, 0);
    }
    assert_int_equal(step_log_close(log), STEP_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flush_is_never_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
