// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "analyzer/detect/classify.h"
#include "analyzer/judge/judge.h"
#include "reports/page/parts.h"

const char *page_strength(const struct page *page, enum findings_strength strength)
{
    static const enum text_id texts[] = {
        [STRENGTH_NOT_MEASURABLE] = TEXT_STRENGTH_NOT_MEASURABLE,
        [STRENGTH_NONE] = TEXT_STRENGTH_NONE,
        [STRENGTH_WEAK] = TEXT_STRENGTH_WEAK,
        [STRENGTH_STRONG] = TEXT_STRENGTH_STRONG,
        [STRENGTH_CONFIRMED] = TEXT_STRENGTH_CONFIRMED,
    };
    return page_text(page, texts[strength]);
}

const char *page_class(const struct page *page, enum event_class class)
{
    static const enum text_id texts[] = {
        [EVENT_BLOCKED] = TEXT_CLASS_BLOCKED,     [EVENT_THROTTLED] = TEXT_CLASS_THROTTLED,
        [EVENT_WITHDRAWN] = TEXT_CLASS_WITHDRAWN, [EVENT_UNREACHABLE] = TEXT_CLASS_UNREACHABLE,
        [EVENT_OUTAGE] = TEXT_CLASS_OUTAGE,       [EVENT_SHUTDOWN] = TEXT_CLASS_SHUTDOWN,
        [EVENT_VANISHED] = TEXT_CLASS_VANISHED,
    };
    return page_text(page, texts[class]);
}

const char *page_state(const struct page *page, enum line_state state)
{
    static const enum text_id texts[] = {
        [STATE_INSUFFICIENT] = TEXT_STATE_INSUFFICIENT,
        [STATE_OK] = TEXT_STATE_OK,
        [STATE_IMPAIRED] = TEXT_STATE_IMPAIRED,
        [STATE_LIKELY_BLOCKED] = TEXT_STATE_LIKELY_BLOCKED,
        [STATE_BLOCKED] = TEXT_STATE_BLOCKED,
        [STATE_DOWN] = TEXT_STATE_DOWN,
    };
    return page_text(page, texts[state]);
}

const char *page_verdict(const struct page *page, enum order_verdict verdict)
{
    static const enum text_id texts[] = {
        [ORDER_INSUFFICIENT] = TEXT_PAGE_ORDER_INSUFFICIENT,
        [ORDER_NOT_OBSERVED] = TEXT_PAGE_ORDER_NOT_OBSERVED,
        [ORDER_COMPLIED] = TEXT_PAGE_ORDER_COMPLIED,
        [ORDER_NOT_NAMED] = TEXT_PAGE_ORDER_NOT_NAMED,
    };
    return page_text(page, texts[verdict]);
}

/* A word that the page has no sentence for stands as it is. */
const char *page_mechanism(const struct page *page, const char *mechanism)
{
    const char *text = mechanism ? page_keyed(page, "mechanism", mechanism) : NULL;

    return text ? text : mechanism;
}

const char *page_control_kind(const struct page *page, const struct findings_control *control)
{
    const char *text = page_keyed(page, "page.control", control->kind);

    return text ? text : control->kind;
}

const char *page_name_of(const char *name, const char *id)
{
    if (name && name[0])
        return name;
    return id && id[0] ? id : NULL;
}

const char *page_service_name(const struct page *page, const char *service)
{
    const struct findings *findings = page->findings;
    const struct catalog_service *known;

    if (!service)
        return page_text(page, TEXT_PAGE_ALL_SERVICES);
    for (size_t i = 0; i < findings->service_count; i++)
        if (strcmp(findings->services[i].id, service) == 0)
            return page_name_of(findings->services[i].name, service);
    known = page->catalog ? catalog_service_find(page->catalog, service) : NULL;
    return known ? known->name : service;
}

const char *page_carrier_name(const struct page *page, const char *carrier)
{
    const struct catalog_carrier *known =
        page->catalog && carrier ? catalog_carrier_find(page->catalog, carrier) : NULL;

    return known ? known->name : carrier;
}

int32_t page_offset(const struct page *page, const char *country, int64_t time_us, bool *ret_known)
{
    const struct catalog_country *known =
        page->catalog && country && country[0] ? catalog_country(page->catalog, country) : NULL;

    *ret_known = known != NULL;
    return known ? catalog_country_offset(known, time_us) : 0;
}

const char *page_rule(const struct page *page, const char *rule, bool *ret_english)
{
    const char *text = page_keyed(page, "rule", rule);
    const struct judge_rule *judge = judge_rule_find(rule);
    const struct detect_rule *detect = detect_rule_find(rule);

    *ret_english = text == NULL;
    if (text)
        return text;
    if (judge)
        return judge->says;
    return detect ? detect->says : NULL;
}

char *page_anchor(const char *kind, size_t index, char out[PAGE_ANCHOR_SIZE])
{
    snprintf(out, PAGE_ANCHOR_SIZE, "%s-%zu", kind, index);
    return out;
}
