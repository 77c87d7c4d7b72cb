// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include "analyzer/judge/judge.h"
#include "base/array.h"
#include "tests/unit/judge/flows.h"

/* A table of flows as the probe stores them, one case each: what may be said of it, and what may
 * not. */

/* ---- cases ---- */

static struct observation case_syn_silence(void)
{
    return flow_syns(3);
}
static struct observation case_refused(void)
{
    struct observation o = flow_syns(1);
    o.flags = 0;
    flow_reset(&o, SIDE_SERVER, 50 * MS, true);
    return o;
}
static struct observation case_reset_then_syn_ack(void)
{
    struct observation o = flow_connected();
    flow_reset(&o, SIDE_SERVER, 20 * MS, true);
    return o;
}
static struct observation case_reset_before_data(void)
{
    struct observation o = flow_connected();
    flow_reset(&o, SIDE_SERVER, 70 * MS, false);
    return o;
}
static struct observation case_spare_connection(void)
{
    struct observation o = flow_connected();
    flow_reset(&o, SIDE_SERVER, 60000 * MS, false);
    return o;
}
static struct observation case_happy_eyeballs(void)
{
    struct observation o = flow_syns(1);
    o.flags = 0;
    flow_sent(&o, SIDE_SERVER, 50 * MS, 0);
    o.evidence.sides[SIDE_SERVER].flags |= SIDE_SYN;
    flow_reset(&o, SIDE_CLIENT, 51 * MS, false);
    return o;
}
static struct observation case_hello_reset(void)
{
    struct observation o = flow_hello(true);
    flow_reset(&o, SIDE_SERVER, 65 * MS, true);
    flow_reset(&o, SIDE_SERVER, 66 * MS, true);
    return o;
}
static struct observation case_hello_reset_no_sni(void)
{
    struct observation o = flow_hello(false);
    flow_reset(&o, SIDE_SERVER, 65 * MS, false);
    return o;
}
static struct observation case_hello_silence(void)
{
    struct observation o = flow_hello(true);
    flow_sent(&o, SIDE_CLIENT, 400 * MS, 0);
    o.evidence.sides[SIDE_CLIENT].data_retransmissions = 3;
    return o;
}
static struct observation case_hello_acknowledged(void)
{
    struct observation o = flow_hello(true);
    flow_sent(&o, SIDE_SERVER, 110 * MS, 0);
    flow_fin(&o, SIDE_CLIENT, 11000 * MS);
    flow_sent(&o, SIDE_SERVER, 11050 * MS, 0);
    return o;
}
static struct observation case_hello_gave_up(void)
{
    struct observation o = flow_hello(true);
    flow_sent(&o, SIDE_SERVER, 110 * MS, 0);
    flow_reset(&o, SIDE_CLIENT, 900 * MS, true);
    return o;
}
static struct observation case_hello_closed(void)
{
    struct observation o = flow_hello(true);
    flow_sent(&o, SIDE_SERVER, 110 * MS, 0);
    flow_fin(&o, SIDE_SERVER, 111 * MS);
    flow_fin(&o, SIDE_CLIENT, 112 * MS);
    flow_sent(&o, SIDE_SERVER, 160 * MS, 0);
    o.close = CLOSE_FIN;
    return o;
}
static struct observation case_handshake_reset(void)
{
    struct observation o = flow_server_hello();
    flow_reset(&o, SIDE_SERVER, 130 * MS, true);
    return o;
}
static struct observation case_alert(void)
{
    struct observation o = flow_hello(true);
    flow_sent(&o, SIDE_SERVER, 110 * MS, 7);
    flow_fin(&o, SIDE_SERVER, 110 * MS);
    flow_fin(&o, SIDE_CLIENT, 111 * MS);
    o.close = CLOSE_FIN;
    o.evidence.tls.alert_level = 2;
    o.evidence.tls.alert_description = 112;
    o.evidence.tls.alert_side = SIDE_SERVER;
    return o;
}
static struct observation case_client_alert(void)
{
    struct observation o = flow_server_hello();
    flow_sent(&o, SIDE_CLIENT, 115 * MS, 7);
    flow_reset(&o, SIDE_CLIENT, 116 * MS, true);
    o.evidence.tls.alert_level = 2;
    o.evidence.tls.alert_description = 48;
    o.evidence.tls.alert_side = SIDE_CLIENT;
    return o;
}
static struct observation case_web_reset(void)
{
    struct observation o = flow_web_request();
    flow_reset(&o, SIDE_SERVER, 65 * MS, true);
    return o;
}
static struct observation case_web_slow(void)
{
    struct observation o = flow_web_request();
    flow_sent(&o, SIDE_SERVER, 110 * MS, 0);
    flow_fin(&o, SIDE_CLIENT, 6000 * MS);
    return o;
}
static struct observation case_stream_reset(void)
{
    struct observation o = flow_stream_request();
    flow_reset(&o, SIDE_SERVER, 65 * MS, true);
    return o;
}
static struct observation case_stream_one_way(void)
{
    struct observation o = flow_stream_request();
    o.service = "";
    flow_sent(&o, SIDE_SERVER, 110 * MS, 0);
    return o;
}
static struct observation case_quic_silence(void)
{
    struct observation o = flow_datagrams(4, 0);
    o.stage = STAGE_QUIC;
    return o;
}
static struct observation case_quic_one(void)
{
    struct observation o = flow_datagrams(1, 0);
    o.stage = STAGE_QUIC;
    return o;
}
static struct observation case_quic_ok(void)
{
    struct observation o = flow_datagrams(4, 6);
    o.stage = STAGE_QUIC;
    o.evidence.present = false;
    return o;
}
static struct observation case_call_probe(void)
{
    struct observation o = flow_datagrams(5, 0);
    o.server.kind = ENDPOINT_PSEUDONYM;
    return o;
}
static struct observation case_udp_silence(void)
{
    return flow_datagrams(3, 0);
}
static struct observation case_udp_ok(void)
{
    struct observation o = flow_datagrams(2, 2);
    o.evidence.present = false;
    return o;
}
static struct observation case_icmp_udp(void)
{
    struct observation o = flow_datagrams(1, 0);
    o.evidence.icmp = (struct icmp_facts){
        .present = true, .type = 3, .code = 3, .ip_version = 4, .side = SIDE_CLIENT, .count = 1};
    return o;
}
static struct observation case_icmp_syn(void)
{
    struct observation o = flow_syns(1);
    o.evidence.icmp = (struct icmp_facts){
        .present = true, .type = 1, .code = 3, .ip_version = 6, .side = SIDE_CLIENT, .count = 1};
    return o;
}
static struct observation case_icmp_fragment(void)
{
    struct observation o = flow_session();
    o.evidence.icmp = (struct icmp_facts){
        .present = true, .type = 3, .code = 4, .ip_version = 4, .side = SIDE_CLIENT, .count = 1};
    return o;
}
static struct observation case_tls_row(void)
{
    struct observation o = flow_session();
    memset(&o.evidence, 0, sizeof(o.evidence));
    o.close = CLOSE_FIN;
    return o;
}
static struct observation case_tls_server_reset_at_end(void)
{
    struct observation o = flow_session();
    flow_reset(&o, SIDE_SERVER, 60000 * MS, true);
    return o;
}
static struct observation case_tls_client_reset_at_end(void)
{
    struct observation o = flow_session();
    flow_reset(&o, SIDE_CLIENT, 400 * MS, true);
    return o;
}
static struct observation case_tls_reset_later(void)
{
    struct observation o = flow_session();
    flow_sent(&o, SIDE_CLIENT, 500 * MS, 400);
    flow_reset(&o, SIDE_SERVER, 520 * MS, true);
    return o;
}
static struct observation case_tls_client_reset_later(void)
{
    struct observation o = flow_session();
    flow_sent(&o, SIDE_CLIENT, 500 * MS, 400);
    flow_reset(&o, SIDE_CLIENT, 520 * MS, true);
    return o;
}
static struct observation case_fin_then_reset(void)
{
    struct observation o = flow_session();
    flow_sent(&o, SIDE_CLIENT, 500 * MS, 31);
    flow_fin(&o, SIDE_CLIENT, 500 * MS);
    flow_reset(&o, SIDE_SERVER, 550 * MS, false);
    return o;
}
static struct observation case_midstream(void)
{
    struct observation o = flow_stream_request();
    o.flags = OBSERVATION_MID_STREAM;
    flow_reset(&o, SIDE_SERVER, 65 * MS, true);
    return o;
}
static struct observation case_midstream_ok(void)
{
    struct observation o = flow_stream_request();
    o.flags = OBSERVATION_MID_STREAM;
    flow_sent(&o, SIDE_SERVER, 90 * MS, 40);
    o.close = CLOSE_END_OF_CAPTURE;
    return o;
}
static struct observation case_half(void)
{
    struct observation o = flow_hello(true);
    o.flags = OBSERVATION_ONE_SIDED;
    o.packets[SIDE_SERVER] = o.bytes[SIDE_SERVER] = 0;
    return o;
}
static struct observation case_half_no_data(void)
{
    struct observation o = flow_syns(1);
    flow_sent(&o, SIDE_CLIENT, 50 * MS, 0);
    return o;
}
static struct observation case_evicted(void)
{
    struct observation o = flow_hello(true);
    o.close = CLOSE_EVICTED;
    return o;
}
static struct observation case_no_evidence(void)
{
    struct observation o = case_hello_reset();
    memset(&o.evidence, 0, sizeof(o.evidence));
    return o;
}
static struct observation case_nxdomain(void)
{
    struct observation o = flow_question(1);
    flow_answered(&o, 20 * MS, 3, NULL);
    return o;
}
static struct observation case_dns_refused(void)
{
    struct observation o = flow_question(1);
    flow_answered(&o, 20 * MS, 5, NULL);
    return o;
}
static struct observation case_servfail_then_good(void)
{
    struct observation o = flow_question(2);
    flow_answered(&o, 20 * MS, 2, NULL);
    flow_answered(&o, 5020 * MS, 0, "68.171.242.18");
    return o;
}
static struct observation case_servfail(void)
{
    struct observation o = flow_question(1);
    flow_answered(&o, 20 * MS, 2, NULL);
    return o;
}
static struct observation case_dns_silence(void)
{
    return flow_question(3);
}
static struct observation case_dns_ok(void)
{
    struct observation o = flow_question(1);
    flow_answered(&o, 20 * MS, 0, "68.171.242.18");
    return o;
}
static struct observation case_dns_empty(void)
{
    struct observation o = flow_question(1);
    flow_answered(&o, 20 * MS, 0, NULL);
    return o;
}
static struct observation case_dns_injected(void)
{
    struct observation o = flow_question(1);
    flow_answered(&o, 5 * MS, 0, "10.10.34.34");
    flow_answered(&o, 40 * MS, 0, "68.171.242.18");
    return o;
}
static struct observation case_dns_other(void)
{
    struct observation o = flow_question(1);
    flow_answered(&o, 5 * MS, 0, "31.13.64.7");
    flow_answered(&o, 40 * MS, 0, "68.171.242.18");
    o.dns.answers[1].ip_ttl = 50;
    return o;
}
static struct observation case_dns_rotation(void)
{
    struct observation o = flow_question(2);
    flow_answered(&o, 20 * MS, 0, "68.171.242.17");
    flow_answered(&o, 900 * MS, 0, "68.171.242.18");
    return o;
}
static struct observation case_dns_bogon(void)
{
    struct observation o = flow_question(1);
    flow_answered(&o, 5 * MS, 0, "127.0.0.1");
    return o;
}
static struct observation case_dns_private(void)
{
    struct observation o = flow_question(1);
    o.service = "";
    flow_answered(&o, 5 * MS, 0, "192.168.1.9");
    return o;
}
static struct observation case_dns_inventory(void)
{
    struct observation o = flow_question(1);
    o.reasons = REASON_INVENTORY;
    flow_answered(&o, 5 * MS, 0, "10.0.0.25");
    return o;
}

