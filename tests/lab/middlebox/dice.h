// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/* All of the middlebox's chance, from one seed (SplitMix64): the same seed and the same packets
 * give the same interference. */
#include <stdbool.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

static inline uint64_t dice_next(struct dice *dice)
{
    uint64_t z = dice->state += 0x9e3779b97f4a7c15ULL;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return z ^ z >> 31;
}

/* From 0 to below 1. */
static inline double dice_share(struct dice *dice)
{
    return (double)(dice_next(dice) >> 11) * 0x1p-53;
}

/* Without a draw where the answer is certain, so that an unused option does not shift the others'
 * chance. */
static inline bool dice_happens(struct dice *dice, double probability)
{
    return probability >= 1 || (probability > 0 && dice_share(dice) < probability);
}

/* From `low` to `high`, both included. */
static inline uint32_t dice_between(struct dice *dice, uint32_t low, uint32_t high)
{
    return low + (uint32_t)(dice_next(dice) % ((uint64_t)high - low + 1));
}
