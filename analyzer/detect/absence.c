// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/detect/absence.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/detect/classify.h"
#include "base/array.h"

#define DAY_US INT64_C(86400000000)

/* One voice's longest time without the service. */
struct gap {
    int64_t from_us, to_us; /* last attempt before, first day again (0: never) */
    double rate, owed;      /* attempts per active day; in the gap */
    uint32_t again;         /* attempts after it */
};

/* The days of one voice on one line: with any service, with the one asked about. */
struct day {
    int64_t day_us, last_us;
    uint32_t attempts, others; /* of the service asked about; of all others */
};

static int compare_by_voice(const void *left, const void *right)
{
    const struct cell_habit *a = left, *b = right;
    if (a->voice != b->voice)
        return a->voice < b->voice ? -1 : 1;
    return (a->day_us > b->day_us) - (a->day_us < b->day_us);
}

/* All habits of a line, by voice and day; the caller frees. */
static int habits_of_line(const struct cells *cells, uint16_t line, struct cell_habit **ret_habits,
                          size_t *ret_count)
{
    struct cell_habit *habits;
    size_t total = 0, at = 0;

    for (size_t s = 0; s < cells_service_count(cells); s++) {
        size_t count;
        cells_habits(cells, line, (uint16_t)s, &count);
        total += count;
    }
    habits = malloc(MAX_OF(total, 1) * sizeof(*habits));
    if (!habits)
        return -ENOMEM;
    for (size_t s = 0; s < cells_service_count(cells); s++) {
        size_t count;
        const struct cell_habit *some = cells_habits(cells, line, (uint16_t)s, &count);
        for (size_t i = 0; i < count; i++)
            habits[at++] = some[i];
    }
    qsort(habits, total, sizeof(*habits), compare_by_voice);
    *ret_habits = habits;
    *ret_count = total;
    return DL_OK;
}

/* The days of the voice at habits[*at], which moves on to the next voice. */
static size_t days_of_voice(const struct cell_habit *habits, size_t count, size_t *at,
                            uint16_t service, struct day *ret_days)
{
    uint64_t voice = habits[*at].voice;
    size_t days = 0;

    for (; *at < count && habits[*at].voice == voice; (*at)++) {
        const struct cell_habit *habit = &habits[*at];
        if (days == 0 || ret_days[days - 1].day_us != habit->day_us)
            ret_days[days++] = (struct day){.day_us = habit->day_us};
        if (habit->service != service) {
            ret_days[days - 1].others += habit->attempts;
            continue;
        }
        ret_days[days - 1].attempts += habit->attempts;
        ret_days[days - 1].last_us = habit->last_us;
    }
    return days;
}

/* Owed is what the voice's own share of attempts before the gap gives for its others in it: who is
 * half as active owes half. */
static bool longest_gap(const struct day *days, size_t count, struct gap *ret_gap)
{
    struct gap gap = {0};
    uint64_t attempts = 0, others = 0, others_before = 0;
    size_t used = 0, first = count;

    for (size_t i = 0; i < count; i++) {
        if (first < count || days[i].attempts > 0)
            others_before += days[i].others;
        if (days[i].attempts == 0)
            continue;
        first = MIN_OF(first, i);
        used++;
        attempts += days[i].attempts;
        size_t next = i + 1;
        for (others = 0; next < count && days[next].attempts == 0; next++)
            others += days[next].others;
        double rate = (double)attempts / (double)(i - first + 1);
        double owed = (double)attempts / (double)MAX_OF(others_before, 1) * (double)others;
        if (used < ABSENCE_DAYS || next - i - 1 < ABSENCE_ACTIVE_DAYS || owed <= gap.owed)
            continue;
        gap = (struct gap){days[i].last_us, next < count ? days[next].day_us : 0, rate, owed, 0};
        for (; next < count; next++)
            gap.again += days[next].attempts;
    }
    *ret_gap = gap;
    return used >= ABSENCE_DAYS;
}

static int compare_gaps(const void *left, const void *right)
{
    const struct gap *a = left, *b = right;
    return (a->from_us > b->from_us) - (a->from_us < b->from_us);
}

/* Of the habitual voices' gaps, ordered: those that begin together, most of them owing something. */
static size_t find_leaving(const struct gap *gaps, size_t count, size_t *ret_first)
{
    size_t best = 0;

    for (size_t i = 0; i < count; i++) {
        size_t j = i;
        while (j < count && gaps[j].from_us - gaps[i].from_us <= ABSENCE_TOGETHER_US)
            j++;
        if (j - i <= best)
            continue;
        best = j - i;
        *ret_first = i;
    }
    return best;
}

