// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/inspect/parse.h"

#include <string.h>

#include "base/address.h"

#define HOST_NAME_MAX_BYTES 253u

static char parse_lower(uint8_t byte)
{
    return (char)(byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte);
}

static bool parse_is_host_byte(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '_' || byte == '.' || byte == '*';
}

/* Colons are no part of a name: they are good only where the whole of it is an IPv6 address. */
static bool parse_is_v6_literal(const char *host)
{
    struct address address;

    return address_parse(host, &address) == 0;
}

bool parse_copy_host(char ret_host[PARSE_HOST_SIZE], const uint8_t *bytes, size_t length)
{
    bool valid = true, colon = false;

    memset(ret_host, 0, PARSE_HOST_SIZE);
    if (length > 0 && bytes[length - 1] == '.') {
        length--;
    }
    if (length == 0 || length > HOST_NAME_MAX_BYTES) {
        valid = false;
        goto out;
    }
    for (size_t i = 0; i < length; i++) {
        valid = valid && (parse_is_host_byte(bytes[i]) || bytes[i] == ':');
        colon = colon || bytes[i] == ':';
        ret_host[i] = parse_lower(bytes[i]);
    }
    if (valid && colon) {
        valid = parse_is_v6_literal(ret_host);
    }
out:
    if (!valid) {
        memset(ret_host, 0, PARSE_HOST_SIZE);
    }
    return valid;
}

void parse_copy_text(char *ret_text, size_t size, const uint8_t *bytes, size_t length)
{
    size_t kept = size == 0 ? 0 : size - 1;

    if (kept > length) {
        kept = length;
    }
    for (size_t i = 0; i < kept; i++) {
        ret_text[i] = (char)(bytes[i] >= 0x20 && bytes[i] < 0x7f ? bytes[i] : '?');
    }
    if (size > 0) {
        memset(ret_text + kept, 0, size - kept);
    }
}
