// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/pool.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/pages.h"
#include "base/status.h"

#define SLOT_ALIGNMENT 8u
#define LARGE_LEAST    4u /* a pool may hold so many large pages: else their rounding up weighs */
#define LARGE_A_CHUNK  8u /* so many come at one time; memory itself comes as slots are used */

/* Few chunks of several large pages, where the pool may grow large. */
static uint32_t chunk_shift_of(size_t slot_size, uint32_t maximum)
{
    uint32_t shift = POOL_CHUNK_SHIFT;

    if (maximum < (uint64_t)LARGE_LEAST * PAGES_LARGE / slot_size) {
        return shift;
    }
    while (((uint64_t)slot_size << (shift + 1)) <= (uint64_t)LARGE_A_CHUNK * PAGES_LARGE) {
        shift++;
    }
    return shift;
}

/* Slots of the chunk that comes next. */
static uint32_t chunk_slots(const struct pool *pool, uint32_t chunk)
{
    return MIN_OF(pool->maximum - (chunk << pool->chunk_shift), 1u << pool->chunk_shift);
}

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
    uint32_t shift = chunk_shift_of(slot_size, maximum);
    uint32_t chunk_max = ((maximum - 1) >> shift) + 1;

    pool->chunks = calloc(chunk_max, sizeof(*pool->chunks));
    if (!pool->chunks) {
        goto out;
    }
    pool->slot_size = slot_size;
    pool->chunk_shift = shift;
    pool->chunk_max = chunk_max;
    pool->maximum = maximum;
    status = DL_OK;
out:
    return status;
}

void pool_finish(struct pool *pool)
{
    for (uint32_t i = 0; i < pool->chunk_count; i++) {
        pages_give(pool->chunks[i], chunk_slots(pool, i) * pool->slot_size);
    }
    free(pool->chunks);
    *pool = (struct pool){0};
}

static bool pool_add_chunk(struct pool *pool)
{
    void *chunk = pages_take(chunk_slots(pool, pool->chunk_count) * pool->slot_size);

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
            (pool->fresh >> pool->chunk_shift >= pool->chunk_count && !pool_add_chunk(pool))) {
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
    uint64_t bytes = MIN_OF((uint64_t)pool->chunk_count << pool->chunk_shift, pool->maximum) *
                     (uint64_t)pool->slot_size;
    /* Of large chunks only what was used is there. */
    uint64_t used =
        ((uint64_t)pool->fresh * pool->slot_size + PAGES_LARGE - 1) & -(uint64_t)PAGES_LARGE;

    if (pool->chunk_shift > POOL_CHUNK_SHIFT) {
        bytes = MIN_OF(bytes, used);
    }
    return pool->chunk_max * sizeof(*pool->chunks) + (size_t)bytes;
}
