// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "reports/findings/findings.h"
#include "tests/unit/detect/pakistan.h"

/* Findings of small worlds: who is protected, what is said first, and in which order. */

#define HOUR_US INT64_C(3600000000)

/* What one look at the world gives; `begin` is to be ended with `end`. */
struct look {
    struct analysis *analysis;
    struct analysis_document document;
    struct findings_options options;
    struct findings *findings;
    struct dl_error error;
    int status;
};

static void begin(struct look *look)
{
    if (!look->analysis)
        look->analysis = world_analyse(&world);
    look->document = (struct analysis_document){
        .version = "1", .rules_version = "1.1", .analysis = look->analysis, .cells = world.cells};
    look->options.catalog = world.places.catalog;
    const struct findings_sources sources = {
        .document = &look->document, .version = "1", .rules_version = "1.1"};
    look->findings = NULL;
    look->status = findings_create(&look->findings, &sources, &look->options, &look->error);
}

static void end(struct look *look)
{
    findings_destroy(look->findings);
    analysis_destroy(look->analysis);
}

/* The only look that most tests need. */
static struct findings *look_once(struct look *look)
{
    begin(look);
    if (look->status != DL_OK)
        fail_msg("%s", dl_error_text(&look->error, look->status));
    return look->findings;
}

static const struct findings_pair *pair_of(const struct findings *findings, const char *carrier,
                                           const char *service)
{
    for (size_t i = 0; i < findings->pair_count; i++)
        if (strcmp(findings->pairs[i].carrier, carrier) == 0 &&
            strcmp(findings->pairs[i].service, service) == 0)
            return &findings->pairs[i];
    return NULL;
}

struct given {
    const char *service;
    size_t cells;
    uint64_t attempts;
    uint32_t least_clients;
    int64_t last_us;
    bool sorted;
};

static int add_given(void *context, const struct findings_cell *cell)
{
    struct given *given = context;

    given->sorted &= cell->hour_us >= given->last_us;
    given->last_us = cell->hour_us;
    if (given->service && strcmp(given->service, cell->service) != 0)
        return DL_OK;
    given->cells++;
    given->attempts += cell->attempts;
    given->least_clients = MIN_OF(given->least_clients, cell->clients);
    return DL_OK;
}

static struct given give(const struct findings *findings, const char *service)
{
    struct given given = {.service = service, .least_clients = UINT32_MAX, .sorted = true};
    assert_int_equal(findings_each_cell(findings, add_given, &given), DL_OK);
    return given;
}

static struct world_line with_voices(struct world_line line, unsigned voices)
{
    line.voices = voices;
    return line;
}

/* ---- the floor ---- */

/* One hour of two clients among hours of six: neither the cell nor the sums tell of it. */
static void test_small_cell(void **state)
{
    struct look look = {0};
    (void)state;
    works(jazz, BES, 0, 5);
    works(with_voices(jazz, 2), BES, 5, 6);
    works(jazz, BES, 6, 24);
    const struct findings *findings = look_once(&look);
    struct given given = give(findings, BES);
    assert_int_equal(given.cells, 22); /* beside the small one another is withheld */
    assert_int_equal(given.least_clients, 6);
    assert_int_equal(findings->withheld_cells, 2);
    assert_int_equal(pair_of(findings, "jazz", BES)->share.attempts, 23 * 6 + 2);
    assert_int_equal(pair_of(findings, "jazz", BES)->share.attempts - given.attempts, 6 + 2);
    end(&look);
}

/* Each day that has a small cell has another one withheld with it. */
static void test_small_cells_of_days(void **state)
{
    struct look look = {0};
    (void)state;
    for (unsigned day = 0; day < 3; day++) {
        works(jazz, BES, DAYS(day), DAYS(day) + 3);
        works(with_voices(jazz, 1), BES, DAYS(day) + 3, DAYS(day) + 4);
        works(jazz, BES, DAYS(day) + 4, DAYS(day + 1));
    }
    assert_int_equal(look_once(&look)->withheld_cells, 6);
    assert_int_equal(give(look.findings, BES).cells, 3 * 22);
    end(&look);
}

/* A pair of two clients is in no list and in no sum. */
static void test_small_pair(void **state)
{
    struct look look = {0};
    (void)state;
    works(jazz, BES, 0, 48);
    works(with_voices(jazz, 2), "signal", 0, 48);
    works(with_voices(ufone, 2), BES, 0, 48);
    const struct findings *findings = look_once(&look);
    assert_int_equal(findings->withheld_pairs, 2);
    assert_int_equal(findings->withheld_cells, 96);
    assert_int_equal(findings->pair_count, 1);
    assert_int_equal(findings->carrier_count, 1);
    assert_int_equal(findings->service_count, 1);
    assert_int_equal(findings->total.attempts, 48 * 6);
    assert_int_equal(findings->carriers[0].share.attempts, 48 * 6);
    assert_int_equal(give(findings, NULL).attempts, 48 * 6);
    end(&look);
}

