// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/inspect/tls_internal.h"

#include <string.h>

#include "base/address.h"
#include "probe/inspect/ja4.h"

#define HELLO_RANDOM      32u
#define HELLO_SESSION_MAX 32
#define HELLO_BODY_MIN                                                                             \
    38u /* version, random, three empty lists (SSL 3.0 might even leave out more) */
#define DTLS_HANDSHAKE    22
#define DTLS_RECORD_START 11u /* type, version, epoch, sequence number; the length follows */
#define SSL2_HEADER       9u  /* of the message: type, version, three lengths */

/* A ClientHello under way. */
struct hello {
    struct tls_client *client;
    struct ja4_hello ja4;
    bool dtls;
    bool cut; /* the message goes on beyond the bytes */
};

/* RFC 6066 3: a list with one entry of type host_name. */
static void hello_server_name(struct hello *hello, struct cursor data)
{
    struct tls_client *client = hello->client;
    size_t list_length = cursor_u16(&data);
    struct cursor list = cursor_sub(&data, list_length);
    struct address address;

    client->has_sni = true;
    while (cursor_left(&list) > 0 && client->host[0] == '\0') {
        uint8_t type = cursor_u8(&list);
        size_t length = cursor_u16(&list);
        const uint8_t *name = cursor_bytes(&list, length);
        if (name && type == 0 && parse_copy_host(client->host, name, length)) {
            client->is_literal = address_parse(client->host, &address) == 0;
        }
    }
}

static void hello_alpn(struct hello *hello, struct cursor data)
{
    if (!hello->ja4.alpn) {
        hello->ja4.alpn = tls_first_protocol(data, &hello->ja4.alpn_length);
        if (hello->ja4.alpn) {
            parse_copy_text(hello->client->alpn, sizeof(hello->client->alpn), hello->ja4.alpn,
                            hello->ja4.alpn_length);
        }
    }
}

/* RFC 8446 4.2.1. DTLS counts downwards: 0xfefc is 1.3, 0xfefd is 1.2 (RFC 9147 5.3). */
static void hello_versions(struct hello *hello, struct cursor data)
{
    size_t list_length = cursor_u8(&data);
    struct cursor list = cursor_sub(&data, list_length);
    uint16_t newest = 0;

    while (cursor_left(&list) >= 2) {
        uint16_t version = cursor_u16(&list);
        bool newer = newest == 0 || (hello->dtls ? version < newest : version > newest);
        if (newer && !tls_is_grease(version)) {
            newest = version;
        }
    }
    if (newest != 0) {
        hello->client->max_version = newest;
    }
}

static void hello_signatures(struct hello *hello, struct cursor data)
{
    size_t list_length = cursor_u16(&data);

    hello->ja4.signatures = cursor_sub(&data, list_length);
}

static void hello_extension(struct hello *hello, uint16_t type, struct cursor data)
{
    switch (type) {
    case TLS_EXT_SERVER_NAME:
        hello_server_name(hello, data);
        break;
    case TLS_EXT_ALPN:
        hello_alpn(hello, data);
        break;
    case TLS_EXT_SUPPORTED_VERSIONS:
        hello_versions(hello, data);
        break;
    case TLS_EXT_SIGNATURE_ALGORITHMS:
        hello_signatures(hello, data);
        break;
    case TLS_EXT_ECH:
        hello->client->has_ech = true;
        break;
    case TLS_EXT_ESNI:
        hello->client->has_esni = true;
        break;
    default:
        break;
    }
}

/* All whole extensions. False if the block ends within one, or before its announced length. */
static bool hello_extensions(struct hello *hello, struct cursor *body)
{
    bool whole = true;

    if (cursor_left(body) == 0) {
        hello->ja4.extensions = *body;
        whole = !hello->cut; /* a hello without extensions ends here (RFC 5246 7.4.1.2) */
        goto out;
    }
    size_t announced = cursor_u16(body);
    struct cursor list = tls_take(body, announced);
    hello->ja4.extensions = list;
    whole = cursor_ok(body) && cursor_left(&list) == announced;
    while (cursor_left(&list) > 0) {
        uint16_t type = cursor_u16(&list);
        size_t length = cursor_u16(&list);
        struct cursor data = cursor_sub(&list, length);
        if (!cursor_ok(&list)) {
            whole = false;
            break;
        }
        hello_extension(hello, type, data);
    }
out:
    return whole;
}

