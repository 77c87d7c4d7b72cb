// SPDX-License-Identifier: GPL-3.0-or-later
/* The numbers of the pictures: bins over all the time, local hours of some days. Only of cells that are given out. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "reports/findings/findings_internal.h"

#define BIN_ATTEMPTS  10.0 /* that a bin of a timeline should hold */
#define BIN_HOURS_MAX 24   /* widest for the sake of that */
#define BINS_LEAST    10
#define DAYS_BEFORE   14 /* of a heat strip that cannot show all: before the worst event's onset */

/* ---- when the pair's carrier was watched ---- */

static bool covers(const struct cells *cells, uint16_t line, int64_t from_us, int64_t to_us)
{
    size_t count;
    const struct cell_coverage *coverage = cells_coverage(cells, line, &count);

    for (size_t i = 0; i < count && coverage[i].from_us < to_us; i++)
        if (coverage[i].link_up && coverage[i].to_us > from_us)
            return true;
    return false;
}

static bool is_watched(const struct findings_inner *inner, uint16_t carrier, int64_t from_us,
                       int64_t to_us)
{
    const struct cells *cells = inner->findings->cells;

    for (size_t i = 0; i < cells_line_count(cells); i++)
        if (cells_line_carrier(cells, (uint16_t)i) == carrier &&
            covers(cells, (uint16_t)i, from_us, to_us))
            return true;
    return false;
}

/* ---- bins ---- */

/* Attempts of a bin that has any, at that width. */
static double mean_attempts(const struct series_cells *series, int64_t width_us)
{
    uint64_t attempts = 0, bins = 0;
    int64_t last = INT64_MIN;

    for (size_t i = 0; i < series->count; i++) {
        int64_t bin = series->cells[i].hour_us / width_us;
        if (series->flags[i] & CELL_OUTSIDE || series->cells[i].attempts == 0)
            continue;
        attempts += series->cells[i].attempts;
        bins += bin != last;
        last = bin;
    }
    return bins ? (double)attempts / (double)bins : 0;
}

/* The narrowest that needs no more than FINDINGS_BINS_MAX and whose shares tell something: of three
 * attempts none says more than that it happened. Never so wide that no course is left to see. */
static int64_t bin_width(int64_t span_us, const struct series_cells *series)
{
    static const unsigned hours[] = {1, 2, 3, 4, 6, 8, 12, 24, 48, 72, 96, 168, 336, 672};
    int64_t width_us = 0;

    for (size_t i = 0; i < ARRAY_LENGTH(hours); i++) {
        int64_t wider_us = (int64_t)hours[i] * FINDINGS_HOUR_US;
        if (span_us > wider_us * (FINDINGS_BINS_MAX - 1))
            continue;
        if (width_us && (span_us < wider_us * BINS_LEAST || hours[i] > BIN_HOURS_MAX))
            break;
        width_us = wider_us;
        if (mean_attempts(series, width_us) >= BIN_ATTEMPTS)
            break;
    }
    if (width_us)
        return width_us;
    int64_t days = span_us / FINDINGS_DAY_US / (FINDINGS_BINS_MAX - 1) + 1;
    return days * FINDINGS_DAY_US;
}

/* The last step of that width, counted from a local midnight, before the time; whole hours of UTC. */
static int64_t step_before(int64_t time_us, int64_t width_us, int32_t offset_seconds)
{
    int64_t offset_us = (int64_t)offset_seconds * CLOCK_SECOND_US, local = time_us + offset_us;

    return findings_hour_down(local - ((local % width_us) + width_us) % width_us - offset_us);
}

