// SPDX-License-Identifier: GPL-3.0-or-later
/* IP headers, TCP, UDP and ICMP, and lengths that contradict each other. */
#include "frames.h"

#include "base/array.h"

static void reads_a_whole_tcp_header(void **state)
{
    static const char options[] = "\2\4\5\xb4\3\3\7\1\4\2\x08\x0a\0\0\0\x0a\0\0\0\x0b\x22\2\1\1";
    struct bench *bench = *state;
    struct buffer *b = frame_begin(bench);
    put_ip4(b, 6, 20 + 24 + 3);
    put_tcp(b, TCP_SYN | TCP_ACK | 0x40, options, 24);
    put_text(b, "abc");
    assert_int_equal(frame_decode(bench, LINK_RAW), DECODE_OK);
    const struct packet *p = &bench->packet;
    assert_int_equal(p->transport, TRANSPORT_TCP);
    assert_int_equal(p->source_port, 40000);
    assert_int_equal(p->destination_port, 443);
    assert_int_equal(p->seq, 0x01020304);
    assert_int_equal(p->ack, 0x05060708);
    assert_int_equal(p->tcp_flags, TCP_SYN | TCP_ACK | 0x40);
    assert_int_equal(p->tcp_window, 64240);
    assert_int_equal(p->tcp_mss, 1460);
    assert_int_equal(p->tcp_window_scale, 7);
    assert_int_equal(p->tcp_ts_value, 10);
    assert_int_equal(p->tcp_ts_echo, 11);
    assert_int_equal(p->tcp_options, TCP_OPTION_MSS | TCP_OPTION_WINDOW_SCALE |
                                         TCP_OPTION_SACK_PERMITTED | TCP_OPTION_TIMESTAMP |
                                         TCP_OPTION_OTHER);
    assert_int_equal(p->payload_length, 3);
    assert_memory_equal(p->payload, "abc", 3);
    assert_int_equal(p->ip_id, 0x1234);
    assert_int_equal(p->flags, PACKET_DF);
    assert_int_equal(p->bytes, 67);
    assert_false(p->has_quote);
}

static uint8_t options_of(struct bench *bench, const char *options, size_t length)
{
    struct buffer *b = frame_begin(bench);
    put_ip4(b, 6, 20 + length);
    put_tcp(b, TCP_ACK, options, length);
    assert_int_equal(frame_decode(bench, LINK_RAW), DECODE_OK);
    return bench->packet.tcp_options;
}

static void judges_tcp_options(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(options_of(bench, "\1\1\x08\x0a\0\0\1\0\0\0\2\0", 12), TCP_OPTION_TIMESTAMP);
    assert_int_equal(bench->packet.tcp_ts_value, 256);
    assert_int_equal(bench->packet.tcp_ts_echo, 512);
    assert_int_equal(options_of(bench, "\1\1\5\x0a\0\0\0\1\0\0\0\2", 12), TCP_OPTION_SACK);
    assert_int_equal(options_of(bench, "\0\2\4\5", 4), 0);
    assert_int_equal(options_of(bench, "\1\1\1\2", 4), TCP_OPTION_MALFORMED);
    assert_int_equal(options_of(bench, "\2\x20\5\xb4", 4), TCP_OPTION_MALFORMED);
    assert_int_equal(options_of(bench, "\2\1\5\xb4", 4), TCP_OPTION_MALFORMED);
    assert_int_equal(options_of(bench, "\3\4\5\xb4", 4), TCP_OPTION_MALFORMED);
    assert_int_equal(options_of(bench, "\xfe\4\5\xb4", 4), TCP_OPTION_OTHER);
    assert_int_equal(options_of(bench, "\4\2\3\3\2\4\5\xb4", 8),
                     TCP_OPTION_SACK_PERMITTED | TCP_OPTION_WINDOW_SCALE | TCP_OPTION_MALFORMED);
}

