/* step_normalize(): what changes from run to run becomes a placeholder, what is the user's stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <step_logger/testing.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* `what` of it, and of the result once more. */
static void becomes_with(const char *text, uint32_t what, const char *expected)
{
    char *once = step_normalize(text, what);
    assert_non_null(once);
    assert_string_equal(once, expected);
    char *twice = step_normalize(once, what);
    assert_string_equal(twice, expected);
    free(once);
    free(twice);
}

static void becomes(const char *text, const char *expected)
{
    becomes_with(text, STEP_NORMALIZE_ALL, expected);
}

static void stays(const char *text)
{
    becomes(text, text);
}

/* ---- Text ---- */

static void durations_of_text(void **state)
{
    (void)state;
    becomes("[INFO] ✅ [1/2] Connecting - SUCCESS (rows=7, duration_ms=15.2)\n",
            "[INFO] ✅ [1/2] Connecting - SUCCESS (rows=7, duration_ms=<duration>)\n");
    becomes("[INFO] ✅ [1/2] A - SUCCESS (duration_ms=15.2)\n    [INFO] 🏁 COMPLETE: B (total_duration_ms=1.0)\n",
            "[INFO] ✅ [1/2] A - SUCCESS (duration_ms=<duration>)\n    [INFO] 🏁 COMPLETE: B (total_duration_ms=<duration>)\n");
    becomes("[ERROR] ❌ [Step 2] A - FAILED: it (a=b) broke (x=\"y (z=1)\", duration_ms=0.0)",
            "[ERROR] ❌ [Step 2] A - FAILED: it (a=b) broke (x=\"y (z=1)\", duration_ms=<duration>)");
    becomes("[ERROR] ❌ Sync - FAILED: quota (duration_ms=812.4)\n", "[ERROR] ❌ Sync - FAILED: quota (duration_ms=<duration>)\n");
    becomes("[WARNING] ⚠️  INCOMPLETE: Sync (fields_omitted=2, last_step=2, description=\"a, b\", total_duration_ms=12.0)\n",
            "[WARNING] ⚠️  INCOMPLETE: Sync (fields_omitted=2, last_step=2, description=\"a, b\", total_duration_ms=<duration>)\n");
    becomes("[INFO] ✅ [1/2] A - SUCCESS (\"k \\\" \"=\"a\\\"b\\\\\", duration_ms=15.2)\n",
            "[INFO] ✅ [1/2] A - SUCCESS (\"k \\\" \"=\"a\\\"b\\\\\", duration_ms=<duration>)\n");
    becomes("[INFO] [1/2] A - SUCCESS (duration_ms=1.0)\n[INFO] COMPLETE: A (total_duration_ms=1.0)\n",
            "[INFO] [1/2] A - SUCCESS (duration_ms=<duration>)\n[INFO] COMPLETE: A (total_duration_ms=<duration>)\n");
}

static void times_and_ids_of_text(void **state)
{
    (void)state;
    becomes("2026-02-04T09:30:00.123456Z [INFO] a (k=2026-02-04T09:30:00.123456Z)\n", "<time> [INFO] a (k=2026-02-04T09:30:00.123456Z)\n");
    becomes("    2026-02-04T09:30:00.123456Z [INFO] 🚀 START: A\n", "    <time> [INFO] 🚀 START: A\n");
    becomes("[INFO] 🚀 START: A (trace_id=0af7651916cd43dd8448eb211c80319c, span_id=b7ad6b7169203331)\n",
            "[INFO] 🚀 START: A (trace_id=<trace_id>, span_id=<span_id>)\n");
    becomes("[INFO] 🏁 COMPLETE: A (trace_id=0af7651916cd43dd8448eb211c80319c, span_id=b7ad6b7169203331, total_duration_ms=1.0)\n",
            "[INFO] 🏁 COMPLETE: A (trace_id=<trace_id>, span_id=<span_id>, total_duration_ms=<duration>)\n");
    becomes("[WARNING] ⚠️  INCOMPLETE: A (k=1, fields_omitted=1, last_step=2, description=b, sample_rate=0.5, slow=true, flight_recorder=true, "
            "trace_id=0af7651916cd43dd8448eb211c80319c, span_id=b7ad6b7169203331, total_duration_ms=1.0)\n",
            "[WARNING] ⚠️  INCOMPLETE: A (k=1, fields_omitted=1, last_step=2, description=b, sample_rate=0.5, slow=true, flight_recorder=true, "
            "trace_id=<trace_id>, span_id=<span_id>, total_duration_ms=<duration>)\n");
    becomes("[WARNING] ⌛ STUCK: A (last_step=1, description=b, total_duration_ms=60.1)\n",
            "[WARNING] ⌛ STUCK: A (last_step=1, description=b, total_duration_ms=<duration>)\n");
}

