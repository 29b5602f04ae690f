/* JSON lines: what each kind of record reads like, and that nothing in it can break a line. */
#include "format_support.h"
#include "json_reader.h"
#include "record/shape.h"

#include <math.h>

#define HEAD(level, event) "{\"ts\":\"2026-02-04T09:30:00.123456789Z\",\"level\":\"" level "\",\"event\":\"" event "\","
#define TAIL "\"depth\":1,\"pid\":4711,\"tid\":4712,\"seq\":9"

enum { STEP = STEPI_PART_STEP | STEPI_PART_DESCRIPTION | STEPI_PART_OPERATION };

static step_format_t *format;
static json_object_t object;

static int make_format(void **state)
{
    (void)state;
    format = step_format_json();
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
        .description = stepi_text_of("Fetching"),
        .text = stepi_text_of("why"),
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
    expect_line(format, &draft,
                HEAD("INFO", "operation_start") "\"operation\":\"Sync\"," TAIL ",\"table\":\"models\"}\n");
    draft = draft_of(STEPI_OPERATION_COMPLETE, STEPI_PART_OPERATION | STEPI_PART_ELAPSED);
    expect_line(format, &draft,
                HEAD("INFO", "operation_complete") "\"operation\":\"Sync\",\"total_duration_ms\":15.203417," TAIL
                                                   "}\n");
    draft = draft_of(STEPI_OPERATION_INCOMPLETE, STEP | STEPI_PART_ELAPSED);
    draft.level = STEP_LEVEL_WARNING;
    expect_line(
        format, &draft,
        HEAD("WARNING", "operation_incomplete") "\"operation\":\"Sync\",\"step\":2,\"total_steps\":4,"
                                                "\"description\":\"Fetching\",\"total_duration_ms\":15.203417," TAIL
                                                "}\n");
}

static void steps(void **state)
{
    (void)state;
    stepi_draft_t draft = draft_of(STEPI_STEP_START, STEP | STEPI_PART_ATTEMPT);
    draft.attempt = 2;
    expect_line(format, &draft,
                HEAD("INFO", "step_start") "\"operation\":\"Sync\",\"step\":2,\"total_steps\":4,"
                                           "\"description\":\"Fetching\",\"attempt\":2," TAIL "}\n");
    draft = draft_of(STEPI_STEP_SUCCESS, STEPI_PART_STEP | STEPI_PART_DESCRIPTION | STEPI_PART_ELAPSED);
    draft.total = 0;
    draft.step = -1;
    draft.description = stepi_text_of(NULL);
    expect_line(format, &draft,
                HEAD("INFO", "step_success") "\"step\":-1,\"description\":null,\"duration_ms\":15.203417," TAIL "}\n");
    draft = draft_of(STEPI_STEP_SKIP, STEP | STEPI_PART_TEXT);
    expect_line(format, &draft,
                HEAD("INFO", "step_skip") "\"operation\":\"Sync\",\"step\":2,\"total_steps\":4,"
                                          "\"description\":\"Fetching\",\"reason\":\"why\"," TAIL "}\n");
}

static void failures(void **state)
{
    (void)state;
    stepi_draft_t draft =
        draft_of(STEPI_STEP_FAILURE, STEP | STEPI_PART_TEXT | STEPI_PART_ELAPSED | STEPI_PART_ATTEMPT);
    draft.level = STEP_LEVEL_CRITICAL;
    draft.error_number = 111;
    expect_line(format, &draft,
                HEAD("CRITICAL", "step_failure") "\"operation\":\"Sync\",\"step\":2,\"total_steps\":4,"
                                                 "\"description\":\"Fetching\",\"error\":\"why\","
                                                 "\"duration_ms\":15.203417,\"errno\":111," TAIL "}\n");
    draft = draft_of(STEPI_STEP_FAILURE, STEPI_PART_OPERATION | STEPI_PART_TEXT);
    draft.level = STEP_LEVEL_ERROR;
    draft.text = stepi_text_of(NULL);
    expect_line(format, &draft, HEAD("ERROR", "step_failure") "\"operation\":\"Sync\",\"error\":null," TAIL "}\n");
}

