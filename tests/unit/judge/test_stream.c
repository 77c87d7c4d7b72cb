// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include "tests/unit/judge/proving.h"

/* What befalls a connection that had worked: silence, resets, and the rest before them. */

/* The client asks from 1 s on, four times in 6 s, and nothing comes. */
static struct observation frozen(void)
{
    struct observation o = flow_session();

    for (unsigned i = 0; i < 4; i++)
        flow_sent(&o, SIDE_CLIENT, 1000 * MS + i * 2000 * MS, 40);
    o.evidence.unanswered = 4;
    o.evidence.unanswered_after_us = 1000 * MS;
    return o;
}

static struct verdict verdict_of(const struct observation *o, int64_t after_us, bool one_way)
{
    struct judge_context context = {.capture_end_us = o->end_us + after_us, .one_way = one_way};
    struct verdict verdict;

    judge_flow(o, &context, &verdict);
    return verdict;
}

static void assert_no_freeze(const struct observation *o)
{
    struct verdict verdict = verdict_of(o, 60 * S, false);
    assert_false(has_rule(&verdict, "freeze-in-stream"));
    assert_int_equal(verdict.outcome, OUTCOME_OK);
}

static void test_freeze(void **state)
{
    struct observation o = frozen();
    struct verdict verdict = verdict_of(&o, 1 * S, false);

    (void)state;
    assert_string_equal(verdict.mechanism, "stream.timeout");
    assert_int_equal(verdict.outcome, OUTCOME_FAILED);
    assert_int_equal(verdict.attribution, ATTRIBUTION_UNKNOWN);
    assert_true(has_rule(&verdict, "freeze-in-stream"));
    assert_non_null(strstr(verdict.evidence[0].detail, "after 3900 bytes"));
    assert_true(verdict.score < 0);
    o.flags |= OBSERVATION_MID_STREAM; /* a line older than the capture, and no doubt whose */
    assert_string_equal(verdict_of(&o, 1 * S, false).mechanism, "stream.timeout");
    o.flags &= (uint16_t)~OBSERVATION_MID_STREAM;
    flow_reset(&o, SIDE_CLIENT, 8000 * MS, true); /* it gave up at last */
    assert_string_equal(verdict_of(&o, 1 * S, false).mechanism, "stream.timeout");
}

/* Who asks little, or not for long, or in a capture that ends, proves no silence. */
static void test_freeze_guards(void **state)
{
    struct observation o = frozen();

    (void)state;
    o.evidence.unanswered = 2;
    assert_no_freeze(&o);
    o = frozen();
    o.evidence.unanswered_after_us = 5000 * MS;
    assert_no_freeze(&o); /* for two seconds */
    o = flow_session();
    flow_sent(&o, SIDE_CLIENT, 1000 * MS, 40);
    flow_sent(&o, SIDE_CLIENT, 4500 * MS, 40);
    o.evidence.unanswered = 3;
    o.evidence.unanswered_after_us = 1000 * MS;
    struct verdict verdict = verdict_of(&o, 1 * S, false);
    assert_false(has_rule(&verdict, "freeze-in-stream")); /* the capture ended after 4.5 s */
    verdict = verdict_of(&o, 2 * S, false);
    assert_true(has_rule(&verdict, "freeze-in-stream"));
    o = frozen();
    verdict = verdict_of(&o, 60 * S, true); /* answers are not in the capture at all */
    assert_false(has_rule(&verdict, "freeze-in-stream"));
    o = frozen();
    o.flags |= OBSERVATION_EARLY; /* it goes on */
    assert_no_freeze(&o);
    o = frozen();
    o.close = CLOSE_EVICTED;
    assert_no_freeze(&o);
    o = frozen();
    o.flags |= OBSERVATION_MID_STREAM | OBSERVATION_CLIENT_GUESSED; /* who asked whom? */
    assert_no_freeze(&o);
    for (int side = 0; side < 2; side++) {
        o = frozen();
        o.evidence.sides[side].flags |= SIDE_FIN;
        assert_no_freeze(&o);
    }
    o = frozen(); /* times of two capture queues */
    o.evidence.sides[SIDE_SERVER].last_packet_after_us = 1001 * MS;
    assert_no_freeze(&o);
}

/* Nobody asks anything: a line at rest, a client that has gone. */
static void test_rest_is_no_freeze(void **state)
{
    struct observation o = flow_session();

    (void)state;
    assert_no_freeze(&o);
    assert_null(verdict_of(&o, 3600 * S, false).mechanism);
}

/* A mapping was forgotten while the line rested: no exchange was cut, and nobody interferes. */
static void test_freeze_after_rest(void **state)
{
    struct observation o = flow_session();

    (void)state;
    for (unsigned i = 0; i < 4; i++)
        flow_sent(&o, SIDE_CLIENT, 300000 * MS + i * 2000 * MS, 40);
    o.evidence.unanswered = 4;
    o.evidence.unanswered_after_us = 300000 * MS;
    struct verdict verdict = verdict_of(&o, 1 * S, false);
    assert_string_equal(verdict.mechanism, "stream.timeout");
    assert_int_equal(verdict.outcome, OUTCOME_OK);
    assert_true(has_rule(&verdict, "idle-expiry"));
    assert_true(verdict.score >= 0 && verdict.score <= JUDGE_SCORE_INNOCENT);
}

/* ---- resets ---- */

static struct observation reset_in_download(void)
{
    struct observation o = flow_session();