static void tells_bad_transport_headers(void **state)
{
    struct bench *bench = *state;
    struct buffer *b = frame_begin(bench);
    put_ip4(b, 6, 20);
    put_tcp(b, TCP_ACK, "", 0);
    b->bytes[32] = 0x40; /* header of 16 bytes */
    assert_int_equal(frame_decode(bench, LINK_RAW), DECODE_TRANSPORT_BAD);
    b->bytes[32] = 0x60; /* of 24 bytes, longer than the packet */
    assert_int_equal(frame_decode(bench, LINK_RAW), DECODE_TRANSPORT_BAD);
    b = frame_begin(bench);
    put_ip4(b, 6, 12); /* never whole, though all is captured */
    put_tcp(b, TCP_ACK, "", 0);
    assert_int_equal(frame_decode(bench, LINK_RAW), DECODE_TRANSPORT_BAD);
    b = frame_begin(bench);
    put_hello_ip4(b);
    b->bytes[25] = 7; /* UDP length */
    assert_int_equal(frame_decode(bench, LINK_RAW), DECODE_TRANSPORT_BAD);
    b->bytes[25] = HELLO_UDP + 1;
    assert_int_equal(frame_decode(bench, LINK_RAW), DECODE_TRANSPORT_BAD);
    b->bytes[25] = 0; /* left to the network card */
    assert_int_equal(frame_decode(bench, LINK_RAW), DECODE_OK);
    check_hello(bench, 4);
    b->bytes[25] = 10;
    assert_int_equal(frame_decode(bench, LINK_RAW), DECODE_OK);
    assert_int_equal(bench->packet.payload_length, 2);
    assert_int_equal(bench->packet.payload_captured, 2);
    assert_int_equal(bench->packet.flags & PACKET_SHORT, 0);
}

static void survives_every_cut_of_tcp(void **state)
{
    static const char options[] = "\2\4\5\xb4\3\3\7\1\4\2\x08\x0a\0\0\0\x0a\0\0\0\x0b\1\1\1\1";
    struct bench *bench = *state;
    struct buffer *b = frame_begin(bench);
    put_ethernet(b, 0x0800);
    put_ip4(b, 6, 20 + 24 + 5);
    put_tcp(b, TCP_SYN, options, 24);
    put_text(b, HELLO);
    for (size_t captured = 0; captured <= b->length; captured++) {
        enum decode_kind kind = frame_decode_cut(bench, LINK_ETHERNET, captured, b->length);
        if (captured < 14) {
            assert_int_equal(kind, DECODE_LINK_SHORT);
        } else if (captured < 34) {
            assert_int_equal(kind, DECODE_IP_SHORT);
        } else if (captured < 54) {
            assert_int_equal(kind, DECODE_TRANSPORT_SHORT);
        } else {
            assert_int_equal(kind, DECODE_OK);
            assert_int_equal(bench->packet.payload_length, 5);
            assert_int_equal(bench->packet.payload_captured, captured > 78 ? captured - 78 : 0);
            assert_int_equal(!!(bench->packet.flags & PACKET_SHORT), captured < b->length);
            assert_int_equal(bench->packet.tcp_options & TCP_OPTION_MALFORMED, 0);
        }
        /* The same, where the capture claims that there never was more. */
        kind = frame_decode_cut(bench, LINK_ETHERNET, captured, captured);
        assert_true(captured < 54 ? kind != DECODE_OK && kind != DECODE_TRANSPORT_BAD
                                  : kind == (captured < 78 ? DECODE_TRANSPORT_SHORT : DECODE_OK));
        if (kind == DECODE_OK && captured < b->length) {
            assert_true(bench->packet.flags & PACKET_BAD_LENGTH);
            assert_int_equal(bench->packet.bytes, captured - 14);
        }
    }
}

static void brings_lengths_together(void **state)
{
    struct bench *bench = *state;
    struct buffer *b = frame_begin(bench);
    put_hello_ip4(b);
    b->bytes[2] = b->bytes[3] = 0; /* TSO */
    assert_int_equal(frame_decode(bench, LINK_RAW), DECODE_OK);
    check_hello(bench, 4);
    assert_int_equal(bench->packet.bytes, HELLO_IP4);
    assert_int_equal(bench->packet.flags, PACKET_DF);
    b->bytes[2] = 1; /* more than the frame has: the frame wins */
    assert_int_equal(frame_decode(bench, LINK_RAW), DECODE_OK);
    assert_int_equal(bench->packet.bytes, HELLO_IP4);
    assert_int_equal(bench->packet.flags, PACKET_DF | PACKET_BAD_LENGTH);
    b->bytes[2] = 0;
    b->bytes[3] = 19; /* less than its own header */
    assert_int_equal(frame_decode(bench, LINK_RAW), DECODE_IP_BAD);
    b->bytes[3] = HELLO_IP4;
    b->bytes[0] = 0x44; /* header of 16 bytes */
    assert_int_equal(frame_decode(bench, LINK_RAW), DECODE_IP_BAD);
    b->bytes[0] = 0x65;
    assert_int_equal(frame_decode(bench, 228), DECODE_IP_BAD);
}

