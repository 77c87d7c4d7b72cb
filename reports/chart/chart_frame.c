// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdio.h>

#include "base/array.h"
#include "reports/chart/chart_internal.h"

#define SWATCH  18.0
#define BOX     12.0
#define PADDING 8.0

/* From the side where the language begins: the place of something `width` wide that lies `at` from there. */
static double begin_at(const struct svg *svg, double at, double width)
{
    return language_is_rtl(svg->language) ? SVG_WIDTH - at - width : at;
}

static void outline(struct svg *svg, double x, double y, double width, double height)
{
    struct buffer path;

    buffer_init(&path, SVG_TEXT_SIZE);
    path_rect(&path, x, y, x + width, y + height);
    svg_stroke(svg, SVG_INK, 1.5, &path);
    buffer_finish(&path);
}

static double draw_mark(struct svg *svg, double y, const char *word)
{
    double height = svg_line_height(svg->language, SVG_MARK) + 4;
    double width = svg_text_width(SVG_MARK, word) + 2 * PADDING;

    if (width > SVG_WIDTH - 2 * SVG_MARGIN)
        width = SVG_WIDTH - 2 * SVG_MARGIN;
    double x = begin_at(svg, SVG_MARGIN, width);
    outline(svg, x, y + 4, width, height);
    svg_text(svg, SVG_MARK, SVG_INK, SVG_MIDDLE, x + width / 2, y + 4 + height * 0.70, word);
    return y + height + 8;
}

double chart_head(const struct chart *chart, struct svg *svg, double y)
{
    const struct findings *findings = chart->findings;
    const struct language *language = chart->language;
    char mark[SVG_TEXT_SIZE], date[LANGUAGE_TEXT_SIZE];
    struct buffer title;

    buffer_init(&title, 4096);
    chart_title_isolated(&title, chart);
    y += svg_lines(svg, SVG_TITLE, SVG_INK, y, SVG_WIDTH - 2 * SVG_MARGIN, 3, buffer_text(&title));
    buffer_finish(&title);
    if (findings->has_origin[ORIGIN_COMPOSED])
        y = draw_mark(svg, y, language_text(language, TEXT_CHART_MARK_COMPOSED));
    if (findings->has_origin[ORIGIN_LAB])
        y = draw_mark(svg, y, language_text(language, TEXT_CHART_MARK_LAB));
    if (findings->options->draft)
        y = draw_mark(svg, y, language_text(language, TEXT_CHART_MARK_DRAFT));
    if (findings->options->embargo_us) {
        language_date(language, findings->options->embargo_us, 0, date);
        y = draw_mark(svg, y, chart_say_one(language, TEXT_CHART_MARK_EMBARGO, "date", date, mark));
    }
    return y + 4;
}

double chart_foot(const struct chart *chart, struct svg *svg, double y)
{
    char text[SVG_TEXT_SIZE];

    y += 6;
    y += svg_lines(svg, SVG_SMALL, SVG_DIM, y, SVG_WIDTH - 2 * SVG_MARGIN, 2,
                   chart_period(chart, text));
    y += svg_lines(svg, SVG_SMALL, SVG_DIM, y, SVG_WIDTH - 2 * SVG_MARGIN, 2,
                   chart_source(chart, text));
    return y + SVG_MARGIN;
}

static void draw_key(struct svg *svg, const struct chart_key *key, double x, double middle)
{
    if (key->kind == KEY_BOX) {
        svg_rect(svg, key->paint, x, middle - BOX / 2, SWATCH, BOX);
        outline(svg, x, middle - BOX / 2, SWATCH, BOX);
    } else {
        svg_line(svg, key->paint, 2, key->kind == KEY_DASHES ? "5 3" : NULL, x, middle, x + SWATCH,
                 middle);
    }
}

double chart_legend(struct svg *svg, double y, const struct chart_key *keys, size_t key_count)
{
    double height = svg_line_height(svg->language, SVG_SMALL), at = SVG_MARGIN;

    if (key_count == 0)
        return y;
    for (size_t i = 0; i < key_count; i++) {
        const char *text = language_text(svg->language, keys[i].text);
        double text_width = svg_text_width(SVG_SMALL, text), width = SWATCH + 6 + text_width;
        if (at > SVG_MARGIN && at + width > SVG_WIDTH - SVG_MARGIN) {
            at = SVG_MARGIN;
            y += height;
        }
        draw_key(svg, &keys[i], begin_at(svg, at, SWATCH), y + height / 2);
        svg_text(svg, SVG_SMALL, SVG_INK, language_is_rtl(svg->language) ? SVG_RIGHT : SVG_LEFT,
                 begin_at(svg, at + SWATCH + 6, 0), y + height * 0.72, text);
        at += width + 16;
    }
    return y + height + 4;
}

void chart_word_on(struct svg *svg, double left, double right, double y, const char *word)
{
    double height = svg_line_height(svg->language, SVG_SMALL);
    double width = svg_text_width(SVG_SMALL, word) + 6, middle = (left + right) / 2;

    if (width > right - left)
        return;
    svg_rect(svg, SVG_PAPER, middle - width / 2, y - height / 2, width, height);
    svg_text(svg, SVG_SMALL, SVG_INK, SVG_MIDDLE, middle, y + height * 0.22, word);
}
