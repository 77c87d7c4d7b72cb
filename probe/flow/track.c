// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/flow/track.h"

#include <errno.h>

#include "base/array.h"
#include "base/cursor.h"
#include "base/clock.h"
#include "base/status.h"
#include "probe/flow/client.h"

#define TTL_STEP_NOTED   3 /* a payload packet this far from its side's last TTL deserves a look */
#define QUIC_LONG_HEADER 0x80
#define PADDING_MOST     6u /* 60 bytes of Ethernet less headers without options */
#define ONE_SIDED_TALK   3u
#define DETAILS_TO_MORE  8u
#define STRAY_SYN_US     CLOCK_SECOND_US
#define SYN_ACK_REACH    (1u << 20) /* what a server may have sent before its SYN-ACK comes again */

static void flow_gone(void *context, struct flow *flow, enum close_reason reason)
{
    struct tracker *tracker = context;
    tracker->options.ended(tracker->options.context, flow, reason);
    tracker_drop_evidence(tracker, flow);
}

static void prefetch_evidence(const struct tracker *tracker, const struct flow *flow)
{
    if (!flow->evidence)
        return;
    const char *evidence = pool_at(&tracker->evidence, flow->evidence);
    __builtin_prefetch(evidence, 1);
    __builtin_prefetch(evidence + sizeof(struct evidence) / 2, 1);
    __builtin_prefetch(evidence + sizeof(struct evidence) - 1, 1);
}

static void flow_ending(void *context, const struct flow *flow)
{
    prefetch_evidence(context, flow);
}

int tracker_init(struct tracker *tracker, const struct track_options *options)
{
    memset(tracker, 0, sizeof(*tracker));
    tracker->options = *options;
    struct flow_table_options table = {.maximum = options->flows_maximum,
                                       .ended = flow_gone,
                                       .ending = flow_ending,
                                       .context = tracker};
    int status = flow_table_create(&tracker->table, &table);
    if (status == DL_OK)
        status = pool_init(&tracker->evidence, sizeof(struct evidence), options->flows_maximum);
    if (status == DL_OK)
        status = pool_init(&tracker->details, sizeof(struct details), options->details_maximum);
    if (status == DL_OK)
        status = pool_init(&tracker->more, sizeof(struct details_more),
                           MAX_OF(options->details_maximum / DETAILS_TO_MORE, 1));
    if (status == DL_OK)
        status =
            pool_init(&tracker->texts, sizeof(struct details_texts),
                      options->texts_maximum ? options->texts_maximum : options->details_maximum);
    if (status == DL_OK)
        status = contents_init(&tracker->contents, options->contents_maximum);
    if (status == DL_OK)
        status = pool_init(&tracker->paces, sizeof(struct pace), MAX_OF(options->paces_maximum, 1));
    if (status != DL_OK)
        tracker_finish(tracker);
    return status;
}

void tracker_finish(struct tracker *tracker)
{
    flow_table_destroy(tracker->table);
    pool_finish(&tracker->evidence);
    pool_finish(&tracker->details);
    pool_finish(&tracker->more);
    pool_finish(&tracker->texts);
    contents_finish(&tracker->contents);
    pool_finish(&tracker->paces);
    memset(tracker, 0, sizeof(*tracker));
}

struct flow *tracker_unless_overdue(struct tracker *tracker, struct flow *flow)
{
    if (!flow || !flow_table_is_overdue(tracker->table, flow, tracker->passed_us))
        return flow;
    flow_table_end(tracker->table, flow, CLOSE_IDLE);
    return NULL;
}

/* ---- what any packet adds ---- */

static void count_ip_id(struct evidence_side *side, const struct packet *packet, bool first)
{
    if (packet->ip_version != 4)
        return;
    if (first) {
        side->ip_id_first = packet->ip_id;
        side->flags |= SIDE_IP_ID_ZERO;
    } else {
        uint16_t step = (uint16_t)(packet->ip_id - side->ip_id_last);
        side->ip_id_max_step = MAX_OF(side->ip_id_max_step, step);
    }
    if (packet->ip_id)
        side->flags &= (uint8_t)~SIDE_IP_ID_ZERO;
    side->ip_id_last = packet->ip_id;
}

