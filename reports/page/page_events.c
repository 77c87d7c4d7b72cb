// SPDX-License-Identifier: GPL-3.0-or-later
/* Events one by one, worst first, as far as there is room; before them an index of all by carrier. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reports/page/parts.h"

#define LINKS_FEW    3 /* events of one carrier in the index, where many carriers have some */
#define LINKS_MANY   10
#define CARRIERS_FEW 20
#define HOURS_TEXT   96
#define DAY_HOURS    24

/* ---- order ---- */

static int compare_events(const struct findings_event *a, const struct findings_event *b)
{
    if (a->strength != b->strength)
        return a->strength > b->strength ? -1 : 1;
    if (a->share.low != b->share.low)
        return a->share.low > b->share.low ? -1 : 1;
    return 0;
}

static int compare_indexes(const void *left, const void *right, void *events)
{
    const struct findings_event *event = events;
    size_t a = *(const size_t *)left, b = *(const size_t *)right;
    int order = compare_events(&event[a], &event[b]);

    if (order != 0)
        return order;
    return a < b ? -1 : a > b;
}

/* Indexes of the events, worst first; to be freed. */
static size_t *worst_first(struct page *page)
{
    const struct findings *f = page->findings;
    size_t *indexes = calloc(f->event_count + 1, sizeof(*indexes));

    if (!indexes) {
        page->status = -ENOMEM;
        return NULL;
    }
    for (size_t i = 0; i < f->event_count; i++)
        indexes[i] = i;
    qsort_r(indexes, f->event_count, sizeof(*indexes), compare_indexes, f->events);
    return indexes;
}

/* ---- one event ---- */

static void write_times(struct page *page, size_t at)
{
    const struct findings_event *event = &page->findings->events[at];
    struct say latest = say_hour("latest", event->onset.latest_us, "/events/%zu/onset/latest", at);
    char zone[LANGUAGE_TEXT_SIZE];
    bool known;
    int32_t offset = page_offset(page, event->country, event->onset.latest_us, &known);

    if (event->onset.earliest_us)
        PAGE_ELEMENT(
            page, "li", NULL, TEXT_PAGE_EVENT_BEGAN,
            say_hour("earliest", event->onset.earliest_us, "/events/%zu/onset/earliest", at),
            latest);
    else
        PAGE_ELEMENT(page, "li", NULL, TEXT_PAGE_EVENT_BEGAN_FIRST_SIGHT, latest);
    if (known)
        PAGE_ELEMENT(page, "li", NULL, TEXT_PAGE_EVENT_LOCAL,
                     say_local("latest", event->onset.latest_us, offset),
                     say_text("zone", language_zone(offset, zone)));
    if (event->end.latest_us)
        PAGE_ELEMENT(page, "li", NULL, TEXT_PAGE_EVENT_ENDED,
                     say_hour("earliest", event->end.earliest_us, "/events/%zu/end/earliest", at),
                     say_hour("latest", event->end.latest_us, "/events/%zu/end/latest", at),
                     say_decimal("hours", event->hours_down, 0, "/events/%zu/hours_down", at));
    else
        page_plain(page, "li", NULL, TEXT_PAGE_EVENT_ONGOING);
    if (event->alarm_us)
        PAGE_ELEMENT(page, "li", NULL, TEXT_PAGE_EVENT_FOUND,
                     say_hour("when", event->alarm_us, "/events/%zu/alarm", at));
}

/* "0, 1, 2, 22, 23" of the hours of a kind of day. */
static char *hours_text(const struct event *event, unsigned kind, char out[HOURS_TEXT])
{
    size_t used = 0;

    out[0] = '\0';
    for (unsigned hour = 0; hour < DAY_HOURS; hour++)
        if (event->hours[DAY_HOURS * kind + hour] && used + 8 < HOURS_TEXT)
            used += (size_t)snprintf(out + used, HOURS_TEXT - used, used ? ", %u" : "%u", hour);
    return out;
}

static void write_hours(struct page *page, const struct event *event)
{
    char workdays[HOURS_TEXT], weekends[HOURS_TEXT];

    if (!event->has_hours)
        return;
    hours_text(event, 0, workdays);
    hours_text(event, 1, weekends);
    PAGE_ELEMENT(page, "li", NULL, TEXT_PAGE_EVENT_HOURS,
                 say_text("workdays", workdays[0] ? workdays : page_text(page, TEXT_PAGE_NONE)),
                 say_text("weekends", weekends[0] ? weekends : page_text(page, TEXT_PAGE_NONE)));
}

