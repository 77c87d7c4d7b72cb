// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "base/array.h"
#include "reports/publish/scrub_internal.h"

#define ASCII 0x80u

static int digit(uint8_t byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* Digits of that base from `at`, at most `maximum`. Returns how many. */
static size_t number(const uint8_t *at, size_t left, unsigned base, size_t maximum,
                     unsigned *ret_value)
{
    size_t length = 0;

    *ret_value = 0;
    while (length < MIN_OF(left, maximum)) {
        int value = digit(at[length]);
        if (value < 0 || (unsigned)value >= base)
            break;
        *ret_value = *ret_value * base + (unsigned)value;
        length++;
    }
    return length;
}

/* "&#46;", "&#x2e;", the names that addresses need, and "&amp;". */
static size_t html_escape(const uint8_t *at, size_t left, unsigned *ret_value)
{
    static const struct {
        const char *name;
        char is;
    } names[] = {{"&period;", '.'}, {"&colon;", ':'}, {"&amp;", '&'}, {"&percnt;", '%'}};
    size_t head, digits;

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        size_t length = strlen(names[i].name);
        if (left >= length && memcmp(at, names[i].name, length) == 0) {
            *ret_value = (unsigned)names[i].is;
            return length;
        }
    }
    if (left < 4 || at[1] != '#')
        return 0;
    head = (at[2] | 0x20) == 'x' ? 3 : 2;
    digits = number(at + head, left - head, head == 3 ? 16 : 10, 7, ret_value);
    if (digits == 0)
        return 0;
    head += digits;
    return head + (head < left && at[head] == ';');
}

/* "\u002e", "\x2e", "\/" */
static size_t json_escape(const uint8_t *at, size_t left, unsigned *ret_value)
{
    if (left >= 6 && at[1] == 'u')
        return number(at + 2, 4, 16, 4, ret_value) == 4 ? 6 : 0;
    if (left >= 4 && at[1] == 'x')
        return number(at + 2, 2, 16, 2, ret_value) == 2 ? 4 : 0;
    if (left >= 2 && (at[1] == '/' || at[1] == '\\')) {
        *ret_value = at[1];
        return 2;
    }
    return 0;
}

static size_t escape(const uint8_t *at, size_t left, unsigned *ret_value)
{
    if (*at == '%' && left >= 3)
        return number(at + 1, 2, 16, 2, ret_value) == 2 ? 3 : 0;
    if (*at == '&')
        return html_escape(at, left, ret_value);
    return *at == '\\' ? json_escape(at, left, ret_value) : 0;
}

size_t scrub_unescape(const uint8_t *from, const uint32_t *origin, size_t length, uint8_t *to,
                      uint32_t *ret_origin)
{
    size_t used = 0;

    for (size_t i = 0; i < length;) {
        bool may = from[i] == '%' || from[i] == '&' || from[i] == '\\';
        unsigned value = 0;
        size_t taken = may ? escape(from + i, length - i, &value) : 0;
        if (taken && value >= ASCII)
            taken = 0;
        to[used] = taken ? (uint8_t)value : from[i];
        ret_origin[used++] = origin[i];
        i += taken ? taken : 1;
    }
    return used;
}
