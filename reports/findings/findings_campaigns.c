// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Campaigns and orders. What an event that is withheld would tell is not told here either: it is no
 * part of its campaign, a campaign needs two events that may be told, and the order's row of such a
 * carrier is insufficient.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "analyzer/detect/order.h"
#include "base/array.h"
#include "reports/findings/findings_internal.h"

/* ---- campaigns ---- */

static void widen(struct findings_when *when, const struct findings_when *other)
{
    if (when->latest_us == 0) {
        *when = *other;
        return;
    }
    when->earliest_us = MIN_OF(when->earliest_us, other->earliest_us);
    when->latest_us = MIN_OF(when->latest_us, other->latest_us);
}

static const char *explain(struct findings_inner *inner, const struct findings_campaign *found)
{
    struct findings *findings = inner->findings;
    char text[ANALYSIS_TEXT_SIZE];
    size_t used = (size_t)snprintf(text, sizeof(text), "%zu carriers", found->event_count),
           ended = 0;

    for (size_t i = 0; i < found->event_count; i++)
        ended += findings->events[found->events[i]].event->ended;
    if (found->onset.earliest_us)
        used += (size_t)snprintf(text + used, sizeof(text) - used, " began within %.0f hours.",
                                 found->spread_hours);
    else
        used += (size_t)snprintf(text + used, sizeof(text) - used,
                                 " were at it when first seen; when they began is not known.");
    if (ended > 0)
        used += (size_t)snprintf(text + used, sizeof(text) - used, " %zu of %zu have ended.", ended,
                                 found->event_count);
    if (found->order)
        snprintf(text + used, sizeof(text) - used,
                 " The order %s names this service, and the date fits.", found->order);
    return memory_text(&inner->memory, text);
}

static int take_campaign(struct findings_inner *inner, const struct campaign *campaign)
{
    struct findings *findings = inner->findings;
    const char *service = cells_service(findings->cells, campaign->service);
    struct findings_campaign *found = &findings->campaigns[findings->campaign_count];
    size_t *events = memory_array(&inner->memory, campaign->event_count, sizeof(*events)),
           count = 0;
    int64_t last_us = 0;

    if (!events)
        return -ENOMEM;
    *found = (struct findings_campaign){.campaign = campaign,
                                        .id = campaign->id,
                                        .service = service,
                                        .service_name = findings_service_name(inner, service),
                                        .country = campaign->country,
                                        .order = campaign->order,
                                        .events = events};
    for (size_t i = 0; i < campaign->event_count; i++) {
        uint32_t index = findings->analysis->campaign_events[campaign->first_event + i];
        if (inner->events[index].index == FINDINGS_NONE)
            continue;
        events[count++] = inner->events[index].index;
        const struct findings_when *onset = &findings->events[inner->events[index].index].onset;
        widen(&found->onset, onset);
        last_us = MAX_OF(last_us, onset->latest_us);
    }
    if (count < 2)
        return DL_OK;
    found->event_count = count;
    if (found->onset.earliest_us)
        found->spread_hours = (double)(last_us - found->onset.latest_us) / (double)FINDINGS_HOUR_US;
    found->explanation = explain(inner, found);
    if (!found->explanation || !found->service_name)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        findings->events[events[i]].campaign = findings->campaign_count;
        findings->events[events[i]].order = campaign->order;
    }
    findings->campaign_count++;
    return DL_OK;
}

/* ---- orders ---- */

static bool is_same(const struct analysis_interval *a, const struct analysis_interval *b)
{
    return a->earliest_us == b->earliest_us && a->latest_us == b->latest_us;
}

/* The event that a row of `complied` speaks of, or that of an order's campaign on this carrier; SIZE_MAX. */
static size_t event_of(const struct findings *findings, const struct order_row *row,
                       const struct catalog_order *order, bool *ret_in_campaign)
{
    const struct analysis *analysis = findings->analysis;
    size_t found = SIZE_MAX;

    *ret_in_campaign = false;
    for (size_t i = 0; i < analysis->campaign_count; i++) {
        const struct campaign *campaign = &analysis->campaigns[i];
        for (size_t e = 0; e < campaign->event_count; e++) {
            uint32_t index = analysis->campaign_events[campaign->first_event + e];
            if (campaign->order && strcmp(campaign->order, row->order) == 0 &&
                strcmp(cells_carrier(findings->cells, analysis->events[index].carrier),
                       row->carrier) == 0) {
                found = index;
                *ret_in_campaign = true;
            }
        }
    }
    for (size_t i = 0; row->verdict == ORDER_COMPLIED && i < analysis->event_count; i++) {
        const struct event *event = &analysis->events[i];
        if (event->service >= 0 && is_same(&event->onset, &row->onset) &&
            strcmp(cells_carrier(findings->cells, event->carrier), row->carrier) == 0 &&
            order_is_about(order, cells_carrier_country(findings->cells, event->carrier),
                           cells_service(findings->cells, (uint16_t)event->service))) {
            *ret_in_campaign &= found == i;
            return i;
        }
    }
    return found;
}

