// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What the middlebox remembers: flows with both ends' positions and habits, the ends themselves (so
 * that a habit is known before its owner has spoken in a flow), and the 3-tuples still blocked
 * after an interference.
 */
#include "probe/decode/decode.h"
#include "probe/inspect/dns.h"
#include "probe/inspect/quic.h"
#include "tests/lab/middlebox/rules.h"
#include "tests/lab/middlebox/throttle.h"

#define FLOWS_MAX     1024u
#define ENDS_MAX      64u
#define RESIDUALS_MAX 64u
#define REQUEST_MAX   4096u /* first bytes of a client that are put together to find a name */
#define DNS_PORT      53

struct habits { /* of one end, as its packets reach the box */
    bool seen;
    uint8_t ttl;
    uint16_t ip_id;
    bool df;
};

struct flow_end {
    struct habits habits;
    uint32_t next; /* the sequence number after the highest byte sent */
    uint32_t ack;
    uint16_t window;
    bool offered_timestamps;
    uint32_t ts_value;
    uint64_t bytes; /* of payload, retransmissions too */
};

struct flow {
    struct address client, server;
    uint16_t client_port, server_port;
    uint8_t transport;
    int64_t first_us, last_us;
    int64_t idle_us;         /* how long it was silent before the packet just seen */
    struct flow_end ends[2]; /* enum side */
    uint32_t client_isn;
    bool synack, established, request_done;
    uint32_t name_kind; /* enum name_kind */
    char name[PARSE_HOST_SIZE];
    size_t request_length;
    uint8_t request[REQUEST_MAX];
    struct quic_assembly quic;
    uint32_t fired, drawn, declined; /* by rule, as bits */
    unsigned drop_ways;              /* enum ways: what no longer passes */
    const struct rule *drop_rule, *slow_rule;
    struct token_bucket buckets[2]; /* enum side: of what this end sends */
    struct shaper shapers[2];
};
_Static_assert(RULES_MAX <= 32, "a flow has one bit a rule");

struct residual {
    struct address client, server;
    uint16_t server_port;
    int64_t since_us, until_us;
    const struct rule *rule;
};

struct flow_table {
    struct flow *flows;
    size_t count;
    uint64_t refused; /* packets of flows that found no room */
    struct {
        struct address address;
        struct habits habits;
    } ends[ENDS_MAX];
    size_t end_count;
    struct residual residuals[RESIDUALS_MAX];
    size_t residual_count;
};

/* One packet as the rules look at it. */
struct seen {
    const struct packet *packet;
    struct flow *flow;
    enum side side;         /* who sent it */
    unsigned moments;       /* enum moment: what it is in its flow's life */
    struct dns_message dns; /* of a question */
};

int flow_table_init(struct flow_table *table); /* DL_OK or -ENOMEM */
void flow_table_finish(struct flow_table *table);

/* Finds or makes the packet's flow and brings it up to date. False for what belongs to none (ICMP,
 * a full table). */
bool flow_see(struct flow_table *table, const struct packet *packet, enum side side, int64_t now_us,
              struct seen *ret_seen);

/* Blocks a flow's 3-tuple from now until then; forgets the oldest when there are too many. */
void residual_add(struct flow_table *table, const struct flow *flow, const struct rule *rule,
                  int64_t now_us, int64_t until_us);
/* The one that holds this flow, or NULL: one that was there before the flow, for the flow that woke
 * it has its own fate. */
const struct residual *residual_find(const struct flow_table *table, const struct flow *flow,
                                     int64_t now_us);
