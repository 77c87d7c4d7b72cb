// SPDX-License-Identifier: GPL-3.0-or-later
#include <inttypes.h>
#include <string.h>

#include "analyzer/judge/judge.h"
#include "base/array.h"
#include "base/digest.h"
#include "reports/page.h"

/* ---- what stands first ---- */

void page_banner(struct page *page)
{
    static const struct {
        enum origin origin;
        const char *text;
    } banners[] = {
        {ORIGIN_LAB, "Made in a laboratory: some or all of these captures show no real line and no "
                     "real people."},
        {ORIGIN_COMPOSED, "Composed: some or all of these captures were put together from others."},
        {ORIGIN_IMPORTED, "Imported: some or all of these rows come from other people's "
                          "measurements, without packets."},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(banners); i++)
        if (page->tally->has_origin[banners[i].origin])
            html_element(&page->html, "p", "banner", banners[i].text);
}

/* First and last packet, within --since and --until; 0 where there is none. */
static void period(const struct page *page, int64_t *ret_first, int64_t *ret_last)
{
    const struct tally *tally = page->tally;
    int64_t since = page->options->since_us, until = page->options->until_us;

    *ret_first = *ret_last = 0;
    for (size_t i = 0; i < tally->line_count; i++) {
        const struct tally_line *line = &tally->lines[i];
        if (line->first_us && (*ret_first == 0 || line->first_us < *ret_first))
            *ret_first = line->first_us;
        *ret_last = MAX_OF(*ret_last, line->last_us);
    }
    if (*ret_first == 0)
        return;
    if (since)
        *ret_first = MAX_OF(*ret_first, since);
    if (until)
        *ret_last = MIN_OF(*ret_last, until);
}

