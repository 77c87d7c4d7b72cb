// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/inspect/stun.h"

#include "base/cursor.h"

#define STUN_HEADER_SIZE 20
#define STUN_COOKIE      0x2112a442
#define STUN_LENGTH_MAX  2048 /* TURN's DATA carries one datagram */
#define STUN_REALM       0x0014
#define STUN_SOFTWARE    0x8022

#define STUN_MS_COOKIE       0x000f /* [MS-TURN] 2.2.2.1 */
#define STUN_MS_COOKIE_VALUE 0x72c64bc6

/* Methods, RFC 8489 18.2, RFC 8656 17, RFC 6062 6.1; 2 was shared secret in RFC 3489. */
enum { STUN_BINDING = 1, STUN_SHARED_SECRET = 2, STUN_ALLOCATE = 3, STUN_METHOD_LAST = 0xc };

#define DTLS_FRAGMENT_MAX  (0x4000 + 2048) /* RFC 6347 4.1: plaintext and what ciphers may add */
#define DTLS_HANDSHAKE     22
#define DTLS_CONTENT_FIRST 20 /* change_cipher_spec */
#define DTLS_CONTENT_LAST  26 /* ACK, RFC 9147 */
#define DTLS_CLIENT_HELLO  1

struct dtls_record {
    uint8_t type;
    uint16_t version, epoch;
    struct cursor fragment;
};

/* The 12 bits of the method lie around those of the class (RFC 8489 5). */
static uint16_t stun_method(uint16_t type)
{
    return (uint16_t)((type & 0x3e00) >> 2 | (type & 0x00e0) >> 1 | (type & 0x000f));
}

/*
 * False if they do not fill the message to its end. Microsoft's TURN, which says so in its first
 * attribute, and others whose messages are of any length do not pad them.
 */
static bool stun_attributes_read(struct cursor c, struct stun_message *ret_message)
{
    bool padded = cursor_left(&c) % 4 == 0;

    while (cursor_left(&c) > 0) {
        uint16_t type = cursor_u16(&c), length = cursor_u16(&c);
        struct cursor value = cursor_sub(&c, length);
        if (cursor_ok(&value) && type == STUN_SOFTWARE) {
            parse_copy_text(ret_message->software, sizeof(ret_message->software), value.at, length);
        } else if (cursor_ok(&value) && type == STUN_REALM) {
            (void)parse_copy_host(ret_message->realm, value.at, length);
        } else if (type == STUN_MS_COOKIE && cursor_u32(&value) == STUN_MS_COOKIE_VALUE) {
            padded = false;
        }
        cursor_skip(&c, padded ? (4 - length % 4) % 4 : 0);
    }
    return cursor_ok(&c);
}

/* Without a cookie only the few types of RFC 3489 (and the first TURN's allocate). */
static bool stun_is_classic(uint16_t type, uint16_t length)
{
    uint16_t class = type & 0x0110, method = stun_method(type);
    bool known = method == STUN_BINDING || method == STUN_SHARED_SECRET || method == STUN_ALLOCATE;

    return known && class != 0x0010 && (class == 0 || length > 0);
}

enum parse_result stun_parse(const uint8_t *bytes, size_t length, struct stun_message *ret_message)
{
    struct cursor c = cursor_init(bytes, length);
    enum parse_result result = PARSE_NOT_MINE;

    memset(ret_message, 0, sizeof(*ret_message));
    uint16_t type = cursor_u16(&c), body = cursor_u16(&c), method = stun_method(type);
    bool cookie = cursor_u32(&c) == STUN_COOKIE;
    bool exact = length == (size_t)STUN_HEADER_SIZE + body;
    /* WhatsApp and Microsoft send lengths that are no multiple of 4, in datagrams. */
    if (!cursor_ok(&c) || type & 0xc000 || body > STUN_LENGTH_MAX ||
        (body % 4 != 0 && !(cookie && exact))) {
        goto out;
    }
    ret_message->type = type;
    ret_message->classic = !cookie;
    ret_message->is_turn = method >= STUN_ALLOCATE && method <= STUN_METHOD_LAST;
    cursor_skip(&c, STUN_HEADER_SIZE - 8); /* the transaction's id */
    struct cursor attributes = cursor_sub(&c, body);
    if (cookie) {
        (void)stun_attributes_read(attributes, ret_message);
        result = cursor_ok(&attributes) ? PARSE_DONE : PARSE_MORE;
    } else if (exact && stun_is_classic(type, body) &&
               stun_attributes_read(attributes, ret_message)) {
        result = PARSE_DONE;
    }
out:
    if (result == PARSE_NOT_MINE) {
        memset(ret_message, 0, sizeof(*ret_message));
    }
    return result;
}

/* RFC 6347 4.1. Versions count downwards from 1.0, 0xfeff; OpenSSL's first one, still Cisco's, says
 * 0x0100. */
static bool dtls_record_read(struct cursor *c, struct dtls_record *ret_record)
{
    ret_record->type = cursor_u8(c);
    ret_record->version = cursor_u16(c);
    ret_record->epoch = cursor_u16(c);
    cursor_skip(c, 6);
    uint16_t length = cursor_u16(c);
    ret_record->fragment = cursor_sub(c, length);
    return cursor_ok(c) && length > 0 && length <= DTLS_FRAGMENT_MAX &&
           ret_record->type >= DTLS_CONTENT_FIRST && ret_record->type <= DTLS_CONTENT_LAST &&
           (ret_record->version == 0xfeff || ret_record->version == 0xfefd ||
            ret_record->version == 0x0100);
}

/* A plain handshake record's first message: false if it contradicts itself. */
static bool dtls_handshake_read(struct cursor message, struct tls_client *ret_client)
{
    struct cursor c = message;
    uint8_t type = cursor_u8(&c);
    uint32_t length = cursor_u24(&c);
    cursor_skip(&c, 2); /* message_seq */
    uint32_t offset = cursor_u24(&c), fragment = cursor_u24(&c);
    cursor_skip(&c, fragment);
    bool ok = cursor_ok(&c) && offset + fragment <= length;

    /* The cookie and the fields for fragments (RFC 6347 4.2) are known there. */
    if (ok && type == DTLS_CLIENT_HELLO && fragment == length &&
        tls_parse_client_hello(message.at, (size_t)(c.at - message.at), 'd', ret_client) ==
            PARSE_NOT_MINE) {
        memset(ret_client, 0, sizeof(*ret_client));
    }
    return ok;
}

enum parse_result dtls_parse(const uint8_t *bytes, size_t length, struct tls_client *ret_client)
{
    struct cursor c = cursor_init(bytes, length);
    struct dtls_record record;
    enum parse_result result = PARSE_NOT_MINE;

    memset(ret_client, 0, sizeof(*ret_client));
    if (!dtls_record_read(&c, &record)) {
        goto out;
    }
    if (record.type == DTLS_HANDSHAKE && record.epoch == 0 &&
        !dtls_handshake_read(record.fragment, ret_client)) {
        goto out;
    }
    ret_client->record_version = record.version;
    result = PARSE_DONE;
out:
    return result;
}
