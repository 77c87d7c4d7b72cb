// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * The few statistics that detection needs, as pure functions. Distributions are GSL's.
 */
#include <stdbool.h>
#include <stddef.h>

struct stat_interval {
    double low, high;
};

/* Wilson's interval of a share (bad of votes), 95 %; [0, 1] without votes. Votes may be fractions. */
struct stat_interval stat_wilson(double bad, double votes);

/* Log-likelihood of `bad` of `votes` at share p, 0 < p < 1. */
double stat_bernoulli(double bad, double votes, double p);

/* P(X <= seen) and P(X >= seen) where `mean` are expected; a mean of 0 gives 1. */
double stat_poisson_below(double seen, double mean);
double stat_poisson_above(double seen, double mean);

/* The smallest share that `votes` votes raise above the share `base` by a log-likelihood of at least
 * `threshold`; 2 where none does. */
double stat_detectable_share(double votes, double base, double threshold);

/* Rank test of two samples (Mann-Whitney, normal approximation with ties): how much smaller the
 * values of `a` are than those of `b`. ret_p is one-sided; the effect is P(a < b) + P(a = b)/2.
 * Sorts both arrays. Nothing is written and false returned below STAT_RANK_LEAST values a side. */
#define STAT_RANK_LEAST 8
bool stat_rank_less(double *a, size_t a_count, double *b, size_t b_count, double *ret_p,
                    double *ret_effect);

/* The median; sorts. 0 for none. */
double stat_median(double *values, size_t count);

/* e-values of `tested` hypotheses, those of the `count` ones worth keeping given as logarithms:
 * ret_keep[i] says whether i holds when the share of false ones among the kept is at most `rate`
 * (Wang and Ramdas 2022, e-BH). */
void stat_keep(const double *log_evalues, size_t count, size_t tested, double rate, bool *ret_keep);
