// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "reports/chart/chart_internal.h"

#define LABEL_GAP 8.0

double chart_x(const struct chart_span *span, int64_t time_us)
{
    double share = (double)(time_us - span->from_us) / (double)(span->to_us - span->from_us);

    return span->left + (share < 0 ? 0 : share > 1 ? 1 : share) * (span->right - span->left);
}

/* ---- ticks ---- */

static const int64_t steps_hours[] = {
    1, 3, 6, 12, 24, 48, 72, 7 * 24, 14 * 24, 28 * 24, 56 * 24, 112 * 24, 224 * 24, 448 * 24};

/* The least step whose dates do not touch. */
static int64_t step_of(const struct language *language, const struct chart_span *span)
{
    char day[LANGUAGE_TEXT_SIZE];
    /* A date of two digits in a long month. */
    double needed =
        svg_text_width(SVG_SMALL,
                       language_day_short(language, INT64_C(26697600) * CLOCK_SECOND_US, 0, day)) +
        2 * LABEL_GAP;
    double hour_width =
        (span->right - span->left) * (double)CLOCK_HOUR_US / (double)(span->to_us - span->from_us);

    for (size_t i = 0; i < ARRAY_LENGTH(steps_hours); i++)
        if (hour_width * (double)steps_hours[i] >= needed)
            return steps_hours[i] * CLOCK_HOUR_US;
    return steps_hours[ARRAY_LENGTH(steps_hours) - 1] * CLOCK_HOUR_US;
}

static const char *tick_text(const struct language *language, int64_t time_us, int32_t offset,
                             char out[LANGUAGE_TEXT_SIZE])
{
    int64_t local_us = time_us + offset * CLOCK_SECOND_US;
    int64_t hours = clock_hour(local_us) / CLOCK_HOUR_US;
    int hour = (int)((hours % 24 + 24) % 24);

    if (hour == 0)
        return language_day_short(language, time_us, offset, out);
    snprintf(out, LANGUAGE_TEXT_SIZE, "%02d:00", hour);
    return out;
}

double chart_time_axis(struct svg *svg, const struct chart_span *span, double top, double y)
{
    int64_t step_us = step_of(svg->language, span);
    int64_t unit_us = step_us < 24 * CLOCK_HOUR_US ? step_us : 24 * CLOCK_HOUR_US;
    int64_t local_us = span->from_us + span->offset * CLOCK_SECOND_US;
    int64_t first_us = span->from_us + (unit_us - local_us % unit_us) % unit_us;
    double height = svg_line_height(svg->language, SVG_SMALL);

    for (int64_t time_us = first_us; time_us <= span->to_us; time_us += step_us) {
        char out[LANGUAGE_TEXT_SIZE];
        const char *text = tick_text(svg->language, time_us, span->offset, out);
        double x = chart_x(span, time_us), half = svg_text_width(SVG_SMALL, text) / 2;
        svg_line(svg, SVG_GRID, 1, NULL, x, top, x, y + 5);
        if (x - half >= 0 && x + half <= SVG_WIDTH)
            svg_text(svg, SVG_SMALL, SVG_DIM, SVG_MIDDLE, x, y + 5 + height * 0.75, text);
    }
    svg_line(svg, SVG_INK, 1, NULL, span->left, y, span->right, y);
    return y + 5 + height;
}

/* ---- labels ---- */

void chart_label_add(struct chart_labels *labels, double x, enum svg_paint paint, bool is_dashed,
                     const char *text)
{
    if (labels->count == CHART_LABELS_MAX)
        return;
    struct chart_label *label = &labels->items[labels->count++];
    *label = (struct chart_label){.x = x, .paint = paint, .is_dashed = is_dashed, .row = -1};
    snprintf(label->text, sizeof(label->text), "%s", text);
}

void chart_labels_add_dates(struct chart_labels *labels, const struct chart *chart,
                            const struct chart_span *span)
{
    struct chart_date dates[CHART_DATES_MAX];
    size_t count = chart_dates(chart, dates);

    for (size_t i = 0; i < count; i++)
        if (dates[i].time_us >= span->from_us && dates[i].time_us <= span->to_us)
            chart_label_add(labels, chart_x(span, dates[i].time_us), SVG_ORDER, true,
                            dates[i].word);
}

static bool covers(const struct chart_label *label, double x)
{
    return x > label->from - LABEL_GAP / 2 && x < label->to + LABEL_GAP / 2;
}

