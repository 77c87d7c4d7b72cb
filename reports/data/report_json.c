// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/digest.h"
#include "geo/vantage_json.h"
#include "reports/data/data.h"
#include "reports/data/data_json.h"

#define SCHEMA      "darkline-report-1"
#define DATE_LENGTH 10

/* ---- the head ---- */

static void write_headline(struct json *json, const struct findings *findings)
{
    json_key(json, "headline");
    json_begin_object(json);
    json_member_text(json, "kind", data_headline_text(findings->headline));
    data_member_index(json, "event", findings->headline_event);
    json_key(json, "events");
    json_begin_array(json);
    for (size_t i = 0; i < findings->headline_event_count; i++)
        json_unsigned(json, findings->headline_events[i]);
    json_end_array(json);
    data_member_index(json, "campaign", findings->headline_campaign);
    data_member_index(json, "order", findings->headline_order);
    json_member_text(json, "country", data_some(findings->country));
    json_member_text(json, "service", data_some(findings->service));
    data_member_span(json, "onset", &findings->onset);
    json_member_unsigned(json, "carriers_seen", findings->carriers_seen);
    json_member_unsigned(json, "carriers_affected", findings->carriers_affected);
    json_member_unsigned(json, "carriers_complied", findings->carriers_complied);
    json_member_unsigned(json, "owners_affected", findings->owners_affected);
    json_member_bool(json, "speaks_for_country", findings->speaks_for_country);
    data_member_share(json, "abroad", &findings->abroad);
    json_end_object(json);
}

static void write_quality(struct json *json, const struct findings *findings)
{
    const struct {
        bool is;
        const char *word;
    } reasons[] = {
        {findings->quality_clock, "clock"},
        {findings->quality_imported, "imported"},
        {findings->quality_one_vantage, "one-vantage"},
        {findings->quality_no_control, "no-control"},
        {findings->quality_no_elsewhere, "no-elsewhere"},
        {findings->quality_lost, "lost"},
        {findings->quality_gaps, "gaps"},
        {findings->quality_few, "few"},
    };

    json_key(json, "quality");
    json_begin_object(json);
    json_member_unsigned(json, "level", findings->quality);
    json_key(json, "why");
    json_begin_array(json);
    for (size_t i = 0; i < ARRAY_LENGTH(reasons); i++)
        if (reasons[i].is)
            json_text(json, reasons[i].word);
    json_end_array(json);
    json_end_object(json);
}

static void write_origins(struct json *json, const struct findings *findings)
{
    json_key(json, "origins");
    json_begin_array(json);
    for (unsigned i = 0; i <= ORIGIN_IMPORTED; i++)
        if (findings->has_origin[i])
            json_text(json, word_text(WORD_ORIGIN, i));
    json_end_array(json);
}

/* As they were asked for: a time that somebody typed is nobody's. */
static void member_time(struct json *json, const char *key, int64_t time_us)
{
    char text[CLOCK_TEXT_SIZE];
    json_member_text(json, key, time_us ? clock_format(time_us, text) : NULL);
}

static void write_options(struct json *json, const struct findings_options *options)
{
    json_key(json, "options");
    json_begin_object(json);
    member_time(json, "since", options->since_us);
    member_time(json, "until", options->until_us);
    json_member_unsigned(json, "minimum_clients",
                         options->minimum_clients ? options->minimum_clients
                                                  : FINDINGS_MINIMUM_CLIENTS);
    json_member_text(json, "event", options->event);
    json_member_text(json, "carrier", options->carrier);
    json_member_text(json, "service", options->service);
    json_member_text(json, "command_line", options->command_line);
    json_end_object(json);
}

static void write_versions(struct json *json, const struct findings *findings)
{
    json_key(json, "versions");
    json_begin_object(json);
    json_member_text(json, "darkline", findings->version);
    json_member_text(json, "rules", findings->rules_version);
    json_member_text(json, "catalog", findings->catalog_version);
    json_end_object(json);
}

