// SPDX-License-Identifier: GPL-3.0-or-later
#include "fixture.h"

#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "catalog/catalog_internal.h"

#define HEAD                                                                                       \
    "id: box\nname: A box\nscope: carrier\nsummary: Words.\n"                                      \
    "sources:\n  - {id: s, title: A document, checked: 2026-11-21}\n"
#define SEEN "seen:\n  - {country: PK, source: s}\n"
#define RST                                                                                        \
    "packets:\n  - kind: rst\n    features:\n      - {what: flags, is: rst+ack, source: s}\n"

static void write_injector(struct fixture *f, const char *text)
{
    fixture_service(f, "alpha", "");
    fixture_write(f, "injectors/box.yaml", text);
}

struct value {
    enum injector_what what;
    const char *is;
    enum injector_how how;
    int64_t low, high;
    unsigned points;
};

static const struct value values[] = {
    {INJECTOR_FLAGS, "rst", INJECTOR_RANGE, 0x04, 0x04, 1},
    {INJECTOR_FLAGS, "rst+ack", INJECTOR_RANGE, 0x14, 0x14, 1},
    {INJECTOR_FLAGS, "psh+ack", INJECTOR_RANGE, 0x18, 0x18, 0},
    {INJECTOR_FLAGS, "fin+ack", INJECTOR_RANGE, 0x11, 0x11, 1},
    {INJECTOR_FLAGS, "fin+psh+ack", INJECTOR_RANGE, 0x19, 0x19, 1},
    {INJECTOR_DF, "set", INJECTOR_RANGE, 1, 1, 1},
    {INJECTOR_DF, "clear", INJECTOR_RANGE, 0, 0, 1},
    {INJECTOR_IP_ID, "0", INJECTOR_RANGE, 0, 0, 1},
    {INJECTOR_IP_ID, "0x00f2", INJECTOR_RANGE, 242, 242, 4},
    {INJECTOR_IP_ID, "0x9916-0x9933", INJECTOR_RANGE, 0x9916, 0x9933, 3},
    {INJECTOR_IP_ID, "1000-3000", INJECTOR_RANGE, 1000, 3000, 2},
    {INJECTOR_IP_ID, "0x00a3-0xfe5f", INJECTOR_RANGE, 0xa3, 0xfe5f, 0},
    {INJECTOR_IP_ID, "client", INJECTOR_CLIENT, 0, 0, 4},
    {INJECTOR_IP_ID, "client+1", INJECTOR_CLIENT, 1, 1, 4},
    {INJECTOR_IP_ID, "client+0-1", INJECTOR_CLIENT, 0, 1, 4},
    {INJECTOR_IP_ID, "own", INJECTOR_TOLD, 0, 0, 0},
    {INJECTOR_IP_ID, "random", INJECTOR_TOLD, 0, 0, 0},
    {INJECTOR_TTL, "225-255", INJECTOR_RANGE, 225, 255, 1},
    {INJECTOR_TTL, "39-238", INJECTOR_RANGE, 39, 238, 0},
    {INJECTOR_TTL, "client", INJECTOR_TOLD, 0, 0, 0},
    {INJECTOR_WINDOW, "0", INJECTOR_RANGE, 0, 0, 0},
    {INJECTOR_WINDOW, "8192", INJECTOR_RANGE, 8192, 8192, 2},
    {INJECTOR_WINDOW, "123", INJECTOR_RANGE, 123, 123, 3},
    {INJECTOR_WINDOW, "1980-1982", INJECTOR_RANGE, 1980, 1982, 3},
    {INJECTOR_WINDOW, "ttl+1375", INJECTOR_TTL_PLUS, 1375, 1375, 4},
    {INJECTOR_WINDOW, "ttl+1345-1405", INJECTOR_TTL_PLUS, 1345, 1405, 3},
    {INJECTOR_WINDOW, "client", INJECTOR_CLIENT, 0, 0, 2},
    {INJECTOR_COUNT, "1", INJECTOR_RANGE, 1, 1, 0},
    {INJECTOR_COUNT, "3", INJECTOR_RANGE, 3, 3, 2},
    {INJECTOR_PAYLOAD, "10", INJECTOR_RANGE, 10, 10, 3},
    {INJECTOR_PAYLOAD, "500-600", INJECTOR_RANGE, 500, 600, 1},
    {INJECTOR_SEQUENCE, "next", INJECTOR_RANGE, 0, 0, 0},
    {INJECTOR_SEQUENCE, "rising", INJECTOR_TOLD, 0, 0, 0},
    {INJECTOR_ACK, "zero", INJECTOR_TOLD, 0, 0, 0},
    {INJECTOR_PORT, "443", INJECTOR_RANGE, 443, 443, 1},
    {INJECTOR_RESIDUAL, "180", INJECTOR_TOLD, 180, 180, 0},
    {INJECTOR_RESIDUAL, "none", INJECTOR_TOLD, 0, 0, 0},
    {INJECTOR_ANSWER_FLAGS, "0x8180", INJECTOR_RANGE, 0x8180, 0x8180, 0},
    {INJECTOR_ANSWER_FLAGS, "0x8400", INJECTOR_RANGE, 0x8400, 0x8400, 2},
    {INJECTOR_RECORD_TTL, "300", INJECTOR_RANGE, 300, 300, 1},
    {INJECTOR_EDNS, "none", INJECTOR_RANGE, 0, 0, 1},
};

