// SPDX-License-Identifier: GPL-3.0-or-later
/* Orders of the catalog against what was seen, carrier by carrier. Orders of which nothing can be said are
 * only counted. */
#include <math.h>
#include <string.h>

#include "reports/page/parts.h"

#define DEADLINES_MAX 8

static bool says_something(const struct page *page, size_t index)
{
    const struct findings_order *order = &page->findings->orders[index];

    if (!order->order)
        return false;
    if (index == page->findings->headline_order)
        return true;
    for (size_t i = 0; i < order->row_count; i++)
        if (order->rows[i].verdict == ORDER_COMPLIED ||
            order->rows[i].verdict == ORDER_NOT_OBSERVED)
            return true;
    return false;
}

/* ---- the order itself ---- */

static void write_services(struct page *page, enum text_id label, const char *const *services,
                           size_t count)
{
    struct html *html = &page->html;

    if (count == 0)
        return;
    page_plain(page, "dt", NULL, label);
    for (size_t i = 0; i < count && i < PAGE_ROWS_MAX; i++) {
        html_begin(html, "dd");
        page_word(page,
                  &(const struct say[]){say_name("", page_service_name(page, services[i]))}[0]);
        html_end(html);
    }
}

/* Every reading: sources differ, and dates move. */
static void write_deadlines(struct page *page, const struct catalog_order *order)
{
    struct catalog_deadline deadlines[DEADLINES_MAX];
    size_t count =
        page->catalog ? catalog_order_deadlines(page->catalog, order, deadlines, DEADLINES_MAX) : 0;
    bool known;

    if (count == 0) {
        page_plain(page, "p", NULL, TEXT_PAGE_ORDERS_NO_DEADLINE);
        return;
    }
    html_begin(&page->html, "ul");
    for (size_t i = 0; i < count && i < DEADLINES_MAX; i++) {
        int64_t end_us = deadlines[i].time_us;
        int32_t offset = page_offset(page, order->country, end_us, &known);
        bool moved = strcmp(deadlines[i].date->kind, "moved") == 0;
        PAGE_ELEMENT(page, "li", NULL, moved ? TEXT_PAGE_ORDERS_MOVED : TEXT_PAGE_ORDERS_DEADLINE,
                     say_date("date", end_us - 1, offset));
    }
    html_end(&page->html);
    PAGE_ELEMENT(page, "p", NULL, TEXT_PAGE_ORDERS_HOURS,
                 say_text("country", language_country(page->language, order->country)));
}

static void write_dates(struct page *page, const struct catalog_order *order, size_t index)
{
    static const struct page_head heads[] = {{TEXT_TABLE_DATE, false},
                                             {TEXT_TABLE_WHAT, false},
                                             {TEXT_TABLE_READING, false},
                                             {TEXT_TABLE_SOURCE, false}};
    struct page_table table;
    char id[PAGE_ANCHOR_SIZE], name[LANGUAGE_TEXT_SIZE];

    PAGE_TABLE(&table, page, page_anchor("order-dates", index, id), false, heads, PAGE_ROOM_OTHER,
               TEXT_TABLE_DATES_CAPTION, say_code("order", order->id));
    for (size_t i = 0; i < order->date_count; i++) {
        const struct catalog_order_date *date = &order->dates[i];
        if (!page_row_begin(&table))
            continue;
        snprintf(name, sizeof(name), "%s", date->date);
        page_cell_name(page, name);
        page_cell_text(page, page_keyed(page, "page.order.date", date->kind));
        if (date->note)
            PAGE_CELL(page, say_english("", date->note));
        else
            page_cell_text(page, NULL);
        PAGE_CELL(page, say_name("", date->source));
        page_row_end(&table);
    }
    page_table_end(&table, TEXT_PAGE_MORE_REPORT);
}

static bool is_web(const char *url)
{
    return url && (strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0);
}

static void write_sources(struct page *page, const struct catalog_order *order)
{
    struct html *html = &page->html;

    page_details(page, TEXT_PAGE_ORDERS_SOURCES);
    html_begin(html, "ul");
    html_attr(html, "dir", "ltr"); /* they are in English */
    for (size_t i = 0; i < order->source_count && i < PAGE_ROWS_MAX; i++) {
        const struct catalog_source *source = &order->sources[i];
        html_begin(html, "li");
        if (is_web(source->url)) {
            html_begin(html, "a");
            html_attr(html, "href", source->url);
            html_attr(html, "rel", "noreferrer");
        }
        page_word(page, &(const struct say[]){say_english("", source->title)}[0]);
        if (is_web(source->url))
            html_end(html);
        html_end(html);
    }
    html_end(html);
    html_end(html);
}

/* ---- what each carrier did ---- */

static void cell_hours(struct page *page, const struct findings_order_row *row, size_t order,
                       size_t index)
{
    double hours = row->hours_from_deadline;
    enum text_id text = hours < 0   ? TEXT_PAGE_ORDER_HOURS_BEFORE
                        : hours > 0 ? TEXT_PAGE_ORDER_HOURS_AFTER
                                    : TEXT_PAGE_ORDER_HOURS_AT;

    if (!row->has_hours_from_deadline) {
        page_cell_text(page, NULL);
        return;
    }
    page_cell_begin(page, false, false);
    PAGE_SAY(page, text,
             say_shown(say_decimal("hours", hours, 0,
                                   "/orders/%zu/carriers/%zu/hours_from_deadline", order, index),
                       fabs(hours)));
    page_cell_end(page);
}

