// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Which flow a packet belongs to, and what the packet adds to it: TCP's state from the SYN on,
 * counters, clocks, and the facts of struct evidence. Payload bytes are hashed, never read.
 *
 * TCP's first packet says who the client is; a flow whose SYN was not seen is mid-stream, and its
 * client a guess (local networks first, then the higher port) unless place and port agree. RFC 9293 for the states, RFC 6298 3
 * (no round trip from retransmissions).
 */
#include "probe/flow/contents.h"
#include "probe/flow/pace.h"
#include "probe/flow/table.h"

struct track_options {
    uint32_t flows_maximum;
    uint32_t details_maximum;
    uint32_t texts_maximum;    /* 0: as many as details */
    uint32_t contents_maximum; /* servers' streams that are compared at one time; may be 0 */
    uint32_t paces_maximum;    /* 0: nobody's pace is kept */
    bool (*is_local)(void *context, const struct address *address); /* may be NULL */
    bool (*is_server_port)(void *context, enum transport transport,
                           uint16_t port); /* may be NULL */
    flow_ended_fn ended; /* give back what hangs on flow->inspection; track gives back the rest */
    void *context;
};

struct tracker {
    struct flow_table *table;
    struct pool evidence, details, more, texts, paces;
    struct contents contents;
    struct track_options options;
    int64_t
        passed_us; /* set by the owner: flows that were silent for too long by then have ended */
    uint64_t evidence_refused, icmp_unmatched, details_refused, paces_refused;
};

int tracker_init(struct tracker *tracker, const struct track_options *options);
void tracker_finish(struct tracker *tracker); /* accepts a zeroed one; ends nothing */

struct tracked {
    struct flow *flow;
    enum side side; /* who sent this packet */
    bool is_new;
    bool has_payload;      /* payload worth inspecting: not a keepalive probe, not after a reset */
    bool icmp_error;       /* the packet is not of the flow but complains about it */
    bool expected_known;   /* TCP: is expected_seq the side's true position (its SYN was seen)? */
    uint32_t expected_seq; /* what was next of this side before this packet */
};

/* Finds or makes the packet's flow and updates it. False where it belongs to none (an ICMP error
 * about a flow not known, memory out). */
bool tracker_packet(struct tracker *tracker, const struct packet *packet,
                    struct tracked *ret_tracked);

/*
 * The same in steps, for who has several packets at hand: memory is slow, and most of a flow's is
 * not in the cache when its packet comes. Each step asks for what the next one reads, so take each
 * for all packets before the next.
 */
struct track_look {
    struct flow_lookup lookup;
    struct flow *flow; /* a hint: it may be another's, or have ended */
};
void tracker_look(struct tracker *tracker, const struct packet *packet,
                  struct track_look *ret_look);
void tracker_look_at_flow(struct tracker *tracker, struct track_look *look);
void tracker_look_at_evidence(struct tracker *tracker, const struct track_look *look);
bool tracker_packet_looked(struct tracker *tracker, const struct packet *packet,
                           const struct track_look *look, struct tracked *ret_tracked);

/* The evidence of a flow, NULL if it has none. */
static inline struct evidence *tracker_evidence(struct tracker *tracker, const struct flow *flow)
{
    return flow->evidence ? pool_at(&tracker->evidence, flow->evidence) : NULL;
}
/* The details of a flow, made if need be; NULL at the maximum (counted) or where it has no
 * evidence. */
struct details *tracker_details(struct tracker *tracker, struct flow *flow);
static inline struct details *tracker_details_if_any(struct tracker *tracker,
                                                     const struct flow *flow)
{
    struct evidence *evidence = tracker_evidence(tracker, flow);
    return evidence && evidence->details ? pool_at(&tracker->details, evidence->details) : NULL;
}
/* One of its suspects, by its number. */
static inline struct suspect_kept *tracker_suspect(const struct tracker *tracker,
                                                   struct details *details, unsigned i)
{
    if (i < SUSPECTS_AT_HAND)
        return &details->suspects[i];
    struct details_more *more = pool_at(&tracker->more, details->more);
    return &more->suspects[i - SUSPECTS_AT_HAND];
}
/* An ICMP error: false where it quotes a packet of no known flow (counted). */
bool tracker_icmp_error(struct tracker *tracker, const struct packet *packet,
                        struct tracked *ret_tracked);
/* Where details become scarce, closed flows that linger for late packets end before their time: what is known
 * of them is worth more than what might still come. Between packets only: flows end. */
void tracker_make_room(struct tracker *tracker);
/* What was said in TLS and HTTP; NULL for what was not. What finds no room is left out (counted). */
void tracker_set_said(struct tracker *tracker, struct details *details, const struct tls_facts *tls,
                      const struct http_facts *http);
void tracker_get_said(const struct tracker *tracker, const struct details *details,
                      struct tls_facts *ret_tls, struct http_facts *ret_http);
/* How fast it went; NULL for most. */
static inline const struct pace *tracker_pace(struct tracker *tracker, const struct flow *flow)
{
    struct evidence *evidence = tracker_evidence(tracker, flow);
    return evidence && evidence->pace ? pool_at(&tracker->paces, evidence->pace) : NULL;
}
/* The flow, unless it had been silent for too long by `passed_us`: then it ends here and NULL is returned. So it
 * does not matter when flow_table_expire() was called last. NULL for NULL. */
struct flow *tracker_unless_overdue(struct tracker *tracker, struct flow *flow);
/* Gives the flow an evidence part if it has none; false at the maximum. */
bool tracker_give_evidence(struct tracker *tracker, struct flow *flow);
/* Gives evidence, details and pace back: the flow is decided, uninteresting and uneventful. */
void tracker_drop_evidence(struct tracker *tracker, struct flow *flow);
/* Counters and times of one packet of a flow (also for questions, which have no TCP state). */
void tracker_count(struct tracker *tracker, struct flow *flow, enum side side,
                   const struct packet *packet);
/* Bytes held from the system by table and parts. */
size_t tracker_memory(const struct tracker *tracker);

/* probe/flow/suspect.c */
/* Records a packet that deserves a look; copies of one already there only count. */
void suspect_add(struct tracker *tracker, struct flow *flow, enum side side, enum suspect_kind kind,
                 const struct packet *packet);
/* Payload of the server: does it say something else than what was in its place (contents.h)? Then
 * that is recorded. */
bool suspect_add_overlap(struct tracker *tracker, struct flow *flow, const struct packet *packet);
/* A later payload packet: adds to what came after each suspect. */
void suspect_note_payload(struct tracker *tracker, struct details *details, const struct flow *flow,
                          enum side side, const struct packet *packet);
