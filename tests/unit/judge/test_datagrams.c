// SPDX-License-Identifier: GPL-3.0-or-later
/* Conversations of datagrams that were answered, and then were not any more. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include "tests/unit/judge/proving.h"

/* Two seconds of a call, 20 ms a step; then the client alone for `alone_ms`. */
static struct observation call_left_alone(unsigned alone_ms)
{
    struct observation o = flow_datagrams(0, 0);

    o.stage = STAGE_STREAM;
    for (unsigned ms = 0; ms < 2000; ms += 20) {
        flow_sent(&o, SIDE_CLIENT, ms * MS, 160);
        flow_sent(&o, SIDE_SERVER, (ms + 10) * MS, 160);
    }
    for (unsigned ms = 2000; ms < 2000 + alone_ms; ms += 20) {
        flow_sent(&o, SIDE_CLIENT, ms * MS, 160);
        o.evidence.unanswered += o.evidence.unanswered < UINT8_MAX;
    }
    return o;
}

static void assert_said(const struct observation *o, enum outcome outcome, const char *mechanism)
{
    struct verdict verdict = judged(o, NULL);

    const char *rule = o->stage == STAGE_QUIC ? "quic-handshake-unfinished" : "freeze-in-datagrams";

    assert_int_equal(verdict.outcome, outcome);
    assert_non_null(judge_rule_find(rule));
    assert_int_equal(has_rule(&verdict, rule), mechanism != NULL);
    assert_int_equal(verdict.mechanism != NULL, mechanism != NULL);
    if (mechanism)
        assert_string_equal(verdict.mechanism, mechanism);
    assert_true(verdict.attribution != ATTRIBUTION_THIRD_PARTY);
}

static void test_call(void **state)
{
    struct observation o = call_left_alone(4000);

    (void)state;
    assert_said(&o, OUTCOME_UNKNOWN, "stream.timeout"); /* who holds a call is silent as long */
    o = call_left_alone(12000);
    assert_said(&o, OUTCOME_FAILED, "stream.timeout");
    o = call_left_alone(2000); /* one hangs up a little later than the other */
    assert_said(&o, OUTCOME_OK, NULL);
}

static void test_call_guards(void **state)
{
    const struct observation cut = call_left_alone(12000);
    struct judge_context context = {.capture_end_us = cut.end_us + 60 * S, .one_way = true};
    struct verdict verdict;
    struct observation o = cut;

    (void)state;
    o.evidence.unanswered = 49; /* a few keep-alive probes */
    assert_said(&o, OUTCOME_OK, NULL);
    o = cut; /* who seldom speaks is seldom missed */
    o.evidence.sides[SIDE_SERVER].first_payload_after_us = 0;
    o.packets[SIDE_SERVER] = 9;
    assert_said(&o, OUTCOME_OK, NULL);
    o.packets[SIDE_SERVER] = 10;
    o.evidence.sides[SIDE_SERVER].last_payload_after_us = 3000 * MS;
    assert_said(&o, OUTCOME_OK, NULL);
    o = cut; /* the other end is gone, and its kernel says so */
    o.evidence.icmp = (struct icmp_facts){
        .present = true, .type = 3, .code = 3, .ip_version = 4, .from_server = true};
    assert_said(&o, OUTCOME_OK, NULL);
    o = cut;
    o.flags |= OBSERVATION_MID_STREAM;
    assert_said(&o, OUTCOME_OK, NULL);
    judge_flow(&cut, &context, &verdict); /* answers go another way */
    assert_null(verdict.mechanism);
    context = (struct judge_context){.capture_end_us = cut.end_us + 1 * S};
    judge_flow(&cut, &context, &verdict); /* the capture ended */
    assert_null(verdict.mechanism);
}

/* Initial and Handshake came, and then the client tried in vain for 4 s. */
static struct observation quic_stuck(void)
{
    struct observation o = flow_datagrams(1, 3);

    o.stage = STAGE_QUIC;
    o.evidence.sides[SIDE_CLIENT].first_payload_kind = PAYLOAD_QUIC_INITIAL;
    for (unsigned ms = 50; ms <= 4050; ms *= 3)
        flow_sent(&o, SIDE_CLIENT, ms * MS, 1200);
    return o;
}

static void test_quic(void **state)
{
    const struct observation stuck = quic_stuck();
    struct observation o = stuck;

    (void)state;
    assert_said(&o, OUTCOME_FAILED, "quic.timeout");
    o.evidence.sides[SIDE_SERVER].flags |= SIDE_SHORT; /* the handshake was over */
    assert_said(&o, OUTCOME_OK, NULL);
    o = stuck;
    o.evidence.sides[SIDE_CLIENT].last_payload_after_us = 3000 * MS; /* it may be under way */
    assert_said(&o, OUTCOME_OK, NULL);
    o = stuck; /* its beginning is not here */
    o.evidence.sides[SIDE_CLIENT].first_payload_kind = PAYLOAD_OTHER;
    assert_said(&o, OUTCOME_OK, NULL);
    o = stuck;
    o.flags |= OBSERVATION_CUT; /* what the datagrams began with may not be here */
    assert_said(&o, OUTCOME_OK, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_call),
        cmocka_unit_test(test_call_guards),
        cmocka_unit_test(test_quic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
