// SPDX-License-Identifier: GPL-3.0-or-later
#include "reports/chart/svg.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define ISOLATE     0x2068u
#define ISOLATE_END 0x2069u

/* Blue and orange, which red-green blind readers tell apart; on white each text's contrast is above 4.5. */
static const struct {
    const char *fill_class, *stroke_class, *colour;
    const char *pattern; /* its path; NULL: plain */
    const char *size;
} paints[SVG_PAINT_COUNT] = {
    [SVG_INK] = {"f-ink", "s-ink", "#1b1b1b", NULL, NULL},
    [SVG_DIM] = {"f-dim", "s-dim", "#595959", NULL, NULL},
    [SVG_GRID] = {"f-grid", "s-grid", "#c9c9c4", NULL, NULL},
    [SVG_PAPER] = {"f-paper", "s-paper", "#fff", NULL, NULL},
    [SVG_WORKED] = {"f-worked", "s-worked", "#1f5fa8", NULL, NULL},
    [SVG_WORKED_SOFT] = {"f-worked-soft", "s-worked-soft", "#b7d2ee", NULL, NULL},
    [SVG_FAILED] = {"f-failed", "s-failed", "#b34700", NULL, NULL},
    [SVG_ORDER] = {"f-ink", "s-ink", "#1b1b1b", NULL, NULL},
    [SVG_HATCH_UNWATCHED] = {"f-unwatched", "s-unwatched", "#8a8a84", "M0 0L7 7M-1 6L1 8M6 -1L8 1",
                             "7"},
    [SVG_DOTS_WITHHELD] = {"f-withheld", "s-withheld", "#595959", "M1 1h2v2h-2zM4 4h2v2h-2z", "6"},
    [SVG_HATCH_SOME] = {"f-some", "s-some", "#b34700", "M0 8L8 0M-1 1L1 -1M7 9L9 7", "8"},
    [SVG_HATCH_MOST] = {"f-most", "s-most", "#b34700", "M0 4L4 0M-1 1L1 -1M3 5L5 3", "4"},
    [SVG_HATCH_FAILED] = {"f-hatch", "s-hatch", "#b34700", "M0 5L5 0M-1 1L1 -1M4 6L6 4", "5"},
    [SVG_HATCH_END] = {"f-end", "s-end", "#1f5fa8", "M0 0L4 4M-1 3L1 5M3 -1L5 1", "4"},
};

char *svg_number(double value, char out[SVG_NUMBER_SIZE])
{
    long tenths = lround(value * 10);
    const char *sign = tenths < 0 ? "-" : "";

    tenths = labs(tenths);
    if (tenths % 10)
        snprintf(out, SVG_NUMBER_SIZE, "%s%ld.%ld", sign, tenths / 10, tenths % 10);
    else
        snprintf(out, SVG_NUMBER_SIZE, "%s%ld", sign, tenths / 10);
    return out;
}

static void number_attr(struct svg *svg, const char *name, double value)
{
    char text[SVG_NUMBER_SIZE];

    html_attr(svg->html, name, svg_number(value, text));
}

static bool is_pattern(enum svg_paint paint)
{
    return paints[paint].pattern != NULL;
}

static void paint_attrs(struct svg *svg, const char *attribute, const char *class,
                        enum svg_paint paint)
{
    char reference[160];

    if (is_pattern(paint)) {
        snprintf(reference, sizeof(reference), "url(#%.120s-p%d)", svg->id, (int)paint);
        html_attr(svg->html, attribute, reference);
        return;
    }
    html_attr(svg->html, "class", class);
    html_attr(svg->html, attribute, paints[paint].colour);
}

static void fill_attrs(struct svg *svg, enum svg_paint paint)
{
    paint_attrs(svg, "fill", paints[paint].fill_class, paint);
}

static void write_pattern(struct svg *svg, enum svg_paint paint)
{
    char id[160];

    snprintf(id, sizeof(id), "%.120s-p%d", svg->id, (int)paint);
    html_begin(svg->html, "pattern");
    html_attr(svg->html, "id", id);
    html_attr(svg->html, "patternUnits", "userSpaceOnUse");
    html_attr(svg->html, "width", paints[paint].size);
    html_attr(svg->html, "height", paints[paint].size);
    html_begin(svg->html, "path");
    html_attr(svg->html, "d", paints[paint].pattern);
    if (paint == SVG_DOTS_WITHHELD) {
        html_attr(svg->html, "class", paints[paint].fill_class);
        html_attr(svg->html, "fill", paints[paint].colour);
    } else {
        html_attr(svg->html, "class", paints[paint].stroke_class);
        html_attr(svg->html, "stroke", paints[paint].colour);
        html_attr(svg->html, "stroke-width", paint == SVG_HATCH_MOST ? "2" : "1.5");
    }
    html_end(svg->html);
    html_end(svg->html);
}

void svg_patterns(struct svg *svg)
{
    bool any = false;

    for (int paint = 0; paint < SVG_PAINT_COUNT; paint++)
        any = any || (svg->uses[paint] && is_pattern((enum svg_paint)paint));
    if (!any || svg->is_dry)
        return;
    html_begin(svg->html, "defs");
    for (int paint = 0; paint < SVG_PAINT_COUNT; paint++)
        if (svg->uses[paint] && is_pattern((enum svg_paint)paint))
            write_pattern(svg, (enum svg_paint)paint);
    html_end(svg->html);
}

/* Is there something to write? What the paint is of is remembered for svg_patterns(). */
static bool draws(struct svg *svg, enum svg_paint paint)
{
    svg->uses[paint] = true;
    return !svg->is_dry;
}

