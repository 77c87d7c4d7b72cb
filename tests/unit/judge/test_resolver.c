// SPDX-License-Identifier: GPL-3.0-or-later
/* What is learnt of a resolver, and answers that are not its own. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "analyzer/judge/follow.h"
#include "analyzer/judge/resolver.h"
#include "base/status.h"
#include "tests/unit/judge/proving.h"

#define LINE     3
#define PUBLIC_A "31.13.64.7"
#define PUBLIC_B "68.171.242.18"

static struct resolvers *resolvers;

static int setup(void **state)
{
    (void)state;
    return resolvers_create(&resolvers);
}

static int teardown(void **state)
{
    (void)state;
    resolvers_destroy(resolvers);
    return 0;
}

static struct observation question_of(const char *host, uint32_t after_us, uint8_t rcode,
                                      const char *address, uint8_t ttl)
{
    struct observation o = flow_question(1);

    o.host = host;
    flow_answered(&o, after_us, rcode, address);
    o.dns.answers[0].ip_ttl = ttl;
    o.dns.answers[0].flags = 0x8180;
    return o;
}

static struct observation page_answer(uint32_t after_us, uint8_t ttl)
{
    struct observation o = question_of("x.example", after_us, 0, PUBLIC_B, ttl);

    o.dns.blockpage = (struct blockpage_facts){
        .id = "pk-x", .scope = BLOCKPAGE_CARRIER, .where = BLOCKPAGE_IN_DNS};
    return o;
}

static void learn(const struct observation *question)
{
    assert_int_equal(resolvers_learn(resolvers, LINE, question), DL_OK);
}

static void learn_at(const char *host, int64_t offset_us, uint32_t after_us, uint8_t ttl)
{
    struct observation o = question_of(host, after_us, 0, PUBLIC_A, ttl);

    o.start_us += offset_us;
    learn(&o);
}

/* Two good answers before, two after, to three names, 40 ms and TTL 54. */
static void learn_ordinary(void)
{
    learn_at("a.example", -20 * S, 40 * MS, 54);
    learn_at("b.example", -10 * S, 41 * MS, 54);
    learn_at("c.example", 10 * S, 42 * MS, 54);
    learn_at("a.example", 20 * S, 90 * MS, 54);
}

static struct verdict judged_here(const struct observation *question, uint8_t followed)
{
    struct judge_context context = {.capture_end_us = question->end_us + 60 * S,
                                    .followed = followed};
    struct verdict verdict;

    context.resolver = resolvers_find(resolvers, LINE, question);
    judge_flow(question, &context, &verdict);
    return verdict;
}

static bool is_accused(const struct observation *question)
{
    return judged_here(question, 0).attribution == ATTRIBUTION_THIRD_PARTY;
}

/* ---- learning ---- */

static void test_learning(void **state)
{
    struct observation o = question_of("x.example", 2 * MS, 3, NULL, 58);
    struct resolver_view view;

    (void)state;
    assert_int_equal(resolvers_find(resolvers, LINE, &o).good, 0);
    learn_ordinary();
    learn(&o); /* an injected one, alone in its voice */
    view = resolvers_find(resolvers, LINE, &o);
    assert_int_equal(view.good, 4);
    assert_int_equal(view.near_least, 3); /* 90 ms were not the way */
    assert_int_equal(view.names, 3);
    assert_int_equal(view.least_us, 40 * MS);
    assert_int_equal(view.ttl, 54);
    assert_false(view.same_voice || view.voice_good);
    assert_int_equal(resolvers_find(resolvers, LINE + 1, &o).good, 0);
    learn_at("d.example", 0, 3 * MS, 54); /* sooner in the same voice: that is the way, then */
    assert_int_equal(resolvers_find(resolvers, LINE, &o).near_least, 1);
}

