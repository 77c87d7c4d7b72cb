// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <stdlib.h>

#include "base/digest.h"
#include "reports/page/parts.h"

#define TITLE_MAX 1024
#define ID_SIZE   48

/* ---- pieces ---- */

void page_section_begin(struct page *page, const char *id, enum text_id title)
{
    struct html *html = &page->html;
    char heading[ID_SIZE];

    snprintf(heading, sizeof(heading), "%s-title", id);
    html_begin(html, "section");
    html_attr(html, "id", id);
    html_attr(html, "aria-labelledby", heading);
    html_begin(html, "h2");
    html_attr(html, "id", heading);
    html_text(html, page_text(page, title));
    html_end(html);
}

void page_section_end(struct page *page)
{
    html_end(&page->html);
}

bool page_has_room(const struct page *page, uint64_t since_bytes, uint64_t room)
{
    return page->html.bytes - since_bytes < room;
}

void page_try_begin(struct page *page, struct page_try *attempt)
{
    struct html *html = &page->html;
    FILE *file;

    html_copy(html, "", 0); /* closes an open tag */
    *attempt = (struct page_try){.held = html->file, .bytes_before = html->bytes};
    file = open_memstream(&attempt->text, &attempt->length);
    if (file)
        html->file = file;
    else
        page->status = -ENOMEM;
}

char *page_try_take(struct page *page, struct page_try *attempt, size_t *ret_length)
{
    struct html *html = &page->html;

    html_copy(html, "", 0);
    if (html->file == attempt->held) /* it did not begin */
        return NULL;
    if (fclose(html->file) != 0 && page->status == DL_OK)
        page->status = -ENOMEM;
    html->file = attempt->held;
    html->bytes = attempt->bytes_before;
    *ret_length = attempt->length;
    return attempt->text;
}

bool page_try_end(struct page *page, struct page_try *attempt, uint64_t room)
{
    size_t length = 0;
    char *text = page_try_take(page, attempt, &length);
    bool keeps = text && length <= room && page->status == DL_OK;

    if (keeps)
        html_copy(&page->html, text, length);
    free(text);
    return keeps;
}

void page_details_for(struct page *page, enum text_id summary, uint64_t count,
                      const struct say *words, size_t word_count)
{
    html_begin(&page->html, "details");
    if (page->options->for_print)
        html_attr(&page->html, "open", NULL);
    page_element(page, "summary", NULL, summary, count, words, word_count);
}

void page_details(struct page *page, enum text_id summary)
{
    page_details_for(page, summary, 0, NULL, 0);
}

void page_link(struct page *page, const char *anchor)
{
    char target[PAGE_ANCHOR_SIZE + 1];

    snprintf(target, sizeof(target), "#%s", anchor);
    html_begin(&page->html, "a");
    html_attr(&page->html, "href", target);
}

void page_fact(struct page *page, enum text_id label, const struct say *value)
{
    page_plain(page, "dt", NULL, label);
    html_begin(&page->html, "dd");
    page_word(page, value);
    html_end(&page->html);
}

/* ---- contents ---- */

static const struct {
    const char *id;
    enum text_id title;
} contents[] = {
    {"strength", TEXT_PAGE_SECTION_STRENGTH},
    {"not-shown", TEXT_PAGE_SECTION_LIMITS_FIRST},
    {"numbers", TEXT_PAGE_SECTION_NUMBERS},
    {"period", TEXT_PAGE_SECTION_PERIOD},
    {"charts", TEXT_PAGE_SECTION_CHARTS},
    {"orders", TEXT_PAGE_SECTION_ORDERS},
    {"carriers", TEXT_PAGE_SECTION_CARRIERS},
    {"services", TEXT_PAGE_SECTION_SERVICES},
    {"mechanisms", TEXT_PAGE_SECTION_MECHANISMS},
    {"events", TEXT_PAGE_SECTION_EVENTS},
    {"controls", TEXT_PAGE_SECTION_CONTROLS},
    {"method", TEXT_PAGE_SECTION_METHOD},
    {"limits", TEXT_PAGE_SECTION_LIMITS},
    {"reproduce", TEXT_PAGE_SECTION_REPRODUCE},
    {"downloads", TEXT_PAGE_SECTION_DOWNLOADS},
    {"redaction", TEXT_PAGE_SECTION_REDACTION},
    {"safety", TEXT_PAGE_SECTION_SAFETY},
    {"glossary", TEXT_PAGE_SECTION_GLOSSARY},
    {"cite", TEXT_PAGE_SECTION_CITE},
};

