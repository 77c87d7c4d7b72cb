// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/lab/middlebox/throttle.h"

#include "base/array.h"

#define BYTES_PER_US(kbit) ((double)(kbit) / 8000)

bool token_bucket_take(struct token_bucket *bucket, uint32_t kbit_per_second, uint32_t burst_bytes,
                       uint32_t bytes, int64_t now_us)
{
    if (!bucket->started)
        *bucket = (struct token_bucket){burst_bytes, now_us, true};
    double gained = (double)(now_us - bucket->filled_us) * BYTES_PER_US(kbit_per_second);
    bucket->tokens = MIN_OF(bucket->tokens + gained, (double)burst_bytes);
    bucket->filled_us = now_us;
    if (bucket->tokens < bytes)
        return false;
    bucket->tokens -= bytes;
    return true;
}

int64_t shaper_delay(struct shaper *shaper, uint32_t kbit_per_second, uint32_t queue_bytes,
                     uint32_t bytes, int64_t now_us)
{
    int64_t start = MAX_OF(shaper->free_us, now_us);
    if ((double)(start - now_us) * BYTES_PER_US(kbit_per_second) > queue_bytes)
        return -1;
    shaper->free_us = start + (int64_t)(bytes / BYTES_PER_US(kbit_per_second));
    return shaper->free_us - now_us;
}
