// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * DNS: each question is a record of its own, by 5-tuple, transaction id, name and type (glibc sends
 * A and AAAA on one 5-tuple and retries with the same ids). Different answers to one question are
 * kept apart; what was answered is remembered for the flows that follow.
 */
#include "base/array.h"
#include "base/status.h"
#include "probe/inspect/blockpage.h"
#include "probe/inspect/dns.h"
#include "probe/probe_internal.h"

#define PORT_DNS     53
#define EVICTED_MOST 16  /* for one question */
#define PORT_TLS     443 /* where a service's own addresses answer, whatever else they do */
#define OWNERS_MAX   8

static struct flow *question_find(struct probe *probe, const struct packet *packet,
                                  const struct dns_message *message, bool *ret_new,
                                  enum side *ret_side)
{
    struct flow_table *table = probe->tracker.table;
    uint32_t sub = flow_table_hash_question(table, message->id, message->type, message->name);
    struct flow_lookup lookup =
        flow_table_key(table, &packet->source, packet->source_port, &packet->destination,
                       packet->destination_port, packet->transport, sub);
    struct flow *flow = tracker_unless_overdue(
        &probe->tracker,
        flow_table_find(table, &lookup, &packet->source, packet->source_port, &packet->destination,
                        packet->destination_port, packet->transport));
    *ret_side = message->is_response ? SIDE_SERVER : SIDE_CLIENT;
    *ret_new = flow == NULL;
    if (flow)
        return flow;
    flow = flow_table_add(table, &lookup, &packet->source, packet->source_port,
                          &packet->destination, packet->destination_port, packet->transport,
                          FLOW_CLASS_QUESTION, packet->time_us);
    if (!flow)
        return NULL;
    if (lookup.from_high != message->is_response)
        flow->flags |= FLOW_CLIENT_IS_HIGH;
    if (message->is_response)
        flow->flags |= FLOW_MID_STREAM;
    flow->packet_low = (uint32_t)packet->number;
    flow->packet_high = (uint8_t)(packet->number >> 32);
    flow->stage = STAGE_DNS;
    flow->flags |= FLOW_DECIDED;
    flow->protocol = probe->protocol_dns;
    return flow;
}

/* Room for a question and an answer. Where there is none the oldest questions end: theirs was the time
 * to be answered, and a flood must not leave the others without a name. Not all of them hold one. */
static void make_room(struct probe *probe)
{
    const struct pool *questions = &probe->questions, *answers = &probe->answers;
    for (int i = 0; i < EVICTED_MOST &&
                    (questions->taken == questions->maximum || answers->taken == answers->maximum);
         i++)
        flow_table_evict(probe->tracker.table, FLOW_CLASS_QUESTION);
}

static void question_begin(struct probe *probe, struct flow *flow, const struct packet *packet,
                           const struct dns_message *message)
{
    struct catalog_match match;
    bool found =
        message->name[0] && catalog_match_host(probe->options.catalog, message->name,
                                               strlen(message->name), TRANSPORT_NONE, 0, &match);
    probe->stats.questions++;
    if (probe->options.on_client)
        probe->options.on_client(probe->options.context, flow_address(flow, SIDE_CLIENT),
                                 packet->time_us);
    if (found)
        flow->service = match.service;
    if (found || probe->options.all_names ||
        (message->name[0] &&
         catalog_is_watched(probe->options.catalog, message->name, strlen(message->name))))
        flow->flags |= FLOW_INTERESTING;
    flow->inspection = pool_take(&probe->questions);
    struct question *question = probe_question(probe, flow);
    if (!question)
        return;
    memcpy(question->name, message->name, strlen(message->name) + 1);
    question->certainty = !found            ? CERTAINTY_NONE
                          : match.confirmed ? CERTAINTY_CERTAIN
                                            : CERTAINTY_LIKELY;
    question->qtype = message->type;
    question->id = message->id;
    question->edns_asked = message->has_edns && !message->is_response;
    question->over_tcp = packet->transport == TRANSPORT_TCP;
}