struct plain_case {
    const char *name;
    struct observation (*build)(void);
    int64_t after_us; /* how long the capture went on after the flow's end */
    enum outcome outcome;
    const char *mechanism, *rule; /* rule NULL: none */
    enum attribution attribution;
    uint8_t signature;
};

#define NOBODY    ATTRIBUTION_NONE
#define ANYBODY   ATTRIBUTION_UNKNOWN
#define BY_CLIENT ATTRIBUTION_CLIENT
#define BY_THIRD  ATTRIBUTION_THIRD_PARTY

/* clang-format off: a table reads by its columns */
static const struct plain_case cases[] = {
    {"SYNs unanswered", case_syn_silence, 10 * S, OUTCOME_FAILED, "tcp.timeout", "syn-unanswered",
     ANYBODY, 1},
    {"SYNs, capture over", case_syn_silence, 1 * S, OUTCOME_UNKNOWN, NULL, "too-early", NOBODY, 0},
    {"SYN refused", case_refused, 1 * S, OUTCOME_FAILED, "tcp.refused", "syn-reset", ANYBODY, 0},
    {"reset, then SYN-ACK", case_reset_then_syn_ack, 1 * S, OUTCOME_FAILED, "tcp.refused",
     "syn-reset", ANYBODY, 0},
    {"reset before data", case_reset_before_data, 1 * S, OUTCOME_FAILED, "tcp.reset",
     "reset-after-handshake", ANYBODY, 0},
    {"spare connection ends", case_spare_connection, 1 * S, OUTCOME_UNKNOWN, NULL, NULL, NOBODY, 0},
    {"Happy Eyeballs loser", case_happy_eyeballs, 10 * S, OUTCOME_UNKNOWN, NULL, "client-gave-up",
     BY_CLIENT, 2},
    {"connected, asked nothing", flow_connected, 60 * S, OUTCOME_UNKNOWN, NULL, NULL, NOBODY, 0},
    {"ClientHello reset", case_hello_reset, 1 * S, OUTCOME_FAILED, "tls.reset.sni",
     "reset-after-client-hello", ANYBODY, 0},
    {"nameless ClientHello reset", case_hello_reset_no_sni, 1 * S, OUTCOME_FAILED,
     "tls.reset.other", "reset-after-client-hello", ANYBODY, 0},
    {"ClientHello, silence", case_hello_silence, 20 * S, OUTCOME_FAILED, "tls.timeout",
     "silence-after-client-hello", ANYBODY, 5},
    {"ClientHello, capture over", case_hello_silence, 1 * S, OUTCOME_UNKNOWN, NULL, "too-early",
     NOBODY, 0},
    {"ClientHello taken in, silence", case_hello_acknowledged, 1 * S, OUTCOME_FAILED, "tls.timeout",
     "silence-after-client-hello", ANYBODY, 10},
    {"client gave up early", case_hello_gave_up, 60 * S, OUTCOME_UNKNOWN, NULL, "client-gave-up",
     BY_CLIENT, 12},
    {"server closed politely", case_hello_closed, 1 * S, OUTCOME_FAILED, NULL,
     "closed-without-answer", ANYBODY, 0},
    {"reset within the handshake", case_handshake_reset, 1 * S, OUTCOME_FAILED, "tls.reset.other",
     "reset-in-handshake", ANYBODY, 0},
    {"freeze within the handshake", flow_server_hello, 20 * S, OUTCOME_FAILED, "tls.timeout",
     "silence-in-handshake", ANYBODY, 0},
    {"handshake, capture over", flow_server_hello, 1 * S, OUTCOME_UNKNOWN, NULL, NULL, NOBODY, 0},
    {"alert of the server", case_alert, 1 * S, OUTCOME_FAILED, NULL, "tls-alert",
     ATTRIBUTION_ENDPOINT, 0},
    {"client distrusts", case_client_alert, 1 * S, OUTCOME_FAILED, NULL, "tls-alert", ANYBODY, 0},
    {"web request reset", case_web_reset, 1 * S, OUTCOME_FAILED, "http.reset.host",
     "reset-after-request", ANYBODY, 0},
    {"web request, silence", flow_web_request, 20 * S, OUTCOME_FAILED, "http.timeout",
     "silence-after-request", ANYBODY, 5},
    {"slow page left", case_web_slow, 20 * S, OUTCOME_UNKNOWN, NULL, "client-gave-up", BY_CLIENT,
     0},
    {"stream reset", case_stream_reset, 1 * S, OUTCOME_FAILED, "stream.reset",
     "reset-after-request", ANYBODY, 0},
    {"stream silence", flow_stream_request, 20 * S, OUTCOME_FAILED, "stream.timeout",
     "silence-after-request", ANYBODY, 5},
    {"stream that only tells", case_stream_one_way, 60 * S, OUTCOME_UNKNOWN, NULL, "too-early",
     NOBODY, 0},
    {"QUIC silence", case_quic_silence, 10 * S, OUTCOME_FAILED, "quic.timeout", "quic-unanswered",
     ANYBODY, 0},
    {"QUIC, capture over", case_quic_silence, 1 * S, OUTCOME_UNKNOWN, NULL, "too-early", NOBODY, 0},
    {"one QUIC datagram", case_quic_one, 60 * S, OUTCOME_UNKNOWN, NULL, NULL, NOBODY, 0},
    {"QUIC answered", case_quic_ok, 1 * S, OUTCOME_OK, NULL, NULL, NOBODY, 0},
    {"call probes a peer", case_call_probe, 60 * S, OUTCOME_UNKNOWN, NULL, NULL, NOBODY, 0},
    {"service silent on UDP", case_udp_silence, 60 * S, OUTCOME_FAILED, "stream.timeout",
     "silence-after-request", ANYBODY, 0},
    {"UDP answered", case_udp_ok, 1 * S, OUTCOME_OK, NULL, NULL, NOBODY, 0},
    {"port unreachable", case_icmp_udp, 1 * S, OUTCOME_FAILED, "ip.unreachable", "icmp-unreachable",
     ANYBODY, 0},
    {"host unreachable", case_icmp_syn, 1 * S, OUTCOME_FAILED, "ip.unreachable", "icmp-unreachable",
     ANYBODY, 0},
    {"fragmentation needed", case_icmp_fragment, 1 * S, OUTCOME_OK, NULL, NULL, NOBODY, 0},
    {"TLS that worked, row only", case_tls_row, 1 * S, OUTCOME_OK, NULL, NULL, NOBODY, 0},
    {"idle TLS reset by the server", case_tls_server_reset_at_end, 1 * S, OUTCOME_OK, NULL, NULL,
     NOBODY, 0},
    {"TLS hung up by the client", case_tls_client_reset_at_end, 1 * S, OUTCOME_OK, NULL, NULL,
     NOBODY, 0},
    {"later request reset", case_tls_reset_later, 1 * S, OUTCOME_OK, "stream.reset",
     "reset-in-stream", ANYBODY, 0},
    {"client resets later", case_tls_client_reset_later, 1 * S, OUTCOME_OK, "stream.reset",
     "reset-in-stream", BY_CLIENT, 0},
    {"reset after a FIN", case_fin_then_reset, 1 * S, OUTCOME_OK, NULL, NULL, NOBODY, 0},
    {"mid-stream reset", case_midstream, 20 * S, OUTCOME_UNKNOWN, NULL, "not-whole", NOBODY, 0},
    {"mid-stream, works", case_midstream_ok, 1 * S, OUTCOME_OK, NULL, NULL, NOBODY, 0},
    {"one direction, with data", case_half, 60 * S, OUTCOME_UNKNOWN, NULL, "not-whole", NOBODY, 0},
    {"one direction, no data", case_half_no_data, 60 * S, OUTCOME_UNKNOWN, NULL, "not-whole",
     NOBODY, 0},
    {"evicted", case_evicted, 60 * S, OUTCOME_UNKNOWN, NULL, "not-whole", NOBODY, 0},
    {"evidence lost", case_no_evidence, 60 * S, OUTCOME_UNKNOWN, NULL, NULL, NOBODY, 0},
    {"NXDOMAIN", case_nxdomain, 1 * S, OUTCOME_FAILED, "dns.nxdomain", "dns-rcode", ANYBODY, 0},
    {"REFUSED", case_dns_refused, 1 * S, OUTCOME_FAILED, "dns.refused", "dns-rcode", ANYBODY, 0},
    {"SERVFAIL", case_servfail, 1 * S, OUTCOME_FAILED, "dns.servfail", "dns-rcode", ANYBODY, 0},
    {"SERVFAIL, asked again", case_servfail_then_good, 1 * S, OUTCOME_OK, NULL, NULL, NOBODY, 0},
    {"question unanswered", case_dns_silence, 10 * S, OUTCOME_FAILED, "dns.timeout",
     "dns-unanswered", ANYBODY, 0},
    {"question, capture over", case_dns_silence, 1 * S, OUTCOME_UNKNOWN, NULL, "too-early", NOBODY,
     0},
    {"question answered", case_dns_ok, 1 * S, OUTCOME_OK, NULL, NULL, NOBODY, 0},
    {"no such record", case_dns_empty, 1 * S, OUTCOME_OK, NULL, NULL, NOBODY, 0},
    {"private and public answer", case_dns_injected, 1 * S, OUTCOME_FAILED, "dns.injection.bogon",
     "dns-conflict", BY_THIRD, 0},
    {"two public answers", case_dns_other, 1 * S, OUTCOME_UNKNOWN, "dns.injection.other",
     "dns-conflict", ANYBODY, 0},
    {"rotation", case_dns_rotation, 1 * S, OUTCOME_OK, NULL, NULL, NOBODY, 0},
    {"loopback for a public name", case_dns_bogon, 1 * S, OUTCOME_FAILED, "dns.injection.bogon",
     "dns-bogon", ANYBODY, 0},
    {"private name at home", case_dns_private, 1 * S, OUTCOME_OK, NULL, NULL, NOBODY, 0},
    {"the operator's own server", case_dns_inventory, 1 * S, OUTCOME_OK, NULL, NULL, NOBODY, 0},
};
/* clang-format on */

