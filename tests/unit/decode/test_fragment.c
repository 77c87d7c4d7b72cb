// SPDX-License-Identifier: GPL-3.0-or-later
/* Fragments: in any order, repeated, contradicting, late, too many. */
#include "frames.h"

#include "base/array.h"

#define DATAGRAM 3000u /* a UDP datagram of three fragments */
#define MTU      1480u

static uint8_t datagram[DATAGRAM];

static void make_datagram(void)
{
    struct buffer b;
    buffer_init(&b, DATAGRAM);
    put_udp(&b, 1000, 2000, DATAGRAM - 8);
    for (unsigned i = 8; i < DATAGRAM; i++) {
        buffer_append_u8(&b, (uint8_t)(i * 7));
    }
    memcpy(datagram, b.bytes, DATAGRAM);
    buffer_finish(&b);
}

static enum decode_kind send4(struct bench *bench, uint16_t id, size_t offset, size_t length,
                              bool more)
{
    struct buffer *b = frame_begin(bench);
    put_ip4_full(b, 17, length, id, (uint16_t)(offset / 8 | (more ? 0x2000 : 0)));
    buffer_append(b, datagram + offset, length);
    return frame_decode(bench, LINK_RAW);
}

static enum decode_kind send6(struct bench *bench, uint32_t id, size_t offset, size_t length,
                              bool more)
{
    struct buffer *b = frame_begin(bench);
    put_ip6(b, 60, 8 + 8 + length);
    buffer_append(b, "\x2c\0\1\4\0\0\0\0", 8); /* destination options before */
    buffer_append_u8(b, 17);
    buffer_append_u8(b, 0);
    buffer_append_u16(b, (uint16_t)(offset | more));
    buffer_append_u32(b, id);
    buffer_append(b, datagram + offset, length);
    return frame_decode(bench, LINK_RAW);
}

static enum decode_kind send_any(struct bench *bench, int version, uint32_t id, unsigned part)
{
    size_t offset = part * MTU;
    bool more = part < 2;
    size_t length = more ? MTU : DATAGRAM - offset;
    return version == 4 ? send4(bench, (uint16_t)id, offset, length, more)
                        : send6(bench, id, offset, length, more);
}

static void check_whole(const struct bench *bench, int version)
{
    const struct packet *p = &bench->packet;
    size_t headers = version == 4 ? 60 : 3 * 56;
    assert_int_equal(p->transport, TRANSPORT_UDP);
    assert_int_equal(p->ip_version, version);
    assert_int_equal(p->source_port, 1000);
    assert_int_equal(p->payload_length, DATAGRAM - 8);
    assert_int_equal(p->payload_captured, DATAGRAM - 8);
    assert_memory_equal(p->payload, datagram + 8, DATAGRAM - 8);
    assert_true(p->flags & PACKET_REASSEMBLED);
    assert_int_equal(p->bytes, DATAGRAM + headers);
    assert_int_equal(p->number, bench->number);
    /* What nDPI gets looks as if it had never been fragmented. */
    size_t header = version == 4 ? 20 : 48;
    assert_int_equal(p->ip_captured, header + DATAGRAM);
    assert_int_equal(p->ip[version == 4 ? 2 : 4] << 8 | p->ip[version == 4 ? 3 : 5],
                     version == 4 ? header + DATAGRAM : header - 40 + DATAGRAM);
    assert_memory_equal(p->ip + header, datagram, DATAGRAM);
    if (version == 4) {
        assert_int_equal(p->ip[6] | p->ip[7], 0);
    } else {
        assert_int_equal(p->ip[40], 17); /* after the options comes UDP */
    }
}