static void test_not_learnt(void **state)
{
    struct observation twice = question_of("a.example", 5 * MS, 0, PUBLIC_A, 54);
    struct observation two = twice;

    (void)state;
    twice.packets[SIDE_CLIENT] = 2; /* which of the two was answered? */
    learn(&twice);
    assert_int_equal(resolvers_find(resolvers, LINE, &twice).plain, 0);
    flow_answered(&two, 60 * MS, 0, PUBLIC_B); /* of two answers the last */
    two.dns.answers[1].ip_ttl = 54;
    learn(&two);
    assert_int_equal(resolvers_find(resolvers, LINE, &two).least_us, 60 * MS);
}

/* A farm speaks in many voices: nothing is said of it. */
static void test_crowd(void **state)
{
    struct observation o = question_of("x.example", 2 * MS, 3, NULL, 58);

    (void)state;
    learn_ordinary();
    for (uint8_t ttl = 100; ttl < 112; ttl += 3)
        learn_at("a.example", 0, 40 * MS, ttl);
    assert_int_equal(resolvers_find(resolvers, LINE, &o).good, 0);
    assert_false(is_accused(&o));
}

/* ---- a lone answer ---- */

static void test_lone_denials(void **state)
{
    static const struct {
        uint8_t rcode;
        const char *address, *mechanism;
    } denials[] = {{3, NULL, "dns.nxdomain"},
                   {5, NULL, "dns.refused"},
                   {2, NULL, "dns.servfail"},
                   {0, "10.10.34.36", "dns.injection.bogon"}};

    (void)state;
    learn_ordinary();
    for (size_t i = 0; i < sizeof(denials) / sizeof(*denials); i++) {
        struct observation o =
            question_of("x.example", 2 * MS, denials[i].rcode, denials[i].address, 58);
        learn(&o);
        struct verdict verdict = judged_here(&o, 0);
        assert_true(has_rule(&verdict, "dns-lone-answer"));
        assert_int_equal(verdict.attribution, ATTRIBUTION_THIRD_PARTY);
        assert_string_equal(verdict.mechanism, denials[i].mechanism);
        assert_int_equal(verdict.outcome, OUTCOME_FAILED);
        assert_true(judge_is_proven(&verdict));
    }
}

/* Each guard: without it an honest denial would be somebody else's. */
static void test_lone_guards(void **state)
{
    struct observation denied = question_of("x.example", 2 * MS, 3, NULL, 58), o;

    (void)state;
    learn_ordinary();
    assert_true(is_accused(&denied));
    o = denied; /* from the resolver's cache, in its own voice: haste alone */
    o.dns.answers[0].ip_ttl = 54;
    assert_false(is_accused(&o));
    o.dns.answers[0].ip_ttl = 55;
    assert_false(is_accused(&o));
    o = denied;
    o.dns.answers[0].after_us = 33 * MS; /* not sooner than 0.8 */
    assert_false(is_accused(&o));
    o = denied;
    o.packets[SIDE_CLIENT] = 2;
    assert_false(is_accused(&o));
    o = page_answer(2 * MS, 58); /* a listed address that is the service's own */
    o.dns.page_owner = DNS_PAGE_OF_ASKED;
    assert_false(is_accused(&o));
    o = denied;
    o.dns.answers[0].truncated = true;
    assert_false(is_accused(&o));
    o = denied;
    o.dns.answers[0].ip_ttl = 63; /* a house's own box */
    assert_false(is_accused(&o));
    o = question_of("x.example", 2 * MS, 0, PUBLIC_B, 58); /* an address like any other */
    assert_false(is_accused(&o));
    o = denied;
    o.start_us += 60 * S; /* the way may have changed since */
    assert_false(is_accused(&o));
    o.start_us -= 120 * S;
    assert_false(is_accused(&o));
    learn_at("y.example", 5 * S, 3 * MS, 58); /* the nearer machine of the same resolver */
    assert_false(is_accused(&denied));
}

static void test_lone_needs_firm(void **state)
{
    struct observation o = question_of("x.example", 2 * MS, 3, NULL, 58);

    (void)state;
    learn_at("a.example", -20 * S, 40 * MS, 54);
    learn_at("b.example", 10 * S, 41 * MS, 54);
    assert_false(is_accused(&o)); /* two */
    learn_at("b.example", 10 * S, 80 * MS, 54);
    assert_false(is_accused(&o)); /* three that do not agree */
    learn_at("b.example", 10 * S, 42 * MS, 54);
    assert_true(is_accused(&o));
}

