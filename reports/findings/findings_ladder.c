// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The packet ladder of one flow, of what was stored: single packets are known where they were
 * suspicious, of the others only when they came. What gives a packet away is marked by the rules that
 * the judge names it with.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "reports/findings/findings_internal.h"

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_ACK 0x10

/* ---- steps ---- */

static struct findings_step *add(struct ladder *ladder, enum findings_step_kind kind,
                                 bool from_server, uint64_t after_us)
{
    if (ladder->count == FINDINGS_LADDER_MAX) {
        ladder->left_out++;
        return NULL;
    }
    struct findings_step *step = &ladder->steps[ladder->count++];
    *step = (struct findings_step){.kind = kind, .from_server = from_server, .after_us = after_us};
    return step;
}

static void add_opening(struct ladder *ladder, const struct observation *flow)
{
    const struct evidence_facts *e = &flow->evidence;
    const struct side_facts *client = &e->sides[SIDE_CLIENT], *server = &e->sides[SIDE_SERVER];
    struct findings_step *step;

    if ((client->flags & SIDE_SYN) && (step = add(ladder, STEP_SYN, false, 0))) {
        step->has_packet = true;
        step->tcp_flags = TCP_SYN;
        step->ttl = client->ttl_first;
        step->window = client->syn_window;
        step->ip_id = client->ip_id_first;
        step->has_ip_id = !(client->flags & SIDE_IP_ID_ZERO);
        step->packet = flow->packet;
    }
    if ((server->flags & SIDE_SYN) && e->handshake_rtt_us > 0 &&
        (step = add(ladder, STEP_SYN_ACK, true, e->handshake_rtt_us))) {
        step->has_packet = true;
        step->tcp_flags = TCP_SYN | TCP_ACK;
        step->ttl = server->ttl_first;
        step->window = server->syn_window;
        step->ip_id = server->ip_id_first;
        step->has_ip_id = !(server->flags & SIDE_IP_ID_ZERO);
    }
    if (e->handshake_rtt_us > 0 && e->ack_rtt_us > 0)
        add(ladder, STEP_ACK, false, (uint64_t)e->handshake_rtt_us + e->ack_rtt_us);
}

/* The suspicious packet that is this side's first payload; NULL. */
static const struct suspect *first_payload_suspect(const struct evidence_facts *e, enum side side)
{
    for (unsigned i = 0; i < e->suspect_count && i < SUSPECTS_MAX; i++) {
        const struct suspect *s = &e->suspects[i];
        if (s->side == side && (s->kind == SUSPECT_FIN_DATA || s->kind == SUSPECT_TTL) &&
            s->after_us == e->sides[side].first_payload_after_us)
            return s;
    }
    return NULL;
}

static void add_payloads(struct ladder *ladder, const struct observation *flow)
{
    const struct evidence_facts *e = &flow->evidence;

    for (unsigned side = SIDE_CLIENT; side <= SIDE_SERVER; side++) {
        const struct side_facts *facts = &e->sides[side];
        struct findings_step *step;
        if (facts->first_payload_length == 0 || first_payload_suspect(e, side))
            continue;
        step = add(ladder, STEP_DATA, side == SIDE_SERVER, facts->first_payload_after_us);
        if (!step)
            continue;
        step->payload = (enum payload_kind)facts->first_payload_kind;
        step->length = facts->first_payload_length;
    }
}

static enum findings_step_kind kind_of(const struct suspect *s)
{
    switch (s->kind) {
    case SUSPECT_RST:
        return STEP_RESET;
    case SUSPECT_OVERLAP:
        return STEP_OTHER_CONTENT;
    case SUSPECT_SYN_ACK:
        return STEP_SYN_ACK;
    default:
        return STEP_DATA;
    }
}

static void add_suspect(struct ladder *ladder, const struct observation *flow,
                        const struct suspect *s)
{
    struct findings_step *step = add(ladder, kind_of(s), s->side == SIDE_SERVER, s->after_us);

    if (!step)
        return;
    step->has_packet = true;
    step->packet = s->packet;
    step->tcp_flags = s->tcp_flags;
    step->ttl = s->ttl;
    step->ttl_expected = s->ttl_expected;
    step->ip_id = s->ip_id;
    step->has_ip_id = true;
    step->window = s->window;
    step->length = s->payload_length;
    step->copies = s->copies;
    if (first_payload_suspect(&flow->evidence, s->side) == s)
        step->payload = (enum payload_kind)flow->evidence.sides[s->side].first_payload_kind;
}

/* The last new bytes of a side whose end somebody had told before. */
static void add_talking_on(struct ladder *ladder, const struct evidence_facts *e)
{
    for (unsigned side = SIDE_CLIENT; side <= SIDE_SERVER; side++) {
        uint64_t last_us = 0;
        for (unsigned i = 0; i < e->suspect_count && i < SUSPECTS_MAX; i++) {
            const struct suspect *s = &e->suspects[i];
            if (s->side == side && (s->kind == SUSPECT_RST || s->kind == SUSPECT_FIN_DATA) &&
                s->own_bytes_after > 1)
                last_us = MAX_OF(last_us, (uint64_t)s->after_us + s->own_after_us);
        }
        struct findings_step *step =
            last_us ? add(ladder, STEP_DATA, side == SIDE_SERVER, last_us) : NULL;
        if (step) {
            step->payload = PAYLOAD_OTHER;
            step->marks = MARK_TALKS_ON;
        }
    }
}

