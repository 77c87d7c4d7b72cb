// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "probe/inspect/stun.h"

struct packet {
    uint8_t bytes[4096];
    size_t length;
};

static void put8(struct packet *p, unsigned value)
{
    assert_true(p->length < sizeof(p->bytes));
    p->bytes[p->length++] = (uint8_t)value;
}

static void put16(struct packet *p, unsigned value)
{
    put8(p, value >> 8 & 0xff);
    put8(p, value & 0xff);
}

static void put24(struct packet *p, unsigned value)
{
    put8(p, value >> 16 & 0xff);
    put16(p, value & 0xffff);
}

static void put_text(struct packet *p, const char *text)
{
    for (; *text; text++) {
        put8(p, (uint8_t)*text);
    }
}

static void put_stun(struct packet *p, unsigned type, unsigned length, unsigned cookie)
{
    p->length = 0;
    put16(p, type);
    put16(p, length);
    put16(p, cookie >> 16);
    put16(p, cookie & 0xffff);
    for (unsigned i = 0; i < 12; i++) {
        put8(p, 0xa0 + i);
    }
}

static void put_attribute(struct packet *p, unsigned type, const char *text)
{
    put16(p, type);
    put16(p, (unsigned)strlen(text));
    put_text(p, text);
    while (p->length % 4 != 0) {
        put8(p, 0);
    }
    p->bytes[2] = (uint8_t)((p->length - 20) >> 8);
    p->bytes[3] = (uint8_t)(p->length - 20);
}

static enum parse_result stun_cut(const struct packet *p, size_t length,
                                  struct stun_message *ret_message)
{
    uint8_t *exact = malloc(length ? length : 1);
    assert_non_null(exact);
    memcpy(exact, p->bytes, length);
    memset(ret_message, 0xa5, sizeof(*ret_message));
    enum parse_result result = stun_parse(exact, length, ret_message);
    free(exact);
    return result;
}

static enum parse_result dtls_cut(const struct packet *p, size_t length,
                                  struct tls_client *ret_client)
{
    uint8_t *exact = malloc(length ? length : 1);
    assert_non_null(exact);
    memcpy(exact, p->bytes, length);
    memset(ret_client, 0xa5, sizeof(*ret_client));
    enum parse_result result = dtls_parse(exact, length, ret_client);
    free(exact);
    return result;
}

static void test_stun(void **state)
{
    (void)state;
    struct packet p;
    struct stun_message stun;

    put_stun(&p, 0x0001, 0, 0x2112a442);
    assert_int_equal(stun_cut(&p, p.length, &stun), PARSE_DONE);
    assert_int_equal(stun.type, 0x0001);
    assert_false(stun.classic);
    assert_false(stun.is_turn);
    assert_string_equal(stun.software, "");

    put_stun(&p, 0x0113, 0, 0x2112a442); /* allocate error: who serves? */
    put_attribute(&p, 0x0014, "Turn.Example.org");
    put_attribute(&p, 0x8022, "Relay-4.5 \x01");
    assert_int_equal(stun_cut(&p, p.length, &stun), PARSE_DONE);
    assert_true(stun.is_turn);
    assert_string_equal(stun.realm, "turn.example.org");
    assert_string_equal(stun.software, "Relay-4.5 ?");
    for (size_t length = 0; length < p.length; length++) {
        assert_int_equal(stun_cut(&p, length, &stun), length < 8 ? PARSE_NOT_MINE : PARSE_MORE);
    }

    static const unsigned turn[] = {0x0003, 0x0103, 0x0004, 0x0016, 0x0017, 0x0008, 0x0009};
    for (size_t i = 0; i < sizeof(turn) / sizeof(turn[0]); i++) {
        put_stun(&p, turn[i], 0, 0x2112a442);
        assert_int_equal(stun_cut(&p, p.length, &stun), PARSE_DONE);
        assert_true(stun.is_turn);
    }
    /* An attribute longer than the message. */
    put_stun(&p, 0x0101, 0, 0x2112a442);
    put_attribute(&p, 0x8022, "abcd");
    p.bytes[23] = 200;
    assert_int_equal(stun_cut(&p, p.length, &stun), PARSE_DONE);
    assert_string_equal(stun.software, "");
}

