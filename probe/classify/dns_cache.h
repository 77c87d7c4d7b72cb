// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Which names a client was told before it opened a flow: (client, server address) -> names, from
 * DNS answers (A, AAAA, and the address hints of HTTPS and SVCB records). DN-Hunter's idea (IMC
 * 2012). A fixed-size set-associative cache: bounded, no allocation after creation, the oldest of a
 * set gives way. Entries live for the answer's TTL, at least 10 minutes, plus a grace of 5: clients
 * keep addresses.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"

struct dns_cache;

struct dns_name {     /* what one question said about an address */
    uint16_t service; /* catalog number the name leads to; 0: a name the catalog does not know */
    uint32_t host;    /* interned name; 0 where it is not kept */
    uint32_t name_hash;
    uint64_t packet; /* first packet of the question */
    int64_t asked_us, expires_us;
    bool has_ech;
    bool confirmed; /* the catalog's own word on the name */
};

struct dns_hint {     /* what all live names of an address agree on */
    uint16_t service; /* 0: none of them is of a service */
    uint32_t host;    /* of the newest one of the service */
    uint64_t packet;
    bool confirmed; /* the catalog calls that name's entry confirmed */
    bool ambiguous; /* several services, or a service and names of none */
    uint8_t names;  /* how many live names there are */
};

int dns_cache_create(struct dns_cache **ret_cache, uint32_t entries);
void dns_cache_destroy(struct dns_cache *cache);
uint32_t dns_cache_hash_name(const struct dns_cache *cache, const char *name);
void dns_cache_add(struct dns_cache *cache, const struct address *client,
                   const struct address *server, const struct dns_name *name, uint32_t ttl_s);
/* For who will soon add this pair: brings its place into the processor's cache. */
void dns_cache_prefetch(const struct dns_cache *cache, const struct address *client,
                        const struct address *server);
/* True when a live name is known for this pair at `now_us`. */
bool dns_cache_find(const struct dns_cache *cache, const struct address *client,
                    const struct address *server, int64_t now_us, struct dns_hint *ret_hint);
size_t dns_cache_memory(const struct dns_cache *cache);
