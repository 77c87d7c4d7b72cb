// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Who answered a DNS question: a resolver answers it once, in its own voice, and not sooner than it
 * can. Haste alone proves nothing of a lone answer, for one that lies or filters has it at hand
 * while others are asked for; haste in a stranger's voice does.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/judge/follow.h"
#include "analyzer/judge/proof.h"
#include "base/array.h"

#define HEADER_HABITS 0x04e0u /* AA, RA, Z, AD: what one resolver sets the same way for all */
#define TTL_DIFFERS   2
#define NAMES_LEAST   2u /* of one name's server all answers may be late alike */
#define RECENT_US     INT64_C(30000000)
#define HOUSE_HOPS    2u
#define HABIT_LEAST   3u

static bool is_sooner(uint32_t after_us, uint32_t least_us)
{
    return least_us >= PROOF_RTT_LEAST_US && after_us < PROOF_SOONER(least_us) &&
           least_us - after_us >= PROOF_SOONER_US;
}

/* Answers to several names, or to one that it must have had at hand, came about as soon as each other:
 * that is the way there and back. */
static bool is_time_known(const struct resolver_view *own)
{
    return own->good >= PROOF_SAMPLES_FIRM && own->near_least >= PROOF_SAMPLES_FIRM &&
           (own->names >= NAMES_LEAST || own->at_hand >= PROOF_SAMPLES_FIRM);
}

/* ---- two answers ---- */

static bool is_too_soon(const struct proof *proof, const struct dns_facts_answer *answer)
{
    const struct reference *learnt = &proof->context->server;
    const struct resolver_view *own = &proof->context->resolver;

    return (proof_is_firm(proof->context) && is_sooner(answer->after_us, learnt->rtt_least_us)) ||
           (is_time_known(own) && is_sooner(answer->after_us, own->least_us));
}

static bool is_other_sender(const struct dns_facts_answer *a, const struct dns_facts_answer *b)
{
    return abs((int)a->ip_ttl - (int)b->ip_ttl) >= TTL_DIFFERS &&
           ((a->flags ^ b->flags) & HEADER_HABITS) != 0;
}

static void proof_two_answers(struct proof *proof)
{
    struct judge_dns_conflict conflict;
    const struct dns_facts_answer *first, *second;

    if (!resolver_asked_once(proof->flow) || !judge_dns_conflict(proof->flow, &conflict))
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
    if (!proof->verdict->mechanism)
        proof->verdict->mechanism = conflict.mechanism;
    /* The client goes by what it hears first. */
    if (soon || first->rcode != 0 || judge_dns_only_bogons(first))
        proof->verdict->outcome = OUTCOME_FAILED;
}

/* ---- one answer ---- */

/* What a name that works is not answered with. */
static bool is_denial(const struct observation *question, const struct dns_facts_answer *answer)
{
    return answer->rcode != 0 || judge_dns_only_bogons(answer) || judge_dns_has_page(question);
}

/* Where the probe may stand in the client's house, who is so near may be of the house, too. */
static bool may_be_house(const struct proof *proof, uint8_t ttl)
{
    enum position position = proof->context->position;

    return position != POSITION_CARRIER && position != POSITION_SERVER &&
           proof_hops(ttl) <= HOUSE_HOPS;
}

/* Known from before the question, and from after it or from just before, so that a change of route is
 * none of the reasons. */
static bool is_resolver_firm(const struct proof *proof)
{
    const struct resolver_view *own = &proof->context->resolver;

    return is_time_known(own) && own->first_us < proof->flow->start_us &&
           own->last_us > proof->flow->start_us - RECENT_US && !may_be_house(proof, own->ttl);
}

static void proof_lone_answer(struct proof *proof)
{
    const struct resolver_view *own = &proof->context->resolver;
    const struct dns_facts_answer *answer = &proof->flow->dns.answers[0];

    if (proof->flow->dns.answer_count != 1 || !answer->complete || answer->truncated ||
        !resolver_asked_once(proof->flow) || !is_denial(proof->flow, answer) ||
        !is_resolver_firm(proof))
        return;
    if (own->voice_good || may_be_house(proof, answer->ip_ttl) ||
        !is_sooner(answer->after_us, own->least_us))
        return;
    proof_add(proof, "dns-lone-answer",
              "packet %" PRIu64 " %.1f ms after the question, TTL %u; the resolver answers in %.1f "
              "ms at least, TTL %u (%u good answers)",
              answer->packet, answer->after_us / 1e3, answer->ip_ttl, own->least_us / 1e3, own->ttl,
              own->good);
}

