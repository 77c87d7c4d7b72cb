// SPDX-License-Identifier: GPL-3.0-or-later
/* Who agrees with silence, which proves nothing by itself. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/status.h"
#include "tests/unit/detect/pakistan.h"

static bool has_rule(const struct event *event, const char *id)
{
    bool found = false;
    for (unsigned i = 0; i < event->rule_count; i++)
        found |= strcmp(event->rules[i], id) == 0;
    return found;
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_silence_alone),
        TEST(test_second_carrier),
        TEST(test_second_carrier_of_one_owner),
        TEST(test_order_agrees),
        TEST(test_order_does_not_agree),
        TEST(test_order_may_not_agree),
        TEST(test_same_server_answers),
        TEST(test_same_server_is_silent),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
