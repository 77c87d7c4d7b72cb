// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/reports/made_findings.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "reports/findings/findings_internal.h"
#include "tests/unit/reports/made_samples.h"

#define BINS 60u
#define DAYS 5u

struct made {
    struct findings findings; /* first: it is the address that is given out */
    struct findings_inner inner;
    struct findings_options options;
    struct catalog *catalog;
    struct cells *cells;
    struct analysis analysis;
    struct input_record inputs[2];
    const struct input_record *input_list[2];
    struct event events[2];
    struct campaign campaign;
    struct findings_line lines[5];
    struct findings_network networks[2];
    struct findings_group carriers[5], services[2];
    struct findings_pair pairs[7];
    struct findings_event found[2];
    struct findings_control controls[3];
    struct findings_mechanism mechanisms[3];
    struct findings_reason reasons[3];
    struct findings_step steps[2][8];
    struct findings_campaign campaigns[1];
    size_t campaign_events[2];
    struct findings_order orders[1];
    struct findings_order_row rows[4];
    struct findings_card cards[2];
    struct findings_bin bins[BINS];
    struct findings_day days[DAYS];
    size_t chart_events[1];
    struct findings_chart charts[1];
    struct findings_note notes[2];
    struct findings_uncatalogued uncatalogued[2];
    struct analysis_taken_back taken_back[1];
};

/* ---- cells, so that data files have something to read ---- */

static int add_cells(struct made *made, const char *carrier, uint32_t asn, const char *country,
                     enum origin origin, const char *service, uint32_t attempts, uint32_t failures)
{
    struct cell_line line = {.asn = asn, .position = POSITION_CARRIER, .origin = (uint8_t)origin};
    struct cell cell = {.ip_version = 4, .attempts = attempts, .failures = failures, .voices = 5};
    struct cell_mechanism mechanism = {.ip_version = 4, .attempts = failures, .voices = 5};
    int status;

    snprintf(line.probe_id, sizeof(line.probe_id), "tap-%s", carrier);
    snprintf(line.carrier, sizeof(line.carrier), "%s", carrier);
    snprintf(line.country, sizeof(line.country), "%s", country);
    status = cells_name_line(made->cells, &line, &cell.line);
    if (status == DL_OK)
        status = cells_name_service(made->cells, service, &cell.service);
    if (status == DL_OK)
        status = cells_name_mechanism(made->cells, "tls.reset.sni", &mechanism.mechanism);
    mechanism.line = cell.line;
    mechanism.service = cell.service;
    for (int i = 0; i < 3 && status == DL_OK; i++) {
        cell.hour_us = mechanism.hour_us = HOUR(40 + i);
        cell.voices = i == 2 ? 1 : 5; /* the last one is below any floor */
        status = cells_add(made->cells, &cell);
        if (status == DL_OK && failures)
            status = cells_add_mechanism(made->cells, &mechanism);
    }
    return status;
}

static int load(struct made *made)
{
    const char *root = getenv("DARKLINE_SOURCE");
    char folder[4096];
    int status;

    snprintf(folder, sizeof(folder), "%s/catalog", root ? root : ".");
    status = catalog_load(&made->catalog, folder, NULL);
    if (status == DL_OK)
        status = cells_create(&made->cells);
    return status;
}

static void make_frame(struct made *made, enum origin origin)
{
    struct findings *findings = &made->findings;

    made->options = (struct findings_options){.catalog = made->catalog,
                                              .minimum_clients = FINDINGS_MINIMUM_CLIENTS,
                                              .command_line = "darkline report made.store -o DIR"};
    for (size_t i = 0; i < ARRAY_LENGTH(made->inputs); i++) {
        struct input_record *input = &made->inputs[i];
        *input = sample_input;
        input->number = (uint32_t)i + 1;
        input->has_sha256 = i == 0;
        input->lost = i * 12;
        input->vantage.origin = origin;
        memset(input->sha256, 0xa0 + (int)i, sizeof(input->sha256));
        snprintf(input->path, sizeof(input->path), "%s", i ? MADE_HOSTILE_NAME : "jazz.pcap.zst");
        made->input_list[i] = input;
    }
    *findings = (struct findings){.options = &made->options,
                                  .cells = made->cells,
                                  .analysis = &made->analysis,
                                  .id = "0123456789abcdef",
                                  .version = "0.1.0",
                                  .rules_version = "3.1",
                                  .catalog_version = catalog_version(made->catalog),
                                  .quality = 4,
                                  .quality_one_vantage = true,
                                  .headline_event = FINDINGS_NONE,
                                  .headline_campaign = FINDINGS_NONE,
                                  .headline_order = FINDINGS_NONE,
                                  .first_us = HOUR(0),
                                  .last_us = HOUR(120),
                                  .floor = FINDINGS_MINIMUM_CLIENTS,
                                  .series_tested = 12,
                                  .lines = made->lines,
                                  .carriers = made->carriers,
                                  .services = made->services,
                                  .pairs = made->pairs,
                                  .events = made->found,
                                  .campaigns = made->campaigns,
                                  .orders = made->orders,
                                  .cards = made->cards,
                                  .charts = made->charts,
                                  .notes = made->notes,
                                  .uncatalogued = made->uncatalogued,
                                  .inputs = made->input_list,
                                  .input_count = ARRAY_LENGTH(made->inputs)};
    findings->country = "PK";
    findings->service = BES;
    findings->has_origin[origin] = true;
}

