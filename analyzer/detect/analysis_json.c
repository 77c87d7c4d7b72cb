// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/detect/analysis_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/digest.h"
#include "geo/vantage_json.h"

#define FLOW_ID_SIZE 40
#define DAY_HOURS    24

/* ---- single values ---- */

static const char *some(const char *text)
{
    return text && *text ? text : NULL;
}

/* Cells call the carrier of lines that tell none "unknown". */
static const char *carrier_text(const struct cells *cells, uint16_t carrier)
{
    const char *name = cells_carrier(cells, carrier);
    return strcmp(name, "unknown") == 0 ? NULL : some(name);
}

/* 0 is unknown. */
static void member_time(struct json *json, const char *key, int64_t time_us)
{
    char text[CLOCK_TEXT_SIZE];
    json_member_text(json, key, time_us ? clock_format(time_us, text) : NULL);
}

static void member_asn(struct json *json, uint32_t asn)
{
    json_key(json, "asn");
    if (asn)
        json_unsigned(json, asn);
    else
        json_null(json);
}

static void member_double(struct json *json, const char *key, double value)
{
    json_key(json, key);
    json_double(json, value);
}

static void member_span(struct json *json, const char *key, const struct analysis_interval *span)
{
    json_key(json, key);
    if (!span) {
        json_null(json);
        return;
    }
    json_begin_object(json);
    member_time(json, "earliest", span->earliest_us);
    member_time(json, "latest", span->latest_us);
    json_end_object(json);
}

static void member_interval(struct json *json, const struct stat_interval *interval)
{
    json_key(json, "interval");
    json_begin_array(json);
    json_double(json, interval->low);
    json_double(json, interval->high);
    json_end_array(json);
}

const char *analysis_mechanism(const struct cells *cells, const struct event *event)
{
    if (event->mechanism >= 0)
        return cells_mechanism(cells, (uint16_t)event->mechanism);
    return event->class == EVENT_VANISHED ? "absence" : NULL;
}

uint32_t analysis_pair_asn(const struct cells *cells, uint16_t carrier, uint16_t service)
{
    uint32_t best = 0;
    uint64_t most = 0;
    size_t count;
    const struct cell *cell = cells_series(cells, carrier, service, &count);

    for (size_t line = 0; line < cells_line_count(cells); line++) {
        uint32_t asn = cells_line(cells, (uint16_t)line)->asn;
        uint64_t attempts = 0;
        if (asn == 0 || cells_line_carrier(cells, (uint16_t)line) != carrier)
            continue;
        for (size_t i = 0; i < count; i++)
            if (cells_line(cells, cell[i].line)->asn == asn)
                attempts += cell[i].attempts;
        if (attempts > most || (attempts == most && attempts && asn < best)) {
            most = attempts;
            best = asn;
        }
    }
    return best;
}

bool analysis_still_says(const struct analysis *analysis, const char *event_id)
{
    const char *dot = strrchr(event_id, '.');
    size_t length = dot ? (size_t)(dot - event_id) + 1 : 0;
    char text[CLOCK_TEXT_SIZE];
    int64_t hour_us, difference;

    snprintf(text, sizeof(text), "%.13s:00:00Z", event_id + length);
    if (length == 0 || clock_parse(text, &hour_us) != DL_OK)
        hour_us = 0;
    for (size_t i = 0; i < analysis->event_count; i++) {
        const struct event *event = &analysis->events[i];
        difference = event->onset.latest_us - hour_us;
        if (strcmp(event->id, event_id) == 0)
            return true;
        if (hour_us && strncmp(event->id, event_id, length) == 0 &&
            !strchr(event->id + length, '.') && llabs(difference) <= ANALYSIS_SAME_EVENT_US)
            return true;
    }
    return false;
}

/* ---- inputs and coverage ---- */

