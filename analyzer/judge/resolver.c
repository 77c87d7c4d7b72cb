// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/judge/resolver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/judge/judge_internal.h"
#include "analyzer/judge/keyed.h"
#include "base/array.h"
#include "base/status.h"

#define NEAR_LEAST(us) ((us) + (us) / 8)

struct voice {
    uint32_t samples, good, plain; /* samples 0: a free place */
    uint32_t near_least, at_hand, least_us;
    struct keyed_few names; /* of those near the least */
    int64_t first_us, last_us;
    uint32_t edns_asked, edns_given, with_df;
    uint16_t header_any, header_all;
    uint8_t ttl;
};

struct resolver {
    struct voice voices[RESOLVER_VOICES_MAX];
    bool crowded; /* a good answer came in a voice that is not kept */
};

struct resolvers {
    struct keyed *keyed;
};

int resolvers_create(struct resolvers **ret_resolvers)
{
    struct resolvers *resolvers = calloc(1, sizeof(*resolvers));
    int status = resolvers ? keyed_create(&resolvers->keyed, sizeof(struct resolver), RESOLVERS_MAX)
                           : -ENOMEM;

    if (status != DL_OK) {
        resolvers_destroy(resolvers);
        return status;
    }
    *ret_resolvers = resolvers;
    return DL_OK;
}

void resolvers_destroy(struct resolvers *resolvers)
{
    if (!resolvers)
        return;
    keyed_destroy(resolvers->keyed);
    free(resolvers);
}

/* Many may answer what was asked of many. */
static bool is_multicast(const struct address *a)
{
    return address_is_v4(a) ? a->bytes[12] >= 224 : a->bytes[0] == 0xff;
}

bool resolver_asked_once(const struct observation *question)
{
    return question->packets[SIDE_CLIENT] == 1 && !question->dns.over_tcp &&
           question->transport == TRANSPORT_UDP &&
           !(question->server.kind == ENDPOINT_ADDRESS &&
             is_multicast(&question->server.address)) &&
           question->server_port == 53;
}

const struct dns_facts_answer *resolver_first_answer(const struct observation *question)
{
    const struct dns_facts_answer *answers = question->dns.answers, *first = NULL;

    for (unsigned i = 0; i < question->dns.answer_count && i < DNS_FACTS_ANSWERS; i++)
        if (!first || answers[i].after_us < first->after_us)
            first = &answers[i];
    return first;
}

const struct dns_facts_answer *resolver_last_answer(const struct observation *question)
{
    const struct dns_facts_answer *answers = question->dns.answers, *last = NULL;

    for (unsigned i = 0; i < question->dns.answer_count && i < DNS_FACTS_ANSWERS; i++)
        if (!last || answers[i].after_us >= last->after_us)
            last = &answers[i];
    return last;
}

static struct keyed_key key_of(uint32_t line, const struct observation *question)
{
    struct keyed_key key = {{0}};

    if (question->server.kind == ENDPOINT_ADDRESS)
        memcpy(key.words, question->server.address.bytes, 16);
    else
        key.words[0] = question->server.pseudonym;
    key.words[2] = question->server.kind;
    key.words[3] = line;
    return key;
}

/* The voice of that TTL, else a free place, else NULL. */
static struct voice *voice_of(struct resolver *resolver, uint8_t ttl)
{
    for (unsigned i = 0; i < RESOLVER_VOICES_MAX; i++) {
        struct voice *voice = &resolver->voices[i];
        if (voice->samples == 0 || abs((int)voice->ttl - (int)ttl) <= 1)
            return voice;
    }
    return NULL;
}

/* Injectors have many voices, and none of them gives a good answer: one that does takes the place of
 * one that did not. */
static struct voice *make_room(struct resolver *resolver)
{
    for (unsigned i = 0; i < RESOLVER_VOICES_MAX; i++) {
        if (resolver->voices[i].plain == 0) {
            resolver->voices[i] = (struct voice){0};
            return &resolver->voices[i];
        }
    }
    return NULL;
}

static bool is_plain(const struct observation *question, const struct dns_facts_answer *answer)
{
    return answer->rcode == 0 && !judge_dns_only_bogons(answer) && !judge_dns_has_page(question);
}

/* What only somebody who wants the name to work gives. */
static bool is_good(const struct observation *question, const struct dns_facts_answer *answer)
{
    return is_plain(question, answer) && answer->address_count > 0;
}

