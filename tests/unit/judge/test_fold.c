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

/* ---- runs of other people's measurements ---- */

struct some_rows {
    unsigned count;
    enum stage stage;
    enum outcome outcome;
    const char *mechanism;
    bool v6, page;
};

struct run_case {
    const char *name;
    struct some_rows rows[5]; /* up to one of no rows */
    enum outcome outcome;
    const char *mechanism;
};

static const struct run_case runs[] = {
    {"all addresses silent, and requests to them",
     {{12, STAGE_TCP, OUTCOME_FAILED, "tcp.timeout"},
      {13, STAGE_HTTP, OUTCOME_FAILED, "http.timeout"}},
     OUTCOME_FAILED,
     "tcp.timeout"},
    {"connected and silent",
     {{12, STAGE_TCP, OUTCOME_OK},
      {1, STAGE_TLS, OUTCOME_FAILED, "tls.timeout"},
      {13, STAGE_HTTP, OUTCOME_FAILED, "http.timeout"}},
     OUTCOME_FAILED,
     "http.timeout"},
    {"three of thirteen got through",
     {{12, STAGE_TCP, OUTCOME_OK},
      {10, STAGE_HTTP, OUTCOME_FAILED, "http.timeout"},
      {3, STAGE_HTTP, OUTCOME_OK}},
     OUTCOME_FAILED,
     "http.timeout"},
    {"four of thirteen got through",
     {{9, STAGE_HTTP, OUTCOME_FAILED, "http.timeout"}, {4, STAGE_HTTP, OUTCOME_OK}},
     OUTCOME_OK,
     NULL},
    {"one of two",
     {{1, STAGE_TLS, OUTCOME_FAILED, "tls.timeout"}, {1, STAGE_TLS, OUTCOME_OK}},
     OUTCOME_OK,
     NULL},
    {"the page came over one address, another was dead",
     {{3, STAGE_TCP, OUTCOME_FAILED, "tcp.timeout"}, {1, STAGE_HTTP, OUTCOME_OK}},
     OUTCOME_OK,
     NULL},
    {"the name alone fails, the addresses as well",
     {{1, STAGE_DNS, OUTCOME_FAILED, "dns.timeout"},
      {12, STAGE_TCP, OUTCOME_FAILED, "tcp.timeout"}},
     OUTCOME_FAILED,
     "tcp.timeout"},
    {"no name", {{1, STAGE_DNS, OUTCOME_FAILED, "dns.nxdomain"}}, OUTCOME_FAILED, "dns.nxdomain"},
    {"a name and nothing else", {{1, STAGE_DNS, OUTCOME_OK}}, OUTCOME_UNKNOWN, NULL},
    {"version 6 is not there, version 4 works",
     {{16, STAGE_TCP, OUTCOME_FAILED, "ip.unreachable", .v6 = true}, {1, STAGE_TCP, OUTCOME_OK}},
     OUTCOME_OK,
     NULL},
    {"version 6 alone, and dead",
     {{2, STAGE_TCP, OUTCOME_FAILED, "tcp.timeout", .v6 = true}, {1, STAGE_DNS, OUTCOME_OK}},
     OUTCOME_FAILED,
     "tcp.timeout"},
    {"a page was shown: the connection worked",
     {{1, STAGE_TCP, OUTCOME_FAILED, "tcp.refused"},
      {1, STAGE_HTTP, OUTCOME_FAILED, "http.blockpage", .page = true}},
     OUTCOME_FAILED,
     "http.blockpage"},
    {"most say so",
     {{1, STAGE_TLS, OUTCOME_FAILED, NULL}, {3, STAGE_TLS, OUTCOME_FAILED, "tls.reset.sni"}},
     OUTCOME_FAILED,
     "tls.reset.sni"},
    {"nobody knows", {{3, STAGE_TLS, OUTCOME_UNKNOWN}}, OUTCOME_UNKNOWN, NULL},
};

static void add_rows(struct attempt_fold *fold, const struct some_rows *rows)
{
    const struct piece piece = {rows->stage, rows->outcome, rows->mechanism};

    for (unsigned n = 0; n < rows->count; n++) {
        struct judged judged = judged_of(&piece, 1, 0);
        judged.flow.import.present = true;
        judged.flow.import.blockpage.id[0] = rows->page ? 'x' : '\0';
        judged.flow.server.kind = ENDPOINT_ADDRESS;
        assert_int_equal(
            address_parse(rows->v6 ? "2001:db8::1" : "192.0.2.1", &judged.flow.server.address), 0);
        assert_int_equal(attempt_fold_add(fold, &judged), 0);
    }
}

static void test_runs(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(runs); i++) {
        struct attempt_fold *fold;
        struct taken taken = {0};
        assert_int_equal(attempt_fold_create(&fold, take, &taken), 0);
        for (unsigned r = 0; r < 5 && runs[i].rows[r].count; r++)
            add_rows(fold, &runs[i].rows[r]);
        assert_int_equal(attempt_fold_finish(fold), 0);
        assert_int_equal(taken.count, 1);
        const char *mechanism = taken.last.mechanism ? taken.last.mechanism : "";
        if (taken.last.outcome != runs[i].outcome ||
            strcmp(mechanism, runs[i].mechanism ? runs[i].mechanism : "") != 0)
            fail_msg("%s: outcome %d, '%s'", runs[i].name, taken.last.outcome, mechanism);
        attempt_fold_destroy(fold);
    }
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
        cmocka_unit_test(test_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