static void write_input(struct json *json, const struct input_record *input)
{
    char text[DIGEST_TEXT_SIZE];

    json_begin_object(json);
    json_member_text(json, "path", some(input->path));
    json_member_text(json, "sha256", input->has_sha256 ? digest_text(input->sha256, text) : NULL);
    json_member_unsigned(json, "packets", input->packets);
    json_member_unsigned(json, "bytes", input->bytes);
    json_member_unsigned(json, "lost", input->lost);
    member_time(json, "first", input->first_us);
    member_time(json, "last", input->last_us);
    vantage_write_json(json, &input->vantage);
    json_end_object(json);
}

static void write_coverage(struct json *json, const struct analysis_document *document,
                           const struct coverage_record *coverage)
{
    const char *probe_id = NULL;

    if (coverage->input >= 1 && coverage->input <= document->input_count)
        probe_id = some(document->inputs[coverage->input - 1]->vantage.probe_id);
    json_begin_object(json);
    json_member_text(json, "probe_id", probe_id);
    member_time(json, "from", coverage->from_us);
    member_time(json, "to", coverage->to_us);
    json_member_bool(json, "link_up", coverage->link_up);
    json_member_unsigned(json, "packets", coverage->packets);
    json_member_unsigned(json, "lost", coverage->lost);
    json_end_object(json);
}

/* ---- events ---- */

static void write_mechanisms(struct json *json, const struct cells *cells,
                             const struct event *event)
{
    json_key(json, "mechanisms");
    json_begin_object(json);
    for (unsigned i = 0; i < event->mechanism_count; i++)
        member_double(json, cells_mechanism(cells, event->mechanisms[i].mechanism),
                      event->mechanisms[i].share);
    if (event->mechanism_count == 0 && event->class == EVENT_VANISHED)
        member_double(json, "absence", 1);
    json_end_object(json);
}

void analysis_write_hours(struct json *json, const struct event *event)
{
    static const char *const keys[] = {"workdays", "weekends"};

    json_key(json, "hours");
    if (!event->has_hours) {
        json_null(json);
        return;
    }
    json_begin_object(json);
    for (unsigned kind = 0; kind < ARRAY_LENGTH(keys); kind++) {
        json_key(json, keys[kind]);
        json_begin_array(json);
        for (unsigned hour = 0; hour < DAY_HOURS; hour++)
            if (event->hours[DAY_HOURS * kind + hour])
                json_unsigned(json, hour);
        json_end_array(json);
    }
    json_end_object(json);
}

