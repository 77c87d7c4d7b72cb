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

static const struct world_line jazz = {"tap-jazz", "jazz", "PK", POSITION_CARRIER, 6, ORIGIN_FIELD};
static const struct world_line ufone = {"tap-ufone",      "ufone", "PK",
                                        POSITION_CARRIER, 6,       ORIGIN_FIELD};
static const struct world_line zong = {"tap-zong", "zong", "PK", POSITION_CARRIER, 6, ORIGIN_FIELD};
static const struct world_line abroad = {"tap-kpn", "kpn", "NL", POSITION_CARRIER, 6, ORIGIN_FIELD};
static const struct world_line home = {"home-1", "jazz",      "PK", POSITION_SUBSCRIBER,
                                       1,        ORIGIN_FIELD};

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

/* BES on one line: works, then fails from day 10 to the end of three weeks. */
static void cut(struct world_line line, const char *mechanism, bool proven)
{
    works(line, "blackberry-bes", 0, DAYS(10));
    fails(line, "blackberry-bes", DAYS(10), DAYS(21), mechanism, proven);
}

static void with_controls(struct world_line line)
{
    works(line, "wikipedia", 0, DAYS(21));
    works(line, "blackberry-bis", 0, DAYS(21));
}

static void assert_rules(const struct event *event, const char *const *wanted)
{
    for (; *wanted; wanted++) {
        bool found = false;
        for (unsigned i = 0; i < event->rule_count; i++)
            found |= strcmp(event->rules[i], *wanted) == 0;
        if (!found)
            print_error("rule %s is missing\n", *wanted);
        assert_true(found);
    }
}
#define ASSERT_RULES(event, ...) assert_rules(event, (const char *const[]){__VA_ARGS__, NULL})

static const struct event *only_event(const struct analysis *analysis)
{
    assert_int_equal(analysis->event_count, 1);
    return &analysis->events[0];
}

static void test_blocked(void **state)
{
    struct analysis *analysis;
    const struct event *event;
    (void)state;
    cut(jazz, "tls.reset.sni", true);
    with_controls(jazz);
    works(ufone, "blackberry-bes", 0, DAYS(21));
    works(abroad, "blackberry-bes", 0, DAYS(21));
    analysis = world_analyse(&world);
    event = only_event(analysis);
    assert_int_equal(event->class, EVENT_BLOCKED);
    assert_int_equal(event->grade, GRADE_CONFIRMED);
    assert_int_equal(event->scope, SCOPE_CARRIER);
    assert_int_equal(event->state, STATE_BLOCKED);
    assert_string_equal(cells_carrier(world.cells, event->carrier), "jazz");
    assert_true(event->onset.earliest_us <= world_hour(&world, DAYS(10)));
    assert_true(event->onset.latest_us >= world_hour(&world, DAYS(10)));
    assert_true(event->onset.latest_us - event->onset.earliest_us <= INT64_C(7200000000));
    assert_false(event->ended);
    ASSERT_RULES(event, "failing-stretch", "proven-third-party", "controls-good", "works-elsewhere",
                 "works-abroad");
    assert_string_equal(cells_mechanism(world.cells, (uint16_t)event->mechanism), "tls.reset.sni");
    assert_true(event->mechanisms[0].share > 0.99 && event->proven > 0);
    analysis_destroy(analysis);
}

/* Silence on one carrier alone is likely at most; a second carrier that does the same confirms. */
static void test_silence_alone(void **state)
{
    struct analysis *analysis;
    (void)state;
    cut(jazz, "tcp.timeout", false);
    with_controls(jazz);
    works(ufone, "blackberry-bes", 0, DAYS(21));
    works(abroad, "blackberry-bes", 0, DAYS(21));
    analysis = world_analyse(&world);
    assert_int_equal(only_event(analysis)->class, EVENT_BLOCKED);
    assert_int_equal(only_event(analysis)->grade, GRADE_LIKELY);
    ASSERT_RULES(only_event(analysis), "silence");
    analysis_destroy(analysis);
}

