// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>
#include "base/array.h"
#include "tests/unit/judge/proving.h"

/* Looks: each is noted and moves the score, and none is a proof. */

struct look {
    const char *rule;
    void (*make)(struct observation *flow, struct suspect *suspect);
};

static void look_ttl(struct observation *o, struct suspect *s)
{
    (void)o;
    s->ttl = 55;
}
static void look_mirror(struct observation *o, struct suspect *s)
{
    (void)o;
    s->ip_id = 4000;
    s->ip_id_from_own = 3000;
    s->ip_id_from_other = 1;
}
static void look_apart(struct observation *o, struct suspect *s)
{
    o->evidence.sides[SIDE_SERVER].ip_id_max_step = 1;
    s->ip_id = 4000;
    s->ip_id_from_own = 3000;
    s->ip_id_from_other = 700;
}
static void look_own(struct observation *o, struct suspect *s)
{
    o->evidence.sides[SIDE_SERVER].ip_id_max_step = 1;
    s->ip_id = 4000;
    s->ip_id_from_own = 1;
    s->ip_id_from_other = 700;
}
static void look_df(struct observation *o, struct suspect *s)
{
    o->evidence.sides[SIDE_SERVER].flags |= SIDE_DF;
    s->ip_flags = 0;
}
static void look_timestamps(struct observation *o, struct suspect *s)
{
    o->evidence.sides[SIDE_SERVER].flags |= SIDE_TIMESTAMPS;
    o->evidence.sides[SIDE_CLIENT].flags |= SIDE_TIMESTAMPS;
    s->tcp_options = 0;
}
static void look_copies(struct observation *o, struct suspect *s)
{
    (void)o;
    s->copies = 2;
}
static void look_behind(struct observation *o, struct suspect *s)
{
    (void)o;
    s->seq_offset = -75;
}
static void look_round_trip(struct observation *o, struct suspect *s)
{
    (void)o;
    s->trigger_after_us = 52 * MS;
}

static const struct look looks[] = {
    {"ttl-distance", look_ttl},
    {"ip-id-of-other-side", look_mirror},
    {"ip-id-apart", look_apart},
    {"own-ip-id", look_own},
    {"df-differs", look_df},
    {"no-timestamps", look_timestamps},
    {"reset-copies", look_copies},
    {"reset-behind", look_behind},
    {"full-round-trip", look_round_trip},
};

static void test_looks(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(looks); i++) {
        struct observation o = hello_reset_at(500 * MS);
        struct suspect *s = last_suspect(&o);
        s->trigger_after_us = 30 * MS;
        s->ack_offset = -1; /* so that its time says nothing */
        struct verdict without = judged(&o, &known);
        assert_false(has_rule(&without, looks[i].rule));
        looks[i].make(&o, s);
        struct verdict with = judged(&o, &known);
        if (!has_rule(&with, looks[i].rule))
            fail_msg("%s did not fire", looks[i].rule);
        double weight = judge_rule_find(looks[i].rule)->weight;
        assert_true(weight != 0);
        assert_true(fabs(with.score - fmin(0.9, 1 / (1 + exp(-weight)))) < 6e-4);
        assert_int_equal(with.attribution, ATTRIBUTION_UNKNOWN);
    }
}

/* All of them together, whatever the TTL: still nobody is accused. */
static void test_looks_prove_nothing(void **state)
{
    (void)state;
    for (unsigned ttl = 1; ttl <= UINT8_MAX; ttl++) {
        struct observation o = hello_reset_at(112 * MS);
        struct suspect *s = last_suspect(&o);
        look_mirror(&o, s), look_df(&o, s), look_timestamps(&o, s), look_copies(&o, s);
        s->ttl = (uint8_t)ttl;
        assert_open(&o, &known);
        assert_int_equal(judged(&o, &known).attribution, ATTRIBUTION_UNKNOWN);
    }
}

