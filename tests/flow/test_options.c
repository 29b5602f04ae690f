/* Options: what is out of range or cannot be had is refused and said so, never ignored; sizes of older and newer callers. */
#include "support/scratch.h"
#include "support/test_log.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <unistd.h>

/* Opens with what `change` made of the defaults; expects this result and diagnostic. */
static void expect_open(test_log_t *t, void (*change)(step_log_options_t *options), int result, const char *told)
{
    step_log_options_t options = test_log_options(t);
    step_log_t *const untouched = t->log;
    step_log_t *log = untouched;
    change(&options);
    assert_int_equal(step_log_open(&options, &log), result);
    expect_told(t, told);
    if (result == STEP_OK)
        assert_int_equal(step_log_close(log), STEP_OK);
    else
        assert_ptr_equal(log, untouched);
}

#define CHANGE(name, assignment)                                                                                       \
    static void name(step_log_options_t *options)                                                                      \
    {                                                                                                                  \
        options->assignment;                                                                                           \
    }
CHANGE(crash_nowhere, crash_ring_dir = "/no/such/parent/rings")
CHANGE(crash_file, crash_ring_dir = "/dev/null")

static void a_crash_ring_that_is_not_to_be_had(void **state)
{
    test_log_t *t = *state;
#define EXPECT_NO_RING(change, path, why)                                                                              \
    expect_open(t, change, STEP_EIO,                                                                                   \
                "-3: step_log_open(): crash_ring_dir " path ": " why "; it is a directory, or its name in one that exists, in "    \
                "which this process may make files, best below /dev/shm\n")
    errno = 0;
    EXPECT_NO_RING(crash_nowhere, "/no/such/parent/rings", "No such file or directory");
    assert_int_equal(errno, ENOENT);
    EXPECT_NO_RING(crash_file, "/dev/null", "Not a directory");
}

CHANGE(rate_above, sample_rate = 1.5)
CHANGE(rate_below, sample_rate = -0.1)
CHANGE(rate_nan, sample_rate = (double)NAN)
CHANGE(bad_mode, mode = 2)
CHANGE(bad_full, when_full = 2)
CHANGE(ring_zero, ring_bytes = 0)
CHANGE(ring_odd, ring_bytes = 5000)
CHANGE(ring_small, ring_bytes = 2048)
CHANGE(ring_large, ring_bytes = 0x80000000u)
CHANGE(reserved, reserved = 1)

static int64_t no_time(void *ctx)
{
    (void)ctx;
    return 0;
}

static void half_a_clock(step_log_options_t *options)
{
    static const step_clock_t clock = { .wall_ns = no_time };
    options->clock = &clock;
}

static void out_of_range(void **state)
{
    test_log_t *t = *state;
#define EXPECT_INVALID(change, text) expect_open(t, change, STEP_EINVAL, "-1: step_log_open(): " text "\n")
    EXPECT_INVALID(rate_above, "sample_rate is not between 0 and 1");
    EXPECT_INVALID(rate_below, "sample_rate is not between 0 and 1");
    EXPECT_INVALID(rate_nan, "sample_rate is not between 0 and 1");
    EXPECT_INVALID(bad_mode, "mode is neither STEP_MODE_ASYNC nor STEP_MODE_SYNC");
    EXPECT_INVALID(bad_full, "when_full is neither STEP_FULL_BLOCK nor STEP_FULL_DROP");
    EXPECT_INVALID(ring_zero, "ring_bytes is not a power of two between 4096 and 1073741824");
    EXPECT_INVALID(ring_odd, "ring_bytes is not a power of two between 4096 and 1073741824");
    EXPECT_INVALID(ring_small, "ring_bytes is not a power of two between 4096 and 1073741824");
    EXPECT_INVALID(ring_large, "ring_bytes is not a power of two between 4096 and 1073741824");
    EXPECT_INVALID(reserved, "reserved is not 0");
    EXPECT_INVALID(half_a_clock, "the clock lacks wall_ns or monotonic_ns");
}