static void add_line(struct made *made, const char *carrier, const char *name, const char *country,
                     uint32_t asn, enum origin origin)
{
    made->lines[made->findings.line_count++] =
        (struct findings_line){.probe_id = "tap",
                               .carrier = carrier,
                               .carrier_name = name,
                               .country = country,
                               .asn = asn,
                               .network = NETWORK_MOBILE,
                               .position = POSITION_CARRIER,
                               .clock = CLOCK_SYNCHRONISED,
                               .origin = origin,
                               .first_us = HOUR(0),
                               .last_us = HOUR(120),
                               .inputs = 1,
                               .packets = 90000,
                               .bytes = 12345678,
                               .watched_hours = 116,
                               .gap_hours = 4,
                               .has_floor = origin == ORIGIN_FIELD};
}

static struct findings_group *add_carrier(struct made *made, const char *id, const char *name,
                                          const char *country, uint64_t failures, uint64_t attempts)
{
    struct findings_group *group = &made->carriers[made->findings.carrier_count++];
    *group = (struct findings_group){.id = id,
                                     .name = name,
                                     .country = country,
                                     .owner = name,
                                     .share = findings_share_of(failures, attempts),
                                     .controls = findings_share_of(1, 176),
                                     .clients = 5,
                                     .first_us = HOUR(0),
                                     .last_us = HOUR(120),
                                     .strength = STRENGTH_NONE,
                                     .networks = made->networks,
                                     .network_count = 1};
    return group;
}

static struct findings_pair *add_pair(struct made *made, uint16_t carrier, uint16_t service,
                                      uint64_t failures, uint64_t attempts)
{
    const struct findings_group *group = &made->carriers[carrier];
    struct findings_pair *pair = &made->pairs[made->findings.pair_count++];
    *pair = (struct findings_pair){.carrier_index = carrier,
                                   .service_index = service,
                                   .carrier = group->id,
                                   .carrier_name = group->name,
                                   .country = group->country,
                                   .service = sample_services[service],
                                   .service_name = sample_service_names[service],
                                   .class = service == 2 ? CLASS_CONTROL : CLASS_MESSAGING,
                                   .asn = 45669,
                                   .share = findings_share_of(failures, attempts),
                                   .clients = 5,
                                   .first_us = HOUR(0),
                                   .last_us = HOUR(120),
                                   .state = STATE_OK,
                                   .now = findings_share_of(0, 80),
                                   .minimum_detectable_share = 0.2,
                                   .strength = STRENGTH_NONE,
                                   .worst_event = FINDINGS_NONE,
                                   .chart = FINDINGS_NONE};
    return pair;
}

static void add_service(struct made *made, const char *id, const char *name, uint64_t failures,
                        uint64_t attempts)
{
    made->services[made->findings.service_count++] =
        (struct findings_group){.id = id,
                                .name = name,
                                .country = "",
                                .class = CLASS_MESSAGING,
                                .share = findings_share_of(failures, attempts),
                                .clients = 5,
                                .first_us = HOUR(0),
                                .last_us = HOUR(120),
                                .strength = STRENGTH_NONE};
}

