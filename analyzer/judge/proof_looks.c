// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What makes a reset look foreign, or like the side's own; and third parties that are innocent.
 * Load balancers and firewalls before a server differ in all of these: alone they prove nothing.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/judge/proof.h"
#include "base/array.h"

#define OPTION_TIMESTAMP 16 /* of suspect.tcp_options and side_facts.syn_options */
#define TTL_FAR          3  /* routes change by a hop or two */
#define IP_ID_COUNTS     32 /* greatest step of a side that counts its packets */
#define IP_ID_APART      256
#define IP_ID_NEXT       16
#define SEQ_REACH        65535

static const struct side_facts *own_of(const struct proof *proof, const struct suspect *s)
{
    return &proof->flow->evidence.sides[s->side == SIDE_CLIENT ? SIDE_CLIENT : SIDE_SERVER];
}

static bool has_ack(const struct suspect *s)
{
    return s->ack_offset != INT32_MIN;
}

/* IPv6 has neither identification nor DF. */
static bool has_ip_id(const struct proof *proof, const struct suspect *s)
{
    const struct side_facts *own = own_of(proof, s);
    return (own->flags & SIDE_DF) || s->ip_id != 0 || own->ip_id_last != 0;
}

static int ttl_step(const struct suspect *s)
{
    return s->ttl_expected ? abs((int)s->ttl - (int)s->ttl_expected) : 0;
}

static void look_at_ttl(struct proof *proof, const struct suspect *s)
{
    if (ttl_step(s) >= TTL_FAR)
        proof_add(proof, "ttl-distance", "packet %" PRIu64 ", %s's reset: TTL %u, before it %u",
                  s->packet, s->side == SIDE_CLIENT ? "client" : "server", s->ttl, s->ttl_expected);
}

static void look_at_ip_id(struct proof *proof, const struct suspect *s)
{
    const struct side_facts *own = own_of(proof, s);
    bool counts = own->ip_id_max_step > 0 && own->ip_id_max_step <= IP_ID_COUNTS;
    uint16_t back = (uint16_t)-s->ip_id_from_own;

    if (!has_ip_id(proof, s) || s->ip_id == 0)
        return;
    if (s->ip_id_from_own > 0 && s->ip_id_from_own <= IP_ID_NEXT && counts && ttl_step(s) == 0)
        proof_add(proof, "own-ip-id",
                  "packet %" PRIu64 ": IP-ID %u, the side's next but %u, TTL %u", s->packet,
                  s->ip_id, s->ip_id_from_own, s->ttl);
    else if (s->ip_id_from_other <= 1 && s->ip_id_from_own > IP_ID_NEXT)
        proof_add(proof, "ip-id-of-other-side",
                  "packet %" PRIu64 ": IP-ID %u is the other side's last plus %u", s->packet,
                  s->ip_id, s->ip_id_from_other);
    else if (counts && s->ip_id_from_own > IP_ID_APART && back > IP_ID_APART)
        proof_add(proof, "ip-id-apart", "packet %" PRIu64 ": IP-ID %u, the side counts at %u",
                  s->packet, s->ip_id, own->ip_id_last);
}

static void look_at_header(struct proof *proof, const struct suspect *s)
{
    const struct side_facts *own = own_of(proof, s);
    const struct side_facts *other =
        &proof->flow->evidence.sides[s->side == SIDE_CLIENT ? SIDE_SERVER : SIDE_CLIENT];
    bool df = s->ip_flags & 1;
    bool always = (own->flags & SIDE_DF) && !(own->flags & SIDE_NO_DF);
    bool never = (own->flags & SIDE_NO_DF) && !(own->flags & SIDE_DF);

    if (has_ip_id(proof, s) && ((always && !df) || (never && df)))
        proof_add(proof, "df-differs", "packet %" PRIu64 ": DF %s, the side's others %s", s->packet,
                  df ? "set" : "clear", df ? "clear" : "set");
    if (has_ack(s) && !(s->tcp_options & OPTION_TIMESTAMP) && (own->flags & SIDE_TIMESTAMPS) &&
        (other->flags & SIDE_TIMESTAMPS))
        proof_add(proof, "no-timestamps", "packet %" PRIu64 ": no timestamp, though negotiated",
                  s->packet);
    /* A SYN that is sent again is refused again. */
    if (s->copies > 0 && (proof->flow->flags & OBSERVATION_HANDSHAKE))
        proof_add(proof, "reset-copies", "packet %" PRIu64 " and %u exact copies", s->packet,
                  s->copies);
    /* An end that resets does so where it is; only a reply to a stray packet looks back, and that
     * has no ACK flag. */
    if (has_ack(s) && s->seq_offset < 0 && s->seq_offset >= -SEQ_REACH)
        proof_add(proof, "reset-behind",
                  "packet %" PRIu64 ": with ACK, %" PRId32 " bytes behind what its side had sent",
                  s->packet, -s->seq_offset);
}

