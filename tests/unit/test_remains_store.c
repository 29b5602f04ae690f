/* The store of a killed process, damaged in every way, and what of it is missing from which outputs. */
#include "remains_support.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- The store ---- */

enum { HELD = 20, NAMES = 40, FLIGHT = 2500, STORED = HELD + NAMES + FLIGHT };

typedef struct store_image {
    uint8_t *bytes;
    size_t size;
    size_t at[STORED]; /* each record's head */
} store_image_t;

static void locate(store_image_t *image)
{
    for (size_t at = 0; at + sizeof(stepi_kept_t) + STEPI_RECORD_MIN <= image->size; at += 8) {
        stepi_kept_t kept;
        memcpy(&kept, image->bytes + at, sizeof(kept));
        if (kept.bytes != 0 && kept.sum == stepi_kept_sum(&kept, kept.bytes))
            image->at[get_64(image->bytes + at + sizeof(kept) + offsetof(stepi_record_t, seq))] = at;
    }
}

/* Records 0 … are held, then come some with names, then those in flight, which have the numbers 0 … */
static store_image_t make_store(void)
{
    store_image_t image = { .bytes = NULL };
    uint8_t record[256];
    stepi_store_t store;
    struct stat status;
    const int fd = memfd_create("store", MFD_CLOEXEC), file = dup(fd);
    assert_true(stepi_store_open(&store, fd));
    for (uint64_t seq = 0; seq < STORED; seq++) {
        stepi_kept_as_t as = { .number = STEPI_NUMBER_HELD, .ring = RING_IDENTITY, .tid = TID };
        make_record(seq, record);
        if (seq >= HELD + NAMES) {
            as.number = seq - HELD - NAMES;
            assert_true(stepi_store_fly(&store, as, record, 0));
        } else {
            as.number = seq < HELD ? STEPI_NUMBER_HELD : STEPI_NUMBER_NAMES;
            assert_non_null(stepi_store_keep(&store, as, record));
        }
    }
    assert_int_equal(fstat(file, &status), 0);
    image.size = (size_t)status.st_size;
    image.bytes = malloc(image.size);
    assert_non_null(image.bytes);
    assert_int_equal(pread(file, image.bytes, image.size, 0), image.size);
    stepi_store_close(&store);
    close(file);
    locate(&image);
    return image;
}

static size_t read_store(const store_image_t *image, size_t size, uint64_t *damaged)
{
    const stepi_owner_t owner = owner_of(0);
    const files_t files = { .store = image->bytes, .store_bytes = size };
    size_t missing;
    return read_files(&owner, &files, damaged, &missing);
}

static void what_the_file_has_is_not_missing(void **state)
{
    store_image_t image = make_store();
    uint64_t damaged;
    size_t missing;
    (void)state;
    for (uint64_t has = 0; has <= FLIGHT + 3; has += 101) {
        const stepi_owner_t owner = owner_of(has);
        const files_t files = { .store = image.bytes, .store_bytes = image.size };
        assert_int_equal(read_files(&owner, &files, &damaged, &missing), STORED);
        assert_int_equal(damaged, 0);
        assert_int_equal(missing, HELD + (has < FLIGHT ? FLIGHT - has : 0));
    }
    free(image.bytes);
}

/* Half a change of what an output has: the lower of both is true. */
static void half_a_change_counts_for_the_lower(void **state)
{
    store_image_t image = make_store();
    const files_t files = { .store = image.bytes, .store_bytes = image.size };
    uint64_t damaged;
    size_t missing;
    (void)state;
    stepi_owner_t owner = owner_of(100);
    owner.output[0].resolved = 200;
    read_files(&owner, &files, &damaged, &missing);
    assert_int_equal(missing, HELD + FLIGHT - 100);
    owner = owner_of(200);
    owner.output[0].resolved = 100;
    read_files(&owner, &files, &damaged, &missing);
    assert_int_equal(missing, HELD + FLIGHT - 100);
    free(image.bytes);
}

