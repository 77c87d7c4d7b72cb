// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "reports/findings/findings_internal.h"
#include "tests/unit/judge/flows.h"

/* Ladders of flows that were made. */

static void note(struct verdict *verdict, const char *rule, const char *detail)
{
    struct judge_evidence *evidence = &verdict->evidence[verdict->evidence_count++];
    evidence->rule = rule;
    snprintf(evidence->detail, sizeof(evidence->detail), "%s", detail);
}

static void check_kinds(const struct ladder *ladder, const enum findings_step_kind *kinds,
                        size_t count)
{
    assert_int_equal(ladder->count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(ladder->steps[i].kind, kinds[i]);
        assert_true(i == 0 || ladder->steps[i - 1].after_us <= ladder->steps[i].after_us);
    }
}
#define CHECK_KINDS(ladder, ...)                                                                   \
    do {                                                                                           \
        static const enum findings_step_kind kinds[] = {__VA_ARGS__};                              \
        check_kinds(ladder, kinds, ARRAY_LENGTH(kinds));                                           \
    } while (0)

/* A ClientHello that a foreign reset answers, after which the server goes on. */
static struct observation reset_flow(void)
{
    struct observation flow = flow_hello(true);
    struct evidence_facts *e = &flow.evidence;
    flow.packet = 35;
    e->handshake_rtt_us = 80 * MS;
    e->ack_rtt_us = 1 * MS;
    e->sides[SIDE_CLIENT].flags |= SIDE_SYN;
    e->sides[SIDE_CLIENT].ttl_first = 64;
    e->sides[SIDE_SERVER].flags |= SIDE_SYN;
    e->sides[SIDE_SERVER].ttl_first = 49;
    e->sides[SIDE_CLIENT].first_payload_after_us = 82 * MS;
    e->sides[SIDE_CLIENT].first_payload_length = 517;
    e->sides[SIDE_CLIENT].first_payload_kind = PAYLOAD_TLS_CLIENT_HELLO;
    e->suspect_count = 1;
    e->suspects[0] = (struct suspect){.packet = 41,
                                      .after_us = 84 * MS,
                                      .kind = SUSPECT_RST,
                                      .side = SIDE_SERVER,
                                      .tcp_flags = 0x14,
                                      .ttl = 118,
                                      .ttl_expected = 49,
                                      .ip_id = 4660,
                                      .window = 8192,
                                      .copies = 2,
                                      .own_bytes_after = 1400,
                                      .own_after_us = 90 * MS};
    return flow;
}

static void test_reset(void **state)
{
    struct observation flow = reset_flow();
    struct verdict verdict = {.mechanism = "tls.reset.sni", .attribution = ATTRIBUTION_THIRD_PARTY};
    struct ladder ladder;
    (void)state;
    note(&verdict, "reset-after-client-hello", "1 reset(s), the first 0.002 s after the request");
    note(&verdict, "answer-too-soon", "packet 41 at 0.084000 s, server's reset 2.0 ms after");
    note(&verdict, "ttl-distance", "packet 41, server's reset: TTL 118, before it 49");
    note(&verdict, "talks-on-after-reset", "packet 41 at 0.084000 s ends the server's side");
    ladder_make(&ladder, &flow, &verdict);
    CHECK_KINDS(&ladder, STEP_SYN, STEP_SYN_ACK, STEP_ACK, STEP_DATA, STEP_RESET, STEP_DATA);
    assert_int_equal(ladder.steps[0].after_us, 0);
    assert_int_equal(ladder.steps[0].packet, 35);
    assert_int_equal(ladder.steps[0].marks, 0);
    assert_int_equal(ladder.steps[1].after_us, 80 * MS);
    assert_int_equal(ladder.steps[2].after_us, 81 * MS);
    assert_int_equal(ladder.steps[3].payload, PAYLOAD_TLS_CLIENT_HELLO);
    const struct findings_step *reset = &ladder.steps[4];
    assert_true(reset->from_server && reset->has_packet);
    assert_int_equal(reset->ttl, 118);
    assert_int_equal(reset->ttl_expected, 49);
    assert_int_equal(reset->ip_id, 4660);
    assert_int_equal(reset->window, 8192);
    assert_int_equal(reset->copies, 2);
    assert_int_equal(reset->marks, MARK_PROVES | MARK_HASTE | MARK_TTL | MARK_TALKS_ON);
    assert_int_equal(ladder.steps[5].after_us, 174 * MS);
    assert_int_equal(ladder.steps[5].marks, MARK_TALKS_ON);
    assert_true(ladder.steps[5].from_server);
}

/* What proves nothing is marked as such: no proof without a third party. */
static void test_nothing_proven(void **state)
{
    struct observation flow = reset_flow();
    struct verdict verdict = {.mechanism = "tls.reset.sni", .attribution = ATTRIBUTION_UNKNOWN};
    struct ladder ladder;
    (void)state;
    note(&verdict, "ttl-distance", "packet 41, server's reset: TTL 118, before it 49");
    ladder_make(&ladder, &flow, &verdict);
    for (size_t i = 0; i < ladder.count; i++)
        assert_int_equal(ladder.steps[i].marks & MARK_PROVES, 0);
    assert_int_equal(ladder.steps[4].marks, MARK_TTL);
}

