// SPDX-License-Identifier: GPL-3.0-or-later
#include "rewrite.h"

#include <string.h>

#include "bytes.h"

#define TTL_LEAST 5

enum { PROTOCOL_ICMP = 1, PROTOCOL_TCP = 6, PROTOCOL_UDP = 17 };

static uint32_t sum_bytes(uint32_t sum, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i + 1 < length; i += 2) {
        sum += get16(bytes + i);
    }
    if (length % 2) {
        sum += (uint32_t)bytes[length - 1] << 8;
    }
    return sum;
}

static uint16_t fold(uint32_t sum)
{
    while (sum >> 16) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)~sum;
}

/* Over segment and pseudo-header; the checksum's own place included. */
static uint16_t segment_sum(const uint8_t *ip, const uint8_t *segment, size_t length)
{
    uint32_t sum = sum_bytes(0, ip + 12, 8) + ip[9] + (uint32_t)length;

    return fold(sum_bytes(sum, segment, length));
}

static size_t checksum_place(uint8_t protocol)
{
    return protocol == PROTOCOL_TCP ? 16 : protocol == PROTOCOL_UDP ? 6 : 2;
}

static void make_checksums(uint8_t *ip, size_t header, size_t total)
{
    uint8_t *segment = ip + header;
    uint8_t *place = segment + checksum_place(ip[9]);

    put16(ip + 10, 0);
    put16(ip + 10, fold(sum_bytes(0, ip, header)));
    if (ip[9] == PROTOCOL_UDP && get16(place) == 0) {
        return;
    }
    put16(place, 0);
    uint16_t sum = ip[9] == PROTOCOL_ICMP ? fold(sum_bytes(0, segment, total - header))
                                          : segment_sum(ip, segment, total - header);
    put16(place, ip[9] == PROTOCOL_UDP && sum == 0 ? 0xffff : sum);
}

static void change_address(uint8_t *at, const uint8_t from[4], const uint8_t to[4])
{
    if (memcmp(at, from, 4) == 0) {
        memcpy(at, to, 4);
    }
}

/* Blocks of selective acknowledgement count in the other side's numbers. */
static void change_sack(uint8_t *options, const uint8_t *end, uint32_t add)
{
    while (options < end && options[0] != 0) {
        size_t size = options[0] == 1 || options + 1 == end ? 1 : options[1];
        if (size == 0 || options + size > end || (options[0] != 1 && size < 2)) {
            return;
        }
        for (size_t i = 2; options[0] == 5 && i + 4 <= size; i += 4) {
            put32(options + i, get32(options + i) + add);
        }
        options += size;
    }
}

static void change_tcp(const struct rewrite *rewrite, uint8_t *tcp, size_t length, bool up)
{
    uint32_t own = up ? rewrite->sequence_up : rewrite->sequence_down;
    uint32_t other = up ? rewrite->sequence_down : rewrite->sequence_up;

    put32(tcp + 4, get32(tcp + 4) + own);
    if (length < 20) {
        return; /* quoted: no more is there */
    }
    /* An acknowledgement of 0 with RST is an injector's habit, and stays. */
    if (tcp[13] & 0x10 && get32(tcp + 8) != 0) {
        put32(tcp + 8, get32(tcp + 8) + other);
    }
    size_t header = (size_t)(tcp[12] >> 4) * 4;
    if (header > 20 && header <= length) {
        change_sack(tcp + 20, tcp + header, other);
    }
}

/* `up`: this packet is the client's. */
static bool change_ip(const struct rewrite *rewrite, uint8_t *ip, size_t length, bool up,
                      bool quoted)
{
    size_t header = (ip[0] & 15u) * 4u;
    uint8_t *segment = ip + header;

    if (header < 20 || length < header + 8) {
        return false;
    }
    change_address(ip + (up ? 12 : 16), rewrite->client, rewrite->new_client);
    change_address(ip + (up ? 16 : 12), rewrite->resolver, rewrite->new_resolver);
    if (!up && ip[8] > rewrite->hops + TTL_LEAST) {
        ip[8] = (uint8_t)(ip[8] - rewrite->hops);
    }
    if (ip[9] == PROTOCOL_ICMP && !quoted && length >= header + 36) {
        return change_ip(rewrite, segment + 8, length - header - 8, !up, true);
    }
    if (ip[9] != PROTOCOL_TCP && ip[9] != PROTOCOL_UDP) {
        return false;
    }
    uint8_t *port = segment + (up ? 0 : 2);
    if (get16(port) == rewrite->port) {
        put16(port, rewrite->new_port);
    }
    if (ip[9] == PROTOCOL_TCP) {
        change_tcp(rewrite, segment, length - header, up);
    } else if (get16(segment + (up ? 2 : 0)) == 53 && length >= header + 10) {
        put16(segment + 8, get16(segment + 8) ^ rewrite->dns_id);
    }
    if (quoted) { /* often cut: what of it can be right is */
        put16(ip + 10, 0);
        put16(ip + 10, fold(sum_bytes(0, ip, header)));
        if (get16(ip + 2) <= length) {
            make_checksums(ip, header, get16(ip + 2));
        }
    }
    return true;
}

bool rewrite_frame(const struct rewrite *rewrite, uint8_t *bytes, size_t length, bool up)
{
    uint8_t *ip = bytes + ETHERNET_SIZE;

    if (length < ETHERNET_SIZE + 28 || get16(bytes + 12) != 0x0800) {
        return false;
    }
    size_t total = get16(ip + 2);
    if (total > length - ETHERNET_SIZE || !change_ip(rewrite, ip, total, up, false)) {
        return false;
    }
    make_checksums(ip, (ip[0] & 15u) * 4u, total);
    return true;
}

bool rewrite_checks(const uint8_t *bytes, size_t length)
{
    const uint8_t *ip = bytes + ETHERNET_SIZE;
    size_t header = (ip[0] & 15u) * 4u, total = get16(ip + 2);

    if (length < ETHERNET_SIZE + 28 || total > length - ETHERNET_SIZE || header + 8 > total ||
        fold(sum_bytes(0, ip, header)) != 0) {
        return false;
    }
    if (ip[9] == PROTOCOL_ICMP) {
        return fold(sum_bytes(0, ip + header, total - header)) == 0;
    }
    if (ip[9] == PROTOCOL_UDP && get16(ip + header + 6) == 0) {
        return true;
    }
    return segment_sum(ip, ip + header, total - header) == 0;
}
