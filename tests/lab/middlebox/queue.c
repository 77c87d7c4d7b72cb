// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/lab/middlebox/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"

int queue_init(struct queue *queue)
{
    *queue = (struct queue){.heap = calloc(QUEUE_MAX, sizeof(struct queued))};
    return queue->heap ? DL_OK : -ENOMEM;
}

void queue_finish(struct queue *queue)
{
    for (size_t i = 0; i < queue->count; i++)
        free(queue->heap[i].bytes);
    queue->count = 0;
    free(queue->heap);
    queue->heap = NULL;
}

static bool is_before(const struct queued *a, const struct queued *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us : a->order < b->order;
}

static void swap(struct queued *a, struct queued *b)
{
    struct queued kept = *a;
    *a = *b;
    *b = kept;
}

int queue_put(struct queue *queue, const struct queued *frame)
{
    if (queue->count == QUEUE_MAX) {
        queue->refused++;
        return DL_LIMIT;
    }
    uint8_t *copy = malloc(frame->length ? frame->length : 1);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, frame->bytes, frame->length);
    size_t at = queue->count++;
    queue->heap[at] = *frame;
    queue->heap[at].bytes = copy;
    queue->heap[at].order = queue->order++;
    for (; at && is_before(&queue->heap[at], &queue->heap[(at - 1) / 2]); at = (at - 1) / 2)
        swap(&queue->heap[at], &queue->heap[(at - 1) / 2]);
    return DL_OK;
}

const struct queued *queue_first(const struct queue *queue)
{
    return queue->count ? &queue->heap[0] : NULL;
}

bool queue_take(struct queue *queue, int64_t now_us, struct queued *ret_frame)
{
    if (!queue->count || queue->heap[0].due_us > now_us)
        return false;
    *ret_frame = queue->heap[0];
    queue->heap[0] = queue->heap[--queue->count];
    for (size_t at = 0;;) {
        size_t least = at;
        for (size_t child = at * 2 + 1; child <= at * 2 + 2 && child < queue->count; child++)
            if (is_before(&queue->heap[child], &queue->heap[least]))
                least = child;
        if (least == at)
            return true;
        swap(&queue->heap[at], &queue->heap[least]);
        at = least;
    }
}