void svg_rect(struct svg *svg, enum svg_paint fill, double x, double y, double width, double height)
{
    if (!draws(svg, fill))
        return;
    html_begin(svg->html, "rect");
    number_attr(svg, "x", x);
    number_attr(svg, "y", y);
    number_attr(svg, "width", width);
    number_attr(svg, "height", height);
    fill_attrs(svg, fill);
    html_end(svg->html);
}

void svg_line(struct svg *svg, enum svg_paint stroke, double width, const char *dashes, double x1,
              double y1, double x2, double y2)
{
    struct buffer path;

    buffer_init(&path, SVG_TEXT_SIZE);
    path_move(&path, x1, y1);
    path_line(&path, x2, y2);
    if (draws(svg, stroke)) {
        html_begin(svg->html, "path");
        html_attr(svg->html, "d", buffer_text(&path));
        html_attr(svg->html, "class", paints[stroke].stroke_class);
        html_attr(svg->html, "stroke", paints[stroke].colour);
        if (width != 1)
            number_attr(svg, "stroke-width", width);
        if (dashes)
            html_attr(svg->html, "stroke-dasharray", dashes);
        html_end(svg->html);
    }
    buffer_finish(&path);
}

void svg_fill(struct svg *svg, enum svg_paint fill, const struct buffer *path)
{
    if (path->length == 0 || !draws(svg, fill))
        return;
    html_begin(svg->html, "path");
    html_attr(svg->html, "d", buffer_text(path));
    fill_attrs(svg, fill);
    if (fill == SVG_WORKED_SOFT) /* what lies below shows through */
        html_attr(svg->html, "fill-opacity", ".65");
    html_end(svg->html);
}

void svg_stroke(struct svg *svg, enum svg_paint stroke, double width, const struct buffer *path)
{
    if (path->length == 0 || !draws(svg, stroke))
        return;
    html_begin(svg->html, "path");
    html_attr(svg->html, "d", buffer_text(path));
    html_attr(svg->html, "fill", "none");
    paint_attrs(svg, "stroke", paints[stroke].stroke_class, stroke);
    number_attr(svg, "stroke-width", width);
    html_end(svg->html);
}

/* ---- text ---- */

static void flush_run(struct svg *svg, char *run, size_t *used)
{
    run[*used] = '\0';
    if (*used > 0)
        html_text(svg->html, run);
    *used = 0;
}

/*
 * Isolation as the characters themselves, written as references: they are ours, and html_text() would take them
 * for a stranger's. A <tspan> of another direction at the beginning of a text moves its anchor in Chromium.
 */
static void write_isolated(struct svg *svg, const char *text)
{
    static const char open[] = "&#8296;", close[] = "&#8297;";
    char run[SVG_TEXT_SIZE], bytes[TEXT_CHARACTER_SIZE];
    size_t used = 0;

    for (uint32_t character; (character = text_next(&text)) != 0;) {
        if (character == ISOLATE || character == ISOLATE_END) {
            flush_run(svg, run, &used);
            if (character == ISOLATE)
                html_copy(svg->html, open, sizeof(open) - 1);
            else
                html_copy(svg->html, close, sizeof(close) - 1);
        } else {
            size_t length = text_encode(character, bytes);
            if (used + length >= sizeof(run))
                flush_run(svg, run, &used);
            memcpy(run + used, bytes, length);
            used += length;
        }
    }
    flush_run(svg, run, &used);
}

void svg_text(struct svg *svg, enum svg_style style, enum svg_paint paint, enum svg_align align,
              double x, double y, const char *text)
{
    bool is_rtl = language_is_rtl(svg->language);

    if (!draws(svg, paint) || !*text)
        return;
    html_begin(svg->html, "text");
    number_attr(svg, "x", x);
    number_attr(svg, "y", y);
    if (align == SVG_MIDDLE)
        html_attr(svg->html, "text-anchor", "middle");
    else if ((align == SVG_RIGHT) != is_rtl)
        html_attr(svg->html, "text-anchor", "end");
    if (style != SVG_SMALL) /* that of the whole picture */
        number_attr(svg, "font-size", svg_size(style));
    if (style == SVG_TITLE || style == SVG_MARK)
        html_attr(svg->html, "font-weight", "bold");
    if (paint != SVG_INK)
        fill_attrs(svg, paint);
    write_isolated(svg, text);
    html_end(svg->html);
}

void svg_strip(struct buffer *out, const char *text)
{
    char bytes[TEXT_CHARACTER_SIZE];

    for (uint32_t character; (character = text_next(&text)) != 0;)
        if (character != ISOLATE && character != ISOLATE_END)
            buffer_append(out, bytes, text_encode(character, bytes));
}

/* ---- paths ---- */

static void append_number(struct buffer *path, double value)
{
    char text[SVG_NUMBER_SIZE];

    buffer_append_text(path, svg_number(value, text));
}

static void append_step(struct buffer *path, const char *command, double value)
{
    buffer_append_text(path, command);
    append_number(path, value);
}

void path_move(struct buffer *path, double x, double y)
{
    append_step(path, "M", x);
    append_step(path, " ", y);
}

void path_line(struct buffer *path, double x, double y)
{
    append_step(path, "L", x);
    append_step(path, " ", y);
}

void path_across(struct buffer *path, double x)
{
    append_step(path, "H", x);
}

void path_down(struct buffer *path, double y)
{
    append_step(path, "V", y);
}

void path_close(struct buffer *path)
{
    buffer_append_text(path, "z");
}

void path_rect(struct buffer *path, double left, double top, double right, double bottom)
{
    path_move(path, left, top);
    path_across(path, right);
    path_down(path, bottom);
    path_across(path, left);
    path_close(path);
}
