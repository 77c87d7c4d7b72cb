// SPDX-License-Identifier: GPL-3.0-or-later
#include "reports/chart/svg.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define ISOLATE     0x2068u
#define ISOLATE_END 0x2069u
#define ELLIPSIS    "\xe2\x80\xa6"

double svg_size(enum svg_style style)
{
    static const double sizes[] = {
        [SVG_TITLE] = 18, [SVG_LABEL] = 15, [SVG_SMALL] = 14, [SVG_MARK] = 15};

    return sizes[style];
}

/* Nastaliq climbs and hangs: its lines need more room. */
double svg_line_height(const struct language *language, enum svg_style style)
{
    return svg_size(style) * (language_is_rtl(language) ? 2.0 : 1.35);
}

/* In sizes of the font; of wide fonts such as DejaVu Sans rather than of narrow ones. */
static double character_width(uint32_t character)
{
    if (character == ISOLATE || character == ISOLATE_END)
        return 0;
    if (character >= 0x590 && character < 0x900) /* Hebrew, Arabic, Syriac */
        return 0.5;
    if (character >= 0x1100) /* Hangul, CJK; also dashes, which are about as wide */
        return 1.0;
    if (character >= 0x80)
        return 0.62;
    if (strchr("ijl.,:;'|!I ", (int)character))
        return 0.32;
    if (strchr("frt()[]/-\"*", (int)character))
        return 0.42;
    if (strchr("mwMW%@", (int)character))
        return 0.93;
    return character >= 'A' && character <= 'Z' ? 0.70 : 0.61;
}

double svg_text_width(enum svg_style style, const char *text)
{
    bool is_bold = style == SVG_TITLE || style == SVG_MARK;
    double width = 0;

    for (uint32_t character; (character = text_next(&text)) != 0;)
        width += character_width(character);
    return width * svg_size(style) * (is_bold ? 1.08 : 1.0);
}

/* How many bytes of the text fit; all of them where all do. */
static size_t fitting_bytes(enum svg_style style, const char *text, double width)
{
    double scale = svg_text_width(style, "n") / character_width('n'), used = 0;
    const char *at = text;

    for (;;) {
        const char *before = at;
        uint32_t character = text_next(&at);
        if (character == 0)
            return (size_t)(before - text);
        used += character_width(character) * scale;
        if (used > width)
            return (size_t)(before - text);
    }
}

static size_t bounded(size_t length)
{
    /* Room for an ellipsis, closing isolates and the end. */
    return length < SVG_TEXT_SIZE - 32 ? length : SVG_TEXT_SIZE - 32;
}

/* Copies so many bytes, whole characters only, and closes isolates left open. */
static void copy_part(const char *text, size_t length, bool is_cut, char out[SVG_TEXT_SIZE])
{
    const char *at = text, *end = text + bounded(length);
    int depth = 0;
    size_t used = 0;

    while (at < end) {
        const char *before = at;
        uint32_t character = text_next(&at);
        if (character == 0 || at > end || (character == ISOLATE && depth == 6))
            break;
        depth += character == ISOLATE;
        depth -= character == ISOLATE_END && depth > 0;
        memcpy(out + used, before, (size_t)(at - before));
        used += (size_t)(at - before);
    }
    while (is_cut && used > 0 && out[used - 1] == ' ')
        used--;
    out[used] = '\0';
    if (is_cut)
        memcpy(out + used, ELLIPSIS, sizeof(ELLIPSIS));
    for (used = strlen(out); depth > 0; depth--, used += 3)
        memcpy(out + used, "\xe2\x81\xa9", 4);
}

char *svg_fit(enum svg_style style, const char *text, double width, char out[SVG_TEXT_SIZE])
{
    size_t length = strlen(text);

    if (svg_text_width(style, text) <= width && length == bounded(length)) {
        memcpy(out, text, length + 1);
        return out;
    }
    double left = width - svg_text_width(style, ELLIPSIS);
    copy_part(text, fitting_bytes(style, text, left > 0 ? left : 0), true, out);
    return out;
}

char *svg_clean(const char *text, char out[SVG_TEXT_SIZE])
{
    char bytes[TEXT_CHARACTER_SIZE];
    size_t used = 0;

    for (uint32_t character; (character = text_next(&text)) != 0;) {
        bool bad = text_disturbs(character) || (character & 0xfffe) == 0xfffe;
        size_t length = text_encode(bad ? TEXT_REPLACEMENT : character, bytes);
        if (used + length >= SVG_TEXT_SIZE)
            break;
        memcpy(out + used, bytes, length);
        used += length;
    }
    out[used] = '\0';
    return out;
}

/* Where a line of this width ends: at its last space outside a value; at any where it has none. */
static size_t line_end(enum svg_style style, const char *text, double width)
{
    size_t most = fitting_bytes(style, text, width), best = 0, any = 0;
    const char *at = text;
    int depth = 0;

    if (text[most] == '\0')
        return most;
    while ((size_t)(at - text) < most) {
        size_t here = (size_t)(at - text);
        uint32_t character = text_next(&at);
        depth += (character == ISOLATE) - (character == ISOLATE_END);
        if (character == ' ')
            *(depth > 0 ? &any : &best) = here;
    }
    if (text[most] == ' ')
        return most;
    return best ? best : any ? any : most;
}

/* Takes so many bytes and the spaces after them off the text; a value that they cut goes on isolated. */
static void take_line(char text[SVG_TEXT_SIZE], size_t length)
{
    const char *at = text;
    char rest[SVG_TEXT_SIZE];
    int depth = 0;

    while ((size_t)(at - text) < length) {
        uint32_t character = text_next(&at);
        depth += (character == ISOLATE) - (character == ISOLATE_END);
    }
    while (*at == ' ')
        at++;
    snprintf(rest, sizeof(rest), "%s", at);
    /* Not longer than before: what was taken held the same characters. */
    text[0] = '\0';
    for (; depth > 0 && *rest; depth--)
        strcat(text, "\xe2\x81\xa8");
    strcat(text, rest);
}

double svg_lines(struct svg *svg, enum svg_style style, enum svg_paint paint, double y,
                 double width, size_t lines_max, const char *text)
{
    bool is_rtl = language_is_rtl(svg->language);
    double height = svg_line_height(svg->language, style), used = 0;
    char rest[SVG_TEXT_SIZE], line[SVG_TEXT_SIZE];

    copy_part(text, strlen(text), false, rest);
    for (size_t i = 0; i < lines_max && *rest; i++) {
        size_t length = line_end(style, rest, width);
        if (i + 1 == lines_max || length == 0) {
            svg_fit(style, rest, width, line);
            length = strlen(rest);
        } else {
            copy_part(rest, length, false, line);
        }
        used += height;
        svg_text(svg, style, paint, is_rtl ? SVG_RIGHT : SVG_LEFT,
                 is_rtl ? SVG_WIDTH - SVG_MARGIN : SVG_MARGIN, y + used - height * 0.28, line);
        take_line(rest, length);
    }
    return used;
}
