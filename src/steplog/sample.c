#include "steplog/sample.h"

#include <stdlib.h>
#include <string.h>

/* In nanoseconds, from 2^6 (nothing is shorter) to 2^63. Below, buckets are a nanosecond wide. */
enum { SUB_BITS = 6, SUB = 1 << SUB_BITS, BUCKETS = SUB * (64 - SUB_BITS) };

static size_t bucket_of(double ms)
{
    const double ns = ms * 1e6;
    const uint64_t v = ns <= 0 ? 0 : ns >= 9.2e18 ? INT64_MAX : (uint64_t)ns;
    if (v < SUB)
        return (size_t)v;
    const int exponent = 63 - __builtin_clzll(v);
    return (size_t)(exponent - SUB_BITS) * SUB + (size_t)(v >> (exponent - SUB_BITS));
}

/* The middle of a bucket. */
static double value_of(size_t bucket)
{
    if (bucket < 2 * SUB)
        return (double)bucket / 1e6;
    const int shift = (int)(bucket / SUB) - 1;
    const double low = (double)(((uint64_t)bucket % SUB + SUB) << shift);
    return (low + (double)(UINT64_C(1) << shift) / 2) / 1e6;
}

static void become_histogram(stepi_sample_t *sample)
{
    sample->buckets = calloc(BUCKETS, sizeof(*sample->buckets));
    if (sample->buckets == NULL)
        return;
    for (size_t i = 0; i < sample->count; i++)
        sample->buckets[bucket_of(sample->values[i].ms)] += sample->values[i].weight;
    free(sample->values);
    sample->values = NULL;
    sample->capacity = 0;
}

static bool grow(stepi_sample_t *sample)
{
    const size_t capacity = sample->capacity == 0 ? 4 : sample->capacity * 2;
    if (sample->count < sample->capacity)
        return true;
    stepi_weighted_t *larger = realloc(sample->values, capacity * sizeof(*larger));
    if (larger == NULL)
        return false;
    sample->values = larger;
    sample->capacity = capacity;
    return true;
}

void stepi_sample_add(stepi_sample_t *sample, double ms, double weight)
{
    sample->weight += weight;
    sample->total_ms += ms * weight;
    if (sample->count == 0 || ms > sample->max_ms)
        sample->max_ms = ms;
    if (sample->buckets == NULL && sample->count == STEPI_SAMPLE_EXACT)
        become_histogram(sample);
    if (sample->buckets != NULL)
        sample->buckets[bucket_of(ms)] += weight;
    else if (grow(sample))
        sample->values[sample->count] = (stepi_weighted_t){ ms, weight };
    else
        return;
    sample->count++;
}

void stepi_sample_free(stepi_sample_t *sample)
{
    free(sample->values);
    free(sample->buckets);
    *sample = (stepi_sample_t){ .values = NULL };
}

static int by_ms(const void *a, const void *b)
{
    const stepi_weighted_t *x = a, *y = b;
    return x->ms < y->ms ? -1 : x->ms > y->ms ? 1 : 0;
}

size_t stepi_sample_pairs(stepi_sample_t *sample, stepi_weighted_t pairs[STEPI_SAMPLE_PAIRS])
{
    size_t count = 0;
    if (sample->buckets == NULL) {
        if (sample->count > 1 && sample->sorted < sample->count)
            qsort(sample->values, sample->count, sizeof(*sample->values), by_ms);
        sample->sorted = sample->count;
        if (sample->count > 0)
            memcpy(pairs, sample->values, sample->count * sizeof(*pairs));
        return sample->count;
    }
    for (size_t i = 0; i < BUCKETS; i++)
        if (sample->buckets[i] > 0)
            pairs[count++] = (stepi_weighted_t){ value_of(i), sample->buckets[i] };
    return count;
}

double stepi_sample_quantile(stepi_sample_t *sample, double q)
{
    static _Thread_local stepi_weighted_t pairs[STEPI_SAMPLE_PAIRS];
    const size_t count = stepi_sample_pairs(sample, pairs);
    const double wanted = q * sample->weight * (1 - 1e-12);
    double below = 0;
    for (size_t i = 0; i < count; i++) {
        below += pairs[i].weight;
        if (below >= wanted)
            return pairs[i].ms < sample->max_ms ? pairs[i].ms : sample->max_ms;
    }
    return sample->max_ms;
}
