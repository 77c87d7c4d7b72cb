// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What resets say of each other and of the packets around them: the detectors of NDSS 2009 that are
 * no contradictions, with the guards their authors and others found needed. A flow in which either
 * side said goodbye (FIN) or whose SYN is not here says nothing; a reset made of the other side's
 * acknowledgement (no ACK flag, its number) is an honest answer to a stray packet; what differs by
 * less than 3 ms may have been overtaken on the way. Load balancers, accept queues and clients that
 * race two addresses do some of these things honestly: none proves anything.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "analyzer/judge/proof.h"
#include "base/array.h"

#define WINDOW_US    2000000u /* resets further apart are of different causes */
#define REORDERED_US 3000u
#define HEELS_US     200000u /* racing clients give the first address 250 ms (RFC 8305 5) */
#define SEQ_STEP     2       /* a SYN and a FIN */
#define TTL_FAR      3

static const struct side_facts *side_of(const struct proof *proof, enum side side)
{
    return &proof->flow->evidence.sides[side];
}

static bool is_reset(const struct suspect *s)
{
    return s->kind == SUSPECT_RST;
}

static bool has_ack(const struct suspect *s)
{
    return s->ack_offset != INT32_MIN;
}

/* ---- two resets of one side ---- */

/* No new data of the side between them, and none before them from the other side's grave. */
static bool is_seq_change(const struct suspect *first, const struct suspect *later)
{
    return first->own_bytes_after == later->own_bytes_after &&
           later->seq_change - first->seq_change > SEQ_STEP && later->seq_offset > 0 &&
           later->seq_beyond_ack > SEQ_STEP;
}

/* An end acknowledges what it got: more as time goes by, and nothing that was never sent. */
static bool is_ack_change(const struct suspect *first, const struct suspect *later)
{
    int64_t change = (int64_t)later->ack_change - first->ack_change;
    bool both_set = first->ack_field == ACK_FIELD_SET && later->ack_field == ACK_FIELD_SET;

    if (!both_set || change == 0)
        return false;
    return (change < 0 && later->after_us - first->after_us >= REORDERED_US) ||
           (has_ack(later) && later->ack_offset > 0) || (has_ack(first) && first->ack_offset > 0);
}

static bool is_ttl_change(const struct suspect *first, const struct suspect *later)
{
    return abs((int)first->ttl - (int)later->ttl) >= TTL_FAR && first->ip_id != later->ip_id;
}

static void look_at_pair(struct proof *proof, const struct suspect *first,
                         const struct suspect *later)
{
    if (is_seq_change(first, later))
        proof_add(proof, "reset-seq-change",
                  "packets %" PRIu64 " and %" PRIu64 ": the second %" PRId64 " further on, %" PRId32
                  " beyond what was sent, %" PRId32 " beyond what was acknowledged",
                  first->packet, later->packet, (int64_t)later->seq_change - first->seq_change,
                  later->seq_offset, later->seq_beyond_ack);
    if (is_ack_change(first, later))
        proof_add(proof, "reset-ack-change",
                  "packets %" PRIu64 " and %" PRIu64 ": acknowledgements differ by %" PRId64,
                  first->packet, later->packet, (int64_t)later->ack_change - first->ack_change);
    if (is_ttl_change(first, later))
        proof_add(proof, "reset-ttls-differ", "packets %" PRIu64 " and %" PRIu64 ": TTL %u and %u",
                  first->packet, later->packet, first->ttl, later->ttl);
}

static bool other_reset_before(const struct evidence_facts *e, const struct suspect *reset)
{
    for (unsigned i = 0; i < e->suspect_count && i < SUSPECTS_MAX; i++)
        if (is_reset(&e->suspects[i]) && e->suspects[i].side != reset->side &&
            e->suspects[i].after_us <= reset->after_us)
            return true;
    return false;
}

static void look_at_pairs(struct proof *proof)
{
    const struct evidence_facts *e = &proof->flow->evidence;

    for (unsigned i = 0; i < e->suspect_count && i < SUSPECTS_MAX; i++) {
        const struct suspect *first = &e->suspects[i];
        if (!is_reset(first) || other_reset_before(e, first))
            continue;
        for (unsigned k = i + 1; k < e->suspect_count && k < SUSPECTS_MAX; k++) {
            const struct suspect *later = &e->suspects[k];
            if (is_reset(later) && later->side == first->side &&
                later->after_us >= first->after_us && later->after_us - first->after_us < WINDOW_US)
                look_at_pair(proof, first, later);
        }
    }
}

