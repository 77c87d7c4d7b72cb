// SPDX-License-Identifier: GPL-3.0-or-later
/* One carrier and service: their sums, and which of them are worst. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "reports/findings/findings_internal.h"

/* ---- what was counted ---- */

static const struct pair_state *state_of(const struct analysis *analysis, uint16_t carrier,
                                         uint16_t service)
{
    size_t low = 0, high = analysis->state_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct pair_state *state = &analysis->states[middle];
        if (state->carrier < carrier || (state->carrier == carrier && state->service < service))
            low = middle + 1;
        else
            high = middle;
    }
    if (low == analysis->state_count || analysis->states[low].carrier != carrier ||
        analysis->states[low].service != service)
        return NULL;
    return &analysis->states[low];
}

/* An event that is withheld must not be told by the state it has led to. */
static bool state_is_hidden(const struct findings_inner *inner, const struct series_cells *series)
{
    const struct analysis *analysis = inner->findings->analysis;

    for (size_t i = 0; i < analysis->event_count; i++) {
        const struct event *event = &analysis->events[i];
        if (inner->events[i].withheld && !event->ended && event->carrier == series->carrier &&
            (event->service < 0 || event->service == series->service))
            return true;
    }
    return series->now_withheld;
}

static void take_state(const struct findings_inner *inner, const struct series_cells *series,
                       struct findings_pair *pair)
{
    const struct pair_state *state =
        state_of(inner->findings->analysis, series->carrier, series->service);

    pair->state = STATE_INSUFFICIENT;
    pair->now = findings_share_of(0, 0);
    pair->minimum_detectable_share = 2;
    if (!state || state_is_hidden(inner, series))
        return;
    pair->state = state->state;
    pair->now = findings_share_of(state->failures, state->attempts);
    pair->minimum_detectable_share = state->minimum_detectable_share;
}

static enum findings_strength strength_of(const struct findings *findings,
                                          const struct findings_pair *pair)
{
    if (pair->worst_event != FINDINGS_NONE)
        return findings->events[pair->worst_event].strength;
    return pair->state == STATE_OK ? STRENGTH_NONE : STRENGTH_NOT_MEASURABLE;
}

static void take_sums(struct findings_inner *inner, const struct series_cells *series,
                      struct findings_pair *pair)
{
    struct findings *findings = inner->findings;
    uint64_t attempts = 0, failures = 0;

    for (size_t i = 0; i < series->count; i++) {
        const struct cell *cell = &series->cells[i];
        findings->withheld_cells += (series->flags[i] & (CELL_SMALL | CELL_PARTNER)) != 0;
        if (!findings_is_summed(series, i))
            continue;
        attempts += cell->attempts;
        failures += cell->failures;
        if (series->class != CLASS_CONTROL) {
            findings->undecided += cell->undecided;
            findings->proven += cell->proven;
        }
        if (pair->first_us == 0)
            pair->first_us = cell->hour_us;
        pair->last_us = cell->hour_us + FINDINGS_HOUR_US;
    }
    pair->share = findings_share_of(failures, attempts);
}

/* Is the mechanism's hour among those that are summed? Both lists go by time. */
static bool hour_is_summed(const struct series_cells *series, size_t *at,
                           const struct cell_mechanism *item)
{
    while (*at < series->count && series->cells[*at].hour_us < item->hour_us)
        (*at)++;
    for (size_t i = *at; i < series->count && series->cells[i].hour_us == item->hour_us; i++)
        if (series->cells[i].line == item->line && series->cells[i].ip_version == item->ip_version)
            return findings_is_summed(series, i);
    return false;
}

static int take_mechanisms(struct findings_inner *inner, const struct series_cells *series,
                           struct findings_pair *pair)
{
    const struct findings *findings = inner->findings;
    struct mechanism_tally tally = {.count = 0};
    size_t count, at = 0;
    const struct cell_mechanism *item =
        cells_mechanisms(findings->cells, series->carrier, series->service, &count);
    bool slowed = pair->worst_event != FINDINGS_NONE &&
                  findings->events[pair->worst_event].event->class == EVENT_THROTTLED;

