// SPDX-License-Identifier: GPL-3.0-or-later
#include "fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define GOOD "names:\n  - {suffix: good.com, role: web, source: s}\n"

/* The service alone has `more` in it: must be refused with both texts. */
static void refuse_service(struct fixture *f, const char *more, const char *text)
{
    fixture_service(f, "bad", more);
    fixture_must_refuse(f, "services/bad.yaml: ", text);
}

static void test_what_is_known(void **state)
{
    struct fixture *f = *state;
    const struct catalog_service *service;

    fixture_service(f, "zeta", GOOD "self_hosted: true\nown_authority: true\n");
    fixture_service(f, "alpha", "");
    fixture_write(f, "controls/beta.yaml",
                  "id: beta\nname: B\nclass: control\noperator: O\nsummary: S\n"
                  "sources: [{id: s, title: T, url: 'https://x.org', checked: 2026-01-31}]\n");
    fixture_must_load(f);
    assert_int_equal(catalog_service_count(f->catalog), 3);
    assert_null(catalog_service_at(f->catalog, 0));
    assert_null(catalog_service_at(f->catalog, 4));
    assert_string_equal(catalog_service_at(f->catalog, 1)->id, "alpha");
    assert_string_equal(catalog_service_at(f->catalog, 2)->id, "beta");
    assert_string_equal(catalog_service_at(f->catalog, 3)->id, "zeta");
    assert_null(catalog_service_find(f->catalog, "bet"));
    service = catalog_service_find(f->catalog, "beta");
    assert_int_equal(service->number, 2);
    assert_int_equal(service->class, CLASS_CONTROL);
    assert_string_equal(service->operator_name, "O");
    assert_int_equal(service->source_count, 1);
    assert_string_equal(service->sources[0].url, "https://x.org");
    assert_string_equal(service->sources[0].checked, "2026-01-31");
    service = catalog_service_find(f->catalog, "zeta");
    assert_true(service->self_hosted && service->own_authority);
    assert_false(catalog_service_find(f->catalog, "alpha")->own_authority);
    assert_null(service->sources[0].url);
    assert_int_equal(service->name_count, 1);
    assert_int_equal(service->block_count, 0);
}

static void test_every_word(void **state)
{
    static const char *const roles[] = {"relay", "signalling", "media", "push",
                                        "web",   "files",      "dns"};
    struct fixture *f = *state;
    struct catalog_match match;
    char text[2048] = "names:\n", host[64];

    for (size_t i = 0; i < 7; i++) {
        snprintf(text + strlen(text), sizeof(text) - strlen(text),
                 "  - {suffix: %s.example.org, role: %s, source: s}\n", roles[i], roles[i]);
    }
    fixture_service(f, "alpha", text);
    fixture_must_load(f);
    for (size_t i = 0; i < 7; i++) {
        snprintf(host, sizeof(host), "%s.example.org", roles[i]);
        assert_true(catalog_match_host(f->catalog, host, strlen(host), TRANSPORT_TCP, 1, &match));
        assert_string_equal(word_text(WORD_ROLE, match.role), roles[i]);
    }
    for (int class = CLASS_MESSAGING; class <= CLASS_PUSH; class ++) {
        snprintf(text, sizeof(text),
                 "id: alpha\nname: A\nclass: %s\noperator: O\nsummary: S\n"
                 "sources: [{id: s, title: T, checked: 2026-01-31}]\n",
                 word_text(WORD_CLASS, (unsigned)class));
        fixture_write(f, "services/alpha.yaml", text);
        fixture_must_load(f);
        assert_int_equal(catalog_service_at(f->catalog, 1)->class, class);
    }
}

static void test_folders(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(fixture_load(f), DL_EMPTY);
    assert_non_null(strstr(f->error.message, f->folder));
    fixture_service(f, "alpha", GOOD);
    fixture_write(f, "services/notes.txt", "not: [yaml");
    fixture_write(f, "services/.hidden.yaml", "not: [yaml");
    assert_int_equal(rmdir(fixture_path(f, "controls")), 0);
    assert_int_equal(rmdir(fixture_path(f, "orders")), 0);
    fixture_must_load(f);
    assert_int_equal(unlink(fixture_path(f, "services/alpha.yaml")), 0);
    assert_int_equal(unlink(fixture_path(f, "services/notes.txt")), 0);
    assert_int_equal(unlink(fixture_path(f, "services/.hidden.yaml")), 0);
    assert_int_equal(rmdir(fixture_path(f, "services")), 0);
    assert_int_equal(fixture_load(f), -ENOENT);
    assert_non_null(strstr(f->error.message, "/services"));
    assert_int_equal(catalog_load(&f->catalog, "/nonexistent", NULL), -ENOENT);
    catalog_destroy(NULL);
}