/* Who denies all is known by nothing good. */
static void test_lone_needs_good(void **state)
{
    struct observation o = question_of("x.example", 2 * MS, 3, NULL, 58);
    struct observation denied = question_of("c.example", 41 * MS, 3, NULL, 54);

    (void)state;
    learn_at("a.example", -20 * S, 40 * MS, 54);
    learn_at("b.example", 10 * S, 41 * MS, 54);
    learn(&denied);
    assert_false(is_accused(&o));
}

static void test_lone_one_name(void **state)
{
    struct observation o = question_of("x.example", 2 * MS, 3, NULL, 58);

    (void)state;
    for (int i = -2; i < 3; i++)
        learn_at("a.example", i * S, 40 * MS, 54); /* its own server may be that far */
    assert_false(is_accused(&o));
}

/* The same record, asked for again while it held: the resolver had it, and the time is the way's. */
static void test_lone_at_hand(void **state)
{
    struct observation o = question_of("x.example", 2 * MS, 3, NULL, 58);
    struct observation again = question_of("a.example", 40 * MS, 0, PUBLIC_A, 54);

    (void)state;
    again.dns.answers[0].ttl = 60;
    again.start_us -= 10 * S;
    for (int i = 0; i < 3; i++, again.start_us += 2 * S)
        learn(&again);
    assert_false(is_accused(&o)); /* two of them came from its memory */
    learn(&again);
    assert_true(is_accused(&o));
    o.start_us += 60 * S; /* the way may have changed since */
    assert_false(is_accused(&o));
}

/* Voices that only deny are forgotten for one that gives good answers. */
static void test_many_strangers(void **state)
{
    struct observation o = question_of("x.example", 2 * MS, 3, NULL, 58);

    (void)state;
    for (uint8_t ttl = 100; ttl < 160; ttl += 3) {
        struct observation denied = question_of("x.example", 2 * MS, 3, NULL, ttl);
        denied.start_us -= 30 * S;
        learn(&denied);
    }
    learn_ordinary();
    assert_true(is_accused(&o));
}

/* Two routers from a probe in the network stands nobody's house. */
static void test_near_box(void **state)
{
    struct observation o = question_of("x.example", 2 * MS, 3, NULL, 62);
    struct judge_context context = {.capture_end_us = o.end_us + 60 * S};
    struct verdict verdict;

    (void)state;
    learn_ordinary();
    assert_false(is_accused(&o));
    context.resolver = resolvers_find(resolvers, LINE, &o);
    context.position = POSITION_CARRIER;
    judge_flow(&o, &context, &verdict);
    assert_int_equal(verdict.attribution, ATTRIBUTION_THIRD_PARTY);
    context.position = POSITION_SUBSCRIBER;
    judge_flow(&o, &context, &verdict);
    assert_int_equal(verdict.attribution, ATTRIBUTION_UNKNOWN);
}

static void test_near_resolver(void **state)
{
    struct observation o = question_of("x.example", 1 * MS, 3, NULL, 58);

    (void)state;
    for (int i = -2; i < 3; i++)
        learn_at(i % 2 ? "a.example" : "b.example", i * S, 40 * MS, 63); /* two hops off at most */
    assert_false(is_accused(&o));
}

static void test_quick_resolver(void **state)
{
    struct observation o = question_of("x.example", 1 * MS, 3, NULL, 58);

    (void)state;
    for (int i = -2; i < 3; i++)
        learn_at(i % 2 ? "a.example" : "b.example", i * S, 4 * MS, 54);
    assert_false(is_accused(&o));
}

/* ---- two answers ---- */

