// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include "analyzer/judge/judge.h"
#include "base/array.h"

/* What a row of somebody else's measurement comes to. */

struct row_case {
    enum stage stage;
    const char *failure;
    const char *mechanism; /* NULL: none */
    const char *host;
};

static const struct row_case failures[] = {
    {STAGE_DNS, "dns_nxdomain_error", "dns.nxdomain", "a"},
    {STAGE_DNS, "dns_refused_error", "dns.refused", "a"},
    {STAGE_DNS, "dns_servfail_error", "dns.servfail", "a"},
    {STAGE_DNS, "dns_bogon_error", "dns.injection.bogon", "a"},
    {STAGE_DNS, "dns_no_answer", NULL, "a"},
    {STAGE_DNS, "generic_timeout_error", "dns.timeout", "a"},
    {STAGE_DNS, "connection_refused", "dns", "a"},
    {STAGE_TCP, "generic_timeout_error", "tcp.timeout", ""},
    {STAGE_TCP, "timed_out", "tcp.timeout", ""},
    {STAGE_TCP, "connection_refused", "tcp.refused", ""},
    {STAGE_TCP, "connection_reset", "tcp.reset", ""},
    {STAGE_TCP, "host_unreachable", "ip.unreachable", ""},
    {STAGE_TLS, "connection_reset", "tls.reset.sni", "a"},
    {STAGE_TLS, "connection_reset", "tls.reset.other", ""},
    {STAGE_TLS, "generic_timeout_error", "tls.timeout", "a"},
    {STAGE_TLS, "eof_error", NULL, "a"},
    {STAGE_TLS, "ssl_unknown_authority", "tls.mitm.ca_signed", "a"},
    {STAGE_TLS, "ssl_invalid_hostname", "tls.mitm.ca_signed", "a"},
    {STAGE_TLS, "ssl_invalid_certificate", "tls", "a"},
    {STAGE_HTTP, "generic_timeout_error", "http.timeout", "a"},
    {STAGE_HTTP, "connection_reset", "http.reset.host", "a"},
    {STAGE_HTTP, "dns_nxdomain_error", "dns.nxdomain", "a"},
    {STAGE_QUIC, "generic_timeout_error", "quic.timeout", "a"},
    {STAGE_STREAM, "generic_timeout_error", "stream.timeout", "a"},
    {STAGE_STREAM, "connection_reset", "stream.reset", "a"},
    {STAGE_TCP, "a word nobody knows", "tcp", ""},
    {STAGE_HTTP, "", "http", "a"},
    {STAGE_NONE, "", NULL, "a"},
};

static struct observation row_of(enum stage stage, enum outcome outcome, const char *failure,
                                 const char *host)
{
    struct observation row = {.stage = stage, .host = host, .service = "signal", .protocol = ""};

    row.transport = TRANSPORT_TCP;
    row.import.present = true;
    row.import.outcome = (uint8_t)outcome;
    snprintf(row.import.failure, sizeof(row.import.failure), "%s", failure);
    return row;
}

static struct verdict judge(const struct observation *row)
{
    const struct judge_context context = {.capture_end_us = 0};
    struct verdict verdict;

    judge_flow(row, &context, &verdict);
    for (unsigned i = 0; i < verdict.evidence_count; i++)
        assert_non_null(judge_rule_find(verdict.evidence[i].rule));
    return verdict;
}

static void assert_cites(const struct verdict *verdict, const char *rule)
{
    for (unsigned i = 0; i < verdict->evidence_count; i++)
        if (strcmp(verdict->evidence[i].rule, rule) == 0)
            return;
    fail_msg("%s is not cited", rule);
}

static void test_failures(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(failures); i++) {
        const struct row_case *c = &failures[i];
        struct observation row = row_of(c->stage, OUTCOME_FAILED, c->failure, c->host);
        struct verdict verdict = judge(&row);
        if (verdict.outcome != OUTCOME_FAILED || (verdict.mechanism == NULL) != !c->mechanism ||
            (c->mechanism && strcmp(verdict.mechanism, c->mechanism) != 0))
            fail_msg("%s at %d: %s", c->failure, c->stage,
                     verdict.mechanism ? verdict.mechanism : "(none)");
        assert_int_equal(verdict.attribution, ATTRIBUTION_UNKNOWN);
        assert_true(verdict.score < 0);
        assert_string_equal(verdict.evidence[0].rule, "measured-failure");
    }
}

