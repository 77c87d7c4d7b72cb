// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include "analyzer/judge/attempt_fold.h"
#include "base/array.h"
#include "base/clock.h"

/* What an attempt comes to, by the flows it is made of. */

struct piece {
    enum stage stage;
    enum outcome outcome;
    const char *mechanism;
};

struct fold_case {
    const char *name;
    struct piece pieces[4]; /* up to one of no stage */
    enum outcome outcome;
    const char *mechanism;
};

static const struct fold_case cases[] = {
    {"a name and a connection",
     {{STAGE_DNS, OUTCOME_OK, NULL}, {STAGE_TLS, OUTCOME_OK, NULL}},
     OUTCOME_OK,
     NULL},
    {"a name alone", {{STAGE_DNS, OUTCOME_OK, NULL}}, OUTCOME_UNKNOWN, NULL},
    {"no name", {{STAGE_DNS, OUTCOME_FAILED, "dns.nxdomain"}}, OUTCOME_FAILED, "dns.nxdomain"},
    {"one family has no name",
     {{STAGE_DNS, OUTCOME_OK, NULL}, {STAGE_DNS, OUTCOME_FAILED, "dns.servfail"}},
     OUTCOME_UNKNOWN,
     NULL},
    {"the loser of a race",
     {{STAGE_TCP, OUTCOME_FAILED, "tcp.timeout"}, {STAGE_TLS, OUTCOME_OK, NULL}},
     OUTCOME_OK,
     NULL},
    {"the deepest stage speaks",
     {{STAGE_TLS, OUTCOME_FAILED, "tls.reset.sni"},
      {STAGE_TCP, OUTCOME_FAILED, "tcp.timeout"},
      {STAGE_DNS, OUTCOME_FAILED, "dns.timeout"}},
     OUTCOME_FAILED,
     "tls.reset.sni"},
    {"the first of equals",
     {{STAGE_TLS, OUTCOME_FAILED, "tls.timeout"}, {STAGE_QUIC, OUTCOME_FAILED, "quic.timeout"}},
     OUTCOME_FAILED,
     "tls.timeout"},
    {"nobody knows",
     {{STAGE_TLS, OUTCOME_UNKNOWN, NULL}, {STAGE_DNS, OUTCOME_FAILED, "dns.nxdomain"}},
     OUTCOME_UNKNOWN,
     NULL},
};

struct taken {
    struct attempt_result last;
    unsigned count;
};

static int take(void *context, const struct attempt_result *result)
{
    struct taken *taken = context;
    taken->last = *result;
    taken->count++;
    return 0;
}

static struct judged judged_of(const struct piece *piece, uint64_t packet, int64_t start_us)
{
    return (struct judged){.flow = {.input = 1,
                                    .packet = packet,
                                    .start_us = start_us,
                                    .stage = piece->stage,
                                    .service = "signal"},
                           .verdict = {.outcome = piece->outcome, .mechanism = piece->mechanism},
                           .attempt_input = 1,
                           .attempt_packet = 1};
}

static void test_outcomes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct attempt_fold *fold;
        struct taken taken = {0};
        assert_int_equal(attempt_fold_create(&fold, take, &taken), 0);
        for (unsigned p = 0; p < 4 && cases[i].pieces[p].stage != STAGE_NONE; p++) {
            struct judged judged = judged_of(&cases[i].pieces[p], p + 1, p);
            assert_int_equal(attempt_fold_add(fold, &judged), 0);
        }
        assert_int_equal(taken.count, 0);
        assert_int_equal(attempt_fold_finish(fold), 0);
        assert_int_equal(taken.count, 1);
        const char *mechanism = taken.last.mechanism ? taken.last.mechanism : "";
        if (taken.last.outcome != cases[i].outcome ||
            strcmp(mechanism, cases[i].mechanism ? cases[i].mechanism : "") != 0)
            fail_msg("%s: outcome %d, '%s'", cases[i].name, taken.last.outcome, mechanism);
        assert_string_equal(taken.last.service, "signal");
        attempt_fold_destroy(fold);
    }
    attempt_fold_destroy(NULL);
}

static void test_window(void **state)
{
    const struct piece piece = {STAGE_TLS, OUTCOME_OK, NULL};
    struct attempt_fold *fold;
    struct taken taken = {0};
    (void)state;
    assert_int_equal(attempt_fold_create(&fold, take, &taken), 0);
    for (uint64_t n = 0; n < 100; n++) {
        struct judged judged = judged_of(&piece, n + 1, (int64_t)n * 10 * CLOCK_SECOND_US);
        judged.attempt_packet = n / 3 * 3 + 1; /* three flows each, 30 s apart */
        assert_int_equal(attempt_fold_add(fold, &judged), 0);
        assert_int_equal(taken.count, n / 3); /* given as soon as the window is over */
    }
    struct judged none = judged_of(&piece, 500, 0);
    none.flow.service = "";
    assert_int_equal(attempt_fold_add(fold, &none), 0);
    assert_int_equal(attempt_fold_finish(fold), 0);
    assert_int_equal(taken.count, 34);
    attempt_fold_destroy(fold);
}

/* Proven by one flow is proven; an innocent third party is nobody's interference. */
static void test_proven(void **state)
{
    static const struct {
        enum attribution attribution;
        double score;
        bool proven;
    } verdicts[] = {{ATTRIBUTION_THIRD_PARTY, 0.99, true},
                    {ATTRIBUTION_THIRD_PARTY, 0.1, false},
                    {ATTRIBUTION_UNKNOWN, 0.9, false}};
    const struct piece piece = {STAGE_TLS, OUTCOME_FAILED, "tls.reset.sni"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(verdicts); i++) {
        struct attempt_fold *fold;
        struct taken taken = {0};
        struct judged judged = judged_of(&piece, 1, 0), plain = judged_of(&piece, 2, 1);
        judged.verdict.attribution = verdicts[i].attribution;
        judged.verdict.score = verdicts[i].score;
        assert_int_equal(attempt_fold_create(&fold, take, &taken), 0);
        assert_int_equal(attempt_fold_add(fold, &judged), 0);
        assert_int_equal(attempt_fold_add(fold, &plain), 0);
        assert_int_equal(attempt_fold_finish(fold), 0);
        assert_int_equal(taken.last.proven, verdicts[i].proven);
        attempt_fold_destroy(fold);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outcomes),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_proven),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
