// SPDX-License-Identifier: GPL-3.0-or-later
/* Single connections as evidence: their packets, the rules that spoke, and the innocent explanation. */
#include <string.h>

#include "reports/page/parts.h"

#define FLAGS_SIZE 40

/* ---- the ladder ---- */

static const char *flags_text(uint8_t flags, char out[FLAGS_SIZE])
{
    static const struct {
        uint8_t bit;
        const char *word;
    } words[] = {{0x02, "SYN"}, {0x01, "FIN"}, {0x04, "RST"},
                 {0x08, "PSH"}, {0x10, "ACK"}, {0x20, "URG"}};
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (flags & words[i].bit)
            used += (size_t)snprintf(out + used, FLAGS_SIZE - used, "%s%s", used ? " " : "",
                                     words[i].word);
    return out;
}

static enum text_id payload_text(enum payload_kind payload)
{
    static const enum text_id texts[] = {
        [PAYLOAD_NONE] = TEXT_STEP_DATA,
        [PAYLOAD_OTHER] = TEXT_STEP_DATA,
        [PAYLOAD_TLS_CLIENT_HELLO] = TEXT_STEP_PAYLOAD_TLS_CLIENT_HELLO,
        [PAYLOAD_TLS_SERVER_HELLO] = TEXT_STEP_PAYLOAD_TLS_SERVER_HELLO,
        [PAYLOAD_TLS_ALERT] = TEXT_STEP_PAYLOAD_TLS_ALERT,
        [PAYLOAD_TLS_DATA] = TEXT_STEP_PAYLOAD_TLS_DATA,
        [PAYLOAD_HTTP_REQUEST] = TEXT_STEP_PAYLOAD_HTTP_REQUEST,
        [PAYLOAD_HTTP_RESPONSE] = TEXT_STEP_PAYLOAD_HTTP_RESPONSE,
        [PAYLOAD_HTML] = TEXT_STEP_PAYLOAD_HTML,
        [PAYLOAD_QUIC_INITIAL] = TEXT_STEP_PAYLOAD_QUIC_INITIAL,
        [PAYLOAD_DNS] = TEXT_STEP_PAYLOAD_DNS,
        [PAYLOAD_MAIL] = TEXT_STEP_PAYLOAD_MAIL,
        [PAYLOAD_SRP] = TEXT_STEP_PAYLOAD_SRP,
    };
    return (size_t)payload < ARRAY_LENGTH(texts) ? texts[payload] : TEXT_STEP_DATA;
}

static enum text_id step_text(const struct findings_step *step)
{
    static const enum text_id texts[] = {
        [STEP_SYN] = TEXT_STEP_SYN,
        [STEP_SYN_ACK] = TEXT_STEP_SYN_ACK,
        [STEP_ACK] = TEXT_STEP_ACK,
        [STEP_QUESTION] = TEXT_STEP_QUESTION,
        [STEP_ANSWER] = TEXT_STEP_ANSWER,
        [STEP_RESET] = TEXT_STEP_RESET,
        [STEP_FIN] = TEXT_STEP_FIN,
        [STEP_ICMP] = TEXT_STEP_ICMP,
        [STEP_RETRANSMISSION] = TEXT_STEP_RETRANSMISSION,
        [STEP_SILENCE] = TEXT_STEP_SILENCE,
        [STEP_OTHER_CONTENT] = TEXT_STEP_OTHER_CONTENT,
        [STEP_CLOSE] = TEXT_STEP_CLOSE,
    };
    if (step->kind == STEP_DATA)
        return payload_text(step->payload);
    if (step->kind == STEP_ANSWER && step->dns_rcode)
        return TEXT_STEP_ANSWER_ERROR;
    return texts[step->kind];
}

/* Silence and the end are nobody's words. */
static const char *side_text(struct page *page, const struct findings_step *step)
{
    if (step->kind == STEP_SILENCE || step->kind == STEP_CLOSE)
        return page_text(page, TEXT_PAGE_DASH);
    if (step->kind == STEP_ICMP)
        return page_text(page, TEXT_CARD_SIDE_ROUTER);
    return page_text(page, step->from_server ? TEXT_CARD_SIDE_SERVER : TEXT_CARD_SIDE_CLIENT);
}

