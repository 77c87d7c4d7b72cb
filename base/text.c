// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/text.h"

#include <stdio.h>

#include "base/array.h"

uint32_t text_next(const char **at)
{
    static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t *bytes = (const uint8_t *)*at;
    uint8_t first = bytes[0];
    size_t length = first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf8 ? 4 : 0;
    uint32_t character = length ? first & (0x7fu >> length) : 0;

    if (first < 0x80) {
        *at += first != 0;
        return first;
    }
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            length = 0;
            break;
        }
        character = character << 6 | (bytes[i] & 0x3f);
    }
    if (length == 0 || character < smallest[length] || character > 0x10ffff ||
        (character >= 0xd800 && character <= 0xdfff)) {
        *at += 1;
        return TEXT_REPLACEMENT;
    }
    *at += length;
    return character;
}

bool text_disturbs(uint32_t character)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x00, 0x1f},       {0x7f, 0x9f},     {0xad, 0xad},     /* C0, C1, soft hyphen */
        {0x061c, 0x061c},                                       /* Arabic letter mark */
        {0x180e, 0x180e},   {0x200b, 0x200f}, {0x2028, 0x202e}, /* zero width, separators, bidi */
        {0x2060, 0x206f},   {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, /* isolates, BOM, annotations */
        {0xe0000, 0xe007f},                                     /* tags */
    };

    for (size_t i = 0; i < ARRAY_LENGTH(ranges); i++)
        if (character >= ranges[i].first && character <= ranges[i].last)
            return true;
    return false;
}

size_t text_encode(uint32_t character, char bytes[TEXT_CHARACTER_SIZE])
{
    uint8_t *to = (uint8_t *)bytes;
    size_t length = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    static const uint8_t lead[5] = {0, 0, 0xc0, 0xe0, 0xf0};

    for (size_t i = length; i-- > 1; character >>= 6)
        to[i] = (uint8_t)(0x80 | (character & 0x3f));
    to[0] = (uint8_t)(lead[length] | character);
    to[length] = '\0';
    return length;
}

size_t text_escape(uint32_t character, char bytes[TEXT_CHARACTER_SIZE], size_t *ret_columns)
{
    bool escaped = text_disturbs(character);
    size_t length = 0;

    if (escaped)
        length = (size_t)snprintf(bytes, TEXT_CHARACTER_SIZE,
                                  character <= 0xff ? "\\x%02x" : "\\u%04x", (unsigned)character);
    else
        length = text_encode(character, bytes);
    if (ret_columns)
        *ret_columns = escaped ? length : 1;
    return length;
}