static void test_two_answers_named_by_first(void **state)
{
    struct observation o = question_of("x.example", 2 * MS, 3, NULL, 54);
    struct verdict verdict;

    (void)state;
    flow_answered(&o, 41 * MS, 0, PUBLIC_B);
    o.dns.answers[1].ip_ttl = 54;
    o.dns.answers[1].flags = 0x8180;
    verdict = judged_here(&o, 0);
    assert_string_equal(verdict.mechanism, "dns.nxdomain");
    assert_int_equal(verdict.outcome, OUTCOME_UNKNOWN);
    assert_int_equal(verdict.attribution, ATTRIBUTION_UNKNOWN);
    learn_ordinary();
    verdict = judged_here(&o, 0); /* sooner than the resolver can */
    assert_true(has_rule(&verdict, "dns-two-answers"));
    assert_int_equal(verdict.attribution, ATTRIBUTION_THIRD_PARTY);
    assert_int_equal(verdict.outcome, OUTCOME_FAILED);
    o.dns.answers[0].after_us = 60 * MS; /* the truth first */
    verdict = judged_here(&o, 0);
    assert_string_equal(verdict.mechanism, "dns.injection.other");
    assert_int_equal(verdict.attribution, ATTRIBUTION_UNKNOWN);
}

/* The truth came first: the client was not stopped. */
static void test_truth_first(void **state)
{
    struct observation o = question_of("x.example", 20 * MS, 0, PUBLIC_B, 54);
    struct verdict verdict;

    (void)state;
    flow_answered(&o, 41 * MS, 0, "10.10.34.36");
    o.dns.answers[1].ip_ttl = 60;
    o.dns.answers[1].flags = 0x8400;
    verdict = judged_here(&o, 0);
    assert_int_equal(verdict.attribution, ATTRIBUTION_THIRD_PARTY);
    assert_int_equal(verdict.outcome, OUTCOME_UNKNOWN);
}

/* A line that doubles questions: one resolver, two answers, as soon as each other. */
static void test_one_voice(void **state)
{
    struct observation o = question_of("x.example", 41 * MS, 0, PUBLIC_A, 54);
    struct verdict verdict;

    (void)state;
    flow_answered(&o, 42 * MS, 0, PUBLIC_B);
    o.dns.answers[1].ip_ttl = 54;
    o.dns.answers[1].flags = 0x8180;
    verdict = judged_here(&o, 0);
    assert_null(verdict.mechanism);
    assert_int_equal(verdict.outcome, OUTCOME_OK);
    struct observation third = o;
    flow_answered(&third, 43 * MS, 0, "9.9.9.9"); /* and one that is not */
    third.dns.answers[2].ip_ttl = 50;
    assert_string_equal(judged_here(&third, 0).mechanism, "dns.injection.other");
    third = o;
    third.dns.answers[1].flags = 0x8580;
    assert_string_equal(judged_here(&third, 0).mechanism, "dns.injection.other");
    learn_ordinary();
    assert_null(judged_here(&o, 0).mechanism);
    o.dns.answers[0].after_us = 3 * MS; /* a perfect copy, but for its haste */
    verdict = judged_here(&o, 0);
    assert_string_equal(verdict.mechanism, "dns.injection.other");
    assert_int_equal(verdict.attribution, ATTRIBUTION_THIRD_PARTY);
    assert_int_equal(verdict.outcome, OUTCOME_FAILED);
}

/* ---- a resolver's own lie ---- */

/* A catalogued page is one, whoever gives its address; in whose voice is said beside. */
static void test_own_lie(void **state)
{
    struct observation o = page_answer(38 * MS, 54);
    struct verdict verdict;

    (void)state;
    assert_true(is_accused(&o));
    learn_ordinary();
    verdict = judged_here(&o, 0);
    assert_string_equal(verdict.mechanism, "dns.injection.blockpage");
    assert_int_equal(verdict.attribution, ATTRIBUTION_THIRD_PARTY);
    assert_true(has_rule(&verdict, "dns-own-voice"));
    assert_true(judge_is_proven(&verdict));
    o = page_answer(38 * MS, 60); /* not its voice */
    verdict = judged_here(&o, 0);
    assert_false(has_rule(&verdict, "dns-own-voice"));
    assert_int_equal(verdict.attribution, ATTRIBUTION_THIRD_PARTY);
}

