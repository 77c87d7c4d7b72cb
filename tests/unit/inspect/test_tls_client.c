// SPDX-License-Identifier: GPL-3.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/unit/inspect/tls_hello.h"
#include "tests/unit/inspect/tls_samples.h"

/* Every prefix: MORE until it is whole, never a read beyond it, and the host as soon as its
 * extension is there. */
static void check_prefixes(const struct bytes *stream, const char *host)
{
    struct tls_client client;
    bool seen = false;

    for (size_t length = 0; length <= stream->length; length++) {
        enum parse_result result = parse_client(stream->at, length, &client);
        assert_int_equal(result, length == stream->length ? PARSE_DONE : PARSE_MORE);
        assert_int_equal(client.complete, length == stream->length);
        assert_int_equal(client.ja4[0] != '\0', length == stream->length);
        if (seen || client.host[0] != '\0') {
            seen = true;
            assert_string_equal(client.host, host);
        }
        if (length + 1 == stream->length) {
            assert_true(seen);
        }
    }
}

static void test_prefixes(void **state)
{
    static const size_t steps[] = {1, 7, 100, 16384};
    static struct bytes message, stream;
    struct recipe recipe = fox();

    (void)state;
    message.length = 0;
    put_hello(&message, &recipe);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        stream.length = 0;
        put_records(&stream, &message, steps[i]);
        check_prefixes(&stream, "www.example.com");
    }
    stream.length = 0;
    put_hex(&stream, sample_client_12);
    check_prefixes(&stream, "chat.example.com");
    stream.length = 0;
    put_hex(&stream, sample_client_13);
    check_prefixes(&stream, "chat.example.com");
}

static void test_openssl_clients(void **state)
{
    static struct bytes stream;
    struct tls_client client;

    (void)state;
    stream.length = 0;
    put_hex(&stream, sample_client_13);
    assert_int_equal(parse_client(stream.at, stream.length, &client), PARSE_DONE);
    assert_int_equal(client.max_version, 0x0304);
    assert_string_equal(client.alpn, "h2");
    assert_memory_equal(client.ja4, "t13d", 4);
    stream.length = 0;
    put_hex(&stream, sample_client_12);
    assert_int_equal(parse_client(stream.at, stream.length, &client), PARSE_DONE);
    assert_int_equal(client.max_version, 0x0303);
    assert_memory_equal(client.ja4, "t12d", 4);
}

static void test_names(void **state)
{
    static const struct {
        const char *sent, *host;
        bool literal;
    } cases[] = {
        {"Example.COM", "example.com", false},
        {"192.0.2.7", "192.0.2.7", true},
        {"2001:DB8::7", "2001:db8::7", true},
        {"a_b-c.example", "a_b-c.example", false},
        {"bad name.example", "", false},
        {"evil\x01.example", "", false},
        {"a:b", "", false},
        {".", "", false},
        {"", "", false},
    };
    static struct bytes message;
    struct recipe recipe = fox();
    struct tls_client client;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        recipe.host = cases[i].sent;
        message.length = 0;
        put_hello(&message, &recipe);
        assert_int_equal(tls_parse_client_hello(message.at, message.length, 't', &client),
                         PARSE_DONE);
        assert_string_equal(client.host, cases[i].host);
        assert_int_equal(client.is_literal, cases[i].literal);
        assert_true(client.has_sni);
    }
}

static void test_ech(void **state)
{
    static const uint16_t extensions[] = {0x0000, 0xfe0d}, old[] = {0x002b, 0xffce};
    static struct bytes message;
    struct recipe recipe = fox();
    struct tls_client client;

    (void)state;
    recipe.extensions = extensions;
    recipe.extension_count = 2;
    message.length = 0;
    put_hello(&message, &recipe);
    assert_int_equal(tls_parse_client_hello(message.at, message.length, 't', &client), PARSE_DONE);
    assert_true(client.has_ech && client.has_sni && !client.has_esni);
    recipe.extensions = old;
    message.length = 0;
    put_hello(&message, &recipe);
    assert_int_equal(tls_parse_client_hello(message.at, message.length, 't', &client), PARSE_DONE);
    assert_true(!client.has_ech && !client.has_sni && client.has_esni);
    assert_memory_equal(client.ja4, "t13i1502", 8);
}

static void test_not_tls(void **state)
{
    static const char *const others[] = {
        "474554202f20485454502f312e310d0a", /* GET / HTTP/1.1 */
        "15030300020228",                   /* an alert is no beginning of a client */
        "1603050010",                       /* version 3.5 */
        "1602010010",
        "1603014101", /* longer than a record */
        "1603010000", /* empty */
        "16030100050200",
        "16030100ff0101", /* a hello of more than 64 KiB */
        "1603010020010000100303",
        "16030100400100003c0203",
        "805901",
        "8059010301",
        "ff",
    };
    static const bool rejected[] = {true, true, true, true,  true,  true, true,
                                    true, true, true, false, false, false};
    static struct bytes stream;
    struct tls_client client;

    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        stream.length = 0;
        put_hex(&stream, others[i]);
        assert_int_equal(parse_client(stream.at, stream.length, &client),
                         rejected[i] ? PARSE_NOT_MINE : PARSE_MORE);
    }
    assert_int_equal(tls_parse_client(NULL, 0, &client), PARSE_MORE);
}

