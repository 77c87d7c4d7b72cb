// SPDX-License-Identifier: GPL-3.0-or-later
/* The catalog of the source tree itself. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/clock.h"

static struct fixture source;

static int load_source(void **state)
{
    const char *root = getenv("DARKLINE_SOURCE");
    char folder[4096];
    struct dl_error error = {0};

    (void)state;
    snprintf(folder, sizeof(folder), "%s/catalog", root ? root : ".");
    if (catalog_load(&source.catalog, folder, &error) != DL_OK) {
        print_error("%s\n", error.message);
        return -1;
    }
    return 0;
}

static int drop_source(void **state)
{
    (void)state;
    catalog_destroy(source.catalog);
    return 0;
}

struct expected_host {
    const char *host;
    enum transport transport;
    uint16_t port;
    const char *service; /* "-": none */
};

static void test_hosts(void **state)
{
    static const struct expected_host expected[] = {
        {"xslack.com", TRANSPORT_TCP, 443, "-"},
        {"notbbsecure.com", TRANSPORT_TCP, 3101, "-"},
        {"bbsecure.com.evil.org", TRANSPORT_TCP, 3101, "-"},
        {"stun.voip.blackberry.com", TRANSPORT_UDP, 3478, "-"},
        {"stun.voip.blackberry.com", TRANSPORT_NONE, 0, "-"},
        {"ca.bbsecure.com", TRANSPORT_TCP, 3101, "blackberry-bes"},
        {"CA.BBSecure.com.", TRANSPORT_TCP, 3101, "blackberry-bes"},
        {"us.srp.blackberry.com", TRANSPORT_TCP, 3101, "blackberry-bes"},
        {"us.turnd.bbsecure.com", TRANSPORT_TCP, 443, "blackberry-device"},
        {"wss-primary.slack.com", TRANSPORT_TCP, 443, "slack"},
        {"chat.signal.org", TRANSPORT_TCP, 443, "signal"},
        {"g.whatsapp.net", TRANSPORT_TCP, 5222, "whatsapp"},
        {"g.whatsapp.net", TRANSPORT_NONE, 0, "whatsapp"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        const char *service =
            fixture_host(&source, expected[i].host, expected[i].transport, expected[i].port);
        if (strcmp(service, expected[i].service) != 0) {
            fail_msg("%s: %s, not %s", expected[i].host, service, expected[i].service);
        }
    }
}

/* The words of the design, section 3. */
static void test_services(void **state)
{
    static const char *const ids[] = {"blackberry-bes",
                                      "blackberry-device",
                                      "blackberry-bbm",
                                      "blackberry-bbm-enterprise",
                                      "blackberry-bis",
                                      "blackberry-dynamics",
                                      "blackberry-push",
                                      "blackberry-world",
                                      "microsoft-teams",
                                      "slack",
                                      "webex",
                                      "zoom",
                                      "google-chat",
                                      "signal",
                                      "whatsapp",
                                      "telegram",
                                      "viber",
                                      "wechat",
                                      "wecom",
                                      "threema",
                                      "wire",
                                      "matrix",
                                      "discord",
                                      "line",
                                      "line-works",
                                      "kakaotalk",
                                      "dingtalk",
                                      "lark",
                                      "imo",
                                      "facebook-messenger",
                                      "apns",
                                      "fcm",
                                      "exchange-online",
                                      "imaps",
                                      "openvpn",
                                      "wireguard",
                                      "ipsec",
                                      "tor",
                                      "psiphon",
                                      "tailscale",
                                      "nordvpn",
                                      "windscribe"};
    size_t controls = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        if (!catalog_service_find(source.catalog, ids[i])) {
            fail_msg("no service %s", ids[i]);
        }
    }
    for (uint16_t i = 1; i <= catalog_service_count(source.catalog); i++) {
        controls += catalog_service_at(source.catalog, i)->class == CLASS_CONTROL;
    }
    assert_true(controls > 0);
}

static bool is_control(const char *host)
{
    struct catalog_match match;

    return catalog_match_host(source.catalog, host, strlen(host), TRANSPORT_TCP, 443, &match) &&
           catalog_service_at(source.catalog, match.service)->class == CLASS_CONTROL;
}

static void test_controls(void **state)
{
    (void)state;
    assert_true(is_control("www.wikipedia.org"));
    assert_true(is_control("www.example.com"));
    assert_false(is_control("www.slack.com"));
}

