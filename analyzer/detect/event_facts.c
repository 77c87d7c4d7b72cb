// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/detect/event_facts.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define TALLIES_MAX 64 /* mechanisms, or networks, of one event; the rest is too rare to be told */

struct tally {
    uint32_t what;
    uint64_t attempts;
};

struct tallies {
    struct tally items[TALLIES_MAX];
    size_t count;
    uint64_t total;
};

struct facts {
    const struct work *work;
    struct event *event;
    struct context_window window;
    struct tallies mechanisms, networks;
    size_t examples; /* flows that could be shown */
    bool imported, unsynchronised;
};

/* ---- counting ---- */

static void tallies_add(struct tallies *tallies, uint32_t what, uint64_t attempts)
{
    size_t i = 0;

    tallies->total += attempts;
    while (i < tallies->count && tallies->items[i].what != what)
        i++;
    if (i == TALLIES_MAX)
        return;
    if (i == tallies->count)
        tallies->items[tallies->count++] = (struct tally){.what = what};
    tallies->items[i].attempts += attempts;
}

/* Falling; equals by what they are. */
static int compare_tallies(const void *left, const void *right)
{
    const struct tally *a = left, *b = right;
    if (a->attempts != b->attempts)
        return a->attempts > b->attempts ? -1 : 1;
    return (a->what > b->what) - (a->what < b->what);
}

static void tallies_sort(struct tallies *tallies)
{
    qsort(tallies->items, tallies->count, sizeof(tallies->items[0]), compare_tallies);
}

/* ---- one service of the event ---- */

static bool covers(const struct facts *facts, int64_t hour_us)
{
    const struct work *work = facts->work;
    return context_covers(work->places, cells_carrier_country(work->cells, facts->event->carrier),
                          &facts->window, hour_us);
}

static bool is_wanted(const struct facts *facts, const struct cell_mechanism *item)
{
    const char *name = cells_mechanism(facts->work->cells, item->mechanism);
    bool slowed = strstr(name, ".throttle") != NULL;

    return slowed == (facts->window.kind == SERIES_SLOWED) && covers(facts, item->hour_us);
}

static void count_mechanisms(struct facts *facts, uint16_t service)
{
    size_t count;
    const struct cell_mechanism *item =
        cells_mechanisms(facts->work->cells, facts->event->carrier, service, &count);

    for (size_t i = 0; i < count; i++) {
        if (!is_wanted(facts, &item[i]))
            continue;
        tallies_add(&facts->mechanisms, item[i].mechanism, item[i].attempts);
        facts->examples += item[i].flows;
    }
}

static void count_networks(struct facts *facts, uint16_t service)
{
    const struct cells *cells = facts->work->cells;
    size_t count;
    const struct cell *cell = cells_series(cells, facts->event->carrier, service, &count);

    for (size_t i = 0; i < count; i++) {
        const struct cell_line *line = cells_line(cells, cell[i].line);
        facts->unsynchronised |= line->clock == CLOCK_UNSYNCHRONISED;
        if (!covers(facts, cell[i].hour_us))
            continue;
        facts->imported |= line->origin == ORIGIN_IMPORTED;
        if (line->asn)
            tallies_add(&facts->networks, line->asn, cell[i].attempts);
    }
}

/* Every so many-th, so that they spread evenly over the time of the event. */
static void take_flows(struct facts *facts, uint16_t service, size_t *seen)
{
    struct event *event = facts->event;
    size_t step = MAX_OF(1, (facts->examples + ANALYSIS_FLOWS_MAX - 1) / ANALYSIS_FLOWS_MAX), count;
    const struct cell_mechanism *item =
        cells_mechanisms(facts->work->cells, event->carrier, service, &count);

    for (size_t i = 0; i < count && event->flow_count < ANALYSIS_FLOWS_MAX; i++) {
        if (!item[i].flows || !is_wanted(facts, &item[i]) || (*seen)++ % step != 0)
            continue;
        event->flows[event->flow_count].input = item[i].flow_input;
        event->flows[event->flow_count++].packet = item[i].flow_packet;
    }
}

/* ---- the event ---- */

static void tell_mechanisms(struct facts *facts)
{
    struct event *event = facts->event;
    struct tallies *found = &facts->mechanisms;

    event->mechanism_count = 0;
    if (found->count == 0)
        return;
    tallies_sort(found);
    for (size_t i = 0; i < MIN_OF(found->count, (size_t)ANALYSIS_MECHANISMS_MAX); i++) {
        event->mechanisms[i].mechanism = (uint16_t)found->items[i].what;
        event->mechanisms[i].share =
            (double)found->items[i].attempts / (double)MAX_OF(found->total, 1);
        event->mechanism_count++;
    }
    event->mechanism = (int)found->items[0].what;
}

static void tell_networks(struct facts *facts)
{
    struct event *event = facts->event;
    struct tallies *found = &facts->networks;

    tallies_sort(found);
    event->asn_count = 0;
    for (size_t i = 0; i < MIN_OF(found->count, (size_t)ANALYSIS_ASNS_MAX); i++)
        event->asns[event->asn_count++] = found->items[i].what;
    event->asn = found->count ? found->items[0].what : 0;
}

/* Did a control, on this carrier or elsewhere, have enough attempts to say anything? */
static bool has_control(const struct event *event, bool here)
{
    for (unsigned i = 0; i < event->control_count; i++) {
        bool of_carrier = strcmp(event->controls[i].kind, "same-carrier") == 0 ||
                          strcmp(event->controls[i].kind, "same-server") == 0;
        if (of_carrier == here && strcmp(event->controls[i].verdict, "insufficient") != 0)
            return true;
    }
    return false;
}

static uint8_t quality_of(const struct facts *facts)
{
    const struct event *event = facts->event;
    int quality = 5 - facts->unsynchronised - facts->imported - (event->vantages < 2) -
                  !has_control(event, true) - !has_control(event, false);

    return (uint8_t)MAX_OF(1, quality);
}

void event_facts_fill(const struct work *work, struct event *event)
{
    struct facts facts = {.work = work, .event = event};
    size_t first = event->service < 0 ? 0 : (size_t)event->service, seen = 0;
    size_t end = event->service < 0 ? cells_service_count(work->cells) : first + 1;

    facts.window = (struct context_window){
        .kind = event->class == EVENT_THROTTLED ? SERIES_SLOWED : SERIES_FAILED,
        .from_us = event->onset.latest_us,
        .to_us = event->ended ? event->end.earliest_us : cells_last_us(work->cells),
        .hours = event->has_hours ? event->hours : NULL,
    };
    for (size_t s = first; s < end; s++) {
        if (event->class != EVENT_VANISHED) /* nobody tried: nothing failed */
            count_mechanisms(&facts, (uint16_t)s);
        count_networks(&facts, (uint16_t)s);
    }
    tell_mechanisms(&facts);
    tell_networks(&facts);
    for (size_t s = first; s < end && event->class != EVENT_VANISHED; s++)
        take_flows(&facts, (uint16_t)s, &seen);
    event->quality = quality_of(&facts);
}
