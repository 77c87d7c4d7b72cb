// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * How the layers hand a frame down to each other. Each function reads one header from a cursor that
 * ends where the captured bytes of its layer end, and calls the next; what comes back is the
 * frame's kind. The cursor comes by pointer and is copied, not moved: by value it would go over the
 * stack and stall the loads behind it.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/cursor.h"
#include "probe/decode/decode.h"

struct fragments;

/* One frame on its way down. */
struct walk {
    struct fragments *fragments;
    const struct frame *frame;
    struct packet *packet; /* the caller's: written only when a packet comes out */
    uint32_t missing;      /* bytes of this layer on the wire, beyond the end of the cursor */
    unsigned depth;        /* tunnels entered */
    bool reassembled;      /* a datagram in the decoder's memory is used */
};

/* The IP packet at hand. */
struct ip_layer {
    const uint8_t *at;                   /* its header */
    const uint8_t *source, *destination; /* of 4 or 16 bytes, by `version` */
    uint32_t captured;                   /* bytes at hand from there on */
    uint32_t bytes;                      /* on the wire */
    uint32_t body_length;                /* on the wire, after the header and its extensions */
    uint16_t id;
    uint8_t version, protocol, ttl;
    uint8_t flags; /* enum packet_flag */
};

/* What of a datagram a fragment is. */
struct fragment {
    uint32_t id;
    uint32_t offset; /* bytes */
    bool more;
    uint32_t header_length;  /* IP header and what comes before the fragment header */
    uint32_t next_header_at; /* IPv6: where in it the number of what follows stands */
    uint8_t next_header;     /* the number that belongs there */
};

enum ethertype {
    ETHERTYPE_IP4 = 0x0800,
    ETHERTYPE_IP6 = 0x86dd,
    ETHERTYPE_VLAN = 0x8100,
    ETHERTYPE_VLAN_OUTER = 0x88a8,
    ETHERTYPE_VLAN_OLD = 0x9100,
    ETHERTYPE_VLAN_OLDER = 0x9200,
    ETHERTYPE_MPLS = 0x8847,
    ETHERTYPE_MPLS_MULTICAST = 0x8848,
    ETHERTYPE_PPPOE = 0x8864,
    ETHERTYPE_PPP = 0x880b,
    ETHERTYPE_BRIDGING = 0x6558 /* a whole Ethernet frame, within GRE */
};

enum protocol {
    PROTOCOL_HOP_BY_HOP = 0,
    PROTOCOL_ICMP = 1,
    PROTOCOL_IP4 = 4,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    PROTOCOL_IP6 = 41,
    PROTOCOL_ROUTING = 43,
    PROTOCOL_FRAGMENT = 44,
    PROTOCOL_GRE = 47,
    PROTOCOL_ICMP6 = 58,
    PROTOCOL_NONE = 59,
    PROTOCOL_OPTIONS = 60
};

/* plain.c: a frame of the usual kind. False for all others, which are left to link_decode(). */
bool plain_decode(const struct frame *frame, struct packet *ret_packet);

/* link.c */
#define LINK_ETHERNET 1u
enum decode_kind link_decode(struct walk *walk, const struct cursor *bytes, uint32_t link_type);
enum decode_kind link_ethernet(struct walk *walk, const struct cursor *bytes);
enum decode_kind link_ethertype(struct walk *walk, const struct cursor *bytes, uint16_t ethertype);
enum decode_kind link_ppp(struct walk *walk, const struct cursor *bytes);

/* ip.c */
enum decode_kind ip_decode(struct walk *walk,
                           const struct cursor *bytes); /* by the version in it */
enum decode_kind ip4_decode(struct walk *walk, const struct cursor *bytes);
enum decode_kind ip6_decode(struct walk *walk, const struct cursor *bytes);
/*
 * Moves past the IPv6 extension headers that come before a fragment header or the transport layer.
 * Returns the number of what follows, and where that number stands, counted from the IP header if
 * `bytes` is right behind it.
 */
