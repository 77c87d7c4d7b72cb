// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the report says first. An order that was carried out goes before everything; then what is
 * confirmed; then an order whose deadline the data hold and that nobody is seen to obey; then what is
 * likely; then nothing, where enough was seen and nothing had to be withheld; else not enough.
 * Orders that stand for years would be "not observed" on every report: only one whose time runs out
 * within the data makes a headline of it.
 */
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "reports/findings/findings_internal.h"

#define OWNERS_OF_COUNTRY 3
#define OWNERS_COUNTED    64
#define LOST_MUCH         0.01
#define GAPS_MUCH         0.1 /* of the hours between first and last */
#define QUALITY_OF_FEW    2   /* at most, where there is too little to tell anything from */

/* ---- which events it is about ---- */

struct about { /* the events of the headline */
    const size_t *events;
    size_t count;
};

static bool is_worse(const struct findings *findings, size_t a, size_t b)
{
    const struct findings_event *x = &findings->events[a], *y = &findings->events[b];

    if (x->strength != y->strength)
        return x->strength > y->strength;
    return x->event->log_odds > y->event->log_odds;
}

static size_t worst_of(const struct findings *findings, const struct about *about)
{
    size_t worst = FINDINGS_NONE;

    for (size_t i = 0; i < about->count; i++)
        if (worst == FINDINGS_NONE || is_worse(findings, about->events[i], worst))
            worst = about->events[i];
    return worst;
}

/* Carriers that began within the order's time, and were seen to begin. */
static size_t complied_with(const struct findings_order *order, bool seen)
{
    size_t count = 0;

    for (size_t i = 0; i < order->row_count; i++)
        count += order->rows[i].verdict == ORDER_COMPLIED &&
                 (!seen || order->rows[i].onset.earliest_us != 0);
    return count;
}

static size_t obeyed_order(const struct findings *findings)
{
    size_t best = FINDINGS_NONE, most = 0;

    for (size_t i = 0; i < findings->order_count; i++) {
        size_t complied = complied_with(&findings->orders[i], true);
        if (complied > most) {
            most = complied;
            best = i;
        }
    }
    return best;
}

/* The largest campaign, of that order where one is given; of equals the stronger, then the first. */
static size_t largest_campaign(const struct findings *findings, const char *order)
{
    size_t best = FINDINGS_NONE;

    for (size_t i = 0; i < findings->campaign_count; i++) {
        const struct findings_campaign *campaign = &findings->campaigns[i];
        if (order && (!campaign->order || strcmp(campaign->order, order) != 0))
            continue;
        if (best == FINDINGS_NONE || campaign->event_count > findings->campaigns[best].event_count)
            best = i;
    }
    return best;
}

static bool any_confirmed(const struct findings *findings)
{
    for (size_t i = 0; i < findings->event_count; i++)
        if (findings->events[i].strength == STRENGTH_CONFIRMED)
            return true;
    return false;
}

/* Nobody is seen to obey, somebody is seen not to, and the deadline lies in the data. */
static bool is_ignored(const struct findings *findings, const struct findings_order *order)
{
    size_t not_observed = 0;

    if (order->times.due_us == CATALOG_NO_TIME || order->times.due_us <= findings->first_us ||
        order->times.due_us >= findings->last_us)
        return false;
    for (size_t i = 0; i < order->row_count; i++) {
        if (order->rows[i].verdict == ORDER_COMPLIED || order->rows[i].in_campaign)
            return false;
        not_observed += order->rows[i].verdict == ORDER_NOT_OBSERVED;
    }
    return not_observed > 0;
}

static size_t ignored_order(const struct findings *findings)
{
    for (size_t i = 0; i < findings->order_count; i++)
        if (is_ignored(findings, &findings->orders[i]))
            return i;
    return FINDINGS_NONE;
}

/* Does the headline's sentence hold of this event as of the worst one? */
static bool is_alike(const struct findings_event *event, const struct findings_event *worst)
{
    return event->event->class == worst->event->class &&
           (event->service == worst->service ||
            (event->service && worst->service && strcmp(event->service, worst->service) == 0));
}

/*
 * One sentence speaks of all of them, with one strength and a number of carriers. So they are of one
 * class and service; and where two are confirmed, what is only likely of a third is not said with
 * them: it stands below, with its own strength.
 */