static void describe_leaving(struct event *event, const struct gap *gaps, size_t count,
                             size_t habitual)
{
    double rate = 0, owed = 0;
    uint32_t again = 0, returned = 0;
    int64_t back_us = 0;

    for (size_t i = 0; i < count; i++) {
        rate += gaps[i].rate;
        owed += gaps[i].owed;
        again += gaps[i].again;
        returned += gaps[i].to_us != 0;
        if (gaps[i].to_us && (back_us == 0 || gaps[i].to_us < back_us))
            back_us = gaps[i].to_us;
    }
    event->class = EVENT_VANISHED;
    event->grade = GRADE_LIKELY;
    event->scope = SCOPE_CARRIER;
    event->onset.earliest_us = gaps[count - 1].from_us;
    event->onset.latest_us =
        event->onset.earliest_us + (int64_t)(ABSENCE_DUE / rate * (double)DAY_US);
    event->alarm_us =
        event->onset.earliest_us + (int64_t)(ABSENCE_EXPECTED / rate * (double)DAY_US);
    event->ended = again >= ABSENCE_RETURNED && returned >= 2;
    if (event->ended) {
        event->end.earliest_us = MIN_OF(event->onset.latest_us, back_us);
        event->end.latest_us = back_us + DAY_US;
    }
    event->log_odds = owed;
    event->clients = event->voices = (uint32_t)count;
    event->vantages = 1;
    event->interval = (struct stat_interval){0, 1};
    classify_add_rule(event, "habitual-gone");
    classify_explain(event,
                     "%zu of %zu habitual users stopped trying within three days and stayed active "
                     "on other services; %.0f attempts were to be expected of them since. No "
                     "packet failed: why they stopped cannot be told.",
                     count, habitual, owed);
}

static int vanished_of_service(struct work *work, uint16_t line, uint16_t service,
                               const struct cell_habit *habits, size_t count)
{
    struct gap *gaps = malloc(MAX_OF(count, 1) * sizeof(*gaps));
    struct day *days = malloc(MAX_OF(count, 1) * sizeof(*days));
    size_t found = 0, habitual = 0, first = 0, leaving;
    double owed = 0;
    int status = gaps && days ? DL_OK : -ENOMEM;

    for (size_t at = 0; status == DL_OK && at < count;) {
        size_t number = days_of_voice(habits, count, &at, service, days);
        struct gap gap;
        if (!longest_gap(days, number, &gap))
            continue;
        habitual++;
        if (gap.owed >= ABSENCE_OWED)
            gaps[found++] = gap;
    }
    if (status != DL_OK)
        goto out;
    qsort(gaps, found, sizeof(*gaps), compare_gaps);
    leaving = find_leaving(gaps, found, &first);
    for (size_t i = first; i < first + leaving; i++)
        owed += gaps[i].owed;
    if (leaving < ABSENCE_VOICES || owed < ABSENCE_EXPECTED ||
        (double)leaving < ABSENCE_SHARE * (double)habitual)
        goto out;
    struct event *event = analysis_event_new(work);
    if (event) {
        event->carrier = cells_line_carrier(work->cells, line);
        event->service = service;
        describe_leaving(event, &gaps[first], leaving, habitual);
    }
out:
    free(gaps);
    free(days);
    return status;
}

int absence_find_vanished(struct work *work)
{
    const struct cells *cells = work->cells;
    int status = DL_OK;

    for (size_t line = 0; status == DL_OK && line < cells_line_count(cells); line++) {
        struct cell_habit *habits;
        size_t count;
        if (cells_line(cells, (uint16_t)line)->origin == ORIGIN_IMPORTED)
            continue;
        status = habits_of_line(cells, (uint16_t)line, &habits, &count);
        if (status != DL_OK)
            break;
        for (size_t s = 0; status == DL_OK && s < cells_service_count(cells); s++) {
            size_t own;
            cells_habits(cells, (uint16_t)line, (uint16_t)s, &own);
            if (own >= (size_t)ABSENCE_VOICES * ABSENCE_DAYS)
                status = vanished_of_service(work, (uint16_t)line, (uint16_t)s, habits, count);
        }
        free(habits);
    }
    return status;
}

/* ---- a tap that is up and empty ---- */

#define HOURS_OF_WEEK 168
#define HOUR_US       INT64_C(3600000000)
#define WEEKS_LEAST   1

