// SPDX-License-Identifier: GPL-3.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "probe/inspect/quic_frames.h"
#include "probe/inspect/quic_keys.h"

#include "tests/unit/inspect/quic_samples.h"
#include "tests/unit/inspect/samples.h"

/* One flow: fed with datagrams given in hex. */
static struct quic_assembly assembly;
static struct tls_client client;

static void start(void)
{
    memset(&assembly, 0, sizeof(assembly));
    memset(&client, 0xff, sizeof(client));
}

static enum parse_result feed_bytes(const uint8_t *bytes, size_t length)
{
    uint8_t *copy = malloc(length ? length : 1);

    assert_non_null(copy);
    memcpy(copy, bytes, length);
    enum parse_result result = quic_parse_client(copy, length, &assembly, &client);
    free(copy);
    return result;
}

static enum parse_result feed(const char *hex)
{
    static struct bytes datagram;

    datagram.length = 0;
    put_hex(&datagram, hex);
    return feed_bytes(datagram.at, datagram.length);
}

static void test_rfc(void **state)
{
    (void)state;
    start();
    assert_int_equal(feed(sample_rfc9001), PARSE_DONE);
    assert_string_equal(client.host, "example.com");
    assert_int_equal(client.max_version, 0x0304);
    assert_string_equal(client.alpn, "alpn");
    assert_memory_equal(client.ja4, "q13d0211an_", 11);
    assert_true(client.complete);
    assert_int_equal(assembly.version, QUIC_VERSION_1);
    assert_int_equal(assembly.cid_length, 8);
    /* Again does no harm. */
    assert_int_equal(feed(sample_rfc9001), PARSE_DONE);
    assert_string_equal(client.host, "example.com");

    start();
    assert_int_equal(feed(sample_rfc9369), PARSE_DONE);
    assert_string_equal(client.host, "example.com");
    assert_int_equal(assembly.version, QUIC_VERSION_2);
}

/* RFC 9001 A.1 and A.2. */
static void test_keys(void **state)
{
    static struct bytes expected;
    struct quic_keys keys;
    static const uint8_t cid[] = {0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08};
    uint8_t mask[QUIC_MASK_SIZE];

    (void)state;
    expected.length = 0;
    put_hex(&expected, "1f369613dd76d5467730efcbe3b1a22d"
                       "fa044b2f42a3fd3b46fb255c"
                       "9f50449e04a0e810283a1e9933adedd2");
    assert_true(quic_derive_keys(QUIC_VERSION_1, cid, sizeof(cid), &keys));
    assert_memory_equal(keys.key, expected.at, 16);
    assert_memory_equal(keys.iv, expected.at + 16, 12);
    assert_memory_equal(keys.header_key, expected.at + 28, 16);
    expected.length = 0;
    put_hex(&expected, "d1b1c98dd7689fb8ec11d242b123dc9b"
                       "437b9aec36");
    assert_true(quic_header_mask(&keys, expected.at, mask));
    assert_memory_equal(mask, expected.at + 16, QUIC_MASK_SIZE);
    assert_false(quic_derive_keys(0x0a0a0a0a, cid, sizeof(cid), &keys));
    assert_true(quic_knows_version(0xff00001d));
    assert_false(quic_knows_version(0));
}

static void check_quic_hello(void)
{
    assert_string_equal(client.host, "quic.example.com");
    assert_string_equal(client.alpn, "h3");
    assert_memory_equal(client.ja4, "q13d0307h3_55b375c5d22e_", 24);
}

static void test_one_datagram(void **state)
{
    (void)state;
    start();
    assert_int_equal(feed(sample_quic_whole), PARSE_DONE);
    check_quic_hello();
    start();
    assert_int_equal(feed(sample_quic_draft), PARSE_DONE);
    check_quic_hello();
    start();
    assert_int_equal(feed(sample_quic_coalesced), PARSE_DONE);
    check_quic_hello();
}

static void test_several_datagrams(void **state)
{
    (void)state;
    start();
    assert_int_equal(feed(sample_quic_first), PARSE_MORE);
    assert_string_equal(client.host, "quic.example.com");
    assert_string_equal(client.ja4, "");
    assert_int_equal(feed(sample_quic_first), PARSE_MORE);
    assert_int_equal(feed(sample_quic_second), PARSE_DONE);
    check_quic_hello();
    /* In the other order. */
    start();
    assert_int_equal(feed(sample_quic_second), PARSE_MORE);
    assert_string_equal(client.host, "");
    assert_int_equal(feed(sample_quic_first), PARSE_DONE);
    check_quic_hello();
    /* To the id the server chose, with the keys of the first one. */
    start();
    assert_int_equal(feed(sample_quic_first), PARSE_MORE);
    assert_int_equal(feed(sample_quic_ack_only), PARSE_MORE);
    assert_int_equal(feed(sample_quic_second_new_cid), PARSE_DONE);
    check_quic_hello();
    /* Alone it cannot be read. */
    start();
    assert_int_equal(feed(sample_quic_second_new_cid), PARSE_NOT_MINE);
}

