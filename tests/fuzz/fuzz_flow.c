// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Packets of a few ends at random times through a tracker of eight flows: what it counts must fit
 * what was given in, and every flow and every part must come back.
 */
#include <netinet/in.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "base/status.h"
#include "probe/flow/track.h"

#define FLOWS_MAX 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
    struct tracker tracker;
    uint64_t begun, ended, packets_in, packets_out;
};

static void demand(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void on_ended(void *context, struct flow *flow, enum close_reason reason)
{
    struct run *run = context;
    const struct evidence *evidence = tracker_evidence(&run->tracker, flow);
    const struct details *details = tracker_details_if_any(&run->tracker, flow);

    demand(reason != CLOSE_NONE);
    demand(flow->last_us >= flow->start_us);
    demand(!details || (flow->flags & FLOW_EVENTFUL));
    if (evidence) {
        demand(evidence->resets[0] <= flow->packets[0] && evidence->resets[1] <= flow->packets[1]);
        demand(evidence->unanswered <= flow->packets[SIDE_CLIENT]);
        demand(evidence->sides[0].ttl_min <= evidence->sides[0].ttl_max);
        demand(evidence->sides[1].ttl_min <= evidence->sides[1].ttl_max);
    }
    if (details) {
        demand(details->suspect_count <= SUSPECTS_MAX);
        demand(details->suspect_count > 0 || details->icmp.present);
    }
    run->ended++;
    run->packets_out += (uint64_t)flow->packets[0] + flow->packets[1];
}

static bool is_local(void *context, const struct address *address)
{
    (void)context;
    return address->bytes[15] & 1;
}

static bool is_server_port(void *context, enum transport transport, uint16_t port)
{
    (void)context;
    return transport == TRANSPORT_TCP && port == 1;
}

/* Four addresses and four ports; bits 0-1 and 2-3. */
static void take_end(uint8_t bits, struct address *ret_address, uint16_t *ret_port)
{
    *ret_address = address_from_v4((uint8_t[]){10, 0, 0, bits & 3});
    *ret_port = bits >> 2 & 3;
}

static struct packet take_packet(struct cursor *c, int64_t *now_us, uint64_t number)
{
    static const uint8_t transports[] = {TRANSPORT_TCP, TRANSPORT_TCP, TRANSPORT_UDP,
                                         TRANSPORT_ICMP};
    static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_GRE};
    static const uint8_t zeros[64];
    uint8_t ends = cursor_u8(c), kind = cursor_u8(c), step = cursor_u8(c);
    struct packet packet = {.number = number, .transport = transports[kind & 3], .bytes = 40};

    /* Mostly forward by little, at times by hours, at times back. */
    *now_us += step < 200 ? (int64_t)step * 1000 : (step - 240) * INT64_C(500000000);
    packet.time_us = *now_us;
    take_end(ends, &packet.source, &packet.source_port);
    take_end(ends >> 4, &packet.destination, &packet.destination_port);
    packet.tcp_flags = cursor_u8(c) & 0x3f;
    packet.ip_version = kind & 4 ? 6 : 4;
    packet.flags = kind & 8 ? PACKET_DF : 0;
    packet.ttl = cursor_u8(c);
    packet.ip_id = cursor_u8(c);
    packet.seq = (uint32_t)(int32_t)(int8_t)cursor_u8(c) << (kind & 16 ? 24 : 0);
    packet.ack = (uint32_t)(int32_t)(int8_t)cursor_u8(c);
    packet.payload_length = (uint32_t)cursor_u8(c) << (kind & 32 ? 8 : 0);
    packet.payload_captured = packet.payload_length < 64 && kind & 64 ? packet.payload_length : 0;
    packet.payload = packet.payload_captured > 0 ? zeros : NULL;
    packet.bytes += packet.payload_length;
    packet.has_quote = packet.transport == TRANSPORT_ICMP && kind & 64;
    packet.quote.source = packet.destination;
    packet.quote.source_port = packet.destination_port;
    packet.quote.destination = packet.source;
    packet.quote.destination_port = packet.source_port;
    packet.quote.protocol = protocols[kind >> 4 & 3];
    return packet;
}

static void give(struct run *run, const struct packet *packet, uint8_t kind)
{
    struct tracked tracked;

    if (tracker_packet(&run->tracker, packet, &tracked)) {
        demand(tracked.flow != NULL);
        demand(tracked.icmp_error == packet->has_quote);
        demand(!tracked.icmp_error || !tracked.is_new);
        demand(tracked.icmp_error ||
               address_equal(flow_address(tracked.flow, tracked.side), &packet->source));
        demand(!tracked.has_payload || packet->payload_length > 0);
        run->begun += tracked.is_new;
        run->packets_in += !tracked.icmp_error;
        if (kind == 0xff) {
            tracker_drop_evidence(&run->tracker, tracked.flow);
        } else if (kind == 0xfe) {
            tracker_give_evidence(&run->tracker, tracked.flow);
        }
    } else {
        demand(packet->has_quote);
    }
    demand(flow_table_count(run->tracker.table) == run->begun - run->ended);
    demand(flow_table_count(run->tracker.table) <= FLOWS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run run = {0};
    struct track_options options = {.flows_maximum = FLOWS_MAX,
                                    .contents_maximum = 2,
                                    .details_maximum = 2,
                                    .is_local = is_local,
                                    .is_server_port = is_server_port,
                                    .ended = on_ended,
                                    .context = &run};
    struct cursor c = cursor_init(data, size);
    int64_t now_us = INT64_C(1448900000000000);
    uint64_t number = 0;

    if (tracker_init(&run.tracker, &options) != DL_OK) {
        return 0;
    }
    while (cursor_left(&c) > 0) {
        uint8_t kind = (uint8_t)cursor_peek(&c, 1);
        struct packet packet = take_packet(&c, &now_us, ++number);
        if (kind % 16 == 15) {
            flow_table_expire(run.tracker.table, now_us, kind >> 4);
        }
        give(&run, &packet, kind);
    }
    flow_table_end_all(run.tracker.table, CLOSE_END_OF_CAPTURE);
    demand(run.begun == run.ended && run.packets_in == run.packets_out);
    demand(run.tracker.evidence.taken == 0 && run.tracker.details.taken == 0);
    tracker_finish(&run.tracker);
    return 0;
}
