// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * IP addresses and prefixes. One form for both versions: 16 bytes, IPv4 as ::ffff:a.b.c.d (RFC
 * 4291 2.5.5.2).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ADDRESS_TEXT_SIZE 48

struct address {
    uint8_t bytes[16];
};

struct prefix {
    struct address address;
    uint8_t bits; /* 0-128, counted in the 16-byte form: an IPv4 /24 is 120 */
};

static inline struct address address_from_v4(const uint8_t bytes[4])
{
    struct address a = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0}};
    memcpy(a.bytes + 12, bytes, 4);
    return a;
}

static inline bool address_is_v4(const struct address *a)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return memcmp(a->bytes, mapped, sizeof(mapped)) == 0;
}

static inline bool address_equal(const struct address *a, const struct address *b)
{
    return memcmp(a->bytes, b->bytes, 16) == 0;
}

/* Text to address, either version. DL_OK or DL_MALFORMED. */
int address_parse(const char *text, struct address *ret_address);
/* "203.0.113.7" or "2001:db8::1" (RFC 5952). Returns `text`. */
char *address_format(const struct address *address, char text[ADDRESS_TEXT_SIZE]);
/* "203.0.113.0/24", "2001:db8::/32" or a bare address. Host bits must be zero. DL_OK or
 * DL_MALFORMED. */
int prefix_parse(const char *text, struct prefix *ret_prefix);
bool prefix_contains(const struct prefix *prefix, const struct address *address);
/* Not on the public Internet: RFC 1918, RFC 6598 (carrier NAT), loopback, link-local, unique local,
 * unspecified, multicast, broadcast. */
bool address_is_private(const struct address *address);
/* No public name leads there: private, "this network" (0.0.0.0/8) or class E (RFC 6890). */
bool address_is_bogon(const struct address *address);
