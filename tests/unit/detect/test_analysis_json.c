// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/detect/analysis_json.h"
#include "base/array.h"
#include "base/clock.h"

/* A made analysis, in which every field has a value of its own; and what it must look like. */
struct made {
    struct cells *cells;
    struct event events[2];
    uint32_t campaign_events[2];
    struct campaign campaign;
    struct order_row orders[3];
    struct pair_state states[2];
    struct analysis analysis;
    struct input_record input;
    const struct input_record *inputs[1];
    struct coverage_record coverage[2];
    struct analysis_taken_back taken_back;
    struct analysis_document document;
};

static struct made made;

static int64_t at(const char *text)
{
    int64_t time_us;
    assert_int_equal(clock_parse(text, &time_us), DL_OK);
    return time_us;
}

static void make_cells(void)
{
    struct cell_line jazz = {.probe_id = "tap", .carrier = "jazz", .asn = 45669, .country = "PK"};
    struct cell_line other = {.probe_id = "home"};
    struct cell cell = {.hour_us = at("2015-11-30T18:00:00Z"), .attempts = 3, .votes = 1};
    uint16_t index;

    assert_int_equal(cells_create(&made.cells), DL_OK);
    assert_int_equal(cells_name_service(made.cells, "blackberry-bes", &index), DL_OK);
    assert_int_equal(cells_name_mechanism(made.cells, "tls.reset.sni", &index), DL_OK);
    assert_int_equal(cells_name_mechanism(made.cells, "tls.timeout", &index), DL_OK);
    assert_int_equal(cells_name_line(made.cells, &jazz, &cell.line), DL_OK);
    assert_int_equal(cells_add(made.cells, &cell), DL_OK);
    assert_int_equal(cells_name_line(made.cells, &other, &cell.line), DL_OK);
    assert_int_equal(cells_add(made.cells, &cell), DL_OK);
    assert_int_equal(cells_seal(made.cells), DL_OK);
    assert_string_equal(cells_carrier(made.cells, 0), "jazz"); /* the other: "unknown" */
}

static void make_events(void)
{
    made.events[0] = (struct event){
        .id = "jazz.blackberry-bes.blocked.2015-11-30T19",
        .class = EVENT_BLOCKED,
        .state = STATE_BLOCKED,
        .carrier = 0,
        .asn = 45669,
        .asns = {45669, 56167},
        .asn_count = 2,
        .mechanism = 0,
        .mechanisms = {{0, 0.75}, {1, 0.25}},
        .mechanism_count = 2,
        .onset = {at("2015-11-30T18:00:00Z"), at("2015-11-30T19:00:00Z")},
        .end = {at("2015-12-30T18:00:00Z"), at("2015-12-30T19:30:00.5Z")},
        .ended = true,
        .alarm_us = at("2015-11-30T22:00:00Z"),
        .grade = GRADE_CONFIRMED,
        .scope = SCOPE_CARRIER,
        .has_hours = true,
        .log_odds = 20.5,
        .quality = 4,
        .attempts = 100,
        .failures = 90,
        .clients = 7,
        .voices = 6,
        .vantages = 2,
        .interval = {0.5, 0.875},
        .baseline_attempts = 200,
        .baseline_failures = 1,
        .controls = {{"abroad", "other countries", 40, 1, "good"}},
        .control_count = 1,
        .rules = {"failing-stretch", "works-abroad"},
        .rule_count = 2,
        .explanation = "Said \"so\".",
        .flows = {{1, 35}, {2, UINT64_MAX}},
        .flow_count = 2,
    };
    made.events[0].hours[7] = made.events[0].hours[23] = made.events[0].hours[24] = true;
    made.events[1] = (struct event){
        .id = "x.all.vanished.2015-12-01T00",
        .class = EVENT_VANISHED,
        .carrier = 1,
        .service = -1,
        .mechanism = -1,
        .onset = {0, at("2015-12-01T00:00:00Z")},
        .interval = {0, 1},
    };
}

