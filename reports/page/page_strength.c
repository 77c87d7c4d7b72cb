// SPDX-License-Identifier: GPL-3.0-or-later
/* How strong the sign is and, apart from it, how good the data are; and what neither of them says. */
#include <string.h>

#include "reports/page/parts.h"

static void scale(struct page *page, enum text_id title, const struct say *word, enum text_id means,
                  enum text_id help)
{
    struct html *html = &page->html;

    html_begin(html, "div");
    html_attr(html, "class", "box");
    page_plain(page, "h3", NULL, title);
    html_begin(html, "p");
    html_attr(html, "class", "big");
    page_word(page, word);
    html_end(html);
    page_plain(page, "p", NULL, means);
    page_plain(page, "p", "note", help);
}

/* What was compared differs with what was found. */
static enum text_id confirmed_means(const struct findings *f)
{
    size_t at = page_headline_event(f, 0);

    if (at == FINDINGS_NONE)
        return TEXT_STRENGTH_MEANS_CONFIRMED_OTHER;
    switch (f->events[at].event->class) {
    case EVENT_BLOCKED:
    case EVENT_THROTTLED:
        return TEXT_STRENGTH_MEANS_CONFIRMED;
    case EVENT_OUTAGE:
        return TEXT_STRENGTH_MEANS_CONFIRMED_OUTAGE;
    default:
        return TEXT_STRENGTH_MEANS_CONFIRMED_OTHER;
    }
}

static void strength_box(struct page *page)
{
    static const enum text_id means[] = {
        [STRENGTH_NOT_MEASURABLE] = TEXT_STRENGTH_MEANS_NOT_MEASURABLE,
        [STRENGTH_NONE] = TEXT_STRENGTH_MEANS_NONE,
        [STRENGTH_WEAK] = TEXT_STRENGTH_MEANS_WEAK,
        [STRENGTH_STRONG] = TEXT_STRENGTH_MEANS_STRONG,
        [STRENGTH_CONFIRMED] = TEXT_STRENGTH_MEANS_CONFIRMED,
    };
    const struct findings *f = page->findings;
    struct say word = say_text("", page_strength(page, f->strength));

    scale(page, TEXT_STRENGTH_TITLE, &word,
          f->strength == STRENGTH_CONFIRMED ? confirmed_means(f) : means[f->strength],
          TEXT_STRENGTH_SCALE);
    if (f->event_count > 0 && f->proven > 0)
        PAGE_ELEMENT(page, "p", NULL, TEXT_STRENGTH_PROVEN,
                     say_count("proven", f->proven, "/report/proven"));
    else if (f->event_count > 0)
        page_plain(page, "p", NULL, TEXT_STRENGTH_UNPROVEN);
    html_end(&page->html);
}

static void quality_box(struct page *page)
{
    static const enum text_id means[] = {TEXT_QUALITY_1, TEXT_QUALITY_1, TEXT_QUALITY_2,
                                         TEXT_QUALITY_3, TEXT_QUALITY_4, TEXT_QUALITY_5};
    const struct findings *f = page->findings;
    uint8_t quality = f->quality > 5 ? 5 : f->quality;
    const struct {
        bool holds;
        enum text_id text;
    } reasons[] = {
        {f->quality_clock, TEXT_QUALITY_WHY_CLOCK},
        {f->quality_imported, TEXT_QUALITY_WHY_IMPORTED},
        {f->quality_one_vantage, TEXT_QUALITY_WHY_ONE_VANTAGE},
        {f->quality_no_control, TEXT_QUALITY_WHY_NO_CONTROL},
        {f->quality_no_elsewhere, TEXT_QUALITY_WHY_NO_ELSEWHERE},
        {f->quality_lost, TEXT_QUALITY_WHY_LOST},
        {f->quality_gaps, TEXT_QUALITY_WHY_GAPS},
        {f->quality_few, TEXT_QUALITY_WHY_FEW},
    };
    struct html *html = &page->html;
    size_t written = 0;

    html_begin(html, "div");
    html_attr(html, "class", "box");
    page_plain(page, "h3", NULL, TEXT_QUALITY_TITLE);
    PAGE_ELEMENT(page, "p", "big", TEXT_QUALITY_OF,
                 say_count("quality", quality, "/report/quality/level"));
    page_plain(page, "p", NULL,
               quality == 5 && f->strength == STRENGTH_NOT_MEASURABLE ? TEXT_QUALITY_FEW
                                                                      : means[quality]);
    for (size_t i = 0; i < ARRAY_LENGTH(reasons); i++) {
        if (!reasons[i].holds)
            continue;
        if (written++ == 0)
            html_begin(html, "ul");
        page_plain(page, "li", NULL, reasons[i].text);
    }
    if (written > 0)
        html_end(html);
    else if (f->strength != STRENGTH_NOT_MEASURABLE)
        page_plain(page, "p", NULL, TEXT_QUALITY_WHY_NOTHING);
    page_plain(page, "p", "note", TEXT_QUALITY_SCALE);
    html_end(html);
}

void page_strength_section(struct page *page)
{
    page_section_begin(page, "strength", TEXT_PAGE_SECTION_STRENGTH);
    html_begin(&page->html, "div");
    html_attr(&page->html, "class", "pair");
    strength_box(page);
    quality_box(page);
    html_end(&page->html);
    page_section_end(page);
}