static void make_groups(struct made *made)
{
    struct findings *findings = &made->findings;
    struct findings_group *group;
    struct findings_pair *pair;

    made->networks[0] = (struct findings_network){45669, findings_share_of(210, 524)};
    add_line(made, "jazz", "Jazz", "PK", 45669, ORIGIN_COMPOSED);
    add_line(made, "telenor-pk", "Telenor Pakistan", "PK", 24499, ORIGIN_COMPOSED);
    add_line(made, "ufone", "Ufone", "PK", 56167, ORIGIN_COMPOSED);
    add_line(made, "zong", "Zong", "PK", 59257, ORIGIN_COMPOSED);
    add_line(made, "as3320", "Deutsche Telekom", "DE", 3320, ORIGIN_COMPOSED);
    group = add_carrier(made, "jazz", "Jazz", "PK", 210, 524);
    group->events_confirmed = 1;
    group->strength = STRENGTH_CONFIRMED;
    group = add_carrier(made, "zong", "Zong", "PK", 129, 400);
    group->events_likely = 1;
    group->strength = STRENGTH_WEAK;
    add_carrier(made, "telenor-pk", "Telenor Pakistan", "PK", 3, 380);
    add_carrier(made, "ufone", "Ufone", "PK", 2, 9)->strength = STRENGTH_NOT_MEASURABLE;
    add_carrier(made, "as3320", "Deutsche Telekom", "DE", 2, 111)->network_count = 0;
    add_service(made, BES, "BlackBerry Enterprise Service", 344, 1300);
    made->services[0].strength = STRENGTH_CONFIRMED;
    made->services[0].events_confirmed = made->services[0].events_likely = 1;
    add_service(made, BIS, "BlackBerry Internet Service", 2, 124);
    pair = add_pair(made, 0, 0, 210, 457);
    pair->state = STATE_BLOCKED;
    pair->now = findings_share_of(159, 159);
    pair->strength = STRENGTH_CONFIRMED;
    pair->mechanisms = made->mechanisms;
    pair->mechanism_count = 2;
    pair->worst_event = 0;
    pair->chart = 0;
    pair = add_pair(made, 1, 0, 129, 367);
    pair->state = STATE_LIKELY_BLOCKED;
    pair->strength = STRENGTH_WEAK;
    pair->mechanisms = made->mechanisms + 2;
    pair->mechanism_count = 1;
    pair->worst_event = 1;
    add_pair(made, 2, 0, 3, 340);
    pair = add_pair(made, 3, 0, 2, 9);
    pair->strength = STRENGTH_NOT_MEASURABLE;
    pair->state = STATE_INSUFFICIENT;
    pair->minimum_detectable_share = 2;
    add_pair(made, 4, 0, 2, 111);
    add_pair(made, 0, 1, 1, 67);
    add_pair(made, 0, 2, 1, 176);
    findings->withheld_pairs = 1;
    findings->withheld_cells = 7;
    findings->withheld_events = 1;
}

static void make_events(struct made *made)
{
    memcpy(made->mechanisms, sample_mechanisms, sizeof(sample_mechanisms));
    for (size_t i = 0; i < ARRAY_LENGTH(made->controls); i++) {
        made->controls[i] = sample_controls[i];
        made->controls[i].share = findings_share_of(i == 2 ? 2 : 1, i == 0   ? 176
                                                                    : i == 1 ? 67
                                                                             : 158);
    }
    for (int i = 0; i < 2; i++) {
        struct event *event = &made->events[i];
        *event = (struct event){
            .class = EVENT_BLOCKED,
            .state = i ? STATE_LIKELY_BLOCKED : STATE_OK,
            .carrier = (uint16_t)i,
            .mechanism = -1,
            .onset = {HOUR(35) + INT64_C(1020000000), HOUR(35) + INT64_C(2940000000)},
            .ended = i == 0,
            .grade = i ? GRADE_LIKELY : GRADE_CONFIRMED,
            .scope = i ? SCOPE_LINE : SCOPE_CARRIER,
            .log_odds = 698.4,
            .quality = 4,
            .attempts = i ? 130 : 211,
            .failures = i ? 129 : 210,
            .clients = 5,
            .voices = 5,
            .vantages = 1,
            .interval = {0.97, 0.999},
            .rules = {"failing-stretch", "works-abroad"},
            .rule_count = 2,
            .explanation = "210 of 211 attempts failed, before 5 of 246."};
        made->found[i] = (struct findings_event){
            .event = event,
            .id = i ? "zong.blackberry-bes.blocked.2015-12-01T05"
                    : "jazz.blackberry-bes.blocked.2015-11-30T11",
            .carrier = i ? "zong" : "jazz",
            .carrier_name = i ? "Zong" : "Jazz",
            .country = "PK",
            .service = BES,
            .service_name = "BlackBerry Enterprise Service",
            .strength = i ? STRENGTH_WEAK : STRENGTH_CONFIRMED,
            .onset = {i ? HOUR(52) : HOUR(35), i ? HOUR(54) : HOUR(36)},
            .alarm_us = HOUR(56),
            .share = i ? findings_share_of(129, 130) : findings_share_of(210, 211),
            .baseline = findings_share_of(5, 246),
            .hours_down = i ? 66 : 60,
            .mechanisms = i ? made->mechanisms + 2 : made->mechanisms,
            .mechanism_count = i ? 1 : 2,
            .controls = made->controls,
            .control_count = 3,
            .order = "pta-bes-2015",
            .pair = (size_t)i,
            .examples = {"1:35"},
            .example_count = 1,
            .first_card = (size_t)i,
            .card_count = 1};
        snprintf(event->id, sizeof(event->id), "%s", made->found[i].id);
    }
    made->events[0].end = (struct analysis_interval){HOUR(96) + 60000000, HOUR(96) + 120000000};
    made->found[0].end = (struct findings_when){HOUR(96), HOUR(97)};
    made->found[0].names_actor = true;
    made->found[0].actor_page = "pk-surf-safely";
}

