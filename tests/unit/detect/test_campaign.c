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

#include "base/status.h"
#include "catalog/catalog.h"
#include "world.h"

#define DAYS(n) ((n)*24u)
#define BES     "blackberry-bes"
#define END     DAYS(70) /* 2016-01-11 */
/* Of the order of 2015, in hours of the world: ends of its days in Karachi. */
#define FIRST_DUE (DAYS(29) + 19) /* 1 December, the later reading */
#define MOVED     (DAYS(58) + 19) /* 30 December */
#define LIFTED    (DAYS(59) + 19) /* 31 December */

static struct world world;
static struct catalog *catalog;

#define TAP(name, country)                                                                         \
    {                                                                                              \
        "tap-" name, name, country, POSITION_CARRIER, 6, ORIGIN_FIELD                              \
    }
static const struct world_line jazz = TAP("jazz", "PK"), ufone = TAP("ufone", "PK");
static const struct world_line telenor = TAP("telenor-pk", "PK"), zong = TAP("zong", "PK");
static const struct world_line nayatel = TAP("nayatel", "PK"), ptcl = TAP("ptcl", "PK");
static const struct world_line unknown = TAP("as64500", "PK");
static const struct world_line abroad = TAP("kpn", "NL");

static int load(void **state)
{
    const char *root = getenv("DARKLINE_SOURCE");
    char folder[4096];
    struct dl_error error = {0};
    (void)state;
    snprintf(folder, sizeof(folder), "%s/catalog", root ? root : ".");
    if (catalog_load(&catalog, folder, &error) == DL_OK)
        return 0;
    print_error("%s\n", error.message);
    return -1;
}

static int unload(void **state)
{
    (void)state;
    catalog_destroy(catalog);
    return 0;
}

static const char *owner_of(void *context, const char *carrier, int64_t time_us)
{
    const struct catalog_carrier *found = catalog_carrier_find(catalog, carrier);
    (void)context;
    return found ? catalog_carrier_owner_at(found, time_us) : NULL;
}

static int start(void **state)
{
    int status = world_init(&world);
    (void)state;
    world.places.owner = owner_of;
    world.places.catalog = catalog;
    return status;
}

static int stop(void **state)
{
    (void)state;
    world_finish(&world);
    return 0;
}

/* ---- what the world does ---- */

static void works(struct world_line line, const char *service, unsigned from, unsigned to)
{
    world_add(&world, &(struct world_stretch){line, service, from, to, 0.02, "tls.timeout",
                                              ATTRIBUTION_UNKNOWN, false});
}

static void fails(struct world_line line, const char *service, unsigned from, unsigned to,
                  const char *mechanism, bool proven)
{
    world_add(&world, &(struct world_stretch){
                          line, service, from, to, 1, mechanism,
                          proven ? ATTRIBUTION_THIRD_PARTY : ATTRIBUTION_UNKNOWN, proven});
}

/* The controls of a line, for as long as the world lasts. */
static void controls(struct world_line line)
{
    works(line, "wikipedia", 0, END);
    works(line, "blackberry-bis", 0, END);
}

/* BES fails from one hour to another, proven. */
static void cut(struct world_line line, unsigned from, unsigned to, const char *mechanism)
{
    works(line, BES, 0, from);
    fails(line, BES, from, to, mechanism, true);
    works(line, BES, to, END);
    controls(line);
}

/* The same without any answer and without proof. */
static void silence(struct world_line line, unsigned from)
{
    works(line, BES, 0, from);
    fails(line, BES, from, END, "tcp.timeout", false);
    controls(line);
}

static void fine(struct world_line line)
{
    works(line, BES, 0, END);
    controls(line);
}

/* ---- what is asked of it ---- */

static const struct event *event_of(const struct analysis *analysis, const char *carrier)
{
    for (size_t i = 0; i < analysis->event_count; i++)
        if (strcmp(cells_carrier(world.cells, analysis->events[i].carrier), carrier) == 0)
            return &analysis->events[i];
    fail_msg("no event on %s", carrier);
    return NULL;
}

