// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * A bounded pool of equal slots, named by 32-bit numbers.
 *
 * Memory comes in chunks as it is needed (of POOL_CHUNK_SLOTS slots, or of several large pages
 * where the maximum is many of them), up to the maximum given, and is never moved: a pointer
 * from pool_at() stays valid until pool_give(). Taking and giving are O(1) and do not allocate once
 * a chunk is there. Slots come zeroed.
 */
#include <stddef.h>
#include <stdint.h>

#define POOL_NONE 0u /* no slot: numbers start at 1 */

struct pool {
    void **chunks;
    size_t slot_size;
    uint32_t chunk_shift; /* a chunk has 2^chunk_shift slots */
    uint32_t chunk_count, chunk_max;
    uint32_t taken, peak; /* slots in use now, and at most so far */
    uint32_t maximum;     /* slots that may ever exist */
    uint32_t fresh, free; /* next never-used slot; head of the free list */
    uint64_t refused;     /* how often pool_take() had none to give */
};

#define POOL_CHUNK_SHIFT 10u
#define POOL_CHUNK_SLOTS (1u << POOL_CHUNK_SHIFT)

/* `slot_size` is at least 4 and is kept a multiple of 8; `maximum` at least 1. DL_OK or -ENOMEM. */
int pool_init(struct pool *pool, size_t slot_size, uint32_t maximum);
void pool_finish(struct pool *pool); /* accepts a zeroed pool */

/* A zeroed slot, or POOL_NONE when the maximum is reached or memory is out (counted in `refused`).
 */
uint32_t pool_take(struct pool *pool);
void pool_give(struct pool *pool, uint32_t slot); /* accepts POOL_NONE */

static inline void *pool_at(const struct pool *pool, uint32_t slot)
{
    uint32_t n = slot - 1;
    return (char *)pool->chunks[n >> pool->chunk_shift] +
           (size_t)(n & ((1u << pool->chunk_shift) - 1)) * pool->slot_size;
}

/* Bytes held from the system, for accounting. */
size_t pool_memory(const struct pool *pool);
