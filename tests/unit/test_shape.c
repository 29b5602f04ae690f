/* record/shape.h: what a call site's fields look like is learned once, and a record with a shape says the same as one that
 * brings its keys along. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "record/record.h"
#include "record/shape.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As a macro makes it from a literal key: with a number of its own. */
static step_field_t literal(step_field_t field, uint32_t number)
{
    field.type |= number << 8;
    return field;
}

static const stepi_shape_t *learn(const step_field_t *fields, size_t count)
{
    step_site_t site = { .file = "a.c", .line = 1 };
    stepi_shape_learn(&site, fields, count);
    assert_int_equal(site.state[0] != 0, site.state[2] != 0);
    return stepi_shape_of_site(&site);
}

static void a_site_learns_its_keys_and_types(void **state)
{
    (void)state;
    char key[] = "rows";
    const step_field_t fields[] = { literal((step_i64)(key, -1), 1), literal((step_str)("who", "me"), 2),
                                    literal((step_fixed)("rate", 1.5, 3), 3) };
    step_site_t site = { .file = "a.c", .line = 1 };
    stepi_shape_learn(&site, fields, 3);
    assert_int_equal(site.state[0], fields[0].type | (uint64_t)fields[1].type << 32);
    assert_int_equal(site.state[1], fields[2].type);
    memset(key, 'x', 4); /* a plugin is unloaded */
    const stepi_shape_t *shape = stepi_shape_of_site(&site);
    assert_true(stepi_shape_is_ours(shape));
    assert_ptr_equal(stepi_shape_find(shape->number), shape);
    assert_int_equal(shape->count, 3);
    assert_int_equal(shape->texts, 2);
    assert_string_equal(shape->keys[0], "rows");
    assert_string_equal(shape->keys[1], "who");
    assert_string_equal(shape->keys[2], "rate");
    assert_int_equal(shape->decimals[2], 3);
}

static void equal_shapes_are_kept_once(void **state)
{
    (void)state;
    const step_field_t one[] = { literal((step_i64)("a", 1), 1), literal((step_u64)("b", 1), 2) };
    const step_field_t same[] = { literal((step_i64)("a", 2), 7), literal((step_u64)("b", 3), 8) };
    const step_field_t other_type[] = { literal((step_i64)("a", 1), 1), literal((step_i64)("b", 1), 2) };
    const step_field_t other_key[] = { literal((step_i64)("a", 1), 1), literal((step_u64)("c", 1), 2) };
    const step_field_t decimals[] = { literal((step_fixed)("a", 1, 1), 1), literal((step_fixed)("a", 1, 2), 1) };
    const stepi_shape_t *shape = learn(one, 2);
    assert_non_null(shape);
    assert_ptr_equal(learn(same, 2), shape);
    assert_ptr_not_equal(learn(one, 1), shape);
    assert_ptr_not_equal(learn(other_type, 2), shape);
    assert_ptr_not_equal(learn(other_key, 2), shape);
    assert_ptr_not_equal(learn(&decimals[0], 1), learn(&decimals[1], 1));
}

static void what_may_change_is_not_learned(void **state)
{
    (void)state;
    char *long_key = calloc(1, 2000);
    assert_non_null(long_key);
    memset(long_key, 'k', 1999);
    const step_field_t five[5] = { literal((step_i64)("a", 1), 1), literal((step_i64)("a", 1), 2),
                                   literal((step_i64)("a", 1), 3), literal((step_i64)("a", 1), 4),
                                   literal((step_i64)("a", 1), 5) };
    const step_field_t runtime_key = (step_i64)("a", 1), counted = literal(step_strn("a", "b", 1), 1);
    const step_field_t null_key = (step_i64)(NULL, 1), null_literal = literal((step_str)(NULL, "x"), 1);
    const step_field_t too_long = literal((step_i64)(long_key, 1), 1);
    assert_null(learn(five, 5));
    assert_non_null(learn(five, 4));
    assert_null(learn(five, 0));
    assert_null(learn(five, SIZE_MAX));
    assert_null(learn(NULL, 0));
    assert_null(learn(NULL, 2));
    assert_null(learn(&runtime_key, 1));
    assert_null(learn(&counted, 1));
    assert_null(learn(&null_key, 1));
    assert_null(learn(&null_literal, 1));
    assert_null(learn(&too_long, 1));
    stepi_shape_learn(NULL, five, 4);
    free(long_key);
}

