// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include "analyzer/judge/judge.h"
#include "tests/unit/judge/proving.h"

/* Each rule with its innocent twin: the twin differs in the one thing that makes the difference. */

/* ---- (a) too soon ---- */

static void test_too_soon(void **state)
{
    struct observation o = hello_reset_at(65 * MS);

    (void)state;
    assert_proven(&o, &known, "answer-too-soon", "tls.reset.sni");
    o = hello_reset_at(109 * MS); /* a load balancer's, a full round trip away */
    assert_open(&o, &known);
    o = hello_reset_at(99 * MS); /* 0.81 of it */
    assert_open(&o, &known);
    o = hello_reset_at(98 * MS); /* 0.79 of it */
    assert_proven(&o, &known, "answer-too-soon", "tls.reset.sni");
}

static void test_too_soon_unknown_path(void **state)
{
    struct observation o = hello_reset_at(65 * MS), dns = flow_question(1);
    struct reference few = known, radio = known, near = known;
    struct judge_context context = {.capture_end_us = o.end_us + 60 * S, .dns = &dns};
    struct verdict verdict;

    (void)state;
    assert_open(&o, NULL); /* one handshake may have waited for a radio */
    few.exchanges = few.samples = 2;
    assert_open(&o, &few);
    radio.exchanges = 0; /* six handshakes that may all have waited */
    assert_open(&o, &radio);
    near.rtt_least_us = 1 * MS; /* the probe stands beside the server */
    assert_open(&o, &near);
    /* A question answered just before shows nothing: the house's own cache may have answered it. */
    flow_answered(&dns, 20 * MS, 0, "68.171.242.18");
    context.server = radio;
    judge_flow(&o, &context, &verdict);
    assert_int_equal(verdict.attribution, ATTRIBUTION_UNKNOWN);
}

/* The request came again, and the answer may be to the first one. */
static void test_too_soon_retransmitted(void **state)
{
    struct observation o = hello_reset_at(460 * MS);

    (void)state;
    last_suspect(&o)->trigger_after_us = 3 * MS;
    assert_proven(&o, &known, "answer-too-soon", "tls.reset.sni");
    o.evidence.sides[SIDE_CLIENT].data_retransmissions = 1;
    assert_open(&o, &known);
}

/* A reset that shows no knowledge of the request may be to something else. */
static void test_too_soon_spontaneous(void **state)
{
    struct observation o = hello_reset_at(65 * MS);

    (void)state;
    last_suspect(&o)->ack_offset = INT32_MIN;
    assert_proven(&o, &known, "answer-too-soon", "tls.reset.sni"); /* 14 ms after the handshake */
    o.evidence.ack_rtt_us = 1;
    o.evidence.handshake_rtt_us = 10 * MS;
    last_suspect(&o)->after_us = 465 * MS;
    assert_open(&o, &known);
    last_suspect(&o)->ack_offset = -517;
    assert_open(&o, &known);
}

static void test_syn_refused_too_soon(void **state)
{
    struct observation o = flow_syns(1);
    struct reference few = known;

    (void)state;
    o.flags = 0;
    flow_reset(&o, SIDE_SERVER, 10 * MS, true);
    last_suspect(&o)->trigger_after_us = 10 * MS;
    assert_proven(&o, &known, "answer-too-soon", "tcp.refused");
    few.exchanges = 2;
    assert_open(&o, &few);
    last_suspect(&o)->trigger_after_us = 47 * MS;
    assert_open(&o, &known);
    last_suspect(&o)->trigger_after_us = 10 * MS;
    o.evidence.sides[SIDE_CLIENT].syn_retransmissions = 1;
    assert_open(&o, &known);
}

/* ---- (b) it talks on ---- */

static void test_talks_on(void **state)
{
    struct observation o = talking_on(SUSPECT_RST);

    (void)state;
    assert_proven(&o, NULL, "talks-on-after-reset", "tls.reset.sni");
    last_suspect(&o)->own_after_us = 45 * MS; /* it was in flight */
    assert_open(&o, NULL);
    o = talking_on(SUSPECT_RST);
    last_suspect(&o)->own_bytes_after = 0; /* only what was sent before came again */
    assert_open(&o, NULL);
    o = talking_on(SUSPECT_RST);
    last_suspect(&o)->seq_offset = -700; /* what follows may be older than the reset */
    assert_open(&o, NULL);
    last_suspect(&o)->seq_offset = 900000; /* of another connection */
    assert_open(&o, NULL);
    o = talking_on(SUSPECT_RST);
    last_suspect(&o)->own_after_us = 90000 * MS; /* the ports may have been used again */
    assert_open(&o, NULL);
    o = talking_on(SUSPECT_RST);
    o.evidence.handshake_rtt_us = 0;
    assert_open(&o, NULL);
    o = talking_on(SUSPECT_RST);
    o.flags |= OBSERVATION_MID_STREAM;
    assert_open(&o, NULL);
}

/* Reset before it said a word, and then it answered that request, again and again: it never knew of
 * the reset. Had it been in the midst of things, it may have been another server's reset. */
