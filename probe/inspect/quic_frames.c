// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/inspect/quic_frames.h"

#include <string.h>

enum quic_frame {
    QUIC_PADDING = 0x00,
    QUIC_PING = 0x01,
    QUIC_ACK = 0x02,
    QUIC_ACK_ECN = 0x03,
    QUIC_CRYPTO = 0x06,
    QUIC_CLOSE = 0x1c,
    QUIC_CLOSE_APPLICATION = 0x1d
};

uint64_t quic_varint(struct cursor *cursor)
{
    int first = cursor_peek(cursor, 0);
    uint64_t value;

    switch (first < 0 ? 0 : first >> 6) {
    case 0:
        value = cursor_u8(cursor);
        break;
    case 1:
        value = cursor_u16(cursor) & 0x3fffu;
        break;
    case 2:
        value = cursor_u32(cursor) & 0x3fffffffu;
        break;
    default:
        value = cursor_u64(cursor) & 0x3fffffffffffffffu;
        break;
    }
    return value;
}

static void frames_skip(struct cursor *c, uint64_t length)
{
    cursor_skip(c, length > cursor_left(c) ? SIZE_MAX : (size_t)length);
}

/*
 * Marks a stretch of the stream as there; `ranges` stay sorted, with holes between them. False if
 * there are too many holes: the bytes are written then, but do not count until they are sent again.
 */
static bool frames_mark(struct quic_assembly *assembly, unsigned start, unsigned end)
{
    unsigned first = 0, last;

    while (first < assembly->range_count && assembly->ranges[first].end < start) {
        first++;
    }
    for (last = first; last < assembly->range_count && assembly->ranges[last].start <= end;
         last++) {
        if (assembly->ranges[last].start < start) {
            start = assembly->ranges[last].start;
        }
        if (assembly->ranges[last].end > end) {
            end = assembly->ranges[last].end;
        }
    }
    /* [first, last) melts into one. */
    if (last == first && assembly->range_count == QUIC_RANGES_MAX) {
        return false;
    }
    memmove(&assembly->ranges[first + 1], &assembly->ranges[last],
            (assembly->range_count - last) * sizeof(assembly->ranges[0]));
    assembly->range_count = (uint8_t)(assembly->range_count - (last - first) + 1);
    assembly->ranges[first].start = (uint16_t)start;
    assembly->ranges[first].end = (uint16_t)end;
    return true;
}

static void frames_crypto(struct cursor *c, struct quic_assembly *assembly)
{
    uint64_t offset = quic_varint(c), length = quic_varint(c);

    if (length > cursor_left(c)) {
        c->failed = true;
        return;
    }
    const uint8_t *bytes = cursor_bytes(c, (size_t)length);
    if (!bytes || offset >= QUIC_CRYPTO_MAX || length == 0) {
        return;
    }
    if (length > QUIC_CRYPTO_MAX - offset) {
        length = QUIC_CRYPTO_MAX - offset;
    }
    if (frames_mark(assembly, (unsigned)offset, (unsigned)(offset + length))) {
        memcpy(assembly->bytes + offset, bytes, (size_t)length);
    }
}

/* RFC 9000 19.3; the ranges and counts mean nothing to us. */
static void frames_ack(struct cursor *c, bool with_ecn)
{
    (void)quic_varint(c); /* largest acknowledged */
    (void)quic_varint(c); /* delay */
    uint64_t count = quic_varint(c);
    (void)quic_varint(c); /* first range */
    /* Every range takes two bytes at least: a greater count is a lie, and ends with the bytes. */
    for (uint64_t i = 0; i < count && cursor_ok(c); i++) {
        (void)quic_varint(c);
        (void)quic_varint(c);
    }
    for (int i = 0; with_ecn && i < 3; i++) {
        (void)quic_varint(c);
    }
}

/* RFC 9000 19.19: error code, type of the frame to blame (not from applications), reason. */
static void frames_close(struct cursor *c, bool by_application)
{
    (void)quic_varint(c);
    if (!by_application) {
        (void)quic_varint(c);
    }
    frames_skip(c, quic_varint(c));
}

bool quic_read_frames(const uint8_t *bytes, size_t length, struct quic_assembly *assembly)
{
    struct cursor c = cursor_init(bytes, length);
    bool known = true;

    while (known && cursor_left(&c) > 0) {
        uint64_t type = quic_varint(&c);
        switch (type) {
        case QUIC_PADDING:
        case QUIC_PING:
            break;
        case QUIC_ACK:
        case QUIC_ACK_ECN:
            frames_ack(&c, type == QUIC_ACK_ECN);
            break;
        case QUIC_CRYPTO:
            frames_crypto(&c, assembly);
            break;
        case QUIC_CLOSE:
        case QUIC_CLOSE_APPLICATION:
            frames_close(&c, type == QUIC_CLOSE_APPLICATION);
            break;
        default:
            known = false;
            break;
        }
    }
    return known && cursor_ok(&c);
}

enum parse_result quic_read_hello(const struct quic_assembly *assembly,
                                  struct tls_client *ret_client)
{
    bool begun = assembly->range_count > 0 && assembly->ranges[0].start == 0;
    size_t length = begun ? assembly->ranges[0].end : 0;
    enum parse_result result = tls_parse_client_hello(assembly->bytes, length, 'q', ret_client);

    if (result == PARSE_MORE && length == QUIC_CRYPTO_MAX) {
        result = PARSE_DONE; /* longer than we keep: more would not help */
    }
    return result;
}
