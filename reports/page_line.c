// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One watched line: what was tried on it and what became of it, what was only counted, and when
 * nobody looked.
 */
#include <inttypes.h>
#include <string.h>

#include "analyzer/judge/judge.h"
#include "base/array.h"
#include "reports/page.h"

static const char *word_or(enum word_kind kind, unsigned value, const char *unknown)
{
    const char *word = word_text(kind, value);
    return word ? word : unknown;
}

/* ---- which line ---- */

static const char *carrier_name(const struct page *page, const struct vantage *vantage)
{
    const struct catalog_carrier *known =
        page->options->catalog ? catalog_carrier_find(page->options->catalog, vantage->carrier)
                               : NULL;

    if (known)
        return known->name;
    return vantage->carrier[0] ? vantage->carrier : "Unknown carrier";
}

static void fact(struct html *html, const char *label, const char *value)
{
    html_element(html, "dt", NULL, label);
    html_element(html, "dd", NULL, value && value[0] ? value : "not known");
}

static void line_facts(struct page *page, const struct tally_line *line)
{
    const struct vantage *v = line->vantage;
    struct html *html = &page->html;
    char text[3 * PAGE_TEXT_SIZE], from[PAGE_TEXT_SIZE], to[PAGE_TEXT_SIZE];

    html_begin(html, "dl");
    html_attr(html, "class", "facts");
    fact(html, "Probe", v->probe_id);
    snprintf(text, sizeof(text), "AS%" PRIu32, v->asn);
    fact(html, "Network", v->asn ? text : NULL);
    fact(html, "Country", v->country);
    fact(html, "Kind of network", word_text(WORD_NETWORK, v->network));
    fact(html, "Position", word_text(WORD_POSITION, v->position));
    fact(html, "Clock", word_or(WORD_CLOCK, v->clock, "unknown"));
    fact(html, "Origin of the data", word_text(WORD_ORIGIN, v->origin));
    snprintf(text, sizeof(text), "%s to %s (UTC, hours)", page_hour_text(line->first_us, from),
             page_hour_text(line->last_us, to));
    fact(html, "First and last packet", line->packets ? text : "no packet at all");
    snprintf(text, sizeof(text), "%s in %" PRIu64 " capture%s, %s lost on the way to the probe",
             page_count_text(line->packets, from), line->inputs, line->inputs == 1 ? "" : "s",
             page_count_text(line->lost, to));
    fact(html, "Packets", text);
    html_end(html);
}

/* ---- services ---- */

static bool is_control(const struct tally_service *service)
{
    return service->class == CLASS_CONTROL;
}

static size_t count_services(const struct tally_line *line, bool controls)
{
    size_t count = 0;
    for (size_t i = 0; i < line->service_count; i++)
        count += is_control(&line->services[i]) == controls && line->services[i].attempts > 0;
    return count;
}

static void cell_set(struct page *page, const struct client_set *set)
{
    page_cell_clients(page, set->count, set->count >= TALLY_CLIENTS_MAX);
}

static void rows_seen(struct page_table *table, const struct tally_line *line, bool controls)
{
    for (size_t i = 0; i < line->service_count; i++) {
        const struct tally_service *s = &line->services[i];
        if (is_control(s) != controls || s->attempts == 0 ||
            !page_row_begin_for(table, s->clients.count))
            continue;
        page_cell_head(table->page, s->name, s->id);
        page_cell_text(table->page, word_or(WORD_CLASS, s->class, "not in the catalog"));
        page_cell_count(table->page, s->by_certainty[CERTAINTY_CERTAIN]);
        page_cell_count(table->page, s->by_certainty[CERTAINTY_LIKELY]);
        page_cell_count(table->page, s->by_certainty[CERTAINTY_POSSIBLE]);
        cell_set(table->page, &s->clients);
        page_row_end(table);
    }
}

static void services_seen(struct page *page, const struct tally_line *line)
{
    static const char *const heads[] = {
        "Service", "Class", "#Attempts, certain", "#likely", "#possible", "#Clients", NULL};
    struct page_table table;

    html_element(&page->html, "h3", NULL, "Services seen");
    html_element(&page->html, "p", "note",
                 "An attempt is everything one client did to reach one service within 30 seconds. "
                 "Certain: a name or a "
                 "certificate said so. Possible: only a port or an address block did.");
    page_table_begin(&table, page, "Attempts by how sure the service is", heads);
    rows_seen(&table, line, false);
    rows_seen(&table, line, true);
    page_table_end(&table);
}

static void rows_outcomes(struct page_table *table, const struct tally_line *line, bool controls)
{
    for (size_t i = 0; i < line->service_count; i++) {
        const struct tally_service *s = &line->services[i];
        uint64_t ok = s->by_outcome[OUTCOME_OK], failed = s->by_outcome[OUTCOME_FAILED];
        if (is_control(s) != controls || s->attempts == 0 ||
            !page_row_begin_for(table, s->clients.count))
            continue;
        page_cell_head(table->page, s->name, NULL);
        page_cell_count(table->page, s->attempts);
        page_cell_count(table->page, ok);
        page_cell_count(table->page, failed);
        page_cell_count(table->page, s->by_outcome[OUTCOME_UNKNOWN]);
        page_cell_share(table->page, failed, ok + failed);
        page_row_end(table);
    }
}

