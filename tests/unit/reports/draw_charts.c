// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Writes every chart of made findings into a folder, for check_charts.py and for eyes:
 *
 *   draw_charts FOLDER
 *
 * WORLD-LANGUAGE-NAME.svg; worlds: `order` is the made one, `wild` has the most bins and days there may be in
 * no order at all, `hostile` names that want to be markup, `long` names longer than the picture, `bare` a
 * pair without event, order or id, `draft` every mark.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "reports/chart/chart.h"
#include "tests/unit/reports/made_findings.h"

#define START INT64_C(1448755200000000) /* 2015-11-29T00:00:00Z, as the made ones */

static struct findings_bin bins[FINDINGS_BINS_MAX];
static struct findings_day days[FINDINGS_DAYS_MAX];

/* The same numbers everywhere. */
static uint32_t next_random(void)
{
    static uint32_t state = 1;

    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

static void make_wild(struct findings *findings)
{
    struct findings_chart *chart = findings->charts;

    for (size_t i = 0; i < ARRAY_LENGTH(bins); i++) {
        uint64_t attempts = next_random() % 400, failures = next_random() % (attempts + 1);
        uint32_t kind = next_random() % 10;
        bins[i] = (struct findings_bin){.from_us = START + (int64_t)i * CLOCK_HOUR_US,
                                        .watched = kind > 0,
                                        .withheld = kind == 1,
                                        .clients = 7};
        bins[i].share = findings_share_of(kind > 1 ? failures : 0, kind > 1 ? attempts : 0);
        bins[i].slowed = failures / 3;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(days); i++) {
        days[i].midnight_us = START + (int64_t)(i + (i > 30 ? 9 : 0)) * 24 * CLOCK_HOUR_US;
        for (size_t hour = 0; hour < 24; hour++) {
            uint32_t kind = next_random() % 8;
            days[i].hours[hour] = (struct findings_hour_of_day){.attempts = kind ? 20 : 0,
                                                                .failures = next_random() % 21,
                                                                .watched = kind != 1,
                                                                .withheld = kind == 2};
        }
    }
    chart->bins = bins;
    chart->bin_count = ARRAY_LENGTH(bins);
    chart->bin_us = CLOCK_HOUR_US;
    chart->days = days;
    chart->day_count = ARRAY_LENGTH(days);
}

static void rename_all(struct findings *findings, const char *name)
{
    for (size_t i = 0; i < findings->pair_count; i++)
        findings->pairs[i].carrier_name = findings->pairs[i].service_name = name;
    for (size_t i = 0; i < findings->service_count; i++)
        findings->services[i].name = name;
}

static void make_hostile(struct findings *findings)
{
    rename_all(
        findings,
        "</title><script>alert(1)</script>&\"' \xe2\x80\xae\xe2\x81\xa8\xef\xbf\xbf\x01\xff");
    findings->pairs[0].carrier = "../\"><x>";
    snprintf(findings->id, sizeof(findings->id), "%s", "<id>&");
}

static void make_long(struct findings *findings)
{
    rename_all(findings, "Mobile Telecommunications Company of the Western Provinces and Islands "
                         "Limited (formerly Wide Area Wireless Incorporated)");
}

static void make_bare(struct findings *findings)
{
    findings->charts[0].event_count = 0;
    findings->charts[0].bin_count = 1;
    findings->charts[0].day_count = 1;
    findings->order_count = 0;
    findings->headline_order = findings->headline_campaign = FINDINGS_NONE;
    findings->id[0] = '\0';
}

static void make_draft(struct findings *findings)
{
    struct findings_options *options = (struct findings_options *)findings->options;

    options->draft = true;
    options->embargo_us = START;
    for (size_t i = 0; i < ARRAY_LENGTH(findings->has_origin); i++)
        findings->has_origin[i] = true;
}

static void make_nothing_more(struct findings *findings)
{
    (void)findings;
}

static int write_chart(const char *folder, const char *world, const struct language *language,
                       const struct findings *findings, struct chart_ref chart)
{
    char name[CHART_NAME_SIZE], path[4096];

    snprintf(path, sizeof(path), "%s/%s-%s-%s.svg", folder, world, language_code(language),
             chart_name(findings, chart, name));
    FILE *file = fopen(path, "w");
    if (!file)
        return 1;
    struct html html = {.file = file};
    chart_write(&html, findings, language, chart, true);
    bool failed = html.failed || html.depth != 0 || html.bytes != (uint64_t)ftell(file);
    return fclose(file) != 0 || failed;
}

int main(int count, char **arguments)
{
    static const struct {
        const char *name;
        void (*make)(struct findings *findings);
    } worlds[] = {{"order", make_nothing_more}, {"wild", make_wild}, {"hostile", make_hostile},
                  {"long", make_long},          {"bare", make_bare}, {"draft", make_draft}};
    int status = count == 2 ? 0 : 2;

    for (size_t i = 0; i < ARRAY_LENGTH(worlds) && status == 0; i++) {
        struct findings *findings = made_findings(MADE_ORDER);
        struct chart_ref chart;
        if (!findings)
            return 1;
        worlds[i].make(findings);
        for (size_t l = 0; language_at(l); l++)
            for (size_t c = 0; chart_at(findings, c, &chart) && status == 0; c++)
                status = write_chart(arguments[1], worlds[i].name, language_at(l), findings, chart);
        made_findings_destroy(findings);
    }
    return status;
}
