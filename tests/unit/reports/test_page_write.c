// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "reports/data/data.h"
#include "reports/page/page.h"
#include "tests/unit/reports/made_findings.h"
#include "tests/unit/reports/page_reader.h"

#define NAME_LONG 10000u
#define ATTACK                                                                                     \
    "\"'><script>alert(1)</script><img src=x "                                                     \
    "onerror=alert(1)>]]>--><!--&lt;\x01\x1b[31m\xe2\x80\xae"                                      \
    "\xe2\x81\xa6{carrier}\xff"

static char *written_with(const struct findings *findings, const struct page_options *options,
                          size_t *ret_length)
{
    char *text = NULL;
    size_t length;
    FILE *file = open_memstream(&text, &length);

    assert_non_null(file);
    assert_int_equal(page_write(file, findings, options), DL_OK);
    assert_int_equal(fclose(file), 0);
    if (ret_length)
        *ret_length = length;
    return text;
}

static char *written(const struct findings *findings, const char *language)
{
    return written_with(findings, &(struct page_options){.language = language_find(language)},
                        NULL);
}

static struct read_json *report_of(const struct findings *findings)
{
    char *text = NULL;
    size_t length;
    FILE *file = open_memstream(&text, &length);
    struct read_json *json;

    assert_int_equal(report_json_write(file, findings), DL_OK);
    fclose(file);
    json = read_json_parse(text, length);
    free(text);
    return json;
}

/* Each world in each language: well formed, its numbers those of report.json, at the place they name. */
static void test_numbers(void **state)
{
    static const size_t refs_least[] = {250, 60, 30};
    (void)state;

    for (enum made_world world = MADE_ORDER; world <= MADE_NOT_ENOUGH; world++) {
        struct findings *findings = made_findings(world);
        struct read_json *report = report_of(findings);
        const struct language *language;
        for (size_t i = 0; (language = language_at(i)); i++) {
            struct page_read read;
            char *page = written(findings, language_code(language));
            page_read(page, report, &read);
            assert_true(read.data_with_ref >= refs_least[world]);
            assert_true(read.times_with_ref >= 10);
            assert_int_equal(read.headings[1], 1);
            assert_int_equal(read.headings[6], 0);
            free(page);
        }
        read_json_destroy(report);
        made_findings_destroy(findings);
    }
}

/* Only sums that nobody claims have no place: packets, lines, "3 more". */
static void test_few_numbers_without_a_place(void **state)
{
    struct findings *findings = made_findings(MADE_ORDER);
    char *page = written(findings, "en");
    struct page_read read;
    (void)state;

    page_read(page, NULL, &read);
    assert_in_range(read.data - read.data_with_ref, 0, 8);
    free(page);
    made_findings_destroy(findings);
}

static void test_order_of_sections(void **state)
{
    static const char *const ids[] = {
        "<h1>",      "strength", "not-shown", "numbers",  "period",    "charts",
        "orders",    "carriers", "networks",  "services", "pairs",     "mechanisms",
        "events",    "controls", "method",    "limits",   "reproduce", "downloads",
        "redaction", "safety",   "glossary",  "cite"};
    (void)state;

    for (enum made_world world = MADE_ORDER; world <= MADE_NOT_ENOUGH; world++) {
        struct findings *findings = made_findings(world);
        char *page = written(findings, "en"), mark[64];
        const char *at = page;
        for (size_t i = 0; i < ARRAY_LENGTH(ids); i++) {
            snprintf(mark, sizeof(mark), i ? "<section id=\"%s\"" : "%s", ids[i]);
            const char *found = strstr(at, mark);
            if (!found)
                fail_msg("world %d: %s is missing or out of order", world, ids[i]);
            at = found;
        }
        free(page);
        made_findings_destroy(findings);
    }
}

static void has(const char *page, const char *text)
{
    if (!strstr(page, text))
        fail_msg("the page does not say: %s", text);
}

