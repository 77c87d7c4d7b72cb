// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/classify/dns_cache.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/pages.h"
#include "base/status.h"

#define WAYS          8u
#define LIFE_LEAST_US (600 * CLOCK_SECOND_US)
#define LIFE_MOST_US  (24 * CLOCK_HOUR_US)
#define LIFE_GRACE_US (300 * CLOCK_SECOND_US)

#define CACHE_LINE 64u
#define SETS_FIRST 512u

struct entry {
    uint64_t pair; /* keyed hash of client and server; 0 for an empty entry */
    struct dns_name name;
};

/* What tells that a pair is not in the set: one line of the cache, all that most flows read. */
struct set {
    uint32_t tags[WAYS];  /* tag_of() pair and name; 0 for an empty entry */
    uint32_t asked[WAYS]; /* when, in units of 2^ASKED_SHIFT us, modulo 2^32 (nine years) */
};
#define ASKED_SHIFT 16
_Static_assert(sizeof(struct set) == CACHE_LINE, "one line");

struct dns_cache {
    struct hash_key key;
    uint32_t set_mask, set_mask_most;
    uint32_t used; /* entries ever filled: they are not emptied */
    struct set *sets;
    struct entry *entries; /* WAYS for each set */
};

/* Room for `sets` sets in the place of what is there. */
static int resize(struct dns_cache *cache, uint32_t sets)
{
    struct set *new_sets = pages_take(sets * sizeof(struct set));
    struct entry *new_entries = pages_take((size_t)sets * WAYS * sizeof(struct entry));
    if (!new_sets || !new_entries) {
        pages_give(new_sets, sets * sizeof(struct set));
        pages_give(new_entries, (size_t)sets * WAYS * sizeof(struct entry));
        return -ENOMEM;
    }
    cache->set_mask = sets - 1;
    cache->sets = new_sets;
    cache->entries = new_entries;
    return DL_OK;
}

static void give_back(const struct dns_cache *cache)
{
    size_t sets = (size_t)cache->set_mask + 1;
    pages_give(cache->sets, sets * sizeof(struct set));
    pages_give(cache->entries, sets * WAYS * sizeof(struct entry));
}

/* Twice the sets. One bit more of the hash tells which of two sets an entry goes to, so each finds
 * its own place free there. */
static void grow(struct dns_cache *cache)
{
    struct dns_cache old = *cache;
    uint32_t sets = old.set_mask + 1;
    if (resize(cache, sets * 2) != DL_OK) {
        cache->set_mask_most = old.set_mask; /* goes on with what there is */
        return;
    }
    for (uint32_t i = 0; i < sets; i++)
        for (unsigned way = 0; way < WAYS && old.sets[i].tags[way]; way++) {
            const struct entry *entry = &old.entries[(size_t)i * WAYS + way];
            uint32_t to = (uint32_t)(entry->pair >> 32) & cache->set_mask;
            unsigned at = 0;
            while (cache->sets[to].tags[at])
                at++;
            cache->sets[to].tags[at] = old.sets[i].tags[way];
            cache->sets[to].asked[at] = old.sets[i].asked[way];
            cache->entries[(size_t)to * WAYS + at] = *entry;
        }
    give_back(&old);
}

int dns_cache_create(struct dns_cache **ret_cache, uint32_t entries)
{
    uint32_t sets = 1;
    struct dns_cache *cache = calloc(1, sizeof(*cache));
    if (!cache)
        return -ENOMEM;
    while (sets < entries / WAYS && sets < 1u << 27)
        sets *= 2;
    int status = resize(cache, MIN_OF(sets, SETS_FIRST));
    cache->set_mask_most = sets - 1;
    if (status == DL_OK)
        status = hash_key_random(&cache->key);
    if (status != DL_OK) {
        dns_cache_destroy(cache);
        return status;
    }
    *ret_cache = cache;
    return DL_OK;
}

void dns_cache_destroy(struct dns_cache *cache)
{
    if (!cache)
        return;
    if (cache->sets)
        give_back(cache);
    free(cache);
}

uint32_t dns_cache_hash_name(const struct dns_cache *cache, const char *name)
{
    return (uint32_t)hash_bytes(&cache->key, name, strlen(name));
}

