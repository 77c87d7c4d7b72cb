// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/lab/middlebox/flows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "probe/inspect/http.h"
#include "probe/inspect/tls.h"

int flow_table_init(struct flow_table *table)
{
    *table = (struct flow_table){.flows = calloc(FLOWS_MAX, sizeof(struct flow))};
    return table->flows ? DL_OK : -ENOMEM;
}

void flow_table_finish(struct flow_table *table)
{
    free(table->flows);
    table->flows = NULL;
}

static struct habits *end_of(struct flow_table *table, const struct address *address)
{
    for (size_t i = 0; i < table->end_count; i++)
        if (address_equal(&table->ends[i].address, address))
            return &table->ends[i].habits;
    if (table->end_count == ENDS_MAX)
        return NULL;
    table->ends[table->end_count].address = *address;
    return &table->ends[table->end_count++].habits;
}

static bool is_flow_of(const struct flow *f, const struct packet *p, enum side side)
{
    const struct address *client = side == SIDE_CLIENT ? &p->source : &p->destination;
    const struct address *server = side == SIDE_CLIENT ? &p->destination : &p->source;
    uint16_t client_port = side == SIDE_CLIENT ? p->source_port : p->destination_port;
    uint16_t server_port = side == SIDE_CLIENT ? p->destination_port : p->source_port;
    return f->client_port == client_port && f->server_port == server_port &&
           f->transport == p->transport && address_equal(&f->client, client) &&
           address_equal(&f->server, server);
}