static void what_is_the_users_stays_in_text(void **state)
{
    (void)state;
    stays("[INFO] Took a while (duration_ms=12.5)\n");
    stays("[INFO] 🚀 START: A (duration_ms=12.5)\n");
    stays("[INFO] ▶️  [1/2] A (total_duration_ms=12.5)\n");
    stays("[INFO] ⏭️  [1/2] A - SKIPPED: done (duration_ms=12.5)\n");
    stays("[INFO] ⏳ [1/2] A - PROGRESS: 1/2 (duration_ms=12.5)\n");
    stays("[INFO] a \\- SUCCESS (duration_ms=12.5)\n");
    stays("[INFO] \\🏁 COMPLETE: x (total_duration_ms=12.5)\n");
    stays("[INFO] é COMPLETE: x (total_duration_ms=12.5)\n");
    stays("[INFO] ✅ [1/2] A - SUCCESS (duration_ms=12)\n");
    stays("[INFO] ✅ [1/2] A - SUCCESS (duration_ms=\"12.5\")\n");
    stays("[INFO] ✅ [1/2] A - SUCCESS (duration_ms=12.5, rows=3)\n");
    stays("[INFO] ✅ [1/2] duration_ms=12.5) - SUCCESS\n");
    stays("[INFO] ✅ [1/2] A - SUCCESS (\"duration_ms\"=12.5)\n");
    stays("[INFO] ✅ [1/2] A - SUCCESS (total_duration_ms=12.5)\n");
    stays("[INFO] took duration_ms=12.5 at 2026-02-04T09:30:00.123456Z\n");
    stays("[INFO] a (trace_id=short, span_id=b7ad6b7169203331x)\n");
    stays("[INFO] a (span_id=B7AD6B7169203331)\n");
    stays("[INFO] 🏁 COMPLETE: A (total_duration_ms=1.0, slow=true)\n");
    becomes("[INFO] a (span_id=b7ad6b7169203331, trace_id=0af7651916cd43dd8448eb211c80319c)\n",
            "[INFO] a (span_id=b7ad6b7169203331, trace_id=<trace_id>)\n");
    becomes("[INFO] ✅ [1/2] A - SUCCESS (duration_ms=1.5, duration_ms=12.5)\n",
            "[INFO] ✅ [1/2] A - SUCCESS (duration_ms=1.5, duration_ms=<duration>)\n");
    becomes("[INFO] ✅ [1/2] A - SUCCESS (a=\" (duration_ms=1.5)\", duration_ms=12.5)\n",
            "[INFO] ✅ [1/2] A - SUCCESS (a=\" (duration_ms=1.5)\", duration_ms=<duration>)\n");
}