static void answer_fill(struct dns_facts_answer *answer, const struct flow *flow,
                        const struct packet *packet, const struct dns_message *message)
{
    *answer = (struct dns_facts_answer){.after_us = flow_offset_us(flow, packet->time_us),
                                        .rcode = message->rcode,
                                        .ip_ttl = packet->ttl,
                                        .flags = message->flags,
                                        .ip_id = packet->ip_id,
                                        .ip_flags = (packet->flags & PACKET_DF) ? 1 : 0,
                                        .has_edns = message->has_edns,
                                        .truncated = message->truncated,
                                        .complete = message->complete,
                                        .ttl = message->answers_kept ? UINT32_MAX : 0,
                                        .packet = packet->number};
    for (unsigned i = 0; i < message->answers_kept; i++) {
        const struct dns_answer *record = &message->answers[i];
        answer->ttl = MIN_OF(answer->ttl, record->ttl);
        answer->has_ech |= record->has_ech;
        for (unsigned a = 0;
             a < record->address_count && answer->address_count < DNS_FACTS_ADDRESSES; a++)
            answer->addresses[answer->address_count++] = record->addresses[a];
    }
}

static bool answer_has(const struct dns_facts_answer *answer, const struct address *address)
{
    for (unsigned i = 0; i < answer->address_count; i++)
        if (address_equal(&answer->addresses[i], address))
            return true;
    return false;
}

/* The same answer again, be it in another order or with a TTL counted down: a retransmission, not a
 * contradiction. */
static bool answer_same(const struct dns_facts_answer *a, const struct dns_facts_answer *b)
{
    if (a->rcode != b->rcode || a->address_count != b->address_count ||
        a->truncated != b->truncated)
        return false;
    for (unsigned i = 0; i < a->address_count; i++)
        if (!answer_has(b, &a->addresses[i]))
            return false;
    return true;
}

static enum dns_page_owner owner_of(const struct catalog *catalog, uint16_t asked,
                                    const struct address *address)
{
    struct catalog_match matches[OWNERS_MAX];
    const struct catalog_service *service = catalog_service_at(catalog, asked);
    size_t count =
        catalog_match_address(catalog, address, TRANSPORT_TCP, PORT_TLS, matches, OWNERS_MAX);
    for (size_t i = 0; i < count && i < OWNERS_MAX; i++) {
        const struct catalog_service *owner = catalog_service_at(catalog, matches[i].service);
        if (service && owner && strcmp(owner->operator_name, service->operator_name) == 0)
            return DNS_PAGE_OF_ASKED;
    }
    return count > 0 ? DNS_PAGE_OF_OTHER : DNS_PAGE_OF_NONE;
}

/* Of several addresses the one counts that no service is known to have. */
static void inspect_page(const struct probe *probe, const struct flow *flow,
                         const struct address *address, struct question *question)
{
    struct blockpage_facts page = {.id = ""};
    blockpage_inspect_address(probe->options.fingerprints, address, &page);
    if (!page.id[0])
        return;
    enum dns_page_owner owner = owner_of(probe->options.catalog, flow->service, address);
    if (question->blockpage.id[0] && owner > question->page_owner)
        return;
    if (owner < question->page_owner)
        question->blockpage = (struct blockpage_facts){.id = ""};
    question->page_owner = (uint8_t)owner;
    blockpage_inspect_address(probe->options.fingerprints, address, &question->blockpage);
}

static struct dns_facts_answer *answer_at(const struct probe *probe,
                                          const struct question *question, unsigned i)
{
    return pool_at(&probe->answers, question->answers[i]);
}

static void answer_add(struct probe *probe, struct question *question, const struct flow *flow,
                       const struct packet *packet, const struct dns_message *message)
{
    struct dns_facts_answer answer;
    answer_fill(&answer, flow, packet, message);
    for (unsigned i = 0; i < question->answer_count; i++)
        if (answer_same(answer_at(probe, question, i), &answer))
            return;
    uint32_t slot =
        question->answer_count < DNS_FACTS_ANSWERS ? pool_take(&probe->answers) : POOL_NONE;
    if (slot == POOL_NONE)
        return;
    question->answers[question->answer_count++] = slot;
    memcpy(pool_at(&probe->answers, slot), &answer, sizeof(answer));
    for (unsigned i = 0; i < answer.address_count; i++)
        inspect_page(probe, flow, &answer.addresses[i], question);
}

void probe_question_export(const struct probe *probe, const struct question *question,
                           struct dns_facts *ret_facts)
{
    memset(ret_facts, 0, sizeof(*ret_facts));
    ret_facts->present = true;
    ret_facts->qtype = question->qtype;
    ret_facts->id = question->id;
    ret_facts->edns_asked = question->edns_asked;
    ret_facts->over_tcp = question->over_tcp;
    ret_facts->blockpage = question->blockpage;
    ret_facts->page_owner = question->page_owner;
    ret_facts->answer_count = question->answer_count;
    for (unsigned i = 0; i < question->answer_count; i++)
        ret_facts->answers[i] = *answer_at(probe, question, i);
}