static void test_headlines(void **state)
{
    struct findings *order = made_findings(MADE_ORDER), *nothing = made_findings(MADE_NOTHING),
                    *few = made_findings(MADE_NOT_ENOUGH);
    char *page = written(order, "en");
    (void)state;

    /* Two independent networks speak for themselves only. */
    has(page, "was cut off on <bdi>Jazz</bdi> and <bdi>Zong</bdi></h1>");
    has(page, "it says nothing about Pakistan as a whole");
    has(page, "<p class=\"sure\">Strength of the evidence: confirmed. Quality of the data: ");
    free(page);
    order->speaks_for_country = true;
    page = written(order, "en");
    has(page,
        ">2</data> of the <data value=\"4\" data-ref=\"/report/headline/carriers_seen\">4</data> "
        "carriers watched in Pakistan</h1>");
    assert_null(strstr(page, "as a whole"));
    free(page);
    order->strength = STRENGTH_WEAK;
    page = written(order, "en");
    has(page, "<h1>Weak signs on one line only: ");
    free(page);
    page = written(nothing, "en");
    has(page, "<h1>No sign of interference was found between ");
    has(page, "/pairs/0/minimum_detectable_share");
    free(page);
    page = written(few, "en");
    has(page, "<h1>There are not enough data to say whether anything was blocked</h1>");
    has(page, "none, however large");
    free(page);
    made_findings_destroy(order);
    made_findings_destroy(nothing);
    made_findings_destroy(few);
}

/* What is said of a blocked service is not said of one that was down for everybody. */
static void test_outage(void **state)
{
    struct findings *findings = made_findings(MADE_ORDER);
    struct event *event =
        (struct event *)(uintptr_t)findings->events[findings->headline_event].event;
    enum event_class class = event->class;
    char *page;
    (void)state;

    findings->headline_campaign = FINDINGS_NONE;
    findings->headline_event_count = 1;
    page = written(findings, "en");
    has(page, "and the service worked elsewhere");
    free(page);
    event->class = EVENT_OUTAGE;
    findings->proven = 0;
    page = written(findings, "en");
    has(page, "it failed elsewhere too");
    assert_null(strstr(page, "and the service worked elsewhere"));
    assert_null(strstr(page, "Packets show that something between the ends interfered"));
    free(page);
    event->class = class;
    made_findings_destroy(findings);
}

static void test_contact(void **state)
{
    struct findings *findings = made_findings(MADE_ORDER);
    struct findings_options options = *findings->options;
    char *page = written(findings, "en");
    (void)state;

    has(page, "No contact was given");
    free(page);
    options.contact = "desk@example.org <b>";
    findings->options = &options;
    page = written(findings, "en");
    has(page, "Corrections and right of reply: desk@example.org &lt;b&gt;.");
    assert_null(strstr(page, "No contact was given"));
    free(page);
    made_findings_destroy(findings);
}

static void test_banners(void **state)
{
    struct findings *findings = made_findings(MADE_ORDER);
    struct findings_options options = *findings->options;
    char *page;
    (void)state;

    options.draft = true;
    options.embargo_us = INT64_C(1449014400000000); /* 2015-12-02 */
    options.carrier = ATTACK;
    findings->options = &options;
    findings->has_origin[ORIGIN_LAB] = findings->has_origin[ORIGIN_IMPORTED] = true;
    page = written(findings, "en");
    has(page, "Not to be published before <time datetime=\"2015-12-02\">2 December 2015</time>");
    has(page, "<p class=\"banner\">Draft.");
    has(page, "<p class=\"banner\">Made in a laboratory.");
    has(page, "<p class=\"banner\">A demonstration, not a real event.");
    has(page, "<p class=\"banner\">Imported.");
    has(page, "<p class=\"banner\">This page is about one carrier only");
    free(page);
    made_findings_destroy(findings);
}

static void poison_groups(struct findings *findings, const char *text)
{
    for (size_t i = 0; i < findings->carrier_count; i++) {
        findings->carriers[i].name = findings->carriers[i].owner = text;
        findings->carriers[i].country = "<b";
    }
    for (size_t i = 0; i < findings->service_count; i++)
        findings->services[i].name = text;
    for (size_t i = 0; i < findings->pair_count; i++)
        findings->pairs[i].carrier_name = findings->pairs[i].service_name = text;
    for (size_t i = 0; i < findings->line_count; i++)
        findings->lines[i].probe_id = findings->lines[i].carrier_name = text;
    for (size_t i = 0; i < findings->note_count; i++)
        findings->notes[i].kind = text;
    for (size_t i = 0; i < findings->uncatalogued_count; i++)
        findings->uncatalogued[i].protocol = text;
}

