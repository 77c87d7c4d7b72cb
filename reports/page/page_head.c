// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What stands first: what kind of data this is, the headline, and what goes with it. The headline is one
 * text with the same words whether it is written as markup or as the document's title.
 */
#include <string.h>

#include "base/clock.h"
#include "reports/page/parts.h"

#define HEADLINE_WORDS 12
#define WAYS_MAX       8
#define NAMES_MAX      8

/* ---- banners ---- */

static void banner(struct page *page, enum text_id text, const struct say *words, size_t count)
{
    page_element(page, "p", "banner", text, 2, words, count);
}

void page_banners(struct page *page)
{
    const struct findings_options *options = page->findings->options;
    const bool *origins = page->findings->has_origin;

    if (options->embargo_us)
        banner(page, TEXT_PAGE_BANNER_EMBARGO, SAY_WORDS(say_date("date", options->embargo_us, 0)));
    if (options->draft)
        banner(page, TEXT_PAGE_BANNER_DRAFT, NULL, 0);
    if (origins[ORIGIN_LAB])
        banner(page, TEXT_PAGE_BANNER_LAB, NULL, 0);
    if (origins[ORIGIN_COMPOSED])
        banner(page, TEXT_PAGE_BANNER_COMPOSED, NULL, 0);
    if (origins[ORIGIN_IMPORTED])
        banner(page, TEXT_PAGE_BANNER_IMPORTED, NULL, 0);
    if (options->event)
        banner(page, TEXT_PAGE_BANNER_EVENT, SAY_WORDS(say_code("id", options->event)));
    if (options->carrier)
        banner(page, TEXT_PAGE_BANNER_CARRIER, SAY_WORDS(say_code("id", options->carrier)));
    if (options->service)
        banner(page, TEXT_PAGE_BANNER_SERVICE, SAY_WORDS(say_code("id", options->service)));
}

/* ---- the sentence ---- */

struct headline {
    enum text_id text;
    uint64_t count; /* for its plural form */
    struct say words[HEADLINE_WORDS];
    size_t word_count;
    const char *names[NAMES_MAX];
};

static void add(struct headline *headline, struct say word)
{
    if (headline->word_count < HEADLINE_WORDS)
        headline->words[headline->word_count++] = word;
}

size_t page_headline_event(const struct findings *findings, size_t i)
{
    return i < findings->headline_event_count ? findings->headline_events[i] : FINDINGS_NONE;
}

/* Each carrier once. Returns how many there are, also beyond the array. */
static size_t carrier_names(const struct page *page, const char *names[NAMES_MAX])
{
    const struct findings *findings = page->findings;
    size_t count = 0;

    for (size_t i = 0, at; (at = page_headline_event(findings, i)) != FINDINGS_NONE; i++) {
        const struct findings_event *event = &findings->events[at];
        const char *name = page_carrier_name(page, event->carrier);
        bool known = false;
        for (size_t j = 0; j < count && j < NAMES_MAX && name && names[j]; j++)
            known = known || strcmp(names[j], name) == 0;
        if (!known && count < NAMES_MAX)
            names[count] = name;
        count += !known;
    }
    return count;
}

/* When it began, as days of local time. An end that was rounded up to midnight is the day before. */
static void add_dates(const struct page *page, struct headline *headline,
                      const struct findings_when *onset)
{
    int64_t from_us = onset->earliest_us, to_us = onset->latest_us - 1;
    int32_t offset = page->offset_seconds;
    char first[LANGUAGE_TEXT_SIZE], last[LANGUAGE_TEXT_SIZE];
    enum text_id text = TEXT_HEADLINE_BETWEEN;

    if (from_us == 0) {
        from_us = page->findings->first_us;
        text = TEXT_HEADLINE_BEFORE;
    } else if (strcmp(language_date(page->language, from_us, offset, first),
                      language_date(page->language, to_us, offset, last)) == 0) {
        text = TEXT_HEADLINE_ON;
    }
    add(headline, say_said("dates", text));
    add(headline, text == TEXT_HEADLINE_BETWEEN ? say_date_before("from", from_us, to_us, offset)
                                                : say_date("from", from_us, offset));
    add(headline, say_date("to", to_us, offset));
}

static enum text_id strength_text(enum findings_strength strength)
{
    if (strength == STRENGTH_CONFIRMED)
        return TEXT_HEADLINE_CONFIRMED;
    return strength == STRENGTH_STRONG ? TEXT_HEADLINE_STRONG : TEXT_HEADLINE_WEAK;
}

