// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * By which mechanisms an event's attempts failed: shares of the attempts within its window that have
 * one, largest first, at most ANALYSIS_MECHANISMS_MAX. Slowed-down ones count for an event of slowing
 * down, failed ones for all others. An event without any keeps mechanism -1.
 */
#include "analyzer/detect/context.h"

void mechanism_split(struct event *event, const struct cells *cells,
                     const struct analysis_places *places, const struct context_window *window);
