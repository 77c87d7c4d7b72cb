// SPDX-License-Identifier: GPL-3.0-or-later
/* Events of several carriers: campaigns, and how much of the country they are. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/status.h"
#include "tests/unit/detect/pakistan.h"

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
        TEST(test_same_again),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
