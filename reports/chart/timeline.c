// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <stdio.h>

#include "base/array.h"
#include "reports/chart/chart_internal.h"

#define PLOT_HEIGHT   170.0
#define COLUMN_HEIGHT 40.0
#define STRIP_HEIGHT  6.0 /* more than a line of text */
#define BAND_LEAST    4.0
#define PATH_MAX_SIZE 65536
#define LEFT          54.0 /* room for "100 %" */
#define ROOM          (SVG_WIDTH - SVG_MARGIN - LEFT)

struct plot {
    const struct chart *chart;
    struct svg *svg;
    struct chart_span span;
    double top, bottom;
};

/* Whole units: shorter, and finer than an eye sees. */
static double share_y(const struct plot *plot, double share)
{
    return plot->bottom - round(share * (plot->bottom - plot->top));
}

static bool has_share(const struct findings_bin *bin)
{
    return bin->watched && !bin->withheld && bin->share.attempts > 0;
}

static double bin_x(const struct plot *plot, size_t index)
{
    return chart_x(&plot->span, plot->chart->data->bins[index].from_us);
}

static double bin_end_x(const struct plot *plot, size_t index)
{
    const struct findings_chart *data = plot->chart->data;

    return chart_x(&plot->span, data->bins[index].from_us + data->bin_us);
}

/* A bin is whole units wide, or half ones, or tenths, as long as that leaves little room unused: coordinates
 * are shorter then. */
static struct chart_span span_of(const struct chart *chart)
{
    static const double units[] = {1, 2, 10};
    struct chart_span span = {chart->from_us, chart->to_us, LEFT, LEFT + ROOM, chart->offset};
    double bins = (double)(chart->to_us - chart->from_us) / (double)chart->data->bin_us;

    for (size_t i = 0; i < ARRAY_LENGTH(units); i++) {
        double room = floor(ROOM / bins * units[i]) / units[i] * bins;
        if (room < 0.94 * ROOM)
            continue;
        span.right = LEFT + room;
        break;
    }
    return span;
}

/* Where the bin that begins at `first` and those like it end. */
static size_t run_end(const struct findings_chart *data, size_t first,
                      bool (*is_like)(const struct findings_bin *bin))
{
    size_t end = first;

    while (end < data->bin_count && is_like(&data->bins[end]) &&
           (end == first || data->bins[end].from_us == data->bins[end - 1].from_us + data->bin_us))
        end++;
    return end;
}

/* ---- the share and its interval ---- */

static double worked(const struct findings_bin *bin)
{
    return 1 - (double)bin->share.failures / (double)bin->share.attempts;
}
static double slowed(const struct findings_bin *bin)
{
    return (double)bin->slowed / (double)bin->share.attempts;
}
static double interval_low(const struct findings_bin *bin)
{
    return 1 - bin->share.high;
}
static double interval_high(const struct findings_bin *bin)
{
    return 1 - bin->share.low;
}

/* Steps from bin to bin; equal ones in one stroke. */
static void append_steps(const struct plot *plot, size_t first, size_t end,
                         double (*value)(const struct findings_bin *bin), struct buffer *path)
{
    const struct findings_bin *bins = plot->chart->data->bins;
    double y = share_y(plot, value(&bins[first]));

    path_move(path, bin_x(plot, first), y);
    for (size_t i = first + 1; i < end; i++) {
        double next = share_y(plot, value(&bins[i]));
        if (next == y)
            continue;
        path_across(path, bin_x(plot, i));
        path_down(path, next);
        y = next;
    }
    path_across(path, bin_end_x(plot, end - 1));
}

/* The way back along the interval's lower end. */
static void append_steps_back(const struct plot *plot, size_t first, size_t end,
                              struct buffer *path)
{
    const struct findings_bin *bins = plot->chart->data->bins;
    double y = share_y(plot, interval_low(&bins[end - 1]));

    path_down(path, y);
    for (size_t i = end - 1; i-- > first;) {
        double next = share_y(plot, interval_low(&bins[i]));
        if (next == y)
            continue;
        path_across(path, bin_x(plot, i + 1));
        path_down(path, next);
        y = next;
    }
    path_across(path, bin_x(plot, first));
    path_close(path);
}

/* What did not work: from the share up. */
static void append_failed(const struct plot *plot, size_t first, size_t end, struct buffer *path)
{
    append_steps(plot, first, end, worked, path);
    path_down(path, plot->top);
    path_across(path, bin_x(plot, first));
    path_close(path);
}

