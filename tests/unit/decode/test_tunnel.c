// SPDX-License-Identifier: GPL-3.0-or-later
/* Tunnels, and what is no tunnel though it looks like one. */
#include "frames.h"

#include "base/array.h"

/* What comes between an outer IPv4 header and an inner IP packet. */
static const struct tunnel {
    uint8_t protocol;
    uint16_t port; /* of UDP, 0 for none */
    int version;   /* of what is inside */
    const char *bytes;
    size_t length;
} tunnels[] = {
#define TUNNEL(protocol, port, version, bytes)                                                     \
    {                                                                                              \
        protocol, port, version, bytes, sizeof(bytes) - 1                                          \
    }
    TUNNEL(4, 0, 4, ""),
    TUNNEL(41, 0, 6, ""),
    /* GRE: plain, with checksum, key and sequence number, bridging, MPLS, PPTP with and without an
       acknowledgement */
    TUNNEL(47, 0, 4, "\0\0\x08\x00"),
    TUNNEL(47, 0, 6, "\0\0\x86\xdd"),
    TUNNEL(47, 0, 4, "\xb0\0\x08\x00\1\1\1\1\2\2\2\2\3\3\3\3"),
    TUNNEL(47, 0, 4, "\0\0\x65\x58\2\0\0\0\0\1\2\0\0\0\0\2\x08\x00"),
    TUNNEL(47, 0, 4, "\0\0\x88\x47\0\1\1\x40"),
    TUNNEL(47, 0, 4, "\x30\x81\x88\x0b\0\x25\0\1\0\0\0\1\0\0\0\2\xff\3\0\x21"),
    TUNNEL(47, 0, 4, "\x30\x01\x88\x0b\0\x22\0\1\0\0\0\1\x21"),
    /* VXLAN */
    TUNNEL(17, 4789, 4, "\x08\0\0\0\0\0\1\0\2\0\0\0\0\1\2\0\0\0\0\2\x08\x00"),
    TUNNEL(17, 4789, 6, "\x08\0\0\0\0\0\1\0\2\0\0\0\0\1\2\0\0\0\0\2\x81\0\0\5\x86\xdd"),
    /* GTP-U: plain, with a sequence number, with two extension headers; the length is set below */
    TUNNEL(17, 2152, 4, "\x30\xff\0\0\0\0\0\1"),
    TUNNEL(17, 2152, 6, "\x32\xff\0\0\0\0\0\1\0\1\0\0"),
    TUNNEL(17, 2152, 4, "\x34\xff\0\0\0\0\0\1\0\0\0\x85\1\0\0\x85\2\0\0\0\0\0\0\0"),
#undef TUNNEL
};

static size_t inner_length(const struct tunnel *tunnel)
{
    return tunnel->length + (tunnel->version == 4 ? HELLO_IP4 : HELLO_IP6);
}

static void put_tunnel(struct buffer *b, const struct tunnel *tunnel, bool outer6)
{
    size_t length = inner_length(tunnel);
    size_t carries = length + (tunnel->port ? 8 : 0);
    if (outer6) {
        put_ip6(b, tunnel->protocol, carries);
    } else {
        put_ip4(b, tunnel->protocol, carries);
    }
    if (tunnel->port) {
        put_udp(b, 2152, tunnel->port, length);
    }
    size_t at = b->length;
    buffer_append(b, tunnel->bytes, tunnel->length);
    if (tunnel->port == 2152) {
        b->bytes[at + 3] = (char)(length - 8);
    }
    if (tunnel->version == 4) {
        put_hello_ip4(b);
    } else {
        put_hello_ip6(b);
    }
}

static void reaches_the_innermost_packet(void **state)
{
    struct bench *bench = *state;
    for (size_t i = 0; i < ARRAY_LENGTH(tunnels); i++) {
        for (int outer6 = 0; outer6 <= 1; outer6++) {
            put_tunnel(frame_begin(bench), &tunnels[i], outer6);
            assert_int_equal(frame_decode(bench, LINK_RAW), DECODE_OK);
            check_hello(bench, tunnels[i].version);
            assert_int_equal(bench->packet.flags, PACKET_DF | PACKET_TUNNELLED);
            assert_int_equal(bench->packet.bytes, tunnels[i].version == 4 ? HELLO_IP4 : HELLO_IP6);
            /* With padding behind. */
            put_zeros(&bench->frame, 9);
            assert_int_equal(frame_decode(bench, LINK_RAW), DECODE_OK);
            check_hello(bench, tunnels[i].version);
        }
    }
}

/* Cut anywhere: the inner packet, or the outer one where the inner one cannot be told. */
static void survives_every_cut(void **state)
{
    struct bench *bench = *state;
    for (size_t i = 0; i < ARRAY_LENGTH(tunnels); i++) {
        put_tunnel(frame_begin(bench), &tunnels[i], false);
        size_t length = bench->frame.length, outer = tunnels[i].port ? 28 : 20;
        size_t inner_ip = tunnels[i].version == 4 ? 20 : 40;
        for (size_t captured = 0; captured <= length; captured++) {
            enum decode_kind kind = frame_decode_cut(bench, LINK_RAW, captured, length);
            size_t header = outer + tunnels[i].length + inner_ip;
            if (captured < 20) {
                assert_int_equal(kind, DECODE_IP_SHORT);
            } else if (captured < outer) {
                assert_int_equal(kind, DECODE_TRANSPORT_SHORT);
            } else if (captured < header) {
                assert_int_equal(kind, tunnels[i].port ? DECODE_OK : DECODE_PROTOCOL);
                assert_int_equal(bench->packet.flags, PACKET_DF | PACKET_SHORT);
                assert_int_equal(bench->packet.protocol, tunnels[i].protocol);
                assert_int_equal(bench->packet.bytes, length);
            } else if (captured < header + 8) {
                assert_int_equal(kind, DECODE_TRANSPORT_SHORT);
            } else {
                assert_int_equal(kind, DECODE_OK);
                assert_int_equal(bench->packet.source_port, 1000);
                assert_int_equal(bench->packet.payload_captured, captured - header - 8);
            }
        }
    }
}

