// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include "analyzer/judge/attempt.h"

#define S INT64_C(1000000)

static struct observation flow_at(int64_t start_us, uint64_t client, const char *service,
                                  uint64_t packet)
{
    return (struct observation){.input = 2,
                                .packet = packet,
                                .start_us = start_us,
                                .service = service,
                                .client = {.kind = ENDPOINT_PSEUDONYM, .pseudonym = client}};
}

/* The packet number of the attempt this flow is assigned to. */
static uint64_t assign(struct attempts *attempts, int64_t start_us, uint64_t client,
                       const char *service, uint64_t packet)
{
    struct observation flow = flow_at(start_us, client, service, packet);
    uint64_t first;
    uint32_t input;
    assert_int_equal(attempts_assign(attempts, &flow, &input, &first), 0);
    assert_int_equal(input, 2);
    return first;
}

static void test_window(void **state)
{
    struct attempts *a;
    (void)state;
    assert_int_equal(attempts_create(&a), 0);
    assert_int_equal(assign(a, 0, 1, "signal", 10), 10);
    assert_int_equal(assign(a, 29 * S, 1, "signal", 11), 10);
    assert_int_equal(assign(a, 30 * S - 1, 1, "signal", 12), 10);
    assert_int_equal(assign(a, 30 * S, 1, "signal", 13),
                     13); /* the window counts from the first flow */
    assert_int_equal(assign(a, 59 * S, 1, "signal", 14), 13);
    assert_int_equal(assign(a, 200 * S, 1, "signal", 15), 15);
    attempts_destroy(a);
    attempts_destroy(NULL);
}

static void test_apart(void **state)
{
    struct attempts *a;
    struct observation flow = flow_at(2 * S, 0, "signal", 30);
    uint64_t first;
    uint32_t input;
    (void)state;
    assert_int_equal(attempts_create(&a), 0);
    assert_int_equal(assign(a, 0, 1, "signal", 20), 20);
    assert_int_equal(assign(a, 1 * S, 2, "signal", 21), 21);
    assert_int_equal(assign(a, 1 * S, 1, "whatsapp", 22), 22);
    assert_int_equal(assign(a, 2 * S, 2, "signal", 23), 21);
    /* Flows of no service stand for themselves. */
    assert_int_equal(assign(a, 2 * S, 1, "", 24), 24);
    assert_int_equal(assign(a, 2 * S, 1, "", 25), 25);
    /* An address is not a pseudonym, and two addresses are two clients. */
    assert_int_equal(address_parse("192.0.2.1", &flow.client.address), 0);
    flow.client.kind = ENDPOINT_ADDRESS;
    assert_int_equal(attempts_assign(a, &flow, &input, &first), 0);
    assert_int_equal(first, 30);
    assert_int_equal(address_parse("192.0.2.2", &flow.client.address), 0);
    flow.packet = 31;
    assert_int_equal(attempts_assign(a, &flow, &input, &first), 0);
    assert_int_equal(first, 31);
    attempts_destroy(a);
}

static void test_many(void **state)
{
    enum { CLIENTS = 1000, SERVICES = 40 };
    struct attempts *a;
    char service[32];
    uint64_t packet = 1;
    (void)state;
    assert_int_equal(attempts_create(&a), 0);
    for (int round = 0; round < 3; round++) {
        for (uint64_t c = 0; c < CLIENTS; c++) {
            for (int s = 0; s < SERVICES; s++, packet++) {
                snprintf(service, sizeof(service), "service-%d", s);
                uint64_t first = assign(a, round * 31 * S, c, service, packet);
                assert_int_equal(first, packet);
                assert_int_equal(assign(a, round * 31 * S, c, service, packet + 1000000), packet);
            }
        }
    }
    attempts_destroy(a);
}

/* Rows of one run and service are one attempt, whoever their client is; a row without run is one. */
static void test_runs(void **state)
{
    static const struct {
        uint64_t run;
        const char *service;
        uint64_t first;
    } rows[] = {{7, "signal", 1}, {7, "signal", 1}, {8, "signal", 3}, {7, "tor", 4},
                {0, "signal", 5}, {0, "signal", 6}, {7, "signal", 1}};
    struct attempts *a;
    uint64_t first;
    uint32_t input;
    (void)state;
    assert_int_equal(attempts_create(&a), 0);
    for (uint64_t i = 0; i < 7; i++) {
        struct observation row = flow_at(S, 1, rows[i].service, i + 1);
        row.import.present = true;
        row.import.run = rows[i].run;
        assert_int_equal(attempts_assign(a, &row, &input, &first), 0);
        assert_int_equal(first, rows[i].first);
    }
    assert_int_equal(assign(a, S, 1, "signal", 20), 20); /* a captured flow is none of them */
    attempts_destroy(a);
}

/* More attempts in one window than are kept: the oldest are forgotten, nothing breaks. */
static void test_bounded(void **state)
{
    const uint64_t many = (1u << 20) + 5000;
    struct attempts *a;
    (void)state;
    assert_int_equal(attempts_create(&a), 0);
    for (uint64_t c = 0; c < many; c++)
        assert_int_equal(assign(a, (int64_t)c, c, "tor", c + 1), c + 1);
    assert_int_equal(assign(a, (int64_t)many, many - 1, "tor", 7), many);
    assert_int_equal(assign(a, (int64_t)many, 0, "tor", 8), 8);
    attempts_destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_window), cmocka_unit_test(test_apart),   cmocka_unit_test(test_many),
        cmocka_unit_test(test_runs),   cmocka_unit_test(test_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