    for (size_t i = 0; i < count; i++) {
        const char *name = cells_mechanism(findings->cells, item[i].mechanism);
        if ((strstr(name, ".throttle") && !slowed) || !hour_is_summed(series, &at, &item[i]))
            continue;
        mechanism_tally_add(&tally, name, item[i].attempts,
                            item[i].attribution == ATTRIBUTION_THIRD_PARTY ? item[i].attempts : 0);
    }
    return mechanism_tally_take(inner, &tally, pair->share.failures, &pair->mechanisms,
                                &pair->mechanism_count);
}

static int take_pair(struct findings_inner *inner, const struct series_cells *series,
                     struct findings_pair *pair)
{
    const struct findings *findings = inner->findings;
    const char *carrier = cells_carrier(findings->cells, series->carrier);
    const char *service = cells_service(findings->cells, series->service);

    *pair = (struct findings_pair){
        .carrier_index = series->carrier,
        .service_index = series->service,
        .carrier = carrier,
        .carrier_name = findings_carrier_name(inner, carrier),
        .country = cells_carrier_country(findings->cells, series->carrier),
        .service = service,
        .service_name = findings_service_name(inner, service),
        .class = series->class,
        .asn = analysis_pair_asn(findings->cells, series->carrier, series->service),
        .clients = series->clients,
        .worst_event = series->worst_event,
        .chart = FINDINGS_NONE};
    if (!pair->carrier_name || !pair->service_name)
        return -ENOMEM;
    take_sums(inner, series, pair);
    take_state(inner, series, pair);
    pair->strength = strength_of(findings, pair);
    return take_mechanisms(inner, series, pair);
}

/* ---- worst first ---- */

static int compare_pairs(const void *left, const void *right, void *context)
{
    const struct findings_inner *inner = context;
    const struct findings_pair *a = left, *b = right;
    const struct series_cells *of_a = findings_series(inner, a->carrier_index, a->service_index);
    const struct series_cells *of_b = findings_series(inner, b->carrier_index, b->service_index);
    int order;

    if ((a->class == CLASS_CONTROL) != (b->class == CLASS_CONTROL))
        return a->class == CLASS_CONTROL ? 1 : -1;
    if (of_a->confirmed != of_b->confirmed)
        return of_a->confirmed > of_b->confirmed ? -1 : 1;
    if (of_a->likely != of_b->likely)
        return of_a->likely > of_b->likely ? -1 : 1;
    if (a->share.low > b->share.low || a->share.low < b->share.low)
        return a->share.low > b->share.low ? -1 : 1;
    order = strcmp(a->carrier, b->carrier);
    return order ? order : strcmp(a->service, b->service);
}

static void link_events(struct findings_inner *inner)
{
    struct findings *findings = inner->findings;

    for (size_t i = 0; i < findings->pair_count; i++)
        findings_series(inner, findings->pairs[i].carrier_index, findings->pairs[i].service_index)
            ->findings = i;
    for (size_t i = 0; i < findings->event_count; i++) {
        const struct event *event = findings->events[i].event;
        const struct series_cells *series =
            event->service < 0 ? NULL
                               : findings_series(inner, event->carrier, (uint16_t)event->service);
        if (series)
            findings->events[i].pair = series->findings;
    }
}

int findings_find_pairs(struct findings_inner *inner)
{
    struct findings *findings = inner->findings;
    int status = DL_OK;

    findings->pairs = memory_array(&inner->memory, inner->series_count, sizeof(*findings->pairs));
    if (!findings->pairs)
        return -ENOMEM;
    for (size_t i = 0; status == DL_OK && i < inner->series_count; i++) {
        const struct series_cells *series = &inner->series[i];
        if (!series->wanted)
            continue;
        if (series->withheld) {
            for (size_t c = 0; c < series->count; c++)
                findings->withheld_cells += (series->flags[c] & CELL_SMALL) != 0;
            findings->withheld_pairs += !!(series->flags[0] & CELL_SMALL);
            continue;
        }
        status = take_pair(inner, series, &findings->pairs[findings->pair_count]);
        findings->pair_count += status == DL_OK;
    }
    qsort_r(findings->pairs, findings->pair_count, sizeof(*findings->pairs), compare_pairs, inner);
    link_events(inner);
    return status;
}