void probe_question_release(struct probe *probe, struct flow *flow)
{
    struct question *question = probe_question(probe, flow);
    if (!question)
        return;
    for (unsigned i = 0; i < question->answer_count; i++)
        pool_give(&probe->answers, question->answers[i]);
    pool_give(&probe->questions, flow->inspection);
    flow->inspection = POOL_NONE;
}

static void tell(struct probe *probe, const struct flow *flow, const struct address *server,
                 const struct dns_name *name, uint32_t ttl)
{
    const struct probe_part *part = probe->options.part;
    const struct address *client = flow_address(flow, SIDE_CLIENT);
    if (!part) {
        dns_cache_add(probe->dns_cache, client, server, name, ttl);
        return;
    }
    struct told_name told = {.client = *client, .server = *server, .name = *name, .ttl = ttl};
    told.host = name->host ? intern_text(probe->names, name->host) : NULL;
    part->on_name(part->context, &told);
}

/* Remembers the addresses for the flows that will follow. */
static void remember(struct probe *probe, const struct flow *flow, const struct question *question,
                     const struct packet *packet, const struct dns_message *message)
{
    if (message->rcode != DNS_RCODE_NOERROR || !message->name[0])
        return;
    struct dns_name name = {.service = flow->service,
                            .name_hash = dns_cache_hash_name(probe->dns_cache, message->name),
                            .packet = flow_packet(flow),
                            .confirmed = question && question->certainty == CERTAINTY_CERTAIN,
                            .asked_us = packet->time_us};
    if (flow->flags & FLOW_INTERESTING)
        name.host = intern_add(probe->names, message->name, strlen(message->name));
    for (unsigned i = 0; i < message->answers_kept; i++) {
        const struct dns_answer *record = &message->answers[i];
        name.has_ech = record->has_ech;
        for (unsigned a = 0; a < record->address_count; a++)
            tell(probe, flow, &record->addresses[a], &name, record->ttl);
    }
}

static void prefetch_names(const struct probe *probe, const struct flow *flow,
                           const struct dns_message *message)
{
    for (unsigned i = 0; i < message->answers_kept; i++)
        for (unsigned a = 0; a < message->answers[i].address_count; a++)
            dns_cache_prefetch(probe->dns_cache, flow_address(flow, SIDE_CLIENT),
                               &message->answers[i].addresses[a]);
}

static void take_answer(struct probe *probe, struct flow *flow, const struct packet *packet,
                        const struct dns_message *message)
{
    struct question *question = probe_question(probe, flow);
    prefetch_names(probe, flow, message);
    flow->flags |= FLOW_ANSWERED;
    if (question)
        answer_add(probe, question, flow, packet, message);
    remember(probe, flow, question, packet, message);
    if (question &&
        !(flow->flags & FLOW_INTERESTING)) /* only counted: the name is not needed any more */
        probe_question_release(probe, flow);
}

static void take_message(struct probe *probe, const struct packet *packet,
                         const struct dns_message *message)
{
    bool is_new;
    enum side side;
    make_room(probe);
    struct flow *flow = question_find(probe, packet, message, &is_new, &side);
    if (!flow)
        return;
    if (is_new)
        question_begin(probe, flow, packet, message);
    tracker_count(&probe->tracker, flow, side, packet);
    if (message->is_response)
        take_answer(probe, flow, packet, message);
    if (probe->options.live && (flow->flags & FLOW_INTERESTING) && (is_new || message->is_response))
        probe_export(probe, flow, CLOSE_NONE, true);
}

bool probe_take_dns(struct probe *probe, const struct packet *packet)
{
    struct dns_message message;
    const uint8_t *bytes = packet->payload;
    size_t length = packet->payload_captured;
    if (!bytes)
        return false;
    if (packet->transport == TRANSPORT_TCP) { /* only messages that begin and end in one segment */
        if (length < 2 || (size_t)(bytes[0] << 8 | bytes[1]) != length - 2)
            return false;
        bytes += 2;
        length -= 2;
    } else if (packet->transport != TRANSPORT_UDP) {
        return false;
    }
    if (dns_parse(bytes, length, &message) != PARSE_DONE || !message.name_valid)
        return false;
    bool from_server = packet->source_port == PORT_DNS;
    bool to_server = packet->destination_port == PORT_DNS;
    if (from_server != to_server && message.is_response != from_server)
        return false;
    take_message(probe, packet, &message);
    return true;
}