static bool any_slowed(const struct findings_chart *data)
{
    for (size_t i = 0; i < data->bin_count; i++)
        if (has_share(&data->bins[i]) && data->bins[i].slowed > 0)
            return true;
    return false;
}

static void draw_shares(const struct plot *plot)
{
    const struct findings_chart *data = plot->chart->data;
    struct buffer failed, band, line, slow;
    bool is_slowed = any_slowed(data);

    buffer_init(&failed, PATH_MAX_SIZE);
    buffer_init(&band, PATH_MAX_SIZE);
    buffer_init(&line, PATH_MAX_SIZE);
    buffer_init(&slow, PATH_MAX_SIZE);
    for (size_t i = 0; i < data->bin_count;) {
        size_t end = run_end(data, i, has_share);
        if (end == i) {
            i++;
            continue;
        }
        append_failed(plot, i, end, &failed);
        append_steps(plot, i, end, interval_high, &band);
        append_steps_back(plot, i, end, &band);
        append_steps(plot, i, end, worked, &line);
        if (is_slowed)
            append_steps(plot, i, end, slowed, &slow);
        i = end;
    }
    svg_fill(plot->svg, SVG_HATCH_FAILED, &failed);
    svg_fill(plot->svg, SVG_WORKED_SOFT, &band);
    svg_stroke(plot->svg, SVG_WORKED, 2.5, &line);
    svg_stroke(plot->svg, SVG_FAILED, 1.5, &slow);
    buffer_finish(&failed);
    buffer_finish(&band);
    buffer_finish(&line);
    buffer_finish(&slow);
}

/* ---- gaps ---- */

static bool is_unwatched(const struct findings_bin *bin)
{
    return !bin->watched && !bin->withheld;
}

static bool is_withheld(const struct findings_bin *bin)
{
    return bin->withheld;
}

static void draw_gaps(const struct plot *plot, bool (*is_gap)(const struct findings_bin *bin),
                      enum svg_paint paint, enum text_id word)
{
    const struct findings_chart *data = plot->chart->data;
    double middle = (plot->top + plot->bottom) / 2;
    struct buffer path;

    buffer_init(&path, PATH_MAX_SIZE);
    for (size_t i = 0; i < data->bin_count; i++) {
        size_t end = run_end(data, i, is_gap);
        if (end > i)
            path_rect(&path, bin_x(plot, i), plot->top, bin_end_x(plot, end - 1), plot->bottom);
        i = end > i ? end - 1 : i;
    }
    svg_fill(plot->svg, paint, &path);
    buffer_finish(&path);
    for (size_t i = 0; i < data->bin_count; i++) {
        size_t end = run_end(data, i, is_gap);
        if (end > i)
            chart_word_on(plot->svg, bin_x(plot, i), bin_end_x(plot, end - 1), middle,
                          language_text(plot->chart->language, word));
        i = end > i ? end - 1 : i;
    }
}

/* ---- events ---- */

static bool is_inside(const struct plot *plot, int64_t earliest_us, int64_t latest_us)
{
    return latest_us >= plot->span.from_us && earliest_us <= plot->span.to_us;
}

static void draw_band(const struct plot *plot, struct findings_when when, enum svg_paint paint)
{
    double left = chart_x(&plot->span, when.earliest_us),
           right = chart_x(&plot->span, when.latest_us);

    if (right - left < BAND_LEAST) {
        left = (left + right - BAND_LEAST) / 2;
        right = left + BAND_LEAST;
    }
    svg_rect(plot->svg, paint, left, plot->top, right - left, plot->bottom - plot->top);
}

static void add_moment(const struct plot *plot, struct chart_labels *labels,
                       struct findings_when when, bool is_end, enum svg_paint paint)
{
    char said[SVG_TEXT_SIZE];

    if (!when.earliest_us || !is_inside(plot, when.earliest_us, when.latest_us))
        return;
    chart_label_add(
        labels, (chart_x(&plot->span, when.earliest_us) + chart_x(&plot->span, when.latest_us)) / 2,
        paint, false, chart_when(plot->chart, when, is_end, said));
}

static const struct findings_event *event_at(const struct chart *chart, size_t index)
{
    return &chart->findings->events[chart->data->events[index]];
}