/* A listed address that is a service's own. */
static void test_owned_address(void **state)
{
    struct observation o = page_answer(38 * MS, 54);
    struct verdict verdict;

    (void)state;
    o.dns.page_owner = DNS_PAGE_OF_ASKED;
    verdict = judged_here(&o, 0);
    assert_null(verdict.mechanism);
    assert_int_equal(verdict.outcome, OUTCOME_OK);
    o.dns.page_owner = DNS_PAGE_OF_OTHER;
    verdict = judged_here(&o, 0);
    assert_string_equal(verdict.mechanism, "dns.injection.other");
    assert_int_equal(verdict.attribution, ATTRIBUTION_UNKNOWN);
    o.service = ""; /* whose name that is nobody knows */
    assert_null(judged_here(&o, 0).mechanism);
}

/* ---- looks ---- */

static void test_looks(void **state)
{
    struct observation o = question_of("x.example", 39 * MS, 0, "10.10.34.36", 54);
    struct verdict verdict;

    (void)state;
    for (int i = -2; i < 3; i++) {
        struct observation good = question_of("a.example", 40 * MS, 0, PUBLIC_A, 54);
        good.dns.edns_asked = good.dns.answers[0].has_edns = true;
        good.dns.answers[0].ip_flags = 1;
        learn(&good);
    }
    o.dns.edns_asked = o.dns.answers[0].has_edns = true;
    o.dns.answers[0].ip_flags = 1;
    verdict = judged_here(&o, 0);
    assert_true(has_rule(&verdict, "dns-own-voice") && verdict.score < 0.5);
    assert_false(has_rule(&verdict, "dns-header-apart") || has_rule(&verdict, "dns-no-edns") ||
                 has_rule(&verdict, "dns-df-apart") || has_rule(&verdict, "dns-ttl-apart"));
    o.dns.answers[0].flags = 0x8580;
    o.dns.answers[0].has_edns = false;
    o.dns.answers[0].ip_flags = 0;
    o.dns.answers[0].ip_ttl = 57;
    verdict = judged_here(&o, 0);
    assert_true(has_rule(&verdict, "dns-header-apart") && has_rule(&verdict, "dns-no-edns") &&
                has_rule(&verdict, "dns-df-apart") && has_rule(&verdict, "dns-ttl-apart"));
    assert_true(verdict.score > 0.5);
    assert_int_equal(verdict.attribution, ATTRIBUTION_UNKNOWN); /* they prove nothing */
    o.dns.answers[0].rcode = 5; /* honest errors have other flags, and no EDNS */
    o.dns.answers[0].address_count = 0;
    verdict = judged_here(&o, 0);
    assert_false(has_rule(&verdict, "dns-header-apart") || has_rule(&verdict, "dns-no-edns"));
    assert_true(has_rule(&verdict, "dns-ttl-apart"));
}

/* ---- what the client met ---- */

static void test_followed(void **state)
{
    struct observation o = question_of("x.example", 5 * MS, 0, PUBLIC_A, 51);
    struct verdict doubted, verdict;

    (void)state;
    flow_answered(&o, 60 * MS, 0, PUBLIC_B);
    o.dns.answers[1].ip_ttl = 50;
    o.dns.answers[1].flags = 0x8180;
    doubted = judged_here(&o, 0);
    assert_string_equal(doubted.mechanism, "dns.injection.other");
    verdict = judged_here(&o, FOLLOW_CERTIFICATE);
    assert_null(verdict.mechanism);
    assert_int_equal(verdict.outcome, OUTCOME_OK);
    assert_int_equal(verdict.attribution, ATTRIBUTION_NONE);
    assert_true(has_rule(&verdict, "dns-followed-well"));
    verdict = judged_here(&o, FOLLOW_PAGE);
    assert_true(has_rule(&verdict, "dns-followed-to-page") && verdict.score > doubted.score);
    assert_int_equal(verdict.attribution, ATTRIBUTION_UNKNOWN);
    verdict = judged_here(&o, FOLLOW_OTHER_NAME);
    assert_true(has_rule(&verdict, "dns-followed-to-other"));
    verdict = judged_here(&o, FOLLOW_IN_VAIN);
    assert_true(has_rule(&verdict, "dns-followed-in-vain"));
    o.dns.answers[0].ip_ttl = 61; /* two senders: the certificate does not undo that */
    o.dns.answers[0].flags = 0x8580;
    verdict = judged_here(&o, FOLLOW_CERTIFICATE);
    assert_int_equal(verdict.attribution, ATTRIBUTION_THIRD_PARTY);
    o = page_answer(38 * MS, 54); /* a list errs where the name's own server answers */
    assert_null(judged_here(&o, FOLLOW_CERTIFICATE).mechanism);
}

