// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/detect/order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/detect/states.h"
#include "base/array.h"

#define DEADLINES_MAX 32
#define DAY_US        INT64_C(86400000000)
#define HOUR_US       INT64_C(3600000000)

/* ---- when ---- */

struct order_span order_span_of(const struct catalog *catalog, const struct catalog_order *order)
{
    struct order_span span = {.order = order};
    const struct catalog_order_times *times = &span.times;
    int64_t last;

    catalog_order_times(catalog, order, &span.times);
    span.from_us =
        times->announced_us != CATALOG_NO_TIME ? times->announced_us : times->first_due_us;
    last = times->due_us != CATALOG_NO_TIME ? times->due_us : times->announced_us;
    if (span.from_us == CATALOG_NO_TIME || last == CATALOG_NO_TIME) {
        span.from_us = 0;
        span.until_us = -1;
        return span;
    }
    span.until_us = last + CAMPAIGN_AFTER_US;
    if (times->ended_us != CATALOG_NO_TIME)
        span.until_us = MIN_OF(span.until_us, times->ended_us - 1);
    return span;
}

bool order_span_holds(const struct order_span *span, int64_t onset_us)
{
    return onset_us >= span->from_us && onset_us <= span->until_us;
}

int64_t order_deadline_at(const struct catalog *catalog, const struct catalog_order *order,
                          int64_t time_us)
{
    struct catalog_deadline found[DEADLINES_MAX];
    size_t count =
        MIN_OF(catalog_order_deadlines(catalog, order, found, DEADLINES_MAX), DEADLINES_MAX);
    int64_t deadline = CATALOG_NO_TIME;

    for (size_t i = 0; i < count; i++)
        if (strcmp(found[i].date->kind, "due") == 0)
            deadline = MAX_OF(deadline, found[i].time_us);
    for (size_t i = 0; i < count; i++) {
        bool moved = strcmp(found[i].date->kind, "moved") == 0;
        if (moved &&
            (deadline == CATALOG_NO_TIME || time_us > deadline || found[i].time_us < deadline))
            deadline = found[i].time_us;
    }
    return deadline;
}

/* ---- whom and what ---- */

bool order_is_about(const struct catalog_order *order, const char *country, const char *service)
{
    return strcmp(order->country, country) == 0 && catalog_order_names(order, service) &&
           !catalog_order_exempts(order, service);
}

bool order_addresses(const struct catalog_order *order, const char *carrier, const char *country)
{
    const struct catalog_carrier who = {.id = carrier, .country = country};
    return catalog_order_addresses(order, &who) != CATALOG_NOT_ADDRESSED;
}

/* ---- what was done ---- */

/* When the pair's attempts were last seen to fail; 0 never. */
static int64_t last_failure(const struct cells *cells, const struct event *event)
{
    size_t count;
    const struct cell *cell = cells_series(cells, event->carrier, (uint16_t)event->service, &count);
    int64_t last_us = 0;

    for (size_t i = 0; i < count; i++)
        if (cell[i].last_bad_ms != CELL_NO_TIME)
            last_us = MAX_OF(last_us, cell[i].hour_us + (int64_t)cell[i].last_bad_ms * 1000);
        else if (cell[i].throttled > 0)
            last_us = MAX_OF(last_us, cell[i].hour_us);
    return last_us;
}

static bool complies(const struct order_span *span, const struct cells *cells,
                     const struct event *event)
{
    int64_t first_due = span->times.first_due_us;
    int64_t in_force_us = first_due != CATALOG_NO_TIME ? first_due : span->from_us;

    if ((event->class != EVENT_BLOCKED && event->class != EVENT_THROTTLED) || event->service < 0 ||
        event->scope == SCOPE_LINE || analysis_middle_us(&event->onset) > span->until_us ||
        !order_is_about(span->order, cells_carrier_country(cells, event->carrier),
                        cells_service(cells, (uint16_t)event->service)))
        return false;
    if (event->ended && event->end.latest_us < in_force_us)
        return false;
    /* What was there before must have been seen in the order's time: no end is no proof of that. */
    return event->onset.latest_us >= span->from_us || last_failure(cells, event) >= in_force_us;
}

static const struct event *find_compliance(const struct work *work, const struct order_span *span,
                                           uint16_t carrier)
{
    const struct event *first = NULL;

    for (size_t i = 0; i < work->analysis->event_count; i++) {
        const struct event *event = &work->analysis->events[i];
        if (event->carrier == carrier && complies(span, work->cells, event) &&
            (!first || analysis_middle_us(&event->onset) < analysis_middle_us(&first->onset)))
            first = event;
    }
    return first;
}

/* ---- what would have been seen ---- */

/* Something that the order may be behind, and packets do not say: then nobody can say it was not
 * carried out. An outage that passes is nothing of the kind. */
static bool may_be_carried_out(const struct work *work, uint16_t carrier, uint16_t service,
                               int64_t from_us, int64_t to_us)
{
    for (size_t i = 0; i < work->analysis->event_count; i++) {
        const struct event *event = &work->analysis->events[i];
        bool unclear = event->class == EVENT_VANISHED || event->class == EVENT_UNREACHABLE ||
                       event->class == EVENT_WITHDRAWN;
        if (unclear && event->carrier == carrier && event->service == service &&
            analysis_event_overlaps(event, from_us, to_us))
            return true;
    }
    return false;
}

