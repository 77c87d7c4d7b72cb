// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * The pictures, drawn from the findings alone, as SVG: inline in the page or as files of their own.
 *
 * Each holds its title, description (<title>, <desc>, role img), source, period and report id as text
 * inside, so that a screenshot says where it is from; lab, composed and draft input are marked inside as
 * well. Words and patterns besides colour. Colours are presentation attributes (light), so that a file,
 * WeasyPrint and librsvg show the same; classes let the page's style turn them for dark screens. No style
 * element or attribute, no script, nothing from elsewhere. Numbers are written the same on any machine.
 *
 * Fills have the classes f-ink f-dim f-grid f-paper f-worked f-worked-soft f-failed and, within patterns, f-withheld;
 * lines s-ink s-dim s-grid s-worked s-failed and, within patterns, s-unwatched s-some s-most s-hatch s-end. The element's own
 * is "chart" and chart-overview, chart-timeline or chart-heat. A picture is 560 units wide and its least text 14 of
 * them: give it 30rem or more, and let it scroll where the screen is narrower.
 *
 * Urdu: labels are text with direction rtl and the font named "Noto Nastaliq Urdu"; time runs from left to
 * right in every language.
 */
#include "reports/findings/findings.h"
#include "reports/html.h"
#include "reports/language/language.h"

enum chart_kind {
    CHART_OVERVIEW, /* of an order or a campaign: a row a carrier, what stopped when, the dates of the order */
    CHART_TIMELINE, /* of one pair: share of attempts that worked, its interval, gaps, onset, order's dates */
    CHART_HEAT /* of one pair: hour of the local day by day, share of failures */
};
struct chart_ref {
    enum chart_kind kind;
    size_t index; /* of findings.charts; of CHART_OVERVIEW 0 */
};

/* All there are, in a fixed order: the overview (where the headline is an order's or a campaign's), then timeline
 * and heat strip of each of findings.charts. `index` from 0; false beyond the last. */
bool chart_at(const struct findings *findings, size_t index, struct chart_ref *ret_chart);
/* "overview", "timeline-jazz-blackberry-bes": the stem of its file's name and its element id; [a-z0-9-] only. */
#define CHART_NAME_SIZE 160
char *chart_name(const struct findings *findings, struct chart_ref chart,
                 char out[CHART_NAME_SIZE]);

/* Writes one <svg> element. `standalone`: with xmlns and an XML declaration before it; its own file. */
void chart_write(struct html *html, const struct findings *findings,
                 const struct language *language, struct chart_ref chart, bool standalone);
/* Its title and description, as plain text without isolation, for captions and alternative texts. */
void chart_title(struct buffer *out, const struct findings *findings,
                 const struct language *language, struct chart_ref chart);
void chart_description(struct buffer *out, const struct findings *findings,
                       const struct language *language, struct chart_ref chart);