/* Resets that nothing proves, on one carrier alone: its server may refuse the carrier's addresses. */
static void test_unproven_alone(void **state)
{
    struct analysis *analysis;
    (void)state;
    cut(jazz, "tls.reset.sni", false);
    with_controls(jazz);
    works(ufone, "blackberry-bes", 0, DAYS(21));
    works(abroad, "blackberry-bes", 0, DAYS(21));
    analysis = world_analyse(&world);
    assert_int_equal(only_event(analysis)->class, EVENT_BLOCKED);
    assert_int_equal(only_event(analysis)->grade, GRADE_LIKELY);
    analysis_destroy(analysis);
}

/* The server's own words, on one carrier alone: no box between them need be. */
static void test_server_refuses_carrier(void **state)
{
    struct analysis *analysis;
    (void)state;
    works(jazz, "blackberry-bes", 0, DAYS(10));
    world_add(&world, &(struct world_stretch){jazz, "blackberry-bes", DAYS(10), DAYS(21), 1, NULL,
                                              ATTRIBUTION_ENDPOINT, false});
    with_controls(jazz);
    works(ufone, "blackberry-bes", 0, DAYS(21));
    works(abroad, "blackberry-bes", 0, DAYS(21));
    analysis = world_analyse(&world);
    assert_int_equal(analysis->event_count, 0);
    analysis_destroy(analysis);
}

/* Nothing else was seen: it says so, and cannot be sure. */
static void test_no_controls(void **state)
{
    struct analysis *analysis;
    (void)state;
    cut(jazz, "tls.reset.sni", true);
    analysis = world_analyse(&world);
    assert_int_equal(only_event(analysis)->grade, GRADE_LIKELY);
    ASSERT_RULES(only_event(analysis), "no-control-here", "no-control-country",
                 "no-control-abroad");
    analysis_destroy(analysis);
}

/* One after another, each by the same means: not one gateway. */
static void test_staged(void **state)
{
    struct analysis *analysis;
    (void)state;
    cut(jazz, "tls.reset.sni", false);
    works(ufone, "blackberry-bes", 0, DAYS(14));
    fails(ufone, "blackberry-bes", DAYS(14), DAYS(21), "tls.reset.sni", false);
    with_controls(jazz);
    with_controls(ufone);
    works(abroad, "blackberry-bes", 0, DAYS(21));
    analysis = world_analyse(&world);
    assert_int_equal(analysis->event_count, 2);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(analysis->events[i].class, EVENT_BLOCKED);
    ASSERT_RULES(&analysis->events[0], "second-carrier");
    analysis_destroy(analysis);
}

static void test_hours(void **state)
{
    struct analysis *analysis;
    (void)state;
    for (unsigned day = 0; day < 21; day++) {
        works(jazz, "blackberry-bes", DAYS(day), DAYS(day) + 4);
        if (day >= 7 && day % 7 < 5)
            fails(jazz, "blackberry-bes", DAYS(day) + 4, DAYS(day) + 8, "tls.reset.sni", true);
        else
            works(jazz, "blackberry-bes", DAYS(day) + 4, DAYS(day) + 8);
        works(jazz, "blackberry-bes", DAYS(day) + 8, DAYS(day) + 24);
    }
    with_controls(jazz);
    works(abroad, "blackberry-bes", 0, DAYS(21));
    analysis = world_analyse(&world);
    assert_true(only_event(analysis)->has_hours);
    for (unsigned h = 0; h < 24; h++) /* five hours ahead of UTC */
        assert_int_equal(only_event(analysis)->hours[h], h >= 9 && h < 13);
    ASSERT_RULES(only_event(analysis), "keeps-hours");
    analysis_destroy(analysis);
}

static void test_withdrawn(void **state)
{
    struct analysis *analysis;
    (void)state;
    cut(jazz, "tls.reset.sni", false);
    cut(ufone, "tls.reset.sni", false);
    cut(zong, "tls.reset.sni", false);
    with_controls(jazz);
    with_controls(ufone);
    with_controls(zong);
    works(abroad, "blackberry-bes", 0, DAYS(21));
    analysis = world_analyse(&world);
    assert_int_equal(analysis->event_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(analysis->events[i].class, EVENT_WITHDRAWN);
        assert_int_equal(analysis->events[i].grade, GRADE_CONFIRMED);
        ASSERT_RULES(&analysis->events[i], "own-words", "everywhere-at-once");
    }
    analysis_destroy(analysis);
}