static void test_no_floor(void **state)
{
    struct look look = {0};
    struct world_line lab = with_voices(jazz, 1);
    (void)state;
    lab.origin = ORIGIN_LAB;
    works(lab, BES, 0, 48);
    assert_int_equal(look_once(&look)->withheld_cells, 0);
    assert_int_equal(give(look.findings, BES).cells, 48);
    assert_false(look.findings->lines[0].has_floor);
    assert_true(look.findings->has_origin[ORIGIN_LAB]);
    end(&look);
}

static void test_floor_as_asked(void **state)
{
    struct look look = {.options.minimum_clients = 1};
    (void)state;
    works(with_voices(jazz, 1), BES, 0, 48);
    assert_int_equal(give(look_once(&look), BES).cells, 48);
    findings_destroy(look.findings);
    look.options.minimum_clients = 7;
    begin(&look);
    assert_int_equal(look.findings->withheld_pairs, 1);
    end(&look);
}

/* An event of two clients is withheld, with all that would tell of it. */
static void test_small_event(void **state)
{
    struct look look = {.options.minimum_clients = 7};
    (void)state;
    cut(jazz, FIRST_DUE - 30, END, "tls.reset.sni");
    fine(abroad);
    const struct findings *findings = look_once(&look);
    assert_true(look.analysis->event_count > 0);
    assert_int_equal(findings->event_count, 0);
    assert_true(findings->withheld_events > 0);
    assert_int_equal(findings->headline, HEADLINE_NOT_ENOUGH);
    assert_int_equal(findings->strength, STRENGTH_NOT_MEASURABLE);
    for (size_t i = 0; i < findings->order_count; i++)
        for (size_t k = 0; k < findings->orders[i].row_count; k++)
            assert_int_not_equal(findings->orders[i].rows[k].verdict, ORDER_COMPLIED);
    end(&look);
}

/* Within an event's time, too, its sum hides the small cell among six clients. */
static int add_since(void *context, const struct findings_cell *cell)
{
    struct given *given = context;
    if (strcmp(cell->line->carrier, "jazz") == 0 && strcmp(cell->service, BES) == 0 &&
        cell->hour_us + HOUR_US > given->last_us)
        given->attempts += cell->attempts;
    return DL_OK;
}

static void test_small_cell_in_event(void **state)
{
    struct look look = {0};
    (void)state;
    works(jazz, BES, 0, DAYS(30) + 22);
    fails(jazz, BES, DAYS(30) + 22, DAYS(30) + 23, "tls.reset.sni", true);
    fails(with_voices(jazz, 1), BES, DAYS(30) + 23, DAYS(31), "tls.reset.sni", true);
    fails(jazz, BES, DAYS(31), END, "tls.reset.sni", true);
    controls(jazz);
    fine(abroad);
    const struct findings *findings = look_once(&look);
    assert_int_equal(findings->event_count, 1);
    const struct findings_event *event = &findings->events[0];
    struct given given = {.last_us = event->event->onset.latest_us};
    assert_int_equal(findings_each_cell(findings, add_since, &given), DL_OK);
    assert_in_range(event->share.attempts - given.attempts, 1 + 6, 1 + 3 * 6);
    end(&look);
}

/* What is drawn is what is given out. */
static void test_charts(void **state)
{
    struct look look = {0};
    uint64_t bins = 0, days = 0;
    (void)state;
    works(jazz, BES, 0, DAYS(20));
    works(with_voices(jazz, 2), BES, DAYS(20), DAYS(21)); /* alone in their bins */
    fails(jazz, BES, DAYS(21), DAYS(40), "tls.reset.sni", true);
    controls(jazz);
    fine(abroad);
    const struct findings *findings = look_once(&look);
    assert_int_equal(findings->chart_count, 1);
    const struct findings_chart *chart = &findings->charts[0];
    bool withheld = false;
    for (size_t i = 0; i < chart->bin_count; i++) {
        bins += chart->bins[i].share.attempts;
        withheld |= chart->bins[i].withheld;
        assert_int_equal(chart->bins[i].from_us % HOUR_US, 0);
        assert_true(!chart->bins[i].withheld || chart->bins[i].share.attempts == 0);
    }
    assert_true(withheld);
    assert_in_range(chart->bin_count, 1, FINDINGS_BINS_MAX);
    assert_int_equal(bins,
                     give(findings, BES).attempts - pair_of(findings, "kpn", BES)->share.attempts);
    assert_int_equal(chart->utc_offset_seconds, 5 * 3600);
    assert_in_range(chart->day_count, 1, FINDINGS_DAYS_MAX);
    for (size_t d = 0; d < chart->day_count; d++) {
        assert_int_equal((chart->days[d].midnight_us + 5 * HOUR_US) % (24 * HOUR_US), 0);
        for (size_t h = 0; h < 24; h++)
            days += chart->days[d].hours[h].attempts;
    }
    assert_in_range(days, 1, bins);
    end(&look);
}