static void test_talks_on_again(void **state)
{
    struct observation o = talking_on(SUSPECT_RST);

    (void)state;
    last_suspect(&o)->own_after_us = 5 * MS;
    assert_open(&o, NULL);
    flow_sent(&o, SIDE_SERVER, 117 * MS, 1400);
    flow_sent(&o, SIDE_SERVER, 350 * MS, 1400);
    assert_proven(&o, NULL, "talks-on-after-reset", "tls.reset.sni");
    o.evidence.sides[SIDE_SERVER].first_payload_after_us = 100 * MS;
    assert_open(&o, NULL);
}

static void test_page_too_soon(void **state)
{
    struct observation o = flow_web_request();
    struct judge_context context = {.server = known};
    struct verdict verdict;

    (void)state;
    flow_sent(&o, SIDE_SERVER, 65 * MS, 300);
    o.evidence.http.response = true;
    o.evidence.http.status = 200;
    o.evidence.first_exchange_us = 5 * MS;
    context.capture_end_us = o.end_us + 60 * S;
    judge_flow(&o, &context, &verdict);
    assert_true(has_rule(&verdict, "answer-too-soon"));
    assert_string_equal(verdict.mechanism, "http.blockpage");
    assert_int_equal(verdict.outcome, OUTCOME_FAILED);
    context.server.line_wakes = true; /* a radio may have woken up for the SYN */
    judge_flow(&o, &context, &verdict);
    assert_int_equal(verdict.attribution, ATTRIBUTION_NONE);
    context.server = known;
    context.server.exchanges = 2;
    judge_flow(&o, &context, &verdict);
    assert_int_equal(verdict.attribution, ATTRIBUTION_NONE);
    context.server = known;
    o.evidence.sides[SIDE_CLIENT].data_retransmissions = 1;
    judge_flow(&o, &context, &verdict);
    assert_int_equal(verdict.attribution, ATTRIBUTION_NONE);
    o.evidence.sides[SIDE_CLIENT].data_retransmissions = 0;
    o.evidence.first_exchange_us = 40 * MS;
    judge_flow(&o, &context, &verdict);
    assert_int_equal(verdict.attribution, ATTRIBUTION_NONE);
}

/* A program with raw sockets goes on after its kernel has reset. */
static void test_talks_on_client(void **state)
{
    struct observation o = talking_on(SUSPECT_RST);
    struct suspect *s = last_suspect(&o);

    (void)state;
    s->side = SIDE_CLIENT;
    s->ack_offset = INT32_MIN;
    s->ttl = s->ttl_expected = 64;
    assert_open(&o, NULL);
    s->ttl = 90;
    assert_proven(&o, NULL, "talks-on-after-reset", "tls.reset.sni");
}

static void test_talks_on_after_fin(void **state)
{
    struct observation o = flow_web_request();

    (void)state;
    flow_sent(&o, SIDE_SERVER, 112 * MS, 300);
    o.evidence.http.response = true;
    o.evidence.http.status = 302;
    o.evidence.suspects[o.evidence.suspect_count++] = (struct suspect){.kind = SUSPECT_FIN_DATA,
                                                                       .side = SIDE_SERVER,
                                                                       .after_us = 112 * MS,
                                                                       .trigger_after_us = 52 * MS,
                                                                       .payload_length = 300,
                                                                       .own_bytes_after = 900,
                                                                       .own_after_us = 70 * MS};
    assert_proven(&o, NULL, "talks-on-after-fin", "http.redirect");
    last_suspect(&o)->own_bytes_after = 0;
    assert_open(&o, NULL);
}

/* ---- (c) two contents ---- */

static struct observation two_versions(uint16_t status)
{
    struct observation o = flow_web_request();
    flow_sent(&o, SIDE_SERVER, 112 * MS, 72);
    o.evidence.sides[SIDE_CLIENT].ttl_first = 64;
    o.evidence.sides[SIDE_SERVER].ttl_first = 50;
    o.evidence.http.response = true;
    o.evidence.http.status = status;
    o.evidence.suspects[o.evidence.suspect_count++] = (struct suspect){.kind = SUSPECT_OVERLAP,
                                                                       .side = SIDE_SERVER,
                                                                       .after_us = 130 * MS,
                                                                       .payload_length = 300,
                                                                       .content = 1,
                                                                       .content_before = 2,
                                                                       .length_before = 72,
                                                                       .ttl = 50,
                                                                       .ttl_expected = 61};
    return o;
}

static void test_two_contents(void **state)
{
    struct observation o = two_versions(302);

    (void)state;
    assert_proven(&o, NULL, "two-contents", "http.redirect");
    assert_int_equal(judged(&o, NULL).outcome, OUTCOME_FAILED);
    o = two_versions(200);
    assert_proven(&o, NULL, "two-contents", "http.blockpage");
    last_suspect(&o)->kind = SUSPECT_TTL; /* another TTL, the same bytes */
    assert_open(&o, NULL);
}

/* ---- DNS ---- */

