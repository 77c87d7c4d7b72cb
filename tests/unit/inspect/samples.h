// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * Bytes for tests: from hex, and built piece by piece with lengths filled in afterwards.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
    size_t length;
    uint8_t at[32768];
};

static inline unsigned sample_digit(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static inline void put_hex(struct bytes *b, const char *hex)
{
    for (; hex[0] && hex[1]; hex += 2) {
        b->at[b->length++] = (uint8_t)(sample_digit(hex[0]) << 4 | sample_digit(hex[1]));
    }
}

static inline void put(struct bytes *b, const void *bytes, size_t length)
{
    memcpy(b->at + b->length, bytes, length);
    b->length += length;
}

static inline void put_u8(struct bytes *b, unsigned value)
{
    b->at[b->length++] = (uint8_t)value;
}

static inline void put_u16(struct bytes *b, unsigned value)
{
    put_u8(b, value >> 8);
    put_u8(b, value & 0xff);
}

static inline void put_u24(struct bytes *b, unsigned value)
{
    put_u8(b, value >> 16);
    put_u16(b, value & 0xffff);
}

/* Room for a length of `size` bytes; put_end() fills it in with what came since. */
static inline size_t put_start(struct bytes *b, size_t size)
{
    memset(b->at + b->length, 0, size);
    b->length += size;
    return b->length;
}

static inline void put_end(struct bytes *b, size_t start, size_t size)
{
    size_t value = b->length - start;

    for (size_t i = 1; i <= size; i++, value >>= 8) {
        b->at[start - i] = (uint8_t)value;
    }
}
