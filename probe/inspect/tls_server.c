// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/inspect/tls_internal.h"

#include <string.h>

#define SERVER_RANDOM      32u
#define SERVER_SESSION_MAX 32
#define SERVER_TLS13       0x0304
#define SERVER_MAJOR_DRAFT                                                                         \
    0x7f /* drafts of TLS 1.3 before the 22nd said their number here, and had no session id */
#define ALERT_FATAL 2

struct server {
    struct tls_server *tls;
    bool final;    /* no more bytes will come, or more would not help */
    bool finished; /* nothing more to learn */
    bool foreign;  /* no TLS server says this */
};

/* A ServerHello with this random is a HelloRetryRequest (RFC 8446 4.1.3). */
static const uint8_t server_retry_random[SERVER_RANDOM] = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

static void server_extensions(struct tls_server *tls, struct cursor *body)
{
    size_t announced = cursor_u16(body);
    struct cursor list = cursor_sub(body, announced);

    while (cursor_left(&list) > 0) {
        uint16_t type = cursor_u16(&list);
        size_t length = cursor_u16(&list);
        struct cursor data = cursor_sub(&list, length);
        if (type == TLS_EXT_SUPPORTED_VERSIONS && cursor_left(&data) == 2) {
            tls->version = cursor_u16(&data);
        } else if (type == TLS_EXT_ALPN) {
            size_t protocol_length;
            const uint8_t *protocol = tls_first_protocol(data, &protocol_length);
            parse_copy_text(tls->alpn, sizeof(tls->alpn), protocol, protocol_length);
        }
    }
}

static void server_hello(struct server *server, struct cursor body)
{
    struct tls_server *tls = server->tls;
    uint16_t version = cursor_u16(&body);
    const uint8_t *random = cursor_bytes(&body, SERVER_RANDOM);
    bool draft = version >> 8 == SERVER_MAJOR_DRAFT;
    uint8_t session_length = draft ? 0 : cursor_u8(&body);

    cursor_skip(&body, session_length);
    uint16_t cipher = cursor_u16(&body);
    cursor_skip(&body, draft ? 0 : 1); /* compression method */
    if (!cursor_ok(&body) || session_length > SERVER_SESSION_MAX || (version >> 8 != 3 && !draft)) {
        server->foreign = true;
        return;
    }
    tls->version = version;
    tls->cipher = cipher;
    server_extensions(tls, &body);
    if (memcmp(random, server_retry_random, SERVER_RANDOM) == 0) {
        tls->hello_retry = true;
    } else {
        tls->hello = true;
        server->finished = tls->version >= SERVER_TLS13;
    }
}

/* The first entry of certificate_list is the server's own (RFC 5246 7.4.2). `cut`: the message goes
 * on beyond the bytes. */
static void server_certificate(struct server *server, struct cursor body, bool cut)
{
    cursor_skip(&body, 3);
    size_t full_length = cursor_u24(&body);
    struct cursor leaf = tls_take(&body, full_length);
    size_t there = cursor_left(&leaf);

    if (!cursor_ok(&body)) {
        server->finished = !cut; /* an empty list */
        return;
    }
    if (there < full_length && cut && !server->final) {
        return;
    }
    if (there > 0) {
        x509_parse(leaf.at, there, full_length, &server->tls->certificate);
    }
    server->finished = true;
}

static void server_messages(struct server *server, const struct tls_handshakes *handshakes)
{
    struct cursor messages = cursor_init(handshakes->bytes, handshakes->length);
    struct cursor body;
    uint32_t full_length;
    uint8_t type;

    while (!server->finished && !server->foreign &&
           tls_next_message(&messages, &type, &body, &full_length)) {
        bool cut = cursor_left(&body) < full_length;
        bool first = !server->tls->hello && !server->tls->hello_retry;
        /* HelloRequest (0) may come at any time; else the server begins with its hello. */
        if (first && type != TLS_SERVER_HELLO && type != 0) {
            server->foreign = true;
        } else if (type == TLS_CERTIFICATE) {
            server_certificate(server, body, cut);
        } else if (type == TLS_SERVER_HELLO && !cut) {
            server_hello(server, body);
        } else if (type == TLS_SERVER_HELLO_DONE) {
            server->finished = true;
        }
    }
}

/* A record that is no handshake. False if it ends what we can read. */
static bool server_other_record(struct server *server, struct cursor *records)
{
    struct tls_server *tls = server->tls;
    int type = cursor_peek(records, 0);
    uint8_t level, description;

    if (type == TLS_ALERT) {
        if (cursor_left(records) < TLS_RECORD_HEADER + 2) {
            return false;
        }
        if (!tls_parse_alert(records->at, cursor_left(records), &level, &description)) {
            server->foreign = !tls->hello && !tls->hello_retry;
            server->finished = true;
            return false;
        }
        tls->alert_level = level;
        tls->alert_description = description;
        /* A warning, as of an unknown name, may come before the hello (RFC 6066 3); close_notify
         * ends it all. */
        server->finished = server->finished || level == ALERT_FATAL || description == 0;
    } else if (type == TLS_CHANGE_CIPHER_SPEC || type == TLS_APPLICATION_DATA) {
        tls->handshake_done = true;
        /* After a HelloRetryRequest it is for middleboxes only, and the hello is still to come (RFC
         * 8446 D.4). */
        server->finished = server->finished || tls->hello || !tls->hello_retry;
    } else {
        server->foreign = !tls->hello;
        server->finished = true;
    }
    cursor_skip(records, TLS_RECORD_HEADER - 2);
    size_t length = cursor_u16(records);
    cursor_skip(records, length);
    return !server->finished && cursor_ok(records);
}

static enum parse_result server_result(const struct server *server, enum tls_stop stop)
{
    const struct tls_server *tls = server->tls;
    bool known = tls->hello || tls->hello_retry || tls->alert_level != 0 || tls->handshake_done;
    enum parse_result result = PARSE_MORE;

    if (server->foreign || (stop == TLS_STOP_BAD && !known)) {
        result = PARSE_NOT_MINE;
    } else if (server->finished || stop == TLS_STOP_BAD || server->final) {
        result = PARSE_DONE;
    }
    if (result == PARSE_DONE && !known && server->final) {
        result = PARSE_NOT_MINE; /* a beginning that never became anything */
    }
    return result;
}

enum parse_result tls_parse_server(const uint8_t *bytes, size_t length, bool final,
                                   struct tls_server *ret_server)
{
    struct server server = {.tls = ret_server, .final = final};
    struct cursor records = cursor_init(bytes, length);
    struct tls_handshakes handshakes;
    enum tls_stop stop;
    bool more = true;

    memset(ret_server, 0, sizeof(*ret_server));
    tls_handshakes_init(&handshakes);
    do {
        stop = tls_join_records(&records, &handshakes);
        if (stop == TLS_STOP_OTHER) {
            /* What the messages before it say decides what it means; they are read again, which
             * costs little. */
            server_messages(&server, &handshakes);
            more = !server.foreign && server_other_record(&server, &records);
        }
    } while (stop == TLS_STOP_OTHER && more);
    server.final = final || handshakes.overflow;
    if (stop != TLS_STOP_OTHER) {
        server_messages(&server, &handshakes);
    }
    enum parse_result result = server_result(&server, stop);
    if (result == PARSE_NOT_MINE) {
        memset(ret_server, 0, sizeof(*ret_server));
    }
    return result;
}
