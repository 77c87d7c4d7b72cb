// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer/detect/segment.h"

#define HOUR INT64_C(3600000000)
#define MOST 3000

static struct segment_vote votes[MOST];
static size_t count;
static struct segment segments[SEGMENTS_MAX];
static size_t found;
static double base;

/* A plain generator: the tests must give the same everywhere. */
static uint32_t dice;
static double roll(void)
{
    dice = dice * 1664525u + 1013904223u;
    return (dice >> 8) / 16777216.0;
}

static void vote(size_t hour, bool good)
{
    int64_t at = (int64_t)(hour + 1) * HOUR;
    votes[count++] = (struct segment_vote){
        .from_us = at,
        .to_us = at,
        .first_good_us = good ? at : 0,
        .last_good_us = good ? at : 0,
        .first_bad_us = good ? 0 : at,
        .last_bad_us = good ? 0 : at,
        .votes = 1,
        .bad = !good,
        .good_voices = good,
        .bad_voices = !good,
        .local_hour = (uint8_t)(hour % 24 + (hour / 24 % 7 >= 5 ? 24 : 0)),
    };
}

static void fill(size_t from, size_t to, double share)
{
    for (size_t h = from; h < to; h++)
        vote(h, roll() >= share);
}

static void find(const bool *hint)
{
    assert_int_equal(
        segment_find(votes, count, segment_threshold(168), true, hint, segments, &found, &base),
        DL_OK);
}

static int start(void **state)
{
    (void)state;
    count = 0;
    dice = 7;
    return 0;
}

static int64_t at(size_t hour)
{
    return (int64_t)(hour + 1) * HOUR;
}

static void test_quiet(void **state)
{
    (void)state;
    fill(0, 2000, 0.05);
    find(NULL);
    assert_int_equal(found, 0);
    assert_true(base > 0.03 && base < 0.07);
}

/* What always fails a little is how it is. */
static void test_chronic(void **state)
{
    (void)state;
    fill(0, 2000, 0.25);
    find(NULL);
    assert_int_equal(found, 0);
    assert_true(base > 0.2 && base < 0.3);
}

static void test_block(void **state)
{
    (void)state;
    fill(0, 500, 0.02);
    fill(500, 700, 1);
    fill(700, 900, 0.02);
    find(NULL);
    assert_int_equal(found, 1);
    assert_false(segments[0].at_first_sight);
    assert_true(segments[0].ended && !segments[0].has_hours);
    assert_true(segments[0].onset_earliest_us <= at(500) && at(500) <= segments[0].onset_latest_us);
    assert_true(segments[0].onset_latest_us - segments[0].onset_earliest_us <= 3 * HOUR);
    assert_true(segments[0].end_earliest_us <= at(700) && at(699) <= segments[0].end_latest_us);
    assert_true(segments[0].alarm_us <= at(506));
    assert_true(segments[0].share > 0.98);
}

static void test_partial(void **state)
{
    (void)state;
    fill(0, 500, 0.02);
    fill(500, 900, 0.3);
    find(NULL);
    assert_int_equal(found, 1);
    assert_false(segments[0].ended);
    assert_true(segments[0].onset_earliest_us <= at(500) && at(500) <= segments[0].onset_latest_us);
    assert_true(segments[0].share > 0.2 && segments[0].share < 0.4);
}

static void test_first_sight(void **state)
{
    (void)state;
    fill(0, 200, 1);
    find(NULL);
    assert_int_equal(found, 1);
    assert_true(segments[0].at_first_sight && segments[0].onset_earliest_us == 0);
    assert_false(segments[0].ended);
}

/* Four good ones do not end it: a repair would have shown more. Silence ends nothing. */
static void test_end_needs_successes(void **state)
{
    (void)state;
    fill(0, 300, 0);
    fill(300, 400, 1);
    fill(400, 404, 0);
    find(NULL);
    assert_int_equal(found, 1);
    assert_false(segments[0].ended);
    fill(404, 406, 0);
    find(NULL);
    assert_true(segments[0].ended);
}

/* Two blocked spells of one day, one good vote between: one stretch. */
static void test_no_flapping(void **state)
{
    (void)state;
    fill(0, 300, 0);
    fill(300, 320, 1);
    fill(320, 323, 0);
    fill(323, 340, 1);
    fill(340, 400, 0);
    find(NULL);
    assert_int_equal(found, 1);
}

static void test_hours(void **state)
{
    (void)state;
    for (size_t h = 0; h < 28 * 24; h++) {
        bool exam = h >= 7 * 24 && h < 21 * 24 && h / 24 % 7 < 5 &&
                    ((h % 24 >= 8 && h % 24 < 11) || (h % 24 >= 13 && h % 24 < 16));
        vote(h, !exam);
    }
    find(NULL);
    assert_int_equal(found, 1);
    assert_true(segments[0].has_hours && segments[0].ended);
    for (unsigned h = 0; h < SEGMENT_HOURS; h++)
        assert_int_equal(segments[0].hours[h], (h >= 8 && h < 11) || (h >= 13 && h < 16));
    assert_true(segments[0].share > 0.95);
}

/* Too thin to name its hours alone; another carrier's fit. */
static void test_hint(void **state)
{
    bool hint[SEGMENT_HOURS] = {0};
    (void)state;
    for (unsigned h = 8; h < 16; h++)
        hint[h] = true;
    for (size_t h = 0; h < 21 * 24; h += 5) {
        bool exam = h >= 7 * 24 && h / 24 % 7 < 5 && h % 24 >= 8 && h % 24 < 16;
        vote(h, !exam);
    }
    find(hint);
    assert_int_equal(found, 1);
    assert_true(segments[0].has_hours);
}

static void test_empty(void **state)
{
    (void)state;
    find(NULL);
    assert_int_equal(found, 0);
    vote(0, false);
    find(NULL);
    assert_int_equal(found, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_quiet, start),
        cmocka_unit_test_setup(test_chronic, start),
        cmocka_unit_test_setup(test_block, start),
        cmocka_unit_test_setup(test_partial, start),
        cmocka_unit_test_setup(test_first_sight, start),
        cmocka_unit_test_setup(test_end_needs_successes, start),
        cmocka_unit_test_setup(test_no_flapping, start),
        cmocka_unit_test_setup(test_hours, start),
        cmocka_unit_test_setup(test_hint, start),
        cmocka_unit_test_setup(test_empty, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