    for (unsigned i = 1; i <= 5; i++)
        flow_sent(&o, SIDE_SERVER, (200 + i * 10) * MS, 1400);
    flow_reset(&o, SIDE_SERVER, 225 * MS, true);
    last_suspect(&o)->own_bytes_after = 4200;
    last_suspect(&o)->own_after_us = 25 * MS;
    last_suspect(&o)->ack_offset = -1;
    last_suspect(&o)->trigger_after_us = 105 * MS;
    return o;
}

static void test_reset_in_download(void **state)
{
    struct observation o = reset_in_download();
    struct verdict verdict = judged(&o, NULL);

    (void)state;
    assert_string_equal(verdict.mechanism, "stream.reset");
    assert_int_equal(verdict.outcome, OUTCOME_FAILED);
    assert_int_equal(verdict.attribution, ATTRIBUTION_UNKNOWN);
    assert_true(has_rule(&verdict, "reset-in-download"));
    assert_true(has_rule(&verdict, "in-flight-after-reset"));
    last_suspect(&o)->own_after_us = 80 * MS; /* more than a round trip: it never knew */
    assert_proven(&o, NULL, "talks-on-after-reset", "stream.reset");
}

/* The last packet of a server that was killed, or of one that had said all: how connections end. */
static void test_plain_end(void **state)
{
    struct observation o = reset_in_download();

    (void)state;
    last_suspect(&o)->own_bytes_after = 0;
    assert_null(judged(&o, NULL).mechanism);
    o = reset_in_download();
    last_suspect(&o)->own_after_us = 2999; /* overtaken on the way */
    assert_null(judged(&o, NULL).mechanism);
    o = reset_in_download();
    last_suspect(&o)->seq_offset = -100; /* an answer to something older */
    assert_null(judged(&o, NULL).mechanism);
}

static struct observation asked_and_reset(bool tls, uint32_t asked_us)
{
    struct observation o = tls ? flow_session() : flow_stream_request();

    if (!tls)
        flow_sent(&o, SIDE_SERVER, 110 * MS, 40);
    flow_sent(&o, SIDE_CLIENT, asked_us, 80);
    flow_reset(&o, SIDE_SERVER, asked_us + 60 * MS, true);
    last_suspect(&o)->trigger_after_us = 60 * MS;
    last_suspect(&o)->ack_offset = -1;
    return o;
}

/* Within TLS the last word may have been a goodbye; a service's own protocol was refused. */
static void test_outcome_of_request(void **state)
{
    struct observation o = asked_and_reset(false, 400 * MS);

    (void)state;
    assert_string_equal(judged(&o, NULL).mechanism, "stream.reset");
    assert_int_equal(judged(&o, NULL).outcome, OUTCOME_FAILED);
    o.service = "";
    assert_string_equal(judged(&o, NULL).mechanism, "stream.reset");
    assert_int_equal(judged(&o, NULL).outcome, OUTCOME_OK);
    o = asked_and_reset(true, 400 * MS);
    assert_string_equal(judged(&o, NULL).mechanism, "stream.reset");
    assert_int_equal(judged(&o, NULL).outcome, OUTCOME_OK);
}

/* How long is a rest? After 20 s always; after 3 s for a line that was hardly used. */
static void test_rest_before_reset(void **state)
{
    struct verdict verdict;
    struct observation o = asked_and_reset(false, 4000 * MS); /* 3.9 s, 35 times as long */

    (void)state;
    verdict = judged(&o, NULL);
    assert_true(has_rule(&verdict, "idle-expiry"));
    assert_int_equal(verdict.outcome, OUTCOME_OK);
    assert_true(verdict.score <= JUDGE_SCORE_INNOCENT);
    o = asked_and_reset(false, 3000 * MS);
    verdict = judged(&o, NULL);
    assert_false(has_rule(&verdict, "idle-expiry"));
    o = asked_and_reset(false, 10000 * MS); /* used for 2 s, then 8 s of rest */
    o.evidence.sides[SIDE_SERVER].last_packet_after_us = 2000 * MS;
    verdict = judged(&o, NULL);
    assert_false(has_rule(&verdict, "idle-expiry"));
    o = asked_and_reset(false, 26000 * MS); /* 21 s after 5 */
    o.evidence.sides[SIDE_SERVER].last_packet_after_us = 5000 * MS;
    verdict = judged(&o, NULL);
    assert_true(has_rule(&verdict, "idle-expiry"));
    o = asked_and_reset(false, 300000 * MS); /* asked in vain first: silence is no rest */
    o.evidence.unanswered = 5;
    o.evidence.unanswered_after_us = 1000 * MS;
    verdict = judged(&o, NULL);
    assert_false(has_rule(&verdict, "idle-expiry"));
}

/* A browser opens lines ahead: seconds between handshake and ClientHello are no rest. */
static void test_opened_ahead(void **state)
{
    struct observation o = flow_connected();

    (void)state;
    flow_sent(&o, SIDE_CLIENT, 30000 * MS, 517);
    o.stage = STAGE_TLS;
    o.evidence.tls.client_hello = true;
    o.evidence.sides[SIDE_CLIENT].first_payload_kind = PAYLOAD_TLS_CLIENT_HELLO;
    flow_reset(&o, SIDE_SERVER, 30003 * MS, true);
    last_suspect(&o)->trigger_after_us = 3 * MS;
    assert_proven(&o, &known, "answer-too-soon", "tls.reset.sni");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_freeze),
        cmocka_unit_test(test_freeze_guards),
        cmocka_unit_test(test_rest_is_no_freeze),
        cmocka_unit_test(test_freeze_after_rest),
        cmocka_unit_test(test_reset_in_download),
        cmocka_unit_test(test_plain_end),
        cmocka_unit_test(test_outcome_of_request),
        cmocka_unit_test(test_rest_before_reset),
        cmocka_unit_test(test_opened_ahead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