static void reads_ip4_options(void **state)
{
    struct bench *bench = *state;
    struct buffer *b = frame_begin(bench);
    put_ip4(b, 17, 8 + HELLO_UDP);
    put_zeros(b, 8);
    put_hello_udp(b);
    b->bytes[0] = 0x47;
    assert_int_equal(frame_decode(bench, LINK_RAW), DECODE_OK);
    check_hello(bench, 4);
    b->bytes[0] = 0x4f;
    assert_int_equal(frame_decode(bench, LINK_RAW), DECODE_IP_BAD);
    b->bytes[0] = 0x47;
    assert_int_equal(frame_decode_cut(bench, LINK_RAW, 24, b->length), DECODE_IP_SHORT);
}

static void walks_ip6_extensions(void **state)
{
    struct bench *bench = *state;
    struct buffer *b = frame_begin(bench);
    put_ip6(b, 0, 8 + 16 + 8 + HELLO_UDP);
    buffer_append(b, "\x2b\0\1\4\0\0\0\0", 8);                  /* hop-by-hop options */
    buffer_append(b, "\x3c\1\4\0\0\0\0\0\0\0\0\0\0\0\0\0", 16); /* routing */
    buffer_append(b, "\x11\0\1\4\0\0\0\0", 8);                  /* destination options */
    put_hello_udp(b);
    assert_int_equal(frame_decode(bench, LINK_RAW), DECODE_OK);
    check_hello(bench, 6);
    assert_int_equal(bench->packet.bytes, 72 + HELLO_UDP);
    for (size_t captured = 0; captured < 72; captured++) {
        assert_int_equal(frame_decode_cut(bench, 229, captured, b->length), DECODE_IP_SHORT);
    }
    b->bytes[4] = b->bytes[5] = 0; /* a jumbogram */
    assert_int_equal(frame_decode(bench, LINK_RAW), DECODE_IP_BAD);
    b = frame_begin(bench);
    put_ip6(b, 59, 0);
    assert_int_equal(frame_decode(bench, LINK_RAW), DECODE_PROTOCOL);
    assert_int_equal(bench->packet.protocol, 59);
    b = frame_begin(bench);
    put_ip6(b, 44, 8 + HELLO_UDP); /* an atomic fragment */
    buffer_append(b, "\x11\0\0\0\1\2\3\4", 8);
    put_hello_udp(b);
    assert_int_equal(frame_decode(bench, LINK_RAW), DECODE_OK);
    check_hello(bench, 6);
    assert_int_equal(bench->packet.flags, PACKET_DF);
}

static void gives_other_protocols_as_far_as_known(void **state)
{
    static const uint8_t protocols[] = {50, 51, 89, 132, 58, 2, 255};
    struct bench *bench = *state;
    for (size_t i = 0; i < ARRAY_LENGTH(protocols); i++) {
        struct buffer *b = frame_begin(bench);
        put_ip4(b, protocols[i], 30);
        put_zeros(b, 30);
        assert_int_equal(frame_decode(bench, LINK_RAW), DECODE_PROTOCOL);
        assert_int_equal(bench->packet.transport, TRANSPORT_NONE);
        assert_int_equal(bench->packet.protocol, protocols[i]);
        assert_int_equal(bench->packet.source.bytes[15], 1);
        assert_int_equal(bench->packet.bytes, 50);
        assert_int_equal(bench->packet.payload_length, 30);
        assert_int_equal(bench->packet.source_port, 0);
    }
    assert_int_equal(decoder_count(bench->decoder, DECODE_PROTOCOL), ARRAY_LENGTH(protocols));
}

static void reads_echoes(void **state)
{
    struct bench *bench = *state;
    struct buffer *b = frame_begin(bench);
    put_ip4(b, 1, 12);
    buffer_append(b, "\x08\0\0\0\x12\x34\0\1abcd", 12);
    assert_int_equal(frame_decode(bench, LINK_RAW), DECODE_OK);
    assert_int_equal(bench->packet.transport, TRANSPORT_ICMP);
    assert_int_equal(bench->packet.icmp_type, 8);
    assert_int_equal(bench->packet.source_port, 0x1234);
    assert_int_equal(bench->packet.destination_port, 0x1234);
    assert_int_equal(bench->packet.payload_length, 4);
    assert_false(bench->packet.has_quote);
    b = frame_begin(bench);
    put_ip6(b, 58, 8);
    buffer_append(b, "\x81\0\0\0\x12\x34\0\1", 8);
    assert_int_equal(frame_decode(bench, LINK_RAW), DECODE_OK);
    assert_int_equal(bench->packet.protocol, 58);
    assert_int_equal(bench->packet.source_port, 0x1234);
    b->bytes[5] = 4; /* never whole */
    assert_int_equal(frame_decode(bench, LINK_RAW), DECODE_TRANSPORT_BAD);
    assert_int_equal(frame_decode_cut(bench, LINK_RAW, 44, 48), DECODE_TRANSPORT_BAD);
    b->bytes[5] = 8;
    assert_int_equal(frame_decode_cut(bench, LINK_RAW, 44, 48), DECODE_TRANSPORT_SHORT);
}

