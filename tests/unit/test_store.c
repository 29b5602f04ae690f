/* The store: slots of every size, used again once they are free; flight that is written over only when every output is past it; a file
 * that cannot grow. */
#include "core_support.h"

#include "crash/store.h"
#include "record/seal.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RECORD_MAX = 64 * 1024, SLOT_FIRST = 128, MOST_IN_EXTENT = STEPI_EXTENT_BYTES - STEPI_EXTENT_HEAD };

typedef struct fixture {
    stepi_store_t store;
    int file; /* the store's, once more */
    uint8_t record[RECORD_MAX];
} fixture_t;

static int make(void **state)
{
    fixture_t *f = calloc(1, sizeof(*f));
    if (f == NULL)
        return -1;
    const int fd = memfd_create("store", MFD_CLOEXEC);
    f->file = dup(fd);
    *state = f;
    return fd >= 0 && f->file >= 0 && stepi_store_open(&f->store, fd) ? 0 : -1;
}

static int unmake(void **state)
{
    fixture_t *f = *state;
    stepi_store_close(&f->store);
    close(f->file);
    free(f);
    return 0;
}

#define STORE_TEST(function) cmocka_unit_test_setup_teardown(function, make, unmake)

static size_t file_bytes(const fixture_t *f)
{
    struct stat status;
    assert_int_equal(fstat(f->file, &status), 0);
    return (size_t)status.st_size;
}

/* A whole record of so many bytes that says `seq`. */
static const uint8_t *record_of(fixture_t *f, uint32_t bytes, uint64_t seq)
{
    const stepi_record_t header = { .bytes = bytes, .seq = seq, .kind = STEPI_MESSAGE };
    memset(f->record, (int)(seq % 251), bytes);
    memcpy(f->record, &header, sizeof(header));
    stepi_record_seal(f->record, bytes);
    return f->record;
}

static void check_kept(const stepi_kept_t *kept, stepi_kept_as_t as, uint32_t bytes, uint64_t seq)
{
    uint64_t found;
    assert_non_null(kept);
    assert_int_equal(kept->bytes, bytes);
    assert_int_equal(kept->number, as.number);
    assert_int_equal(kept->ring, as.ring);
    assert_int_equal(kept->tid, as.tid);
    assert_int_equal(kept->sum, stepi_kept_sum(kept, bytes));
    assert_true(stepi_record_is_whole(stepi_kept_record(kept), bytes));
    memcpy(&found, stepi_kept_record(kept) + offsetof(stepi_record_t, seq), sizeof(found));
    assert_int_equal(found, seq);
}

static stepi_kept_as_t as_number(uint64_t number)
{
    return (stepi_kept_as_t){ .number = number, .ring = 7 + number % 3, .tid = 42 };
}

/* ---- Slots ---- */

static void slots_of_every_size(void **state)
{
    enum { SIZES = RECORD_MAX / 1000 };
    fixture_t *f = *state;
    stepi_kept_t *kept[SIZES] = { NULL };
    uint32_t bytes[SIZES];
    for (uint32_t i = 0; i < SIZES; i++) {
        bytes[i] = i == 0 ? (uint32_t)STEPI_RECORD_MIN : i * 1000 / 8 * 8;
        kept[i] = stepi_store_keep(&f->store, as_number(i), record_of(f, bytes[i], i));
    }
    for (uint32_t i = 0; i < SIZES; i++)
        check_kept(kept[i], as_number(i), bytes[i], i);
    for (uint32_t i = 0; i < SIZES; i++)
        stepi_store_free(&f->store, kept[i]);
    for (uint32_t i = 0; i < SIZES; i++)
        assert_int_equal(kept[i]->bytes, 0);
    assert_int_equal(file_bytes(f), f->store.count * (size_t)STEPI_EXTENT_BYTES);
}

/* What fills a slot to its last byte, and what is one word too long for it. */
static void sizes_at_the_edge(void **state)
{
    fixture_t *f = *state;
    for (uint32_t slot = SLOT_FIRST; slot <= RECORD_MAX; slot *= 2) {
        const uint32_t fits = slot - (uint32_t)sizeof(stepi_kept_t);
        stepi_kept_t *first = stepi_store_keep(&f->store, as_number(1), record_of(f, fits, 1));
        stepi_kept_t *second = stepi_store_keep(&f->store, as_number(2), record_of(f, fits, 2));
        stepi_kept_t *longer = stepi_store_keep(&f->store, as_number(3), record_of(f, fits + 8, 3));
        check_kept(first, as_number(1), fits, 1);
        check_kept(second, as_number(2), fits, 2);
        check_kept(longer, as_number(3), fits + 8, 3);
        stepi_store_free(&f->store, first);
        stepi_store_free(&f->store, second);
        stepi_store_free(&f->store, longer);
    }
}

