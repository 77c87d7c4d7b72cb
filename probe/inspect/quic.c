// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/inspect/quic.h"

#include <string.h>

#include "base/cursor.h"
#include "probe/inspect/quic_frames.h"
#include "probe/inspect/quic_keys.h"

#define QUIC_LONG_FORM   0x80u
#define QUIC_FIXED_BIT   0x40u
#define QUIC_PAYLOAD_MAX 9216u /* a jumbo frame; Initials are 1200-1500 bytes */
#define QUIC_PACKETS_MAX 8u    /* of one datagram */
#define QUIC_NUMBER_MAX  4u
#define QUIC_SHORT_MIN   21u /* so that header protection has a sample (RFC 9001 5.4.2) */

enum quic_type { QUIC_INITIAL, QUIC_ZERO_RTT, QUIC_HANDSHAKE, QUIC_RETRY };

/* The header of a packet in long form. */
struct quic_packet {
    uint8_t first;
    uint32_t version;
    enum quic_type type;
    const uint8_t *cid;
    size_t cid_length;
    const uint8_t *start;
    size_t header_length;  /* up to the packet number */
    struct cursor payload; /* from the packet number on */
};

/* What all versions have in common (RFC 8999 5.1). */
static bool quic_invariants(struct cursor *c, struct quic_packet *ret_packet)
{
    memset(ret_packet, 0, sizeof(*ret_packet));
    ret_packet->start = c->at;
    ret_packet->first = cursor_u8(c);
    ret_packet->version = cursor_u32(c);
    ret_packet->cid_length = cursor_u8(c);
    ret_packet->cid = cursor_bytes(c, ret_packet->cid_length);
    cursor_skip(c, cursor_u8(c));
    return cursor_ok(c) && (ret_packet->first & QUIC_LONG_FORM) != 0;
}

/* Version 2 moved the numbers by one (RFC 9369 3.2). */
static enum quic_type quic_packet_type(uint8_t first, uint32_t version)
{
    unsigned bits = first >> 4 & 3u;

    return (enum quic_type)(version == QUIC_VERSION_2 ? (bits + 3) % 4 : bits);
}

/* RFC 9000 17.2. False if it is nothing we could decrypt or step over. */
static bool quic_next_packet(struct cursor *c, struct quic_packet *ret_packet)
{
    if (!quic_invariants(c, ret_packet) || (ret_packet->first & QUIC_FIXED_BIT) == 0 ||
        ret_packet->cid_length > QUIC_CID_MAX || !quic_knows_version(ret_packet->version)) {
        return false;
    }
    ret_packet->type = quic_packet_type(ret_packet->first, ret_packet->version);
    if (ret_packet->type == QUIC_RETRY) {
        return false; /* never from a client */
    }
    if (ret_packet->type == QUIC_INITIAL) {
        uint64_t token_length = quic_varint(c);
        cursor_skip(c, token_length > cursor_left(c) ? SIZE_MAX : (size_t)token_length);
    }
    uint64_t length = quic_varint(c);
    if (!cursor_ok(c) || length > cursor_left(c)) {
        return false;
    }
    ret_packet->header_length = (size_t)(c->at - ret_packet->start);
    ret_packet->payload = cursor_sub(c, (size_t)length);
    return true;
}

/* Takes the header's protection off (RFC 9001 5.4.1) and opens the packet. The length of the plain
 * text, 0 if it fails. */
static size_t quic_decrypt(const struct quic_packet *packet, const uint8_t *cid, size_t cid_length,
                           uint8_t ret_plain[QUIC_PAYLOAD_MAX])
{
    size_t length = cursor_left(&packet->payload), plain_length = 0;
    struct quic_sealed sealed = {.header = packet->start + 1,
                                 .header_length = packet->header_length - 1};
    struct quic_keys keys;
    uint8_t mask[QUIC_MASK_SIZE];
    struct cursor c = packet->payload;

    if (length < QUIC_NUMBER_MAX + QUIC_SAMPLE_SIZE || length > QUIC_PAYLOAD_MAX ||
        !quic_derive_keys(packet->version, cid, cid_length, &keys) ||
        !quic_header_mask(&keys, c.at + QUIC_NUMBER_MAX, mask)) {
        goto out;
    }
    sealed.first = packet->first ^ (mask[0] & 0x0f);
    sealed.number_length = (sealed.first & 3u) + 1;
    for (size_t i = 0; i < sealed.number_length; i++) {
        sealed.number[i] = cursor_u8(&c) ^ mask[1 + i];
    }
    sealed.payload_length = cursor_left(&c);
    sealed.payload = cursor_bytes(&c, sealed.payload_length);
    if (quic_open(&keys, &sealed, ret_plain)) {
        plain_length = sealed.payload_length - QUIC_TAG_SIZE;
    }
out:
    return plain_length;
}