static void others(void **state)
{
    (void)state;
    stepi_draft_t draft = draft_of(STEPI_MESSAGE, STEPI_PART_TEXT);
    draft.level = STEP_LEVEL_DEBUG;
    expect_line(format, &draft, HEAD("DEBUG", "message") "\"message\":\"why\"," TAIL "}\n");
    draft = draft_of(STEPI_PROGRESS, STEPI_PART_OPERATION | STEPI_PART_PROGRESS);
    expect_line(format, &draft,
                HEAD("INFO", "progress") "\"operation\":\"Sync\",\"progress_done\":50,\"progress_total\":200," TAIL
                                         "}\n");
    draft.goal = 0;
    expect_line(format, &draft, HEAD("INFO", "progress") "\"operation\":\"Sync\",\"progress_done\":50," TAIL "}\n");
    draft = draft_of(STEPI_DROPPED, STEPI_PART_TEXT | STEPI_PART_PROGRESS);
    expect_line(format, &draft, HEAD("INFO", "dropped") "\"message\":\"why\",\"dropped_records\":50," TAIL "}\n");
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
        step_f64("g", 9007199254740992.0),
        step_f64("h", (double)NAN),
        step_f64("i", (double)INFINITY),
        step_f64("j", -(double)INFINITY),
        step_percent("k", 2.752),
        step_percent("l", (double)NAN),
        step_fixed("m", 1.5, 3),
        step_fixed("n", (double)NAN, 1),
        step_bool("o", true),
        step_bool("p", false),
        step_secret("q", "swordfish"),
        step_str("r", NULL),
        step_str("s", ""),
        step_str("t", "1"),
        step_kv("count", 1),
        step_kv("total", 2),
    };
    stepi_draft_t draft = draft_of(STEPI_OPERATION_START, STEPI_PART_OPERATION);
    draft.fields = fields;
    draft.field_count = COUNT(fields);
    expect_line(format, &draft,
                HEAD("INFO", "operation_start") "\"operation\":\"Sync\"," TAIL
                                                ",\"a\":-9223372036854775808,\"b\":18446744073709551615,\"c\":0.1,"
                                                "\"d\":-0,\"e\":5e-324,\"f\":1e+21,"
                                                "\"g\":9007199254740992,\"h\":null,\"i\":null,\"j\":null,\"k\":2.752,"
                                                "\"l\":null,\"m\":1.500,\"n\":null,"
                                                "\"o\":true,\"p\":false,\"q\":\"***\",\"r\":null,\"s\":\"\",\"t\":"
                                                "\"1\",\"count\":1,\"total\":2}\n");
}

/* ---- File and line ---- */

static step_format_t *format_with_source(void)
{
    const step_json_options_t options = { .size = sizeof(options), .source = 1 };
    step_format_t *made = step_format_json_with(&options);
    assert_non_null(made);
    assert_true(made->shows_places);
    assert_false(format->shows_places);
    return made;
}

static void places(void **state)
{
    (void)state;
    step_site_t site = { .file = "src/a \"b\".c", .line = 4294967295u };
    const step_field_t fields[] = { step_kv("file", 1), step_kv("line", 2), step_kv("rows", 3) };
    step_format_t *shows = format_with_source();
    stepi_draft_t draft = draft_of(STEPI_MESSAGE, STEPI_PART_TEXT | STEPI_PART_PLACE);
    draft.place = stepi_shape_place(&site);
    assert_true(draft.place > 0);
    draft.fields = fields;
    draft.field_count = 3;
    expect_line(shows, &draft,
                HEAD("INFO", "message") "\"message\":\"why\"," "\"file\":\"src/a \\\"b\\\".c\",\"line\":4294967295,"
                                        TAIL ",\"file_1\":1,\"line_1\":2,\"rows\":3}\n");
    const char *unplaced = HEAD("INFO", "message") "\"message\":\"why\"," TAIL ",\"file\":1,\"line\":2,\"rows\":3}\n";
    expect_line(format, &draft, unplaced);
    draft.place = 0; /* there is no such shape */
    expect_line(shows, &draft, unplaced);
    draft.parts = STEPI_PART_TEXT | STEPI_PART_CLOCK;
    expect_line(shows, &draft, unplaced);
    shows->free(shows);
}

