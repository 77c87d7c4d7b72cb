// SPDX-License-Identifier: GPL-3.0-or-later
/* What of the catalog has a place in time: countries' clocks, carriers' owners, orders. */
#include "fixture.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define SOURCES "sources: [{id: s, title: T, checked: 2026-01-31}]\n"
#define CLOCKS                                                                                     \
    SOURCES "countries:\n"                                                                         \
            "  - {country: DE, name: Germany, zone: Europe/Berlin, utc_offset: \"+01:00\", "       \
            "source: s, changes: [\n"                                                              \
            "      {at: \"2015-03-29T01:00:00Z\", utc_offset: \"+02:00\"},\n"                      \
            "      {at: \"2015-10-25T01:00:00Z\", utc_offset: \"+01:00\"}]}\n"                     \
            "  - {country: PK, name: Pakistan, zone: Asia/Karachi, utc_offset: \"+05:00\", "       \
            "source: s}\n"                                                                         \
            "  - {country: US, name: United States, zone: America/New_York, other_zones: true, "   \
            "utc_offset: \"-05:00\", source: s}\n"

static int64_t at(const char *text)
{
    int64_t time_us = 0;

    assert_int_equal(clock_parse(text, &time_us), DL_OK);
    return time_us;
}

/* ---- countries ---- */

static void test_clocks(void **state)
{
    struct fixture *f = *state;
    const struct catalog_country *germany;

    fixture_service(f, "alpha", "");
    fixture_write(f, "countries.yaml", CLOCKS);
    fixture_must_load(f);
    assert_int_equal(catalog_country_count(f->catalog), 3);
    assert_string_equal(catalog_country_at(f->catalog, 2)->code, "US");
    assert_null(catalog_country_at(f->catalog, 3));
    assert_null(catalog_country(f->catalog, "FR"));
    assert_true(catalog_country(f->catalog, "US")->other_zones);
    germany = catalog_country(f->catalog, "DE");
    assert_string_equal(germany->name, "Germany");
    assert_string_equal(germany->zone, "Europe/Berlin");
    assert_false(germany->other_zones);
    assert_int_equal(catalog_country_offset(germany, at("1990-07-01")), 3600);
    assert_int_equal(catalog_country_offset(germany, at("2015-03-29T00:59:59Z")), 3600);
    assert_int_equal(catalog_country_offset(germany, at("2015-03-29T01:00:00Z")), 7200);
    assert_int_equal(catalog_country_offset(germany, at("2015-10-25T00:59:59Z")), 7200);
    assert_int_equal(catalog_country_offset(germany, at("2015-10-25T01:00:00Z")), 3600);
    assert_int_equal(catalog_country_offset(germany, at("2040-07-01")), 3600);
    assert_int_equal(catalog_country_offset(catalog_country(f->catalog, "PK"), 0), 5 * 3600);
    assert_int_equal(catalog_country_offset(catalog_country(f->catalog, "US"), 0), -5 * 3600);
}

static void test_no_clocks(void **state)
{
    struct fixture *f = *state;

    fixture_service(f, "alpha", "");
    fixture_carrier(f, "one", "");
    fixture_must_load(f);
    assert_int_equal(catalog_country_count(f->catalog), 0);
    assert_null(catalog_country(f->catalog, "PK"));
}

static void refuse_countries(struct fixture *f, const char *list, const char *text)
{
    char yaml[1024];

    snprintf(yaml, sizeof(yaml), SOURCES "countries:\n%s", list);
    fixture_write(f, "countries.yaml", yaml);
    fixture_must_refuse(f, "/countries.yaml: ", text);
}

#define PK_HEAD "  - {country: PK, name: P, zone: Asia/Karachi, utc_offset: \"+05:00\", source: s"