/* The smallest ring takes any record, cut to what it holds. */
static void smallest_ring(void **state)
{
    test_log_t *t = *state;
    step_log_options_t options = test_log_options(t);
    char text[20001];
    memset(text, 'x', 20000);
    text[20000] = '\0';
    test_log_close(t);
    options.ring_bytes = 4096;
    test_log_open(t, &options);
    test_log_add_outputs(t);
    t->text_seen = t->json_seen = 0;
    for (int i = 0; i < 500; i++)
        step_info("a record of some length, so that the ring wraps many times", step_kv("i", i));
    step_info(text, step_kv("after", "it"));
    const char *lines = new_text(t);
    for (int i = 0; i < 500; i++) {
        char expected[128];
        const int n = snprintf(expected, sizeof(expected),
                               "[INFO] a record of some length, so that the ring wraps many times (i=%d)\n", i);
        assert_int_equal(strncmp(lines, expected, (size_t)n), 0);
        lines += n;
    }
    assert_int_equal(strncmp(lines, "[INFO] xxxxxxxxxxxxxxxxxxxx", 27), 0);
    assert_non_null(strstr(lines, "x…[20000 bytes] (after=it)\n"));
    assert_int_equal(balanced_stats(t->log).dropped, 0);
}

/* A caller whose header is older has a shorter structure: what it does not know has its default. */
static void sizes_of_log_options(void **state)
{
    test_log_t *t = *state;
    struct {
        step_log_options_t options;
        unsigned char more[64];
    } newer = { .options = test_log_options(t) };
    step_log_t *log = NULL;
    step_log_options_t older = test_log_options(t);
    older.size = offsetof(step_log_options_t, slow_ms);
    older.slow_ms = 77; /* beyond it, so not the caller's */
    older.level = STEP_LEVEL_ERROR;
    assert_int_equal(step_log_open(&older, &log), STEP_OK);
    assert_false(step_log_wants(log, STEP_LEVEL_WARNING));
    assert_int_equal(step_log_close(log), STEP_OK);
    older.size = sizeof(size_t); /* nothing but the size */
    assert_int_equal(step_log_open(&older, &log), STEP_OK);
    assert_true(step_log_wants(log, STEP_LEVEL_INFO));
    assert_int_equal(step_log_close(log), STEP_OK);

    newer.options.size = sizeof(newer);
    assert_int_equal(step_log_open(&newer.options, &log), STEP_OK); /* what we do not know is not used */
    assert_int_equal(step_log_close(log), STEP_OK);
    newer.more[63] = 1; /* but what is used is never ignored */
    assert_int_equal(step_log_open(&newer.options, &log), STEP_EINVAL);
}

/* What was written to stderr while `work` ran. */
static char *stderr_of(void (*work)(void))
{
    scratch_make();
    const int before = dup(STDERR_FILENO);
    const int file = open(scratch_path("stderr"), O_WRONLY | O_CREAT, 0600);
    assert_true(file >= 0);
    assert_int_equal(dup2(file, STDERR_FILENO), STDERR_FILENO);
    work();
    assert_int_equal(dup2(before, STDERR_FILENO), STDERR_FILENO);
    close(before);
    close(file);
    char *text = scratch_read(scratch_path("stderr"), NULL);
    scratch_remove();
    return text;
}

static size_t size; /* of the options in question */

static void open_with_size(void)
{
    step_log_options_t options = STEP_LOG_OPTIONS_INIT;
    step_log_t *log = NULL;
    options.size = size;
    assert_int_equal(step_log_open(&options, &log), STEP_EINVAL);
    assert_null(log);
}

static void make_with_size(void)
{
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.size = size;
    assert_null(step_logger_new_with("Sync", &options));
}

/* The diagnostic of a wrong size cannot go where the options say: they are not believed. It goes to stderr. */
static void sizes_that_cannot_be(void **state)
{
    static const size_t sizes[] = { 0, sizeof(size_t) - 1, 100000, SIZE_MAX };
    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        size = sizes[i];
        char *told = stderr_of(open_with_size);
        assert_string_equal(told, "step_logger: step_log_open(): options.size is not one this library knows; start from "
                                  "STEP_LOG_OPTIONS_INIT\n");
        free(told);
        told = stderr_of(make_with_size);
        assert_string_equal(told, "step_logger: step_logger_new_with(): options.size is not one this library knows; start "
                                  "from STEP_LOGGER_OPTIONS_INIT\n");
        free(told);
    }
}

