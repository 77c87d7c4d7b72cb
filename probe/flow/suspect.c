// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/array.h"
#include "probe/flow/track.h"

/* When the other side last gave a reason: its last payload, else its SYN or SYN-ACK. */
static uint32_t trigger_offset(const struct flow *flow, const struct evidence *evidence,
                               enum side side, const struct packet *packet)
{
    const struct evidence_side *other = &evidence->sides[!side];
    uint32_t now = flow_offset_us(flow, packet->time_us), trigger;
    if (other->payload_packets > 0)
        trigger = other->last_payload_after_us;
    else if (!(other->flags & SIDE_SYN))
        return UINT32_MAX;
    else if (!(flow->flags & FLOW_HANDSHAKE))
        trigger = other->last_packet_after_us; /* the last SYN: it may have been sent again */
    else
        trigger = side == SIDE_SERVER ? 0 : evidence->handshake_rtt_us;
    return now >= trigger ? now - trigger : UINT32_MAX;
}

static bool is_copy(const struct suspect_kept *kept, enum side side, const struct packet *packet)
{
    const struct suspect *s = &kept->suspect;
    return s->side == side && kept->end_seq == packet->seq && kept->ack == packet->ack &&
           s->tcp_flags == packet->tcp_flags && s->ip_id == packet->ip_id &&
           s->ttl == packet->ttl && s->payload_length == packet->payload_length;
}

/* 0 where a side's position is not known. */
static int32_t offset_from(uint32_t seq, uint32_t expected)
{
    return expected ? (int32_t)(seq - expected) : 0;
}

/* ---- a suspect ---- */

static void suspect_fill(struct suspect *s, const struct flow *flow,
                         const struct evidence *evidence, enum side side, enum suspect_kind kind,
                         const struct packet *packet)
{
    const struct evidence_side *own = &evidence->sides[side];
    const struct evidence_side *other = &evidence->sides[!side];
    s->packet = packet->number;
    s->after_us = flow_offset_us(flow, packet->time_us);
    s->trigger_after_us = trigger_offset(flow, evidence, side, packet);
    s->kind = (uint8_t)kind;
    s->side = (uint8_t)side;
    s->tcp_flags = packet->tcp_flags;
    s->tcp_options = packet->tcp_options;
    s->ttl = packet->ttl;
    s->ip_flags = (packet->flags & PACKET_DF) ? 1 : 0;
    s->ip_id = packet->ip_id;
    s->window = packet->tcp_window;
    s->payload_length = (uint16_t)MIN_OF(packet->payload_length, UINT16_MAX);
    s->seq_offset = offset_from(packet->seq, flow->next_seq[side]);
    s->ack_offset =
        (packet->tcp_flags & TCP_ACK) ? offset_from(packet->ack, flow->next_seq[!side]) : INT32_MIN;
    s->seq_beyond_ack =
        flow->last_ack[!side] ? (int32_t)(packet->seq - flow->last_ack[!side]) : INT32_MIN;
    s->ip_id_from_own = (uint16_t)(packet->ip_id - own->ip_id_last);
    s->ip_id_from_other = (uint16_t)(packet->ip_id - other->ip_id_last);
    s->ttl_expected = flow->ttl[side];
}

/* How it differs from the side's first reset. */
static void reset_fill(const struct tracker *tracker, struct details *details, unsigned at,
                       const struct packet *packet)
{
    struct suspect *s = &tracker_suspect(tracker, details, at)->suspect;

    s->ack_field = packet->ack ? ACK_FIELD_SET : ACK_FIELD_ZERO;
    for (unsigned i = 0; i < at; i++) {
        const struct suspect_kept *first = tracker_suspect(tracker, details, i);
        if (first->suspect.kind != SUSPECT_RST || first->suspect.side != s->side)
            continue;
        s->ack_change = (int32_t)(packet->ack - first->ack);
        s->seq_change = (int32_t)(packet->seq - first->end_seq);
        return;
    }
}

/* Is there room for one more suspect? */
static bool has_room(struct tracker *tracker, struct details *details)
{
    if (details->suspect_count < SUSPECTS_AT_HAND)
        return true;
    if (details->suspect_count == SUSPECTS_MAX)
        return false;
    if (!details->more) {
        details->more = pool_take(&tracker->more);
        tracker->details_refused += !details->more;
    }
    return details->more != POOL_NONE;
}