static void test_malformed(void **state)
{
    static struct bytes message, stream;
    struct recipe recipe = fox();
    struct tls_client client;

    (void)state;
    /* The first extension claims more than there is: still TLS, without a fingerprint. */
    message.length = 0;
    put_hello(&message, &recipe);
    size_t at = 4 + 2 + 32 + 1 + 2 + 32 + 2 + 2;
    message.at[at + 2] = 0xff;
    assert_int_equal(tls_parse_client_hello(message.at, message.length, 't', &client), PARSE_DONE);
    assert_false(client.complete);
    assert_string_equal(client.ja4, "");
    /* Another record in the middle of the hello. */
    message.length = stream.length = 0;
    put_hello(&message, &recipe);
    put_records(&stream, &message, 100);
    stream.length = 105;
    put_hex(&stream, "170303000411223344");
    assert_int_equal(parse_client(stream.at, stream.length, &client), PARSE_NOT_MINE);
    assert_string_equal(client.host, "");
    /* Impossible lists. */
    message.at[4 + 2 + 32] = 33;
    assert_int_equal(tls_parse_client_hello(message.at, message.length, 't', &client),
                     PARSE_NOT_MINE);
    message.at[4 + 2 + 32] = 0;
    message.at[4 + 2 + 32 + 2] = 33;
    assert_int_equal(tls_parse_client_hello(message.at, message.length, 't', &client),
                     PARSE_NOT_MINE);
}

/* Random damage to a good hello must neither crash nor leave names that are no names. */
static void test_damage(void **state)
{
    static struct bytes message, stream;
    struct recipe recipe = fox();
    struct tls_client client;
    uint32_t random = 1;

    (void)state;
    for (int round = 0; round < 3000; round++) {
        message.length = stream.length = 0;
        put_hello(&message, &recipe);
        put_records(&stream, &message, 60);
        for (int i = 0; i < 3; i++) {
            random = random * 1664525u + 1013904223u;
            stream.at[(random >> 8) % stream.length] = (uint8_t)(random >> 24);
        }
        (void)parse_client(stream.at, stream.length, &client);
        for (const char *c = client.host; *c; c++) {
            assert_true(*c > ' ' && *c < 0x7f);
        }
    }
}

static void test_huge_hello(void **state)
{
    static struct bytes message, stream;
    struct tls_client client;

    (void)state;
    message.length = stream.length = 0;
    put_hex(&message, "01007000"
                      "0303");
    message.length = 4 + 0x7000;
    memset(message.at + 6, 0, message.length - 6);
    put_records(&stream, &message, 16384);
    assert_int_equal(tls_parse_client(stream.at, 20000, &client), PARSE_MORE);
    /* Longer than is ever joined: more bytes would not help. */
    assert_int_equal(tls_parse_client(stream.at, stream.length - 1, &client), PARSE_DONE);
    assert_false(client.complete);
}

static void test_ssl2(void **state)
{
    static struct bytes stream;
    struct tls_client client;

    (void)state;
    stream.length = 0;
    put_hex(&stream, "801f"
                     "01"
                     "0301"
                     "0006"
                     "0000"
                     "0010"
                     "000004010080"
                     "00112233445566778899aabbccddeeff");
    for (size_t length = 0; length < stream.length; length++) {
        assert_int_equal(parse_client(stream.at, length, &client), PARSE_MORE);
    }
    assert_int_equal(parse_client(stream.at, stream.length, &client), PARSE_DONE);
    assert_int_equal(client.record_version, 2);
    assert_int_equal(client.max_version, 0x0301);
    assert_true(client.complete);
    assert_string_equal(client.host, "");
    assert_string_equal(client.ja4, "");
    stream.at[1] = 0x20; /* lengths that do not add up */
    put_u8(&stream, 0);
    assert_int_equal(parse_client(stream.at, stream.length, &client), PARSE_NOT_MINE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prefixes), cmocka_unit_test(test_openssl_clients),
        cmocka_unit_test(test_names),    cmocka_unit_test(test_ech),
        cmocka_unit_test(test_not_tls),  cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_damage),   cmocka_unit_test(test_huge_hello),
        cmocka_unit_test(test_ssl2),
    };

    return cmocka_run_group_tests_name("inspect_tls_client", tests, tls_setup, NULL);
}