static void reads_quotes(void **state)
{
    static const uint8_t types4[] = {3, 4, 5, 11, 12}, types6[] = {1, 2, 3, 4};
    struct bench *bench = *state;
    const struct packet_quote *q = &bench->packet.quote;
    for (size_t i = 0; i < ARRAY_LENGTH(types4); i++) {
        struct buffer *b = frame_begin(bench);
        put_ip4(b, 1, 8 + 28);
        buffer_append_u8(b, types4[i]);
        put_zeros(b, 7);
        size_t quote_at = b->length;
        put_ip4(b, 6, 1000);
        put_tcp(b, TCP_SYN, "", 0);
        b->length = quote_at + 28;
        assert_int_equal(frame_decode(bench, LINK_RAW), DECODE_OK);
        assert_true(bench->packet.has_quote);
        assert_int_equal(q->protocol, 6);
        assert_int_equal(q->source_port, 40000);
        assert_int_equal(q->destination_port, 443);
        assert_int_equal(q->seq, 0x01020304);
        assert_int_equal(q->ttl, 57);
        assert_int_equal(q->ip_id, 0x1234);
        assert_int_equal(q->source.bytes[15], 1);
        assert_int_equal(q->destination.bytes[15], 2);
        /* Cut: the addresses only, or nothing. */
        for (size_t captured = quote_at; captured < b->length; captured++) {
            assert_int_equal(frame_decode_cut(bench, LINK_RAW, captured, b->length), DECODE_OK);
            assert_int_equal(bench->packet.has_quote, captured >= quote_at + 20);
            assert_int_equal(q->source_port, captured >= quote_at + 24 ? 40000 : 0);
            assert_int_equal(q->seq, 0);
        }
    }
    for (size_t i = 0; i < ARRAY_LENGTH(types6); i++) {
        struct buffer *b = frame_begin(bench);
        put_ip6(b, 58, 8 + HELLO_IP6 + 8);
        buffer_append_u8(b, types6[i]);
        put_zeros(b, 7);
        put_ip6(b, 44, 8 + HELLO_UDP);
        buffer_append(b, "\x11\0\0\1\1\2\3\4", 8); /* a first fragment */
        put_hello_udp(b);
        assert_int_equal(frame_decode(bench, LINK_RAW), DECODE_OK);
        assert_true(bench->packet.has_quote);
        assert_int_equal(q->protocol, 17);
        assert_int_equal(q->source_port, 1000);
        assert_int_equal(q->destination_port, 2000);
        assert_int_equal(q->ttl, 58);
    }
}

static void quotes_echoes_and_late_fragments(void **state)
{
    struct bench *bench = *state;
    const struct packet_quote *q = &bench->packet.quote;
    struct buffer *b = frame_begin(bench);
    put_ip4(b, 1, 8 + 28);
    buffer_append(b, "\x0b\0\0\0\0\0\0\0", 8);
    put_ip4(b, 1, 8);
    buffer_append(b, "\x08\0\0\0\x12\x34\0\1", 8);
    assert_int_equal(frame_decode(bench, LINK_RAW), DECODE_OK);
    assert_int_equal(q->protocol, 1);
    assert_int_equal(q->source_port, 0x1234);
    b->bytes[28 + 7] = 1; /* not the first fragment: no ports */
    assert_int_equal(frame_decode(bench, LINK_RAW), DECODE_OK);
    assert_true(bench->packet.has_quote);
    assert_int_equal(q->source_port, 0);
    b->bytes[28] = 0x30;
    assert_int_equal(frame_decode(bench, LINK_RAW), DECODE_OK);
    assert_false(bench->packet.has_quote);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_a_whole_tcp_header, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(judges_tcp_options, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(tells_bad_transport_headers, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(survives_every_cut_of_tcp, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(brings_lengths_together, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(reads_ip4_options, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(walks_ip6_extensions, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(gives_other_protocols_as_far_as_known, bench_setup,
                                        bench_teardown),
        cmocka_unit_test_setup_teardown(reads_echoes, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(reads_quotes, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(quotes_echoes_and_late_fragments, bench_setup,
                                        bench_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
