// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * A flow in memory, in three parts by how long they are needed:
 *
 *   struct flow        128 B    hot: every packet touches it, and nothing else of an ordinary,
 *                               decided flow
 *   struct evidence    128 B    what both ends did, tag included; given back once the flow turns
 *                               out to be of no catalogued service and nothing befell it (kept for
 *                               all with --all-names)
 *   struct inspection  < 3 KiB  parsers' state and nDPI (probe/inspect/inspect.h); until the tag is
 *                               final
 *
 * and struct details, for the few flows that something befell (resets, ICMP errors, a certificate
 * that does not fit), and struct pace, for those that carry much (probe/flow/pace.h). A DNS question is a flow too, with `sub` set; its third part is a struct
 * question. Parts live in pools, named by slot numbers.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/pool.h"
#include "probe/decode/decode.h"
#include "store/observation.h"

enum flow_flag {
    FLOW_CLIENT_IS_HIGH = 1 << 0, /* which of the two ends opened it */
    FLOW_MID_STREAM = 1 << 1,     /* TCP whose SYN was not seen */
    FLOW_CLIENT_GUESSED = 1 << 2,
    FLOW_HANDSHAKE = 1 << 3, /* three-way handshake complete */
    FLOW_FIN_CLIENT = 1 << 4,
    FLOW_FIN_SERVER = 1 << 5,
    FLOW_RESET = 1 << 6,
    FLOW_CUT = 1 << 7,          /* payload bytes that inspection wanted were not captured */
    FLOW_STORED_EARLY = 1 << 8, /* an early row is in the store */
    FLOW_DECIDED = 1 << 9,      /* the tag is final */
    FLOW_INTERESTING = 1 << 10, /* of a service or watched name, or --all-names: will be stored */
    FLOW_SYN_ACK = 1 << 11,
    FLOW_ANSWERED = 1 << 12, /* the server sent payload, or the question got an answer */
    FLOW_EVENTFUL = 1 << 13, /* has details */
    /* TLS: kept for the day the flow ends badly, when inspection is long gone. */
    FLOW_SERVER_HELLO = 1 << 14,
    FLOW_HANDSHAKE_DONE = 1 << 15 /* ChangeCipherSpec or application data of the server */
};

enum flow_class { /* by how long silence means the end; one least-recently-seen list each */
                  FLOW_CLASS_OPENING, /* TCP before the handshake is complete */
                  FLOW_CLASS_ESTABLISHED,
                  FLOW_CLASS_CLOSED,   /* lingers for late packets, then is stored */
                  FLOW_CLASS_DATAGRAM, /* UDP, ICMP, other: unanswered */
                  FLOW_CLASS_QUESTION,
                  FLOW_CLASS_DIALOGUE, /* UDP, ICMP, other, once the server has answered */
                  FLOW_CLASS_SOUGHT,   /* as OPENING, and its server is known to be a service's */
                  FLOW_CLASS_COUNT
};

struct flow {
    struct address low,
        high; /* the two ends, in memory order of (address, port): one key for both directions */
    uint16_t low_port, high_port;
    uint32_t sub; /* 0, or a keyed hash of a DNS question's id, name and type */
    int64_t start_us, last_us;
    uint32_t packet_low; /* number of the first packet, 40 bits */
    uint8_t packet_high;
    uint8_t transport, flow_class, stage;
    uint32_t packets[2];
    uint32_t bytes_low[2];
    uint16_t bytes_high[2];
    uint32_t next_seq[2];  /* TCP: the next sequence number expected of each side */
    uint32_t last_ack[2];  /* TCP: the last acknowledgement of each side */
    uint32_t older, newer; /* least-recently-seen list */
    uint32_t inspection;   /* slot of struct inspection, or of struct question where sub != 0 */
    uint32_t evidence;
    uint32_t hash;
    uint16_t flags;
    uint16_t protocol; /* probe/classify: an index of protocol names */
    uint16_t service;  /* catalog number; 0 none */
    uint8_t ttl[2];    /* last ordinary one of each side */
};
_Static_assert(sizeof(struct flow) <= 128, "the hot part is two cache lines");