static void count_evidence(struct evidence_side *side, const struct flow *flow,
                           const struct packet *packet, bool first)
{
    if (first)
        side->ttl_first = side->ttl_min = side->ttl_max = packet->ttl;
    side->ttl_min = MIN_OF(side->ttl_min, packet->ttl);
    side->ttl_max = MAX_OF(side->ttl_max, packet->ttl);
    side->flags |= (packet->flags & PACKET_DF) ? SIDE_DF : SIDE_NO_DF;
    count_ip_id(side, packet, first);
    if (packet->transport == TRANSPORT_TCP) {
        side->window_last = packet->tcp_window;
        if (packet->tcp_options & TCP_OPTION_TIMESTAMP)
            side->flags |= SIDE_TIMESTAMPS;
    }
    side->last_packet_after_us = flow_offset_us(flow, packet->time_us);
}

void tracker_count(struct tracker *tracker, struct flow *flow, enum side side,
                   const struct packet *packet)
{
    struct evidence *evidence = tracker_evidence(tracker, flow);
    if (evidence && !(packet->tcp_flags & TCP_RST))
        count_evidence(&evidence->sides[side], flow, packet, evidence->sides[side].ttl_max == 0);
    if (!(packet->tcp_flags & TCP_RST))
        flow->ttl[side] = packet->ttl;
    flow->packets[side] += flow->packets[side] < UINT32_MAX;
    uint32_t low = flow->bytes_low[side] + packet->bytes;
    flow->bytes_high[side] += low < packet->bytes;
    flow->bytes_low[side] = low;
    flow_table_touch(tracker->table, flow, packet->time_us);
}

static void count_payload(struct evidence *evidence, const struct flow *flow, enum side side,
                          const struct packet *packet)
{
    struct evidence_side *own = &evidence->sides[side];
    uint32_t now = flow_offset_us(flow, packet->time_us);
    if (own->payload_packets == 0) {
        own->first_payload_after_us = now;
        own->first_payload_length = (uint16_t)MIN_OF(packet->payload_length, UINT16_MAX);
    }
    own->payload_packets += own->payload_packets < UINT8_MAX;
    own->last_payload_after_us = now;
}

static void count_payload_bytes(struct evidence_side *side, uint32_t bytes)
{
    uint32_t low = side->payload_low + bytes;
    side->payload_high += low < bytes;
    side->payload_low = low;
}

/* ---- a flow begins ---- */

static enum flow_class class_at_start(const struct packet *packet)
{
    return packet->transport == TRANSPORT_TCP ? FLOW_CLASS_OPENING : FLOW_CLASS_DATAGRAM;
}

static struct flow *flow_begin(struct tracker *tracker, const struct packet *packet,
                               const struct flow_lookup *lookup)
{
    bool guessed;
    struct flow *flow = flow_table_add(tracker->table, lookup, &packet->source, packet->source_port,
                                       &packet->destination, packet->destination_port,
                                       packet->transport, class_at_start(packet), packet->time_us);
    if (!flow)
        return NULL;
    if (client_is_source(&tracker->options, packet, &guessed) == lookup->from_high)
        flow->flags |= FLOW_CLIENT_IS_HIGH;
    if (guessed)
        flow->flags |= FLOW_CLIENT_GUESSED;
    if (packet->transport == TRANSPORT_TCP && !(packet->tcp_flags & TCP_SYN))
        flow->flags |= FLOW_MID_STREAM;
    flow->packet_low = (uint32_t)packet->number;
    flow->packet_high = (uint8_t)(packet->number >> 32);
    flow->stage = packet->transport == TRANSPORT_TCP ? STAGE_TCP : STAGE_NONE;
    tracker_give_evidence(tracker, flow);
    return flow;
}

/* ---- TCP ---- */

/* The first one may have been answered before the second comes: the server is further by then. */
static bool is_other_syn_ack(const struct flow *flow, const struct evidence_side *own,
                             uint32_t next)
{
    uint32_t reach = own->payload_packets > 0 || (own->flags & SIDE_FIN) ? SYN_ACK_REACH : 0;
    return flow->next_seq[SIDE_SERVER] - next > reach;
}