static void fields_come_back_as_they_were_given(void **state)
{
    (void)state;
    const step_field_t given[] = { literal((step_str)("text", "hello"), 1), literal((step_percent)("share", 2.5), 2),
                                   literal((step_fixed)("rate", 0.25, 2), 3), literal((step_bool)("ok", true), 4) };
    const stepi_shape_t *shape = learn(given, 4);
    uint64_t values[STEPI_SHAPE_FIELDS];
    step_field_t back[STEPI_SHAPE_FIELDS];
    for (size_t i = 0; i < 4; i++)
        values[i] = given[i].value.u64;
    stepi_shape_fields(shape, values, back);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(back[i].key, given[i].key);
        assert_int_equal(back[i].type, given[i].type & 0xFF);
        assert_int_equal(back[i].value.u64, given[i].value.u64);
        assert_int_equal(back[i].bytes, given[i].bytes);
    }
}

/* ---- Places ---- */

static uint32_t place(const char *file, uint32_t line)
{
    step_site_t site = { .file = file, .line = line };
    const uint32_t number = stepi_shape_place(&site);
    assert_int_equal(stepi_shape_place(&site), number);
    assert_int_equal(site.state[0], 0); /* its fields are not known by that */
    return number;
}

static void places_are_kept_once_and_are_copies(void **state)
{
    (void)state;
    char file[] = "src/fetch.c";
    const uint32_t first = place(file, 42);
    assert_int_not_equal(first, 0);
    assert_int_equal(place(file, 42), first);
    assert_int_not_equal(place(file, 43), first);
    assert_int_not_equal(place("src/fetch.cc", 42), first);
    assert_int_not_equal(place("src/fetch.", 42), first);
    assert_int_not_equal(place("", 42), first);
    memset(file, 'x', sizeof(file) - 1); /* a plugin is unloaded */
    const stepi_shape_t *shape = stepi_shape_find(first);
    assert_string_equal(shape->file, "src/fetch.c");
    assert_int_equal(shape->file_bytes, 11);
    assert_int_equal(shape->line, 42);
    assert_int_equal(shape->count, 0);
    assert_int_equal(place(file, 42) == first, 0);
}

static void no_place(void **state)
{
    (void)state;
    const stepi_shape_t elsewhere = { .owner = "another copy of the library", .number = 7 };
    step_site_t strange = { .file = "a.c", .line = 1, .state = { 0, 0, (uintptr_t)&elsewhere } };
    assert_int_equal(stepi_shape_place(NULL), 0);
    assert_int_equal(place(NULL, 42), 0);
    assert_int_equal(stepi_shape_place(&strange), 0);
}

/* A site's place and its fields may be learned in any order; one shape knows both. */
static void places_and_fields(void **state)
{
    (void)state;
    const step_field_t field = literal((step_i64)("rows", 1), 1);
    step_site_t placed_first = { .file = "b.c", .line = 7 }, learned_first = placed_first, other_line = { "b.c", 8, 0, { 0 } };
    const uint32_t bare = stepi_shape_place(&placed_first);
    stepi_shape_learn(&placed_first, &field, 1);
    stepi_shape_learn(&learned_first, &field, 1);
    stepi_shape_learn(&other_line, &field, 1);
    const stepi_shape_t *shape = stepi_shape_of_site(&learned_first);
    assert_ptr_equal(stepi_shape_of_site(&placed_first), shape);
    assert_ptr_not_equal(stepi_shape_of_site(&other_line), shape);
    assert_int_not_equal(shape->number, bare);
    assert_int_equal(stepi_shape_place(&placed_first), shape->number);
    assert_int_equal(stepi_shape_place(&learned_first), shape->number);
    assert_string_equal(shape->file, "b.c");
    assert_int_equal(shape->line, 7);
    assert_int_equal(shape->count, 1);
    assert_ptr_equal(stepi_shape_find(bare)->file, shape->file); /* kept once */
}

static void long_files(void **state)
{
    (void)state;
    char *file = calloc(1, 10000);
    assert_non_null(file);
    memset(file, 'd', 9999);
    const stepi_shape_t *shape = stepi_shape_find(place(file, 1));
    assert_non_null(shape);
    assert_int_equal(shape->file_bytes, 4096);
    assert_int_equal(strlen(shape->file), 4096);
    free(file);
}