static void add_icmp(struct ladder *ladder, const struct icmp_facts *icmp)
{
    struct findings_step *step =
        icmp->present ? add(ladder, STEP_ICMP, icmp->side == SIDE_CLIENT, icmp->after_us) : NULL;

    if (!step)
        return;
    step->has_packet = true;
    step->ttl = icmp->ttl;
    step->icmp_type = icmp->type;
    step->icmp_code = icmp->code;
    step->copies = icmp->count > 0 ? (uint16_t)(icmp->count - 1) : 0;
}

/* What nobody answered, and how often it was said. */
static void add_silence(struct ladder *ladder, const struct observation *flow,
                        const struct verdict *verdict)
{
    const struct evidence_facts *e = &flow->evidence;
    const struct side_facts *client = &e->sides[SIDE_CLIENT], *server = &e->sides[SIDE_SERVER];
    bool opened = (server->flags & SIDE_SYN) || server->last_packet_after_us > 0;
    unsigned again = opened ? client->data_retransmissions : client->syn_retransmissions;
    struct findings_step *step;

    if (!verdict->mechanism || !strstr(verdict->mechanism, "timeout"))
        return;
    if (e->unanswered && e->unanswered_after_us > client->first_payload_after_us && opened &&
        client->first_payload_length > 0 &&
        (step = add(ladder, STEP_DATA, false, e->unanswered_after_us)))
        step->payload = PAYLOAD_OTHER;
    if (again > 0 && (step = add(ladder, STEP_RETRANSMISSION, false, client->last_packet_after_us)))
        step->copies = (uint16_t)again;
    add(ladder, STEP_SILENCE, true,
        MAX_OF(client->last_packet_after_us, server->last_packet_after_us));
}

static void add_close(struct ladder *ladder, const struct observation *flow)
{
    const struct evidence_facts *e = &flow->evidence;
    bool by_server = (e->sides[SIDE_SERVER].flags & SIDE_FIN) != 0;

    if (flow->close == CLOSE_FIN && flow->end_us >= flow->start_us)
        add(ladder, STEP_CLOSE, by_server && !(e->sides[SIDE_CLIENT].flags & SIDE_FIN),
            (uint64_t)(flow->end_us - flow->start_us));
}

static void add_question(struct ladder *ladder, const struct observation *flow)
{
    const struct dns_facts *dns = &flow->dns;
    struct findings_step *step = add(ladder, STEP_QUESTION, false, 0);

    if (step) {
        step->has_packet = true;
        step->packet = flow->packet;
        step->ttl = flow->evidence.sides[SIDE_CLIENT].ttl_first;
        step->copies = (uint16_t)(flow->packets[SIDE_CLIENT] > 1
                                      ? MIN_OF(flow->packets[SIDE_CLIENT] - 1, UINT16_MAX)
                                      : 0);
    }
    for (unsigned i = 0; i < dns->answer_count && i < DNS_FACTS_ANSWERS; i++) {
        const struct dns_facts_answer *answer = &dns->answers[i];
        step = add(ladder, STEP_ANSWER, true, answer->after_us);
        if (!step)
            continue;
        step->has_packet = true;
        step->packet = answer->packet;
        step->ttl = answer->ip_ttl;
        step->ip_id = answer->ip_id;
        step->has_ip_id = true;
        step->dns_rcode = answer->rcode;
    }
    if (dns->answer_count == 0)
        add(ladder, STEP_SILENCE, true, 0);
}

/* ---- what gives them away ---- */

enum subject { NAMED, FIRST_RESET, FIRST_ANSWER };

