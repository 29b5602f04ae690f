/* Sizes and offsets of the public structs on LP64: programs and bindings are compiled with them, a change is an ABI break.
 * Growth at the end of a struct that starts with `size` is fine; then its total here changes, and nothing else. */
#include <step_logger.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SIZE(type, bytes) { #type, sizeof(type), bytes }
#define AT(type, member, bytes) { #type "." #member, offsetof(type, member), bytes }

static const struct {
    const char *what;
    size_t is;
    size_t should_be;
} layout[] = {
    SIZE(step_field_t, 24),
    AT(step_field_t, key, 0),
    AT(step_field_t, value, 8),
    AT(step_field_t, bytes, 16),
    AT(step_field_t, type, 20),

    SIZE(step_site_t, 40),
    AT(step_site_t, file, 0),
    AT(step_site_t, line, 8),
    AT(step_site_t, flags, 12),
    AT(step_site_t, state, 16),

    SIZE(step_logger_options_t, 40),
    AT(step_logger_options_t, size, 0),
    AT(step_logger_options_t, log, 8),
    AT(step_logger_options_t, parent, 16),
    AT(step_logger_options_t, traceparent, 24),
    AT(step_logger_options_t, level, 32),
    AT(step_logger_options_t, total_steps, 36),

    SIZE(step_clock_t, 24),
    AT(step_clock_t, wall_ns, 0),
    AT(step_clock_t, monotonic_ns, 8),
    AT(step_clock_t, ctx, 16),

    SIZE(step_log_options_t, 96),
    AT(step_log_options_t, size, 0),
    AT(step_log_options_t, clock, 8),
    AT(step_log_options_t, level, 16),
    AT(step_log_options_t, mode, 20),
    AT(step_log_options_t, when_full, 24),
    AT(step_log_options_t, ring_bytes, 28),
    AT(step_log_options_t, slow_ms, 32),
    AT(step_log_options_t, flight_recorder_bytes, 36),
    AT(step_log_options_t, stuck_ms, 40),
    AT(step_log_options_t, reserved, 44),
    AT(step_log_options_t, sample_rate, 48),
    AT(step_log_options_t, crash_ring_dir, 56),
    AT(step_log_options_t, redact_keys, 64),
    AT(step_log_options_t, diagnose, 72),
    AT(step_log_options_t, diagnose_ctx, 80),
    AT(step_log_options_t, level_rules, 88),

    SIZE(step_stats_t, 96),
    AT(step_stats_t, size, 0),
    AT(step_stats_t, recorded, 8),
    AT(step_stats_t, written, 16),
    AT(step_stats_t, dropped, 24),
    AT(step_stats_t, misused, 32),
    AT(step_stats_t, sampled_out, 40),
    AT(step_stats_t, dropped_full, 48),
    AT(step_stats_t, dropped_nested, 56),
    AT(step_stats_t, dropped_memory, 64),
    AT(step_stats_t, dropped_sink, 72),
    AT(step_stats_t, held, 80),
    AT(step_stats_t, recorder_discarded, 88),

    SIZE(step_text_options_t, 24),
    AT(step_text_options_t, size, 0),
    AT(step_text_options_t, timestamps, 8),
    AT(step_text_options_t, ascii, 12),
    AT(step_text_options_t, color, 16),
    AT(step_text_options_t, ids, 20),

    SIZE(step_json_options_t, 16),
    AT(step_json_options_t, size, 0),
    AT(step_json_options_t, source, 8),
    AT(step_json_options_t, canonical, 12),

    SIZE(step_logfmt_options_t, 16),

    SIZE(step_sink_ops_t, 32),
    AT(step_sink_ops_t, size, 0),
    AT(step_sink_ops_t, write, 8),
    AT(step_sink_ops_t, flush, 16),
    AT(step_sink_ops_t, close, 24),
};

static void structs_keep_their_layout(void **state)
{
    (void)state;
    if (sizeof(void *) != 8 || sizeof(long) != 8)
        skip();
    for (size_t i = 0; i < sizeof(layout) / sizeof(layout[0]); i++) {
        if (layout[i].is != layout[i].should_be)
            fail_msg("%s is %zu, programs compiled before expect %zu", layout[i].what, layout[i].is, layout[i].should_be);
    }
}

static void numbers_keep_their_values(void **state)
{
    (void)state;
    assert_int_equal(STEP_LEVEL_DEBUG, 5);
    assert_int_equal(STEP_LEVEL_INFO, 9);
    assert_int_equal(STEP_LEVEL_WARNING, 13);
    assert_int_equal(STEP_LEVEL_ERROR, 17);
    assert_int_equal(STEP_LEVEL_CRITICAL, 21);
    assert_int_equal(STEP_LEVEL_OFF, 25);
    assert_int_equal(STEP_OK, 0);
    assert_int_equal(STEP_EINVAL, -1);
    assert_int_equal(STEP_ENOMEM, -2);
    assert_int_equal(STEP_EIO, -3);
    assert_int_equal(STEP_ETIMEOUT, -4);
    assert_int_equal(STEP_ESINK, -5);
    assert_int_equal(STEP_ENOTSUP, -6);
    assert_int_equal(STEP_MODE_ASYNC, 0);
    assert_int_equal(STEP_MODE_SYNC, 1);
    assert_int_equal(STEP_FULL_BLOCK, 0);
    assert_int_equal(STEP_FULL_DROP, 1);
    assert_int_equal(STEP_FIELD_I64, 1);
    assert_int_equal(STEP_FIELD_U64, 2);
    assert_int_equal(STEP_FIELD_F64, 3);
    assert_int_equal(STEP_FIELD_BOOL, 4);
    assert_int_equal(STEP_FIELD_TEXT, 5);
    assert_int_equal(STEP_FIELD_TEXT_N, 6);
    assert_int_equal(STEP_FIELD_FIXED, 7);
    assert_int_equal(STEP_FIELD_PERCENT, 8);
    assert_int_equal(STEP_FIELD_SECRET, 9);
}

static void the_version_is_written_once(void **state)
{
    char text[32];
    (void)state;
    snprintf(text, sizeof(text), "%d.%d.%d", STEP_LOGGER_VERSION_MAJOR, STEP_LOGGER_VERSION_MINOR,
             STEP_LOGGER_VERSION_PATCH);
    assert_string_equal(text, STEP_LOGGER_VERSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(structs_keep_their_layout),
        cmocka_unit_test(numbers_keep_their_values),
        cmocka_unit_test(the_version_is_written_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