static void make_rest(void)
{
    made.campaign_events[1] = 1;
    made.campaign = (struct campaign){.id = "PK.c",
                                      .class = EVENT_BLOCKED,
                                      .country = "PK",
                                      .event_count = 2,
                                      .onset = made.events[0].onset,
                                      .spread_hours = 1.5,
                                      .order = "pk-order",
                                      .explanation = "Two."};
    made.orders[0] = (struct order_row){.order = "pk-order",
                                        .carrier = "jazz",
                                        .verdict = ORDER_COMPLIED,
                                        .onset = made.events[0].onset,
                                        .has_hours_from_deadline = true,
                                        .hours_from_deadline = -0.5};
    made.orders[1] = (struct order_row){
        .order = "pk-order", .carrier = "ufone", .verdict = ORDER_NOT_OBSERVED, .mechanism = -1};
    made.orders[2] = (struct order_row){
        .order = "pk-other", .carrier = "zong", .verdict = ORDER_NOT_NAMED, .mechanism = -1};
    made.states[0] =
        (struct pair_state){.carrier = 1, .interval = {0, 1}, .minimum_detectable_share = 2};
    made.states[1] = (struct pair_state){.carrier = 0,
                                         .at_us = at("2015-12-31T00:00:00Z"),
                                         .state = STATE_LIKELY_BLOCKED,
                                         .attempts = 9,
                                         .failures = 8,
                                         .clients = 3,
                                         .interval = {0.25, 0.5},
                                         .minimum_detectable_share = 0.125};
    made.input = (struct input_record){.number = 1,
                                       .path = "a.pcap",
                                       .has_sha256 = true,
                                       .packets = 10,
                                       .bytes = 1000,
                                       .lost = 1,
                                       .first_us = at("2015-11-30T18:00:00Z"),
                                       .vantage = {.probe_id = "tap", .carrier = "jazz"}};
    made.coverage[0] = (struct coverage_record){
        1, at("2015-11-30T18:00:00Z"), at("2015-11-30T19:00:00Z"), true, 10, 1};
    made.coverage[1] = (struct coverage_record){.input = 9};
    made.taken_back = (struct analysis_taken_back){"0", "ufone.tor.outage.2014-01-01T00"};
}

static int start(void **state)
{
    (void)state;
    memset(&made, 0, sizeof(made));
    make_cells();
    make_events();
    make_rest();
    made.inputs[0] = &made.input;
    made.analysis = (struct analysis){.events = made.events,
                                      .event_count = 2,
                                      .campaigns = &made.campaign,
                                      .campaign_count = 1,
                                      .campaign_events = made.campaign_events,
                                      .orders = made.orders,
                                      .order_count = 3,
                                      .states = made.states,
                                      .state_count = 2};
    made.document = (struct analysis_document){.version = "9",
                                               .rules_version = "8",
                                               .analysis = &made.analysis,
                                               .cells = made.cells,
                                               .inputs = made.inputs,
                                               .input_count = 1,
                                               .coverage = made.coverage,
                                               .coverage_count = 2,
                                               .taken_back = &made.taken_back,
                                               .taken_back_count = 1};
    return 0;
}

static int stop(void **state)
{
    (void)state;
    cells_destroy(made.cells);
    return 0;
}

/* The text; the caller frees it. */
static char *write_made(void)
{
    char *text = NULL;
    size_t length = 0;
    FILE *file = open_memstream(&text, &length);
    struct json json;

    assert_non_null(file);
    json_init(&json, file, 0);
    analysis_write_json(&json, &made.document);
    assert_false(json.failed);
    fclose(file);
    return text;
}

#define ONSET                                                                                      \
    "{\"earliest\":\"2015-11-30T18:00:00.000000Z\",\"latest\":\"2015-11-30T19:00:00.000000Z\"}"