/* A record may be in its ring and in the store at the same time: what the store says of it decides. */
static void what_is_there_twice_is_read_once(void **state)
{
    static ring_image_t ring;
    store_image_t image = make_store();
    uint64_t damaged;
    size_t missing;
    (void)state;
    make_ring(&ring, 0, 3000);
    assert_int_equal(ring.first, 0);
    const files_t files = { .ring = ring.bytes, .ring_bytes = RING, .store = image.bytes, .store_bytes = image.size };
    const stepi_owner_t owner = owner_of(UINT64_MAX - 10);
    assert_in_range(ring.end, HELD, HELD + NAMES);
    assert_int_equal(read_files(&owner, &files, &damaged, &missing), STORED);
    assert_int_equal(missing, ring.end); /* held, or names that are in the ring, too; no more of those in flight */
    free(image.bytes);
}

static void flip(store_image_t *image, size_t bit)
{
    image->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

static void a_flipped_bit_of_the_store_costs_one_record(void **state)
{
    store_image_t image = make_store();
    dice_t dice = { .state = 4 };
    uint64_t damaged;
    (void)state;
    for (int round = 0; round < 4000 / SLOWER; round++) {
        const uint64_t seq = roll_below(&dice, STORED);
        const size_t at = image.at[seq];
        const size_t bit = 8 * at + roll_below(&dice, 8 * (sizeof(stepi_kept_t) + STEPI_RECORD_MIN));
        const size_t in_head = bit - 8 * at;
        flip(&image, bit);
        const size_t found = read_store(&image, image.size, &damaged);
        flip(&image, bit);
        const bool is_unused = in_head / 8 >= offsetof(stepi_kept_t, unused) && in_head / 8 < sizeof(stepi_kept_t);
        assert_int_equal(found, is_unused ? STORED : STORED - 1);
        const bool seems_free = in_head < 32 && bytes_of(seq) == 1u << in_head && seq < HELD + NAMES;
        assert_int_equal(damaged > 0, !is_unused && !seems_free);
    }
    free(image.bytes);
}

/* The heads of extents: at most what is in one of them is gone, and that shows, but for how far its records go. */
static void a_flipped_bit_of_an_extents_head_costs_the_extent(void **state)
{
    store_image_t image = make_store();
    uint64_t damaged;
    (void)state;
    for (size_t extent = 0; extent < image.size; extent += STEPI_EXTENT_BYTES) {
        for (size_t bit = 0; bit < 8 * sizeof(stepi_extent_t); bit++) {
            size_t inside = 0;
            for (size_t i = 0; i < STORED; i++)
                inside += image.at[i] / STEPI_EXTENT_BYTES == extent / STEPI_EXTENT_BYTES;
            flip(&image, 8 * extent + bit);
            const size_t found = read_store(&image, image.size, &damaged);
            flip(&image, 8 * extent + bit);
            assert_in_range(found, STORED - inside, STORED);
            if (bit / 8 < offsetof(stepi_extent_t, used))
                assert_int_equal(damaged > 0, found < STORED);
        }
    }
    free(image.bytes);
}

static void a_store_that_was_cut_off_is_read_up_to_there(void **state)
{
    store_image_t image = make_store();
    uint64_t damaged;
    (void)state;
    for (size_t size = 0; size <= image.size; size += size % STEPI_EXTENT_BYTES < 1024 ? 8 : 8 * 97 * SLOWER) {
        size_t whole = 0;
        for (size_t i = 0; i < STORED; i++)
            whole += image.at[i] + sizeof(stepi_kept_t) + bytes_of(i) <= size;
        assert_int_equal(read_store(&image, size, &damaged), whole);
    }
    free(image.bytes);
}

static void hostile_heads_in_the_store(void **state)
{
    static const uint64_t values[] = { 0,
                                       1,
                                       2,
                                       8,
                                       24,
                                       32,
                                       40,
                                       64,
                                       1 << 20,
                                       UINT32_MAX,
                                       UINT64_MAX,
                                       STEPI_EXTENT_SLOTS,
                                       STEPI_EXTENT_FLIGHT,
                                       (uint64_t)24 << 32 | STEPI_EXTENT_SLOTS,
                                       (uint64_t)32 << 32 | STEPI_EXTENT_SLOTS,
                                       (uint64_t)UINT32_MAX << 32 | STEPI_EXTENT_SLOTS,
                                       (uint64_t)1 << 63 | STEPI_EXTENT_SLOTS };
    store_image_t image = make_store();
    dice_t dice = { .state = 5 };
    uint64_t damaged;
    (void)state;
    for (int round = 0; round < 4000 / SLOWER; round++) {
        const size_t extent = STEPI_EXTENT_BYTES * roll_below(&dice, image.size / STEPI_EXTENT_BYTES);
        const bool in_extent = roll_below(&dice, 2) == 0;
        const size_t at = in_extent ? extent + 16 : image.at[roll_below(&dice, STORED)];
        uint8_t before[32];
        memcpy(before, image.bytes + at, sizeof(before));
        for (uint64_t changes = 1 + roll_below(&dice, 2); changes > 0; changes--)
            put_64(image.bytes + at + 8 * roll_below(&dice, in_extent ? 2 : 4),
                   values[roll_below(&dice, COUNT(values))]);
        read_store(&image, image.size, &damaged);
        memcpy(image.bytes + at, before, sizeof(before));
    }
    free(image.bytes);
}

/* ---- Several outputs ---- */

static size_t missing_with(const stepi_owner_output_t *outputs, uint32_t count)
{
    store_image_t image = make_store();
    stepi_owner_t owner = owner_of(0);
    const files_t files = { .store = image.bytes, .store_bytes = image.size };
    uint64_t damaged;
    size_t missing;
    owner.outputs = count;
    memcpy(owner.output, outputs, count * sizeof(*outputs));
    read_files(&owner, &files, &damaged, &missing);
    free(image.bytes);
    return missing - (missing > 0 ? HELD : 0);
}

#define OUTPUT(file, lowest, has)                                                                                      \
    (stepi_owner_output_t)                                                                                             \
    {                                                                                                                  \
        .is_file = (file), .level = (lowest), .resolved = (has), .resolved_not = ~(uint64_t)(has)                      \
    }

static void every_file_has_to_have_it(void **state)
{
    (void)state;
    const stepi_owner_output_t two_files[] = { OUTPUT(1, LEVEL, 500), OUTPUT(1, LEVEL, 100) };
    assert_int_equal(missing_with(two_files, 2), FLIGHT - 100);
    const stepi_owner_output_t one_for_errors[] = { OUTPUT(1, LEVEL, 500), OUTPUT(1, STEP_LEVEL_ERROR, 100) };
    assert_int_equal(missing_with(one_for_errors, 2), FLIGHT - 500);
    const stepi_owner_output_t a_pipe_beside[] = { OUTPUT(0, LEVEL, 100), OUTPUT(1, LEVEL, 500) };
    assert_int_equal(missing_with(a_pipe_beside, 2), FLIGHT - 500);
    const stepi_owner_output_t a_pipe_alone[] = { OUTPUT(0, LEVEL, 100), OUTPUT(1, STEP_LEVEL_ERROR, 500) };
    assert_int_equal(missing_with(a_pipe_alone, 2), FLIGHT - 100);
    const stepi_owner_output_t nobody[] = { OUTPUT(1, STEP_LEVEL_ERROR, 100) };
    assert_int_equal(missing_with(nobody, 1), 0);
    assert_int_equal(missing_with(nobody, 0), FLIGHT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_file_has_is_not_missing),
        cmocka_unit_test(half_a_change_counts_for_the_lower),
        cmocka_unit_test(what_is_there_twice_is_read_once),
        cmocka_unit_test(a_flipped_bit_of_the_store_costs_one_record),
        cmocka_unit_test(a_flipped_bit_of_an_extents_head_costs_the_extent),
        cmocka_unit_test(a_store_that_was_cut_off_is_read_up_to_there),
        cmocka_unit_test(hostile_heads_in_the_store),
        cmocka_unit_test(every_file_has_to_have_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