/* Could the votes of [from, to) have shown the service failing, and did not? */
static bool shows_it_works(const struct work *work, const struct series *series, uint16_t carrier,
                           uint16_t service, int64_t from_us, int64_t to_us)
{
    double votes = 0, bad = 0, base = SEGMENT_PRIOR_BAD / SEGMENT_PRIOR_VOTES;

    for (size_t i = 0; i < series->count; i++) {
        const struct segment_vote *vote = &series->votes[i];
        if (vote->from_us < from_us || vote->to_us >= to_us)
            continue;
        votes += vote->votes;
        bad += vote->bad;
    }
    return series->voices >= 2 &&
           stat_detectable_share(votes, base, segment_threshold(series->attempts_a_week)) <=
               ORDER_DETECTABLE &&
           stat_wilson(bad, votes).low <= STATES_IMPAIRED &&
           !may_be_carried_out(work, carrier, service, from_us, to_us);
}

static int service_works(const struct work *work, const struct order_span *span, uint16_t carrier,
                         uint16_t service, bool *ret_works)
{
    const struct catalog_order_times *times = &span->times;
    bool over = times->ending_us != CATALOG_NO_TIME;
    int64_t until = over ? times->ending_us : INT64_MAX;
    int64_t due = times->due_us != CATALOG_NO_TIME ? times->due_us : span->from_us;
    struct series series;
    int status =
        series_build(work->cells, work->places, carrier, service, SERIES_FAILED, 0, &series);

    if (status != DL_OK)
        return status;
    *ret_works = due < until && shows_it_works(work, &series, carrier, service, due, until);
    if (!*ret_works && over && series.last_us >= until - DAY_US) {
        int64_t first = times->first_due_us != CATALOG_NO_TIME && times->first_due_us < until
                            ? times->first_due_us
                            : span->from_us;
        *ret_works = shows_it_works(work, &series, carrier, service, first, until);
    }
    series_finish(&series);
    return DL_OK;
}

static int judge_row(struct work *work, const struct catalog *catalog,
                     const struct order_span *span, uint16_t carrier, struct order_row *row)
{
    const struct event *event = find_compliance(work, span, carrier);
    bool works = false;
    int status = DL_OK;

    if (event) {
        int64_t middle = analysis_middle_us(&event->onset);
        int64_t deadline = order_deadline_at(catalog, span->order, middle);
        row->verdict = ORDER_COMPLIED;
        row->onset = event->onset;
        row->mechanism = event->mechanism;
        row->has_hours_from_deadline = event->onset.earliest_us != 0 && deadline != CATALOG_NO_TIME;
        if (row->has_hours_from_deadline)
            row->hours_from_deadline = (double)(middle - deadline) / (double)HOUR_US;
        return DL_OK;
    }
    for (size_t s = 0; status == DL_OK && !works && s < cells_service_count(work->cells); s++)
        if (order_is_about(span->order, cells_carrier_country(work->cells, carrier),
                           cells_service(work->cells, (uint16_t)s)))
            status = service_works(work, span, carrier, (uint16_t)s, &works);
    row->verdict = works ? ORDER_NOT_OBSERVED : ORDER_INSUFFICIENT;
    return status;
}

/* ---- rows ---- */

static struct order_row *row_new(struct work *work, size_t *capacity)
{
    struct analysis *analysis = work->analysis;

    if (analysis->order_count == *capacity) {
        size_t larger = MAX_OF(64, 2 * *capacity);
        struct order_row *grown = realloc(analysis->orders, larger * sizeof(*grown));
        if (!grown)
            return NULL;
        analysis->orders = grown;
        *capacity = larger;
    }
    struct order_row *row = &analysis->orders[analysis->order_count++];
    memset(row, 0, sizeof(*row));
    row->mechanism = -1;
    return row;
}

/* Did the order stand while the store watched? */
static bool concerns(const struct work *work, const struct order_span *span)
{
    int64_t ended = span->times.ended_us;

    return span->until_us >= span->from_us && cells_last_us(work->cells) >= span->from_us &&
           (ended == CATALOG_NO_TIME || cells_first_us(work->cells) < ended);
}

int order_rows(struct work *work, const struct catalog *catalog)
{
    size_t capacity = 0;
    int status = DL_OK;

    for (size_t o = 0; o < catalog_order_count(catalog); o++) {
        struct order_span span = order_span_of(catalog, catalog_order_at(catalog, o));
        if (!concerns(work, &span))
            continue;
        for (size_t c = 0; status == DL_OK && c < cells_carrier_count(work->cells); c++) {
            const char *carrier = cells_carrier(work->cells, (uint16_t)c);
            const char *country = cells_carrier_country(work->cells, (uint16_t)c);
            if (strcmp(country, span.order->country) != 0)
                continue;
            struct order_row *row = row_new(work, &capacity);
            if (!row)
                return -ENOMEM;
            row->order = span.order->id;
            row->carrier = carrier;
            row->verdict = ORDER_NOT_NAMED;
            if (order_addresses(span.order, carrier, country))
                status = judge_row(work, catalog, &span, (uint16_t)c, row);
        }
    }
    return status;
}
