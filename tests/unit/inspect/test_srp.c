// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "probe/inspect/srp.h"

/* Made up: the documents tell that version information and the identifier are in it, not where. */
static const char first[] = "\x01\x00\x1e\x02\x00\x09S12345678\x03\x00\x07"
                            "5.0.4.0\x00";
/* What a random number generator might give. */
static const uint8_t challenge[] = {0x8f, 0x13, 0xd2, 0x07, 0xe9, 0x5a, 0xb1, 0x44, 0xc6, 0x9d,
                                    0x2e, 0xf8, 0x61, 0x0b, 0x95, 0x77, 0x3c, 0xda, 0x80, 0x1f};

static struct srp_signs session(void)
{
    return (struct srp_signs){
        .client_first = (const uint8_t *)first,
        .client_captured = sizeof(first) - 1,
        .server_first = challenge,
        .server_captured = sizeof(challenge),
        .client_lengths = {sizeof(first) - 1, 40, 20},
        .server_lengths = {sizeof(challenge), 20, 4},
        .client_count = 3,
        .server_count = 3,
        .client_spoke_first = true,
        .server_port = 3101,
    };
}

static struct srp_score score(const struct srp_signs *signs)
{
    struct srp_score result;
    memset(&result, 0xa5, sizeof(result));
    srp_score(signs, &result);
    return result;
}

/* The session with another first payload of the client's. */
static struct srp_score score_client(const char *bytes, size_t length)
{
    struct srp_signs signs = session();
    signs.client_first = (const uint8_t *)bytes;
    signs.client_captured = length;
    signs.client_lengths[0] = (uint16_t)length;
    return score(&signs);
}

static struct srp_score score_server(const void *bytes, size_t length)
{
    struct srp_signs signs = session();
    signs.server_first = bytes;
    signs.server_captured = length;
    signs.server_lengths[0] = (uint16_t)length;
    return score(&signs);
}

static void test_session(void **state)
{
    (void)state;
    struct srp_signs signs = session();
    struct srp_score got = score(&signs);

    assert_int_equal(got.points, 7);
    assert_true(got.has_identifier);
    assert_false(got.excluded);

    /* As it grows: the client's packet, the challenge, the answers. */
    signs = session();
    signs.server_first = NULL;
    signs.server_captured = 0;
    signs.server_count = 0;
    signs.client_count = 1;
    memset(signs.server_lengths, 0, sizeof(signs.server_lengths));
    assert_int_equal(score(&signs).points, 5);
    signs = session();
    signs.server_count = signs.client_count = 1;
    assert_int_equal(score(&signs).points, 6);

    memset(&signs, 0, sizeof(signs));
    got = score(&signs);
    assert_int_equal(got.points, 0);
    assert_false(got.excluded);
}

static void test_identifier(void **state)
{
    (void)state;
    char bytes[200];

    assert_true(score_client("T00000001", 9).has_identifier);
    assert_false(score_client("U00000001", 9).has_identifier);
    assert_false(score_client("S0000001", 8).has_identifier);
    assert_false(score_client("S000000012", 10).has_identifier);
    assert_true(score_client("SS00000012.", 11).has_identifier);
    assert_false(score_client("S1234567\xb8", 9).has_identifier);
    /* Within the first 128 bytes, all of it. */
    for (size_t at = 0; at + 9 <= sizeof(bytes); at++) {
        memset(bytes, 0x01, sizeof(bytes));
        memcpy(bytes + at, "S87654321", 9);
        struct srp_score got = score_client(bytes, sizeof(bytes));
        assert_int_equal(got.has_identifier, at + 9 <= 128);
        assert_int_equal(got.points, at + 9 <= 128 ? 7 : 3);
    }
    /* A ninth digit just beyond them. */
    memset(bytes, 0x01, sizeof(bytes));
    memcpy(bytes + 119, "S876543210", 10);
    assert_false(score_client(bytes, sizeof(bytes)).has_identifier);
}

static void test_challenge(void **state)
{
    (void)state;
    uint8_t large[65];

    assert_int_equal(score_server("220 relay.example.org ready", 27).points, 6);
    assert_int_equal(score_server("\0\0\0\0\0\0\0\0\0\0\0\1", 12).points, 6);
    assert_int_equal(score_server(challenge, 7).points, 6);
    assert_int_equal(score_server(challenge, 8).points, 7);
    for (size_t i = 0; i < sizeof(large); i++) {
        large[i] = (uint8_t)(i * 37);
    }
    assert_int_equal(score_server(large, 64).points, 7);
    assert_int_equal(score_server(large, 65).points, 6);
}

static void test_answers(void **state)
{
    (void)state;
    struct srp_signs signs = session();

    signs.client_lengths[1] = 19;
    assert_int_equal(score(&signs).points, 6);
    signs = session();
    signs.server_lengths[1] = 19; /* the client's third carries it then */
    assert_int_equal(score(&signs).points, 7);
    signs.client_count = 2;
    assert_int_equal(score(&signs).points, 6);
}

static void test_exclusions(void **state)
{
    (void)state;
    static const char tls[] = "\x16\x03\x01\x00\x40\x01\x00\x00\x3c\x03\x03S12345678";
    static const char ssl2[] = "\x80\x0e\x01\x03\x01\x00\x03\x00\x00\x00\x00"
                               "abcde";
    static const char *const texts[] = {
        "GET /S12345678 HTTP/1.1\r\nHost: a\r\n\r\n",
        "CONNECT a.example:443 HTTP/1.1\r\n\r\n",
        "SSH-2.0-S12345678\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    };
    struct srp_signs signs = session();
    struct srp_score got;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        got = score_client(texts[i], strlen(texts[i]));
        assert_true(got.excluded);
        assert_int_equal(got.points, 0);
        assert_false(got.has_identifier);
    }
    assert_true(score_client(tls, sizeof(tls) - 1).excluded); /* UEM, on the same port */
    assert_true(score_client(ssl2, sizeof(ssl2) - 1).excluded);
    assert_false(score_client(ssl2, sizeof(ssl2) - 2).excluded);
    assert_true(score_server("\x15\x03\x01\x00\x02\x02\x28", 7).excluded);
    assert_true(score_server("HTTP/1.1 400 Bad Request\r\n\r\n", 28).excluded);
    assert_true(score_server("SSH-2.0-x\r\n", 11).excluded);

    signs.client_spoke_first = false;
    got = score(&signs);
    assert_true(got.excluded);
    assert_int_equal(got.points, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_session),    cmocka_unit_test(test_identifier),
        cmocka_unit_test(test_challenge),  cmocka_unit_test(test_answers),
        cmocka_unit_test(test_exclusions),
    };

    return cmocka_run_group_tests_name("inspect_srp", tests, NULL, NULL);
}
