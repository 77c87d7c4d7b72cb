// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/hash.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/status.h"

int hash_key_random(struct hash_key *ret_key)
{
    struct hash_key key;
    ssize_t got;
    int status = DL_OK;

    /* Up to 256 bytes come whole; only the wait for the first entropy can be interrupted. */
    do {
        got = getrandom(&key, sizeof(key), 0);
    } while (got < 0 && errno == EINTR);
    if (got != (ssize_t)sizeof(key)) {
        status = got < 0 ? -errno : -EIO;
        goto out;
    }
    *ret_key = key;
out:
    return status;
}

uint64_t hash_bytes(const struct hash_key *key, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    uint64_t v0 = key->k0 ^ 0x736f6d6570736575ULL;
    uint64_t v1 = key->k1 ^ 0x646f72616e646f6dULL;
    uint64_t v2 = key->k0 ^ 0x6c7967656e657261ULL;
    uint64_t v3 = key->k1 ^ 0x7465646279746573ULL;

    for (size_t words = length / 8; words > 0; words--, at += 8) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        word = le64toh(word);
        v3 ^= word;
        HASH_ROUND(v0, v1, v2, v3);
        v0 ^= word;
    }
    uint64_t last = (uint64_t)length << 56;
    for (size_t i = 0; i < length % 8; i++) {
        last |= (uint64_t)at[i] << 8 * i;
    }
    v3 ^= last;
    HASH_ROUND(v0, v1, v2, v3);
    v0 ^= last;
    v2 ^= 0xff;
    HASH_ROUND(v0, v1, v2, v3);
    HASH_ROUND(v0, v1, v2, v3);
    HASH_ROUND(v0, v1, v2, v3);
    return v0 ^ v1 ^ v2 ^ v3;
}
