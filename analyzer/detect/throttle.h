// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Slowing down by comparison: the paces of one (carrier, service) beside those of the carrier's
 * controls and of the service elsewhere in the same days. What is slow everywhere, or slow on the
 * whole carrier, is not slowed down.
 *
 * A flow is slow when its goodput is below a half of both medians, or its handshake or first answer
 * takes more than four times both (and the same against what the service would be at this carrier
 * were it to the controls as elsewhere, pace.h). Hours of voices with slow flows become stretches
 * (segment.h); a stretch counts when a measure passes in it, against every comparison that is known:
 * rank test (Mann-Whitney) p < THROTTLE_P, effect (the chance that a flow here is slower than one
 * there) >= THROTTLE_EFFECT, medians THROTTLE_RATIO apart. It also needs the service's nature ruled
 * out: its beginning was seen and the same test holds against its own past, or other carriers of the
 * country show how it is to the controls. Other countries alone do not: a far server is slow by
 * distance.
 *
 * `confirmed` needs both comparisons; one alone is `likely`, and so is what other carriers of the
 * country suffer as well, on a path that they may share. Floors are those of every event, in voices
 * that had slow flows. Control services are never asked about.
 */
#include "analyzer/detect/analysis_internal.h"

#define THROTTLE_SLOWER 2.0 /* goodput: below the comparison divided by this */
#define THROTTLE_LATER  4.0 /* times: above it times this */
#define THROTTLE_P      0.001
#define THROTTLE_EFFECT 0.8
#define THROTTLE_RATIO  2.0

/* Adds `throttled` events; where flows already said so, that event takes in what was found here.
 * DL_OK or -ENOMEM. */
int throttle_find(struct work *work);