/* A reset in the client's name that nothing of the client's looks like: not simply the client's. */
static void test_client_reset(void **state)
{
    struct observation o = flow_web_request();
    struct verdict verdict;

    (void)state;
    flow_reset(&o, SIDE_CLIENT, 62 * MS, true);
    verdict = judged(&o, NULL);
    assert_int_equal(verdict.attribution, ATTRIBUTION_CLIENT);
    assert_null(verdict.mechanism);
    struct suspect *s = last_suspect(&o);
    s->ttl_expected = 44;
    s->ttl = 49;
    s->seq_offset = -75;
    o.evidence.sides[SIDE_CLIENT].flags |= SIDE_DF;
    verdict = judged(&o, NULL);
    assert_string_equal(verdict.mechanism, "http.reset.host");
    assert_int_equal(verdict.attribution, ATTRIBUTION_UNKNOWN);
    assert_int_equal(verdict.signature, 12);
}

static void test_foreign_redirect(void **state)
{
    struct observation o = flow_web_request();

    (void)state;
    flow_sent(&o, SIDE_SERVER, 112 * MS, 183);
    o.evidence.http.response = true;
    o.evidence.http.status = 302;
    strcpy(o.evidence.http.location, "http://62.28.164.59:8183/redirect.cgi");
    o.evidence.sides[SIDE_SERVER].flags |= SIDE_DF;
    o.evidence.suspects[o.evidence.suspect_count++] = (struct suspect){.kind = SUSPECT_TTL,
                                                                       .side = SIDE_SERVER,
                                                                       .after_us = 112 * MS,
                                                                       .payload_length = 183,
                                                                       .ttl = 47,
                                                                       .ttl_expected = 43};
    assert_string_equal(judged(&o, NULL).mechanism, "http.redirect");
    assert_string_equal(judged(&o, NULL).evidence[0].rule, "foreign-redirect");
    assert_open(&o, NULL);
    strcpy(o.evidence.http.location, "https://www.example.com/");
    assert_null(judged(&o, NULL).mechanism);
}

/* The server answered what it should never have got to hear was reset: it logged the client's
 * resets. */
static void test_signature(void **state)
{
    struct observation o = talking_on(SUSPECT_RST);

    (void)state;
    assert_int_equal(judged(&o, NULL).signature, 0);
    flow_reset(&o, SIDE_CLIENT, 190 * MS, false);
    assert_int_equal(judged(&o, NULL).signature, 11);
}

/* Every rule that proves or innocents, and every weight, is one that a test above makes fire. */
static void test_rules_by_kind(void **state)
{
    unsigned contradictions = 0, others = 0;

    (void)state;
    for (size_t i = 0; judge_rule_at(i); i++) {
        const struct judge_rule *rule = judge_rule_at(i);
        contradictions += rule->kind == JUDGE_RULE_CONTRADICTION;
        others += rule->kind == JUDGE_RULE_LOOKS && strncmp(rule->id, "dns-", 4) != 0 &&
                  strncmp(rule->id, "certificate-", 12) != 0; /* tests of their own */
        assert_true(rule->kind != JUDGE_RULE_CONTRADICTION || rule->weight >= 3.5);
        assert_true(rule->kind == JUDGE_RULE_PLAIN || rule->looks_at[0]);
        assert_true(rule->kind != JUDGE_RULE_CONTRADICTION || strcmp(rule->looks_at, "TTL") != 0);
        assert_true(rule->kind != JUDGE_RULE_PLAIN || rule->weight == 0);
    }
    assert_int_equal(contradictions, 7);
    /* And the redirect, the prohibition, the injector's name, and those of test_resets.c. */
    assert_int_equal(others, ARRAY_LENGTH(looks) + 3 + 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_looks),        cmocka_unit_test(test_looks_prove_nothing),
        cmocka_unit_test(test_client_reset), cmocka_unit_test(test_foreign_redirect),
        cmocka_unit_test(test_signature),    cmocka_unit_test(test_rules_by_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
