// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include "base/address.h"
#include "base/array.h"
#include "base/status.h"

static struct address parse(const char *text)
{
    struct address address = {{0}};
    assert_int_equal(address_parse(text, &address), DL_OK);
    return address;
}

static void check_round_trip(const char *text, const char *expected)
{
    char got[ADDRESS_TEXT_SIZE];
    struct address address = parse(text);
    assert_string_equal(address_format(&address, got), expected);
}

static void test_parse_and_format(void **state)
{
    (void)state;
    check_round_trip("203.0.113.7", "203.0.113.7");
    check_round_trip("0.0.0.0", "0.0.0.0");
    check_round_trip("255.255.255.255", "255.255.255.255");
    check_round_trip("::ffff:192.0.2.1", "192.0.2.1");
    check_round_trip("2001:0DB8:0:0:0:0:0:1", "2001:db8::1");
    check_round_trip("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1");
    check_round_trip("2001:0:0:1:0:0:0:1", "2001:0:0:1::1");
    check_round_trip("::", "::");
    check_round_trip("::1", "::1");
    check_round_trip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

static void test_parse_rejects(void **state)
{
    static const char *const bad[] = {"",          "1.2.3",
                                      "1.2.3.4.5", "256.0.0.1",
                                      "01.2.3.4",  " 1.2.3.4",
                                      "1.2.3.4 ",  "1.2.3.4/24",
                                      "0x7f.1",    "::1::",
                                      "12345::",   "fe80::1%lo",
                                      "host",      "2001:db8:0:0:0:0:0:0:1"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        struct address address = {{1}}, before = address;
        assert_int_equal(address_parse(bad[i], &address), DL_MALFORMED);
        assert_true(address_equal(&address, &before));
    }
}

static void test_v4_is_mapped(void **state)
{
    static const uint8_t bytes[4] = {203, 0, 113, 7};
    struct address built = address_from_v4(bytes), parsed = parse("203.0.113.7");
    struct address v6 = parse("2001:db8::1");
    (void)state;
    assert_true(address_equal(&built, &parsed));
    assert_true(address_is_v4(&parsed));
    assert_false(address_is_v4(&v6));
    assert_false(address_equal(&v6, &parsed));
}

static void test_prefix_parse(void **state)
{
    static const struct {
        const char *text;
        int bits;
    } good[] = {{"203.0.113.0/24", 120}, {"0.0.0.0/0", 96},        {"10.0.0.1", 128},
                {"10.0.0.1/32", 128},    {"2001:db8::/32", 32},    {"::/0", 0},
                {"2001:db8::1", 128},    {"2001:db8::1/128", 128}, {"::ffff:192.0.2.0/120", 120},
                {"10.128.0.0/9", 105},   {"8000::/1", 1}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        struct prefix prefix;
        assert_int_equal(prefix_parse(good[i].text, &prefix), DL_OK);
        assert_int_equal(prefix.bits, good[i].bits);
    }
}

static void test_prefix_parse_rejects(void **state)
{
    static const char *const bad[] = {"",
                                      "/",
                                      "/8",
                                      "10.0.0.0/",
                                      "10.0.0.0/33",
                                      "10.0.0.1/8",
                                      "10.0.0.0/08",
                                      "10.0.0.0/-1",
                                      "10.0.0.0/+8",
                                      "10.0.0.0/8 ",
                                      "10.0.0.0/8/8",
                                      "10.0.0.0/4294967304",
                                      "2001:db8::/129",
                                      "2001:db8::1/127",
                                      "::1/0",
                                      "10.128.0.0/8",
                                      "::ffff:192.0.2.0/24",
                                      "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/8"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        struct prefix prefix = {.bits = 77};
        assert_int_equal(prefix_parse(bad[i], &prefix), DL_MALFORMED);
        assert_int_equal(prefix.bits, 77);
    }
}

static bool contains(const char *prefix_text, const char *address_text)
{
    struct prefix prefix;
    struct address address = parse(address_text);
    assert_int_equal(prefix_parse(prefix_text, &prefix), DL_OK);
    return prefix_contains(&prefix, &address);
}

static void test_prefix_contains(void **state)
{
    struct prefix impossible = {.bits = 129};
    struct address zero = {{0}};
    (void)state;
    assert_true(contains("203.0.113.0/24", "203.0.113.255"));
    assert_false(contains("203.0.113.0/24", "203.0.114.0"));
    assert_true(contains("100.64.0.0/10", "100.127.255.255"));
    assert_false(contains("100.64.0.0/10", "100.128.0.0"));
    assert_true(contains("0.0.0.0/0", "8.8.8.8"));
    assert_false(contains("0.0.0.0/0", "2001:db8::1"));
    assert_true(contains("::/0", "8.8.8.8"));
    assert_true(contains("192.0.2.1", "192.0.2.1"));
    assert_false(contains("192.0.2.1", "192.0.2.0"));
    assert_false(prefix_contains(&impossible, &zero));
}

static void test_private(void **state)
{
    static const char *const private[] = {"10.0.0.1",
                                          "172.16.0.1",
                                          "172.31.255.255",
                                          "192.168.1.1",
                                          "100.64.0.1",
                                          "100.127.255.255",
                                          "127.0.0.1",
                                          "169.254.1.1",
                                          "0.0.0.0",
                                          "224.0.0.251",
                                          "239.255.255.250",
                                          "255.255.255.255",
                                          "::",
                                          "::1",
                                          "fe80::1",
                                          "febf::1",
                                          "fc00::1",
                                          "fdff::1",
                                          "ff02::fb",
                                          "::ffff:10.0.0.1"};
    static const char *const public[] = {"8.8.8.8",     "172.15.0.1",      "172.32.0.1",
                                         "192.167.1.1", "100.63.0.1",      "100.128.0.1",
                                         "11.0.0.1",    "223.255.255.255", "2001:4860::8888",
                                         "fec0::1",     "fbff::1",         "::2",
                                         "1::"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(private); i++) {
        struct address address = parse(private[i]);
        assert_true(address_is_private(&address));
    }
    for (size_t i = 0; i < ARRAY_LENGTH(public); i++) {
        struct address address = parse(public[i]);
        assert_false(address_is_private(&address));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_and_format),
        cmocka_unit_test(test_parse_rejects),
        cmocka_unit_test(test_v4_is_mapped),
        cmocka_unit_test(test_prefix_parse),
        cmocka_unit_test(test_prefix_parse_rejects),
        cmocka_unit_test(test_prefix_contains),
        cmocka_unit_test(test_private),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
