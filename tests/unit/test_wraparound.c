/* Numbers that pass 2^32 and 2^64 in the life of a busy process, here soon: positions in a ring, the numbers of records, what sleepers
 * look at. No record is lost, doubled or counted wrongly on the way. */
#include "core_support.h"

enum { RECORDS = 3000, EACH_BYTES = 4096, JUST_BEFORE = 100 };

static step_log_t *log_under_test;
static step_sink_t *memory;

/* This thread's ring, drained, with the backend's thread shut out until release_backend(). */
static stepi_ring_t *hold_backend(void)
{
    step_log_message(log_under_test, STEP_LEVEL_INFO, "first");
    assert_int_equal(step_log_flush(log_under_test, 10000), STEP_OK);
    stepi_lock_take(&log_under_test->pump);
    assert_ptr_equal(stepi_self->log, log_under_test);
    return stepi_self->ring;
}

static void release_backend(void)
{
    stepi_lock_release(&log_under_test->pump);
}

static int open_log(void **state)
{
    (void)state;
    log_under_test = must_open(STEP_MODE_ASYNC, STEP_FULL_BLOCK);
    memory = step_sink_memory((size_t)RECORDS * EACH_BYTES);
    return step_log_add_output(log_under_test, memory, step_format_logfmt(), 0);
}

static int close_log(void **state)
{
    (void)state;
    return step_log_close(log_under_test);
}

static step_stats_t stats_now(void)
{
    step_stats_t stats = { .size = sizeof(stats) };
    assert_int_equal(step_log_flush(log_under_test, 30000), STEP_OK);
    assert_int_equal(step_log_stats(log_under_test, &stats), STEP_OK);
    return stats;
}

static void expect_all(const char *text)
{
    for (int i = 0; i < RECORDS; i++) {
        char expected[32];
        snprintf(expected, sizeof(expected), " i=%d\n", i);
        text = strstr(text, expected);
        assert_non_null(text);
        text += strlen(expected) - 1;
    }
    assert_null(strstr(text, " i="));
}

/* From numbers just before the limit to numbers behind it. */
static void log_across(const step_stats_t *before)
{
    for (int i = 0; i < RECORDS; i++)
        step_log_message(log_under_test, STEP_LEVEL_INFO, "across", step_kv("i", i));
    const step_stats_t after = stats_now();
    assert_int_equal(after.recorded - before->recorded, RECORDS);
    assert_int_equal(after.written - before->written, RECORDS);
    assert_int_equal(after.dropped, 0);
    expect_all(step_sink_memory_text(memory));
}

/* By whole laps, so that what they index stays the same. */
static void move_positions(stepi_ring_t *ring, uint64_t to)
{
    const uint64_t by = (to - ring->position) & ~ring->mask;
    ring->position += by;
    ring->limit += by;
    ring->short_limit += by;
    ring->read += by;
    ring->tail += by;
    ring->head += by;
}

static void positions_pass_2_to_the_32(void **state)
{
    (void)state;
    stepi_ring_t *ring = hold_backend();
    move_positions(ring, UINT64_C(1) << 32);
    assert_true(ring->position < UINT64_C(1) << 32);
    release_backend();
    const step_stats_t before = stats_now();
    log_across(&before);
    assert_true(ring->position > UINT64_C(1) << 32);
}

static void pass_numbers_of_the_thread(uint64_t limit)
{
    stepi_ring_t *ring = hold_backend();
    ring->seq = limit - JUST_BEFORE;
    release_backend();
    const step_stats_t before = stats_now();
    log_across(&before);
    assert_int_equal(ring->seq, limit - JUST_BEFORE + RECORDS);
}

static void numbers_of_a_thread_pass_2_to_the_32(void **state)
{
    (void)state;
    pass_numbers_of_the_thread(UINT64_C(1) << 32);
}

static void numbers_of_a_thread_pass_2_to_the_64(void **state)
{
    (void)state;
    pass_numbers_of_the_thread(0);
}

static void numbers_in_the_ledger_pass_2_to_the_32(void **state)
{
    (void)state;
    hold_backend();
    stepi_ledger_t *ledger = &log_under_test->backend.ledger;
    const uint64_t by = (UINT64_C(1) << 32) - JUST_BEFORE;
    log_under_test->backend.processed += by;
    ledger->processed += by;
    ledger->settled += by;
    for (int i = 0; i < STEPI_OUTPUTS_MAX; i++)
        ledger->resolved[i] += by;
    release_backend();
    const step_stats_t before = stats_now();
    log_across(&before);
    assert_true(log_under_test->backend.processed > UINT64_C(1) << 32);
}

static void what_sleepers_look_at_passes_2_to_the_32(void **state)
{
    (void)state;
    stepi_ring_t *ring = hold_backend();
    ring->space = UINT32_MAX - 1;
    log_under_test->wake = UINT32_MAX - 1;
    release_backend();
    const step_stats_t before = stats_now();
    log_across(&before);
    assert_in_range(ring->space, 0, UINT32_MAX / 2);
}

#define LOG_TEST(function) cmocka_unit_test_setup_teardown(function, open_log, close_log)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(positions_pass_2_to_the_32),
        LOG_TEST(numbers_of_a_thread_pass_2_to_the_32),
        LOG_TEST(numbers_of_a_thread_pass_2_to_the_64),
        LOG_TEST(numbers_in_the_ledger_pass_2_to_the_32),
        LOG_TEST(what_sleepers_look_at_passes_2_to_the_32),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
