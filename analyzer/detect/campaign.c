// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/detect/campaign.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/detect/classify.h"
#include "analyzer/detect/order.h"
#include "base/array.h"
#include "base/clock.h"

#define HOUR_US INT64_C(3600000000)

/* ---- whose networks ---- */

static const char *owner_of(const struct work *work, uint16_t carrier, int64_t time_us)
{
    const struct analysis_places *places = work->places;
    const char *name = cells_carrier(work->cells, carrier);

    return places->owner ? places->owner(places->context, name, time_us) : name;
}

static bool are_independent(const struct work *work, uint16_t a, uint16_t b, int64_t time_us)
{
    const char *of_a = owner_of(work, a, time_us), *of_b = owner_of(work, b, time_us);
    return of_a && of_b && strcmp(of_a, of_b) != 0;
}

/* Distinct known owners of the events listed. */
static uint32_t count_owners(const struct work *work, const uint32_t *events, size_t count)
{
    const struct event *all = work->analysis->events;
    uint32_t owners = 0;

    for (size_t i = 0; i < count; i++) {
        const struct event *event = &all[events[i]];
        const char *owner = owner_of(work, event->carrier, event->onset.latest_us);
        bool known = owner != NULL;
        for (size_t j = 0; known && j < i; j++) {
            const struct event *other = &all[events[j]];
            const char *before = owner_of(work, other->carrier, other->onset.latest_us);
            known = !before || strcmp(before, owner) != 0;
        }
        owners += known;
    }
    return owners;
}

static int64_t end_of(const struct work *work, const struct event *event)
{
    return event->ended ? event->end.earliest_us : cells_last_us(work->cells);
}

static bool same_country(const struct work *work, uint16_t a, uint16_t b)
{
    const char *of_a = cells_carrier_country(work->cells, a);
    return of_a[0] && strcmp(of_a, cells_carrier_country(work->cells, b)) == 0;
}

/* ---- who agrees with a block that no packet proves ---- */

static const struct event *agreeing_carrier(const struct work *work, const struct event *event)
{
    for (size_t i = 0; i < work->analysis->event_count; i++) {
        const struct event *other = &work->analysis->events[i];
        if (other->class == EVENT_BLOCKED && other->scope != SCOPE_LINE &&
            other->service == event->service && other->carrier != event->carrier &&
            same_country(work, other->carrier, event->carrier) &&
            analysis_event_overlaps(other, event->onset.latest_us, end_of(work, event)) &&
            are_independent(work, other->carrier, event->carrier, event->onset.latest_us))
            return other;
    }
    return NULL;
}

static const struct catalog_order *agreeing_order(const struct work *work,
                                                  const struct catalog *catalog,
                                                  const struct event *event)
{
    const char *carrier = cells_carrier(work->cells, event->carrier);
    const char *country = cells_carrier_country(work->cells, event->carrier);

    for (size_t o = 0; catalog && event->onset.earliest_us != 0 && o < catalog_order_count(catalog);
         o++) {
        struct order_span span = order_span_of(catalog, catalog_order_at(catalog, o));
        if (order_is_about(span.order, country,
                           cells_service(work->cells, (uint16_t)event->service)) &&
            order_addresses(span.order, carrier, country) &&
            order_span_holds(&span, event->onset.earliest_us) &&
            order_span_holds(&span, event->onset.latest_us))
            return span.order;
    }
    return NULL;
}

static int ask_same_server(const struct work *work, struct event *event, bool *ret_agrees)
{
    const struct analysis_places *places = work->places;
    struct context_tally tally = {0};
    enum context_verdict verdict;
    int status;

    if (!places->same_server)
        return DL_OK;
    status = places->same_server(places->context, cells_carrier(work->cells, event->carrier),
                                 cells_service(work->cells, (uint16_t)event->service),
                                 event->onset.latest_us, end_of(work, event), &tally.attempts,
                                 &tally.failures);
    if (status != DL_OK)
        return status == DL_NOT_FOUND ? DL_OK : status;
    tally.votes = (double)tally.attempts;
    tally.bad = (double)tally.failures;
    verdict = context_judge(&tally, 1);
    if (tally.attempts > 0)
        classify_add_control(event, "same-server", "the same servers otherwise", &tally, verdict);
    if (verdict != CONTEXT_GOOD_VERDICT)
        return DL_OK;
    classify_add_rule(event, "same-server");
    classify_explain(event,
                     " The same servers answered %" PRIu64 " of %" PRIu64
                     " other attempts of this carrier meanwhile.",
                     tally.attempts - tally.failures, tally.attempts);
    *ret_agrees = true;
    return DL_OK;
}

