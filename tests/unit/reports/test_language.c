// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "analyzer/detect/classify.h"
#include "analyzer/judge/judge.h"
#include "base/array.h"
#include "base/clock.h"
#include "catalog/catalog.h"
#include "reports/language/language.h"

static const struct language *english(void)
{
    return language_find("en");
}

static const struct language *urdu(void)
{
    return language_find("ur");
}

static int64_t at(const char *text)
{
    int64_t time_us;

    assert_int_equal(clock_parse(text, &time_us), DL_OK);
    return time_us;
}

static void test_languages(void **state)
{
    (void)state;
    assert_ptr_equal(language_at(0), english());
    assert_ptr_equal(language_at(1), urdu());
    assert_null(language_at(2));
    assert_null(language_find("xx"));
    assert_string_equal(language_name(urdu()), "اردو");
    assert_true(language_is_rtl(urdu()));
    assert_false(language_is_rtl(english()));
}

static void test_every_name_is_found(void **state)
{
    enum text_id text;

    (void)state;
    assert_true(language_find_text("month.11", &text));
    assert_int_equal(text, TEXT_MONTH_11);
    assert_false(language_find_text("month.13", &text));
    assert_string_equal(language_keyed(english(), "month", "11"), "November");
    assert_null(language_keyed(english(), "month", "13"));
    assert_null(language_keyed(english(), "", ""));
}

/* No text is missing at run time, whatever the language lacks. */
static void test_no_text_is_null(void **state)
{
    (void)state;
    for (size_t i = 0; language_at(i); i++)
        for (int text = 0; text < TEXT_COUNT; text++)
            for (uint64_t count = 0; count < 3; count++)
                assert_non_null(language_text_for(language_at(i), (enum text_id)text, count));
}

