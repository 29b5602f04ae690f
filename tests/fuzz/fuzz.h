/* What the fuzz targets share. A finding is an abort(), or whatever a sanitizer says. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                            \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

/* The input, taken from its front; what is not there any more is 0. */
typedef struct input {
    const uint8_t *at;
    size_t left;
} input_t;

static inline uint64_t input_number(input_t *in, size_t bytes)
{
    uint64_t v = 0;
    const size_t n = bytes < in->left ? bytes : in->left;
    memcpy(&v, in->at, n);
    in->at += n;
    in->left -= n;
    return v;
}

/* A copy in memory of exactly that size, so that a sanitizer sees what is read beyond it. */
static inline char *input_copy(input_t *in, size_t bytes, size_t *taken)
{
    const size_t n = bytes < in->left ? bytes : in->left;
    char *copy = malloc(n > 0 ? n : 1);
    MUST(copy != NULL);
    memcpy(copy, in->at, n);
    in->at += n;
    in->left -= n;
    *taken = n;
    return copy;
}

#endif
