// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/* A recorded frame becomes another client's: addresses, ports, sequence numbers, ids, TTLs; and
 * checksums made right. IPv4 over Ethernet: TCP, UDP, and ICMP errors that quote them. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rewrite {
    uint8_t client[4], new_client[4];
    uint8_t resolver[4], new_resolver[4];
    uint16_t port, new_port;             /* the client's */
    uint32_t sequence_up, sequence_down; /* added */
    uint16_t dns_id;                     /* exclusive or */
    uint8_t hops;                        /* taken from what comes from the servers */
};

/* In place. False for a frame that it cannot rewrite. */
bool rewrite_frame(const struct rewrite *rewrite, uint8_t *bytes, size_t length, bool up);

/* Are the checksums of the frame right (IP, TCP, UDP, ICMP; a UDP checksum of 0 is)? */
bool rewrite_checks(const uint8_t *bytes, size_t length);