uint8_t ip6_skip_extensions(struct cursor *bytes, uint8_t next_header, uint32_t *ret_number_at);

/* transport.c */
enum decode_kind transport_decode(struct walk *walk, struct ip_layer *ip,
                                  const struct cursor *body);
/* TCP's options. `cut`: the capture ends within them, so an unfinished one is not the sender's doing.
 */
void transport_read_options(struct packet *packet, const struct cursor *at, bool cut);
/* Fills everything up to the IP layer. Returns the kind for it. */
enum decode_kind transport_other(struct walk *walk, const struct ip_layer *ip,
                                 const struct cursor *body);

/* icmp.c */
enum decode_kind icmp_decode(struct walk *walk, const struct ip_layer *ip,
                             const struct cursor *body);

/* tunnel.c */
enum decode_kind tunnel_ip(struct walk *walk, const struct ip_layer *ip, const struct cursor *body);
#define TUNNEL_PORT_VXLAN 4789u
#define TUNNEL_PORT_GTP   2152u

static inline bool tunnel_port(uint16_t source_port, uint16_t destination_port)
{
    return destination_port == TUNNEL_PORT_VXLAN || destination_port == TUNNEL_PORT_GTP ||
           source_port == TUNNEL_PORT_GTP;
}

/* UDP on a tunnel_port(): is it a tunnel with IP inside? Then the kind of what is inside. */
bool tunnel_udp(struct walk *walk, uint16_t destination_port, const struct cursor *payload,
                enum decode_kind *ret_kind);

static inline struct address ip_address(const struct ip_layer *ip, const uint8_t *bytes)
{
    struct address address;
    if (ip->version == 4) {
        address = address_from_v4(bytes);
    } else {
        memcpy(address.bytes, bytes, sizeof(address.bytes));
    }
    return address;
}

/* In parts: at once GCC makes `rep stos` of it, which takes as long as all the rest of a header. */
static inline void packet_clear(struct packet *packet)
{
    enum { PART = 64 };
    uint8_t *bytes = (uint8_t *)packet;
    _Static_assert(sizeof(*packet) > 2 * PART && sizeof(*packet) <= 3 * PART, "three parts");
    memset(bytes, 0, PART);
    memset(bytes + PART, 0, PART);
    memset(bytes + 2 * PART, 0, sizeof(*packet) - 2 * PART);
}

/* The fields that all packets have. */
static inline void packet_begin(struct packet *packet, const struct walk *walk,
                                const struct ip_layer *ip, uint8_t transport)
{
    packet_clear(packet);
    packet->time_us = walk->frame->time_us;
    packet->number = walk->frame->number;
    packet->source = ip_address(ip, ip->source);
    packet->destination = ip_address(ip, ip->destination);
    packet->transport = transport;
    packet->protocol = ip->protocol;
    packet->ip_version = ip->version;
    packet->ttl = ip->ttl;
    packet->ip_id = ip->id;
    packet->flags = ip->flags;
    packet->ip = ip->at;
    packet->ip_captured = ip->captured;
    packet->bytes = ip->bytes;
}

/* The payload: `captured` is what is left of the transport layer, `length` what it has on the wire.
 */
static inline void packet_set_payload(struct packet *packet, const struct cursor *captured,
                                      uint32_t length)
{
    size_t left = cursor_left(captured);
    packet->payload_length = length;
    packet->payload_captured = left < length ? (uint32_t)left : length;
    packet->payload = packet->payload_captured > 0 ? captured->at : NULL;
    if (packet->payload_captured < length) {
        packet->flags |= PACKET_SHORT;
    }
}

/* A header that does not fit: cut off by the capture, or never whole? */
static inline enum decode_kind transport_short(const struct ip_layer *ip, uint32_t header_length)
{
    bool cut = ip->body_length >= header_length || (ip->flags & PACKET_BAD_LENGTH);
    return cut ? DECODE_TRANSPORT_SHORT : DECODE_TRANSPORT_BAD;
}