/* One event or campaign. No sentence about a country unless enough independent networks speak. */
static void headline_found(const struct page *page, struct headline *headline)
{
    static const enum text_id several[] = {
        [EVENT_BLOCKED] = TEXT_HEADLINE_SEVERAL_BLOCKED,
        [EVENT_THROTTLED] = TEXT_HEADLINE_SEVERAL_THROTTLED,
        [EVENT_WITHDRAWN] = TEXT_HEADLINE_SEVERAL_WITHDRAWN,
        [EVENT_UNREACHABLE] = TEXT_HEADLINE_SEVERAL_UNREACHABLE,
        [EVENT_OUTAGE] = TEXT_HEADLINE_SEVERAL_OUTAGE,
        [EVENT_SHUTDOWN] = TEXT_HEADLINE_SEVERAL_SHUTDOWN,
        [EVENT_VANISHED] = TEXT_HEADLINE_SEVERAL_VANISHED,
    };
    static const enum text_id named[] = {
        [EVENT_BLOCKED] = TEXT_HEADLINE_NAMED_BLOCKED,
        [EVENT_THROTTLED] = TEXT_HEADLINE_NAMED_THROTTLED,
        [EVENT_WITHDRAWN] = TEXT_HEADLINE_NAMED_WITHDRAWN,
        [EVENT_UNREACHABLE] = TEXT_HEADLINE_NAMED_UNREACHABLE,
        [EVENT_OUTAGE] = TEXT_HEADLINE_NAMED_OUTAGE,
        [EVENT_SHUTDOWN] = TEXT_HEADLINE_NAMED_SHUTDOWN,
        [EVENT_VANISHED] = TEXT_HEADLINE_NAMED_VANISHED,
    };
    const struct findings *f = page->findings;
    const struct findings_event *event = &f->events[page_headline_event(f, 0)];
    size_t carriers = carrier_names(page, headline->names);
    bool national = f->speaks_for_country && f->headline_event_count > 1;
    const struct findings_when *onset = f->onset.latest_us ? &f->onset : &event->onset;

    headline->text = strength_text(f->strength);
    add(headline, say_said("finding", (national ? several : named)[event->event->class]));
    add_dates(page, headline, onset);
    add(headline, say_name("service", page_service_name(page, event->service)));
    add(headline,
        say_names("carriers", headline->names, carriers < NAMES_MAX ? carriers : NAMES_MAX));
    add(headline,
        say_count("affected", f->carriers_affected, "/report/headline/carriers_affected"));
    add(headline, say_count("seen", f->carriers_seen, "/report/headline/carriers_seen"));
    add(headline,
        say_text("country", f->country ? language_country(page->language, f->country) : NULL));
}

static size_t carriers_with_events(const struct findings *findings)
{
    size_t count = 0;

    for (size_t i = 0; i < findings->carrier_count; i++)
        count += findings->carriers[i].events_confirmed + findings->carriers[i].events_likely > 0;
    return count;
}

static void headline_not_observed(const struct page *page, struct headline *headline)
{
    const struct findings *f = page->findings;
    const struct catalog_order *order =
        f->headline_order != FINDINGS_NONE ? f->orders[f->headline_order].order : NULL;
    const char *service = f->service;

    headline->text = order ? TEXT_HEADLINE_NOT_OBSERVED : TEXT_HEADLINE_NOT_OBSERVED_UNKNOWN;
    if (!order)
        return;
    if (!service && order->service_count > 0)
        service = order->services[0];
    add(headline, say_name("service", page_service_name(page, service)));
    add(headline, say_count("seen", f->carriers_seen, "/report/headline/carriers_seen"));
    add(headline, say_text("country", language_country(page->language, order->country)));
}

static void headline_make(const struct page *page, struct headline *headline)
{
    const struct findings *f = page->findings;

    *headline = (struct headline){.text = TEXT_HEADLINE_NOT_ENOUGH, .count = 2};
    switch (f->headline) {
    case HEADLINE_ORDER_CARRIED_OUT:
    case HEADLINE_CAMPAIGN:
    case HEADLINE_EVENT:
        if (page_headline_event(f, 0) != FINDINGS_NONE)
            headline_found(page, headline);
        break;
    case HEADLINE_EVENTS:
        headline->text = TEXT_HEADLINE_EVENTS;
        headline->count = f->event_count;
        add(headline, say_count("count", f->event_count, NULL));
        add(headline, say_count("carriers", carriers_with_events(f), NULL));
        break;
    case HEADLINE_ORDER_NOT_OBSERVED:
        headline_not_observed(page, headline);
        break;
    case HEADLINE_NOTHING:
        headline->text = TEXT_HEADLINE_NOTHING;
        add(headline, say_date_before("from", f->first_us, f->last_us - 1, page->offset_seconds));
        add(headline, say_date("to", f->last_us - 1, page->offset_seconds));
        break;
    case HEADLINE_NOT_ENOUGH:
        if (f->first_us == 0)
            headline->text = TEXT_HEADLINE_NOT_ENOUGH_EMPTY;
        break;
    }
}