static void write_who(struct page *page, size_t at)
{
    static const enum text_id scopes[] = {[SCOPE_LINE] = TEXT_PAGE_EVENT_SCOPE_LINE,
                                          [SCOPE_CARRIER] = TEXT_PAGE_EVENT_SCOPE_CARRIER,
                                          [SCOPE_COUNTRY] = TEXT_PAGE_EVENT_SCOPE_COUNTRY};
    const struct findings_event *event = &page->findings->events[at];

    PAGE_ELEMENT_FOR(page, "li", NULL, TEXT_PAGE_EVENT_USERS, event->event->vantages,
                     say_count("clients", event->event->clients, "/events/%zu/clients", at),
                     say_count("voices", event->event->voices, "/events/%zu/voices", at),
                     say_count("vantages", event->event->vantages, "/events/%zu/vantages", at));
    page_plain(page, "li", NULL, scopes[event->event->scope]);
    write_hours(page, event->event);
    if (event->event->proven > 0)
        PAGE_ELEMENT(page, "li", NULL, TEXT_PAGE_EVENT_PROVEN,
                     say_count("count", event->event->proven, "/events/%zu/proven", at));
    else
        page_plain(page, "li", NULL, TEXT_PAGE_EVENT_UNPROVEN);
    if (event->order)
        PAGE_ELEMENT(page, "li", NULL, TEXT_PAGE_EVENT_ORDER, say_code("order", event->order));
    if (event->names_actor)
        PAGE_ELEMENT(page, "li", NULL, TEXT_PAGE_EVENT_ACTOR, say_code("page", event->actor_page));
}

static void write_how(struct page *page, size_t at)
{
    const struct findings_event *event = &page->findings->events[at];

    for (size_t i = 0; i < event->mechanism_count && i < 4; i++)
        PAGE_ELEMENT(page, "li", NULL, TEXT_PAGE_EVENT_HOW,
                     say_text("mechanism", page_mechanism(page, event->mechanisms[i].mechanism)),
                     say_percent("percent", event->mechanisms[i].share,
                                 "/events/%zu/mechanism_counts/%zu/share", at, i),
                     say_count("proven", event->mechanisms[i].proven,
                               "/events/%zu/mechanism_counts/%zu/proven", at, i),
                     say_count("attempts", event->mechanisms[i].attempts,
                               "/events/%zu/mechanism_counts/%zu/attempts", at, i));
}

static void write_rules(struct page *page, const struct event *event)
{
    struct html *html = &page->html;
    bool english;

    if (event->rule_count == 0)
        return;
    page_plain(page, "h4", NULL, TEXT_PAGE_EVENT_RULES);
    html_begin(html, "ul");
    for (unsigned i = 0; i < event->rule_count; i++) {
        const char *says = page_rule(page, event->rules[i], &english);
        PAGE_ELEMENT(page, "li", NULL, TEXT_PAGE_RULE, say_code("rule", event->rules[i]),
                     english ? say_english("says", says) : say_text("says", says));
    }
    html_end(html);
}

static void write_examples(struct page *page, const struct findings_event *event)
{
    struct html *html = &page->html;

    if (event->example_count > 0) {
        page_details(page, TEXT_PAGE_EVENT_CONNECTIONS);
        html_begin(html, "p");
        for (size_t i = 0; i < event->example_count; i++) {
            if (i > 0)
                html_text(html, " ");
            html_element(html, "code", NULL, event->examples[i]);
        }
        html_end(html);
        html_end(html);
    }
    html_begin(html, "p");
    html_attr(html, "class", "note");
    PAGE_SAY(page, TEXT_PAGE_EVENT_ID, say_code("id", event->id));
    html_end(html);
}

static void write_title(struct page *page, const struct findings_event *event, size_t at)
{
    char anchor[PAGE_ANCHOR_SIZE];
    static const enum text_id means[] = {
        [EVENT_BLOCKED] = TEXT_CLASS_BLOCKED_MEANS,
        [EVENT_THROTTLED] = TEXT_CLASS_THROTTLED_MEANS,
        [EVENT_WITHDRAWN] = TEXT_CLASS_WITHDRAWN_MEANS,
        [EVENT_UNREACHABLE] = TEXT_CLASS_UNREACHABLE_MEANS,
        [EVENT_OUTAGE] = TEXT_CLASS_OUTAGE_MEANS,
        [EVENT_SHUTDOWN] = TEXT_CLASS_SHUTDOWN_MEANS,
        [EVENT_VANISHED] = TEXT_CLASS_VANISHED_MEANS,
    };

    html_begin(&page->html, "article");
    html_attr(&page->html, "id", page_anchor("event", at, anchor));
    PAGE_ELEMENT(page, "h3", NULL, TEXT_PAGE_EVENT_TITLE,
                 say_name("service", page_service_name(page, event->service)),
                 say_name("carrier", page_carrier_name(page, event->carrier)),
                 say_text("class", page_class(page, event->event->class)));
    PAGE_ELEMENT(page, "p", NULL, TEXT_PAGE_EVENT_STRENGTH,
                 say_text("strength", page_strength(page, event->strength)),
                 say_count("quality", event->event->quality, "/events/%zu/quality", at));
    page_plain(page, "p", NULL, means[event->event->class]);
}

