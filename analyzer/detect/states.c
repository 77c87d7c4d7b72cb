// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/detect/states.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

static enum line_state state_of_event(const struct event *event)
{
    switch (event->class) {
    case EVENT_BLOCKED:
        return event->grade == GRADE_CONFIRMED ? STATE_BLOCKED : STATE_LIKELY_BLOCKED;
    case EVENT_THROTTLED:
    case EVENT_VANISHED:
        return STATE_IMPAIRED;
    default:
        return STATE_DOWN;
    }
}

/* The open event of the pair that says most; NULL. A dark carrier is dark for every service. */
static const struct event *open_event(const struct analysis *analysis, uint16_t carrier,
                                      uint16_t service)
{
    const struct event *worst = NULL;

    for (size_t i = 0; i < analysis->event_count; i++) {
        const struct event *event = &analysis->events[i];
        if (event->ended || event->carrier != carrier ||
            (event->service >= 0 && event->service != service))
            continue;
        if (!worst || state_of_event(event) > state_of_event(worst))
            worst = event;
    }
    return worst;
}

static int64_t last_end(const struct analysis *analysis, uint16_t carrier, uint16_t service)
{
    int64_t end_us = 0;

    for (size_t i = 0; i < analysis->event_count; i++) {
        const struct event *event = &analysis->events[i];
        if (event->ended && event->carrier == carrier &&
            (event->service < 0 || event->service == service))
            end_us = MAX_OF(end_us, event->end.latest_us);
    }
    return end_us;
}

static int state_of_pair(struct work *work, uint16_t carrier, uint16_t service,
                         struct pair_state *ret_state)
{
    struct pair_state state = {.carrier = carrier, .service = service};
    const struct event *event = open_event(work->analysis, carrier, service);
    struct context_window window = {.kind = SERIES_FAILED};
    struct context_tally tally;
    struct series series;
    double base, before;
    int status =
        series_build(work->cells, work->places, carrier, service, SERIES_FAILED, 0, &series);

    if (status != DL_OK)
        return status;
    state.at_us = window.to_us = series.last_us;
    window.from_us =
        MAX_OF(series.last_us - STATES_WINDOW_US, last_end(work->analysis, carrier, service));
    tally = context_pair(work->cells, work->places, carrier, service, &window);
    state.attempts = tally.attempts;
    state.failures = tally.failures;
    state.clients = series.voices;
    state.interval = stat_wilson((double)tally.failures, (double)tally.attempts);
    before = SEGMENT_PRIOR_BAD / SEGMENT_PRIOR_VOTES;
    base = MIN_OF(SEGMENT_BASE_HIGH, MAX_OF(SEGMENT_BASE_LOW, before));
    state.minimum_detectable_share =
        stat_detectable_share(tally.votes, base, segment_threshold(series.attempts_a_week));
    if (event)
        state.state = state_of_event(event);
    else if (series.count == 0 || series.voices < 2 ||
             state.minimum_detectable_share > STATES_DETECTABLE)
        state.state = STATE_INSUFFICIENT;
    else
        state.state = state.interval.low > STATES_IMPAIRED ? STATE_IMPAIRED : STATE_OK;
    series_finish(&series);
    *ret_state = state;
    return DL_OK;
}

int states_find(struct work *work)
{
    struct analysis *analysis = work->analysis;
    size_t carriers = cells_carrier_count(work->cells), services = cells_service_count(work->cells);
    size_t capacity = 0;
    int status = DL_OK;

    for (size_t c = 0; status == DL_OK && c < carriers; c++) {
        for (size_t s = 0; status == DL_OK && s < services; s++) {
            size_t count;
            cells_series(work->cells, (uint16_t)c, (uint16_t)s, &count);
            if (count == 0)
                continue;
            if (analysis->state_count == capacity) {
                capacity = MAX_OF(64, 2 * capacity);
                struct pair_state *grown = realloc(analysis->states, capacity * sizeof(*grown));
                if (!grown)
                    return -ENOMEM;
                analysis->states = grown;
            }
            status = state_of_pair(work, (uint16_t)c, (uint16_t)s,
                                   &analysis->states[analysis->state_count]);
            analysis->state_count += status == DL_OK;
        }
    }
    for (size_t i = 0; i < analysis->event_count; i++) {
        struct event *event = &analysis->events[i];
        const struct event *now =
            open_event(analysis, event->carrier, (uint16_t)MAX_OF(event->service, 0));
        event->state = now ? state_of_event(now) : STATE_OK;
        for (size_t p = 0; !now && p < analysis->state_count; p++)
            if (analysis->states[p].carrier == event->carrier &&
                analysis->states[p].service == event->service)
                event->state = analysis->states[p].state;
    }
    return status;
}
