// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Evidence cards: of each event, worst first, up to three flows that tell most. Which flows could be is
 * known from the events' examples; one pass with the judge collects what they say.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "reports/findings/findings_internal.h"

struct candidate {
    size_t event; /* index of the findings' */
    uint32_t input;
    uint64_t packet;
    bool found, taken;
    struct findings_card card;
    struct verdict verdict; /* its details are copied only for the cards that are kept */
    struct ladder ladder;
    uint8_t page_scope;
};

struct collecting {
    struct findings_inner *inner;
    struct candidate *candidates; /* by input, packet, event */
    size_t count;
    size_t *ranked; /* events, worst first */
    size_t ranked_count;
};

/* ---- whose cards ---- */

static int compare_events(const void *left, const void *right, void *context)
{
    const struct findings *findings = context;
    const struct findings_event *a = &findings->events[*(const size_t *)left];
    const struct findings_event *b = &findings->events[*(const size_t *)right];

    if (a->strength != b->strength)
        return a->strength > b->strength ? -1 : 1;
    if (a->event->log_odds > b->event->log_odds || a->event->log_odds < b->event->log_odds)
        return a->event->log_odds > b->event->log_odds ? -1 : 1;
    return a < b ? -1 : a > b;
}

static int compare_candidates(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;

    if (a->input != b->input)
        return a->input < b->input ? -1 : 1;
    if (a->packet != b->packet)
        return a->packet < b->packet ? -1 : 1;
    return (a->event > b->event) - (a->event < b->event);
}

static int list_candidates(struct collecting *collecting)
{
    struct findings *findings = collecting->inner->findings;
    size_t capacity = 0;

    collecting->ranked = calloc(MAX_OF(findings->event_count, (size_t)1), sizeof(size_t));
    if (!collecting->ranked)
        return -ENOMEM;
    for (size_t i = 0; i < findings->event_count; i++)
        collecting->ranked[i] = i;
    qsort_r(collecting->ranked, findings->event_count, sizeof(size_t), compare_events, findings);
    collecting->ranked_count = MIN_OF(findings->event_count, (size_t)FINDINGS_CARDS_IN_ALL);
    for (size_t i = 0; i < collecting->ranked_count; i++)
        capacity += findings->events[collecting->ranked[i]].event->flow_count;
    collecting->candidates = calloc(MAX_OF(capacity, (size_t)1), sizeof(*collecting->candidates));
    if (!collecting->candidates)
        return -ENOMEM;
    for (size_t i = 0; i < collecting->ranked_count; i++) {
        const struct event *event = findings->events[collecting->ranked[i]].event;
        for (size_t f = 0; f < event->flow_count; f++)
            collecting->candidates[collecting->count++] =
                (struct candidate){.event = collecting->ranked[i],
                                   .input = event->flows[f].input,
                                   .packet = event->flows[f].packet};
    }
    qsort(collecting->candidates, collecting->count, sizeof(*collecting->candidates),
          compare_candidates);
    return DL_OK;
}

/* ---- what a flow says ---- */

static const struct catalog_blockpage *find_page(const struct catalog *catalog, const char *id)
{
    for (size_t i = 0; i < catalog_blockpage_count(catalog); i++)
        if (strcmp(catalog_blockpage_at(catalog, i)->id, id) == 0)
            return catalog_blockpage_at(catalog, i);
    return NULL;
}

static bool has_rule(const struct verdict *verdict, const char *rule)
{
    for (unsigned i = 0; i < verdict->evidence_count; i++)
        if (strcmp(verdict->evidence[i].rule, rule) == 0)
            return true;
    return false;
}

static void take_page(const struct catalog *catalog, const struct observation *flow,
                      struct candidate *candidate)
{
    const struct blockpage_facts *page = flow->import.present ? &flow->import.blockpage
                                         : flow->dns.present  ? &flow->dns.blockpage
                                                              : &flow->evidence.http.blockpage;
    const struct catalog_blockpage *known;

    if (!page->id[0] || page->false_positive || !has_rule(&candidate->verdict, "blockpage"))
        return;
    known = find_page(catalog, page->id);
    candidate->card.blockpage = known ? known->id : NULL;
    candidate->page_scope = known ? page->scope : BLOCKPAGE_NONE;
}