/* Did it give the same record so shortly before that it still holds? */
static bool is_at_hand(const struct voice *voice, const struct observation *question,
                       const struct dns_facts_answer *answer, uint64_t name)
{
    return keyed_few_has(&voice->names, name) && is_good(question, answer) && voice->good > 0 &&
           question->start_us - voice->last_us < (int64_t)answer->ttl * 1000000;
}

static void learn_time(struct voice *voice, const struct observation *question,
                       const struct dns_facts_answer *answer, uint64_t name)
{
    uint32_t after_us = answer->after_us;

    if (voice->samples == 0 || after_us < voice->least_us) {
        bool still_near = voice->samples > 0 && voice->least_us <= NEAR_LEAST(after_us);
        voice->near_least = still_near ? voice->near_least : 0;
        voice->at_hand = still_near ? voice->at_hand : 0;
        if (!still_near)
            voice->names.count = 0;
        voice->least_us = after_us;
    }
    if (after_us <= NEAR_LEAST(voice->least_us)) {
        voice->near_least++;
        voice->at_hand += is_at_hand(voice, question, answer, name);
        keyed_few_add(&voice->names, name);
    }
}

static void learn_habits(struct voice *voice, const struct observation *question,
                         const struct dns_facts_answer *answer)
{
    voice->first_us =
        voice->good == 0 ? question->start_us : MIN_OF(voice->first_us, question->start_us);
    voice->last_us =
        voice->good == 0 ? question->start_us : MAX_OF(voice->last_us, question->start_us);
    voice->header_any |= answer->flags;
    voice->header_all =
        voice->good == 0 ? answer->flags : (uint16_t)(voice->header_all & answer->flags);
    voice->edns_asked += question->dns.edns_asked;
    voice->edns_given += question->dns.edns_asked && answer->has_edns;
    voice->with_df += answer->ip_flags & 1;
    voice->good++;
}

int resolvers_learn(struct resolvers *resolvers, uint32_t line, const struct observation *question)
{
    const struct dns_facts_answer *answer = resolver_last_answer(question);
    struct keyed_key key = key_of(line, question);
    int status = DL_OK;

    if (!question->dns.present || !answer || !resolver_asked_once(question) ||
        question->server.kind == ENDPOINT_NONE || (question->flags & OBSERVATION_MID_STREAM))
        return DL_OK;
    struct resolver *resolver = keyed_add(resolvers->keyed, &key, &status);
    if (!resolver)
        return status;
    struct voice *voice = voice_of(resolver, answer->ip_ttl);
    if (!voice && !is_plain(question, answer))
        return DL_OK;
    if (!voice)
        voice = make_room(resolver);
    if (!voice) {
        resolver->crowded = true;
        return DL_OK;
    }
    const char *host = question->host ? question->host : "";
    learn_time(voice, question, answer, keyed_hash(resolvers->keyed, host, strlen(host)));
    voice->ttl = voice->samples == 0 ? answer->ip_ttl : voice->ttl;
    voice->samples++;
    voice->plain += is_plain(question, answer);
    if (is_good(question, answer))
        learn_habits(voice, question, answer);
    return DL_OK;
}

struct resolver_view resolvers_find(const struct resolvers *resolvers, uint32_t line,
                                    const struct observation *question)
{
    const struct dns_facts_answer *first = resolver_first_answer(question);
    struct keyed_key key = key_of(line, question);
    struct resolver *resolver = keyed_find(resolvers->keyed, &key);
    const struct voice *own = NULL, *of_answer;

    if (!resolver || resolver->crowded || !first)
        return (struct resolver_view){0};
    for (unsigned i = 0; i < RESOLVER_VOICES_MAX; i++)
        if (resolver->voices[i].good > 0 && (!own || resolver->voices[i].good > own->good))
            own = &resolver->voices[i];
    if (!own)
        return (struct resolver_view){0};
    of_answer = voice_of(resolver, first->ip_ttl);
    return (struct resolver_view){
        .good = own->good,
        .plain = own->plain,
        .near_least = own->near_least,
        .at_hand = own->at_hand,
        .names = own->names.count,
        .least_us = own->least_us,
        .first_us = own->first_us,
        .last_us = own->last_us,
        .ttl = own->ttl,
        .header_any = own->header_any,
        .header_all = own->header_all,
        .edns_always = own->edns_asked > 0 && own->edns_given == own->edns_asked,
        .df_always = own->with_df == own->good,
        .df_never = own->with_df == 0,
        .same_voice = of_answer == own,
        .voice_good = of_answer && of_answer->good > 0,
    };
}
