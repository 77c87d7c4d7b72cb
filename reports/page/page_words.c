// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <stdlib.h>
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

/* ---- names ---- */

const char *page_name_of(const char *name, const char *id)
{
    if (name && name[0])
        return name;
    return id && id[0] ? id : NULL;
}

/* "Jazz" of "Jazz (Pakistan Mobile Communications)", "BlackBerry Enterprise Service" of the same with
 * ", server lines": sentences want the short form. */
static size_t short_length(const char *name)
{
    size_t whole = strlen(name), length = whole;
    const char *bracket = strstr(name, " ("), *comma = strstr(name, ", ");

    if (bracket)
        length = (size_t)(bracket - name);
    if (comma && (size_t)(comma - name) < length)
        length = (size_t)(comma - name);
    return length > 0 ? length : whole;
}

/* Does another of the groups begin with these words? Then the short form could mean either. */
static bool is_unclear(const struct findings_group *groups, size_t count, size_t index,
                       const char *name, size_t length)
{
    for (size_t i = 0; i < count; i++) {
        const char *other = page_name_of(groups[i].name, groups[i].id);
        if (i != index && other && short_length(other) == length &&
            strncmp(other, name, length) == 0)
            return true;
    }
    return false;
}

static char **short_names(struct page *page, const struct findings_group *groups, size_t count)
{
    char **names = calloc(count + 1, sizeof(*names));

    for (size_t i = 0; names && i < count; i++) {
        const char *name = page_name_of(groups[i].name, groups[i].id);
        size_t length = name ? short_length(name) : 0;
        if (!name)
            continue;
        if (is_unclear(groups, count, i, name, length))
            length = strlen(name);
        names[i] = strndup(name, length);
        if (!names[i])
            page->status = -ENOMEM;
    }
    if (!names)
        page->status = -ENOMEM;
    return names;
}

void page_names_init(struct page *page)
{
    const struct findings *findings = page->findings;

    page->carrier_names = short_names(page, findings->carriers, findings->carrier_count);
    page->service_names = short_names(page, findings->services, findings->service_count);
}

static void finish_names(char **names, size_t count)
{
    for (size_t i = 0; names && i < count; i++)
        free(names[i]);
    free(names);
}

void page_names_finish(struct page *page)
{
    finish_names(page->carrier_names, page->findings->carrier_count);
    finish_names(page->service_names, page->findings->service_count);
}

static const char *name_in(const struct findings_group *groups, char **names, size_t count,
                           const char *id)
{
    for (size_t i = 0; names && i < count; i++)
        if (groups[i].id && strcmp(groups[i].id, id) == 0)
            return names[i];
    return NULL;
}

const char *page_service_name(const struct page *page, const char *service)
{
    const struct findings *findings = page->findings;
    const struct catalog_service *known;
    const char *name;

    if (!service)
        return page_text(page, TEXT_PAGE_ALL_SERVICES);
    name = name_in(findings->services, page->service_names, findings->service_count, service);
    if (name)
        return name;
    known = page->catalog ? catalog_service_find(page->catalog, service) : NULL;
    return known ? known->name : service;
}

const char *page_carrier_name(const struct page *page, const char *carrier)
{
    const struct findings *findings = page->findings;
    const struct catalog_carrier *known;
    const char *name =
        carrier ? name_in(findings->carriers, page->carrier_names, findings->carrier_count, carrier)
                : NULL;

    if (name || !carrier)
        return name;
    known = page->catalog ? catalog_carrier_find(page->catalog, carrier) : NULL;
    return known ? known->name : carrier;
}

/* ---- the rest ---- */

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
