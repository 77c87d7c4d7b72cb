// SPDX-License-Identifier: GPL-3.0-or-later
/* Link layers, down to the bytes of an IP packet. */
#include "probe/decode/layers.h"

enum link_type {
    LINK_NULL = 0,
    LINK_PPP = 9,
    LINK_RAW_BSD = 12, /* DLT_RAW of two systems, written to files by mistake */
    LINK_RAW_OPENBSD = 14,
    LINK_PPP_HDLC = 50,
    LINK_PPPOE = 51,
    LINK_RAW = 101,
    LINK_LOOP = 108,
    LINK_SLL = 113,
    LINK_IP4 = 228,
    LINK_IP6 = 229,
    LINK_SLL2 = 276
};

enum ppp_protocol { PPP_IP4 = 0x21, PPP_IP6 = 0x57, PPP_MPLS = 0x281, PPP_MPLS_MULTICAST = 0x283 };

#define ETHERNET_ADDRESSES 12u
#define ETHERTYPE_MIN      0x0600 /* below it: an 802.3 length */
#define MPLS_BOTTOM        0x100u
#define PPP_ADDRESS        0xff
#define PPPOE_VERSION_TYPE 0x11
#define CISCO_UNICAST      0x0f
#define CISCO_MULTICAST    0x8f

/* 802.2 behind an 802.3 length: SNAP has an ethertype again. */
static enum decode_kind decode_llc(struct walk *walk, struct cursor bytes)
{
    static const uint8_t snap[6] = {0xaa, 0xaa, 0x03, 0, 0, 0};
    if (!cursor_starts_with(&bytes, snap, sizeof(snap))) {
        bool cut = cursor_left(&bytes) < sizeof(snap) && walk->missing > 0;
        return cut ? DECODE_LINK_SHORT : DECODE_NOT_IP;
    }
    cursor_skip(&bytes, sizeof(snap));
    uint16_t ethertype = cursor_u16(&bytes);
    if (!cursor_ok(&bytes)) {
        return DECODE_LINK_SHORT;
    }
    return ethertype < ETHERTYPE_MIN ? DECODE_NOT_IP : link_ethertype(walk, &bytes, ethertype);
}

/* A label stack does not say what it carries: IP by its version, or a pseudo-wire whose control
 * word begins with 0. */
static enum decode_kind decode_mpls(struct walk *walk, struct cursor bytes)
{
    uint32_t label;
    do {
        label = cursor_u32(&bytes);
    } while (cursor_ok(&bytes) && !(label & MPLS_BOTTOM));
    int first = cursor_peek(&bytes, 0);
    if (first < 0) {
        return DECODE_LINK_SHORT;
    }
    enum decode_kind kind = DECODE_NOT_IP;
    if (first >> 4 == 4 || first >> 4 == 6) {
        kind = ip_decode(walk, &bytes);
    } else if (first >> 4 == 0) {
        cursor_skip(&bytes, 4);
        kind = ++walk->depth > DECODE_DEPTH_MAX ? DECODE_TUNNEL_DEPTH : link_ethernet(walk, &bytes);
    }
    return kind;
}

static enum decode_kind decode_pppoe(struct walk *walk, struct cursor bytes)
{
    struct cursor header = cursor_sub(&bytes, 6);
    uint8_t version_type = cursor_u8(&header);
    uint8_t code = cursor_u8(&header);
    if (!cursor_ok(&header)) {
        return DECODE_LINK_SHORT;
    }
    return version_type == PPPOE_VERSION_TYPE && code == 0 ? link_ppp(walk, &bytes) : DECODE_NOT_IP;
}

/* The address and control bytes may be left out, and so may the first byte of the protocol. */
enum decode_kind link_ppp(struct walk *walk, const struct cursor *at)
{
    struct cursor bytes = *at;
    if (cursor_peek(&bytes, 0) == PPP_ADDRESS) {
        cursor_skip(&bytes, 2); /* no protocol begins so */
    }
    uint16_t protocol = cursor_u8(&bytes);
    if (!(protocol & 1)) {
        protocol = (uint16_t)(protocol << 8 | cursor_u8(&bytes));
    }
    enum decode_kind kind = DECODE_NOT_IP;
    if (!cursor_ok(&bytes)) {
        kind = DECODE_LINK_SHORT;
    } else if (protocol == PPP_IP4) {
        kind = ip4_decode(walk, &bytes);
    } else if (protocol == PPP_IP6) {
        kind = ip6_decode(walk, &bytes);
    } else if (protocol == PPP_MPLS || protocol == PPP_MPLS_MULTICAST) {
        kind = decode_mpls(walk, bytes);
    }
    return kind;
}

/* PPP in HDLC-like framing, or Cisco's HDLC, which has an ethertype. */
static enum decode_kind decode_hdlc(struct walk *walk, struct cursor bytes)
{
    int address = cursor_peek(&bytes, 0);
    if (address != CISCO_UNICAST && address != CISCO_MULTICAST) {
        return link_ppp(walk, &bytes);
    }
    cursor_skip(&bytes, 2);
    uint16_t ethertype = cursor_u16(&bytes);
    return cursor_ok(&bytes) ? link_ethertype(walk, &bytes, ethertype) : DECODE_LINK_SHORT;
}

