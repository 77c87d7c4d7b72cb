// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * An analysis as one JSON object: the contract of design section 4. Every key is always there, in
 * the contract's order; unknown is null, lists are []. Times are RFC 3339, UTC. The same analysis
 * gives the same bytes.
 *
 * Two keys are added to the contract's: `alarm` at the end of each event, with the data until when it
 * was first found; and `taken_back` at the end of the object, {rules_version, id} of events that an
 * earlier analysis with other rules had found and this one does not.
 */
#include "analyzer/detect/analysis.h"
#include "base/json.h"

#define ANALYSIS_RULES_VERSION_SIZE 32

struct analysis_taken_back {
    char rules_version[ANALYSIS_RULES_VERSION_SIZE];
    char event_id[ANALYSIS_ID_SIZE];
};

/* All borrowed. */
struct analysis_document {
    const char *version, *rules_version;
    const struct analysis *analysis;
    const struct cells *cells;                /* that it was made of */
    const struct input_record *const *inputs; /* number 1 first */
    size_t input_count;
    const struct coverage_record *coverage; /* their `input` counts from 1 */
    size_t coverage_count;
    const struct analysis_taken_back *taken_back;
    size_t taken_back_count;
};

void analysis_write_json(struct json *json, const struct analysis_document *document);

/* The key `hours` of an event: null, or the local hours it keeps to, {workdays, weekends}. */
void analysis_write_hours(struct json *json, const struct event *event);

/* The word of a mechanism index of events and orders; of an event that has none but is an absence
 * `absence`, else NULL. */
const char *analysis_mechanism(const struct cells *cells, const struct event *event);

/* The network with most of the pair's attempts; 0 unknown. */
uint32_t analysis_pair_asn(const struct cells *cells, uint16_t carrier, uint16_t service);

/*
 * Does this analysis still say what the event of that id said? An id is CARRIER.SERVICE.CLASS.HOUR
 * (analysis.c): it does when it has an event of the same carrier, service and class that began
 * within ANALYSIS_SAME_EVENT_US of that hour.
 */
#define ANALYSIS_SAME_EVENT_US INT64_C(604800000000) /* 7 days */
bool analysis_still_says(const struct analysis *analysis, const char *event_id);
