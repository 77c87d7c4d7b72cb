// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/* What the files of the analysis share: the candidates on their way. */
#include "analyzer/detect/candidate.h"

struct work {
    const struct cells *cells;
    const struct analysis_places *places;
    struct analysis *analysis;
    struct candidate *candidates;
    size_t count, capacity;
    struct segment *segments; /* SEGMENTS_MAX */
    uint64_t tested;
};

/* The middle of an onset; where its beginning is not known, its end. */
int64_t analysis_middle_us(const struct analysis_interval *interval);
/* Is it going on at some instant of [from, to]? */
bool analysis_event_overlaps(const struct event *event, int64_t from_us, int64_t to_us);

/* A zeroed event at the end of the list; NULL, and counted, at the maximum. */
struct event *analysis_event_new(struct work *work);
