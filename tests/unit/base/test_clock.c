// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/array.h"
#include "base/clock.h"
#include "base/status.h"

static void check_format(int64_t time_us, const char *expected)
{
    char text[CLOCK_TEXT_SIZE];
    assert_string_equal(clock_format(time_us, text), expected);
}

static void test_format(void **state)
{
    (void)state;
    check_format(0, "1970-01-01T00:00:00.000000Z");
    check_format(-1, "1969-12-31T23:59:59.999999Z");
    check_format(INT64_C(1448910000000000), "2015-11-30T19:00:00.000000Z");
    check_format(INT64_C(951782400000001), "2000-02-29T00:00:00.000001Z");
    check_format(INT64_C(-62167219200000000), "0000-01-01T00:00:00.000000Z");
    check_format(INT64_C(-62167219200000001), "0000-01-01T00:00:00.000000Z");
    check_format(INT64_C(253402300799999999), "9999-12-31T23:59:59.999999Z");
    check_format(INT64_MIN, "0000-01-01T00:00:00.000000Z");
    check_format(INT64_MAX, "9999-12-31T23:59:59.999999Z");
}

static void check_parse(const char *text, int64_t expected)
{
    int64_t time_us = -77;
    assert_int_equal(clock_parse(text, &time_us), DL_OK);
    assert_true(time_us == expected);
}

static void test_parse(void **state)
{
    int64_t t = INT64_C(1448910000) * CLOCK_SECOND_US;
    (void)state;
    check_parse("2015-11-30T19:00:00Z", t);
    check_parse("2015-11-30t19:00:00z", t);
    check_parse("2015-11-30 19:00:00Z", t);
    check_parse("2015-11-30T19:00:00", t);
    check_parse("2015-11-30T20:30:00+01:30", t);
    check_parse("2015-11-30T14:00:00-05:00", t);
    check_parse("2015-11-30T19:00:00-00:00", t);
    check_parse("2015-12-01T08:00:00.25+13:00", t + 250000);
    check_parse("2015-11-30T19:00:00.1", t + 100000);
    check_parse("2015-11-30T19:00:00.123456Z", t + 123456);
    check_parse("2015-11-30T19:00:00.1234569999999999999999999999999999Z", t + 123456);
    check_parse("2015-11-30", t - 19 * CLOCK_HOUR_US);
    check_parse("1969-12-31T23:59:59.999999Z", -1);
    check_parse("2000-02-29", INT64_C(951782400000000));
    check_parse("0000-01-01", INT64_C(-62167219200000000));
    check_parse("9999-12-31T23:59:59.999999Z", INT64_C(253402300799999999));
}

static void test_parse_rejects(void **state)
{
    static const char *const bad[] = {"",
                                      "2015",
                                      "2015-11",
                                      "2015-11-3",
                                      "2015-1-30",
                                      "15-11-30",
                                      "2015-00-01",
                                      "2015-13-01",
                                      "2015-11-00",
                                      "2015-11-31",
                                      "2015-02-29",
                                      "1900-02-29",
                                      "2016-02-30",
                                      "2015-11-30T",
                                      "2015-11-30T19",
                                      "2015-11-30T19:00",
                                      "2015-11-30T19:00Z",
                                      "2015-11-30T24:00:00Z",
                                      "2015-11-30T19:60:00Z",
                                      "2015-11-30T19:00:60Z",
                                      "2015-11-30T19:00:00.",
                                      "2015-11-30T19:00:00.Z",
                                      "2015-11-30T19:00:00,5Z",
                                      "2015-11-30T19:00:00Z ",
                                      "2015-11-30T19:00:00ZZ",
                                      " 2015-11-30",
                                      "2015-11-30 ",
                                      "2015-11-30Z",
                                      "2015-11-30T19:00:00+1:00",
                                      "2015-11-30T19:00:00+0100",
                                      "2015-11-30T19:00:00+24:00",
                                      "2015-11-30T19:00:00+01:60",
                                      "2015-11-30T19:00:00+",
                                      "+015-11-30",
                                      "-015-11-30",
                                      "2015/11/30",
                                      "20151130",
                                      "2015-11-30X19:00:00Z",
                                      "2015-11-30  19:00:00",
                                      "2015-11-30T 9:00:00Z",
                                      "2015-11-30T-1:00:00Z"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        int64_t time_us = -77;
        assert_int_equal(clock_parse(bad[i], &time_us), DL_MALFORMED);
        assert_true(time_us == -77);
    }
}

/* Against the C library's calendar, a day in every step over ten thousand years. */
static void test_calendar(void **state)
{
    (void)state;
    if (sizeof(time_t) < sizeof(int64_t))
        skip(); /* that calendar ends in 2038 */
    for (int64_t day = -719528; day <= 2932896; day += 13) {
        time_t seconds = (time_t)(day * 86400 + 86399);
        struct tm tm;
        char text[CLOCK_TEXT_SIZE], expected[80];
        int64_t back = 0;
        assert_non_null(gmtime_r(&seconds, &tm));
        snprintf(expected, sizeof(expected), "%04d-%02d-%02dT23:59:59.000007Z", tm.tm_year + 1900,
                 tm.tm_mon + 1, tm.tm_mday);
        clock_format(seconds * CLOCK_SECOND_US + 7, text);
        assert_string_equal(text, expected);
        assert_int_equal(clock_parse(text, &back), DL_OK);
        assert_true(back == seconds * CLOCK_SECOND_US + 7);
    }
}

static void test_hour(void **state)
{
    (void)state;
    assert_true(clock_hour(0) == 0);
    assert_true(clock_hour(CLOCK_HOUR_US - 1) == 0);
    assert_true(clock_hour(CLOCK_HOUR_US) == CLOCK_HOUR_US);
    assert_true(clock_hour(-1) == -CLOCK_HOUR_US);
    assert_true(clock_hour(-CLOCK_HOUR_US) == -CLOCK_HOUR_US);
    assert_true(clock_hour(-CLOCK_HOUR_US - 1) == -2 * CLOCK_HOUR_US);
    assert_true(clock_hour(INT64_MAX) % CLOCK_HOUR_US == 0);
    assert_true(clock_hour(INT64_MIN) % CLOCK_HOUR_US == 0);
}

static void test_now(void **state)
{
    int64_t before = clock_monotonic_us();
    (void)state;
    assert_true(clock_monotonic_us() >= before);
    assert_true(clock_now_us() / CLOCK_SECOND_US - (int64_t)time(NULL) <= 1);
    assert_true(clock_now_us() > INT64_C(1448910000000000));
}

static void test_duration(void **state)
{
    static const struct {
        int64_t us;
        const char *text;
    } cases[] = {{0, "0 us"},
                 {999, "999 us"},
                 {1000, "1 ms"},
                 {999999, "999 ms"},
                 {1000000, "1.0 s"},
                 {3456789, "3.4 s"},
                 {59999999, "59.9 s"},
                 {60000000, "1m 00s"},
                 {307 * CLOCK_SECOND_US, "5m 07s"},
                 {7500 * CLOCK_SECOND_US, "2h 05m"},
                 {24 * CLOCK_HOUR_US, "1d 00h"},
                 {-3400000, "-3.4 s"},
                 {INT64_MIN, "-106751991d 04h"},
                 {INT64_MAX, "106751991d 04h"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char text[CLOCK_TEXT_SIZE];
        assert_string_equal(clock_format_duration(cases[i].us, text), cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_rejects), cmocka_unit_test(test_calendar),
        cmocka_unit_test(test_hour),          cmocka_unit_test(test_now),
        cmocka_unit_test(test_duration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
