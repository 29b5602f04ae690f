/* Members that lines have besides their story, in JSON and in logfmt: ids, marks, bound fields, the steps of canonical lines. */
#include "format_support.h"
#include "names_reader.h"
#include "record/bound.h"

#define JSON(event, members)                                                                                           \
    "{\"ts\":\"1970-01-01T00:00:00.000000000Z\",\"level\":\"INFO\",\"event\":\"" event "\"," members "}\n"
#define LOGFMT(event, members) "ts=1970-01-01T00:00:00.000000000Z level=INFO event=" event " " members "\n"
#define JSON_TAIL "\"depth\":0,\"pid\":4711,\"tid\":4712,\"seq\":9"
#define LOGFMT_TAIL "depth=0 pid=4711 tid=4712 seq=9"

enum { STEP = STEPI_PART_STEP | STEPI_PART_DESCRIPTION };

static step_format_t *json, *logfmt, *canonical_json, *canonical_logfmt;

static int make_formats(void **state)
{
    (void)state;
    const step_json_options_t canonical = { .size = sizeof(canonical), .canonical = 1 };
    json = step_format_json();
    logfmt = step_format_logfmt();
    canonical_json = step_format_json_with(&canonical);
    canonical_logfmt = step_format_logfmt_with(&canonical);
    return json == NULL || logfmt == NULL || canonical_json == NULL || canonical_logfmt == NULL;
}

static int free_formats(void **state)
{
    (void)state;
    json->free(json);
    logfmt->free(logfmt);
    canonical_json->free(canonical_json);
    canonical_logfmt->free(canonical_logfmt);
    return 0;
}

static void expect_both(const stepi_line_t *line, const char *json_line, const char *logfmt_line)
{
    expect_rendered(json, line, json_line);
    expect_rendered(logfmt, line, logfmt_line);
}

/* ---- Ids ---- */

static void ids_of_operations(void **state)
{
    (void)state;
    stepi_trace_t trace = { .high = 0x0af7651916cd43dd, .low = 12, .span = UINT64_MAX, .flags = 3 };
    stepi_line_t line = line_of_step(STEPI_OPERATION_START, STEPI_PART_OPERATION, NULL, 0);
    line.trace = &trace;
    expect_both(&line,
                JSON("operation_start",
                     "\"operation\":\"Sync\",\"depth\":0,\"trace_id\":\"0af7651916cd43dd000000000000000c\","
                     "\"span_id\":\"ffffffffffffffff\",\"trace_flags\":\"03\",\"pid\":4711,\"tid\":4712,\"seq\":9"),
                LOGFMT("operation_start", "operation=Sync depth=0 trace_id=0af7651916cd43dd000000000000000c "
                                          "span_id=ffffffffffffffff trace_flags=03 pid=4711 tid=4712 seq=9"));
    trace.parent_span = 0x0123456789abcdef;
    trace.flags = 0;
    expect_both(&line,
                JSON("operation_start",
                     "\"operation\":\"Sync\",\"depth\":0,\"trace_id\":\"0af7651916cd43dd000000000000000c\","
                     "\"span_id\":\"ffffffffffffffff\",\"parent_span_id\":\"0123456789abcdef\",\"trace_flags\":\"00\","
                     "\"pid\":4711,\"tid\":4712,\"seq\":9"),
                LOGFMT("operation_start", "operation=Sync depth=0 trace_id=0af7651916cd43dd000000000000000c "
                                          "span_id=ffffffffffffffff parent_span_id=0123456789abcdef trace_flags=00 "
                                          "pid=4711 tid=4712 seq=9"));
}

