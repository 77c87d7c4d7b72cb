// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "analyzer/judge/judge.h"

static const struct judge_context context = {.capture_end_us = 100000000};

static void page_of(struct blockpage_facts *page, enum blockpage_scope scope,
                    enum blockpage_where where)
{
    snprintf(page->id, sizeof(page->id), "xx-page");
    snprintf(page->list, sizeof(page->list), "0123456789abcdef");
    page->scope = (uint8_t)scope;
    page->where = (uint8_t)where;
}

/* A web request that was answered. */
static struct observation web_flow(enum blockpage_scope scope, enum blockpage_where where)
{
    struct observation o = {.transport = TRANSPORT_TCP,
                            .stage = STAGE_HTTP,
                            .close = CLOSE_FIN,
                            .packets = {5, 5},
                            .flags = OBSERVATION_HANDSHAKE,
                            .protocol = "HTTP",
                            .service = "signal",
                            .host = "chat.signal.org",
                            .evidence.present = true};
    o.evidence.http.request = o.evidence.http.response = true;
    o.evidence.sides[SIDE_SERVER].payload_bytes = 400;
    page_of(&o.evidence.http.blockpage, scope, where);
    return o;
}

static struct verdict judge(const struct observation *flow)
{
    struct verdict verdict;
    judge_flow(flow, &context, &verdict);
    return verdict;
}

static void assert_noted(const struct verdict *verdict, const char *part)
{
    assert_true(verdict->evidence_count > 0);
    assert_string_equal(verdict->evidence[0].rule, "blockpage");
    assert_non_null(strstr(verdict->evidence[0].detail, part));
}

static void test_carriers_page(void **state)
{
    (void)state;
    for (int scope = BLOCKPAGE_NATION; scope <= BLOCKPAGE_CARRIER; scope++) {
        struct observation flow = web_flow((enum blockpage_scope)scope, BLOCKPAGE_IN_BODY);
        struct verdict verdict = judge(&flow);
        assert_int_equal(verdict.outcome, OUTCOME_FAILED);
        assert_string_equal(verdict.mechanism, "http.blockpage");
        assert_int_equal(verdict.attribution, ATTRIBUTION_THIRD_PARTY);
        assert_true(verdict.score > 0.9);
        assert_noted(&verdict, "xx-page matches, in the page (lists 0123456789abcdef)");
    }
}

static void test_redirect(void **state)
{
    (void)state;
    struct observation flow = web_flow(BLOCKPAGE_CARRIER, BLOCKPAGE_IN_LOCATION);
    struct verdict verdict = judge(&flow);
    assert_string_equal(verdict.mechanism, "http.redirect");
    assert_int_equal(verdict.attribution, ATTRIBUTION_THIRD_PARTY);
}

/* A filter product may stand before the server itself. */
static void test_product(void **state)
{
    (void)state;
    for (int scope = BLOCKPAGE_INSTITUTION; scope <= BLOCKPAGE_PRODUCT; scope++) {
        struct observation flow = web_flow((enum blockpage_scope)scope, BLOCKPAGE_IN_BODY);
        struct verdict verdict = judge(&flow);
        assert_string_equal(verdict.mechanism, "http.blockpage");
        assert_int_equal(verdict.attribution, ATTRIBUTION_UNKNOWN);
        assert_true(verdict.score <= 0.5);
    }
}

/* Noted, and nothing made of it. */
static void test_doubtful(void **state)
{
    (void)state;
    struct observation vague = web_flow(BLOCKPAGE_VAGUE, BLOCKPAGE_IN_BODY);
    struct observation marked = web_flow(BLOCKPAGE_NATION, BLOCKPAGE_IN_BODY);
    marked.evidence.http.blockpage.false_positive = true;
    struct verdict verdict = judge(&vague);
    assert_int_equal(verdict.outcome, OUTCOME_OK);
    assert_null(verdict.mechanism);
    assert_noted(&verdict, "servers use such words as well");
    verdict = judge(&marked);
    assert_int_equal(verdict.outcome, OUTCOME_OK);
    assert_null(verdict.mechanism);
    assert_int_equal(verdict.attribution, ATTRIBUTION_NONE);
    assert_noted(&verdict, "no block page");
}

static void test_none(void **state)
{
    (void)state;
    struct observation flow = web_flow(BLOCKPAGE_NATION, BLOCKPAGE_IN_BODY);
    flow.evidence.http.blockpage = (struct blockpage_facts){0};
    struct verdict verdict = judge(&flow);
    assert_null(verdict.mechanism);
    assert_int_equal(verdict.evidence_count, 0);
}

static void test_question(void **state)
{
    (void)state;
    struct observation question = {.transport = TRANSPORT_UDP,
                                   .stage = STAGE_DNS,
                                   .packets = {1, 1},
                                   .protocol = "DNS",
                                   .service = "signal",
                                   .host = "chat.signal.org",
                                   .dns = {.present = true, .answer_count = 1}};
    question.dns.answers[0].complete = true;
    page_of(&question.dns.blockpage, BLOCKPAGE_CARRIER, BLOCKPAGE_IN_DNS);
    struct verdict verdict = judge(&question);
    assert_string_equal(verdict.mechanism, "dns.injection.blockpage");
    assert_int_equal(verdict.attribution, ATTRIBUTION_THIRD_PARTY);
    assert_noted(&verdict, "an address of the answer");
    question.dns.blockpage.false_positive = true;
    verdict = judge(&question);
    assert_null(verdict.mechanism);
    assert_int_equal(verdict.outcome, OUTCOME_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_carriers_page), cmocka_unit_test(test_redirect),
        cmocka_unit_test(test_product),       cmocka_unit_test(test_doubtful),
        cmocka_unit_test(test_none),          cmocka_unit_test(test_question),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
