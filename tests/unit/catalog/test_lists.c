// SPDX-License-Identifier: GPL-3.0-or-later
#include "fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"

static void load(struct fixture *f)
{
    fixture_service(
        f, "alpha",
        "names:\n  - {suffix: alpha.com, role: web, source: s}\n"
        "ports:\n  - {transport: tcp, first: 3101, last: 3101, role: relay, source: s}\n");
    fixture_service(f, "beta",
                    "names:\n  - {suffix: beta.com, role: signalling, source: s}\n"
                    "addresses:\n  - {block: 203.0.113.0/24, role: media, source: s}\n"
                    "not:\n  - {suffix: trap.org, reason: r, source: s}\n");
    fixture_must_load(f);
}

static int add_inventory(struct fixture *f, const char *yaml)
{
    fixture_write(f, "inventory.yaml", yaml);
    memset(&f->error, 0, sizeof(f->error));
    return catalog_add_inventory(f->catalog, fixture_path(f, "inventory.yaml"), &f->error);
}

static void test_inventory_hosts(void **state)
{
    struct fixture *f = *state;
    struct catalog_match match;

    load(f);
    assert_int_equal(add_inventory(f,
                                   "- {name: ours, service: beta, host: chat.example.org}\n"
                                   "- {name: x, service: beta, host: alpha.com, port: 99}\n"
                                   "- {name: y, service: alpha, host: trap.org}\n"
                                   "- {name: z, service: alpha, host: bes.our.org, port: 3101}\n"),
                     DL_OK);
    assert_true(
        catalog_match_host(f->catalog, "a.chat.example.org", 18, TRANSPORT_TCP, 443, &match));
    assert_true(match.inventory);
    assert_true(match.confirmed);
    assert_int_equal(match.role, ROLE_SIGNALLING);
    assert_string_equal(fixture_host(f, "xchat.example.org", TRANSPORT_TCP, 443), "-");
    assert_string_equal(fixture_host(f, "alpha.com", TRANSPORT_TCP, 443), "alpha");
    assert_string_equal(fixture_host(f, "alpha.com", TRANSPORT_TCP, 99), "beta");
    assert_string_equal(fixture_host(f, "trap.org", TRANSPORT_TCP, 443), "alpha");
    assert_true(catalog_match_host(f->catalog, "bes.our.org", 11, TRANSPORT_TCP, 3101, &match));
    assert_true(match.specific);
    assert_int_equal(match.role, ROLE_RELAY);
    assert_false(catalog_match_host(f->catalog, "bes.our.org", 11, TRANSPORT_TCP, 443, &match));
    /* A second file adds to the first. */
    assert_int_equal(add_inventory(f, "- {name: z, service: alpha, host: more.org}\n"), DL_OK);
    assert_string_equal(fixture_host(f, "more.org", TRANSPORT_TCP, 1), "alpha");
    assert_string_equal(fixture_host(f, "chat.example.org", TRANSPORT_TCP, 1), "beta");
    assert_int_equal(catalog_service_find(f->catalog, "alpha")->name_count, 4);
}

static void test_inventory_addresses(void **state)
{
    struct fixture *f = *state;
    struct catalog_match matches[4];
    struct address address;

    load(f);
    assert_int_equal(add_inventory(f,
                                   "- {name: a, service: alpha, address: 203.0.113.7, port: 3101}\n"
                                   "- {name: b, service: beta, address: '2001:db8::/32'}\n"),
                     DL_OK);
    address_parse("203.0.113.7", &address);
    assert_int_equal(catalog_match_address(f->catalog, &address, TRANSPORT_TCP, 3101, matches, 4),
                     2);
    assert_true(matches[0].inventory);
    assert_true(matches[0].specific);
    assert_int_equal(matches[0].role, ROLE_RELAY);
    assert_false(matches[1].inventory);
    assert_int_equal(catalog_match_address(f->catalog, &address, TRANSPORT_TCP, 443, matches, 4),
                     1);
    address_parse("2001:db8::1", &address);
    assert_int_equal(catalog_match_address(f->catalog, &address, TRANSPORT_UDP, 443, matches, 4),
                     1);
    assert_true(matches[0].inventory);
    assert_false(matches[0].specific);
}

