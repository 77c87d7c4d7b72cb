// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/* LEB128 numbers of the evidence blob: seven bits a byte, the lowest first, the high bit where more
 * follow. */
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"

#define VARINT_SIZE_MAX 10

/* ..., -1, 0, 1, ... to small numbers: 1, 0, 2; of 4 or 8 bytes. */
static inline uint64_t zigzag(uint64_t value, size_t size)
{
    int64_t number = size == 4 ? (int32_t)(uint32_t)value : (int64_t)value;

    return ((uint64_t)number << 1) ^ (number < 0 ? UINT64_MAX : 0);
}

static inline uint64_t zagzig(uint64_t value)
{
    return (value >> 1) ^ (value & 1 ? UINT64_MAX : 0);
}

/* Returns how many bytes it took, VARINT_SIZE_MAX at most. */
static inline size_t varint_write(uint8_t *at, uint64_t value)
{
    size_t length = 0;

    while (value >= 0x80) {
        at[length++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    at[length++] = (uint8_t)value;
    return length;
}

/* 0 where the cursor fails. */
static inline uint64_t varint_read(struct cursor *cursor)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = cursor_u8(cursor);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            cursor->failed |= shift == 63 && byte > 1;
            return cursor->failed ? 0 : value;
        }
    }
    cursor->failed = true;
    return 0;
}