static void puts_them_together_in_any_order(void **state)
{
    static const unsigned orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                         {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    struct bench *bench = *state;
    uint32_t id = 1;
    for (int version = 4; version <= 6; version += 2) {
        for (size_t i = 0; i < ARRAY_LENGTH(orders); i++, id++) {
            assert_int_equal(send_any(bench, version, id, orders[i][0]), DECODE_FRAGMENT);
            assert_int_equal(send_any(bench, version, id, orders[i][1]), DECODE_FRAGMENT);
            assert_int_equal(send_any(bench, version, id, orders[i][2]), DECODE_OK);
            check_whole(bench, version);
        }
    }
    assert_int_equal(decoder_count(bench->decoder, DECODE_FRAGMENT), 24);
    assert_int_equal(decoder_count(bench->decoder, DECODE_OK), 12);
}

static void keeps_datagrams_apart(void **state)
{
    struct bench *bench = *state;
    for (unsigned part = 0; part < 3; part++) {
        for (uint32_t id = 0; id < 100; id++) {
            enum decode_kind expected = part < 2 ? DECODE_FRAGMENT : DECODE_OK;
            assert_int_equal(send_any(bench, 4, id, part), expected);
            assert_int_equal(send_any(bench, 6, id, part), expected);
        }
    }
}

static void ignores_repeated_ones(void **state)
{
    struct bench *bench = *state;
    for (unsigned part = 0; part < 2; part++) {
        assert_int_equal(send_any(bench, 4, 1, part), DECODE_FRAGMENT);
        assert_int_equal(send_any(bench, 4, 1, part), DECODE_FRAGMENT);
    }
    assert_int_equal(send_any(bench, 4, 1, 2), DECODE_OK);
    assert_int_equal(bench->packet.payload_captured, DATAGRAM - 8);
    assert_int_equal(bench->packet.bytes, 5 * 20 + DATAGRAM + 2 * MTU);
    /* The last one first, twice. */
    assert_int_equal(send_any(bench, 4, 2, 2), DECODE_FRAGMENT);
    assert_int_equal(send_any(bench, 4, 2, 2), DECODE_FRAGMENT);
    assert_int_equal(send_any(bench, 4, 2, 1), DECODE_FRAGMENT);
    assert_int_equal(send_any(bench, 4, 2, 0), DECODE_OK);
}

static void trusts_no_overlap(void **state)
{
    struct bench *bench = *state;
    uint16_t id = 1;
    /* by 8 bytes from behind, from before, within, around; with the same bytes, even */
    static const struct {
        size_t offset, length;
    } second[] = {{1472, 800}, {0, 808}, {808, 8}, {0, 2400}, {800, 72}, {864, 616}};
    for (size_t i = 0; i < ARRAY_LENGTH(second); i++, id++) {
        assert_int_equal(send4(bench, id, 800, 680, true), DECODE_FRAGMENT);
        assert_int_equal(send4(bench, id, second[i].offset, second[i].length, true),
                         DECODE_FRAGMENT_OVERLAP);
        /* and what still comes of it is dropped too */
        assert_int_equal(send4(bench, id, 2400, 600, false), DECODE_FRAGMENT_OVERLAP);
        assert_int_equal(send4(bench, id, 0, 800, true), DECODE_FRAGMENT_OVERLAP);
    }
    /* Other bytes in the same place. */
    assert_int_equal(send4(bench, id, 0, MTU, true), DECODE_FRAGMENT);
    datagram[100] ^= 1;
    assert_int_equal(send4(bench, id, 0, MTU, true), DECODE_FRAGMENT_OVERLAP);
    datagram[100] ^= 1;
    id++;
    /* Two ends; data beyond the end; an end before the data; a part that is last and is not. */
    assert_int_equal(send4(bench, id, 2000, 1000, false), DECODE_FRAGMENT);
    assert_int_equal(send4(bench, id++, 1000, 500, false), DECODE_FRAGMENT_OVERLAP);
    assert_int_equal(send4(bench, id, 1000, 500, false), DECODE_FRAGMENT);
    assert_int_equal(send4(bench, id++, 2000, 800, true), DECODE_FRAGMENT_OVERLAP);
    assert_int_equal(send4(bench, id, 2000, 800, true), DECODE_FRAGMENT);
    assert_int_equal(send4(bench, id++, 1000, 500, false), DECODE_FRAGMENT_OVERLAP);
    assert_int_equal(send4(bench, id, 800, 800, true), DECODE_FRAGMENT);
    assert_int_equal(send4(bench, id++, 800, 800, false), DECODE_FRAGMENT_OVERLAP);
    /* Nothing counts as kept any more. */
    assert_int_equal(decoder_count(bench->decoder, DECODE_FRAGMENT), 0);
    assert_int_equal(decoder_count(bench->decoder, DECODE_OK), 0);
    assert_int_equal(decoder_count(bench->decoder, DECODE_FRAGMENT_OVERLAP), bench->number);
}

static void forgets_after_half_a_minute(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(send_any(bench, 4, 1, 0), DECODE_FRAGMENT);
    bench->time_us += 30 * CLOCK_SECOND_US;
    assert_int_equal(send_any(bench, 4, 1, 1), DECODE_FRAGMENT);
    assert_int_equal(send_any(bench, 4, 1, 2), DECODE_OK);
    assert_int_equal(send_any(bench, 4, 2, 0), DECODE_FRAGMENT);
    assert_int_equal(send_any(bench, 4, 2, 1), DECODE_FRAGMENT);
    bench->time_us += 30 * CLOCK_SECOND_US + 1;
    assert_int_equal(send_any(bench, 4, 2, 2), DECODE_FRAGMENT); /* begins anew */
    assert_int_equal(decoder_count(bench->decoder, DECODE_FRAGMENT_LOST), 2);
    bench->time_us -= 3600 * CLOCK_SECOND_US; /* another capture */
    assert_int_equal(send_any(bench, 4, 3, 0), DECODE_FRAGMENT);
    assert_int_equal(decoder_count(bench->decoder, DECODE_FRAGMENT_LOST), 3);
}

static void makes_room_for_new_ones(void **state)
{
    struct bench *bench = *state;
    for (uint32_t id = 0; id < DECODE_FRAGMENT_SETS + 10; id++) {
        assert_int_equal(send_any(bench, 6, id, 0), DECODE_FRAGMENT);
        assert_int_equal(send_any(bench, 6, id, 1), DECODE_FRAGMENT);
    }
    assert_int_equal(decoder_count(bench->decoder, DECODE_FRAGMENT_LOST), 20);
    assert_int_equal(send_any(bench, 6, DECODE_FRAGMENT_SETS + 9, 2), DECODE_OK);
    check_whole(bench, 6);
    assert_int_equal(send_any(bench, 6, 10, 2), DECODE_OK);
    check_whole(bench, 6);
    assert_int_equal(send_any(bench, 6, 9, 2), DECODE_FRAGMENT); /* the others are gone */
}

static void refuses_what_cannot_be(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(send4(bench, 1, 0, 1479, true), DECODE_IP_BAD); /* not a multiple of 8 */
    assert_int_equal(send4(bench, 1, 8, 0, false), DECODE_IP_BAD);
    struct buffer *b = frame_begin(bench);
    put_ip4_full(b, 17, 100, 1, 0x1fff); /* beyond 64 KiB */
    put_zeros(b, 100);
    assert_int_equal(frame_decode(bench, LINK_RAW), DECODE_IP_BAD);
    /* Cut by the capture: it can never be whole. */
    b = frame_begin(bench);
    put_ip4_full(b, 17, 800, 1, 0x2000);
    put_zeros(b, 800);
    assert_int_equal(frame_decode_cut(bench, LINK_RAW, 700, 820), DECODE_FRAGMENT_LOST);
    assert_int_equal(frame_decode_cut(bench, LINK_RAW, 700, 700), DECODE_FRAGMENT_LOST);
    /* IPv6: cut within the fragment header. */
    b = frame_begin(bench);
    put_ip6(b, 44, 16);
    put_zeros(b, 16);
    assert_int_equal(frame_decode_cut(bench, LINK_RAW, 47, 56), DECODE_IP_SHORT);
    /* A chain of extensions that is longer than any honest one. */
    b = frame_begin(bench);
    put_ip6(b, 60, 256 + 8 + 8);
    buffer_append(b, "\x2c\x1f", 2);
    put_zeros(b, 254);
    buffer_append(b, "\x11\0\0\1\0\0\0\1", 8);
    put_zeros(b, 8);
    assert_int_equal(frame_decode(bench, LINK_RAW), DECODE_FRAGMENT_LOST);
}

/* The first fragment alone is no packet, even with a whole header in it. */
static void needs_all_of_them(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(send_any(bench, 4, 1, 0), DECODE_FRAGMENT);
    assert_int_equal(send_any(bench, 4, 1, 2), DECODE_FRAGMENT);
    assert_int_equal(decoder_count(bench->decoder, DECODE_OK), 0);
}

/* A fragmented tunnel packet that carries a fragment of the inner datagram. */
static void goes_on_within_tunnels(void **state)
{
    struct bench *bench = *state;
    for (unsigned part = 0; part < 3; part++) {
        size_t offset = part * MTU, length = part < 2 ? MTU : DATAGRAM - offset;
        struct buffer inner;
        buffer_init(&inner, 65536);
        put_ip4_full(&inner, 17, length, 77, (uint16_t)(offset / 8 | (part < 2 ? 0x2000 : 0)));
        buffer_append(&inner, datagram + offset, length);
        size_t cut = inner.length > 800 ? 800 : 24;
        struct buffer *b = frame_begin(bench);
        put_ip4_full(b, 4, cut, (uint16_t)part, 0x2000);
        buffer_append(b, inner.bytes, cut);
        assert_int_equal(frame_decode(bench, LINK_RAW), DECODE_FRAGMENT);
        b = frame_begin(bench);
        put_ip4_full(b, 4, inner.length - cut, (uint16_t)part, (uint16_t)(cut / 8));
        buffer_append(b, inner.bytes + cut, inner.length - cut);
        assert_int_equal(frame_decode(bench, LINK_RAW), part < 2 ? DECODE_FRAGMENT : DECODE_OK);
        buffer_finish(&inner);
    }
    check_whole(bench, 4);
    assert_true(bench->packet.flags & PACKET_TUNNELLED);
}

/* As large as they may be. */
static void takes_the_largest(void **state)
{
    struct bench *bench = *state;
    size_t total = 65535 - 20, offset = 0;
    enum decode_kind kind = DECODE_FRAGMENT;
    while (offset < total) {
        size_t length = total - offset > 32768 ? 32768 : total - offset;
        struct buffer *b = frame_begin(bench);
        put_ip4_full(b, 50, length, 9,
                     (uint16_t)(offset / 8 | (offset + length < total ? 0x2000 : 0)));
        put_zeros(b, length);
        kind = frame_decode(bench, LINK_RAW);
        offset += length;
    }
    assert_int_equal(kind, DECODE_PROTOCOL);
    assert_int_equal(bench->packet.payload_length, total);
    assert_int_equal(bench->packet.ip_captured, 65535);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(puts_them_together_in_any_order, bench_setup,
                                        bench_teardown),
        cmocka_unit_test_setup_teardown(keeps_datagrams_apart, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(ignores_repeated_ones, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(trusts_no_overlap, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(forgets_after_half_a_minute, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(makes_room_for_new_ones, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(refuses_what_cannot_be, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(needs_all_of_them, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(goes_on_within_tunnels, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(takes_the_largest, bench_setup, bench_teardown),
    };
    make_datagram();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
