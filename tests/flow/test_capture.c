/* step_logger/testing.h: a captured log, its time, its lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <step_logger/testing.h>

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static int start(void **state)
{
    *state = step_capture_new(NULL);
    return *state == NULL;
}

static int end(void **state)
{
    step_capture_free(*state);
    return 0;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, end)

static void export(step_capture_t *capture)
{
    step_logger_t *op = step_logger_new("Export", 2);
    step_logger_start(op, step_kv("table", "models"));
    step_logger_step(op, 1, "Reading");
    step_capture_advance_ms(capture, 250);
    step_logger_success(op, step_kv("rows", 4432), step_kv("share", 0.5));
    step_logger_step(op, 2, "Writing");
    step_logger_failure_errno(op, ENOSPC);
    step_logger_complete(op);
    step_logger_free(op);
}

/* ---- The log ---- */

static void the_default_log_is_captured_and_time_is_ours(void **state)
{
    export(*state);
    assert_string_equal(step_capture_text(*state),
                        "[INFO] 🚀 START: Export (table=models)\n"
                        "[INFO] ▶️  [1/2] Reading\n"
                        "[INFO] ✅ [1/2] Reading - SUCCESS (rows=4432, share=0.5, duration_ms=250.0)\n"
                        "[INFO] ▶️  [2/2] Writing\n"
                        "[ERROR] ❌ [2/2] Writing - FAILED: No space left on device (duration_ms=0.0)\n"
                        "[INFO] 🏁 COMPLETE: Export (total_duration_ms=250.0)\n");
    const char *json = step_capture_json(*state);
    assert_memory_equal(json, "{\"ts\":\"2000-01-01T00:00:00.000000000Z\",\"level\":\"INFO\",", 50);
    assert_non_null(strstr(json, "{\"ts\":\"2000-01-01T00:00:00.250000000Z\",\"level\":\"INFO\",\"event\":\"step_success\""));
}

static void debug_lines_are_captured(void **state)
{
    step_debug("quiet", step_kv("k", 1));
    assert_string_equal(step_capture_text(*state), "[DEBUG] quiet (k=1)\n");
}

static void the_former_default_log_comes_back(void **state)
{
    (void)state;
    step_log_t *before = step_log_default();
    step_capture_t *outer = step_capture_new(NULL);
    step_capture_t *inner = step_capture_new(NULL);
    assert_ptr_equal(step_log_default(), step_capture_log(inner));
    step_info("to the inner one");
    step_capture_free(inner);
    assert_ptr_equal(step_log_default(), step_capture_log(outer));
    step_info("to the outer one");
    assert_string_equal(step_capture_text(outer), "[INFO] to the outer one\n");
    step_capture_free(outer);
    assert_ptr_equal(step_log_default(), before);
}

static void a_default_log_that_the_test_chose_stays(void **state)
{
    (void)state;
    step_log_t *log;
    step_log_t *before = step_log_default();
    step_capture_t *capture = step_capture_new(NULL);
    assert_int_equal(step_log_open(NULL, &log), STEP_OK);
    step_log_set_default(log);
    step_capture_free(capture);
    assert_ptr_equal(step_log_default(), log);
    step_log_set_default(before);
    step_log_close(log);
}

static void keeps_default_leaves_the_default_log_alone(void **state)
{
    step_capture_options_t options = STEP_CAPTURE_OPTIONS_INIT;
    options.keeps_default = 1;
    step_capture_t *other = step_capture_new(&options);
    assert_non_null(other);
    assert_ptr_equal(step_log_default(), step_capture_log(*state));
    step_log_message(step_capture_log(other), STEP_LEVEL_INFO, "by name");
    assert_string_equal(step_capture_text(other), "[INFO] by name\n");
    assert_string_equal(step_capture_text(*state), "");
    step_capture_free(other);
    assert_ptr_equal(step_log_default(), step_capture_log(*state));
}

static void the_logs_options_are_used(void **state)
{
    (void)state;
    step_log_options_t log = STEP_LOG_OPTIONS_INIT;
    step_capture_options_t options = STEP_CAPTURE_OPTIONS_INIT;
    log.level = STEP_LEVEL_WARNING;
    options.log = &log;
    options.wall_ns = INT64_C(1770197400000000000);
    step_capture_t *capture = step_capture_new(&options);
    step_info("too low");
    step_warning("high enough");
    assert_int_equal(step_capture_count(capture), 1);
    assert_string_equal(step_capture_at(capture, 0)->time, "2026-02-04T09:30:00.000000000Z");
    step_capture_advance_ns(capture, 1);
    step_warning("a nanosecond later");
    assert_string_equal(step_capture_at(capture, 1)->time, "2026-02-04T09:30:00.000000001Z");
    step_capture_free(capture);
}

