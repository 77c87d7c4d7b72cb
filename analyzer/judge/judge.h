// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * From the facts of one flow to an opinion: what was achieved, what went wrong, and who may have
 * done it.
 *
 * judge_flow() is a pure function of one observation, its DNS question, and the capture it lies in.
 * This first rule set knows the plain cases: SYN unanswered, refused or reset, silence or reset
 * after the first request, DNS errors, conflicting answers. A third party it names for
 * block pages only: all else needs the contradictions of the evidence rules to come. Rules are a const table
 * (rules.c): an id, what it says, its source; each opinion names the rules that made it.
 */
#include <stdbool.h>
#include <stdint.h>

#include "store/observation.h"

#define JUDGE_RULES_VERSION "1"
#define JUDGE_EVIDENCE_MAX  8
#define JUDGE_DETAIL_SIZE   160

/* How long after the last unanswered packet a capture must have gone on before silence counts as
 * silence. */
#define JUDGE_SILENCE_US INT64_C(3000000) /* SIGCOMM 2023 passive tampering: more than 3 s */

struct judge_context {
    int64_t capture_end_us;        /* last packet of the input */
    const struct observation *dns; /* the question the flow followed; NULL for none */
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

void judge_flow(const struct observation *flow, const struct judge_context *context,
                struct verdict *ret_verdict);

struct judge_rule {
    const char *id;
    const char *says;   /* one sentence */
    const char *source; /* where the rule comes from */
};
/* The rules of this set, NULL beyond the last. */
const struct judge_rule *judge_rule_at(size_t index);

/* Every mechanism this vocabulary has, NULL beyond the last; and its sentence for readers ("no
 * answer to the connection attempt"). */
const char *judge_mechanism_at(size_t index);
const char *judge_mechanism_text(const char *mechanism);
