// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * How each (carrier, service) stands now, and how small an effect its votes could have shown: by its
 * open events, else by the attempts of the last STATES_WINDOW_US before the newest one, and after
 * its last event. What cannot be said is `insufficient`.
 */
#include "analyzer/detect/analysis_internal.h"

#define STATES_WINDOW_US  INT64_C(604800000000) /* 7 days */
#define STATES_IMPAIRED   0.2  /* even the least share of failures that the votes allow */
#define STATES_DETECTABLE 0.35 /* who could not even have seen this says nothing */

/* Fills the analysis' states, by carrier and service, and each event's state. */
int states_find(struct work *work);