static void cell_marks(struct page *page, const struct findings_step *step, const char *ref)
{
    static const struct {
        uint16_t bit;
        enum text_id text;
    } marks[] = {
        {MARK_PROVES, TEXT_MARK_PROVES},   {MARK_TTL, TEXT_MARK_TTL},
        {MARK_IP_ID, TEXT_MARK_IP_ID},     {MARK_SEQUENCE, TEXT_MARK_SEQUENCE},
        {MARK_HASTE, TEXT_MARK_HASTE},     {MARK_OPTIONS, TEXT_MARK_OPTIONS},
        {MARK_CONTENT, TEXT_MARK_CONTENT}, {MARK_TALKS_ON, TEXT_MARK_TALKS_ON},
    };
    struct html *html = &page->html;
    bool written = false;

    page_cell_begin(page, false, false);
    for (size_t i = 0; i < ARRAY_LENGTH(marks); i++) {
        if (!(step->marks & marks[i].bit))
            continue;
        if (written)
            html_void(html, "br");
        page_plain(page, i == 0 ? "strong" : "span", NULL, marks[i].text);
        written = true;
    }
    if (step->copies > 0) {
        if (written)
            html_void(html, "br");
        PAGE_ELEMENT_FOR(page, "span", NULL,
                         step->kind == STEP_RETRANSMISSION ? TEXT_CARD_TIMES : TEXT_CARD_COPIES,
                         step->copies, say_count("count", step->copies, "%s/copies", ref));
        written = true;
    }
    if (!written)
        html_text(html, page_text(page, TEXT_PAGE_DASH));
    page_cell_end(page);
}

static void cell_ttl(struct page *page, const struct findings_step *step, const char *ref)
{
    if (step->ttl == 0) {
        page_cell_text(page, NULL);
        return;
    }
    page_cell_begin(page, false, false);
    if (step->ttl_expected && step->ttl_expected != step->ttl)
        PAGE_SAY(page, TEXT_CARD_TTL_EXPECTED, say_count("ttl", step->ttl, "%s/ttl", ref),
                 say_count("expected", step->ttl_expected, "%s/ttl_expected", ref));
    else
        page_word(page, &(const struct say[]){say_count("", step->ttl, "%s/ttl", ref)}[0]);
    page_cell_end(page);
}

static void cell_what(struct page *page, const struct findings_step *step, const char *ref)
{
    page_cell_begin(page, true, false);
    PAGE_SAY(page, step_text(step), say_count("type", step->icmp_type, "%s/icmp_type", ref),
             say_count("code", step->kind == STEP_ICMP ? step->icmp_code : step->dns_rcode,
                       step->kind == STEP_ICMP ? "%s/icmp_code" : "%s/dns_rcode", ref));
    page_cell_end(page);
}

static void ladder_row(struct page_table *table, size_t card, size_t i)
{
    struct page *page = table->page;
    const struct findings_step *step = &page->findings->cards[card].steps[i];
    char ref[PAGE_ANCHOR_SIZE + 16], flags[FLAGS_SIZE];

    if (!page_row_begin(table))
        return;
    snprintf(ref, sizeof(ref), "/cards/%zu/steps/%zu", card, i);
    PAGE_CELL(page, say_shown(say_decimal("", (double)step->after_us, 4, "%s/after_us", ref),
                              (double)step->after_us / 1e6));
    page_cell_text(page, side_text(page, step));
    cell_what(page, step, ref);
    if (step->tcp_flags)
        PAGE_CELL(page, say_code("", flags_text(step->tcp_flags, flags)));
    else
        page_cell_text(page, NULL);
    cell_ttl(page, step, ref);
    if (step->has_ip_id)
        PAGE_CELL(page, say_number("", step->ip_id, "%s/ip_id", ref));
    else
        page_cell_none(page);
    if (step->length)
        PAGE_CELL(page, say_count("", step->length, "%s/length", ref));
    else
        page_cell_none(page);
    cell_marks(page, step, ref);
    page_row_end(table);
}

