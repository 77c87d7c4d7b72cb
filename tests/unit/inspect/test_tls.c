// SPDX-License-Identifier: GPL-3.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "probe/inspect/tls.h"

#include "tests/unit/inspect/samples.h"
#include "tests/unit/inspect/tls_samples.h"

#define GREASE 0x1a1a

/* What a hand-made ClientHello has; zero leaves a piece out. */
struct recipe {
    bool dtls;
    uint16_t version;
    const uint16_t *ciphers;
    size_t cipher_count;
    const uint16_t
        *extensions; /* in this order; those with content of their own get it, others are empty */
    size_t extension_count;
    const char *host;
    const char *alpn; /* one protocol */
    const uint16_t *versions;
    size_t version_count;
    const uint16_t *signatures;
    size_t signature_count;
};

static void put_numbers(struct bytes *b, const uint16_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        put_u16(b, numbers[i]);
    }
}

static void put_extension(struct bytes *b, const struct recipe *recipe, uint16_t type)
{
    put_u16(b, type);
    size_t whole = put_start(b, 2), list, item;
    switch (type) {
    case 0x0000:
        list = put_start(b, 2);
        put_u8(b, 0);
        item = put_start(b, 2);
        put(b, recipe->host, strlen(recipe->host));
        put_end(b, item, 2);
        put_end(b, list, 2);
        break;
    case 0x0010:
        list = put_start(b, 2);
        item = put_start(b, 1);
        put(b, recipe->alpn, strlen(recipe->alpn));
        put_end(b, item, 1);
        put_end(b, list, 2);
        break;
    case 0x002b:
        list = put_start(b, 1);
        put_numbers(b, recipe->versions, recipe->version_count);
        put_end(b, list, 1);
        break;
    case 0x000d:
        list = put_start(b, 2);
        put_numbers(b, recipe->signatures, recipe->signature_count);
        put_end(b, list, 2);
        break;
    default:
        break;
    }
    put_end(b, whole, 2);
}

static void put_hello(struct bytes *b, const struct recipe *recipe)
{
    put_u8(b, 1);
    size_t message = put_start(b, 3);
    if (recipe->dtls) {
        put_hex(b, "0000000000000000");
    }
    put_u16(b, recipe->version);
    for (unsigned i = 0; i < 32; i++) {
        put_u8(b, i);
    }
    put_u8(b, 0);
    if (recipe->dtls) {
        put_hex(b, "03aabbcc"); /* cookie */
    }
    size_t list = put_start(b, 2);
    put_numbers(b, recipe->ciphers, recipe->cipher_count);
    put_end(b, list, 2);
    put_hex(b, "0100");
    if (recipe->extension_count > 0) {
        list = put_start(b, 2);
        for (size_t i = 0; i < recipe->extension_count; i++) {
            put_extension(b, recipe, recipe->extensions[i]);
        }
        put_end(b, list, 2);
    }
    if (recipe->dtls) {
        size_t length = b->length - message - 8;
        memcpy(b->at + message - 3, (uint8_t[]){0, (uint8_t)(length >> 8), (uint8_t)length}, 3);
        memcpy(b->at + message + 5, b->at + message - 3, 3);
    } else {
        put_end(b, message, 3);
    }
}

/* Records of at most `step` bytes each. */
static void put_records(struct bytes *b, const struct bytes *message, size_t step)
{
    for (size_t at = 0; at < message->length; at += step) {
        size_t length = message->length - at < step ? message->length - at : step;
        put_hex(b, "160301");
        put_u16(b, (unsigned)length);
        put(b, message->at + at, length);
    }
}

/* A copy of exactly `length` bytes, so that the sanitizer sees a read beyond them. */
static uint8_t *exact(const uint8_t *bytes, size_t length)
{
    uint8_t *copy = malloc(length ? length : 1);

    assert_non_null(copy);
    memcpy(copy, bytes, length);
    return copy;
}

static enum parse_result parse_client(const uint8_t *bytes, size_t length,
                                      struct tls_client *ret_client)
{
    uint8_t *copy = exact(bytes, length);
    enum parse_result result = tls_parse_client(copy, length, ret_client);

    free(copy);
    return result;
}

static enum parse_result parse_server(const uint8_t *bytes, size_t length, bool final,
                                      struct tls_server *ret_server)
{
    uint8_t *copy = exact(bytes, length);
    enum parse_result result = tls_parse_server(copy, length, final, ret_server);

    free(copy);
    return result;
}

/* FoxIO's example: https://github.com/FoxIO-LLC/ja4, technical_details/JA4.md. */
static const uint16_t fox_ciphers[] = {GREASE, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f,
                                       0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014,
                                       0x009c, 0x009d, 0x002f, 0x0035};
static const uint16_t fox_extensions[] = {0x0a0a, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469,
                                          0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012,
                                          0x002b, 0xff01, 0x000b, 0x000a, 0x0015, 0xfafa};
static const uint16_t fox_versions[] = {0xdada, 0x0304, 0x0303};
static const uint16_t fox_signatures[] = {0x0403, 0x0804, 0x0401, 0x0503,
                                          0x0805, 0x0501, 0x0806, 0x0601};

static struct recipe fox(void)
{
    return (struct recipe){.version = 0x0303,
                           .ciphers = fox_ciphers,
                           .cipher_count = 16,
                           .extensions = fox_extensions,
                           .extension_count = 18,
                           .host = "WWW.Example.com.",
                           .alpn = "h2",
                           .versions = fox_versions,
                           .version_count = 3,
                           .signatures = fox_signatures,
                           .signature_count = 8};
}

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

static int setup(void **state)
{
    (void)state;
    return digest_setup();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ja4_example),
        cmocka_unit_test(test_ja4_lists),
        cmocka_unit_test(test_ja4_alpn_and_versions),
        cmocka_unit_test(test_dtls),
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_openssl_clients),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_ech),
        cmocka_unit_test(test_not_tls),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_huge_hello),
        cmocka_unit_test(test_ssl2),
        cmocka_unit_test(test_server_13),
        cmocka_unit_test(test_server_12),
        cmocka_unit_test(test_server_retry_and_resumption),
        cmocka_unit_test(test_server_alerts),
        cmocka_unit_test(test_server_others),
    };

    return cmocka_run_group_tests_name("inspect_tls", tests, setup, NULL);
}
