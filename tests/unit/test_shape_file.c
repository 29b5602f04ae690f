/* Shapes in a file: what was stored reads back; cut off or damaged anywhere, the rest does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "record/seal.h"
#include "record/shape_file.h"

#include <stdlib.h>

enum { SHAPES = 12, BYTES_MAX = 8192 };

/* A file of so many shapes; shape i has i % 5 fields, and no place where i % 3 is 0. */
typedef struct stored {
    stepi_shape_t shapes[SHAPES];
    size_t at[SHAPES + 1]; /* where each begins */
    uint8_t bytes[BYTES_MAX];
} stored_t;

static stepi_shape_t shape_number(uint32_t i)
{
    static const char *const keys[] = { "count", "", "a longer key, with ❄", "k" };
    stepi_shape_t shape = {
        .number = 100 + i, .line = 7 * i, .count = (uint8_t)(i % 5), .texts = (uint8_t)(i % 5 > 1 ? 2 : 0)
    };
    shape.file = i % 3 != 0 ? "src/fetch.c" : NULL;
    shape.file_bytes = i % 3 != 0 ? 11 : 0;
    for (uint32_t k = 0; k < shape.count; k++) {
        shape.keys[k] = keys[k];
        shape.key_bytes[k] = (uint32_t)strlen(keys[k]);
        shape.types[k] = (uint8_t)(k == 1 ? STEP_FIELD_TEXT : k == 2 ? STEP_FIELD_FIXED : STEP_FIELD_I64);
        shape.decimals[k] = (uint8_t)(k == 2 ? 3 : 0);
    }
    return shape;
}

static void store(stored_t *stored)
{
    memset(stored, 0, sizeof(*stored));
    for (uint32_t i = 0; i < SHAPES; i++) {
        stored->shapes[i] = shape_number(i);
        stored->at[i + 1] = stored->at[i] + stepi_shape_store(&stored->shapes[i], stored->bytes + stored->at[i]);
        assert_int_equal(stored->at[i + 1] % 8, 0);
    }
}

static bool is_same(const stepi_shape_t *a, const stepi_shape_t *b)
{
    if (a->line != b->line || a->count != b->count || a->texts != b->texts || a->file_bytes != b->file_bytes ||
        (a->file == NULL) != (b->file == NULL) || (a->file != NULL && strcmp(a->file, b->file) != 0))
        return false;
    for (int i = 0; i < a->count; i++)
        if (a->types[i] != b->types[i] || a->decimals[i] != b->decimals[i] || a->key_bytes[i] != b->key_bytes[i] ||
            strcmp(a->keys[i], b->keys[i]) != 0)
            return false;
    return true;
}

/* Loads a copy of exactly that size, so that a sanitizer sees what is read beyond it. Returns how many shapes are there; none is another
 * than was stored. */
static int load(const stored_t *stored, const uint8_t *bytes, size_t size, uint64_t *damaged)
{
    stepi_shapes_t shapes;
    int found = 0;
    uint8_t *copy = malloc(size > 0 ? size : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    *damaged = 0;
    assert_true(stepi_shapes_load(&shapes, copy, size, damaged));
    for (uint32_t i = 0; i < STEPI_SHAPES_MAX; i++) {
        const stepi_shape_t *shape = stepi_shapes_find(&shapes, i);
        if (shape == NULL)
            continue;
        assert_in_range(i, 100, 100 + SHAPES - 1);
        assert_true(is_same(shape, &stored->shapes[i - 100]));
        found++;
    }
    assert_null(stepi_shapes_find(&shapes, STEPI_SHAPES_MAX));
    assert_null(stepi_shapes_find(&shapes, UINT32_MAX));
    stepi_shapes_free(&shapes);
    free(copy);
    return found;
}

static void what_was_stored_reads_back(void **state)
{
    stored_t stored;
    uint64_t damaged;
    (void)state;
    store(&stored);
    assert_int_equal(load(&stored, stored.bytes, stored.at[SHAPES], &damaged), SHAPES);
    assert_int_equal(damaged, 0);
    assert_int_equal(load(&stored, stored.bytes, 0, &damaged), 0);
    assert_int_equal(damaged, 0);
}

static void cut_off_anywhere_the_first_are_there(void **state)
{
    stored_t stored;
    uint64_t damaged;
    (void)state;
    store(&stored);
    int whole = 0;
    for (size_t size = 0; size <= stored.at[SHAPES]; size++) {
        while (whole < SHAPES && stored.at[whole + 1] <= size)
            whole++;
        assert_int_equal(load(&stored, stored.bytes, size, &damaged), whole);
        assert_int_equal(damaged, size - stored.at[whole]);
    }
}

static void a_flipped_bit_costs_one_shape(void **state)
{
    stored_t stored;
    uint64_t damaged;
    (void)state;
    store(&stored);
    for (size_t bit = 0; bit < stored.at[SHAPES] * 8; bit += 3) {
        stored.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(load(&stored, stored.bytes, stored.at[SHAPES], &damaged), SHAPES - 1);
        assert_true(damaged > 0);
        stored.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* A number that is given twice: the later one counts. */
static void the_last_one_of_a_number_counts(void **state)
{
    stored_t stored;
    uint64_t damaged = 0;
    stepi_shapes_t shapes;
    (void)state;
    store(&stored);
    stepi_shape_t other = shape_number(4);
    other.number = 101;
    const size_t n = stepi_shape_store(&other, stored.bytes + stored.at[SHAPES]);
    assert_true(stepi_shapes_load(&shapes, stored.bytes, stored.at[SHAPES] + n, &damaged));
    assert_true(is_same(stepi_shapes_find(&shapes, 101), &other));
    stepi_shapes_free(&shapes);
}

/* Whole by its sum, and yet not to be believed. */
static void reseal_with(stored_t *stored, size_t at, uint32_t value)
{
    uint32_t bytes;
    store(stored);
    memcpy(&bytes, stored->bytes, sizeof(bytes));
    memcpy(stored->bytes + at, &value, sizeof(value));
    stepi_record_seal(stored->bytes, bytes);
}

static void hostile_members_are_refused(void **state)
{
    stored_t stored;
    uint64_t damaged;
    (void)state;
    for (size_t at = 8; at < 48; at += 4) { /* number, line, counts, types, decimals, lengths */
        static const uint32_t values[] = { 5, 0xFF, 0xFFFF, 0x7FFFFFFF, UINT32_MAX };
        for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
            stepi_shapes_t shapes;
            damaged = 0;
            reseal_with(&stored, at, values[v]);
            assert_true(stepi_shapes_load(&shapes, stored.bytes, stored.at[SHAPES], &damaged));
            for (uint32_t i = 0; i < STEPI_SHAPES_MAX; i++) {
                const stepi_shape_t *shape = stepi_shapes_find(&shapes, i);
                if (shape == NULL)
                    continue;
                assert_true(shape->count <= STEPI_SHAPE_FIELDS);
                for (int k = 0; k < shape->count; k++)
                    assert_int_equal(strlen(shape->keys[k]), shape->key_bytes[k]);
            }
            stepi_shapes_free(&shapes);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_stored_reads_back),    cmocka_unit_test(cut_off_anywhere_the_first_are_there),
        cmocka_unit_test(a_flipped_bit_costs_one_shape), cmocka_unit_test(the_last_one_of_a_number_counts),
        cmocka_unit_test(hostile_members_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
