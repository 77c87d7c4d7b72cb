// SPDX-License-Identifier: GPL-3.0-or-later
/* Two contents for one DNS id: a resolver answers a question once. */
#include <inttypes.h>
#include <stdlib.h>

#include "analyzer/judge/proof.h"
#include "base/array.h"

#define HEADER_HABITS 0x04e0u /* AA, RA, Z, AD: what one resolver sets the same way for all */
#define TTL_DIFFERS   2

/* Many may answer what was asked of many. */
static bool is_multicast(const struct address *a)
{
    return address_is_v4(a) ? a->bytes[12] >= 224 : a->bytes[0] == 0xff;
}

static bool asked_once(const struct observation *question)
{
    return question->packets[SIDE_CLIENT] == 1 && !question->dns.over_tcp &&
           question->transport == TRANSPORT_UDP &&
           !(question->server.kind == ENDPOINT_ADDRESS &&
             is_multicast(&question->server.address)) &&
           question->server_port == 53;
}

static bool is_too_soon(const struct proof *proof, const struct dns_facts_answer *answer)
{
    const struct reference *resolver = &proof->context->server;

    return proof_is_firm(proof->context) && resolver->rtt_least_us >= PROOF_RTT_LEAST_US &&
           answer->after_us < PROOF_SOONER(resolver->rtt_least_us) &&
           resolver->rtt_least_us - answer->after_us >= PROOF_SOONER_US;
}

static bool is_other_sender(const struct dns_facts_answer *a, const struct dns_facts_answer *b)
{
    return abs((int)a->ip_ttl - (int)b->ip_ttl) >= TTL_DIFFERS &&
           ((a->flags ^ b->flags) & HEADER_HABITS) != 0;
}

void proof_question(struct proof *proof)
{
    struct judge_dns_conflict conflict;
    const struct dns_facts_answer *first, *second;

    if (!asked_once(proof->flow) || !judge_dns_conflict(proof->flow, &conflict))
        return;
    first = conflict.a->after_us <= conflict.b->after_us ? conflict.a : conflict.b;
    second = first == conflict.a ? conflict.b : conflict.a;
    bool soon = is_too_soon(proof, first);
    bool other = is_other_sender(first, second);
    if (!soon && !other && !conflict.one_bogon)
        return;
    proof_add(proof, "dns-two-answers",
              "packets %" PRIu64 " at %.3f s (TTL %u, flags %04x) and %" PRIu64
              " at %.3f s (TTL %u, flags %04x) to one question%s%s%s",
              first->packet, judge_seconds(first->after_us), first->ip_ttl, first->flags,
              second->packet, judge_seconds(second->after_us), second->ip_ttl, second->flags,
              conflict.one_bogon ? "; one not public" : "", soon ? "; too soon" : "",
              other ? "; other sender" : "");
}
