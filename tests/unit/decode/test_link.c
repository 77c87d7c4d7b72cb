// SPDX-License-Identifier: GPL-3.0-or-later
/* Every link type, and what lies between it and IP. */
#include "frames.h"

#include "base/array.h"

/* What comes before the IP packet, for each link type. */
static const struct head {
    uint32_t link_type;
    int version;
    const char *bytes;
    size_t length;
} heads[] = {
#define HEAD(link_type, version, bytes)                                                            \
    {                                                                                              \
        link_type, version, bytes, sizeof(bytes) - 1                                               \
    }
    HEAD(1, 4, "\2\0\0\0\0\1\2\0\0\0\0\2\x08\x00"),
    HEAD(1, 6, "\2\0\0\0\0\1\2\0\0\0\0\2\x86\xdd"),
    /* 802.1Q; 802.1ad with 802.1Q; two old ones */
    HEAD(1, 4, "\2\0\0\0\0\1\2\0\0\0\0\2\x81\x00\x00\x05\x08\x00"),
    HEAD(1, 6, "\2\0\0\0\0\1\2\0\0\0\0\2\x88\xa8\x00\x05\x81\x00\x00\x06\x86\xdd"),
    HEAD(1, 4, "\2\0\0\0\0\1\2\0\0\0\0\2\x91\x00\x00\x05\x92\x00\x00\x06\x08\x00"),
    /* SNAP behind an 802.3 length */
    HEAD(1, 4, "\2\0\0\0\0\1\2\0\0\0\0\2\x00\x64\xaa\xaa\x03\x00\x00\x00\x08\x00"),
    /* MPLS: one label, three, a pseudo-wire with its control word */
    HEAD(1, 4, "\2\0\0\0\0\1\2\0\0\0\0\2\x88\x47\x00\x01\x01\x40"),
    HEAD(1, 6, "\2\0\0\0\0\1\2\0\0\0\0\2\x88\x48\x00\x01\x00\x40\x00\x02\x00\x40\x00\x03\x01\x40"),
    HEAD(
        1, 4,
        "\2\0\0\0\0\1\2\0\0\0\0\2\x88\x47\x00\x01\x01\x40\0\0\0\0\2\0\0\0\0\1\2\0\0\0\0\2\x08\x00"),
    /* PPPoE */
    HEAD(1, 4, "\2\0\0\0\0\1\2\0\0\0\0\2\x88\x64\x11\x00\x00\x07\x00\x23\x00\x21"),
    HEAD(1, 6, "\2\0\0\0\0\1\2\0\0\0\0\2\x88\x64\x11\x00\x00\x07\x00\x37\x00\x57"),
    HEAD(51, 4, "\x11\x00\x00\x07\x00\x23\x00\x21"),
    /* BSD null in both byte orders and by several systems, loop */
    HEAD(0, 4, "\x02\0\0\0"),
    HEAD(0, 4, "\0\0\0\x02"),
    HEAD(0, 6, "\x18\0\0\0"),
    HEAD(0, 6, "\x1c\0\0\0"),
    HEAD(0, 6, "\0\0\0\x1e"),
    HEAD(0, 6, "\x0a\0\0\0"),
    HEAD(0, 6, "\x17\0\0\0"),
    HEAD(108, 4, "\0\0\0\x02"),
    /* raw */
    HEAD(101, 4, ""),
    HEAD(101, 6, ""),
    HEAD(12, 4, ""),
    HEAD(14, 6, ""),
    HEAD(228, 4, ""),
    HEAD(229, 6, ""),
    /* Linux cooked, and with a VLAN */
    HEAD(113, 4, "\0\0\0\1\0\6\2\0\0\0\0\1\0\0\x08\x00"),
    HEAD(113, 6, "\0\0\0\1\0\6\2\0\0\0\0\1\0\0\x86\xdd"),
    HEAD(113, 4, "\0\0\0\1\0\6\2\0\0\0\0\1\0\0\x81\x00\0\5\x08\x00"),
    HEAD(276, 4, "\x08\x00\0\0\0\0\0\3\0\1\0\6\2\0\0\0\0\1\0\0"),
    HEAD(276, 6, "\x86\xdd\0\0\0\0\0\3\0\1\0\6\2\0\0\0\0\1\0\0"),
    /* PPP: whole, compressed, in HDLC; Cisco's HDLC */
    HEAD(9, 4, "\xff\x03\x00\x21"),
    HEAD(9, 4, "\x00\x21"),
    HEAD(9, 6, "\x57"),
    HEAD(9, 4, "\x02\x81\x00\x01\x01\x40"),
    HEAD(50, 4, "\xff\x03\x00\x21"),
    HEAD(50, 6, "\x0f\x00\x86\xdd"),
#undef HEAD
};

static void put_head(struct bench *bench, const struct head *head)
{
    struct buffer *b = frame_begin(bench);
    buffer_append(b, head->bytes, head->length);
    if (head->version == 4) {
        put_hello_ip4(b);
    } else {
        put_hello_ip6(b);
    }
}

static void decodes_every_link_type(void **state)
{
    struct bench *bench = *state;
    for (size_t i = 0; i < ARRAY_LENGTH(heads); i++) {
        put_head(bench, &heads[i]);
        assert_int_equal(frame_decode(bench, heads[i].link_type), DECODE_OK);
        check_hello(bench, heads[i].version);
        assert_int_equal(bench->packet.bytes, heads[i].version == 4 ? HELLO_IP4 : HELLO_IP6);
    }
    assert_int_equal(decoder_count(bench->decoder, DECODE_OK), ARRAY_LENGTH(heads));
}