static void test_retry(void **state)
{
    (void)state;
    start();
    assert_int_equal(feed(sample_quic_first), PARSE_MORE);
    assert_int_equal(feed(sample_quic_after_retry), PARSE_DONE);
    check_quic_hello();
    assert_int_equal(assembly.cid[0], 0x5e);
    assert_int_equal(assembly.range_count, 1);
}

static void test_damage(void **state)
{
    static struct bytes datagram;

    (void)state;
    for (size_t i = 0; i < strlen(sample_quic_whole) / 2; i++) {
        start();
        datagram.length = 0;
        put_hex(&datagram, sample_quic_whole);
        datagram.at[i] ^= 0x55;
        assert_int_equal(feed_bytes(datagram.at, datagram.length), PARSE_NOT_MINE);
        assert_int_equal(assembly.version, 0);
        assert_string_equal(client.host, "");
    }
    for (size_t length = 0; length < datagram.length; length++) {
        start();
        datagram.length = 0;
        put_hex(&datagram, sample_quic_whole);
        assert_int_equal(feed_bytes(datagram.at, length), PARSE_NOT_MINE);
    }
    /* A damaged one in the middle of a flow leaves the rest as it was. */
    start();
    assert_int_equal(feed(sample_quic_first), PARSE_MORE);
    assert_int_equal(feed_bytes(datagram.at, 100), PARSE_NOT_MINE);
    assert_int_equal(feed(sample_quic_second), PARSE_DONE);
}

static void put_crypto(struct bytes *b, const struct bytes *hello, size_t from, size_t to)
{
    put_u8(b, 6);
    put_u16(b, 0x4000 | (unsigned)from);
    put_u16(b, 0x4000 | (unsigned)(to - from));
    put(b, hello->at + from, to - from);
}

/* Pieces of the hello, each of a frame of its own, in a shuffled order and with overlaps. */
static void test_fragments(void **state)
{
    static struct bytes hello, frames;
    uint32_t random = 7;

    (void)state;
    hello.length = 0;
    put_hex(&hello, sample_quic_hello);
    for (int round = 0; round < 200; round++) {
        size_t order[64], count = 0, step = 5 + (size_t)round % 40;
        for (size_t at = 0; at < hello.length; at += step) {
            order[count++] = at;
        }
        for (size_t i = count - 1; i > 0; i--) {
            random = random * 1664525u + 1013904223u;
            size_t j = (random >> 8) % (i + 1), swap = order[i];
            order[i] = order[j];
            order[j] = swap;
        }
        start();
        /* Twice: with short pieces there are more holes at first than are kept. */
        for (size_t i = 0; i < 2 * count; i++) {
            size_t from = order[i % count], to = from + step + (size_t)round % 3;
            frames.length = 0;
            put_crypto(&frames, &hello, from, to < hello.length ? to : hello.length);
            assert_true(quic_read_frames(frames.at, frames.length, &assembly));
            assert_true(assembly.range_count <= QUIC_RANGES_MAX);
            for (unsigned r = 1; r < assembly.range_count; r++) {
                assert_true(assembly.ranges[r - 1].end < assembly.ranges[r].start);
            }
        }
        assert_int_equal(assembly.range_count, 1);
        assert_int_equal(quic_read_hello(&assembly, &client), PARSE_DONE);
        check_quic_hello();
    }
}

static void test_frames(void **state)
{
    static const struct {
        const char *hex;
        bool good;
    } cases[] = {
        {"", true},
        {"000001000001", true},
        {"0205000101"
         "0000",
         true},
        {"030500000a"
         "010203",
         true},
        {"02050002010000", false}, /* ranges beyond the end */
        {"02ffffffffffffffff00ffffffffffffffff00", false},
        {"1c00060568656c6c6f", true},
        {"1d00036f6f70", true},
        {"1c000680ffffff41", false},
        {"0600054142", false}, /* longer than the packet */
        {"06c000000000000000"
         "0141",
         true},
        {"0680001000"
         "0141",
         true}, /* beyond what is kept */
        {"06bfffffff"
         "0141",
         true},
        {"060000", true},
        {"08", false}, /* a stream: not in an Initial */
        {"30", false},
        {"4006", false}, /* no offset */
        {"06", false},
        {"ff", false},
    };
    static struct bytes frames;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        start();
        frames.length = 0;
        put_hex(&frames, cases[i].hex);
        assert_int_equal(quic_read_frames(frames.at, frames.length, &assembly), cases[i].good);
        assert_int_equal(quic_read_hello(&assembly, &client),
                         assembly.range_count > 0 ? PARSE_NOT_MINE : PARSE_MORE);
    }
}