static void test_silence(void **state)
{
    struct observation flow = flow_syns(4);
    struct verdict verdict = {.mechanism = "tcp.timeout", .attribution = ATTRIBUTION_UNKNOWN};
    struct ladder ladder;
    (void)state;
    ladder_make(&ladder, &flow, &verdict);
    CHECK_KINDS(&ladder, STEP_SYN, STEP_RETRANSMISSION, STEP_SILENCE);
    assert_int_equal(ladder.steps[1].copies, 3);
    assert_int_equal(ladder.steps[1].after_us,
                     flow.evidence.sides[SIDE_CLIENT].last_packet_after_us);
    assert_true(ladder.steps[2].from_server);
}

static void test_question(void **state)
{
    struct observation flow = flow_question(1);
    struct verdict verdict = {.mechanism = "dns.injection.other",
                              .attribution = ATTRIBUTION_THIRD_PARTY};
    struct ladder ladder;
    (void)state;
    flow.packet = 7;
    flow_answered(&flow, 2 * MS, 0, "203.82.48.83");
    flow_answered(&flow, 26 * MS, 3, NULL);
    flow.dns.answers[0].packet = 9;
    flow.dns.answers[0].ip_ttl = 56;
    flow.dns.answers[1].packet = 10;
    note(&verdict, "dns-two-answers",
         "packets 9 at 0.002 s (TTL 56, flags 8180) and 10 at 0.026 s (TTL 54, flags 8580)");
    note(&verdict, "dns-ttl-apart", "TTL 56; the resolver's 54");
    ladder_make(&ladder, &flow, &verdict);
    CHECK_KINDS(&ladder, STEP_QUESTION, STEP_ANSWER, STEP_ANSWER);
    assert_int_equal(ladder.steps[0].packet, 7);
    assert_int_equal(ladder.steps[1].ttl, 56);
    assert_int_equal(ladder.steps[1].marks, MARK_PROVES | MARK_CONTENT | MARK_TTL);
    assert_int_equal(ladder.steps[2].marks, MARK_PROVES | MARK_CONTENT);
    assert_int_equal(ladder.steps[2].dns_rcode, 3);
}

static void test_icmp(void **state)
{
    struct observation flow = flow_syns(1);
    struct verdict verdict = {.mechanism = "ip.unreachable", .attribution = ATTRIBUTION_UNKNOWN};
    struct ladder ladder;
    (void)state;
    flow.evidence.icmp = (struct icmp_facts){.present = true,
                                             .type = 3,
                                             .code = 13,
                                             .ttl = 250,
                                             .side = SIDE_CLIENT,
                                             .count = 2,
                                             .after_us = 9 * MS};
    ladder_make(&ladder, &flow, &verdict);
    CHECK_KINDS(&ladder, STEP_SYN, STEP_ICMP);
    assert_int_equal(ladder.steps[1].icmp_code, 13);
    assert_int_equal(ladder.steps[1].copies, 1);
    assert_true(ladder.steps[1].from_server); /* towards the client, whose packet it quotes */
}

/* More suspicious packets than are kept are told as left out. */
static void test_left_out(void **state)
{
    struct observation flow = reset_flow();
    struct verdict verdict = {.mechanism = "tls.reset.sni"};
    struct ladder ladder;
    (void)state;
    flow.evidence.suspects_not_kept = 5;
    ladder_make(&ladder, &flow, &verdict);
    assert_int_equal(ladder.left_out, 5);
}

static void test_import(void **state)
{
    struct observation flow = reset_flow();
    struct verdict verdict = {.mechanism = "tcp.timeout"};
    struct ladder ladder;
    (void)state;
    flow.import.present = true;
    ladder_make(&ladder, &flow, &verdict);
    assert_int_equal(ladder.count, 0);
}

static void test_names_packet(void **state)
{
    (void)state;
    assert_true(ladder_names_packet("packet 41 at 0.1 s", 41));
    assert_false(ladder_names_packet("packet 41 at 0.1 s", 4));
    assert_false(ladder_names_packet("packet 4 at 41 s", 41));
    assert_true(ladder_names_packet("packets 3 at 0.1 s (TTL 5) and 43 at 0.2 s", 43));
    assert_false(ladder_names_packet("packet 3 and 43 others", 43));
    assert_false(ladder_names_packet("no packet at all", 0));
}

static void test_coarsen(void **state)
{
    char text[256];
    (void)state;
    findings_coarsen("7 attempts in 12.3 s, none; went on for 773793.7 s", text, sizeof(text));
    assert_string_equal(text, "7 attempts in 12.3 s, none; went on for more than an hour");
    findings_coarsen("packet 99999 seen; 3600.0 s without", text, sizeof(text));
    assert_string_equal(text, "packet 99999 seen; more than an hour without");
    findings_coarsen("", text, sizeof(text));
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reset),   cmocka_unit_test(test_nothing_proven),
        cmocka_unit_test(test_silence), cmocka_unit_test(test_question),
        cmocka_unit_test(test_icmp),    cmocka_unit_test(test_left_out),
        cmocka_unit_test(test_import),  cmocka_unit_test(test_names_packet),
        cmocka_unit_test(test_coarsen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