static step_capture_options_t bad_options(int which)
{
    static step_log_options_t log = STEP_LOG_OPTIONS_INIT;
    step_capture_options_t options = STEP_CAPTURE_OPTIONS_INIT;
    options.size -= which == 0;
    options.keeps_default = which == 1 ? 2 : 0;
    options.reserved = which == 2;
    options.max_bytes = which == 3 ? 0 : 1;
    log.size = which == 4 ? 1 : sizeof(log);
    log.level = which == 5 ? 1000 : STEP_LEVEL_INFO;
    options.log = &log;
    return options;
}

static void say_nothing(void *ctx, int code, const char *text)
{
    (void)ctx, (void)code, (void)text;
}

static void bad_options_are_refused(void **state)
{
    for (int which = 0; which <= 5; which++) {
        step_capture_options_t options = bad_options(which);
        step_log_options_t log = *options.log;
        log.diagnose = say_nothing;
        options.log = &log;
        errno = 0;
        assert_null(step_capture_new(&options));
        assert_int_equal(errno, EINVAL);
    }
    assert_ptr_equal(step_log_default(), step_capture_log(*state));
    step_capture_options_t options = bad_options(6);
    step_capture_free(step_capture_new(&options));
}

static void operations_that_are_open_at_the_end_are_harmless(void **state)
{
    step_capture_t *capture = step_capture_new(NULL);
    step_logger_t *op = step_logger_new("Left", 0);
    step_logger_start(op);
    errno = EXDEV;
    step_capture_free(capture);
    assert_int_equal(errno, EXDEV);
    step_logger_complete(op);
    step_logger_free(op);
    assert_string_equal(step_capture_text(*state), "");
}

/* ---- Lines ---- */

static void lines_say_all_that_was_logged(void **state)
{
    export(*state);
    assert_int_equal(step_capture_count(*state), 6);
    const step_captured_t *line = step_capture_at(*state, 2);
    assert_string_equal(line->event, "step_success");
    assert_string_equal(line->operation, "Export");
    assert_string_equal(line->description, "Reading");
    assert_string_equal(line->time, "2000-01-01T00:00:00.250000000Z");
    assert_null(line->error);
    assert_null(line->reason);
    assert_null(line->message);
    assert_int_equal(line->level, STEP_LEVEL_INFO);
    assert_int_equal(line->step, 1);
    assert_int_equal(line->total_steps, 2);
    assert_int_equal(line->attempt, 1);
    assert_int_equal(line->errnum, 0);
    assert_int_equal(line->depth, 0);
    assert_true(line->duration_ms == 250.0);
    assert_int_equal(line->field_count, 2);
    assert_string_equal(line->fields[0].key, "rows");
    assert_int_equal(line->fields[0].value.i64, 4432);

    line = step_capture_at(*state, 4);
    assert_string_equal(line->error, "No space left on device");
    assert_int_equal(line->errnum, ENOSPC);
    assert_int_equal(line->level, STEP_LEVEL_ERROR);
    assert_true(line->duration_ms == 0);
    line = step_capture_at(*state, 5);
    assert_true(line->duration_ms == 250.0);
    assert_int_equal(line->step, STEP_NO_STEP);
    assert_null(line->description);
    assert_true(step_capture_at(*state, 0)->duration_ms < 0);
    assert_null(step_capture_at(*state, 6));
    assert_null(step_capture_at(*state, SIZE_MAX));
}