static const struct {
    const char *rule;
    uint16_t marks;
    enum subject subject; /* where the sentence names no packet */
} marks_of_rules[] = {
    {"answer-too-soon", MARK_PROVES | MARK_HASTE, FIRST_ANSWER},
    {"talks-on-after-reset", MARK_PROVES | MARK_TALKS_ON, FIRST_RESET},
    {"talks-on-after-fin", MARK_PROVES | MARK_TALKS_ON, FIRST_ANSWER},
    {"two-contents", MARK_PROVES | MARK_CONTENT, NAMED},
    {"blockpage", MARK_PROVES | MARK_CONTENT, FIRST_ANSWER},
    {"dns-two-answers", MARK_PROVES | MARK_CONTENT, NAMED},
    {"dns-lone-answer", MARK_PROVES | MARK_HASTE, FIRST_ANSWER},
    {"ttl-distance", MARK_TTL, FIRST_RESET},
    {"reset-ttls-differ", MARK_TTL, FIRST_RESET},
    {"client-reset-from-beyond", MARK_TTL, FIRST_RESET},
    {"dns-ttl-apart", MARK_TTL, FIRST_ANSWER},
    {"foreign-redirect", MARK_TTL | MARK_CONTENT, FIRST_ANSWER},
    {"ip-id-of-other-side", MARK_IP_ID, FIRST_RESET},
    {"ip-id-apart", MARK_IP_ID, FIRST_RESET},
    {"reset-behind", MARK_SEQUENCE, FIRST_RESET},
    {"reset-seq-change", MARK_SEQUENCE, FIRST_RESET},
    {"reset-ack-change", MARK_SEQUENCE, FIRST_RESET},
    {"second-syn-ack", MARK_SEQUENCE, NAMED},
    {"df-differs", MARK_OPTIONS, FIRST_RESET},
    {"no-timestamps", MARK_OPTIONS, FIRST_RESET},
    {"dns-header-apart", MARK_OPTIONS, FIRST_ANSWER},
    {"dns-df-apart", MARK_OPTIONS, FIRST_ANSWER},
    {"dns-no-edns", MARK_OPTIONS, FIRST_ANSWER},
    {"in-flight-after-reset", MARK_TALKS_ON, FIRST_RESET},
};

bool ladder_names_packet(const char *detail, uint64_t packet)
{
    for (const char *at = strstr(detail, "packet"); at; at = strstr(at, "packet")) {
        char *end;
        at += strlen("packet");
        at += *at == 's';
        if (*at != ' ' || at[1] < '0' || at[1] > '9')
            continue;
        if (strtoull(at + 1, &end, 10) == packet)
            return true;
        /* "packets 41 (...) and 43": the second after the next "and". */
        const char *second = at[-1] == 's' ? strstr(end, " and ") : NULL;
        if (second && strtoull(second + strlen(" and "), NULL, 10) == packet)
            return true;
    }
    return false;
}

static bool is_subject(const struct findings_step *step, enum subject subject)
{
    if (subject == FIRST_RESET)
        return step->kind == STEP_RESET;
    return step->from_server && (step->kind == STEP_ANSWER || step->kind == STEP_DATA);
}

static void mark_rule(struct ladder *ladder, const struct judge_evidence *evidence, uint16_t marks,
                      enum subject subject)
{
    bool named = false;

    for (size_t i = 0; i < ladder->count; i++) {
        struct findings_step *step = &ladder->steps[i];
        if (step->packet && step->kind != STEP_SYN && step->kind != STEP_QUESTION &&
            ladder_names_packet(evidence->detail, step->packet)) {
            step->marks |= marks;
            named = true;
        }
    }
    for (size_t i = 0; !named && subject != NAMED && i < ladder->count; i++)
        if (is_subject(&ladder->steps[i], subject)) {
            ladder->steps[i].marks |= marks;
            return;
        }
}

/* A page that proves nothing is told as well. */
static uint16_t marks_of(size_t rule, const struct verdict *verdict)
{
    bool proven = verdict->attribution == ATTRIBUTION_THIRD_PARTY;

    return proven ? marks_of_rules[rule].marks
                  : (uint16_t)(marks_of_rules[rule].marks & ~MARK_PROVES);
}

static void mark(struct ladder *ladder, const struct verdict *verdict)
{
    for (unsigned e = 0; e < verdict->evidence_count && e < JUDGE_EVIDENCE_MAX; e++)
        for (size_t i = 0; i < ARRAY_LENGTH(marks_of_rules); i++)
            if (strcmp(verdict->evidence[e].rule, marks_of_rules[i].rule) == 0)
                mark_rule(ladder, &verdict->evidence[e], marks_of(i, verdict),
                          marks_of_rules[i].subject);
}

/* ---- all of it ---- */

/* By time, stable: what was added first stands first. */
static void sort_steps(struct ladder *ladder)
{
    for (size_t i = 1; i < ladder->count; i++) {
        struct findings_step step = ladder->steps[i];
        size_t at = i;
        for (; at > 0 && ladder->steps[at - 1].after_us > step.after_us; at--)
            ladder->steps[at] = ladder->steps[at - 1];
        ladder->steps[at] = step;
    }
}

void ladder_make(struct ladder *ret_ladder, const struct observation *flow,
                 const struct verdict *verdict)
{
    const struct evidence_facts *e = &flow->evidence;

    *ret_ladder = (struct ladder){.count = 0};
    if (flow->import.present)
        return;
    if (flow->dns.present) {
        add_question(ret_ladder, flow);
    } else if (e->present) {
        add_opening(ret_ladder, flow);
        add_payloads(ret_ladder, flow);
        for (unsigned i = 0; i < e->suspect_count && i < SUSPECTS_MAX; i++)
            add_suspect(ret_ladder, flow, &e->suspects[i]);
        add_talking_on(ret_ladder, e);
        add_silence(ret_ladder, flow, verdict);
        add_close(ret_ladder, flow);
        ret_ladder->left_out += e->suspects_not_kept;
    }
    add_icmp(ret_ladder, &e->icmp);
    mark(ret_ladder, verdict);
    sort_steps(ret_ladder);
}
