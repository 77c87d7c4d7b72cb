// SPDX-License-Identifier: GPL-3.0-or-later
/* The numbers that matter, each beside its comparison; how small an effect would have been seen; when
 * and where somebody looked. */
#include <string.h>

#include "reports/page/parts.h"

#define EVENTS_MAX  6
#define MINIMUM_MAX 40

/* ---- key numbers ---- */

static void row(struct page_table *table, enum text_id text, const struct say *words, size_t count,
                const struct say *share)
{
    struct page *page = table->page;

    if (share->share->attempts == 0 || !page_row_begin(table))
        return;
    page_cell_begin(page, true, false);
    page_say(page, text, 2, words, count);
    page_cell_end(page);
    page_cell_word(page, share);
    page_row_end(table);
}

static void event_rows(struct page_table *table, size_t at)
{
    const struct findings *f = table->page->findings;
    const struct findings_event *event = &f->events[at];
    const struct say words[] = {
        say_name("carrier", page_carrier_name(table->page, event->carrier)),
        say_name("service", page_service_name(table->page, event->service))};
    struct say share = say_share("", &event->share, "/events/%zu", at);

    row(table, TEXT_NUMBERS_DURING, words, ARRAY_LENGTH(words), &share);
    share = say_share("", &event->baseline, "/events/%zu/baseline", at);
    row(table, TEXT_NUMBERS_BEFORE, words, ARRAY_LENGTH(words), &share);
    for (size_t i = 0; i < event->control_count; i++) {
        if (strcmp(event->controls[i].kind, "same-carrier") != 0)
            continue;
        share = say_share("", &event->controls[i].share, "/events/%zu/controls/%zu", at, i);
        row(table, TEXT_NUMBERS_SAME, words, ARRAY_LENGTH(words), &share);
        break;
    }
}

static void numbers_table(struct page *page)
{
    static const struct page_head heads[] = {{TEXT_TABLE_WHAT, false}, {TEXT_TABLE_FAILED, false}};
    const struct findings *f = page->findings;
    struct say share;
    struct page_table table;

    PAGE_TABLE_PLAIN(&table, page, "key-numbers", false, heads, PAGE_ROOM_OTHER,
                     TEXT_TABLE_NUMBERS);
    for (size_t i = 0, at; i < EVENTS_MAX && (at = page_headline_event(f, i)) != FINDINGS_NONE; i++)
        event_rows(&table, at);
    share = say_share("", &f->abroad, "/report/headline/abroad");
    row(&table, TEXT_NUMBERS_ABROAD,
        SAY_WORDS(say_name("service", page_service_name(page, f->service))), &share);
    share = say_share("", &f->total, "/report/total");
    row(&table, TEXT_NUMBERS_TOTAL, NULL, 0, &share);
    share = say_share("", &f->controls, "/report/controls");
    row(&table, TEXT_NUMBERS_CONTROLS, NULL, 0, &share);
    page_table_end(&table, TEXT_PAGE_MORE_REPORT);
}

static bool says_nothing_found(const struct findings *findings)
{
    return findings->headline == HEADLINE_NOTHING || findings->headline == HEADLINE_NOT_ENOUGH ||
           findings->headline == HEADLINE_ORDER_NOT_OBSERVED;
}

void page_numbers(struct page *page)
{
    const struct findings *f = page->findings;

    page_section_begin(page, "numbers", TEXT_PAGE_SECTION_NUMBERS);
    numbers_table(page);
    if (f->proven > 0)
        PAGE_ELEMENT(page, "p", NULL, TEXT_NUMBERS_PROVEN,
                     say_count("count", f->proven, "/report/proven"));
    if (f->undecided > 0)
        PAGE_ELEMENT(page, "p", NULL, TEXT_NUMBERS_UNDECIDED,
                     say_count("count", f->undecided, "/report/undecided"));
    page_plain(page, "p", "note", TEXT_NUMBERS_ATTEMPT);
    page_plain(page, "p", "note", TEXT_NUMBERS_INTERVAL);
    page_section_end(page);
    if (says_nothing_found(f))
        page_needed(page);
}

