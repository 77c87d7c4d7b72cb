// SPDX-License-Identifier: GPL-3.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/unit/inspect/tls_hello.h"
#include "tests/unit/inspect/tls_samples.h"

static void test_server_13(void **state)
{
    static struct bytes stream;
    struct tls_server server;

    (void)state;
    stream.length = 0;
    put_hex(&stream, sample_server_13);
    size_t hello = 5u + (size_t)(stream.at[3] << 8 | stream.at[4]);
    for (size_t length = 0; length < hello; length++) {
        assert_int_equal(parse_server(stream.at, length, false, &server), PARSE_MORE);
        assert_false(server.hello);
    }
    assert_int_equal(parse_server(stream.at, hello, false, &server), PARSE_DONE);
    assert_false(server.handshake_done);
    assert_int_equal(parse_server(stream.at, stream.length, false, &server), PARSE_DONE);
    assert_true(server.hello && server.handshake_done && !server.hello_retry);
    assert_int_equal(server.version, 0x0304);
    assert_int_equal(server.cipher, 0x1302);
    assert_false(server.certificate.present);
}

static void test_server_12(void **state)
{
    static struct bytes stream;
    struct tls_server server;
    size_t leaf = strlen(sample_leaf) / 2, need = 0;

    (void)state;
    stream.length = 0;
    put_hex(&stream, sample_server_12);
    for (size_t length = 0; length <= stream.length; length++) {
        enum parse_result result = parse_server(stream.at, length, false, &server);
        assert_true(result == PARSE_MORE || result == PARSE_DONE);
        if (result == PARSE_DONE && need == 0) {
            need = length;
        }
        assert_int_equal(server.certificate.present, result == PARSE_DONE);
    }
    assert_true(need > leaf && need < stream.length);
    assert_int_equal(server.version, 0x0303);
    assert_string_equal(server.alpn, "http/1.1");
    assert_string_equal(server.certificate.subject, "chat.example.com");
    assert_false(server.certificate.truncated);
    /* Cut in the middle of the leaf, for good. */
    assert_int_equal(parse_server(stream.at, need - 200, true, &server), PARSE_DONE);
    assert_true(server.certificate.present && server.certificate.truncated);
    assert_string_equal(server.certificate.issuer, "Example Root CA, Example Trust");
    /* And every other cut, for good. */
    for (size_t length = 0; length < need; length++) {
        (void)parse_server(stream.at, length, true, &server);
    }
}

static void test_server_retry_and_resumption(void **state)
{
    static const char *const retry =
        "1603030038"
        "02000034"
        "0303"
        "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c"
        "00"
        "1301"
        "00"
        "000c"
        "002b00020304"
        "003300020017";
    static const char *const resumed =
        "160303002a"
        "02000026"
        "0303"
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
        "00"
        "c02f"
        "00";
    static struct bytes stream;
    struct tls_server server;

    (void)state;
    stream.length = 0;
    put_hex(&stream, retry);
    put_hex(&stream, "140303000101");
    assert_int_equal(parse_server(stream.at, stream.length, false, &server), PARSE_MORE);
    assert_true(server.hello_retry && !server.hello && server.handshake_done);
    assert_int_equal(server.version, 0x0304);
    put_hex(&stream, sample_server_13);
    assert_int_equal(parse_server(stream.at, stream.length, false, &server), PARSE_DONE);
    assert_true(server.hello_retry && server.hello);
    assert_int_equal(server.cipher, 0x1302);

    stream.length = 0;
    put_hex(&stream, resumed);
    assert_int_equal(parse_server(stream.at, stream.length, false, &server), PARSE_MORE);
    assert_true(server.hello);
    put_hex(&stream, "140303000101");
    assert_int_equal(parse_server(stream.at, stream.length, false, &server), PARSE_DONE);
    assert_true(server.handshake_done && !server.certificate.present);
    assert_int_equal(server.cipher, 0xc02f);
}

static void test_server_alerts(void **state)
{
    static struct bytes stream;
    struct tls_server server;
    uint8_t level, description;

    (void)state;
    stream.length = 0;
    put_hex(&stream, "15030300020228");
    for (size_t length = 0; length < stream.length; length++) {
        assert_int_equal(parse_server(stream.at, length, false, &server), PARSE_MORE);
        assert_false(tls_parse_alert(stream.at, length, &level, &description));
        assert_int_equal(level, 0);
    }
    assert_int_equal(parse_server(stream.at, stream.length, false, &server), PARSE_DONE);
    assert_int_equal(server.alert_level, 2);
    assert_int_equal(server.alert_description, 40);
    assert_true(tls_parse_alert(stream.at, stream.length, &level, &description));
    assert_int_equal(level, 2);
    assert_string_equal(tls_alert_text(description), "handshake_failure");
    assert_null(tls_alert_text(99));
    assert_string_equal(tls_alert_text(0), "close_notify");

    /* A warning before the hello does not end it. */
    stream.length = 0;
    put_hex(&stream, "15030300020170");
    assert_int_equal(parse_server(stream.at, stream.length, false, &server), PARSE_MORE);
    assert_int_equal(server.alert_level, 1);
    put_hex(&stream, sample_server_12);
    assert_int_equal(parse_server(stream.at, stream.length, false, &server), PARSE_DONE);
    assert_string_equal(tls_alert_text(server.alert_description), "unrecognized_name");
    assert_string_equal(server.certificate.subject, "chat.example.com");

    /* No such description, no such level, encrypted. */
    static const char *const bad[] = {"15030300020263", "15030300020300", "1503030012022800"};
    for (size_t i = 0; i < 3; i++) {
        stream.length = 0;
        put_hex(&stream, bad[i]);
        assert_false(tls_parse_alert(stream.at, stream.length, &level, &description));
        assert_int_equal(parse_server(stream.at, stream.length, true, &server), PARSE_NOT_MINE);
    }
}

static void test_server_others(void **state)
{
    static const char *const others[] = {"485454502f312e3120", "1603030010010000", "160303001016",
                                         "1803030003010000", "16030300060200000203030000"};
    static struct bytes stream;
    struct tls_server server;

    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        stream.length = 0;
        put_hex(&stream, others[i]);
        assert_int_equal(parse_server(stream.at, stream.length, true, &server), PARSE_NOT_MINE);
        assert_false(server.hello);
    }
    /* The capture began in the middle. */
    stream.length = 0;
    put_hex(&stream, "17030300050102030405");
    assert_int_equal(parse_server(stream.at, stream.length, false, &server), PARSE_DONE);
    assert_true(server.handshake_done && !server.hello);
    assert_int_equal(tls_parse_server(NULL, 0, false, &server), PARSE_MORE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_server_13),
        cmocka_unit_test(test_server_12),
        cmocka_unit_test(test_server_retry_and_resumption),
        cmocka_unit_test(test_server_alerts),
        cmocka_unit_test(test_server_others),
    };

    return cmocka_run_group_tests_name("inspect_tls_server", tests, tls_setup, NULL);
}
