// SPDX-License-Identifier: GPL-3.0-or-later
/* Who did what an order says. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/status.h"
#include "tests/unit/detect/pakistan.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };
    return cmocka_run_group_tests(tests, load, unload);
}