static void test_country_errors(void **state)
{
    struct fixture *f = *state;

    fixture_service(f, "alpha", "");
    refuse_countries(f, PK_HEAD ", clock: 3}\n", "line 3: Unexpected key: clock");
    refuse_countries(f, PK_HEAD ", other_zones: maybe}\n", "line 3: ");
    refuse_countries(f, PK_HEAD ", changes: [{at: \"2015-01-01T00:00:00Z\"}]}\n",
                     "Missing required");
    refuse_countries(f, PK_HEAD "}\n" PK_HEAD "}\n", "countries entry 2: twice or out of order");
    refuse_countries(f, "  - {country: Pk, name: P, zone: Z, utc_offset: \"+05:00\", source: s}\n",
                     "country 'Pk' is no ISO");
    refuse_countries(f, "  - {country: PK, name: P, zone: Z, utc_offset: \"5\", source: s}\n",
                     "countries entry 1: utc_offset is not like +05:00: '5'");
    refuse_countries(f, "  - {country: PK, name: P, zone: Z, utc_offset: \"+05:00\", source: q}\n",
                     "no such source in this file: 'q'");
    refuse_countries(f, PK_HEAD ", changes: [{at: soon, utc_offset: \"+06:00\"}]}\n",
                     "a change has no time: 'soon'");
    refuse_countries(f, PK_HEAD ", changes: [{at: \"2015-01-01T00:00:00Z\", utc_offset: +6}]}\n",
                     "utc_offset is not like +05:00: '+6'");
    refuse_countries(f,
                     PK_HEAD ", changes: [{at: \"2015-01-01T00:00:00Z\", utc_offset: \"+06:00\"}, "
                             "{at: \"2015-01-01T00:00:00Z\", utc_offset: \"+05:00\"}]}\n",
                     "changes out of order");
}

static void test_unknown_countries(void **state)
{
    struct fixture *f = *state;

    fixture_service(f, "alpha", "");
    fixture_write(f, "countries.yaml",
                  SOURCES "countries:\n  - {country: DE, name: Germany, zone: Europe/Berlin, "
                          "utc_offset: \"+01:00\", source: s}\n");
    fixture_carrier(f, "one", "");
    fixture_must_refuse(f, "carriers/one.yaml", "country 'PK' is not in countries.yaml");
}

/* ---- owners ---- */

static void write_owners(struct fixture *f, const char *owners)
{
    char text[2048];

    snprintf(text, sizeof(text), "id: one\nname: One\ncountry: PK\n%s" SOURCES, owners);
    fixture_write(f, "carriers/one.yaml", text);
}

static void test_owners(void **state)
{
    struct fixture *f = *state;
    const struct catalog_carrier *carrier;

    fixture_service(f, "alpha", "");
    fixture_carrier(f, "always", "");
    write_owners(f, "owners:\n  - {owner: First, until: 2015-12-30, note: sold, source: s}\n"
                    "  - {owner: Second, from: 2015-12-31, until: 2020-01-01, source: s}\n"
                    "  - {owner: Third, from: 2021-01-01, source: s}\n");
    fixture_must_load(f);
    carrier = catalog_carrier_find(f->catalog, "one");
    assert_string_equal(carrier->owner, "Third");
    assert_int_equal(carrier->owner_count, 3);
    assert_string_equal(carrier->owners[0].note, "sold");
    assert_string_equal(catalog_carrier_owner_at(carrier, at("1999-01-01")), "First");
    assert_string_equal(catalog_carrier_owner_at(carrier, at("2015-12-30T23:59:59Z")), "First");
    assert_string_equal(catalog_carrier_owner_at(carrier, at("2015-12-31")), "Second");
    assert_null(catalog_carrier_owner_at(carrier, at("2020-06-01")));
    assert_string_equal(catalog_carrier_owner_at(carrier, 0), "Third");
    carrier = catalog_carrier_find(f->catalog, "always");
    assert_int_equal(carrier->owner_count, 0);
    assert_string_equal(catalog_carrier_owner_at(carrier, at("1999-01-01")), "Somebody");
}

static void refuse_owners(struct fixture *f, const char *owners, const char *text)
{
    write_owners(f, owners);
    fixture_must_refuse(f, "carriers/one.yaml: ", text);
}