static void tcp_syn(struct tracker *tracker, struct flow *flow, enum side side,
                    const struct packet *packet)
{
    struct evidence *evidence = tracker_evidence(tracker, flow);
    struct evidence_side *own = evidence ? &evidence->sides[side] : NULL;
    uint32_t next = packet->seq + 1 + packet->payload_length;
    if (own && (own->flags & SIDE_SYN)) {
        own->syn_retransmissions += own->syn_retransmissions < UINT8_MAX;
        if (side == SIDE_SERVER && is_other_syn_ack(flow, own, next))
            suspect_add(tracker, flow, side, SUSPECT_SYN_ACK, packet);
        return;
    }
    flow->next_seq[side] = next;
    if (side == SIDE_SERVER)
        flow->flags |= FLOW_SYN_ACK;
    if (!own)
        return;
    own->flags |= SIDE_SYN;
    own->syn_options = packet->tcp_options;
    own->syn_window = packet->tcp_window;
    own->syn_mss = packet->tcp_mss;
    own->syn_window_scale = packet->tcp_window_scale;
    if (side == SIDE_SERVER && (evidence->sides[SIDE_CLIENT].flags & SIDE_SYN) &&
        evidence->sides[SIDE_CLIENT].syn_retransmissions == 0)
        evidence->handshake_rtt_us = MAX_OF(flow_offset_us(flow, packet->time_us), 1);
}

static void tcp_reset(struct tracker *tracker, struct flow *flow, enum side side,
                      const struct packet *packet)
{
    struct evidence *evidence = tracker_evidence(tracker, flow);
    bool was_closed = (flow->flags & FLOW_FIN_CLIENT) && (flow->flags & FLOW_FIN_SERVER);
    if (evidence) {
        evidence->resets[side] += evidence->resets[side] < UINT8_MAX;
        if (packet->tcp_flags & TCP_ACK)
            evidence->resets_with_ack[side] += evidence->resets_with_ack[side] < UINT8_MAX;
        evidence->sides[side].flags |= SIDE_RST;
        /* After both said goodbye a reset is housekeeping. */
        if (!was_closed)
            suspect_add(tracker, flow, side, SUSPECT_RST, packet);
        if (evidence->close == CLOSE_NONE)
            evidence->close = was_closed ? CLOSE_FIN : CLOSE_RESET;
    }
    flow->flags |= FLOW_RESET;
    flow_table_set_class(tracker->table, flow, FLOW_CLASS_CLOSED);
}

static void tcp_fin(struct tracker *tracker, struct flow *flow, enum side side)
{
    struct evidence *evidence = tracker_evidence(tracker, flow);
    flow->flags |= side == SIDE_CLIENT ? FLOW_FIN_CLIENT : FLOW_FIN_SERVER;
    if (evidence)
        evidence->sides[side].flags |= SIDE_FIN;
    if ((flow->flags & FLOW_FIN_CLIENT) && (flow->flags & FLOW_FIN_SERVER)) {
        if (evidence && evidence->close == CLOSE_NONE)
            evidence->close = CLOSE_FIN;
        flow_table_set_class(tracker->table, flow, FLOW_CLASS_CLOSED);
    }
}

static bool is_keepalive(const struct flow *flow, enum side side, const struct packet *packet)
{
    return packet->payload_length <= 1 && flow->packets[side] > 0 &&
           packet->seq + 1 == flow->next_seq[side];
}

static void tcp_payload_evidence(struct tracker *tracker, struct flow *flow, enum side side,
                                 const struct packet *packet, int32_t ahead)
{
    struct evidence *evidence = tracker_evidence(tracker, flow);
    struct evidence_side *own = &evidence->sides[side];
    struct details *details = tracker_details_if_any(tracker, flow);
    int32_t fresh =
        ahead >= 0 ? (int32_t)packet->payload_length : ahead + (int32_t)packet->payload_length;
    bool first = own->payload_packets == 0;
    unsigned step = (unsigned)(packet->ttl > flow->ttl[side] ? packet->ttl - flow->ttl[side]
                                                             : flow->ttl[side] - packet->ttl);
    if (details)
        suspect_note_payload(tracker, details, flow, side, packet);
    bool overlap = side == SIDE_SERVER && suspect_add_overlap(tracker, flow, packet);
    if (first && side == SIDE_SERVER && (packet->tcp_flags & TCP_FIN))
        suspect_add(tracker, flow, side, SUSPECT_FIN_DATA, packet);
    else if (!overlap && step >= TTL_STEP_NOTED && flow->ttl[side] != 0 &&
             own->ttl_max - own->ttl_min < TTL_STEP_NOTED)
        suspect_add(tracker, flow, side, SUSPECT_TTL, packet);
    if (ahead > 0)
        own->out_of_order += own->out_of_order < UINT8_MAX;
    if (fresh > 0)
        count_payload_bytes(own, (uint32_t)fresh);
    else
        own->data_retransmissions += own->data_retransmissions < UINT16_MAX;
    count_payload(evidence, flow, side, packet);
}

