// SPDX-License-Identifier: GPL-3.0-or-later
/* By carrier, by network, by service, and each carrier with each service: worst first as the findings
 * sort them. */
#include "reports/page/parts.h"

/* Links to the first event of it; "2 confirmed" means nothing without them. */
static void cell_events(struct page *page, const struct findings_group *group, const char *list,
                        size_t index)
{
    page_cell_begin(page, false, true);
    PAGE_SAY(
        page, TEXT_PAGE_EVENTS_OF,
        say_count("confirmed", group->events_confirmed, "/%s/%zu/events_confirmed", list, index),
        say_count("likely", group->events_likely, "/%s/%zu/events_likely", list, index));
    page_cell_end(page);
}

static void carrier_row(struct page_table *table, size_t i)
{
    struct page *page = table->page;
    const struct findings_group *group = &page->findings->carriers[i];

    if (!page_row_begin(table))
        return;
    page_cell_name(page, page_name_of(group->name, group->id));
    PAGE_CELL(page, say_text("", language_country(page->language, group->country)));
    PAGE_CELL(page, say_name("", group->owner));
    page_cell_text(page, page_strength(page, group->strength));
    cell_events(page, group, "carriers", i);
    PAGE_CELL(page, say_share("", &group->share, "/carriers/%zu", i));
    PAGE_CELL(page, say_share("", &group->controls, "/carriers/%zu/controls", i));
    PAGE_CELL(page, say_count("", group->clients, "/carriers/%zu/clients", i));
    PAGE_CELL(page, say_hour("", group->first_us, "/carriers/%zu/first", i));
    PAGE_CELL(page, say_hour("", group->last_us, "/carriers/%zu/last", i));
    page_row_end(table);
}

void page_carriers(struct page *page)
{
    static const struct page_head heads[] = {
        {TEXT_TABLE_CARRIER, false},        {TEXT_TABLE_COUNTRY, false},
        {TEXT_TABLE_OWNER, false},          {TEXT_TABLE_STRENGTH, false},
        {TEXT_TABLE_EVENTS, true},          {TEXT_TABLE_FAILED_SHARE, false},
        {TEXT_TABLE_CONTROLS_SHARE, false}, {TEXT_TABLE_CLIENTS, true},
        {TEXT_TABLE_FIRST, false},          {TEXT_TABLE_LAST, false}};
    struct page_table table;

    page_section_begin(page, "carriers", TEXT_PAGE_SECTION_CARRIERS);
    page_plain(page, "p", NULL, TEXT_PAGE_TABLES_WORST);
    page_plain(page, "p", NULL, TEXT_PAGE_TABLES_CONTROLS);
    PAGE_TABLE_PLAIN(&table, page, "by-carrier", true, heads, PAGE_ROOM_CARRIERS,
                     TEXT_TABLE_CARRIERS_CAPTION);
    for (size_t i = 0; i < page->findings->carrier_count; i++)
        carrier_row(&table, i);
    page_table_end(&table, TEXT_PAGE_MORE_CELLS);
    page_section_end(page);
}

static void network_row(struct page_table *table, size_t carrier, size_t i)
{
    struct page *page = table->page;
    const struct findings_group *group = &page->findings->carriers[carrier];
    char name[24];

    if (!page_row_begin(table))
        return;
    snprintf(name, sizeof(name), "AS%u", group->networks[i].asn);
    page_cell_name(page, group->networks[i].asn ? name : NULL);
    PAGE_CELL(page, say_name("", page_name_of(group->name, group->id)));
    PAGE_CELL(page,
              say_share("", &group->networks[i].share, "/carriers/%zu/networks/%zu", carrier, i));
    page_row_end(table);
}

void page_networks(struct page *page)
{
    static const struct page_head heads[] = {
        {TEXT_TABLE_ASN, false}, {TEXT_TABLE_CARRIER, false}, {TEXT_TABLE_FAILED_SHARE, false}};
    const struct findings *f = page->findings;
    struct page_table table;

    page_section_begin(page, "networks", TEXT_PAGE_SECTION_NETWORKS);
    PAGE_TABLE_PLAIN(&table, page, "by-network", true, heads, PAGE_ROOM_NETWORKS,
                     TEXT_TABLE_NETWORKS_CAPTION);
    for (size_t i = 0; i < f->carrier_count; i++)
        for (size_t n = 0; n < f->carriers[i].network_count; n++)
            network_row(&table, i, n);
    page_table_end(&table, TEXT_PAGE_MORE_CELLS);
    page_section_end(page);
}

