// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * A growing byte buffer with a maximum. The first append that does not fit makes it `failed`; from
 * then on appends do nothing, so that a builder appends freely and asks once. Kept NUL-terminated
 * (the NUL does not count).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer {
    char *bytes;
    size_t length, capacity, maximum;
    bool failed;
};

void buffer_init(struct buffer *buffer, size_t maximum); /* allocates nothing yet */
void buffer_finish(struct buffer *buffer);               /* accepts a zeroed buffer */
void buffer_clear(struct buffer *buffer); /* empty and not failed; keeps its memory */
void buffer_append(struct buffer *buffer, const void *bytes, size_t length);
void buffer_append_text(struct buffer *buffer, const char *text);
void buffer_append_u8(struct buffer *buffer, uint8_t value);
void buffer_append_u16(struct buffer *buffer,
                       uint16_t value); /* big-endian, as cursor_u16() reads it */
void buffer_append_u32(struct buffer *buffer, uint32_t value);
void buffer_append_u64(struct buffer *buffer, uint64_t value);
void buffer_printf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The text, "" when empty; owned by the buffer. */
const char *buffer_text(const struct buffer *buffer);