/* ---- one reset and what is around it ---- */

static void look_at_opening(struct proof *proof, const struct suspect *s)
{
    const struct evidence_facts *e = &proof->flow->evidence;
    const struct side_facts *client = side_of(proof, SIDE_CLIENT);
    const struct side_facts *server = side_of(proof, SIDE_SERVER);
    bool shook = (proof->flow->flags & OBSERVATION_HANDSHAKE) != 0;
    uint64_t done_us = (uint64_t)e->handshake_rtt_us + e->ack_rtt_us;

    if (s->side == SIDE_CLIENT && !shook && !(server->flags & SIDE_SYN) &&
        client->syn_retransmissions == 0 && s->after_us < HEELS_US)
        proof_add(proof, "syn-then-reset", "packet %" PRIu64 ": %.1f ms after the SYN, no answer",
                  s->packet, s->after_us / 1e3);
    if (s->side == SIDE_SERVER && (server->flags & SIDE_SYN) && e->handshake_rtt_us > 0 &&
        e->handshake_rtt_us > s->after_us && e->handshake_rtt_us - s->after_us >= REORDERED_US)
        proof_add(proof, "accepted-after-reset",
                  "packet %" PRIu64 ": refused at %.1f ms, accepted at %.1f ms", s->packet,
                  s->after_us / 1e3, e->handshake_rtt_us / 1e3);
    if (s->side == SIDE_SERVER && shook && done_us > 0 && s->after_us >= done_us &&
        s->after_us - done_us < HEELS_US && client->payload_bytes == 0 &&
        server->payload_bytes == 0)
        proof_add(proof, "reset-before-data", "packet %" PRIu64 ": %.1f ms after the handshake",
                  s->packet, (double)(s->after_us - done_us) / 1e3);
}

static void look_beyond(struct proof *proof, const struct suspect *s)
{
    const struct side_facts *client = side_of(proof, SIDE_CLIENT);
    const struct side_facts *server = side_of(proof, SIDE_SERVER);

    if (!proof->contradicted && s->seq_offset >= 0 && s->own_bytes_after > 1 &&
        s->own_after_us >= REORDERED_US)
        proof_add(proof, "in-flight-after-reset",
                  "packet %" PRIu64 ": %" PRIu32 " new bytes came for %.1f ms behind it", s->packet,
                  s->own_bytes_after, s->own_after_us / 1e3);
    if (s->side == SIDE_CLIENT && s->ttl_expected != 0 && server->ttl_first != 0 &&
        abs((int)s->ttl - (int)s->ttl_expected) >= TTL_FAR &&
        abs((int)s->ttl - (int)client->ttl_first) >= TTL_FAR &&
        abs((int)s->ttl - (int)server->ttl_first) <= 1)
        proof_add(proof, "client-reset-from-beyond",
                  "packet %" PRIu64 ": TTL %u, the client's %u, the server's %u", s->packet, s->ttl,
                  s->ttl_expected, server->ttl_first);
}

static void look_at_syn_acks(struct proof *proof)
{
    const struct evidence_facts *e = &proof->flow->evidence;

    for (unsigned i = 0; i < e->suspect_count && i < SUSPECTS_MAX; i++)
        if (e->suspects[i].kind == SUSPECT_SYN_ACK &&
            side_of(proof, SIDE_CLIENT)->syn_retransmissions == 0)
            proof_add(proof, "second-syn-ack", "packet %" PRIu64 " at %.6f s, TTL %u, before it %u",
                      e->suspects[i].packet, judge_seconds(e->suspects[i].after_us),
                      e->suspects[i].ttl, e->suspects[i].ttl_expected);
}

void proof_resets(struct proof *proof, const struct suspect *reset)
{
    uint8_t flags[2] = {side_of(proof, SIDE_CLIENT)->flags, side_of(proof, SIDE_SERVER)->flags};

    if (!(flags[SIDE_CLIENT] & SIDE_SYN) || ((flags[0] | flags[1]) & SIDE_FIN))
        return;
    look_at_pairs(proof);
    look_at_opening(proof, reset);
    look_beyond(proof, reset);
    look_at_syn_acks(proof);
}
