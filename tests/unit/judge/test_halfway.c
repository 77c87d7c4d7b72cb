// SPDX-License-Identifier: GPL-3.0-or-later
/* Exchanges of which the server's part came, but late or in part: did the client get an answer? */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include "tests/unit/judge/proving.h"

/* Reset 5 ms after its ClientHello; the server's answer comes, and meets a closed door. */
static struct observation answered_after_reset(void)
{
    struct observation o = hello_reset_at(65 * MS);

    flow_sent(&o, SIDE_SERVER, 112 * MS, 1400);
    flow_reset(&o, SIDE_CLIENT, 113 * MS, false);
    return o;
}

static void test_answer_behind_reset(void **state)
{
    struct observation o = answered_after_reset();
    struct verdict verdict = judged(&o, NULL);

    (void)state;
    assert_int_equal(verdict.outcome, OUTCOME_FAILED);
    assert_string_equal(verdict.mechanism, "tls.reset.sni");
    assert_int_equal(verdict.attribution, ATTRIBUTION_UNKNOWN);
    assert_proven(&o, &known, "answer-too-soon", "tls.reset.sni");
}

/* A client that talks on took the reset for none of its own. */
static void test_reset_not_believed(void **state)
{
    struct observation o = hello_reset_at(65 * MS);

    (void)state;
    flow_sent(&o, SIDE_SERVER, 112 * MS, 1400);
    flow_sent(&o, SIDE_CLIENT, 113 * MS, 80);
    assert_null(judged(&o, NULL).mechanism);
    o = hello_reset_at(65 * MS);
    flow_sent(&o, SIDE_SERVER, 112 * MS, 1400);
    flow_fin(&o, SIDE_CLIENT, 300 * MS);
    assert_null(judged(&o, NULL).mechanism);
}

/* The answer had begun before the reset came. */
static void test_answer_before_reset(void **state)
{
    struct observation o = answered_after_reset();

    (void)state;
    o.evidence.sides[SIDE_SERVER].first_payload_after_us = 64 * MS;
    assert_null(judged(&o, NULL).mechanism);
}

/* TLS 1.2: key exchange, a short request and its answer, the client's goodbye; the handshake's end
 * itself was not noticed. */
static struct observation short_session(void)
{
    struct observation o = flow_server_hello();

    flow_sent(&o, SIDE_CLIENT, 112 * MS, 93);
    flow_sent(&o, SIDE_SERVER, 165 * MS, 900);
    flow_sent(&o, SIDE_CLIENT, 166 * MS, 31);
    flow_fin(&o, SIDE_CLIENT, 166 * MS);
    return o;
}

static void test_short_session(void **state)
{
    struct observation o = short_session();

    (void)state;
    assert_int_equal(judged(&o, NULL).outcome, OUTCOME_OK);
    o.evidence.sides[SIDE_SERVER].last_payload_after_us = 130 * MS; /* one flight in two packets */
    assert_int_equal(judged(&o, NULL).outcome, OUTCOME_UNKNOWN);
    o = short_session();
    o.evidence.sides[SIDE_CLIENT].payload_bytes -= 93; /* an alert at most */
    assert_int_equal(judged(&o, NULL).outcome, OUTCOME_UNKNOWN);
    o = short_session();
    o.evidence.sides[SIDE_SERVER].data_retransmissions = 1; /* its first flight again */
    assert_int_equal(judged(&o, NULL).outcome, OUTCOME_UNKNOWN);
    o = short_session();
    o.evidence.sides[SIDE_SERVER].payload_bytes = 20000; /* a first flight of two round trips */
    assert_int_equal(judged(&o, NULL).outcome, OUTCOME_UNKNOWN);
}

/* At the server: a reset in the client's name that looks like nothing of the client's, before the
 * server said a word. */
static void test_foreign_client_reset(void **state)
{
    struct observation o = flow_hello(true);

    (void)state;
    o.evidence.sides[SIDE_CLIENT].ttl_first = 50;
    o.evidence.sides[SIDE_CLIENT].flags |= SIDE_DF | SIDE_TIMESTAMPS;
    flow_reset(&o, SIDE_CLIENT, 61 * MS, true);
    *last_suspect(&o) = (struct suspect){.kind = SUSPECT_RST,
                                         .side = SIDE_CLIENT,
                                         .after_us = 61 * MS,
                                         .trigger_after_us = UINT32_MAX,
                                         .packet = 99,
                                         .ttl = 61,
                                         .ttl_expected = 50,
                                         .ip_id = 9000,
                                         .ip_id_from_own = 20000,
                                         .window = 8192};
    o.evidence.sides[SIDE_CLIENT].ip_id_max_step = 1;
    struct verdict verdict = judged(&o, NULL);
    assert_non_null(verdict.mechanism);
    assert_string_equal(verdict.mechanism, "tls.reset.sni");
    assert_int_equal(verdict.outcome, OUTCOME_FAILED);
    assert_int_equal(verdict.attribution, ATTRIBUTION_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answer_behind_reset),  cmocka_unit_test(test_reset_not_believed),
        cmocka_unit_test(test_answer_before_reset),  cmocka_unit_test(test_short_session),
        cmocka_unit_test(test_foreign_client_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
