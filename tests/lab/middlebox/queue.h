// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/* Frames on their way: what is due first comes out first, and of two due at once the one that came in first. Bounded. */
#include <stddef.h>
#include <stdint.h>

#define QUEUE_MAX 8192u

enum port { PORT_NEAR = 0, PORT_FAR = 1 }; /* the subscribers' side, the internet's side */

struct queued {
    int64_t due_us;
    uint64_t order;
    enum port port; /* where it leaves */
    size_t length;
    uint8_t *bytes;
};

struct queue {
    struct queued *heap;
    size_t count;
    uint64_t order;
    uint64_t refused; /* frames that found no room: lost, as on any full line */
};

int queue_init(struct queue *queue);
void queue_finish(struct queue *queue);
/* Copies the frame; DL_OK, DL_LIMIT when full, or -ENOMEM. */
int queue_put(struct queue *queue, int64_t due_us, enum port port, const uint8_t *bytes,
              size_t length);
/* The frame that is due first, NULL for none. Ends with queue_pop(). */
const struct queued *queue_first(const struct queue *queue);
void queue_pop(struct queue *queue);
