// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One DNS question and its answers. Two different answers are suspicious only where nobody innocent
 * gives two: a question that was sent once, or an address that is not public. Rotation, retried
 * questions and servers of one operator differ all the time.
 */
#include <string.h>

#include "analyzer/judge/judge_internal.h"
#include "base/array.h"
#include "base/clock.h"

#define CONFLICT_US                                                                                \
    (2 * CLOCK_SECOND_US) /* answers of one question sent once come close together */

enum { RCODE_NOERROR = 0, RCODE_SERVFAIL = 2, RCODE_NXDOMAIN = 3, RCODE_REFUSED = 5 };

bool judge_dns_only_bogons(const struct dns_facts_answer *answer)
{
    for (unsigned i = 0; i < answer->address_count; i++)
        if (!address_is_bogon(&answer->addresses[i]))
            return false;
    return answer->address_count > 0;
}

static bool disjoint(const struct dns_facts_answer *a, const struct dns_facts_answer *b)
{
    for (unsigned i = 0; i < a->address_count; i++)
        for (unsigned j = 0; j < b->address_count; j++)
            if (address_equal(&a->addresses[i], &b->addresses[j]))
                return false;
    return a->address_count > 0 && b->address_count > 0;
}

static unsigned answer_count(const struct observation *question)
{
    return MIN_OF(question->dns.answer_count, DNS_FACTS_ANSWERS);
}

/* A resolver that is tired or refuses once may answer well when asked again. */
static bool is_passing_error(const struct dns_facts_answer *answer)
{
    return answer->rcode != RCODE_NOERROR && answer->rcode != RCODE_NXDOMAIN;
}

static const char *mechanism_of_error(uint8_t rcode)
{
    return rcode == RCODE_NXDOMAIN   ? "dns.nxdomain"
           : rcode == RCODE_REFUSED  ? "dns.refused"
           : rcode == RCODE_SERVFAIL ? "dns.servfail"
                                     : NULL;
}

/* One says that there is an error, the other that there is none: what the client heard first names
 * it. */
static const char *conflict_of_errors(const struct dns_facts_answer *a,
                                      const struct dns_facts_answer *b)
{
    const struct dns_facts_answer *first = a->after_us <= b->after_us ? a : b;
    const char *error = mechanism_of_error(first->rcode);

    if (judge_dns_only_bogons(a) || judge_dns_only_bogons(b))
        return "dns.injection.bogon";
    return error ? error : "dns.injection.other";
}

static const char *conflict_of(const struct observation *question, const struct dns_facts_answer *a,
                               const struct dns_facts_answer *b)
{
    bool asked_once = question->packets[SIDE_CLIENT] == 1;
    bool one_bogon = judge_dns_only_bogons(a) != judge_dns_only_bogons(b) && disjoint(a, b);
    uint32_t apart =
        a->after_us < b->after_us ? b->after_us - a->after_us : a->after_us - b->after_us;

    if (!a->complete || !b->complete || a->truncated || b->truncated)
        return NULL;
    if (one_bogon)
        return "dns.injection.bogon";
    if (a->rcode != b->rcode && (asked_once || !(is_passing_error(a) || is_passing_error(b))))
        return conflict_of_errors(a, b);
    if (asked_once && apart < CONFLICT_US && disjoint(a, b))
        return "dns.injection.other";
    return NULL;
}

static bool is_one_voice(const struct dns_facts_answer *a, const struct dns_facts_answer *b)
{
    return a->rcode == b->rcode && a->ip_ttl == b->ip_ttl && a->flags == b->flags &&
           a->ip_flags == b->ip_flags && !judge_dns_only_bogons(a) && !judge_dns_only_bogons(b);
}

bool judge_dns_conflict(const struct observation *question, struct judge_dns_conflict *ret)
{
    const struct dns_facts_answer *answers = question->dns.answers;

    *ret = (struct judge_dns_conflict){.mechanism = NULL};
    for (unsigned i = 0; i < answer_count(question); i++) {
        for (unsigned j = 0; j < i; j++) {
            const struct dns_facts_answer *a = &answers[j], *b = &answers[i];
            const char *conflict = conflict_of(question, a, b);
            if (conflict && (!ret->mechanism || (ret->one_voice && !is_one_voice(a, b)) ||
                             strcmp(conflict, "dns.injection.bogon") == 0))
                *ret = (struct judge_dns_conflict){.a = a,
                                                   .b = b,
                                                   .mechanism = conflict,
                                                   .one_voice = is_one_voice(a, b),
                                                   .one_bogon = judge_dns_only_bogons(a) !=
                                                                judge_dns_only_bogons(b)};
        }
    }
    return ret->mechanism != NULL;
}

