/* The checksum of records that may outlive their process.
 *
 * Fletcher's sums over 64-bit words, two words at a time, mixed into 32 bits in the end: some 5 ns for a record of 128 bytes. Damage goes
 * unnoticed once in 2^32, that of a single bit never (a test tries them all). It is no protection against whoever wants to
 * forge a record, who could as well have logged it. */
#ifndef STEPI_RECORD_SEAL_H
#define STEPI_RECORD_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { STEPI_SEAL_AT = 4 /* offsetof(stepi_record_t, checksum) */ };

static inline uint32_t stepi_seal_fold(uint64_t sum)
{
    const uint32_t upper = (uint32_t)(sum >> 32);
    return upper != 0 ? upper : 1; /* 0 is none */
}

typedef uint64_t stepi_seal_pair_t __attribute__((vector_size(16)));

/* Sums of words, and sums of those sums: where a word stands counts, too. n: a multiple of 8. */
static inline uint32_t stepi_seal_sum(uint64_t start, const uint8_t *bytes, size_t n)
{
    stepi_seal_pair_t sum = { start, ~start }, sums = { 0, 0 };
    size_t i = 0;
    for (; i + sizeof(sum) <= n; i += sizeof(sum)) {
        stepi_seal_pair_t pair;
        memcpy(&pair, bytes + i, sizeof(pair));
        sum += pair;
        sums += sum;
    }
    if (i < n) {
        uint64_t word;
        memcpy(&word, bytes + i, sizeof(word));
        sum += (stepi_seal_pair_t){ word, 0 };
        sums += sum;
    }
    /* the factors of `sums` are even: then no multiple of theirs takes a change of `sum` away */
    return stepi_seal_fold(sum[0] * UINT64_C(0x9E3779B97F4A7C15) + sum[1] * UINT64_C(0xC2B2AE3D27D4EB4F) +
                           sums[0] * UINT64_C(0xD6E8FEB86659FD92) + sums[1] * UINT64_C(0xA0761D6478BD642E));
}

/* Of a record of n bytes, as if its checksum were not there. */
static inline uint32_t stepi_record_sum(const uint8_t *bytes, size_t n)
{
    return stepi_seal_sum(n, bytes + 8, n - 8);
}

static inline void stepi_record_seal(uint8_t *bytes, size_t n)
{
    const uint32_t sum = stepi_record_sum(bytes, n);
    memcpy(bytes + STEPI_SEAL_AT, &sum, sizeof(sum));
}

static inline bool stepi_record_is_whole(const uint8_t *bytes, size_t n)
{
    uint32_t sum;
    memcpy(&sum, bytes + STEPI_SEAL_AT, sizeof(sum));
    return sum == stepi_record_sum(bytes, n);
}

#endif
