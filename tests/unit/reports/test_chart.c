// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include "base/array.h"
#include "base/clock.h"
#include "reports/chart/chart_internal.h"
#include "tests/unit/reports/made_findings.h"

#define FSI "\xe2\x81\xa8"
#define PDI "\xe2\x81\xa9"

static int setup(void **state)
{
    *state = made_findings(MADE_ORDER);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    made_findings_destroy(*state);
    return 0;
}

static void test_order_of_charts(void **state)
{
    struct findings *findings = *state;
    struct chart_ref chart;

    assert_true(chart_at(findings, 0, &chart));
    assert_int_equal(chart.kind, CHART_OVERVIEW);
    assert_true(chart_at(findings, 1, &chart));
    assert_int_equal(chart.kind, CHART_TIMELINE);
    assert_true(chart_at(findings, 2, &chart));
    assert_int_equal(chart.kind, CHART_HEAT);
    assert_int_equal(chart.index, 0);
    assert_false(chart_at(findings, 3, &chart));
    findings->headline = HEADLINE_EVENT;
    assert_true(chart_at(findings, 0, &chart));
    assert_int_equal(chart.kind, CHART_TIMELINE);
    findings->chart_count = 0;
    assert_false(chart_at(findings, 0, &chart));
}

static void test_names_are_plain_and_unique(void **state)
{
    struct findings *findings = *state;
    struct findings_chart charts[3];
    char name[CHART_NAME_SIZE];

    for (size_t i = 0; i < ARRAY_LENGTH(charts); i++) {
        charts[i] = findings->charts[0];
        charts[i].pair = i;
    }
    findings->charts = charts;
    findings->chart_count = ARRAY_LENGTH(charts);
    findings->pairs[1].carrier = "../JAZZ\"";
    chart_name(findings, (struct chart_ref){CHART_OVERVIEW, 0}, name);
    assert_string_equal(name, "overview");
    chart_name(findings, (struct chart_ref){CHART_TIMELINE, 0}, name);
    assert_string_equal(name, "timeline-jazz-blackberry-bes-1");
    chart_name(findings, (struct chart_ref){CHART_TIMELINE, 1}, name);
    assert_string_equal(name, "timeline-jazz-blackberry-bes-2");
    chart_name(findings, (struct chart_ref){CHART_HEAT, 2}, name);
    assert_string_equal(name, "heat-telenor-pk-blackberry-bes");
}

static void test_description_holds_the_numbers(void **state)
{
    struct buffer out;

    buffer_init(&out, 4096);
    chart_description(&out, *state, language_find("en"), (struct chart_ref){CHART_TIMELINE, 0});
    const char *text = buffer_text(&out);
    assert_non_null(strstr(text, "448 attempts, of which 211 failed."));
    assert_non_null(strstr(text, "In 3 parts nobody watched"));
    assert_non_null(strstr(text, "1 part is withheld"));
    assert_non_null(
        strstr(text, "began between 30 November 2015, 16:00 and 30 November 2015, 17:00"));
    assert_non_null(strstr(text, "due by end of 30 Nov"));
    assert_null(strstr(text, FSI));
    buffer_finish(&out);
}

static void test_description_in_urdu_has_no_isolates(void **state)
{
    struct buffer out;

    buffer_init(&out, 4096);
    chart_title(&out, *state, language_find("ur"), (struct chart_ref){CHART_OVERVIEW, 0});
    chart_description(&out, *state, language_find("ur"), (struct chart_ref){CHART_OVERVIEW, 0});
    assert_non_null(strstr(buffer_text(&out), "Telenor Pakistan"));
    assert_null(strstr(buffer_text(&out), FSI));
    assert_null(strstr(buffer_text(&out), PDI));
    buffer_finish(&out);
}

/* ---- labels ---- */

static void assert_apart(const struct chart_labels *labels)
{
    for (size_t i = 0; i < labels->count; i++)
        for (size_t j = 0; j < labels->count; j++) {
            const struct chart_label *a = &labels->items[i], *b = &labels->items[j];
            if (i == j || a->row < 0 || b->row < 0)
                continue;
            if (a->row == b->row) /* no text on a text */
                assert_true(a->to < b->from || b->to < a->from);
            if (a->row > b->row) /* no line through a text */
                assert_true(a->x <= b->from || a->x >= b->to);
        }
}