static void lines_have_the_ids_of_their_trace(void **state)
{
    static const char traceparent[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    step_logger_options_t options = STEP_LOGGER_OPTIONS_INIT;
    options.traceparent = traceparent;
    step_logger_t *op = step_logger_new_with("Request", &options);
    step_logger_start(op);
    step_logger_step(op, 1, "Reading");
    step_logger_complete(op);
    step_logger_free(op);
    step_info("of no operation");
    const step_captured_t *began = step_capture_at(*state, 0);
    const step_captured_t *step = step_capture_at(*state, 1);
    assert_string_equal(began->trace_id, "0af7651916cd43dd8448eb211c80319c");
    assert_string_equal(began->parent_span_id, "b7ad6b7169203331");
    assert_string_equal(step->trace_id, began->trace_id);
    assert_string_equal(step->parent_span_id, began->span_id);
    assert_string_not_equal(step->span_id, began->span_id);
    assert_null(step_capture_at(*state, 3)->trace_id);
}

static const step_field_t *field(void **state, const char *key)
{
    return step_captured_field(step_capture_at(*state, step_capture_count(*state) - 1), key);
}

static void fields_have_their_types(void **state)
{
    step_info("fields", step_i64("low", INT64_MIN), step_u64("high", UINT64_MAX), step_f64("half", -0.5),
              step_bool("yes", true), step_bool("no", false), step_str("text", "a \"b\"\n"), step_str("none", NULL),
              step_strn("zero", "a\0b", 3), step_fixed("fixed", 2.5, 3), step_percent("share", 12.25),
              step_secret("key", "hunter2"), step_f64("nan", (double)NAN), step_f64("huge", 1e300), step_i64("largest", INT64_MAX));
    assert_int_equal(field(state, "low")->type, STEP_FIELD_I64);
    assert_true(field(state, "low")->value.i64 == INT64_MIN);
    assert_true(field(state, "largest")->value.i64 == INT64_MAX);
    assert_int_equal(field(state, "high")->type, STEP_FIELD_U64);
    assert_true(field(state, "high")->value.u64 == UINT64_MAX);
    assert_int_equal(field(state, "half")->type, STEP_FIELD_F64);
    assert_true(field(state, "half")->value.f64 == -0.5);
    assert_true(field(state, "huge")->value.f64 == 1e300);
    assert_int_equal(field(state, "yes")->type, STEP_FIELD_BOOL);
    assert_true(field(state, "yes")->value.u64 == 1 && field(state, "no")->value.u64 == 0);
    assert_int_equal(field(state, "text")->type, STEP_FIELD_TEXT_N);
    assert_string_equal(field(state, "text")->value.text, "a \"b\"\n");
    assert_int_equal(field(state, "text")->bytes, 6);
    assert_int_equal(field(state, "none")->type, STEP_FIELD_TEXT_N);
    assert_null(field(state, "none")->value.text);
    assert_int_equal(field(state, "zero")->bytes, 3);
    assert_memory_equal(field(state, "zero")->value.text, "a\0b", 4);
    assert_true(field(state, "fixed")->value.f64 == 2.5);
    assert_true(field(state, "share")->value.f64 == 12.25);
    assert_string_equal(field(state, "key")->value.text, "***");
    assert_null(field(state, "nan")->value.text);
    assert_null(field(state, "other"));
    assert_null(step_captured_field(NULL, "low"));
    assert_null(step_captured_field(step_capture_at(*state, 0), NULL));
}

static void decimals_are_read_in_any_locale(void **state)
{
    static const char *const commas[] = { "de_DE.UTF-8", "fr_FR.UTF-8", "es_ES.UTF-8", "de_DE" };
    size_t i = 0;
    while (i < sizeof(commas) / sizeof(commas[0]) && setlocale(LC_ALL, commas[i]) == NULL)
        i++;
    if (i == sizeof(commas) / sizeof(commas[0]))
        skip(); /* no locale with a decimal comma is installed */
    assert_string_equal(localeconv()->decimal_point, ",");
    step_info("decimals", step_kv("half", 0.5));
    assert_true(field(state, "half")->value.f64 == 0.5);
    setlocale(LC_ALL, "C");
}

/* Keys that JSON lines rename: what a test sees is what was logged. */
static void keys_are_those_of_the_call(void **state)
{
    static const char *const keys[] = { "ts", "level", "event", "seq", "a", "a", "a_1", "a_2", "ts_1", "level_3_1", "x_1",
                                        "trace_id", "attempt", "errno", "step", "a_01", "_1", "", "fields_omitted", "pid_0" };
    enum { KEYS = sizeof(keys) / sizeof(keys[0]) };
    step_field_t fields[KEYS];
    for (int i = 0; i < KEYS; i++)
        fields[i] = step_i64(keys[i], i);
    step_message_fields(NULL, STEP_LEVEL_INFO, "keys", fields, KEYS);
    const step_captured_t *line = step_capture_at(*state, 0);
    assert_int_equal(line->field_count, KEYS);
    for (int i = 0; i < KEYS; i++) {
        assert_string_equal(line->fields[i].key, keys[i]);
        assert_int_equal(line->fields[i].value.i64, i);
    }
    assert_string_equal(line->event, "message");
    assert_int_equal(step_captured_field(line, "pid")->type, STEP_FIELD_I64); /* the line's own */
    assert_int_equal(step_captured_field(line, "ts")->value.i64, 0);          /* the user's comes first */
}

static void hostile_texts_come_back(void **state)
{
    static const char *const texts[] = { "",
                                         "\"},{\"ts\":\"x\"",
                                         "\\\\\"\\",
                                         "a\nb\tc\rd\x01\x7f",
                                         "\xe2\x80\xae right to left \xc2\x85",
                                         "😀 🚀 START: x",
                                         "[ERROR] ❌ no - FAILED: x (a=b)",
                                         "\xe2\x80\xa6[12 bytes]",
                                         "\xef\xbf\xbd" };
    enum { TEXTS = sizeof(texts) / sizeof(texts[0]) };
    for (int i = 0; i < TEXTS; i++) {
        step_logger_t *op = step_logger_new(texts[i], 1);
        step_logger_start(op, step_str(texts[i], texts[i]));
        step_logger_step(op, 1, texts[i]);
        step_logger_skip(op, texts[i]);
        step_logger_failure(op, texts[i]);
        step_logger_free(op);
    }
    assert_int_equal(step_capture_count(*state), 4 * TEXTS);
    for (int i = 0; i < TEXTS; i++) {
        const step_captured_t *line = step_capture_at(*state, (size_t)(4 * i));
        assert_string_equal(line->operation, texts[i]);
        assert_string_equal(line->fields[0].key, texts[i]);
        assert_string_equal(line->fields[0].value.text, texts[i]);
        assert_string_equal(step_capture_at(*state, (size_t)(4 * i + 1))->description, texts[i]);
        assert_string_equal(step_capture_at(*state, (size_t)(4 * i + 2))->reason, texts[i]);
        assert_string_equal(step_capture_at(*state, (size_t)(4 * i + 3))->error, texts[i]);
    }
}

/* ---- Clear, bounds, threads, NULL ---- */

static void clear_forgets_the_lines_alone(void **state)
{
    step_logger_t *op = step_logger_new("Export", 1);
    step_logger_start(op);
    step_logger_step(op, 1, "Reading");
    step_capture_advance_ms(*state, 100);
    assert_int_equal(step_capture_count(*state), 2);
    step_capture_clear(*state);
    assert_int_equal(step_capture_count(*state), 0);
    assert_string_equal(step_capture_text(*state), "");
    assert_string_equal(step_capture_json(*state), "");
    step_logger_success(op);
    assert_string_equal(step_capture_text(*state), "[INFO] ✅ [1/1] Reading - SUCCESS (duration_ms=100.0)\n");
    assert_string_equal(step_capture_at(*state, 0)->description, "Reading");
    step_logger_complete(op);
    step_logger_free(op);
}

static void lines_stay_valid_while_more_is_logged(void **state)
{
    step_info("first");
    const step_captured_t *first = step_capture_at(*state, 0);
    for (int i = 0; i < 1000; i++)
        step_info("more", step_kv("i", i));
    assert_int_equal(step_capture_count(*state), 1001);
    assert_ptr_equal(step_capture_at(*state, 0), first);
    assert_string_equal(first->message, "first");
    assert_int_equal(step_capture_at(*state, 1000)->fields[0].value.i64, 999);
}

/* One that says nothing of what it loses. 0 bytes: as many as usual. */
static step_capture_t *quiet_capture(size_t max_bytes)
{
    step_log_options_t log = STEP_LOG_OPTIONS_INIT;
    step_capture_options_t options = STEP_CAPTURE_OPTIONS_INIT;
    log.diagnose = say_nothing;
    options.log = &log;
    options.max_bytes = max_bytes > 0 ? max_bytes : options.max_bytes;
    return step_capture_new(&options);
}

static void what_finds_no_room_is_not_overlooked(void **state)
{
    (void)state;
    step_capture_t *capture = quiet_capture(1000);
    step_info("fits");
    assert_true(step_capture_meets(capture, step_nothing_from(STEP_LEVEL_ERROR)));
    for (int i = 0; i < 20; i++)
        step_info("does not fit");
    step_error("is lost");
    assert_false(step_capture_meets(capture, step_nothing_from(STEP_LEVEL_ERROR)));
    assert_false(step_capture_meets(capture, step_logged(STEP_LEVEL_INFO, "fits")));
    assert_non_null(strstr(step_capture_check(capture, step_logged(STEP_LEVEL_INFO, "fits")), "found:    lines were lost"));
    assert_true(strlen(step_capture_json(capture)) <= 1000);
    step_capture_clear(capture);
    step_info("fits again");
    step_assert(capture, step_logged(STEP_LEVEL_INFO, "fits again"));
    step_capture_free(capture);
}

static int refuse(void *ctx, const char *bytes, size_t len)
{
    (void)ctx, (void)bytes, (void)len;
    errno = ENOSPC;
    return -1;
}

static void a_loss_elsewhere_is_not_overlooked(void **state)
{
    static const step_sink_ops_t ops = { .size = sizeof(ops), .write = refuse };
    (void)state;
    step_capture_t *capture = quiet_capture(0);
    step_log_add_output(step_capture_log(capture), step_sink_custom(&ops, NULL), step_format_text(), 0);
    step_info("is captured");
    assert_string_equal(step_capture_text(capture), "[INFO] is captured\n");
    assert_false(step_capture_meets(capture, step_logged(STEP_LEVEL_INFO, "is captured")));
    step_capture_free(capture);
}

enum { THREADS = 4, EACH = 500 };

static void *log_many(void *number)
{
    for (int i = 0; i < EACH; i++)
        step_info("from a thread", step_kv("thread", *(const int *)number), step_kv("i", i));
    return NULL;
}

static void any_thread_may_log_while_one_looks(void **state)
{
    pthread_t threads[THREADS];
    int numbers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, log_many, &numbers[i]), 0);
    }
    while (step_capture_count(*state) < THREADS * EACH / 2) {
        assert_non_null(step_capture_text(*state));
        step_capture_advance_ms(*state, 1);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    step_assert(*state, step_times(step_logged(STEP_LEVEL_INFO, "from a thread"), THREADS * EACH));
    for (int i = 0; i < THREADS; i++)
        step_assert(*state, step_times(step_with(step_logged(0, NULL), step_kv("thread", i)), EACH));
}

