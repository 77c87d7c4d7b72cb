// SPDX-License-Identifier: GPL-3.0-or-later
#include "reports/page/parts.h"

#define LABEL_MAX    512
#define COLUMNS_SOME 4 /* from here on cells would be too narrow on a phone */
#define COLUMNS_MANY 6 /* and on small screens */

static void attr_plain(struct page *page, const char *name, enum text_id text,
                       const struct say *words, size_t word_count)
{
    struct buffer label;

    buffer_init(&label, LABEL_MAX);
    page_say_plain(page, &label, text, 2, words, word_count);
    html_attr(&page->html, name, buffer_text(&label));
    buffer_finish(&label);
}

/* Sorting and filtering are the script's; it takes its words from here. */
static void list_attributes(struct page *page)
{
    if (page->options->for_print)
        return;
    html_attr(&page->html, "data-filter", page_text(page, TEXT_PAGE_FILTER));
    html_attr(&page->html, "data-shown", page_text(page, TEXT_PAGE_FILTER_SHOWN));
}

static void write_heads(struct page *page, const struct page_head *heads, size_t columns)
{
    struct html *html = &page->html;

    html_begin(html, "thead");
    html_begin(html, "tr");
    for (size_t i = 0; i < columns; i++) {
        html_begin(html, "th");
        html_attr(html, "scope", "col");
        if (heads[i].is_number)
            html_attr(html, "class", "number");
        html_text(html, page_text(page, heads[i].text));
        html_end(html);
    }
    html_end(html);
    html_end(html);
}

void page_table_begin(struct page_table *table, struct page *page, const char *id, bool is_list,
                      const struct page_head *heads, size_t columns, uint64_t room,
                      enum text_id caption, const struct say *words, size_t word_count)
{
    struct html *html = &page->html;

    *table = (struct page_table){.page = page,
                                 .heads = heads,
                                 .columns = columns,
                                 .since_bytes = html->bytes,
                                 .room = room,
                                 .maximum = PAGE_ROWS_MAX};
    html_begin(html, "section"); /* a region of its own that can be scrolled by keys */
    html_attr(html, "class", "wide");
    html_attr(html, "tabindex", "0");
    attr_plain(page, "aria-label", caption, words, word_count);
    html_begin(html, "table");
    html_attr(html, "id", id);
    if (columns >= COLUMNS_SOME)
        html_attr(html, "class", columns >= COLUMNS_MANY ? "many" : "some");
    if (is_list)
        list_attributes(page);
    page_element(page, "caption", NULL, caption, 2, words, word_count);
    write_heads(page, heads, columns);
    html_begin(html, "tbody");
}

bool page_row_begin(struct page_table *table)
{
    struct page *page = table->page;

    if (table->left_out > 0 || table->rows >= table->maximum ||
        !page_has_room(page, table->since_bytes, table->room)) {
        table->left_out++;
        return false;
    }
    table->rows++;
    html_begin(&page->html, "tr");
    return true;
}

void page_row_end(struct page_table *table)
{
    html_end(&table->page->html);
}

void page_rows_skip(struct page_table *table, size_t count)
{
    table->left_out += count;
}

void page_table_end(struct page_table *table, enum text_id more)
{
    struct page *page = table->page;
    struct html *html = &page->html;
    char columns[8];

    if (table->rows == 0) {
        snprintf(columns, sizeof(columns), "%zu", table->columns);
        html_begin(html, "tr");
        html_begin(html, "td");
        html_attr(html, "colspan", columns);
        html_text(html, page_text(page, TEXT_PAGE_TABLES_EMPTY));
        html_end(html);
        html_end(html);
    }
    html_end(html);
    html_end(html);
    html_end(html);
    if (table->left_out > 0)
        PAGE_ELEMENT_FOR(page, "p", "note", more, table->left_out,
                         say_count("count", table->left_out, NULL));
}

void page_cell_begin(struct page *page, bool is_head, bool is_number)
{
    html_begin(&page->html, is_head ? "th" : "td");
    if (is_head)
        html_attr(&page->html, "scope", "row");
    if (is_number)
        html_attr(&page->html, "class", "number");
}

void page_cell_end(struct page *page)
{
    html_end(&page->html);
}

void page_cell_text(struct page *page, const char *text)
{
    page_cell_begin(page, false, false);
    html_text(&page->html, text && text[0] ? text : page_text(page, TEXT_PAGE_DASH));
    page_cell_end(page);
}

void page_cell_none(struct page *page)
{
    page_cell_begin(page, false, true);
    html_text(&page->html, page_text(page, TEXT_PAGE_DASH));
    page_cell_end(page);
}

void page_cell_name(struct page *page, const char *name)
{
    page_cell_begin(page, true, false);
    page_word(page, &(const struct say[]){say_name("", name)}[0]);
    page_cell_end(page);
}

/* Numbers are set to the end of their cell, times and words to its start. */
void page_cell_word(struct page *page, const struct say *word)
{
    bool is_number = word->kind == SAY_COUNT || word->kind == SAY_NUMBER ||
                     word->kind == SAY_DECIMAL || word->kind == SAY_PERCENT;
    bool is_empty = (word->kind == SAY_HOUR || word->kind == SAY_LOCAL) && word->time_us == 0;

    page_cell_begin(page, false, is_number);
    if (is_empty)
        html_text(&page->html, page_text(page, TEXT_PAGE_DASH));
    else
        page_word(page, word);
    page_cell_end(page);
}

/* "The connection was broken off (70 %)"; `ref`: of the object that holds mechanism_counts. */
void page_cell_mechanisms(struct page *page, const struct findings_mechanism *mechanisms,
                          size_t count, const char *ref)
{
    const size_t shown = count < 3 ? count : 3;
    struct html *html = &page->html;

    page_cell_begin(page, false, false);
    for (size_t i = 0; i < shown; i++) {
        if (i > 0)
            html_void(html, "br");
        PAGE_SAY(
            page, TEXT_PAGE_HOW,
            say_text("mechanism", page_mechanism(page, mechanisms[i].mechanism)),
            say_percent("percent", mechanisms[i].share, "%s/mechanism_counts/%zu/share", ref, i));
    }
    if (count == 0)
        html_text(html, page_text(page, TEXT_PAGE_DASH));
    page_cell_end(page);
}
