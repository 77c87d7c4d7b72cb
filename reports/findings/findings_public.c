// SPDX-License-Identifier: GPL-3.0-or-later
/* What may leave: cells and flows over the floor, names that the catalog knows. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/judge/attempt.h"
#include "base/array.h"
#include "base/clock.h"
#include "reports/findings/findings_internal.h"

int64_t findings_hour_down(int64_t time_us)
{
    return time_us ? clock_hour(time_us) : 0;
}

int64_t findings_hour_up(int64_t time_us)
{
    return time_us ? clock_hour(time_us + FINDINGS_HOUR_US - 1) : 0;
}

struct series_cells *findings_series(const struct findings_inner *inner, uint16_t carrier,
                                     uint16_t service)
{
    size_t low = 0, high = inner->series_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct series_cells *series = &inner->series[middle];
        if (series->carrier < carrier || (series->carrier == carrier && series->service < service))
            low = middle + 1;
        else
            high = middle;
    }
    if (low == inner->series_count || inner->series[low].carrier != carrier ||
        inner->series[low].service != service)
        return NULL;
    return &inner->series[low];
}

#define SECONDS_TOLD 3600 /* fewer may be told as they are */

/* ---- cells ---- */

struct place { /* of a cell that is given out */
    uint32_t series, cell;
};

struct cursor { /* in a series' mechanisms, that go by the hour as cells do */
    const struct cell_mechanism *items;
    size_t at, count;
};

struct giving {
    const struct findings *findings;
    const struct findings_inner *inner;
    struct place *places;
    size_t count;
    struct cursor *cursors; /* of each series */
};

/* Cells of one hour, by line and service, whose numbers are in the order of their names. */
static int compare_places(const void *left, const void *right, void *context)
{
    const struct findings_inner *inner = context;
    const struct place *a = left, *b = right;
    const struct cell *x = &inner->series[a->series].cells[a->cell];
    const struct cell *y = &inner->series[b->series].cells[b->cell];

    if (x->hour_us != y->hour_us)
        return x->hour_us < y->hour_us ? -1 : 1;
    if (inner->line_of[x->line] != inner->line_of[y->line])
        return inner->line_of[x->line] < inner->line_of[y->line] ? -1 : 1;
    if (x->service != y->service)
        return x->service < y->service ? -1 : 1;
    if (x->ip_version != y->ip_version)
        return x->ip_version < y->ip_version ? -1 : 1;
    return (x->line > y->line) - (x->line < y->line);
}

/* By hour into buckets, then each bucket for itself: a million are too many to compare with each other. */
static int sort_places(struct giving *giving, const size_t *hours, size_t hour_count,
                       int64_t first_us)
{
    const struct findings_inner *inner = giving->inner;
    size_t *at = calloc(hour_count + 1, sizeof(*at));

    giving->places = calloc(MAX_OF(giving->count, (size_t)1), sizeof(*giving->places));
    if (!at || !giving->places) {
        free(at);
        return -ENOMEM;
    }
    for (size_t h = 0; h < hour_count; h++)
        at[h + 1] = at[h] + hours[h];
    for (size_t s = 0; s < inner->series_count; s++)
        for (size_t i = 0; i < inner->series[s].count; i++)
            if (findings_is_given(&inner->series[s], i)) {
                int64_t hour = (inner->series[s].cells[i].hour_us - first_us) / FINDINGS_HOUR_US;
                giving->places[at[hour]++] = (struct place){(uint32_t)s, (uint32_t)i};
            }
    for (size_t h = 0; h < hour_count; h++) /* `at` is the end of each now */
        qsort_r(giving->places + at[h] - hours[h], hours[h], sizeof(*giving->places),
                compare_places, (void *)(uintptr_t)inner);
    free(at);
    return DL_OK;
}

static int list_places(struct giving *giving)
{
    const struct findings_inner *inner = giving->inner;
    const struct cells *cells = giving->findings->cells;
    int64_t first_us = clock_hour(cells_first_us(cells));
    size_t hour_count = (size_t)((cells_last_us(cells) - first_us) / FINDINGS_HOUR_US) + 1;
    size_t *hours = calloc(hour_count, sizeof(*hours));
    int status = -ENOMEM;

    giving->cursors = calloc(MAX_OF(inner->series_count, (size_t)1), sizeof(*giving->cursors));
    if (!hours || !giving->cursors)
        goto out;
    for (size_t s = 0; s < inner->series_count; s++)
        giving->cursors[s].items = cells_mechanisms(
            cells, inner->series[s].carrier, inner->series[s].service, &giving->cursors[s].count);
    for (size_t s = 0; s < inner->series_count; s++)
        for (size_t i = 0; i < inner->series[s].count; i++)
            if (findings_is_given(&inner->series[s], i)) {
                hours[(inner->series[s].cells[i].hour_us - first_us) / FINDINGS_HOUR_US]++;
                giving->count++;
            }
    status = sort_places(giving, hours, hour_count, first_us);
out:
    free(hours);
    return status;
}