static void fill_bin(const struct findings_inner *inner, const struct series_cells *series,
                     size_t *at, struct findings_bin *bin, int64_t width_us)
{
    uint64_t attempts = 0, failures = 0;
    bool any = false, given = false;

    for (; *at < series->count && series->cells[*at].hour_us < bin->from_us + width_us; (*at)++) {
        const struct cell *cell = &series->cells[*at];
        if (series->flags[*at] & CELL_OUTSIDE)
            continue;
        any = true;
        if (!findings_is_given(series, *at))
            continue;
        given = true;
        attempts += cell->attempts;
        failures += cell->failures;
        bin->slowed += cell->throttled;
        bin->clients = MAX_OF(bin->clients, cell->voices);
    }
    bin->share = findings_share_of(failures, attempts);
    bin->withheld = any && !given;
    bin->watched = any || is_watched(inner, series->carrier, bin->from_us, bin->from_us + width_us);
}

static int fill_bins(struct findings_inner *inner, const struct series_cells *series,
                     struct findings_chart *chart)
{
    const struct findings *findings = inner->findings;
    int64_t first_us = findings->first_us, last_us = findings->last_us;
    size_t at = 0;

    chart->bin_us = bin_width(last_us - first_us, series);
    first_us = step_before(first_us, chart->bin_us, chart->utc_offset_seconds);
    chart->bin_count = (size_t)((last_us - first_us + chart->bin_us - 1) / chart->bin_us);
    chart->bin_count = MIN_OF(chart->bin_count, (size_t)FINDINGS_BINS_MAX);
    struct findings_bin *bins = memory_array(&inner->memory, chart->bin_count, sizeof(*bins));
    if (!bins)
        return -ENOMEM;
    while (at < series->count && series->cells[at].hour_us < first_us)
        at++;
    for (size_t i = 0; i < chart->bin_count; i++) {
        bins[i].from_us = first_us + (int64_t)i * chart->bin_us;
        fill_bin(inner, series, &at, &bins[i], chart->bin_us);
    }
    chart->bins = bins;
    return DL_OK;
}

/* ---- local days ---- */

static int32_t offset_at(const struct findings_inner *inner, const char *country, int64_t time_us)
{
    const struct catalog_country *found =
        catalog_country(inner->findings->options->catalog, country);

    return found ? catalog_country_offset(found, time_us) : 0;
}

static int64_t local_day(const struct findings_inner *inner, const char *country, int64_t time_us)
{
    int64_t local = time_us + (int64_t)offset_at(inner, country, time_us) * CLOCK_SECOND_US;

    return (local - ((local % FINDINGS_DAY_US) + FINDINGS_DAY_US) % FINDINGS_DAY_US) /
           FINDINGS_DAY_US;
}

static int64_t midnight_of(const struct findings_inner *inner, const char *country, int64_t day)
{
    int64_t local = day * FINDINGS_DAY_US;
    int64_t guess = local - (int64_t)offset_at(inner, country, local) * CLOCK_SECOND_US;

    return local - (int64_t)offset_at(inner, country, guess) * CLOCK_SECOND_US;
}

/* All there are; of more, those from shortly before the worst event began. */
static void choose_days(const struct findings_inner *inner, const struct findings_pair *pair,
                        int64_t *ret_first, int64_t *ret_last)
{
    const struct findings *findings = inner->findings;
    int64_t first = local_day(inner, pair->country, findings->first_us);
    int64_t last = local_day(inner, pair->country, findings->last_us - 1);

    if (last - first >= (int64_t)FINDINGS_DAYS_MAX) {
        int64_t onset_us = findings->events[pair->worst_event].onset.latest_us;
        first = MAX_OF(first, local_day(inner, pair->country, onset_us) - DAYS_BEFORE);
        first = MIN_OF(first, last - (int64_t)FINDINGS_DAYS_MAX + 1);
        last = first + (int64_t)FINDINGS_DAYS_MAX - 1;
    }
    *ret_first = first;
    *ret_last = last;
}

static void add_cell(struct findings_hour_of_day *hour, const struct series_cells *series, size_t i)
{
    bool given = findings_is_given(series, i);

    hour->watched = true;
    if (given) {
        hour->attempts += series->cells[i].attempts;
        hour->failures += series->cells[i].failures;
        hour->withheld = false;
    } else if (hour->attempts == 0) {
        hour->withheld = true;
    }
}

