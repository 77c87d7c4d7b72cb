// SPDX-License-Identifier: GPL-3.0-or-later
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* "id id" of the services whose blocks hold the address, in the order they come. */
static const char *services_at(struct fixture *f, const char *text, enum transport transport,
                               uint16_t port)
{
    static char ids[256];
    struct catalog_match matches[8];
    struct address address;
    size_t count;

    assert_int_equal(address_parse(text, &address), DL_OK);
    count = catalog_match_address(f->catalog, &address, transport, port, matches, 8);
    ids[0] = '\0';
    for (size_t i = 0; i < count && i < 8; i++) {
        snprintf(ids + strlen(ids), sizeof(ids) - strlen(ids), "%s%s", i ? " " : "",
                 catalog_service_at(f->catalog, matches[i].service)->id);
    }
    return ids;
}

static void load_blocks(struct fixture *f)
{
    fixture_write(f, "networks/net.yaml",
                  "id: net\nname: N\nasns: [64500]\n"
                  "sources: [{id: s, title: T, checked: 2026-01-31}]\n"
                  "blocks:\n  - {block: 198.51.100.0/24, first_seen: 2015-01-01, source: s}\n"
                  "  - {block: '2001:db8::/32', sure: unconfirmed, source: s}\n");
    fixture_service(f, "alpha",
                    "addresses:\n  - {block: 203.0.113.0/24, role: relay, source: s}\n"
                    "  - {block: 203.0.113.7, role: media, source: s}\n"
                    "  - {network: net, transport: tcp, first_port: 3101, last_port: 3101, "
                    "role: relay, source: s}\n");
    fixture_service(f, "beta",
                    "addresses:\n  - {block: 203.0.113.0/28, role: web, source: s}\n"
                    "  - {block: 203.0.0.0/16, role: web, source: s}\n"
                    "  - {network: net, transport: tcp, first_port: 4101, last_port: 4200, "
                    "role: relay, source: s}\n"
                    "  - {block: '2001:db8:1::/48', role: web, source: s}\n");
    fixture_service(f, "gamma",
                    "addresses:\n  - {block: 203.0.113.0/24, transport: udp, role: web, "
                    "source: s}\n  - {block: 203.0.113.128/25, role: web, source: s}\n");
    fixture_must_load(f);
}

static void test_longest_first(void **state)
{
    struct fixture *f = *state;

    load_blocks(f);
    assert_string_equal(services_at(f, "203.0.113.7", TRANSPORT_TCP, 443), "alpha beta");
    assert_string_equal(services_at(f, "203.0.113.8", TRANSPORT_TCP, 443), "beta alpha");
    assert_string_equal(services_at(f, "203.0.113.8", TRANSPORT_UDP, 443), "beta alpha gamma");
    assert_string_equal(services_at(f, "203.0.113.16", TRANSPORT_TCP, 443), "alpha beta");
    assert_string_equal(services_at(f, "203.0.113.200", TRANSPORT_TCP, 443), "gamma alpha beta");
    assert_string_equal(services_at(f, "203.0.114.1", TRANSPORT_TCP, 443), "beta");
    assert_string_equal(services_at(f, "203.0.112.255", TRANSPORT_TCP, 443), "beta");
    assert_string_equal(services_at(f, "203.1.0.0", TRANSPORT_TCP, 443), "");
    assert_string_equal(services_at(f, "202.255.255.255", TRANSPORT_TCP, 443), "");
    assert_string_equal(services_at(f, "0.0.0.0", TRANSPORT_TCP, 443), "");
    assert_string_equal(services_at(f, "::", TRANSPORT_TCP, 443), "");
    assert_string_equal(services_at(f, "ffff::", TRANSPORT_TCP, 443), "");
}

static void test_ports_and_networks(void **state)
{
    struct fixture *f = *state;

    load_blocks(f);
    assert_string_equal(services_at(f, "198.51.100.9", TRANSPORT_TCP, 3101), "alpha");
    assert_string_equal(services_at(f, "198.51.100.9", TRANSPORT_TCP, 4150), "beta");
    assert_string_equal(services_at(f, "198.51.100.9", TRANSPORT_TCP, 443), "");
    assert_string_equal(services_at(f, "198.51.100.9", TRANSPORT_UDP, 3101), "");
    assert_string_equal(services_at(f, "198.51.100.9", TRANSPORT_NONE, 0), "");
    assert_string_equal(services_at(f, "2001:db8:1::5", TRANSPORT_TCP, 3101), "beta alpha");
    assert_string_equal(services_at(f, "2001:db8:2::5", TRANSPORT_TCP, 3101), "alpha");
    assert_int_equal(catalog_service_find(f->catalog, "alpha")->block_count, 4);
}