/* The same minute on every carrier, and packets prove a third party: a gateway, not the provider. */
static void test_gateway_resets(void **state)
{
    struct analysis *analysis;
    (void)state;
    cut(jazz, "tls.reset.sni", true);
    cut(ufone, "tls.reset.sni", true);
    with_controls(jazz);
    with_controls(ufone);
    works(abroad, "blackberry-bes", 0, DAYS(21));
    analysis = world_analyse(&world);
    assert_int_equal(analysis->event_count, 2);
    assert_int_equal(analysis->events[0].class, EVENT_BLOCKED);
    analysis_destroy(analysis);
}

static void test_gateway_drops(void **state)
{
    struct analysis *analysis;
    (void)state;
    cut(jazz, "tcp.timeout", false);
    cut(ufone, "tcp.timeout", false);
    with_controls(jazz);
    with_controls(ufone);
    works(abroad, "blackberry-bes", 0, DAYS(21));
    analysis = world_analyse(&world);
    assert_int_equal(analysis->event_count, 2);
    assert_int_equal(analysis->events[0].class, EVENT_UNREACHABLE);
    analysis_destroy(analysis);
}

static void test_outage(void **state)
{
    struct analysis *analysis;
    (void)state;
    cut(jazz, "tcp.timeout", false);
    cut(abroad, "tcp.timeout", false);
    with_controls(jazz);
    with_controls(abroad);
    analysis = world_analyse(&world);
    assert_int_equal(analysis->event_count, 2);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(analysis->events[i].class, EVENT_OUTAGE);
    ASSERT_RULES(&analysis->events[0], "down-abroad");
    analysis_destroy(analysis);
}

static void test_shutdown(void **state)
{
    static const char *const services[] = {"blackberry-bes", "telegram", "wikipedia"};
    struct analysis *analysis;
    const struct event *event;
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        works(jazz, services[i], 0, DAYS(10));
        fails(jazz, services[i], DAYS(10), DAYS(11), "tcp.timeout", false);
        works(jazz, services[i], DAYS(11), DAYS(21));
        works(ufone, services[i], 0, DAYS(21));
    }
    analysis = world_analyse(&world);
    event = only_event(analysis);
    assert_int_equal(event->class, EVENT_SHUTDOWN);
    assert_int_equal(event->service, -1);
    assert_true(event->ended);
    ASSERT_RULES(event, "carrier-dark");
    assert_string_equal(cells_mechanism(world.cells, (uint16_t)event->mechanism), "tcp.timeout");
    assert_int_equal(event->mechanism_count, 1);
    assert_true(event->mechanisms[0].share > 0.99);
    assert_in_range(event->quality, 1, 5);
    analysis_destroy(analysis);
}

/* Nobody's question is answered: no service is cut, and the line is not dark either. */
static void test_dead_resolver(void **state)
{
    static const char *const services[] = {"blackberry-bes", "telegram", "wikipedia"};
    struct analysis *analysis;
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        works(jazz, services[i], 0, DAYS(10));
        fails(jazz, services[i], DAYS(10), DAYS(11), "dns.timeout", false);
        works(jazz, services[i], DAYS(11), DAYS(21));
        works(ufone, services[i], 0, DAYS(21));
    }
    analysis = world_analyse(&world);
    assert_int_equal(analysis->event_count, 0);
    analysis_destroy(analysis);
}

/* One voice never says more than its own line; without proof it says nothing. */
static void test_one_home(void **state)
{
    struct analysis *analysis;
    (void)state;
    cut(home, "tls.timeout", false);
    works(home, "wikipedia", 0, DAYS(21));
    works(abroad, "blackberry-bes", 0, DAYS(21));
    analysis = world_analyse(&world);
    assert_int_equal(analysis->event_count, 0);
    analysis_destroy(analysis);
}

