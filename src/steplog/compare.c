#include "steplog/compare.h"

#include <math.h>
#include <stdlib.h>

/* Pairs in rising order, of which some are behind. */
typedef struct walk {
    const stepi_weighted_t *at, *end;
    double all;
} walk_t;

/* The weight of the pairs up to `value`, which are then behind. */
static double take_up_to(walk_t *w, double value)
{
    double weight = 0;
    for (; w->at < w->end && w->at->ms <= value; w->at++)
        weight += w->at->weight;
    w->all += weight;
    return weight;
}

static double least_of(const walk_t *x, const walk_t *y)
{
    if (x->at == x->end)
        return y->at->ms;
    return y->at == y->end || x->at->ms <= y->at->ms ? x->at->ms : y->at->ms;
}

/* Walks both in rising order at once; each group of equal values gets the mean of its ranks. */
static stepi_shift_t compare_walks(walk_t x, walk_t y)
{
    stepi_shift_t shift = { .p = 1, .superiority = 0.5 };
    double u = 0, ties = 0;
    while (x.at < x.end || y.at < y.end) {
        const double value = least_of(&x, &y), below = x.all;
        const double in_x = take_up_to(&x, value), in_y = take_up_to(&y, value);
        u += in_y * (below + in_x / 2);
        ties += pow(in_x + in_y, 3) - (in_x + in_y);
    }
    const double n = x.all + y.all;
    if (x.all <= 0 || y.all <= 0 || n < 3)
        return shift;
    shift.superiority = u / (x.all * y.all);
    const double variance = x.all * y.all / 12 * (n + 1 - ties / (n * (n - 1)));
    const double distance = fabs(u - x.all * y.all / 2) - 0.5; /* continuity */
    if (variance > 0 && distance > 0)
        shift.p = erfc(distance / sqrt(2 * variance));
    return shift;
}

stepi_shift_t stepi_mann_whitney(stepi_sample_t *a, stepi_sample_t *b)
{
    stepi_weighted_t *x = calloc(2 * STEPI_SAMPLE_PAIRS, sizeof(*x));
    if (x == NULL)
        return (stepi_shift_t){ .p = 1, .superiority = 0.5 };
    stepi_weighted_t *y = x + STEPI_SAMPLE_PAIRS;
    const size_t xs = stepi_sample_pairs(a, x), ys = stepi_sample_pairs(b, y);
    const stepi_shift_t shift = compare_walks((walk_t){ x, x + xs, 0 }, (walk_t){ y, y + ys, 0 });
    free(x);
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
    const double least = round(b_failed) > failed - a ? round(b_failed) : failed - a;
    for (int64_t i = 0; least + (double)i <= most; i++) {
        const double k = least + (double)i;
        const double term = exp(log_choose(b, k) + log_choose(a, failed - k) - log_choose(a + b, failed));
        p += term;
        if (term < p * 1e-12)
            break;
    }
    return p < 1 ? p : 1;
}
