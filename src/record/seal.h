/* The checksum of records that may outlive their process.
 *
 * A sum of the 64-bit words, each times an odd number of its own, of which the upper half counts: a word costs a
 * multiplication that waits for no other, 5 ns for a record of 128 bytes. Any change of a single word shows, since an odd factor keeps the
 * difference; other damage goes unnoticed once in 2^32. It is no protection against whoever wants to forge a record, who
 * could as well have logged it. */
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

/* n: a multiple of 8. */
static inline uint64_t stepi_seal_words(uint64_t sum, const uint8_t *bytes, size_t n)
{
    uint64_t factor = UINT64_C(0x9E3779B97F4A7C15);
    for (size_t i = 0; i < n; i += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, bytes + i, sizeof(word));
        sum += word * factor;
        factor += UINT64_C(0xD1B54A32D192ED04); /* even: it stays odd */
    }
    return sum;
}

/* Of a record of n bytes, as if its checksum were not there. */
static inline uint32_t stepi_record_sum(const uint8_t *bytes, size_t n)
{
    uint64_t length = n;
    return stepi_seal_fold(stepi_seal_words(length * UINT64_C(0xC2B2AE3D27D4EB4F), bytes + 8, n - 8));
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
