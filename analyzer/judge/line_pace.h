// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What a subscriber's line carried, and when: whether a slow flow is slow because its line is.
 *
 * One line is one client of one vantage; where the vantage is a household, all of it. Learnt flow by
 * flow in order of their start from the store that is judged. Bounded: of flows that carried little
 * nothing is learnt, and beyond LINE_PACE_MAX they are counted and not learnt.
 */
#include "analyzer/judge/pace_reading.h"
#include "store/observation.h"

#define LINE_PACE_MAX     131072u
#define LINE_PACE_NEAR_US INT64_C(60000000) /* "at about that time" */

/* What other servers' flows of the same line did at about the time of one flow. */
struct line_pace {
    uint32_t flows;       /* whose pace is known; 0: nothing is known */
    uint64_t best_bps;    /* the best of their goodputs */
    uint64_t beside_bps;  /* of those that went on beside it, in no queue */
    bool queued_beside;   /* one that carried on beside it stood in a queue */
    uint64_t carried_bps; /* what all of them carried beside it, in the mean */
    uint64_t same_bps;    /* a slowed one whose rate was about this one's: so is the line; 0 none */
};

struct line_paces;

int line_paces_create(struct line_paces **ret_paces); /* DL_OK or -ENOMEM */
void line_paces_destroy(struct line_paces *paces);    /* accepts NULL */
/* `line` tells one vantage from another; `household`: all its clients share one line. DL_OK or
 * -ENOMEM. */
int line_paces_learn(struct line_paces *paces, uint32_t line, bool household,
                     const struct observation *flow);
struct line_pace line_paces_find(const struct line_paces *paces, uint32_t line, bool household,
                                 const struct observation *flow);
uint64_t line_paces_refused(const struct line_paces *paces);
