// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * All of one carrier, all of one service: sums of their pairs that are told, so that no sum holds a pair
 * that is withheld. Networks of a carrier that has several are of the cells given out alone, for who of
 * them is small cannot be hidden otherwise.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "reports/findings/findings_internal.h"

struct sums {
    uint64_t attempts, failures, control_attempts, control_failures;
};

static void add_pair(struct findings_group *group, struct sums *sums,
                     const struct findings_pair *pair)
{
    if (pair->class == CLASS_CONTROL) {
        sums->control_attempts += pair->share.attempts;
        sums->control_failures += pair->share.failures;
        return;
    }
    sums->attempts += pair->share.attempts;
    sums->failures += pair->share.failures;
    group->clients = MAX_OF(group->clients, pair->clients);
    group->first_us = group->first_us ? MIN_OF(group->first_us, pair->first_us) : pair->first_us;
    group->last_us = MAX_OF(group->last_us, pair->last_us);
    group->strength = MAX_OF(group->strength, pair->strength);
}

static void finish(struct findings_group *group, const struct sums *sums)
{
    group->share = findings_share_of(sums->failures, sums->attempts);
    group->controls = findings_share_of(sums->control_failures, sums->control_attempts);
}

static void count_events(const struct findings *findings, struct findings_group *group,
                         bool is_carrier)
{
    for (size_t i = 0; i < findings->event_count; i++) {
        const struct findings_event *event = &findings->events[i];
        const char *id = is_carrier ? event->carrier : event->service;
        if (!id || strcmp(id, group->id) != 0)
            continue;
        group->events_confirmed += event->event->grade == GRADE_CONFIRMED;
        group->events_likely += event->event->grade == GRADE_LIKELY;
        group->strength = MAX_OF(group->strength, event->strength);
    }
}

static int compare_groups(const void *left, const void *right)
{
    const struct findings_group *a = left, *b = right;

    if (a->events_confirmed != b->events_confirmed)
        return a->events_confirmed > b->events_confirmed ? -1 : 1;
    if (a->events_likely != b->events_likely)
        return a->events_likely > b->events_likely ? -1 : 1;
    if (a->share.low > b->share.low || a->share.low < b->share.low)
        return a->share.low > b->share.low ? -1 : 1;
    return strcmp(a->id, b->id);
}

/* ---- networks of a carrier ---- */

struct network_sum {
    uint32_t asn, clients;
    uint64_t attempts, failures;
};

static struct network_sum *network_at(struct network_sum *sums, size_t *count, uint32_t asn)
{
    for (size_t i = 0; i < *count; i++)
        if (sums[i].asn == asn)
            return &sums[i];
    if (*count == ANALYSIS_ASNS_MAX)
        return NULL;
    sums[*count] = (struct network_sum){.asn = asn};
    return &sums[(*count)++];
}

static int compare_networks(const void *left, const void *right)
{
    const struct network_sum *a = left, *b = right;

    if (a->attempts != b->attempts)
        return a->attempts > b->attempts ? -1 : 1;
    return (a->asn > b->asn) - (a->asn < b->asn);
}

static void sum_networks(const struct findings_inner *inner, uint16_t carrier,
                         struct network_sum *sums, size_t *count)
{
    for (size_t s = 0; s < inner->series_count; s++) {
        const struct series_cells *series = &inner->series[s];
        if (series->carrier != carrier || series->class == CLASS_CONTROL)
            continue;
        for (size_t i = 0; i < series->count; i++) {
            const struct cell *cell = &series->cells[i];
            uint32_t asn = cells_line(inner->findings->cells, cell->line)->asn;
            struct network_sum *sum =
                findings_is_given(series, i) && asn ? network_at(sums, count, asn) : NULL;
            if (!sum)
                continue;
            sum->attempts += cell->attempts;
            sum->failures += cell->failures;
        }
    }
}