/* Versions: 3.x; DTLS's 254.x, and the 1.0 of OpenSSL before it had a number (DTLS1_BAD_VER, seen
 * with AnyConnect). */
static bool hello_is_version(int major, bool dtls)
{
    return dtls ? major == 0xfe || major == 0x01 : major == 0x03;
}

/*
 * The fields before the extensions (RFC 8446 4.1.2, RFC 6347 4.2.1 for the cookie). MORE if cut
 * off, NOT_MINE as soon as a field is impossible.
 */
static enum parse_result hello_fixed(struct hello *hello, struct cursor *body)
{
    enum parse_result result = PARSE_NOT_MINE;
    int major = cursor_peek(body, 0);

    if (major >= 0 && !hello_is_version(major, hello->dtls)) {
        goto out;
    }
    uint16_t version = cursor_u16(body);
    cursor_skip(body, HELLO_RANDOM);
    uint8_t session_length = cursor_u8(body);
    if (session_length > HELLO_SESSION_MAX) {
        goto out;
    }
    cursor_skip(body, session_length);
    if (hello->dtls) {
        cursor_skip(body, cursor_u8(body));
    }
    uint16_t ciphers_length = cursor_u16(body);
    if (ciphers_length % 2 != 0) {
        goto out;
    }
    hello->ja4.ciphers = cursor_sub(body, ciphers_length);
    cursor_skip(body, cursor_u8(body)); /* compression methods */
    if (!cursor_ok(body)) {
        result = hello->cut ? PARSE_MORE : PARSE_NOT_MINE;
        goto out;
    }
    hello->client->hello_version = hello->client->max_version = version;
    result = PARSE_DONE;
out:
    return result;
}

static enum parse_result hello_body(struct hello *hello, struct cursor *body)
{
    struct tls_client *client = hello->client;
    enum parse_result result = hello_fixed(hello, body);

    if (result != PARSE_DONE) {
        goto out;
    }
    bool whole = hello_extensions(hello, body);
    if (hello->cut) {
        result = PARSE_MORE;
        goto out;
    }
    /* Extensions that contradict their lengths: still TLS, but what there is of it makes no
     * fingerprint. */
    client->complete = whole;
    if (whole) {
        hello->ja4.version = client->max_version;
        hello->ja4.has_sni = client->has_sni;
        ja4_compute(&hello->ja4, client->ja4);
    }
out:
    return result;
}

/* message_seq, fragment_offset, fragment_length (RFC 6347 4.2.2). Only a first fragment can be
 * read. */
static enum parse_result hello_dtls_fragment(struct cursor *message, uint32_t *length, bool *cut)
{
    enum parse_result result = PARSE_DONE;

    cursor_skip(message, 2);
    uint32_t offset = cursor_u24(message);
    uint32_t fragment_length = cursor_u24(message);
    if (!cursor_ok(message)) {
        result = PARSE_MORE;
    } else if (offset != 0 || fragment_length > *length) {
        result = PARSE_NOT_MINE;
    } else {
        *cut = fragment_length < *length;
        *length = fragment_length;
    }
    return result;
}

static enum parse_result hello_message(struct cursor *message, char transport,
                                       struct tls_client *client)
{
    struct hello hello = {.client = client, .dtls = transport == 'd'};
    enum parse_result result = PARSE_NOT_MINE;
    int type = cursor_peek(message, 0);

    hello.ja4.transport = transport;
    /* No hello is longer than 64 KiB: the first byte of its length is zero. */
    if ((type >= 0 && type != TLS_CLIENT_HELLO) || cursor_peek(message, 1) > 0) {
        goto out;
    }
    cursor_skip(message, 1);
    uint32_t length = cursor_u24(message);
    if (!cursor_ok(message)) {
        result = PARSE_MORE;
        goto out;
    }
    if (length < HELLO_BODY_MIN) {
        goto out;
    }
    if (hello.dtls) {
        result = hello_dtls_fragment(message, &length, &hello.cut);
        if (result != PARSE_DONE) {
            goto out;
        }
    }
    struct cursor body = tls_take(message, length);
    hello.cut = hello.cut || cursor_left(&body) < length;
    result = hello_body(&hello, &body);
out:
    return result;
}