void page_headline_plain(struct page *page, struct buffer *out)
{
    struct headline headline;

    headline_make(page, &headline);
    page_say_plain(page, out, headline.text, headline.count, headline.words, headline.word_count);
}

/* ---- what goes with it ---- */

static void write_way(struct page *page, size_t at)
{
    const struct findings_event *event = &page->findings->events[at];
    bool known;
    int32_t offset = page_offset(page, event->country, event->onset.latest_us, &known);
    char zone[LANGUAGE_TEXT_SIZE];
    struct say carrier = say_name("carrier", page_carrier_name(page, event->carrier));
    struct say share = say_failed(say_share("share", &event->share, "/events/%zu", at));
    struct say when =
        say_there(say_hour("when", event->onset.latest_us, "/events/%zu/onset/latest", at), offset);
    struct say until =
        say_there(say_hour("until", event->end.latest_us, "/events/%zu/end/latest", at), offset);
    struct say place = say_name("zone", language_zone(offset, zone));

    if (event->mechanism_count > 0)
        PAGE_ELEMENT(page, "li", NULL,
                     event->end.latest_us ? TEXT_HEADLINE_MORE_WAY_UNTIL : TEXT_HEADLINE_MORE_WAY,
                     carrier, share, when, until, place,
                     say_text("mechanism", page_mechanism(page, event->mechanisms[0].mechanism)),
                     say_percent("percent", event->mechanisms[0].share,
                                 "/events/%zu/mechanism_counts/0/share", at));
    else
        PAGE_ELEMENT(page, "li", NULL, TEXT_HEADLINE_MORE_WAY_NONE, carrier, share, when, place,
                     say_text("class", page_class(page, event->event->class)));
}

/* The carriers of the country on which the same service went on working. */
static void write_spared(struct page *page)
{
    const struct findings *f = page->findings;
    const struct findings_event *event = &f->events[page_headline_event(f, 0)];

    for (size_t i = 0, written = 0; i < f->pair_count && written < WAYS_MAX; i++) {
        const struct findings_pair *pair = &f->pairs[i];
        if (pair->worst_event != FINDINGS_NONE || pair->strength != STRENGTH_NONE ||
            !pair->service || !event->service || strcmp(pair->service, event->service) != 0 ||
            !pair->country || !event->country || strcmp(pair->country, event->country) != 0)
            continue;
        PAGE_ELEMENT(page, "li", NULL, TEXT_HEADLINE_MORE_WAY_WORKED,
                     say_name("carrier", page_carrier_name(page, pair->carrier)),
                     say_failed(say_share("share", &pair->share, "/pairs/%zu", i)));
        written++;
    }
}

/* Carrier by carrier: what was seen there. */
static void write_ways(struct page *page)
{
    struct html *html = &page->html;

    page_plain(page, "p", NULL, TEXT_HEADLINE_MORE_MANNER);
    html_begin(html, "ul");
    for (size_t i = 0, at;
         i < WAYS_MAX && (at = page_headline_event(page->findings, i)) != FINDINGS_NONE; i++)
        write_way(page, at);
    write_spared(page);
    html_end(html);
}

static bool has_rule(const struct event *event, const char *rule)
{
    for (unsigned i = 0; i < event->rule_count; i++)
        if (strcmp(event->rules[i], rule) == 0)
            return true;
    return false;
}

/* Only where it holds for each of them. */
static void write_controls(struct page *page)
{
    const struct findings *f = page->findings;

    for (size_t i = 0, at; (at = page_headline_event(f, i)) != FINDINGS_NONE; i++) {
        const struct findings_share *before = &f->events[at].baseline;
        if (before->attempts == 0 || 2 * before->failures >= before->attempts ||
            !has_rule(f->events[at].event, "controls-good"))
            return;
    }
    page_plain(page, "p", NULL, TEXT_HEADLINE_MORE_CONTROLS);
}