void page_contents(struct page *page)
{
    struct html *html = &page->html;

    html_begin(html, "nav");
    html_attr(html, "aria-label", page_text(page, TEXT_PAGE_CONTENTS));
    html_begin(html, "ul");
    for (size_t i = 0; i < ARRAY_LENGTH(contents); i++) {
        html_begin(html, "li");
        page_link(page, contents[i].id);
        html_text(html, page_text(page, contents[i].title));
        html_end(html);
        html_end(html);
    }
    html_end(html);
    html_end(html);
}

/* ---- the document ---- */

static void (*const parts[])(struct page *) = {
    page_strength_section,
    page_not_shown,
    page_numbers,
    page_period,
    page_charts,
    page_orders,
    page_carriers,
    page_networks,
    page_services,
    page_pairs,
    page_mechanisms,
    page_events,
    page_controls,
    page_method,
    page_limits,
    page_reproduce,
    page_downloads,
    page_redaction,
    page_safety,
    page_glossary,
    page_cite,
};

static void write_body(struct page *page)
{
    struct html *html = &page->html;

    html_begin(html, "a");
    html_attr(html, "class", "skip");
    html_attr(html, "href", "#main");
    html_text(html, page_text(page, TEXT_PAGE_SKIP));
    html_end(html);
    html_begin(html, "header");
    page_banners(page);
    page_headline(page);
    html_end(html);
    page_contents(page);
    html_begin(html, "main");
    html_attr(html, "id", "main");
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++)
        parts[i](page);
    html_end(html);
    html_begin(html, "footer");
    page_plain(page, "p", "note", TEXT_PAGE_POINTER);
    html_end(html);
}

static void write_document(struct page *page, FILE *file)
{
    bool for_print = page->options->for_print;
    const char *id = page->findings->id[0] ? page->findings->id : NULL;
    struct buffer headline, title;

    buffer_init(&headline, TITLE_MAX);
    buffer_init(&title, 2 * TITLE_MAX);
    page_headline_plain(page, &headline);
    /* Short, for tabs and lists of pages cut it; the sentence itself is the description. */
    page_say_plain(page, &title, TEXT_PAGE_TITLE, 2,
                   SAY_WORDS(say_code("id", id ? id : page_text(page, TEXT_PAGE_NOID)),
                             say_text("strength", page_strength(page, page->findings->strength))));
    html_document_begin(&page->html, file,
                        &(struct html_document){.language = language_code(page->language),
                                                .is_rtl = language_is_rtl(page->language),
                                                .title = buffer_text(&title),
                                                .description = buffer_text(&headline),
                                                .style = page_css,
                                                .script = for_print ? NULL : page_js,
                                                .alternate = for_print ? NULL : "report.json",
                                                .has_images = for_print});
    if (headline.failed || title.failed)
        page->status = -ENOMEM;
    buffer_finish(&headline);
    buffer_finish(&title);
    page_events_prepare(page);
    write_body(page);
    html_document_end(&page->html);
}

int page_write(FILE *file, const struct findings *findings, const struct page_options *options)
{
    struct page page = {.findings = findings,
                        .options = options,
                        .language = options->language,
                        .catalog = findings->options ? findings->options->catalog : NULL};
    int status = digest_setup();

    if (status != DL_OK)
        return status;
    page.offset_seconds = page_offset(&page, findings->country, findings->last_us, &page.has_local);
    page_names_init(&page);
    errno = 0;
    write_document(&page, file);
    if (page.status == DL_OK && page.html.failed)
        page.status = DL_LIBRARY;
    if (page.status == DL_OK && ferror(file))
        page.status = errno ? -errno : -EIO;
    page_names_finish(&page);
    free(page.has_event);
    free(page.events);
    return page.status;
}
