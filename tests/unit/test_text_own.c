/* Fields that text lines have of their own besides durations, and bound ones: their order, and keys of a user's that look like them. */
#include "format_support.h"
#include "record/bound.h"

enum { STEP = STEPI_PART_OPERATION | STEPI_PART_STEP | STEPI_PART_DESCRIPTION };

static const stepi_trace_t trace = { .high = 0x0af7651916cd43dd, .low = 12, .span = 0xb7ad6b7169203331, .flags = 3 };

static step_format_t *plain, *with_ids;

static int make_formats(void **state)
{
    (void)state;
    const step_text_options_t options = { .size = sizeof(options), .ids = 1 };
    plain = step_format_text();
    with_ids = step_format_text_with(&options);
    return plain == NULL || with_ids == NULL;
}

static int free_formats(void **state)
{
    (void)state;
    plain->free(plain);
    with_ids->free(with_ids);
    return 0;
}

static void stuck_operations(void **state)
{
    (void)state;
    stepi_line_t line = line_of_step(STEPI_OPERATION_STUCK, STEP | STEPI_PART_ELAPSED, NULL, 0);
    line.level = STEP_LEVEL_WARNING;
    line.depth = 1;
    expect_rendered(plain, &line,
                    "    [WARNING] ⌛ STUCK: Sync (last_step=2, description=\"Storing rows\", total_duration_ms=1.5)\n");
    const step_field_t fields[] = { step_kv("last_step", 1), step_kv("description", 2) };
    line = line_of_step(STEPI_OPERATION_STUCK, STEPI_PART_OPERATION | STEPI_PART_ELAPSED, fields, 2);
    expect_rendered(plain, &line, "[INFO] ⌛ STUCK: Sync (\"last_step\"=1, \"description\"=2, total_duration_ms=1.5)\n");
}

static void prose_that_reads_as_stuck(void **state)
{
    (void)state;
    static const char *const pairs[][2] = { { "STUCK: x", "\\STUCK: x" },
                                            { "STUCK", "STUCK" },
                                            { "⌛ waiting", "\\⌛ waiting" },
                                            { "a ⌛ STUCK: x", "a ⌛ STUCK: x" } };
    char expected[64];
    for (size_t i = 0; i < COUNT(pairs); i++) {
        stepi_line_t line = line_of_step(STEPI_MESSAGE, STEPI_PART_TEXT, NULL, 0);
        line.text = stepi_text_of(pairs[i][0]);
        snprintf(expected, sizeof(expected), "[INFO] %s\n", pairs[i][1]);
        expect_rendered(plain, &line, expected);
    }
}

static void ids_where_they_are_wanted(void **state)
{
    (void)state;
    const step_field_t field = step_kv("rows", 7);
    stepi_line_t line = line_of_step(STEPI_STEP_SUCCESS, STEP | STEPI_PART_ELAPSED, &field, 1);
    line.trace = &trace;
    line.step_span = 5;
    expect_rendered(plain, &line, "[INFO] ✅ [2/4] Storing rows - SUCCESS (rows=7, duration_ms=1.5)\n");
    expect_rendered(with_ids, &line,
                    "[INFO] ✅ [2/4] Storing rows - SUCCESS (rows=7, trace_id=0af7651916cd43dd000000000000000c, "
                    "span_id=0000000000000005, duration_ms=1.5)\n");
    line = line_of_step(STEPI_MESSAGE, STEPI_PART_TEXT, NULL, 0);
    line.trace = &trace;
    expect_rendered(with_ids, &line,
                    "[INFO] why (trace_id=0af7651916cd43dd000000000000000c, span_id=b7ad6b7169203331)\n");
    line.trace = NULL;
    expect_rendered(with_ids, &line, "[INFO] why\n");
}

