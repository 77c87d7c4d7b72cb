// SPDX-License-Identifier: GPL-3.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/status.h"
#include "tests/lab/middlebox/dice.h"
#include "tests/lab/middlebox/queue.h"
#include "tests/lab/middlebox/throttle.h"

#define SECOND 1000000

/* Offered far more than it lets through, a policer passes its burst and then its rate. */
static void test_policer_rates(void **state)
{
    (void)state;
    static const uint32_t rates[] = {64, 150, 512, 2000};
    for (size_t i = 0; i < ARRAY_LENGTH(rates); i++) {
        struct token_bucket bucket = {0};
        uint64_t passed = 0;
        for (int64_t now = 0; now < 20 * SECOND; now += 1000)
            if (token_bucket_take(&bucket, rates[i], 15000, 1500, 7 * SECOND + now))
                passed += 1500;
        uint64_t due = 15000 + (uint64_t)rates[i] * 1000 / 8 * 20;
        assert_in_range(passed, due - 3000, due);
    }
}

static void test_policer_burst(void **state)
{
    (void)state;
    struct token_bucket bucket = {0};
    for (int i = 0; i < 10; i++)
        assert_true(token_bucket_take(&bucket, 80, 15000, 1500, 0));
    assert_false(token_bucket_take(&bucket, 80, 15000, 1500, 0));
    assert_false(token_bucket_take(&bucket, 80, 15000, 1500, 149999)); /* 10 bytes a millisecond */
    assert_true(token_bucket_take(&bucket, 80, 15000, 1500, 150000));
    assert_true(
        token_bucket_take(&bucket, 80, 15000, 15000, 3600LL * SECOND)); /* never more than full */
    assert_false(token_bucket_take(&bucket, 80, 15000, 1, 3600LL * SECOND));
}

static void test_shaper(void **state)
{
    (void)state;
    struct shaper shaper = {0};
    assert_int_equal(shaper_delay(&shaper, 80, 6000, 1500, SECOND), 150000);
    assert_int_equal(shaper_delay(&shaper, 80, 6000, 1500, SECOND), 300000);
    assert_int_equal(shaper_delay(&shaper, 80, 6000, 1500, SECOND + 100000), 350000);
    assert_int_equal(shaper_delay(&shaper, 80, 6000, 1500, 9 * SECOND), 150000);
    for (int i = 0; i < 4; i++)
        assert_true(shaper_delay(&shaper, 80, 6000, 1500, 9 * SECOND) > 0);
    assert_int_equal(shaper_delay(&shaper, 80, 6000, 1500, 9 * SECOND), -1);
}

static void test_queue_order(void **state)
{
    (void)state;
    struct queue queue;
    assert_int_equal(queue_init(&queue), DL_OK);
    struct dice dice = {1};
    uint8_t bytes[4] = {1, 2, 3, 4};
    for (uint32_t i = 0; i < QUEUE_MAX; i++) {
        struct queued frame = {.due_us = dice_between(&dice, 0, 500), .length = 4, .bytes = bytes};
        assert_int_equal(queue_put(&queue, &frame), DL_OK);
    }
    struct queued one = {.due_us = 1, .length = 4, .bytes = bytes}, last = {.due_us = -1};
    assert_int_equal(queue_put(&queue, &one), DL_LIMIT);
    assert_int_equal(queue.refused, 1);
    assert_false(queue_take(&queue, -1, &one));
    for (uint32_t i = 0; i < QUEUE_MAX / 2; i++) {
        assert_true(queue_take(&queue, 500, &one));
        assert_memory_equal(one.bytes, bytes, 4);
        assert_true(one.due_us > last.due_us ||
                    (one.due_us == last.due_us && one.order > last.order));
        last = one;
        free(one.bytes);
    }
    queue_finish(&queue);
}

static void test_chance_is_repeatable(void **state)
{
    (void)state;
    struct dice a = {5}, b = {5}, c = {6};
    uint32_t hits = 0, equal = 0;
    for (int i = 0; i < 10000; i++) {
        uint32_t value = dice_between(&a, 10, 1000);
        assert_int_equal(value, dice_between(&b, 10, 1000));
        equal += value == dice_between(&c, 10, 1000);
        assert_in_range(value, 10, 1000);
    }
    for (int i = 0; i < 10000; i++)
        hits += dice_happens(&a, 0.05);
    assert_true(equal < 100);
    assert_in_range(hits, 400, 600);
    assert_true(dice_happens(&a, 1));
    assert_false(dice_happens(&a, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policer_rates),
        cmocka_unit_test(test_policer_burst),
        cmocka_unit_test(test_shaper),
        cmocka_unit_test(test_queue_order),
        cmocka_unit_test(test_chance_is_repeatable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
