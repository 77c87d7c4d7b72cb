// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

void json_init(struct json *json, FILE *file, int indent)
{
    *json = (struct json){.file = file, .indent = MAX_OF(indent, 0)};
}

static void json_break_line(const struct json *json)
{
    if (json->indent > 0) {
        putc('\n', json->file);
        for (int i = 0; i < json->depth * json->indent; i++) {
            putc(' ', json->file);
        }
    }
}

/* What stands between the item before and the next key or value. */
static void json_separate(struct json *json)
{
    if (json->depth == 0) {
        if (json->has_items[0]) {
            putc('\n', json->file);
        }
    } else {
        if (json->has_items[json->depth]) {
            putc(',', json->file);
        }
        json_break_line(json);
    }
    json->has_items[json->depth] = true;
}

/* Ready for a value to be written; false once failed. */
static bool json_begin_value(struct json *json)
{
    if (json->failed) {
        return false;
    }
    if (json->after_key) {
        json->after_key = false;
    } else {
        json_separate(json);
    }
    return true;
}

static void json_begin(struct json *json, char bracket)
{
    if (json->depth >= JSON_DEPTH_MAX) {
        json->failed = true;
    }
    if (json_begin_value(json)) {
        putc(bracket, json->file);
        json->depth++;
        json->has_items[json->depth] = false;
    }
}

static void json_end(struct json *json, char bracket)
{
    if (json->failed || json->depth == 0 || json->after_key) {
        json->failed = true;
        return;
    }
    bool has_items = json->has_items[json->depth];
    json->depth--;
    if (has_items) {
        json_break_line(json);
    }
    putc(bracket, json->file);
}

void json_begin_object(struct json *json)
{
    json_begin(json, '{');
}

void json_end_object(struct json *json)
{
    json_end(json, '}');
}

void json_begin_array(struct json *json)
{
    json_begin(json, '[');
}

void json_end_array(struct json *json)
{
    json_end(json, ']');
}

/*
 * The length of the character at `at` (at least one byte is there) and its code point, or -1 for
 * bytes that are not UTF-8: then the length is that of the longest part that begins a character
 * (Unicode 3.9, U+FFFD substitution).
 */
static size_t utf8_decode(const uint8_t *at, size_t left, int32_t *ret_point)
{
    uint8_t first = at[0], low = 0x80, high = 0xbf;
    size_t needed, length = 1;
    int32_t point;

    if (first < 0x80) {
        *ret_point = first;
        return 1;
    }
    *ret_point = -1;
    if (first < 0xc2 || first > 0xf4) {
        return 1;
    }
    needed = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    point = first & (0x7f >> needed);
    /* The second byte is what tells overlong forms, surrogates and points beyond U+10FFFF. */
    if (first == 0xe0) {
        low = 0xa0;
    } else if (first == 0xed) {
        high = 0x9f;
    } else if (first == 0xf0) {
        low = 0x90;
    } else if (first == 0xf4) {
        high = 0x8f;
    }
    for (; length < needed; length++, low = 0x80, high = 0xbf) {
        if (length >= left || at[length] < low || at[length] > high) {
            return length;
        }
        point = point << 6 | (at[length] & 0x3f);
    }
    *ret_point = point;
    return length;
}

/* Controls (C1 too, for terminals), the two line ends that JavaScript knows and JSON does not, and what
 * cannot be seen: characters of no width, and those that turn the direction of what follows. */
static bool json_must_escape(int32_t point)
{
    static const struct {
        int32_t first, last;
    } ranges[] = {{0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},      {0x61c, 0x61c},
                  {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},  {0x2060, 0x206f},
                  {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f}};

    if (point == '"' || point == '\\')
        return true;
    for (size_t i = 0; i < ARRAY_LENGTH(ranges) && point >= ranges[i].first; i++)
        if (point <= ranges[i].last)
            return true;
    return false;
}