/* Some network cards count the zeros that fill a bare ACK's frame as payload: nobody's bytes. */
static bool is_padding(const struct packet *packet)
{
    static const uint8_t zeros[PADDING_MOST];
    return packet->payload_length <= PADDING_MOST &&
           packet->payload_captured == packet->payload_length &&
           (packet->tcp_flags & (TCP_PSH | TCP_FIN)) == 0 &&
           memcmp(packet->payload, zeros, packet->payload_length) == 0;
}

/* Payload of one segment; true where it is worth inspecting. */
static bool tcp_payload(struct tracker *tracker, struct flow *flow, enum side side,
                        const struct packet *packet)
{
    bool known =
        flow->next_seq[side] != 0; /* packets alone do not tell: they may have been resets */
    int32_t ahead = known ? (int32_t)(packet->seq - flow->next_seq[side]) : 0;
    uint32_t end = packet->seq + packet->payload_length;
    if (is_keepalive(flow, side, packet) || is_padding(packet))
        return false;
    if (flow->evidence)
        tcp_payload_evidence(tracker, flow, side, packet, ahead);
    if (!known || (int32_t)(end - flow->next_seq[side]) > 0)
        flow->next_seq[side] = end;
    if (side == SIDE_SERVER)
        flow->flags |= FLOW_ANSWERED;
    return true;
}

/* At least 1: 0 is unknown. Clocks of capture queues may differ by a little. */
static uint32_t since(const struct flow *flow, const struct packet *packet, uint32_t before_us)
{
    uint32_t now_us = flow_offset_us(flow, packet->time_us);
    return now_us > before_us ? now_us - before_us : 1;
}

/* The same acknowledgement once more, with nothing else in it: something is missing on the way to
 * this side. */
static void tcp_count_duplicate(struct evidence *evidence, struct flow *flow, enum side side,
                                const struct packet *packet)
{
    bool bare = packet->payload_length == 0 && (packet->tcp_flags & ~TCP_PSH) == TCP_ACK &&
                !is_keepalive(flow, side, packet);
    if (evidence && bare && flow->packets[side] > 0 && packet->ack == flow->last_ack[side] &&
        packet->tcp_window == evidence->sides[side].window_last)
        evidence->sides[side].ack_duplicates += evidence->sides[side].ack_duplicates < UINT8_MAX;
    flow->last_ack[side] = packet->ack;
}

static void tcp_ack(struct tracker *tracker, struct flow *flow, enum side side,
                    const struct packet *packet)
{
    struct evidence *evidence = tracker_evidence(tracker, flow);
    tcp_count_duplicate(evidence, flow, side, packet);
    if (!(flow->flags & FLOW_HANDSHAKE) && side == SIDE_CLIENT && (flow->flags & FLOW_SYN_ACK) &&
        (packet->tcp_flags & TCP_ACK) && !(packet->tcp_flags & TCP_SYN) &&
        (int32_t)(packet->ack - flow->next_seq[SIDE_SERVER]) >= 0) {
        flow->flags |= FLOW_HANDSHAKE;
        if (flow_is_opening(flow))
            flow_table_set_class(tracker->table, flow, FLOW_CLASS_ESTABLISHED);
        /* A SYN-ACK sent again: nobody knows which one is answered. */
        if (evidence && evidence->sides[SIDE_SERVER].syn_retransmissions == 0)
            evidence->ack_rtt_us =
                since(flow, packet, evidence->sides[SIDE_SERVER].last_packet_after_us);
    }
    /* Both sides talk, or one talks on where the other is not in the capture: no attempt any more.
     */
    bool talks = (flow->packets[0] > 0 && flow->packets[1] > 0) ||
                 (packet->payload_length > 0 && flow->packets[side] >= ONE_SIDED_TALK);
    if (flow->flags & FLOW_MID_STREAM && flow_is_opening(flow) && talks)
        flow_table_set_class(tracker->table, flow, FLOW_CLASS_ESTABLISHED);
    /* The other side's position, where only this side was seen so far. */
    if ((packet->tcp_flags & TCP_ACK) && flow->packets[!side] == 0 &&
        (flow->flags & FLOW_MID_STREAM))
        flow->next_seq[!side] = packet->ack;
}

