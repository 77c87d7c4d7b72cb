// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/judge/judge_internal.h"
#include "analyzer/judge/proof.h"
#include "analyzer/judge/signature.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Headers of a TCP segment with timestamps: what a packet has at least beyond its payload, about.
 */
#define HEADERS_V4     52
#define HEADERS_V6     72
#define SYN_EXTRA      8  /* MSS and window scale */
#define PAYLOAD_SURE   30 /* more than an alert or the odd SACK block explains */
#define PACKETS_SURE   8  /* nobody acknowledges that often without having talked */
#define DATAGRAMS_SURE 2  /* one may be lost: two unanswered ones are a fact */

/* A line that rested: see judge_internal.h. */
#define RESTED_UNUSED_US 60000000u
#define RESTED_US        20000000u
#define RESTED_LEAST_US  3000000u
#define RESTED_TIMES     10u

void judge_note(struct verdict *verdict, const char *rule, const char *format, ...)
{
    const struct judge_rule *entry = judge_rule_find(rule);
    va_list arguments;

    if (!entry || verdict->evidence_count == JUDGE_EVIDENCE_MAX)
        return;
    struct judge_evidence *evidence = &verdict->evidence[verdict->evidence_count++];
    evidence->rule = entry->id;
    va_start(arguments, format);
    vsnprintf(evidence->detail, sizeof(evidence->detail), format, arguments);
    va_end(arguments);
}

void judge_fail(struct verdict *verdict, const char *mechanism, enum attribution attribution)
{
    verdict->outcome = OUTCOME_FAILED;
    verdict->mechanism = mechanism;
    verdict->attribution = attribution;
}

static bool is_v4(const struct observation *flow)
{
    const struct endpoint *ends[2] = {&flow->server, &flow->client};

    for (int i = 0; i < 2; i++)
        if (ends[i]->kind == ENDPOINT_ADDRESS)
            return address_is_v4(&ends[i]->address);
    return false; /* not known: the longer headers prove less */
}

/* Without evidence the row must do: more bytes than headers explain are payload. */
static bool row_shows_payload(const struct observation *flow)
{
    uint64_t packets = flow->packets[SIDE_SERVER];
    uint64_t headers = packets * (is_v4(flow) ? HEADERS_V4 : HEADERS_V6) + SYN_EXTRA;

    if (flow->transport != TRANSPORT_TCP)
        return packets > 0;
    return flow->bytes[SIDE_SERVER] >= headers + PAYLOAD_SURE || packets >= PACKETS_SURE;
}

bool judge_server_spoke(const struct observation *flow)
{
    if (flow->evidence.present)
        return flow->evidence.sides[SIDE_SERVER].payload_bytes > 0;
    return row_shows_payload(flow);
}

static bool icmp_says_unreachable(const struct icmp_facts *icmp)
{
    if (icmp->ip_version == 6) /* unreachable; hop limit exceeded in transit */
        return icmp->type == 1 || (icmp->type == 3 && icmp->code == 0);
    /* "Fragmentation needed" is advice; "time exceeded in transit" is a path that leads nowhere. */
    return (icmp->type == 3 && icmp->code != 4) || (icmp->type == 11 && icmp->code == 0);
}

bool judge_unreachable(const struct observation *flow, struct verdict *verdict)
{
    const struct icmp_facts *icmp = &flow->evidence.icmp;

    if (!flow->evidence.present || !icmp->present || icmp->side != SIDE_CLIENT ||
        !icmp_says_unreachable(icmp))
        return false;
    judge_fail(verdict, "ip.unreachable", ATTRIBUTION_UNKNOWN);
    judge_note(verdict, "icmp-unreachable",
               "ICMPv%d type %d code %d, %d of them, the first %.3f s after the start, from %s",
               icmp->ip_version == 6 ? 6 : 4, icmp->type, icmp->code, icmp->count,
               judge_seconds(icmp->after_us),
               icmp->from_server ? "the server's own address" : "another address on the way");
    return true;
}

