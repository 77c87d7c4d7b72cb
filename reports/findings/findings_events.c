// SPDX-License-Identifier: GPL-3.0-or-later
/* Events as they may be told: in hours, with how their failures split and flows to look at. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "reports/findings/findings_internal.h"

struct context_window findings_window(const struct findings *findings, const struct event *event)
{
    return (struct context_window){
        .kind = event->class == EVENT_THROTTLED ? SERIES_SLOWED : SERIES_FAILED,
        .from_us = event->onset.latest_us,
        .to_us = event->ended ? event->end.earliest_us : cells_last_us(findings->cells),
        .hours = event->has_hours ? event->hours : NULL};
}

bool findings_event_covers(const struct findings_inner *inner, const struct event *event,
                           int64_t hour_us)
{
    struct context_window window = findings_window(inner->findings, event);

    return context_covers(&inner->places,
                          cells_carrier_country(inner->findings->cells, event->carrier), &window,
                          hour_us);
}

static enum findings_strength strength_of(const struct event *event)
{
    if (event->grade == GRADE_CONFIRMED)
        return STRENGTH_CONFIRMED;
    return event->scope == SCOPE_LINE ? STRENGTH_WEAK : STRENGTH_STRONG;
}

/* ---- mechanisms ---- */

void mechanism_tally_add(struct mechanism_tally *tally, const char *mechanism, uint64_t attempts,
                         uint64_t proven)
{
    size_t i = 0;

    tally->attempts += attempts;
    while (i < tally->count && strcmp(tally->items[i].mechanism, mechanism) != 0)
        i++;
    if (i == ARRAY_LENGTH(tally->items))
        return;
    if (i == tally->count)
        tally->items[tally->count++] = (struct findings_mechanism){.mechanism = mechanism};
    tally->items[i].attempts += attempts;
    tally->items[i].proven += proven;
}

static int compare_mechanisms(const void *left, const void *right)
{
    const struct findings_mechanism *a = left, *b = right;

    if (a->attempts != b->attempts)
        return a->attempts > b->attempts ? -1 : 1;
    return strcmp(a->mechanism, b->mechanism);
}

void mechanism_tally_sort(struct mechanism_tally *tally, uint64_t failures)
{
    uint64_t all = MAX_OF(MAX_OF(failures, tally->attempts), 1);

    qsort(tally->items, tally->count, sizeof(tally->items[0]), compare_mechanisms);
    for (size_t i = 0; i < tally->count; i++)
        tally->items[i].share = (double)tally->items[i].attempts / (double)all;
}

int mechanism_tally_take(struct findings_inner *inner, struct mechanism_tally *tally,
                         uint64_t failures, const struct findings_mechanism **ret_items,
                         size_t *ret_count)
{
    struct findings_mechanism *items;

    *ret_items = NULL;
    *ret_count = tally->count;
    if (tally->count == 0)
        return DL_OK;
    mechanism_tally_sort(tally, failures);
    items = memory_array(&inner->memory, tally->count, sizeof(*items));
    if (!items)
        return -ENOMEM;
    memcpy(items, tally->items, tally->count * sizeof(*items));
    *ret_items = items;
    return DL_OK;
}

/* Those of the event's stretch, of one service. */
static void tally_service(const struct findings_inner *inner, const struct event *event,
                          uint16_t service, struct mechanism_tally *tally)
{
    const struct cells *cells = inner->findings->cells;
    size_t count;
    const struct cell_mechanism *item = cells_mechanisms(cells, event->carrier, service, &count);

    for (size_t i = 0; i < count; i++) {
        const char *name = cells_mechanism(cells, item[i].mechanism);
        bool slowed = strstr(name, ".throttle") != NULL;
        if (slowed == (event->class == EVENT_THROTTLED) &&
            findings_event_covers(inner, event, item[i].hour_us))
            mechanism_tally_add(tally, name, item[i].attempts,
                                item[i].attribution == ATTRIBUTION_THIRD_PARTY ? item[i].attempts
                                                                               : 0);
    }
}

static int take_mechanisms(struct findings_inner *inner, struct findings_event *found)
{
    const struct event *event = found->event;
    struct mechanism_tally tally = {.count = 0};

    if (event->class == EVENT_VANISHED)
        return DL_OK;
    for (size_t s = 0; s < cells_service_count(inner->findings->cells); s++)
        if (event->service < 0 || event->service == (int)s)
            tally_service(inner, event, (uint16_t)s, &tally);
    return mechanism_tally_take(inner, &tally, event->failures, &found->mechanisms,
                                &found->mechanism_count);
}

/* ---- examples ---- */

/* Examples are flows that the cells' mechanisms name, in their order: both are walked together. */
static void take_examples_of(struct findings_inner *inner, const struct series_cells *series,
                             struct findings_event *found, size_t *flow)
{
    const struct event *event = found->event;
    size_t count;
    const struct cell_mechanism *item =
        cells_mechanisms(inner->findings->cells, series->carrier, series->service, &count);