static struct observation two_answers(const char *first, const char *second)
{
    struct observation o = flow_question(1);
    flow_answered(&o, 5 * MS, 0, first);
    flow_answered(&o, 60 * MS, 0, second);
    for (int i = 0; i < 2; i++) {
        o.dns.answers[i].ip_ttl = 50;
        o.dns.answers[i].flags = 0x8180;
    }
    return o;
}

#define PUBLIC_A "31.13.64.7"
#define PUBLIC_B "68.171.242.18"

static void test_dns_bogon(void **state)
{
    struct observation o = two_answers("10.10.34.34", PUBLIC_B);

    (void)state;
    assert_proven(&o, NULL, "dns-two-answers", "dns.injection.bogon");
    o.packets[SIDE_CLIENT] = 2; /* asked again, answered again */
    assert_open(&o, NULL);
    o = two_answers("10.10.34.34", PUBLIC_B);
    o.dns.answers[1].truncated = true;
    assert_open(&o, NULL);
    o = two_answers("10.10.34.34", PUBLIC_B);
    o.server.address.bytes[12] = 224; /* many are asked */
    assert_open(&o, NULL);
    o = two_answers("10.10.34.34", PUBLIC_B);
    o.server_port = 5353;
    assert_open(&o, NULL);
}

static void test_dns_public(void **state)
{
    struct observation o = two_answers(PUBLIC_A, PUBLIC_B);
    struct reference slow = known;

    (void)state;
    assert_open(&o, NULL); /* different, and nothing tells who sent which */
    o.dns.answers[0].ip_ttl = 61;
    assert_open(&o, NULL); /* the TTL alone */
    o.dns.answers[0].flags = 0x8580;
    assert_proven(&o, NULL, "dns-two-answers", "dns.injection.other");
    o.dns.answers[0].ip_ttl = 50;
    assert_open(&o, NULL);                                               /* the flags alone */
    assert_proven(&o, &known, "dns-two-answers", "dns.injection.other"); /* 5 of 48 ms */
    slow.rtt_least_us = 6 * MS;
    assert_open(&o, &slow);
    slow = known;
    slow.samples = slow.exchanges = 2;
    assert_open(&o, &slow);
    o = two_answers(PUBLIC_A, PUBLIC_A); /* the same */
    o.dns.answers[0].ip_ttl = 61;
    o.dns.answers[0].flags = 0x8580;
    assert_open(&o, &known);
}

/* ---- innocent third parties ---- */

static void assert_innocent(const struct observation *flow, const char *rule)
{
    struct verdict verdict = judged(flow, &known);

    assert_true(has_rule(&verdict, rule));
    assert_true(verdict.score >= 0 && verdict.score <= JUDGE_SCORE_INNOCENT);
    assert_false(judge_is_proven(&verdict));
}

static void test_idle_expiry(void **state)
{
    struct observation o = flow_session();

    (void)state;
    flow_sent(&o, SIDE_CLIENT, 300000 * MS, 80);
    flow_reset(&o, SIDE_SERVER, 300003 * MS, true);
    last_suspect(&o)->trigger_after_us = 3 * MS;
    assert_innocent(&o, "idle-expiry");
    assert_int_equal(judged(&o, &known).attribution, ATTRIBUTION_THIRD_PARTY);
    o = flow_session(); /* it had not rested */
    flow_sent(&o, SIDE_CLIENT, 2000 * MS, 80);
    flow_reset(&o, SIDE_SERVER, 2003 * MS, true);
    last_suspect(&o)->trigger_after_us = 3 * MS;
    assert_proven(&o, &known, "answer-too-soon", "stream.reset");
}

static void test_router(void **state)
{
    struct observation o = flow_syns(2);

    (void)state;
    o.evidence.icmp = (struct icmp_facts){.present = true, .type = 3, .code = 1, .ip_version = 4};
    assert_innocent(&o, "router");
    assert_open(&o, &known);
    o.evidence.icmp.code = 13;
    assert_true(has_rule((struct verdict[]){judged(&o, NULL)}, "icmp-prohibited"));
    assert_true(judged(&o, NULL).score > 0.8);
    assert_open(&o, NULL);
    o.evidence.icmp.from_server = true;
    assert_true(judged(&o, NULL).score < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_too_soon),
        cmocka_unit_test(test_too_soon_unknown_path),
        cmocka_unit_test(test_too_soon_retransmitted),
        cmocka_unit_test(test_too_soon_spontaneous),
        cmocka_unit_test(test_syn_refused_too_soon),
        cmocka_unit_test(test_talks_on),
        cmocka_unit_test(test_talks_on_again),
        cmocka_unit_test(test_page_too_soon),
        cmocka_unit_test(test_talks_on_client),
        cmocka_unit_test(test_talks_on_after_fin),
        cmocka_unit_test(test_two_contents),
        cmocka_unit_test(test_dns_bogon),
        cmocka_unit_test(test_dns_public),
        cmocka_unit_test(test_idle_expiry),
        cmocka_unit_test(test_router),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