/* NULL where it is a copy, or there is no room. */
static struct suspect *suspect_new(struct tracker *tracker, struct flow *flow, enum side side,
                                   enum suspect_kind kind, const struct packet *packet)
{
    struct details *details = tracker_details(tracker, flow);
    if (!details)
        return NULL;
    for (unsigned i = 0; i < details->suspect_count; i++) {
        struct suspect_kept *kept = tracker_suspect(tracker, details, i);
        if (is_copy(kept, side, packet)) {
            kept->suspect.copies += kept->suspect.copies < UINT8_MAX;
            return NULL;
        }
    }
    if (!has_room(tracker, details)) {
        details->suspects_not_kept += details->suspects_not_kept < UINT16_MAX;
        return NULL;
    }
    unsigned at = details->suspect_count++;
    struct suspect_kept *kept = tracker_suspect(tracker, details, at);
    kept->end_seq = packet->seq;
    kept->ack = packet->ack;
    suspect_fill(&kept->suspect, flow, tracker_evidence(tracker, flow), side, kind, packet);
    if (kind == SUSPECT_RST)
        reset_fill(tracker, details, at, packet);
    return &kept->suspect;
}

void suspect_add(struct tracker *tracker, struct flow *flow, enum side side, enum suspect_kind kind,
                 const struct packet *packet)
{
    suspect_new(tracker, flow, side, kind, packet);
}

/* ---- two contents for one place ---- */

static uint64_t content_word(const uint16_t blocks[CONTENTS_KEPT])
{
    uint64_t word = 0;
    for (unsigned i = CONTENTS_KEPT; i-- > 0;)
        word = word << 16 | blocks[i];
    return word;
}

static bool has_overlap(const struct tracker *tracker, struct details *details)
{
    for (unsigned i = 0; details && i < details->suspect_count; i++)
        if (tracker_suspect(tracker, details, i)->suspect.kind == SUSPECT_OVERLAP)
            return true;
    return false;
}

bool suspect_add_overlap(struct tracker *tracker, struct flow *flow, const struct packet *packet)
{
    struct evidence *evidence = tracker_evidence(tracker, flow);
    struct contents_conflict conflict;

    if (flow->flags & FLOW_MID_STREAM)
        return false;
    if (!evidence->contents)
        evidence->contents =
            contents_open(&tracker->contents,
                          (flow->flags & FLOW_SYN_ACK) ? flow->next_seq[SIDE_SERVER] : packet->seq);
    if (!contents_differ(&tracker->contents, evidence->contents, packet, &conflict))
        return false;
    /* One says it all: a long page would leave no room for what else befell the flow. */
    struct suspect *s = has_overlap(tracker, tracker_details_if_any(tracker, flow))
                            ? NULL
                            : suspect_new(tracker, flow, SIDE_SERVER, SUSPECT_OVERLAP, packet);
    if (s) {
        s->content = content_word(conflict.now);
        s->content_before = content_word(conflict.before);
        s->length_before = (uint16_t)conflict.compared;
    }
    return true;
}

/* ---- what came later ---- */

static uint32_t saturating_add(uint32_t a, uint32_t b)
{
    return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

void suspect_note_payload(struct tracker *tracker, struct details *details, const struct flow *flow,
                          enum side side, const struct packet *packet)
{
    uint32_t end = packet->seq + packet->payload_length;
    uint32_t now = flow_offset_us(flow, packet->time_us);
    int32_t fresh = flow->next_seq[side] ? (int32_t)(end - flow->next_seq[side])
                                         : (int32_t)packet->payload_length;
    for (unsigned i = 0; i < details->suspect_count; i++) {
        struct suspect_kept *kept = tracker_suspect(tracker, details, i);
        struct suspect *s = &kept->suspect;
        if (s->packet == packet->number)
            continue;
        if (s->side != side) {
            s->other_bytes_after = saturating_add(s->other_bytes_after, packet->payload_length);
        } else if (fresh > 0 && (int32_t)(end - kept->end_seq) > s->payload_length) {
            s->own_bytes_after =
                saturating_add(s->own_bytes_after, MIN_OF((uint32_t)fresh, packet->payload_length));
            s->own_after_us = now > s->after_us ? now - s->after_us : 0;
        }
    }
}
