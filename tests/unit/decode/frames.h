// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Frames built by hand, layer by layer from the outside to the inside. Lengths are right by
 * default: each IP header takes the length of what it carries as an argument.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/status.h"
#include "probe/decode/decode.h"

#define LINK_ETHERNET 1u
#define LINK_RAW      101u
#define FRAME_SIZE    (256u * 1024u)

/* A decoder, a frame under construction and what came of it. */
struct bench {
    struct decoder *decoder;
    struct buffer frame;
    struct packet packet;
    int64_t time_us;
    uint64_t number;
};

static inline int bench_setup(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    assert_non_null(bench);
    assert_int_equal(decoder_create(&bench->decoder), DL_OK);
    buffer_init(&bench->frame, FRAME_SIZE);
    bench->time_us = 1000 * CLOCK_SECOND_US;
    *state = bench;
    return 0;
}

static inline int bench_teardown(void **state)
{
    struct bench *bench = *state;
    decoder_destroy(bench->decoder);
    buffer_finish(&bench->frame);
    free(bench);
    return 0;
}

/* A new, empty frame. */
static inline struct buffer *frame_begin(struct bench *bench)
{
    buffer_clear(&bench->frame);
    return &bench->frame;
}

/* Decodes the frame cut after `captured` bytes, out of memory of exactly that size so that
 * sanitizers see more. */
static inline enum decode_kind frame_decode_cut(struct bench *bench, uint32_t link_type,
                                                size_t captured, size_t length)
{
    static uint8_t *bytes;
    free(bytes);
    bytes = malloc(captured > 0 ? captured : 1);
    assert_non_null(bytes);
    if (captured > 0) {
        memcpy(bytes, bench->frame.bytes, captured);
    }
    struct frame frame = {.data = bytes,
                          .captured = (uint32_t)captured,
                          .length = (uint32_t)length,
                          .time_us = bench->time_us,
                          .number = ++bench->number,
                          .link_type = link_type};
    return decoder_decode(bench->decoder, &frame, &bench->packet);
}

static inline enum decode_kind frame_decode(struct bench *bench, uint32_t link_type)
{
    return frame_decode_cut(bench, link_type, bench->frame.length, bench->frame.length);
}

static inline void put_zeros(struct buffer *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buffer_append_u8(b, 0);
    }
}

static inline void put_text(struct buffer *b, const char *text)
{
    buffer_append_text(b, text);
}

static inline void put_ethernet(struct buffer *b, uint16_t ethertype)
{
    buffer_append(b, "\2\0\0\0\0\1\2\0\0\0\0\2", 12);
    buffer_append_u16(b, ethertype);
}

/* 10.0.0.1 to 10.0.0.2; `word` holds the flags and the fragment offset. */
static inline void put_ip4_full(struct buffer *b, uint8_t protocol, size_t carries, uint16_t id,
                                uint16_t word)
{
    buffer_append_u8(b, 0x45);
    buffer_append_u8(b, 0);
    buffer_append_u16(b, (uint16_t)(20 + carries));
    buffer_append_u16(b, id);
    buffer_append_u16(b, word);
    buffer_append_u8(b, 57);
    buffer_append_u8(b, protocol);
    buffer_append_u16(b, 0);
    buffer_append(b, "\12\0\0\1\12\0\0\2", 8);
}

static inline void put_ip4(struct buffer *b, uint8_t protocol, size_t carries)
{
    put_ip4_full(b, protocol, carries, 0x1234, 0x4000);
}

/* 2001:db8::1 to 2001:db8::2 */
static inline void put_ip6(struct buffer *b, uint8_t next_header, size_t carries)
{
    buffer_append_u32(b, 0x60000000);
    buffer_append_u16(b, (uint16_t)carries);
    buffer_append_u8(b, next_header);
    buffer_append_u8(b, 58);
    buffer_append(b, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
    buffer_append(b, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2", 16);
}

static inline void put_udp(struct buffer *b, uint16_t source, uint16_t destination, size_t carries)
{
    buffer_append_u16(b, source);
    buffer_append_u16(b, destination);
    buffer_append_u16(b, (uint16_t)(8 + carries));
    buffer_append_u16(b, 0);
}

static inline void put_tcp(struct buffer *b, uint8_t flags, const void *options, size_t length)
{
    buffer_append_u16(b, 40000);
    buffer_append_u16(b, 443);
    buffer_append_u32(b, 0x01020304);
    buffer_append_u32(b, 0x05060708);
    buffer_append_u8(b, (uint8_t)((20 + length) / 4 << 4));
    buffer_append_u8(b, flags);
    buffer_append_u16(b, 64240);
    buffer_append_u32(b, 0);
    buffer_append(b, options, length);
}

#define HELLO        "hello"
#define HELLO_LENGTH 5u
#define HELLO_UDP    (8u + HELLO_LENGTH) /* of a UDP datagram with it */
#define HELLO_IP4    (20u + HELLO_UDP)   /* of an IPv4 packet with that */
#define HELLO_IP6    (40u + HELLO_UDP)

/* A UDP datagram from port 1000 to 2000. */
static inline void put_hello_udp(struct buffer *b)
{
    put_udp(b, 1000, 2000, HELLO_LENGTH);
    put_text(b, HELLO);
}

static inline void put_hello_ip4(struct buffer *b)
{
    put_ip4(b, 17, HELLO_UDP);
    put_hello_udp(b);
}

static inline void put_hello_ip6(struct buffer *b)
{
    put_ip6(b, 17, HELLO_UDP);
    put_hello_udp(b);
}

/* Is the packet the one with the hello in it? */
static inline void check_hello(const struct bench *bench, int version)
{
    const struct packet *p = &bench->packet;
    assert_int_equal(p->ip_version, version);
    assert_int_equal(p->transport, TRANSPORT_UDP);
    assert_int_equal(p->protocol, 17);
    assert_int_equal(p->source_port, 1000);
    assert_int_equal(p->destination_port, 2000);
    assert_int_equal(p->payload_length, HELLO_LENGTH);
    assert_int_equal(p->payload_captured, HELLO_LENGTH);
    assert_memory_equal(p->payload, HELLO, HELLO_LENGTH);
    assert_int_equal(p->ttl, version == 4 ? 57 : 58);
    assert_int_equal(p->source.bytes[15], 1);
    assert_int_equal(p->destination.bytes[15], 2);
    assert_int_equal(address_is_v4(&p->source), version == 4);
    assert_int_equal(p->time_us, bench->time_us);
    assert_int_equal(p->number, bench->number);
}
