// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/* A ClientHello made by hand, and the parsers behind a guard against reads beyond the end. */
#include "probe/inspect/tls.h"
#include "tests/unit/inspect/samples.h"

#define GREASE 0x1a1a

/* What a hand-made ClientHello has; zero leaves a piece out. */
struct recipe {
    bool dtls;
    uint16_t version;
    const uint16_t *ciphers;
    size_t cipher_count;
    const uint16_t
        *extensions; /* in this order; those with content of their own get it, others are empty */
    size_t extension_count;
    const char *host;
    const char *alpn; /* one protocol */
    const uint16_t *versions;
    size_t version_count;
    const uint16_t *signatures;
    size_t signature_count;
};

/* FoxIO's example: https://github.com/FoxIO-LLC/ja4, technical_details/JA4.md. */
struct recipe fox(void);
void put_hello(struct bytes *b, const struct recipe *recipe);
/* Records of at most `step` bytes each. */
void put_records(struct bytes *b, const struct bytes *message, size_t step);
/* A copy of exactly `length` bytes, so that the sanitizer sees a read beyond them; the caller frees
 * it. */
uint8_t *exact(const uint8_t *bytes, size_t length);
enum parse_result parse_client(const uint8_t *bytes, size_t length, struct tls_client *ret_client);
enum parse_result parse_server(const uint8_t *bytes, size_t length, bool final,
                               struct tls_server *ret_server);
int tls_setup(void **state); /* for a group of tests */
