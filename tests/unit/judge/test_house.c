// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include "base/status.h"
#include "tests/unit/judge/proving.h"

/* Whom the household put there itself, and who only looks so. */

static struct verdict seen_from(const struct observation *o, enum position position,
                                struct house house)
{
    struct judge_context context = {.capture_end_us = o->end_us + 60 * S,
                                    .server = known,
                                    .position = position,
                                    .house = house};
    struct verdict verdict;

    judge_flow(o, &context, &verdict);
    return verdict;
}

static const struct house nothing_else, all_alike = {5, 2}, only_services = {5, 0}, two = {2, 1};

static bool is_house(const struct observation *o, enum position position, struct house house)
{
    struct verdict verdict = seen_from(o, position, house);
    bool said = has_rule(&verdict, "near-client");

    if (said) { /* and then it counts for nothing */
        assert_true(verdict.score >= 0 && verdict.score <= JUDGE_SCORE_INNOCENT);
        assert_false(judge_is_proven(&verdict));
    }
    return said;
}

/* In the server's name, `hops` routers away, `us` after the ClientHello at 60 ms. */
static struct observation reset_from(unsigned hops, uint32_t us)
{
    struct observation o = hello_reset_at(60 * MS + us);
    last_suspect(&o)->trigger_after_us = us;
    last_suspect(&o)->ttl = (uint8_t)(64 - hops);
    return o;
}

static void test_reset(void **state)
{
    struct observation o = reset_from(0, 300);

    (void)state;
    assert_true(is_house(&o, POSITION_SUBSCRIBER, nothing_else));
    assert_true(is_house(&o, POSITION_NONE, nothing_else)); /* the client's TTL shows where it is */
    assert_false(is_house(&o, POSITION_CARRIER, all_alike));
    assert_false(is_house(&o, POSITION_SERVER, all_alike));
    struct verdict verdict = seen_from(&o, POSITION_CARRIER, nothing_else);
    assert_true(judge_is_proven(&verdict)); /* what is house at home is the carrier's box here */
    o = reset_from(1, 300);                 /* the household's second router */
    assert_true(is_house(&o, POSITION_SUBSCRIBER, nothing_else));
    o = reset_from(2, 300);
    assert_false(is_house(&o, POSITION_SUBSCRIBER, all_alike));
}

/* A carrier's box two routers from a probe on its tap, however quick. */
static void test_carriers_box(void **state)
{
    struct observation o = reset_from(2, 300);

    (void)state;
    o.evidence.sides[SIDE_CLIENT].ttl_first = 62;
    for (int position = POSITION_NONE; position <= POSITION_SERVER; position++)
        assert_false(is_house(&o, (enum position)position, all_alike));
}

/* Behind the client's router the carrier's first box is next to the probe. */
static void test_probe_behind_router(void **state)
{
    struct observation o = reset_from(0, 300);

    (void)state;
    o.evidence.sides[SIDE_CLIENT].ttl_first = 63;
    assert_false(is_house(&o, POSITION_SUBSCRIBER, all_alike));
    assert_false(is_house(&o, POSITION_NONE, all_alike));
}

/* Not at once: then only what meets all names alike. */
static void test_alike(void **state)
{
    struct observation o = reset_from(0, 5 * MS);

    (void)state;
    assert_false(is_house(&o, POSITION_SUBSCRIBER, nothing_else));
    assert_false(is_house(&o, POSITION_SUBSCRIBER, only_services)); /* no control met it */
    assert_false(is_house(&o, POSITION_SUBSCRIBER, two));
    assert_true(is_house(&o, POSITION_SUBSCRIBER, all_alike));
    o = reset_from(1, 5 * MS); /* a second router; the carrier's first one has a list */
    assert_false(is_house(&o, POSITION_SUBSCRIBER, only_services));
    assert_true(is_house(&o, POSITION_SUBSCRIBER, all_alike));
    o = reset_from(2, 5 * MS);
    assert_false(is_house(&o, POSITION_SUBSCRIBER, all_alike));
    o = reset_from(0, 12 * MS);
    assert_false(is_house(&o, POSITION_SUBSCRIBER, all_alike));
}

/* A server that is as near itself. */
static void test_near_server(void **state)
{
    struct observation o = reset_from(0, 300);

    (void)state;
    o.evidence.sides[SIDE_SERVER].ttl_first = 62; /* two routers away */
    assert_false(is_house(&o, POSITION_SUBSCRIBER, nothing_else));
    o = reset_from(0, 300);
    memset(&o.server.address, 0, sizeof(o.server.address));
    assert_int_equal(address_parse("192.168.1.1", &o.server.address), 0);
    assert_false(is_house(&o, POSITION_SUBSCRIBER, nothing_else));
}

/* A portal or a proxy that answers the SYN already. */
static void test_whole_connection(void **state)
{
    struct observation o = flow_web_request();

    (void)state;
    flow_sent(&o, SIDE_SERVER, 61 * MS, 500);
    o.evidence.http.status = 302;
    o.evidence.sides[SIDE_CLIENT].ttl_first = 64;
    o.evidence.sides[SIDE_SERVER].ttl_first = 64;
    o.evidence.handshake_rtt_us = 200;
    assert_false(is_house(&o, POSITION_SUBSCRIBER, nothing_else)); /* nothing wrong, nobody asked */
    strcpy(o.evidence.http.blockpage.id, "filter");
    o.evidence.http.blockpage.scope = BLOCKPAGE_PRODUCT;
    assert_true(is_house(&o, POSITION_SUBSCRIBER, nothing_else));
    o.evidence.http.blockpage.scope = BLOCKPAGE_NATION;
    assert_true(is_house(&o, POSITION_SUBSCRIBER, nothing_else));
    o.evidence.sides[SIDE_SERVER].ttl_first = 50;
    o.evidence.handshake_rtt_us = 50 * MS;
    assert_false(is_house(&o, POSITION_SUBSCRIBER, nothing_else));
}

