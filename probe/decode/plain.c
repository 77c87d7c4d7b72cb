// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Nearly every frame is Ethernet, IPv4 without options, whole, and TCP or UDP: one question whether
 * all three headers are there, then plain loads. Whatever is otherwise in the least goes the long
 * way, which says the same of these frames.
 */
#include "probe/decode/layers.h"

#define ETHERNET_HEADER 14u
#define IP4_HEADER      20u
#define IP4_PLAIN       0x45u /* version 4, no options */
#define IP4_DF          0x4000u
#define IP4_FRAGMENT    0x3fffu /* more fragments, or an offset */
#define UDP_HEADER      8u
#define TCP_HEADER      20u

static inline uint16_t load16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t load32(const uint8_t *at)
{
    return (uint32_t)load16(at) << 16 | load16(at + 2);
}

static inline void begin(struct packet *packet, const struct frame *frame, const uint8_t *ip,
                         uint32_t bytes)
{
    packet_clear(packet);
    packet->time_us = frame->time_us;
    packet->number = frame->number;
    packet->source = address_from_v4(ip + 12);
    packet->destination = address_from_v4(ip + 16);
    packet->source_port = load16(ip + IP4_HEADER);
    packet->destination_port = load16(ip + IP4_HEADER + 2);
    packet->protocol = ip[9];
    packet->ip_version = 4;
    packet->ttl = ip[8];
    packet->ip_id = load16(ip + 4);
    packet->flags = load16(ip + 6) & IP4_DF ? PACKET_DF : 0;
    packet->ip = ip;
    packet->ip_captured = packet->bytes = bytes;
}

static inline void set_payload(struct packet *packet, const uint8_t *at, uint32_t length)
{
    packet->payload = length > 0 ? at : NULL;
    packet->payload_captured = packet->payload_length = length;
}

/* `ip` has `bytes` bytes, at least both headers. */
static bool take_tcp(const struct frame *frame, const uint8_t *ip, uint32_t bytes,
                     struct packet *packet)
{
    const uint8_t *tcp = ip + IP4_HEADER;
    uint32_t header = (tcp[12] >> 4) * 4u, body = bytes - IP4_HEADER;
    if (header < TCP_HEADER || header > body) {
        return false;
    }
    begin(packet, frame, ip, bytes);
    packet->transport = TRANSPORT_TCP;
    packet->seq = load32(tcp + 4);
    packet->ack = load32(tcp + 8);
    packet->tcp_flags = tcp[13];
    packet->tcp_window = load16(tcp + 14);
    if (header > TCP_HEADER) {
        struct cursor options = cursor_init(tcp + TCP_HEADER, header - TCP_HEADER);
        transport_read_options(packet, &options, false);
    }
    set_payload(packet, tcp + header, body - header);
    return true;
}

static bool take_udp(const struct frame *frame, const uint8_t *ip, uint32_t bytes,
                     struct packet *packet)
{
    const uint8_t *udp = ip + IP4_HEADER;
    uint32_t length = load16(udp + 4);
    if (length < UDP_HEADER || length > bytes - IP4_HEADER ||
        tunnel_port(load16(udp), load16(udp + 2))) {
        return false;
    }
    begin(packet, frame, ip, bytes);
    packet->transport = TRANSPORT_UDP;
    set_payload(packet, udp + UDP_HEADER, length - UDP_HEADER);
    return true;
}

bool plain_decode(const struct frame *frame, struct packet *ret_packet)
{
    struct cursor bytes = cursor_init(frame->data, frame->captured);
    const uint8_t *head = cursor_bytes(&bytes, ETHERNET_HEADER + IP4_HEADER + UDP_HEADER);
    if (!head || load16(head + ETHERNET_HEADER - 2) != ETHERTYPE_IP4) {
        return false;
    }
    const uint8_t *ip = head + ETHERNET_HEADER;
    uint32_t length = load16(ip + 2);
    if (ip[0] != IP4_PLAIN || (load16(ip + 6) & IP4_FRAGMENT) || length < IP4_HEADER + UDP_HEADER ||
        length > frame->captured - ETHERNET_HEADER) {
        return false;
    }
    if (ip[9] == PROTOCOL_TCP && length >= IP4_HEADER + TCP_HEADER) {
        return take_tcp(frame, ip, length, ret_packet);
    }
    return ip[9] == PROTOCOL_UDP && take_udp(frame, ip, length, ret_packet);
}
