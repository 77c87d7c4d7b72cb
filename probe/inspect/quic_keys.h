// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Keys of the client's Initial packets, which anybody on the way can make (RFC 9001 5.2, 5.3, 5.4).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUIC_CID_MAX     20u
#define QUIC_SAMPLE_SIZE 16u
#define QUIC_TAG_SIZE    16u
#define QUIC_MASK_SIZE   5u

#define QUIC_VERSION_1 0x00000001u
#define QUIC_VERSION_2 0x6b3343cfu

struct quic_keys {
    uint8_t key[16], iv[12], header_key[16];
};

/* Is the salt of this version known? */
bool quic_knows_version(uint32_t version);
bool quic_derive_keys(uint32_t version, const uint8_t *cid, size_t cid_length,
                      struct quic_keys *ret_keys);
/* The mask that hides the first byte and the packet number. */
bool quic_header_mask(const struct quic_keys *keys, const uint8_t sample[QUIC_SAMPLE_SIZE],
                      uint8_t ret_mask[QUIC_MASK_SIZE]);

/* A packet's parts: the header in the clear is first byte, `header` (all up to the packet number)
 * and packet number. */
struct quic_sealed {
    uint8_t first;
    const uint8_t *header;
    size_t header_length;
    uint8_t number[4];
    size_t number_length;
    const uint8_t *payload; /* the tag at its end is counted in */
    size_t payload_length;
};

/* False if the tag is wrong. `ret_plain` has room for payload_length - QUIC_TAG_SIZE bytes. */
bool quic_open(const struct quic_keys *keys, const struct quic_sealed *sealed, uint8_t *ret_plain);
