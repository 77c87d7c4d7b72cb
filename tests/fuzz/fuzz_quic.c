// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One flow. After the first byte the input is a row of pieces, each with its length in two bytes
 * before it. An odd first byte makes them datagrams; an even one the frames of packets already
 * decrypted, since no fuzzer finds a good tag.
 */
#include <stdlib.h>
#include <string.h>

#include "probe/inspect/quic_frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
    if (!good) {
        abort();
    }
}

static void check_assembly(const struct quic_assembly *assembly)
{
    check(assembly->range_count <= QUIC_RANGES_MAX &&
          assembly->cid_length <= sizeof(assembly->cid));
    for (unsigned i = 0; i < assembly->range_count; i++) {
        check(assembly->ranges[i].start < assembly->ranges[i].end);
        check(assembly->ranges[i].end <= QUIC_CRYPTO_MAX);
        check(i == 0 || assembly->ranges[i - 1].end < assembly->ranges[i].start);
    }
}

/* A copy of its own, so that the sanitizer sees a read beyond the end. */
static void fuzz_piece(const uint8_t *bytes, size_t length, bool datagram,
                       struct quic_assembly *assembly)
{
    uint8_t *copy = malloc(length ? length : 1);
    struct tls_client client;
    uint32_t version;

    check(copy != NULL);
    memcpy(copy, bytes, length);
    if (datagram) {
        (void)quic_parse_client(copy, length, assembly, &client);
        (void)quic_parse_server(copy, length);
        (void)quic_is_long_header(copy, length, &version);
    } else {
        (void)quic_read_frames(copy, length, assembly);
        (void)quic_read_hello(assembly, &client);
    }
    check(memchr(client.host, '\0', sizeof(client.host)) != NULL);
    check_assembly(assembly);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct quic_assembly assembly;
    struct cursor c = cursor_init(data, size);
    bool datagrams = (cursor_u8(&c) & 1) != 0;

    (void)digest_setup();
    memset(&assembly, 0, sizeof(assembly));
    while (cursor_left(&c) >= 2) {
        size_t length = cursor_u16(&c);
        if (length > cursor_left(&c)) {
            length = cursor_left(&c);
        }
        const uint8_t *piece = cursor_bytes(&c, length);
        fuzz_piece(piece, length, datagrams, &assembly);
    }
    return 0;
}
