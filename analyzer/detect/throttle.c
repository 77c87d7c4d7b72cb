// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/detect/throttle.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/detect/classify.h"
#include "analyzer/detect/pace_compare.h"
#include "base/array.h"

#define HOUR_US INT64_C(3600000000)
#define DAY_US  (24 * HOUR_US)
#define WEEK_US (7 * DAY_US)

/* One sample of the pair, judged. */
struct sample {
    struct cell_pace pace;
    int64_t hour_us;
    bool slow;
    bool by_nature_too; /* compared with what is to be expected here */
};

/* The question about one pair and one kind of elsewhere. */
struct question {
    struct work *work;
    const struct pace_table *table;
    uint16_t carrier, service;
    enum pace_elsewhere where;
    const char *country;
    struct sample *samples; /* by hour, line, voice; those with something to compare */
    size_t count;
    struct segment_vote *votes;
    size_t vote_count;
    bool two_voices;
};

/* What may become an event. */
struct finding {
    struct event event;
    double gain;
};
struct findings {
    struct finding *items;
    size_t count, capacity;
};

/* ---- which flows were slow ---- */

static bool is_slower(enum pace_measure measure, double value, double than)
{
    return measure == PACE_GOODPUT ? value * THROTTLE_SLOWER < than : value > than * THROTTLE_LATER;
}

/* False where there is nothing to compare it with. */
static bool judge_sample(struct sample *sample, const struct pace_ordinary *ordinary)
{
    bool known = false;

    for (int m = 0; m < PACE_MEASURES; m++) {
        enum pace_measure measure = (enum pace_measure)m;
        double value = pace_value(&sample->pace, measure);
        const double than[] = {ordinary->controls[m], ordinary->elsewhere[m],
                               ordinary->expected[m]};
        bool slow = true;
        if (value <= 0 || (than[0] <= 0 && than[1] <= 0))
            continue;
        known = true;
        sample->by_nature_too |= than[2] > 0;
        for (size_t i = 0; i < ARRAY_LENGTH(than); i++)
            slow &= than[i] <= 0 || is_slower(measure, value, than[i]);
        sample->slow |= slow;
    }
    return known;
}

static int compare_samples(const void *left, const void *right)
{
    const struct sample *a = left, *b = right;
    if (a->hour_us != b->hour_us)
        return a->hour_us < b->hour_us ? -1 : 1;
    if (a->pace.line != b->pace.line)
        return a->pace.line < b->pace.line ? -1 : 1;
    if (a->pace.voice != b->pace.voice)
        return a->pace.voice < b->pace.voice ? -1 : 1;
    return (a->pace.start_us > b->pace.start_us) - (a->pace.start_us < b->pace.start_us);
}

static int judge_samples(struct question *question)
{
    const struct cells *cells = question->work->cells;
    struct pace_ordinary ordinary = {0};
    int64_t day = INT64_MIN;
    size_t count;
    const struct cell_pace *pace = cells_paces(cells, question->carrier, question->service, &count);

    question->samples = calloc(MAX_OF(count, 1), sizeof(*question->samples));
    question->votes = calloc(MAX_OF(count, 1), sizeof(*question->votes));
    if (!question->samples || !question->votes)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        struct sample sample = {.pace = pace[i],
                                .hour_us = pace[i].start_us - pace[i].start_us % HOUR_US};
        if (pace[i].start_us / DAY_US != day) {
            day = pace[i].start_us / DAY_US;
            int status = pace_find_ordinary(question->table, question->carrier, question->service,
                                            question->where, pace[i].start_us, &ordinary);
            if (status != DL_OK)
                return status;
        }
        if (!series_is_tap(cells_line(cells, pace[i].line)))
            sample.pace.voice = 0; /* a home is one voice, whatever its devices */
        if (judge_sample(&sample, &ordinary))
            question->samples[question->count++] = sample;
    }
    if (question->count > 0)
        qsort(question->samples, question->count, sizeof(*question->samples), compare_samples);
    return DL_OK;
}

/* ---- votes ---- */