static int fill_days(struct findings_inner *inner, const struct series_cells *series,
                     const struct findings_pair *pair, struct findings_chart *chart)
{
    int64_t first, last;

    choose_days(inner, pair, &first, &last);
    chart->day_count = (size_t)MAX_OF(last - first + 1, 0);
    struct findings_day *days = memory_array(&inner->memory, chart->day_count, sizeof(*days));
    if (!days)
        return -ENOMEM;
    for (size_t d = 0; d < chart->day_count; d++) {
        days[d].midnight_us = midnight_of(inner, pair->country, first + (int64_t)d);
        for (size_t h = 0; h < ARRAY_LENGTH(days[d].hours); h++) {
            int64_t from_us = days[d].midnight_us + (int64_t)h * FINDINGS_HOUR_US;
            days[d].hours[h].watched =
                is_watched(inner, series->carrier, from_us, from_us + FINDINGS_HOUR_US);
        }
    }
    for (size_t i = 0; i < series->count; i++) {
        int64_t hour_us = series->cells[i].hour_us;
        int64_t day = local_day(inner, pair->country, hour_us);
        if (day < first || day > last || (series->flags[i] & CELL_OUTSIDE))
            continue;
        int64_t local_us =
            hour_us + (int64_t)offset_at(inner, pair->country, hour_us) * CLOCK_SECOND_US;
        add_cell(&days[day - first].hours[local_us / FINDINGS_HOUR_US % 24], series, i);
    }
    chart->days = days;
    return DL_OK;
}

/* ---- which pairs ---- */

static int list_events(struct findings_inner *inner, const struct findings_pair *pair,
                       struct findings_chart *chart)
{
    const struct findings *findings = inner->findings;
    size_t *events = memory_array(&inner->memory, findings->event_count, sizeof(*events));

    if (!events)
        return -ENOMEM;
    for (size_t i = 0; i < findings->event_count; i++) {
        const struct event *event = findings->events[i].event;
        if (event->carrier == pair->carrier_index &&
            (event->service < 0 || event->service == pair->service_index))
            events[chart->event_count++] = i;
    }
    chart->events = events;
    return DL_OK;
}

/* One that knows only of an event on all services has a picture only where the carrier has none yet. */
static bool is_charted(const struct findings *findings, size_t index)
{
    const struct findings_pair *pair = &findings->pairs[index];

    if (pair->worst_event == FINDINGS_NONE || pair->class == CLASS_CONTROL)
        return false;
    if (findings->events[pair->worst_event].service)
        return true;
    for (size_t i = 0; i < index; i++)
        if (findings->pairs[i].carrier_index == pair->carrier_index &&
            findings->pairs[i].chart != FINDINGS_NONE)
            return false;
    return true;
}

int findings_find_charts(struct findings_inner *inner)
{
    struct findings *findings = inner->findings;
    int status = DL_OK;

    findings->charts = memory_array(&inner->memory, FINDINGS_CHARTS_MAX, sizeof(*findings->charts));
    if (!findings->charts)
        return -ENOMEM;
    for (size_t i = 0; status == DL_OK && i < findings->pair_count; i++) {
        struct findings_pair *pair = &findings->pairs[i];
        struct findings_chart *chart = &findings->charts[findings->chart_count];
        if (findings->chart_count == FINDINGS_CHARTS_MAX || findings->last_us == 0)
            break;
        if (!is_charted(findings, i))
            continue;
        const struct series_cells *series =
            findings_series(inner, pair->carrier_index, pair->service_index);
        int64_t middle_us = findings->first_us + (findings->last_us - findings->first_us) / 2;
        chart->pair = i;
        chart->utc_offset_seconds = offset_at(inner, pair->country, middle_us);
        pair->chart = findings->chart_count++;
        status = fill_bins(inner, series, chart);
        if (status == DL_OK)
            status = fill_days(inner, series, pair, chart);
        if (status == DL_OK)
            status = list_events(inner, pair, chart);
    }
    return status;
}