static void poison_events(struct findings *findings, const char *text)
{
    for (size_t i = 0; i < findings->event_count; i++) {
        struct findings_event *event = &findings->events[i];
        event->id = event->carrier = event->carrier_name = event->service = text;
        event->service_name = event->order = event->actor_page = text;
        event->names_actor = true;
        if (strlen(text) < NAME_LONG) /* never half of a character */
            snprintf(event->examples[0], sizeof(event->examples[0]), "%.20s", text);
    }
    for (size_t i = 0; i < findings->card_count; i++) {
        struct findings_card *card = &findings->cards[i];
        card->capture = card->host = card->injector = card->blockpage = card->mechanism = text;
        if (strlen(text) < NAME_LONG)
            snprintf(card->server, sizeof(card->server), "%.63s", text);
        for (size_t r = 0; r < card->reason_count; r++) {
            struct findings_reason *reason = (struct findings_reason *)&card->reasons[r];
            reason->rule = reason->detail = text;
        }
    }
}

static void poison(struct findings *findings, struct findings_options *options, const char *text)
{
    poison_groups(findings, text);
    poison_events(findings, text);
    *options = *findings->options;
    options->command_line = options->event = options->service = text;
    findings->options = options;
    findings->version = findings->rules_version = text;
    findings->country = "<b";
    findings->service = text;
}

static void test_attacks(void **state)
{
    (void)state;

    for (enum made_world world = MADE_ORDER; world <= MADE_NOT_ENOUGH; world++) {
        const struct language *language;
        struct findings *findings = made_findings(world);
        struct findings_options options;
        struct page_file file = {.name = ATTACK,
                                 .sha256 = "\"><b>",
                                 .type = "\"><b>",
                                 .content = ATTACK,
                                 .content_length = strlen(ATTACK)};
        poison(findings, &options, ATTACK);
        for (size_t i = 0; (language = language_at(i)); i++) {
            struct page_read read;
            char *page = written_with(
                findings,
                &(struct page_options){.language = language, .files = &file, .file_count = 1},
                NULL);
            page_read(page, NULL, &read);
            assert_int_equal(read.scripts, 1);
            assert_int_equal(read.styles, 1);
            assert_int_equal(read.data_links, 1);
            free(page);
        }
        made_findings_destroy(findings);
    }
}

static void test_long_names(void **state)
{
    struct findings *findings = made_findings(MADE_ORDER);
    struct findings_options options;
    char *name = malloc(NAME_LONG + 1), *page;
    size_t length;
    (void)state;

    for (size_t i = 0; i < NAME_LONG; i += 2)
        memcpy(name + i, "\xc3\x9f", 2); /* never cut in the middle */
    name[NAME_LONG] = '\0';
    poison(findings, &options, name);
    page = written_with(findings, &(struct page_options){.language = language_find("en")}, &length);
    assert_true(length < 200000);
    has(page, "\xc3\x9f\xe2\x80\xa6");
    assert_null(strstr(page, "\xc3\xe2"));
    free(page);
    free(name);
    made_findings_destroy(findings);
}

static void test_print(void **state)
{
    struct findings *findings = made_findings(MADE_ORDER);
    struct page_file file = {.name = "events.csv", .content = "a", .content_length = 1};
    struct page_options options = {
        .language = language_find("en"), .files = &file, .file_count = 1, .for_print = true};
    struct page_read read;
    char *page = written_with(findings, &options, NULL);
    (void)state;

    page_read(page, NULL, &read);
    assert_int_equal(read.scripts, 0);
    assert_int_equal(read.data_links, 0);
    assert_null(strstr(page, "script-src"));
    assert_null(strstr(page, "<svg"));
    has(page, "<img src=\"charts/");
    free(page);
    made_findings_destroy(findings);
}

