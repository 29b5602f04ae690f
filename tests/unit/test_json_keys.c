/* Member names: never double, never lost, whatever the keys are. */
#include "format/keys.h"
#include "format_support.h"
#include "names_reader.h"

#include <time.h>

enum { OWN_MEMBERS = 8, KEYS_MAX = 65535 }; /* ts level event message depth pid tid seq */

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
    assert_true(read_json_line(scratch, (size_t)(out.at - scratch), &object));
    assert_int_equal(object.count, OWN_MEMBERS + count);
}

/* ---- The examples of the documentation ---- */

static void expect_names(const char *keys, const char *names)
{
    step_field_t fields[16];
    char copy[256], expected[256];
    size_t count = 0;
    snprintf(copy, sizeof(copy), "%s", keys);
    snprintf(expected, sizeof(expected), "%s", names);
    char *keys_left = copy, *names_left = expected;
    for (char *key; (key = strsep(&keys_left, " ")) != NULL;)
        fields[count++] = step_i64(key, 1);
    read_fields(fields, count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(object.members[OWN_MEMBERS + i].name.bytes, strsep(&names_left, " "));
    const stepi_line_t line = line_with(fields, count);
    check_small_buffers(format, &line);
}

static void documented(void **state)
{
    (void)state;
    expect_names("ts", "ts_1");
    expect_names("a a a", "a a_1 a_2");
    expect_names("a a a_1", "a a_1 a_1_1");
    expect_names("a_1 a a", "a_1 a a_2");
    expect_names("ts_1 ts", "ts_1_1 ts_1");
    expect_names("level_3_1", "level_3_1_1");
    expect_names("ts ts ts ts_2", "ts_1 ts_2 ts_3 ts_2_1");
    expect_names("ts_0 ts_01 ts_1x ts_ x_1 _1", "ts_0 ts_01 ts_1x ts_ x_1 _1");
    expect_names("ts_12345678901234567890123", "ts_12345678901234567890123_1");
    expect_names("a_1_1 a a_1 a", "a_1_1 a a_1_2 a_1");
    expect_names("count total done TS Ts", "count total done TS Ts");
}

static void empty_names(void **state)
{
    (void)state;
    const step_field_t fields[] = { step_i64("_1", 1), step_i64("", 1), step_i64("", 1), step_i64("_1", 1) };
    static const char *const expected[] = { "_1", "", "_2", "_1_1" };
    read_fields(fields, 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(object.members[OWN_MEMBERS + i].name.bytes, expected[i]);
}

/* Names are the same when they read the same, not when their bytes were. */
static void repaired_names(void **state)
{
    (void)state;
    const step_field_t fields[] = { step_i64("a\xFF", 1), step_i64("a\xFE\xFF", 1), step_i64("a\xEF\xBF\xBD", 1),
                                    step_i64("\n", 1), step_i64("\n", 1) };
    static const char *const expected[] = { "a\xEF\xBF\xBD", "a\xEF\xBF\xBD_1", "a\xEF\xBF\xBD_2", "\n", "\n_1" };
    read_fields(fields, 5);
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(object.members[OWN_MEMBERS + i].name.bytes, expected[i]);
}

/* Two spellings of a name would be two members: in names even a look-alike of the mark of cut text has one. */
static void names_have_one_spelling(void **state)
{
    (void)state;
    const step_field_t field = step_i64("k…[5 bytes]", 1);
    read_fields(&field, 1);
    assert_non_null(strstr(scratch, "\"k…[5 bytes]\":1"));
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

/* Names that only some lines have are ours in those, the user's in the others. */
static void names_of_some_lines(void **state)
{
    (void)state;
    const step_field_t fields[] = { step_i64("attempt", 1), step_i64("reason", 1), step_i64("errno", 1) };
    stepi_draft_t draft = { .kind = STEPI_STEP_SKIP,
                            .level = STEP_LEVEL_INFO,
                            .parts = STEPI_PART_STEP | STEPI_PART_TEXT | STEPI_PART_ATTEMPT,
                            .attempt = 2,
                            .error_number = 5,
                            .fields = fields,
                            .field_count = 3 };
    const stepi_line_t with = line_of(&draft);
    rendered_t r = render_line(format, &with);
    assert_non_null(strstr(r.bytes, ",\"attempt_1\":1,\"reason_1\":1,\"errno_1\":1}"));
    free(r.bytes);
    draft.kind = STEPI_STEP_START;
    draft.attempt = 1;
    draft.error_number = 0;
    const stepi_line_t without = line_of(&draft);
    r = render_line(format, &without);
    assert_non_null(strstr(r.bytes, ",\"attempt\":1,\"reason\":1,\"errno\":1}"));
    free(r.bytes);
}

/* ---- Read back ---- */

static void expect_keys_back(const step_field_t *fields, size_t count)
{
    char repaired[1024];
    read_fields(fields, count);
    for (size_t i = 0; i < count; i++) {
        const json_string_t expected = json_repaired(fields[i].key, strlen(fields[i].key), repaired);
        const json_string_t is = key_of_member(&object, OWN_MEMBERS + i);
        assert_int_equal(is.length, expected.length);
        assert_memory_equal(is.bytes, expected.bytes, expected.length);
        for (size_t k = 0; k < OWN_MEMBERS + i; k++)
            assert_false(object.members[k].name.length == object.members[OWN_MEMBERS + i].name.length &&
                         memcmp(object.members[k].name.bytes, object.members[OWN_MEMBERS + i].name.bytes,
                                object.members[k].name.length) == 0);
    }
}

static void random_keys(void **state)
{
    (void)state;
    static const char *const pieces[] = { "a", "ts", "level", "_1", "_2", "_1", "_", "1", "_0", "_10", "\xFF", "" };
    static char keys[12][64];
    step_field_t fields[12];
    for (unsigned i = 0; i < 100000; i++) {
        const size_t count = 1 + random_below(12);
        for (size_t k = 0; k < count; k++) {
            keys[k][0] = '\0';
            for (uint64_t left = random_below(4); left > 0; left--)
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

/* ---- Many and long ---- */

static step_field_t many[KEYS_MAX];

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void many_fields(void **state)
{
    (void)state;
    static char names[KEYS_MAX][8];
    const double start = seconds();
    for (size_t i = 0; i < KEYS_MAX; i++) {
        snprintf(names[i], sizeof(names[i]), "k%zu", i);
        many[i] = step_i64(names[i], 1);
    }
    read_fields(many, KEYS_MAX);
    for (size_t i = 0; i < KEYS_MAX; i++)
        assert_string_equal(object.members[OWN_MEMBERS + i].name.bytes, names[i]);
    static const char *const same[] = { "a", "ts", "ts_1", "a_1" };
    for (size_t i = 0; i < KEYS_MAX; i++)
        many[i] = step_i64(same[i % 4], 1);
    read_fields(many, KEYS_MAX);
    assert_string_equal(object.members[OWN_MEMBERS].name.bytes, "a");
    assert_string_equal(object.members[OWN_MEMBERS + KEYS_MAX - 3].name.bytes, "a_16383");
    assert_string_equal(object.members[OWN_MEMBERS + KEYS_MAX - 2].name.bytes, "ts_16384");
    assert_string_equal(object.members[OWN_MEMBERS + KEYS_MAX - 1].name.bytes, "ts_1_16384");
    assert_true(seconds() - start < 20);
}

static void long_keys(void **state)
{
    (void)state;
    static char key[65000];
    const double start = seconds();
    key[0] = 'k';
    for (size_t i = 1; i + 1 < sizeof(key); i++)
        key[i] = "_1"[(i + 1) % 2];
    for (size_t i = 0; i < 20; i++)
        many[i] = step_i64(key, 1);
    read_fields(many, 20);
    assert_int_equal(object.members[OWN_MEMBERS].name.length, strlen(key));
    assert_int_equal(object.members[OWN_MEMBERS + 19].name.length, strlen(key) + 3);
    assert_true(seconds() - start < 20);
}

static void without_memory(void **state)
{
    (void)state;
    char text[] = "a";
    static stepi_keys_t keys;
    assert_int_equal(stepi_keys_begin(&keys, 128), 128);
    assert_int_equal(stepi_keys_begin(&keys, (size_t)1 << 50), 128);
    stepi_out_t out = { .at = text + 1, .end = text + 1 };
    stepi_keys_claim(&keys, &out, 1);
    assert_false(out.overflow);
    stepi_keys_claim(&keys, &out, 1);
    assert_true(out.overflow);
    stepi_keys_claim(&keys, &out, 1); /* nothing more happens */
    stepi_keys_free(&keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documented),     cmocka_unit_test(empty_names),
        cmocka_unit_test(repaired_names), cmocka_unit_test(names_have_one_spelling),
        cmocka_unit_test(reserved_names), cmocka_unit_test(names_of_some_lines), cmocka_unit_test(random_keys),
        cmocka_unit_test(hostile_keys),   cmocka_unit_test(many_fields),
        cmocka_unit_test(long_keys),      cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, make_format, free_format);
}