/* Thousands come and go in any order; never more than a hundred are there: the file stays as small as that, and nobody writes over
 * another. */
static void slots_are_used_again(void **state)
{
    enum { THERE = 100, ROUNDS = 20000 };
    fixture_t *f = *state;
    stepi_kept_t *kept[THERE] = { NULL };
    uint64_t seqs[THERE] = { 0 };
    uint32_t bytes[THERE] = { 0 };
    dice_t dice = { .state = 1 };
    for (uint64_t i = 0; i < ROUNDS; i++) {
        const size_t at = roll_below(&dice, THERE);
        if (kept[at] != NULL) {
            check_kept(kept[at], as_number(seqs[at]), bytes[at], seqs[at]);
            stepi_store_free(&f->store, kept[at]);
        }
        bytes[at] = (uint32_t)(STEPI_RECORD_MIN + 8 * roll_below(&dice, i % 10 == 0 ? 1000 : 20));
        seqs[at] = i;
        kept[at] = stepi_store_keep(&f->store, as_number(i), record_of(f, bytes[at], i));
    }
    assert_true(f->store.count <= 20);
}

static void an_extent_of_slots_fills_up_to_the_last(void **state)
{
    enum { SLOTS = MOST_IN_EXTENT / SLOT_FIRST };
    fixture_t *f = *state;
    stepi_kept_t *kept[SLOTS + 1];
    for (uint32_t i = 0; i <= SLOTS; i++) {
        assert_int_equal(f->store.count, i == 0 ? 0 : 1);
        kept[i] = stepi_store_keep(&f->store, as_number(i), record_of(f, STEPI_RECORD_MIN, i));
    }
    assert_int_equal(f->store.count, 2);
    for (uint32_t i = 0; i <= SLOTS; i++)
        check_kept(kept[i], as_number(i), STEPI_RECORD_MIN, i);
    stepi_store_free(&f->store, kept[5]); /* of an extent that was full */
    assert_ptr_equal(stepi_store_keep(&f->store, as_number(9), record_of(f, STEPI_RECORD_MIN, 9)), kept[5]);
}

/* ---- Slots that are freed late ---- */

static void late_ones_wait_for_their_number(void **state)
{
    enum { LATE = 1000 };
    fixture_t *f = *state;
    static stepi_kept_t *kept[LATE];
    stepi_store_free_behind(&f->store, NULL, 3);
    for (uint32_t i = 0; i < LATE; i++)
        kept[i] = stepi_store_keep(&f->store, as_number(i), record_of(f, STEPI_RECORD_MIN, i));
    uint64_t settled = 0;
    for (uint32_t i = 1; i < LATE; i++) { /* the first one stays */
        stepi_store_free_behind(&f->store, kept[i], i / 2);
        if (i % 7 != 0 || i < 200)
            continue;
        settled = i / 2 - 90; /* the list grows while it begins anywhere */
        stepi_store_settle(&f->store, settled);
        for (uint32_t k = 1; k <= i; k++)
            assert_int_equal(kept[k]->bytes, k / 2 <= settled ? 0 : STEPI_RECORD_MIN);
    }
    assert_in_range(f->store.late_count, 100, 200);
    stepi_store_settle(&f->store, LATE);
    for (uint32_t k = 1; k < LATE; k++)
        assert_int_equal(kept[k]->bytes, 0);
    check_kept(kept[0], as_number(0), STEPI_RECORD_MIN, 0);
    assert_int_equal(f->store.late_count, 0);
}

/* ---- Flight ---- */

/* Each record whose number is not settled is in the file, whole, once. */
static void check_flight(const fixture_t *f, uint64_t from, uint64_t to)
{
    uint64_t found = 0;
    for (uint32_t at = 0; at < f->store.count; at++) {
        const uint8_t *extent = f->store.base + (size_t)at * STEPI_EXTENT_BYTES;
        stepi_extent_t head;
        memcpy(&head, extent, sizeof(head));
        if (head.kind != STEPI_EXTENT_FLIGHT)
            continue;
        assert_true(head.used <= MOST_IN_EXTENT);
        for (size_t i = 0; i < head.used;) {
            stepi_kept_t kept;
            memcpy(&kept, extent + STEPI_EXTENT_HEAD + i, sizeof(kept));
            assert_true(kept.bytes >= STEPI_RECORD_MIN && kept.sum == stepi_kept_sum(&kept, kept.bytes));
            assert_true(stepi_record_is_whole(extent + STEPI_EXTENT_HEAD + i + sizeof(kept), kept.bytes));
            found += kept.number >= from && kept.number < to;
            i += sizeof(kept) + kept.bytes;
        }
    }
    assert_int_equal(found, to - from);
}

