/* Lines that are read for tests: JSON as RFC 8259 has it, and everything else refused, whatever it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "testing/record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD "{\"ts\":\"t\",\"level\":\"INFO\",\"event\":\"message\",\"message\":\"m\",\"depth\":0,\"pid\":1,\"tid\":2,\"seq\":3"

static step_captured_t *read_copy(const char *line, size_t length)
{
    char *exact = malloc(length > 0 ? length : 1); /* so that a sanitizer sees what is read beyond it */
    memcpy(exact, line, length);
    step_captured_t *read = stepi_captured_read(exact, length);
    free(exact);
    return read;
}

static step_captured_t *read_with(const char *members)
{
    char line[1024];
    snprintf(line, sizeof(line), HEAD "%s}", members);
    return read_copy(line, strlen(line));
}

static void values_are_read(void **state)
{
    (void)state;
    step_captured_t *line = read_with(",\"i\":-12,\"u\":18446744073709551615,\"f\":-1.5e-3,\"e\":1E2,\"z\":0,\"big\":123456789012345678901,\"low\":-9223372036854775809,"
                                      "\"t\":true,\"n\":null,\"s\":\"\\u00e9\\ud83d\\ude00\\u0000\\/\\b\\f\"");
    assert_non_null(line);
    assert_int_equal(line->member_count, 8);
    assert_int_equal(line->field_count, 10);
    assert_int_equal(step_captured_field(line, "i")->value.i64, -12);
    assert_true(step_captured_field(line, "u")->value.u64 == UINT64_MAX);
    assert_true(step_captured_field(line, "f")->value.f64 == -1.5e-3);
    assert_true(step_captured_field(line, "e")->value.f64 == 100);
    assert_int_equal(step_captured_field(line, "z")->type, STEP_FIELD_I64);
    assert_true(step_captured_field(line, "big")->value.f64 == 123456789012345678901.0);
    assert_true(step_captured_field(line, "low")->value.f64 == -9223372036854775808.0);
    assert_int_equal(step_captured_field(line, "low")->type, STEP_FIELD_F64);
    assert_int_equal(step_captured_field(line, "t")->type, STEP_FIELD_BOOL);
    assert_null(step_captured_field(line, "n")->value.text);
    assert_int_equal(step_captured_field(line, "s")->bytes, 10);
    assert_memory_equal(step_captured_field(line, "s")->value.text, "\u00e9\U0001F600\0/\b\f", 11);
    free(line);
}

/* Members that a later version adds: before `seq` they are the line's own, and what is in them is kept. */
static void unknown_members_are_kept(void **state)
{
    (void)state;
    static const char text[] = "{\"ts\":\"t\",\"level\":\"ERROR\",\"event\":\"news\",\"steps\":[{\"a\":\"]}\\\"\"},[1]],\"seq\":3,"
                               "\"steps_1\":5,\"fields_omitted\":2}";
    step_captured_t *line = read_copy(text, sizeof(text) - 1);
    assert_non_null(line);
    assert_string_equal(line->event, "news");
    assert_int_equal(line->member_count, 6);
    assert_int_equal(line->field_count, 1);
    assert_string_equal(line->fields[0].key, "steps");
    assert_string_equal(line->members[3].value.text, "[{\"a\":\"]}\\\"\"},[1]]");
    assert_string_equal(line->members[5].key, "fields_omitted");
    free(line);
}

static void what_is_no_line_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "{", "}", "{}", "[]", "null", "text", "{\"a\":1}", "{\"event\":\"message\"}", "{\"event\":\"message\",\"level\":\"LOUD\"}",
        "{\"event\":7,\"level\":\"INFO\",\"seq\":1}",
        HEAD "} ", HEAD ",}", HEAD, HEAD ",\"a\"}", HEAD ",\"a\":}", HEAD ",a:1}", HEAD ",\"a\":01}", HEAD ",\"a\":1.}",
        HEAD ",\"a\":.5}", HEAD ",\"a\":-}", HEAD ",\"a\":1e}", HEAD ",\"a\":+1}", HEAD ",\"a\":tru}", HEAD ",\"a\":nul}",
        HEAD ",\"a\":\"}", HEAD ",\"a\":\"\\x\"}", HEAD ",\"a\":\"\\u12\"}", HEAD ",\"a\":\"\\ud800\"}",
        HEAD ",\"a\":\"\\ud800\\u0041\"}", HEAD ",\"a\":\"\\udc00\"}", HEAD ",\"a\":\"\n\"}", HEAD ",\"a\":[1}", HEAD ",\"a\":{\"b\":\"}",
        HEAD ",\"a\":\"\\", HEAD ",\"a\":{\"\\", HEAD ", \"a\":1}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        errno = 0;
        step_captured_t *line = read_copy(bad[i], strlen(bad[i]));
        if (line != NULL)
            fail_msg("is read as a line: %s", bad[i]);
        assert_int_equal(errno, EBADMSG);
    }
    assert_null(read_copy(HEAD "\0}", sizeof(HEAD) + 1));
}

static void lines_that_are_cut_anywhere_are_refused(void **state)
{
    (void)state;
    static const char line[] = HEAD ",\"k\":\"\\u00e9\\ud83d\\ude00\",\"n\":{\"a\":[1,\"x\"]},\"f\":-1.5e-3,\"b\":false}";
    step_captured_t *whole = read_copy(line, sizeof(line) - 1);
    assert_non_null(whole);
    free(whole);
    for (size_t length = 0; length < sizeof(line) - 1; length++)
        assert_null(read_copy(line, length));
}

/* Whatever bytes are changed in a line: it is read or refused, and never more than its bytes. */
static void damaged_lines_are_harmless(void **state)
{
    (void)state;
    static const char line[] = HEAD ",\"k\":\"\\u00e9\\n\",\"k_1\":[1,{\"a\":\"x\"}],\"f\":-1.5e-3,\"b\":false,\"n\":null}";
    uint32_t random = 1;
    for (int i = 0; i < 20000; i++) {
        char damaged[sizeof(line)];
        memcpy(damaged, line, sizeof(line));
        for (int k = 0; k < 3; k++) {
            random = random * 1664525 + 1013904223;
            damaged[(random >> 8) % (sizeof(line) - 1)] = "\"\\{}[],:u09.ez\n\x80"[(random >> 28) % 16];
        }
        free(read_copy(damaged, sizeof(line) - 1));
    }
}

static void reserved_names_are_those_of_the_formats(void **state)
{
    (void)state;
    static const char *const reserved[] = { "ts", "level", "event", "operation", "step", "total_steps", "description", "error",
                                            "message", "dropped_records", "progress_done", "progress_total", "duration_ms",
                                            "total_duration_ms", "depth", "pid", "tid", "seq", "fields_omitted", "trace_id",
                                            "span_id", "parent_span_id", "trace_flags" };
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
        assert_true(stepi_name_is_reserved(reserved[i], strlen(reserved[i])));
    assert_false(stepi_name_is_reserved("attempt", 7));
    assert_false(stepi_name_is_reserved("ts", 1));
    assert_false(stepi_name_is_reserved("tsx", 3));
    assert_false(stepi_name_is_reserved("", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read),
        cmocka_unit_test(unknown_members_are_kept),
        cmocka_unit_test(what_is_no_line_is_refused),
        cmocka_unit_test(lines_that_are_cut_anywhere_are_refused),
        cmocka_unit_test(damaged_lines_are_harmless),
        cmocka_unit_test(reserved_names_are_those_of_the_formats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
