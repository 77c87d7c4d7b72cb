// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * What the parsers of this room have in common.
 *
 * A parser is a pure function of bytes: the first bytes of one direction of a TCP stream, in order
 * and without holes, or one datagram. It keeps no state, never reads outside the bytes
 * (base/cursor.h), and bounds everything it writes. Names it returns are lower case, NUL-terminated
 * and hold only printable ASCII: any other byte makes the name invalid and it is left empty.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum parse_result {
    PARSE_NOT_MINE, /* another protocol: do not ask again */
    PARSE_MORE, /* may be mine: ask again with more bytes (what is known so far is already written)
                 */
    PARSE_DONE  /* mine, and nothing more to learn from this direction */
};

#define PARSE_HOST_SIZE 256 /* a DNS name and its NUL */

/*
 * Copies `length` bytes as a host name: lower case, without a trailing dot, letters, digits, '-',
 * '_', '.' and '*' only, at most 253 bytes. False, and an empty name, for anything else. An address
 * literal is a valid name here.
 */
bool parse_copy_host(char ret_host[PARSE_HOST_SIZE], const uint8_t *bytes, size_t length);
/* Copies printable ASCII up to `size` - 1 bytes (cut beyond); other bytes become '?'. */
void parse_copy_text(char *ret_text, size_t size, const uint8_t *bytes, size_t length);