static void foreign_lines_stay(void **state)
{
    (void)state;
    stays("");
    stays("\n\n");
    stays("Jan 1 2026-02-04T09:30:00.123456Z duration_ms=12.5\n");
    stays("[TRACE] ✅ [1/2] A - SUCCESS (duration_ms=12.5)\n");
    stays("  [INFO] ✅ [1/2] A - SUCCESS (duration_ms=12.5)\n");
    stays("2026-02-04 09:30:00 [INFO] 🏁 COMPLETE: A (total_duration_ms=12.5)\n");
    stays("\033[31mred\033[0m\n");
    stays("\033[");
    stays("{\"ts\":\"2026\",\"duration_ms\":1}\n"); /* no seq */
    stays("{\"time\":\"2026\",\"duration_ms\":1,\"seq\":1}\n");
    stays("{\"ts\":\"2026\",\"duration_ms\":1,\"seq\":1} \n");
    stays("{\"ts\":\n");
    stays("ts=2026 duration_ms=1\n");
    stays("ts=2026 duration_ms=\"1 seq=3\n");
    stays("ts=2026 duration_ms\n");
    stays("time=2026 seq=1\n");
}

static void colours_are_taken_off(void **state)
{
    (void)state;
    becomes("[\033[32mINFO\033[0m] \033[1m🏁 COMPLETE: A\033[0m \033[2m(total_duration_ms=1.0)\033[0m\n",
            "[INFO] 🏁 COMPLETE: A (total_duration_ms=<duration>)\n");
}

/* ---- JSON and logfmt ---- */

static void members_of_json(void **state)
{
    (void)state;
    becomes("{\"ts\":\"2026-02-04T09:30:00.123456789Z\",\"level\":\"INFO\",\"event\":\"step_success\",\"operation\":\"duration_ms\",\"step\":1,"
            "\"duration_ms\":15.203417,\"depth\":0,\"trace_id\":\"0af7\",\"span_id\":\"b7\",\"parent_span_id\":\"c8\",\"trace_flags\":\"01\","
            "\"pid\":4711,\"tid\":4712,\"seq\":3,\"connection\":\"ready\",\"pid_1\":7}\n",
            "{\"ts\":\"<time>\",\"level\":\"INFO\",\"event\":\"step_success\",\"operation\":\"duration_ms\",\"step\":1,"
            "\"duration_ms\":\"<duration>\",\"depth\":0,\"trace_id\":\"<trace_id>\",\"span_id\":\"<span_id>\",\"parent_span_id\":\"<parent_span_id>\","
            "\"trace_flags\":\"01\",\"pid\":\"<pid>\",\"tid\":\"<tid>\",\"seq\":\"<seq>\",\"connection\":\"ready\",\"pid_1\":7}\n");
    becomes("{\"ts\":\"x\",\"message\":\"\\\"seq\\\":1, \\\"pid\\\":2\",\"total_duration_ms\":1,\"pid\":1,\"tid\":2,\"seq\":3,\"duration\":[1,{\"pid\":3}]}",
            "{\"ts\":\"<time>\",\"message\":\"\\\"seq\\\":1, \\\"pid\\\":2\",\"total_duration_ms\":\"<duration>\",\"pid\":\"<pid>\",\"tid\":\"<tid>\","
            "\"seq\":\"<seq>\",\"duration\":[1,{\"pid\":3}]}");
}

static void durations_of_canonical_lines(void **state)
{
    (void)state;
    becomes("{\"ts\":\"x\",\"step_1\":\"success\",\"step_1_duration_ms\":15.2,\"step_2_3_duration_ms\":1,\"step_duration_ms\":1,\"seq\":3,"
            "\"step_4_duration_ms\":7}",
            "{\"ts\":\"<time>\",\"step_1\":\"success\",\"step_1_duration_ms\":\"<duration>\",\"step_2_3_duration_ms\":\"<duration>\","
            "\"step_duration_ms\":1,\"seq\":\"<seq>\",\"step_4_duration_ms\":7}");
}

