// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What the files of the TLS parser share, and nobody else: the record layer (RFC 8446 5.1) and
 * numbers of the registries.
 */
#include "base/cursor.h"
#include "probe/inspect/tls.h"

#define TLS_RECORD_HEADER 5u
#define TLS_RECORD_MAX    ((1u << 14) + 256u)
#define TLS_JOIN_MAX      20480u

enum tls_record_type {
    TLS_CHANGE_CIPHER_SPEC = 20,
    TLS_ALERT = 21,
    TLS_HANDSHAKE = 22,
    TLS_APPLICATION_DATA = 23,
    TLS_HEARTBEAT = 24
};

enum tls_message_type {
    TLS_CLIENT_HELLO = 1,
    TLS_SERVER_HELLO = 2,
    TLS_CERTIFICATE = 11,
    TLS_SERVER_HELLO_DONE = 14
};

enum tls_extension {
    TLS_EXT_SERVER_NAME = 0x0000,
    TLS_EXT_SIGNATURE_ALGORITHMS = 0x000d,
    TLS_EXT_ALPN = 0x0010,
    TLS_EXT_SUPPORTED_VERSIONS = 0x002b,
    TLS_EXT_ECH = 0xfe0d,
    TLS_EXT_ESNI = 0xffce
};

/* Is a record header here? MORE where too few bytes stand to say, DONE for a whole good one. Moves
 * nothing. */
enum parse_result tls_check_record(const struct cursor *records);

/* Handshake messages with the records taken off. */
struct tls_handshakes {
    const uint8_t *bytes; /* in the caller's bytes while one record holds it all, else `joined` */
    size_t length;
    bool overflow; /* more than `joined` can hold: the rest is missing */
    uint8_t joined[TLS_JOIN_MAX];
};

enum tls_stop {
    TLS_STOP_CUT,   /* the bytes ended */
    TLS_STOP_OTHER, /* a record of another type: the cursor is at its header */
    TLS_STOP_BAD    /* no record */
};

void tls_handshakes_init(struct tls_handshakes *handshakes);
/* Appends the payload of handshake records as far as they go, the beginning of a cut one included.
 */
enum tls_stop tls_join_records(struct cursor *records, struct tls_handshakes *handshakes);

/* The next handshake message; its body is cut short (`ret_cut`) where the bytes end. False: not
 * even a header is left. */
bool tls_next_message(struct cursor *messages, uint8_t *ret_type, struct cursor *ret_body,
                      uint32_t *ret_full_length);

/* Takes up to `length` bytes, fewer where there are fewer. */
struct cursor tls_take(struct cursor *cursor, size_t length);

/* The first protocol of an ALPN extension (RFC 7301 3.1); NULL for none. */
const uint8_t *tls_first_protocol(struct cursor extension, size_t *ret_length);

/* Values that only test whether the other side ignores the unknown (RFC 8701). */
static inline bool tls_is_grease(uint16_t value)
{
    return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}