static bool is_first_syn(const struct packet *p)
{
    return p->transport == TRANSPORT_TCP && (p->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

static void begin(struct flow_table *table, struct flow *flow, const struct packet *p,
                  enum side side, int64_t now_us)
{
    bool up = side == SIDE_CLIENT;
    *flow = (struct flow){.client = up ? p->source : p->destination,
                          .server = up ? p->destination : p->source,
                          .client_port = up ? p->source_port : p->destination_port,
                          .server_port = up ? p->destination_port : p->source_port,
                          .transport = p->transport,
                          .first_us = now_us,
                          .last_us = now_us,
                          .client_isn = p->seq};
    const struct address *addresses[2] = {&flow->client, &flow->server};
    for (int i = 0; i < 2; i++) {
        const struct habits *known = end_of(table, addresses[i]);
        if (known)
            flow->ends[i].habits = *known;
    }
}

static struct flow *find(struct flow_table *table, const struct packet *p, enum side side,
                         int64_t now_us)
{
    /* The newest first: it is the likeliest, and ports come again. */
    for (size_t i = table->count; i-- > 0;) {
        struct flow *flow = &table->flows[i];
        if (!is_flow_of(flow, p, side))
            continue;
        if (side == SIDE_CLIENT && is_first_syn(p) && p->seq != flow->client_isn)
            begin(table, flow, p, side, now_us);
        return flow;
    }
    if (table->count == FLOWS_MAX) {
        table->refused++;
        return NULL;
    }
    struct flow *flow = &table->flows[table->count++];
    begin(table, flow, p, side, now_us);
    return flow;
}

static void learn_habits(struct flow_table *table, struct flow_end *end, const struct packet *p)
{
    end->habits = (struct habits){true, p->ttl, p->ip_id, (p->flags & PACKET_DF) != 0};
    struct habits *known = end_of(table, &p->source);
    if (known)
        *known = end->habits;
}

static void learn_positions(struct flow_end *end, const struct packet *p)
{
    uint32_t after = p->seq + p->payload_length;
    if (p->tcp_flags & (TCP_SYN | TCP_FIN))
        after++;
    if (p->tcp_flags & TCP_SYN) {
        end->next = after;
        end->offered_timestamps = p->tcp_options & TCP_OPTION_TIMESTAMP;
    } else if (!(p->tcp_flags & TCP_RST) && (int32_t)(after - end->next) > 0) {
        end->next = after;
    }
    if (p->tcp_flags & TCP_ACK)
        end->ack = p->ack;
    if (p->tcp_options & TCP_OPTION_TIMESTAMP)
        end->ts_value = p->tcp_ts_value;
    end->window = p->tcp_window;
}

static void take_name(struct flow *flow, enum name_kind kind, const char *name)
{
    flow->name_kind = kind;
    snprintf(flow->name, sizeof(flow->name), "%s", name);
}

/* What the client's first bytes are; true when they are known, even as unknown. */
static bool read_request(struct flow *flow)
{
    bool full = flow->request_length == REQUEST_MAX;
    struct tls_client tls = {0};
    enum parse_result r = tls_parse_client(flow->request, flow->request_length, &tls);
    if (r == PARSE_DONE)
        take_name(flow, NAME_SNI, tls.host);
    if (r != PARSE_NOT_MINE)
        return r == PARSE_DONE || full;
    struct http_request http = {0};
    r = http_parse_request(flow->request, flow->request_length, full, &http);
    if (r == PARSE_DONE)
        take_name(flow, NAME_HOST, http.host);
    return r != PARSE_MORE || full;
}

/* Adds bytes that come in order; those of a retransmission, or behind a hole, wait for their turn.
 */
static bool add_request(struct flow *flow, const struct packet *p)
{
    if (p->seq - (flow->client_isn + 1) != flow->request_length)
        return false;
    size_t room = REQUEST_MAX - flow->request_length;
    size_t taken = MIN_OF(p->payload_captured, room);
    memcpy(flow->request + flow->request_length, p->payload, taken);
    flow->request_length += taken;
    flow->request_done = read_request(flow);
    return flow->request_done;
}

static unsigned tcp_moments(struct flow *flow, const struct packet *p, enum side side)
{
    if (side == SIDE_SERVER) {
        if (p->tcp_flags & TCP_SYN) {
            flow->synack = true;
            return MOMENT_SYNACK;
        }
        return flow->established ? MOMENT_LATER : 0;
    }
    if (is_first_syn(p))
        return MOMENT_SYN;
    unsigned found = flow->established ? MOMENT_LATER : 0;
    if (!flow->established && flow->synack && p->tcp_flags & TCP_ACK) {
        flow->established = true;
        found |= MOMENT_ESTABLISHED;
    }
    if (p->payload_captured && !flow->request_done && add_request(flow, p))
        found |= MOMENT_REQUEST;
    return found;
}

static unsigned udp_moments(struct flow *flow, const struct packet *p, enum side side,
                            struct dns_message *dns)
{
    unsigned found = MOMENT_DATAGRAM | MOMENT_LATER;
    if (side == SIDE_SERVER)
        return found;
    if (p->destination_port == DNS_PORT) {
        bool asks =
            dns_parse(p->payload, p->payload_captured, dns) == PARSE_DONE && !dns->is_response;
        return asks ? MOMENT_QUESTION : 0;
    }
    if (flow->request_done || !p->payload_captured)
        return found;
    struct tls_client tls = {0};
    enum parse_result r = quic_parse_client(p->payload, p->payload_captured, &flow->quic, &tls);
    if (r == PARSE_DONE)
        take_name(flow, NAME_SNI, tls.host);
    flow->request_done = r != PARSE_MORE;
    return found | (flow->request_done ? MOMENT_REQUEST : 0);
}

bool flow_see(struct flow_table *table, const struct packet *packet, enum side side, int64_t now_us,
              struct seen *ret_seen)
{
    if (packet->transport != TRANSPORT_TCP && packet->transport != TRANSPORT_UDP)
        return false;
    struct flow *flow = find(table, packet, side, now_us);
    if (!flow)
        return false;
    *ret_seen = (struct seen){.packet = packet, .flow = flow, .side = side};
    flow->idle_us = now_us - flow->last_us;
    flow->last_us = now_us;
    flow->ends[side].bytes += packet->payload_length;
    learn_habits(table, &flow->ends[side], packet);
    if (packet->transport == TRANSPORT_UDP) {
        ret_seen->moments = udp_moments(flow, packet, side, &ret_seen->dns);
        return true;
    }
    learn_positions(&flow->ends[side], packet);
    ret_seen->moments = tcp_moments(flow, packet, side);
    return true;
}

void residual_add(struct flow_table *table, const struct flow *flow, const struct rule *rule,
                  int64_t now_us, int64_t until_us)
{
    if (table->residual_count == RESIDUALS_MAX) {
        table->residual_count--;
        memmove(table->residuals, table->residuals + 1,
                table->residual_count * sizeof(table->residuals[0]));
    }
    table->residuals[table->residual_count++] =
        (struct residual){flow->client, flow->server, flow->server_port, now_us, until_us, rule};
}

const struct residual *residual_find(const struct flow_table *table, const struct flow *flow,
                                     int64_t now_us)
{
    for (size_t i = table->residual_count; i-- > 0;) {
        const struct residual *r = &table->residuals[i];
        if (now_us < r->until_us && flow->first_us > r->since_us &&
            r->server_port == flow->server_port && address_equal(&r->client, &flow->client) &&
            address_equal(&r->server, &flow->server))
            return r;
    }
    return NULL;
}