static void test_no_failure(void **state)
{
    struct observation row = row_of(STAGE_HTTP, OUTCOME_OK, "", "a");
    (void)state;
    struct verdict verdict = judge(&row);
    assert_int_equal(verdict.outcome, OUTCOME_OK);
    assert_null(verdict.mechanism);
    assert_int_equal(verdict.evidence_count, 0);
    row = row_of(STAGE_TCP, OUTCOME_FAILED, "network_down", "a"); /* its own device */
    verdict = judge(&row);
    assert_int_equal(verdict.outcome, OUTCOME_UNKNOWN);
    assert_null(verdict.mechanism);
    row = row_of(STAGE_TLS, OUTCOME_OK, "throttled", "a");
    row.import.throttled = true;
    verdict = judge(&row);
    assert_int_equal(verdict.outcome, OUTCOME_OK);
    assert_string_equal(verdict.mechanism, "tls.throttle.sni");
    assert_cites(&verdict, "measured-throttling");
}

/* What is down for everybody is nobody's doing between the ends. */
static void test_control(void **state)
{
    struct observation row = row_of(STAGE_TCP, OUTCOME_FAILED, "generic_timeout_error", "a");
    (void)state;
    row.import.control = OUTCOME_FAILED;
    struct verdict verdict = judge(&row);
    assert_int_equal(verdict.attribution, ATTRIBUTION_ENDPOINT);
    assert_string_equal(verdict.mechanism, "tcp.timeout");
    assert_cites(&verdict, "control-fails");
    row.import.control = OUTCOME_OK;
    verdict = judge(&row);
    assert_int_equal(verdict.attribution, ATTRIBUTION_UNKNOWN);
    assert_cites(&verdict, "control-works");
}

static struct observation page_row(enum stage stage, enum blockpage_scope scope)
{
    struct observation row = row_of(stage, OUTCOME_FAILED, "", "a");

    row.import.blockpage = (struct blockpage_facts){
        .id = "pk-page", .list = "0123", .scope = (uint8_t)scope, .where = BLOCKPAGE_IN_BODY};
    return row;
}

static void test_pages(void **state)
{
    struct observation row = page_row(STAGE_HTTP, BLOCKPAGE_NATION);
    (void)state;
    struct verdict verdict = judge(&row);
    assert_int_equal(verdict.attribution, ATTRIBUTION_THIRD_PARTY);
    assert_string_equal(verdict.mechanism, "http.blockpage");
    assert_true(judge_is_proven(&verdict));
    row.import.control = OUTCOME_FAILED; /* says nothing against a page in so many words */
    assert_int_equal(judge(&row).attribution, ATTRIBUTION_THIRD_PARTY);
    row.import.page_from_abroad = true;
    verdict = judge(&row);
    assert_int_equal(verdict.attribution, ATTRIBUTION_UNKNOWN);
    assert_cites(&verdict, "page-from-abroad");
    assert_string_equal(verdict.mechanism, "http.blockpage");
    row = page_row(STAGE_DNS, BLOCKPAGE_CARRIER);
    verdict = judge(&row);
    assert_string_equal(verdict.mechanism, "dns.injection.blockpage");
    assert_int_equal(verdict.attribution, ATTRIBUTION_THIRD_PARTY);
    row.import.page_from_abroad = true; /* it may be an ordinary server there */
    verdict = judge(&row);
    assert_int_equal(verdict.outcome, OUTCOME_OK);
    assert_null(verdict.mechanism);
    row = page_row(STAGE_HTTP, BLOCKPAGE_VAGUE);
    assert_int_equal(judge(&row).outcome, OUTCOME_OK);
}

/* A store may be hostile: an imported row that also brings packets proves nothing by them. */
static void test_no_packets(void **state)
{
    struct observation row = row_of(STAGE_TLS, OUTCOME_FAILED, "connection_reset", "a");
    (void)state;
    row.evidence.present = true;
    row.evidence.suspect_count = 1;
    row.evidence.suspects[0] = (struct suspect){
        .kind = SUSPECT_RST, .side = SIDE_SERVER, .own_bytes_after = 1000, .own_after_us = 9000000};
    row.evidence.handshake_rtt_us = 1000;
    row.evidence.icmp = (struct icmp_facts){.present = true, .type = 3, .code = 13};
    struct verdict verdict = judge(&row);
    assert_int_equal(verdict.attribution, ATTRIBUTION_UNKNOWN);
    assert_true(verdict.score < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failures),   cmocka_unit_test(test_no_failure),
        cmocka_unit_test(test_control),    cmocka_unit_test(test_pages),
        cmocka_unit_test(test_no_packets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
