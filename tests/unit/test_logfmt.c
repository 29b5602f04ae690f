/* logfmt lines: what each kind of record reads like, and that a strict reader gets back what was logged. */
#include "format_support.h"
#include "logfmt_reader.h"

#include <math.h>

#define HEAD(level, event) "ts=2026-02-04T09:30:00.123456789Z level=" level " event=" event " "
#define TAIL "depth=1 pid=4711 tid=4712 seq=9"

enum { STEP = STEPI_PART_STEP | STEPI_PART_DESCRIPTION | STEPI_PART_OPERATION };

static step_format_t *format;
static json_object_t object;

static int make_format(void **state)
{
    (void)state;
    format = step_format_logfmt();
    return format == NULL;
}

static int free_format(void **state)
{
    (void)state;
    format->free(format);
    return 0;
}

static stepi_draft_t draft_of(stepi_kind_t kind, unsigned parts)
{
    return (stepi_draft_t){
        .kind = (uint8_t)kind,
        .level = STEP_LEVEL_INFO,
        .parts = (uint16_t)(parts | STEPI_PART_CLOCK),
        .depth = 1,
        .seq = 9,
        .elapsed = 15203417,
        .wall_ns = 1770197400123456789,
        .step = 2,
        .total = 4,
        .attempt = 1,
        .done = 50,
        .goal = 200,
        .operation_name = stepi_text_of("Sync"),
        .description = stepi_text_of("Fetching models"),
        .text = stepi_text_of("why not"),
    };
}

/* ---- Kinds ---- */

static void operations(void **state)
{
    (void)state;
    const step_field_t field = step_kv("table", "models");
    stepi_draft_t draft = draft_of(STEPI_OPERATION_START, STEPI_PART_OPERATION);
    draft.fields = &field;
    draft.field_count = 1;
    expect_line(format, &draft, HEAD("INFO", "operation_start") "operation=Sync " TAIL " table=models\n");
    draft = draft_of(STEPI_OPERATION_COMPLETE, STEPI_PART_OPERATION | STEPI_PART_ELAPSED);
    expect_line(format, &draft,
                HEAD("INFO", "operation_complete") "operation=Sync total_duration_ms=15.203417 " TAIL "\n");
    draft = draft_of(STEPI_OPERATION_INCOMPLETE, STEP | STEPI_PART_ELAPSED);
    draft.level = STEP_LEVEL_WARNING;
    expect_line(format, &draft,
                HEAD("WARNING", "operation_incomplete") "operation=Sync step=2 total_steps=4 description=\"Fetching models\" "
                                                        "total_duration_ms=15.203417 " TAIL "\n");
}

static void steps(void **state)
{
    (void)state;
    stepi_draft_t draft = draft_of(STEPI_STEP_START, STEP | STEPI_PART_ATTEMPT);
    draft.attempt = 2;
    expect_line(format, &draft,
                HEAD("INFO", "step_start") "operation=Sync step=2 total_steps=4 description=\"Fetching models\" "
                                           "attempt=2 " TAIL "\n");
    draft = draft_of(STEPI_STEP_SUCCESS, STEPI_PART_STEP | STEPI_PART_DESCRIPTION | STEPI_PART_ELAPSED);
    draft.total = 0;
    draft.step = -1;
    draft.description = stepi_text_of(NULL);
    expect_line(format, &draft,
                HEAD("INFO", "step_success") "step=-1 description=null duration_ms=15.203417 " TAIL "\n");
    draft = draft_of(STEPI_STEP_SKIP, STEP | STEPI_PART_TEXT);
    expect_line(format, &draft,
                HEAD("INFO", "step_skip") "operation=Sync step=2 total_steps=4 description=\"Fetching models\" "
                                          "reason=\"why not\" " TAIL "\n");
}

static void failures(void **state)
{
    (void)state;
    stepi_draft_t draft =
        draft_of(STEPI_STEP_FAILURE, STEP | STEPI_PART_TEXT | STEPI_PART_ELAPSED | STEPI_PART_ATTEMPT);
    draft.level = STEP_LEVEL_CRITICAL;
    draft.error_number = 111;
    expect_line(format, &draft,
                HEAD("CRITICAL", "step_failure") "operation=Sync step=2 total_steps=4 description=\"Fetching models\" "
                                                 "error=\"why not\" duration_ms=15.203417 errno=111 " TAIL "\n");
    draft = draft_of(STEPI_STEP_FAILURE, STEPI_PART_OPERATION | STEPI_PART_TEXT);
    draft.level = STEP_LEVEL_ERROR;
    draft.text = stepi_text_of(NULL);
    expect_line(format, &draft, HEAD("ERROR", "step_failure") "operation=Sync error=null " TAIL "\n");
}