/* From the packet on with which a side has sent enough; where no slot is free it is asked for again
 * after as much again. */
static void tcp_pace(struct tracker *tracker, struct flow *flow, enum side side,
                     const struct packet *packet, uint32_t expected, bool payload)
{
    struct evidence *evidence = tracker_evidence(tracker, flow);
    if (!evidence)
        return;
    if (evidence->pace) {
        pace_packet(pool_at(&tracker->paces, evidence->pace), side, packet, payload);
        return;
    }
    uint32_t sent = evidence->sides[side].payload_low;
    uint32_t before = sent - MIN_OF(sent, packet->payload_length);
    if (!payload || !(flow->flags & FLOW_INTERESTING) || tracker->options.paces_maximum == 0 ||
        sent / PACE_BYTES_LEAST == before / PACE_BYTES_LEAST)
        return;
    evidence->pace = pool_take(&tracker->paces);
    if (!evidence->pace) {
        tracker->paces_refused += before < PACE_BYTES_LEAST;
        return;
    }
    struct pace_start start = {.side = side,
                               .next = expected,
                               .flow_start_us = flow->start_us,
                               .bytes_before = before,
                               .rtt_us = evidence->handshake_rtt_us};
    pace_begin(pool_at(&tracker->paces, evidence->pace), &start, packet);
}

static bool tcp_packet(struct tracker *tracker, struct flow *flow, enum side side,
                       const struct packet *packet)
{
    bool payload = false;
    uint32_t expected = flow->next_seq[side];
    bool after_reset = (flow->flags & FLOW_RESET) != 0;
    if (packet->tcp_flags & TCP_RST) {
        tcp_reset(tracker, flow, side, packet);
        return false;
    }
    if (packet->tcp_flags & TCP_SYN)
        tcp_syn(tracker, flow, side, packet);
    else
        tcp_ack(tracker, flow, side, packet);
    if (packet->payload_length > 0 && !(packet->tcp_flags & TCP_SYN))
        payload = tcp_payload(tracker, flow, side, packet);
    else if (!(packet->tcp_flags & (TCP_SYN | TCP_FIN)) && !flow->next_seq[side])
        flow->next_seq[side] = packet->seq;
    if (packet->tcp_flags & TCP_FIN) {
        uint32_t end = packet->seq + packet->payload_length + 1;
        tcp_fin(tracker, flow, side);
        if (!flow->next_seq[side] || (int32_t)(end - flow->next_seq[side]) > 0)
            flow->next_seq[side] = end;
    }
    tcp_pace(tracker, flow, side, packet, expected ? expected : packet->seq, payload);
    return payload && !after_reset;
}

/* Payload, also when it is sent again, and a keep-alive want an answer; a server's packet is one,
 * but a reset may be another's. An acknowledgement of what is not here shows that the server's
 * answers are, elsewhere. */
static void tcp_count_unanswered(struct tracker *tracker, const struct flow *flow, enum side side,
                                 const struct packet *packet)
{
    struct evidence *evidence = tracker_evidence(tracker, flow);
    bool asks =
        is_keepalive(flow, side, packet) || (packet->payload_length > 0 && !is_padding(packet));

    if (!evidence || (packet->tcp_flags & (TCP_SYN | TCP_RST)))
        return;
    if (side == SIDE_SERVER || (int32_t)(packet->ack - flow->next_seq[SIDE_SERVER]) > 0) {
        evidence->unanswered = 0;
    } else if (asks) {
        if (evidence->unanswered == 0)
            evidence->unanswered_after_us = flow_offset_us(flow, packet->time_us);
        evidence->unanswered += evidence->unanswered < UINT8_MAX;
    }
}

/* Payload of a datagram; whoever sends nothing of it does not ask. */
static void datagram_payload(struct tracker *tracker, const struct flow *flow, enum side side,
                             const struct packet *packet)
{
    struct evidence *evidence = tracker_evidence(tracker, flow);
    struct cursor bytes = cursor_init(packet->payload, packet->payload_captured);

    if (!evidence)
        return;
    count_payload(evidence, flow, side, packet);
    count_payload_bytes(&evidence->sides[side], packet->payload_length);
    if (!(cursor_u8(&bytes) & QUIC_LONG_HEADER) && cursor_ok(&bytes))
        evidence->sides[side].flags |= SIDE_SHORT;
    if (side == SIDE_SERVER) {
        evidence->unanswered = 0;
    } else {
        if (evidence->unanswered == 0)
            evidence->unanswered_after_us = flow_offset_us(flow, packet->time_us);
        evidence->unanswered += evidence->unanswered < UINT8_MAX;
    }
}