static const char golden[] =
    "{\"version\":\"9\",\"rules_version\":\"8\","
    "\"inputs\":[{\"path\":\"a.pcap\",\"sha256\":"
    "\"0000000000000000000000000000000000000000000000000000000000000000\",\"packets\":10,"
    "\"bytes\":1000,\"lost\":1,\"first\":\"2015-11-30T18:00:00.000000Z\",\"last\":null,"
    "\"vantage\":{\"probe_id\":\"tap\",\"carrier\":\"jazz\",\"asn\":null,\"country\":null,"
    "\"network\":null,\"position\":null,\"clock\":\"unknown\",\"origin\":\"field\"}}],"
    "\"events\":[{\"id\":\"jazz.blackberry-bes.blocked.2015-11-30T19\",\"class\":\"blocked\","
    "\"state\":\"blocked\",\"service\":\"blackberry-bes\",\"carrier\":\"jazz\",\"asn\":45669,"
    "\"asns\":[45669,56167],\"country\":\"PK\",\"mechanism\":\"tls.reset.sni\","
    "\"mechanisms\":{\"tls.reset.sni\":0.75,\"tls.timeout\":0.25},\"onset\":" ONSET ","
    "\"end\":{\"earliest\":\"2015-12-30T18:00:00.000000Z\",\"latest\":"
    "\"2015-12-30T19:30:00.500000Z\"},\"grade\":\"confirmed\",\"scope\":\"carrier\","
    "\"hours\":{\"workdays\":[7,23],\"weekends\":[0]},\"log_odds\":20.5,\"quality\":4,"
    "\"attempts\":100,\"failures\":90,\"clients\":7,\"voices\":6,\"vantages\":2,"
    "\"interval\":[0.5,0.875],\"baseline\":{\"attempts\":200,\"failures\":1},"
    "\"controls\":[{\"kind\":\"abroad\",\"name\":\"other countries\",\"attempts\":40,"
    "\"failures\":1,\"verdict\":\"good\"}],\"rules\":[\"failing-stretch\",\"works-abroad\"],"
    "\"explanation\":\"Said \\\"so\\\".\",\"flows\":[\"1:35\",\"2:18446744073709551615\"],"
    "\"alarm\":\"2015-11-30T22:00:00.000000Z\"},"
    "{\"id\":\"x.all.vanished.2015-12-01T00\",\"class\":\"vanished\",\"state\":\"insufficient\","
    "\"service\":null,\"carrier\":null,\"asn\":null,\"asns\":[],\"country\":null,"
    "\"mechanism\":\"absence\",\"mechanisms\":{\"absence\":1},"
    "\"onset\":{\"earliest\":null,\"latest\":\"2015-12-01T00:00:00.000000Z\"},\"end\":null,"
    "\"grade\":\"likely\",\"scope\":\"line\",\"hours\":null,\"log_odds\":0,\"quality\":0,"
    "\"attempts\":0,\"failures\":0,\"clients\":0,\"voices\":0,\"vantages\":0,\"interval\":[0,1],"
    "\"baseline\":{\"attempts\":0,\"failures\":0},\"controls\":[],\"rules\":[],"
    "\"explanation\":\"\",\"flows\":[],\"alarm\":null}],"
    "\"campaigns\":[{\"id\":\"PK.c\",\"class\":\"blocked\",\"service\":\"blackberry-bes\","
    "\"country\":\"PK\",\"carriers\":[\"jazz\",null],\"events\":["
    "\"jazz.blackberry-bes.blocked.2015-11-30T19\",\"x.all.vanished.2015-12-01T00\"],"
    "\"onset\":" ONSET ",\"spread_hours\":1.5,\"order\":\"pk-order\",\"explanation\":\"Two.\"}],"
    "\"orders\":[{\"id\":\"pk-order\",\"carriers\":[{\"carrier\":\"jazz\",\"verdict\":"
    "\"complied\",\"onset\":" ONSET ",\"mechanism\":\"tls.reset.sni\","
    "\"hours_from_deadline\":-0.5},{\"carrier\":\"ufone\",\"verdict\":\"not observed\","
    "\"onset\":null,\"mechanism\":null,\"hours_from_deadline\":null}]},{\"id\":\"pk-other\","
    "\"carriers\":[{\"carrier\":\"zong\",\"verdict\":\"not named\",\"onset\":null,"
    "\"mechanism\":null,\"hours_from_deadline\":null}]}],"
    "\"coverage\":[{\"probe_id\":\"tap\",\"from\":\"2015-11-30T18:00:00.000000Z\",\"to\":"
    "\"2015-11-30T19:00:00.000000Z\",\"link_up\":true,\"packets\":10,\"lost\":1},"
    "{\"probe_id\":null,\"from\":null,\"to\":null,\"link_up\":false,\"packets\":0,\"lost\":0}],"
    "\"states\":[{\"carrier\":null,\"asn\":null,\"country\":null,\"service\":\"blackberry-bes\","
    "\"at\":null,\"state\":\"insufficient\",\"attempts\":0,\"failures\":0,\"clients\":0,"
    "\"interval\":[0,1],\"minimum_detectable_share\":null},"
    "{\"carrier\":\"jazz\",\"asn\":45669,\"country\":\"PK\",\"service\":\"blackberry-bes\","
    "\"at\":\"2015-12-31T00:00:00.000000Z\",\"state\":\"likely_blocked\",\"attempts\":9,"
    "\"failures\":8,\"clients\":3,\"interval\":[0.25,0.5],\"minimum_detectable_share\":0.125}],"
    "\"taken_back\":[{\"rules_version\":\"0\",\"id\":\"ufone.tor.outage.2014-01-01T00\"}]}";

static void test_every_key(void **state)
{
    char *text = write_made();
    (void)state;
    assert_string_equal(text, golden);
    free(text);
}

static void test_nothing(void **state)
{
    (void)state;
    memset(&made.analysis, 0, sizeof(made.analysis));
    made.document.input_count = made.document.coverage_count = made.document.taken_back_count = 0;
    char *text = write_made();
    assert_string_equal(text, "{\"version\":\"9\",\"rules_version\":\"8\",\"inputs\":[],"
                              "\"events\":[],\"campaigns\":[],\"orders\":[],\"coverage\":[],"
                              "\"states\":[],\"taken_back\":[]}");
    free(text);
}

/* An onset that moved by some days is the same event; another class or year is not. */
static void test_still_says(void **state)
{
    const struct analysis *analysis = &made.analysis;
    (void)state;
    assert_true(analysis_still_says(analysis, "jazz.blackberry-bes.blocked.2015-11-30T19"));
    assert_true(analysis_still_says(analysis, "jazz.blackberry-bes.blocked.2015-12-05T00"));
    assert_false(analysis_still_says(analysis, "jazz.blackberry-bes.blocked.2015-12-08T00"));
    assert_false(analysis_still_says(analysis, "jazz.blackberry-bes.outage.2015-11-30T19"));
    assert_false(analysis_still_says(analysis, "jazz.blackberry-bes.blocked.2014-11-30T19"));
    assert_false(analysis_still_says(analysis, ""));
    assert_false(analysis_still_says(analysis, "nonsense"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_key, start, stop),
        cmocka_unit_test_setup_teardown(test_nothing, start, stop),
        cmocka_unit_test_setup_teardown(test_still_says, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
