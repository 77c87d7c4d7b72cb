// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The floor. A cell's clients are at least its voices; of several cells together at least those of
 * the busiest. Small cells alone could be hidden simply by not giving them out, were there no sums: who
 * knows a sum and all of its cells but one knows that one. So each stretch of time whose sum is told
 * (the whole of the pair, each event on it, what came before it, the rest, the last days, each day)
 * and that has a small cell has another one withheld that is not small, that of the fewest
 * attempts: what sums and cells then differ by is of as many clients as the floor wants. Where a
 * stretch has none to spare its small cells are in no sum at all.
 */
#include <errno.h>
#include <string.h>

#include "analyzer/detect/states.h"
#include "base/array.h"
#include "reports/findings/findings_internal.h"

struct marking {
    struct findings_inner *inner;
    struct series_cells *series;
    const struct event *event; /* of the stretches that an event makes */
    int64_t from_us, to_us;    /* of the others */
};

/* Is this hour in the stretch? */
typedef bool (*stretch_fn)(const struct marking *marking, int64_t hour_us);

static bool in_all(const struct marking *marking, int64_t hour_us)
{
    (void)marking;
    (void)hour_us;
    return true;
}

static bool in_times(const struct marking *marking, int64_t hour_us)
{
    return hour_us + FINDINGS_HOUR_US > marking->from_us && hour_us <= marking->to_us;
}

static bool in_event(const struct marking *marking, int64_t hour_us)
{
    return findings_event_covers(marking->inner, marking->event, hour_us);
}

static bool in_baseline(const struct marking *marking, int64_t hour_us)
{
    return marking->event->onset.earliest_us != 0 && hour_us <= marking->event->onset.earliest_us &&
           !in_event(marking, hour_us);
}

static bool in_rest(const struct marking *marking, int64_t hour_us)
{
    return !in_event(marking, hour_us) && !in_baseline(marking, hour_us);
}

static bool has_floor(const struct marking *marking, size_t cell)
{
    return marking->inner->line_has_floor[marking->series->cells[cell].line];
}

static void leave_out(struct marking *marking, stretch_fn is_in)
{
    struct series_cells *series = marking->series;

    for (size_t i = 0; i < series->count; i++)
        if (series->flags[i] == CELL_SMALL && is_in(marking, series->cells[i].hour_us))
            series->flags[i] |= CELL_LEFT_OUT;
}

/* Sees to it that nothing small can be found in the stretch by subtraction. False where nothing but
 * small cells is there. */
static bool hide_in(struct marking *marking, stretch_fn is_in)
{
    struct series_cells *series = marking->series;
    size_t best = series->count;
    bool small = false, hidden = false;

    for (size_t i = 0; i < series->count; i++) {
        if ((series->flags[i] & (CELL_LEFT_OUT | CELL_OUTSIDE)) || !has_floor(marking, i) ||
            !is_in(marking, series->cells[i].hour_us))
            continue;
        small |= (series->flags[i] & CELL_SMALL) != 0;
        hidden |= (series->flags[i] & CELL_PARTNER) != 0;
        if (series->flags[i] == 0 &&
            (best == series->count || series->cells[i].attempts < series->cells[best].attempts))
            best = i;
    }
    if (!small || hidden)
        return true;
    if (best == series->count)
        return false;
    series->flags[best] |= CELL_PARTNER;
    return true;
}

/* The same of each day in one go: charts and files tell days. A day of small cells only is no sum of
 * its own and stays. */
static void hide_in_days(struct marking *marking)
{
    struct series_cells *series = marking->series;

    for (size_t i = 0; i < series->count;) {
        int64_t day = series->cells[i].hour_us / FINDINGS_DAY_US;
        size_t best = SIZE_MAX;
        bool small = false, hidden = false;
        for (; i < series->count && series->cells[i].hour_us / FINDINGS_DAY_US == day; i++) {
            if ((series->flags[i] & CELL_OUTSIDE) || !has_floor(marking, i))
                continue;
            small |= (series->flags[i] & CELL_SMALL) != 0;
            hidden |= (series->flags[i] & CELL_PARTNER) != 0;
            if (series->flags[i] == 0 &&
                (best == SIZE_MAX || series->cells[i].attempts < series->cells[best].attempts))
                best = i;
        }
        if (small && !hidden && best != SIZE_MAX)
            series->flags[best] |= CELL_PARTNER;
    }
}

/* ---- events ---- */

static bool carrier_has_floor(const struct findings_inner *inner, uint16_t carrier)
{
    const struct cells *cells = inner->findings->cells;

    for (size_t i = 0; i < cells_line_count(cells); i++)
        if (cells_line_carrier(cells, (uint16_t)i) == carrier && inner->line_has_floor[i])
            return true;
    return false;
}

/* Clients that the event is known to be of, at least; UINT32_MAX where nobody's lines are in it. Who
 * has gone, and who is behind a whole carrier, the analysis counted. */