enum decode_kind link_ethertype(struct walk *walk, const struct cursor *at, uint16_t ethertype)
{
    struct cursor bytes = *at;
    while (ethertype == ETHERTYPE_VLAN || ethertype == ETHERTYPE_VLAN_OUTER ||
           ethertype == ETHERTYPE_VLAN_OLD || ethertype == ETHERTYPE_VLAN_OLDER) {
        cursor_skip(&bytes, 2);
        ethertype = cursor_u16(&bytes);
        if (!cursor_ok(&bytes)) {
            return DECODE_LINK_SHORT;
        }
    }
    enum decode_kind kind;
    switch (ethertype) {
    case ETHERTYPE_IP4:
        kind = ip4_decode(walk, &bytes);
        break;
    case ETHERTYPE_IP6:
        kind = ip6_decode(walk, &bytes);
        break;
    case ETHERTYPE_MPLS:
    case ETHERTYPE_MPLS_MULTICAST:
        kind = decode_mpls(walk, bytes);
        break;
    case ETHERTYPE_PPPOE:
        kind = decode_pppoe(walk, bytes);
        break;
    case ETHERTYPE_PPP:
        kind = link_ppp(walk, &bytes);
        break;
    case ETHERTYPE_BRIDGING:
        kind = ++walk->depth > DECODE_DEPTH_MAX ? DECODE_TUNNEL_DEPTH : link_ethernet(walk, &bytes);
        break;
    default:
        kind = ethertype < ETHERTYPE_MIN ? decode_llc(walk, bytes) : DECODE_NOT_IP;
        break;
    }
    return kind;
}

enum decode_kind link_ethernet(struct walk *walk, const struct cursor *at)
{
    struct cursor bytes = *at;
    struct cursor header = cursor_sub(&bytes, ETHERNET_ADDRESSES + 2);
    if (!cursor_ok(&header)) {
        return DECODE_LINK_SHORT;
    }
    cursor_skip(&header, ETHERNET_ADDRESSES);
    uint16_t ethertype = cursor_u16(&header);
    return ethertype == ETHERTYPE_IP4 ? ip4_decode(walk, &bytes)
                                      : link_ethertype(walk, &bytes, ethertype);
}

/* An address family, as one of the BSDs, Linux or Windows numbers it, in the byte order of whoever
 * captured. */
static enum decode_kind decode_null(struct walk *walk, struct cursor bytes)
{
    uint32_t family = cursor_u32(&bytes);
    if (!cursor_ok(&bytes)) {
        return DECODE_LINK_SHORT;
    }
    if (family > 0xffff) {
        family = __builtin_bswap32(family);
    }
    enum decode_kind kind = DECODE_NOT_IP;
    switch (family) {
    case 2:
        kind = ip4_decode(walk, &bytes);
        break;
    case 10:
    case 23:
    case 24:
    case 28:
    case 30:
        kind = ip6_decode(walk, &bytes);
        break;
    default:
        break;
    }
    return kind;
}

/* Linux cooked: the ethertype stands at the header's end, or (version 2) at its beginning. */
static enum decode_kind decode_sll(struct walk *walk, struct cursor bytes, size_t length,
                                   size_t ethertype_at)
{
    struct cursor header = cursor_sub(&bytes, length);
    cursor_skip(&header, ethertype_at);
    uint16_t ethertype = cursor_u16(&header);
    if (!cursor_ok(&header)) {
        return DECODE_LINK_SHORT;
    }
    return ethertype < ETHERTYPE_MIN ? DECODE_NOT_IP : link_ethertype(walk, &bytes, ethertype);
}

enum decode_kind link_decode(struct walk *walk, const struct cursor *bytes, uint32_t link_type)
{
    if (link_type == LINK_ETHERNET) {
        return link_ethernet(walk, bytes);
    }
    enum decode_kind kind;
    switch (link_type) {
    case LINK_RAW:
    case LINK_RAW_BSD:
    case LINK_RAW_OPENBSD:
        kind = ip_decode(walk, bytes);
        break;
    case LINK_IP4:
        kind = ip4_decode(walk, bytes);
        break;
    case LINK_IP6:
        kind = ip6_decode(walk, bytes);
        break;
    case LINK_SLL:
        kind = decode_sll(walk, *bytes, 16, 14);
        break;
    case LINK_SLL2:
        kind = decode_sll(walk, *bytes, 20, 0);
        break;
    case LINK_NULL:
    case LINK_LOOP:
        kind = decode_null(walk, *bytes);
        break;
    case LINK_PPP:
        kind = link_ppp(walk, bytes);
        break;
    case LINK_PPP_HDLC:
        kind = decode_hdlc(walk, *bytes);
        break;
    case LINK_PPPOE:
        kind = decode_pppoe(walk, *bytes);
        break;
    default:
        kind = DECODE_LINK_TYPE;
        break;
    }
    return kind;
}