static void collect_labels(const struct plot *plot, struct chart_labels *labels)
{
    for (size_t i = 0; i < plot->chart->data->event_count; i++) {
        const struct findings_event *event = event_at(plot->chart, i);
        add_moment(plot, labels, event->onset, false, SVG_FAILED);
        add_moment(plot, labels, event->end, true, SVG_WORKED);
    }
    chart_labels_add_dates(labels, plot->chart, &plot->span);
    chart_labels_place(labels, 2, SVG_WIDTH - 2, 5);
}

static void draw_bands(const struct plot *plot)
{
    for (size_t i = 0; i < plot->chart->data->event_count; i++) {
        const struct findings_event *event = event_at(plot->chart, i);
        if (event->onset.earliest_us &&
            is_inside(plot, event->onset.earliest_us, event->onset.latest_us)) {
            draw_band(plot, event->onset, SVG_HATCH_MOST);
        }
        if (event->end.latest_us && is_inside(plot, event->end.earliest_us, event->end.latest_us)) {
            draw_band(plot, event->end, SVG_HATCH_END);
        }
    }
}

static double strip_height(const struct language *language)
{
    return svg_line_height(language, SVG_SMALL) + STRIP_HEIGHT;
}

/* Above the plot: from when to when, and what it was. */
static void draw_strip(const struct plot *plot, double y)
{
    double height = strip_height(plot->chart->language);
    char word[SVG_TEXT_SIZE];

    for (size_t i = 0; i < plot->chart->data->event_count; i++) {
        const struct findings_event *event = event_at(plot->chart, i);
        int64_t end_us = event->end.latest_us ? event->end.earliest_us : plot->span.to_us;
        if (!is_inside(plot, event->onset.latest_us, end_us))
            continue;
        double left = chart_x(&plot->span, event->onset.latest_us);
        double right = chart_x(&plot->span, end_us);
        chart_event_word(plot->chart, event, word);
        double width = svg_text_width(SVG_SMALL, word) + 8, middle = y + height / 2 - 1;
        svg_rect(plot->svg, SVG_FAILED, left, middle - 3, right - left, 6);
        if (width <= right - left)
            chart_word_on(plot->svg, left, right, middle, word);
        else if (right + width <= SVG_WIDTH)
            chart_word_on(plot->svg, right, right + width, middle, word);
        else
            chart_word_on(plot->svg, left - width, left, middle, word);
    }
}

/* ---- axes ---- */

static void draw_grid(const struct plot *plot)
{
    static const double shares[] = {0, 0.25, 0.5, 0.75, 1};
    char out[LANGUAGE_TEXT_SIZE];

    for (size_t i = 0; i < ARRAY_LENGTH(shares); i++) {
        double y = share_y(plot, shares[i]);
        svg_line(plot->svg, SVG_GRID, 1, NULL, plot->span.left, y, plot->span.right, y);
        if (i % 2 == 0)
            svg_text(plot->svg, SVG_SMALL, SVG_DIM, SVG_RIGHT, plot->span.left - 6, y + 5,
                     language_percent(plot->chart->language, shares[i], out));
    }
}

static uint64_t most_attempts(const struct findings_chart *data)
{
    uint64_t most = 0;

    for (size_t i = 0; i < data->bin_count; i++)
        if (has_share(&data->bins[i]) && data->bins[i].share.attempts > most)
            most = data->bins[i].share.attempts;
    return most;
}

static double draw_columns(const struct plot *plot, double y)
{
    const struct findings_chart *data = plot->chart->data;
    const struct language *language = plot->chart->language;
    uint64_t most = most_attempts(data);
    double bottom, width = bin_end_x(plot, 0) - bin_x(plot, 0);
    char said[SVG_TEXT_SIZE], count[LANGUAGE_TEXT_SIZE], bin_width[SVG_TEXT_SIZE];
    struct buffer path;
    const struct text_word words[] = {{"width", chart_width(language, data->bin_us, bin_width)},
                                      {"count", language_count(language, most, count)}};

    chart_say(language, TEXT_CHART_AXIS_ATTEMPTS, most, words, ARRAY_LENGTH(words), said);
    y += 4 + svg_lines(plot->svg, SVG_SMALL, SVG_DIM, y + 4, SVG_WIDTH - 2 * SVG_MARGIN, 2, said);
    bottom = ceil(y + COLUMN_HEIGHT);
    buffer_init(&path, PATH_MAX_SIZE);
    for (size_t i = 0; i < data->bin_count; i++) {
        if (!has_share(&data->bins[i]))
            continue;
        path_move(&path, (bin_x(plot, i) + bin_end_x(plot, i)) / 2, bottom);
        path_down(&path, bottom - ceil(COLUMN_HEIGHT * (double)data->bins[i].share.attempts /
                                       (double)most));
    }
    svg_stroke(plot->svg, SVG_DIM, width > 4 ? width - 1 : width, &path);
    svg_line(plot->svg, SVG_INK, 1, NULL, plot->span.left, bottom, plot->span.right, bottom);
    buffer_finish(&path);
    return bottom + 4;
}

