// SPDX-License-Identifier: GPL-3.0-or-later
/* IPv4 (RFC 791) and IPv6 (RFC 8200). */
#include "base/array.h"
#include "probe/decode/fragment.h"
#include "probe/decode/layers.h"

#define IP4_HEADER         20u
#define IP4_DF             0x4000u
#define IP4_MF             0x2000u
#define IP4_OFFSET         0x1fffu
#define IP6_HEADER         40u
#define IP6_NEXT_HEADER_AT 6u
#define FRAGMENT_HEADER    8u

/*
 * Brings the length that the IP header claims and that of the frame together: the frame wins. Cuts
 * what is behind the packet (Ethernet's padding) from `bytes`, which begins with the IP header.
 */
static inline void fit_length(struct walk *walk, struct ip_layer *ip, struct cursor *bytes,
                              uint32_t claimed)
{
    uint32_t left = (uint32_t)cursor_left(bytes);
    uint32_t wire = left + walk->missing;
    if (claimed > wire) {
        claimed = wire;
        ip->flags |= PACKET_BAD_LENGTH;
    }
    ip->bytes = claimed;
    ip->captured = MIN_OF(left, claimed);
    walk->missing = claimed - ip->captured;
    bytes->end = bytes->at + ip->captured;
}

/* A whole datagram out of the decoder's memory goes on as if it had come in one piece. */
static enum decode_kind decode_fragment(struct walk *walk, struct ip_layer *ip,
                                        const struct fragment *fragment, struct cursor body)
{
    enum decode_kind kind = fragments_add(walk->fragments, walk, ip, fragment, &body);
    if (kind == DECODE_OK) {
        walk->missing = 0;
        walk->reassembled = true;
        if (ip->version == 6) {
            uint32_t unused;
            ip->protocol = ip6_skip_extensions(&body, ip->protocol, &unused);
            ip->body_length = (uint32_t)cursor_left(&body);
        }
        kind = cursor_ok(&body) ? transport_decode(walk, ip, &body) : DECODE_IP_SHORT;
    }
    return kind;
}

static enum decode_kind decode_fragment4(struct walk *walk, struct ip_layer *ip, uint16_t word,
                                         uint32_t header_length, struct cursor body)
{
    struct fragment fragment = {.id = ip->id,
                                .offset = (word & IP4_OFFSET) * 8u,
                                .more = (word & IP4_MF) != 0,
                                .header_length = header_length};
    return decode_fragment(walk, ip, &fragment, body);
}

enum decode_kind ip4_decode(struct walk *walk, const struct cursor *at)
{
    /* Made anew: a copy with its padding would wait for the store of `failed`. */
    struct cursor bytes = cursor_init(at->at, cursor_left(at));
    struct cursor after = bytes;
    struct cursor header = cursor_sub(&after, IP4_HEADER);
    if (!cursor_ok(&header)) {
        return DECODE_IP_SHORT;
    }
    uint8_t version_length = cursor_u8(&header);
    uint32_t header_length = (version_length & 15u) * 4u;
    cursor_skip(&header, 1);
    uint32_t total = cursor_u16(&header);
    struct ip_layer ip = {.at = bytes.at, .version = 4};
    ip.id = cursor_u16(&header);
    uint16_t word = cursor_u16(&header);
    ip.ttl = cursor_u8(&header);
    ip.protocol = cursor_u8(&header);
    cursor_skip(&header, 2);
    ip.source = cursor_bytes(&header, 4);
    ip.destination = cursor_bytes(&header, 4);
    if (total == 0) {
        total = (uint32_t)cursor_left(&bytes) + walk->missing; /* left to the network card (TSO) */
    }
    if (version_length >> 4 != 4 || header_length < IP4_HEADER || total < header_length) {
        return DECODE_IP_BAD;
    }
    ip.flags = (word & IP4_DF ? PACKET_DF : 0) | (walk->depth ? PACKET_TUNNELLED : 0);
    fit_length(walk, &ip, &bytes, total);
    cursor_skip(&bytes, header_length);
    if (!cursor_ok(&bytes)) {
        return DECODE_IP_SHORT;
    }
    ip.body_length = ip.bytes - header_length;
    if (word & (IP4_MF | IP4_OFFSET)) {
        return decode_fragment4(walk, &ip, word, header_length, bytes);
    }
    return transport_decode(walk, &ip, &bytes);
}