static void write_ended(struct page *page)
{
    const struct findings *f = page->findings;
    size_t ended = 0, count = 0, at;

    for (; (at = page_headline_event(f, count)) != FINDINGS_NONE; count++)
        ended += f->events[at].event->ended;
    if (ended == count)
        page_plain(page, "p", NULL, TEXT_HEADLINE_MORE_ENDED);
    else if (ended > 0)
        PAGE_ELEMENT_FOR(page, "p", NULL, TEXT_HEADLINE_MORE_SOME_ENDED, ended,
                         say_count("count", ended, NULL));
    else
        PAGE_ELEMENT(page, "p", NULL, TEXT_HEADLINE_MORE_ONGOING,
                     say_hour("to", f->last_us, "/report/last"));
}

/* Half of the attempts is a wide bound between a bad day and a failure. */
static void write_abroad(struct page *page)
{
    const struct findings_share *abroad = &page->findings->abroad;

    if (abroad->attempts == 0)
        page_plain(page, "p", NULL, TEXT_HEADLINE_MORE_ABROAD_UNKNOWN);
    else
        PAGE_ELEMENT(page, "p", NULL,
                     2 * abroad->failures < abroad->attempts ? TEXT_HEADLINE_MORE_ABROAD_WORKED
                                                             : TEXT_HEADLINE_MORE_ABROAD_FAILED,
                     say_failed(say_share("share", abroad, "/report/headline/abroad")));
}

static void write_order(struct page *page)
{
    const struct findings *f = page->findings;
    const struct findings_order *order =
        f->headline_order != FINDINGS_NONE ? &f->orders[f->headline_order] : NULL;
    bool known;

    if (!order || !order->order)
        return;
    PAGE_ELEMENT(page, "p", NULL,
                 f->headline == HEADLINE_ORDER_NOT_OBSERVED ? TEXT_HEADLINE_MORE_ORDER_ONLY
                                                            : TEXT_HEADLINE_MORE_ORDER,
                 say_english("title", order->order->title),
                 say_english("issuer", order->order->issuer));
    if (order->times.due_us == CATALOG_NO_TIME || order->times.due_us == 0)
        return;
    int64_t due_us = order->times.due_us, first_us = order->times.first_due_us;
    int32_t offset = page_offset(page, order->order->country, due_us, &known);
    PAGE_ELEMENT(page, "p", NULL,
                 first_us == CATALOG_NO_TIME || first_us == due_us ? TEXT_HEADLINE_MORE_ORDER_DUE
                                                                   : TEXT_HEADLINE_MORE_ORDER_MOVED,
                 say_date("due", due_us - 1, offset), say_date("first", first_us - 1, offset));
}

/* Of a service that the order names, on a carrier that was not seen to carry it out. */
static bool is_worked(const struct findings_order *order, const struct findings_pair *pair)
{
    bool named = false;

    for (size_t i = 0; i < order->order->service_count && !named; i++)
        named = pair->service && strcmp(order->order->services[i], pair->service) == 0;
    for (size_t i = 0; i < order->row_count && named; i++)
        if (pair->carrier && strcmp(order->rows[i].carrier, pair->carrier) == 0)
            return order->rows[i].verdict == ORDER_NOT_OBSERVED;
    return false;
}

/* What the order did not stop, carrier by carrier. */
static void write_worked(struct page *page)
{
    const struct findings *f = page->findings;
    size_t written = 0;

    if (f->headline_order == FINDINGS_NONE)
        return;
    for (size_t i = 0; i < f->pair_count && written < WAYS_MAX; i++) {
        if (!is_worked(&f->orders[f->headline_order], &f->pairs[i]))
            continue;
        if (written++ == 0) {
            page_plain(page, "p", NULL, TEXT_HEADLINE_MORE_MANNER);
            html_begin(&page->html, "ul");
        }
        PAGE_ELEMENT(page, "li", NULL, TEXT_HEADLINE_MORE_WAY_WORKED,
                     say_name("carrier", page_carrier_name(page, f->pairs[i].carrier)),
                     say_failed(say_share("share", &f->pairs[i].share, "/pairs/%zu", i)));
    }
    if (written > 0)
        html_end(&page->html);
}

static void write_actors(struct page *page)
{
    const struct findings *f = page->findings;

    for (size_t i = 0, at; (at = page_headline_event(f, i)) != FINDINGS_NONE; i++)
        if (f->events[at].names_actor) {
            PAGE_ELEMENT(page, "p", NULL, TEXT_HEADLINE_MORE_ACTOR,
                         say_code("page", f->events[at].actor_page));
            return;
        }
}

