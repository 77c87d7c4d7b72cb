// SPDX-License-Identifier: GPL-3.0-or-later
/* Tunnels: IP-in-IP, 6in4, 4in6, GRE (RFC 2784, 2890, 2637), VXLAN (RFC 7348), GTP-U (3GPP
 * TS 29.281). */
#include "probe/decode/layers.h"

#define GRE_CHECKSUM        0x8000u
#define GRE_ROUTING         0x4000u
#define GRE_KEY             0x2000u
#define GRE_SEQUENCE        0x1000u
#define GRE_ACKNOWLEDGEMENT 0x0080u
#define GRE_VERSION         0x0007u
#define VXLAN_FLAGS         0x08000000u /* a network number follows, all else zero */
#define GTP_VERSION_1       0x30u /* version 1 and protocol type GTP, in the upper four bits */
#define GTP_EXTENSION       0x04u
#define GTP_OPTIONAL        0x07u
#define GTP_PACKET          0xffu

/* Nothing inside that could be told as IP: then the outer packet is what we know. */
static bool is_opaque(enum decode_kind kind)
{
    return kind == DECODE_NOT_IP || kind == DECODE_IP_BAD || kind == DECODE_IP_SHORT ||
           kind == DECODE_LINK_SHORT;
}

/* The body of a GRE packet; DECODE_NOT_IP for kinds we do not read. */
static enum decode_kind decode_gre(struct walk *walk, struct cursor bytes)
{
    uint16_t flags = cursor_u16(&bytes);
    uint16_t ethertype = cursor_u16(&bytes);
    bool pptp = (flags & GRE_VERSION) == 1 && ethertype == ETHERTYPE_PPP;
    bool plain = (flags & GRE_VERSION) == 0 && ethertype != ETHERTYPE_PPP;
    if ((flags & GRE_ROUTING) || !(pptp || plain)) {
        return DECODE_NOT_IP;
    }
    if (flags & GRE_CHECKSUM) {
        cursor_skip(&bytes, 4);
    }
    if (flags & GRE_KEY) {
        cursor_skip(&bytes, 4);
    }
    if (flags & GRE_SEQUENCE) {
        cursor_skip(&bytes, 4);
    }
    if (pptp && (flags & GRE_ACKNOWLEDGEMENT)) {
        cursor_skip(&bytes, 4);
    }
    if (!cursor_ok(&bytes)) {
        return DECODE_LINK_SHORT;
    }
    return link_ethertype(walk, &bytes, ethertype);
}

enum decode_kind tunnel_ip(struct walk *walk, const struct ip_layer *ip, const struct cursor *body)
{
    struct walk inner = *walk;
    if (++inner.depth > DECODE_DEPTH_MAX) {
        return DECODE_TUNNEL_DEPTH;
    }
    enum decode_kind kind;
    if (ip->protocol == PROTOCOL_IP4) {
        kind = ip4_decode(&inner, body);
    } else if (ip->protocol == PROTOCOL_IP6) {
        kind = ip6_decode(&inner, body);
    } else {
        kind = decode_gre(&inner, *body);
    }
    walk->reassembled = inner.reassembled;
    return is_opaque(kind) ? transport_other(walk, ip, body) : kind;
}

static enum decode_kind decode_vxlan(struct walk *walk, struct cursor bytes)
{
    uint32_t flags = cursor_u32(&bytes);
    cursor_skip(&bytes, 4);
    return cursor_ok(&bytes) && flags == VXLAN_FLAGS ? link_ethernet(walk, &bytes) : DECODE_NOT_IP;
}

static enum decode_kind decode_gtp(struct walk *walk, struct cursor bytes)
{
    uint8_t flags = cursor_u8(&bytes);
    uint8_t type = cursor_u8(&bytes);
    uint16_t length = cursor_u16(&bytes);
    cursor_skip(&bytes, 4); /* the tunnel */
    if ((flags & 0xf0u) != GTP_VERSION_1 || type != GTP_PACKET ||
        length > cursor_left(&bytes) + walk->missing) {
        return DECODE_NOT_IP;
    }
    if (flags & GTP_OPTIONAL) {
        cursor_skip(&bytes, 3);
        uint8_t extension = cursor_u8(&bytes);
        while ((flags & GTP_EXTENSION) && extension != 0 && cursor_ok(&bytes)) {
            size_t words = cursor_u8(&bytes);
            if (words == 0) {
                return DECODE_NOT_IP;
            }
            cursor_skip(&bytes, words * 4 - 2);
            extension = cursor_u8(&bytes);
        }
    }
    return cursor_ok(&bytes) ? ip_decode(walk, &bytes) : DECODE_LINK_SHORT;
}

bool tunnel_udp(struct walk *walk, uint16_t destination_port, const struct cursor *payload,
                enum decode_kind *ret_kind)
{
    struct walk inner = *walk;
    enum decode_kind kind;
    if (++inner.depth > DECODE_DEPTH_MAX) {
        kind = DECODE_TUNNEL_DEPTH;
    } else if (destination_port == TUNNEL_PORT_VXLAN) {
        kind = decode_vxlan(&inner, *payload);
    } else {
        kind = decode_gtp(&inner, *payload);
    }
    walk->reassembled = inner.reassembled;
    bool told = !is_opaque(kind);
    if (told) {
        *ret_kind = kind;
    }
    return told;
}
