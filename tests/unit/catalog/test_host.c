// SPDX-License-Identifier: GPL-3.0-or-later
#include "fixture.h"

#include <stdio.h>
#include <string.h>

static void load_three(struct fixture *fixture)
{
    fixture_service(fixture, "alpha",
                    "names:\n"
                    "  - {suffix: alpha.com, role: web, source: s}\n"
                    "  - {exact: www.gamma.org, role: web, source: s}\n"
                    "  - {suffix: shared.net, role: relay, transport: tcp, port: 3101, source: s}\n"
                    "  - {suffix: two.net, role: relay, transport: tcp, port: 3101, source: s}\n"
                    "  - {suffix: two.net, role: web, transport: tcp, port: 443, source: s}\n"
                    "not:\n"
                    "  - {exact: stun.beta.com, reason: everybody uses it, source: s}\n"
                    "  - {suffix: cdn.alpha.com, reason: everybody uses it, source: s}\n");
    fixture_service(fixture, "beta",
                    "names:\n"
                    "  - {suffix: beta.com, role: signalling, sure: unconfirmed, source: s}\n"
                    "  - {suffix: chat.alpha.com, role: relay, source: s}\n"
                    "  - {suffix: shared.net, role: web, transport: tcp, port: 443, source: s}\n"
                    "  - {suffix: files.cdn.alpha.com, role: files, source: s}\n");
    fixture_service(fixture, "gamma",
                    "names:\n"
                    "  - {suffix: www.gamma.org, role: web, source: s}\n"
                    "  - {suffix: alpha.com, role: relay, port: 9000, source: s}\n"
                    "  - {suffix: calls.org, role: web, source: s}\n"
                    "  - {suffix: calls.org, role: media, transport: udp, source: s}\n");
    fixture_must_load(fixture);
}

static void test_label_boundaries(void **state)
{
    struct fixture *f = *state;

    load_three(f);
    assert_string_equal(fixture_host(f, "alpha.com", TRANSPORT_TCP, 443), "alpha");
    assert_string_equal(fixture_host(f, "a.b.c.alpha.com", TRANSPORT_TCP, 443), "alpha");
    assert_string_equal(fixture_host(f, "xalpha.com", TRANSPORT_TCP, 443), "-");
    assert_string_equal(fixture_host(f, "notalpha.com", TRANSPORT_TCP, 443), "-");
    assert_string_equal(fixture_host(f, "alpha.com.evil.org", TRANSPORT_TCP, 443), "-");
    assert_string_equal(fixture_host(f, "com", TRANSPORT_TCP, 443), "-");
}

static void test_spelling(void **state)
{
    struct fixture *f = *state;

    load_three(f);
    assert_string_equal(fixture_host(f, "WWW.Alpha.COM", TRANSPORT_TCP, 443), "alpha");
    assert_string_equal(fixture_host(f, "www.alpha.com.", TRANSPORT_TCP, 443), "alpha");
    assert_string_equal(fixture_host(f, "www.alpha.com..", TRANSPORT_TCP, 443), "-");
    assert_string_equal(fixture_host(f, ".alpha.com", TRANSPORT_TCP, 443), "-");
    assert_string_equal(fixture_host(f, "www..alpha.com", TRANSPORT_TCP, 443), "-");
    assert_string_equal(fixture_host(f, "", TRANSPORT_TCP, 443), "-");
    assert_string_equal(fixture_host(f, ".", TRANSPORT_TCP, 443), "-");
}

static void test_length(void **state)
{
    struct fixture *f = *state;
    struct catalog_match match;
    char host[512];
    size_t length = 0;

    load_three(f);
    while (length < 244) {
        length += (size_t)snprintf(host + length, sizeof(host) - length, "a.");
    }
    length += (size_t)snprintf(host + length, sizeof(host) - length, "alpha.com");
    assert_int_equal(length, 253);
    assert_true(catalog_match_host(f->catalog, host, length, TRANSPORT_TCP, 443, &match));
    host[length++] = '.';
    assert_true(catalog_match_host(f->catalog, host, length, TRANSPORT_TCP, 443, &match));
    memmove(host + 1, host, length);
    assert_false(catalog_match_host(f->catalog, host, length + 1, TRANSPORT_TCP, 443, &match));
    /* Not NUL-terminated: only `length` bytes count. */
    assert_true(catalog_match_host(f->catalog, "alpha.comx", 9, TRANSPORT_TCP, 443, &match));
}

static void test_longest_wins(void **state)
{
    struct fixture *f = *state;

    load_three(f);
    assert_string_equal(fixture_host(f, "x.chat.alpha.com", TRANSPORT_TCP, 443), "beta");
    /* Longer beats the entry for this port. */
    assert_string_equal(fixture_host(f, "x.chat.alpha.com", TRANSPORT_TCP, 9000), "beta");
    assert_string_equal(fixture_host(f, "x.alpha.com", TRANSPORT_TCP, 9000), "gamma");
    assert_string_equal(fixture_host(f, "x.alpha.com", TRANSPORT_TCP, 9001), "alpha");
}

static void test_exact_before_suffix(void **state)
{
    struct fixture *f = *state;

    load_three(f);
    assert_string_equal(fixture_host(f, "www.gamma.org", TRANSPORT_TCP, 443), "alpha");
    assert_string_equal(fixture_host(f, "m.www.gamma.org", TRANSPORT_TCP, 443), "gamma");
    assert_string_equal(fixture_host(f, "gamma.org", TRANSPORT_TCP, 443), "-");
}