static const struct order_row *find_row(const struct analysis *analysis, const char *order,
                                        const char *carrier)
{
    for (size_t i = 0; i < analysis->order_count; i++)
        if (strcmp(analysis->orders[i].order, order) == 0 &&
            strcmp(analysis->orders[i].carrier, carrier) == 0)
            return &analysis->orders[i];
    return NULL;
}

static const struct order_row *row_of(const struct analysis *analysis, const char *carrier)
{
    const struct order_row *row = find_row(analysis, "pta-bes-2015", carrier);
    if (!row)
        fail_msg("no row of %s", carrier);
    return row;
}

static void expect_verdict(const struct analysis *analysis, const char *carrier,
                           enum order_verdict verdict)
{
    assert_string_equal(order_verdict_text(row_of(analysis, carrier)->verdict),
                        order_verdict_text(verdict));
}

static bool has_rule(const struct event *event, const char *id)
{
    bool found = false;
    for (unsigned i = 0; i < event->rule_count; i++)
        found |= strcmp(event->rules[i], id) == 0;
    return found;
}

/* ---- campaigns ---- */

static void test_campaign(void **state)
{
    struct analysis *analysis;
    const struct campaign *campaign;
    (void)state;
    cut(jazz, DAYS(10), END, "tls.reset.sni");
    cut(zong, DAYS(11), END, "dns.injection.other");
    fine(nayatel);
    fine(abroad);
    analysis = world_analyse(&world);
    assert_int_equal(analysis->campaign_count, 1);
    campaign = &analysis->campaigns[0];
    assert_int_equal(campaign->class, EVENT_BLOCKED);
    assert_string_equal(cells_service(world.cells, campaign->service), BES);
    assert_string_equal(campaign->country, "PK");
    assert_int_equal(campaign->event_count, 2);
    assert_int_equal(campaign->owners, 2);
    assert_true(fabs(campaign->spread_hours - 24) <= 1);
    assert_string_equal(campaign->id, "PK.blackberry-bes.blocked.2015-11-12T00");
    assert_true(campaign->onset.earliest_us <= world_hour(&world, DAYS(10)));
    assert_true(campaign->onset.latest_us < world_hour(&world, DAYS(11)));
    assert_non_null(strstr(campaign->explanation, "jazz first, zong last"));
    assert_string_equal(campaign->order, "pta-bes-2015"); /* after its announcement */
    for (size_t i = 0; i < campaign->event_count; i++)
        assert_int_equal(
            analysis->events[analysis->campaign_events[campaign->first_event + i]].scope,
            SCOPE_CARRIER);
    analysis_destroy(analysis);
}

static void test_one_carrier_is_none(void **state)
{
    struct analysis *analysis;
    (void)state;
    works(jazz, BES, 0, DAYS(10));
    fails(jazz, BES, DAYS(10), DAYS(13), "tls.reset.sni", true);
    works(jazz, BES, DAYS(13), DAYS(16));
    fails(jazz, BES, DAYS(16), END, "tls.reset.sni", true);
    controls(jazz);
    fine(zong);
    fine(abroad);
    analysis = world_analyse(&world);
    assert_int_equal(analysis->event_count, 2);
    assert_int_equal(analysis->campaign_count, 0);
    analysis_destroy(analysis);
}

/* Begun, ended and begun again a month later: two campaigns. */
static void test_recurs(void **state)
{
    const struct world_line both[] = {jazz, zong};
    struct analysis *analysis;
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        works(both[i], BES, 0, DAYS(10));
        fails(both[i], BES, DAYS(10) + i, DAYS(13), "tls.reset.sni", true);
        works(both[i], BES, DAYS(13), DAYS(40));
        fails(both[i], BES, DAYS(40) + i, END, "tls.reset.sni", true);
        controls(both[i]);
    }
    world.places.catalog = NULL;
    fine(abroad);
    analysis = world_analyse(&world);
    assert_int_equal(analysis->event_count, 4);
    assert_int_equal(analysis->campaign_count, 2);
    assert_int_equal(analysis->campaigns[0].event_count, 2);
    assert_int_equal(analysis->campaigns[1].event_count, 2);
    assert_true(strcmp(analysis->campaigns[0].id, analysis->campaigns[1].id) != 0);
    assert_int_equal(analysis->order_count, 0);
    analysis_destroy(analysis);
}