/* Attempts of a line by hour, all services together. */
static int hours_of_line(const struct cells *cells, uint16_t line, int64_t first_us, size_t hours,
                         uint32_t **ret_attempts)
{
    uint32_t *attempts = calloc(MAX_OF(hours, 1), sizeof(*attempts));

    if (!attempts)
        return -ENOMEM;
    for (size_t s = 0; s < cells_service_count(cells); s++) {
        size_t count;
        const struct cell *cell =
            cells_series(cells, cells_line_carrier(cells, line), (uint16_t)s, &count);
        for (size_t i = 0; i < count; i++)
            if (cell[i].line == line)
                attempts[(cell[i].hour_us - first_us) / HOUR_US] +=
                    cell[i].attempts + cell[i].undecided;
    }
    *ret_attempts = attempts;
    return DL_OK;
}

static bool is_up(const struct cell_coverage *coverage, size_t count, int64_t from_us,
                  int64_t to_us)
{
    for (size_t i = 0; i < count; i++)
        if (coverage[i].link_up && coverage[i].from_us <= from_us && coverage[i].to_us >= to_us)
            return true;
    return false;
}

/* What the same hours of earlier weeks had: the mean of those that were watched. */
static double expected_at(const uint32_t *attempts, size_t hour,
                          const struct cell_coverage *coverage, size_t count, int64_t first_us)
{
    double sum = 0;
    unsigned weeks = 0;

    for (size_t h = hour; h >= HOURS_OF_WEEK;) {
        h -= HOURS_OF_WEEK;
        int64_t at = first_us + (int64_t)h * HOUR_US;
        if (!is_up(coverage, count, at, at + HOUR_US))
            continue;
        sum += attempts[h];
        weeks++;
    }
    return weeks >= WEEKS_LEAST ? sum / weeks : 0;
}

static void describe_dark(struct work *work, uint16_t line, int64_t from_us, int64_t due_us,
                          int64_t to_us, double expected)
{
    struct event *event = analysis_event_new(work);

    if (!event)
        return;
    event->class = EVENT_SHUTDOWN;
    event->grade = GRADE_LIKELY;
    event->scope = SCOPE_CARRIER;
    event->service = -1;
    event->carrier = cells_line_carrier(work->cells, line);
    event->onset = (struct analysis_interval){from_us, due_us};
    event->alarm_us = due_us;
    event->ended = to_us != 0;
    event->end = (struct analysis_interval){due_us, to_us};
    event->log_odds = expected;
    event->vantages = 1;
    event->interval = (struct stat_interval){0, 1};
    classify_add_rule(event, "volume-gone");
    classify_explain(event,
                     "The line was up and nothing was tried on it where %.0f attempts were to be "
                     "expected. Whether by order or by fault cannot be told.",
                     expected);
}

static int dark_of_line(struct work *work, uint16_t line)
{
    const struct cells *cells = work->cells;
    int64_t first_us = cells_first_us(cells) / HOUR_US * HOUR_US;
    int64_t last_us = cells_last_us(cells);
    size_t covered, hours;
    const struct cell_coverage *coverage = cells_coverage(cells, line, &covered);
    uint32_t *attempts;
    double expected = 0;
    int64_t from_us = 0, due_us = 0;
    int status;

    for (size_t i = 0; i < covered; i++) /* it may have been watched when nothing came any more */
        last_us = MAX_OF(last_us, coverage[i].to_us);
    hours = (size_t)((last_us - first_us) / HOUR_US + 1);
    status = hours_of_line(cells, line, first_us, hours, &attempts);
    if (status != DL_OK)
        return status;
    for (size_t h = HOURS_OF_WEEK; h < hours; h++) {
        int64_t at = first_us + (int64_t)h * HOUR_US;
        bool silent = attempts[h] == 0 && is_up(coverage, covered, at, at + HOUR_US);
        if (silent) {
            from_us = from_us ? from_us : at;
            expected += expected_at(attempts, h, coverage, covered, first_us);
            if (due_us == 0 && expected >= ABSENCE_DUE)
                due_us = at + HOUR_US;
        }
        if (from_us && (!silent || h + 1 == hours)) {
            if (expected >= ABSENCE_EXPECTED)
                describe_dark(work, line, from_us, due_us, silent ? 0 : at, expected);
            expected = 0;
            from_us = due_us = 0;
        }
    }
    free(attempts);
    return DL_OK;
}

int absence_find_dark(struct work *work)
{
    int status = DL_OK;

    for (size_t line = 0; status == DL_OK && line < cells_line_count(work->cells); line++) {
        const struct cell_line *who = cells_line(work->cells, (uint16_t)line);
        if (who->origin != ORIGIN_IMPORTED && who->position == POSITION_CARRIER)
            status = dark_of_line(work, (uint16_t)line);
    }
    return status;
}