static void vote_see(struct segment_vote *vote, const struct sample *sample)
{
    int64_t at = sample->pace.start_us;
    int64_t *first = sample->slow ? &vote->first_bad_us : &vote->first_good_us;
    int64_t *last = sample->slow ? &vote->last_bad_us : &vote->last_good_us;

    vote->from_us = vote->from_us == 0 ? at : MIN_OF(vote->from_us, at);
    vote->to_us = MAX_OF(vote->to_us, at);
    *first = *first == 0 ? at : MIN_OF(*first, at);
    *last = MAX_OF(*last, at);
}

static void vote_add(struct segment_vote *sum, const struct segment_vote *vote)
{
    if (vote->votes <= 0)
        return;
    sum->votes += vote->votes;
    sum->bad += vote->bad;
    sum->good_voices += vote->good_voices;
    sum->bad_voices += vote->bad_voices;
    sum->from_us = sum->from_us == 0 ? vote->from_us : MIN_OF(sum->from_us, vote->from_us);
    sum->to_us = MAX_OF(sum->to_us, vote->to_us);
    if (vote->first_good_us)
        sum->first_good_us = sum->first_good_us == 0
                                 ? vote->first_good_us
                                 : MIN_OF(sum->first_good_us, vote->first_good_us);
    if (vote->first_bad_us)
        sum->first_bad_us = sum->first_bad_us == 0 ? vote->first_bad_us
                                                   : MIN_OF(sum->first_bad_us, vote->first_bad_us);
    sum->last_good_us = MAX_OF(sum->last_good_us, vote->last_good_us);
    sum->last_bad_us = MAX_OF(sum->last_bad_us, vote->last_bad_us);
}

/* The vote of one line in one hour, one a voice; *at moves behind it. */
static struct segment_vote vote_of_line(const struct question *question, size_t *at)
{
    const struct sample *samples = question->samples, *head = &samples[*at];
    struct segment_vote vote = {0};

    while (*at < question->count && samples[*at].hour_us == head->hour_us &&
           samples[*at].pace.line == head->pace.line) {
        uint64_t voice = samples[*at].pace.voice;
        unsigned flows = 0, slow = 0;
        for (; *at < question->count && samples[*at].hour_us == head->hour_us &&
               samples[*at].pace.line == head->pace.line && samples[*at].pace.voice == voice;
             (*at)++) {
            flows++;
            slow += samples[*at].slow;
            vote_see(&vote, &samples[*at]);
        }
        vote.votes += 1;
        vote.bad += (double)slow / flows;
        vote.bad_voices += slow > 0;
        vote.good_voices += slow < flows;
    }
    return vote;
}

static void count_votes(struct question *question)
{
    const struct cells *cells = question->work->cells;

    for (size_t i = 0; i < question->count;) {
        int64_t hour_us = question->samples[i].hour_us;
        struct segment_vote vote = {0}, best = {0};
        while (i < question->count && question->samples[i].hour_us == hour_us) {
            bool tap = series_is_tap(cells_line(cells, question->samples[i].pace.line));
            struct segment_vote of_line = vote_of_line(question, &i);
            if (!tap)
                vote_add(&vote, &of_line);
            else if (of_line.votes > best.votes)
                best = of_line; /* taps of one carrier may see the same people */
        }
        vote_add(&vote, &best);
        vote.local_hour = series_local_hour(question->work->places, question->country, hour_us);
        question->two_voices |= vote.votes > 1.5;
        question->votes[question->vote_count++] = vote;
    }
}

/* ---- the event ---- */

struct line_tally {
    uint64_t flows, slow;
    uint32_t busiest; /* voices with slow flows in one hour */
};

static void count_line(const struct work *work, uint16_t line, const struct line_tally *tally,
                       struct event *event, uint32_t *of_taps, uint32_t *good_lines)
{
    bool bad = tally->slow > 0 && 2 * tally->slow >= tally->flows;

    event->attempts += tally->flows;
    event->failures += tally->slow;
    event->vantages += bad;
    event->clients = MAX_OF(event->clients, tally->busiest);
    *good_lines += tally->flows >= PACE_LEAST && 5 * tally->slow < tally->flows;
    if (series_is_tap(cells_line(work->cells, line)))
        *of_taps = MAX_OF(*of_taps, tally->busiest);
    else
        event->voices += bad;
}

