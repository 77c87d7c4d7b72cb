// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Which of the known injectors sends packets like this one? All features that an entry tells must
 * hold, and tell enough together. A header can be copied, and an injector can be sold: the name says
 * what it looks like and proves nothing.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/judge/proof.h"
#include "base/array.h"

#define FLAGS_COMPARED 0x1f /* FIN SYN RST PSH ACK */
#define TTL_FAR        3
#define TEXT_SIZE      96
#define UNKNOWN        INT64_MIN

/* A packet as the entries see it. */
struct look {
    enum injector_kind kind;
    int64_t values[INJECTOR_ADDRESS]; /* by enum injector_what; UNKNOWN where not known */
    int64_t ip_id_from_client, client_window;
    const struct dns_facts_answer *answer; /* of DNS */
};

static void look_init(struct look *look, enum injector_kind kind)
{
    *look = (struct look){.kind = kind, .ip_id_from_client = UNKNOWN, .client_window = UNKNOWN};
    for (size_t i = 0; i < ARRAY_LENGTH(look->values); i++)
        look->values[i] = UNKNOWN;
}

/* ---- the comparison ---- */

static bool range_holds(const struct injector_feature *f, int64_t value)
{
    return value != UNKNOWN && f->low <= value && value <= f->high;
}

/* Copies get lost, none is made on the way. */
static bool count_holds(const struct injector_feature *f, int64_t value)
{
    return value != UNKNOWN && value <= f->high && value >= MIN_OF(f->low, 2);
}

static bool feature_holds(const struct injector_feature *f, const struct look *look)
{
    int64_t value = look->values[f->what];

    switch (f->how) {
    case INJECTOR_TOLD:
        return true;
    case INJECTOR_CLIENT: /* of two that never set one nothing was copied */
        if (value == 0)
            return false;
        return f->what == INJECTOR_WINDOW ? value == look->client_window
                                          : range_holds(f, look->ip_id_from_client);
    case INJECTOR_TTL_PLUS:
        return value != UNKNOWN && look->values[INJECTOR_TTL] != UNKNOWN &&
               range_holds(f, value - look->values[INJECTOR_TTL]);
    case INJECTOR_RANGE:
        return f->what == INJECTOR_COUNT ? count_holds(f, value) : range_holds(f, value);
    }
    return false;
}

static bool addresses_hold(const struct injector_packet *packet,
                           const struct dns_facts_answer *answer)
{
    if (packet->address_count == 0)
        return true;
    for (unsigned i = 0; answer && i < answer->address_count && i < DNS_FACTS_ADDRESSES; i++)
        for (size_t j = 0; j < packet->address_count; j++)
            if (prefix_contains(&packet->addresses[j], &answer->addresses[i]))
                return true;
    return false;
}

static bool packet_holds(const struct injector_packet *packet, const struct look *look)
{
    if (packet->kind != look->kind || packet->points < INJECTOR_NAMED_POINTS)
        return false;
    for (size_t i = 0; i < packet->feature_count; i++)
        if (!feature_holds(&packet->features[i], look))
            return false;
    return addresses_hold(packet, look->answer);
}

struct best {
    const struct injector *injector, *other; /* other: one that fits as well */
    const struct injector_packet *packet;
};

static struct best best_of(const struct injector_table *table, const struct look *look)
{
    struct best best = {NULL, NULL, NULL};

    for (size_t i = 0; i < table->count; i++) {
        const struct injector *injector = &table->injectors[i];
        for (size_t j = 0; j < injector->packet_count; j++) {
            const struct injector_packet *packet = &injector->packets[j];
            unsigned least = best.packet ? best.packet->points : 0;
            if (packet->points < least || !packet_holds(packet, look))
                continue;
            bool tied = packet->points == least && best.injector && best.injector != injector;
            best = tied ? (struct best){best.injector, injector, best.packet}
                        : (struct best){injector, NULL, packet};
        }
    }
    return best;
}

/* ---- the evidence ---- */

static void list_features(const struct injector_packet *packet, char text[TEXT_SIZE])
{
    size_t length = 0;

    text[0] = '\0';
    for (size_t i = 0; i < packet->feature_count && length < TEXT_SIZE; i++)
        if (packet->features[i].how != INJECTOR_TOLD)
            length +=
                (size_t)snprintf(text + length, TEXT_SIZE - length, "%s%s", length ? ", " : "",
                                 injector_what_text(packet->features[i].what));
    if (packet->address_count > 0 && length < TEXT_SIZE)
        snprintf(text + length, TEXT_SIZE - length, "%saddress", length ? ", " : "");
}