/* Of a service that the catalog knows by its public names; an operator's own server may well have a
 * private address. */
static bool only_bogons(const struct observation *question)
{
    bool any = false;

    if (!question->service || !question->service[0] || (question->reasons & REASON_INVENTORY))
        return false;
    for (unsigned i = 0; i < answer_count(question); i++) {
        const struct dns_facts_answer *answer = &question->dns.answers[i];
        if (answer->rcode != RCODE_NOERROR || !judge_dns_only_bogons(answer))
            return false;
        any = true;
    }
    return any;
}

const char *judge_dns_doubt(const struct observation *question, bool *ret_conflict)
{
    struct judge_dns_conflict conflict;

    *ret_conflict =
        question->dns.present && judge_dns_conflict(question, &conflict) && !conflict.one_voice;
    if (*ret_conflict)
        return conflict.mechanism;
    return question->dns.present && only_bogons(question) ? "dns.injection.bogon" : NULL;
}

static void judge_unanswered(const struct observation *flow, const struct judge_context *context,
                             struct verdict *verdict)
{
    int64_t silence = judge_silence_us(flow, context);

    if (context->one_way || flow->close == CLOSE_EVICTED || judge_unreachable(flow, verdict))
        return;
    if (silence < JUDGE_SILENCE_US) {
        judge_note(verdict, "too-early", "the capture ended %.1f s after the last question",
                   judge_seconds(silence));
        return;
    }
    judge_fail(verdict, "dns.timeout", ATTRIBUTION_UNKNOWN);
    judge_note(verdict, "dns-unanswered", "asked %llu times; the capture went on for %.1f s",
               (unsigned long long)flow->packets[SIDE_CLIENT], judge_seconds(silence));
}

/* The answer the client went by: a good one if there is any. */
static const struct dns_facts_answer *best_answer(const struct observation *flow)
{
    const struct dns_facts_answer *best = &flow->dns.answers[0];

    for (unsigned i = 1; i < answer_count(flow); i++)
        if (best->rcode != RCODE_NOERROR && flow->dns.answers[i].rcode == RCODE_NOERROR)
            best = &flow->dns.answers[i];
    return best;
}

static void judge_answer(const struct dns_facts_answer *answer, struct verdict *verdict)
{
    if (answer->rcode == RCODE_NOERROR) {
        verdict->outcome = OUTCOME_OK;
        return;
    }
    judge_fail(verdict, mechanism_of_error(answer->rcode), ATTRIBUTION_UNKNOWN);
    judge_note(verdict, "dns-rcode", "response code %d after %.3f s", answer->rcode,
               judge_seconds(answer->after_us));
}

void judge_dns(const struct observation *flow, const struct judge_context *context,
               struct verdict *verdict)
{
    bool conflict;
    const char *doubt;

    if (!flow->dns.present || answer_count(flow) == 0) {
        /* Packets that came but were no answer we could read are not silence. */
        if (flow->packets[SIDE_SERVER] == 0 && flow->packets[SIDE_CLIENT] > 0)
            judge_unanswered(flow, context, verdict);
        return;
    }
    if (judge_dns_blockpage(flow, verdict))
        return;
    doubt = judge_dns_doubt(flow, &conflict);
    if (conflict) {
        /* The client may have used either, so the outcome is not known. */
        verdict->mechanism = doubt;
        verdict->attribution = ATTRIBUTION_UNKNOWN;
        judge_note(verdict, "dns-conflict", "%u different answers to a question sent %llu times",
                   answer_count(flow), (unsigned long long)flow->packets[SIDE_CLIENT]);
    } else if (doubt) {
        judge_fail(verdict, doubt, ATTRIBUTION_UNKNOWN);
        judge_note(verdict, "dns-bogon", "a public name of %s, and no address that is public",
                   flow->service);
    } else {
        judge_answer(best_answer(flow), verdict);
    }
}