/* A page slipped in before the server's own. */
static void test_page(void **state)
{
    struct observation o = talking_on(SUSPECT_FIN_DATA);

    (void)state;
    last_suspect(&o)->ttl = 64;
    last_suspect(&o)->trigger_after_us = 400;
    assert_true(is_house(&o, POSITION_SUBSCRIBER, nothing_else));
    last_suspect(&o)->ttl = 57;
    assert_false(is_house(&o, POSITION_SUBSCRIBER, nothing_else));
}

static void test_answer(void **state)
{
    struct observation o = flow_question(1);

    (void)state;
    flow_answered(&o, 400, 0, "192.168.1.1");
    o.dns.answers[0].ip_ttl = 64;
    assert_true(is_house(&o, POSITION_SUBSCRIBER, nothing_else));
    assert_false(is_house(&o, POSITION_CARRIER, nothing_else));
    assert_false(is_house(&o, POSITION_NONE, nothing_else)); /* where the probe is nobody knows */
    o.dns.answers[0].ip_ttl = 60;
    assert_false(is_house(&o, POSITION_SUBSCRIBER, nothing_else));
    o.dns.answers[0].ip_ttl = 64;
    assert_int_equal(address_parse("192.168.1.1", &o.server.address), 0);
    assert_false(is_house(&o, POSITION_SUBSCRIBER, nothing_else)); /* a resolver at home is asked */
}

/* On a subscriber's own line what is forged in his name comes out of his house. */
static void test_clients_name(void **state)
{
    struct observation o = hello_reset_at(200 * MS);
    struct suspect *s = last_suspect(&o);

    (void)state;
    s->side = SIDE_CLIENT;
    s->ttl = 60;
    s->ttl_expected = 64;
    s->own_bytes_after = 1400;
    s->own_after_us = 80 * MS;
    assert_true(is_house(&o, POSITION_SUBSCRIBER, nothing_else));
    assert_false(is_house(&o, POSITION_CARRIER, nothing_else));
    assert_false(is_house(&o, POSITION_NONE, nothing_else));
}

/* ---- the tally ---- */

static struct houses *houses;

static int setup(void **state)
{
    (void)state;
    return houses_create(&houses);
}

static int teardown(void **state)
{
    (void)state;
    houses_destroy(houses);
    return 0;
}

static struct observation near_flow(uint64_t client, const char *service)
{
    struct observation o = flow_session();
    o.client.pseudonym = client;
    o.service = service;
    o.evidence = (struct evidence_facts){.present = false};
    o.path = (struct path_facts){.handshake_rtt_us = 300, .server_ttl = 64};
    return o;
}

static void learn(uint32_t line, uint64_t client, const char *service)
{
    struct observation o = near_flow(client, service);
    houses_learn(houses, line, POSITION_SUBSCRIBER, &o);
}

static void test_tally(void **state)
{
    struct observation o = near_flow(1, "signal"), far = o;

    (void)state;
    learn(1, 1, "blackberry-bes");
    learn(1, 1, "blackberry-bbm"); /* one maker's are blocked together */
    learn(1, 1, "signal");
    learn(1, 1, "signal");
    assert_int_equal(houses_find(houses, 1, &o).services, 2);
    assert_int_equal(houses_find(houses, 1, &o).controls, 0);
    learn(1, 1, "control-wikipedia");
    learn(1, 1, "control-debian");
    assert_int_equal(houses_find(houses, 1, &o).services, 4);
    assert_int_equal(houses_find(houses, 1, &o).controls, 2);
    assert_int_equal(houses_find(houses, 2, &o).services, 0); /* another line */
    o.client.pseudonym = 2;
    assert_int_equal(houses_find(houses, 1, &o).services, 0); /* another client */
    far.service = "whatsapp";
    far.path.server_ttl = 50;
    houses_learn(houses, 1, POSITION_SUBSCRIBER, &far);
    far.path.server_ttl = 64;
    houses_learn(houses, 1, POSITION_CARRIER, &far);
    houses_learn(houses, 1, POSITION_NONE, &far); /* nothing says where the client is */
    far.service = "";
    houses_learn(houses, 1, POSITION_SUBSCRIBER, &far);
    o.client.pseudonym = 1;
    assert_int_equal(houses_find(houses, 1, &o).services, 4);
}

static void test_bound(void **state)
{
    (void)state;
    for (uint64_t client = 0; client < HOUSE_CLIENTS_MAX + 10; client++)
        learn(1, client, "signal");
    assert_int_equal(houses_refused(houses), 10);
    learn(1, 3, "whatsapp"); /* who is there is still counted */
    struct observation o = near_flow(3, "signal");
    assert_int_equal(houses_find(houses, 1, &o).services, 2);
    o.client.pseudonym = HOUSE_CLIENTS_MAX + 5;
    assert_int_equal(houses_find(houses, 1, &o).services, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_carriers_box),
        cmocka_unit_test(test_probe_behind_router),
        cmocka_unit_test(test_alike),
        cmocka_unit_test(test_near_server),
        cmocka_unit_test(test_whole_connection),
        cmocka_unit_test(test_page),
        cmocka_unit_test(test_answer),
        cmocka_unit_test(test_clients_name),
        cmocka_unit_test_setup_teardown(test_tally, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bound, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
