// SPDX-License-Identifier: GPL-3.0-or-later
#include "reports/chart/chart.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "reports/chart/chart_internal.h"

static bool has_overview(const struct findings *findings)
{
    return findings->service && findings->country &&
           (findings->headline == HEADLINE_ORDER_CARRIED_OUT ||
            findings->headline == HEADLINE_ORDER_NOT_OBSERVED ||
            findings->headline == HEADLINE_CAMPAIGN);
}

bool chart_at(const struct findings *findings, size_t index, struct chart_ref *ret_chart)
{
    if (has_overview(findings)) {
        if (index == 0) {
            *ret_chart = (struct chart_ref){CHART_OVERVIEW, 0};
            return true;
        }
        index--;
    }
    if (index / 2 >= findings->chart_count)
        return false;
    *ret_chart = (struct chart_ref){index % 2 ? CHART_HEAT : CHART_TIMELINE, index / 2};
    return true;
}

/* ---- names ---- */

static void append_name(char out[CHART_NAME_SIZE], const char *text)
{
    size_t used = strlen(out);

    /* Room for the number that makes a name unique. */
    for (; *text && used + 8 < CHART_NAME_SIZE; text++) {
        char c = *text;
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (is_plain || (used > 0 && out[used - 1] != '-'))
            out[used++] = is_plain ? c : '-';
    }
    out[used] = '\0';
}

static void plain_name(const struct findings *findings, struct chart_ref chart,
                       char out[CHART_NAME_SIZE])
{
    static const char *const kinds[] = {"overview", "timeline-", "heat-"};

    out[0] = '\0';
    append_name(out, kinds[chart.kind]);
    if (chart.kind == CHART_OVERVIEW)
        return;
    const struct findings_pair *pair = &findings->pairs[findings->charts[chart.index].pair];
    append_name(out, pair->carrier);
    append_name(out, "-");
    append_name(out, pair->service);
}

char *chart_name(const struct findings *findings, struct chart_ref chart, char out[CHART_NAME_SIZE])
{
    char other[CHART_NAME_SIZE];
    size_t used;

    plain_name(findings, chart, out);
    used = strlen(out);
    for (size_t i = 0; chart.kind != CHART_OVERVIEW && i < findings->chart_count; i++) {
        if (i == chart.index)
            continue;
        plain_name(findings, (struct chart_ref){chart.kind, i}, other);
        if (strcmp(out, other) == 0) {
            snprintf(out + used, CHART_NAME_SIZE - used, "-%zu", chart.index + 1);
            break;
        }
    }
    return out;
}

/* ---- what a chart is of ---- */

static const struct findings_order *order_by_id(const struct findings *findings, const char *id)
{
    for (size_t i = 0; id && i < findings->order_count; i++)
        if (strcmp(findings->orders[i].order->id, id) == 0)
            return &findings->orders[i];
    return NULL;
}

/* Of a pair: that of its events, else one that names its service in its country. */
static const struct findings_order *order_of_pair(const struct findings *findings,
                                                  const struct findings_chart *data,
                                                  const struct findings_pair *pair)
{
    for (size_t i = 0; i < data->event_count; i++) {
        const struct findings_order *order =
            order_by_id(findings, findings->events[data->events[i]].order);
        if (order)
            return order;
    }
    for (size_t i = 0; i < findings->order_count; i++)
        if (strcmp(findings->orders[i].order->country, pair->country) == 0 &&
            catalog_order_names(findings->orders[i].order, pair->service))
            return &findings->orders[i];
    return NULL;
}

static void set_overview(struct chart *chart)
{
    const struct findings *findings = chart->findings;
    const struct catalog_country *country =
        findings->options->catalog && findings->country
            ? catalog_country(findings->options->catalog, findings->country)
            : NULL;

    chart->from_us = findings->first_us;
    chart->to_us = findings->last_us;
    if (country)
        chart->offset = catalog_country_offset(
            country, findings->first_us + (findings->last_us - findings->first_us) / 2);
    if (findings->headline_order != FINDINGS_NONE)
        chart->order = &findings->orders[findings->headline_order];
    else if (findings->headline_campaign != FINDINGS_NONE)
        chart->order =
            order_by_id(findings, findings->campaigns[findings->headline_campaign].order);
}

struct chart chart_of(const struct findings *findings, const struct language *language,
                      struct chart_ref ref)
{
    struct chart chart = {.findings = findings, .language = language, .ref = ref};