static void check_case(const struct plain_case *plain)
{
    struct observation flow = plain->build();
    struct judge_context context = {.capture_end_us = flow.end_us + plain->after_us};
    struct verdict verdict;
    judge_flow(&flow, &context, &verdict);
    const char *rule = verdict.evidence_count ? verdict.evidence[0].rule : "";
    const char *mechanism = verdict.mechanism ? verdict.mechanism : "";
    if (verdict.outcome != plain->outcome || verdict.attribution != plain->attribution ||
        verdict.signature != plain->signature ||
        strcmp(rule, plain->rule ? plain->rule : "") != 0 ||
        strcmp(mechanism, plain->mechanism ? plain->mechanism : "") != 0)
        fail_msg("%s: outcome %d mechanism '%s' attribution %d signature %d rule '%s' %s",
                 plain->name, verdict.outcome, mechanism, verdict.attribution, verdict.signature,
                 rule, verdict.evidence_count ? verdict.evidence[0].detail : "");
    assert_true(verdict.score <= 1);
}

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        check_case(&cases[i]);
}

/* Whatever the records say, an opinion comes out whose words are all in the tables. */
static void test_any_record(void **state)
{
    uint64_t seed = 88172645463325252u;
    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        struct observation flow = cases[round % ARRAY_LENGTH(cases)].build();
        unsigned char *bytes = (unsigned char *)&flow.evidence;
        for (unsigned i = 0; i < 24; i++) {
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            bytes[seed % offsetof(struct evidence_facts, tls)] = (unsigned char)(seed >> 32);
        }
        flow.evidence.present = true;
        flow.evidence.icmp.present = seed >> 50 & 1;
        flow.evidence.icmp.from_server = seed >> 51 & 1;
        flow.packets[seed & 1] = seed >> 60;
        flow.flags = (uint16_t)(seed >> 40) & 0x7f;
        struct judge_context context = {.capture_end_us = START + (int64_t)(seed >> 40)};
        struct verdict verdict;
        judge_flow(&flow, &context, &verdict);
        bool known = verdict.mechanism == NULL;
        for (size_t i = 0; judge_mechanism_at(i); i++)
            known |=
                verdict.mechanism == NULL || strcmp(judge_mechanism_at(i), verdict.mechanism) == 0;
        assert_true(known);
        bool proof = verdict.attribution != ATTRIBUTION_THIRD_PARTY;
        for (unsigned e = 0; e < verdict.evidence_count; e++) {
            known = false;
            for (size_t i = 0; judge_rule_at(i); i++)
                known |= strcmp(judge_rule_at(i)->id, verdict.evidence[e].rule) == 0;
            assert_true(known);
            proof |= judge_rule_find(verdict.evidence[e].rule)->kind == JUDGE_RULE_CONTRADICTION;
        }
        assert_true(proof && verdict.score <= 1);
        if (verdict.outcome == OUTCOME_FAILED)
            assert_int_not_equal(verdict.attribution, ATTRIBUTION_NONE);
    }
}

