// SPDX-License-Identifier: GPL-3.0-or-later
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "reports/page.h"

#define WILSON_Z 1.959963984540054 /* 95 %, two-sided */

/* ---- texts ---- */

const char *page_count_text(uint64_t count, char text[PAGE_TEXT_SIZE])
{
    char digits[24];
    size_t length = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, count);
    char *to = text;

    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
    return text;
}

const char *page_hour_text(int64_t time_us, char text[PAGE_TEXT_SIZE])
{
    char full[CLOCK_TEXT_SIZE];

    clock_format(clock_hour(time_us), full);
    snprintf(text, PAGE_TEXT_SIZE, "%.10s %.5s", full, full + 11);
    return text;
}

void page_wilson(uint64_t part, uint64_t whole, double *ret_low, double *ret_high)
{
    double n = (double)whole, p = (double)part / n, z2 = WILSON_Z * WILSON_Z;
    double centre = (p + z2 / (2 * n)) / (1 + z2 / n);
    double half = WILSON_Z * sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n);

    *ret_low = part == 0 ? 0 : fmax(0, centre - half);
    *ret_high = part == whole ? 1 : fmin(1, centre + half);
}

/* ---- tables ---- */

void page_table_begin(struct page_table *table, struct page *page, const char *caption,
                      const char *const *heads)
{
    struct html *html = &page->html;

    *table = (struct page_table){.page = page};
    html_begin(html, "div"); /* scrolls on its own where a screen is narrow */
    html_attr(html, "class", "wide");
    html_begin(html, "table");
    html_element(html, "caption", NULL, caption);
    html_begin(html, "thead");
    html_begin(html, "tr");
    for (; heads[table->columns]; table->columns++) {
        const char *head = heads[table->columns];
        html_begin(html, "th");
        html_attr(html, "scope", "col");
        if (*head == '#')
            html_attr(html, "class", "number");
        html_text(html, *head == '#' ? head + 1 : head);
        html_end(html);
    }
    html_end(html);
    html_end(html);
    html_begin(html, "tbody");
}

bool page_row_begin(struct page_table *table)
{
    if (table->rows == PAGE_ROWS_MAX) {
        table->left_out++;
        return false;
    }
    table->rows++;
    html_begin(&table->page->html, "tr");
    return true;
}

bool page_row_begin_for(struct page_table *table, uint64_t clients)
{
    if (clients < table->page->floor) {
        table->withheld++;
        return false;
    }
    return page_row_begin(table);
}

void page_row_end(struct page_table *table)
{
    html_end(&table->page->html);
}

void page_table_end(struct page_table *table)
{
    struct html *html = &table->page->html;
    char text[PAGE_TEXT_SIZE];

    html_end(html);
    html_end(html);
    html_end(html);
    if (table->left_out)
        html_elementf(html, "p", "note", "%s more rows are left out of this page.",
                      page_count_text(table->left_out, text));
    if (table->withheld)
        html_elementf(html, "p", "note",
                      "Rows withheld because fewer than %" PRIu32 " clients are behind them: %s.",
                      table->page->floor, page_count_text(table->withheld, text));
}

/* ---- cells ---- */

void page_cell_head(struct page *page, const char *text, const char *code)
{
    struct html *html = &page->html;

    html_begin(html, "th");
    html_attr(html, "scope", "row");
    html_text(html, text);
    if (code) {
        html_text(html, " ");
        html_element(html, "code", NULL, code);
    }
    html_end(html);
}

void page_cell_text(struct page *page, const char *text)
{
    html_element(&page->html, "td", NULL, text);
}

void page_cell_count(struct page *page, uint64_t count)
{
    char text[PAGE_TEXT_SIZE];
    html_element(&page->html, "td", "number", page_count_text(count, text));
}

void page_cell_bytes(struct page *page, uint64_t bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    double value = (double)bytes;
    size_t unit = 0;

    for (; value >= 1000 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
        value /= 1000;
    html_elementf(&page->html, "td", "number", unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

void page_cell_clients(struct page *page, uint64_t count, bool or_more)
{
    char text[PAGE_TEXT_SIZE];

    if (count < page->floor)
        html_elementf(&page->html, "td", "number", "fewer than %" PRIu32, page->floor);
    else
        html_elementf(&page->html, "td", "number", "%s%s", page_count_text(count, text),
                      or_more ? " or more" : "");
}

void page_cell_hour(struct page *page, int64_t time_us)
{
    char text[PAGE_TEXT_SIZE];
    page_cell_text(page, page_hour_text(time_us, text));
}

void page_cell_share(struct page *page, uint64_t part, uint64_t whole)
{
    char parts[PAGE_TEXT_SIZE], wholes[PAGE_TEXT_SIZE];
    double low, high;

    if (whole == 0) {
        html_element(&page->html, "td", "number", "\u2013");
        return;
    }
    page_wilson(part, whole, &low, &high);
    html_elementf(&page->html, "td", "number",
                  "%s of %s (%.0f %%, 95 %% interval %.0f\u2013%.0f %%)",
                  page_count_text(part, parts), page_count_text(whole, wholes),
                  100 * (double)part / (double)whole, 100 * low, 100 * high);
}
