// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Time: one unit everywhere, int64_t microseconds since 1970-01-01 UTC (leap seconds not counted),
 * names end in _us.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLOCK_SECOND_US INT64_C(1000000)
#define CLOCK_HOUR_US   (INT64_C(3600) * CLOCK_SECOND_US)
#define CLOCK_TEXT_SIZE 40 /* fits every clock_format() result */

/* "2015-11-30T19:00:00.000000Z"; years outside 0-9999 are clamped. Returns `text`. */
char *clock_format(int64_t time_us, char text[CLOCK_TEXT_SIZE]);
/* RFC 3339 with or without fraction and offset, or a bare date (midnight UTC). DL_OK or
 * DL_MALFORMED. */
int clock_parse(const char *text, int64_t *ret_time_us);
/* The start of the hour that holds `time_us`, also before 1970. */
int64_t clock_hour(int64_t time_us);
int64_t clock_now_us(void);       /* wall clock */
int64_t clock_monotonic_us(void); /* for intervals */
/* "2h 05m", "3.4 s": for people. Returns `text`. */
char *clock_format_duration(int64_t duration_us, char text[CLOCK_TEXT_SIZE]);