static void users_keys_that_are_ids(void **state)
{
    (void)state;
    const step_field_t fields[] = { step_kv("trace_id", "0af7651916cd43dd000000000000000c"),
                                    step_kv("span_id", "b7ad6b7169203331"), step_kv("parent_span_id", 3) };
    stepi_line_t line = line_of_step(STEPI_MESSAGE, STEPI_PART_TEXT, fields, 3);
    expect_rendered(
        plain, &line,
        "[INFO] why (trace_id=0af7651916cd43dd000000000000000c, span_id=b7ad6b7169203331, parent_span_id=3)\n");
    expect_rendered(
        with_ids, &line,
        "[INFO] why (trace_id=0af7651916cd43dd000000000000000c, span_id=b7ad6b7169203331, parent_span_id=3)\n");
    line.trace = &trace;
    expect_rendered(
        with_ids, &line,
        "[INFO] why (\"trace_id\"=0af7651916cd43dd000000000000000c, \"span_id\"=b7ad6b7169203331, parent_span_id=3, "
        "trace_id=0af7651916cd43dd000000000000000c, span_id=b7ad6b7169203331)\n");
}

static void marks(void **state)
{
    (void)state;
    const step_field_t fields[] = { step_kv("slow", 1), step_kv("sample_rate", 2), step_kv("flight_recorder", 3) };
    stepi_line_t line = line_of_step(STEPI_OPERATION_COMPLETE, STEPI_PART_OPERATION | STEPI_PART_ELAPSED, fields, 3);
    line.is_slow = line.from_recorder = true;
    line.sample_rate = 0.1;
    line.omitted = 4;
    line.trace = &trace;
    expect_rendered(with_ids, &line,
                    "[INFO] 🏁 COMPLETE: Sync (\"slow\"=1, \"sample_rate\"=2, \"flight_recorder\"=3, fields_omitted=4, "
                    "sample_rate=0.1, slow=true, flight_recorder=true, trace_id=0af7651916cd43dd000000000000000c, "
                    "span_id=b7ad6b7169203331, total_duration_ms=1.5)\n");
    line = line_of_step(STEPI_OPERATION_INCOMPLETE, STEP | STEPI_PART_ELAPSED, fields, 3);
    line.is_slow = true;
    line.sample_rate = 0.1;
    expect_rendered(plain, &line,
                    "[INFO] ⚠️  INCOMPLETE: Sync (\"slow\"=1, sample_rate=2, \"flight_recorder\"=3, last_step=2, "
                    "description=\"Storing rows\", slow=true, total_duration_ms=1.5)\n");
    line = line_of_step(STEPI_OPERATION_START, STEPI_PART_OPERATION, fields, 3);
    line.sample_rate = 0.25;
    expect_rendered(plain, &line,
                    "[INFO] 🚀 START: Sync (slow=1, \"sample_rate\"=2, \"flight_recorder\"=3, sample_rate=0.25)\n");
    line = line_of_step(STEPI_MESSAGE, STEPI_PART_TEXT, fields, 3);
    line.sample_rate = 0.25; /* the operation's first and last line tell it */
    line.from_recorder = true;
    expect_rendered(plain, &line, "[INFO] why (slow=1, sample_rate=2, \"flight_recorder\"=3, flight_recorder=true)\n");
}

static void bound_fields(void **state)
{
    (void)state;
    const step_field_t own = step_kv("rows", 7);
    const step_field_t given[] = { step_kv("service", "model sync"), step_kv("rows", 8), step_kv("fields_omitted", 9) };
    stepi_bound_t *bound = stepi_bound_new(given, 3, NULL);
    stepi_line_t line = line_of_step(STEPI_STEP_SUCCESS, STEP | STEPI_PART_ELAPSED, &own, 1);
    line.bound = stepi_bound_fields(bound);
    expect_rendered(
        plain, &line,
        "[INFO] ✅ [2/4] Storing rows - SUCCESS (rows=7, service=\"model sync\", rows=8, \"fields_omitted\"=9, "
        "duration_ms=1.5)\n");
    line = line_of_step(STEPI_MESSAGE, STEPI_PART_TEXT, NULL, 0);
    line.bound = stepi_bound_fields(bound);
    expect_rendered(plain, &line, "[INFO] why (service=\"model sync\", rows=8, \"fields_omitted\"=9)\n");
    assert_int_equal(line.bound.left, 3); /* the next output wants them, too */
    free(bound);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stuck_operations),
        cmocka_unit_test(prose_that_reads_as_stuck),
        cmocka_unit_test(ids_where_they_are_wanted),
        cmocka_unit_test(users_keys_that_are_ids),
        cmocka_unit_test(marks),
        cmocka_unit_test(bound_fields),
    };
    return cmocka_run_group_tests(tests, make_formats, free_formats);
}
