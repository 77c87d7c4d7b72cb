// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/judge/reference.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/status.h"

#define SAMPLES_KEPT 15u
#define SLOTS_FIRST  256u /* a power of two */
/* An exchange that took about as long as the handshake confirms it; one that took much longer had to
 * be thought about, and does not say how long the way is. */
#define THOUGHT_US  10000u
#define WAKES_LEAST 2u /* a single slow handshake may have stood in a queue */

struct endpoint_key {
    uint64_t words[4];
};

struct entry {
    struct endpoint_key key;
    uint32_t samples; /* 0: a free slot */
    uint32_t exchanges, rtt_least_us;
    uint32_t web_least_us; /* of quick exchanges in the clear; 0 none */
    uint32_t rtt_us[SAMPLES_KEPT];
    uint8_t ttl[SAMPLES_KEPT];
};

struct references {
    struct hash_key hash;
    struct entry *entries;
    uint32_t slots, used;
    uint64_t refused;
};

int references_create(struct references **ret_references)
{
    struct references *references = calloc(1, sizeof(*references));
    int status = references ? hash_key_random(&references->hash) : -ENOMEM;

    if (status == DL_OK) {
        references->slots = SLOTS_FIRST;
        references->entries = calloc(SLOTS_FIRST, sizeof(struct entry));
        status = references->entries ? DL_OK : -ENOMEM;
    }
    if (status != DL_OK) {
        references_destroy(references);
        return status;
    }
    *ret_references = references;
    return DL_OK;
}

void references_destroy(struct references *references)
{
    if (!references)
        return;
    free(references->entries);
    free(references);
}

uint64_t references_refused(const struct references *references)
{
    return references->refused;
}

static struct endpoint_key key_of(uint32_t line, const struct observation *flow)
{
    struct endpoint_key key = {{0}};

    if (flow->server.kind == ENDPOINT_ADDRESS)
        memcpy(key.words, flow->server.address.bytes, 16);
    else
        key.words[0] = flow->server.pseudonym;
    key.words[2] =
        (uint64_t)flow->server.kind << 32 | (uint64_t)flow->transport << 16 | flow->server_port;
    key.words[3] = line;
    return key;
}

/* The key's entry, else the free slot it would get. */
static struct entry *slot_of(const struct references *references, struct entry *entries,
                             uint32_t slots, const struct endpoint_key *key)
{
    uint64_t at = hash_words(&references->hash, key->words, ARRAY_LENGTH(key->words));

    while (entries[at & (slots - 1)].samples != 0 &&
           memcmp(&entries[at & (slots - 1)].key, key, sizeof(*key)) != 0)
        at++;
    return &entries[at & (slots - 1)];
}

/* Never more than half full. */
static int grow(struct references *references)
{
    uint32_t slots = references->slots * 2;
    struct entry *entries = calloc(slots, sizeof(*entries));

    if (!entries)
        return -ENOMEM;
    for (uint32_t i = 0; i < references->slots; i++)
        if (references->entries[i].samples != 0)
            *slot_of(references, entries, slots, &references->entries[i].key) =
                references->entries[i];
    free(references->entries);
    references->entries = entries;
    references->slots = slots;
    return DL_OK;
}

/* The n-th sample takes one of the places with probability SAMPLES_KEPT / n; the same store always
 * gives the same choice. */
static void keep(struct entry *entry, uint32_t rtt_us, uint8_t ttl)
{
    uint64_t mixed = (entry->samples + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15);
    uint32_t place = entry->samples < SAMPLES_KEPT
                         ? entry->samples
                         : (uint32_t)((mixed >> 32) % (entry->samples + UINT64_C(1)));

    entry->rtt_least_us = entry->samples == 0 ? rtt_us : MIN_OF(entry->rtt_least_us, rtt_us);
    entry->samples += entry->samples < UINT32_MAX;
    if (place < SAMPLES_KEPT) {
        entry->rtt_us[place] = rtt_us;
        entry->ttl[place] = ttl;
    }
}

struct sample {
    uint32_t rtt_us; /* 0: none */
    uint8_t ttl;
    bool exchange;   /* an answer that confirms it */
    bool wakes;      /* the answer came much quicker than the handshake */
    uint32_t web_us; /* that answer's time, where anybody could have given it; 0 none */
};

/* An answer much quicker than the handshake is that of a radio, or of whatever else had to wake up
 * for the SYN, and the way is no longer than that. In the clear it may be a page of another's: it
 * counts only where the line is known to wake up. */
