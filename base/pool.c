// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/pool.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/status.h"

#define SLOT_ALIGNMENT 8u

int pool_init(struct pool *pool, size_t slot_size, uint32_t maximum)
{
    int status = -ENOMEM;

    *pool = (struct pool){0};
    if (slot_size > SIZE_MAX - (SLOT_ALIGNMENT - 1)) {
        goto out;
    }
    slot_size = MAX_OF(slot_size, sizeof(uint32_t));
    slot_size = (slot_size + SLOT_ALIGNMENT - 1) / SLOT_ALIGNMENT * SLOT_ALIGNMENT;
    maximum = MAX_OF(maximum, 1);
    uint32_t chunk_max = (maximum - 1) / POOL_CHUNK_SLOTS + 1;

    pool->chunks = calloc(chunk_max, sizeof(*pool->chunks));
    if (!pool->chunks) {
        goto out;
    }
    pool->slot_size = slot_size;
    pool->chunk_max = chunk_max;
    pool->maximum = maximum;
    status = DL_OK;
out:
    return status;
}

void pool_finish(struct pool *pool)
{
    for (uint32_t i = 0; i < pool->chunk_count; i++) {
        free(pool->chunks[i]);
    }
    free(pool->chunks);
    *pool = (struct pool){0};
}

static bool pool_add_chunk(struct pool *pool)
{
    uint32_t before = pool->chunk_count << POOL_CHUNK_SHIFT;
    uint32_t slots = MIN_OF(pool->maximum - before, POOL_CHUNK_SLOTS);
    void *chunk = calloc(slots, pool->slot_size);

    if (!chunk) {
        return false;
    }
    pool->chunks[pool->chunk_count++] = chunk;
    return true;
}

uint32_t pool_take(struct pool *pool)
{
    uint32_t slot = pool->free;

    if (slot != POOL_NONE) {
        void *bytes = pool_at(pool, slot);
        memcpy(&pool->free, bytes, sizeof(pool->free));
        memset(bytes, 0, pool->slot_size);
    } else {
        /* `fresh` counts from 0, so that it does not wrap at the highest maximum. */
        if (pool->fresh >= pool->maximum ||
            (pool->fresh >> POOL_CHUNK_SHIFT >= pool->chunk_count && !pool_add_chunk(pool))) {
            pool->refused++;
            goto out;
        }
        slot = ++pool->fresh;
    }
    pool->taken++;
    pool->peak = MAX_OF(pool->peak, pool->taken);
out:
    return slot;
}

void pool_give(struct pool *pool, uint32_t slot)
{
    if (slot == POOL_NONE || slot > pool->fresh || pool->taken == 0) {
        return;
    }
    memcpy(pool_at(pool, slot), &pool->free, sizeof(pool->free));
    pool->free = slot;
    pool->taken--;
}

size_t pool_memory(const struct pool *pool)
{
    uint64_t slots = (uint64_t)pool->chunk_count << POOL_CHUNK_SHIFT;
    return pool->chunk_max * sizeof(*pool->chunks) +
           (size_t)MIN_OF(slots, pool->maximum) * pool->slot_size;
}
