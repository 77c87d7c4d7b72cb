// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What an event tells of its attempts beside their number: by which mechanisms they failed, on which
 * networks, which flows show it, and how good the data are (quality: 5, less one for each thing that
 * readers should know of the data: an unsynchronised clock, imported rows, one vantage only, no
 * control on this carrier, none elsewhere).
 */
#include "analyzer/detect/analysis_internal.h"

/* Fills asn, asns, flows, quality and mechanisms. Events of any class;
 * those of all services (-1) speak for all. */
void event_facts_fill(const struct work *work, struct event *event);
