// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/status.h"

#define DAY_S         INT64_C(86400)
#define DAYS_400Y     INT64_C(146097)
#define DAYS_TO_1970  INT64_C(719468)                           /* from 0000-03-01 */
#define TIME_FIRST_US (INT64_C(-62167219200) * CLOCK_SECOND_US) /* year 0 */
#define TIME_LAST_US  (INT64_C(253402300799) * CLOCK_SECOND_US + (CLOCK_SECOND_US - 1)) /* 9999 */

struct date {
    int year, month, day;
};

/* Days and dates are counted in years that begin in March, so that the leap day is the last of its
 * year. */
static int64_t date_to_days(struct date date)
{
    int64_t year = date.year - (date.month <= 2);
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t month = (date.month + 9) % 12;
    int64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_400Y + day_of_era - DAYS_TO_1970;
}

static struct date date_from_days(int64_t days)
{
    days += DAYS_TO_1970;
    int64_t era = (days >= 0 ? days : days - (DAYS_400Y - 1)) / DAYS_400Y;
    int64_t day_of_era = days - era * DAYS_400Y;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / (DAYS_400Y - 1)) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    struct date date = {
        .month = (int)(month < 10 ? month + 3 : month - 9),
        .day = (int)(day_of_year - (153 * month + 2) / 5 + 1),
    };
    date.year = (int)(year_of_era + era * 400 + (date.month <= 2));
    return date;
}

static int date_month_length(int year, int month)
{
    static const int lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return lengths[month - 1] + (month == 2 && leap);
}

