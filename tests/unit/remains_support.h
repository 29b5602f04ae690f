/* What the tests of crash/remains.h share: records that are known by their numbers, a ring and a store made by hand, and a reader that
 * accepts only what was written. */
#ifndef TESTS_UNIT_REMAINS_SUPPORT_H
#define TESTS_UNIT_REMAINS_SUPPORT_H

#include "core_support.h"

#include "crash/remains.h"
#include "crash/store.h"
#include "record/seal.h"

#ifdef STEP_LOGGER_SANITIZED
enum { SLOWER = 8 };
#else
enum { SLOWER = 1 };
#endif

enum {
    DATA = 4096,
    RING = STEPI_RING_DATA + DATA,
    RECORDS_MAX = 4096,
    RING_IDENTITY = 9,
    TID = 42,
    LEVEL = STEP_LEVEL_INFO
};

/* ---- Records: each is known by its number ---- */

UNUSED static uint32_t bytes_of(uint64_t seq)
{
    return (uint32_t)(STEPI_RECORD_MIN + 8 * (seq * 7 % 13));
}

UNUSED static void make_record(uint64_t seq, uint8_t *to)
{
    const uint32_t bytes = bytes_of(seq);
    const stepi_record_t header = {
        .bytes = bytes, .seq = seq, .stamp = 1000 + seq, .kind = STEPI_MESSAGE, .level = LEVEL
    };
    memset(to, (int)(seq % 251), bytes);
    memcpy(to, &header, sizeof(header));
    stepi_record_seal(to, bytes);
}

UNUSED static bool is_genuine(const stepi_remain_t *remain)
{
    uint8_t expected[256];
    if (remain->bytes != bytes_of(remain->seq))
        return false;
    make_record(remain->seq, expected);
    return memcmp(remain->record, expected, remain->bytes) == 0;
}

/* ---- Files ---- */

UNUSED static stepi_owner_t owner_of(uint64_t has)
{
    stepi_owner_t owner = { .mark = { STEPI_MARK_OWNER, STEPI_MARK_FORM }, .pid = 77, .level = LEVEL, .outputs = 1 };
    owner.output[0] = (stepi_owner_output_t){ .is_file = 1, .level = LEVEL, .resolved = has, .resolved_not = ~has };
    return owner;
}

typedef struct ring_image {
    uint8_t bytes[RING];
    uint64_t first, end; /* numbers of the records in it */
    size_t at[RECORDS_MAX];
} ring_image_t;

#define SHARED(member) (offsetof(stepi_ring_t, member) - offsetof(stepi_ring_t, mark))

UNUSED static void put_64(uint8_t *at, uint64_t value)
{
    memcpy(at, &value, sizeof(value));
}

UNUSED static uint64_t get_64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

/* As the producer does: so many bytes of records from `begin` on, the last lap of them not read yet. */
UNUSED static void make_ring(ring_image_t *ring, uint64_t begin, uint64_t written)
{
    uint8_t *data = ring->bytes + STEPI_RING_DATA;
    const uint64_t mark[2] = { STEPI_MARK_RING, STEPI_MARK_FORM };
    memset(ring, 0, sizeof(*ring));
    memcpy(ring->bytes, mark, sizeof(mark));
    uint64_t position = begin, read = begin, seq = 0;
    while (position - begin + 256 < written) {
        const uint64_t to_end = DATA - position % DATA;
        if (bytes_of(seq) > to_end) {
            memset(data + position % DATA, 0xFF, 4); /* STEPI_WRAP_MARK */
            position += to_end;
        }
        while (position + bytes_of(seq) - read > DATA) { /* the reader makes room */
            read = ring->at[ring->first % RECORDS_MAX] + bytes_of(ring->first);
            ring->first++;
        }
        ring->at[seq % RECORDS_MAX] = position;
        make_record(seq++, data + position % DATA);
        position += bytes_of(seq - 1);
    }
    ring->end = seq;
    put_64(ring->bytes + SHARED(bytes), DATA);
    put_64(ring->bytes + SHARED(identity), RING_IDENTITY);
    put_64(ring->bytes + SHARED(tid), TID);
    put_64(ring->bytes + SHARED(head), position);
    put_64(ring->bytes + SHARED(tail), read);
    put_64(ring->bytes + SHARED(read), read);
}

/* ---- Reading ---- */

typedef struct files {
    const uint8_t *ring, *store;
    size_t ring_bytes, store_bytes;
} files_t;

UNUSED static const uint8_t *exact_copy(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    assert_non_null(copy);
    if (size > 0)
        memcpy(copy, bytes, size);
    return copy;
}

/* Copies of exactly that size, so that a sanitizer sees what is read beyond them. Everything found is genuine, in order, once. Returns
 * how many there are. */
UNUSED static size_t read_files(const stepi_owner_t *owner, const files_t *files, uint64_t *damaged, size_t *missing)
{
    stepi_remains_t remains;
    assert_int_equal(stepi_remains_begin(&remains, (const uint8_t *)owner, sizeof(*owner)), STEPI_REMAINS_GOOD);
    const uint8_t *ring = exact_copy(files->ring, files->ring_bytes),
                  *store = exact_copy(files->store, files->store_bytes);
    if (files->store != NULL)
        stepi_remains_store(&remains, store, files->store_bytes);
    if (files->ring != NULL)
        stepi_remains_ring(&remains, ring, files->ring_bytes);
    stepi_remains_sort(&remains);
    assert_false(remains.lacks_memory);
    *missing = 0;
    for (size_t i = 0; i < remains.count; i++) {
        const stepi_remain_t *remain = &remains.records[i];
        assert_true(is_genuine(remain));
        if (i > 0 && remain[-1].ring == remain->ring)
            assert_true(remain[-1].seq < remain->seq);
        *missing += remain->is_missing;
    }
    const size_t count = remains.count;
    *damaged = remains.damaged;
    stepi_remains_free(&remains);
    free((void *)(uintptr_t)ring);
    free((void *)(uintptr_t)store);
    return count;
}

UNUSED static size_t read_ring(const uint8_t *bytes, size_t size, uint64_t *damaged)
{
    const stepi_owner_t owner = owner_of(0);
    const files_t files = { .ring = bytes, .ring_bytes = size };
    size_t missing;
    return read_files(&owner, &files, damaged, &missing);
}

#endif