static void look_at_time(struct proof *proof, const struct suspect *s)
{
    uint32_t rtt = proof->flow->evidence.handshake_rtt_us;

    if (s->side == SIDE_SERVER && !proof->contradicted && rtt >= PROOF_RTT_LEAST_US &&
        s->trigger_after_us != JUDGE_NEVER && s->trigger_after_us >= PROOF_SOONER(rtt))
        proof_add(proof, "full-round-trip",
                  "packet %" PRIu64 ": %.1f ms after its trigger, the handshake took %.1f ms",
                  s->packet, s->trigger_after_us / 1e3, rtt / 1e3);
}

void proof_looks(struct proof *proof, const struct suspect *suspect)
{
    look_at_ttl(proof, suspect);
    look_at_ip_id(proof, suspect);
    look_at_header(proof, suspect);
    look_at_time(proof, suspect);
}

/* ---- the first answer ---- */

const struct suspect *proof_first_answer(const struct proof *proof)
{
    const struct evidence_facts *e = &proof->flow->evidence;

    for (unsigned i = 0; i < e->suspect_count && i < SUSPECTS_MAX; i++) {
        const struct suspect *s = &e->suspects[i];
        if (s->side == SIDE_SERVER && s->payload_length > 0 && s->kind != SUSPECT_OVERLAP &&
            s->after_us == e->sides[SIDE_SERVER].first_payload_after_us)
            return s;
    }
    return NULL;
}

/* "http://192.0.2.1..." */
static bool leads_to_address(const char *location)
{
    static const char scheme[] = "http://";
    size_t length;

    if (strncmp(location, scheme, sizeof(scheme) - 1) != 0)
        return false;
    location += sizeof(scheme) - 1;
    length = strspn(location, "0123456789.");
    return length >= 7 && (location[length] == '\0' || strchr(":/?", location[length]));
}

bool proof_looks_redirected(struct proof *proof, const struct suspect *answer)
{
    const struct side_facts *server = &proof->flow->evidence.sides[SIDE_SERVER];
    bool df = answer->ip_flags & 1;
    bool differs = (df && (server->flags & SIDE_NO_DF)) || (!df && (server->flags & SIDE_DF));

    if (ttl_step(answer) < TTL_FAR || !differs || !has_ip_id(proof, answer) ||
        !leads_to_address(proof->flow->evidence.http.location))
        return false;
    proof_add(proof, "foreign-redirect",
              "packet %" PRIu64
              " at %.6f s, server: sends to a bare address; TTL %u, before it %u; "
              "DF %s, unlike before",
              answer->packet, judge_seconds(answer->after_us), answer->ttl, answer->ttl_expected,
              df ? "set" : "clear");
    return true;
}

/* ---- innocent third parties ---- */

/* A mapping that a translator or firewall forgot: the line rested long before the packet that was
 * answered so, or by nothing (`s` NULL). */
static void look_for_idle(struct proof *proof, const struct suspect *s)
{
    const struct evidence_facts *e = &proof->flow->evidence;
    enum side side = s && s->side == SIDE_CLIENT ? SIDE_CLIENT : SIDE_SERVER;
    /* The side that is answered has its last packet at the trigger; the other one rested. */
    uint32_t rested_from = e->sides[side].last_packet_after_us, trigger;

    if (e->unanswered > 0 && side == SIDE_SERVER)
        trigger = e->unanswered_after_us;
    else if (!s || s->kind != SUSPECT_RST || s->trigger_after_us > s->after_us)
        return;
    else
        trigger = s->after_us - s->trigger_after_us;
    if (rested_from < trigger && judge_has_rested(proof->flow, rested_from, trigger - rested_from))
        proof_add(proof, "idle-expiry", "the line had rested for %.0f s when it was used again",
                  judge_seconds(trigger - rested_from));
}

void proof_innocent(struct proof *proof, const struct suspect *suspect)
{
    look_for_idle(proof, suspect);
}

/* 9, 10 and 13, and ICMPv6's 1: a prohibition in so many words. */
static bool is_prohibition(const struct icmp_facts *icmp)
{
    if (icmp->ip_version == 6)
        return icmp->type == 1 && icmp->code == 1;
    return icmp->type == 3 && (icmp->code == 9 || icmp->code == 10 || icmp->code == 13);
}

void proof_icmp(struct proof *proof)
{
    const struct icmp_facts *icmp = &proof->flow->evidence.icmp;

    if (!proof->flow->evidence.present || !icmp->present || icmp->from_server ||
        proof->verdict->outcome != OUTCOME_FAILED || icmp->side != SIDE_CLIENT)
        return;
    if (is_prohibition(icmp))
        proof_add(proof, "icmp-prohibited", "ICMPv%u type %u code %u at %.6f s, TTL %u",
                  icmp->ip_version == 6 ? 6 : 4, icmp->type, icmp->code,
                  judge_seconds(icmp->after_us), icmp->ttl);
    else
        proof_add(proof, "router", "ICMPv%u type %u code %u at %.6f s of a router, TTL %u",
                  icmp->ip_version == 6 ? 6 : 4, icmp->type, icmp->code,
                  judge_seconds(icmp->after_us), icmp->ttl);
}
