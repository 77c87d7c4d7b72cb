// SPDX-License-Identifier: GPL-3.0-or-later
/* ICMP (RFC 792) and ICMPv6 (RFC 4443), with the packet that an error quotes. */
#include "probe/decode/layers.h"

#define ICMP_HEADER  8u
#define IP4_HEADER   20u
#define IP6_HEADER   40u
#define OFFSET_MASK4 0x1fffu
#define OFFSET_MASK6 0xfff8u

enum icmp_type {
    ICMP4_ECHO_REPLY = 0,
    ICMP4_UNREACHABLE = 3,
    ICMP4_QUENCH = 4,
    ICMP4_REDIRECT = 5,
    ICMP4_ECHO = 8,
    ICMP4_TIME_EXCEEDED = 11,
    ICMP4_PARAMETER = 12,
    ICMP6_UNREACHABLE = 1,
    ICMP6_PARAMETER = 4,
    ICMP6_ECHO = 128,
    ICMP6_ECHO_REPLY = 129
};

static bool is_error(uint8_t version, uint8_t type)
{
    bool error4 = type == ICMP4_UNREACHABLE || type == ICMP4_QUENCH || type == ICMP4_REDIRECT ||
                  type == ICMP4_TIME_EXCEEDED || type == ICMP4_PARAMETER;
    bool error6 = type >= ICMP6_UNREACHABLE && type <= ICMP6_PARAMETER;
    return version == 4 ? error4 : error6;
}

static bool is_echo(uint8_t protocol, uint8_t type)
{
    bool echo4 = type == ICMP4_ECHO || type == ICMP4_ECHO_REPLY;
    bool echo6 = type == ICMP6_ECHO || type == ICMP6_ECHO_REPLY;
    return (protocol == PROTOCOL_ICMP && echo4) || (protocol == PROTOCOL_ICMP6 && echo6);
}

/* What is quoted of the transport header: often no more than 8 bytes. */
static void quote_transport(struct packet_quote *quote, struct cursor bytes)
{
    struct cursor at = bytes;
    if (quote->protocol == PROTOCOL_TCP || quote->protocol == PROTOCOL_UDP) {
        uint16_t source_port = cursor_u16(&at);
        uint16_t destination_port = cursor_u16(&at);
        if (cursor_ok(&at)) {
            quote->source_port = source_port;
            quote->destination_port = destination_port;
            quote->seq = quote->protocol == PROTOCOL_TCP ? cursor_u32(&at) : 0;
        }
    } else if (is_echo(quote->protocol, cursor_u8(&at))) {
        cursor_skip(&at, 3);
        quote->source_port = quote->destination_port = cursor_u16(&at);
    }
}

static bool quote_ip4(struct packet_quote *ret_quote, struct cursor bytes)
{
    struct cursor at = bytes;
    struct cursor header = cursor_sub(&at, IP4_HEADER);
    if (!cursor_ok(&header)) {
        return false;
    }
    struct packet_quote quote = {0};
    uint8_t version_length = cursor_u8(&header);
    cursor_skip(&header, 3);
    quote.ip_id = cursor_u16(&header);
    uint16_t word = cursor_u16(&header);
    quote.ttl = cursor_u8(&header);
    quote.protocol = cursor_u8(&header);
    cursor_skip(&header, 2);
    quote.source = address_from_v4(cursor_bytes(&header, 4));
    quote.destination = address_from_v4(cursor_bytes(&header, 4));
    uint32_t header_length = (version_length & 15u) * 4u;
    if (header_length < IP4_HEADER) {
        return false;
    }
    cursor_skip(&bytes, header_length);
    if (cursor_ok(&bytes) && !(word & OFFSET_MASK4)) {
        quote_transport(&quote, bytes);
    }
    *ret_quote = quote;
    return true;
}

static bool quote_ip6(struct packet_quote *ret_quote, struct cursor bytes)
{
    struct cursor header = cursor_sub(&bytes, IP6_HEADER);
    if (!cursor_ok(&header)) {
        return false;
    }
    struct packet_quote quote = {0};
    cursor_skip(&header, 6);
    uint8_t next_header = cursor_u8(&header);
    quote.ttl = cursor_u8(&header);
    memcpy(quote.source.bytes, cursor_bytes(&header, 16), 16);
    memcpy(quote.destination.bytes, cursor_bytes(&header, 16), 16);
    uint32_t unused;
    uint16_t word = 0;
    next_header = ip6_skip_extensions(&bytes, next_header, &unused);
    if (next_header == PROTOCOL_FRAGMENT) {
        next_header = cursor_u8(&bytes);
        cursor_skip(&bytes, 1);
        word = cursor_u16(&bytes);
        cursor_skip(&bytes, 4);
    }
    if (cursor_ok(&bytes)) {
        quote.protocol = next_header;
        if (!(word & OFFSET_MASK6)) {
            quote_transport(&quote, bytes);
        }
    }
    *ret_quote = quote;
    return true;
}

static bool read_quote(struct packet_quote *ret_quote, struct cursor bytes)
{
    int first = cursor_peek(&bytes, 0);
    bool found = false;
    if (first >= 0 && first >> 4 == 4) {
        found = quote_ip4(ret_quote, bytes);
    } else if (first >= 0 && first >> 4 == 6) {
        found = quote_ip6(ret_quote, bytes);
    }
    return found;
}

enum decode_kind icmp_decode(struct walk *walk, const struct ip_layer *ip, const struct cursor *at)
{
    struct cursor body = *at;
    struct packet *packet = walk->packet;
    struct cursor header = cursor_sub(&body, ICMP_HEADER);
    if (!cursor_ok(&header)) {
        return transport_short(ip, ICMP_HEADER);
    }
    packet_begin(packet, walk, ip, TRANSPORT_ICMP);
    packet->icmp_type = cursor_u8(&header);
    packet->icmp_code = cursor_u8(&header);
    cursor_skip(&header, 2);
    if (is_echo(ip->protocol, packet->icmp_type)) {
        packet->source_port = packet->destination_port = cursor_u16(&header);
    }
    packet_set_payload(packet, &body, ip->body_length - ICMP_HEADER);
    if (is_error(ip->version, packet->icmp_type)) {
        packet->has_quote = read_quote(&packet->quote, body);
    }
    return DECODE_OK;
}