/* In an input of one direction silence says nothing; only a SYN sent again has certainly not been
 * refused. */
static void test_one_way(void **state)
{
    struct observation (*const builds[])(void) = {case_quic_silence, case_dns_silence,
                                                  case_hello_silence, case_udp_silence};
    struct verdict verdict;
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(builds); i++) {
        struct observation flow = builds[i]();
        struct judge_context context = {.capture_end_us = flow.end_us + 60 * S, .one_way = true};
        judge_flow(&flow, &context, &verdict);
        assert_int_equal(verdict.outcome, OUTCOME_UNKNOWN);
        assert_null(verdict.mechanism);
    }
    struct observation flow = flow_syns(1);
    struct judge_context context = {.capture_end_us = flow.end_us + 60 * S, .one_way = true};
    judge_flow(&flow, &context, &verdict);
    assert_int_equal(verdict.outcome, OUTCOME_UNKNOWN);
    flow = flow_syns(4);
    judge_flow(&flow, &context, &verdict);
    assert_string_equal(verdict.mechanism, "tcp.timeout");
}

static void test_doubtful_question(void **state)
{
    struct observation dns = case_dns_injected(), flow = flow_syns(2);
    struct judge_context context = {.capture_end_us = flow.end_us + 60 * S, .dns = &dns};
    struct verdict verdict;
    (void)state;
    judge_flow(&flow, &context, &verdict);
    assert_int_equal(verdict.evidence_count, 2);
    assert_string_equal(verdict.evidence[1].rule, "dns-doubtful");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_any_record),
        cmocka_unit_test(test_one_way),
        cmocka_unit_test(test_doubtful_question),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
