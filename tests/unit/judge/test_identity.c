// SPDX-License-Identifier: GPL-3.0-or-later
/* Who usually signs for a name, and certificates that are not the server's. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "analyzer/judge/identity.h"
#include "base/status.h"
#include "tests/unit/judge/proving.h"

#define LINE    3
#define OTHER   4
#define USUAL   "Good Intermediate 7, Good Trust"
#define STRANGE "Filter Root, Filter Ltd"
#define FITS    (CERTIFICATE_PRESENT | CERTIFICATE_NAME_FITS)

static struct identities *identities;

static int setup(void **state)
{
    (void)state;
    return identities_create(&identities);
}

static int teardown(void **state)
{
    (void)state;
    identities_destroy(identities);
    return 0;
}

/* A session that worked, of a service with servers of its own. */
static struct observation shown(const char *service, const char *host, const char *issuer,
                                unsigned certificate)
{
    struct observation o = flow_session();

    o.service = service;
    o.host = host;
    o.reasons = REASON_SNI;
    o.issuer = issuer;
    o.certificate = (uint8_t)certificate;
    return o;
}

static struct observation of_signal(const char *issuer, unsigned certificate)
{
    return shown("signal", "chat.signal.org", issuer, certificate);
}

/* The client believes nothing of it. */
static void refuse(struct observation *o, uint8_t description)
{
    struct observation refused = flow_server_hello();

    refused.service = o->service;
    refused.host = o->host;
    refused.reasons = o->reasons;
    refused.issuer = o->issuer;
    refused.certificate = o->certificate;
    refused.start_us = o->start_us;
    refused.evidence.tls.alert_level = 2;
    refused.evidence.tls.alert_description = description;
    refused.evidence.tls.alert_side = SIDE_CLIENT;
    refused.evidence.tls.alert_after_us = 130 * MS;
    flow_sent(&refused, SIDE_CLIENT, 130 * MS, 7);
    *o = refused;
}

static void learn(uint32_t line, struct observation flow, int64_t offset_us)
{
    flow.start_us += offset_us;
    assert_int_equal(identities_learn(identities, line, &flow), DL_OK);
}

/* Three flows over three hours, on this line and another. */
static void learn_usual(const char *service, const char *host)
{
    struct observation o = shown(service, host, USUAL, FITS);

    learn(LINE, o, -3600 * S);
    learn(OTHER, o, 60 * S);
    learn(LINE, o, 3600 * S);
}

static struct verdict judged_here(const struct observation *flow)
{
    struct judge_context context = {.capture_end_us = flow->end_us + 60 * S};
    struct verdict verdict;

    context.identity = identities_find(identities, LINE, flow);
    judge_flow(flow, &context, &verdict);
    return verdict;
}

/* The flow is one of the store's, too. */
static struct verdict concluded(const struct observation *flow)
{
    learn(LINE, *flow, 0);
    assert_int_equal(identities_conclude(identities), DL_OK);
    return judged_here(flow);
}

static void assert_mitm(const struct verdict *verdict, const char *mechanism)
{
    assert_non_null(verdict->mechanism);
    assert_string_equal(verdict->mechanism, mechanism);
    assert_int_equal(verdict->attribution, ATTRIBUTION_UNKNOWN);
    assert_true(verdict->score > 0.5 && verdict->score <= 0.8);
    assert_false(judge_is_proven(verdict));
}

/* ---- learning ---- */

static void test_usual(void **state)
{
    struct observation o = of_signal("Good Intermediate 8, Good Trust", FITS), strange;
    struct identity_view view;

    (void)state;
    learn_usual("signal", "chat.signal.org");
    view = identities_find(identities, LINE, &o);
    assert_int_equal(view.usual, 3);
    assert_true(view.is_usual); /* the authority's next intermediate */
    assert_int_equal(view.fitting, 3);
    strange = of_signal(STRANGE, FITS);
    view = identities_find(identities, LINE, &strange);
    assert_true(!view.is_usual && view.usual_elsewhere && view.usual_goes_on);
    strange.start_us += 7200 * S; /* nobody saw the usual one again */
    assert_false(identities_find(identities, LINE, &strange).usual_goes_on);
    strange.start_us -= 14400 * S; /* or had seen it yet */
    assert_false(identities_find(identities, LINE, &strange).usual_goes_on);
    strange = shown("signal", "cdn.signal.org", STRANGE, FITS); /* the same registered name */
    assert_int_equal(identities_find(identities, LINE, &strange).usual, 3);
    strange = shown("signal", "cdn.whispersystems.org", STRANGE, FITS);
    assert_int_equal(identities_find(identities, LINE, &strange).usual, 0);
    strange = shown("", "chat.signal.org", STRANGE, FITS);
    assert_int_equal(identities_find(identities, LINE, &strange).usual, 0);
}