static struct findings_order_row row_of(const char *carrier, const char *name,
                                        enum order_verdict verdict, size_t event)
{
    return (struct findings_order_row){.carrier = carrier,
                                       .carrier_name = name,
                                       .country = "PK",
                                       .verdict = verdict,
                                       .event = event,
                                       .in_campaign = event != FINDINGS_NONE};
}

static void make_campaign(struct made *made)
{
    const struct catalog_order *order = catalog_order_find(made->catalog, "pta-bes-2015");

    made->campaign = (struct campaign){.id = "PK.blackberry-bes.blocked.2015-11-30T11",
                                       .class = EVENT_BLOCKED,
                                       .country = "PK",
                                       .event_count = 2,
                                       .onset = made->events[0].onset,
                                       .spread_hours = 17.6,
                                       .owners = 2,
                                       .order = "pta-bes-2015",
                                       .explanation = "2 carriers began within 17.6 hours."};
    made->campaign_events[1] = 1;
    made->campaigns[0] =
        (struct findings_campaign){.campaign = &made->campaign,
                                   .id = made->campaign.id,
                                   .service = BES,
                                   .service_name = "BlackBerry Enterprise Service",
                                   .country = "PK",
                                   .order = "pta-bes-2015",
                                   .onset = {HOUR(35), HOUR(36)},
                                   .spread_hours = 18,
                                   .explanation = "2 carriers began within 18 hours.",
                                   .events = made->campaign_events,
                                   .event_count = 2};
    made->rows[0] = row_of("jazz", "Jazz", ORDER_COMPLIED, 0);
    made->rows[0].onset = (struct findings_when){HOUR(35), HOUR(36)};
    made->rows[0].mechanism = "stream.reset";
    made->rows[0].has_hours_from_deadline = true;
    made->rows[0].hours_from_deadline = -31;
    made->rows[1] = row_of("telenor-pk", "Telenor Pakistan", ORDER_NOT_OBSERVED, FINDINGS_NONE);
    made->rows[2] = row_of("ufone", "Ufone", ORDER_INSUFFICIENT, FINDINGS_NONE);
    made->rows[3] = row_of("zong", "Zong", ORDER_NOT_NAMED, 1);
    made->orders[0] = (struct findings_order){.order = order, .rows = made->rows, .row_count = 4};
    if (order)
        catalog_order_times(made->catalog, order, &made->orders[0].times);
}