static void name_best(struct proof *proof, const struct best *best, uint64_t packet)
{
    char features[TEXT_SIZE];

    if (!best->injector)
        return;
    list_features(best->packet, features);
    /* What somebody put before his own server speaks against nobody between. */
    if (!injector_is_between(best->injector))
        judge_note(proof->verdict, "injector", "packet %" PRIu64 ": device family: %s (%s)", packet,
                   best->injector->id, features);
    else
        proof_add(proof, "injector", "packet %" PRIu64 ": device family: %s%s%s (%s)", packet,
                  best->injector->id, best->other ? " or " : "", best->other ? best->other->id : "",
                  features);
}

/* ---- connections ---- */

static struct look look_of_suspect(const struct proof *proof, const struct suspect *s)
{
    const struct side_facts *own = &proof->flow->evidence.sides[s->side];
    const struct side_facts *other = &proof->flow->evidence.sides[!s->side];
    struct look look;

    look_init(&look, s->kind == SUSPECT_RST ? INJECTOR_RST : INJECTOR_PAGE);
    look.values[INJECTOR_FLAGS] = s->tcp_flags & FLAGS_COMPARED;
    look.values[INJECTOR_TTL] = s->ttl;
    look.values[INJECTOR_WINDOW] = s->window;
    look.client_window = other->window_last;
    look.values[INJECTOR_COUNT] = s->copies + 1;
    look.values[INJECTOR_PAYLOAD] = s->payload_length;
    look.values[INJECTOR_SEQUENCE] = s->seq_offset;
    if (s->ack_offset != INT32_MIN)
        look.values[INJECTOR_ACK] = s->ack_offset;
    look.values[INJECTOR_PORT] = proof->flow->server_port;
    if ((own->flags | other->flags) & (SIDE_DF | SIDE_NO_DF) || s->ip_id != 0) {
        look.values[INJECTOR_DF] = s->ip_flags & 1;
        look.values[INJECTOR_IP_ID] = s->ip_id;
        look.ip_id_from_client = s->ip_id_from_other;
    }
    return look;
}

/* An end's own packets look like its others: what does is not compared at all. */
static bool is_foreign(const struct proof *proof, const struct suspect *s)
{
    const struct side_facts *own = &proof->flow->evidence.sides[s->side];
    bool df = s->ip_flags & 1;

    if (s->ttl_expected == 0 || abs((int)s->ttl - (int)s->ttl_expected) >= TTL_FAR)
        return true;
    return df ? !(own->flags & SIDE_DF) : !(own->flags & SIDE_NO_DF);
}

void proof_injector(struct proof *proof, bool resets)
{
    const struct injector_table *table = proof->context->injectors;
    const struct evidence_facts *e = &proof->flow->evidence;
    struct best best = {NULL, NULL, NULL};
    uint64_t number = 0;

    for (unsigned i = 0; table && i < e->suspect_count && i < SUSPECTS_MAX; i++) {
        const struct suspect *s = &e->suspects[i];
        bool reset = s->kind == SUSPECT_RST;
        if ((reset && !resets) || (!reset && s->payload_length == 0) || !is_foreign(proof, s))
            continue;
        struct look look = look_of_suspect(proof, s);
        struct best found = best_of(table, &look);
        if (found.injector && (!best.injector || found.packet->points > best.packet->points)) {
            best = found;
            number = s->packet;
        }
    }
    name_best(proof, &best, number);
}

/* ---- questions ---- */

static struct look look_of_answer(const struct observation *question,
                                  const struct dns_facts_answer *answer)
{
    struct look look;

    look_init(&look, INJECTOR_DNS);
    look.answer = answer;
    look.values[INJECTOR_TTL] = answer->ip_ttl;
    look.values[INJECTOR_DF] = answer->ip_flags & 1;
    look.values[INJECTOR_IP_ID] = answer->ip_id;
    look.values[INJECTOR_ANSWER_FLAGS] = answer->flags;
    look.values[INJECTOR_RECORD_TTL] = answer->ttl;
    if (question->dns.edns_asked)
        look.values[INJECTOR_EDNS] = answer->has_edns;
    return look;
}

/* Only where the answers are doubtful already: an address of the poison may be somebody's. */
void proof_injector_dns(struct proof *proof)
{
    const struct injector_table *table = proof->context->injectors;
    const struct dns_facts *dns = &proof->flow->dns;
    const char *mechanism = proof->verdict->mechanism;

    if (!mechanism || strncmp(mechanism, "dns.injection", strlen("dns.injection")) != 0)
        return;
    for (unsigned i = 0; table && i < dns->answer_count && i < DNS_FACTS_ANSWERS; i++) {
        struct look look = look_of_answer(proof->flow, &dns->answers[i]);
        struct best best = best_of(table, &look);
        name_best(proof, &best, dns->answers[i].packet);
        if (best.injector)
            return;
    }
}
