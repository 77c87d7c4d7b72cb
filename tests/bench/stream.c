// SPDX-License-Identifier: GPL-3.0-or-later
#include <netinet/in.h>
#include <string.h>

#include "tests/bench/stream.h"

#define TCP_FIN     0x01
#define TCP_SYN     0x02
#define TCP_ACK     0x10
#define UDP_HEADER  8u
#define QUIC_ACK    33u
#define TLS_RECORD  16401u /* its content, as OpenSSL fills it */
#define TLS_HEADER  5u
#define NOISE_SIZE  65536u
#define GROUP_SIZE  3u /* two of data, one acknowledgement */
#define OPTION_TIME 8

/* Bytes that look encrypted; the same ones always. */
static const uint8_t *noise(void)
{
    static uint8_t bytes[NOISE_SIZE + STREAM_TCP_DATA];
    static bool made;

    if (!made) {
        uint64_t state = 88172645463325252u;
        for (size_t i = 0; i < sizeof(bytes); i++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes[i] = (uint8_t)(state >> 24);
        }
        made = true;
    }
    return bytes;
}

/* ---- learning ---- */

static uint32_t tcp_header_size(const uint8_t *tcp)
{
    return (uint32_t)(tcp[12] >> 4) * 4;
}

/* The timestamp option's value, or NULL. */
static uint8_t *tcp_timestamp(uint8_t *tcp)
{
    uint32_t at = 20, end = tcp_header_size(tcp);

    while (at + 10 <= end && tcp[at] != OPTION_TIME) {
        if (tcp[at] == 0 || (tcp[at] != 1 && tcp[at + 1] < 2)) {
            return NULL;
        }
        at += tcp[at] == 1 ? 1 : tcp[at + 1];
    }
    return at + 10 <= end ? tcp + at + 2 : NULL;
}

static void learn_tcp(struct stream_side *side, const struct bench_frame *frame)
{
    uint8_t *tcp = frame->bytes + FRAME_PORTS;
    uint32_t payload = load_u16(frame->bytes + FRAME_IP + 2) - 20 - tcp_header_size(tcp);
    uint32_t end = load_u32(tcp + 4) + payload + ((tcp[13] & (TCP_SYN | TCP_FIN)) != 0);
    bool first = side->sequence == 0;

    if (first || (int32_t)(end - side->sequence) > 0) {
        side->sequence = end;
    }
    if (!(tcp[13] & TCP_SYN)) { /* whose options are others */
        uint8_t *timestamp = tcp_timestamp(tcp);
        side->header = frame;
        side->timestamp = timestamp ? load_u32(timestamp) : 0;
    }
}

/* A long header tells the sender's own identifier. */
static void learn_quic(struct stream_side *side, const struct bench_frame *frame)
{
    const uint8_t *quic = frame->bytes + FRAME_PORTS + UDP_HEADER;
    uint32_t payload = load_u16(frame->bytes + FRAME_PORTS + 4) - UDP_HEADER;

    side->header = frame;
    if (payload < 64 || (quic[0] & 0xc0) != 0xc0 || quic[5] > sizeof(side->cid)) {
        return;
    }
    const uint8_t *source = quic + 6 + quic[5];
    if (source[0] <= sizeof(side->cid)) {
        side->cid_size = source[0];
        memcpy(side->cid, source + 1, source[0]);
    }
}

bool stream_init(struct stream *stream, const struct bench_frame *frames, unsigned count,
                 const uint8_t client[4])
{
    *stream = (struct stream){.tcp = frames[0].bytes[FRAME_IP + 9] == IPPROTO_TCP};
    for (unsigned i = 0; i < count; i++) {
        bool up = memcmp(frames[i].bytes + FRAME_SOURCE, client, 4) == 0;
        struct stream_side *side = up ? &stream->up : &stream->down;
        if (stream->tcp) {
            learn_tcp(side, &frames[i]);
        } else {
            learn_quic(side, &frames[i]);
        }
    }
    return stream->up.header && stream->down.header;
}

/* ---- building ---- */

/* Sets the lengths and checksums of a frame whose transport header and payload are there. */
static uint32_t finish_frame(uint8_t *bytes, uint32_t index, uint32_t transport_size)
{
    uint32_t size = FRAME_PORTS + transport_size;
    struct bench_frame frame = {.captured = size, .length = size, .bytes = bytes};

    store_u16(bytes + FRAME_IP + 2, (uint16_t)(20 + transport_size));
    store_u16(bytes + FRAME_IP + 4, (uint16_t)(load_u16(bytes + FRAME_IP + 4) + index + 1));
    frame_make_checksums(&frame);
    return size;
}