static void others(void **state)
{
    (void)state;
    stepi_draft_t draft = draft_of(STEPI_MESSAGE, STEPI_PART_TEXT);
    draft.level = STEP_LEVEL_DEBUG;
    expect_line(format, &draft, HEAD("DEBUG", "message") "message=\"why not\" " TAIL "\n");
    draft = draft_of(STEPI_PROGRESS, STEPI_PART_OPERATION | STEPI_PART_PROGRESS);
    expect_line(format, &draft,
                HEAD("INFO", "progress") "operation=Sync progress_done=50 progress_total=200 " TAIL "\n");
    draft.goal = 0;
    expect_line(format, &draft, HEAD("INFO", "progress") "operation=Sync progress_done=50 " TAIL "\n");
    draft = draft_of(STEPI_DROPPED, STEPI_PART_TEXT | STEPI_PART_PROGRESS);
    expect_line(format, &draft, HEAD("INFO", "dropped") "message=\"why not\" dropped_records=50 " TAIL "\n");
}

static void values(void **state)
{
    (void)state;
    const step_field_t fields[] = {
        step_i64("a", INT64_MIN),
        step_u64("b", UINT64_MAX),
        step_f64("c", 0.1),
        step_f64("d", -0.0),
        step_f64("e", 5e-324),
        step_f64("f", 1e21),
        step_f64("g", (double)NAN),
        step_f64("h", (double)INFINITY),
        step_f64("i", -(double)INFINITY),
        step_percent("j", 2.752),
        step_percent("k", (double)NAN),
        step_fixed("l", 1.5, 3),
        step_fixed("m", -(double)INFINITY, 1),
        step_bool("n", true),
        step_bool("o", false),
        step_secret("p", "swordfish"),
        step_str("q", NULL),
    };
    stepi_draft_t draft = draft_of(STEPI_OPERATION_START, STEPI_PART_OPERATION);
    draft.fields = fields;
    draft.field_count = COUNT(fields);
    expect_line(format, &draft,
                HEAD("INFO", "operation_start") "operation=Sync " TAIL
                                                " a=-9223372036854775808 b=18446744073709551615 c=0.1 d=-0 e=5e-324 f=1e+21 "
                                                "g=nan h=inf i=-inf j=2.752 k=nan l=1.500 m=-inf n=true o=false p=*** "
                                                "q=null\n");
}

/* ---- Strings ---- */

/* One field of that value: what stands behind its `=`. */
static void check_value(const char *value, const char *expected)
{
    char line[1024];
    const step_field_t field = step_str("v", value);
    stepi_draft_t draft = draft_of(STEPI_MESSAGE, STEPI_PART_TEXT);
    draft.fields = &field;
    draft.field_count = 1;
    snprintf(line, sizeof(line), HEAD("INFO", "message") "message=\"why not\" " TAIL " v=%s\n", expected);
    expect_line(format, &draft, line);
}

static void strings(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        { "openrouter", "openrouter" },
        { "https://x/y?z", "https://x/y?z" },
        { "C:\\temp", "C:\\temp" },
        { "\\", "\\" },
        { "C:\\my files", "\"C:\\\\my files\"" },
        { "a,b(c){d}", "a,b(c){d}" },
        { "Größe-你🚀", "Größe-你🚀" },
        { "", "\"\"" },
        { " ", "\" \"" },
        { "a=b", "\"a=b\"" },
        { "say \"hi\"", "\"say \\\"hi\\\"\"" },
        { "\"", "\"\\\"\"" },
        { "\n\r\t", "\"\\n\\r\\t\"" },
        { "\b\f\x01\x1b\x1f\x7f", "\"\\u0008\\u000c\\u0001\\u001b\\u001f\\u007f\"" },
        { "\xC2\x85\xC2\x9B", "\"\\u0085\\u009b\"" },
        { "\xE2\x80\xA8\xE2\x80\xAE\xEF\xBB\xBF", "\"\\u2028\\u202e\\ufeff\"" },
        { "\xFF\xFE"
          "a\xC0\x80"
          "b\xE2\x82",
          "\"\xEF\xBF\xBD"
          "a\xEF\xBF\xBD"
          "b\xEF\xBF\xBD\"" },
        { "\xEF\xBF\xBD", "\xEF\xBF\xBD" },
        { "…[5 bytes]", "\"\\u2026[5 bytes]\"" },
        { "…[5", "…[5" },
        { "null", "\"null\"" },
        { "true", "\"true\"" },
        { "false", "\"false\"" },
        { "01234", "\"01234\"" },
        { "-1.5e9", "\"-1.5e9\"" },
        { "2.8%", "\"2.8%\"" },
        { "NaN", "\"NaN\"" },
        { "-inf", "\"-inf\"" },
        { "0x1F", "\"0x1F\"" },
        { "nullable", "nullable" },
        { "True", "True" },
        { "1.2.3", "1.2.3" },
        { "12ms", "12ms" },
        { "***", "***" },
    };
    for (size_t i = 0; i < COUNT(pairs); i++)
        check_value(pairs[i][0], pairs[i][1]);
}