static void write_report(struct json *json, const struct findings *findings)
{
    const struct findings_options *options = findings->options;
    char date[CLOCK_TEXT_SIZE];

    json_key(json, "report");
    json_begin_object(json);
    json_member_text(json, "id", data_some(findings->id));
    json_member_text(json, "schema", SCHEMA);
    write_headline(json, findings);
    json_member_text(json, "strength", findings_strength_text(findings->strength));
    write_quality(json, findings);
    json_member_bool(json, "draft", options->draft);
    clock_format(options->embargo_us, date);
    date[DATE_LENGTH] = '\0';
    json_member_text(json, "embargo_until", options->embargo_us ? date : NULL);
    write_origins(json, findings);
    data_member_hour(json, "first", findings->first_us);
    data_member_hour_up(json, "last", findings->last_us);
    data_member_share(json, "total", &findings->total);
    data_member_share(json, "controls", &findings->controls);
    json_member_unsigned(json, "undecided", findings->undecided);
    json_member_unsigned(json, "proven", findings->proven);
    json_member_unsigned(json, "floor", findings->floor);
    json_member_unsigned(json, "series_tested", findings->series_tested);
    json_member_unsigned(json, "events_dropped", findings->events_dropped);
    write_options(json, options);
    write_versions(json, findings);
    json_end_object(json);
}

/* ---- what it was made of ---- */