static void ladder(struct page *page, size_t index, const char *id)
{
    static const struct page_head heads[] = {
        {TEXT_CARD_TIME, true},   {TEXT_CARD_FROM, false},      {TEXT_CARD_STEP, false},
        {TEXT_CARD_FLAGS, false}, {TEXT_CARD_TTL, false},       {TEXT_CARD_IPID, true},
        {TEXT_CARD_LENGTH, true}, {TEXT_CARD_GIVES_AWAY, false}};
    const struct findings_card *card = &page->findings->cards[index];
    struct page_table table;
    char anchor[PAGE_ANCHOR_SIZE];

    if (card->step_count == 0) {
        page_plain(page, "p", "note", TEXT_CARD_LADDER_NONE);
        return;
    }
    PAGE_TABLE(&table, page, page_anchor("ladder", index, anchor), false, heads, PAGE_ROOM_OTHER,
               TEXT_TABLE_LADDER_CAPTION, say_code("id", id));
    for (size_t i = 0; i < card->step_count; i++)
        ladder_row(&table, index, i);
    page_table_end(&table, TEXT_PAGE_MORE_REPORT);
    if (card->steps_left_out > 0)
        PAGE_ELEMENT_FOR(
            page, "p", "note", TEXT_CARD_LADDER_MORE, card->steps_left_out,
            say_count("count", card->steps_left_out, "/cards/%zu/steps_left_out", index));
}

/* ---- what is said of it ---- */

static const struct findings_reason *reason_of(const struct findings_card *card,
                                               enum judge_rule_kind kind)
{
    for (size_t i = 0; i < card->reason_count; i++)
        if (card->reasons[i].kind == kind)
            return &card->reasons[i];
    return NULL;
}

static void innocent(struct page *page, const struct findings_card *card)
{
    const struct findings_reason *proof = reason_of(card, JUDGE_RULE_CONTRADICTION);
    const char *text = card->mechanism ? page_keyed(page, "innocent", card->mechanism) : NULL;
    bool english;

    if (!text)
        return;
    PAGE_ELEMENT(page, "p", NULL, TEXT_CARD_INNOCENT, say_text("explanation", text));
    if (reason_of(card, JUDGE_RULE_INNOCENT)) {
        page_plain(page, "p", NULL, TEXT_CARD_INNOCENT_HOLDS);
    } else if (proof) {
        const char *says = page_rule(page, proof->rule, &english);
        says = says ? says : proof->detail;
        PAGE_ELEMENT(page, "p", NULL, TEXT_CARD_INNOCENT_RULED_OUT,
                     english ? say_english("reason", says) : say_text("reason", says));
    } else {
        page_plain(page, "p", NULL, TEXT_CARD_INNOCENT_NOT_RULED_OUT);
    }
}

static void reasons(struct page *page, const struct findings_card *card)
{
    static const enum text_id kinds[] = {
        [JUDGE_RULE_PLAIN] = TEXT_CARD_RULE_KIND_PLAIN,
        [JUDGE_RULE_CONTRADICTION] = TEXT_CARD_RULE_KIND_CONTRADICTION,
        [JUDGE_RULE_LOOKS] = TEXT_CARD_RULE_KIND_LOOKS,
        [JUDGE_RULE_INNOCENT] = TEXT_CARD_RULE_KIND_INNOCENT,
    };
    struct html *html = &page->html;
    bool english;

    if (card->reason_count == 0)
        return;
    page_details(page, TEXT_CARD_RULES);
    html_begin(html, "ul");
    for (size_t i = 0; i < card->reason_count; i++) {
        const struct findings_reason *reason = &card->reasons[i];
        const char *says = page_rule(page, reason->rule, &english);
        PAGE_ELEMENT(page, "li", NULL, TEXT_CARD_RULE, say_code("rule", reason->rule),
                     say_text("kind", page_text(page, kinds[reason->kind])),
                     english ? say_english("says", says) : say_text("says", says),
                     say_english("detail", reason->detail));
    }
    html_end(html);
    html_end(html);
}

