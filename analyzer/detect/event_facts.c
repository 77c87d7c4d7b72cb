// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/detect/event_facts.h"

#include <string.h>

#include "base/array.h"

#define TALLIES 64 /* mechanisms, or networks, of one event; the rest is too rare to be told */

struct tally {
    uint32_t what;
    uint64_t count;
};

static void count_up(struct tally *tallies, size_t *used, uint32_t what, uint64_t count)
{
    for (size_t i = 0; i < *used; i++) {
        if (tallies[i].what == what) {
            tallies[i].count += count;
            return;
        }
    }
    if (*used < TALLIES)
        tallies[(*used)++] = (struct tally){what, count};
}

/* Falling; equals by what they are. */
static void sort_tallies(struct tally *tallies, size_t used)
{
    for (size_t i = 1; i < used; i++) {
        struct tally moved = tallies[i];
        size_t at = i;
        for (; at > 0 &&
               (tallies[at - 1].count < moved.count ||
                (tallies[at - 1].count == moved.count && tallies[at - 1].what > moved.what));
             at--)
            tallies[at] = tallies[at - 1];
        tallies[at] = moved;
    }
}

static bool is_of_kind(const struct candidate *candidate, const char *mechanism)
{
    bool throttle = strstr(mechanism, ".throttle") != NULL;
    return throttle == (candidate->kind == SERIES_SLOWED);
}

static void fill_mechanisms(struct event *event, const struct candidate *candidate,
                            const struct cells *cells, const struct analysis_places *places)
{
    const char *country = cells_carrier_country(cells, candidate->carrier);
    struct tally tallies[TALLIES];
    size_t used = 0, count, examples = 0;
    const struct cell_mechanism *item =
        cells_mechanisms(cells, candidate->carrier, candidate->service, &count);

    for (size_t i = 0; i < count; i++) {
        if (!context_covers(places, country, &candidate->window, item[i].hour_us) ||
            !is_of_kind(candidate, cells_mechanism(cells, item[i].mechanism)))
            continue;
        count_up(tallies, &used, item[i].mechanism, item[i].attempts);
        examples += item[i].flows;
    }
    sort_tallies(tallies, used);
    for (size_t i = 0; i < used && i < ANALYSIS_MECHANISMS_MAX; i++) {
        event->mechanisms[i].mechanism = (uint16_t)tallies[i].what;
        event->mechanisms[i].share =
            (double)tallies[i].count / (double)MAX_OF(candidate->failures, 1);
        event->mechanism_count++;
    }
    event->mechanism = used ? (int)tallies[0].what : -1;
    /* Examples evenly over the time of the event. */
    size_t step = MAX_OF(1, (examples + ANALYSIS_FLOWS_MAX - 1) / ANALYSIS_FLOWS_MAX), seen = 0;
    for (size_t i = 0; i < count && event->flow_count < ANALYSIS_FLOWS_MAX; i++) {
        if (!item[i].flows ||
            !context_covers(places, country, &candidate->window, item[i].hour_us) ||
            !is_of_kind(candidate, cells_mechanism(cells, item[i].mechanism)) || seen++ % step != 0)
            continue;
        event->flows[event->flow_count].input = item[i].flow_input;
        event->flows[event->flow_count++].packet = item[i].flow_packet;
    }
}

static void fill_networks(struct event *event, const struct candidate *candidate,
                          const struct cells *cells, const struct analysis_places *places)
{
    const char *country = cells_carrier_country(cells, candidate->carrier);
    struct tally tallies[TALLIES];
    size_t used = 0, count;
    const struct cell *cell = cells_series(cells, candidate->carrier, candidate->service, &count);

    for (size_t i = 0; i < count; i++) {
        uint32_t asn = cells_line(cells, cell[i].line)->asn;
        if (asn && context_covers(places, country, &candidate->window, cell[i].hour_us))
            count_up(tallies, &used, asn, cell[i].attempts);
    }
    sort_tallies(tallies, used);
    event->asn = used ? tallies[0].what : 0;
    for (size_t i = 0; i < used && i < ANALYSIS_ASNS_MAX; i++)
        event->asns[event->asn_count++] = tallies[i].what;
}

/* 5, less one for each thing that readers should know of the data. */
static void fill_quality(struct event *event, const struct candidate *candidate,
                         const struct cells *cells)
{
    const struct context *context = &candidate->context;
    bool unsynchronised = false;
    size_t count;
    const struct cell *cell = cells_series(cells, candidate->carrier, candidate->service, &count);

    for (size_t i = 0; i < count; i++)
        unsynchronised |= cells_line(cells, cell[i].line)->clock == CLOCK_UNSYNCHRONISED;
    int quality = 5 - unsynchronised - candidate->imported - (candidate->vantages < 2) -
                  (context->same_carrier == CONTEXT_INSUFFICIENT) -
                  (context->carriers_good + context->carriers_bad == 0 &&
                   context->abroad_verdict == CONTEXT_INSUFFICIENT);
    event->quality = (uint8_t)MAX_OF(1, quality);
}

void event_facts_fill(struct event *event, const struct candidate *candidate,
                      const struct cells *cells, const struct analysis_places *places)
{
    fill_mechanisms(event, candidate, cells, places);
    fill_networks(event, candidate, cells, places);
    fill_quality(event, candidate, cells);
}