static void falls_back_to_the_outer_packet(void **state)
{
    static const struct {
        uint16_t port;
        const char *bytes;
        size_t length;
    } others[] = {
        {2152, "\x30\xff\0\x20\0\0\0\1\x99 not an IP packet at all", 33},
        {2152, "\x30\x01\0\4\0\0\0\1----", 12},               /* echo request */
        {2152, "\x20\xff\0\4\0\0\0\1----", 12},               /* GTP' */
        {2152, "\x30\xff\xff\xff\0\0\0\1\x45---", 12},        /* longer than the datagram */
        {2152, "\x34\xff\0\4\0\0\0\1\0\0\0\x85\0\0\0\0", 16}, /* an extension of no length */
        {2152, "\x34\xff\0\4\0\0\0\1\0\0\0\x85\xff\0\0\0", 16},
        {2152, "hi", 2},
        {2152, "", 0},
        {4789, "\x08\0\0\0\0\0\1\0\2\0\0\0\0\1\2\0\0\0\0\2\x08\x06-ARP-", 27},
        {4789, "\0\0\0\0\0\0\1\0\2\0\0\0\0\1\2\0\0\0\0\2\x08\x00\x45", 23},
        {4789, "a message of another kind, by chance on this port", 49},
    };
    struct bench *bench = *state;
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++) {
        struct buffer *b = frame_begin(bench);
        put_ip4(b, 17, 8 + others[i].length);
        put_udp(b, 5555, others[i].port, others[i].length);
        buffer_append(b, others[i].bytes, others[i].length);
        assert_int_equal(frame_decode(bench, LINK_RAW), DECODE_OK);
        assert_int_equal(bench->packet.source_port, 5555);
        assert_int_equal(bench->packet.destination_port, others[i].port);
        assert_int_equal(bench->packet.payload_length, others[i].length);
        assert_int_equal(bench->packet.flags, PACKET_DF);
    }
    static const char encrypted[] = "\x30\x01\x88\x0b\0\x09\0\1\0\0\0\1\xff\3\0\xfd-----";
    struct buffer *b = frame_begin(bench);
    put_ip4(b, 47, sizeof(encrypted) - 1);
    buffer_append(b, encrypted, sizeof(encrypted) - 1);
    assert_int_equal(frame_decode(bench, LINK_RAW), DECODE_PROTOCOL);
    assert_int_equal(bench->packet.protocol, 47);
    assert_int_equal(bench->packet.flags, PACKET_DF);
}

static void stops_in_time(void **state)
{
    struct bench *bench = *state;
    for (unsigned depth = 0; depth <= DECODE_DEPTH_MAX + 1; depth++) {
        struct buffer *b = frame_begin(bench);
        for (unsigned i = depth; i > 0; i--) {
            put_ip4(b, 4, (i - 1) * 20 + HELLO_IP4);
        }
        put_hello_ip4(b);
        enum decode_kind kind = frame_decode(bench, LINK_RAW);
        assert_int_equal(kind, depth <= DECODE_DEPTH_MAX ? DECODE_OK : DECODE_TUNNEL_DEPTH);
    }
    assert_int_equal(decoder_count(bench->decoder, DECODE_TUNNEL_DEPTH), 1);
}

/* One tunnel within another, over everything else. */
static void goes_through_mixed_tunnels(void **state)
{
    struct bench *bench = *state;
    struct buffer *b = frame_begin(bench);
    size_t gtp = 8 + HELLO_IP4, udp = 8 + gtp, gre = 4 + 20 + udp;
    put_ethernet(b, 0x8100);
    buffer_append_u16(b, 5);
    buffer_append_u16(b, 0x8864);
    buffer_append(b, "\x11\0\0\1\0\0\0\x57", 8);
    put_ip6(b, 47, gre);
    buffer_append(b, "\0\0\x08\0", 4);
    put_ip4(b, 17, udp);
    put_udp(b, 2152, 2152, gtp);
    buffer_append(b, "\x30\xff\0", 3);
    buffer_append_u8(b, HELLO_IP4);
    put_zeros(b, 4);
    put_hello_ip4(b);
    assert_int_equal(frame_decode(bench, LINK_ETHERNET), DECODE_OK);
    check_hello(bench, 4);
    assert_true(bench->packet.flags & PACKET_TUNNELLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reaches_the_innermost_packet, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(survives_every_cut, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(falls_back_to_the_outer_packet, bench_setup,
                                        bench_teardown),
        cmocka_unit_test_setup_teardown(stops_in_time, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(goes_through_mixed_tunnels, bench_setup, bench_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