static void outcomes(struct page *page, const struct tally_line *line)
{
    static const char *const heads[] = {
        "Service", "#Attempts", "#Worked", "#Failed", "#Unknown", "#Failed, of those known", NULL};
    struct page_table table;

    html_element(&page->html, "h3", NULL, "What became of the attempts");
    page_table_begin(&table, page, "Services", heads);
    rows_outcomes(&table, line, false);
    page_table_end(&table);
    if (count_services(line, true) == 0) {
        html_element(&page->html, "p", "note",
                     "No control was seen on this line: big sites and time or update servers that "
                     "no order names. Without them a "
                     "broken line cannot be told from a blocked service.");
        return;
    }
    page_table_begin(&table, page, "Controls: services that no order names, on the same line",
                     heads);
    rows_outcomes(&table, line, true);
    page_table_end(&table);
}

static const char *rule_text(const char *rule)
{
    for (size_t i = 0; rule && judge_rule_at(i); i++)
        if (strcmp(judge_rule_at(i)->id, rule) == 0)
            return judge_rule_at(i)->says;
    return "it failed in a way that has no name here";
}

static void rows_failures(struct page_table *table, const struct tally_service *s)
{
    for (size_t i = 0; i < s->failure_count; i++) {
        const struct tally_failure *f = &s->failures[i];
        if (!page_row_begin_for(table, f->clients.count))
            continue;
        page_cell_head(table->page, s->name, NULL);
        page_cell_text(table->page, word_or(WORD_STAGE, f->stage, "not known"));
        page_cell_text(table->page,
                       f->mechanism ? judge_mechanism_text(f->mechanism) : rule_text(f->rule));
        html_begin(&table->page->html, "td");
        html_element(&table->page->html, "code", NULL,
                     f->mechanism ? f->mechanism
                     : f->rule    ? f->rule
                                  : "-");
        html_end(&table->page->html);
        page_cell_count(table->page, f->attempts);
        cell_set(table->page, &f->clients);
        page_row_end(table);
    }
}

static void failures(struct page *page, const struct tally_line *line)
{
    static const char *const heads[] = {
        "Service", "Stage reached", "What happened", "Label", "#Attempts", "#Clients", NULL};
    struct page_table table;
    size_t count = 0;

    html_element(&page->html, "h3", NULL, "How attempts failed");
    for (size_t i = 0; i < line->service_count; i++)
        count += line->services[i].failure_count;
    if (count == 0) {
        html_element(&page->html, "p", NULL, "No attempt was seen to fail.");
        return;
    }
    page_table_begin(&table, page, "Failed attempts by the deepest stage they reached", heads);
    for (int controls = 0; controls < 2; controls++)
        for (size_t i = 0; i < line->service_count; i++)
            if (is_control(&line->services[i]) == controls)
                rows_failures(&table, &line->services[i]);
    page_table_end(&table);
}

/* Few clients are not named by their number either. */
static void third_parties(struct page *page, const struct tally_line *line)
{
    char count[PAGE_TEXT_SIZE];

    if (line->proven == 0)
        html_element(&page->html, "p", NULL,
                     "On this line no packets prove that anything between the ends interfered.");
    else if (line->proven_clients.count < page->floor)
        html_element(&page->html, "p", NULL,
                     "On this line packets prove a third party between the ends; how often is "
                     "withheld, for few clients met it.");
    else
        html_elementf(&page->html, "p", NULL,
                      "In %s attempt%s on this line packets prove that something between the ends "
                      "interfered: they contradict each other, or hold a page known to announce a "
                      "block.",
                      page_count_text(line->proven, count), line->proven == 1 ? "" : "s");
}

static void remarks(struct page *page, const struct tally_line *line)
{
    static const char *const heads[] = {"Service", "What was seen", "Label",
                                        "Outcome", "#Flows",        NULL};
    struct page_table table;
    size_t count = 0;

    for (size_t i = 0; i < line->service_count; i++)
        count += line->services[i].remark_count;
    if (count == 0)
        return;
    html_element(&page->html, "h3", NULL, "Seen besides");
    page_table_begin(&table, page, "Flows that show something odd and did not plainly fail", heads);
    for (size_t i = 0; i < line->service_count; i++) {
        const struct tally_service *s = &line->services[i];
        for (size_t r = 0; r < s->remark_count; r++) {
            if (!page_row_begin_for(&table, s->clients.count))
                continue;
            page_cell_head(page, s->name, NULL);
            page_cell_text(page, judge_mechanism_text(s->remarks[r].mechanism));
            html_begin(&page->html, "td");
            html_element(&page->html, "code", NULL, s->remarks[r].mechanism);
            html_end(&page->html);
            page_cell_text(page, word_or(WORD_OUTCOME, s->remarks[r].outcome, "unknown"));
            page_cell_count(page, s->remarks[r].flows);
            page_row_end(&table);
        }
    }
    page_table_end(&table);
}