static void tally_cell(struct giving *giving, const struct place *place,
                       struct mechanism_tally *tally)
{
    const struct findings *findings = giving->findings;
    const struct series_cells *series = &giving->inner->series[place->series];
    const struct cell *cell = &series->cells[place->cell];
    struct cursor *cursor = &giving->cursors[place->series];

    while (cursor->at < cursor->count && cursor->items[cursor->at].hour_us < cell->hour_us)
        cursor->at++;
    for (size_t i = cursor->at; i < cursor->count && cursor->items[i].hour_us == cell->hour_us;
         i++) {
        const struct cell_mechanism *item = &cursor->items[i];
        if (item->line == cell->line && item->ip_version == cell->ip_version)
            mechanism_tally_add(tally, cells_mechanism(findings->cells, item->mechanism),
                                item->attempts,
                                item->attribution == ATTRIBUTION_THIRD_PARTY ? item->attempts : 0);
    }
}

static int give_cell(struct giving *giving, const struct place *place, findings_cell_fn fn,
                     void *context)
{
    const struct findings *findings = giving->findings;
    const struct series_cells *series = &giving->inner->series[place->series];
    const struct cell *cell = &series->cells[place->cell];
    struct mechanism_tally tally;

    tally.count = 0;
    tally.attempts = 0;
    tally_cell(giving, place, &tally);
    mechanism_tally_sort(&tally, cell->failures);
    const struct findings_cell given = {.line =
                                            &findings->lines[giving->inner->line_of[cell->line]],
                                        .service = cells_service(findings->cells, cell->service),
                                        .hour_us = cell->hour_us,
                                        .ip_version = cell->ip_version,
                                        .attempts = cell->attempts,
                                        .failures = cell->failures,
                                        .undecided = cell->undecided,
                                        .proven = cell->proven,
                                        .throttled = cell->throttled,
                                        .clients = cell->voices,
                                        .mechanisms = tally.items,
                                        .mechanism_count = tally.count};
    return fn(context, &given);
}

int findings_each_cell(const struct findings *findings, findings_cell_fn fn, void *context)
{
    struct giving giving = {.findings = findings, .inner = findings->inner};
    int status = giving.inner ? list_places(&giving) : DL_OK;

    for (size_t i = 0; status == DL_OK && i < giving.count; i++)
        status = give_cell(&giving, &giving.places[i], fn, context);
    free(giving.places);
    free(giving.cursors);
    return status;
}

/* ---- flows ---- */

/* Services of the cells are in the order of their names; SIZE_MAX. */
static size_t service_of(const struct cells *cells, const char *service)
{
    size_t low = 0, high = cells_service_count(cells);

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(cells_service(cells, (uint16_t)middle), service);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return SIZE_MAX;
}

bool findings_hour_is_given(const struct series_cells *series, uint16_t line, int64_t hour_us)
{
    size_t low = 0, high = series->count;
    bool any = false;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (series->cells[middle].hour_us < hour_us)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < series->count && series->cells[low].hour_us == hour_us; low++) {
        if (series->cells[low].line != line)
            continue;
        if (!findings_is_given(series, low))
            return false;
        any = true;
    }
    return any;
}

bool findings_flow_is_given(const struct findings_inner *inner, const struct observation *flow,
                            int64_t attempt_start_us)
{
    const struct cells *cells = inner->findings->cells;
    uint16_t line = inner->line_of_input[flow->input - 1];
    size_t service = flow->service[0] ? service_of(cells, flow->service) : SIZE_MAX;

    if (line == UINT16_MAX || service == SIZE_MAX)
        return false;
    const struct series_cells *series =
        findings_series(inner, cells_line_carrier(cells, line), (uint16_t)service);
    return series && findings_hour_is_given(series, line, clock_hour(attempt_start_us));
}