enum parse_result tls_parse_client_hello(const uint8_t *bytes, size_t length, char transport,
                                         struct tls_client *ret_client)
{
    struct cursor c = cursor_init(bytes, length);

    memset(ret_client, 0, sizeof(*ret_client));
    /* A whole DTLS datagram is welcome too: no handshake message has the number of a handshake
     * record. */
    if (transport == 'd' && cursor_peek(&c, 0) == DTLS_HANDSHAKE) {
        cursor_skip(&c, 1);
        ret_client->record_version = cursor_u16(&c);
        cursor_skip(&c, DTLS_RECORD_START - 3);
        size_t payload = cursor_u16(&c);
        c = tls_take(&c, payload);
    }
    enum parse_result result = hello_message(&c, transport, ret_client);
    if (result == PARSE_NOT_MINE) {
        memset(ret_client, 0, sizeof(*ret_client));
    }
    return result;
}

/* A hello in SSL 2.0's frame (RFC 5246 E.2), which old clients sent to offer newer versions. */
static enum parse_result client_ssl2(struct cursor *c, struct tls_client *client)
{
    enum parse_result result = PARSE_NOT_MINE;
    int type = cursor_peek(c, 2), major = cursor_peek(c, 3), minor = cursor_peek(c, 4);

    if ((type >= 0 && type != TLS_CLIENT_HELLO) || major > 3 || (major == 0 && minor > 2) ||
        (major > 0 && major < 3) || minor > 4) {
        goto out;
    }
    size_t frame = cursor_u16(c) & 0x7fff;
    struct cursor message = tls_take(c, frame);
    cursor_skip(&message, 1);
    uint16_t version = cursor_u16(&message);
    size_t ciphers = cursor_u16(&message), session = cursor_u16(&message);
    size_t challenge = cursor_u16(&message);
    if (!cursor_ok(c) || (!cursor_ok(&message) && frame >= SSL2_HEADER)) {
        result = PARSE_MORE;
        goto out;
    }
    if (!cursor_ok(&message) || version < 2 || ciphers == 0 || ciphers % 3 != 0 ||
        (session != 0 && session != 16) || challenge < 16 || challenge > 32 ||
        frame != SSL2_HEADER + ciphers + session + challenge) {
        goto out;
    }
    client->record_version = 0x0002;
    client->hello_version = client->max_version = version;
    client->complete = cursor_left(&message) == ciphers + session + challenge;
    result = client->complete ? PARSE_DONE : PARSE_MORE;
out:
    return result;
}

static enum parse_result client_records(struct cursor *c, struct tls_client *client)
{
    struct tls_handshakes handshakes;
    enum parse_result result = PARSE_NOT_MINE;
    struct cursor header = *c;

    cursor_skip(&header, 1);
    uint16_t version = cursor_u16(&header);
    tls_handshakes_init(&handshakes);
    enum tls_stop stop = tls_join_records(c, &handshakes);
    if (handshakes.length == 0 && stop != TLS_STOP_CUT) {
        goto out;
    }
    client->record_version = version;
    struct cursor message = cursor_init(handshakes.bytes, handshakes.length);
    result = hello_message(&message, 't', client);
    if (result == PARSE_MORE && handshakes.overflow) {
        result = PARSE_DONE; /* longer than we read: more bytes would not help */
    } else if (result == PARSE_MORE && stop != TLS_STOP_CUT) {
        result = PARSE_NOT_MINE; /* something else in the middle of the hello */
    }
out:
    return result;
}

enum parse_result tls_parse_client(const uint8_t *bytes, size_t length,
                                   struct tls_client *ret_client)
{
    struct cursor c = cursor_init(bytes, length);
    enum parse_result result = PARSE_MORE;
    int first = cursor_peek(&c, 0);

    memset(ret_client, 0, sizeof(*ret_client));
    if (first == TLS_HANDSHAKE) {
        result = client_records(&c, ret_client);
    } else if (first >= 0x80) {
        result = client_ssl2(&c, ret_client);
    } else if (first >= 0) {
        result = PARSE_NOT_MINE;
    }
    if (result == PARSE_NOT_MINE) {
        memset(ret_client, 0, sizeof(*ret_client));
    }
    return result;
}
