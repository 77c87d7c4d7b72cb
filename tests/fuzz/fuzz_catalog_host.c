// SPDX-License-Identifier: GPL-3.0-or-later
/* Host names and first payloads of strangers against the catalog of the source tree: transport,
 * port, then the name. */
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* Kept until the process ends. */
static const struct catalog *shared_catalog(void)
{
    static struct catalog *catalog;

    if (!catalog) {
        require(catalog_load(&catalog, DARKLINE_SOURCE_CATALOG_DIR, NULL) == DL_OK);
    }
    return catalog;
}

static void require_known(const struct catalog *catalog, const struct catalog_match *match)
{
    require(catalog_service_at(catalog, match->service) != NULL);
}

/* Case and a trailing dot must not matter. */
static void try_host(const struct catalog *catalog, const char *host, size_t length,
                     enum transport transport, uint16_t port)
{
    struct catalog_match match = {0}, other = {0};
    bool found = catalog_match_host(catalog, host, length, transport, port, &match);
    char changed[256];

    if (found) {
        require_known(catalog, &match);
    }
    require(!catalog_is_watched(catalog, host, length));
    if (length == 0 || length > 253 || host[length - 1] == '.') {
        return;
    }
    for (size_t i = 0; i < length; i++) {
        changed[i] = host[i] >= 'a' && host[i] <= 'z' ? (char)(host[i] - 'a' + 'A') : host[i];
    }
    changed[length] = '.';
    require(catalog_match_host(catalog, changed, length + 1, transport, port, &other) == found);
    require(match.service == other.service && match.role == other.role);
}

static void try_wire(const struct catalog *catalog, const uint8_t *bytes, size_t length,
                     enum transport transport, uint16_t port)
{
    size_t half = length / 2;
    struct catalog_wire_sample sample = {
        .transport = transport,
        .server_port = port,
        .first = {length > 0 ? bytes : NULL, length > 1 ? bytes + half : NULL},
        .first_captured = {half, length - half},
        .lengths = {{(uint16_t)half, 191}, {(uint16_t)(length - half)}},
        .length_count = {2, 1},
        .client_first = length % 2 == 0};
    struct catalog_wire_match match;

    if (catalog_match_wire(catalog, &sample, &match)) {
        require_known(catalog, &match.match);
        require(match.certainty != CERTAINTY_CERTAIN);
    }
    (void)catalog_wire_wants_more(catalog, &sample);
}

static void try_words(const struct catalog *catalog, const char *bytes, size_t length)
{
    char *text = strndup(bytes, length);
    struct catalog_match match;

    require(text != NULL);
    if (catalog_match_certificate(catalog, text, text, &match) ||
        catalog_match_ndpi(catalog, text, &match) || catalog_match_alpn(catalog, text, &match)) {
        require_known(catalog, &match);
    }
    free(text);
}

static void try_address(const struct catalog *catalog, const uint8_t *bytes, size_t length,
                        enum transport transport, uint16_t port)
{
    struct catalog_match matches[4];
    struct address address = {{0}};
    size_t count;

    if (length < 4) {
        return;
    }
    if (length < 16) {
        address = address_from_v4(bytes);
    } else {
        memcpy(address.bytes, bytes, 16);
    }
    count = catalog_match_address(catalog, &address, transport, port, matches, 4);
    for (size_t i = 0; i < count && i < 4; i++) {
        require_known(catalog, &matches[i]);
    }
    (void)catalog_match_port(catalog, transport, port, matches, 4);
    (void)catalog_carrier_by_address(catalog, &address);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct catalog *catalog = shared_catalog();
    enum transport transport;
    uint16_t port;

    if (size < 3) {
        return 0;
    }
    transport = (enum transport)(data[0] % 4);
    port = (uint16_t)(data[1] << 8 | data[2]);
    try_host(catalog, (const char *)data + 3, size - 3, transport, port);
    try_wire(catalog, data + 3, size - 3, transport, port);
    try_words(catalog, (const char *)data + 3, size - 3);
    try_address(catalog, data + 3, size - 3, transport, port);
    return 0;
}