static void a_record_with_a_place(void **state)
{
    (void)state;
    _Alignas(stepi_record_t) uint8_t record[256];
    stepi_decoded_t decoded;
    stepi_draft_t draft = { .kind = STEPI_MESSAGE, .parts = STEPI_PART_TEXT | STEPI_PART_PLACE, .text = stepi_text_of("m") };
    draft.place = place("c.c", 9);
    size_t bytes = stepi_record_encode(&draft, record, sizeof(record), sizeof(record));
    assert_true(stepi_record_decode(record, bytes, &decoded));
    assert_ptr_equal(decoded.line.place, stepi_shape_find(draft.place));
    assert_memory_equal(decoded.line.text.bytes, "m", 1);
    draft.place = UINT32_MAX;
    bytes = stepi_record_encode(&draft, record, sizeof(record), sizeof(record));
    assert_true(stepi_record_decode(record, bytes, &decoded));
    assert_null(decoded.line.place);
    ((stepi_record_t *)(void *)record)->bytes = sizeof(stepi_record_t); /* it ends before its place does */
    assert_false(stepi_record_decode(record, sizeof(stepi_record_t), &decoded));
    draft.parts = STEPI_PART_TEXT;
    bytes = stepi_record_encode(&draft, record, sizeof(record), sizeof(record));
    memset(&decoded, 0xFF, sizeof(decoded));
    assert_true(stepi_record_decode(record, bytes, &decoded));
    assert_null(decoded.line.place);
}

/* ---- Records with a shape: header, shape's number, values, texts ---- */

typedef struct shaped {
    stepi_record_t header;
    uint32_t number, zero;
    uint64_t values[3];
    char texts[16];
} shaped_t;

static shaped_t make_shaped(const stepi_shape_t *shape)
{
    shaped_t record = { .header = { .bytes = sizeof(record),
                                    .kind = STEPI_MESSAGE,
                                    .level = STEP_LEVEL_INFO,
                                    .parts = STEPI_PART_SHAPE,
                                    .fields = 3 },
                        .number = shape->number,
                        .values = { 42, 5, STEPI_TEXT_NULL } };
    memcpy(record.texts, "hello", 5);
    return record;
}

static const stepi_shape_t *number_and_two_texts(void)
{
    const step_field_t fields[] = { literal((step_u64)("n", 1), 1), literal((step_str)("one", ""), 2),
                                    literal((step_str)("two", ""), 3) };
    return learn(fields, 3);
}

static bool decode(const shaped_t *record, size_t bytes, stepi_decoded_t *decoded)
{
    uint8_t *exact = malloc(bytes); /* a byte read behind it is noticed */
    assert_non_null(exact);
    memcpy(exact, record, bytes);
    const bool good = stepi_record_decode(exact, bytes, decoded);
    stepi_field_view_t field;
    size_t sum = 0;
    while (good && stepi_fields_next(&decoded->line.fields, &field))
        for (uint32_t i = 0; i < field.text.length; i++)
            sum += (unsigned char)field.text.bytes[i];
    assert_true(sum < SIZE_MAX);
    free(exact);
    return good;
}

static void a_record_with_a_shape_reads_as_any_other(void **state)
{
    (void)state;
    const shaped_t record = make_shaped(number_and_two_texts());
    stepi_decoded_t decoded;
    stepi_field_view_t field;
    assert_true(stepi_record_decode((const uint8_t *)&record, sizeof(record), &decoded));
    assert_true(stepi_fields_next(&decoded.line.fields, &field));
    assert_memory_equal(field.key.bytes, "n", 1);
    assert_int_equal(field.type, STEP_FIELD_U64);
    assert_int_equal(field.number.u64, 42);
    assert_true(stepi_fields_next(&decoded.line.fields, &field));
    assert_int_equal(field.key.length, 3);
    assert_int_equal(field.type, STEP_FIELD_TEXT);
    assert_int_equal(field.text.length, 5);
    assert_memory_equal(field.text.bytes, "hello", 5);
    assert_true(stepi_fields_next(&decoded.line.fields, &field));
    assert_memory_equal(field.key.bytes, "two", 3);
    assert_null(field.text.bytes);
    assert_false(stepi_fields_next(&decoded.line.fields, &field));
}