/* May it stand in this row? It must touch no label there, and no line may cross a label. */
static bool is_free(const struct chart_labels *labels, const struct chart_label *label, int row)
{
    for (size_t i = 0; i < labels->count; i++) {
        const struct chart_label *other = &labels->items[i];
        if (other == label || other->row < 0)
            continue;
        if (other->row == row && label->from < other->to + LABEL_GAP &&
            other->from < label->to + LABEL_GAP)
            return false;
        if (other->row < row && covers(other, label->x))
            return false;
        if (other->row > row && covers(label, other->x))
            return false;
    }
    return true;
}

/* Over its line, left of it, right of it. */
#define WAYS        3
#define TRIES_MAX   20000u
#define SOLVED_MOST 12u /* labels that are placed by trying all; more come as they come */

struct placing {
    struct chart_labels *labels;
    double left, right;
    int rows_max;
    unsigned tries;
};

static bool try_place(const struct placing *placing, struct chart_label *label, int row, int way)
{
    double width = svg_text_width(SVG_SMALL, label->text);
    const double starts[WAYS] = {label->x - width / 2, label->x - width - 3, label->x + 3};
    double start = starts[way] + width > placing->right ? placing->right - width : starts[way];

    label->from = start < placing->left ? placing->left : start;
    label->to = label->from + width;
    return label->to <= placing->right && is_free(placing->labels, label, row);
}

/* All from `index` on, or none. */
static bool place_rest(struct placing *placing, size_t index)
{
    if (index == placing->labels->count)
        return true;
    struct chart_label *label = &placing->labels->items[index];
    for (int row = 0; row < placing->rows_max; row++)
        for (int way = 0; way < WAYS; way++) {
            if (++placing->tries > TRIES_MAX)
                return false;
            if (!try_place(placing, label, row, way))
                continue;
            label->row = row;
            if (place_rest(placing, index + 1))
                return true;
            label->row = -1;
        }
    return false;
}

static void place_greedily(struct placing *placing)
{
    for (size_t i = 0; i < placing->labels->count; i++) {
        struct chart_label *label = &placing->labels->items[i];
        for (int j = 0; j < placing->rows_max * WAYS && label->row < 0; j++)
            if (try_place(placing, label, j / WAYS, j % WAYS))
                label->row = j / WAYS;
    }
}

void chart_labels_place(struct chart_labels *labels, double left, double right, size_t rows_max)
{
    struct placing placing = {labels, left, right, 1, 0};
    bool is_placed = false;

    /* In as few rows as will do. */
    for (; !is_placed && labels->count <= SOLVED_MOST && placing.rows_max <= (int)rows_max;
         placing.rows_max++) {
        placing.tries = 0;
        is_placed = place_rest(&placing, 0);
    }
    placing.rows_max = (int)rows_max;
    if (!is_placed) {
        for (size_t i = 0; i < labels->count; i++)
            labels->items[i].row = -1;
        place_greedily(&placing);
    }
    labels->rows = 0;
    for (size_t i = 0; i < labels->count; i++)
        if (labels->items[i].row + 1 > (int)labels->rows)
            labels->rows = (size_t)labels->items[i].row + 1;
}

double chart_labels_height(const struct chart_labels *labels, const struct language *language)
{
    return (double)labels->rows * svg_line_height(language, SVG_SMALL) + (labels->rows ? 4 : 0);
}

void chart_labels_draw(struct svg *svg, const struct chart_labels *labels, double y, double bottom)
{
    double height = svg_line_height(svg->language, SVG_SMALL);
    double plot = y + chart_labels_height(labels, svg->language);

    for (size_t i = 0; i < labels->count; i++) {
        const struct chart_label *label = &labels->items[i];
        double top = label->row < 0 ? plot : plot - 4 - label->row * height;
        /* Beside its label a line goes on to its top, as a flag's pole. */
        bool is_pole = label->row >= 0 && (label->to <= label->x || label->from >= label->x);
        svg_line(svg, label->paint, 1.5, label->is_dashed ? "5 3" : NULL, label->x,
                 is_pole ? top - height * 0.85 : top, label->x, bottom);
        if (label->row >= 0)
            svg_text(svg, SVG_SMALL, label->paint, SVG_MIDDLE, (label->from + label->to) / 2,
                     top - height * 0.25, label->text);
    }
}