/* ---- the whole ---- */

static bool any_bin(const struct findings_chart *data,
                    bool (*is_like)(const struct findings_bin *bin))
{
    for (size_t i = 0; i < data->bin_count; i++)
        if (is_like(&data->bins[i]))
            return true;
    return false;
}

static double draw_legend(const struct plot *plot, double y, const struct chart_labels *labels)
{
    const struct findings_chart *data = plot->chart->data;
    struct chart_key keys[10];
    size_t count = 0;
    bool onset = false, end = false, order = false;

    for (size_t i = 0; i < labels->count; i++) {
        onset = onset || labels->items[i].paint == SVG_FAILED;
        end = end || labels->items[i].paint == SVG_WORKED;
        order = order || labels->items[i].is_dashed;
    }
    keys[count++] = (struct chart_key){SVG_WORKED, KEY_LINE, TEXT_CHART_LEGEND_SHARE};
    keys[count++] = (struct chart_key){SVG_WORKED_SOFT, KEY_BOX, TEXT_CHART_LEGEND_INTERVAL};
    keys[count++] = (struct chart_key){SVG_HATCH_FAILED, KEY_BOX, TEXT_CHART_LEGEND_FAILED};
    if (any_slowed(data))
        keys[count++] = (struct chart_key){SVG_FAILED, KEY_LINE, TEXT_CHART_LEGEND_SLOWED};
    if (any_bin(data, is_unwatched))
        keys[count++] =
            (struct chart_key){SVG_HATCH_UNWATCHED, KEY_BOX, TEXT_CHART_LEGEND_UNWATCHED};
    if (any_bin(data, is_withheld))
        keys[count++] = (struct chart_key){SVG_DOTS_WITHHELD, KEY_BOX, TEXT_CHART_LEGEND_WITHHELD};
    if (onset)
        keys[count++] = (struct chart_key){SVG_HATCH_MOST, KEY_BOX, TEXT_CHART_LEGEND_ONSET};
    if (end)
        keys[count++] = (struct chart_key){SVG_HATCH_END, KEY_BOX, TEXT_CHART_LEGEND_END};
    if (order)
        keys[count++] = (struct chart_key){SVG_ORDER, KEY_DASHES, TEXT_CHART_LEGEND_ORDER};
    return chart_legend(plot->svg, y, keys, count);
}

double timeline_draw(const struct chart *chart, struct svg *svg, double y)
{
    struct plot plot = {.chart = chart, .svg = svg, .span = span_of(chart)};
    struct chart_labels labels = {.count = 0};
    double labels_top, strip_top;

    if (chart->data->bin_count == 0)
        return y;
    collect_labels(&plot, &labels);
    y = draw_legend(&plot, y, &labels);
    labels_top = y + 4;
    y = labels_top + chart_labels_height(&labels, chart->language);
    strip_top = y;
    plot.top = ceil(y + strip_height(chart->language) + 2);
    plot.bottom = plot.top + PLOT_HEIGHT;
    draw_grid(&plot);
    draw_gaps(&plot, is_unwatched, SVG_HATCH_UNWATCHED, TEXT_CHART_LEGEND_UNWATCHED);
    draw_gaps(&plot, is_withheld, SVG_DOTS_WITHHELD, TEXT_CHART_LEGEND_WITHHELD);
    draw_shares(&plot);
    draw_bands(&plot);
    chart_labels_draw(svg, &labels, labels_top, plot.bottom);
    draw_strip(&plot, strip_top);
    y = chart_time_axis(svg, &plot.span, plot.bottom, plot.bottom);
    return draw_columns(&plot, y);
}