/* An address block or a port of the relay is evidence for both lines of BlackBerry, by port. */
static void test_blackberry_blocks(void **state)
{
    struct catalog_match matches[8];
    struct address address;
    uint16_t bes = catalog_service_find(source.catalog, "blackberry-bes")->number;

    (void)state;
    assert_int_equal(address_parse("206.53.144.9", &address), DL_OK);
    assert_true(catalog_match_address(source.catalog, &address, TRANSPORT_TCP, 3101, matches, 8) >=
                1);
    assert_int_equal(matches[0].service, bes);
    assert_int_equal(
        catalog_match_address(source.catalog, &address, TRANSPORT_TCP, 8443, matches, 8), 0);
    assert_true(catalog_match_port(source.catalog, TRANSPORT_TCP, 3101, matches, 8) >= 1);
    assert_int_equal(matches[0].service, bes);
    assert_true(matches[0].specific);
}

static void test_wire(void **state)
{
    struct catalog_wire_sample sample = {.transport = TRANSPORT_TCP,
                                         .server_port = 5222,
                                         .lengths = {{48, 191}, {80}},
                                         .length_count = {2, 1},
                                         .client_first = true};
    static const uint8_t bytes[191] = {0};
    struct catalog_wire_match match;

    (void)state;
    sample.first[SIDE_CLIENT] = bytes;
    sample.first_captured[SIDE_CLIENT] = 48;
    sample.first[SIDE_SERVER] = bytes;
    sample.first_captured[SIDE_SERVER] = 80;
    assert_true(catalog_match_wire(source.catalog, &sample, &match));
    assert_string_equal(catalog_service_at(source.catalog, match.match.service)->id, "threema");
}

/* An AS number leads to the one carrier that has it on that day. */
static void test_carriers(void **state)
{
    int64_t day;

    (void)state;
    assert_true(catalog_carrier_count(source.catalog) > 0);
    for (uint16_t i = 1; i <= catalog_carrier_count(source.catalog); i++) {
        const struct catalog_carrier *carrier = catalog_carrier_at(source.catalog, i);
        if (!catalog_country(source.catalog, carrier->country)) {
            fail_msg("%s: %s is not in countries.yaml", carrier->id, carrier->country);
        }
        if (!catalog_carrier_owner_at(carrier, 0)) {
            fail_msg("%s: nobody owns it today", carrier->id);
        }
        for (size_t j = 0; j < carrier->asn_count; j++) {
            const char *from = carrier->asns[j].from;
            day = 0;
            assert_true(!from || clock_parse(from, &day) == DL_OK);
            if (from || !carrier->asns[j].until) {
                assert_ptr_equal(catalog_carrier_by_asn(source.catalog, carrier->asns[j].asn, day),
                                 carrier);
            }
        }
    }
}

struct expected_owner {
    const char *carrier, *day, *owner; /* owner NULL: not known */
};

static void test_owners(void **state)
{
    static const struct expected_owner expected[] = {
        {"ptcl", "2015-11-30", "PTCL Group"},
        {"ufone", "2015-11-30", "PTCL Group"},
        {"telenor-pk", "2015-11-30", "Telenor Group"},
        {"telenor-pk", "2026-01-01", "PTCL Group"},
        {"jazz", "2015-11-30", "VEON"},
        {"warid", "2015-11-30", "Abu Dhabi Group"},
        {"wateen", "2015-11-30", "Abu Dhabi Group"},
        {"warid", "2016-09-01", NULL},
        {"warid", "2017-01-01", "VEON"},
        {"safaricom", "2023-11-10", "Vodafone Group"},
        {"telkom-ke", "2023-11-10", "Telkom Kenya"},
    };
    int64_t day;

    (void)state;
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        const struct catalog_carrier *carrier =
            catalog_carrier_find(source.catalog, expected[i].carrier);
        assert_non_null(carrier);
        assert_int_equal(clock_parse(expected[i].day, &day), DL_OK);
        const char *owner = catalog_carrier_owner_at(carrier, day);
        if (!owner != !expected[i].owner || (owner && strcmp(owner, expected[i].owner) != 0)) {
            fail_msg("%s on %s: %s", expected[i].carrier, expected[i].day, owner ? owner : "-");
        }
    }
}

/* The networks of the measurements of Kenya, 2023. */
static void test_kenya(void **state)
{
    static const uint32_t numbers[] = {12455, 15399, 15808, 30844, 33771, 36866, 36926, 37061};

    (void)state;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        const struct catalog_carrier *carrier =
            catalog_carrier_by_asn(source.catalog, numbers[i], 0);
        if (!carrier || strcmp(carrier->country, "KE") != 0) {
            fail_msg("AS%u is of no carrier of Kenya", numbers[i]);
        }
    }
    assert_ptr_equal(catalog_carrier_by_asn(source.catalog, 33771, 0),
                     catalog_carrier_by_asn(source.catalog, 37061, 0));
}

