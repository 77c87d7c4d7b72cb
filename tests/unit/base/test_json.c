// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "base/json.h"

static char *output;
static size_t output_size;

static struct json begin(int indent)
{
    struct json json;
    FILE *file = open_memstream(&output, &output_size);
    assert_non_null(file);
    json_init(&json, file, indent);
    return json;
}

static void check(struct json *json, const char *expected)
{
    fclose(json->file);
    assert_string_equal(output, expected);
    free(output);
    output = NULL;
}

static void test_one_line(void **state)
{
    struct json json = begin(0);
    (void)state;
    json_begin_object(&json);
    json_member_text(&json, "a", "x");
    json_member_text(&json, "none", NULL);
    json_member_bool(&json, "yes", true);
    json_member_bool(&json, "no", false);
    json_key(&json, "list");
    json_begin_array(&json);
    json_integer(&json, 1);
    json_begin_object(&json);
    json_end_object(&json);
    json_begin_array(&json);
    json_end_array(&json);
    json_null(&json);
    json_end_array(&json);
    json_member_integer(&json, "least", INT64_MIN);
    json_member_unsigned(&json, "most", UINT64_MAX);
    json_end_object(&json);
    assert_false(json.failed);
    check(&json, "{\"a\":\"x\",\"none\":null,\"yes\":true,\"no\":false,\"list\":[1,{},[],null],"
                 "\"least\":-9223372036854775808,\"most\":18446744073709551615}");
}

static void test_indented(void **state)
{
    struct json json = begin(2);
    (void)state;
    json_begin_object(&json);
    json_member_integer(&json, "a", 1);
    json_key(&json, "b");
    json_begin_array(&json);
    json_text(&json, "x");
    json_begin_object(&json);
    json_end_object(&json);
    json_end_array(&json);
    json_end_object(&json);
    json_newline(&json);
    assert_false(json.failed);
    check(&json, "{\n  \"a\": 1,\n  \"b\": [\n    \"x\",\n    {}\n  ]\n}\n");
}

static void test_json_lines(void **state)
{
    struct json json = begin(0);
    (void)state;
    for (int i = 0; i < 2; i++) {
        json_begin_object(&json);
        json_member_integer(&json, "i", i);
        json_end_object(&json);
        json_newline(&json);
    }
    json_integer(&json, 1);
    json_integer(&json, 2);
    json_newline(&json);
    assert_false(json.failed);
    check(&json, "{\"i\":0}\n{\"i\":1}\n1\n2\n");
}

static void check_text(const char *text, size_t length, const char *expected)
{
    struct json json = begin(0);
    json_text_n(&json, text, length);
    check(&json, expected);
}

#define CHECK_TEXT(text, expected) check_text(text, sizeof(text) - 1, "\"" expected "\"")
#define R                          "\xef\xbf\xbd"

static void test_escapes(void **state)
{
    (void)state;
    CHECK_TEXT("", "");
    CHECK_TEXT("a\"b\\c/d", "a\\\"b\\\\c/d");
    CHECK_TEXT("\b\f\n\r\t", "\\b\\f\\n\\r\\t");
    CHECK_TEXT("\0\1\x1b\x1f\x7f", "\\u0000\\u0001\\u001b\\u001f\\u007f");
    CHECK_TEXT("\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0", "\\u0080\\u009b\\u009f\xc2\xa0");
    CHECK_TEXT("\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa",
               "\xe2\x80\xa7\\u2028\\u2029\\u202a");
    CHECK_TEXT("\xd0\xaf \xe2\x82\xac \xf0\x9f\x98\x80", "\xd0\xaf \xe2\x82\xac \xf0\x9f\x98\x80");
}

/* One U+FFFD for each longest part that begins a character, as Unicode 3.9 and Python have it. */
static void test_invalid_utf8(void **state)
{
    (void)state;
    CHECK_TEXT("a\x80z", "a" R "z");
    CHECK_TEXT("\xc0\xaf", R R);
    CHECK_TEXT("\xc1\xbf", R R);
    CHECK_TEXT("\xe0\x80\xaf", R R R);
    CHECK_TEXT("\xe0\x9f\xbf", R R R);
    CHECK_TEXT("\xf0\x80\x80\xaf", R R R R);
    CHECK_TEXT("\xf0\x8f\xbf\xbf", R R R R);
    CHECK_TEXT("\xed\xa0\x80", R R R);
    CHECK_TEXT("\xed\xbf\xbf", R R R);
    CHECK_TEXT("\xed\x9f\xbf\xee\x80\x80", "\xed\x9f\xbf\xee\x80\x80");
    CHECK_TEXT("\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf");
    CHECK_TEXT("\xf4\x90\x80\x80", R R R R);
    CHECK_TEXT("\xf5\xff", R R);
    CHECK_TEXT("\xe2\x82", R);
    CHECK_TEXT("\xe2\x82z", R "z");
    CHECK_TEXT("\xf0\x9f\x98", R);
    CHECK_TEXT("\xf0\x9f\xf0\x9f\x98\x80", R "\xf0\x9f\x98\x80");
    CHECK_TEXT("\xc3\"", R "\\\"");
    /* The byte after the end would complete it. */
    check_text("\xc3\xa9", 1, "\"" R "\"");
}

static void test_doubles(void **state)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0, "0"},
                 {-0.0, "-0"},
                 {1, "1"},
                 {0.1, "0.1"},
                 {-2.5, "-2.5"},
                 {0.1 + 0.2, "0.30000000000000004"},
                 {1e21, "1e+21"},
                 {1.0 / 3, "0.3333333333333333"},
                 {5e-324, "4.94065645841247e-324"},
                 {DBL_MAX, "1.7976931348623157e+308"},
                 {123456789.125, "123456789.125"},
                 {NAN, "null"},
                 {INFINITY, "null"},
                 {-INFINITY, "null"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct json json = begin(0);
        json_double(&json, cases[i].value);
        check(&json, cases[i].text);
    }
}

static void test_depth(void **state)
{
    struct json json = begin(0);
    char expected[JSON_DEPTH_MAX + 1] = "";
    (void)state;
    for (int i = 0; i < JSON_DEPTH_MAX; i++) {
        json_begin_array(&json);
        expected[i] = '[';
    }
    assert_false(json.failed);
    json_begin_array(&json);
    assert_true(json.failed);
    json_integer(&json, 1);
    json_key(&json, "k");
    json_text(&json, "x");
    json_double(&json, 1);
    json_end_array(&json);
    json_newline(&json);
    check(&json, expected);
}

static void test_misuse_fails(void **state)
{
    struct json json = begin(0);
    (void)state;
    json_end_object(&json);
    assert_true(json.failed);
    check(&json, "");
    json = begin(0);
    json_key(&json, "k");
    assert_true(json.failed);
    check(&json, "");
    json = begin(0);
    json_begin_object(&json);
    json_key(&json, "k");
    json_end_object(&json);
    assert_true(json.failed);
    check(&json, "{\"k\":");
    json = begin(0);
    json_begin_object(&json);
    json_newline(&json);
    assert_true(json.failed);
    check(&json, "{");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_line),     cmocka_unit_test(test_indented),
        cmocka_unit_test(test_json_lines),   cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_invalid_utf8), cmocka_unit_test(test_doubles),
        cmocka_unit_test(test_depth),        cmocka_unit_test(test_misuse_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
