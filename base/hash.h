// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * SipHash-1-3 (Aumasson and Bernstein 2012; the 1-3 variant is the one of hash tables), keyed with
 * random bits of this process: strangers choose the keys of our tables and must not be able to make
 * them collide.
 */
#include <stddef.h>
#include <stdint.h>

struct hash_key {
    uint64_t k0, k1;
};

/* Fills the key from the kernel's generator. Returns DL_OK or a negated errno. */
int hash_key_random(struct hash_key *ret_key);

/* SipHash-1-3 of `length` bytes. */
uint64_t hash_bytes(const struct hash_key *key, const void *bytes, size_t length);

#define HASH_ROTL(x, b) (((x) << (b)) | ((x) >> (64 - (b))))
#define HASH_ROUND(v0, v1, v2, v3)                                                                 \
    do {                                                                                           \
        (v0) += (v1);                                                                              \
        (v2) += (v3);                                                                              \
        (v1) = HASH_ROTL(v1, 13) ^ (v0);                                                           \
        (v3) = HASH_ROTL(v3, 16) ^ (v2);                                                           \
        (v0) = HASH_ROTL(v0, 32);                                                                  \
        (v2) += (v1);                                                                              \
        (v0) += (v3);                                                                              \
        (v1) = HASH_ROTL(v1, 17) ^ (v2);                                                           \
        (v3) = HASH_ROTL(v3, 21) ^ (v0);                                                           \
        (v2) = HASH_ROTL(v2, 32);                                                                  \
    } while (0)

/* The same over `count` 64-bit words, inlined for the packet path; equals hash_bytes() of those
 * words on little-endian machines. */
static inline uint64_t hash_words(const struct hash_key *key, const uint64_t *words, size_t count)
{
    uint64_t v0 = key->k0 ^ 0x736f6d6570736575ULL;
    uint64_t v1 = key->k1 ^ 0x646f72616e646f6dULL;
    uint64_t v2 = key->k0 ^ 0x6c7967656e657261ULL;
    uint64_t v3 = key->k1 ^ 0x7465646279746573ULL;
    for (size_t i = 0; i < count; i++) {
        v3 ^= words[i];
        HASH_ROUND(v0, v1, v2, v3);
        v0 ^= words[i];
    }
    uint64_t last = (uint64_t)(count * 8) << 56;
    v3 ^= last;
    HASH_ROUND(v0, v1, v2, v3);
    v0 ^= last;
    v2 ^= 0xff;
    HASH_ROUND(v0, v1, v2, v3);
    HASH_ROUND(v0, v1, v2, v3);
    HASH_ROUND(v0, v1, v2, v3);
    return v0 ^ v1 ^ v2 ^ v3;
}