/* `size` bytes of a sequence of TLS records, from `offset` of it on. */
static void fill_records(uint8_t *bytes, uint32_t size, uint64_t offset)
{
    static const uint8_t header[TLS_HEADER] = {0x17, 3, 3, TLS_RECORD >> 8, TLS_RECORD & 0xff};
    uint32_t within = (uint32_t)(offset % (TLS_HEADER + TLS_RECORD));

    memcpy(bytes, noise() + offset % NOISE_SIZE, size);
    for (uint32_t i = 0; i < size; i++) {
        uint32_t place = (within + i) % (TLS_HEADER + TLS_RECORD);
        if (place < TLS_HEADER) {
            bytes[i] = header[place];
        } else {
            i += TLS_HEADER + TLS_RECORD - place - 1;
        }
    }
}

struct segment {
    bool up;
    uint8_t flags;
    uint32_t sent, received; /* by this side beyond the recorded bytes */
    uint32_t payload;
};

static uint32_t build_tcp(const struct stream *stream, const struct segment *segment,
                          uint32_t index, int64_t after_us, uint8_t *bytes)
{
    const struct stream_side *from = segment->up ? &stream->up : &stream->down;
    const struct stream_side *to = segment->up ? &stream->down : &stream->up;
    uint32_t header = tcp_header_size(from->header->bytes + FRAME_PORTS);
    uint8_t *tcp = bytes + FRAME_PORTS;
    uint32_t after_ms = (uint32_t)(after_us / 1000);

    memcpy(bytes, from->header->bytes, FRAME_PORTS + header);
    store_u32(tcp + 4, from->sequence + segment->sent);
    store_u32(tcp + 8, to->sequence + segment->received);
    tcp[13] = segment->flags;
    uint8_t *timestamp = tcp_timestamp(tcp);
    if (timestamp) {
        store_u32(timestamp, from->timestamp + after_ms);
        store_u32(timestamp + 4, to->timestamp + after_ms);
    }
    if (segment->payload) {
        fill_records(tcp + header, segment->payload, segment->sent);
    }
    return finish_frame(bytes, index, header + segment->payload);
}

static uint32_t build_quic(const struct stream *stream, bool up, uint32_t index, uint8_t *bytes)
{
    const struct stream_side *from = up ? &stream->up : &stream->down;
    const struct stream_side *to = up ? &stream->down : &stream->up;
    uint32_t payload = up ? QUIC_ACK : STREAM_QUIC_DATA;
    uint8_t *udp = bytes + FRAME_PORTS;

    memcpy(bytes, from->header->bytes, FRAME_PORTS + UDP_HEADER);
    memcpy(udp + UDP_HEADER, noise() + index * 7919u % NOISE_SIZE, payload);
    udp[UDP_HEADER] = 0x40 | (udp[UDP_HEADER] & 0x3f); /* a short header */
    memcpy(udp + UDP_HEADER + 1, to->cid, to->cid_size);
    store_u16(udp + 4, (uint16_t)(UDP_HEADER + payload));
    return finish_frame(bytes, index, UDP_HEADER + payload);
}

uint32_t stream_build(const struct stream *stream, uint32_t index, uint32_t extra, int64_t after_us,
                      uint8_t *bytes)
{
    bool ending = index >= extra;
    uint32_t before = ending ? extra : index, place = before % GROUP_SIZE;
    uint32_t data = before / GROUP_SIZE * 2 + (place < 2 ? place : 2);
    uint32_t sent = data * STREAM_TCP_DATA;
    struct segment segment = {.flags = TCP_ACK};

    if (!stream->tcp) {
        return build_quic(stream, place == 2, index, bytes);
    }
    if (ending) {
        uint32_t step = index - extra;
        segment.up = step != 1;
        segment.flags = step < 2 ? TCP_ACK | TCP_FIN : TCP_ACK;
        segment.sent = step == 0 ? 0 : step == 1 ? sent : 1;
        segment.received = step == 0 ? sent : step == 1 ? 1 : sent + 1;
    } else if (place == 2) {
        segment.up = true;
        segment.received = sent;
    } else {
        segment.sent = sent;
        segment.payload = STREAM_TCP_DATA;
    }
    return build_tcp(stream, &segment, index, after_us, bytes);
}
