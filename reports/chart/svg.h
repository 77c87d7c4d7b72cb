// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * A small canvas of SVG for charts: shapes in the few paints of the palette, and text whose width is
 * estimated, as no font is at hand. Everything is written through html.h, which escapes.
 *
 * A chart is drawn twice: first dry, to learn how high it becomes, then into its element.
 *
 * Texts are what language_say() gives: in a language written from right to left a value stands between the
 * two characters of Unicode's isolation. Values must have gone through
 * svg_clean(), so that no stranger brings such characters along. In such a language everything written
 * has that direction; SVG_LEFT and SVG_RIGHT stay what they are on the paper.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "reports/html.h"
#include "reports/language/language.h"

#define SVG_WIDTH     560.0 /* of every picture, in units of its own */
#define SVG_MARGIN    12.0
#define SVG_TEXT_SIZE 512

enum svg_align { SVG_LEFT, SVG_MIDDLE, SVG_RIGHT };
enum svg_style { SVG_TITLE, SVG_LABEL, SVG_SMALL, SVG_MARK };

/* Each is a class and a colour; those from SVG_HATCH on are patterns. chart.h lists the classes. */
enum svg_paint {
    SVG_INK,
    SVG_DIM,
    SVG_GRID,
    SVG_PAPER,
    SVG_WORKED,
    SVG_WORKED_SOFT,
    SVG_FAILED,
    SVG_ORDER,
    SVG_HATCH_UNWATCHED,
    SVG_DOTS_WITHHELD,
    SVG_HATCH_SOME,
    SVG_HATCH_MOST,
    SVG_HATCH_FAILED,
    SVG_HATCH_END,
    SVG_PAINT_COUNT
};

struct svg {
    struct html *html;
    const struct language *language;
    const char *id; /* unique in the page; [a-z0-9-] */
    bool is_dry;
    bool uses[SVG_PAINT_COUNT]; /* patterns that the dry pass met */
};

/* Its elements; nothing is written while dry. */
void svg_patterns(struct svg *svg); /* those that it uses */
void svg_rect(struct svg *svg, enum svg_paint fill, double x, double y, double width,
              double height);
void svg_line(struct svg *svg, enum svg_paint stroke, double width, const char *dashes, double x1,
              double y1, double x2, double y2); /* dashes: "4 3", NULL */
/* A path's data filled, or drawn as a line of that width. */
void svg_fill(struct svg *svg, enum svg_paint fill, const struct buffer *path);
void svg_stroke(struct svg *svg, enum svg_paint stroke, double width, const struct buffer *path);
void svg_text(struct svg *svg, enum svg_style style, enum svg_paint paint, enum svg_align align,
              double x, double y, const char *text);
/* At most `width` wide, in lines; what does not fit into `lines_max` of them ends in an ellipsis. Begins at
 * the side where the language begins. Returns how high it is; `y` is the top. */
double svg_lines(struct svg *svg, enum svg_style style, enum svg_paint paint, double y,
                 double width, size_t lines_max, const char *text);

/* For <title>, <desc> and attributes: the text without isolation. */
void svg_strip(struct buffer *out, const char *text);

/* ---- paths: at most one decimal, the same on any machine ---- */
void path_move(struct buffer *path, double x, double y);
void path_line(struct buffer *path, double x, double y);
void path_across(struct buffer *path, double x); /* to x */
void path_down(struct buffer *path, double y);   /* to y */
void path_close(struct buffer *path);
void path_rect(struct buffer *path, double left, double top, double right, double bottom);
#define SVG_NUMBER_SIZE 24
char *svg_number(double value, char out[SVG_NUMBER_SIZE]);

/* ---- text ---- */
double svg_size(enum svg_style style);
double svg_line_height(const struct language *language, enum svg_style style);
double svg_text_width(enum svg_style style, const char *text); /* estimated, rather too wide */
/* The text, or its beginning and an ellipsis, at most `width` wide. */
char *svg_fit(enum svg_style style, const char *text, double width, char out[SVG_TEXT_SIZE]);
/* A stranger's text without what turns directions, hides or is no XML. */
char *svg_clean(const char *text, char out[SVG_TEXT_SIZE]);
