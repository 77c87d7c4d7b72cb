// SPDX-License-Identifier: GPL-3.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/pages.h"

static void test_zeroed_and_writable(void **state)
{
    static const size_t sizes[] = {1, 4096, PAGES_LARGE - 1, PAGES_LARGE, 3 * PAGES_LARGE + 5};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
        uint8_t *pages = pages_take(sizes[i]);
        assert_non_null(pages);
        for (size_t at = 0; at < sizes[i]; at += 512) {
            assert_int_equal(pages[at], 0);
        }
        memset(pages, 0xff, sizes[i]);
        pages_give(pages, sizes[i]);
    }
}

/* Only then can the kernel put large pages there. */
static void test_large_ones_are_aligned(void **state)
{
    void *pages[5];
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(pages); i++) {
        pages[i] = pages_take(PAGES_LARGE + i * 65536);
        assert_non_null(pages[i]);
        assert_int_equal((uintptr_t)pages[i] % PAGES_LARGE, 0);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(pages); i++) {
        pages_give(pages[i], PAGES_LARGE + i * 65536);
    }
}

static void test_what_cannot_be(void **state)
{
    (void)state;
    assert_null(pages_take(0));
    assert_null(pages_take(SIZE_MAX));
    assert_null(pages_take(SIZE_MAX / 2));
    pages_give(NULL, 4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zeroed_and_writable),
        cmocka_unit_test(test_large_ones_are_aligned),
        cmocka_unit_test(test_what_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