static void sizes_of_operation_options(void **state)
{
    test_log_t *t = *state;
    struct {
        step_logger_options_t options;
        unsigned char more[16];
    } newer = { .options = STEP_LOGGER_OPTIONS_INIT };
    step_logger_options_t older = STEP_LOGGER_OPTIONS_INIT;
    older.size = offsetof(step_logger_options_t, total_steps);
    older.level = STEP_LEVEL_WARNING;
    older.total_steps = 9;
    step_logger_t *op = step_logger_new_with("Older", &older);
    step_logger_start(op);
    step_logger_step(op, 1, "One");
    step_logger_complete(op);
    step_logger_free(op);
    newer.options.size = sizeof(newer);
    newer.options.total_steps = 2;
    op = step_logger_new_with("Newer", &newer.options);
    step_logger_start(op);
    step_logger_step(op, 1, "One");
    step_logger_complete(op);
    step_logger_free(op);
    newer.more[0] = 1;
    assert_null(step_logger_new_with("Too new", &newer.options));
    assert_non_null(op = step_logger_new_with("Defaults", NULL));
    step_logger_free(op);
    expect_text(t, "[WARNING] 🚀 START: Older\n"
                   "[WARNING] ▶️  [Step 1] One\n"
                   "[WARNING] 🏁 COMPLETE: Older (total_duration_ms=0.0)\n"
                   "[INFO] 🚀 START: Newer\n"
                   "[INFO] ▶️  [1/2] One\n"
                   "[INFO] 🏁 COMPLETE: Newer (total_duration_ms=0.0)\n");
}

static void sizes_of_statistics(void **state)
{
    test_log_t *t = *state;
    step_stats_t stats;
    step_info("x");
    assert_int_equal(step_log_flush(t->log, TEST_FLUSH_MS), STEP_OK);
    memset(&stats, 0xEE, sizeof(stats));
    stats.size = offsetof(step_stats_t, written);
    assert_int_equal(step_log_stats(t->log, &stats), STEP_OK);
    assert_int_equal(stats.recorded, 1);
    assert_int_equal(stats.size, offsetof(step_stats_t, written));
    assert_true(stats.written == 0xEEEEEEEEEEEEEEEEu); /* not the caller's */
    struct {
        step_stats_t stats;
        uint64_t more;
    } newer = { .stats = { .size = sizeof(newer) }, .more = 5 };
    assert_int_equal(step_log_stats(t->log, &newer.stats), STEP_OK);
    assert_int_equal(newer.stats.written, 1);
    assert_int_equal(newer.stats.size, sizeof(newer));
}

/* A traceparent is not used yet: said, counted, and the operation is made without it. */
static void traceparent(void **state)
{
    test_log_t *t = *state;
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.traceparent = "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"; /* upper case is none */
    step_logger_t *op = step_logger_new_with("Traced", &options);
    assert_non_null(op);
    expect_told(t, "-1: step_logger_options_t.traceparent is not a W3C traceparent (00-<32 hex>-<16 hex>-<2 hex>, lower case): the "
                   "operation is made without it\n");
    step_logger_start(op);
    step_logger_complete(op);
    step_logger_free(op);
    expect_text(t, "[INFO] 🚀 START: Traced\n[INFO] 🏁 COMPLETE: Traced (total_duration_ms=0.0)\n");
    assert_int_equal(balanced_stats(t->log).misused, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_crash_ring_that_is_not_to_be_had), TEST(out_of_range),         TEST(smallest_ring),
        TEST(sizes_of_log_options),  TEST(sizes_that_cannot_be), TEST(sizes_of_operation_options),
        TEST(sizes_of_statistics),   TEST(traceparent),
    };
    return test_in_both_modes(tests);
}