static void test_further_apart_than_window(void **state)
{
    struct analysis *analysis;
    (void)state;
    cut(jazz, DAYS(10), END, "tls.reset.sni");
    cut(zong, DAYS(26), END, "tls.reset.sni");
    fine(abroad);
    analysis = world_analyse(&world);
    assert_int_equal(analysis->event_count, 2);
    assert_int_equal(analysis->campaign_count, 0);
    analysis_destroy(analysis);
}

/* Going on when first seen: together, but nobody can say since when. */
static void test_first_sight(void **state)
{
    struct analysis *analysis;
    (void)state;
    cut(jazz, 0, END, "tls.reset.sni");
    cut(zong, 0, END, "tls.reset.sni");
    cut(nayatel, DAYS(3), END, "tls.reset.sni");
    fine(abroad);
    analysis = world_analyse(&world);
    assert_int_equal(analysis->campaign_count, 1);
    assert_int_equal(analysis->campaigns[0].event_count, 2);
    assert_true(analysis->campaigns[0].onset.earliest_us == 0);
    assert_true(analysis->campaigns[0].spread_hours <= 0);
    assert_null(analysis->campaigns[0].order);
    analysis_destroy(analysis);
}

/* PTCL owns Ufone; nobody knows whose as64500 is. */
static void test_owners(void **state)
{
    struct analysis *analysis;
    (void)state;
    cut(ufone, DAYS(10), END, "tls.reset.sni");
    cut(ptcl, DAYS(10) + 8, END, "tls.reset.sni");
    cut(unknown, DAYS(10) + 16, END, "tls.reset.sni");
    fine(abroad);
    analysis = world_analyse(&world);
    assert_int_equal(analysis->campaign_count, 1);
    assert_int_equal(analysis->campaigns[0].event_count, 3);
    assert_int_equal(analysis->campaigns[0].owners, 1);
    assert_int_equal(analysis->events[0].scope, SCOPE_CARRIER);
    analysis_destroy(analysis);
}

