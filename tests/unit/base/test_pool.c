// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include "base/pool.h"
#include "base/status.h"

struct thing {
    uint64_t a;
    uint8_t b[5];
};

static void test_zeroed(void **state)
{
    struct pool pool = {0};
    (void)state;
    assert_int_equal(pool_take(&pool), POOL_NONE);
    pool_give(&pool, 1);
    pool_give(&pool, POOL_NONE);
    assert_int_equal(pool_memory(&pool), 0);
    pool_finish(&pool);
}

static void test_take_and_give(void **state)
{
    struct pool pool;
    static const uint8_t zeros[sizeof(struct thing)];
    (void)state;
    assert_int_equal(pool_init(&pool, sizeof(struct thing), 3), DL_OK);
    uint32_t a = pool_take(&pool), b = pool_take(&pool), c = pool_take(&pool);
    assert_true(a != POOL_NONE && b != POOL_NONE && c != POOL_NONE);
    assert_true(a != b && b != c && a != c);
    assert_int_equal(pool_take(&pool), POOL_NONE);
    assert_int_equal(pool.refused, 1);
    memset(pool_at(&pool, b), 0xff, sizeof(struct thing));
    memset(pool_at(&pool, c), 0xff, sizeof(struct thing));
    pool_give(&pool, b);
    pool_give(&pool, c);
    assert_int_equal(pool.taken, 1);
    assert_int_equal(pool_take(&pool), c);
    assert_memory_equal(pool_at(&pool, c), zeros, sizeof(zeros));
    assert_int_equal(pool_take(&pool), b);
    assert_memory_equal(pool_at(&pool, b), zeros, sizeof(zeros));
    assert_int_equal(pool.taken, 3);
    assert_int_equal(pool.peak, 3);
    pool_finish(&pool);
}

static void test_slots_never_move(void **state)
{
    enum { COUNT = 3 * POOL_CHUNK_SLOTS + 7 };
    static uint64_t *pointers[COUNT];
    struct pool pool;
    (void)state;
    assert_int_equal(pool_init(&pool, 9, COUNT), DL_OK);
    assert_int_equal(pool.slot_size, 16);
    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t slot = pool_take(&pool);
        assert_int_equal(slot, i + 1);
        pointers[i] = pool_at(&pool, slot);
        assert_true(*pointers[i] == 0 && (uintptr_t)pointers[i] % 8 == 0);
        *pointers[i] = i;
    }
    assert_int_equal(pool_take(&pool), POOL_NONE);
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_ptr_equal(pool_at(&pool, i + 1), pointers[i]);
        assert_true(*pointers[i] == i);
    }
    assert_int_equal(pool_memory(&pool), 4 * sizeof(void *) + COUNT * 16);
    for (uint32_t i = 0; i < COUNT; i++) {
        pool_give(&pool, i + 1);
    }
    assert_int_equal(pool.taken, 0);
    assert_int_equal(pool.peak, COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_true(*(uint64_t *)pool_at(&pool, pool_take(&pool)) == 0);
    }
    assert_int_equal(pool.refused, 1);
    pool_finish(&pool);
}

static void test_memory_comes_as_needed(void **state)
{
    struct pool pool;
    (void)state;
    assert_int_equal(pool_init(&pool, 64, 1u << 20), DL_OK);
    assert_int_equal(pool.chunk_count, 0);
    size_t before = pool_memory(&pool);
    assert_int_equal(pool_take(&pool), 1);
    assert_int_equal(pool_memory(&pool) - before, 2u << 20); /* it may grow: a large page */
    pool_finish(&pool);
    assert_int_equal(pool_init(&pool, 64, 10000), DL_OK);
    before = pool_memory(&pool);
    assert_int_equal(pool_take(&pool), 1);
    assert_int_equal(pool_memory(&pool) - before, 64 * POOL_CHUNK_SLOTS);
    pool_finish(&pool);
}

static void test_extremes(void **state)
{
    struct pool pool;
    (void)state;
    assert_true(pool_init(&pool, SIZE_MAX, 1) < 0);
    pool_finish(&pool);
    assert_int_equal(pool_init(&pool, 4, UINT32_MAX), DL_OK);
    assert_int_equal(pool.chunk_max, 1u << 11); /* of 2^21 slots: eight large pages */
    assert_int_equal(pool_take(&pool), 1);
    pool_give(&pool, UINT32_MAX);
    assert_int_equal(pool.taken, 1);
    pool_finish(&pool);
    assert_int_equal(pool_init(&pool, 4, 1), DL_OK);
    assert_int_equal(pool_take(&pool), 1);
    assert_int_equal(pool_take(&pool), POOL_NONE);
    pool_finish(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zeroed),           cmocka_unit_test(test_take_and_give),
        cmocka_unit_test(test_slots_never_move), cmocka_unit_test(test_memory_comes_as_needed),
        cmocka_unit_test(test_extremes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
