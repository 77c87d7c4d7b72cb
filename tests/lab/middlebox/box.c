// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/lab/middlebox/box.h"

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
    decoder_destroy(box->decoder);
}

void box_forward(struct box *box, enum port to, const uint8_t *bytes, size_t length, int64_t now_us,
                 int64_t wait_us)
{
    const struct line *line = &box->line;
    if (dice_happens(&box->dice, line->loss))
        return;
    int64_t due = now_us + wait_us + line->delay_us;
    if (line->jitter_us)
        due += dice_between(&box->dice, 0, (uint32_t)line->jitter_us);
    if (dice_happens(&box->dice, line->reorder)) {
        due += dice_between(&box->dice, LATE_LEAST, LATE_MOST); /* those behind it overtake it */
    } else if (!wait_us) {
        due = MAX_OF(due, box->last_due_us[to]);
        box->last_due_us[to] = due;
    }
    queue_put(&box->queue, due, to, bytes, length);
    if (dice_happens(&box->dice, line->duplicate))
        queue_put(&box->queue, due + DUPLICATE_AFTER, to, bytes, length);
}

void box_frame(struct box *box, enum port from, uint8_t *bytes, size_t length, int64_t now_us)
{
    struct frame frame = {.time_us = now_us,
                          .data = bytes,
                          .captured = (uint32_t)length,
                          .length = (uint32_t)length,
                          .link_type = LINKTYPE_ETHERNET};
    struct packet packet;
    struct seen seen;
    struct verdict verdict = {0};
    enum side side = from == PORT_NEAR ? SIDE_CLIENT : SIDE_SERVER;
    if (decoder_decode(box->decoder, &frame, &packet) == DECODE_OK &&
        flow_see(&box->table, &packet, side, now_us, &seen))
        verdict = interfere(box, &seen, bytes, length, now_us);
    if (verdict.drop || !frame_lower_ttl(bytes, length, box->line.ttl_step))
        return;
    box_forward(box, from == PORT_NEAR ? PORT_FAR : PORT_NEAR, bytes, length, now_us,
                verdict.wait_us);
}