static void test_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(values); i++) {
        const struct value *v = &values[i];
        struct injector_feature f;
        if (!injector_feature_parse(v->what, v->is, &f))
            fail_msg("%s not understood", v->is);
        assert_int_equal(f.what, v->what);
        assert_int_equal(f.how, v->how);
        assert_int_equal(f.low, v->low);
        assert_int_equal(f.high, v->high);
        if (f.points != v->points)
            fail_msg("%s is worth %u", v->is, f.points);
    }
}

static void test_wrong_words(void **state)
{
    static const struct {
        enum injector_what what;
        const char *is;
    } wrong[] = {
        {INJECTOR_FLAGS, "ack"},   {INJECTOR_DF, "1"},
        {INJECTOR_IP_ID, "65536"}, {INJECTOR_IP_ID, "client-1"},
        {INJECTOR_IP_ID, "9-3"},   {INJECTOR_TTL, "256"},
        {INJECTOR_TTL, "-3"},      {INJECTOR_TTL, "3-"},
        {INJECTOR_WINDOW, "ttl"},  {INJECTOR_WINDOW, "ttl+x"},
        {INJECTOR_COUNT, "0"},     {INJECTOR_COUNT, "65"},
        {INJECTOR_SEQUENCE, "4"},  {INJECTOR_PORT, "https"},
        {INJECTOR_EDNS, "some"},   {INJECTOR_RESIDUAL, "for ever"},
        {INJECTOR_RECORD_TTL, ""}, {INJECTOR_ADDRESS, "192.0.2.1"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        struct injector_feature f;
        if (injector_feature_parse(wrong[i].what, wrong[i].is, &f))
            fail_msg("%s understood", wrong[i].is);
    }
}

static void test_table(void **state)
{
    struct fixture *f = *state;

    write_injector(f, HEAD SEEN RST "      - {what: window, is: ttl+1375, source: s}\n"
                                    "  - kind: dns\n    addresses:\n"
                                    "      - {block: 10.10.34.34, source: s}\n"
                                    "      - {block: 127.0.0.1, source: s}\n");
    fixture_must_load(f);
    const struct injector_table *table = catalog_injectors(f->catalog);
    assert_int_equal(table->count, 1);
    assert_string_equal(table->injectors[0].id, "box");
    assert_true(injector_is_between(&table->injectors[0]));
    assert_int_equal(table->injectors[0].packet_count, 2);
    const struct injector_packet *rst = &table->injectors[0].packets[0], *dns = rst + 1;
    assert_int_equal(rst->kind, INJECTOR_RST);
    assert_int_equal(rst->feature_count, 2);
    assert_int_equal(rst->points, 5);
    assert_int_equal(dns->address_count, 2);
    assert_int_equal(dns->points, 1); /* any of its addresses may be the one: the least counts */
}

static void test_listing(void **state)
{
    struct fixture *f = *state;

    write_injector(f, HEAD "seen:\n  - {country: PK, asn: 17557, first_seen: 2022-01-01, "
                           "note: n, source: s}\n" RST "  - kind: dns\n    addresses:\n"
                           "      - {block: 10.10.34.34, source: s}\n");
    fixture_write(f, "blockpages/page.yaml",
                  "id: page\nname: P\nscope: nation\ncountries: [PK]\n"
                  "sources: [{id: s, title: T, checked: 2026-01-31}]\n"
                  "patterns:\n  - {where: title, match: full, pattern: Stop, source: s}\n");
    fixture_must_load(f);
    assert_int_equal(catalog_injector_count(f->catalog), 1);
    assert_null(catalog_injector_at(f->catalog, 1));
    const struct catalog_injector *box = catalog_injector_at(f->catalog, 0);
    assert_string_equal(box->scope, "carrier");
    assert_int_equal(box->seen[0].asn, 17557);
    assert_null(box->seen[0].last_seen);
    assert_string_equal(box->packets[0].kind, "rst");
    assert_false(box->packets[0].named);
    assert_string_equal(box->packets[0].facts[0].what, "flags");
    assert_string_equal(box->packets[0].facts[0].is, "rst+ack");
    assert_true(box->packets[1].named);
    assert_string_equal(box->packets[1].facts[0].what, "address");
    assert_string_equal(box->packets[1].facts[0].is, "10.10.34.34");
    assert_int_equal(catalog_blockpage_count(f->catalog), 1);
    const struct catalog_blockpage *page = catalog_blockpage_at(f->catalog, 0);
    assert_string_equal(page->scope, "nation");
    assert_string_equal(page->patterns[0].where, "title");
    assert_string_equal(page->patterns[0].match, "full");
    assert_string_equal(page->countries[0], "PK");
}

struct refusal {
    const char *text, *why, *where;
};

static const struct refusal refusals[] = {
    {HEAD SEEN RST "      - {what: flags, is: rst, source: s}\n", "features entry 2",
     "told twice: 'flags'"},
    {HEAD SEEN RST "      - {what: df, is: perhaps, source: s}\n", "features entry 2",
     "cannot be so: 'perhaps'"},
    {HEAD SEEN RST "      - {what: df, is: set, source: t}\n", "features entry 2",
     "no such source in this file: 't'"},
    {HEAD SEEN RST "      - {what: df, is: set, first_seen: 2022, source: s}\n", "features entry 2",
     "no date YYYY-MM-DD: '2022'"},
    {HEAD SEEN RST
     "      - {what: df, is: set, first_seen: 2022-02-01, last_seen: 2022-01-01, source: s}\n",
     "features entry 2", "first_seen is after last_seen"},
    {HEAD SEEN RST "      - {what: record-ttl, is: \"300\", source: s}\n", "features entry 2",
     "not of this kind of packet: 'record-ttl'"},
    {HEAD SEEN RST "    addresses:\n      - {block: 10.0.0.1, source: s}\n", "addresses entry 1",
     "only DNS answers hold addresses"},
    {HEAD SEEN "packets:\n  - kind: dns\n    features:\n      - {what: window, is: \"1\", source: "
               "s}\n",
     "features entry 1", "not of this kind of packet: 'window'"},
    {HEAD SEEN "packets:\n  - kind: dns\n    addresses:\n      - {block: 10.0.0.300, source: s}\n",
     "addresses entry 1", "no address: '10.0.0.300'"},
    {HEAD SEEN "packets:\n  - kind: rst\n", "packets entry 1", "says nothing"},
    {HEAD SEEN "packets:\n  - kind: cake\n", "line 10", "injectors/box.yaml"},
    {HEAD SEEN RST "      - {what: colour, is: red, source: s}\n", "line 13", "injectors/box.yaml"},
    {HEAD SEEN RST "colour: red\n", "line 13", "Unexpected key: colour"},
    {HEAD "seen:\n  - {country: Pakistan, source: s}\n" RST, "country 'Pakistan'",
     "injectors/box.yaml"},
    {HEAD "seen:\n  - {country: PK, carrier: nobody, source: s}\n" RST, "seen entry 1",
     "no such carrier: 'nobody'"},
};

static void test_refusals(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LENGTH(refusals); i++) {
        write_injector(f, refusals[i].text);
        fixture_must_refuse(f, refusals[i].why, refusals[i].where);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_wrong_words),
        cmocka_unit_test_setup_teardown(test_table, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_listing, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_refusals, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