static void refuse_inventory(struct fixture *f, const char *yaml, int status, const char *text)
{
    assert_int_equal(add_inventory(f, yaml), status);
    assert_int_equal(f->error.status, status);
    if (!strstr(f->error.message, "inventory.yaml") || !strstr(f->error.message, text)) {
        fail_msg("'%s' has no '%s'", f->error.message, text);
    }
}

static void test_inventory_errors(void **state)
{
    struct fixture *f = *state;

    load(f);
    refuse_inventory(f, "", DL_EMPTY, "nothing");
    refuse_inventory(f, "name: x\n", DL_MALFORMED, "SEQUENCE");
    refuse_inventory(f, "- {name: x, service: nope, host: a.org}\n", DL_MALFORMED, "'nope'");
    refuse_inventory(f, "- {name: x, service: alpha}\n", DL_MALFORMED, "entry 1 (x)");
    refuse_inventory(f, "- {name: x, service: alpha, host: a.org, address: 192.0.2.1}\n",
                     DL_MALFORMED, "either address or host");
    refuse_inventory(f, "- {name: x, service: alpha, address: 192.0.2.1/24}\n", DL_MALFORMED,
                     "'192.0.2.1/24'");
    refuse_inventory(f, "- {name: x, service: alpha, host: A.org}\n", DL_MALFORMED, "'A.org'");
    refuse_inventory(f, "- {name: x, service: alpha, host: a.org}\n- {name: x, colour: 3}\n",
                     DL_MALFORMED, "line 2: Unexpected key: colour");
    refuse_inventory(f,
                     "- {name: x, service: alpha, host: a.org}\n"
                     "- {name: y, service: beta, host: a.org}\n",
                     DL_MALFORMED, "suffix a.org");
    assert_int_equal(catalog_add_inventory(f->catalog, "/nonexistent", NULL), -ENOENT);
    /* Nothing of the refused ones is left. */
    assert_string_equal(fixture_host(f, "a.org", TRANSPORT_TCP, 443), "-");
    assert_string_equal(fixture_host(f, "x.alpha.com", TRANSPORT_TCP, 443), "alpha");
}

static void test_inventory_limit(void **state)
{
    struct fixture *f = *state;
    FILE *file = fopen(fixture_path(f, "inventory.yaml"), "w");

    load(f);
    assert_non_null(file);
    for (int i = 0; i <= 100000; i++) {
        fprintf(file, "- {name: n, service: alpha, address: 10.%d.%d.%d}\n", i >> 16, i >> 8 & 255,
                i & 255);
    }
    fclose(file);
    assert_int_equal(
        catalog_add_inventory(f->catalog, fixture_path(f, "inventory.yaml"), &f->error), DL_LIMIT);
    assert_non_null(strstr(f->error.message, "inventory.yaml"));
}

static bool watched(struct fixture *f, const char *host)
{
    return catalog_is_watched(f->catalog, host, strlen(host));
}

static int add_watchlist(struct fixture *f, const char *text)
{
    fixture_write(f, "watch", text);
    memset(&f->error, 0, sizeof(f->error));
    return catalog_add_watchlist(f->catalog, fixture_path(f, "watch"), &f->error);
}

static void test_watchlist_plain(void **state)
{
    struct fixture *f = *state;

    load(f);
    assert_false(watched(f, "example.org"));
    assert_int_equal(add_watchlist(f, "# comment, with a comma\n\nExample.org\r\n"
                                      "  www.two.com.  # why\nexample.org\nlast.net"),
                     DL_OK);
    assert_true(watched(f, "example.org"));
    assert_true(watched(f, "A.EXAMPLE.org."));
    assert_true(watched(f, "a.www.two.com"));
    assert_true(watched(f, "last.net"));
    assert_false(watched(f, "two.com"));
    assert_false(watched(f, "xexample.org"));
    assert_false(watched(f, "org"));
    assert_false(watched(f, ""));
    assert_int_equal(add_watchlist(f, "later.org\n"), DL_OK);
    assert_true(watched(f, "later.org"));
    assert_true(watched(f, "last.net"));
    assert_string_equal(fixture_host(f, "example.org", TRANSPORT_TCP, 443), "-");
    assert_int_equal(add_watchlist(f, ""), DL_OK);
}

