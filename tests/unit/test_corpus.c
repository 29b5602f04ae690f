/* The hostile corpus through JSON and through logfmt: texts, keys, numbers and steps come back as they were logged, whichever
 * part of a line they are in. Both are read by strict readers of their own. */
#include "format_support.h"
#include "logfmt_reader.h"
#include "names_reader.h"

#include <inttypes.h>
#include <math.h>

typedef struct tested {
    step_format_t *(*make)(void);
    bool (*read)(const char *bytes, size_t length, json_object_t *object);
    bool is_logfmt;
    step_format_t *format;
} tested_t;

static tested_t tested[] = { { step_format_json, read_json_line, false, NULL },
                             { step_format_logfmt, read_logfmt_line, true, NULL } };

static json_object_t object;

static int make_formats(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(tested); i++)
        if ((tested[i].format = tested[i].make()) == NULL)
            return 1;
    return 0;
}

static int free_formats(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(tested); i++)
        tested[i].format->free(tested[i].format);
    return 0;
}

static void read_line(const tested_t *t, const stepi_line_t *line)
{
    stepi_out_t out = stepi_out_over(scratch, sizeof(scratch));
    t->format->render(t->format, line, &out);
    assert_false(out.overflow);
    const size_t length = (size_t)(out.at - scratch);
    if (!is_clean_line(scratch, length, false) || !t->read(scratch, length, &object))
        fail_msg("not a line: %.*s", length < 2000 ? (int)length : 2000, scratch);
}

static json_member_t member_named(const char *name)
{
    const json_member_t *member = json_find(&object, name);
    if (member == NULL) {
        fail_msg("no member %s in %.2000s", name, scratch);
        return (json_member_t){ .type = JSON_NULL };
    }
    return *member;
}

static void check_text(const json_string_t *is, const char *bytes, size_t length)
{
    static char repaired[4 << 20];
    const json_string_t expected = json_repaired(bytes, length, repaired);
    assert_int_equal(is->length, expected.length);
    assert_memory_equal(is->bytes, expected.bytes, expected.length);
}

static void check_string(const char *name, sample_t expected)
{
    const json_member_t member = member_named(name);
    assert_int_equal(member.type, JSON_STRING);
    check_text(&member.string, expected.bytes, expected.length);
}

/* The key of the last member; it ended at the first NUL. */
static void check_last_key(const tested_t *t, const char *key)
{
    json_string_t name = key_of_member(&object, object.count - 1);
    if (t->is_logfmt)
        assert_true(logfmt_key(name.bytes, name.length, &name));
    check_text(&name, key, strlen(key));
}

/* ---- Texts ---- */

enum { STEP = STEPI_PART_STEP | STEPI_PART_DESCRIPTION | STEPI_PART_OPERATION };

/* One text in every place of a line, another as value and as key. */
static void check_texts(const tested_t *t, stepi_kind_t kind, const char *text_member, sample_t text, sample_t other)
{
    const step_field_t fields[] = { step_strn("value", other.bytes, other.length), step_i64(other.bytes, 7) };
    const stepi_draft_t draft = { .kind = (uint8_t)kind,
                                  .level = STEP_LEVEL_INFO,
                                  .parts = STEP | STEPI_PART_TEXT,
                                  .operation_name = text_of(text),
                                  .description = text_of(text),
                                  .text = text_of(text),
                                  .attempt = 1,
                                  .fields = fields,
                                  .field_count = 2 };
    const stepi_line_t line = line_of(&draft);
    read_line(t, &line);
    check_string("operation", text);
    check_string("description", text);
    check_string(text_member, text);
    check_string("value", other);
    assert_int_equal(object.count, 3 + 4 + 4 + 2); /* what every line has, what these have, the fields */
    check_last_key(t, other.bytes);
}

static void every_text_in_every_place(void **state)
{
    (void)state;
    for (size_t f = 0; f < COUNT(tested); f++)
        for (size_t i = 0; i < COUNT(hostile); i++)
            for (size_t k = 0; k < COUNT(hostile); k++) {
                check_texts(&tested[f], STEPI_STEP_FAILURE, "error", hostile[i], hostile[k]);
                check_texts(&tested[f], STEPI_STEP_SKIP, "reason", hostile[i], hostile[k]);
                check_texts(&tested[f], STEPI_MESSAGE, "message", hostile[i], hostile[k]);
            }
}

static void no_text(void **state)
{
    (void)state;
    const step_field_t field = step_str("value", NULL);
    const stepi_draft_t draft = { .kind = STEPI_STEP_FAILURE,
                                  .level = STEP_LEVEL_ERROR,
                                  .parts = STEP | STEPI_PART_TEXT,
                                  .fields = &field,
                                  .field_count = 1 };
    static const char *const names[] = { "operation", "description", "error", "value" };
    for (size_t f = 0; f < COUNT(tested); f++) {
        const stepi_line_t line = line_of(&draft);
        read_line(&tested[f], &line);
        for (size_t i = 0; i < COUNT(names); i++)
            assert_int_equal(member_named(names[i]).type, JSON_NULL);
    }
}

static void long_texts(void **state)
{
    (void)state;
    enum { MIB = 1 << 20 };
    static char text[MIB + 1];
    static char key[64 * 1024];
    static const char *const fillers[] = { "x", "\"", "\x01", "\xFF", "\xE2\x80\xA6[1", "\xFFx", "\\", "a b=" };
    memset(key, 'k', sizeof(key) - 2);
    for (size_t i = 0; i < COUNT(fillers); i++) {
        for (size_t at = 0; at < MIB; at++)
            text[at] = fillers[i][at % strlen(fillers[i])];
        const step_field_t fields[] = { step_str("value", text), step_str(key, "v") };
        const stepi_draft_t draft = { .kind = STEPI_MESSAGE,
                                      .level = STEP_LEVEL_INFO,
                                      .parts = STEPI_PART_TEXT,
                                      .text = stepi_text_of(text),
                                      .fields = fields,
                                      .field_count = 2 };
        for (size_t f = 0; f < COUNT(tested); f++) {
            const stepi_line_t line = line_of(&draft);
            read_line(&tested[f], &line);
            check_string("message", (sample_t){ text, MIB });
            check_string("value", (sample_t){ text, MIB });
            check_last_key(&tested[f], key);
        }
    }
}