/* Microsoft's TURN and WhatsApp do not pad. */
static void test_unpadded(void **state)
{
    (void)state;
    for (unsigned extra = 0; extra < 4; extra++) {
        struct packet p;
        struct stun_message stun;

        put_stun(&p, 0x0103, 0, 0x2112a442);
        put16(&p, 0x000f);
        put16(&p, 4);
        put16(&p, 0x72c6);
        put16(&p, 0x4bc6);
        put16(&p, 0x0006);
        put16(&p, 1 + extra);
        for (unsigned i = 0; i <= extra; i++) {
            put8(&p, 0);
        }
        put16(&p, 0x8022);
        put16(&p, 9);
        put_text(&p, "2.0.1.999");
        p.bytes[3] = (uint8_t)(p.length - 20);
        assert_int_equal(stun_cut(&p, p.length, &stun), PARSE_DONE);
        assert_string_equal(stun.software, "2.0.1.999");
        assert_true(stun.is_turn);
        for (size_t length = 0; length < p.length; length++) {
            bool aligned = p.bytes[3] % 4 == 0;
            assert_int_equal(stun_cut(&p, length, &stun),
                             length < 8 || !aligned ? PARSE_NOT_MINE : PARSE_MORE);
        }
    }
}

static void test_not_stun(void **state)
{
    (void)state;
    struct packet p;
    struct stun_message stun;

    put_stun(&p, 0x8001, 0, 0x2112a442);
    assert_int_equal(stun_cut(&p, p.length, &stun), PARSE_NOT_MINE);
    put_stun(&p, 0x0001, 2, 0x2112a442); /* neither whole words nor the packet's length */
    put24(&p, 0);
    assert_int_equal(stun_cut(&p, p.length, &stun), PARSE_NOT_MINE);
    put_stun(&p, 0x0001, 0xfffc, 0x2112a442);
    assert_int_equal(stun_cut(&p, p.length, &stun), PARSE_NOT_MINE);
    assert_int_equal(stun_parse(NULL, 0, &stun), PARSE_NOT_MINE);
}

static void test_classic(void **state)
{
    (void)state;
    struct packet p;
    struct stun_message stun;

    put_stun(&p, 0x0001, 0, 0x12345678);
    assert_int_equal(stun_cut(&p, p.length, &stun), PARSE_DONE);
    assert_true(stun.classic);
    put8(&p, 0);
    assert_int_equal(stun_cut(&p, p.length, &stun), PARSE_NOT_MINE);
    put_stun(&p, 0x0101, 0, 0x12345678); /* a success says an address */
    assert_int_equal(stun_cut(&p, p.length, &stun), PARSE_NOT_MINE);
    put_attribute(&p, 0x0001, "12345678");
    assert_int_equal(stun_cut(&p, p.length, &stun), PARSE_DONE);
    p.bytes[23] = 7; /* as if padded: the same */
    assert_int_equal(stun_cut(&p, p.length, &stun), PARSE_DONE);
    p.bytes[23] = 9;
    assert_int_equal(stun_cut(&p, p.length, &stun), PARSE_NOT_MINE);
    put_stun(&p, 0x0011, 0, 0x12345678); /* indications are newer */
    assert_int_equal(stun_cut(&p, p.length, &stun), PARSE_NOT_MINE);
    put_stun(&p, 0x0005, 0, 0x12345678);
    assert_int_equal(stun_cut(&p, p.length, &stun), PARSE_NOT_MINE);
}

