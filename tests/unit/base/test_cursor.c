// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/cursor.h"

static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

static void test_integers(void **state)
{
    struct cursor cursor = cursor_init(bytes, sizeof(bytes)), copy = cursor;
    (void)state;
    assert_int_equal(cursor_u8(&cursor), 1);
    assert_int_equal(cursor_u16(&cursor), 0x0203);
    assert_int_equal(cursor_u24(&cursor), 0x040506);
    assert_int_equal(cursor_u32(&cursor), 0x0708090a);
    assert_int_equal(cursor_left(&cursor), 0);
    assert_true(cursor_ok(&cursor));
    assert_true(cursor_u64(&copy) == UINT64_C(0x0102030405060708));
    copy = cursor_init(bytes, sizeof(bytes));
    assert_int_equal(cursor_le16(&copy), 0x0201);
    assert_int_equal(cursor_le32(&copy), 0x06050403);
}

static void test_high_bits(void **state)
{
    static const uint8_t high[] = {0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0xfa, 0xf9, 0xf8};
    struct cursor cursor = cursor_init(high, sizeof(high)), little = cursor;
    (void)state;
    assert_true(cursor_u64(&cursor) == UINT64_C(0xfffefdfcfbfaf9f8));
    assert_true(cursor_le32(&little) == UINT32_C(0xfcfdfeff));
}

static void test_failure_is_sticky(void **state)
{
    struct cursor cursor = cursor_init(bytes, 3);
    (void)state;
    assert_int_equal(cursor_u32(&cursor), 0);
    assert_false(cursor_ok(&cursor));
    assert_int_equal(cursor_u8(&cursor), 0);
    assert_null(cursor_bytes(&cursor, 0));
    assert_int_equal(cursor_left(&cursor), 0);
    assert_int_equal(cursor_peek(&cursor, 0), -1);
    assert_ptr_equal(cursor.at, bytes);
}

static void test_lengths_that_overflow(void **state)
{
    struct cursor cursor = cursor_init(bytes, sizeof(bytes));
    (void)state;
    cursor_skip(&cursor, 4);
    assert_null(cursor_bytes(&cursor, SIZE_MAX));
    assert_false(cursor_ok(&cursor));
}

static void test_half_a_u64_fails(void **state)
{
    struct cursor cursor = cursor_init(bytes, 7);
    (void)state;
    (void)cursor_u64(&cursor);
    assert_false(cursor_ok(&cursor));
}

static void test_empty(void **state)
{
    struct cursor cursor = cursor_init(NULL, 0), wrong = cursor_init(NULL, 1);
    (void)state;
    assert_true(cursor_ok(&cursor));
    assert_int_equal(cursor_left(&cursor), 0);
    assert_int_equal(cursor_peek(&cursor, 0), -1);
    assert_false(cursor_ok(&wrong));
    assert_int_equal(cursor_u8(&cursor), 0);
    assert_false(cursor_ok(&cursor));
}

static void test_sub(void **state)
{
    struct cursor cursor = cursor_init(bytes, sizeof(bytes));
    struct cursor sub = cursor_sub(&cursor, 4);
    (void)state;
    assert_int_equal(cursor_left(&sub), 4);
    assert_int_equal(cursor_left(&cursor), 6);
    assert_int_equal(cursor_u32(&sub), 0x01020304);
    assert_int_equal(cursor_u8(&sub), 0);
    assert_false(cursor_ok(&sub));
    assert_int_equal(cursor_u8(&cursor), 5);
    sub = cursor_sub(&cursor, 0);
    assert_true(cursor_ok(&sub));
    sub = cursor_sub(&cursor, 6);
    assert_false(cursor_ok(&sub));
    assert_false(cursor_ok(&cursor));
}

static void test_peek_and_starts_with(void **state)
{
    struct cursor cursor = cursor_init(bytes, 3);
    (void)state;
    assert_int_equal(cursor_peek(&cursor, 0), 1);
    assert_int_equal(cursor_peek(&cursor, 2), 3);
    assert_int_equal(cursor_peek(&cursor, 3), -1);
    assert_true(cursor_starts_with(&cursor, "\1\2\3", 3));
    assert_false(cursor_starts_with(&cursor, "\1\3", 2));
    assert_false(cursor_starts_with(&cursor, "\1\2\3\4", 4));
    assert_int_equal(cursor_left(&cursor), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_high_bits),
        cmocka_unit_test(test_failure_is_sticky),
        cmocka_unit_test(test_lengths_that_overflow),
        cmocka_unit_test(test_half_a_u64_fails),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_sub),
        cmocka_unit_test(test_peek_and_starts_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
