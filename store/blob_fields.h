// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * The evidence blob, byte by byte: the version, then sections: tag, length (a varint) and as many
 * bytes. A section holds one struct: a mask (a varint) of the fields that are not zero, then these,
 * in the order of the struct's table below. Tables grow at their end only.
 *
 * A varint is LEB128: seven bits a byte, the lowest first, the high bit where more follow.
 */

#include <stddef.h>
#include <stdint.h>

enum field_kind {
    FIELD_UNSIGNED, /* a varint */
    FIELD_STEP,     /* a varint: how far it is (modulo its size) from the field before */
    FIELD_SIGNED,   /* a varint, zigzag */
    FIELD_BOOL,     /* its bit in the mask is all */
    FIELD_TEXT,     /* a varint and as many bytes */
    FIELD_BYTES     /* just as many as it has */
};

struct field {
    uint16_t offset, size;
    uint8_t kind;
    uint8_t maximum; /* 0: what its size can hold */
};

/* Never renumbered: they are in files. The sections of evidence and of dns follow their first. */
enum tag {
    TAG_EVIDENCE = 1,
    TAG_CLIENT = 2,
    TAG_SERVER = 3,
    TAG_SUSPECT = 4, /* once each */
    TAG_ICMP = 5,
    TAG_TLS = 6,
    TAG_CERTIFICATE = 7,
    TAG_HTTP = 8,
    TAG_DNS = 9,
    TAG_ANSWER = 10,  /* once each */
    TAG_ADDRESS = 11, /* once each, of the answer before; no mask but 4 or 16 bytes */
    TAG_PATH = 12,    /* only of a flow without evidence */
    TAG_PACE = 13,
    TAG_PACE_BINS = 14,   /* no mask: per bin bytes * 2, or bytes * 2 + 1, rtt_ms, lost */
    TAG_PACE_LOSSES = 15, /* no mask: per loss the steps of after_us and bytes from the one before
                             (zigzag), rtt_ms, segments * 3 + how */
    TAG_IMPORT = 16,
    TAG_COUNT
};

struct section {
    const struct field *fields;
    size_t count;
};

/* By tag. */
extern const struct section blob_sections[TAG_COUNT];