static void ids_of_steps(void **state)
{
    (void)state;
    const step_field_t fields[] = { step_kv("trace_id", 1), step_kv("parent_span_id", 2) };
    const stepi_trace_t trace = { .high = 1, .low = 0x1000000000000000, .span = 10, .parent_span = 7, .flags = 0xfe };
    stepi_line_t line = line_of_step(STEPI_STEP_START, STEP, fields, 2);
    line.trace = &trace;
    line.step_span = 0xabcdef;
    expect_both(&line,
                JSON("step_start", "\"step\":2,\"total_steps\":4,\"description\":\"Storing rows\",\"depth\":0,"
                                   "\"trace_id\":\"00000000000000011000000000000000\",\"span_id\":\"0000000000abcdef\","
                                   "\"parent_span_id\":\"000000000000000a\",\"trace_flags\":\"fe\","
                                   "\"pid\":4711,\"tid\":4712,\"seq\":9,\"trace_id_1\":1,\"parent_span_id_1\":2"),
                LOGFMT("step_start", "step=2 total_steps=4 description=\"Storing rows\" depth=0 "
                                     "trace_id=00000000000000011000000000000000 span_id=0000000000abcdef "
                                     "parent_span_id=000000000000000a trace_flags=fe "
                                     "pid=4711 tid=4712 seq=9 trace_id_1=1 parent_span_id_1=2"));
}

/* ---- Marks ---- */

static void marks(void **state)
{
    (void)state;
    const step_field_t fields[] = { step_kv("slow", 1), step_kv("sample_rate", 2), step_kv("flight_recorder", 3) };
    stepi_line_t line = line_of_step(STEPI_OPERATION_COMPLETE, STEPI_PART_OPERATION | STEPI_PART_ELAPSED, fields, 3);
    expect_both(&line,
                JSON("operation_complete", "\"operation\":\"Sync\",\"total_duration_ms\":1.5," JSON_TAIL
                                           ",\"slow\":1,\"sample_rate\":2,\"flight_recorder\":3"),
                LOGFMT("operation_complete",
                       "operation=Sync total_duration_ms=1.5 " LOGFMT_TAIL " slow=1 sample_rate=2 flight_recorder=3"));
    line.is_slow = true;
    expect_both(&line,
                JSON("operation_complete", "\"operation\":\"Sync\",\"total_duration_ms\":1.5,\"slow\":true," JSON_TAIL
                                           ",\"slow_1\":1,\"sample_rate\":2,\"flight_recorder\":3"),
                LOGFMT("operation_complete", "operation=Sync total_duration_ms=1.5 slow=true " LOGFMT_TAIL
                                             " slow_1=1 sample_rate=2 flight_recorder=3"));
    line.from_recorder = true;
    line.sample_rate = 0.1;
    expect_both(&line,
                JSON("operation_complete", "\"operation\":\"Sync\",\"total_duration_ms\":1.5,\"slow\":true,"
                                           "\"sample_rate\":0.1,\"flight_recorder\":true," JSON_TAIL
                                           ",\"slow_1\":1,\"sample_rate_1\":2,\"flight_recorder_1\":3"),
                LOGFMT("operation_complete",
                       "operation=Sync total_duration_ms=1.5 slow=true sample_rate=0.1 "
                       "flight_recorder=true " LOGFMT_TAIL " slow_1=1 sample_rate_1=2 flight_recorder_1=3"));
}

static void stuck_operations(void **state)
{
    (void)state;
    stepi_line_t line = line_of_step(STEPI_OPERATION_STUCK, STEP | STEPI_PART_OPERATION | STEPI_PART_ELAPSED, NULL, 0);
    expect_both(
        &line,
        JSON("operation_stuck", "\"operation\":\"Sync\",\"step\":2,\"total_steps\":4,\"description\":\"Storing rows\","
                                "\"total_duration_ms\":1.5," JSON_TAIL),
        LOGFMT("operation_stuck",
               "operation=Sync step=2 total_steps=4 description=\"Storing rows\" total_duration_ms=1.5 " LOGFMT_TAIL));
}

/* ---- Bound fields ---- */