static void members_of_logfmt(void **state)
{
    (void)state;
    becomes("ts=2026-02-04T09:30:00.123456789Z level=INFO event=step_success operation=\"seq=1 \\\" pid=3\" duration_ms=15.203417 depth=0 "
            "trace_id=0af7 span_id=b7 pid=4711 tid=4712 seq=3 connection=ready pid_1=7\n",
            "ts=<time> level=INFO event=step_success operation=\"seq=1 \\\" pid=3\" duration_ms=<duration> depth=0 "
            "trace_id=<trace_id> span_id=<span_id> pid=<pid> tid=<tid> seq=<seq> connection=ready pid_1=7\n");
    becomes("ts=2026 pid=1 tid=2 seq=3", "ts=<time> pid=<pid> tid=<tid> seq=<seq>");
}

static void what_is_not_asked_for_stays(void **state)
{
    (void)state;
    const char *json = "{\"ts\":\"2026\",\"duration_ms\":1,\"trace_id\":\"0a\",\"pid\":1,\"seq\":3}\n";
    becomes_with(json, 0, json);
    becomes_with(json, STEP_NORMALIZE_TIMES, "{\"ts\":\"<time>\",\"duration_ms\":1,\"trace_id\":\"0a\",\"pid\":1,\"seq\":3}\n");
    becomes_with(json, STEP_NORMALIZE_DURATIONS, "{\"ts\":\"2026\",\"duration_ms\":\"<duration>\",\"trace_id\":\"0a\",\"pid\":1,\"seq\":3}\n");
    becomes_with(json, STEP_NORMALIZE_IDS, "{\"ts\":\"2026\",\"duration_ms\":1,\"trace_id\":\"<trace_id>\",\"pid\":1,\"seq\":3}\n");
    becomes_with(json, STEP_NORMALIZE_PROCESS, "{\"ts\":\"2026\",\"duration_ms\":1,\"trace_id\":\"0a\",\"pid\":\"<pid>\",\"seq\":\"<seq>\"}\n");
    becomes_with("2026-02-04T09:30:00.123456Z [INFO] COMPLETE: A (total_duration_ms=1.0)\n", STEP_NORMALIZE_DURATIONS,
                 "2026-02-04T09:30:00.123456Z [INFO] COMPLETE: A (total_duration_ms=<duration>)\n");
    becomes_with("2026-02-04T09:30:00.123456Z [INFO] COMPLETE: A (total_duration_ms=1.0)\n", STEP_NORMALIZE_TIMES,
                 "<time> [INFO] COMPLETE: A (total_duration_ms=1.0)\n");
}

/* ---- What the library really writes ---- */

static void log_hostile_things(step_log_t *log)
{
    static const char *const texts[] = { "a (duration_ms=1.5)", "x - SUCCESS", "a\nb", " - FAILED: (seq=1, duration_ms=2.0)", "\"", "\\", "" };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
        options.log = log;
        step_logger_t *op = step_logger_new_with(texts[i], &options);
        step_logger_start(op, step_str("k", texts[i]), step_kv("duration_ms", 1.5));
        step_logger_step(op, 1, texts[i], step_str(texts[i], texts[i]));
        step_logger_success(op, step_kv("duration_ms", 2.5), step_kv("pid", 7));
        step_logger_failure(op, texts[i], step_str("span_id", texts[i]));
        step_logger_complete(op, step_kv("seq", 1.5));
        step_logger_free(op);
        step_log_message(log, STEP_LEVEL_INFO, texts[i], step_kv("total_duration_ms", 2.5));
    }
}

static char *normalized_log(step_format_t *format, int64_t ms_a_call)
{
    step_capture_options_t options = STEP_CAPTURE_OPTIONS_INIT;
    options.wall_ns += ms_a_call * INT64_C(1234567890123);
    step_sink_t *memory = step_sink_memory(1 << 20);
    step_capture_t *capture = step_capture_new(&options);
    step_log_add_output(step_capture_log(capture), memory, format, 0);
    for (int64_t i = 0; i < ms_a_call; i++)
        step_capture_advance_ms(capture, 1);
    log_hostile_things(step_capture_log(capture));
    char *text = step_normalize(step_sink_memory_text(memory), STEP_NORMALIZE_ALL);
    step_capture_free(capture);
    return text;
}

