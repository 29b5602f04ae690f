/* Rings and owners of a killed process, made by hand, damaged in every way: what is whole is read, each record once and in the order of
 * time; what is not is counted; nothing is read that was not written. */
#include "remains_support.h"

/* ---- Rings ---- */

static void a_ring_is_read_from_where_the_reader_was(void **state)
{
    static ring_image_t ring;
    uint64_t damaged;
    (void)state;
    for (uint64_t begin = 0; begin < 3 * DATA; begin += 8 * 37) {
        for (uint64_t written = 0; written < 3 * DATA; written += 8 * 61) {
            make_ring(&ring, begin, written);
            assert_int_equal(read_ring(ring.bytes, RING, &damaged), ring.end - ring.first);
            assert_int_equal(damaged, 0);
        }
    }
}

/* What a flipped bit of the shared page may cost: nobody knows what the ring was like. */
static bool is_in_head(size_t bit)
{
    return bit < 8 * (size_t)STEPI_RING_DATA;
}

static void a_flipped_bit_of_a_ring_costs_one_record(void **state)
{
    static ring_image_t ring;
    uint64_t damaged;
    (void)state;
    make_ring(&ring, 8, 2 * DATA);
    const size_t all = ring.end - ring.first;
    for (size_t bit = 0; bit < 8 * (size_t)RING; bit += SLOWER) {
        ring.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        const size_t found = read_ring(ring.bytes, RING, &damaged);
        ring.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_true(found <= all + 1); /* `read` may lie behind what had been taken */
        if (!is_in_head(bit)) {
            assert_in_range(found, all - 1, all);
            assert_true(damaged > 0 || found == all); /* a mark that sends the reader to the beginning costs none */
        }
    }
}

static void a_ring_that_was_cut_off_is_read_up_to_there(void **state)
{
    static ring_image_t ring;
    uint64_t damaged;
    (void)state;
    make_ring(&ring, 8, 2 * DATA);
    for (size_t size = 0; size <= RING; size += size < 64 ? 1 : SLOWER) {
        size_t whole = 0;
        for (uint64_t seq = ring.first; seq < ring.end; seq++)
            whole += STEPI_RING_DATA + ring.at[seq % RECORDS_MAX] % DATA + bytes_of(seq) <= size;
        assert_int_equal(read_ring(ring.bytes, size, &damaged), whole);
        if (size >= 16) /* less has nothing in it */
            assert_true(damaged > 0 || whole == ring.end - ring.first);
    }
}

/* Every member of the shared page, with values that mean harm, alone and together. */
static void hostile_heads_of_rings(void **state)
{
    static const size_t members[] = { SHARED(bytes), SHARED(identity), SHARED(tid),
                                      SHARED(head),  SHARED(tail),     SHARED(read) };
    static const uint64_t values[] = {
        0,          1,          7,          8,          24,         DATA,       DATA * 2,
        UINT32_MAX, 1ull << 30, 1ull << 31, 1ull << 63, UINT64_MAX, 1ull << 62, UINT64_MAX - 7,
        40,         DATA - 8,   DATA / 2,   16
    };
    static ring_image_t ring;
    uint64_t damaged;
    dice_t dice = { .state = 3 };
    (void)state;
    for (int round = 0; round < 100000 / SLOWER; round++) {
        if (round % 64 == 0)
            make_ring(&ring, 8 * roll_below(&dice, 1000), roll_below(&dice, 3 * DATA));
        uint8_t page[SHARED(read) + 8];
        memcpy(page, ring.bytes, sizeof(page));
        for (uint64_t changes = 1 + roll_below(&dice, 3); changes > 0; changes--)
            put_64(ring.bytes + members[roll_below(&dice, COUNT(members))], values[roll_below(&dice, COUNT(values))]);
        read_ring(ring.bytes, roll_below(&dice, 8) == 0 ? STEPI_RING_DATA + 8 * roll_below(&dice, DATA / 8) : RING,
                  &damaged);
        memcpy(ring.bytes, page, sizeof(page));
    }
}

static void other_marks_are_damage(void **state)
{
    static ring_image_t ring;
    uint64_t damaged;
    (void)state;
    make_ring(&ring, 0, DATA);
    put_64(ring.bytes, STEPI_MARK_STORE);
    assert_int_equal(read_ring(ring.bytes, RING, &damaged), 0);
    assert_int_equal(damaged, RING);
    put_64(ring.bytes, 0);
    put_64(ring.bytes + 8, 0); /* its process was killed before it had made it a ring */
    assert_int_equal(read_ring(ring.bytes, RING, &damaged), 0);
    assert_int_equal(damaged, 0);
}

/* ---- The owner ---- */

static void only_our_owners_are_read(void **state)
{
    stepi_owner_t owner = owner_of(5);
    stepi_remains_t remains;
    (void)state;
    for (size_t size = 0; size < sizeof(owner); size += 7)
        assert_int_equal(stepi_remains_begin(&remains, (const uint8_t *)&owner, size), STEPI_REMAINS_UNREADABLE);
    owner.mark[1] = STEPI_MARK_FORM + (UINT64_C(1) << 32);
    assert_int_equal(stepi_remains_begin(&remains, (const uint8_t *)&owner, sizeof(owner)), STEPI_REMAINS_FOREIGN);
    owner.mark[0] = __builtin_bswap64(STEPI_MARK_OWNER);
    owner.mark[1] = __builtin_bswap64(STEPI_MARK_FORM);
    assert_int_equal(stepi_remains_begin(&remains, (const uint8_t *)&owner, sizeof(owner)), STEPI_REMAINS_FOREIGN);
    owner.mark[0] = STEPI_MARK_RING;
    assert_int_equal(stepi_remains_begin(&remains, (const uint8_t *)&owner, sizeof(owner)), STEPI_REMAINS_UNREADABLE);
}

static void a_flipped_bit_of_the_owner_does_no_harm(void **state)
{
    static ring_image_t ring;
    (void)state;
    make_ring(&ring, 8, 2 * DATA);
    for (size_t bit = 0; bit < 8 * sizeof(stepi_owner_t); bit++) {
        stepi_owner_t owner = owner_of(100);
        ((uint8_t *)&owner)[bit / 8] ^= (uint8_t)(1u << bit % 8);
        stepi_remains_t remains;
        if (stepi_remains_begin(&remains, (const uint8_t *)&owner, sizeof(owner)) != STEPI_REMAINS_GOOD)
            continue;
        assert_true(remains.owner.outputs <= STEPI_CRASH_OUTPUTS);
        stepi_remains_ring(&remains, ring.bytes, RING);
        stepi_remains_sort(&remains);
        assert_int_equal(remains.count, ring.end - ring.first);
        stepi_remains_free(&remains);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ring_is_read_from_where_the_reader_was),
        cmocka_unit_test(a_flipped_bit_of_a_ring_costs_one_record),
        cmocka_unit_test(a_ring_that_was_cut_off_is_read_up_to_there),
        cmocka_unit_test(hostile_heads_of_rings),
        cmocka_unit_test(other_marks_are_damage),
        cmocka_unit_test(only_our_owners_are_read),
        cmocka_unit_test(a_flipped_bit_of_the_owner_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