static int raise_grade(const struct work *work, const struct catalog *catalog, struct event *event)
{
    const struct event *other = agreeing_carrier(work, event);
    const struct catalog_order *order = agreeing_order(work, catalog, event);
    bool agrees = other || order;
    int status = ask_same_server(work, event, &agrees);

    if (status != DL_OK)
        return status;
    if (other) {
        classify_add_rule(event, "second-carrier");
        classify_explain(event, " %s, of another owner, does the same.",
                         cells_carrier(work->cells, other->carrier));
    }
    if (order) {
        classify_add_rule(event, "order-agrees");
        classify_explain(event, " The order %s names the service, and the date fits.", order->id);
    }
    if (agrees)
        event->grade = GRADE_CONFIRMED;
    return DL_OK;
}

/* ---- which begin together ---- */

/* One event as grouping sees it. */
struct beginning {
    uint32_t event; /* its index */
    int64_t at_us;
    const struct event *is;
    const char *country;
    bool seen; /* when it began is known */
};

static int compare_kinds(const struct beginning *a, const struct beginning *b)
{
    if (a->is->class != b->is->class)
        return a->is->class < b->is->class ? -1 : 1;
    if (a->is->service != b->is->service)
        return a->is->service < b->is->service ? -1 : 1;
    if (a->seen != b->seen)
        return a->seen ? -1 : 1;
    return strcmp(a->country, b->country);
}

static int compare_beginnings(const void *left, const void *right)
{
    const struct beginning *a = left, *b = right;
    int kinds = compare_kinds(a, b);
    if (kinds != 0)
        return kinds;
    if (a->at_us != b->at_us)
        return a->at_us < b->at_us ? -1 : 1;
    return (a->event > b->event) - (a->event < b->event);
}

static size_t count_carriers(const struct beginning *beginnings, size_t count)
{
    size_t carriers = 0;

    for (size_t i = 0; i < count; i++) {
        bool first = true;
        for (size_t j = 0; first && j < i; j++)
            first = beginnings[j].is->carrier != beginnings[i].is->carrier;
        carriers += first;
    }
    return carriers;
}

/* Of one kind's beginnings, ordered: the window with most carriers, the earliest of those. */
static size_t find_window(const struct beginning *beginnings, size_t count, size_t *ret_first,
                          size_t *ret_length)
{
    size_t most = 0;

    for (size_t i = 0, end = 0; i < count; i++) {
        while (end < count && beginnings[end].at_us - beginnings[i].at_us <= CAMPAIGN_WINDOW_US)
            end++;
        size_t carriers = end - i > most ? count_carriers(&beginnings[i], end - i) : 0;
        if (carriers <= most)
            continue;
        most = carriers;
        *ret_first = i;
        *ret_length = end - i;
    }
    return most;
}

/* ---- what is told of a campaign ---- */

static void find_order(const struct work *work, const struct catalog *catalog,
                       struct campaign *campaign, int64_t onset_us)
{
    int64_t nearest = INT64_MAX;

    if (!catalog || campaign->class == EVENT_OUTAGE || campaign->class == EVENT_WITHDRAWN)
        return;
    for (size_t o = 0; o < catalog_order_count(catalog); o++) {
        struct order_span span = order_span_of(catalog, catalog_order_at(catalog, o));
        int64_t deadline, distance;
        if (campaign->onset.earliest_us == 0 || !order_span_holds(&span, onset_us) ||
            !order_is_about(span.order, campaign->country,
                            cells_service(work->cells, campaign->service)))
            continue;
        deadline = order_deadline_at(catalog, span.order, onset_us);
        if (deadline == CATALOG_NO_TIME)
            deadline = span.from_us;
        distance = deadline > onset_us ? deadline - onset_us : onset_us - deadline;
        if (distance >= nearest)
            continue;
        nearest = distance;
        campaign->order = span.order->id;
    }
}

