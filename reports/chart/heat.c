// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <stdio.h>

#include "base/array.h"
#include "base/clock.h"
#include "reports/chart/chart_internal.h"

#define LEFT          48.0
#define HOUR_HEIGHT   9.0 /* one digit: most of the file are its multiples */
#define DAY_WIDTH_MAX 100.0
#define BREAK         4.0 /* between days that do not follow each other */
#define DAY_US        (24 * CLOCK_HOUR_US)
#define PATH_MAX_SIZE 65536

enum level {
    LEVEL_FEW,
    LEVEL_SOME,
    LEVEL_MOST,
    LEVEL_ALL,
    LEVEL_UNWATCHED,
    LEVEL_WITHHELD,
    LEVEL_NONE
};

static const struct {
    enum svg_paint paint;
    enum text_id text;
} levels[] = {
    [LEVEL_FEW] = {SVG_WORKED_SOFT, TEXT_CHART_LEGEND_FEW},
    [LEVEL_SOME] = {SVG_HATCH_SOME, TEXT_CHART_LEGEND_SOME},
    [LEVEL_MOST] = {SVG_HATCH_MOST, TEXT_CHART_LEGEND_MOST},
    [LEVEL_ALL] = {SVG_FAILED, TEXT_CHART_LEGEND_ALL},
    [LEVEL_UNWATCHED] = {SVG_HATCH_UNWATCHED, TEXT_CHART_LEGEND_UNWATCHED},
    [LEVEL_WITHHELD] = {SVG_DOTS_WITHHELD, TEXT_CHART_LEGEND_WITHHELD},
    [LEVEL_NONE] = {SVG_PAPER, TEXT_CHART_LEGEND_NONE},
};

static enum level level_of(const struct findings_hour_of_day *hour)
{
    if (hour->withheld)
        return LEVEL_WITHHELD;
    if (!hour->watched)
        return LEVEL_UNWATCHED;
    if (hour->attempts == 0)
        return LEVEL_NONE;
    double failed = (double)hour->failures / (double)hour->attempts;
    return failed < 0.1   ? LEVEL_FEW
           : failed < 0.5 ? LEVEL_SOME
           : failed < 0.9 ? LEVEL_MOST
                          : LEVEL_ALL;
}

struct grid {
    const struct chart *chart;
    struct svg *svg;
    double day_width, top;
    double x[FINDINGS_DAYS_MAX]; /* where each day begins */
    size_t day_count;
};

static bool follows(const struct grid *grid, size_t day)
{
    const struct findings_day *days = grid->chart->data->days;

    /* Clocks change by an hour or two. */
    return days[day].midnight_us - days[day - 1].midnight_us <= DAY_US + 2 * CLOCK_HOUR_US;
}

static size_t lay_out(struct grid *grid)
{
    size_t breaks = 0;
    double x = LEFT;

    for (size_t i = 1; i < grid->day_count; i++)
        breaks += !follows(grid, i);
    double room = SVG_WIDTH - SVG_MARGIN - LEFT - BREAK * (double)breaks;
    grid->day_width = (double)(int)(room / (double)grid->day_count);
    if (grid->day_width > DAY_WIDTH_MAX)
        grid->day_width = DAY_WIDTH_MAX;
    if (grid->day_width < 3) /* days that nobody could see: breaks give way */
        grid->day_width = 3;
    for (size_t i = 0; i < grid->day_count; i++) {
        x += i > 0 && !follows(grid, i) ? BREAK : 0;
        grid->x[i] = x;
        x += grid->day_width;
    }
    return breaks;
}

static double right_of(const struct grid *grid)
{
    return grid->x[grid->day_count - 1] + grid->day_width;
}

/* ---- cells ---- */

/* The hours of one level as strokes downward, one a run. Moves are relative: that is shortest. */
static void append_level(const struct grid *grid, enum level level, struct buffer *path)
{
    for (size_t i = 0; i < grid->day_count; i++) {
        const struct findings_hour_of_day *hours = grid->chart->data->days[i].hours;
        int pen = -1;
        for (int hour = 0; hour < 24;) {
            int end = hour;
            while (end < 24 && level_of(&hours[end]) == level)
                end++;
            if (end == hour) {
                hour++;
                continue;
            }
            if (pen < 0)
                path_move(path, grid->x[i] + grid->day_width / 2, grid->top + hour * HOUR_HEIGHT);
            else
                buffer_printf(path, "m0 %d", (hour - pen) * (int)HOUR_HEIGHT);
            buffer_printf(path, "v%d", (end - hour) * (int)HOUR_HEIGHT);
            pen = hour = end;
        }
    }
}

static void count_levels(const struct grid *grid, size_t counts[ARRAY_LENGTH(levels)])
{
    for (size_t i = 0; i < grid->day_count; i++)
        for (int hour = 0; hour < 24; hour++)
            counts[level_of(&grid->chart->data->days[i].hours[hour])]++;
}