static void check_refused(const step_json_options_t *options)
{
    errno = 0;
    assert_null(step_format_json_with(options));
    assert_int_equal(errno, EINVAL);
    errno = 0;
    assert_null(step_format_logfmt_with(options));
    assert_int_equal(errno, EINVAL);
}

static void options_of_other_versions(void **state)
{
    (void)state;
    struct {
        step_json_options_t known;
        uint64_t more;
    } newer = { { sizeof(newer), 1, 0 }, 0 };
    step_format_t *made = step_format_json_with(&newer.known);
    assert_non_null(made);
    assert_true(made->shows_places);
    made->free(made);
    newer.more = 1;
    check_refused(&newer.known);
    newer.known.size = offsetof(step_json_options_t, source);
    made = step_format_json_with(&newer.known);
    assert_non_null(made);
    assert_false(made->shows_places); /* it is behind what the caller knows */
    made->free(made);
    newer.known.size = 0;
    check_refused(&newer.known);
    newer.known.size = SIZE_MAX / 2;
    check_refused(&newer.known);
    made = step_format_json_with(NULL);
    assert_non_null(made);
    assert_false(made->shows_places);
    made->free(made);
}

/* ---- Strings ---- */

static void escapes(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        { "\"\\/", "\\\"\\\\/" },
        { "\n\r\t\b\f", "\\n\\r\\t\\b\\f" },
        { "\x01\x1b\x1f\x7f", "\\u0001\\u001b\\u001f\\u007f" },
        { "\xC2\x85\xC2\x9B", "\\u0085\\u009b" },
        { "\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xAE\xE2\x81\xA6\xEF\xBB\xBF", "\\u2028\\u2029\\u202e\\u2066\\ufeff" },
        { "\xFF\xFE"
          "a\xC0\x80"
          "b\xE2\x82",
          "\xEF\xBF\xBD"
          "a\xEF\xBF\xBD"
          "b\xEF\xBF\xBD" },
        { "</script>", "</script>" },
        { "Größe 你 🚀", "Größe 你 🚀" },
        { "…[x] …[5 bytes]", "…[x] \\u2026[5 bytes]" },
    };
    char expected[512];
    for (size_t i = 0; i < COUNT(pairs); i++) {
        stepi_draft_t draft = draft_of(STEPI_MESSAGE, STEPI_PART_TEXT);
        draft.text = stepi_text_of(pairs[i][0]);
        snprintf(expected, sizeof(expected), HEAD("INFO", "message") "\"message\":\"%s\"," TAIL "}\n", pairs[i][1]);
        expect_line(format, &draft, expected);
    }
}

static void cut_texts(void **state)
{
    (void)state;
    stepi_draft_t draft = draft_of(STEPI_MESSAGE, STEPI_PART_TEXT);
    stepi_line_t line = line_of(&draft);
    line.text.original = 70000;
    line.omitted = 3;
    rendered_t r = render_line(format, &line);
    assert_string_equal(r.bytes,
                        HEAD("INFO", "message") "\"message\":\"why…[70000 bytes]\"," TAIL ",\"fields_omitted\":3}\n");
    check_small_buffers(format, &line);
    free(r.bytes);
}

static void read_line(const stepi_line_t *line)
{
    stepi_out_t out = stepi_out_over(scratch, sizeof(scratch));
    format->render(format, line, &out);
    assert_false(out.overflow);
    const size_t length = (size_t)(out.at - scratch);
    if (!is_clean_line(scratch, length, false) || !read_json_line(scratch, length, &object))
        fail_msg("not a line of JSON: %.*s", length < 2000 ? (int)length : 2000, scratch);
}

