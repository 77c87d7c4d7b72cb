// SPDX-License-Identifier: GPL-3.0-or-later
#include "probe/inspect/parse.h"

#include <string.h>

#include "base/address.h"

#define HOST_NAME_MAX_BYTES 253u

/* By byte: what it becomes in a name, 0 where it is no part of one. Names are read by the million. */
#define SAME(c)  [c] = (c)
#define LOWER(c) [c] = (c), [(c) - 'a' + 'A'] = (c)
static const char host_bytes[256] = {
    LOWER('a'), LOWER('b'), LOWER('c'), LOWER('d'), LOWER('e'), LOWER('f'), LOWER('g'),
    LOWER('h'), LOWER('i'), LOWER('j'), LOWER('k'), LOWER('l'), LOWER('m'), LOWER('n'),
    LOWER('o'), LOWER('p'), LOWER('q'), LOWER('r'), LOWER('s'), LOWER('t'), LOWER('u'),
    LOWER('v'), LOWER('w'), LOWER('x'), LOWER('y'), LOWER('z'), SAME('0'),  SAME('1'),
    SAME('2'),  SAME('3'),  SAME('4'),  SAME('5'),  SAME('6'),  SAME('7'),  SAME('8'),
    SAME('9'),  SAME('-'),  SAME('_'),  SAME('.'),  SAME('*'),  SAME(':'),
};

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
        char c = host_bytes[bytes[i]];
        valid &= c != 0;
        colon |= c == ':';
        ret_host[i] = c;
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
