// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "reports/chart/chart_internal.h"

#define BAR_HEIGHT    22.0
#define ROW_GAP       10.0
#define DAY_US        (24 * CLOCK_HOUR_US)
#define PATH_MAX_SIZE 65536

/* ---- which rows ---- */

static bool is_of_service(const struct findings *findings, const struct findings_pair *pair)
{
    return pair->class != CLASS_CONTROL && strcmp(pair->service, findings->service) == 0;
}

static void add_rows(const struct chart *chart, struct overview *overview, bool abroad, size_t most)
{
    const struct findings *findings = chart->findings;
    size_t first = overview->row_count;

    for (size_t i = 0; i < findings->pair_count; i++) {
        const struct findings_pair *pair = &findings->pairs[i];
        bool is_abroad = strcmp(pair->country, findings->country) != 0;
        if (is_abroad != abroad || !is_of_service(findings, pair))
            continue;
        if (overview->row_count - first == most)
            overview->left_out++;
        else
            overview->rows[overview->row_count++].pair = pair;
    }
}

/* Bars of a day; of parts of one for a few days, of several for many. */
static void set_bins(const struct chart *chart, struct overview *overview)
{
    static const int64_t widths_hours[] = {6,       24,      48,      72,      7 * 24,
                                           14 * 24, 28 * 24, 56 * 24, 112 * 24};
    int64_t width_us = 0, first_us = 0, offset_us = chart->offset * CLOCK_SECOND_US;
    size_t first = chart->to_us - chart->from_us <= 4 * DAY_US ? 0 : 1;

    for (size_t i = first; i < ARRAY_LENGTH(widths_hours); i++) {
        int64_t unit_us = widths_hours[i] < 24 ? widths_hours[i] * CLOCK_HOUR_US : DAY_US;
        width_us = widths_hours[i] * CLOCK_HOUR_US;
        first_us = chart->from_us - (chart->from_us + offset_us) % unit_us;
        if (first_us + OVERVIEW_BINS * width_us >= chart->to_us)
            break;
    }
    overview->from_us = first_us;
    overview->bin_us = width_us;
    overview->bin_count = (size_t)((chart->to_us - first_us + width_us - 1) / width_us);
    if (overview->bin_count > OVERVIEW_BINS)
        overview->bin_count = OVERVIEW_BINS;
}

void overview_rows(const struct chart *chart, struct overview *ret_overview)
{
    memset(ret_overview, 0, sizeof(*ret_overview));
    add_rows(chart, ret_overview, false, OVERVIEW_ROWS_MAX);
    add_rows(chart, ret_overview, true, OVERVIEW_ABROAD);
    set_bins(chart, ret_overview);
}

struct filling {
    const struct findings *findings;
    struct overview *overview;
};

static int add_cell(void *context, const struct findings_cell *cell)
{
    struct filling *filling = context;
    struct overview *overview = filling->overview;
    int64_t since_us = cell->hour_us - overview->from_us;

    if (since_us < 0 || strcmp(cell->service, filling->findings->service) != 0)
        return DL_OK;
    size_t bin = (size_t)(since_us / overview->bin_us);
    for (size_t i = 0; i < overview->row_count && bin < overview->bin_count; i++) {
        const struct findings_pair *pair = overview->rows[i].pair;
        if (strcmp(pair->carrier, cell->line->carrier) == 0 &&
            strcmp(pair->country, cell->line->country) == 0) {
            overview->rows[i].bins[bin].attempts += cell->attempts;
            overview->rows[i].bins[bin].failures += cell->failures;
            break;
        }
    }
    return DL_OK;
}

void overview_fill(const struct chart *chart, struct overview *overview)
{
    struct filling filling = {chart->findings, overview};

    findings_each_cell(chart->findings, add_cell, &filling);
}

static const struct findings_event *event_of(const struct chart *chart,
                                             const struct findings_pair *pair)
{
    return pair->worst_event == FINDINGS_NONE ? NULL : &chart->findings->events[pair->worst_event];
}

char *overview_word(const struct chart *chart, const struct overview_row *row, bool with_share,
                    char out[SVG_TEXT_SIZE])
{
    const struct language *language = chart->language;
    const struct findings_event *event = event_of(chart, row->pair);
    char word[SVG_TEXT_SIZE], failed[LANGUAGE_TEXT_SIZE], attempts[LANGUAGE_TEXT_SIZE];

    if (event)
        chart_event_word(chart, event, word);
    else
        snprintf(word, sizeof(word), "%s",
                 language_text(language, row->pair->strength == STRENGTH_NONE
                                             ? TEXT_CHART_ROW_WORKED
                                             : TEXT_CHART_ROW_UNCLEAR));
    if (!with_share) {
        memcpy(out, word, sizeof(word));
        return out;
    }
    const struct findings_share *share = event ? &event->share : &row->pair->share;
    const struct text_word words[] = {
        {"word", word},
        {"failed", language_count(language, share->failures, failed)},
        {"attempts", language_count(language, share->attempts, attempts)}};
    return chart_say(language, event ? TEXT_CHART_ROW_SHARE_SINCE : TEXT_CHART_ROW_SHARE, 0, words,
                     ARRAY_LENGTH(words), out);
}

