// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * A stretch of failure on its way to an event: what is known of it before anybody asks what it
 * means. classify.h says that.
 */
#include "analyzer/detect/context.h"
#include "analyzer/detect/series.h"

struct candidate {
    uint16_t carrier, service;
    enum series_kind kind;
    struct segment segment;
    struct context_window window; /* of the stretch; hours point into `segment` */
    struct context context;
    uint64_t attempts, failures, proven, by_ends;
    double failing_voice_hours;
    uint32_t voices, clients;       /* independent lines; distinct clients in the busiest hour */
    uint32_t vantages;              /* lines with failing attempts */
    uint32_t lines_good;            /* lines of this carrier where the service works meanwhile */
    int64_t bad_from_us, bad_to_us; /* first and last failing attempt */
    unsigned bad_days;              /* UTC days with failing attempts */
    uint64_t good_attempts;
    uint64_t baseline_attempts, baseline_failures;
    double silent_share;  /* of the failing attempts that have a mechanism: nobody answered */
    double dns_share;     /* of them, failed at their question */
    bool unsure_clock;    /* of a failing line: not known to be right */
    bool elsewhere_later; /* with such a clock, others may have failed at the same time */
    bool imported;        /* no packets: nothing can be proven */
    bool synchronous;     /* began within CANDIDATE_TOGETHER_US of every other failing carrier */
    double log_evalue;
};

#define CANDIDATE_TOGETHER_US     INT64_C(21600000000) /* 6 h */
#define CANDIDATE_CLOCK_HOURS     12 /* that a clock may be wrong by: a time zone, mostly */
#define CANDIDATE_CLOCK_LENGTH_US INT64_C(43200000000) /* longer failures overlap all the same */

/* Fills all but `segment`, `carrier`, `service`, `kind`, `synchronous`. */
void candidate_measure(struct candidate *candidate, const struct cells *cells,
                       const struct analysis_places *places);
