// SPDX-License-Identifier: GPL-3.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/unit/inspect/tls_hello.h"

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

void put_hello(struct bytes *b, const struct recipe *recipe)
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

void put_records(struct bytes *b, const struct bytes *message, size_t step)
{
    for (size_t at = 0; at < message->length; at += step) {
        size_t length = message->length - at < step ? message->length - at : step;
        put_hex(b, "160301");
        put_u16(b, (unsigned)length);
        put(b, message->at + at, length);
    }
}

uint8_t *exact(const uint8_t *bytes, size_t length)
{
    uint8_t *copy = malloc(length ? length : 1);

    assert_non_null(copy);
    memcpy(copy, bytes, length);
    return copy;
}

enum parse_result parse_client(const uint8_t *bytes, size_t length, struct tls_client *ret_client)
{
    uint8_t *copy = exact(bytes, length);
    enum parse_result result = tls_parse_client(copy, length, ret_client);

    free(copy);
    return result;
}

enum parse_result parse_server(const uint8_t *bytes, size_t length, bool final,
                               struct tls_server *ret_server)
{
    uint8_t *copy = exact(bytes, length);
    enum parse_result result = tls_parse_server(copy, length, final, ret_server);

    free(copy);
    return result;
}

static const uint16_t fox_ciphers[] = {GREASE, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f,
                                       0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014,
                                       0x009c, 0x009d, 0x002f, 0x0035};
static const uint16_t fox_extensions[] = {0x0a0a, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469,
                                          0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012,
                                          0x002b, 0xff01, 0x000b, 0x000a, 0x0015, 0xfafa};
static const uint16_t fox_versions[] = {0xdada, 0x0304, 0x0303};
static const uint16_t fox_signatures[] = {0x0403, 0x0804, 0x0401, 0x0503,
                                          0x0805, 0x0501, 0x0806, 0x0601};

struct recipe fox(void)
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

int tls_setup(void **state)
{
    (void)state;
    return digest_setup();
}