/* A SYN that begins something new on an old 5-tuple? */
static bool is_reuse(const struct tracker *tracker, const struct flow *flow,
                     const struct packet *packet, bool from_high)
{
    if (packet->transport != TRANSPORT_TCP ||
        (packet->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN)
        return false;
    enum side side = flow_side_of(flow, from_high);
    const struct evidence *evidence =
        flow->evidence ? pool_at(&tracker->evidence, flow->evidence) : NULL;
    bool same = side == SIDE_CLIENT && evidence && (evidence->sides[side].flags & SIDE_SYN) &&
                !(flow->flags & (FLOW_HANDSHAKE | FLOW_FIN_CLIENT | FLOW_FIN_SERVER)) &&
                flow->next_seq[side] == packet->seq + 1 + packet->payload_length;
    if (same)
        return false;
    return flow->flow_class != FLOW_CLASS_ESTABLISHED ||
           packet->time_us - flow->last_us >= STRAY_SYN_US;
}

/* ---- ICMP errors ---- */

void tracker_look(struct tracker *tracker, const struct packet *packet, struct track_look *ret_look)
{
    ret_look->lookup =
        flow_table_key(tracker->table, &packet->source, packet->source_port, &packet->destination,
                       packet->destination_port, packet->transport, 0);
    ret_look->flow = NULL;
    flow_table_prefetch(tracker->table, &ret_look->lookup);
}

void tracker_look_at_flow(struct tracker *tracker, struct track_look *look)
{
    look->flow = flow_table_prefetch_flow(tracker->table, &look->lookup);
}

void tracker_look_at_evidence(struct tracker *tracker, const struct track_look *look)
{
    if (look->flow)
        prefetch_evidence(tracker, look->flow);
}

bool tracker_packet(struct tracker *tracker, const struct packet *packet,
                    struct tracked *ret_tracked)
{
    struct track_look look;
    tracker_look(tracker, packet, &look);
    return tracker_packet_looked(tracker, packet, &look, ret_tracked);
}

bool tracker_packet_looked(struct tracker *tracker, const struct packet *packet,
                           const struct track_look *look, struct tracked *ret_tracked)
{
    if (packet->has_quote)
        return tracker_icmp_error(tracker, packet, ret_tracked);
    struct flow_lookup lookup = look->lookup;
    struct flow *flow = look->flow;
    if (!flow || !flow_table_is(flow, &lookup, &packet->source, packet->source_port,
                                &packet->destination, packet->destination_port, packet->transport))
        flow = flow_table_find(tracker->table, &lookup, &packet->source, packet->source_port,
                               &packet->destination, packet->destination_port, packet->transport);
    flow = tracker_unless_overdue(tracker, flow);
    bool is_new = flow == NULL;
    if (flow && is_reuse(tracker, flow, packet, lookup.from_high)) {
        flow_table_end(tracker->table, flow, CLOSE_IDLE);
        is_new = true;
    }
    if (is_new)
        flow = flow_begin(tracker, packet, &lookup);
    if (!flow)
        return false;
    enum side side = flow_side_of(flow, lookup.from_high);
    uint32_t expected = flow->next_seq[side];
    bool inspect;
    if (packet->transport == TRANSPORT_TCP) {
        tcp_count_unanswered(tracker, flow, side, packet);
        inspect = tcp_packet(tracker, flow, side, packet);
    } else {
        inspect = packet->payload_length > 0;
        if (inspect)
            datagram_payload(tracker, flow, side, packet);
        if (side == SIDE_SERVER) {
            flow->flags |= FLOW_ANSWERED;
            flow_table_set_class(tracker->table, flow, FLOW_CLASS_DIALOGUE);
        }
    }
    tracker_count(tracker, flow, side, packet);
    const struct evidence *after = tracker_evidence(tracker, flow);
    *ret_tracked =
        (struct tracked){.flow = flow,
                         .side = side,
                         .is_new = is_new,
                         .has_payload = inspect,
                         .expected_seq = expected,
                         .expected_known = after && (after->sides[side].flags & SIDE_SYN)};
    return true;
}