static void test_version(void **state)
{
    struct fixture *f = *state;
    char first[64];

    fixture_service(f, "alpha", GOOD);
    fixture_must_load(f);
    snprintf(first, sizeof(first), "%s", catalog_version(f->catalog));
    assert_int_equal(strlen(first), 16);
    assert_int_equal(strspn(first, "0123456789abcdef"), 16);
    fixture_must_load(f);
    assert_string_equal(catalog_version(f->catalog), first);
    fixture_service(f, "alpha", GOOD "# a comment\n");
    fixture_must_load(f);
    assert_string_not_equal(catalog_version(f->catalog), first);
    fixture_service(f, "alpha", GOOD);
    fixture_service(f, "beta", "");
    fixture_must_load(f);
    assert_string_not_equal(catalog_version(f->catalog), first);
}

/* What libcyaml refuses: with the line. The list of a service's own begins in line 8. */
static void test_schema_errors(void **state)
{
    struct fixture *f = *state;

    refuse_service(f, "colour: red\n", "line 8: Unexpected key: colour");
    refuse_service(f, "names:\n  - {suffix: x.com, role: web, source: s, prot: 3}\n",
                   "line 9: Unexpected key: prot");
    refuse_service(f, "names:\n  - {suffix: x.com, role: boss, source: s}\n",
                   "line 9: Invalid ENUM value: boss");
    refuse_service(f, "names:\n  - {suffix: x.com, role: 5, source: s}\n", "line 9: ");
    refuse_service(f, "names:\n  - {suffix: x.com, source: s}\n", "Missing required");
    refuse_service(f, "names:\n  - {suffix: x.com, role: web, port: 70000, source: s}\n",
                   "line 9: Invalid UINT value: '70000'");
    refuse_service(f, "self_hosted: perhaps\n", "line 8: ");
    refuse_service(f, "name: twice\n", "Mapping field already seen: name");
    refuse_service(f, "names: 3\n", "line 8: ");
    refuse_service(f, "alpn: [a, b\n", "libyaml");
    refuse_service(f, "alpn: [&x abc, *x]\n", "lias");
    refuse_service(f, "---\nid: other\n", "Ignoring documents after first");
    fixture_write(f, "services/bad.yaml", "");
    fixture_must_refuse(f, "services/bad.yaml: ", "nothing in it");
    fixture_write(f, "services/bad.yaml", "# only a comment\n");
    fixture_must_refuse(f, "services/bad.yaml: ", "nothing in it");
    fixture_write(f, "services/bad.yaml", "- a list\n");
    fixture_must_refuse(f, "services/bad.yaml: ", "MAPPING");
    fixture_write(f, "services/bad.yaml", "id: \xff\xfe\n");
    fixture_must_refuse(f, "services/bad.yaml: ", "UTF-8");
}

static void test_ids(void **state)
{
    struct fixture *f = *state;

    fixture_service(f, "good", GOOD);
    fixture_write(f, "controls/good.yaml",
                  "id: good\nname: B\nclass: control\noperator: O\nsummary: S\n"
                  "sources: [{id: s, title: T, checked: 2026-01-31}]\n");
    fixture_must_refuse(f, "/services/good.yaml", "/controls/good.yaml");
    fixture_write(f, "controls/good.yaml",
                  "id: other\nname: B\nclass: control\noperator: O\nsummary: S\n"
                  "sources: [{id: s, title: T, checked: 2026-01-31}]\n");
    fixture_must_refuse(f, "controls/good.yaml", "id 'other' is not the file's name");
    fixture_write(f, "controls/good.yaml",
                  "id: good\nname: B\nclass: mail\noperator: O\nsummary: S\n"
                  "sources: [{id: s, title: T, checked: 2026-01-31}]\n");
    fixture_must_refuse(f, "controls/good.yaml", "class control");
    unlink(fixture_path(f, "controls/good.yaml"));
    fixture_service(f, "Bad_Id", GOOD);
    fixture_must_refuse(f, "services/Bad_Id.yaml", "'Bad_Id' is not of a-z");
}