/* ---- controls of one event ---- */

static void control_row(struct page_table *table, const char *name, const char *verdict,
                        const struct say *share)
{
    struct page *page = table->page;

    if (share->share->attempts == 0 || !page_row_begin(table))
        return;
    page_cell_name(page, name);
    page_cell_word(page, share);
    page_cell_text(page, verdict);
    page_row_end(table);
}

/* Other carriers are well if one of them is: their shares together may be bad. */
static const char *control_verdict(struct page *page, const struct findings_control *control)
{
    if (strcmp(control->kind, "same-country") == 0 && strcmp(control->verdict, "good") == 0)
        return page_text(page, TEXT_PAGE_VERDICT_GOOD_SOMEWHERE);
    return page_keyed(page, "page.verdict", control->verdict);
}

static void write_controls(struct page *page, size_t at)
{
    static const struct page_head heads[] = {
        {TEXT_TABLE_COMPARISON, false}, {TEXT_TABLE_FAILED_SHARE, false}, {TEXT_TABLE_TOLD, false}};
    const struct findings_event *event = &page->findings->events[at];
    struct page_table table;
    struct say share = say_share("", &event->share, "/events/%zu", at);
    char id[PAGE_ANCHOR_SIZE], label[LANGUAGE_TEXT_SIZE];

    page_plain(page, "h4", NULL, TEXT_PAGE_EVENT_CONTROLS);
    PAGE_TABLE(&table, page, page_anchor("controls", at, id), false, heads, PAGE_ROOM_OTHER,
               TEXT_TABLE_CONTROLS_CAPTION, say_code("id", event->id));
    control_row(&table, page_text(page, TEXT_PAGE_CONTROLS_DURING),
                page_class(page, event->event->class), &share);
    share = say_share("", &event->baseline, "/events/%zu/baseline", at);
    control_row(&table, page_text(page, TEXT_PAGE_CONTROLS_BEFORE), NULL, &share);
    for (size_t i = 0; i < event->control_count; i++) {
        const struct findings_control *control = &event->controls[i];
        const char *name = page_keyed(page, "page.control.name", control->name);
        snprintf(label, sizeof(label), "%s: %s", page_control_kind(page, control),
                 name ? name : control->name);
        share = say_share("", &control->share, "/events/%zu/controls/%zu", at, i);
        control_row(&table, label, control_verdict(page, control), &share);
    }
    page_table_end(&table, TEXT_PAGE_MORE_REPORT);
}

static void write_event(struct page *page, size_t at, bool with_cards)
{
    const struct findings_event *event = &page->findings->events[at];
    struct html *html = &page->html;

    write_title(page, event, at);
    html_begin(html, "ul");
    PAGE_ELEMENT(page, "li", NULL, TEXT_PAGE_EVENT_FAILED,
                 say_failed(say_share("share", &event->share, "/events/%zu", at)));
    write_how(page, at);
    write_times(page, at);
    write_who(page, at);
    html_end(html);
    write_controls(page, at);
    write_rules(page, event->event);
    if (with_cards)
        page_event_cards(page, at);
    else if (event->card_count > 0)
        PAGE_ELEMENT_FOR(page, "p", "note", TEXT_PAGE_MORE_CARDS, event->card_count,
                         say_count("count", event->card_count, NULL));
    write_examples(page, event);
    html_end(html);
}

/* Cards give way first: half of the room is for events without them. */
void page_events_prepare(struct page *page)
{
    const struct findings *f = page->findings;
    size_t *indexes = worst_first(page);
    struct page_try whole, one;
    uint64_t room = PAGE_ROOM_EVENTS, used;

    page->has_event = calloc(f->event_count + 1, sizeof(*page->has_event));
    if (!indexes || !page->has_event) {
        page->status = -ENOMEM;
        free(indexes);
        return;
    }
    page_try_begin(page, &whole);
    for (size_t i = 0; i < f->event_count && page->status == DL_OK; i++) {
        size_t at = indexes[i];
        used = page->html.bytes - whole.bytes_before;
        page_try_begin(page, &one);
        write_event(page, at, true);
        page->has_event[at] = page_try_end(page, &one, used < room / 2 ? room / 2 - used : 0);
        if (page->has_event[at])
            continue;
        page_try_begin(page, &one);
        write_event(page, at, false);
        page->has_event[at] = page_try_end(page, &one, room - used);
        if (!page->has_event[at])
            break;
    }
    page->events = page_try_take(page, &whole, &page->events_length);
    free(indexes);
}

