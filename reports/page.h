// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * The parts of the report page, in the order in which they stand on it. report.c puts them
 * together; page.c writes what is said once, page_line.c what is said of each watched line,
 * page_cells.c the table cells of both.
 */
#include "reports/html.h"
#include "reports/tally.h"

/* The new page (page/) has parts of the same names; this one goes when it stands. */
#define page_cell_text old_page_cell_text
#define page_headline old_page_headline
#define page_limits old_page_limits
#define page_method old_page_method
#define page_reproduce old_page_reproduce
#define page_row_begin old_page_row_begin
#define page_row_end old_page_row_end
#define page_table_begin old_page_table_begin
#define page_table_end old_page_table_end

/* Beyond these a table says how many rows it leaves out: a page that nobody can open helps nobody.
 */
#define PAGE_ROWS_MAX  100
#define PAGE_BYTES_MAX 700000

struct page {
    struct html html;
    const struct tally *tally;
    struct store_reader *reader;
    const struct report_options *options;
    uint32_t
        floor; /* rows of fewer clients are withheld; 1 on lines that no people use (the lab's) */
};

extern const char page_style[];

/* page.c */
void page_banner(struct page *page); /* lab, composed or imported data say so before all else */
void page_headline(struct page *page);
void page_limits(struct page *page);
void page_notes(struct page *page);
void page_inputs(struct page *page);
void page_method(struct page *page);
void page_reproduce(struct page *page);

/* page_line.c */
void page_line(struct page *page, const struct tally_line *line);

/* page_cells.c */
struct page_table {
    struct page *page;
    size_t columns, rows, left_out, withheld;
};
/* A table with its caption and column heads; heads end with NULL, those that begin with '#' are of
 * numbers. */
void page_table_begin(struct page_table *table, struct page *page, const char *caption,
                      const char *const *heads);
/* Begins a row; false where the table is full: the row is counted as left out and must not be
 * written. */
bool page_row_begin(struct page_table *table);
/* The same for a row about this many clients, false also where they are fewer than the floor. */
bool page_row_begin_for(struct page_table *table, uint64_t clients);
void page_row_end(struct page_table *table);
void page_table_end(struct page_table *table); /* says how many rows were left out or withheld */

void page_cell_head(struct page *page, const char *text,
                    const char *code); /* what the row is about */
void page_cell_text(struct page *page, const char *text);
void page_cell_count(struct page *page, uint64_t count);
void page_cell_bytes(struct page *page, uint64_t bytes);
void page_cell_clients(struct page *page, uint64_t count, bool or_more);
void page_cell_hour(struct page *page, int64_t time_us); /* rounded down to its hour */
/* "5 of 41 (12 %, 95 % interval 5-26 %)"; a dash where there is nothing to divide by. */
void page_cell_share(struct page *page, uint64_t part, uint64_t whole);

#define PAGE_TEXT_SIZE 64
const char *page_count_text(uint64_t count, char text[PAGE_TEXT_SIZE]); /* "12,345" */
const char *page_hour_text(int64_t time_us, char text[PAGE_TEXT_SIZE]); /* "2015-11-30 19:00" */
/* Wilson's 95 % interval of part/whole; whole is not 0. */
void page_wilson(uint64_t part, uint64_t whole, double *ret_low, double *ret_high);