static int64_t floor_divide(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

static void text_put_number(char *text, int count, int64_t number)
{
    for (; count > 0; count--, number /= 10) {
        text[count - 1] = (char)('0' + number % 10);
    }
}

char *clock_format(int64_t time_us, char text[CLOCK_TEXT_SIZE])
{
    static const char pattern[] = "0000-00-00T00:00:00.000000Z";
    int64_t clamped = MAX_OF(TIME_FIRST_US, MIN_OF(time_us, TIME_LAST_US));
    int64_t seconds = floor_divide(clamped, CLOCK_SECOND_US);
    int64_t days = floor_divide(seconds, DAY_S);
    int64_t of_day = seconds - days * DAY_S;
    struct date date = date_from_days(days);

    memcpy(text, pattern, sizeof(pattern));
    text_put_number(text, 4, date.year);
    text_put_number(text + 5, 2, date.month);
    text_put_number(text + 8, 2, date.day);
    text_put_number(text + 11, 2, of_day / 3600);
    text_put_number(text + 14, 2, of_day / 60 % 60);
    text_put_number(text + 17, 2, of_day % 60);
    text_put_number(text + 20, 6, clamped - seconds * CLOCK_SECOND_US);
    return text;
}

/* Reads exactly `count` digits; false where there are none, without moving. */
static bool text_take_number(const char **text, int count, int *ret_number)
{
    int number = 0;

    for (int i = 0; i < count; i++) {
        char c = (*text)[i];
        if (c < '0' || c > '9') {
            return false;
        }
        number = number * 10 + (c - '0');
    }
    *text += count;
    *ret_number = number;
    return true;
}

static bool text_take_char(const char **text, char c)
{
    bool there = **text == c;
    *text += there;
    return there;
}

static bool text_take_date(const char **text, struct date *ret_date)
{
    struct date date;

    if (!text_take_number(text, 4, &date.year) || !text_take_char(text, '-') ||
        !text_take_number(text, 2, &date.month) || !text_take_char(text, '-') ||
        !text_take_number(text, 2, &date.day)) {
        return false;
    }
    if (date.month < 1 || date.month > 12 || date.day < 1 ||
        date.day > date_month_length(date.year, date.month)) {
        return false;
    }
    *ret_date = date;
    return true;
}

/* "19:00:00" as seconds. */
static bool text_take_time(const char **text, int64_t *ret_seconds)
{
    int hour, minute, second;

    if (!text_take_number(text, 2, &hour) || !text_take_char(text, ':') ||
        !text_take_number(text, 2, &minute) || !text_take_char(text, ':') ||
        !text_take_number(text, 2, &second) || hour > 23 || minute > 59 || second > 59) {
        return false;
    }
    *ret_seconds = hour * 3600 + minute * 60 + second;
    return true;
}

/* ".25" as microseconds, cut off after the sixth digit; nothing is 0. */
static bool text_take_fraction(const char **text, int64_t *ret_us)
{
    int64_t fraction = 0, unit = CLOCK_SECOND_US / 10;
    int digit;

    if (text_take_char(text, '.')) {
        if (**text < '0' || **text > '9') {
            return false;
        }
        for (; text_take_number(text, 1, &digit); unit /= 10) {
            fraction += digit * unit;
        }
    }
    *ret_us = fraction;
    return true;
}

/* "Z", "+01:00" or nothing, as seconds east of UTC. */
static bool text_take_offset(const char **text, int64_t *ret_seconds)
{
    int hour, minute;
    int64_t sign = **text == '-' ? -1 : 1;

    if (**text == '\0' || text_take_char(text, 'Z') || text_take_char(text, 'z')) {
        *ret_seconds = 0;
        return true;
    }
    if ((!text_take_char(text, '+') && !text_take_char(text, '-')) ||
        !text_take_number(text, 2, &hour) || !text_take_char(text, ':') ||
        !text_take_number(text, 2, &minute) || hour > 23 || minute > 59) {
        return false;
    }
    *ret_seconds = sign * (hour * 3600 + minute * 60);
    return true;
}

int clock_parse(const char *text, int64_t *ret_time_us)
{
    struct date date;
    int64_t of_day = 0, fraction = 0, offset = 0;
    int status = DL_MALFORMED;

    if (!text_take_date(&text, &date)) {
        goto out;
    }
    if (*text != '\0') {
        if (!text_take_char(&text, 'T') && !text_take_char(&text, 't') &&
            !text_take_char(&text, ' ')) {
            goto out;
        }
        if (!text_take_time(&text, &of_day) || !text_take_fraction(&text, &fraction) ||
            !text_take_offset(&text, &offset) || *text != '\0') {
            goto out;
        }
    }
    *ret_time_us = (date_to_days(date) * DAY_S + of_day - offset) * CLOCK_SECOND_US + fraction;
    status = DL_OK;
out:
    return status;
}

int64_t clock_hour(int64_t time_us)
{
    int64_t hours = floor_divide(time_us, CLOCK_HOUR_US);
    /* The very first hour begins before what 64 bits can say. */
    return MAX_OF(hours, INT64_MIN / CLOCK_HOUR_US) * CLOCK_HOUR_US;
}

static int64_t clock_read_us(clockid_t id)
{
    struct timespec now = {0};
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * CLOCK_SECOND_US + now.tv_nsec / 1000;
}

int64_t clock_now_us(void)
{
    return clock_read_us(CLOCK_REALTIME);
}

int64_t clock_monotonic_us(void)
{
    return clock_read_us(CLOCK_MONOTONIC);
}

char *clock_format_duration(int64_t duration_us, char text[CLOCK_TEXT_SIZE])
{
    const char *sign = duration_us < 0 ? "-" : "";
    uint64_t us = duration_us < 0 ? -(uint64_t)duration_us : (uint64_t)duration_us;
    uint64_t seconds = us / CLOCK_SECOND_US;

    /* Cut off, never rounded up: there is no "60.0 s". */
    if (us < 1000) {
        snprintf(text, CLOCK_TEXT_SIZE, "%s%" PRIu64 " us", sign, us);
    } else if (seconds < 1) {
        snprintf(text, CLOCK_TEXT_SIZE, "%s%" PRIu64 " ms", sign, us / 1000);
    } else if (seconds < 60) {
        snprintf(text, CLOCK_TEXT_SIZE, "%s%" PRIu64 ".%" PRIu64 " s", sign, seconds,
                 us / 100000 % 10);
    } else if (seconds < 3600) {
        snprintf(text, CLOCK_TEXT_SIZE, "%s%" PRIu64 "m %02" PRIu64 "s", sign, seconds / 60,
                 seconds % 60);
    } else if (seconds < (uint64_t)DAY_S) {
        snprintf(text, CLOCK_TEXT_SIZE, "%s%" PRIu64 "h %02" PRIu64 "m", sign, seconds / 3600,
                 seconds / 60 % 60);
    } else {
        snprintf(text, CLOCK_TEXT_SIZE, "%s%" PRIu64 "d %02" PRIu64 "h", sign,
                 seconds / (uint64_t)DAY_S, seconds / 3600 % 24);
    }
    return text;
}
