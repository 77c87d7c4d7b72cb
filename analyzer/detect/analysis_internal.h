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

/* A zeroed event at the end of the list; NULL, and counted, at the maximum. */
struct event *analysis_event_new(struct work *work);
