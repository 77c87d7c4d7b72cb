// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Is one (carrier, service) slower in a stretch than its comparisons in the same hours: the carrier's
 * controls (without enough samples of any, its other services), the service elsewhere, its own past?
 * By the tests of throttle.h, sample by sample.
 */
#include "analyzer/detect/context.h"
#include "analyzer/detect/pace.h"

struct pace_comparison {
    /* Than every comparison that is known; and its nature is ruled out, by its past or the caller. */
    bool slower;
    bool has_controls, has_others; /* STAT_RANK_LEAST samples of them */
    enum pace_measure measure;
    double own, controls, others; /* medians */
    /* The comparisons' samples; `failures` are those no faster than the median here. */
    struct context_tally of_controls, of_others;
};

/* `nature_known`: what the service is to the controls elsewhere has been looked at. DL_OK or
 * -ENOMEM. */
int pace_compare(const struct work *work, uint16_t carrier, uint16_t service,
                 enum pace_elsewhere where, const struct segment *segment,
                 const struct context_window *window, enum pace_measure measure, bool nature_known,
                 struct pace_comparison *ret_comparison);