static uint8_t met_after(const struct observation *question, struct observation flow)
{
    struct follows *follows;
    uint8_t met;

    flow.dns_flow = question->packet;
    assert_int_equal(follows_create(&follows), DL_OK);
    assert_int_equal(follows_learn(follows, question, 0), DL_OK);
    assert_int_equal(follows_learn(follows, &flow, flow.end_us + 60 * S), DL_OK);
    met = follows_find(follows, question);
    follows_destroy(follows);
    return met;
}

static void test_following(void **state)
{
    struct observation plain = question_of("x.example", 5 * MS, 0, PUBLIC_A, 50);
    struct observation doubtful = page_answer(5 * MS, 50), flow = flow_session();
    const unsigned unwanted[] = {CERTIFICATE_SELF_ISSUED, CERTIFICATE_PAST, CERTIFICATE_OWN};

    (void)state;
    flow.certificate = CERTIFICATE_PRESENT | CERTIFICATE_NAME_FITS;
    assert_int_equal(met_after(&doubtful, flow), FOLLOW_CERTIFICATE);
    doubtful.dns.page_owner = DNS_PAGE_OF_ASKED;
    assert_int_equal(met_after(&doubtful, flow), 0);
    doubtful.dns.page_owner = DNS_PAGE_OF_NONE;
    flow.server.address.bytes[15]++; /* it had another answer to go by */
    assert_int_equal(met_after(&doubtful, flow), 0);
    flow.server.address.bytes[15]--;
    assert_int_equal(met_after(&plain, flow), 0); /* not remembered: nothing is in doubt */
    for (size_t i = 0; i < sizeof(unwanted) / sizeof(*unwanted); i++) {
        flow.certificate = (uint8_t)(CERTIFICATE_PRESENT | CERTIFICATE_NAME_FITS | unwanted[i]);
        assert_int_equal(met_after(&doubtful, flow), 0);
    }
    flow.certificate = CERTIFICATE_PRESENT | CERTIFICATE_NAME_OTHER;
    assert_int_equal(met_after(&doubtful, flow), FOLLOW_OTHER_NAME);
    flow = flow_server_hello(); /* shown, and not gone on with */
    flow.certificate = CERTIFICATE_PRESENT | CERTIFICATE_NAME_FITS;
    assert_int_equal(met_after(&doubtful, flow) & FOLLOW_CERTIFICATE, 0);
    assert_int_equal(met_after(&doubtful, flow_syns(3)), FOLLOW_IN_VAIN);
    flow = flow_web_request();
    flow.evidence.http.blockpage = (struct blockpage_facts){.id = "pk-x"};
    assert_true(met_after(&doubtful, flow) & FOLLOW_PAGE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_learning),       TEST(test_not_learnt),
        TEST(test_crowd),          TEST(test_lone_denials),
        TEST(test_lone_guards),    TEST(test_lone_needs_firm),
        TEST(test_lone_one_name),  TEST(test_lone_needs_good),
        TEST(test_lone_at_hand),   TEST(test_many_strangers),
        TEST(test_near_box),       TEST(test_near_resolver),
        TEST(test_quick_resolver), TEST(test_two_answers_named_by_first),
        TEST(test_truth_first),    TEST(test_one_voice),
        TEST(test_own_lie),        TEST(test_owned_address),
        TEST(test_looks),          TEST(test_followed),
        TEST(test_following),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
