// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "analyzer/detect/stat.h"

/* Values of Wilson's interval as published with Newcombe 1998 and the design's facts. */
static void test_wilson(void **state)
{
    struct stat_interval none = stat_wilson(0, 0), clean = stat_wilson(0, 20),
                         dark = stat_wilson(20, 20), most = stat_wilson(18, 20);
    (void)state;
    assert_true(none.low == 0 && none.high == 1);
    assert_true(clean.low < 1e-12 && fabs(clean.high - 0.1611) < 1e-3);
    assert_true(fabs(dark.low - 0.8389) < 1e-3 && dark.high > 1 - 1e-12);
    assert_true(fabs(most.low - 0.6990) < 1e-3 && fabs(most.high - 0.9721) < 1e-3);
}

/* Zero where 9.2 were expected is one in ten thousand. */
static void test_poisson(void **state)
{
    (void)state;
    assert_true(fabs(stat_poisson_below(0, 9.2103) - 1e-4) < 1e-6);
    assert_true(stat_poisson_below(3, 0) == 1);
    assert_true(fabs(stat_poisson_above(1, 1) - (1 - exp(-1))) < 1e-9);
    assert_true(stat_poisson_above(0, 5) == 1);
}

static void test_detectable_share(void **state)
{
    double few, many;
    (void)state;
    assert_true(stat_detectable_share(2, 0.05, 11) > 1);
    few = stat_detectable_share(10, 0.05, 11);
    many = stat_detectable_share(1000, 0.05, 11);
    assert_true(few > 0.4 && few < 0.9);
    assert_true(many > 0.05 && many < 0.12);
}

static void test_rank(void **state)
{
    double slow[8] = {1, 2, 3, 4, 5, 6, 7, 8}, fast[8] = {11, 12, 13, 14, 15, 16, 17, 18};
    double same_a[8] = {1, 2, 3, 4, 5, 6, 7, 8}, same_b[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    double p, effect;
    (void)state;
    assert_true(stat_rank_less(slow, 8, fast, 8, &p, &effect));
    assert_true(p < 0.001 && effect == 1);
    assert_true(stat_rank_less(same_a, 8, same_b, 8, &p, &effect));
    assert_true(p > 0.4 && fabs(effect - 0.5) < 1e-9);
    assert_false(stat_rank_less(slow, 7, fast, 8, &p, &effect));
}

static void test_median(void **state)
{
    double odd[3] = {3, 1, 2}, even[4] = {4, 1, 3, 2};
    (void)state;
    assert_true(stat_median(odd, 3) == 2 && stat_median(even, 4) == 2.5 &&
                stat_median(NULL, 0) == 0);
}

/* Of 100 hypotheses at 1 %: one alone needs e^9.2, two need e^8.5 each. */
static void test_keep(void **state)
{
    double alone[2] = {9.3, 3}, pair[3] = {8.6, 8.6, 3}, weak[2] = {9.1, 9};
    bool keep[3];
    (void)state;
    stat_keep(alone, 2, 100, 0.01, keep);
    assert_true(keep[0] && !keep[1]);
    stat_keep(pair, 3, 100, 0.01, keep);
    assert_true(keep[0] && keep[1] && !keep[2]);
    stat_keep(weak, 2, 1000, 0.01, keep);
    assert_true(!keep[0] && !keep[1]);
    stat_keep(NULL, 0, 5, 0.01, keep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wilson),           cmocka_unit_test(test_poisson),
        cmocka_unit_test(test_detectable_share), cmocka_unit_test(test_rank),
        cmocka_unit_test(test_median),           cmocka_unit_test(test_keep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