/* ---- times ---- */

static void check_hours(struct findings_when when)
{
    assert_int_equal(when.earliest_us % HOUR_US, 0);
    assert_int_equal(when.latest_us % HOUR_US, 0);
}

static void test_hours(void **state)
{
    struct look look = {0};
    (void)state;
    cut(jazz, FIRST_DUE - 30, DAYS(50), "tls.reset.sni");
    fine(abroad);
    const struct findings *findings = look_once(&look);
    assert_int_equal(findings->event_count, 1);
    const struct findings_event *event = &findings->events[0];
    check_hours(event->onset);
    check_hours(event->end);
    assert_int_equal(event->alarm_us % HOUR_US, 0);
    assert_true(event->onset.earliest_us <= event->event->onset.earliest_us);
    assert_true(event->onset.latest_us >= event->event->onset.latest_us);
    assert_true(event->end.earliest_us <= event->event->end.earliest_us);
    assert_true(event->end.latest_us >= event->event->end.latest_us);
    assert_true(event->end.latest_us > event->onset.latest_us);
    assert_int_equal(findings->first_us % HOUR_US, 0);
    assert_int_equal(findings->last_us % HOUR_US, 0);
    assert_true(event->hours_down > 24 * 18 && event->hours_down < 24 * 24);
    end(&look);
}

/* ---- what is asked for ---- */

static void test_unknown_ids(void **state)
{
    struct look look = {.options.carrier = "jaz"};
    (void)state;
    fine(jazz);
    begin(&look);
    assert_int_equal(look.status, DL_NOT_FOUND);
    assert_non_null(strstr(look.error.message, "jazz"));
    look.options = (struct findings_options){.service = "nothing-like-it"};
    begin(&look);
    assert_int_equal(look.status, DL_NOT_FOUND);
    assert_non_null(strstr(look.error.message, BES)); /* none is near: some that are */
    look.options = (struct findings_options){.event = "jazz.x"};
    begin(&look);
    assert_int_equal(look.status, DL_NOT_FOUND);
    assert_non_null(strstr(look.error.message, "none at all"));
    end(&look);
}

static void test_one_carrier(void **state)
{
    struct look look = {.options.carrier = "jazz", .options.service = BES};
    (void)state;
    cut(jazz, FIRST_DUE - 30, END, "tls.reset.sni");
    cut(ufone, FIRST_DUE - 20, END, "tls.reset.sni");
    fine(abroad);
    works(jazz, "www.wikipedia.org", 0, END);
    const struct findings *findings = look_once(&look);
    assert_int_equal(findings->event_count, 1);
    assert_int_equal(findings->carrier_count, 1);
    assert_string_equal(findings->events[0].carrier, "jazz");
    assert_true(findings->events[0].control_count > 0);
    for (size_t i = 0; i < findings->pair_count; i++)
        assert_string_equal(findings->pairs[i].carrier, "jazz");
    end(&look);
}

static void test_period(void **state)
{
    struct look look = {0};
    (void)state;
    cut(jazz, FIRST_DUE - 30, DAYS(40), "tls.reset.sni");
    fine(abroad);
    look.options.since_us = world_hour(&world, DAYS(50));
    look.options.until_us = world_hour(&world, DAYS(60));
    const struct findings *findings = look_once(&look);
    assert_int_equal(findings->event_count, 0); /* over by then */
    assert_int_equal(findings->first_us, world_hour(&world, DAYS(50)));
    assert_int_equal(findings->last_us, world_hour(&world, DAYS(60)));
    assert_int_equal(pair_of(findings, "jazz", BES)->share.attempts, 240 * 6);
    end(&look);
}

/* ---- what is said first ---- */