static void no_capture_holds_nothing(void **state)
{
    (void)state;
    step_capture_free(NULL);
    step_capture_clear(NULL);
    step_capture_advance_ms(NULL, 1);
    step_capture_advance_ns(NULL, 1);
    assert_null(step_capture_log(NULL));
    assert_string_equal(step_capture_text(NULL), "");
    assert_string_equal(step_capture_json(NULL), "");
    assert_int_equal(step_capture_count(NULL), 0);
    assert_null(step_capture_at(NULL, 0));
    assert_null(step_capture_find(NULL, step_started(NULL)));
    assert_false(step_capture_meets(NULL, step_nothing_from(STEP_LEVEL_DEBUG)));
    assert_string_equal(step_capture_check(NULL, step_never(step_started(NULL))),
                        "there is no capture (step_capture_new() returned NULL)");
}

static void a_log_that_the_test_closed_keeps_its_lines(void **state)
{
    step_info("before");
    assert_int_equal(step_log_close(step_capture_log(*state)), STEP_OK);
    step_info("after");
    assert_string_equal(step_capture_text(*state), "[INFO] before\n");
    step_assert(*state, step_times(step_logged(0, NULL), 1));
}

static void nor_are_losses_of_a_closed_log_overlooked(void **state)
{
    (void)state;
    step_capture_t *capture = quiet_capture(100);
    step_info("does not fit as JSON");
    step_log_close(step_capture_log(capture));
    assert_false(step_capture_meets(capture, step_nothing_from(STEP_LEVEL_INFO)));
    step_capture_free(capture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_default_log_is_captured_and_time_is_ours),
        TEST(debug_lines_are_captured),
        TEST(the_former_default_log_comes_back),
        TEST(a_default_log_that_the_test_chose_stays),
        TEST(keeps_default_leaves_the_default_log_alone),
        TEST(the_logs_options_are_used),
        TEST(bad_options_are_refused),
        TEST(operations_that_are_open_at_the_end_are_harmless),
        TEST(lines_say_all_that_was_logged),
        TEST(lines_have_the_ids_of_their_trace),
        TEST(fields_have_their_types),
        TEST(decimals_are_read_in_any_locale),
        TEST(keys_are_those_of_the_call),
        TEST(hostile_texts_come_back),
        TEST(clear_forgets_the_lines_alone),
        TEST(lines_stay_valid_while_more_is_logged),
        TEST(what_finds_no_room_is_not_overlooked),
        TEST(a_loss_elsewhere_is_not_overlooked),
        TEST(any_thread_may_log_while_one_looks),
        TEST(no_capture_holds_nothing),
        TEST(a_log_that_the_test_closed_keeps_its_lines),
        TEST(nor_are_losses_of_a_closed_log_overlooked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
