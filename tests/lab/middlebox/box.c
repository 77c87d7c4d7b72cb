// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/lab/middlebox/box.h"

#include <stdlib.h>

#include "base/array.h"
#include "tests/lab/middlebox/draft.h"

#define LINKTYPE_ETHERNET 1
#define DUPLICATE_AFTER   300 /* microseconds */
#define LATE_LEAST        3000u
#define LATE_MOST         9000u

int box_init(struct box *box, uint64_t seed)
{
    box->dice.state = seed;
    box->own_ip_id = (uint16_t)dice_next(&box->dice);
    int r = flow_table_init(&box->table);
    if (r == DL_OK)
        r = queue_init(&box->queue);
    if (r == DL_OK)
        r = decoder_create(&box->decoder);
    return r;
}

void box_finish(struct box *box)
{
    flow_table_finish(&box->table);
    queue_finish(&box->queue);
    free(box->leaving.bytes);
    decoder_destroy(box->decoder);
}

/* Puts a frame on the line: to the internet, or from it to the box. */
static void travel(struct box *box, enum port to, uint8_t *bytes, size_t length, int64_t now_us)
{
    const struct line *line = &box->line;
    if (dice_happens(&box->dice, line->loss))
        return;
    int64_t due = now_us + line->delay_us;
    if (line->jitter_us)
        due += dice_between(&box->dice, 0, (uint32_t)line->jitter_us);
    if (dice_happens(&box->dice, line->reorder)) {
        due += dice_between(&box->dice, LATE_LEAST, LATE_MOST); /* those behind it overtake it */
    } else {
        due = MAX_OF(due, box->last_due_us[to]);
        box->last_due_us[to] = due;
    }
    struct queued frame = {
        .due_us = due, .port = to, .inspect = to == PORT_NEAR, .length = length, .bytes = bytes};
    queue_put(&box->queue, &frame);
    if (dice_happens(&box->dice, line->duplicate)) {
        frame.due_us += DUPLICATE_AFTER;
        queue_put(&box->queue, &frame);
    }
}

/* The rules' say over one frame. True if it goes on, after `*ret_wait_us`. */
static bool look_at(struct box *box, enum side side, uint8_t *bytes, size_t length, int64_t now_us,
                    int64_t *ret_wait_us)
{
    struct frame frame = {.time_us = now_us,
                          .data = bytes,
                          .captured = (uint32_t)length,
                          .length = (uint32_t)length,
                          .link_type = LINKTYPE_ETHERNET};
    struct packet packet;
    struct seen seen;
    struct verdict verdict = {0};
    if (decoder_decode(box->decoder, &frame, &packet) == DECODE_OK &&
        flow_see(&box->table, &packet, side, now_us, &seen))
        verdict = interfere(box, &seen, bytes, length, now_us);
    *ret_wait_us = verdict.wait_us;
    return !verdict.drop && frame_lower_ttl(bytes, length, box->line.ttl_step);
}

void box_take(struct box *box, enum port from, uint8_t *bytes, size_t length, int64_t now_us)
{
    int64_t wait_us = 0;
    if (from == PORT_FAR)
        travel(box, PORT_NEAR, bytes, length, now_us);
    else if (look_at(box, SIDE_CLIENT, bytes, length, now_us, &wait_us))
        travel(box, PORT_FAR, bytes, length, now_us + wait_us);
}

const struct queued *box_next(struct box *box, int64_t now_us)
{
    free(box->leaving.bytes);
    box->leaving.bytes = NULL;
    while (queue_take(&box->queue, now_us, &box->leaving)) {
        struct queued *frame = &box->leaving;
        int64_t wait_us = 0;
        /* At the time it came, not when we find time: what is injected then goes before what came
         * later. */
        bool passes = !frame->inspect || look_at(box, SIDE_SERVER, frame->bytes, frame->length,
                                                 frame->due_us, &wait_us);
        frame->inspect = false;
        if (passes && !wait_us)
            return frame;
        frame->due_us += wait_us;
        if (passes)
            queue_put(&box->queue, frame);
        free(frame->bytes);
        frame->bytes = NULL;
    }
    return NULL;
}
