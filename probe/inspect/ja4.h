// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * JA4, the TLS client fingerprint: https://github.com/FoxIO-LLC/ja4, technical_details/JA4.md (the
 * method of the client fingerprint is under the BSD licence; the other members of JA4+ are not, and
 * are not here).
 */
#include "base/cursor.h"
#include "probe/inspect/tls.h"

struct ja4_hello {
    char transport;   /* 't', 'q' or 'd' */
    uint16_t version; /* the greatest offered */
    bool has_sni;
    const uint8_t *alpn; /* the first protocol; NULL for none */
    size_t alpn_length;
    struct cursor ciphers;    /* 16-bit numbers */
    struct cursor extensions; /* type, length, data */
    struct cursor signatures; /* 16-bit numbers; failed or empty for none */
};

/* Lists are hashed up to their first 512 entries: TLS knows some 350 suites and 70 extensions. */
void ja4_compute(const struct ja4_hello *hello, char ret_ja4[TLS_JA4_SIZE]);