static int narrow(struct findings_inner *inner, struct about *about)
{
    const struct findings *findings = inner->findings;
    size_t *events = memory_array(&inner->memory, about->count, sizeof(*events));
    size_t worst = worst_of(findings, about), confirmed = 0, count = 0;

    if (!events)
        return -ENOMEM;
    for (size_t i = 0; i < about->count; i++)
        if (is_alike(&findings->events[about->events[i]], &findings->events[worst])) {
            events[count++] = about->events[i];
            confirmed += findings->events[about->events[i]].strength == STRENGTH_CONFIRMED;
        }
    *about = (struct about){events, 0};
    for (size_t i = 0; i < count; i++)
        if (confirmed < 2 || findings->events[events[i]].strength == STRENGTH_CONFIRMED)
            events[about->count++] = events[i];
    return DL_OK;
}

/* ---- what is said of them ---- */

/* Of several: as strong as the second, for one carrier's strength is not another's. */
static enum findings_strength strength_of(const struct findings *findings,
                                          const struct about *about)
{
    unsigned confirmed = 0;
    enum findings_strength most = STRENGTH_WEAK;

    for (size_t i = 0; i < about->count; i++) {
        enum findings_strength strength = findings->events[about->events[i]].strength;
        confirmed += strength == STRENGTH_CONFIRMED;
        most = MAX_OF(most, strength);
    }
    if (about->count > 1 && confirmed == 1)
        return STRENGTH_STRONG;
    return most;
}

struct owners {
    const char *names[OWNERS_COUNTED];
    size_t count;
};

/* Who has no known owner is independent of nobody. */
static void owners_add(struct owners *owners, const char *owner)
{
    for (size_t i = 0; i < owners->count; i++)
        if (owner && strcmp(owners->names[i], owner) == 0)
            return;
    if (owner && owners->count < OWNERS_COUNTED)
        owners->names[owners->count++] = owner;
}

static const char *owner_at(const struct findings *findings, const char *carrier, int64_t time_us)
{
    const struct catalog_carrier *known = catalog_carrier_find(findings->options->catalog, carrier);

    return known ? catalog_carrier_owner_at(known, MAX_OF(time_us, 1)) : NULL;
}

static bool is_named_before(const struct findings *findings, const struct about *about, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (strcmp(findings->events[about->events[i]].carrier,
                   findings->events[about->events[at]].carrier) == 0)
            return true;
    return false;
}

static void tell_events(struct findings *findings, const struct about *about)
{
    struct owners owners = {.count = 0};
    const struct findings_event *first = &findings->events[about->events[0]];
    bool unseen = false;

    findings->country = first->country;
    findings->service = first->service;
    for (size_t i = 0; i < about->count; i++) {
        const struct findings_event *event = &findings->events[about->events[i]];
        if (strcmp(event->country, first->country) != 0)
            findings->country = NULL;
        if (!event->service || !first->service || strcmp(event->service, first->service) != 0)
            findings->service = NULL;
        unseen |= event->onset.earliest_us == 0;
        findings->onset.earliest_us =
            findings->onset.earliest_us && event->onset.earliest_us
                ? MIN_OF(findings->onset.earliest_us, event->onset.earliest_us)
                : MAX_OF(findings->onset.earliest_us, event->onset.earliest_us);
        findings->onset.latest_us = MAX_OF(findings->onset.latest_us, event->onset.latest_us);
        if (!is_named_before(findings, about, i)) {
            findings->carriers_affected++;
            owners_add(&owners, owner_at(findings, event->carrier, event->onset.latest_us));
        }
    }
    if (unseen)
        findings->onset.earliest_us = 0;
    findings->owners_affected = owners.count;
    findings->strength = strength_of(findings, about);
    findings->headline_event = worst_of(findings, about);
    findings->speaks_for_country = findings->country && owners.count >= OWNERS_OF_COUNTRY;
}

/* Is the pair of the headline's service, or of any where it has none? */
static bool is_of_headline(const struct findings *findings, const struct findings_pair *pair)
{
    if (pair->class == CLASS_CONTROL)
        return false;
    if (findings->service)
        return strcmp(pair->service, findings->service) == 0;
    return findings->headline_order == FINDINGS_NONE ||
           catalog_order_names(findings->orders[findings->headline_order].order, pair->service);
}

/* Carriers of the country that have data of it; and where nothing is claimed, whose it is to say so. */
static void count_carriers(struct findings *findings)
{
    struct owners owners = {.count = 0};
    bool none =
        findings->headline == HEADLINE_NOTHING || findings->headline == HEADLINE_ORDER_NOT_OBSERVED;

    for (size_t c = 0; c < findings->carrier_count; c++) {
        const struct findings_group *carrier = &findings->carriers[c];
        bool seen = false, can_tell = false;
        if (findings->country && strcmp(carrier->country, findings->country) != 0)
            continue;
        for (size_t i = 0; i < findings->pair_count; i++) {
            const struct findings_pair *pair = &findings->pairs[i];
            if (strcmp(pair->carrier, carrier->id) != 0 || !is_of_headline(findings, pair))
                continue;
            seen = true;
            can_tell |= pair->strength == STRENGTH_NONE;
        }
        findings->carriers_seen += seen;
        if (can_tell)
            owners_add(&owners, owner_at(findings, carrier->id, carrier->last_us));
    }
    if (none)
        findings->speaks_for_country = findings->country && owners.count >= OWNERS_OF_COUNTRY;
}