static void explain(struct campaign *campaign, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void explain(struct campaign *campaign, const char *format, ...)
{
    size_t used = strlen(campaign->explanation);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(campaign->explanation + used, sizeof(campaign->explanation) - used, format,
              arguments);
    va_end(arguments);
}

static void tell(const struct work *work, struct campaign *campaign,
                 const struct beginning *members, size_t carriers)
{
    size_t ended = 0, count = campaign->event_count;

    explain(campaign, "%zu carriers", carriers);
    if (members[0].seen)
        explain(campaign, " began within %.1f hours: %s first, %s last.", campaign->spread_hours,
                cells_carrier(work->cells, members[0].is->carrier),
                cells_carrier(work->cells, members[count - 1].is->carrier));
    else
        explain(campaign, " were at it when first seen; when they began is not known.");
    if (campaign->owners == 1)
        explain(campaign, " One owner is known among them.");
    else
        explain(campaign, " %" PRIu32 " owners are known to be independent of each other.",
                campaign->owners);
    for (size_t i = 0; i < count; i++)
        ended += members[i].is->ended;
    if (ended > 0)
        explain(campaign, " %zu of %zu have ended.", ended, count);
    if (campaign->order)
        explain(campaign, " The order %s names this service, and the date fits.", campaign->order);
}

static void name_campaign(struct analysis *analysis, const struct cells *cells,
                          struct campaign *campaign)
{
    char when[CLOCK_TEXT_SIZE];
    unsigned same = 0;

    clock_format(campaign->onset.latest_us, when);
    for (unsigned attempt = 0; attempt == 0 || same > 0; attempt++) {
        same = 0;
        snprintf(campaign->id, sizeof(campaign->id), "%s.%s.%s.%.13s", campaign->country,
                 cells_service(cells, campaign->service), event_class_text(campaign->class), when);
        if (attempt > 0)
            snprintf(campaign->id + strlen(campaign->id),
                     sizeof(campaign->id) - strlen(campaign->id), ".%u", attempt + 1);
        for (size_t i = 0; i < analysis->campaign_count; i++)
            same += strcmp(analysis->campaigns[i].id, campaign->id) == 0;
    }
}

/* ---- does it speak for the country? ---- */

static bool is_bad_carrier(const struct work *work, const uint32_t *going, size_t count,
                           uint16_t carrier)
{
    for (size_t i = 0; i < count; i++)
        if (work->analysis->events[going[i]].carrier == carrier)
            return true;
    return false;
}

/* Is the service good there, over the whole campaign or (lifted again) since the last one began? */
static bool is_good_carrier(const struct work *work, const struct campaign *campaign,
                            const struct context_window *window, int64_t last_us, uint16_t carrier,
                            double share)
{
    struct context_window late = *window;
    struct context_tally whole, since;

    late.from_us = last_us;
    whole = context_pair(work->cells, work->places, carrier, campaign->service, window);
    since = context_pair(work->cells, work->places, carrier, campaign->service, &late);
    return context_judge(&whole, share) == CONTEXT_GOOD_VERDICT ||
           context_judge(&since, share) == CONTEXT_GOOD_VERDICT;
}

/* `going`: the events that go on when the last one has begun, at last_us. */
static bool speaks_for_country(const struct work *work, const struct campaign *campaign,
                               const uint32_t *going, size_t count, int64_t last_us)
{
    const struct event *first = &work->analysis->events[going[0]];
    struct context_window window = {
        .kind = campaign->class == EVENT_THROTTLED ? SERIES_SLOWED : SERIES_FAILED,
        .from_us = campaign->onset.latest_us,
        .to_us = cells_last_us(work->cells),
        .hours = first->has_hours ? first->hours : NULL,
    };
    double failures = 0, attempts = 0;

    for (size_t i = 0; i < count; i++) {
        const struct event *event = &work->analysis->events[going[i]];
        window.to_us = MIN_OF(window.to_us, end_of(work, event));
        failures += (double)event->failures;
        attempts += (double)event->attempts;
    }
    for (size_t c = 0; c < cells_carrier_count(work->cells); c++) {
        if (!same_country(work, (uint16_t)c, first->carrier) ||
            is_bad_carrier(work, going, count, (uint16_t)c))
            continue;
        if (is_good_carrier(work, campaign, &window, last_us, (uint16_t)c,
                            attempts > 0 ? failures / attempts : 1))
            return false;
    }
    return count_owners(work, going, count) >= CAMPAIGN_OWNERS;
}

static void widen_scope(struct work *work, const struct campaign *campaign, uint32_t *going)
{
    struct analysis *analysis = work->analysis;
    const uint32_t *members = &analysis->campaign_events[campaign->first_event];
    int64_t last_us = 0;
    size_t count = 0;

    for (size_t i = 0; i < campaign->event_count; i++)
        last_us = MAX_OF(last_us, analysis->events[members[i]].onset.latest_us);
    for (size_t i = 0; i < campaign->event_count; i++)
        if (end_of(work, &analysis->events[members[i]]) >= last_us)
            going[count++] = members[i];
    if (count == 0 || !speaks_for_country(work, campaign, going, count, last_us))
        return;
    for (size_t i = 0; i < count; i++)
        analysis->events[going[i]].scope = SCOPE_COUNTRY;
}

/* ---- all of them ---- */

static void add_campaign(struct work *work, const struct catalog *catalog,
                         const struct beginning *members, size_t count, size_t carriers)
{
    struct analysis *analysis = work->analysis;
    struct campaign campaign = {.class = members[0].is->class,
                                .service = (uint16_t)members[0].is->service,
                                .first_event = 0,
                                .event_count = count,
                                .onset = members[0].is->onset};

    for (size_t i = 0; i < analysis->campaign_count; i++)
        campaign.first_event += analysis->campaigns[i].event_count;
    snprintf(campaign.country, sizeof(campaign.country), "%s", members[0].country);
    for (size_t i = 0; i < count; i++) {
        const struct analysis_interval *onset = &members[i].is->onset;
        analysis->campaign_events[campaign.first_event + i] = members[i].event;
        campaign.onset.earliest_us = MIN_OF(campaign.onset.earliest_us, onset->earliest_us);
        campaign.onset.latest_us = MIN_OF(campaign.onset.latest_us, onset->latest_us);
    }
    if (members[0].seen)
        campaign.spread_hours =
            (double)(members[count - 1].at_us - members[0].at_us) / (double)HOUR_US;
    campaign.owners = count_owners(work, &analysis->campaign_events[campaign.first_event], count);
    find_order(work, catalog, &campaign, members[0].at_us);
    tell(work, &campaign, members, carriers);
    name_campaign(analysis, work->cells, &campaign);
    analysis->campaigns[analysis->campaign_count++] = campaign;
}

/* The campaigns of one kind's beginnings; uses them up. */
static void group_kind(struct work *work, const struct catalog *catalog,
                       struct beginning *beginnings, size_t count)
{
    size_t first = 0, length = 0, carriers;

    while ((carriers = find_window(beginnings, count, &first, &length)) >= 2) {
        add_campaign(work, catalog, &beginnings[first], length, carriers);
        memmove(&beginnings[first], &beginnings[first + length],
                (count - first - length) * sizeof(*beginnings));
        count -= length;
    }
}

static int compare_campaigns(const void *left, const void *right)
{
    const struct campaign *a = left, *b = right;
    if (a->onset.earliest_us != b->onset.earliest_us)
        return a->onset.earliest_us < b->onset.earliest_us ? -1 : 1;
    return strcmp(a->id, b->id);
}

static int find_campaigns(struct work *work, const struct catalog *catalog)
{
    struct analysis *analysis = work->analysis;
    size_t most = MAX_OF(analysis->event_count, 1), count = 0;
    struct beginning *beginnings = calloc(most, sizeof(*beginnings));
    uint32_t *going = calloc(most, sizeof(*going));
    int status = -ENOMEM;

    analysis->campaigns = calloc(most, sizeof(*analysis->campaigns));
    analysis->campaign_events = calloc(most, sizeof(*analysis->campaign_events));
    if (!beginnings || !going || !analysis->campaigns || !analysis->campaign_events)
        goto out;
    for (size_t i = 0; i < analysis->event_count; i++) {
        const struct event *event = &analysis->events[i];
        const char *country = cells_carrier_country(work->cells, event->carrier);
        if (event->service >= 0 && event->scope != SCOPE_LINE && country[0])
            beginnings[count++] = (struct beginning){(uint32_t)i, analysis_middle_us(&event->onset),
                                                     event, country, event->onset.earliest_us != 0};
    }
    qsort(beginnings, count, sizeof(*beginnings), compare_beginnings);
    for (size_t begin = 0, end = 0; begin < count; begin = end) {
        while (end < count && compare_kinds(&beginnings[begin], &beginnings[end]) == 0)
            end++;
        group_kind(work, catalog, &beginnings[begin], end - begin);
    }
    for (size_t i = 0; i < analysis->campaign_count; i++)
        widen_scope(work, &analysis->campaigns[i], going);
    qsort(analysis->campaigns, analysis->campaign_count, sizeof(*analysis->campaigns),
          compare_campaigns);
    status = DL_OK;
out:
    free(beginnings);
    free(going);
    return status;
}

int campaign_find(struct work *work, const struct catalog *catalog)
{
    struct analysis *analysis = work->analysis;
    int status = DL_OK;

    for (size_t i = 0; status == DL_OK && i < analysis->event_count; i++)
        if (analysis->events[i].wants_agreement)
            status = raise_grade(work, catalog, &analysis->events[i]);
    if (status == DL_OK)
        status = find_campaigns(work, catalog);
    if (status == DL_OK && catalog)
        status = order_rows(work, catalog);
    return status;
}
