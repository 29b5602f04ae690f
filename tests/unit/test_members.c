/* Members that lines have besides their story, in JSON and in logfmt: ids. */
#include "format_support.h"
#include "record/shape.h"

#define JSON(event, members) "{\"ts\":\"1970-01-01T00:00:00.000000000Z\",\"level\":\"INFO\",\"event\":\"" event "\"," members "}\n"
#define LOGFMT(event, members) "ts=1970-01-01T00:00:00.000000000Z level=INFO event=" event " " members "\n"
#define JSON_TAIL "\"depth\":0,\"pid\":4711,\"tid\":4712,\"seq\":9"
#define LOGFMT_TAIL "depth=0 pid=4711 tid=4712 seq=9"

enum { STEP = STEPI_PART_STEP | STEPI_PART_DESCRIPTION };

static step_format_t *json, *logfmt;

static int make_formats(void **state)
{
    (void)state;
    json = step_format_json();
    logfmt = step_format_logfmt();
    return json == NULL || logfmt == NULL;
}

static int free_formats(void **state)
{
    (void)state;
    json->free(json);
    logfmt->free(logfmt);
    return 0;
}

static stepi_line_t line_with(stepi_kind_t kind, unsigned parts, const step_field_t *fields, size_t count)
{
    const stepi_draft_t draft = { .kind = (uint8_t)kind,
                                  .level = STEP_LEVEL_INFO,
                                  .parts = (uint16_t)(parts | STEPI_PART_CLOCK),
                                  .seq = 9,
                                  .elapsed = 1500000,
                                  .step = 2,
                                  .total = 4,
                                  .attempt = 1,
                                  .operation_name = stepi_text_of("Sync"),
                                  .description = stepi_text_of("Fetching"),
                                  .text = stepi_text_of("why"),
                                  .fields = fields,
                                  .field_count = count };
    return line_of(&draft);
}

static void expect_rendered(step_format_t *format, const stepi_line_t *line, const char *expected)
{
    rendered_t r = render_line(format, line);
    assert_string_equal(r.bytes, expected);
    free(r.bytes);
    check_small_buffers(format, line);
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
    stepi_line_t line = line_with(STEPI_OPERATION_START, STEPI_PART_OPERATION, NULL, 0);
    line.trace = &trace;
    expect_both(&line,
                JSON("operation_start", "\"operation\":\"Sync\",\"depth\":0,\"trace_id\":\"0af7651916cd43dd000000000000000c\","
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
    stepi_line_t line = line_with(STEPI_STEP_START, STEP, fields, 2);
    line.trace = &trace;
    line.step_span = 0xabcdef;
    expect_both(&line,
                JSON("step_start", "\"step\":2,\"total_steps\":4,\"description\":\"Fetching\",\"depth\":0,"
                                   "\"trace_id\":\"00000000000000011000000000000000\",\"span_id\":\"0000000000abcdef\","
                                   "\"parent_span_id\":\"000000000000000a\",\"trace_flags\":\"fe\","
                                   "\"pid\":4711,\"tid\":4712,\"seq\":9,\"trace_id_1\":1,\"parent_span_id_1\":2"),
                LOGFMT("step_start", "step=2 total_steps=4 description=Fetching depth=0 "
                                     "trace_id=00000000000000011000000000000000 span_id=0000000000abcdef "
                                     "parent_span_id=000000000000000a trace_flags=fe "
                                     "pid=4711 tid=4712 seq=9 trace_id_1=1 parent_span_id_1=2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_of_operations),
        cmocka_unit_test(ids_of_steps),
    };
    return cmocka_run_group_tests(tests, make_formats, free_formats);
}