/* "device family: gfw-ii (flags ...)" */
static const char *injector_of(const struct catalog *catalog, const struct verdict *verdict)
{
    static const char before[] = "device family: ";

    for (unsigned i = 0; i < verdict->evidence_count; i++) {
        const char *at = strcmp(verdict->evidence[i].rule, "injector") == 0
                             ? strstr(verdict->evidence[i].detail, before)
                             : NULL;
        if (!at)
            continue;
        at += sizeof(before) - 1;
        for (size_t k = 0; k < catalog_injector_count(catalog); k++) {
            const char *id = catalog_injector_at(catalog, k)->id;
            if (strncmp(at, id, strlen(id)) == 0 && at[strlen(id)] == ' ')
                return id;
        }
    }
    return NULL;
}

/* What a person's own packets look like proves nothing, and who records packets could find them by it. What
 * is only said to be theirs (a reset) stays. */
static void spare_client(struct ladder *ladder)
{
    for (size_t i = 0; i < ladder->count; i++) {
        struct findings_step *step = &ladder->steps[i];
        if (step->from_server || step->kind == STEP_RESET || step->kind == STEP_FIN ||
            step->kind == STEP_OTHER_CONTENT || step->kind == STEP_ICMP)
            continue;
        step->ttl = step->ttl_expected = 0;
        step->has_ip_id = false;
        step->ip_id = step->window = 0;
    }
}

static void fill(struct collecting *collecting, struct candidate *candidate,
                 const struct judged *judged)
{
    const struct findings *findings = collecting->inner->findings;
    const struct catalog *catalog = findings->options->catalog;
    const struct observation *flow = &judged->flow;
    const char *slash = strrchr(judged->input->path, '/');
    struct findings_card *card = &candidate->card;

    candidate->found = true;
    candidate->verdict = judged->verdict;
    *card = (struct findings_card){.input = flow->input,
                                   .packet = flow->packet,
                                   .capture = slash ? slash + 1 : judged->input->path,
                                   .hour_us = clock_hour(flow->start_us),
                                   .transport = flow->transport,
                                   .stage = flow->stage,
                                   .outcome = judged->verdict.outcome,
                                   .mechanism = judged->verdict.mechanism,
                                   .attribution = judged->verdict.attribution,
                                   .signature = judged->verdict.signature,
                                   .score = judged->verdict.score,
                                   .injector = injector_of(catalog, &judged->verdict)};
    take_page(catalog, flow, candidate);
    findings_public_server(judged, card->server);
    ladder_make(&candidate->ladder, flow, &judged->verdict);
    if (findings_is_of_people(judged->input->vantage.origin))
        spare_client(&candidate->ladder);
}

static int take_flow(void *context, const struct judged *judged)
{
    struct collecting *collecting = context;
    struct findings_inner *inner = collecting->inner;
    struct candidate key = {.input = judged->flow.input, .packet = judged->flow.packet};
    size_t low = 0, high = collecting->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_candidates(&collecting->candidates[middle], &key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < collecting->count && collecting->candidates[low].input == key.input &&
           collecting->candidates[low].packet == key.packet;
         low++) {
        struct candidate *candidate = &collecting->candidates[low];
        fill(collecting, candidate, judged);
        candidate->card.service = memory_text(&inner->memory, judged->flow.service);
        candidate->card.host =
            memory_text(&inner->memory, findings_public_host(inner->findings, &judged->flow));
        if (!candidate->card.service || !candidate->card.host)
            return -ENOMEM;
    }
    return DL_OK;
}

/* ---- which are kept ---- */

/* Proven, then the score, then the first. */
static bool tells_more(const struct candidate *a, const struct candidate *b)
{
    bool proven_a = judge_is_proven(&a->verdict), proven_b = judge_is_proven(&b->verdict);

    if (proven_a != proven_b)
        return proven_a;
    return a->verdict.score > b->verdict.score;
}

static bool is_shown(const struct collecting *collecting, const struct findings_event *event,
                     const char *mechanism)
{
    const struct findings *findings = collecting->inner->findings;

    for (size_t i = 0; i < event->card_count; i++) {
        const char *other = findings->cards[event->first_card + i].mechanism;
        if (mechanism == other || (mechanism && other && strcmp(mechanism, other) == 0))
            return true;
    }
    return false;
}

/* Of a mechanism that no card shows yet, if there is one. */
static struct candidate *best_of(const struct collecting *collecting, size_t event)
{
    const struct findings_event *found = &collecting->inner->findings->events[event];
    struct candidate *best = NULL;
    bool best_is_new = false;

    for (size_t i = 0; i < collecting->count; i++) {
        struct candidate *candidate = &collecting->candidates[i];
        if (candidate->event != event || !candidate->found || candidate->taken)
            continue;
        bool is_new = !is_shown(collecting, found, candidate->card.mechanism);
        if (!best || (is_new && !best_is_new) ||
            (is_new == best_is_new && tells_more(candidate, best))) {
            best = candidate;
            best_is_new = is_new;
        }
    }
    return best;
}

