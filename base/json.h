// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * A push writer of JSON (RFC 8259) on a FILE. Text is escaped, bytes that are not UTF-8 become
 * U+FFFD, what cannot be seen or turns the direction of text is written as its number, integers keep all 64 bits, doubles use the shortest form that reads back and never a
 * locale's comma; NaN and infinities become null. Commas, quotes and nesting are its business.
 * Depth is at most JSON_DEPTH_MAX; beyond it `failed` is set and nothing is written. `indent` 0
 * writes everything on one line. The FILE's own error flag tells of write errors.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_DEPTH_MAX 32

struct json {
    FILE *file;
    int indent;
    int depth;
    bool failed;
    bool after_key;
    bool has_items[JSON_DEPTH_MAX + 1];
};

void json_init(struct json *json, FILE *file, int indent);
void json_begin_object(struct json *json);
void json_end_object(struct json *json);
void json_begin_array(struct json *json);
void json_end_array(struct json *json);
void json_key(struct json *json, const char *key);
void json_text(struct json *json, const char *text); /* NULL writes null */
void json_text_n(struct json *json, const char *text, size_t length);
void json_integer(struct json *json, int64_t value);
void json_unsigned(struct json *json, uint64_t value);
void json_double(struct json *json, double value);
void json_bool(struct json *json, bool value);
void json_null(struct json *json);
void json_newline(struct json *json); /* between the objects of a JSON Lines file, at depth 0 */

/* Key and value in one. */
void json_member_text(struct json *json, const char *key, const char *text);
void json_member_integer(struct json *json, const char *key, int64_t value);
void json_member_unsigned(struct json *json, const char *key, uint64_t value);
void json_member_bool(struct json *json, const char *key, bool value);
