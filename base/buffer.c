// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define BUFFER_CAPACITY_FIRST 64u

void buffer_init(struct buffer *buffer, size_t maximum)
{
    /* One byte more, for the NUL, must still be a size. */
    *buffer = (struct buffer){.maximum = MIN_OF(maximum, SIZE_MAX - 1)};
}

void buffer_finish(struct buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct buffer){0};
}

void buffer_clear(struct buffer *buffer)
{
    buffer->length = 0;
    buffer->failed = false;
    if (buffer->bytes) {
        buffer->bytes[0] = '\0';
    }
}

/* Room for `more` bytes and the NUL, or `failed`. */
static bool buffer_reserve(struct buffer *buffer, size_t more)
{
    if (buffer->failed || more > buffer->maximum - buffer->length) {
        buffer->failed = true;
        return false;
    }
    size_t needed = buffer->length + more + 1;
    if (needed <= buffer->capacity) {
        return true;
    }
    size_t capacity = MAX_OF(buffer->capacity, BUFFER_CAPACITY_FIRST);
    while (capacity < needed) {
        capacity = capacity > SIZE_MAX / 2 ? SIZE_MAX : capacity * 2;
    }
    capacity = MIN_OF(capacity, buffer->maximum + 1);

    char *bytes = realloc(buffer->bytes, capacity);
    if (!bytes) {
        buffer->failed = true;
        return false;
    }
    buffer->bytes = bytes;
    buffer->capacity = capacity;
    return true;
}

void buffer_append(struct buffer *buffer, const void *bytes, size_t length)
{
    if (length == 0 || !buffer_reserve(buffer, length)) {
        return;
    }
    memcpy(buffer->bytes + buffer->length, bytes, length);
    buffer->length += length;
    buffer->bytes[buffer->length] = '\0';
}

void buffer_append_text(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, text, strlen(text));
}

/* The low `count` bytes of `value`, the highest of them first. */
static void buffer_append_big_endian(struct buffer *buffer, uint64_t value, size_t count)
{
    uint8_t bytes[8];

    for (size_t i = 0; i < count; i++) {
        bytes[i] = (uint8_t)(value >> 8 * (count - 1 - i));
    }
    buffer_append(buffer, bytes, count);
}

void buffer_append_u8(struct buffer *buffer, uint8_t value)
{
    buffer_append(buffer, &value, 1);
}

void buffer_append_u16(struct buffer *buffer, uint16_t value)
{
    buffer_append_big_endian(buffer, value, 2);
}

void buffer_append_u32(struct buffer *buffer, uint32_t value)
{
    buffer_append_big_endian(buffer, value, 4);
}

void buffer_append_u64(struct buffer *buffer, uint64_t value)
{
    buffer_append_big_endian(buffer, value, 8);
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list arguments, again;

    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    if (length < 0) {
        buffer->failed = true;
    } else if (length > 0 && buffer_reserve(buffer, (size_t)length)) {
        vsnprintf(buffer->bytes + buffer->length, (size_t)length + 1, format, again);
        buffer->length += (size_t)length;
    }
    va_end(again);
    va_end(arguments);
}

const char *buffer_text(const struct buffer *buffer)
{
    return buffer->bytes ? buffer->bytes : "";
}