static void quic_start_assembly(const struct quic_packet *packet, struct quic_assembly *assembly)
{
    assembly->range_count = 0;
    assembly->version = packet->version;
    assembly->cid_length = (uint8_t)packet->cid_length;
    memset(assembly->cid, 0, sizeof(assembly->cid));
    memcpy(assembly->cid, packet->cid, packet->cid_length);
}

/*
 * The keys follow from the id the client's first Initial was sent to, also when later ones are sent
 * to the id the server chose. After a Retry they follow from a new one, and the ClientHello is sent
 * anew (RFC 9001 5.2, RFC 9000 17.2.5.2).
 */
static bool quic_read_initial(const struct quic_packet *packet, struct quic_assembly *assembly)
{
    uint8_t plain[QUIC_PAYLOAD_MAX];
    bool begun = assembly->version != 0;
    bool same_cid = begun && packet->cid_length == assembly->cid_length &&
                    memcmp(packet->cid, assembly->cid, assembly->cid_length) == 0;
    size_t length = 0;

    if (begun) {
        length = quic_decrypt(packet, assembly->cid, assembly->cid_length, plain);
    }
    if (length == 0 && !same_cid) {
        length = quic_decrypt(packet, packet->cid, packet->cid_length, plain);
        if (length > 0) {
            quic_start_assembly(packet, assembly);
        }
    }
    if (length > 0) {
        /* A frame we do not know ends the reading, but the tag was right: it is an Initial all the
         * same. */
        (void)quic_read_frames(plain, length, assembly);
    }
    return length > 0;
}

bool quic_is_long_header(const uint8_t *bytes, size_t length, uint32_t *ret_version)
{
    struct cursor c = cursor_init(bytes, length);
    struct quic_packet packet;
    bool found = quic_invariants(&c, &packet);

    *ret_version = found ? packet.version : 0;
    return found;
}

enum parse_result quic_parse_client(const uint8_t *bytes, size_t length,
                                    struct quic_assembly *assembly, struct tls_client *ret_client)
{
    struct cursor c = cursor_init(bytes, length);
    struct quic_packet packet;
    enum parse_result result = PARSE_NOT_MINE;
    bool any = false;

    memset(ret_client, 0, sizeof(*ret_client));
    for (unsigned i = 0; i < QUIC_PACKETS_MAX && quic_next_packet(&c, &packet); i++) {
        if (packet.type == QUIC_INITIAL && quic_read_initial(&packet, assembly)) {
            any = true;
        }
    }
    if (any) {
        result = quic_read_hello(assembly, ret_client);
    }
    return result;
}

/* Version 0, ids, and the versions the server speaks (RFC 8999 6). */
static bool quic_is_negotiation(const struct quic_packet *packet, const struct cursor *c)
{
    return packet->version == 0 && cursor_left(c) >= 4 && cursor_left(c) % 4 == 0;
}

enum quic_server_kind quic_parse_server(const uint8_t *bytes, size_t length)
{
    static const enum quic_server_kind kinds[] = {[QUIC_INITIAL] = QUIC_SERVER_INITIAL,
                                                  [QUIC_ZERO_RTT] = QUIC_SERVER_NONE,
                                                  [QUIC_HANDSHAKE] = QUIC_SERVER_HANDSHAKE,
                                                  [QUIC_RETRY] = QUIC_SERVER_RETRY};
    struct cursor c = cursor_init(bytes, length);
    struct quic_packet packet;
    enum quic_server_kind kind = QUIC_SERVER_NONE;

    if (quic_invariants(&c, &packet)) {
        if (quic_is_negotiation(&packet, &c)) {
            kind = QUIC_SERVER_VERSION_NEGOTIATION;
        } else if ((packet.first & QUIC_FIXED_BIT) != 0 && packet.cid_length <= QUIC_CID_MAX &&
                   quic_knows_version(packet.version)) {
            kind = kinds[quic_packet_type(packet.first, packet.version)];
        }
    } else if (length >= QUIC_SHORT_MIN &&
               (bytes[0] & (QUIC_LONG_FORM | QUIC_FIXED_BIT)) == QUIC_FIXED_BIT) {
        kind = QUIC_SERVER_SHORT;
    }
    return kind;
}