/* One side's part of the evidence; offsets saturate, see store/observation.h for meanings. */
struct evidence_side {
    uint8_t ttl_first, ttl_min, ttl_max;
    uint8_t syn_options, syn_window_scale, flags;
    uint16_t syn_window, syn_mss;
    uint16_t ip_id_first, ip_id_last, ip_id_max_step;
    uint16_t window_last;
    uint16_t data_retransmissions;
    uint8_t syn_retransmissions, out_of_order, ack_duplicates, first_payload_kind;
    uint16_t first_payload_length;
    uint32_t first_payload_after_us, last_payload_after_us, last_packet_after_us;
    uint32_t payload_low; /* payload bytes, 40 bits with payload_high */
    uint8_t payload_high;
    uint8_t payload_packets; /* saturating */
};

struct evidence {
    struct evidence_side sides[2];
    uint32_t handshake_rtt_us, ack_rtt_us;
    uint32_t host;     /* interned, INTERN_NONE */
    uint32_t dns_flow; /* packet number of the question it followed, low 32 bits; 0 none */
    uint32_t details;  /* slot; POOL_NONE for most */
    uint32_t pace;     /* slot; POOL_NONE where little was sent */
    uint16_t reasons;
    uint8_t certainty, role, close;
    uint8_t resets[2], resets_with_ack[2];
    uint8_t certificate; /* enum certificate_flag */
    /* What the client sent and wants answered since the server's last packet that was no reset, and
     * when the first of it went out. */
    uint8_t unanswered;
    bool no_dns; /* the client was told no name for the server before the flow began */
    uint32_t unanswered_after_us;
    uint32_t issuer;   /* interned, INTERN_NONE */
    uint32_t contents; /* ticket of what the server said (contents.h); 0 it said nothing yet */
};
_Static_assert(sizeof(struct evidence) <= 144, "evidence stays small");

/* A suspect, and what tells its copies: sequence number and acknowledgement. */
struct suspect_kept {
    struct suspect suspect;
    uint32_t end_seq, ack;
};
#define SUSPECTS_AT_HAND 3u /* few flows have more */

struct details {
    uint8_t suspect_count;
    bool has_tls, has_http;
    uint16_t suspects_not_kept;
    uint32_t more;              /* slot of struct details_more; POOL_NONE for most */
    uint32_t certificate, http; /* slots of struct details_texts; POOL_NONE for most */
    struct suspect_kept suspects[SUSPECTS_AT_HAND];
    struct icmp_facts icmp;
    uint8_t tls_head[offsetof(struct tls_facts, certificate)]; /* what a hello or an alert says */
};
_Static_assert(sizeof(struct details) <= 432, "every flow that is reset has them");

struct details_more {
    struct suspect_kept suspects[SUSPECTS_MAX - SUSPECTS_AT_HAND];
};

/* What few of them have: a certificate, or a web page. */
struct details_texts {
    union {
        uint8_t certificate[sizeof(struct tls_facts) - offsetof(struct tls_facts, certificate)];
        struct http_facts http;
    };
};

static inline bool flow_is_opening(const struct flow *flow)
{
    return flow->flow_class == FLOW_CLASS_OPENING || flow->flow_class == FLOW_CLASS_SOUGHT;
}
static inline enum side flow_side_of(const struct flow *flow, bool from_high)
{
    return from_high == ((flow->flags & FLOW_CLIENT_IS_HIGH) != 0) ? SIDE_CLIENT : SIDE_SERVER;
}
static inline const struct address *flow_address(const struct flow *flow, enum side side)
{
    bool client_high = (flow->flags & FLOW_CLIENT_IS_HIGH) != 0;
    return client_high == (side == SIDE_CLIENT) ? &flow->high : &flow->low;
}
static inline uint16_t flow_port(const struct flow *flow, enum side side)
{
    bool client_high = (flow->flags & FLOW_CLIENT_IS_HIGH) != 0;
    return client_high == (side == SIDE_CLIENT) ? flow->high_port : flow->low_port;
}
static inline uint64_t flow_bytes(const struct flow *flow, enum side side)
{
    return (uint64_t)flow->bytes_high[side] << 32 | flow->bytes_low[side];
}
static inline uint64_t flow_packet(const struct flow *flow)
{
    return (uint64_t)flow->packet_high << 32 | flow->packet_low;
}
/* Microseconds since the flow began, saturating at UINT32_MAX, 0 for what came before it. */
static inline uint32_t flow_offset_us(const struct flow *flow, int64_t time_us)
{
    int64_t offset = time_us - flow->start_us;
    return offset < 0 ? 0 : offset >= UINT32_MAX ? UINT32_MAX : (uint32_t)offset;
}
