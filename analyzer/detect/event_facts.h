// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What an event tells of its attempts beside their number: by which mechanisms they failed, on which
 * networks, which flows show it, and how good the data are.
 */
#include "analyzer/detect/candidate.h"

/* Fills mechanism, mechanisms, asn, asns, flows and quality. */
void event_facts_fill(struct event *event, const struct candidate *candidate,
                      const struct cells *cells, const struct analysis_places *places);