static void test_labels_do_not_touch(void **state)
{
    static const double places[] = {100, 102, 130, 300, 301, 540, 555, 5};
    struct chart_labels labels = {.count = 0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(places); i++)
        chart_label_add(&labels, places[i], SVG_INK, false, "due by end of 30 Nov");
    chart_labels_place(&labels, 2, 558, 5);
    assert_apart(&labels);
    for (size_t i = 0; i < labels.count; i++)
        if (labels.items[i].row >= 0)
            assert_true(labels.items[i].from >= 2 && labels.items[i].to <= 558);
}

static void test_labels_that_fit_are_all_placed(void **state)
{
    struct chart_labels labels = {.count = 0};

    (void)state;
    chart_label_add(&labels, 180, SVG_FAILED, false, "began 30 Nov 16:00 to 17:00");
    chart_label_add(&labels, 405, SVG_WORKED, false, "ended 3 Dec 05:00 to 06:00");
    chart_label_add(&labels, 208, SVG_ORDER, true, "due by end of 30 Nov");
    chart_label_add(&labels, 297, SVG_ORDER, true, "due by end of 1 Dec");
    chart_labels_place(&labels, 2, 558, 5);
    assert_apart(&labels);
    for (size_t i = 0; i < labels.count; i++)
        assert_true(labels.items[i].row >= 0);
}

static void test_many_labels_leave_some_out(void **state)
{
    struct chart_labels labels = {.count = 0};
    size_t placed = 0;

    (void)state;
    for (size_t i = 0; i < CHART_LABELS_MAX + 5; i++)
        chart_label_add(&labels, 10.0 * (double)(i % 50), SVG_INK, false, "withdrawn 30 Nov");
    assert_int_equal(labels.count, CHART_LABELS_MAX);
    chart_labels_place(&labels, 2, 558, 3);
    assert_apart(&labels);
    for (size_t i = 0; i < labels.count; i++)
        placed += labels.items[i].row >= 0;
    assert_in_range(placed, 3, CHART_LABELS_MAX - 1);
}

/* ---- text ---- */

static void test_fit(void **state)
{
    char out[SVG_TEXT_SIZE], long_text[2000];

    (void)state;
    assert_string_equal(svg_fit(SVG_SMALL, "short", 100, out), "short");
    svg_fit(SVG_SMALL, "Mobile Telecommunications Company", 100, out);
    assert_true(svg_text_width(SVG_SMALL, out) <= 100);
    assert_non_null(strstr(out, "\xe2\x80\xa6"));
    memset(long_text, 'i', sizeof(long_text));
    long_text[sizeof(long_text) - 1] = '\0';
    assert_true(strlen(svg_fit(SVG_SMALL, long_text, 1e6, out)) < SVG_TEXT_SIZE);
    assert_string_equal(svg_fit(SVG_SMALL, "x", 0, out), "\xe2\x80\xa6");
    /* What a value opens is closed where it is cut. */
    svg_fit(SVG_SMALL, FSI "Mobile Telecommunications" PDI " x", 60, out);
    assert_non_null(strstr(out, "\xe2\x80\xa6" PDI));
}

static void test_clean(void **state)
{
    char out[SVG_TEXT_SIZE];

    (void)state;
    svg_clean("a" FSI "\x01\xef\xbf\xbf\xff"
              "b",
              out);
    assert_string_equal(out, "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                             "b");
}

static void test_numbers(void **state)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0, "0"},      {12, "12"},   {12.34, "12.3"},
                 {12.96, "13"}, {-0.04, "0"}, {-2.5, "-2.5"}};
    char out[SVG_NUMBER_SIZE];

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_string_equal(svg_number(cases[i].value, out), cases[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_order_of_charts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names_are_plain_and_unique, setup, teardown),
        cmocka_unit_test_setup_teardown(test_description_holds_the_numbers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_description_in_urdu_has_no_isolates, setup, teardown),
        cmocka_unit_test(test_labels_do_not_touch),
        cmocka_unit_test(test_labels_that_fit_are_all_placed),
        cmocka_unit_test(test_many_labels_leave_some_out),
        cmocka_unit_test(test_fit),
        cmocka_unit_test(test_clean),
        cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
