// SPDX-License-Identifier: GPL-3.0-or-later
/* Each way of interference that an event shows, in plain words, and what was compared with what. */
#include <string.h>

#include "reports/page/parts.h"

#define SHOWN_MAX    12
#define CARRIERS_MAX 5
#define FAMILIES     8
#define FAMILY_SIZE  16

struct shown {
    const char *mechanism[SHOWN_MAX];
    size_t count;
};

static void collect(const struct findings *findings, struct shown *shown)
{
    shown->count = 0;
    for (size_t i = 0; i < findings->event_count; i++)
        for (size_t m = 0; m < findings->events[i].mechanism_count; m++) {
            const char *mechanism = findings->events[i].mechanisms[m].mechanism;
            size_t at = 0;
            while (at < shown->count && strcmp(shown->mechanism[at], mechanism) != 0)
                at++;
            if (at == shown->count && at < SHOWN_MAX)
                shown->mechanism[shown->count++] = mechanism;
        }
}

static void write_where(struct page *page, const char *mechanism)
{
    const struct findings *f = page->findings;
    struct html *html = &page->html;
    size_t written = 0;

    html_begin(html, "ul");
    for (size_t i = 0; i < f->event_count && written < CARRIERS_MAX; i++)
        for (size_t m = 0; m < f->events[i].mechanism_count; m++) {
            const struct findings_event *event = &f->events[i];
            const struct findings_mechanism *part = &event->mechanisms[m];
            if (strcmp(part->mechanism, mechanism) != 0)
                continue;
            PAGE_ELEMENT(
                page, "li", NULL, TEXT_PAGE_MECHANISMS_SHARE,
                say_percent("percent", part->share, "/events/%zu/mechanism_counts/%zu/share", i, m),
                say_name("service", page_service_name(page, event->service)),
                say_name("carrier", page_carrier_name(page, event->carrier)),
                say_count("proven", part->proven, "/events/%zu/mechanism_counts/%zu/proven", i, m),
                say_count("attempts", part->attempts, "/events/%zu/mechanism_counts/%zu/attempts",
                          i, m));
            written++;
        }
    html_end(html);
}

static void write_mechanism(struct page *page, const char *mechanism, size_t index)
{
    const char *phone = page_keyed(page, "phone", mechanism);
    const char *innocent = page_keyed(page, "innocent", mechanism);
    struct html *html = &page->html;
    char anchor[PAGE_ANCHOR_SIZE];

    html_begin(html, "article");
    html_attr(html, "id", page_anchor("mechanism", index, anchor));
    html_element(html, "h3", NULL, page_mechanism(page, mechanism));
    html_begin(html, "dl");
    page_fact(page, TEXT_TABLE_PHONE, &(const struct say[]){say_text("", phone)}[0]);
    page_fact(page, TEXT_PAGE_MECHANISMS_INNOCENT,
              &(const struct say[]){say_text("", innocent)}[0]);
    page_fact(page, TEXT_PAGE_MECHANISMS_LABEL, &(const struct say[]){say_code("", mechanism)}[0]);
    html_end(html);
    page_plain(page, "p", NULL, TEXT_PAGE_MECHANISMS_WHERE);
    write_where(page, mechanism);
    html_end(html);
}

static bool has_family(const struct shown *shown, const char *family)
{
    size_t length = strlen(family);

    for (size_t i = 0; i < shown->count; i++)
        if (strncmp(shown->mechanism[i], family, length) == 0 &&
            (shown->mechanism[i][length] == '.' || shown->mechanism[i][length] == '\0'))
            return true;
    return false;
}

/* Every stage is looked at in any case; that nothing was found there is a finding. */
static void write_families(struct page *page, const struct shown *shown)
{
    static const char *const families[FAMILIES] = {"dns",  "ip",   "tcp",    "tls",
                                                   "http", "quic", "stream", "absence"};
    struct html *html = &page->html;

    page_plain(page, "p", NULL,
               shown->count ? TEXT_PAGE_MECHANISMS_FAMILIES : TEXT_PAGE_MECHANISMS_FAMILIES_ALL);
    html_begin(html, "ul");
    for (size_t i = 0; i < FAMILIES; i++)
        if (!has_family(shown, families[i]))
            html_element(html, "li", NULL, page_keyed(page, "page.family", families[i]));
    html_end(html);
}

void page_mechanisms(struct page *page)
{
    struct shown shown;

    collect(page->findings, &shown);
    page_section_begin(page, "mechanisms", TEXT_PAGE_SECTION_MECHANISMS);
    page_plain(page, "p", NULL,
               shown.count ? TEXT_PAGE_MECHANISMS_INTRO : TEXT_PAGE_MECHANISMS_NONE);
    for (size_t i = 0; i < shown.count; i++)
        write_mechanism(page, shown.mechanism[i], i);
    write_families(page, &shown);
    page_section_end(page);
}

/* ---- compared with what ---- */

void page_controls(struct page *page)
{
    const struct findings *f = page->findings;

    page_section_begin(page, "controls", TEXT_PAGE_SECTION_CONTROLS);
    page_plain(page, "p", NULL,
               f->event_count ? TEXT_PAGE_CONTROLS_INTRO : TEXT_PAGE_CONTROLS_NONE);
    html_begin(&page->html, "ul");
    page_plain(page, "li", NULL, TEXT_PAGE_CONTROLS_SAME_CARRIER);
    page_plain(page, "li", NULL, TEXT_PAGE_CONTROLS_SAME_COUNTRY);
    page_plain(page, "li", NULL, TEXT_PAGE_CONTROLS_ABROAD);
    page_plain(page, "li", NULL, TEXT_PAGE_CONTROLS_EARLIER);
    html_end(&page->html);
    if (f->controls.attempts > 0)
        PAGE_ELEMENT(page, "p", NULL, TEXT_PAGE_CONTROLS_TOTAL,
                     say_share("controls", &f->controls, "/report/controls"),
                     say_share("total", &f->total, "/report/total"));
    else
        page_plain(page, "p", NULL, TEXT_PAGE_CONTROLS_MISSING);
    page_section_end(page);
}