static void test_owner_errors(void **state)
{
    struct fixture *f = *state;

    fixture_service(f, "alpha", "");
    refuse_owners(f, "", "must have either owner or owners");
    refuse_owners(f, "owners: []\n", "must have either owner or owners");
    refuse_owners(f, "owner: A\nowners: [{owner: B, source: s}]\n",
                  "must have either owner or owners");
    refuse_owners(f, "owners:\n  - {owner: A, since: 2015-01-01, source: s}\n",
                  "line 5: Unexpected key: since");
    refuse_owners(f, "owners:\n  - {owner: A}\n", "Missing required");
    refuse_owners(f, "owners:\n  - {owner: A, until: 2015-13-01, source: s}\n",
                  "owners entry 1: no date YYYY-MM-DD: '2015-13-01'");
    refuse_owners(f, "owners:\n  - {owner: A, source: q}\n",
                  "owners entry 1: no such source in this file: 'q'");
    refuse_owners(f, "owners:\n  - {owner: A, from: 2016-01-01, until: 2015-01-01, source: s}\n",
                  "owners entry 1: ends before it begins");
    refuse_owners(f,
                  "owners:\n  - {owner: A, until: 2015-01-01, source: s}\n"
                  "  - {owner: B, from: 2015-01-01, source: s}\n",
                  "owners entry 2: does not begin after the one before it: 'B'");
    refuse_owners(f, "owners:\n  - {owner: A, source: s}\n  - {owner: B, source: s}\n",
                  "owners entry 2: does not begin after");
}

/* ---- orders ---- */

#define ORDER(country, offset)                                                                     \
    "title: T\nissuer: I\ncountry: " country "\n" offset "summary: S\n" SOURCES
#define KARACHI "utc_offset: \"+05:00\"\n"

static void write_order(struct fixture *f, const char *id, const char *head, const char *rest)
{
    char text[4096], name[64];

    snprintf(name, sizeof(name), "orders/%s.yaml", id);
    snprintf(text, sizeof(text), "id: %s\n%s%s", id, head, rest);
    fixture_write(f, name, text);
}

static void assert_times(struct fixture *f, const char *announced, const char *first_due,
                         const char *due, const char *ending, const char *ended)
{
    const char *const wanted[] = {announced, first_due, due, ending, ended};
    struct catalog_order_times times;

    fixture_must_load(f);
    catalog_order_times(f->catalog, catalog_order_at(f->catalog, 0), &times);
    const int64_t got[] = {times.announced_us, times.first_due_us, times.due_us, times.ending_us,
                           times.ended_us};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(got[i], wanted[i] ? at(wanted[i]) : CATALOG_NO_TIME);
    }
}

/* Pakistan, 2015: two readings, moved, a remark that ends nothing, taken back. */
static void test_order_times(void **state)
{
    struct fixture *f = *state;
    struct catalog_deadline deadlines[3];

    fixture_service(f, "bes", "");
    write_order(f, "o", ORDER("PK", KARACHI),
                "services: [bes]\ndates:\n  - {date: 2015-07-24, kind: announced, source: s}\n"
                "  - {date: 2015-11-30, kind: due, source: s}\n"
                "  - {date: 2015-12-01, kind: due, note: the other reading, source: s}\n"
                "  - {date: 2015-11-30, kind: remark, note: the company leaves, source: s}\n"
                "  - {date: 2015-12-30, kind: moved, source: s}\n"
                "  - {date: 2015-12-31, kind: lifted, source: s}\n");
    assert_times(f, "2015-07-23T19:00:00Z", "2015-11-30T19:00:00Z", "2015-12-30T19:00:00Z",
                 "2015-12-30T19:00:00Z", "2015-12-31T19:00:00Z");
    assert_int_equal(
        catalog_order_deadlines(f->catalog, catalog_order_at(f->catalog, 0), deadlines, 3), 3);
    assert_int_equal(deadlines[0].time_us, at("2015-11-30T19:00:00Z"));
    assert_int_equal(deadlines[1].time_us, at("2015-12-01T19:00:00Z"));
    assert_string_equal(deadlines[1].date->note, "the other reading");
    assert_string_equal(deadlines[2].date->kind, "moved");
    deadlines[1].time_us = 7;
    assert_int_equal(
        catalog_order_deadlines(f->catalog, catalog_order_at(f->catalog, 0), deadlines, 1), 3);
    assert_int_equal(deadlines[1].time_us, 7);
}

