// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "world.h"

#define DAYS(n) ((n)*24u)

static struct world world;

static const struct world_line jazz = {"tap-jazz", "jazz", "PK", POSITION_CARRIER, 3, ORIGIN_FIELD};
static const struct world_line ufone = {"tap-ufone",      "ufone", "PK",
                                        POSITION_CARRIER, 3,       ORIGIN_FIELD};
static const struct world_line abroad = {"tap-kpn", "kpn", "NL", POSITION_CARRIER, 3, ORIGIN_FIELD};

static int start(void **state)
{
    (void)state;
    return world_init(&world);
}

static int stop(void **state)
{
    (void)state;
    world_finish(&world);
    return 0;
}

static void goes(struct world_line line, const char *service, unsigned from, unsigned to,
                 double kbps)
{
    world_add_pace(&world, &(struct world_pace){line, service, from, to, kbps, 60, 120});
}

/* Telegram at `before`, from day 7 on at `after`, three weeks. */
static void changes(struct world_line line, double before, double after)
{
    goes(line, "telegram", 0, DAYS(7), before);
    goes(line, "telegram", DAYS(7), DAYS(21), after);
}

static const struct event *only_event(const struct analysis *analysis)
{
    assert_int_equal(analysis->event_count, 1);
    return &analysis->events[0];
}

static bool has_rule(const struct event *event, const char *id)
{
    bool found = false;
    for (unsigned i = 0; i < event->rule_count; i++)
        found |= strcmp(event->rules[i], id) == 0;
    return found;
}

static void expect_nothing(void)
{
    struct analysis *analysis = world_analyse(&world);
    assert_int_equal(analysis->event_count, 0);
    analysis_destroy(analysis);
}

static void test_throttled(void **state)
{
    struct analysis *analysis;
    const struct event *event;
    (void)state;
    changes(jazz, 4000, 400);
    goes(jazz, "wikipedia", 0, DAYS(21), 5000);
    goes(ufone, "telegram", 0, DAYS(21), 4000);
    goes(ufone, "wikipedia", 0, DAYS(21), 5000);
    analysis = world_analyse(&world);
    event = only_event(analysis);
    assert_int_equal(event->class, EVENT_THROTTLED);
    assert_int_equal(event->grade, GRADE_CONFIRMED);
    assert_int_equal(event->scope, SCOPE_CARRIER);
    assert_string_equal(cells_carrier(world.cells, event->carrier), "jazz");
    assert_string_equal(cells_service(world.cells, (uint16_t)event->service), "telegram");
    assert_true(has_rule(event, "slower-than-controls"));
    assert_true(event->onset.earliest_us <= world_hour(&world, DAYS(7)));
    assert_true(event->onset.latest_us >= world_hour(&world, DAYS(7)));
    assert_true(event->onset.latest_us - event->onset.earliest_us <= INT64_C(3 * 3600000000));
    assert_false(event->ended);
    assert_true(event->voices >= 2);
    analysis_destroy(analysis);
}

static void test_ends(void **state)
{
    struct analysis *analysis;
    (void)state;
    goes(jazz, "telegram", 0, DAYS(7), 4000);
    goes(jazz, "telegram", DAYS(7), DAYS(14), 400);
    goes(jazz, "telegram", DAYS(14), DAYS(21), 4000);
    goes(jazz, "wikipedia", 0, DAYS(21), 5000);
    goes(ufone, "telegram", 0, DAYS(21), 4000);
    analysis = world_analyse(&world);
    assert_true(only_event(analysis)->ended);
    assert_true(analysis->events[0].end.earliest_us <= world_hour(&world, DAYS(14)));
    assert_true(analysis->events[0].end.latest_us >= world_hour(&world, DAYS(14)));
    analysis_destroy(analysis);
}

