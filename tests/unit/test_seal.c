/* The checksum of records: no bit of a record can change without it, and it is never 0. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "record/record.h"
#include "record/seal.h"

#include <stdlib.h>

enum { LARGEST = 64 * 1024, DENSE_MAX = 1024 };

static uint64_t state = 1;

static uint64_t roll(void)
{
    state += 0x9E3779B97F4A7C15u;
    uint64_t z = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

typedef enum content { ZEROS, ONES, ANY, CONTENTS } content_t;

static void fill(uint8_t *bytes, size_t n, content_t content)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = content == ZEROS ? 0 : content == ONES ? 0xFF : (uint8_t)roll();
}

/* Every `step`th bit behind the checksum, which is itself no part of the sum. */
static void flip_bits(uint8_t *bytes, size_t n, size_t step)
{
    stepi_record_seal(bytes, n);
    assert_true(stepi_record_is_whole(bytes, n));
    for (size_t bit = 32; bit < n * 8; bit += step) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (stepi_record_is_whole(bytes, n))
            fail_msg("bit %zu of %zu bytes may be flipped", bit, n);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(stepi_record_is_whole(bytes, n));
}

static void every_bit_counts(void **test_state)
{
    uint8_t *bytes = aligned_alloc(16, LARGEST);
    (void)test_state;
    assert_non_null(bytes);
    for (content_t content = ZEROS; content < CONTENTS; content++) {
        for (size_t n = STEPI_RECORD_MIN; n <= DENSE_MAX; n += 8) {
            fill(bytes, n, content);
            flip_bits(bytes, n, n < 256 ? 1 : 5);
        }
        for (size_t n = 2 * DENSE_MAX; n <= LARGEST; n *= 2) {
            fill(bytes, n, content);
            flip_bits(bytes, n, 2 * n / 64 + 1);
        }
    }
    free(bytes);
}

/* The sum depends on the length: the beginning of a whole record is none, nor is a record with zeros behind it. */
static void the_length_counts(void **test_state)
{
    uint8_t bytes[512] = { 0 };
    (void)test_state;
    for (content_t content = ZEROS; content < CONTENTS; content++) {
        for (size_t n = STEPI_RECORD_MIN; n < 256; n += 8) {
            memset(bytes, 0, sizeof(bytes));
            fill(bytes, n, content);
            stepi_record_seal(bytes, n);
            for (size_t other = STEPI_RECORD_MIN; other <= sizeof(bytes); other += 8)
                assert_int_equal(stepi_record_is_whole(bytes, other), other == n);
        }
    }
}

static void the_order_counts(void **test_state)
{
    uint8_t bytes[256];
    (void)test_state;
    fill(bytes, sizeof(bytes), ANY);
    stepi_record_seal(bytes, sizeof(bytes));
    for (size_t a = 8; a < sizeof(bytes); a += 8) {
        for (size_t b = a + 8; b < sizeof(bytes); b += 8) {
            uint64_t first, second;
            memcpy(&first, bytes + a, 8);
            memcpy(&second, bytes + b, 8);
            memcpy(bytes + a, &second, 8);
            memcpy(bytes + b, &first, 8);
            assert_false(stepi_record_is_whole(bytes, sizeof(bytes)));
            memcpy(bytes + a, &first, 8);
            memcpy(bytes + b, &second, 8);
        }
    }
}

/* As when a process is killed in the middle of writing a record over an older one. */
static void a_mixture_of_two_is_none(void **test_state)
{
    uint8_t older[256], newer[256], mixed[256];
    (void)test_state;
    for (int round = 0; round < 200; round++) {
        fill(older, sizeof(older), round % 2 == 0 ? ANY : ZEROS);
        fill(newer, sizeof(newer), ANY);
        stepi_record_seal(older, sizeof(older));
        stepi_record_seal(newer, sizeof(newer));
        for (size_t at = 8; at < sizeof(mixed); at++) {
            memcpy(mixed, newer, at);
            memcpy(mixed + at, older + at, sizeof(mixed) - at);
            if (memcmp(mixed, newer, sizeof(mixed)) != 0)
                assert_false(stepi_record_is_whole(mixed, sizeof(mixed)));
        }
    }
}

static void it_is_never_zero(void **test_state)
{
    (void)test_state;
    assert_int_not_equal(stepi_seal_fold(0), 0);
    assert_int_not_equal(stepi_seal_fold(UINT32_MAX), 0); /* whose upper half is 0 */
    assert_int_not_equal(stepi_seal_fold(UINT64_C(1) << 32), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bit_counts), cmocka_unit_test(the_length_counts),
        cmocka_unit_test(the_order_counts), cmocka_unit_test(a_mixture_of_two_is_none),
        cmocka_unit_test(it_is_never_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
