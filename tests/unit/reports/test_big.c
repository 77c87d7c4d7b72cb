// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/array.h"
#include "base/clock.h"
#include "reports/data/data.h"
#include "reports/findings/findings.h"
#include "reports/page/page.h"

/*
 * A large report: 1,000 events on 100 carriers with 50 services, a million cells over a year. Findings and all text
 * formats must stay within the memory promised; how long they took is printed, for a machine may be busy. The
 * memory of the cells is the analysis', not the report's, and is told beside it.
 */
#define CARRIERS       100u
#define SERVICES       50u
#define EVENTS         1000u
#define HOURS          200u /* of each pair, spread over the year */
#define STEP           43u  /* hours between them */
#define START          INT64_C(1420070400000000)
#define MEMORY_MB_MOST 200

#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED true
#else
#define IS_SANITIZED false
#endif

struct big {
    struct catalog *catalog;
    struct cells *cells;
    struct event *events;
    struct pair_state *states;
    struct campaign campaign;
    uint32_t campaign_events[2];
    struct analysis analysis;
    struct analysis_document document;
};

static struct big big;

static long peak_mb(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss / 1024;
}

static double seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6 +
           (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6;
}

static void add_pair(uint16_t line, uint16_t service, uint16_t mechanism, unsigned number)
{
    for (unsigned h = 0; h < HOURS; h++) {
        bool failing = number % 5 == 0 && h >= HOURS / 2;
        struct cell cell = {.hour_us = START + (int64_t)(h * STEP + number % STEP) * CLOCK_HOUR_US,
                            .line = line,
                            .service = service,
                            .ip_version = 4,
                            .attempts = 12,
                            .failures = failing ? 12 : 0,
                            .voices = number % 7 == 0 && h % 11 == 0 ? 2 : 6,
                            .votes = 6};
        struct cell_mechanism item = {.hour_us = cell.hour_us,
                                      .line = line,
                                      .service = service,
                                      .mechanism = mechanism,
                                      .ip_version = 4,
                                      .attempts = 12};
        assert_int_equal(cells_add(big.cells, &cell), DL_OK);
        if (failing)
            assert_int_equal(cells_add_mechanism(big.cells, &item), DL_OK);
    }
}

static void make_cells(void)
{
    uint16_t services[SERVICES], mechanism, line;
    unsigned number = 0;
    char name[32];

    assert_int_equal(cells_create(&big.cells), DL_OK);
    assert_int_equal(cells_name_mechanism(big.cells, "tls.reset.sni", &mechanism), DL_OK);
    for (unsigned s = 0; s < SERVICES; s++) {
        const struct catalog_service *known = catalog_service_at(big.catalog, (uint16_t)(s + 1));
        assert_non_null(known);
        assert_int_equal(cells_name_service(big.cells, known->id, &services[s]), DL_OK);
    }
    for (unsigned c = 0; c < CARRIERS; c++) {
        struct cell_line tap = {.position = POSITION_CARRIER, .asn = 64512 + c, .epoch = c};
        snprintf(name, sizeof(name), "tap-%u", c);
        memcpy(tap.probe_id, name, strlen(name) + 1);
        snprintf(tap.carrier, sizeof(tap.carrier), "as%u", tap.asn);
        memcpy(tap.country, c % 2 ? "PK" : "NL", 3);
        assert_int_equal(cells_name_line(big.cells, &tap, &line), DL_OK);
        for (unsigned s = 0; s < SERVICES; s++)
            add_pair(line, services[s], mechanism, number++);
    }
    assert_int_equal(cells_seal(big.cells), DL_OK);
}

static void make_event(struct event *event, unsigned number)
{
    unsigned pair = number * 5;

    *event = (struct event){.class = EVENT_BLOCKED,
                            .state = STATE_BLOCKED,
                            .carrier = (uint16_t)(pair / SERVICES),
                            .service = (int)(pair % SERVICES),
                            .mechanism = 0,
                            .grade = number % 3 ? GRADE_LIKELY : GRADE_CONFIRMED,
                            .scope = SCOPE_CARRIER,
                            .log_odds = 100 + number,
                            .quality = 4,
                            .attempts = 1200,
                            .failures = 1190,
                            .clients = 6,
                            .voices = 6,
                            .vantages = 1,
                            .interval = {0.98, 0.999},
                            .control_count = 4,
                            .rules = {"failing-stretch"},
                            .rule_count = 1,
                            .flow_count = ANALYSIS_FLOWS_MAX,
                            .explanation = "1190 of 1200 attempts failed, before 0 of 1200."};
    event->onset.latest_us = START + (int64_t)(HOURS / 2 * STEP) * CLOCK_HOUR_US;
    event->onset.earliest_us = event->onset.latest_us - 2 * CLOCK_HOUR_US;
    event->alarm_us = event->onset.latest_us + CLOCK_HOUR_US;
    for (unsigned i = 0; i < event->control_count; i++)
        event->controls[i] =
            (struct analysis_control){"same-carrier", "controls", 1000, 10, "good"};
    snprintf(event->id, sizeof(event->id), "%s.%s.blocked.%u",
             cells_carrier(big.cells, event->carrier),
             cells_service(big.cells, (uint16_t)event->service), number);
}

