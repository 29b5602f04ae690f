#include "steplog/compare.h"

#include <math.h>
#include <stdlib.h>

/* Walks both in rising order at once; each group of equal values gets the mean of its ranks. */
stepi_shift_t stepi_mann_whitney(stepi_sample_t *a, stepi_sample_t *b)
{
    stepi_weighted_t *x = calloc(2 * STEPI_SAMPLE_PAIRS, sizeof(*x));
    stepi_shift_t shift = { .p = 1, .superiority = 0.5 };
    if (x == NULL)
        return shift;
    stepi_weighted_t *y = x + STEPI_SAMPLE_PAIRS;
    const size_t xs = stepi_sample_pairs(a, x), ys = stepi_sample_pairs(b, y);
    double below_a = 0, all_a = 0, all_b = 0, u = 0, ties = 0;
    for (size_t i = 0, k = 0; i < xs || k < ys;) {
        const double value = i < xs && (k == ys || x[i].ms <= y[k].ms) ? x[i].ms : y[k].ms;
        double in_a = 0, in_b = 0;
        for (; i < xs && x[i].ms <= value; i++)
            in_a += x[i].weight;
        for (; k < ys && y[k].ms <= value; k++)
            in_b += y[k].weight;
        u += in_b * (below_a + in_a / 2);
        below_a += in_a;
        all_a += in_a;
        all_b += in_b;
        ties += pow(in_a + in_b, 3) - (in_a + in_b);
    }
    free(x);
    const double n = all_a + all_b;
    if (all_a <= 0 || all_b <= 0 || n < 3)
        return shift;
    shift.superiority = u / (all_a * all_b);
    const double variance = all_a * all_b / 12 * (n + 1 - ties / (n * (n - 1)));
    const double distance = fabs(u - all_a * all_b / 2) - 0.5; /* continuity */
    if (variance > 0 && distance > 0)
        shift.p = erfc(distance / sqrt(2 * variance));
    return shift;
}

static double log_choose(double n, double k)
{
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1);
}

double stepi_fisher_more(double a_failed, double a_all, double b_failed, double b_all)
{
    const double failed = round(a_failed) + round(b_failed), a = round(a_all), b = round(b_all);
    const double most = failed < b ? failed : b;
    double p = 0;
    for (double k = round(b_failed); k <= most; k++) {
        if (failed - k > a)
            continue;
        const double term = exp(log_choose(b, k) + log_choose(a, failed - k) - log_choose(a + b, failed));
        p += term;
        if (term < p * 1e-12)
            break;
    }
    return p < 1 ? p : 1;
}