/* ---- drawing ---- */

struct board {
    const struct chart *chart;
    struct svg *svg;
    struct overview overview;
    struct chart_span span;
    bool has_empty;
};

static double bin_x(const struct board *board, size_t bin)
{
    return chart_x(&board->span, board->overview.from_us + (int64_t)bin * board->overview.bin_us);
}

static double failed_share(const struct overview_bin *bin)
{
    return (double)bin->failures / (double)bin->attempts;
}

/* Neighbours of the same share are one. */
static void draw_bar(const struct board *board, const struct overview_row *row, double y)
{
    struct buffer good, bad;

    buffer_init(&good, PATH_MAX_SIZE);
    buffer_init(&bad, PATH_MAX_SIZE);
    for (size_t i = 0; i < board->overview.bin_count;) {
        const struct overview_bin *bin = &row->bins[i];
        size_t end = i + 1;
        if (bin->attempts > 0) {
            double share = failed_share(bin), middle = y + BAR_HEIGHT * share;
            while (end < board->overview.bin_count && row->bins[end].attempts > 0 &&
                   failed_share(&row->bins[end]) == share)
                end++;
            if (bin->failures > 0)
                path_rect(&bad, bin_x(board, i), y, bin_x(board, end), middle);
            if (bin->failures < bin->attempts)
                path_rect(&good, bin_x(board, i), middle, bin_x(board, end), y + BAR_HEIGHT);
        }
        i = end;
    }
    svg_fill(board->svg, SVG_WORKED, &good);
    svg_fill(board->svg, SVG_HATCH_FAILED, &bad);
    svg_line(board->svg, SVG_DIM, 1, NULL, board->span.left, y + BAR_HEIGHT, board->span.right,
             y + BAR_HEIGHT);
    buffer_finish(&good);
    buffer_finish(&bad);
}

/* Where it began, over the bar: from the earliest to the latest moment. */
static void draw_onset(const struct board *board, const struct findings_event *event, double y)
{
    if (!event || !event->onset.earliest_us || event->onset.latest_us < board->span.from_us ||
        event->onset.earliest_us > board->span.to_us)
        return;
    double left = chart_x(&board->span, event->onset.earliest_us);
    double right = chart_x(&board->span, event->onset.latest_us);
    if (right - left < 3)
        right = left + 3;
    svg_rect(board->svg, SVG_FAILED, left, y - 4, right - left, BAR_HEIGHT + 8);
}

static char *say_name(const struct chart *chart, const struct findings_pair *pair,
                      const char *carrier, char out[SVG_TEXT_SIZE])
{
    if (strcmp(pair->country, chart->findings->country) == 0)
        return chart_say_one(chart->language, TEXT_CHART_NAME, "name", carrier, out);
    const struct text_word words[] = {{"first", carrier},
                                      {"next", language_country(chart->language, pair->country)}};
    return chart_say(chart->language, TEXT_CHART_LIST, 0, words, ARRAY_LENGTH(words), out);
}

/* Where it is too long, what stands in brackets behind it goes first. */
static char *row_name(const struct board *board, const struct findings_pair *pair, double width,
                      char out[SVG_TEXT_SIZE])
{
    char carrier[SVG_TEXT_SIZE];
    char *bracket = strstr(svg_clean(pair->carrier_name, carrier), " (");

    say_name(board->chart, pair, carrier, out);
    if (!bracket || bracket == carrier || svg_text_width(SVG_MARK, out) <= width)
        return out;
    *bracket = '\0';
    return say_name(board->chart, pair, carrier, out);
}

static void text_on_paper(const struct board *board, enum svg_style style, enum svg_align align,
                          double y, const char *text)
{
    double height = svg_line_height(board->chart->language, SVG_LABEL);
    double width = svg_text_width(style, text);
    double x = align == SVG_LEFT ? SVG_MARGIN : SVG_WIDTH - SVG_MARGIN;

    svg_rect(board->svg, SVG_PAPER, align == SVG_LEFT ? x : x - width, y + 2, width, height);
    svg_text(board->svg, style, SVG_INK, align, x, y + height * 0.75, text);
}

/* The name at the side where the language begins, the word at the other. */
static void draw_words(const struct board *board, const struct overview_row *row, double y)
{
    const struct language *language = board->chart->language;
    bool is_rtl = language_is_rtl(language);
    double width = SVG_WIDTH - 2 * SVG_MARGIN - 14;
    char name[SVG_TEXT_SIZE], word[SVG_TEXT_SIZE], fitted[SVG_TEXT_SIZE];

    overview_word(board->chart, row, true, word);
    if (svg_text_width(SVG_SMALL, word) > width * 0.6)
        overview_word(board->chart, row, false, word);
    svg_fit(SVG_SMALL, word, width * 0.6, fitted);
    text_on_paper(board, SVG_SMALL, is_rtl ? SVG_LEFT : SVG_RIGHT, y, fitted);
    width -= svg_text_width(SVG_SMALL, fitted);
    row_name(board, row->pair, width, name);
    svg_fit(SVG_MARK, name, width, fitted);
    text_on_paper(board, SVG_MARK, is_rtl ? SVG_RIGHT : SVG_LEFT, y, fitted);
}

