// SPDX-License-Identifier: GPL-3.0-or-later
/* The pictures, as many as there is room for; each with what it shows in words. */
#include "reports/chart/chart.h"
#include "reports/page/parts.h"

#define CAPTION_MAX 2048
#define PATH_SIZE   (CHART_NAME_SIZE + 16)

static void write_picture(struct page *page, struct chart_ref ref, const char *title)
{
    struct html *html = &page->html;
    char name[CHART_NAME_SIZE], path[PATH_SIZE];

    if (!page->options->for_print) {
        chart_write(html, page->findings, page->language, ref, false);
        return;
    }
    snprintf(path, sizeof(path), "charts/%s.png", chart_name(page->findings, ref, name));
    html_void(html, "img");
    html_attr(html, "src", path);
    html_attr(html, "alt", title);
}

static void write_figure(struct page *page, struct chart_ref ref)
{
    struct html *html = &page->html;
    struct buffer title, description;

    buffer_init(&title, CAPTION_MAX);
    buffer_init(&description, CAPTION_MAX);
    chart_title(&title, page->findings, page->language, ref);
    chart_description(&description, page->findings, page->language, ref);
    html_begin(html, "figure");
    if (ref.kind == CHART_OVERVIEW)
        html_attr(html, "class", "whole");
    html_begin(html, "section");
    html_attr(html, "class", "wide");
    html_attr(html, "tabindex", "0");
    html_attr(html, "aria-label", buffer_text(&title));
    write_picture(page, ref, buffer_text(&title));
    html_end(html);
    html_begin(html, "figcaption");
    page_details(page, TEXT_PAGE_CHARTS_WORDS);
    html_begin(html, "p");
    html_text(html, buffer_text(&description));
    html_text(html, " ");
    html_text(html, page_text(page, TEXT_PAGE_CHARTS_SOURCE));
    html_end(html);
    html_end(html);
    html_end(html);
    html_end(html);
    if (title.failed || description.failed)
        page->html.failed = true;
    buffer_finish(&title);
    buffer_finish(&description);
}

void page_charts(struct page *page)
{
    const struct findings *f = page->findings;
    struct chart_ref ref;
    struct page_try attempt;
    uint64_t since = page->html.bytes;
    size_t count = 0, left_out = 0;

    page_section_begin(page, "charts", TEXT_PAGE_SECTION_CHARTS);
    page_plain(page, "p", NULL,
               chart_at(f, 0, &ref) ? TEXT_PAGE_CHARTS_INTRO : TEXT_PAGE_CHARTS_NONE);
    html_begin(&page->html, "div");
    html_attr(&page->html, "class", "charts");
    for (; chart_at(f, count, &ref); count++) {
        uint64_t used = page->html.bytes - since;
        page_try_begin(page, &attempt);
        write_figure(page, ref);
        left_out +=
            !page_try_end(page, &attempt, used < PAGE_ROOM_CHARTS ? PAGE_ROOM_CHARTS - used : 0);
    }
    html_end(&page->html);
    if (left_out > 0) {
        PAGE_ELEMENT_FOR(page, "p", "note", TEXT_PAGE_MORE_CHARTS, left_out,
                         say_count("count", left_out, NULL));
        page_plain(page, "p", "note", TEXT_PAGE_MORE_CHARTS_FILES);
    }
    page_section_end(page);
}
