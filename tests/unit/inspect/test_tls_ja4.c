// SPDX-License-Identifier: GPL-3.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/unit/inspect/tls_hello.h"

static void test_ja4_example(void **state)
{
    static struct bytes message, stream;
    struct recipe recipe = fox();
    struct tls_client client;

    (void)state;
    message.length = stream.length = 0;
    put_hello(&message, &recipe);
    put_records(&stream, &message, 16384);
    assert_int_equal(parse_client(stream.at, stream.length, &client), PARSE_DONE);
    assert_string_equal(client.ja4, "t13d1516h2_8daaf6152771_e5627efa2ab1");
    assert_string_equal(client.host, "www.example.com");
    assert_string_equal(client.alpn, "h2");
    assert_int_equal(client.record_version, 0x0301);
    assert_int_equal(client.hello_version, 0x0303);
    assert_int_equal(client.max_version, 0x0304);
    assert_true(client.has_sni && client.complete);
    assert_false(client.has_ech || client.has_esni || client.is_literal);

    assert_int_equal(tls_parse_client_hello(message.at, message.length, 'q', &client), PARSE_DONE);
    assert_string_equal(client.ja4, "q13d1516h2_8daaf6152771_e5627efa2ab1");
}

static void check_ja4(const struct recipe *recipe, const char *expected)
{
    static struct bytes message;
    struct tls_client client;
    char transport = recipe->dtls ? 'd' : 't';

    message.length = 0;
    put_hello(&message, recipe);
    assert_int_equal(tls_parse_client_hello(message.at, message.length, transport, &client),
                     PARSE_DONE);
    assert_string_equal(client.ja4, expected);
}

static void test_ja4_lists(void **state)
{
    static const uint16_t grease_signatures[] = {0x0403, 0x0804, 0x0401, 0x0503, 0x2a2a,
                                                 0x0805, 0x0501, 0x0806, 0x0601};
    static const uint16_t named[] = {0x0000, 0x0010};
    uint16_t many[700];
    struct recipe recipe = fox();

    (void)state;
    /* GREASE among the signature algorithms does not count. */
    recipe.signatures = grease_signatures;
    recipe.signature_count = 9;
    check_ja4(&recipe, "t13d1516h2_8daaf6152771_e5627efa2ab1");
    /* No signature algorithms: the extensions alone. */
    recipe.signature_count = 0;
    check_ja4(&recipe, "t13d1516h2_8daaf6152771_6d807ffa2a79");
    /* Nothing to hash. */
    recipe.extensions = named;
    recipe.extension_count = 2;
    check_ja4(&recipe, "t12d1502h2_8daaf6152771_000000000000");
    recipe.extension_count = 0;
    recipe.cipher_count = 0;
    check_ja4(&recipe, "t12i000000_000000000000_000000000000");
    /* More than can be counted, and more than is kept. */
    for (size_t i = 0; i < 700; i++) {
        many[i] = (uint16_t)(0xc000 + i);
    }
    recipe.ciphers = many;
    recipe.cipher_count = 700;
    check_ja4(&recipe, "t12i990000_8d441a60312b_000000000000");
}

static void test_ja4_alpn_and_versions(void **state)
{
    static const struct {
        const char *alpn, *expected;
    } protocols[] = {{"h2", "h2"},
                     {"http/1.1", "h1"},
                     {"h3-29", "h9"},
                     {"x", "xx"},
                     {"\xab", "ab"},
                     {"\xab\xcd", "ad"},
                     {"0\xab", "3b"},
                     {"01\xab\xcd", "3d"},
                     {"0\xab\xcd"
                      "1",
                      "01"},
                     {"", "00"}};
    static const struct {
        uint16_t version;
        const char *expected;
    } versions[] = {{0x0304, "t13"}, {0x0303, "t12"}, {0x0302, "t11"},
                    {0x0301, "t10"}, {0x0300, "ts3"}, {0x03ff, "t00"}};
    static struct bytes message;
    struct recipe recipe = fox();
    struct tls_client client;

    (void)state;
    for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
        recipe.alpn = protocols[i].alpn;
        message.length = 0;
        put_hello(&message, &recipe);
        assert_int_equal(tls_parse_client_hello(message.at, message.length, 't', &client),
                         PARSE_DONE);
        assert_memory_equal(client.ja4 + 8, protocols[i].expected, 2);
    }
    recipe.extension_count = 0;
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        recipe.version = versions[i].version;
        message.length = 0;
        put_hello(&message, &recipe);
        assert_int_equal(tls_parse_client_hello(message.at, message.length, 't', &client),
                         PARSE_DONE);
        assert_memory_equal(client.ja4, versions[i].expected, 3);
        assert_int_equal(client.max_version, versions[i].version);
    }
}

static void test_dtls(void **state)
{
    static const uint16_t versions[] = {0xfefd, 0xfefc};
    static struct bytes datagram;
    struct recipe recipe = fox();
    struct tls_client client;

    (void)state;
    recipe.dtls = true;
    recipe.version = 0xfefd;
    recipe.versions = versions;
    recipe.version_count = 2;
    check_ja4(&recipe, "dd3d1516h2_8daaf6152771_e5627efa2ab1");
    recipe.version_count = 0;
    check_ja4(&recipe, "dd2d1516h2_8daaf6152771_e5627efa2ab1");
    recipe.version = 0xfeff;
    check_ja4(&recipe, "dd1d1516h2_8daaf6152771_e5627efa2ab1");

    datagram.length = 0;
    put_hex(&datagram, "16feff0000000000000000");
    size_t record = put_start(&datagram, 2);
    put_hello(&datagram, &recipe);
    put_end(&datagram, record, 2);
    for (size_t length = 0; length <= datagram.length; length++) {
        uint8_t *copy = exact(datagram.at, length);
        enum parse_result result = tls_parse_client_hello(copy, length, 'd', &client);
        assert_int_equal(result, length == datagram.length ? PARSE_DONE : PARSE_MORE);
        free(copy);
    }
    assert_string_equal(client.host, "www.example.com");
    assert_int_equal(client.record_version, 0xfeff);
    /* A later fragment cannot be read. */
    datagram.at[13 + 8] = 1;
    assert_int_equal(tls_parse_client_hello(datagram.at, datagram.length, 'd', &client),
                     PARSE_NOT_MINE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ja4_example),
        cmocka_unit_test(test_ja4_lists),
        cmocka_unit_test(test_ja4_alpn_and_versions),
        cmocka_unit_test(test_dtls),
    };

    return cmocka_run_group_tests_name("inspect_tls_ja4", tests, tls_setup, NULL);
}