/* A record with a ClientHello for host "media.example.org", with a cookie and two cipher suites. */
static void put_hello(struct packet *p, unsigned version)
{
    p->length = 0;
    put8(p, 22);
    put16(p, version);
    put16(p, 0);
    put24(p, 0);
    put24(p, 1);
    put16(p, 0); /* length, at 11 */
    put8(p, 1);
    put24(p, 0); /* length, at 14 */
    put16(p, 1);
    put24(p, 0);
    put24(p, 0); /* fragment's length, at 22 */
    put16(p, 0xfefd);
    for (unsigned i = 0; i < 32; i++) {
        put8(p, i);
    }
    put8(p, 0); /* session */
    put8(p, 20);
    for (unsigned i = 0; i < 20; i++) {
        put8(p, 0xc0 + i);
    }
    put16(p, 4);
    put16(p, 0xc02b);
    put16(p, 0xc02f);
    put16(p, 0x0100);
    put16(p, 4 + 22);
    put16(p, 0); /* server_name */
    put16(p, 22);
    put16(p, 20);
    put8(p, 0);
    put16(p, 17);
    put_text(p, "media.example.org");
    p->bytes[12] = (uint8_t)(p->length - 13);
    p->bytes[16] = p->bytes[24] = (uint8_t)(p->length - 25);
}

static void test_dtls_hello(void **state)
{
    (void)state;
    struct packet p;
    struct tls_client client;

    put_hello(&p, 0xfeff);
    assert_int_equal(dtls_cut(&p, p.length, &client), PARSE_DONE);
    assert_string_equal(client.host, "media.example.org");
    assert_true(client.has_sni);
    assert_true(client.complete);
    assert_int_equal(client.record_version, 0xfeff);
    assert_int_equal(client.hello_version, 0xfefd);
    assert_memory_equal(client.ja4, "dd2d0201", 5);
    for (size_t length = 0; length < p.length; length++) {
        assert_int_equal(dtls_cut(&p, length, &client), PARSE_NOT_MINE);
    }

    /* Fragmented: DTLS, but no names. */
    p.bytes[16] += 10;
    assert_int_equal(dtls_cut(&p, p.length, &client), PARSE_DONE);
    assert_string_equal(client.host, "");
    /* More fragment than message. */
    p.bytes[16] -= 20;
    assert_int_equal(dtls_cut(&p, p.length, &client), PARSE_NOT_MINE);
    /* Nonsense within. */
    put_hello(&p, 0xfefd);
    memset(p.bytes + 25, 0xff, p.length - 25);
    assert_int_equal(dtls_cut(&p, p.length, &client), PARSE_DONE);
    assert_string_equal(client.host, "");
    assert_false(client.complete);
}

static void test_dtls_records(void **state)
{
    (void)state;
    struct packet p;
    struct tls_client client;

    for (unsigned type = 0; type < 64; type++) {
        put_hello(&p, 0xfefd);
        p.bytes[0] = (uint8_t)type;
        p.bytes[4] = 1; /* an epoch with keys: the content is hidden */
        assert_int_equal(dtls_cut(&p, p.length, &client),
                         type >= 20 && type <= 26 ? PARSE_DONE : PARSE_NOT_MINE);
        assert_string_equal(client.host, "");
    }
    put_hello(&p, 0x0303);
    assert_int_equal(dtls_cut(&p, p.length, &client), PARSE_NOT_MINE);
    put_hello(&p, 0xfefd);
    p.bytes[11] = p.bytes[12] = 0;
    assert_int_equal(dtls_cut(&p, p.length, &client), PARSE_NOT_MINE);
    assert_int_equal(dtls_parse(NULL, 0, &client), PARSE_NOT_MINE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stun),       cmocka_unit_test(test_unpadded),
        cmocka_unit_test(test_not_stun),   cmocka_unit_test(test_classic),
        cmocka_unit_test(test_dtls_hello), cmocka_unit_test(test_dtls_records),
    };

    return cmocka_run_group_tests_name("inspect_stun", tests, NULL, NULL);
}