static void test_usual_needs(void **state)
{
    struct observation usual = of_signal(USUAL, FITS), strange = of_signal(STRANGE, FITS);

    (void)state;
    learn(LINE, usual, 0);
    learn(LINE, usual, 0);
    assert_int_equal(identities_find(identities, LINE, &strange).usual, 0); /* two flows */
    learn(LINE, usual, 10 * S);
    assert_int_equal(identities_find(identities, LINE, &strange).usual, 3);
    assert_false(
        identities_find(identities, LINE, &strange).usual_elsewhere); /* one server's mood */
    strange.server.address.bytes[15]++;
    assert_true(identities_find(identities, LINE, &strange).usual_elsewhere);
    assert_false(identities_find(identities, OTHER, &strange).usual_elsewhere); /* who is right? */
    usual.server.address.bytes[15] += 9;
    learn(OTHER, usual, 10 * S);
    assert_true(identities_find(identities, OTHER, &strange).usual_elsewhere);
    for (char name[] = "A"; name[0] < 'F'; name[0]++)
        learn(LINE, of_signal(name, FITS), 0);
    assert_int_equal(identities_find(identities, LINE, &strange).usual,
                     0); /* a bazaar of issuers */
}

static void test_not_learnt(void **state)
{
    struct observation o = of_signal(USUAL, FITS | CERTIFICATE_OWN);

    (void)state;
    for (int i = 0; i < 5; i++) {
        learn(LINE, o, 0);
        learn(LINE, of_signal("", FITS), 0);
        learn(LINE, of_signal(USUAL, 0), 0);
    }
    o.certificate = FITS;
    assert_int_equal(identities_find(identities, LINE, &o).fitting, 0);
}

/* ---- self-signed ---- */

static void test_self_signed(void **state)
{
    struct observation o = of_signal("chat.signal.org", FITS | CERTIFICATE_SELF_ISSUED);
    struct verdict verdict = judged_here(&o);

    (void)state;
    assert_mitm(&verdict, "tls.mitm.self_signed");
    assert_true(has_rule(&verdict, "certificate-self-signed"));
    assert_int_equal(verdict.outcome, OUTCOME_OK); /* what the ends achieved */
    o.certificate = CERTIFICATE_PRESENT | CERTIFICATE_NAME_OTHER | CERTIFICATE_SELF_ISSUED;
    assert_null(judged_here(&o).mechanism); /* a program that names another's server */
    refuse(&o, 48);
    verdict = judged_here(&o);
    assert_mitm(&verdict, "tls.mitm.self_signed");
    assert_true(has_rule(&verdict, "certificate-refused"));
    assert_int_equal(verdict.outcome, OUTCOME_FAILED);
    o.evidence.tls.alert_side = SIDE_SERVER; /* not a word about the server's certificate */
    assert_null(judged_here(&o).mechanism);
    o.evidence.tls.alert_side = SIDE_CLIENT;
    o.evidence.tls.alert_description = 40;
    assert_null(judged_here(&o).mechanism);
}

static void test_self_signed_guards(void **state)
{
    struct observation o = of_signal("chat.signal.org", FITS | CERTIFICATE_SELF_ISSUED), other;

    (void)state;
    other = o;
    other.certificate |= CERTIFICATE_OWN; /* a company's BES or UEM, anybody's Matrix */
    assert_null(judged_here(&other).mechanism);
    other = o;
    other.reasons |= REASON_INVENTORY;
    assert_null(judged_here(&other).mechanism);
    other = o;
    other.service = "";
    assert_null(judged_here(&other).mechanism);
    other = o;
    other.certainty = CERTAINTY_POSSIBLE;
    assert_null(judged_here(&other).mechanism);
    other = o;
    other.reasons = REASON_DNS; /* it asked for no name */
    assert_null(judged_here(&other).mechanism);
    other = o;
    other.flags |= OBSERVATION_MID_STREAM;
    assert_null(judged_here(&other).mechanism);
    for (int i = 0; i < 3; i++)
        learn(OTHER, o, i * 3600 * S); /* the service signs for itself */
    assert_null(judged_here(&o).mechanism);
}