static uint32_t clients_of_event(const struct findings_inner *inner, const struct event *event)
{
    const struct series_cells *series;
    uint32_t clients = 0;
    bool people = false;

    if (event->service < 0 || event->class == EVENT_VANISHED)
        return carrier_has_floor(inner, event->carrier) ? MAX_OF(event->voices, event->clients)
                                                        : UINT32_MAX;
    series = findings_series(inner, event->carrier, (uint16_t)event->service);
    for (size_t i = 0; series && i < series->count; i++) {
        const struct cell *cell = &series->cells[i];
        if (!inner->line_has_floor[cell->line] ||
            !findings_event_covers(inner, event, cell->hour_us))
            continue;
        people = true;
        clients = MAX_OF(clients, cell->voices);
    }
    return people ? clients : UINT32_MAX;
}

static void mark_event(struct findings_inner *inner, size_t index)
{
    const struct event *event = &inner->findings->analysis->events[index];
    struct event_facts *facts = &inner->events[index];
    struct marking marking = {.inner = inner, .event = event};

    facts->index = FINDINGS_NONE;
    facts->wanted = findings_wants_event(inner, event);
    facts->withheld = clients_of_event(inner, event) < inner->findings->floor;
    if (facts->withheld || event->service < 0)
        return;
    marking.series = findings_series(inner, event->carrier, (uint16_t)event->service);
    if (!marking.series)
        return;
    hide_in(&marking, in_event);
    if (!hide_in(&marking, in_baseline)) {
        facts->no_baseline = true;
        leave_out(&marking, in_baseline);
    }
    if (!hide_in(&marking, in_rest))
        leave_out(&marking, in_rest);
}

/* ---- pairs ---- */

static void mark_small(const struct findings_inner *inner, struct series_cells *series)
{
    const struct findings_options *options = inner->findings->options;

    for (size_t i = 0; i < series->count; i++) {
        const struct cell *cell = &series->cells[i];
        bool outside = cell->hour_us + FINDINGS_HOUR_US <= options->since_us ||
                       (options->until_us && cell->hour_us >= options->until_us);
        if (outside)
            series->flags[i] = CELL_OUTSIDE;
        else if (inner->line_has_floor[cell->line] && cell->voices < inner->findings->floor)
            series->flags[i] = CELL_SMALL;
    }
}

static void finish_series(struct findings_inner *inner, struct series_cells *series)
{
    struct marking marking = {.inner = inner, .series = series};
    const struct analysis *analysis = inner->findings->analysis;
    uint64_t left = 0;

    if (!hide_in(&marking, in_all))
        leave_out(&marking, in_all);
    hide_in_days(&marking);
    if (series->count > 0) {
        marking.to_us = series->cells[series->count - 1].hour_us + FINDINGS_HOUR_US;
        marking.from_us = marking.to_us - STATES_WINDOW_US;
        for (size_t i = 0; i < analysis->event_count; i++) {
            const struct event *event = &analysis->events[i];
            if (event->ended && event->carrier == series->carrier &&
                (event->service < 0 || event->service == series->service))
                marking.from_us = MAX_OF(marking.from_us, event->end.latest_us);
        }
        series->now_withheld = !hide_in(&marking, in_times);
    }
    for (size_t i = 0; i < series->count; i++)
        if (findings_is_summed(series, i)) {
            left++;
            series->clients = MAX_OF(series->clients, series->cells[i].voices);
        }
    series->withheld = left == 0;
}

static int list_series(struct findings_inner *inner)
{
    const struct cells *cells = inner->findings->cells;
    size_t carriers = cells_carrier_count(cells), services = cells_service_count(cells), n = 0;

    for (int fill = 0; fill < 2; fill++) {
        if (fill) {
            inner->series = memory_array(&inner->memory, n, sizeof(*inner->series));
            if (!inner->series)
                return -ENOMEM;
            n = 0;
        }
        for (size_t c = 0; c < carriers; c++)
            for (size_t s = 0; s < services; s++) {
                struct series_cells series = {.carrier = (uint16_t)c, .service = (uint16_t)s};
                series.cells = cells_series(cells, (uint16_t)c, (uint16_t)s, &series.count);
                if (series.count > 0 && fill)
                    inner->series[n] = series;
                n += series.count > 0;
            }
    }
    inner->series_count = n;
    return DL_OK;
}

int findings_mark_cells(struct findings_inner *inner)
{
    const struct findings *findings = inner->findings;
    int status = list_series(inner);

    if (status != DL_OK)
        return status;
    for (size_t i = 0; i < inner->series_count; i++) {
        struct series_cells *series = &inner->series[i];
        series->flags = memory_array(&inner->memory, series->count, 1);
        if (!series->flags)
            return -ENOMEM;
        series->class = inner->places.service_class(
            inner->places.context, cells_service(findings->cells, series->service));
        series->wanted =
            findings_wants_series(inner, series->carrier, series->service, series->class);
        series->worst_event = series->findings = FINDINGS_NONE;
        mark_small(inner, series);
    }
    inner->events =
        memory_array(&inner->memory, findings->analysis->event_count, sizeof(*inner->events));
    if (!inner->events)
        return -ENOMEM;
    for (size_t i = 0; i < findings->analysis->event_count; i++)
        mark_event(inner, i);
    for (size_t i = 0; i < inner->series_count; i++)
        finish_series(inner, &inner->series[i]);
    return DL_OK;
}
