// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/detect/stat.h"

#include <math.h>
#include <stdlib.h>

#include <gsl/gsl_cdf.h>

#include "base/array.h"

#define Z_95 1.959963984540054

struct stat_interval stat_wilson(double bad, double votes)
{
    double share, square = Z_95 * Z_95, middle, half, scale;

    if (votes <= 0)
        return (struct stat_interval){0, 1};
    share = bad / votes;
    scale = 1 + square / votes;
    middle = (share + square / (2 * votes)) / scale;
    half = Z_95 * sqrt(share * (1 - share) / votes + square / (4 * votes * votes)) / scale;
    /* Of none and of all, rounding would leave a hair. */
    return (struct stat_interval){bad > 0 ? MAX_OF(0, middle - half) : 0,
                                  bad < votes ? MIN_OF(1, middle + half) : 1};
}

double stat_bernoulli(double bad, double votes, double p)
{
    return bad * log(p) + (votes - bad) * log1p(-p);
}

double stat_poisson_below(double seen, double mean)
{
    return mean > 0 ? gsl_cdf_poisson_P((unsigned)MAX_OF(seen, 0), mean) : 1;
}

double stat_poisson_above(double seen, double mean)
{
    if (seen <= 0)
        return 1;
    return mean > 0 ? gsl_cdf_poisson_Q((unsigned)(seen - 1), mean) : 0;
}

double stat_detectable_share(double votes, double base, double threshold)
{
    double low = base, high = 1;

    /* All failing: the most that so many votes can say. */
    if (votes <= 0 || votes * -log(base) < threshold)
        return 2;
    for (int i = 0; i < 40; i++) {
        double share = (low + high) / 2, bad = share * votes;
        double gain = bad * log(share / base);
        if (share < 1)
            gain += (votes - bad) * log((1 - share) / (1 - base));
        if (gain >= threshold)
            high = share;
        else
            low = share;
    }
    return high;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double stat_median(double *values, size_t count)
{
    if (count == 0)
        return 0;
    qsort(values, count, sizeof(*values), compare_doubles);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

bool stat_rank_less(double *a, size_t a_count, double *b, size_t b_count, double *ret_p,
                    double *ret_effect)
{
    double m = (double)a_count, n = (double)b_count, below = 0, ties = 0, deviation, mean;
    size_t i = 0, j = 0;

    if (a_count < STAT_RANK_LEAST || b_count < STAT_RANK_LEAST)
        return false;
    qsort(a, a_count, sizeof(*a), compare_doubles);
    qsort(b, b_count, sizeof(*b), compare_doubles);
    while (i < a_count || j < b_count) {
        double value = j == b_count || (i < a_count && a[i] <= b[j]) ? a[i] : b[j];
        size_t of_a = 0, of_b = 0;
        while (i < a_count && a[i] <= value)
            i++, of_a++;
        while (j < b_count && b[j] <= value)
            j++, of_b++;
        double tied = (double)(of_a + of_b);
        below += (double)of_a * ((double)(b_count - j) + (double)of_b / 2);
        ties += tied * tied * tied - tied;
    }
    mean = m * n / 2;
    deviation = sqrt(m * n / 12 * (m + n + 1 - ties / ((m + n) * (m + n - 1))));
    *ret_p = deviation > 0 ? gsl_cdf_ugaussian_Q((below - mean - 0.5) / deviation) : 1;
    *ret_effect = below / (m * n);
    return true;
}

static int compare_falling(const void *a, const void *b)
{
    return -compare_doubles(a, b);
}

void stat_keep(const double *log_evalues, size_t count, size_t tested, double rate, bool *ret_keep)
{
    double *sorted = count ? malloc(count * sizeof(*sorted)) : NULL;
    double least = INFINITY;

    for (size_t i = 0; sorted && i < count; i++)
        sorted[i] = log_evalues[i];
    if (sorted)
        qsort(sorted, count, sizeof(*sorted), compare_falling);
    for (size_t i = count; sorted && i-- > 0;) {
        if (sorted[i] >= log((double)MAX_OF(tested, count) / ((double)(i + 1) * rate))) {
            least = sorted[i];
            break;
        }
    }
    for (size_t i = 0; i < count; i++)
        ret_keep[i] = log_evalues[i] >= least;
    free(sorted);
}