static uint64_t pair_hash(const struct dns_cache *cache, const struct address *client,
                          const struct address *server)
{
    uint64_t words[4];
    memcpy(words, client->bytes, 16);
    memcpy(words + 2, server->bytes, 16);
    uint64_t hash = hash_words(&cache->key, words, 4);
    return (uint16_t)hash ? hash : hash | 1;
}

/* Of the pair, never 0, below; of the name above. */
static uint32_t tag_of(uint64_t pair, uint32_t name_hash)
{
    return name_hash << 16 | (uint16_t)pair;
}

static uint32_t set_of(const struct dns_cache *cache, uint64_t pair)
{
    return (uint32_t)(pair >> 32) & cache->set_mask;
}

/* The same name again, else an empty entry, else the one asked for longest ago. */
static unsigned victim_of(const struct set *set, const struct entry *entries, uint64_t pair,
                          uint32_t name_hash, uint32_t now)
{
    unsigned victim = 0;
    for (unsigned i = 0; i < WAYS; i++) {
        if (set->tags[i] == tag_of(pair, name_hash) && entries[i].pair == pair &&
            entries[i].name.name_hash == name_hash)
            return i;
        if (set->tags[victim] &&
            (!set->tags[i] || (int32_t)(now - set->asked[i]) > (int32_t)(now - set->asked[victim])))
            victim = i;
    }
    return victim;
}

void dns_cache_prefetch(const struct dns_cache *cache, const struct address *client,
                        const struct address *server)
{
    __builtin_prefetch(&cache->sets[set_of(cache, pair_hash(cache, client, server))], 1);
}

void dns_cache_add(struct dns_cache *cache, const struct address *client,
                   const struct address *server, const struct dns_name *name, uint32_t ttl_s)
{
    uint64_t pair = pair_hash(cache, client, server);
    uint32_t now = (uint32_t)(name->asked_us >> ASKED_SHIFT);
    if (cache->used / (WAYS / 2) > cache->set_mask && cache->set_mask < cache->set_mask_most)
        grow(cache);
    struct set *set = &cache->sets[set_of(cache, pair)];
    struct entry *entries = &cache->entries[(size_t)set_of(cache, pair) * WAYS];
    unsigned at = victim_of(set, entries, pair, name->name_hash, now);
    int64_t life = MAX_OF(MIN_OF((int64_t)ttl_s * CLOCK_SECOND_US, LIFE_MOST_US), LIFE_LEAST_US);
    cache->used += set->tags[at] == 0;
    set->tags[at] = tag_of(pair, name->name_hash);
    set->asked[at] = now;
    entries[at].pair = pair;
    entries[at].name = *name;
    entries[at].name.expires_us = name->asked_us + life + LIFE_GRACE_US;
}

bool dns_cache_find(const struct dns_cache *cache, const struct address *client,
                    const struct address *server, int64_t now_us, struct dns_hint *ret_hint)
{
    uint64_t pair = pair_hash(cache, client, server);
    const struct set *set = &cache->sets[set_of(cache, pair)];
    const struct entry *entries = &cache->entries[(size_t)set_of(cache, pair) * WAYS];
    const struct dns_name *best = NULL;
    struct dns_hint hint = {0};
    for (unsigned i = 0; i < WAYS; i++) {
        const struct dns_name *name = &entries[i].name;
        if ((uint16_t)set->tags[i] != (uint16_t)pair || entries[i].pair != pair ||
            name->expires_us < now_us || name->asked_us > now_us)
            continue;
        hint.names++;
        hint.ambiguous |= best && best->service != name->service;
        bool newer = best && name->asked_us >= best->asked_us;
        if (!best || (!best->service && name->service) ||
            (newer && (name->service || !best->service)))
            best = name;
    }
    if (!best)
        return false;
    hint.service = best->service;
    hint.host = best->host;
    hint.confirmed = best->confirmed;
    hint.packet = best->packet;
    *ret_hint = hint;
    return true;
}

size_t dns_cache_memory(const struct dns_cache *cache)
{
    size_t sets = (size_t)cache->set_mask + 1;
    return sets * (sizeof(struct set) + WAYS * sizeof(struct entry));
}