    for (size_t i = 0; i < count && *flow < event->flow_count; i++) {
        uint64_t packet = event->flows[*flow].packet;
        uint32_t input = event->flows[*flow].input;
        if (!item[i].flows || item[i].flow_packet != packet || item[i].flow_input != input)
            continue;
        (*flow)++;
        if (findings_hour_is_given(series, item[i].line, item[i].hour_us))
            snprintf(found->examples[found->example_count++], sizeof(found->examples[0]),
                     "%" PRIu32 ":%" PRIu64, input, packet);
    }
}

static void take_examples(struct findings_inner *inner, struct findings_event *found)
{
    const struct event *event = found->event;
    size_t flow = 0;

    for (size_t s = 0; s < inner->series_count; s++) {
        const struct series_cells *series = &inner->series[s];
        if (series->carrier == event->carrier &&
            (event->service < 0 || series->service == event->service))
            take_examples_of(inner, series, found, &flow);
    }
}

/* ---- one event ---- */

static int take_controls(struct findings_inner *inner, struct findings_event *found)
{
    const struct event *event = found->event;
    struct findings_control *controls =
        memory_array(&inner->memory, event->control_count, sizeof(*controls));

    if (!controls)
        return -ENOMEM;
    for (size_t i = 0; i < event->control_count; i++) {
        const struct analysis_control *control = &event->controls[i];
        controls[i] =
            (struct findings_control){control->kind, control->name, control->verdict,
                                      findings_share_of(control->failures, control->attempts)};
    }
    found->controls = controls;
    found->control_count = event->control_count;
    return DL_OK;
}

static double hours_down(const struct findings *findings, const struct event *event)
{
    int64_t end_us = event->ended ? event->end.earliest_us : cells_last_us(findings->cells);

    return (double)MAX_OF(
        (end_us - event->onset.latest_us + FINDINGS_HOUR_US / 2) / FINDINGS_HOUR_US, 0);
}

static int take_event(struct findings_inner *inner, const struct event_facts *facts,
                      const struct event *event, struct findings_event *found)
{
    const struct findings *findings = inner->findings;
    const char *carrier = cells_carrier(findings->cells, event->carrier);
    const char *service =
        event->service < 0 ? NULL : cells_service(findings->cells, (uint16_t)event->service);
    bool baseline = !facts->no_baseline;

    *found = (struct findings_event){
        .event = event,
        .id = event->id,
        .carrier = carrier,
        .carrier_name = findings_carrier_name(inner, carrier),
        .country = cells_carrier_country(findings->cells, event->carrier),
        .service = service,
        .service_name = service ? findings_service_name(inner, service) : NULL,
        .strength = strength_of(event),
        .onset = {findings_hour_down(event->onset.earliest_us),
                  findings_hour_up(event->onset.latest_us)},
        .alarm_us = findings_hour_up(event->alarm_us),
        .share = findings_share_of(event->failures, event->attempts),
        .baseline = findings_share_of(baseline ? event->baseline_failures : 0,
                                      baseline ? event->baseline_attempts : 0),
        .hours_down = hours_down(findings, event),
        .campaign = FINDINGS_NONE,
        .pair = FINDINGS_NONE,
    };
    if (event->ended)
        found->end = (struct findings_when){findings_hour_down(event->end.earliest_us),
                                            findings_hour_up(event->end.latest_us)};
    if (!found->carrier_name || (service && !found->service_name))
        return -ENOMEM;
    int status = take_controls(inner, found);
    if (status == DL_OK)
        status = take_mechanisms(inner, found);
    take_examples(inner, found);
    return status;
}

/* ---- what they are worth ---- */

/* The stronger one; of equals the one that more attempts speak for, then the earlier. */
static bool is_worse(const struct findings_event *a, const struct findings_event *b)
{
    if (a->strength != b->strength)
        return a->strength > b->strength;
    return a->event->log_odds > b->event->log_odds;
}

static void count_on_series(struct findings_inner *inner, size_t index)
{
    const struct findings_event *found = &inner->findings->events[index];
    const struct event *event = found->event;

    for (size_t i = 0; i < inner->series_count; i++) {
        struct series_cells *series = &inner->series[i];
        bool own = event->service == series->service;
        if (series->carrier != event->carrier || (event->service >= 0 && !own) ||
            (!own && series->class == CLASS_CONTROL))
            continue;
        if (own) {
            series->confirmed += event->grade == GRADE_CONFIRMED;
            series->likely += event->grade == GRADE_LIKELY;
        }
        if (series->worst_event == FINDINGS_NONE ||
            is_worse(found, &inner->findings->events[series->worst_event]))
            series->worst_event = index;
    }
}

int findings_find_events(struct findings_inner *inner)
{
    struct findings *findings = inner->findings;
    const struct analysis *analysis = findings->analysis;
    int status = DL_OK;

    findings->events =
        memory_array(&inner->memory, analysis->event_count, sizeof(*findings->events));
    if (!findings->events)
        return -ENOMEM;
    for (size_t i = 0; status == DL_OK && i < analysis->event_count; i++) {
        struct event_facts *facts = &inner->events[i];
        findings->withheld_events += facts->wanted && facts->withheld;
        if (!facts->wanted || facts->withheld)
            continue;
        facts->index = findings->event_count;
        status = take_event(inner, facts, &analysis->events[i],
                            &findings->events[findings->event_count]);
        if (status == DL_OK)
            count_on_series(inner, findings->event_count++);
    }
    return status;
}