static void facts(struct page *page, const struct findings_card *card, size_t index)
{
    struct html *html = &page->html;

    html_begin(html, "ul");
    if (card->mechanism)
        PAGE_ELEMENT(page, "li", NULL, TEXT_CARD_WHAT,
                     say_text("mechanism", page_mechanism(page, card->mechanism)),
                     say_code("label", card->mechanism));
    PAGE_ELEMENT(page, "li", NULL, TEXT_CARD_CAPTURE, say_code("file", card->capture),
                 say_number("packet", card->packet, "/cards/%zu/packet", index),
                 say_hour("hour", card->hour_us, "/cards/%zu/hour", index));
    if (card->server[0])
        PAGE_ELEMENT(page, "li", NULL, TEXT_CARD_SERVER, say_code("server", card->server));
    else
        page_plain(page, "li", NULL, TEXT_CARD_SERVER_PERSON);
    if (card->host && card->host[0])
        PAGE_ELEMENT(page, "li", NULL, TEXT_CARD_HOST, say_code("host", card->host));
    if (card->signature)
        PAGE_ELEMENT(page, "li", NULL, TEXT_CARD_SIGNATURE,
                     say_number("number", card->signature, "/cards/%zu/signature", index));
    if (card->blockpage)
        PAGE_ELEMENT(page, "li", NULL, TEXT_CARD_BLOCKPAGE, say_code("page", card->blockpage));
    if (card->injector)
        PAGE_ELEMENT(page, "li", NULL, TEXT_CARD_INJECTOR, say_code("injector", card->injector));
    html_end(html);
}

static void who(struct page *page, const struct findings_card *card, size_t index)
{
    enum text_id text = TEXT_CARD_UNPROVEN;

    if (reason_of(card, JUDGE_RULE_CONTRADICTION) && card->attribution == ATTRIBUTION_THIRD_PARTY)
        text = TEXT_CARD_PROVEN;
    else if (card->attribution == ATTRIBUTION_ENDPOINT)
        text = TEXT_CARD_ATTRIBUTION_ENDPOINT;
    else if (card->attribution == ATTRIBUTION_CLIENT)
        text = TEXT_CARD_ATTRIBUTION_CLIENT;
    else if (card->attribution == ATTRIBUTION_NETWORK)
        text = TEXT_CARD_ATTRIBUTION_NETWORK;
    page_plain(page, "p", "verdict", text);
    if (card->score >= 0)
        PAGE_ELEMENT(page, "p", NULL, TEXT_CARD_SCORE,
                     say_percent("score", card->score, "/cards/%zu/score", index));
}

static void write_card(struct page *page, size_t index)
{
    const struct findings_card *card = &page->findings->cards[index];
    struct html *html = &page->html;
    char id[32];

    snprintf(id, sizeof(id), "%u:%llu", card->input, (unsigned long long)card->packet);
    html_begin(html, "section");
    html_attr(html, "class", "card");
    PAGE_ELEMENT(page, "h5", NULL, TEXT_CARD_TITLE, say_code("id", id));
    who(page, card, index);
    facts(page, card, index);
    ladder(page, index, id);
    innocent(page, card);
    reasons(page, card);
    html_end(html);
}

void page_event_cards(struct page *page, size_t at)
{
    const struct findings *f = page->findings;
    const struct findings_event *event = &f->events[at];

    page_plain(page, "h4", NULL, TEXT_PAGE_EVENT_CARDS);
    if (event->card_count == 0)
        page_plain(page, "p", NULL, TEXT_PAGE_EVENT_CARDS_NONE);
    else
        page_plain(page, "p", "note", TEXT_CARD_TIME_HELP);
    for (size_t i = 0; i < event->card_count && event->first_card + i < f->card_count; i++) {
        if (i == 1)
            page_details_for(page, TEXT_PAGE_EVENT_CARDS_MORE, event->card_count - 1,
                             SAY_WORDS(say_count("count", event->card_count - 1, NULL)));
        write_card(page, event->first_card + i);
    }
    if (event->card_count > 1 && event->first_card + 1 < f->card_count)
        html_end(&page->html);
}
