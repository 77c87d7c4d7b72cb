// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/judge/house.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/judge/proof.h"
#include "base/array.h"
#include "base/hash.h"
#include "base/status.h"

#define HOUSE_HOPS    1u /* a second router of the household's own */
#define HOUSE_LATE_US 10000u
#define SLOTS         (HOUSE_CLIENTS_MAX * 2) /* a power of two */
#define CONTROL       "control-"

/* ---- one flow ---- */

static bool is_public(const struct endpoint *server)
{
    return server->kind == ENDPOINT_ADDRESS && !address_is_private(&server->address);
}

/* A probe behind the client's router may have the carrier's first box as near as the house's. */
static bool is_at_home(const struct observation *flow, enum position position)
{
    uint8_t ttl = flow->evidence.sides[SIDE_CLIENT].ttl_first;
    bool beside = ttl != 0 && proof_hops(ttl) == 0;

    return position == POSITION_SUBSCRIBER ? ttl == 0 || beside
                                           : position == POSITION_NONE && beside;
}

static void take_nearer(struct house_meeting *meeting, uint8_t ttl, uint32_t us, uint64_t packet)
{
    unsigned away = proof_hops(ttl);

    if (ttl == 0 || us > HOUSE_LATE_US || away > HOUSE_HOPS)
        return;
    meeting->whole |= packet == 0;
    if (meeting->met && meeting->us <= us)
        return;
    meeting->met = true;
    meeting->away = away;
    meeting->us = us;
    meeting->packet = packet;
}

/* Of two versions of the first answer the later one is recorded, which may be either's. */
static void look_at_suspect(struct house_meeting *meeting, const struct evidence_facts *e,
                            const struct suspect *s)
{
    if (s->side != SIDE_SERVER)
        return;
    take_nearer(meeting, s->ttl, s->trigger_after_us, s->packet);
    if (s->kind == SUSPECT_OVERLAP && e->first_exchange_us != 0)
        take_nearer(meeting, s->ttl_expected, e->first_exchange_us, s->packet);
}

static void look_at_connection(struct house_meeting *meeting, const struct observation *flow)
{
    const struct evidence_facts *e = &flow->evidence;
    uint8_t ttl = e->present ? e->sides[SIDE_SERVER].ttl_first : flow->path.server_ttl;
    uint32_t us = e->present ? e->handshake_rtt_us : flow->path.handshake_rtt_us;

    if (us != 0)
        take_nearer(meeting, ttl, us, 0);
    for (unsigned i = 0; e->present && i < e->suspect_count && i < SUSPECTS_MAX; i++)
        look_at_suspect(meeting, e, &e->suspects[i]);
}

struct house_meeting house_meets(const struct observation *flow, enum position position)
{
    struct house_meeting meeting = {.met = false};

    if (!is_public(&flow->server) || !is_at_home(flow, position))
        return meeting;
    if (flow->dns.present)
        for (unsigned i = 0; i < flow->dns.answer_count && i < DNS_FACTS_ANSWERS; i++)
            take_nearer(&meeting, flow->dns.answers[i].ip_ttl, flow->dns.answers[i].after_us,
                        flow->dns.answers[i].packet);
    else if (flow->transport == TRANSPORT_TCP)
        look_at_connection(&meeting, flow);
    return meeting;
}

/* ---- all flows of a client ---- */

struct client_key {
    uint64_t words[4];
};

struct tally {
    struct client_key key;
    bool used;
    uint64_t services,
        controls; /* a bit for each hashed name: two may share one, which counts less */
};

struct houses {
    struct hash_key hash;
    struct tally tallies[SLOTS];
    uint32_t used;
    uint64_t refused;
};

int houses_create(struct houses **ret_houses)
{
    struct houses *houses = calloc(1, sizeof(*houses));
    int status = houses ? hash_key_random(&houses->hash) : -ENOMEM;

    if (status != DL_OK) {
        houses_destroy(houses);
        return status;
    }
    *ret_houses = houses;
    return DL_OK;
}

void houses_destroy(struct houses *houses)
{
    free(houses);
}

uint64_t houses_refused(const struct houses *houses)
{
    return houses->refused;
}

static struct client_key key_of(uint32_t line, const struct observation *flow)
{
    struct client_key key = {{0, 0, flow->client.kind, line}};

    if (flow->client.kind == ENDPOINT_ADDRESS)
        memcpy(key.words, flow->client.address.bytes, 16);
    else
        key.words[0] = flow->client.pseudonym;
    return key;
}

/* The key's place, else the free one it would get. */
static uint32_t place_of(const struct houses *houses, const struct client_key *key)
{
    uint64_t at = hash_words(&houses->hash, key->words, ARRAY_LENGTH(key->words));

    while (houses->tallies[at & (SLOTS - 1)].used &&
           memcmp(&houses->tallies[at & (SLOTS - 1)].key, key, sizeof(*key)) != 0)
        at++;
    return (uint32_t)(at & (SLOTS - 1));
}

static bool is_control(const char *service)
{
    return strncmp(service, CONTROL, sizeof(CONTROL) - 1) == 0;
}

/* Services of one maker ("blackberry-bes", "blackberry-bbm") are blocked together: one name. The
 * bit does not depend on the key: the same store always gives the same. */
static uint64_t bit_of(const char *service)
{
    size_t length = is_control(service) ? strlen(service) : strcspn(service, "-");
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (uint8_t)service[i]) * 16777619u;
    return UINT64_C(1) << ((hash ^ hash >> 16) & 63);
}

void houses_learn(struct houses *houses, uint32_t line, enum position position,
                  const struct observation *flow)
{
    struct client_key key = key_of(line, flow);

    if (!flow->service || !flow->service[0] || flow->client.kind == ENDPOINT_NONE ||
        !house_meets(flow, position).met)
        return;
    struct tally *tally = &houses->tallies[place_of(houses, &key)];
    if (!tally->used) {
        if (houses->used == HOUSE_CLIENTS_MAX) {
            houses->refused++;
            return;
        }
        houses->used++;
        tally->used = true;
        tally->key = key;
    }
    tally->services |= bit_of(flow->service);
    if (is_control(flow->service))
        tally->controls |= bit_of(flow->service);
}

struct house houses_find(const struct houses *houses, uint32_t line, const struct observation *flow)
{
    struct client_key key = key_of(line, flow);
    const struct tally *tally = &houses->tallies[place_of(houses, &key)];

    return (struct house){(uint8_t)__builtin_popcountll(tally->services),
                          (uint8_t)__builtin_popcountll(tally->controls)};
}