/* Cut wherever the room ends: on a code point's boundary, and marked with the length it had. */
static void cut_everywhere(void **state)
{
    (void)state;
    char text[600] = "", mark[64];
    static const char *const characters[] = { "a", "\xC3\xBC", "\xE4\xBD\xA0", "\xF0\x9F\x9A\x80" };
    while (strlen(text) < sizeof(text) - 8)
        strcat(text, characters[strlen(text) % 4]);
    snprintf(mark, sizeof(mark), "…[%zu bytes]", strlen(text));
    const stepi_draft_t draft = { .kind = STEPI_MESSAGE,
                                  .level = STEP_LEVEL_INFO,
                                  .parts = STEPI_PART_TEXT,
                                  .text = stepi_text_of(text) };
    for (size_t room = 512; room < 600; room++) {
        uint8_t record[600];
        stepi_decoded_t decoded;
        assert_true(stepi_record_decode(record, stepi_record_encode_cut(&draft, record, room), &decoded));
        for (size_t f = 0; f < COUNT(tested); f++) {
            read_line(&tested[f], &decoded.line);
            const json_member_t member = member_named("message");
            const size_t kept = member.string.length - strlen(mark);
            assert_true(member.string.length > strlen(mark) && kept < strlen(text));
            assert_memory_equal(member.string.bytes, text, kept);
            assert_string_equal(member.string.bytes + kept, mark);
            assert_true(is_well_formed((const unsigned char *)text, kept));
        }
    }
}

/* ---- Numbers ---- */

static void check_number(step_field_t field, const char *json, const char *logfmt)
{
    const stepi_draft_t draft = { .kind = STEPI_MESSAGE, .level = STEP_LEVEL_INFO, .fields = &field, .field_count = 1 };
    for (size_t f = 0; f < COUNT(tested); f++) {
        const char *expected = tested[f].is_logfmt ? logfmt : json;
        const stepi_line_t line = line_of(&draft);
        read_line(&tested[f], &line);
        const json_member_t member = member_named("n");
        assert_int_equal(member.type, strcmp(expected, "null") == 0 ? JSON_NULL : JSON_NUMBER);
        assert_string_equal(member.string.bytes, expected);
    }
}

static void numbers(void **state)
{
    (void)state;
    static const struct {
        double v;
        const char *text;
    } doubles[] = { { 0.0, "0" },
                    { -0.0, "-0" },
                    { 5e-324, "5e-324" },
                    { 2.2250738585072014e-308, "2.2250738585072014e-308" },
                    { 1.7976931348623157e308, "1.7976931348623157e+308" },
                    { -1.7976931348623157e308, "-1.7976931348623157e+308" },
                    { 9007199254740992.0, "9007199254740992" },
                    { 0.1, "0.1" },
                    { 1e21, "1e+21" } };
    for (size_t i = 0; i < COUNT(doubles); i++)
        check_number(step_f64("n", doubles[i].v), doubles[i].text, doubles[i].text);
    check_number(step_f64("n", (double)NAN), "null", "nan");
    check_number(step_f64("n", (double)INFINITY), "null", "inf");
    check_number(step_percent("n", -(double)INFINITY), "null", "-inf");
    check_number(step_fixed("n", (double)NAN, 2), "null", "nan");
    check_number(step_i64("n", INT64_MIN), "-9223372036854775808", "-9223372036854775808");
    check_number(step_i64("n", INT64_MAX), "9223372036854775807", "9223372036854775807");
    check_number(step_u64("n", UINT64_MAX), "18446744073709551615", "18446744073709551615");
    check_number(step_i64("n", INT64_C(9007199254740993)), "9007199254740993", "9007199254740993");
}

static void steps(void **state)
{
    (void)state;
    static const int32_t numbers[] = { 0, -1, 1, 5, INT32_MAX, INT32_MIN };
    for (size_t i = 0; i < COUNT(numbers) * COUNT(numbers) * COUNT(tested); i++) {
        const tested_t *t = &tested[i % COUNT(tested)];
        const int32_t step = numbers[i / COUNT(tested) % COUNT(numbers)];
        const int32_t total = numbers[i / COUNT(tested) / COUNT(numbers)];
        char expected[16];
        const stepi_draft_t draft = { .kind = STEPI_STEP_START,
                                      .level = STEP_LEVEL_INFO,
                                      .parts = STEPI_PART_STEP | STEPI_PART_DESCRIPTION,
                                      .step = step,
                                      .total = total,
                                      .description = stepi_text_of("d") };
        const stepi_line_t line = line_of(&draft);
        read_line(t, &line);
        snprintf(expected, sizeof(expected), "%" PRId32, step);
        assert_string_equal(member_named("step").string.bytes, expected);
        snprintf(expected, sizeof(expected), "%" PRId32, total);
        if (total > 0)
            assert_string_equal(member_named("total_steps").string.bytes, expected);
        else
            assert_null(json_find(&object, "total_steps"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_text_in_every_place), cmocka_unit_test(no_text),
        cmocka_unit_test(long_texts),                cmocka_unit_test(cut_everywhere),
        cmocka_unit_test(numbers),                   cmocka_unit_test(steps),
    };
    return cmocka_run_group_tests(tests, make_formats, free_formats);
}