static double row_height(const struct board *board)
{
    return svg_line_height(board->chart->language, SVG_LABEL) + 4 + BAR_HEIGHT + ROW_GAP;
}

/* Bars, then the dates' lines over them, then words over those. */
static void draw_rows(const struct board *board, const struct chart_labels *labels, double top,
                      double y)
{
    double bar = svg_line_height(board->chart->language, SVG_LABEL) + 4;
    double bottom = y + (double)board->overview.row_count * row_height(board);

    for (size_t i = 0; i < board->overview.row_count; i++)
        draw_bar(board, &board->overview.rows[i], y + (double)i * row_height(board) + bar);
    chart_labels_draw(board->svg, labels, top, bottom);
    for (size_t i = 0; i < board->overview.row_count; i++) {
        const struct overview_row *row = &board->overview.rows[i];
        draw_onset(board, event_of(board->chart, row->pair),
                   y + (double)i * row_height(board) + bar);
        draw_words(board, row, y + (double)i * row_height(board));
    }
}

static bool has_empty_bins(const struct overview *overview)
{
    for (size_t i = 0; i < overview->row_count; i++)
        for (size_t bin = 0; bin < overview->bin_count; bin++)
            if (overview->rows[i].bins[bin].attempts == 0)
                return true;
    return false;
}

static bool has_onset(const struct board *board)
{
    for (size_t i = 0; i < board->overview.row_count; i++) {
        const struct findings_event *event = event_of(board->chart, board->overview.rows[i].pair);
        if (event && event->onset.earliest_us)
            return true;
    }
    return false;
}

static double draw_legend(const struct board *board, double y, bool has_dates)
{
    struct chart_key keys[5];
    size_t count = 0;
    char said[SVG_TEXT_SIZE], width[SVG_TEXT_SIZE];

    chart_width(board->chart->language, board->overview.bin_us, width);
    chart_say_one(board->chart->language, TEXT_CHART_BARS, "width", width, said);
    y += svg_lines(board->svg, SVG_SMALL, SVG_DIM, y, SVG_WIDTH - 2 * SVG_MARGIN, 3, said);
    keys[count++] = (struct chart_key){SVG_WORKED, KEY_BOX, TEXT_CHART_LEGEND_WORKED};
    keys[count++] = (struct chart_key){SVG_HATCH_FAILED, KEY_BOX, TEXT_CHART_LEGEND_FAILED};
    if (has_empty_bins(&board->overview))
        keys[count++] = (struct chart_key){SVG_PAPER, KEY_BOX, TEXT_CHART_LEGEND_EMPTY};
    if (has_onset(board))
        keys[count++] = (struct chart_key){SVG_FAILED, KEY_BOX, TEXT_CHART_LEGEND_ONSET};
    if (has_dates)
        keys[count++] = (struct chart_key){SVG_ORDER, KEY_DASHES, TEXT_CHART_LEGEND_ORDER};
    return chart_legend(board->svg, y, keys, count);
}

double overview_draw(const struct chart *chart, struct svg *svg, double y)
{
    struct board board = {.chart = chart, .svg = svg};
    struct chart_labels labels = {.count = 0};
    const struct language *language = chart->language;
    char said[SVG_TEXT_SIZE], number[LANGUAGE_TEXT_SIZE];

    overview_rows(chart, &board.overview);
    overview_fill(chart, &board.overview);
    board.span = (struct chart_span){
        .from_us = board.overview.from_us,
        .to_us = board.overview.from_us + (int64_t)board.overview.bin_count * board.overview.bin_us,
        .left = SVG_MARGIN,
        .right = SVG_WIDTH - SVG_MARGIN,
        .offset = chart->offset};
    chart_labels_add_dates(&labels, chart, &board.span);
    chart_labels_place(&labels, 2, SVG_WIDTH - 2, 4);
    y = draw_legend(&board, y, labels.count > 0);
    double top = y + 4, rows = top + chart_labels_height(&labels, language) + 2;
    y = chart_time_axis(svg, &board.span, rows,
                        rows + (double)board.overview.row_count * row_height(&board));
    draw_rows(&board, &labels, top, rows);
    if (board.overview.left_out > 0) {
        language_count(language, board.overview.left_out, number);
        chart_say(language, TEXT_CHART_ROWS_LEFT_OUT, board.overview.left_out,
                  &(struct text_word){"count", number}, 1, said);
        y += svg_lines(svg, SVG_SMALL, SVG_DIM, y, SVG_WIDTH - 2 * SVG_MARGIN, 2, said);
    }
    return y;
}
