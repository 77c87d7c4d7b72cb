// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/lab/middlebox/draft.h"

#include <netinet/in.h>

#include "base/cursor.h"
#include "probe/decode/decode.h"

#define IPV4_HEADER      20u
#define IPV6_HEADER      40u
#define TCP_HEADER       20u
#define TIMESTAMP_LENGTH 12u /* two NOPs before it, as Linux writes it */
#define ETHERTYPE_IPV4   0x0800
#define ETHERTYPE_IPV6   0x86dd

enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_MSS = 2, OPTION_SCALE = 3, OPTION_TIMESTAMPS = 8 };

uint32_t checksum_add(uint32_t sum, const uint8_t *bytes, size_t length)
{
    struct cursor c = cursor_init(bytes, length);
    while (cursor_left(&c) > 1)
        sum += cursor_u16(&c);
    if (cursor_left(&c))
        sum += (uint32_t)cursor_u8(&c) << 8;
    return (sum & 0xffff) + (sum >> 16); /* so that long packets do not overflow it */
}

uint16_t checksum_of(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void put_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static uint16_t get_u16(const uint8_t *at)
{
    struct cursor c = cursor_init(at, 2);
    return cursor_u16(&c);
}

/* Where the checksum stands in each transport header; 0 for others. */
static size_t checksum_place(uint8_t protocol)
{
    switch (protocol) {
    case IPPROTO_TCP:
        return 16;
    case IPPROTO_UDP:
        return 6;
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
        return 2;
    default:
        return 0;
    }
}

/* The sum over the pseudo header (none for ICMP of IPv4) and the transport part. */
static uint32_t transport_sum(const uint8_t *ip, uint8_t protocol, const uint8_t *body,
                              size_t length)
{
    uint32_t sum = 0;
    if (protocol != IPPROTO_ICMP) {
        bool v4 = ip[0] >> 4 == 4;
        sum = checksum_add(sum, ip + (v4 ? 12 : 8), v4 ? 8 : 32);
        sum += protocol + (uint32_t)length;
    }
    return checksum_add(sum, body, length);
}

static void set_transport_checksum(const uint8_t *ip, uint8_t protocol, uint8_t *body,
                                   size_t length)
{
    size_t place = checksum_place(protocol);
    if (!place || length < place + 2)
        return;
    put_u16(body + place, 0);
    uint16_t value = checksum_of(transport_sum(ip, protocol, body, length));
    if (protocol == IPPROTO_UDP && value == 0)
        value = 0xffff; /* 0 would say that there is none */
    put_u16(body + place, value);
}

static void set_header_checksum(uint8_t *ip)
{
    size_t header = (size_t)(ip[0] & 15) * 4;
    put_u16(ip + 10, 0);
    put_u16(ip + 10, checksum_of(checksum_add(0, ip, header)));
}

static size_t transport_length(const struct draft *d)
{
    switch (d->protocol) {
    case IPPROTO_TCP:
        return TCP_HEADER + (d->timestamps ? TIMESTAMP_LENGTH : 0) + d->length;
    default: /* UDP, ICMP */
        return 8 + d->length;
    }
}

static void write_ip(const struct draft *d, struct buffer *out)
{
    size_t length = transport_length(d);
    if (address_is_v4(&d->source)) {
        buffer_append_u16(out, 0x4500);
        buffer_append_u16(out, (uint16_t)(IPV4_HEADER + length));
        buffer_append_u16(out, d->ip_id);
        buffer_append_u16(out, d->df ? 0x4000 : 0);
        buffer_append_u8(out, d->ttl);
        buffer_append_u8(out, d->protocol);
        buffer_append_u16(out, 0);
        buffer_append(out, d->source.bytes + 12, 4);
        buffer_append(out, d->destination.bytes + 12, 4);
        return;
    }
    buffer_append_u32(out, 0x60000000);
    buffer_append_u16(out, (uint16_t)length);
    buffer_append_u8(out, d->protocol);
    buffer_append_u8(out, d->ttl);
    buffer_append(out, d->source.bytes, 16);
    buffer_append(out, d->destination.bytes, 16);
}

static void write_tcp(const struct draft *d, struct buffer *out)
{
    size_t header = TCP_HEADER + (d->timestamps ? TIMESTAMP_LENGTH : 0);
    buffer_append_u16(out, d->source_port);
    buffer_append_u16(out, d->destination_port);
    buffer_append_u32(out, d->seq);
    buffer_append_u32(out, d->ack);
    buffer_append_u8(out, (uint8_t)(header / 4 << 4));
    buffer_append_u8(out, d->tcp_flags);
    buffer_append_u16(out, d->window);
    buffer_append_u32(out, 0); /* checksum, urgent pointer */
    if (d->timestamps) {
        static const uint8_t head[] = {OPTION_NOP, OPTION_NOP, OPTION_TIMESTAMPS, 10};
        buffer_append(out, head, sizeof(head));
        buffer_append_u32(out, d->ts_value);
        buffer_append_u32(out, d->ts_echo);
    }
}

static void write_transport(const struct draft *d, struct buffer *out)
{
    if (d->protocol == IPPROTO_TCP) {
        write_tcp(d, out);
    } else if (d->protocol == IPPROTO_UDP) {
        buffer_append_u16(out, d->source_port);
        buffer_append_u16(out, d->destination_port);
        buffer_append_u16(out, (uint16_t)(8 + d->length));
        buffer_append_u16(out, 0);
    } else {
        buffer_append_u8(out, d->icmp_type);
        buffer_append_u8(out, d->icmp_code);
        buffer_append_u16(out, 0);
        buffer_append_u32(out, 0); /* unused (RFC 792) */
    }
    buffer_append(out, d->payload, d->length);
}

void draft_write(const struct draft *d, const uint8_t macs[DRAFT_MACS], struct buffer *out)
{
    bool v4 = address_is_v4(&d->source);
    buffer_append(out, macs, DRAFT_MACS);
    buffer_append_u16(out, v4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6);
    size_t begin = out->length;
    write_ip(d, out);
    size_t body = out->length;
    write_transport(d, out);
    if (out->failed)
        return;
    uint8_t *ip = (uint8_t *)out->bytes + begin;
    if (v4)
        set_header_checksum(ip);
    set_transport_checksum(ip, d->protocol, (uint8_t *)out->bytes + body, out->length - body);
}

/* Where an IP packet's transport part is. False for fragments, other protocols, and what is not
 * whole. */
static bool find_transport(const uint8_t *ip, size_t length, uint8_t *ret_protocol,
                           size_t *ret_start, size_t *ret_length)
{
    struct cursor c = cursor_init(ip, length);
    int first = cursor_peek(&c, 0);
    size_t header = IPV6_HEADER, total;
    if (first >> 4 == 4) {
        header = (size_t)(first & 15) * 4;
        cursor_skip(&c, 2);
        total = cursor_u16(&c);
        cursor_skip(&c, 2);
        if (cursor_u16(&c) & 0x3fff)
            return false;
        cursor_skip(&c, 1);
        *ret_protocol = cursor_u8(&c);
    } else {
        cursor_skip(&c, 4);
        total = IPV6_HEADER + (size_t)cursor_u16(&c);
        *ret_protocol = cursor_u8(&c);
    }
    if (!cursor_ok(&c) || total > length || header > total || header < IPV4_HEADER)
        return false;
    *ret_start = header;
    *ret_length = total - header;
    return checksum_place(*ret_protocol) > 0;
}

bool packet_checksums_right(const uint8_t *ip, size_t length)
{
    uint8_t protocol;
    size_t start, body;
    if (!find_transport(ip, length, &protocol, &start, &body))
        return false;
    if (ip[0] >> 4 == 4 && checksum_of(checksum_add(0, ip, start)) != 0)
        return false;
    return checksum_of(transport_sum(ip, protocol, ip + start, body)) == 0;
}

bool frame_lower_ttl(uint8_t *frame, size_t length, uint8_t step)
{
    if (!step || length < DRAFT_ETHERNET + IPV4_HEADER)
        return true;
    uint16_t type = get_u16(frame + DRAFT_MACS);
    if (type != ETHERTYPE_IPV4 && type != ETHERTYPE_IPV6)
        return true;
    uint8_t *ip = frame + DRAFT_ETHERNET;
    uint8_t *ttl = ip + (type == ETHERTYPE_IPV4 ? 8 : 7);
    if (*ttl <= step)
        return false;
    *ttl = (uint8_t)(*ttl - step);
    if (type == ETHERTYPE_IPV4 && (size_t)(ip[0] & 15) * 4 + DRAFT_ETHERNET <= length)
        set_header_checksum(ip);
    return true;
}

static bool clear_options(uint8_t *options, size_t length)
{
    struct cursor c = cursor_init(options, length);
    bool cleared = false;
    while (cursor_left(&c)) {
        size_t at = length - cursor_left(&c);
        uint8_t kind = cursor_u8(&c);
        if (kind == OPTION_END)
            break;
        if (kind == OPTION_NOP)
            continue;
        uint8_t size = cursor_u8(&c);
        if (size < 2 || !cursor_bytes(&c, size - 2u))
            break;
        if (kind == OPTION_MSS || kind == OPTION_SCALE)
            continue;
        memset(options + at, OPTION_NOP, size);
        cleared = true;
    }
    return cleared;
}

bool frame_clear_options(uint8_t *frame, size_t length)
{
    uint8_t protocol;
    size_t start, body;
    if (length < DRAFT_ETHERNET)
        return false;
    uint8_t *ip = frame + DRAFT_ETHERNET;
    if (!find_transport(ip, length - DRAFT_ETHERNET, &protocol, &start, &body) ||
        protocol != IPPROTO_TCP || body < TCP_HEADER)
        return false;
    uint8_t *tcp = ip + start;
    size_t header = (size_t)(tcp[12] >> 4) * 4;
    if (header <= TCP_HEADER || header > body ||
        !clear_options(tcp + TCP_HEADER, header - TCP_HEADER))
        return false;
    set_transport_checksum(ip, protocol, tcp, body);
    return true;
}
