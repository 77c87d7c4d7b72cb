// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/reports/read_json.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct read_json *read_json_parse(const char *text, size_t length)
{
    json_error_t why;
    json_t *value = json_loadb(text, length, JSON_REJECT_DUPLICATES, &why);

    if (!value)
        fail_msg("line %d: %s", why.line, why.text);
    return (struct read_json *)value;
}

void read_json_destroy(struct read_json *json)
{
    json_decref((json_t *)json);
}

static json_t *at(const struct read_json *json, const char *pointer)
{
    json_t *value = (json_t *)(uintptr_t)json;
    const char *rest = pointer;
    char part[64];

    while (*rest == '/' && value) {
        size_t length = strcspn(++rest, "/");
        snprintf(part, sizeof(part), "%.*s", (int)length, rest);
        value = json_is_array(value) ? json_array_get(value, (size_t)atoi(part))
                                     : json_object_get(value, part);
        rest += length;
    }
    if (!value)
        fail_msg("nothing at %s", pointer);
    return value;
}

const char *read_json_text(const struct read_json *json, const char *pointer)
{
    const char *text = json_string_value(at(json, pointer));
    if (!text)
        fail_msg("no text at %s", pointer);
    return text;
}

int64_t read_json_integer(const struct read_json *json, const char *pointer)
{
    json_t *value = at(json, pointer);
    if (!json_is_integer(value))
        fail_msg("no integer at %s", pointer);
    return json_integer_value(value);
}

double read_json_real(const struct read_json *json, const char *pointer)
{
    json_t *value = at(json, pointer);
    if (!json_is_number(value))
        fail_msg("no number at %s", pointer);
    return json_number_value(value);
}

bool read_json_is_null(const struct read_json *json, const char *pointer)
{
    return json_is_null(at(json, pointer));
}

size_t read_json_size(const struct read_json *json, const char *pointer)
{
    return json_array_size(at(json, pointer));
}