static void test_match_fields(void **state)
{
    struct fixture *f = *state;
    struct catalog_match matches[2];
    struct address address;

    load_blocks(f);
    address_parse("203.0.113.7", &address);
    assert_int_equal(catalog_match_address(f->catalog, &address, TRANSPORT_TCP, 1, matches, 2), 2);
    assert_true(matches[0].specific);
    assert_int_equal(matches[0].role, ROLE_MEDIA);
    assert_true(matches[0].confirmed);
    assert_false(matches[1].specific);
    address_parse("203.0.113.200", &address);
    memset(matches, 0x55, sizeof(matches));
    assert_int_equal(catalog_match_address(f->catalog, &address, TRANSPORT_TCP, 1, matches, 1), 3);
    assert_int_equal(catalog_match_address(f->catalog, &address, TRANSPORT_TCP, 1, NULL, 0), 3);
    address_parse("2001:db8:2::5", &address);
    assert_int_equal(catalog_match_address(f->catalog, &address, TRANSPORT_TCP, 3101, matches, 2),
                     1);
    assert_false(matches[0].confirmed);
}

/* Against the plain loop over all prefixes. */
static void test_random_blocks(void **state)
{
    struct fixture *f = *state;
    struct prefix prefixes[64];
    char text[8192] = "addresses:\n", one[ADDRESS_TEXT_SIZE];
    struct catalog_match match;

    srand(7);
    for (size_t i = 0; i < 64; i++) {
        unsigned bits = 4 + (unsigned)rand() % 29;
        uint32_t v4 = (uint32_t)rand() << 8 & (bits < 32 ? ~(UINT32_MAX >> bits) : UINT32_MAX);
        uint8_t bytes[4] = {(uint8_t)(10 + (v4 >> 24) % 2), (uint8_t)(v4 >> 16 & 3),
                            (uint8_t)(v4 >> 8), (uint8_t)v4};
        uint32_t whole = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
                         (uint32_t)bytes[2] << 8 | bytes[3];
        whole &= bits < 32 ? ~(UINT32_MAX >> bits) : UINT32_MAX;
        snprintf(one, sizeof(one), "%u.%u.%u.%u/%u", whole >> 24, whole >> 16 & 255,
                 whole >> 8 & 255, whole & 255, bits);
        assert_int_equal(prefix_parse(one, &prefixes[i]), DL_OK);
        snprintf(text + strlen(text), sizeof(text) - strlen(text),
                 "  - {block: %s, role: web, source: s}\n", one);
    }
    fixture_service(f, "alpha", text);
    fixture_must_load(f);
    for (int i = 0; i < 20000; i++) {
        uint8_t bytes[4] = {(uint8_t)(9 + rand() % 4), (uint8_t)(rand() & 3), (uint8_t)rand(),
                            (uint8_t)rand()};
        struct address address = address_from_v4(bytes);
        size_t expected = 0;
        bool host = false;
        for (size_t j = 0; j < 64; j++) {
            expected = expected || prefix_contains(&prefixes[j], &address);
            host = host || (prefixes[j].bits == 128 && prefix_contains(&prefixes[j], &address));
        }
        assert_int_equal(catalog_match_address(f->catalog, &address, TRANSPORT_TCP, 9, &match, 1),
                         expected);
        assert_true(!expected || match.specific == host);
    }
}

static const char *services_on(struct fixture *f, enum transport transport, uint16_t port)
{
    static char ids[256];
    struct catalog_match matches[8];
    size_t count = catalog_match_port(f->catalog, transport, port, matches, 8);

    ids[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        snprintf(ids + strlen(ids), sizeof(ids) - strlen(ids), "%s%s%s", i ? " " : "",
                 catalog_service_at(f->catalog, matches[i].service)->id,
                 matches[i].specific ? "!" : "");
    }
    return ids;
}

static void test_ports(void **state)
{
    struct fixture *f = *state;
    struct catalog_match matches[1];

    fixture_service(f, "alpha",
                    "ports:\n"
                    "  - {transport: tcp, first: 3101, last: 3101, role: relay, distinctive: true, "
                    "source: s}\n"
                    "  - {transport: udp, first: 500, last: 600, role: relay, source: s}\n");
    fixture_service(f, "beta",
                    "ports:\n  - {transport: tcp, first: 3000, last: 65535, role: web, source: s}\n"
                    "  - {transport: tcp, first: 1, last: 2, role: web, source: s}\n"
                    "  - {transport: tcp, first: 3100, last: 3102, role: media, source: s}\n");
    fixture_must_load(f);
    assert_string_equal(services_on(f, TRANSPORT_TCP, 3101), "alpha! beta");
    assert_string_equal(services_on(f, TRANSPORT_TCP, 3102), "beta");
    assert_string_equal(services_on(f, TRANSPORT_TCP, 65535), "beta");
    assert_string_equal(services_on(f, TRANSPORT_TCP, 2999), "");
    assert_string_equal(services_on(f, TRANSPORT_TCP, 1), "beta");
    assert_string_equal(services_on(f, TRANSPORT_TCP, 3), "");
    assert_string_equal(services_on(f, TRANSPORT_TCP, 0), "");
    assert_string_equal(services_on(f, TRANSPORT_UDP, 500), "alpha");
    assert_string_equal(services_on(f, TRANSPORT_UDP, 600), "alpha");
    assert_string_equal(services_on(f, TRANSPORT_UDP, 601), "");
    assert_string_equal(services_on(f, TRANSPORT_ICMP, 500), "");
    assert_int_equal(catalog_match_port(f->catalog, TRANSPORT_TCP, 3101, matches, 1), 2);
    assert_int_equal(catalog_match_port(f->catalog, TRANSPORT_TCP, 3101, NULL, 0), 2);
    assert_int_equal(catalog_match_port(f->catalog, TRANSPORT_TCP, 3102, matches, 1), 1);
    assert_int_equal(matches[0].role, ROLE_MEDIA); /* the narrower of its two */
}