static void test_order_readings(void **state)
{
    struct fixture *f = *state;

    fixture_service(f, "bes", "");
    /* Without a move the latest reading counts, in whatever order they stand. */
    write_order(f, "o", ORDER("PK", KARACHI),
                "services: [bes]\ndates:\n  - {date: 2015-12-01, kind: due, source: s}\n"
                "  - {date: 2015-11-30, kind: due, source: s}\n");
    assert_times(f, NULL, "2015-11-30T19:00:00Z", "2015-12-01T19:00:00Z", NULL, NULL);
    /* The last move counts, to an earlier day too; the first end ends. */
    write_order(f, "o", ORDER("PK", KARACHI),
                "services: [bes]\ndates:\n  - {date: 2015-12-20, kind: moved, source: s}\n"
                "  - {date: 2015-12-10, kind: moved, source: s}\n"
                "  - {date: 2015-12-15, kind: due, source: s}\n"
                "  - {date: 2015-12-31, kind: ends, source: s}\n"
                "  - {date: 2015-12-25, kind: withdrawn, source: s}\n");
    assert_times(f, NULL, "2015-12-10T19:00:00Z", "2015-12-10T19:00:00Z", "2015-12-24T19:00:00Z",
                 "2015-12-25T19:00:00Z");
    /* Nothing but a remark. */
    write_order(f, "o", ORDER("PK", KARACHI),
                "services: [bes]\ndates: [{date: 2015-12-20, kind: remark, note: n, source: s}]\n");
    assert_times(f, NULL, NULL, NULL, NULL, NULL);
}

/* Without an offset of its own an order has its country's clock: on the days of its change too. */
static void test_order_clock(void **state)
{
    struct fixture *f = *state;

    fixture_service(f, "bes", "");
    fixture_write(f, "countries.yaml", CLOCKS);
    write_order(f, "o", ORDER("DE", ""),
                "services: [bes]\ndates:\n  - {date: 2015-03-29, kind: announced, source: s}\n"
                "  - {date: 2015-03-29, kind: due, source: s}\n"
                "  - {date: 2015-10-25, kind: lifted, source: s}\n");
    assert_times(f, "2015-03-28T23:00:00Z", "2015-03-29T22:00:00Z", "2015-03-29T22:00:00Z",
                 "2015-10-24T22:00:00Z", "2015-10-25T23:00:00Z");
}

static void test_order_addresses(void **state)
{
    struct fixture *f = *state;
    const struct catalog_carrier *one, *two, *abroad;
    const struct catalog_order *all, *named;

    fixture_service(f, "bes", "");
    fixture_service(f, "bis", "");
    fixture_carrier(f, "one", "");
    fixture_carrier(f, "two", "");
    fixture_write(f, "carriers/abroad.yaml",
                  "id: abroad\nname: A\ncountry: DE\nowner: O\n" SOURCES);
    write_order(f, "all", ORDER("PK", KARACHI),
                "services: [bes]\nexempt: [bis]\ndates: [{date: 2015-11-30, kind: due, source: "
                "s}]\n");
    write_order(f, "named", ORDER("PK", KARACHI),
                "services: [bes]\ncarriers: [one]\ndates: [{date: 2015-11-30, kind: due, source: "
                "s}]\n");
    fixture_must_load(f);
    one = catalog_carrier_find(f->catalog, "one");
    two = catalog_carrier_find(f->catalog, "two");
    abroad = catalog_carrier_find(f->catalog, "abroad");
    all = catalog_order_find(f->catalog, "all");
    named = catalog_order_find(f->catalog, "named");
    assert_null(catalog_order_find(f->catalog, "none"));
    assert_int_equal(catalog_order_addresses(all, one), CATALOG_ADDRESSED_AS_ONE_OF_ALL);
    assert_int_equal(catalog_order_addresses(all, abroad), CATALOG_NOT_ADDRESSED);
    assert_int_equal(catalog_order_addresses(named, one), CATALOG_ADDRESSED_BY_NAME);
    assert_int_equal(catalog_order_addresses(named, two), CATALOG_NOT_ADDRESSED);
    assert_true(catalog_order_names(all, "bes"));
    assert_false(catalog_order_names(all, "bis"));
    assert_true(catalog_order_exempts(all, "bis"));
    assert_false(catalog_order_exempts(named, "bis"));
}