static struct sample of_connection(uint32_t handshake_us, uint32_t exchange_us, uint8_t ttl,
                                   bool web)
{
    bool both = handshake_us != 0 && exchange_us != 0;
    bool quick = both && exchange_us < handshake_us / 5 * 4;
    bool agrees = both && exchange_us <= handshake_us + handshake_us / 4 + THOUGHT_US;

    if (quick && web)
        return (struct sample){.rtt_us = handshake_us, .ttl = ttl, .web_us = exchange_us};
    return (struct sample){.rtt_us = both ? MIN_OF(handshake_us, exchange_us) : handshake_us,
                           .ttl = ttl,
                           .exchange = agrees,
                           .wakes = quick};
}

static struct sample sample_of(const struct observation *flow)
{
    const struct dns_facts *dns = &flow->dns;
    bool web = flow->stage == STAGE_HTTP;

    if (flow->transport == TRANSPORT_TCP && flow->evidence.present)
        return of_connection(flow->evidence.handshake_rtt_us, flow->evidence.first_exchange_us,
                             flow->evidence.sides[SIDE_SERVER].ttl_first, web);
    if (flow->transport == TRANSPORT_TCP)
        return of_connection(flow->path.handshake_rtt_us, flow->path.first_exchange_us,
                             flow->path.server_ttl, web);
    if (dns->present && flow->packets[SIDE_CLIENT] == 1 && dns->answer_count == 1)
        return (struct sample){.rtt_us = MAX_OF(dns->answers[0].after_us, 1u),
                               .ttl = dns->answers[0].ip_ttl,
                               .exchange = true};
    return (struct sample){.rtt_us = 0};
}

/* The key's entry, a new one where there is none; NULL with DL_OK where all are taken. */
static int entry_of(struct references *references, const struct endpoint_key *key,
                    struct entry **ret_entry)
{
    struct entry *entry = slot_of(references, references->entries, references->slots, key);

    if (entry->samples == 0) {
        if (references->used == REFERENCE_ENDPOINTS_MAX) {
            references->refused++;
            *ret_entry = NULL;
            return DL_OK;
        }
        if (references->used * 2 >= references->slots) {
            int status = grow(references);
            if (status != DL_OK)
                return status;
            entry = slot_of(references, references->entries, references->slots, key);
        }
        references->used++;
        entry->key = *key;
    }
    *ret_entry = entry;
    return DL_OK;
}

/* The line's own entry, which no server has: its samples count how often it was seen to wake up. */
static struct endpoint_key line_key(uint32_t line)
{
    return (struct endpoint_key){{0, 0, (uint64_t)ENDPOINT_NONE << 32, line}};
}

int references_learn(struct references *references, uint32_t line, const struct observation *flow)
{
    struct sample sample = sample_of(flow);
    struct endpoint_key key = key_of(line, flow), of_line = line_key(line);
    struct entry *entry;

    if (sample.rtt_us == 0 || flow->server.kind == ENDPOINT_NONE)
        return DL_OK;
    int status = entry_of(references, &key, &entry);
    if (status == DL_OK && entry) {
        keep(entry, sample.rtt_us, sample.ttl);
        entry->exchanges += sample.exchange && entry->exchanges < UINT32_MAX;
        if (sample.web_us != 0 && (entry->web_least_us == 0 || sample.web_us < entry->web_least_us))
            entry->web_least_us = sample.web_us;
    }
    if (status == DL_OK && sample.wakes)
        status = entry_of(references, &of_line, &entry);
    if (status == DL_OK && sample.wakes && entry)
        entry->samples += entry->samples < UINT32_MAX;
    return status;
}

static int compare_rtt(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

struct reference references_find(const struct references *references, uint32_t line,
                                 const struct observation *flow)
{
    struct endpoint_key key = key_of(line, flow);
    const struct entry *entry = slot_of(references, references->entries, references->slots, &key);
    struct endpoint_key of_line = line_key(line);
    bool wakes = slot_of(references, references->entries, references->slots, &of_line)->samples >=
                 WAKES_LEAST;
    struct reference found = {.samples = entry->samples,
                              .exchanges = entry->exchanges,
                              .line_wakes = wakes,
                              .rtt_least_us = entry->rtt_least_us};
    uint32_t kept = MIN_OF(entry->samples, SAMPLES_KEPT);
    uint32_t sorted[SAMPLES_KEPT];

    if (kept == 0)
        return found;
    if (wakes && entry->web_least_us != 0)
        found.rtt_least_us = MIN_OF(found.rtt_least_us, entry->web_least_us);
    memcpy(sorted, entry->rtt_us, sizeof(sorted));
    qsort(sorted, kept, sizeof(*sorted), compare_rtt);
    found.rtt_median_us = sorted[kept / 2];
    found.ttl_low = UINT8_MAX;
    for (uint32_t i = 0; i < kept; i++) {
        found.ttl_low = MIN_OF(found.ttl_low, entry->ttl[i]);
        found.ttl_high = MAX_OF(found.ttl_high, entry->ttl[i]);
    }
    return found;
}
