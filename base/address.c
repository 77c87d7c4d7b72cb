// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/address.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "base/array.h"
#include "base/status.h"

#define V4_BITS_BEFORE 96u

int address_parse(const char *text, struct address *ret_address)
{
    uint8_t v4[4];
    struct address v6;
    int status = DL_OK;

    if (inet_pton(AF_INET, text, v4) == 1) {
        *ret_address = address_from_v4(v4);
    } else if (inet_pton(AF_INET6, text, v6.bytes) == 1) {
        *ret_address = v6;
    } else {
        status = DL_MALFORMED;
    }
    return status;
}

char *address_format(const struct address *address, char text[ADDRESS_TEXT_SIZE])
{
    bool v4 = address_is_v4(address);
    const uint8_t *bytes = v4 ? address->bytes + 12 : address->bytes;

    if (!inet_ntop(v4 ? AF_INET : AF_INET6, bytes, text, ADDRESS_TEXT_SIZE)) {
        text[0] = '\0';
    }
    return text;
}

/* One to three digits without a leading zero; -1 for anything else. */
static int prefix_parse_bits(const char *text)
{
    size_t length = strspn(text, "0123456789");
    int bits = 0;

    if (length == 0 || length > 3 || text[length] != '\0' || (text[0] == '0' && length > 1)) {
        return -1;
    }
    for (size_t i = 0; i < length; i++) {
        bits = bits * 10 + (text[i] - '0');
    }
    return bits;
}

static bool prefix_has_host_bits(const struct prefix *prefix)
{
    size_t whole = prefix->bits / 8;
    uint8_t rest = 0;

    if (whole < sizeof(prefix->address.bytes)) {
        rest = prefix->address.bytes[whole] & (uint8_t)(0xff >> prefix->bits % 8);
    }
    for (size_t i = whole + 1; i < sizeof(prefix->address.bytes); i++) {
        rest |= prefix->address.bytes[i];
    }
    return rest != 0;
}

int prefix_parse(const char *text, struct prefix *ret_prefix)
{
    const char *slash = strchrnul(text, '/');
    size_t length = (size_t)(slash - text);
    char address_text[ADDRESS_TEXT_SIZE];
    struct prefix prefix = {.bits = 128};
    int status = DL_MALFORMED;

    if (length >= sizeof(address_text)) {
        goto out;
    }
    memcpy(address_text, text, length);
    address_text[length] = '\0';
    if (address_parse(address_text, &prefix.address) != DL_OK) {
        goto out;
    }
    if (*slash == '/') {
        /* ::ffff:192.0.2.0/120 is written as IPv6 and counts all 128 bits. */
        unsigned before = strchr(address_text, ':') ? 0 : V4_BITS_BEFORE;
        int bits = prefix_parse_bits(slash + 1);
        if (bits < 0 || (unsigned)bits + before > 128) {
            goto out;
        }
        prefix.bits = (uint8_t)((unsigned)bits + before);
    }
    if (prefix_has_host_bits(&prefix)) {
        goto out;
    }
    *ret_prefix = prefix;
    status = DL_OK;
out:
    return status;
}

bool prefix_contains(const struct prefix *prefix, const struct address *address)
{
    size_t whole = prefix->bits / 8;
    unsigned rest = prefix->bits % 8;

    if (prefix->bits > 128 || memcmp(prefix->address.bytes, address->bytes, whole) != 0) {
        return false;
    }
    if (rest == 0) {
        return true;
    }
    return (prefix->address.bytes[whole] ^ address->bytes[whole]) >> (8 - rest) == 0;
}

#define V4_PREFIX(a, b, c, d, n)                                                                   \
    {                                                                                              \
        {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}}, V4_BITS_BEFORE + (n)             \
    }

bool address_is_private(const struct address *address)
{
    static const struct prefix v4[] = {
        V4_PREFIX(0, 0, 0, 0, 8),          /* "this network", with the unspecified address */
        V4_PREFIX(10, 0, 0, 0, 8),         /* RFC 1918 */
        V4_PREFIX(100, 64, 0, 0, 10),      /* RFC 6598 */
        V4_PREFIX(127, 0, 0, 0, 8),        /* loopback */
        V4_PREFIX(169, 254, 0, 0, 16),     /* link-local */
        V4_PREFIX(172, 16, 0, 0, 12),      /* RFC 1918 */
        V4_PREFIX(192, 168, 0, 0, 16),     /* RFC 1918 */
        V4_PREFIX(224, 0, 0, 0, 4),        /* multicast */
        V4_PREFIX(255, 255, 255, 255, 32), /* broadcast */
    };
    static const struct prefix v6[] = {
        {{{0}}, 128},                                              /* unspecified */
        {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}, 128}, /* loopback */
        {{{0xfc}}, 7},                                             /* unique local */
        {{{0xfe, 0x80}}, 10},                                      /* link-local */
        {{{0xff}}, 8},                                             /* multicast */
    };
    bool is_v4 = address_is_v4(address);
    const struct prefix *prefixes = is_v4 ? v4 : v6;
    size_t count = is_v4 ? ARRAY_LENGTH(v4) : ARRAY_LENGTH(v6);
    bool found = false;

    for (size_t i = 0; i < count && !found; i++) {
        found = prefix_contains(&prefixes[i], address);
    }
    return found;
}

bool address_is_bogon(const struct address *address)
{
    return address_is_private(address) ||
           (address_is_v4(address) && (address->bytes[12] == 0 || address->bytes[12] >= 240));
}