static void test_order_carried_out(void **state)
{
    struct look look = {0};
    (void)state;
    cut(jazz, FIRST_DUE - 30, END, "tls.reset.sni");
    cut(ufone, FIRST_DUE - 26, END, "tcp.reset");
    cut(zong, FIRST_DUE - 14, END, "tls.reset.sni");
    fine(telenor);
    fine(abroad);
    const struct findings *findings = look_once(&look);
    assert_int_equal(findings->headline, HEADLINE_ORDER_CARRIED_OUT);
    assert_string_equal(findings->orders[findings->headline_order].order->id, "pta-bes-2015");
    assert_int_equal(findings->strength, STRENGTH_CONFIRMED);
    assert_string_equal(findings->country, "PK");
    assert_string_equal(findings->service, BES);
    assert_int_equal(findings->carriers_seen, 4);
    assert_int_equal(findings->carriers_affected, 3);
    assert_int_equal(findings->carriers_complied, 2);
    assert_int_equal(findings->owners_affected, 3);
    assert_true(findings->speaks_for_country);
    assert_true(findings->abroad.attempts > 0);
    const struct findings_order *order = &findings->orders[findings->headline_order];
    for (size_t i = 0; i < order->row_count; i++) {
        bool is_zong = strcmp(order->rows[i].carrier, "zong") == 0;
        bool is_telenor = strcmp(order->rows[i].carrier, "telenor-pk") == 0;
        assert_int_equal(order->rows[i].in_campaign, !is_telenor);
        assert_int_equal(order->rows[i].verdict == ORDER_COMPLIED, !is_telenor && !is_zong);
        if (is_zong)
            assert_int_equal(order->rows[i].verdict, ORDER_NOT_NAMED);
    }
    end(&look);
}

static void test_order_not_observed(void **state)
{
    struct look look = {0};
    (void)state;
    fine(jazz);
    fine(ufone);
    fine(telenor);
    fine(abroad);
    const struct findings *findings = look_once(&look);
    assert_int_equal(findings->headline, HEADLINE_ORDER_NOT_OBSERVED);
    assert_string_equal(findings->orders[findings->headline_order].order->id, "pta-bes-2015");
    assert_int_equal(findings->strength, STRENGTH_NONE);
    assert_int_equal(findings->carriers_seen, 3);
    assert_int_equal(findings->carriers_affected, 0);
    assert_true(findings->speaks_for_country);
    assert_int_equal(findings->headline_event, FINDINGS_NONE);
    end(&look);
}

/* Two carriers cut what no order names; one alone speaks for nobody else. */
static void test_campaign(void **state)
{
    static const struct world_line lines[] = {jazz, zong};
    struct look look = {0};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(lines); i++) {
        works(lines[i], "threema", 0, DAYS(30));
        fails(lines[i], "threema", DAYS(30), END, "tls.reset.sni", true);
        controls(lines[i]);
    }
    works(abroad, "threema", 0, END);
    controls(abroad);
    const struct findings *findings = look_once(&look);
    assert_int_equal(findings->headline, HEADLINE_CAMPAIGN);
    assert_int_equal(findings->carriers_affected, 2);
    assert_false(findings->speaks_for_country);
    assert_int_equal(findings->headline_campaign, 0);
    assert_int_equal(findings->campaigns[0].event_count, 2);
    assert_int_equal(findings->events[0].campaign, 0);
    end(&look);
}

/* What is only likely of a third carrier is not said with what is confirmed of two. */
static void test_campaign_with_a_likely_one(void **state)
{
    static const struct world_line lines[] = {jazz, zong, ufone};
    struct look look = {0};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(lines); i++) {
        works(lines[i], "threema", 0, DAYS(30));
        fails(lines[i], "threema", DAYS(30), END, "tls.reset.sni", true);
        if (i < 2)
            controls(lines[i]);
    }
    works(abroad, "threema", 0, END);
    controls(abroad);
    const struct findings *findings = look_once(&look);
    assert_int_equal(findings->headline, HEADLINE_CAMPAIGN);
    assert_int_equal(findings->event_count, 3);
    assert_int_equal(findings->campaigns[0].event_count, 3);
    assert_int_equal(findings->strength, STRENGTH_CONFIRMED);
    assert_int_equal(findings->headline_event_count, 2);
    assert_int_equal(findings->carriers_affected, 2);
    for (size_t i = 0; i < findings->headline_event_count; i++)
        assert_string_not_equal(findings->events[findings->headline_events[i]].carrier, "ufone");
    assert_false(findings->speaks_for_country);
    end(&look);
}