/* Services that no order may ever name are not counted as found. */
static size_t services_found(const struct tally *tally)
{
    size_t count = 0;

    for (size_t i = 0; i < tally->line_count; i++) {
        for (size_t s = 0; s < tally->lines[i].service_count; s++) {
            const struct tally_service *service = &tally->lines[i].services[s];
            bool known = service->class == CLASS_CONTROL || service->attempts == 0;
            for (size_t j = 0; j < i && !known; j++)
                for (size_t t = 0; t < tally->lines[j].service_count && !known; t++)
                    known = strcmp(tally->lines[j].services[t].id, service->id) == 0;
            count += !known;
        }
    }
    return count;
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

/* Where few clients met it on some line, their number is withheld here too. */
static const char *proven_text(const struct page *page, char text[PAGE_TEXT_SIZE])
{
    const struct tally *t = page->tally;

    for (size_t i = 0; i < t->line_count; i++)
        if (t->lines[i].proven > 0 && t->lines[i].vantage->origin != ORIGIN_LAB &&
            t->lines[i].vantage->origin != ORIGIN_COMPOSED &&
            t->lines[i].proven_clients.count < page->floor)
            return "some";
    return t->proven == 0 ? "none" : page_count_text(t->proven, text);
}

void page_headline(struct page *page)
{
    const struct tally *t = page->tally;
    struct html *html = &page->html;
    size_t services = services_found(t);
    char a[PAGE_TEXT_SIZE], b[PAGE_TEXT_SIZE], c[PAGE_TEXT_SIZE], d[PAGE_TEXT_SIZE];
    int64_t first, last;

    period(page, &first, &last);
    if (first == 0)
        html_element(html, "p", "lead",
                     "These stores hold no packets, so this report has nothing to tell.");
    else if (t->attempts == 0)
        html_elementf(html, "p", "lead",
                      "Nobody was seen to use a service of the catalog on %zu line%s between %s "
                      "and %s (UTC, hours). "
                      "That is no sign of blocking, and no sign against it.",
                      t->line_count, plural(t->line_count), page_hour_text(first, a),
                      page_hour_text(last, b));
    else
        html_elementf(
            html, "p", "lead",
            "Between %s and %s (UTC, hours), %zu service%s of the catalog %s seen on %zu line%s: "
            "%s attempt%s, controls among them.",
            page_hour_text(first, a), page_hour_text(last, b), services, plural(services),
            services == 1 ? "was" : "were", t->line_count, plural(t->line_count),
            page_count_text(t->attempts, c), plural(t->attempts));
    if (t->attempts > 0)
        html_elementf(html, "p", NULL, "%s worked, %s failed, of %s it cannot be said.",
                      page_count_text(t->by_outcome[OUTCOME_OK], a),
                      page_count_text(t->by_outcome[OUTCOME_FAILED], b),
                      page_count_text(t->by_outcome[OUTCOME_UNKNOWN], d));
    if (t->attempts > 0)
        html_elementf(
            html, "p", NULL,
            "Packets prove in %s of them that something between the ends interfered, by "
            "contradicting each other or by a page known to announce it (rule set %s); of "
            "the others it is not said who "
            "made them fail.",
            proven_text(page, a), JUDGE_RULES_VERSION);
}

void page_limits(struct page *page)
{
    static const char *const limits[] = {
        "It shows what single connections did. Servers fail, phones lose their signal, home "
        "routers and office firewalls cut "
        "connections, and about one in five connections in the world ends early with nobody to "
        "blame.",
        "It sees only what somebody tried while a probe looked. What nobody tried, and every hour "
        "without a probe, is unknown.",
        "It says that something between the ends interfered only where packets contradict each "
        "other, or where the page that came is known to announce a block. Else a reset or silence "
        "looks the same whether a server, a carrier or anything "
        "between sent it; and whose box it was no packet says.",
        "A tunnel (VPN, proxy) hides what is inside it, and a service that shares its servers with "
        "others may be taken for one of them.",
        "Packets that the probe lost look like silence. The losses stand beside each line.",
        "A line of one household or one office speaks for itself, not for its carrier or country.",
    };
    struct html *html = &page->html;

    html_begin(html, "section");
    html_attr(html, "class", "box");
    html_element(html, "h2", NULL, "What this cannot show");
    html_begin(html, "ul");
    for (size_t i = 0; i < ARRAY_LENGTH(limits); i++)
        html_element(html, "li", NULL, limits[i]);
    html_end(html);
    html_end(html);
}

/* ---- what stands last ---- */

void page_notes(struct page *page)
{
    static const char *const heads[] = {"What", "#How often", NULL};
    struct html *html = &page->html;
    struct page_table table;

    html_begin(html, "section");
    html_element(html, "h2", NULL, "What was not understood");
    if (page->tally->note_count == 0) {
        html_element(html, "p", NULL, "Nothing: every packet could be read.");
    } else {
        page_table_begin(&table, page, "Packets and flows that were passed over, and why", heads);
        for (size_t i = 0; i < page->tally->note_count; i++) {
            if (!page_row_begin(&table))
                continue;
            page_cell_head(page, page->tally->notes[i].kind, NULL);
            page_cell_count(page, page->tally->notes[i].count);
            page_row_end(&table);
        }
        page_table_end(&table);
    }
    html_end(html);
}

static void cell_digest(struct page *page, const struct input_record *input)
{
    char text[DIGEST_TEXT_SIZE];

    html_begin(&page->html, "td");
    if (input->has_sha256) {
        html_element(&page->html, "code", NULL, digest_text(input->sha256, text));
    } else if (input->has_fingerprint) {
        html_text(&page->html, "first and last MiB: ");
        html_element(&page->html, "code", NULL, digest_text(input->fingerprint, text));
    } else {
        html_text(&page->html, "none");
    }
    html_end(&page->html);
}

static const char *input_state(const struct input_record *input)
{
    if (input->status != DL_OK && input->status != DL_END)
        return dl_strerror(input->status);
    return input->complete ? "read to its end" : "not finished";
}

void page_inputs(struct page *page)
{
    static const char *const heads[] = {"Name",        "#Size", "#Packets", "#Lost",
                                        "First (UTC)", "State", "SHA-256",  NULL};
    struct html *html = &page->html;
    struct page_table table;

    html_begin(html, "section");
    html_element(html, "h2", NULL, "Inputs");
    page_table_begin(&table, page, "Captures and what identifies them", heads);
    for (uint32_t n = 1; n <= store_reader_input_count(page->reader); n++) {
        const struct input_record *input = store_reader_input(page->reader, n);
        if (!page_row_begin(&table))
            continue;
        page_cell_head(page, input->path, NULL);
        page_cell_bytes(page, input->size);
        page_cell_count(page, input->packets);
        page_cell_count(page, input->lost);
        if (input->packets)
            page_cell_hour(page, input->first_us);
        else
            page_cell_text(page, "\u2013");
        page_cell_text(page, input_state(input));
        cell_digest(page, input);
        page_row_end(&table);
    }
    page_table_end(&table);
    html_end(html);
}

void page_method(struct page *page)
{
    static const char *const heads[] = {"Rule", "What it says", "Source", NULL};
    struct html *html = &page->html;
    struct page_table table;

    html_begin(html, "section");
    html_element(html, "h2", NULL, "How it was judged");
    html_elementf(html, "p", NULL,
                  "The probe stores what both ends of each connection did and keeps no content. "
                  "Rule set %s reads "
                  "those facts; they can be read again with a better one. Clients are keyed "
                  "pseudonyms; none is shown here, "
                  "nor a row with fewer than %" PRIu32 " of them, but of laboratory captures. "
                  "Times are hours.",
                  JUDGE_RULES_VERSION, page->floor);
    page_table_begin(&table, page, "Rules", heads);
    for (size_t i = 0; judge_rule_at(i); i++) {
        if (!page_row_begin(&table))
            continue;
        page_cell_head(page, "", judge_rule_at(i)->id);
        page_cell_text(page, judge_rule_at(i)->says);
        page_cell_text(page, judge_rule_at(i)->source);
        page_row_end(&table);
    }
    page_table_end(&table);
    html_end(html);
}

static void fact(struct html *html, const char *label, const char *value)
{
    html_element(html, "dt", NULL, label);
    html_begin(html, "dd");
    html_element(html, "code", NULL, value && value[0] ? value : "not known");
    html_end(html);
}

/* Each value once, in the order of the inputs. */
static void meta_facts(struct page *page, const char *label, const char *key)
{
    uint32_t count = store_reader_input_count(page->reader);

    for (uint32_t n = 1; n <= count; n++) {
        const char *value = store_reader_meta(page->reader, n, key);
        bool known = value == NULL;
        for (uint32_t m = 1; m < n && !known; m++) {
            const char *other = store_reader_meta(page->reader, m, key);
            known = other && strcmp(other, value) == 0;
        }
        if (!known)
            fact(&page->html, label, value);
    }
}

void page_reproduce(struct page *page)
{
    struct html *html = &page->html;
    const struct catalog *catalog = page->options->catalog;

    html_begin(html, "section");
    html_element(html, "h2", NULL, "How to make this page again");
    html_element(html, "p", NULL, "The same inputs give the same page, byte for byte.");
    html_begin(html, "dl");
    if (page->options->command_line)
        fact(html, "Command", page->options->command_line);
    fact(html, "darkline, of this page", DARKLINE_VERSION);
    meta_facts(page, "darkline, of the store", "darkline_version");
    fact(html, "Rule set", JUDGE_RULES_VERSION);
    fact(html, "Catalog, of this page", catalog ? catalog_version(catalog) : NULL);
    meta_facts(page, "Catalog, of the store", "catalog_version");
    html_end(html);
    html_end(html);
}