/* A name that leads elsewhere is told, and no link. */
static void test_links_beside(void **state)
{
    struct findings *findings = made_findings(MADE_NOTHING);
    struct page_file files[] = {{.name = "events.csv"},
                                {.name = "../events.csv"},
                                {.name = "/etc/passwd"},
                                {.name = "javascript:alert(1)"}};
    struct page_read read;
    char *page = written_with(findings,
                              &(struct page_options){.language = language_find("en"),
                                                     .files = files,
                                                     .file_count = ARRAY_LENGTH(files)},
                              NULL);
    (void)state;

    page_read(page, NULL, &read);
    has(page, "href=\"events.csv\"");
    free(page);
    made_findings_destroy(findings);
}

static void test_policy(void **state)
{
    struct findings *findings = made_findings(MADE_NOTHING);
    char *page = written(findings, "ur");
    (void)state;

    has(page, "default-src 'none'; style-src 'sha256-");
    has(page, "script-src 'sha256-");
    has(page, "<html lang=\"ur\" dir=\"rtl\">");
    free(page);
    made_findings_destroy(findings);
}

/* ---- a great deal ---- */

#define MANY_EVENTS   1000u
#define MANY_CARRIERS 100u
#define MANY_SERVICES 50u
#define MANY_ROWS     40u

struct many {
    struct findings *made, findings;
    struct findings_event events[MANY_EVENTS];
    struct event facts[MANY_EVENTS];
    struct findings_group carriers[MANY_CARRIERS], services[MANY_SERVICES];
    struct findings_pair pairs[MANY_CARRIERS * MANY_SERVICES];
    struct findings_card cards[MANY_EVENTS];
    struct findings_line lines[MANY_CARRIERS];
    struct findings_order orders[MANY_ROWS];
    struct findings_order_row rows[MANY_CARRIERS];
    struct findings_chart charts[FINDINGS_CHARTS_MAX];
    struct findings_note notes[MANY_EVENTS];
    const struct input_record *inputs[MANY_EVENTS];
    struct analysis_taken_back taken_back[MANY_EVENTS];
    char names[MANY_EVENTS][96];
};

static void many_groups(struct many *many)
{
    const struct findings *made = many->made;

    for (size_t i = 0; i < MANY_CARRIERS; i++) {
        many->carriers[i] = made->carriers[0];
        many->carriers[i].id = many->carriers[i].name = many->names[i];
        many->lines[i] = made->lines[0];
        many->lines[i].carrier = many->lines[i].carrier_name = many->names[i];
        many->rows[i] = made->orders[0].rows[0];
        many->rows[i].carrier = many->rows[i].carrier_name = many->names[i];
    }
    for (size_t i = 0; i < MANY_SERVICES; i++) {
        many->services[i] = made->services[0];
        many->services[i].id = many->services[i].name = many->names[MANY_CARRIERS + i];
    }
    for (size_t i = 0; i < MANY_CARRIERS * MANY_SERVICES; i++) {
        many->pairs[i] = made->pairs[0];
        many->pairs[i].carrier = many->names[i / MANY_SERVICES];
        many->pairs[i].service = many->names[MANY_CARRIERS + i % MANY_SERVICES];
        many->pairs[i].worst_event = i % MANY_EVENTS;
    }
    for (size_t i = 0; i < MANY_ROWS; i++) {
        many->orders[i] = made->orders[0];
        many->orders[i].rows = many->rows;
        many->orders[i].row_count = MANY_CARRIERS;
    }
}

static void many_events(struct many *many)
{
    const struct findings *made = many->made;

    for (size_t i = 0; i < MANY_EVENTS; i++) {
        many->events[i] = made->events[i % 2];
        many->facts[i] = *made->events[i % 2].event;
        many->events[i].event = &many->facts[i];
        many->events[i].id = many->names[i];
        many->events[i].carrier = many->names[i % MANY_CARRIERS];
        many->events[i].service = many->names[MANY_CARRIERS + i % MANY_SERVICES];
        many->events[i].first_card = i;
        many->cards[i] = made->cards[0];
        many->notes[i] = made->notes[0];
        many->inputs[i] = made->inputs[1];
        many->taken_back[i] = made->taken_back[0];
    }
    for (size_t i = 0; i < FINDINGS_CHARTS_MAX; i++) {
        many->charts[i] = made->charts[0];
        many->charts[i].pair = i;
    }
}