static void test_one_home_proven(void **state)
{
    struct analysis *analysis;
    (void)state;
    cut(home, "tls.reset.sni", true);
    works(home, "wikipedia", 0, DAYS(21));
    works(abroad, "blackberry-bes", 0, DAYS(21));
    analysis = world_analyse(&world);
    assert_int_equal(only_event(analysis)->scope, SCOPE_LINE);
    ASSERT_RULES(only_event(analysis), "one-line");
    assert_int_equal(only_event(analysis)->grade, GRADE_LIKELY);
    analysis_destroy(analysis);
}

/* One probe fails where two others of its carrier do not: the probe is broken, or forged. */
static void test_one_probe_alone(void **state)
{
    struct world_line one = {"tap-1", "jazz", "PK", POSITION_CARRIER, 3, ORIGIN_FIELD};
    struct world_line two = {"tap-2", "jazz", "PK", POSITION_CARRIER, 8, ORIGIN_FIELD};
    struct analysis *analysis;
    (void)state;
    cut(one, "tls.reset.sni", true);
    works(two, "blackberry-bes", 0, DAYS(21));
    with_controls(two);
    works(abroad, "blackberry-bes", 0, DAYS(21));
    analysis = world_analyse(&world);
    assert_int_equal(analysis->event_count, 0);
    analysis_destroy(analysis);
}

static void test_first_sight(void **state)
{
    struct analysis *analysis;
    (void)state;
    fails(jazz, "blackberry-bes", 0, DAYS(21), "tls.reset.sni", true);
    with_controls(jazz);
    works(abroad, "blackberry-bes", 0, DAYS(21));
    analysis = world_analyse(&world);
    assert_int_equal(only_event(analysis)->class, EVENT_BLOCKED);
    assert_true(only_event(analysis)->onset.earliest_us == 0);
    ASSERT_RULES(only_event(analysis), "first-sight");
    analysis_destroy(analysis);
}