/* Of cells that are given out, so that it says nothing of others; while what is said went on. */
static void count_abroad(struct findings_inner *inner, const struct about *about)
{
    struct findings *findings = inner->findings;
    int64_t from_us = findings->onset.latest_us ? findings->onset.latest_us : findings->first_us;
    int64_t to_us = about->count > 0 ? 0 : findings->last_us;
    uint64_t attempts = 0, failures = 0;

    for (size_t i = 0; i < about->count; i++) {
        const struct findings_event *event = &findings->events[about->events[i]];
        to_us = MAX_OF(to_us, event->event->ended ? event->end.earliest_us : findings->last_us);
    }
    for (size_t s = 0; s < inner->series_count; s++) {
        const struct series_cells *series = &inner->series[s];
        const char *country = cells_carrier_country(findings->cells, series->carrier);
        if (!findings->country || !findings->service || !country[0] ||
            strcmp(country, findings->country) == 0 ||
            strcmp(cells_service(findings->cells, series->service), findings->service) != 0)
            continue;
        for (size_t i = 0; i < series->count; i++)
            if (series->flags[i] == 0 && series->cells[i].hour_us >= from_us &&
                series->cells[i].hour_us < to_us) {
                attempts += series->cells[i].attempts;
                failures += series->cells[i].failures;
            }
    }
    findings->abroad = findings_share_of(failures, attempts);
}

/* The one country, the one service that all pairs are of; NULL. */
static void tell_place(struct findings *findings)
{
    bool first = true;

    for (size_t i = 0; i < findings->pair_count; i++) {
        const struct findings_pair *pair = &findings->pairs[i];
        if (pair->class == CLASS_CONTROL)
            continue;
        if (first) {
            findings->country = pair->country;
            findings->service = pair->service;
            first = false;
        }
        if (findings->country && strcmp(findings->country, pair->country) != 0)
            findings->country = NULL;
        if (findings->service && strcmp(findings->service, pair->service) != 0)
            findings->service = NULL;
    }
    if (findings->country && !findings->country[0])
        findings->country = NULL;
}

/* ---- the quality of the data ---- */

static bool has_control(const struct findings *findings, const struct findings_event *event,
                        bool here)
{
    for (size_t i = 0; event && i < event->control_count; i++) {
        const char *kind = event->controls[i].kind;
        bool of_carrier = strcmp(kind, "same-carrier") == 0 || strcmp(kind, "same-server") == 0;
        if (of_carrier == here && strcmp(event->controls[i].verdict, "insufficient") != 0)
            return true;
    }
    if (event)
        return false;
    if (here)
        return findings->controls.attempts > 0;
    for (size_t i = 1; i < findings->carrier_count; i++)
        if (strcmp(findings->carriers[i].id, findings->carriers[0].id) != 0)
            return true;
    return false;
}

static void tell_quality(struct findings *findings, const struct about *about)
{
    uint64_t lost = 0, packets = 0, watched = 0, gaps = 0;
    const struct findings_event *event = findings->headline_event == FINDINGS_NONE
                                             ? NULL
                                             : &findings->events[findings->headline_event];
    int quality = 5;

    for (size_t i = 0; i < findings->line_count; i++) {
        const struct findings_line *line = &findings->lines[i];
        lost += line->lost;
        packets += line->packets;
        watched += line->watched_hours;
        gaps += line->gap_hours;
        findings->quality_clock |= line->clock == CLOCK_UNSYNCHRONISED;
        findings->quality_imported |= line->origin == ORIGIN_IMPORTED;
    }
    findings->quality_one_vantage = event ? event->event->vantages < 2 : findings->line_count < 2;
    findings->quality_no_control = !has_control(findings, event, true);
    findings->quality_no_elsewhere = !has_control(findings, event, false);
    findings->quality_lost = (double)lost > LOST_MUCH * (double)(packets + lost);
    findings->quality_gaps = (double)gaps > GAPS_MUCH * (double)(watched + gaps);
    quality -= findings->quality_clock + findings->quality_imported +
               findings->quality_one_vantage + findings->quality_no_control +
               findings->quality_no_elsewhere;
    if (!event)
        quality -= findings->quality_lost + findings->quality_gaps;
    findings->quality_few = findings->headline == HEADLINE_NOT_ENOUGH;
    if (findings->quality_few)
        quality = MIN_OF(quality, QUALITY_OF_FEW);
    findings->quality = (uint8_t)MAX_OF(quality, 1);
    for (size_t i = 0; i < about->count; i++) {
        uint8_t other = findings->events[about->events[i]].event->quality;
        findings->quality = i == 0 ? other : MIN_OF(findings->quality, other);
    }
}

