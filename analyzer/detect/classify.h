// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What a candidate means, by the definitions of design section 3: its class, how sure, how far it
 * speaks, and which rules said so; or why it is no event.
 */
#include "analyzer/detect/candidate.h"

#define CLASSIFY_VOICES        2
#define CLASSIFY_VOICE_HOURS   5  /* failing ones, at least */
#define CLASSIFY_LINE_FAILED   10 /* one line alone: failed attempts, and none good */
#define CLASSIFY_LINE_DAYS     2
#define CLASSIFY_LINE_US       INT64_C(86400000000)
#define CLASSIFY_LINE_CONTROL  10  /* good control attempts in the same hours */
#define CLASSIFY_PROVEN        0.2 /* share of the failures that packets prove */
#define CLASSIFY_SLOW_SERVICES 2   /* others slowed down as well */
#define CLASSIFY_BY_ENDS       0.5 /* share of the failures that an end made itself */
#define CLASSIFY_SILENT        0.5

enum classify_result {
    CLASSIFY_EVENT,
    CLASSIFY_TOO_LITTLE,   /* below the floors */
    CLASSIFY_ONE_PROBE,    /* one probe fails alone while others of its carrier do not */
    CLASSIFY_CARRIER_WIDE, /* other services fail as well: shutdown.h's question */
    CLASSIFY_UNCLEAR
};

struct detect_rule {
    const char *id, *says, *source;
};
const struct detect_rule *detect_rule_at(size_t index); /* NULL beyond the last */
const struct detect_rule *detect_rule_find(const char *id);

/* Fills the event's class, grade, scope, controls, rules, counts and explanation. No event speaks
 * for a country here, and a block by silence that nothing proves is likely: campaign.h asks the
 * others. */
enum classify_result classify_candidate(const struct candidate *candidate, struct event *ret_event);

/* For those who change an event later: a rule that spoke, another sentence. */
void classify_add_rule(struct event *event, const char *id);
void classify_explain(struct event *event, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void classify_add_control(struct event *event, const char *kind, const char *name,
                          const struct context_tally *tally, enum context_verdict verdict);
