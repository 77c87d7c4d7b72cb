// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What the three pictures share: their words (chart_words.c), the axis of time and the labels above a
 * plot (chart_axis.c), head, legend and foot (chart_frame.c).
 */
#include "reports/chart/chart.h"
#include "reports/chart/svg.h"

#define CHART_DATES_MAX  12 /* of one order */
#define CHART_LABELS_MAX 48

struct chart {
    const struct findings *findings;
    const struct language *language;
    struct chart_ref ref;
    const struct findings_chart *data;  /* NULL for the overview */
    const struct findings_pair *pair;   /* NULL for the overview */
    const struct findings_order *order; /* whose dates are drawn; NULL */
    int64_t from_us, to_us;
    int32_t offset; /* of local time, in seconds */
};

struct chart chart_of(const struct findings *findings, const struct language *language,
                      struct chart_ref ref);

/* Each draws from `y` on and returns where it ends. */
double timeline_draw(const struct chart *chart, struct svg *svg, double y);
double heat_draw(const struct chart *chart, struct svg *svg, double y);
double overview_draw(const struct chart *chart, struct svg *svg, double y);

/* ---- the overview's rows ---- */

#define OVERVIEW_ROWS_MAX 16 /* of the country; and a few abroad */
#define OVERVIEW_ABROAD   4
#define OVERVIEW_BINS     62
struct overview_bin {
    uint64_t attempts, failures;
};
struct overview_row {
    const struct findings_pair *pair;
    struct overview_bin bins[OVERVIEW_BINS];
};
struct overview {
    struct overview_row rows[OVERVIEW_ROWS_MAX + OVERVIEW_ABROAD];
    size_t row_count, left_out;
    int64_t from_us, bin_us;
    size_t bin_count;
};
/* Rows without their bins, which are what takes time. */
void overview_rows(const struct chart *chart, struct overview *ret_overview);
void overview_fill(const struct chart *chart, struct overview *overview);
/* "blocked, confirmed; then 210 of 211 failed" (while it was), "worked; 1 of 310 failed" (all the time) */
char *overview_word(const struct chart *chart, const struct overview_row *row, bool with_share,
                    char out[SVG_TEXT_SIZE]);

/* ---- words, isolated; each returns `out` ---- */

char *chart_say(const struct language *language, enum text_id text, uint64_t count,
                const struct text_word *words, size_t word_count, char out[SVG_TEXT_SIZE]);
/* One word put into a text. */
char *chart_say_one(const struct language *language, enum text_id text, const char *name,
                    const char *value, char out[SVG_TEXT_SIZE]);
/* "blocked, confirmed" */
char *chart_event_word(const struct chart *chart, const struct findings_event *event,
                       char out[SVG_TEXT_SIZE]);
/* "began between 30 Nov 16:00 and 17:00" */
char *chart_when(const struct chart *chart, struct findings_when when, bool is_end,
                 char out[SVG_TEXT_SIZE]);
void chart_title_isolated(struct buffer *out, const struct chart *chart);
/* "2 hours" */
char *chart_width(const struct language *language, int64_t width_us, char out[SVG_TEXT_SIZE]);
char *chart_period(const struct chart *chart, char out[SVG_TEXT_SIZE]);
char *chart_source(const struct chart *chart, char out[SVG_TEXT_SIZE]);

/* The order's dates, earliest first; several on one moment are one. Returns how many. */
struct chart_date {
    int64_t time_us, day_us;  /* the line; a moment of the day it is called by */
    char word[SVG_TEXT_SIZE]; /* "announced, due 30 Nov" */
};
size_t chart_dates(const struct chart *chart, struct chart_date dates[CHART_DATES_MAX]);

/* ---- time from left to right ---- */

struct chart_span {
    int64_t from_us, to_us;
    double left, right;
    int32_t offset;
};
double chart_x(const struct chart_span *span, int64_t time_us);
/* Ticks and their dates below `y`; lines of the grid up to `top`. Returns where it ends. */
double chart_time_axis(struct svg *svg, const struct chart_span *span, double top, double y);

/* Labels above a plot, each over its place, with a line down to it. */
struct chart_label {
    double x; /* of the line */
    enum svg_paint paint;
    bool is_dashed;
    int row;         /* 0 is next to the plot; -1 left out: only its line is drawn */
    double from, to; /* as placed */
    char text[SVG_TEXT_SIZE];
};
struct chart_labels {
    struct chart_label items[CHART_LABELS_MAX]; /* earlier ones are placed first */
    size_t count;
    size_t rows; /* after placing */
};
void chart_label_add(struct chart_labels *labels, double x, enum svg_paint paint, bool is_dashed,
                     const char *text);
void chart_labels_add_dates(struct chart_labels *labels, const struct chart *chart,
                            const struct chart_span *span);
void chart_labels_place(struct chart_labels *labels, double left, double right, size_t rows_max);
double chart_labels_height(const struct chart_labels *labels, const struct language *language);
/* Between `y` and the plot's bottom. */
void chart_labels_draw(struct svg *svg, const struct chart_labels *labels, double y, double bottom);

/* ---- frame ---- */

double chart_head(const struct chart *chart, struct svg *svg, double y);
double chart_foot(const struct chart *chart, struct svg *svg, double y);

struct chart_key { /* an entry of the legend */
    enum svg_paint paint;
    enum { KEY_BOX, KEY_LINE, KEY_DASHES } kind;
    enum text_id text;
};
double chart_legend(struct svg *svg, double y, const struct chart_key *keys, size_t key_count);
/* A word on a surface, where it fits there, on paper so that it can be read. */
void chart_word_on(struct svg *svg, double left, double right, double y, const char *word);