static void make_cards(struct made *made)
{
    memcpy(made->steps[0], sample_injected, sizeof(sample_injected));
    memcpy(made->steps[1], sample_silent, sizeof(sample_silent));
    memcpy(made->reasons, sample_reasons, sizeof(sample_reasons));
    for (int i = 0; i < 2; i++)
        made->cards[i] = (struct findings_card){
            .input = (uint32_t)i + 1,
            .packet = i ? 77 : 35,
            .capture = made->inputs[i].path,
            .hour_us = HOUR(40),
            .service = BES,
            .host = i ? "" : "relay.blackberry.net",
            .server = "68.171.242.18:3101",
            .transport = TRANSPORT_TCP,
            .stage = STAGE_TLS,
            .outcome = OUTCOME_FAILED,
            .mechanism = i ? "tls.timeout" : "tls.reset.sni",
            .attribution = i ? ATTRIBUTION_UNKNOWN : ATTRIBUTION_THIRD_PARTY,
            .signature = i ? 5 : 13,
            .score = i ? -1 : 0.98,
            .injector = i ? NULL : "gfw-rst",
            .reasons = made->reasons + (i ? 2 : 0),
            .reason_count = i ? 1 : 2,
            .steps = made->steps[i],
            .step_count = i ? ARRAY_LENGTH(sample_silent) : ARRAY_LENGTH(sample_injected),
            .steps_left_out = i ? 0 : 3};
}

static void make_chart(struct made *made)
{
    for (size_t i = 0; i < BINS; i++) {
        struct findings_bin *bin = &made->bins[i];
        bool down = i >= 18 && i < 48, gap = i >= 25 && i < 28, small = i == 33;
        *bin = (struct findings_bin){.from_us = HOUR(2 * (int64_t)i), .watched = !gap};
        bin->withheld = small;
        bin->share =
            gap || small ? findings_share_of(0, 0) : findings_share_of(down ? 8 : i % 9 == 0, 8);
        bin->clients = gap || small ? 0 : 5;
    }
    for (size_t i = 0; i < DAYS; i++) {
        made->days[i].midnight_us = HOUR(24 * (int64_t)i) - 5 * CLOCK_HOUR_US;
        for (uint32_t hour = 0; hour < 24; hour++)
            made->days[i].hours[hour] = (struct findings_hour_of_day){
                .attempts = hour == 3 ? 0 : 8,
                .failures = hour == 3 ? 0 : (i == 2 || i == 3 ? 8 : hour % 11 == 0),
                .watched = hour != 3,
                .withheld = hour == 4 && i == 0};
    }
    made->charts[0] = (struct findings_chart){.pair = 0,
                                              .bin_us = 2 * CLOCK_HOUR_US,
                                              .bins = made->bins,
                                              .bin_count = BINS,
                                              .days = made->days,
                                              .day_count = DAYS,
                                              .utc_offset_seconds = 5 * 3600,
                                              .events = made->chart_events,
                                              .event_count = 1};
}

static int make_order(struct made *made)
{
    struct findings *findings = &made->findings;
    int status = add_cells(made, "jazz", 45669, "PK", ORIGIN_FIELD, BES, 8, 8);

    if (status == DL_OK)
        status = add_cells(made, "zong", 59257, "PK", ORIGIN_COMPOSED, BES, 8, 8);
    make_frame(made, ORIGIN_COMPOSED);
    make_groups(made);
    made->lines[0].origin = ORIGIN_FIELD;
    made->lines[0].has_floor = true;
    findings->has_origin[ORIGIN_FIELD] = true;
    make_events(made);
    make_campaign(made);
    make_cards(made);
    make_chart(made);
    made->notes[0] = (struct findings_note){"cut off in the IP header", 3};
    made->notes[1] = (struct findings_note){"<b>odd</b> link type", 12};
    made->uncatalogued[0] = (struct findings_uncatalogued){"QUIC", 12345, 17};
    made->uncatalogued[1] = (struct findings_uncatalogued){"TLS", 1234, 5};
    made->taken_back[0] = sample_taken_back;
    findings->headline = HEADLINE_ORDER_CARRIED_OUT;
    findings->strength = STRENGTH_CONFIRMED;
    findings->headline_event = findings->headline_campaign = findings->headline_order = 0;
    findings->headline_events = findings->campaigns[0].events;
    findings->headline_event_count = findings->campaigns[0].event_count;
    findings->onset = (struct findings_when){HOUR(35), HOUR(54)};
    findings->carriers_seen = 4;
    findings->carriers_affected = findings->owners_affected = 2;
    findings->carriers_complied = 1;
    findings->abroad = findings_share_of(2, 158);
    findings->total = findings_share_of(346, 1424);
    findings->controls = findings_share_of(4, 700);
    findings->undecided = 31;
    findings->proven = 208;
    findings->event_count = 2;
    findings->campaign_count = findings->order_count = findings->chart_count = 1;
    findings->card_count = findings->note_count = findings->uncatalogued_count = 2;
    findings->taken_back = made->taken_back;
    findings->taken_back_count = 1;
    return status;
}