/* ---- what was only counted ---- */

static void protocols(struct page *page, const struct tally_line *line)
{
    static const char *const heads[] = {"Protocol", "#Attempts", "#Failed",
                                        "#Packets", "#Bytes",    NULL};
    struct page_table table;

    uint64_t clients = 0; /* of the fullest hour: protocols are not told apart by client */

    for (size_t i = 0; i < line->hour_count; i++)
        clients = MAX_OF(clients, line->hours[i].clients);
    page_table_begin(&table, page, "Everything else, by protocol", heads);
    for (size_t i = 0; i < line->protocol_count; i++) {
        const struct tally_protocol *p = &line->protocols[i];
        if (!page_row_begin_for(&table, clients))
            continue;
        page_cell_head(page, p->name[0] ? p->name : "unknown", NULL);
        page_cell_count(page, p->flows);
        page_cell_count(page, p->failed);
        page_cell_count(page, p->packets);
        page_cell_bytes(page, p->bytes);
        page_row_end(&table);
    }
    page_table_end(&table);
}

static void hours(struct page *page, const struct tally_line *line)
{
    static const char *const heads[] = {"Hour (UTC)",
                                        "#Attempts",
                                        "#No answer to the connection",
                                        "#Failed later",
                                        "#Bytes",
                                        "#Clients, at least",
                                        NULL};
    struct page_table table;

    page_table_begin(&table, page, "Everything else, by hour", heads);
    for (size_t i = 0; i < line->hour_count; i++) {
        const struct tally_hour *h = &line->hours[i];
        uint64_t failed = 0;
        for (size_t stage = 0; stage < ARRAY_LENGTH(h->failed); stage++)
            failed += stage == STAGE_TCP ? 0 : h->failed[stage];
        if (!page_row_begin_for(&table, h->clients))
            continue;
        char text[PAGE_TEXT_SIZE];
        page_cell_head(page, page_hour_text(h->hour_us, text), NULL);
        page_cell_count(page, h->flows);
        page_cell_count(page, h->failed[STAGE_TCP]);
        page_cell_count(page, failed);
        page_cell_bytes(page, h->bytes);
        page_cell_clients(page, h->clients, false);
        page_row_end(&table);
    }
    page_table_end(&table);
}

static void only_counted(struct page *page, const struct tally_line *line)
{
    html_element(&page->html, "h3", NULL, "What was only counted");
    if (line->hour_count == 0) {
        html_element(&page->html, "p", NULL,
                     "Nothing: every flow was of a catalogued service or a question for one.");
        return;
    }
    html_element(&page->html, "p", "note",
                 "Flows of services that the catalog does not know are not listed, only counted. "
                 "They are the best "
                 "control there is: when all else works, one service that does not stands out.");
    protocols(page, line);
    hours(page, line);
}

static void coverage(struct page *page, const struct tally_line *line)
{
    static const char *const heads[] = {"Capture",  "From (UTC)", "To (UTC)", "Link",
                                        "#Packets", "#Lost",      NULL};
    struct page_table table;
    char number[PAGE_TEXT_SIZE];

    html_element(&page->html, "h3", NULL, "When somebody looked");
    if (line->coverage_count == 0) {
        html_element(
            &page->html, "p", NULL,
            "The store does not say when the probe looked. Outside the captures nothing is known.");
        return;
    }
    page_table_begin(&table, page, "Coverage; outside it nothing is known, and a gap is no event",
                     heads);
    for (size_t i = 0; i < line->coverage_count; i++) {
        const struct tally_coverage *c = &line->coverage[i];
        if (!page_row_begin(&table))
            continue;
        snprintf(number, sizeof(number), "%" PRIu32, c->input);
        page_cell_head(page, number, NULL);
        page_cell_hour(page, c->from_us);
        page_cell_hour(page, c->to_us);
        page_cell_text(page, c->link_up ? "up" : "down");
        page_cell_count(page, c->packets);
        page_cell_count(page, c->lost);
        page_row_end(&table);
    }
    page_table_end(&table);
}

void page_line(struct page *page, const struct tally_line *line)
{
    struct html *html = &page->html;
    uint32_t floor = page->floor;

    /* Nobody stands behind the addresses of a laboratory. */
    if (line->vantage->origin == ORIGIN_LAB || line->vantage->origin == ORIGIN_COMPOSED)
        page->floor = 1;
    html_begin(html, "section");
    html_elementf(html, "h2", NULL, "%s%s%s", carrier_name(page, line->vantage),
                  line->vantage->probe_id[0] ? ", probe " : "", line->vantage->probe_id);
    line_facts(page, line);
    if (count_services(line, false) + count_services(line, true) == 0) {
        html_element(html, "p", NULL,
                     "No service of the catalog was seen here, and no control. That says nothing "
                     "about blocking: nobody may have tried.");
    } else {
        services_seen(page, line);
        outcomes(page, line);
        failures(page, line);
        third_parties(page, line);
        remarks(page, line);
    }
    only_counted(page, line);
    coverage(page, line);
    html_end(html);
    page->floor = floor;
}