/* ---- looks: the resolver's habits ---- */

static void look_at_header(struct proof *proof, const struct dns_facts_answer *answer)
{
    const struct resolver_view *own = &proof->context->resolver;
    unsigned never = answer->flags & ~own->header_any & HEADER_HABITS;
    unsigned missing = ~answer->flags & own->header_all & HEADER_HABITS;

    /* Errors have other flags with honest resolvers, too. */
    if (answer->rcode == 0 && (never || missing))
        proof_add(proof, "dns-header-apart", "flags %04x; the resolver's %04x to %04x",
                  answer->flags, own->header_all, own->header_any);
}

static bool look_at_voice(struct proof *proof, const struct dns_facts_answer *answer)
{
    const struct resolver_view *own = &proof->context->resolver;
    bool with_df = (answer->ip_flags & 1) != 0;
    bool df_apart = (own->df_always && !with_df) || (own->df_never && with_df);

    if (abs((int)answer->ip_ttl - (int)own->ttl) >= TTL_DIFFERS)
        proof_add(proof, "dns-ttl-apart", "TTL %u; the resolver's %u", answer->ip_ttl, own->ttl);
    if (df_apart)
        proof_add(proof, "dns-df-apart", "DF %s, unlike the resolver's %u good answers",
                  with_df ? "set" : "not set", own->good);
    return !df_apart && own->same_voice;
}

/* Of the answer that the client heard first. */
static void proof_looks_of_answer(struct proof *proof)
{
    const struct resolver_view *own = &proof->context->resolver;
    const struct dns_facts_answer *answer = resolver_first_answer(proof->flow);

    if (!answer || own->good < HABIT_LEAST || !resolver_asked_once(proof->flow))
        return;
    bool own_voice = look_at_voice(proof, answer);
    look_at_header(proof, answer);
    if (answer->rcode == 0 && proof->flow->dns.edns_asked && own->edns_always && !answer->has_edns)
        proof_add(proof, "dns-no-edns", "asked with EDNS; the resolver always gave it");
    if (own_voice && proof->flow->dns.answer_count == 1 &&
        !is_sooner(answer->after_us, own->least_us))
        proof_add(proof, "dns-own-voice", "TTL %u and %.1f ms, as in %u good answers",
                  answer->ip_ttl, answer->after_us / 1e3, own->good);
}

/* ---- what the client met ---- */

static void clear(struct proof *proof)
{
    struct verdict *verdict = proof->verdict;

    verdict->mechanism = NULL;
    verdict->attribution = ATTRIBUTION_NONE;
    verdict->outcome = OUTCOME_OK;
    proof->contradicted = false;
    proof->weighed = 0;
}

static bool is_injection(const struct verdict *verdict)
{
    return verdict->mechanism && strncmp(verdict->mechanism, "dns.injection", 13) == 0;
}

/* A certificate that fits says more than where an address lies or who else was named: most answers
 * that look wrong are right (CERTainty, PETS 2023). */
static void proof_follow(struct proof *proof, bool proven)
{
    uint8_t met = proof->context->followed;

    if (!is_injection(proof->verdict))
        return;
    if ((met & FOLLOW_CERTIFICATE) && !proven) {
        proof_add(proof, "dns-followed-well",
                  "the client went there and was shown the name's own certificate");
        clear(proof);
        return;
    }
    if (met & FOLLOW_PAGE)
        proof_add(proof, "dns-followed-to-page", "the client went there and got a block page");
    if (met & FOLLOW_OTHER_NAME)
        proof_add(proof, "dns-followed-to-other",
                  "the client went there and was shown a certificate of other names");
    else if ((met & FOLLOW_IN_VAIN) && !(met & FOLLOW_CERTIFICATE))
        proof_add(proof, "dns-followed-in-vain", "the client went there, and it did not work");
}

void proof_question(struct proof *proof)
{
    bool page = proof->contradicted; /* by the page's address alone */
    struct verdict *verdict = proof->verdict;

    proof->contradicted = false;
    proof_two_answers(proof);
    proof_lone_answer(proof);
    bool proven = proof->contradicted;
    if (proven || verdict->mechanism)
        proof_looks_of_answer(proof);
    proof->contradicted |= page;
    proof_follow(proof, proven);
}
