// SPDX-License-Identifier: GPL-3.0-or-later
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "probe/decode/decode.h"
#include "tests/lab/middlebox/draft.h"

static const uint8_t macs[DRAFT_MACS] = {2, 0, 0, 0, 1, 1, 2, 0, 0, 0, 1, 2};

static struct draft example(bool v4, uint8_t protocol)
{
    struct draft d = {.protocol = protocol,
                      .ttl = 61,
                      .ip_id = 0xbeef,
                      .df = true,
                      .source_port = 443,
                      .destination_port = 50000,
                      .seq = 0xfffffff0,
                      .ack = 77,
                      .tcp_flags = TCP_RST | TCP_ACK,
                      .window = 8192,
                      .icmp_type = 3,
                      .icmp_code = 13,
                      .payload = (const uint8_t *)"an odd length",
                      .length = 13};
    assert_int_equal(address_parse(v4 ? "10.78.1.10" : "fd00:78::10", &d.source), DL_OK);
    assert_int_equal(address_parse(v4 ? "10.77.0.10" : "fd00:77::10", &d.destination), DL_OK);
    return d;
}

static struct packet decoded(const struct buffer *frame)
{
    struct decoder *decoder;
    struct packet packet;
    struct frame in = {.data = (const uint8_t *)frame->bytes,
                       .captured = (uint32_t)frame->length,
                       .length = (uint32_t)frame->length,
                       .link_type = 1};
    assert_int_equal(decoder_create(&decoder), DL_OK);
    assert_int_equal(decoder_decode(decoder, &in, &packet), DECODE_OK);
    decoder_destroy(decoder);
    return packet;
}

static bool is_right(const struct buffer *frame)
{
    return packet_checksums_right((const uint8_t *)frame->bytes + DRAFT_ETHERNET,
                                  frame->length - DRAFT_ETHERNET);
}

static void test_rfc_1071_example(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    assert_int_equal(checksum_of(checksum_add(0, bytes, sizeof(bytes))), (uint16_t)~0xddf2);
}

/* A header whose checksum others have computed (the example of RFC 1071's readers everywhere:
 * 0xb861). */
static void test_known_header(void **state)
{
    (void)state;
    static const uint8_t header[] = {0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
                                     0x00, 0x00, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};
    assert_int_equal(checksum_of(checksum_add(0, header, sizeof(header))), 0xb861);
}

static void test_checksums_of_all_kinds(void **state)
{
    (void)state;
    static const struct {
        bool v4;
        uint8_t protocol;
    } kinds[] = {{true, IPPROTO_TCP},  {true, IPPROTO_UDP},  {true, IPPROTO_ICMP},
                 {false, IPPROTO_TCP}, {false, IPPROTO_UDP}, {false, IPPROTO_ICMPV6}};
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        struct draft d = example(kinds[i].v4, kinds[i].protocol);
        struct buffer frame;
        buffer_init(&frame, 1514);
        draft_write(&d, macs, &frame);
        assert_false(frame.failed);
        assert_true(is_right(&frame));
        for (size_t at = DRAFT_ETHERNET + 8; at < frame.length; at++) {
            frame.bytes[at] ^=
                0x10; /* any changed bit shows, but those of fields without a checksum */
            bool covered = kinds[i].v4 || at != DRAFT_ETHERNET + 8;
            if (covered && at > DRAFT_ETHERNET + 9)
                assert_false(is_right(&frame));
            frame.bytes[at] ^= 0x10;
        }
        buffer_finish(&frame);
    }
}

static void test_fields_of_a_reset(void **state)
{
    (void)state;
    struct draft d = example(true, IPPROTO_TCP);
    d.length = 0;
    d.timestamps = true;
    d.ts_value = 123456;
    d.ts_echo = 654321;
    struct buffer frame;
    buffer_init(&frame, 1514);
    draft_write(&d, macs, &frame);
    struct packet p = decoded(&frame);
    assert_memory_equal(frame.bytes, macs, sizeof(macs));
    assert_int_equal(p.ttl, 61);
    assert_int_equal(p.ip_id, 0xbeef);
    assert_true(p.flags & PACKET_DF);
    assert_int_equal(p.tcp_flags, TCP_RST | TCP_ACK);
    assert_int_equal(p.seq, 0xfffffff0);
    assert_int_equal(p.ack, 77);
    assert_int_equal(p.tcp_window, 8192);
    assert_int_equal(p.tcp_options, TCP_OPTION_TIMESTAMP);
    assert_int_equal(p.tcp_ts_value, 123456);
    assert_int_equal(p.tcp_ts_echo, 654321);
    assert_int_equal(p.payload_length, 0);
    buffer_finish(&frame);
}

static void test_router_step(void **state)
{
    (void)state;
    for (int v4 = 0; v4 < 2; v4++) {
        struct draft d = example(v4, IPPROTO_UDP);
        struct buffer frame;
        buffer_init(&frame, 1514);
        draft_write(&d, macs, &frame);
        assert_true(frame_lower_ttl((uint8_t *)frame.bytes, frame.length, 9));
        assert_int_equal(decoded(&frame).ttl, 52);
        assert_true(is_right(&frame));
        assert_false(frame_lower_ttl((uint8_t *)frame.bytes, frame.length, 52));
        buffer_finish(&frame);
    }
    uint8_t arp[42] = {[12] = 0x08, [13] = 0x06};
    assert_true(frame_lower_ttl(arp, sizeof(arp), 200));
}

static void test_cleared_options(void **state)
{
    (void)state;
    struct draft d = example(true, IPPROTO_TCP);
    d.timestamps = true;
    struct buffer frame;
    buffer_init(&frame, 1514);
    draft_write(&d, macs, &frame);
    assert_true(frame_clear_options((uint8_t *)frame.bytes, frame.length));
    assert_true(is_right(&frame));
    assert_int_equal(decoded(&frame).tcp_options & TCP_OPTION_TIMESTAMP, 0);
    assert_false(frame_clear_options((uint8_t *)frame.bytes, frame.length));
    for (size_t length = 0; length < frame.length; length++) /* a cut frame is left alone */
        assert_false(frame_clear_options((uint8_t *)frame.bytes, length));
    buffer_finish(&frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc_1071_example),
        cmocka_unit_test(test_known_header),
        cmocka_unit_test(test_checksums_of_all_kinds),
        cmocka_unit_test(test_fields_of_a_reset),
        cmocka_unit_test(test_router_step),
        cmocka_unit_test(test_cleared_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