static void damaged_ones_are_refused_or_end_early(void **state)
{
    (void)state;
    const stepi_shape_t *shape = number_and_two_texts();
    stepi_decoded_t decoded;
    shaped_t record = make_shaped(shape);
    assert_true(decode(&record, sizeof(record), &decoded));
    for (size_t bytes = 0; bytes < sizeof(record); bytes++)
        assert_false(decode(&record, bytes, &decoded));
    for (uint32_t bytes = sizeof(stepi_record_t); bytes < sizeof(record); bytes += 8) {
        record.header.bytes = bytes; /* it ends before its fields do */
        decode(&record, bytes, &decoded);
    }
    record = make_shaped(shape);
    record.number = 0;
    assert_false(decode(&record, sizeof(record), &decoded));
    record.number = UINT32_MAX;
    assert_false(decode(&record, sizeof(record), &decoded));
    record = make_shaped(shape);
    record.header.fields = 2;
    assert_false(decode(&record, sizeof(record), &decoded));
    const uint64_t lengths[] = { 17, UINT32_MAX, UINT64_MAX, UINT64_C(1) << 32, STEPI_TEXT_NULL - 1 };
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        record = make_shaped(shape);
        record.values[1] = lengths[i];
        stepi_field_view_t field;
        assert_true(stepi_record_decode((const uint8_t *)&record, sizeof(record), &decoded));
        assert_true(stepi_fields_next(&decoded.line.fields, &field));
        assert_false(stepi_fields_next(&decoded.line.fields, &field));
        assert_false(stepi_fields_next(&decoded.line.fields, &field));
    }
}

/* ---- Many of them, from many threads ---- */

enum { THREADS = 4, SHAPES = 6000 };

static void *learn_many(void *argument)
{
    uint32_t *numbers = argument;
    for (uint32_t i = 0; i < SHAPES; i++) {
        char key[32];
        snprintf(key, sizeof(key), "key%u", i);
        const step_field_t field = literal((step_i64)(key, 1), 1);
        step_site_t site = { .file = "a.c", .line = 1 };
        while (site.state[0] == 0) /* another thread was at it */
            stepi_shape_learn(&site, &field, 1);
        const stepi_shape_t *shape = stepi_shape_of_site(&site);
        if (strcmp(shape->keys[0], key) == 0)
            numbers[i] = shape->number;
    }
    return NULL;
}

static void threads_agree(void **state)
{
    (void)state;
    static uint32_t numbers[THREADS][SHAPES];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, learn_many, numbers[i]), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int k = 0; k < SHAPES; k++) {
        assert_int_not_equal(numbers[0][k], 0);
        for (int i = 1; i < THREADS; i++)
            assert_int_equal(numbers[i][k], numbers[0][k]);
    }
}

static void there_is_an_end_to_it(void **state)
{
    (void)state;
    size_t learned = 0;
    for (uint32_t i = 0; i < 20000; i++) {
        char key[32];
        snprintf(key, sizeof(key), "more%u", i);
        const step_field_t field = literal((step_i64)(key, 1), 1);
        learned += learn(&field, 1) != NULL;
    }
    assert_in_range(learned, 1000, 16384);
    const step_field_t known = literal((step_i64)("more1", 1), 1);
    assert_non_null(learn(&known, 1));
    assert_null(stepi_shape_find(16384));
    assert_non_null(stepi_shape_find(16383));
    step_site_t late = { .file = "late.c", .line = 1 };
    assert_int_equal(stepi_shape_place(&late), 0);
    assert_int_not_equal(late.state[2], 0); /* and is not asked again */
    assert_int_equal(stepi_shape_place(&late), 0);
    assert_int_not_equal(place("c.c", 9), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_site_learns_its_keys_and_types),
        cmocka_unit_test(equal_shapes_are_kept_once),
        cmocka_unit_test(what_may_change_is_not_learned),
        cmocka_unit_test(fields_come_back_as_they_were_given),
        cmocka_unit_test(a_record_with_a_shape_reads_as_any_other),
        cmocka_unit_test(damaged_ones_are_refused_or_end_early),
        cmocka_unit_test(places_are_kept_once_and_are_copies),
        cmocka_unit_test(no_place),
        cmocka_unit_test(places_and_fields),
        cmocka_unit_test(long_files),
        cmocka_unit_test(a_record_with_a_place),
        cmocka_unit_test(threads_agree),
        cmocka_unit_test(there_is_an_end_to_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