/* ---- nothing found, or not enough ---- */

static void minimum_row(struct page_table *table, size_t index)
{
    struct page *page = table->page;
    const struct findings_pair *pair = &page->findings->pairs[index];

    if (!page_row_begin(table))
        return;
    page_cell_name(page, page_carrier_name(page, pair->carrier));
    PAGE_CELL(page, say_name("", page_service_name(page, pair->service)));
    PAGE_CELL(page, say_share("", &pair->now, "/pairs/%zu/now", index));
    PAGE_CELL(page, say_count("", pair->clients, "/pairs/%zu/clients", index));
    if (pair->minimum_detectable_share <= 1)
        PAGE_CELL(page, say_percent("", pair->minimum_detectable_share,
                                    "/pairs/%zu/minimum_detectable_share", index));
    else
        page_cell_text(page, page_text(page, TEXT_PAGE_NEEDED_NONE));
    page_row_end(table);
}

void page_needed(struct page *page)
{
    static const struct page_head heads[] = {{TEXT_TABLE_CARRIER, false},
                                             {TEXT_TABLE_SERVICE, false},
                                             {TEXT_TABLE_FAILED_SHARE, false},
                                             {TEXT_TABLE_CLIENTS, true},
                                             {TEXT_TABLE_MINIMUM, true}};
    static const enum text_id wants[] = {TEXT_PAGE_NEEDED_VOICES, TEXT_PAGE_NEEDED_HOURS,
                                         TEXT_PAGE_NEEDED_CONTROLS, TEXT_PAGE_NEEDED_ELSEWHERE,
                                         TEXT_PAGE_NEEDED_LONG};
    const struct findings *f = page->findings;
    struct page_table table;

    page_section_begin(page, "needed", TEXT_PAGE_SECTION_NEEDED);
    PAGE_ELEMENT(page, "p", NULL, TEXT_PAGE_NEEDED_LOOKED,
                 say_count("attempts", f->total.attempts, "/report/total/attempts"),
                 say_count("lines", f->line_count, NULL),
                 say_hour("from", f->first_us, "/report/first"),
                 say_hour("to", f->last_us, "/report/last"));
    page_plain(page, "p", NULL, TEXT_PAGE_NEEDED_INTRO);
    PAGE_TABLE_PLAIN(&table, page, "minimum", false, heads, PAGE_ROOM_OTHER,
                     TEXT_TABLE_MINIMUM_CAPTION);
    table.maximum = MINIMUM_MAX;
    for (size_t i = 0; i < f->pair_count; i++)
        if (f->pairs[i].class != CLASS_CONTROL)
            minimum_row(&table, i);
    page_table_end(&table, TEXT_PAGE_MORE_REPORT);
    page_plain(page, "p", NULL, TEXT_PAGE_NEEDED_WHAT);
    html_begin(&page->html, "ul");
    for (size_t i = 0; i < ARRAY_LENGTH(wants); i++)
        page_plain(page, "li", NULL, wants[i]);
    html_end(&page->html);
    page_section_end(page);
}

/* ---- period ---- */

static void span(struct page *page, enum text_id label, struct say from, struct say to)
{
    page_plain(page, "dt", NULL, label);
    PAGE_ELEMENT(page, "dd", NULL, TEXT_PAGE_TO, from, to);
}

static void write_spans(struct page *page)
{
    const struct findings *f = page->findings;
    char zone[LANGUAGE_TEXT_SIZE];
    struct html *html = &page->html;

    html_begin(html, "dl");
    span(page, TEXT_PERIOD_UTC, say_hour("from", f->first_us, "/report/first"),
         say_hour("to", f->last_us, "/report/last"));
    if (page->has_local) {
        html_begin(html, "dt");
        PAGE_SAY(page, TEXT_PERIOD_LOCAL,
                 say_text("country", language_country(page->language, f->country)),
                 say_text("zone", language_zone(page->offset_seconds, zone)));
        html_end(html);
        PAGE_ELEMENT(page, "dd", NULL, TEXT_PAGE_TO,
                     say_local("from", f->first_us, page->offset_seconds),
                     say_local("to", f->last_us, page->offset_seconds));
    }
    html_end(html);
}

