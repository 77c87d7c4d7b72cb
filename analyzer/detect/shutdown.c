// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/detect/shutdown.h"

#include <inttypes.h>
#include <string.h>

#include "analyzer/detect/classify.h"
#include "base/array.h"

static bool is_dark(const struct candidate *candidate)
{
    return candidate->kind == SERIES_FAILED && candidate->silent_share >= CLASSIFY_SILENT &&
           candidate->dns_share < CLASSIFY_SILENT && candidate->voices >= CLASSIFY_VOICES;
}

static bool overlaps(const struct candidate *a, const struct candidate *b)
{
    return a->bad_from_us <= b->bad_to_us && b->bad_from_us <= a->bad_to_us;
}

static void join(struct event *event, const struct candidate *candidate, bool first)
{
    const struct segment *s = &candidate->segment;

    event->attempts += candidate->attempts;
    event->failures += candidate->failures;
    event->baseline_attempts += candidate->baseline_attempts;
    event->baseline_failures += candidate->baseline_failures;
    event->failing_voice_hours = MAX_OF(event->failing_voice_hours, candidate->failing_voice_hours);
    event->voices = MAX_OF(event->voices, candidate->voices);
    event->clients = MAX_OF(event->clients, candidate->clients);
    event->vantages = MAX_OF(event->vantages, candidate->vantages);
    event->log_odds = MAX_OF(event->log_odds, s->gain);
    /* The services fell together: each narrows the others' interval. */
    event->onset.earliest_us =
        first ? s->onset_earliest_us : MAX_OF(event->onset.earliest_us, s->onset_earliest_us);
    event->onset.latest_us =
        first ? s->onset_latest_us : MIN_OF(event->onset.latest_us, s->onset_latest_us);
    if (!s->ended)
        return;
    event->end.earliest_us =
        event->ended ? MAX_OF(event->end.earliest_us, s->end_earliest_us) : s->end_earliest_us;
    event->end.latest_us =
        event->ended ? MIN_OF(event->end.latest_us, s->end_latest_us) : s->end_latest_us;
    event->ended = true;
}

bool shutdown_find(const struct candidate *const *candidates, size_t count, struct event *ret_event,
                   bool *ret_used)
{
    const struct candidate *seed = NULL;
    unsigned dark = 0;

    for (size_t i = 0; i < count && !seed; i++) {
        dark = 0;
        for (size_t j = 0; j < count; j++)
            dark += is_dark(candidates[j]) && overlaps(candidates[i], candidates[j]);
        if (is_dark(candidates[i]) && dark >= SHUTDOWN_SERVICES)
            seed = candidates[i];
    }
    memset(ret_used, 0, count * sizeof(*ret_used));
    if (!seed)
        return false;
    bool first = true;
    for (size_t i = 0; i < count; i++) {
        if (!is_dark(candidates[i]) || !overlaps(seed, candidates[i]))
            continue;
        join(ret_event, candidates[i], first);
        first = false;
        ret_used[i] = true;
    }
    if (ret_event->onset.earliest_us > ret_event->onset.latest_us)
        ret_event->onset.earliest_us = seed->segment.onset_earliest_us;
    if (ret_event->ended && ret_event->end.earliest_us > ret_event->end.latest_us)
        ret_event->end.earliest_us = seed->segment.end_earliest_us;
    ret_event->class = EVENT_SHUTDOWN;
    ret_event->service = -1;
    ret_event->carrier = seed->carrier;
    ret_event->scope = SCOPE_CARRIER;
    ret_event->grade = seed->context.carriers_good > 0 ? GRADE_CONFIRMED : GRADE_LIKELY;
    ret_event->interval = stat_wilson((double)ret_event->failures, (double)ret_event->attempts);
    ret_event->alarm_us = seed->segment.alarm_us;
    classify_add_rule(ret_event, "carrier-dark");
    classify_add_control(ret_event, "same-country", "the first service on other carriers",
                         &seed->context.country,
                         seed->context.carriers_good ? CONTEXT_GOOD_VERDICT : CONTEXT_INSUFFICIENT);
    classify_explain(ret_event,
                     "%u services that were asked without need of DNS got no answer together: "
                     "%" PRIu64 " of %" PRIu64 " attempts failed. Whether by order or by fault "
                     "cannot be told.",
                     dark, ret_event->failures, ret_event->attempts);
    return true;
}