static void draw_cells(const struct grid *grid)
{
    for (int level = LEVEL_FEW; level < LEVEL_NONE; level++) {
        struct buffer path;
        buffer_init(&path, PATH_MAX_SIZE);
        append_level(grid, (enum level)level, &path);
        svg_stroke(grid->svg, levels[level].paint, grid->day_width, &path);
        buffer_finish(&path);
    }
}

/* ---- around them ---- */

static void draw_hours(const struct grid *grid)
{
    char text[8];

    for (int hour = 0; hour <= 24; hour += 6) {
        double y = grid->top + hour * HOUR_HEIGHT;
        svg_line(grid->svg, SVG_DIM, 0.5, NULL, LEFT - 4, y, right_of(grid), y);
        snprintf(text, sizeof(text), "%02d:00", hour);
        svg_text(grid->svg, SVG_SMALL, SVG_DIM, SVG_RIGHT, LEFT - 7, y + 5, text);
    }
}

/* Below: the days' dates, those that have room; first those that do not follow the one before. */
static double draw_days(const struct grid *grid, double y)
{
    double height = svg_line_height(grid->chart->language, SVG_SMALL), used = 0;

    for (size_t i = 0; i < grid->day_count; i++) {
        char out[LANGUAGE_TEXT_SIZE];
        const struct findings_day *day = &grid->chart->data->days[i];
        /* Noon, so that a change of clocks leaves the date. */
        language_day_short(grid->chart->language, day->midnight_us + DAY_US / 2,
                           grid->chart->offset, out);
        double width = svg_text_width(SVG_SMALL, out), middle = grid->x[i] + grid->day_width / 2;
        double from = middle - width / 2, to = middle + width / 2;
        if (from < used || to > SVG_WIDTH)
            continue;
        svg_line(grid->svg, SVG_DIM, 1, NULL, middle, y, middle, y + 4);
        svg_text(grid->svg, SVG_SMALL, SVG_DIM, SVG_MIDDLE, middle, y + 4 + height * 0.75, out);
        used = to + 10;
    }
    return y + 4 + height;
}

/* Where a moment is; negative where its day is not drawn. */
static double moment_x(const struct grid *grid, int64_t time_us)
{
    for (size_t i = 0; i < grid->day_count; i++) {
        int64_t since_us = time_us - grid->chart->data->days[i].midnight_us;
        if (since_us >= 0 && since_us <= DAY_US)
            return grid->x[i] + grid->day_width * (double)since_us / (double)DAY_US;
    }
    return -1;
}

static void collect_dates(const struct grid *grid, struct chart_labels *labels)
{
    struct chart_date dates[CHART_DATES_MAX];
    size_t count = chart_dates(grid->chart, dates);

    for (size_t i = 0; i < count; i++) {
        double x = moment_x(grid, dates[i].time_us);
        if (x >= 0)
            chart_label_add(labels, x, SVG_ORDER, true, dates[i].word);
    }
    chart_labels_place(labels, 2, SVG_WIDTH - 2, 4);
}

static double draw_legend(const struct grid *grid, double y, bool has_dates)
{
    struct chart_key keys[ARRAY_LENGTH(levels) + 1];
    size_t counts[ARRAY_LENGTH(levels)] = {0}, count = 0;

    count_levels(grid, counts);
    for (size_t i = 0; i < ARRAY_LENGTH(levels); i++)
        /* The four shares are a scale, and stand whole. */
        if (i <= LEVEL_ALL || counts[i] > 0)
            keys[count++] = (struct chart_key){levels[i].paint, KEY_BOX, levels[i].text};
    if (has_dates)
        keys[count++] = (struct chart_key){SVG_ORDER, KEY_DASHES, TEXT_CHART_LEGEND_ORDER};
    return chart_legend(grid->svg, y, keys, count);
}

double heat_draw(const struct chart *chart, struct svg *svg, double y)
{
    struct grid grid = {.chart = chart, .svg = svg, .day_count = chart->data->day_count};
    struct chart_labels labels = {.count = 0};
    double labels_top, bottom, width = SVG_WIDTH - 2 * SVG_MARGIN;
    size_t breaks;

    if (grid.day_count > FINDINGS_DAYS_MAX)
        grid.day_count = FINDINGS_DAYS_MAX;
    if (grid.day_count == 0)
        return y;
    breaks = lay_out(&grid);
    collect_dates(&grid, &labels);
    y = draw_legend(&grid, y, labels.count > 0);
    labels_top = y + 4;
    grid.top = ceil(labels_top + chart_labels_height(&labels, chart->language) + 8);
    bottom = grid.top + 24 * HOUR_HEIGHT;
    draw_cells(&grid);
    draw_hours(&grid);
    chart_labels_draw(svg, &labels, labels_top, bottom);
    y = draw_days(&grid, bottom);
    if (breaks > 0)
        y += svg_lines(svg, SVG_SMALL, SVG_DIM, y + 4, width, 2,
                       language_text(chart->language, TEXT_CHART_DAYS_LEFT_OUT)) +
             4;
    return y;
}