static void service_row(struct page_table *table, size_t i)
{
    struct page *page = table->page;
    const struct findings_group *group = &page->findings->services[i];
    const char *class = word_text(WORD_CLASS, group->class);

    if (!page_row_begin(table))
        return;
    page_cell_name(page, page_name_of(group->name, group->id));
    page_cell_text(page, class ? page_keyed(page, "service-class", class) : NULL);
    page_cell_text(page, page_strength(page, group->strength));
    cell_events(page, group, "services", i);
    PAGE_CELL(page, say_share("", &group->share, "/services/%zu", i));
    PAGE_CELL(page, say_count("", group->clients, "/services/%zu/clients", i));
    PAGE_CELL(page, say_hour("", group->first_us, "/services/%zu/first", i));
    PAGE_CELL(page, say_hour("", group->last_us, "/services/%zu/last", i));
    page_row_end(table);
}

void page_services(struct page *page)
{
    static const struct page_head heads[] = {
        {TEXT_TABLE_SERVICE, false}, {TEXT_TABLE_CLASS, false},        {TEXT_TABLE_STRENGTH, false},
        {TEXT_TABLE_EVENTS, true},   {TEXT_TABLE_FAILED_SHARE, false}, {TEXT_TABLE_CLIENTS, true},
        {TEXT_TABLE_FIRST, false},   {TEXT_TABLE_LAST, false}};
    struct page_table table;

    page_section_begin(page, "services", TEXT_PAGE_SECTION_SERVICES);
    PAGE_TABLE_PLAIN(&table, page, "by-service", true, heads, PAGE_ROOM_SERVICES,
                     TEXT_TABLE_SERVICES_CAPTION);
    for (size_t i = 0; i < page->findings->service_count; i++)
        service_row(&table, i);
    page_table_end(&table, TEXT_PAGE_MORE_CELLS);
    page_section_end(page);
}

/* Leads to the event and so to its evidence. */
static void cell_state(struct page *page, const struct findings_pair *pair)
{
    page_cell_begin(page, false, false);
    page_event_link(page, pair->worst_event, page_state(page, pair->state));
    page_cell_end(page);
}

static void pair_row(struct page_table *table, size_t i)
{
    struct page *page = table->page;
    const struct findings_pair *pair = &page->findings->pairs[i];
    char ref[PAGE_ANCHOR_SIZE];

    if (!page_row_begin(table))
        return;
    snprintf(ref, sizeof(ref), "/pairs/%zu", i);
    page_cell_name(page, page_carrier_name(page, pair->carrier));
    PAGE_CELL(page, say_name("", page_service_name(page, pair->service)));
    cell_state(page, pair);
    page_cell_text(page, page_strength(page, pair->strength));
    PAGE_CELL(page, say_share("", &pair->share, "/pairs/%zu", i));
    page_cell_mechanisms(page, pair->mechanisms, pair->mechanism_count, ref);
    PAGE_CELL(page, say_count("", pair->clients, "/pairs/%zu/clients", i));
    if (pair->minimum_detectable_share <= 1)
        PAGE_CELL(page, say_percent("", pair->minimum_detectable_share,
                                    "/pairs/%zu/minimum_detectable_share", i));
    else
        page_cell_text(page, page_text(page, TEXT_PAGE_NEEDED_NONE));
    page_row_end(table);
}

void page_pairs(struct page *page)
{
    static const struct page_head heads[] = {
        {TEXT_TABLE_CARRIER, false},  {TEXT_TABLE_SERVICE, false},      {TEXT_TABLE_STATE, false},
        {TEXT_TABLE_STRENGTH, false}, {TEXT_TABLE_FAILED_SHARE, false}, {TEXT_TABLE_HOW, false},
        {TEXT_TABLE_CLIENTS, true},   {TEXT_TABLE_MINIMUM, true}};
    struct page_table table;

    page_section_begin(page, "pairs", TEXT_PAGE_SECTION_PAIRS);
    PAGE_TABLE_PLAIN(&table, page, "by-pair", true, heads, PAGE_ROOM_PAIRS,
                     TEXT_TABLE_PAIRS_CAPTION);
    for (size_t i = 0; i < page->findings->pair_count; i++)
        pair_row(&table, i);
    page_table_end(&table, TEXT_PAGE_MORE_CELLS);
    page_section_end(page);
}
