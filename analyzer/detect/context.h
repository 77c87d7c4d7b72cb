// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What else happened at that time: the controls beside a claim. Counts of one pair, or of many,
 * within a window and, where the event keeps to hours, within those hours.
 */
#include "analyzer/detect/series.h"

#define CONTEXT_VOTES_LEAST 5   /* fewer are insufficient */
#define CONTEXT_GOOD        0.2 /* at most this share fails, or half of the event's */

enum context_verdict { CONTEXT_INSUFFICIENT, CONTEXT_GOOD_VERDICT, CONTEXT_BAD, CONTEXT_MIXED };
const char *context_verdict_text(enum context_verdict verdict);

struct context_window {
    enum series_kind kind; /* what counts as bad */
    int64_t from_us, to_us;
    const bool *hours;  /* SEGMENT_HOURS local ones; NULL for all */
    uint8_t ip_version; /* 0 for all */
};

struct context_tally {
    uint64_t attempts, failures;
    double votes, bad;
};

/* Does the hour that begins then lie in the window, and in its hours? `country` says whose. */
bool context_covers(const struct analysis_places *places, const char *country,
                    const struct context_window *window, int64_t hour_us);

struct context_tally context_pair(const struct cells *cells, const struct analysis_places *places,
                                  uint16_t carrier, uint16_t service,
                                  const struct context_window *window);
/* Of one line alone. */
struct context_tally context_line(const struct cells *cells, const struct analysis_places *places,
                                  uint16_t line, uint16_t service,
                                  const struct context_window *window);
void context_add(struct context_tally *sum, const struct context_tally *other);

/* As good or as bad as a share of failures of `share` among those it is compared with would be. */
enum context_verdict context_judge(const struct context_tally *tally, double share);

struct context { /* of one candidate event */
    struct context_tally own, controls, others, abroad;
    enum context_verdict same_carrier, abroad_verdict;
    unsigned services_good, services_bad; /* other services on this carrier */
    unsigned no_dns_bad;                  /* of the bad ones, those that need no question first */
    unsigned abroad_good, abroad_bad;     /* carriers of other countries */
    unsigned carriers_good, carriers_bad; /* the service on other carriers of the country */
    struct context_tally country;
    uint16_t bad_carrier; /* one of them, where there are any */
};

void context_find(const struct cells *cells, const struct analysis_places *places, uint16_t carrier,
                  uint16_t service, double share, const struct context_window *window,
                  struct context *ret_context);