static void test_orders_find(void **state)
{
    struct fixture *f = *state;
    const struct catalog_order *found[2];

    fixture_service(f, "bes", "");
    fixture_service(f, "bis", "");
    write_order(f, "first", ORDER("PK", KARACHI),
                "services: [bes]\ndates:\n  - {date: 2015-07-24, kind: announced, source: s}\n"
                "  - {date: 2015-12-31, kind: lifted, source: s}\n");
    write_order(f, "second", ORDER("PK", KARACHI),
                "services: [bes, bis]\ndates: [{date: 2015-11-01, kind: due, source: s}]\n");
    write_order(f, "third", ORDER("SA", "utc_offset: \"+03:00\"\n"),
                "services: [bes]\ndates: [{date: 2010-08-06, kind: due, source: s}]\n");
    fixture_must_load(f);
    assert_int_equal(catalog_orders_find(f->catalog, NULL, NULL, 0, NULL, 0), 3);
    assert_int_equal(catalog_orders_find(f->catalog, "PK", "bes", 0, found, 2), 2);
    assert_string_equal(found[0]->id, "first");
    assert_string_equal(found[1]->id, "second");
    assert_int_equal(catalog_orders_find(f->catalog, "PK", "bis", 0, found, 2), 1);
    assert_int_equal(catalog_orders_find(f->catalog, "PK", "imo", 0, found, 2), 0);
    assert_int_equal(
        catalog_orders_find(f->catalog, "PK", "bes", at("2015-07-23T18:59:59Z"), found, 2), 0);
    assert_int_equal(
        catalog_orders_find(f->catalog, "PK", "bes", at("2015-07-23T19:00:00Z"), found, 2), 1);
    assert_int_equal(
        catalog_orders_find(f->catalog, "PK", "bes", at("2015-12-31T18:59:59Z"), found, 2), 2);
    assert_int_equal(
        catalog_orders_find(f->catalog, "PK", "bes", at("2015-12-31T19:00:00Z"), found, 2), 1);
    assert_string_equal(found[0]->id, "second");
}

static void refuse_order(struct fixture *f, const char *head, const char *rest, const char *text)
{
    write_order(f, "o", head, rest);
    fixture_must_refuse(f, "orders/o.yaml: ", text);
}

static void test_order_errors(void **state)
{
    struct fixture *f = *state;

    fixture_service(f, "bes", "");
    fixture_carrier(f, "one", "");
    refuse_order(f, ORDER("PK", ""),
                 "services: [bes]\ndates: [{date: 2015-11-30, kind: due, source: s}]\n",
                 "no utc_offset, and no countries.yaml");
    refuse_order(f, ORDER("PK", KARACHI),
                 "services: [bes]\ndates: [{date: 2015-11-30, kind: remark, source: s}]\n",
                 "dates entry 1: a remark without a note");
    refuse_order(f, ORDER("PK", KARACHI),
                 "services: [bes]\nexempt: [bes]\ndates: [{date: 2015-11-30, kind: due, source: "
                 "s}]\n",
                 "exempt entry 1: named and exempt: 'bes'");
    refuse_order(f, ORDER("SA", KARACHI),
                 "services: [bes]\ncarriers: [one]\ndates: [{date: 2015-11-30, kind: due, source: "
                 "s}]\n",
                 "carriers entry 1: a carrier of another country: 'one'");
    fixture_write(f, "countries.yaml", CLOCKS);
    refuse_order(f, ORDER("SA", KARACHI),
                 "services: [bes]\ndates: [{date: 2015-11-30, kind: due, source: s}]\n",
                 "country 'SA' is not in countries.yaml");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_clocks),         TEST(test_no_clocks),
        TEST(test_country_errors), TEST(test_unknown_countries),
        TEST(test_owners),         TEST(test_owner_errors),
        TEST(test_order_times),    TEST(test_order_readings),
        TEST(test_order_clock),    TEST(test_order_addresses),
        TEST(test_orders_find),    TEST(test_order_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