static void write_found(struct page *page)
{
    const struct findings *f = page->findings;
    size_t mine = 0;

    write_ways(page);
    write_controls(page);
    write_abroad(page);
    write_ended(page);
    write_order(page);
    write_actors(page);
    while (page_headline_event(f, mine) != FINDINGS_NONE)
        mine++;
    if (f->event_count > mine)
        PAGE_ELEMENT_FOR(page, "p", NULL, TEXT_HEADLINE_MORE_EVENTS, f->event_count - mine,
                         say_count("count", f->event_count - mine, NULL));
    if (!f->speaks_for_country && f->country)
        PAGE_ELEMENT(page, "p", NULL, TEXT_HEADLINE_MORE_LOCAL,
                     say_text("country", language_country(page->language, f->country)));
}

static void write_worst(struct page *page)
{
    const struct findings *f = page->findings;
    size_t at = f->headline_event != FINDINGS_NONE ? f->headline_event : 0;

    if (at >= f->event_count)
        return;
    PAGE_ELEMENT(page, "p", NULL, TEXT_HEADLINE_MORE_WORST,
                 say_name("service", page_service_name(page, f->events[at].service)),
                 say_name("carrier", page_carrier_name(page, f->events[at].carrier)),
                 say_text("class", page_class(page, f->events[at].event->class)),
                 say_failed(say_share("share", &f->events[at].share, "/events/%zu", at)));
}

static void write_looked(struct page *page, enum text_id text)
{
    const struct findings *f = page->findings;

    PAGE_ELEMENT(page, "p", NULL, text,
                 say_count("attempts", f->total.attempts, "/report/total/attempts"),
                 say_count("services", f->service_count, NULL),
                 say_count("carriers", f->carrier_count, NULL),
                 say_failed(say_share("share", &f->total, "/report/total")));
}

static void write_more(struct page *page)
{
    switch (page->findings->headline) {
    case HEADLINE_ORDER_CARRIED_OUT:
    case HEADLINE_CAMPAIGN:
    case HEADLINE_EVENT:
        if (page_headline_event(page->findings, 0) != FINDINGS_NONE)
            write_found(page);
        break;
    case HEADLINE_EVENTS:
        write_worst(page);
        break;
    case HEADLINE_ORDER_NOT_OBSERVED:
        write_order(page);
        write_worked(page);
        write_looked(page, TEXT_HEADLINE_MORE_LOOKED);
        page_plain(page, "p", NULL, TEXT_HEADLINE_MORE_NOTHING);
        break;
    case HEADLINE_NOTHING:
        write_looked(page, TEXT_HEADLINE_MORE_LOOKED);
        page_plain(page, "p", NULL, TEXT_HEADLINE_MORE_NOTHING);
        break;
    case HEADLINE_NOT_ENOUGH:
        write_looked(page, TEXT_HEADLINE_MORE_LOOKED_FEW);
        page_plain(page, "p", NULL, TEXT_HEADLINE_MORE_SILENCE);
        break;
    }
}

static void write_byline(struct page *page)
{
    const struct findings *f = page->findings;
    struct say id = say_code("id", f->id[0] ? f->id : page_text(page, TEXT_PAGE_NOID));
    struct say version = say_code("version", f->version);

    if (f->first_us == 0)
        PAGE_ELEMENT(page, "p", "byline", TEXT_PAGE_BYLINE_NODATA, id, version);
    else
        PAGE_ELEMENT(page, "p", "byline", TEXT_PAGE_BYLINE, id, version,
                     say_hour("from", f->first_us, "/report/first"),
                     say_hour("to", f->last_us, "/report/last"));
}

void page_headline(struct page *page)
{
    struct html *html = &page->html;
    struct headline headline;

    headline_make(page, &headline);
    page_element(page, "h1", NULL, headline.text, headline.count, headline.words,
                 headline.word_count);
    PAGE_ELEMENT(page, "p", "sure",
                 page->findings->strength == STRENGTH_NOT_MEASURABLE ? TEXT_HEADLINE_SURE
                                                                     : TEXT_PAGE_EVENT_STRENGTH,
                 say_text("strength", page_strength(page, page->findings->strength)),
                 say_count("quality", page->findings->quality, "/report/quality/level"));
    html_begin(html, "div");
    html_attr(html, "class", "lead");
    write_more(page);
    html_end(html);
    page_plain(page, "p", "note", TEXT_PAGE_READING);
    write_byline(page);
}