/* Two runs at different times, in the same thread: what is left is the same, and what was logged is still in it. */
static void two_runs_are_the_same(void **state)
{
    (void)state;
    static const step_text_options_t timed = { .size = sizeof(timed), .timestamps = 1, .color = 1 };
    for (int i = 0; i < 4; i++) {
        char *runs[2];
        for (int run = 0; run < 2; run++) {
            step_format_t *const formats[] = { step_format_text(), step_format_text_with(&timed), step_format_json(),
                                               step_format_logfmt() };
            runs[run] = normalized_log(formats[i], run + 1);
            for (int other = 0; other < 4; other++)
                if (other != i) /* a format is freed by the log that takes it */
                    step_log_add_output(NULL, NULL, formats[other], 0);
        }
        assert_non_null(runs[0]);
        assert_string_equal(runs[0], runs[1]);
        assert_non_null(strstr(runs[0], "<duration>"));
        assert_non_null(strstr(runs[0], "2.5"));
        assert_non_null(strstr(runs[0], "1.5"));
        assert_true(i == 0 || strstr(runs[0], "<time>") != NULL);
        assert_null(strstr(runs[0], "\033"));
        becomes(runs[0], runs[0]);
        free(runs[0]);
        free(runs[1]);
    }
}

/* ---- Errors, and bytes of any kind ---- */

static void errors(void **state)
{
    (void)state;
    errno = 0;
    assert_null(step_normalize(NULL, STEP_NORMALIZE_ALL));
    assert_int_equal(errno, EINVAL);
    errno = 0;
    assert_null(step_normalize("a", 1u << 30));
    assert_int_equal(errno, EINVAL);
}

static void damaged_lines_are_harmless(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "2026-02-04T09:30:00.123456Z [INFO] ✅ [1/2] A (b) - SUCCESS (\"k\"=\"v (x=1)\", duration_ms=12.5)\n[INFO] x (trace_id=<trace_id>)",
        "{\"ts\":\"2026\",\"a\":\"\\u00e9\",\"duration_ms\":1,\"seq\":3,\"k\":[1,\"x\"]}\n{\"ts\":1,\"seq\":2}",
        "ts=2026 operation=\"a \\\" b\" duration_ms=1 pid=3 seq=3 k=\"v\"\nts=1 seq=2",
    };
    uint32_t random = 7;
    for (int i = 0; i < 30000; i++) {
        const char *line = lines[i % 3];
        const size_t length = strlen(line);
        char damaged[256];
        memcpy(damaged, line, length + 1);
        for (int k = 0; k < 3; k++) {
            random = random * 1664525 + 1013904223;
            damaged[(random >> 8) % length] = "\"\\{}()[],:= 9.\n"[(random >> 28) % 16];
        }
        char *once = step_normalize(damaged, STEP_NORMALIZE_ALL);
        char *twice = step_normalize(once, STEP_NORMALIZE_ALL);
        assert_string_equal(once, twice);
        free(once);
        free(twice);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_of_text),
        cmocka_unit_test(times_and_ids_of_text),
        cmocka_unit_test(what_is_the_users_stays_in_text),
        cmocka_unit_test(foreign_lines_stay),
        cmocka_unit_test(colours_are_taken_off),
        cmocka_unit_test(members_of_json),
        cmocka_unit_test(durations_of_canonical_lines),
        cmocka_unit_test(members_of_logfmt),
        cmocka_unit_test(what_is_not_asked_for_stays),
        cmocka_unit_test(two_runs_are_the_same),
        cmocka_unit_test(errors),
        cmocka_unit_test(damaged_lines_are_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