/* Handshakes that take long, at the same goodput. */
static void test_late_answers(void **state)
{
    struct analysis *analysis;
    (void)state;
    goes(jazz, "telegram", 0, DAYS(7), 4000);
    world_add_pace(&world,
                   &(struct world_pace){jazz, "telegram", DAYS(7), DAYS(21), 4000, 900, 120});
    goes(jazz, "wikipedia", 0, DAYS(21), 5000);
    goes(ufone, "telegram", 0, DAYS(21), 4000);
    analysis = world_analyse(&world);
    assert_int_equal(only_event(analysis)->class, EVENT_THROTTLED);
    assert_non_null(strstr(analysis->events[0].explanation, "handshake"));
    analysis_destroy(analysis);
}

/* From the first flow on: the other carrier shows what the service is to the controls. */
static void test_first_sight(void **state)
{
    struct analysis *analysis;
    (void)state;
    goes(jazz, "telegram", 0, DAYS(14), 400);
    goes(jazz, "wikipedia", 0, DAYS(14), 5000);
    goes(ufone, "telegram", 0, DAYS(14), 4000);
    goes(ufone, "wikipedia", 0, DAYS(14), 5000);
    analysis = world_analyse(&world);
    assert_true(only_event(analysis)->onset.earliest_us == 0);
    analysis_destroy(analysis);
}

static void test_carrier_slow(void **state)
{
    (void)state;
    changes(jazz, 4000, 400);
    goes(jazz, "wikipedia", 0, DAYS(7), 5000);
    goes(jazz, "wikipedia", DAYS(7), DAYS(21), 500);
    goes(ufone, "telegram", 0, DAYS(21), 4000);
    goes(ufone, "wikipedia", 0, DAYS(21), 5000);
    expect_nothing();
}

static void evenings(struct world_line line, const char *service, double kbps, bool slow)
{
    for (unsigned day = 0; day < 21; day++) {
        goes(line, service, DAYS(day), DAYS(day) + 13, kbps);
        goes(line, service, DAYS(day) + 13, DAYS(day) + 18, day >= 7 && slow ? kbps / 10 : kbps);
        goes(line, service, DAYS(day) + 18, DAYS(day + 1), kbps);
    }
}

/* In the evenings from a week on: the carrier's controls are slow at those hours, too. */
static void test_carrier_slow_in_the_evenings(void **state)
{
    (void)state;
    evenings(jazz, "telegram", 4000, true);
    evenings(jazz, "wikipedia", 5000, true);
    evenings(ufone, "telegram", 4000, false);
    evenings(ufone, "wikipedia", 5000, false);
    expect_nothing();
}

static void test_service_slow_in_the_evenings(void **state)
{
    (void)state;
    evenings(jazz, "telegram", 4000, true);
    evenings(jazz, "wikipedia", 5000, false);
    evenings(ufone, "telegram", 4000, true);
    evenings(ufone, "wikipedia", 5000, false);
    expect_nothing();
}

static void test_throttled_in_the_evenings(void **state)
{
    struct analysis *analysis;
    (void)state;
    evenings(jazz, "telegram", 4000, true);
    evenings(jazz, "wikipedia", 5000, false);
    evenings(ufone, "telegram", 4000, false);
    evenings(ufone, "wikipedia", 5000, false);
    analysis = world_analyse(&world);
    assert_true(only_event(analysis)->has_hours);
    assert_true(only_event(analysis)->hours[19]); /* 14:00 UTC in Karachi */
    assert_false(only_event(analysis)->hours[12]);
    analysis_destroy(analysis);
}

/* One probe alone, beside another of its carrier. */
static void test_one_probe(void **state)
{
    struct world_line other = jazz;
    (void)state;
    other.probe = "tap-jazz-2";
    other.voices = 1;
    changes(jazz, 4000, 400);
    goes(other, "telegram", 0, DAYS(21), 4000);
    goes(jazz, "wikipedia", 0, DAYS(21), 5000);
    goes(ufone, "telegram", 0, DAYS(21), 4000);
    expect_nothing();
}

