// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
/*
 * A JSON text read back by another hand than ours (jansson, whose names are also base/json.h's: so it stays in its
 * own file). What is not there fails the test.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct read_json;

struct read_json *read_json_parse(const char *text, size_t length); /* doubled keys are an error */
void read_json_destroy(struct read_json *json);
/* By RFC 6901 pointer, without its escapes. */
const char *read_json_text(const struct read_json *json, const char *pointer);
int64_t read_json_integer(const struct read_json *json, const char *pointer);
double read_json_real(const struct read_json *json, const char *pointer);
bool read_json_is_null(const struct read_json *json, const char *pointer);
size_t read_json_size(const struct read_json *json, const char *pointer); /* of an array */