static struct many *many_made(void)
{
    struct many *many = calloc(1, sizeof(*many));

    many->made = made_findings(MADE_ORDER);
    for (size_t i = 0; i < MANY_EVENTS; i++)
        snprintf(many->names[i], sizeof(many->names[i]),
                 "<%zu>&\"a name as long as names of carriers and services get, and then some\"",
                 i);
    many_groups(many);
    many_events(many);
    many->findings = *many->made;
    many->findings.events = many->events;
    many->findings.event_count = MANY_EVENTS;
    many->findings.carriers = many->carriers;
    many->findings.carrier_count = MANY_CARRIERS;
    many->findings.services = many->services;
    many->findings.service_count = MANY_SERVICES;
    many->findings.pairs = many->pairs;
    many->findings.pair_count = MANY_CARRIERS * MANY_SERVICES;
    many->findings.cards = many->cards;
    many->findings.card_count = MANY_EVENTS;
    many->findings.lines = many->lines;
    many->findings.line_count = MANY_CARRIERS;
    many->findings.orders = many->orders;
    many->findings.order_count = MANY_ROWS;
    many->findings.charts = many->charts;
    many->findings.chart_count = FINDINGS_CHARTS_MAX;
    many->findings.notes = many->notes;
    many->findings.note_count = MANY_EVENTS;
    many->findings.inputs = many->inputs;
    many->findings.input_count = MANY_EVENTS;
    many->findings.taken_back = many->taken_back;
    many->findings.taken_back_count = MANY_EVENTS;
    return many;
}

/* 1,000 events of 100 carriers and 50 services, in each language; files that would not fit. */
static void test_size(void **state)
{
    struct many *many = many_made();
    struct page_file files[MANY_ROWS];
    const struct language *language;
    char *content = calloc(1, 30000);
    (void)state;

    for (size_t i = 0; i < MANY_ROWS; i++)
        files[i] = (struct page_file){
            .name = "events.csv", .content = content, .content_length = 30000, .type = "text/csv"};
    for (size_t i = 0; (language = language_at(i)); i++) {
        struct page_read read;
        size_t length;
        char *page = written_with(
            &many->findings,
            &(struct page_options){.language = language, .files = files, .file_count = MANY_ROWS},
            &length);
        page_read(page, NULL, &read);
        if (length >= PAGE_BYTES_MAX)
            fail_msg("%zu bytes", length);
        assert_in_range(read.data_links, 1, 2);
        has(page, "<section id=\"cite\"");
        has(page, "id=\"event-0\"");
        /* The first carrier is in the index with the worst of its events. */
        has(page, "id=\"events-index\"");
        free(page);
    }
    free(content);
    made_findings_destroy(many->made);
    free(many);
}

/* Who is left out is counted: nothing disappears without a word. */
static void test_left_out_is_told(void **state)
{
    struct many *many = many_made();
    char *page = written(&many->findings, "en");
    (void)state;

    has(page, "more events in events.csv and report.json.");
    has(page, "more rows in cells.csv and report.json.");
    has(page, "are not shown here");
    free(page);
    made_findings_destroy(many->made);
    free(many);
}

static void test_same_bytes(void **state)
{
    struct findings *findings = made_findings(MADE_ORDER);
    char *one = written(findings, "en"), *two = written(findings, "en");
    (void)state;

    assert_string_equal(one, two);
    free(one);
    free(two);
    made_findings_destroy(findings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_few_numbers_without_a_place),
        cmocka_unit_test(test_order_of_sections),
        cmocka_unit_test(test_headlines),
        cmocka_unit_test(test_outage),
        cmocka_unit_test(test_contact),
        cmocka_unit_test(test_banners),
        cmocka_unit_test(test_attacks),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_print),
        cmocka_unit_test(test_links_beside),
        cmocka_unit_test(test_policy),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_left_out_is_told),
        cmocka_unit_test(test_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