static void line_row(struct page_table *table, size_t i)
{
    struct page *page = table->page;
    const struct findings_line *line = &page->findings->lines[i];
    const char *network = word_text(WORD_NETWORK, line->network);
    const char *position = word_text(WORD_POSITION, line->position);
    const char *clock = word_text(WORD_CLOCK, line->clock);

    if (!page_row_begin(table))
        return;
    page_cell_name(page, page_name_of(line->carrier_name, line->carrier));
    PAGE_CELL(page, say_name("", line->probe_id));
    PAGE_CELL(page, say_text("", position ? page_keyed(page, "position", position) : NULL));
    PAGE_CELL(page, say_text("", network ? page_keyed(page, "network", network) : NULL));
    PAGE_CELL(page, say_text("", clock ? page_keyed(page, "clock", clock) : NULL));
    PAGE_CELL(page, say_hour("", line->first_us, "/lines/%zu/first", i));
    PAGE_CELL(page, say_hour("", line->last_us, "/lines/%zu/last", i));
    PAGE_CELL(page, say_count("", line->watched_hours, "/lines/%zu/watched_hours", i));
    PAGE_CELL(page, say_count("", line->gap_hours, "/lines/%zu/gap_hours", i));
    PAGE_CELL(page, say_count("", line->packets, "/lines/%zu/packets", i));
    PAGE_CELL(page, say_count("", line->lost, "/lines/%zu/lost", i));
    page_row_end(table);
}

static void lines_table(struct page *page)
{
    static const struct page_head heads[] = {
        {TEXT_TABLE_CARRIER, false}, {TEXT_TABLE_PROBE, false},  {TEXT_TABLE_POSITION, false},
        {TEXT_TABLE_NETWORK, false}, {TEXT_TABLE_CLOCK, false},  {TEXT_TABLE_FIRST, false},
        {TEXT_TABLE_LAST, false},    {TEXT_TABLE_WATCHED, true}, {TEXT_TABLE_GAPS, true},
        {TEXT_TABLE_PACKETS, true},  {TEXT_TABLE_LOST, true}};
    struct page_table table;

    PAGE_TABLE_PLAIN(&table, page, "lines", true, heads, PAGE_ROOM_LINES, TEXT_TABLE_LINES_CAPTION);
    for (size_t i = 0; i < page->findings->line_count; i++)
        line_row(&table, i);
    page_table_end(&table, TEXT_PAGE_MORE_REPORT);
}

void page_period(struct page *page)
{
    const struct findings *f = page->findings;
    uint64_t packets = 0, lost = 0;
    bool synchronised = true;

    page_section_begin(page, "period", TEXT_PAGE_SECTION_PERIOD);
    for (size_t i = 0; i < f->line_count; i++) {
        packets += f->lines[i].packets;
        lost += f->lines[i].lost;
        synchronised = synchronised && f->lines[i].clock == CLOCK_SYNCHRONISED;
    }
    if (f->first_us)
        write_spans(page);
    else
        page_plain(page, "p", NULL, TEXT_PERIOD_NONE);
    page_plain(page, "p", NULL, TEXT_PERIOD_ROUNDED);
    if (f->line_count > 0)
        page_plain(page, "p", NULL, synchronised ? TEXT_PERIOD_CLOCK_ALL : TEXT_PERIOD_CLOCK_SOME);
    PAGE_ELEMENT(page, "p", NULL, TEXT_PERIOD_LOST, say_count("lost", lost, NULL),
                 say_count("packets", packets, NULL));
    page_plain(page, "p", NULL, TEXT_PERIOD_GAPS);
    lines_table(page);
    page_section_end(page);
}