/* ---- the choice ---- */

static bool enough_was_seen(const struct findings *findings)
{
    if (findings->withheld_events > 0)
        return false;
    for (size_t i = 0; i < findings->pair_count; i++)
        if (findings->pairs[i].class != CLASS_CONTROL &&
            findings->pairs[i].strength == STRENGTH_NONE)
            return true;
    return false;
}

/* Those of the order's campaign, and those of its carriers that are in none. */
static struct about events_of_order(struct findings_inner *inner)
{
    struct findings *findings = inner->findings;
    const struct findings_order *order = &findings->orders[findings->headline_order];
    size_t *events = memory_array(&inner->memory, order->row_count, sizeof(*events)), count = 0;

    for (size_t i = 0; events && i < order->row_count; i++)
        if (order->rows[i].event != FINDINGS_NONE &&
            (order->rows[i].in_campaign || order->rows[i].verdict == ORDER_COMPLIED))
            events[count++] = order->rows[i].event;
    findings->carriers_complied = complied_with(order, false);
    return (struct about){events, count};
}

/* Of several that have nothing to do with each other the strongest speaks. */
static struct about strongest_event(struct findings_inner *inner)
{
    struct findings *findings = inner->findings;
    size_t *event = memory_array(&inner->memory, 1, sizeof(*event));

    for (size_t i = 1; event && i < findings->event_count; i++)
        if (is_worse(findings, i, *event))
            *event = i;
    return (struct about){event, event ? 1 : 0};
}

static struct about choose(struct findings_inner *inner)
{
    struct findings *findings = inner->findings;
    size_t ignored = ignored_order(findings);
    struct about about = {NULL, 0};

    findings->headline_order = obeyed_order(findings);
    if (findings->headline_order != FINDINGS_NONE) {
        findings->headline = HEADLINE_ORDER_CARRIED_OUT;
        findings->headline_campaign =
            largest_campaign(findings, findings->orders[findings->headline_order].order->id);
        return events_of_order(inner);
    }
    if (ignored != FINDINGS_NONE && !any_confirmed(findings)) {
        findings->headline = HEADLINE_ORDER_NOT_OBSERVED;
        findings->headline_order = ignored;
        return about;
    }
    findings->headline_campaign = largest_campaign(findings, NULL);
    if (findings->headline_campaign != FINDINGS_NONE) {
        const struct findings_campaign *campaign =
            &findings->campaigns[findings->headline_campaign];
        findings->headline = HEADLINE_CAMPAIGN;
        return (struct about){campaign->events, campaign->event_count};
    }
    if (findings->event_count > 0) {
        findings->headline = findings->event_count == 1 ? HEADLINE_EVENT : HEADLINE_EVENTS;
        return strongest_event(inner);
    }
    findings->headline = enough_was_seen(findings) ? HEADLINE_NOTHING : HEADLINE_NOT_ENOUGH;
    return about;
}

int findings_find_headline(struct findings_inner *inner)
{
    struct findings *findings = inner->findings;
    struct about about;

    findings->headline_event = findings->headline_campaign = findings->headline_order =
        FINDINGS_NONE;
    about = choose(inner);
    if (about.count > 0) {
        int status = narrow(inner, &about);
        if (status != DL_OK)
            return status;
        findings->headline_events = about.events;
        findings->headline_event_count = about.count;
        tell_events(findings, &about);
    } else {
        tell_place(findings);
        findings->strength =
            findings->headline == HEADLINE_NOT_ENOUGH ? STRENGTH_NOT_MEASURABLE : STRENGTH_NONE;
    }
    if (findings->headline == HEADLINE_ORDER_NOT_OBSERVED) {
        const struct catalog_order *order = findings->orders[findings->headline_order].order;
        findings->country = order->country;
        findings->service = order->service_count == 1 ? order->services[0] : NULL;
    }
    count_carriers(findings);
    count_abroad(inner, &about);
    tell_quality(findings, &about);
    return DL_OK;
}