static void cut_texts(void **state)
{
    (void)state;
    stepi_draft_t draft = draft_of(STEPI_MESSAGE, STEPI_PART_TEXT);
    draft.text = stepi_text_of("abc");
    stepi_line_t line = line_of(&draft);
    line.text.original = 70000;
    line.omitted = 3;
    rendered_t r = render_line(format, &line);
    assert_string_equal(r.bytes, HEAD("INFO", "message") "message=\"abc…[70000 bytes]\" " TAIL " fields_omitted=3\n");
    check_small_buffers(format, &line);
    free(r.bytes);
}

/* ---- Read back ---- */

static void read_line(const stepi_line_t *line)
{
    stepi_out_t out = stepi_out_over(scratch, sizeof(scratch));
    format->render(format, line, &out);
    assert_false(out.overflow);
    const size_t length = (size_t)(out.at - scratch);
    if (!is_clean_line(scratch, length, false) || !read_logfmt_line(scratch, length, &object))
        fail_msg("not a line of logfmt: %.*s", length < 2000 ? (int)length : 2000, scratch);
}

static json_member_t member_named(const char *name)
{
    const json_member_t *member = json_find(&object, name);
    if (member == NULL) {
        fail_msg("no member %s", name);
        return (json_member_t){ .type = JSON_NULL };
    }
    return *member;
}

static void check_string(const char *name, const char *bytes, size_t length)
{
    static char repaired[4 << 20];
    const json_string_t expected = json_repaired(bytes, length, repaired);
    const json_member_t member = member_named(name);
    assert_int_equal(member.type, JSON_STRING);
    assert_int_equal(member.string.length, expected.length);
    assert_memory_equal(member.string.bytes, expected.bytes, expected.length);
}

static void random_strings(void **state)
{
    (void)state;
    static const char likely[] = "\xE2\x80\xA6[1\"\\\n =\xC3\xA9\xF0\x9F\xEF\xBF\xBD";
    char text[40];
    for (unsigned i = 0; i < 50000; i++) {
        const size_t length = random_below(sizeof(text));
        for (size_t k = 0; k < length; k++)
            text[k] = random_below(2) != 0 ? (char)random_below(256) : likely[random_below(sizeof(likely) - 1)];
        const step_field_t field = step_strn("value", text, length);
        stepi_draft_t draft = draft_of(STEPI_MESSAGE, STEPI_PART_TEXT);
        draft.fields = &field;
        draft.field_count = 1;
        const stepi_line_t line = line_of(&draft);
        read_line(&line);
        check_string("value", text, length);
    }
}

/* Short texts of what numbers are made of: a reader must never take one for a number. */
static void strings_like_numbers(void **state)
{
    (void)state;
    static const char pieces[] = "0123456789..--++eExX%naifNAIF";
    char text[8];
    for (unsigned i = 0; i < 200000; i++) {
        const size_t length = 1 + random_below(sizeof(text) - 1);
        for (size_t k = 0; k < length; k++)
            text[k] = pieces[random_below(sizeof(pieces) - 1)];
        const step_field_t field = step_strn("value", text, length);
        stepi_draft_t draft = draft_of(STEPI_MESSAGE, STEPI_PART_TEXT);
        draft.fields = &field;
        draft.field_count = 1;
        const stepi_line_t line = line_of(&draft);
        read_line(&line);
        check_string("value", text, length);
    }
}

static void random_doubles(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        double v;
        const uint64_t bits = random_below(UINT64_C(1) << 53) << 11 | random_below(2048);
        memcpy(&v, &bits, sizeof(v));
        const step_field_t field = step_f64("value", v);
        stepi_draft_t draft = draft_of(STEPI_MESSAGE, STEPI_PART_TEXT);
        draft.fields = &field;
        draft.field_count = 1;
        const stepi_line_t line = line_of(&draft);
        read_line(&line);
        const json_member_t member = member_named("value");
        assert_int_equal(member.type, JSON_NUMBER);
        const double read = strtod(member.string.bytes, NULL);
        assert_true(isnan(v) ? isnan(read) : memcmp(&read, &v, sizeof(v)) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations),     cmocka_unit_test(steps),     cmocka_unit_test(failures),
        cmocka_unit_test(others),         cmocka_unit_test(values),    cmocka_unit_test(strings),
        cmocka_unit_test(cut_texts),      cmocka_unit_test(random_strings),
        cmocka_unit_test(random_doubles), cmocka_unit_test(strings_like_numbers),
    };
    return cmocka_run_group_tests(tests, make_format, free_format);
}