/* A home is one voice, whatever its devices: two of them for two hours are too little. */
static void test_homes(void **state)
{
    struct world_line one = jazz, two = jazz, many = jazz, elsewhere = ufone;
    (void)state;
    one.position = two.position = POSITION_SUBSCRIBER;
    two.probe = "home-2";
    many.voices = elsewhere.voices = 12;
    goes(one, "telegram", 0, DAYS(7), 4000);
    goes(two, "telegram", 0, DAYS(7), 4000);
    goes(one, "telegram", DAYS(7), DAYS(7) + 2, 400);
    goes(two, "telegram", DAYS(7), DAYS(7) + 2, 400);
    goes(many, "wikipedia", 0, DAYS(8), 5000);
    goes(elsewhere, "telegram", 0, DAYS(8), 4000);
    expect_nothing();
}

static void test_service_slow_everywhere(void **state)
{
    (void)state;
    changes(jazz, 4000, 400);
    changes(ufone, 4000, 400);
    changes(abroad, 8000, 800);
    goes(jazz, "wikipedia", 0, DAYS(21), 5000);
    goes(ufone, "wikipedia", 0, DAYS(21), 5000);
    goes(abroad, "wikipedia", 0, DAYS(21), 10000);
    expect_nothing();
}

/* Slow by nature in a slow country: below half of both, and nothing is done to it. */
static void test_slow_by_nature(void **state)
{
    (void)state;
    goes(jazz, "telegram", 0, DAYS(21), 800);
    goes(jazz, "wikipedia", 0, DAYS(21), 4000);
    goes(ufone, "telegram", 0, DAYS(21), 8000);
    goes(ufone, "wikipedia", 0, DAYS(21), 40000);
    expect_nothing();
}

/* A far server: slow at first sight beside other countries only. */
static void test_far_server(void **state)
{
    (void)state;
    goes(jazz, "telegram", 0, DAYS(21), 800);
    goes(jazz, "wikipedia", 0, DAYS(21), 40000);
    goes(abroad, "telegram", 0, DAYS(21), 20000);
    goes(abroad, "wikipedia", 0, DAYS(21), 40000);
    expect_nothing();
}

/* The whole country: other countries show it, and a path that all share is not excluded. */
static void test_whole_country(void **state)
{
    struct analysis *analysis;
    (void)state;
    changes(jazz, 4000, 400);
    changes(ufone, 4000, 400);
    goes(abroad, "telegram", 0, DAYS(21), 4000);
    goes(jazz, "wikipedia", 0, DAYS(21), 5000);
    goes(ufone, "wikipedia", 0, DAYS(21), 5000);
    goes(abroad, "wikipedia", 0, DAYS(21), 5000);
    analysis = world_analyse(&world);
    assert_int_equal(analysis->event_count, 2);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(analysis->events[i].grade, GRADE_LIKELY);
    assert_int_equal(analysis->campaign_count, 1);
    analysis_destroy(analysis);
}

static void test_no_elsewhere(void **state)
{
    struct analysis *analysis;
    (void)state;
    changes(jazz, 4000, 400);
    goes(jazz, "wikipedia", 0, DAYS(21), 5000);
    analysis = world_analyse(&world);
    assert_int_equal(only_event(analysis)->grade, GRADE_LIKELY);
    analysis_destroy(analysis);
}

static void test_no_controls(void **state)
{
    struct analysis *analysis;
    (void)state;
    changes(jazz, 4000, 400);
    goes(ufone, "telegram", 0, DAYS(21), 4000);
    analysis = world_analyse(&world);
    assert_int_equal(only_event(analysis)->grade, GRADE_LIKELY);
    assert_true(has_rule(only_event(analysis), "no-control-here"));
    analysis_destroy(analysis);
}

static void test_nothing_to_compare(void **state)
{
    (void)state;
    changes(jazz, 4000, 400);
    expect_nothing();
}

static void test_few_samples(void **state)
{
    (void)state;
    goes(jazz, "telegram", 0, DAYS(7), 4000);
    goes(jazz, "telegram", DAYS(7), DAYS(7) + 2, 400);
    goes(jazz, "wikipedia", 0, DAYS(8), 5000);
    goes(ufone, "telegram", 0, DAYS(8), 4000);
    expect_nothing();
}

