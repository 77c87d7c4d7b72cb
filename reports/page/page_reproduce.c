// SPDX-License-Identifier: GPL-3.0-or-later
/* What it was made of and how to make it again; the files; how to cite it, and what was taken back. */
#include <string.h>

#include "base/digest.h"
#include "reports/page/parts.h"

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./"

/* ---- inputs ---- */

static enum text_id input_state(const struct input_record *input)
{
    if (input->status != DL_OK)
        return TEXT_PAGE_INPUT_DAMAGED;
    return input->complete ? TEXT_PAGE_INPUT_COMPLETE : TEXT_PAGE_INPUT_INCOMPLETE;
}

static void input_row(struct page_table *table, size_t i)
{
    struct page *page = table->page;
    const struct input_record *input = page->findings->inputs[i];
    char digest[DIGEST_TEXT_SIZE], bytes[LANGUAGE_TEXT_SIZE];

    if (!page_row_begin(table))
        return;
    page_cell_name(page, input->path);
    page_cell_text(page, input->size ? language_bytes(page->language, input->size, bytes) : NULL);
    PAGE_CELL(page, say_count("", input->packets, "/inputs/%zu/packets", i));
    PAGE_CELL(page, say_count("", input->lost, "/inputs/%zu/lost", i));
    page_cell_text(page, page_text(page, input_state(input)));
    if (input->has_sha256)
        PAGE_CELL(page, say_code("", digest_text(input->sha256, digest)));
    else
        page_cell_text(page, page_text(page, TEXT_PAGE_REPRODUCE_NOHASH));
    page_row_end(table);
}

void page_reproduce(struct page *page)
{
    static const struct page_head heads[] = {
        {TEXT_TABLE_FILE, false}, {TEXT_TABLE_SIZE, false},  {TEXT_TABLE_PACKETS, true},
        {TEXT_TABLE_LOST, true},  {TEXT_TABLE_ENDED, false}, {TEXT_TABLE_SHA256, false}};
    const struct findings *f = page->findings;
    struct html *html = &page->html;
    struct page_table table;

    page_section_begin(page, "reproduce", TEXT_PAGE_SECTION_REPRODUCE);
    page_plain(page, "p", NULL, TEXT_PAGE_REPRODUCE_INTRO);
    html_begin(html, "dl");
    if (f->options->command_line)
        page_fact(page, TEXT_PAGE_REPRODUCE_COMMAND,
                  &(const struct say[]){say_command("", f->options->command_line)}[0]);
    else
        page_fact(page, TEXT_PAGE_REPRODUCE_COMMAND,
                  &(const struct say[]){say_said("", TEXT_PAGE_REPRODUCE_COMMAND_NONE)}[0]);
    page_fact(page, TEXT_METHOD_VERSION_DARKLINE,
              &(const struct say[]){say_code("", f->version)}[0]);
    page_fact(page, TEXT_METHOD_VERSION_RULES,
              &(const struct say[]){say_code("", f->rules_version)}[0]);
    page_fact(page, TEXT_METHOD_VERSION_CATALOG,
              &(const struct say[]){say_code("", f->catalog_version)}[0]);
    html_end(html);
    page_plain(page, "p", "note", TEXT_PAGE_REPRODUCE_ID);
    page_details(page, TEXT_TABLE_OPEN_INPUTS);
    PAGE_TABLE_PLAIN(&table, page, "inputs", false, heads, PAGE_ROOM_INPUTS,
                     TEXT_TABLE_INPUTS_CAPTION);
    for (size_t i = 0; i < f->input_count; i++)
        input_row(&table, i);
    page_table_end(&table, TEXT_PAGE_MORE_REPORT);
    html_end(html);
    page_section_end(page);
}

/* ---- files ---- */

/* One of ours, such as charts/overview.svg: leads nowhere but beside the page. */
static bool is_plain_name(const char *name)
{
    return name[0] != '/' && !strstr(name, "..") && name[strspn(name, NAME_CHARACTERS)] == '\0';
}