static void test_quiet(void **state)
{
    struct analysis *analysis;
    (void)state;
    works(jazz, "blackberry-bes", 0, DAYS(56));
    works(jazz, "wikipedia", 0, DAYS(56));
    works(abroad, "blackberry-bes", 0, DAYS(56));
    analysis = world_analyse(&world);
    assert_int_equal(analysis->event_count, 0);
    assert_int_equal(analysis->state_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(analysis->states[i].state, STATE_OK);
    analysis_destroy(analysis);
}

/* Too few attempts to see even a full block: said so, with what could have been seen. */
static void test_insufficient(void **state)
{
    struct world_line thin = {"tap-thin", "jazz", "PK", POSITION_CARRIER, 2, ORIGIN_FIELD};
    struct analysis *analysis;
    (void)state;
    works(thin, "blackberry-bes", 0, 1);
    analysis = world_analyse(&world);
    assert_int_equal(analysis->event_count, 0);
    assert_int_equal(analysis->states[0].state, STATE_INSUFFICIENT);
    assert_true(analysis->states[0].minimum_detectable_share > 1);
    analysis_destroy(analysis);
}

/* Six users that try daily and are then seen on other services only; one day a voice each. */
static void add_habit(uint16_t line, uint16_t service, uint64_t voice, unsigned day)
{
    struct cell_habit habit = {.voice = voice,
                               .day_us = world_hour(&world, DAYS(day)),
                               .line = line,
                               .service = service,
                               .attempts = 3,
                               .last_us = world_hour(&world, DAYS(day) + 20)};
    assert_int_equal(cells_add_habit(world.cells, &habit), DL_OK);
}

static void users_until(unsigned last_day, unsigned days, bool others_too)
{
    struct cell_line line = {.probe_id = "tap-jazz",
                             .carrier = "jazz",
                             .country = "PK",
                             .position = POSITION_CARRIER,
                             .clock = CLOCK_SYNCHRONISED,
                             .epoch = 1};
    uint16_t number, bes, bis;
    assert_int_equal(cells_name_line(world.cells, &line, &number), DL_OK);
    assert_int_equal(cells_name_service(world.cells, "blackberry-bes", &bes), DL_OK);
    assert_int_equal(cells_name_service(world.cells, "blackberry-bis", &bis), DL_OK);
    for (uint64_t voice = 1; voice <= 6; voice++) {
        for (unsigned day = 0; day < days; day++) {
            if (day <= last_day)
                add_habit(number, bes, voice, day);
            if (day <= last_day || others_too)
                add_habit(number, bis, voice, day);
        }
    }
}

static void test_vanished(void **state)
{
    struct analysis *analysis;
    (void)state;
    works(jazz, "blackberry-bis", 0, DAYS(21));
    users_until(10, 21, true);
    analysis = world_analyse(&world);
    assert_int_equal(only_event(analysis)->class, EVENT_VANISHED);
    assert_int_equal(only_event(analysis)->grade, GRADE_LIKELY);
    ASSERT_RULES(only_event(analysis), "habitual-gone");
    assert_true(only_event(analysis)->onset.earliest_us == world_hour(&world, DAYS(10) + 20));
    assert_false(only_event(analysis)->ended);
    analysis_destroy(analysis);
}

/* Gone from everything: a holiday, or a dead probe. */
static void test_holiday(void **state)
{
    struct analysis *analysis;
    (void)state;
    works(jazz, "blackberry-bis", 0, DAYS(21));
    users_until(10, 21, false);
    analysis = world_analyse(&world);
    assert_int_equal(analysis->event_count, 0);
    analysis_destroy(analysis);
}

static void watched(unsigned from_hour, unsigned to_hour)
{
    struct cell_line line = {.probe_id = "tap-jazz",
                             .carrier = "jazz",
                             .country = "PK",
                             .position = POSITION_CARRIER,
                             .clock = CLOCK_SYNCHRONISED,
                             .epoch = 1};
    struct cell_coverage coverage = {.from_us = world_hour(&world, from_hour),
                                     .to_us = world_hour(&world, to_hour),
                                     .link_up = true};
    assert_int_equal(cells_name_line(world.cells, &line, &coverage.line), DL_OK);
    assert_int_equal(cells_add_coverage(world.cells, &coverage), DL_OK);
}

/* Up, and nothing on it for a day where there was always something. */
static void test_volume_gone(void **state)
{
    struct analysis *analysis;
    (void)state;
    works(jazz, "blackberry-bis", 0, DAYS(14));
    works(jazz, "blackberry-bis", DAYS(15), DAYS(21));
    watched(0, DAYS(21));
    analysis = world_analyse(&world);
    assert_int_equal(only_event(analysis)->class, EVENT_SHUTDOWN);
    assert_true(only_event(analysis)->ended);
    ASSERT_RULES(only_event(analysis), "volume-gone");
    analysis_destroy(analysis);
}

/* The probe was off: nothing is known of that day. */
static void test_probe_off(void **state)
{
    struct analysis *analysis;
    (void)state;
    works(jazz, "blackberry-bis", 0, DAYS(14));
    works(jazz, "blackberry-bis", DAYS(15), DAYS(21));
    watched(0, DAYS(14));
    watched(DAYS(15), DAYS(21));
    analysis = world_analyse(&world);
    assert_int_equal(analysis->event_count, 0);
    analysis_destroy(analysis);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_blocked),         TEST(test_silence_alone),   TEST(test_withdrawn),
        TEST(test_gateway_resets),  TEST(test_gateway_drops),   TEST(test_outage),
        TEST(test_shutdown),        TEST(test_dead_resolver),   TEST(test_one_home),
        TEST(test_one_home_proven), TEST(test_one_probe_alone), TEST(test_first_sight),
        TEST(test_vanished),        TEST(test_holiday),         TEST(test_volume_gone),
        TEST(test_probe_off),       TEST(test_unproven_alone),  TEST(test_server_refuses_carrier),
        TEST(test_no_controls),     TEST(test_staged),          TEST(test_hours),
        TEST(test_quiet),           TEST(test_insufficient),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
