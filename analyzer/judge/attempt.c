// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/judge/attempt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/pool.h"
#include "base/status.h"

/*
 * Attempts of one window, in a chained hash table over a pool. They are kept in the order of their
 * starts, which is the order of their ends: the oldest are forgotten first, once a flow begins
 * beyond their window or when the table is full.
 */
#define ATTEMPTS_MAX (1u << 20)
#define BUCKET_COUNT (1u << 16)

struct attempt {
    uint64_t key[2];
    int64_t start_us;
    uint64_t packet;
    uint32_t input;
    uint32_t bucket, next_in_bucket; /* slots; POOL_NONE ends */
    uint32_t newer;
};

struct attempts {
    struct hash_key hash;
    struct pool pool;
    uint32_t oldest, newest;
    uint32_t buckets[BUCKET_COUNT];
};

int attempts_create(struct attempts **ret_attempts)
{
    struct attempts *attempts = calloc(1, sizeof(*attempts));
    int status = attempts ? hash_key_random(&attempts->hash) : -ENOMEM;

    if (status == DL_OK)
        status = pool_init(&attempts->pool, sizeof(struct attempt), ATTEMPTS_MAX);
    if (status != DL_OK)
        goto fail;
    *ret_attempts = attempts;
    return DL_OK;
fail:
    attempts_destroy(attempts);
    return status;
}

void attempts_destroy(struct attempts *attempts)
{
    if (!attempts)
        return;
    pool_finish(&attempts->pool);
    free(attempts);
}

static struct attempt *attempt_at(const struct attempts *attempts, uint32_t slot)
{
    return pool_at(&attempts->pool, slot);
}

static void forget_oldest(struct attempts *attempts)
{
    uint32_t slot = attempts->oldest;
    struct attempt *attempt = attempt_at(attempts, slot);
    uint32_t *link = &attempts->buckets[attempt->bucket];

    while (*link != slot)
        link = &attempt_at(attempts, *link)->next_in_bucket;
    *link = attempt->next_in_bucket;
    attempts->oldest = attempt->newer;
    if (attempts->oldest == POOL_NONE)
        attempts->newest = POOL_NONE;
    pool_give(&attempts->pool, slot);
}

static void forget_before(struct attempts *attempts, int64_t time_us)
{
    while (attempts->oldest != POOL_NONE &&
           time_us - attempt_at(attempts, attempts->oldest)->start_us >= ATTEMPT_WINDOW_US)
        forget_oldest(attempts);
}

/* Client and service as 128 bits under a key of this process. */
static void attempt_key(const struct attempts *attempts, const struct observation *flow,
                        uint64_t key[2])
{
    struct hash_key second = {attempts->hash.k1, ~attempts->hash.k0};
    uint8_t bytes[1 + 16 + 8 + 256] = {flow->client.kind};
    size_t length = strnlen(flow->service, 256);

    memcpy(bytes + 1, flow->client.address.bytes, 16);
    if (flow->client.kind == ENDPOINT_PSEUDONYM) {
        memset(bytes + 1, 0, 16);
        memcpy(bytes + 17, &flow->client.pseudonym, 8);
    }
    if (flow->import.present) { /* its runs, whatever their clients did within 30 s */
        memset(bytes, 0, 25);
        bytes[0] = UINT8_MAX;
        memcpy(bytes + 1, &flow->import.run, 8);
        memcpy(bytes + 9, &flow->input, 4);
    }
    memcpy(bytes + 25, flow->service, length);
    key[0] = hash_bytes(&attempts->hash, bytes, 25 + length);
    key[1] = hash_bytes(&second, bytes, 25 + length);
}

static const struct attempt *attempt_find(const struct attempts *attempts, uint32_t bucket,
                                          const uint64_t key[2])
{
    for (uint32_t slot = attempts->buckets[bucket]; slot != POOL_NONE;) {
        const struct attempt *attempt = attempt_at(attempts, slot);
        if (attempt->key[0] == key[0] && attempt->key[1] == key[1])
            return attempt;
        slot = attempt->next_in_bucket;
    }
    return NULL;
}

static const struct attempt *attempt_begin(struct attempts *attempts, uint32_t bucket,
                                           const uint64_t key[2], const struct observation *flow)
{
    uint32_t slot = pool_take(&attempts->pool);

    if (slot == POOL_NONE && attempts->oldest != POOL_NONE) {
        forget_oldest(attempts);
        slot = pool_take(&attempts->pool);
    }
    if (slot == POOL_NONE)
        return NULL;
    struct attempt *attempt = attempt_at(attempts, slot);
    *attempt = (struct attempt){.key = {key[0], key[1]},
                                .start_us = flow->start_us,
                                .packet = flow->packet,
                                .input = flow->input,
                                .bucket = bucket,
                                .next_in_bucket = attempts->buckets[bucket]};
    attempts->buckets[bucket] = slot;
    if (attempts->newest != POOL_NONE)
        attempt_at(attempts, attempts->newest)->newer = slot;
    else
        attempts->oldest = slot;
    attempts->newest = slot;
    return attempt;
}

int attempts_assign(struct attempts *attempts, const struct observation *flow, uint32_t *ret_input,
                    uint64_t *ret_packet)
{
    const struct attempt *attempt = NULL;
    uint64_t key[2];

    bool alone = flow->import.present && flow->import.run == 0;

    if (flow->service && flow->service[0] && !alone) {
        forget_before(attempts, flow->start_us);
        attempt_key(attempts, flow, key);
        uint32_t bucket = (uint32_t)key[0] & (BUCKET_COUNT - 1);
        attempt = attempt_find(attempts, bucket, key);
        if (!attempt)
            attempt = attempt_begin(attempts, bucket, key, flow);
        if (!attempt)
            return -ENOMEM;
    }
    *ret_input = attempt ? attempt->input : flow->input;
    *ret_packet = attempt ? attempt->packet : flow->packet;
    return DL_OK;
}
