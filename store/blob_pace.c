// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/blob_pace.h"

#include <string.h>

#include "base/array.h"
#include "store/varint.h"

#define HOWS ((uint64_t)PACE_LOST_COUNTED + 1)

size_t blob_pace_encode_bins(const struct pace_facts *pace, uint8_t *body)
{
    size_t length = 0;

    for (size_t i = 0; i < MIN_OF(pace->bin_count, PACE_BINS_MAX); i++) {
        const struct pace_bin *bin = &pace->bins[i];
        uint64_t more = bin->rtt_ms || bin->lost;
        length += varint_write(body + length, (uint64_t)bin->bytes << 1 | more);
        if (more) {
            length += varint_write(body + length, bin->rtt_ms);
            length += varint_write(body + length, bin->lost);
        }
    }
    return length;
}

size_t blob_pace_encode_losses(const struct pace_facts *pace, uint8_t *body)
{
    size_t length = 0;
    uint32_t after_us = 0, bytes = 0;

    for (size_t i = 0; i < MIN_OF(pace->loss_count, PACE_LOSSES_MAX); i++) {
        const struct pace_loss *loss = &pace->losses[i];
        /* Those found by what is sent again may be older than the one before. */
        length += varint_write(body + length, zigzag(loss->after_us - after_us, 4));
        length += varint_write(body + length, zigzag(loss->bytes - bytes, 4));
        length += varint_write(body + length, loss->rtt_ms);
        length += varint_write(body + length, (uint64_t)loss->segments * HOWS + loss->how);
        after_us = loss->after_us;
        bytes = loss->bytes;
    }
    return length;
}

/* A number that must not be greater than `most`. */
static uint64_t limited_read(struct cursor *cursor, uint64_t most)
{
    uint64_t value = varint_read(cursor);

    cursor->failed |= value > most;
    return cursor->failed ? 0 : value;
}

bool blob_pace_decode_bins(struct cursor *cursor, struct pace_facts *pace)
{
    memset(pace->bins, 0, sizeof(pace->bins));
    pace->bin_count = 0;
    while (cursor_left(cursor) > 0 && cursor_ok(cursor)) {
        if (pace->bin_count == PACE_BINS_MAX) {
            return false;
        }
        struct pace_bin *bin = &pace->bins[pace->bin_count++];
        uint64_t bytes = limited_read(cursor, (uint64_t)UINT32_MAX << 1 | 1);
        bin->bytes = (uint32_t)(bytes >> 1);
        if (bytes & 1) {
            bin->rtt_ms = (uint16_t)limited_read(cursor, UINT16_MAX);
            bin->lost = (uint8_t)limited_read(cursor, UINT8_MAX);
        }
    }
    return cursor_ok(cursor);
}

bool blob_pace_decode_losses(struct cursor *cursor, struct pace_facts *pace)
{
    uint32_t after_us = 0, bytes = 0;

    memset(pace->losses, 0, sizeof(pace->losses));
    pace->loss_count = 0;
    while (cursor_left(cursor) > 0 && cursor_ok(cursor)) {
        if (pace->loss_count == PACE_LOSSES_MAX) {
            return false;
        }
        struct pace_loss *loss = &pace->losses[pace->loss_count++];
        after_us += (uint32_t)zagzig(limited_read(cursor, UINT32_MAX));
        bytes += (uint32_t)zagzig(limited_read(cursor, UINT32_MAX));
        loss->after_us = after_us;
        loss->bytes = bytes;
        loss->rtt_ms = (uint16_t)limited_read(cursor, UINT16_MAX);
        uint64_t segments = limited_read(cursor, UINT8_MAX * HOWS + HOWS - 1);
        loss->segments = (uint8_t)(segments / HOWS);
        loss->how = (uint8_t)(segments % HOWS);
    }
    return cursor_ok(cursor);
}