static void make_analysis(void)
{
    big.events = calloc(EVENTS, sizeof(*big.events));
    big.states = calloc((size_t)CARRIERS * SERVICES, sizeof(*big.states));
    assert_non_null(big.events);
    assert_non_null(big.states);
    for (unsigned i = 0; i < EVENTS; i++)
        make_event(&big.events[i], i);
    for (unsigned i = 0; i < CARRIERS * SERVICES; i++)
        big.states[i] = (struct pair_state){.carrier = (uint16_t)(i / SERVICES),
                                            .service = (int)(i % SERVICES),
                                            .state = i % 5 ? STATE_OK : STATE_BLOCKED,
                                            .at_us = START + 8600 * CLOCK_HOUR_US,
                                            .attempts = 12,
                                            .failures = i % 5 ? 0 : 12,
                                            .clients = 6,
                                            .minimum_detectable_share = 0.1};
    big.analysis = (struct analysis){.events = big.events,
                                     .event_count = EVENTS,
                                     .states = big.states,
                                     .state_count = (size_t)CARRIERS * SERVICES,
                                     .campaign_events = big.campaign_events};
    big.document = (struct analysis_document){
        .version = "1", .rules_version = "1", .analysis = &big.analysis, .cells = big.cells};
}

static int set_up(void **state)
{
    const char *root = getenv("DARKLINE_SOURCE");
    char folder[4096];

    (void)state;
    snprintf(folder, sizeof(folder), "%s/catalog", root ? root : ".");
    assert_int_equal(catalog_load(&big.catalog, folder, NULL), DL_OK);
    make_cells();
    make_analysis();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cells_destroy(big.cells);
    catalog_destroy(big.catalog);
    free(big.events);
    free(big.states);
    return 0;
}

static void took(const char *what, double *since)
{
    double now = seconds();
    print_message("%-12s %.2f s, at most %ld MB so far\n", what, now - *since, peak_mb());
    *since = seconds();
}

static void test_year(void **state)
{
    const struct findings_options options = {.catalog = big.catalog};
    const struct findings_sources sources = {
        .document = &big.document, .version = "1", .rules_version = "1"};
    const struct page_options page = {.language = language_find("en")};
    char id[FINDINGS_ID_SIZE];
    struct findings *findings;
    FILE *file = fopen("/dev/null", "w");
    long before = peak_mb();
    double since = seconds();
    (void)state;
    assert_non_null(file);
    print_message("%zu bytes a cell; cells and analysis had %ld MB at most\n", sizeof(struct cell),
                  before);
    assert_int_equal(findings_create(&findings, &sources, &options, NULL), DL_OK);
    took("findings", &since);
    assert_int_equal(findings->event_count, EVENTS);
    assert_int_equal(findings->pair_count, CARRIERS * SERVICES);
    assert_int_equal(findings->chart_count, FINDINGS_CHARTS_MAX);
    assert_true(findings->withheld_cells > 0);
    assert_int_equal(report_json_id(findings, id), DL_OK);
    findings_set_id(findings, id);
    took("id", &since);
    assert_int_equal(report_json_write(file, findings), DL_OK);
    took("report.json", &since);
    assert_int_equal(events_csv_write(file, findings), DL_OK);
    took("events.csv", &since);
    assert_int_equal(cells_csv_write(file, findings), DL_OK);
    took("cells.csv", &since);
    assert_int_equal(page_write(file, findings, &page), DL_OK);
    took("index.html", &since);
    findings_destroy(findings);
    fclose(file);
    if (!IS_SANITIZED)
        assert_in_range(peak_mb() - before, 0, MEMORY_MB_MOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_year)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
