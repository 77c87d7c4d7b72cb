// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/* A line with a client and a server on it, and what a tracker makes of their packets. */
#include <stdbool.h>

#include "base/clock.h"
#include "probe/flow/track.h"

#define MS         1000
#define SECOND     CLOCK_SECOND_US
#define CLIENT_ISN 1000000u
#define SERVER_ISN 0xfffffff0u /* its numbers wrap within 16 bytes */

#define C SIDE_CLIENT
#define S SIDE_SERVER

/* A tracker, a client and a server, and the last flow that ended. */
struct line {
    struct tracker tracker;
    struct address client, server;
    uint16_t client_port, server_port, ip_id[2];
    uint8_t ttl[2];
    int64_t now_us;
    uint64_t number;
    struct tracked tracked;
    unsigned ended;
    enum close_reason reason;
    struct flow flow;
    struct evidence evidence;
    bool has_evidence;
};

/* `knows_places`: 39.0.0.0/8 is local, and 5222 a server's port. */
void line_begin(struct line *line, bool knows_places);
void line_end(struct line *line);
struct packet make_packet(struct line *line, enum side side, uint8_t transport);
/* Gives the packet to the tracker; line->tracked says what became of it. */
bool give(struct line *line, const struct packet *packet);
/* One TCP segment a millisecond later; `seq` and `ack` count from the sides' initial numbers. */
struct packet tcp(struct line *line, enum side side, uint8_t flags, uint32_t seq, uint32_t ack,
                  uint32_t length);
void send_tcp(struct line *line, enum side side, uint8_t flags, uint32_t seq, uint32_t ack,
              uint32_t length);
/* SYN, SYN-ACK after 50 ms, ACK after 10 more. */
void shake_hands(struct line *line);
struct evidence *evidence_of(struct line *line);
struct details *details_of(struct line *line);
uint64_t payload_bytes(const struct evidence_side *side);
/* Bytes of the server at `seq` of its stream. */
void send_text(struct line *line, uint32_t seq, const void *text, size_t length);