/* ---- the index ---- */

void page_event_link(struct page *page, size_t event, const char *text)
{
    char anchor[PAGE_ANCHOR_SIZE];
    bool is_shown =
        event < page->findings->event_count && page->has_event && page->has_event[event];

    if (is_shown)
        page_link(page, page_anchor("event", event, anchor));
    html_text(&page->html, text);
    if (is_shown)
        html_end(&page->html);
}

static bool is_of(const struct findings_event *event, const struct findings_group *carrier)
{
    return event->carrier && carrier->id && strcmp(event->carrier, carrier->id) == 0;
}

static void index_entry(struct page *page, size_t at)
{
    const struct findings_event *event = &page->findings->events[at];
    struct html *html = &page->html;

    html_begin(html, "li");
    page_event_link(page, at, page_class(page, event->event->class));
    html_text(html, " ");
    PAGE_SAY(page, TEXT_PAGE_EVENTS_ENTRY,
             say_name("service", page_service_name(page, event->service)),
             say_text("strength", page_strength(page, event->strength)),
             say_hour("when", event->onset.latest_us, "/events/%zu/onset/latest", at));
    html_end(html);
}

static void index_row(struct page_table *table, const struct findings_group *carrier,
                      const size_t *indexes, size_t links)
{
    struct page *page = table->page;
    const struct findings *f = page->findings;
    size_t count = 0;

    for (size_t i = 0; i < f->event_count; i++)
        count += is_of(&f->events[i], carrier);
    if (count == 0 || !page_row_begin(table))
        return;
    page_cell_name(page, page_carrier_name(page, carrier->id));
    PAGE_CELL(page, say_count("", count, NULL));
    page_cell_begin(page, false, false);
    html_begin(&page->html, "ul");
    for (size_t i = 0, written = 0; i < f->event_count && written < links; i++) {
        if (!is_of(&f->events[indexes[i]], carrier))
            continue;
        index_entry(page, indexes[i]);
        written++;
    }
    html_end(&page->html);
    if (count > links)
        PAGE_SAY(page, TEXT_PAGE_EVENTS_MORE, say_count("count", count - links, NULL));
    page_cell_end(page);
    page_row_end(table);
}

static void write_index(struct page *page)
{
    static const struct page_head heads[] = {
        {TEXT_TABLE_CARRIER, false}, {TEXT_TABLE_COUNT, true}, {TEXT_TABLE_EVENTS, false}};
    const struct findings *f = page->findings;
    size_t *indexes = worst_first(page);
    struct page_table table;

    if (!indexes)
        return;
    PAGE_TABLE_PLAIN(&table, page, "events-index", false, heads, PAGE_ROOM_INDEX,
                     TEXT_TABLE_EVENTS_CAPTION);
    for (size_t i = 0; i < f->carrier_count; i++)
        index_row(&table, &f->carriers[i], indexes,
                  f->carrier_count > CARRIERS_FEW ? LINKS_FEW : LINKS_MANY);
    page_table_end(&table, TEXT_PAGE_MORE_EVENTS_CARRIERS);
    free(indexes);
}

void page_events(struct page *page)
{
    const struct findings *f = page->findings;
    size_t shown = 0;

    page_section_begin(page, "events", TEXT_PAGE_SECTION_EVENTS);
    if (f->event_count == 0) {
        page_plain(page, "p", NULL, TEXT_PAGE_EVENTS_NONE);
        page_plain(page, "p", NULL, TEXT_PAGE_EVENTS_NONE_MEANS);
        page_section_end(page);
        return;
    }
    page_plain(page, "p", NULL, TEXT_PAGE_EVENTS_INTRO);
    write_index(page);
    if (page->events)
        html_copy(&page->html, page->events, page->events_length);
    for (size_t i = 0; i < f->event_count; i++)
        shown += page->has_event && page->has_event[i];
    if (shown < f->event_count)
        PAGE_ELEMENT_FOR(page, "p", "note", TEXT_PAGE_MORE_EVENTS, f->event_count - shown,
                         say_count("count", f->event_count - shown, NULL));
    page_section_end(page);
}
