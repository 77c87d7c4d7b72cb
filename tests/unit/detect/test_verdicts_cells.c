// SPDX-License-Identifier: GPL-3.0-or-later
/* From verdicts to cells. */
#include "tests/unit/detect/small_store.h"

#define DAY (INT64_C(1448841600) * S)

static struct cells *make_cells(struct subject *subject)
{
    struct dl_error error = {0};

    make(subject, NULL);
    int status = verdicts_cells(subject->verdicts, subject->reader, &subject->cells, &error);
    if (status != DL_OK)
        fail_msg("%s", dl_error_text(&error, status));
    return subject->cells;
}

/* ---- names to numbers ---- */

static uint16_t line_of(const struct cells *cells, const char *probe_id)
{
    for (uint16_t i = 0; i < cells_line_count(cells); i++)
        if (strcmp(cells_line(cells, i)->probe_id, probe_id) == 0)
            return i;
    fail_msg("no line of %s", probe_id);
    return 0;
}

static uint16_t service_of(const struct cells *cells, const char *name)
{
    for (uint16_t i = 0; i < cells_service_count(cells); i++)
        if (strcmp(cells_service(cells, i), name) == 0)
            return i;
    fail_msg("no cells of %s", name);
    return 0;
}

static uint16_t carrier_of(const struct cells *cells, const char *probe_id)
{
    return cells_line_carrier(cells, line_of(cells, probe_id));
}

static void expect_cell(const struct cell *got, const struct cell *wanted)
{
    assert_int_equal(got->hour_us, wanted->hour_us);
    assert_int_equal(got->ip_version, wanted->ip_version);
    assert_int_equal(got->first_ms, wanted->first_ms);
    assert_int_equal(got->last_ms, wanted->last_ms);
    assert_int_equal(got->first_good_ms, wanted->first_good_ms);
    assert_int_equal(got->last_good_ms, wanted->last_good_ms);
    assert_int_equal(got->first_bad_ms, wanted->first_bad_ms);
    assert_int_equal(got->last_bad_ms, wanted->last_bad_ms);
    /* No hour of these has good attempts of both kinds. */
    assert_int_equal(got->first_slow_ms, wanted->throttled ? wanted->first_good_ms : CELL_NO_TIME);
    assert_int_equal(got->last_slow_ms, wanted->throttled ? wanted->last_good_ms : CELL_NO_TIME);
    assert_int_equal(got->first_quick_ms, wanted->throttled ? CELL_NO_TIME : wanted->first_good_ms);
    assert_int_equal(got->last_quick_ms, wanted->throttled ? CELL_NO_TIME : wanted->last_good_ms);
    assert_int_equal(got->attempts, wanted->attempts);
    assert_int_equal(got->failures, wanted->failures);
    assert_int_equal(got->undecided, wanted->undecided);
    assert_int_equal(got->proven, wanted->proven);
    assert_int_equal(got->throttled, wanted->throttled);
    assert_int_equal(got->voices, wanted->voices);
    assert_int_equal(got->bad_voices, wanted->bad_voices);
    assert_int_equal(got->good_voices, wanted->good_voices);
    assert_float_equal(got->votes, wanted->votes, 1e-6);
    assert_float_equal(got->bad, wanted->bad, 1e-6);
    assert_float_equal(got->slow, wanted->slow, 1e-6);
}

static void expect_series(const struct cells *cells, const char *probe_id, const char *service,
                          const struct cell *wanted, size_t wanted_count)
{
    uint16_t id = service_of(cells, service);
    size_t count;
    const struct cell *series = cells_series(cells, carrier_of(cells, probe_id), id, &count);

    assert_int_equal(count, wanted_count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(series[i].line, line_of(cells, probe_id));
        assert_int_equal(series[i].service, id);
        expect_cell(&series[i], &wanted[i]);
    }
}