/* ---- another issuer ---- */

static void test_other_issuer_refused(void **state)
{
    struct observation o = of_signal(STRANGE, FITS);
    struct verdict verdict;

    (void)state;
    learn_usual("signal", "chat.signal.org");
    refuse(&o, 46);
    verdict = concluded(&o);
    assert_mitm(&verdict, "tls.mitm.ca_signed");
    assert_true(has_rule(&verdict, "certificate-other-issuer"));
    assert_true(has_rule(&verdict, "certificate-refused"));
    o.certificate |= CERTIFICATE_OWN;
    assert_null(judged_here(&o).mechanism);
}

/* One server, within a minute: the usual one must have come back, or nobody knows which is new. */
static void test_other_issuer_for_a_moment(void **state)
{
    struct observation usual = of_signal(USUAL, FITS), o = of_signal(STRANGE, FITS);

    (void)state;
    for (int i = 0; i < 3; i++)
        learn(LINE, usual, (i - 5) * S);
    refuse(&o, 46);
    assert_null(concluded(&o).mechanism);
    learn(LINE, usual, 5 * S);
    struct verdict verdict = judged_here(&o);
    assert_mitm(&verdict, "tls.mitm.ca_signed");
    o = of_signal(STRANGE, FITS); /* what one client refused another believed */
    assert_non_null(judged_here(&o).mechanism);
}

/* Another client, another day, did not believe it. */
static void test_refused_by_another(void **state)
{
    struct observation o = of_signal(STRANGE, FITS), refused = o;
    struct verdict verdict;

    (void)state;
    learn_usual("signal", "chat.signal.org");
    assert_null(concluded(&o).mechanism);
    refuse(&refused, 48);
    learn(LINE, refused, 20 * S);
    verdict = judged_here(&o);
    assert_non_null(verdict.mechanism);
    assert_string_equal(verdict.mechanism, "tls.mitm.ca_signed");
    assert_false(has_rule(&verdict, "certificate-refused"));
    assert_int_equal(verdict.outcome, OUTCOME_OK);
}

/* One of several authorities of a service; the client has nothing against it. */
static void test_other_issuer_believed(void **state)
{
    struct observation o = of_signal(STRANGE, FITS);

    (void)state;
    learn_usual("signal", "chat.signal.org");
    assert_null(concluded(&o).mechanism);
}

static void test_public_authority(void **state)
{
    struct observation o = of_signal(STRANGE, FITS);

    (void)state;
    learn_usual("signal", "chat.signal.org");
    for (int i = 0; i < 3; i++) /* it signs for others as a matter of course */
        learn(OTHER, shown("slack", "slack.com", STRANGE, FITS), i * 3600 * S);
    refuse(&o, 46);
    assert_null(concluded(&o).mechanism);
}

static void test_unknown_usual(void **state)
{
    struct observation o = of_signal(STRANGE, FITS);

    (void)state;
    refuse(&o, 46); /* a client with a wrong clock, an old list of authorities */
    assert_null(concluded(&o).mechanism);
}

static void test_seen_on_lines(void **state)
{
    struct observation o = of_signal(STRANGE, FITS);

    (void)state;
    learn_usual("signal", "chat.signal.org");
    learn(OTHER, o, 0);
    refuse(&o, 46);
    assert_null(concluded(&o).mechanism);
}

/* ---- one that signs for all ---- */

static const char *const with_control[3][2] = {
    {"signal", "chat.signal.org"}, {"slack", "slack.com"}, {"control-example", "www.example.com"}};
static const char *const without_control[3][2] = {
    {"signal", "chat.signal.org"}, {"slack", "slack.com"}, {"viber", "www.viber.com"}};
static const char *const of_one_service[3][2] = {{"signal", "chat.signal.org"},
                                                 {"signal", "cdn.signal.net"},
                                                 {"signal", "cdn.whispersystems.org"}};

