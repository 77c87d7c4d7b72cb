// SPDX-License-Identifier: GPL-3.0-or-later
/* How it was measured and judged, what is withheld, what to think of before publishing, and the words. */
#include <string.h>

#include "reports/page/parts.h"

#define RULES_MAX 128
#define NAMES_MAX 40

static void paragraphs(struct page *page, const enum text_id *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        page_plain(page, "p", NULL, texts[i]);
}

/* ---- versions ---- */

/* Each value of a store's word once. */
static void store_versions(struct page *page, enum text_id label, const char *key)
{
    const struct findings *f = page->findings;

    for (size_t n = 0; f->reader && n < f->input_count; n++) {
        const char *value = store_reader_meta(f->reader, (uint32_t)n + 1, key);
        bool known = value == NULL;
        for (size_t m = 0; m < n && !known; m++) {
            const char *other = store_reader_meta(f->reader, (uint32_t)m + 1, key);
            known = other && strcmp(other, value) == 0;
        }
        if (!known)
            page_fact(page, label, &(const struct say[]){say_code("", value)}[0]);
    }
}

static void versions(struct page *page)
{
    const struct findings *f = page->findings;

    page_plain(page, "h3", NULL, TEXT_METHOD_VERSIONS);
    html_begin(&page->html, "dl");
    page_fact(page, TEXT_METHOD_VERSION_DARKLINE,
              &(const struct say[]){say_code("", f->version)}[0]);
    page_fact(page, TEXT_METHOD_VERSION_RULES,
              &(const struct say[]){say_code("", f->rules_version)}[0]);
    page_fact(page, TEXT_METHOD_VERSION_CATALOG,
              &(const struct say[]){say_code("", f->catalog_version)}[0]);
    store_versions(page, TEXT_METHOD_VERSION_STORE, "darkline_version");
    store_versions(page, TEXT_METHOD_VERSION_STORE_CATALOG, "catalog_version");
    store_versions(page, TEXT_METHOD_VERSION_NDPI, "ndpi_version");
    store_versions(page, TEXT_METHOD_VERSION_DATABASES, "geo");
    html_end(&page->html);
}

/* ---- the rules that spoke ---- */

struct rules {
    const char *id[RULES_MAX];
    size_t count;
};

static void add_rule(struct rules *rules, const char *id)
{
    for (size_t i = 0; i < rules->count; i++)
        if (strcmp(rules->id[i], id) == 0)
            return;
    if (rules->count < RULES_MAX)
        rules->id[rules->count++] = id;
}

static void rules_table(struct page *page)
{
    static const struct page_head heads[] = {{TEXT_TABLE_RULE, false}, {TEXT_TABLE_SAYS, false}};
    const struct findings *f = page->findings;
    struct rules rules = {.count = 0};
    struct page_table table;
    bool english;

    for (size_t i = 0; i < f->event_count; i++)
        for (unsigned r = 0; r < f->events[i].event->rule_count; r++)
            add_rule(&rules, f->events[i].event->rules[r]);
    for (size_t i = 0; i < f->card_count; i++)
        for (size_t r = 0; r < f->cards[i].reason_count; r++)
            add_rule(&rules, f->cards[i].reasons[r].rule);
    if (rules.count == 0)
        return;
    page_plain(page, "h3", NULL, TEXT_METHOD_RULES);
    page_plain(page, "p", "note", TEXT_METHOD_RULES_INTRO);
    page_details(page, TEXT_TABLE_OPEN);
    PAGE_TABLE_PLAIN(&table, page, "rules", false, heads, PAGE_ROOM_RULES,
                     TEXT_TABLE_RULES_CAPTION);
    for (size_t i = 0; i < rules.count; i++) {
        if (!page_row_begin(&table))
            continue;
        page_cell_name(page, rules.id[i]);
        const char *says = page_rule(page, rules.id[i], &english);
        if (english)
            PAGE_CELL(page, say_english("", says));
        else
            page_cell_text(page, says);
        page_row_end(&table);
    }
    page_table_end(&table, TEXT_PAGE_MORE_REPORT);
    html_end(&page->html);
}

void page_method(struct page *page)
{
    static const enum text_id texts[] = {TEXT_METHOD_WATCH,   TEXT_METHOD_TAG,
                                         TEXT_METHOD_ATTEMPT, TEXT_METHOD_JUDGE,
                                         TEXT_METHOD_DETECT,  TEXT_METHOD_SILENCE};

    page_section_begin(page, "method", TEXT_PAGE_SECTION_METHOD);
    paragraphs(page, texts, ARRAY_LENGTH(texts));
    if (page->findings->has_origin[ORIGIN_IMPORTED])
        page_plain(page, "p", NULL, TEXT_METHOD_IMPORT);
    versions(page);
    rules_table(page);
    page_section_end(page);
}

/* ---- what is withheld ---- */

