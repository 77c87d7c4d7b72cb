// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * From the facts of one flow to an opinion: what was achieved, what went wrong, and who may have
 * done it.
 *
 * judge_flow() is a pure function of one observation, its DNS question, what is ordinary for its
 * server, and the capture it lies in. Plain rules name what happened: SYN unanswered, refused or
 * reset, silence or reset after the first request, DNS errors, conflicting answers. Then packets
 * that contradict each other, and only they, make it a third party's (proof.h), as a known block
 * page does (judge_blockpage.c). Rules are a const table (rules.c): an id, what it looks at and
 * says, its weight, its source; each opinion names the rules that made it.
 */
#include <stdbool.h>
#include <stdint.h>

#include "analyzer/judge/house.h"
#include "analyzer/judge/identity.h"
#include "analyzer/judge/line_pace.h"
#include "analyzer/judge/reference.h"
#include "analyzer/judge/resolver.h"
#include "catalog/injector.h"
#include "store/observation.h"

#define JUDGE_RULES_VERSION "3"
#define JUDGE_EVIDENCE_MAX  16
#define JUDGE_DETAIL_SIZE   160

/* How long after the last unanswered packet a capture must have gone on before silence counts as
 * silence. */
#define JUDGE_SILENCE_US INT64_C(3000000) /* SIGCOMM 2023 passive tampering: more than 3 s */

struct judge_context {
    int64_t capture_end_us;        /* last packet of the input */
    const struct observation *dns; /* the question the flow followed; NULL for none */
    struct reference server;       /* of the flow's server, or of the resolver; may be empty */
    struct resolver_view resolver; /* of a question; may be empty */
    struct identity_view identity; /* of a flow that shows a certificate; may be empty */
    struct line_pace line;         /* what else the subscriber's line carried then; may be empty */
    uint8_t followed;              /* of a question: enum follow_flag */
    const struct injector_table *injectors; /* known ones; NULL for none */
    enum position position; /* of the vantage: at the server, its log is known (signature.h) */
    struct house house;     /* what else the client met so near; zero where nothing is known */
    bool one_way; /* the input holds packets of one direction only: there, silence says nothing */
};

struct judge_evidence {
    const char *rule;               /* id in the rule table */
    char detail[JUDGE_DETAIL_SIZE]; /* a sentence with the numbers; no address of a person */
};

struct verdict {
    enum outcome outcome;
    const char *mechanism; /* dot path of design section 3; NULL when nothing is wrong */
    enum attribution attribution;
    uint8_t signature; /* 1-19 of the SIGCOMM 2023 table; 0 none */
    double score; /* 0-1: that a third party interferes with this service; negative: not estimated
                     (written as null) */
    uint8_t evidence_count;
    struct judge_evidence evidence[JUDGE_EVIDENCE_MAX];
};

/* A score of at most this goes with an innocent third party: an expired mapping, the client's own
 * house, a router (design section 5). */
#define JUDGE_SCORE_INNOCENT 0.1

/* Something between the ends did it, and it is no innocent third party. */
static inline bool judge_is_proven(const struct verdict *verdict)
{
    return verdict->attribution == ATTRIBUTION_THIRD_PARTY && verdict->score > JUDGE_SCORE_INNOCENT;
}

void judge_flow(const struct observation *flow, const struct judge_context *context,
                struct verdict *ret_verdict);

enum judge_rule_kind {
    JUDGE_RULE_PLAIN,         /* says what happened, not who did it */
    JUDGE_RULE_CONTRADICTION, /* proves a third party */
    JUDGE_RULE_LOOKS,         /* moves the score, names the device, proves nothing */
    JUDGE_RULE_INNOCENT       /* a third party, and no interference */
};

struct judge_rule {
    const char *id;
    const char *says;     /* one sentence */
    const char *source;   /* where the rule comes from */
    const char *looks_at; /* the facts it reads; "" for plain rules */
    enum judge_rule_kind kind;
    double weight; /* log-likelihood ratio, third party against endpoint; 0 says nothing */
};
/* By id; NULL. */
const struct judge_rule *judge_rule_find(const char *id);
/* The rules of this set, NULL beyond the last. */
const struct judge_rule *judge_rule_at(size_t index);

/* Every mechanism this vocabulary has, NULL beyond the last; and its sentence for readers ("no
 * answer to the connection attempt"). */
const char *judge_mechanism_at(size_t index);
const char *judge_mechanism_text(const char *mechanism);