static void expect_member(const char *name, const char *bytes, size_t length)
{
    static char repaired[4 << 20];
    const json_string_t expected = json_repaired(bytes, length, repaired);
    const json_member_t *member = json_find(&object, name);
    if (member == NULL) {
        fail_msg("no member %s", name);
        return;
    }
    assert_int_equal(member->type, JSON_STRING);
    assert_int_equal(member->string.length, expected.length);
    assert_memory_equal(member->string.bytes, expected.bytes, expected.length);
}

static void check_hostile(const char *bytes, size_t length)
{
    char key[256];
    snprintf(key, sizeof(key), "k%.*s", length < 200 ? (int)length : 200, bytes);
    const step_field_t fields[] = { step_strn("value", bytes, length), step_strn(key, bytes, length) };
    stepi_draft_t draft = draft_of(STEPI_STEP_FAILURE, STEP | STEPI_PART_TEXT);
    draft.operation_name = draft.description = draft.text =
        (stepi_text_t){ .bytes = bytes, .length = (uint32_t)length, .original = length };
    draft.fields = fields;
    draft.field_count = 2;
    const stepi_line_t line = line_of(&draft);
    read_line(&line);
    expect_member("operation", bytes, length);
    expect_member("description", bytes, length);
    expect_member("error", bytes, length);
    expect_member("value", bytes, length);
    assert_int_equal(object.count, 14);
    if (length < 100)
        check_small_buffers(format, &line);
}

static void hostile_strings(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(hostile); i++)
        check_hostile(hostile[i].bytes, hostile[i].length);
    static const char text[] = "a\xC3\xBC\xE2\x80\xA8\xF0\x9F\x9A\x80\xE2\x80\xA6[1\xED\xA0\x80\xF4\x90\x80\x80z";
    for (size_t n = 0; n < sizeof(text); n++)
        check_hostile(text, n);
}

static void long_strings(void **state)
{
    (void)state;
    enum { MIB = 1 << 20 };
    char *text = malloc(MIB);
    assert_non_null(text);
    static const char *const fillers[] = { "x", "\"", "\x01", "\xFF", "\xE2\x80\xA6[1", "\xFFx" };
    for (size_t i = 0; i < COUNT(fillers); i++) {
        for (size_t at = 0; at < MIB; at++)
            text[at] = fillers[i][at % strlen(fillers[i])];
        stepi_draft_t draft = draft_of(STEPI_MESSAGE, STEPI_PART_TEXT);
        draft.text = (stepi_text_t){ .bytes = text, .length = MIB, .original = MIB };
        const stepi_line_t line = line_of(&draft);
        read_line(&line);
        expect_member("message", text, MIB);
    }
    free(text);
}

static void random_strings(void **state)
{
    (void)state;
    static const char likely[] = "\xE2\x80\xA6[1\"\\\n\xC3\xA9\xF0\x9F";
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
        expect_member("value", text, length);
    }
}

/* Doubles are read back to the same bits. */
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
        const json_member_t *member = json_find(&object, "value");
        if (member == NULL) {
            fail();
            return;
        }
        assert_int_equal(member->type, isfinite(v) ? JSON_NUMBER : JSON_NULL);
        const double read = strtod(member->string.bytes, NULL);
        assert_true(!isfinite(v) || memcmp(&read, &v, sizeof(v)) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations),     cmocka_unit_test(steps),          cmocka_unit_test(failures),
        cmocka_unit_test(others),         cmocka_unit_test(values),         cmocka_unit_test(escapes),
        cmocka_unit_test(cut_texts),      cmocka_unit_test(long_strings),   cmocka_unit_test(hostile_strings),
        cmocka_unit_test(random_strings), cmocka_unit_test(random_doubles), cmocka_unit_test(places),
        cmocka_unit_test(options_of_other_versions),
    };
    return cmocka_run_group_tests(tests, make_format, free_format);
}
