/* Is it noise? Two statistics, both without assumptions about how durations are distributed. */
#ifndef STEPI_STEPLOG_COMPARE_H
#define STEPI_STEPLOG_COMPARE_H

#include "steplog/sample.h"

typedef struct stepi_shift {
    double p;           /* of a difference as large as this, if there were none: two-sided */
    double superiority; /* the chance that a value of b is above one of a; ties count half. 0.5: no difference */
} stepi_shift_t;

/* Mann-Whitney U with the correction for ties, by the normal approximation. */
stepi_shift_t stepi_mann_whitney(stepi_sample_t *a, stepi_sample_t *b);

/* Fisher's exact test, one-sided: how likely are so many failures of b, or more, if a and b fail alike? */
double stepi_fisher_more(double a_failed, double a_all, double b_failed, double b_all);

#endif