static void test_country(void **state)
{
    struct analysis *analysis;
    (void)state;
    cut(jazz, DAYS(10), END, "tls.reset.sni");
    cut(ufone, DAYS(10) + 8, END, "tls.reset.sni");
    cut(zong, DAYS(11), END, "tls.reset.sni");
    fine(abroad);
    analysis = world_analyse(&world);
    assert_int_equal(analysis->event_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(analysis->events[i].scope, SCOPE_COUNTRY);
    analysis_destroy(analysis);
}

/* Three owners, and a fourth carrier where it works. */
static void test_not_the_country(void **state)
{
    struct analysis *analysis;
    (void)state;
    cut(jazz, DAYS(10), END, "tls.reset.sni");
    cut(ufone, DAYS(10) + 8, END, "tls.reset.sni");
    cut(zong, DAYS(14), END, "tls.reset.sni");
    fine(nayatel);
    fine(abroad);
    analysis = world_analyse(&world);
    assert_int_equal(analysis->event_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(analysis->events[i].scope, SCOPE_CARRIER);
    analysis_destroy(analysis);
}

/* The fourth has lifted it when the third begins. */
static void test_no_longer_the_country(void **state)
{
    struct analysis *analysis;
    (void)state;
    cut(jazz, END - DAYS(5), END, "tls.reset.sni");
    cut(ufone, END - DAYS(5) + 8, END, "tls.reset.sni");
    cut(nayatel, END - DAYS(5), END - DAYS(2), "tls.reset.sni");
    cut(zong, END - DAYS(1), END, "tls.reset.sni");
    fine(abroad);
    analysis = world_analyse(&world);
    assert_int_equal(analysis->event_count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(analysis->events[i].scope, SCOPE_CARRIER);
    analysis_destroy(analysis);
}

/* The third has just begun: too few have tried since on the fourth, where it always worked. */
static void test_not_the_country_yet(void **state)
{
    struct world_line thin = nayatel;
    struct analysis *analysis;
    (void)state;
    thin.voices = 1;
    cut(jazz, END - DAYS(2), END, "tls.reset.sni");
    cut(ufone, END - DAYS(2) + 8, END, "tls.reset.sni");
    cut(zong, END - 3, END, "tls.reset.sni");
    fine(thin);
    fine(abroad);
    analysis = world_analyse(&world);
    assert_int_equal(analysis->event_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(analysis->events[i].scope, SCOPE_CARRIER);
    analysis_destroy(analysis);
}

/* ---- who agrees with silence ---- */

static void test_silence_alone(void **state)
{
    struct analysis *analysis;
    (void)state;
    world.places.catalog = NULL;
    silence(zong, DAYS(10));
    fine(jazz);
    fine(abroad);
    analysis = world_analyse(&world);
    assert_int_equal(event_of(analysis, "zong")->grade, GRADE_LIKELY);
    analysis_destroy(analysis);
}

static void test_second_carrier(void **state)
{
    struct analysis *analysis;
    (void)state;
    world.places.catalog = NULL;
    silence(zong, DAYS(10));
    silence(nayatel, DAYS(15));
    fine(jazz);
    fine(abroad);
    analysis = world_analyse(&world);
    assert_int_equal(event_of(analysis, "zong")->grade, GRADE_CONFIRMED);
    assert_int_equal(event_of(analysis, "zong")->state, STATE_BLOCKED);
    assert_true(has_rule(event_of(analysis, "zong"), "second-carrier"));
    analysis_destroy(analysis);
}

/* One owner's two networks fall silent by one fault. */
static void test_second_carrier_of_one_owner(void **state)
{
    struct analysis *analysis;
    (void)state;
    world.places.catalog = NULL;
    silence(ufone, DAYS(10));
    silence(ptcl, DAYS(15));
    fine(jazz);
    fine(abroad);
    analysis = world_analyse(&world);
    assert_int_equal(event_of(analysis, "ufone")->grade, GRADE_LIKELY);
    assert_int_equal(event_of(analysis, "ptcl")->grade, GRADE_LIKELY);
    analysis_destroy(analysis);
}

static void test_order_agrees(void **state)
{
    struct analysis *analysis;
    (void)state;
    silence(jazz, FIRST_DUE - 10);
    fine(zong);
    fine(abroad);
    analysis = world_analyse(&world);
    assert_int_equal(event_of(analysis, "jazz")->grade, GRADE_CONFIRMED);
    assert_true(has_rule(event_of(analysis, "jazz"), "order-agrees"));
    analysis_destroy(analysis);
}

/* The order addresses others; or it was over. */
static void test_order_does_not_agree(void **state)
{
    struct analysis *analysis;
    (void)state;
    silence(zong, FIRST_DUE - 10);
    silence(jazz, LIFTED + 20);
    fine(ufone);
    fine(abroad);
    analysis = world_analyse(&world);
    assert_false(has_rule(event_of(analysis, "zong"), "order-agrees"));
    assert_false(has_rule(event_of(analysis, "jazz"), "order-agrees"));
    analysis_destroy(analysis);
}

/* It may have begun in the order's time, or when that was over. */
static void test_order_may_not_agree(void **state)
{
    struct analysis *analysis;
    (void)state;
    works(jazz, BES, 0, FIRST_DUE - 10);
    fails(jazz, BES, LIFTED + 20, END, "tcp.timeout", false);
    controls(jazz);
    fine(zong);
    fine(abroad);
    analysis = world_analyse(&world);
    assert_int_equal(event_of(analysis, "jazz")->grade, GRADE_LIKELY);
    analysis_destroy(analysis);
}

static uint64_t answered, asked;

static int same_server(void *context, const char *carrier, const char *service, int64_t from_us,
                       int64_t to_us, uint64_t *ret_attempts, uint64_t *ret_failures)
{
    (void)context;
    if (strcmp(carrier, "zong") != 0 || strcmp(service, BES) != 0 || to_us <= from_us)
        return DL_NOT_FOUND;
    *ret_attempts = asked;
    *ret_failures = asked - answered;
    return DL_OK;
}

static void expect_same_server(uint64_t good, uint64_t attempts, enum event_grade grade)
{
    struct analysis *analysis;
    const struct event *event;
    const struct analysis_control *control;
    answered = good;
    asked = attempts;
    world.places.catalog = NULL;
    world.places.same_server = same_server;
    silence(zong, DAYS(10));
    fine(jazz);
    fine(abroad);
    analysis = world_analyse(&world);
    event = event_of(analysis, "zong");
    assert_int_equal(event->grade, grade);
    assert_int_equal(has_rule(event, "same-server"), grade == GRADE_CONFIRMED);
    control = &event->controls[event->control_count - 1];
    assert_string_equal(control->kind, "same-server");
    assert_int_equal(control->attempts, attempts);
    analysis_destroy(analysis);
}

static void test_same_server_answers(void **state)
{
    (void)state;
    expect_same_server(40, 41, GRADE_CONFIRMED);
}

static void test_same_server_is_silent(void **state)
{
    (void)state;
    expect_same_server(1, 41, GRADE_LIKELY);
}

/* ---- orders ---- */

/* Four techniques; Ufone does not; Telenor lifts early; two that nobody named follow. */
static void test_order_carried_out(void **state)
{
    struct analysis *analysis;
    const struct order_row *row;
    (void)state;
    cut(jazz, FIRST_DUE - 15, LIFTED, "tls.reset.sni");
    cut(telenor, FIRST_DUE - 3, FIRST_DUE + DAYS(12), "tcp.reset");
    cut(zong, FIRST_DUE + 30, LIFTED, "dns.injection.other");
    cut(nayatel, FIRST_DUE + 50, LIFTED, "http.blockpage");
    fine(ufone);
    fine(unknown);
    fine(abroad);
    analysis = world_analyse(&world);
    assert_int_equal(analysis->event_count, 4);
    row = row_of(analysis, "jazz");
    assert_int_equal(row->verdict, ORDER_COMPLIED);
    assert_string_equal(cells_mechanism(world.cells, (uint16_t)row->mechanism), "tls.reset.sni");
    assert_true(row->has_hours_from_deadline);
    assert_true(fabs(row->hours_from_deadline + 15) <= 1);
    row = row_of(analysis, "telenor-pk");
    assert_int_equal(row->verdict, ORDER_COMPLIED);
    assert_string_equal(cells_mechanism(world.cells, (uint16_t)row->mechanism), "tcp.reset");
    assert_true(event_of(analysis, "telenor-pk")->ended);
    expect_verdict(analysis, "ufone", ORDER_NOT_OBSERVED);
    expect_verdict(analysis, "zong", ORDER_NOT_NAMED);
    expect_verdict(analysis, "nayatel", ORDER_NOT_NAMED);
    expect_verdict(analysis, "as64500", ORDER_NOT_NAMED);
    assert_null(find_row(analysis, "pta-bes-2015", "kpn"));
    assert_int_equal(analysis->campaign_count, 1);
    assert_int_equal(analysis->campaigns[0].event_count, 4);
    assert_int_equal(analysis->campaigns[0].owners, 4);
    assert_string_equal(analysis->campaigns[0].order, "pta-bes-2015");
    analysis_destroy(analysis);
}

/* As history has it: ordered, moved, taken back, nothing done. */
static void test_order_as_history_has_it(void **state)
{
    const struct world_line named[] = {jazz, ufone, telenor};
    struct analysis *analysis;
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        fine(named[i]);
    fine(zong);
    fine(abroad);
    analysis = world_analyse(&world);
    assert_int_equal(analysis->event_count, 0);
    for (unsigned i = 0; i < 3; i++)
        expect_verdict(analysis, named[i].carrier, ORDER_NOT_OBSERVED);
    expect_verdict(analysis, "zong", ORDER_NOT_NAMED);
    analysis_destroy(analysis);
}

/* Begun after the first date had run out: the moved one held. */
static void test_moved_date_holds(void **state)
{
    struct analysis *analysis;
    (void)state;
    cut(jazz, MOVED - 6, END, "tls.reset.sni");
    cut(ufone, MOVED + 5, END, "tls.reset.sni");
    fine(abroad);
    analysis = world_analyse(&world);
    assert_int_equal(row_of(analysis, "jazz")->verdict, ORDER_COMPLIED);
    assert_true(fabs(row_of(analysis, "jazz")->hours_from_deadline + 6) <= 1);
    assert_int_equal(row_of(analysis, "ufone")->verdict, ORDER_COMPLIED);
    assert_true(fabs(row_of(analysis, "ufone")->hours_from_deadline - 5) <= 1);
    analysis_destroy(analysis);
}

static void test_begun_after_lifting(void **state)
{
    struct analysis *analysis;
    (void)state;
    cut(jazz, LIFTED + 12, END, "tls.reset.sni");
    fine(abroad);
    analysis = world_analyse(&world);
    assert_int_equal(analysis->event_count, 1);
    expect_verdict(analysis, "jazz", ORDER_NOT_OBSERVED);
    analysis_destroy(analysis);
}

static void test_there_before(void **state)
{
    struct analysis *analysis;
    (void)state;
    cut(jazz, 0, END, "tls.reset.sni");
    fine(abroad);
    analysis = world_analyse(&world);
    expect_verdict(analysis, "jazz", ORDER_COMPLIED);
    assert_false(row_of(analysis, "jazz")->has_hours_from_deadline);
    analysis_destroy(analysis);
}

/* Nobody looked in the order's time: that an earlier block was not seen to end says nothing of it. */
static void test_seen_long_before_only(void **state)
{
    struct analysis *analysis;
    (void)state;
    world.begin_us -= INT64_C(52) * 7 * 24 * 3600000000;
    cut(jazz, DAYS(10), END, "tls.reset.sni");
    fine(abroad);
    analysis = world_analyse(&world);
    assert_int_equal(analysis->event_count, 1);
    assert_false(analysis->events[0].ended);
    assert_null(find_row(analysis, "pta-bes-2015", "jazz"));
    analysis_destroy(analysis);
}

/* A try that was over before the date ran out is none. */
static void test_ended_before_deadline(void **state)
{
    struct analysis *analysis;
    (void)state;
    cut(jazz, DAYS(10), DAYS(12), "tls.reset.sni");
    fine(abroad);
    analysis = world_analyse(&world);
    assert_int_equal(analysis->event_count, 1);
    expect_verdict(analysis, "jazz", ORDER_NOT_OBSERVED);
    analysis_destroy(analysis);
}

/* What the order leaves alone obeys nothing. */
static void test_exempt(void **state)
{
    struct analysis *analysis;
    (void)state;
    works(jazz, "blackberry-bis", 0, FIRST_DUE - 10);
    fails(jazz, "blackberry-bis", FIRST_DUE - 10, END, "tls.reset.sni", true);
    works(jazz, "wikipedia", 0, END);
    works(jazz, BES, 0, END);
    works(abroad, "blackberry-bis", 0, END);
    analysis = world_analyse(&world);
    assert_int_equal(analysis->event_count, 1);
    expect_verdict(analysis, "jazz", ORDER_NOT_OBSERVED);
    analysis_destroy(analysis);
}

/* Nobody looked after the date; or one voice alone did; or hardly anybody. */
static void test_insufficient(void **state)
{
    struct world_line home = jazz, thin = telenor;
    struct analysis *analysis;
    (void)state;
    home.position = POSITION_SUBSCRIBER;
    home.voices = 1;
    thin.voices = 2;
    works(home, BES, 0, END);
    works(ufone, BES, 0, DAYS(20));
    works(ufone, "wikipedia", 0, END);
    works(thin, BES, 0, 2);
    works(thin, BES, DAYS(45), DAYS(45) + 2);
    works(thin, BES, END - 2, END);
    analysis = world_analyse(&world);
    expect_verdict(analysis, "jazz", ORDER_INSUFFICIENT);
    expect_verdict(analysis, "ufone", ORDER_INSUFFICIENT);
    expect_verdict(analysis, "telenor-pk", ORDER_INSUFFICIENT);
    analysis_destroy(analysis);
}

/* The store ends before the date that counts, which was moved to after it. */
static void test_not_over_yet(void **state)
{
    struct analysis *analysis;
    (void)state;
    works(jazz, BES, 0, FIRST_DUE + DAYS(14));
    works(jazz, "wikipedia", 0, FIRST_DUE + DAYS(14));
    analysis = world_analyse(&world);
    expect_verdict(analysis, "jazz", ORDER_INSUFFICIENT);
    analysis_destroy(analysis);
}

/* It always fails a good deal: no event, and no proof that nobody does anything. */
static void test_chronic(void **state)
{
    struct analysis *analysis;
    (void)state;
    world_add(&world, &(struct world_stretch){jazz, BES, 0, END, 0.3, "tcp.timeout",
                                              ATTRIBUTION_UNKNOWN, false});
    controls(jazz);
    fine(abroad);
    analysis = world_analyse(&world);
    assert_int_equal(analysis->event_count, 0);
    expect_verdict(analysis, "jazz", ORDER_INSUFFICIENT);
    analysis_destroy(analysis);
}

/* One line's own block obeys no order. */
static void test_one_line(void **state)
{
    struct world_line home = jazz;
    struct analysis *analysis;
    (void)state;
    home.position = POSITION_SUBSCRIBER;
    home.voices = 1;
    cut(home, FIRST_DUE - 10, END, "tls.reset.sni");
    cut(zong, FIRST_DUE - 10, END, "tls.reset.sni");
    fine(abroad);
    analysis = world_analyse(&world);
    assert_int_equal(event_of(analysis, "jazz")->scope, SCOPE_LINE);
    expect_verdict(analysis, "jazz", ORDER_INSUFFICIENT);
    assert_int_equal(analysis->campaign_count, 0);
    analysis_destroy(analysis);
}

/* The provider leaves by itself on the day: no carrier complied, and none is said not to have. */
static void test_withdrawn_is_no_compliance(void **state)
{
    const struct world_line named[] = {jazz, ufone, telenor};
    struct analysis *analysis;
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        works(named[i], BES, 0, FIRST_DUE - 10);
        fails(named[i], BES, FIRST_DUE - 10, END, "tls.reset.other", false);
        controls(named[i]);
    }
    fine(abroad);
    analysis = world_analyse(&world);
    assert_int_equal(analysis->event_count, 3);
    assert_int_equal(analysis->events[0].class, EVENT_WITHDRAWN);
    for (unsigned i = 0; i < 3; i++)
        expect_verdict(analysis, named[i].carrier, ORDER_INSUFFICIENT);
    assert_int_equal(analysis->campaign_count, 1);
    assert_null(analysis->campaigns[0].order);
    analysis_destroy(analysis);
}

/* Days before the order is over: too few failures to weigh, and still nobody can say. */
static void test_unclear_late(void **state)
{
    const struct world_line named[] = {jazz, ufone, telenor};
    struct analysis *analysis;
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        works(named[i], BES, 0, MOVED - 30);
        fails(named[i], BES, MOVED - 30, END, "tcp.timeout", false);
        controls(named[i]);
    }
    fine(abroad);
    analysis = world_analyse(&world);
    assert_int_equal(analysis->event_count, 3);
    assert_int_equal(analysis->events[0].class, EVENT_UNREACHABLE);
    for (unsigned i = 0; i < 3; i++)
        expect_verdict(analysis, named[i].carrier, ORDER_INSUFFICIENT);
    analysis_destroy(analysis);
}

/* The provider was down for a day in that month, for everybody. */
static void test_outage_meanwhile(void **state)
{
    const struct world_line both[] = {jazz, abroad};
    struct analysis *analysis;
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        works(both[i], BES, 0, DAYS(40));
        fails(both[i], BES, DAYS(40), DAYS(41), "tcp.timeout", false);
        works(both[i], BES, DAYS(41), END);
        controls(both[i]);
    }
    analysis = world_analyse(&world);
    assert_int_equal(analysis->event_count, 2);
    assert_int_equal(analysis->events[0].class, EVENT_OUTAGE);
    expect_verdict(analysis, "jazz", ORDER_NOT_OBSERVED);
    analysis_destroy(analysis);
}

/* Orders of other times and countries have nothing to say; those that stand do. */
static void test_which_orders(void **state)
{
    static const struct world_line emirates = TAP("as64501", "AE");
    struct analysis *analysis;
    (void)state;
    fine(zong);
    fine(emirates);
    analysis = world_analyse(&world);
    assert_non_null(find_row(analysis, "pta-bes-2015", "zong"));
    assert_non_null(find_row(analysis, "pk-vpn-2011", "zong"));
    assert_int_equal(find_row(analysis, "pk-vpn-2011", "zong")->verdict, ORDER_INSUFFICIENT);
    assert_null(find_row(analysis, "pk-social-2021", "zong"));
    assert_null(find_row(analysis, "uae-blackberry-2010", "as64501"));
    assert_null(find_row(analysis, "ru-telegram-2018", "zong"));
    analysis_destroy(analysis);
}

static void test_same_again(void **state)
{
    struct analysis *first, *second = NULL;
    (void)state;
    cut(jazz, FIRST_DUE - 15, LIFTED, "tls.reset.sni");
    silence(zong, FIRST_DUE + 30);
    silence(telenor, FIRST_DUE + 40);
    fine(ufone);
    fine(abroad);
    first = world_analyse(&world);
    assert_int_equal(analysis_run(world.cells, &world.places, &second), DL_OK);
    assert_int_equal(first->event_count, second->event_count);
    assert_memory_equal(first->events, second->events, first->event_count * sizeof(struct event));
    assert_int_equal(first->campaign_count, second->campaign_count);
    assert_memory_equal(first->campaigns, second->campaigns,
                        first->campaign_count * sizeof(struct campaign));
    assert_int_equal(first->order_count, second->order_count);
    for (size_t i = 0; i < first->order_count; i++) {
        assert_string_equal(first->orders[i].order, second->orders[i].order);
        assert_string_equal(first->orders[i].carrier, second->orders[i].carrier);
        assert_int_equal(first->orders[i].verdict, second->orders[i].verdict);
    }
    analysis_destroy(first);
    analysis_destroy(second);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_campaign),
        TEST(test_one_carrier_is_none),
        TEST(test_recurs),
        TEST(test_further_apart_than_window),
        TEST(test_first_sight),
        TEST(test_owners),
        TEST(test_country),
        TEST(test_not_the_country),
        TEST(test_no_longer_the_country),
        TEST(test_not_the_country_yet),
        TEST(test_silence_alone),
        TEST(test_second_carrier),
        TEST(test_second_carrier_of_one_owner),
        TEST(test_order_agrees),
        TEST(test_order_does_not_agree),
        TEST(test_order_may_not_agree),
        TEST(test_same_server_answers),
        TEST(test_same_server_is_silent),
        TEST(test_order_carried_out),
        TEST(test_order_as_history_has_it),
        TEST(test_moved_date_holds),
        TEST(test_begun_after_lifting),
        TEST(test_there_before),
        TEST(test_seen_long_before_only),
        TEST(test_ended_before_deadline),
        TEST(test_exempt),
        TEST(test_insufficient),
        TEST(test_not_over_yet),
        TEST(test_chronic),
        TEST(test_one_line),
        TEST(test_withdrawn_is_no_compliance),
        TEST(test_unclear_late),
        TEST(test_outage_meanwhile),
        TEST(test_which_orders),
        TEST(test_same_again),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