bool judge_has_rested(const struct observation *flow, uint32_t lived_us, uint32_t rested_us)
{
    if (!judge_server_spoke(flow))
        return rested_us > RESTED_UNUSED_US;
    return rested_us > RESTED_US ||
           (rested_us >= RESTED_LEAST_US && rested_us / RESTED_TIMES >= lived_us);
}

/* ---- datagrams ---- */

static void judge_datagram_silence(const struct observation *flow,
                                   const struct judge_context *context, const char *mechanism,
                                   const char *rule, struct verdict *verdict)
{
    int64_t silence = judge_silence_us(flow, context);

    if (flow->packets[SIDE_CLIENT] < DATAGRAMS_SURE || context->one_way)
        return;
    if (silence < JUDGE_SILENCE_US) {
        judge_note(verdict, "too-early", "the capture ended %.1f s after the last datagram",
                   judge_seconds(silence));
        return;
    }
    judge_fail(verdict, mechanism, ATTRIBUTION_UNKNOWN);
    judge_note(verdict, rule,
               "%llu datagrams in %.1f s, none answered; the capture went on for %.1f s",
               (unsigned long long)flow->packets[SIDE_CLIENT],
               judge_seconds(flow->end_us - flow->start_us), judge_seconds(silence));
}

/* A conversation: the server had spoken often and regularly, and the client talks on as densely. */
#define TALK_LEAST       10u
#define TALK_STEP_US     200000u
#define UNANSWERED_LEAST 50u
#define HOLD_LONGEST_US  INT64_C(10000000)

static bool had_conversed(const struct observation *flow)
{
    const struct side_facts *server = &flow->evidence.sides[SIDE_SERVER];
    uint64_t spoken_us = server->last_payload_after_us - server->first_payload_after_us;

    return flow->packets[SIDE_SERVER] >= TALK_LEAST &&
           spoken_us / flow->packets[SIDE_SERVER] <= TALK_STEP_US;
}

/* Nothing of the server's any more, while the client talked on. An end that is muted or holds the
 * call still sends its reports every few seconds, so a shorter silence than that says that something
 * may have happened, and not that it failed. */
static void judge_datagram_freeze(const struct observation *flow,
                                  const struct judge_context *context, struct verdict *verdict)
{
    const struct evidence_facts *e = &flow->evidence;
    uint32_t heard = e->sides[SIDE_SERVER].last_packet_after_us;
    int64_t silent_us = (int64_t)e->sides[SIDE_CLIENT].last_payload_after_us - heard;

    if (e->unanswered < UNANSWERED_LEAST || silent_us < JUDGE_SILENCE_US || e->icmp.present ||
        !had_conversed(flow) || judge_silence_us(flow, context) < JUDGE_SILENCE_US)
        return;
    verdict->outcome = silent_us < HOLD_LONGEST_US ? OUTCOME_UNKNOWN : OUTCOME_FAILED;
    verdict->mechanism = "stream.timeout";
    verdict->attribution = ATTRIBUTION_UNKNOWN;
    judge_note(verdict, "freeze-in-datagrams",
               "%llu datagrams of the server in %.1f s, then none for %.1f s, in which the client "
               "sent %u%s",
               (unsigned long long)flow->packets[SIDE_SERVER], judge_seconds(heard),
               judge_seconds(silent_us), e->unanswered,
               e->unanswered == UINT8_MAX ? " or more" : "");
}

/* The handshake was begun with the server and never finished: no packet of it has the header that
 * all have afterwards, and the client tried on. */
