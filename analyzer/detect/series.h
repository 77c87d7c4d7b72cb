// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * The votes of one (carrier, service) in order of time, made of its cells.
 *
 * Lines that are one voice each (homes, phones, imported runs) add up. Taps of one carrier may see
 * the same people: of those that looked in the same hour the one with most votes speaks. An hour
 * whose good attempts all came before its bad ones, or after, becomes two votes, so that a change
 * within it keeps its time.
 */
#include "analyzer/detect/analysis.h"

enum series_kind { SERIES_FAILED, SERIES_SLOWED };

struct series {
    struct segment_vote *votes;
    size_t count;
    uint64_t attempts, failures;
    uint32_t voices;        /* the largest number within one hour that is surely independent */
    double attempts_a_week; /* in the weeks from the first vote to the last, at least one */
    int64_t first_us, last_us;
};

/* DL_OK with count 0 where nothing was decided, -ENOMEM. `ip_version`: 4, 6, 0 for all. */
int series_build(const struct cells *cells, const struct analysis_places *places, uint16_t carrier,
                 uint16_t service, enum series_kind kind, uint8_t ip_version,
                 struct series *ret_series);
void series_finish(struct series *series);

/* The local hour as segments count it: 0 to 23 of a workday, 24 to 47 of a Saturday or Sunday. */
uint8_t series_local_hour(const struct analysis_places *places, const char *country,
                          int64_t time_us);

/* Do the lines of this cell add up, or may they see the same people? */
bool series_is_tap(const struct cell_line *line);
