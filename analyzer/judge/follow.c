// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/judge/follow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/judge/judge_internal.h"
#include "analyzer/judge/keyed.h"
#include "base/array.h"
#include "base/status.h"

struct follow {
    uint8_t met, address_count;
    struct address addresses[DNS_FACTS_ADDRESSES]; /* of the first answer */
};

struct follows {
    struct keyed *keyed;
};

int follows_create(struct follows **ret_follows)
{
    struct follows *follows = calloc(1, sizeof(*follows));
    int status =
        follows ? keyed_create(&follows->keyed, sizeof(struct follow), FOLLOWS_MAX) : -ENOMEM;

    if (status != DL_OK) {
        follows_destroy(follows);
        return status;
    }
    *ret_follows = follows;
    return DL_OK;
}

void follows_destroy(struct follows *follows)
{
    if (!follows)
        return;
    keyed_destroy(follows->keyed);
    free(follows);
}

static struct keyed_key key_of(uint32_t input, uint64_t packet)
{
    return (struct keyed_key){{input, packet}};
}

static bool is_doubtful(const struct observation *question)
{
    bool conflict;

    return question->dns.present &&
           (judge_dns_has_page(question) || judge_dns_doubt(question, &conflict));
}

static bool has_fitting_certificate(const struct observation *flow)
{
    const unsigned wanted = CERTIFICATE_PRESENT | CERTIFICATE_NAME_FITS;
    const unsigned unwanted = CERTIFICATE_SELF_ISSUED | CERTIFICATE_PAST | CERTIFICATE_OWN;

    return (flow->certificate & (wanted | unwanted)) == wanted;
}

static uint8_t met_by(const struct observation *flow, int64_t capture_end_us)
{
    const struct blockpage_facts *page = &flow->evidence.http.blockpage;
    struct judge_context alone = {.capture_end_us = capture_end_us};
    struct verdict verdict;
    uint8_t met = 0;

    judge_flow(flow, &alone, &verdict);
    if (verdict.outcome == OUTCOME_OK && has_fitting_certificate(flow))
        met |= FOLLOW_CERTIFICATE;
    if (flow->evidence.present && page->id[0] && !page->false_positive &&
        page->scope != BLOCKPAGE_VAGUE)
        met |= FOLLOW_PAGE;
    if (flow->certificate & CERTIFICATE_NAME_OTHER)
        met |= FOLLOW_OTHER_NAME;
    if (verdict.outcome == OUTCOME_FAILED)
        met |= FOLLOW_IN_VAIN;
    return met;
}

static int remember(struct follows *follows, const struct keyed_key *key,
                    const struct observation *question)
{
    const struct dns_facts_answer *first = resolver_first_answer(question);
    int status = DL_OK;
    struct follow *follow;

    if (!first || !is_doubtful(question))
        return DL_OK;
    follow = keyed_add(follows->keyed, key, &status);
    if (follow) {
        follow->address_count = MIN_OF(first->address_count, DNS_FACTS_ADDRESSES);
        memcpy(follow->addresses, first->addresses, sizeof(follow->addresses));
    }
    return status;
}

/* Whoever went by another answer says nothing of the first. */
static bool went_there(const struct follow *follow, const struct observation *flow)
{
    for (unsigned i = 0; i < follow->address_count; i++)
        if (flow->server.kind == ENDPOINT_ADDRESS &&
            address_equal(&flow->server.address, &follow->addresses[i]))
            return true;
    return false;
}

int follows_learn(struct follows *follows, const struct observation *flow, int64_t capture_end_us)
{
    struct keyed_key key = key_of(flow->input, flow->dns.present ? flow->packet : flow->dns_flow);
    struct follow *follow;

    if (flow->dns.present)
        return remember(follows, &key, flow);
    follow = flow->dns_flow ? keyed_find(follows->keyed, &key) : NULL;
    if (follow && went_there(follow, flow))
        follow->met |= met_by(flow, capture_end_us);
    return DL_OK;
}

uint8_t follows_find(const struct follows *follows, const struct observation *question)
{
    struct keyed_key key = key_of(question->input, question->packet);
    const struct follow *follow = question->dns.present ? keyed_find(follows->keyed, &key) : NULL;

    return follow ? follow->met : 0;
}