static bool judge_quic_unfinished(const struct observation *flow,
                                  const struct judge_context *context, struct verdict *verdict)
{
    const struct side_facts *client = &flow->evidence.sides[SIDE_CLIENT];
    const struct side_facts *server = &flow->evidence.sides[SIDE_SERVER];
    int64_t tried_us = (int64_t)client->last_payload_after_us - server->first_payload_after_us;

    if (flow->stage != STAGE_QUIC || (server->flags & SIDE_SHORT) ||
        (flow->flags & OBSERVATION_CUT) || client->first_payload_kind != PAYLOAD_QUIC_INITIAL ||
        tried_us < JUDGE_SILENCE_US || judge_silence_us(flow, context) < JUDGE_SILENCE_US)
        return false;
    judge_fail(verdict, "quic.timeout", ATTRIBUTION_UNKNOWN);
    judge_note(verdict, "quic-handshake-unfinished",
               "%llu datagrams of the server, all of the handshake, while the client tried for "
               "%.1f s more",
               (unsigned long long)flow->packets[SIDE_SERVER], judge_seconds(tried_us));
    return true;
}

static void judge_datagrams_answered(const struct observation *flow,
                                     const struct judge_context *context, struct verdict *verdict)
{
    if (flow->packets[SIDE_CLIENT] == 0)
        return;
    verdict->outcome = OUTCOME_OK;
    if (!flow->evidence.present || context->one_way || flow->close == CLOSE_EVICTED ||
        (flow->flags & (OBSERVATION_EARLY | OBSERVATION_MID_STREAM)))
        return;
    if (!judge_quic_unfinished(flow, context, verdict))
        judge_datagram_freeze(flow, context, verdict);
}

/* Calls probe many addresses of their other end that nobody answers: only a service's own server
 * owes an answer. */
static bool owes_an_answer(const struct observation *flow)
{
    return flow->service && flow->service[0] && flow->certainty >= CERTAINTY_LIKELY &&
           flow->server.kind == ENDPOINT_ADDRESS && !address_is_private(&flow->server.address);
}

static void judge_datagram(const struct observation *flow, const struct judge_context *context,
                           struct verdict *verdict)
{
    if (flow->packets[SIDE_SERVER] > 0) {
        judge_datagrams_answered(flow, context, verdict);
        return;
    }
    if (judge_unreachable(flow, verdict) || flow->close == CLOSE_EVICTED)
        return;
    if (flow->stage == STAGE_QUIC)
        judge_datagram_silence(flow, context, "quic.timeout", "quic-unanswered", verdict);
    else if (flow->transport == TRANSPORT_UDP && owes_an_answer(flow))
        judge_datagram_silence(flow, context, "stream.timeout", "silence-after-request", verdict);
}

/* ---- any flow ---- */

/* At the server the log is what the capture holds. */
static void note_signature(const struct observation *flow, const struct judge_context *context,
                           struct verdict *verdict)
{
    int64_t last_us = flow->start_us + flow->evidence.sides[SIDE_CLIENT].last_packet_after_us;

    if (context->position != POSITION_SERVER || flow->transport != TRANSPORT_TCP)
        return;
    verdict->signature = verdict->outcome == OUTCOME_OK && !verdict->mechanism
                             ? 0
                             : signature_of_arrivals(flow, context->capture_end_us - last_us);
}

static void note_question(const struct judge_context *context, struct verdict *verdict)
{
    bool conflict;
    const char *doubt = context->dns ? judge_dns_doubt(context->dns, &conflict) : NULL;

    if (doubt)
        judge_note(verdict, "dns-doubtful", "its question: %s", judge_mechanism_text(doubt));
}

void judge_flow(const struct observation *flow, const struct judge_context *context,
                struct verdict *ret_verdict)
{
    const struct observation no_packets = {.stage = flow->stage};

    memset(ret_verdict, 0, sizeof(*ret_verdict));
    ret_verdict->score = -1.0;
    if (flow->import.present)
        judge_import(flow, ret_verdict);
    else if (flow->dns.present || flow->stage == STAGE_DNS)
        judge_dns(flow, context, ret_verdict);
    else if (flow->transport == TRANSPORT_TCP)
        judge_tcp(flow, context, ret_verdict);
    else
        judge_datagram(flow, context, ret_verdict);
    proof_flow(flow->import.present ? &no_packets : flow, context, ret_verdict);
    if (!flow->import.present)
        note_signature(flow, context, ret_verdict);
    if (ret_verdict->outcome == OUTCOME_FAILED)
        note_question(context, ret_verdict);
}