static void test_carriers(void **state)
{
    struct fixture *f = *state;
    const struct catalog_carrier *carrier;
    struct address address;
    int64_t day;

    fixture_service(f, "alpha", "");
    fixture_carrier(f, "old",
                    "network: mobile\nbrands: [Old]\nmcc_mnc: ['410-01', '410-010']\n"
                    "asns:\n  - {asn: 64501, until: 2016-06-30, source: s}\n"
                    "  - {asn: 64502, note: x, source: s}\n"
                    "prefixes:\n  - {block: 203.0.113.0/24, source: s}\n");
    fixture_carrier(f, "young",
                    "asns:\n  - {asn: 64501, from: 2016-07-01, source: s}\n"
                    "prefixes:\n  - {block: 203.0.113.128/25, source: s}\n");
    fixture_must_load(f);
    assert_int_equal(catalog_carrier_count(f->catalog), 2);
    carrier = catalog_carrier_find(f->catalog, "old");
    assert_ptr_equal(carrier, catalog_carrier_at(f->catalog, 1));
    assert_int_equal(carrier->network, NETWORK_MOBILE);
    assert_int_equal(carrier->asn_count, 2);
    assert_int_equal(carrier->asns[1].asn, 64502);
    assert_null(carrier->asns[1].from);
    assert_string_equal(carrier->mcc_mnc[1], "410-010");
    assert_int_equal(catalog_carrier_find(f->catalog, "young")->network, NETWORK_NONE);
    clock_parse("2016-06-30T23:59:59Z", &day);
    assert_string_equal(catalog_carrier_by_asn(f->catalog, 64501, day)->id, "old");
    clock_parse("2016-07-01", &day);
    assert_string_equal(catalog_carrier_by_asn(f->catalog, 64501, day)->id, "young");
    assert_string_equal(catalog_carrier_by_asn(f->catalog, 64501, 0)->id, "young");
    assert_string_equal(catalog_carrier_by_asn(f->catalog, 64502, 0)->id, "old");
    assert_null(catalog_carrier_by_asn(f->catalog, 64503, 0));
    assert_null(catalog_carrier_by_asn(f->catalog, 1, 0));
    address_parse("203.0.113.1", &address);
    assert_string_equal(catalog_carrier_by_address(f->catalog, &address)->id, "old");
    address_parse("203.0.113.129", &address);
    assert_string_equal(catalog_carrier_by_address(f->catalog, &address)->id, "young");
    address_parse("203.0.112.1", &address);
    assert_null(catalog_carrier_by_address(f->catalog, &address));
}

static void refuse_carrier(struct fixture *f, const char *more, const char *text)
{
    fixture_carrier(f, "bad", more);
    fixture_must_refuse(f, "carriers/bad.yaml", text);
}

static void test_carrier_errors(void **state)
{
    struct fixture *f = *state;

    fixture_service(f, "alpha", "");
    fixture_carrier(f, "a",
                    "asns: [{asn: 64501, source: s}]\n"
                    "prefixes: [{block: 203.0.113.0/24, source: s}]\n");
    refuse_carrier(f, "asns: [{asn: 64501, from: 2016-07-01, source: s}]\n", "AS64501");
    assert_non_null(strstr(f->error.message, "carriers/a.yaml"));
    refuse_carrier(f, "prefixes: [{block: 203.0.113.0/24, source: s}]\n", "carriers/a.yaml");
    refuse_carrier(f, "asns: [{asn: 1, from: 2016-13-01, source: s}]\n", "'2016-13-01'");
    refuse_carrier(f, "asns: [{asn: 1, from: 2016-07-01, until: 2015-01-01, source: s}]\n",
                   "ends before it begins");
    refuse_carrier(f, "mcc_mnc: ['41001']\n", "'41001'");
    refuse_carrier(f, "mcc_mnc: ['410-1']\n", "'410-1'");
    refuse_carrier(f, "prefixes: [{block: 203.0.113.1/24, source: s}]\n", "prefixes entry 1");
    refuse_carrier(f, "prefixes: [{block: 203.0.113.0/24, source: x}]\n", "no such source");
    refuse_carrier(f, "network: wet\n", "Invalid ENUM value: wet");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_longest_first),  TEST(test_ports_and_networks),
        TEST(test_match_fields),   TEST(test_random_blocks),
        TEST(test_ports),          TEST(test_carriers),
        TEST(test_carrier_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
