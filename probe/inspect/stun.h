// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * STUN and TURN (RFC 8489, RFC 8656; classic RFC 3489), DTLS records (RFC 6347, RFC 9147).
 */
#include "probe/inspect/parse.h"
#include "probe/inspect/tls.h"

struct stun_message {
    uint16_t type; /* as on the wire: 0x0001 binding request, 0x0101 success ... */
    bool classic;  /* without the magic cookie: weak evidence */
    bool is_turn;  /* allocate, refresh, send, data, create-permission, channel-bind */
    char software[64];
    char realm[PARSE_HOST_SIZE];
};

enum parse_result stun_parse(const uint8_t *bytes, size_t length, struct stun_message *ret_message);
/* A DTLS record; `ret_client` is filled where it is an unfragmented ClientHello (host ""
 * otherwise). */
enum parse_result dtls_parse(const uint8_t *bytes, size_t length, struct tls_client *ret_client);