static void cell_means(struct page *page, const struct findings_order_row *row)
{
    static const enum text_id means[] = {
        [ORDER_INSUFFICIENT] = TEXT_PAGE_ORDER_INSUFFICIENT_MEANS,
        [ORDER_NOT_OBSERVED] = TEXT_PAGE_ORDER_NOT_OBSERVED_MEANS,
        [ORDER_COMPLIED] = TEXT_PAGE_ORDER_COMPLIED_MEANS,
        [ORDER_NOT_NAMED] = TEXT_PAGE_ORDER_NOT_NAMED_MEANS,
    };
    enum text_id text = means[row->verdict];

    if (row->verdict == ORDER_NOT_NAMED && row->event != FINDINGS_NONE)
        text = TEXT_PAGE_ORDER_NOT_NAMED_EVENT;
    page_cell_begin(page, false, false);
    page_event_link(page, row->event, page_text(page, text));
    page_cell_end(page);
}

/* Who was not named has no onset in the row; that of its event is what happened there. */
static void cell_when(struct page *page, const struct findings_order_row *row, size_t order,
                      size_t index)
{
    const struct findings *f = page->findings;

    if (row->verdict == ORDER_COMPLIED)
        PAGE_CELL(page, say_hour("", row->onset.latest_us, "/orders/%zu/carriers/%zu/onset/latest",
                                 order, index));
    else if (row->event < f->event_count)
        PAGE_CELL(page, say_hour("", f->events[row->event].onset.latest_us,
                                 "/events/%zu/onset/latest", row->event));
    else
        page_cell_text(page, NULL);
}

static void carrier_row(struct page_table *table, size_t order, size_t index)
{
    struct page *page = table->page;
    const struct findings_order_row *row = &page->findings->orders[order].rows[index];
    const char *how = row->mechanism;

    if (!page_row_begin(table))
        return;
    if (!how && row->event < page->findings->event_count &&
        page->findings->events[row->event].mechanism_count > 0)
        how = page->findings->events[row->event].mechanisms[0].mechanism;
    page_cell_name(page, page_carrier_name(page, row->carrier));
    page_cell_text(page, page_verdict(page, row->verdict));
    cell_when(page, row, order, index);
    cell_hours(page, row, order, index);
    page_cell_text(page, page_mechanism(page, how));
    cell_means(page, row);
    page_row_end(table);
}

static void write_order(struct page *page, size_t index)
{
    static const struct page_head heads[] = {
        {TEXT_TABLE_CARRIER, false}, {TEXT_TABLE_VERDICT, false}, {TEXT_TABLE_WHEN, false},
        {TEXT_TABLE_HOURS, false},   {TEXT_TABLE_HOW, false},     {TEXT_TABLE_EXPLAINED, false}};
    const struct findings_order *order = &page->findings->orders[index];
    struct html *html = &page->html;
    struct page_table table;
    char id[PAGE_ANCHOR_SIZE];

    html_begin(html, "article");
    html_begin(html, "h3");
    page_word(page, &(const struct say[]){say_english("", order->order->title)}[0]);
    html_end(html);
    PAGE_ELEMENT(page, "p", NULL, TEXT_PAGE_ORDERS_ISSUER,
                 say_english("issuer", order->order->issuer),
                 say_text("country", language_country(page->language, order->order->country)));
    html_begin(html, "p");
    page_word(page, &(const struct say[]){say_english("", order->order->summary)}[0]);
    html_end(html);
    write_deadlines(page, order->order);
    PAGE_TABLE(&table, page, page_anchor("order", index, id), true, heads, PAGE_ROOM_OTHER,
               TEXT_TABLE_ORDERS_CAPTION, say_code("order", order->order->id));
    for (size_t i = 0; i < order->row_count; i++)
        carrier_row(&table, index, i);
    page_table_end(&table, TEXT_PAGE_MORE_REPORT);
    html_begin(html, "dl");
    write_services(page, TEXT_PAGE_ORDERS_SERVICES, order->order->services,
                   order->order->service_count);
    write_services(page, TEXT_PAGE_ORDERS_EXEMPT, order->order->exempt, order->order->exempt_count);
    html_end(html);
    if (order->order->carrier_count == 0)
        page_plain(page, "p", NULL, TEXT_PAGE_ORDERS_CARRIERS_ALL);
    write_dates(page, order->order, index);
    write_sources(page, order->order);
    html_end(html);
}

void page_orders(struct page *page)
{
    const struct findings *f = page->findings;
    uint64_t since = page->html.bytes;
    size_t shown = 0, quiet = 0;
    struct page_try attempt;

    page_section_begin(page, "orders", TEXT_PAGE_SECTION_ORDERS);
    page_plain(page, "p", NULL, f->order_count ? TEXT_PAGE_ORDERS_INTRO : TEXT_PAGE_ORDERS_NONE);
    for (size_t n = 0; n <= f->order_count; n++) {
        size_t i = n == 0 ? f->headline_order : n - 1; /* the headline's first */
        uint64_t used = page->html.bytes - since;
        if (i >= f->order_count || (n > 0 && i == f->headline_order))
            continue;
        if (says_something(page, i)) {
            page_try_begin(page, &attempt);
            write_order(page, i);
            shown +=
                page_try_end(page, &attempt, used < PAGE_ROOM_ORDERS ? PAGE_ROOM_ORDERS - used : 0);
        } else {
            quiet++;
        }
    }
    if (quiet > 0)
        PAGE_ELEMENT_FOR(page, "p", "note", TEXT_PAGE_ORDERS_QUIET, quiet,
                         say_count("count", quiet, NULL));
    if (f->order_count > shown + quiet)
        PAGE_ELEMENT_FOR(page, "p", "note", TEXT_PAGE_MORE_REPORT, f->order_count - shown - quiet,
                         say_count("count", f->order_count - shown - quiet, NULL));
    page_section_end(page);
}