/* One attempt, which worked. */
static struct cell good_cell(int64_t hour_us, uint32_t ms)
{
    return (struct cell){.hour_us = hour_us,
                         .ip_version = 4,
                         .first_ms = ms,
                         .last_ms = ms,
                         .first_good_ms = ms,
                         .last_good_ms = ms,
                         .first_bad_ms = CELL_NO_TIME,
                         .last_bad_ms = CELL_NO_TIME,
                         .attempts = 1,
                         .voices = 1,
                         .good_voices = 1,
                         .votes = 1};
}

/* Client 1 worked and failed, client 2 failed; which address the undecided one of client 3 speaks
 * for is not known. */
static void test_cells_of_a_tap(void **state)
{
    const struct cells *cells = make_cells(*state);
    const struct cell bes[] = {{.hour_us = START,
                                .first_ms = 300000,
                                .last_ms = 300000,
                                .first_good_ms = CELL_NO_TIME,
                                .last_good_ms = CELL_NO_TIME,
                                .first_bad_ms = CELL_NO_TIME,
                                .last_bad_ms = CELL_NO_TIME,
                                .undecided = 1},
                               {.hour_us = START,
                                .ip_version = 4,
                                .first_ms = 10000,
                                .last_ms = 200000,
                                .first_good_ms = 10000,
                                .last_good_ms = 10000,
                                .first_bad_ms = 100000,
                                .last_bad_ms = 200000,
                                .attempts = 3,
                                .failures = 2,
                                .voices = 2,
                                .bad_voices = 2,
                                .good_voices = 1,
                                .votes = 2,
                                .bad = 1.5f},
                               good_cell(START + HOUR * S, 50000)};
    const struct cell signal = good_cell(START, 20000);

    expect_series(cells, "tap", BES, bes, ARRAY_LENGTH(bes));
    expect_series(cells, "tap", "signal", &signal, 1);
}

static void test_cells_of_an_imported_line(void **state)
{
    const struct cells *cells = make_cells(*state);
    const struct cell signal[] = {{.hour_us = START,
                                   .ip_version = 4,
                                   .first_ms = 400000,
                                   .last_ms = 500000,
                                   .first_good_ms = 400000,
                                   .last_good_ms = 400000,
                                   .first_bad_ms = 500000,
                                   .last_bad_ms = 500000,
                                   .attempts = 2,
                                   .failures = 1,
                                   .proven = 1,
                                   .throttled = 1,
                                   .voices = 2,
                                   .bad_voices = 1,
                                   .good_voices = 1,
                                   .votes = 2,
                                   .bad = 1,
                                   .slow = 1},
                                  good_cell(START + HOUR * S, 400000)};

    expect_series(cells, "people", "signal", signal, ARRAY_LENGTH(signal));
    expect_series(cells, "people", BES, NULL, 0);
}

static void test_lines(void **state)
{
    const struct cells *cells = make_cells(*state);
    const struct cell_line *people = cells_line(cells, line_of(cells, "people"));

    assert_int_equal(cells_line_count(cells), 2);
    assert_int_equal(cells_service_count(cells), 2);
    assert_string_equal(people->carrier, "zong");
    assert_string_equal(people->country, "PK");
    assert_int_equal(people->asn, 64500);
    assert_int_equal(people->position, POSITION_CARRIER);
    assert_int_equal(people->origin, ORIGIN_IMPORTED);
}

static const struct cell_mechanism *mechanism_of(const struct cells *cells, const char *probe_id,
                                                 const char *service, const char *name)
{
    size_t count;
    const struct cell_mechanism *items =
        cells_mechanisms(cells, carrier_of(cells, probe_id), service_of(cells, service), &count);

    for (size_t i = 0; i < count; i++)
        if (strcmp(cells_mechanism(cells, items[i].mechanism), name) == 0)
            return &items[i];
    fail_msg("no %s", name);
    return NULL;
}

static void expect_mechanism(const struct cell_mechanism *item, enum attribution attribution,
                             uint32_t attempts, uint32_t input, uint64_t packet)
{
    assert_int_equal(item->hour_us, START);
    assert_int_equal(item->ip_version, 4);
    assert_int_equal(item->attribution, attribution);
    assert_int_equal(item->attempts, attempts);
    assert_int_equal(item->voices, attempts);
    assert_int_equal(item->flows, 1);
    assert_int_equal(item->flow_input, input);
    assert_int_equal(item->flow_packet, packet);
}

