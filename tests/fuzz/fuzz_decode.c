// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The first byte picks the link type. Then frames, each after its length (2 bytes), the seconds
 * since the one before (1) and how many bytes of it were not captured (1): several, so that
 * fragments find each other.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "base/status.h"
#include "probe/decode/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static uint8_t touch(const uint8_t *bytes, uint32_t length)
{
    uint8_t sum = 0;
    for (uint32_t i = 0; i < length; i++) {
        sum = (uint8_t)(sum + bytes[i]);
    }
    return sum;
}

static void check_packet(const struct packet *packet, enum decode_kind kind)
{
    volatile uint8_t sink = 0;
    bool known = packet->transport != TRANSPORT_NONE;
    if (packet->payload_captured > packet->payload_length ||
        (packet->payload == NULL) != (packet->payload_captured == 0) || !packet->ip ||
        known != (kind == DECODE_OK) || (packet->ip_version != 4 && packet->ip_version != 6)) {
        __builtin_trap();
    }
    sink = sink + touch(packet->ip, packet->ip_captured);
    if (packet->payload) {
        sink = sink + touch(packet->payload, packet->payload_captured);
    }
}

static void decode_frame(struct decoder *decoder, struct frame *frame, struct cursor data)
{
    /* Memory of exactly the frame's size shows the smallest step beyond it. */
    size_t length = cursor_left(&data);
    uint8_t *copy = malloc(length > 0 ? length : 1);
    struct packet packet;
    if (!copy) {
        return;
    }
    if (length > 0) {
        memcpy(copy, data.at, length);
    }
    frame->data = copy;
    frame->captured = (uint32_t)length;
    frame->length += frame->captured;
    frame->number++;
    enum decode_kind kind = decoder_decode(decoder, frame, &packet);
    if ((unsigned)kind >= DECODE_KIND_COUNT) {
        __builtin_trap();
    }
    if (kind == DECODE_OK || kind == DECODE_PROTOCOL) {
        check_packet(&packet, kind);
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const uint32_t link_types[] = {1,   0,   9,   12,  14,  50,  51,
                                          101, 108, 113, 228, 229, 276, 105};
    struct cursor input = cursor_init(bytes, length);
    struct decoder *decoder = NULL;
    struct frame frame = {.time_us = 1000 * CLOCK_SECOND_US};
    uint64_t counted = 0;
    frame.link_type = link_types[cursor_u8(&input) % ARRAY_LENGTH(link_types)];
    if (decoder_create(&decoder) != DL_OK) {
        return 0;
    }
    while (cursor_left(&input) > 4) {
        size_t wanted = cursor_u16(&input);
        frame.time_us += cursor_u8(&input) * CLOCK_SECOND_US;
        frame.length = cursor_u8(&input);
        decode_frame(decoder, &frame, cursor_sub(&input, MIN_OF(wanted, cursor_left(&input))));
    }
    for (unsigned kind = 0; kind < DECODE_KIND_COUNT; kind++) {
        counted += decoder_count(decoder, kind);
    }
    if (counted != frame.number) {
        __builtin_trap();
    }
    decoder_destroy(decoder);
    return 0;
}
