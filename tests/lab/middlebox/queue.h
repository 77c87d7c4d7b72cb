// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/* Frames on their way: what is due first comes out first, and of two due at once the one that came
 * in first. Bounded. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUEUE_MAX 8192u

enum port { PORT_NEAR = 0, PORT_FAR = 1 }; /* the subscribers' side, the internet's side */

struct queued {
    int64_t due_us;
    uint64_t order;
    enum port port; /* where it leaves */
    bool inspect;   /* it has come along the line to the box, which is still to look at it */
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
/* Takes a copy of the frame and its bytes (`order` is the queue's business); DL_OK, DL_LIMIT when
 * full, or -ENOMEM. */
int queue_put(struct queue *queue, const struct queued *frame);
/* The frame that is due first, NULL for none. */
const struct queued *queue_first(const struct queue *queue);
/* Takes it out if it is due by now: the bytes are then the caller's, to be freed. */
bool queue_take(struct queue *queue, int64_t now_us, struct queued *ret_frame);