static int take_networks(struct findings_inner *inner, uint16_t carrier,
                         struct findings_group *group)
{
    struct network_sum sums[ANALYSIS_ASNS_MAX];
    struct findings_network *networks;
    size_t count = 0;

    sum_networks(inner, carrier, sums, &count);
    if (count == 0)
        return DL_OK;
    qsort(sums, count, sizeof(sums[0]), compare_networks);
    networks = memory_array(&inner->memory, count, sizeof(*networks));
    if (!networks)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        networks[i] = (struct findings_network){
            sums[i].asn,
            count == 1 ? group->share : findings_share_of(sums[i].failures, sums[i].attempts)};
    group->networks = networks;
    group->network_count = count;
    return DL_OK;
}

/* ---- the two lists ---- */

static int take_carrier(struct findings_inner *inner, uint16_t carrier)
{
    struct findings *findings = inner->findings;
    struct findings_group *group = &findings->carriers[findings->carrier_count];
    const char *id = cells_carrier(findings->cells, carrier);
    const struct catalog_carrier *known = catalog_carrier_find(findings->options->catalog, id);
    struct sums sums = {0};
    bool any = false;

    *group = (struct findings_group){.id = id,
                                     .name = findings_carrier_name(inner, id),
                                     .country = cells_carrier_country(findings->cells, carrier)};
    if (!group->name)
        return -ENOMEM;
    for (size_t i = 0; i < findings->pair_count; i++)
        if (findings->pairs[i].carrier_index == carrier) {
            add_pair(group, &sums, &findings->pairs[i]);
            any = true;
        }
    if (!any)
        return DL_OK;
    finish(group, &sums);
    if (known)
        group->owner = catalog_carrier_owner_at(known, MAX_OF(group->last_us, 1));
    count_events(findings, group, true);
    findings->carrier_count++;
    return take_networks(inner, carrier, group);
}

static int take_service(struct findings_inner *inner, uint16_t service)
{
    struct findings *findings = inner->findings;
    struct findings_group *group = &findings->services[findings->service_count];
    const char *id = cells_service(findings->cells, service);
    struct sums sums = {0};

    *group =
        (struct findings_group){.id = id, .name = findings_service_name(inner, id), .country = ""};
    if (!group->name)
        return -ENOMEM;
    group->class = inner->places.service_class(inner->places.context, id);
    if (group->class == CLASS_CONTROL)
        return DL_OK;
    for (size_t i = 0; i < findings->pair_count; i++)
        if (findings->pairs[i].service_index == service)
            add_pair(group, &sums, &findings->pairs[i]);
    if (group->last_us == 0)
        return DL_OK;
    finish(group, &sums);
    count_events(findings, group, false);
    findings->service_count++;
    return DL_OK;
}

static void sum_all(struct findings *findings)
{
    struct findings_group all = {.id = ""};
    struct sums sums = {0};

    for (size_t i = 0; i < findings->pair_count; i++)
        add_pair(&all, &sums, &findings->pairs[i]);
    finish(&all, &sums);
    findings->total = all.share;
    findings->controls = all.controls;
}

int findings_find_groups(struct findings_inner *inner)
{
    struct findings *findings = inner->findings;
    size_t carriers = cells_carrier_count(findings->cells);
    size_t services = cells_service_count(findings->cells);
    int status = DL_OK;

    findings->carriers = memory_array(&inner->memory, carriers, sizeof(*findings->carriers));
    findings->services = memory_array(&inner->memory, services, sizeof(*findings->services));
    if (!findings->carriers || !findings->services)
        return -ENOMEM;
    for (size_t c = 0; status == DL_OK && c < carriers; c++)
        status = take_carrier(inner, (uint16_t)c);
    for (size_t s = 0; status == DL_OK && s < services; s++)
        status = take_service(inner, (uint16_t)s);
    qsort(findings->carriers, findings->carrier_count, sizeof(*findings->carriers), compare_groups);
    qsort(findings->services, findings->service_count, sizeof(*findings->services), compare_groups);
    sum_all(findings);
    return status;
}
