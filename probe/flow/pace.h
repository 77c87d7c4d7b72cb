// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * How fast a connection goes, what of it is lost, and how long its way is while it is busy.
 *
 * A slot is given to a flow that will be stored once one side has sent PACE_BYTES_LEAST of payload;
 * others cost nothing. It lives in a bounded pool as long as the flow and is filled packet by
 * packet, in constant time and without allocation.
 *
 * What is lost is known in two ways, for the probe stands somewhere on the way. What is lost before
 * it leaves a hole in the sequence, filled later by a retransmission; a hole filled sooner than any
 * retransmission could be, by a packet that does not have a later IP-ID, is reordering, and one that the other side acknowledges unfilled was lost
 * by the capture alone: neither counts. What is lost beyond it is sent here a second time; it is
 * noted for the time when it went the first time. Holes that were never filled when the flow ends
 * count. Where a burst's end is lost there is no hole, only a pause; then the steps of the IP-ID
 * tell, if they count this connection's packets (struct pace_facts has the means to know).
 *
 * A round trip is that of the path on the server's side: from a packet of the client with a fresh
 * timestamp to the first packet of the server that echoes it (RFC 7323 4); in an upload without
 * timestamps, from data to its acknowledgement. An echo that had to wait until the server had
 * something to send says nothing of the path: it counts for the least of all, and otherwise only
 * where the server's packet before it is not a quarter of the round trip away, or where it is so
 * short that nothing can have waited.
 */
#include "probe/decode/decode.h"
#include "store/observation.h"

#define PACE_BYTES_LEAST  8192u  /* of payload of one side before anything is kept */
#define PACE_BIN_FIRST_US 50000u /* doubled when PACE_BINS_MAX are full */
#define PACE_HOLES_MAX    12u

struct pace_hole {
    uint32_t start, end; /* sequence numbers */
    uint32_t after_us;   /* when it was seen, since the first bin began */
    uint8_t loss;        /* its number, PACE_LOSSES_MAX where it was not kept */
    uint8_t bin_segments;
};

struct pace {
    int64_t start_us; /* of the first bin */
    uint32_t first_after_us, bin_us;
    uint32_t origin, next; /* sequence numbers of the heavy side: at the first bin, expected */
    uint32_t through;      /* bytes that got through since the first bin began */
    uint32_t last_after_us;
    /* What was first sent before this is old enough to have been missed and asked for again. */
    uint32_t mark_old, mark_new, mark_after_us;
    uint32_t ask_value, ask_after_us, ask_last; /* the timestamp, or sequence number, waited for */
    uint32_t rtt_least_us, rtt_samples, lost[3];
    uint32_t ids, ids_small, quick, quick_counted;
    uint64_t bytes_before, other_bytes;
    uint16_t segment, rtt_ms, ip_id;
    uint8_t side, bin_last, loss_count, hole_count;
    bool asked, has_ip_id, in_order; /* the last: the IP-ID says so */
    struct pace_bin bins[PACE_BINS_MAX];
    struct pace_loss losses[PACE_LOSSES_MAX];
    struct pace_hole holes[PACE_HOLES_MAX];
};

struct pace_start {
    enum side side;        /* the heavy one */
    int64_t flow_start_us; /* the flow's first packet */
    uint64_t bytes_before; /* of that side, this packet's not included */
    uint32_t next;         /* the sequence number that was next of it */
    uint32_t rtt_us;       /* the handshake's; 0 unknown */
};

/* Begins with this packet of the heavy side, which carries payload; pace_packet() is not called for
 * it. `pace` is overwritten. */
void pace_begin(struct pace *pace, const struct pace_start *start, const struct packet *packet);
/* Each further packet of either side but resets; `payload`: it carries some that is no keepalive
 * and no padding. */
void pace_packet(struct pace *pace, enum side side, const struct packet *packet, bool payload);
/* What was seen so far. */
void pace_export(const struct pace *pace, struct pace_facts *ret_facts);