static void test_sources(void **state)
{
    struct fixture *f = *state;

    refuse_service(f, "names:\n  - {suffix: x.com, role: web, source: nowhere}\n",
                   "names entry 1: no such source in this file: 'nowhere'");
    refuse_service(f, "not:\n  - {suffix: x.com, reason: r, source: nowhere}\n", "not entry 1");
    refuse_service(f, "ports:\n  - {transport: tcp, first: 1, last: 1, role: web, source: q}\n",
                   "ports entry 1");
    refuse_service(f, "certificates:\n  - {issuer: x, source: q}\n", "certificates entry 1");
    fixture_write(f, "services/bad.yaml",
                  "id: bad\nname: B\nclass: mail\noperator: O\nsummary: S\nsources:\n"
                  "  - {id: s, title: T, checked: 2026-01-31}\n"
                  "  - {id: s, title: T, checked: 2026-01-31}\n");
    fixture_must_refuse(f, "services/bad.yaml", "sources entry 2: id twice: 's'");
    fixture_write(f, "services/bad.yaml",
                  "id: bad\nname: B\nclass: mail\noperator: O\nsummary: S\n"
                  "sources: [{id: s, title: T, checked: 2026-02-30}]\n");
    fixture_must_refuse(f, "services/bad.yaml", "2026-02-30");
    fixture_write(f, "services/bad.yaml",
                  "id: bad\nname: B\nclass: mail\noperator: O\nsummary: S\n"
                  "sources: [{id: s, title: T, checked: 2026-02-03T00:00:00Z}]\n");
    fixture_must_refuse(f, "services/bad.yaml", "no date");
    fixture_write(f, "services/bad.yaml",
                  "id: bad\nname: B\nclass: mail\noperator: O\nsummary: S\nsources: []\n");
    fixture_must_refuse(f, "services/bad.yaml", "line 6");
}

static void test_names(void **state)
{
    static const char *const bad[] = {"Upper.com", "x..com",    ".x.com", "x.com.",
                                      "-x.com",    "x-.com",    "com",    "x com.org",
                                      "'*.x.com'", "192.0.2.1", "x.com/", "\xc3\xbc.com"};
    struct fixture *f = *state;
    char text[512], label[80];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(text, sizeof(text), "names:\n  - {suffix: %s, role: web, source: s}\n", bad[i]);
        refuse_service(f, text, "names entry 1: no lower-case DNS name");
        snprintf(text, sizeof(text), "not:\n  - {exact: %s, reason: r, source: s}\n", bad[i]);
        refuse_service(f, text, "not entry 1: no lower-case DNS name");
    }
    memset(label, 'a', 64);
    label[64] = '\0';
    snprintf(text, sizeof(text), "names:\n  - {suffix: %s.com, role: web, source: s}\n", label);
    refuse_service(f, text, "no lower-case DNS name");
    refuse_service(f, "names:\n  - {role: web, source: s}\n", "either suffix or exact");
    refuse_service(f, "names:\n  - {suffix: a.com, exact: a.com, role: web, source: s}\n",
                   "either suffix or exact");
    label[63] = '\0';
    snprintf(text, sizeof(text),
             "names:\n  - {suffix: %s.com, role: web, source: s}\n"
             "  - {suffix: _x-1.2.xn--p1ai, role: web, source: s}\n",
             label);
    fixture_service(f, "bad", text);
    fixture_must_load(f);
}

