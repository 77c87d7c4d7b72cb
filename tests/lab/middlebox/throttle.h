// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/* The two ways to slow a flow down: a policer drops what exceeds a rate, a shaper lets it wait. */
#include <stdbool.h>
#include <stdint.h>

struct token_bucket {
    double tokens; /* bytes */
    int64_t filled_us;
    bool started;
};

/* A full bucket at first. True if the bytes may pass, and takes their tokens; else leaves the
 * bucket as it is. */
bool token_bucket_take(struct token_bucket *bucket, uint32_t kbit_per_second, uint32_t burst_bytes,
                       uint32_t bytes, int64_t now_us);

struct shaper {
    int64_t free_us; /* when the last byte queued so far will have left */
};

/* Microseconds these bytes wait until they have left, or -1 when the queue before them holds more
 * than `queue_bytes`. */
int64_t shaper_delay(struct shaper *shaper, uint32_t kbit_per_second, uint32_t queue_bytes,
                     uint32_t bytes, int64_t now_us);