    if (ref.kind == CHART_OVERVIEW) {
        set_overview(&chart);
    } else {
        const struct findings_chart *data = &findings->charts[ref.index];
        chart.data = data;
        chart.pair = &findings->pairs[data->pair];
        chart.offset = data->utc_offset_seconds;
        chart.order = order_of_pair(findings, data, chart.pair);
        if (ref.kind == CHART_TIMELINE && data->bin_count > 0) {
            chart.from_us = data->bins[0].from_us;
            chart.to_us = data->bins[data->bin_count - 1].from_us + data->bin_us;
        } else if (ref.kind == CHART_HEAT && data->day_count > 0) {
            chart.from_us = data->days[0].midnight_us;
            chart.to_us = data->days[data->day_count - 1].midnight_us + 24 * CLOCK_HOUR_US;
        }
    }
    if (chart.to_us <= chart.from_us)
        chart.to_us = chart.from_us + CLOCK_HOUR_US;
    return chart;
}

/* ---- the element ---- */

static double draw(const struct chart *chart, struct svg *svg, double height)
{
    double y = SVG_MARGIN / 2;

    svg_patterns(svg);
    svg_rect(svg, SVG_PAPER, 0, 0, SVG_WIDTH, height);
    y = chart_head(chart, svg, y);
    switch (chart->ref.kind) {
    case CHART_OVERVIEW:
        y = overview_draw(chart, svg, y);
        break;
    case CHART_TIMELINE:
        y = timeline_draw(chart, svg, y);
        break;
    case CHART_HEAT:
        y = heat_draw(chart, svg, y);
        break;
    }
    return chart_foot(chart, svg, y);
}

static void open_element(const struct chart *chart, struct svg *svg, double height, bool standalone)
{
    static const char *const classes[] = {"chart chart-overview f-ink",
                                          "chart chart-timeline f-ink", "chart chart-heat f-ink"};
    const struct language *language = chart->language;
    struct html *html = svg->html;
    char text[2 * CHART_NAME_SIZE + 16], number[SVG_NUMBER_SIZE];

    html_begin(html, "svg");
    if (standalone)
        html_attr(html, "xmlns", "http://www.w3.org/2000/svg");
    html_attr(html, "id", svg->id);
    html_attr(html, "class", classes[chart->ref.kind]);
    snprintf(text, sizeof(text), "0 0 %.0f %s", SVG_WIDTH, svg_number(height, number));
    html_attr(html, "viewBox", text);
    html_attr(html, "role", "img");
    snprintf(text, sizeof(text), "%s-title %s-desc", svg->id, svg->id);
    html_attr(html, "aria-labelledby", text);
    html_attr(html, standalone ? "xml:lang" : "lang", language_code(language));
    html_attr(html, "font-family",
              language_is_rtl(language) ? "Noto Nastaliq Urdu,Noto Sans,sans-serif"
                                        : "Noto Sans,DejaVu Sans,sans-serif");
    html_attr(html, "font-size", svg_number(svg_size(SVG_SMALL), number));
    html_attr(html, "fill", "#1b1b1b");
    if (language_is_rtl(language))
        html_attr(html, "direction", "rtl");
}

static void write_name(struct svg *svg, const char *tag, struct buffer *text)
{
    char id[CHART_NAME_SIZE + 8];

    snprintf(id, sizeof(id), "%s-%s", svg->id, tag);
    html_begin(svg->html, tag);
    html_attr(svg->html, "id", id);
    html_text(svg->html, buffer_text(text));
    html_end(svg->html);
    buffer_clear(text);
}

static void write_names(const struct chart *chart, struct svg *svg)
{
    struct buffer text;

    buffer_init(&text, 1 << 15);
    chart_title(&text, chart->findings, chart->language, chart->ref);
    write_name(svg, "title", &text);
    chart_description(&text, chart->findings, chart->language, chart->ref);
    write_name(svg, "desc", &text);
    buffer_finish(&text);
}

void chart_write(struct html *html, const struct findings *findings,
                 const struct language *language, struct chart_ref ref, bool standalone)
{
    static const char declaration[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    struct chart chart = chart_of(findings, language, ref);
    char name[CHART_NAME_SIZE];
    struct svg svg = {
        .html = html, .language = language, .id = chart_name(findings, ref, name), .is_dry = true};
    double height = draw(&chart, &svg, 0);

    svg.is_dry = false;
    if (standalone) {
        fputs(declaration, html->file);
        html->bytes += sizeof(declaration) - 1;
    }
    open_element(&chart, &svg, height, standalone);
    write_names(&chart, &svg);
    draw(&chart, &svg, height);
    html_end(html);
}