static void learn_proxy(const char *const names[3][2])
{
    for (size_t i = 0; i < 3; i++) {
        learn_usual(names[i][0], names[i][1]);
        learn(LINE, shown(names[i][0], names[i][1], STRANGE, FITS), 0);
    }
    assert_int_equal(identities_conclude(identities), DL_OK);
}

static void test_proxy(void **state)
{
    struct observation o = of_signal(STRANGE, FITS);
    struct verdict verdict;

    (void)state;
    learn_proxy(with_control);
    verdict = judged_here(&o);
    assert_mitm(&verdict, "tls.mitm.ca_signed");
    assert_false(has_rule(&verdict, "near-client"));
    o.start_us += 7200 * S; /* the usual one did not come back: a renewal */
    assert_null(judged_here(&o).mechanism);
}

static void test_house(void **state)
{
    struct observation o = of_signal(STRANGE, FITS);
    struct verdict verdict;

    (void)state;
    learn_proxy(with_control);
    o.evidence.sides[SIDE_SERVER].ttl_first = 64;
    o.evidence.handshake_rtt_us = 600;
    verdict = judged_here(&o);
    assert_true(has_rule(&verdict, "near-client"));
    assert_true(verdict.score <= JUDGE_SCORE_INNOCENT);
    o.evidence.handshake_rtt_us = 30 * MS;
    verdict = judged_here(&o);
    assert_false(has_rule(&verdict, "near-client"));
    o.evidence.handshake_rtt_us = 600;
    o.evidence.sides[SIDE_SERVER].ttl_first = 54;
    verdict = judged_here(&o);
    assert_false(has_rule(&verdict, "near-client"));
}

static struct verdict judged_near(const char *const names[3][2])
{
    struct observation o = of_signal(STRANGE, FITS);

    learn_proxy(names);
    o.evidence.sides[SIDE_SERVER].ttl_first = 64;
    o.evidence.handshake_rtt_us = 600;
    return judged_here(&o);
}

/* A house that looks into the ordered service and leaves the rest alone is none. */
static void test_house_without_control(void **state)
{
    struct verdict verdict = judged_near(without_control);

    (void)state;
    assert_mitm(&verdict, "tls.mitm.ca_signed");
    assert_false(has_rule(&verdict, "near-client"));
}

/* A second authority of one operator. */
static void test_one_service(void **state)
{
    (void)state;
    assert_null(judged_near(of_one_service).mechanism);
}

/* ---- other names, other days ---- */

static void test_other_name(void **state)
{
    struct observation o = of_signal(STRANGE, CERTIFICATE_PRESENT | CERTIFICATE_NAME_OTHER);
    struct verdict verdict;

    (void)state;
    assert_null(judged_here(&o).mechanism);
    learn_usual("signal", "chat.signal.org");
    verdict = concluded(&o);
    assert_mitm(&verdict, "tls.mitm.ca_signed");
    assert_true(has_rule(&verdict, "certificate-other-name"));
    o.issuer = USUAL; /* the wrong one of the server's own */
    assert_null(judged_here(&o).mechanism);
}

static void test_past(void **state)
{
    struct observation o = of_signal(USUAL, FITS | CERTIFICATE_PAST);
    struct verdict verdict;

    (void)state;
    learn_usual("signal", "chat.signal.org");
    assert_int_equal(judged_here(&o).attribution, ATTRIBUTION_NONE); /* nobody minds */
    refuse(&o, 45);
    verdict = concluded(&o);
    assert_null(verdict.mechanism);
    assert_int_equal(verdict.attribution, ATTRIBUTION_ENDPOINT);
    assert_true(has_rule(&verdict, "certificate-past"));
    o.issuer = STRANGE;
    verdict = judged_here(&o);
    assert_false(has_rule(&verdict, "certificate-past"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_usual),
        TEST(test_usual_needs),
        TEST(test_not_learnt),
        TEST(test_self_signed),
        TEST(test_self_signed_guards),
        TEST(test_other_issuer_refused),
        TEST(test_other_issuer_believed),
        TEST(test_public_authority),
        TEST(test_unknown_usual),
        TEST(test_seen_on_lines),
        TEST(test_proxy),
        TEST(test_house),
        TEST(test_house_without_control),
        TEST(test_one_service),
        TEST(test_other_name),
        TEST(test_past),
        TEST(test_refused_by_another),
        TEST(test_other_issuer_for_a_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