static void test_long_hello(void **state)
{
    static struct bytes hello, frames;

    (void)state;
    start();
    hello.length = 0;
    put_hex(&hello, sample_quic_hello);
    hello.at[2] = 0x20; /* 8 KiB: never whole */
    hello.length = 5000;
    for (size_t at = 0; at < 5000; at += 1000) {
        frames.length = 0;
        put_crypto(&frames, &hello, at, at + 1000);
        assert_true(quic_read_frames(frames.at, frames.length, &assembly));
        assert_int_equal(quic_read_hello(&assembly, &client), at < 4000 ? PARSE_MORE : PARSE_DONE);
    }
    assert_false(client.complete);
    assert_int_equal(assembly.ranges[0].end, QUIC_CRYPTO_MAX);
}

static void test_varint(void **state)
{
    /* RFC 9000 A.1 */
    static const uint8_t bytes[] = {0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c, 0x9d,
                                    0x7f, 0x3e, 0x7d, 0x7b, 0xbd, 0x25, 0x40, 0x25, 0x80};
    struct cursor c = cursor_init(bytes, sizeof(bytes));

    (void)state;
    assert_true(quic_varint(&c) == 151288809941952652u);
    assert_true(quic_varint(&c) == 494878333u);
    assert_true(quic_varint(&c) == 15293u);
    assert_true(quic_varint(&c) == 37u);
    assert_true(quic_varint(&c) == 37u);
    assert_true(cursor_ok(&c));
    (void)quic_varint(&c);
    assert_false(cursor_ok(&c));
    assert_true(quic_varint(&c) == 0);
}

static void test_long_header(void **state)
{
    static const struct {
        const char *hex;
        bool found;
        uint32_t version;
    } cases[] = {
        {"c00000000100"
         "00",
         true, 1},
        {"800a1a2a3a02abcd"
         "01ef"
         "99",
         true, 0x0a1a2a3a},
        {"800000000002abcd"
         "01ef"
         "00000001",
         true, 0},
        {"400000000100"
         "00",
         false, 0},
        {"c00000000105"
         "00",
         false, 0},
        {"c0000000", false, 0},
        {"", false, 0},
    };
    static struct bytes datagram;
    uint32_t version;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        datagram.length = 0;
        put_hex(&datagram, cases[i].hex);
        version = 77;
        assert_int_equal(quic_is_long_header(datagram.at, datagram.length, &version),
                         cases[i].found);
        assert_int_equal(version, cases[i].version);
    }
    assert_false(quic_is_long_header(NULL, 0, &version));
}

static void test_server(void **state)
{
    static const struct {
        const char *hex;
        enum quic_server_kind kind;
    } cases[] = {
        {"cf000000010008f067a5502a4262b5004075c0d9", QUIC_SERVER_INITIAL}, /* RFC 9001 A.3 */
        {"dc6b3343cf0008f067a5502a4262b5004075d92f", QUIC_SERVER_INITIAL}, /* RFC 9369 A.3 */
        {"ff000000010008f067a5502a4262b5746f6b656e", QUIC_SERVER_RETRY},
        {"cf6b3343cf0008f067a5502a4262b5746f6b656e", QUIC_SERVER_RETRY},
        {"e0000000010000", QUIC_SERVER_HANDSHAKE},
        {"f06b3343cf0000", QUIC_SERVER_HANDSHAKE},
        {"d0000000010000", QUIC_SERVER_NONE}, /* 0-RTT comes from clients only */
        {"80000000000000"
         "00000001",
         QUIC_SERVER_VERSION_NEGOTIATION},
        {"80000000000000"
         "000000",
         QUIC_SERVER_NONE},
        {"80000000000000", QUIC_SERVER_NONE},
        {"c0123456780000", QUIC_SERVER_NONE},
        {"40112233445566778899aabbccddeeff0011223344", QUIC_SERVER_SHORT},
        {"40112233445566778899aabbccddeeff00112233", QUIC_SERVER_NONE},
        {"00112233445566778899aabbccddeeff0011223344", QUIC_SERVER_NONE},
        {"", QUIC_SERVER_NONE},
    };
    static struct bytes datagram;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        datagram.length = 0;
        put_hex(&datagram, cases[i].hex);
        assert_int_equal(quic_parse_server(datagram.at, datagram.length), cases[i].kind);
    }
}

static int setup(void **state)
{
    (void)state;
    return digest_setup();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc),          cmocka_unit_test(test_keys),
        cmocka_unit_test(test_one_datagram), cmocka_unit_test(test_several_datagrams),
        cmocka_unit_test(test_retry),        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_fragments),    cmocka_unit_test(test_frames),
        cmocka_unit_test(test_long_hello),   cmocka_unit_test(test_varint),
        cmocka_unit_test(test_long_header),  cmocka_unit_test(test_server),
    };

    return cmocka_run_group_tests_name("inspect_quic", tests, setup, NULL);
}
