// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Frames that the middlebox makes or changes: Ethernet, IPv4 or IPv6, and TCP, UDP or ICMP, with
 * right checksums.
 */
#include "base/address.h"
#include "base/buffer.h"

#define DRAFT_ETHERNET 14u /* bytes of the header; the lab has no VLANs */
#define DRAFT_MACS     12u

struct draft {
    struct address source, destination; /* both of one version */
    uint8_t protocol;                   /* IPPROTO_TCP, _UDP, _ICMP, _ICMPV6 */
    uint8_t ttl;
    uint16_t ip_id; /* IPv4 only, as is `df` */
    bool df;
    uint16_t source_port, destination_port;
    uint32_t seq, ack;
    uint8_t tcp_flags;
    uint16_t window;
    bool timestamps; /* the TCP option, with the two values below */
    uint32_t ts_value, ts_echo;
    uint8_t icmp_type, icmp_code;
    const uint8_t *payload; /* of an ICMP error: the packet it quotes */
    size_t length;
};

/* The one's complement sum of RFC 1071 over some bytes, to be continued; checksum_of() folds and
 * inverts it. */
uint32_t checksum_add(uint32_t sum, const uint8_t *bytes, size_t length);
uint16_t checksum_of(uint32_t sum);

/* Appends one whole frame. `macs`: destination and source, as on the wire. */
void draft_write(const struct draft *draft, const uint8_t macs[DRAFT_MACS], struct buffer *out);

/* Is the transport checksum of this IP packet right? Also the header's of IPv4. For tests. */
bool packet_checksums_right(const uint8_t *ip, size_t length);

/* A router's step: takes `step` from the TTL. False when nothing is left of it, and the frame must
 * not go on. */
bool frame_lower_ttl(uint8_t *frame, size_t length, uint8_t step);

/* Overwrites TCP options other than MSS and window scale with NOPs, and makes the checksum anew;
 * false if there were none. */
bool frame_clear_options(uint8_t *frame, size_t length);
