// SPDX-License-Identifier: GPL-3.0-or-later
/* ICMP errors go to the flow whose packet they quote. */
#include <netinet/in.h>

#include "probe/flow/track.h"

static uint8_t transport_of(uint8_t protocol)
{
    switch (protocol) {
    case IPPROTO_TCP:
        return TRANSPORT_TCP;
    case IPPROTO_UDP:
        return TRANSPORT_UDP;
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
        return TRANSPORT_ICMP;
    default:
        return TRANSPORT_NONE;
    }
}

bool tracker_icmp_error(struct tracker *tracker, const struct packet *packet,
                        struct tracked *ret_tracked)
{
    const struct packet_quote *q = &packet->quote;
    uint8_t transport = transport_of(q->protocol);
    struct flow_lookup lookup = flow_table_key(tracker->table, &q->source, q->source_port,
                                               &q->destination, q->destination_port, transport, 0);
    struct flow *flow = tracker_unless_overdue(
        tracker, flow_table_find(tracker->table, &lookup, &q->source, q->source_port,
                                 &q->destination, q->destination_port, transport));
    if (!flow) {
        tracker->icmp_unmatched++;
        return false;
    }
    enum side side = flow_side_of(flow, lookup.from_high);
    struct details *details = tracker_details(tracker, flow);
    if (details && !details->icmp.present) {
        details->icmp = (struct icmp_facts){
            .present = true,
            .type = packet->icmp_type,
            .code = packet->icmp_code,
            .ip_version = packet->ip_version,
            .side = (uint8_t)side,
            .ttl = packet->ttl,
            .quoted_ttl = q->ttl,
            .from_server = address_equal(&packet->source, flow_address(flow, SIDE_SERVER)),
            .after_us = flow_offset_us(flow, packet->time_us)};
    }
    if (details)
        details->icmp.count += details->icmp.count < UINT8_MAX;
    *ret_tracked = (struct tracked){.flow = flow, .side = side, .icmp_error = true};
    return true;
}