static void test_ports(void **state)
{
    struct fixture *f = *state;
    struct catalog_match match;

    load_three(f);
    assert_string_equal(fixture_host(f, "ca.shared.net", TRANSPORT_TCP, 3101), "alpha");
    assert_string_equal(fixture_host(f, "ca.shared.net", TRANSPORT_TCP, 443), "beta");
    assert_string_equal(fixture_host(f, "ca.shared.net", TRANSPORT_TCP, 80), "-");
    assert_string_equal(fixture_host(f, "ca.shared.net", TRANSPORT_UDP, 443), "-");
    assert_true(catalog_match_host(f->catalog, "ca.shared.net", 13, TRANSPORT_TCP, 443, &match));
    assert_true(match.specific);
    assert_true(match.confirmed);
    assert_false(match.inventory);
    assert_int_equal(match.role, ROLE_WEB);
    assert_true(catalog_match_host(f->catalog, "x.beta.com", 10, TRANSPORT_TCP, 443, &match));
    assert_false(match.specific);
    assert_false(match.confirmed);
    assert_true(catalog_match_host(f->catalog, "x.calls.org", 11, TRANSPORT_UDP, 443, &match));
    assert_int_equal(match.role, ROLE_MEDIA);
    assert_true(catalog_match_host(f->catalog, "x.calls.org", 11, TRANSPORT_TCP, 443, &match));
    assert_int_equal(match.role, ROLE_WEB);
}

/* A DNS question has no port: one service's entries still name it, two services' do not. */
static void test_unknown_port(void **state)
{
    struct fixture *f = *state;
    struct catalog_match match;

    load_three(f);
    assert_string_equal(fixture_host(f, "x.alpha.com", TRANSPORT_NONE, 0), "alpha");
    assert_string_equal(fixture_host(f, "ca.shared.net", TRANSPORT_NONE, 0), "-");
    assert_string_equal(fixture_host(f, "ca.two.net", TRANSPORT_NONE, 0), "alpha");
    assert_true(catalog_match_host(f->catalog, "ca.two.net", 10, TRANSPORT_NONE, 0, &match));
    assert_int_equal(match.role, ROLE_NONE);
    assert_false(match.specific);
}

static void test_traps(void **state)
{
    struct fixture *f = *state;

    load_three(f);
    assert_string_equal(fixture_host(f, "stun.beta.com", TRANSPORT_UDP, 3478), "-");
    assert_string_equal(fixture_host(f, "Stun.Beta.Com.", TRANSPORT_UDP, 3478), "-");
    assert_string_equal(fixture_host(f, "x.stun.beta.com", TRANSPORT_UDP, 3478), "beta");
    assert_string_equal(fixture_host(f, "a.cdn.alpha.com", TRANSPORT_TCP, 443), "-");
    assert_string_equal(fixture_host(f, "cdn.alpha.com", TRANSPORT_TCP, 443), "-");
    /* A longer name than the trap's is no trap. */
    assert_string_equal(fixture_host(f, "files.cdn.alpha.com", TRANSPORT_TCP, 443), "beta");
}

static void test_conflicts(void **state)
{
    struct fixture *f = *state;

    fixture_service(f, "one", "names:\n  - {suffix: same.com, role: web, source: s}\n");
    fixture_service(f, "two", "names:\n  - {suffix: same.com, role: web, source: s}\n");
    fixture_must_refuse(f, "services/one.yaml", "services/two.yaml");
    assert_non_null(strstr(f->error.message, "same.com"));
    fixture_service(f, "two", "names:\n  - {exact: same.com, role: web, source: s}\n");
    fixture_must_load(f);
    fixture_service(f, "two", "names:\n  - {suffix: same.com, port: 80, role: web, source: s}\n");
    fixture_must_load(f);
    fixture_service(f, "two",
                    "names:\n  - {suffix: twice.com, role: web, source: s}\n"
                    "  - {suffix: twice.com, role: web, source: s}\n");
    fixture_must_refuse(f, "services/two.yaml", "this file");
    fixture_service(f, "two", "not:\n  - {suffix: same.com, reason: r, source: s}\n");
    fixture_must_refuse(f, "services/one.yaml: suffix same.com can never match",
                        "services/two.yaml");
    fixture_service(f, "two", "not:\n  - {exact: same.com, reason: r, source: s}\n");
    fixture_must_load(f);
}

static void test_many_names(void **state)
{
    struct fixture *f = *state;
    char id[32], text[128], host[64];

    for (int i = 0; i < 300; i++) {
        snprintf(id, sizeof(id), "service-%03d", i);
        snprintf(text, sizeof(text),
                 "names:\n  - {suffix: n%d.example.org, role: web, source: s}\n", i);
        fixture_service(f, id, text);
    }
    fixture_must_load(f);
    for (int i = 0; i < 300; i++) {
        snprintf(id, sizeof(id), "service-%03d", i);
        snprintf(host, sizeof(host), "www.n%d.example.org", i);
        assert_string_equal(fixture_host(f, host, TRANSPORT_TCP, 443), id);
    }
    assert_string_equal(fixture_host(f, "www.n300.example.org", TRANSPORT_TCP, 443), "-");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_label_boundaries),
        TEST(test_spelling),
        TEST(test_length),
        TEST(test_longest_wins),
        TEST(test_exact_before_suffix),
        TEST(test_ports),
        TEST(test_unknown_port),
        TEST(test_traps),
        TEST(test_conflicts),
        TEST(test_many_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
