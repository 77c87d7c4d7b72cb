// SPDX-License-Identifier: GPL-3.0-or-later
/* TCP (RFC 9293) and UDP (RFC 768). */
#include "probe/decode/layers.h"

#define TCP_HEADER    20u
#define UDP_HEADER    8u
#define TIMESTAMP_END 12u /* of the usual options: two bytes of padding and a time stamp */

enum tcp_option {
    OPTION_END = 0,
    OPTION_PADDING = 1,
    OPTION_MSS = 2,
    OPTION_WINDOW_SCALE = 3,
    OPTION_SACK_PERMITTED = 4,
    OPTION_SACK = 5,
    OPTION_TIMESTAMP = 8
};

/* One option's value. Returns its bit. */
static uint8_t read_option(struct packet *packet, uint8_t option, const struct cursor *at)
{
    struct cursor value = *at;
    size_t length = cursor_left(&value);
    uint8_t bit = TCP_OPTION_OTHER;
    if (option == OPTION_MSS && length == 2) {
        packet->tcp_mss = cursor_u16(&value);
        bit = TCP_OPTION_MSS;
    } else if (option == OPTION_WINDOW_SCALE && length == 1) {
        packet->tcp_window_scale = cursor_u8(&value);
        bit = TCP_OPTION_WINDOW_SCALE;
    } else if (option == OPTION_SACK_PERMITTED && length == 0) {
        bit = TCP_OPTION_SACK_PERMITTED;
    } else if (option == OPTION_SACK && length % 8 == 0 && length > 0) {
        bit = TCP_OPTION_SACK;
    } else if (option == OPTION_TIMESTAMP && length == 8) {
        packet->tcp_ts_value = cursor_u32(&value);
        packet->tcp_ts_echo = cursor_u32(&value);
        bit = TCP_OPTION_TIMESTAMP;
    } else if (option <= OPTION_SACK || option == OPTION_TIMESTAMP) {
        bit = TCP_OPTION_MALFORMED; /* of a kind we know, with a length it cannot have */
    }
    return bit;
}

void transport_read_options(struct packet *packet, const struct cursor *at, bool cut)
{
    struct cursor options = *at;
    static const uint8_t usual[4] = {OPTION_PADDING, OPTION_PADDING, OPTION_TIMESTAMP, 10};
    if (cursor_left(&options) == TIMESTAMP_END &&
        cursor_starts_with(&options, usual, sizeof(usual))) {
        cursor_skip(&options, sizeof(usual));
        packet->tcp_options = read_option(packet, OPTION_TIMESTAMP, &options);
        return;
    }
    while (cursor_left(&options) > 0) {
        uint8_t option = cursor_u8(&options);
        if (option == OPTION_END) {
            break;
        }
        if (option == OPTION_PADDING) {
            continue;
        }
        uint8_t length = cursor_u8(&options);
        struct cursor value = cursor_sub(&options, length >= 2 ? length - 2u : SIZE_MAX);
        if (!cursor_ok(&value)) {
            packet->tcp_options |= cut && length != 1 ? 0 : TCP_OPTION_MALFORMED;
            break;
        }
        packet->tcp_options |= read_option(packet, option, &value);
    }
}

static enum decode_kind decode_tcp(struct walk *walk, const struct ip_layer *ip,
                                   const struct cursor *at)
{
    struct cursor body = *at;
    struct packet *packet = walk->packet;
    struct cursor header = cursor_sub(&body, TCP_HEADER);
    if (!cursor_ok(&header)) {
        return transport_short(ip, TCP_HEADER);
    }
    uint16_t source_port = cursor_u16(&header);
    uint16_t destination_port = cursor_u16(&header);
    uint32_t seq = cursor_u32(&header);
    uint32_t ack = cursor_u32(&header);
    uint32_t header_length = (cursor_u8(&header) >> 4) * 4u;
    if (header_length < TCP_HEADER || header_length > ip->body_length) {
        return header_length < TCP_HEADER ? DECODE_TRANSPORT_BAD
                                          : transport_short(ip, header_length);
    }
    packet_begin(packet, walk, ip, TRANSPORT_TCP);
    packet->source_port = source_port;
    packet->destination_port = destination_port;
    packet->seq = seq;
    packet->ack = ack;
    packet->tcp_flags = cursor_u8(&header);
    packet->tcp_window = cursor_u16(&header);
    uint32_t options_length = header_length - TCP_HEADER;
    if (options_length > 0) {
        size_t left = cursor_left(&body);
        bool cut = left < options_length;
        struct cursor options = cursor_sub(&body, cut ? left : options_length);
        transport_read_options(packet, &options, cut);
        packet->flags |= cut ? PACKET_SHORT : 0;
    }
    packet_set_payload(packet, &body, ip->body_length - header_length);
    return DECODE_OK;
}

static enum decode_kind decode_udp(struct walk *walk, const struct ip_layer *ip,
                                   const struct cursor *at)
{
    struct cursor body = *at;
    struct packet *packet = walk->packet;
    struct cursor header = cursor_sub(&body, UDP_HEADER);
    if (!cursor_ok(&header)) {
        return transport_short(ip, UDP_HEADER);
    }
    uint16_t source_port = cursor_u16(&header);
    uint16_t destination_port = cursor_u16(&header);
    uint32_t length = cursor_u16(&header);
    if (length == 0 || (length > ip->body_length && (ip->flags & PACKET_BAD_LENGTH))) {
        length = ip->body_length; /* left to the network card, or cut with the packet */
    }
    if (length < UDP_HEADER || length > ip->body_length) {
        return DECODE_TRANSPORT_BAD;
    }
    length -= UDP_HEADER;
    enum decode_kind inner;
    if (tunnel_port(source_port, destination_port) &&
        tunnel_udp(walk, destination_port, &body, &inner)) {
        return inner;
    }
    packet_begin(packet, walk, ip, TRANSPORT_UDP);
    packet->source_port = source_port;
    packet->destination_port = destination_port;
    packet_set_payload(packet, &body, length);
    return DECODE_OK;
}

enum decode_kind transport_other(struct walk *walk, const struct ip_layer *ip,
                                 const struct cursor *body)
{
    packet_begin(walk->packet, walk, ip, TRANSPORT_NONE);
    packet_set_payload(walk->packet, body, ip->body_length);
    return DECODE_PROTOCOL;
}

enum decode_kind transport_decode(struct walk *walk, struct ip_layer *ip, const struct cursor *body)
{
    enum decode_kind kind;
    switch (ip->protocol) {
    case PROTOCOL_TCP:
        kind = decode_tcp(walk, ip, body);
        break;
    case PROTOCOL_UDP:
        kind = decode_udp(walk, ip, body);
        break;
    case PROTOCOL_ICMP:
        kind = ip->version == 4 ? icmp_decode(walk, ip, body) : transport_other(walk, ip, body);
        break;
    case PROTOCOL_ICMP6:
        kind = ip->version == 6 ? icmp_decode(walk, ip, body) : transport_other(walk, ip, body);
        break;
    case PROTOCOL_IP4:
    case PROTOCOL_IP6:
    case PROTOCOL_GRE:
        kind = tunnel_ip(walk, ip, body);
        break;
    default:
        kind = transport_other(walk, ip, body);
        break;
    }
    return kind;
}
