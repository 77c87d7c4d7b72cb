// SPDX-License-Identifier: GPL-3.0-or-later
#include "rewrite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bytes.h"

#define IP  ETHERNET_SIZE
#define TCP (IP + 20u)

static const struct rewrite change = {.client = {10, 0, 0, 2},
                                      .new_client = {154, 80, 64, 10},
                                      .resolver = {10, 0, 0, 53},
                                      .new_resolver = {154, 80, 0, 53},
                                      .port = 40000,
                                      .new_port = 33000,
                                      .sequence_up = 1000,
                                      .sequence_down = 0xfffffff0,
                                      .dns_id = 0x0f0f,
                                      .hops = 3};

/* An IPv4 packet of `protocol` and `length` bytes; its segment is zeros. */
static void make_ip(uint8_t *bytes, uint8_t protocol, size_t length, bool up)
{
    static const uint8_t client[4] = {10, 0, 0, 2}, server[4] = {198, 51, 100, 7};

    memset(bytes, 0, IP + length);
    put16(bytes + 12, 0x0800);
    bytes[IP] = 0x45;
    put16(bytes + IP + 2, (uint16_t)length);
    bytes[IP + 8] = 60;
    bytes[IP + 9] = protocol;
    memcpy(bytes + IP + (up ? 12 : 16), client, 4);
    memcpy(bytes + IP + (up ? 16 : 12), server, 4);
}

static void make_tcp(uint8_t *bytes, bool up, uint8_t flags, uint32_t acknowledgement)
{
    make_ip(bytes, 6, 20 + 32, up);
    put16(bytes + TCP + (up ? 0 : 2), 40000);
    put16(bytes + TCP + (up ? 2 : 0), 443);
    put32(bytes + TCP + 4, 5000);
    put32(bytes + TCP + 8, acknowledgement);
    bytes[TCP + 12] = 0x80;
    bytes[TCP + 13] = flags;
    bytes[TCP + 20] = bytes[TCP + 21] = 1;
    bytes[TCP + 22] = 5; /* one selective acknowledgement */
    bytes[TCP + 23] = 10;
    put32(bytes + TCP + 24, 700);
    put32(bytes + TCP + 28, 800);
}

static void test_both_ways_stay_in_sequence(void **state)
{
    uint8_t up[128], down[128];

    (void)state;
    make_tcp(up, true, 0x10, 9000);
    make_tcp(down, false, 0x10, 5000);
    assert_true(rewrite_frame(&change, up, IP + 52, true));
    assert_true(rewrite_frame(&change, down, IP + 52, false));
    assert_memory_equal(up + IP + 12, change.new_client, 4);
    assert_memory_equal(down + IP + 16, change.new_client, 4);
    assert_int_equal(get16(up + TCP), 33000);
    assert_int_equal(get16(down + TCP + 2), 33000);
    assert_int_equal(get32(up + TCP + 4), 6000);
    assert_int_equal(get32(up + TCP + 8), 8984);
    assert_int_equal(get32(down + TCP + 4), 4984);
    assert_int_equal(get32(down + TCP + 8), 6000);
    assert_int_equal(get32(up + TCP + 24), 684); /* in the server's numbers */
    assert_int_equal(get32(down + TCP + 28), 1800);
    assert_true(rewrite_checks(up, IP + 52));
    assert_true(rewrite_checks(down, IP + 52));
}

static void test_only_servers_are_farther(void **state)
{
    uint8_t up[128], down[128];

    (void)state;
    make_tcp(up, true, 0x10, 1);
    make_tcp(down, false, 0x10, 1);
    assert_true(rewrite_frame(&change, up, IP + 52, true));
    assert_true(rewrite_frame(&change, down, IP + 52, false));
    assert_int_equal(up[IP + 8], 60);
    assert_int_equal(down[IP + 8], 57);
}

static void test_injectors_zero_stays(void **state)
{
    uint8_t reset[128];

    (void)state;
    make_tcp(reset, false, 0x14, 0);
    assert_true(rewrite_frame(&change, reset, IP + 52, false));
    assert_int_equal(get32(reset + TCP + 8), 0);
}

static void test_question_gets_an_id(void **state)
{
    uint8_t question[128];

    (void)state;
    make_ip(question, 17, 20 + 8 + 12, true);
    memcpy(question + IP + 16, change.resolver, 4);
    put16(question + TCP, 40000);
    put16(question + TCP + 2, 53);
    put16(question + TCP + 4, 20);
    put16(question + TCP + 6, 1); /* it has a checksum */
    put16(question + TCP + 8, 0x1234);
    assert_true(rewrite_frame(&change, question, IP + 40, true));
    assert_int_equal(get16(question + TCP + 8), 0x1234 ^ 0x0f0f);
    assert_memory_equal(question + IP + 16, change.new_resolver, 4);
    assert_true(rewrite_checks(question, IP + 40));
    question[TCP + 9] ^= 1;
    assert_false(rewrite_checks(question, IP + 40));
}

static void test_quoted_packet_is_the_clients(void **state)
{
    uint8_t error[256], quoted[128];

    (void)state;
    make_tcp(quoted, true, 2, 0);
    make_ip(error, 1, 20 + 8 + 28, false);
    error[TCP] = 3;
    memcpy(error + TCP + 8, quoted + IP, 28);
    assert_true(rewrite_frame(&change, error, IP + 56, false));
    const uint8_t *inner = error + TCP + 8;
    assert_memory_equal(inner + 12, change.new_client, 4);
    assert_int_equal(get16(inner + 20), 33000);
    assert_int_equal(get32(inner + 24), 6000);
    assert_true(rewrite_checks(error, IP + 56));
}

static void test_what_is_cut_is_refused(void **state)
{
    uint8_t up[128];

    (void)state;
    make_tcp(up, true, 0x10, 1);
    assert_false(rewrite_frame(&change, up, IP + 40, true));
    assert_false(rewrite_frame(&change, up, 10, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways_stay_in_sequence),
        cmocka_unit_test(test_only_servers_are_farther),
        cmocka_unit_test(test_injectors_zero_stays),
        cmocka_unit_test(test_question_gets_an_id),
        cmocka_unit_test(test_quoted_packet_is_the_clients),
        cmocka_unit_test(test_what_is_cut_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
