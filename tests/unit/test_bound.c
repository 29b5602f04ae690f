/* Lists of bound fields: joining, keys that come again, limits. */
#include "record/bound.h"
#include "record/record.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* "a=1 b=x ", with *** for secrets. */
static const char *shown(const stepi_bound_t *list)
{
    static char text[16384];
    stepi_fields_t fields = stepi_bound_fields(list);
    stepi_field_view_t field;
    size_t used = 0;
    text[0] = '\0';
    while (stepi_fields_next(&fields, &field)) {
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%.*s=", (int)field.key.length, field.key.bytes);
        if (field.type == STEP_FIELD_TEXT)
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%.*s ", field.text.bytes != NULL ? (int)field.text.length : 4,
                                     field.text.bytes != NULL ? field.text.bytes : "null");
        else
            used += (size_t)snprintf(text + used, sizeof(text) - used, field.type == STEP_FIELD_SECRET ? "*** " : "%lld ",
                                     (long long)field.number.i64);
    }
    return text;
}

static stepi_bound_t *list_of(const char *first, int64_t value, const char *second, const char *text)
{
    const step_field_t fields[] = { step_i64(first, value), step_str(second, text) };
    stepi_bound_t *list = stepi_bound_new(fields, 2, NULL);
    assert_non_null(list);
    return list;
}

static void made(void **state)
{
    (void)state;
    const step_field_t fields[] = { step_i64("a", 1), step_str("b", "x"), step_i64("a", 2), step_str(NULL, NULL),
                                    step_i64("null", 3), step_secret("pin", "1234") };
    stepi_bound_t *list = stepi_bound_new(fields, 6, NULL);
    assert_string_equal(shown(list), "b=x a=2 null=3 pin=*** ");
    assert_int_equal(list->count, 4);
    free(list);
    list = stepi_bound_new(fields, 2, "A");
    assert_string_equal(shown(list), "a=*** b=x ");
    free(list);
    list = stepi_bound_new(NULL, 0, NULL);
    assert_string_equal(shown(list), "");
    free(list);
    assert_string_equal(shown(NULL), "");
}

static void joined(void **state)
{
    (void)state;
    stepi_bound_t *one = list_of("a", 1, "b", "x"), *two = list_of("b", 2, "c", "y");
    stepi_bound_t *list = stepi_bound_join(one, two, STEPI_FIRST_WINS);
    assert_string_equal(shown(list), "a=1 b=x c=y ");
    free(list);
    list = stepi_bound_join(one, two, STEPI_SECOND_WINS);
    assert_string_equal(shown(list), "a=1 b=2 c=y ");
    free(list);
    list = stepi_bound_join(one, NULL, STEPI_SECOND_WINS);
    assert_string_equal(shown(list), "a=1 b=x ");
    free(list);
    list = stepi_bound_join(NULL, two, STEPI_FIRST_WINS);
    assert_string_equal(shown(list), "b=2 c=y ");
    free(list);
    list = stepi_bound_join(NULL, NULL, STEPI_FIRST_WINS);
    assert_string_equal(shown(list), "");
    assert_int_equal(list->count, 0);
    free(list);
    free(one);
    free(two);
}

static void copied(void **state)
{
    (void)state;
    stepi_bound_t *one = list_of("a", 1, "b", "x");
    const stepi_fields_t fields = stepi_bound_fields(one);
    stepi_bound_t *copy = stepi_bound_copy(&fields);
    free(one);
    assert_string_equal(shown(copy), "a=1 b=x ");
    free(copy);
}

static void limits(void **state)
{
    enum { FIELDS = 100 };
    step_field_t fields[FIELDS];
    char keys[FIELDS][8], text[2001];
    (void)state;
    memset(text, 'x', 2000);
    text[2000] = '\0';
    for (int i = 0; i < FIELDS; i++) {
        snprintf(keys[i], sizeof(keys[i]), "k%d", i);
        fields[i] = step_str(keys[i], text + 2000 - 32);
    }
    stepi_bound_t *list = stepi_bound_new(fields, 90, NULL);
    assert_int_equal(list->count, 90);
    free(list);
    errno = 0;
    assert_null(stepi_bound_new(fields, FIELDS, NULL));
    assert_int_equal(errno, E2BIG);
    fields[0] = step_str("long", text); /* is cut, and says so */
    list = stepi_bound_new(fields, 1, NULL);
    stepi_fields_t left = stepi_bound_fields(list);
    stepi_field_view_t field;
    assert_true(stepi_fields_next(&left, &field));
    assert_int_equal(field.text.length, 1024);
    assert_int_equal(field.text.original, 2000);
    free(list);
    fields[0] = step_i64(text, 1); /* a key, too */
    list = stepi_bound_new(fields, 1, NULL);
    left = stepi_bound_fields(list);
    assert_true(stepi_fields_next(&left, &field));
    assert_int_equal(field.key.original, 2000);
    assert_int_equal(field.number.i64, 1);
    free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(made),
        cmocka_unit_test(joined),
        cmocka_unit_test(copied),
        cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