/* Cut after each byte: short at first in the link, then in IP, then in UDP; then the payload is. */
static void survives_every_cut(void **state)
{
    struct bench *bench = *state;
    uint64_t calls = 0, counted = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(heads); i++) {
        size_t ip_header = heads[i].version == 4 ? 20 : 40;
        put_head(bench, &heads[i]);
        size_t length = bench->frame.length;
        for (size_t captured = 0; captured <= length; captured++) {
            struct packet untouched;
            memset(&bench->packet, 0x5a, sizeof(bench->packet));
            untouched = bench->packet;
            enum decode_kind kind = frame_decode_cut(bench, heads[i].link_type, captured, length);
            calls++;
            if (captured < heads[i].length + ip_header) {
                assert_true(kind == DECODE_LINK_SHORT || kind == DECODE_IP_SHORT);
            } else if (captured < heads[i].length + ip_header + 8) {
                assert_int_equal(kind, DECODE_TRANSPORT_SHORT);
            } else {
                const struct packet *p = &bench->packet;
                size_t payload = captured - heads[i].length - ip_header - 8;
                assert_int_equal(kind, DECODE_OK);
                assert_int_equal(p->payload_captured, payload);
                assert_int_equal(p->payload_length, HELLO_LENGTH);
                assert_int_equal(p->payload == NULL, payload == 0);
                assert_int_equal(p->ip_captured, captured - heads[i].length);
                assert_int_equal(!!(p->flags & PACKET_SHORT), payload < HELLO_LENGTH);
                assert_int_equal(p->bytes, ip_header + HELLO_UDP);
            }
            if (kind != DECODE_OK) {
                assert_memory_equal(&bench->packet, &untouched, sizeof(untouched));
            }
        }
    }
    for (unsigned kind = 0; kind < DECODE_KIND_COUNT; kind++) {
        counted += decoder_count(bench->decoder, kind);
    }
    assert_int_equal(counted, calls);
}

static void passes_over_what_is_not_ip(void **state)
{
    static const struct {
        uint32_t link_type;
        const char *bytes;
        enum decode_kind kind;
    } others[] = {
        {1, "\2\0\0\0\0\1\2\0\0\0\0\2\x08\x06-------------------", DECODE_NOT_IP},    /* ARP */
        {1, "\2\0\0\0\0\1\2\0\0\0\0\2\x88\xcc-------------------", DECODE_NOT_IP},    /* LLDP */
        {1, "\2\0\0\0\0\1\2\0\0\0\0\2\x01\x26\x42\x42\x03----------", DECODE_NOT_IP}, /* STP */
        {1, "\2\0\0\0\0\1\2\0\0\0\0\2\x88\x63\x11\x09\x01\x01\x01\x01", DECODE_NOT_IP},
        {1, "\2\0\0\0\0\1\2\0\0\0\0\2\x88\x47\x11\x11\x01\x40\x99--------", DECODE_NOT_IP},
        {9, "\xff\x03\xc0\x21\x01\x01\x01\x01", DECODE_NOT_IP}, /* LCP */
        {0, "\x07\x07\x07\x07--------", DECODE_NOT_IP},
        {105, "--------------------------------", DECODE_LINK_TYPE}, /* 802.11 */
        {UINT32_MAX, "--------------------------------", DECODE_LINK_TYPE},
        {101, "\x55-------------------------------", DECODE_IP_BAD},
    };
    struct bench *bench = *state;
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++) {
        struct buffer *b = frame_begin(bench);
        size_t length = others[i].link_type == 1 ? 21 : strlen(others[i].bytes);
        buffer_append(b, others[i].bytes, length > 20 ? 20 : length);
        put_text(b, "------------");
        assert_int_equal(frame_decode(bench, others[i].link_type), others[i].kind);
    }
}

/* Ethernet's padding is no payload. */
static void leaves_padding_out(void **state)
{
    struct bench *bench = *state;
    struct buffer *b = frame_begin(bench);
    put_ethernet(b, 0x0800);
    put_hello_ip4(b);
    put_zeros(b, 60 - b->length);
    assert_int_equal(frame_decode(bench, LINK_ETHERNET), DECODE_OK);
    check_hello(bench, 4);
    assert_int_equal(bench->packet.flags, PACKET_DF);
    assert_int_equal(bench->packet.ip_captured, HELLO_IP4);
    b = frame_begin(bench);
    put_ethernet(b, 0x0800);
    put_ip4(b, 6, 20);
    put_tcp(b, TCP_ACK, "", 0);
    put_zeros(b, 60 - b->length);
    assert_int_equal(frame_decode(bench, LINK_ETHERNET), DECODE_OK);
    assert_int_equal(bench->packet.payload_length, 0);
    assert_null(bench->packet.payload);
}

static void has_a_text_for_each_kind(void **state)
{
    struct bench *bench = *state;
    for (unsigned i = 0; i < DECODE_KIND_COUNT; i++) {
        assert_non_null(decode_kind_text(i));
        for (unsigned j = 0; j < i; j++) {
            assert_string_not_equal(decode_kind_text(i), decode_kind_text(j));
        }
    }
    assert_non_null(decode_kind_text(DECODE_KIND_COUNT));
    assert_int_equal(decoder_count(bench->decoder, DECODE_KIND_COUNT), 0);
    decoder_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(decodes_every_link_type, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(survives_every_cut, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(passes_over_what_is_not_ip, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(leaves_padding_out, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(has_a_text_for_each_kind, bench_setup, bench_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
