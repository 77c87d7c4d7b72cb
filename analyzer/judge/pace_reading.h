// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What a flow's pace says: how fast it went, whether a policer dropped what exceeded a rate, whether
 * it crept along at an even rate behind a queue. Pure functions of one record; who did it, and
 * whether the subscriber's own line is like that, is another's question (judge_throttle.c).
 */
#include <stdbool.h>
#include <stdint.h>

#include "store/observation.h"

#define PACE_GOODPUT_BYTES 32768u   /* fewer have no goodput */
#define PACE_PAUSE_US      1000000u /* bins without a byte for so long are a pause */

/* Bits of payload a second of the heavy side, each byte once, over the bins from the first to the
 * last with any, pauses left out. What came before the first bin is not in it. Time counts in whole
 * bins, at least two: the goodput of the quickest is too low rather than too high. 0: too few bytes
 * to tell. */
uint64_t pace_goodput_bps(const struct pace_facts *pace);

/* Is its way known to have been free of a queue while it was busy? */
bool pace_is_unqueued(const struct pace_facts *pace);

/* The detector of Flach et al., An Internet-Wide Analysis of Traffic Policing, SIGCOMM 2016, on
 * what the probe keeps of a flow; its numbers are its authors'. */
enum policing {
    POLICING_YES,
    POLICING_FEW_LOSSES,     /* fewer than 15 segments, or in fewer than 3 round trips */
    POLICING_LATE,           /* the first of them beyond 2 MB */
    POLICING_NEGATIVE_START, /* slower before the first loss than after: no bucket was drained */
    POLICING_MORE_ON_LOSS,   /* no fewer tokens when lost than when passed */
    POLICING_LOSS_SCATTERED, /* losses at all fills of the bucket */
    POLICING_PASS_WITHOUT,   /* packets passed an empty bucket */
    POLICING_QUEUE,          /* losses follow longer round trips: a queue was full */
    POLICING_SHORT           /* over in less than 2 s: chance looks like anything */
};

struct policed {
    uint64_t rate_bps;
    uint32_t losses;         /* segments that were looked at */
    uint32_t from_us, to_us; /* first and last loss, since the first bin began */
};

/* `ret_policed` is filled with POLICING_YES only. */
enum policing pace_find_policing(const struct pace_facts *pace, struct policed *ret_policed);

/* An even rate to the end of the flow. */
struct plateau {
    uint32_t from_us, to_us; /* since the first bin began */
    uint64_t rate_bps;
    uint64_t before_bps;    /* of what came before it; 0 where that was too little to tell */
    uint32_t rtt_median_us; /* beyond the probe, of the bins that have one */
    uint32_t rtt_bins;
    bool queued; /* the round trip was so much longer than the least that a queue must have stood */
};
bool pace_find_plateau(const struct pace_facts *pace, struct plateau *ret_plateau);