static void json_write_escape(FILE *file, int32_t point)
{
    static const char named[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const char *name = point != 0 && point < 0x80 ? strchr(named, point) : NULL;

    if (name) {
        putc('\\', file);
        putc(letters[name - named], file);
    } else if (point > 0xffff) {
        uint32_t rest = (uint32_t)point - 0x10000;
        fprintf(file, "\\u%04" PRIx32 "\\u%04" PRIx32, 0xd800 + (rest >> 10),
                0xdc00 + (rest & 0x3ff));
    } else {
        fprintf(file, "\\u%04" PRIx32, (uint32_t)point);
    }
}

static void json_write_string(FILE *file, const char *text, size_t length)
{
    const uint8_t *at = (const uint8_t *)text, *end = at + length, *plain = at;

    putc('"', file);
    while (at < end) {
        int32_t point;
        size_t step = utf8_decode(at, (size_t)(end - at), &point);
        if (point < 0 || json_must_escape(point)) {
            fwrite(plain, 1, (size_t)(at - plain), file);
            plain = at + step;
            if (point < 0) {
                fputs(REPLACEMENT, file);
            } else {
                json_write_escape(file, point);
            }
        }
        at += step;
    }
    fwrite(plain, 1, (size_t)(at - plain), file);
    putc('"', file);
}

void json_key(struct json *json, const char *key)
{
    if (json->failed || json->depth == 0 || json->after_key) {
        json->failed = true;
        return;
    }
    json_separate(json);
    json_write_string(json->file, key, strlen(key));
    fputs(json->indent > 0 ? ": " : ":", json->file);
    json->after_key = true;
}

void json_text(struct json *json, const char *text)
{
    json_text_n(json, text, text ? strlen(text) : 0);
}

void json_text_n(struct json *json, const char *text, size_t length)
{
    if (!text) {
        json_null(json);
    } else if (json_begin_value(json)) {
        json_write_string(json->file, text, length);
    }
}

void json_integer(struct json *json, int64_t value)
{
    if (json_begin_value(json)) {
        fprintf(json->file, "%" PRId64, value);
    }
}

void json_unsigned(struct json *json, uint64_t value)
{
    if (json_begin_value(json)) {
        fprintf(json->file, "%" PRIu64, value);
    }
}

/* Whatever the locale has for a decimal point, in as many bytes as it likes, becomes one '.'. */
static void json_write_number(FILE *file, const char *number)
{
    while (*number != '\0') {
        size_t length = strspn(number, "+-0123456789e");
        fwrite(number, 1, length, file);
        number += length;
        if (*number != '\0') {
            putc('.', file);
            number += strcspn(number, "+-0123456789e");
        }
    }
}

void json_double(struct json *json, double value)
{
    char number[64];

    if (!isfinite(value)) {
        json_null(json);
    } else if (json_begin_value(json)) {
        for (int digits = 15; digits <= 17; digits++) {
            snprintf(number, sizeof(number), "%.*g", digits, value);
            if (strtod(number, NULL) == value) {
                break;
            }
        }
        json_write_number(json->file, number);
    }
}

void json_bool(struct json *json, bool value)
{
    if (json_begin_value(json)) {
        fputs(value ? "true" : "false", json->file);
    }
}

void json_null(struct json *json)
{
    if (json_begin_value(json)) {
        fputs("null", json->file);
    }
}

void json_newline(struct json *json)
{
    if (json->failed || json->depth != 0) {
        json->failed = true;
        return;
    }
    putc('\n', json->file);
    json->has_items[0] = false;
}

void json_member_text(struct json *json, const char *key, const char *text)
{
    json_key(json, key);
    json_text(json, text);
}

void json_member_integer(struct json *json, const char *key, int64_t value)
{
    json_key(json, key);
    json_integer(json, value);
}

void json_member_unsigned(struct json *json, const char *key, uint64_t value)
{
    json_key(json, key);
    json_unsigned(json, value);
}

void json_member_bool(struct json *json, const char *key, bool value)
{
    json_key(json, key);
    json_bool(json, value);
}