static void test_event(void **state)
{
    struct look look = {0};
    (void)state;
    works(jazz, "threema", 0, DAYS(30));
    fails(jazz, "threema", DAYS(30), END, "tls.reset.sni", true);
    controls(jazz);
    works(abroad, "threema", 0, END);
    controls(abroad);
    const struct findings *findings = look_once(&look);
    assert_int_equal(findings->headline, HEADLINE_EVENT);
    assert_int_equal(findings->headline_event, 0);
    assert_int_equal(findings->strength, STRENGTH_CONFIRMED);
    assert_int_equal(findings->events[0].pair, 0); /* worst first */
    assert_string_equal(findings->carriers[0].id, "jazz");
    assert_string_equal(findings->services[0].id, "threema");
    const struct findings_event *event = &findings->events[0];
    assert_int_equal(event->mechanism_count, 1);
    assert_string_equal(event->mechanisms[0].mechanism, "tls.reset.sni");
    assert_int_equal(event->mechanisms[0].proven, event->mechanisms[0].attempts);
    end(&look);
}

static void test_nothing(void **state)
{
    struct look look = {0};
    (void)state;
    works(jazz, "threema", 0, END);
    controls(jazz);
    const struct findings *findings = look_once(&look);
    assert_int_equal(findings->headline, HEADLINE_NOTHING);
    assert_int_equal(findings->strength, STRENGTH_NONE);
    assert_false(findings->speaks_for_country);
    end(&look);
}

static void test_not_enough(void **state)
{
    struct look look = {0};
    (void)state;
    works(jazz, "threema", 0, 2);
    assert_int_equal(look_once(&look)->headline, HEADLINE_NOT_ENOUGH);
    assert_int_equal(look.findings->strength, STRENGTH_NOT_MEASURABLE);
    end(&look);
}

static void test_no_data(void **state)
{
    struct look look = {0};
    (void)state;
    const struct findings *findings = look_once(&look);
    assert_int_equal(findings->headline, HEADLINE_NOT_ENOUGH);
    assert_int_equal(findings->pair_count + findings->event_count + findings->line_count, 0);
    assert_null(findings->country);
    assert_int_equal(give(findings, NULL).cells, 0);
    end(&look);
}

/* Wilson's interval. */
static void test_share(void **state)
{
    struct findings_share share = findings_share_of(0, 10);
    (void)state;
    assert_true(share.low == 0 && share.high > 0.27 && share.high < 0.28);
    share = findings_share_of(38, 41); /* 80.6 to 97.5 % */
    assert_true(share.low > 0.805 && share.low < 0.807);
    assert_true(share.high > 0.974 && share.high < 0.976);
    share = findings_share_of(0, 0);
    assert_true(share.low == 0 && share.high == 1);
}

/* ---- order ---- */

/* What is worse stands above, controls below all; cells go by hour. Twice the same. */
static void test_order_of_lists(void **state)
{
    struct look look = {0};
    (void)state;
    fine(telenor);
    cut(jazz, FIRST_DUE - 30, END, "tls.reset.sni");
    fine(abroad);
    fine(ufone);
    const struct findings *findings = look_once(&look);
    assert_string_equal(findings->pairs[0].carrier, "jazz");
    assert_string_equal(findings->carriers[0].id, "jazz");
    assert_true(give(findings, NULL).sorted);
    for (size_t i = 1; i < findings->line_count; i++)
        assert_true(strcmp(findings->lines[i - 1].carrier, findings->lines[i].carrier) < 0);
    struct findings *first = look.findings;
    begin(&look);
    assert_int_equal(look.findings->pair_count, first->pair_count);
    for (size_t i = 0; i < first->pair_count; i++) {
        assert_string_equal(first->pairs[i].carrier, look.findings->pairs[i].carrier);
        assert_string_equal(first->pairs[i].service, look.findings->pairs[i].service);
    }
    findings_destroy(first);
    end(&look);
}

#define LOOK(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOOK(test_small_cell),
        LOOK(test_small_cells_of_days),
        LOOK(test_small_cell_in_event),
        LOOK(test_small_pair),
        LOOK(test_no_floor),
        LOOK(test_floor_as_asked),
        LOOK(test_small_event),
        LOOK(test_charts),
        LOOK(test_hours),
        LOOK(test_unknown_ids),
        LOOK(test_one_carrier),
        LOOK(test_period),
        LOOK(test_order_carried_out),
        LOOK(test_order_not_observed),
        LOOK(test_campaign),
        LOOK(test_campaign_with_a_likely_one),
        LOOK(test_event),
        LOOK(test_nothing),
        LOOK(test_not_enough),
        LOOK(test_no_data),
        LOOK(test_order_of_lists),
        LOOK(test_share),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