static void test_references(void **state)
{
    struct fixture *f = *state;

    refuse_service(f, "addresses:\n  - {network: nowhere, role: web, source: s}\n",
                   "no such file in networks/: 'nowhere'");
    refuse_service(f, "addresses:\n  - {role: web, source: s}\n", "either block or network");
    refuse_service(f, "addresses:\n  - {block: 192.0.2.1/24, role: web, source: s}\n",
                   "'192.0.2.1/24'");
    refuse_service(f,
                   "addresses:\n  - {block: 192.0.2.0/24, first_port: 9, last_port: 8, role: web, "
                   "source: s}\n",
                   "ports out of order: '9-8'");
    refuse_service(f, "ports:\n  - {transport: tcp, first: 9, last: 8, role: web, source: s}\n",
                   "ports out of order: '9-8'");
    refuse_service(f, "ports:\n  - {transport: tcp, first: 0, last: 8, role: web, source: s}\n",
                   "a port is 1 to 65535");
    refuse_service(f, "alpn: [h2]\n", "everybody speaks 'h2'");
    refuse_service(f, "certificates:\n  - {source: s}\n", "issuer or subject");
    fixture_service(f, "bad", GOOD);
    fixture_write(f, "networks/net.yaml",
                  "id: net\nname: N\nsources: [{id: s, title: T, checked: 2026-01-31}]\n"
                  "blocks:\n  - {block: 192.0.2.0/24, source: s}\n  - {block: x, source: s}\n");
    fixture_must_refuse(f, "networks/net.yaml", "blocks entry 2: no address block");
    fixture_write(f, "networks/net.yaml",
                  "id: net\nname: N\nsources: [{id: s, title: T, checked: 2026-01-31}]\n"
                  "blocks:\n  - {block: 192.0.2.0/24, last_seen: yesterday, source: s}\n");
    fixture_must_refuse(f, "networks/net.yaml", "'yesterday'");
}

#define ORDER_HEAD                                                                                 \
    "id: o\ntitle: T\nissuer: I\ncountry: PK\nutc_offset: \"+05:00\"\nsummary: S\n"                \
    "sources: [{id: s, title: T, checked: 2026-01-31}]\n"
#define ORDER_DATES "dates: [{date: 2015-11-30, kind: due, source: s}]\n"

static void refuse_order(struct fixture *f, const char *yaml, const char *text)
{
    fixture_write(f, "orders/o.yaml", yaml);
    fixture_must_refuse(f, "orders/o.yaml", text);
}

static void test_orders(void **state)
{
    struct fixture *f = *state;
    const struct catalog_order *order;

    fixture_service(f, "good", GOOD);
    fixture_carrier(f, "carrier", "");
    refuse_order(f, ORDER_HEAD "services: [nowhere]\n" ORDER_DATES, "no such service: 'nowhere'");
    refuse_order(f, ORDER_HEAD "services: [good]\nexempt: [x]\n" ORDER_DATES, "exempt entry 1");
    refuse_order(f, ORDER_HEAD "services: [good]\ncarriers: [x]\n" ORDER_DATES,
                 "no such carrier: 'x'");
    refuse_order(f,
                 ORDER_HEAD "services: [good]\ndates: [{date: 2015-11-31, kind: due, source: s}]\n",
                 "'2015-11-31'");
    refuse_order(
        f, ORDER_HEAD "services: [good]\ndates: [{date: 2015-11-30, kind: soon, source: s}]\n",
        "no such kind: 'soon'");
    refuse_order(
        f,
        "id: o\ntitle: T\nissuer: I\ncountry: pk\nutc_offset: \"+05:00\"\nsummary: S\n"
        "sources: [{id: s, title: T, checked: 2026-01-31}]\nservices: [good]\n" ORDER_DATES,
        "country 'pk'");
    refuse_order(
        f,
        "id: o\ntitle: T\nissuer: I\ncountry: PK\nutc_offset: PKT\nsummary: S\n"
        "sources: [{id: s, title: T, checked: 2026-01-31}]\nservices: [good]\n" ORDER_DATES,
        "utc_offset 'PKT'");
    fixture_write(f, "orders/o.yaml",
                  ORDER_HEAD "services: [good]\nexempt: []\ncarriers: [carrier]\n"
                             "dates:\n  - {date: 2015-07-22, kind: announced, source: s}\n"
                             "  - {date: 2015-11-30, kind: due, note: or so, source: s}\n");
    fixture_must_load(f);
    assert_int_equal(catalog_order_count(f->catalog), 1);
    assert_null(catalog_order_at(f->catalog, 1));
    order = catalog_order_at(f->catalog, 0);
    assert_string_equal(order->services[0], "good");
    assert_int_equal(order->exempt_count, 0);
    assert_string_equal(order->carriers[0], "carrier");
    assert_int_equal(order->date_count, 2);
    assert_string_equal(order->dates[1].kind, "due");
    assert_string_equal(order->dates[1].note, "or so");
    assert_null(order->dates[0].note);
    assert_string_equal(order->utc_offset, "+05:00");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_known), TEST(test_every_word), TEST(test_folders), TEST(test_version),
        TEST(test_schema_errors), TEST(test_ids),        TEST(test_sources), TEST(test_names),
        TEST(test_references),    TEST(test_orders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