/* Has the carrier a pair of the order that may be told? */
static bool is_told(const struct findings *findings, const char *carrier,
                    const struct catalog_order *order)
{
    for (size_t i = 0; i < findings->pair_count; i++)
        if (strcmp(findings->pairs[i].carrier, carrier) == 0 &&
            catalog_order_names(order, findings->pairs[i].service))
            return true;
    return false;
}

static const char *country_of(const struct findings *findings, const char *carrier)
{
    for (size_t i = 0; i < cells_carrier_count(findings->cells); i++)
        if (strcmp(cells_carrier(findings->cells, (uint16_t)i), carrier) == 0)
            return cells_carrier_country(findings->cells, (uint16_t)i);
    return "";
}

static int take_row(struct findings_inner *inner, const struct order_row *row,
                    const struct catalog_order *order, struct findings_order_row *found)
{
    struct findings *findings = inner->findings;
    size_t index = event_of(findings, row, order, &found->in_campaign);
    bool told = row->verdict == ORDER_COMPLIED
                    ? index != SIZE_MAX && inner->events[index].index != FINDINGS_NONE
                    : row->verdict != ORDER_NOT_OBSERVED || is_told(findings, row->carrier, order);

    found->carrier = row->carrier;
    found->carrier_name = findings_carrier_name(inner, row->carrier);
    found->country = country_of(findings, row->carrier);
    found->verdict = told ? row->verdict : ORDER_INSUFFICIENT;
    found->event = index == SIZE_MAX ? FINDINGS_NONE : inner->events[index].index;
    if (!found->carrier_name)
        return -ENOMEM;
    found->in_campaign &= found->event != FINDINGS_NONE;
    if (found->verdict != ORDER_COMPLIED)
        return DL_OK;
    found->onset = findings->events[found->event].onset;
    found->mechanism =
        row->mechanism < 0 ? NULL : cells_mechanism(findings->cells, (uint16_t)row->mechanism);
    found->has_hours_from_deadline = row->has_hours_from_deadline;
    found->hours_from_deadline = round(row->hours_from_deadline);
    if (!findings->events[found->event].order)
        findings->events[found->event].order = order->id;
    return DL_OK;
}

/* Rows of one order follow each other. */
static int take_order(struct findings_inner *inner, const struct order_row *rows, size_t count)
{
    struct findings *findings = inner->findings;
    const struct findings_options *options = findings->options;
    const struct catalog_order *order = catalog_order_find(options->catalog, rows[0].order);
    struct findings_order *found = &findings->orders[findings->order_count];
    struct findings_order_row *items = memory_array(&inner->memory, count, sizeof(*items));
    int status = items ? DL_OK : -ENOMEM;

    *found = (struct findings_order){.order = order, .rows = items};
    if (!order || (options->service && !catalog_order_names(order, options->service)))
        return status;
    catalog_order_times(options->catalog, order, &found->times);
    for (size_t i = 0; status == DL_OK && i < count; i++) {
        bool asked = !options->carrier || strcmp(options->carrier, rows[i].carrier) == 0;
        struct findings_order_row item = {.event = FINDINGS_NONE};
        if (!asked)
            continue;
        status = take_row(inner, &rows[i], order, &item);
        /* Of one event only the orders that it goes with. */
        if (options->event && item.event == FINDINGS_NONE)
            continue;
        items[found->row_count++] = item;
    }
    findings->order_count += found->row_count > 0;
    return status;
}

int findings_find_campaigns(struct findings_inner *inner)
{
    struct findings *findings = inner->findings;
    const struct analysis *analysis = findings->analysis;
    int status = DL_OK;

    findings->campaigns =
        memory_array(&inner->memory, analysis->campaign_count + 1, sizeof(*findings->campaigns));
    findings->orders =
        memory_array(&inner->memory, analysis->order_count + 1, sizeof(*findings->orders));
    if (!findings->campaigns || !findings->orders)
        return -ENOMEM;
    for (size_t i = 0; status == DL_OK && i < analysis->campaign_count; i++)
        status = take_campaign(inner, &analysis->campaigns[i]);
    for (size_t i = 0, end; status == DL_OK && i < analysis->order_count; i = end) {
        for (end = i + 1; end < analysis->order_count &&
                          strcmp(analysis->orders[end].order, analysis->orders[i].order) == 0;)
            end++;
        status = take_order(inner, &analysis->orders[i], end - i);
    }
    return status;
}