/* The stretch's flows by line, and those before it into the event. */
static void count_flows(const struct question *question, const struct context_window *window,
                        struct line_tally *lines, struct event *event)
{
    for (size_t i = 0; i < question->count;) {
        size_t begin = i;
        uint16_t line = question->samples[i].pace.line;
        bool within = context_covers(question->work->places, question->country, window,
                                     question->samples[i].hour_us);
        struct segment_vote vote = vote_of_line(question, &i);
        for (size_t k = begin; k < i; k++) {
            const struct sample *sample = &question->samples[k];
            if (sample->pace.start_us < window->from_us) {
                event->baseline_attempts++;
                event->baseline_failures += sample->slow;
            } else if (within && sample->pace.start_us <= window->to_us) {
                lines[line].flows++;
                lines[line].slow += sample->slow;
            }
        }
        if (within)
            lines[line].busiest = MAX_OF(lines[line].busiest, vote.bad_voices);
    }
}

/* Fills the event's counts; ret_enough says whether they are above the floors. */
static int count_event(const struct question *question, const struct segment *segment,
                       const struct context_window *window, struct event *event, bool *ret_enough)
{
    const struct work *work = question->work;
    size_t count = cells_line_count(work->cells);
    struct line_tally *lines = calloc(MAX_OF(count, 1), sizeof(*lines));
    uint32_t of_taps = 0, good_lines = 0;

    if (!lines)
        return -ENOMEM;
    count_flows(question, window, lines, event);
    for (size_t line = 0; line < count; line++)
        if (lines[line].flows > 0)
            count_line(work, (uint16_t)line, &lines[line], event, &of_taps, &good_lines);
    event->voices += of_taps;
    for (size_t t = segment->first; t <= segment->last; t++)
        if (!segment->has_hours || segment->hours[question->votes[t].local_hour])
            event->failing_voice_hours += question->votes[t].bad;
    *ret_enough = event->voices >= CLASSIFY_VOICES &&
                  event->failing_voice_hours >= CLASSIFY_VOICE_HOURS - 1e-6 &&
                  event->vantages > 0 && !(event->vantages == 1 && good_lines > 0);
    free(lines);
    return DL_OK;
}

static void describe(const struct question *question, const struct pace_comparison *comparison,
                     struct event *event)
{
    static const char *const measures[] = {"kbit/s", "ms to the handshake's answer",
                                           "ms to the first answer"};
    double unit = comparison->measure == PACE_GOODPUT ? 1 : 1000;
    bool shared =
        question->where == PACE_ABROAD &&
        pace_is_known(question->table, question->carrier, question->service, PACE_COUNTRY);

    event->class = EVENT_THROTTLED;
    event->scope = SCOPE_CARRIER;
    event->grade = comparison->has_controls && comparison->has_others && !shared ? GRADE_CONFIRMED
                                                                                 : GRADE_LIKELY;
    event->interval = stat_wilson((double)event->failures, (double)event->attempts);
    classify_add_rule(event, "slower-than-controls");
    classify_add_rule(event, comparison->has_controls ? "controls-good" : "no-control-here");
    classify_add_control(event, "same-carrier", "pace of controls", &comparison->of_controls,
                         comparison->has_controls ? CONTEXT_GOOD_VERDICT : CONTEXT_INSUFFICIENT);
    classify_add_control(event, question->where == PACE_COUNTRY ? "same-country" : "abroad",
                         "pace of the service", &comparison->of_others,
                         comparison->has_others ? CONTEXT_GOOD_VERDICT : CONTEXT_INSUFFICIENT);
    if (comparison->has_others)
        classify_add_rule(event,
                          question->where == PACE_COUNTRY ? "works-elsewhere" : "works-abroad");
    classify_explain(event, "%" PRIu64 " of %" PRIu64 " flows were slow: the median had %.0f %s",
                     event->failures, event->attempts, comparison->own / unit,
                     measures[comparison->measure]);
    if (comparison->has_controls)
        classify_explain(event, ", other services here %.0f", comparison->controls / unit);
    if (comparison->has_others)
        classify_explain(event, ", the service on other carriers %.0f", comparison->others / unit);
    classify_explain(event, ".");
    if (shared)
        classify_explain(event, " Other carriers of the country are no faster: a path that they "
                                "share is not excluded.");
    else if (!comparison->has_controls || !comparison->has_others)
        classify_explain(event, comparison->has_controls
                                    ? " Nobody else was seen using the service then."
                                    : " No other service was seen on this carrier then.");
}