static void test_orders(void **state)
{
    struct catalog_order_times times;

    (void)state;
    assert_true(catalog_order_count(source.catalog) > 0);
    for (size_t i = 0; i < catalog_order_count(source.catalog); i++) {
        const struct catalog_order *order = catalog_order_at(source.catalog, i);
        catalog_order_times(source.catalog, order, &times);
        if (times.announced_us == CATALOG_NO_TIME) {
            fail_msg("%s: not announced", order->id);
        }
        if (times.due_us != CATALOG_NO_TIME && times.due_us < times.announced_us) {
            fail_msg("%s: due before it is announced", order->id);
        }
        if (times.ended_us != CATALOG_NO_TIME && times.ended_us < times.announced_us) {
            fail_msg("%s: over before it is announced", order->id);
        }
    }
}

static int64_t at(const char *text)
{
    int64_t time_us = 0;

    assert_int_equal(clock_parse(text, &time_us), DL_OK);
    return time_us;
}

/* The founding case. */
static void test_pakistan_2015(void **state)
{
    const struct catalog_order *order = catalog_order_find(source.catalog, "pta-bes-2015");
    const struct catalog_order *found[8];
    struct catalog_order_times times;

    (void)state;
    assert_non_null(order);
    catalog_order_times(source.catalog, order, &times);
    assert_int_equal(times.announced_us, at("2015-07-23T19:00:00Z"));
    assert_int_equal(times.first_due_us, at("2015-11-30T19:00:00Z"));
    assert_int_equal(times.due_us, at("2015-12-30T19:00:00Z"));
    assert_int_equal(times.ended_us, at("2015-12-31T19:00:00Z"));
    assert_int_equal(catalog_order_addresses(order, catalog_carrier_find(source.catalog, "ufone")),
                     CATALOG_ADDRESSED_BY_NAME);
    assert_int_equal(catalog_order_addresses(order, catalog_carrier_find(source.catalog, "zong")),
                     CATALOG_NOT_ADDRESSED);
    assert_true(catalog_order_exempts(order, "blackberry-bis"));
    assert_int_equal(catalog_orders_find(source.catalog, "PK", "blackberry-bes",
                                         at("2015-12-15T00:00:00Z"), found, 8),
                     1);
    assert_ptr_equal(found[0], order);
}

/* Pakistan had summer time in 2008 and 2009 only; Brazil had it in December 2015. */
static void test_clocks(void **state)
{
    const struct catalog_country *pakistan = catalog_country(source.catalog, "PK");

    (void)state;
    assert_int_equal(catalog_country_offset(pakistan, at("2009-07-01")), 6 * 3600);
    assert_int_equal(catalog_country_offset(pakistan, at("2015-07-01")), 5 * 3600);
    assert_int_equal(
        catalog_country_offset(catalog_country(source.catalog, "BR"), at("2015-12-17")), -2 * 3600);
    assert_int_equal(
        catalog_country_offset(catalog_country(source.catalog, "KE"), at("2023-11-10")), 3 * 3600);
    assert_int_equal(
        catalog_country_offset(catalog_country(source.catalog, "IR"), at("2018-05-01")), 16200);
    assert_int_equal(
        catalog_country_offset(catalog_country(source.catalog, "IR"), at("2024-05-01")), 12600);
}

/* Generous: a slow machine under sanitizers passes, a load that got ten times slower does not. */
static void test_load_time(void **state)
{
    const char *root = getenv("DARKLINE_SOURCE");
    struct catalog *catalog = NULL;
    char folder[4096];
    int64_t best = INT64_MAX;

    (void)state;
    snprintf(folder, sizeof(folder), "%s/catalog", root ? root : ".");
    for (int i = 0; i < 3; i++) {
        int64_t start = clock_monotonic_us(), taken;
        assert_int_equal(catalog_load(&catalog, folder, NULL), DL_OK);
        taken = clock_monotonic_us() - start;
        best = taken < best ? taken : best;
        catalog_destroy(catalog);
    }
    print_message("catalog loaded in %lld us\n", (long long)best);
    assert_true(best < CLOCK_SECOND_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts),    cmocka_unit_test(test_services),
        cmocka_unit_test(test_controls), cmocka_unit_test(test_blackberry_blocks),
        cmocka_unit_test(test_wire),     cmocka_unit_test(test_carriers),
        cmocka_unit_test(test_owners),   cmocka_unit_test(test_kenya),
        cmocka_unit_test(test_orders),   cmocka_unit_test(test_pakistan_2015),
        cmocka_unit_test(test_clocks),   cmocka_unit_test(test_load_time),
    };
    return cmocka_run_group_tests(tests, load_source, drop_source);
}