int findings_attempt_start(const struct findings_inner *inner, const struct judged *judged,
                           int64_t *ret_start_us, struct dl_error *error)
{
    const struct observation *flow = &judged->flow;
    bool first = judged->attempt_input == flow->input && judged->attempt_packet == flow->packet;
    struct observation begun;

    *ret_start_us = flow->start_us;
    /* An attempt's flows begin close together, an imported run's need not. */
    if (first || (!flow->import.present &&
                  clock_hour(flow->start_us - ATTEMPT_WINDOW_US) == clock_hour(flow->start_us)))
        return DL_OK;
    int status = store_reader_get(inner->findings->reader, judged->attempt_input,
                                  judged->attempt_packet, &begun, error);
    if (status == DL_OK)
        *ret_start_us = begun.start_us;
    return status;
}

int findings_each_flow(const struct findings *findings, findings_flow_fn fn, void *context,
                       struct dl_error *error)
{
    const struct findings_inner *inner = findings->inner;
    const struct store_query query = {.with_evidence = true};
    struct judge_pass *pass = NULL;
    struct judged judged;
    uint64_t flows = 0;
    int64_t start_us;
    int status;

    if (!findings->reader || !inner)
        return DL_OK;
    status = judge_pass_create(&pass, findings->reader, &query,
                               catalog_injectors(findings->options->catalog), error);
    while (status == DL_OK && (status = judge_pass_next(pass, &judged, error)) == DL_OK) {
        if (++flows % FINDINGS_PROGRESS == 0 && inner->sources.progress)
            status = inner->sources.progress(inner->sources.context, flows);
        if (status == DL_OK)
            status = findings_attempt_start(inner, &judged, &start_us, error);
        if (status == DL_OK && findings_flow_is_given(inner, &judged.flow, start_us))
            status = fn(context, &judged);
    }
    judge_pass_destroy(pass);
    return status == DL_END ? DL_OK : status;
}

/* ---- sentences ---- */

void findings_coarsen(const char *detail, char *ret_text, size_t size)
{
    static const char instead[] = "more than an hour";
    size_t used = 0;

    while (*detail && used + sizeof(instead) < size) {
        size_t digits = strspn(detail, "0123456789.");
        bool seconds = digits > 0 && strncmp(detail + digits, " s", 2) == 0 &&
                       !isalpha((unsigned char)detail[digits + 2]);
        if (seconds && strtod(detail, NULL) >= SECONDS_TOLD) {
            memcpy(ret_text + used, instead, sizeof(instead) - 1);
            used += sizeof(instead) - 1;
            detail += digits + 2;
            continue;
        }
        size_t length = MIN_OF(MAX_OF(digits, (size_t)1), size - 1 - used);
        memcpy(ret_text + used, detail, length);
        used += length;
        detail += length;
    }
    ret_text[used] = '\0';
}

/* ---- names ---- */

static bool is_of_service(const struct catalog *catalog, const struct observation *flow,
                          const char *host)
{
    struct catalog_match match;
    const struct catalog_service *service;

    if (!catalog_match_host(catalog, host, strlen(host), flow->transport, flow->server_port,
                            &match) ||
        match.inventory)
        return false;
    service = catalog_service_at(catalog, match.service);
    return service && strcmp(service->id, flow->service) == 0;
}

const char *findings_public_host(const struct findings *findings, const struct observation *flow)
{
    const struct catalog *catalog = findings->options->catalog;
    const char *host = flow->host;

    if (!host[0] || !flow->service[0] || !is_of_service(catalog, flow, host))
        return "";
    /* What stands before the catalog's own entry may name whose server it is. */
    for (const char *dot = strchr(host, '.'); dot; dot = strchr(host, '.')) {
        if (!dot[1] || !is_of_service(catalog, flow, dot + 1))
            break;
        host = dot + 1;
    }
    return host;
}

/* That a name, a block of addresses or the service's own certificate tells to be one: what else is there may
 * be a person, a household's router or an enterprise's own server. */
char *findings_public_server(const struct judged *judged, char text[FINDINGS_SERVER_SIZE])
{
    static const uint16_t telling =
        REASON_SNI | REASON_DNS | REASON_CERT | REASON_IP | REASON_HTTP_HOST;
    const struct observation *flow = &judged->flow;
    const struct address *address = &flow->server.address;
    char name[ADDRESS_TEXT_SIZE];

    text[0] = '\0';
    if (flow->server.kind != ENDPOINT_ADDRESS || flow->dns.present || !flow->service[0] ||
        !(flow->reasons & telling) || (flow->reasons & REASON_INVENTORY) ||
        (address_is_bogon(address) && judged->input->vantage.origin != ORIGIN_LAB))
        return text;
    address_format(address, name);
    snprintf(text, FINDINGS_SERVER_SIZE, address_is_v4(address) ? "%s:%u" : "[%s]:%u", name,
             flow->server_port);
    return text;
}
