// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer/judge/reference.h"
#include "base/status.h"
#include "tests/unit/judge/flows.h"

static struct references *references;

static int setup(void **state)
{
    (void)state;
    return references_create(&references);
}

static int teardown(void **state)
{
    (void)state;
    references_destroy(references);
    return 0;
}

static struct observation good_flow(uint32_t handshake_us, uint32_t exchange_us, uint8_t ttl)
{
    struct observation o = flow_session();
    o.evidence = (struct evidence_facts){.present = false};
    o.path = (struct path_facts){
        .handshake_rtt_us = handshake_us, .first_exchange_us = exchange_us, .server_ttl = ttl};
    return o;
}

static void learn(uint32_t line, const struct observation *flow)
{
    assert_int_equal(references_learn(references, line, flow), DL_OK);
}

static void test_connections(void **state)
{
    struct observation o = good_flow(80 * MS, 90 * MS, 50), other = o;
    struct reference found;

    (void)state;
    assert_int_equal(references_find(references, 1, &o).samples, 0);
    learn(1, &o);
    o = good_flow(600 * MS, 60 * MS, 52); /* the radio woke up for the SYN */
    learn(1, &o);
    o = flow_hello(true); /* a flow with evidence, its request never answered */
    learn(1, &o);
    found = references_find(references, 1, &o);
    assert_int_equal(found.samples, 3);
    assert_int_equal(found.exchanges, 2);
    assert_int_equal(found.rtt_least_us, 50 * MS);
    assert_int_equal(found.rtt_median_us, 60 * MS);
    assert_int_equal(found.ttl_high, 52);
    assert_int_equal(references_find(references, 2, &o).samples, 0); /* another line */
    other.server_port = 80;
    assert_int_equal(references_find(references, 1, &other).samples, 0);
    o = good_flow(0, 0, 0); /* whose handshake was not seen */
    learn(1, &o);
    assert_int_equal(references_find(references, 1, &o).samples, 3);
}

/* A page in the clear that comes quicker than the handshake may be anybody's: it teaches nothing,
 * unless the line is known to wake up for a SYN. */
static void test_quick_page(void **state)
{
    struct observation web = good_flow(100 * MS, 5 * MS, 50),
                       tls = good_flow(100 * MS, 30 * MS, 50);

    (void)state;
    web.stage = STAGE_HTTP;
    web.server_port = 80;
    learn(1, &web);
    assert_int_equal(references_find(references, 1, &web).rtt_least_us, 100 * MS);
    assert_int_equal(references_find(references, 1, &web).exchanges, 0);
    learn(1, &tls); /* a single slow handshake may have stood in a queue */
    assert_false(references_find(references, 1, &web).line_wakes);
    learn(1, &tls);
    assert_true(references_find(references, 1, &web).line_wakes);
    assert_int_equal(references_find(references, 1, &web).rtt_least_us, 5 * MS);
    assert_false(references_find(references, 2, &web).line_wakes); /* another line */
}

/* Who thought long says nothing of how long the handshake's way is. */
static void test_slow_answer(void **state)
{
    struct observation o = good_flow(100 * MS, 140 * MS, 50);

    (void)state;
    learn(1, &o);
    assert_int_equal(references_find(references, 1, &o).samples, 1);
    assert_int_equal(references_find(references, 1, &o).exchanges, 0);
    o = good_flow(100 * MS, 130 * MS, 50);
    learn(1, &o);
    assert_int_equal(references_find(references, 1, &o).exchanges, 1);
    assert_int_equal(references_find(references, 1, &o).rtt_least_us, 100 * MS);
}

static void test_questions(void **state)
{
    struct observation o = flow_question(1);

    (void)state;
    flow_answered(&o, 20 * MS, 0, "68.171.242.18");
    learn(1, &o);
    assert_int_equal(references_find(references, 1, &o).rtt_least_us, 20 * MS);
    flow_answered(&o, 3 * MS, 0, "10.1.1.1"); /* two answers teach nothing */
    learn(1, &o);
    o = flow_question(2);
    flow_answered(&o, 2 * MS, 0, "68.171.242.18"); /* to which of the two? */
    learn(1, &o);
    assert_int_equal(references_find(references, 1, &o).samples, 1);
}

static void test_bounded(void **state)
{
    struct observation o = good_flow(50 * MS, 50 * MS, 50);

    (void)state;
    for (uint32_t i = 0; i < REFERENCE_ENDPOINTS_MAX + 10; i++) {
        o.server.address.bytes[12] = (uint8_t)(i >> 24 | 1);
        o.server.address.bytes[13] = (uint8_t)(i >> 16);
        o.server.address.bytes[14] = (uint8_t)(i >> 8);
        o.server.address.bytes[15] = (uint8_t)i;
        learn(1, &o);
    }
    assert_int_equal(references_refused(references), 10);
    assert_int_equal(references_find(references, 1, &o).samples, 0);
    o.server.address.bytes[13] = o.server.address.bytes[14] = o.server.address.bytes[15] = 0;
    for (uint32_t i = 0; i < 1000; i++)
        learn(1, &o);
    assert_int_equal(references_find(references, 1, &o).samples, 1001);
    assert_int_equal(references_find(references, 1, &o).rtt_median_us, 50 * MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_connections, setup, teardown),
        cmocka_unit_test_setup_teardown(test_quick_page, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slow_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_questions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bounded, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
