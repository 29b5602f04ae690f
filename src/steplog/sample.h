/* Many durations in little memory: all of them while there are few, then a histogram whose buckets are 1/64 apart.
 *
 *     up to 256 values        as they are: every quantile is exact
 *     more                    per power of two 64 buckets: what is read back is off by less than 0.8 %
 *
 * A value may stand for several (sampling): it has a weight. */
#ifndef STEPI_STEPLOG_SAMPLE_H
#define STEPI_STEPLOG_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STEPI_SAMPLE_EXACT = 256 };

typedef struct stepi_weighted {
    double ms, weight;
} stepi_weighted_t;

typedef struct stepi_sample {
    stepi_weighted_t *values; /* sorted up to `sorted`; NULL once there is a histogram */
    size_t count, capacity, sorted;
    double *buckets;
    double weight, total_ms, max_ms;
} stepi_sample_t;

void stepi_sample_add(stepi_sample_t *sample, double ms, double weight);
void stepi_sample_free(stepi_sample_t *sample);

/* The value below which the share q of all lies, from 0 to 1: the nearest rank. 0 for none. */
double stepi_sample_quantile(stepi_sample_t *sample, double q);

/* The values as pairs in rising order; at most STEPI_SAMPLE_PAIRS. Returns how many. */
enum { STEPI_SAMPLE_PAIRS = 4096 };
size_t stepi_sample_pairs(stepi_sample_t *sample, stepi_weighted_t pairs[STEPI_SAMPLE_PAIRS]);

#endif
