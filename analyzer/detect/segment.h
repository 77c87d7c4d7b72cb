// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * When did it begin to fail, when did it stop? One series of votes in order of time becomes
 * stretches of failure.
 *
 * The best explanation is searched for (dynamic programming): each hour is either ordinary, failing
 * at the base share, or in a stretch of one of the shares SEGMENT_SHARES, all day or at fixed local
 * hours. Each change costs log-likelihood: beginning a stretch `threshold`, which bounds how often
 * chance begins one as the threshold of a CUSUM does (Lorden 1971; the design's h = ln(1000 x
 * attempts a week)), ending one SEGMENT_END_COST. So a stretch is kept when its votes gain more than
 * that over the base share, and forgotten otherwise. The base share is learnt from the hours outside
 * of stretches, towards a prior, and bounded: what was blocked before the first vote cannot teach
 * that blocking is ordinary.
 *
 * A stretch ends by successes only: SEGMENT_END_GOOD of them, of two voices where the series has
 * two. Silence ends nothing. Onset and end are intervals by profile likelihood.
 *
 * Pure: the same votes give the same stretches.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define SEGMENT_SHARES      3   /* 0.3, 0.6, 0.95 of the votes fail */
#define SEGMENT_END_COST    6.9 /* ln 1000 */
#define SEGMENT_END_GOOD    5
#define SEGMENT_BASE_LOW    0.02
#define SEGMENT_BASE_HIGH   0.4
#define SEGMENT_PRIOR_BAD   1.0 /* of SEGMENT_PRIOR_VOTES: a twentieth */
#define SEGMENT_PRIOR_VOTES 20.0
/* 24 local hours of workdays, then of weekends. A weekend is Saturday and Sunday in every country:
 * where people rest on Friday and Saturday, Friday is counted among the workdays and Sunday among
 * the weekends, so an event that keeps to workdays there is found with a smaller share. */
#define SEGMENT_HOURS 48

struct segment_vote {
    int64_t from_us, to_us; /* first and last attempt behind it */
    int64_t first_good_us, last_good_us, first_bad_us, last_bad_us; /* 0 none */
    double votes, bad;
    unsigned good_voices, bad_voices; /* distinct */
    uint8_t local_hour;               /* 0 to SEGMENT_HOURS - 1 */
};

struct segment {
    size_t first, last;  /* votes of the stretch: first and last failing one */
    bool at_first_sight; /* failing from the first vote on: its beginning was not seen */
    bool ended;
    /* Last attempt that may have been before it, first that surely was in it; where the beginning
     * was not seen, earliest is 0. End: the first instant that may be after it, the last. */
    int64_t onset_earliest_us, onset_latest_us, end_earliest_us, end_latest_us;
    int64_t alarm_us;  /* when, with the votes until then, the stretch was first found */
    double votes, bad; /* within it, and within its hours where it keeps to some */
    double share, base;
    double gain; /* log-likelihood over the base share, before costs */
    bool has_hours;
    bool hours[SEGMENT_HOURS]; /* where has_hours */
};

#define SEGMENTS_MAX 64

/*
 * The stretches of `votes`, ordered; at most SEGMENTS_MAX, the rest is dropped from the end.
 * `threshold` as above; `two_voices`: the series has at least two; `hint`: SEGMENT_HOURS hours that
 * the same service fails at on another carrier, which this one may keep to as well, or NULL. DL_OK
 * or -ENOMEM. `ret_base` gets the share of failures outside of stretches.
 */
int segment_find(const struct segment_vote *votes, size_t count, double threshold, bool two_voices,
                 const bool *hint, struct segment ret_segments[SEGMENTS_MAX], size_t *ret_count,
                 double *ret_base);

/* The design's threshold for a series of so many attempts a week. */
double segment_threshold(double attempts_a_week);