/* A link that carries the file, as long as there is room; links to files beside the page where there is none. */
static void cell_file(struct page_table *table, const struct page_file *file)
{
    struct page *page = table->page;
    struct html *html = &page->html;
    uint64_t used = html->bytes - table->since_bytes;
    bool fits = file->content && used + file->content_length * 4 / 3 < table->room;

    page_cell_begin(page, false, false);
    if (fits && !page->options->for_print) {
        html_begin(html, "a");
        html_attr_data(html, "href", file->type ? file->type : "application/octet-stream",
                       file->content, file->content_length);
        html_attr(html, "download", file->name);
        html_text(html, page_text(page, TEXT_PAGE_DOWNLOADS_IN_PAGE));
        html_end(html);
    } else if (is_plain_name(file->name) && !page->options->for_print) {
        html_begin(html, "a");
        html_attr(html, "href", file->name);
        html_text(html, page_text(page, TEXT_PAGE_DOWNLOADS_BESIDE));
        html_end(html);
    } else {
        html_text(html, page_text(page, TEXT_PAGE_DOWNLOADS_BESIDE));
    }
    page_cell_end(page);
}

static void file_row(struct page_table *table, const struct page_file *file)
{
    struct page *page = table->page;
    char bytes[LANGUAGE_TEXT_SIZE];

    if (!page_row_begin(table))
        return;
    page_cell_name(page, file->name);
    page_cell_text(page, language_bytes(page->language, file->bytes, bytes));
    cell_file(table, file);
    PAGE_CELL(page, say_code("", file->sha256));
    page_row_end(table);
}

void page_downloads(struct page *page)
{
    static const struct page_head heads[] = {{TEXT_TABLE_FILE, false},
                                             {TEXT_TABLE_SIZE, false},
                                             {TEXT_TABLE_WHERE, false},
                                             {TEXT_TABLE_SHA256, false}};
    const struct page_options *options = page->options;
    struct page_table table;

    page_section_begin(page, "downloads", TEXT_PAGE_SECTION_DOWNLOADS);
    if (options->file_count == 0) {
        page_plain(page, "p", NULL, TEXT_PAGE_DOWNLOADS_NONE);
    } else {
        page_plain(page, "p", NULL,
                   options->for_print ? TEXT_PAGE_DOWNLOADS_PRINT : TEXT_PAGE_DOWNLOADS_INTRO);
        PAGE_TABLE_PLAIN(&table, page, "files", false, heads, PAGE_ROOM_FILES,
                         TEXT_TABLE_FILES_CAPTION);
        for (size_t i = 0; i < options->file_count; i++)
            file_row(&table, &options->files[i]);
        page_table_end(&table, TEXT_PAGE_MORE_FILES);
    }
    page_plain(page, "p", NULL,
               options->has_pdf ? TEXT_PAGE_DOWNLOADS_PDF : TEXT_PAGE_DOWNLOADS_NO_PDF);
    page_section_end(page);
}

/* ---- cite, licence, changes ---- */

static void taken_back(struct page *page)
{
    static const struct page_head heads[] = {{TEXT_TABLE_EVENT, false},
                                             {TEXT_CITE_TAKENBACK_RULES, false}};
    const struct findings *f = page->findings;
    struct page_table table;

    page_plain(page, "h3", NULL, TEXT_CITE_CHANGES);
    if (f->taken_back_count == 0) {
        page_plain(page, "p", NULL, TEXT_CITE_CHANGES_NONE);
        return;
    }
    page_plain(page, "p", NULL, TEXT_CITE_CHANGES_SOME);
    PAGE_TABLE_PLAIN(&table, page, "taken-back", false, heads, PAGE_ROOM_OTHER,
                     TEXT_TABLE_TAKENBACK_CAPTION);
    for (size_t i = 0; i < f->taken_back_count; i++) {
        if (!page_row_begin(&table))
            continue;
        page_cell_name(page, f->taken_back[i].event_id);
        PAGE_CELL(page, say_code("", f->taken_back[i].rules_version));
        page_row_end(&table);
    }
    page_table_end(&table, TEXT_PAGE_MORE_REPORT);
}

void page_cite(struct page *page)
{
    const struct findings *f = page->findings;
    struct html *html = &page->html;

    page_section_begin(page, "cite", TEXT_PAGE_SECTION_CITE);
    page_plain(page, "p", NULL, TEXT_CITE_INTRO);
    html_begin(html, "blockquote");
    PAGE_ELEMENT(page, "p", NULL, TEXT_CITE_TEXT,
                 say_code("id", f->id[0] ? f->id : page_text(page, TEXT_PAGE_NOID)),
                 say_hour("from", f->first_us, NULL), say_hour("to", f->last_us, NULL),
                 say_code("version", f->version), say_code("rules", f->rules_version));
    html_end(html);
    page_plain(page, "p", NULL, TEXT_CITE_LICENCE);
    page_plain(page, "p", NULL, TEXT_CITE_MACHINE);
    taken_back(page);
    page_section_end(page);
}