static void test_watchlist_csv(void **state)
{
    struct fixture *f = *state;

    load(f);
    assert_int_equal(
        add_watchlist(f,
                      "\xef\xbb\xbfnotes,url,category_code\r\n"
                      "\"a, \"\"quoted\"\"\nnote\",https://www.One.org/path?x=http://no.org/,A\r\n"
                      "x,http://user:pw@two.org:8080/,B\nx,https://192.0.2.1/,C\n"
                      "x,https://[2001:db8::1]/,C\nx,\"https://three.org/a,b\",C\n"
                      "x,four.org,C\nx,,\nx\nx,https://five.org#top,C"),
        DL_OK);
    assert_true(watched(f, "www.one.org"));
    assert_false(watched(f, "one.org"));
    assert_false(watched(f, "no.org"));
    assert_true(watched(f, "two.org"));
    assert_true(watched(f, "three.org"));
    assert_true(watched(f, "four.org"));
    assert_true(watched(f, "five.org"));
    assert_false(watched(f, "192.0.2.1"));
}

static void test_watchlist_errors(void **state)
{
    struct fixture *f = *state;

    load(f);
    assert_int_equal(add_watchlist(f, "a.org\n\nnot a name\n"), DL_MALFORMED);
    assert_non_null(strstr(f->error.message, "/watch: line 3: no DNS name: 'not a name'"));
    assert_int_equal(add_watchlist(f, "https://a.org/\n"), DL_MALFORMED);
    assert_non_null(strstr(f->error.message, "line 1"));
    assert_int_equal(add_watchlist(f, "name,address\nx,y\n"), DL_MALFORMED);
    assert_non_null(strstr(f->error.message, "no column 'url'"));
    assert_int_equal(add_watchlist(f, "url,notes\nhttps://a.org,x\nhttps://b.org,\"x\n\n"),
                     DL_MALFORMED);
    assert_non_null(strstr(f->error.message, "line 3: a quote never ends"));
    assert_int_equal(catalog_add_watchlist(f->catalog, "/nonexistent", &f->error), -ENOENT);
    assert_non_null(strstr(f->error.message, "/nonexistent"));
    assert_int_equal(catalog_add_watchlist(f->catalog, f->folder, NULL), -EISDIR);
}

static void test_watchlist_limit(void **state)
{
    struct fixture *f = *state;
    FILE *file = fopen(fixture_path(f, "watch"), "w");

    load(f);
    assert_non_null(file);
    for (int i = 0; i < 1000000; i++) {
        fprintf(file, "n%d.org\n", i);
    }
    fflush(file);
    assert_int_equal(catalog_add_watchlist(f->catalog, fixture_path(f, "watch"), &f->error), DL_OK);
    assert_true(watched(f, "n999999.org"));
    fprintf(file, "one-more.org\n");
    fclose(file);
    assert_int_equal(catalog_add_watchlist(f->catalog, fixture_path(f, "watch"), &f->error),
                     DL_LIMIT);
    assert_non_null(strstr(f->error.message, "line 1000001: more than 1000000 names"));
}

/* The Citizen Lab's global list, where it is at hand. */
static void test_watchlist_real(void **state)
{
    struct fixture *f = *state;
    const char *data = getenv("DARKLINE_REAL_DATA");
    char path[512];
    FILE *file;

    load(f);
    snprintf(path, sizeof(path), "%s/citizenlab/global.csv", data ? data : "");
    file = fopen(path, "r");
    if (!file) {
        skip();
    }
    fclose(file);
    assert_int_equal(catalog_add_watchlist(f->catalog, path, &f->error), DL_OK);
    assert_true(watched(f, "4genderjustice.org"));
    assert_true(watched(f, "adium.im"));
    assert_false(watched(f, "url"));
    assert_false(watched(f, "1.1.1.1"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_inventory_hosts),  TEST(test_inventory_addresses), TEST(test_inventory_errors),
        TEST(test_inventory_limit),  TEST(test_watchlist_plain),     TEST(test_watchlist_csv),
        TEST(test_watchlist_errors), TEST(test_watchlist_limit),     TEST(test_watchlist_real),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
