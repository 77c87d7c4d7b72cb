// SPDX-License-Identifier: GPL-3.0-or-later
#include "reports/findings/findings.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/detect/verdicts.h"
#include "base/array.h"
#include "reports/findings/findings_internal.h"

#define NEAR_MAX  5 /* ids told where one is not there */
#define NEAR_STEP 3 /* letters that may differ */
#define WORD_MAX  64

struct whole {
    struct findings findings; /* first: it is the address that is given out */
    struct findings_inner inner;
};

/* ---- names ---- */

const char *findings_carrier_name(struct findings_inner *inner, const char *carrier)
{
    const struct catalog_carrier *known =
        catalog_carrier_find(inner->findings->options->catalog, carrier);
    char name[VANTAGE_TEXT_SIZE];

    if (known)
        return known->name;
    if (strncmp(carrier, "as", 2) != 0 || !isdigit((unsigned char)carrier[2]))
        return memory_text(&inner->memory, carrier);
    snprintf(name, sizeof(name), "AS%s", carrier + 2);
    return memory_text(&inner->memory, name);
}

const char *findings_service_name(struct findings_inner *inner, const char *service)
{
    const struct catalog_service *known =
        catalog_service_find(inner->findings->options->catalog, service);

    return known ? known->name : memory_text(&inner->memory, service);
}

/* ---- what was asked for ---- */

static const struct event *event_asked(const struct findings_inner *inner)
{
    const struct analysis *analysis = inner->findings->analysis;
    const char *id = inner->findings->options->event;

    for (size_t i = 0; id && i < analysis->event_count; i++)
        if (strcmp(analysis->events[i].id, id) == 0)
            return &analysis->events[i];
    return NULL;
}

static bool is(const char *asked, const char *id)
{
    return !asked || strcmp(asked, id) == 0;
}

bool findings_wants_event(const struct findings_inner *inner, const struct event *event)
{
    const struct findings_options *options = inner->findings->options;
    const struct cells *cells = inner->findings->cells;
    const char *service =
        event->service < 0 ? NULL : cells_service(cells, (uint16_t)event->service);
    int64_t from_us = event->onset.earliest_us ? event->onset.earliest_us : event->onset.latest_us;

    return is(options->event, event->id) &&
           is(options->carrier, cells_carrier(cells, event->carrier)) &&
           (!service || is(options->service, service)) &&
           (!event->ended || event->end.latest_us > options->since_us) &&
           (!options->until_us || from_us < options->until_us);
}

/* Beside what was asked for stand the controls of its carrier, and the service elsewhere. */
bool findings_wants_series(const struct findings_inner *inner, uint16_t carrier, uint16_t service,
                           enum service_class class)
{
    const struct findings_options *options = inner->findings->options;
    const struct cells *cells = inner->findings->cells;
    const struct event *event = event_asked(inner);

    if (event) {
        bool same = event->service < 0 || service == event->service;
        return carrier == event->carrier ? same || class == CLASS_CONTROL
                                         : same && event->service >= 0;
    }
    return is(options->carrier, cells_carrier(cells, carrier)) &&
           (class == CLASS_CONTROL || is(options->service, cells_service(cells, service)));
}