/* ---- what it does not show ---- */

static uint64_t packets_lost(const struct findings *findings)
{
    uint64_t lost = 0;

    for (size_t i = 0; i < findings->line_count; i++)
        lost += findings->lines[i].lost;
    return lost;
}

void page_not_shown(struct page *page)
{
    static const enum text_id always[] = {TEXT_LIMIT_PASSIVE,  TEXT_LIMIT_TUNNEL,
                                          TEXT_LIMIT_PORTAL,   TEXT_LIMIT_FIREWALL,
                                          TEXT_LIMIT_PROVIDER, TEXT_LIMIT_DOWN};
    const struct findings *f = page->findings;
    uint64_t lost = packets_lost(f);
    struct html *html = &page->html;

    page_section_begin(page, "not-shown", TEXT_PAGE_SECTION_LIMITS_FIRST);
    html_begin(html, "ul");
    html_attr(html, "class", "box");
    if (f->has_origin[ORIGIN_LAB] || f->has_origin[ORIGIN_COMPOSED])
        page_plain(page, "li", NULL, TEXT_LIMIT_ORIGIN);
    if (!f->speaks_for_country && f->country)
        PAGE_ELEMENT(page, "li", NULL, TEXT_LIMIT_NATIONAL,
                     say_text("country", language_country(page->language, f->country)));
    if (f->quality_one_vantage)
        page_plain(page, "li", NULL, TEXT_LIMIT_ONE_VANTAGE);
    page_plain(page, "li", NULL, f->proven > 0 ? TEXT_LIMIT_WHO : TEXT_LIMIT_WHO_UNPROVEN);
    for (size_t i = 0; i < ARRAY_LENGTH(always); i++)
        page_plain(page, "li", NULL, always[i]);
    if (lost > 0)
        PAGE_ELEMENT(page, "li", NULL, TEXT_LIMIT_LOST, say_count("lost", lost, NULL));
    else
        page_plain(page, "li", NULL, TEXT_LIMIT_LOST_NONE);
    page_plain(page, "li", NULL, TEXT_LIMIT_BASELINE);
    html_end(html);
    page_section_end(page);
}

/* ---- limits, and what was not tested ---- */

static void write_notes(struct page *page)
{
    static const struct page_head heads[] = {{TEXT_TABLE_WHAT, false}, {TEXT_TABLE_COUNT, true}};
    const struct findings *f = page->findings;
    struct page_table table;

    if (f->note_count == 0)
        return;
    page_plain(page, "h3", NULL, TEXT_LIMIT_NOTES);
    PAGE_TABLE_PLAIN(&table, page, "notes", false, heads, PAGE_ROOM_OTHER,
                     TEXT_TABLE_NOTES_CAPTION);
    for (size_t i = 0; i < f->note_count; i++) {
        if (!page_row_begin(&table))
            continue;
        page_cell_name(page, f->notes[i].kind);
        PAGE_CELL(page, say_count("", f->notes[i].count, "/notes/%zu/count", i));
        page_row_end(&table);
    }
    page_table_end(&table, TEXT_PAGE_MORE_REPORT);
}

static void write_uncatalogued(struct page *page)
{
    static const struct page_head heads[] = {
        {TEXT_TABLE_PROTOCOL, false}, {TEXT_TABLE_FLOWS, true}, {TEXT_TABLE_FAILED_SHARE, true}};
    const struct findings *f = page->findings;
    struct page_table table;

    if (f->uncatalogued_count == 0)
        return;
    page_plain(page, "p", NULL, TEXT_LIMIT_UNTESTED_UNCATALOGUED);
    PAGE_TABLE_PLAIN(&table, page, "uncatalogued", false, heads, PAGE_ROOM_OTHER,
                     TEXT_TABLE_UNCATALOGUED_CAPTION);
    for (size_t i = 0; i < f->uncatalogued_count; i++) {
        const struct findings_uncatalogued *row = &f->uncatalogued[i];
        if (!page_row_begin(&table))
            continue;
        page_cell_name(page, row->protocol);
        PAGE_CELL(page, say_count("", row->flows, "/uncatalogued/%zu/flows", i));
        PAGE_CELL(page, say_count("", row->failed, "/uncatalogued/%zu/failed", i));
        page_row_end(&table);
    }
    page_table_end(&table, TEXT_PAGE_MORE_REPORT);
}

void page_limits(struct page *page)
{
    const struct findings *f = page->findings;

    page_section_begin(page, "limits", TEXT_PAGE_SECTION_LIMITS);
    page_plain(page, "p", NULL, TEXT_LIMIT_UNTESTED_INTRO);
    html_begin(&page->html, "ul");
    page_plain(page, "li", NULL, TEXT_LIMIT_UNTESTED_SERVICES);
    page_plain(page, "li", NULL, TEXT_LIMIT_UNTESTED_PAIRS);
    PAGE_ELEMENT(page, "li", NULL, TEXT_LIMIT_CHANCE,
                 say_count("tested", f->series_tested, "/report/series_tested"),
                 say_count("dropped", f->events_dropped, "/report/events_dropped"));
    html_end(&page->html);
    write_uncatalogued(page);
    write_notes(page);
    page_section_end(page);
}