uint8_t ip6_skip_extensions(struct cursor *bytes, uint8_t next_header, uint32_t *ret_number_at)
{
    const uint8_t *start = bytes->at;
    uint32_t number_at = 0; /* from `start`; 0 while the IP header's own number stands */
    while (next_header == PROTOCOL_HOP_BY_HOP || next_header == PROTOCOL_ROUTING ||
           next_header == PROTOCOL_OPTIONS) {
        uint32_t at = (uint32_t)(bytes->at - start);
        uint8_t following = cursor_u8(bytes);
        cursor_skip(bytes, cursor_u8(bytes) * 8u + 6u);
        if (!cursor_ok(bytes)) {
            break;
        }
        number_at = at + IP6_HEADER;
        next_header = following;
    }
    *ret_number_at = number_at ? number_at : IP6_NEXT_HEADER_AT;
    return next_header;
}

static enum decode_kind decode_fragment6(struct walk *walk, struct ip_layer *ip, uint32_t number_at,
                                         struct cursor bytes)
{
    struct cursor header = cursor_sub(&bytes, FRAGMENT_HEADER);
    uint8_t next_header = cursor_u8(&header);
    cursor_skip(&header, 1);
    uint16_t word = cursor_u16(&header);
    uint32_t id = cursor_u32(&header);
    if (!cursor_ok(&header)) {
        return DECODE_IP_SHORT;
    }
    ip->protocol = next_header;
    uint32_t header_length = (uint32_t)(bytes.at - ip->at) - FRAGMENT_HEADER;
    ip->body_length -= FRAGMENT_HEADER;
    if ((word & 0xfff9u) == 0) {
        /* An atomic fragment (RFC 6946) is whole. */
        uint32_t unused;
        size_t before = cursor_left(&bytes);
        ip->protocol = ip6_skip_extensions(&bytes, next_header, &unused);
        ip->body_length -= (uint32_t)(before - cursor_left(&bytes));
        return cursor_ok(&bytes) ? transport_decode(walk, ip, &bytes) : DECODE_IP_SHORT;
    }
    struct fragment fragment = {.id = id,
                                .offset = word & 0xfff8u,
                                .more = (word & 1) != 0,
                                .header_length = header_length,
                                .next_header_at = number_at,
                                .next_header = next_header};
    return decode_fragment(walk, ip, &fragment, bytes);
}

enum decode_kind ip6_decode(struct walk *walk, const struct cursor *at)
{
    /* Made anew: a copy with its padding would wait for the store of `failed`. */
    struct cursor bytes = cursor_init(at->at, cursor_left(at));
    struct cursor after = bytes;
    struct cursor header = cursor_sub(&after, IP6_HEADER);
    if (!cursor_ok(&header)) {
        return DECODE_IP_SHORT;
    }
    struct ip_layer ip = {.at = bytes.at, .version = 6};
    uint8_t version = cursor_u8(&header) >> 4;
    cursor_skip(&header, 3);
    uint32_t payload = cursor_u16(&header);
    uint8_t next_header = cursor_u8(&header);
    ip.ttl = cursor_u8(&header);
    ip.source = cursor_bytes(&header, 16);
    ip.destination = cursor_bytes(&header, 16);
    /* A length of 0 before hop-by-hop options: a jumbogram, which no line we watch carries. */
    if (version != 6 || (payload == 0 && next_header == PROTOCOL_HOP_BY_HOP)) {
        return DECODE_IP_BAD;
    }
    ip.flags = PACKET_DF | (walk->depth ? PACKET_TUNNELLED : 0);
    fit_length(walk, &ip, &bytes, IP6_HEADER + payload);
    cursor_skip(&bytes, IP6_HEADER);
    uint32_t number_at;
    ip.protocol = ip6_skip_extensions(&bytes, next_header, &number_at);
    if (!cursor_ok(&bytes)) {
        return DECODE_IP_SHORT;
    }
    ip.body_length = ip.bytes - (uint32_t)(bytes.at - ip.at);
    return ip.protocol == PROTOCOL_FRAGMENT ? decode_fragment6(walk, &ip, number_at, bytes)
                                            : transport_decode(walk, &ip, &bytes);
}

enum decode_kind ip_decode(struct walk *walk, const struct cursor *bytes)
{
    int first = cursor_peek(bytes, 0);
    enum decode_kind kind;
    if (first < 0) {
        kind = DECODE_IP_SHORT;
    } else if (first >> 4 == 4) {
        kind = ip4_decode(walk, bytes);
    } else if (first >> 4 == 6) {
        kind = ip6_decode(walk, bytes);
    } else {
        kind = DECODE_IP_BAD;
    }
    return kind;
}