static void test_mechanisms(void **state)
{
    const struct cells *cells = make_cells(*state);
    size_t count;

    expect_mechanism(mechanism_of(cells, "tap", BES, "tcp.timeout"), ATTRIBUTION_UNKNOWN, 2, TAP,
                     4);
    expect_mechanism(mechanism_of(cells, "people", "signal", "http.blockpage"),
                     ATTRIBUTION_THIRD_PARTY, 1, IMPORTED, 2);
    expect_mechanism(mechanism_of(cells, "people", "signal", "tls.throttle.sni"), ATTRIBUTION_NONE,
                     1, IMPORTED, 1);
    /* The first try of an attempt that worked is no failure. */
    (void)cells_mechanisms(cells, carrier_of(cells, "tap"), service_of(cells, "signal"), &count);
    assert_int_equal(count, 0);
}

static void expect_habit(const struct cell_habit *habit, uint64_t voice, uint32_t attempts,
                         uint32_t failures, unsigned last_second)
{
    assert_int_equal(habit->voice, voice);
    assert_int_equal(habit->day_us, DAY);
    assert_int_equal(habit->attempts, attempts);
    assert_int_equal(habit->failures, failures);
    assert_int_equal(habit->last_us, START + last_second * S);
}

static void test_habits(void **state)
{
    const struct cells *cells = make_cells(*state);
    uint16_t tap = line_of(cells, "tap"), signal = service_of(cells, "signal");
    size_t count;
    const struct cell_habit *habits = cells_habits(cells, tap, service_of(cells, BES), &count);

    assert_int_equal(count, 3);
    expect_habit(&habits[0], 1, 2, 1, 100);
    expect_habit(&habits[1], 2, 2, 1, HOUR + 50);
    expect_habit(&habits[2], 3, 1, 0, 300);
    habits = cells_habits(cells, tap, signal, &count);
    assert_int_equal(count, 1);
    expect_habit(&habits[0], 3, 1, 0, 20);
    (void)cells_habits(cells, line_of(cells, "people"), signal, &count);
    assert_int_equal(count, 0);
}

/* Only of imported lines. */
static void test_crowds(void **state)
{
    const struct cells *cells = make_cells(*state);
    uint16_t signal = service_of(cells, "signal");

    assert_int_equal(cells_crowd(cells, line_of(cells, "people"), signal), 2);
    assert_int_equal(cells_crowd(cells, line_of(cells, "tap"), signal), 0);
}

static void test_paces(void **state)
{
    const struct cells *cells = make_cells(*state);
    size_t count;
    const struct cell_pace *paces =
        cells_paces(cells, carrier_of(cells, "tap"), service_of(cells, BES), &count);

    assert_int_equal(count, 2);
    assert_int_equal(paces[0].start_us, START + 10 * S);
    assert_int_equal(paces[0].handshake_us, 50 * MS);
    assert_int_equal(paces[0].voice, 1);
    assert_int_equal(paces[1].start_us, START + (HOUR + 50) * S);
    assert_int_equal(paces[1].voice, 2);
}

/* An input that does not say when it was watched was so from its first packet to its last; an
 * imported one is not watched at all. */
static void test_coverage(void **state)
{
    const struct cells *cells = make_cells(*state);
    size_t count;
    const struct cell_coverage *coverage = cells_coverage(cells, line_of(cells, "tap"), &count);

    assert_int_equal(count, 1);
    assert_int_equal(coverage[0].from_us, START);
    assert_int_equal(coverage[0].to_us, START + 2 * HOUR * S);
    assert_true(coverage[0].link_up);
    (void)cells_coverage(cells, line_of(cells, "people"), &count);
    assert_int_equal(count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_cells_of_a_tap), TEST(test_cells_of_an_imported_line),
        TEST(test_lines),          TEST(test_mechanisms),
        TEST(test_habits),         TEST(test_crowds),
        TEST(test_paces),          TEST(test_coverage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
