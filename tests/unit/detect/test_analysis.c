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

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_blocked),         TEST(test_silence_alone),   TEST(test_withdrawn),
        TEST(test_gateway_resets),  TEST(test_gateway_drops),   TEST(test_outage),
        TEST(test_shutdown),        TEST(test_dead_resolver),   TEST(test_one_home),
        TEST(test_one_home_proven), TEST(test_one_probe_alone), TEST(test_first_sight),
        TEST(test_quiet),           TEST(test_insufficient),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
