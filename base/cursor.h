// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * A bounded cursor: the only way bytes of strangers are read.
 *
 * A small struct, passed by pointer and copied freely. The first read beyond the end makes it
 * `failed`; from then on every read returns 0 or NULL and moves nothing, so a parser reads a dozen
 * fields and asks cursor_ok() once. It never owns the bytes.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cursor {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

static inline struct cursor cursor_init(const void *bytes, size_t length)
{
    const uint8_t *p = bytes;
    return (struct cursor){.at = p, .end = p ? p + length : p, .failed = p == NULL && length > 0};
}

static inline bool cursor_ok(const struct cursor *c)
{
    return !c->failed;
}

/* Bytes not yet read; 0 once failed. */
static inline size_t cursor_left(const struct cursor *c)
{
    return c->failed ? 0 : (size_t)(c->end - c->at);
}

/* The next `length` bytes, and moves past them; NULL (and failed) if there are fewer. */
static inline const uint8_t *cursor_bytes(struct cursor *c, size_t length)
{
    if (c->failed || (size_t)(c->end - c->at) < length) {
        c->failed = true;
        return NULL;
    }
    const uint8_t *p = c->at;
    c->at += length;
    return p;
}

static inline void cursor_skip(struct cursor *c, size_t length)
{
    (void)cursor_bytes(c, length);
}

static inline uint8_t cursor_u8(struct cursor *c)
{
    const uint8_t *p = cursor_bytes(c, 1);
    return p ? p[0] : 0;
}

/* Big-endian (network order) integers. */
static inline uint16_t cursor_u16(struct cursor *c)
{
    const uint8_t *p = cursor_bytes(c, 2);
    return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

static inline uint32_t cursor_u24(struct cursor *c)
{
    const uint8_t *p = cursor_bytes(c, 3);
    return p ? (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2] : 0;
}

static inline uint32_t cursor_u32(struct cursor *c)
{
    const uint8_t *p = cursor_bytes(c, 4);
    return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

static inline uint64_t cursor_u64(struct cursor *c)
{
    uint64_t high = cursor_u32(c);
    uint64_t low = cursor_u32(c);
    return high << 32 | low;
}

/* Little-endian integers. */
static inline uint16_t cursor_le16(struct cursor *c)
{
    const uint8_t *p = cursor_bytes(c, 2);
    return p ? (uint16_t)(p[1] << 8 | p[0]) : 0;
}

static inline uint32_t cursor_le32(struct cursor *c)
{
    const uint8_t *p = cursor_bytes(c, 4);
    return p ? (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0] : 0;
}

/* A cursor over the next `length` bytes, and moves past them; a failed one if there are fewer. */
static inline struct cursor cursor_sub(struct cursor *c, size_t length)
{
    const uint8_t *p = cursor_bytes(c, length);
    struct cursor sub = cursor_init(p, p ? length : 0);
    sub.failed = p == NULL;
    return sub;
}

/* The byte `offset` ahead without moving; -1 where there is none. */
static inline int cursor_peek(const struct cursor *c, size_t offset)
{
    return cursor_left(c) > offset ? c->at[offset] : -1;
}

/* Do the next bytes equal these? Moves nothing. */
static inline bool cursor_starts_with(const struct cursor *c, const void *bytes, size_t length)
{
    return cursor_left(c) >= length && (length == 0 || memcmp(c->at, bytes, length) == 0);
}