/* One voice alone, however many flows. */
static void test_one_voice(void **state)
{
    struct world_line one = jazz;
    (void)state;
    one.voices = 1;
    changes(one, 4000, 400);
    goes(jazz, "wikipedia", 0, DAYS(21), 5000);
    goes(ufone, "telegram", 0, DAYS(21), 4000);
    expect_nothing();
}

/* The flows themselves were found slowed down, too, later: one event, from the earlier on. */
static void test_joined(void **state)
{
    struct world_line line = jazz;
    struct analysis *analysis;
    uint16_t service;
    struct cell cell = {.ip_version = 4,
                        .first_ms = 60000,
                        .last_ms = 3000000,
                        .first_good_ms = 60000,
                        .last_good_ms = 3000000,
                        .first_bad_ms = CELL_NO_TIME,
                        .last_bad_ms = CELL_NO_TIME,
                        .attempts = 3,
                        .voices = 3,
                        .good_voices = 3,
                        .votes = 3};
    (void)state;
    changes(line, 4000, 400);
    goes(jazz, "wikipedia", 0, DAYS(21), 5000);
    goes(ufone, "telegram", 0, DAYS(21), 4000);
    world_add(&world,
              &(struct world_stretch){.line = jazz, .service = "wikipedia", .to_hour = DAYS(21)});
    world_add(&world,
              &(struct world_stretch){.line = ufone, .service = "telegram", .to_hour = DAYS(21)});
    world_add(&world, &(struct world_stretch){.line = jazz, .service = "telegram", .to_hour = 1});
    /* Line and service of the last one: named, not yet sealed. */
    struct cell_line name = {.position = POSITION_CARRIER, .clock = CLOCK_SYNCHRONISED, .epoch = 1};
    strcpy(name.probe_id, "tap-jazz");
    strcpy(name.carrier, "jazz");
    strcpy(name.country, "PK");
    assert_int_equal(cells_name_line(world.cells, &name, &cell.line), DL_OK);
    assert_int_equal(cells_name_service(world.cells, "telegram", &service), DL_OK);
    cell.service = service;
    for (unsigned hour = 1; hour < DAYS(21); hour++) {
        cell.hour_us = world_hour(&world, hour);
        cell.throttled = hour >= DAYS(9) ? 3 : 0;
        cell.slow = hour >= DAYS(9) ? 3 : 0;
        cell.first_slow_ms = cell.throttled ? 60000 : CELL_NO_TIME;
        cell.last_slow_ms = cell.throttled ? 3000000 : CELL_NO_TIME;
        cell.first_quick_ms = cell.throttled ? CELL_NO_TIME : 60000;
        cell.last_quick_ms = cell.throttled ? CELL_NO_TIME : 3000000;
        assert_int_equal(cells_add(world.cells, &cell), DL_OK);
    }
    analysis = world_analyse(&world);
    assert_int_equal(only_event(analysis)->class, EVENT_THROTTLED);
    assert_true(has_rule(only_event(analysis), "slowed-down"));
    assert_true(has_rule(only_event(analysis), "slower-than-controls"));
    assert_true(only_event(analysis)->onset.latest_us < world_hour(&world, DAYS(7) + 3));
    analysis_destroy(analysis);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_throttled),
        TEST(test_ends),
        TEST(test_late_answers),
        TEST(test_first_sight),
        TEST(test_carrier_slow),
        TEST(test_carrier_slow_in_the_evenings),
        TEST(test_service_slow_in_the_evenings),
        TEST(test_throttled_in_the_evenings),
        TEST(test_one_probe),
        TEST(test_homes),
        TEST(test_service_slow_everywhere),
        TEST(test_slow_by_nature),
        TEST(test_far_server),
        TEST(test_whole_country),
        TEST(test_no_elsewhere),
        TEST(test_no_controls),
        TEST(test_nothing_to_compare),
        TEST(test_few_samples),
        TEST(test_one_voice),
        TEST(test_joined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
