/* Keys in logfmt: whatever they are, a line stays a line of bare keys, none is lost or double, and all come back. */
#include "format_support.h"
#include "logfmt_reader.h"
#include "names_reader.h"

enum { OWN_MEMBERS = 8, MANY = 20000 }; /* ts level event message depth pid tid seq */

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

static stepi_line_t line_with(const step_field_t *fields, size_t count)
{
    const stepi_draft_t draft = { .kind = STEPI_MESSAGE,
                                  .level = STEP_LEVEL_INFO,
                                  .parts = STEPI_PART_TEXT,
                                  .text = stepi_text_of("m"),
                                  .fields = fields,
                                  .field_count = count };
    return line_of(&draft);
}

static void read_fields(const step_field_t *fields, size_t count)
{
    const stepi_line_t line = line_with(fields, count);
    stepi_out_t out = stepi_out_over(scratch, sizeof(scratch));
    format->render(format, &line, &out);
    assert_false(out.overflow);
    assert_true(is_clean_line(scratch, (size_t)(out.at - scratch), false));
    assert_true(read_logfmt_line(scratch, (size_t)(out.at - scratch), &object));
    assert_int_equal(object.count, OWN_MEMBERS + count);
}

static void names(const char *const *keys, const char *const *expected, size_t count)
{
    step_field_t fields[16];
    for (size_t i = 0; i < count; i++)
        fields[i] = step_i64(keys[i], 1);
    read_fields(fields, count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(object.members[OWN_MEMBERS + i].name.bytes, expected[i]);
    const stepi_line_t line = line_with(fields, count);
    check_small_buffers(format, &line);
}

static void escapes(void **state)
{
    (void)state;
    static const char *const keys[] = { "rows",     "a b", "a=b",  "a\"b",         "a\\b",         "\n\r\t", "\x01\x7f",
                                        "\xFF\xFE", "größe", "\xC2\x85", "\xE2\x80\xAE", "(a),", "%s" };
    static const char *const expected[] = { "rows",     "a\\u0020b", "a\\u003db", "a\\u0022b", "a\\\\b", "\\n\\r\\t",
                                            "\\u0001\\u007f", "\\ufffd", "größe", "\\u0085", "\\u202e", "(a),", "%s" };
    names(keys, expected, COUNT(keys));
}

static void renamed(void **state)
{
    (void)state;
    static const char *const keys[] = { "ts", "a", "a", "a_1", "level_3_1", "b c", "b c", "b c_1", "\xFF", "\xEF\xBF\xBD" };
    static const char *const expected[] = { "ts_1",       "a",            "a_1",     "a_1_1",     "level_3_1_1",
                                            "b\\u0020c", "b\\u0020c_1", "b\\u0020c_1_1", "\\ufffd", "\\ufffd_1" };
    names(keys, expected, COUNT(keys));
}

/* The spelling of the empty key is its own: not that of `\`, nor anything that a renaming makes of others. */
static void empty_keys(void **state)
{
    (void)state;
    static const char *const keys[] = { "", "", "_1", "\\", "\\_1", "\\\\" };
    static const char *const expected[] = { "\\", "\\_1", "_1", "\\\\", "\\\\_1_1", "\\\\\\\\" };
    names(keys, expected, COUNT(keys));
}

static void reserved_names(void **state)
{
    (void)state;
    step_field_t fields[COUNT(reserved)];
    char expected[64];
    for (size_t i = 0; i < COUNT(reserved); i++)
        fields[i] = step_i64(reserved[i], 1);
    read_fields(fields, COUNT(reserved));
    for (size_t i = 0; i < COUNT(reserved); i++) {
        snprintf(expected, sizeof(expected), "%s_1", reserved[i]);
        assert_string_equal(object.members[OWN_MEMBERS + i].name.bytes, expected);
    }
}

static void cut_keys(void **state)
{
    (void)state;
    static char key[70000];
    memset(key, 'k', sizeof(key) - 1);
    const step_field_t field = step_i64(key, 1);
    const stepi_draft_t draft = { .kind = STEPI_MESSAGE, .level = STEP_LEVEL_INFO, .fields = &field, .field_count = 1 };
    uint8_t record[512];
    stepi_decoded_t decoded;
    assert_true(stepi_record_decode(record, stepi_record_encode_cut(&draft, record, sizeof(record)), &decoded));
    rendered_t r = render_line(format, &decoded.line);
    assert_non_null(strstr(r.bytes, "kk…[69999\\u0020bytes]=1\n"));
    check_small_buffers(format, &decoded.line);
    free(r.bytes);
}

/* ---- Read back ---- */

static void expect_keys_back(const step_field_t *fields, size_t count)
{
    char repaired[1024];
    read_fields(fields, count);
    for (size_t i = 0; i < count; i++) {
        json_string_t is = { .bytes = NULL };
        const json_string_t expected = json_repaired(fields[i].key, strlen(fields[i].key), repaired);
        const json_string_t name = key_of_member(&object, OWN_MEMBERS + i);
        assert_true(logfmt_key(name.bytes, name.length, &is));
        assert_int_equal(is.length, expected.length);
        assert_memory_equal(is.bytes, expected.bytes, expected.length);
        for (size_t k = 0; k < OWN_MEMBERS + i; k++)
            assert_string_not_equal(object.members[k].name.bytes, object.members[OWN_MEMBERS + i].name.bytes);
    }
}

static void random_keys(void **state)
{
    (void)state;
    static const char *const pieces[] = { "a",  "ts",  "_1", "_2",   "_1",  "_",  "1",    "_0",           "\\",
                                          "\\", "020", " ",  "\xFF", "\\u", "=", "0020", "\xEF\xBF\xBD", "" };
    static char keys[12][64];
    step_field_t fields[12];
    for (unsigned i = 0; i < 100000; i++) {
        const size_t count = 1 + random_below(12);
        for (size_t k = 0; k < count; k++) {
            keys[k][0] = '\0';
            for (uint64_t left = random_below(5); left > 0; left--)
                strcat(keys[k], pieces[random_below(COUNT(pieces))]);
            fields[k] = step_i64(keys[k], 1);
        }
        expect_keys_back(fields, count);
    }
}

static void hostile_keys(void **state)
{
    (void)state;
    step_field_t fields[3];
    for (size_t i = 0; i < COUNT(hostile); i++) {
        fields[0] = fields[1] = fields[2] = step_i64(hostile[i].bytes, 1);
        expect_keys_back(fields, 3);
        const stepi_line_t line = line_with(fields, 3);
        check_small_buffers(format, &line);
    }
}

static void many_and_long(void **state)
{
    (void)state;
    static step_field_t many[MANY];
    static const char *const same[] = { "a b", "", "ts", "a_1" };
    for (size_t i = 0; i < MANY; i++)
        many[i] = step_i64(same[i % 4], 1);
    read_fields(many, MANY);
    assert_string_equal(object.members[OWN_MEMBERS + MANY - 4].name.bytes, "a\\u0020b_4999");
    assert_string_equal(object.members[OWN_MEMBERS + MANY - 3].name.bytes, "\\_4999");
    assert_string_equal(object.members[OWN_MEMBERS + MANY - 2].name.bytes, "ts_5000");
    static char key[65000];
    memset(key, '\\', sizeof(key) - 1);
    many[0] = many[1] = step_i64(key, 1);
    read_fields(many, 2);
    assert_int_equal(object.members[OWN_MEMBERS].name.length, 2 * strlen(key));
    assert_int_equal(object.members[OWN_MEMBERS + 1].name.length, 2 * strlen(key) + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes),        cmocka_unit_test(renamed),     cmocka_unit_test(empty_keys),
        cmocka_unit_test(reserved_names), cmocka_unit_test(cut_keys),    cmocka_unit_test(random_keys),
        cmocka_unit_test(hostile_keys),   cmocka_unit_test(many_and_long),
    };
    return cmocka_run_group_tests(tests, make_format, free_format);
}