/* How many letters must change; WORD_MAX for long ones. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[WORD_MAX + 1];
    size_t length = strlen(b);

    if (length > WORD_MAX || strlen(a) > WORD_MAX)
        return WORD_MAX;
    for (unsigned k = 0; k <= length; k++)
        row[k] = k;
    for (unsigned i = 1; a[i - 1]; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned k = 1; k <= length; k++) {
            unsigned change = diagonal + (a[i - 1] != b[k - 1]);
            diagonal = row[k];
            row[k] = MIN_OF(change, MIN_OF(row[k], row[k - 1]) + 1);
        }
    }
    return row[length];
}

typedef const char *(*id_fn)(const struct findings *findings, size_t index);

static const char *event_id(const struct findings *findings, size_t index)
{
    return index < findings->analysis->event_count ? findings->analysis->events[index].id : NULL;
}

static const char *carrier_id(const struct findings *findings, size_t index)
{
    return index < cells_carrier_count(findings->cells)
               ? cells_carrier(findings->cells, (uint16_t)index)
               : NULL;
}

static const char *service_id(const struct findings *findings, size_t index)
{
    return index < cells_service_count(findings->cells)
               ? cells_service(findings->cells, (uint16_t)index)
               : NULL;
}

static bool is_near(const char *asked, const char *id)
{
    return strstr(id, asked) || strstr(asked, id) || distance(asked, id) <= NEAR_STEP ||
           strncmp(asked, id, 3) == 0;
}

/* Those that are near, else the first ones; an empty list says so. */
static int say_near(const struct findings *findings, const char *what, const char *asked,
                    id_fn id_at, struct dl_error *error)
{
    char list[DL_ERROR_SIZE / 2] = "";
    unsigned told = 0;
    size_t used = 0;
    const char *id;

    for (int any = 0; any < 2 && told == 0; any++)
        for (size_t i = 0; told < NEAR_MAX && (id = id_at(findings, i)); i++) {
            if ((!any && !is_near(asked, id)) || used + strlen(id) + 3 > sizeof(list))
                continue;
            used +=
                (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", told ? ", " : "", id);
            told++;
        }
    return dl_error_set(error, DL_NOT_FOUND, "no %s %.80s is there; %s%s", what, asked,
                        told ? "there is " : "there is none at all", list);
}

static int check_one(const struct findings *findings, const char *what, const char *asked,
                     id_fn id_at, struct dl_error *error)
{
    const char *id;

    for (size_t i = 0; asked && (id = id_at(findings, i)); i++)
        if (strcmp(asked, id) == 0)
            return DL_OK;
    return asked ? say_near(findings, what, asked, id_at, error) : DL_OK;
}

int findings_check_asked(const struct findings_inner *inner, struct dl_error *error)
{
    const struct findings *findings = inner->findings;
    const struct findings_options *options = findings->options;
    int status = check_one(findings, "event", options->event, event_id, error);

    if (status == DL_OK)
        status = check_one(findings, "carrier", options->carrier, carrier_id, error);
    if (status == DL_OK)
        status = check_one(findings, "service", options->service, service_id, error);
    return status;
}

/* ---- the whole ---- */

static void begin(struct whole *whole, const struct findings_sources *sources,
                  const struct findings_options *options)
{
    struct findings *findings = &whole->findings;
    struct findings_inner *inner = &whole->inner;
    const struct analysis_document *document = sources->document;

    *findings = (struct findings){.options = options,
                                  .reader = sources->reader,
                                  .cells = document->cells,
                                  .analysis = document->analysis,
                                  .version = sources->version,
                                  .rules_version = sources->rules_version,
                                  .catalog_version = catalog_version(options->catalog),
                                  .floor = options->minimum_clients ? options->minimum_clients
                                                                    : FINDINGS_MINIMUM_CLIENTS,
                                  .events_dropped = document->analysis->dropped,
                                  .series_tested = document->analysis->series_tested,
                                  .inputs = document->inputs,
                                  .input_count = document->input_count,
                                  .taken_back = document->taken_back,
                                  .taken_back_count = document->taken_back_count,
                                  .inner = inner};
    inner->findings = findings;
    inner->sources = *sources;
    inner->world = (struct places){options->catalog, NULL};
    places_init(&inner->places, &inner->world);
}

/* From the first to the last attempt, of the time asked for. */
static void tell_times(struct findings *findings)
{
    const struct findings_options *options = findings->options;

    findings->first_us = findings_hour_down(cells_first_us(findings->cells));
    findings->last_us = findings_hour_up(cells_last_us(findings->cells) + 1);
    for (size_t i = 0; cells_first_us(findings->cells) == 0 && i < findings->line_count; i++) {
        const struct findings_line *line = &findings->lines[i];
        if (i == 0 || line->first_us < findings->first_us)
            findings->first_us = line->first_us;
        findings->last_us = MAX_OF(i == 0 ? 0 : findings->last_us, line->last_us);
    }
    if (options->since_us)
        findings->first_us = MAX_OF(findings->first_us, findings_hour_down(options->since_us));
    if (options->until_us)
        findings->last_us = MIN_OF(findings->last_us, findings_hour_up(options->until_us));
    findings->last_us = MAX_OF(findings->last_us, findings->first_us);
}

static bool is_same_line(const struct cell_line *a, const struct cell_line *b)
{
    return a->asn == b->asn && a->network == b->network && a->position == b->position &&
           a->clock == b->clock && a->origin == b->origin && a->epoch == b->epoch &&
           strcmp(a->carrier, b->carrier) == 0 && strcmp(a->probe_id, b->probe_id) == 0 &&
           strcmp(a->country, b->country) == 0;
}

/* Which line of the cells an input is. */
static int find_inputs(struct findings_inner *inner)
{
    const struct cells *cells = inner->findings->cells;
    size_t count = inner->sources.reader ? store_reader_input_count(inner->sources.reader) : 0;

    inner->line_of_input = memory_array(&inner->memory, count, sizeof(*inner->line_of_input));
    if (!inner->line_of_input)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        struct cell_line line = verdicts_line(inner->sources.reader, (uint32_t)i + 1);
        inner->line_of_input[i] = UINT16_MAX;
        for (size_t k = 0; k < cells_line_count(cells); k++)
            if (is_same_line(cells_line(cells, (uint16_t)k), &line))
                inner->line_of_input[i] = (uint16_t)k;
    }
    return DL_OK;
}

static int find_all(struct findings_inner *inner, struct dl_error *error)
{
    int status = findings_check_asked(inner, error);

    if (status == DL_OK)
        status = findings_find_lines(inner);
    if (status == DL_OK)
        status = find_inputs(inner);
    if (status != DL_OK)
        return status;
    tell_times(inner->findings);
    static int (*const steps[])(struct findings_inner *) = {
        findings_mark_cells,  findings_find_events,    findings_find_pairs,
        findings_find_groups, findings_find_campaigns, findings_find_charts};
    for (size_t i = 0; status == DL_OK && i < ARRAY_LENGTH(steps); i++)
        status = steps[i](inner);
    if (status == DL_OK)
        status = findings_find_counts(inner, error);
    if (status == DL_OK)
        status = findings_find_cards(inner, error);
    if (status == DL_OK)
        status = findings_find_headline(inner);
    return status;
}

int findings_create(struct findings **ret_findings, const struct findings_sources *sources,
                    const struct findings_options *options, struct dl_error *error)
{
    struct whole *whole = calloc(1, sizeof(*whole));
    int status;

    if (!whole)
        return -ENOMEM;
    begin(whole, sources, options);
    status = find_all(&whole->inner, error);
    if (status != DL_OK) {
        findings_destroy(&whole->findings);
        return status;
    }
    *ret_findings = &whole->findings;
    return DL_OK;
}

void findings_destroy(struct findings *findings)
{
    struct whole *whole = (struct whole *)findings;

    if (!whole)
        return;
    memory_finish(&whole->inner.memory);
    free(whole);
}
