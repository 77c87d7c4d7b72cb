// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/detect/analysis.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/detect/absence.h"
#include "analyzer/detect/campaign.h"
#include "analyzer/detect/classify.h"
#include "analyzer/detect/event_facts.h"
#include "analyzer/detect/shutdown.h"
#include "analyzer/detect/states.h"
#include "analyzer/detect/throttle.h"
#include "base/array.h"
#include "base/clock.h"

/* ---- words ---- */

const char *event_class_text(enum event_class class)
{
    static const char *const texts[] = {"blocked", "throttled", "withdrawn", "unreachable",
                                        "outage",  "shutdown",  "vanished"};
    return texts[class];
}

const char *event_grade_text(enum event_grade grade)
{
    return grade == GRADE_CONFIRMED ? "confirmed" : "likely";
}

const char *event_scope_text(enum event_scope scope)
{
    static const char *const texts[] = {"line", "carrier", "country"};
    return texts[scope];
}

const char *line_state_text(enum line_state state)
{
    static const char *const texts[] = {"insufficient",   "ok",      "impaired",
                                        "likely_blocked", "blocked", "down"};
    return texts[state];
}

const char *order_verdict_text(enum order_verdict verdict)
{
    static const char *const texts[] = {"insufficient", "not observed", "complied", "not named"};
    return texts[verdict];
}

/* ---- the work ---- */