static void write_inputs(struct json *json, const struct findings *findings)
{
    char text[DIGEST_TEXT_SIZE];

    json_key(json, "inputs");
    json_begin_array(json);
    for (size_t i = 0; i < findings->input_count; i++) {
        const struct input_record *input = findings->inputs[i];
        json_begin_object(json);
        json_member_text(json, "path", data_some(input->path));
        json_member_text(json, "sha256",
                         input->has_sha256 ? digest_text(input->sha256, text) : NULL);
        json_member_unsigned(json, "packets", input->packets);
        json_member_unsigned(json, "bytes", input->bytes);
        json_member_unsigned(json, "lost", input->lost);
        data_member_hour(json, "first", input->first_us);
        data_member_hour_up(json, "last", input->last_us);
        vantage_write_json(json, &input->vantage);
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_line(struct json *json, const struct findings_line *line)
{
    json_begin_object(json);
    json_member_text(json, "probe_id", data_some(line->probe_id));
    json_member_text(json, "carrier", data_some(line->carrier));
    json_member_text(json, "carrier_name", data_some(line->carrier_name));
    json_member_text(json, "country", data_some(line->country));
    data_member_asn(json, line->asn);
    json_member_text(json, "network", word_text(WORD_NETWORK, line->network));
    json_member_text(json, "position", word_text(WORD_POSITION, line->position));
    json_member_text(json, "clock", word_text(WORD_CLOCK, line->clock));
    json_member_text(json, "origin", word_text(WORD_ORIGIN, line->origin));
    data_member_hour(json, "first", line->first_us);
    data_member_hour_up(json, "last", line->last_us);
    json_member_unsigned(json, "inputs", line->inputs);
    json_member_unsigned(json, "packets", line->packets);
    json_member_unsigned(json, "bytes", line->bytes);
    json_member_unsigned(json, "lost", line->lost);
    json_member_unsigned(json, "watched_hours", line->watched_hours);
    json_member_unsigned(json, "gap_hours", line->gap_hours);
    json_member_bool(json, "has_floor", line->has_floor);
    json_end_object(json);
}

static void write_lines(struct json *json, const struct findings *findings)
{
    json_key(json, "lines");
    json_begin_array(json);
    for (size_t i = 0; i < findings->line_count; i++)
        write_line(json, &findings->lines[i]);
    json_end_array(json);
}

static bool is_line(const struct findings_line *line, const struct cell_line *cell)
{
    return strcmp(line->probe_id, cell->probe_id) == 0 &&
           strcmp(line->carrier, cell->carrier) == 0 && line->origin == (enum origin)cell->origin &&
           line->asn == cell->asn;
}

static void write_span(struct json *json, const struct findings *findings, size_t line,
                       const struct cell_coverage *span)
{
    json_begin_object(json);
    json_member_unsigned(json, "line", line);
    json_member_text(json, "probe_id", data_some(findings->lines[line].probe_id));
    data_member_hour(json, "from", span->from_us);
    data_member_hour_up(json, "to", span->to_us);
    json_member_bool(json, "link_up", span->link_up);
    json_end_object(json);
}

/* Spans of one line, joined where they come within an hour of each other in the same state. */
static void write_spans(struct json *json, const struct findings *findings, size_t line,
                        const struct cell_coverage *spans, size_t count)
{
    for (size_t i = 0; i < count;) {
        struct cell_coverage joined = spans[i++];
        for (; i < count && spans[i].link_up == joined.link_up &&
               spans[i].from_us <= joined.to_us + CLOCK_HOUR_US;
             i++)
            joined.to_us = MAX_OF(joined.to_us, spans[i].to_us);
        write_span(json, findings, line, &joined);
    }
}

static size_t line_of(const struct findings *findings, const struct cell_line *cell)
{
    for (size_t i = 0; i < findings->line_count; i++)
        if (is_line(&findings->lines[i], cell))
            return i;
    return FINDINGS_NONE;
}

static void write_coverage(struct json *json, const struct findings *findings)
{
    const struct cells *cells = findings->cells;

    json_key(json, "coverage");
    json_begin_array(json);
    for (size_t i = 0; cells && i < cells_line_count(cells); i++) {
        size_t count;
        const struct cell_coverage *spans = cells_coverage(cells, (uint16_t)i, &count);
        size_t line = count ? line_of(findings, cells_line(cells, (uint16_t)i)) : FINDINGS_NONE;
        if (line != FINDINGS_NONE)
            write_spans(json, findings, line, spans, count);
    }
    json_end_array(json);
}

/* ---- carriers, services and pairs ---- */

static void write_networks(struct json *json, const struct findings_group *group)
{
    json_key(json, "networks");
    json_begin_array(json);
    for (size_t i = 0; i < group->network_count; i++) {
        json_begin_object(json);
        data_member_asn(json, group->networks[i].asn);
        data_share(json, &group->networks[i].share);
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_group(struct json *json, const struct findings_group *group, bool is_carrier)
{
    json_begin_object(json);
    json_member_text(json, "id", group->id);
    json_member_text(json, "name", data_some(group->name));
    if (is_carrier) {
        json_member_text(json, "country", data_some(group->country));
        json_member_text(json, "owner", group->owner);
    } else {
        json_member_text(json, "class", word_text(WORD_CLASS, group->class));
    }
    data_share(json, &group->share);
    if (is_carrier)
        data_member_share(json, "controls", &group->controls);
    json_member_unsigned(json, "clients", group->clients);
    data_member_hour(json, "first", group->first_us);
    data_member_hour_up(json, "last", group->last_us);
    json_member_unsigned(json, "events_confirmed", group->events_confirmed);
    json_member_unsigned(json, "events_likely", group->events_likely);
    json_member_text(json, "strength", findings_strength_text(group->strength));
    if (is_carrier)
        write_networks(json, group);
    json_end_object(json);
}

static void write_groups(struct json *json, const char *key, const struct findings_group *groups,
                         size_t count, bool are_carriers)
{
    json_key(json, key);
    json_begin_array(json);
    for (size_t i = 0; i < count; i++)
        write_group(json, &groups[i], are_carriers);
    json_end_array(json);
}

static void member_detectable(struct json *json, const struct findings_pair *pair)
{
    json_key(json, "minimum_detectable_share");
    if (pair->minimum_detectable_share <= 1)
        json_double(json, pair->minimum_detectable_share);
    else
        json_null(json);
}

static void write_pair(struct json *json, const struct findings_pair *pair)
{
    json_begin_object(json);
    json_member_text(json, "carrier", data_some(pair->carrier));
    json_member_text(json, "carrier_name", data_some(pair->carrier_name));
    json_member_text(json, "country", data_some(pair->country));
    json_member_text(json, "service", data_some(pair->service));
    json_member_text(json, "service_name", data_some(pair->service_name));
    json_member_text(json, "class", word_text(WORD_CLASS, pair->class));
    data_member_asn(json, pair->asn);
    data_share(json, &pair->share);
    json_member_unsigned(json, "clients", pair->clients);
    data_member_hour(json, "first", pair->first_us);
    data_member_hour_up(json, "last", pair->last_us);
    json_member_text(json, "state", line_state_text(pair->state));
    data_member_share(json, "now", &pair->now);
    member_detectable(json, pair);
    json_member_text(json, "strength", findings_strength_text(pair->strength));
    data_member_mechanism_counts(json, pair->mechanisms, pair->mechanism_count);
    data_member_index(json, "worst_event", pair->worst_event);
    data_member_index(json, "chart", pair->chart);
    json_end_object(json);
}

static void write_state(struct json *json, const struct findings_pair *pair)
{
    json_begin_object(json);
    json_member_text(json, "carrier", data_some(pair->carrier));
    data_member_asn(json, pair->asn);
    json_member_text(json, "country", data_some(pair->country));
    json_member_text(json, "service", data_some(pair->service));
    data_member_hour_up(json, "at", pair->last_us);
    json_member_text(json, "state", line_state_text(pair->state));
    data_share(json, &pair->now);
    json_member_unsigned(json, "clients", pair->clients);
    member_detectable(json, pair);
    json_end_object(json);
}

static void write_pairs(struct json *json, const char *key, const struct findings *findings,
                        void (*write)(struct json *json, const struct findings_pair *pair))
{
    json_key(json, key);
    json_begin_array(json);
    for (size_t i = 0; i < findings->pair_count; i++)
        write(json, &findings->pairs[i]);
    json_end_array(json);
}

/* ---- the rest ---- */

static void write_notes(struct json *json, const struct findings *findings)
{
    json_key(json, "notes");
    json_begin_array(json);
    for (size_t i = 0; i < findings->note_count; i++) {
        json_begin_object(json);
        json_member_text(json, "kind", findings->notes[i].kind);
        json_member_unsigned(json, "count", findings->notes[i].count);
        json_end_object(json);
    }
    json_end_array(json);
    json_key(json, "uncatalogued");
    json_begin_array(json);
    for (size_t i = 0; i < findings->uncatalogued_count; i++) {
        const struct findings_uncatalogued *one = &findings->uncatalogued[i];
        json_begin_object(json);
        json_member_text(json, "protocol", data_some(one->protocol));
        json_member_unsigned(json, "flows", one->flows);
        json_member_unsigned(json, "failed", one->failed);
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_what_is_gone(struct json *json, const struct findings *findings)
{
    json_key(json, "taken_back");
    json_begin_array(json);
    for (size_t i = 0; i < findings->taken_back_count; i++) {
        json_begin_object(json);
        json_member_text(json, "rules_version", findings->taken_back[i].rules_version);
        json_member_text(json, "id", findings->taken_back[i].event_id);
        json_end_object(json);
    }
    json_end_array(json);
    json_key(json, "withheld");
    json_begin_object(json);
    json_member_unsigned(json, "events", findings->withheld_events);
    json_member_unsigned(json, "pairs", findings->withheld_pairs);
    json_member_unsigned(json, "cells", findings->withheld_cells);
    json_end_object(json);
}

int report_json_write(FILE *file, const struct findings *findings)
{
    struct json json;

    json_init(&json, file, 1);
    json_begin_object(&json);
    write_report(&json, findings);
    write_inputs(&json, findings);
    write_lines(&json, findings);
    data_write_events(&json, findings);
    data_write_campaigns(&json, findings);
    data_write_orders(&json, findings);
    write_coverage(&json, findings);
    write_pairs(&json, "states", findings, write_state);
    write_groups(&json, "carriers", findings->carriers, findings->carrier_count, true);
    write_groups(&json, "services", findings->services, findings->service_count, false);
    write_pairs(&json, "pairs", findings, write_pair);
    data_write_cards(&json, findings);
    data_write_charts(&json, findings);
    write_notes(&json, findings);
    write_what_is_gone(&json, findings);
    json_end_object(&json);
    json_newline(&json);
    return json.failed ? DL_LIBRARY : ferror(file) ? -EIO : DL_OK;
}

/* ---- its own name ---- */

static ssize_t take_bytes(void *digest, const char *bytes, size_t length)
{
    digest_update(digest, bytes, length);
    return (ssize_t)length;
}

int report_json_id(const struct findings *findings, char ret_id[FINDINGS_ID_SIZE])
{
    struct findings_options options = *findings->options;
    struct findings nameless = *findings;
    struct digest *digest = NULL;
    uint8_t hash[DIGEST_SIZE];
    char text[DIGEST_TEXT_SIZE];
    FILE *file = NULL;
    int status = digest_create(&digest);

    nameless.id[0] = '\0';
    nameless.options = &options;
    options.command_line = NULL; /* the same findings, in whatever language or folder */
    if (status == DL_OK) {
        file = fopencookie(digest, "w", (cookie_io_functions_t){.write = take_bytes});
        status = file ? report_json_write(file, &nameless) : -ENOMEM;
    }
    if (file && fclose(file) != 0 && status == DL_OK)
        status = -EIO;
    if (status == DL_OK) {
        digest_final(digest, hash);
        snprintf(ret_id, FINDINGS_ID_SIZE, "%s", digest_text(hash, text));
    }
    digest_destroy(digest);
    return status;
}