static void bound_fields(void **state)
{
    (void)state;
    const step_field_t own[] = { step_kv("rows", 7), step_kv("seq", 1) };
    const step_field_t given[] = { step_kv("service", "sync"), step_kv("rows", 8), step_kv("seq", 2),
                                   step_kv("rows_1", 9) };
    stepi_bound_t *bound = stepi_bound_new(given, 4, NULL);
    stepi_line_t line = line_of_step(STEPI_MESSAGE, STEPI_PART_TEXT, own, 2);
    line.bound = stepi_bound_fields(bound);
    line.omitted = 3;
    expect_both(&line,
                JSON("message",
                     "\"message\":\"why\"," JSON_TAIL ",\"rows\":7,\"seq_1\":1,\"service\":\"sync\",\"rows_1\":8,"
                     "\"seq_2\":2,\"rows_1_1\":9,\"fields_omitted\":3"),
                LOGFMT("message", "message=why " LOGFMT_TAIL
                                  " rows=7 seq_1=1 service=sync rows_1=8 seq_2=2 rows_1_1=9 fields_omitted=3"));
    line = line_of_step(STEPI_MESSAGE, STEPI_PART_TEXT, NULL, 0);
    line.bound = stepi_bound_fields(bound);
    expect_both(
        &line,
        JSON("message", "\"message\":\"why\"," JSON_TAIL ",\"service\":\"sync\",\"rows\":8,\"seq_1\":2,\"rows_1_1\":9"),
        LOGFMT("message", "message=why " LOGFMT_TAIL " service=sync rows=8 seq_1=2 rows_1_1=9"));
    free(bound);
}

/* ---- Canonical lines ---- */

static stepi_step_summary_t step_of(stepi_kind_t end, int32_t number, uint32_t attempts, int64_t ns,
                                    const char *description)
{
    return (stepi_step_summary_t){
        .end = end, .step = number, .attempts = attempts, .elapsed_ns = ns, .description = stepi_text_of(description)
    };
}

static void steps_in_the_last_line(void **state)
{
    (void)state;
    const stepi_step_summary_t steps[] = {
        step_of(STEPI_STEP_SUCCESS, 1, 1, 15203417, "Connecting \"x\""),
        step_of(STEPI_STEP_FAILURE, 2, 3, 1000000, NULL),
        step_of(STEPI_STEP_SKIP, 3, 1, 0, "Warming"),
        step_of(STEPI_STEP_START, -1, 1, 500000, "Storing"),
    };
    stepi_line_t line = line_of_step(STEPI_OPERATION_COMPLETE, STEPI_PART_OPERATION | STEPI_PART_ELAPSED, NULL, 0);
    line.steps = steps;
    line.step_count = 4;
    expect_both(&line, JSON("operation_complete", "\"operation\":\"Sync\",\"total_duration_ms\":1.5," JSON_TAIL),
                LOGFMT("operation_complete", "operation=Sync total_duration_ms=1.5 " LOGFMT_TAIL));
    line.steps_omitted = 5;
    line.is_slow = true;
    expect_rendered(
        canonical_json, &line,
        JSON("operation_complete",
             "\"operation\":\"Sync\",\"total_duration_ms\":1.5,"
             "\"step_1\":\"success\",\"step_1_description\":\"Connecting \\\"x\\\"\",\"step_1_duration_ms\":15.203417,"
             "\"step_2\":\"failure\",\"step_2_description\":null,\"step_2_duration_ms\":1,\"step_2_attempts\":3,"
             "\"step_3\":\"skip\",\"step_3_description\":\"Warming\",\"step_3_duration_ms\":0,"
             "\"step_-1\":\"open\",\"step_-1_description\":\"Storing\",\"step_-1_duration_ms\":0.5,"
             "\"steps_omitted\":5,\"slow\":true," JSON_TAIL));
    expect_rendered(canonical_logfmt, &line,
                    LOGFMT("operation_complete",
                           "operation=Sync total_duration_ms=1.5 "
                           "step_1=success step_1_description=\"Connecting \\\"x\\\"\" step_1_duration_ms=15.203417 "
                           "step_2=failure step_2_description=null step_2_duration_ms=1 step_2_attempts=3 "
                           "step_3=skip step_3_description=Warming step_3_duration_ms=0 "
                           "step_-1=open step_-1_description=Storing step_-1_duration_ms=0.5 "
                           "steps_omitted=5 slow=true " LOGFMT_TAIL));
}