static int candidate_push(struct work *work, const struct candidate *candidate)
{
    if (work->count == work->capacity) {
        size_t capacity = MAX_OF(64, 2 * work->capacity);
        struct candidate *grown = realloc(work->candidates, capacity * sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        work->candidates = grown;
        work->capacity = capacity;
    }
    work->candidates[work->count++] = *candidate;
    return DL_OK;
}

/* The stretches of one pair as candidates; `hint` as for segment_find(). */
static int add_stretches(struct work *work, uint16_t carrier, uint16_t service,
                         enum series_kind kind, const bool *hint)
{
    struct segment *found = work->segments;
    struct series series;
    size_t count = 0;
    double base;
    int status = series_build(work->cells, work->places, carrier, service, kind, 0, &series);

    if (status != DL_OK)
        return status;
    if (series.count > 0) {
        work->tested++;
        status = segment_find(series.votes, series.count, segment_threshold(series.attempts_a_week),
                              series.voices >= 2, hint, found, &count, &base);
    }
    for (size_t i = 0; status == DL_OK && i < count; i++) {
        struct candidate candidate = {.carrier = carrier, .service = service, .kind = kind};
        candidate.segment = found[i];
        status = candidate_push(work, &candidate);
    }
    series_finish(&series);
    return status;
}

static int find_stretches(struct work *work)
{
    int status = DL_OK;

    for (size_t c = 0; status == DL_OK && c < cells_carrier_count(work->cells); c++)
        for (size_t s = 0; status == DL_OK && s < cells_service_count(work->cells); s++)
            for (int kind = SERIES_FAILED; status == DL_OK && kind <= SERIES_SLOWED; kind++)
                status =
                    add_stretches(work, (uint16_t)c, (uint16_t)s, (enum series_kind)kind, NULL);
    return status;
}

/* What keeps to hours on one carrier may keep to them on another. */
static int try_others_hours(struct work *work)
{
    const struct cells *cells = work->cells;
    size_t before = work->count;
    int status = DL_OK;

    for (size_t i = 0; status == DL_OK && i < before; i++) {
        const struct candidate from = work->candidates[i];
        bool done = false;
        if (!from.segment.has_hours)
            continue;
        for (size_t j = 0; status == DL_OK && j < before; j++) {
            const struct candidate *to = &work->candidates[j];
            uint16_t carrier = to->carrier;
            if (to->carrier == from.carrier || to->service != from.service ||
                to->kind != from.kind || to->segment.has_hours || done ||
                strcmp(cells_carrier_country(cells, to->carrier),
                       cells_carrier_country(cells, from.carrier)) != 0)
                continue;
            /* Found anew, with the hint; what was found without goes. */
            size_t kept = 0;
            for (size_t k = 0; k < work->count; k++)
                if (work->candidates[k].carrier != carrier ||
                    work->candidates[k].service != from.service ||
                    work->candidates[k].kind != from.kind)
                    work->candidates[kept++] = work->candidates[k];
            work->count = kept;
            before = kept;
            work->tested--;
            status = add_stretches(work, carrier, from.service, from.kind, from.segment.hours);
            done = true;
        }
    }
    return status;
}

static int compare_candidates(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;
    if (a->carrier != b->carrier)
        return a->carrier < b->carrier ? -1 : 1;
    if (a->service != b->service)
        return a->service < b->service ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return (a->segment.first > b->segment.first) - (a->segment.first < b->segment.first);
}

/* Did all carriers of the country that fail now begin within hours? */
static bool is_synchronous(const struct work *work, const struct candidate *candidate)
{
    const char *country = cells_carrier_country(work->cells, candidate->carrier);

    for (size_t i = 0; i < work->count; i++) {
        const struct candidate *other = &work->candidates[i];
        if (other->service != candidate->service || other->kind != candidate->kind ||
            strcmp(cells_carrier_country(work->cells, other->carrier), country) != 0 ||
            other->bad_from_us > candidate->bad_to_us || candidate->bad_from_us > other->bad_to_us)
            continue;
        if (other->segment.onset_earliest_us >
                candidate->segment.onset_latest_us + CANDIDATE_TOGETHER_US ||
            candidate->segment.onset_earliest_us >
                other->segment.onset_latest_us + CANDIDATE_TOGETHER_US)
            return false;
    }
    return true;
}

/* ---- candidates to events ---- */

int64_t analysis_middle_us(const struct analysis_interval *interval)
{
    return interval->earliest_us == 0
               ? interval->latest_us
               : interval->earliest_us + (interval->latest_us - interval->earliest_us) / 2;
}

bool analysis_event_overlaps(const struct event *event, int64_t from_us, int64_t to_us)
{
    return event->onset.latest_us <= to_us && (!event->ended || event->end.earliest_us >= from_us);
}

struct event *analysis_event_new(struct work *work)
{
    struct analysis *analysis = work->analysis;

    if (analysis->event_count == ANALYSIS_EVENTS_MAX) {
        analysis->dropped++;
        return NULL;
    }
    struct event *event = &analysis->events[analysis->event_count++];
    memset(event, 0, sizeof(*event));
    event->mechanism = -1;
    return event;
}

static void take_numbers(struct event *event, const struct candidate *c)
{
    const struct segment *s = &c->segment;

    event->carrier = c->carrier;
    event->service = c->service;
    event->onset = (struct analysis_interval){s->at_first_sight ? 0 : s->onset_earliest_us,
                                              s->onset_latest_us};
    event->ended = s->ended;
    event->end = (struct analysis_interval){s->end_earliest_us, s->end_latest_us};
    event->alarm_us = s->alarm_us;
    event->has_hours = s->has_hours;
    memcpy(event->hours, s->hours, sizeof(event->hours));
    event->log_odds = s->gain;
    event->attempts = c->attempts;
    event->failures = c->failures;
    event->proven = c->proven;
    event->clients = c->clients;
    event->voices = c->voices;
    event->vantages = c->vantages;
    event->failing_voice_hours = c->failing_voice_hours;
    event->interval = stat_wilson((double)c->failures, (double)c->attempts);
    event->baseline_attempts = c->baseline_attempts;
    event->baseline_failures = c->baseline_failures;
}

static int make_shutdowns(struct work *work, const enum classify_result *results)
{
    size_t count = work->count;
    const struct candidate **wide = malloc(MAX_OF(count, 1) * sizeof(const struct candidate *));
    bool *used = malloc(MAX_OF(count, 1));
    int status = wide && used ? DL_OK : -ENOMEM;

    for (size_t c = 0; status == DL_OK && c < cells_carrier_count(work->cells); c++) {
        size_t found = 0;
        for (size_t i = 0; i < count; i++)
            if (work->candidates[i].carrier == c && results[i] == CLASSIFY_CARRIER_WIDE)
                wide[found++] = &work->candidates[i];
        while (found > 0) {
            struct event event = {.mechanism = -1};
            size_t left = 0;
            if (!shutdown_find(wide, found, &event, used))
                break;
            struct event *kept = analysis_event_new(work);
            if (kept)
                *kept = event;
            for (size_t i = 0; i < found; i++)
                if (!used[i])
                    wide[left++] = wide[i];
            found = left;
        }
    }
    free(wide);
    free(used);
    return status;
}

static int make_events(struct work *work)
{
    enum classify_result *results = calloc(MAX_OF(work->count, 1), sizeof(*results));
    double *evalues = malloc(MAX_OF(work->count, 1) * sizeof(*evalues));
    bool *keep = malloc(MAX_OF(work->count, 1));
    int status = results && evalues && keep ? DL_OK : -ENOMEM;

    for (size_t i = 0; status == DL_OK && i < work->count; i++)
        evalues[i] = work->candidates[i].log_evalue;
    if (status == DL_OK)
        stat_keep(evalues, work->count, work->tested, ANALYSIS_FALSE_RATE, keep);
    for (size_t i = 0; status == DL_OK && i < work->count; i++) {
        struct candidate *candidate = &work->candidates[i];
        struct event event = {.mechanism = -1};
        results[i] = CLASSIFY_TOO_LITTLE;
        if (!keep[i]) {
            work->analysis->dropped++;
            continue;
        }
        take_numbers(&event, candidate);
        results[i] = classify_candidate(candidate, &event);
        if (results[i] != CLASSIFY_EVENT)
            continue;
        struct event *kept = analysis_event_new(work);
        if (kept)
            *kept = event;
    }
    if (status == DL_OK)
        status = make_shutdowns(work, results);
    free(results);
    free(evalues);
    free(keep);
    return status;
}

/* ---- order and names ---- */

static int compare_events(const void *left, const void *right)
{
    const struct event *a = left, *b = right;
    if (a->onset.earliest_us != b->onset.earliest_us)
        return a->onset.earliest_us < b->onset.earliest_us ? -1 : 1;
    if (a->carrier != b->carrier)
        return a->carrier < b->carrier ? -1 : 1;
    if (a->service != b->service)
        return a->service < b->service ? -1 : 1;
    if (a->class != b->class)
        return a->class < b->class ? -1 : 1;
    return (a->onset.latest_us > b->onset.latest_us) - (a->onset.latest_us < b->onset.latest_us);
}

static void name_event(struct event *event, const struct cells *cells)
{
    char when[CLOCK_TEXT_SIZE];

    clock_format(event->onset.latest_us, when);
    snprintf(event->id, sizeof(event->id), "%s.%s.%s.%.13s", cells_carrier(cells, event->carrier),
             event->service < 0 ? "all" : cells_service(cells, (uint16_t)event->service),
             event_class_text(event->class), when);
}

int analysis_run(const struct cells *cells, const struct analysis_places *places,
                 struct analysis **ret_analysis)
{
    struct work work = {.cells = cells, .places = places};
    int status = -ENOMEM;

    work.analysis = calloc(1, sizeof(*work.analysis));
    work.segments = malloc(SEGMENTS_MAX * sizeof(*work.segments));
    if (!work.analysis || !work.segments)
        goto out;
    work.analysis->events = calloc(ANALYSIS_EVENTS_MAX, sizeof(*work.analysis->events));
    if (!work.analysis->events)
        goto out;
    status = find_stretches(&work);
    if (status == DL_OK)
        status = try_others_hours(&work);
    if (status != DL_OK)
        goto out;
    if (work.count > 0)
        qsort(work.candidates, work.count, sizeof(*work.candidates), compare_candidates);
    for (size_t i = 0; i < work.count; i++)
        candidate_measure(&work.candidates[i], cells, places);
    for (size_t i = 0; i < work.count; i++)
        work.candidates[i].synchronous = is_synchronous(&work, &work.candidates[i]);
    status = make_events(&work);
    if (status == DL_OK)
        status = throttle_find(&work);
    work.analysis->series_tested = work.tested;
    if (status == DL_OK)
        status = absence_find_vanished(&work);
    if (status == DL_OK)
        status = absence_find_dark(&work);
    if (status != DL_OK)
        goto out;
    qsort(work.analysis->events, work.analysis->event_count, sizeof(struct event), compare_events);
    for (size_t i = 0; i < work.analysis->event_count; i++) {
        event_facts_fill(&work, &work.analysis->events[i]);
        name_event(&work.analysis->events[i], cells);
    }
    status = campaign_find(&work, places->catalog);
    if (status == DL_OK)
        status = states_find(&work);
out:
    free(work.candidates);
    free(work.segments);
    if (status == DL_OK)
        *ret_analysis = work.analysis;
    else
        analysis_destroy(work.analysis);
    return status;
}

void analysis_destroy(struct analysis *analysis)
{
    if (!analysis)
        return;
    free(analysis->events);
    free(analysis->campaigns);
    free(analysis->campaign_events);
    free(analysis->orders);
    free(analysis->states);
    free(analysis);
}