static int keep_finding(struct findings *findings, const struct event *event)
{
    if (findings->count == findings->capacity) {
        size_t capacity = MAX_OF(16, 2 * findings->capacity);
        struct finding *grown = realloc(findings->items, capacity * sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        findings->items = grown;
        findings->capacity = capacity;
    }
    findings->items[findings->count++] = (struct finding){*event, event->log_odds};
    return DL_OK;
}

static int weigh_stretch(const struct question *question, const struct segment *segment,
                         struct findings *findings)
{
    struct event event = {.mechanism = -1,
                          .carrier = question->carrier,
                          .service = question->service,
                          .ended = segment->ended,
                          .alarm_us = segment->alarm_us,
                          .has_hours = segment->has_hours,
                          .log_odds = segment->gain};
    struct context_window window = {.kind = SERIES_SLOWED,
                                    .from_us = segment->onset_latest_us,
                                    .to_us = segment->ended
                                                 ? segment->end_earliest_us
                                                 : question->votes[question->vote_count - 1].to_us,
                                    .hours = segment->has_hours ? segment->hours : NULL};
    size_t slow = 0, by_nature_too = 0;
    struct pace_comparison comparison = {0};
    bool enough;
    int status;

    event.onset = (struct analysis_interval){
        segment->at_first_sight ? 0 : segment->onset_earliest_us, segment->onset_latest_us};
    event.end = (struct analysis_interval){segment->end_earliest_us, segment->end_latest_us};
    memcpy(event.hours, segment->hours, sizeof(event.hours));
    status = count_event(question, segment, &window, &event, &enough);
    if (status != DL_OK || !enough)
        return status;
    for (size_t i = 0; i < question->count; i++) {
        const struct sample *sample = &question->samples[i];
        if (!sample->slow || sample->pace.start_us < window.from_us ||
            sample->pace.start_us > window.to_us)
            continue;
        slow++;
        by_nature_too += sample->by_nature_too;
    }
    for (int m = 0; m < PACE_MEASURES && !comparison.slower; m++) {
        status =
            pace_compare(question->work, question->carrier, question->service, question->where,
                         segment, &window, (enum pace_measure)m,
                         question->where == PACE_COUNTRY && by_nature_too == slow, &comparison);
        if (status != DL_OK)
            return status;
    }
    if (!comparison.slower)
        return DL_OK;
    describe(question, &comparison, &event);
    return keep_finding(findings, &event);
}

/* ---- all pairs ---- */

static int ask(struct work *work, const struct pace_table *table, uint16_t carrier,
               uint16_t service, enum pace_elsewhere where, struct findings *findings)
{
    struct question question = {.work = work,
                                .table = table,
                                .carrier = carrier,
                                .service = service,
                                .where = where,
                                .country = cells_carrier_country(work->cells, carrier)};
    size_t count = 0;
    double base, weeks;
    int status = judge_samples(&question);

    if (status != DL_OK || question.count < STAT_RANK_LEAST)
        goto out;
    count_votes(&question);
    work->tested++;
    weeks = (double)(question.votes[question.vote_count - 1].to_us - question.votes[0].from_us) /
            (double)WEEK_US;
    status = segment_find(question.votes, question.vote_count,
                          segment_threshold((double)question.count / MAX_OF(weeks, 1)),
                          question.two_voices, NULL, work->segments, &count, &base);
    for (size_t i = 0; status == DL_OK && i < count; i++)
        status = weigh_stretch(&question, &work->segments[i], findings);
out:
    free(question.samples);
    free(question.votes);
    return status;
}

/* Other carriers of the country first; then, where all of them are alike, other countries. */
static int ask_about_pair(struct work *work, const struct pace_table *table, uint16_t carrier,
                          uint16_t service, struct findings *findings)
{
    size_t before = findings->count;
    bool known = false;
    int status = DL_OK;

    for (int where = PACE_COUNTRY; where <= PACE_ABROAD; where++) {
        if (status != DL_OK || findings->count > before ||
            !pace_is_known(table, carrier, service, (enum pace_elsewhere)where))
            continue;
        known = true;
        status = ask(work, table, carrier, service, (enum pace_elsewhere)where, findings);
    }
    if (status == DL_OK && !known)
        status = ask(work, table, carrier, service, PACE_NOWHERE, findings);
    return status;
}

/* What the flows themselves showed; NULL. */
static struct event *same_event(struct analysis *analysis, const struct event *event, size_t count)
{
    int64_t to_us = event->ended ? event->end.earliest_us : INT64_MAX;

    for (size_t i = 0; i < count; i++) {
        struct event *other = &analysis->events[i];
        if (other->class == EVENT_THROTTLED && other->carrier == event->carrier &&
            other->service == event->service &&
            analysis_event_overlaps(other, event->onset.latest_us, to_us))
            return other;
    }
    return NULL;
}

static void join(struct event *into, const struct event *event)
{
    if (event->onset.latest_us < into->onset.latest_us)
        into->onset = event->onset;
    if (!event->ended)
        into->ended = false;
    else if (into->ended && event->end.latest_us > into->end.latest_us)
        into->end = event->end;
    if (!into->ended)
        into->end = (struct analysis_interval){0};
    into->alarm_us = MIN_OF(into->alarm_us, event->alarm_us);
    into->grade = MAX_OF(into->grade, event->grade);
    if (into->scope == SCOPE_LINE)
        into->scope = event->scope;
    into->voices = MAX_OF(into->voices, event->voices);
    for (unsigned i = 0; i < event->rule_count; i++)
        classify_add_rule(into, event->rules[i]);
    for (unsigned i = 0; i < event->control_count && into->control_count < ANALYSIS_CONTROLS_MAX;
         i++)
        into->controls[into->control_count++] = event->controls[i];
    classify_explain(into, " %s", event->explanation);
}

static int add_events(struct work *work, const struct findings *findings)
{
    size_t before = work->analysis->event_count;
    double *evalues = malloc(MAX_OF(findings->count, 1) * sizeof(*evalues));
    bool *keep = malloc(MAX_OF(findings->count, 1));
    int status = evalues && keep ? DL_OK : -ENOMEM;

    for (size_t i = 0; status == DL_OK && i < findings->count; i++)
        evalues[i] = findings->items[i].gain;
    if (status == DL_OK)
        stat_keep(evalues, findings->count, work->tested, ANALYSIS_FALSE_RATE, keep);
    for (size_t i = 0; status == DL_OK && i < findings->count; i++) {
        const struct event *event = &findings->items[i].event;
        if (!keep[i]) {
            work->analysis->dropped++;
            continue;
        }
        struct event *known = same_event(work->analysis, event, before);
        struct event *fresh = known ? NULL : analysis_event_new(work);
        if (known)
            join(known, event);
        else if (fresh)
            *fresh = *event;
    }
    free(evalues);
    free(keep);
    return status;
}

int throttle_find(struct work *work)
{
    const struct cells *cells = work->cells;
    struct findings findings = {0};
    struct pace_table *table = NULL;
    int status = pace_table_create(&table, cells, work->places);

    for (size_t c = 0; status == DL_OK && c < cells_carrier_count(cells); c++) {
        for (size_t s = 0; status == DL_OK && s < cells_service_count(cells); s++) {
            size_t count;
            cells_paces(cells, (uint16_t)c, (uint16_t)s, &count);
            if (count >= STAT_RANK_LEAST && !pace_is_control(cells, work->places, (uint16_t)s))
                status = ask_about_pair(work, table, (uint16_t)c, (uint16_t)s, &findings);
        }
    }
    if (status == DL_OK)
        status = add_events(work, &findings);
    free(findings.items);
    pace_table_destroy(table);
    return status;
}