static void write_controls(struct json *json, const struct event *event)
{
    json_key(json, "controls");
    json_begin_array(json);
    for (unsigned i = 0; i < event->control_count; i++) {
        const struct analysis_control *control = &event->controls[i];
        json_begin_object(json);
        json_member_text(json, "kind", control->kind);
        json_member_text(json, "name", some(control->name));
        json_member_unsigned(json, "attempts", control->attempts);
        json_member_unsigned(json, "failures", control->failures);
        json_member_text(json, "verdict", control->verdict);
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_flows(struct json *json, const struct event *event)
{
    char id[FLOW_ID_SIZE];

    json_key(json, "flows");
    json_begin_array(json);
    for (unsigned i = 0; i < event->flow_count; i++) {
        snprintf(id, sizeof(id), "%" PRIu32 ":%" PRIu64, event->flows[i].input,
                 event->flows[i].packet);
        json_text(json, id);
    }
    json_end_array(json);
}

static void write_what(struct json *json, const struct cells *cells, const struct event *event)
{
    json_member_text(json, "id", event->id);
    json_member_text(json, "class", event_class_text(event->class));
    json_member_text(json, "state", line_state_text(event->state));
    json_member_text(json, "service",
                     event->service < 0 ? NULL
                                        : some(cells_service(cells, (uint16_t)event->service)));
    json_member_text(json, "carrier", carrier_text(cells, event->carrier));
    member_asn(json, event->asn);
    json_key(json, "asns");
    json_begin_array(json);
    for (unsigned i = 0; i < event->asn_count; i++)
        json_unsigned(json, event->asns[i]);
    json_end_array(json);
    json_member_text(json, "country", some(cells_carrier_country(cells, event->carrier)));
    json_member_text(json, "mechanism", analysis_mechanism(cells, event));
    write_mechanisms(json, cells, event);
}

static void write_numbers(struct json *json, const struct event *event)
{
    member_double(json, "log_odds", event->log_odds);
    json_member_unsigned(json, "quality", event->quality);
    json_member_unsigned(json, "attempts", event->attempts);
    json_member_unsigned(json, "failures", event->failures);
    json_member_unsigned(json, "clients", event->clients);
    json_member_unsigned(json, "voices", event->voices);
    json_member_unsigned(json, "vantages", event->vantages);
    member_interval(json, &event->interval);
    json_key(json, "baseline");
    json_begin_object(json);
    json_member_unsigned(json, "attempts", event->baseline_attempts);
    json_member_unsigned(json, "failures", event->baseline_failures);
    json_end_object(json);
}

static void write_event(struct json *json, const struct cells *cells, const struct event *event)
{
    json_begin_object(json);
    write_what(json, cells, event);
    member_span(json, "onset", &event->onset);
    member_span(json, "end", event->ended ? &event->end : NULL);
    json_member_text(json, "grade", event_grade_text(event->grade));
    json_member_text(json, "scope", event_scope_text(event->scope));
    analysis_write_hours(json, event);
    write_numbers(json, event);
    write_controls(json, event);
    json_key(json, "rules");
    json_begin_array(json);
    for (unsigned i = 0; i < event->rule_count; i++)
        json_text(json, event->rules[i]);
    json_end_array(json);
    json_member_text(json, "explanation", event->explanation);
    write_flows(json, event);
    member_time(json, "alarm", event->alarm_us);
    json_end_object(json);
}

/* ---- campaigns and orders ---- */

static bool carrier_came_before(const struct analysis *analysis, const struct campaign *campaign,
                                size_t index)
{
    const uint32_t *events = &analysis->campaign_events[campaign->first_event];

    for (size_t i = 0; i < index; i++)
        if (analysis->events[events[i]].carrier == analysis->events[events[index]].carrier)
            return true;
    return false;
}

static void write_campaign(struct json *json, const struct analysis_document *document,
                           const struct campaign *campaign)
{
    const struct analysis *analysis = document->analysis;
    const uint32_t *events = &analysis->campaign_events[campaign->first_event];

    json_begin_object(json);
    json_member_text(json, "id", campaign->id);
    json_member_text(json, "class", event_class_text(campaign->class));
    json_member_text(json, "service", some(cells_service(document->cells, campaign->service)));
    json_member_text(json, "country", some(campaign->country));
    json_key(json, "carriers");
    json_begin_array(json);
    for (size_t i = 0; i < campaign->event_count; i++)
        if (!carrier_came_before(analysis, campaign, i))
            json_text(json, carrier_text(document->cells, analysis->events[events[i]].carrier));
    json_end_array(json);
    json_key(json, "events");
    json_begin_array(json);
    for (size_t i = 0; i < campaign->event_count; i++)
        json_text(json, analysis->events[events[i]].id);
    json_end_array(json);
    member_span(json, "onset", &campaign->onset);
    member_double(json, "spread_hours", campaign->spread_hours);
    json_member_text(json, "order", campaign->order);
    json_member_text(json, "explanation", campaign->explanation);
    json_end_object(json);
}

static void write_order_row(struct json *json, const struct cells *cells,
                            const struct order_row *row)
{
    json_begin_object(json);
    json_member_text(json, "carrier", row->carrier);
    json_member_text(json, "verdict", order_verdict_text(row->verdict));
    member_span(json, "onset", row->verdict == ORDER_COMPLIED ? &row->onset : NULL);
    json_member_text(json, "mechanism",
                     row->mechanism < 0 ? NULL : cells_mechanism(cells, (uint16_t)row->mechanism));
    json_key(json, "hours_from_deadline");
    if (row->has_hours_from_deadline)
        json_double(json, row->hours_from_deadline);
    else
        json_null(json);
    json_end_object(json);
}

/* The rows of one order follow each other. */
static void write_orders(struct json *json, const struct analysis_document *document)
{
    const struct analysis *analysis = document->analysis;

    json_key(json, "orders");
    json_begin_array(json);
    for (size_t i = 0; i < analysis->order_count;) {
        const char *order = analysis->orders[i].order;
        json_begin_object(json);
        json_member_text(json, "id", order);
        json_key(json, "carriers");
        json_begin_array(json);
        for (; i < analysis->order_count && strcmp(analysis->orders[i].order, order) == 0; i++)
            write_order_row(json, document->cells, &analysis->orders[i]);
        json_end_array(json);
        json_end_object(json);
    }
    json_end_array(json);
}

/* ---- states ---- */

static void write_state(struct json *json, const struct cells *cells,
                        const struct pair_state *state)
{
    json_begin_object(json);
    json_member_text(json, "carrier", carrier_text(cells, state->carrier));
    member_asn(json, analysis_pair_asn(cells, state->carrier, (uint16_t)state->service));
    json_member_text(json, "country", some(cells_carrier_country(cells, state->carrier)));
    json_member_text(json, "service", some(cells_service(cells, (uint16_t)state->service)));
    member_time(json, "at", state->at_us);
    json_member_text(json, "state", line_state_text(state->state));
    json_member_unsigned(json, "attempts", state->attempts);
    json_member_unsigned(json, "failures", state->failures);
    json_member_unsigned(json, "clients", state->clients);
    member_interval(json, &state->interval);
    json_key(json, "minimum_detectable_share");
    if (state->minimum_detectable_share <= 1)
        json_double(json, state->minimum_detectable_share);
    else
        json_null(json);
    json_end_object(json);
}

/* ---- the object ---- */

static void write_conclusions(struct json *json, const struct analysis_document *document)
{
    const struct analysis *analysis = document->analysis;

    json_key(json, "events");
    json_begin_array(json);
    for (size_t i = 0; i < analysis->event_count; i++)
        write_event(json, document->cells, &analysis->events[i]);
    json_end_array(json);
    json_key(json, "campaigns");
    json_begin_array(json);
    for (size_t i = 0; i < analysis->campaign_count; i++)
        write_campaign(json, document, &analysis->campaigns[i]);
    json_end_array(json);
    write_orders(json, document);
}

void analysis_write_json(struct json *json, const struct analysis_document *document)
{
    const struct analysis *analysis = document->analysis;

    json_begin_object(json);
    json_member_text(json, "version", document->version);
    json_member_text(json, "rules_version", document->rules_version);
    json_key(json, "inputs");
    json_begin_array(json);
    for (size_t i = 0; i < document->input_count; i++)
        write_input(json, document->inputs[i]);
    json_end_array(json);
    write_conclusions(json, document);
    json_key(json, "coverage");
    json_begin_array(json);
    for (size_t i = 0; i < document->coverage_count; i++)
        write_coverage(json, document, &document->coverage[i]);
    json_end_array(json);
    json_key(json, "states");
    json_begin_array(json);
    for (size_t i = 0; i < analysis->state_count; i++)
        write_state(json, document->cells, &analysis->states[i]);
    json_end_array(json);
    json_key(json, "taken_back");
    json_begin_array(json);
    for (size_t i = 0; i < document->taken_back_count; i++) {
        json_begin_object(json);
        json_member_text(json, "rules_version", document->taken_back[i].rules_version);
        json_member_text(json, "id", document->taken_back[i].event_id);
        json_end_object(json);
    }
    json_end_array(json);
    json_end_object(json);
}