static int make_quiet(struct made *made, enum origin origin, enum findings_strength strength,
                      uint64_t failures, uint64_t attempts)
{
    struct findings *findings = &made->findings;
    int status = add_cells(made, "jazz", 45669, "PK", origin, BES, 8, 0);

    make_frame(made, origin);
    add_line(made, "jazz", "Jazz", "PK", 45669, origin);
    add_carrier(made, "jazz", "Jazz", "PK", failures, attempts)->network_count = 0;
    add_service(made, BES, "BlackBerry Enterprise Service", failures, attempts);
    add_pair(made, 0, 0, failures, attempts)->strength = strength;
    made->carriers[0].strength = made->services[0].strength = strength;
    findings->strength = strength;
    findings->carriers_seen = 1;
    findings->total = findings_share_of(failures, attempts);
    findings->controls = findings_share_of(0, 0);
    return status;
}

static int make_nothing(struct made *made)
{
    struct findings *findings = &made->findings;
    int status = make_quiet(made, ORIGIN_FIELD, STRENGTH_NONE, 5, 524);

    add_line(made, "ufone", "Ufone", "PK", 56167, ORIGIN_FIELD);
    add_carrier(made, "ufone", "Ufone", "PK", 2, 300)->network_count = 0;
    made->services[0].share = findings->total = findings_share_of(7, 824);
    add_pair(made, 1, 0, 2, 300);
    add_pair(made, 0, 2, 1, 176);
    findings->controls = findings_share_of(1, 176);
    findings->headline = HEADLINE_NOTHING;
    findings->carriers_seen = 2;
    return status;
}

static int make_not_enough(struct made *made)
{
    struct findings *findings = &made->findings;
    int status = make_quiet(made, ORIGIN_LAB, STRENGTH_NOT_MEASURABLE, 1, 4);
    struct findings_pair *pair = &made->pairs[0];

    made->carriers[0].controls = findings_share_of(0, 0);
    pair->state = STATE_INSUFFICIENT;
    pair->clients = 1;
    pair->now = findings_share_of(1, 4);
    pair->minimum_detectable_share = 2;
    findings->headline = HEADLINE_NOT_ENOUGH;
    findings->quality = 2;
    findings->quality_no_control = findings->quality_no_elsewhere = true;
    return status;
}

/* So that cells can be given out. */
static int open_cells(struct made *made)
{
    struct findings_inner *inner = &made->inner;
    size_t count = cells_line_count(made->cells);

    inner->findings = &made->findings;
    inner->world = (struct places){made->catalog, NULL};
    places_init(&inner->places, &inner->world);
    inner->line_of = memory_array(&inner->memory, count, sizeof(*inner->line_of));
    inner->line_has_floor = memory_array(&inner->memory, count, sizeof(bool));
    if (!inner->line_of || !inner->line_has_floor)
        return -1;
    for (size_t i = 0; i < count; i++) {
        const struct cell_line *line = cells_line(made->cells, (uint16_t)i);
        for (size_t k = 0; k < made->findings.line_count; k++)
            if (strcmp(made->lines[k].carrier, line->carrier) == 0)
                inner->line_of[i] = (uint16_t)k;
        inner->line_has_floor[i] = line->origin == ORIGIN_FIELD;
    }
    made->findings.inner = inner;
    return findings_mark_cells(inner);
}

struct findings *made_findings(enum made_world world)
{
    static int (*const makers[])(struct made *) = {make_order, make_nothing, make_not_enough};
    struct made *made = calloc(1, sizeof(*made));
    int status = made ? load(made) : -1;

    if (status == DL_OK)
        status = makers[world](made);
    if (status == DL_OK)
        status = cells_seal(made->cells);
    if (status == DL_OK)
        status = open_cells(made);
    if (status == DL_OK)
        return &made->findings;
    made_findings_destroy(&made->findings);
    return NULL;
}

void made_findings_destroy(struct findings *findings)
{
    struct made *made = (struct made *)findings;

    if (!made)
        return;
    memory_finish(&made->inner.memory);
    cells_destroy(made->cells);
    catalog_destroy(made->catalog);
    free(made);
}