/* A certificate's names are told only where it is a stranger's. */
static bool is_detail_told(const struct verdict *verdict, const char *rule)
{
    return strncmp(rule, "certificate", strlen("certificate")) != 0 ||
           verdict->score > JUDGE_SCORE_INNOCENT;
}

static int keep_card(struct collecting *collecting, struct candidate *candidate,
                     struct findings_card *card)
{
    struct memory *memory = &collecting->inner->memory;
    const struct verdict *verdict = &candidate->verdict;
    struct findings_reason *reasons =
        memory_array(memory, verdict->evidence_count, sizeof(*reasons));
    struct findings_step *steps = memory_array(memory, candidate->ladder.count, sizeof(*steps));

    if (!reasons || !steps)
        return -ENOMEM;
    for (unsigned i = 0; i < verdict->evidence_count; i++) {
        const struct judge_evidence *evidence = &verdict->evidence[i];
        const struct judge_rule *rule = judge_rule_find(evidence->rule);
        reasons[i].rule = evidence->rule;
        reasons[i].kind = rule ? rule->kind : JUDGE_RULE_PLAIN;
        char detail[JUDGE_DETAIL_SIZE + 64];
        findings_coarsen(is_detail_told(verdict, evidence->rule) ? evidence->detail : "", detail,
                         sizeof(detail));
        reasons[i].detail = memory_text(memory, detail);
        if (!reasons[i].detail)
            return -ENOMEM;
    }
    memcpy(steps, candidate->ladder.steps, candidate->ladder.count * sizeof(*steps));
    *card = candidate->card;
    card->reasons = reasons;
    card->reason_count = verdict->evidence_count;
    card->steps = steps;
    card->step_count = candidate->ladder.count;
    card->steps_left_out = candidate->ladder.left_out;
    return DL_OK;
}

static bool is_of_country(const struct catalog *catalog, const char *page, const char *country)
{
    const struct catalog_blockpage *known = find_page(catalog, page);

    for (size_t i = 0; known && i < known->country_count; i++)
        if (strcmp(known->countries[i], country) == 0)
            return true;
    return false;
}

/* A country's or a carrier's own page says whose it is; a filter's does not. */
static void name_actor(const struct collecting *collecting, struct findings_event *event,
                       size_t index)
{
    const struct catalog *catalog = collecting->inner->findings->options->catalog;

    for (size_t i = 0; i < collecting->count && !event->names_actor; i++) {
        const struct candidate *candidate = &collecting->candidates[i];
        if (candidate->event != index || !candidate->found || !candidate->card.blockpage ||
            !judge_is_proven(&candidate->verdict) ||
            (candidate->page_scope != BLOCKPAGE_NATION &&
             candidate->page_scope != BLOCKPAGE_CARRIER) ||
            !is_of_country(catalog, candidate->card.blockpage, event->country))
            continue;
        event->names_actor = true;
        event->actor_page = candidate->card.blockpage;
    }
}

static int choose(struct collecting *collecting)
{
    struct findings *findings = collecting->inner->findings;
    int status = DL_OK;

    findings->cards =
        memory_array(&collecting->inner->memory, FINDINGS_CARDS_IN_ALL, sizeof(*findings->cards));
    if (!findings->cards)
        return -ENOMEM;
    for (size_t i = 0; status == DL_OK && i < collecting->ranked_count; i++) {
        size_t index = collecting->ranked[i];
        struct findings_event *event = &findings->events[index];
        event->first_card = findings->card_count;
        name_actor(collecting, event, index);
        while (status == DL_OK && event->card_count < FINDINGS_CARDS_MAX &&
               findings->card_count < FINDINGS_CARDS_IN_ALL) {
            struct candidate *best = best_of(collecting, index);
            if (!best)
                break;
            best->taken = true;
            status = keep_card(collecting, best, &findings->cards[findings->card_count]);
            findings->card_count += status == DL_OK;
            event->card_count += status == DL_OK;
        }
    }
    return status;
}

int findings_find_cards(struct findings_inner *inner, struct dl_error *error)
{
    struct collecting collecting = {.inner = inner};
    int status;

    if (!inner->sources.reader || inner->findings->event_count == 0)
        return DL_OK;
    status = list_candidates(&collecting);
    if (status == DL_OK)
        status = findings_each_flow(inner->findings, take_flow, &collecting, error);
    if (status == DL_OK)
        status = choose(&collecting);
    free(collecting.candidates);
    free(collecting.ranked);
    return status;
}