static void flight_is_written_over_behind_what_is_settled(void **state)
{
    enum { RECORDS = 30000, BEHIND = 2000 };
    fixture_t *f = *state;
    dice_t dice = { .state = 2 };
    for (uint64_t i = 0; i < RECORDS; i++) {
        const uint32_t bytes = (uint32_t)(STEPI_RECORD_MIN + 8 * roll_below(&dice, 40));
        const uint64_t settled = i < BEHIND ? 0 : i - BEHIND;
        assert_true(stepi_store_fly(&f->store, as_number(i), record_of(f, bytes, i), settled));
        if (i % 1000 == 999)
            check_flight(f, settled, i + 1);
    }
    assert_true(f->store.count <= 8); /* 2,000 records of 250 bytes take two */
}

static void flight_that_nobody_takes_is_all_there(void **state)
{
    enum { RECORDS = 10000 };
    fixture_t *f = *state;
    for (uint64_t i = 0; i < RECORDS; i++)
        assert_true(stepi_store_fly(&f->store, as_number(i), record_of(f, 200, i), 0));
    check_flight(f, 0, RECORDS);
    stepi_kept_t *kept = stepi_store_keep(&f->store, as_number(1), record_of(f, 200, 1)); /* beside it */
    check_kept(kept, as_number(1), 200, 1);
    check_flight(f, 0, RECORDS);
}

static void the_largest_records_fly(void **state)
{
    fixture_t *f = *state;
    for (uint64_t i = 0; i < 20; i++)
        assert_true(stepi_store_fly(&f->store, as_number(i), record_of(f, RECORD_MAX, i), 0));
    check_flight(f, 0, 20);
}

/* ---- A file that cannot grow ---- */

static void limit_file(rlim_t bytes)
{
    const struct rlimit limit = { .rlim_cur = bytes, .rlim_max = RLIM_INFINITY };
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* SIGXFSZ would end this program. */
static void a_full_file_refuses_and_goes_on(void **state)
{
    fixture_t *f = *state;
    uint64_t flown = 0;
    stepi_kept_t *kept = stepi_store_keep(&f->store, as_number(0), record_of(f, 200, 0));
    limit_file(2 * STEPI_EXTENT_BYTES);
    while (stepi_store_fly(&f->store, as_number(flown), record_of(f, 200, flown), 0))
        flown++;
    assert_int_equal(flown, MOST_IN_EXTENT / (200 + sizeof(stepi_kept_t)));
    check_flight(f, 0, flown);
    assert_null(stepi_store_keep(&f->store, as_number(1), record_of(f, 2000, 1))); /* of a size that has no extent */
    check_kept(stepi_store_keep(&f->store, as_number(2), record_of(f, 200, 2)), as_number(2), 200, 2);
    assert_false(stepi_store_fly(&f->store, as_number(flown), record_of(f, 200, flown), 0));
    limit_file(RLIM_INFINITY);
    assert_true(stepi_store_fly(&f->store, as_number(flown), record_of(f, 200, flown), 0));
    check_flight(f, 0, flown + 1);
    check_kept(kept, as_number(0), 200, 0);
}

static void a_child_forgets_it(void **state)
{
    fixture_t *f = *state;
    stepi_kept_t *kept = stepi_store_keep(&f->store, as_number(1), record_of(f, 200, 1));
    stepi_store_t copy = f->store; /* as fork() makes one; the mapping is the parent's, and here goes with it */
    check_kept(kept, as_number(1), 200, 1);
    stepi_store_forget_in_child(&f->store);
    assert_null(f->store.base);
    assert_int_equal(f->store.fd, -1);
    assert_true(copy.count == 1);
    uint32_t bytes;
    assert_int_equal(pread(f->file, &bytes, sizeof(bytes), (uint8_t *)kept - copy.base), sizeof(bytes));
    assert_int_equal(bytes, 200);
    const int fd = memfd_create("another", MFD_CLOEXEC);
    assert_true(stepi_store_open(&f->store, fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(slots_of_every_size),
        STORE_TEST(sizes_at_the_edge),
        STORE_TEST(slots_are_used_again),
        STORE_TEST(an_extent_of_slots_fills_up_to_the_last),
        STORE_TEST(late_ones_wait_for_their_number),
        STORE_TEST(flight_is_written_over_behind_what_is_settled),
        STORE_TEST(flight_that_nobody_takes_is_all_there),
        STORE_TEST(the_largest_records_fly),
        STORE_TEST(a_full_file_refuses_and_goes_on),
        STORE_TEST(a_child_forgets_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
