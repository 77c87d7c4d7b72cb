// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include "base/buffer.h"
#include "base/cursor.h"

static void test_empty(void **state)
{
    struct buffer zeroed = {0}, buffer;
    (void)state;
    buffer_init(&buffer, 100);
    assert_string_equal(buffer_text(&buffer), "");
    buffer_append(&buffer, NULL, 0);
    buffer_append_text(&buffer, "");
    buffer_printf(&buffer, "%s", "");
    assert_null(buffer.bytes);
    assert_false(buffer.failed);
    buffer_clear(&buffer);
    buffer_finish(&buffer);
    buffer_finish(&zeroed);
}

static void test_integers_read_back(void **state)
{
    struct buffer buffer;
    (void)state;
    buffer_init(&buffer, 15);
    buffer_append_u8(&buffer, 0xfe);
    buffer_append_u16(&buffer, 0x0102);
    buffer_append_u32(&buffer, 0xa0b0c0d0);
    buffer_append_u64(&buffer, UINT64_C(0x8899aabbccddeeff));
    assert_false(buffer.failed);
    assert_int_equal(buffer.length, 15);
    struct cursor cursor = cursor_init(buffer.bytes, buffer.length);
    assert_int_equal(cursor_u8(&cursor), 0xfe);
    assert_int_equal(cursor_u16(&cursor), 0x0102);
    assert_int_equal(cursor_u32(&cursor), 0xa0b0c0d0);
    assert_true(cursor_u64(&cursor) == UINT64_C(0x8899aabbccddeeff));
    buffer_finish(&buffer);
}

static void test_fills_to_the_maximum(void **state)
{
    struct buffer buffer;
    (void)state;
    buffer_init(&buffer, 5);
    buffer_append_text(&buffer, "abc");
    buffer_append_text(&buffer, "de");
    assert_false(buffer.failed);
    assert_string_equal(buffer_text(&buffer), "abcde");
    buffer_append_u8(&buffer, 'f');
    assert_true(buffer.failed);
    assert_string_equal(buffer_text(&buffer), "abcde");
    buffer_finish(&buffer);
}

static void test_failed_stays_failed(void **state)
{
    struct buffer buffer;
    (void)state;
    buffer_init(&buffer, 5);
    buffer_append_text(&buffer, "ab");
    buffer_append_text(&buffer, "too long");
    buffer_append_text(&buffer, "c");
    buffer_printf(&buffer, "d");
    assert_true(buffer.failed);
    assert_string_equal(buffer_text(&buffer), "ab");
    buffer_clear(&buffer);
    assert_false(buffer.failed);
    assert_string_equal(buffer_text(&buffer), "");
    buffer_append_text(&buffer, "12345");
    assert_false(buffer.failed);
    assert_string_equal(buffer_text(&buffer), "12345");
    buffer_finish(&buffer);
}

static void test_printf(void **state)
{
    struct buffer buffer;
    (void)state;
    buffer_init(&buffer, 200);
    buffer_printf(&buffer, "%d-%s", 42, "x");
    buffer_printf(&buffer, "%0150d", 7);
    assert_false(buffer.failed);
    assert_int_equal(buffer.length, 154);
    assert_memory_equal(buffer.bytes, "42-x000", 7);
    buffer_printf(&buffer, "%0100d", 7);
    assert_true(buffer.failed);
    assert_int_equal(strlen(buffer_text(&buffer)), 154);
    buffer_finish(&buffer);
}

static void test_grows(void **state)
{
    struct buffer buffer;
    (void)state;
    buffer_init(&buffer, SIZE_MAX);
    for (int i = 0; i < 100000; i++) {
        buffer_append_u8(&buffer, (uint8_t)i);
    }
    assert_false(buffer.failed);
    assert_int_equal(buffer.length, 100000);
    assert_int_equal((uint8_t)buffer.bytes[65537], 1);
    assert_int_equal(buffer.bytes[100000], 0);
    buffer_append(&buffer, buffer.bytes, SIZE_MAX - 1);
    assert_true(buffer.failed);
    buffer_finish(&buffer);
}

static void test_no_maximum_at_all(void **state)
{
    struct buffer buffer;
    (void)state;
    buffer_init(&buffer, 0);
    buffer_append_u8(&buffer, 1);
    assert_true(buffer.failed);
    assert_int_equal(buffer.length, 0);
    buffer_finish(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_integers_read_back),
        cmocka_unit_test(test_fills_to_the_maximum),
        cmocka_unit_test(test_failed_stays_failed),
        cmocka_unit_test(test_printf),
        cmocka_unit_test(test_grows),
        cmocka_unit_test(test_no_maximum_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