static void test_pieces(void **state)
{
    static const struct {
        const char *text, *pieces;
    } cases[] = {
        {"", ""},
        {"plain", "[plain]"},
        {"{a}", "<a>"},
        {"{a} of {b_2}.", "<a>[ of ]<b_2>[.]"},
        {"{a}{b}", "<a><b>"},
        {"{", "[{]"},
        {"a{", "[a{]"},
        {"{}{A}{a", "[{}{A}{a]"},
        {"x{{a}", "[x{]<a>"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const char *rest = cases[i].text;
        struct text_piece piece;
        char pieces[64] = "";
        while (text_next_piece(&rest, &piece))
            snprintf(pieces + strlen(pieces), sizeof(pieces) - strlen(pieces),
                     piece.is_placeholder ? "<%.*s>" : "[%.*s]", (int)piece.length, piece.start);
        assert_string_equal(pieces, cases[i].pieces);
    }
}

#define FSI "\xe2\x81\xa8"
#define PDI "\xe2\x81\xa9"

static void assert_said(const struct language *language, const struct text_word *words,
                        size_t word_count, const char *expected)
{
    struct buffer out;

    buffer_init(&out, 256);
    language_say(&out, language, TEXT_FORMAT_DATES_YEARS, 0, words, word_count);
    assert_string_equal(buffer_text(&out), expected);
    buffer_finish(&out);
}

static void test_say(void **state)
{
    const struct text_word words[] = {{"to", "<b>{from}"}, {"from", "Jazz"}};

    (void)state;
    assert_said(english(), words, 2, "Jazz to <b>{from}"); /* values are not filled in again */
    assert_said(english(), words, 1, "{from} to <b>{from}");
    assert_said(urdu(), words, 2, FSI "Jazz" PDI " تا " FSI "<b>{from}" PDI);
}

static void test_counts(void **state)
{
    char out[LANGUAGE_TEXT_SIZE];

    (void)state;
    assert_string_equal(language_count(english(), 0, out), "0");
    assert_string_equal(language_count(english(), 999, out), "999");
    assert_string_equal(language_count(english(), 12345, out), "12,345");
    assert_string_equal(language_count(urdu(), 1234567, out), "1,234,567");
    assert_string_equal(language_count(english(), UINT64_MAX, out), "18,446,744,073,709,551,615");
    assert_string_equal(language_decimal(english(), 1234.56, 1, out), "1,234.6");
    assert_string_equal(language_decimal(english(), 0.05, 2, out), "0.05");
    assert_string_equal(language_decimal(english(), -2, 0, out), "\xe2\x88\x92"
                                                                 "2");
    assert_string_equal(language_decimal(english(), -0.01, 1, out), "0.0");
    assert_string_equal(language_decimal(english(), 1.5, 20, out), "1.500000000");
    assert_string_equal(language_decimal(english(), (double)NAN, 1, out), "?");
    assert_string_equal(language_decimal(english(), (double)INFINITY, 1, out), "?");
}

#define NBSP "\xc2\xa0"

static void test_percents(void **state)
{
    static const struct {
        double share;
        const char *english, *urdu;
    } cases[] = {
        {0, "0" NBSP "%", "0%"},     {0.93, "93" NBSP "%", "93%"},
        {1, "100" NBSP "%", "100%"}, {0.0001, "under 1" NBSP "%", "1% سے کم"},
        {0.006, "1" NBSP "%", "1%"}, {0.9999, "over 99" NBSP "%", "99% سے زیادہ"},
    };
    char out[LANGUAGE_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_string_equal(language_percent(english(), cases[i].share, out), cases[i].english);
        assert_string_equal(language_percent(urdu(), cases[i].share, out), cases[i].urdu);
    }
}

static void test_bytes(void **state)
{
    char out[LANGUAGE_TEXT_SIZE];

    (void)state;
    assert_string_equal(language_bytes(english(), 0, out), "0" NBSP "B");
    assert_string_equal(language_bytes(english(), 999, out), "999" NBSP "B");
    assert_string_equal(language_bytes(english(), 1000, out), "1.0" NBSP "kB");
    assert_string_equal(language_bytes(english(), 99960, out), "100" NBSP "kB");
    assert_string_equal(language_bytes(english(), 999999, out), "1.0" NBSP "MB");
    assert_string_equal(language_bytes(english(), UINT64_MAX, out), "18.4" NBSP "EB");
}

static void test_dates(void **state)
{
    char out[LANGUAGE_TEXT_SIZE];
    int64_t evening = at("2015-11-30T19:00:00Z");
    int32_t karachi = 5 * 3600;

    (void)state;
    assert_string_equal(language_date(english(), evening, 0, out), "30 November 2015");
    assert_string_equal(language_date(english(), evening, karachi, out), "1 December 2015");
    assert_string_equal(language_date(urdu(), evening, 0, out), "30 نومبر 2015");
    assert_string_equal(language_hour(english(), evening, 0, out), "30 November 2015, 19:00");
    assert_string_equal(language_hour(english(), evening, karachi, out), "1 December 2015, 00:00");
    assert_string_equal(language_hour(urdu(), evening, 0, out), "30 نومبر 2015، 19:00");
    assert_string_equal(language_day_short(english(), evening, 0, out), "30 Nov");
    assert_string_equal(language_hour_short(english(), evening, 0, out), "30 Nov 19:00");
    assert_string_equal(language_hour_short(urdu(), evening, 0, out), "30 نومبر، 19:00");
    assert_string_equal(language_date(english(), -1, 0, out), "31 December 1969");
}

static void test_date_ranges(void **state)
{
    static const struct {
        const char *from, *to, *english, *urdu;
    } cases[] = {
        {"2015-11-30T01:00:00Z", "2015-11-30T02:00:00Z", "30 November 2015", "30 نومبر 2015"},
        {"2015-11-14", "2015-11-15", "14 to 15 November 2015", "14 تا 15 نومبر 2015"},
        {"2015-11-30", "2015-12-01", "30 November to 1 December 2015", "30 نومبر تا 1 دسمبر 2015"},
        {"2014-11-15", "2015-11-15", "15 November 2014 to 15 November 2015",
         "15 نومبر 2014 تا 15 نومبر 2015"},
    };
    char out[LANGUAGE_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        int64_t from_us = at(cases[i].from), to_us = at(cases[i].to);
        assert_string_equal(language_dates(english(), from_us, to_us, 0, out), cases[i].english);
        assert_string_equal(language_dates(urdu(), from_us, to_us, 0, out), cases[i].urdu);
    }
}

static void test_first_of_two_dates(void **state)
{
    static const struct {
        const char *from, *to, *english, *urdu;
    } cases[] = {
        {"2015-11-14", "2015-11-15", "14", "14"},
        {"2015-11-30", "2015-12-01", "30 November", "30 نومبر"},
        {"2015-12-31", "2016-01-01", "31 December 2015", "31 دسمبر 2015"},
    };
    char out[LANGUAGE_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        int64_t from_us = at(cases[i].from), to_us = at(cases[i].to);
        assert_string_equal(language_date_before(english(), from_us, to_us, 0, out),
                            cases[i].english);
        assert_string_equal(language_date_before(urdu(), from_us, to_us, 0, out), cases[i].urdu);
    }
}

static void test_zones(void **state)
{
    char out[LANGUAGE_TEXT_SIZE];

    (void)state;
    assert_string_equal(language_zone(0, out), "UTC");
    assert_string_equal(language_zone(5 * 3600, out), "UTC+05:00");
    assert_string_equal(language_zone(-(3 * 3600 + 1800), out), "UTC-03:30");
}

static void test_countries(void **state)
{
    char folder[512];
    struct catalog *catalog = NULL;
    struct dl_error error;

    (void)state;
    snprintf(folder, sizeof(folder), "%s/catalog", getenv("DARKLINE_SOURCE"));
    assert_int_equal(catalog_load(&catalog, folder, &error), DL_OK);
    assert_true(catalog_country_count(catalog) > 0);
    for (size_t i = 0; i < catalog_country_count(catalog); i++) {
        const struct catalog_country *country = catalog_country_at(catalog, i);
        assert_string_equal(language_country(english(), country->code), country->name);
        assert_string_not_equal(language_country(urdu(), country->code), country->name);
    }
    catalog_destroy(catalog);
    assert_string_equal(language_country(urdu(), "PK"), "پاکستان");
    assert_string_equal(language_country(english(), "ZZ"), "ZZ");
    assert_string_equal(language_country(english(), "longer"), "longer");
    assert_string_equal(language_country(english(), ""), "");
}

/* Readers of the page and of --json read the same sentence. */
static void test_rules_are_those_of_the_tables(void **state)
{
    size_t count = 0;

    (void)state;
    for (size_t i = 0; judge_rule_at(i); i++, count++)
        assert_string_equal(language_keyed(english(), "rule", judge_rule_at(i)->id),
                            judge_rule_at(i)->says);
    for (size_t i = 0; detect_rule_at(i); i++, count++)
        assert_string_equal(language_keyed(english(), "rule", detect_rule_at(i)->id),
                            detect_rule_at(i)->says);
    assert_true(count > 90);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_languages),
        cmocka_unit_test(test_every_name_is_found),
        cmocka_unit_test(test_no_text_is_null),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_say),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_percents),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_date_ranges),
        cmocka_unit_test(test_first_of_two_dates),
        cmocka_unit_test(test_zones),
        cmocka_unit_test(test_countries),
        cmocka_unit_test(test_rules_are_those_of_the_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