void page_redaction(struct page *page)
{
    static const enum text_id texts[] = {TEXT_PAGE_REDACTION_CLIENTS, TEXT_PAGE_REDACTION_HOURS,
                                         TEXT_PAGE_REDACTION_NAMES, TEXT_PAGE_REDACTION_CHECKED};
    const struct findings *f = page->findings;

    page_section_begin(page, "redaction", TEXT_PAGE_SECTION_REDACTION);
    PAGE_ELEMENT(page, "p", NULL, TEXT_PAGE_REDACTION_FLOOR,
                 say_count("floor", f->floor, "/report/floor"));
    PAGE_ELEMENT(page, "p", NULL, TEXT_PAGE_REDACTION_COUNTS,
                 say_count("events", f->withheld_events, "/withheld/events"),
                 say_count("pairs", f->withheld_pairs, "/withheld/pairs"),
                 say_count("cells", f->withheld_cells, "/withheld/cells"));
    paragraphs(page, texts, ARRAY_LENGTH(texts));
    if (f->reader && f->input_count > 0 && store_reader_meta(f->reader, 1, "key_epoch")) {
        html_begin(&page->html, "dl");
        store_versions(page, TEXT_PAGE_REDACTION_EPOCH, "key_epoch");
        html_end(&page->html);
    }
    if (f->options->embargo_us)
        PAGE_ELEMENT(page, "p", NULL, TEXT_PAGE_REDACTION_EMBARGO,
                     say_date("date", f->options->embargo_us, 0));
    page_plain(page, "p", NULL,
               f->options->draft ? TEXT_PAGE_REDACTION_DRAFT : TEXT_PAGE_REDACTION_FINAL);
    page_section_end(page);
}

/* ---- before you publish ---- */

/* The carriers with events, each once, and the services. */
static size_t named_operators(const struct page *page, const char *names[NAMES_MAX])
{
    const struct findings *f = page->findings;
    size_t count = 0;

    for (size_t i = 0; i < f->event_count; i++) {
        const char *both[] = {page_carrier_name(page, f->events[i].carrier),
                              f->events[i].service ? page_service_name(page, f->events[i].service)
                                                   : NULL};
        for (size_t b = 0; b < ARRAY_LENGTH(both); b++) {
            size_t at = 0;
            while (at < count && both[b] && strcmp(names[at], both[b]) != 0)
                at++;
            if (both[b] && at == count && count < NAMES_MAX)
                names[count++] = both[b];
        }
    }
    return count;
}

void page_safety(struct page *page)
{
    static const enum text_id before[] = {TEXT_SAFETY_PEOPLE, TEXT_SAFETY_LAW, TEXT_SAFETY_NAMES};
    const char *contact = page->findings->options->contact;
    const char *names[NAMES_MAX];
    size_t count = named_operators(page, names);

    page_section_begin(page, "safety", TEXT_PAGE_SECTION_SAFETY);
    paragraphs(page, before, ARRAY_LENGTH(before));
    if (count > 0)
        PAGE_ELEMENT(page, "p", NULL, TEXT_SAFETY_REPLY, say_names("names", names, count));
    else
        page_plain(page, "p", NULL, TEXT_SAFETY_REPLY_NONE);
    page_plain(page, "p", NULL, TEXT_SAFETY_CORRECTIONS);
    if (contact)
        PAGE_ELEMENT(page, "p", NULL, TEXT_SAFETY_CONTACT_GIVEN, say_text("contact", contact));
    else
        page_plain(page, "p", NULL, TEXT_SAFETY_CONTACT);
    page_section_end(page);
}

/* ---- glossary ---- */

void page_glossary(struct page *page)
{
    static const struct {
        enum text_id word, means;
    } words[] = {
        {TEXT_GLOSSARY_AS, TEXT_GLOSSARY_AS_MEANS},
        {TEXT_GLOSSARY_ATTEMPT, TEXT_GLOSSARY_ATTEMPT_MEANS},
        {TEXT_GLOSSARY_BES, TEXT_GLOSSARY_BES_MEANS},
        {TEXT_GLOSSARY_BLOCKPAGE, TEXT_GLOSSARY_BLOCKPAGE_MEANS},
        {TEXT_GLOSSARY_CAMPAIGN, TEXT_GLOSSARY_CAMPAIGN_MEANS},
        {TEXT_GLOSSARY_CARRIER, TEXT_GLOSSARY_CARRIER_MEANS},
        {TEXT_GLOSSARY_CONTROL, TEXT_GLOSSARY_CONTROL_MEANS},
        {TEXT_GLOSSARY_DNS, TEXT_GLOSSARY_DNS_MEANS},
        {TEXT_GLOSSARY_DPI, TEXT_GLOSSARY_DPI_MEANS},
        {TEXT_GLOSSARY_EVENT, TEXT_GLOSSARY_EVENT_MEANS},
        {TEXT_GLOSSARY_INTERVAL, TEXT_GLOSSARY_INTERVAL_MEANS},
        {TEXT_GLOSSARY_IPID, TEXT_GLOSSARY_IPID_MEANS},
        {TEXT_GLOSSARY_QUIC, TEXT_GLOSSARY_QUIC_MEANS},
        {TEXT_GLOSSARY_RST, TEXT_GLOSSARY_RST_MEANS},
        {TEXT_GLOSSARY_SNI, TEXT_GLOSSARY_SNI_MEANS},
        {TEXT_GLOSSARY_SYN, TEXT_GLOSSARY_SYN_MEANS},
        {TEXT_GLOSSARY_TCP, TEXT_GLOSSARY_TCP_MEANS},
        {TEXT_GLOSSARY_TLS, TEXT_GLOSSARY_TLS_MEANS},
        {TEXT_GLOSSARY_TTL, TEXT_GLOSSARY_TTL_MEANS},
        {TEXT_GLOSSARY_VPN, TEXT_GLOSSARY_VPN_MEANS},
    };
    struct html *html = &page->html;

    page_section_begin(page, "glossary", TEXT_PAGE_SECTION_GLOSSARY);
    page_details(page, TEXT_GLOSSARY_OPEN);
    html_begin(html, "dl");
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        page_plain(page, "dt", NULL, words[i].word);
        page_plain(page, "dd", NULL, words[i].means);
    }
    html_end(html);
    html_end(html);
    page_section_end(page);
}
