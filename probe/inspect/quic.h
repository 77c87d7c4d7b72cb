// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * QUIC Initial packets of version 1 (RFC 9000, 9001), version 2 (RFC 9369) and drafts 29-34: the
 * keys follow from the client's connection id, so the ClientHello can be read. A ClientHello may
 * span several CRYPTO frames, packets and datagrams, in any order.
 */
#include "probe/inspect/parse.h"
#include "probe/inspect/tls.h"

#define QUIC_CRYPTO_MAX 4096u
#define QUIC_RANGES_MAX 16u

/* Pieces of the CRYPTO stream of one flow. Zero it to start. */
struct quic_assembly {
    struct {
        uint16_t start, end;
    } ranges[QUIC_RANGES_MAX]; /* of `bytes`, sorted, not touching */
    uint8_t range_count;
    uint8_t cid_length; /* of the client's first destination connection id: the keys of all its
                           Initials */
    uint8_t cid[20];
    uint32_t version;
    uint8_t bytes[QUIC_CRYPTO_MAX];
};

/* Is this the start of a long-header packet of any version (or a version negotiation packet)? Reads
 * the invariants of RFC 8999 only. */
bool quic_is_long_header(const uint8_t *bytes, size_t length, uint32_t *ret_version);

/*
 * One datagram from the client. DONE with a whole ClientHello, MORE while pieces are missing,
 * NOT_MINE if it is no QUIC Initial we can decrypt. The same datagram twice does no harm.
 */
enum parse_result quic_parse_client(const uint8_t *bytes, size_t length,
                                    struct quic_assembly *assembly, struct tls_client *ret_client);

enum quic_server_kind {
    QUIC_SERVER_NONE,
    QUIC_SERVER_INITIAL,
    QUIC_SERVER_HANDSHAKE,
    QUIC_SERVER_RETRY,
    QUIC_SERVER_VERSION_NEGOTIATION,
    QUIC_SERVER_SHORT
};
/* What the first packet of a server's datagram is, by its header alone. */
enum quic_server_kind quic_parse_server(const uint8_t *bytes, size_t length);