static void a_number_that_comes_again(void **state)
{
    (void)state;
    const stepi_step_summary_t steps[] = { step_of(STEPI_STEP_SUCCESS, 1, 1, 0, "a"),
                                           step_of(STEPI_STEP_SUCCESS, 2, 1, 0, "b"),
                                           step_of(STEPI_STEP_SUCCESS, 1, 1, 0, "c"),
                                           step_of(STEPI_STEP_SKIP, 1, 2, 0, "d") };
    const step_field_t fields[] = { step_kv("step_1_2", 1), step_kv("step", 2), step_kv("step_1_3_attempts", 3),
                                    step_kv("steps_omitted", 4) };
    stepi_line_t line = line_of_step(STEPI_OPERATION_INCOMPLETE, STEPI_PART_OPERATION, fields, 4);
    line.steps = steps;
    line.step_count = 4;
    expect_rendered(
        canonical_json, &line,
        JSON("operation_incomplete",
             "\"operation\":\"Sync\",\"step_1\":\"success\",\"step_1_description\":\"a\",\"step_1_duration_ms\":0,"
             "\"step_2\":\"success\",\"step_2_description\":\"b\",\"step_2_duration_ms\":0,"
             "\"step_1_2\":\"success\",\"step_1_2_description\":\"c\",\"step_1_2_duration_ms\":0,"
             "\"step_1_3\":\"skip\",\"step_1_3_description\":\"d\",\"step_1_3_duration_ms\":0,\"step_1_3_attempts\":"
             "2," JSON_TAIL ",\"step_1_2_1\":1,\"step_3\":2,\"step_1_3_attempts_1\":3,\"steps_omitted\":4"));
}

/* As many steps as there may be, and keys that equal every name they make: all come back, and no name is there twice. */
static void keys_that_are_names_of_steps(void **state)
{
    (void)state;
    enum { STEPS = 64, FIELDS = 4 * STEPS };
    static stepi_step_summary_t steps[STEPS];
    static char keys[FIELDS][40];
    static step_field_t fields[FIELDS];
    static json_object_t object;
    static const char *const endings[] = { "", "_description", "_duration_ms", "_attempts" };
    for (int i = 0; i < STEPS; i++)
        steps[i] = step_of(STEPI_STEP_SUCCESS, i % 50, 2, 1, "step");
    for (int i = 0; i < FIELDS; i++) {
        const int step = i / 4;
        snprintf(keys[i], sizeof(keys[i]), "step_%d%s%s", step % 50, step < 50 ? "" : "_2", endings[i % 4]);
        fields[i] = step_i64(keys[i], i);
    }
    stepi_line_t line = line_of_step(STEPI_OPERATION_COMPLETE, STEPI_PART_OPERATION, fields, FIELDS);
    line.steps = steps;
    line.step_count = STEPS;
    line.steps_omitted = 1;
    rendered_t r = render_line(canonical_json, &line);
    assert_true(read_json_line(r.bytes, r.length, &object));
    const size_t own = object.count - FIELDS;
    assert_string_equal(object.members[own - 1].name.bytes, "seq");
    for (size_t i = 0; i < FIELDS; i++) {
        const json_string_t key = key_of_member(&object, own + i);
        assert_int_equal(key.length, strlen(keys[i]));
        assert_memory_equal(key.bytes, keys[i], key.length);
        for (size_t k = 0; k < own + i; k++)
            assert_string_not_equal(object.members[k].name.bytes, object.members[own + i].name.bytes);
    }
    free(r.bytes);
    line = line_of_step(STEPI_OPERATION_COMPLETE, STEPI_PART_OPERATION, fields, 1); /* most of the names are ours */
    line.steps = steps;
    line.step_count = STEPS;
    r = render_line(canonical_json, &line);
    assert_non_null(strstr(r.bytes, "\"seq\":9,\"step_0_1\":0}\n"));
    free(r.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_of_operations),
        cmocka_unit_test(ids_of_steps),
        cmocka_unit_test(marks),
        cmocka_unit_test(stuck_operations),
        cmocka_unit_test(bound_fields),
        cmocka_unit_test(steps_in_the_last_line),
        cmocka_unit_test(a_number_that_comes_again),
        cmocka_unit_test(keys_that_are_names_of_steps),
    };
    return cmocka_run_group_tests(tests, make_formats, free_formats);
}
